//! A route of the same site asked in process: its inputs, its sources and rules, its value. No socket, no bytes.
//!
//! It is the same route as for a visitor: values that fit no type are its 404, its outcomes are the trouble of the source that
//! asks, and what of its data is degraded degrades the page.

use super::clock;
use super::fill::{GRACE, fill, lacking};
use super::gather::{Gathered, LATE, Request, SourceCall, Whose};
use super::guard;
use super::inputs::{Inputs, Misfit};
use super::keep::declared_tags;
use super::make::{Made, Order, describe};
use super::plan::Ending;
use crate::cache::{Stored, Tag, Verdict};
use crate::config::Binding;
use crate::resource::Resource;
use crate::router::Routing;
use crate::site::{Route, Then, slots};
use crate::source::{Fatal, InProcess, Trouble, trouble_of_no_call};
use crate::value::Value;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::StatusCode;
use std::sync::Arc;

/// The value of a route, and whether something else stands for a part of it.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) degraded: bool,
}

/// What a route answers, or what that is to the source that asks.
pub(super) type Answer = Result<Answered, Trouble>;

/// An answer, and how the sources of the route went.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: Answer,
    pub(super) calls: Vec<SourceCall>,
    /// What it depends on that not all answers of the route do.
    pub(super) tags: Vec<Tag>,
}

/// A route that was asked.
pub(super) enum Asking<'g> {
    /// Its answer was stored.
    Known(Value, Vec<Tag>),
    /// It answers.
    Answering(BoxFuture<'g, Asked>),
}

impl Asking<'_> {
    /// It has answered before, and this is what is stored of that.
    fn at_once(answer: Answer, stored: &Stored) -> Self {
        let asked = Asked { answer, calls: Vec::new(), tags: stored.tags().own().to_vec() };
        Self::Answering(std::future::ready(asked).boxed())
    }
}

pub(super) const fn error(reason: &'static str) -> Trouble {
    Trouble::Error { late: false, reason }
}

