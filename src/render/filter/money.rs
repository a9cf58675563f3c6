//! Money: an amount in the smallest unit of its currency (cents), written by the format of the site.

use super::number::{decimals, grouped, number_of};
use super::{Arguments, Env, Made};
use crate::render::val::Val;

/// How a site writes amounts: text, one placeholder, text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyFormat {
    before: String,
    style: Style,
    after: String,
}

/// The two ways of a site to write amounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MoneyFormats {
    /// As `money` does: `$1,134.65`.
    pub plain: MoneyFormat,
    /// As `money_with_currency` does: `$1,134.65 CAD`.
    pub with_currency: MoneyFormat,
}

/// Why a text is no format of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFormatError {
    /// No `{{ amount }}`, or one of another name.
    #[error("no `{{{{ amount }}}}` stands in it")]
    NoAmount,
}

/// What stands between groups of three digits, what before the decimals, and whether there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Style {
    group: &'static str,
    point: &'static str,
    decimals: bool,
}

/// The placeholders, as Shopify's shops name them.
const STYLES: [(&str, Style); 8] = [
    ("amount", Style { group: ",", point: ".", decimals: true }),
    ("amount_no_decimals", Style { group: ",", point: ".", decimals: false }),
    ("amount_with_comma_separator", Style { group: ".", point: ",", decimals: true }),
    ("amount_no_decimals_with_comma_separator", Style { group: ".", point: ",", decimals: false }),
    ("amount_with_apostrophe_separator", Style { group: "'", point: ".", decimals: true }),
    ("amount_with_space_separator", Style { group: " ", point: ",", decimals: true }),
    ("amount_no_decimals_with_space_separator", Style { group: " ", point: ",", decimals: false }),
    ("amount_with_period_and_space_separator", Style { group: " ", point: ".", decimals: true }),
];

impl MoneyFormat {
    /// Reads a format, as in `${{ amount }}` and `{{ amount_with_comma_separator }} €`.
    pub fn parse(text: &str) -> Result<Self, MoneyFormatError> {
        let (before, rest) = text.split_once("{{").ok_or(MoneyFormatError::NoAmount)?;
        let (name, after) = rest.split_once("}}").ok_or(MoneyFormatError::NoAmount)?;
        let style = STYLES.iter().find(|(known, _)| *known == name.trim()).ok_or(MoneyFormatError::NoAmount)?;
        Ok(Self { before: before.to_owned(), style: style.1, after: after.to_owned() })
    }

    /// The names of the placeholders, for suggestions.
    pub fn placeholders() -> impl Iterator<Item = &'static str> {
        STYLES.iter().map(|(name, _)| *name)
    }
}

impl Default for MoneyFormat {
    /// The bare amount.
    fn default() -> Self {
        let (_, style) = STYLES[0];
        Self { before: String::new(), style, after: String::new() }
    }
}

/// What is written of a format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// By the other format.
    Currency,
    /// Without the text around the amount.
    Bare,
    /// Without decimals if there are only zeros.
    Short,
}

pub(super) fn money<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(&input, Form::Whole, env)
}

pub(super) fn money_with_currency<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(&input, Form::Currency, env)
}

pub(super) fn money_without_currency<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(&input, Form::Bare, env)
}

pub(super) fn money_without_trailing_zeros<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(&input, Form::Short, env)
}

fn written<'r>(input: &Val<'r>, form: Form, env: &Env<'_>) -> Made<'r> {
    let bare = MoneyFormats::default();
    let formats = env.context.site.money.unwrap_or(&bare);
    let format = if form == Form::Currency { &formats.with_currency } else { &formats.plain };
    if input.is_nil() {
        return Ok(Val::Nil);
    }
    let amount = decimals(number_of(input.view()).hundredth(), if format.style.decimals { 2 } else { 0 });
    let amount = match amount.strip_suffix(".00") {
        Some(whole) if form == Form::Short => whole,
        _ => &amount,
    };
    let amount = grouped(amount, format.style.group, format.style.point);
    let (before, after) = if form == Form::Bare { ("", "") } else { (&*format.before, &*format.after) };
    Ok(Val::text(format!("{before}{amount}{after}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert_eq!(MoneyFormat::parse("${{amount}}").map(|format| format.before), Ok("$".to_owned()));
        for text in ["", "$", "{{ amount", "{{ price }}", "{ amount }"] {
            assert_eq!(MoneyFormat::parse(text), Err(MoneyFormatError::NoAmount), "{text}");
        }
    }
}
