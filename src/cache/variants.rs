//! How many responses of one URL the store holds that differ only in what fields of requests say: anybody may say anything there, and
//! nobody is to fill the store with the answers.
//!
//! Of each URL the keys are noted in the order in which they were stored last. What leaves the store by itself is not told here; it is
//! found out where it matters, when a URL has too many, and by and by for all. A hit has no part in it.

use super::sync::Mutex;
use std::collections::HashMap;
use std::sync::PoisonError;

/// The hash of a key, or of what keys have in common. Seeded, so that nobody outside can choose some that collide; two that collide all
/// the same make one another leave early, and nothing wrong.
type Hash = u64;

/// Memory for each key that is noted, at most: usually it is the only one of its URL, which has a place in the table and a list.
pub(super) const NOTE_OVERHEAD: u64 = 112;

/// Below so many nobody looks for what is gone.
pub(super) const FEW: usize = 256;

/// The keys of responses that have variants.
#[derive(Debug, Default)]
pub(super) struct Variants(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// By what they have in common, the one that was stored last behind the others.
    families: HashMap<Hash, Vec<Hash>>,
    /// How many there are in all.
    keys: usize,
}

impl Variants {
    /// Notes that something was stored under the key `key` of `family`. Returns those that are too many, if there may be `most`: the ones
    /// that were stored first. `is_there` says of a key whether anything is stored under it, and `stored` how many keys that is so of.
    pub(super) fn note(
        &self,
        (family, key): (Hash, Hash),
        most: usize,
        stored: usize,
        is_there: impl Fn(Hash) -> bool,
    ) -> Vec<Hash> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Noted { families, keys } = &mut *noted;
        let known = families.entry(family).or_default();
        let before = known.len();
        known.retain(|other| *other != key);
        if known.len() >= most {
            known.retain(|other| is_there(*other));
        }
        known.push(key);
        let surplus = known.len().saturating_sub(most.max(1));
        let dropped = known.drain(..surplus).collect();
        *keys = (*keys + known.len()).saturating_sub(before);
        if *keys > stored + stored / 4 + FEW {
            families.retain(|_, known| {
                known.retain(|key| is_there(*key));
                known.shrink_to_fit();
                !known.is_empty()
            });
            families.shrink_to_fit();
            *keys = families.values().map(Vec::len).sum();
        }
        dropped
    }

    /// How many keys are noted.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(noted.keys, noted.families.values().map(Vec::len).sum::<usize>());
        noted.keys
    }
}
