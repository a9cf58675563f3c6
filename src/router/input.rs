//! Types of the values that a request carries: path parameters, and query values.
//!
//! A value either fits its type or does not; what a misfit means (404 for a parameter) is decided elsewhere. Values are
//! decoded text, never empty: an empty query value is an absent one, and a path segment is never empty.

use crate::value::Value;
use regex::Regex;
use std::collections::HashSet;
use std::sync::Arc;

/// A type as declared.
#[derive(Debug, Clone, Default)]
pub struct InputDecl {
    /// `type`
    pub kind: Kind,
    /// `pattern`: a regular expression that the whole value matches.
    pub pattern: Option<String>,
    /// `enum`: the only values there are.
    pub choices: Option<Vec<String>>,
    /// `min`, of an integer.
    pub min: Option<i64>,
    /// `max`, of an integer.
    pub max: Option<i64>,
    /// `max-length`, in characters.
    pub max_length: Option<usize>,
}

/// What a value is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Any text.
    #[default]
    String,
    /// A decimal integer of 64 bits in its one spelling: no `+`, no leading zeros, no `-0`.
    Int,
    /// `8-4-4-4-12` hexadecimal digits of either case (RFC 9562, section 4); the value is in lower case.
    Uuid,
    /// Lower-case ASCII letters and digits in groups joined by single hyphens.
    Slug,
    /// A day of the calendar, `2026-11-21` (RFC 3339, `full-date`).
    Date,
    /// A path of this site: `/` and what follows, never `//`, a backslash or a control character.
    Path,
}

impl Kind {
    /// Every type by the name that authors write.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("string", Self::String),
        ("int", Self::Int),
        ("uuid", Self::Uuid),
        ("slug", Self::Slug),
        ("date", Self::Date),
        ("path", Self::Path),
    ];

    /// The type that authors call `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind)
    }

    /// What authors call it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("string", |(name, _)| name)
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::String => true,
            Self::Int => integer(text).is_some(),
            Self::Uuid => is_uuid(text),
            Self::Slug => text.split('-').all(is_slug_word),
            Self::Date => is_date(text),
            Self::Path => is_local_path(text),
        }
    }
}

/// A type that values are checked against.
#[derive(Debug, Clone, Default)]
pub struct InputType {
    kind: Kind,
    rules: Option<Arc<Rules>>,
}

/// The rules beyond the kind; most types have none.
#[derive(Debug, Default)]
struct Rules {
    pattern: Option<Regex>,
    choices: Option<Vec<Box<str>>>,
    /// The same, to look one up.
    chosen: HashSet<Box<str>>,
    min: Option<i64>,
    max: Option<i64>,
    max_length: Option<usize>,
}

/// What is wrong with a declared type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputProblem {
    /// `min` or `max` on what is no integer.
    #[error("`{0}` bounds integers, and the type is `{1}`")]
    BoundOfText(&'static str, &'static str),
    /// Nothing fits between the bounds.
    #[error("`min` is above `max`: nothing fits")]
    EmptyRange,
    /// `enum = []`
    #[error("`enum` has no values: nothing fits")]
    NoChoices,
    /// The same value twice.
    #[error("`enum` has `{0}` twice")]
    ChoiceTwice(String),
    /// Values of `enum` that do not fit the rest of the declaration.
    #[error("`enum` holds what does not fit the other rules of this type: {}", some(.0))]
    ChoiceMisfit(Vec<String>),
    /// `max-length = 0`
    #[error("`max-length` is 0: nothing fits")]
    NoLength,
    /// No regular expression.
    #[error("`pattern` is no regular expression: {0}")]
    Pattern(String),
}

/// The first few values, in backticks.
fn some(values: &[String]) -> String {
    const FEW: usize = 5;
    let few: Vec<String> = values.iter().take(FEW).map(|value| format!("`{value}`")).collect();
    let more = if values.len() > FEW { " and more" } else { "" };
    format!("{}{more}", few.join(", "))
}

/// What stands around a pattern that matches whole values.
const WHOLE: (&str, &str) = (r"\A(?:", r")\z");

/// A pattern compiles to at most this many bytes.
const PATTERN_SIZE: usize = 256 * 1024;

impl InputType {
    /// Compiles a declaration, and finds all that is wrong with it.
    pub fn compile(decl: InputDecl) -> Result<Self, Vec<InputProblem>> {
        let InputDecl { kind, pattern, choices, min, max, max_length } = decl;
        let mut problems = Vec::new();
        for (key, bound) in [("min", min), ("max", max)] {
            if bound.is_some() && kind != Kind::Int {
                problems.push(InputProblem::BoundOfText(key, kind.name()));
            }
        }
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            problems.push(InputProblem::EmptyRange);
        }
        if max_length == Some(0) {
            problems.push(InputProblem::NoLength);
        }
        let pattern = pattern.and_then(|pattern| whole_match(&pattern).map_err(|problem| problems.push(problem)).ok());
        let choices = choices.map(|choices| choices.into_iter().map(Box::from).collect());
        let mut rules = Rules { pattern, choices: None, chosen: HashSet::new(), min, max, max_length };
        if problems.is_empty() {
            problems = choices.iter().flat_map(|choices: &Vec<Box<str>>| rules.problems_of(kind, choices)).collect();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        rules.chosen = choices.iter().flatten().cloned().collect();
        rules.choices = choices;
        Ok(Self { kind, rules: (!rules.are_none()).then(|| Arc::new(rules)) })
    }

