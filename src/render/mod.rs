//! Layouts: Liquid compiled to a tree that writes values into one buffer, escaped for where they land.
//!
//! Pure: output depends on layout, values and the given time alone. It knows nothing of requests, sources or routes.
//!
//! A [`Library`] holds the layouts of a site; a [`Layout`] says which values it reads ([`Layout::reads`]) and renders them;
//! a [`Condition`] is Liquid's condition on its own; a [`Fragment`] is a template on its own.
//!
//! The way of a template: `lex` (text to tokens) → `parse` and `tag` (tokens to `tree`, with `expr` for what stands within
//! them and `context` for where outputs stand in the markup) → `program` (a layout, its outer layouts and its partials with
//! one table of names) → `reads` (what it reads) → `run`. New filters go to `filter/`, new tags to `tag.rs`.
//!
//! `needs` finds in a program what its pages make a browser load and run.
//!
//! Two scopes are told apart. `{% include %}` shares everything with its caller. `{% render %}` sees its own parameters and the
//! root names (`site`, `vars`, `page`, every source …), but no variable of its caller.

mod assets;
mod budget;
mod buffer;
mod callers;
mod code;
mod compare;
mod condition;
mod context;
mod escape;
mod expr;
mod filter;
mod fixed;
mod fragment;
mod kept;
mod layout;
mod lex;
mod mend;
mod needs;
mod parse;
mod program;
mod reads;
mod run;
mod scope;
mod tag;
mod tags;
#[cfg(test)]
mod tests;
mod tree;
mod val;

pub use assets::{AssetUrls, AssetUse};
pub use buffer::Buffer;
pub use callers::Caller;
pub use code::CODES;
pub use condition::{Condition, TooMuchWork, Work};
pub use filter::{
    DATE_OF_EXAMPLES, DIRECTIVES, EXAMPLE_DATA, FilterDocs, MoneyFormat, MoneyFormatError, MoneyFormats,
    documentation as filters,
};
pub use fragment::{Escape, Fragment, FragmentError};
pub use kept::KeptLayouts;
pub use layout::{Layout, LayoutSource, Library};
pub use needs::{Needs, Obstacle, ObstacleKind, Origin, Use};
pub use reads::{Granularity, Read, Root, Segment};
pub use tags::{EXAMPLE_PARTIALS, TAGS, TagDocs, TagEffect, TagExample};

use crate::diagnostic::Place;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What one render may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of output.
    pub output_bytes: usize,
    /// Bytes of strings and lists that filters and captures make on the way.
    pub made_bytes: usize,
    /// Bytes of strings that filters and comparisons read; to look at an item of a list or a member counts as some, too.
    pub read_bytes: usize,
    /// Runs through the bodies of loops and calls of partials, all together.
    pub iterations: usize,
    /// Blocks and partials inside each other.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output_bytes: 4 << 20, made_bytes: 16 << 20, read_bytes: 512 << 20, iterations: 100_000, nesting: 64 }
    }
}

impl Limits {
    /// These, but no more than what takes a few milliseconds.
    #[must_use]
    pub fn of_short_work(&self) -> Self {
        Self {
            output_bytes: self.output_bytes.min(512 << 10),
            made_bytes: self.made_bytes.min(1 << 20),
            read_bytes: self.read_bytes.min(8 << 20),
            iterations: self.iterations.min(10_000),
            nesting: self.nesting,
        }
    }
}

/// What a render knows besides its values.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What it may cost.
    pub limits: &'a Limits,
    /// The time that `'now'` means.
    pub now: Timestamp,
    /// The time zone of dates that have none of their own.
    pub time_zone: &'a TimeZone,
    /// What it knows of the site.
    pub site: Site<'a>,
}

/// What filters know of the site.
#[derive(Debug, Clone, Copy, Default)]
pub struct Site<'a> {
    /// `site.url`, for `absolute_url` and `relative_url`.
    pub url: Option<&'a str>,
    /// `site.money-format` and `site.money-with-currency-format`; without them, the bare amount.
    pub money: Option<&'a MoneyFormats>,
    /// Makes sanitised HTML of Markdown, for `markdownify`; nothing of a text that is too long or too deep. This floor knows
    /// no Markdown: a floor above, which does, gives the function.
    pub markdown: Option<fn(&str) -> Option<String>>,
    /// The URLs of published files, for `asset_url`.
    pub assets: Option<&'a AssetUrls>,
}

/// Why a render ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// More output than [`Limits::output_bytes`].
    #[error("the output is larger than {limit} bytes")]
    OutputTooLarge {
        /// The limit in bytes.
        limit: usize,
        /// The output that was one too many.
        place: Place,
    },
    /// Filters and captures made more on the way than [`Limits::made_bytes`].
    #[error("filters and captures make more than {limit} bytes")]
    TooMuchMade {
        /// The limit in bytes.
        limit: usize,
        /// Where the last of them were made.
        place: Place,
    },
    /// Filters and comparisons read more than [`Limits::read_bytes`].
    #[error("filters and comparisons read more than {limit} bytes")]
    TooMuchRead {
        /// The limit in bytes.
        limit: usize,
        /// Where the last of them were read.
        place: Place,
    },
    /// More runs through loops than [`Limits::iterations`].
    #[error("loops run more than {limit} times")]
    TooManyIterations {
        /// The limit.
        limit: usize,
        /// The loop that was running.
        place: Place,
    },
    /// More blocks and partials inside each other than [`Limits::nesting`].
    #[error("blocks and partials are nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// The block or partial that was one too many.
        place: Place,
    },
    /// A filter or comparison cannot use its values. Only a [`Fragment`] says so; a layout prints nothing there.
    #[error("{complaint}")]
    Unusable {
        /// Why not.
        complaint: &'static str,
        /// The output or tag.
        place: Place,
    },
    /// A partial is missing, or cannot be read, or may not be called there. Only a [`Fragment`] says so: those of a layout are
    /// known before it is rendered.
    #[error("{complaint}")]
    Refused {
        /// What is wrong with it.
        complaint: Box<str>,
        /// The call, or what cannot be read.
        place: Place,
    },
}

impl RenderError {
    /// Whether it was more than the limits allow, so that others might allow it.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        match self {
            Self::OutputTooLarge { .. } | Self::TooMuchMade { .. } | Self::TooMuchRead { .. } => true,
            Self::TooManyIterations { .. } => true,
            Self::TooDeep { .. } | Self::Unusable { .. } | Self::Refused { .. } => false,
        }
    }

    /// Where it happened.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::OutputTooLarge { place, .. }
            | Self::TooMuchMade { place, .. }
            | Self::TooMuchRead { place, .. }
            | Self::TooManyIterations { place, .. }
            | Self::TooDeep { place, .. }
            | Self::Unusable { place, .. }
            | Self::Refused { place, .. } => *place,
        }
    }
}
