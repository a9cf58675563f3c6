//! Liquid's comparisons: equality with `empty` and `blank`, order of numbers and of strings, `contains`.

use super::budget::Budget;
use super::tree::Comparison;
use super::val::View;
use crate::value::{Object, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// Whether `left comparison right` holds; an error for an order that does not exist.
pub(super) fn holds(
    left: View<'_>,
    comparison: Comparison,
    right: View<'_>,
    budget: &Budget,
) -> Result<bool, &'static str> {
    Ok(match comparison {
        Comparison::Equal => equal(left, right, budget),
        Comparison::NotEqual => !equal(left, right, budget),
        Comparison::Contains => contains(left, right, budget),
        Comparison::Less => order(left, right, budget)?.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order(left, right, budget)?.is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right, budget)?.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(left, right, budget)?.is_some_and(Ordering::is_ge),
    })
}

/// Equality: numbers by what they mean, nothing else across types. `empty` and `blank` are no values but questions: neither is
/// equal to itself or to the other.
pub(super) fn equal(left: View<'_>, right: View<'_>, budget: &Budget) -> bool {
    match (left, right) {
        (View::Empty | View::Blank, View::Empty | View::Blank) => false,
        (View::Empty, other) | (other, View::Empty) => other.is_empty(),
        (View::Blank, View::Str(text, _)) | (View::Str(text, _), View::Blank) => {
            let rest = text.trim_start();
            budget.read(text.len() - rest.len()).is_ok() && rest.is_empty()
        }
        (View::Blank, other) | (other, View::Blank) => other.is_blank(),
        (View::Nil, View::Nil) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Str(left, _), View::Str(right, _)) => same_text(left, right, budget),
        (View::List(left), View::List(right)) => same_items(left, right, budget),
        (View::Object(left), View::Object(right)) => same_members(left, right, budget),
        (View::Range(from, to), View::Range(other_from, other_to)) => from == other_from && to == other_to,
        (View::Pair(key, value), View::Pair(other_key, other_value)) => {
            key == other_key && same(value, other_value, budget)
        }
        (View::Pair(key, value), View::List(items)) | (View::List(items), View::Pair(key, value)) => {
            matches!(items, [Value::Text(first), second] if first == key && same(second, value, budget))
        }
        (left, right) => numbers(left, right).is_some_and(Ordering::is_eq),
    }
}

/// Equality in every part. Values that filters made of each other can be far larger than the data, so each part counts.
fn same(left: &Value, right: &Value, budget: &Budget) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => same_text(left, right, budget),
        (Value::List(left), Value::List(right)) => same_items(left, right, budget),
        (Value::Object(left), Value::Object(right)) => same_members(left, right, budget),
        (left, right) => left == right,
    }
}

fn same_text(left: &str, right: &str, budget: &Budget) -> bool {
    left.len() == right.len() && budget.read(left.len()).is_ok() && left == right
}

fn same_items(left: &[Value], right: &[Value], budget: &Budget) -> bool {
    let same = |(left, right): (&Value, &Value)| budget.read_values(1).is_ok() && same(left, right, budget);
    if std::ptr::eq(left, right) {
        return true;
    }
    left.len() == right.len() && left.iter().zip(right).all(same)
}

fn same_members(left: &Object, right: &Object, budget: &Budget) -> bool {
    if Arc::ptr_eq(left.shape(), right.shape()) {
        return same_items(left.values(), right.values(), budget);
    }
    left.len() == right.len()
        && left.iter().all(|(key, value)| {
            let other = right.get(key).filter(|_| budget.read_values(1).is_ok());
            other.is_some_and(|other| same(value, other, budget))
        })
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

fn order(left: View<'_>, right: View<'_>, budget: &Budget) -> Result<Option<Ordering>, &'static str> {
    match (left, right) {
        (View::Str(left, _), View::Str(right, _)) => Ok(Some(text_order(left, right, budget))),
        (View::Str(..), View::Int(_) | View::UInt(_) | View::Float(_))
        | (View::Int(_) | View::UInt(_) | View::Float(_), View::Str(..)) => Err("a string and a number have no order"),
        (left, right) => Ok(numbers(left, right)),
    }
}

/// The order of two strings by their characters; none matters any more once the budget is spent.
pub(super) fn text_order(left: &str, right: &str, budget: &Budget) -> Ordering {
    budget.read(left.len().min(right.len())).map_or(Ordering::Equal, |()| left.cmp(right))
}

/// Part of a string, item of a list, key of an object. What is `nil` or `false` is contained nowhere.
fn contains(whole: View<'_>, part: View<'_>, budget: &Budget) -> bool {
    if matches!(part, View::Nil | View::Bool(false)) {
        return false;
    }
    match whole {
        View::Str(text, _) => {
            let part = part.chars(budget);
            budget.read(text.len()).is_ok() && text.contains(&*part)
        }
        View::List(items) => {
            items.iter().any(|item| budget.read_values(1).is_ok() && equal(View::from(item), part, budget))
        }
        View::Object(object) => matches!(part, View::Str(key, _) if object.get(key).is_some()),
        View::Range(from, to) => {
            numbers(View::Int(from), part).is_some_and(Ordering::is_le)
                && numbers(View::Int(to), part).is_some_and(Ordering::is_ge)
        }
        View::Pair(key, value) => {
            equal(View::Str(key, key.origin()), part, budget) || equal(View::from(value), part, budget)
        }
        View::Nil | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) => false,
        View::Empty | View::Blank | View::Loop => false,
    }
}
