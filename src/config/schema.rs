//! What may be written for a key, described for editors and for the reference.
//!
//! [`Described`] stands beside [`Decode`](super::Decode): whatever can be read can be described, so there is no second list of keys.
//! This file knows nothing of JSON Schema or Markdown; the floors above turn a [`Schema`] into either.

use super::binding::Shape;
use super::decode::{Key, Named, OneOrMany, Size, Within};
use super::node::{self, Node};
use super::placeholder::Template;
use super::scalar::{duration_pattern, size_pattern};
use crate::diagnostic::Spanned;
use crate::value::Value;
use std::time::Duration;

/// A type that knows what may be written for it.
pub trait Described {
    /// What may be written.
    fn schema() -> Schema;
}

/// What may be written for a key.
#[derive(Debug, Clone)]
pub enum Schema {
    /// Anything at all.
    Any,
    /// Data of the author's own, whose strings may hold placeholders.
    Data,
    /// Such data, in which `{ each, fields }` maps a list.
    MappedData,
    /// A table whose keys and values are the author's own.
    Free,
    /// `true` or `false`.
    Boolean,
    /// An integer within bounds.
    Integer {
        /// The least, if there is one.
        least: Option<i64>,
        /// The greatest, if there is one.
        greatest: Option<i64>,
    },
    /// Any number.
    Number,
    /// A string.
    Text(Text),
    /// One of a few words.
    Words(Vec<Word>),
    /// An array of things.
    Array(Box<Self>),
    /// A table whose keys the author invents. `removable`: `false` takes a thing out that is inherited.
    Named {
        /// What each of them is.
        item: Box<Self>,
        /// Whether one may be `false`.
        removable: bool,
    },
    /// A table whose keys are declared.
    Table(Table),
    /// Any one of these.
    Either(Vec<Self>),
}

/// A string.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// What it is, with an example: `a duration such as "10s"`.
    pub what: &'static str,
    /// A regular expression that it matches; any text if none.
    pub pattern: Option<String>,
    /// Whether it is filled in: `{params.id}`.
    pub placeholders: bool,
}

/// A word and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// As it is written.
    pub word: &'static str,
    /// Its documentation: Markdown; may be empty.
    pub docs: &'static str,
}

/// A table whose keys are declared.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Tells it from all others.
    pub id: &'static str,
    /// Its documentation: Markdown.
    pub docs: &'static str,
    /// Its keys.
    pub keys: fn() -> Vec<Key>,
    /// The keys without which it means nothing.
    pub required: &'static [&'static str],
    /// The keys of which no two stand together.
    pub exclusive: &'static [&'static str],
    /// Whether other keys are the author's own; else they are errors.
    pub open: bool,
}

impl Schema {
    /// One of `words`, which explain themselves.
    pub fn words(words: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Words(words.into_iter().map(|word| Word { word, docs: "" }).collect())
    }

    /// Whether `false` is one of the values, so that it cannot mean that there is none.
    pub fn takes_false(&self) -> bool {
        match self {
            Self::Any | Self::Data | Self::MappedData | Self::Boolean => true,
            Self::Either(options) => options.iter().any(Self::takes_false),
            Self::Free
            | Self::Integer { .. }
            | Self::Number
            | Self::Text(_)
            | Self::Words(_)
            | Self::Array(_)
            | Self::Named { .. }
            | Self::Table(_) => false,
        }
    }

    /// A string that matches `pattern`.
    pub fn text(what: &'static str, pattern: Option<String>) -> Self {
        Self::Text(Text { what, pattern, placeholders: false })
    }
}

/// A string in which every brace belongs to a placeholder.
const TEMPLATE: &str = r"^([^{}]|\{[^{}]+\}|\{'[{}]'\})*$";

macro_rules! described {
    ($($type:ty => $schema:expr;)+) => { $(
        impl Described for $type {
            fn schema() -> Schema {
                $schema
            }
        }
    )+ };
}

described! {
    bool => Schema::Boolean;
    i64 => Schema::Integer { least: None, greatest: None };
    u16 => Schema::Integer { least: Some(0), greatest: Some(i64::from(Self::MAX)) };
    u32 => Schema::Integer { least: Some(0), greatest: Some(i64::from(Self::MAX)) };
    u64 => Schema::Integer { least: Some(0), greatest: None };
    usize => Schema::Integer { least: Some(0), greatest: None };
    String => Schema::text("a string", None);
    node::Text => Schema::text("a string", None);
    Template => Schema::Text(Text {
        what: "a string with placeholders",
        pattern: Some(TEMPLATE.to_owned()),
        placeholders: true,
    });
    Duration => Schema::text("a duration such as `\"10s\"`", Some(duration_pattern()));
    Size => Schema::text("a size such as `\"64KiB\"`", Some(size_pattern()));
    Node => Schema::Any;
    Value => Schema::Any;
    node::Table => Schema::Free;
    Shape => Schema::Data;
}

impl<T: Described> Described for Spanned<T> {
    fn schema() -> Schema {
        T::schema()
    }
}

impl<const LEAST: u32, const MOST: u32> Described for Within<LEAST, MOST> {
    fn schema() -> Schema {
        let greatest = (MOST < u32::MAX).then_some(i64::from(MOST));
        Schema::Integer { least: Some(i64::from(LEAST)), greatest }
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema() -> Schema {
        Schema::Array(Box::new(T::schema()))
    }
}

impl<T: Described> Described for OneOrMany<T> {
    fn schema() -> Schema {
        Schema::Either(vec![T::schema(), Schema::Array(Box::new(T::schema()))])
    }
}

impl<T: Described> Described for Named<T> {
    fn schema() -> Schema {
        let item = T::schema();
        Schema::Named { removable: !item.takes_false(), item: Box::new(item) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_of_templates_fits_placeholders_and_no_stray_brace() {
        let pattern = regex::Regex::new(TEMPLATE).unwrap();
        for text in ["", "plain", "/a/{params.id}/b", "{a}{b.c-d}", "{'{'}x{'}'}", "Bearer {env.TOKEN:a:b}"] {
            assert!(pattern.is_match(text), "{text}");
        }
        for text in ["{", "}", "{{ a }}", "a {b", "{}"] {
            assert!(!pattern.is_match(text), "{text}");
        }
    }
}
