//! What the pages of a route are made from: a digest of it, which changes when they do, and its parts by name.
//!
//! Pages are stored under the digest, so that an edit drops those that it concerns and no others; by the names they are purged. It
//! knows nothing of what a page costs or how long it lives.

use super::super::{Planned, Route, Rule, Then};
use super::assets::Assets;
use super::csp;
use super::kind::Shown;
use crate::config::{ContentFile, Table};
use crate::diagnostic::{FileId, Files};
use crate::render::Layout;
use crate::resource::{Proxy, Resource, Tree};
use crate::source::{Kind, Upstreams};
use crate::value::{Object, Value, write_json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sections of `site.toml` that no page is made from.
const OF_THE_PROCESS: [&str; 3] = ["admin", "log", "server"];

/// A digest of what all pages are made from: `site.toml`.
pub(super) fn foundation(table: &Table) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    if let Value::Object(site) = table.to_value() {
        let of_pages = site.iter().filter(|(name, _)| !OF_THE_PROCESS.contains(&name.as_str()));
        hash(&Value::Object(of_pages.map(|(name, value)| (name.as_str(), value.clone())).collect()), &mut hasher);
    }
    hasher.finalize()
}

/// The revision of a site: that of its routes, and of the files that it publishes.
pub(super) fn of_site(routes: &[Route], content: &[ContentFile]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for route in routes {
        hasher.update(&route.revision.to_le_bytes());
        if let Resource::Tree(tree) = &route.resource {
            // One of them is changed more often than the sum of all stays the same.
            let sum = tree.documents.values().fold(0_u64, |sum, document| sum.wrapping_add(document.revision));
            hasher.update(&sum.to_le_bytes());
        }
    }
    for file in content {
        hasher.update(file.path.as_bytes());
        hasher.update(&file.length.to_le_bytes());
    }
    short(&hasher.finalize())
}

/// What a route is compiled from and to.
pub(super) struct Parts<'p> {
    pub(super) foundation: &'p blake3::Hash,
    pub(super) assets: &'p Assets,
    pub(super) files: &'p Files,
    pub(super) upstreams: &'p Upstreams,
    /// The route's file with what it inherits.
    pub(super) table: &'p Table,
    pub(super) shown: &'p Shown,
    pub(super) resource: &'p Resource,
    /// What passes on the requests that it has no answer to.
    pub(super) otherwise: Option<&'p Proxy>,
    pub(super) rules: &'p [Rule],
    /// The data files that it reads.
    pub(super) data: &'p blake3::Hasher,
    pub(super) sources: &'p [Planned],
    /// The routes before it, which it may ask.
    pub(super) known: &'p [Route],
}

