//! The operations at work: a value in, the page's part of it out.

use super::order::compare;
use super::{Field, Filter, Key, Listing, Paging, Root};
use crate::config::{Binding, scalar_text};
use crate::render::{Context, TooMuchWork, Work};
use crate::value::{List, NULL, Object, ObjectBuilder, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// What one request brings to the operations.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Its data so far.
    pub slots: &'a [Value],
    /// What conditions are decided with.
    pub context: &'a Context<'a>,
    /// The URL of the page with this number, which the query value of this name says.
    pub url: &'a dyn Fn(&str, i64) -> String,
}

/// Why there is no list for this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The value is no list, and no object with one.
    NoList,
    /// It is empty, which is declared to be this page's 404.
    Empty,
    /// There is no page of this number.
    PastTheEnd,
    /// To look through its items takes more than a page may cost.
    TooMuchWork,
}

impl Absent {
    /// The word for the access log.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoList => "no-list",
            Self::Empty => "empty",
            Self::PastTheEnd => "past-the-end",
            Self::TooMuchWork => "too-much-work",
        }
    }
}

/// The items: as they came, or as they were picked.
enum Items {
    Shared(List),
    Picked(Vec<Value>),
}

impl Items {
    fn as_slice(&self) -> &[Value] {
        match self {
            Self::Shared(items) => items,
            Self::Picked(items) => items,
        }
    }

    fn truncate(&mut self, length: usize) {
        if self.as_slice().len() <= length {
            return;
        }
        match self {
            Self::Shared(items) => *self = Self::Picked(items.iter().take(length).cloned().collect()),
            Self::Picked(items) => items.truncate(length),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Shared(items) => Value::List(items),
            Self::Picked(items) => Value::list(items),
        }
    }
}

impl Listing<Binding> {
    /// What the page has of a source's `value`. What stands in for a source that failed (`is_stand_in`) is never absent: it says
    /// nothing about what there is.
    pub fn apply(&self, value: Value, asked: Surroundings<'_>, is_stand_in: bool) -> Result<Value, Absent> {
        let (items, around) = taken_apart(value)?;
        // What stands in was never searched.
        let found = self.search.as_ref().filter(|_| !is_stand_in).map(|search| search.found(&items, asked.slots));
        let mut items = match &found {
            Some(found) => Items::Picked(found.items(&items)),
            None => Items::Shared(items),
        };
        if let Some(filter) = &self.filter {
            items = Items::Picked(filter.kept(items.as_slice(), asked)?);
        }
        if !self.sort.is_empty() {
            items = Items::Picked(sorted(items.as_slice(), &self.sort));
        }
        if let Some(field) = &self.group_by {
            items = Items::Picked(groups(items.as_slice(), field));
        }
        if let Some(limit) = self.limit {
            items.truncate(limit);
        }
        let mut pagination = None;
        if let Some(paging) = &self.paging {
            let (page, about) = paging.cut(items, around.as_ref(), asked, is_stand_in)?;
            (items, pagination) = (page, Some(about));
        }
        if self.empty_is_absent && !is_stand_in && items.as_slice().is_empty() {
            return Err(Absent::Empty);
        }
        let items = match &found {
            Some(found) => found.told(items.as_slice()),
            None => items.into_value(),
        };
        Ok(put_together(items, around.as_ref(), pagination))
    }
}

/// The list of a value, and the object around it.
fn taken_apart(value: Value) -> Result<(List, Option<Object>), Absent> {
    match value {
        Value::List(items) => Ok((items, None)),
        // Where there is nothing, there are no items.
        Value::Null => Ok((List::default(), None)),
        Value::Object(object) => match object.get("items") {
            Some(Value::List(items)) => Ok((Arc::clone(items), Some(object))),
            Some(Value::Null) => Ok((List::default(), Some(object))),
            Some(_) | None => Err(Absent::NoList),
        },
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => Err(Absent::NoList),
    }
}

/// Whether the operations find a list in this value.
pub(in super::super) fn is_list(value: &Value) -> bool {
    taken_apart(value.clone()).is_ok()
}

fn put_together(items: Value, around: Option<&Object>, pagination: Option<Value>) -> Value {
    if around.is_none() && pagination.is_none() {
        return items;
    }
    let mut object = ObjectBuilder::with_capacity(around.map_or(0, Object::len) + 2);
    for (name, value) in around.iter().flat_map(|around| around.iter()) {
        object.push(name.clone(), value.clone());
    }
    object.push("items", items);
    if let Some(pagination) = pagination {
        object.push("pagination", pagination);
    }
    object.finish().into()
}

