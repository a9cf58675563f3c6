//! Takes encodings off a text, one layer of them at a time: percent-encoding (RFC 3986, section 2.1), escapes of JSON and JavaScript (RFC
//! 8259, section 7), references of HTML (its standard, section 13.5). Whichever stand in a text are taken off together.
//!
//! What comes out is for finding something in, and not for reading: only what stands near something that was decoded is kept.

use markup5ever::data::NAMED_ENTITIES;
use memchr::memchr3_iter;

/// Between parts of a text that are apart in it. No variable of the environment can hold one.
const APART: u8 = 0;

/// What each kind of encoding begins with.
pub(super) const SIGNS: [u8; 3] = [b'&', b'%', b'\\'];

/// A text without its outermost encodings.
pub(super) struct Layer {
    /// What stands near something that was decoded.
    pub(super) text: Vec<u8>,
    /// Whether encodings of several kinds were taken off, one of which may have been in the innermost text.
    pub(super) is_mixed: bool,
}

/// The parts of `text` within `reach` bytes of something that begins with one of `signs`, and is encoded, with that decoded; `None` if
/// nothing is.
///
/// What follows the sign of an escape is looked at as far as it may belong to it, and has no such sign in it: no text takes longer than
/// its length.
pub(super) fn peeled(text: &[u8], reach: usize, signs: [u8; 3]) -> Option<Layer> {
    let mut out = Vec::new();
    let mut done = 0;
    let (mut first_sign, mut is_mixed) = (None, false);
    for at in memchr3_iter(signs[0], signs[1], signs[2], text) {
        if at < done {
            continue;
        }
        let Some(found) = text.get(at..).and_then(decoded) else { continue };
        is_mixed |= *first_sign.get_or_insert(text.get(at)) != text.get(at);
        let between = text.get(done..at)?;
        if done > 0 && between.len() <= 2 * reach {
            out.extend_from_slice(between);
        } else {
            if done > 0 {
                out.extend_from_slice(between.get(..reach)?);
                out.push(APART);
            }
            out.extend_from_slice(between.get(between.len().saturating_sub(reach)..)?);
        }
        out.extend_from_slice(found.bytes());
        done = at + found.length;
    }
    if done == 0 {
        return None;
    }
    let after = text.get(done..)?;
    out.extend_from_slice(after.get(..reach.min(after.len()))?);
    Some(Layer { text: out, is_mixed })
}

/// What stood at the beginning of a text.
struct Decoded {
    /// Some names stand for two characters.
    bytes: [u8; 8],
    /// How many of them there are.
    count: usize,
    /// How many bytes it was before.
    length: usize,
}

impl Decoded {
    fn byte(byte: u8, length: usize) -> Self {
        Self { bytes: [byte, 0, 0, 0, 0, 0, 0, 0], count: 1, length }
    }

    /// The character of this number; `None` if there is none that a secret may hold.
    fn number(number: u32, length: usize) -> Option<Self> {
        let mut bytes = [0; 8];
        let count = char::from_u32(number).filter(|character| *character != '\0')?.encode_utf8(&mut bytes).len();
        Some(Self { bytes, count, length })
    }

    /// The same with one more behind it, unless that is none.
    fn and(mut self, number: u32) -> Self {
        let more = char::from_u32(number).filter(|character| *character != '\0');
        if let (Some(character), Some(room)) = (more, self.bytes.get_mut(self.count..)) {
            self.count += character.encode_utf8(room).len();
        }
        self
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }
}

/// What `text` begins with, if that is encoded.
fn decoded(text: &[u8]) -> Option<Decoded> {
    match text.split_first()? {
        (b'%', rest) => Some(Decoded::byte(u8::try_from(hexadecimal(rest.get(..2)?)?).ok()?, 3)),
        (b'&', rest) => reference(rest),
        (b'\\', rest) => escape(rest),
        _ => None,
    }
}

