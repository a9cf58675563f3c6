//! The key of a stored response (RFC 9111, section 2): everything that selects it, written out in full.
//!
//! A key is the injective encoding of a tuple: what is being cached (a route, an upstream call), then each declared input by
//! section, name and typed value, then the variant. Every part carries its own length, so no two tuples share an encoding and no
//! delimiter can be forged; the whole encoding is kept and compared, never a digest alone. Which inputs belong in it is derived by
//! the floors above.
//!
//! A look-up allocates nothing: [`KeyBuilder`] writes into memory of its own and lends a [`Lookup`], whose hash is computed once
//! and serves shard, bucket and comparison.

mod read;

pub use read::{KeyPart, KeyParts};

use crate::value::{Origin, Value};
use quick_cache::Equivalent;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Where an input of a request comes from. The order of the variants is the canonical order of a key's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Section {
    /// A parameter of the path.
    Param = 1,
    /// A declared query key.
    Query = 2,
    /// A request header that the response depends on.
    Header = 3,
    /// A cookie with an enumerated set of values.
    Cookie = 4,
    /// Anything else that selects among responses: a negotiated language, a host, a part of an upstream call.
    Variant = 5,
    /// What is kept beside the response itself, such as one that stands for it meanwhile.
    Beside = 6,
}

/// Seeds the hashes of this process, so that nobody outside can choose keys that collide.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Bytes that a builder holds without allocating: longer than nearly every key.
const INLINE: usize = 256;

/// The key of a stored response. Cloning it is a reference count.
#[derive(Clone)]
pub struct Key {
    hash: u64,
    bytes: Arc<[u8]>,
}

impl Key {
    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the encoding. Differs from one process to the next.
    pub fn seeded_hash(&self) -> u64 {
        self.hash
    }

    /// This key, lent for a look-up.
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup { hash: self.hash, bytes: &self.bytes }
    }

    /// The key of what is kept beside what this one is for, and not in its place. Equal for equal keys and names, and for no others.
    #[must_use]
    pub fn beside(&self, name: &str) -> Self {
        let mut bytes = Buffer::new();
        bytes.extend(&self.bytes);
        bytes.push(Section::Beside as u8);
        bytes.text(name);
        bytes.push(ABSENT);
        let bytes = bytes.as_slice();
        Self { hash: SEED.hash_one(bytes), bytes: bytes.into() }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({})", self.bytes.escape_ascii())
    }
}

/// A key that is looked up: borrowed bytes and their hash.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    hash: u64,
    bytes: &'a [u8],
}

impl<'a> Lookup<'a> {
    /// The encoding.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The hash of the encoding. Differs from one process to the next.
    pub fn seeded_hash(&self) -> u64 {
        self.hash
    }

    /// The owned key, to store something under. Allocates once.
    pub fn to_key(&self) -> Key {
        Key { hash: self.hash, bytes: self.bytes.into() }
    }
}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.hash == key.hash && *self.bytes == *key.bytes
    }
}

impl fmt::Debug for Lookup<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lookup({})", self.bytes.escape_ascii())
    }
}

/// Writes the parts of a key, in canonical order: by section, and within a section by name.
///
/// The order is the caller's to keep (names are sorted once, when a site is compiled) and is asserted in debug builds. Parts out
/// of order could only make equal requests miss each other; different ones can never meet.
pub struct KeyBuilder {
    bytes: Buffer,
    #[cfg(debug_assertions)]
    last: Option<(Section, String)>,
}

impl KeyBuilder {
    /// A key for `subject`: the identity of a route or of a source, unchanged by reloads as long as it means the same.
    pub fn new(subject: &str) -> Self {
        let mut builder = Self {
            bytes: Buffer::new(),
            #[cfg(debug_assertions)]
            last: None,
        };
        builder.bytes.text(subject);
        builder
    }

    /// Begins anew for `subject`, keeping the memory.
    pub fn restart(&mut self, subject: &str) {
        self.bytes.clear();
        #[cfg(debug_assertions)]
        {
            self.last = None;
        }
        self.bytes.text(subject);
    }

    /// An input that the request does not have. Distinct from one that is empty.
    pub fn absent(&mut self, section: Section, name: &str) -> &mut Self {
        self.part(section, name);
        self.bytes.push(ABSENT);
        self
    }

    /// An input that is a string.
    pub fn text(&mut self, section: Section, name: &str, value: &str) -> &mut Self {
        self.part(section, name);
        self.bytes.push(TEXT);
        self.bytes.text(value);
        self
    }

    /// An input that is a string of bytes: a header field as it was received.
    pub fn bytes(&mut self, section: Section, name: &str, value: &[u8]) -> &mut Self {
        self.part(section, name);
        self.bytes.push(BYTES);
        self.bytes.sized(value);
        self
    }

