//! `Cookie` (RFC 6265, sections 4.2.1 and 5.4): the pairs that a request carries.
//!
//! Any site of a shared domain, and any script, can set cookies: one that is malformed takes nothing from the others.

use http::{HeaderMap, HeaderValue, header};

/// The pairs of all field lines, in order, as octets: names compare by case, and quotes belong to the value. What has no `=` has no name
/// and is passed over.
pub fn cookies(fields: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| {
        let pair = pair.trim_ascii();
        let equals = memchr::memchr(b'=', pair)?;
        Some((pair.get(..equals)?, pair.get(equals + 1..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(lines: &[&[u8]]) -> Vec<(String, String)> {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        cookies(&fields).map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn pairs_are_read_one_by_one() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (line, expected) in [
            (&b"a=1; b=2"[..], vec![pair("a", "1"), pair("b", "2")]),
            (b" a=1 ;b=2;", vec![pair("a", "1"), pair("b", "2")]),
            (b"a=\"1\"; A=x=y", vec![pair("a", "\"1\""), pair("A", "x=y")]),
            (b"a=; =b; c; ;", vec![pair("a", ""), pair("", "b")]),
            (b"a=\xff; b=2", vec![pair("a", "\u{fffd}"), pair("b", "2")]),
            (b"", vec![]),
        ] {
            assert_eq!(pairs(&[line]), expected, "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(pairs(&[b"a=1", b"a=2"]), [pair("a", "1"), pair("a", "2")]);
    }
}
