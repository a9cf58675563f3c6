//! Placeholders once their names are resolved: a slot of the request's data, and the keys below it.
//!
//! What the slots hold is decided by the floor that resolves the names.

use super::placeholder::{Part, Reference, Template};
use crate::value::{NULL, ObjectBuilder, Text, Value};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

/// A resolved reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Which value of the request's data.
    pub slot: usize,
    /// The path below it.
    pub keys: Box<[Arc<str>]>,
    /// Whether the value comes from the request itself, and not from a source.
    pub from_request: bool,
    /// Whether it is a `{*rest}` parameter, which keeps its slashes in a path.
    pub is_rest: bool,
}

impl Binding {
    /// What the reference stands for; `null` if nothing is there.
    pub fn value<'s>(&self, slots: &'s [Value]) -> &'s Value {
        slots.get(self.slot).unwrap_or(&NULL).at(&self.keys)
    }

    /// Whether the request itself sent it, and it holds a control byte, which no header field may.
    pub fn has_control_of_request(&self, slots: &[Value]) -> bool {
        let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
        self.from_request && scalar_text(self.value(slots)).is_ok_and(|text| text.bytes().any(is_control))
    }
}

/// A value that has no text: a list or an object within a longer string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list or an object within a string")]
pub struct NotText;

impl Template<Binding> {
    /// The string with its placeholders filled in, each through `encode`; `None` as soon as one of them is `null`.
    pub fn text(&self, slots: &[Value], encode: impl Fn(&str, &mut String)) -> Result<Option<String>, NotText> {
        self.text_by(slots, encode)
    }

    /// The same with an `encode` that knows which placeholder is next.
    pub fn text_by(
        &self,
        slots: &[Value],
        mut encode: impl FnMut(&str, &mut String),
    ) -> Result<Option<String>, NotText> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(binding) => {
                    let value = binding.value(slots);
                    if value.is_null() {
                        return Ok(None);
                    }
                    encode(&scalar_text(value)?, &mut out);
                }
                // Variables of the environment are resolved at load.
                Part::Env(_) => {}
            }
        }
        Ok(Some(out))
    }

    /// The same string for people who ask before there is any data: in place of each value that `spell` has a text for, that text.
    #[must_use]
    pub fn spelled(&self, spell: &impl Fn(&Binding) -> Option<String>) -> Self {
        let part = |part: &Part<Binding>| match part {
            Part::Value(binding) => spell(binding).map_or_else(|| part.clone(), |text| Part::Literal(text.into())),
            Part::Literal(_) | Part::Env(_) => part.clone(),
        };
        Self { parts: self.parts.iter().map(part).collect(), place: self.place }
    }

    /// Whether a value that the request itself sent holds a control byte, which no header field may.
    pub fn has_control_of_request(&self, slots: &[Value]) -> bool {
        self.references().any(|binding| binding.has_control_of_request(slots))
    }

    /// The value of the string: a single placeholder keeps its type, anything else is text.
    pub fn value(&self, slots: &[Value]) -> Result<Value, NotText> {
        if let Some(binding) = self.as_single() {
            return Ok(binding.value(slots).clone());
        }
        if let Some(text) = self.as_literal() {
            return Ok(Value::text(text));
        }
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(binding) => out.push_str(&scalar_text(binding.value(slots))?),
                Part::Env(_) => {}
            }
        }
        Ok(Value::text(out))
    }
}

/// A scalar as text; `null` is empty.
pub fn scalar_text(value: &Value) -> Result<Cow<'_, str>, NotText> {
    Ok(match value {
        Value::Null => Cow::Borrowed(""),
        Value::Text(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::UInt(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => {
            let mut out = String::new();
            write!(out, "{number}").unwrap_or_default();
            Cow::Owned(out)
        }
        Value::List(_) | Value::Object(_) => return Err(NotText),
    })
}

/// Data with placeholders at any depth: a `value` source, a `json` route.
#[derive(Debug, Clone)]
pub enum Shape<R = Reference> {
    /// Data without placeholders.
    Literal(Value),
    /// A string with placeholders.
    Template(Template<R>),
    /// A list that holds placeholders.
    List(Vec<Self>),
    /// An object that holds placeholders.
    Object(Vec<(Text, Self)>),
    /// A list mapped item by item. Made by the floors that know what an item is.
    Each(Box<Each<R>>),
}

/// A list mapped item by item.
#[derive(Debug, Clone)]
pub struct Each<R = Reference> {
    /// The list.
    pub list: R,
    /// The item: what the slot of this reference holds while a record is made.
    pub item: R,
    /// What is made of each item.
    pub record: Shape<R>,
}

impl<R> Shape<R> {
    /// What the placeholders refer to.
    pub fn references(&self) -> Vec<&R> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Template(template) => template.references().collect(),
            Self::List(items) => items.iter().flat_map(Self::references).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, member)| member.references()).collect(),
            Self::Each(each) => std::iter::once(&each.list).chain(each.record.references()).collect(),
        }
    }
}

