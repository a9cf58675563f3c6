//! The site as its author sees it while working: what `serve` would answer, and around it what helps to mend it.
//!
//! [`Dev`] is a [`Service`] around the [`Current`] one. Pages of HTML get one script; what that script asks for lies below [`PREFIX`], which
//! is nowhere but here: `serve` neither knows this floor nor sends a byte of it. What is made, stored and logged is what `serve` would make,
//! store and log; what is added is added to the answer, after it was made.
//!
//! | File | What |
//! |---|---|
//! | `gate` | who may ask: this machine, by its own names, and no page of another site |
//! | `page` | which requests are for pages; the script in their answers, and the fields that go with it |
//! | `policy` | what a `Content-Security-Policy` must allow for that |
//! | `state` | which site is served, and what is wrong with the last edit |
//! | `events` | the stream that tells it |
//! | `style` | style sheets, which no browser may keep |
//! | `broken` | what is answered while there is no sound site at all |
//! | `records` | the last requests for pages: their sources, their cache verdicts, their data |
//! | `log` | the access log without what is development's own |
//! | `discreet` | nothing that is shown holds a secret |
//! | `dev.js`, `dev.css` | what runs in the browser |
//!
//! It must not decide anything that a visitor of the served site would notice, and must not know how a site is loaded: it is told.

mod broken;
mod discreet;
mod events;
mod gate;
mod log;
mod page;
mod policy;
mod records;
mod state;
mod style;

use crate::config::Secrets;
use crate::diagnostic::{Files, Findings};
use crate::handler::{self, Body};
use crate::server::{Answer, Arrival, Current, RequestBody, Service, Shutdown};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use page::Tag;
use records::{Record, Records};
use state::States;
use std::sync::{Arc, OnceLock};

pub use log::SiteLines;
pub use state::Load;

/// Where all that is development's own lies. A route of the site there is not reached while it is developed.
pub const PREFIX: &str = "/_siteserver/";

/// What runs in the browser.
const SCRIPT: &str = include_str!("dev.js");
/// How it looks.
const STYLE: &str = include_str!("dev.css");

/// Answers from the current site, and helps to mend it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Dev(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What answers; none as long as no site was sound.
    current: OnceLock<Current>,
    states: States,
    records: Records,
    shutdown: Shutdown,
    secrets: Secrets,
}

impl Dev {
    /// Without a site. What it shows holds none of `secrets`, and its streams end with `shutdown`.
    pub fn new(secrets: Secrets, shutdown: Shutdown) -> Self {
        let (current, states, records) = (OnceLock::new(), States::default(), Records::default());
        Self(Arc::new(Inner { current, states, records, shutdown, secrets }))
    }

    /// Answers from `current` from now on, if nothing else has answered before.
    pub fn begin(&self, current: Current) {
        self.0.current.set(current).unwrap_or_default();
    }

    /// The site was loaded anew; what came of it, by what was found.
    pub fn loaded(&self, findings: &Findings, files: &Files, load: Load<'_>) {
        let Inner { current, states, records, secrets, .. } = &*self.0;
        // Before it is told: whoever hears of it asks for what was edited at once.
        if let Some(current) = current.get() {
            current.forget_files();
        }
        states.loaded(findings, files, load, &secrets.tripwire());
        if matches!(load, Load::Sound { .. }) {
            records.forget_most();
        }
    }

    /// What is asked of development itself.
    async fn own(&self, name: &str, request: &Parts, arrival: &Arrival) -> Response<Body> {
        let Inner { states, records, shutdown, secrets, .. } = &*self.0;
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD are all that there is here\n");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match name {
            "dev.js" => content("text/javascript; charset=utf-8", SCRIPT),
            "dev.css" => content("text/css; charset=utf-8", STYLE),
            "findings" => content("application/json", states.now().text.to_string()),
            "events" => {
                if request.method == Method::GET {
                    // Whoever has closed the page is gone at once, and the stream with him.
                    arrival.connection.watch();
                }
                events::response(states, shutdown)
            }
            _ => match name.strip_prefix("requests/").and_then(|id| records.find(id)) {
                Some(record) => content("application/json", record.told(&secrets.tripwire()).await),
                None => text(StatusCode::NOT_FOUND, "there is nothing of this name, or no more\n"),
            },
        }
    }

    /// The answer of the site to a request for a page, with what helps to mend it.
    async fn page(
        &self,
        current: &Current,
        request: &Parts,
        body: RequestBody,
        arrival: &Arrival,
        host: &str,
    ) -> Answer<Body> {
        let Inner { states, records, .. } = &*self.0;
        // Before the site is taken: a page that says an older version than it is of is shown once more, and never left stale.
        let state = states.now();
        let asked = page::asked(request);
        let service = current.service();
        let arrived = current.arrived(arrival);
        let answer = handler::handle(&service, &asked, body, &arrived).answer().await;
        let is_page = page::is_page(&answer.response);
        let record = is_page.then(|| Record::of(asked, arrival, &service, &state.files, &answer));
        let Answer { response, facts } = Current::told(&service, answer);
        let Some(record) = record else { return Answer { response, facts } };
        records.add(record);
        let is_asked = matches!(request.method, Method::GET | Method::HEAD);
        let (request_id, styles) = (arrival.id.to_string(), state.restyled());
        let tag = Tag { request: request_id, version: &state.version, styles, host, is_asked };
        Answer { response: page::dress(response, &tag, request.method == Method::HEAD).await, facts }
    }
}

impl Service for Dev {
    type Body = Body;

    async fn call(&self, request: &Parts, body: RequestBody, arrival: &Arrival) -> Answer<Body> {
        let host = match gate::host(request) {
            Ok(host) => host,
            Err(refusal) => return answer(text(refusal.status(), refusal.text()), request),
        };
        if let Some(name) = request.uri.path().strip_prefix(PREFIX) {
            if gate::is_foreign(request, host) {
                let refused = "only the pages of this site may ask for this\n";
                return answer(text(StatusCode::FORBIDDEN, refused), request);
            }
            return answer(own_fields(self.own(name, request, arrival).await), request);
        }
        let Some(current) = self.0.current.get() else {
            let state = self.0.states.now();
            return answer(broken::response(&state, page::wants_html(request)), request);
        };
        let Answer { response, facts } = if page::is_wanted(request) {
            self.page(current, request, body, arrival, host).await
        } else {
            current.call(request, body, arrival).await
        };
        Answer { response: style::unkept(request, response), facts }
    }
}

/// An answer of development's own; to HEAD without its content.
fn answer(mut response: Response<Body>, request: &Parts) -> Answer<Body> {
    if request.method == Method::HEAD {
        let length = http_body::Body::size_hint(response.body()).exact();
        if let Some(length) = length {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = Body::empty();
    }
    response.into()
}

/// Nobody keeps it, guesses at it, or takes it into a page of another site.
fn own_fields(mut response: Response<Body>) -> Response<Body> {
    let fields = response.headers_mut();
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    fields.insert(resource_policy, HeaderValue::from_static("same-origin"));
    response
}

fn content(content_type: &'static str, content: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(content.into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = own_fields(content("text/plain; charset=utf-8", text));
    *response.status_mut() = status;
    response
}