    /// What values are read as.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The values of `enum`.
    pub fn choices(&self) -> Option<impl ExactSizeIterator<Item = &str>> {
        let choices = self.rules.as_ref()?.choices.as_ref()?;
        Some(choices.iter().map(|choice| &**choice))
    }

    /// The least integer and the greatest, where they are bounded.
    pub fn bounds(&self) -> (Option<i64>, Option<i64>) {
        self.rules.as_ref().map_or((None, None), |rules| (rules.min, rules.max))
    }

    /// How many characters there may be.
    pub fn most_characters(&self) -> Option<usize> {
        self.rules.as_ref()?.max_length
    }

    /// The expression of `pattern`, as it is written.
    pub fn pattern(&self) -> Option<&str> {
        let whole = self.rules.as_ref()?.pattern.as_ref()?.as_str();
        whole.strip_prefix(WHOLE.0)?.strip_suffix(WHOLE.1)
    }

    /// Whether `text` is a value of this type. Allocates nothing.
    pub fn fits(&self, text: &str) -> bool {
        let none = text.is_empty() || !self.kind.fits(text);
        !none && self.rules.as_ref().is_none_or(|rules| rules.fit(text) && rules.chosen(text))
    }

    /// Whether any text but the empty one is a value of this type.
    pub(super) fn takes_any(&self) -> bool {
        self.kind == Kind::String && self.rules.is_none()
    }

    /// Whether its values are strings of which any may be allowed: no integers, no others than listed.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.kind != Kind::Int && self.rules.as_ref().is_none_or(|rules| rules.choices.is_none())
    }

    /// The value that `text` is, if it is one of this type.
    pub fn check(&self, text: &str) -> Option<Value> {
        if !self.fits(text) {
            return None;
        }
        Some(match self.kind {
            Kind::Int => Value::Int(integer(text)?),
            Kind::Uuid => Value::from(text.to_ascii_lowercase()),
            Kind::String | Kind::Slug | Kind::Date | Kind::Path => Value::from(text),
        })
    }
}

impl Rules {
    fn are_none(&self) -> bool {
        let Self { pattern, choices, chosen: _, min, max, max_length } = self;
        pattern.is_none() && choices.is_none() && min.is_none() && max.is_none() && max_length.is_none()
    }

    fn fit(&self, text: &str) -> bool {
        let Self { pattern, choices: _, chosen: _, min, max, max_length } = self;
        let bounded = || {
            (min.is_none() && max.is_none())
                || integer(text)
                    .is_some_and(|number| min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max))
        };
        max_length.is_none_or(|most| text.chars().count() <= most)
            && bounded()
            && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    fn chosen(&self, text: &str) -> bool {
        self.choices.is_none() || self.chosen.contains(text)
    }

    fn problems_of(&self, kind: Kind, choices: &[Box<str>]) -> Vec<InputProblem> {
        if choices.is_empty() {
            return vec![InputProblem::NoChoices];
        }
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for choice in choices {
            if !seen.insert(choice) {
                problems.push(InputProblem::ChoiceTwice(choice.to_string()));
            }
        }
        let is_misfit = |choice: &&str| choice.is_empty() || !kind.fits(choice) || !self.fit(choice);
        let misfits = choices.iter().map(|choice| &**choice).filter(is_misfit);
        let misfits: Vec<String> = misfits.map(str::to_owned).collect();
        if !misfits.is_empty() {
            problems.push(InputProblem::ChoiceMisfit(misfits));
        }
        problems
    }
}

/// The expression, matching whole values only.
fn whole_match(pattern: &str) -> Result<Regex, InputProblem> {
    let compile = |pattern: &str| {
        let compiled = regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
        compiled.map_err(|error| InputProblem::Pattern(last_line(&error.to_string())))
    };
    // Alone first: `a)(b` is no expression, though it would be one inside the group.
    compile(pattern)?;
    compile(&format!("{}{pattern}{}", WHOLE.0, WHOLE.1))
}

/// The last line of the crate's report says what is wrong; those before draw it.
fn last_line(report: &str) -> String {
    let last = report.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', ..] => digits.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

fn is_uuid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(
            |(at, byte)| {
                if hyphens.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            },
        )
}

