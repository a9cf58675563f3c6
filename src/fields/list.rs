//! Lists of comma-separated members (RFC 9110, section 5.6.1) whose commas may also stand in quoted strings (5.6.4).

use std::borrow::Cow;

/// The members of one field line, trimmed; empty ones are left out, as recipients must (section 5.6.1.2).
pub(super) fn members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_unquoted(line, b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// The parts of `text` between the separators that stand outside of quoted strings.
pub(super) fn split_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(text);
    std::iter::from_fn(move || {
        let text = left?;
        let end = unquoted_position(text, separator);
        left = end.and_then(|end| text.get(end + 1..));
        text.get(..end.unwrap_or(text.len()))
    })
}

/// Whether a quoted string begins in `text` that it does not close.
pub(super) fn is_open(text: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

fn unquoted_position(text: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    text.iter().position(|&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => return !quoted && byte == separator,
        }
        false
    })
}

/// A token, or what a quoted string stands for; `None` if it is neither.
pub(super) fn token_or_quoted(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(opened) = text.strip_prefix(b"\"") else {
        let token = !text.is_empty() && text.iter().all(|&byte| is_token(byte));
        return token.then_some(Cow::Borrowed(text));
    };
    let inner = opened.strip_suffix(b"\"")?;
    if !inner.contains(&b'\\') {
        return (!inner.contains(&b'"')).then_some(Cow::Borrowed(inner));
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.push(*bytes.next()?),
            b'"' => return None,
            _ => plain.push(byte),
        }
    }
    Some(Cow::Owned(plain))
}

/// `tchar` (RFC 9110, section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_quotes_separates_nothing() {
        let split = |line: &'static str| members(line.as_bytes()).collect::<Vec<_>>();
        assert_eq!(split("a, b=\"c,d\" ,,\te"), [&b"a"[..], b"b=\"c,d\"", b"e"]);
        assert_eq!(split("a=\"\\\",\", b"), [&b"a=\"\\\",\""[..], b"b"]);
        assert_eq!(split("a=\"never closed, b"), [&b"a=\"never closed, b"[..]]);
        assert_eq!(split(" , "), [b""; 0]);
    }

    #[test]
    fn quotes_are_taken_off() {
        assert_eq!(token_or_quoted(b"token").as_deref(), Some(&b"token"[..]));
        assert_eq!(token_or_quoted(b"\"a \\\"b\\\"\"").as_deref(), Some(&b"a \"b\""[..]));
        for bad in [&b""[..], b"a b", b"\"open", b"\"a\"b\"", b"\"a\\\"", b"\""] {
            assert_eq!(token_or_quoted(bad), None, "{bad:?}");
        }
    }
}
