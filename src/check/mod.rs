//! Rules about a whole site: what no single declaration shows.
//!
//! Findings on a compiled [`Site`]; nothing here changes one, and nothing here is needed to serve it. What makes a site impossible to serve
//! is found by the floor that compiles it.
//!
//! A new rule is a file with its function, its code in `code.rs` with documentation, and a line of the table.

mod absolute_urls;
mod code;
mod private_addresses;
mod raw_outputs;
mod redirects;
mod unused_layouts;
mod unused_upstreams;

pub use code::CODES;

use crate::diagnostic::{Files, Findings};
use crate::site::Site;

/// What a rule looks at, and where it tells what it found.
type Rule = fn(&Site, &Files, &mut Findings);

/// Every rule.
const RULES: [Rule; 6] = [
    absolute_urls::check,
    unused_layouts::check,
    unused_upstreams::check,
    private_addresses::check,
    redirects::check,
    raw_outputs::check,
];

/// Applies every rule to the site; `files` are the texts it was compiled from.
pub fn check(site: &Site, files: &Files, findings: &mut Findings) {
    for rule in RULES {
        rule(site, files, findings);
    }
}
