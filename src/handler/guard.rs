//! Who asks, and whether the guards of the matched route let them in: before the query is judged, before anything stored is looked for, before
//! any source but the guard's own is asked.
//!
//! A request comes here once it has led to a route, whatever its method, and goes no other way to anything that the route answers. What is
//! answered behind a guard is not for caches on the way, which is held here for every kind of route.

use super::fetch::Calls;
use super::fill::Begun;
use super::gather::{Request, Whose};
use super::identity::{self, Who};
use super::inputs::Inputs;
use super::respond::{self, Exchange};
use super::runtime::{Service, Subject};
use super::{Answer, failure};
use crate::config::{Binding, Template};
use crate::fields::{CacheControl, Scope};
use crate::resource::{Guard, Knowing, Refusal, Resource};
use crate::router::Match;
use crate::site::{Credentials, Identities, Route, slots};
use crate::source::{Trouble, encode_segment};
use crate::value::Value;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Whoever asks, as far as the route wants to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    /// The claims; null for nobody.
    pub(super) user: Value,
    /// The sources that guards have asked, by position, and their values: they are not asked again.
    pub(super) sources: Vec<(usize, Value)>,
}

/// Why somebody is not let in.
pub(super) enum Refused<'g> {
    /// It is not known who that is; these are the ways to say so.
    Unauthorized(&'g Guard, Option<identity::Refused>),
    /// It is known, and not enough.
    Forbidden(&'g Guard),
    /// It cannot be found out now; perhaps after this time.
    Unavailable(Duration),
}

/// What is known of a request when its guards are asked.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) service: &'a Arc<Service>,
    /// The position of the route.
    pub(super) position: usize,
    pub(super) matched: &'a Match<'a, 'a, usize>,
    pub(super) fields: &'a HeaderMap,
    pub(super) wall: SystemTime,
    /// When nothing is waited for any more.
    pub(super) deadline: Instant,
    /// The request's id, for the messages.
    pub(super) id: &'a Arc<str>,
}

/// Whether it has to be found out who asks before `route` can answer a request with these fields.
pub(super) fn is_asked(route: &Route, fields: &HeaderMap) -> bool {
    !route.guards.is_empty() || (route.inputs.user && route.known_by.is_in(fields))
}

