//! Filters on numbers: integers exactly, everything else as decimals, so that `0.1 | plus: 0.2` is `0.3`.

use super::{Arguments, Env, Fault, Made};
use crate::render::val::{Val, View};
use crate::value::{Origin, Value};
use std::cmp::Ordering;
use std::io::Write as _;

/// A number as filters reckon with it. `i128` holds every integer that a value can be, and their sums.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

/// A decimal fraction: `digits` / 10 ^ `scale`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    fn of(number: Number) -> Option<Self> {
        match number {
            Number::Int(digits) => Some(Self { digits, scale: 0 }),
            Number::Float(number) => Self::of_float(number),
        }
    }

    /// The shortest decimal that means this float.
    fn of_float(number: f64) -> Option<Self> {
        let mut buffer = zmij::Buffer::new();
        // As in `-12.5`, `1e+20`, `1.5e-7` or `NaN`.
        let text = buffer.format(number);
        let (text, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = if fraction == "0" { "" } else { fraction };
        let mut digits: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits = digits * 10 + i128::from(char::from(byte).to_digit(10)?);
        }
        let scale = i32::try_from(fraction.len()).ok()? - exponent.parse::<i32>().ok()?;
        let zeros = 10_i128.checked_pow(u32::try_from(-scale).unwrap_or(0))?;
        Some(Self { digits: (sign * digits).checked_mul(zeros)?, scale: u32::try_from(scale).unwrap_or(0) })
    }

    /// Both with the same scale.
    fn level(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let raise = |decimal: Self| decimal.digits.checked_mul(10_i128.checked_pow(scale - decimal.scale)?);
        Some((raise(self)?, raise(other)?, scale))
    }

    /// `self / other`, to more digits than a float holds.
    fn over(self, other: Self) -> Option<Self> {
        let (left, right, _) = self.level(other)?;
        // As many decimals as fit; a float has 17 significant digits.
        let scale = (1..=24).rev().find(|&scale| left.checked_mul(10_i128.pow(scale)).is_some())?;
        let digits = left.checked_mul(10_i128.pow(scale))?.checked_div(right)?;
        (digits.unsigned_abs() >= 10_u128.pow(17)).then_some(Self { digits, scale })
    }

    /// Rounded to `places` decimals, halves away from zero.
    fn round(self, places: u32) -> Option<Self> {
        if places >= self.scale {
            return Some(self);
        }
        let unit = 10_i128.checked_pow(self.scale - places)?;
        let half = if self.digits < 0 { -unit / 2 } else { unit / 2 };
        Some(Self { digits: self.digits.checked_add(half)? / unit, scale: places })
    }

    fn to_f64(self) -> f64 {
        // `i128` has 40 characters at most, the scale ten.
        let mut text = [0_u8; 64];
        let mut rest = text.as_mut_slice();
        let written = write!(rest, "{}e-{}", self.digits, self.scale);
        let left = rest.len();
        let length = text.len() - left;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok()).filter(|_| written.is_ok());
        text.and_then(|text| text.parse().ok()).unwrap_or(0.0)
    }
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "only where a float is asked for")]
    fn as_f64(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    pub(super) fn is_one(self) -> bool {
        matches!(self, Self::Int(1))
    }

    /// Of so many cents, the amount.
    pub(super) fn hundredth(self) -> Self {
        let exact = Decimal::of(self).map(|Decimal { digits, scale }| Decimal { digits, scale: scale + 2 });
        Self::Float(exact.map_or_else(|| self.as_f64() / 100.0, Decimal::to_f64))
    }

    fn is_int(self) -> bool {
        matches!(self, Self::Int(_))
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(&right),
            (left, right) => left.as_f64().total_cmp(&right.as_f64()),
        }
    }

    pub(super) fn into_val<'r>(self) -> Val<'r> {
        Val::Own(match self {
            Self::Int(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => Value::Int(number),
                (Err(_), Ok(number)) => Value::UInt(number),
                // No value holds it, but its digits do, and every filter reads them back as the number.
                (Err(_), Err(_)) => return Val::String(number.to_string(), Origin::Authored),
            },
            Self::Float(number) => Value::Float(number),
        })
    }

    /// Decimal arithmetic where it fits, else that of floats.
    fn decimal(
        self,
        other: Self,
        exact: impl Fn(Decimal, Decimal) -> Option<Decimal>,
        rough: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let result = Decimal::of(self).zip(Decimal::of(other)).and_then(|(left, right)| exact(left, right));
        match result {
            Some(decimal) if self.is_int() && other.is_int() => Self::Int(decimal.digits),
            Some(decimal) => Self::Float(decimal.to_f64()),
            None => Self::Float(rough(self.as_f64(), other.as_f64())),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let exact = |left: Decimal, right: Decimal| {
            let (left, right, scale) = left.level(right)?;
            Some(Decimal { digits: left.checked_add(right)?, scale })
        };
        self.decimal(other, exact, |left, right| left + right)
    }
}

