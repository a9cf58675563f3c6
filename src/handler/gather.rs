//! Runs the sources of a route under one deadline: the data of a request, or why it cannot be had.
//!
//! What runs when is decided in `plan`; calls are made in `fetch`; what a failure becomes is declared by each source. All of it
//! is one task, whatever the number of sources.

use super::fetch::{self, Caller, Calls, Fetching};
use super::plan::{Ending, Next, Plan};
use super::runtime::Service;
use crate::cache::Epoch;
use crate::config::Binding;
use crate::render::Context;
use crate::site::{Planned, QueryInput, Route, Rule, slots};
use crate::source::{Absent, Asked, Fatal, Kind, Listing, OnError, Settled, Trouble};
use crate::value::{NULL, Value};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
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
    /// When no source is waited for any more.
    pub(super) deadline: Instant,
    /// What conditions are decided with.
    pub(super) context: &'g Context<'g>,
    /// Within which calls may be shared.
    pub(super) epoch: Epoch,
}

/// What becomes of a source that is not there when the request gives up.
const LATE: Trouble = Trouble::Error { late: true, reason: "deadline" };

/// How one source went, for the log.
#[derive(Debug, Clone)]
pub struct SourceCall {
    /// Its name.
    pub name: Arc<str>,
    /// From its start to its settling.
    pub elapsed: Duration,
    /// `ok`, or what was wrong.
    pub outcome: &'static str,
}

/// What was gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The data.
    pub(super) slots: Vec<Value>,
    /// How it ended.
    pub(super) ending: Ending,
    /// Whether something else stands for a source that could not be had.
    pub(super) degraded: bool,
    /// The sources that were asked, in the order in which they settled.
    pub(super) calls: Vec<SourceCall>,
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
        let mut calls = Calls::default();
        let mut data = Data { request: self, slots, degraded: false, calls: Vec::new() };
        let ending = loop {
            let begin = match plan.next(|rule| data.holds(&self.route().rules[rule])) {
                Next::End(ending) => break ending,
                Next::Run(begin) => begin,
            };
            let mut settled_at_once = false;
            for position in begin {
                let started = Instant::now();
                match self.begin(position, started, &mut calls, &data.slots) {
                    Begun::Settled(result) => {
                        data.settle(&mut plan, position, started, result);
                        settled_at_once = true;
                    }
                    Begun::Calling(fetching) => {
                        running.push(async move { (position, started, self.wait(position, fetching).await) });
                    }
                }
            }
            if settled_at_once {
                continue;
            }
            match running.next().await {
                Some((position, started, result)) => data.settle(&mut plan, position, started, result),
                // Whatever is wanted runs, or waits for what runs.
                None => break Ending::Complete,
            }
        };
        let Data { slots, degraded, calls, .. } = data;
        Gathered { slots, ending, degraded, calls }
    }

    fn begin(self, position: usize, now: Instant, calls: &mut Calls, slots: &[Value]) -> Begun {
        let source = &self.planned(position).source;
        match &source.kind {
            Kind::Value(shape) => {
                let value = shape.value(slots).map_err(|_not_text| Trouble::Error { late: false, reason: "not-text" });
                Begun::Settled(value.and_then(|value| source.extract(&value, 0)))
            }
            Kind::Chosen(chosen) => Begun::Settled(chosen.value(slots)),
            Kind::Http(_) if now >= self.deadline => Begun::Settled(Err(LATE)),
            Kind::Http(http) => {
                let caller = Caller {
                    service: self.service,
                    route: self.route,
                    source: position,
                    visitor: self.visitor,
                    epoch: self.epoch,
                    deadline: self.deadline,
                };
                match calls.call(caller, http, slots) {
                    Ok(fetching) => Begun::Calling(fetching),
                    Err(trouble) => Begun::Settled(Err(trouble)),
                }
            }
        }
    }

    /// Waits for a call and takes what the source declares from its answer.
    async fn wait(self, position: usize, fetching: Fetching) -> Result<Value, Trouble> {
        let fetched = tokio::time::timeout_at(self.deadline.into(), fetching).await.map_err(|_elapsed| LATE)??;
        fetch::taken(self.service, (self.route, position), fetched).await
    }

    fn planned(self, position: usize) -> &'g Planned {
        &self.route().sources[position]
    }
}

