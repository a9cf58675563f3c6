//! The bytes of a body to a value, by the format a source declares. One function a format.

use crate::value::{JsonError, JsonLimits, Value, parse_json};
use std::borrow::Cow;
use std::sync::Arc;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON (RFC 8259).
    #[default]
    Json,
    /// The whole body as one string.
    Text,
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
}

impl Format {
    const ALL: &[(&str, Self)] = &[("json", Self::Json), ("text", Self::Text)];

    /// The format that declarations call `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, format)| format)
    }

    /// The names of all formats, for messages and suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// Reads `body`, which was sent with `content_type`.
    pub fn read(self, body: &[u8], content_type: Option<&str>, limits: JsonLimits) -> Result<Value, FormatError> {
        match self {
            Self::Json => json(body, limits),
            Self::Text => text(body, content_type),
        }
    }
}

/// JSON is UTF-8, whatever `charset` says of it (RFC 8259 sections 8.1 and 11).
fn json(body: &[u8], limits: JsonLimits) -> Result<Value, FormatError> {
    let text: Arc<str> = std::str::from_utf8(body)?.into();
    Ok(parse_json(text, limits)?)
}

fn text(body: &[u8], content_type: Option<&str>) -> Result<Value, FormatError> {
    let text = match charset(content_type.unwrap_or_default()).to_ascii_lowercase().as_str() {
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => Cow::Borrowed(std::str::from_utf8(body)?),
        "iso-8859-1" | "latin1" | "windows-1252" | "cp1252" => Cow::Owned(windows_1252(body)),
        other => return Err(FormatError::UnknownCharset(other.to_owned())),
    };
    Ok(Value::text(text.strip_prefix('\u{feff}').unwrap_or(&text)))
}

/// The `charset` parameter of a media type (RFC 9110 section 8.3.1), or an empty string.
fn charset(content_type: &str) -> &str {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let value = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let value = value.map_or("", |(_, value)| value);
    value.trim().trim_matches('"')
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
}
