//! Calls of one request: made once, shared with whoever makes the same call at the same time, read once for all of them.
//!
//! A call that carries nothing personal flies on its own: it goes on when the request that began it is gone, since others
//! may wait for it. A personal call, and one that may change something, belongs to its request and ends with it.

use super::fill::Begun;
use super::runtime::Service;
use crate::cache::{Empty, Epoch, Filled, Landing, remaining_freshness};
use crate::config::Binding;
use crate::source::{Http, Kind, Read, Source, Trouble, identity, trouble_of, trouble_of_no_call};
use crate::upstream::{Answer, Call, Failure};
use crate::value::Value;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What was answered, for all who wait for it: cloning it is a reference count or two.
#[derive(Debug, Clone)]
pub(super) enum Fetched {
    /// A body that is read anew by every source that takes something else from it.
    Small {
        /// The source that called.
        source: Place,
        /// What it takes.
        taken: std::result::Result<Read, Trouble>,
        /// For the others.
        answer: Arc<Answer>,
        /// Until when it is fresh, as its fields say.
        fresh_until: Instant,
    },
    /// A body that was worth reading once for all.
    Large {
        /// The document.
        document: Read,
        /// Bytes that it came as.
        body_bytes: usize,
        /// Until when it is fresh, as its fields say.
        fresh_until: Instant,
    },
}

impl Fetched {
    /// Until when it is fresh, as its fields say.
    pub(super) fn fresh_until(&self) -> Instant {
        match self {
            Self::Small { fresh_until, .. } | Self::Large { fresh_until, .. } => *fresh_until,
        }
    }
}

/// The positions of a route and of one of its sources.
pub(super) type Place = (usize, usize);

/// What a call came to.
pub(super) type Result = std::result::Result<Fetched, Trouble>;

/// A call under way, to be waited for any number of times.
pub(super) type Fetching = Shared<BoxFuture<'static, Result>>;

/// Beyond its own time a shared call may take this long to be read.
const READING: Duration = Duration::from_secs(1);

/// From this many bytes on, a body takes more than about a millisecond to read and to extract from, which is for a thread that may
/// be busy.
const LARGE: usize = 256 << 10;

const UNREADABLE: Trouble = Trouble::Error { late: false, reason: "unreadable" };

/// Calls that were made, by their identity, in the order in which they were.
type Made = Vec<(Arc<[u8]>, Fetching)>;

/// Calls of a request that nobody's person is in; clones are the same calls.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedCalls(Arc<Mutex<Made>>);

/// The calls that one request has made, those of the routes that it asks in process included.
#[derive(Debug)]
pub(super) struct Calls {
    shared: SharedCalls,
    /// Those that belong to the request, and end with it.
    own: Mutex<Made>,
    /// When the request gives up, whatever a route that it asks allows itself.
    deadline: Instant,
    /// Until when all that was taken from upstreams is fresh; `None` if nothing was.
    fresh_until: Mutex<Option<Instant>>,
}

/// Which source calls, for which request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'c> {
    /// Where the source is declared.
    pub(super) service: &'c Arc<Service>,
    /// The position of the route.
    pub(super) route: usize,
    /// The position of the source.
    pub(super) source: usize,
    /// Header fields of the visitor's request.
    pub(super) visitor: &'c HeaderMap,
    /// Whether what it is addressed by may be one person's, whatever its own declaration says.
    pub(super) personal: bool,
    /// What the answer may be shared within.
    pub(super) epoch: Epoch,
}

impl Caller<'_> {
    /// Whether one person's data may be in the call.
    fn is_personal(self) -> bool {
        self.personal || self.service.site.routes[self.route].sources[self.source].personal
    }
}

impl Calls {
    /// None but those that were made since it `begun`, as a part of the same request.
    pub(super) fn of(begun: &Begun, deadline: Instant) -> Self {
        Self { shared: begun.calls.clone(), own: Mutex::default(), deadline, fresh_until: Mutex::default() }
    }

    /// Notes that something was taken that is fresh until this moment.
    pub(super) fn is_fresh_until(&self, moment: Instant) {
        let mut known = self.fresh_until.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(moment, |known| known.min(moment)));
    }

    /// Until when all is fresh that was taken from upstreams; `None` if nothing was.
    pub(super) fn fresh_until(&self) -> Option<Instant> {
        *self.fresh_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call that `http` makes with what is known so far, begun when it is first waited for.
    pub(super) fn call(
        &self,
        caller: Caller<'_>,
        http: &Http<Binding>,
        slots: &[Value],
    ) -> std::result::Result<Fetching, Trouble> {
        let site = &caller.service.site;
        let limits = site.settings.limits.answer;
        let Some(upstream) = site.upstreams.get(http.upstream) else {
            return Err(Trouble::Error { late: false, reason: "no-upstream" });
        };
        let mut call = http.call(upstream, slots, caller.visitor, limits).map_err(trouble_of_no_call)?;
        // However a person's data came into it, what the answer says is said to that person.
        call.for_visitor |= caller.is_personal();
        let mut key = identity(&call);
        key.extend(http.meaning());
        // Two calls that may change something are two calls.
        let is_repeatable = call.safe;
        let (mut shared, mut own) = (lock(&self.shared.0), lock(&self.own));
        let mut made = shared.iter().chain(own.iter()).filter(|_| is_repeatable);
        if let Some((_, fetching)) = made.find(|(made, _)| **made == *key) {
            return Ok(fetching.clone());
        }
        let key: Arc<[u8]> = key.into();
        let is_own = caller.is_personal() || !is_repeatable;
        let fetching = begin(caller, call, Arc::clone(&key), self.deadline).shared();
        if is_own { &mut *own } else { &mut *shared }.push((key, fetching.clone()));
        Ok(fetching)
    }

    /// Breaks off the calls of the request that nobody waits for any more. Those that are shared go on for others.
    pub(super) fn break_off(&self) {
        lock(&self.own).retain(|(_, fetching)| fetching.peek().is_some() || fetching.strong_count() > Some(1));
    }
}

