//! What answers on the admin listener: those who run the server, and nobody else.
//!
//! It purges the page store and tells what the server does. A page in a browser must not reach it, whoever's browser it is: what a browser
//! sends (`Origin`, `Sec-Fetch-*`; Fetch, section 2.2) is refused, and so is a name in `Host` that anybody may point at this machine (DNS
//! rebinding). With a token, only who knows it gets more than whether the server is there.
//!
//! | File | What |
//! |---|---|
//! | `entrance` | who may come in |
//! | `purge` | `POST /purge` |
//! | `metrics` | `GET /metrics` |
//! | `status` | `GET /status` |
//!
//! Something else to ask for is a line of [`Admin::answer`] and a file.

mod entrance;
mod metrics;
mod once;
mod purge;
mod status;

use super::{AccessLog, Answer, Arrival, Census, Current, Limits, ListenAddress, RequestBody, Service, Shutdown};
use crate::config::Secret;
use bytes::Bytes;
use entrance::Entrance;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use std::sync::Arc;
use std::time::Duration;

/// What those who run the server may look at.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What answers visitors.
    pub current: Current,
    /// Their connections.
    pub census: Arc<Census>,
    /// Where their requests are logged.
    pub log: AccessLog,
    /// Whether they are still let in.
    pub shutdown: Shutdown,
    /// Where the server listens for them.
    pub listeners: Vec<ListenAddress>,
}

/// The answers of the admin listener.
#[derive(Debug)]
pub struct Admin {
    watched: Watched,
    entrance: Entrance,
}

/// Bytes of a request's body.
const BODY: usize = 64 * 1024;

impl Admin {
    /// What answers at `address` those who know the token, or everybody if there is none.
    pub fn new(watched: Watched, address: &ListenAddress, token: Option<&Secret>) -> Self {
        Self { watched, entrance: Entrance::new(address, token) }
    }

    /// What its connections may use: few suffice, and visitors' do not count among them.
    pub fn limits() -> Limits {
        Limits {
            head: 16 * 1024,
            connections: 64,
            connections_per_address: 64,
            drain: Duration::from_secs(2),
            ..Limits::default()
        }
    }

    async fn answer(&self, head: &Parts, body: RequestBody) -> Response<Full<Bytes>> {
        let path = head.uri.path();
        if let Err(refusal) = self.entrance.admit(head, matches!(path, "/health" | "/ready")) {
            return refusal.response();
        }
        let tell: fn(&Watched) -> Response<Full<Bytes>> = match path {
            "/purge" if head.method == Method::POST => return self.purge(body).await,
            "/purge" => return not_allowed("POST"),
            "/health" => |_| text("ok\n"),
            "/ready" => ready,
            "/metrics" => metrics::response,
            "/status" => status::response,
            _ => return problem(StatusCode::NOT_FOUND, "there is /purge, /metrics, /status, /health and /ready"),
        };
        match head.method {
            Method::GET | Method::HEAD => tell(&self.watched),
            _ => not_allowed("GET, HEAD"),
        }
    }

    async fn purge(&self, body: RequestBody) -> Response<Full<Bytes>> {
        let Ok(body) = Limited::new(body, BODY).collect().await else {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB, or did not come");
        };
        purge::response(&self.watched.current, &body.to_bytes()).await
    }
}

impl Service for Admin {
    type Body = Full<Bytes>;

    async fn call(&self, head: &Parts, body: RequestBody, _arrival: &Arrival) -> Answer<Self::Body> {
        let mut response = self.answer(head, body).await;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.into()
    }
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &format!("this is asked for by {allowed}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Whether requests should be sent here: not any more, once the server drains.
fn ready(watched: &Watched) -> Response<Full<Bytes>> {
    if watched.shutdown.is_draining() {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "the server is about to stop");
    }
    text("ready\n")
}

fn of_type(content_type: &'static str, content: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content.into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn text(content: &'static str) -> Response<Full<Bytes>> {
    of_type("text/plain; charset=utf-8", content)
}

fn json(content: &serde_json::Value) -> Response<Full<Bytes>> {
    of_type("application/json", format!("{content}\n"))
}

/// An answer that says what is wrong.
fn problem(status: StatusCode, error: &str) -> Response<Full<Bytes>> {
    let mut response = json(&serde_json::json!({ "error": error }));
    *response.status_mut() = status;
    response
}