impl Shape {
    /// The same shape referring to other things.
    pub fn try_map<S>(&self, change: &mut impl FnMut(&Reference) -> Option<S>) -> Option<Shape<S>> {
        Some(match self {
            Self::Literal(value) => Shape::Literal(value.clone()),
            Self::Template(template) => Shape::Template(template.try_map(change)?),
            Self::List(items) => {
                let changed: Vec<_> = items.iter().map(|item| item.try_map(change)).collect();
                Shape::List(changed.into_iter().collect::<Option<_>>()?)
            }
            Self::Object(members) => {
                let changed: Vec<_> =
                    members.iter().map(|(key, member)| Some((key.clone(), member.try_map(change)?))).collect();
                Shape::Object(changed.into_iter().collect::<Option<_>>()?)
            }
            Self::Each(each) => {
                let (list, item, record) = (change(&each.list), change(&each.item), each.record.try_map(change));
                Shape::Each(Box::new(Each { list: list?, item: item?, record: record? }))
            }
        })
    }
}

impl Shape<Binding> {
    /// The data with its placeholders filled in.
    pub fn value(&self, slots: &[Value]) -> Result<Value, NotText> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Template(template) => template.value(slots)?,
            Self::List(items) => Value::list(items.iter().map(|item| item.value(slots)).collect::<Result<_, _>>()?),
            Self::Object(members) => {
                let mut object = ObjectBuilder::with_capacity(members.len());
                for (key, member) in members {
                    object.push(key.clone(), member.value(slots)?);
                }
                object.finish().into()
            }
            Self::Each(each) => match each.list.value(slots) {
                Value::List(items) => {
                    let mut slots = slots.to_vec();
                    let record = |item: &Value| {
                        if let Some(slot) = slots.get_mut(each.item.slot) {
                            *slot = item.clone();
                        }
                        each.record.value(&slots)
                    };
                    Value::list(items.iter().map(record).collect::<Result<_, _>>()?)
                }
                // What is not there, or no list after all, has no items.
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::UInt(_)
                | Value::Float(_)
                | Value::Text(_)
                | Value::Object(_) => Value::Null,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Files, Place};
    use crate::value::{JsonLimits, parse_json};

    fn template(parts: &[&str]) -> Template<Binding> {
        let place = Place::new(Files::default().add("a", ""), 0..0);
        let part = |text: &&str| match text.strip_prefix('$') {
            Some(path) => Part::Value(Binding {
                slot: 0,
                keys: path.split('.').map(Arc::from).collect(),
                from_request: true,
                is_rest: false,
            }),
            None => Part::Literal(Arc::from(*text)),
        };
        Template { parts: parts.iter().map(part).collect(), place }
    }

    #[test]
    fn a_single_placeholder_keeps_its_type_and_null_removes_the_text() {
        let slots = [parse_json("{\"a\":[1],\"n\":2,\"t\":\"x y\"}", JsonLimits::default()).unwrap()];
        let plain = |text: &str, out: &mut String| out.push_str(text);
        assert_eq!(template(&["$a"]).value(&slots), Ok(Value::list(vec![Value::Int(1)])));
        assert_eq!(template(&["n=", "$n"]).value(&slots), Ok(Value::text("n=2")));
        assert_eq!(template(&["n=", "$a"]).value(&slots), Err(NotText));
        assert_eq!(template(&["Bearer ", "$t"]).text(&slots, plain), Ok(Some("Bearer x y".into())));
        assert_eq!(template(&["Bearer ", "$none"]).text(&slots, plain), Ok(None));
    }
}
