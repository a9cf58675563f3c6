//! The findings, area by area, with their documentation.

use super::Page;
use crate::cli::catalogue;
use crate::report::prose;
use std::fmt::Write as _;

pub(super) fn page() -> Page {
    let mut body = String::from(
        "What can be wrong in a site. Errors keep it from serving; warnings and notes do not. `siteserver check` finds all of them at once, \
         each with its place and with what to write instead; `siteserver check --explain CODE` says what is said here.\n\n",
    );
    let mut area = "";
    for code in catalogue::all() {
        let own = code.name.split('/').next().unwrap_or_default();
        if own != area {
            write!(body, "## {own}\n\n").unwrap_or_default();
            area = own;
        }
        let id = code.name.replace('/', "-");
        write!(body, "### `{}` {{#{id}}}\n\n*{}.* {}\n\n", code.name, capital(code.level.name()), prose(code.docs))
            .unwrap_or_default();
    }
    Page {
        name: "findings",
        title: "Findings",
        description: "Everything that check can find: what it means, why it is a rule, how to mend it.",
        body,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
