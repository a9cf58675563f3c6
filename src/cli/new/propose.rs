//! What a source may take of an answer like this one: names, selectors, types, and what must be there. Pure: a value goes in, text comes out.
//!
//! It proposes and does not promise: an answer is one example. What every item of a list has is required, what only some have has a
//! default; of the rest nothing is known but that it was there.

use crate::extract::{Format, Type};
use crate::value::{Object, Text, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The most fields of a source, and of the items of a list.
const MOST: usize = 24;
/// How deep members of members are looked at.
const DEEPEST: usize = 3;
/// The items of a list that are looked at.
const ITEMS: usize = 200;

/// What is proposed of an answer: the lines of a `[sources.NAME]` table.
pub(super) fn extraction(answer: &Value, format: Format) -> String {
    let root = Place::root(format);
    if answer.as_object().is_some() {
        let mut fields = Fields::default();
        fields.of_object(answer, &root);
        return fields.lines();
    }
    match objects(answer) {
        Some(items) => format!("extract = {}\n", list(&root, items)),
        None => "extract = \"$\"\n".to_owned(),
    }
}

/// The items of a list that holds objects.
fn objects(value: &Value) -> Option<&[Value]> {
    value.as_list().filter(|items| items.iter().any(|item| item.as_object().is_some()))
}

/// Where a value stands: its selector, and the words of its name.
#[derive(Debug, Clone)]
struct Place {
    selector: String,
    words: Vec<String>,
    format: Format,
}

impl Place {
    fn root(format: Format) -> Self {
        Self { selector: "$".to_owned(), words: Vec::new(), format }
    }

    fn member(&self, name: &str) -> Self {
        let mut words = self.words.clone();
        words.push(snake(name));
        Self { selector: format!("{}{}", self.selector, step(name)), words, format: self.format }
    }

    /// The first item of a list: in XML what is there once is a list, too.
    fn first(self) -> Self {
        Self { selector: format!("{}[0]", self.selector), ..self }
    }

    fn is_xml(&self) -> bool {
        self.format == Format::Xml
    }

    /// Whether everything is text, numbers among it.
    fn is_all_text(&self) -> bool {
        matches!(self.format, Format::Xml | Format::Csv)
    }
}

/// The fields found so far.
#[derive(Debug, Default)]
struct Fields {
    /// Names, and what is written for them.
    found: Vec<(String, String)>,
    names: BTreeSet<String>,
    /// The names of those that were too many.
    beyond: Vec<String>,
}

impl Fields {
    fn of_object(&mut self, object: &Value, place: &Place) {
        for (name, value) in object.as_object().into_iter().flat_map(Object::iter) {
            let mut place = place.member(name);
            let mut value = value;
            if let (true, Some([only])) = (place.is_xml(), value.as_list()) {
                (place, value) = (place.first(), only);
            }
            if value.as_object().is_some() && place.words.len() < DEEPEST {
                self.of_object(value, &place);
            } else if let Some(items) = objects(value) {
                self.push(&place, list(&place, items));
            } else {
                let is_key = place.words.len() == 1 && is_key(&place.words[0]);
                let need = if is_key { Need::Required } else { Need::None };
                self.push(&place, field(&place.selector, kind(&[value], place.is_all_text()), need));
            }
        }
    }

    fn push(&mut self, place: &Place, written: String) {
        let name = self.unique(&place.words.join("_"));
        if self.found.len() == MOST {
            return self.beyond.push(name);
        }
        self.names.insert(name.clone());
        self.found.push((name, written));
    }

    fn unique(&self, name: &str) -> String {
        let name = if LIQUID.contains(&name) { format!("{name}_value") } else { name.to_owned() };
        let others = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone()).chain(others).find(|name| !self.names.contains(name)).unwrap_or(name)
    }

    /// A line for each.
    fn lines(&self) -> String {
        let mut text = String::new();
        for (name, written) in &self.found {
            writeln!(text, "extract.{name} = {written}").unwrap_or_default();
        }
        if self.found.is_empty() {
            text.push_str("extract = \"$\"\n");
        }
        if !self.beyond.is_empty() {
            writeln!(text, "# not taken: {}", self.beyond.join(", ")).unwrap_or_default();
        }
        text
    }
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing is known.
    None,
    /// It always was.
    Required,
    /// It was not always.
    Default,
}

