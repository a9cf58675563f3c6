//! The value of a header field with placeholders: data fills its place in it, and adds no part of its own.
//!
//! Fields are lists of parts with parameters, of tokens, quoted strings and URLs between angle brackets (RFC 9110, section 5.6; RFC 8288,
//! section 3). What a value may hold follows from where the author has written it. A field that is one placeholder is the value as it is.
//! Control bytes are not looked at here: no field takes them.

use crate::config::{Binding, NotText, Part, Template};
use std::fmt::Write as _;

/// Where in a field a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Among tokens and separators.
    Bare,
    /// Within a quoted string.
    Quoted,
    /// There, after a backslash, which is an escape of what follows (RFC 9110, section 5.6.4).
    Escaped,
    /// Within the angle brackets of a URL.
    Address,
}

impl Stand {
    /// Where what follows a text of the author's stands.
    fn behind(self, text: &str) -> Self {
        text.bytes().fold(self, |stand, byte| match (stand, byte) {
            (Self::Bare, b'"') | (Self::Escaped, _) => Self::Quoted,
            (Self::Bare, b'<') => Self::Address,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted, b'"') | (Self::Address, b'>') => Self::Bare,
            (other, _) => other,
        })
    }

    /// Where what follows a value stands: it has escaped what it had to, and what was escaped is over, even if it is empty.
    fn behind_value(self) -> Self {
        if self == Self::Escaped { Self::Quoted } else { self }
    }

    fn write(self, text: &str, out: &mut String) {
        match self {
            Self::Bare => percent_encode(text, |byte| matches!(byte, b'"' | b',' | b';' | b'<' | b'>'), out),
            Self::Quoted | Self::Escaped => {
                // The author's backslash is one, and not an escape of whatever the data begins with.
                if self == Self::Escaped {
                    out.push('\\');
                }
                for character in text.chars() {
                    if matches!(character, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(character);
                }
            }
            Self::Address => percent_encode(text, is_foreign_to_urls, out),
        }
    }
}

/// The field's value; `None` as soon as one of its placeholders is `null`.
pub(super) fn value(template: &Template<Binding>, slots: &[crate::value::Value]) -> Result<Option<String>, NotText> {
    if template.as_single().is_some() {
        return template.text(slots, |text, out| out.push_str(text));
    }
    let mut stands = stands(&template.parts).into_iter();
    template.text_by(slots, |text, out| stands.next().unwrap_or(Stand::Bare).write(text, out))
}

/// Where each placeholder stands, in turn.
fn stands<R>(parts: &[Part<R>]) -> Vec<Stand> {
    let mut stand = Stand::Bare;
    let mut stands = Vec::new();
    for part in parts {
        match part {
            Part::Literal(text) => stand = stand.behind(text),
            Part::Value(_) => {
                stands.push(stand);
                stand = stand.behind_value();
            }
            Part::Env(_) => {}
        }
    }
    stands
}

/// Whether no URL holds a byte as it is (RFC 3986, section 2), but for control bytes.
fn is_foreign_to_urls(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') || !byte.is_ascii()
}

/// The text with each character percent-encoded that has a foreign byte.
pub(super) fn percent_encode(text: &str, is_foreign: impl Fn(u8) -> bool, out: &mut String) {
    for character in text.chars() {
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        if bytes.iter().any(|byte| is_foreign(*byte)) {
            for byte in bytes {
                write!(out, "%{byte:02X}").expect("a string takes everything");
            }
        } else {
            out.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The author's text with `value` where a `_` stands.
    fn filled(written: &str, value: &str) -> String {
        let mut parts: Vec<Part<()>> = Vec::new();
        for (number, literal) in written.split('_').enumerate() {
            if number > 0 {
                parts.push(Part::Value(()));
            }
            parts.push(Part::Literal(literal.into()));
        }
        let (mut out, mut stands) = (String::new(), stands(&parts).into_iter());
        for part in &parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(()) => stands.next().unwrap().write(value, &mut out),
                Part::Env(_) => {}
            }
        }
        out
    }

    #[test]
    fn a_value_stays_in_its_place() {
        let hostile = "x>; rel=a, <https://evil.example/x.css>; rel=stylesheet; a=\"b\\";
        for (written, value, expected) in [
            (
                "<https://a.example/_>; rel=next",
                hostile,
                "<https://a.example/x%3E;%20rel=a,%20%3Chttps://evil.example/x.css%3E;%20rel=stylesheet;%20a=%22b%5C>; rel=next",
            ),
            ("<_>; title=\"_\"", "/a?b=c%20d&e", "</a?b=c%20d&e>; title=\"/a?b=c%20d&e\""),
            ("inline; filename=\"_\"", "a\"; x=\"\\", "inline; filename=\"a\\\"; x=\\\"\\\\\""),
            ("a; title=\"b \\\" _\"; c=_", "d\",e", "a; title=\"b \\\" d\\\",e\"; c=d%22%2Ce"),
            ("<a>; rel=_", "next, <b>; rel=\"c\"", "<a>; rel=next%2C %3Cb%3E%3B rel=%22c%22"),
            ("a, _", "b c/d=é%", "a, b c/d=é%"),
            ("<_>", "é", "<%C3%A9>"),
            ("a; b=\"dir\\_\"; c=_", "\"; d=e", "a; b=\"dir\\\\\\\"; d=e\"; c=%22%3B d=e"),
            ("a; b=\"dir\\_\"", "", "a; b=\"dir\\\\\""),
        ] {
            assert_eq!(filled(written, value), expected, "{written}");
        }
    }
}
