//! Runs the sources of a route under one deadline: the data of a request, or why it cannot be had.
//!
//! What runs when is decided in `plan`; calls are made in `fetch`; what a failure becomes is declared by each source. All of it
//! is one task, whatever the number of sources.

use super::aside;
use super::ask::{Answered, Asked, Asking};
use super::clock;
use super::fetch::{self, Caller, Calls, Taken};
use super::fill::Begun;
use super::kept::{Called, Had, How};
use super::plan::{Ending, Next, Plan};
use super::record::{self, SourceRecord};
use super::runtime::Service;
use crate::cache::{Digest, Digester, Tag};
use crate::config::{Binding, scalar_text};
use crate::render::Context;
use crate::site::{Planned, QueryInput, Route, Rule, slots};
use crate::source::{Absent, Fatal, Http, Kind, Listing, Read, Settled, Surroundings, Trouble};
use crate::value::{NULL, Value};
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For whom data is gathered, and how long that may take.
#[derive(Clone, Copy)]
pub(super) struct Request<'g> {
    /// The site, in service.
    pub(super) service: &'g Arc<Service>,
    /// The position of the route.
    pub(super) route: usize,
    /// The header fields of the visitor's request.
    pub(super) visitor: &'g HeaderMap,
    /// Whose data may be in it.
    pub(super) whose: Whose,
    /// When no source is waited for any more.
    pub(super) deadline: Instant,
    /// What conditions are decided with.
    pub(super) context: &'g Context<'g>,
    /// When all this began.
    pub(super) begun: &'g Begun,
    /// The calls so far.
    pub(super) calls: &'g Calls,
    /// Sources whose values are known already, by position.
    pub(super) known: &'g [(usize, Value)],
    /// The id of the visitor's request, for the messages.
    pub(super) id: &'g Arc<str>,
}

/// Whose data may be in what is gathered for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// That of the person who asks, where a declaration says so.
    AsDeclared,
    /// That person's, wherever it is: all of it is asked for with one person's data.
    OnePersons,
    /// Nobody's, whatever is declared: the request carries nothing that says who asks.
    Nobodys,
}

impl Whose {
    /// Whether it is one person's where a declaration says that it is (`declared`) or not.
    pub(super) fn is_one_persons(self, declared: bool) -> bool {
        match self {
            Self::AsDeclared => declared,
            Self::OnePersons => true,
            Self::Nobodys => false,
        }
    }

    /// Whose it is in a route that is asked by a source that is declared to be one person's, or not.
    fn asked_with(self, declared: bool) -> Self {
        if self == Self::AsDeclared && declared { Self::OnePersons } else { self }
    }
}

/// What becomes of a source that is not there when the request gives up.
pub(super) const LATE: Trouble = Trouble::Error { late: true, reason: "deadline" };

/// From this many items on, going through a list takes about as long as a thread may be kept from its other requests.
const MANY: usize = 2_000;

/// How one source went, for the log.
#[derive(Debug, Clone)]
pub struct SourceCall {
    /// Its name: `repo`, or `page.repo` for the source `repo` of the route that the source `page` asks.
    pub name: Arc<str>,
    /// From its start to its settling.
    pub elapsed: Duration,
    /// `ok`, or what was wrong.
    pub outcome: &'static str,
    /// All that is known of it, where the runtime [records](super::Runtime::recording).
    pub record: Option<Arc<SourceRecord>>,
}

impl SourceCall {
    /// The same as one of the route that a source asks: `source.name`.
    fn within(self, source: &str) -> Self {
        Self { name: format!("{source}.{}", self.name).into(), ..self }
    }
}

/// What was gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The data.
    pub(super) slots: Vec<Value>,
    /// The digest of what each source came to, where that is known without looking at it all.
    pub(super) digests: Vec<Option<Digest>>,
    /// How it ended.
    pub(super) ending: Ending,
    /// The names of the sources that something else stands for, or nothing, because they could not be had.
    pub(super) degraded: Vec<Arc<str>>,
    /// The sources that were asked, in the order in which they settled.
    pub(super) calls: Vec<SourceCall>,
    /// What of it does not depend on the same for every request: the calls by what they were made with.
    pub(super) tags: Vec<Tag>,
}