impl Filter<Binding> {
    /// All items together may cost what a page may.
    fn kept(&self, items: &[Value], asked: Surroundings<'_>) -> Result<Vec<Value>, Absent> {
        let mut work = Work::default();
        let mut roots: Vec<&Value> = self.roots.iter().map(|root| self.value(*root, asked.slots)).collect();
        let mut kept = Vec::new();
        for item in items {
            for (value, root) in roots.iter_mut().zip(&self.roots) {
                if matches!(root, Root::Item) {
                    *value = item;
                }
            }
            let holds = self.condition.holds_within(&roots, asked.context, &mut work);
            if holds.map_err(|TooMuchWork| Absent::TooMuchWork)? {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    }

    fn value<'s>(&self, root: Root, slots: &'s [Value]) -> &'s Value {
        match root {
            Root::Item => &NULL,
            Root::Read(read) => self.reads.get(read).and_then(|read| slots.get(read.slot)).unwrap_or(&NULL),
        }
    }
}

/// The items in the order of the keys; equal ones stay in theirs.
fn sorted(items: &[Value], keys: &[Key]) -> Vec<Value> {
    let value = |item: &'_ usize, key: &Key| items.get(*item).map_or(&NULL, |item| item.at(&key.field.keys));
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|left, right| {
        let orders = keys.iter().map(|key| compare(value(left, key), value(right, key), key.descending));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    order.into_iter().filter_map(|item| items.get(item).cloned()).collect()
}

/// `{ name, items }` for each value of the field, in the order in which they appear first. Where it holds a list, the item is in
/// the group of each of its values; an item without it is in none.
fn groups(items: &[Value], field: &Field) -> Vec<Value> {
    let mut positions: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in items {
        let value = item.at(&field.keys);
        let names = value.as_list().unwrap_or(std::slice::from_ref(value));
        for name in names.iter().filter(|name| !name.is_null()) {
            let Ok(text) = scalar_text(name) else { continue };
            let next = groups.len();
            let at = *positions.entry((name.type_name(), text.into_owned())).or_insert(next);
            if at == next {
                groups.push((name.clone(), Vec::new()));
            }
            if let Some((_, members)) = groups.get_mut(at) {
                members.push(item.clone());
            }
        }
    }
    let group = |(name, members): (Value, Vec<Value>)| {
        Value::Object([("name", name), ("items", Value::list(members))].into_iter().collect())
    };
    groups.into_iter().map(group).collect()
}

impl Paging<Binding> {
    /// The page that is asked for, and what is known about it.
    fn cut(
        &self,
        items: Items,
        around: Option<&Object>,
        asked: Surroundings<'_>,
        is_stand_in: bool,
    ) -> Result<(Items, Value), Absent> {
        let page = self.page.value(asked.slots).as_i64().unwrap_or(1);
        let size = i64::try_from(self.size).unwrap_or(i64::MAX).max(1);
        let count = i64::try_from(items.as_slice().len()).unwrap_or(i64::MAX);
        let total = match &self.total {
            None => Some(count),
            Some(name) => around.and_then(|around| around.get(name)).and_then(Value::as_i64),
        };
        // Also of nothing there is a first page.
        let pages = total.map(|total| (total.max(0) / size + i64::from(total.max(0) % size > 0)).max(1));
        // Without a total, the upstream says by an empty page that there is no such page.
        let last = pages.unwrap_or(if count > 0 { i64::MAX } else { 1 });
        if (page < 1 || page > last) && !is_stand_in {
            return Err(Absent::PastTheEnd);
        }
        let has_next = pages.map_or(count >= size, |pages| page < pages);
        let url = |page: i64| (asked.url)(self.page.keys.first().map_or("", |name| name), page);
        let about: Object = [
            ("page", Value::Int(page)),
            ("size", Value::Int(size)),
            ("pages", pages.map_or(Value::Null, Value::Int)),
            ("total", total.map_or(Value::Null, Value::Int)),
            ("prev_url", (page > 1).then(|| url(page - 1)).into()),
            ("next_url", page.checked_add(1).filter(|_| has_next && page >= 1).map(url).into()),
        ]
        .into_iter()
        .collect();
        let items = if self.total.is_some() {
            items
        } else {
            let skipped = usize::try_from(page.saturating_sub(1)).unwrap_or_default().saturating_mul(self.size);
            Items::Picked(items.as_slice().iter().skip(skipped).take(self.size).cloned().collect())
        };
        Ok((items, about.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Limits;
    use crate::value::{JsonLimits, parse_json, write_json};
    use proptest::prelude::*;

    fn json(text: &str) -> Value {
        parse_json(text, JsonLimits::default()).unwrap()
    }

    fn field(path: &str) -> Field {
        let place = crate::diagnostic::Place::new(crate::diagnostic::Files::default().add("a", ""), 0..0);
        Field { keys: path.split('.').map(Arc::from).collect(), place }
    }

    fn listing() -> Listing<Binding> {
        Listing {
            search: None,
            filter: None,
            sort: Vec::new(),
            group_by: None,
            limit: None,
            paging: None,
            empty_is_absent: false,
        }
    }

    fn paging(size: usize) -> Paging<Binding> {
        let page = Binding { slot: 0, keys: ["page".into()].into(), from_request: true, is_rest: false };
        Paging { page, size, total: None }
    }

    fn applied(listing: &Listing<Binding>, value: &Value, page: Option<i64>) -> Result<Value, Absent> {
        let slots = [Value::Object([("page", page.map_or(Value::Null, Value::Int))].into_iter().collect())];
        let (limits, time_zone) = (Limits::default(), jiff::tz::TimeZone::UTC);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let context = Context { limits: &limits, now, time_zone: &time_zone, site: crate::render::Site::default() };
        let url = |name: &str, page: i64| format!("/?{name}={page}");
        listing.apply(value.clone(), Surroundings { slots: &slots, context: &context, url: &url }, false)
    }

    fn text(value: &Value) -> String {
        let mut out = String::new();
        write_json(value, &mut out);
        out
    }

    #[test]
    fn lists_are_found_in_what_a_source_gives() {
        let two = Listing { limit: Some(2), ..listing() };
        for (value, expected) in [
            ("[1,2,3]", Ok("[1,2]")),
            ("[1]", Ok("[1]")),
            ("null", Ok("[]")),
            (r#"{"a":1,"items":[1,2,3],"b":2}"#, Ok(r#"{"a":1,"items":[1,2],"b":2}"#)),
            (r#"{"items":null}"#, Ok(r#"{"items":[]}"#)),
            (r#"{"items":7}"#, Err(Absent::NoList)),
            (r#"{"data":[]}"#, Err(Absent::NoList)),
            ("7", Err(Absent::NoList)),
        ] {
            let applied = applied(&two, &json(value), None).map(|value| text(&value));
            assert_eq!(applied.as_deref().map_err(|absent| *absent), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_touched_is_shared() {
        let value = json("[1,2,3]");
        let Ok(Value::List(items)) = applied(&Listing { limit: Some(9), ..listing() }, &value, None) else {
            panic!("no list")
        };
        assert!(matches!(&value, Value::List(original) if Arc::ptr_eq(original, &items)));
    }

    #[test]
    fn names_of_groups_keep_their_types_apart() {
        let grouped = Listing { group_by: Some(field("a.b")), ..listing() };
        let value = json(r#"[{"a":{"b":1}},{"a":{"b":"1"}},{"a":{"b":null}},{"a":{}},{"a":{"b":[1,true,{}]}}]"#);
        let groups = applied(&grouped, &value, None).unwrap();
        let sizes: Vec<_> = groups
            .as_list()
            .unwrap()
            .iter()
            .map(|group| (text(group.get("name").unwrap()), group.get("items").and_then(Value::as_list).unwrap().len()))
            .collect();
        assert_eq!(sizes, [("1".to_owned(), 2), ("\"1\"".to_owned(), 1), ("true".to_owned(), 1)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn pages_together_are_the_list(length in 0..30_usize, size in 1..9_usize) {
            let paged = Listing { paging: Some(paging(size)), ..listing() };
            let value = Value::list((0..length).map(Value::from).collect());
            let (mut all, mut page) = (Vec::new(), 1);
            while let Ok(part) = applied(&paged, &value, Some(page)) {
                let items = part.get("items").and_then(Value::as_list).unwrap().to_vec();
                let about = part.get("pagination").unwrap();
                all.extend(items);
                prop_assert_eq!(about.get("prev_url").unwrap().is_null(), page == 1);
                let is_last = about.get("pages") == Some(&Value::Int(page));
                prop_assert_eq!(about.get("next_url").unwrap().is_null(), is_last);
                prop_assert!(page == 1 || !all.is_empty());
                page += 1;
            }
            prop_assert_eq!(Value::list(all), value);
            prop_assert_eq!(page, i64::try_from(length.div_ceil(size).max(1)).unwrap() + 1);
        }

        #[test]
        fn sorting_is_stable_and_loses_nothing(keys in prop::collection::vec(prop::option::of(0..4_i64), 0..40), descending: bool) {
            let item = |(at, key): (usize, &Option<i64>)| {
                let key = key.map_or(Value::Null, Value::Int);
                Value::Object([("k", key), ("at", Value::from(at))].into_iter().collect())
            };
            let value = Value::list(keys.iter().enumerate().map(item).collect());
            let by_key = Listing { sort: vec![Key { field: field("k"), descending }], ..listing() };
            let sorted = applied(&by_key, &value, None).unwrap();
            let mut expected: Vec<(usize, Option<i64>)> = keys.into_iter().enumerate().collect();
            expected.sort_by_key(|(at, key)| (key.map_or(i64::MAX, |key| if descending { -key } else { key }), *at));
            let got: Vec<_> = sorted.as_list().unwrap().iter().map(|item| {
                (usize::try_from(item.get("at").and_then(Value::as_i64).unwrap()).unwrap(), item.get("k").and_then(Value::as_i64))
            }).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
