//! The bytes of a body to a value, by the format a source declares. One function a format.
//!
//! Every format becomes the same data as JSON would, within the same bounds on how many values there are, so that selectors and
//! types know one kind of document only. What each maps to is said where it is read.

mod csv;
mod xml;

pub use self::csv::row as csv_row;

use super::sanitise::{LONGEST_HTML, sanitise};
use crate::value::{JsonError, JsonLimits, Value, parse_json, parse_yaml};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON (RFC 8259).
    #[default]
    Json,
    /// The whole body as one string.
    Text,
    /// The whole body as HTML, of which what is safe in any page is kept: markup afterwards.
    Html,
    /// Comma-separated values (RFC 4180): a list of objects, named by the first row.
    Csv,
    /// One YAML 1.2 document.
    Yaml,
    /// XML 1.0 without a document type: an object that holds the outermost element.
    Xml,
}

/// Why a body gives no value.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A `charset` that we do not read.
    #[error("charset `{0}` is not read")]
    UnknownCharset(String),
    /// The bytes are no UTF-8.
    #[error("the body is not UTF-8: {0}")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// The text is no JSON, or too much of it.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The text is not of its format.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// More values than [`JsonLimits::nodes`].
    #[error("more than {limit} values")]
    TooManyValues {
        /// The limit that was passed.
        limit: usize,
    },
}

/// A mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {format}: {message}")]
pub struct Malformed {
    /// What the text should be, as its users call it.
    pub format: &'static str,
    /// What is wrong.
    pub message: String,
    /// The bytes of the text that are to blame.
    pub range: Range<usize>,
}

impl FormatError {
    /// The same mistake of a text that was read without the byte order mark of `body`.
    fn after_mark(mut self, body: &[u8]) -> Self {
        if let (Self::Malformed(malformed), true) = (&mut self, body.starts_with(MARK)) {
            malformed.range = malformed.range.start + MARK.len()..malformed.range.end + MARK.len();
        }
        self
    }

    /// The bytes of `text`, from which it was read as UTF-8, that are to blame; `None` if none are more than others.
    #[must_use]
    pub fn range(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Malformed(malformed) => Some(malformed.range.clone()),
            Self::Json(JsonError::Syntax(error)) => Some(json_range(text, error.line(), error.column())),
            Self::Json(JsonError::TooManyNodes { .. })
            | Self::TooManyValues { .. }
            | Self::UnknownCharset(_)
            | Self::NotUtf8(_) => None,
        }
    }
}

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The byte before which serde stopped, whose columns count bytes from 1 and whose first line may begin with a byte order mark.
fn json_range(text: &str, line: usize, column: usize) -> Range<usize> {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mark = if line <= 1 { mark } else { 0 };
    let end = (before + mark + column).min(text.len());
    let start = text.floor_char_boundary(end.saturating_sub(1));
    start..text.ceil_char_boundary(end)
}

/// Counts values, and refuses those beyond the limit.
struct Count {
    limit: usize,
    left: usize,
}

impl Count {
    fn new(limits: JsonLimits) -> Self {
        Self { limit: limits.nodes, left: limits.nodes }
    }

    fn take(&mut self, values: usize) -> Result<(), FormatError> {
        self.left = self.left.checked_sub(values).ok_or(FormatError::TooManyValues { limit: self.limit })?;
        Ok(())
    }
}

impl Format {
    const ALL: &[(&str, Self)] = &[
        ("json", Self::Json),
        ("text", Self::Text),
        ("html", Self::Html),
        ("csv", Self::Csv),
        ("yaml", Self::Yaml),
        ("xml", Self::Xml),
    ];

