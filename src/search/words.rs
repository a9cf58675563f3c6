//! The words of a text, and where they stand.
//!
//! A word is a run of letters, digits and their marks; everything else is between words, so `l'eau` is two and `on-error` too. Scripts
//! that put nothing between words give every two neighbouring characters as a word, and the last one of a run alone as well, so that any
//! part of a sentence is found.

use super::fold::{fold, is_accent, spelled_out};
use std::ops::Range;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'w> {
    /// Its bytes in the text.
    pub(super) range: Range<usize>,
    /// Its folded spelling.
    pub(super) term: &'w str,
    /// Another spelling, folded.
    pub(super) other: Option<&'w str>,
    /// Whether it is the last character of a run, which the word before holds already.
    pub(super) is_tail: bool,
    /// Whether it is part of a script without spaces.
    pub(super) is_dense: bool,
}

/// Tells `each` the words of `text` in their order.
pub(super) fn words(text: &str, mut each: impl FnMut(Word<'_>)) {
    let bytes = text.as_bytes();
    let mut term = String::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        // Most words are ASCII, and are told apart by their bytes.
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let end = at + length;
        if length > 0 && bytes.get(end).is_none_or(u8::is_ascii) {
            term.clear();
            fold(text.get(at..end).unwrap_or_default(), &mut term);
            each(Word { range: at..end, term: &term, other: None, is_tail: false, is_dense: false });
            at = end;
        } else {
            at = run(text, at, &mut term, &mut each);
        }
    }
}

/// Tells the words of the run that begins at byte `start`, if there is one; where it ends.
fn run(text: &str, start: usize, term: &mut String, each: &mut impl FnMut(Word<'_>)) -> usize {
    let mut characters = text.get(start..).unwrap_or_default().char_indices();
    let Some((_, first)) = characters.next() else { return text.len() };
    let mut end = start + first.len_utf8();
    if !first.is_alphanumeric() {
        return end;
    }
    let is_dense = is_dense(first);
    let goes_on = |(_, next): &(usize, char)| continues(*next, is_dense);
    if let Some((at, last)) = characters.take_while(goes_on).last() {
        end = start + at + last.len_utf8();
    }
    let written = text.get(start..end).unwrap_or_default();
    if is_dense {
        pairs(written, start, term, each);
        return end;
    }
    term.clear();
    fold(written, term);
    if !term.is_empty() {
        let other = spelled_out(written);
        each(Word { range: start..end, term, other: other.as_deref(), is_tail: false, is_dense });
    }
    end
}

/// Whether a character goes on with a run.
fn continues(next: char, run_is_dense: bool) -> bool {
    if next.is_alphanumeric() { is_dense(next) == run_is_dense } else { is_accent(next) || is_voicing(next) }
}

/// The marks that voice a Kana.
fn is_voicing(character: char) -> bool {
    matches!(character, '\u{3099}' | '\u{309a}')
}

/// Every two neighbours of a run that begins at byte `start`, and its last one.
fn pairs(run: &str, start: usize, term: &mut String, each: &mut impl FnMut(Word<'_>)) {
    let mut ends = run.char_indices().map(|(at, character)| at + character.len_utf8()).peekable();
    let mut begin = 0;
    let mut is_first = true;
    while let Some(middle) = ends.next() {
        let end = ends.peek().copied();
        let bytes = begin..end.unwrap_or(middle);
        term.clear();
        fold(run.get(bytes.clone()).unwrap_or_default(), term);
        if !term.is_empty() {
            let range = start + bytes.start..start + bytes.end;
            each(Word { range, term, other: None, is_tail: end.is_none() && !is_first, is_dense: true });
        }
        (begin, is_first) = (middle, false);
    }
}

/// Whether a character is of a script that writes words without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese; and Korean, whose
/// endings are part of the word.
fn is_dense(character: char) -> bool {
    matches!(u32::from(character),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17ff | 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3040..=0x318f
        | 0x31a0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xff66..=0xffdc
        | 0x1b000..=0x1b16f | 0x20000..=0x3ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        words(text, |word| terms.push(format!("{}{}", word.term, if word.is_tail { "$" } else { "" })));
        terms
    }

    #[test]
    fn words_are_told_apart() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            (" — … !", &[]),
            ("Hello, World", &["hello", "world"]),
            ("l'eau d’été", &["l", "eau", "d", "ete"]),
            ("on-error s_maxage a.b/c", &["on", "error", "s", "maxage", "a", "b", "c"]),
            ("RFC 9111, 3.5", &["rfc", "9111", "3", "5"]),
            ("e\u{301}te\u{301}", &["ete"]),
            ("日本語", &["日本", "本語", "語$"]),
            ("水", &["水"]),
            ("Rust入門", &["rust", "入門", "門$"]),
            ("東京、大阪", &["東京", "京$", "大阪", "阪$"]),
            ("설정을", &["설정", "정을", "을$"]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_stand_where_they_say(text in ".{0,200}") {
            let mut last = 0;
            words(&text, |word| {
                assert!(text.get(word.range.clone()).is_some_and(|part| !part.is_empty()));
                assert!(word.range.start >= last && !word.term.is_empty());
                last = word.range.start;
            });
        }

        #[test]
        fn what_is_between_words_means_nothing(words_of in prop::collection::vec("[a-zäéß0-9]{1,9}", 0..9)) {
            prop_assert_eq!(terms(&words_of.join(" ")), terms(&words_of.join("-…, ")));
            prop_assert_eq!(terms(&words_of.join(" ")).len(), words_of.len());
        }
    }
}
