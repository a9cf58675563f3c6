//! JSON Schema (draft 2020-12) of declarations, for editors that complete and check while an author types.
//!
//! Everything is written out where it is used, and its documentation beside each alternative: editors read neither through references nor
//! past `anyOf`. Only tables that hold themselves, and data of any depth, are references to `$defs`.

use crate::config::{Key, Schema, TableSchema, TextSchema};
use crate::site::Declaration;
use serde_json::{Map, Value, json};

/// The JSON Schema of a kind of file, as text that ends in a line break.
pub fn schema(of: Declaration) -> String {
    let mut writer = Writer::default();
    let mut root = writer.schema(&of.schema(), "");
    if let Value::Object(members) = &mut root {
        members.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        members.insert("title".to_owned(), format!("siteserver: {}", of.name()).into());
        let definitions = writer.definitions();
        if !definitions.is_empty() {
            members.insert("$defs".to_owned(), definitions.into());
        }
    }
    format!("{root:#}\n")
}

/// The text of documentation: lines of a comment, without the space that each begins with.
pub fn prose(docs: &str) -> String {
    let lines: Vec<&str> = docs.trim_end().lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

/// The name of data of any depth among the definitions.
const DATA: &str = "data";
/// The name of such data in which lists are mapped.
const MAPPED: &str = "mapped-data";

#[derive(Default)]
struct Writer {
    /// The tables that are being written, outermost first.
    open: Vec<&'static str>,
    /// Tables that hold themselves, and whether each has been written.
    recursive: Vec<(TableSchema, Option<Value>)>,
    data: bool,
    mapped: bool,
}

impl Writer {
    /// One schema, described by `docs` unless it describes itself better.
    fn schema(&mut self, schema: &Schema, docs: &str) -> Value {
        let mut members = match schema {
            Schema::Any => Map::new(),
            Schema::Data => {
                self.data = true;
                object(json!({ "anyOf": data(DATA) }))
            }
            Schema::MappedData => {
                self.mapped = true;
                object(json!({ "anyOf": mapped() }))
            }
            Schema::Free => object(json!({ "type": "object" })),
            Schema::Boolean => object(json!({ "type": "boolean" })),
            Schema::Number => object(json!({ "type": "number" })),
            Schema::Integer { least, greatest } => {
                let mut members = object(json!({ "type": "integer" }));
                members.extend(least.map(|least| ("minimum".to_owned(), least.into())));
                members.extend(greatest.map(|greatest| ("maximum".to_owned(), greatest.into())));
                members
            }
            Schema::Text(TextSchema { pattern, .. }) => {
                let mut members = object(json!({ "type": "string" }));
                members.extend(pattern.as_ref().map(|pattern| ("pattern".to_owned(), pattern.as_str().into())));
                members
            }
            Schema::Words(words) => {
                let explained: Vec<Value> = words.iter().map(|word| prose(word.docs).into()).collect();
                let words: Vec<&str> = words.iter().map(|word| word.word).collect();
                object(json!({ "enum": words, "x-taplo": { "docs": { "enumValues": explained } } }))
            }
            Schema::Array(item) => object(json!({ "type": "array", "items": self.schema(item, docs) })),
            Schema::Named { item, removable } => {
                let item = self.option(item, *removable, docs);
                object(json!({ "type": "object", "additionalProperties": item }))
            }
            Schema::Table(table) => return self.table(*table, docs),
            Schema::Either(options) => {
                let options: Vec<Value> = options.iter().map(|option| self.schema(option, docs)).collect();
                object(json!({ "anyOf": options }))
            }
        };
        describe(&mut members, docs);
        members.into()
    }

    /// A schema, or `false`, which takes away what is inherited.
    fn option(&mut self, schema: &Schema, removable: bool, docs: &str) -> Value {
        let written = self.schema(schema, docs);
        if !removable {
            return written;
        }
        let removal = json!({ "const": false, "description": "Takes away what is inherited." });
        // One list of alternatives, not one within another.
        let mut options = match written.get("anyOf").and_then(Value::as_array) {
            Some(options) => options.clone(),
            None => vec![written],
        };
        options.push(removal);
        let mut members = object(json!({ "anyOf": options }));
        describe(&mut members, docs);
        members.into()
    }

    fn table(&mut self, table: TableSchema, docs: &str) -> Value {
        if self.open.contains(&table.id) {
            if !self.recursive.iter().any(|(known, _)| known.id == table.id) {
                self.recursive.push((table, None));
            }
            return json!({ "$ref": format!("#/$defs/{}", name(table.id)) });
        }
        self.open.push(table.id);
        let keys = (table.keys)();
        let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), self.key(key))).collect();
        self.open.pop();
        let mut members = object(json!({ "type": "object", "properties": properties }));
        if !table.open {
            members.insert("additionalProperties".to_owned(), false.into());
        }
        if !table.required.is_empty() {
            members.insert("required".to_owned(), table.required.into());
        }
        if !table.exclusive.is_empty() {
            members.insert("allOf".to_owned(), apart(table.exclusive, &keys).into());
        }
        describe(&mut members, if docs.is_empty() { table.docs } else { docs });
        members.into()
    }

    fn key(&mut self, key: &Key) -> Value {
        let schema = (key.schema)();
        self.option(&schema, key.removable && !schema.takes_false(), key.docs)
    }

    /// What was referred to, written out; writing may refer to more.
    fn definitions(&mut self) -> Map<String, Value> {
        while let Some(at) = self.recursive.iter().position(|(_, written)| written.is_none()) {
            let Some((table, _)) = self.recursive.get(at) else { break };
            let written = self.table(*table, "");
            if let Some((_, place)) = self.recursive.get_mut(at) {
                *place = Some(written);
            }
        }
        let tables = self.recursive.drain(..).map(|(table, written)| (name(table.id), written.unwrap_or_default()));
        let mut definitions: Map<String, Value> = tables.collect();
        if self.data {
            definitions.insert(DATA.to_owned(), json!({ "anyOf": data(DATA) }));
        }
        if self.mapped {
            definitions.insert(MAPPED.to_owned(), json!({ "anyOf": mapped() }));
        }
        definitions
    }
}

