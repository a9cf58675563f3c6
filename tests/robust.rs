//! Whatever lies in a site's folder, and whatever becomes of it meanwhile: a finding or a load, soon, and never a crash.
//!
//! Loads run on a stack as small as that of the threads that reload. `SITESERVER_FUZZ=10000` runs that many mutations of each site.

use crate::support::SAFETY_NET;
use crate::support::proof::{is_full, scaled};
use crate::support::site::{Folder, binary};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use siteserver::config::Environment;
use siteserver::diagnostic::{Files, Finding, Level, Place};
use siteserver::site::{Loaded, Memory};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

crate::cases!(
    hostile_texts_end_soon,
    a_flood_of_findings_is_cut_and_counted,
    a_hundred_thousand_routes_load,
    names_that_are_no_text_are_told,
    files_that_come_and_go_while_they_are_read,
    any_text_in_any_file_loads_or_is_told,
    mutated_sites_load_or_are_told,
    a_reload_compiles_again_only_what_an_edit_is_part_of,
    a_reload_does_again_only_what_changed,
);

/// As small as the stack of a thread that reloads.
const STACK: usize = 2 << 20;

/// Loads on a thread of its own; a load that does not end is a failure.
fn load(folder: &Path) -> Loaded {
    load_with(folder, &Arc::default())
}

/// The same as a reload, which does again only what has changed since `memory` has seen it.
fn load_with(folder: &Path, memory: &Arc<Memory>) -> Loaded {
    let (config, memory) = (folder.join("site.toml"), Arc::clone(memory));
    let (sender, loaded) = channel();
    let loading = move || {
        let mut draft = siteserver::site::draft(&config, &[], &Environment::default().lenient(), &memory);
        siteserver::check::check(&mut draft);
        sender.send(draft.finish()).unwrap_or_default();
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(loading).unwrap();
    let loaded = loaded.recv_timeout(SAFETY_NET);
    assert!(loaded.is_ok() || !thread.is_finished(), "the load panicked");
    loaded.expect("the load ends")
}

/// Every place lies within its file, and begins and ends with characters.
fn assert_places(loaded: &Loaded) {
    for finding in &loaded.findings {
        let places = finding.place.into_iter().chain(finding.related.iter().map(|related| related.place));
        for place in places {
            assert!(is_within(place, &loaded.files), "{finding:?}");
        }
        draw(finding, &loaded.files);
    }
}

fn is_within(place: Place, files: &Files) -> bool {
    !files.name(place.file).is_empty() && files.text(place.file).get(place.range()).is_some()
}

fn draw(finding: &Finding, files: &Files) {
    assert!(!siteserver::diagnostic::draw(finding, files, false).is_empty());
}

/// A page, a document and their layout.
fn small() -> Folder {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- routes/index.toml --\nlayout = \"page.html\"\n-- routes/a.toml --\nlayout = \"page.html\"\n\
         content = \"a.md\"\n-- content/a.md --\nA\n-- layouts/page.html --\n{{ content }}{{ page.path }}\n",
    );
    folder
}

/// Pieces of a hostile text.
const MANY: usize = 20_000;

/// `each` of many numbers, one after the other.
fn numbered(each: fn(usize) -> String) -> String {
    (0..MANY).map(each).collect::<Vec<_>>().concat()
}

/// Routes that ask for too much of everything.
fn hostile_routes() -> Vec<String> {
    let page = |text: &str| format!("layout = \"page.html\"\n{text}\n");
    let selector = |text: String| page(&format!("[sources.a]\nurl = \"https://a.example/\"\nextract.x = '''{text}'''"));
    let rule = |text: String| page(&format!("[[rules]]\nif = '''{text}'''\nthen = {{ status = 404 }}"));
    let (open, close) = ("(".repeat(MANY), ")".repeat(MANY));
    vec![
        "x\n".repeat(MANY),
        page(&"vars.a = 1\n".repeat(MANY)),
        page(&numbered(|n| format!("k{n} = 1\n"))),
        page(&format!("[vars]\n{}", numbered(|n| format!("k{n} = 1\n")))),
        page(&numbered(|n| format!("[sources.s{}]\nvalue = {{ a = 1 }}\n", n / 10))),
        page(&format!("path = [{}]", numbered(|n| format!("\"/p{n}\", ")))),
        page(&format!("path = \"/{}\"", "a/".repeat(MANY))),
        page(&format!("path = \"{}\"", "/{p}".repeat(MANY))),
        page(&format!("path = \"/{}\"", "{".repeat(MANY))),
        page(&format!("title = \"{}\"", "{".repeat(MANY))),
        page(&format!("title = \"{{page{}}}\"", ".a".repeat(MANY))),
        page(&format!("title = \"{}\"", "{a.b}".repeat(MANY))),
        page(&format!("query.q = {{ pattern = \"{open}{close}\" }}")),
        page("query.q = { pattern = \"(((a{100}){100}){100}){100}\" }"),
        page(&format!("query.q = {{ enum = [{}] }}", numbered(|n| format!("\"v{n}\", ")))),
        selector(format!("$[?{open}@.a{close}]")),
        selector("$".to_owned() + &"[?@".repeat(MANY) + &"]".repeat(MANY)),
        selector("$".to_owned() + &"..a".repeat(MANY)),
        selector(format!("$[?{}@.a]", "!".repeat(MANY))),
        selector(format!("$[?{}@{}>1]", "length(".repeat(MANY), close)),
        rule(open.clone()),
        rule("a and ".repeat(MANY) + "a"),
        rule("page".to_owned() + &"[page".repeat(MANY)),
    ]
}

