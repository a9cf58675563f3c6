//! The types that an extracted field can have, and what fits them.
//!
//! Types are generous where senders differ in spelling (`"12"` is an integer) and never guess: what does not fit is a misfit,
//! which counts as missing.

use super::markdown;
use super::sanitise::sanitise;
use crate::value::Value;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;

/// The declared type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text; a number is written out.
    String,
    /// An integer, also one written as a string of digits or as a number without a fraction.
    Int,
    /// Any number, also one written as a string.
    Number,
    /// True or false, also as the strings `true` and `false`.
    Bool,
    /// A date or a moment (RFC 3339, RFC 2822, or without a zone), kept as its text; or Unix seconds, kept as an integer.
    Date,
    /// An absolute `http` or `https` URL, or a relative reference (RFC 3986 section 4.1).
    Url,
    /// HTML, sanitised: markup afterwards.
    Html,
    /// Markdown, rendered and sanitised: markup afterwards.
    Markdown,
    /// A list of anything.
    List,
    /// An object of anything.
    Object,
}

impl Type {
    const ALL: &[(&str, Self)] = &[
        ("string", Self::String),
        ("int", Self::Int),
        ("number", Self::Number),
        ("bool", Self::Bool),
        ("date", Self::Date),
        ("url", Self::Url),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("list", Self::List),
        ("object", Self::Object),
    ];

    /// The type that declarations call `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, kind)| kind)
    }

    /// What declarations call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The names of all types, for messages and suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// Whether any path below such a field may be read, because nothing is known of what it holds.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::List | Self::Object)
    }

    /// The value as this type; `None` is a misfit. `null` fits no type.
    #[must_use]
    pub fn fit(self, value: &Value) -> Option<Value> {
        match self {
            Self::String => string(value),
            Self::Int => int(value),
            Self::Number => number(value),
            Self::Bool => boolean(value),
            Self::Date => date(value).then(|| value.clone()),
            Self::Url => value.as_str().is_some_and(is_url).then(|| value.clone()),
            Self::Html => Some(Value::markup(sanitise(value.as_str()?)?)),
            Self::Markdown => markdown::untrusted(value.as_str()?).map(Value::markup),
            Self::List => value.as_list().map(|_| value.clone()),
            Self::Object => value.as_object().map(|_| value.clone()),
        }
    }
}

