//! What a source keeps of its data: fields, records, or one part as the whole.
//!
//! Extraction happens before anything is stored, so what it drops costs nothing afterwards: not even the body's buffer, when
//! little of it is kept (see [`pack`](super::pack)).

use super::kind::Type;
use super::pack::pack;
use super::projection::{Declared, Projection, Reading, Slot};
use super::select::{Budget, Selector, TooMuchWork};
use crate::value::{JsonError, JsonLimits, Object, Shape, Text, Value, parse_json, read_json};
use std::fmt;
use std::sync::Arc;

/// What is kept of a document, and how to read just that.
#[derive(Debug)]
pub struct Extraction {
    kept: Kept,
    projection: Option<Projection>,
}

/// What is kept of a document.
#[derive(Debug)]
pub enum Kept {
    /// What one selector selects is the source's value: `extract = "$.data"`.
    Whole(Selector),
    /// An object with exactly these fields, in this order: `extract.title = "$.full_name"`.
    Fields(Fields),
    /// A list of records: `extract = { each = "$.data[*]", fields = { … } }`.
    Each(Each),
}

/// Named fields, in the order they were declared. Every record made of them shares their names.
#[derive(Debug)]
pub struct Fields {
    shape: Arc<Shape>,
    /// As many as there are names.
    fields: Box<[Field]>,
}

/// One field.
#[derive(Debug)]
pub enum Field {
    /// Its value is selected.
    Select(Select),
    /// Its value is a list of records.
    Each(Each),
}

/// A field whose value is selected.
#[derive(Debug)]
pub struct Select {
    /// Tried in order; the first that selects something fitting gives the value.
    pub selectors: Vec<Selector>,
    /// What the value must be. A query that may select several nodes gives a list of them, each of this type, except that
    /// [`Type::List`] is that list itself.
    pub kind: Option<Type>,
    /// The value when nothing fits.
    pub default: Option<Value>,
    /// What it means when nothing fits and there is no default.
    pub presence: Presence,
    /// Whether a query that may select several nodes gives only the first that fits.
    pub take_first: bool,
}

/// A list with a record for every node that `each` selects; `$` in its fields is that node.
#[derive(Debug)]
pub struct Each {
    /// The nodes.
    pub each: Selector,
    /// The fields of a record.
    pub fields: Fields,
    /// What it means when `each` selects nothing.
    pub presence: Presence,
}

/// What it means that a field is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// Nothing: it is `null`, or an empty list.
    #[default]
    Optional,
    /// The data is not what the source promises: `required = true`.
    Required,
    /// What the page is about does not exist: `required = "not-found"`.
    NotFound,
}

/// A required field that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is missing")]
pub struct Missing {
    /// The field's name; `items[3].id` for a field of a record.
    pub field: String,
    /// How it was declared; never [`Presence::Optional`].
    pub presence: Presence,
}

/// Why a document gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// A required field is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The selectors together looked at too many nodes.
    #[error(transparent)]
    TooMuchWork(#[from] TooMuchWork),
}

impl Extraction {
    /// Keeps that.
    #[must_use]
    pub fn new(kept: Kept) -> Self {
        let projection = match &kept {
            Kept::Whole(selector) => Projection::of_whole(selector),
            Kept::Fields(fields) => Projection::of_fields(fields),
            Kept::Each(each) => Projection::of_each(each),
        };
        Self { kept, projection }
    }

    /// What is kept.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether what it keeps may be markup: HTML or Markdown, cleaned.
    pub fn makes_markup(&self) -> bool {
        match &self.kept {
            Kept::Whole(_) => false,
            Kept::Fields(fields) => fields.make_markup(),
            Kept::Each(each) => each.fields.make_markup(),
        }
    }

    /// Whether [`read_json`](Self::read_json) follows the selectors while it reads.
    #[cfg(test)]
    pub(super) fn is_followed(&self) -> bool {
        self.projection.is_some()
    }

    /// What is kept of `document`, which came as a body of `body_bytes` bytes; 0 if it came as no body, and nothing is won by
    /// letting go of it.
    pub fn apply(&self, document: &Value, body_bytes: usize) -> Result<Value, ExtractError> {
        let budget = Budget::default();
        let kept = match &self.kept {
            Kept::Whole(selector) => whole(selector, document, &budget)?,
            Kept::Fields(fields) => fields.record(document, &budget, &Path::Root)?,
            Kept::Each(each) => each.list(document, &budget, &Path::Root)?,
        };
        Ok(pack(kept, body_bytes))
    }

