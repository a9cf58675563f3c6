//! Routes that pass an upstream's answers on: every method, path, query, field and body as it is, through a shared cache as RFC 9111 has it.
//!
//! | Module | Holds |
//! |---|---|
//! | `target` | which path the upstream is asked for |
//! | `fields` | which fields are passed on, and what is added |
//! | `stored` | answers from what is stored |
//! | `keep` | answers kept while they go to the client |
//! | `together` | one fetch of a URL at a time |
//! | `tunnel` | connections that have switched to WebSocket |
//!
//! A request is answered from the store if the rules let it; otherwise it goes to the upstream, with the conditions that validate what is
//! stored. It goes there once: nothing is sent again that the upstream may have seen. What the rules are, [`crate::cache::rules`] says.

mod fields;
mod keep;
mod stored;
mod target;
mod together;
mod tunnel;

pub(super) use together::Fetches;

use super::clock;
use super::respond::Exchange;
use super::runtime::Service;
use super::{Answer, Body, CacheOutcome, RequestBody, failure};
use crate::cache::rules::{
    self, Because, Demand, Failure as Failed, Invalidated, NotStored, Reuse, StoredUnder, Validated,
};
use crate::cache::{CACHE_STATUS, Filled, Key, KeyBuilder, Received, Section, Tag, Tags, Ticket};
use crate::fields::{CacheStatus, Forward as Forwarding, Outcome};
use crate::resource::{Proxy, Resource};
use crate::router::Match;
use crate::site::Route;
use crate::source::Upstream;
use crate::upstream::{Bounds, Failure, Forward, Forwarded, Upload, UpstreamState};
use fields::Asker;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Response, StatusCode, Uri};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use together::{Lead, Turn};

/// What is passed on of one request, and to whom.
struct Passing<'p> {
    service: &'p Arc<Service>,
    position: usize,
    proxy: &'p Proxy,
    exchange: Exchange<'p>,
    upstream: &'p Upstream,
    state: &'p Arc<UpstreamState>,
}

/// What a route declares, if it passes answers on.
pub(super) fn of(route: &Route) -> Option<&Proxy> {
    match &route.resource {
        Resource::Proxy(proxy) => Some(proxy),
        Resource::Page(_)
        | Resource::Document(_)
        | Resource::Tree(_)
        | Resource::Files(_)
        | Resource::Json(_)
        | Resource::Redirect(_) => None,
    }
}

impl<'p> Passing<'p> {
    fn new(service: &'p Arc<Service>, exchange: Exchange<'p>) -> Option<Self> {
        let position = exchange.position?;
        let proxy = of(exchange.route?)?;
        let upstream = service.site.upstreams.get(proxy.upstream)?;
        let state = service.upstreams.get(proxy.upstream)?;
        Some(Self { service, position, proxy, exchange, upstream, state })
    }

    /// The key of what is stored of the URL that this request is for.
    fn key(&self, target: &str) -> KeyBuilder {
        let subject = &self.service.subjects[self.position];
        let mut key = KeyBuilder::new(&subject.name);
        key.text(Section::Variant, "target", target);
        if self.proxy.preserve_host {
            match self.exchange.request.headers.get(header::HOST) {
                Some(host) => key.bytes(Section::Header, "host", &host.as_bytes().to_ascii_lowercase()),
                None => key.absent(Section::Header, "host"),
            };
        }
        key
    }

    /// What a response depends on that is in these groups (RFC 9875).
    fn tags(&self, groups: &[String]) -> Tags {
        let path = Tag::derived("path", self.exchange.request.uri.path());
        let groups = groups.iter().map(|group| self.group(group));
        let own: Vec<Tag> = std::iter::once(path).chain(groups).collect();
        Tags::new(Arc::clone(&self.service.subjects[self.position].tags), own)
    }

    /// The names of the request's target: as the upstream knows it, and as clients do.
    fn targets(&self, there: &PathAndQuery) -> Vec<Uri> {
        let (origin, _) = fields::split_base(&self.upstream.base);
        let here = super::decide::target(self.exchange.request);
        let host = self.exchange.request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let public = host.and_then(|host| fields::uri_of(&format!("http://{host}"), here));
        fields::uri_of(origin, there.as_str()).into_iter().chain(public).collect()
    }

