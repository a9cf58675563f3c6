//! An upstream that is asked who the visitor is, with the visitor's own credential. Each request asks for itself: what is said of one visitor is
//! told to nobody else.

use super::{Refused, Who};
use crate::handler::clock;
use crate::handler::runtime::Service;
use crate::site::{ForwardAuth, Identity};
use crate::source::Kind;
use crate::upstream::Answer;
use crate::value::{Object, ObjectBuilder, Value};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::Instant;

/// Challenges of an upstream that are passed on, and bytes of each.
const MOST_CHALLENGES: usize = 4;
const LONGEST_CHALLENGE: usize = 1024;

/// Whom a request with these fields is of, as the upstream says before the `deadline`.
pub(super) async fn ask(service: &Service, forward: &ForwardAuth, fields: &HeaderMap, deadline: Instant) -> Who {
    match asked(service, forward, fields, deadline).await {
        Ok(who) => who,
        Err(reason) => {
            tracing::warn!(reason, "the upstream that knows the visitors did not say who this is");
            Who::unavailable()
        }
    }
}

async fn asked(
    service: &Service,
    forward: &ForwardAuth,
    fields: &HeaderMap,
    deadline: Instant,
) -> Result<Who, &'static str> {
    let site = &service.site;
    let Kind::Http(http) = &forward.source.kind else { return Err("no-call") };
    let upstream = site.upstreams.get(http.upstream).ok_or("no-upstream")?;
    let state = service.upstreams.get(http.upstream).ok_or("no-upstream")?;
    let mut call = http.call(upstream, &[], fields, site.settings.limits.answer).map_err(|_no_call| "no-call")?;
    call.for_visitor = true;
    let started = clock::ticking();
    let answer = service.runtime.client.fetch(&call, state, deadline).await;
    if let Some(meter) = service.meters.upstreams.get(http.upstream) {
        meter.record(started.elapsed());
    }
    let answer = answer.map_err(crate::upstream::Failure::word)?;
    match answer.status {
        status if status.is_success() => claims(service, forward, &answer).map(|claims| Who::User(claims.into())),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            let challenges =
                if answer.status == StatusCode::UNAUTHORIZED { challenges(service, &answer) } else { Vec::new() };
            let why = "the credential is not accepted".to_owned();
            Ok(Who::Nobody { refused: Some(Refused { by: Identity::Forward, why, challenges }) })
        }
        _ => Err("unexpected-status"),
    }
}

/// What the upstream says of the visitor.
fn claims(service: &Service, forward: &ForwardAuth, answer: &Answer) -> Result<Object, &'static str> {
    let Kind::Http(http) = &forward.source.kind else { return Err("no-call") };
    let mut claims = ObjectBuilder::default();
    if forward.reads_content && !answer.body.is_empty() {
        let read = forward.source.take(http, answer, service.site.settings.limits.answer);
        // A page that asks people to sign in is not an answer, whatever its status says.
        let Ok(Value::Object(object)) = read.map(|read| read.value) else { return Err("no-claims") };
        object.iter().for_each(|(name, value)| claims.push(name.clone(), value.clone()));
    }
    for (claim, field) in &forward.header_claims {
        let value = answer.headers.get(field).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        claims.push(&**claim, Value::from(value));
    }
    Ok(claims.finish())
}

/// What the upstream wants of the visitor, as far as it may be passed on.
fn challenges(service: &Service, answer: &Answer) -> Vec<HeaderValue> {
    let is_fit = |value: &&HeaderValue| {
        value.len() <= LONGEST_CHALLENGE && service.site.tripwire.find(value.as_bytes()).is_none()
    };
    answer.headers.get_all(WWW_AUTHENTICATE).iter().filter(is_fit).take(MOST_CHALLENGES).cloned().collect()
}
