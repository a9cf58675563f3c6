//! A shared string that remembers where it came from.
//!
//! A [`Text`] is a range of a reference-counted buffer. All strings of one JSON body share that body, so parsing allocates
//! nothing for a string without escapes, and handing one to a page copies nothing.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Where a string came from, which decides whether it is escaped where it is printed. The order is that of trust: what is put
/// together of two strings has the lesser of their origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Origin {
    /// From a request, an upstream, a file or a declaration: plain text, escaped wherever it lands.
    #[default]
    Outside,
    /// Finished markup that may hold data: sanitised, or captured from a layout's own output. It stands between tags as it is.
    /// To take pieces out of it could set free what its quotes hold.
    Markup,
    /// Markup that the site's authors wrote: in a layout or in a document. There is no data in it.
    Authored,
}

/// A shared, immutable string with its [`Origin`].
#[derive(Clone)]
pub struct Text {
    buffer: Arc<str>,
    start: u32,
    end: u32,
    origin: Origin,
}

impl Text {
    /// The whole of `content`.
    #[must_use]
    pub fn new(content: impl Into<Arc<str>>, origin: Origin) -> Self {
        let buffer: Arc<str> = content.into();
        // Nothing near 4 GiB passes the limits on bodies and files; a longer string is cut rather than wrapped.
        let end = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        Self { buffer, start: 0, end, origin }
    }

    /// The part of `buffer` that `part`, which must be a slice of it, covers; a copy of `part` if it is not.
    #[must_use]
    pub fn slice_of(buffer: &Arc<str>, part: &str, origin: Origin) -> Self {
        let offset = (part.as_ptr() as usize).checked_sub(buffer.as_ptr() as usize);
        if let Some(start) = offset
            && let Some(end) = start.checked_add(part.len())
            && end <= buffer.len()
            && let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end))
        {
            return Self { buffer: Arc::clone(buffer), start, end, origin };
        }
        Self::new(part, origin)
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.buffer.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether the characters are those of `other`. Keys are compared far more often than they are equal, so lengths come first,
    /// and bytes need no look at where characters begin.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        (self.end - self.start) as usize == other.len() && self.bytes() == other.as_bytes()
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.as_bytes().get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Where they came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The same characters with another origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same characters in a buffer of their own, so that a short string does not keep a long body alive.
    #[must_use]
    pub fn compact(&self) -> Self {
        if self.start == 0 && self.end as usize == self.buffer.len() {
            return self.clone();
        }
        Self::new(self.as_str(), self.origin)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.end - self.start == other.end - other.start && self.bytes() == other.bytes()
    }
}

impl Eq for Text {}

impl From<&str> for Text {
    fn from(content: &str) -> Self {
        Self::new(content, Origin::Outside)
    }
}

impl From<String> for Text {
    fn from(content: String) -> Self {
        Self::new(content, Origin::Outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_shares_its_buffer_and_a_stranger_is_copied() {
        let buffer: Arc<str> = "hello world".into();
        let world = Text::slice_of(&buffer, &buffer[6..], Origin::Outside);
        assert_eq!(&*world, "world");
        assert_eq!(Arc::strong_count(&buffer), 2);
        let stranger = String::from("elsewhere");
        assert_eq!(&*Text::slice_of(&buffer, &stranger, Origin::Outside), "elsewhere");
        assert_eq!(Arc::strong_count(&buffer), 2);
        drop(world.compact());
        assert_eq!(Arc::strong_count(&buffer), 2);
    }
}
