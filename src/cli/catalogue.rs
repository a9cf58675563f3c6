//! The codes of all floors, with their documentation.
//!
//! Each floor declares its own beside the rules that use them; a floor with a new list adds a line here.

use super::{load, try_out};
use crate::diagnostic::Code;
use crate::{check, config, render, resource, site, source};

/// Every code, by name.
pub(super) fn all() -> Vec<&'static Code> {
    let floors: [&[&'static Code]; 9] = [
        config::CODES,
        config::FRONT_MATTER_CODES,
        render::CODES,
        source::CODES,
        resource::CODES,
        site::CODES,
        check::CODES,
        load::CODES,
        try_out::CODES,
    ];
    let mut codes: Vec<_> = floors.into_iter().flatten().copied().collect();
    codes.sort_by_key(|code| code.name);
    codes
}

/// The code of this name, which is one of ours.
pub(super) fn named(name: &str) -> &'static Code {
    all().into_iter().find(|code| code.name == name).expect("a code that is declared")
}

/// What a code's documentation says, as text.
pub(super) fn documentation(code: &Code) -> String {
    let lines = code.docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    format!("{} ({})\n\n{}\n", code.name, code.level.name(), lines.collect::<Vec<_>>().join("\n"))
}

/// The first sentence of a code's documentation, without its full stop.
pub(super) fn headline(code: &Code) -> String {
    let words: Vec<&str> = code.docs.split_whitespace().collect();
    let text = words.join(" ");
    let end = text.find(". ").unwrap_or(text.len());
    let sentence = text.get(..end).unwrap_or(&text);
    sentence.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_says_what_it_means() {
        let codes = all();
        assert!(codes.len() >= 60, "{}", codes.len());
        for pair in codes.windows(2) {
            assert_ne!(pair[0].name, pair[1].name);
        }
        for code in codes {
            let (area, rule) = code.name.split_once('/').unwrap_or_else(|| panic!("{}", code.name));
            let is_word = |word: &str| {
                !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            assert!(is_word(area) && is_word(rule), "{}", code.name);
            assert!(!headline(code).is_empty(), "{}", code.name);
        }
    }
}