/// A list of objects: `{ each, fields }`.
fn list(place: &Place, items: &[Value]) -> String {
    let items: Vec<&Value> = items.iter().filter(|item| matches!(item, Value::Object(_))).take(ITEMS).collect();
    let mut fields = Fields::default();
    for (place, values) in members(&items, &Place::root(place.format)) {
        let is_everywhere = values.len() == items.len() && items.len() > 1;
        let kind = kind(&values, place.is_all_text());
        let need = match kind {
            _ if is_everywhere => Need::Required,
            _ if items.len() > 1 => Need::Default,
            _ => Need::None,
        };
        fields.push(&place, field(&place.selector, kind, need));
    }
    let written: Vec<String> = fields.found.iter().map(|(name, written)| format!("{name} = {written}")).collect();
    format!("{{ each = {}, fields = {{ {} }} }}", quoted(&format!("{}[*]", place.selector)), written.join(", "))
}

/// The members of several objects, in the order of their first appearance, with what they are in those objects that have them.
fn members<'v>(objects: &[&'v Value], place: &Place) -> Vec<(Place, Vec<&'v Value>)> {
    let mut names: Vec<&Text> = Vec::new();
    for object in objects {
        for (name, _) in object.as_object().into_iter().flat_map(Object::iter) {
            if !names.iter().any(|known| known.as_str() == name.as_str()) {
                names.push(name);
            }
        }
    }
    let mut all = Vec::new();
    for name in names {
        let mut place = place.member(name);
        let mut values: Vec<&Value> = objects.iter().filter_map(|object| object.get(name)).collect();
        // An empty cell is missing.
        values.retain(|value| !(value.is_null() || place.is_all_text() && value.as_str() == Some("")));
        let only = |value: &&'v Value| value.as_list().filter(|items| items.len() == 1).and_then(<[Value]>::first);
        if place.is_xml() && !values.is_empty() && values.iter().all(|value| only(value).is_some()) {
            values = values.iter().filter_map(only).collect();
            place = place.first();
        }
        let are_objects = !values.is_empty() && values.iter().all(|value| matches!(value, Value::Object(_)));
        if are_objects && place.words.len() < DEEPEST {
            all.extend(members(&values, &place));
        } else {
            all.push((place, values));
        }
    }
    all
}

/// The type that all of these are; none if they are nothing, or this and that.
fn kind(values: &[&Value], are_texts: bool) -> Option<Type> {
    let all = |fits: fn(&Value) -> bool| !values.is_empty() && values.iter().all(|value| fits(value));
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_));
    if all(|value| matches!(value, Value::Bool(_))) {
        Some(Type::Bool)
    } else if all(|value| matches!(value, Value::Int(_) | Value::UInt(_))) {
        Some(Type::Int)
    } else if all(is_number) {
        Some(Type::Number)
    } else if are_texts && all(|value| is_number_as_text(value, Type::Int)) {
        Some(Type::Int)
    } else if are_texts && all(|value| is_number_as_text(value, Type::Number)) {
        Some(Type::Number)
    } else if all(|value| value.as_str().is_some_and(is_date)) {
        Some(Type::Date)
    } else if all(|value| value.as_str().is_some_and(is_url)) {
        Some(Type::Url)
    } else if all(|value| matches!(value, Value::Text(_))) {
        Some(Type::String)
    } else if all(|value| matches!(value, Value::List(_))) {
        Some(Type::List)
    } else if all(|value| matches!(value, Value::Object(_))) {
        Some(Type::Object)
    } else {
        None
    }
}

