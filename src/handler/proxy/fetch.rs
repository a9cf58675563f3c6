//! What is fetched from the upstream, what is validated there, and what stands in for an error.

use super::keep::{self, Entry};
use super::together::Lead;
use super::{Head, Passing, When, around::Around, status_of, stored, update};
use crate::cache::rules::{self, Demand, Failure as Failed, StoredUnder, Terms};
use crate::cache::{Key, Received, Responses, Tags, Ticket};
use crate::fields::{CacheStatus, EntityTag, Forward as Forwarding, Outcome};
use crate::handler::runtime::Service;
use crate::handler::{Answer, Body, CacheOutcome};
use crate::upstream::{self, Failure, Forwarded, Upload};
use http::header::{self, HeaderMap};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use http_body::Body as _;
use std::sync::Arc;
use std::time::Instant;

/// What is to be fetched, and where what comes of it is kept.
pub(super) struct Fetching<'f> {
    pub(super) settings: &'f rules::Settings,
    pub(super) there: PathAndQuery,
    pub(super) ticket: Ticket,
    pub(super) key: Key,
    /// Those who wait for it, if anybody may.
    pub(super) lead: Option<Lead>,
    /// Why it is fetched.
    pub(super) forward: Forwarding,
    /// The same more exactly, in a word.
    pub(super) detail: Option<&'static str>,
    /// What is stored of the URL.
    pub(super) responses: Option<Arc<Responses>>,
    /// What of that was chosen for the request.
    pub(super) selected: Option<Arc<Received>>,
    /// What the request wants.
    pub(super) demand: Demand,
}

impl Fetching<'_> {
    pub(super) fn told(&self, stored: bool) -> CacheStatus {
        let outcome = Outcome::Forwarded { because: self.forward, stored, collapsed: false };
        CacheStatus { outcome, ttl: None, detail: self.detail }
    }
}

/// What came of asking.
pub(super) struct Came {
    pub(super) status: StatusCode,
    /// As they came.
    pub(super) fields: HeaderMap,
    pub(super) body: upstream::Received,
    pub(super) when: When,
}

impl Came {
    pub(super) fn head(&self) -> Head<'_> {
        (self.status, &self.fields)
    }
}

/// What is asked.
enum Question {
    /// What the client asks.
    AsSent,
    /// Whether one of these is still what there is.
    Validating(Vec<Arc<Received>>),
    /// What a stored part lacks.
    Completing(Arc<Received>),
}

/// Fetches what is not stored, validates or completes what is, and keeps what comes.
pub(super) async fn fetched(passing: &Passing<'_>, mut fetching: Fetching<'_>) -> Answer {
    let mut fields = passing.outgoing();
    let question = question(passing, &fetching, &mut fields);
    let came = match ask(passing, &fetching.there, fields).await {
        Ok(came) => came,
        Err(failure) => return unanswered(passing, fetching, failure),
    };
    if came.status.is_server_error()
        && let Some(answer) = rescued(passing, &fetching, Failed::Status(came.status))
    {
        if let Some(lead) = fetching.lead.take() {
            lead.failed(came.status);
        }
        return answer;
    }
    match (question, came.status) {
        (Question::Validating(stored), StatusCode::NOT_MODIFIED) => {
            if let Some(answer) = update::freshened(passing, &fetching, &stored, &came) {
                return answer;
            }
        }
        (Question::Completing(part), StatusCode::PARTIAL_CONTENT) => {
            match update::completed(passing, &fetching, &part, came) {
                Ok((completed, came)) => return kept_as(passing, fetching, came, Some(completed)),
                Err(_no_part_of_it) => {}
            }
        }
        (Question::Completing(_), StatusCode::RANGE_NOT_SATISFIABLE) => {}
        _ => return kept_as(passing, fetching, came, None),
    }
    // It was about something that is not stored (section 4.3.3): asked without conditions of ours, the upstream says what there is.
    let mut fields = passing.outgoing();
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
        fields.remove(name);
    }
    match ask(passing, &fetching.there, fields).await {
        Ok(came) => kept_as(passing, fetching, came, None),
        Err(failure) => unanswered(passing, fetching, failure),
    }
}

