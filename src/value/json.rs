//! JSON text to a [`Value`], counting nodes while it parses.
//!
//! A few megabytes of tiny objects would otherwise become a hundred times their size in memory before any limit on bytes
//! could object. Depth is bounded by the grammar's own limit of 128.

use super::shape::Recent;
use super::{List, Object, Origin, Shape, Text, Value};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// How much of a document is read.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Values in the whole document: each scalar, list, object and key counts as one.
    pub nodes: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self { nodes: 200_000 }
    }
}

/// Why a text is not a document that we read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// More values than [`JsonLimits::nodes`].
    #[error("more than {limit} JSON values")]
    TooManyNodes {
        /// The limit that was passed.
        limit: usize,
    },
    /// Not JSON (RFC 8259), or nested deeper than 128 levels.
    #[error("not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
}

/// Parses one JSON document (RFC 8259). Strings without escapes share `text`'s buffer.
pub fn parse_json(text: impl Into<Arc<str>>, limits: JsonLimits) -> Result<Value, JsonError> {
    let buffer: Arc<str> = text.into();
    let mut document = Parser { buffer: &buffer, left: limits.nodes, open: Vec::new(), shapes: Recent::default() };
    // A byte order mark is no part of a JSON text, but senders write it and RFC 8259 section 8.1 lets us ignore it.
    let content = buffer.strip_prefix('\u{feff}').unwrap_or(&buffer);
    let mut parser = serde_json::Deserializer::from_str(content);
    let parsed = Seed(&mut document).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| {
        if document.left == 0 && error.is_data() {
            JsonError::TooManyNodes { limit: limits.nodes }
        } else {
            JsonError::Syntax(error)
        }
    })
}

/// What is known while a document is read.
struct Parser<'p> {
    buffer: &'p Arc<str>,
    /// How many more values there may be.
    left: usize,
    /// The values of the lists and objects that have begun; each takes its own off when it ends.
    open: Vec<Value>,
    shapes: Recent,
}

impl Parser<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        Ok(())
    }
}