impl<'a> Asking<'a> {
    /// Who asks, if the guards let them in; on a route without guards, anybody.
    pub(super) async fn admit(self) -> Result<Visitor, Refused<'a>> {
        let route = self.route();
        let mut visitor = Visitor::default();
        let mut asked: Vec<(Identities, Who)> = Vec::new();
        for guard in &route.guards {
            let who = match &guard.by {
                Knowing::Identities(among) => {
                    let among = *among;
                    let known = asked.iter().find(|(known, _)| *known == among).map(|(_, who)| who.clone());
                    match known {
                        Some(who) => who,
                        None => {
                            let who = identity::who(self.service, self.fields, among, self.deadline).await;
                            asked.push((among, who.clone()));
                            who
                        }
                    }
                }
                Knowing::Source(at) => match visitor.sources.iter().find(|(known, _)| known == at) {
                    Some((_, user)) => Who::User(user.clone()),
                    None => self.ask(*at, guard).await?.unwrap_or(Who::Nobody { refused: None }),
                },
            };
            let user = match who {
                Who::User(user) => user,
                Who::Nobody { refused } => return Err(Refused::Unauthorized(guard, refused)),
                Who::Unavailable { retry_after } => return Err(Refused::Unavailable(retry_after)),
            };
            if !guard.admits(&user) {
                return Err(Refused::Forbidden(guard));
            }
            if let Knowing::Source(at) = guard.by
                && visitor.sources.iter().all(|(known, _)| *known != at)
            {
                visitor.sources.push((at, user.clone()));
            }
            visitor.user = user;
        }
        if route.guards.is_empty() && route.inputs.user {
            // A page for everybody greets whom it knows. Who cannot be known just now is nobody.
            if let Who::User(user) = identity::who(self.service, self.fields, Identities::ALL, self.deadline).await {
                visitor.user = user;
            }
        }
        Ok(visitor)
    }

    fn route(self) -> &'a Route {
        &self.service.site.routes[self.position]
    }

    fn subject(self) -> &'a Subject {
        &self.service.subjects[self.position]
    }

    /// What the source at this position says to `guard` of who asks; `None` if that is nobody.
    async fn ask(self, at: usize, guard: &'a Guard) -> Result<Option<Who>, Refused<'a>> {
        let Self { service, position, fields, deadline, id, .. } = self;
        let (route, subject) = (self.route(), self.subject());
        let inputs = Inputs::of_path(&service.site, route, self.matched, fields, self.wall);
        if !self.credentials(at).is_some_and(|credentials| credentials.is_in(fields)) {
            // It would be asked with nothing in hand.
            return Ok(None);
        }
        let mut slots = inputs.slots(route, subject, &service.site);
        let visitor = inputs.visitor(route);
        let context = service.context(self.wall);
        let begun = Begun::now(service, subject);
        let calls = Calls::of(&begun, deadline);
        let request = Request {
            service,
            route: position,
            visitor: &visitor,
            whose: Whose::AsDeclared,
            deadline,
            context: &context,
            begun: &begun,
            calls: &calls,
            known: &[],
            id,
        };
        let name = &*route.sources[at].source.name.value;
        match request.one(at, &mut slots).await {
            Ok(Value::Null) | Err(Trouble::NotFound) => Ok(None),
            Ok(user) => Ok(Some(Who::User(user))),
            // Its own answer tells the two apart: who is not known, and who is known and may not.
            Err(Trouble::Unauthorized { status: 403 }) => Err(Refused::Forbidden(guard)),
            Err(Trouble::Unauthorized { .. } | Trouble::BadRequest) => Ok(None),
            Err(trouble @ Trouble::Error { .. }) => {
                tracing::warn!(
                    source = name,
                    route = &*route.name,
                    trouble = trouble.word(),
                    "a guard cannot ask its source"
                );
                Err(Refused::Unavailable(Duration::from_secs(1)))
            }
        }
    }

    /// By what the source at this position knows who asks.
    fn credentials(self, at: usize) -> Option<&'a Credentials> {
        self.route().sources.get(at)?.speaks_for.as_ref()
    }

    /// What the source at this position wants to see. HTTP has no scheme for cookies, and a challenge all the same is what a 401 must have.
    fn challenge(self, at: usize, host: &str) -> HeaderValue {
        let site = self.route().constants.get(slots::SITE).and_then(|site| site.get("name")).and_then(Value::as_str);
        let is_plain = |name: &&str| !name.is_empty() && name.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let realm = site.filter(is_plain).unwrap_or(host);
        let mut challenge = format!("Cookie realm=\"{}\"", realm.replace(['"', '\\'], ""));
        if let Some(name) = self.credentials(at).and_then(|credentials| credentials.cookies.first()) {
            write!(challenge, ", cookie-name=\"{name}\"").unwrap_or_default();
        }
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Cookie"))
    }
}

impl Refused<'_> {
    /// What it is to a source that asks the route in process.
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Unauthorized(..) => Trouble::Unauthorized { status: 401 },
            Self::Forbidden(guard) if matches!(guard.on_forbidden, Refusal::NotFound) => Trouble::NotFound,
            Self::Forbidden(_) => Trouble::Unauthorized { status: 403 },
            Self::Unavailable(_) => Trouble::Error { late: false, reason: "guard" },
        }
    }

    /// The answer.
    pub(super) fn answer(&self, asking: Asking<'_>, exchange: Exchange<'_>) -> Answer {
        let service = asking.service;
        match self {
            Self::Unauthorized(guard, refused) => {
                if let Some(answer) = elsewhere(&guard.on_unauthorized, asking, exchange) {
                    return answer;
                }
                let mut answer = failure::answer(service, exchange, StatusCode::UNAUTHORIZED);
                let host = exchange.request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
                let (host, fields) = (host.unwrap_or_default(), answer.response.headers_mut());
                match &guard.by {
                    Knowing::Identities(among) => {
                        identity::challenges(service, refused.as_ref(), *among, host, fields);
                    }
                    Knowing::Source(at) => fields.extend([(header::WWW_AUTHENTICATE, asking.challenge(*at, host))]),
                }
                answer
            }
            Self::Forbidden(guard) => elsewhere(&guard.on_forbidden, asking, exchange).unwrap_or_else(|| {
                let is_hidden = matches!(guard.on_forbidden, Refusal::NotFound);
                let status = if is_hidden { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
                failure::answer(service, exchange, status)
            }),
            Self::Unavailable(after) => {
                let mut answer = failure::answer(service, exchange, StatusCode::SERVICE_UNAVAILABLE);
                let after = HeaderValue::from(after.as_secs().max(1));
                answer.response.headers_mut().insert(header::RETRY_AFTER, after);
                answer
            }
        }
    }
}

