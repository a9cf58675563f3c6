//! Where the keys of a declaration were written, after all that it inherits was merged into it.
//!
//! For those who ask where a setting comes from. Data of the author's own (`vars`, `json`, `value`) is not looked into.

use crate::config::{Node, Table};
use crate::diagnostic::Place;

/// Where each key was written: `deadline`, `headers.x-robots-tag`, `sources.me.timeout`.
#[derive(Debug, Default)]
pub struct Places(Box<[(Box<str>, Place)]>);

/// Tables whose keys are settings or names of declared things, and how many levels below them are.
const TABLES: [(&str, usize); 10] = [
    ("cache", 2),
    ("cookies", 1),
    ("cors", 1),
    ("csp", 1),
    ("errors", 1),
    ("headers", 1),
    ("limits", 1),
    ("params", 1),
    ("query", 1),
    ("sources", 2),
];

impl Places {
    pub(super) fn of(table: &Table) -> Self {
        let mut keys = Vec::new();
        for entry in table {
            let name = entry.key.value.as_str();
            keys.push((name.into(), entry.key.place));
            if let Some((_, levels)) = TABLES.iter().find(|(table, _)| *table == name) {
                below(name, &entry.node, *levels, &mut keys);
            }
        }
        keys.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self(keys.into())
    }

    /// Where `key` was written; `None` for what nobody wrote.
    pub fn place(&self, key: &str) -> Option<Place> {
        let at = self.0.binary_search_by(|(name, _)| (**name).cmp(key)).ok()?;
        self.0.get(at).map(|(_, place)| *place)
    }
}

fn below(name: &str, node: &Node, levels: usize, keys: &mut Vec<(Box<str>, Place)>) {
    for entry in node.as_table().filter(|_| levels > 0).into_iter().flatten() {
        let name = format!("{name}.{}", entry.key.value);
        below(&name, &entry.node, levels - 1, keys);
        keys.push((name.into(), entry.key.place));
    }
}
