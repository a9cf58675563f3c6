//! Keys of the file, or of a source, that stand in a free table, where they say nothing: a header was written above them.
//!
//! Tables whose members have a declared shape (`query`, `params`, …) refuse such a key by its type. In `vars`, `json`, `headers` and their like
//! anything fits, so a value is looked at: it must be what the key takes in its own place, and nothing that authors would call so themselves.

use crate::config::{Entry, Kind, Node, SLIPPED_KEY, Table, parse_duration};
use crate::diagnostic::{Files, Finding, Findings};

/// Whether an entry of a free table is probably a key of the table above.
type Belongs = fn(&Entry) -> bool;

/// The free tables of a file, and what may have slipped into each.
const OF_FILES: [(&str, Belongs); 3] = [("vars", of_file), ("json", of_file), ("headers", of_file_in_headers)];

/// The free tables of a source.
const OF_SOURCES: [(&str, Belongs); 7] = [
    ("headers", of_source),
    ("query", of_source),
    ("form", of_source),
    ("body", of_source_in_data),
    ("variables", of_source_in_data),
    ("value", of_source_in_data),
    ("fallback", of_source_in_data),
];

/// Warns of keys below the free tables of a route or a section that belong above the header.
pub(super) fn warn(file: &Table, files: &Files, findings: &mut Findings) {
    for (name, belongs) in OF_FILES {
        look(file, name, name, belongs, "the route", files, findings);
    }
    let sources = file.node("sources").and_then(Node::as_table);
    for source in sources.into_iter().flatten() {
        let Some(table) = source.node.as_table() else { continue };
        for (name, belongs) in OF_SOURCES {
            let header = format!("sources.{}.{name}", source.key.value);
            look(table, name, &header, belongs, "the source", files, findings);
        }
    }
}

/// Looks into the free table `name` of `owner`.
fn look(
    owner: &Table,
    name: &str,
    header: &str,
    belongs: Belongs,
    whose: &str,
    files: &Files,
    findings: &mut Findings,
) {
    let Some(table) = owner.get(name) else { return };
    // Braces and dotted keys say on purpose where a key belongs; only a header reaches further than was meant.
    if !files.snippet(table.node.place).starts_with('[') {
        return;
    }
    for entry in table.node.as_table().into_iter().flatten() {
        let key = entry.key.value.as_str();
        if owner.get(key).is_none() && belongs(entry) {
            findings.push(
                Finding::new(&SLIPPED_KEY, entry.key.place, format!("`{key}` belongs to `[{header}]` here"))
                    .related(table.node.place, "because this header stands above it")
                    .help(format!("if {whose}'s own `{key}` is meant, write it above the header")),
            );
        }
    }
}

fn text_of(entry: &Entry) -> Option<&str> {
    entry.node.as_text().map(|text| text.content.as_str())
}

fn of_file(entry: &Entry) -> bool {
    let Some(text) = text_of(entry) else { return false };
    match entry.key.value.as_str() {
        "layout" => text.contains('.') && !text.contains(' '),
        "path" | "redirect" => text.starts_with('/'),
        "content" => std::path::Path::new(text).extension().is_some_and(|extension| extension == "md"),
        "deadline" => parse_duration(text).is_ok(),
        _ => false,
    }
}

/// No header field is called `title` or `description`; data of the author's own often is.
fn of_file_in_headers(entry: &Entry) -> bool {
    of_file(entry) || (text_of(entry).is_some() && matches!(entry.key.value.as_str(), "title" | "description"))
}

/// Words with a dash are no names that authors invent.
fn of_source_in_data(entry: &Entry) -> bool {
    match entry.key.value.as_str() {
        "on-error" | "on-not-found" | "on-unauthorized" => text_of(entry).is_some(),
        "forward-headers" | "forward-cookies" => matches!(entry.node.kind, Kind::Array(_)),
        "allow-private" => matches!(entry.node.kind, Kind::Bool(_)),
        _ => false,
    }
}

/// Nobody sends a duration or a `true` under these names.
fn of_source(entry: &Entry) -> bool {
    let is_own = match entry.key.value.as_str() {
        "timeout" => text_of(entry).is_some_and(|text| parse_duration(text).is_ok()),
        "optional" => matches!(entry.node.kind, Kind::Bool(true)),
        _ => false,
    };
    is_own || of_source_in_data(entry)
}
