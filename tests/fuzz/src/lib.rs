//! What the fuzz targets share: inputs of several parts, places that must hold, and a site's folder for each input.

mod folder;
mod seeds;

pub use folder::Folder;
pub use seeds::sow;

use siteserver::diagnostic::{Files, Findings, draw};

/// `data` as a text of `N` parts with a NUL between them; missing parts are empty.
#[must_use]
pub fn parts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut parts = [""; N];
    for (part, text) in parts.iter_mut().zip(std::str::from_utf8(data).ok()?.splitn(N, '\0')) {
        *part = text;
    }
    Some(parts)
}

/// Every place lies within its file, begins and ends with characters, and can be drawn.
pub fn assert_places(findings: &Findings, files: &Files) {
    for finding in findings {
        for place in finding.place.into_iter().chain(finding.related.iter().map(|related| related.place)) {
            assert!(files.text(place.file).get(place.range()).is_some(), "{finding:?}");
        }
        assert!(!draw(finding, files, false).is_empty());
    }
}
