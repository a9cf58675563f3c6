//! Layouts that say they are written in another encoding than the one that everything is sent in.

use super::code;
use crate::diagnostic::{Files, Finding, Findings, Place};
use crate::site::Outline;

pub(super) fn check(site: &Outline, _files: &Files, findings: &mut Findings) {
    let mut told: Vec<Place> = Vec::new();
    for layout in site.library.names().filter_map(|name| site.library.get(name)) {
        for (file, range) in layout.needs().false_encodings() {
            let place = Place::new(file, range);
            if !told.contains(&place) {
                told.push(place);
                findings.push(Finding::new(&code::FALSE_ENCODING, place, "this page is sent in UTF-8"));
            }
        }
    }
}
