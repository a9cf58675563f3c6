//! Values while a template runs: borrowed from the data or the template wherever possible, made only by filters.

use super::budget::Budget;
use super::filter::Fault;
use super::tree::Command;
use crate::value::{Object, Origin, Text, Value};
use std::borrow::Cow;
use std::fmt::Write as _;

/// A value at run time. `'r` is the life of both the data and the template.
#[derive(Debug, Clone, Default)]
pub(super) enum Val<'r> {
    /// `nil`, and whatever does not exist.
    #[default]
    Nil,
    Ref(&'r Value),
    Own(Value),
    Str(&'r str, Origin),
    String(String, Origin),
    /// Both ends belong to it; never turned into a list unless a filter needs one.
    Range(i64, i64),
    /// A member of an object, as a loop sees it: `[key, value]`.
    Pair(&'r Text, &'r Value),
    /// `forloop` or `tablerowloop` of the loop at this position of the running loops.
    Loop(u32),
}

/// What a value is, whoever owns it.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'v> {
    Nil,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(&'v str, Origin),
    List(&'v [Value]),
    Object(&'v Object),
    Range(i64, i64),
    /// The words of the language, which only comparisons meet.
    Empty,
    Blank,
    Pair(&'v Text, &'v Value),
    Loop,
}

impl<'v> From<&'v Value> for View<'v> {
    #[inline]
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(number) => Self::Int(*number),
            Value::UInt(number) => Self::UInt(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Text(text) => Self::Str(text.as_str(), text.origin()),
            Value::List(items) => Self::List(items),
            Value::Object(object) => Self::Object(object),
        }
    }
}

impl<'r> Val<'r> {
    pub(super) fn view(&self) -> View<'_> {
        match self {
            Self::Nil => View::Nil,
            Self::Ref(value) => View::from(*value),
            Self::Own(value) => View::from(value),
            Self::Str(text, origin) => View::Str(text, *origin),
            Self::String(text, origin) => View::Str(text, *origin),
            Self::Range(from, to) => View::Range(*from, *to),
            Self::Pair(key, value) => View::Pair(key, value),
            Self::Loop(_) => View::Loop,
        }
    }

    pub(super) fn int(number: i64) -> Self {
        Self::Own(Value::Int(number))
    }

    pub(super) fn bool(value: bool) -> Self {
        Self::Own(Value::Bool(value))
    }

    pub(super) fn list(items: Vec<Value>) -> Self {
        Self::Own(Value::list(items))
    }

    pub(super) fn text(content: impl Into<String>) -> Self {
        Self::String(content.into(), Origin::Outside)
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self.view(), View::Nil)
    }

    /// See [`View::is_truthy`].
    pub(super) fn is_truthy(&self) -> bool {
        self.view().is_truthy()
    }

    /// As data that can be kept in a list or a variable.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Nil | Self::Loop(_) => Value::Null,
            Self::Ref(value) => value.clone(),
            Self::Own(value) => value,
            Self::Str(text, origin) => Value::Text(Text::new(text, origin)),
            Self::String(text, origin) => Value::Text(Text::new(text, origin)),
            Self::Range(from, to) => Value::text(format!("{from}..{to}")),
            Self::Pair(key, value) => Value::list(vec![Value::Text(key.clone()), value.clone()]),
        }
    }

    /// The same, counted if it must be copied.
    pub(super) fn kept(self, budget: &Budget) -> Result<Value, Fault> {
        if let Self::Str(text, _) = self {
            budget.charge(text.len())?;
        }
        Ok(self.into_value())
    }

    /// In a form that can be read often without being copied.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::String(text, origin) => Self::Own(Value::Text(Text::new(text, origin))),
            Self::Nil
            | Self::Ref(_)
            | Self::Own(_)
            | Self::Str(..)
            | Self::Range(..)
            | Self::Pair(..)
            | Self::Loop(_) => self,
        }
    }

    /// Its characters as Liquid turns it into a string, borrowed from the data if they stand there.
    pub(super) fn into_chars(self, budget: &Budget) -> Cow<'r, str> {
        match self {
            Self::Ref(Value::Text(text)) => Cow::Borrowed(text.as_str()),
            Self::Str(text, _) => Cow::Borrowed(text),
            Self::String(text, _) => Cow::Owned(text),
            Self::Nil | Self::Ref(_) | Self::Own(_) | Self::Range(..) | Self::Pair(..) | Self::Loop(_) => {
                Cow::Owned(self.chars(budget).into_owned())
            }
        }
    }

    /// Its characters, without taking it.
    pub(super) fn chars(&self, budget: &Budget) -> Cow<'_, str> {
        self.view().chars(budget)
    }

    /// Where what it prints comes from.
    pub(super) fn origin(&self) -> Origin {
        match self.view() {
            View::Str(_, origin) => origin,
            // Numbers and the like print no character that markup could be made of.
            View::Nil | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) | View::Range(..) => {
                Origin::Authored
            }
            View::Empty | View::Blank | View::Loop => Origin::Authored,
            View::List(_) | View::Object(_) | View::Pair(..) => Origin::Outside,
        }
    }

    /// Whether it is finished markup.
    pub(super) fn is_markup(&self) -> bool {
        self.origin() != Origin::Outside
    }

    fn child(&self, of: impl for<'v> Fn(&'v Value) -> Option<&'v Value>) -> Self {
        match self {
            Self::Ref(value) => of(value).map_or(Self::Nil, Self::Ref),
            Self::Own(value) => of(value).cloned().map_or(Self::Nil, Self::Own),
            Self::Nil | Self::Str(..) | Self::String(..) | Self::Range(..) | Self::Pair(..) | Self::Loop(_) => {
                Self::Nil
            }
        }
    }

    /// The member called `key`; or what `key` means as a command.
    pub(super) fn key(&self, key: &str, command: Option<Command>) -> Self {
        if let Self::Ref(Value::Object(object)) = self
            && let Some(value) = object.get(key)
        {
            return Self::Ref(value);
        }
        let member = self.child(|value| value.get(key));
        match command {
            Some(command) if matches!(member, Self::Nil) => self.command(command),
            Some(_) | None => member,
        }
    }

    pub(super) fn command(&self, command: Command) -> Self {
        match command {
            Command::Size => match self.view() {
                View::Str(text, _) => Self::int(to_i64(text.chars().count())),
                View::List(items) => Self::int(to_i64(items.len())),
                View::Object(object) => Self::int(to_i64(object.len())),
                View::Range(from, to) => Self::int(to.saturating_sub(from).saturating_add(1).max(0)),
                View::Pair(..) => Self::int(2),
                // Liquid asks Ruby, and Ruby says how many bytes an integer takes.
                View::Int(_) | View::UInt(_) => Self::int(8),
                View::Nil | View::Bool(_) | View::Float(_) => Self::Nil,
                View::Empty | View::Blank | View::Loop => Self::Nil,
            },
            Command::First | Command::Last => self.end(command),
        }
    }

    /// The first or the last item or character; the first of an object is its first pair, and it has no last.
    fn end(&self, command: Command) -> Self {
        let first = command == Command::First;
        if let View::Str(text, _) = self.view() {
            let character = if first { text.chars().next() } else { text.chars().next_back() };
            return Self::text(character.map(String::from).unwrap_or_default());
        }
        if let Self::Range(from, to) = self {
            return Self::int(if first { *from } else { *to });
        }
        if let Self::Ref(Value::Object(object)) = self {
            return object.pair(0).filter(|_| first).map_or(Self::Nil, |(key, value)| Self::Pair(key, value));
        }
        if let Self::Own(Value::Object(object)) = self {
            let pair = object.pair(0).filter(|_| first);
            return pair.map_or(Self::Nil, |(key, value)| Self::list(vec![Value::Text(key.clone()), value.clone()]));
        }
        self.index(if first { 0 } else { -1 })
    }

    /// The item at `index`, counted from the end if negative.
    pub(super) fn index(&self, index: i64) -> Self {
        if let Self::Pair(key, value) = self {
            return match index {
                0 | -2 => Self::Str(key.as_str(), key.origin()),
                1 | -1 => Self::Ref(value),
                _ => Self::Nil,
            };
        }
        self.child(|value| {
            let items = value.as_list()?;
            let index = if index < 0 { index.checked_add(to_i64(items.len()))? } else { index };
            items.get(usize::try_from(index).ok()?)
        })
    }
}

