//! Where in its format each output of a layout stands, and so how it is written: one tracker for each format that has a structure.
//!
//! A tracker follows the literal parts of a layout and says at each output what may be printed there ([`Stand`]). It knows nothing
//! of values or of Liquid. A format without a structure (`.txt`) has none. Where a tracker is unsure it refuses, it never says "safe".

mod attribute;
mod balance;
mod csv;
mod foreign;
mod json;
mod markup;
mod said;
mod script;
#[cfg(test)]
mod tests;
mod url;

pub(super) use attribute::is_event_of_xml;
pub(super) use balance::{balanced, with_breaks};
pub(super) use markup::{Sight, Tracker as Markup};
pub(super) use url::{RUNNING, WITH_HOSTS, is_media};

use super::escape::{Look, Sink};
use crate::fields::{content_type_of, is_json};

/// What may be printed at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Anything, through this sink.
    Fine(Sink),
    /// Only what the `json` filter made, through this sink: where, in words.
    OnlyJson(Sink, &'static str),
    /// Only what the layout itself names, through this sink: where, and what to do instead.
    OnlyOwn(Sink, &'static str, &'static str),
    /// Only a number: where, and what to do instead.
    OnlyNumber(&'static str, &'static str),
    /// Nothing: why, and what to do instead.
    Refused(&'static str, &'static str),
}

/// A byte of a literal part that must not follow a value which was printed before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clash {
    /// Where in the literal part it stands.
    pub(super) at: usize,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// Where in a literal part the page must be looked at before it goes on, and how.
pub(super) type Guard = (usize, Look);

/// Whether a text of the layout may be printed anywhere between tags without changing what stands behind it: it has no `<`, or the
/// tags in it begin and end in it. What would hide or colour what follows, a script or a drawing that is left open, is not whole;
/// nor is the end of one that was opened elsewhere.
pub(super) fn is_whole(text: &str) -> bool {
    !text.contains('<') || markup::is_whole(text)
}

/// Follows a layout, literal by literal, output by output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tracker {
    /// Boxed because each block that is open keeps some.
    Markup(Box<markup::Tracker>),
    Json(json::Tracker),
    Csv(csv::Tracker),
}

impl Tracker {
    /// At the beginning of a file with this extension; none if its format has no structure to keep.
    pub(super) fn of(extension: &str) -> Option<Self> {
        match extension {
            "html" => Some(Self::Markup(Box::new(markup::Tracker::html()))),
            "xml" => Some(Self::Markup(Box::new(markup::Tracker::xml()))),
            _ if extension.eq_ignore_ascii_case("csv") => Some(Self::Csv(csv::Tracker::default())),
            _ => is_json(&content_type_of(&format!(".{extension}"))).then(|| Self::Json(json::Tracker::default())),
        }
    }

    /// At the beginning of the same format.
    pub(super) fn fresh(&self) -> Self {
        match self {
            Self::Markup(tracker) => Self::Markup(Box::new(tracker.fresh())),
            Self::Json(_) => Self::Json(json::Tracker::default()),
            Self::Csv(_) => Self::Csv(csv::Tracker::default()),
        }
    }

    /// Whether it is markup, where finished text is told from data.
    pub(super) fn is_markup(&self) -> bool {
        matches!(self, Self::Markup(_))
    }

    /// Whether a file or a captured text may end here.
    pub(super) fn is_at_rest(&self) -> bool {
        match self {
            Self::Markup(tracker) => tracker.is_text(),
            Self::Json(tracker) => tracker.is_at_rest(),
            Self::Csv(tracker) => tracker.is_at_rest(),
        }
    }

    /// Whether the drawings and formulas around are those at `entry`.
    pub(super) fn keeps_drawings(&self, entry: &Self) -> bool {
        match (self, entry) {
            (Self::Markup(end), Self::Markup(entry)) => end.keeps_drawings(entry),
            _ => true,
        }
    }

    /// Whether rows and cells of a table may be printed here.
    pub(super) fn takes_elements(&self) -> bool {
        matches!(self, Self::Markup(tracker) if tracker.is_text())
    }

