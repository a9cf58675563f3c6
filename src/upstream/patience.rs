//! What an upstream asked for with `Retry-After`: that nobody calls it for a while (RFC 9110, section 10.2.3).
//!
//! One atomic and no lock; while nothing was asked for a call costs one load. Time comes in as values. What was asked for is
//! granted up to [`LONGEST`], after which the next call asks again: one answer, honest or not, closes no page for a day.

use super::retry::Asked;
use http::{HeaderMap, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The longest time that one answer keeps us from calling.
///
/// Short, because a visitor may be able to choose the URL that answers so: a page that is asked for once a minute must not be able
/// to close all others for that minute.
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Until when an upstream is to be left alone.
#[derive(Debug)]
pub(super) struct Patience {
    /// What `until` counts from.
    epoch: Instant,
    /// Nanoseconds after `epoch`.
    until: AtomicU64,
}

impl Patience {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, until: AtomicU64::new(0) }
    }

    /// How long it is to be left alone from `now` on, if at all.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let until = self.until.load(Ordering::Relaxed);
        if until == 0 {
            return None;
        }
        (self.epoch + Duration::from_nanos(until)).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Takes note of what an answer that came at `now` asks for. What is said to one visitor's credential is said to that visitor, not
    /// to everybody: it is for the caller to know.
    pub(super) fn heed(&self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        if !matches!(status.as_u16(), 429 | 503) {
            return;
        }
        if let Asked::For(asked) = Asked::by(headers) {
            let until = now.saturating_duration_since(self.epoch) + asked.min(LONGEST);
            self.until.fetch_max(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{self, HeaderValue};

    fn left(status: u16, retry_after: &'static str) -> Option<Duration> {
        let epoch = Instant::now();
        let patience = Patience::new(epoch);
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(retry_after))]);
        patience.heed(StatusCode::from_u16(status).unwrap(), &headers, epoch);
        patience.left(epoch)
    }

    #[test]
    fn what_is_asked_for_is_granted_within_bounds() {
        for (status, retry_after, expected) in [
            (429, "5", Some(5)),
            (503, "5", Some(5)),
            (503, "1000000000", Some(10)),
            (429, "99999999999999999999999999", Some(10)),
            (429, "0", None),
            (429, "soon", None),
            (429, "-1", None),
            (429, "", None),
            (200, "5", None),
            (500, "5", None),
        ] {
            assert_eq!(left(status, retry_after), expected.map(Duration::from_secs), "{status} {retry_after}");
        }
    }

    #[test]
    fn it_ends() {
        let epoch = Instant::now();
        let patience = Patience::new(epoch);
        patience.until.store(2_000_000_000, Ordering::Relaxed);
        assert_eq!(patience.left(epoch + Duration::from_secs(1)), Some(Duration::from_secs(1)));
        assert_eq!(patience.left(epoch + Duration::from_secs(2)), None);
    }
}
