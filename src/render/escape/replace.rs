//! Replacing a few characters of a text by what stands for them, sixteen characters at a look.
//!
//! It knows nothing of places: which characters, and by what, is said by a type.

use super::Buffer;
use super::url::percent_digits;
use wide::u8x16;

/// An escaper is a type, so that the code of each is made for its own characters, wherever it is called.
pub(super) trait Escaper {
    /// The characters that it replaces, ASCII all of them.
    const REPLACED: &'static [u8];
    /// It replaces all characters up to this one, too.
    const UP_TO: Option<u8> = None;

    /// What stands for one of these characters.
    fn replacement(character: u8) -> Short;
}

/// A string of at most eight bytes, which is copied in one instruction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    bytes: [u8; 8],
    length: usize,
}

impl Short {
    /// `text` is no longer than eight bytes; what is, is cut off.
    const fn new(text: &[u8]) -> Self {
        let (mut bytes, mut rest, mut length) = ([0; 8], text, 0);
        while let ([first, behind @ ..], true) = (rest, length < bytes.len()) {
            // No methods of slices in a constant.
            #[expect(clippy::indexing_slicing, reason = "the length was looked at")]
            {
                bytes[length] = *first;
            }
            rest = behind;
            length += 1;
        }
        Self { bytes, length }
    }
}

/// Text, between tags or within quotes.
pub(super) struct Text;

impl Escaper for Text {
    const REPLACED: &'static [u8] = b"&<>\"'";

    #[inline]
    fn replacement(character: u8) -> Short {
        const AMPERSAND: Short = Short::new(b"&amp;");
        if character == b'&' { AMPERSAND } else { Quoted::replacement(character) }
    }
}

/// Markup within quotes.
pub(super) struct Quoted;

impl Escaper for Quoted {
    const REPLACED: &'static [u8] = b"<>\"'";

    #[inline]
    fn replacement(character: u8) -> Short {
        const LESS: Short = Short::new(b"&lt;");
        const GREATER: Short = Short::new(b"&gt;");
        const QUOTE: Short = Short::new(b"&quot;");
        const APOSTROPHE: Short = Short::new(b"&#39;");
        match character {
            b'<' => LESS,
            b'>' => GREATER,
            b'"' => QUOTE,
            _ => APOSTROPHE,
        }
    }
}

/// A URL.
pub(super) struct Url;

