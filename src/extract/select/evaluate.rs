//! Running a compiled query, depth first: no list is built between segments, and a search for one node ends at it.
//!
//! Depth first gives the order of section 2.5.2, because each segment's result is the concatenation of its results for the
//! nodes before it. Every node that is looked at counts; a run that looks at too many ends with an error.

use super::regexp::{Extent, Pattern, compile_given, compile_large};
use super::syntax::{Comparison, Logical, Operand, Pick, Query, Segment};
use crate::value::{Text, Value};
use regex::Regex;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::rc::Rc;

/// How many nodes one run may look at: `$..*..*` on a deep document would multiply without end.
const MOST_NODES: usize = 2_000_000;
/// What compiling a regular expression from the document counts as: it takes as long as looking at so many nodes.
const COMPILING: usize = 4_000;
/// The same for one that is larger than most.
const COMPILING_LARGE: usize = 40_000;
/// So many expressions from the document are kept compiled: a filter rarely takes more than a few by turns.
const MOST_KEPT: usize = 8;
/// So many bytes of a string count as one node when they are compared or counted, when an expression runs over them, or when
/// they are written in a path.
const BYTES_PER_NODE: usize = 32;
/// The same for an expression from the document, of which nobody knows how slow it is.
const BYTES_PER_NODE_GIVEN: usize = 1;
/// So many look-ups of a singular query count as one node.
const STEPS_PER_NODE: usize = 8;

/// The run looked at more nodes than any sensible selector needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the selector looked at more than {MOST_NODES} nodes")]
pub struct TooMuchWork;

/// How many more nodes may be looked at. Selectors that answer one question together share one.
#[derive(Debug)]
pub struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MOST_NODES))
    }
}

impl Budget {
    fn spend(&self, nodes: usize) -> Result<(), TooMuchWork> {
        let left = self.0.get().checked_sub(nodes);
        // Once there was too little, nothing more is done, however cheap.
        self.0.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(TooMuchWork)
    }
}

/// Why a walk ends before its end.
enum Stop {
    /// What was looked for is found.
    Found,
    /// See [`TooMuchWork`].
    Exhausted,
}

type Walk = ControlFlow<Stop>;

/// A node on a walk: the value alone, or the value with its way there.
pub(super) trait Node<'d>: Clone {
    fn value(&self) -> &'d Value;
    fn member(&self, name: &'d str, value: &'d Value) -> Self;
    fn element(&self, index: usize, value: &'d Value) -> Self;
}

impl<'d> Node<'d> for &'d Value {
    fn value(&self) -> &'d Value {
        self
    }

    fn member(&self, _: &'d str, value: &'d Value) -> Self {
        value
    }

    fn element(&self, _: usize, value: &'d Value) -> Self {
        value
    }
}

/// A value with its way from the root.
#[derive(Clone)]
pub(super) struct Located<'d> {
    value: &'d Value,
    step: Option<Rc<Step<'d>>>,
}

struct Step<'d> {
    before: Option<Rc<Self>>,
    key: Key<'d>,
}

/// Names are the document's own: a long one is not copied for each node below it.
enum Key<'d> {
    Name(&'d str),
    Index(usize),
}

impl<'d> Located<'d> {
    pub(super) fn root(value: &'d Value) -> Self {
        Self { value, step: None }
    }

    fn below(&self, key: Key<'d>, value: &'d Value) -> Self {
        Self { value, step: Some(Rc::new(Step { before: self.step.clone(), key })) }
    }

    /// The normalized path (section 2.7).
    pub(super) fn path(&self) -> String {
        let mut keys = Vec::new();
        let mut step = self.step.as_deref();
        while let Some(Step { before, key }) = step {
            keys.push(key);
            step = before.as_deref();
        }
        let mut path = String::from("$");
        for key in keys.into_iter().rev() {
            match key {
                Key::Name(name) => normalized_name(name, &mut path),
                Key::Index(index) => write!(path, "[{index}]").expect("a string takes all"),
            }
        }
        path
    }
}

