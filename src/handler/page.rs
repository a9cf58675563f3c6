//! Pages, documents, JSON and redirects: from the store if it has them, made otherwise.
//!
//! A fresh page answers at once. A stale one answers at once too if it may, and is made anew once, whatever the client does.
//! Otherwise it is made, once for all who ask for the same. A page that may not be sent without asking is made of what its sources answer
//! each time, and if that is the same as before it is sent as it was made then. A stale page that could not be made anew rests for about a
//! second before that is tried again.

use super::clock;
use super::fill::{Begun, GRACE, fill, lacking, refresh};
use super::gather::SourceCall;
use super::guard::Visitor;
use super::inputs::Inputs;
use super::keep::Keeping;
use super::make::{Made, Order, What, make};
use super::respond::{self, Coded, Copies, Exchange};
use super::runtime::Service;
use super::{Answer, Arrival, CacheOutcome, failure};
use crate::cache::{CACHE_STATUS, Key, Lookup, Stored, Verdict};
use crate::fields::{CacheStatus, Forward, Outcome};
use crate::site::{Route, Variant, slots};
use http::StatusCode;
use http::header;
use http::request::Parts;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The page of a request, if it is fresh in the store and in the coding that the request wants.
pub(super) fn at_hand(
    service: &Arc<Service>,
    position: usize,
    route: &Route,
    inputs: &Inputs<'_>,
    exchange: Exchange<'_>,
) -> Option<Answer> {
    let variant = route.variant_for(&exchange.request.headers);
    if !variant.is_storable() {
        return None;
    }
    let builder = inputs.key(variant, service.subjects.get(position)?);
    let lookup = builder.finish();
    let stored = service.runtime.store.get(lookup)?;
    let Verdict::Fresh { age, ttl } = stored.verdict(exchange.arrival.now) else { return None };
    if stored.is_bare() {
        return None;
    }
    let told = (Some(age), Some(CacheStatus::fresh_hit(ttl)));
    let mut answer = respond::stored_at_hand(service, (&stored, lookup), told, exchange)?;
    answer.cache = Some(CacheOutcome::Hit);
    Some(answer)
}

