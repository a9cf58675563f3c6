//! The one canonical form of each URL path (RFC 3986, sections 3.3 and 6.2.2).
//!
//! A path is a list of segments, each a piece of text. Its canonical form writes every segment in one way: the characters
//! that may stand in a segment (`pchar`) stand for themselves, all others are percent-encoded as UTF-8 in upper-case hex.
//! Two paths have the same canonical form exactly when they decode, once, to the same list of segments.
//!
//! | in the target | becomes |
//! |---|---|
//! | `%7e`, `%2C`, `|`, `é` | `~`, `,`, `%7C`, `%C3%A9` |
//! | `%2F` | stays `%2F`: a character of its segment, never a separator |
//! | `//`, `/./`, `/x/../` | left out, from left to right; `%2e` is a dot |
//! | `..` above the root | [`PathError::Nameless`] |
//! | `%00` and other control characters, `%5C`, what is not UTF-8 when decoded | [`PathError::Nameless`] |
//! | `%zz`, a lone `%`, a raw space, `#`, `\` or control character, no `/` at the start | [`PathError::Malformed`] |
//!
//! A path that is already canonical, which is nearly every path, is recognised in one scan and borrowed.

use std::borrow::Cow;

/// Whether the site's URLs end in a slash; `/` itself always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailingSlash {
    /// `/about`
    #[default]
    Never,
    /// `/about/`. A last segment with a dot (`/feed.xml`) names a file, and has none.
    Always,
}

impl TrailingSlash {
    /// Whether a path whose last segment is `last` ends in a slash.
    fn follows(self, last: &[u8]) -> bool {
        self == Self::Always && !last.contains(&b'.')
    }
}

/// Why a path has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is not a path of a URI: 400.
    #[error("the path is not that of a URI")]
    Malformed,
    /// It is one, but can name nothing here: 404.
    #[error("the path can name nothing")]
    Nameless,
}

/// A path in canonical form: it begins with `/`, has no empty and no dot segments, and is ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path<'t>(&'t str);

impl<'t> Path<'t> {
    /// The path of a site's front page.
    pub const ROOT: Path<'static> = Path("/");

    /// A path that is taken as it was sent, whatever its form, if it begins with `/` and has no control characters.
    pub(super) fn as_sent(text: &'t str) -> Option<Self> {
        let is_path = text.starts_with('/') && !text.bytes().any(|byte| matches!(byte, 0..=b' ' | 0x7F));
        is_path.then_some(Self(text))
    }

    /// The canonical, percent-encoded text.
    pub fn as_str(self) -> &'t str {
        self.0
    }

    /// The text without the slash at its end; empty for the root.
    pub fn without_trailing_slash(self) -> &'t str {
        self.0.strip_suffix('/').unwrap_or(self.0)
    }

    /// The segments, percent-encoded; none for the root.
    pub fn segments(self) -> impl Iterator<Item = &'t str> + Clone {
        self.without_trailing_slash().split('/').skip(1)
    }
}

/// A canonical path that had to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath(String);

impl CanonicalPath {
    /// The path.
    pub fn as_path(&self) -> Path<'_> {
        Path(&self.0)
    }
}

/// A path brought into canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canonical<'t> {
    /// It was spelled so.
    Already(Path<'t>),
    /// It was spelled in another way.
    Other(CanonicalPath),
}

impl Canonical<'_> {
    /// The path in canonical form.
    pub fn as_path(&self) -> Path<'_> {
        match self {
            Self::Already(path) => *path,
            Self::Other(path) => path.as_path(),
        }
    }

    /// The path in canonical form, in a buffer of its own.
    pub fn into_owned(self) -> CanonicalPath {
        match self {
            Self::Already(path) => CanonicalPath(path.0.to_owned()),
            Self::Other(path) => path,
        }
    }
}

/// The canonical form of `raw`, which is the path of a request target, without query.
pub fn canonicalise(raw: &str, slash: TrailingSlash) -> Result<Canonical<'_>, PathError> {
    if is_canonical(raw.as_bytes(), slash) {
        return Ok(Canonical::Already(Path(raw)));
    }
    rewrite(raw, slash).map(|text| Canonical::Other(CanonicalPath(text)))
}

/// Whether `raw` is what [`rewrite`] would make of it.
fn is_canonical(raw: &[u8], slash: TrailingSlash) -> bool {
    if raw == b"/" {
        return true;
    }
    if raw.first() != Some(&b'/') {
        return false;
    }
    let mut at = 1;
    let mut start = 1;
    while let Some(&byte) = raw.get(at) {
        if is_plain(byte) {
            at += 1;
        } else if byte == b'/' {
            let segment = &raw[start..at];
            if is_empty_or_dots(segment) {
                return false;
            }
            at += 1;
            if at == raw.len() {
                return slash.follows(segment);
            }
            start = at;
        } else if byte == b'%' {
            match escaped_char(raw, at) {
                Ok((character, end)) if is_canonical_escape(character, &raw[at..end]) => at = end,
                Ok(_) | Err(_) => return false,
            }
        } else {
            return false;
        }
    }
    let segment = &raw[start..];
    !is_empty_or_dots(segment) && !slash.follows(segment)
}

