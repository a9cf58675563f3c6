//! Absolute URLs in a site that does not say where it is.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::Outline;

pub(super) fn check(site: &Outline, _files: &Files, findings: &mut Findings) {
    if site.says_url {
        return;
    }
    for layout in site.library.names().filter_map(|name| site.library.get(name)) {
        for place in layout.absolute_urls() {
            findings.push(
                Finding::new(&code::NEEDS_SITE_URL, *place, "`absolute_url` in a site without `site.url`")
                    .help("say where the site is seen, in site.toml: [site] url = \"https://example.com\""),
            );
        }
    }
}
