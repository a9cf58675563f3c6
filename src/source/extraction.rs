//! The `extract` key: nodes to an [`Extraction`], and what it makes known of the source's value.

use super::code;
use super::known::Known;
use crate::config::{
    Declared, Described, Entry, Key, Kind, Named, Node, OneOrMany, Schema, Table, TableSchema, Text, declare,
    unknown_key, wrong_type,
};
use crate::diagnostic::{Finding, Findings, Spanned, did_you_mean};
use crate::extract::{Each, ExtractError, Extraction, Field, Fields, Kept, Presence, Select, Selector, Type};
use crate::value::Value;

declare! {
    /// One extracted field.
    pub(super) struct FieldDecl {
        /// The selector (RFC 9535), or several of which the first that matches is taken.
        "select": select: Node as OneOrMany<Query>,
        /// What the value must be; a misfit counts as missing.
        "type": kind: Spanned<String> as TypeName,
        /// The value when the selector finds nothing, or nothing that fits `type`.
        "default": default: Spanned<Node>,
        /// `true`: without it the source has failed. `"not-found"`: without it the thing does not exist.
        "required": required: Spanned<Node> as Required,
        /// `"first"`: of several nodes only the first that fits.
        "take": take: Spanned<String> as Take,
        /// The nodes of which each becomes a record.
        "each": each: Node as Query,
        /// The fields of a record; `$` is the record's node.
        "fields": fields: Table as Named<OneField>,
    }
}

/// What may be written for `extract`: a selector, a list of records, or fields by name.
pub struct Extract;

impl Described for Extract {
    fn schema() -> Schema {
        Schema::Either(vec![Query::schema(), records(), Named::<OneField>::schema()])
    }
}

/// What may be written for a field.
struct OneField;

impl Described for OneField {
    fn schema() -> Schema {
        Schema::Either(vec![Query::schema(), selected(), records()])
    }
}

/// `{ select, type, … }`.
fn selected() -> Schema {
    let docs = "One extracted field: what is selected, what it must be, and what stands for it when it is missing.";
    let keys = || keys_of(&["select", "type", "default", "required", "take"]);
    Schema::Table(TableSchema {
        id: concat!(module_path!(), "::Select"),
        docs,
        keys,
        required: &["select"],
        exclusive: &[],
        open: false,
    })
}

/// `{ each, fields }`.
fn records() -> Schema {
    let docs = "A list of records: one for each node, with the same fields.";
    let keys = || keys_of(&["each", "fields", "required"]);
    Schema::Table(TableSchema {
        id: concat!(module_path!(), "::Each"),
        docs,
        keys,
        required: &["each", "fields"],
        exclusive: &[],
        open: false,
    })
}

fn keys_of(names: &[&str]) -> Vec<Key> {
    <FieldDecl as Declared>::keys().into_iter().filter(|key| names.contains(&key.name)).collect()
}

/// A selector.
#[derive(Debug)]
pub struct Query;

impl Described for Query {
    fn schema() -> Schema {
        Schema::text("a JSONPath selector (RFC 9535) such as `\"$.data.name\"`", Some(r"^\$".to_owned()))
    }
}

/// The name of a type.
#[derive(Debug)]
pub struct TypeName;

impl Described for TypeName {
    fn schema() -> Schema {
        Schema::words(Type::names())
    }
}

/// What `required` may be.
struct Required;

impl Described for Required {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::Boolean, Schema::words([NOT_FOUND])])
    }
}

/// What `take` may be.
struct Take;

impl Described for Take {
    fn schema() -> Schema {
        Schema::words([FIRST])
    }
}

/// `required = "not-found"`.
const NOT_FOUND: &str = "not-found";
/// `take = "first"`.
const FIRST: &str = "first";

/// A compiled extraction, and the shape it gives.
pub(super) struct Extracted {
    pub extraction: Extraction,
    pub known: Known,
}

