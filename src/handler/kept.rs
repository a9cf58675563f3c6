//! What is kept of the answers to sources' calls: found, used stale, validated, stored (RFC 9111; RFC 5861). What the rules are,
//! [`crate::cache::rules`] says; what a source declares of it, [`crate::source::Keep`].
//!
//! Found is the value that the source took from an answer, so that a hit calls nothing and reads nothing: it costs the making of the key and one
//! look-up. Several who lack the same wait for one call. The store's promises hold for data as for pages: what was begun before a purge is never
//! visible after it, and an error never takes the place of anything.
//!
//! A call that carries one person's credential is kept for calls that are the same to the last byte, and by the rules of a private cache: then
//! `private` is no bar, and nothing is found by anybody whose call differs in a cookie, a credential or an address.

use super::clock;
use super::fetch::{self, Caller, Calls, Fetched, Fetching, Place, Taken, Taking};
use super::gather::{Whose, called_with};
use super::invalidate;
use super::keep::filled_tags;
use super::meter::KeptOutcome;
use super::runtime::Service;
use crate::cache::rules::{self, Audience, Demand, Exchange, Failure, Reuse, Settings, Terms, Validated};
use crate::cache::{
    Datum, Digest, Digester, Empty, Epoch, Extracted, Filled, Jitter, Key, KeyBuilder, Landing, Revision, Section, Tag,
    Tags, Ticket,
};
use crate::config::Binding;
use crate::extract::memory;
use crate::fields::{cookies, is_of_person as is_of_person_field};
use crate::site::{Route, slots};
use crate::source::{Http, Keep, Read, Trouble, patience};
use crate::upstream::Call;
use crate::value::Value;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{ETAG, HeaderMap, HeaderName, LAST_MODIFIED, VARY};
use http::{Method, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How what a source gives was had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum How {
    /// By asking for it.
    #[default]
    Asked,
    /// It was kept, and is fresh.
    Hit,
    /// It was kept, and is used stale while it is fetched anew.
    Stale,
    /// It was kept, and the upstream says that it is still so.
    Revalidated,
    /// It was kept, and stands for an error.
    OnError,
}

impl How {
    /// The word for the access log.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Asked => "ok",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::OnError => "stale-if-error",
        }
    }
}

/// What a source has.
#[derive(Debug, Clone)]
pub(super) struct Had {
    /// What it took, or that there is nothing.
    pub(super) taken: Taking,
    /// Until when that is fresh; `None` if nothing was had.
    pub(super) fresh_until: Option<Instant>,
}

/// Where what a source needs comes from.
pub(super) enum Called {
    /// It is kept.
    Kept(Had),
    /// From a call.
    Calling(Fetching),
    /// From a call, and then it is kept.
    Filling(BoxFuture<'static, Had>, Standby),
}

/// What is kept, and may stand for an error.
pub(super) struct Standby {
    datum: Option<Arc<Datum>>,
    service: Arc<Service>,
    place: Place,
}

impl Standby {
    /// What was taken; if that is an error, what stands for it.
    pub(super) fn or_stale(self, had: Had) -> Had {
        let Err(trouble @ Trouble::Error { .. }) = &had.taken else { return had };
        let now = self.service.runtime.clock.now();
        let Some(datum) = self.datum.filter(|datum| may_stand_for_an_error(datum, now)) else { return had };
        let (route, source) = self.place;
        let name = &*self.service.subjects[route].sources[source];
        let route = &*self.service.site.routes[route].name;
        tracing::warn!(
            source = name,
            route,
            trouble = trouble.word(),
            "a source failed, and what is kept stands for it"
        );
        self.service.meters.sources[self.place.0][source].kept(KeptOutcome::OnError);
        Had { taken: of_datum(&datum, How::OnError), fresh_until: Some(now) }
    }
}

/// For whom a call is looked up, and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// For all whose call is the same.
    Everybody,
    /// For the one whose credential is in it.
    One,
    /// For calls that are made of one person's data and are the same, without a credential that says who that is: by the rules for everybody, as
    /// others may have the same data, and never found by a call that is made of nobody's.
    Addressed,
    /// A call that is everybody's by its own declaration, made with one person's data: what is there may be found, but an address that this
    /// person's data was put into is not put there.
    Finder,
}

