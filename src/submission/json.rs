//! JSON that was sent (RFC 8259), strictly: a name that an object has twice is refused, because readers differ in which of them counts.

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::form::{self, media_type};
use super::{Bounded, ReadError, Refusal};
use crate::value::{JsonError, JsonLimits, JsonParser, Object, ReadJson, Shape, Text, Value};

/// The values of one document: each takes about a hundred times what it takes to write one.
const MOST_VALUES: usize = 50_000;

/// Reads a body of at most `most` octets that `fields` say is JSON.
pub async fn read_json<B>(fields: &HeaderMap, body: B, most: u64) -> Result<Value, ReadError>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    form::refuse_coding(fields)?;
    let media_type = media_type(fields)?;
    if !media_type.is_json() {
        return Err(Refusal::MediaType.into());
    }
    if !media_type.is_utf_8() {
        return Err(Refusal::Charset.into());
    }
    let text = String::from_utf8(Bounded::new(body, most)?.all().await?);
    Ok(parse(text.map_err(|_other| Refusal::Encoding)?)?)
}

pub(super) fn parse(text: impl Into<Arc<str>>) -> Result<Value, Refusal> {
    let repeated = Cell::new(false);
    let limits = JsonLimits { nodes: MOST_VALUES };
    crate::value::read_json(text, limits, Strict(&repeated)).map_err(|error| match error {
        JsonError::TooManyNodes { .. } => Refusal::TooManyValues,
        JsonError::Syntax(_) if repeated.get() => Refusal::RepeatedMember,
        JsonError::Syntax(_) => Refusal::NotJson,
    })
}

/// Reads a document, and notes whether a name was repeated.
struct Strict<'r>(&'r Cell<bool>);

impl ReadJson for Strict<'_> {
    type Output = Value;

    fn read<'de, D: Deserializer<'de>>(self, parser: &mut JsonParser<'_>, from: D) -> Result<Value, D::Error> {
        StrictValue { parser, repeated: self.0 }.deserialize(from)
    }
}

struct StrictValue<'p, 'b, 'r> {
    parser: &'p mut JsonParser<'b>,
    repeated: &'r Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for StrictValue<'_, '_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.parser.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue<'_, '_, '_> {
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let Self { parser, repeated } = self;
        let begun = parser.begin_list();
        while let Some(item) = sequence.next_element_seed(StrictValue { parser: &mut *parser, repeated })? {
            parser.push(item);
        }
        Ok(parser.end_list(begun))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Self { parser, repeated } = self;
        let (mut names, mut values) = (Vec::new(), Vec::new());
        while let Some(name) = members.next_key::<String>()? {
            parser.count()?;
            names.push(Text::from(name));
            values.push(members.next_value_seed(StrictValue { parser: &mut *parser, repeated })?);
        }
        let shape = Shape::new(names).ok_or_else(|| {
            repeated.set(true);
            A::Error::custom("a repeated member")
        })?;
        Ok(Value::Object(Object::shaped(shape, values)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_could_understand_differently_is_refused() {
        for (text, expected) in [
            ("{\"a\":1,\"a\":1}", Refusal::RepeatedMember),
            ("{\"a\":{\"b\":[{\"c\":1,\"d\":2,\"\\u0063\":3}]}}", Refusal::RepeatedMember),
            ("{\"a\":1}{\"b\":1}", Refusal::NotJson),
            ("{\"a\":1,}", Refusal::NotJson),
            ("{'a':1}", Refusal::NotJson),
            ("{\"a\":NaN}", Refusal::NotJson),
            ("{\"a\":01}", Refusal::NotJson),
            ("{\"a\":\"\\ud800\"}", Refusal::NotJson),
            ("{\"a\":\"\n\"}", Refusal::NotJson),
            ("", Refusal::NotJson),
            (&"[".repeat(200), Refusal::NotJson),
            (&format!("[{}1]", "1,".repeat(MOST_VALUES)), Refusal::TooManyValues),
        ] {
            assert_eq!(parse(text), Err(expected), "{}", text.chars().take(60).collect::<String>());
        }
        // Thirteen names and more are told apart otherwise than a few.
        let many = |last: &str| {
            let members: Vec<String> = (0..20).map(|at| format!("\"m{at}\":{at}")).collect();
            format!("{{{},\"{last}\":0}}", members.join(","))
        };
        assert_eq!(parse(many("m3")), Err(Refusal::RepeatedMember));
        assert_eq!(parse(many("m20")).unwrap().get("m19"), Some(&Value::Int(19)));
    }

    #[test]
    fn values_are_read_as_they_are() {
        let value = parse("{\"a\":[1,-2,1.5,18446744073709551615,true,null,\"x\\n\"],\"b\":{}}").unwrap();
        let mut text = String::new();
        crate::value::write_json(&value, &mut text);
        assert_eq!(text, "{\"a\":[1,-2,1.5,18446744073709551615,true,null,\"x\\n\"],\"b\":{}}");
    }
}
