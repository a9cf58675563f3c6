//! Which of several addresses gets the next request: turn by turn or the least busy, those that failed left alone for a while.
//!
//! A few atomics and no lock; time comes in as values. Health is what exchanges come to, nothing is asked on the side. An address that
//! cannot be reached is put aside at once, one that fails otherwise after [`FAILURES`] in a row, each time for longer. Then one request
//! tries it; if that is answered it is back, with a share that grows to the full one, as what has just begun is slow. If all are aside all
//! are used: a guess is better than a certain failure.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// After how many failures in a row an address is put aside, if it could be reached.
const FAILURES: u32 = 3;
/// For how long at first; each time in a row doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// And at most.
const LONGEST: Duration = Duration::from_mins(1);
/// How long an address that is back has less than a full share.
const SLOW_START: Duration = Duration::from_secs(10);
/// A full share.
const FULL: u64 = 256;
/// The share with which an address comes back.
const LEAST: u64 = FULL / 10;
/// The most addresses of one upstream.
pub const MOST_ADDRESSES: usize = 64;

/// How requests are spread over the addresses of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Spread {
    /// One after the other.
    #[default]
    RoundRobin,
    /// To the one with the fewest requests under way.
    LeastBusy,
}

/// What became of a request, as far as the address is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was answered.
    Good,
    /// It was not, or in a way that says that nobody is there to answer: 502, 503, 504.
    Bad,
    /// There was no connection.
    Unreachable,
}

/// The address that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) place: usize,
    /// Whether the request finds out whether the address is back.
    pub(super) is_trial: bool,
}

/// The addresses that one request has been to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried(u64);

