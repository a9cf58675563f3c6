//! `content/reference/`: held to what declares it. `UPDATE=1 cargo test --test main reference` writes it anew.

use crate::documentation;
use siteserver::cli::reference;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

crate::cases!(the_reference_says_what_is_declared, every_mend_that_is_shown_is_accepted);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder, by their names without extension.
fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    folder.read_dir().into_iter().flatten().flatten().filter_map(|entry| stem(entry.path())).collect()
}

fn the_reference_says_what_is_declared() {
    let folder = root().join("content/reference");
    let mut different = Vec::new();
    let pages = reference::pages();
    assert!(pages.len() > 10, "only {} pages", pages.len());
    for (place, page) in pages.iter().enumerate() {
        let path = folder.join(page.name).with_extension("md");
        if fs::read_to_string(&path).unwrap_or_default() == page.text(place) {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&path, page.text(place)).expect("a file");
        } else {
            different.push(page.name);
        }
    }
    assert!(different.is_empty(), "these pages say otherwise (UPDATE=1 writes them anew): {different:?}");
    let declared: BTreeSet<String> = pages.iter().map(|page| page.name.to_owned()).collect();
    assert_eq!(names(&folder), declared, "a page that nothing declares, or none for one that is");
}

fn every_mend_that_is_shown_is_accepted() {
    let page = reference::pages().into_iter().find(|page| page.name == "findings").expect("the findings");
    let labelled = |block: &&str| {
        block.starts_with("# site.toml") || block.starts_with("# routes/") || block.starts_with("# in a route")
    };
    let mut seen = 0;
    for block in page.body.split("\n```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next()).filter(labelled) {
        documentation::accepted(&format!("\n```toml\n{block}\n```\n"));
        seen += 1;
    }
    assert!(seen > 10, "only {seen} examples were found");
}
