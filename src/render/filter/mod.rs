//! Filters: plain functions over borrowed values, and the one table that lists them.
//!
//! A filter never fails a page: on a value it can do nothing with it makes a [`Fault::Complaint`], which a layout prints as
//! nothing. What it makes is counted against a budget, so that doubling a string in a loop ends. To add one, write the
//! function in the file of its group and a line in [`TABLE`].

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all filters have the signature of the table, whether or not they take their input apart or can fail"
)]

mod date;
mod list;
mod number;
mod text;
mod web;

use super::val::Val;
use super::{Context, Limits};
use crate::value::Origin;
use std::cell::Cell;

/// A filter's entry in the table.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// How few and how many unnamed arguments it takes.
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) named: &'static [&'static str],
    pub(super) effect: Effect,
    pub(super) function: Function,
}

/// What a filter does to the origin of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Finished markup stays that if all arguments are markup too, or literals of the layout; else the result is text.
    Keeps,
    /// The result is finished markup, because the filter escaped what was not.
    Markup,
    /// The result is text, whatever went in: cutting markup could open a tag, decoding could make one.
    Text,
    /// The filter hands on values that have an origin of their own.
    Inherits,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The input or an argument is of no use to the filter.
    Complaint(&'static str),
    /// The strings and lists of this render are beyond the budget.
    TooMuch,
    /// A range has more items than loops may run.
    TooMany,
}

pub(super) type Made<'r> = Result<Val<'r>, Fault>;
type Function = for<'r> fn(Val<'r>, &mut Arguments<'r>, &Env<'_>) -> Made<'r>;

/// The most unnamed arguments of any filter.
pub(super) const MOST: usize = 2;
/// The most named arguments of any filter.
pub(super) const MOST_NAMED: usize = 1;

/// The arguments of one call, `nil` where there is none.
#[derive(Debug, Default)]
pub(super) struct Arguments<'r> {
    pub(super) given: [Val<'r>; MOST],
    pub(super) count: usize,
    pub(super) named: [Val<'r>; MOST_NAMED],
}

impl<'r> Arguments<'r> {
    /// The argument at `position`; `nil` if it was not given.
    fn get(&self, position: usize) -> &Val<'r> {
        self.given.get(position).unwrap_or(&Val::Nil)
    }

    fn take(&mut self, position: usize) -> Val<'r> {
        self.given.get_mut(position).map(std::mem::take).unwrap_or_default()
    }

    fn has(&self, position: usize) -> bool {
        position < self.count
    }

    fn named(&self, position: usize) -> &Val<'r> {
        self.named.get(position).unwrap_or(&Val::Nil)
    }
}

/// What filters know besides their arguments.
pub(super) struct Env<'e> {
    pub(super) context: &'e Context<'e>,
    /// Whether the layout escapes what it prints.
    pub(super) escapes: bool,
    made: Cell<usize>,
}

impl<'e> Env<'e> {
    pub(super) fn new(context: &'e Context<'e>, escapes: bool) -> Self {
        Self { context, escapes, made: Cell::new(0) }
    }

    fn limits(&self) -> &Limits {
        self.context.limits
    }

    /// Counts `bytes` that are about to be made.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), Fault> {
        let made = self.made.get().saturating_add(bytes);
        self.made.set(made);
        if made > self.limits().made_bytes { Err(Fault::TooMuch) } else { Ok(()) }
    }

    /// Counts a list of `items` that is about to be made.
    fn charge_items(&self, items: usize) -> Result<(), Fault> {
        self.charge(items.saturating_mul(size_of::<crate::value::Value>()))
    }
}

/// Runs a filter and gives its result the origin that the table says.
pub(super) fn apply<'r>(filter: &Filter, input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let origin = match filter.effect {
        Markup => Some(Origin::Markup),
        Text => Some(Origin::Outside),
        Keeps if input.is_markup() && arguments.given.iter().all(Val::is_markup) => Some(Origin::Markup),
        Keeps => Some(Origin::Outside),
        Inherits => None,
    };
    let made = (filter.function)(input, arguments, env)?;
    Ok(match (made, origin) {
        (Val::String(text, own), origin) => {
            env.charge(text.len())?;
            Val::String(text, origin.unwrap_or(own))
        }
        (Val::Str(text, _), Some(origin)) => Val::Str(text, origin),
        (made, _) => made,
    })
}

/// The filter called `name`.
pub(super) fn find(name: &str) -> Option<&'static Filter> {
    TABLE.binary_search_by(|filter| filter.name.cmp(name)).ok().and_then(|at| TABLE.get(at))
}

/// Every filter's name, in alphabetical order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|filter| filter.name)
}

impl Filter {
    /// How many arguments it takes, in words.
    pub(super) fn arity(&self) -> String {
        match (self.least, self.most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (0, most) => format!("at most {}", count(most)),
            (least, most) if least == most => count(least),
            (least, most) => format!("{least} to {}", count(most)),
        }
    }
}

fn count(number: usize) -> String {
    if number == 1 { "1 argument".to_owned() } else { format!("{number} arguments") }
}

