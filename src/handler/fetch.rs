//! Calls of one gathering: made once, shared with whoever makes the same call at the same time, read once for all of them.
//!
//! A call that carries nothing personal flies on its own: it goes on when the request that began it is gone, since others
//! may wait for it. A personal call belongs to its request and ends with it.

use super::runtime::Service;
use crate::cache::{Empty, Epoch, Filled, Landing};
use crate::source::{Http, Kind, Trouble, identity, trouble_of, trouble_of_no_call};
use crate::upstream::{Answer, Call};
use crate::value::Value;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::HeaderMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An answer as read: cloning it is a reference count.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    /// Its value.
    pub(super) value: Value,
    /// Bytes of the body that it came as.
    pub(super) body_bytes: usize,
}

/// What a call came to.
pub(super) type Result = std::result::Result<Fetched, Trouble>;

/// A call under way, to be waited for any number of times.
pub(super) type Fetching = Shared<BoxFuture<'static, Result>>;

/// Beyond its own time a shared call may take this long to be read.
const READING: Duration = Duration::from_secs(1);

/// From this many bytes on, a body is read and extracted from on a thread that may be busy.
const LARGE: usize = 256 << 10;

/// Whether a body of this many bytes takes more than about a millisecond to work with.
pub(super) fn is_large(body_bytes: usize) -> bool {
    body_bytes >= LARGE
}

/// The calls that one request has made.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: HashMap<Vec<u8>, Fetching>,
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
    /// What the answer may be shared within.
    pub(super) epoch: Epoch,
    /// When the request gives up.
    pub(super) deadline: Instant,
}

impl Calls {
    /// The call that `http` makes with what is known so far, begun when it is first waited for.
    pub(super) fn call(
        &mut self,
        caller: Caller<'_>,
        http: &Http<crate::config::Binding>,
        slots: &[Value],
    ) -> std::result::Result<Fetching, Trouble> {
        let site = &caller.service.site;
        let limits = site.settings.limits.answer;
        let Some(upstream) = site.upstreams.get(http.upstream) else {
            return Err(Trouble::Error { late: false, reason: "no-upstream" });
        };
        let call = http.call(upstream, slots, caller.visitor, limits).map_err(trouble_of_no_call)?;
        let mut key = identity(&call);
        // The same 401 means another thing to a source that sends the visitor's credential.
        key.push(u8::from(http.forwards_credential()));
        if let Some(fetching) = self.made.get(&key) {
            return Ok(fetching.clone());
        }
        let fetching = begin(caller, call, &key).shared();
        self.made.insert(key, fetching.clone());
        Ok(fetching)
    }
}

fn begin(caller: Caller<'_>, call: Call, key: &[u8]) -> BoxFuture<'static, Result> {
    let service = Arc::clone(caller.service);
    let Caller { route, source, epoch, deadline, .. } = caller;
    let place = (route, source);
    if service.site.routes[route].sources[source].personal {
        return async move { fetch(service, place, call, deadline).await }.boxed();
    }
    let key: Arc<[u8]> = key.into();
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

async fn fetch(service: Arc<Service>, (route, source): (usize, usize), call: Call, deadline: Instant) -> Result {
    let Kind::Http(http) = &service.site.routes[route].sources[source].source.kind else {
        return Err(Trouble::Error { late: false, reason: "no-call" });
    };
    let state = &service.upstreams[http.upstream];
    let answer = service.runtime.client.fetch(&call, state, deadline).await.map_err(trouble_of)?;
    if !is_large(answer.body.len()) {
        return read(&service, (route, source), &answer);
    }
    // The answer holds one of the few places for large bodies until it is read.
    let reading = tokio::task::spawn_blocking(move || read(&service, (route, source), &answer));
    reading.await.unwrap_or(Err(Trouble::Error { late: false, reason: "unreadable" }))
}

fn read(service: &Service, (route, source): (usize, usize), answer: &Answer) -> Result {
    match &service.site.routes[route].sources[source].source.kind {
        Kind::Http(http) => {
            let value = http.read(answer, service.site.settings.limits.answer)?;
            Ok(Fetched { value, body_bytes: answer.body.len() })
        }
        Kind::Value(_) => Err(Trouble::Error { late: false, reason: "no-call" }),
    }
}
