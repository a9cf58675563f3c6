//! What a target begins with: the cases, sites, layouts and suites of the repository, and the words of its languages.
//!
//! Nothing of it is kept in the repository: each start of a target writes it anew, where `FUZZ_SEEDS` says.

use siteserver::render::{EXAMPLE_DATA, TAGS, filters};
use siteserver::value::{JsonLimits, Value, parse_json, write_json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer seeds slow the whole run down.
const LONGEST: usize = 16 << 10;

/// Writes the seeds and the dictionary of `target` below the folder that `FUZZ_SEEDS` names: `TARGET/…` and `TARGET.dict`.
pub fn sow(target: &str) {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS").map(PathBuf::from) else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let seeds = match target {
        "config" => sites(&root),
        "placeholder" => strings(&root),
        "path" => paths(&root),
        "layout" | "render" => templates(&root),
        "jsonpath" => selectors(&root),
        "markdown" => texts(&root.join("content"), "md").into_iter().map(|text| format!("{text}\0")).collect(),
        _ => Vec::new(),
    };
    let beside = folder.join(target);
    fs::create_dir_all(&beside).expect("a folder for the seeds");
    for (number, seed) in seeds.iter().filter(|seed| seed.len() <= LONGEST).enumerate() {
        fs::write(beside.join(format!("{number:04}")), seed).expect("a seed");
    }
    fs::write(folder.join(format!("{target}.dict")), dictionary(target, &seeds)).expect("a dictionary");
}

/// The texts of all files below `folder` with this extension.
fn texts(folder: &Path, extension: &str) -> Vec<String> {
    files(folder, extension).into_iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The cases, the site of mistakes, and the examples as archives.
fn sites(root: &Path) -> Vec<String> {
    let mut seeds = texts(&root.join("tests/cases"), "txt");
    for example in fs::read_dir(root.join("examples")).into_iter().flatten().flatten() {
        let mut archive = String::new();
        for extension in ["toml", "html", "xml", "md", "json"] {
            for path in files(&example.path(), extension) {
                let name = path.strip_prefix(example.path()).unwrap_or(&path).display().to_string();
                let text = fs::read_to_string(&path).unwrap_or_default();
                if archive.len() + text.len() < LONGEST {
                    archive.push_str(&format!("-- {name} --\n{}\n", text.trim_end()));
                }
            }
        }
        seeds.push(archive);
    }
    seeds
}

/// The strings with braces in the declarations of the cases and examples.
fn strings(root: &Path) -> Vec<String> {
    let texts = [texts(&root.join("tests"), "txt"), texts(&root.join("examples"), "toml")].concat();
    let strings = texts.iter().flat_map(|text| text.split(['"', '\n'])).filter(|text| text.contains(['{', '}']));
    strings.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Patterns, an empty line, and paths: those of each case together.
fn paths(root: &Path) -> Vec<String> {
    let of_case = |text: &String| {
        let quoted = |text: &str| text.split('"').filter(|text| text.starts_with('/')).collect::<Vec<_>>().join("\n");
        let asked = text.split_whitespace().filter(|word| word.starts_with('/')).collect::<Vec<_>>().join("\n");
        format!("{}\n\n{asked}", quoted(text))
    };
    texts(&root.join("tests"), "txt").iter().map(of_case).collect()
}

/// Layouts, examples of every tag and filter, and the golden templates where `SITESERVER_SUITES` has them: a template, a partial,
/// data.
fn templates(root: &Path) -> Vec<String> {
    let layouts = [texts(&root.join("layouts"), "html"), texts(&root.join("examples"), "html")].concat();
    let tags = TAGS.iter().flat_map(|tag| tag.examples).map(|example| example.template);
    let examples = filters().map(|filter| filter.example).chain(tags).map(str::to_owned);
    let mut seeds: Vec<String> =
        layouts.into_iter().chain(examples).map(|text| format!("{text}\0{{{{ x }}}}\0{EXAMPLE_DATA}")).collect();
    let golden = std::env::var_os("SITESERVER_SUITES").map(|folder| PathBuf::from(folder).join("golden_liquid.json"));
    let golden = golden.and_then(|path| fs::read_to_string(path).ok());
    for case in cases(golden) {
        let partial = case
            .get("templates")
            .and_then(Value::as_object)
            .and_then(|all| all.values().first()?.as_str().map(str::to_owned));
        let template = case.get("template").and_then(Value::as_str).unwrap_or_default();
        seeds.push(format!("{template}\0{}\0{}", partial.unwrap_or_default(), json(case.get("data"))));
    }
    seeds
}

/// A selector and a document.
fn selectors(root: &Path) -> Vec<String> {
    let suites =
        ["cts.json", "newer.json"].map(|name| fs::read_to_string(root.join("tests/suites/jsonpath").join(name)).ok());
    let seed = |case: Value| {
        let selector = case.get("selector").and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{selector}\0{}", json(case.get("document")))
    };
    suites.into_iter().flat_map(cases).map(seed).collect()
}

fn cases(suite: Option<String>) -> Vec<Value> {
    let suite = suite.and_then(|text| parse_json(text, JsonLimits { nodes: 1_000_000 }).ok());
    suite.and_then(|suite| Some(suite.get("tests")?.as_list()?.to_vec())).unwrap_or_default()
}

fn json(value: Option<&Value>) -> String {
    let mut out = String::new();
    write_json(value.unwrap_or(&Value::Null), &mut out);
    out
}

/// Words that stand in the seeds, and those of Liquid.
fn dictionary(target: &str, seeds: &[String]) -> String {
    let mut words: BTreeSet<String> = BTreeSet::new();
    if matches!(target, "config" | "layout" | "render") {
        words.extend(filters().map(|filter| format!("| {}: ", filter.name)));
        words.extend(TAGS.iter().flat_map(|tag| [format!("{{% {} ", tag.name), format!("{{% end{} %}}", tag.name)]));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    for word in seeds.iter().flat_map(|seed| seed.split(|c| !is_part(c))).filter(|word| (3..24).contains(&word.len())) {
        if words.len() < 1500 {
            words.insert(word.to_owned());
        }
    }
    let escaped = |word: &String| format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""));
    words.iter().map(escaped).collect()
}