fn is_canonical_escape(character: char, written: &[u8]) -> bool {
    !u8::try_from(character).is_ok_and(is_plain)
        && is_nameable(character)
        && !written.iter().any(|byte| matches!(byte, b'a'..=b'f'))
}

fn is_empty_or_dots(segment: &[u8]) -> bool {
    matches!(segment, b"" | b"." | b"..")
}

/// Writes the canonical form of `raw`.
fn rewrite(raw: &str, slash: TrailingSlash) -> Result<String, PathError> {
    let relative = raw.strip_prefix('/').ok_or(PathError::Malformed)?;
    if relative.contains([' ', '?', '#']) {
        return Err(PathError::Malformed);
    }
    let mut text = String::with_capacity(raw.len() + 16);
    for segment in relative.split('/') {
        let before = text.len();
        text.push('/');
        push_canonical(&mut text, segment)?;
        match text.as_bytes().get(before + 1..).unwrap_or_default() {
            b"" | b"." => text.truncate(before),
            b".." => {
                text.truncate(before);
                let parent = text.rfind('/').ok_or(PathError::Nameless)?;
                text.truncate(parent);
            }
            _ => {}
        }
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    if text.is_empty() || slash.follows(last.as_bytes()) {
        text.push('/');
    }
    Ok(text)
}

/// Appends `segment` in canonical form; escapes in it are decoded first.
fn push_canonical(text: &mut String, segment: &str) -> Result<(), PathError> {
    let mut rest = segment;
    while let Some(raw) = rest.chars().next() {
        let (character, width) = if raw == '%' { escaped_char(rest.as_bytes(), 0)? } else { (raw, raw.len_utf8()) };
        if !is_nameable(character) {
            return Err(if raw == '%' { PathError::Nameless } else { PathError::Malformed });
        }
        push_char(text, character);
        rest = rest.get(width..).unwrap_or_default();
    }
    Ok(())
}

/// The canonical form of one segment of a declared path.
pub(super) fn canonical_segment(segment: &str) -> Result<String, PathError> {
    let mut text = String::with_capacity(segment.len());
    push_canonical(&mut text, segment)?;
    Ok(text)
}

/// The character that the escapes at `at` stand for, and where they end.
fn escaped_char(bytes: &[u8], at: usize) -> Result<(char, usize), PathError> {
    let first = escaped_byte(bytes, at).ok_or(PathError::Malformed)?;
    let width = match first {
        0x00..=0x7F => return Ok((char::from(first), at + 3)),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        0x80..=0xC1 | 0xF5..=0xFF => return Err(PathError::Nameless),
    };
    let mut encoded = [first, 0, 0, 0];
    for (index, byte) in encoded.iter_mut().enumerate().take(width).skip(1) {
        *byte = escaped_byte(bytes, at + 3 * index).ok_or(PathError::Nameless)?;
    }
    let character = std::str::from_utf8(&encoded[..width]).ok().and_then(|text| text.chars().next());
    Ok((character.ok_or(PathError::Nameless)?, at + 3 * width))
}

/// The byte that the `%XX` at `at` stands for.
pub(super) fn escaped_byte(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(at..at + 3)? else { return None };
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Whether a segment may hold this character at all, escaped or not.
fn is_nameable(character: char) -> bool {
    !character.is_control() && character != '\\'
}

/// `pchar` without escapes (RFC 3986, section 3.3): what stands for itself in a segment.
const fn is_plain(byte: u8) -> bool {
    PLAIN[byte as usize]
}

static PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
    let mut index = 0;
    while index < plain.len() {
        table[plain[index] as usize] = true;
        index += 1;
    }
    table
};

fn push_char(text: &mut String, character: char) {
    if u8::try_from(character).is_ok_and(is_plain) {
        return text.push(character);
    }
    for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
        text.push('%');
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 0xF)]));
    }
}

static HEX: [u8; 16] = *b"0123456789ABCDEF";

/// `value` as one segment of a path, in canonical form: a slash becomes `%2F`, a percent sign `%25`.
///
/// The segments `.` and `..` have no such form (RFC 3986, section 3.3): the caller must refuse them.
pub fn encode_segment(value: &str) -> Cow<'_, str> {
    if value.bytes().all(is_plain) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() + 16);
    for character in value.chars() {
        push_char(&mut text, character);
    }
    Cow::Owned(text)
}

