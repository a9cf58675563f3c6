//! Filters: plain functions over borrowed values, and the one table that lists them.
//!
//! A filter never fails a page: on a value it can do nothing with it makes a [`Fault::Complaint`], which a layout prints as
//! nothing. What it makes is counted against a budget, so that doubling a string in a loop ends. To add one, write the
//! function in the file of its group and a line in [`TABLE`], with its documentation.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all filters have the signature of the table, whether or not they take their input apart or can fail"
)]

mod date;
mod digest;
mod directives;
mod list;
mod money;
mod number;
mod slug;
mod strftime;
mod table;
mod text;
mod web;

pub(super) use date::pattern_of;
pub use directives::{DATE_OF_EXAMPLES, DIRECTIVES};
pub(super) use list::items;
pub use money::{MoneyFormat, MoneyFormatError, MoneyFormats};
pub(super) use number::{leading_integer, whole_integer};
use table::TABLE;

pub(super) use slug::MODES as SLUG_MODES;
pub(super) use strftime::unknown as unknown_directive;

use super::Context;
use super::budget::Budget;
use super::context;
use super::reads::{Analysis, Granularity};
use super::val::{Val, View};
use crate::value::{Origin, Value};
use std::cell::Cell;

/// What the examples of filters are used on, as JSON.
pub const EXAMPLE_DATA: &str = r#"{
  "newline": "\n",
  "products": [
    { "name": "Anvil", "price": 120, "stock": 3 },
    { "name": "Rope", "price": 9, "stock": 40 },
    { "name": "Rocket", "price": 120 }
  ]
}"#;

/// A filter's entry in the table.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// How few and how many unnamed arguments it takes.
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) named: &'static [&'static str],
    /// What it does with each item of a list, if its arguments say that: the item's name and an expression, as strings.
    pub(super) each: Option<Each>,
    pub(super) effect: Effect,
    pub(super) function: Function,
    /// What it makes of its input: Markdown.
    pub(super) docs: &'static str,
    /// A use of it on [`EXAMPLE_DATA`], and what that prints.
    pub(super) example: (&'static str, &'static str),
}

/// What stands for a filter that does not exist, in a template that is tried: Liquid hands on the input as it is.
pub(super) static UNKNOWN: Filter = stand_in(|input, _, _| Ok(input));

/// What stands for a filter with the wrong number of arguments, in a template that is tried.
pub(super) static MISCALLED: Filter = stand_in(|_, _, _| Err(Fault::Complaint("wrong number of arguments")));

const fn stand_in(function: Function) -> Filter {
    let named = &[];
    Filter {
        name: "",
        least: 0,
        most: usize::MAX,
        named,
        each: None,
        effect: Inherits,
        function,
        docs: "",
        example: ("", ""),
    }
}

/// What a filter asks about each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// Whether a condition holds.
    Condition,
    /// The value of an expression.
    Value,
}

/// What a filter does to the origin of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Finished markup stays that if all arguments are markup too, or literals of the layout; else the result is text.
    Keeps,
    /// The same for markup without data. In markup with data only tags are exchanged whole: what takes a quote away makes text.
    Exchanges,
    /// The result is finished markup, because the filter escaped what was not.
    Markup,
    /// The result is text, whatever went in: cutting markup could open a tag, decoding could make one.
    Text,
    /// The filter hands on values that have an origin of their own.
    Inherits,
}

impl Effect {
    /// The same in words, for the reference; nothing where values stay what they are.
    fn says(self) -> Option<&'static str> {
        match self {
            Self::Keeps => Some("markup if all that goes in is"),
            Self::Exchanges => Some("markup if all that goes in is, and no data is in it or whole tags are exchanged"),
            Self::Markup => Some("markup"),
            Self::Text => Some("text"),
            Self::Inherits => None,
        }
    }
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The input or an argument is of no use to the filter.
    Complaint(&'static str),
    /// The strings and lists of this render are beyond the budget.
    TooMuch,
    /// What filters and comparisons of this render read is beyond the budget.
    TooMuchRead,
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
    /// The items, with what the expression makes of them, for a filter that has one.
    pub(super) each: Vec<(Value, Value)>,
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
    /// How exactly the layout may know the time; not at all, if it never asks for it.
    granularity: Option<Granularity>,
    /// Whether also data that says `now` means the present, as in a template that is tried.
    data_asks: bool,
    pub(super) budget: Budget,
    /// What an earlier output was made in.
    spare: Cell<String>,
}

impl<'e> Env<'e> {
    pub(super) fn new(context: &'e Context<'e>, escapes: bool, analysis: &Analysis) -> Self {
        let Analysis { now: granularity, data_asks, .. } = *analysis;
        Self { context, escapes, granularity, data_asks, budget: Budget::new(context.limits), spare: Cell::default() }
    }

