//! The order of items: numbers as numbers, strings by code point, and what has neither comes last.

use crate::value::Value;
use std::cmp::Ordering;

/// Compares two values of a sort key; what is missing comes last, whichever way the others run.
pub(super) fn compare(left: &Value, right: &Value, descending: bool) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => 0,
        Value::Text(_) => 1,
        Value::Bool(_) => 2,
        Value::Null | Value::List(_) | Value::Object(_) => 3,
    };
    let (left_rank, right_rank) = (rank(left), rank(right));
    if left_rank == 3 || right_rank == 3 {
        return left_rank.cmp(&right_rank);
    }
    let order = left_rank.cmp(&right_rank).then_with(|| match (left, right) {
        (Value::Text(left), Value::Text(right)) => left.as_str().cmp(right.as_str()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => numbers(left, right),
    });
    if descending { order.reverse() } else { order }
}

fn numbers(left: &Value, right: &Value) -> Ordering {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::UInt(number) => Some(i128::from(*number)),
        Value::Float(_) | Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => None,
    };
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_f64().unwrap_or_default().total_cmp(&right.as_f64().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_order() {
        let order = [
            Value::Int(-3),
            Value::Float(1.5),
            Value::Int(9),
            Value::Int(10),
            Value::UInt(u64::MAX),
            Value::text("10"),
            Value::text("9"),
            Value::text("Z"),
            Value::text("a"),
            Value::text("é"),
            Value::Bool(false),
            Value::Bool(true),
            Value::Null,
        ];
        for (at, left) in order.iter().enumerate() {
            for (other, right) in order.iter().enumerate() {
                assert_eq!(compare(left, right, false), at.cmp(&other), "{left:?} {right:?}");
                let last = at + 1 == order.len() || other + 1 == order.len();
                let descending = if last { at.cmp(&other) } else { other.cmp(&at) };
                assert_eq!(compare(left, right, true), descending, "{left:?} {right:?}");
            }
        }
    }
}
