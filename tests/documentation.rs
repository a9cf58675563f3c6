//! The documentation held to the product: what README.md and `content/` show is accepted, what they name exists.
//!
//! Every TOML block of ours says in its first line which file it is: `# routes/repo.toml`, `# site.toml`. One that is a part of a route
//! says `# in a route`, and is completed here. The blocks of one page are one site, and `check` must accept it. The pages of the tutorial
//! build on each other, and are done from beginning to end by `tutorial.rs` instead.

use crate::support::site::{Folder, binary};
use crate::trying;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

crate::cases!(
    every_example_is_accepted,
    a_wrong_example_is_noticed,
    every_example_of_the_language_prints_what_is_said,
    every_command_and_flag_exists,
    every_script_and_file_exists,
    the_limits_are_those_that_are_declared,
    every_token_of_code_has_a_colour_that_can_be_read,
);

/// The folder of the project.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and every Markdown file of `content/`: where it is, and what it says.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    let mut folders = vec![root().join("content/docs")];
    while let Some(folder) = folders.pop() {
        let (inner, files): (Vec<_>, Vec<_>) =
            folder.read_dir().expect("a folder").flatten().map(|entry| entry.path()).partition(|path| path.is_dir());
        folders.extend(inner);
        paths.extend(files);
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        loop {
            let (said, inside) = rest.split_once("\n```")?.1.split_once('\n')?;
            let (block, after) = inside.split_once("\n```")?;
            rest = after;
            if said == language {
                return Some(block);
            }
        }
    })
}

/// The text of a page without its fenced blocks, which are about other sites.
fn outside_of_blocks(page: &str) -> String {
    page.split("\n```").step_by(2).collect()
}

/// The values of a key that is written as `key = "value"`.
fn values<'a>(toml: &'a str, key: &str) -> Vec<&'a str> {
    let lines = toml.lines().filter_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
    lines.filter_map(|value| value.trim_start().strip_prefix('"')?.split('"').next()).collect()
}

/// The site that the TOML blocks of a page make together: its files by name.
fn site(page: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("site.toml".to_owned(), String::new())]);
    for (number, block) in blocks(page, "toml").enumerate() {
        let (first, _) = block.split_once('\n').unwrap_or((block, ""));
        let words: Vec<_> = first.strip_prefix("# ").unwrap_or_default().split([':', ' ']).collect();
        let name = match words[..] {
            ["in", "a", "route", ..] => format!("routes/part-{number}.toml"),
            [name, ..] if Path::new(name).extension().is_some_and(|extension| extension == "toml") => name.to_owned(),
            _ => panic!("this block does not say in its first line which file it is:\n{block}"),
        };
        let mut text = String::new();
        if words.first() == Some(&"in") {
            let kinds = ["content", "files", "json", "redirect", "layout"];
            if kinds.iter().all(|key| values(block, key).is_empty()) {
                text.push_str("layout = \"part.html\"\n");
            }
        }
        text.push_str(block);
        text.push('\n');
        let before = files.entry(name).or_default();
        before.push_str(&text);
    }
    let all: String = files.values().map(String::as_str).collect::<Vec<_>>().join("\n");
    for key in ["layout", "404", "5xx"] {
        for layout in values(&all, key) {
            files.insert(format!("layouts/{layout}"), "<p>minimal</p>\n".to_owned());
        }
    }
    for content in values(&all, "content") {
        let name = match content.strip_suffix(".md") {
            Some(_) => content.to_owned(),
            None => format!("{}/minimal.md", content.trim_end_matches(['*', '/'])),
        };
        files.insert(format!("content/{name}"), "Minimal.\n".to_owned());
    }
    for file in values(&all, "file") {
        let text = if file.strip_suffix(".toml").is_some() { "" } else { "[]\n" };
        for language in ["en", "de"] {
            files.insert(format!("content/{}", file.replace("{params.lang}", language)), text.to_owned());
        }
    }
    for folder in values(&all, "files") {
        files.insert(format!("content/{folder}/minimal.txt"), "Minimal.\n".to_owned());
    }
    files
}

