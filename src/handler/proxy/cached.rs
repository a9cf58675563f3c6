//! Requests that a store may answer: from what is stored, or else by one fetch for all who ask at the same time.

use super::fetch::{self, Fetching};
use super::together::{Lead, Turn, Waited};
use super::{Passing, stored};
use crate::cache::rules::{self, Because, Demand, Reuse};
use crate::cache::{Filled, Key, Received, Responses};
use crate::fields::{CacheStatus, Forward as Forwarding, Outcome};
use crate::handler::respond::Exchange;
use crate::handler::{Answer, Arrival, CacheOutcome, clock};
use http::header::{self, HeaderMap};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// So often one waits for others whose fetches come to nothing.
const MOST_WAITS: usize = 3;
/// For so long, each time: who leads may be slow to read what he is sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// For so long beyond its deadline an answer that nobody waits for may take to come to its end.
const REFRESH: Duration = Duration::from_secs(30);

/// Answers from what is stored, or passes the request on and keeps the answer.
pub(super) async fn answer(passing: &Passing<'_>, settings: &rules::Settings, there: PathAndQuery) -> Answer {
    let Passing { service, exchange, .. } = passing;
    let request = exchange.request;
    let now = exchange.arrival.now;
    let key = passing.own_key();
    let demand = Demand::of(&request.headers, settings);
    let ticket = service.runtime.store.begin(service.revision());
    let responses = service.runtime.store.responses(key.lookup());
    let selected = select(responses.as_deref(), &request.headers);
    let (forward, because) = match selected.as_ref() {
        None if demand.only_if_cached => return passing.refuse(StatusCode::GATEWAY_TIMEOUT),
        None if responses.is_some() => (Forwarding::VaryMiss, None),
        None => (Forwarding::UriMiss, None),
        Some(selected) => match rules::reuse(selected.terms(), &selected.windows(), &demand, now) {
            Reuse::Fresh { age, left } => {
                let status = CacheStatus::fresh_hit(left).header_value();
                match stored::answer(selected, age, &status, CacheOutcome::Hit, *exchange) {
                    Some(answer) => return answer,
                    None if demand.only_if_cached => return passing.refuse(StatusCode::GATEWAY_TIMEOUT),
                    None => (Forwarding::Partial, None),
                }
            }
            reuse @ (Reuse::WhileRevalidating { age, overdue } | Reuse::Accepted { age, overdue }) => {
                let status = CacheStatus::stale_hit(overdue).header_value();
                match stored::answer(selected, age, &status, CacheOutcome::Stale, *exchange) {
                    Some(answer) => {
                        if matches!(reuse, Reuse::WhileRevalidating { .. }) && !selected.stored().is_resting(now) {
                            refresh(passing, there, key, Arc::clone(selected));
                        }
                        return answer;
                    }
                    None if demand.only_if_cached => return passing.refuse(StatusCode::GATEWAY_TIMEOUT),
                    None => (Forwarding::Stale, Some(Because::Stale)),
                }
            }
            Reuse::Validate(because) => (because.forward(), Some(because)),
            Reuse::Refused(_) => return passing.refuse(StatusCode::GATEWAY_TIMEOUT),
        },
    };
    let detail = because.and_then(Because::word);
    let mut fetching =
        Fetching { settings, there, ticket, key, lead: None, forward, detail, responses, selected, demand };
    let is_resting = fetching.selected.as_ref().is_some_and(|stale| stale.stored().is_resting(now));
    if is_resting
        && matches!(because, Some(Because::Stale))
        && let Some(answer) = fetch::rescued(passing, &fetching, rules::Failure::Unreachable)
    {
        return answer;
    }
    // What the request itself wants validated is not for others to have validated.
    if matches!(because, None | Some(Because::Stale)) && forward != Forwarding::Partial {
        match together(passing, &fetching).await {
            Together::Go { lead, waited } => {
                fetching.lead = lead;
                if waited {
                    // What was there may be gone, and something else has come.
                    fetching.ticket = service.runtime.store.begin(service.revision());
                    fetching.responses = service.runtime.store.responses(fetching.key.lookup());
                    fetching.selected = select(fetching.responses.as_deref(), &request.headers);
                }
            }
            Together::Answered(answer) => return *answer,
            Together::Failed(status) => {
                if let Some(answer) = fetch::rescued(passing, &fetching, rules::Failure::Status(status)) {
                    return answer;
                }
                if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
                    return passing.refuse(status);
                }
                // It was an error of the upstream's own, which is passed on as it is.
            }
        }
    }
    fetch::fetched(passing, fetching).await
}

fn select(responses: Option<&Responses>, request: &HeaderMap) -> Option<Arc<Received>> {
    responses.and_then(|responses| responses.select(request)).cloned()
}