/// The answer that sends a visitor elsewhere, if that is declared. Programs have no use for a page to sign in.
fn elsewhere(refusal: &Refusal<Binding>, asking: Asking<'_>, exchange: Exchange<'_>) -> Option<Answer> {
    let Refusal::Redirect { target, next } = refusal else { return None };
    if matches!(asking.route().resource, Resource::Json(_)) {
        return None;
    }
    let location = location(target, next.as_deref(), asking, exchange)?;
    if respond::leads_to_itself(asking.service, &location, exchange.request) {
        return None;
    }
    let is_read = matches!(exchange.request.method, Method::GET | Method::HEAD);
    let status = if is_read { StatusCode::FOUND } else { StatusCode::SEE_OTHER };
    let mut answer = respond::redirect(status, &location, exchange);
    let fields = answer.response.headers_mut();
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Some(answer)
}

/// As much of what was asked for is told to the page to sign in.
const MOST_NEXT: usize = 2_000;

fn location(
    target: &Template<Binding>,
    next: Option<&str>,
    asking: Asking<'_>,
    exchange: Exchange<'_>,
) -> Option<HeaderValue> {
    let Asking { service, matched, fields, .. } = asking;
    let inputs = Inputs::of_path(&service.site, asking.route(), matched, fields, asking.wall);
    let slots = inputs.slots(asking.route(), asking.subject(), &service.site);
    let mut location = target.location(&slots).ok()?;
    if let Some(name) = next {
        let path = matched.path.as_str();
        let query = exchange.request.uri.query().filter(|query| path.len() + query.len() < MOST_NEXT);
        let is_read = matches!(exchange.request.method, Method::GET | Method::HEAD);
        let asked = match query.filter(|_| is_read) {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let fragment = location.find('#').map(|at| location.split_off(at));
        location.push(if location.contains('?') { '&' } else { '?' });
        encode_segment(name, &mut location);
        location.push('=');
        encode_segment(&asked, &mut location);
        location.push_str(fragment.as_deref().unwrap_or_default());
    }
    HeaderValue::from_str(&location).ok()
}

/// What caches on the way obey before `Cache-Control`, or find things by.
const FOR_THE_WAY: [&str; 7] =
    ["surrogate-control", "edge-control", "x-accel-expires", "expires", "cache-tag", "surrogate-key", "edge-cache-tag"];

/// Holds what is answered behind a guard to whoever asked: caches on the way ask no guard.
pub(super) fn keep_for_one(fields: &mut HeaderMap) {
    let said = CacheControl::parse(fields.get_all(header::CACHE_CONTROL).iter().map(HeaderValue::as_bytes));
    let is_for_one = said.private == Some(Scope::Response) || (said.no_store && !said.must_understand);
    if !is_for_one {
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    leave_out_the_way(fields);
}

/// Takes away what caches on the way obey before `Cache-Control`, or find things by.
pub(super) fn leave_out_the_way(fields: &mut HeaderMap) {
    let is_for_the_way = |name: &HeaderName| {
        let name = name.as_str();
        name.ends_with("cdn-cache-control") || FOR_THE_WAY.contains(&name)
    };
    for name in fields.keys().filter(|name| is_for_the_way(name)).cloned().collect::<Vec<_>>() {
        fields.remove(name);
    }
}
