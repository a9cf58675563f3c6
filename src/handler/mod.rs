//! One request: match, inputs, stored, gather, represent, precondition, respond.
//!
//! [`handle`] reads like that list, and [`explain()`] tells by the same functions what it would do. Each step is a file and hands a type to the next; no step reaches back; every error ends in
//! `failure`. The site and the service are taken once, when the request arrives, and are the same to its end.
//!
//! It knows nothing of sockets and listeners: a request's head and the moment of its arrival come in, a response goes out.

mod aside;
mod ask;
mod asset;
mod body;
mod clock;
mod cookies;
mod decide;
mod explain;
mod failure;
mod fetch;
mod field;
mod fill;
mod form;
mod gather;
mod guard;
mod identity;
mod inputs;
mod invalidate;
mod keep;
mod kept;
mod lookout;
mod make;
mod meter;
mod page;
mod plan;
mod proxy;
mod rate;
mod record;
mod repeat;
mod respond;
mod runtime;
mod sum;

pub use asset::FILES_KEPT;
pub use body::{Body, FilePart, RequestBody, RequestBodyFault};
pub use clock::{Clock, SteppedClock};
pub use explain::explain;
pub use gather::SourceCall;
pub use meter::{
    CacheOutcome, Counter, Histogram, KeptOutcome, Meters, RouteMeter, STATUS_CLASSES, SourceMeter, Tally,
};
pub use record::{CallRecord, Reply, Seen, SourceRecord};
pub use runtime::{Runtime, Service};

use crate::resource::{Folder, Resource};
use crate::router::{Match, Methods};
use crate::site::Route;
use asset::AssetRequest;
use decide::{Decision, Found, Refusal, decide};
use guard::Visitor;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use inputs::{Inputs, Misfit};
use respond::Exchange;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// When and how a request arrived.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// When, by the machine's clock: what waits for it counts from here.
    pub began: Instant,
    /// When, by the [clock](Clock) of the runtime: what is stored is judged at this moment.
    pub now: Instant,
    /// The same by the calendar.
    pub wall: SystemTime,
    /// The request's id, as error pages show it: nothing that needs escaping.
    pub id: &'a (dyn fmt::Display + Send + Sync),
    /// The other end of the connection that it came by.
    pub peer: Option<IpAddr>,
    /// Whether it came to a listener that only this machine reaches.
    pub is_loopback: bool,
    /// Whoever sent it.
    pub client: &'a (dyn Client + Send + Sync),
}

/// Whoever sent a request, as far as a handler has to do with it.
pub trait Client {
    /// Ends the exchange when the client is gone, by dropping what is being done for it. Otherwise what was begun is finished for others.
    fn watch(&self);
}

/// Nobody, where a request is only thought of.
impl Client for () {
    fn watch(&self) {}
}

/// A response, and what the log says about how it was made.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: Response<Body>,
    /// The route that answered.
    pub route: Option<Arc<str>>,
    /// Its position in the site.
    pub position: Option<usize>,
    /// What the page store did, if it was asked.
    pub cache: Option<CacheOutcome>,
    /// The sources that ran for it.
    pub sources: Vec<SourceCall>,
}

/// How a request is answered.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large one, and a box for each would be what this spares"
)]
pub enum Handled<'h> {
    /// It is: what it asks for was at hand.
    Now(Answer),
    /// Once something has been waited for. In memory of its own, because few requests come to this, and it takes much.
    Later(Pin<Box<dyn Future<Output = Answer> + Send + 'h>>),
}

impl Handled<'_> {
    /// The answer.
    pub async fn answer(self) -> Answer {
        match self {
            Self::Now(answer) => answer,
            Self::Later(answer) => answer.await,
        }
    }
}

/// Answers one request.
///
/// Its extensions hold hyper's `OnUpgrade` if it may be given another protocol; whoever takes a clone of it and answers 101 has the connection.
pub fn handle<'h, B: RequestBody>(
    service: &'h Arc<Service>,
    request: &'h Parts,
    body: B,
    arrival: &'h Arrival<'h>,
) -> Handled<'h> {
    let decision = decide(service, request, arrival.is_loopback);
    if decision.found().is_some_and(|found| guard::is_asked(found.route, &request.headers)) {
        return Handled::Later(Box::pin(answer_behind_guards(service, decision, request, body, arrival)));
    }
    if let Decision::Route(found) = &decision
        && !form::is_sent(found.route, request)
        && let Some(answer) = at_hand(service, found, request, arrival)
    {
        return Handled::Now(answer);
    }
    Handled::Later(admitted(service, decision, Visitor::default(), request, body, arrival))
}