fn normalized_name(name: &str, path: &mut String) {
    path.push_str("['");
    for character in name.chars() {
        match character {
            '\u{8}' => path.push_str("\\b"),
            '\u{c}' => path.push_str("\\f"),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            '\0'..='\u{1f}' => write!(path, "\\u{:04x}", u32::from(character)).expect("a string takes all"),
            other => path.push(other),
        }
    }
    path.push_str("']");
}

impl<'d> Node<'d> for Located<'d> {
    fn value(&self) -> &'d Value {
        self.value
    }

    fn member(&self, name: &'d str, value: &'d Value) -> Self {
        self.below(Key::Name(name), value)
    }

    fn element(&self, index: usize, value: &'d Value) -> Self {
        self.below(Key::Index(index), value)
    }
}

/// The node that the segments of a singular query lead to: a look-up for each, and nothing else.
pub(super) fn point<'d>(segments: &[Segment], from: &'d Value) -> Option<&'d Value> {
    segments.iter().try_fold(from, |value, segment| {
        let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
        match picks.first()? {
            Pick::Name(name) => value.get(name),
            Pick::Index(index) => {
                let items = value.as_list()?;
                items.get(position(*index, items.len())?)
            }
            Pick::Wildcard | Pick::Slice { .. } | Pick::Filter(_) => None,
        }
    })
}

/// The place of an index among `length` elements (section 2.3.3).
fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < length)
}

/// The indexes that a slice selects (section 2.3.4.2).
fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let normal = |bound: i64| if bound < 0 { length.saturating_add(bound) } else { bound };
    let forwards = step > 0;
    let (first, last) = if forwards {
        (normal(start.unwrap_or(0)).clamp(0, length), normal(end.unwrap_or(length)).clamp(0, length))
    } else {
        // An absent end lies before the first element, which no written bound can say.
        let last = end.map_or(-1, |end| normal(end).clamp(-1, length - 1));
        (normal(start.unwrap_or(length - 1)).clamp(-1, length - 1), last)
    };
    let mut next = Some(first).filter(|_| step != 0);
    std::iter::from_fn(move || {
        let index = next.filter(|&index| if forwards { index < last } else { index > last })?;
        next = index.checked_add(step);
        usize::try_from(index).ok()
    })
}

/// One evaluation of one selector on one document.
pub(super) struct Run<'d, 'b> {
    root: &'d Value,
    budget: &'b Budget,
    /// The last expressions read from the document, the latest at the end: most documents repeat a few.
    given: RefCell<Vec<Given>>,
}

/// An expression that was read from the document.
struct Given {
    text: Text,
    extent: Extent,
    /// `None` if it is none.
    compiled: Option<Regex>,
}

impl<'d, 'b> Run<'d, 'b> {
    pub(super) fn new(root: &'d Value, budget: &'b Budget) -> Self {
        Self { root, budget, given: RefCell::new(Vec::new()) }
    }