impl For {
    fn of(caller: Caller<'_>, http: &Http<Binding>, slots: &[Value]) -> Self {
        let is_of_person = caller.service.site.routes[caller.route].sources[caller.source].personal;
        match caller.whose {
            Whose::OnePersons if !is_of_person && takes_anything(http) => Self::Finder,
            Whose::OnePersons if !is_of_person => Self::Everybody,
            whose if !whose.is_one_persons(is_of_person) => Self::Everybody,
            _ if carries_credential(caller, http, slots) => Self::One,
            Whose::AsDeclared | Whose::OnePersons | Whose::Nobodys => Self::Addressed,
        }
    }

    fn audience(self) -> Audience {
        match self {
            Self::One => Audience::One,
            Self::Everybody | Self::Addressed | Self::Finder => Audience::Everybody,
        }
    }

    /// What keeps keys apart.
    fn mark(self) -> u64 {
        match self {
            Self::Everybody | Self::Finder => 0,
            Self::One => 1,
            Self::Addressed => 2,
        }
    }
}

/// Whether anything that it was given could be in a call, or in the tags of what is kept of it. What is always the same is nobody's.
fn takes_anything(http: &Http<Binding>) -> bool {
    let has_changing_tags = http.keep.as_ref().is_some_and(|keep| !keep.changing_tags.is_empty());
    let forwards = !http.forward_headers.is_empty() || !http.forward_cookies.is_empty();
    !http.parameters.is_empty() || forwards || has_changing_tags
}

/// Whether the visitor's request has anything that says who asks and that the call sends along, as it is or within something else. Who sends nothing
/// of the kind makes the same call as all who do not.
fn carries_credential(caller: Caller<'_>, http: &Http<Binding>, slots: &[Value]) -> bool {
    let visitor = caller.visitor;
    let has_cookie = |name: &[u8]| cookies(visitor).any(|(cookie, value)| cookie == name && !value.is_empty());
    let has_field = |name: &HeaderName| visitor.get(name).is_some_and(|value| !value.is_empty());
    let is_said = |binding: &Binding| {
        let value = binding.value(slots);
        !value.is_null() && value.as_str() != Some("")
    };
    let route = &caller.service.site.routes[caller.route];
    http.forward_cookies.iter().any(|name| has_cookie(name.as_bytes()))
        || http.forward_headers.iter().any(|name| is_of_person_field(name) && has_field(name))
        || http.parameters.iter().any(|(_, binding)| says_who_asks(binding, route) && is_said(binding))
}

/// Whether calls of this source of a route may carry anything that says who asks.
pub(super) fn may_carry_credential(http: &Http<Binding>, route: &Route) -> bool {
    !http.forward_cookies.is_empty()
        || http.forward_headers.iter().any(is_of_person_field)
        || http.parameters.iter().any(|(_, binding)| says_who_asks(binding, route))
}

/// Whether it is a value of the visitor's request that says who asks.
fn says_who_asks(binding: &Binding, route: &Route) -> bool {
    match (binding.slot, &*binding.keys) {
        (slots::COOKIES, [name, ..]) => {
            route.inputs.cookies.iter().any(|cookie| cookie.name == *name && !cookie.is_enumerated())
        }
        (slots::REQUEST, [_headers, name, ..]) => {
            HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_of_person_field(&name))
        }
        _ => false,
    }
}

/// A call of a source that keeps what it is answered.
pub(super) struct Asking<'a> {
    pub(super) http: &'a Http<Binding>,
    pub(super) keep: &'a Keep<Binding>,
    pub(super) slots: &'a [Value],
    pub(super) call: Call,
    /// What it shares with calls that are the same, and with no others.
    pub(super) identity: Vec<u8>,
}

