//! Loading a site anew beside the one that is served, and exchanging the two if the new one is sound.
//!
//! It runs apart from requests, on a thread that may be busy for as long as it takes. A site with errors changes nothing: what is served
//! goes on being served. Reloads follow each other, never overlap, and one that is asked for during another comes after it.

use super::Current;
use super::fixed::needs_restart;
use crate::diagnostic::{Files, Findings};
use crate::site::{Loaded, Settings, Site};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::Signal;
use tokio::sync::Notify;

/// What a reload came to.
#[derive(Debug)]
pub struct Reloaded {
    /// What it was decided by.
    pub findings: Findings,
    /// The texts that the findings point into.
    pub files: Files,
    /// Which site is served now.
    pub outcome: Outcome,
}

/// Which site is served after a reload.
#[derive(Debug)]
pub enum Outcome {
    /// The new one.
    Exchanged {
        /// That site.
        site: Arc<Site>,
        /// How long it took to load.
        elapsed: Duration,
        /// Settings in it that take effect when the server is started again.
        needs_restart: Vec<&'static str>,
    },
    /// The one from before, because the new one has errors.
    Kept,
}

/// What reloads a site: how one is loaded, where it goes, who is told.
#[derive(Debug)]
pub struct Reload<L, A> {
    /// Loads the site and checks it.
    pub load: L,
    /// Is told what each reload came to.
    pub announce: A,
    /// What is exchanged.
    pub current: Current,
    /// The settings that the server was started with.
    pub started_with: Settings,
}

impl<L, A> Reload<L, A>
where
    L: Fn() -> Loaded + Send + Sync + 'static,
    A: Fn(Reloaded) + Send + Sync + 'static,
{
    /// Reloads at each signal, and at each notice that a file was edited; for ever.
    pub async fn run(self, mut asked: Signal, edited: Arc<Notify>) {
        let this = Arc::new(self);
        loop {
            tokio::select! {
                _ = asked.recv() => {}
                () = edited.notified() => {}
            }
            let once = Arc::clone(&this);
            if let Err(error) = tokio::task::spawn_blocking(move || once.once()).await {
                tracing::error!(%error, "a reload broke off; the last good site keeps serving");
            }
        }
    }

    fn once(&self) {
        let begun = Instant::now();
        let Loaded { site, findings, files } = (self.load)();
        let outcome = match site {
            Some(site) => {
                let site = Arc::new(site);
                let elapsed = begun.elapsed();
                self.current.exchange(Arc::clone(&site));
                self.current.history().reloaded(findings.len());
                let needs_restart = needs_restart(&self.started_with, &site.settings);
                Outcome::Exchanged { site, elapsed, needs_restart }
            }
            None => {
                self.current.history().failed(findings.len());
                Outcome::Kept
            }
        };
        (self.announce)(Reloaded { findings, files, outcome });
    }
}
