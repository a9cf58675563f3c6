//! The value of a secret in a file of the site, or in the address of the site: what is made of it is not sent.

use super::code;
use crate::config::Tripwire;
use crate::diagnostic::{Files, Finding, Findings, Level};
use crate::site::Outline;

/// Names the line, and points at nothing: what is drawn of a place is what stands there.
pub(super) fn check(outline: &Outline, files: &Files, findings: &mut Findings) {
    let tripwire = &outline.site().tripwire;
    // It may come from the environment, too, and every page prints it.
    let url = outline.site().url.as_deref().unwrap_or_default();
    for name in tripwire.find_all(url.as_bytes()) {
        let message = format!("the value of `{name}` is in `site.url`, and is sent as a secret elsewhere");
        let help =
            format!("no page that prints the address would be sent; if it is no secret: [env.{name}] public = true");
        findings.push(Finding::anywhere(&code::WRITTEN_SECRET, message).level(level_of(name, tripwire)).help(help));
    }
    for file in files.ids() {
        let text = files.text(file);
        for name in tripwire.find_all(text.as_bytes()) {
            let place = match lines_of(text, name, tripwire) {
                Some((first, 0)) => format!(", line {first}"),
                Some((first, 1)) => format!(", line {first} and one more"),
                Some((first, more)) => format!(", line {first} and {more} more"),
                // It has lines of its own.
                None => String::new(),
            };
            let message = format!("the value of `{name}` is written in `{}`{place}", files.name(file));
            let help = format!(
                "take it out; if it is no secret, it can as well be written where it is sent: `{{env.{name}:…}}` with this value as the default"
            );
            findings.push(Finding::anywhere(&code::WRITTEN_SECRET, message).level(level_of(name, tripwire)).help(help));
        }
    }
}

fn level_of(name: &str, tripwire: &Tripwire) -> Level {
    if tripwire.is_word(name) { Level::Warning } else { Level::Error }
}

/// The number of the first line that holds this secret, and how many others do.
fn lines_of(text: &str, name: &str, tripwire: &Tripwire) -> Option<(usize, usize)> {
    let holds = |line: &str| tripwire.find_all(line.as_bytes()).iter().any(|found| &***found == name);
    let mut lines = text.lines().enumerate().filter(|(_, line)| holds(line)).map(|(at, _)| at + 1);
    let first = lines.next()?;
    Some((first, lines.count()))
}