impl<'g> Request<'g> {
    /// The route.
    pub(super) fn route(&self) -> &'g Route {
        &self.service.site.routes[self.route]
    }

    /// Runs the sources; `slots` holds what the request itself gives.
    pub(super) async fn gather(self, slots: Vec<Value>) -> Gathered {
        let mut plan = Plan::new(&self.service.subjects[self.route].graph);
        let mut running = FuturesUnordered::new();
        let digests = vec![None; self.route().sources.len()];
        let mut data =
            Data { request: self, slots, digests, degraded: Vec::new(), calls: Vec::new(), tags: Vec::new() };
        let ending = loop {
            let begin = match plan.next(|rule| data.holds(&self.route().rules[rule])) {
                Next::End(ending) => break ending,
                Next::Run(begin) => begin,
            };
            let mut settled_at_once = false;
            for position in begin {
                let started = clock::ticking();
                if self.planned(position).is_of_guard {
                    // Nothing, unless it was asked for what was sent.
                    let known = data.slots[slots::FIRST_SOURCE + position].clone();
                    data.settle(&mut plan, position, started, Came::Once(Ok(Taken::whole(known))));
                    settled_at_once = true;
                    continue;
                }
                data.tag(position);
                match self.begin(position, started, &mut data.slots) {
                    Start::Settled(result) => {
                        data.settle(&mut plan, position, started, Came::Once(result.map(Taken::whole)));
                        settled_at_once = true;
                    }
                    Start::Known(result, tags) => {
                        data.tags.extend(tags);
                        data.settle(&mut plan, position, started, Came::Once(result.map(Taken::whole)));
                        settled_at_once = true;
                    }
                    Start::Kept(result) => {
                        data.settle(&mut plan, position, started, Came::Once(result));
                        settled_at_once = true;
                    }
                    Start::Calling(calling) => {
                        running.push(async move { (position, started, self.came(position, calling).await) });
                    }
                }
            }
            if settled_at_once {
                continue;
            }
            match running.next().await {
                Some((position, started, came)) => data.settle(&mut plan, position, started, came),
                // Whatever is wanted runs, or waits for what runs.
                None => break Ending::Complete,
            }
        };
        drop(running);
        self.calls.break_off();
        let Data { slots, digests, degraded, calls, tags, .. } = data;
        Gathered { slots, digests, ending, degraded, calls, tags }
    }

    /// Asks one source for which nothing else must have settled; `slots` is as before afterwards.
    pub(super) async fn one(self, position: usize, slots: &mut [Value]) -> Result<Value, Trouble> {
        let started = clock::ticking();
        let calling = match self.begin(position, started, slots) {
            Start::Settled(value) | Start::Known(value, _) => return value,
            Start::Kept(taken) => return taken.map(|taken| taken.read.value),
            Start::Calling(calling) => calling,
        };
        match self.came(position, calling).await {
            Came::Once(taken) | Came::Route(taken, ..) => taken.map(|taken| taken.read.value),
            Came::Each(_) => Err(Trouble::Error { late: false, reason: "for-each" }),
        }
    }

    /// Begins a source. `slots` is as before afterwards.
    fn begin(self, position: usize, now: Instant, slots: &mut [Value]) -> Start<'g> {
        let source = &self.planned(position).source;
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == position) {
            return Start::Settled(Ok(value.clone()));
        }
        match &source.kind {
            Kind::Value(shape) => {
                let value = shape.value(slots).map_err(|_not_text| Trouble::Error { late: false, reason: "not-text" });
                Start::Settled(value.and_then(|value| source.extract(&value, 0)))
            }
            Kind::Chosen(chosen) => Start::Settled(chosen.value(slots)),
            Kind::Http(_) | Kind::Route(_) if now >= self.deadline => Start::Settled(Err(LATE)),
            Kind::Route(asking) => {
                let whose = self.whose.asked_with(self.planned(position).personal);
                match (Self { whose, ..self }).ask(asking, slots) {
                    Ok(Asking::Known(value, tags)) => Start::Known(source.extract(&value, 0), tags),
                    Ok(Asking::Answering(answering)) => Start::Calling(Calling::Route(answering)),
                    Err(trouble) => Start::Settled(Err(trouble)),
                }
            }
            Kind::Http(http) => {
                let caller = Caller {
                    service: self.service,
                    route: self.route,
                    source: position,
                    visitor: self.visitor,
                    whose: self.whose,
                    epoch: self.begun.epoch,
                    ticket: self.begun.ticket.as_ref(),
                    may_last: self.begun.may_last,
                };
                if let Some(each) = &source.for_each {
                    return match each.items(slots).map(<[Value]>::to_vec) {
                        Ok(items) => {
                            let begun = items.into_iter().map(|item| {
                                slots[slots::ITEM] = item;
                                self.calls.call(caller, http, slots)
                            });
                            let begun = begun.collect();
                            slots[slots::ITEM] = Value::Null;
                            Start::Calling(Calling::Each(self.each(position, begun).boxed()))
                        }
                        Err(trouble) => Start::Settled(Err(trouble)),
                    };
                }
                match self.calls.call(caller, http, slots) {
                    Ok(Called::Kept(had)) => Start::Kept(self.take(had)),
                    Ok(needed) => Start::Calling(Calling::Once(needed)),
                    Err(trouble) => Start::Settled(Err(trouble)),
                }
            }
        }
    }

    /// Waits for what was begun.
    async fn came(self, position: usize, calling: Calling<'g>) -> Came {
        match calling {
            Calling::Once(called) => Came::Once(self.wait(position, called).await),
            Calling::Each(all) => Came::Each(all.await),
            Calling::Route(answering) => {
                let Asked { answer, calls, tags } = answering.await;
                let read = answer.and_then(|Answered { value, degraded }| {
                    let value = self.planned(position).source.extract(&value, 0)?;
                    Ok(Taken::of(Read { value, is_partial: degraded }, None))
                });
                Came::Route(read, calls, tags)
            }
        }
    }

    /// Waits for the calls of all items; the upstream's cap is what bounds how many are under way.
    async fn each(self, position: usize, begun: Vec<Result<Called, Trouble>>) -> Vec<Result<Taken, Trouble>> {
        join_all(begun.into_iter().map(|call| async move { self.wait(position, call?).await })).await
    }

    /// Takes what is had, and notes for how long it is fresh.
    fn take(self, had: Had) -> Result<Taken, Trouble> {
        if let Some(moment) = had.fresh_until {
            self.calls.is_fresh_until(moment);
        }
        had.taken
    }

    /// Waits for a call and takes what the source declares from its answer; or for what is kept then.
    async fn wait(self, position: usize, called: Called) -> Result<Taken, Trouble> {
        let fetching = match called {
            Called::Calling(fetching) => fetching,
            Called::Kept(had) => return self.take(had),
            Called::Filling(filling, standby) => {
                let had = tokio::time::timeout_at(self.deadline.into(), filling).await;
                let had = had.unwrap_or(Had { taken: Err(LATE), fresh_until: None });
                return self.take(standby.or_stale(had));
            }
        };
        let fetched = tokio::time::timeout_at(self.deadline.into(), fetching).await.map_err(|_elapsed| LATE)??;
        self.calls.is_fresh_until(fetched.fresh_until);
        fetch::taken(self.service, (self.route, position), fetched).await
    }

    fn planned(self, position: usize) -> &'g Planned {
        &self.route().sources[position]
    }
}