fn hostile_texts_end_soon() {
    let layout = [
        "{% if page.path %}",
        "{% for a in page.path %}",
        "{% capture a %}",
        "{% comment %}",
        "{% raw %}",
        "{% case a %}",
        "{% foo %}",
        "{{ page.path | foo }}",
        "{{ zork.a }}",
        "{{",
        "{%",
        "{{ ((((",
        "<b>",
        "<a ",
        "<a href=\"{{ page.path }}\" ",
        "<!--",
        "<script>",
        "<svg><math>",
        "\0",
    ];
    let markdown = [
        "> ",
        "- ",
        "[",
        "[a](",
        "![",
        "*a",
        "*",
        "_*",
        "**a ",
        "<",
        "<b>",
        "<!-- ",
        "<![CDATA[",
        "<a:",
        "|",
        "[^a]",
        "[a]: b\n",
        "# a\n",
        "```\n",
        "&",
        "http://a.b ",
        "a@b.c ",
        "www.",
        "a\n: b\n",
        "~~a ",
        "$a",
        "\t",
        "\0",
        "\r",
    ];
    let matter = [
        format!("---\na: {}\n---\n", "[".repeat(MANY)),
        format!("---\na: {}\n---\n", "{".repeat(MANY)),
        format!("---\n{}\n---\n", "- ".repeat(MANY)),
        format!("---\n{}\n---\n", "? ".repeat(MANY)),
        format!("---\n{}---\n", (0..1500).map(|n| " ".repeat(n) + "a:\n").collect::<Vec<_>>().concat()),
        format!("---\na: {}\n---\n", "!".repeat(MANY)),
        format!("---\na: {}\n---\n", "&a ".repeat(MANY)),
        format!(
            "---\na0: &a0 [x, x]\n{}---\n",
            (1..60).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1)).collect::<Vec<_>>().concat()
        ),
        format!("+++\na = {}\n+++\n", "[".repeat(MANY)),
        format!("+++\n{}+++\n", numbered(|n| format!("k{n} = 1\n"))),
        "+++\n".repeat(MANY),
        "---\n".repeat(MANY),
    ];
    let cases = (hostile_routes().into_iter().map(|text| ("routes/index.toml", text)))
        .chain(layout.map(|text| ("layouts/page.html", text.repeat(MANY / 4))))
        .chain(markdown.map(|text| ("content/a.md", text.repeat(MANY))))
        .chain(matter.map(|text| ("content/a.md", text)));
    for (path, text) in cases {
        let folder = small();
        folder.write(path, &text);
        assert_places(&load(folder.path()));
    }
}

fn a_flood_of_findings_is_cut_and_counted() {
    let folder = small();
    folder.write(
        "routes/index.toml",
        &format!("layout = \"page.html\"\ntitle = \"{}\"\nlayuot = 1\n", "{a.b}".repeat(5000)),
    );
    folder.write("layouts/unused.html", "");
    let run = |format: &str| {
        let config = folder.path().join("site.toml");
        let output = binary().arg("--config").arg(config).args(["check", "--format", format]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1000));
    assert_eq!(json["omitted"], 4001);
    let text = run("text");
    assert!(
        text.contains("4001 more findings not shown") && text.contains("5001 errors"),
        "{}",
        &text[text.len() - 200..]
    );
}

/// A tenth of them in an ordinary run: a build without optimisation takes half a minute for all.
fn a_hundred_thousand_routes_load() {
    let folder = small();
    let count = scaled(100_000, 10_000);
    for at in 0..count {
        let path = folder.path().join(format!("routes/r{}", at % 300));
        if at < 300 {
            fs::create_dir_all(&path).unwrap();
        }
        fs::write(path.join(format!("p{at}.toml")), "layout = \"page.html\"\n").unwrap();
    }
    let loaded = load(folder.path());
    assert_eq!(loaded.findings.len(), 0);
    assert_eq!(loaded.site.map(|site| site.routes.len()), Some(count + 2));
}

