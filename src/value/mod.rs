//! Data: JSON's types, plus where each string came from.
//!
//! Every value that a page can read is a [`Value`]: JSON answers, TOML tables, front matter, parameters. Cloning one is at
//! most a reference count, objects keep the order of their keys, and integers beyond `i64` stay exact up to `u64`.
//!
//! This floor knows nothing of requests, layouts or files. Secrets are *not* values: they have a type of their own in the
//! floors that send them, so that no page can hold one.

mod compare;
mod convert;
mod json;
mod object;
mod shape;
mod text;
mod write;
mod yaml;

pub(crate) use json::ignore_scalars;
pub use json::{JsonError, JsonLimits, JsonParser, JsonSkipped, JsonValue, ReadJson, parse_json, read_json};
pub use object::{Object, ObjectBuilder};
pub use shape::{Guess, Shape};
pub use text::{Origin, Text};
pub use write::{JsonStyle, write_json, write_json_pretty, write_json_within};
pub use yaml::{Yaml, YamlError, parse_yaml};

use std::sync::Arc;

/// A list of values; cloning it is a reference count.
pub type List = Arc<Vec<Value>>;

/// One value of JSON's data model.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// JSON `null`; also what an absent value reads as.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits `i64`. The only form of such an integer: see [`Value::UInt`].
    Int(i64),
    /// An integer above `i64::MAX`. Never used for one that fits [`Value::Int`].
    UInt(u64),
    /// Any other number; never NaN nor infinite when it came from JSON.
    Float(f64),
    /// A string and its [`Origin`].
    Text(Text),
    /// An array.
    List(List),
    /// An object whose keys keep their order.
    Object(Object),
}

/// `null`, to return by reference for what is absent.
pub static NULL: Value = Value::Null;

impl Value {
    /// A string that came from outside, which is what every string is until something says otherwise.
    #[must_use]
    pub fn text(content: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::new(content, Origin::Outside))
    }

    /// A string of finished markup that may hold data: sanitised HTML, Markdown from outside.
    #[must_use]
    pub fn markup(content: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::new(content, Origin::Markup))
    }

    /// A string of markup that the site's authors wrote.
    #[must_use]
    pub fn authored(content: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::new(content, Origin::Authored))
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// The name of this value's type, as messages spell it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::UInt(_) => "int",
            Self::Float(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The characters, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.as_str()) } else { None }
    }

    /// The integer, if this is one that fits `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The nearest `f64`, if this is any number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "asked for as the nearest f64")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The member called `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// What `path` leads to, or `null`: one key after another, where a list has `first` and `last`.
    #[must_use]
    pub fn at(&self, path: &[impl AsRef<str>]) -> &Self {
        let mut value = self;
        for key in path {
            let inner = match (value, key.as_ref()) {
                (Self::List(items), "first") => items.first(),
                (Self::List(items), "last") => items.last(),
                (value, key) => value.get(key),
            };
            match inner {
                Some(inner) => value = inner,
                None => return &NULL,
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_small() {
        assert!(size_of::<Value>() <= 32, "{} bytes", size_of::<Value>());
    }

    #[test]
    fn a_path_that_leads_nowhere_reads_as_null() {
        let value = parse_json("{\"a\":{\"b\":1}}", JsonLimits::default()).unwrap_or_default();
        assert_eq!(value.at(&["a", "b"]), &Value::Int(1));
        assert_eq!(value.at(&["a", "b", "c"]), &Value::Null);
        assert_eq!(value.at(&["z"]), &Value::Null);
    }
}