fn is_slug_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_date(text: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return false };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_i16, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0')))
    };
    let (Some(year), Some(month), Some(day)) = (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2])) else {
        return false;
    };
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
    jiff::civil::Date::new(year, month, day).is_ok()
}

fn is_local_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && !text.chars().any(|character| character == '\\' || character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind) -> InputDecl {
        InputDecl { kind, ..InputDecl::default() }
    }

    fn one_of(values: &[&str], kind: Kind) -> InputDecl {
        InputDecl { choices: Some(values.iter().map(|value| (*value).to_owned()).collect()), ..of(kind) }
    }

    #[test]
    fn each_kind_has_its_texts() {
        let cases: &[(Kind, &[&str], &[&str])] = &[
            (Kind::String, &["a", " ", "a/b", "\u{e9}"], &[""]),
            (
                Kind::Int,
                &["0", "7", "-7", "9223372036854775807", "-9223372036854775808"],
                &["", "-", "+7", "07", "-0", "7.0", "1e3", " 7", "9223372036854775808", "\u{664}"],
            ),
            (
                Kind::Uuid,
                &["f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"],
                &[
                    "f81d4fae7dec11d0a76500a0c91e6bf6",
                    "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
                    "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                ],
            ),
            (Kind::Slug, &["a", "hello-world-2"], &["", "-a", "a-", "a--b", "A", "a_b", "\u{e9}"]),
            (
                Kind::Date,
                &["2026-11-21", "2024-02-29", "0001-01-01"],
                &["2026-02-29", "2026-13-01", "2026-1-1", "20261121", "2026-11-21T00:00", "+026-11-21"],
            ),
            (
                Kind::Path,
                &["/", "/a?b#c"],
                &["a", "//evil.example", "/\\evil.example", "/a\nb", "https://evil.example"],
            ),
        ];
        for (kind, fitting, misfits) in cases {
            let input = InputType::compile(of(*kind)).unwrap();
            for text in *fitting {
                assert!(input.fits(text) && input.check(text).is_some(), "{kind:?} {text}");
            }
            for text in *misfits {
                assert!(!input.fits(text) && input.check(text).is_none(), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn values_are_read_as_their_kind() {
        let check = |kind, text| InputType::compile(of(kind)).unwrap().check(text).unwrap();
        assert_eq!(check(Kind::Int, "-7"), Value::Int(-7));
        let uuid = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6";
        assert_eq!(check(Kind::Uuid, uuid), Value::from(uuid.to_lowercase()));
        assert_eq!(check(Kind::Date, "2026-11-21"), Value::from("2026-11-21"));
    }

    #[test]
    fn rules_narrow_the_kind() {
        let range = InputType::compile(InputDecl { min: Some(1), max: Some(9), ..of(Kind::Int) }).unwrap();
        assert!(range.fits("1") && range.fits("9") && !range.fits("0") && !range.fits("10"));
        let whole = InputType::compile(InputDecl { pattern: Some("a|b+".to_owned()), ..InputDecl::default() }).unwrap();
        assert!(whole.fits("a") && whole.fits("bb") && !whole.fits("ab") && !whole.fits("a\n"));
        let short = InputType::compile(InputDecl { max_length: Some(2), ..InputDecl::default() }).unwrap();
        assert!(short.fits("\u{e9}\u{e9}") && !short.fits("abc"));
        let chosen = InputType::compile(one_of(&["new", "old"], Kind::String)).unwrap();
        assert!(chosen.fits("new") && !chosen.fits("New"));
        assert_eq!(chosen.choices().unwrap().collect::<Vec<_>>(), ["new", "old"]);
    }

    #[test]
    fn a_type_that_nothing_fits_is_a_mistake() {
        let problems = |decl| InputType::compile(decl).unwrap_err();
        assert_eq!(problems(InputDecl { min: Some(1), ..of(Kind::Slug) }), [InputProblem::BoundOfText("min", "slug")]);
        assert_eq!(problems(InputDecl { min: Some(2), max: Some(1), ..of(Kind::Int) }), [InputProblem::EmptyRange]);
        assert_eq!(problems(InputDecl { max_length: Some(0), ..of(Kind::String) }), [InputProblem::NoLength]);
        assert_eq!(problems(one_of(&[], Kind::String)), [InputProblem::NoChoices]);
        assert_eq!(
            problems(one_of(&["1", "1", "x"], Kind::Int)),
            [InputProblem::ChoiceTwice("1".to_owned()), InputProblem::ChoiceMisfit(vec!["x".to_owned()])]
        );
        for bad in ["(", "a)(b", "[z-a]", "\\p{Greek", "(a{1000}){1000}"] {
            let decl = InputDecl { pattern: Some(bad.to_owned()), ..InputDecl::default() };
            assert!(matches!(&*problems(decl), [InputProblem::Pattern(_)]), "{bad}");
        }
    }
}
