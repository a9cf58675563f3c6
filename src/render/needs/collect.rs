//! Collects what stands in the markup while the escaper's own tracker follows it, on several ways at once: through literal text, with
//! a hole where a value is printed.
//!
//! Where a tag, a value or a script begins and ends the tracker alone decides; that nothing here has an opinion of its own keeps the
//! digest of a script from being that of another text than the one which the escaper guards.
//!
//! Where branches have left different texts in an attribute or a script, each is kept, up to a few; beyond that it counts as a value.

use super::Needs;
use super::holes::VALUE;
use super::reference::{decoded, normalised};
use crate::diagnostic::FileId;
use crate::render::context::{Markup, Sight};
use std::ops::Range;

/// So many texts of one attribute or script are told apart.
const MOST_WAYS: usize = 32;
/// So many places in the markup are followed at once: those after a branch of a tag, which meet again where it ends.
const MOST_STATES: usize = 8;
/// So many attributes of one tag are kept.
const MOST_ATTRIBUTES: usize = 128;
/// The longest name that means anything.
const LONGEST_NAME: usize = 64;

/// Where something stands: in a file, or in finished HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Spot {
    pub(super) file: Option<FileId>,
    pub(super) range: Range<usize>,
}

/// An attribute, and its values on all ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) spot: Spot,
    pub(super) ways: Vec<String>,
    /// Whether it is not there on every way.
    pub(super) may_lack: bool,
}

/// A point in the markup, and what was collected since the tag at hand began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    markup: Markup,
    /// The element whose tag is open, or whose text this is; in HTML in lower case, with a `/` if the tag ends it.
    pub(super) element: String,
    pub(super) opened: Spot,
    pub(super) attributes: Vec<Attribute>,
    /// The attribute at hand, its values on each way not yet among them.
    attribute: Option<(String, Spot)>,
    /// Its value, or the text of the element or of a declaration, on each way.
    pub(super) ways: Vec<String>,
}

impl Needs {
    /// Follows `text`, which begins at the byte `base` of `file`, from each of `states`.
    pub(super) fn follow(&mut self, states: &mut Vec<State>, text: &str, file: Option<FileId>, base: usize) {
        for state in &mut *states {
            Collector { needs: self, state, text, file, base, from: 0 }.all();
        }
        if states.len() > 1 {
            join(states, Vec::new());
        }
    }
}

/// One way through one text.
struct Collector<'r> {
    needs: &'r mut Needs,
    state: &'r mut State,
    text: &'r str,
    file: Option<FileId>,
    base: usize,
    /// Where the value or the text of an element begins that is at hand.
    from: usize,
}

