//! Memory that connections have given back goes on to the system.
//!
//! The allocator notes what is free, and gives it back when it is asked for something a while later. A server at rest asks for nothing, so what
//! a crowd has taken would stay with it for as long as nobody comes. But the allocator also looks when a thread ends: so, a moment after
//! connections came to rest or ended, a thread ends. It knows nothing of connections, and of the allocator no more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The allocator gives back what has been free for a second.
const PAUSE: Duration = Duration::from_millis(1_500);

/// Whether somebody will look already.
#[derive(Debug, Default)]
pub(super) struct Tidy {
    is_due: AtomicBool,
}

impl Tidy {
    /// Has the allocator look in a moment: once, however many ask meanwhile.
    pub(super) fn soon(self: &Arc<Self>) {
        if self.is_due.load(Ordering::Relaxed) || self.is_due.swap(true, Ordering::Relaxed) {
            return;
        }
        let tidy = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            // Who asks from now on is for the next time: what they gave back may be too new for this one.
            tidy.is_due.store(false, Ordering::Relaxed);
            if let Err(error) = thread::Builder::new().name("tidy".to_owned()).spawn(|| ()) {
                tracing::debug!(%error, "memory is given back later");
            }
        });
    }
}