/// The same of a request that has led to a route and is let in, or of one that has led nowhere.
fn admitted<'h, B: RequestBody>(
    service: &'h Arc<Service>,
    decision: Decision<'h>,
    visitor: Visitor,
    request: &'h Parts,
    body: B,
    arrival: &'h Arrival<'h>,
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'h>> {
    if let Decision::Route(Found { position, route, matched }) = &decision
        && matches!(route.resource, Resource::Proxy(_))
    {
        let exchange = Exchange { request, route: Some(route), position: Some(*position), arrival };
        let matched = matched.clone();
        return Box::pin(async move { proxy::answer(service, Some(&matched), exchange, body).await });
    }
    if let Decision::Route(Found { position, route, matched }) = &decision
        && let Some(intake) = form::intake(route, request)
    {
        let exchange = Exchange { request, route: Some(route), position: Some(*position), arrival };
        let matched = matched.clone();
        return Box::pin(async move { form::answer(service, intake, &matched, visitor, exchange, body).await });
    }
    if decision.passes_on() {
        return Box::pin(answer_or_pass_on(service, decision, visitor, request, body, arrival));
    }
    // Untouched, a body is the connection's business.
    drop(body);
    Box::pin(answer(service, decision, visitor, request, arrival))
}

/// The answer of a route that has to know who asks.
async fn answer_behind_guards<'h, B: RequestBody>(
    service: &'h Arc<Service>,
    decision: Decision<'h>,
    request: &'h Parts,
    body: B,
    arrival: &'h Arrival<'h>,
) -> Answer {
    let Some(Found { position, route, matched }) = decision.found() else {
        return admitted(service, decision, Visitor::default(), request, body, arrival).await;
    };
    let (position, route) = (*position, *route);
    let is_open = matches!(decision, Decision::Options(_)) && route.cors.is_some() && is_preflight(request);
    let visitor = if is_open {
        // Browsers ask without anybody's credentials whether they may send them (Fetch, section 4.8).
        Visitor::default()
    } else {
        let id: Arc<str> = arrival.id.to_string().into();
        let asking = guard::Asking {
            service,
            position,
            matched,
            fields: &request.headers,
            wall: arrival.wall,
            deadline: arrival.began + route.deadline,
            id: &id,
        };
        match asking.admit().await {
            Ok(visitor) => visitor,
            Err(refused) => {
                let exchange = Exchange { request, route: Some(route), position: Some(position), arrival };
                return refused.answer(asking, exchange);
            }
        }
    };
    let mut answer = admitted(service, decision, visitor, request, body, arrival).await;
    if !route.guards.is_empty() {
        guard::keep_for_one(answer.response.headers_mut());
    }
    answer
}

/// The answer to a request that led to a route, if nothing has to be waited for: a file in memory, or a fresh page.
fn at_hand(service: &Arc<Service>, found: &Found<'_>, request: &Parts, arrival: &Arrival<'_>) -> Option<Answer> {
    let Found { position, route, matched } = found;
    let exchange = Exchange { request, route: Some(route), position: Some(*position), arrival };
    if let Resource::Files(folder) = &route.resource {
        let file = matched.params.get(&folder.parameter)?;
        let request = asset_request(service, &file, exchange)?;
        return asset::at_hand(&service.runtime.assets, request).map(|response| exchange.answer(response));
    }
    if let Resource::Proxy(_) = &route.resource {
        return proxy::at_hand(service, exchange);
    }
    let inputs = Inputs::read(&service.site, route, matched, &request.headers, arrival.wall).ok()?;
    page::at_hand(service, *position, route, &inputs, exchange)
}