    fn refuse(&self, status: StatusCode) -> Answer {
        failure::answer(self.service, self.exchange, status)
    }
}

/// The answer to a request, if it is stored and fresh.
pub(super) fn at_hand(service: &Arc<Service>, exchange: Exchange<'_>) -> Option<Answer> {
    let passing = Passing::new(service, exchange)?;
    let cache = passing.proxy.cache.as_ref()?;
    let request = exchange.request;
    rules::may_look_up(&request.method, &request.headers).ok()?;
    let key = passing.key(super::decide::target(request));
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
    matched: &Match<'_, '_, usize>,
    exchange: Exchange<'_>,
    body: B,
) -> Answer {
    let Some(passing) = Passing::new(service, exchange) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let request = exchange.request;
    if fields::is_loop(&request.headers) {
        return passing.refuse(StatusCode::LOOP_DETECTED);
    }
    let Some(there) = target::there(passing.proxy, passing.upstream, matched, super::decide::target(request)) else {
        return passing.refuse(StatusCode::BAD_REQUEST);
    };
    match (&passing.proxy.cache, rules::may_look_up(&request.method, &request.headers)) {
        (Some(cache), Ok(())) => cached(&passing, &cache.settings, there).await,
        (Some(_), Err(bypass)) => {
            let status = CacheStatus { detail: None, ..CacheStatus::forwarded(forwarding(bypass)) };
            passed(&passing, there, body, Some(status)).await
        }
        (None, _) => passed(&passing, there, body, None).await,
    }
}

fn forwarding(bypass: rules::Bypass) -> Forwarding {
    match bypass {
        rules::Bypass::Method => Forwarding::Method,
        rules::Bypass::Condition | rules::Bypass::Content | rules::Bypass::Upgrade => Forwarding::Bypass,
    }
}

/// What comes of sending a request to the upstream.
struct Came {
    forwarded: Forwarded,
    /// When its head was there.
    instant: Instant,
    time: SystemTime,
    /// How long that took.
    delay: Duration,
}

impl Passing<'_> {
    /// Sends the request with these fields and this body.
    async fn send(
        &self,
        there: PathAndQuery,
        fields: HeaderMap,
        (body, upgrade): (Upload, Option<HeaderValue>),
    ) -> Result<Came, Failure> {
        let request = self.exchange.request;
        let takes_trailers = request.headers.get_all(header::TE).iter().any(|te| te.as_bytes() == b"trailers");
        let forward = Forward {
            method: request.method.clone(),
            target: there,
            headers: fields,
            body,
            takes_trailers,
            upgrade,
            for_visitor: true,
        };
        let begin = clock::ticking();
        let deadline = begin + self.exchange.route.map_or(Duration::from_secs(10), |route| route.deadline);
        let client = &self.service.runtime.client;
        let forwarded = client.forward(forward, self.state, Bounds::default(), deadline).await;
        let delay = begin.elapsed();
        self.service.meters.upstreams[self.proxy.upstream].record(delay);
        let clock = &self.service.runtime.clock;
        Ok(Came { forwarded: forwarded?, instant: clock.now(), time: clock.wall(), delay })
    }

    fn asker(&self) -> Asker {
        let peer = self.exchange.arrival.peer;
        let trusted = &self.service.site.settings.trusted_proxies;
        let is_trusted = peer.is_some_and(|peer| trusted.client(Some(peer), &HeaderMap::new()) != Some(peer));
        Asker { peer, is_trusted }
    }

    fn outgoing(&self) -> HeaderMap {
        fields::outgoing(self.exchange.request, self.proxy, self.upstream, self.asker())
    }

    /// The answer to a request whose upstream has not answered.
    fn failed(&self, failure: Failure) -> Answer {
        let (id, route) = (self.exchange.arrival.id, self.exchange.route.map(|route| &*route.name));
        tracing::warn!(%id, route, upstream = &*self.upstream.name, error = %failure, "an upstream did not answer");
        self.refuse(if failure.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY })
    }

    /// What an upstream sent, as it is sent on.
    fn pass_on(&self, status: StatusCode, mut fields: HeaderMap, body: Body, told: Option<CacheStatus>) -> Answer {
        fields::incoming(&mut fields, self.proxy, &self.upstream.base);
        if let Some(told) = told {
            fields.append(CACHE_STATUS, told.header_value());
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = fields;
        self.exchange.answer(response)
    }
}