impl Escaper for Url {
    const REPLACED: &'static [u8] = b"&<>\"'`";
    const UP_TO: Option<u8> = Some(b' ');

    #[inline]
    fn replacement(character: u8) -> Short {
        if character == b'&' {
            return Text::replacement(character);
        }
        let [high, low] = percent_digits(character);
        Short { bytes: [b'%', high, low, 0, 0, 0, 0, 0], length: 3 }
    }
}

/// A quoted cell of comma-separated values.
pub(super) struct Cell;

impl Escaper for Cell {
    const REPLACED: &'static [u8] = b"\"";

    #[inline]
    fn replacement(_: u8) -> Short {
        const QUOTES: Short = Short::new(b"\"\"");
        QUOTES
    }
}

/// Appends `text` as the escaper has it. Most text has nothing to replace, so that sixteen characters are looked at together, and
/// what stands between those that are replaced is copied whole.
#[inline]
pub(super) fn replace<E: Escaper>(text: &str, out: &mut Buffer) {
    let bytes = text.as_bytes();
    if is_short_and_clean::<E>(bytes) { out.push_bytes(bytes) } else { replace_in_longer::<E>(bytes, out) }
}

/// Whether it is no longer than a vector, and nothing in it is replaced, as in most of the words and names of a page.
#[inline]
fn is_short_and_clean<E: Escaper>(text: &[u8]) -> bool {
    match (text.first_chunk(), text.last_chunk()) {
        // What is read twice is the same both times.
        (Some(&first), Some(&last)) if text.len() <= VECTOR => found_in::<E>(join(first, last)) == 0,
        (Some(_), _) => false,
        (None, _) => found_in::<E>(filled(text)) & first_bits(text.len()) == 0,
    }
}

fn replace_in_longer<E: Escaper>(text: &[u8], out: &mut Buffer) {
    let (vectors, rest) = text.as_chunks();
    let mut copied = 0;
    for (number, &vector) in vectors.iter().enumerate() {
        copied = replace_found::<E>(text, copied, number * VECTOR, found_in::<E>(vector), out);
    }
    if !rest.is_empty() {
        let (start, found) = match text.last_chunk() {
            // What was looked at already is not looked at again.
            Some(&last) => (text.len() - VECTOR, found_in::<E>(last) & !first_bits(VECTOR - rest.len())),
            None => (0, found_in::<E>(filled(text)) & first_bits(text.len())),
        };
        copied = replace_found::<E>(text, copied, start, found, out);
    }
    out.push_bytes(text.get(copied..).unwrap_or_default());
}

/// Appends what has not been copied before each character found, and what stands for it; how far `text` is then copied.
#[inline]
fn replace_found<E: Escaper>(text: &[u8], mut copied: usize, start: usize, mut found: u32, out: &mut Buffer) -> usize {
    while found != 0 {
        let at = start + found.trailing_zeros() as usize;
        let (Some(&character), Some(before)) = (text.get(at), text.get(copied..at)) else { break };
        match text.get(copied..).and_then(<[u8]>::first_chunk::<VECTOR>) {
            Some(vector) if before.len() <= VECTOR => out.push_first(vector, before.len()),
            _ => out.push_bytes(before),
        }
        let Short { bytes, length } = E::replacement(character);
        out.push_first(&bytes, length);
        copied = at + 1;
        found &= found - 1;
    }
    copied
}

/// As many bytes as are looked at together.
const VECTOR: usize = 16;

/// A bit for each byte that the escaper replaces.
#[inline]
fn found_in<E: Escaper>(vector: [u8; VECTOR]) -> u32 {
    let vector = u8x16::new(vector);
    let low = E::UP_TO.map_or(u8x16::ZERO, |last| vector.max(u8x16::splat(last)).simd_eq(u8x16::splat(last)));
    let is = |found, &character: &u8| found | vector.simd_eq(u8x16::splat(character));
    E::REPLACED.iter().fold(low, is).to_bitmask()
}

/// The lowest `count` bits, of which there are sixteen.
fn first_bits(count: usize) -> u32 {
    (1 << count) - 1
}

fn join(first: [u8; 8], last: [u8; 8]) -> [u8; VECTOR] {
    (u128::from(u64::from_le_bytes(first)) | u128::from(u64::from_le_bytes(last)) << 64).to_le_bytes()
}

/// A text that is shorter than a vector, filled up with NULs.
fn filled(text: &[u8]) -> [u8; VECTOR] {
    let word = |text: &[u8], rest| last_word(text, rest).to_le_bytes();
    match text.split_first_chunk() {
        Some((&first, rest)) => join(first, word(text, rest)),
        None => join(word(text, text), [0; 8]),
    }
}

/// The end of `text`, which is less than a word, filled up with NULs.
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    if let Some(&last) = text.last_chunk() {
        return u64::from_le_bytes(last).checked_shr(64 - 8 * u32::try_from(rest.len()).unwrap_or(8)).unwrap_or(0);
    }
    // What is read twice is the same both times.
    if let (Some(&first), Some(&last)) = (rest.first_chunk(), rest.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(last)) << (8 * (rest.len() - 4));
        return u64::from(u32::from_le_bytes(first)) | last;
    }
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a character stands, and whatever is around it.
    fn replaces<E: Escaper>(replaced: &str) {
        for length in (1..26).chain([40, 65]) {
            for at in 0..length {
                for character in (0..0x80).map(char::from) {
                    let (before, after) = ("é".repeat(at), "\u{7f}".repeat(length - at - 1));
                    let (mut out, mut expected) = (Buffer::default(), Buffer::default());
                    replace::<E>(&format!("{before}{character}{after}"), &mut out);
                    expected.push_str(&before);
                    if replaced.contains(character) {
                        let Short { bytes, length } = E::replacement(u8::try_from(character).unwrap_or_default());
                        expected.push_first(&bytes, length);
                    } else {
                        expected.push_str(character.encode_utf8(&mut [0; 4]));
                    }
                    expected.push_str(&after);
                    assert_eq!(out, expected);
                }
            }
        }
    }

    #[test]
    fn every_character_is_replaced_wherever_it_stands() {
        let controls: String = (0..=0x20).map(char::from).collect();
        replaces::<Text>("&<>\"'");
        replaces::<Quoted>("<>\"'");
        replaces::<Url>(&format!("&<>\"'`{controls}"));
        replaces::<Cell>("\"");
        let all: String = (0..0x80).map(char::from).chain("ÿ\u{a6}\u{bc}ꚦ".chars()).collect();
        let expected = all.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let expected = expected.replace('"', "&quot;").replace('\'', "&#39;");
        let mut out = Buffer::default();
        replace::<Text>(&all, &mut out);
        assert_eq!(out.into_string(), expected);
    }
}
