//! A key read again: its parts, for people who ask what a page is stored under.
//!
//! It reads what the builder wrote, so that what is told of a key is the key.

use super::{
    ABSENT, AUTHORED, BYTES, FALSE, FLOAT, INT, LIST, Lookup, MARKUP, NULL, OBJECT, Section, TEXT, TRUE, UINT,
};
use std::fmt::Write as _;

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyParts {
    /// What is stored: a route and its revision.
    pub subject: String,
    /// Its inputs, in canonical order.
    pub parts: Vec<KeyPart>,
}

/// An input in a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Where it comes from.
    pub section: Section,
    /// Its name.
    pub name: String,
    /// Its value in words, strings in quotes; `None` if the request does not have it.
    pub value: Option<String>,
}

impl Section {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Param => "param",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Variant => "variant",
            Self::Beside => "beside",
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::Param, Self::Query, Self::Header, Self::Cookie, Self::Variant, Self::Beside]
            .into_iter()
            .find(|section| *section as u8 == byte)
    }
}

impl Lookup<'_> {
    /// What the key says; `None` for bytes that no builder wrote.
    #[must_use]
    pub fn parts(self) -> Option<KeyParts> {
        let mut rest = Rest(self.as_bytes());
        let subject = rest.text()?.to_owned();
        let mut parts = Vec::new();
        while !rest.0.is_empty() {
            let section = Section::of(rest.byte()?)?;
            let name = rest.text()?.to_owned();
            let mut value = String::new();
            let is_there = rest.0.first() != Some(&ABSENT);
            rest.value(&mut value)?;
            parts.push(KeyPart { section, name, value: is_there.then_some(value) });
        }
        Some(KeyParts { subject, parts })
    }
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn length(&mut self) -> Option<usize> {
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.sized()?).ok()
    }

    fn number(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    /// Appends a value in words.
    fn value(&mut self, out: &mut String) -> Option<()> {
        let kind = self.byte()?;
        match kind {
            ABSENT => out.push_str("absent"),
            NULL => out.push_str("null"),
            FALSE => out.push_str("false"),
            TRUE => out.push_str("true"),
            INT => write!(out, "{}", i64::from_be_bytes(self.number()?)).ok()?,
            UINT => write!(out, "{}", u64::from_be_bytes(self.number()?)).ok()?,
            FLOAT => write!(out, "{:?}", f64::from_bits(u64::from_be_bytes(self.number()?))).ok()?,
            TEXT | MARKUP | AUTHORED => write!(out, "{:?}", self.text()?).ok()?,
            BYTES => write!(out, "\"{}\"", self.sized()?.escape_ascii()).ok()?,
            LIST => {
                let count = self.length()?;
                out.push('[');
                for at in 0..count {
                    out.push_str(if at > 0 { ", " } else { "" });
                    self.value(out)?;
                }
                out.push(']');
            }
            OBJECT => {
                let count = self.length()?;
                out.push('{');
                for at in 0..count {
                    out.push_str(if at > 0 { ", " } else { "" });
                    write!(out, "{:?}: ", self.text()?).ok()?;
                    self.value(out)?;
                }
                out.push('}');
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::KeyBuilder;
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;

    #[test]
    fn a_key_tells_what_it_was_made_of() {
        let mut key = KeyBuilder::new("routes/a.toml@1");
        key.text(Section::Param, "id", "7").absent(Section::Query, "page");
        key.texts(Section::Query, "tag", ["a\"b", "c"].into_iter()).bytes(Section::Header, "accept", b"\xff*/*");
        key.value(Section::Variant, "of", &Value::list(vec![Value::Int(-1), Value::Null, Value::Bool(true)]));
        let KeyParts { subject, parts } = key.finish().parts().unwrap();
        assert_eq!(subject, "routes/a.toml@1");
        let said: Vec<(&str, &str, Option<&str>)> =
            parts.iter().map(|part| (part.section.name(), &*part.name, part.value.as_deref())).collect();
        let expected = [
            ("param", "id", Some("\"7\"")),
            ("query", "page", None),
            ("query", "tag", Some("[\"a\\\"b\", \"c\"]")),
            ("header", "accept", Some("\"\\xff*/*\"")),
            ("variant", "of", Some("[-1, null, true]")),
        ];
        assert_eq!(said, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_text_is_read_again(subject in ".{0,200}", name in ".{0,300}", value in ".{0,300}") {
            let mut key = KeyBuilder::new(&subject);
            key.text(Section::Query, &name, &value);
            let parts = key.finish().parts().unwrap();
            prop_assert_eq!(parts.subject, subject);
            let expected = KeyPart { section: Section::Query, name, value: Some(format!("{value:?}")) };
            prop_assert_eq!(parts.parts, vec![expected]);
        }
    }
}