/// A source that was begun.
enum Start<'g> {
    /// It needs nothing from outside, or will not be called.
    Settled(Result<Value, Trouble>),
    /// It is kept.
    Kept(Result<Taken, Trouble>),
    /// The same, of what a route has answered before, with what that depends on.
    Known(Result<Value, Trouble>, Vec<Tag>),
    /// It is called.
    Calling(Calling<'g>),
}

/// Calls under way.
enum Calling<'g> {
    /// The one of a source.
    Once(Called),
    /// A route of the same site.
    Route(BoxFuture<'g, Asked>),
    /// Those of a source that is called for each item of a list.
    Each(BoxFuture<'g, Vec<Result<Taken, Trouble>>>),
}

/// What a source came to, before its declaration says what a failure becomes.
enum Came {
    /// One value, of which a part may be missing.
    Once(Result<Taken, Trouble>),
    /// What a route answered, and the calls that it made for it.
    Route(Result<Taken, Trouble>, Vec<SourceCall>, Vec<Tag>),
    /// A value for each item of a list.
    Each(Vec<Result<Taken, Trouble>>),
}

/// The data so far.
struct Data<'g> {
    request: Request<'g>,
    slots: Vec<Value>,
    digests: Vec<Option<Digest>>,
    degraded: Vec<Arc<str>>,
    calls: Vec<SourceCall>,
    tags: Vec<Tag>,
}

