//! Every finding, as its reader sees it: one text archive in `tests/cases/` is one site and what `check` says of it.
//!
//! ```text
//! -- arguments --          optional: `--set KEY=VALUE` and `NAME=VALUE` of the environment, one a line
//! -- site.toml --
//! -- routes/index.toml --
//! layuot = "page.html"
//! -- expect --
//! routes/index.toml:1:1 error[config/unknown-key] unknown key `layuot` (did you mean `layout`?)
//! -- routes --             optional: what the site serves, as `siteserver routes` lists it
//! ```
//!
//! `UPDATE=1 cargo test --test main findings` writes what is said now; read the difference before you commit it.

use crate::support::site::{Folder, binary};
use libtest_mimic::{Failed, Trial};
use siteserver::config::Environment;
use siteserver::diagnostic::{Files, Finding};
use siteserver::site::{Loaded, Memory, Site};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

crate::cases![
    every_code_has_a_case,
    every_finding_says_what_to_write,
    every_code_says_what_it_means_why_and_how_to_mend_it,
    a_byte_order_mark_and_windows_line_ends_change_nothing,
    files_that_are_not_text_are_told_by_name,
    enormous_files_are_refused_unread,
    nesting_beyond_reason_is_refused,
    what_is_no_regular_file_is_passed_over,
    what_names_no_regular_file_says_so,
    ten_thousand_routes_load,
    a_layout_has_bounds,
];

/// Findings whose sites no text archive can hold, and the test that has each.
const ELSEWHERE: [(&str, &str); 10] = [
    ("layout/too-large", "a_layout_has_bounds"),
    ("try/data", "trying::data_that_is_wrong_is_drawn_with_its_place"),
    ("try/stopped", "trying::a_render_that_stops_says_where"),
    ("site/missing", "check::a_site_that_is_not_there_is_said_so"),
    ("config/passed-over", "what_is_no_regular_file_is_passed_over"),
    ("config/odd-name", "robust::names_that_are_no_text_are_told"),
    ("config/not-utf8", "files_that_are_not_text_are_told_by_name"),
    ("config/too-large", "enormous_files_are_refused_unread"),
    ("config/unreadable", "what_is_no_regular_file_is_passed_over"),
    ("config/too-many-files", "nesting_beyond_reason_is_refused"),
];

/// A test for each archive.
pub(crate) fn trials() -> Vec<Trial> {
    let archives = archives();
    assert!(!archives.is_empty(), "no archives in tests/cases");
    let trial = |path: PathBuf| {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Trial::test(format!("findings::cases::{name}"), move || run(&path))
    };
    archives.into_iter().map(trial).collect()
}

fn archives() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths
}

fn run(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let said = says(&text);
    if said == text {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, said)?;
        return Ok(());
    }
    Err(format!("{} says otherwise (UPDATE=1 takes it over):\n{said}", path.display()).into())
}

/// The archive with what is said of it now.
fn says(archive: &str) -> String {
    let (site, expected) = archive.split_once("-- expect --\n").unwrap_or((archive, ""));
    let (arguments, files) = match site.strip_prefix("-- arguments --\n") {
        Some(rest) => rest
            .split_at(rest.find("-- ").filter(|at| *at == 0).or_else(|| rest.find("\n-- ").map(|at| at + 1)).unwrap()),
        None => ("", site),
    };
    let folder = Folder::new();
    folder.unpack(files);
    let sets: Vec<String> =
        arguments.lines().filter_map(|line| line.strip_prefix("--set ")).map(str::to_owned).collect();
    let variables =
        arguments.lines().filter(|line| !line.starts_with("--set ")).filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = load(folder.path(), &sets, &Environment::new(variables).lenient());
    let mut said = format!("{site}-- expect --\n{}", lines(&loaded));
    if expected.contains("-- routes --\n") {
        said.push_str("-- routes --\n");
        said.push_str(loaded.site.as_ref().map(listing).unwrap_or_default().as_str());
    }
    said
}