const fn row(name: &'static str, [least, most]: [usize; 2], effect: Effect, function: Function) -> Filter {
    Filter { name, least, most, named: &[], effect, function }
}

use Effect::{Inherits, Keeps, Markup, Text};

/// Every filter, in alphabetical order.
static TABLE: &[Filter] = &[
    row("abs", [0, 0], Inherits, number::abs),
    row("absolute_url", [0, 0], Text, web::absolute_url),
    row("append", [1, 1], Keeps, text::append),
    row("at_least", [1, 1], Inherits, number::at_least),
    row("at_most", [1, 1], Inherits, number::at_most),
    row("base64_decode", [0, 0], Text, web::base64_decode),
    row("base64_encode", [0, 0], Text, web::base64_encode),
    row("base64_url_safe_decode", [0, 0], Text, web::base64_url_safe_decode),
    row("base64_url_safe_encode", [0, 0], Text, web::base64_url_safe_encode),
    row("capitalize", [0, 0], Keeps, text::capitalize),
    row("ceil", [0, 0], Inherits, number::ceil),
    row("compact", [0, 1], Inherits, list::compact),
    row("concat", [1, 1], Inherits, list::concat),
    row("date", [1, 1], Keeps, date::date),
    Filter { named: &["allow_false"], ..row("default", [0, 1], Inherits, text::default) },
    row("divided_by", [1, 1], Inherits, number::divided_by),
    row("downcase", [0, 0], Keeps, text::downcase),
    row("escape", [0, 0], Markup, text::escape),
    row("escape_once", [0, 0], Markup, text::escape_once),
    row("find", [1, 2], Inherits, list::find),
    row("find_index", [1, 2], Inherits, list::find_index),
    row("first", [0, 0], Inherits, list::first),
    row("floor", [0, 0], Inherits, number::floor),
    row("h", [0, 0], Markup, text::escape),
    row("has", [1, 2], Inherits, list::has),
    row("join", [0, 1], Inherits, list::join),
    Filter { named: &["pretty"], ..row("json", [0, 0], Text, web::json) },
    row("last", [0, 0], Inherits, list::last),
    row("lstrip", [0, 0], Keeps, text::lstrip),
    row("map", [1, 1], Inherits, list::map),
    row("minus", [1, 1], Inherits, number::minus),
    row("modulo", [1, 1], Inherits, number::modulo),
    row("newline_to_br", [0, 0], Markup, text::newline_to_br),
    row("number", [0, 2], Keeps, number::number),
    row("pluralize", [1, 2], Inherits, text::pluralize),
    row("plus", [1, 1], Inherits, number::plus),
    row("prepend", [1, 1], Keeps, text::prepend),
    row("raw", [0, 0], Markup, text::raw),
    row("reject", [1, 2], Inherits, list::reject),
    row("relative_url", [0, 0], Text, web::relative_url),
    row("remove", [1, 1], Keeps, text::remove),
    row("remove_first", [1, 1], Keeps, text::remove_first),
    row("remove_last", [1, 1], Keeps, text::remove_last),
    row("replace", [1, 2], Keeps, text::replace),
    row("replace_first", [1, 2], Keeps, text::replace_first),
    row("replace_last", [2, 2], Keeps, text::replace_last),
    row("reverse", [0, 0], Inherits, list::reverse),
    row("round", [0, 1], Inherits, number::round),
    row("rstrip", [0, 0], Keeps, text::rstrip),
    row("size", [0, 0], Inherits, list::size),
    row("slice", [1, 2], Text, text::slice),
    row("slugify", [0, 0], Text, text::slugify),
    row("sort", [0, 1], Inherits, list::sort),
    row("sort_natural", [0, 1], Inherits, list::sort_natural),
    row("split", [1, 1], Text, text::split),
    row("squish", [0, 0], Keeps, text::squish),
    row("strip", [0, 0], Keeps, text::strip),
    row("strip_html", [0, 0], Text, text::strip_html),
    row("strip_newlines", [0, 0], Keeps, text::strip_newlines),
    row("sum", [0, 1], Inherits, list::sum),
    row("times", [1, 1], Inherits, number::times),
    row("truncate", [0, 2], Text, text::truncate),
    row("truncatewords", [0, 2], Text, text::truncatewords),
    row("uniq", [0, 1], Inherits, list::uniq),
    row("upcase", [0, 0], Keeps, text::upcase),
    row("url_decode", [0, 0], Text, web::url_decode),
    row("url_encode", [0, 0], Text, web::url_encode),
    row("where", [1, 2], Inherits, list::keep),
    row("xml_escape", [0, 0], Markup, text::escape),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_within_the_bounds_of_arguments() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
        for filter in TABLE {
            assert!(filter.least <= filter.most && filter.most <= MOST && filter.named.len() <= MOST_NAMED);
        }
        assert_eq!(find("where").map(Filter::arity), Some("1 to 2 arguments".to_owned()));
        assert!(find("nonsense").is_none());
    }
}