    /// An empty string to make something short in, a date or a number: it has the memory of the last one that was printed.
    fn buffer(&self) -> String {
        self.spare.take()
    }

    /// Takes a string that has been printed, for the next one.
    pub(super) fn give_back(&self, mut printed: String) {
        printed.clear();
        self.spare.set(printed);
    }
}

/// Runs a filter and gives its result the origin that the table says.
pub(super) fn apply<'r>(filter: &Filter, input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let least = || arguments.given.iter().map(Val::origin).fold(input.origin(), Origin::min);
    let origin = match filter.effect {
        Markup => Some(Origin::Markup),
        Text => Some(Origin::Outside),
        Keeps => Some(least()),
        Exchanges => Some(match least() {
            Origin::Markup if !exchanges_tags(&arguments.given) => Origin::Outside,
            origin @ (Origin::Outside | Origin::Markup | Origin::Authored) => origin,
        }),
        Inherits => None,
    };
    for val in arguments.given.iter().chain([&input]) {
        if let View::Str(text, _) = val.view() {
            env.budget.read(text.len())?;
        }
    }
    let made = (filter.function)(input, arguments, env)?;
    env.budget.check()?;
    Ok(match (made, origin) {
        (Val::String(text, own), origin) => {
            env.budget.charge(text.len())?;
            match origin {
                Some(origin) if text.contains('<') => whole(text, filter.effect, origin),
                origin => Val::String(text, origin.unwrap_or(own)),
            }
        }
        (Val::Str(text, _), Some(origin)) => Val::Str(text, origin),
        (made, _) => made,
    })
}

/// What a filter made of markup. What the authors wrote may have lost a part of a tag: then it is a text.
fn whole<'r>(text: String, effect: Effect, origin: Origin) -> Val<'r> {
    match (effect, origin) {
        (Keeps | Exchanges, Origin::Authored) if !context::is_whole(&text) => Val::String(text, Origin::Outside),
        (Keeps | Exchanges | Markup | Text | Inherits, _) => Val::String(text, origin),
    }
}

/// What filters made that exchanged tags of markup. With data in it, it may have lost one of two tags: it is closed. They are looked at
/// together, because a name is exchanged in two steps.
pub(super) fn closed(val: Val<'_>) -> Val<'_> {
    let is_open = matches!(&val, Val::String(text, Origin::Markup) if text.contains('<'));
    let Val::String(text, origin) = val else { return val };
    match is_open.then(|| context::balanced(&text)) {
        Some(Some(text)) => Val::String(text, origin),
        Some(None) => Val::String(text, Origin::Outside),
        None => Val::String(text, origin),
    }
}

/// Whether a substitution takes whole tags for whole tags. No data holds a `<` or a `>` as such, so that what is found begins and
/// ends where the layout's own tags do.
fn exchanges_tags([old, new]: &[Val<'_>; MOST]) -> bool {
    let is_whole = |val: &Val<'_>| {
        if let View::Str(text, origin) = val.view() {
            origin == Origin::Authored && context::is_whole(text)
        } else {
            val.is_nil()
        }
    };
    let is_tag = |text: &str| text.starts_with('<') && text.ends_with('>');
    matches!(old.view(), View::Str(text, _) if is_tag(text)) && is_whole(old) && is_whole(new)
}

/// The filter called `name`.
pub(super) fn find(name: &str) -> Option<&'static Filter> {
    TABLE.binary_search_by(|filter| filter.name.cmp(name)).ok().and_then(|at| TABLE.get(at))
}

/// What the reference says of a filter.
#[derive(Debug, Clone)]
pub struct FilterDocs {
    /// Its name.
    pub name: &'static str,
    /// Its arguments in words, also the named ones.
    pub arguments: String,
    /// What it makes of its input: Markdown.
    pub docs: &'static str,
    /// Whether a layout escapes what it makes, in words; none if values stay what they are.
    pub origin: Option<&'static str>,
    /// A use of it on [`EXAMPLE_DATA`].
    pub example: &'static str,
    /// What that prints where nothing is escaped.
    pub printed: &'static str,
}

/// The documentation of every filter, in alphabetical order.
pub fn documentation() -> impl Iterator<Item = FilterDocs> {
    TABLE.iter().map(|filter| {
        let named = filter.named.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let arguments = if named.is_empty() { filter.arity() } else { format!("{}; named: {named}", filter.arity()) };
        let (example, printed) = filter.example;
        FilterDocs { name: filter.name, arguments, docs: filter.docs, origin: filter.effect.says(), example, printed }
    })
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

use Effect::{Exchanges, Inherits, Keeps, Markup, Text};

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
