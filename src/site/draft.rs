//! A load before it is decided whether its site may be served: everything that could be compiled, whatever is wrong with the rest.
//!
//! Rules about a whole site look at an [`Outline`], so that they find what they find beside all other mistakes. What a failed route
//! would have read or called is not known to its end; an outline holds what its declaration mentions, so that nothing is called unused
//! that is only mistyped elsewhere.

use super::{Loaded, Site};
use crate::config::Template;
use crate::diagnostic::{FileId, Files, Findings, Spanned};
use crate::render::Library;
use crate::router::Pattern;
use crate::upstream::Trust;
use std::sync::Arc;

/// What was read and found, before it is decided.
#[derive(Debug)]
pub struct Draft {
    /// What is wrong, in the order it was found.
    pub findings: Findings,
    /// The texts that the findings point into.
    pub files: Files,
    /// What could be compiled; `None` if `site.toml` itself could not be read.
    pub outline: Option<Outline>,
}

/// What is known of a site, sound or not.
#[derive(Debug)]
pub struct Outline {
    /// The site; one that is served only if nothing at all is wrong with it.
    pub(super) site: Site,
    /// All routes. Positions in the site's routers are positions in this list.
    pub routes: Vec<RouteOutline>,
    /// The layouts, those that nothing uses among them.
    pub library: Library,
    /// The layouts that sections name for error pages, and all that sections without routes name.
    pub section_layouts: Vec<String>,
    /// The upstreams that sections without routes name.
    pub section_upstreams: Vec<String>,
    /// Whether `site.url` is written, rightly or not.
    pub says_url: bool,
    /// What all is known.
    pub known: Certainty,
}

/// What is known to its end. Where something is not, nothing is said to be missing or unused.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is known or not, whatever the others are")]
pub struct Certainty {
    /// Every declaration could be read.
    pub declarations: bool,
    /// Every route is where it belongs in the routers.
    pub urls: bool,
    /// Every call of a partial is known.
    pub partials: bool,
    /// It is known which layouts lie around which.
    pub nesting: bool,
}

/// What is known of a route, sound or not.
#[derive(Debug)]
pub struct RouteOutline {
    /// Its file.
    pub file: FileId,
    /// The first host that it names.
    pub host: Option<Arc<str>>,
    /// Its patterns, with the types of their parameters.
    pub patterns: Vec<Pattern>,
    /// The layouts that it names: those that show it, those of its rules, those of its error pages. `None` if it may mean any.
    pub layouts: Option<Vec<String>>,
    /// The declared upstreams that its sources name, without those of sources that nothing reads.
    pub upstreams: Vec<String>,
    /// The calls of its sources.
    pub calls: Vec<Called>,
    /// The names of sources whose values come from outside, without those that the author trusts.
    pub untrusted: Vec<String>,
    /// The inputs that are numbers or one of a few values: `query`, and a name.
    pub narrow: Vec<(&'static str, String)>,
    /// Where it sends all its visitors.
    pub redirect: Option<Template>,
    /// Where its rules and its sources may send them.
    pub detours: Vec<Template>,
}

/// A call that a source makes.
#[derive(Debug)]
pub struct Called {
    /// The source.
    pub source: Spanned<String>,
    /// Which upstream it goes to, by position.
    pub upstream: usize,
    /// Which addresses it may go to.
    pub trust: Trust,
}

impl Outline {
    /// The site as far as it could be compiled: all of its routers and upstreams, and those routes that are sound.
    pub fn site(&self) -> &Site {
        &self.site
    }
}

impl RouteOutline {
    /// Every target that it may send visitors to.
    pub fn targets(&self) -> impl Iterator<Item = &Template> {
        self.redirect.iter().chain(&self.detours)
    }
}

impl Draft {
    /// The site, if no finding is an error.
    #[must_use]
    pub fn finish(self) -> Loaded {
        let Self { mut findings, files, outline } = self;
        findings.sort();
        let site = outline.map(|outline| outline.site).filter(|_| !findings.has_errors());
        Loaded { site, findings, files }
    }
}