/// Passes a request on that no store answers, and drops what it makes invalid.
async fn passed<B: RequestBody>(
    passing: &Passing<'_>,
    there: PathAndQuery,
    body: B,
    told: Option<CacheStatus>,
) -> Answer {
    let request = passing.exchange.request;
    passing.exchange.arrival.client.watch();
    let has_body = !body.is_end_stream();
    let is_empty = request.headers.contains_key(header::CONTENT_LENGTH);
    let upload = match (has_body, is_empty) {
        (true, _) => Upload::streamed(body),
        (false, true) => Upload::whole(bytes::Bytes::new()),
        (false, false) => Upload::none(),
    };
    let targets = passing.targets(&there);
    let (door, upgrade) = tunnel::door(request).filter(|_| passing.proxy.websocket && !has_body).unzip();
    let came = match passing.send(there, passing.outgoing(), (upload, upgrade)).await {
        Ok(came) => came,
        Err(failure) => return passing.failed(failure),
    };
    match came.forwarded {
        Forwarded::Answer(response) => {
            let (head, body) = response.into_parts();
            let targets: Vec<&Uri> = targets.iter().collect();
            if let Some(invalid) = rules::invalidated(&request.method, &targets, head.status, &head.headers) {
                passing.invalidate(&invalid);
            }
            passing.pass_on(head.status, head.headers, Body::stream(body), told)
        }
        Forwarded::Switched(answer, tunnel) => match door {
            Some(door) => tunnel::joined(passing, door, answer, tunnel),
            None => passing.refuse(StatusCode::BAD_GATEWAY),
        },
    }
}

impl Passing<'_> {
    /// Drops what is stored of the URL of the request, and of others that its answer has made invalid (RFC 9111, section 4.4).
    fn invalidate(&self, invalid: &Invalidated) {
        if self.proxy.cache.is_none() {
            return;
        }
        let store = &self.service.runtime.store;
        let here = super::decide::target(self.exchange.request).to_owned();
        let elsewhere = invalid.elsewhere.iter().filter_map(|elsewhere| match elsewhere.origin {
            // As the upstream knows it.
            0 => self.here(&elsewhere.path),
            _ => Some(elsewhere.path.clone()),
        });
        for target in std::iter::once(here).chain(elsewhere) {
            let path = target.split_once('?').map_or(&*target, |(path, _)| path);
            store.invalidate(vec![Tag::derived("path", path)], [self.key(&target).finish()]);
        }
        let groups = invalid.groups.iter().map(|group| self.group(group)).collect::<Vec<_>>();
        if !groups.is_empty() {
            store.purge(&crate::cache::Scope::Tags(groups), crate::cache::Purge::Hard);
        }
    }

    /// The path and query here of what the upstream calls so.
    fn here(&self, there: &str) -> Option<String> {
        let (_, prefix) = fields::split_base(&self.upstream.base);
        self.proxy.target.here(there.strip_prefix(prefix)?)
    }

    fn group(&self, name: &str) -> Tag {
        Tag::derived("group", &format!("{}:{name}", self.upstream.name))
    }
}