pub(super) async fn answer(
    service: &Arc<Service>,
    position: usize,
    route: &Route,
    inputs: Inputs<'_>,
    visitor: Visitor,
    request: &Parts,
    arrival: &Arrival<'_>,
) -> Answer {
    let Visitor { user, sources: known } = visitor;
    let exchange = Exchange { request, route: Some(route), position: Some(position), arrival };
    let deadline = arrival.began + route.deadline;
    let Some(subject) = service.subjects.get(position) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let variant = route.variant_for(&request.headers);
    let slots = |inputs: &Inputs<'_>| {
        let mut slots = inputs.slots(route, subject, &service.site);
        if let Some(slot) = slots.get_mut(slots::USER) {
            slot.clone_from(&user);
        }
        slots
    };
    let order = |inputs: &Inputs<'_>, deadline| Order {
        route: position,
        is_anonymous: variant.is_anonymous,
        id: arrival.id.to_string().into(),
        slots: slots(inputs),
        visitor: inputs.visitor(route),
        time: arrival.wall,
        deadline,
        begun: Begun::now(service, subject),
        tags: if subject.is_tagged { inputs.tags(route) } else { Vec::new() },
        revision: inputs.revision(route),
        known: known.clone(),
        copies: None,
        sent: None,
    };
    if !variant.is_storable() {
        let key = variant.is_keepable().then(|| inputs.key(variant, subject).finish().to_key());
        let order = Order { copies: Copies::of(request), ..order(&inputs, deadline) };
        drop(inputs);
        return made_for_one(service, order, key, exchange).await;
    }
    let builder = inputs.key(variant, subject);
    let lookup = builder.finish();
    let found = service.runtime.store.get(lookup);
    let verdict = found.as_ref().map(|stored| stored.verdict(arrival.now));
    let mut on_error = None;
    match (&found, verdict) {
        (Some(stored), Some(Verdict::Fresh { age, ttl })) => {
            return hit(service, lookup, stored, age, CacheStatus::fresh_hit(ttl), exchange, CacheOutcome::Hit).await;
        }
        (Some(stored), Some(Verdict::Stale { age, may_serve_while_revalidating, may_serve_on_error })) => {
            let is_resting = stored.is_resting(arrival.now);
            if may_serve_while_revalidating && !is_resting {
                let key = lookup.to_key();
                // It has its own time: the client that noticed goes on without it.
                refresh(service, key, order(&inputs, clock::ticking() + route.deadline), route.deadline, stored);
            }
            if may_serve_while_revalidating || is_resting {
                let (status, outcome) = told(stored, arrival.now);
                return hit(service, lookup, stored, age, status, exchange, outcome).await;
            }
            on_error = may_serve_on_error.then(|| Arc::clone(stored));
        }
        (_, Some(Verdict::Expired) | None) | (None, Some(_)) => {}
    }
    let key = lookup.to_key();
    let was_degraded = match degraded(service, variant, &key, exchange).await {
        Some(Ok(answer)) => return answer,
        Some(Err(Outdated)) => true,
        None => false,
    };
    // What was kept without a lifetime was stale from the first moment on (RFC 9111, section 4.2): it is stored, and was selected.
    let has_stale = (found.is_some() && !variant.policy.is_for_visitors_alone()) || was_degraded;
    let forward = match has_stale {
        true => Forward::Stale,
        false if route.vary.is_empty() => Forward::UriMiss,
        // There may be pages of this URL for other request fields; the store knows whole keys only.
        false => Forward::Miss,
    };
    let order = order(&inputs, clock::ticking() + route.deadline);
    drop(inputs);
    let (made, led) = fill(service, key.clone(), order, route.deadline, deadline + GRACE, on_error.clone()).await;
    if !led {
        service.meters.collapsed(position);
    }
    let made = match made {
        Ok(made) => made,
        Err(status) => {
            let (id, route) = (arrival.id, &*route.name);
            tracing::warn!(%id, route, status = status.as_u16(), "a page did not come about in time");
            return match on_error {
                Some(stored) => rescued(service, &key, &stored, (!led, &[]), exchange).await,
                None => failure::answer(service, exchange, status),
            };
        }
    };
    if made.has_failed() && !led {
        // What went wrong was told of the request that it was made for.
        let (id, route) = (arrival.id, &*route.name);
        tracing::warn!(%id, route, made_for = made.id.as_deref(), "a page that several wait for was not made");
    }
    if let Some(stored) = on_error.filter(|_| made.has_failed()) {
        return rescued(service, &key, &stored, (!led, &made.calls), exchange).await;
    }
    let outcome = Outcome::Forwarded { because: forward, stored: made.is_stored, collapsed: !led };
    show(service, &made, exchange, Some((CacheStatus { outcome, ttl: None, detail: None }, &key))).await
}

/// A page that is made for this request alone, or was made before of the same.
async fn made_for_one(service: &Arc<Service>, order: Order, key: Option<Key>, exchange: Exchange<'_>) -> Answer {
    let (position, ticket) = (order.route, order.begun.ticket.clone());
    let made = make(service, order, key.clone()).await;
    let (What::Kept { stored, is_new }, Some(key), Some(ticket)) = (&made.what, key, ticket) else {
        return show(service, &made, exchange, None).await;
    };
    let coded = if *is_new { Coded::Made(stored.content()) } else { Coded::Kept { stored, lookup: key.lookup() } };
    let mut answer = respond::content(service, coded, stored.status(), None, None, exchange).await;
    answer.sources.clone_from(&made.calls);
    if *is_new {
        // Now that its coding is made the size is known. If it is too large, or was purged meanwhile, it is made again next time.
        service.keep(position, &ticket, key, stored);
    }
    answer
}

/// A stored page, as it is.
async fn hit(
    service: &Arc<Service>,
    lookup: Lookup<'_>,
    stored: &Arc<Stored>,
    age: Duration,
    status: CacheStatus,
    exchange: Exchange<'_>,
    outcome: CacheOutcome,
) -> Answer {
    let mut answer = stored_answer(service, lookup, stored, Some(age), Some(status), exchange).await;
    answer.cache = Some(outcome);
    answer
}

/// What may be in the store, as it is; of a page that is not there the page for that, with the id of this request.
async fn stored_answer(
    service: &Arc<Service>,
    lookup: Lookup<'_>,
    stored: &Arc<Stored>,
    age: Option<Duration>,
    status: Option<CacheStatus>,
    exchange: Exchange<'_>,
) -> Answer {
    if !stored.is_bare() {
        let coded = Coded::Stored { stored, lookup };
        return respond::content(service, coded, stored.status(), age, status, exchange).await;
    }
    let mut answer = failure::absent(service, exchange, stored.tags().iter());
    let fields = answer.response.headers_mut();
    if let Some(age) = age {
        fields.insert(header::AGE, crate::fields::seconds(age));
    }
    if let Some(status) = status {
        fields.insert(CACHE_STATUS, status.header_value());
    }
    answer
}

