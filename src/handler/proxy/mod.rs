//! Routes that pass an upstream's answers on: every method, path, query, field and body as it is, through a shared cache as RFC 9111 has it.
//!
//! | Module | Holds |
//! |---|---|
//! | `target` | which path the upstream is asked for |
//! | `fields` | which fields are passed on, and what is added |
//! | `passed` | requests that no store answers, and what they make invalid |
//! | `cached` | requests that one may answer |
//! | `stored` | answers from what is stored |
//! | `together` | one fetch of a URL at a time |
//! | `fetch` | what is fetched, what is validated, and what stands in for an error |
//! | `update` | what an answer says of what is stored already |
//! | `keep` | answers kept while they go to the client |
//! | `around` | a body between two pieces that are there |
//! | `tunnel` | connections that have switched to WebSocket |
//!
//! A request is answered from the store if the rules let it; otherwise it goes to the upstream, with the conditions that validate what is
//! stored. It goes there once: nothing is sent again that the upstream may have seen. What the rules are, [`crate::cache::rules`] says.

mod around;
mod cached;
mod fetch;
mod fields;
mod keep;
mod passed;
mod stored;
mod target;
mod together;
mod tunnel;
mod update;

pub(super) use together::Fetches;

use super::respond::Exchange;
use super::runtime::Service;
use super::{Answer, Body, CacheOutcome, RequestBody, clock, decide, failure, invalidate};
use crate::cache::rules::{self, Bypass, Demand, NotStored, Reuse, Terms};
use crate::cache::{CACHE_STATUS, Key, KeyBuilder, Section, Tag, Tags};
use crate::fields::{CacheStatus, Forward as Forwarding, takes_trailers};
use crate::resource::{Forwarded as Telling, Proxy, Resource};
use crate::router::Match;
use crate::site::Route;
use crate::source::Upstream;
use crate::upstream::{Bounds, Failure, Forward, Forwarded, Upload, UpstreamState, Url};
use fields::Asker;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Response, StatusCode, Uri};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What is passed on of one request, and to whom.
struct Passing<'p> {
    service: &'p Arc<Service>,
    position: usize,
    proxy: &'p Proxy,
    exchange: Exchange<'p>,
    upstream: &'p Upstream,
    state: &'p Arc<UpstreamState>,
}

/// What a route declares, if it passes answers on: to all requests, or to those that it has no answer to.
pub(super) fn of(route: &Route) -> Option<&Proxy> {
    match &route.resource {
        Resource::Proxy(proxy) => Some(proxy),
        Resource::Page(_)
        | Resource::Document(_)
        | Resource::Tree(_)
        | Resource::Files(_)
        | Resource::Json(_)
        | Resource::Redirect(_) => route.otherwise.as_deref(),
    }
}

/// The answer to a request, if it is stored and fresh.
pub(super) fn at_hand(service: &Arc<Service>, exchange: Exchange<'_>) -> Option<Answer> {
    let passing = Passing::new(service, exchange)?;
    let cache = passing.proxy.cache.as_ref()?;
    let request = exchange.request;
    rules::may_look_up(&request.method, &request.headers).ok()?;
    if fields::without_listed(request).is_some() {
        return None;
    }
    let key = passing.key(decide::target(request));
    let responses = service.runtime.store.responses(key.finish())?;
    let received = responses.select(&request.headers)?;
    let demand = Demand::of(&request.headers, &cache.settings);
    let now = exchange.arrival.now;
    let Reuse::Fresh { age, left } = rules::reuse(received.terms(), &received.windows(), &demand, now) else {
        return None;
    };
    let status = CacheStatus::fresh_hit(left);
    stored::answer(received, age, &status.header_value(), CacheOutcome::Hit, exchange)
}

/// Passes a request on, or answers it from what is stored.
pub(super) async fn answer<B: RequestBody>(
    service: &Arc<Service>,
    matched: Option<&Match<'_, '_, usize>>,
    exchange: Exchange<'_>,
    body: B,
) -> Answer {
    let effective = fields::without_listed(exchange.request);
    let exchange = Exchange { request: effective.as_ref().unwrap_or(exchange.request), ..exchange };
    let Some(passing) = Passing::new(service, exchange) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let request = exchange.request;
    if fields::is_loop(&request.headers) {
        return passing.refuse(StatusCode::LOOP_DETECTED);
    }
    if request.method == Method::OPTIONS && fields::is_last(&request.headers) {
        return passing.pass_on(StatusCode::NO_CONTENT, HeaderMap::new(), Body::empty(), None);
    }
    let Some(there) = target::there(&passing, matched) else {
        return passing.refuse(StatusCode::BAD_REQUEST);
    };
    match (&passing.proxy.cache, rules::may_look_up(&request.method, &request.headers)) {
        (Some(cache), Ok(())) => cached::answer(&passing, &cache.settings, there).await,
        (Some(_), Err(bypass)) => passed::answer(&passing, there, body, Some(bypass)).await,
        (None, _) => passed::answer(&passing, there, body, None).await,
    }
}