    /// The format that declarations call `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, format)| format)
    }

    /// What declarations call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// The names of all formats, for messages and suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// Reads `body`, which was sent with `content_type`.
    pub fn read(self, body: &[u8], content_type: Option<&str>, limits: JsonLimits) -> Result<Value, FormatError> {
        match self {
            Self::Json => json(body, limits),
            Self::Text => Ok(Value::text(decoded(body, charset(content_type))?)),
            Self::Html => html(&decoded(body, charset(content_type))?),
            Self::Csv => {
                csv::read(&decoded(body, charset(content_type))?, limits).map_err(|error| error.after_mark(body))
            }
            Self::Yaml => yaml(body, limits),
            Self::Xml => {
                let charset = Some(charset(content_type)).filter(|charset| !charset.is_empty());
                let text = decoded(body, charset.unwrap_or_else(|| xml::declared_encoding(body)))?;
                xml::read(text, limits).map_err(|error| error.after_mark(body))
            }
        }
    }
}

/// JSON is UTF-8, whatever `charset` says of it (RFC 8259 sections 8.1 and 11).
fn json(body: &[u8], limits: JsonLimits) -> Result<Value, FormatError> {
    let text: Arc<str> = std::str::from_utf8(body)?.into();
    Ok(parse_json(text, limits)?)
}

fn html(text: &str) -> Result<Value, FormatError> {
    let safe = sanitise(text).ok_or_else(|| Malformed {
        format: "HTML",
        message: format!("longer than {LONGEST_HTML} bytes"),
        range: 0..text.len(),
    })?;
    Ok(Value::markup(safe))
}

/// YAML is UTF-8 for all practical purposes: the other codings of its section 5.2 are met nowhere.
fn yaml(body: &[u8], limits: JsonLimits) -> Result<Value, FormatError> {
    let read = parse_yaml(std::str::from_utf8(body)?, limits.nodes);
    let read = read.map_err(|error| Malformed { format: "YAML", message: error.message, range: error.range })?;
    Ok(read.value)
}

/// The characters of a body, without a byte order mark.
fn decoded<'b>(body: &'b [u8], charset: &str) -> Result<Cow<'b, str>, FormatError> {
    match charset.to_ascii_lowercase().as_str() {
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => {
            let text = std::str::from_utf8(body)?;
            Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
        }
        "iso-8859-1" | "latin1" | "windows-1252" | "cp1252" => Ok(Cow::Owned(windows_1252(body))),
        "utf-16" => Ok(Cow::Owned(utf_16(body, body.starts_with(&[0xfe, 0xff])))),
        "utf-16le" => Ok(Cow::Owned(utf_16(body, false))),
        "utf-16be" => Ok(Cow::Owned(utf_16(body, true))),
        other => Err(FormatError::UnknownCharset(other.to_owned())),
    }
}

/// The `charset` parameter of a media type (RFC 9110 section 8.3.1), or an empty string.
fn charset(content_type: Option<&str>) -> &str {
    let parameters =
        content_type.unwrap_or_default().split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let value = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let value = value.map_or("", |(_, value)| value);
    value.trim().trim_matches('"')
}

