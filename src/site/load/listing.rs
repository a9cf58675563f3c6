//! What the operations of a source's list read: fields of its items, what is looked for, and the query value that says which page.

use super::super::inputs::QueryInput;
use super::scope::{Reads, Scope, follow};
use crate::config::Template;
use crate::diagnostic::{Finding, Findings};
use crate::router::Kind;
use crate::source::{LIST_PAGE, LIST_SEARCH, Source};

/// Finds fields that no item has, and pages that are not counted; what URLs of other pages are made of is read.
pub(super) fn check(source: &Source, scope: &Scope<'_>, reads: &mut Reads, findings: &mut Findings) {
    let Some(listing) = &source.listing else { return };
    for (keys, place) in listing.item_reads() {
        follow(&source.item, "item", &keys, place, findings);
    }
    for words in listing.searched().into_iter().flat_map(Template::references) {
        let is_sought = |name: &str| words.root == "query" && words.keys.first().is_some_and(|key| key == name);
        let is_several = |input: &&QueryInput| is_sought(&input.name) && input.repeat.is_some();
        if let Some(input) = scope.query.iter().find(is_several) {
            let message = format!("`query.{}` is a list, and a text is looked for", input.name);
            let help = format!("leave `repeat` out: [query.{}] max-length = 100", input.name);
            findings.push(Finding::new(&LIST_SEARCH, words.place, message).help(help));
        }
    }
    let Some(page) = listing.page() else { return };
    let is_page = |name: &str| page.keys.first().is_some_and(|key| key == name);
    let Some(input) = scope.query.iter().find(|input| is_page(&input.name)) else { return };
    let counted = input.kind.kind() == Kind::Int && input.repeat.is_none();
    if !counted {
        let message = format!("`query.{}` is no integer, and pages are counted", input.name);
        findings.push(
            Finding::new(&LIST_PAGE, page.place, message)
                .help(format!("[query.{}] type = \"int\", min = 1, default = 1", input.name)),
        );
    }
    // The neighbours' URLs keep the other query values.
    for other in scope.query {
        reads.query.entry(other.name.to_string()).or_insert(page.place);
    }
}
