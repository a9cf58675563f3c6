//! Partials within markup: what one is told of the place that it is called from, and what its caller knows behind it.
//!
//! A partial is followed once for all places that it sees as alike; so it is told what it needs, and nothing else.

use super::super::attribute::Kind;
use super::super::said::{Power, deciders};
use super::{Complaint, State, Tracker, local_name};

/// What a partial must not end: it stands in the middle of that, and its caller goes on as if it were still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Nothing,
    /// The value of an attribute.
    Quotes,
    Tag,
}

/// Where what a partial ends with is known to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Wherever what follows the call says.
    On,
    /// Right behind the call, where white space or the end of the tag follows.
    Call,
}

const LEFT_QUOTES: Complaint = (
    "this ends the quotes that the partial is called in",
    "write the quotes in the file that begins them, or the whole attribute in the partial",
);

const LEFT_TAG: Complaint = (
    "this ends the tag that the partial is called in",
    "write the `>` in the file that begins the tag, or the whole tag in the partial",
);

impl Tracker {
    /// Leaves this, which a partial must not if it was called in it.
    pub(super) fn leave(&mut self, what: Bound) {
        if self.bound == what {
            self.bound = Bound::Nothing;
            self.complaint = Some(if what == Bound::Tag { LEFT_TAG } else { LEFT_QUOTES });
        }
    }

    /// The same point for a partial: without what lies behind and cannot matter to it. It `is_apart` if white space or the end of the tag
    /// follows the call.
    pub(in super::super) fn for_partial(&self, is_apart: bool) -> Option<Self> {
        let foreign = self.foreign.for_partial();
        let is_quoted = matches!(self.state, State::Quoted { .. });
        let in_tag = if self.state == State::InTag { Bound::Tag } else { Bound::Nothing };
        let bound = if is_quoted { Bound::Quotes } else { in_tag };
        if self.half.is_angle() {
            return None;
        }
        let base = Self { state: self.state, foreign, bound, ..self.fresh() };
        let reach = if is_apart { Reach::Call } else { Reach::On };
        let in_tag = || Self { element: self.element.clone(), said: self.said.clone(), ..base.clone() };
        match self.state {
            State::Text | State::CharacterData | State::Quoted { kind: Kind::Plain, .. } => Some(base),
            State::Quoted { kind: Kind::Expression, .. } => Some(Self { script: self.script.clone(), ..base }),
            State::Quoted { kind: Kind::Settings, .. } => Some(Self { value: self.value.clone(), ..base }),
            State::Quoted { kind: Kind::Url | Kind::Images, .. } => {
                // How far the `url=` of a `<meta>` has come would be too much to tell.
                let is_told = local_name(&self.element) != "meta";
                is_told.then(|| Self { url: self.url.clone(), ..in_tag() })
            }
            State::Quoted { kind: Kind::Meta, .. } => (self.power() != Power::Acts).then(in_tag),
            State::Raw if matches!(self.element.as_str(), "textarea" | "title") => {
                Some(Self { element: self.element.clone(), ..base })
            }
            State::InTag => Some(Self { fed: self.fed, reach, ..in_tag() }),
            State::TagOpen
            | State::TagName
            | State::Slash
            | State::AttributeName
            | State::AfterName
            | State::BeforeValue
            | State::Quoted { .. }
            | State::Unquoted
            | State::Comment
            | State::Declaration
            | State::Instruction
            | State::Raw => None,
        }
    }

    /// Whether a partial that was entered at `entry` may end here.
    pub(in super::super) fn returns_to(&self, entry: &Self) -> bool {
        match (self.state, entry.state) {
            (State::AfterName, State::InTag) => true,
            // What follows ends the name, or the value without quotes.
            (State::AttributeName | State::Unquoted, State::InTag) => entry.reach == Reach::Call,
            (State::Quoted { kind: Kind::Url, .. }, state) if self.url.runs() => {
                state == self.state && entry.url.runs()
            }
            (State::Quoted { kind: Kind::Expression | Kind::Settings, .. }, State::Quoted { .. }) => true,
            _ if self.half.is_angle() => false,
            (state, expected) => state == expected && self.element == entry.element,
        }
    }

    /// A partial was called here.
    pub(in super::super) fn called(&mut self) {
        let mut url = self.url.clone();
        self.output();
        if matches!(self.state, State::Quoted { kind, .. } if kind.is_url()) {
            url.called();
            self.url = url;
        }
        if matches!(self.state, State::Quoted { kind: Kind::Expression, .. }) {
            self.script.lose();
        }
        if self.state == State::InTag && !deciders(local_name(&self.element)).is_empty() {
            self.said.called();
        }
    }
}
