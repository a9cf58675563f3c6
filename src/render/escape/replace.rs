//! Replacing a few characters of a text by what stands for them, eight characters at a look.
//!
//! It knows nothing of places: which characters, and by what, is said by a type.

use super::url::percent;

/// An escaper is a type, so that the code of each is made for its own characters, wherever it is called.
pub(super) trait Escaper {
    /// The characters that it replaces, ASCII all of them: those that are the second byte once the bits of the first are set.
    const REPLACED: &'static [(u8, u8)];
    /// It replaces all characters up to this one, too.
    const UP_TO: Option<u8> = None;

    /// Where the first of them is in a long text, if that is found sooner than by looking at words; `Some(0)` if it is not.
    fn first(_: &[u8]) -> Option<usize> {
        Some(0)
    }

    /// Appends what stands for one of these characters. Each is a constant, so that it is written in an instruction or two.
    fn push(character: u8, out: &mut String);
}

/// `"`, `&` and `'`, which are found in one step with `#`: that is rare, and stands for itself.
const QUOTES: (u8, u8) = (b'"' ^ b'\'', b'\'');

/// Text, between tags or within quotes.
pub(super) struct Text;

impl Escaper for Text {
    const REPLACED: &'static [(u8, u8)] = &[QUOTES, (b'<' ^ b'>', b'>')];

    fn first(text: &[u8]) -> Option<usize> {
        let sign = memchr::memchr3(b'&', b'<', b'>', text);
        let quote = memchr::memchr2(b'"', b'\'', text.get(..sign.unwrap_or(text.len())).unwrap_or_default());
        quote.or(sign)
    }

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'&' => out.push_str("&amp;"),
            b'#' => out.push('#'),
            other => Quoted::push(other, out),
        }
    }
}

/// Markup within quotes.
pub(super) struct Quoted;

impl Escaper for Quoted {
    const REPLACED: &'static [(u8, u8)] = &[(0, b'\''), (0, b'"'), (b'<' ^ b'>', b'>')];

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'<' => out.push_str("&lt;"),
            b'>' => out.push_str("&gt;"),
            b'"' => out.push_str("&quot;"),
            _ => out.push_str("&#39;"),
        }
    }
}

/// A URL.
pub(super) struct Url;

impl Escaper for Url {
    const REPLACED: &'static [(u8, u8)] = &[QUOTES, (b'<' ^ b'>', b'>'), (0, b'`')];
    const UP_TO: Option<u8> = Some(b' ');

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'&' => out.push_str("&amp;"),
            b'#' => out.push('#'),
            other => percent(other, out),
        }
    }
}

/// A quoted cell of comma-separated values.
pub(super) struct Cell;

impl Escaper for Cell {
    const REPLACED: &'static [(u8, u8)] = &[(0, b'"')];

    #[inline]
    fn push(_: u8, out: &mut String) {
        out.push_str("\"\"");
    }
}

/// Appends `text` as the escaper has it. Most text has nothing to replace, so eight characters are looked at together, and what
/// stands between those that are replaced is copied whole.
#[inline]
pub(super) fn replace<E: Escaper>(text: &str, out: &mut String) {
    if is_short_and_clean::<E>(text.as_bytes()) { out.push_str(text) } else { replace_in_longer::<E>(text, out) }
}

/// A text from so many bytes on is long.
const LONG: usize = 64;

fn replace_in_longer<E: Escaper>(text: &str, out: &mut String) {
    let first = if text.len() < LONG { Some(0) } else { E::first(text.as_bytes()) };
    // It is ASCII, so a character begins there.
    let (clean, rest) = text.split_at_checked(first.unwrap_or(text.len())).unwrap_or(("", text));
    out.push_str(clean);
    if !rest.is_empty() {
        replace_all::<E>(rest, out);
    }
}

/// Whether it is no more than two words, and nothing in them is replaced, as in most of the words and names of a page.
#[inline]
fn is_short_and_clean<E: Escaper>(text: &[u8]) -> bool {
    // What is read twice is the same both times.
    let (first, last) = match (text.first_chunk(), text.last_chunk()) {
        (Some(&first), Some(&last)) if text.len() <= 16 => (u64::from_le_bytes(first), u64::from_le_bytes(last)),
        (Some(_), _) => return false,
        (None, _) => (last_word(text, text), 0),
    };
    marks::<E>(first) | marks::<E>(last) == 0
}

fn replace_all<E: Escaper>(text: &str, out: &mut String) {
    let mut copied = 0;
    for (number, block) in text.as_bytes().chunks(BLOCK).enumerate() {
        let mut found = found_in::<E>(block);
        while found != 0 {
            let at = number * BLOCK + found.trailing_zeros() as usize;
            // Behind the end there are NULs.
            let Some(&character) = text.as_bytes().get(at) else { break };
            out.push_str(text.get(copied..at).unwrap_or(""));
            E::push(character, out);
            copied = at + 1;
            found &= found - 1;
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
}

/// As many bytes as a word has bits.
const BLOCK: usize = 64;

/// A bit for each byte of a block that the escaper replaces.
#[inline]
fn found_in<E: Escaper>(block: &[u8]) -> u64 {
    // The highest bits of eight bytes, next to each other.
    let gathered = |marks: u64| (marks >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let (words, rest) = block.as_chunks::<8>();
    let mut found = 0;
    for (number, word) in words.iter().enumerate() {
        found |= gathered(marks::<E>(u64::from_le_bytes(*word))) << (number * 8);
    }
    if !rest.is_empty() {
        found |= gathered(marks::<E>(last_word(block, rest))) << (words.len() * 8);
    }
    found
}

/// The end of `text`, which is less than a word, filled up with NULs.
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    if let Some(&last) = text.last_chunk() {
        return u64::from_le_bytes(last) >> (64 - 8 * rest.len());
    }
    // What is read twice is the same both times.
    if let (Some(&first), Some(&last)) = (rest.first_chunk(), rest.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(last)) << (8 * (rest.len() - 4));
        return u64::from(u32::from_le_bytes(first)) | last;
    }
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The highest bit of each byte that the escaper replaces.
///
/// Reckoned on the whole word: whether the compiler makes vector instructions of a look at one byte after the other depends on
/// what it happened to inline before, and with it a third of the time of a page.
fn marks<E: Escaper>(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const LOW: u64 = 0x7f * ONES;
    let each = |byte: u8| u64::from(byte) * ONES;
    let low = word & LOW;
    // The sum of seven bits and 0x7f reaches the eighth bit unless they are all zero: where the character is that one.
    let others = |&(mask, value): &(u8, u8)| ((low | each(mask)) ^ each(value)) + LOW;
    // And so does the sum with what `UP_TO` lacks to it, above `UP_TO`.
    let above = E::UP_TO.map_or(u64::MAX, |last| low + each(0x7f - last));
    !E::REPLACED.iter().map(others).fold(above, |all, others| all & others) & !word & !LOW
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
                    let (mut out, mut expected) = (String::new(), String::new());
                    replace::<E>(&format!("{before}{character}{after}"), &mut out);
                    if replaced.contains(character) {
                        E::push(u8::try_from(character).unwrap_or_default(), &mut expected);
                    } else {
                        expected.push(character);
                    }
                    assert_eq!(out, format!("{before}{expected}{after}"));
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
        let mut out = String::new();
        replace::<Text>(&all, &mut out);
        assert_eq!(out, expected);
    }
}
