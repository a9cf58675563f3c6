//! `JSONPath` selectors (RFC 9535), compiled once and run without touching their text again.
//!
//! Parser and evaluator are ours. A selector is refused when it is compiled for everything that would be silent at run time:
//! functions used against their types (section 2.4.3), a regular expression that is none. Running one borrows from the
//! document, builds no paths unless asked, and is bounded: an unlucky document costs an error, not seconds.

mod evaluate;
mod parse;
mod regexp;
mod syntax;

pub use evaluate::{Budget, TooMuchWork};

use crate::value::Value;
use evaluate::{Located, Run};
use std::fmt;
use std::ops::Range;
use syntax::{Pick, Query, Segment};

/// The longest selector that is compiled, in bytes.
pub const LONGEST_SELECTOR: usize = 4096;

/// A compiled `JSONPath` query.
#[derive(Debug)]
pub struct Selector {
    text: Box<str>,
    query: Query,
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectError {
    /// The bytes of the text that are to blame.
    pub range: Range<usize>,
    /// What is wrong: a lower-case phrase without a full stop.
    pub message: String,
    /// What to write instead, if there is something to say.
    pub help: Option<String>,
}

impl Selector {
    /// Compiles `text`, an absolute query (RFC 9535 section 2.1).
    pub fn compile(text: &str) -> Result<Self, SelectError> {
        Ok(Self { text: text.into(), query: parse::query(text)? })
    }

    /// The query as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds names and indexes only, and so selects one node at most (RFC 9535 section 2.3.5.1).
    #[must_use]
    pub fn is_singular(&self) -> bool {
        self.query.singular
    }

    /// The first node selected, found without looking for the others.
    pub fn first<'d>(&self, document: &'d Value, budget: &Budget) -> Result<Option<&'d Value>, TooMuchWork> {
        if self.query.singular {
            return Ok(evaluate::point(&self.query.segments, document));
        }
        Run::new(document, budget).first(&self.query)
    }

    /// All nodes selected, in the order of section 2.5.2; a node that is selected twice is there twice.
    pub fn all<'d>(&self, document: &'d Value, budget: &Budget) -> Result<Vec<&'d Value>, TooMuchWork> {
        if self.query.singular {
            return Ok(evaluate::point(&self.query.segments, document).into_iter().collect());
        }
        let mut found = Vec::new();
        Run::new(document, budget).each(&self.query, document, |node| found.push(node))?;
        Ok(found)
    }

    /// All nodes selected, each with its normalized path (RFC 9535 section 2.7).
    pub fn all_with_paths<'d>(
        &self,
        document: &'d Value,
        budget: &Budget,
    ) -> Result<Vec<(String, &'d Value)>, TooMuchWork> {
        let mut found = Vec::new();
        let root = Located::root(document);
        let run = Run::new(document, budget);
        run.each_located(&self.query, &root, |path, value| found.push((path, value)))?;
        Ok(found)
    }

    /// The names of a singular query that has no indexes, to describe it: `$.a.b` is `["a", "b"]`.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&str>> {
        names(&self.query.segments)
    }

    /// The names before the wildcard of a query like `$.a.b[*]`, which selects what one member holds.
    pub(super) fn names_of_each(&self) -> Option<Vec<&str>> {
        match self.query.segments.split_last()? {
            (Segment::Child(picks), before) if matches!(**picks, [Pick::Wildcard]) => names(before),
            (Segment::Child(_) | Segment::Descendant(_), _) => None,
        }
    }
}

/// The names that segments are, if they are nothing else.
fn names<'s>(segments: &'s [Segment]) -> Option<Vec<&'s str>> {
    let name = |segment: &'s Segment| match segment {
        Segment::Child(picks) => match &**picks {
            [Pick::Name(name)] => Some(&**name),
            _ => None,
        },
        Segment::Descendant(_) => None,
    };
    segments.iter().map(name).collect()
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for Selector {
    /// Written alike.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests;