/// Answers from what is stored, or passes the request on and keeps the answer.
async fn cached(passing: &Passing<'_>, settings: &rules::Settings, there: PathAndQuery) -> Answer {
    let Passing { service, exchange, .. } = passing;
    let request = exchange.request;
    let now = exchange.arrival.now;
    let key = passing.key(super::decide::target(request)).finish().to_key();
    let demand = Demand::of(&request.headers, settings);
    let ticket = service.runtime.store.begin(service.revision());
    let responses = service.runtime.store.responses(key.lookup());
    let selected = responses.as_ref().and_then(|responses| responses.select(&request.headers)).cloned();
    let Some(selected) = selected else {
        if demand.only_if_cached {
            return passing.refuse(StatusCode::GATEWAY_TIMEOUT);
        }
        let forward = if responses.is_some() { Forwarding::VaryMiss } else { Forwarding::UriMiss };
        let lead = match together(passing, &key, &demand, forward).await {
            Ok(lead) => lead,
            Err(answer) => return *answer,
        };
        return fetched(passing, Fetching { settings, there, ticket, key, lead, forward }, None).await;
    };
    let because = match rules::reuse(selected.terms(), &selected.windows(), &demand, now) {
        Reuse::Fresh { age, left } => {
            let status = CacheStatus::fresh_hit(left).header_value();
            match stored::answer(&selected, age, &status, CacheOutcome::Hit, *exchange) {
                Some(answer) => return answer,
                None => {
                    let forward = Forwarding::Partial;
                    return fetched(passing, Fetching { settings, there, ticket, key, lead: None, forward }, None)
                        .await;
                }
            }
        }
        reuse @ (Reuse::WhileRevalidating { age, overdue } | Reuse::Accepted { age, overdue }) => {
            let status = CacheStatus::stale_hit(overdue).header_value();
            match stored::answer(&selected, age, &status, CacheOutcome::Stale, *exchange) {
                Some(answer) => {
                    if matches!(reuse, Reuse::WhileRevalidating { .. }) && !selected.stored().is_resting(now) {
                        refresh(passing, there, key, selected);
                    }
                    return answer;
                }
                None => Because::Stale,
            }
        }
        Reuse::Validate(because) => because,
        Reuse::Refused(_) => return passing.refuse(StatusCode::GATEWAY_TIMEOUT),
    };
    let forward = because.forward();
    fetched(passing, Fetching { settings, there, ticket, key, lead: None, forward }, Some((selected, demand))).await
}

/// Waits for somebody who fetches the same: the answer that he got, as far as it answers this request too; or else leave to fetch, which others
/// wait for if it is a lead.
async fn together(
    passing: &Passing<'_>,
    key: &Key,
    demand: &Demand,
    forward: Forwarding,
) -> Result<Option<Lead>, Box<Answer>> {
    let Passing { service, exchange, .. } = passing;
    let request = exchange.request;
    if request.method != Method::GET || request.headers.contains_key(header::RANGE) || demand.no_store {
        return Ok(None);
    }
    let end = exchange.arrival.began + exchange.route.map_or(REFRESH, |route| route.deadline);
    for _ in 0..MOST_WAITS {
        let epoch = service.runtime.store.epoch(service.revision());
        let mut news = match service.runtime.fetches.join(key, epoch, service.runtime.clock.now()) {
            Turn::Lead(lead) => return Ok(Some(lead)),
            Turn::Alone => return Ok(None),
            Turn::Wait(news) => news,
        };
        // It ends when he who leads lets go.
        let waited = tokio::time::timeout_at(end.into(), async { while news.changed().await.is_ok() {} }).await;
        if waited.is_err() {
            return Err(Box::new(passing.refuse(StatusCode::GATEWAY_TIMEOUT)));
        }
        let now = service.runtime.clock.now();
        let responses = service.runtime.store.responses(key.lookup());
        let Some(received) = responses.as_ref().and_then(|responses| responses.select(&request.headers)) else {
            continue;
        };
        if let Reuse::Fresh { age, .. } = rules::reuse(received.terms(), &received.windows(), demand, now) {
            let outcome = Outcome::Forwarded { because: forward, stored: false, collapsed: true };
            let status = CacheStatus { outcome, ttl: None, detail: None }.header_value();
            if let Some(answer) = stored::answer(received, age, &status, CacheOutcome::Miss, *exchange) {
                service.meters.collapsed(passing.position);
                return Err(Box::new(answer));
            }
        }
    }
    Ok(None)
}

/// So often one waits for others whose fetches come to nothing.
const MOST_WAITS: usize = 3;

