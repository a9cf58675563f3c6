//! What is counted while requests are answered: by route, by source, by upstream.
//!
//! Each has its counters at the position that it has in the site, so that counting is a few relaxed additions: no look-up, no lock, no
//! allocation. A reload finds the counters of the same names again. How many there are is bounded by what the site declares, never by what
//! is asked of it.
//!
//! It knows nothing of how counts are written: see `server::admin`.

use crate::site::Site;
use http::StatusCode;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the page store did for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOutcome {
    /// It had the page, fresh.
    Hit,
    /// It had the page, and it was sent though it was stale.
    Stale,
    /// It had no page to send.
    Miss,
}

impl CacheOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hit, Self::Stale, Self::Miss];

    /// What it is called in logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
        }
    }
}

/// What the store did for a source that keeps what it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptOutcome {
    /// It had the data, fresh.
    Hit,
    /// It had the data, which was used stale while it was fetched anew.
    Stale,
    /// It had the data, and the upstream said that it is still so.
    Revalidated,
    /// It had the data, which stood for an error.
    OnError,
    /// It had no data to use.
    Miss,
}

impl KeptOutcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hit, Self::Stale, Self::Revalidated, Self::OnError, Self::Miss];

    /// What it is called in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::OnError => "stale-if-error",
            Self::Miss => "miss",
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub(super) fn increment(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long something took each time, roughly.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How often it took up to each of [`Histogram::BOUNDS`] and longer than the one before; the last, how often longer than all.
    counts: [Counter; Self::BOUNDS.len() + 1],
    /// All of it, in nanoseconds.
    sum: Counter,
}

impl Histogram {
    /// The upper bounds of what is told apart, in microseconds.
    pub const BOUNDS: [u64; 8] = [500, 2_000, 10_000, 50_000, 200_000, 1_000_000, 5_000_000, 20_000_000];

    /// Counts one time.
    pub(super) fn record(&self, elapsed: Duration) {
        let microseconds = elapsed.as_micros();
        let at = Self::BOUNDS.iter().position(|bound| microseconds <= u128::from(*bound)).unwrap_or(Self::BOUNDS.len());
        self.counts[at].increment();
        self.sum.add(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How often it took up to each bound and longer than the one before, and how often longer than all of them.
    pub fn counts(&self) -> [u64; Self::BOUNDS.len() + 1] {
        self.counts.each_ref().map(Counter::get)
    }

    /// All of it together.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum.get())
    }
}

/// The counters of a route, or of the requests that no route answered.
#[derive(Debug, Default)]
pub struct RouteMeter {
    /// Answers by the first digit of their status, from 1 to 5.
    answers: [Counter; 5],
    /// What the page store did, in the order of [`CacheOutcome::ALL`]; the last, how often it was not asked.
    outcomes: [Counter; CacheOutcome::ALL.len() + 1],
    /// Requests that waited for a page which another one was having made.
    pub collapsed: Counter,
    /// Bytes of content that were sent.
    pub sent: Counter,
    /// From arrival until the last byte was sent.
    pub answering: Histogram,
    /// The making of its pages, for visitors or anew in the background.
    pub making: Histogram,
    /// Pages that were not sent because they held a secret.
    pub withheld: Counter,
    /// Stored pages that made room for other variants of their URLs.
    pub crowded_out: Counter,
    /// Representations that were rendered.
    pub rendered: Counter,
    /// Those that were not, because nothing that they are made of had changed.
    pub unchanged: Counter,
}

impl RouteMeter {
    /// Answers by the first digit of their status, from 1 to 5.
    pub fn answers(&self) -> [u64; 5] {
        self.answers.each_ref().map(Counter::get)
    }

    /// How often the page store had this outcome; `None`: how often it was not asked.
    pub fn outcomes(&self, outcome: Option<CacheOutcome>) -> u64 {
        self.outcomes[outcome_place(outcome)].get()
    }
}

fn outcome_place(outcome: Option<CacheOutcome>) -> usize {
    outcome.map_or(CacheOutcome::ALL.len(), |outcome| outcome as usize)
}

/// One answer, to be counted when it is sent.
#[derive(Debug, Clone)]
pub struct Tally {
    route: Arc<RouteMeter>,
    outcome: Option<CacheOutcome>,
}

impl Tally {
    /// The answer was sent with this status, so many bytes of content and after so much time.
    pub fn count(&self, status: StatusCode, bytes: u64, elapsed: Duration) {
        let Self { route, outcome } = self;
        let class = usize::from(status.as_u16() / 100).clamp(1, route.answers.len());
        route.answers[class - 1].increment();
        route.outcomes[outcome_place(*outcome)].increment();
        if bytes > 0 {
            route.sent.add(bytes);
        }
        route.answering.record(elapsed);
    }
}

/// The counters of a source's calls.
#[derive(Debug, Default)]
pub struct SourceMeter {
    /// Answers by the first digit of their status, from 1 to 5.
    answers: [Counter; 5],
    failures: Mutex<Vec<(&'static str, u64)>>,
    /// Bodies that were read, by all that takes something from them.
    pub read: Counter,
    /// Those that were not, because the same bytes had been read before.
    pub unchanged: Counter,
    /// What the store did, in the order of [`KeptOutcome::ALL`].
    kept: [Counter; KeptOutcome::ALL.len()],
}

/// What answers are called by the first digit of their status, from 1 to 5.
pub const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl SourceMeter {
    /// The store did this.
    pub(super) fn kept(&self, outcome: KeptOutcome) {
        self.kept[outcome as usize].increment();
    }

    /// How often the store did that.
    pub fn kept_outcomes(&self, outcome: KeptOutcome) -> u64 {
        self.kept[outcome as usize].get()
    }

    /// It was answered with this status.
    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, self.answers.len());
        self.answers[class - 1].increment();
    }