/// A length as a Liquid number.
pub(super) fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'v> View<'v> {
    /// The characters that a filter works on, made only if the value is not a string. A list is printed item by item, but as a
    /// string it is what Ruby shows: `[1, "a"]`.
    pub(super) fn chars(self, budget: &Budget) -> Cow<'v, str> {
        match self {
            View::Str(text, _) => Cow::Borrowed(text),
            View::List(_) | View::Object(_) | View::Pair(..) => Cow::Owned(self.inspected(budget)),
            View::Nil | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) | View::Range(..) => {
                Cow::Owned(self.simple_chars())
            }
            View::Empty | View::Blank | View::Loop => Cow::Borrowed(""),
        }
    }

    /// As Ruby shows it: what is no string never looks like one. A part of it, if it is longer than the budget has room for.
    pub(super) fn inspected(self, budget: &Budget) -> String {
        let mut out = String::new();
        self.inspect(&mut out, budget.left());
        // Whoever can fail asks the budget next.
        budget.charge(out.len()).unwrap_or_default();
        out
    }

    /// The characters of what neither is a string nor holds anything.
    fn simple_chars(self) -> String {
        let mut out = String::new();
        self.print(0, &mut |text, _| {
            out.push_str(text);
            true
        });
        out
    }

    /// Hands over the characters, each part with its origin, and something at least for each item of a list, until told that it
    /// is enough; whether it never was. Of an object there are no more than `most` bytes, and a few.
    pub(super) fn print(self, most: usize, write: &mut impl FnMut(&str, Origin) -> bool) -> bool {
        match self {
            View::Nil | View::Empty | View::Blank | View::Loop => write("", Origin::Authored),
            View::Bool(true) => write("true", Origin::Authored),
            View::Bool(false) => write("false", Origin::Authored),
            View::Int(number) => write(itoa::Buffer::new().format(number), Origin::Authored),
            View::UInt(number) => write(itoa::Buffer::new().format(number), Origin::Authored),
            View::Float(number) => write_float(number, write),
            View::Str(text, origin) => write(text, origin),
            View::List(items) => {
                write("", Origin::Authored) && items.iter().all(|item| View::from(item).print(most, write))
            }
            View::Pair(key, value) => write(key, key.origin()) && View::from(value).print(most, write),
            View::Range(from, to) => write(&format!("{from}..{to}"), Origin::Authored),
            View::Object(_) => {
                let mut out = String::new();
                self.inspect(&mut out, most);
                write(&out, Origin::Outside)
            }
        }
    }

    /// As it looks within an object or a list that is printed whole: as Ruby shows it. Whether that is all of it: nothing is worth
    /// writing behind `end`.
    fn inspect(self, out: &mut String, end: usize) -> bool {
        match self {
            View::Nil | View::Empty | View::Blank | View::Loop => out.push_str("nil"),
            View::Str(text, _) => inspect_text(text, out),
            View::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    if !View::from(item).inspect(out, end) {
                        return false;
                    }
                }
                out.push(']');
            }
            View::Object(object) => {
                out.push('{');
                for (at, (key, value)) in object.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    inspect_text(key, out);
                    out.push_str("=>");
                    if !View::from(value).inspect(out, end) {
                        return false;
                    }
                }
                out.push('}');
            }
            View::Pair(key, value) => {
                out.push('[');
                inspect_text(key, out);
                out.push_str(", ");
                if !View::from(value).inspect(out, end) {
                    return false;
                }
                out.push(']');
            }
            View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) | View::Range(..) => {
                out.push_str(&self.simple_chars());
            }
        }
        out.len() <= end
    }

    /// Everything but `nil` and `false`.
    pub(super) fn is_truthy(self) -> bool {
        !matches!(self, View::Nil | View::Bool(false))
    }

    /// Whether `== empty` holds.
    pub(super) fn is_empty(self) -> bool {
        match self {
            View::Str(text, _) => text.is_empty(),
            View::List(items) => items.is_empty(),
            View::Object(object) => object.is_empty(),
            View::Range(from, to) => from > to,
            View::Empty => true,
            View::Nil | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) => false,
            View::Blank | View::Pair(..) | View::Loop => false,
        }
    }

    /// Whether `== blank` holds.
    pub(super) fn is_blank(self) -> bool {
        match self {
            View::Nil | View::Bool(false) | View::Blank => true,
            View::Str(text, _) => text.trim().is_empty(),
            View::Empty => false,
            View::List(_) | View::Object(_) | View::Range(..) => self.is_empty(),
            View::Bool(true) | View::Int(_) | View::UInt(_) | View::Float(_) | View::Pair(..) | View::Loop => false,
        }
    }
}