/// What `check` says of a site.
fn check(files: &BTreeMap<String, String>) -> Output {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    binary().current_dir(folder.path()).arg("check").output().expect("the binary")
}

/// Fails if `check` does not accept the site that the blocks of a text make together.
pub(crate) fn accepted(text: &str) {
    let files = site(text);
    let said = check(&files);
    assert_eq!(said.status.code(), Some(0), "{}\n{files:#?}", String::from_utf8_lossy(&said.stdout));
}

fn every_example_is_accepted() {
    let mut seen = 0;
    // The recipes of the cookbook and the pages of the tutorial are whole sites, which tests of their own make with all of their files.
    let elsewhere = ["cookbook", "tutorial"].map(|folder| root().join("content/docs").join(folder));
    for (path, page) in pages().into_iter().filter(|(path, _)| !elsewhere.iter().any(|folder| path.starts_with(folder)))
    {
        let files = site(&page);
        seen += files.len() - 1;
        let said = check(&files);
        let text = String::from_utf8_lossy(&said.stdout);
        assert_eq!(said.status.code(), Some(0), "{}:\n{text}\n{files:#?}", path.display());
    }
    assert!(seen > 20, "only {seen} files were found in the examples");
}

fn a_wrong_example_is_noticed() {
    let right = "\n```toml\n# routes/a.toml\nlayout = \"a.html\"\n```\n\n```toml\n# in a route\n[cache]\ns-maxage = \"1s\"\n```\n";
    assert_eq!(check(&site(right)).status.code(), Some(0));
    for (from, to) in [("s-maxage", "s-maxagee"), ("\"1s\"", "1"), ("layout =", "layuot =")] {
        assert_eq!(check(&site(&right.replace(from, to))).status.code(), Some(1), "{to}");
    }
}

/// The rows of two code spans in `liquid.md`: a template, and what it prints of the data on the page.
fn every_example_of_the_language_prints_what_is_said() {
    let page = fs::read_to_string(root().join("content/docs/guides/liquid.md")).expect("text");
    let data: Value = serde_json::from_str(blocks(&page, "json").next().expect("the data")).expect("JSON");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `"));
    let rows: Vec<_> = rows.map(|(template, printed)| (template.replace("\\|", "|"), printed)).collect();
    assert!(rows.len() > 20, "only {} examples were found", rows.len());
    let requests: Vec<_> = rows.iter().map(|(template, _)| json!({ "template": template, "data": data })).collect();
    let given = trying::answers(&["liquid", "--escape", "none"], &requests);
    for ((template, printed), given) in rows.iter().zip(given) {
        assert_eq!(given["output"], *printed, "{template}: {given}");
    }
}

fn help() -> String {
    let mut said = said_by(&[]);
    for command in commands(&said) {
        let help = said_by(&[&command]);
        said.extend(commands(&help).iter().map(|inner| said_by(&[&command, inner])));
        said.push_str(&help);
    }
    said
}

/// What `--help` says of a command, or of a command within it.
fn said_by(command: &[&str]) -> String {
    let output = binary().args(command).arg("--help").output().expect("the binary");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The commands that a help lists.
fn commands(help: &str) -> BTreeSet<String> {
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default().lines().take_while(|line| !line.is_empty());
    // What a command does goes on further to the right.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn every_command_and_flag_exists() {
    let help = help();
    let commands = commands(&said_by(&[]));
    assert!(commands.len() > 7 && commands.contains("check"), "{commands:?}");
    let mut seen = 0;
    for (path, page) in pages() {
        let shown = blocks(&page, "sh").flat_map(str::lines);
        let inline = page.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
        for line in shown.chain(inline) {
            let code = line.split('#').next().unwrap_or(line);
            let Some(rest) = code.trim().strip_prefix("siteserver ") else { continue };
            let words: Vec<_> = rest.split_whitespace().collect();
            seen += 1;
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag), "{}: `{flag}` is not in the help", path.display());
            }
            let command = words.iter().find(|word| !word.starts_with('-')).filter(|_| !words[0].starts_with('-'));
            assert!(command.is_none_or(|word| commands.contains(*word)), "{}: `{line}`", path.display());
        }
    }
    assert!(seen > 4, "only {seen} commands were found");
}

fn every_script_and_file_exists() {
    let readme = fs::read_to_string(root().join("README.md")).expect("text");
    let places = readme.split("## Where things are").nth(1).expect("a table of places");
    let rows = places.lines().filter(|line| line.starts_with("| `"));
    let names = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut seen = 0;
    for name in names {
        assert!(root().join(name).exists(), "README.md names {name}");
        seen += 1;
    }
    assert!(seen > 6, "only {seen} places were found");
    for (path, page) in pages() {
        for rest in page.split("script/").skip(1) {
            let length = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
            let name = &rest[..length];
            assert!(root().join("script").join(name).exists(), "{}: script/{name}", path.display());
        }
        let images = outside_of_blocks(&page);
        let images = images.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in images.filter(|link| !link.starts_with(['/', '#']) && !link.contains("://")) {
            assert!(path.parent().expect("a folder").join(link).exists(), "{}: {link}", path.display());
        }
    }
}