impl Parts<'_> {
    /// A number that changes with anything that the route's pages are made from; but for the documents of a tree, of which each has
    /// its own.
    pub(super) fn revision(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.data.finalize().as_bytes());
        hasher.update(self.foundation.as_bytes());
        hash(&self.table.to_value(), &mut hasher);
        for file in self.layout_files() {
            for text in [self.files.name(file), self.files.text(file)] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
        for layout in self.layouts() {
            self.assets.digest(layout, &mut hasher);
        }
        csp::digest(self.resource, self.rules, &mut hasher);
        if let Shown::Document(document) = self.shown {
            hasher.update(document.html.as_str().unwrap_or_default().as_bytes());
            hash(&Value::Object(document.page.iter().cloned().collect()), &mut hasher);
        }
        for planned in self.sources {
            if let Kind::Route(asking) = &planned.source.kind
                && let Some(route) = self.known.get(asking.asked.route)
            {
                hasher.update(&route.revision.to_le_bytes());
            }
        }
        short(&hasher.finalize())
    }

    /// The tags of all its pages: `layout:page.html` and those of its partials, `content:about.md`, `upstream:api`, `source:repo`.
    pub(super) fn tags(&self) -> Vec<Arc<str>> {
        let layouts = self.layout_files().into_iter().map(|file| {
            let name = self.files.name(file);
            format!("layout:{}", name.strip_prefix("layouts/").unwrap_or(name))
        });
        let mut document = None;
        if let Shown::Document(shown) = self.shown {
            document = shown.page.iter().find(|(name, _)| name == "file").and_then(|(_, file)| content_tag(file));
        }
        let sources = self.sources.iter().flat_map(|planned| {
            let upstream = match &planned.source.kind {
                Kind::Http(http) => {
                    self.upstreams.get(http.upstream).map(|upstream| format!("upstream:{}", upstream.name))
                }
                Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => None,
            };
            upstream.into_iter().chain([format!("source:{}", planned.source.name.value)])
        });
        let proxy = if let Resource::Proxy(proxy) = self.resource { Some(&**proxy) } else { self.otherwise };
        let proxied = proxy.and_then(|proxy| self.upstreams.get(proxy.upstream));
        let proxied = proxied.map(|upstream| format!("upstream:{}", upstream.name));
        let all: BTreeSet<String> = layouts.chain(document).chain(sources).chain(proxied).collect();
        all.into_iter().map(Arc::from).collect()
    }

    /// The files of all layouts that the route may use, with the layouts around them and their partials.
    fn layout_files(&self) -> BTreeSet<FileId> {
        self.layouts().flat_map(Layout::files).copied().collect()
    }

    /// All layouts that the route may use.
    fn layouts(&self) -> impl Iterator<Item = &Layout> {
        let own: Vec<&Arc<Layout>> = match self.resource {
            Resource::Page(layout) => vec![&layout.layout],
            Resource::Document(document) => document.layout.iter().map(|layout| &layout.layout).collect(),
            Resource::Tree(tree) => tree.layouts.iter().map(|layout| &layout.layout).collect(),
            Resource::Json(_) | Resource::Redirect(_) | Resource::Files(_) | Resource::Proxy(_) => Vec::new(),
        };
        let of_rules = self.rules.iter().filter_map(|rule| match &rule.then {
            Then::Layout { layout, .. } => Some(&layout.layout),
            Then::Redirect { .. } | Then::Status(_) => None,
        });
        own.into_iter().chain(of_rules).map(|layout| &**layout)
    }
}

/// Gives each document of a tree its revision: what its page shows of it, and of the others.
pub(super) fn of_documents(tree: &mut Tree) {
    // All share one navigation, which is large.
    let nav = tree.documents.values().find_map(|document| document.page.get("nav"));
    let mut hasher = blake3::Hasher::new();
    hash(nav.unwrap_or(&Value::Null), &mut hasher);
    let nav = hasher.finalize();
    for document in tree.documents.values_mut() {
        let mut hasher = blake3::Hasher::new();
        hasher.update(nav.as_bytes());
        let own = document.page.iter().filter(|(name, _)| name.as_str() != "nav");
        let own: Object = own.map(|(name, value)| (name.as_str(), value.clone())).collect();
        hash(&Value::Object(own), &mut hasher);
        hasher.update(document.html.as_str().unwrap_or_default().as_bytes());
        hasher.update(&document.layout.map_or(u64::MAX, |layout| layout as u64).to_le_bytes());
        hasher.update(document.content_type.as_ref().map_or(&b""[..], |value| value.as_bytes()));
        if let Some(csp) = &document.csp {
            csp.digest(&mut hasher);
        }
        document.revision = short(&hasher.finalize());
        document.tag = document.page.get("file").and_then(content_tag).map(Arc::from);
    }
}

/// The tag of a page that shows the document in this file, which is named as `page.file` says it.
fn content_tag(file: &Value) -> Option<String> {
    let path = file.as_str()?;
    Some(format!("content:{}", path.strip_prefix("content/").unwrap_or(path)))
}

fn hash(value: &Value, hasher: &mut blake3::Hasher) {
    let mut text = String::new();
    write_json(value, &mut text);
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// Eight bytes of a digest: enough to tell revisions apart, which nobody chooses to collide.
fn short(hash: &blake3::Hash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
