//! Regular expressions of `match` and `search`: I-Regexp (RFC 9485), run by a matcher whose time is linear.
//!
//! I-Regexp is nearly a subset of what the matcher reads. Only `.` differs (it matches neither line feed nor carriage
//! return), and `&&` and `~~` in a character class (two characters like any others). What the matcher knows beyond I-Regexp is
//! left alone, because authors write `\d` and `^`.

use super::syntax::Operand;
use regex::{Regex, RegexBuilder};

/// The longest expression that is taken from a document, in bytes.
const LONGEST_FROM_DOCUMENT: usize = 1024;
/// How large a compiled expression may be, in bytes: `a{1000}{1000}` must not fill the memory. `\p{L}` is some 15 KiB.
const LARGEST: usize = 4 << 20;
/// The same for one from a document that costs what an ordinary one does: a few simple classes fit.
const USUAL: usize = 1 << 15;
/// The largest from a document, of which there may be dozens.
const LARGEST_FROM_DOCUMENT: usize = 1 << 18;
/// How much the matcher may keep in memory to go through a text in one step a byte, in bytes. It must be several times the size of the
/// expression: without it a step takes as long as the expression is large.
const KEPT_BY_MATCHER: usize = 8 << 20;

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

/// Why a text is no expression that is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RegexpError {
    /// Compiled, it would take more memory than it may.
    #[error("it is too large")]
    TooLarge,
    /// It is none.
    #[error("{0}")]
    Malformed(String),
}

/// Compiles an expression that the author wrote.
pub(super) fn compile(expression: &str, extent: Extent) -> Result<Regex, RegexpError> {
    compile_within(LARGEST, expression, extent)
}

/// Compiles an expression that came from a document, unless it is larger than most. One that is none matches nothing
/// (section 2.4.6).
pub(super) fn compile_given(expression: &str, extent: Extent) -> Result<Option<Regex>, RegexpError> {
    if expression.len() > LONGEST_FROM_DOCUMENT {
        return Ok(None);
    }
    match compile_within(USUAL, expression, extent) {
        Ok(compiled) => Ok(Some(compiled)),
        Err(RegexpError::Malformed(_)) => Ok(None),
        Err(RegexpError::TooLarge) => Err(RegexpError::TooLarge),
    }
}

/// The same for one that was too large, which takes many times as long.
pub(super) fn compile_large(expression: &str, extent: Extent) -> Option<Regex> {
    compile_within(LARGEST_FROM_DOCUMENT, expression, extent).ok()
}

fn compile_within(largest: usize, expression: &str, extent: Extent) -> Result<Regex, RegexpError> {
    let translated = translate(expression)?;
    let anchored = match extent {
        Extent::Whole => format!(r"\A(?:{translated})\z"),
        Extent::Part => translated,
    };
    let mut builder = RegexBuilder::new(&anchored);
    builder.size_limit(largest).dfa_size_limit(KEPT_BY_MATCHER).nest_limit(32).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return RegexpError::TooLarge;
        }
        // The last line says what is wrong; those before draw the place, in the translated expression.
        let text = error.to_string();
        RegexpError::Malformed(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
    })
}

/// I-Regexp to the matcher's syntax (RFC 9485 section 5.4). A parenthesis that closes nothing is refused here, where it could close
/// what we put around the expression.
fn translate(expression: &str) -> Result<String, RegexpError> {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut characters = expression.chars();
    let (mut groups, mut classes) = (0_usize, 0_usize);
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                out.push('\\');
                out.extend(characters.next());
                continue;
            }
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '&' | '~' if classes > 0 => out.push('\\'),
            '.' if classes == 0 => {
                out.push_str(r"[^\n\r]");
                continue;
            }
            '(' if classes == 0 => groups += 1,
            ')' if classes == 0 => groups = groups.checked_sub(1).ok_or_else(unopened)?,
            _ => {}
        }
        out.push(character);
    }
    Ok(out)
}

fn unopened() -> RegexpError {
    RegexpError::Malformed("unopened group".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_rfc_9485_says() {
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
            ("[a&&b]+", "a&b", true, true),
            ("[~~a-c]", "~", true, true),
            ("[(.)]x", ")x", true, true),
            (r"\(a\)", "(a)", true, true),
            (r"[\p{L}\p{N} .'-]{1,64}", "D'Arc, Jeanne", false, true),
        ] {
            let is = |extent| compile(expression, extent).unwrap().is_match(text);
            assert_eq!((is(Extent::Whole), is(Extent::Part)), (whole, part), "{expression} on {text:?}");
        }
    }

    #[test]
    fn an_expression_that_would_fill_the_memory_is_refused() {
        let given = |expression: &str| compile_given(expression, Extent::Part).map(|compiled| compiled.is_some());
        assert_eq!(compile("((a{999}){999}){999}", Extent::Part).unwrap_err(), RegexpError::TooLarge);
        assert_eq!(given(&"a".repeat(2000)), Ok(false));
        assert_eq!(given(r"\p{Lu}+[a-z]{2,20}"), Ok(true));
        assert_eq!(given("("), Ok(false));
        let large = r"\p{L}{3}";
        assert_eq!(given(large), Err(RegexpError::TooLarge));
        assert!(compile_large(large, Extent::Part).is_some());
        assert!(compile_large(r"\p{L}{1,20}", Extent::Part).is_none());
    }

    #[test]
    fn no_parenthesis_closes_what_is_around_the_expression() {
        for expression in ["a)|(b", ")", "(a))", "[)])", "a)(?:"] {
            for extent in [Extent::Whole, Extent::Part] {
                assert_eq!(compile(expression, extent).unwrap_err(), unopened(), "{expression}");
            }
        }
    }
}