fn the_limits_are_those_that_are_declared() {
    let code = fs::read_to_string(root().join("src/site/settings.rs")).expect("text");
    let declared = code.split("pub struct LimitsDecl").nth(1).and_then(|rest| rest.split('}').next());
    let lines: Vec<_> = declared.expect("the limits").lines().map(str::trim).collect();
    let expected: BTreeMap<&str, &str> = lines
        .windows(2)
        .filter_map(|pair| {
            let default = pair[0].strip_prefix("///")?.split("default ").nth(1)?.trim_end_matches('.');
            Some((pair[1].strip_prefix('"')?.split('"').next()?, default))
        })
        .collect();
    let page = fs::read_to_string(root().join("content/docs/guides/running.md")).expect("text");
    let rows = page.split("## Limits").nth(1).expect("the limits").lines().filter_map(|row| row.strip_prefix("| `"));
    let shown: BTreeMap<&str, &str> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (cells[0].trim_end_matches('`'), cells[2])
        })
        .collect();
    assert!(expected.len() > 15, "{expected:?}");
    for (key, default) in &expected {
        assert_eq!(shown.get(key), Some(default), "{key}");
    }
    assert_eq!(shown.len(), expected.len());
}

/// The style sheet names every class, and its colours stand out from the ground of `pre` as WCAG 2.2 asks (1.4.3, level AA).
fn every_token_of_code_has_a_colour_that_can_be_read() {
    let sheet = fs::read_to_string(root().join("content/assets/site.css")).expect("text");
    for class in siteserver::highlight::Class::ALL {
        assert!(sheet.contains(&format!(".{}", class.name())), "{} has no colour", class.name());
    }
    let mut themes: Vec<BTreeMap<&str, f64>> = vec![BTreeMap::new()];
    for line in sheet.lines() {
        if line.contains("prefers-color-scheme: dark") {
            themes.push(BTreeMap::new());
        }
        let declared = line
            .trim()
            .strip_prefix("--")
            .and_then(|line| line.strip_suffix(';'))
            .and_then(|line| line.split_once(": #"));
        if let Some((name, colour)) = declared {
            themes.last_mut().expect("one at least").insert(name, luminance(colour));
        }
    }
    assert_eq!(themes.len(), 2, "light and dark");
    for theme in themes {
        let ground = theme["raised"];
        let colours: Vec<_> = theme.iter().filter(|(name, _)| name.starts_with("code-")).collect();
        assert!(colours.len() >= 10);
        for (name, colour) in colours {
            let contrast = (colour.max(ground) + 0.05) / (colour.min(ground) + 0.05);
            assert!(contrast >= 4.5, "{name} has a contrast of {contrast:.2}");
        }
    }
}

/// Relative luminance, as WCAG 2.2 defines it.
fn luminance(colour: &str) -> f64 {
    let number = u32::from_str_radix(colour, 16).expect("six hexadecimal digits");
    let part = |shift: u32| {
        let part = f64::from((number >> shift) & 255) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
}
