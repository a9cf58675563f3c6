//! What a request wants of a cache (RFC 9111, section 5.2.1; RFC 5861, section 4).

use super::Settings;
use super::governing::{has_no_cache, lines};
use crate::fields::{MaxStale, RequestCacheControl};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};
use std::time::Duration;

/// What a request wants. The default is nothing in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Nothing older (section 5.2.1.1).
    pub max_age: Option<Duration>,
    /// Something stale will do (section 5.2.1.2): however stale, or so much.
    pub max_stale: Option<MaxStale>,
    /// Something that stays fresh for so long (section 5.2.1.3).
    pub min_fresh: Option<Duration>,
    /// Nothing that was not validated (section 5.2.1.4).
    pub no_cache: bool,
    /// Nothing of this exchange is to be stored (section 5.2.1.5).
    pub no_store: bool,
    /// What is stored, or 504 (section 5.2.1.7).
    pub only_if_cached: bool,
    /// Something so stale will do in place of an error.
    pub stale_if_error: Option<Duration>,
}

impl Demand {
    /// What a request wants of a cache under these settings.
    pub fn of(request: &HeaderMap, settings: &Settings) -> Self {
        if settings.obeys_requests { Self::read(request) } else { Self::default() }
    }

    /// What its fields say. `Pragma: no-cache` counts where there is no `Cache-Control` (section 5.4).
    pub(super) fn read(request: &HeaderMap) -> Self {
        if !request.contains_key(CACHE_CONTROL) {
            let no_cache = request.contains_key(PRAGMA) && has_no_cache(lines(request, &PRAGMA));
            return Self { no_cache, ..Self::default() };
        }
        let said = RequestCacheControl::parse(lines(request, &CACHE_CONTROL));
        let seconds = |count: u32| Duration::from_secs(count.into());
        Self {
            max_age: said.max_age.map(seconds),
            max_stale: said.max_stale,
            min_fresh: said.min_fresh.map(seconds),
            no_cache: said.no_cache,
            no_store: said.no_store,
            only_if_cached: said.only_if_cached,
            stale_if_error: said.stale_if_error.map(seconds),
        }
    }

    /// Whether something that has been stale for `overdue` will do because the request says so.
    pub(super) fn accepts_stale(&self, overdue: Duration) -> bool {
        match self.max_stale {
            None => false,
            Some(MaxStale::Any) => true,
            Some(MaxStale::Seconds(most)) => overdue <= Duration::from_secs(most.into()),
        }
    }

    /// Whether the request says how old a response may be, and not that it may be stale: then it is not to be (section 5.2.1.1). Nor is it for
    /// who wants it fresh for some time yet (section 5.2.1.3).
    pub(super) fn refuses_stale(&self) -> bool {
        self.min_fresh.is_some() || (self.max_age.is_some() && self.max_stale.is_none())
    }
}