    /// What is kept of the document that `text` is: as [`parse_json`] and [`apply`](Self::apply) would give it, but where the
    /// selectors allow, what they do not lead to is read past.
    pub fn read_json(&self, text: &str, limits: JsonLimits) -> Result<Result<Value, ExtractError>, JsonError> {
        let Some(projection) = &self.projection else {
            return Ok(self.apply(&parse_json(text, limits)?, text.len()));
        };
        let declared = match &self.kept {
            Kept::Whole(_) => Declared::Whole,
            Kept::Fields(fields) => Declared::Fields(fields),
            Kept::Each(each) => Declared::Each(each),
        };
        let mut slots = read_json(text, limits, Reading { projection, declared })?;
        let mut take = Take::new(&mut slots);
        let kept = match &self.kept {
            Kept::Whole(_) => take.one(),
            Kept::Fields(fields) => fields.assemble(&mut take, &Path::Root),
            Kept::Each(each) => each.taken(take.one(), &Path::Root),
        };
        Ok(kept.map(|kept| pack(kept, text.len())))
    }
}

/// Hands out what a projection has found, selector by selector.
pub(super) struct Take<'s>(std::slice::IterMut<'s, Slot>);

impl<'s> Take<'s> {
    pub(super) fn new(slots: &'s mut [Slot]) -> Self {
        Self(slots.iter_mut())
    }

    /// What was found for the next selector; its slot is empty afterwards.
    fn one(&mut self) -> Slot {
        self.0.next().map_or(Ok(Value::Null), |slot| std::mem::replace(slot, Ok(Value::Null)))
    }
}

fn whole(selector: &Selector, document: &Value, budget: &Budget) -> Result<Value, TooMuchWork> {
    if selector.is_singular() {
        return Ok(selector.first(document, budget)?.cloned().unwrap_or_default());
    }
    Ok(Value::list(selector.all(document, budget)?.into_iter().cloned().collect()))
}

impl Fields {
    fn make_markup(&self) -> bool {
        self.fields.iter().any(|field| match field {
            Field::Select(select) => matches!(select.kind, Some(Type::Html | Type::Markdown)),
            Field::Each(each) => each.fields.make_markup(),
        })
    }

    /// These fields; `None` if two have the same name.
    #[must_use]
    pub fn new(fields: Vec<(Text, Field)>) -> Option<Self> {
        let (names, fields): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        Some(Self { shape: Shape::new(names)?, fields: fields.into() })
    }

    /// The fields without their names.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field and its name.
    pub(super) fn field(&self, position: usize) -> Option<(&Text, &Field)> {
        self.shape.names().get(position).zip(self.fields.get(position))
    }

    fn record(&self, document: &Value, budget: &Budget, path: &Path<'_>) -> Result<Value, ExtractError> {
        self.each_field(path, |field, path| match field {
            Field::Select(select) => select.value(document, budget, path),
            Field::Each(each) => each.list(document, budget, path),
        })
    }

    /// A record of what a projection has found.
    pub(super) fn assemble(&self, take: &mut Take<'_>, path: &Path<'_>) -> Result<Value, ExtractError> {
        self.each_field(path, |field, path| match field {
            Field::Select(select) => select.taken(take, path),
            Field::Each(each) => each.taken(take.one(), path),
        })
    }

    fn each_field(
        &self,
        path: &Path<'_>,
        mut make: impl FnMut(&Field, &Path<'_>) -> Result<Value, ExtractError>,
    ) -> Result<Value, ExtractError> {
        let mut values: Arc<[Value]> = std::iter::repeat_n(Value::Null, self.fields.len()).collect();
        let fields = self.shape.names().iter().zip(&self.fields);
        for ((name, field), value) in fields.zip(Arc::get_mut(&mut values).into_iter().flatten()) {
            *value = make(field, &Path::Field(path, name))?;
        }
        Ok(Value::Object(Object::of(Arc::clone(&self.shape), values)))
    }
}

impl Each {
    fn list(&self, document: &Value, budget: &Budget, path: &Path<'_>) -> Result<Value, ExtractError> {
        let nodes = self.each.all(document, budget)?;
        self.records_of(nodes.into_iter(), budget, path)
    }

    /// The records of these nodes.
    pub(super) fn records<'d>(
        &self,
        nodes: impl ExactSizeIterator<Item = &'d Value>,
        path: &Path<'_>,
    ) -> Result<Value, ExtractError> {
        self.records_of(nodes, &Budget::default(), path)
    }

