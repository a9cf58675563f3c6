//! Whether a call is sent again, and when.
//!
//! Pure: what happened in, a pause or nothing out. Only calls that may be done twice, only while no part of an answer has been used, and
//! only within the time and the budget that are left. A budget keeps retries a small share of all calls, so that an upstream in trouble
//! is not asked twice as often as one in health.

use super::{Answer, Failure};
use http::header::{self, HeaderMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The pause before the first retry, before jitter; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// No pause is longer, and a `Retry-After` beyond it means: not now.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long to wait before the next attempt; `None` to leave it at this outcome.
///
/// `attempt` counts from zero; `jitter` lies between 0 and 1; `left` is the time until the deadline.
pub(super) fn pause(outcome: &Result<Answer, Failure>, attempt: u32, left: Duration, jitter: f64) -> Option<Duration> {
    let backoff = FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).mul_f64(0.5 + jitter / 2.0).min(LONGEST_PAUSE);
    let pause = match outcome {
        Err(failure) => failure.is_transient().then_some(backoff)?,
        Ok(answer) => match (answer.status.as_u16(), Asked::by(&answer.headers)) {
            (502..=504, Asked::Nothing) => backoff,
            (429 | 502..=504, Asked::For(asked)) => (asked <= LONGEST_PAUSE).then(|| asked.max(backoff))?,
            (_, Asked::Nothing | Asked::For(_) | Asked::Patience) => return None,
        },
    };
    (pause < left).then_some(pause)
}

/// What an answer asks for with `Retry-After` (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing: it has no such field.
    Nothing,
    /// To be called again after this time.
    For(Duration),
    /// Something that is neither a time nor a date: patience, and nobody can tell how much.
    Patience,
}

impl Asked {
    /// What the fields of an answer ask for. A date counts from the answer's own `Date`, so that the clocks of the two machines need
    /// not agree.
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::RETRY_AFTER) else { return Self::Nothing };
        let text = value.to_str().map(str::trim).unwrap_or_default();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::For(text.parse().map_or(Duration::MAX, Duration::from_secs));
        }
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        let now = headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?));
        match date(text).zip(now) {
            Some((until, now)) => Self::For(until.duration_since(now).unwrap_or_default()),
            None => Self::Patience,
        }
    }
}

/// A number between 0 and 1 that nobody can foretell. Needs no good randomness, only different numbers for different callers.
pub(super) fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// How many retries an upstream's calls have earned: one for every ten calls, and ten to begin with, which is also the most.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    const PRICE: u32 = 10;
    const MOST: u32 = 10 * Self::PRICE;

    pub(super) fn new() -> Self {
        Self(AtomicU32::new(Self::MOST))
    }

    /// A call was made.
    pub(super) fn earn(&self) {
        // While full, which is nearly always, this is a read of a shared cache line and no write.
        if self.0.load(Ordering::Relaxed) < Self::MOST {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a retry can be paid for; if so it is.
    pub(super) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::PRICE)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CodingFault, NameFault, Part, Unreachable, Wait};
    use super::*;
    use bytes::Bytes;
    use http::StatusCode;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: Bytes::new(),
            elapsed: Duration::ZERO,
            place: None,
        }
    }

    fn after(outcome: &Result<Answer, Failure>) -> Option<Duration> {
        pause(outcome, 0, Duration::from_secs(10), 1.0)
    }

    #[test]
    fn transient_failures_are_tried_again() {
        for failure in [
            Failure::Unreachable(Unreachable::Refused),
            Failure::Unreachable(Unreachable::Connection),
            Failure::Unreachable(Unreachable::Name(NameFault::LookupFailed)),
            Failure::Interrupted(Part::Head),
            Failure::Timeout(Wait::Connection),
        ] {
            assert!(after(&Err(failure)).is_some(), "{failure:?}");
        }
        for failure in [
            Failure::RefusedAddress("loopback"),
            Failure::Unreachable(Unreachable::Tls),
            Failure::Unreachable(Unreachable::Name(NameFault::NotFound)),
            Failure::Interrupted(Part::Body),
            Failure::Timeout(Wait::FirstByte),
            Failure::Timeout(Wait::Turn),
            Failure::TooLarge(Part::Body),
            Failure::Undecodable(CodingFault::Broken),
            Failure::InvalidResponse,
            Failure::BreakerOpen,
            Failure::TooManyRedirects,
        ] {
            assert_eq!(after(&Err(failure)), None, "{failure:?}");
        }
    }

    #[test]
    fn only_statuses_of_a_passing_trouble_are_tried_again() {
        for (status, again) in [
            (200, false),
            (301, false),
            (404, false),
            (429, false),
            (500, false),
            (501, false),
            (502, true),
            (503, true),
            (504, true),
        ] {
            assert_eq!(after(&Ok(answer(status, &[]))).is_some(), again, "{status}");
        }
    }

    #[test]
    fn retry_after_is_respected_when_short() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, expected) in [
            (vec![("retry-after", "1")], Some(Duration::from_secs(1))),
            (vec![("retry-after", "0")], Some(FIRST_PAUSE)),
            (vec![("retry-after", "2")], Some(Duration::from_secs(2))),
            (vec![("retry-after", "3")], None),
            (vec![("retry-after", "99999999999999999999999")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT"), date], Some(Duration::from_secs(1))),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT")], None),
            (vec![("retry-after", "Sun, 06 Nov 1994 09:49:38 GMT"), date], None),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT"), date], Some(FIRST_PAUSE)),
        ] {
            assert_eq!(after(&Ok(answer(503, &headers))), expected, "{headers:?}");
        }
    }

    #[test]
    fn too_many_requests_are_tried_again_only_when_that_is_asked_for() {
        let after = |headers: &[(&'static str, &'static str)]| after(&Ok(answer(429, headers)));
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "1")]), Some(Duration::from_secs(1)));
        assert_eq!(after(&[("retry-after", "1000000000")]), None);
        assert_eq!(after(&[("retry-after", "soon")]), None);
    }

    #[test]
    fn pauses_grow_with_jitter_and_end_before_the_deadline() {
        let refused = Err(Failure::Unreachable(Unreachable::Refused));
        let left = Duration::from_secs(10);
        assert_eq!(pause(&refused, 0, left, 0.0), Some(Duration::from_millis(25)));
        assert_eq!(pause(&refused, 0, left, 1.0), Some(Duration::from_millis(50)));
        assert_eq!(pause(&refused, 2, left, 1.0), Some(Duration::from_millis(200)));
        assert_eq!(pause(&refused, 4_000_000_000, left, 1.0), Some(LONGEST_PAUSE));
        assert_eq!(pause(&refused, 0, Duration::from_millis(50), 1.0), None);
        for _ in 0..100 {
            assert!((0.0..=1.0).contains(&jitter()));
        }
    }

    #[test]
    fn retries_are_a_small_share_of_all_calls() {
        let budget = Budget::new();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
    }
}
