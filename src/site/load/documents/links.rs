//! Links and images of documents: written as paths of files, which editors and forges follow, and served as URLs.
//!
//! What only the whole site can tell, whether a heading or a URL is there, is noted as a [`Claim`] and judged when all is known.

use super::super::super::code::BROKEN_LINK;
use super::claims::{Claim, Claimed};
use super::{Address, Document, Published, Shared, is_markdown};
use crate::config::Tree;
use crate::diagnostic::{FileId, Finding, Place, suggest};
use crate::extract::markdown::Link;
use crate::router::{TrailingSlash, decode};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The links of one document.
pub(super) struct Links<'d> {
    /// Its file below `content/`.
    path: &'d str,
    /// Where its text begins in its file.
    text: (FileId, usize),
    tree: &'d Tree,
    slash: TrailingSlash,
    addresses: &'d BTreeMap<String, Address>,
    various: &'d BTreeMap<String, String>,
    published: &'d [Published],
    read: &'d HashMap<String, Option<Arc<Document>>>,
    noted: RefCell<Noted>,
}

/// What is to be said of the links of a document.
#[derive(Default)]
pub(super) struct Noted {
    /// Links that lead nowhere.
    pub(super) findings: Vec<Finding>,
    /// What is still to be judged.
    pub(super) claims: Vec<Claim>,
}

/// Where the site serves a file.
struct Served<'s> {
    origin: Option<&'s str>,
    path: Cow<'s, str>,
}

/// Why a link leads nowhere, and what to write instead.
struct Nowhere {
    message: String,
    help: Option<String>,
}

impl<'d> Links<'d> {
    pub(super) fn new(path: &'d str, text: (FileId, usize), shared: &'d Shared<'_>) -> Self {
        let documents = &shared.documents;
        Self {
            path,
            text,
            tree: shared.tree,
            slash: shared.slash,
            addresses: &documents.addresses,
            various: &documents.various,
            published: &documents.published,
            read: &documents.read,
            noted: RefCell::default(),
        }
    }

    /// The URL of the file that a link names; `None` leaves it as it is written.
    pub(super) fn resolve(&self, link: &Link) -> Option<String> {
        let end = link.destination.find(['?', '#']).unwrap_or(link.destination.len());
        let (path, rest) = link.destination.split_at_checked(end)?;
        let is_elsewhere = path.starts_with("//") || path.split('/').next().is_some_and(|first| first.contains(':'));
        if is_elsewhere {
            return None;
        }
        let anchor = anchor(rest);
        if path.is_empty() {
            self.claim(link, anchor.map(|anchor| Claimed::Anchor { document: self.path.to_owned(), anchor }));
            return None;
        }
        if path.starts_with('/') {
            let host = self.addresses.get(self.path).and_then(|own| own.host.clone());
            self.claim(link, Some(Claimed::Url { host, path: path.to_owned(), anchor }));
            return None;
        }
        match self.file(path) {
            Ok(file) => {
                let Served { origin, path } = self.served(&file)?;
                self.claim(link, anchor.map(|anchor| Claimed::Anchor { document: file.clone(), anchor }));
                // What is on another host needs its whole URL.
                let own = self.addresses.get(self.path).and_then(|own| own.origin.as_deref());
                let origin = origin.filter(|origin| own.is_some_and(|own| own != *origin));
                Some(format!("{}{path}{rest}", origin.unwrap_or_default()))
            }
            Err(Nowhere { message, help }) => {
                let finding = Finding::new(&BROKEN_LINK, self.place(link), message).maybe_help(help);
                self.noted.borrow_mut().findings.push(finding);
                None
            }
        }
    }

    pub(super) fn into_noted(self) -> Noted {
        self.noted.into_inner()
    }

    fn place(&self, link: &Link) -> Place {
        let (file, start) = self.text;
        Place::new(file, start + link.range.start..start + link.range.end)
    }

    fn claim(&self, link: &Link, claimed: Option<Claimed>) {
        let Some(claimed) = claimed else { return };
        let claim = Claim { place: self.place(link), destination: link.destination.clone(), claimed };
        self.noted.borrow_mut().claims.push(claim);
    }

    /// The file that a path names, which some route serves. The file of a folder is its `index.md`.
    fn file(&self, path: &str) -> Result<String, Nowhere> {
        let Some(target) = joined(folder_of(self.path), path) else {
            let message = format!("`{path}` leads out of `content/`");
            return Err(Nowhere { message, help: Some("link to what is elsewhere by its URL".to_owned()) });
        };
        if self.tree.has_content(&target) && !path.ends_with('/') {
            return if self.served(&target).is_some() { Ok(target) } else { Err(self.unserved(path, &target)) };
        }
        let prefix = if target.is_empty() { target } else { format!("{target}/") };
        let index = format!("{prefix}index.md");
        if self.served(&index).is_some() {
            return Ok(index);
        }
        if self.tree.has_content(&index) {
            return Err(self.unserved(path, &index));
        }
        let is_folder = self.below(&prefix).next().is_some();
        Err(if is_folder {
            let message = format!("`{path}` is a folder without a page of its own");
            Nowhere { message, help: Some(format!("write `content/{index}`, or link to a document of the folder")) }
        } else {
            self.absent(path, prefix.trim_end_matches('/'))
        })
    }