impl Asking<'_> {
    /// What it is kept under.
    ///
    /// The call is in it with all of its fields, by its digest: they may hold credentials, ours or a visitor's, which have no place in a store.
    /// That also covers what `Vary` could name (RFC 9111, section 4.1): two calls that differ in any field have two keys. `Vary: *` speaks of
    /// more than fields, and is heard when it is stored. Of the declaration everything is in it that makes the value, and its name, its
    /// parameters and its tags, by which it is purged; not the route, so that sources which are declared alike share what they keep.
    fn key(&self, caller: Caller<'_>, whose: For, tags: &[Tag]) -> (Key, Digest) {
        let mut parts = Digester::new("call");
        parts.digest(self.keep.digest).number(whose.mark());
        parts.number(caller.service.site.settings.limits.answer.json.nodes as u64);
        // It is purged by that name, whatever else has the same address.
        let upstream = caller.service.site.upstreams.get(self.http.upstream);
        parts.bytes(upstream.map_or("", |upstream| &upstream.name).as_bytes());
        for (name, binding) in &self.http.parameters {
            parts.bytes(name.as_bytes()).value(binding.value(self.slots));
        }
        for tag in tags {
            parts.bytes(tag.as_str().as_bytes());
        }
        let digest = parts.finish_with(&self.identity);
        let mut key = KeyBuilder::new("data");
        key.bytes(Section::Variant, "call", digest.as_bytes());
        (key.finish().to_key(), digest)
    }

    /// The tags with placeholders, filled in.
    fn changing_tags(&self, caller: Caller<'_>) -> Vec<Tag> {
        filled_tags(&self.keep.changing_tags, self.slots, &caller.service.site.routes[caller.route].name)
    }

    fn tags(&self, caller: Caller<'_>, own: Option<&Tag>, changing: Vec<Tag>) -> Vec<Tag> {
        let service = caller.service;
        let name = &*service.subjects[caller.route].sources[caller.source];
        let upstream = service.site.upstreams.get(self.http.upstream);
        let mut tags = vec![Tag::derived("source", name)];
        if !self.http.parameters.is_empty() {
            tags.push(Tag::with_parameters("source", name, called_with(self.http, self.slots)));
        }
        if let Some(upstream) = upstream {
            tags.push(Tag::derived("upstream", &upstream.name));
            tags.push(invalidate::url_tag(upstream, &self.call.url));
        }
        tags.extend(self.keep.tags.iter().map(|tag| Tag::new(tag)));
        tags.extend(changing);
        tags.extend(own.cloned());
        tags
    }
}

/// What a source has that keeps what it is answered: at once if that may be used, or when it has come.
pub(super) fn had(calls: &Calls, caller: Caller<'_>, asking: Asking<'_>) -> Called {
    let service = caller.service;
    let place = (caller.route, caller.source);
    let whose = For::of(caller, asking.http, asking.slots);
    let changing = asking.changing_tags(caller);
    let (key, digest) = asking.key(caller, whose, &changing);
    let stale = service.runtime.store.datum(key.lookup());
    let meter = &service.meters.sources[caller.route][caller.source];
    let now = service.runtime.clock.now();
    let mut is_refreshed = false;
    if let Some(datum) = &stale {
        match rules::reuse(datum.terms(), &datum.windows(), &Demand::default(), now) {
            Reuse::Fresh { left, .. } => {
                meter.kept(KeptOutcome::Hit);
                return Called::Kept(Had { taken: of_datum(datum, How::Hit), fresh_until: Some(now + left) });
            }
            // What the finder asks for is not stored, so that it would be asked for each time. And what is stored itself would keep the stale for a
            // lifetime of its own: it waits, and the stale stands for an error alone.
            Reuse::WhileRevalidating { .. } => is_refreshed = whose != For::Finder && !caller.may_last,
            Reuse::Accepted { .. } | Reuse::Validate(_) | Reuse::Refused(_) => {}
        }
        if !is_refreshed && datum.is_resting(now) && may_stand_for_an_error(datum, now) {
            meter.kept(KeptOutcome::OnError);
            return Called::Kept(Had { taken: of_datum(datum, How::OnError), fresh_until: Some(now) });
        }
    }
    let used = stale.as_ref().filter(|_| is_refreshed).map(|datum| {
        meter.kept(KeptOutcome::Stale);
        (Had { taken: of_datum(datum, How::Stale), fresh_until: Some(now) }, datum.is_resting(now))
    });
    if let Some((had, true)) = used {
        return Called::Kept(had);
    }
    let own_tag = (whose == For::One).then(|| Tag::derived("call", &digest.short()));
    let tags = asking.tags(caller, own_tag.as_ref(), changing);
    let Asking { call, identity, .. } = asking;
    let mut conditional = stale.as_ref().filter(|_| call.method == Method::GET).map(|_| call.clone());
    let is_validating = match (&mut conditional, &stale) {
        (Some(conditional), Some(datum)) => rules::validate(&mut conditional.headers, Some(datum.fields()), []),
        _ => false,
    };
    let fill = Fill {
        service: Arc::clone(service),
        place,
        whose,
        is_personal: caller.is_personal(),
        is_get: call.method == Method::GET,
        key,
        tags,
        own_tag,
        begin: now,
        epoch: caller.epoch,
        ticket: None,
        stale: stale.clone(),
        again: is_validating.then(|| (call.clone(), identity.clone())),
        deadline: calls.deadline(),
    };
    let limit = 2 * (call.timeouts.total + fetch::READING) + fetch::READING;
    // With conditions it is another call: who has nothing that they are about must not get its answer.
    let (call, identity) = match conditional.filter(|_| is_validating) {
        Some(conditional) => {
            let identity = fetch::identified(service, asking.http, &conditional);
            (conditional, identity)
        }
        None => (call, identity),
    };
    if let Some((had, _)) = used {
        fill.refresh(call, identity, limit);
        return Called::Kept(had);
    }
    let standby = Standby { datum: stale, service: Arc::clone(service), place };
    let first = calls.fetching(caller, call, identity);
    let ticket = caller.ticket.cloned();
    let fill = Fill { ticket, ..fill };
    if fill.is_personal {
        return Called::Filling(fill.run(first).boxed(), standby);
    }
    Called::Filling(fill.together(first, limit).boxed(), standby)
}