fn names_that_are_no_text_are_told() {
    let folder = small();
    for name in [&b"routes/\xff.toml"[..], b"layouts/caf\xe9.html", b"content/a\xc0\xaf"] {
        fs::write(folder.path().join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let loaded = load(folder.path());
    assert!(loaded.site.is_some());
    let told: Vec<_> = loaded.findings.iter().map(|finding| (finding.code.name, finding.message.as_str())).collect();
    assert_eq!(told.iter().filter(|(code, _)| *code == "config/odd-name").count(), 3, "{told:?}");
}

fn files_that_come_and_go_while_they_are_read() {
    let folder = small();
    let stop = AtomicBool::new(false);
    let path = |name: &str| folder.path().join(name);
    thread::scope(|scope| {
        // Files, folders, pipes and links, each in the others' place.
        scope.spawn(|| {
            let pipe = path("pipe");
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            while !stop.load(Ordering::Relaxed) {
                for name in ["routes/x.toml", "layouts/x.html", "content/x.md"] {
                    let name = path(name);
                    fs::write(&name, "layout = \"page.html\"\n").unwrap();
                    fs::remove_file(&name).unwrap();
                    fs::create_dir(&name).unwrap();
                    fs::remove_dir(&name).unwrap();
                    fs::hard_link(&pipe, &name).unwrap();
                    fs::remove_file(&name).unwrap();
                    std::os::unix::fs::symlink("/dev/zero", &name).unwrap();
                    fs::remove_file(&name).unwrap();
                }
                fs::create_dir_all(path("routes/folder/deep")).unwrap();
                fs::write(path("routes/folder/deep/y.toml"), "layout = \"page.html\"\n").unwrap();
                fs::remove_dir_all(path("routes/folder")).unwrap();
            }
        });
        for _ in 0..200 {
            let loaded = load(folder.path());
            assert_places(&loaded);
            assert!(loaded.site.is_some() || loaded.findings.has_errors());
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// How many mutations: few in each run, many on request.
fn rounds(usual: u32) -> u32 {
    std::env::var("SITESERVER_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let seed: [u8; 32] = std::array::from_fn(|_| rand_byte());
    println!("seed {seed:?}");
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// A byte that nobody foresees: from the keys of a fresh hash map.
fn rand_byte() -> u8 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0).to_le_bytes()[0]
}

/// What a stranger might type: pieces of all our languages, and anything.
fn scrap() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "{{",
        "}}",
        "{%",
        "%}",
        "=",
        ".",
        ",",
        "\"",
        "'''",
        "\"\"\"",
        "'",
        "\\",
        "\n",
        "\r\n",
        "#",
        "layout",
        "path",
        "sources",
        "extract",
        "select",
        "value",
        "url",
        "rules",
        "if",
        "then",
        "status",
        "cache",
        "query",
        "params",
        "page.path",
        "a.b",
        "{a.b}",
        "{params.x}",
        "{env.X}",
        "{*rest}",
        "/{id}",
        "$",
        "$..",
        "[?@",
        "@.a",
        "==",
        "for",
        "endfor",
        "assign",
        "capture",
        "render",
        "include",
        "| upcase",
        "| default: ",
        "+++\n",
        "---\n",
        "# ",
        "- ",
        "> ",
        "```\n",
        "[a](b)",
        "|",
        "<b>",
        "<script>",
        "&amp;",
        "false",
        "true",
        "1",
        "1.5",
        "10s",
        "64KiB",
        "é",
        "\u{1F389}",
        "\u{feff}",
        "\0",
        "\u{202e}",
    ]);
    prop::collection::vec(prop_oneof![6 => piece.prop_map(str::to_owned), 1 => "\\PC{0,6}", 1 => ".{0,3}"], 0..40)
        .prop_map(|pieces| pieces.concat())
}

const PLACES: [&str; 5] =
    ["site.toml", "routes/index.toml", "routes/_section.toml", "layouts/page.html", "content/a.md"];

fn any_text_in_any_file_loads_or_is_told() {
    let strategy = (prop::sample::select(PLACES.to_vec()), scrap());
    let outcome = runner(rounds(400)).run(&strategy, |(path, text)| {
        let folder = small();
        folder.write(path, &text);
        assert_places(&load(folder.path()));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// The sites of the project, a few bytes at a time made worse.
fn mutated_sites_load_or_are_told() {
    for original in ["examples/repo", "examples/upstream", "."] {
        let folder = Folder::copy_of_site(&Path::new(env!("CARGO_MANIFEST_DIR")).join(original));
        let mut paths = Vec::new();
        files(folder.path(), &mut paths);
        paths.retain(|path| {
            path.extension().is_some_and(|extension| ["toml", "html", "md"].iter().any(|known| extension == *known))
        });
        paths.sort();
        let strategy = (prop::sample::select(paths), any::<prop::sample::Index>(), 0..20_usize, scrap());
        // Of a large site a reload reads, renders and compiles little but what was made worse; a whole proof begins anew each time.
        let memory = Arc::new(Memory::default());
        let load = |folder: &Path| if is_full() { load(folder) } else { load_with(folder, &memory) };
        let outcome = runner(rounds(100)).run(&strategy, |(path, at, length, put)| {
            let before = fs::read_to_string(&path).unwrap();
            let boundary = |mut at: usize| {
                while !before.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = boundary(at.index(before.len() + 1));
            let end = boundary((start + length).min(before.len())).max(start);
            fs::write(&path, format!("{}{put}{}", &before[..start], &before[end..])).unwrap();
            let loaded = load(folder.path());
            fs::write(&path, &before).unwrap();
            assert_places(&loaded);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{original}: {error}");
        }
        let restored = load(folder.path());
        assert!(restored.site.is_some(), "{original} is whole again");
    }
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

fn a_reload_compiles_again_only_what_an_edit_is_part_of() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- routes/index.toml --\nlayout = \"a.html\"\n-- routes/b.toml --\nlayout = \"b.html\"\n\
         -- layouts/a.html --\n+++\nlayout = \"base.html\"\n+++\na {% render \"one\" %}\n\
         -- layouts/b.html --\nb {% render \"two\" %}\n-- layouts/c.txt --\nc\n-- layouts/base.html --\n<main>{{ content }}</main>\n\
         -- layouts/partials/one.html --\none {% render \"two\" %}\n-- layouts/partials/two.html --\ntwo\n",
    );
    let memory = Memory::default();
    let config = folder.path().join("site.toml");
    let load = || {
        let loaded = siteserver::site::load_again(&config, &[], &Environment::default(), &memory);
        let errors = loaded.findings.iter().filter(|finding| finding.level == Level::Error).count();
        (memory.compiled_count(), errors)
    };
    assert_eq!(load(), (4, 0));
    assert_eq!(load(), (0, 0));
    for (file, text, compiled, errors) in [
        ("routes/index.toml", "layout = \"a.html\"\ntitle = \"A\"\n", 0, 0),
        ("layouts/c.txt", "d\n", 1, 0),
        ("layouts/base.html", "<body>{{ content }}</body>\n", 2, 0),
        ("layouts/partials/one.html", "1 {% render \"two\" %}\n", 1, 0),
        ("layouts/partials/two.html", "2\n", 2, 0),
        ("layouts/b.html", "+++\nescape = \"none\"\n+++\nb {% render \"two\" %}\n", 1, 0),
        // What is wrong is told by each load.
        ("layouts/c.txt", "{{ page.title | nothing }}\n", 1, 1),
        ("routes/index.toml", "layout = \"a.html\"\n", 1, 1),
        ("layouts/c.txt", "d\n", 1, 0),
        // Every later file moves.
        ("routes/a.toml", "json = 1\n", 4, 0),
        ("content/page.md", "# Page\n", 0, 0),
    ] {
        folder.write(file, text);
        assert_eq!(load(), (compiled, errors), "{file}: {text}");
        assert_eq!(load(), (errors, errors), "{file}: {text}");
    }
    folder.remove("layouts/partials/one.html");
    assert_eq!(load().1, 1, "the partial is missed");
}

/// The project's own site, whose files are as old as its checkout: none of them could have changed within the tick of a clock.
fn a_reload_does_again_only_what_changed() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("site.toml");
    let memory = Memory::default();
    let load =
        || siteserver::site::load_again(&config, &[], &Environment::default().lenient(), &memory).site.expect("a site");
    let first = load();
    assert!(memory.read_count() > 20 && memory.rendered_count() > 5 && memory.compiled_count() > 1);
    let second = load();
    assert_eq!((memory.read_count(), memory.rendered_count(), memory.compiled_count()), (0, 0, 0));
    assert_eq!(first.revision, second.revision);
    // What another load did not ask for is forgotten.
    let other = small();
    let loaded = siteserver::site::load_again(&other.path().join("site.toml"), &[], &Environment::default(), &memory);
    assert!(loaded.site.is_some());
    load();
    assert!(memory.read_count() > 20 && memory.rendered_count() > 5);
}
