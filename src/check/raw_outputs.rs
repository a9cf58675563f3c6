//! Outputs that `| raw` keeps from being escaped: allowed, and listed, because each is a promise that its data is markup.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::Outline;

pub(super) fn check(site: &Outline, files: &Files, findings: &mut Findings) {
    for layout in site.library.names().filter_map(|name| site.library.get(name)) {
        for place in layout.raw_outputs() {
            let message = format!("`{}` is printed as it comes", files.snippet(*place));
            findings.push(
                Finding::new(&code::RAW_OUTPUT, *place, message)
                    .help("whoever writes this value can write scripts into the page: sure of it?"),
            );
        }
    }
}