/// The number that a value is, or that its string begins with; else zero.
pub(super) fn number_of(view: View<'_>) -> Number {
    match view {
        View::Int(number) => Number::Int(number.into()),
        View::UInt(number) => Number::Int(number.into()),
        View::Float(number) => Number::Float(number),
        View::Str(text, _) => number_in(text.trim()),
        View::Nil | View::Bool(_) | View::List(_) | View::Object(_) | View::Range(..) => Number::Int(0),
        View::Empty | View::Blank | View::Pair(..) | View::Loop => Number::Int(0),
    }
}

/// Digits at the beginning, with single underscores between them as Ruby reads numbers, and how many characters they are.
fn leading_digits(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut length = 0;
    while is_digit(length) || (length > 0 && bytes.get(length) == Some(&b'_') && is_digit(length + 1)) {
        length += 1;
    }
    length
}

fn number_in(text: &str) -> Number {
    let sign = usize::from(text.starts_with(['-', '+']));
    let rest = text.get(sign..).unwrap_or("");
    let whole = leading_digits(rest);
    if let Some((before, after)) = text.strip_prefix('-').unwrap_or(text).split_once('.')
        && [before, after].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return text.parse().map_or(Number::Int(0), Number::Float);
    }
    let digits = text.get(..sign + whole).unwrap_or("");
    let parsed = if digits.contains('_') { digits.replace('_', "").parse() } else { digits.parse() };
    parsed.map_or_else(|_| digits.parse().map_or(Number::Int(0), Number::Float), Number::Int)
}

/// The integer that a text begins with; else zero.
pub(in crate::render) fn leading_integer(text: &str) -> i64 {
    let text = text.trim();
    let sign = usize::from(text.starts_with(['-', '+']));
    let length = sign + leading_digits(text.get(sign..).unwrap_or(""));
    let digits = text.get(..length).unwrap_or("").replace('_', "");
    match digits.parse::<i128>() {
        Ok(number) => i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }),
        Err(_) => 0,
    }
}

/// The integer that a text is, as Ruby writes integers: `12`, `-1_000`, `0x1f`, `0b101`, `017`.
pub(in crate::render) fn whole_integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0d") => (10, lower.get(2..)?),
        Some(_) if lower.starts_with('0') => (8, lower.get(1..)?),
        Some(_) | None => (10, &*lower),
    };
    let digits = if radix == 8 { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let parted = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if parted || digits.starts_with(['-', '+']) {
        return None;
    }
    let number = i64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if negative { -number } else { number })
}

fn pair(input: &Val<'_>, arguments: &Arguments<'_>) -> (Number, Number) {
    (number_of(input.view()), number_of(arguments.get(0).view()))
}

pub(super) fn plus<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    Ok(left.plus(right).into_val())
}

pub(super) fn minus<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    let exact = |left: Decimal, right: Decimal| {
        let (left, right, scale) = left.level(right)?;
        Some(Decimal { digits: left.checked_sub(right)?, scale })
    };
    Ok(left.decimal(right, exact, |left, right| left - right).into_val())
}

pub(super) fn times<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    let exact = |left: Decimal, right: Decimal| {
        Some(Decimal { digits: left.digits.checked_mul(right.digits)?, scale: left.scale + right.scale })
    };
    Ok(left.decimal(right, exact, |left, right| left * right).into_val())
}

const BY_ZERO: Fault = Fault::Complaint("division by zero");

pub(super) fn divided_by<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    match pair(&input, arguments) {
        (Number::Int(_), Number::Int(0)) => Err(BY_ZERO),
        (Number::Int(left), Number::Int(right)) => Ok(Number::Int(floor_division(left, right)).into_val()),
        (left, right) => {
            // By a zero that is no integer, or of what is none, is infinite and no mistake.
            let exact = Decimal::of(left).zip(Decimal::of(right)).and_then(|(left, right)| left.over(right));
            let quotient = exact.map_or_else(|| left.as_f64() / right.as_f64(), Decimal::to_f64);
            Ok(Number::Float(quotient).into_val())
        }
    }
}

/// Rounded down, as Ruby divides.
fn floor_division(left: i128, right: i128) -> i128 {
    let quotient = left / right;
    if left % right != 0 && (left < 0) != (right < 0) { quotient - 1 } else { quotient }
}

pub(super) fn modulo<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    if right.as_f64() == 0.0 {
        return Err(BY_ZERO);
    }
    let exact = |left: Decimal, right: Decimal| {
        let (left, right, scale) = left.level(right)?;
        Some(Decimal { digits: left.checked_sub(floor_division(left, right).checked_mul(right)?)?, scale })
    };
    Ok(left.decimal(right, exact, |left, right| left - right * (left / right).floor()).into_val())
}

