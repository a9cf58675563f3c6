//! One fetch of a URL at a time, of which nothing is stored that answers: who asks meanwhile waits, and is answered from what was stored then
//! (collapsed requests: RFC 9111, section 4).
//!
//! The first to ask leads: his request goes to the upstream with his own fields, and the answer goes to him as it comes. Whatever becomes of it,
//! those who wait hear of it at once: what he holds is dropped. If there was no answer, there is none for them either. What has turned out not to
//! be kept is nobody's to wait for: for a while all who ask for it go on their own, so that an upstream's uncacheable answers are never made one
//! after the other. Nor does anybody wait for long: he who leads may read slowly what is kept once he has it all.

use crate::cache::{Epoch, Key};
use http::StatusCode;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout_at;

/// For so long what was not kept is taken not to be worth waiting for.
const UNSHARED: Duration = Duration::from_secs(10);
/// So rarely they are looked through, each time under the one lock.
const SWEPT: Duration = Duration::from_secs(1);
/// So many of them are remembered.
const MOST_UNSHARED: usize = 4096;

/// What is fetched now.
#[derive(Clone, Default)]
pub(in super::super) struct Fetches(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    under_way: HashMap<(Key, Epoch), News>,
    /// Until when each is not waited for.
    unshared: HashMap<Key, Instant>,
    /// When those were last looked through whose time is over.
    swept: Option<Instant>,
}

/// What those who wait hear of: with which status the fetch failed, if it did. It ends when the fetch is over.
type News = watch::Receiver<Option<StatusCode>>;

/// What one who asks does.
pub(super) enum Turn {
    /// Fetches, and lets the others wait.
    Lead(Lead),
    /// Waits for him who does.
    Wait(Waiting),
    /// Fetches for himself.
    Alone,
}

/// What the others wait for the end of.
pub(super) struct Lead {
    fetches: Fetches,
    key: Option<(Key, Epoch)>,
    news: watch::Sender<Option<StatusCode>>,
}

/// A fetch that somebody else leads.
pub(super) struct Waiting(News);

/// What became of it.
pub(super) enum Waited {
    /// It is over: what came of it may be stored.
    Over,
    /// It has failed, and who asks now would be told so.
    Failed(StatusCode),
    /// It takes too long.
    Patience,
}

impl Waiting {
    /// Waits for its end until then.
    pub(super) async fn until(mut self, end: Instant) -> Waited {
        let over = timeout_at(end.into(), async { while self.0.changed().await.is_ok() {} }).await;
        match (over, *self.0.borrow()) {
            (Ok(()), None) => Waited::Over,
            (Ok(()), Some(status)) => Waited::Failed(status),
            (Err(_elapsed), _) => Waited::Patience,
        }
    }
}

impl Fetches {
    /// What who asks for this at `now` does.
    pub(super) fn join(&self, key: &Key, epoch: Epoch, now: Instant) -> Turn {
        let mut state = self.lock();
        match state.unshared.get(key) {
            Some(until) if now < *until => return Turn::Alone,
            Some(_) => drop(state.unshared.remove(key)),
            None => {}
        }
        let key = (key.clone(), epoch);
        if let Some(news) = state.under_way.get(&key) {
            return Turn::Wait(Waiting(news.clone()));
        }
        let (sender, news) = watch::channel(None);
        state.under_way.insert(key.clone(), news);
        Turn::Lead(Lead { fetches: self.clone(), key: Some(key), news: sender })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    /// There is no answer: those who wait are told the same.
    pub(super) fn failed(self, status: StatusCode) {
        // Nobody may be waiting.
        self.news.send_replace(Some(status));
    }

    /// What was fetched is not kept: nobody waits for the like of it until a while after `now`.
    pub(super) fn not_kept(self, now: Instant) {
        if let Some((key, _)) = &self.key {
            let mut state = self.fetches.lock();
            let is_swept = state.swept.is_some_and(|swept| now < swept + SWEPT);
            if state.unshared.len() >= MOST_UNSHARED && !is_swept {
                state.unshared.retain(|_, until| now < *until);
                state.swept = Some(now);
            }
            if state.unshared.len() < MOST_UNSHARED {
                state.unshared.insert(key.clone(), now + UNSHARED);
            }
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.fetches.lock().under_way.remove(&key);
        }
    }
}

impl fmt::Debug for Fetches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let (under_way, unshared) = (state.under_way.len(), state.unshared.len());
        formatter.debug_struct("Fetches").field("under_way", &under_way).field("unshared", &unshared).finish()
    }
}
