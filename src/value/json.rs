//! JSON text to a [`Value`], counting nodes while it parses.
//!
//! A few megabytes of tiny objects would otherwise become a hundred times their size in memory before any limit on bytes
//! could object. Depth is bounded by the grammar's own limit of 128.

use super::{List, ObjectBuilder, Origin, Text, Value};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
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
    let document = Document { buffer: &buffer, left: Cell::new(limits.nodes) };
    // A byte order mark is no part of a JSON text, but senders write it and RFC 8259 section 8.1 lets us ignore it.
    let content = buffer.strip_prefix('\u{feff}').unwrap_or(&buffer);
    let mut parser = serde_json::Deserializer::from_str(content);
    let parsed = Seed(&document).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| {
        if document.left.get() == 0 && error.is_data() {
            JsonError::TooManyNodes { limit: limits.nodes }
        } else {
            JsonError::Syntax(error)
        }
    })
}

struct Document<'d> {
    buffer: &'d Arc<str>,
    left: Cell<usize>,
}

impl Document<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom("too many values")),
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'d>(&'d Document<'d>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
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
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self)? {
            items.push(item);
        }
        // Growth leaves up to half of the room unused, which a cap on nodes would not see.
        items.shrink_to_fit();
        Ok(Value::List(List::new(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = ObjectBuilder::default();
        while let Some(key) = members.next_key_seed(KeySeed(self.0))? {
            object.push(key, members.next_value_seed(self)?);
        }
        Ok(Value::Object(object.finish()))
    }
}

struct KeySeed<'d>(&'d Document<'d>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Text;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        self.0.count()?;
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Text, E> {
        Ok(Text::from(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text, E> {
        Ok(Text::slice_of(self.0.buffer, value, Origin::Outside))
    }
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

    use super::super::Object;
}
