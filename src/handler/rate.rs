//! How often somebody may do something: the generic cell rate algorithm (ITU-T I.371) over a fixed number of slots.
//!
//! Each slot holds the moment at which all that was done would be paid off; one that lies in the past says nothing, and is free for another.
//! Slots are found by a keyed hash, so that nobody can choose whom to share one with. Where all that could be taken are in use, the one that
//! is paid off first is taken: memory never grows, and only somebody with very many addresses gains by it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rate {
    /// So many times at once.
    pub(super) requests: u32,
    /// And as many again after so long.
    pub(super) per: Duration,
}

/// Who does it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Whoever is at this address; of IPv6, behind these 64 bits.
    Address([u8; 16]),
    /// Somebody who is signed in.
    User(String),
    /// Whoever comes by a Unix socket.
    Unknown,
}

impl Whose {
    /// Whoever is at `address`.
    pub(super) fn at(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::Address(address.to_ipv6_mapped().octets()),
            Some(IpAddr::V6(address)) => {
                // One customer of a network has at least so many addresses.
                let mut octets = address.octets();
                octets[8..].fill(0);
                Self::Address(octets)
            }
            None => Self::Unknown,
        }
    }
}

/// Slots that one key may be in.
const WAYS: usize = 4;

/// Keys that differ in these are looked for in different places.
const SETS: usize = 8192;

/// Sets that one lock guards.
const SETS_A_LOCK: usize = 128;

/// What one lock guards.
type Sets = Box<[[Slot; WAYS]]>;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    /// When all is paid off, in nanoseconds from the beginning.
    paid: u64,
}

/// Counts what is done.
#[derive(Debug)]
pub(super) struct RateLimiter {
    begin: Instant,
    hasher: RandomState,
    locks: Box<[Mutex<Sets>]>,
}

impl RateLimiter {
    /// Nothing was done before `begin`.
    pub(super) fn new(begin: Instant) -> Self {
        let sets = || Mutex::new(vec![[Slot::default(); WAYS]; SETS_A_LOCK].into_boxed_slice());
        Self { begin, hasher: RandomState::new(), locks: (0..SETS / SETS_A_LOCK).map(|_| sets()).collect() }
    }

    /// Somebody does something at `now`; how long they have to wait first, if it is once too often. What was refused counts for nothing.
    pub(super) fn admit(&self, what: impl Hash, whose: &Whose, rate: Rate, now: Instant) -> Result<(), Duration> {
        let hash = self.hasher.hash_one((what, rate, whose));
        let (set, key) = ((hash >> 32) as usize % SETS, hash | 1);
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4);
        let per = nanoseconds(rate.per).min(u64::MAX / 4);
        // The slots that were never used are paid off at the beginning.
        let now = nanoseconds(now.saturating_duration_since(self.begin)).saturating_add(1);
        let each = per / u64::from(rate.requests.max(1));
        let Some(lock) = self.locks.get(set / SETS_A_LOCK) else { return Ok(()) };
        let mut sets = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ways) = sets.get_mut(set % SETS_A_LOCK) else { return Ok(()) };
        let known = ways.iter().position(|slot| slot.key == key);
        let paid = known.and_then(|at| ways.get(at)).map_or(now, |slot| slot.paid.max(now));
        let then = paid.saturating_add(each);
        let over = (then - now).saturating_sub(per);
        if over > 0 {
            return Err(Duration::from_nanos(over));
        }
        let slot = match known {
            Some(at) => ways.get_mut(at),
            None => ways.iter_mut().min_by_key(|slot| slot.paid),
        };
        if let Some(slot) = slot {
            *slot = Slot { key, paid: then };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const MINUTE: Rate = Rate { requests: 5, per: Duration::from_mins(1) };

    fn v4(last: u8) -> Whose {
        Whose::at(Some(IpAddr::from([192, 0, 2, last])))
    }

    #[test]
    fn so_many_at_once_and_then_one_by_one() {
        let begin = Instant::now();
        let limiter = RateLimiter::new(begin);
        let at = |seconds: u64| limiter.admit("form", &v4(1), MINUTE, begin + Duration::from_secs(seconds));
        for _ in 0..5 {
            assert_eq!(at(0), Ok(()));
        }
        assert_eq!(at(0), Err(Duration::from_secs(12)));
        assert_eq!(at(11), Err(Duration::from_secs(1)));
        assert_eq!(at(12), Ok(()));
        assert_eq!(at(12), Err(Duration::from_secs(12)));
        // After the whole time all is as at first.
        for _ in 0..5 {
            assert_eq!(at(1000), Ok(()));
        }
        assert!(at(1000).is_err());
    }

    #[test]
    fn whoever_and_whatever_else_is_counted_apart() {
        let begin = Instant::now();
        let limiter = RateLimiter::new(begin);
        let once = Rate { requests: 1, per: Duration::from_mins(1) };
        let user = |name: &str| Whose::User(name.to_owned());
        for whose in
            [v4(1), v4(2), Whose::Unknown, user("ann"), user("bob"), Whose::at(Some(Ipv6Addr::LOCALHOST.into()))]
        {
            assert_eq!(limiter.admit("form", &whose, once, begin), Ok(()));
            assert_eq!(limiter.admit("other", &whose, once, begin), Ok(()));
            assert!(limiter.admit("form", &whose, once, begin).is_err());
        }
        // Neighbours behind one prefix, and the two ways to write an address of IPv4, are the same.
        let of = |address: &str| Whose::at(Some(address.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn a_flood_of_others_takes_no_memory_and_few_of_the_places() {
        let begin = Instant::now();
        let limiter = RateLimiter::new(begin);
        let once = Rate { requests: 1, per: Duration::from_mins(1) };
        assert_eq!(limiter.admit("form", &v4(1), once, begin), Ok(()));
        for address in 0..1000_u16 {
            let [high, low] = address.to_be_bytes();
            let whose = Whose::at(Some(IpAddr::from([10, 0, high, low])));
            assert_eq!(limiter.admit("form", &whose, once, begin), Ok(()));
        }
        assert!(limiter.admit("form", &v4(1), once, begin).is_err());
        for user in 0..200_000_u32 {
            assert!(limiter.admit("form", &Whose::User(user.to_string()), once, begin).is_ok());
        }
        let slots: usize = limiter.locks.iter().map(|sets| sets.lock().unwrap().len() * WAYS).sum();
        assert_eq!(slots, SETS * WAYS);
    }
}
