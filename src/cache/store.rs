//! The store in memory: stored responses by key, bounded by the bytes they take.
//!
//! A hit is one look-up in one shard by borrowed bytes, and a reference count. Everything that could make a stored response wrong
//! happens on the other side: fills are admitted one by one against the purges (see `purge`), so what is found is never outdated.

use super::content::Prepared;
use super::datum::Datum;
use super::key::{Hashed, Key, Lookup};
use super::purge::{Epoch, Gate, Outdated, Ticket};
use super::responses::Responses;
use super::stored::{Revision, Stored};
use super::sync::{Cache, DefaultLifecycle, Mutex, MutexGuard};
use super::tag::{Scope, Tag, Tags};
use super::variants::{NOTE_OVERHEAD, Variants};
use crate::fields::Coding;
use quick_cache::{OptionsBuilder, Weighter};
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// How much the store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// All entries together, in bytes.
    pub capacity: u64,
    /// One entry without codings, in bytes. A quarter of the capacity if that is less.
    pub entry: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { capacity: 64 * 1024 * 1024, entry: 1024 * 1024 }
    }
}

impl StoreLimits {
    /// The limits of the store for pages, and the bytes of the [memo](super::Memo) for what they were made of: three quarters and one.
    #[must_use]
    pub fn shared_out(self) -> (Self, u64) {
        let of_data = self.capacity / 4;
        (Self { capacity: self.capacity - of_data, ..self }, of_data)
    }
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Stored responses.
    pub entries: usize,
    /// Bytes of memory they take, with what the store takes for each.
    pub bytes: u64,
}

/// Why a response was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// It takes more than [`StoreLimits::entry`].
    #[error("too large")]
    TooLarge,
    /// A purge covered it after its fill had begun.
    #[error("purged meanwhile")]
    Purged,
    /// It was made by another revision of the site than the current one.
    #[error("made by another revision")]
    OtherRevision,
    /// It is a server error, and a better response may still be served in its place.
    #[error("an error does not replace a good response")]
    ErrorOverGood,
    /// What is there came after its fill had begun.
    #[error("something newer is there")]
    OverNewer,
}

impl From<Outdated> for NotStored {
    fn from(outdated: Outdated) -> Self {
        match outdated {
            Outdated::Purged => Self::Purged,
            Outdated::Revision => Self::OtherRevision,
        }
    }
}

/// What a purge does with what it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Removes it.
    Hard,
    /// Declares it stale as of this moment; it is served on as its stale windows allow.
    Soft(Instant),
}

/// Memory of the store's own for each entry: its slot, its place in the table, the counts of its key's references. What is left
/// free for more of them, and remembered of those that are gone, is in it.
pub(super) const ENTRY_OVERHEAD: u64 = 128;
/// A shard must hold several of the largest entries with all their codings, or they would push each other out.
const SHARD_OF_LARGEST: u64 = 8;
/// The responses of one URL may take as much together as so many of the largest entries.
const RESPONSES_OF_LARGEST: u64 = 4;
/// A page of a usual site, to estimate how many there will be.
const USUAL_ENTRY: u64 = 16 * 1024;
/// More shards than cores that will ever wait for each other.
const MOST_SHARDS: u64 = 64;

/// Stored responses by key.
#[derive(Debug)]
pub struct Store {
    entries: Cache<Key, Slot, SlotWeight, PassOn>,
    gate: Arc<Gate>,
    variants: Variants,
    changing: Changing,
    largest: u64,
}

/// Who changes what is stored of one URL.
#[derive(Debug)]
struct Changing(Box<[Mutex<()>]>);

/// Enough that changes of different URLs hardly ever wait for each other.
const CHANGING: usize = 32;

impl Default for Changing {
    fn default() -> Self {
        Self((0..CHANGING).map(|_| Mutex::new(())).collect())
    }
}

