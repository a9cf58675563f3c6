//! The keys of every kind of file, table by table.

use super::{Page, cell};
use crate::config::{Schema, TableSchema, TextSchema, Word};
use crate::report::prose;
use crate::site::Declaration;
use std::fmt::Write as _;

/// A page of keys: its name, title and description; the file it is about; and the places of that file that it begins at. What another page
/// begins at is left to that one.
struct Part {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    of: Declaration,
    at: &'static [&'static str],
}

const PARTS: [Part; 8] = [
    Part {
        name: "site",
        title: "site.toml",
        description: "The site, the server, its logs, and the upstreams that sources call.",
        of: Declaration::Site,
        at: &[""],
    },
    Part {
        name: "limits",
        title: "Limits",
        description: "How much of everything is allowed, and what is allowed unless you say otherwise.",
        of: Declaration::Site,
        at: &["limits"],
    },
    Part {
        name: "routes",
        title: "Routes",
        description: "The keys of a route, of a section and of the site's defaults.",
        of: Declaration::Route,
        at: &[""],
    },
    Part {
        name: "inputs",
        title: "Inputs",
        description: "What a route reads of a request: path parameters, query values, cookies.",
        of: Declaration::Route,
        at: &["params", "query", "cookies"],
    },
    Part {
        name: "sources",
        title: "Sources and outcomes",
        description: "Where data comes from, and what becomes of a page when it does not come.",
        of: Declaration::Route,
        at: &["sources"],
    },
    Part {
        name: "extraction",
        title: "Extraction",
        description: "What is taken from an answer, field by field.",
        of: Declaration::Route,
        at: &["sources.NAME.extract"],
    },
    Part {
        name: "cache",
        title: "Cache directives",
        description: "What everybody downstream, and the server's own page store, may do with a page.",
        of: Declaration::Route,
        at: &["cache"],
    },
    Part {
        name: "front-matter",
        title: "Front matter",
        description: "What documents and layouts say about themselves.",
        of: Declaration::FrontMatter,
        at: &[""],
    },
];

/// A table of a file: where it stands, and what it holds.
struct Place {
    path: String,
    is_list: bool,
    table: TableSchema,
}

pub(super) fn pages() -> Vec<Page> {
    PARTS.iter().map(page).collect()
}

fn page(part: &Part) -> Page {
    let mut body = String::new();
    if part.of == Declaration::Route && part.at.contains(&"") {
        body.push_str(
            "The same keys may stand in a `_section.toml`, for the routes of its folder and below, and in `[defaults]` of `site.toml`, for \
             all. A route's own come last: tables merge by key, and everything else replaces what is inherited. `false` takes away what is \
             inherited, unless `true` and `false` are the values of the key.\n\n",
        );
    }
    let mut wanted = of(part.of, part);
    if part.of == Declaration::FrontMatter {
        wanted.extend(of(Declaration::Layout, part));
    }
    for place in wanted {
        section(&place, &mut body);
    }
    Page { name: part.name, title: part.title, description: part.description, body }
}

/// The tables of a file that belong on a page.
fn of(declaration: Declaration, part: &Part) -> Vec<Place> {
    let mut all = Vec::new();
    collect(&declaration.schema(), "", false, &mut all);
    // Routes have pages of their own.
    all.retain(|place| declaration != Declaration::Site || !is_below(&place.path, "defaults"));
    let is_elsewhere = |path: &str| {
        let of_others = PARTS.iter().filter(|other| other.of == part.of && other.name != part.name);
        let length = |place: &&str| if is_below(path, place) { place.len() + 1 } else { 0 };
        let others = of_others.flat_map(|other| other.at).map(length).max().unwrap_or(0);
        others > part.at.iter().map(length).max().unwrap_or(0)
    };
    all.retain(|place| !is_elsewhere(&place.path));
    for place in &mut all {
        if place.path.is_empty() {
            declaration.what().clone_into(&mut place.path);
        } else {
            place.path = if place.is_list { format!("[[{}]]", place.path) } else { format!("[{}]", place.path) };
        }
    }
    all
}

