//! Links between documents: written as paths of files, which editors and forges follow, and served as URLs.

use super::super::super::code::BROKEN_LINK;
use super::{Address, Shared, is_markdown};
use crate::diagnostic::{Finding, Place, did_you_mean};
use crate::extract::markdown::Link;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// The links of one document.
pub(super) struct Links<'d> {
    folder: &'d str,
    origin: Option<&'d str>,
    addresses: &'d BTreeMap<String, Address>,
    broken: RefCell<Vec<Broken>>,
}

/// A link that leads to no document.
pub(super) struct Broken {
    /// Its bytes in the document's text.
    pub(super) range: Range<usize>,
    destination: String,
    help: Option<String>,
}

impl<'d> Links<'d> {
    pub(super) fn new(path: &'d str, shared: &'d Shared<'_>) -> Self {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let addresses = &shared.documents.addresses;
        let origin = addresses.get(path).and_then(|own| own.origin.as_deref());
        Self { folder, origin, addresses, broken: RefCell::default() }
    }

    /// The URL of the document that a link names; `None` for any other link.
    pub(super) fn resolve(&self, link: &Link) -> Option<String> {
        let end = link.destination.find(['?', '#']).unwrap_or(link.destination.len());
        let (path, rest) = link.destination.split_at_checked(end)?;
        if !is_markdown(path) || path.starts_with('/') || path.contains(':') {
            return None;
        }
        let target = joined(self.folder, path);
        let address = target.as_deref().and_then(|target| self.addresses.get(target));
        if address.is_none() {
            let help = target.as_deref().and_then(|target| self.neighbour_of(target));
            let broken = Broken { range: link.range.clone(), destination: link.destination.clone(), help };
            self.broken.borrow_mut().push(broken);
        }
        // What is on another host needs its whole URL.
        let Address { origin, path } = address?;
        let origin = origin.as_deref().filter(|origin| self.origin.is_some_and(|own| own != *origin));
        Some(format!("{}{path}{rest}", origin.unwrap_or_default()))
    }

    /// The document beside `target` that was probably meant, as it is seen from there.
    fn neighbour_of(&self, target: &str) -> Option<String> {
        let (folder, name) = target.rsplit_once('/').unwrap_or(("", target));
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.addresses.range(prefix.clone()..).map_while(|(path, _)| path.strip_prefix(&prefix));
        did_you_mean(name, below.filter(|name| !name.contains('/')))
    }

    pub(super) fn into_broken(self) -> Vec<Broken> {
        self.broken.into_inner()
    }
}

impl Broken {
    pub(super) fn finding(self, place: Place) -> Finding {
        let message = format!("`{}` is no document that a route serves", self.destination);
        Finding::new(&BROKEN_LINK, place, message).maybe_help(self.help)
    }
}

/// The path that `path` is, seen from `folder`; `None` if it leads out of `content/`.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            other => segments.push(other),
        }
    }
    Some(segments.join("/").replace("%20", " "))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn paths_are_followed_from_their_folder() {
        for (folder, path, expected) in [
            ("", "a.md", Some("a.md")),
            ("docs", "a.md", Some("docs/a.md")),
            ("docs/x", "../a.md", Some("docs/a.md")),
            ("docs/x", "./y/../a%20b.md", Some("docs/x/a b.md")),
            ("docs", "../../a.md", None),
        ] {
            assert_eq!(joined(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }
}