impl Collector<'_> {
    fn all(mut self) {
        let mut at = 0;
        while at < self.text.len() {
            let before = self.state.markup.sight();
            let length = self.state.markup.step(self.text.as_bytes().get(at..).unwrap_or_default());
            self.take(before, self.state.markup.sight(), at, length);
            at += length;
        }
        if self.state.markup.sight().is_kept() {
            self.keep(at);
        }
    }

    /// Takes a step of `length` bytes at `at` that led from `before` to `after`.
    fn take(&mut self, before: Sight, after: Sight, at: usize, length: usize) {
        let byte = self.text.as_bytes().get(at).copied().unwrap_or_default();
        match (before, after) {
            (Sight::TagOpen, Sight::TagName) => {
                self.state.opened = self.spot(at.saturating_sub(1), at + 1);
                self.state.push_element(byte);
            }
            (Sight::TagName, Sight::TagName) => {
                self.state.push_element(byte);
                extend(&mut self.state.opened, self.file, self.base + at + 1);
            }
            (Sight::AttributeName, Sight::AttributeName) => {
                if let Some((name, spot)) = &mut self.state.attribute {
                    push(name, byte.to_ascii_lowercase());
                    extend(spot, self.file, self.base + at + 1);
                }
            }
            (_, Sight::AttributeName) => {
                self.state.end_attribute();
                self.state.attribute = Some((char::from(byte.to_ascii_lowercase()).into(), self.spot(at, at + 1)));
                self.state.ways = vec![String::new()];
            }
            (Sight::BeforeValue, Sight::Value) => self.from = at + usize::from(matches!(byte, b'"' | b'\'')),
            (Sight::Value, after) if after != Sight::Value => {
                self.keep(at);
                self.state.end_attribute();
            }
            (Sight::Declaration, after) if after != Sight::Declaration => {
                self.keep(at);
                let spot = self.spot(self.from, at);
                self.needs.declaration(self.state, &spot);
                self.state.leave_tag(self.state.markup.between_tags());
            }
            (before, Sight::Declaration) if before != Sight::Declaration => {
                self.from = at;
                self.state.ways = vec![String::new()];
            }
            (Sight::Raw, Sight::TagName) => {
                self.keep(at);
                self.needs.inline(self.state);
                self.state.leave_tag(self.state.markup.clone());
                self.state.markup.element().clone_into(&mut self.state.element);
            }
            _ => {}
        }
        if before.is_in_tag() && matches!(after, Sight::Text | Sight::Raw) {
            self.from = at + length;
            self.close(after);
        }
    }

    /// A tag has ended.
    fn close(&mut self, after: Sight) {
        self.state.end_attribute();
        if !self.state.element.starts_with('/') {
            self.needs.element(&self.state.element, &self.state.attributes, self.state.is_xml());
        }
        if after == Sight::Raw {
            self.state.ways = vec![String::new()];
        } else {
            self.state.leave_tag(self.state.markup.between_tags());
        }
    }

    /// Keeps what stands between `from` and `at`.
    fn keep(&mut self, at: usize) {
        append(&mut self.state.ways, self.text.get(self.from..at).unwrap_or_default());
    }

    fn spot(&self, start: usize, end: usize) -> Spot {
        Spot { file: self.file, range: self.base + start..self.base + end }
    }
}

impl State {
    /// At the beginning of HTML.
    pub(super) fn html() -> Self {
        Self::at(Markup::html())
    }

    /// At the beginning of XML.
    pub(super) fn xml() -> Self {
        Self::at(Markup::xml())
    }

    /// At a point in the markup, with nothing collected.
    fn at(markup: Markup) -> Self {
        Self {
            markup,
            element: String::new(),
            opened: Spot::default(),
            attributes: Vec::new(),
            attribute: None,
            ways: Vec::new(),
        }
    }

    /// Forgets the tag at hand; the markup goes on at `markup`.
    fn leave_tag(&mut self, markup: Markup) {
        *self = Self::at(markup);
    }

    fn end_attribute(&mut self) {
        let Some((name, spot)) = self.attribute.take() else { return };
        let xml = self.is_xml();
        let read = |way: String| if xml { decoded(&normalised(&way), true) } else { decoded(&way, false) };
        let ways = std::mem::take(&mut self.ways).into_iter().map(read).collect::<Vec<_>>();
        let has_room = self.attributes.len() < MOST_ATTRIBUTES;
        match self.attributes.iter_mut().find(|known| known.name == name) {
            None if has_room => self.attributes.push(Attribute { name, spot, ways, may_lack: false }),
            None => {}
            Some(known) if known.may_lack => {
                join_ways(&mut known.ways, &ways);
                known.may_lack = false;
            }
            // The first of a name counts.
            Some(_) => {}
        }
    }

    /// Whether this is between tags.
    pub(super) fn is_text(&self) -> bool {
        self.markup.sight() == Sight::Text
    }

    /// Whether the text of a script or a style is read as markup is: in a drawing or a formula, and in XML.
    pub(super) fn reads_references(&self) -> bool {
        self.markup.is_foreign() || self.is_xml()
    }

    /// Whether the markup is XML.
    pub(super) fn is_xml(&self) -> bool {
        self.markup.is_xml()
    }

    fn push_element(&mut self, byte: u8) {
        let byte = if self.is_xml() { byte } else { byte.to_ascii_lowercase() };
        push(&mut self.element, byte);
    }