    fn records_of<'d>(
        &self,
        nodes: impl ExactSizeIterator<Item = &'d Value>,
        budget: &Budget,
        path: &Path<'_>,
    ) -> Result<Value, ExtractError> {
        if nodes.len() == 0 {
            self.presence.check(path)?;
        }
        let mut records = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.enumerate() {
            records.push(self.fields.record(node, budget, &Path::Record(path, index))?);
        }
        Ok(Value::list(records))
    }

    /// The records that a projection has made.
    fn taken(&self, found: Slot, path: &Path<'_>) -> Result<Value, ExtractError> {
        let found = found?;
        if found.as_list().is_some_and(|records| !records.is_empty()) {
            return Ok(found);
        }
        self.presence.check(path)?;
        Ok(Value::list(Vec::new()))
    }
}

impl Select {
    fn value(&self, document: &Value, budget: &Budget, path: &Path<'_>) -> Result<Value, ExtractError> {
        for selector in &self.selectors {
            if let Some(value) = self.selected(selector, document, budget)? {
                return Ok(value);
            }
        }
        self.missing(path)
    }

    /// The value, from what a projection has found for each selector.
    fn taken(&self, take: &mut Take<'_>, path: &Path<'_>) -> Result<Value, ExtractError> {
        let mut taken = None;
        for _ in &self.selectors {
            let found = take.one()?;
            taken = taken.or_else(|| match self.kind {
                Some(kind) => kind.fit(&found),
                None => Some(found).filter(|found| !found.is_null()),
            });
        }
        taken.map_or_else(|| self.missing(path), Ok)
    }

    fn missing(&self, path: &Path<'_>) -> Result<Value, ExtractError> {
        if let Some(default) = &self.default {
            return Ok(default.clone());
        }
        self.presence.check(path)?;
        Ok(if self.is_list() { Value::list(Vec::new()) } else { Value::Null })
    }

    /// Whether the field is a list because its query may select several nodes.
    #[must_use]
    pub fn is_list(&self) -> bool {
        !self.take_first && self.selectors.iter().any(|selector| !selector.is_singular())
    }

    fn selected(&self, selector: &Selector, document: &Value, budget: &Budget) -> Result<Option<Value>, TooMuchWork> {
        if selector.is_singular() {
            return Ok(selector.first(document, budget)?.and_then(|node| fit(self.kind, node)));
        }
        if self.take_first {
            // Nearly always the first node fits, and the others need not be looked for.
            let first = selector.first(document, budget)?.and_then(|node| fit(self.kind, node));
            return match first {
                Some(value) => Ok(Some(value)),
                None => Ok(selector.all(document, budget)?.into_iter().find_map(|node| fit(self.kind, node))),
            };
        }
        let each = self.kind.filter(|kind| *kind != Type::List);
        let nodes = selector.all(document, budget)?;
        let items: Vec<_> = nodes.into_iter().filter_map(|node| fit(each, node)).collect();
        Ok(Some(items).filter(|items| !items.is_empty()).map(Value::list))
    }
}

fn fit(kind: Option<Type>, node: &Value) -> Option<Value> {
    match kind {
        Some(kind) => kind.fit(node),
        None => Some(node).filter(|node| !node.is_null()).cloned(),
    }
}

impl Presence {
    fn check(self, path: &Path<'_>) -> Result<(), Missing> {
        match self {
            Self::Optional => Ok(()),
            Self::Required | Self::NotFound => Err(Missing { field: path.to_string(), presence: self }),
        }
    }
}

