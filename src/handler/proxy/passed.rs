//! Requests that no store answers: passed on with their bodies, once, and what their answers make invalid.

use super::fetch::{Keeping, keep};
use super::{Head, Passing, When, bypassed, fields, tunnel};
use crate::cache::rules::{self, Bypass, Invalidated};
use crate::cache::{Purge, Scope, Tag};
use crate::fields::{CacheStatus, Forward as Forwarding, Outcome};
use crate::handler::{Answer, Body, RequestBody, decide, invalidate};
use crate::upstream::{Forwarded, Upload};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri, header};

/// Passes a request on, and drops what it makes invalid; `bypass` is why nothing that is stored was looked at, if anything ever is.
pub(super) async fn answer<B: RequestBody>(
    passing: &Passing<'_>,
    there: PathAndQuery,
    body: B,
    bypass: Option<Bypass>,
) -> Answer {
    let request = passing.exchange.request;
    passing.exchange.arrival.client.watch();
    let has_body = !body.is_end_stream();
    let is_empty = request.headers.contains_key(header::CONTENT_LENGTH);
    let upload = match (has_body, is_empty) {
        (true, _) => Upload::streamed(body),
        (false, true) => Upload::whole(Bytes::new()),
        (false, false) => Upload::none(),
    };
    let (door, upgrade) = tunnel::door(request).filter(|_| passing.proxy.websocket && !has_body).unzip();
    let (forwarded, when) = match passing.send(there.clone(), passing.outgoing(), (upload, upgrade)).await {
        Ok(came) => came,
        Err(failure) => return passing.failed(failure),
    };
    let response = match (forwarded, door) {
        (Forwarded::Answer(response), _) => response,
        (Forwarded::Switched(answer, tunnel), Some(door)) => return tunnel::joined(passing, door, answer, tunnel),
        (Forwarded::Switched(..), None) => return passing.refuse(StatusCode::BAD_GATEWAY),
    };
    let (head, body) = response.into_parts();
    invalidate(passing, &there, (head.status, &head.headers));
    if let Some(keeping) = for_later_gets(passing, &there, (head.status, &head.headers), when) {
        let outcome = Outcome::Forwarded { because: Forwarding::Method, stored: true, collapsed: false };
        return keep(
            passing,
            keeping,
            (head.status, head.headers),
            body,
            CacheStatus { outcome, ttl: None, detail: None },
        );
    }
    passing.pass_on(head.status, passing.incoming(head.headers), Body::stream(body), bypass.map(bypassed))
}

/// What is kept of the answer to a POST that says it is what a GET would be answered with (RFC 9110, section 9.3.3).
fn for_later_gets(passing: &Passing<'_>, there: &PathAndQuery, head: Head<'_>, when: When) -> Option<Keeping> {
    let settings = &passing.proxy.cache.as_ref()?.settings;
    if passing.exchange.request.method != Method::POST {
        return None;
    }
    let terms = passing.terms(head, when, settings, (there, None)).ok()?;
    // It has made invalid what was there, and whatever was asked for before.
    let ticket = passing.service.runtime.store.begin(passing.service.revision());
    let (key, tags) = (passing.own_key(), passing.tags(there, &terms.groups));
    Some(Keeping { ticket, key, tags, terms, received: when.instant, lead: None, joins: None })
}

/// Drops what is stored of the URL of the request, and of others that its answer has made invalid (RFC 9111, section 4.4).
fn invalidate(passing: &Passing<'_>, there: &PathAndQuery, (status, response): Head<'_>) {
    let request = passing.exchange.request;
    if rules::is_safe(&request.method) {
        return;
    }
    if passing.service.keeps_elsewhere
        && let Some(url) = passing.url(there)
    {
        invalidate::changed(passing.service, passing.proxy.upstream, (&request.method, &url), (status, response));
    }
    if passing.proxy.cache.is_none() {
        return;
    }
    let targets = passing.targets(there);
    let targets: Vec<&Uri> = targets.iter().collect();
    let Some(Invalidated { elsewhere, groups }) = rules::invalidated(&request.method, &targets, status, response)
    else {
        return;
    };
    let store = &passing.service.runtime.store;
    let here = decide::target(request).to_owned();
    let elsewhere = elsewhere.into_iter().filter_map(|elsewhere| match elsewhere.origin {
        // As the upstream knows it.
        0 => fields::here(&elsewhere.path, &passing.proxy.target, fields::split_base(&passing.upstream.base).1),
        _ => Some(elsewhere.path),
    });
    for target in std::iter::once(here).chain(elsewhere) {
        let path = target.split_once('?').map_or(&*target, |(path, _)| path);
        store.invalidate(vec![Tag::derived("path", path)], [passing.key(&target).finish()]);
    }
    let groups: Vec<Tag> = groups.iter().map(|group| invalidate::group_tag(passing.upstream, group)).collect();
    if !groups.is_empty() {
        store.purge(&Scope::Tags(groups), Purge::Hard);
    }
}