    /// The lines of a header field as they were received, in their order.
    pub fn lines(&mut self, section: Section, name: &str, lines: &[&[u8]]) -> &mut Self {
        self.part(section, name);
        self.bytes.push(LIST);
        self.bytes.length(lines.len());
        for line in lines {
            self.bytes.push(BYTES);
            self.bytes.sized(line);
        }
        self
    }

    /// An input that may be given several times, in the order given: a repeated query key.
    pub fn texts<'t>(
        &mut self,
        section: Section,
        name: &str,
        values: impl ExactSizeIterator<Item = &'t str>,
    ) -> &mut Self {
        self.part(section, name);
        self.bytes.push(LIST);
        self.bytes.length(values.len());
        for value in values {
            self.bytes.push(TEXT);
            self.bytes.text(value);
        }
        self
    }

    /// An input of any type. `null` is distinct from [`KeyBuilder::absent`], an integer from its digits, and `1` from `1.0`.
    pub fn value(&mut self, section: Section, name: &str, value: &Value) -> &mut Self {
        self.part(section, name);
        self.bytes.value(value);
        self
    }

    /// The finished key, lent for a look-up.
    pub fn finish(&self) -> Lookup<'_> {
        let bytes = self.bytes.as_slice();
        Lookup { hash: SEED.hash_one(bytes), bytes }
    }

    fn part(&mut self, section: Section, name: &str) {
        #[cfg(debug_assertions)]
        {
            let next = (section, name.to_owned());
            debug_assert!(self.last.as_ref() < Some(&next), "key parts out of order: {:?} then {next:?}", self.last);
            self.last = Some(next);
        }
        self.bytes.push(section as u8);
        self.bytes.text(name);
    }
}

impl fmt::Debug for KeyBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyBuilder({})", self.bytes.as_slice().escape_ascii())
    }
}

// The first byte of a value says its type. Each type is read without looking past its own end, which makes the whole decodable.
const ABSENT: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INT: u8 = 4;
const UINT: u8 = 5;
const FLOAT: u8 = 6;
const TEXT: u8 = 7;
const MARKUP: u8 = 8;
const BYTES: u8 = 9;
const LIST: u8 = 10;
const OBJECT: u8 = 11;
const AUTHORED: u8 = 12;

/// Bytes on the stack until they outgrow it.
pub(super) struct Buffer {
    length: usize,
    inline: [u8; INLINE],
    /// Holds everything once anything did not fit; empty before.
    spilled: Vec<u8>,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { length: 0, inline: [0; INLINE], spilled: Vec::new() }
    }

    fn clear(&mut self) {
        self.length = 0;
        self.spilled.clear();
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        if self.spilled.is_empty() { self.inline.get(..self.length).unwrap_or_default() } else { &self.spilled }
    }

    fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.spilled.is_empty() {
            let end = self.length + bytes.len();
            if let Some(room) = self.inline.get_mut(self.length..end) {
                room.copy_from_slice(bytes);
                self.length = end;
                return;
            }
            self.spilled.reserve(2 * INLINE + bytes.len());
            self.spilled.extend_from_slice(self.inline.get(..self.length).unwrap_or_default());
        }
        self.spilled.extend_from_slice(bytes);
    }

    /// A length in seven-bit groups, least first: one byte for nearly everything.
    fn length(&mut self, mut length: usize) {
        while length >= 0x80 {
            let [low, ..] = length.to_le_bytes();
            self.push(0x80 | low);
            length >>= 7;
        }
        let [low, ..] = length.to_le_bytes();
        self.push(low);
    }

    pub(super) fn sized(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.extend(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.sized(text.as_bytes());
    }

    fn number(&mut self, kind: u8, bits: [u8; 8]) {
        self.push(kind);
        self.extend(&bits);
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.push(NULL),
            Value::Bool(false) => self.push(FALSE),
            Value::Bool(true) => self.push(TRUE),
            Value::Int(number) => self.number(INT, number.to_be_bytes()),
            Value::UInt(number) => self.number(UINT, number.to_be_bytes()),
            Value::Float(number) => self.number(FLOAT, number.to_bits().to_be_bytes()),
            Value::Text(text) => {
                // Markup is printed otherwise than the same characters from outside, so it selects another response.
                self.push(match text.origin() {
                    Origin::Outside => TEXT,
                    Origin::Markup => MARKUP,
                    Origin::Authored => AUTHORED,
                });
                self.text(text);
            }
            Value::List(items) => {
                self.push(LIST);
                self.length(items.len());
                for item in items.iter() {
                    self.value(item);
                }
            }
            Value::Object(object) => {
                self.push(OBJECT);
                self.length(object.len());
                for (name, member) in object.iter() {
                    self.text(name);
                    self.value(member);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