/// What is asked, and the `fields` of the request that asks it.
fn question(passing: &Passing<'_>, fetching: &Fetching<'_>, fields: &mut HeaderMap) -> Question {
    let request = passing.exchange.request;
    let has = |name| request.headers.contains_key(name);
    let is_plain = request.method == Method::GET && !has(header::RANGE);
    let others = || -> Vec<Arc<Received>> {
        let all = fetching.responses.iter().flat_map(|responses| responses.all());
        let is_selected = |one: &Arc<Received>| fetching.selected.as_ref().is_some_and(|it| Arc::ptr_eq(it, one));
        all.filter(|one| !is_selected(one) && is_validated_by_tag(one)).cloned().collect()
    };
    match &fetching.selected {
        // It is fresh, and not what is asked for.
        Some(part) if fetching.forward == Forwarding::Partial => {
            let missing = part.terms().part.as_ref().filter(|_| is_plain);
            let Some(missing) = missing.and_then(|it| rules::complete(part.fields(), it)) else {
                return Question::AsSent;
            };
            rules::validate(fields, None, std::iter::empty());
            fields.insert(header::RANGE, missing.range);
            fields.insert(header::IF_RANGE, missing.if_range);
            Question::Completing(Arc::clone(part))
        }
        Some(selected) => {
            // Beside tags nobody looks at a date: what has nothing else is asked about alone.
            let others = if selected.fields().contains_key(header::ETAG) { others() } else { Vec::new() };
            let stored: Vec<_> = std::iter::once(Arc::clone(selected)).chain(others).collect();
            rules::validate(fields, Some(selected.fields()), stored.iter().skip(1).map(|other| other.fields()));
            if selected.terms().part.is_some() && !has(header::IF_RANGE) {
                // Who wants a part of what is stored in part is not to be sent all of it.
                for range in request.headers.get_all(header::RANGE) {
                    fields.append(header::RANGE, range.clone());
                }
            }
            Question::Validating(stored)
        }
        None => {
            let stored = others();
            // A client's own condition may be about what is nowhere here.
            if stored.is_empty() || !is_plain || has(header::IF_NONE_MATCH) || has(header::IF_MODIFIED_SINCE) {
                return Question::AsSent;
            }
            rules::validate(fields, None, stored.iter().map(|other| other.fields()));
            Question::Validating(stored)
        }
    }
}

/// Whether a response may be found valid for a request that did not choose it: by a tag that no other has, and whole.
fn is_validated_by_tag(received: &Received) -> bool {
    let tag = received.fields().get(header::ETAG).and_then(|tag| EntityTag::parse(tag.as_bytes()));
    received.terms().part.is_none() && tag.is_some_and(|tag| !tag.is_weak())
}

/// Sends the client's request, which has no body, with these `fields`.
async fn ask(passing: &Passing<'_>, there: &PathAndQuery, fields: HeaderMap) -> Result<Came, Failure> {
    let (forwarded, when) = passing.send(there.clone(), fields, (Upload::none(), None)).await?;
    match forwarded {
        Forwarded::Answer(response) => {
            let (head, body) = response.into_parts();
            Ok(Came { status: head.status, fields: head.headers, body, when })
        }
        // Nothing was offered to switch to.
        Forwarded::Switched(..) => Err(Failure::InvalidResponse),
    }
}

/// The answer where there is none from the upstream.
fn unanswered(passing: &Passing<'_>, mut fetching: Fetching<'_>, failure: Failure) -> Answer {
    // Anything else may come of this one request: nobody else is told it.
    let is_of_upstream =
        matches!(failure, Failure::Unreachable(_) | Failure::Timeout(_) | Failure::BreakerOpen | Failure::AskedToWait);
    if let Some(lead) = fetching.lead.take().filter(|_| is_of_upstream) {
        lead.failed(status_of(failure));
    }
    if let Some(stale) = fetching.selected.as_ref().filter(|_| is_of_upstream) {
        // Whoever asks next need not wait for the same.
        stale.stored().rest(passing.service.runtime.clock.now());
    }
    rescued(passing, &fetching, Failed::Unreachable).unwrap_or_else(|| passing.failed(failure))
}

/// What is stored in place of an error, if it may stand for that.
pub(super) fn rescued(passing: &Passing<'_>, fetching: &Fetching<'_>, failed: Failed) -> Option<Answer> {
    let stale = fetching.selected.as_ref()?;
    let now = passing.service.runtime.clock.now();
    let windows = stale.windows();
    if !rules::may_serve_on_error(stale.terms(), &windows, &fetching.demand, now, failed) {
        return None;
    }
    let ttl = match windows.remaining(now) {
        Ok(left) => CacheStatus::fresh_hit(left).ttl,
        Err(overdue) => CacheStatus::stale_hit(overdue).ttl,
    };
    let told = CacheStatus { ttl, ..fetching.told(false) };
    let told = match failed {
        Failed::Status(status) => told.header_value_with(status),
        Failed::Unreachable => told.header_value(),
    };
    stored::answer(stale, windows.age(now), &told, CacheOutcome::Stale, passing.exchange)
}