struct Seed<'p, 'b>(&'p mut Parser<'b>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(Text::from(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value, E> {
        Ok(Value::Text(Text::slice_of(self.0.buffer, value, Origin::Outside)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let parser = self.0;
        let start = parser.open.len();
        while let Some(item) = sequence.next_element_seed(Seed(&mut *parser))? {
            parser.open.push(item);
        }
        // Copied out exactly: a list that grew by itself would keep up to half of its room unused, which no cap would see.
        Ok(Value::List(List::new(parser.open.drain(start..).collect())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let parser = self.0;
        let start = parser.open.len();
        let mut names = Names::default();
        while let Some(name) = members.next_key_seed(NameSeed(&mut *parser))? {
            names.push(name, &parser.shapes);
            let value = members.next_value_seed(Seed(&mut *parser))?;
            parser.open.push(value);
        }
        let values = parser.open.drain(start..);
        Ok(Value::Object(names.object(values, &mut parser.shapes)))
    }
}

struct NameSeed<'p, 'b>(&'p mut Parser<'b>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_, '_> {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed<'_, '_> {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }
}

/// The names of one object while it is read: those of a shape that an object before it had, as long as they go on alike.
#[derive(Default)]
struct Names<'de> {
    shape: Option<Arc<Shape>>,
    /// How many of the shape's names have been read.
    known: usize,
    /// All names read, once no shape begins with them.
    other: Vec<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    fn push(&mut self, name: Cow<'de, str>, recent: &Recent) {
        if self.other.is_empty() {
            let expected = self.shape.as_deref().and_then(|shape| shape.names().get(self.known));
            if expected.is_some_and(|expected| expected.is(&name)) {
                self.known += 1;
                return;
            }
            if let Some(shape) = recent.continued(self.shape.as_deref(), self.known, &name) {
                self.shape = Some(shape);
                self.known += 1;
                return;
            }
            let known = self.shape.iter().flat_map(|shape| &shape.names()[..self.known]);
            self.other = known.map(|name| Cow::Owned(name.to_string())).collect();
        }
        self.other.push(name);
    }

    fn object(self, values: std::vec::Drain<'_, Value>, recent: &mut Recent) -> Object {
        let Self { shape, known, other } = self;
        let found = match shape {
            None if other.is_empty() => return Object::default(),
            Some(shape) if other.is_empty() && shape.names().len() == known => Some(shape),
            Some(shape) if other.is_empty() => {
                recent.ended(&shape, known).or_else(|| Shape::new(&shape.names()[..known]))
            }
            Some(_) | None => Shape::new(compact(&other)),
        };
        match found {
            Some(shape) => {
                recent.remember(&shape);
                Object::of(shape, values.collect())
            }
            None => compact(&other).into_iter().zip(values).collect(),
        }
    }
}

/// The names in one buffer of their own: they outlive the body by far when records share them with those of the next.
fn compact(names: &[Cow<'_, str>]) -> Vec<Text> {
    let buffer: Arc<str> = names.concat().into();
    let mut at = 0;
    let slice = |name: &Cow<'_, str>| {
        let range = at..at + name.len();
        at = range.end;
        Text::slice_of(&buffer, buffer.get(range).unwrap_or_default(), Origin::Outside)
    };
    names.iter().map(slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Value, JsonError> {
        parse_json(text, JsonLimits::default())
    }

    #[test]
    fn numbers_stay_exact_as_far_as_their_type_goes() {
        for (text, expected) in [
            ("9223372036854775807", Value::Int(i64::MAX)),
            ("9223372036854775808", Value::UInt(9_223_372_036_854_775_808)),
            ("18446744073709551615", Value::UInt(u64::MAX)),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("1.5", Value::Float(1.5)),
            ("1e2", Value::Float(100.0)),
        ] {
            assert_eq!(parse(text).ok(), Some(expected), "{text}");
        }
    }

    #[test]
    fn order_of_keys_and_escapes_survive() {
        let value = parse("{\"z\":\"a\\u0041\",\"a\":[1,null,true]}").unwrap_or_default();
        let keys: Vec<_> =
            value.as_object().into_iter().flat_map(Object::iter).map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, ["z", "a"]);
        assert_eq!(value.get("z").and_then(Value::as_str), Some("aA"));
    }

    #[test]
    fn records_share_their_names_and_nothing_else() {
        let text = r#"[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"a":6,"b":7,"c":8},{"b":9,"a":0},{},{"a":1,"a":2,"b":3},
            {"a":{"a":{"a":1,"b":2},"b":3},"b":[{"a":1,"b":2}]},{"\u0061":1,"b":2},{"a":1,"b":2,"c":3},{"":{"":0}}]"#;
        let value = parse(text).unwrap_or_default();
        let mut written = String::new();
        super::super::write_json(&value, &mut written);
        let expected = text.replace(['\n', ' '], "").replace(r#"{"a":1,"a":2,"b":3}"#, r#"{"a":2,"b":3}"#);
        assert_eq!(written, expected.replace(r"\u0061", "a"));
        let shape = |at: usize| value.as_list().and_then(|items| items.get(at)?.as_object()).map(Object::shape);
        let shared = |left, right| shape(left).zip(shape(right)).is_some_and(|(left, right)| Arc::ptr_eq(left, right));
        for (left, right) in [(0, 1), (0, 7), (0, 8), (3, 9)] {
            assert!(shared(left, right), "{left} and {right}");
        }
        for (left, right) in [(0, 2), (0, 3), (0, 4), (2, 10)] {
            assert!(!shared(left, right), "{left} and {right}");
        }
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for text in ["", "{", "[1,]", "1 2", "nul", "\"\u{1}\"", &"[".repeat(100_000)] {
            assert!(matches!(parse(text), Err(JsonError::Syntax(_))), "{text:.20}");
        }
    }

    #[test]
    fn nodes_are_counted_while_parsing() {
        let text = format!("[{}]", vec!["{\"\":0}"; 100].join(","));
        assert!(parse_json(text.as_str(), JsonLimits { nodes: 301 }).is_ok());
        let over = parse_json(text.as_str(), JsonLimits { nodes: 300 });
        assert!(matches!(over, Err(JsonError::TooManyNodes { limit: 300 })));
    }
}