/// Compiles an `extract` key.
pub(super) fn compile(node: &Node, findings: &mut Findings) -> Option<Extracted> {
    match &node.kind {
        Kind::String(text) => {
            let selector = selector(text, findings)?;
            // Several nodes make a list, whatever they are.
            let known = if selector.is_singular() { Known::Open } else { Known::ListOf(Box::new(Known::Open)) };
            Some(Extracted { extraction: Extraction::new(Kept::Whole(selector)), known })
        }
        Kind::Table(table) if is_each(table) => {
            let decl = FieldDecl::read(table, findings);
            let (each, known) = each(&decl, node, findings)?;
            Some(Extracted { extraction: Extraction::new(Kept::Each(each)), known })
        }
        Kind::Table(table) if is_field(table) => {
            let message = "`extract` describes a field here, and does not name it";
            let help = "extract.name = { select = \"$.name\", … }, or the value as a whole: extract = \"$.name\"";
            findings.push(Finding::new(&crate::config::WRONG_TYPE, node.place, message).help(help));
            None
        }
        Kind::Table(table) => {
            let (fields, known) = compile_fields(table, findings)?;
            Some(Extracted { extraction: Extraction::new(Kept::Fields(fields)), known: Known::Record(known) })
        }
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) | Kind::Array(_) => {
            findings.push(wrong_type(node, "a selector, or a table of fields"));
            None
        }
    }
}

/// `extract = { each = "…", fields = { … } }`: as fields, the two would be a selector and a table, which no field called
/// `fields` can be unless it selects.
pub(super) fn is_each(table: &Table) -> bool {
    let fields = table.node("fields").and_then(Node::as_table);
    table.node("each").is_some_and(|each| each.as_text().is_some())
        && fields.is_some_and(|fields| fields.get("select").is_none())
}

/// Whether a table is what is written for one field: `select` is a selector, and the others are what no field of such a name can be.
fn is_field(table: &Table) -> bool {
    let is_selector = |node: &Node| node.as_text().is_some_and(|text| text.content.starts_with('$'));
    let is_own = |entry: &Entry| match entry.key.value.as_str() {
        "type" | "take" => entry.node.as_text().is_some() && !is_selector(&entry.node),
        "default" | "required" => !is_selector(&entry.node) && entry.node.as_table().is_none(),
        _ => false,
    };
    let selects = table.node("select").is_some_and(|node| is_selector(node) || matches!(node.kind, Kind::Array(_)));
    selects && table.into_iter().any(is_own)
}

/// The fields that a source declares one by one, for pages alone; nothing if it takes its value as a whole, or a list of records, or if
/// more is done to them.
pub fn fields(decl: &super::Decl) -> Option<&Table> {
    let table = decl.extract.as_ref().and_then(Node::as_table).filter(|table| !is_each(table));
    table.filter(|_| decl.listing.is_empty())
}

fn compile_fields(table: &Table, findings: &mut Findings) -> Option<(Fields, Vec<(String, Known)>)> {
    let mut fields = Vec::new();
    let mut known = Vec::new();
    let mut sound = true;
    for entry in table {
        if entry.node.is_false() {
            continue;
        }
        match field(&entry.node, findings) {
            Some((field, shape)) => {
                fields.push((entry.key.value.as_str().into(), field));
                known.push((entry.key.value.clone(), shape));
            }
            None => sound = false,
        }
    }
    // A TOML table has each key once.
    Some((Fields::new(fields).filter(|_| sound)?, known))
}

fn field(node: &Node, findings: &mut Findings) -> Option<(Field, Known)> {
    match &node.kind {
        Kind::String(text) => {
            let selectors = vec![selector(text, findings)?];
            let select =
                Select { selectors, kind: None, default: None, presence: Presence::Optional, take_first: false };
            let known = shape_of(&select);
            Some((Field::Select(select), known))
        }
        Kind::Table(table) => {
            let decl = FieldDecl::read(table, findings);
            if decl.each.is_some() {
                let (each, known) = each(&decl, node, findings)?;
                return Some((Field::Each(each), known));
            }
            select(&decl, node, findings)
        }
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) | Kind::Array(_) => {
            findings.push(wrong_type(node, "a selector, `{ select, … }` or `{ each, fields }`"));
            None
        }
    }
}