/// Which field, written only when it is missing.
pub(super) enum Path<'p> {
    Root,
    Field(&'p Self, &'p str),
    Record(&'p Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => formatter.write_str(name),
            Self::Field(parent, name) => write!(formatter, "{parent}.{name}"),
            Self::Record(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::write_json;

    fn json(text: &str) -> Value {
        parse_json(text, JsonLimits::default()).unwrap()
    }

    fn selectors(texts: &[&str]) -> Vec<Selector> {
        texts.iter().map(|text| Selector::compile(text).unwrap()).collect()
    }

    fn field(texts: &[&str], kind: Option<Type>) -> Select {
        let presence = Presence::Optional;
        Select { selectors: selectors(texts), kind, default: None, presence, take_first: false }
    }

    fn fields(named: Vec<(Text, Field)>) -> Fields {
        Fields::new(named).unwrap()
    }

    fn extracted(field: Select, document: &str) -> Result<String, ExtractError> {
        let extraction = Extraction::new(Kept::Fields(fields(vec![("x".into(), Field::Select(field))])));
        let value = extraction.apply(&json(document), 0)?;
        let mut out = String::new();
        write_json(value.get("x").unwrap(), &mut out);
        Ok(out)
    }

    #[test]
    fn one_field_gives() {
        let document = r#"{"a":null,"b":"12","c":[{"n":1},{"n":"2"},{"n":null},{"n":"x"}],"d":{"e":1}}"#;
        let first = |texts: &[&str], kind| Select { take_first: true, ..field(texts, kind) };
        let or_zero = |texts: &[&str], kind| Select { default: Some(Value::Int(0)), ..field(texts, kind) };
        for (field, expected) in [
            (field(&["$.b"], None), "\"12\""),
            (field(&["$.b"], Some(Type::Int)), "12"),
            (field(&["$.a"], None), "null"),
            (field(&["$.z"], None), "null"),
            (field(&["$.a", "$.z", "$.b"], None), "\"12\""),
            (field(&["$.d", "$.b"], Some(Type::Int)), "12"),
            (or_zero(&["$.d"], Some(Type::Int)), "0"),
            (or_zero(&["$.a"], None), "0"),
            (or_zero(&["$.z[*]"], None), "0"),
            (field(&["$.c[*].n"], None), "[1,\"2\",\"x\"]"),
            (field(&["$.c[*].n"], Some(Type::Int)), "[1,2]"),
            (field(&["$.z[*]"], None), "[]"),
            (field(&["$.z[*]", "$.c[0]['n']"], None), "1"),
            (first(&["$.c[*].n"], Some(Type::String)), "\"1\""),
            (first(&["$.c[2:].n"], None), "\"x\""),
            (first(&["$.z[*]"], None), "null"),
            (field(&["$.d"], Some(Type::Object)), "{\"e\":1}"),
            (field(&["$.c[*].n"], Some(Type::List)), "[1,\"2\",\"x\"]"),
        ] {
            let told = format!("{field:?}");
            assert_eq!(extracted(field, document).unwrap(), expected, "{told}");
        }
    }

    #[test]
    fn a_required_field_that_is_missing_is_told_by_its_way() {
        for (presence, document) in [
            (Presence::Required, "{}"),
            (Presence::NotFound, "{\"a\":null}"),
            (Presence::Required, "{\"a\":\"x\"}"),
            (Presence::Required, "{\"a\":{}}"),
        ] {
            let field = Select { presence, ..field(&["$.a"], Some(Type::Int)) };
            let missing = Missing { field: "x".into(), presence };
            assert_eq!(extracted(field, document), Err(ExtractError::Missing(missing)), "{document}");
        }
        let id = Select { presence: Presence::Required, ..field(&["$.id"], None) };
        let records = Each {
            each: Selector::compile("$.data[*]").unwrap(),
            fields: fields(vec![("id".into(), Field::Select(id))]),
            presence: Presence::Optional,
        };
        let extraction = Extraction::new(Kept::Fields(fields(vec![("items".into(), Field::Each(records))])));
        let error = extraction.apply(&json(r#"{"data":[{"id":1},{}]}"#), 0).unwrap_err();
        assert_eq!(error.to_string(), "`items[1].id` is missing");
        let default = Select { default: Some(Value::from("d")), presence: Presence::Required, ..field(&["$.a"], None) };
        assert_eq!(extracted(default, "{}").unwrap(), "\"d\"");
    }

    #[test]
    fn records_have_exactly_their_fields_in_their_order() {
        let fields = fields(vec![
            ("name".into(), Field::Select(field(&["$.n"], None))),
            ("id".into(), Field::Select(field(&["$.id"], Some(Type::Int)))),
        ]);
        let records = Each { each: Selector::compile("$.data[*]").unwrap(), fields, presence: Presence::Optional };
        let value = Extraction::new(Kept::Each(records))
            .apply(&json(r#"{"data":[{"id":"1","n":"a","z":0},{"id":2}]}"#), 0)
            .unwrap();
        let mut out = String::new();
        write_json(&value, &mut out);
        assert_eq!(out, r#"[{"name":"a","id":1},{"name":null,"id":2}]"#);
    }

    #[test]
    fn a_part_can_be_the_whole() {
        let document = json(r#"{"data":{"a":[1,2]}}"#);
        for (selector, expected) in
            [("$.data", r#"{"a":[1,2]}"#), ("$.data.a[*]", "[1,2]"), ("$.none", "null"), ("$.none[*]", "[]")]
        {
            let value = Extraction::new(Kept::Whole(Selector::compile(selector).unwrap())).apply(&document, 0).unwrap();
            assert_eq!(value, json(expected), "{selector}");
        }
    }

    #[test]
    fn all_fields_share_one_budget() {
        let document = json(&format!("[{}]", vec!["1"; 100_000].join(",")));
        let fields = (0..30).map(|n| (format!("f{n}").into(), Field::Select(field(&["$..*"], None)))).collect();
        let error = Extraction::new(Kept::Fields(Fields::new(fields).unwrap())).apply(&document, 0).unwrap_err();
        assert_eq!(error, ExtractError::TooMuchWork(TooMuchWork));
    }
}