/// A page that lacks data may not stand for the good one any more.
struct Outdated;

/// A page that lacks data and was kept all the same, as long as it may stand for the good one.
async fn degraded(
    service: &Arc<Service>,
    variant: Variant<'_>,
    key: &Key,
    exchange: Exchange<'_>,
) -> Option<Result<Answer, Outdated>> {
    let (key, stored, verdict) = lacking(service, variant, key, exchange.arrival.now)?;
    let Verdict::Fresh { age, ttl } = verdict else { return Some(Err(Outdated)) };
    let status = CacheStatus::fresh_hit(ttl);
    Some(Ok(hit(service, key.lookup(), &stored, age, status, exchange, CacheOutcome::Hit).await))
}

/// A stale page in place of an error, which was asked for together with others if it was `collapsed`. It has grown older since the request
/// came: the error may have taken its time.
async fn rescued(
    service: &Arc<Service>,
    key: &Key,
    stored: &Arc<Stored>,
    (collapsed, calls): (bool, &[SourceCall]),
    exchange: Exchange<'_>,
) -> Answer {
    let now = service.runtime.clock.now();
    let (status, outcome) = told(stored, now);
    // It was tried: `hit` is for what was answered without (RFC 9211, section 2.1).
    let tried = Outcome::Forwarded { because: Forward::Stale, stored: false, collapsed };
    let status = CacheStatus { outcome: tried, ..status };
    let mut answer = hit(service, key.lookup(), stored, stored.age(now), status, exchange, outcome).await;
    answer.sources = calls.to_vec();
    answer
}

/// What is told of a stored page that is due to be made anew: jitter takes from its lifetime, and what it takes is no staleness.
fn told(stored: &Stored, now: Instant) -> (CacheStatus, CacheOutcome) {
    match stored.windows().remaining(now) {
        Ok(left) => (CacheStatus::fresh_hit(left), CacheOutcome::Hit),
        Err(overdue) => (CacheStatus::stale_hit(overdue), CacheOutcome::Stale),
    }
}

/// What was made, as it is sent.
pub(super) async fn show(
    service: &Arc<Service>,
    made: &Made,
    exchange: Exchange<'_>,
    status: Option<(CacheStatus, &Key)>,
) -> Answer {
    let cache_status = status.map(|(status, _)| status);
    let mut answer = match &made.what {
        What::Stored(stored) => match status {
            Some((_, key)) => stored_answer(service, key.lookup(), stored, None, cache_status, exchange).await,
            None => {
                respond::content(service, Coded::Made(stored.content()), stored.status(), None, None, exchange).await
            }
        },
        What::Kept { stored, .. } => {
            let coded = match status {
                Some((_, key)) => Coded::Kept { stored, lookup: key.lookup() },
                None => Coded::Made(stored.content()),
            };
            respond::content(service, coded, stored.status(), None, cache_status, exchange).await
        }
        What::Unchanged(fields) => respond::not_modified(fields, exchange),
        What::Shown { status, content } => {
            respond::content(service, Coded::Made(content), *status, None, cache_status, exchange).await
        }
        What::Redirect { location, .. } if respond::leads_to_itself(service, location, exchange.request) => {
            let (route, to) = (exchange.route.map(|route| &*route.name), location.to_str().unwrap_or_default());
            tracing::error!(id = %exchange.arrival.id, route, to, "a redirect leads to the URL that was asked for");
            failure::answer(service, exchange, StatusCode::INTERNAL_SERVER_ERROR)
        }
        What::Redirect { status, location, degraded } => {
            let mut answer = respond::redirect(*status, location, exchange);
            if let Some(route) = exchange.route {
                // Where it leads may be for want of data: nobody remembers it then.
                let tags = failure::common_tags(service, exchange).chain(&made.tags);
                let variant = route.variant_for(&exchange.request.headers);
                Keeping::of(variant, *status, *degraded, made.remaining(service.runtime.clock.now()))
                    .say(tags, answer.response.headers_mut());
            }
            answer
        }
        What::Error(status) => failure::answer(service, exchange, *status),
    };
    answer.cache = cache_status.map(|_| CacheOutcome::Miss);
    answer.sources.clone_from(&made.calls);
    for cookie in &made.cookies {
        answer.response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    answer
}
