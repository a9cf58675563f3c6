//! What is remembered about each upstream between calls, found again after a reload.
//!
//! A site is data and holds none of this: whoever puts a site into service asks the registry for the state of each of its upstreams and
//! keeps it beside the site. As long as anybody keeps it, the same name with the same settings is the same state.

use super::breaker::{Admission, Breaker, BreakerSettings, Health};
use super::limit::Limit;
use super::patience::Patience;
use super::retry::Budget;
use super::{Answer, Failure};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// What a declaration says about an upstream as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UpstreamSettings {
    /// How many calls at once; at least one.
    pub max_concurrent: usize,
    /// When to leave it alone; `None`: never.
    pub breaker: Option<BreakerSettings>,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self { max_concurrent: 32, breaker: Some(BreakerSettings::default()) }
    }
}

/// What is remembered about one upstream between calls.
#[derive(Debug)]
pub struct UpstreamState {
    pub(super) limit: Limit,
    pub(super) budget: Budget,
    pub(super) patience: Patience,
    breaker: Option<Breaker>,
}

impl UpstreamState {
    /// The state of an upstream that has not been called yet.
    pub fn new(settings: UpstreamSettings) -> Self {
        let now = Instant::now();
        Self {
            limit: Limit::new(settings.max_concurrent),
            budget: Budget::new(),
            patience: Patience::new(now),
            breaker: settings.breaker.map(|settings| Breaker::new(settings, now)),
        }
    }

    /// Leave to make one call at `now`.
    pub(super) fn admit(&self, now: Instant) -> Result<Admission, Failure> {
        match &self.breaker {
            Some(breaker) => breaker.admit(now).ok_or(Failure::BreakerOpen),
            None => Ok(Admission::Usual),
        }
    }

    /// Whether it is left alone at `now`, because its last calls failed; `None` if it never is.
    pub fn is_left_alone(&self, now: Instant) -> Option<bool> {
        self.breaker.as_ref().map(|breaker| breaker.is_open(now))
    }

    /// An admitted call ended at `now`.
    pub(super) fn record(&self, admission: Admission, outcome: &Result<Answer, Failure>, now: Instant) {
        if let Some(breaker) = &self.breaker {
            breaker.record(admission, health(outcome), now);
        }
    }
}

/// What an outcome says about the upstream: unreachable, timeout and 5xx count, and nothing else does.
fn health(outcome: &Result<Answer, Failure>) -> Health {
    match outcome {
        Ok(answer) if answer.status.is_server_error() => Health::Bad,
        Ok(_) => Health::Good,
        Err(failure) => match failure {
            // A connection that ends without an answer is as good as none.
            Failure::Unreachable(_) | Failure::Timeout(_) | Failure::Interrupted(_) => Health::Bad,
            Failure::TooLarge(_)
            | Failure::Undecodable(_)
            | Failure::InvalidResponse
            | Failure::RedirectRefused
            | Failure::TooManyRedirects => Health::Good,
            Failure::Unsendable(_) | Failure::RefusedAddress(_) | Failure::BreakerOpen | Failure::AskedToWait => {
                Health::Unknown
            }
        },
    }
}

/// The states of all upstreams in service, by name and settings.
#[derive(Debug, Default)]
pub struct Registry(Mutex<HashMap<(String, UpstreamSettings), Weak<UpstreamState>>>);

impl Registry {
    /// The state of the upstream called `name`: the one in service if it has these settings, else a new one. Called when a site is put
    /// into service, never for a request.
    pub fn state(&self, name: &str, settings: UpstreamSettings) -> Arc<UpstreamState> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.retain(|_, state| state.strong_count() > 0);
        let key = (name.to_owned(), settings);
        if let Some(state) = states.get(&key).and_then(Weak::upgrade) {
            return state;
        }
        let state = Arc::new(UpstreamState::new(settings));
        states.insert(key, Arc::downgrade(&state));
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_finds_the_state_again() {
        let registry = Registry::default();
        let settings = UpstreamSettings::default();
        let first = registry.state("shop", settings);
        assert!(Arc::ptr_eq(&first, &registry.state("shop", settings)));
        assert!(!Arc::ptr_eq(&first, &registry.state("blog", settings)));
        assert!(!Arc::ptr_eq(&first, &registry.state("shop", UpstreamSettings { max_concurrent: 1, ..settings })));
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let registry = Registry::default();
        drop(registry.state("shop", UpstreamSettings::default()));
        let kept = registry.state("blog", UpstreamSettings::default());
        assert_eq!(registry.0.lock().unwrap().len(), 1);
        drop(kept);
    }
}
