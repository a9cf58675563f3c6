//! Filters on lists. Items are shared, never copied deeply; a value that is no list counts as a list of one.

use super::number::{Number, number_of};
use super::text::integer;
use super::{Arguments, Env, Fault, Made};
use crate::render::compare::{equal, numbers, text_order};
use crate::render::tree::Command;
use crate::render::val::{Val, View, flat_items, to_i64};
use crate::value::{JsonStyle, Origin, Value, write_json_within};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// The items of `input`, lists within it flattened; where they stand, if there is none within.
pub(in crate::render) fn items<'v>(input: &'v Val<'_>, env: &Env<'_>) -> Result<Cow<'v, [Value]>, Fault> {
    if let View::List(items) = input.view() {
        env.budget.read_values(items.len())?;
        if !items.iter().any(|item| matches!(item, Value::List(_))) {
            return Ok(Cow::Borrowed(items));
        }
    }
    let mut out = Vec::new();
    flat_items(input.view(), &env.budget, &mut out)?;
    Ok(Cow::Owned(out))
}

/// The items of `input` in a list that can be changed.
fn own_items(input: &Val<'_>, env: &Env<'_>) -> Result<Vec<Value>, Fault> {
    let items = items(input, env)?;
    if let Cow::Borrowed(items) = items {
        env.budget.charge_items(items.len())?;
    }
    Ok(items.into_owned())
}

/// A list of those items that are chosen.
fn chosen<'r, 'v>(items: impl Iterator<Item = &'v Value>, env: &Env<'_>) -> Made<'r> {
    let chosen: Vec<Value> = items.cloned().collect();
    env.budget.charge_items(chosen.len())?;
    Ok(Val::list(chosen))
}

/// What stands for a property that cannot be asked for.
enum Stop {
    /// Ruby would know no `[]` on such an item; the whole filter then gives nothing.
    Nothing,
    Fault(Fault),
}

const NO_PROPERTY: Fault = Fault::Complaint("an item has no such property");

/// `item[property]`, with Ruby's meaning on strings and integers.
fn property(item: &Value, property: View<'_>, env: &Env<'_>) -> Result<Value, Stop> {
    if let Value::Text(text) = item {
        env.budget.read(text.len()).map_err(Stop::Fault)?;
    }
    match (item, property) {
        (Value::Object(object), View::Str(key, _)) => Ok(object.get(key).cloned().unwrap_or_default()),
        (Value::Object(_), _) => Ok(Value::Null),
        (Value::Text(text), View::Str(part, _)) => {
            if !text.contains(part) {
                return Ok(Value::Null);
            }
            env.budget.charge(part.len()).map_err(Stop::Fault)?;
            Ok(Value::text(part))
        }
        (Value::Text(text), View::Int(index)) => Ok(character(text, index)),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and there is no character that far away")]
        (Value::Text(text), View::Float(index)) => Ok(character(text, index as i64)),
        (Value::Int(number), View::Int(bit)) => Ok(Value::Int(bit_of(*number, bit))),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and there is no bit that far away")]
        (Value::Int(number), View::Float(bit)) => Ok(Value::Int(bit_of(*number, bit as i64))),
        (Value::Text(_) | Value::Int(_) | Value::UInt(_), _) => Err(Stop::Fault(NO_PROPERTY)),
        (Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_), _) => Err(Stop::Nothing),
    }
}

/// The character at `index`, from the end if negative.
fn character(text: &str, index: i64) -> Value {
    let found = match usize::try_from(index) {
        Ok(index) => text.chars().nth(index),
        Err(_) => usize::try_from(-(index + 1)).ok().and_then(|index| text.chars().rev().nth(index)),
    };
    found.map_or(Value::Null, |character| Value::text(character.to_string()))
}

/// A bit of an integer, as many as there may be: those above are all like its sign.
fn bit_of(number: i64, bit: i64) -> i64 {
    u32::try_from(bit).map_or(0, |bit| number >> bit.min(63) & 1)
}

/// Whether an item's property is the value asked for, or truthy if none is.
fn fits(item: &Value, arguments: &Arguments<'_>, env: &Env<'_>) -> Result<bool, Stop> {
    let (value, target) = (property(item, arguments.get(0).view(), env)?, arguments.get(1));
    Ok(if target.is_nil() { is_true(&value) } else { equal(View::from(&value), target.view(), &env.budget) })
}