/// What would become of a request.
pub(super) struct Told<'p> {
    /// The upstream.
    pub(super) upstream: &'p Upstream,
    /// The path below its address that it is asked for, with the query of the request; `None` if it is asked for nothing.
    pub(super) asked: Option<String>,
    /// Under which key it is looked for in the store, or why it is not; `None` if nothing is ever kept.
    pub(super) key: Option<Result<KeyBuilder, Bypass>>,
}

/// What would become of a request, told instead of done.
pub(super) fn told<'p>(
    service: &'p Arc<Service>,
    matched: &Match<'_, '_, usize>,
    exchange: Exchange<'p>,
) -> Option<Told<'p>> {
    let passing = Passing::new(service, exchange)?;
    let request = exchange.request;
    let written = target::written(&passing, Some(matched));
    let asked = written.map(|(path, query)| query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")));
    let key =
        passing.proxy.cache.as_ref().map(|_| {
            rules::may_look_up(&request.method, &request.headers).map(|()| passing.key(decide::target(request)))
        });
    Some(Told { upstream: passing.upstream, asked, key })
}

/// Why a request goes to the upstream without a look at what is stored.
fn bypassed(bypass: Bypass) -> CacheStatus {
    match bypass {
        Bypass::Method => CacheStatus::forwarded(Forwarding::Method),
        Bypass::Condition | Bypass::Content | Bypass::Upgrade => {
            CacheStatus { detail: Some(bypass.word()), ..CacheStatus::forwarded(Forwarding::Bypass) }
        }
    }
}

/// When the head of an answer was there.
#[derive(Debug, Clone, Copy)]
struct When {
    instant: Instant,
    time: SystemTime,
    /// How long that was after it was asked for.
    delay: Duration,
}

/// The head of an answer: its status, and its fields as they came.
type Head<'h> = (StatusCode, &'h HeaderMap);

impl<'p> Passing<'p> {
    fn new(service: &'p Arc<Service>, exchange: Exchange<'p>) -> Option<Self> {
        let position = exchange.position?;
        let proxy = of(exchange.route?)?;
        let upstream = service.site.upstreams.get(proxy.upstream)?;
        let state = service.upstreams.get(proxy.upstream)?;
        Some(Self { service, position, proxy, exchange, upstream, state })
    }

    /// The key of what is stored of the URL that `target` is.
    fn key(&self, target: &str) -> KeyBuilder {
        let subject = &self.service.subjects[self.position];
        let mut key = KeyBuilder::new(&subject.name);
        // What the upstream is told of the host may be in its links, whatever it says of `Vary`.
        let fields = &self.exchange.request.headers;
        if self.proxy.preserve_host || self.proxy.forwarded != Telling::None {
            match fields.get(header::HOST) {
                Some(host) => key.bytes(Section::Header, "host", &host.as_bytes().to_ascii_lowercase()),
                None => key.absent(Section::Header, "host"),
            };
        }
        if self.asker().is_trusted {
            for name in &fields::OF_THE_URL {
                if let Some(said) = fields.get(name) {
                    key.bytes(Section::Header, name.as_str(), said.as_bytes());
                }
            }
        }
        key.text(Section::Variant, "target", target);
        key
    }

    /// That of the request's own URL, to be kept.
    fn own_key(&self) -> Key {
        self.key(decide::target(self.exchange.request)).finish().to_key()
    }

    /// What a response depends on that is in these groups (RFC 9875): its own URL here, and the one there.
    fn tags(&self, there: &PathAndQuery, groups: &[String]) -> Tags {
        let path = Tag::derived("path", self.exchange.request.uri.path());
        let url = self.url(there).map(|url| invalidate::url_tag(self.upstream, &url));
        let groups = groups.iter().map(|group| invalidate::group_tag(self.upstream, group));
        let own: Vec<Tag> = std::iter::once(path).chain(url).chain(groups).collect();
        Tags::new(Arc::clone(&self.service.subjects[self.position].tags), own)
    }

    /// What the upstream is asked for.
    fn url(&self, there: &PathAndQuery) -> Option<Url> {
        let (origin, _) = fields::split_base(&self.upstream.base);
        Url::parse(&format!("{origin}{there}")).ok()
    }