fn lock(made: &Mutex<Made>) -> MutexGuard<'_, Made> {
    // Nothing that runs under these locks leaves a list half changed.
    made.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin(caller: Caller<'_>, call: Call, key: Arc<[u8]>, deadline: Instant) -> BoxFuture<'static, Result> {
    let service = Arc::clone(caller.service);
    let Caller { route, source, epoch, .. } = caller;
    let place = (route, source);
    if caller.is_personal() || !call.safe {
        return async move { fetch(service, place, call, deadline).await }.boxed();
    }
    async move {
        let calls = service.runtime.calls.clone();
        let limit = call.timeouts.total + READING;
        let flight = async move {
            // It may have been joined by requests with more time left than the one that began it.
            let deadline = Instant::now() + call.timeouts.total;
            Filled::Shared(fetch(service, place, call, deadline).await)
        };
        match calls.fly((key, epoch), limit, || None, flight).await {
            Landing::Shared(result) | Landing::Private(result) => result,
            Landing::Nothing(Empty::TimedOut) => Err(Trouble::Error { late: true, reason: "timeout" }),
            Landing::Nothing(Empty::Private | Empty::Panicked | Empty::Stopped) => {
                Err(Trouble::Error { late: false, reason: "broken-off" })
            }
        }
    }
    .boxed()
}

async fn fetch(service: Arc<Service>, place: Place, call: Call, deadline: Instant) -> Result {
    let (_, http) = source(&service, place)?;
    let state = &service.upstreams[http.upstream];
    let begin = Instant::now();
    let answer = service.runtime.client.fetch(&call, state, deadline).await;
    if !matches!(answer, Err(Failure::BreakerOpen | Failure::AskedToWait)) {
        service.meters.upstreams[http.upstream].record(begin.elapsed());
    }
    let meter = &service.meters.sources[place.0][place.1];
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            meter.failed(failure.word());
            return Err(trouble_of(failure));
        }
    };
    meter.answered(answer.status);
    let fresh_until = Instant::now() + remaining_freshness(&answer.headers, SystemTime::now(), answer.elapsed);
    if answer.body.len() < LARGE {
        let taken = take(&service, place, &answer);
        return Ok(Fetched::Small { source: place, taken, answer: Arc::new(answer), fresh_until });
    }
    // The answer holds one of the few places for large bodies until it is read.
    let reading = tokio::task::spawn_blocking(move || {
        let (_, http) = source(&service, place)?;
        let document = http.document(&answer, service.site.settings.limits.answer)?;
        Ok(Fetched::Large { document, body_bytes: answer.body.len(), fresh_until })
    });
    reading.await.unwrap_or(Err(UNREADABLE))
}

/// What the source at `place` takes from what was answered.
pub(super) async fn taken(
    service: &Arc<Service>,
    place: Place,
    fetched: Fetched,
) -> std::result::Result<Read, Trouble> {
    match fetched {
        Fetched::Small { source, taken, .. } if source == place => taken,
        Fetched::Small { answer, .. } => take(service, place, &answer),
        Fetched::Large { document, body_bytes, .. } => {
            let service = Arc::clone(service);
            let extracting = tokio::task::spawn_blocking(move || {
                let value = source(&service, place)?.0.extract(&document.value, body_bytes)?;
                Ok(Read { value, is_partial: document.is_partial })
            });
            extracting.await.unwrap_or(Err(UNREADABLE))
        }
    }
}

fn take(service: &Service, place: Place, answer: &Answer) -> std::result::Result<Read, Trouble> {
    let (source, http) = source(service, place)?;
    source.take(http, answer, service.site.settings.limits.answer)
}

fn source(
    service: &Service,
    (route, source): Place,
) -> std::result::Result<(&Source<Binding>, &Http<Binding>), Trouble> {
    let source = &service.site.routes[route].sources[source].source;
    match &source.kind {
        Kind::Http(http) => Ok((source, http)),
        Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => Err(Trouble::Error { late: false, reason: "no-call" }),
    }
}
