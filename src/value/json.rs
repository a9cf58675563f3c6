//! JSON text to a [`Value`], counting nodes while it parses.
//!
//! A few megabytes of tiny objects would otherwise become a hundred times their size in memory before any limit on bytes
//! could object. Depth is bounded by the grammar's own limit of 128.

use super::shape::{Names, Recent};
use super::{List, Origin, Text, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The part of a visitor that ignores whatever is neither a list nor an object.
macro_rules! ignore_scalars {
    () => {
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
            Ok(())
        }

        fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
            Ok(())
        }

        fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
            Ok(())
        }

        fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
            Ok(())
        }

        fn visit_str<E>(self, _value: &str) -> Result<(), E> {
            Ok(())
        }
    };
}

pub(crate) use ignore_scalars;

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
    struct Whole;

    impl ReadJson for Whole {
        type Output = Value;

        fn read<'de, D: Deserializer<'de>>(self, parser: &mut JsonParser<'_>, from: D) -> Result<Value, D::Error> {
            JsonValue(parser).deserialize(from)
        }
    }

    read_json(text, limits, Whole)
}

/// What is made of a document while it is read.
pub trait ReadJson {
    /// What it becomes.
    type Output;

    /// Reads the whole document, each value by a seed that counts it.
    fn read<'de, D: Deserializer<'de>>(self, parser: &mut JsonParser<'_>, from: D) -> Result<Self::Output, D::Error>;
}

/// Reads one JSON document (RFC 8259) by `reader`, within the same bounds as [`parse_json`].
pub fn read_json<R: ReadJson>(
    text: impl Into<Arc<str>>,
    limits: JsonLimits,
    reader: R,
) -> Result<R::Output, JsonError> {
    let buffer: Arc<str> = text.into();
    let mut parser = JsonParser { buffer: &buffer, left: limits.nodes, open: Vec::new(), shapes: Recent::default() };
    // A byte order mark is no part of a JSON text, but senders write it and RFC 8259 section 8.1 lets us ignore it.
    let content = buffer.strip_prefix('\u{feff}').unwrap_or(&buffer);
    let mut grammar = serde_json::Deserializer::from_str(content);
    let read = reader.read(&mut parser, &mut grammar).and_then(|read| grammar.end().map(|()| read));
    read.map_err(|error| {
        if parser.left == 0 && error.is_data() {
            JsonError::TooManyNodes { limit: limits.nodes }
        } else {
            JsonError::Syntax(error)
        }
    })
}

/// What is known while a document is read.
#[derive(Debug)]
pub struct JsonParser<'b> {
    buffer: &'b Arc<str>,
    /// How many more values there may be.
    left: usize,
    /// The values of the lists and objects that have begun; each takes its own off when it ends.
    open: Vec<Value>,
    shapes: Recent,
}

impl JsonParser<'_> {
    /// Counts one value or name; the reading ends with an error if there are too many.
    pub fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        Ok(())
    }

    /// A list begins: to be handed to [`end_list`](Self::end_list).
    #[must_use]
    pub fn begin_list(&self) -> usize {
        self.open.len()
    }

    /// The next item of the list that began last.
    pub fn push(&mut self, item: Value) {
        self.open.push(item);
    }

    /// The list that `begun` began.
    pub fn end_list(&mut self, begun: usize) -> Value {
        // Copied out exactly: a list that grew by itself would keep up to half of its room unused, which no cap would see.
        Value::List(List::new(self.open.drain(begun..).collect()))
    }
}

/// Reads a value.
#[derive(Debug)]
pub struct JsonValue<'p, 'b>(pub &'p mut JsonParser<'b>);

impl<'de> DeserializeSeed<'de> for JsonValue<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.0.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonValue<'_, '_> {
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
        let begun = parser.begin_list();
        while let Some(item) = sequence.next_element_seed(JsonValue(&mut *parser))? {
            parser.push(item);
        }
        Ok(parser.end_list(begun))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let parser = self.0;
        let start = parser.open.len();
        let mut names = Names::default();
        while let Some(name) = members.next_key_seed(NameSeed(&mut *parser))? {
            names.push(name, &parser.shapes);
            let value = members.next_value_seed(JsonValue(&mut *parser))?;
            parser.open.push(value);
        }
        let values = parser.open.drain(start..);
        Ok(Value::Object(names.object(values, &mut parser.shapes)))
    }
}

/// Reads past a value.
#[derive(Debug)]
pub struct JsonSkipped<'p, 'b>(pub &'p mut JsonParser<'b>);

impl<'de> DeserializeSeed<'de> for JsonSkipped<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.0.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSkipped<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    ignore_scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(JsonSkipped(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(JsonSkipped(&mut *self.0))?.is_some() {
            members.next_value_seed(JsonSkipped(&mut *self.0))?;
        }
        Ok(())
    }
}

struct NameSeed<'p, 'b>(&'p mut JsonParser<'b>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_, '_> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        self.0.count()?;
        from.deserialize_str(self)
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

#[cfg(test)]
mod tests {
    use super::super::Object;
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
    fn numbers_are_written_as_they_were_read() {
        for text in
            ["639.4267984578837", "52.520006599999995", "-1.996150245444706e-194", "5e-324", "0.1", "1e22", "8.0"]
        {
            let mut written = String::new();
            super::super::write_json(&parse(text).unwrap_or_default(), &mut written);
            assert_eq!(written, text);
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