    /// Every node that `query` selects from `start`.
    pub(super) fn each(
        &self,
        query: &Query,
        start: &'d Value,
        mut found: impl FnMut(&'d Value),
    ) -> Result<(), TooMuchWork> {
        let walk = self.segments(&query.segments, &start, &mut |node| {
            found(node);
            PASS
        });
        finished(&walk)
    }

    /// The same with their normalized paths, which count for as many nodes as they are long.
    pub(super) fn each_located(
        &self,
        query: &Query,
        start: &Located<'d>,
        mut found: impl FnMut(String, &'d Value),
    ) -> Result<(), TooMuchWork> {
        let walk = self.segments(&query.segments, start, &mut |node| {
            let path = node.path();
            self.spend(path.len() / BYTES_PER_NODE)?;
            found(path, node.value);
            PASS
        });
        finished(&walk)
    }

    /// The first node that an absolute `query` selects.
    pub(super) fn first(&self, query: &Query) -> Result<Option<&'d Value>, TooMuchWork> {
        self.first_from(query, self.root)
    }

    fn first_from(&self, query: &Query, current: &'d Value) -> Result<Option<&'d Value>, TooMuchWork> {
        let start = if query.absolute { self.root } else { current };
        if query.singular {
            return Ok(point(&query.segments, start));
        }
        let mut first = None;
        let walk = self.segments(&query.segments, &start, &mut |node| {
            first = Some(node);
            Walk::Break(Stop::Found)
        });
        finished(&walk).map(|()| first)
    }

    fn spend(&self, nodes: usize) -> Walk {
        match self.budget.spend(nodes) {
            Ok(()) => PASS,
            Err(TooMuchWork) => Walk::Break(Stop::Exhausted),
        }
    }

    fn segments<N: Node<'d>>(&self, segments: &[Segment], node: &N, found: &mut dyn FnMut(N) -> Walk) -> Walk {
        match segments.split_first() {
            None => found(node.clone()),
            Some((Segment::Child(picks), rest)) => self.picks(picks, rest, node, found),
            Some((Segment::Descendant(picks), rest)) => self.descend(picks, rest, node, found),
        }
    }

    /// The node, then everything below it, parents before children (section 2.5.2.2). Values nest no deeper than their
    /// parsers allow.
    fn descend<N: Node<'d>>(
        &self,
        picks: &[Pick],
        rest: &[Segment],
        node: &N,
        found: &mut dyn FnMut(N) -> Walk,
    ) -> Walk {
        self.picks(picks, rest, node, found)?;
        self.children(node, &mut |child| self.descend(picks, rest, &child, found))
    }

