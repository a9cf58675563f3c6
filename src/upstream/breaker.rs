//! The breaker: an upstream that failed several times in a row is left alone for a while, then tried with one call.
//!
//! Two atomics and no lock; while all is well a call costs two loads. Time comes in as values. A probe whose caller leaves needs no
//! cleaning up: the time it had claimed for itself runs out, and the next call becomes the probe.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When an upstream is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BreakerSettings {
    /// After how many failures in a row: unreachable, timeout, 5xx.
    pub failures: u32,
    /// For how long.
    pub open_for: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(5) }
    }
}

/// What a finished call says about its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It answered.
    Good,
    /// It did not, or with a 5xx.
    Bad,
    /// The call says nothing: it was not sent.
    Unknown,
}

/// Leave to make one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Usual,
    /// The one call that finds out; the number is what it put into `open_until`.
    Probe(u64),
}

/// The state of one upstream's breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    /// What `open_until` counts from.
    epoch: Instant,
    failures: AtomicU32,
    /// Nanoseconds after `epoch`; 0 while closed.
    open_until: AtomicU64,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings, epoch: Instant) -> Self {
        Self { settings, epoch, failures: AtomicU32::new(0), open_until: AtomicU64::new(0) }
    }

    /// Leave to call at `now`, or none while open.
    pub(super) fn admit(&self, now: Instant) -> Option<Admission> {
        let until = self.open_until.load(Ordering::Acquire);
        if until == 0 {
            return Some(Admission::Usual);
        }
        if self.since_epoch(now) < until {
            return None;
        }
        // Whoever moves the end of the open time is the probe; everybody else finds the breaker open again.
        let claim = self.open_from(now);
        self.open_until
            .compare_exchange(until, claim, Ordering::AcqRel, Ordering::Acquire)
            .ok()
            .map(|_| Admission::Probe(claim))
    }

    /// Whether it lets no call pass at `now`.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.since_epoch(now) < self.open_until.load(Ordering::Acquire)
    }

    /// A call that was admitted ended at `now`.
    pub(super) fn record(&self, admission: Admission, health: Health, now: Instant) {
        match (admission, health) {
            (Admission::Usual, Health::Good) => {
                if self.failures.load(Ordering::Relaxed) != 0 {
                    self.failures.store(0, Ordering::Relaxed);
                }
            }
            (Admission::Usual, Health::Bad) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                if failures >= self.settings.failures {
                    // Calls that were under way when it opened must not keep it open longer.
                    self.move_end(0, self.open_from(now));
                }
            }
            (Admission::Probe(claim), Health::Good) => {
                self.failures.store(0, Ordering::Relaxed);
                self.move_end(claim, 0);
            }
            (Admission::Probe(claim), Health::Bad) => self.move_end(claim, self.open_from(now)),
            // A probe that never left is no probe: the next call is one.
            (Admission::Probe(claim), Health::Unknown) => self.move_end(claim, self.since_epoch(now).max(1)),
            (Admission::Usual, Health::Unknown) => {}
        }
    }

    /// Moves the end of the open time, if it still is where the caller saw it.
    fn move_end(&self, seen: u64, end: u64) {
        // Losing means that another call knows better.
        self.open_until.compare_exchange(seen, end, Ordering::AcqRel, Ordering::Relaxed).ok();
    }

    fn open_from(&self, now: Instant) -> u64 {
        let open_for = u64::try_from(self.settings.open_for.as_nanos()).unwrap_or(u64::MAX);
        self.since_epoch(now).saturating_add(open_for).max(1)
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened() -> (Breaker, Instant) {
        let start = Instant::now();
        let breaker = Breaker::new(BreakerSettings { failures: 3, open_for: 5 * SECOND }, start);
        for _ in 0..3 {
            breaker.record(breaker.admit(start).unwrap(), Health::Bad, start);
        }
        (breaker, start)
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let (breaker, start) = opened();
        assert_eq!(breaker.admit(start), None);
        assert_eq!(breaker.admit(start + 4 * SECOND), None);
    }

    #[test]
    fn a_success_between_starts_the_count_anew() {
        let start = Instant::now();
        let breaker = Breaker::new(BreakerSettings { failures: 3, open_for: SECOND }, start);
        for health in [Health::Bad, Health::Bad, Health::Good, Health::Bad, Health::Unknown, Health::Bad] {
            breaker.record(breaker.admit(start).unwrap(), health, start);
        }
        assert_eq!(breaker.admit(start), Some(Admission::Usual));
        breaker.record(Admission::Usual, Health::Bad, start);
        assert_eq!(breaker.admit(start), None);
    }

    #[test]
    fn one_call_finds_out_and_closes_it() {
        let (breaker, start) = opened();
        let later = start + 5 * SECOND;
        let probe = breaker.admit(later).unwrap();
        assert!(matches!(probe, Admission::Probe(_)));
        assert_eq!(breaker.admit(later), None, "one probe only");
        breaker.record(probe, Health::Good, later);
        assert_eq!(breaker.admit(later), Some(Admission::Usual));
    }

    #[test]
    fn a_failed_probe_keeps_it_open() {
        let (breaker, start) = opened();
        let later = start + 5 * SECOND;
        let probe = breaker.admit(later).unwrap();
        breaker.record(probe, Health::Bad, later + SECOND);
        assert_eq!(breaker.admit(later + 5 * SECOND), None);
        assert!(matches!(breaker.admit(later + 6 * SECOND), Some(Admission::Probe(_))));
    }

    #[test]
    fn a_probe_that_vanishes_is_replaced() {
        let (breaker, start) = opened();
        breaker.admit(start + 5 * SECOND).unwrap();
        assert_eq!(breaker.admit(start + 9 * SECOND), None);
        assert!(matches!(breaker.admit(start + 10 * SECOND), Some(Admission::Probe(_))));
    }

    #[test]
    fn a_probe_that_was_never_sent_is_replaced_at_once() {
        let (breaker, start) = opened();
        let later = start + 5 * SECOND;
        let probe = breaker.admit(later).unwrap();
        breaker.record(probe, Health::Unknown, later);
        assert!(matches!(breaker.admit(later), Some(Admission::Probe(_))));
    }

    #[test]
    fn late_news_change_nothing() {
        let (breaker, start) = opened();
        breaker.record(Admission::Usual, Health::Bad, start + 4 * SECOND);
        breaker.record(Admission::Usual, Health::Good, start + 4 * SECOND);
        assert_eq!(breaker.admit(start + 4 * SECOND), None);
        assert!(matches!(breaker.admit(start + 5 * SECOND), Some(Admission::Probe(_))));
    }
}