fn filtered<'r>(input: &Val<'r>, arguments: &Arguments<'r>, env: &Env<'_>, wanted: bool) -> Made<'r> {
    let items = items(input, env)?;
    let mut kept = Vec::new();
    for item in &*items {
        match fits(item, arguments, env) {
            Ok(fits) if fits == wanted => kept.push(item),
            Ok(_) => {}
            Err(Stop::Nothing) => return Ok(Val::Nil),
            // The newer filters make nothing of that where `where` complains.
            Err(Stop::Fault(Fault::Complaint(_))) if !wanted && arguments.get(0).is_nil() => return Ok(Val::Nil),
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
    chosen(kept.into_iter(), env)
}

pub(super) fn keep<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    filtered(&input, arguments, env, true)
}

pub(super) fn reject<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    filtered(&input, arguments, env, false)
}

/// What a search of a list comes to.
enum Search {
    Found(usize, Value),
    Missing,
    /// An item that no property can be asked of stands before any that fits: the whole filter gives nothing.
    Nothing,
}

/// The first item that fits. What stands behind it is not looked at, whatever it is.
fn search(input: &Val<'_>, arguments: &Arguments<'_>, env: &Env<'_>) -> Result<Search, Fault> {
    for (at, item) in items(input, env)?.iter().enumerate() {
        match fits(item, arguments, env) {
            Ok(true) => return Ok(Search::Found(at, item.clone())),
            Ok(false) => {}
            Err(Stop::Nothing) => return Ok(Search::Nothing),
            Err(Stop::Fault(Fault::Complaint(_))) if arguments.get(0).is_nil() => return Ok(Search::Nothing),
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
    Ok(Search::Missing)
}

pub(super) fn find<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(match search(&input, arguments, env)? {
        Search::Found(_, item) => Val::Own(item),
        Search::Missing | Search::Nothing => Val::Nil,
    })
}

pub(super) fn find_index<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(match search(&input, arguments, env)? {
        Search::Found(at, _) => Val::int(to_i64(at)),
        Search::Missing | Search::Nothing => Val::Nil,
    })
}

pub(super) fn has<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(match search(&input, arguments, env)? {
        Search::Found(..) => Val::bool(true),
        Search::Missing => Val::bool(false),
        Search::Nothing => Val::Nil,
    })
}

pub(super) fn map<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let items = items(&input, env)?;
    env.budget.charge_items(items.len())?;
    let mut out = Vec::with_capacity(items.len());
    for item in &*items {
        out.push(match property(item, arguments.get(0).view(), env) {
            Ok(value) => value,
            Err(Stop::Nothing) => Value::Null,
            Err(Stop::Fault(fault)) => return Err(fault),
        });
    }
    Ok(Val::list(out))
}

pub(super) fn first<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    Ok(input.command(Command::First))
}

pub(super) fn last<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    Ok(input.command(Command::Last))
}

pub(super) fn size<'r>(input: Val<'r>, _: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let size = input.command(Command::Size);
    Ok(if size.is_nil() { Val::int(0) } else { size })
}

pub(super) fn reverse<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut items = own_items(&input, env)?;
    items.reverse();
    Ok(Val::list(items))
}

pub(super) fn concat<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let View::List(more) = arguments.get(0).view() else {
        return Err(Fault::Complaint("`concat` takes a list"));
    };
    let mut items = own_items(&input, env)?;
    env.budget.charge_items(more.len())?;
    items.extend(more.iter().cloned());
    Ok(Val::list(items))
}

pub(super) fn compact<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let items = items(&input, env)?;
    let by = arguments.get(0);
    let mut kept = Vec::new();
    for item in &*items {
        let value = if by.is_nil() { Ok(item.clone()) } else { property(item, by.view(), env) };
        match value {
            Ok(Value::Null) => {}
            Ok(_) => kept.push(item),
            Err(Stop::Nothing) => return Ok(Val::Nil),
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
    chosen(kept.into_iter(), env)
}

pub(super) fn uniq<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let items = items(&input, env)?;
    let by = arguments.get(0);
    if items.len() == 1 {
        return chosen(items.iter(), env);
    }
    let (mut seen, mut kept) = (HashSet::new(), Vec::new());
    for item in &*items {
        let mut key = String::new();
        let value = if by.is_nil() { Ok(item.clone()) } else { property(item, by.view(), env) };
        match value {
            Ok(value) => push_json(&value, false, env, &mut key)?,
            Err(Stop::Nothing) => return Ok(Val::Nil),
            Err(Stop::Fault(fault)) => return Err(fault),
        }
        env.budget.read(key.len())?;
        if !seen.contains(&key) {
            env.budget.charge(key.len())?;
            seen.insert(key);
            kept.push(item);
        }
    }
    chosen(kept.into_iter(), env)
}

/// Appends JSON, unless that is more than may be made.
pub(super) fn push_json(value: &Value, indented: bool, env: &Env<'_>, out: &mut String) -> Result<(), Fault> {
    let style = JsonStyle { indented, without_nulls: false, most: env.budget.left() };
    if write_json_within(value, style, out) { Ok(()) } else { Err(Fault::TooMuch) }
}