impl<'g> Request<'g> {
    /// Asks the route that `asking` names; `slots` is the data of the request that asks.
    ///
    /// An answer that may be stored is made once for all who want it, visitors and routes, and stored; so are what is not there, and what
    /// lacks data, for as long as the route says. What is addressed by one person's data may be found in the store, but its address is never
    /// put there.
    pub(super) fn ask(self, asking: &InProcess<Binding>, slots: &[Value]) -> Result<Asking<'g>, Trouble> {
        let target = asking.target(slots).map_err(trouble_of_no_call)?;
        let position = asking.asked.route;
        let service = self.service;
        let routers = &service.site.routers;
        let (Some(route), Some(subject)) = (service.site.routes.get(position), service.subjects.get(position)) else {
            return Err(error("no-route"));
        };
        let host = route.hosts.first().map(|host| &**host);
        let canonical = match routers.route(host, &target) {
            Routing::Redirect { location, .. } => location,
            Routing::Matched(_) | Routing::Misfit(_) | Routing::NotFound | Routing::Server | Routing::BadTarget => {
                target
            }
        };
        let matched = match routers.route(host, &canonical) {
            Routing::Matched(matched) if *matched.route == position => matched,
            // Another route answers where this value stands. It is not the one that was declared, and reads other things.
            Routing::Matched(_) | Routing::Misfit(_) | Routing::NotFound => return Err(Trouble::NotFound),
            Routing::Redirect { .. } | Routing::Server | Routing::BadTarget => return Err(error("bad-target")),
        };
        if guard::is_asked(route, self.visitor) {
            return Ok(Asking::Answering(self.ask_guarded(position, canonical).boxed()));
        }
        let wall = self.context.now.into();
        let inputs =
            Inputs::read(&service.site, route, &matched, self.visitor, wall).map_err(|misfit| match misfit {
                Misfit::NotFound(_) => Trouble::NotFound,
                Misfit::BadRequest(_) => error("bad-request"),
            })?;
        let here = |inputs: &Inputs<'_>| {
            let deadline = self.deadline.min(clock::ticking() + route.deadline);
            let request = Self { route: position, deadline, known: &[], ..self };
            Asking::Answering(request.answered(inputs.slots(route, subject, &service.site)).boxed())
        };
        // The request that asks carries none of what this one takes for a credential, either.
        let variant = if self.whose == Whose::Nobodys { route.variant_for(self.visitor) } else { route.variant(false) };
        if !variant.is_storable() {
            return Ok(here(&inputs));
        }
        let builder = inputs.key(variant, subject);
        let lookup = builder.finish();
        let now = service.runtime.clock.now();
        let found = service.runtime.store.get(lookup);
        if let Some(absent) = found.as_ref().filter(|stored| stored.is_bare())
            && let Verdict::Fresh { ttl, .. } = absent.verdict(now)
        {
            self.calls.is_fresh_until(now + ttl);
            return Ok(Asking::at_once(Err(Trouble::NotFound), absent));
        }
        let mut on_error = None;
        if let Some((stored, data)) = found.as_ref().and_then(|stored| Some((stored, stored.data()?))) {
            match stored.verdict(now) {
                Verdict::Fresh { ttl, .. } => {
                    self.calls.is_fresh_until(now + ttl);
                    return Ok(Asking::Known(data.clone(), stored.tags().own().to_vec()));
                }
                // It could not be made anew a moment ago, and still stands for that error.
                Verdict::Stale { may_serve_on_error: true, .. } if stored.is_resting(now) => {
                    return Ok(Asking::at_once(Ok(Answered { value: data.clone(), degraded: true }), stored));
                }
                Verdict::Stale { may_serve_on_error: true, .. } => on_error = Some(Arc::clone(stored)),
                Verdict::Stale { .. } | Verdict::Expired => {}
            }
        }
        let key = lookup.to_key();
        if let Some((_, stored, Verdict::Fresh { ttl, .. })) = lacking(service, variant, &key, now)
            && let Some(data) = stored.data()
        {
            self.calls.is_fresh_until(now + ttl);
            return Ok(Asking::at_once(Ok(Answered { value: data.clone(), degraded: true }), &stored));
        }
        if self.whose == Whose::OnePersons {
            return Ok(here(&inputs));
        }
        let deadline = clock::ticking() + route.deadline;
        let order = Order {
            route: position,
            is_anonymous: variant.is_anonymous,
            id: Arc::clone(self.id),
            slots: inputs.slots(route, subject, &service.site),
            visitor: inputs.visitor(route),
            time: self.context.now.into(),
            deadline,
            begun: self.begun.clone(),
            tags: inputs.tags(route),
            revision: inputs.revision(route),
            known: Vec::new(),
            copies: None,
            sent: None,
        };
        let end = self.deadline.min(deadline + GRACE);
        let filled = async move {
            let (made, _) = fill(service, key, order, route.deadline, end, on_error.clone()).await;
            if let Some(moment) = made.as_ref().ok().and_then(|made| made.fresh_until) {
                self.calls.is_fresh_until(moment);
            }
            of_made(made, on_error.as_deref())
        };
        Ok(Asking::Answering(filled.boxed()))
    }

    /// The same of a route that has to know who asks: what it answers is a part of this request, and of no other.
    async fn ask_guarded(self, position: usize, target: String) -> Asked {
        let refused = |trouble| Asked { answer: Err(trouble), calls: Vec::new(), tags: Vec::new() };
        let service = self.service;
        let (route, subject) = (&service.site.routes[position], &service.subjects[position]);
        let host = route.hosts.first().map(|host| &**host);
        let Routing::Matched(matched) = service.site.routers.route(host, &target) else {
            return refused(error("bad-target"));
        };
        let deadline = self.deadline.min(clock::ticking() + route.deadline);
        let wall = self.context.now.into();
        let asking =
            guard::Asking { service, position, matched: &matched, fields: self.visitor, wall, deadline, id: self.id };
        let admitted = match asking.admit().await {
            Ok(admitted) => admitted,
            Err(why) => return refused(why.trouble()),
        };
        let inputs = match Inputs::read(&service.site, route, &matched, self.visitor, wall) {
            Ok(inputs) => inputs,
            Err(Misfit::NotFound(_)) => return refused(Trouble::NotFound),
            Err(Misfit::BadRequest(_)) => return refused(error("bad-request")),
        };
        let mut slots = inputs.slots(route, subject, &service.site);
        slots[slots::USER] = admitted.user;
        Request { route: position, deadline, known: &admitted.sources, ..self }.answered(slots).await
    }

    /// What the route answers, as a part of this request.
    async fn answered(self, slots: Vec<Value>) -> Asked {
        let route = self.route();
        let Gathered { mut slots, ending, degraded, calls, mut tags, .. } = self.gather(slots).await;
        tags.extend(declared_tags(route, &slots));
        let answer = match trouble(route, &ending) {
            Some(trouble) => Err(trouble),
            None => {
                describe(route, &mut slots);
                value(route, &slots).map(|value| Answered { value, degraded: !degraded.is_empty() })
            }
        };
        Asked { answer, calls, tags }
    }
}

