//! Freshness (RFC 9111, section 4.2; RFC 5861): from declared directives to moments, and from a moment to a verdict.
//!
//! Pure: a clock is never read here. The moments are computed once, when a response is stored, so that a hit only compares.

use std::time::{Duration, Instant};

/// Longest lifetime that is told apart from for ever (RFC 9111, section 1.2.2: 2^31 seconds).
const LONGEST: Duration = Duration::from_secs(1 << 31);

/// What a response's directives say about keeping it, as far as a shared cache obeys them (RFC 9111, section 5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive of its own, present or not")]
pub struct Lifetime {
    /// `max-age`.
    pub max_age: Option<Duration>,
    /// `s-maxage`, which a shared cache obeys before `max-age`.
    pub s_maxage: Option<Duration>,
    /// `stale-while-revalidate` (RFC 5861, section 3).
    pub stale_while_revalidate: Option<Duration>,
    /// `stale-if-error` (RFC 5861, section 4).
    pub stale_if_error: Option<Duration>,
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache` without a list of fields.
    pub no_cache: bool,
    /// `private` without a list of fields.
    pub private: bool,
    /// `must-revalidate` or `proxy-revalidate`: never served stale, whatever windows are declared.
    pub must_revalidate: bool,
}

/// Why directives leave nothing for a shared cache to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStorable {
    /// `no-store` was declared.
    #[error("no-store")]
    NoStore,
    /// `private` was declared.
    #[error("private")]
    Private,
    /// No reuse is allowed without asking again: `no-cache` was declared.
    #[error("no-cache")]
    NoCache,
    /// No reuse is allowed without asking again: neither a lifetime nor a stale window was declared.
    #[error("no lifetime")]
    NoLifetime,
}

/// How much of a lifetime is given up, so that entries stored together do not expire together: at most a tenth, and never more
/// than was declared, because `Age` must not exceed the lifetime that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(u16);

/// For how long at most a response that could not be made anew is not tried again.
const REST: Duration = Duration::from_millis(1_100);

impl Jitter {
    /// The whole lifetime is used.
    pub const NONE: Self = Self(0);

    /// An amount chosen by `bits`, which should differ between entries: a key's hash, or a random number.
    pub fn from_bits(bits: u64) -> Self {
        // Mixed (the constant is 2^64 divided by the golden ratio), since hashes of similar keys may share any of their bits.
        Self((bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16)
    }

    /// For how long a stale response is not tried again that could not be made anew: about a second, so that an upstream in trouble hears of
    /// it now and then, and not as often as anybody asks for the page.
    pub fn rest(self) -> Duration {
        self.shorten(REST)
    }

    /// `lifetime` less a share between nothing and a tenth.
    fn shorten(self, lifetime: Duration) -> Duration {
        lifetime.saturating_sub(lifetime / 10 * u32::from(self.0) / u32::from(u16::MAX))
    }
}

impl Lifetime {
    /// For how long a shared cache may keep a response and what it may do with it, from the moment it was made.
    pub fn allowance(&self) -> Result<Allowance, NotStorable> {
        if self.no_store {
            return Err(NotStorable::NoStore);
        }
        if self.private {
            return Err(NotStorable::Private);
        }
        if self.no_cache {
            return Err(NotStorable::NoCache);
        }
        let stale = |window: Option<Duration>| if self.must_revalidate { None } else { window }.unwrap_or_default();
        let allowance = Allowance {
            fresh: self.s_maxage.or(self.max_age).unwrap_or_default().min(LONGEST),
            while_revalidating: stale(self.stale_while_revalidate).min(LONGEST),
            on_error: stale(self.stale_if_error).min(LONGEST),
        };
        if allowance == Allowance::default() { Err(NotStorable::NoLifetime) } else { Ok(allowance) }
    }
}

/// How long a response is fresh, and for how long after that it may be served stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    fresh: Duration,
    while_revalidating: Duration,
    on_error: Duration,
}

impl Allowance {
    /// Fresh for so long, and usable for so long after that. Nothing of either is what keeps a response for validation alone.
    pub fn new(fresh: Duration, while_revalidating: Duration, on_error: Duration) -> Self {
        let [fresh, while_revalidating, on_error] =
            [fresh, while_revalidating, on_error].map(|duration| duration.min(LONGEST));
        Self { fresh, while_revalidating, on_error }
    }

    /// How long it is fresh.
    pub fn fresh(self) -> Duration {
        self.fresh
    }

    /// How long after that it may be served while it is made anew.
    pub fn while_revalidating(self) -> Duration {
        self.while_revalidating
    }

    /// How long after that it may be served when it cannot be made anew.
    pub fn on_error(self) -> Duration {
        self.on_error
    }

    /// The same, fresh for `most` at the longest: what was said may be true no longer.
    #[must_use]
    pub fn within(self, most: Duration) -> Self {
        Self { fresh: self.fresh.min(most), ..self }
    }

    /// The moments for a response made at `created` that already was `initial_age` old then (RFC 9111, section 4.2.3).
    ///
    /// The stale windows begin where the declared lifetime ends, jitter or not.
    pub fn from(self, created: Instant, initial_age: Duration, jitter: Jitter) -> Windows {
        let initial_age = initial_age.min(LONGEST);
        let after = |lifetime: Duration| created + lifetime.saturating_sub(initial_age);
        Windows {
            created,
            initial_age,
            fresh_until: after(jitter.shorten(self.fresh)),
            // What was stale when it came has been so for a while.
            ends: created
                .checked_sub(initial_age.saturating_sub(self.fresh))
                .map_or(created, |begun| begun + self.fresh.saturating_sub(initial_age)),
            stale_until: after(self.fresh + self.while_revalidating),
            error_until: after(self.fresh + self.on_error),
        }
    }
}

/// The moments at which what may be done with a stored response changes. Each is the first at which it no longer may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    created: Instant,
    initial_age: Duration,
    fresh_until: Instant,
    /// Where the declared lifetime ends, and the stale windows begin.
    ends: Instant,
    stale_until: Instant,
    error_until: Instant,
}

/// What may be done with a stored response now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answers requests.
    Fresh {
        /// How old it is: the value of `Age` is its whole seconds.
        age: Duration,
        /// For how much longer it is fresh by what was declared, what jitter gives up included.
        ttl: Duration,
    },
    /// It answers only on the conditions given, at least one of which holds.
    Stale {
        /// How old it is.
        age: Duration,
        /// It may be served while it is being made anew.
        may_serve_while_revalidating: bool,
        /// It may be served if it cannot be made anew.
        may_serve_on_error: bool,
    },
    /// It answers nothing any more.
    Expired,
}

impl Windows {
    /// The verdict at `now`. A `now` before the response was made (a request that waited for it) counts as that moment.
    pub fn verdict(&self, now: Instant) -> Verdict {
        if now < self.fresh_until {
            return Verdict::Fresh { age: self.age(now), ttl: self.ends.duration_since(now.max(self.created)) };
        }
        let (may_serve_while_revalidating, may_serve_on_error) = (now < self.stale_until, now < self.error_until);
        if may_serve_while_revalidating || may_serve_on_error {
            Verdict::Stale { age: self.age(now), may_serve_while_revalidating, may_serve_on_error }
        } else {
            Verdict::Expired
        }
    }

    /// How old the response is at `now` (RFC 9111, section 4.2.3: `current_age`).
    pub fn age(&self, now: Instant) -> Duration {
        self.initial_age + now.saturating_duration_since(self.created)
    }

    /// For how much longer the response is fresh at `now` by what was declared, which may be longer than it is used as such; or for how long
    /// it has been stale (RFC 9111, section 4.2).
    pub fn remaining(&self, now: Instant) -> Result<Duration, Duration> {
        match self.ends.checked_duration_since(now) {
            Some(left) if !left.is_zero() => Ok(left),
            Some(_) | None => Err(now.saturating_duration_since(self.ends)),
        }
    }

    /// Whether anything may still be done with the response at `now`.
    pub fn is_usable(&self, now: Instant) -> bool {
        self.verdict(now) != Verdict::Expired
    }

    /// When the response was made.
    pub fn created(&self) -> Instant {
        self.created
    }

    /// The same response declared stale at `moment`, if it was fresh then: its stale windows begin there.
    #[must_use]
    pub fn stale_from(self, moment: Instant) -> Self {
        let moment = moment.max(self.created);
        let early = self.ends.saturating_duration_since(moment);
        let earlier = |end: Instant| end.checked_sub(early).unwrap_or(moment).max(moment);
        Self {
            fresh_until: self.fresh_until.min(moment),
            ends: self.ends.min(moment),
            stale_until: earlier(self.stale_until),
            error_until: earlier(self.error_until),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn lifetime(max_age: Option<u64>, s_maxage: Option<u64>, while_revalidating: u64, on_error: u64) -> Lifetime {
        Lifetime {
            max_age: max_age.map(seconds),
            s_maxage: s_maxage.map(seconds),
            stale_while_revalidate: (while_revalidating > 0).then(|| seconds(while_revalidating)),
            stale_if_error: (on_error > 0).then(|| seconds(on_error)),
            ..Lifetime::default()
        }
    }

    fn fresh(age: u64, ttl: u64) -> Verdict {
        Verdict::Fresh { age: seconds(age), ttl: seconds(ttl) }
    }

    fn stale(age: u64, may_serve_while_revalidating: bool, may_serve_on_error: bool) -> Verdict {
        Verdict::Stale { age: seconds(age), may_serve_while_revalidating, may_serve_on_error }
    }

    #[test]
    fn windows_are_exact() {
        // The lifetime, the age it came with, seconds since then, the verdict.
        let cases = [
            (lifetime(None, Some(10), 59, 0), 0, 0, fresh(0, 10)),
            (lifetime(None, Some(10), 59, 0), 0, 9, fresh(9, 1)),
            (lifetime(None, Some(10), 59, 0), 0, 10, stale(10, true, false)),
            (lifetime(None, Some(10), 59, 0), 0, 68, stale(68, true, false)),
            (lifetime(None, Some(10), 59, 0), 0, 69, Verdict::Expired),
            // A shared cache obeys s-maxage before max-age, and max-age where it stands alone.
            (lifetime(Some(0), Some(10), 0, 0), 0, 9, fresh(9, 1)),
            (lifetime(Some(100), Some(10), 0, 0), 0, 10, Verdict::Expired),
            (lifetime(Some(5), None, 0, 0), 0, 4, fresh(4, 1)),
            (lifetime(Some(5), None, 0, 0), 0, 5, Verdict::Expired),
            // The two stale windows are independent, and both begin where freshness ends.
            (lifetime(Some(5), None, 2, 20), 0, 6, stale(6, true, true)),
            (lifetime(Some(5), None, 2, 20), 0, 7, stale(7, false, true)),
            (lifetime(Some(5), None, 2, 20), 0, 24, stale(24, false, true)),
            (lifetime(Some(5), None, 2, 20), 0, 25, Verdict::Expired),
            (lifetime(Some(5), None, 20, 2), 0, 7, stale(7, true, false)),
            // Never fresh, yet servable while it is made anew.
            (lifetime(Some(0), None, 30, 0), 0, 0, stale(0, true, false)),
            // It was not new when it came.
            (lifetime(Some(10), None, 5, 0), 4, 0, fresh(4, 6)),
            (lifetime(Some(10), None, 5, 0), 4, 6, stale(10, true, false)),
            (lifetime(Some(10), None, 5, 0), 4, 11, Verdict::Expired),
        ];
        let created = Instant::now();
        for (lifetime, initial_age, elapsed, expected) in cases {
            let windows = lifetime.allowance().unwrap().from(created, seconds(initial_age), Jitter::NONE);
            assert_eq!(
                windows.verdict(created + seconds(elapsed)),
                expected,
                "{lifetime:?} {initial_age} s old after {elapsed} s"
            );
        }
    }

    #[test]
    fn a_moment_before_the_end_is_within() {
        let created = Instant::now();
        let windows = lifetime(None, Some(10), 5, 0).allowance().unwrap().from(created, Duration::ZERO, Jitter::NONE);
        let last = |end: u64| created + Duration::from_nanos(end * 1_000_000_000 - 1);
        assert!(matches!(windows.verdict(last(10)), Verdict::Fresh { .. }));
        assert!(matches!(windows.verdict(last(15)), Verdict::Stale { .. }));
        assert_eq!(windows.verdict(created + seconds(15)), Verdict::Expired);
        let before = created.checked_sub(seconds(1)).unwrap();
        assert_eq!(windows.verdict(before), fresh(0, 10), "asked before it was made");
    }

    #[test]
    fn what_may_not_be_kept_is_not() {
        let long = lifetime(Some(60), Some(60), 60, 60);
        let cases = [
            (Lifetime { no_store: true, ..long }, NotStorable::NoStore),
            (Lifetime { no_store: true, private: true, ..long }, NotStorable::NoStore),
            (Lifetime { private: true, ..long }, NotStorable::Private),
            (Lifetime { no_cache: true, ..long }, NotStorable::NoCache),
            (Lifetime::default(), NotStorable::NoLifetime),
            (lifetime(Some(0), None, 0, 0), NotStorable::NoLifetime),
            (Lifetime { must_revalidate: true, ..lifetime(Some(0), None, 60, 60) }, NotStorable::NoLifetime),
        ];
        for (lifetime, expected) in cases {
            assert_eq!(lifetime.allowance(), Err(expected), "{lifetime:?}");
        }
    }

    #[test]
    fn what_must_be_revalidated_is_never_stale() {
        let created = Instant::now();
        let strict = Lifetime { must_revalidate: true, ..lifetime(Some(10), None, 60, 60) };
        let windows = strict.allowance().unwrap().from(created, Duration::ZERO, Jitter::NONE);
        assert_eq!(windows.verdict(created + seconds(9)), fresh(9, 1));
        assert_eq!(windows.verdict(created + seconds(10)), Verdict::Expired);
    }

    #[test]
    fn jitter_only_shortens_and_by_a_tenth_at_most() {
        let created = Instant::now();
        let allowance = lifetime(None, Some(100), 50, 70).allowance().unwrap();
        let exact = allowance.from(created, Duration::ZERO, Jitter::NONE);
        let mut seen = std::collections::BTreeSet::new();
        for bits in 0..1_000 {
            let windows = allowance.from(created, Duration::ZERO, Jitter::from_bits(bits));
            assert!(windows.fresh_until <= exact.fresh_until);
            assert!(windows.fresh_until >= created + seconds(90));
            assert_eq!((windows.stale_until, windows.error_until), (exact.stale_until, exact.error_until));
            seen.insert(windows.fresh_until.duration_since(created).as_secs());
        }
        assert!(seen.len() >= 10, "spread over the tenth: {seen:?}");
    }

    #[test]
    fn a_rest_is_about_a_second() {
        let rests = (0..1_000).map(|bits| Jitter::from_bits(bits).rest());
        let (least, most) =
            rests.fold((Duration::MAX, Duration::ZERO), |(least, most), it| (least.min(it), most.max(it)));
        assert!(least >= Duration::from_millis(990) && most <= REST && most > least, "{least:?} {most:?}");
    }

    #[test]
    fn for_ever_does_not_overflow() {
        let created = Instant::now();
        let for_ever = Lifetime {
            max_age: Some(Duration::MAX),
            stale_while_revalidate: Some(Duration::MAX),
            stale_if_error: Some(Duration::MAX),
            ..Lifetime::default()
        };
        let windows = for_ever.allowance().unwrap().from(created, Duration::ZERO, Jitter::from_bits(u64::MAX));
        assert!(matches!(windows.verdict(created + seconds(1 << 30)), Verdict::Fresh { .. }));
        let old = for_ever.allowance().unwrap().from(created, Duration::MAX, Jitter::NONE);
        assert!(matches!(old.verdict(created), Verdict::Stale { .. }));
    }

    #[test]
    fn declared_stale_early_the_windows_begin_there() {
        let created = Instant::now();
        let windows =
            lifetime(None, Some(100), 10, 20).allowance().unwrap().from(created, Duration::ZERO, Jitter::NONE);
        let marked = windows.stale_from(created + seconds(30));
        assert_eq!(marked.verdict(created + seconds(30)), stale(30, true, true));
        assert_eq!(marked.verdict(created + seconds(40)), stale(40, false, true));
        assert_eq!(marked.verdict(created + seconds(50)), Verdict::Expired);
        assert_eq!(windows.stale_from(created + seconds(105)), windows, "it was stale already");
    }

    #[test]
    fn declared_stale_early_nothing_is_left_of_what_jitter_gave_up() {
        let created = Instant::now();
        for (on_error, expected) in [(0, Verdict::Expired), (3, stale(30, false, true))] {
            let allowance = lifetime(None, Some(100), 0, on_error).allowance().unwrap();
            let windows = allowance.from(created, Duration::ZERO, Jitter(u16::MAX));
            let marked = windows.stale_from(created + seconds(30));
            assert_eq!(marked.verdict(created + seconds(30)), expected);
            assert_eq!(marked.verdict(created + seconds(33)), Verdict::Expired);
            assert_eq!(marked.remaining(created + seconds(31)), Err(seconds(1)));
            // Undisturbed, what is left of the declared lifetime is fresh to all others.
            assert_eq!(windows.verdict(created + seconds(95)), stale(95, true, true));
            assert_eq!(windows.remaining(created + seconds(95)), Ok(seconds(5)));
            assert_eq!(windows.remaining(created + seconds(101)), Err(seconds(1)));
        }
    }
}