impl Changing {
    fn lock(&self, key: &Key) -> MutexGuard<'_, ()> {
        let at = usize::try_from(key.seeded_hash() % CHANGING as u64).unwrap_or(0);
        self.0[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is stored and the weight it was counted with, which must not change while it is in its place.
#[derive(Debug, Clone)]
struct Slot {
    kept: Kept,
    weight: u64,
}

/// What is stored under a key.
#[derive(Debug, Clone)]
enum Kept {
    /// What was made here.
    Page(Arc<Stored>),
    /// What an origin sent for one URL.
    Responses(Arc<Responses>),
    /// What was taken from a response of an origin.
    Data(Arc<Datum>),
}

impl Kept {
    fn page(&self) -> Option<&Arc<Stored>> {
        match self {
            Self::Page(stored) => Some(stored),
            Self::Responses(_) | Self::Data(_) => None,
        }
    }

    /// When it was made; of responses that is more than one moment.
    fn created(&self) -> Option<Instant> {
        match self {
            Self::Page(stored) => Some(stored.created()),
            Self::Data(datum) => Some(datum.created()),
            Self::Responses(_) => None,
        }
    }

    fn tags(&self) -> &Tags {
        match self {
            Self::Page(stored) => stored.tags(),
            Self::Responses(responses) => responses.tags(),
            Self::Data(datum) => datum.tags(),
        }
    }

    fn soft_purge(&self, moment: Instant) {
        match self {
            Self::Page(stored) => stored.soft_purge(moment),
            Self::Responses(responses) => responses.soft_purge(moment),
            Self::Data(datum) => datum.soft_purge(moment),
        }
    }
}

impl Slot {
    fn new(stored: Arc<Stored>, key: Lookup<'_>) -> Self {
        let note = if key.family().is_some() { NOTE_OVERHEAD } else { 0 };
        let weight = stored.size() as u64 + key.as_bytes().len() as u64 + ENTRY_OVERHEAD + note;
        Self { kept: Kept::Page(stored), weight }
    }

    fn of_responses(responses: Arc<Responses>, key: Lookup<'_>) -> Self {
        let weight = responses.size() as u64 + key.as_bytes().len() as u64 + ENTRY_OVERHEAD;
        Self { kept: Kept::Responses(responses), weight }
    }

    fn of_datum(datum: Arc<Datum>, key: Lookup<'_>) -> Self {
        let weight = datum.size() as u64 + key.as_bytes().len() as u64 + ENTRY_OVERHEAD;
        Self { kept: Kept::Data(datum), weight }
    }
}

#[derive(Debug, Clone)]
struct SlotWeight;

impl Weighter<Key, Slot> for SlotWeight {
    fn weight(&self, _key: &Key, slot: &Slot) -> u64 {
        slot.weight
    }
}

impl Store {
    #[expect(clippy::missing_panics_doc, reason = "both capacities are set")]
    /// An empty store for the site of this `revision`.
    pub fn new(limits: StoreLimits, revision: Revision) -> Self {
        let largest = limits.entry.min(limits.capacity / 4);
        let shards = (limits.capacity / (largest * SHARD_OF_LARGEST).max(1)).clamp(1, MOST_SHARDS);
        // The number of shards is rounded up to a power of two, so round down here; each gets its share of the capacity, rounded up.
        let shards = 1 << shards.ilog2();
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(usize::try_from(limits.capacity / USUAL_ENTRY).unwrap_or(usize::MAX).max(32))
            .weight_capacity(limits.capacity / shards as u64 * shards as u64)
            .build()
            .expect("both capacities are set");
        let entries = Cache::with_options(options, SlotWeight, PassOn, DefaultLifecycle::default());
        Self {
            entries,
            gate: Arc::new(Gate::new(revision)),
            variants: Variants::default(),
            changing: Changing::default(),
            largest,
        }
    }

    /// What is stored under `key`, fresh or not.
    pub fn get(&self, key: Lookup<'_>) -> Option<Arc<Stored>> {
        match self.entries.get(&key)?.kept {
            Kept::Page(stored) => Some(stored),
            Kept::Responses(_) | Kept::Data(_) => None,
        }
    }

    /// What was taken from a response of an origin and is stored under `key`, fresh or not.
    pub fn datum(&self, key: Lookup<'_>) -> Option<Arc<Datum>> {
        match self.entries.get(&key)?.kept {
            Kept::Data(datum) => Some(datum),
            Kept::Page(_) | Kept::Responses(_) => None,
        }
    }

    /// What is stored of a URL of an origin under `key`, fresh or not.
    pub fn responses(&self, key: Lookup<'_>) -> Option<Arc<Responses>> {
        match self.entries.get(&key)?.kept {
            Kept::Responses(responses) => Some(responses),
            Kept::Page(_) | Kept::Data(_) => None,
        }
    }

    /// Changes what is stored of a URL of an origin by what came of the fill that holds `ticket`: `change` gets what is there, or an entry
    /// without any response and with these `tags`, and gives what takes its place; without any response the entry goes. `limit` is in bytes,
    /// of one response; an entry takes four times as much.
    pub fn change_responses(
        &self,
        ticket: &Ticket,
        key: &Key,
        tags: &Tags,
        change: impl FnOnce(&Responses, usize) -> Responses,
    ) -> Result<(), NotStored> {
        // Two fills for the same URL must not lose what the other has brought.
        let _alone = self.changing.lock(key);
        let there = self.responses(key.lookup());
        let none = || Arc::new(Responses::none(tags.clone(), ticket.revision()));
        let most = usize::try_from(self.largest.saturating_mul(RESPONSES_OF_LARGEST)).unwrap_or(usize::MAX);
        let changed = change(&there.unwrap_or_else(none), most);
        if changed.all().is_empty() {
            drop(self.entries.remove(&key.lookup()));
            return Ok(());
        }
        let slot = Slot::of_responses(Arc::new(changed), key.lookup());
        if slot.weight > self.largest.saturating_mul(RESPONSES_OF_LARGEST) {
            return Err(NotStored::TooLarge);
        }
        self.gate.admit(ticket, tags, || self.entries.insert(key.clone(), slot)).map_err(NotStored::from)
    }

    /// How large one response of an origin may be, with its fields, in bytes.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// Removes what is stored under `keys`, whose entries have these `tags`: something has changed on the origin. No fill that began before is
    /// stored.
    pub fn invalidate<'k>(&self, tags: Vec<Tag>, keys: impl IntoIterator<Item = Lookup<'k>>) {
        self.gate.purge(&Scope::Tags(tags));
        keys.into_iter().for_each(|key| drop(self.entries.remove(&key)));
    }

    /// Begins a fill for the site of `revision`. To be called before anything is read that the response will be made of.
    pub fn begin(&self, revision: Revision) -> Ticket {
        self.gate.begin(revision)
    }

    /// The present epoch for the site of `revision`. A request that comes after a purge must not share a fill that began before
    /// it, nor one of another site: fills are shared by key *and* epoch.
    pub fn epoch(&self, revision: Revision) -> Epoch {
        self.gate.epoch(revision)
    }

    /// Stores the outcome of the fill that holds `ticket`, in place of what was there.
    pub fn put(&self, ticket: &Ticket, key: Key, stored: &Arc<Stored>) -> Result<(), NotStored> {
        let slot = Slot::new(Arc::clone(stored), key.lookup());
        if slot.weight > self.largest {
            return Err(NotStored::TooLarge);
        }
        if stored.status().is_server_error() && self.has_better(&key, stored.created()) {
            return Err(NotStored::ErrorOverGood);
        }
        self.gate.admit(ticket, stored.tags(), || self.entries.insert(key, slot)).map_err(NotStored::from)
    }

    /// Stores what the fill that holds `ticket` has taken from a response of an origin, in place of what was there, if that did not come after
    /// `since`: when the origin was asked.
    pub fn put_datum(&self, ticket: &Ticket, key: Key, datum: &Arc<Datum>, since: Instant) -> Result<(), NotStored> {
        let slot = Slot::of_datum(Arc::clone(datum), key.lookup());
        if slot.weight > self.largest {
            return Err(NotStored::TooLarge);
        }
        // Of two who fill the same at the same time the slower one may have been answered first.
        let _alone = self.changing.lock(&key);
        let there = self.entries.peek(&key.lookup()).and_then(|slot| slot.kept.created());
        if there.is_some_and(|created| created > since) {
            return Err(NotStored::OverNewer);
        }
        self.gate.admit(ticket, datum.tags(), || self.entries.insert(key, slot)).map_err(NotStored::from)
    }

    /// The same of one of the variants of a URL, of which `most` may be stored that differ in fields of requests alone: those that were
    /// stored first make room. Returns how many these were.
    pub fn put_variant(
        &self,
        ticket: &Ticket,
        key: Key,
        stored: &Arc<Stored>,
        most: usize,
    ) -> Result<usize, NotStored> {
        let family = key.lookup().family().map(|family| (family, key.seeded_hash()));
        self.put(ticket, key, stored)?;
        let Some(family) = family else { return Ok(0) };
        let is_there = |key| self.entries.contains_key(&Hashed(key));
        let dropped = self.variants.note(family, most, self.entries.len(), is_there);
        Ok(dropped.into_iter().filter(|key| self.entries.remove(&Hashed(*key)).is_some()).count())
    }

    /// Makes `coding` of a response found under `key`, once, and counts what it takes.
    ///
    /// Takes processor time: see [`Ready::Unmade`](super::Ready::Unmade).
    pub fn make<'s>(&self, key: Lookup<'_>, stored: &'s Arc<Stored>, coding: Coding) -> &'s Prepared {
        let prepared = stored.content().make(coding);
        self.count_anew(key, stored);
        prepared
    }

    /// Counts what a response takes that was found under `key`, after something was made of it that is kept with it.
    pub fn count_anew(&self, key: Lookup<'_>, stored: &Arc<Stored>) {
        // Only of the same content it may be counted anew: a newer response may have taken its place, which may share it.
        let recounted = || {
            let there = self.entries.peek(&key)?;
            let page = there.kept.page().filter(|page| page.shares_content_of(stored))?;
            let slot = Slot::new(Arc::clone(page), key);
            (slot.weight != there.weight).then_some(slot)
        };
        if recounted().is_some() {
            self.gate.exclusively(|| {
                if let Some(slot) = recounted() {
                    // It fails if the entry was evicted meanwhile: then there is nothing to count.
                    drop(self.entries.replace(key.to_key(), slot, true));
                }
            });
        }
    }

    /// Removes what was stored under `key` before `since`: the fill that holds `ticket` came to an answer that is not kept, with `tags`, and
    /// what is there says what is no longer so. Nothing happens if the fill is outdated itself.
    pub fn supersede(&self, ticket: &Ticket, key: Lookup<'_>, tags: &Tags, since: Instant) {
        let remove =
            || drop(self.entries.remove_if(&key, |slot| slot.kept.created().is_some_and(|created| created < since)));
        // Whoever purged it meanwhile has removed what is there, or will be asked for it again.
        self.gate.admit(ticket, tags, remove).unwrap_or_default();
    }

    /// Removes what is stored under `key`. A fill that runs is not affected.
    pub fn remove(&self, key: Lookup<'_>) -> Option<Arc<Stored>> {
        self.entries.remove(&key).and_then(|(_, slot)| slot.kept.page().cloned())
    }

    /// Purges what `scope` covers and returns how much that was. When this returns, nothing that was stored or begun to be filled
    /// before can be found, except stale after a soft purge.
    pub fn purge(&self, scope: &Scope, purge: Purge) -> Counts {
        self.gate.purge(scope);
        self.sweep(|kept| scope.covers(kept.tags()), purge)
    }

    /// Makes `revision` the current one: keeps what is `current` still, and no longer stores what other revisions make. Returns
    /// how much was removed.
    pub fn advance(
        &self,
        revision: Revision,
        current: impl Fn(&Stored) -> bool,
        of_origin: impl Fn(&Responses) -> bool,
        of_data: impl Fn(&Datum) -> bool,
    ) -> Counts {
        self.gate.advance(revision);
        let is_current = |kept: &Kept| match kept {
            Kept::Page(stored) => current(stored),
            Kept::Responses(responses) => of_origin(responses),
            Kept::Data(datum) => of_data(datum),
        };
        self.sweep(|kept| !is_current(kept), Purge::Hard)
    }

    /// How many bytes of memory may be taken.
    pub fn capacity(&self) -> u64 {
        self.entries.capacity()
    }

    /// How much is stored.
    pub fn counts(&self) -> Counts {
        Counts { entries: self.entries.len(), bytes: self.entries.weight() }
    }

    /// How many purges are remembered for the sake of fills that run.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.gate.remembered()
    }

