//! The response: a representation in the coding that the client prefers, if its conditions want it at all.

use super::runtime::Service;
use super::{Answer, Arrival, Body, failure};
use crate::cache::{CDN_CACHE_CONTROL, Content, Lookup, Prepared, Ready, Stored, StrongTag};
use crate::fields::{self, CacheStatus, Coding, EntityTag, Validators, Verdict};
use crate::resource::{Linked, PolicyField, Resource};
use crate::router::{Canonical, canonicalise};
use crate::site::{Route, slots};
use crate::value::Value;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// What every step of answering needs to know of the exchange.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'e> {
    pub(super) request: &'e Parts,
    pub(super) route: Option<&'e Route>,
    /// The position of the route, if it answers.
    pub(super) position: Option<usize>,
    pub(super) arrival: &'e Arrival<'e>,
}

impl Exchange<'_> {
    pub(super) fn is_head(self) -> bool {
        self.request.method == Method::HEAD
    }

    pub(super) fn answer(self, mut response: Response<Body>) -> Answer {
        if let Some(cors) = self.route.and_then(|route| route.cors.as_ref()) {
            cors.allow(self.request.headers.get(header::ORIGIN), response.headers_mut());
        }
        let route = self.route.map(|route| Arc::clone(&route.name));
        Answer { response, route, position: self.position, cache: None, sources: Vec::new() }
    }
}

/// Content and who keeps its codings.
#[derive(Clone, Copy)]
pub(super) enum Coded<'c> {
    /// The store does: a coding is made once for everybody, and its size counted.
    Stored { stored: &'c Arc<Stored>, lookup: Lookup<'c> },
    /// The store does, but what it keeps may be another page for the next request: only what is quick to make is made.
    Kept { stored: &'c Arc<Stored>, lookup: Lookup<'c> },
    /// Nobody does: the same.
    Made(&'c Content),
}

/// Codings of stored content, which is made once and sent often.
const STORED: &[Coding] = &[Coding::Brotli, Coding::Zstd, Coding::Gzip];
/// Codings of content that may be sent once.
const ONCE: &[Coding] = &[Coding::Zstd, Coding::Gzip];