    /// The names of the request's target: as the upstream knows it, and as clients do.
    fn targets(&self, there: &PathAndQuery) -> Vec<Uri> {
        let (origin, _) = fields::split_base(&self.upstream.base);
        let here = decide::target(self.exchange.request);
        let host = self.exchange.request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let public = host.and_then(|host| fields::uri_of(&format!("http://{host}"), here));
        fields::uri_of(origin, there.as_str()).into_iter().chain(public).collect()
    }

    /// Whether an answer may be stored, and on what terms; of something that is stored already and was brought up to date, `before` are those
    /// that it had.
    fn terms(
        &self,
        (status, response): Head<'_>,
        when: When,
        settings: &rules::Settings,
        (there, before): (&PathAndQuery, Option<&Terms>),
    ) -> Result<Terms, NotStored> {
        let request = self.exchange.request;
        // A GET is for what its target is, whatever its answer calls that.
        let targets = if request.method == Method::POST { self.targets(there) } else { Vec::new() };
        let targets: Vec<&Uri> = targets.iter().collect();
        let of = rules::Exchange {
            // What is stored answers GET, whatever asked about it.
            method: if before.is_some() { &Method::GET } else { &request.method },
            targets: &targets,
            request: &request.headers,
            status,
            response,
            received: when.time,
            delay: when.delay,
        };
        let terms = match before {
            Some(before) => rules::store_again(before, &of, settings),
            None => rules::store(&of, settings),
        }?;
        // What we say of the client no client says, so that a stored response would be found by all of them.
        if terms.vary.iter().any(fields::is_of_the_client) { Err(NotStored::VaryAnything) } else { Ok(terms) }
    }

    fn asker(&self) -> Asker {
        let peer = self.exchange.arrival.peer;
        Asker { peer, is_trusted: self.service.site.settings.trusted_proxies.is_trusted(peer) }
    }

    /// The fields of the request that goes to the upstream.
    fn outgoing(&self) -> HeaderMap {
        fields::outgoing(self.exchange.request, self.proxy, self.upstream, self.asker())
    }

    /// Sends the request with these fields and this body.
    async fn send(
        &self,
        there: PathAndQuery,
        fields: HeaderMap,
        (body, upgrade): (Upload, Option<HeaderValue>),
    ) -> Result<(Forwarded, When), Failure> {
        let request = self.exchange.request;
        let forward = Forward {
            method: request.method.clone(),
            target: there,
            headers: fields,
            body,
            takes_trailers: takes_trailers(&request.headers),
            upgrade,
            for_visitor: true,
        };
        let begin = clock::ticking();
        let timeout = self.upstream.calling.timeout;
        let deadline = (self.exchange.arrival.began + self.deadline()).min(begin + timeout);
        let usual = Bounds::default();
        let first_byte = self.service.site.settings.limits.answer.first_byte.unwrap_or(usual.first_byte);
        let bounds = Bounds { first_byte: first_byte.min(timeout), ..usual };
        let client = &self.service.runtime.client;
        let forwarded = client.forward(forward, self.state, bounds, deadline).await;
        let delay = begin.elapsed();
        self.service.meters.upstreams[self.proxy.upstream].record(delay);
        let clock = &self.service.runtime.clock;
        Ok((forwarded?, When { instant: clock.now(), time: clock.wall(), delay }))
    }

    /// How long a request may take to its answer's head, counted from its arrival.
    fn deadline(&self) -> Duration {
        self.exchange.route.map_or(Duration::from_secs(10), |route| route.deadline)
    }

    fn refuse(&self, status: StatusCode) -> Answer {
        failure::answer(self.service, self.exchange, status)
    }

    /// The answer to a request whose upstream has not answered.
    fn failed(&self, failure: Failure) -> Answer {
        let (id, route) = (self.exchange.arrival.id, self.exchange.route.map(|route| &*route.name));
        tracing::warn!(%id, route, upstream = &*self.upstream.name, error = %failure, "an upstream did not answer");
        self.refuse(status_of(failure))
    }

    /// The fields of an upstream's answer as ours has them.
    fn incoming(&self, mut fields: HeaderMap) -> HeaderMap {
        let host = self.exchange.request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        fields::incoming(&mut fields, self.proxy, (&self.upstream.base, host));
        fields
    }

    /// What an upstream sent, as it is sent on, with [our fields](Self::incoming).
    fn pass_on(&self, status: StatusCode, mut fields: HeaderMap, body: Body, told: Option<CacheStatus>) -> Answer {
        if let Some(told) = told {
            fields.append(CACHE_STATUS, told.header_value());
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = fields;
        self.exchange.answer(response)
    }
}

/// What a client is told of an upstream that has not answered.
fn status_of(failure: Failure) -> StatusCode {
    if failure.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY }
}
