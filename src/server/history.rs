//! When the server began, and how the reloads since then went: for those who ask it how it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

/// The life of a server so far.
#[derive(Debug)]
pub(super) struct History {
    /// When it began, by the calendar.
    pub(super) began: SystemTime,
    /// When it began, for measuring.
    pub(super) began_at: Instant,
    reloaded: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Last>,
}

/// What happened last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    /// When the site that is served was loaded.
    pub(super) loaded: SystemTime,
    /// The last reload, if there was one.
    pub(super) reload: Option<LastReload>,
}

/// What the last reload came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastReload {
    /// When it ended.
    pub(super) time: SystemTime,
    /// Whether its site is served.
    pub(super) is_served: bool,
    /// How many findings it had.
    pub(super) findings: usize,
}

impl History {
    /// It begins now, with a site that was just loaded.
    pub(super) fn begin() -> Self {
        let began = SystemTime::now();
        Self {
            began,
            began_at: Instant::now(),
            reloaded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last: Mutex::new(Last { loaded: began, reload: None }),
        }
    }

    /// A site was loaded anew with so many findings, and is served.
    pub(super) fn reloaded(&self, findings: usize) {
        self.reloaded.fetch_add(1, Ordering::Relaxed);
        self.note(true, findings);
    }

    /// A site could not be loaded anew, for errors among so many findings.
    pub(super) fn failed(&self, findings: usize) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.note(false, findings);
    }

    fn note(&self, is_served: bool, findings: usize) {
        let time = SystemTime::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if is_served {
            last.loaded = time;
        }
        last.reload = Some(LastReload { time, is_served, findings });
    }

    /// How many reloads there were whose site was served, and how many whose site was not.
    pub(super) fn reloads(&self) -> [u64; 2] {
        [&self.reloaded, &self.failed].map(|count| count.load(Ordering::Relaxed))
    }

    /// What happened last.
    pub(super) fn last(&self) -> Last {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