/// A number where everything is text. What begins with a zero is a code of somebody's.
fn is_number_as_text(value: &Value, kind: Type) -> bool {
    let is_code = value.as_str().is_some_and(|text| text.len() > 1 && text.starts_with('0') && !text.starts_with("0."));
    value.as_str().is_some() && !is_code && kind.fit(value).is_some()
}

/// A date as programs write it: those of people are text.
fn is_date(text: &str) -> bool {
    let begins = text.get(..10).is_some_and(|day| {
        day.bytes()
            .enumerate()
            .all(|(place, byte)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    });
    begins && Type::Date.fit(&Value::from(text.to_owned())).is_some()
}

fn is_url(text: &str) -> bool {
    let is_whole = text.starts_with("https://") || text.starts_with("http://");
    is_whole && Type::Url.fit(&Value::from(text.to_owned())).is_some()
}

/// What is written for a field.
fn field(selector: &str, kind: Option<Type>, need: Need) -> String {
    let selector = quoted(selector);
    let default = kind.and_then(|kind| match kind {
        Type::String => Some("\"\""),
        Type::Int | Type::Number => Some("0"),
        Type::Bool => Some("false"),
        Type::List => Some("[]"),
        Type::Date | Type::Url | Type::Html | Type::Markdown | Type::Object => None,
    });
    let mut parts = vec![format!("select = {selector}")];
    // Text is what a selector gives anyway; a type would only write numbers out.
    if let Some(kind) = kind.filter(|kind| *kind != Type::String) {
        parts.push(format!("type = \"{}\"", kind.name()));
    }
    match (need, default) {
        (Need::Required, _) => parts.push("required = true".to_owned()),
        (Need::Default, Some(default)) => parts.push(format!("default = {default}")),
        (Need::Default | Need::None, _) => {}
    }
    if parts.len() == 1 { selector } else { format!("{{ {} }}", parts.join(", ")) }
}

/// Whether a member of this name says which thing it is.
fn is_key(name: &str) -> bool {
    matches!(name, "id" | "name" | "title" | "sku" | "slug" | "key" | "uuid" | "code")
}

/// One step of a selector (RFC 9535, section 2.3.1).
fn step(name: &str) -> String {
    let is_plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain {
        return format!(".{name}");
    }
    let mut quoted = String::from("['");
    for c in name.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => write!(quoted, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
            c => quoted.push(c),
        }
    }
    quoted.push_str("']");
    quoted
}

/// A string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\u{:04X}", u32::from(c)).unwrap_or_default(),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A name as authors write names: `fullName` is `full_name`.
pub(super) fn snake(name: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            text.push('_');
        }
        text.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        before = c;
    }
    let words: Vec<&str> = text.split('_').filter(|word| !word.is_empty()).collect();
    let name = words.join("_");
    match name.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name,
    }
}

