//! The tags of a page as content delivery networks take them: `Cache-Tag`, `Surrogate-Key` and their like.
//!
//! There is no standard. All of them take visible ASCII, differ in what stands between two tags, and read no more than some kilobytes; so
//! what a tag may not hold is percent-encoded, and what does not fit is left out whole.

use super::super::{code, header};
use crate::diagnostic::{Finding, Findings, Spanned};
use http::header::{HeaderName, HeaderValue};
use std::collections::HashSet;
use std::fmt::Write as _;

/// The most bytes of the field's value: what the least generous of the large networks reads.
const MOST_BYTES: usize = 8_000;
/// The most bytes of one tag.
const MOST_OF_A_TAG: usize = 1_024;

/// The fields whose tags are separated by spaces; all others have commas.
const WITH_SPACES: [&str; 2] = ["surrogate-key", "xkey"];

/// A field that holds tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagHeader {
    /// Its name.
    pub name: HeaderName,
    separator: &'static str,
}

impl TagHeader {
    /// The field of this name, unless it means something else.
    pub(super) fn compile(name: &Spanned<String>, findings: &mut Findings) -> Option<Self> {
        const HELP: &str = "write the one that your network reads: \"Cache-Tag\" or \"Surrogate-Key\"";
        let refused = |message: String| Finding::new(&code::TAG_HEADER, name.place, message).help(HELP);
        let Ok(field) = HeaderName::from_bytes(name.value.as_bytes()) else {
            findings.push(refused(format!("`{}` is not the name of a header field", name.value)));
            return None;
        };
        if header::instead(&field).is_some() || header::has_meaning(&field) {
            findings.push(refused(format!("`{}` says something else than tags", name.value)));
            return None;
        }
        let separator = if WITH_SPACES.contains(&field.as_str()) { " " } else { "," };
        Some(Self { name: field, separator })
    }

    /// The value that says `tags`, and how many of them did not fit; no value if there are none.
    pub fn value<'t>(&self, tags: impl IntoIterator<Item = &'t str>) -> (Option<HeaderValue>, usize) {
        let (mut value, mut left_out) = (String::new(), 0);
        let mut seen = HashSet::new();
        for tag in tags.into_iter().filter(|tag| seen.insert(*tag)) {
            let start = value.len();
            if start > 0 {
                value.push_str(self.separator);
            }
            let first = value.len();
            encode(tag, &mut value);
            if value.len() > MOST_BYTES || value.len() - first > MOST_OF_A_TAG || value.len() == first {
                left_out += usize::from(value.len() != first);
                value.truncate(start);
            }
        }
        // Nothing but visible characters and spaces was written.
        let value = if value.is_empty() { None } else { HeaderValue::from_str(&value).ok() };
        (value, left_out)
    }
}

/// Writes what none of these fields takes within a tag as `%` and its bytes in hexadecimal digits.
fn encode(tag: &str, out: &mut String) {
    for byte in tag.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Files, Place};

    fn compile(name: &str) -> Option<TagHeader> {
        let place = Place::new(Files::default().add("a", ""), 0..0);
        TagHeader::compile(&Spanned::new(name.to_owned(), place), &mut Findings::default())
    }

    #[test]
    fn tags_are_separated_as_each_field_wants_it() {
        let tags = ["route:a.toml", "a b,c", "route:a.toml", "gr\u{fc}n\n", "", "source:repo?owner=a%20b"];
        for (name, expected) in [
            ("Cache-Tag", "route:a.toml,a%20b%2Cc,gr%C3%BCn%0A,source:repo?owner=a%20b"),
            ("Surrogate-Key", "route:a.toml a%20b%2Cc gr%C3%BCn%0A source:repo?owner=a%20b"),
        ] {
            let (value, left_out) = compile(name).unwrap().value(tags);
            assert_eq!((value.unwrap().to_str().unwrap(), left_out), (expected, 0), "{name}");
        }
        assert_eq!(compile("Cache-Tag").unwrap().value([]), (None, 0));
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let tags: Vec<String> = (0..1_000).map(|at| format!("tag-{at:04}-xxxx")).collect();
        let (value, left_out) = compile("Cache-Tag").unwrap().value(tags.iter().map(String::as_str));
        let value = value.unwrap();
        assert!(value.len() <= MOST_BYTES && value.len() > MOST_BYTES - 20, "{}", value.len());
        let kept = value.to_str().unwrap().split(',').count();
        assert_eq!(kept + left_out, tags.len());
        let long = "x".repeat(MOST_OF_A_TAG + 1);
        assert_eq!(compile("Cache-Tag").unwrap().value([&*long, "b"]), (Some(HeaderValue::from_static("b")), 1));
    }

    #[test]
    fn fields_that_mean_something_else_are_refused() {
        for name in ["", "a b", "Cache-Control", "set-cookie", "Vary", "x-frame-options", "Access-Control-Allow-Origin"]
        {
            assert_eq!(compile(name), None, "{name}");
        }
        for name in ["Cache-Tag", "Edge-Cache-Tag", "surrogate-key", "xkey", "X-Cache-Tags"] {
            assert!(compile(name).is_some(), "{name}");
        }
    }
}
