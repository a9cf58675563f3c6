//! The value of a secret in a file of the site: what is made of that file is not sent.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::Outline;

/// Names the line, and points at nothing: what is drawn of a place is what stands there.
pub(super) fn check(outline: &Outline, files: &Files, findings: &mut Findings) {
    let tripwire = &outline.site().tripwire;
    for file in files.ids() {
        let text = files.text(file);
        if tripwire.find(text.as_bytes()).is_none() {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            if let Some(name) = tripwire.find(line.as_bytes()) {
                let message = format!("the value of `{name}` is written in `{}`, line {}", files.name(file), at + 1);
                findings.push(Finding::anywhere(&code::WRITTEN_SECRET, message));
            }
        }
    }
}