impl Tried {
    pub(super) fn insert(&mut self, place: usize) {
        self.0 |= 1_u64.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    fn contains(self, place: usize) -> bool {
        self.0.checked_shr(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(1) & 1 == 1
    }
}

/// What is known of the addresses of one upstream.
#[derive(Debug)]
pub(super) struct Balance {
    spread: Spread,
    epoch: Instant,
    places: Box<[Place]>,
    /// Whose turn it is.
    turn: AtomicUsize,
}

/// What is known of one address. Times are nanoseconds after the epoch; 0 is never.
#[derive(Debug, Default)]
struct Place {
    /// Requests under way.
    busy: AtomicU32,
    /// Failures in a row.
    failures: AtomicU32,
    /// How often in a row it was put aside.
    times: AtomicU32,
    aside_until: AtomicU64,
    back_since: AtomicU64,
    /// What its turns have added up to while its share is not full.
    credit: AtomicU64,
}

impl Balance {
    /// `count` addresses, all of them in use; at most [`MOST_ADDRESSES`] are.
    pub(super) fn new(count: usize, spread: Spread, epoch: Instant) -> Self {
        let places = (0..count.clamp(1, MOST_ADDRESSES)).map(|_| Place::default()).collect();
        Self { spread, epoch, places, turn: AtomicUsize::new(0) }
    }

    /// Where the next request goes that has been to `tried`; `None` if it has been everywhere.
    pub(super) fn pick(&self, now: Instant, tried: Tried) -> Option<Pick> {
        if self.places.len() == 1 {
            return (!tried.contains(0)).then_some(Pick { place: 0, is_trial: false });
        }
        let now = self.since_epoch(now);
        let untried = || self.places.iter().enumerate().filter(|&(at, _)| !tried.contains(at));
        if let Some((place, _)) = untried().find(|(_, place)| place.claims_trial(now)) {
            return Some(Pick { place, is_trial: true });
        }
        let mut eligible = [0; MOST_ADDRESSES];
        let mut count = fill(&mut eligible, untried().filter(|(_, place)| !place.is_aside()).map(|(at, _)| at));
        if count == 0 {
            count = fill(&mut eligible, untried().map(|(at, _)| at));
        }
        let eligible = eligible.get(..count).filter(|eligible| !eligible.is_empty())?;
        let place = match self.spread {
            Spread::RoundRobin => self.next_in_turn(eligible, now),
            Spread::LeastBusy => self.least_busy(eligible, now),
        };
        Some(Pick { place, is_trial: false })
    }

    fn next_in_turn(&self, eligible: &[usize], now: u64) -> usize {
        let mut first = None;
        for _ in eligible {
            let at = eligible[self.turn.fetch_add(1, Ordering::Relaxed) % eligible.len()];
            if self.places[at].takes_turn(now) {
                return at;
            }
            first = first.or(Some(at));
        }
        first.unwrap_or(eligible[0])
    }

    fn least_busy(&self, eligible: &[usize], now: u64) -> usize {
        let start = self.turn.fetch_add(1, Ordering::Relaxed) % eligible.len();
        let (after, before) = eligible.split_at(start);
        let load = |&&at: &&usize| {
            let place = &self.places[at];
            (u64::from(place.busy.load(Ordering::Relaxed)) + 1) * FULL / place.share(now)
        };
        // Of equals the one whose turn it is.
        before.iter().chain(after).min_by_key(load).copied().unwrap_or(eligible[0])
    }

    /// A request goes to `place`.
    pub(super) fn enter(&self, place: usize) {
        if let Some(place) = self.places.get(place) {
            place.busy.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A request has ended there.
    pub(super) fn leave(&self, place: usize) {
        if let Some(place) = self.places.get(place) {
            place.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// What became of the request of `pick`.
    pub(super) fn record(&self, pick: Pick, outcome: Outcome, now: Instant) {
        let Some(place) = self.places.get(pick.place).filter(|_| self.places.len() > 1) else { return };
        let now = self.since_epoch(now);
        match outcome {
            Outcome::Good => place.good(now),
            Outcome::Bad if pick.is_trial => place.put_aside(now),
            Outcome::Bad if place.is_aside() => {}
            Outcome::Bad => {
                if place.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= FAILURES {
                    place.put_aside(now);
                }
            }
            // Those that were under way when it was put aside say nothing new.
            Outcome::Unreachable if pick.is_trial || !place.is_aside() => place.put_aside(now),
            Outcome::Unreachable => {}
        }
    }

    /// Whether each address is left alone at `now`.
    pub(super) fn aside(&self, now: Instant) -> impl Iterator<Item = bool> {
        let now = self.since_epoch(now);
        self.places.iter().map(move |place| now < place.aside_until.load(Ordering::Relaxed))
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.epoch))
    }
}

impl Place {
    fn is_aside(&self) -> bool {
        self.aside_until.load(Ordering::Relaxed) != 0
    }

    /// Whether its time aside is over, and the caller is the one who tries it. A trial that is never heard of again runs out as that time did.
    fn claims_trial(&self, now: u64) -> bool {
        let until = self.aside_until.load(Ordering::Relaxed);
        if until == 0 || now < until {
            return false;
        }
        let next = now.saturating_add(self.time_aside()).max(1);
        self.aside_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn time_aside(&self) -> u64 {
        let times = self.times.load(Ordering::Relaxed).saturating_sub(1).min(16);
        nanoseconds(FIRST.saturating_mul(1 << times).min(LONGEST))
    }

    fn put_aside(&self, now: u64) {
        let times = self.times.load(Ordering::Relaxed).saturating_add(1);
        self.times.store(times, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        self.back_since.store(0, Ordering::Relaxed);
        self.aside_until.store(now.saturating_add(self.time_aside()).max(1), Ordering::Relaxed);
    }

    fn good(&self, now: u64) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        if self.is_aside() {
            self.credit.store(0, Ordering::Relaxed);
            self.back_since.store(now.max(1), Ordering::Relaxed);
            self.aside_until.store(0, Ordering::Relaxed);
            return;
        }
        let back = self.back_since.load(Ordering::Relaxed);
        if back != 0 && now.saturating_sub(back) >= nanoseconds(SLOW_START) {
            // It has lasted: the next failure is the first again.
            self.back_since.store(0, Ordering::Relaxed);
            self.times.store(0, Ordering::Relaxed);
        }
    }

    fn share(&self, now: u64) -> u64 {
        let back = self.back_since.load(Ordering::Relaxed);
        if back == 0 {
            return FULL;
        }
        let grown = u128::from(now.saturating_sub(back)) * u128::from(FULL) / SLOW_START.as_nanos();
        u64::try_from(grown).unwrap_or(FULL).clamp(LEAST, FULL)
    }

    /// Whether it takes its turn, or leaves it to the next because its share is not full.
    fn takes_turn(&self, now: u64) -> bool {
        let share = self.share(now);
        if share == FULL {
            return true;
        }
        let before = self.credit.fetch_add(share, Ordering::Relaxed);
        before / FULL != before.wrapping_add(share) / FULL
    }
}

fn fill(into: &mut [usize; MOST_ADDRESSES], from: impl Iterator<Item = usize>) -> usize {
    let mut count = 0;
    for (slot, at) in into.iter_mut().zip(from) {
        *slot = at;
        count += 1;
    }
    count
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn balance(count: usize, spread: Spread) -> (Balance, Instant) {
        let start = Instant::now();
        (Balance::new(count, spread, start), start)
    }

    fn pick(balance: &Balance, now: Instant) -> Pick {
        balance.pick(now, Tried::default()).unwrap()
    }

    fn counts<const N: usize>(balance: &Balance, now: Instant, picks: usize) -> [usize; N] {
        let mut counts = [0; N];
        for _ in 0..picks {
            counts[pick(balance, now).place] += 1;
        }
        counts
    }

    #[test]
    fn turn_by_turn_is_even() {
        for count in 1..=5 {
            let (balance, now) = balance(count, Spread::RoundRobin);
            let all = counts::<5>(&balance, now, 60);
            assert!(all[..count].iter().all(|&picks| picks == 60 / count), "{count}: {all:?}");
        }
    }

    #[test]
    fn those_that_are_left_share_evenly() {
        let (balance, now) = balance(3, Spread::RoundRobin);
        balance.record(Pick { place: 1, is_trial: false }, Outcome::Unreachable, now);
        assert_eq!(counts::<3>(&balance, now, 60), [30, 0, 30]);
        assert_eq!(balance.aside(now).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn the_least_busy_gets_the_next() {
        let (balance, now) = balance(3, Spread::LeastBusy);
        for place in [0, 0, 1] {
            balance.enter(place);
        }
        assert_eq!(pick(&balance, now).place, 2);
        balance.enter(2);
        balance.enter(2);
        assert_eq!(pick(&balance, now).place, 1);
        balance.leave(0);
        balance.leave(0);
        assert_eq!(pick(&balance, now).place, 0);
        balance.leave(1);
        balance.leave(2);
        balance.leave(2);
        assert_eq!(counts::<3>(&balance, now, 60), [20, 20, 20], "equals take turns");
    }

    #[test]
    fn failures_in_a_row_put_aside_and_others_do_not() {
        let (balance, now) = balance(2, Spread::RoundRobin);
        let first = Pick { place: 0, is_trial: false };
        for outcome in [Outcome::Bad, Outcome::Bad, Outcome::Good, Outcome::Bad, Outcome::Bad] {
            balance.record(first, outcome, now);
        }
        assert_eq!(counts::<2>(&balance, now, 10), [5, 5]);
        balance.record(first, Outcome::Bad, now);
        assert_eq!(counts::<2>(&balance, now, 10), [0, 10]);
    }

    #[test]
    fn one_trial_at_a_time_and_each_failure_makes_the_time_longer() {
        let (balance, start) = balance(2, Spread::RoundRobin);
        balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, start);
        // Those under way say nothing new.
        for _ in 0..10 {
            balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, start);
            balance.record(Pick { place: 0, is_trial: false }, Outcome::Bad, start);
        }
        let mut now = start;
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let before = now + SECOND * (seconds - 1) + SECOND / 1000 * 999;
            now += SECOND * seconds;
            assert_eq!(counts::<2>(&balance, before, 10), [0, 10], "{seconds}");
            assert_eq!(pick(&balance, now), Pick { place: 0, is_trial: true }, "{seconds}");
            assert_eq!(counts::<2>(&balance, now, 10), [0, 10], "one trial");
            balance.record(Pick { place: 0, is_trial: true }, Outcome::Bad, now);
        }
    }

    #[test]
    fn a_trial_that_is_never_heard_of_is_followed_by_another() {
        let (balance, start) = balance(2, Spread::RoundRobin);
        balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, start);
        assert!(pick(&balance, start + SECOND).is_trial);
        assert!(!pick(&balance, start + SECOND).is_trial);
        assert!(pick(&balance, start + SECOND * 2).is_trial);
    }

    #[test]
    fn what_comes_back_gets_its_share_gradually() {
        let (balance, start) = balance(2, Spread::RoundRobin);
        balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, start);
        let back = start + SECOND;
        let trial = pick(&balance, back);
        balance.record(trial, Outcome::Good, back);
        let mut before = 0;
        for (after, least, most) in [(0, 50, 140), (3, 180, 330), (5, 280, 400), (8, 400, 470), (10, 500, 500)] {
            let [slow, other] = counts::<2>(&balance, back + SECOND * after, 1000);
            assert!((least..=most).contains(&slow) && slow > before, "after {after} s: {slow} and {other}");
            before = slow;
        }
    }

    #[test]
    fn a_busy_one_that_comes_back_is_taken_for_busier() {
        let (balance, start) = balance(2, Spread::LeastBusy);
        balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, start);
        let back = start + SECOND;
        balance.record(pick(&balance, back), Outcome::Good, back);
        (0..4).for_each(|_| balance.enter(1));
        assert_eq!(pick(&balance, back + SECOND).place, 1, "1 of 10 beside 5");
        assert_eq!(pick(&balance, back + SECOND * 5).place, 0, "2 beside 5");
    }

    #[test]
    fn only_what_has_lasted_is_forgiven() {
        let (balance, start) = balance(2, Spread::RoundRobin);
        let usual = Pick { place: 0, is_trial: false };
        balance.record(usual, Outcome::Unreachable, start);
        let back = start + SECOND;
        balance.record(pick(&balance, back), Outcome::Good, back);
        balance.record(usual, Outcome::Unreachable, back);
        assert!(!pick(&balance, back + SECOND).is_trial, "two seconds this time");
        let back = back + SECOND * 2;
        balance.record(pick(&balance, back), Outcome::Good, back);
        balance.record(usual, Outcome::Good, back + SLOW_START);
        balance.record(usual, Outcome::Unreachable, back + SLOW_START);
        assert!(pick(&balance, back + SLOW_START + SECOND).is_trial, "one second again");
    }

    #[test]
    fn if_all_are_aside_all_are_used() {
        let (balance, now) = balance(3, Spread::RoundRobin);
        for place in 0..3 {
            balance.record(Pick { place, is_trial: false }, Outcome::Unreachable, now);
        }
        assert_eq!(counts::<3>(&balance, now, 60), [20, 20, 20]);
        balance.record(Pick { place: 2, is_trial: false }, Outcome::Good, now);
        assert_eq!(counts::<3>(&balance, now, 10), [0, 0, 10], "whoever answers is back");
    }

    #[test]
    fn a_request_goes_nowhere_twice() {
        for spread in [Spread::RoundRobin, Spread::LeastBusy] {
            for count in [1, 2, 5, 64] {
                let (balance, now) = balance(count, spread);
                let mut tried = Tried::default();
                let mut places = Vec::new();
                while let Some(pick) = balance.pick(now, tried) {
                    tried.insert(pick.place);
                    places.push(pick.place);
                }
                places.sort_unstable();
                assert_eq!(places, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_address_is_never_left_alone() {
        let (balance, now) = balance(1, Spread::RoundRobin);
        for _ in 0..10 {
            balance.record(Pick { place: 0, is_trial: false }, Outcome::Unreachable, now);
        }
        assert_eq!(pick(&balance, now), Pick { place: 0, is_trial: false });
        assert_eq!(balance.aside(now).collect::<Vec<_>>(), [false]);
    }
}