/// A call that is made because nothing that is kept will do.
struct Fill {
    service: Arc<Service>,
    place: Place,
    whose: For,
    /// Whether it belongs to one request.
    is_personal: bool,
    is_get: bool,
    key: Key,
    tags: Vec<Tag>,
    /// The one of what is kept for one credential: nothing else has it.
    own_tag: Option<Tag>,
    /// When the upstream was asked, or before.
    begin: Instant,
    /// What it may be shared within.
    epoch: Epoch,
    /// Taken before the call was made.
    ticket: Option<Arc<Ticket>>,
    /// What is there.
    stale: Option<Arc<Datum>>,
    /// The same call without conditions, if it has some.
    again: Option<(Call, Vec<u8>)>,
    deadline: Instant,
}

impl Fill {
    /// Makes the call, whose answer comes with `first`, for all who lack the same at the same time.
    async fn together(self, first: Fetching, limit: Duration) -> Had {
        let service = Arc::clone(&self.service);
        let (key, place) = (self.key.clone(), self.place);
        let again = || {
            // It may have come between the look-up and now.
            let datum = service.runtime.store.datum(key.lookup())?;
            let now = service.runtime.clock.now();
            let Reuse::Fresh { left, .. } = rules::reuse(datum.terms(), &datum.windows(), &Demand::default(), now)
            else {
                return None;
            };
            service.meters.sources[place.0][place.1].kept(KeptOutcome::Hit);
            Some(Had { taken: of_datum(&datum, How::Hit), fresh_until: Some(now + left) })
        };
        let flight = (key.clone(), self.epoch);
        let fills = service.runtime.fills.clone();
        match fills.fly(flight, limit, again, async move { Filled::Shared(self.run(first).await) }).await {
            Landing::Shared(had) | Landing::Private(had) => had,
            Landing::Nothing(empty) => {
                let (late, reason) = if empty == Empty::TimedOut { (true, "timeout") } else { (false, "broken-off") };
                Had { taken: Err(Trouble::Error { late, reason }), fresh_until: None }
            }
        }
    }

    /// Makes the call in the background, once, whatever becomes of the request that it is made for.
    fn refresh(mut self, call: Call, identity: Vec<u8>, limit: Duration) {
        let service = Arc::clone(&self.service);
        let key = self.key.clone();
        let needed = {
            let (service, key) = (Arc::clone(&service), key.clone());
            move || {
                let datum = service.runtime.store.datum(key.lookup());
                !datum.is_some_and(|datum| is_fresh(&datum, service.runtime.clock.now()))
            }
        };
        let flight = (key, service.runtime.store.epoch(service.revision()));
        let filling = async move {
            let service = &self.service;
            // Before anything is read, and for a flight of its own: what the request has asked for may be older than a purge.
            let ticket = Arc::new(service.runtime.store.begin(service.revision()));
            self.epoch = ticket.epoch();
            self.begin = self.now();
            self.deadline = clock::ticking() + call.timeouts.total;
            self.ticket = Some(ticket);
            let first = self.call(call, identity);
            Filled::Shared(self.run(first).await)
        };
        service.runtime.fills.refresh_once(flight, limit, needed, filling);
    }

