//! A key read again: its parts, for people who ask what a page is stored under.
//!
//! It reads what the builder wrote, so that what is told of a key is the key.

use super::{
    ABSENT, AUTHORED, BYTES, Buffer, FALSE, FLOAT, INT, LIST, Lookup, MARKUP, NULL, OBJECT, SEED, Section, TEXT, TRUE,
    UINT,
};
use std::fmt::Write as _;
use std::hash::BuildHasher as _;

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

impl Lookup<'_> {
    /// The hash of what the keys of all variants of a URL have in common: everything but the fields of the request, which may say anything.
    /// `None` if there is only one of it.
    pub(in crate::cache) fn family(self) -> Option<u64> {
        let mut rest = Rest(self.as_bytes());
        let mut common = Buffer::new();
        common.text(rest.text()?);
        let mut has_fields = false;
        while !rest.0.is_empty() {
            let part = rest.0;
            let is_field = rest.byte()? == Section::Header as u8;
            rest.text()?;
            rest.skip()?;
            has_fields |= is_field;
            if !is_field {
                common.extend(part.get(..part.len() - rest.0.len())?);
            }
        }
        has_fields.then(|| SEED.hash_one(common.as_slice()))
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

    /// Leaves out a value.
    fn skip(&mut self) -> Option<()> {
        match self.byte()? {
            ABSENT | NULL | FALSE | TRUE => {}
            INT | UINT | FLOAT => drop(self.number()?),
            TEXT | MARKUP | BYTES | AUTHORED => drop(self.sized()?),
            LIST => {
                for _ in 0..self.length()? {
                    self.skip()?;
                }
            }
            OBJECT => {
                for _ in 0..self.length()? {
                    self.text()?;
                    self.skip()?;
                }
            }
            _ => return None,
        }
        Some(())
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

    #[test]
    fn variants_of_a_url_differ_in_fields_alone() {
        let family = |id: &str, fields: &[(&str, &[u8])], theme: &str, value: &Value| {
            let mut key = KeyBuilder::new("routes/a.toml@1");
            key.text(Section::Param, "id", id);
            for (name, value) in fields {
                key.bytes(Section::Header, name, value);
            }
            key.text(Section::Cookie, "theme", theme).value(Section::Variant, "of", value);
            key.finish().family()
        };
        let null = Value::Null;
        let some = family("7", &[("accept-language", b"de")], "dark", &null);
        assert!(some.is_some());
        for fields in [&[("accept-language", &b"en"[..])][..], &[("accept-language", b""), ("user-agent", b"\xff\0")]] {
            assert_eq!(family("7", fields, "dark", &null), some, "{fields:?}");
        }
        let list = Value::list(vec![Value::Int(1), Value::Float(1.5), Value::text("a")]);
        let object: Value = [("a".to_owned(), list.clone())].into_iter().collect::<crate::value::Object>().into();
        let others = [("8", "dark", &null), ("7", "light", &null), ("7", "dark", &list), ("7", "dark", &object)];
        let mut seen = vec![some];
        for (id, theme, value) in others {
            let other = family(id, &[("accept-language", b"de")], theme, value);
            assert!(other.is_some() && !seen.contains(&other), "{id} {theme} {value:?}");
            seen.push(other);
            assert_eq!(family(id, &[], theme, value), None, "nothing may be said");
        }
        let mut key = KeyBuilder::new("routes/a.toml@1");
        key.absent(Section::Header, "accept-language");
        let key = key.finish().to_key();
        let beside = key.beside("degraded");
        assert!(key.lookup().family().is_some() && key.lookup().family() != beside.lookup().family());
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
