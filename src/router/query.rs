//! The query of a target as pairs (WHATWG URL, application/x-www-form-urlencoded): `q=liquid+layouts&tag=a&tag=b`.
//!
//! `+` is a space, `%XX` a byte, decoded once. What no page may rely on is defined here: a value that does not decode to
//! text is [`QueryValue::Invalid`], an empty one is absent, and pairs beyond the 256th are not read.

use super::path::escaped_byte;
use std::borrow::Cow;

/// At most so many pairs are read.
const MOST_PAIRS: usize = 256;

/// The pairs of a query, decoded as they are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'t>(&'t str);

/// A decoded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryValue<'t> {
    /// Its text, never empty.
    Text(Cow<'t, str>),
    /// It is not UTF-8, an escape in it is broken, or it holds U+0000, which no text does.
    Invalid,
}

impl<'t> Query<'t> {
    /// The query behind the `?` of a target, undecoded.
    pub fn new(query: Option<&'t str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// All pairs whose name decodes, as long as their value is not empty.
    pub fn pairs(self) -> impl Iterator<Item = (Cow<'t, str>, QueryValue<'t>)> {
        self.0.split('&').filter(|pair| !pair.is_empty()).take(MOST_PAIRS).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = match decode_form(value) {
                Some(text) if text.is_empty() => return None,
                Some(text) => QueryValue::Text(text),
                None => QueryValue::Invalid,
            };
            Some((decode_form(name)?, value))
        })
    }

    /// All values of `name`, in order.
    pub fn all(self, name: &str) -> impl Iterator<Item = QueryValue<'t>> {
        self.pairs().filter(move |(other, _)| other == name).map(|(_, value)| value)
    }

    /// The first value of `name`: the one that counts unless a declaration says that it may repeat.
    pub fn first(self, name: &str) -> Option<QueryValue<'t>> {
        self.all(name).next()
    }
}

/// The text that a name or value stands for; borrowed unless something in it is escaped.
fn decode_form(encoded: &str) -> Option<Cow<'_, str>> {
    let bytes = encoded.as_bytes();
    if memchr::memchr2(b'%', b'+', bytes).is_none() {
        return Some(Cow::Borrowed(encoded));
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += if byte == b'%' { 3 } else { 1 };
        decoded.push(match byte {
            b'%' => escaped_byte(bytes, at - 3)?,
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.contains('\0')).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> QueryValue<'_> {
        QueryValue::Text(text.into())
    }

    #[test]
    fn values_are_decoded_once_and_empty_ones_are_absent() {
        let first = |query: &'static str| Query::new(Some(query)).first("q");
        for (query, expected) in [
            ("q=liquid", Some(text("liquid"))),
            ("q=a+b%20c%2B", Some(text("a b c+"))),
            ("q=%252F", Some(text("%2F"))),
            ("%71=x", Some(text("x"))),
            ("q=a=b", Some(text("a=b"))),
            ("x=1&&q=2&q=3", Some(text("2"))),
            ("q=&q=3", Some(text("3"))),
            ("q=caf%C3%A9", Some(text("caf\u{e9}"))),
            ("q=%FF", Some(QueryValue::Invalid)),
            ("q=%zz", Some(QueryValue::Invalid)),
            ("q=100%", Some(QueryValue::Invalid)),
            ("q=%2", Some(QueryValue::Invalid)),
            ("q=a%00", Some(QueryValue::Invalid)),
            ("q=%C0%AF", Some(QueryValue::Invalid)),
            ("q=%ED%A0%80", Some(QueryValue::Invalid)),
            ("q=", None),
            ("q", None),
            ("Q=1", None),
            ("%FF=1", None),
            ("", None),
        ] {
            assert_eq!(first(query), expected, "{query}");
        }
        assert_eq!(Query::new(None).first("q"), None);
    }

    #[test]
    fn a_repeated_name_has_all_its_values() {
        let tags: Vec<_> = Query::new(Some("tag=a&x=1&tag=b&tag=")).all("tag").collect();
        assert_eq!(tags, [text("a"), text("b")]);
    }

    #[test]
    fn plain_values_are_borrowed_and_floods_are_cut() {
        assert!(matches!(Query::new(Some("q=a")).first("q"), Some(QueryValue::Text(Cow::Borrowed("a")))));
        let flood = "x=1&".repeat(256) + "q=late";
        assert_eq!(Query::new(Some(&flood)).first("q"), None);
        assert_eq!(Query::new(Some(&flood)).all("x").count(), 256);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_query_is_too_odd(query in "\\PC{0,40}") {
            Query::new(Some(&query)).pairs().count();
        }
    }
}
