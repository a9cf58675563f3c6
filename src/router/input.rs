//! Types of the values that a request carries: path parameters, and query values.
//!
//! A value either fits its type or does not; what a misfit means (404 for a parameter) is decided elsewhere. Values are
//! decoded text, never empty: an empty query value is an absent one, and a path segment is never empty.

use crate::value::Value;
use regex::Regex;
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
    /// A value of `enum` that does not fit the rest of the declaration.
    #[error("the `enum` value `{0}` does not fit the other rules of this type")]
    ChoiceMisfit(String),
    /// `max-length = 0`
    #[error("`max-length` is 0: nothing fits")]
    NoLength,
    /// No regular expression.
    #[error("`pattern` is no regular expression: {0}")]
    Pattern(String),
}

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
        let mut rules = Rules { pattern, choices: None, min, max, max_length };
        if problems.is_empty() {
            problems = choices.iter().flat_map(|choices: &Vec<Box<str>>| rules.problems_of(kind, choices)).collect();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
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

    /// Whether `text` is a value of this type. Allocates nothing.
    pub fn fits(&self, text: &str) -> bool {
        let none = text.is_empty() || !self.kind.fits(text);
        !none && self.rules.as_ref().is_none_or(|rules| rules.fit(text) && rules.chosen(text))
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
        let Self { pattern, choices, min, max, max_length } = self;
        pattern.is_none() && choices.is_none() && min.is_none() && max.is_none() && max_length.is_none()
    }

    fn fit(&self, text: &str) -> bool {
        let Self { pattern, choices: _, min, max, max_length } = self;
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
        self.choices.as_ref().is_none_or(|choices| choices.iter().any(|choice| **choice == *text))
    }

    fn problems_of(&self, kind: Kind, choices: &[Box<str>]) -> Vec<InputProblem> {
        if choices.is_empty() {
            return vec![InputProblem::NoChoices];
        }
        let mut problems = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            if choices.iter().take(index).any(|other| other == choice) {
                problems.push(InputProblem::ChoiceTwice(choice.to_string()));
            }
            if choice.is_empty() || !kind.fits(choice) || !self.fit(choice) {
                problems.push(InputProblem::ChoiceMisfit(choice.to_string()));
            }
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
    compile(&format!(r"\A(?:{pattern})\z"))
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
