//! Calls of one request: made once, shared with whoever makes the same call at the same time, read once for all of them.
//!
//! A call that carries nothing personal flies on its own: it goes on when the request that began it is gone, since others
//! may wait for it. A personal call, and one that may change something, belongs to its request and ends with it.
//!
//! A body that was read before is not read again: what was taken from it is found by a digest of the source's declaration and of the whole
//! answer that reading it looks at. Taking is a pure function of these, so whoever finds something there would have taken the same from
//! what was sent to him. All the same nothing is kept of what is sent for one person: it is not to outlive the request.

use super::clock::{self, Clock};
use super::fill::Begun;
use super::gather::Whose;
use super::invalidate;
use super::kept::{self, Asking, Called, How};
use super::record::{CallRecord, Seen};
use super::runtime::Service;
use crate::cache::{Digest, Digester, Empty, Epoch, Filled, Landing, Ticket, remaining_freshness};
use crate::config::Binding;
use crate::extract::memory;
use crate::source::{Http, Kind, Read, Source, Trouble, identity, patience, trouble_of, trouble_of_no_call};
use crate::upstream::{Answer, Call, Failure};
use crate::value::Value;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::{HeaderMap, StatusCode, header};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What a source took of an answer.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) read: Read,
    /// The digest of its value, if that is known already.
    pub(super) digest: Option<Digest>,
    /// How that was had.
    pub(super) how: How,
}

impl Taken {
    /// All that there is, of which nothing else is known.
    pub(super) fn whole(value: Value) -> Self {
        Self::of(Read { value, is_partial: false }, None)
    }

    /// What was read of an answer.
    pub(super) fn of(read: Read, digest: Option<Digest>) -> Self {
        Self { read, digest, how: How::Asked }
    }
}

/// What a source takes, or why there is nothing.
pub(super) type Taking = std::result::Result<Taken, Trouble>;

/// What was answered, for all who wait for it: cloning it is a reference count or two.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    /// The source that called.
    source: Place,
    /// What it takes.
    taken: Taking,
    /// For the others.
    answer: Arc<Answered>,
    /// Until when it is fresh, as its fields say: of the same body each answer may say something else.
    pub(super) fresh_until: Instant,
}

/// What is known of an answer before its content is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) status: StatusCode,
    pub(super) fields: &'a HeaderMap,
    /// When it was asked for.
    pub(super) begun: Instant,
    /// When it was there.
    pub(super) instant: Instant,
    pub(super) received: SystemTime,
    /// How long that took.
    pub(super) delay: Duration,
}

impl Fetched {
    pub(super) fn head(&self) -> Head<'_> {
        let Answered { answer, begun, instant, received, .. } = &*self.answer;
        let (status, fields) = (answer.status, &answer.headers);
        Head { status, fields, begun: *begun, instant: *instant, received: *received, delay: answer.elapsed }
    }

    /// Bytes that its body came as.
    pub(super) fn body_bytes(&self) -> usize {
        self.answer.body_bytes
    }
}

/// An answer, to be read by every source that takes something else from it.
#[derive(Debug)]
struct Answered {
    answer: Answer,
    /// Bytes that its body came as.
    body_bytes: usize,
    /// Whether somebody's person may be in it.
    personal: bool,
    /// When it was asked for.
    begun: Instant,
    /// When it was there.
    instant: Instant,
    received: SystemTime,
    /// The digest of all that reading it looks at, once somebody has asked for it.
    digest: OnceLock<Digest>,
    /// The document that it holds, if that is worth reading once for all.
    document: OnceLock<std::result::Result<Read, Trouble>>,
}

/// What was taken from a body, to be found by who gets the same one.
#[derive(Debug, Clone)]
pub(super) struct Known {
    value: Value,
    digest: Digest,
}

/// The positions of a route and of one of its sources.
pub(super) type Place = (usize, usize);

/// What a call came to.
pub(super) type Result = std::result::Result<Fetched, Trouble>;

/// A call under way, to be waited for any number of times.
pub(super) type Fetching = Shared<BoxFuture<'static, Result>>;