/// A number, or those of a list together.
fn sum_of(value: &Value, env: &Env<'_>) -> Result<Number, Fault> {
    if let Value::List(items) = value {
        env.budget.read_values(items.len())?;
        return items.iter().try_fold(Number::Int(0), |total, item| Ok(total.plus(sum_of(item, env)?)));
    }
    if let Value::Text(text) = value {
        env.budget.read(text.len())?;
    }
    Ok(number_of(View::from(value)))
}

pub(super) fn sum<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let by = arguments.get(0);
    let mut total = Number::Int(0);
    for item in &*items(&input, env)? {
        let number = if by.is_nil() {
            sum_of(item, env)?
        } else {
            match property(item, by.view(), env) {
                Ok(value) => sum_of(&value, env)?,
                Err(Stop::Nothing) => Number::Int(0),
                Err(Stop::Fault(fault)) => return Err(fault),
            }
        };
        total = total.plus(number);
    }
    Ok(total.into_val())
}

/// Appends what an item prints; where that comes from.
fn push_printed(item: &Value, env: &Env<'_>, out: &mut String) -> Result<Origin, Fault> {
    let (mut least, most) = (Origin::Authored, env.budget.left());
    let all = View::from(item).print(most, &mut |text, origin| {
        out.push_str(text);
        least = least.min(origin);
        out.len() <= most && env.budget.read_values(1).is_ok()
    });
    if all { Ok(least) } else { Err(Fault::TooMuch) }
}

pub(super) fn join<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    if matches!(input.view(), View::Str(..) | View::Nil | View::Empty | View::Blank) {
        return Ok(input);
    }
    let glue = if arguments.has(0) { arguments.get(0).chars(&env.budget) } else { " ".into() };
    let items = items(&input, env)?;
    if glue.len().saturating_mul(items.len()) > env.budget.limits().made_bytes {
        return Err(Fault::TooMuch);
    }
    let mut origin = if arguments.has(0) { arguments.get(0).origin() } else { Origin::Authored };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(&glue);
        }
        origin = origin.min(push_printed(item, env, &mut out)?);
    }
    Ok(Val::String(out, origin))
}

/// Items, each with what it is sorted by.
type Keyed<K> = Vec<(Option<K>, Value)>;

/// Sorts by keys made once, `nil` last unless `nil_first`; an error if two keys have no order.
fn sorted<'r, K>(mut keyed: Keyed<K>, order: impl Fn(&K, &K) -> Option<Ordering>, nil_first: bool) -> Made<'r> {
    let mut comparable = true;
    keyed.sort_by(|(left, _), (right, _)| match (left, right) {
        (Some(left), Some(right)) => order(left, right).unwrap_or_else(|| {
            comparable = false;
            Ordering::Equal
        }),
        (left, right) if nil_first => left.is_some().cmp(&right.is_some()),
        (left, right) => left.is_none().cmp(&right.is_none()),
    });
    if !comparable {
        return Err(Fault::Complaint("the items have no order"));
    }
    Ok(Val::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// The items with what they are sorted by. `None` if one of them can have no property: then they are not sorted, they are nothing.
fn keyed(input: &Val<'_>, by: &Val<'_>, env: &Env<'_>) -> Result<Option<Keyed<Value>>, Fault> {
    let items = items(input, env)?;
    let (mut keyed, mut refused) = (Vec::with_capacity(items.len()), false);
    env.budget.charge_items(items.len())?;
    for item in items.into_owned() {
        let key = if by.is_nil() { Ok(item.clone()) } else { property(&item, by.view(), env) };
        match key {
            Ok(key) => keyed.push((Some(key).filter(|key| !key.is_null()), item)),
            Err(Stop::Fault(Fault::Complaint(_))) => {
                refused = true;
                keyed.push((None, item));
            }
            Err(Stop::Fault(fault)) => return Err(fault),
            Err(Stop::Nothing) => return Ok(None),
        }
    }
    // What is alone is compared with nothing.
    if refused && keyed.len() > 1 { Err(NO_PROPERTY) } else { Ok(Some(keyed)) }
}

pub(super) fn sort<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let nil_first = match &*arguments.get(1).chars(&env.budget) {
        "" | "last" => false,
        "first" => true,
        _ => return Err(Fault::Complaint("`nil` stands `first` or `last`")),
    };
    let Some(keyed) = keyed(&input, arguments.get(0), env)? else { return Ok(Val::Nil) };
    sorted(
        keyed,
        |left, right| match (left, right) {
            (Value::Text(left), Value::Text(right)) => Some(text_order(left, right, &env.budget)),
            (left, right) => numbers(View::from(left), View::from(right))
                .or_else(|| equal(View::from(left), View::from(right), &env.budget).then_some(Ordering::Equal)),
        },
        nil_first,
    )
}

/// Without regard to the case of ASCII letters, and of no others: as Ruby's `casecmp`.
pub(super) fn sort_natural<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let Some(keyed) = keyed(&input, arguments.get(0), env)? else { return Ok(Val::Nil) };
    let mut lower = Vec::with_capacity(keyed.len());
    for (key, item) in keyed {
        let key = key.map(|key| View::from(&key).chars(&env.budget).to_ascii_lowercase());
        env.budget.charge(key.as_ref().map_or(0, String::len))?;
        lower.push((key, item));
    }
    sorted(lower, |left, right| Some(text_order(left, right, &env.budget)), false)
}