fn select(decl: &FieldDecl, node: &Node, findings: &mut Findings) -> Option<(Field, Known)> {
    let FieldDecl { place: _, lost: _, select, kind, default, required, take, each: _, fields } = decl;
    if fields.is_some() {
        let message = "`fields` without `each`";
        findings.push(
            Finding::new(&code::BAD_EXTRACTION, node.place, message)
                .help("each = \"$.items[*]\" says what the fields are taken from"),
        );
    }
    let Some(select) = select else {
        findings.push(
            Finding::new(&code::BAD_EXTRACTION, node.place, "a field that selects nothing").help("select = \"$.name\""),
        );
        return None;
    };
    let texts: Vec<&Text> = match &select.kind {
        Kind::Array(items) => items.iter().filter_map(Node::as_text).collect(),
        Kind::String(text) => vec![text],
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) | Kind::Table(_) => Vec::new(),
    };
    if texts.is_empty() {
        findings.push(wrong_type(select, "a selector or an array of selectors"));
        return None;
    }
    let selectors: Vec<Option<Selector>> = texts.into_iter().map(|text| selector(text, findings)).collect();
    let kind = kind.as_ref().and_then(|name| type_named(name, findings));
    let default = default.as_ref().map(|default| {
        crate::config::refuse_placeholders(&default.value, "a default", findings);
        let value = default.value.to_value();
        if let Some(required) = required {
            findings.push(
                Finding::new(&code::BAD_EXTRACTION, required.place, "`required` beside `default`")
                    .related(default.place, "with a default it is never missing")
                    .help("keep one"),
            );
        }
        if kind.is_some_and(|kind| kind.fit(&value).is_none()) && !value.is_null() {
            let name = kind.map_or("", Type::name);
            let message = format!("the default is not of type `{name}`");
            let help = "write a default of that type, or another `type`";
            findings.push(Finding::new(&code::BAD_EXTRACTION, default.place, message).help(help));
        }
        value
    });
    let take_first = take.as_ref().is_some_and(|take| {
        if take.value != FIRST {
            let message = format!("`{}` is not something to take", take.value);
            findings.push(Finding::new(&crate::config::BAD_VALUE, take.place, message).help("take = \"first\""));
        }
        true
    });
    let selectors = selectors.into_iter().collect::<Option<Vec<_>>>()?;
    let select = Select { selectors, kind, default, presence: presence(required.as_ref(), findings), take_first };
    let known = shape_of(&select);
    Some((Field::Select(select), known))
}

fn each(decl: &FieldDecl, node: &Node, findings: &mut Findings) -> Option<(Each, Known)> {
    let FieldDecl { place: _, lost: _, select, kind, default, required, take, each, fields: record } = decl;
    let foreign = [
        ("select", select.as_ref().map(|select| select.place)),
        ("type", kind.as_ref().map(|kind| kind.place)),
        ("default", default.as_ref().map(|default| default.place)),
        ("take", take.as_ref().map(|take| take.place)),
    ];
    for (key, place) in foreign {
        if let Some(place) = place {
            findings.push(
                Finding::new(&code::BAD_EXTRACTION, place, format!("`{key}` beside `each`"))
                    .help("a list of records has `each`, `fields` and `required`"),
            );
        }
    }
    let each = each.as_ref()?;
    let Some(text) = each.as_text() else {
        findings.push(wrong_type(each, "a selector"));
        return None;
    };
    let selector = selector(text, findings);
    let Some(record) = record else {
        let message = "`each` without `fields`";
        findings.push(
            Finding::new(&code::BAD_EXTRACTION, node.place, message)
                .help("fields = { id = \"$.id\", name = \"$.name\" }"),
        );
        return None;
    };
    let (fields, known) = compile_fields(record, findings)?;
    let each = Each { each: selector?, fields, presence: presence(required.as_ref(), findings) };
    Some((each, Known::ListOf(Box::new(Known::Record(known)))))
}