/// The names and values that a call is made with; a list has its name with each of its items.
pub(super) fn called_with<'h>(
    http: &'h Http<Binding>,
    slots: &'h [Value],
) -> impl Iterator<Item = (&'h str, Cow<'h, str>)> {
    http.parameters.iter().flat_map(|(name, binding)| {
        let value = binding.value(slots);
        let items: &[Value] = if let Value::List(items) = value { items } else { &[] };
        let values = if items.is_empty() { std::slice::from_ref(value) } else { items };
        values.iter().map(|value| (name.as_str(), scalar_text(value).unwrap_or_default()))
    })
}

/// The word for what came of all items: the first trouble, or how they were had if all of them were had alike.
fn of_each(results: &[Result<Taken, Trouble>]) -> &'static str {
    let hows = results.iter().map(|result| result.as_ref().map(|taken| taken.how));
    let mut common = None;
    for how in hows {
        match (how, common) {
            (Err(trouble), _) => return trouble.word(),
            (Ok(how), None) => common = Some(how),
            (Ok(how), Some(known)) if how != known => common = Some(How::Asked),
            (Ok(_), Some(_)) => {}
        }
    }
    common.unwrap_or_default().word()
}

impl Data<'_> {
    /// Notes with what a source is called, if what comes of it may be stored, or tells its tags: each call of its own.
    fn tag(&mut self, position: usize) {
        let source = &self.request.planned(position).source;
        let Kind::Http(http) = &source.kind else { return };
        if http.parameters.is_empty() || !self.request.begun.is_tagged {
            return;
        }
        let tag = |slots: &[Value]| Tag::with_parameters("source", &source.name.value, called_with(http, slots));
        let differs = http.parameters.iter().any(|(_, binding)| binding.slot == slots::ITEM);
        match source.for_each.as_ref().filter(|_| differs) {
            // Items that cannot be had are no calls.
            Some(each) => {
                for item in each.items(&self.slots).map(<[Value]>::to_vec).unwrap_or_default() {
                    self.slots[slots::ITEM] = item;
                    self.tags.push(tag(&self.slots));
                }
                self.slots[slots::ITEM] = Value::Null;
            }
            None => self.tags.push(tag(&self.slots)),
        }
    }

    /// Takes what a source came to; its declaration says what a failure becomes.
    fn settle(&mut self, plan: &mut Plan<'_>, position: usize, started: Instant, came: Came) {
        let mut outcome = match &came {
            Came::Once(result) | Came::Route(result, ..) => {
                result.as_ref().map_or_else(Trouble::word, |taken| taken.how.word())
            }
            Came::Each(results) => of_each(results),
        };
        let name = Arc::clone(&self.request.service.subjects[self.request.route].sources[position]);
        let trouble = self.recorded_trouble(&came);
        let value = match came {
            Came::Once(result) => self.read(position, result, &mut outcome),
            Came::Route(result, calls, tags) => {
                self.tags.extend(tags);
                self.calls.extend(calls.into_iter().map(|call| call.within(&name)));
                self.read(position, result, &mut outcome)
            }
            Came::Each(results) => {
                // An item that does not exist is not missing; one that could not be had is.
                let is_missing = |result: &Result<Taken, Trouble>| match result {
                    Ok(taken) => taken.read.is_partial,
                    Err(trouble) => *trouble != Trouble::NotFound,
                };
                let is_partial = results.iter().any(is_missing);
                self.items(position, results).and_then(|value| self.listed(position, value, is_partial, &mut outcome))
            }
        };
        let elapsed = started.elapsed();
        let record = self.record(position, started, trouble.as_ref(), &value);
        self.calls.push(SourceCall { name, elapsed, outcome, record });
        match value {
            Ok(value) => {
                self.slots[slots::FIRST_SOURCE + position] = value;
                plan.settled(position);
            }
            Err(fatal) => plan.failed(position, fatal),
        }
    }

    /// What was wrong, for whoever wants to know more than the log is told.
    fn recorded_trouble(&self, came: &Came) -> Option<Trouble> {
        self.request.service.runtime.recorder.as_ref()?;
        match came {
            Came::Once(result) | Came::Route(result, ..) => result.as_ref().err().cloned(),
            Came::Each(results) => results.iter().find_map(|result| result.as_ref().err().cloned()),
        }
    }

    /// All that is known of a source that has settled, for the same.
    fn record(
        &self,
        position: usize,
        started: Instant,
        trouble: Option<&Trouble>,
        value: &Result<Value, Fatal>,
    ) -> Option<Arc<SourceRecord>> {
        let service = self.request.service;
        service.runtime.recorder.as_ref()?;
        let source = &self.request.planned(position).source;
        Some(Arc::new(SourceRecord {
            started,
            kind: match &source.kind {
                Kind::Http(_) => "http",
                Kind::Route(_) => "route",
                Kind::Value(_) => "value",
                Kind::Chosen(_) => "file",
            },
            place: source.name.place,
            calls: self.request.calls.seen(service, (self.request.route, position)),
            extraction: source.extraction.clone(),
            trouble: trouble.map(Trouble::word),
            declared: trouble.and_then(|trouble| record::declared(&source.outcomes, trouble)),
            is_fatal: value.is_err(),
            value: value.as_ref().cloned().unwrap_or_default(),
        }))
    }

    /// What one answer comes to. If a part of it is missing, or something else stands for it, so is the page's.
    fn read(
        &mut self,
        position: usize,
        result: Result<Taken, Trouble>,
        outcome: &mut &'static str,
    ) -> Result<Value, Fatal> {
        match result {
            Ok(Taken { read: Read { value, is_partial }, digest, .. }) => {
                if is_partial {
                    self.degrade(position);
                }
                // What becomes of a list has another.
                self.digests[position] = digest.filter(|_| self.request.planned(position).source.listing.is_none());
                self.listed(position, value, is_partial, outcome)
            }
            Err(trouble) => self.troubled(position, &trouble),
        }
    }

    /// What stands for a source that is in trouble. It goes the same way as what was to come.
    fn troubled(&mut self, position: usize, trouble: &Trouble) -> Result<Value, Fatal> {
        let source = &self.request.planned(position).source;
        match self.settled(position, trouble) {
            Settled::Whole(value) => Ok(value),
            Settled::Degraded(value) => {
                if !self.is_nobodys(position, trouble) {
                    self.degrade(position);
                }
                // The fallback of a source with `for-each` is that of an item: without a list there are none.
                let value = if source.for_each.is_some() { Value::list(Vec::new()) } else { value };
                Ok(match &source.listing {
                    Some(listing) if !value.is_null() => self.apply(listing, value, true).unwrap_or_default(),
                    Some(_) | None => value,
                })
            }
            Settled::Fatal(fatal) => Err(fatal),
        }
    }

    /// Whether a source is in no other trouble than that nobody asks whose data it would be. A page that goes without it lacks nothing.
    fn is_nobodys(&self, position: usize, trouble: &Trouble) -> bool {
        let is_absence = match trouble {
            // The upstream refuses who says nothing, or knows of nothing by that; or there is nothing to ask it for.
            Trouble::Unauthorized { .. } | Trouble::NotFound => true,
            Trouble::Error { .. } | Trouble::BadRequest => false,
        };
        is_absence && self.request.whose == Whose::Nobodys && self.request.planned(position).personal
    }

    fn degrade(&mut self, position: usize) {
        let name = &self.request.service.subjects[self.request.route].sources[position];
        if !self.degraded.contains(name) {
            self.degraded.push(Arc::clone(name));
        }
    }

    /// The list of what a source came to for each item, in their order. One that is omitted is left out; if several end the
    /// page, the gravest does.
    fn items(&mut self, position: usize, results: Vec<Result<Taken, Trouble>>) -> Result<Value, Fatal> {
        let mut values = Vec::with_capacity(results.len());
        // Of a list that is worked on nobody needs it, nor of what is one person's.
        let is_digested = self.request.planned(position).source.listing.is_none()
            && !self.request.whose.is_one_persons(self.request.route().privacy.is_personal());
        let mut digests = Digester::new("items");
        let mut gravest: Option<Fatal> = None;
        for result in results {
            let settled = |trouble| (self.settled(position, &trouble), self.is_nobodys(position, &trouble));
            let (value, digest) = match result.map_err(settled) {
                Ok(Taken { read: Read { value, is_partial }, digest, .. }) => {
                    if is_partial {
                        self.degrade(position);
                    }
                    (value, digest)
                }
                Err((Settled::Whole(value), _)) => (value, None),
                Err((Settled::Degraded(value), is_nobodys)) => {
                    if !is_nobodys {
                        self.degrade(position);
                    }
                    if value.is_null() {
                        continue;
                    }
                    (value, None)
                }
                Err((Settled::Fatal(fatal), _)) => {
                    if gravest.as_ref().is_none_or(|known| fatal.rank() < known.rank()) {
                        gravest = Some(fatal);
                    }
                    continue;
                }
            };
            if is_digested {
                digests.digest(digest.unwrap_or_else(|| Digest::of(&value)));
            }
            values.push(value);
        }
        self.digests[position] = is_digested.then(|| digests.finish());
        gravest.map_or_else(|| Ok(Value::list(values)), Err)
    }

    /// What this page has of the list that a source gave; of a part of it (`is_partial`) nothing is concluded.
    fn listed(
        &mut self,
        position: usize,
        value: Value,
        is_partial: bool,
        outcome: &mut &'static str,
    ) -> Result<Value, Fatal> {
        let Some(listing) = &self.request.planned(position).source.listing else { return Ok(value) };
        self.apply(listing, value, is_partial).or_else(|absent| {
            *outcome = absent.word();
            match absent {
                Absent::NoList | Absent::TooMuchWork => {
                    self.troubled(position, &Trouble::Error { late: false, reason: absent.word() })
                }
                Absent::Empty | Absent::PastTheEnd => Err(Fatal::NotFound),
            }
        })
    }

    fn apply(&self, listing: &Listing<Binding>, value: Value, is_stand_in: bool) -> Result<Value, Absent> {
        let page = &self.slots[slots::PAGE];
        let path = page.get("path").and_then(Value::as_str).unwrap_or_default();
        let url = |name: &str, page: i64| {
            // The first page needs not be said where nothing else is meant by saying nothing.
            let inputs = &self.request.route().inputs;
            let is_default = |input: &QueryInput| *input.name == *name && input.default.is_null() && page == 1;
            let page = if inputs.query.iter().any(is_default) { Value::Null } else { Value::Int(page) };
            inputs.target(path, &self.slots[slots::QUERY], (name, &page))
        };
        let is_long = listing.items_looked_at(&value) > MANY;
        let surroundings = Surroundings { slots: &self.slots, context: self.request.context, url: &url };
        let work = || listing.apply(value, surroundings, is_stand_in);
        if is_long { aside::long(work) } else { work() }
    }

    /// What the source declares about its trouble; said to the log if nothing is declared.
    fn settled(&self, position: usize, trouble: &Trouble) -> Settled {
        let source = &self.request.planned(position).source;
        let (name, route) = (source.name.value.as_str(), &*self.request.route().name);
        let settled = source.outcomes.settle(trouble, &self.slots);
        match (trouble, &settled) {
            (Trouble::NotFound | Trouble::BadRequest, _) => {
                tracing::debug!(source = name, route, trouble = trouble.word(), "nothing is had of a source");
            }
            (_, Settled::Degraded(_)) if self.is_nobodys(position, trouble) => {
                tracing::debug!(source = name, route, trouble = trouble.word(), "nobody asks for a person's source");
            }
            (_, Settled::Degraded(_)) => {
                tracing::warn!(source = name, route, trouble = trouble.word(), "a page does without a source");
            }
            (_, Settled::Whole(_) | Settled::Fatal(_)) => {
                tracing::warn!(source = name, route, trouble = trouble.word(), "a source failed");
            }
        }
        settled
    }

    fn holds(&self, rule: &Rule) -> bool {
        let value = |slot: &Option<usize>| slot.and_then(|slot| self.slots.get(slot)).unwrap_or(&NULL);
        let roots: Vec<&Value> = rule.slots.iter().map(value).collect();
        rule.condition.holds(&roots, self.request.context)
    }
}
