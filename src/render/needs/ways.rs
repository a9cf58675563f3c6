//! What a chain may print: each text on its own where the layout says them all, through assignments, captures, parameters of partials and the
//! filters that join texts; a hole for what data says.
//!
//! It knows nothing of markup. A variable that is told apart has a few texts at most; beyond that it is any value.

use super::holes::{SITE, VALUE, is_hole, of_path};
use super::walk::Walk;
use crate::render::tree::{Base, Block, Chain, FilterCall, NameId, Node, Operand, Path, Step};
use std::collections::BTreeMap;
use std::rc::Rc;

/// So many texts of one variable are told apart.
const MOST_TEXTS: usize = 32;
/// No address is longer, up to its path. What goes on behind it may be anything.
const LONGEST_TEXT: usize = 1 << 12;

/// The texts that something may be, in which holes stand for what is not known.
pub(super) type Texts = Rc<Vec<String>>;

/// What variables may hold. One that is not among them is data, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Variables {
    /// By `assign` and `capture`, and the parameters of `render`.
    set: BTreeMap<NameId, Texts>,
    /// By loops and the parameters of `include`, which hide those.
    bound: BTreeMap<NameId, Texts>,
}

impl Variables {
    pub(super) fn get(&self, name: NameId) -> Option<&Texts> {
        self.bound.get(&name).or_else(|| self.set.get(&name))
    }

    pub(super) fn set(&mut self, name: NameId, texts: Texts) {
        self.set.insert(name, texts);
    }

    /// Binds a name within a loop or a partial; what it was bound to before.
    pub(super) fn bind(&mut self, name: NameId, texts: Texts) -> Option<Texts> {
        self.bound.insert(name, texts)
    }

    /// Puts back what a name was bound to.
    pub(super) fn unbind(&mut self, name: NameId, before: Option<Texts>) {
        match before {
            Some(before) => self.bound.insert(name, before),
            None => self.bound.remove(&name),
        };
    }

    /// Takes in what variables may hold on another way.
    pub(super) fn join(&mut self, other: &Self) {
        join(&mut self.set, &other.set);
        join(&mut self.bound, &other.bound);
    }

    /// All of them may hold anything.
    pub(super) fn forget(&mut self) {
        for texts in self.set.values_mut().chain(self.bound.values_mut()) {
            *texts = any();
        }
    }
}

fn join(ours: &mut BTreeMap<NameId, Texts>, theirs: &BTreeMap<NameId, Texts>) {
    for (name, texts) in &mut *ours {
        match theirs.get(name) {
            Some(others) if others == texts => {}
            others => *texts = either(texts, others.unwrap_or(&any())),
        }
    }
    for (name, texts) in theirs {
        if !ours.contains_key(name) {
            ours.insert(*name, either(texts, &any()));
        }
    }
}

/// Any value.
pub(super) fn any() -> Texts {
    one(VALUE)
}

fn one(text: impl Into<String>) -> Texts {
    Rc::new(vec![text.into()])
}

fn either(one: &Texts, other: &Texts) -> Texts {
    bounded(one.iter().chain(other.iter()).cloned())
}

/// Each of the first followed by each of the second.
fn joined(first: &Texts, second: &Texts) -> Texts {
    let pairs = first.iter().flat_map(|first| second.iter().map(move |second| format!("{first}{second}")));
    bounded(pairs)
}

/// These texts, if they are few; what is too long ends in any value.
fn bounded(texts: impl Iterator<Item = String>) -> Texts {
    let mut kept = Vec::new();
    for mut text in texts {
        if text.len() > LONGEST_TEXT {
            text.truncate(text.floor_char_boundary(LONGEST_TEXT));
            text.push(VALUE);
        }
        if !kept.contains(&text) {
            kept.push(text);
        }
        if kept.len() > MOST_TEXTS {
            return any();
        }
    }
    Rc::new(kept)
}