/// Beyond its own time a shared call may take this long to be read.
pub(super) const READING: Duration = Duration::from_secs(1);

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
    /// The calls of sources that have not settled, if anybody wants to know.
    records: Mutex<Vec<(Place, Arc<CallRecord>)>>,
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
    /// Whose data may be in what it is addressed by, whatever its own declaration says.
    pub(super) whose: Whose,
    /// What the answer may be shared within.
    pub(super) epoch: Epoch,
    /// Taken before any call was made; `None` if nothing can come of them that is stored.
    pub(super) ticket: Option<&'c Arc<Ticket>>,
    /// Whether what is made of it may be stored, and sent as it is.
    pub(super) may_last: bool,
}

impl Caller<'_> {
    /// Whether one person's data may be in the call.
    pub(super) fn is_personal(self) -> bool {
        self.whose.is_one_persons(self.service.site.routes[self.route].sources[self.source].personal)
    }
}

impl Calls {
    /// None but those that were made since it `begun`, as a part of the same request.
    pub(super) fn of(begun: &Begun, deadline: Instant) -> Self {
        let (own, fresh_until, records) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { shared: begun.calls.clone(), own, deadline, fresh_until, records }
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

    /// When the request gives up.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The call that `http` makes with what is known so far, begun when it is first waited for; or what is kept in its place.
    pub(super) fn call(
        &self,
        caller: Caller<'_>,
        http: &Http<Binding>,
        slots: &[Value],
    ) -> std::result::Result<Called, Trouble> {
        let site = &caller.service.site;
        let limits = site.settings.limits.answer;
        let Some(upstream) = site.upstreams.get(http.upstream) else {
            return Err(Trouble::Error { late: false, reason: "no-upstream" });
        };
        if caller.service.runtime.recorder.is_some() {
            let record = CallRecord::of(http, upstream, slots, caller.visitor);
            lock(&self.records).push(((caller.route, caller.source), Arc::new(record)));
        }
        let mut call = http.call(upstream, slots, caller.visitor, limits).map_err(trouble_of_no_call)?;
        // However a person's data came into it, what the answer says is said to that person.
        call.for_visitor |= caller.is_personal();
        let identity = identified(caller.service, http, &call);
        match http.keep.as_ref().filter(|_| call.safe) {
            Some(keep) => Ok(kept::had(self, caller, Asking { http, keep, slots, call, identity })),
            None => Ok(Called::Calling(self.fetching(caller, call, identity))),
        }
    }

    /// A call of this `identity`, made once for the request.
    pub(super) fn fetching(&self, caller: Caller<'_>, call: Call, mut identity: Vec<u8>) -> Fetching {
        identity.extend(patience(&call));
        // Two calls that may change something are two calls.
        let is_repeatable = call.safe;
        let (mut shared, mut own) = (lock(&self.shared.0), lock(&self.own));
        let mut made = shared.iter().chain(own.iter()).filter(|_| is_repeatable);
        if let Some((_, fetching)) = made.find(|(made, _)| **made == *identity) {
            return fetching.clone();
        }
        let identity: Arc<[u8]> = identity.into();
        let record = self.needed(caller, &identity);
        let is_own = caller.is_personal() || !is_repeatable;
        let calling = Calling {
            service: Arc::clone(caller.service),
            place: (caller.route, caller.source),
            is_personal: caller.is_personal(),
            epoch: caller.epoch,
            record,
        };
        let fetching = calling.begin(call, Arc::clone(&identity), self.deadline);
        if is_own { &mut *own } else { &mut *shared }.push((identity, fetching.clone()));
        fetching
    }

    /// What is remembered of the call that this source makes now, if anything is.
    fn needed(&self, caller: Caller<'_>, identity: &Arc<[u8]>) -> Option<Arc<CallRecord>> {
        caller.service.runtime.recorder.as_ref()?;
        let records = lock(&self.records);
        let (_, record) = records.iter().rev().find(|(place, _)| *place == (caller.route, caller.source))?;
        record.needed(identity);
        Some(Arc::clone(record))
    }

    /// What is remembered of the calls that this source has made, once it has settled.
    pub(super) fn seen(&self, service: &Service, place: Place) -> Vec<Seen> {
        let Some(recorder) = &service.runtime.recorder else { return Vec::new() };
        let settled: Vec<_> = lock(&self.records).extract_if(.., |(at, _)| *at == place).collect();
        settled.into_iter().map(|(_, call)| recorder.seen(call)).collect()
    }

    /// Breaks off the calls of the request that nobody waits for any more. Those that are shared go on for others.
    pub(super) fn break_off(&self) {
        lock(&self.own).retain(|(_, fetching)| fetching.peek().is_some() || fetching.strong_count() > Some(1));
    }
}

fn lock<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    // Nothing that runs under these locks leaves a list half changed.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a call shares with those that are the same to the upstream and to the source, and with no others, however long they wait.
pub(super) fn identified(service: &Service, http: &Http<Binding>, call: &Call) -> Vec<u8> {
    let mut identity = identity(call);
    identity.extend(http.meaning());
    if let Some(upstream) = service.site.upstreams.get(http.upstream).filter(|upstream| !upstream.addresses.is_empty())
    {
        // The URL alone does not say where it goes.
        identity.extend(upstream.name.bytes());
    }
    identity
}

/// A call to be made for a source.
pub(super) struct Calling {
    pub(super) service: Arc<Service>,
    pub(super) place: Place,
    /// Whether one person's data may be in it.
    pub(super) is_personal: bool,
    /// What the answer may be shared within.
    pub(super) epoch: Epoch,
    /// What is to be told of it, if anything is.
    pub(super) record: Option<Arc<CallRecord>>,
}

impl Calling {
    /// Makes the call when it is first waited for; `identity` has its patience in it.
    pub(super) fn begin(self, call: Call, identity: Arc<[u8]>, deadline: Instant) -> Fetching {
        let Self { service, place, is_personal, epoch, record } = self;
        if is_personal || !call.safe {
            return async move { fetch(service, place, call, (deadline, is_personal), record).await }.boxed().shared();
        }
        let flying = async move {
            let calls = service.runtime.calls.clone();
            let limit = call.timeouts.total + READING;
            let flight = async move {
                // It may have been joined by requests with more time left than the one that began it.
                let deadline = clock::ticking() + call.timeouts.total;
                Filled::Shared(fetch(service, place, call, (deadline, false), record).await)
            };
            match calls.fly((identity, epoch), limit, || None, flight).await {
                Landing::Shared(result) | Landing::Private(result) => result,
                Landing::Nothing(Empty::TimedOut) => Err(Trouble::Error { late: true, reason: "timeout" }),
                Landing::Nothing(Empty::Private | Empty::Panicked | Empty::Stopped) => {
                    Err(Trouble::Error { late: false, reason: "broken-off" })
                }
            }
        };
        flying.boxed().shared()
    }
}

async fn fetch(
    service: Arc<Service>,
    place: Place,
    call: Call,
    (deadline, personal): (Instant, bool),
    record: Option<Arc<CallRecord>>,
) -> Result {
    let (_, http) = source(&service, place)?;
    let state = &service.upstreams[http.upstream];
    if let (Some(recorder), Some(record)) = (&service.runtime.recorder, &record) {
        recorder.begin(record);
    }
    let (started, begun) = (clock::ticking(), service.runtime.clock.now());
    let answer = service.runtime.client.fetch(&call, state, deadline).await;
    if !matches!(answer, Err(Failure::BreakerOpen | Failure::AskedToWait)) {
        service.meters.upstreams[http.upstream].record(started.elapsed());
    }
    let meter = &service.meters.sources[place.0][place.1];
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            meter.failed(failure.word());
            if let Some(record) = record {
                record.failed(failure, started.elapsed());
            }
            return Err(trouble_of(failure));
        }
    };
    meter.answered(answer.status);
    if let Some(record) = record {
        record.answered(&answer, http, service.site.settings.limits.answer);
    }
    if !call.safe && service.keeps_answers {
        invalidate::changed(&service, http.upstream, (&call.method, &call.url), (answer.status, &answer.headers));
    }
    let answered = Answered::new(answer, personal, begun, &service.runtime.clock);
    let Answered { answer: Answer { headers, elapsed, .. }, instant, received, .. } = &answered;
    let fresh_until = *instant + remaining_freshness(headers, *received, *elapsed);
    if !answered.is_large() {
        let taken = answered.take(&service, place);
        return Ok(Fetched { source: place, taken, answer: Arc::new(answered), fresh_until });
    }
    // The answer holds one of the few places for large bodies until it is read.
    let reading = tokio::task::spawn_blocking(move || {
        let taken = answered.take(&service, place);
        Fetched { source: place, taken, answer: Arc::new(answered.once_read()), fresh_until }
    });
    reading.await.map_err(|_panic| UNREADABLE)
}