/// The answer with what is stored, if it is there in the coding that the client prefers, or quickly made.
pub(super) fn stored_at_hand(
    service: &Arc<Service>,
    (stored, lookup): (&Arc<Stored>, Lookup<'_>),
    told: (Option<Duration>, Option<CacheStatus>),
    exchange: Exchange<'_>,
) -> Option<Answer> {
    let prepared = ready(service, stored, lookup, STORED, &exchange.request.headers).ok()?;
    Some(content_of(service, Coded::Stored { stored, lookup }, prepared, stored.status(), told, exchange))
}

/// The answer with `content`, or without if the request's conditions say so.
pub(super) async fn content(
    service: &Arc<Service>,
    coded: Coded<'_>,
    status: StatusCode,
    age: Option<Duration>,
    cache_status: Option<CacheStatus>,
    exchange: Exchange<'_>,
) -> Answer {
    let fields = &exchange.request.headers;
    let prepared = match coded {
        Coded::Made(content) if content.is_codable() => content.make(fields::negotiate(fields, ONCE)),
        Coded::Made(content) => content.identity(),
        Coded::Stored { stored, lookup } => in_store(service, stored, lookup, STORED, fields).await,
        Coded::Kept { stored, lookup } => in_store(service, stored, lookup, ONCE, fields).await,
    };
    content_of(service, coded, prepared, status, (age, cache_status), exchange)
}

/// The same of the representation that the request prefers, with the age of what was stored and what is told of the store.
pub(super) fn content_of(
    service: &Arc<Service>,
    coded: Coded<'_>,
    prepared: &Prepared,
    status: StatusCode,
    (age, cache_status): (Option<Duration>, Option<CacheStatus>),
    exchange: Exchange<'_>,
) -> Answer {
    let request = exchange.request;
    let cache_status = cache_status.map(|status| status.header_value());
    if status == StatusCode::OK {
        let etag = prepared.entity_tag().and_then(|tag| EntityTag::parse(tag.as_bytes()));
        match fields::precondition(&request.method, &request.headers, &Validators { etag, last_modified: None }) {
            Verdict::Proceed | Verdict::IgnoreRange => {}
            Verdict::NotModified => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                let is_first = !prepared.has_not_modified_fields();
                *response.headers_mut() = prepared.not_modified_fields(age, cache_status);
                if let (true, Coded::Stored { stored, lookup } | Coded::Kept { stored, lookup }) = (is_first, coded) {
                    service.runtime.store.count_anew(lookup, stored);
                }
                return exchange.answer(response);
            }
            Verdict::PreconditionFailed => return failure::answer(service, exchange, StatusCode::PRECONDITION_FAILED),
        }
    }
    let body = if exchange.is_head() { Body::empty() } else { Body::from(prepared.body().clone()) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = prepared.fields(age, cache_status);
    exchange.answer(response)
}

/// The answer to who has the current page, of which these fields speak.
pub(super) fn not_modified(fields: &HeaderMap, exchange: Exchange<'_>) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().clone_from(fields);
    exchange.answer(response)
}

/// The copies of a page that a client has, and asks about.
#[derive(Debug)]
pub(super) struct Copies {
    lines: Vec<HeaderValue>,
    /// The codings that it would take them in.
    codings: Vec<Coding>,
}

impl Copies {
    /// Those of a request, if having the current one is all that its answer depends on.
    pub(super) fn of(request: &Parts) -> Option<Self> {
        let fields = &request.headers;
        let lines: Vec<HeaderValue> = fields.get_all(header::IF_NONE_MATCH).iter().cloned().collect();
        // These are weighed before it (RFC 9110, section 13.2.2), and `*` asks whether there is any page.
        let is_about_more = fields.contains_key(header::IF_MATCH) || fields.contains_key(header::IF_UNMODIFIED_SINCE);
        if lines.is_empty() || is_about_more || lines.iter().any(|line| line.as_bytes().trim_ascii() == b"*") {
            return None;
        }
        let is_taken = |coding: &Coding| fields::negotiate(fields, &[*coding]) == *coding;
        let codings = [Coding::Identity, Coding::Zstd, Coding::Gzip].into_iter().filter(is_taken).collect();
        Some(Self { lines, codings })
    }

    /// In which coding they have what `tag` is of, if they have it in one that the client would take.
    pub(super) fn coding_of(&self, tag: &StrongTag) -> Option<Coding> {
        self.codings.iter().copied().find(|coding| {
            let current = tag.field(*coding);
            let current = EntityTag::parse(current.as_bytes());
            fields::TagList(self.lines.iter()).has_weakly(current.as_ref())
        })
    }
}

/// Stored content in the coding that the client prefers, if that is there or made quickly; else the coding.
fn ready<'c>(
    service: &Arc<Service>,
    stored: &'c Arc<Stored>,
    lookup: Lookup<'_>,
    codings: &[Coding],
    request: &HeaderMap,
) -> Result<&'c Prepared, Coding> {
    let content = stored.content();
    if !content.is_codable() {
        return Ok(content.identity());
    }
    let coding = fields::negotiate(request, codings);
    match content.ready(coding) {
        Ready::Now(prepared) => Ok(prepared),
        Ready::Unmade { quick: true } => Ok(service.runtime.store.make(lookup, stored, coding)),
        Ready::Unmade { quick: false } => Err(coding),
    }
}

/// Stored content in the coding that the client prefers. What takes long to make is made on a thread that may block.
async fn in_store<'c>(
    service: &Arc<Service>,
    stored: &'c Arc<Stored>,
    lookup: Lookup<'_>,
    codings: &[Coding],
    request: &HeaderMap,
) -> &'c Prepared {
    let coding = match ready(service, stored, lookup, codings, request) {
        Ok(prepared) => return prepared,
        Err(coding) => coding,
    };
    let (runtime, kept, key) = (Arc::clone(&service.runtime), Arc::clone(stored), lookup.to_key());
    let made = tokio::task::spawn_blocking(move || {
        runtime.store.make(key.lookup(), &kept, coding);
    });
    // A coding that could not be made is one that was not asked for.
    match made.await {
        Ok(()) => stored.content().make(coding),
        Err(_) => stored.content().identity(),
    }
}

