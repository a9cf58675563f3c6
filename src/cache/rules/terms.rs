//! What was read of an exchange when it was stored, once and for all. Plain data: a store keeps it beside the response, on disk too.

use super::{LifetimeSource, Part, VaryNames};
use crate::cache::{Allowance, Jitter, Windows};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use std::time::{Duration, Instant, SystemTime};

/// One exchange with an origin, as far as the heads of its messages.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'e> {
    /// The method of the request.
    pub method: &'e Method,
    /// Its target, as the origin knows it, and by any other names, such as the one by which clients know it.
    pub targets: &'e [&'e Uri],
    /// Its fields, as the client sent them.
    pub request: &'e HeaderMap,
    /// The status of the response.
    pub status: StatusCode,
    /// Its fields, as they came.
    pub response: &'e HeaderMap,
    /// When its head was there (section 4.2.3: `response_time`).
    pub received: SystemTime,
    /// How long that was after it was asked for (`response_delay`).
    pub delay: Duration,
}

/// Under what conditions a stored response answers without being validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reusable {
    /// While it is fresh; and stale, where that is allowed.
    Freely,
    /// While it is fresh; stale only as the response itself allows: `s-maxage` forbids what anybody else might want (section 5.2.2.10).
    AsItSays,
    /// While it is fresh: `must-revalidate` or `proxy-revalidate` (sections 5.2.2.2 and 5.2.2.8).
    WhileFresh,
    /// Never: `no-cache` (section 5.2.2.4).
    Validated,
}

/// What a stored response says about its reuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long it is fresh, from when it was made.
    pub lifetime: Duration,
    /// Where that comes from.
    pub lifetime_source: LifetimeSource,
    /// How old it was when it was received (section 4.2.3: `corrected_initial_age`).
    pub initial_age: Duration,
    /// When it was received.
    pub received: SystemTime,
    /// Its `Date`, or when it was received.
    pub date: SystemTime,
    /// When its representation changed last, if it says so.
    pub last_modified: Option<SystemTime>,
    /// Whether there is something to validate it by.
    pub has_validator: bool,
    /// Whether it has to be validated.
    pub reusable: Reusable,
    /// Whether it does not change while it is fresh (RFC 8246).
    pub is_immutable: bool,
    /// For how long it may be served stale while it is fetched anew (RFC 5861, section 3).
    pub stale_while_revalidate: Duration,
    /// For how long it may be served stale in place of an error (RFC 5861, section 4; RFC 9111, section 4.2.4).
    pub stale_if_error: Duration,
    /// Whether that was said or declared, so that it holds for any server error; otherwise for an origin that cannot be reached.
    pub is_stale_if_error_said: bool,
    /// The request fields that chose it (section 4.1).
    pub vary: VaryNames,
    /// Its fields that are not stored: those which `private` or `no-cache` names (sections 5.2.2.4 and 5.2.2.7).
    pub withheld: Vec<HeaderName>,
    /// The groups that it is in (RFC 9875, section 2).
    pub groups: Vec<String>,
    /// Which part of the representation it is; none if it is all of it.
    pub part: Option<Part>,
}

impl Terms {
    /// How long it is fresh and what may be done with it after that.
    pub fn allowance(&self) -> Allowance {
        match self.reusable {
            Reusable::Validated => Allowance::default(),
            Reusable::Freely | Reusable::AsItSays | Reusable::WhileFresh => {
                Allowance::new(self.lifetime, self.stale_while_revalidate, self.stale_if_error)
            }
        }
    }

    /// The moments at which that changes, for a response that has just been received: `now` is that moment.
    pub fn windows(&self, now: Instant, jitter: Jitter) -> Windows {
        self.allowance().from(now, self.initial_age, jitter)
    }

    /// The same for one that was kept somewhere since, if it is `wall` now by the clock it was received by (section 4.2.3: `resident_time`).
    pub fn windows_later(&self, now: Instant, wall: SystemTime, jitter: Jitter) -> Windows {
        let resident = wall.duration_since(self.received).unwrap_or_default();
        self.allowance().from(now, self.initial_age.saturating_add(resident), jitter)
    }
}