fn string(value: &Value) -> Option<Value> {
    match value {
        Value::Text(_) => Some(value.clone()),
        Value::Int(number) => Some(Value::from(number.to_string())),
        Value::UInt(number) => Some(Value::from(number.to_string())),
        Value::Float(number) => Some(Value::from(number.to_string())),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn int(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::UInt(_) => Some(value.clone()),
        Value::Float(number) => integral(*number),
        Value::Text(text) => digits(text),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// The integer that a float is, as long as floats can tell neighbouring integers apart.
fn integral(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked just above: no fraction, below 2^53")]
    Some(Value::Int(number as i64))
}

fn digits(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().map(Value::Int).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => Some(value.clone()),
        Value::Text(text) => digits(text).or_else(|| {
            // What `parse` knows beyond JSON's numbers (`inf`, `nan`, `.5`) does not begin with a digit.
            let first = text.strip_prefix('-').unwrap_or(text).bytes().next()?;
            let number = first.is_ascii_digit().then(|| text.parse::<f64>().ok())??;
            number.is_finite().then_some(Value::Float(number))
        }),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Text(text) => text.parse().ok().map(Value::Bool),
        Value::Null | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn date(value: &Value) -> bool {
    match value {
        Value::Text(text) => {
            text.parse::<Timestamp>().is_ok()
                || text.parse::<DateTime>().is_ok()
                || text.parse::<Date>().is_ok()
                || rfc2822::parse(text).is_ok()
        }
        Value::Int(seconds) => Timestamp::from_second(*seconds).is_ok(),
        Value::Null | Value::Bool(_) | Value::UInt(_) | Value::Float(_) | Value::List(_) | Value::Object(_) => false,
    }
}

/// Whether a page may link to `text`: never `javascript:`, nor anything that browsers would mend into it.
fn is_url(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '"' | '<' | '>');
    if text.is_empty() || text.contains(odd) {
        return false;
    }
    // A colon before any `/`, `?` or `#` ends a scheme (RFC 3986 section 4.2).
    let after_scheme = match text.split_once(':') {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#']) => {
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return false;
            }
            match rest.strip_prefix("//") {
                Some(authority) => Some(authority),
                None => return false,
            }
        }
        Some(_) | None => text.strip_prefix("//"),
    };
    let has_host = |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|authority| !authority.is_empty());
    after_scheme.is_none_or(has_host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, parse_json, write_json};

    #[test]
    fn what_fits_and_what_does_not() {
        for (name, value, expected) in [
            ("string", "\"a\"", "\"a\""),
            ("string", "12", "\"12\""),
            ("string", "true", ""),
            ("int", "12", "12"),
            ("int", "\"12\"", "12"),
            ("int", "\"-12\"", "-12"),
            ("int", "12.0", "12"),
            ("int", "12.5", ""),
            ("int", "1e300", ""),
            ("int", "\"12.5\"", ""),
            ("int", "\" 12\"", ""),
            ("int", "\"+12\"", ""),
            ("int", "\"\"", ""),
            ("int", "18446744073709551615", "18446744073709551615"),
            ("int", "\"18446744073709551615\"", "18446744073709551615"),
            ("int", "\"18446744073709551616\"", ""),
            ("int", "true", ""),
            ("number", "1.5", "1.5"),
            ("number", "\"1.5\"", "1.5"),
            ("number", "\"-1.5e3\"", "-1500.0"),
            ("number", "\"7\"", "7"),
            ("number", "\"inf\"", ""),
            ("number", "\"NaN\"", ""),
            ("number", "\"1e999\"", ""),
            ("bool", "false", "false"),
            ("bool", "\"true\"", "true"),
            ("bool", "\"yes\"", ""),
            ("bool", "1", ""),
            ("date", "\"2024-03-05\"", "\"2024-03-05\""),
            ("date", "\"2024-03-05T10:20:30Z\"", "\"2024-03-05T10:20:30Z\""),
            ("date", "\"2024-03-05T10:20:30+02:00\"", "\"2024-03-05T10:20:30+02:00\""),
            ("date", "\"2024-03-05 10:20\"", "\"2024-03-05 10:20\""),
            ("date", "\"Tue, 5 Mar 2024 10:20:30 GMT\"", "\"Tue, 5 Mar 2024 10:20:30 GMT\""),
            ("date", "1709634030", "1709634030"),
            ("date", "1709634030000", ""),
            ("date", "\"2024-02-30\"", ""),
            ("date", "\"soon\"", ""),
            ("url", "\"https://example.com/a?b#c\"", "\"https://example.com/a?b#c\""),
            ("url", "\"HTTP://example.com\"", "\"HTTP://example.com\""),
            ("url", "\"//cdn.example.com/a.png\"", "\"//cdn.example.com/a.png\""),
            ("url", "\"/a:b\"", "\"/a:b\""),
            ("url", "\"a/b?c=d:e\"", "\"a/b?c=d:e\""),
            ("url", "\"javascript:alert(1)\"", ""),
            ("url", "\" javascript:alert(1)\"", ""),
            ("url", "\"java\\nscript:alert(1)\"", ""),
            ("url", "\"data:text/html,x\"", ""),
            ("url", "\"mailto:a@example.com\"", ""),
            ("url", "\"https:example.com\"", ""),
            ("url", "\"https:///path\"", ""),
            ("url", "\"\\\\\\\\evil.example\"", ""),
            ("url", "\"\"", ""),
            ("list", "[1]", "[1]"),
            ("list", "{}", ""),
            ("object", "{\"a\":1}", "{\"a\":1}"),
            ("object", "[]", ""),
            ("html", "\"<b onclick=x>a</b><script>b</script>\"", "\"<b>a</b>\""),
            ("markdown", "\"**a** <script>b</script>\"", "\"<p><strong>a</strong> </p>\\n\""),
            ("string", "null", ""),
            ("list", "null", ""),
        ] {
            let kind = Type::from_name(name).unwrap();
            assert_eq!(kind.name(), name);
            let fitted = kind.fit(&parse_json(value, JsonLimits::default()).unwrap()).map(|fitted| {
                let mut out = String::new();
                write_json(&fitted, &mut out);
                out
            });
            assert_eq!(fitted.unwrap_or_default(), expected, "{value} as {name}");
        }
    }
}
