//! One request: match, inputs, stored, gather, represent, precondition, respond.
//!
//! [`handle`] reads like that list. Each step is a file and hands a type to the next; no step reaches back; every error ends in
//! `failure`. The site and the service are taken once, when the request arrives, and are the same to its end.
//!
//! It knows nothing of sockets and listeners: a request's head and the moment of its arrival come in, a response goes out.

mod aside;
mod ask;
mod asset;
mod body;
mod failure;
mod fetch;
mod field;
mod fill;
mod gather;
mod inputs;
mod lookout;
mod make;
mod page;
mod plan;
mod respond;
mod runtime;

pub use body::{Body, FilePart};
pub use gather::SourceCall;
pub use runtime::{Runtime, Service};

use crate::resource::{Folder, Resource};
use crate::router::{HostVerdict, Match, MethodVerdict, Methods, Routing, host_field};
use crate::site::Route;
use asset::AssetRequest;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use inputs::{Inputs, Misfit};
use respond::Exchange;
use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// When and how a request arrived.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// When, by the clock that never goes back.
    pub instant: Instant,
    /// When, by the calendar.
    pub time: SystemTime,
    /// The request's id, as error pages show it: nothing that needs escaping.
    pub id: &'a (dyn fmt::Display + Send + Sync),
    /// Whether it came to a listener that only this machine reaches.
    pub is_loopback: bool,
}

/// A response, and what the log says about how it was made.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: Response<Body>,
    /// The route that answered.
    pub route: Option<Arc<str>>,
    /// What the page store did: `hit`, `stale` or `miss`.
    pub cache: Option<&'static str>,
    /// The sources that ran for it.
    pub sources: Vec<SourceCall>,
}

/// Every route answers these.
const METHODS: Methods = Methods::Read;

/// Answers one request.
pub async fn handle(service: &Arc<Service>, request: &Parts, arrival: &Arrival<'_>) -> Answer {
    let exchange = Exchange { request, route: None, arrival };
    let target = request.uri.path_and_query().map_or(request.uri.path(), http::uri::PathAndQuery::as_str);
    let host = match host(service, request, target, exchange) {
        Ok(host) => host,
        Err(refused) => return *refused,
    };
    let matched = match service.site.routers.route(host, target) {
        Routing::Matched(matched) => matched,
        Routing::Redirect { location, route } => {
            return elsewhere(&location, service.site.routes.get(*route), exchange);
        }
        Routing::Server if request.method == Method::OPTIONS => return options(exchange),
        Routing::Misfit(route) => {
            let exchange = Exchange { route: service.site.routes.get(*route), ..exchange };
            return failure::answer(service, exchange, StatusCode::NOT_FOUND);
        }
        Routing::NotFound => return failure::answer(service, exchange, StatusCode::NOT_FOUND),
        Routing::Server | Routing::BadTarget => return failure::answer(service, exchange, StatusCode::BAD_REQUEST),
    };
    let Some(route) = service.site.routes.get(*matched.route) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let exchange = Exchange { route: Some(route), ..exchange };
    match METHODS.verdict(&request.method) {
        MethodVerdict::Get | MethodVerdict::Head => {}
        MethodVerdict::Options => return options(exchange),
        MethodVerdict::Post | MethodVerdict::NotAllowed => {
            return failure::method_not_allowed(service, exchange, METHODS.allow());
        }
    }
    if let Resource::Files(folder) = &route.resource {
        return file(service, &matched, folder, exchange).await;
    }
    let inputs = match Inputs::read(&service.site, route, &matched, &request.headers) {
        Ok(inputs) => inputs,
        Err(Misfit::NotFound) => return failure::answer(service, exchange, StatusCode::NOT_FOUND),
        Err(Misfit::BadRequest) => return failure::answer(service, exchange, StatusCode::BAD_REQUEST),
    };
    page::answer(service, *matched.route, route, inputs, request, arrival).await
}

/// The host of a request that is meant for this site; if it is not, where it should go.
fn host<'r>(
    service: &Service,
    request: &'r Parts,
    target: &str,
    exchange: Exchange<'_>,
) -> Result<Option<&'r str>, Box<Answer>> {
    let absolute = request.uri.authority().map(http::uri::Authority::as_str);
    let Ok(authority) = host_field(request.version, &request.headers, absolute) else {
        return Err(Box::new(failure::answer(service, exchange, StatusCode::BAD_REQUEST)));
    };
    match service.site.hosts.verdict(authority.as_ref(), target, exchange.arrival.is_loopback) {
        HostVerdict::Serve => Ok(authority.map(|authority| authority.host())),
        HostVerdict::Redirect(location) => Err(Box::new(moved(&location, exchange))),
        HostVerdict::Misdirected => Err(Box::new(failure::answer(service, exchange, StatusCode::MISDIRECTED_REQUEST))),
    }
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
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS.allow()));
    if let Some(cors) = exchange.route.and_then(|route| route.cors.as_ref())
        && is_preflight(exchange.request)
    {
        cors.preflight(METHODS.allow(), response.headers_mut());
    }
    exchange.answer(response)
}

/// A file, byte for byte.
async fn file(
    service: &Arc<Service>,
    matched: &Match<'_, '_, usize>,
    folder: &Folder,
    exchange: Exchange<'_>,
) -> Answer {
    let (Some(route), Some(file)) = (exchange.route, matched.params.get(&folder.parameter)) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let request = AssetRequest {
        root: &service.site.root,
        folder: &folder.path,
        file: &file,
        method: &exchange.request.method,
        fields: &exchange.request.headers,
        cache_control: &route.policy.field,
        headers: &route.fixed_headers,
        removed: &route.removed_headers,
        csp: folder.csp.as_ref(),
        now: exchange.arrival.instant,
    };
    match asset::answer(&service.runtime.assets, request).await {
        Ok(response) => exchange.answer(response),
        Err(_absent) => failure::answer(service, exchange, StatusCode::NOT_FOUND),
    }
}
