//! The shape of a `json` route: values of the request's data where placeholders stand, and records mapped from lists.
//!
//! `{ each = "{products.items}", fields = { id = "{item.id}" } }` makes a record of every item. A list within a list is one
//! of its item: so the work of an answer is bounded by the data that it is made from.

use super::scope::{Reads, Scope};
use crate::config::{BAD_VALUE, Binding, Each, Reference, Shape};
use crate::diagnostic::{Finding, Findings, Place};
use crate::source::{ITEM, Known, NOT_A_LIST};
use crate::value::{Object, Text, Value};

/// The shape with its mapped lists told from objects; `None` after a finding.
pub(super) fn mapped(shape: &Shape, place: Place, findings: &mut Findings) -> Option<Shape> {
    Some(match shape {
        Shape::Object(members) if is_mapping(members.iter().map(|(key, _)| key)) => {
            return mapping(members, place, findings);
        }
        Shape::Literal(value) if holds_mapping(value) => {
            findings.push(no_list(place, "`each` names no list"));
            return None;
        }
        Shape::Literal(_) | Shape::Template(_) => shape.clone(),
        // Those are made here, and nowhere before.
        Shape::Each(_) => shape.clone(),
        Shape::List(items) => {
            let items: Vec<_> = items.iter().map(|item| mapped(item, place, findings)).collect();
            Shape::List(items.into_iter().collect::<Option<_>>()?)
        }
        Shape::Object(members) => {
            let member = |(key, member): &(Text, Shape), findings: &mut Findings| {
                Some((key.clone(), mapped(member, place, findings)?))
            };
            let members: Vec<_> = members.iter().map(|pair| member(pair, findings)).collect();
            Shape::Object(members.into_iter().collect::<Option<_>>()?)
        }
    })
}

/// An object that has both keys is a mapped list, whatever else it has.
fn is_mapping<'k>(keys: impl Iterator<Item = &'k Text>) -> bool {
    keys.filter(|key| key.is("each") || key.is("fields")).count() == 2
}

fn holds_mapping(value: &Value) -> bool {
    match value {
        Value::Object(object) => is_object_mapping(object) || object.iter().any(|(_, member)| holds_mapping(member)),
        Value::List(items) => items.iter().any(holds_mapping),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => false,
    }
}

fn is_object_mapping(object: &Object) -> bool {
    is_mapping(object.iter().map(|(key, _)| key))
}

fn no_list(place: Place, message: &str) -> Finding {
    Finding::new(&NOT_A_LIST, place, message).help("{ each = \"{products.items}\", fields = { id = \"{item.id}\" } }")
}

fn mapping(members: &[(Text, Shape)], place: Place, findings: &mut Findings) -> Option<Shape> {
    let member = |name: &str| members.iter().find(|(key, _)| key.is(name)).map(|(_, member)| member);
    let (Some(Shape::Template(each)), Some(fields)) = (member("each"), member("fields")) else {
        findings.push(no_list(place, "`each` names no list"));
        return None;
    };
    if let Some((key, _)) = members.iter().find(|(key, _)| !key.is("each") && !key.is("fields")) {
        let message = format!("`{}` beside `each` and `fields`", key.as_str());
        findings.push(Finding::new(&BAD_VALUE, each.place, message).help("a mapped list has just these two keys"));
        return None;
    }
    let Some(list) = each.as_single() else {
        findings.push(no_list(each.place, "`each` is not one placeholder that names a list"));
        return None;
    };
    let item = Reference { root: ITEM.to_owned(), keys: Vec::new(), place: list.place };
    let record = mapped(fields, place, findings)?;
    Some(Shape::Each(Box::new(Each { list: list.clone(), item, record })))
}

/// The list whose item is read, and what is known of the item.
type Item<'i> = (&'i Reference, &'i Known);

/// The shape with its names resolved; every wrong one is found.
pub(super) fn link(
    shape: &Shape,
    item: Option<Item<'_>>,
    scope: &Scope<'_>,
    reads: &mut Reads,
    findings: &mut Findings,
) -> Option<Shape<Binding>> {
    let mut bind = |reference: &Reference, findings: &mut Findings| match item {
        Some((list, known)) => scope.bind_with_item(reference, known, list, reads, findings),
        None => scope.bind(reference, reads, findings),
    };
    Some(match shape {
        Shape::Literal(value) => Shape::Literal(value.clone()),
        Shape::Template(template) => Shape::Template(template.try_map(|reference| bind(reference, findings))?),
        Shape::List(items) => {
            let linked: Vec<_> = items.iter().map(|inner| link(inner, item, scope, reads, findings)).collect();
            Shape::List(linked.into_iter().collect::<Option<_>>()?)
        }
        Shape::Object(members) => {
            let linked: Vec<_> = members
                .iter()
                .map(|(key, member)| Some((key.clone(), link(member, item, scope, reads, findings)?)))
                .collect();
            Shape::Object(linked.into_iter().collect::<Option<_>>()?)
        }
        Shape::Each(each) => {
            if item.is_some() && each.list.root != ITEM {
                let message = format!("`{}` within another list", each.list.spelled());
                let help = "a list within a list is one of its item: each = \"{item.tags}\"";
                findings.push(Finding::new(&NOT_A_LIST, each.list.place, message).help(help));
                return None;
            }
            let list = bind(&each.list, findings);
            let known = scope.item_of(&each.list, item.map(|(_, known)| known), findings)?;
            let inner = Some((&each.list, &known));
            let record = link(&each.record, inner, scope, reads, findings);
            let item = scope.bind_with_item(&each.item, &known, &each.list, reads, findings);
            Shape::Each(Box::new(Each { list: list?, item: item?, record: record? }))
        }
    })
}