    fn served(&self, file: &str) -> Option<Served<'d>> {
        if let Some(address) = self.addresses.get(file) {
            return Some(Served { origin: address.origin.as_deref(), path: Cow::Borrowed(&address.path) });
        }
        if !self.tree.has_content(file) {
            return None;
        }
        self.published.iter().find_map(|published| {
            let path = Cow::Owned(published.path_of(file, self.slash)?);
            Some(Served { origin: published.origin.as_deref(), path })
        })
    }

    /// A file that is there, and that no route serves.
    fn unserved(&self, path: &str, file: &str) -> Nowhere {
        if let Some(pattern) = self.various.get(file) {
            let message =
                format!("`{path}` has no URL of its own: that of its route, `{pattern}`, has other parameters");
            return Nowhere { message, help: Some("link to a URL, which begins with `/`".to_owned()) };
        }
        let message = format!("no route serves `{path}`");
        let help = if !is_markdown(file) {
            let folder = folder_of(file);
            format!("a route for its folder: path = \"/{folder}/{{*file}}\", files = \"{folder}\"")
        } else if self.read.get(file).and_then(Option::as_ref).is_some_and(|document| document.is_draft()) {
            "it is a draft: the link has to wait, or `draft` to go".to_owned()
        } else {
            format!("write a route for it: content = \"{file}\"")
        };
        Nowhere { message, help: Some(help) }
    }

    /// A file that is not there.
    fn absent(&self, path: &str, target: &str) -> Nowhere {
        if let Some((message, help)) = self.tree.passed_over(target) {
            return Nowhere { message, help: Some(help.to_owned()) };
        }
        let (folder, name) = target.rsplit_once('/').unwrap_or(("", target));
        let written = path.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
        let as_written = |name: &str| if written.is_empty() { name.to_owned() } else { format!("{written}/{name}") };
        let meant = self
            .neighbour(folder, name)
            .map(|name| as_written(&name))
            .or_else(|| self.namesake(name).map(|file| relative(folder_of(self.path), file)));
        let help = meant.map_or_else(
            || "paths begin at the folder of this file; a URL of this site begins with `/`".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        Nowhere { message: format!("`{path}` leads to no file of `content/`"), help: Some(help) }
    }

    /// What is called like `name` in a folder: with `.md`, which browsers do not need and files do, or nearly.
    fn neighbour(&self, folder: &str, name: &str) -> Option<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let document = format!("{name}.md");
        if self.served(&format!("{prefix}{document}")).is_some() {
            return Some(document);
        }
        let names: BTreeSet<&str> = self
            .below(&prefix)
            .filter(|below| below.contains('/') || self.served(&format!("{prefix}{below}")).is_some())
            .filter_map(|below| below.split_inclusive('/').next())
            .collect();
        suggest(name, names).map(str::to_owned)
    }

    /// The one file of this very name anywhere in `content/`.
    fn namesake(&self, name: &str) -> Option<&'d str> {
        let files = self.tree.content.iter().map(|file| file.path.as_str());
        let mut named = files.filter(|path| path.rsplit('/').next() == Some(name) && self.served(path).is_some());
        named.next().filter(|_| named.next().is_none())
    }

    /// The files below a folder, as seen from there.
    fn below<'p>(&self, prefix: &'p str) -> impl Iterator<Item = &'d str> + use<'d, 'p> {
        let files = &self.tree.content;
        let start = files.partition_point(|file| file.path.as_str() < prefix);
        files.iter().skip(start).map_while(move |file| file.path.strip_prefix(prefix))
    }
}

/// What the rest of a URL points to in the page, decoded; `#top` and an empty fragment are its beginning, wherever that is.
fn anchor(rest: &str) -> Option<String> {
    let (_, fragment) = rest.split_once('#')?;
    // A directive for the browser is not part of the name (`#:~:text=`).
    let name = fragment.split(":~:").next().unwrap_or_default();
    (!name.is_empty() && !name.eq_ignore_ascii_case("top")).then(|| decode(name).into_owned())
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path that `path` is, seen from `folder`; `None` if it leads out of `content/`.
fn joined(folder: &str, path: &str) -> Option<String> {
    let path = decode(path);
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            other => segments.push(other),
        }
    }
    Some(segments.join("/"))
}

/// How `file` is written, seen from `folder`.
fn relative(folder: &str, file: &str) -> String {
    let mut from: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    let mut to: Vec<&str> = file.split('/').collect();
    let shared = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    from.drain(..shared);
    to.drain(..shared.min(to.len().saturating_sub(1)));
    format!("{}{}", "../".repeat(from.len()), to.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{anchor, joined, relative};

    #[test]
    fn paths_are_followed_from_their_folder() {
        for (folder, path, expected) in [
            ("", "a.md", Some("a.md")),
            ("docs", "a.md", Some("docs/a.md")),
            ("docs", "../", Some("")),
            ("docs", "gr%C3%B6%C3%9Fe.md", Some("docs/größe.md")),
            ("docs/x", "../a.md", Some("docs/a.md")),
            ("docs/x", "./y/../a%20b.md", Some("docs/x/a b.md")),
            ("docs", "../../a.md", None),
        ] {
            assert_eq!(joined(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }

    #[test]
    fn a_path_is_written_from_a_folder() {
        for (folder, file, expected) in
            [("", "a.md", "a.md"), ("a", "a/b.md", "b.md"), ("a/b", "a/c/d.md", "../c/d.md"), ("a", "b.md", "../b.md")]
        {
            assert_eq!(relative(folder, file), expected, "{folder} {file}");
            assert_eq!(joined(folder, expected).as_deref(), Some(file));
        }
    }

    #[test]
    fn fragments_name_places() {
        for (rest, expected) in [
            ("", None),
            ("?a=1", None),
            ("#", None),
            ("#Top", None),
            ("#:~:text=word", None),
            ("#a:~:text=word", Some("a")),
            ("?a=1#gr%C3%B6%C3%9Fe", Some("größe")),
        ] {
            assert_eq!(anchor(rest).as_deref(), expected, "{rest}");
        }
    }
}