fn is_below(path: &str, place: &str) -> bool {
    place.is_empty() || path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Every table below a schema, each once, outer ones first.
fn collect(schema: &Schema, path: &str, is_list: bool, all: &mut Vec<Place>) {
    match schema {
        Schema::Table(table) => {
            if all.iter().any(|place| place.table.id == table.id) {
                return;
            }
            all.push(Place { path: path.to_owned(), is_list, table: *table });
            for key in (table.keys)() {
                let below = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
                collect(&(key.schema)(), &below, false, all);
            }
        }
        Schema::Named { item, .. } => collect(item, &format!("{path}.NAME"), false, all),
        Schema::Array(item) => collect(item, path, true, all),
        Schema::Either(options) => options.iter().for_each(|option| collect(option, path, is_list, all)),
        Schema::Any
        | Schema::Data
        | Schema::MappedData
        | Schema::Free
        | Schema::Boolean
        | Schema::Integer { .. }
        | Schema::Number
        | Schema::Text(_)
        | Schema::Words(_) => {}
    }
}

fn section(place: &Place, body: &mut String) {
    let keys = (place.table.keys)();
    let mut text =
        format!("## `{}`\n\n{}\n\n| Key | Takes | What it is |\n|---|---|---|\n", place.path, prose(place.table.docs));
    let mut words = String::new();
    for key in keys {
        let schema = (key.schema)();
        let required = if place.table.required.contains(&key.name) { " (required)" } else { "" };
        let row = format!("| `{}`{required} | {} | {} |\n", key.name, cell(&takes(&schema)), cell(&prose(key.docs)));
        text.push_str(&row);
        explain(key.name, &schema, &mut words);
    }
    writeln!(body, "{text}{words}").unwrap_or_default();
}

/// What each word means, where the words say so.
fn explain(key: &str, schema: &Schema, text: &mut String) {
    let mut explained: Vec<Word> = Vec::new();
    for word in words_of(schema).into_iter().filter(|word| !word.docs.is_empty()) {
        // One of them, or a list of them.
        if !explained.iter().any(|known| known.word == word.word) {
            explained.push(word);
        }
    }
    if explained.is_empty() {
        return;
    }
    let entries: Vec<String> =
        explained.iter().map(|word| format!("- `\"{}\"`: {}\n", word.word, cell(&prose(word.docs)))).collect();
    write!(text, "\nThe words of `{key}`:\n\n{}", entries.concat()).unwrap_or_default();
}

fn words_of(schema: &Schema) -> Vec<Word> {
    match schema {
        Schema::Words(words) => words.clone(),
        Schema::Either(options) => options.iter().flat_map(words_of).collect(),
        Schema::Array(item) | Schema::Named { item, .. } => words_of(item),
        Schema::Any
        | Schema::Data
        | Schema::MappedData
        | Schema::Free
        | Schema::Boolean
        | Schema::Integer { .. }
        | Schema::Number
        | Schema::Text(_)
        | Schema::Table(_) => Vec::new(),
    }
}

/// What may be written, in words.
fn takes(schema: &Schema) -> String {
    match schema {
        Schema::Any => "any value".to_owned(),
        Schema::Data => "any value; its strings may hold placeholders".to_owned(),
        Schema::MappedData => {
            "any value; its strings may hold placeholders, and `{ each, fields }` maps a list".to_owned()
        }
        Schema::Free => "a table of your own keys".to_owned(),
        Schema::Boolean => "`true` or `false`".to_owned(),
        Schema::Number => "a number".to_owned(),
        Schema::Integer { least: Some(least), greatest: Some(greatest) } => {
            format!("an integer from {least} to {greatest}")
        }
        Schema::Integer { least: Some(least), greatest: None } => format!("an integer from {least}"),
        Schema::Integer { least: None, .. } => "an integer".to_owned(),
        Schema::Text(TextSchema { what, .. }) => (*what).to_owned(),
        Schema::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{}\"`", word.word)).collect();
            any_of(&words)
        }
        Schema::Array(item) => format!("an array, each item {}", takes(item)),
        Schema::Named { item, .. } => format!("a table of names that you choose, each {}", takes(item)),
        Schema::Table(_) => "a table".to_owned(),
        Schema::Either(options) => {
            let mut said: Vec<String> = options.iter().map(takes).collect();
            said.dedup();
            any_of(&said)
        }
    }
}

/// `a, b or c`.
fn any_of(said: &[String]) -> String {
    match said {
        [] => String::new(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
