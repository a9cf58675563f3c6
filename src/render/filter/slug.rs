//! Text as a part of a URL, and how many words a text has: what a letter is decides both.

use super::{Arguments, Env, Fault, Made};
use crate::render::val::{Val, to_i64};
use regex::Regex;
use std::sync::LazyLock;

/// What stays in a slug; everything else between it becomes one hyphen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing is replaced.
    Untouched,
    /// All but white space.
    Raw,
    /// Letters, their marks, digits.
    Letters,
    /// These, and signs that are readable in the path of a URL.
    Pretty,
    /// The letters and digits of ASCII.
    Ascii,
    /// These, and Latin letters without their accents.
    Latin,
}

/// What `slugify` may be told.
pub(in crate::render) const MODES: [&str; 6] = ["ascii", "default", "latin", "none", "pretty", "raw"];

/// As Jekyll has it: the argument names one of the modes.
pub(super) fn slugify<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mode = match &*arguments.get(0).chars(&env.budget) {
        "" | "default" => Mode::Letters,
        "none" => Mode::Untouched,
        "raw" => Mode::Raw,
        "pretty" => Mode::Pretty,
        "ascii" => Mode::Ascii,
        "latin" => Mode::Latin,
        _ => return Err(Fault::Complaint("the modes are `none`, `raw`, `default`, `pretty`, `ascii` and `latin`")),
    };
    Ok(Val::text(slug(&input.chars(&env.budget), mode)))
}

fn slug(text: &str, mode: Mode) -> String {
    if mode == Mode::Untouched {
        return text.to_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match latin(character).filter(|_| mode == Mode::Latin) {
            Some(plain) => out.push_str(plain),
            None if stays(character, mode) => out.extend(character.to_lowercase()),
            None if out.ends_with(GAP) => {}
            None => out.push(GAP),
        }
    }
    let out = out.replace(GAP, "-");
    let out = out.strip_prefix('-').unwrap_or(&out);
    out.strip_suffix('-').unwrap_or(out).to_owned()
}

/// Stands for what was replaced: a hyphen of the text's own may stand beside it.
const GAP: char = '\0';

fn stays(character: char, mode: Mode) -> bool {
    match mode {
        Mode::Untouched => true,
        _ if character == GAP => false,
        Mode::Raw => !character.is_ascii_whitespace(),
        Mode::Ascii | Mode::Latin => character.is_ascii_alphanumeric(),
        Mode::Pretty if "._~!$&'()+,;=@".contains(character) => true,
        Mode::Letters | Mode::Pretty => {
            character.is_ascii_alphanumeric()
                || (!character.is_ascii() && LETTER.is_match(character.encode_utf8(&mut [0; 4])))
        }
    }
}

static LETTER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{M}\p{L}\p{Nd}]").expect("a pattern of ours"));

/// Latin letters, and what they are without their accents.
const LATIN: &[(&str, &str)] = &[
    ("a", "àáâãäåāăąÀÁÂÃÄÅĀĂĄ"),
    ("ae", "æÆ"),
    ("c", "çćĉċčÇĆĈĊČ"),
    ("d", "ðďđÐĎĐ"),
    ("e", "èéêëēĕėęěÈÉÊËĒĔĖĘĚ"),
    ("g", "ĝğġģĜĞĠĢ"),
    ("h", "ĥħĤĦ"),
    ("i", "ìíîïĩīĭįıÌÍÎÏĨĪĬĮİ"),
    ("ij", "ĳĲ"),
    ("j", "ĵĴ"),
    ("k", "ķĸĶ"),
    ("l", "ĺļľŀłĹĻĽĿŁ"),
    ("n", "ñńņňÑŃŅŇ"),
    ("ng", "ŋŊ"),
    ("o", "òóôõöøōŏőÒÓÔÕÖØŌŎŐ"),
    ("oe", "œŒ"),
    ("r", "ŕŗřŔŖŘ"),
    ("s", "śŝşšŚŜŞŠ"),
    ("ss", "ß"),
    ("t", "ţťŧŢŤŦ"),
    ("th", "þÞ"),
    ("u", "ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ"),
    ("w", "ŵŴ"),
    ("x", "×"),
    ("y", "ýÿŷÝŶŸ"),
    ("z", "źżžŹŻŽ"),
];

fn latin(character: char) -> Option<&'static str> {
    if character.is_ascii() {
        return None;
    }
    LATIN.iter().find(|(_, letters)| letters.contains(character)).map(|(plain, _)| *plain)
}

/// How many words there are. In the scripts of East Asia, which put no space between them, each character is one if the
/// argument is `cjk`, or if it is `auto` and there are any.
pub(super) fn number_of_words<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let apart = match &*arguments.get(0).chars(&env.budget) {
        "cjk" => true,
        "auto" => text.chars().any(is_word_alone),
        _ => false,
    };
    if !apart {
        return Ok(Val::int(to_i64(text.split_whitespace().count())));
    }
    let alone = text.chars().filter(|character| is_word_alone(*character)).count();
    let between = |character: char| character.is_whitespace() || is_word_alone(character);
    let others = text.split(between).filter(|word| !word.is_empty()).count();
    Ok(Val::int(to_i64(alone + others)))
}

/// The blocks of Han, Hiragana, Katakana and Hangul.
fn is_word_alone(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{2fd5}' | '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3038}'..='\u{303b}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fd}'..='\u{30ff}' | '\u{3131}'..='\u{318e}' | '\u{31f0}'..='\u{321e}' | '\u{3260}'..='\u{327e}'
        | '\u{32d0}'..='\u{32fe}' | '\u{3300}'..='\u{3357}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7fb}' | '\u{f900}'..='\u{fad9}' | '\u{ff66}'..='\u{ff6f}'
        | '\u{ff71}'..='\u{ff9d}' | '\u{ffa0}'..='\u{ffdc}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Jekyll 4.3.1 makes of these.
    #[test]
    fn slugs() {
        for (mode, expected) in [
            (Mode::Untouched, " the _config.yml_ – ünïcode, “x²” & e\u{301}: 日本! "),
            (Mode::Raw, "the-_config.yml_-–-ünïcode,-“x²”-&-e\u{301}:-日本!"),
            (Mode::Letters, "the-config-yml-ünïcode-x-e\u{301}-日本"),
            (Mode::Pretty, "the-_config.yml_-ünïcode,-x-&-e\u{301}-日本!"),
            (Mode::Ascii, "the-config-yml-n-code-x-e"),
            (Mode::Latin, "the-config-yml-unicode-x-e"),
        ] {
            assert_eq!(slug(" The _config.yml_ – Ünïcode, “x²” & e\u{301}: 日本! ", mode), expected);
        }
        assert_eq!(slug("- a - b -", Mode::Raw), "-a---b-");
        assert_eq!(slug("İx Łódź", Mode::Latin), "ix-lodz");
        assert_eq!(slug("--- !", Mode::Letters), "");
    }
}
