//! What was made of something, found again by the digest of that.
//!
//! There is nothing here to purge and nobody to keep from anybody: whoever asks has the very bytes that the digest is of, and would make
//! the same of them. It is bounded in bytes, and what is asked for once does not push out what is asked for often.

use super::digest::Digest;
use super::store::{Counts, ENTRY_OVERHEAD};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use std::hash::RandomState;

/// A usual entry, to estimate how many there will be.
const USUAL_ENTRY: u64 = 8 * 1024;
/// A shard must hold several of the largest entries.
const SHARD_OF_LARGEST: u64 = 4;
/// More shards than cores that will ever wait for each other.
const MOST_SHARDS: u64 = 64;

/// Values by the digests of what they were made of. Cloning a value should be cheap.
#[derive(Debug)]
pub struct Memo<V> {
    entries: Cache<Digest, Kept<V>, KeptWeight, RandomState>,
    largest: u64,
}

#[derive(Debug, Clone)]
struct Kept<V> {
    value: V,
    weight: u64,
}

#[derive(Debug, Clone)]
struct KeptWeight;

impl<V> Weighter<Digest, Kept<V>> for KeptWeight {
    fn weight(&self, _digest: &Digest, kept: &Kept<V>) -> u64 {
        kept.weight
    }
}

impl<V: Clone> Memo<V> {
    #[expect(clippy::missing_panics_doc, reason = "both capacities are set")]
    /// An empty one for `capacity` bytes, of which one entry may take up to `largest`, and an eighth if that is less.
    pub fn new(capacity: u64, largest: u64) -> Self {
        let largest = largest.min(capacity / 8);
        let shards = (capacity / (largest * SHARD_OF_LARGEST).max(1)).clamp(1, MOST_SHARDS);
        // The number of shards is rounded up to a power of two, so round down here; each gets its share of the capacity, rounded up.
        let shards = 1 << shards.ilog2();
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(usize::try_from(capacity / USUAL_ENTRY).unwrap_or(usize::MAX).max(32))
            .weight_capacity(capacity / shards as u64 * shards as u64)
            .build()
            .expect("both capacities are set");
        Self {
            entries: Cache::with_options(options, KeptWeight, RandomState::new(), DefaultLifecycle::default()),
            largest,
        }
    }

    /// What was made of that.
    pub fn get(&self, digest: &Digest) -> Option<V> {
        self.entries.get(digest).map(|kept| kept.value)
    }

    /// Keeps what was made of that, which takes so many bytes; not if that is too much.
    pub fn put(&self, digest: Digest, value: V, bytes: usize) {
        let weight = bytes as u64 + size_of::<(Digest, Kept<V>)>() as u64 + ENTRY_OVERHEAD;
        if weight <= self.largest {
            self.entries.insert(digest, Kept { value, weight });
        }
    }

    /// How many bytes it may take.
    pub fn capacity(&self) -> u64 {
        self.entries.capacity()
    }

    /// How much is kept.
    pub fn counts(&self) -> Counts {
        Counts { entries: self.entries.len(), bytes: self.entries.weight() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn digest(number: i64) -> Digest {
        Digest::of(&Value::Int(number))
    }

    #[test]
    fn it_is_bounded_and_a_scan_leaves_what_is_asked_for_often() {
        let memo = Memo::new(1 << 20, 1 << 20);
        for number in 0..20 {
            memo.put(digest(number), number, 4096);
        }
        for round in 0..200 {
            for number in 0..20 {
                // What was pushed out all the same is made again by whoever needs it.
                if memo.get(&digest(number)).is_none() {
                    memo.put(digest(number), number, 4096);
                }
            }
            for number in 0..50 {
                let once = 1_000 + round * 50 + number;
                memo.put(digest(once), once, 4096);
            }
            assert!(memo.counts().bytes <= memo.capacity() && memo.capacity() <= 1 << 20);
        }
        let found = (0..20).filter(|number| memo.get(&digest(*number)) == Some(*number)).count();
        assert!(found >= 18, "{found}");
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let memo = Memo::new(1 << 20, 1 << 16);
        memo.put(digest(1), (), 1 << 16);
        assert!(memo.get(&digest(1)).is_none());
        memo.put(digest(1), (), 1 << 15);
        assert!(memo.get(&digest(1)).is_some());
        let none = Memo::new(0, 1 << 16);
        none.put(digest(1), (), 0);
        assert!(none.get(&digest(1)).is_none());
    }
}
