//! Work that takes long is done aside: on a thread that may, and a few at a time, so that other requests go on.
//!
//! It knows nothing of what the work is.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Instant;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// The places for work that takes long: one processor is always left to the others, if there are several.
#[derive(Debug)]
pub(super) struct Aside(Semaphore);

impl Default for Aside {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self(Semaphore::new(processors.saturating_sub(1).max(1)))
    }
}

impl Aside {
    /// Does the work when there is a place for it; `None` if there is none before the deadline.
    pub(super) async fn work<T>(&self, deadline: Instant, work: impl FnOnce() -> T) -> Option<T> {
        let _place = timeout_at(deadline.into(), self.0.acquire()).await.ok()?.ok()?;
        Some(long(work))
    }
}

/// Does work during which the other requests of this thread go on elsewhere.
pub(super) fn long<T>(work: impl FnOnce() -> T) -> T {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
