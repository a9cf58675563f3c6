//! What a render writes into.
//!
//! It is UTF-8, because whole strings are appended to it, cut only where ASCII stands, and held as bytes: a page is sent as
//! bytes, and whoever replaces characters would ask at each of them whether a character begins there.

use std::fmt;

/// Text on its way out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// An empty one with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text as it is sent.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The text as a string, which is looked through once.
    #[must_use]
    pub fn into_string(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    #[inline]
    pub(super) fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends ASCII.
    #[inline]
    pub(super) fn push_ascii(&mut self, character: u8) {
        self.bytes.push(character);
    }

    /// Appends bytes of a string that begin and end with characters.
    #[inline]
    pub(super) fn push_bytes(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
    }

    /// Appends the first `count` of `text`: to copy all of them and take some back costs less than to ask how many there are.
    #[inline]
    pub(super) fn push_first<const N: usize>(&mut self, text: &[u8; N], count: usize) {
        let length = self.bytes.len() + count;
        self.bytes.extend_from_slice(text);
        self.bytes.truncate(length);
    }

    /// Takes back what stands behind `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// Puts ASCII before what stands at `at`.
    pub(super) fn insert_ascii(&mut self, at: usize, character: u8) {
        self.bytes.insert(at.min(self.bytes.len()), character);
    }

    /// The text behind `start`; `None` if no character begins there, because what was before it has changed.
    pub(super) fn since(&self, start: usize) -> Option<&str> {
        self.bytes.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

impl From<&str> for Buffer {
    fn from(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec() }
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}