    /// The same point as seen by a partial that is called here: what it needs to know, and nothing else, so that calls from alike
    /// points share one. None where a partial cannot stand.
    ///
    /// It `is_apart` if white space or the end of a tag follows the call.
    pub(super) fn for_partial(&self, is_apart: bool) -> Option<Self> {
        match self {
            Self::Markup(tracker) => tracker.for_partial(is_apart).map(Box::new).map(Self::Markup),
            Self::Json(_) | Self::Csv(_) => Some(self.clone()),
        }
    }

    /// Whether a partial that was entered at `entry` may end here.
    pub(super) fn returns_to(&self, entry: &Self) -> bool {
        match (self, entry) {
            (Self::Markup(end), Self::Markup(entry)) => end.returns_to(entry),
            (Self::Csv(end), Self::Csv(entry)) => end.returns_to(*entry),
            _ => self.join(entry).is_some(),
        }
    }

    /// Whether what is printed here is a part of the address of a script.
    pub(super) fn names_script(&self) -> bool {
        matches!(self, Self::Markup(tracker) if tracker.names_script())
    }

    /// What may be printed here.
    pub(super) fn stand(&self) -> Stand {
        match self {
            Self::Markup(tracker) => tracker.stand(),
            Self::Json(tracker) => tracker.stand(),
            Self::Csv(tracker) => tracker.stand(),
        }
    }

    /// Whether a library takes what is printed here for markup or for an address, whatever form it has.
    pub(super) fn is_powerful(&self) -> bool {
        matches!(self, Self::Markup(tracker) if tracker.is_powerful())
    }

    /// Whether a library would run what is printed here as code; `json` if it is JSON.
    pub(super) fn is_run(&self, json: bool) -> bool {
        matches!(self, Self::Markup(tracker) if tracker.is_run(json))
    }

    /// Whether a list of images begins here.
    pub(super) fn begins_list(&self) -> bool {
        matches!(self, Self::Markup(tracker) if tracker.begins_list())
    }

    /// Something was printed here.
    pub(super) fn output(&mut self) {
        match self {
            Self::Markup(tracker) => tracker.output(),
            Self::Json(_) => {}
            Self::Csv(tracker) => tracker.output(),
        }
    }

    /// A partial was called here, whose literal parts are followed on their own.
    pub(super) fn called(&mut self) {
        match self {
            Self::Markup(tracker) => tracker.called(),
            Self::Json(_) | Self::Csv(_) => self.output(),
        }
    }

    /// A partial is called here, and may have been called here before.
    pub(super) fn called_before(&mut self) {
        match self {
            Self::Markup(tracker) => tracker.called(),
            Self::Json(_) => {}
            Self::Csv(tracker) => *tracker = tracker.before_any_run(),
        }
    }

    /// Follows a literal part; `guards` are added to.
    pub(super) fn literal(&mut self, text: &str, guards: &mut Vec<Guard>) -> Option<Clash> {
        match self {
            Self::Markup(tracker) => tracker.guarded_literal(text, guards),
            Self::Json(tracker) => {
                tracker.literal(text);
                None
            }
            Self::Csv(tracker) => tracker.literal(text),
        }
    }

    /// Where the second run of a loop's body begins that leaves `end` behind; none if the first tells all.
    pub(super) fn after_a_run(&self, end: &Self) -> Option<Self> {
        match (self, end) {
            (Self::Markup(entry), Self::Markup(end)) => entry.after_a_run(end).map(Box::new).map(Self::Markup),
            (Self::Csv(entry), Self::Csv(end)) => entry.after_a_run(*end).map(Self::Csv),
            _ => None,
        }
    }

    /// Where further runs begin of a body whose second begins here and leaves `end` behind, if that is nowhere known; nothing is sure
    /// there. None if they begin where the second did.
    pub(super) fn after_more_runs(&self, end: &Self) -> Option<Self> {
        match (self, end) {
            (Self::Markup(entry), Self::Markup(end)) => entry.after_more_runs(end).map(Box::new).map(Self::Markup),
            _ => None,
        }
    }

    /// The point after either of two branches; none if they leave it in different places.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Markup(one), Self::Markup(other)) => one.join(other).map(Box::new).map(Self::Markup),
            (Self::Json(one), Self::Json(other)) => one.join(*other).map(Self::Json),
            (Self::Csv(one), Self::Csv(other)) => one.join(*other).map(Self::Csv),
            _ => None,
        }
    }
}
