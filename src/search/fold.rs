//! One spelling for all spellings of a word: without case, accents and width.
//!
//! Compatibility decomposition (UAX 15, NFKD) tells letters and their accents apart; accents go, letters that have no decomposition are
//! spelled as people do who lack them, and what is left is composed again, so that Hangul and voiced Kana stay what they are.

use icu_normalizer::{ComposingNormalizerBorrowed as Composing, DecomposingNormalizerBorrowed as Decomposing};
use std::sync::LazyLock;

static DECOMPOSED: LazyLock<Decomposing<'static>> = LazyLock::new(Decomposing::new_nfkd);
static COMPOSED: LazyLock<Composing<'static>> = LazyLock::new(Composing::new_nfc);

/// The longest word, in bytes as folded: of a longer one the rest is not looked at.
pub(super) const LONGEST_WORD: usize = 64;

/// Writes the folded spelling of `word` to `out`.
pub(super) fn fold(word: &str, out: &mut String) {
    let start = out.len();
    if word.is_ascii() {
        out.push_str(word.get(..LONGEST_WORD).unwrap_or(word));
        if let Some(folded) = out.get_mut(start..) {
            folded.make_ascii_lowercase();
        }
        return;
    }
    let mut letters = String::with_capacity(word.len());
    // A decomposition is at most 18 characters: what comes of this many is longer than any word that is kept.
    for letter in DECOMPOSED.normalize_iter(word.chars().take(LONGEST_WORD)).filter(|letter| !is_accent(*letter)) {
        for letter in letter.to_lowercase().filter(|letter| !is_accent(*letter)) {
            match plain(letter) {
                Some(plain) => letters.push_str(plain),
                None => letters.push(letter),
            }
        }
    }
    for letter in COMPOSED.normalize_iter(letters.chars()) {
        if out.len() - start + letter.len_utf8() > LONGEST_WORD {
            break;
        }
        out.push(letter);
    }
}

/// The other spelling that a word has where its letters are missing on the keyboard, folded: `größe` is also `groesse`. `None` if it has none.
pub(super) fn spelled_out(word: &str) -> Option<String> {
    if word.is_ascii() {
        return None;
    }
    let (mut spelled, mut is_other) = (String::with_capacity(word.len() + 4), false);
    for letter in COMPOSED.normalize_iter(word.chars().take(LONGEST_WORD)) {
        let other = match letter {
            'ä' | 'Ä' => "ae",
            'ö' | 'Ö' | 'ø' | 'Ø' => "oe",
            'ü' | 'Ü' => "ue",
            'å' | 'Å' => "aa",
            _ => {
                spelled.push(letter);
                continue;
            }
        };
        is_other = true;
        spelled.push_str(other);
    }
    is_other.then(|| {
        let mut out = String::with_capacity(spelled.len());
        fold(&spelled, &mut out);
        out
    })
}

/// Whether a character only says how another is pronounced. Marks of other scripts are letters of their own: vowels, voicing.
pub(super) fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// Letters that have no decomposition, and how they are spelled without.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(word: &str) -> String {
        let mut out = String::new();
        fold(word, &mut out);
        out
    }

    #[test]
    fn spellings_of_a_word_are_one() {
        for (spellings, expected) in [
            (&["Limits", "LIMITS", "limits", "ｌｉｍｉｔｓ"][..], "limits"),
            (&["élève", "Élève", "e\u{301}le\u{300}ve", "ÉLÈVE", "eleve"], "eleve"),
            (&["Größe", "GRÖSSE", "GRÖẞE", "grosse"], "grosse"),
            (&["œuvre", "ŒUVRE"], "oeuvre"),
            (&["İstanbul", "istanbul", "ıstanbul"], "istanbul"),
            (&["Łódź", "łódź", "lodz"], "lodz"),
            (&["Σίσυφος", "ΣΊΣΥΦΟΣ"], "σισυφοσ"),
            (&["Ёлка", "елка"], "елка"),
            (&["ﬁle", "file"], "file"),
            (&["がぎ", "か\u{3099}き\u{3099}"], "がぎ"),
            (&["한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"], "한국"),
        ] {
            for spelling in spellings {
                assert_eq!(folded(spelling), expected, "{spelling}");
            }
        }
    }

    #[test]
    fn some_words_have_another_spelling() {
        for (word, expected) in [
            ("Größe", Some("groesse")),
            ("u\u{308}ber", Some("ueber")),
            ("Ångström", Some("aangstroem")),
            ("smørrebrød", Some("smoerrebroed")),
            ("élève", None),
            ("plain", None),
        ] {
            assert_eq!(spelled_out(word).as_deref(), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn case_means_nothing_and_length_is_bounded(word in "[a-zA-ZäöüßéèÄÖÜÉæøł]{1,80}") {
            prop_assert!(folded(&word).len() <= LONGEST_WORD);
            let short: String = word.chars().take(20).collect();
            prop_assert_eq!(folded(&short), folded(&short.to_uppercase()));
            prop_assert_eq!(folded(&folded(&short)), folded(&short));
        }

        #[test]
        fn any_text_is_folded(word in ".{0,80}") {
            prop_assert!(folded(&word).len() <= LONGEST_WORD);
        }
    }
}
