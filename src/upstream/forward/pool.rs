//! The place that one address of an upstream is: the connections to it that rest, the last used first.
//!
//! A lock is held for the time of a push or a pop, never while anything is waited for. Connections that have rested too long are closed
//! by a task that lives as long as there are any.

use super::connection::Live;
use crate::upstream::{Address, Trust};
use rustls::pki_types::ServerName;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long an unused connection is kept.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How long it may have rested to carry a request that must not be sent twice: a peer may close a connection that rests, and if
/// that crosses with a request nobody can tell whether it was acted upon.
const SHORT_REST: Duration = Duration::from_secs(1);
/// How many unused connections to one address are kept.
const MOST: usize = 32;

/// One address of an upstream.
#[derive(Debug)]
pub(in crate::upstream) struct Peer {
    pub(super) address: Address,
    /// Whose certificate it must show; `None` without TLS.
    pub(super) server_name: Option<ServerName<'static>>,
    pub(super) trust: Trust,
    resting: Mutex<Resting>,
}

#[derive(Debug, Default)]
struct Resting {
    stack: Vec<Rested>,
    /// Whether a task looks after them.
    is_swept: bool,
}

#[derive(Debug)]
struct Rested {
    live: Box<Live>,
    since: Instant,
    until: Instant,
}

impl Peer {
    pub(in crate::upstream) fn new(address: Address, server_name: Option<ServerName<'static>>, trust: Trust) -> Self {
        Self { address, server_name, trust, resting: Mutex::default() }
    }

    pub(in crate::upstream) fn address(&self) -> &Address {
        &self.address
    }

    /// A connection that rested, for a request that may be sent twice or may not.
    pub(super) fn take(&self, now: Instant, is_repeatable: bool) -> Option<Box<Live>> {
        let longest = if is_repeatable { LONGEST_REST } else { SHORT_REST };
        let mut old = Vec::new();
        let mut resting = self.resting();
        let found = loop {
            let Some(top) = resting.stack.last() else { break None };
            if now.saturating_duration_since(top.since) >= longest {
                // Those below have rested longer.
                break None;
            }
            let Some(rested) = resting.stack.pop() else { break None };
            if now < rested.until {
                break Some(rested.live);
            }
            old.push(rested);
        };
        drop(resting);
        // Closed when no lock is held.
        drop(old);
        found
    }

    /// Lets a connection rest, at most until `until`.
    pub(super) fn put(self: &Arc<Self>, live: Box<Live>, now: Instant, longest: Duration) {
        let rested = Rested { live, since: now, until: now + longest.min(LONGEST_REST) };
        let mut resting = self.resting();
        if resting.stack.len() >= MOST {
            drop(resting);
            drop(rested);
            return;
        }
        resting.stack.push(rested);
        let is_swept = std::mem::replace(&mut resting.is_swept, true);
        drop(resting);
        if !is_swept {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Takes out those that have rested too long; whether there are any left.
    fn old(&self, now: Instant) -> (Vec<Rested>, bool) {
        let mut resting = self.resting();
        let old = resting.stack.extract_if(.., |rested| now >= rested.until).collect();
        resting.is_swept = !resting.stack.is_empty();
        (old, resting.is_swept)
    }

    fn resting(&self) -> MutexGuard<'_, Resting> {
        // Nothing that runs under the lock leaves it half changed.
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.resting().stack.len()
    }
}

async fn sweep(peer: Weak<Peer>) {
    loop {
        tokio::time::sleep(LONGEST_REST / 6).await;
        let Some(peer) = peer.upgrade() else { return };
        let (old, is_needed) = peer.old(Instant::now());
        drop(old);
        if !is_needed {
            return;
        }
    }
}