/// The path of a target that has no canonical form, as those may read it who are easily satisfied: all escapes decoded, a backslash for a
/// slash, and a mark for each octet that means nothing.
pub fn as_read(target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let (bytes, mut octets, mut at) = (path.as_bytes(), Vec::with_capacity(path.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let (octet, length) = escaped_byte(bytes, at).map_or((byte, 1), |octet| (octet, 3));
        octets.push(if octet == b'\\' { b'/' } else { octet });
        at += length;
    }
    let text = String::from_utf8_lossy(&octets);
    let mut read = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '/' => read.push('/'),
            character if character.is_control() => push_char(&mut read, char::REPLACEMENT_CHARACTER),
            character => push_char(&mut read, character),
        }
    }
    read
}

/// The text that `encoded`, a part of a canonical path, stands for.
pub fn decode(encoded: &str) -> Cow<'_, str> {
    let bytes = encoded.as_bytes();
    let Some(first) = memchr::memchr(b'%', bytes) else { return Cow::Borrowed(encoded) };
    let mut decoded = Vec::with_capacity(bytes.len());
    decoded.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        if let Some(escaped) = escaped_byte(bytes, at) {
            decoded.push(escaped);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    // A canonical path decodes to UTF-8; anything else handed to this function is not let through half decoded.
    Cow::Owned(String::from_utf8(decoded).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(raw: &str, slash: TrailingSlash) -> Result<String, PathError> {
        canonicalise(raw, slash).map(|path| path.as_path().as_str().to_owned())
    }

    #[test]
    fn every_spelling_has_one_canonical_form() {
        for (raw, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/%2e/", "/"),
            ("/about", "/about"),
            ("/about/", "/about"),
            ("/about//", "/about"),
            ("//evil.example/a", "/evil.example/a"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/%2E%2e/b", "/b"),
            ("/a//../b", "/b"),
            ("/a/b/..", "/a"),
            ("/a/..", "/"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/%7euser", "/~user"),
            ("/a%2cb", "/a,b"),
            ("/a|b\"c", "/a%7Cb%22c"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%252Fb", "/a%252Fb"),
            ("/%25zz", "/%25zz"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/%F0%9F%8E%89", "/%F0%9F%8E%89"),
            ("/a+b", "/a+b"),
            ("/a%20b", "/a%20b"),
            ("/%3Fq", "/%3Fq"),
            ("/@scope:x;y=1", "/@scope:x;y=1"),
        ] {
            assert_eq!(canonical(raw, TrailingSlash::Never).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn what_can_name_nothing_is_told_from_what_is_no_path() {
        for raw in [
            "/..",
            "/a/../..",
            "/%2e%2e/etc",
            "/%00",
            "/a%0Ab",
            "/%7F",
            "/%C2%85",
            "/%5C",
            "/%FF",
            "/%C3",
            "/%C3/%A9",
            "/%C0%AF",
            "/%ED%A0%80",
            "/%F4%90%80%80",
            "/%C3a",
        ] {
            assert_eq!(canonical(raw, TrailingSlash::Never), Err(PathError::Nameless), "{raw}");
        }
        for raw in ["", "a", "*", "/%", "/%2", "/%zz", "/%+1", "/a\\b", "/a b", "/a\nb", "/a#b", "/a?b", "/\u{7f}"] {
            assert_eq!(canonical(raw, TrailingSlash::Never), Err(PathError::Malformed), "{raw}");
        }
    }

    #[test]
    fn the_slash_at_the_end_follows_the_rule() {
        for (raw, never, always) in [
            ("/", "/", "/"),
            ("/a", "/a", "/a/"),
            ("/a/", "/a", "/a/"),
            ("/a/b//", "/a/b", "/a/b/"),
            ("/feed.xml", "/feed.xml", "/feed.xml"),
            ("/feed.xml/", "/feed.xml", "/feed.xml"),
            ("/v1.2/a", "/v1.2/a", "/v1.2/a/"),
        ] {
            assert_eq!(canonical(raw, TrailingSlash::Never).as_deref(), Ok(never), "{raw}");
            assert_eq!(canonical(raw, TrailingSlash::Always).as_deref(), Ok(always), "{raw}");
        }
    }

    #[test]
    fn a_canonical_path_is_borrowed() {
        for raw in ["/", "/a/b", "/caf%C3%A9", "/a%2Fb", "/.a/b..c"] {
            assert!(matches!(canonicalise(raw, TrailingSlash::Never), Ok(Canonical::Already(_))), "{raw}");
        }
        for raw in ["/a/", "/a//b", "/%61", "/caf%c3%a9", "/./a", "/a/.."] {
            assert!(matches!(canonicalise(raw, TrailingSlash::Never), Ok(Canonical::Other(_))), "{raw}");
        }
    }

    #[test]
    fn decoding_happens_once() {
        assert_eq!(decode("a%2Fb"), "a/b");
        assert_eq!(decode("%252F"), "%2F");
        assert_eq!(decode("caf%C3%A9"), "caf\u{e9}");
        assert_eq!(encode_segment("a/b%c \u{e9}"), "a%2Fb%25c%20%C3%A9");
    }
}