/// What the source at `place` takes from what was answered.
pub(super) async fn taken(service: &Arc<Service>, place: Place, fetched: Fetched) -> Taking {
    let Fetched { source, taken, answer, .. } = fetched;
    if source == place {
        return taken;
    }
    if !answer.is_large() {
        return answer.take(service, place);
    }
    let service = Arc::clone(service);
    let extracting = tokio::task::spawn_blocking(move || answer.take(&service, place));
    extracting.await.unwrap_or(Err(UNREADABLE))
}

impl Answered {
    fn new(answer: Answer, personal: bool, begun: Instant, clock: &Clock) -> Self {
        let (instant, received) = (clock.now(), clock.wall());
        let (digest, document) = (OnceLock::new(), OnceLock::new());
        Self { body_bytes: answer.body.len(), personal, begun, instant, received, digest, document, answer }
    }

    /// Whether reading it is for a thread that may be busy.
    fn is_large(&self) -> bool {
        self.body_bytes >= LARGE
    }

    /// What is left of it once the first has read it: its place is for the next, and who has the document needs no body.
    fn once_read(self) -> Self {
        let mut answer = self.answer.without_place();
        if self.document.get().is_some() {
            answer.body = Bytes::new();
        }
        Self { answer, ..self }
    }

    /// What the source at `place` takes, as it was taken before if that was from the same.
    fn take(&self, service: &Service, place: Place) -> Taking {
        let digest = self.digest().map(|answer| {
            // The name of a route has its revision in it, which covers `site.toml` and so the limits.
            let name = service.subjects[place.0].name.as_bytes();
            Digester::new("data").bytes(name).number(place.1 as u64).digest(answer).finish()
        });
        let meter = &service.meters.sources[place.0][place.1];
        if let Some(Known { value, digest }) = digest.and_then(|digest| service.runtime.data.get(&digest)) {
            meter.unchanged.increment();
            return Ok(Taken::of(Read { value, is_partial: false }, Some(digest)));
        }
        if self.answer.status.is_success() {
            meter.read.increment();
        }
        let read = self.read(service, place)?;
        // That a part is missing is told to the log each time.
        let Some(digest) = digest.filter(|_| !read.is_partial) else { return Ok(Taken::of(read, None)) };
        let known = Known { value: read.value.clone(), digest: Digest::of(&read.value) };
        let taken = Taken::of(read, Some(known.digest));
        let bytes = memory(&known.value, self.body_bytes);
        service.runtime.data.put(digest, known, bytes);
        Ok(taken)
    }