fn presence(required: Option<&Spanned<Node>>, findings: &mut Findings) -> Presence {
    match required.map(|required| &required.value.kind) {
        None | Some(Kind::Bool(false)) => Presence::Optional,
        Some(Kind::Bool(true)) => Presence::Required,
        Some(Kind::String(text)) if text.content == NOT_FOUND => Presence::NotFound,
        Some(_) => {
            if let Some(required) = required {
                findings.push(wrong_type(&required.value, "`true` or `\"not-found\"`"));
            }
            Presence::Required
        }
    }
}

fn shape_of(select: &Select) -> Known {
    let one = match select.kind {
        None => Known::Open,
        Some(kind) if kind.is_open() => Known::Open,
        Some(_) => Known::Scalar,
    };
    let many = select.kind != Some(Type::List)
        && !select.take_first
        && select.selectors.iter().any(|selector| !selector.is_singular());
    if many { Known::ListOf(Box::new(one)) } else { one }
}

fn selector(text: &Text, findings: &mut Findings) -> Option<Selector> {
    match Selector::compile(&text.content) {
        Ok(selector) => Some(selector),
        Err(error) => {
            let place = text.place_of(error.range.clone());
            let finding =
                Finding::new(&code::BAD_SELECTOR, place, format!("not a JSONPath selector: {}", error.message));
            findings.push(finding.help("selectors look like this: `$.data.items[0].name`"));
            None
        }
    }
}

fn type_named(name: &Spanned<String>, findings: &mut Findings) -> Option<Type> {
    let kind = Type::from_name(&name.value);
    if kind.is_none() {
        let names: Vec<&str> = Type::names().collect();
        let help = did_you_mean(&name.value, names.iter().copied())
            .unwrap_or_else(|| format!("the types are {}", crate::config::list(&names)));
        findings
            .push(Finding::new(&code::UNKNOWN_TYPE, name.place, format!("unknown type `{}`", name.value)).help(help));
    }
    kind
}

/// A fallback has the extracted shape: pages read it with the same paths.
pub(super) fn check_fallback(known: &Known, fallback: &Spanned<Node>, findings: &mut Findings) {
    crate::config::refuse_placeholders(&fallback.value, "a fallback", findings);
    let (Known::Record(members), Some(table)) = (known, fallback.value.as_table()) else {
        if let (Known::Record(_), false) = (known, matches!(fallback.value.to_value(), Value::Null)) {
            findings.push(
                Finding::new(
                    &code::FALLBACK_SHAPE,
                    fallback.place,
                    format!("the fallback is {}", fallback.value.describe()),
                )
                .help("it needs the extracted fields: a table"),
            );
        }
        return;
    };
    for entry in table {
        if !members.iter().any(|(name, _)| *name == entry.key.value) {
            let mut finding = unknown_key(entry, members.iter().map(|(name, _)| name.as_str()));
            finding.code = &code::FALLBACK_SHAPE;
            finding.message = format!("no extraction makes the field `{}`", entry.key.value);
            findings.push(finding);
        }
    }
}

/// What an extraction that gives no value means.
pub(super) fn trouble_of_extraction(error: &ExtractError) -> super::Trouble {
    match error {
        ExtractError::Missing(missing) if missing.presence == Presence::NotFound => super::Trouble::NotFound,
        ExtractError::Missing(_) => super::Trouble::Error { late: false, reason: "required-missing" },
        ExtractError::TooMuchWork(_) => super::Trouble::Error { late: false, reason: "too-much-work" },
    }
}