    fn call(&self, call: Call, mut identity: Vec<u8>) -> Fetching {
        identity.extend(patience(&call));
        let begun = fetch::Calling {
            service: Arc::clone(&self.service),
            place: self.place,
            is_personal: self.is_personal,
            epoch: self.epoch,
            record: None,
        };
        begun.begin(call, identity.into(), self.deadline)
    }

    /// Takes what was answered, and keeps it.
    async fn run(mut self, first: Fetching) -> Had {
        let mut fetched = first.await;
        if let Ok(answer) = &fetched {
            // Another may have asked for it before.
            self.begin = self.begin.min(answer.head().begun);
        }
        if let Some((call, identity)) = self.again.take()
            && let Ok(answer) = &fetched
            && answer.head().status == StatusCode::NOT_MODIFIED
        {
            if let Some(had) = self.freshened(answer) {
                return had;
            }
            // Its validators are those of something that is not kept.
            fetched = self.call(call, identity).await;
        }
        self.meter(KeptOutcome::Miss);
        let (taken, fetched) = match fetched {
            Ok(fetched) => (fetch::taken(&self.service, self.place, fetched.clone()).await, Some(fetched)),
            Err(trouble) => (Err(trouble), None),
        };
        let fresh_until = fetched.and_then(|fetched| match &taken {
            Ok(taken) if taken.read.is_partial => Some(fetched.fresh_until),
            Ok(_) | Err(Trouble::NotFound) => Some(self.keep(&taken, &fetched).unwrap_or(fetched.fresh_until)),
            Err(Trouble::Unauthorized { .. }) => {
                // What was kept for this credential is not for it any more.
                self.forget();
                Some(fetched.fresh_until)
            }
            Err(Trouble::Error { .. } | Trouble::BadRequest) => None,
        });
        if let (Err(Trouble::Error { .. }), Some(stale)) = (&taken, &self.stale) {
            stale.rest(self.now());
        }
        Had { taken, fresh_until }
    }

    /// What is there, freshened by a 304; `None` if that is about something else.
    fn freshened(&self, answer: &Fetched) -> Option<Had> {
        let (stale, head) = (self.stale.as_ref()?, answer.head());
        if rules::selected_by(head.fields, &[stale.fields()]) == Validated::None {
            return None;
        }
        self.meter(KeptOutcome::Revalidated);
        let taken = of_datum(stale, How::Revalidated);
        let fields = self.heard(rules::freshen(stale.fields(), head.fields, head.received, false));
        let (asked, settings) = (HeaderMap::new(), self.settings(stale.value().is_none())?);
        let exchange = Exchange {
            method: &Method::GET,
            targets: &[],
            request: &asked,
            status: stale.status(),
            response: &fields,
            received: head.received,
            delay: head.delay,
        };
        let fresh_until = match rules::store_again(stale.terms(), &exchange, &settings) {
            Ok(terms) => {
                let tags = self.tags(&terms);
                let datum = stale.freshened(fields, terms, (head.instant, self.jitter()), tags);
                self.put(datum)
            }
            Err(_why) => {
                self.supersede();
                head.instant
            }
        };
        Some(Had { taken, fresh_until: Some(fresh_until) })
    }

    /// Keeps what was taken, if it may be; until when it is fresh then.
    fn keep(&self, taken: &Taking, fetched: &Fetched) -> Option<Instant> {
        let head = fetched.head();
        let settings = self.settings(taken.is_err())?;
        let fields = self.heard(head.fields.clone());
        // By what the rules read of a request no answer to a source can differ: it is ours, and its method, if it is another, is declared to only
        // read. What it carries of a person is in the key.
        let asked = HeaderMap::new();
        let exchange = Exchange {
            method: &Method::GET,
            targets: &[],
            request: &asked,
            status: head.status,
            response: &fields,
            received: head.received,
            delay: head.delay,
        };
        let terms = match rules::store(&exchange, &settings) {
            // A part of something that was asked for as a whole.
            Ok(terms) if terms.part.is_none() && self.whose != For::Finder => terms,
            Ok(_) => return None,
            Err(why) => {
                tracing::debug!(source = %self.name(), why = why.word(), "an answer is not kept");
                self.supersede();
                return None;
            }
        };
        let extracted = match taken {
            Ok(Taken { read, digest, .. }) => Extracted {
                value: Some(read.value.clone()),
                digest: *digest,
                bytes: memory(&read.value, fetched.body_bytes()),
            },
            Err(_absent) => Extracted { value: None, digest: None, bytes: 0 },
        };
        let (tags, revision) = (self.tags(&terms), revision(self.declared()?));
        let moment = (head.instant, self.jitter());
        Some(self.put(Datum::new(extracted, (head.status, fields), terms, moment, tags, revision)))
    }

