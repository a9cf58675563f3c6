//! Letters and digits that were encoded, although no encoding has to: as numbers of bytes or characters.
//!
//! A secret is found by a run of its letters; this gives back those that somebody has hidden.

use super::spelling::number;
use memchr::memchr3_iter;

/// More digits than the number of a letter ever has, leading zeros included.
const MOST_DIGITS: usize = 8;

/// More backslashes before a `u` than JSON in JSON in JSON in JSON has.
const MOST_ESCAPES: usize = 15;

/// The text with its letters and digits as they are; `None` if none of them is encoded.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut done = 0;
    for at in memchr3_iter(b'&', b'%', b'\\', text) {
        if at < done {
            continue;
        }
        if let Some((letter, length)) = text.get(at..).and_then(encoded) {
            plain.extend_from_slice(text.get(done..at)?);
            plain.push(letter);
            done = at + length;
        }
    }
    if done == 0 {
        return None;
    }
    plain.extend_from_slice(text.get(done..)?);
    Some(plain)
}

/// The letter whose encoding `text` begins with, and the length of that.
fn encoded(text: &[u8]) -> Option<(u8, usize)> {
    let (sign, rest) = text.split_first()?;
    let (code, rest) = match sign {
        b'%' => {
            let rest = rest.strip_prefix(b"25").unwrap_or(rest);
            let (digits, rest) = rest.split_at_checked(2)?;
            (number(digits, 16)?, rest)
        }
        b'&' => {
            let mut rest = rest;
            while let Some(escaped) = rest.strip_prefix(b"amp;") {
                rest = escaped;
            }
            let rest = rest.strip_prefix(b"#")?;
            let (digits, rest) =
                rest.split_at_checked(rest.iter().take(MOST_DIGITS).position(|&byte| byte == b';')?)?;
            let code = match digits {
                [b'x' | b'X', digits @ ..] => number(digits, 16)?,
                digits => number(digits, 10)?,
            };
            (code, rest.get(1..)?)
        }
        _ => {
            // Those before the last few stay: a run of them is looked at once, and not again from each of them.
            let backslashes = rest.iter().take(MOST_ESCAPES).take_while(|byte| **byte == b'\\').count();
            let rest = rest.get(backslashes..)?.strip_prefix(b"u")?;
            let (digits, rest) = rest.split_at_checked(4)?;
            (number(digits, 16)?, rest)
        }
    };
    let letter = u8::try_from(code).ok().filter(u8::is_ascii_alphanumeric)?;
    Some((letter, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_decoded_and_nothing_else() {
        for (text, expected) in [
            ("%63%34n%34ry%2f%41", "c4n4ry%2fA"),
            ("%2563%2534", "c4"),
            ("&#99;&#x34;&#X6e;&amp;#52;&amp;amp;#x72;&#000121;", "c4n4ry"),
            ("\\u0063\\\\u0034\\\\\\u006E", "c4n"),
            ("a \\u0022&#39;%20 \\u0061 &amp; %", "a \\u0022&#39;%20 a &amp; %"),
            ("&#99", ""),
            ("&#;&#x;&#99999999999;%6%zz%25\\u00\\u006", ""),
            ("caf\\u00e9 &eacute; %c3%a9 &#233;", ""),
            (&format!("{}u0063", "\\".repeat(40)), &format!("{}c", "\\".repeat(24))),
            ("", ""),
        ] {
            let plain = decoded(text.as_bytes()).map(|plain| String::from_utf8(plain).unwrap());
            assert_eq!(plain.unwrap_or_default(), expected, "{text}");
        }
    }

    /// Were each looked at from all before it, these would take longer than anybody waits.
    #[test]
    fn long_runs_take_no_longer_than_their_length() {
        for sign in ["\\", "%", "%25", "&", "&amp;", "&#", "\\u", "&amp;#"] {
            assert!(decoded(sign.repeat(4_000_000).as_bytes()).is_none());
        }
    }
}
