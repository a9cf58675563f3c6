//! TOML as a tree of nodes that know their places, across files.
//!
//! Spans of the `toml` crate end at the file; ours name the file, because a merged table holds nodes of several.

use crate::diagnostic::{Place, Spanned};
use crate::value::{ObjectBuilder, Value};

/// A TOML value and where it was written.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it was written.
    pub place: Place,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A string.
    String(Text),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A date, a time or both, as written.
    Datetime(String),
    /// An array, or an array of tables.
    Array(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A string and where its characters stand.
#[derive(Debug, Clone)]
pub struct Text {
    /// The characters, escapes resolved.
    pub content: String,
    /// The place of the characters without quotes; of the whole string if it has escapes, so that offsets would not match.
    pub inner: Place,
    /// Whether offsets in `content` are offsets in `inner`.
    pub literal: bool,
}

impl Text {
    /// The place of the bytes `range` of the content.
    pub fn place_of(&self, range: std::ops::Range<usize>) -> Place {
        if !self.literal {
            return self.inner;
        }
        let start = self.inner.start as usize;
        Place::new(self.inner.file, start + range.start..start + range.end)
    }
}

/// A table: keys in the order they were written.
#[derive(Debug, Clone)]
pub struct Table {
    entries: Vec<Entry>,
    /// Its header, or its braces.
    pub place: Place,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub node: Node,
}

impl Node {
    /// What it is, in words for messages.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::String(_) => "a string",
            Kind::Int(_) => "an integer",
            Kind::Float(_) => "a number",
            Kind::Bool(_) => "a boolean",
            Kind::Datetime(_) => "a date",
            Kind::Array(_) => "an array",
            Kind::Table(_) => "a table",
        }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        if let Kind::Table(table) = &self.kind { Some(table) } else { None }
    }

    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&Text> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// Whether it is `false`, which removes what is inherited.
    pub fn is_false(&self) -> bool {
        matches!(self.kind, Kind::Bool(false))
    }

    /// The data it says, placeholders left as they are.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::String(text) => Value::text(text.content.as_str()),
            Kind::Int(number) => Value::Int(*number),
            Kind::Float(number) => Value::Float(*number),
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Datetime(text) => Value::text(text.as_str()),
            Kind::Array(items) => Value::list(items.iter().map(Self::to_value).collect()),
            Kind::Table(table) => table.to_value(),
        }
    }
}

impl Table {
    /// A table without entries.
    pub fn empty(place: Place) -> Self {
        Self { entries: Vec::new(), place }
    }

    /// The entry called `key`.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    /// The node called `key`.
    pub fn node(&self, key: &str) -> Option<&Node> {
        self.get(key).map(|entry| &entry.node)
    }

    /// The node called `key`, to change.
    pub fn node_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key.value == key).map(|entry| &mut entry.node)
    }

    /// Adds an entry, or replaces the one of that key in its place.
    pub fn insert(&mut self, key: Spanned<String>, node: Node) {
        match self.entries.iter_mut().find(|entry| entry.key.value == key.value) {
            Some(entry) => *entry = Entry { key, node },
            None => self.entries.push(Entry { key, node }),
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry at a position, to change.
    pub(super) fn entry_mut(&mut self, at: usize) -> Option<&mut Entry> {
        self.entries.get_mut(at)
    }

    /// Adds an entry whose key is known to be new.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key.value == key)?;
        Some(self.entries.remove(at))
    }

    /// The entries, in the order they were written.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The data it says.
    pub fn to_value(&self) -> Value {
        let mut object = ObjectBuilder::with_capacity(self.entries.len());
        for entry in &self.entries {
            object.push(entry.key.value.as_str(), entry.node.to_value());
        }
        object.finish().into()
    }
}

impl<'t> IntoIterator for &'t Table {
    type Item = &'t Entry;
    type IntoIter = std::slice::Iter<'t, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