/// What was made for all who want it. A stale answer stands for an error, if there is one; then the page is without the new one.
fn of_made(made: Result<Arc<Made>, StatusCode>, on_error: Option<&Stored>) -> Asked {
    let has_failed = made.as_ref().map_or(true, |made| made.has_failed());
    let (answer, calls, tags) = match made {
        Ok(made) => (made.answer.clone().unwrap_or(Err(error("no-json"))), made.calls.clone(), made.tags.clone()),
        Err(StatusCode::GATEWAY_TIMEOUT) => (Err(LATE), Vec::new(), Vec::new()),
        Err(_) => (Err(error("broken-off")), Vec::new(), Vec::new()),
    };
    let stale = on_error.filter(|_| has_failed).and_then(|stored| Some((stored, stored.data()?)));
    match stale {
        Some((stored, value)) => {
            let answer = Ok(Answered { value: value.clone(), degraded: true });
            Asked { answer, calls, tags: stored.tags().own().to_vec() }
        }
        None => Asked { answer, calls, tags },
    }
}

/// Why a route that was gathered like this has no answer for a source that asks, if it has none.
pub(super) fn trouble(route: &Route, ending: &Ending) -> Option<Trouble> {
    match ending {
        Ending::Complete if route.status.is_success() => None,
        Ending::Complete => Some(of_status(route.status)),
        Ending::Rule(rule) => Some(ruled(route.rules.get(*rule).map(|rule| &rule.then))),
        Ending::Failed(_, fatal) => Some(failed(fatal)),
    }
}

fn value(route: &Route, slots: &[Value]) -> Result<Value, Trouble> {
    match &route.resource {
        Resource::Json(json) => json.shape.value(slots).map_err(|_not_text| error("not-text")),
        Resource::Page(_)
        | Resource::Document(_)
        | Resource::Tree(_)
        | Resource::Files(_)
        | Resource::Redirect(_)
        | Resource::Proxy(_) => Err(error("no-json")),
    }
}

fn ruled(then: Option<&Then>) -> Trouble {
    match then {
        Some(Then::Status(status)) => of_status(*status),
        Some(Then::Redirect { .. }) => error("redirect"),
        Some(Then::Layout { .. }) | None => error("no-json"),
    }
}

fn of_status(status: StatusCode) -> Trouble {
    match status.as_u16() {
        404 | 410 => Trouble::NotFound,
        status @ (401 | 403) => Trouble::Unauthorized { status },
        500..=599 => error("route-5xx"),
        _ => error("unexpected-status"),
    }
}

fn failed(fatal: &Fatal) -> Trouble {
    match fatal {
        Fatal::Unauthorized { status } => Trouble::Unauthorized { status: *status },
        // It would have sent the visitor to where a credential is had.
        Fatal::Redirect { .. } => Trouble::Unauthorized { status: 401 },
        Fatal::BadRequest => Trouble::BadRequest,
        Fatal::NotFound => Trouble::NotFound,
        Fatal::Fail { late } => Trouble::Error { late: *late, reason: "route-failed" },
    }
}