/// The items for which the condition holds.
pub(super) fn where_exp<'r>(_: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let kept = std::mem::take(&mut arguments.each).into_iter().filter(|(_, holds)| is_true(holds));
    Ok(Val::list(kept.map(|(item, _)| item).collect()))
}

/// The first item for which the condition holds.
pub(super) fn find_exp<'r>(_: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let found = std::mem::take(&mut arguments.each).into_iter().find(|(_, holds)| is_true(holds));
    Ok(found.map_or(Val::Nil, |(item, _)| Val::Own(item)))
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

pub(super) fn group_by<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut keyed = Vec::new();
    for item in &*items(&input, env)? {
        let key = match property(item, arguments.get(0).view(), env) {
            Ok(key) => key,
            Err(Stop::Nothing) => Value::Null,
            Err(Stop::Fault(fault)) => return Err(fault),
        };
        keyed.push((item.clone(), key));
    }
    groups(keyed, env)
}

pub(super) fn group_by_exp<'r>(_: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    groups(std::mem::take(&mut arguments.each), env)
}

/// Objects of `name`, `items` and `size`, in the order in which their keys appear.
fn groups<'r>(keyed: Vec<(Value, Value)>, env: &Env<'_>) -> Made<'r> {
    env.budget.charge_nesting()?;
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    for (item, key) in keyed {
        let name = View::from(&key).chars(&env.budget).into_owned();
        env.budget.charge(name.len())?;
        env.budget.charge_items(1)?;
        let next = groups.len();
        let at = *positions.entry(name.clone()).or_insert(next);
        if at == next {
            groups.push((name, Vec::new()));
        }
        if let Some((_, items)) = groups.get_mut(at) {
            items.push(item);
        }
    }
    let object = |(name, items): (String, Vec<Value>)| {
        let size = Value::Int(to_i64(items.len()));
        let members = [("name", Value::text(name)), ("items", Value::list(items)), ("size", size)];
        Value::Object(members.into_iter().collect())
    };
    Ok(Val::list(groups.into_iter().map(object).collect()))
}

/// A value as an item of a list.
fn held(val: Val<'_>, env: &Env<'_>) -> Result<Value, Fault> {
    if matches!(val, Val::Own(Value::List(_) | Value::Object(_))) {
        env.budget.charge_nesting()?;
    }
    val.kept(&env.budget)
}

pub(super) fn push<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut items = own_items(&input, env)?;
    items.push(held(arguments.take(0), env)?);
    Ok(Val::list(items))
}

pub(super) fn unshift<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut items = own_items(&input, env)?;
    items.insert(0, held(arguments.take(0), env)?);
    Ok(Val::list(items))
}

/// How many items `pop` and `shift` take.
fn how_many(arguments: &Arguments<'_>) -> Result<usize, Fault> {
    if arguments.has(0) { Ok(usize::try_from(integer(arguments.get(0))?).unwrap_or(0)) } else { Ok(1) }
}

pub(super) fn pop<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut items = own_items(&input, env)?;
    items.truncate(items.len().saturating_sub(how_many(arguments)?));
    Ok(Val::list(items))
}

pub(super) fn shift<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut items = own_items(&input, env)?;
    items.drain(..how_many(arguments)?.min(items.len()));
    Ok(Val::list(items))
}

/// `a, b, and c`; the argument is the word before the last.
pub(super) fn array_to_sentence_string<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let word = if arguments.has(0) { arguments.get(0).chars(&env.budget) } else { "and".into() };
    let items = items(&input, env)?;
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        match items.len() - at {
            _ if at == 0 => {}
            1 if at == 1 => out.extend([" ", &*word, " "]),
            1 => out.extend([", ", &*word, " "]),
            _ => out.push_str(", "),
        }
        push_printed(item, env, &mut out)?;
    }
    Ok(Val::text(out))
}
