//! Every error ends here, and nowhere else: an error page, or a problem for those who asked for JSON (RFC 9457).
//!
//! Visitors see the status and the request's id, nothing of the inside. What happened is told to the log where it happened.

use super::keep::Keeping;
use super::respond::Exchange;
use super::runtime::Service;
use super::{Answer, Body};
use crate::cache::Tag;
use crate::fields::vary;
use crate::resource::Resource;
use crate::site::ErrorPages;
use crate::value::{Object, Value, write_json};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use std::time::Duration;

/// The answer for a request that ended in `status`.
pub(super) fn answer(service: &Service, exchange: Exchange<'_>, status: StatusCode) -> Answer {
    let around = || service.site.errors.around(exchange.request.uri.path());
    let errors = exchange.route.map_or_else(around, |route| &route.errors);
    exchange.answer(response(errors, exchange, status))
}

/// The 404 of a route, for whose pages the request holds no fitting value: nothing was asked of any source.
pub(super) fn not_found(service: &Service, exchange: Exchange<'_>) -> Answer {
    absent(service, exchange, common_tags(service, exchange))
}

/// The 404 of a route, which depends on `tags`. Its route says who keeps it for how long.
pub(super) fn absent<'t>(service: &Service, exchange: Exchange<'_>, tags: impl Iterator<Item = &'t Tag>) -> Answer {
    let mut answer = answer(service, exchange, StatusCode::NOT_FOUND);
    let Some(route) = exchange.route else { return answer };
    let variant = route.variant_for(&exchange.request.headers);
    if variant.policy.not_found().is_none() {
        return answer;
    }
    let fields = answer.response.headers_mut();
    Keeping::of(variant, StatusCode::NOT_FOUND, false, Duration::ZERO).say(tags, fields);
    if let Some(vary) = vary(&route.vary) {
        fields.append(header::VARY, vary);
    }
    answer
}

/// The tags of all answers of the route that answers.
pub(super) fn common_tags<'s>(service: &'s Service, exchange: Exchange<'_>) -> impl Iterator<Item = &'s Tag> {
    let subject = exchange.position.and_then(|position| service.subjects.get(position));
    subject.into_iter().flat_map(|subject| subject.tags.iter())
}

/// 405, with the methods that there are.
pub(super) fn method_not_allowed(service: &Service, exchange: Exchange<'_>, allow: HeaderValue) -> Answer {
    let mut answer = answer(service, exchange, StatusCode::METHOD_NOT_ALLOWED);
    answer.response.headers_mut().insert(header::ALLOW, allow);
    answer
}

fn response(errors: &ErrorPages, exchange: Exchange<'_>, status: StatusCode) -> Response<Body> {
    let id = exchange.arrival.id.to_string();
    let wants_json = exchange.route.is_some_and(|route| matches!(route.resource, Resource::Json(_)));
    let (content_type, csp, body) = if wants_json {
        (HeaderValue::from_static("application/problem+json"), None, problem(status, &id))
    } else {
        let page = errors.page(status);
        (page.content_type.clone(), page.csp.clone(), page.with_id(&id))
    };
    let mut fields = HeaderMap::with_capacity(8);
    fields.insert(header::CONTENT_TYPE, content_type);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        fields.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    super::respond::safety(&mut fields);
    if let Some(csp) = csp {
        csp.insert(&mut fields);
    }
    let body = if exchange.is_head() { Body::empty() } else { Body::from(body) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

fn problem(status: StatusCode, id: &str) -> Bytes {
    let problem: Object = [
        ("type", Value::from("about:blank")),
        ("title", status.canonical_reason().unwrap_or("Error").into()),
        ("status", Value::Int(i64::from(status.as_u16()))),
        ("id", id.into()),
    ]
    .into_iter()
    .collect();
    let mut text = String::new();
    write_json(&problem.into(), &mut text);
    text.into()
}
