//! `Cache-Status` (RFC 9211): what our store did for a response, and why.

use http::{HeaderValue, StatusCode};
use std::fmt::Write as _;
use std::time::Duration;

/// What our store did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus {
    /// Answered, or had to ask.
    pub outcome: Outcome,
    /// Seconds of freshness left; negative once stale (section 2.4).
    pub ttl: Option<i64>,
    /// A word of ours that says more (section 2.8): a token.
    pub detail: Option<&'static str>,
}

/// Whether the store answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did: nothing was asked for this request.
    Hit,
    /// It did not: the response was made anew.
    Forwarded {
        /// Why.
        because: Forward,
        /// The new response is now in the store (section 2.5).
        stored: bool,
        /// It was made for another request too, which this one waited with (section 2.6).
        collapsed: bool,
    },
}

/// Why a response was made anew (section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// The store was not to be used.
    Bypass,
    /// The method cannot be answered from a store.
    Method,
    /// Nothing is stored under this URL.
    UriMiss,
    /// What is stored under this URL was chosen by other request fields.
    VaryMiss,
    /// Nothing usable is stored.
    Miss,
    /// The request asked for it.
    Request,
    /// What is stored is stale.
    Stale,
    /// Of what is stored a part is missing.
    Partial,
}

impl Forward {
    fn token(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Miss => "miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}

impl CacheStatus {
    /// An answer from the store that stays fresh for `left`. Rounded down: nobody may count on what is not there.
    pub fn fresh_hit(left: Duration) -> Self {
        Self::hit(whole(left.as_secs()))
    }

    /// An answer from the store that has been stale for `overdue`. Rounded away from zero: what is stale never reads as fresh, in its
    /// first second neither.
    pub fn stale_hit(overdue: Duration) -> Self {
        let begun = u64::from(overdue.subsec_nanos() > 0);
        Self::hit(-whole(overdue.as_secs().saturating_add(begun).max(1)))
    }

    fn hit(ttl: i64) -> Self {
        Self { outcome: Outcome::Hit, ttl: Some(ttl), detail: None }
    }

    /// An answer made anew, and not stored.
    pub fn forwarded(because: Forward) -> Self {
        Self { outcome: Outcome::Forwarded { because, stored: false, collapsed: false }, ttl: None, detail: None }
    }

    /// The field's value. Written without allocation but for the value itself.
    pub fn header_value(&self) -> HeaderValue {
        self.written(None)
    }

    /// The same, of a response that was asked for at the next server, which answered with `status` (section 2.3): it is said where the
    /// response itself has another, as that has which a 304 made good.
    pub fn header_value_with(&self, status: StatusCode) -> HeaderValue {
        self.written(Some(status))
    }

    fn written(&self, status: Option<StatusCode>) -> HeaderValue {
        let mut line = Line { bytes: [0; LONGEST], length: 0 };
        // A detail too long for the line is left out, as is everything after it.
        self.write(&mut line, status).unwrap_or_default();
        let written = line.bytes.get(..line.length).unwrap_or_default();
        HeaderValue::from_bytes(written).unwrap_or(HeaderValue::from_static("siteserver"))
    }

    fn write(&self, line: &mut Line, status: Option<StatusCode>) -> std::fmt::Result {
        line.write_str("siteserver")?;
        match self.outcome {
            Outcome::Hit => line.write_str("; hit")?,
            Outcome::Forwarded { because, .. } => {
                line.write_str("; fwd=")?;
                line.write_str(because.token())?;
                if let Some(status) = status {
                    line.write_str("; fwd-status=")?;
                    line.write_str(status.as_str())?;
                }
            }
        }
        if let Some(ttl) = self.ttl {
            line.write_str("; ttl=")?;
            line.write_str(itoa::Buffer::new().format(ttl))?;
        }
        if let Outcome::Forwarded { stored, collapsed, .. } = self.outcome {
            line.write_str(if stored { "; stored" } else { "" })?;
            line.write_str(if collapsed { "; collapsed" } else { "" })?;
        }
        if let Some(detail) = self.detail {
            write!(line, "; detail={detail}")?;
        }
        Ok(())
    }
}

fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

const LONGEST: usize = 128;

/// A line being written on the stack.
struct Line {
    bytes: [u8; LONGEST],
    length: usize,
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_as_the_rfc_writes_them() {
        let seconds = Duration::from_secs;
        assert_eq!(CacheStatus::fresh_hit(seconds(376)).header_value(), "siteserver; hit; ttl=376");
        assert_eq!(CacheStatus::stale_hit(seconds(412)).header_value(), "siteserver; hit; ttl=-412");
        assert_eq!(CacheStatus::forwarded(Forward::UriMiss).header_value(), "siteserver; fwd=uri-miss");
        let filled = CacheStatus {
            outcome: Outcome::Forwarded { because: Forward::Stale, stored: true, collapsed: true },
            ttl: Some(10),
            detail: Some("purged"),
        };
        assert_eq!(filled.header_value(), "siteserver; fwd=stale; ttl=10; stored; collapsed; detail=purged");
        assert_eq!(
            CacheStatus { detail: None, ..filled }.header_value_with(StatusCode::NOT_MODIFIED),
            "siteserver; fwd=stale; fwd-status=304; ttl=10; stored; collapsed"
        );
        assert_eq!(CacheStatus::forwarded(Forward::Partial).header_value(), "siteserver; fwd=partial");
    }

    #[test]
    fn what_is_stale_never_reads_as_fresh() {
        for (milliseconds, fresh, stale) in
            [(0, 0, -1), (1, 0, -1), (999, 0, -1), (1_000, 1, -1), (1_001, 1, -2), (2_500, 2, -3)]
        {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(CacheStatus::fresh_hit(duration).ttl, Some(fresh), "{milliseconds} ms left");
            assert_eq!(CacheStatus::stale_hit(duration).ttl, Some(stale), "{milliseconds} ms overdue");
        }
        assert_eq!(CacheStatus::fresh_hit(Duration::MAX).ttl, Some(i64::MAX));
        assert_eq!(CacheStatus::stale_hit(Duration::MAX).ttl, Some(-i64::MAX));
    }
}