    /// Puts data into the store; until when it is fresh.
    fn put(&self, datum: Datum) -> Instant {
        let now = self.now();
        let fresh_until = now + datum.windows().remaining(now).unwrap_or_default();
        if let Some(ticket) = self.ticket.as_ref().filter(|_| self.whose != For::Finder) {
            let put = self.service.runtime.store.put_datum(ticket, self.key.clone(), &Arc::new(datum), self.begin);
            if let Err(why) = put {
                tracing::debug!(source = %self.name(), %why, "an answer is not kept");
            }
        }
        fresh_until
    }

    /// Drops what is there: the upstream has said something else since, which is not kept.
    fn supersede(&self) {
        if let (Some(stale), Some(ticket)) = (&self.stale, &self.ticket) {
            self.service.runtime.store.supersede(ticket, self.key.lookup(), stale.tags(), self.begin);
        }
    }

    /// Drops what is there: it is refused from now on. What others were given who asked before is not put there either.
    fn forget(&self) {
        match &self.own_tag {
            Some(tag) => self.service.runtime.store.invalidate(vec![tag.clone()], [self.key.lookup()]),
            None => self.supersede(),
        }
    }

    /// The fields of a response as far as they are heard.
    fn heard(&self, mut fields: HeaderMap) -> HeaderMap {
        if self.declared().is_some_and(|keep| keep.overrides) {
            // Who overrides says that the calls which are the same have the same answer.
            fields.remove(VARY);
        }
        if !self.is_get {
            // Only a GET is validated by them.
            fields.remove(ETAG);
            fields.remove(LAST_MODIFIED);
        }
        fields
    }

    fn tags(&self, terms: &Terms) -> Tags {
        let upstream = self.http().and_then(|http| self.service.site.upstreams.get(http.upstream));
        let groups = upstream
            .into_iter()
            .flat_map(|upstream| terms.groups.iter().map(|group| invalidate::group_tag(upstream, group)));
        Tags::from(self.tags.iter().cloned().chain(groups).collect::<Vec<Tag>>())
    }

    fn settings(&self, is_absence: bool) -> Option<Settings> {
        Some(self.declared()?.settings(self.whose.audience(), is_absence))
    }

    fn declared(&self) -> Option<&Keep<Binding>> {
        self.http()?.keep.as_ref()
    }

    fn http(&self) -> Option<&Http<Binding>> {
        fetch::source(&self.service, self.place).ok().map(|(_, http)| http)
    }

    fn now(&self) -> Instant {
        self.service.runtime.clock.now()
    }

    fn jitter(&self) -> Jitter {
        Jitter::from_bits(self.key.seeded_hash())
    }

    fn meter(&self, outcome: KeptOutcome) {
        self.service.meters.sources[self.place.0][self.place.1].kept(outcome);
    }

    fn name(&self) -> &str {
        &self.service.subjects[self.place.0].sources[self.place.1]
    }
}

/// What is kept, as the source has it.
fn of_datum(datum: &Datum, how: How) -> Taking {
    let Some(value) = datum.value() else { return Err(Trouble::NotFound) };
    // What stands for an error is not what the page is to be kept with.
    let read = Read { value: value.clone(), is_partial: how == How::OnError };
    Ok(Taken { read, digest: datum.digest(), how })
}

fn is_fresh(datum: &Datum, now: Instant) -> bool {
    matches!(rules::reuse(datum.terms(), &datum.windows(), &Demand::default(), now), Reuse::Fresh { .. })
}

/// Whatever the error is: the source has no data, and a gateway would answer with 502 or 504 (RFC 5861, section 4).
fn may_stand_for_an_error(datum: &Datum, now: Instant) -> bool {
    rules::may_serve_on_error(datum.terms(), &datum.windows(), &Demand::default(), now, Failure::Unreachable)
}

/// What data is kept by, and taken by: as long as a site declares it, a reload keeps the data.
pub(super) fn revision<R>(keep: &Keep<R>) -> Revision {
    let first = keep.digest.as_bytes().iter().take(size_of::<u64>());
    Revision(first.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
