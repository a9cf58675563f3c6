//! Layouts that no route uses, and partials that no layout calls.

use super::code;
use crate::diagnostic::{FileId, Files, Finding, Findings, Place};
use crate::render::Layout;
use crate::resource::{Linked, Resource};
use crate::site::{ErrorPages, Route, Site, Then};
use std::collections::HashSet;

pub(super) fn check(site: &Site, files: &Files, findings: &mut Findings) {
    let of_routes = site.routes.iter().flat_map(layouts_of).flat_map(Layout::files);
    let errors = site.routes.iter().map(|route| &route.errors).chain(site.errors.all());
    let of_errors = errors.flat_map(ErrorPages::iter).flat_map(|page| page.files.iter());
    let used: HashSet<FileId> = of_routes.chain(of_errors).copied().collect();
    for layout in site.library.names().filter_map(|name| site.library.get(name)) {
        // The first file of a layout is its own.
        if let Some(file) = layout.files().first().filter(|file| !used.contains(file)) {
            let message = format!("no route uses the layout `{}`", layout.name());
            findings.push(
                Finding::new(&code::UNUSED_LAYOUT, Place::new(*file, 0..0), message)
                    .help("name it in a route: layout = \"…\", or remove the file"),
            );
        }
    }
    for name in site.library.unused_partials() {
        let message = format!("no layout calls the partial `{name}`");
        let finding = match files.find(&format!("layouts/{name}")) {
            Some(file) => Finding::new(&code::UNUSED_LAYOUT, Place::new(file, 0..0), message),
            None => Finding::anywhere(&code::UNUSED_LAYOUT, message),
        };
        findings.push(finding.help("call it: {% render \"…\" %}, or remove the file"));
    }
}

/// The layouts that a route answers with, besides those of its error pages.
fn layouts_of(route: &Route) -> impl Iterator<Item = &Layout> {
    let page = match &route.resource {
        Resource::Page(linked) => std::slice::from_ref(linked),
        Resource::Document(document) => document.layout.as_slice(),
        Resource::Tree(tree) => &tree.layouts,
        Resource::Files(_) | Resource::Json(_) | Resource::Redirect(_) => &[],
    };
    let of_rules = route.rules.iter().filter_map(|rule| match &rule.then {
        Then::Layout { layout, .. } => Some(layout),
        Then::Redirect { .. } | Then::Status(_) => None,
    });
    page.iter().chain(of_rules).map(|Linked { layout, .. }| &**layout)
}
