//! The end of the server, in two steps: a drain, in which every request that was sent is answered, and the end at once.
//!
//! A connection learns of it by one wake-up and reads a flag from then on; no request takes a lock or a place in a queue for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// The handle by which a server is asked to end. Its clones are the same handle.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How far it has come; 0 while the server serves.
    stage: AtomicU8,
    changed: Notify,
}

const DRAINING: u8 = 1;
const ENDING: u8 = 2;

impl Shutdown {
    /// A handle nobody has asked through yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops accepting connections, and ends the server when the requests in flight are answered.
    pub fn drain(&self) {
        self.enter(DRAINING);
    }

    /// Ends the server at once, whatever is in flight.
    pub fn end(&self) {
        self.enter(ENDING);
    }

    /// Drains at the first SIGTERM or SIGINT, and ends at the second. The signals do nothing else from here on.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            for step in [Self::drain, Self::end] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                step(&shutdown);
            }
        });
        Ok(())
    }

    /// Whether the server was asked to end.
    pub fn is_draining(&self) -> bool {
        self.0.stage.load(Ordering::Relaxed) >= DRAINING
    }

    /// Waits until the server is asked to end.
    pub async fn draining(&self) {
        self.reached(DRAINING).await;
    }

    /// Waits until the server is asked to end at once.
    pub(super) async fn ending(&self) {
        self.reached(ENDING).await;
    }

    fn enter(&self, stage: u8) {
        self.0.stage.fetch_max(stage, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    async fn reached(&self, stage: u8) {
        loop {
            let changed = self.0.changed.notified();
            // Enlisted before the flag is read: a change between the two is not missed.
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if self.0.stage.load(Ordering::SeqCst) >= stage {
                return;
            }
            changed.await;
        }
    }
}
