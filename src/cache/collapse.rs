//! One fill for each key at a time (collapsed requests: RFC 9111, section 4), whoever asks and however they leave.
//!
//! The first who asks for a key starts a *flight*: a task of its own that fills, so that it outlives the client who started it.
//! Those who ask meanwhile wait for its outcome. Whatever happens to a flight (an answer, an answer for one person, a panic, its
//! time is up, the runtime stops), its waiters hear of it at once and it leaves the map: there is no other way out of the task than
//! through the guard that does both.
//!
//! Generic over what is filled: pages by their key, upstream calls by their identity. It knows no store; the `again` functions
//! are how a caller closes the gap between missing in a store and asking here.

use super::sync::{Mutex, MutexGuard, panicking, spawn, timeout, watch};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// What a fill made, and whether others may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled<T> {
    /// Everybody who asked for the key may have it; failures are shared like this too.
    Shared(T),
    /// It is only for the one who started the flight.
    Private(T),
}

/// How a flight ended for one of those who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing<T> {
    /// What was made, by the flight or just before it was asked for.
    Shared(T),
    /// What was made for the one who asks and for nobody else.
    Private(T),
    /// Nothing that the one who asks may have: they may fill for themselves, at once and beside each other.
    Nothing(Empty),
}

/// Why a flight brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Empty {
    /// What it made was for the one who started it.
    #[error("made for somebody else")]
    Private,
    /// It took longer than its limit.
    #[error("timed out")]
    TimedOut,
    /// It panicked.
    #[error("panicked")]
    Panicked,
    /// The runtime stopped.
    #[error("stopped")]
    Stopped,
}

/// What the waiters are told.
type News<T> = Option<Result<T, Empty>>;

/// Enough that flights of different keys hardly ever wait for each other's bookkeeping.
const SHARDS: usize = 32;

type Shard<K, T> = Mutex<HashMap<K, watch::Receiver<News<T>>>>;

struct Map<K, T> {
    hasher: RandomState,
    shards: [Shard<K, T>; SHARDS],
}

/// The flights in the air. Cloning it is a reference count: clones share their flights.
pub struct Flights<K, T>(Arc<Map<K, T>>);

impl<K, T> Clone for Flights<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::new(Map { hasher: RandomState::new(), shards: std::array::from_fn(|_| Shard::default()) }))
    }
}

impl<K, T> fmt::Debug for Flights<K, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Flights").field("in_the_air", &self.in_the_air()).finish()
    }
}

impl<K, T> Flights<K, T> {
    /// No flights.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many flights there are.
    pub fn in_the_air(&self) -> usize {
        self.0.shards.iter().map(|shard| lock(shard).len()).sum()
    }
}

impl<K, T> Flights<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Joins the flight for `key`, or starts one that runs `fill` for at most `limit`.
    ///
    /// `again` looks once more where the caller found nothing before: a flight that ended since then has left its result there, and
    /// is not repeated. It is called under a lock and must be quick. A flight must therefore store its result before it ends.
    ///
    /// Dropping the returned future, as a deadline of the caller's does, leaves the flight alone. Must be called on the runtime.
    pub async fn fly<F>(&self, key: K, limit: Duration, again: impl FnOnce() -> Option<T>, fill: F) -> Landing<T>
    where
        F: Future<Output = Filled<T>> + Send + 'static,
    {
        let mut news = match self.join(key, again) {
            Joined::Waiting(news) => news,
            Joined::Found(found) => return Landing::Shared(found),
            Joined::Leading(guard, news) => {
                return match spawn(guard.carry(limit, fill)).await {
                    Ok(Ok(Filled::Shared(made))) => Landing::Shared(made),
                    Ok(Ok(Filled::Private(made))) => Landing::Private(made),
                    Ok(Err(empty)) => Landing::Nothing(empty),
                    // The guard has told everybody, and the leader reads the same.
                    Err(_gone) => Landing::Nothing(news.borrow().as_ref().map_or(Empty::Stopped, told)),
                };
            }
        };
        match news.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(made))) => Landing::Shared(made.clone()),
            Ok(Some(Err(empty))) => Landing::Nothing(*empty),
            Ok(None) | Err(_) => Landing::Nothing(Empty::Stopped),
        }
    }

    /// Starts a flight for `key` in the background, unless there is one or `needed` says, once no other can start, that there is
    /// no need any more. Returns whether it was started. `needed` is called under a lock and must be quick.
    pub fn refresh_once<F>(&self, key: K, limit: Duration, needed: impl FnOnce() -> bool, fill: F) -> bool
    where
        F: Future<Output = Filled<T>> + Send + 'static,
    {
        let guard = {
            let mut shard = lock(self.shard(&key));
            if shard.contains_key(&key) || !needed() {
                return false;
            }
            self.start(&mut shard, key).0
        };
        // The task is on its own: how it ends is told by its guard to those who may have joined.
        drop(spawn(guard.carry(limit, fill)));
        true
    }

    fn join(&self, key: K, again: impl FnOnce() -> Option<T>) -> Joined<K, T> {
        let mut shard = lock(self.shard(&key));
        if let Some(news) = shard.get(&key) {
            return Joined::Waiting(news.clone());
        }
        if let Some(found) = again() {
            return Joined::Found(found);
        }
        let (guard, news) = self.start(&mut shard, key);
        Joined::Leading(guard, news)
    }

    fn start(
        &self,
        shard: &mut HashMap<K, watch::Receiver<News<T>>>,
        key: K,
    ) -> (Guard<K, T>, watch::Receiver<News<T>>) {
        let (teller, news) = watch::channel(None);
        shard.insert(key.clone(), news.clone());
        (Guard { flights: self.clone(), key, teller }, news)
    }

    fn shard(&self, key: &K) -> &Shard<K, T> {
        let hash = self.0.hasher.hash_one(key);
        &self.0.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under these locks leaves a map half changed, whatever panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the flight's end was to a leader that could not be told directly.
fn told<T>(news: &Result<T, Empty>) -> Empty {
    news.as_ref().err().copied().unwrap_or(Empty::Stopped)
}

enum Joined<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    Waiting(watch::Receiver<News<T>>),
    Found(T),
    Leading(Guard<K, T>, watch::Receiver<News<T>>),
}

/// Owned by a flight's task; however the task ends, it takes the flight off the map and then tells the waiters.
struct Guard<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    flights: Flights<K, T>,
    key: K,
    teller: watch::Sender<News<T>>,
}

impl<K, T> Guard<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The flight itself.
    async fn carry(self, limit: Duration, fill: impl Future<Output = Filled<T>>) -> Result<Filled<T>, Empty> {
        let outcome = timeout(limit, fill).await.map_err(|_elapsed| Empty::TimedOut);
        self.land(match &outcome {
            Ok(Filled::Shared(made)) => Ok(made.clone()),
            Ok(Filled::Private(_)) => Err(Empty::Private),
            Err(empty) => Err(*empty),
        });
        outcome
    }

    fn land(&self, news: Result<T, Empty>) {
        // First off the map, so that nobody joins a flight that has told its news and is gone.
        lock(self.flights.shard(&self.key)).remove(&self.key);
        self.teller.send_replace(Some(news));
    }
}

impl<K, T> Drop for Guard<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        if self.teller.borrow().is_none() {
            self.land(Err(if panicking() { Empty::Panicked } else { Empty::Stopped }));
        }
    }
}