    /// Whether something other than an error is stored under `key` that may still be served at `now`.
    fn has_better(&self, key: &Key, now: Instant) -> bool {
        let there = self.entries.peek(&key.lookup());
        let page = there.as_ref().and_then(|there| there.kept.page());
        page.is_some_and(|page| !page.status().is_server_error() && page.windows().is_usable(now))
    }

    fn sweep(&self, covers: impl Fn(&Kept) -> bool, purge: Purge) -> Counts {
        let covered = std::cell::Cell::new(Counts::default());
        self.entries.retain(|_, slot| {
            if !covers(&slot.kept) {
                return true;
            }
            let Counts { entries, bytes } = covered.get();
            covered.set(Counts { entries: entries + 1, bytes: bytes + slot.weight });
            match purge {
                Purge::Hard => false,
                Purge::Soft(moment) => {
                    slot.kept.soft_purge(moment);
                    true
                }
            }
        });
        covered.get()
    }
}

/// Hashes a key by the hash it already has.
#[derive(Debug, Clone, Default)]
struct PassOn;

/// See [`PassOn`].
struct PassOnHasher(u64);

impl BuildHasher for PassOn {
    type Hasher = PassOnHasher;

    fn build_hasher(&self) -> PassOnHasher {
        PassOnHasher(0)
    }
}

impl Hasher for PassOnHasher {
    fn write(&mut self, _bytes: &[u8]) {
        debug_assert!(false, "keys write their hash and nothing else");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
