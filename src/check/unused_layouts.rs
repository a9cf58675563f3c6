//! Layouts that no route uses, and partials that no layout calls.

use super::code;
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, suggest};
use crate::site::Outline;
use std::collections::HashSet;

pub(super) fn check(site: &Outline, files: &Files, findings: &mut Findings) {
    if site.known.declarations && site.known.nesting && site.routes.iter().all(|route| route.layouts.is_some()) {
        layouts(site, findings);
    }
    if site.known.partials {
        partials(site, files, findings);
    }
}

fn layouts(site: &Outline, findings: &mut Findings) {
    let library = &site.library;
    let named = site.routes.iter().flat_map(|route| route.layouts.iter().flatten()).chain(&site.section_layouts);
    let named: HashSet<&str> = named.map(String::as_str).collect();
    // A misspelt name has a finding of its own, and the layout that it means is used.
    let meant = |name: &str| library.get(name).or_else(|| library.get(suggest(name, library.names())?));
    let used: HashSet<FileId> =
        named.into_iter().filter_map(meant).flat_map(|layout| layout.files()).copied().collect();
    for layout in library.names().filter_map(|name| library.get(name)) {
        // The first file of a layout is its own.
        if let Some(file) = layout.files().first().filter(|file| !used.contains(file)) {
            let message = format!("no route uses the layout `{}`", layout.name());
            findings.push(
                Finding::new(&code::UNUSED_LAYOUT, Place::new(*file, 0..0), message)
                    .help("name it in a route: layout = \"…\", or remove the file"),
            );
        }
    }
}

fn partials(site: &Outline, files: &Files, findings: &mut Findings) {
    for name in site.library.unused_partials() {
        let message = format!("no layout calls the partial `{name}`");
        let finding = match files.find(&format!("layouts/{name}")) {
            Some(file) => Finding::new(&code::UNUSED_LAYOUT, Place::new(file, 0..0), message),
            None => Finding::anywhere(&code::UNUSED_LAYOUT, message),
        };
        findings.push(finding.help("call it: {% render \"…\" %}, or remove the file"));
    }
}