/// What is done beside others who want the same.
enum Together {
    /// It is fetched, and others wait for it if there is a lead.
    Go {
        lead: Option<Lead>,
        /// Whether somebody was waited for before.
        waited: bool,
    },
    /// Somebody else has fetched what answers this request too.
    Answered(Box<Answer>),
    /// He has tried to.
    Failed(StatusCode),
}

/// Waits for somebody who fetches the same, if there is anybody.
async fn together(passing: &Passing<'_>, fetching: &Fetching<'_>) -> Together {
    let Passing { service, exchange, .. } = passing;
    let request = exchange.request;
    let has = |name| request.headers.contains_key(name);
    // A client's own condition goes along where nothing is stored, and its answer is for that client.
    let is_conditional = fetching.selected.is_none() && (has(header::IF_NONE_MATCH) || has(header::IF_MODIFIED_SINCE));
    let is_for_all = request.method == Method::GET && !has(header::RANGE) && !is_conditional;
    if !is_for_all || fetching.demand.no_store {
        return Together::Go { lead: None, waited: false };
    }
    let mut waited = false;
    let deadline = exchange.arrival.began + passing.deadline();
    for _ in 0..MOST_WAITS {
        let epoch = service.runtime.store.epoch(service.revision());
        let waiting = match service.runtime.fetches.join(&fetching.key, epoch, service.runtime.clock.now()) {
            Turn::Lead(lead) => return Together::Go { lead: Some(lead), waited },
            Turn::Alone => return Together::Go { lead: None, waited },
            Turn::Wait(waiting) => waiting,
        };
        match waiting.until(deadline.min(clock::ticking() + PATIENCE)).await {
            Waited::Over => {}
            Waited::Failed(status) => return Together::Failed(status),
            Waited::Patience => return Together::Go { lead: None, waited: true },
        }
        waited = true;
        let responses = service.runtime.store.responses(fetching.key.lookup());
        let Some(received) = select(responses.as_deref(), &request.headers) else {
            match responses {
                // What came was chosen by what others say.
                Some(_) => break,
                None => continue,
            }
        };
        let reuse = rules::reuse(received.terms(), &received.windows(), &fetching.demand, service.runtime.clock.now());
        if let Reuse::Fresh { age, .. } = reuse {
            let outcome = Outcome::Forwarded { because: fetching.forward, stored: false, collapsed: true };
            let status = CacheStatus { outcome, ttl: None, detail: None }.header_value();
            if let Some(answer) = stored::answer(&received, age, &status, CacheOutcome::Miss, *exchange) {
                service.meters.collapsed(passing.position);
                return Together::Answered(Box::new(answer));
            }
        }
        // What is never fresh is not made one after the other.
        break;
    }
    Together::Go { lead: None, waited }
}

/// Validates what is stored in the background, once whoever asks, for the client that was answered with it and goes on.
fn refresh(passing: &Passing<'_>, there: PathAndQuery, key: Key, stale: Arc<Received>) {
    let (service, position) = (Arc::clone(passing.service), passing.position);
    let mut request = passing.exchange.request.clone();
    // All of it, whatever part or condition the client came with.
    request.method = Method::GET;
    for name in [header::RANGE, header::IF_RANGE] {
        request.headers.remove(name);
    }
    let (id, peer) = (passing.exchange.arrival.id.to_string(), passing.exchange.arrival.peer);
    let limit = passing.deadline() + REFRESH;
    let epoch = service.runtime.store.epoch(service.revision());
    let origins = service.runtime.origins.clone();
    let kept = key.clone();
    let validating = async move {
        let (began, clock) = (clock::ticking(), &service.runtime.clock);
        let (now, wall) = (clock.now(), clock.wall());
        let arrival = Arrival { began, now, wall, id: &id, peer, is_loopback: false, client: &() };
        let route = service.site.routes.get(position);
        let exchange = Exchange { request: &request, route, position: Some(position), arrival: &arrival };
        let Some(passing) = Passing::new(&service, exchange) else { return Filled::Shared(()) };
        let Some(cache) = &passing.proxy.cache else { return Filled::Shared(()) };
        let fetching = Fetching {
            settings: &cache.settings,
            there,
            ticket: service.runtime.store.begin(service.revision()),
            responses: service.runtime.store.responses(key.lookup()),
            key,
            lead: None,
            forward: Forwarding::Stale,
            detail: None,
            selected: Some(Arc::clone(&stale)),
            demand: Demand::default(),
        };
        let answer = fetch::fetched(&passing, fetching).await;
        // What is kept is kept when it has come to its end.
        let is_error = answer.response.status().is_server_error() || answer.cache != Some(CacheOutcome::Miss);
        if http_body_util::BodyExt::collect(answer.response.into_body()).await.is_err() || is_error {
            stale.stored().rest(service.runtime.clock.now());
        }
        Filled::Shared(())
    };
    origins.refresh_once((kept, epoch), limit, || true, validating);
}