fn listing(site: &Site) -> String {
    let listed = siteserver::report::routes(site);
    listed.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The site in a folder, as `check` loads it.
fn load(folder: &Path, sets: &[String], environment: &Environment) -> Loaded {
    let mut draft = siteserver::site::draft(&folder.join("site.toml"), sets, environment, &Memory::default());
    siteserver::check::check(&mut draft);
    draft.finish()
}

fn lines(loaded: &Loaded) -> String {
    loaded.findings.iter().map(|finding| line(finding, &loaded.files)).collect()
}

/// `file:line:column level[code] message (help)`, then a line for each place besides.
fn line(finding: &Finding, files: &Files) -> String {
    let place = |place: siteserver::diagnostic::Place| {
        let position = files.position(place.file, place.start);
        format!("{}:{}:{}", files.name(place.file), position.line, position.column)
    };
    let mut text = finding.place.map_or("-".to_owned(), place);
    write!(text, " {}[{}] {}", finding.level.name(), finding.code.name, finding.message).unwrap();
    if let Some(help) = &finding.help {
        write!(text, " ({help})").unwrap();
    }
    text.push('\n');
    for related in &finding.related {
        writeln!(text, "  {} {}", place(related.place), related.message).unwrap();
    }
    text
}

fn every_code_has_a_case() {
    let output = binary().args(["check", "--explain"]).output().unwrap();
    let catalogue = String::from_utf8(output.stdout).unwrap();
    let codes: BTreeSet<&str> = catalogue.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() >= 60, "{catalogue}");
    let mut seen: BTreeSet<String> = ELSEWHERE.iter().map(|(code, _)| (*code).to_owned()).collect();
    for path in archives() {
        let text = fs::read_to_string(path).unwrap();
        let (_, expected) = text.split_once("-- expect --\n").unwrap();
        let found = expected.lines().filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()));
        seen.extend(found);
    }
    let missing: Vec<&&str> = codes.iter().filter(|code| !seen.contains(**code)).collect();
    assert!(missing.is_empty(), "no archive in tests/cases shows {missing:?}");
}

fn every_finding_says_what_to_write() {
    for path in archives() {
        let text = fs::read_to_string(&path).unwrap();
        let (_, expected) = text.split_once("-- expect --\n").unwrap();
        let found = expected.lines().take_while(|line| !line.starts_with("-- ")).filter(|line| !line.starts_with(' '));
        for line in found {
            assert!(line.ends_with(')') && line.contains(" ("), "{}: no help in {line}", path.display());
        }
    }
}

fn every_code_says_what_it_means_why_and_how_to_mend_it() {
    let explain = |code: &[&str]| {
        let output = binary().args(["check", "--explain"]).args(code).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    for code in explain(&[]).lines().filter_map(|line| line.split_whitespace().next()) {
        let said = explain(&[code]);
        let paragraphs = said.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).count();
        assert!(said.starts_with(code) && paragraphs >= 4, "{said}");
    }
}

/// A page, a layout, and an empty `site.toml`.
fn small() -> Folder {
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n-- routes/index.toml --\nlayout = \"page.html\"\n-- layouts/page.html --\n<p>{{ page.path }}\n");
    folder
}

fn said(folder: &Folder) -> String {
    lines(&load(folder.path(), &[], &Environment::default()))
}

fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let folder = small();
    folder.write("site.toml", "\u{feff}[site]\r\nname = \"Shop\"\r\n");
    folder.write("routes/index.toml", "\u{feff}layout = \"page.html\"\r\ncontent = \"a.md\"\r\n");
    folder.write("content/a.md", "\u{feff}+++\r\ntitle = \"Hello\"\r\n+++\r\n# Hello\r\n");
    folder.write("layouts/page.html", "\u{feff}<p>{{ page.title }}\r\n");
    let loaded = load(folder.path(), &[], &Environment::default());
    assert_eq!(lines(&loaded), "");
    assert!(loaded.site.is_some());
    folder.write("routes/index.toml", "\u{feff}layout = \"page.html\"\r\nlayuot = 1\r\n");
    assert!(said(&folder).starts_with("routes/index.toml:2:1 error[config/unknown-key]"), "{}", said(&folder));
}

