//! Liquid's comparisons: equality with `empty` and `blank`, order of numbers and of strings, `contains`.

use super::tree::Comparison;
use super::val::{Val, View};
use crate::value::Value;
use std::cmp::Ordering;

/// Whether `left comparison right` holds; an error for an order that does not exist.
pub(super) fn holds(left: &Val<'_>, comparison: Comparison, right: &Val<'_>) -> Result<bool, &'static str> {
    let (left, right) = (left.view(), right.view());
    Ok(match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        Comparison::Contains => contains(left, right),
        Comparison::Less => order(left, right)?.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order(left, right)?.is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right)?.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(left, right)?.is_some_and(Ordering::is_ge),
    })
}

/// Equality: numbers by what they mean, nothing else across types. `empty` and `blank` are no values but questions: neither is
/// equal to itself or to the other.
pub(super) fn equal(left: View<'_>, right: View<'_>) -> bool {
    match (left, right) {
        (View::Empty | View::Blank, View::Empty | View::Blank) => false,
        (View::Empty, other) | (other, View::Empty) => other.is_empty(),
        (View::Blank, other) | (other, View::Blank) => other.is_blank(),
        (View::Nil, View::Nil) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Str(left, _), View::Str(right, _)) => left == right,
        (View::List(left), View::List(right)) => left == right,
        (View::Object(left), View::Object(right)) => left == right,
        (View::Range(from, to), View::Range(other_from, other_to)) => from == other_from && to == other_to,
        (View::Pair(key, value), View::Pair(other_key, other_value)) => key == other_key && value == other_value,
        (View::Pair(key, value), View::List(items)) | (View::List(items), View::Pair(key, value)) => {
            matches!(items, [Value::Text(first), second] if first == key && second == value)
        }
        (left, right) => numbers(left, right).is_some_and(Ordering::is_eq),
    }
}

/// The order of two numbers, exact between integers.
pub(super) fn numbers(left: View<'_>, right: View<'_>) -> Option<Ordering> {
    match (left, right) {
        (View::Int(left), View::Int(right)) => Some(left.cmp(&right)),
        (View::UInt(left), View::UInt(right)) => Some(left.cmp(&right)),
        // `UInt` is only ever above every `Int`.
        (View::Int(_), View::UInt(_)) => Some(Ordering::Less),
        (View::UInt(_), View::Int(_)) => Some(Ordering::Greater),
        (left, right) => as_f64(left)?.partial_cmp(&as_f64(right)?),
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared with a float, which has no more precision either")]
fn as_f64(view: View<'_>) -> Option<f64> {
    match view {
        View::Int(number) => Some(number as f64),
        View::UInt(number) => Some(number as f64),
        View::Float(number) => Some(number),
        View::Nil | View::Bool(_) | View::Str(..) | View::List(_) | View::Object(_) => None,
        View::Range(..) | View::Empty | View::Blank | View::Pair(..) | View::Loop => None,
    }
}

fn order(left: View<'_>, right: View<'_>) -> Result<Option<Ordering>, &'static str> {
    match (left, right) {
        (View::Str(left, _), View::Str(right, _)) => Ok(Some(left.cmp(right))),
        (View::Str(..), View::Int(_) | View::UInt(_) | View::Float(_))
        | (View::Int(_) | View::UInt(_) | View::Float(_), View::Str(..)) => Err("a string and a number have no order"),
        (left, right) => Ok(numbers(left, right)),
    }
}

/// Part of a string, item of a list, key of an object. What is `nil` or `false` is contained nowhere.
fn contains(whole: View<'_>, part: View<'_>) -> bool {
    if matches!(part, View::Nil | View::Bool(false)) {
        return false;
    }
    match whole {
        View::Str(text, _) => text.contains(&*part.chars()),
        View::List(items) => items.iter().any(|item| equal(View::from(item), part)),
        View::Object(object) => matches!(part, View::Str(key, _) if object.get(key).is_some()),
        View::Range(from, to) => {
            numbers(View::Int(from), part).is_some_and(Ordering::is_le)
                && numbers(View::Int(to), part).is_some_and(Ordering::is_ge)
        }
        View::Pair(key, value) => equal(View::Str(key, key.origin()), part) || equal(View::from(value), part),
        View::Nil | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) => false,
        View::Empty | View::Blank | View::Loop => false,
    }
}
