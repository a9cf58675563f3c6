//! `[cache]` of a route that passes an upstream's answers on: what our store does as the shared cache in front of that upstream.
//!
//! The upstream says what may be stored and for how long (RFC 9111); what is written here gives lifetimes of its own.

use super::decl::{Decl, Freshness};
use super::{VARIANTS, variants};
use crate::cache::rules;
use crate::diagnostic::{Findings, Spanned};
use std::sync::Arc;
use std::time::Duration;

/// What is kept of an upstream's answers.
#[derive(Debug, Clone)]
pub struct ProxyCache {
    /// By which rules.
    pub settings: rules::Settings,
    /// How many responses of one URL are kept at most.
    pub variants: usize,
    /// The tags of all of them.
    pub tags: Vec<Arc<str>>,
}

impl ProxyCache {
    /// What is written; what holds where nothing is.
    pub fn compile(decl: Option<&Decl>, findings: &mut Findings) -> Self {
        let Some(decl) = decl else {
            return Self { settings: rules::Settings::default(), variants: VARIANTS, tags: Vec::new() };
        };
        let said = &decl.rules.directives;
        let value = |said: Option<Spanned<Duration>>| said.map(|said| said.value);
        let shared = said.s_maxage.and_then(|said| match said.value {
            Freshness::For(time) => Some(time),
            Freshness::Auto => None,
        });
        let fresh = shared.or(value(said.max_age));
        let (stale_while_revalidate, stale_if_error) = (value(said.stale_while_revalidate), value(said.stale_if_error));
        let overrides = decl.overrides.is_some_and(|overrides| overrides.value);
        let rank = if overrides { rules::Rank::BeatsAll } else { rules::Rank::BeatsLifetimes };
        let is_written = fresh.is_some() || stale_while_revalidate.is_some() || stale_if_error.is_some();
        let written = is_written.then_some(rules::Written { fresh, stale_while_revalidate, stale_if_error, rank });
        let default = rules::Settings::default();
        let settings = rules::Settings {
            heuristics: decl.heuristic.is_none_or(|heuristic| heuristic.value),
            obeys_requests: decl.request_directives.is_none_or(|obeyed| obeyed.value),
            stale_when_unreachable: stale_if_error.unwrap_or(default.stale_when_unreachable),
            written,
            ..default
        };
        let tags = decl.rules.tags.iter().flatten().filter_map(|tag| tag.value.as_literal().map(Arc::from)).collect();
        Self { settings, variants: variants(decl.rules.variants, findings), tags }
    }
}