/// Validates what is stored in the background, once whoever asks, for the client that was answered with it and goes on.
fn refresh(passing: &Passing<'_>, there: PathAndQuery, key: Key, stale: Arc<Received>) {
    let (service, position) = (Arc::clone(passing.service), passing.position);
    let request = passing.exchange.request.clone();
    let (id, peer) = (passing.exchange.arrival.id.to_string(), passing.exchange.arrival.peer);
    let limit = passing.exchange.route.map_or(REFRESH, |route| route.deadline) + REFRESH;
    let epoch = service.runtime.store.epoch(service.revision());
    let origins = service.runtime.origins.clone();
    let kept = key.clone();
    let validating = async move {
        let (began, clock) = (clock::ticking(), &service.runtime.clock);
        let (now, wall) = (clock.now(), clock.wall());
        let arrival = super::Arrival { began, now, wall, id: &id, peer, is_loopback: false, client: &() };
        let route = service.site.routes.get(position);
        let exchange = Exchange { request: &request, route, position: Some(position), arrival: &arrival };
        let Some(passing) = Passing::new(&service, exchange) else { return Filled::Shared(()) };
        let Some(cache) = &passing.proxy.cache else { return Filled::Shared(()) };
        let ticket = service.runtime.store.begin(service.revision());
        let before = Arc::clone(&stale);
        let (settings, forward) = (&cache.settings, Forwarding::Stale);
        let fetching = Fetching { settings, there, ticket, key, lead: None, forward };
        let answer = fetched(&passing, fetching, Some((stale, Demand::default()))).await;
        // What is kept is kept when it has come to its end.
        let is_error = answer.response.status().is_server_error() || answer.cache != Some(CacheOutcome::Miss);
        if http_body_util::BodyExt::collect(answer.response.into_body()).await.is_err() || is_error {
            before.stored().rest(service.runtime.clock.now());
        }
        Filled::Shared(())
    };
    origins.refresh_once((kept, epoch), limit, || true, validating);
}

/// For so long beyond its deadline an answer that nobody waits for may take to come to its end.
const REFRESH: Duration = Duration::from_secs(30);

/// What is to be fetched, and where what comes of it is kept.
struct Fetching<'f> {
    settings: &'f rules::Settings,
    there: PathAndQuery,
    ticket: Ticket,
    key: Key,
    /// Those who wait for it, if anybody may.
    lead: Option<Lead>,
    /// Why it is fetched.
    forward: Forwarding,
}

impl Fetching<'_> {
    fn told(&self, stored: bool) -> CacheStatus {
        let outcome = Outcome::Forwarded { because: self.forward, stored, collapsed: false };
        CacheStatus { outcome, ttl: None, detail: None }
    }
}

/// What is stored and has to be validated, and what the request wants.
type Stale = (Arc<Received>, Demand);

/// Fetches what is not stored, or validates what is, and keeps what comes.
async fn fetched(passing: &Passing<'_>, fetching: Fetching<'_>, stale: Option<Stale>) -> Answer {
    let Some((stale, demand)) = stale else {
        return match passing.send(fetching.there.clone(), passing.outgoing(), (Upload::none(), None)).await {
            Ok(came) => kept(passing, fetching, came),
            Err(failure) => passing.failed(failure),
        };
    };
    let mut outgoing = passing.outgoing();
    rules::validate(&mut outgoing, Some(stale.fields()), std::iter::empty());
    let came = match passing.send(fetching.there.clone(), outgoing, (Upload::none(), None)).await {
        Ok(came) => came,
        Err(failure) => {
            let rescued = rescued(passing, &fetching, (&stale, &demand), Failed::Unreachable);
            return rescued.unwrap_or_else(|| passing.failed(failure));
        }
    };
    let status = came.forwarded.status();
    if status.is_server_error()
        && let Some(answer) = rescued(passing, &fetching, (&stale, &demand), Failed::Status(status))
    {
        return answer;
    }
    if status != StatusCode::NOT_MODIFIED {
        return kept(passing, fetching, came);
    }
    if let Some(answer) = freshened(passing, &fetching, &stale, &came) {
        return answer;
    }
    // It is about something that is not stored (section 4.3.3): asked without conditions, the upstream says what there is.
    let mut outgoing = passing.outgoing();
    rules::validate(&mut outgoing, None, std::iter::empty());
    match passing.send(fetching.there.clone(), outgoing, (Upload::none(), None)).await {
        Ok(came) => kept(passing, fetching, came),
        Err(failure) => passing.failed(failure),
    }
}

/// What is stored in place of an error, if it may stand for that.
fn rescued(
    passing: &Passing<'_>,
    fetching: &Fetching<'_>,
    (stale, demand): (&Received, &Demand),
    failed: Failed,
) -> Option<Answer> {
    let now = passing.service.runtime.clock.now();
    let windows = stale.windows();
    if !rules::may_serve_on_error(stale.terms(), &windows, demand, now, failed) {
        return None;
    }
    let ttl = match windows.remaining(now) {
        Ok(left) => CacheStatus::fresh_hit(left).ttl,
        Err(overdue) => CacheStatus::stale_hit(overdue).ttl,
    };
    let status = CacheStatus { ttl, ..fetching.told(false) };
    stored::answer(stale, windows.age(now), &status.header_value(), CacheOutcome::Stale, passing.exchange)
}