    /// It was not answered, for a reason of which there are a dozen. A failed call has cost enough that a lock is nothing.
    pub(super) fn failed(&self, reason: &'static str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => failures.push((reason, 1)),
        }
    }

    /// How often each thing that came about came about: a class of status, or the reason why there was no answer.
    pub fn outcomes(&self) -> Vec<(&'static str, u64)> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answers = STATUS_CLASSES.into_iter().zip(self.answers.each_ref().map(Counter::get));
        answers.filter(|(_, count)| *count > 0).chain(failures).collect()
    }
}

/// The counters of a site in service, by the positions of its routes, sources and upstreams.
#[derive(Debug)]
pub struct Meters {
    /// One for each route.
    pub routes: Vec<Arc<RouteMeter>>,
    /// For requests that no route answered.
    pub nowhere: Arc<RouteMeter>,
    /// One for each source of each route.
    pub sources: Vec<Vec<Arc<SourceMeter>>>,
    /// The calls of each upstream.
    pub upstreams: Vec<Arc<Histogram>>,
}

impl Meters {
    /// What counts an answer of the route at `position`, or of none, for which the page store did this.
    pub(super) fn tally(&self, position: Option<usize>, outcome: Option<CacheOutcome>) -> Tally {
        let route = position.and_then(|position| self.routes.get(position)).unwrap_or(&self.nowhere);
        Tally { route: Arc::clone(route), outcome }
    }

    /// What is made for the route at `position` took so long.
    pub(super) fn made(&self, position: usize, elapsed: Duration) {
        if let Some(route) = self.routes.get(position) {
            route.making.record(elapsed);
        }
    }

    /// A request joined the making of a page for another one.
    pub(super) fn collapsed(&self, position: usize) {
        if let Some(route) = self.routes.get(position) {
            route.collapsed.increment();
        }
    }
}

/// The counters of the sites that were in service, by name.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    routes: HashMap<Arc<str>, Arc<RouteMeter>>,
    nowhere: Arc<RouteMeter>,
    sources: HashMap<(Arc<str>, String), Arc<SourceMeter>>,
    upstreams: HashMap<Arc<str>, Arc<Histogram>>,
}

impl Registry {
    /// The counters of a site: those of the one before where the names are the same. What is in the site no more is forgotten.
    pub(super) fn meters(&self, site: &Site) -> Meters {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *known);
        known.nowhere = Arc::clone(&before.nowhere);
        let mut sources = Vec::with_capacity(site.routes.len());
        for route in &site.routes {
            let meter = before.routes.get(&route.name).map(Arc::clone).unwrap_or_default();
            known.routes.insert(Arc::clone(&route.name), meter);
            for planned in &route.sources {
                let key = (Arc::clone(&route.name), planned.source.name.value.clone());
                let meter = before.sources.get(&key).map(Arc::clone).unwrap_or_default();
                known.sources.insert(key, meter);
            }
            let of = |planned: &crate::site::Planned| {
                Arc::clone(&known.sources[&(Arc::clone(&route.name), planned.source.name.value.clone())])
            };
            sources.push(route.sources.iter().map(of).collect());
        }
        for upstream in site.upstreams.all() {
            let meter = before.upstreams.get(&upstream.name).map(Arc::clone).unwrap_or_default();
            known.upstreams.insert(Arc::clone(&upstream.name), meter);
        }
        Meters {
            routes: site.routes.iter().map(|route| Arc::clone(&known.routes[&route.name])).collect(),
            nowhere: Arc::clone(&known.nowhere),
            sources,
            upstreams: site
                .upstreams
                .all()
                .iter()
                .map(|upstream| Arc::clone(&known.upstreams[&upstream.name]))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_once_where_it_belongs() {
        let histogram = Histogram::default();
        for microseconds in [0, 500, 501, 2_000, 20_000_000, 20_000_001] {
            histogram.record(Duration::from_micros(microseconds));
        }
        assert_eq!(histogram.counts(), [2, 2, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.sum(), Duration::from_micros(40_003_002));
    }

    #[test]
    fn an_answer_is_counted_by_its_class_and_by_what_the_store_did() {
        let route = Arc::<RouteMeter>::default();
        for (status, outcome, bytes) in
            [(200, Some(CacheOutcome::Hit), 10), (304, Some(CacheOutcome::Stale), 0), (599, None, 5), (999, None, 0)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            Tally { route: Arc::clone(&route), outcome }.count(status, bytes, Duration::ZERO);
        }
        assert_eq!(route.answers(), [0, 1, 1, 0, 2]);
        assert_eq!(route.sent.get(), 15);
        let outcomes = [Some(CacheOutcome::Hit), Some(CacheOutcome::Stale), Some(CacheOutcome::Miss), None];
        assert_eq!(outcomes.map(|outcome| route.outcomes(outcome)), [1, 1, 0, 2]);
    }

    #[test]
    fn what_came_of_calls_is_counted_by_word() {
        let source = SourceMeter::default();
        source.answered(StatusCode::OK);
        source.failed("timeout");
        source.failed("unreachable");
        source.failed("timeout");
        assert_eq!(source.outcomes(), [("2xx", 1), ("timeout", 2), ("unreachable", 1)]);
    }
}