/// Whether a redirect leads to the very URL that was asked for: whoever follows it comes back, and never arrives.
///
/// A whole URL is taken for another one: it may change the scheme, which a server behind a proxy does not see.
pub(super) fn leads_to_itself(service: &Service, location: &HeaderValue, request: &Parts) -> bool {
    let Ok(location) = location.to_str() else { return false };
    let target = location.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    if !path.starts_with('/') || path.starts_with("//") || query != request.uri.query() {
        return false;
    }
    let slash = service.site.routers.slash();
    let is_same = |path: &Canonical<'_>| path.as_path().as_str() == request.uri.path();
    matches!(request.method, Method::GET | Method::HEAD) && canonicalise(path, slash).is_ok_and(|path| is_same(&path))
}

/// The answer that sends the visitor elsewhere.
pub(super) fn redirect(status: StatusCode, location: &HeaderValue, exchange: Exchange<'_>) -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::LOCATION, location.clone());
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(route) = exchange.route {
        fields.insert(header::CACHE_CONTROL, route.policy.field.clone());
        if let Some(value) = route.policy.cdn_cache_control(Duration::ZERO) {
            fields.insert(CDN_CACHE_CONTROL, value);
        }
        for (name, value) in &route.fixed_headers {
            fields.insert(name.clone(), value.clone());
        }
        if let Some(vary) = fields::vary(&route.vary) {
            fields.insert(header::VARY, vary);
        }
    }
    exchange.answer(response)
}

/// What a page, a document or JSON is shown in.
#[derive(Clone, Copy, Default)]
pub(super) struct View<'v> {
    /// The layout, if there is one.
    pub(super) layout: Option<&'v Linked>,
    /// What stands in its place without one.
    pub(super) html: Option<&'v Value>,
    /// The policy that it is sent with, if any is.
    pub(super) csp: Option<&'v PolicyField>,
    /// Its media type, if that is not the route's.
    pub(super) content_type: Option<&'v HeaderValue>,
}

impl<'v> View<'v> {
    /// How `resource` is shown; of a tree the document that the request names, and `None` if there is none.
    pub(super) fn of(resource: &'v Resource, slots: &[Value]) -> Option<Self> {
        Some(match resource {
            Resource::Page(layout) => Self { layout: Some(layout), csp: layout.csp.as_ref(), ..Self::default() },
            Resource::Document(document) => Self {
                layout: document.layout.as_ref(),
                html: Some(&document.html),
                csp: document.csp.as_ref(),
                content_type: None,
            },
            Resource::Tree(tree) => {
                let name = slots.get(slots::PARAMS).and_then(|params| params.get(&tree.parameter));
                let document = tree.document(name.and_then(Value::as_str)?)?;
                Self {
                    layout: tree.layout_of(document),
                    html: Some(&document.html),
                    csp: document.csp.as_ref(),
                    content_type: document.content_type.as_ref(),
                }
            }
            Resource::Json(_) | Resource::Redirect(_) | Resource::Files(_) => Self::default(),
        })
    }
}

/// The fields that all answers of `route` have that are pages, documents or JSON, as those of this type have them.
pub(super) fn lasting_fields(route: &Route, content_type: Option<&HeaderValue>) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(12);
    if let Some(content_type) = content_type {
        fields.insert(header::CONTENT_TYPE, content_type.clone());
    }
    fields.insert(header::CACHE_CONTROL, route.policy.field.clone());
    if let Some(value) = route.policy.cdn_cache_control(Duration::ZERO) {
        fields.insert(CDN_CACHE_CONTROL, value);
    }
    if let Some(vary) = fields::vary(&route.vary) {
        fields.insert(header::VARY, vary);
    }
    safety(&mut fields);
    for name in &route.removed_headers {
        fields.remove(name);
    }
    for (name, value) in &route.fixed_headers {
        fields.insert(name.clone(), value.clone());
    }
    fields
}

/// The fields that keep a browser from guessing, framing and telling.
pub(super) fn safety(fields: &mut HeaderMap) {
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if holds_document(fields) {
        fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
        fields.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        fields.insert(opener, HeaderValue::from_static("same-origin"));
        let permissions = HeaderName::from_static("permissions-policy");
        fields.insert(permissions, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    }
}

/// Whether a browser shows what these fields describe as a document, which may hold scripts.
pub(super) fn holds_document(fields: &HeaderMap) -> bool {
    let content_type = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(fields::is_document)
}
