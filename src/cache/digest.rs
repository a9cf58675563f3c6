//! Digests of what something was made of: equal digests, equal things.
//!
//! What goes in is encoded as in a [key](super::key): every part carries its own length, so that no two sequences of parts are the same
//! bytes. The digest (BLAKE3) has no secret in it, and so is the same in every process that is given the same; nobody can find two inputs
//! of one digest, whoever chooses them.

use super::key::Buffer;
use crate::value::Value;
use std::fmt;

/// The digest of what something was made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; blake3::OUT_LEN]);

impl Digest {
    /// The digest of a value: of its types, its names in their order, and where its strings came from, all of which a page can show.
    pub fn of(value: &Value) -> Self {
        let mut parts = Digester::new("value");
        parts.value(value);
        parts.finish()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Half of its bytes, in hexadecimal digits: enough for a name.
    pub fn short(&self) -> String {
        let mut hex = blake3::Hash::from_bytes(self.0).to_hex().to_string();
        hex.truncate(32);
        hex
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({})", blake3::Hash::from_bytes(self.0))
    }
}

/// From so many bytes on, what stands behind the parts goes into a digest by one of its own.
const LONG: usize = 1024;

/// Collects the parts of which a digest is made.
pub struct Digester(Buffer);

impl Digester {
    /// For a digest of this kind of thing. Digests of different kinds are never equal.
    pub fn new(kind: &str) -> Self {
        let mut buffer = Buffer::new();
        buffer.text(kind);
        Self(buffer)
    }

    /// A string of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.sized(bytes);
        self
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend(&number.to_be_bytes());
        self
    }

    /// A value.
    pub fn value(&mut self, value: &Value) -> &mut Self {
        self.0.value(value);
        self
    }

    /// What has a digest of its own.
    pub fn digest(&mut self, digest: Digest) -> &mut Self {
        self.0.extend(&digest.0);
        self
    }

    /// The digest of the parts so far.
    pub fn finish(&self) -> Digest {
        self.finish_with(&[])
    }

    /// The digest of the parts so far and of `last` behind them, which may be long and is not copied.
    pub fn finish_with(&self, last: &[u8]) -> Digest {
        let parts = self.0.as_slice();
        let mut hasher = blake3::Hasher::new();
        // Where the parts end is said, so that nothing can move from one side of it to the other; at the end, because the function works
        // on many kilobytes at once only as long as nothing stands before them. For the same reason what is long goes in by its digest.
        if last.len() > LONG {
            hasher.update(parts).update(blake3::hash(last).as_bytes()).update(&[1]);
        } else {
            hasher.update(parts).update(last).update(&[0]);
        }
        hasher.update(&(parts.len() as u64).to_be_bytes());
        Digest(*hasher.finalize().as_bytes())
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digester({})", self.0.as_slice().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, parse_json};

    fn json(text: &str) -> Value {
        parse_json(text, JsonLimits::default()).unwrap()
    }

    #[test]
    fn what_a_page_could_tell_apart_has_another_digest() {
        let different = [
            Value::Null,
            json("false"),
            json("0"),
            json("0.5"),
            json("\"0\""),
            Value::markup("0"),
            Value::authored("0"),
            json("[]"),
            json("[\"0\"]"),
            json("[[],\"0\"]"),
            json("[[\"0\"]]"),
            json("{}"),
            json("{\"a\":1,\"b\":2}"),
            // Loops go through the members in their order.
            json("{\"b\":2,\"a\":1}"),
            json("{\"a\":{\"b\":2}}"),
        ];
        for (at, left) in different.iter().enumerate() {
            for right in different.get(at + 1..).unwrap() {
                assert_ne!(Digest::of(left), Digest::of(right), "{left:?} {right:?}");
            }
            assert_eq!(Digest::of(left), Digest::of(&left.clone()));
        }
    }

    #[test]
    fn nothing_moves_from_one_part_to_the_next() {
        let digest = |parts: &[&[u8]], last: &[u8]| {
            let mut digester = Digester::new("test");
            for part in parts {
                digester.bytes(part);
            }
            digester.finish_with(last)
        };
        let all = [
            digest(&[b"ab", b"c"], b""),
            digest(&[b"a", b"bc"], b""),
            digest(&[b"abc"], b""),
            digest(&[b"ab"], b"\x01c"),
            digest(&[b"ab", b"c"], b"\0"),
            Digester::new("other").finish(),
        ];
        for (at, left) in all.iter().enumerate() {
            assert!(!all.get(at + 1..).unwrap().contains(left), "{at}");
        }
    }

    #[test]
    fn it_is_the_same_in_every_process() {
        let digest = Digest::of(&json("{\"a\":[1,\"b\",null]}"));
        assert_eq!(format!("{digest:?}"), "Digest(e5523e7764def9ab61cda3991c296cef398d9fecc4bedc0bae0e6fea40b5254a)");
    }
}
