//! What looks like a placeholder in a string where none is filled in: it would be shown or compared with its braces.
//!
//! A variable of the environment is meant wherever it is named. Any other word in braces may be text of the author's own, for a script
//! that fills it in; so it is told of in data alone, and only if it begins with the name of a scope.

use super::code::PLACEHOLDER_NOT_READ;
use super::node::{Kind, Node, Text};
use super::placeholder::{Env, is_word};
use crate::diagnostic::{Finding, Findings, Level};
use std::ops::Range;

/// The scopes whose names are no others' words.
const SCOPES: [&str; 9] = ["cookies", "form", "page", "params", "query", "request", "site", "user", "vars"];

/// Finds each variable of the environment in a text without placeholders; whether there is none.
pub(super) fn refuse_environment(text: &Text, findings: &mut Findings) -> bool {
    let mut is_free = true;
    for (range, inside) in braced(&text.content).filter(|(_, inside)| names_variable(inside)) {
        is_free = false;
        let message = format!("`{{{}}}` where no placeholder is filled in", spelled(inside));
        let help = "write the value out, or give it at the start: `--set KEY=VALUE`";
        findings.push(Finding::new(&PLACEHOLDER_NOT_READ, text.place_of(range), message).help(help));
    }
    is_free
}

/// Finds what looks like a placeholder in data that is taken as it is written: `what` it is.
pub fn refuse_placeholders(node: &Node, what: &str, findings: &mut Findings) {
    match &node.kind {
        Kind::String(text) => {
            for (range, inside) in braced(&text.content) {
                let (level, help) = if names_variable(inside) {
                    let help = "layouts print `{{ env.NAME }}` of a variable that is declared in site.toml: [env.NAME] public = true; a \
                                source with a `value` may hold it, too";
                    (Level::Error, help)
                } else if names_scope(inside) {
                    (
                        Level::Warning,
                        "write it in the layout, or into the `value` of a source, where placeholders are filled in",
                    )
                } else {
                    continue;
                };
                let message = format!("`{{{}}}` in {what}, which is taken as it is written", spelled(inside));
                findings
                    .push(Finding::new(&PLACEHOLDER_NOT_READ, text.place_of(range), message).level(level).help(help));
            }
        }
        Kind::Array(items) => items.iter().for_each(|item| refuse_placeholders(item, what, findings)),
        Kind::Table(table) => table.iter().for_each(|entry| refuse_placeholders(&entry.node, what, findings)),
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => {}
    }
}

/// What stands in braces, and where with them.
fn braced(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    memchr::memchr_iter(b'{', text.as_bytes()).filter_map(move |start| {
        let inside = text.get(start + 1..)?;
        let inside = inside.get(..inside.find(['{', '}'])?)?;
        let end = start + 1 + inside.len();
        text.get(end..)?.starts_with('}').then_some((start..end + 1, inside))
    })
}

fn names_variable(inside: &str) -> bool {
    let variable = inside.strip_prefix(Env::ROOT).and_then(|rest| rest.strip_prefix('.'));
    let name = variable.map(|variable| variable.split(':').next().unwrap_or_default());
    name.is_some_and(|name| is_word(name) && !name.contains('-'))
}

fn names_scope(inside: &str) -> bool {
    inside.split_once('.').is_some_and(|(root, keys)| SCOPES.contains(&root) && keys.split('.').all(is_word))
}

/// Without its default, which may be anything.
fn spelled(inside: &str) -> &str {
    inside.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_meant_as_a_placeholder_is_one() {
        let found = |text: &str| {
            let all = braced(text).filter(|(_, inside)| names_variable(inside) || names_scope(inside));
            all.map(|(range, _)| text[range].to_owned()).collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("{env.KEY}", vec!["{env.KEY}"]),
            ("a {env.KEY:a default} b {page.title}", vec!["{env.KEY:a default}", "{page.title}"]),
            ("{{env.KEY}}", vec!["{env.KEY}"]),
            ("{env.}{env}{env.a-b}{env.a b}", vec![]),
            ("{count} of {total.all}, {page}, {page. }, {page.title", vec![]),
            ("{ \"page.title\": 1 }", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