pub(super) fn abs<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    Ok(match number_of(input.view()) {
        Number::Int(number) => Number::Int(number.abs()),
        Number::Float(number) => Number::Float(number.abs()),
    }
    .into_val())
}

pub(super) fn at_least<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    Ok(if left.order(right).is_lt() { right } else { left }.into_val())
}

pub(super) fn at_most<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let (left, right) = pair(&input, arguments);
    Ok(if left.order(right).is_gt() { right } else { left }.into_val())
}

pub(super) fn ceil<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    whole(&input, f64::ceil)
}

pub(super) fn floor<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    whole(&input, f64::floor)
}

fn whole<'r>(input: &Val<'_>, rounded: impl Fn(f64) -> f64) -> Made<'r> {
    Ok(match number_of(input.view()) {
        Number::Int(number) => Number::Int(number),
        Number::Float(number) if !number.is_finite() => return Err(INFINITE),
        Number::Float(number) => to_int(rounded(number)),
    }
    .into_val())
}

const INFINITE: Fault = Fault::Complaint("what is infinite has no integer near it");

#[expect(clippy::cast_possible_truncation, reason = "within the bounds just checked")]
fn to_int(number: f64) -> Number {
    if number.abs() < 1e30 { Number::Int(number as i128) } else { Number::Float(number) }
}

pub(super) fn round<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let places = places(arguments.get(0));
    Ok(match number_of(input.view()) {
        Number::Int(number) => Number::Int(round_to_tens(number, places)),
        Number::Float(number) if !number.is_finite() => return Err(INFINITE),
        Number::Float(number) if places > 0 => Number::Float(rounded(number, places)),
        Number::Float(number) => match to_int(number.round()) {
            Number::Int(number) => Number::Int(round_to_tens(number, places)),
            large @ Number::Float(_) => large,
        },
    }
    .into_val())
}

fn places(argument: &Val<'_>) -> i32 {
    let places = match number_of(argument.view()) {
        Number::Int(number) => number,
        Number::Float(number) => match to_int(number.floor()) {
            Number::Int(number) => number,
            Number::Float(_) => 0,
        },
    };
    i32::try_from(places.clamp(-40, 40)).unwrap_or(0)
}

fn rounded(number: f64, places: i32) -> f64 {
    let decimal = Decimal::of(Number::Float(number)).zip(u32::try_from(places).ok());
    decimal.and_then(|(decimal, places)| decimal.round(places)).map_or(number, Decimal::to_f64)
}

fn round_to_tens(number: i128, places: i32) -> i128 {
    let Some(unit) = u32::try_from(-places).ok().and_then(|zeros| 10_i128.checked_pow(zeros)) else { return number };
    let half = if number < 0 { -unit / 2 } else { unit / 2 };
    number.checked_add(half).map_or(number, |number| number / unit * unit)
}

/// Digits in groups of three: decimals (none), separator (`,`).
pub(super) fn number<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    if matches!(input.view(), View::Nil) {
        // A price that is missing is not a price of nothing.
        return Ok(input);
    }
    let separator = if arguments.has(1) { arguments.get(1).chars(&env.budget) } else { ",".into() };
    let places = usize::try_from(places(arguments.get(0)).clamp(0, 20)).unwrap_or(0);
    Ok(Val::text(grouped(&decimals(number_of(input.view()), places), &separator, ".")))
}

/// The digits as they are, in groups of three: what stands between them (`,`), and before the decimals (`.`).
pub(super) fn number_with_delimiter<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let or = |at: usize, default: &'static str| {
        if arguments.has(at) { arguments.get(at).chars(&env.budget) } else { default.into() }
    };
    let digits = number_of(input.view()).into_val();
    Ok(Val::text(grouped(&digits.chars(&env.budget), &or(0, ","), &or(1, "."))))
}

/// The integer part.
pub(super) fn to_integer<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    if let View::Bool(value) = input.view() {
        return Ok(Val::int(value.into()));
    }
    whole(&input, f64::trunc)
}

/// `number` with as many decimals as said.
pub(super) fn decimals(number: Number, places: usize) -> String {
    match number {
        Number::Int(number) if places == 0 => number.to_string(),
        Number::Int(number) => format!("{number}.{:0>places$}", 0),
        Number::Float(number) => format!("{:.places$}", rounded(number, i32::try_from(places).unwrap_or(0))),
    }
}

/// Decimal digits with `separator` between groups of three, and `point` before the fraction.
pub(super) fn grouped(text: &str, separator: &str, point: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push_str(point);
        out.push_str(fraction);
    }
    out
}
