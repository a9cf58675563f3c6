//! A route of the same site asked in process: its inputs, its sources and rules, its value. No socket, no bytes.
//!
//! It is the same route as for a visitor: values that fit no type are its 404, its outcomes are the trouble of the source that
//! asks, and what of its data is degraded degrades the page.

use super::gather::{Gathered, Request};
use super::inputs::{Inputs, Misfit};
use super::make::describe;
use super::plan::Ending;
use crate::config::Binding;
use crate::resource::Resource;
use crate::router::Routing;
use crate::site::{Route, Then};
use crate::source::{Fatal, InProcess, Trouble, trouble_of_no_call};
use crate::value::Value;
use http::StatusCode;
use std::time::Instant;

/// The value of a route, and whether something else stands for a part of it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) degraded: bool,
}

const fn error(reason: &'static str) -> Trouble {
    Trouble::Error { late: false, reason }
}

impl Request<'_> {
    /// The data that a request for what `asking` names begins with; `slots` is that of the request that asks.
    pub(super) fn enter(self, asking: &InProcess<Binding>, slots: &[Value]) -> Result<(Self, Vec<Value>), Trouble> {
        let target = asking.target(slots).map_err(trouble_of_no_call)?;
        let position = asking.asked.route;
        let routers = &self.service.site.routers;
        let host = self.service.site.routes.get(position).and_then(|route| route.hosts.first()).map(|host| &**host);
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
        let (Some(route), Some(subject)) =
            (self.service.site.routes.get(position), self.service.subjects.get(position))
        else {
            return Err(error("no-route"));
        };
        let inputs = Inputs::read(route, &matched, self.visitor).map_err(|misfit| match misfit {
            Misfit::NotFound => Trouble::NotFound,
            Misfit::BadRequest => error("bad-request"),
        })?;
        let deadline = self.deadline.min(Instant::now() + route.deadline);
        let slots = inputs.slots(route, subject, &self.service.site);
        Ok((Self { route: position, deadline, ..self }, slots))
    }

    /// What the route answers.
    pub(super) async fn answered(self, slots: Vec<Value>) -> Result<Answered, Trouble> {
        let route = self.route();
        let Gathered { mut slots, ending, degraded, .. } = self.gather(slots).await;
        match ending {
            Ending::Complete => {}
            Ending::Rule(rule) => return Err(ruled(route.rules.get(rule).map(|rule| &rule.then))),
            Ending::Failed(_, fatal) => return Err(failed(&fatal)),
        }
        if !route.status.is_success() {
            return Err(of_status(route.status));
        }
        describe(route, &mut slots);
        let value = value(route, &slots)?;
        Ok(Answered { value, degraded: !degraded.is_empty() })
    }
}

fn value(route: &Route, slots: &[Value]) -> Result<Value, Trouble> {
    match &route.resource {
        Resource::Json(json) => json.shape.value(slots).map_err(|_not_text| error("not-text")),
        Resource::Page(_) | Resource::Document(_) | Resource::Tree(_) | Resource::Files(_) | Resource::Redirect(_) => {
            Err(error("no-json"))
        }
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
