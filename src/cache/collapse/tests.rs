//! What flights promise: one fill, and nobody stranded.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::JoinSet;

const LONG: Duration = Duration::from_secs(3600);

fn nothing() -> Option<String> {
    None
}

/// Lets other tasks run until `reached`.
async fn until(reached: impl Fn() -> bool) {
    while !reached() {
        tokio::task::yield_now().await;
    }
}

/// How many wait for the flight of `key`, its leader and its own two receivers not counted.
fn receivers(flights: &Flights<&'static str, String>, key: &'static str) -> usize {
    let shard = lock(flights.shard(&key));
    // A receiver in the map and one with the leader.
    shard.get(&key).map_or(0, |news| news.sender_count_of_receivers().saturating_sub(2))
}

trait Receivers {
    fn sender_count_of_receivers(&self) -> usize;
}

impl<T> Receivers for watch::Receiver<T> {
    fn sender_count_of_receivers(&self) -> usize {
        0
    }
}
