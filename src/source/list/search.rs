//! Searching documents: which of the list have what is looked for, best first; and what is told of those that a page shows.
//!
//! Items are known again by being the same: a search gives the list's own items, and the operations after it pick among them. So only the
//! items that are left in the end are told of, whose excerpts are what costs.

use super::super::known::Known;
use super::{Search, Searched};
use crate::config::Binding;
use crate::search::{Budget, Hit, Query};
use crate::value::{List, Object, ObjectBuilder, Value};
use std::collections::HashMap;

/// What is told of an item besides what it is.
const TOLD: [&str; 4] = ["anchor", "heading", "link", "excerpt"];

/// What a search came to.
pub(super) struct Found<'s> {
    searched: &'s Searched,
    query: Query,
    hits: Vec<Hit>,
    /// The hits by what is the same of an item and of its copies.
    by_item: HashMap<*const Value, Hit>,
}

impl Search<Binding> {
    /// Which of `items`, which the index was made of, have what is looked for.
    pub(super) fn found(&self, items: &List, slots: &[Value]) -> Found<'_> {
        // What is no text is nothing to look for.
        let words = self.words.text(slots, |text, out| out.push_str(text)).ok().flatten().unwrap_or_default();
        let query = Query::parse(&words);
        let hits = self.searched.index.find(&query);
        let by_item = hits.iter().filter_map(|hit| Some((identity(items.get(hit.page)?)?, *hit))).collect();
        Found { searched: &self.searched, query, hits, by_item }
    }
}

/// Where the members of an item are, which its copies share.
fn identity(item: &Value) -> Option<*const Value> {
    item.as_object().map(|object| object.values().as_ptr())
}

impl Found<'_> {
    /// The items that were found, best first.
    pub(super) fn items(&self, all: &List) -> Vec<Value> {
        self.hits.iter().filter_map(|hit| all.get(hit.page).cloned()).collect()
    }

    /// The items that are left, or groups of them, with what is told of each.
    pub(super) fn told(&self, items: &[Value]) -> Value {
        let mut budget = Budget::default();
        let all: Vec<Value> = items.iter().map(|item| self.tell(item, &mut budget)).collect();
        Value::list(all)
    }

    fn tell(&self, item: &Value, budget: &mut Budget) -> Value {
        if let Some(hit) = identity(item).and_then(|identity| self.by_item.get(&identity)) {
            return self.tell_of(item, *hit, budget);
        }
        // A group is what holds items and is none.
        match (item.get("name"), item.get("items").and_then(Value::as_list)) {
            (Some(name), Some(members)) => {
                let members = members.iter().map(|member| self.tell(member, budget)).collect();
                Value::Object([("name", name.clone()), ("items", Value::list(members))].into_iter().collect())
            }
            _ => item.clone(),
        }
    }

    fn tell_of(&self, item: &Value, hit: Hit, budget: &mut Budget) -> Value {
        let Searched { index, origin } = self.searched;
        let anchor = index.anchor(hit);
        let address = address(item, origin.as_deref());
        let link = anchor.map_or_else(|| address.to_owned(), |anchor| format!("{address}#{anchor}"));
        let piece = |text: Value, is_match: bool| {
            Value::Object([("text", text), ("is_match", Value::Bool(is_match))].into_iter().collect())
        };
        let pieces = index.excerpt(hit, &self.query, budget);
        let mut excerpt: Vec<Value> =
            pieces.into_iter().map(|found| piece(found.text.into(), found.is_match)).collect();
        if excerpt.is_empty() {
            let description = item.get("description").filter(|description| description.as_str().is_some());
            excerpt.extend(description.map(|description| piece(description.clone(), false)));
        }
        let own = item.as_object().into_iter().flat_map(Object::iter);
        let mut told = ObjectBuilder::with_capacity(16);
        for (name, value) in own.filter(|(name, _)| !TOLD.contains(&name.as_str())) {
            told.push(name.clone(), value.clone());
        }
        let values = [Value::from(anchor), Value::from(index.heading(hit)), link.into(), Value::list(excerpt)];
        for (name, value) in TOLD.into_iter().zip(values) {
            told.push(name, value);
        }
        told.finish().into()
    }
}

/// Where a document is, seen from `origin`: its path, and its whole URL if it is elsewhere.
fn address<'v>(item: &'v Value, origin: Option<&str>) -> &'v str {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    let (path, url) = (text("path"), text("url"));
    if url.strip_suffix(path) == Some(origin.unwrap_or_default()) { path } else { url }
}

/// The shape of an item that was found; `item` is what it was before.
pub(super) fn found(item: &Known) -> Known {
    let piece = Known::Record(vec![("text".to_owned(), Known::Scalar), ("is_match".to_owned(), Known::Scalar)]);
    let told = TOLD.map(|name| {
        let shape = if name == "excerpt" { Known::ListOf(Box::new(piece.clone())) } else { Known::Scalar };
        (name.to_owned(), shape)
    });
    let own = match item {
        Known::Record(members) | Known::Partly(members) => members.as_slice(),
        Known::Open | Known::Scalar | Known::ListOf(_) => &[],
    };
    let own = own.iter().filter(|(name, _)| !TOLD.contains(&name.as_str())).cloned();
    Known::Partly(own.chain(told).collect())
}
