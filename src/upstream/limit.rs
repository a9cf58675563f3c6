//! How many calls one upstream gets at once. The others wait, and their waiting counts against their deadlines.

use super::{Failure, Wait};
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The places for calls to one upstream.
#[derive(Debug)]
pub(super) struct Limit(Semaphore);

impl Limit {
    /// At least one call is always allowed.
    pub(super) fn new(most: usize) -> Self {
        Self(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)))
    }

    /// A place, in order of arrival, before `end`.
    pub(super) async fn enter(&self, end: Instant) -> Result<Place<'_>, Failure> {
        // Nearly always there is a place, and then no timer need be made.
        if let Ok(place) = self.0.try_acquire() {
            return Ok(Place { _permit: place });
        }
        match tokio::time::timeout_at(end.into(), self.0.acquire()).await {
            // A place that others give up because their time is up comes too late for a call with the same deadline.
            Ok(Ok(place)) if Instant::now() < end => Ok(Place { _permit: place }),
            // The semaphore is never closed.
            Ok(_) | Err(_) => Err(Failure::Timeout(Wait::Turn)),
        }
    }
}

/// A place among the calls to an upstream, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'l> {
    _permit: SemaphorePermit<'l>,
}
