//! The house rules that no compiler checks: floors, file heads, file sizes, reasons for dependencies.

use std::fs;
use std::path::{Path, PathBuf};

crate::cases!(
    imports_point_down,
    every_file_says_what_it_is,
    no_file_outgrows_a_screenful_of_screens,
    the_handler_reads_time_at_its_clock,
    every_dependency_has_a_reason
);

/// From the ground up. A module may import from lower floors only, and not from its neighbours.
const FLOORS: &[&[&str]] = &[
    &["value"],
    &["diagnostic", "fields", "highlight", "starter"],
    &["config", "explanation"],
    &["router", "submission", "upstream", "extract", "render", "search", "cache", "identity"],
    &["source"],
    &["resource"],
    &["site"],
    &["handler", "check", "report"],
    &["server"],
    &["dev"],
    &["cli"],
];

/// Longer files hide a seam.
const LONGEST: usize = 900;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn imports_point_down() {
    let source = root().join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&source) {
        let relative = path.strip_prefix(&source).expect("below src").to_path_buf();
        let module = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        if relative.components().count() == 1 {
            continue;
        }
        let floor = floor_of(&module).unwrap_or_else(|| panic!("src/{module} is on no floor"));
        let text = fs::read_to_string(&path).expect("readable");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for mention in code.split("crate::").skip(1) {
                let name: String = mention.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if name != module && floor_of(&name).is_some_and(|other| other >= floor) {
                    wrong.push(format!("src/{}:{}: {module} imports {name}", relative.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports point down only:\n{}", wrong.join("\n"));
}

fn every_file_says_what_it_is() {
    let mut silent = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for path in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("readable");
            if !text.starts_with("//! ") {
                silent.push(path);
            }
        }
    }
    assert!(silent.is_empty(), "files without a `//!` head: {silent:?}");
}

fn no_file_outgrows_a_screenful_of_screens() {
    for path in rust_files(&root().join("src")) {
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines: is there a seam?", path.display());
    }
}

/// What is stored must live by the clock that tests step, and waits by the one that they cannot: who writes `now` has to say which.
fn the_handler_reads_time_at_its_clock() {
    let folder = root().join("src/handler");
    let mut elsewhere = Vec::new();
    for path in rust_files(&folder) {
        // In tests a moment is any moment.
        if path.ends_with("clock.rs") || path.iter().any(|part| part == "tests" || part == "tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for (number, line) in code.lines().enumerate() {
            if ["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"]
                .iter()
                .any(|door| line.contains(door))
            {
                elsewhere.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(elsewhere.is_empty(), "`clock` has both clocks, each with its name:\n{}", elsewhere.join("\n"));
}

fn every_dependency_has_a_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    let mut section = "";
    let mut before = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies]") && line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# "), "no reason is given above `{line}`");
        }
        before = line;
    }
}
