//! Entity tags (RFC 9110, section 8.8.3) and the lists of them in `If-Match` and `If-None-Match` (sections 13.1.1, 13.1.2).
//!
//! Borrowed from the field throughout: comparing allocates nothing.

use http::HeaderValue;

/// An entity tag: opaque characters that name one state of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads `"…"` or `W/"…"`, and nothing else.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (tag, after) = Self::parse_prefix(text)?;
        after.is_empty().then_some(tag)
    }

    /// Reads a tag at the start of `text`, and returns what follows it.
    fn parse_prefix(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = text.strip_prefix(b"W/").map_or((false, text), |quoted| (true, quoted));
        let opened = quoted.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', opened)?;
        let (opaque, closed) = opened.split_at(end);
        let valid = opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF));
        valid.then_some((Self { weak, opaque }, closed.get(1..).unwrap_or_default()))
    }

    /// Whether it only promises equivalence, not equal bytes.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// The characters between the quotes.
    pub fn opaque(&self) -> &'a [u8] {
        self.opaque
    }

    /// Equal bytes: both are strong and the same (section 8.8.3.2).
    pub fn strongly_equals(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Equivalent: the same but for their strength (section 8.8.3.2).
    pub fn weakly_equals(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// The tags of `If-Match` or `If-None-Match`, over all its field lines.
#[derive(Debug, Clone, Copy)]
pub struct TagList<I>(pub I);

impl<'a, I: Iterator<Item = &'a HeaderValue>> TagList<I> {
    /// Whether some tag is strongly equal to that of the current representation, or the list is `*`.
    pub fn has_strongly(self, current: Option<&EntityTag<'_>>) -> bool {
        self.has(|tag| current.is_some_and(|current| tag.strongly_equals(current)))
    }

    /// Whether some tag is weakly equal to that of the current representation, or the list is `*`.
    pub fn has_weakly(self, current: Option<&EntityTag<'_>>) -> bool {
        self.has(|tag| current.is_some_and(|current| tag.weakly_equals(current)))
    }

    fn has(mut self, mut is_current: impl FnMut(EntityTag<'a>) -> bool) -> bool {
        self.0.any(|line| {
            let line = line.as_bytes().trim_ascii();
            line == b"*" || tags(line).any(&mut is_current)
        })
    }
}

/// The tags of one line, up to the first that is malformed. Not split at commas: a tag may hold some.
fn tags(line: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut left = line;
    std::iter::from_fn(move || {
        let start = left.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        let (tag, after) = EntityTag::parse_prefix(left.get(start..)?)?;
        let separated = matches!(after.trim_ascii_start(), [] | [b',', ..]);
        left = after;
        separated.then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> EntityTag<'_> {
        EntityTag::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn comparison_follows_the_table_of_the_rfc() {
        // RFC 9110, section 8.8.3.2.
        for (one, two, strong, weak) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ] {
            assert_eq!(tag(one).strongly_equals(&tag(two)), strong, "{one} {two}");
            assert_eq!(tag(one).weakly_equals(&tag(two)), weak, "{one} {two}");
        }
    }

    #[test]
    fn only_tags_are_tags() {
        for bad in ["", "xyzzy", "\"", "\"a", "w/\"a\"", "W/ \"a\"", "\"a\"b", "\"a b\"", "*"] {
            assert_eq!(EntityTag::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(tag("\"\"").opaque(), b"");
    }

    #[test]
    fn lists_are_searched_over_all_lines() {
        let found = |lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_str(line).unwrap()).collect();
            TagList(lines.iter()).has_weakly(Some(&tag("\"a,b\"")))
        };
        assert!(found(&["\"x\", \"a,b\""]));
        assert!(found(&["\"x\"", "W/\"a,b\""]));
        assert!(found(&[" ,, \"x\"\t,\"a,b\","]));
        assert!(found(&["*"]));
        assert!(!found(&["\"x\", *"]));
        assert!(!found(&["a,b"]));
        assert!(!found(&["\"x\"\"a,b\""]));
        assert!(!found(&["\"a\", \"b\""]));
        assert!(!found(&[""]));
    }
}