async fn answer(
    service: &Arc<Service>,
    decision: Decision<'_>,
    visitor: Visitor,
    request: &Parts,
    arrival: &Arrival<'_>,
) -> Answer {
    let exchange = Exchange { request, route: None, position: None, arrival };
    let of = |route: Option<&Route>| {
        let known = service.site.routes.iter().position(|known| route.is_some_and(|route| std::ptr::eq(known, route)));
        Exchange { route: known.and_then(|at| service.site.routes.get(at)), position: known, ..exchange }
    };
    let Found { position, route, matched } = match decision {
        Decision::Route(found) => found,
        Decision::Elsewhere { location, route } => return elsewhere(&location, route, exchange),
        Decision::Options(found) => return options(of(found.map(|found| found.route))),
        Decision::MethodNotAllowed(route) => {
            let exchange = of(Some(route));
            return failure::method_not_allowed(service, exchange, route.methods.allow_field());
        }
        Decision::Refused { because: Refusal::Misfit, route } => return failure::not_found(service, of(route)),
        Decision::Refused { because, route } => {
            return failure::answer(service, of(route), because.status());
        }
    };
    let exchange = Exchange { route: Some(route), position: Some(position), ..exchange };
    if let Resource::Files(folder) = &route.resource {
        return file(service, &matched, folder, exchange).await;
    }
    match Inputs::read(&service.site, route, &matched, &request.headers, arrival.wall) {
        Ok(inputs) => {
            let mut answer = page::answer(service, position, route, inputs, visitor, request, arrival).await;
            if route.inputs.request.flash && request.method == Method::GET {
                form::take_back_flash(&request.headers, answer.response.headers_mut());
            }
            answer
        }
        Err(Misfit::NotFound(_)) => failure::not_found(service, exchange),
        Err(misfit @ Misfit::BadRequest(_)) => failure::answer(service, exchange, misfit.status()),
    }
}

/// The same of a route that passes on the requests that it has no answer to.
async fn answer_or_pass_on<B: RequestBody>(
    service: &Arc<Service>,
    decision: Decision<'_>,
    visitor: Visitor,
    request: &Parts,
    body: B,
    arrival: &Arrival<'_>,
) -> Answer {
    let route = decision.route();
    let position = service.site.routes.iter().position(|known| route.is_some_and(|route| std::ptr::eq(known, route)));
    let own = answer(service, decision, visitor, request, arrival).await;
    if own.response.status() != StatusCode::NOT_FOUND {
        return own;
    }
    let exchange = Exchange { request, route, position, arrival };
    let passed_on = proxy::answer(service, None, exchange, body).await;
    Answer { sources: own.sources, ..passed_on }
}

/// The answer to another spelling of a URL of `route`.
fn elsewhere(location: &str, route: Option<&Route>, exchange: Exchange<'_>) -> Answer {
    let Some(cors) = route.and_then(|route| route.cors.as_ref()) else { return moved(location, exchange) };
    if is_preflight(exchange.request) {
        // The answer to a preflight must not lead elsewhere (Fetch, section 4.8): what it asks about does, and may.
        return options(Exchange { route, ..exchange });
    }
    let mut answer = moved(location, exchange);
    // Without these a script of another site is not let follow (Fetch, section 4.4).
    cors.allow(exchange.request.headers.get(header::ORIGIN), answer.response.headers_mut());
    answer
}

/// Whether a browser asks what a script of another site may ask.
fn is_preflight(request: &Parts) -> bool {
    request.method == Method::OPTIONS && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// 308 to another spelling of the same URL.
fn moved(location: &str, exchange: Exchange<'_>) -> Answer {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    let mut answer = respond::redirect(StatusCode::PERMANENT_REDIRECT, &location, Exchange { route: None, ..exchange });
    answer.response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

/// 204 with the methods that there are; to a preflight also with what scripts of other sites may ask for.
fn options(exchange: Exchange<'_>) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = exchange.route.map_or(Methods::READ, |route| route.methods);
    response.headers_mut().insert(header::ALLOW, methods.allow_field());
    if let Some(cors) = exchange.route.and_then(|route| route.cors.as_ref())
        && is_preflight(exchange.request)
    {
        let takes = exchange.route.is_some_and(|route| !route.intakes.is_empty());
        cors.preflight(methods.allow_field(), takes, response.headers_mut());
    }
    exchange.answer(response)
}

/// What is asked of a route that publishes a folder.
fn asset_request<'r>(service: &'r Service, file: &'r str, exchange: Exchange<'r>) -> Option<AssetRequest<'r>> {
    let published = service.subjects.get(exchange.position?)?.published.as_ref()?;
    let (method, fields) = (&exchange.request.method, &exchange.request.headers);
    Some(AssetRequest { published, file, method, fields, now: exchange.arrival.began })
}

/// A file, byte for byte.
async fn file(
    service: &Arc<Service>,
    matched: &Match<'_, '_, usize>,
    folder: &Folder,
    exchange: Exchange<'_>,
) -> Answer {
    let file = matched.params.get(&folder.parameter);
    let Some(request) = file.as_deref().and_then(|file| asset_request(service, file, exchange)) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    match asset::answer(&service.runtime.assets, request).await {
        Ok(response) => exchange.answer(response),
        Err(_absent) => failure::not_found(service, exchange),
    }
}