    fn children<N: Node<'d>>(&self, node: &N, each: &mut dyn FnMut(N) -> Walk) -> Walk {
        match node.value() {
            Value::List(items) => items.iter().enumerate().try_for_each(|(index, value)| {
                self.spend(1)?;
                each(node.element(index, value))
            }),
            Value::Object(object) => object.iter().try_for_each(|(name, value)| {
                self.spend(1)?;
                each(node.member(name, value))
            }),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => {
                Walk::Continue(())
            }
        }
    }

    fn picks<N: Node<'d>>(&self, picks: &[Pick], rest: &[Segment], node: &N, found: &mut dyn FnMut(N) -> Walk) -> Walk {
        for pick in picks {
            self.spend(1)?;
            match pick {
                Pick::Name(name) => {
                    let Some((name, value)) = member(node.value(), name) else { continue };
                    self.segments(rest, &node.member(name, value), found)?;
                }
                Pick::Index(index) => self.element(*index, rest, node, found)?,
                Pick::Wildcard => self.children(node, &mut |child| self.segments(rest, &child, found))?,
                Pick::Slice { start, end, step } => {
                    let Value::List(items) = node.value() else { continue };
                    for index in slice(*start, *end, *step, items.len()) {
                        self.spend(1)?;
                        let Some(value) = items.get(index) else { continue };
                        self.segments(rest, &node.element(index, value), found)?;
                    }
                }
                Pick::Filter(condition) => self.children(node, &mut |child| {
                    if self.holds(condition, child.value())? { self.segments(rest, &child, found) } else { PASS }
                })?,
            }
        }
        PASS
    }

    fn element<N: Node<'d>>(&self, index: i64, rest: &[Segment], node: &N, found: &mut dyn FnMut(N) -> Walk) -> Walk {
        let Value::List(items) = node.value() else { return PASS };
        let Some(index) = position(index, items.len()) else { return PASS };
        items.get(index).map_or(PASS, |value| self.segments(rest, &node.element(index, value), found))
    }

    fn holds(&self, condition: &Logical, current: &'d Value) -> ControlFlow<Stop, bool> {
        let answer = match condition {
            Logical::Or(parts) => {
                for part in parts {
                    if self.holds(part, current)? {
                        return ControlFlow::Continue(true);
                    }
                }
                false
            }
            Logical::And(parts) => {
                for part in parts {
                    if !self.holds(part, current)? {
                        return ControlFlow::Continue(false);
                    }
                }
                true
            }
            Logical::Not(part) => !self.holds(part, current)?,
            Logical::Exists(query) => match self.first_from(query, current) {
                Ok(found) => found.is_some(),
                Err(TooMuchWork) => return ControlFlow::Break(Stop::Exhausted),
            },
            Logical::Compare(left, comparison, right) => {
                // What looks at no node takes its time, too, for each node that it judges.
                self.spend(usize::from(matches!((left, right), (Operand::Literal(_), Operand::Literal(_)))))?;
                let (left, right) = (self.operand(left, current)?, self.operand(right, current)?);
                self.compare(left.as_deref(), *comparison, right.as_deref())?
            }
            Logical::Matches(text, pattern) => self.matches(text, pattern, current)?,
        };
        ControlFlow::Continue(answer)
    }

    fn operand<'s>(&self, operand: &'s Operand, current: &'d Value) -> ControlFlow<Stop, Option<Cow<'s, Value>>>
    where
        'd: 's,
    {
        ControlFlow::Continue(match operand {
            Operand::Literal(value) => Some(Cow::Borrowed(value)),
            Operand::Node(query) => {
                self.spend(1 + query.segments.len() / STEPS_PER_NODE)?;
                let start = if query.absolute { self.root } else { current };
                point(&query.segments, start).map(Cow::Borrowed)
            }
            Operand::Length(inner) => {
                let value = self.operand(inner, current)?;
                self.spend(1 + value.as_deref().map_or(0, weight))?;
                value.and_then(|value| length(&value)).map(Cow::Owned)
            }
            Operand::Count(query) => {
                let mut count = 0_usize;
                self.count(query, current, &mut |_| count += 1)?;
                Some(Cow::Owned(Value::from(count)))
            }
            Operand::Only(query) => {
                let (mut count, mut last) = (0_usize, None);
                self.count(query, current, &mut |node| {
                    count += 1;
                    last = Some(node);
                })?;
                last.filter(|_| count == 1).map(Cow::Borrowed)
            }
        })
    }

    fn count(&self, query: &Query, current: &'d Value, each: &mut dyn FnMut(&'d Value)) -> Walk {
        let start = if query.absolute { self.root } else { current };
        self.segments(&query.segments, &start, &mut |node| {
            each(node);
            PASS
        })
    }

    /// Comparison by section 2.3.5.2.2; an absent value equals only another absent one.
    fn compare(&self, left: Option<&Value>, comparison: Comparison, right: Option<&Value>) -> ControlFlow<Stop, bool> {
        if let (Some(left), Some(right)) = (left, right) {
            match (width(left), width(right)) {
                (Some(of_left), Some(of_right)) if of_left == of_right => self.spend_on_tree(left)?,
                _ => self.spend(weight(left).min(weight(right)))?,
            }
        }
        let equal = left == right;
        let order = || match (left, right) {
            (Some(left), Some(right)) => order(left, right),
            (None, _) | (_, None) => None,
        };
        ControlFlow::Continue(match comparison {
            Comparison::Equal => equal,
            Comparison::NotEqual => !equal,
            Comparison::Less => order() == Some(Ordering::Less),
            Comparison::LessOrEqual => equal || order() == Some(Ordering::Less),
            Comparison::Greater => order() == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => equal || order() == Some(Ordering::Greater),
        })
    }

    /// Comparing two trees looks at their nodes, names and texts.
    fn spend_on_tree(&self, value: &Value) -> Walk {
        match value {
            Value::List(items) => {
                self.spend(items.len())?;
                items.iter().try_for_each(|item| self.spend_on_tree(item))
            }
            Value::Object(object) => {
                self.spend(object.len())?;
                object.iter().try_for_each(|(name, member)| {
                    self.spend(name.len() / BYTES_PER_NODE)?;
                    self.spend_on_tree(member)
                })
            }
            Value::Text(_) => self.spend(weight(value)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => PASS,
        }
    }

    fn matches(&self, text: &Operand, pattern: &Pattern, current: &'d Value) -> ControlFlow<Stop, bool> {
        let text = self.operand(text, current)?;
        let Some(Value::Text(text)) = text.as_deref() else { return ControlFlow::Continue(false) };
        let (operand, extent) = match pattern {
            Pattern::Ready(ready) => {
                self.spend(1 + text.len() / BYTES_PER_NODE)?;
                return ControlFlow::Continue(ready.is_match(text));
            }
            Pattern::Given(operand, extent) => (operand, *extent),
        };
        self.spend(1 + text.len() / BYTES_PER_NODE_GIVEN)?;
        let given = self.operand(operand, current)?;
        let Some(Value::Text(given)) = given.as_deref() else { return ControlFlow::Continue(false) };
        self.matches_given(text, given, extent)
    }

    /// Whether `text` matches an expression from the document, which is compiled unless that was done a moment ago.
    fn matches_given(&self, text: &str, given: &Text, extent: Extent) -> ControlFlow<Stop, bool> {
        let mut kept = self.given.borrow_mut();
        match kept.iter().position(|one| one.extent == extent && one.text == *given) {
            Some(at) => kept.get_mut(at..).unwrap_or_default().rotate_left(1),
            None => {
                self.spend(COMPILING)?;
                let compiled = match compile_given(given, extent) {
                    Ok(compiled) => compiled,
                    Err(_too_large) => {
                        self.spend(COMPILING_LARGE)?;
                        compile_large(given, extent)
                    }
                };
                if kept.len() == MOST_KEPT {
                    kept.remove(0);
                }
                kept.push(Given { text: given.clone(), extent, compiled });
            }
        }
        let compiled = kept.last().and_then(|one| one.compiled.as_ref());
        ControlFlow::Continue(compiled.is_some_and(|compiled| compiled.is_match(text)))
    }
}

