//! Placeholders in TOML strings: `/repos/{params.owner}`, `{env.TOKEN}`, `{'{'}`.
//!
//! This file knows their grammar. Which names exist, and what a value must look like where it lands, is decided above.

use super::code;
use super::node::Text;
use crate::diagnostic::{Finding, Findings, Place};
use std::sync::Arc;

/// Longer strings with placeholders are data, not declarations.
const LONGEST: usize = 64 * 1024;

/// A string with placeholders; `R` is what a placeholder refers to: a [`Reference`] as written, something faster once linked.
#[derive(Debug, Clone)]
pub struct Template<R = Reference> {
    /// Literal text and placeholders in turn.
    pub parts: Vec<Part<R>>,
    /// Where the string was written.
    pub place: Place,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone)]
pub enum Part<R = Reference> {
    /// Text that stays as it is.
    Literal(Arc<str>),
    /// A value of the request or of a source.
    Value(R),
    /// A variable of the environment.
    Env(Env),
}

/// `{root.key.key}` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The first word: a scope or a source.
    pub root: String,
    /// What follows, key by key.
    pub keys: Vec<String>,
    /// The braces and what is between them.
    pub place: Place,
}

impl Reference {
    /// As the author wrote it, without braces.
    pub fn spelled(&self) -> String {
        let mut out = self.root.clone();
        for key in &self.keys {
            out.push('.');
            out.push_str(key);
        }
        out
    }
}

/// `{env.NAME}` or `{env.NAME:default}` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Env {
    /// The variable.
    pub name: String,
    /// What stands for it when it is not set.
    pub default: Option<String>,
    /// The braces and what is between them.
    pub place: Place,
}

impl Env {
    /// The word that variables of the environment begin with in a placeholder.
    pub const ROOT: &'static str = "env";

    /// The same as a reference, whose second key is the default if there is one, with the colon: no other key has one.
    fn reference(&self) -> Reference {
        let default = self.default.as_ref().map(|default| format!(":{default}"));
        let keys = std::iter::once(self.name.clone()).chain(default).collect();
        Reference { root: Self::ROOT.to_owned(), keys, place: self.place }
    }

    /// The variable that a reference stands for, if it does.
    pub fn of_reference(reference: &Reference) -> Option<Self> {
        let (name, default) = match reference.keys.as_slice() {
            [name] => (name, None),
            [name, default] => (name, Some(default.strip_prefix(':')?.to_owned())),
            _ => return None,
        };
        (reference.root == Self::ROOT).then(|| Self { name: name.clone(), default, place: reference.place })
    }
}

impl<R> Template<R> {
    /// The text, if there is no placeholder in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The one placeholder that the string consists of, whose value then keeps its type.
    pub fn as_single(&self) -> Option<&R> {
        if let [Part::Value(reference)] = self.parts.as_slice() { Some(reference) } else { None }
    }

    /// What the placeholders refer to.
    pub fn references(&self) -> impl Iterator<Item = &R> {
        self.parts.iter().filter_map(|part| if let Part::Value(reference) = part { Some(reference) } else { None })
    }

    /// The variables of the environment in it.
    pub fn environment(&self) -> impl Iterator<Item = &Env> {
        self.parts.iter().filter_map(|part| if let Part::Env(env) = part { Some(env) } else { None })
    }

    /// With every variable of the environment replaced by its text.
    pub fn resolve_environment(&mut self, mut value: impl FnMut(&Env) -> String) {
        let mut parts: Vec<Part<R>> = Vec::with_capacity(self.parts.len());
        for part in self.parts.drain(..) {
            let literal = match part {
                Part::Env(env) => Arc::from(value(&env)),
                Part::Literal(text) => text,
                Part::Value(reference) => {
                    parts.push(Part::Value(reference));
                    continue;
                }
            };
            if let Some(Part::Literal(before)) = parts.last_mut() {
                *before = Arc::from(format!("{before}{literal}"));
            } else {
                parts.push(Part::Literal(literal));
            }
        }
        self.parts = parts;
    }
}

impl Template {
    /// The same string referring to other things, variables of the environment among them; `None` as soon as one cannot be changed.
    pub fn try_map<S>(&self, mut change: impl FnMut(&Reference) -> Option<S>) -> Option<Template<S>> {
        let mut parts = Vec::with_capacity(self.parts.len());
        let mut whole = true;
        let mut add = |changed: Option<S>, parts: &mut Vec<Part<S>>| {
            whole &= changed.is_some();
            parts.extend(changed.map(Part::Value));
        };
        for part in &self.parts {
            match part {
                Part::Literal(text) => parts.push(Part::Literal(Arc::clone(text))),
                // Every reference is looked at, so that each wrong one is found.
                Part::Value(reference) => add(change(reference), &mut parts),
                Part::Env(env) => add(change(&env.reference()), &mut parts),
            }
        }
        whole.then_some(Template { parts, place: self.place })
    }

    /// As the author wrote it: for findings, which never show what a variable of the environment holds.
    pub fn as_written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.to_string(),
            Part::Env(env) => format!("{{env.{}}}", env.name),
            Part::Value(reference) => format!("{{{}}}", reference.spelled()),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Reads the placeholders of a string. What cannot be read is a finding, and nothing is returned.
pub fn parse_template(text: &Text, place: Place, findings: &mut Findings) -> Option<Template> {
    let content = text.content.as_str();
    if content.len() > LONGEST {
        findings.push(
            Finding::new(&code::BAD_VALUE, place, format!("a string of {} bytes", content.len()))
                .help("longer texts belong in a layout or in a file"),
        );
        return None;
    }
    let mut parser = Parser { text, parts: Vec::new(), literal: String::new(), findings, sound: true };
    parser.run(content);
    let Parser { mut parts, literal, sound, .. } = parser;
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into()));
    }
    sound.then_some(Template { parts, place })
}

