//! Key sets that an issuer publishes: fetched when the first token comes, again in the background before they are due, and one fetch at a time.
//!
//! The last good set is kept through failures, within the bound that the site declares: an issuer that is away for a while signs nobody out.
//! Whatever strangers send, the issuer is asked when a set is due, once in a while for a key that is unknown, and after a failure not before a
//! rest.

use crate::cache::Digester;
use crate::handler::clock;
use crate::handler::runtime::Service;
use crate::identity::{Algorithm, Believed as Origin, KeySet};
use crate::site::FetchedKeys;
use crate::upstream::{BodyLimits, Call, Timeouts, Trust, Url};
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// For one fetch with everything.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a set.
const LARGEST: usize = 512 << 10;
/// After the first failure; each further one doubles it, up to `retry`.
const REST: Duration = Duration::from_secs(1);

/// A set, and when it was had.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) keys: KeySet,
    /// Another number whenever the keys are others.
    pub(super) generation: u64,
    /// The digest of its text.
    digest: crate::cache::Digest,
    at: Instant,
}

/// What there is to verify with.
pub(super) enum Believed {
    Known(Arc<Known>),
    /// Until the sender is gone.
    Wait(watch::Receiver<()>),
    /// No set, or one that is too old, and the issuer has just failed.
    Nothing {
        retry_after: Duration,
    },
}

/// The sets of an issuer, one after the other.
#[derive(Debug)]
pub(super) struct KeySets {
    url: Url,
    trust: Trust,
    algorithms: Vec<Algorithm>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Arc<Known>>,
    /// Whoever waits for it is told that a fetch is over.
    fetching: Option<watch::Receiver<()>>,
    /// How many have failed in a row, and when the last did.
    failed: Option<(u32, Instant)>,
    /// When an unknown key was last asked for.
    asked_for_unknown: Option<Instant>,
}

/// The sets that are in use.
#[derive(Debug, Default)]
pub(super) struct KeySetsOf(Mutex<Option<Arc<KeySets>>>);

impl KeySetsOf {
    /// Those of this declaration: what an earlier site had of the same is found again.
    pub(super) fn of(&self, declared: Option<(&FetchedKeys, &[Algorithm])>) -> Option<Arc<KeySets>> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |sets: &&Arc<KeySets>| {
            declared.is_some_and(|(fetched, algorithms)| {
                sets.url == fetched.url && sets.trust == fetched.trust && sets.algorithms == algorithms
            })
        };
        let sets = used.as_ref().filter(is_same).map(Arc::clone).or_else(|| {
            let (fetched, algorithms) = declared?;
            let (url, trust, algorithms) = (fetched.url.clone(), fetched.trust, algorithms.to_vec());
            Some(Arc::new(KeySets { url, trust, algorithms, state: Mutex::default() }))
        });
        used.clone_from(&sets);
        sets
    }
}

impl State {
    /// How much longer the issuer is left alone, because it has failed.
    fn rest(&self, declared: &FetchedKeys, now: Instant) -> Option<Duration> {
        let (failures, at) = self.failed?;
        let rest = REST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(declared.retry);
        rest.checked_sub(now.saturating_duration_since(at)).filter(|left| !left.is_zero())
    }

    /// The fetch that is under way.
    fn under_way(&self) -> Option<watch::Receiver<()>> {
        // One whose sender is gone is over, however it ended.
        self.fetching.as_ref().filter(|fetching| fetching.has_changed().is_ok()).cloned()
    }
}

impl KeySets {
    /// What tokens are verified with now. A fetch is begun if one is due.
    pub(super) fn believed(self: &Arc<Self>, service: &Arc<Service>, declared: &FetchedKeys) -> Believed {
        let now = service.runtime.clock.now();
        let mut state = self.state();
        let rest = state.rest(declared, now);
        let known = state.known.clone().map(|known| (now.saturating_duration_since(known.at), known));
        match (known, rest) {
            (Some((age, known)), rest) if age < declared.refresh => {
                if age >= declared.refresh.mul_f64(0.8) && rest.is_none() {
                    self.begin(&mut state, service, declared);
                }
                Believed::Known(known)
            }
            (Some((age, known)), rest) if age < declared.refresh.saturating_add(declared.stale) => {
                // Nobody waits for an issuer that may never answer while there is a set to be believed.
                if rest.is_none() {
                    self.begin(&mut state, service, declared);
                }
                Believed::Known(known)
            }
            (_, Some(retry_after)) => Believed::Nothing { retry_after },
            (_, None) => Believed::Wait(self.begin(&mut state, service, declared)),
        }
    }

