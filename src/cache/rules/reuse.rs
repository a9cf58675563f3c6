//! What may be done now with a stored response that was chosen for a request (RFC 9111, sections 4 and 4.2.4; RFC 5861).

use super::{Demand, Reusable, Terms};
use crate::cache::{Verdict, Windows};
use crate::fields::Forward;
use http::StatusCode;
use std::time::{Duration, Instant};

/// What may be done with a stored response now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It answers.
    Fresh {
        /// How old it is.
        age: Duration,
        /// For how much longer it is fresh.
        left: Duration,
    },
    /// It answers, and is fetched anew meanwhile (RFC 5861, section 3).
    WhileRevalidating {
        /// How old it is.
        age: Duration,
        /// For how long it has been stale.
        overdue: Duration,
    },
    /// It answers because the request accepts something so stale (section 5.2.1.2).
    Accepted {
        /// How old it is.
        age: Duration,
        /// For how long it has been stale.
        overdue: Duration,
    },
    /// It is to be validated first. If that fails, [`may_serve_on_error`] says whether it answers all the same.
    Validate(Because),
    /// It does not answer, and the request wants nothing else: 504 (section 5.2.1.7).
    Refused(Because),
}

/// Why a stored response does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// It is stale.
    Stale,
    /// It says `no-cache`.
    NoCache,
    /// The request says `no-cache`.
    RequestNoCache,
    /// It is older than the request's `max-age`.
    RequestMaxAge,
    /// It does not stay fresh for as long as the request's `min-fresh`.
    RequestMinFresh,
}

impl Because {
    /// As `Cache-Status` says it (RFC 9211, section 2.2).
    pub fn forward(self) -> Forward {
        match self {
            Self::Stale | Self::NoCache => Forward::Stale,
            Self::RequestNoCache | Self::RequestMaxAge | Self::RequestMinFresh => Forward::Request,
        }
    }

    /// In a token, as `Cache-Status` has it in its `detail`; none where that would repeat what it says.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Stale => None,
            Self::NoCache | Self::RequestNoCache => Some("no-cache"),
            Self::RequestMaxAge => Some("max-age"),
            Self::RequestMinFresh => Some("min-fresh"),
        }
    }
}

/// What may be done at `now` with a response that was stored on these terms.
pub fn reuse(terms: &Terms, windows: &Windows, demand: &Demand, now: Instant) -> Reuse {
    let because = match unless_it_answers(terms, windows, demand, now) {
        Ok(reuse) => return reuse,
        Err(because) => because,
    };
    if !demand.only_if_cached {
        return Reuse::Validate(because);
    }
    // Nothing can be fetched for this request: a lifetime that was cut short to spread fetches is whole again.
    match (because, windows.remaining(now)) {
        (Because::Stale, Ok(left)) => Reuse::Fresh { age: windows.age(now), left },
        _ => Reuse::Refused(because),
    }
}

fn unless_it_answers(terms: &Terms, windows: &Windows, demand: &Demand, now: Instant) -> Result<Reuse, Because> {
    if terms.reusable == Reusable::Validated {
        return Err(Because::NoCache);
    }
    if demand.no_cache {
        return Err(Because::RequestNoCache);
    }
    let age = windows.age(now);
    // RFC 8246, section 2: a proxy asks nothing about what does not change, but for `no-cache`.
    let is_unchanged = terms.is_immutable && windows.remaining(now).is_ok();
    if demand.max_age.is_some_and(|most| age > most) && !is_unchanged {
        return Err(Because::RequestMaxAge);
    }
    let overdue = windows.remaining(now).err().unwrap_or_default();
    let may_serve_while_revalidating = match windows.verdict(now) {
        Verdict::Fresh { ttl, .. } if demand.min_fresh.is_none_or(|least| ttl >= least) => {
            return Ok(Reuse::Fresh { age, left: ttl });
        }
        Verdict::Fresh { .. } => return Err(Because::RequestMinFresh),
        Verdict::Stale { may_serve_while_revalidating, .. } => may_serve_while_revalidating,
        Verdict::Expired => false,
    };
    if terms.reusable == Reusable::Freely && demand.min_fresh.is_none() && demand.accepts_stale(overdue) {
        return Ok(Reuse::Accepted { age, overdue });
    }
    if may_serve_while_revalidating && !demand.refuses_stale() && !demand.only_if_cached {
        return Ok(Reuse::WhileRevalidating { age, overdue });
    }
    Err(Because::Stale)
}

/// What became of an attempt to validate or fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No answer: no connection, or it ended, or took too long.
    Unreachable,
    /// An answer of this status.
    Status(StatusCode),
}

/// Whether a stored response may answer at `now` after that failed (section 4.2.4; RFC 5861, section 4). What the request says of ages is a
/// wish, and an error would not meet it either; its `no-cache` is heard (section 5.2.1.4).
///
/// 500, 502, 503 and 504 are errors that a response may say to be stale for. Where none says so, those of a gateway count like an origin that
/// cannot be reached (RFC 9111, section 4.3.3), and a 500 is passed on.
pub fn may_serve_on_error(terms: &Terms, windows: &Windows, demand: &Demand, now: Instant, failure: Failure) -> bool {
    if matches!(terms.reusable, Reusable::Validated) || demand.no_cache {
        return false;
    }
    let is_said = terms.is_stale_if_error_said || demand.stale_if_error.is_some();
    let is_error = match failure {
        Failure::Unreachable => true,
        Failure::Status(status) => match status.as_u16() {
            502..=504 => true,
            500 => is_said,
            _ => false,
        },
    };
    let Err(overdue) = windows.remaining(now) else { return is_error };
    let is_within = match windows.verdict(now) {
        Verdict::Fresh { .. } => true,
        Verdict::Stale { may_serve_on_error, .. } => may_serve_on_error,
        Verdict::Expired => false,
    };
    let is_accepted = terms.reusable == Reusable::Freely && demand.stale_if_error.is_some_and(|most| overdue <= most);
    is_error && (is_within || is_accepted)
}
