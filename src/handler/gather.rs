//! The data of one request: every source starts as soon as those that it mentions have settled, under one deadline.
//!
//! Rules are decided first to last, each once its sources have settled, and the first that holds ends the request. A source
//! that ends the page lets the others settle, so that which failure wins depends on their kinds and names alone, never on
//! which was faster: unauthorized, then not-found, then fail, then the order of names.
//!
//! Equal calls are made once per request; if nothing personal is in them, also once for all requests that wait for them.

use super::runtime::Service;
use crate::cache::{Empty, Filled, Landing};
use crate::config::Binding;
use crate::render::Context;
use crate::site::{Route, Rule, Then, slots};
use crate::source::{
    self, AnswerLimits, Fatal, Http, Kind, Outcomes, Settled, Trouble, identity, trouble_of, trouble_of_no_call,
};
use crate::upstream::Call;
use crate::value::{NULL, Value};
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::HeaderMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a call brought: the value and the bytes it came in.
pub(super) type Fetched = Result<(Value, usize), Trouble>;

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

/// What gathering came to.
pub(super) enum Gathered<'r> {
    /// The data is there; `degraded` if something else stands for some of it.
    Data { slots: Vec<Value>, degraded: bool },
    /// A rule holds; `degraded` as above, for it may hold only because something else stands for the data.
    Ruled { slots: Vec<Value>, then: &'r Then, degraded: bool },
    /// A source ends the page.
    Ended(Fatal),
}

/// Gathers the data of a request whose inputs are in `slots`.
pub(super) async fn gather<'r>(
    service: &Arc<Service>,
    route: &'r Route,
    slots: Vec<Value>,
    visitor: &HeaderMap,
    context: &Context<'_>,
    deadline: Instant,
) -> (Gathered<'r>, Vec<SourceCall>) {
    let mut gathering = Gathering {
        service,
        route,
        slots,
        states: route.sources.iter().map(|_| State::Waiting).collect(),
        memo: Vec::new(),
        calls: Vec::new(),
        degraded: false,
        undecided: &route.rules,
    };
    let gathered = gathering.run(visitor, context, deadline).await;
    (gathered, gathering.calls)
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Running,
    Settled,
    Ended(Fatal),
}