/// A string as Ruby shows it: in quotes, and escaped where it would not be read back as it is.
fn inspect_text(text: &str, out: &mut String) {
    out.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '#' if matches!(characters.peek(), Some('{' | '$' | '@')) => out.push_str("\\#"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            character if character.is_control() => write!(out, "\\u{:04X}", u32::from(character)).unwrap_or_default(),
            character => out.push(character),
        }
    }
    out.push('"');
}

/// A number that is no integer, as Ruby writes it.
fn write_float(number: f64, write: &mut impl FnMut(&str, Origin) -> bool) -> bool {
    let magnitude = number.abs();
    if !number.is_finite() {
        let name = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return write(name, Origin::Authored);
    }
    if magnitude == 0.0 || (1e-4..1e15).contains(&magnitude) {
        return write(zmij::Buffer::new().format(number), Origin::Authored);
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "-" } else { "+" };
    let text = format!("{digits}{point}e{sign}{:0>2}", exponent.trim_start_matches('-'));
    write(&text, Origin::Authored)
}

/// Appends the items that a filter works on: those of a list, and of lists within it; of a range; one value.
pub(super) fn flat_items(view: View<'_>, budget: &Budget, out: &mut Vec<Value>) -> Result<(), Fault> {
    match view {
        View::Nil | View::Empty | View::Blank | View::Loop => {}
        View::List(items) => {
            budget.charge_items(items.len())?;
            for item in items {
                if let Value::List(inner) = item {
                    flat_items(View::List(inner), budget, out)?;
                } else {
                    out.push(item.clone());
                }
            }
        }
        View::Range(from, to) => {
            let length = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
            if length > budget.limits().iterations {
                return Err(Fault::TooMany);
            }
            budget.charge_items(length)?;
            out.extend((from..=to).map(Value::Int));
        }
        View::Object(object) => out.push(Value::Object(object.clone())),
        View::Pair(key, value) => {
            out.push(Value::Text(key.clone()));
            out.push(value.clone());
        }
        View::Bool(value) => out.push(Value::Bool(value)),
        View::Int(number) => out.push(Value::Int(number)),
        View::UInt(number) => out.push(Value::UInt(number)),
        View::Float(number) => out.push(Value::Float(number)),
        View::Str(text, origin) => {
            budget.charge(text.len())?;
            out.push(Value::Text(Text::new(text, origin)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Limits;

    #[test]
    fn numbers_print_as_ruby_prints_them() {
        let budget = Budget::new(&Limits::default());
        for (number, expected) in
            [(5.0, "5.0"), (0.1 + 0.2, "0.30000000000000004"), (1e20, "1.0e+20"), (1.5e-7, "1.5e-07"), (-0.5, "-0.5")]
        {
            assert_eq!(View::Float(number).chars(&budget), expected);
        }
        assert_eq!(View::Int(i64::MIN).chars(&budget), "-9223372036854775808");
        assert_eq!(View::UInt(u64::MAX).chars(&budget), "18446744073709551615");
        assert_eq!(View::Int(0).chars(&budget), "0");
    }

    #[test]
    fn keys_indexes_and_commands() {
        let budget = Budget::new(&Limits::default());
        let list = Value::list(vec![Value::Int(3), Value::Int(1)]);
        for val in [Val::Ref(&list), Val::Own(list.clone())] {
            assert_eq!(val.index(-1).chars(&budget), "1");
            assert_eq!(val.index(-3).chars(&budget), "");
            assert_eq!(val.key("size", Some(Command::Size)).chars(&budget), "2");
            assert_eq!(val.key("first", Some(Command::First)).chars(&budget), "3");
        }
        let object = Value::Object([("size", Value::Int(9)), ("b", Value::Null)].into_iter().collect());
        assert_eq!(Val::Ref(&object).key("size", Some(Command::Size)).chars(&budget), "9");
        assert_eq!(Val::Ref(&object).key("first", Some(Command::First)).chars(&budget), "[\"size\", 9]");
    }
}
