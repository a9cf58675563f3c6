//! Rules about a whole site: what no single declaration shows.
//!
//! Findings on the [`Outline`] of a site; nothing here changes one, and nothing here is needed to serve it. What makes a site impossible to
//! serve is found by the floor that compiles it. Rules see sites with mistakes, too, and say only what is true whatever the mistakes are:
//! see [`Certainty`](crate::site::Certainty).
//!
//! A new rule is a file with its function, its code in `code.rs` with documentation, and a line of the table.

mod absolute_urls;
mod code;
mod encodings;
mod private_addresses;
mod raw_outputs;
mod redirects;
mod script_addresses;
mod unused_layouts;
mod unused_upstreams;
mod written_secrets;

pub use code::CODES;

use crate::diagnostic::{Files, Findings};
use crate::site::{Draft, Outline};

/// What a rule looks at, and where it tells what it found.
type Rule = fn(&Outline, &Files, &mut Findings);

/// Every rule.
const RULES: [Rule; 9] = [
    absolute_urls::check,
    encodings::check,
    unused_layouts::check,
    unused_upstreams::check,
    private_addresses::check,
    redirects::check,
    raw_outputs::check,
    script_addresses::check,
    written_secrets::check,
];

/// Applies every rule to the draft of a site, and adds what they find to what is found.
pub fn check(draft: &mut Draft) {
    let Draft { findings, files, outline } = draft;
    for rule in RULES {
        if let Some(outline) = outline {
            rule(outline, files, findings);
        }
    }
}