/// What is stored, brought up to date by a 304 that is about it (sections 3.2 and 4.3.4).
fn freshened(passing: &Passing<'_>, fetching: &Fetching<'_>, stale: &Received, came: &Came) -> Option<Answer> {
    let Forwarded::Answer(response) = &came.forwarded else { return None };
    if rules::selected_by(response.headers(), &[stale.fields()]) != Validated::These(vec![0]) {
        return None;
    }
    let request = passing.exchange.request;
    let mut update = response.headers().clone();
    fields::incoming(&mut update, passing.proxy, &passing.upstream.base);
    let fields = rules::freshen(stale.fields(), &update, came.time, false);
    let targets = passing.targets(&fetching.there);
    let targets: Vec<&Uri> = targets.iter().collect();
    let status = stale.stored().status();
    let of = rules::Exchange {
        method: &request.method,
        targets: &targets,
        request: &request.headers,
        status,
        response: &fields,
        received: came.time,
        delay: came.delay,
    };
    let (terms, is_kept) = match rules::store_again(stale.terms(), &of, fetching.settings) {
        Ok(terms) => (terms, true),
        Err(_) => (stale.terms().clone(), false),
    };
    let content = (status, rules::storable_fields(&fields, &terms), stale.body().clone());
    let service = passing.service;
    let fresh = Arc::new(Received::new(content, terms, stale.under().clone(), came.instant, service.revision()));
    let tags = passing.tags(&fresh.terms().groups);
    let is_stored = is_kept && keep::put(service, passing.position, (&fetching.ticket, &fetching.key, &tags), &fresh);
    let age = fresh.windows().age(came.instant);
    stored::answer(&fresh, age, &fetching.told(is_stored).header_value(), CacheOutcome::Miss, passing.exchange)
}

/// What came, on its way to the client, and kept if it may be.
fn kept(passing: &Passing<'_>, fetching: Fetching<'_>, came: Came) -> Answer {
    let Passing { service, exchange, position, .. } = passing;
    let request = exchange.request;
    let Came { forwarded, instant, time, delay } = came;
    // Nothing was offered to switch to.
    let Forwarded::Answer(response) = forwarded else { return passing.refuse(StatusCode::BAD_GATEWAY) };
    let (head, body) = response.into_parts();
    let targets = passing.targets(&fetching.there);
    let targets: Vec<&Uri> = targets.iter().collect();
    let of = rules::Exchange {
        method: &request.method,
        targets: &targets,
        request: &request.headers,
        status: head.status,
        response: &head.headers,
        received: time,
        delay,
    };
    let terms =
        if request.method == Method::HEAD { Err(NotStored::Method) } else { rules::store(&of, fetching.settings) };
    let mut answer = match terms {
        Ok(terms) => {
            let told = fetching.told(true);
            let under = StoredUnder::new(&terms.vary, &request.headers, &head.headers);
            let mut fields = head.headers.clone();
            fields::incoming(&mut fields, passing.proxy, &passing.upstream.base);
            let Fetching { ticket, key, lead, .. } = fetching;
            let entry = keep::Entry {
                service: Arc::clone(service),
                position: *position,
                ticket,
                key,
                tags: passing.tags(&terms.groups),
                status: head.status,
                fields,
                terms,
                under,
                received: instant,
                lead,
            };
            let most = usize::try_from(service.runtime.store.largest()).unwrap_or(usize::MAX);
            let body = Body::stream(keep::Kept::new(body, entry, most));
            passing.pass_on(head.status, head.headers, body, Some(told))
        }
        Err(why) => {
            let told = fetching.told(false);
            if let Some(lead) = fetching.lead {
                lead.not_kept(instant);
            }
            if why.displaces(head.status) {
                drop(service.runtime.store.remove(fetching.key.lookup()));
            }
            passing.pass_on(head.status, head.headers, Body::stream(body), Some(told))
        }
    };
    answer.cache = Some(CacheOutcome::Miss);
    answer
}