const PASS: Walk = Walk::Continue(());

fn finished(walk: &Walk) -> Result<(), TooMuchWork> {
    match walk {
        Walk::Continue(()) | Walk::Break(Stop::Found) => Ok(()),
        Walk::Break(Stop::Exhausted) => Err(TooMuchWork),
    }
}

/// The member called `name`, with its name as the document has it.
fn member<'d>(value: &'d Value, name: &str) -> Option<(&'d str, &'d Value)> {
    let object = value.as_object()?;
    let (name, value) = object.pair(object.shape().position(name)?)?;
    Some((name.as_str(), value))
}

/// How many children a tree has. Trees of different widths are told apart without looking further.
fn width(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) => Some(items.len()),
        Value::Object(object) => Some(object.len()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => None,
    }
}

/// What reading a text to its end counts as.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() / BYTES_PER_NODE,
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Object(_) => 0,
    }
}

/// `length` (section 2.4.4): characters, elements or members.
fn length(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) => Some(Value::from(text.chars().count())),
        Value::List(items) => Some(Value::from(items.len())),
        Value::Object(object) => Some(Value::from(object.len())),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => None,
    }
}

/// Only numbers and strings have an order, each among themselves.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::UInt(left), Value::UInt(right)) => Some(left.cmp(right)),
        // An unsigned value is by its nature above every signed one.
        (Value::UInt(_), Value::Int(_)) => Some(Ordering::Greater),
        (Value::Int(_), Value::UInt(_)) => Some(Ordering::Less),
        (Value::Text(left), Value::Text(right)) => Some(left.as_str().cmp(right.as_str())),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
