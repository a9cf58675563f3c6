//! What `search` looks through: the documents that a pattern names, and the index of their texts.
//!
//! Found is what somebody can open: a document that a route serves, and behind a guard only by a route that has the same guard.

use super::super::super::code::EMPTY_COLLECTION;
use super::collection::{item, named};
use super::{Shared, rendered, title};
use crate::config::Table;
use crate::diagnostic::{Finding, Spanned};
use crate::search::{Index, Page, passages};
use crate::source::Given;
use crate::value::{Value, write_json};
use std::collections::HashMap;
use std::sync::Arc;

/// What tells the guards of one route from those of another: a digest of all that they say.
pub(in super::super) type GuardDigest = blake3::Hash;

/// The documents that can be searched: by pattern, and by the guard behind which they are.
pub(super) type Searched = HashMap<(String, Option<GuardDigest>), (Value, Arc<Index>, blake3::Hash)>;

/// Keys of the front matter that say what a document is about, besides its title.
const SAID: [&str; 3] = ["description", "tags", "keywords"];

/// What guards a route, if anything does.
pub(in super::super) fn guard_of(table: &Table) -> Option<GuardDigest> {
    let guard = table.node("guard").filter(|guard| !guard.is_false())?;
    let mut text = String::new();
    write_json(&guard.to_value(), &mut text);
    Some(blake3::hash(text.as_bytes()))
}

/// The documents that a pattern names and a route behind `guard` may find, and their index. All of it goes into `digest`.
pub(in super::super) fn searched(
    pattern: &Spanned<String>,
    guard: Option<GuardDigest>,
    shared: &mut Shared<'_>,
    digest: &mut blake3::Hasher,
) -> Option<(Given, Arc<Index>)> {
    let key = (pattern.value.clone(), guard);
    if !shared.documents.searched.contains_key(&key) {
        let made = make(pattern, guard, shared)?;
        shared.documents.searched.insert(key.clone(), made);
    }
    let (list, index, hash) = shared.documents.searched.get(&key)?;
    if index.page_count() == 0 {
        let message = format!("`{}` names no document that a route serves", pattern.value);
        let help = "a search finds what has a URL, and behind a guard only for routes with the same guard";
        shared.findings.push(Finding::new(&EMPTY_COLLECTION, pattern.place, message).help(help));
    }
    digest.update(hash.as_bytes());
    Some((Given::One(list.clone()), Arc::clone(index)))
}

fn make(
    pattern: &Spanned<String>,
    guard: Option<GuardDigest>,
    shared: &mut Shared<'_>,
) -> Option<(Value, Arc<Index>, blake3::Hash)> {
    let mut documents = named(pattern, true, shared)?;
    documents.retain(|document| {
        let address = shared.documents.addresses.get(&document.path);
        address.is_some_and(|address| address.guard.is_none() || address.guard == guard)
    });
    let (mut items, mut texts, mut hasher) = (Vec::new(), Vec::new(), blake3::Hasher::new());
    for document in &documents {
        let Some(text) = rendered(document, shared) else { continue };
        let Some(item) = item(document, false, shared) else { continue };
        let said = SAID.iter().filter_map(|key| document.matter.get(key)).flat_map(said).collect();
        let about = About { title: title(document, Some(&text)), said, html: text.html.clone() };
        about.digest(&mut hasher);
        items.push(item);
        texts.push(about);
    }
    let of_index = hasher.finalize();
    let index = shared.indexes.index(of_index, || {
        let pages: Vec<Page> = texts.into_iter().map(About::page).collect();
        Index::new(&pages)
    });
    let list = Value::list(items);
    let mut text = String::new();
    write_json(&list, &mut text);
    let mut hasher = blake3::Hasher::new();
    hasher.update(of_index.as_bytes()).update(text.as_bytes());
    Some((list, index, hasher.finalize()))
}

/// The texts in a value of the front matter.
fn said(value: &Value) -> Vec<String> {
    let texts = value.as_list().unwrap_or(std::slice::from_ref(value)).iter();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What is indexed of a document.
struct About {
    title: String,
    said: Vec<String>,
    html: Value,
}

impl About {
    fn html(&self) -> &str {
        self.html.as_str().unwrap_or_default()
    }

    fn digest(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&(self.said.len() as u64).to_le_bytes());
        for text in self.said.iter().map(String::as_str).chain([&*self.title, self.html()]) {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }

    fn page(self) -> Page {
        let passages = passages(self.html());
        Page { title: self.title, said: self.said, passages }
    }
}