fn files_that_are_not_text_are_told_by_name() {
    for path in ["site.toml", "routes/index.toml", "layouts/page.html"] {
        let folder = small();
        fs::write(folder.path().join(path), b"# one\n\xff").unwrap();
        let said = said(&folder);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with(&format!("{path}:2:1 error[config/not-utf8]")), "{said}");
        // Bytes that are UTF-8 and nobody means: a finding or a site, and no crash.
        for bytes in
            [&b""[..], b"\0", b"\0\0\0\n\0", b"\n\n\n", b"\r", b"{{", b"[[[[", b"+++", b"---\n", b"\"\"\"", b"{%"]
        {
            fs::write(folder.path().join(path), bytes).unwrap();
            load(folder.path(), &[], &Environment::default());
        }
    }
}

fn enormous_files_are_refused_unread() {
    for path in ["site.toml", "routes/index.toml", "layouts/page.html", "content/a.md"] {
        let folder = small();
        folder.write("content/a.md", "");
        folder.write("routes/a.toml", "content = \"a.md\"\n");
        // A hole of 50 MB: it takes no room on the disk.
        fs::File::create(folder.path().join(path)).unwrap().set_len(50 << 20).unwrap();
        let said = said(&folder);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("config/too-large") && said.contains(path), "{said}");
    }
}

fn a_layout_has_bounds() {
    let folder = small();
    folder.write("layouts/page.html", &"<p>a layout that never ends</p>\n".repeat(50_000));
    let said = said(&folder);
    assert!(said.lines().count() == 1 && said.contains("layout/too-large"), "{said}");
}

