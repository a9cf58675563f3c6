//! Regular expressions of `match` and `search`: I-Regexp (RFC 9485), run by a matcher whose time is linear.
//!
//! I-Regexp is nearly a subset of what the matcher reads. Only `.` differs (it matches neither line feed nor carriage
//! return), and what the matcher knows beyond it is left alone, because authors write `\d` and `^`.

use super::syntax::Operand;
use regex::{Regex, RegexBuilder};

/// The longest expression that is taken from a document, in bytes.
const LONGEST_FROM_DOCUMENT: usize = 1024;
/// How large a compiled expression may be, in bytes: `a{1000}{1000}` must not fill the memory.
const LARGEST: usize = 1 << 18;

/// Whether the whole string must match, or any part of it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// `match`.
    Whole,
    /// `search`.
    Part,
}

/// The second argument of `match` and `search`.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Written in the query, and compiled with it.
    Ready(Regex),
    /// Read from the document when the query runs.
    Given(Box<Operand>, Extent),
}

/// Compiles an expression that the author wrote; the error says what is wrong with it.
pub(super) fn compile(expression: &str, extent: Extent) -> Result<Regex, String> {
    let translated = translate(expression);
    let anchored = match extent {
        Extent::Whole => format!(r"\A(?:{translated})\z"),
        Extent::Part => translated,
    };
    let mut builder = RegexBuilder::new(&anchored);
    builder.size_limit(LARGEST).dfa_size_limit(LARGEST).nest_limit(32).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return "it is too large".to_owned();
        }
        // The last line says what is wrong; those before draw the place, in the translated expression.
        error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// Compiles an expression that came from a document; one that is none matches nothing (section 2.4.6).
pub(super) fn compile_given(expression: &str, extent: Extent) -> Option<Regex> {
    if expression.len() > LONGEST_FROM_DOCUMENT {
        return None;
    }
    compile(expression, extent).ok()
}

/// I-Regexp to the matcher's syntax (RFC 9485 section 5.4): outside character classes, `.` is neither LF nor CR.
fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut characters = expression.chars();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                out.push('\\');
                out.extend(characters.next());
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                out.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_matches_no_line_break() {
        for (expression, text, whole, part) in [
            ("a.c", "abc", true, true),
            ("a.c", "a\nc", false, false),
            ("a.c", "a\rc", false, false),
            ("a[.b]c", "axc", false, false),
            (r"a\.c", "abc", false, false),
            (r"a\\.c", r"a\xc", true, true),
            ("b", "abc", false, true),
            ("a|ab", "ab", true, true),
            (r"\p{Lu}+", "ЖÄ", true, true),
        ] {
            let is = |extent| compile(expression, extent).unwrap().is_match(text);
            assert_eq!((is(Extent::Whole), is(Extent::Part)), (whole, part), "{expression} on {text:?}");
        }
    }

    #[test]
    fn an_expression_that_would_fill_the_memory_is_refused() {
        assert_eq!(compile("((a{999}){999}){999}", Extent::Part).unwrap_err(), "it is too large");
        assert!(compile_given(&"a".repeat(2000), Extent::Part).is_none());
    }
}