struct Parser<'p> {
    text: &'p Text,
    parts: Vec<Part>,
    literal: String,
    findings: &'p mut Findings,
    sound: bool,
}

impl Parser<'_> {
    fn run(&mut self, content: &str) {
        let mut at = 0;
        while let Some(found) = content.get(at..).and_then(|rest| rest.find(['{', '}'])) {
            let brace = at + found;
            self.literal.push_str(content.get(at..brace).unwrap_or(""));
            let rest = content.get(brace..).unwrap_or("");
            at = brace + self.brace(rest, brace);
        }
        self.literal.push_str(content.get(at..).unwrap_or(""));
    }

    /// Reads what begins with a brace and returns its length.
    fn brace(&mut self, rest: &str, at: usize) -> usize {
        if rest.starts_with('}') {
            self.wrong(
                &code::BAD_PLACEHOLDER,
                at..at + 1,
                "a closing brace without an opening one",
                "write `{'}'}` for a brace",
            );
            return 1;
        }
        for brace in ["{'{'}", "{'}'}"] {
            if rest.starts_with(brace) {
                self.literal.push_str(brace.get(2..3).unwrap_or(""));
                return brace.len();
            }
        }
        if rest.starts_with("{{") {
            let length = rest.find("}}").map_or(2, |end| end + 2);
            self.wrong(
                &code::DOUBLE_BRACE,
                at..at + length,
                "two braces",
                "one brace in TOML: `{params.id}`; `{{ … }}` is for layouts",
            );
            return length;
        }
        let Some(end) = rest.find('}') else {
            self.wrong(
                &code::BAD_PLACEHOLDER,
                at..at + rest.len(),
                "a placeholder that is not closed",
                "close it with `}`, or write `{'{'}` for a brace",
            );
            return rest.len();
        };
        self.placeholder(rest.get(1..end).unwrap_or(""), at..at + end + 1);
        end + 1
    }

    fn placeholder(&mut self, inside: &str, range: std::ops::Range<usize>) {
        let place = self.text.place_of(range.clone());
        if let Some(variable) = inside.strip_prefix("env.") {
            let (name, default) = match variable.split_once(':') {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (variable, None),
            };
            if is_variable(name) {
                self.push(Part::Env(Env { name: name.to_owned(), default, place }));
            } else {
                self.wrong(
                    &code::BAD_PLACEHOLDER,
                    range,
                    format!("`{name}` is not the name of an environment variable"),
                    "`{env.NAME}` or `{env.NAME:default}`",
                );
            }
            return;
        }
        let mut words = inside.split('.');
        let root = words.next().unwrap_or("").to_owned();
        let keys: Vec<String> = words.map(str::to_owned).collect();
        if is_word(&root) && keys.iter().all(|key| is_word(key)) {
            self.push(Part::Value(Reference { root, keys, place }));
        } else {
            self.wrong(
                &code::BAD_PLACEHOLDER,
                range,
                format!("`{inside}` is not a path of names"),
                "a placeholder is `{name.field}`; write `{'{'}` for a brace",
            );
        }
    }

    fn push(&mut self, part: Part) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(&mut self.literal).into()));
        }
        self.parts.push(part);
    }

    fn wrong(
        &mut self,
        code: &'static crate::diagnostic::Code,
        range: std::ops::Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) {
        self.findings.push(Finding::new(code, self.text.place_of(range), message).help(help));
        self.sound = false;
    }
}

pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Files;

    fn parse(content: &str) -> (Option<Template>, Findings) {
        let mut files = Files::default();
        let file = files.add("a.toml", content);
        let place = Place::new(file, 0..content.len());
        let mut findings = Findings::default();
        let text = Text { content: content.to_owned(), inner: place, literal: true };
        (parse_template(&text, place, &mut findings), findings)
    }

    fn show(template: &Template) -> Vec<String> {
        let show = |part: &Part| match part {
            Part::Literal(text) => text.to_string(),
            Part::Value(reference) => format!("<{}>", reference.spelled()),
            Part::Env(env) => format!("<env {} {:?}>", env.name, env.default),
        };
        template.parts.iter().map(show).collect()
    }

    #[test]
    fn placeholders_are_told_from_text() {
        for (content, expected) in [
            ("plain", vec!["plain"]),
            ("", vec![]),
            ("/a/{params.id}/b", vec!["/a/", "<params.id>", "/b"]),
            ("{a}{b.c-d}", vec!["<a>", "<b.c-d>"]),
            ("{'{'}x{'}'}", vec!["{x}"]),
            ("Bearer {env.TOKEN:a:b}", vec!["Bearer ", "<env TOKEN Some(\"a:b\")>"]),
        ] {
            let (template, findings) = parse(content);
            assert!(findings.is_empty(), "{content}: {findings:?}");
            assert_eq!(show(&template.unwrap()), expected, "{content}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_found_where_it_stands() {
        for (content, code, at) in [
            ("a {{ b }}", "placeholder/double-brace", 2..9),
            ("a {b", "placeholder/syntax", 2..4),
            ("a }", "placeholder/syntax", 2..3),
            ("{}", "placeholder/syntax", 0..2),
            ("{a..b}", "placeholder/syntax", 0..6),
            ("{a b}", "placeholder/syntax", 0..5),
            ("{env.}", "placeholder/syntax", 0..6),
        ] {
            let (template, findings) = parse(content);
            assert!(template.is_none(), "{content}");
            let found: Vec<_> =
                findings.iter().map(|finding| (finding.code.name, finding.place.unwrap().range())).collect();
            assert_eq!(found, [(code, at)], "{content}");
        }
    }
}