impl Walk<'_> {
    /// What a chain may print.
    pub(super) fn texts(&mut self, chain: &Chain) -> Texts {
        let value = self.operand(&chain.value);
        chain.filters.iter().fold(value, |texts, call| self.filtered(&texts, call))
    }

    pub(super) fn operand(&mut self, operand: &Operand) -> Texts {
        match operand {
            Operand::Text(text) => one(&**text),
            Operand::Path(path) => self.path(path),
            Operand::Int(number) => one(number.to_string()),
            Operand::Nil => one(""),
            Operand::Bool(_) | Operand::Float(_) | Operand::Empty | Operand::Blank | Operand::Range(_) => any(),
        }
    }

    fn path(&mut self, path: &Path) -> Texts {
        let Base::Name(name) = path.base else { return any() };
        if let Some(texts) = self.variables.get(name) {
            return if path.steps.is_empty() { Rc::clone(texts) } else { any() };
        }
        let key = |step: &Step| match step {
            Step::Key { key, .. } => Some(key.to_string()),
            Step::Index(_) | Step::Computed(_) => None,
        };
        let keys: Option<Vec<String>> = path.steps.iter().map(key).collect();
        let root = self.program.names.get(name.index()).map(ToString::to_string);
        let (Some(root), Some(keys)) = (root, keys) else { return any() };
        match (root.as_str(), keys.as_slice()) {
            ("site", [key]) if key == "url" => one(SITE),
            ("site" | "vars", [_, ..]) => {
                let path = std::iter::once(root).chain(keys).collect();
                one(of_path(self.needs.path(path)))
            }
            _ => any(),
        }
    }

    fn filtered(&mut self, texts: &Texts, call: &FilterCall) -> Texts {
        let argument = |walk: &mut Self| call.arguments.first().map_or_else(any, |argument| walk.operand(argument));
        let each = |change: fn(&str) -> Option<String>| {
            bounded(texts.iter().map(|text| change(text).unwrap_or_else(|| VALUE.into())))
        };
        match call.filter.name {
            "raw" => Rc::clone(texts),
            "default" => either(texts, &argument(self)),
            "append" => joined(texts, &argument(self)),
            "prepend" => joined(&argument(self), texts),
            "relative_url" => each(relative),
            "absolute_url" => each(absolute),
            "asset_url" => bounded(texts.iter().map(|text| published(text))),
            // What has nothing to escape stays what it is.
            "escape" | "escape_once" | "h" => {
                each(|text| (!text.contains(['<', '>', '&', '"', '\''])).then(|| text.into()))
            }
            "strip" => each(|text| Some(text.trim().to_owned())),
            _ => any(),
        }
    }

    /// What a block may print that is captured, if it holds no more than texts and values, and branches between them. Markup is none that
    /// could be an address.
    pub(super) fn captured(&mut self, block: &Block) -> Texts {
        let mut texts = one("");
        for node in &block.nodes {
            let printed = match node {
                Node::Text(text, _) if !text.contains('<') => one(&**text),
                Node::Output(output) => self.texts(&output.chain),
                Node::If(branches) => {
                    let has_else = branches.iter().any(|branch| branch.condition.is_none());
                    self.either_of(branches.iter().map(|branch| &branch.body), has_else)
                }
                Node::Case(case) => {
                    let has_else = case.arms.iter().any(|arm| arm.values.is_none());
                    self.either_of(case.arms.iter().map(|arm| &arm.body), has_else)
                }
                Node::Text(..) | Node::For(_) | Node::TableRow(_) | Node::Break | Node::Continue => return any(),
                Node::Assign { .. } | Node::Capture { .. } | Node::Count { .. } | Node::Cycle(_) => return any(),
                Node::Guard(_) | Node::Call(_) | Node::Refused(_) | Node::IfChanged { .. } => return any(),
            };
            texts = joined(&texts, &printed);
        }
        texts
    }

    fn either_of<'b>(&mut self, blocks: impl Iterator<Item = &'b Block>, has_else: bool) -> Texts {
        let otherwise = (!has_else).then(|| one(""));
        let all: Vec<Texts> = blocks.map(|block| self.captured(block)).chain(otherwise).collect();
        bounded(all.iter().flat_map(|texts| texts.iter().cloned()))
    }
}

/// What `relative_url` makes of a text, if its beginning is known.
fn relative(text: &str) -> Option<String> {
    match text {
        _ if text.starts_with('/') => Some(text.to_owned()),
        _ if text.is_empty() || text.starts_with(is_hole) || text.contains(':') => None,
        _ => Some(format!("/{text}")),
    }
}

/// The same of `asset_url`, which makes a path on this site of whatever is published.
fn published(text: &str) -> String {
    format!("/{}", text.trim_start_matches('/'))
}

/// The same of `absolute_url`.
fn absolute(text: &str) -> Option<String> {
    (!text.starts_with(is_hole) && !text.contains("//")).then(|| SITE.into())
}
