//! `--set KEY=VALUE`: declarations from the command line, merged last, with findings that point at the argument.

use super::code;
use super::document::read_toml;
use super::node::{Kind, Node, Table, Text};
use crate::diagnostic::{Files, Finding, Findings, Place, Spanned};

/// Reads one argument, the `number`th from 1, as a table of one key. The value is TOML if it can be read as TOML, else a string.
pub fn read_set(argument: &str, number: usize, files: &mut Files, findings: &mut Findings) -> Option<Table> {
    let file = files.add(format!("--set {number}"), argument);
    let whole = Place::new(file, 0..argument.len());
    let bad = |message: &str| {
        Finding::new(&code::BAD_SET, whole, message).help("write it as `--set server.listen='[\"127.0.0.1:4000\"]'`")
    };
    let Some((key, value)) = argument.split_once('=') else {
        findings.push(bad("`--set` without `=`"));
        return None;
    };
    let words: Vec<&str> = key.trim().split('.').collect();
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !words.iter().all(is_word) || words.len() > 16 {
        findings.push(bad("the key is not a path of names"));
        return None;
    }
    let mut ignored = Findings::default();
    let parsed = read_toml(file, 0..argument.len(), files, &mut ignored);
    if ignored.is_empty() {
        return Some(parsed);
    }
    let start = key.len() + 1;
    let inner = Place::new(file, start..argument.len());
    let text = Text { content: value.to_owned(), inner, literal: true };
    let mut node = Node { kind: Kind::String(text), place: inner };
    let mut end = key.len();
    for word in words.iter().rev() {
        let place = Place::new(file, end.saturating_sub(word.len())..end);
        let mut table = Table::empty(place);
        table.insert(Spanned::new((*word).to_owned(), place), node);
        node = Node { kind: Kind::Table(table), place };
        end = end.saturating_sub(word.len() + 1);
    }
    node.as_table().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::write_json;

    #[test]
    fn values_are_toml_or_strings() {
        for (argument, expected) in [
            ("server.listen=[\"127.0.0.1:0\"]", Some("{\"server\":{\"listen\":[\"127.0.0.1:0\"]}}")),
            ("site.name=My site = good", Some("{\"site\":{\"name\":\"My site = good\"}}")),
            ("limits.requests=3", Some("{\"limits\":{\"requests\":3}}")),
            ("site.url=http://x", Some("{\"site\":{\"url\":\"http://x\"}}")),
            ("nothing", None),
            ("a..b=1", None),
            ("a b=1", None),
        ] {
            let (mut files, mut findings) = (Files::default(), Findings::default());
            let table = read_set(argument, 1, &mut files, &mut findings);
            let shown = table.map(|table| {
                let mut out = String::new();
                write_json(&table.to_value(), &mut out);
                out
            });
            assert_eq!(shown.as_deref(), expected, "{argument}");
            assert_eq!(findings.is_empty(), expected.is_some(), "{argument}");
        }
    }
}
