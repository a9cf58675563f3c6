//! Merging of tables: `[defaults]`, sections, the route, `--set`.
//!
//! Tables merge by key; scalars and arrays replace. What is special is named in [`Rules`]; nothing else here knows a key.

use super::node::{Entry, Kind, Node, Table};
use std::collections::HashMap;

/// What merges in another way than key by key, at one depth of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Keys replaced whole, because half of one and half of another would be neither.
    pub whole: &'static [&'static str],
    /// Arrays that append, outer first.
    pub append: &'static [&'static str],
    /// Tables of named things, and how each thing merges.
    pub named: &'static [(&'static str, &'static Self)],
    /// Keys that tell kinds apart: naming another kind replaces the thing.
    pub kinds: &'static [&'static [&'static str]],
}

/// Merges `over` into `base`.
pub fn merge(base: &mut Table, over: &Table, rules: &Rules) {
    if changes_kind(base, over, rules) {
        *base = over.clone();
        return;
    }
    base.place = over.place;
    let mut index = Index::of(base, over);
    for entry in over {
        match index.position(base, entry).and_then(|at| base.entry_mut(at)) {
            Some(inherited) => merge_entry(inherited, entry, rules),
            None => {
                index.add(entry, base.len());
                base.push(entry.clone());
            }
        }
    }
}

/// Where the keys of a table are, looked up when there are many and searched when there are few.
struct Index(Option<HashMap<String, usize>>);

/// Tables of more keys are looked up.
const FEW: usize = 64;

impl Index {
    fn of(base: &Table, over: &Table) -> Self {
        let many = base.len().max(over.len()) > FEW;
        Self(many.then(|| base.iter().enumerate().map(|(at, entry)| (entry.key.value.clone(), at)).collect()))
    }

    fn position(&self, base: &Table, entry: &Entry) -> Option<usize> {
        match &self.0 {
            Some(positions) => positions.get(&entry.key.value).copied(),
            None => base.iter().position(|known| known.key.value == entry.key.value),
        }
    }

    fn add(&mut self, entry: &Entry, at: usize) {
        if let Some(positions) = &mut self.0 {
            positions.insert(entry.key.value.clone(), at);
        }
    }
}

fn merge_entry(inherited: &mut Entry, entry: &Entry, rules: &Rules) {
    let key = entry.key.value.as_str();
    match (&mut inherited.node.kind, &entry.node.kind) {
        (Kind::Array(items), Kind::Array(more)) if rules.append.contains(&key) => items.extend(more.iter().cloned()),
        (Kind::Table(table), Kind::Table(over)) if !rules.whole.contains(&key) => {
            match rules.named.iter().find(|(name, _)| *name == key) {
                Some((_, inner)) => merge_named(table, over, inner),
                None => merge(table, over, &Rules::default()),
            }
            inherited.node.place = entry.node.place;
        }
        // The key's place moves along, so that a finding points at what was written last.
        _ => *inherited = entry.clone(),
    }
}

fn merge_named(base: &mut Table, over: &Table, rules: &Rules) {
    for entry in over {
        match (base.node_mut(&entry.key.value), &entry.node) {
            (Some(Node { kind: Kind::Table(table), place }), Node { kind: Kind::Table(over), .. }) => {
                merge(table, over, rules);
                *place = entry.node.place;
            }
            _ => base.insert(entry.key.clone(), entry.node.clone()),
        }
    }
}

fn changes_kind(base: &Table, over: &Table, rules: &Rules) -> bool {
    let kind_of = |table: &Table| rules.kinds.iter().position(|keys| keys.iter().any(|key| table.get(key).is_some()));
    match (kind_of(base), kind_of(over)) {
        (Some(inherited), Some(written)) => inherited != written,
        (None, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::read_toml;
    use super::*;
    use crate::diagnostic::{Files, Findings};
    use crate::value::write_json;

    const SOURCE: Rules =
        Rules { whole: &["value"], append: &[], named: &[], kinds: &[&["url", "upstream"], &["value"]] };
    const ROUTE: Rules = Rules { whole: &["cache"], append: &["rules"], named: &[("sources", &SOURCE)], kinds: &[] };

    fn merged(texts: &[&str]) -> String {
        let mut files = Files::default();
        let mut findings = Findings::default();
        let mut tables = texts.iter().map(|text| {
            let file = files.add("a.toml", *text);
            read_toml(file, 0..text.len(), &files, &mut findings)
        });
        let mut base = tables.next().unwrap();
        for over in tables {
            merge(&mut base, &over, &ROUTE);
        }
        let mut out = String::new();
        write_json(&base.to_value(), &mut out);
        out
    }

    #[test]
    fn tables_merge_scalars_replace_rules_append_and_some_are_replaced_whole() {
        for (texts, expected) in [
            (["a = 1\n[vars]\nx = 1\ny = 2", "a = 2\n[vars]\ny = 3"], "{\"a\":2,\"vars\":{\"x\":1,\"y\":3}}"),
            (["[cache]\nmax-age = '1s'", "[cache]\nno-store = true"], "{\"cache\":{\"no-store\":true}}"),
            (["[[rules]]\nif = 'a'", "[[rules]]\nif = 'b'"], "{\"rules\":[{\"if\":\"a\"},{\"if\":\"b\"}]}"),
            (["[[rules]]\nif = 'a'", "rules = false"], "{\"rules\":false}"),
            (["l = [1, 2]", "l = [3]"], "{\"l\":[3]}"),
            (
                ["[sources.a]\nurl = 'u'\ntimeout = '1s'", "[sources.a]\ntimeout = '2s'"],
                "{\"sources\":{\"a\":{\"url\":\"u\",\"timeout\":\"2s\"}}}",
            ),
            (
                ["[sources.a]\nurl = 'u'\ntimeout = '1s'", "[sources.a.value]\nx = 1"],
                "{\"sources\":{\"a\":{\"value\":{\"x\":1}}}}",
            ),
            (["[sources.a]\nurl = 'u'", "[sources]\na = false"], "{\"sources\":{\"a\":false}}"),
        ] {
            assert_eq!(merged(&texts), expected);
        }
    }
}
