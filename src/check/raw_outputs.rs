//! Layouts that escape nothing, and outputs that `| raw` keeps from being escaped: allowed, and listed, because each is a promise that its data is markup. A promise about
//! what a visitor or an upstream sends is told apart: nobody here can keep it.

use super::code;
use crate::diagnostic::{FileId, Files, Finding, Findings, Place};
use crate::site::Outline;

/// First words whose values a visitor chooses.
const OF_VISITORS: [&str; 6] = ["cookies", "form", "params", "query", "request", "user"];

pub(super) fn check(site: &Outline, files: &Files, findings: &mut Findings) {
    let mut told: Vec<Place> = Vec::new();
    for route in &site.routes {
        for layout in route.layouts.iter().flatten().filter_map(|name| site.library.get(name)) {
            for (place, mut roots) in layout.raw_outputs() {
                let outside =
                    |name: &str| OF_VISITORS.contains(&name) || route.untrusted.iter().any(|source| source == name);
                let Some(root) = roots.find(|root| outside(&root.name)).filter(|_| !told.contains(&place)) else {
                    continue;
                };
                told.push(place);
                let (whose, help) = if OF_VISITORS.contains(&&*root.name) {
                    ("a visitor chooses", "take `raw` away: a link to this page could hold a script".to_owned())
                } else {
                    let help = format!(
                        "give the field `type = \"html\"`, which is cleaned and needs no `raw`, or say in [sources.{}]: trust = true",
                        root.name
                    );
                    ("comes from outside", help)
                };
                let message = format!("`{}` prints what {whose} as it comes", files.snippet(place));
                findings.push(Finding::new(&code::RAW_OUTSIDE, place, message).help(help));
            }
        }
    }
    let mut unescaped: Vec<FileId> = Vec::new();
    for layout in site.library.names().filter_map(|name| site.library.get(name)) {
        for &file in layout.unescaped_files() {
            if !unescaped.contains(&file) {
                unescaped.push(file);
                findings.push(Finding::new(
                    &code::UNESCAPED,
                    said_in(file, files),
                    "nothing in this layout is escaped",
                ));
            }
        }
        for (place, _) in layout.raw_outputs() {
            if !told.contains(&place) {
                let message = format!("`{}` is printed as it comes", files.snippet(place));
                findings.push(
                    Finding::new(&code::RAW_OUTPUT, place, message)
                        .help("whoever writes this value can write scripts into the page: sure of it?"),
                );
            }
        }
    }
}

/// Where the front matter of a file says that nothing is escaped.
fn said_in(file: FileId, files: &Files) -> Place {
    let at = files.text(file).find("\nescape").map_or(0, |line| line + 1);
    Place::new(file, at..at + "escape".len())
}