    /// Asks for a key that is not in the set which is `known`, unless that was done a short time ago.
    pub(super) fn ask_for_unknown(
        self: &Arc<Self>,
        service: &Arc<Service>,
        declared: &FetchedKeys,
        known: &Known,
    ) -> Option<watch::Receiver<()>> {
        let now = service.runtime.clock.now();
        let mut state = self.state();
        // It may be in that which is on its way.
        if let Some(fetching) = state.under_way() {
            return Some(fetching);
        }
        let is_too_soon = |at: Instant| now.saturating_duration_since(at) < declared.retry;
        // A set that was just had has the keys of this moment.
        let is_new = now.saturating_duration_since(known.at) < REST;
        if state.asked_for_unknown.is_some_and(is_too_soon) || is_new || state.rest(declared, now).is_some() {
            return None;
        }
        state.asked_for_unknown = Some(now);
        Some(self.begin(&mut state, service, declared))
    }

    /// The fetch that is under way, or a new one: a task of its own, which goes on for others when its request is gone.
    fn begin(
        self: &Arc<Self>,
        state: &mut MutexGuard<'_, State>,
        service: &Arc<Service>,
        declared: &FetchedKeys,
    ) -> watch::Receiver<()> {
        if let Some(fetching) = state.under_way() {
            return fetching;
        }
        let (sender, receiver) = watch::channel(());
        state.fetching = Some(receiver.clone());
        let (sets, service, upstream) = (Arc::clone(self), Arc::clone(service), declared.upstream);
        tokio::spawn(async move {
            let fetched = sets.fetch(&service, upstream).await;
            sets.take(&service, fetched);
            drop(sender);
        });
        receiver
    }

    /// The text of a set; why there is none.
    async fn fetch(&self, service: &Service, upstream: usize) -> Result<String, &'static str> {
        let mut call = Call::new(Method::GET, self.url.clone());
        call.trust = self.trust;
        // How often it is called is counted here.
        call.retries = 0;
        call.timeouts = Timeouts { first_byte: TIMEOUT, total: TIMEOUT };
        call.limits = BodyLimits { raw: LARGEST, decoded: LARGEST };
        let accept = HeaderValue::from_static("application/jwk-set+json, application/json;q=0.9");
        call.headers.insert(header::ACCEPT, accept);
        let state = service.upstreams.get(upstream).ok_or("no-upstream")?;
        let started = clock::ticking();
        let answer = service.runtime.client.fetch(&call, state, started + TIMEOUT).await;
        if let Some(meter) = service.meters.upstreams.get(upstream) {
            meter.record(started.elapsed());
        }
        let answer = answer.map_err(crate::upstream::Failure::word)?;
        if answer.status != StatusCode::OK {
            return Err("unexpected-status");
        }
        String::from_utf8(answer.body.to_vec()).map_err(|_octets| "not-utf8")
    }

    /// Takes what was fetched, or notes that nothing was.
    fn take(&self, service: &Service, fetched: Result<String, &'static str>) {
        let digest_of = |text: &str| Digester::new("keys").bytes(text.as_bytes()).finish();
        let read = fetched.map_err(str::to_owned).and_then(|text| {
            let digest = digest_of(&text);
            let keys = KeySet::read(&text, &self.algorithms, Origin::Fetched).map_err(|why| why.to_string())?;
            Ok((digest, keys))
        });
        let at = service.runtime.clock.now();
        let mut state = self.state();
        match read {
            Ok((digest, keys)) => {
                let before = state.known.as_ref().map(|known| (known.digest, known.generation));
                let generation = match before {
                    Some((same, generation)) if same == digest => generation,
                    Some((_, generation)) => generation + 1,
                    None => 0,
                };
                state.known = Some(Arc::new(Known { keys, generation, digest, at }));
                state.failed = None;
            }
            Err(why) => {
                let failures = state.failed.map_or(0, |(failures, _)| failures) + 1;
                state.failed = Some((failures, at));
                // Not the query: it may hold what is nobody's business.
                let (host, path) = (self.url.host_str().unwrap_or_default(), self.url.path());
                tracing::warn!(host, path, failures, why, "the keys of tokens could not be fetched");
            }
        }
        state.fetching = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under this lock leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
