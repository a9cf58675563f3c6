//! `siteserver schema`, held to an independent validator: what the product accepts is valid, and mistakes are not.

use crate::support::site::{Folder, binary};
use jsonschema::Validator;
use serde_json::Value;
use siteserver::config::{MatterKind, read_toml, read_yaml, split_front_matter};
use siteserver::diagnostic::{Files, Findings};
use siteserver::report;
use siteserver::site::Declaration;
use siteserver::value::write_json;
use std::fs;
use std::path::{Path, PathBuf};

crate::cases!(
    every_schema_is_one,
    our_own_sites_are_valid,
    every_good_case_is_valid,
    every_example_of_the_documentation_is_valid,
    mistakes_of_form_are_refused,
    every_case_of_a_wrong_form_is_refused,
    one_schema_is_printed_and_all_are_written,
    settings_of_editors_are_not_overwritten,
);

/// The validators of all kinds of files.
pub(crate) struct Validators(Vec<(Declaration, Validator)>);

impl Validators {
    pub(crate) fn new() -> Self {
        let compile = |of: Declaration| {
            let schema: Value = serde_json::from_str(&report::schema(of)).expect("JSON");
            (of, jsonschema::draft202012::new(&schema).expect("a schema"))
        };
        Self(Declaration::ALL.map(compile).into())
    }