/// UTF-16, little-endian unless a mark says otherwise, as browsers read it (WHATWG Encoding); what is no character becomes U+FFFD.
fn utf_16(body: &[u8], big_endian: bool) -> String {
    let unit = |pair: &[u8; 2]| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let (pairs, odd) = body.as_chunks::<2>();
    let characters = char::decode_utf16(pairs.iter().map(unit)).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    let torn = (!odd.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    characters
        .enumerate()
        .filter(|&(at, read)| at > 0 || read != '\u{feff}')
        .map(|(_, read)| read)
        .chain(torn)
        .collect()
}

/// What browsers read for ISO-8859-1, too: Latin-1 with printable characters where it has control codes (WHATWG Encoding).
fn windows_1252(body: &[u8]) -> String {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let character = |&byte: &u8| match byte {
        0x80..=0x9f => FROM_80.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        latin => char::from(latin),
    };
    body.iter().map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_by_its_charset() {
        for (body, content_type, expected) in [
            (&b"gr\xc3\xbcn"[..], None, Some("grün")),
            (b"\xef\xbb\xbfgr\xc3\xbcn", Some("text/plain"), Some("grün")),
            (b"gr\xc3\xbcn", Some("text/plain; charset=UTF-8"), Some("grün")),
            (b"gr\xfcn \x80", Some("text/plain; charset=iso-8859-1"), Some("grün €")),
            (b"gr\xfcn", Some("text/plain; a=b; Charset = \"Windows-1252\""), Some("grün")),
            (b"g\0r\0\xfc\0n\0=\xd8\x00\xde", Some("text/plain; charset=utf-16le"), Some("grün😀")),
            (b"\xfe\xff\0g\0r\0\xfc\0n", Some("text/plain; charset=UTF-16"), Some("grün")),
            (b"\xff\xfeg\0r\0\xfc\0n", Some("text/plain; charset=UTF-16"), Some("gr\u{fc}\u{fffd}")),
            (b"gr\xfcn", None, None),
            (b"gr\xfcn", Some("text/plain; charset=shift_jis"), None),
        ] {
            let read = Format::Text.read(body, content_type, JsonLimits::default()).ok();
            assert_eq!(read.as_ref().and_then(Value::as_str), expected, "{content_type:?}");
        }
    }

    #[test]
    fn json_is_utf_8() {
        let read =
            |body: &[u8]| Format::Json.read(body, Some("application/json; charset=latin1"), JsonLimits::default());
        assert_eq!(read("\u{feff}[\"ü\"]".as_bytes()).unwrap(), Value::list(vec!["ü".into()]));
        assert!(matches!(read(b"[\"\xfc\"]"), Err(FormatError::NotUtf8(_))));
        assert!(matches!(read(b"\xff\xfe[\0]\0"), Err(FormatError::NotUtf8(_))));
        assert!(matches!(read(b"<html>"), Err(FormatError::Json(JsonError::Syntax(_)))));
    }

    #[test]
    fn html_is_markup_of_what_is_safe() {
        let body = "<p onclick=x>grün<script>alert(1)</script>".as_bytes();
        let Value::Text(read) = Format::Html.read(body, Some("text/html"), JsonLimits::default()).unwrap() else {
            panic!("no text");
        };
        assert_eq!((read.as_str(), read.origin()), ("<p>grün</p>", crate::value::Origin::Markup));
        let long = vec![b'x'; LONGEST_HTML + 1];
        assert!(Format::Html.read(&long, None, JsonLimits::default()).is_err());
    }

    #[test]
    fn yaml_is_the_same_data_as_json() {
        let read = |body: &str| Format::Yaml.read(body.as_bytes(), None, JsonLimits::default());
        assert_eq!(
            read("\u{feff}- a: 1\n  b: [x, ~]\n").unwrap(),
            json(br#"[{"a":1,"b":["x",null]}]"#, JsonLimits::default()).unwrap()
        );
        assert_eq!(read("").unwrap(), Value::Null);
        assert_eq!(read("12").unwrap(), Value::Int(12));
        assert!(matches!(read("a: [1"), Err(FormatError::Malformed(_))));
        assert!(Format::Yaml.read(b"[1, 2, 3]", None, JsonLimits { nodes: 3 }).is_err());
    }

    #[test]
    fn mistakes_have_their_place() {
        for (format, text, blamed) in [
            (Format::Json, "{\"a\": 1,\n \"ü\": x}", "x"),
            (Format::Json, "\u{feff}{\"a\": x}", "x"),
            (Format::Yaml, "a: 1\nü: 2\na: 3\n", "a"),
            (Format::Csv, "a,b\n1,2\n3\n", "3"),
            (Format::Csv, "\u{feff}a,b\n1,2\n3\n", "3"),
            (Format::Xml, "\u{feff}<a>\n</c></a>", "</c>"),
            (Format::Yaml, "\u{feff}a: 1\na: 3\n", "a"),
            (Format::Xml, "<a>\n<b>ü</c></a>", "</c>"),
        ] {
            let error = format.read(text.as_bytes(), None, JsonLimits::default()).unwrap_err();
            let range = error.range(text).unwrap();
            assert_eq!(text.get(range), Some(blamed), "{error}");
        }
    }
}