struct Gathering<'g, 'r> {
    service: &'g Arc<Service>,
    route: &'r Route,
    slots: Vec<Value>,
    states: Vec<State>,
    /// Calls of this request by their identity.
    memo: Vec<(Arc<[u8]>, Shared<BoxFuture<'static, Arc<Fetched>>>)>,
    calls: Vec<SourceCall>,
    degraded: bool,
    undecided: &'r [Rule],
}

/// How a started source went.
struct Ran {
    position: usize,
    started: Instant,
    outcome: Result<Value, Trouble>,
}

impl<'r> Gathering<'_, 'r> {
    async fn run(&mut self, visitor: &HeaderMap, context: &Context<'_>, deadline: Instant) -> Gathered<'r> {
        let mut running: FuturesUnordered<BoxFuture<'static, Ran>> = FuturesUnordered::new();
        loop {
            if let Some(then) = self.decide(context) {
                return Gathered::Ruled { slots: std::mem::take(&mut self.slots), then, degraded: self.degraded };
            }
            self.start(visitor, &mut running, deadline);
            if running.is_empty() {
                // Values that stand in the declaration settle as they start, and may let others start, or rules be decided.
                if self.states.iter().enumerate().any(|(at, state)| *state == State::Waiting && self.is_ready(at)) {
                    continue;
                }
                break;
            }
            match tokio::time::timeout_at(deadline.into(), running.next()).await {
                Ok(Some(ran)) => self.settle(ran),
                Ok(None) => {}
                Err(_elapsed) => {
                    drop(std::mem::take(&mut running));
                    self.out_of_time();
                }
            }
        }
        if let Some(then) = self.decide(context) {
            return Gathered::Ruled { slots: std::mem::take(&mut self.slots), then, degraded: self.degraded };
        }
        let fatal =
            self.states.iter().filter_map(|state| if let State::Ended(fatal) = state { Some(fatal) } else { None });
        // Positions are in the order of names, and the first of equals is taken.
        match fatal.min_by_key(|fatal| fatal.rank()) {
            Some(fatal) => Gathered::Ended(fatal.clone()),
            None => Gathered::Data { slots: std::mem::take(&mut self.slots), degraded: self.degraded },
        }
    }

    /// The first rule that holds, of those that can be decided.
    fn decide(&mut self, context: &Context<'_>) -> Option<&'r Then> {
        while let Some((rule, rest)) = self.undecided.split_first() {
            let target: &[usize] = if let Then::Redirect { after, .. } = &rule.then { after } else { &[] };
            let settled = |at: &usize| self.states.get(*at) == Some(&State::Settled);
            if !rule.after.iter().all(settled) {
                return None;
            }
            let value = |slot: &Option<usize>| slot.and_then(|slot| self.slots.get(slot)).unwrap_or(&NULL);
            let roots: Vec<&Value> = rule.slots.iter().map(value).collect();
            if rule.condition.holds(&roots, context) {
                let layout = matches!(rule.then, Then::Layout { .. });
                let ready =
                    target.iter().all(settled) && (!layout || self.states.iter().all(|state| *state == State::Settled));
                return ready.then_some(&rule.then);
            }
            self.undecided = rest;
        }
        None
    }

    fn is_ready(&self, at: usize) -> bool {
        let settled = |other: &usize| self.states.get(*other) == Some(&State::Settled);
        self.route.sources.get(at).is_some_and(|planned| planned.after.iter().all(settled))
    }

    /// Starts every source that can start.
    fn start(
        &mut self,
        visitor: &HeaderMap,
        running: &mut FuturesUnordered<BoxFuture<'static, Ran>>,
        deadline: Instant,
    ) {
        for at in 0..self.states.len() {
            if self.states[at] != State::Waiting || !self.is_ready(at) {
                continue;
            }
            let Some(planned) = self.route.sources.get(at) else { continue };
            let started = Instant::now();
            match &planned.source.kind {
                Kind::Value(shape) => {
                    let not_text = Trouble::Error { late: false, reason: "not-text" };
                    let value = shape.value(&self.slots).map_err(|_not_text| not_text);
                    let outcome = value.and_then(|value| planned.source.extract(&value, 0));
                    self.settle(Ran { position: at, started, outcome });
                }
                Kind::Http(http) => match self.call(http, visitor) {
                    Err(trouble) => self.settle(Ran { position: at, started, outcome: Err(trouble) }),
                    Ok(call) => {
                        let fetched = self.fetch(call, http, planned.personal, deadline);
                        let source = planned.source.clone();
                        self.states[at] = State::Running;
                        running.push(
                            async move {
                                let fetched = fetched.await;
                                let outcome = match &*fetched {
                                    Ok((value, bytes)) => source.extract(value, *bytes),
                                    Err(trouble) => Err(trouble.clone()),
                                };
                                Ran { position: at, started, outcome }
                            }
                            .boxed(),
                        );
                    }
                },
            }
        }
    }

    fn call(&self, http: &Http<Binding>, visitor: &HeaderMap) -> Result<Call, Trouble> {
        let unknown = Trouble::Error { late: false, reason: "no-upstream" };
        let upstream = self.service.site.upstreams.get(http.upstream).ok_or(unknown)?;
        http.call(upstream, &self.slots, visitor, self.limits()).map_err(trouble_of_no_call)
    }

    fn limits(&self) -> AnswerLimits {
        self.service.site.settings.limits.answer
    }

    /// The answer to a call: that of an equal call of this request, or of another request, or its own.
    fn fetch(
        &mut self,
        call: Call,
        http: &Http<Binding>,
        personal: bool,
        deadline: Instant,
    ) -> Shared<BoxFuture<'static, Arc<Fetched>>> {
        let identity: Arc<[u8]> = identity(&call).into();
        if let Some((_, shared)) = self.memo.iter().find(|(known, _)| **known == *identity) {
            return shared.clone();
        }
        let service = Arc::clone(self.service);
        let http = http.clone();
        let limits = self.limits();
        let key = Arc::clone(&identity);
        let future = async move {
            if personal {
                return Arc::new(fetch(&service, &call, &http, limits, deadline).await);
            }
            let total = call.timeouts.total;
            let flights = service.runtime.calls.clone();
            let fill = async move {
                // Others may have come later and wait longer than the first: the call has its own time.
                let end = Instant::now() + call.timeouts.total;
                Filled::Shared(Arc::new(fetch(&service, &call, &http, limits, end).await))
            };
            let error = |late, reason| Arc::new(Err(Trouble::Error { late, reason }));
            match flights.fly(key, total + Duration::from_secs(1), || None, fill).await {
                Landing::Shared(fetched) | Landing::Private(fetched) => fetched,
                Landing::Nothing(Empty::TimedOut) => error(true, "timeout"),
                Landing::Nothing(Empty::Private | Empty::Panicked | Empty::Stopped) => error(false, "interrupted"),
            }
        };
        let shared = future.boxed().shared();
        self.memo.push((identity, shared.clone()));
        shared
    }

    /// Takes note of how a source went.
    fn settle(&mut self, ran: Ran) {
        let Ran { position, started, outcome } = ran;
        let Some(planned) = self.route.sources.get(position) else { return };
        let word = outcome.as_ref().map_or_else(Trouble::word, |_| "ok");
        self.calls.push(SourceCall {
            name: planned.source.name.value.as_str().into(),
            elapsed: started.elapsed(),
            outcome: word,
        });
        let settled = match outcome {
            Ok(value) => Settled::Whole(value),
            Err(trouble) => {
                report(&planned.source.name.value, &self.route.name, &trouble, &planned.source.outcomes);
                planned.source.outcomes.settle(&trouble, &self.slots)
            }
        };
        let (state, value) = match settled {
            Settled::Whole(value) => (State::Settled, value),
            Settled::Degraded(value) => {
                self.degraded = true;
                (State::Settled, value)
            }
            Settled::Fatal(fatal) => (State::Ended(fatal), Value::Null),
        };
        self.states[position] = state;
        if let Some(slot) = self.slots.get_mut(slots::FIRST_SOURCE + position) {
            *slot = value;
        }
    }

    /// What has not settled when the deadline passes has failed for want of time.
    fn out_of_time(&mut self) {
        for position in 0..self.states.len() {
            if matches!(self.states[position], State::Running | State::Waiting) {
                let trouble = Trouble::Error { late: true, reason: "deadline" };
                self.settle(Ran { position, started: Instant::now(), outcome: Err(trouble) });
            }
        }
    }
}

/// Calls, and reads what comes.
async fn fetch(
    service: &Arc<Service>,
    call: &Call,
    http: &Http<Binding>,
    limits: AnswerLimits,
    end: Instant,
) -> Fetched {
    let unknown = Trouble::Error { late: false, reason: "no-upstream" };
    let upstream = service.upstreams.get(http.upstream).ok_or(unknown)?;
    let answer = service.runtime.client.fetch(call, upstream, end).await.map_err(trouble_of)?;
    // The answer is dropped here: a large one holds a place that others wait for.
    http.read(&answer, limits).map(|value| (value, answer.body.len()))
}

fn report(source: &str, route: &str, trouble: &Trouble, outcomes: &Outcomes<Binding>) {
    let declared = matches!(trouble, Trouble::NotFound) || outcomes.on_error != source::OnError::Fail;
    if declared {
        tracing::debug!(source, route, trouble = trouble.word(), "a source is not as usual");
    } else {
        tracing::warn!(source, route, trouble = trouble.word(), "a source failed");
    }
}
