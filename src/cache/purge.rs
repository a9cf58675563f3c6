//! Which fills may still be stored: what was purged since they began, and which site they were made from.
//!
//! A purge removes what is stored, but a fill that began before it may end after it, with what was true before. So each fill holds
//! a [`Ticket`] from its beginning, and [`Gate::admit`] compares the two while no purge can come between. What is remembered
//! of a purge lasts as long as a ticket that is older; usually there is none.
//!
//! Nothing here is touched by a hit.

use super::stored::Revision;
use super::sync::{AtomicU64, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use super::tag::{Parameters, Scope, Tag, Tags};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// A stretch of time without purges, as one revision of the site knows it. Fills of different epochs must not be shared, so it
/// belongs in the key of a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    number: u64,
    revision: Revision,
}

/// Why a fill may not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outdated {
    Purged,
    Revision,
}

/// Held by a fill from before it reads anything until it has been stored or given up.
#[derive(Debug)]
pub struct Ticket {
    epoch: u64,
    revision: Revision,
    gate: Arc<Gate>,
}

impl Ticket {
    /// The epoch in which the fill began.
    pub fn epoch(&self) -> Epoch {
        Epoch { number: self.epoch, revision: self.revision }
    }

    /// The revision of the site that fills.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut running = self.gate.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.epoch) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.epoch);
            }
        }
    }
}

/// The purges that running fills must know of.
#[derive(Debug, Default)]
pub(super) struct Gate {
    purges: RwLock<Purges>,
    /// The epoch, readable without the lock.
    epoch: AtomicU64,
    /// How many tickets of each epoch there are. Locked after `purges`, if both are.
    running: Mutex<BTreeMap<u64, usize>>,
}

/// Each number is the epoch that the latest purge of its kind began; fills of earlier epochs are outdated by it.
#[derive(Debug, Default)]
pub(super) struct Purges {
    epoch: u64,
    everything: u64,
    tags: HashMap<Tag, u64>,
    parameters: HashMap<Parameters, u64>,
    revision: Revision,
}

impl Purges {
    fn check(&self, ticket: &Ticket, tags: &Tags) -> Result<(), Outdated> {
        if ticket.revision != self.revision {
            return Err(Outdated::Revision);
        }
        // Most fills end in the epoch in which they began: one comparison.
        let purged = |since: u64| since > ticket.epoch;
        let is_purged = purged(self.epoch)
            && (purged(self.everything)
                || tags.iter().any(|tag| self.tags.get(tag).copied().is_some_and(purged))
                || self.parameters.iter().any(|(parameters, since)| purged(*since) && parameters.cover_any(tags)));
        if is_purged { Err(Outdated::Purged) } else { Ok(()) }
    }
}

impl Gate {
    pub(super) fn new(revision: Revision) -> Self {
        Self { purges: RwLock::new(Purges { revision, ..Purges::default() }), ..Self::default() }
    }

    pub(super) fn epoch(&self, revision: Revision) -> Epoch {
        Epoch { number: self.epoch.load(Ordering::Acquire), revision }
    }

    pub(super) fn begin(self: &Arc<Self>, revision: Revision) -> Ticket {
        // No purge comes between reading the epoch and being counted in it.
        let purges = self.read();
        let epoch = purges.epoch;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner).entry(epoch).or_default() += 1;
        Ticket { epoch, revision, gate: Arc::clone(self) }
    }

    /// Runs `store` if nothing outdated a response with `tags`, and holds purges back meanwhile: what it stores is there when the
    /// next purge looks.
    pub(super) fn admit<T>(&self, ticket: &Ticket, tags: &Tags, store: impl FnOnce() -> T) -> Result<T, Outdated> {
        let purges = self.read();
        purges.check(ticket, tags)?;
        Ok(store())
    }

    /// Holds admissions and purges back while `change` runs.
    pub(super) fn exclusively<T>(&self, change: impl FnOnce() -> T) -> T {
        let _purges = self.write();
        change()
    }

    /// Begins an epoch: from now on no running fill that `scope` covers is admitted. What is stored is the caller's to remove,
    /// afterwards.
    pub(super) fn purge(&self, scope: &Scope) {
        self.outdate(&mut self.write(), scope);
    }

    /// Makes `revision` the only one whose fills are admitted, and begins an epoch: no flight is shared across.
    pub(super) fn advance(&self, revision: Revision) {
        let mut purges = self.write();
        purges.revision = revision;
        purges.epoch += 1;
        self.epoch.store(purges.epoch, Ordering::Release);
    }

    fn outdate(&self, purges: &mut Purges, scope: &Scope) {
        purges.epoch += 1;
        let epoch = purges.epoch;
        let oldest = self.running.lock().unwrap_or_else(PoisonError::into_inner).keys().next().copied();
        match oldest {
            // Nobody runs who could be outdated by this or by anything before it.
            None => {
                purges.tags.clear();
                purges.parameters.clear();
            }
            Some(oldest) => {
                purges.tags.retain(|_, since| *since > oldest);
                purges.parameters.retain(|_, since| *since > oldest);
                match scope {
                    Scope::All => purges.everything = epoch,
                    Scope::Tags(tags) => purges.tags.extend(tags.iter().map(|tag| (tag.clone(), epoch))),
                    Scope::Parameters(parameters) => drop(purges.parameters.insert(parameters.clone(), epoch)),
                }
            }
        }
        self.epoch.store(epoch, Ordering::Release);
    }

    /// How many purges are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        let purges = self.read();
        purges.tags.len() + purges.parameters.len()
    }

    fn read(&self) -> RwLockReadGuard<'_, Purges> {
        self.purges.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Purges> {
        self.purges.write().unwrap_or_else(PoisonError::into_inner)
    }
}