/// Words that Liquid reads as something else.
const LIQUID: [&str; 12] =
    ["true", "false", "nil", "null", "empty", "blank", "and", "or", "not", "contains", "in", "with"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, parse_json};

    fn of(json: &str) -> String {
        extraction(&parse_json(json, JsonLimits::default()).unwrap(), Format::Json)
    }

    #[test]
    fn where_everything_is_text_numbers_are_told_by_their_digits() {
        let of = |format: Format, text: &str| {
            extraction(&format.read(text.as_bytes(), None, JsonLimits::default()).unwrap(), format)
        };
        assert_eq!(
            of(Format::Csv, "name,price,zip,note\nA,1,01234,\nB,2.5,99999,x\n"),
            "extract = { each = \"$[*]\", fields = { name = { select = \"$.name\", required = true }, \
             price = { select = \"$.price\", type = \"number\", required = true }, zip = { select = \"$.zip\", required = true }, \
             note = { select = \"$.note\", default = \"\" } } }\n"
        );
        assert_eq!(
            of(
                Format::Xml,
                "<feed id=\"7\"><title>T</title><entry><n>1</n></entry><entry><n>2</n><by><name>x</name></by></entry></feed>"
            ),
            "extract.feed_id = { select = \"$.feed['@id']\", type = \"int\" }\n\
             extract.feed_title = \"$.feed.title[0]\"\n\
             extract.feed_entry = { each = \"$.feed.entry[*]\", fields = { n = { select = \"$.n[0]\", type = \"int\", required = true }, \
             by_name = { select = \"$.by[0].name[0]\", default = \"\" } } }\n"
        );
    }

    #[test]
    fn an_object_is_its_members() {
        let given = of(
            r#"{"id":7,"fullName":"A","price":1.5,"ok":true,"at":"2026-01-02T03:04:05Z","home":"https://a.example/","none":null,
            "owner":{"login":"x","e-mail":"y"},"tags":["a"],"owner_login":"z","contains":1}"#,
        );
        assert_eq!(
            given,
            "extract.id = { select = \"$.id\", type = \"int\", required = true }\n\
             extract.full_name = \"$.fullName\"\n\
             extract.price = { select = \"$.price\", type = \"number\" }\n\
             extract.ok = { select = \"$.ok\", type = \"bool\" }\n\
             extract.at = { select = \"$.at\", type = \"date\" }\n\
             extract.home = { select = \"$.home\", type = \"url\" }\n\
             extract.none = \"$.none\"\n\
             extract.owner_login = \"$.owner.login\"\n\
             extract.owner_e_mail = \"$.owner['e-mail']\"\n\
             extract.tags = { select = \"$.tags\", type = \"list\" }\n\
             extract.owner_login_2 = \"$.owner_login\"\n\
             extract.contains_value = { select = \"$.contains\", type = \"int\" }\n"
        );
    }

    #[test]
    fn a_list_requires_what_all_have() {
        assert_eq!(
            of(
                r#"[{"id":1,"name":"a","note":"x"},{"id":2,"name":"b","price":2},{"id":3,"name":"c","price":2.5,"note":null}]"#
            ),
            "extract = { each = \"$[*]\", fields = { id = { select = \"$.id\", type = \"int\", required = true }, \
             name = { select = \"$.name\", required = true }, note = { select = \"$.note\", default = \"\" }, \
             price = { select = \"$.price\", type = \"number\", default = 0 } } }\n"
        );
        assert_eq!(
            of(r#"{"total":2,"items":[{"a":{"b":1}},{"a":{"b":2,"c":"z"}}]}"#),
            "extract.total = { select = \"$.total\", type = \"int\" }\n\
             extract.items = { each = \"$.items[*]\", fields = { a_b = { select = \"$.a.b\", type = \"int\", required = true }, \
             a_c = { select = \"$.a.c\", default = \"\" } } }\n"
        );
    }

    #[test]
    fn what_has_no_members_is_taken_whole_and_too_much_is_left() {
        for json in ["[1,2]", "\"a\"", "[]", "{}", "7"] {
            assert_eq!(of(json), "extract = \"$\"\n", "{json}");
        }
        let many: Vec<String> = (0..30).map(|n| format!("\"m{n:02}\":{n}")).collect();
        let given = of(&format!("{{{}}}", many.join(",")));
        assert_eq!(given.lines().count(), MOST + 1);
        assert!(given.ends_with("# not taken: m24, m25, m26, m27, m28, m29\n"), "{given}");
    }

    #[test]
    fn names_and_selectors_stay_within_their_grammars() {
        for (name, written) in [
            ("fullName", "full_name"),
            ("HTMLUrl", "htmlurl"),
            ("e-mail", "e_mail"),
            ("@id", "id"),
            ("#text", "text"),
            ("2nd", "n2nd"),
            ("…", "field"),
        ] {
            assert_eq!(snake(name), written);
        }
        assert_eq!(step("a\"b'c\\d\n"), "['a\"b\\'c\\\\d\\u000a']");
        assert_eq!(quoted("$['a\"b']"), "\"$['a\\\"b']\"");
    }
}