/// What came, on its way to the client, and kept if it may be; `completed` if it makes a stored part whole.
fn kept_as(passing: &Passing<'_>, fetching: Fetching<'_>, came: Came, completed: Option<update::Completed>) -> Answer {
    let service = passing.service;
    let is_head = passing.exchange.request.method == Method::HEAD;
    if is_head {
        update::headed(passing, &fetching, &came);
    }
    let terms = match &completed {
        Some(completed) => Ok(completed.terms.clone()),
        None => passing.terms(came.head(), came.when, fetching.settings, (&fetching.there, None)),
    };
    let is_of_one = matches!(
        terms,
        Err(rules::NotStored::Status | rules::NotStored::RequestNoStore | rules::NotStored::Authorization)
    );
    let (terms, displaces) = match terms {
        // What is too much to keep is something later as well.
        Ok(terms) => no_room(service, &came).map_or((Ok(terms), false), |why| (Err(why), true)),
        Err(why) => (Err(why.word()), why.displaces(came.status)),
    };
    let Came { status, fields, body, when } = came;
    // An error takes no good response's place.
    let is_good = |there: &Arc<Received>| !there.stored().status().is_server_error();
    let would_spoil = status.is_server_error() && fetching.selected.as_ref().is_some_and(is_good);
    match terms {
        Ok(terms) if !is_head && !would_spoil => {
            let told = fetching.told(true);
            let joins = fetching.selected.filter(|_| status == StatusCode::PARTIAL_CONTENT);
            let Fetching { there, ticket, key, lead, .. } = fetching;
            // Nobody waits for what answers nobody else, or has no end.
            let lead = lead.and_then(|lead| {
                if is_worth_waiting_for(&terms, &fields) {
                    return Some(lead);
                }
                lead.not_kept(when.instant);
                None
            });
            let tags = passing.tags(&there, &terms.groups);
            let keeping = Keeping { ticket, key, tags, terms, received: when.instant, lead, joins };
            match completed {
                Some(completed) => {
                    let keeping = Keeping { joins: None, ..keeping };
                    let head = (StatusCode::OK, completed.fields);
                    let (before, length, after) = completed.around;
                    keep_body(passing, keeping, head, Around::pieces(before, (body, length), after), told)
                }
                None => keep(passing, keeping, (status, fields), body, told),
            }
        }
        kept => {
            let mut told = fetching.told(false);
            told.detail = told.detail.or(kept.err());
            // What is about the one request says nothing of the next.
            if let Some(lead) = fetching.lead.filter(|_| !is_of_one) {
                lead.not_kept(when.instant);
            }
            if displaces && !is_head {
                drop_selected(passing, (&fetching.ticket, &fetching.key), fetching.responses.zip(fetching.selected));
            }
            let mut answer = passing.pass_on(status, passing.incoming(fields), Body::stream(body), Some(told));
            answer.cache = Some(CacheOutcome::Miss);
            answer
        }
    }
}

/// Whether a response answers those who wait for it once it is stored, and will be soon.
fn is_worth_waiting_for(terms: &Terms, fields: &HeaderMap) -> bool {
    let is_fresh = terms.reusable != rules::Reusable::Validated && terms.initial_age < terms.lifetime;
    let is_endless =
        fields.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    is_fresh && !is_endless
}

/// Drops what was chosen for a request that has been answered with something later, which is not kept. Others of the URL stay.
fn drop_selected(
    passing: &Passing<'_>,
    (ticket, key): (&Ticket, &Key),
    there: Option<(Arc<Responses>, Arc<Received>)>,
) {
    let Some((responses, selected)) = there else { return };
    let tags = responses.tags();
    let store = &passing.service.runtime.store;
    // Whoever purged it meanwhile has dropped it.
    store.change_responses(ticket, key, tags, |there, _| there.without(&selected)).unwrap_or_default();
}

/// Why what came is not kept although it might be, in a word: known before its body has come.
fn no_room(service: &Service, came: &Came) -> Option<&'static str> {
    if came.body.size_hint().lower() > service.runtime.store.largest() {
        Some("too-large")
    } else if came.fields.contains_key(header::TRAILER) {
        // A stored response has no room for a trailer section.
        Some("trailer")
    } else {
        None
    }
}

/// How an answer is kept.
pub(super) struct Keeping {
    pub(super) ticket: Ticket,
    pub(super) key: Key,
    /// What it depends on.
    pub(super) tags: Tags,
    pub(super) terms: Terms,
    /// When it was received.
    pub(super) received: Instant,
    /// Those who wait for it, if anybody may.
    pub(super) lead: Option<Lead>,
    /// What it may be joined with, if it is a part.
    pub(super) joins: Option<Arc<Received>>,
}

/// An answer as it came, on its way to the client, and kept.
pub(super) fn keep(
    passing: &Passing<'_>,
    keeping: Keeping,
    head: (StatusCode, HeaderMap),
    body: upstream::Received,
    told: CacheStatus,
) -> Answer {
    let (status, fields) = head;
    keep_body(passing, keeping, (status, passing.incoming(fields)), Around::nothing(body), told)
}

/// The same with [our fields](Passing::incoming).
fn keep_body(
    passing: &Passing<'_>,
    keeping: Keeping,
    (status, fields): (StatusCode, HeaderMap),
    body: Around,
    told: CacheStatus,
) -> Answer {
    let service = passing.service;
    let under = StoredUnder::new(&keeping.terms.vary, &passing.exchange.request.headers, &fields);
    let position = passing.position;
    let entry = Entry { service: Arc::clone(service), position, status, fields: fields.clone(), under, keeping };
    let most = usize::try_from(service.runtime.store.largest()).unwrap_or(usize::MAX);
    let body = Body::stream(keep::Kept::new(body, entry, most));
    let mut answer = passing.pass_on(status, fields, body, Some(told));
    answer.cache = Some(CacheOutcome::Miss);
    answer
}