    /// Reads the body for the source at `place`.
    fn read(&self, service: &Service, place: Place) -> std::result::Result<Read, Trouble> {
        let (source, http) = source(service, place)?;
        let limits = service.site.settings.limits.answer;
        if !self.is_large() {
            return source.take(http, &self.answer, limits);
        }
        let Read { value, is_partial } = self.document.get_or_init(|| http.document(&self.answer, limits)).clone()?;
        Ok(Read { value: source.extract(&value, self.body_bytes)?, is_partial })
    }

    /// The digest of all that reading it looks at: the body, and what is said of it. `None` of what is one person's, and of what is no data.
    fn digest(&self) -> Option<Digest> {
        let Answer { status, headers, body, .. } = &self.answer;
        if self.personal || !status.is_success() {
            return None;
        }
        Some(*self.digest.get_or_init(|| {
            let mut parts = Digester::new("answer");
            parts.number(status.as_u16().into());
            for content_type in headers.get_all(header::CONTENT_TYPE) {
                parts.bytes(content_type.as_bytes());
            }
            parts.finish_with(body)
        }))
    }
}

pub(super) fn source(
    service: &Service,
    (route, source): Place,
) -> std::result::Result<(&Source<Binding>, &Http<Binding>), Trouble> {
    let source = &service.site.routes[route].sources[source].source;
    match &source.kind {
        Kind::Http(http) => Ok((source, http)),
        Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => Err(Trouble::Error { late: false, reason: "no-call" }),
    }
}