    /// What is wrong with the declaration of a kind.
    fn complaints(&self, of: Declaration, instance: &Value) -> Vec<String> {
        let validator = self.0.iter().find(|(known, _)| *known == of).map(|(_, validator)| validator).expect("a kind");
        let said = validator.iter_errors(instance);
        said.map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// What is wrong with the files of a site.
    pub(crate) fn complaints_of(&self, root: &Path) -> (usize, Vec<String>) {
        let mut seen = 0;
        let mut all = Vec::new();
        for path in files(root) {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let Some((of, instance)) = declaration(&name, &text) else { continue };
            seen += 1;
            all.extend(self.complaints(of, &instance).into_iter().map(|said| format!("{name}{said}")));
        }
        (seen, all)
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The declaration that a file of a site holds, as JSON.
fn declaration(name: &str, text: &str) -> Option<(Declaration, Value)> {
    let toml = |range: std::ops::Range<usize>| {
        let (mut files, mut findings) = (Files::default(), Findings::default());
        let file = files.add(name, text);
        let table = read_toml(file, range, &files, &mut findings);
        findings.is_empty().then(|| json(&table.to_value()))
    };
    let is_toml = Path::new(name).extension().is_some_and(|extension| extension == "toml");
    let folder = name.split('/').next().unwrap_or_default();
    let of = match folder {
        "site.toml" => Declaration::Site,
        "routes" if name.ends_with("_section.toml") => Declaration::Section,
        "routes" if is_toml => Declaration::Route,
        "layouts" => Declaration::Layout,
        "content" if !is_toml => Declaration::FrontMatter,
        _ => return None,
    };
    if is_toml {
        return Some((of, toml(0..text.len())?));
    }
    let (kind, range) = split_front_matter(text).ok()?.matter?;
    let instance = match kind {
        MatterKind::Toml => toml(range)?,
        MatterKind::Yaml => json(&read_yaml(text, range).ok()?.values.into()),
    };
    Some((of, instance))
}

fn json(value: &siteserver::value::Value) -> Value {
    let mut text = String::new();
    write_json(value, &mut text);
    serde_json::from_str(&text).expect("JSON")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn every_schema_is_one() {
    for of in Declaration::ALL {
        let schema: Value = serde_json::from_str(&report::schema(of)).expect("JSON");
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{of:?}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

fn our_own_sites_are_valid() {
    let validators = Validators::new();
    let examples = root().join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut all = 0;
    for site in examples.chain([root().to_owned(), root().join("benches/site")]) {
        let folder = Folder::copy_of_site(&site);
        let (seen, complaints) = validators.complaints_of(folder.path());
        assert!(complaints.is_empty(), "{}: {complaints:#?}", site.display());
        all += seen;
    }
    assert!(all > 40, "only {all} declarations were found");
}

/// The cases of findings: each archive's site, and what is said of it.
fn cases() -> Vec<(PathBuf, Folder, String)> {
    let mut cases = Vec::new();
    for path in files(&root().join("tests/cases")) {
        let text = fs::read_to_string(&path).expect("text");
        let (site, said) = text.split_once("-- expect --\n").expect("an expectation");
        let site = site.find("-- site.toml --").and_then(|at| site.get(at..)).expect("a site");
        let folder = Folder::new();
        folder.unpack(site);
        cases.push((path, folder, said.to_owned()));
    }
    cases
}

fn every_good_case_is_valid() {
    let validators = Validators::new();
    let mut good = 0;
    for (path, folder, said) in cases() {
        if !said.contains(" error[") {
            let (_, complaints) = validators.complaints_of(folder.path());
            assert!(complaints.is_empty(), "{}: {complaints:#?}", path.display());
            good += 1;
        }
    }
    assert!(good > 15, "only {good} cases are good");
}

/// The codes of findings about the form of a declaration, which a schema can see as well.
const OF_FORM: [&str; 5] =
    ["config/unknown-key", "config/wrong-type", "config/bare-number", "config/bad-value", "config/out-of-range"];

fn every_case_of_a_wrong_form_is_refused() {
    let validators = Validators::new();
    let mut wrong = 0;
    for (path, folder, said) in cases() {
        let finding = said.lines().find(|line| line.contains(" error["));
        let code = finding.and_then(|line| line.split_once('[')?.1.split_once(']')).map(|(code, _)| code);
        // What a media type is, what it means for a layout, which keys need one another, and what a partial may not say that a layout may no
        // schema of ours says.
        let beyond =
            ["media type", "would be markup", "another charset", "neither markup", "not public", "matter of a partial"];
        let is_beyond = |line: &str| beyond.iter().any(|what| line.contains(what));
        let is_of_form = finding.is_some_and(|line| !line.starts_with("--set") && !is_beyond(line));
        if code.is_some_and(|code| OF_FORM.contains(&code)) && is_of_form {
            let (_, complaints) = validators.complaints_of(folder.path());
            assert!(!complaints.is_empty(), "{} is accepted", path.display());
            wrong += 1;
        }
    }
    assert!(wrong >= 8, "only {wrong} cases are wrong in form");
}

fn every_example_of_the_documentation_is_valid() {
    let validators = Validators::new();
    let mut seen = 0;
    for page in files(&root().join("content")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(&page).expect("text");
        for block in text.split("\n```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next()) {
            let label = block.lines().next().unwrap_or_default();
            let name = label.trim_start_matches("# ").split([' ', ':']).next().unwrap_or_default();
            let name = if label.starts_with("# in a route") { "routes/part.toml" } else { name };
            let Some((of, instance)) = declaration(name, block) else { continue };
            let complaints = validators.complaints(of, &instance);
            assert!(complaints.is_empty(), "{}: {complaints:#?} in\n{block}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} examples were found");
}

fn mistakes_of_form_are_refused() {
    let validators = Validators::new();
    for (name, right, wrong) in [
        ("site.toml", "[site]\nname = \"a\"", "[site]\nnmae = \"a\""),
        ("site.toml", "[site]\nname = \"a\"", "[site]\nname = 1"),
        ("site.toml", "[upstreams.a]\nbase-url = \"http://a\"", "[upstreams.a]\ntimeout = \"1s\""),
        ("routes/a.toml", "content = false\nredirect = \"/b\"", "json = {}\nredirect = \"/b\""),
        ("routes/a.toml", "content = \"a.md\"", "content = \"a.md\"\nfiles = \"a\""),
        ("routes/_section.toml", "json = { a = 1 }", "json = { a = \"{b\" }"),
        ("routes/a.toml", "json = [1, \"{a}\", { b = [true] }]", "json = [\"{a\"]"),
        (
            "routes/a.toml",
            "json = { each = \"{a.b}\", fields = { c = { each = \"{item.d}\", fields = \"{item}\" } } }",
            "json = { each = \"a.b\", fields = { c = 1 } }",
        ),
        (
            "routes/a.toml",
            "json.x = [{ each = \"{a}\", fields = { b = 1 } }]",
            "json.x = [{ each = \"{a}\", fields = { b = 1 }, c = 2 }]",
        ),
        ("routes/a.toml", "json = { each = 1, items = [] }", "json = { each = 1, fields = {} }"),
        ("routes/a.toml", "rules = [{ if = \"a\", then = { status = 404 } }]", "rules = [{ if = \"a\" }]"),
        ("content/a.md", "+++\ndate = 2026-01-02\nupdated = \"2026-01-03\"\n+++\n", "+++\nupdated = 2026\n+++\n"),
        ("content/a.md", "---\ndate: 2026-01-02\n---\n", "---\ndate: tomorrow\n---\n"),
        ("site.toml", "[server]\nlisten = [\"127.0.0.1:1\"]", "[server]\nlisten = \"127.0.0.1:1\""),
        ("site.toml", "[limits]\nidle = \"5s\"", "[limits]\nidle = 5"),
        ("site.toml", "[limits]\nidle = \"1h30m\"", "[limits]\nidle = \"5 seconds\""),
        ("site.toml", "[limits]\nmemory-store = \"64MiB\"", "[limits]\nmemory-store = \"64M\""),
        ("site.toml", "[server]\nworkers = 2", "[server]\nworkers = 0"),
        ("site.toml", "[log]\nformat = \"json\"", "[log]\nformat = \"xml\""),
        ("site.toml", "[defaults.cache]\nno-store = true", "[defaults.cache]\nnostore = true"),
        ("site.toml", "[upstreams.a]\nbase-url = \"http://a\"", "[upstreams.a]\nbaseurl = \"http://a\""),
        ("routes/a.toml", "layout = \"a.html\"", "layuot = \"a.html\""),
        ("routes/a.toml", "status = 404", "status = \"404\""),
        ("routes/a.toml", "title = \"{a.b}\"", "title = \"{{ a.b }}\""),
        ("routes/a.toml", "path = [\"/a\", \"/b\"]", "path = [1]"),
        ("routes/a.toml", "json = { a = \"{b}\", c = [1, true] }", "json = { a = \"{b\" }"),
        ("routes/a.toml", "sources.a = { url = \"http://a\" }", "sources.a = { ulr = \"http://a\" }"),
        ("routes/a.toml", "sources.a = false", "sources.a = true"),
        ("routes/a.toml", "sources.a.on-error = \"omit\"", "sources.a.on-error = \"ommit\""),
        (
            "routes/a.toml",
            "sources.a.on-unauthorized = { redirect = \"/\" }",
            "sources.a.on-unauthorized = { to = \"/\" }",
        ),
        ("routes/a.toml", "sources.a.retries = 10", "sources.a.retries = 11"),
        ("routes/a.toml", "sources.a.extract = \"$.a\"", "sources.a.extract = \".a\""),
        (
            "routes/a.toml",
            "sources.a.extract.b = { select = \"$.b\", type = \"int\" }",
            "sources.a.extract.b = { select = \"$.b\", type = \"integer\" }",
        ),
        (
            "routes/a.toml",
            "sources.a.extract.b = { each = \"$[*]\", fields = { c = { each = \"$[*]\", fields = { d = \"$\" } } } }",
            "sources.a.extract.b = { each = \"$[*]\", fields = { c = { each = \"$[*]\", fields = { d = 1 } } } }",
        ),
        ("routes/a.toml", "sources.a.query = { a = [1, \"b\"] }", "sources.a.query = { a = { b = 1 } }"),
        ("routes/a.toml", "query.a = { type = \"int\", min = 1 }", "query.a = { type = \"int\", min = \"1\" }"),
        ("routes/a.toml", "cookies.a.enum = [\"x\"]", "cookies.a.typ = \"int\""),
        ("routes/a.toml", "rules = [{ if = \"a\", then = { status = 404 } }]", "rules = [{ when = \"a\" }]"),
        ("routes/a.toml", "rules = false", "rules = true"),
        ("routes/_section.toml", "deadline = \"2s\"", "deadline = 2"),
        ("layouts/a.html", "+++\nescape = \"none\"\n+++\n", "+++\nescape = \"all\"\n+++\n"),
        ("content/a.md", "+++\ntitle = \"a\"\nmine = 1\n+++\n", "+++\ntitle = 1\n+++\n"),
    ] {
        let complaints = |text: &str| {
            let (of, instance) = declaration(name, text).unwrap_or_else(|| panic!("{text}"));
            validators.complaints(of, &instance)
        };
        assert_eq!(complaints(right), Vec::<String>::new(), "{right}");
        assert!(!complaints(wrong).is_empty(), "{wrong} is accepted");
    }
}

fn one_schema_is_printed_and_all_are_written() {
    for of in Declaration::ALL {
        let output = binary().args(["schema", of.name()]).output().expect("the binary");
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), report::schema(of));
    }
    let output = binary().arg("schema").output().expect("the binary");
    assert_eq!(output.status.code(), Some(2), "which one is not said");
    let folder = Folder::new();
    folder.write("site.toml", "");
    let output = binary().current_dir(folder.path()).args(["schema", "--write"]).output().expect("the binary");
    assert!(output.status.success(), "{output:?}");
    for of in Declaration::ALL {
        let path = folder.path().join(format!(".siteserver/{}.schema.json", of.name()));
        assert_eq!(fs::read_to_string(path).expect("a schema"), report::schema(of));
    }
    let settings = fs::read_to_string(folder.path().join(".taplo.toml")).expect("settings");
    for path in settings.split('"').filter(|text| text.contains(".schema.")) {
        assert!(folder.path().join(path).exists(), "{path}");
    }
    let output = binary().current_dir(folder.path()).arg("check").output().expect("the binary");
    assert!(output.status.success(), "what was written is no part of the site");
}

fn settings_of_editors_are_not_overwritten() {
    let folder = Folder::new();
    folder.write("site.toml", "");
    folder.write(".taplo.toml", "# mine\n");
    let output = binary().current_dir(folder.path()).args(["schema", "--write"]).output().expect("the binary");
    assert!(output.status.success());
    assert_eq!(fs::read_to_string(folder.path().join(".taplo.toml")).expect("settings"), "# mine\n");
    assert!(String::from_utf8_lossy(&output.stdout).contains("[[rule]]"), "{output:?}");
    let again = Folder::new();
    again.write("site.toml", "");
    for _ in 0..2 {
        let output = binary().current_dir(again.path()).args(["schema", "--write"]).output().expect("the binary");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("[[rule]]"), "they hold the rules: {output:?}");
    }
}
