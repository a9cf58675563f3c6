//! Addresses of scripts into which a page prints what its visitor chooses: whoever makes a link chooses which script of the site runs.
//!
//! One of a few values, or a number, chooses among what the author has listed.

use super::code;
use crate::diagnostic::{Files, Finding, Findings, Place};
use crate::render::{Layout, Root, Segment};
use crate::site::{Outline, RouteOutline};

/// First words whose values a visitor chooses.
const OF_VISITORS: [&str; 6] = ["cookies", "form", "params", "query", "request", "user"];

pub(super) fn check(site: &Outline, files: &Files, findings: &mut Findings) {
    let mut told: Vec<Place> = Vec::new();
    for route in &site.routes {
        for layout in route.layouts.iter().flatten().filter_map(|name| site.library.get(name)) {
            for (place, mut roots) in layout.script_addresses() {
                let written = files.snippet(place);
                if !told.contains(&place) && roots.any(|root| is_chosen(root, written, layout, route)) {
                    told.push(place);
                    let message = format!("`{written}` lets a visitor choose which script runs");
                    findings.push(Finding::new(&code::SCRIPT_ADDRESS, place, message));
                }
            }
        }
    }
}

/// Whether a value below `root` that goes into what is `written` may be any text of a visitor's.
fn is_chosen(root: &Root, written: &str, layout: &Layout, route: &RouteOutline) -> bool {
    let name = &*root.name;
    if !OF_VISITORS.contains(&name) {
        return false;
    }
    let is_named = |key: &str| written.contains(&format!("{name}.{key}"));
    let keys: Vec<&str> = layout
        .reads()
        .iter()
        .filter(|read| layout.roots().get(read.root).is_some_and(|known| known.name == root.name))
        .filter_map(|read| if let Some(Segment::Key(key)) = read.segments.first() { Some(&**key) } else { None })
        .collect();
    let is_direct = keys.iter().any(|key| is_named(key));
    let is_narrow = |key: &str| match name {
        "request" => matches!(key, "language" | "method"),
        _ => route.narrow.iter().any(|(of, narrow)| *of == name && narrow == key),
    };
    keys.is_empty() || keys.iter().any(|key| (!is_direct || is_named(key)) && !is_narrow(key))
}