fn nesting_beyond_reason_is_refused() {
    const DEEP: usize = 100_000;
    for (path, text) in [
        ("routes/index.toml", format!("layout = \"page.html\"\nvars.a = {}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
        ("routes/index.toml", format!("layout = \"page.html\"\nvars.a = {}", "{a=".repeat(DEEP))),
        ("routes/index.toml", format!("layout = \"page.html\"\n[vars{}]\n", ".a".repeat(DEEP))),
        ("routes/index.toml", format!("layout = \"page.html\"\nvars{} = 1\n", ".a".repeat(DEEP))),
        ("site.toml", format!("[defaults.vars{}]\n", ".a".repeat(DEEP))),
        ("layouts/page.html", "{% if page.path %}".repeat(DEEP)),
        ("layouts/page.html", format!("{{{{ page{} }}}}", "[page".repeat(DEEP))),
        ("layouts/page.html", format!("{{{{ page{} }}}}", ".a".repeat(DEEP))),
        ("layouts/page.html", "<b>".repeat(DEEP)),
    ] {
        let folder = small();
        folder.write(path, &text);
        load(folder.path(), &[], &Environment::default());
    }
    let folder = small();
    folder.write(&format!("routes/{}index.toml", "a/".repeat(40)), "layout = \"page.html\"\n");
    let said = said(&folder);
    assert!(said.lines().count() == 1 && said.contains("config/too-many-files"), "{said}");
    let markdown = small();
    markdown.write("content/a.md", &"> ".repeat(DEEP));
    markdown.write("routes/a.toml", "content = \"a.md\"\n");
    load(markdown.path(), &[], &Environment::default());
}

fn what_is_no_regular_file_is_passed_over() {
    let folder = small();
    let routes = folder.path().join("routes");
    let made = std::process::Command::new("mkfifo").arg(routes.join("pipe.toml")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/etc/passwd", routes.join("link.toml")).unwrap();
    std::os::unix::fs::symlink(&routes, routes.join("circle")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("layouts/broken.html")).unwrap();
    fs::create_dir(routes.join("folder.toml")).unwrap();
    let loaded = load(folder.path(), &[], &Environment::default());
    let copy = "(put a copy of what it leads to in its place; only the site's own folder may be reached over links)";
    let expected = [
        format!("routes/circle is a symbolic link, which is not followed {copy}"),
        format!("routes/link.toml is a symbolic link, which is not followed {copy}"),
        "routes/pipe.toml is a pipe, which is not read (put a regular file in its place, or remove it)".to_owned(),
        format!("layouts/broken.html is a symbolic link, which is not followed {copy}"),
    ];
    let expected = expected.map(|said| {
        let (name, rest) = said.split_once(' ').unwrap();
        format!("{name}:1:1 warning[config/passed-over] `{name}` {rest}\n")
    });
    let mut told: Vec<String> = lines(&loaded).split_inclusive('\n').map(str::to_owned).collect();
    told.sort_by_key(|line| expected.iter().position(|expected| expected == line));
    assert_eq!(told, expected);
    assert_eq!(loaded.site.map(|site| site.routes.len()), Some(1));
    fs::remove_file(folder.path().join("site.toml")).unwrap();
    fs::create_dir(folder.path().join("site.toml")).unwrap();
    assert!(said(&folder).contains("config/unreadable"), "{}", said(&folder));
}

fn what_names_no_regular_file_says_so() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- content/data/real.json --\n{}\n-- content/real/a.css --\n\
         -- content/real/index.md --\n[a](away.md) ![b](../linked/a.css)\n\
         -- routes/data.toml --\njson = { a = \"{a}\", b = \"{b}\", c = \"{c}\" }\n\
         sources.a.file = \"data/link.json\"\nsources.b.file = \"linked/real.json\"\nsources.c.file = \"data/pipe.json\"\n\
         -- routes/files.toml --\npath = \"/files/{*file}\"\nfiles = \"linked\"\n\
         -- routes/tree.toml --\npath = \"/tree/{*page}\"\ncontent = \"linked\"\n\
         -- routes/document.toml --\ncontent = \"real/away.md\"\n\
         -- routes/real.toml --\npath = \"/real/{*page}\"\ncontent = \"real\"\n",
    );
    let content = folder.path().join("content");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, content.join(name)).unwrap();
    link("real.json", "data/link.json");
    link("data", "linked");
    link("/etc/passwd", "real/away.md");
    let made = std::process::Command::new("mkfifo").arg(content.join("data/pipe.json")).status().unwrap();
    assert!(made.success());
    let said = said(&folder);
    for expected in [
        "routes/data.toml:2:18 error[file/name] `content/data/link.json` is a symbolic link, which is not followed",
        "routes/data.toml:3:18 error[file/name] `content/linked` is a symbolic link, which is not followed",
        "routes/data.toml:4:18 error[file/name] `content/data/pipe.json` is a pipe, which is not read",
        "routes/files.toml:2:9 error[route/no-folder] `content/linked` is a symbolic link, which is not followed",
        "routes/tree.toml:2:11 error[route/no-document] `content/linked` is a symbolic link, which is not followed",
        "routes/document.toml:1:11 error[route/no-document] `content/real/away.md` is a symbolic link",
        "content/real/index.md:1:1 warning[document/broken-link] `content/real/away.md` is a symbolic link",
        "content/real/index.md:1:14 warning[document/broken-link] `content/linked` is a symbolic link",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

fn ten_thousand_routes_load() {
    let folder = small();
    for at in 0..10_000 {
        let path = folder.path().join(format!("routes/r{}", at % 100));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("p{at}.toml")), "layout = \"page.html\"\n").unwrap();
    }
    let loaded = load(folder.path(), &[], &Environment::default());
    assert_eq!(lines(&loaded), "");
    assert_eq!(loaded.site.map(|site| site.routes.len()), Some(10_001));
}