/// What a reference stands for, of which `rest` is all but the ampersand. One by number needs no semicolon, nor do old names, as in
/// browsers.
fn reference(rest: &[u8]) -> Option<Decoded> {
    let Some(digits) = rest.strip_prefix(b"#") else { return named(rest) };
    let (digits, radix, sign) = match digits {
        [b'x' | b'X', digits @ ..] => (digits, 16, 3),
        digits => (digits, 10, 2),
    };
    let mut number: u32 = 0;
    let mut length = 0;
    for digit in digits.iter().map_while(|&byte| char::from(byte).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    let has_end = digits.get(length) == Some(&b';');
    if length == 0 { None } else { Decoded::number(number, sign + length + usize::from(has_end)) }
}

/// No name is longer, its semicolon not counted.
const LONGEST_NAME: usize = 31;

/// No name that needs no semicolon is longer, and none shorter than two letters.
const LONGEST_OLD_NAME: usize = 6;

/// The same for a reference by name: the longest that `rest` begins with.
fn named(rest: &[u8]) -> Option<Decoded> {
    match rest {
        // What our own escaping writes needs no looking up.
        [b'a', b'm', b'p', b';', ..] => return Some(Decoded::byte(b'&', 5)),
        [b'l', b't', b';', ..] => return Some(Decoded::byte(b'<', 4)),
        [b'g', b't', b';', ..] => return Some(Decoded::byte(b'>', 4)),
        [b'q', b'u', b'o', b't', b';', ..] => return Some(Decoded::byte(b'"', 6)),
        _ => {}
    }
    let letters = rest.iter().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let with_end = (rest.get(letters) == Some(&b';')).then_some(letters + 1);
    let old = (2..=letters.min(LONGEST_OLD_NAME)).rev();
    with_end.into_iter().chain(old).find_map(|length| {
        let name = std::str::from_utf8(rest.get(..length)?).ok()?;
        // Beginnings of names are known as well, and stand for nothing.
        let &(first, second) = NAMED_ENTITIES.get(name)?;
        Some(Decoded::number(first, length + 1)?.and(second))
    })
}

/// What an escape stands for, of which `rest` is all but the backslash.
fn escape(rest: &[u8]) -> Option<Decoded> {
    match rest.split_first()? {
        (b'u', [b'{', digits @ ..]) => {
            let digits = digits.get(..digits.iter().take(9).position(|&byte| byte == b'}')?)?;
            Decoded::number(hexadecimal(digits)?, digits.len() + 4)
        }
        (b'u', digits) => {
            let unit = hexadecimal(digits.get(..4)?)?;
            let low = || {
                let digits = digits.get(4..)?.strip_prefix(b"\\u")?.get(..4)?;
                hexadecimal(digits).filter(|low| (0xdc00..0xe000).contains(low))
            };
            match unit {
                0xd800..0xdc00 => Decoded::number(0x1_0000 + ((unit - 0xd800) << 10) + (low()? - 0xdc00), 12),
                _ => Decoded::number(unit, 6),
            }
        }
        (b'x', digits) => Decoded::number(hexadecimal(digits.get(..2)?)?, 4),
        (b'n', _) => Some(Decoded::byte(b'\n', 2)),
        (b'r', _) => Some(Decoded::byte(b'\r', 2)),
        (b't', _) => Some(Decoded::byte(b'\t', 2)),
        // What comes after it may be encoded on its own.
        (b'%' | b'&', _) => None,
        (sign, _) => sign.is_ascii_punctuation().then(|| Decoded::byte(*sign, 2)),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let mut number: u32 = 0;
    for &digit in digits {
        number = number.checked_mul(16)?.checked_add(char::from(digit).to_digit(16)?)?;
    }
    (!digits.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_is_taken_off() {
        for (text, expected) in [
            ("%63%34n%34ry%2f%41", "c4n4ry/A"),
            ("%2563 %c3%A9", "%63 é"),
            ("&#99;&#x34;&#X6e;&#000000000000121;&#233;&#99&#x34-", "c4nyéc4-"),
            ("&amp;#52;&amp;amp;&lowbar;", "&#52;&amp;_"),
            ("Z&uuml;rich &uuml&uumlrich &DiacriticalGrave;&acE;|&notit;", "Zürich üürich `∾\u{333}|¬it;"),
            (r"\u0063\\u0034\u00E9\x41\u{1f600}\ud83d\ude00", r"c\u0034éA😀😀"),
            (r#"\"\/\\\n\t\_\'"#, "\"/\\\n\t_'"),
            (r"\&quot;\%41 &#99;", "\\\"\\A c"),
            ("before &lt; after", "before < after"),
        ] {
            let plain = peeled(text.as_bytes(), 100, SIGNS).map(|layer| String::from_utf8(layer.text).unwrap());
            assert_eq!(plain.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_looks_encoded_stays() {
        for text in [
            "",
            "100% of it & more \\ \\w",
            "%6",
            "%zz &; &#; &#x; &#99999999999; &Nothing; &am; &Lowbar;",
            r"\u00 \ud83d \x4 \u{} \u{110000} \u{99999999",
            "\\",
        ] {
            assert!(peeled(text.as_bytes(), 100, SIGNS).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_far_from_anything_encoded_is_left_out() {
        let peeled = |text: &str| String::from_utf8(peeled(text.as_bytes(), 3, SIGNS).unwrap().text).unwrap();
        assert_eq!(peeled("0123456789&lt;0123456789&gt;0123456789"), "789<012\u{0}789>012");
        assert_eq!(peeled("&lt;012345&gt;"), "<012345>");
        assert_eq!(peeled("0123456789%41"), "789A");
    }

    /// Were each looked at from all before it, these would take longer than anybody waits.
    #[test]
    fn long_runs_take_no_longer_than_their_length() {
        for sign in ["\\", "%", "%25", "&", "&amp;", "&#", "\\u", "&amp;#", "&#0", "\\u{", "\\\\u005c", "&#x"] {
            let mut text = sign.repeat(2_000_000).into_bytes();
            while let Some(layer) = peeled(&text, 100, SIGNS).filter(|layer| layer.text.len() > 100_000) {
                assert!(layer.text.len() < text.len());
                text = layer.text;
            }
        }
        assert!(peeled(format!("&#{}", "0".repeat(4_000_000)).as_bytes(), 100, SIGNS).is_none());
    }

    #[test]
    fn one_kind_can_be_taken_off_alone() {
        let layer = |signs| peeled(b"%41&lt;\\n", 9, signs).unwrap();
        assert!(layer(SIGNS).is_mixed && layer(SIGNS).text == b"A<\n");
        for (sign, expected) in [(b'%', &b"A&lt;\\n"[..]), (b'&', b"%41<\\n"), (b'\\', b"%41&lt;\n")] {
            assert!(!layer([sign; 3]).is_mixed && layer([sign; 3]).text == expected);
        }
    }
}
