//! Collections: `content = "blog/**"`, the documents of a folder as a list.

use super::super::super::code::{COLLECTION, EMPTY_COLLECTION};
use super::super::kind::{self, Shown};
use super::{Document, Rendered, Shared, address, below, members, read, rendered, title};
use crate::config::{Kind, Node, Table};
use crate::diagnostic::{Finding, Spanned};
use crate::render::{Layout, Segment};
use crate::source::Given;
use crate::value::{Object, Value, write_json};
use std::collections::HashMap;
use std::sync::Arc;

/// The collections that were made: by pattern, and by whether they hold HTML; with a digest of what is in them.
pub(super) type Collections = HashMap<(String, bool), (Value, blake3::Hash)>;

/// The documents that a pattern names, as a list. All of it goes into `digest`.
pub(in super::super) fn collection(
    pattern: &Spanned<String>,
    with_html: bool,
    shared: &mut Shared<'_>,
    digest: &mut blake3::Hasher,
) -> Option<Given> {
    let key = (pattern.value.clone(), with_html);
    if !shared.documents.collections.contains_key(&key) {
        let made = make(pattern, with_html, shared)?;
        let mut text = String::new();
        write_json(&made, &mut text);
        shared.documents.collections.insert(key.clone(), (made, blake3::hash(text.as_bytes())));
    }
    let (list, hash) = shared.documents.collections.get(&key)?;
    if list.as_list().is_some_and(<[Value]>::is_empty) {
        let message = format!("`{}` names no document", pattern.value);
        shared.findings.push(Finding::new(&EMPTY_COLLECTION, pattern.place, message));
    }
    digest.update(hash.as_bytes());
    Some(Given::One(list.clone()))
}

fn make(pattern: &Spanned<String>, with_html: bool, shared: &mut Shared<'_>) -> Option<Value> {
    // The folder's own page is about the collection, and not in it.
    let documents = named(pattern, false, shared)?;
    let items: Vec<Value> = documents.iter().filter_map(|document| item(document, with_html, shared)).collect();
    Some(items.into())
}

/// The documents that a pattern names, in the order of their files; drafts are none. That of the folder itself is one if `with_own`.
pub(super) fn named(pattern: &Spanned<String>, with_own: bool, shared: &mut Shared<'_>) -> Option<Vec<Arc<Document>>> {
    if let Some(finding) = kind::outside(&pattern.value, pattern.place, "content") {
        shared.findings.push(finding);
        return None;
    }
    let glob = pattern.value.strip_suffix(".md").unwrap_or(&pattern.value);
    let (folder, deep) = match glob.strip_suffix("**") {
        Some(folder) => (folder, true),
        None => (glob.strip_suffix('*').unwrap_or("?"), false),
    };
    if !(folder.is_empty() || folder.ends_with('/')) || folder.starts_with('/') || folder.contains(['*', '?', '{']) {
        let message = format!("`{}` does not name documents", pattern.value);
        shared.findings.push(
            Finding::new(&COLLECTION, pattern.place, message)
                .help("`blog/*` names those in a folder, `blog/**` those below it, too"),
        );
        return None;
    }
    let folder = folder.trim_end_matches('/');
    let mut documents = Vec::new();
    for path in below(folder, shared) {
        let name = path.strip_prefix(folder).unwrap_or(&path).trim_start_matches('/');
        if (name == "index.md" && !with_own) || (!deep && name.contains('/')) {
            continue;
        }
        documents.extend(read(&path, shared).filter(|document| !document.is_draft()));
    }
    Some(documents)
}

/// One document of a collection. Its text is rendered only where its front matter does not say enough.
pub(super) fn item(document: &Document, with_html: bool, shared: &mut Shared<'_>) -> Option<Value> {
    let is_said = document.text("title").is_some() && document.text("description").is_some();
    let mut item = if with_html || !is_said {
        members(document, &*rendered(document, shared)?)
    } else {
        let title = title(document, None);
        let (html, toc, anchors) = (Value::Null, Value::Null, Arc::default());
        members(document, &Rendered { html, toc, title: Some(title), description: None, anchors })
    };
    item.retain(|(name, _)| name != "toc" && (with_html || name != "html"));
    let date = document.text("date").unwrap_or_default();
    let year = date.split('-').next().and_then(|year| year.parse().ok()).map(Value::Int);
    if !item.iter().any(|(name, _)| name == "year") {
        item.push(("year".to_owned(), year.unwrap_or_default()));
    }
    let (path, url) = address(&document.path, shared);
    item.retain(|(name, _)| name != "path" && name != "url");
    item.push(("path".to_owned(), path));
    item.push(("url".to_owned(), url));
    Some(Object::from_iter(item).into())
}

/// Whether anything of a route may read the HTML of the documents of its source `name`. In doubt it does.
pub(in super::super) fn reads_html(name: &str, table: &Table, shown: &Shown, shared: &Shared<'_>) -> bool {
    let layouts = shown.layouts().any(|layout| layout_reads(name, layout));
    let text = |node: &str| node.contains(&format!("{{{name}.")) || node.contains(&format!("{{{name}}}"));
    let named = |node: &str| shared.library.get(node).is_some_and(|layout| layout_reads(name, layout));
    let extracts = |key: &str| key == "html" || key.contains("html") || key.contains("..") || key.contains('*');
    layouts
        || any_text(table, &|node| {
            text(node) || named(node) || extracts(node) && node.starts_with('$') || node.contains("item.html")
        })
}

fn layout_reads(name: &str, layout: &Layout) -> bool {
    let is_key = |segment: &Segment, wanted: &str| matches!(segment, Segment::Key(key) if &**key == wanted);
    layout.reads().iter().any(|read| {
        let is_named = layout.roots().get(read.root).is_some_and(|root| &*root.name == name);
        let inner = |segment: &Segment| !matches!(segment, Segment::Key(_)) || is_key(segment, "items");
        is_named
            && (read.segments.iter().any(|segment| is_key(segment, "html"))
                || (read.whole && read.segments.iter().all(inner)))
    })
}

/// Whether any string of a table is as wanted.
fn any_text(table: &Table, wanted: &dyn Fn(&str) -> bool) -> bool {
    fn within(node: &Node, wanted: &dyn Fn(&str) -> bool) -> bool {
        match &node.kind {
            Kind::String(text) => wanted(&text.content),
            Kind::Array(items) => items.iter().any(|item| within(item, wanted)),
            Kind::Table(table) => any_text(table, wanted),
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => false,
        }
    }
    table.into_iter().any(|entry| within(&entry.node, wanted))
}
