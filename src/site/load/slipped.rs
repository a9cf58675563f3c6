//! Keys of the file that stand in a free table, where they say nothing: a header was written above them.
//!
//! Tables whose members have a declared shape (`query`, `params`, …) refuse such a key by its type. In `vars` and `headers` any string fits,
//! so a value is looked at: it must be what the key takes at the top of a file, and nothing that authors would call so themselves.

use crate::config::{Entry, SLIPPED_KEY, Table, parse_duration};
use crate::diagnostic::{Files, Finding, Findings};

/// Warns of keys below `[vars]` and `[headers]` that belong above the header.
pub(super) fn warn(file: &Table, files: &Files, findings: &mut Findings) {
    for name in ["vars", "headers"] {
        let Some(table) = file.get(name) else { continue };
        // Braces and dotted keys say on purpose where a key belongs; only a header reaches further than was meant.
        let has_header = files.snippet(table.node.place).starts_with('[');
        for entry in table.node.as_table().into_iter().flatten().filter(|_| has_header) {
            let key = entry.key.value.as_str();
            if file.get(key).is_none() && belongs_above(name, entry) {
                findings.push(
                    Finding::new(&SLIPPED_KEY, entry.key.place, format!("`{key}` belongs to `[{name}]` here"))
                        .related(table.node.place, "because this header stands above it")
                        .help(format!("if the route's own `{key}` is meant, write it above the header")),
                );
            }
        }
    }
}

fn belongs_above(table: &str, entry: &Entry) -> bool {
    let Some(text) = entry.node.as_text() else { return false };
    let text = text.content.as_str();
    match entry.key.value.as_str() {
        "layout" => text.contains('.') && !text.contains(' '),
        "path" | "redirect" => text.starts_with('/'),
        "content" => std::path::Path::new(text).extension().is_some_and(|extension| extension == "md"),
        "deadline" => parse_duration(text).is_ok(),
        // No header field is called so; data of the author's own often is.
        "title" | "description" => table == "headers",
        _ => false,
    }
}