/// A source that was begun.
enum Begun {
    /// It needs nothing from outside, or will not be called.
    Settled(Result<Value, Trouble>),
    /// It is called.
    Calling(Fetching),
}

/// The data so far.
struct Data<'g> {
    request: Request<'g>,
    slots: Vec<Value>,
    degraded: bool,
    calls: Vec<SourceCall>,
}

impl Data<'_> {
    /// Takes what a source came to; its declaration says what a failure becomes.
    fn settle(&mut self, plan: &mut Plan<'_>, position: usize, started: Instant, result: Result<Value, Trouble>) {
        let mut outcome = result.as_ref().map_or_else(Trouble::word, |_value| "ok");
        let settled = match result {
            Ok(value) => self.listed(position, value, &mut outcome),
            Err(trouble) => self.failed(position, &trouble),
        };
        let name = Arc::clone(&self.request.service.subjects[self.request.route].sources[position]);
        self.calls.push(SourceCall { name, elapsed: started.elapsed(), outcome });
        let value = match settled {
            Settled::Whole(value) => value,
            Settled::Degraded(value) => {
                self.degraded = true;
                value
            }
            Settled::Fatal(fatal) => {
                plan.failed(position, fatal);
                return;
            }
        };
        self.slots[slots::FIRST_SOURCE + position] = value;
        plan.settled(position);
    }

    /// What this page has of the list that a source gave.
    fn listed(&self, position: usize, value: Value, outcome: &mut &'static str) -> Settled {
        let Some(listing) = &self.request.planned(position).source.listing else { return Settled::Whole(value) };
        match self.apply(listing, value, false) {
            Ok(value) => Settled::Whole(value),
            Err(absent) => {
                *outcome = absent.word();
                match absent {
                    Absent::NoList => self.failed(position, &Trouble::Error { late: false, reason: absent.word() }),
                    Absent::Empty | Absent::PastTheEnd => Settled::Fatal(Fatal::NotFound),
                }
            }
        }
    }

    /// What the source declares about its trouble. What stands in for it goes the same way as what was to come.
    fn failed(&self, position: usize, trouble: &Trouble) -> Settled {
        let settled = self.settled(position, trouble);
        match (&self.request.planned(position).source.listing, settled) {
            (Some(listing), Settled::Degraded(value)) if !value.is_null() => {
                Settled::Degraded(self.apply(listing, value, true).unwrap_or_default())
            }
            (_, settled) => settled,
        }
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
        listing.apply(value, Asked { slots: &self.slots, context: self.request.context, url: &url }, is_stand_in)
    }

    /// What the source declares about its trouble; said to the log if nothing is declared.
    fn settled(&self, position: usize, trouble: &Trouble) -> Settled {
        let source = &self.request.planned(position).source;
        let (name, route) = (source.name.value.as_str(), &*self.request.route().name);
        if *trouble == Trouble::NotFound || source.outcomes.on_error != OnError::Fail {
            tracing::debug!(source = name, route, trouble = trouble.word(), "a source is not as usual");
        } else {
            tracing::warn!(source = name, route, trouble = trouble.word(), "a source failed");
        }
        source.outcomes.settle(trouble, &self.slots)
    }

    fn holds(&self, rule: &Rule) -> bool {
        let value = |slot: &Option<usize>| slot.and_then(|slot| self.slots.get(slot)).unwrap_or(&NULL);
        let roots: Vec<&Value> = rule.slots.iter().map(value).collect();
        rule.condition.holds(&roots, self.request.context)
    }
}