/// The alternatives of data whose strings may hold placeholders.
fn data(name: &str) -> Value {
    let inner = json!({ "$ref": format!("#/$defs/{name}") });
    let text = <crate::config::Template as crate::config::Described>::schema();
    let text = Writer::default().schema(&text, "");
    json!([
        text,
        { "type": "number" },
        { "type": "boolean" },
        { "type": "array", "items": inner },
        { "type": "object", "additionalProperties": inner },
    ])
}

/// The alternatives of data in which lists are mapped. An object with both keys of a mapped list is one.
fn mapped() -> Value {
    let keys = ["each", "fields"];
    let mut options = data(MAPPED);
    let inner = options.clone();
    if let Some(object) = options.as_array_mut().and_then(|options| options.last_mut()).and_then(Value::as_object_mut) {
        object.insert("not".to_owned(), json!({ "required": keys }));
    }
    let list = json!({
        "type": "object",
        "description": "A list, mapped: a record for each of its items.",
        "properties": {
            "each": {
                "type": "string",
                "pattern": r"^\{[^{}]+\}$",
                "description": "The list, as a placeholder: `\"{products.items}\"`. Within another, one of its item: `\"{item.tags}\"`.",
            },
            "fields": {
                "description": "What each record is; its strings may read the item: `{ id = \"{item.id}\" }`.",
                "anyOf": inner,
            },
        },
        "required": keys,
        "additionalProperties": false,
    });
    if let Some(options) = options.as_array_mut() {
        options.insert(0, list);
    }
    options
}

/// Of `names` no two are written: a condition for each, whose complaint stands at the other key alone. One that is taken back with `false`
/// is not written.
fn apart(names: &[&str], keys: &[Key]) -> Vec<Value> {
    let is_removable = |name: &str| keys.iter().any(|key| key.name == name && key.removable);
    let refused = |name: &&str| {
        let refused = if is_removable(name) { json!({ "const": false }) } else { false.into() };
        ((*name).to_owned(), refused)
    };
    let condition = |(at, name): (usize, &&str)| {
        let others: Map<String, Value> = names.iter().skip(at + 1).map(refused).collect();
        let mut written = object(json!({ "required": [name] }));
        if is_removable(name) {
            let mut property = Map::new();
            property.insert((*name).to_owned(), json!({ "not": { "const": false } }));
            written.insert("properties".to_owned(), property.into());
        }
        json!({ "if": written, "then": { "properties": others } })
    };
    names.iter().enumerate().filter(|(at, _)| at + 1 < names.len()).map(condition).collect()
}

/// The last two words of a path, which no other table has.
fn name(id: &str) -> String {
    let words: Vec<&str> = id.rsplit("::").take(2).collect();
    words.into_iter().rev().collect::<Vec<_>>().join("-").to_lowercase()
}

fn describe(members: &mut Map<String, Value>, docs: &str) {
    if !docs.is_empty() {
        members.insert("description".to_owned(), prose(docs).into());
    }
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every reference leads somewhere, and tables that hold themselves end.
    #[test]
    fn references_lead_to_definitions() {
        for declaration in Declaration::ALL {
            let text = schema(declaration);
            let parsed: Value = serde_json::from_str(&text).unwrap();
            let referred: BTreeSet<&str> =
                text.split("\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            for name in referred {
                assert!(parsed["$defs"][name].is_object(), "{declaration:?}: {name}");
            }
        }
    }

    #[test]
    fn every_key_is_documented() {
        fn walk(value: &Value, path: &str) {
            if let Some(properties) = value["properties"].as_object() {
                for (key, property) in properties {
                    let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
                    assert!(described, "{path}.{key}");
                }
            }
            match value {
                Value::Object(members) => {
                    let written = members.iter().filter(|(key, _)| *key != "allOf");
                    written.for_each(|(key, inner)| walk(inner, &format!("{path}.{key}")));
                }
                Value::Array(items) => items.iter().for_each(|inner| walk(inner, path)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        for declaration in Declaration::ALL {
            walk(&serde_json::from_str(&schema(declaration)).unwrap(), declaration.name());
        }
    }
}
