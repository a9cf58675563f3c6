//! Writing text and URLs into HTML, as the `CommonMark` specification's examples do.

pub(super) use crate::highlight::escape as text;

/// `url` for a quoted attribute: bytes that no URL may hold are percent-encoded, and `%` is left to mean what it says.
pub(super) fn url(url: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in url.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(char::from(byte)),
            b'!' | b'#' | b'$' | b'%' | b'(' | b')' | b'*' | b'+' | b',' | b'-' | b'.' | b'/' | b':' | b';' | b'='
            | b'?' | b'@' | b'_' | b'~' => out.push(char::from(byte)),
            b'&' => out.push_str("&amp;"),
            b'\'' => out.push_str("&#x27;"),
            other => {
                out.push('%');
                for digit in [other >> 4, other & 15] {
                    out.push(char::from(HEX.get(usize::from(digit)).copied().unwrap_or(b'0')));
                }
            }
        }
    }
}
