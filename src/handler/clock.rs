//! The clock: the one place of the handler where time is read.
//!
//! There are two times, and each has a name of its own. What was stored lives by the [`Clock`] of the runtime: ages, lifetimes, windows, rests
//! and what is remembered for a while are judged at its [`now`](Clock::now), and pages print its [`wall`](Clock::wall). Tests step it. Whoever
//! waits or measures goes by the machine ([`ticking`]): deadlines, timers and the elapsed times of the log, which no test can step. The two
//! are never compared with each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// What is stored lives by this. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<SteppedClock>);

/// A clock that stands still until it is told how much time has passed. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct SteppedClock(Arc<Steps>);

#[derive(Debug)]
struct Steps {
    /// When it was made.
    begin: (Instant, SystemTime),
    /// Nanoseconds from then to now.
    passed: AtomicU64,
}

impl Clock {
    /// A clock that only its owner moves.
    pub fn stepped() -> SteppedClock {
        SteppedClock(Arc::new(Steps { begin: (ticking(), calendar()), passed: AtomicU64::new(0) }))
    }

    /// The present, as it never goes back.
    pub fn now(&self) -> Instant {
        self.now_if_ticking(None)
    }

    /// The present, by the calendar.
    pub fn wall(&self) -> SystemTime {
        self.wall_if_ticking(None)
    }

    /// The present for somebody who has just read the machine's clock, and need not read it again.
    pub fn now_at(&self, read: Instant) -> Instant {
        self.now_if_ticking(Some(read))
    }

    /// The present by the calendar for somebody who has just read the machine's.
    pub fn wall_at(&self, read: SystemTime) -> SystemTime {
        self.wall_if_ticking(Some(read))
    }

    fn now_if_ticking(&self, read: Option<Instant>) -> Instant {
        match &self.0 {
            Some(SteppedClock(steps)) => steps.begin.0 + steps.passed(),
            None => read.unwrap_or_else(ticking),
        }
    }

    fn wall_if_ticking(&self, read: Option<SystemTime>) -> SystemTime {
        match &self.0 {
            Some(SteppedClock(steps)) => steps.begin.1 + steps.passed(),
            None => read.unwrap_or_else(calendar),
        }
    }
}

impl SteppedClock {
    /// So much time passes at once.
    pub fn advance(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.passed.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl From<&SteppedClock> for Clock {
    fn from(stepped: &SteppedClock) -> Self {
        Self(Some(stepped.clone()))
    }
}

impl Steps {
    fn passed(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::Relaxed))
    }
}

/// The machine's clock: waits are bounded by it, and what takes time is measured by it.
pub(super) fn ticking() -> Instant {
    Instant::now()
}

/// The machine's calendar, by which its disks mark files.
pub(super) fn calendar() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_clock_moves_only_when_it_is_told() {
        let stepped = Clock::stepped();
        let (clock, hour) = (Clock::from(&stepped), Duration::from_hours(1));
        let (now, wall) = (clock.now(), clock.wall());
        assert_eq!((clock.now_at(now + hour), clock.wall_at(wall + hour)), (now, wall));
        stepped.advance(hour);
        assert_eq!((clock.now(), clock.wall()), (now + hour, wall + hour));
        assert_eq!(clock.clone().now_at(now), now + hour, "every clone is the same clock");
    }

    #[test]
    fn the_usual_clock_is_the_machines() {
        let (clock, read) = (Clock::default(), ticking());
        assert!(
            clock.now() >= read
                && clock.now_at(read) == read
                && clock.wall_at(SystemTime::UNIX_EPOCH) == SystemTime::UNIX_EPOCH
        );
    }
}