    /// One of these texts is printed here.
    pub(super) fn print(&mut self, texts: &[String]) {
        if self.markup.sight() == Sight::BeforeValue {
            // A value without quotes, which only a layout that escapes nothing may have.
            self.markup.step(b"x");
        }
        if self.markup.sight().is_kept() {
            append_any(&mut self.ways, texts);
        }
    }

    /// Anything may have been printed here since one of the points in `before`.
    pub(super) fn forget(&mut self, before: &[Self]) {
        if !self.markup.sight().is_kept() {
            return;
        }
        match before.iter().find(|before| before.is_alike(self)) {
            Some(before) => {
                let fed = before.ways.iter().map(|way| format!("{way}{VALUE}"));
                let ways = before.ways.iter().cloned().chain(fed).collect();
                // What they begin with after a few runs they begin with after all.
                for way in std::mem::replace(&mut self.ways, ways) {
                    let end = way.find(VALUE).map_or(way.len(), |at| at + VALUE.len_utf8());
                    let way = way.get(..end).unwrap_or_default();
                    if self.ways.len() < MOST_WAYS && !self.ways.iter().any(|known| known == way) {
                        self.ways.push(way.to_owned());
                    }
                }
            }
            None => blur(&mut self.ways),
        }
    }

    /// Whether all that follows is read alike from both points.
    fn is_alike(&self, other: &Self) -> bool {
        let name = |state: &Self| state.attribute.as_ref().map(|(name, _)| name.clone());
        self.markup.reads_like(&other.markup) && self.element == other.element && name(self) == name(other)
    }

    /// Takes in another point that is alike.
    fn join(&mut self, other: &Self) {
        for known in &mut self.attributes {
            known.may_lack |= other.attributes.iter().all(|attribute| attribute.name != known.name);
        }
        for attribute in &other.attributes {
            match self.attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) => {
                    join_ways(&mut known.ways, &attribute.ways);
                    known.may_lack |= attribute.may_lack;
                }
                None => self.attributes.push(Attribute { may_lack: true, ..attribute.clone() }),
            }
        }
        join_ways(&mut self.ways, &other.ways);
    }
}

/// The points after several branches, those that are alike made one.
pub(super) fn join(states: &mut Vec<State>, others: Vec<State>) {
    for other in std::mem::take(states).into_iter().chain(others) {
        if let Some(state) = states.iter_mut().find(|state| state.is_alike(&other)) {
            state.join(&other);
        } else if states.len() < MOST_STATES {
            states.push(other);
        }
    }
}

fn join_ways(ways: &mut Vec<String>, others: &[String]) {
    for other in others {
        if !ways.contains(other) {
            ways.push(other.clone());
        }
    }
    if ways.len() > MOST_WAYS {
        blur(ways);
    }
}

/// Makes one of all ways: what they begin with alike, and then any value.
fn blur(ways: &mut Vec<String>) {
    let Some(first) = ways.first() else { return };
    let alike =
        |length: usize, way: &String| first.bytes().zip(way.bytes()).take(length).take_while(|(a, b)| a == b).count();
    let length = first.floor_char_boundary(ways.iter().fold(first.len(), alike));
    let beginning = first.get(..length).unwrap_or_default();
    *ways = vec![format!("{beginning}{VALUE}")];
}

fn append(ways: &mut [String], piece: &str) {
    for way in ways {
        way.push_str(piece);
    }
}

/// Goes on with each of these pieces.
fn append_any(ways: &mut Vec<String>, pieces: &[String]) {
    if let [piece] = pieces {
        return append(ways, piece);
    }
    let longer =
        ways.iter().flat_map(|way| pieces.iter().map(move |piece| format!("{way}{piece}"))).collect::<Vec<_>>();
    ways.clear();
    join_ways(ways, &longer);
}

fn push(name: &mut String, byte: u8) {
    if name.len() < LONGEST_NAME {
        name.push(char::from(byte));
    }
}

/// What began at `spot` goes on to `end`, if that is in the same text.
fn extend(spot: &mut Spot, file: Option<FileId>, end: usize) {
    if spot.file == file && spot.range.end < end {
        spot.range.end = end;
    }
}
