//! `GET /status`: what the server is and how it is, for people and their scripts.

use super::{Watched, json};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};
use std::time::SystemTime;

/// The answer.
pub(super) fn response(watched: &Watched) -> Response<Full<Bytes>> {
    let service = watched.current.service();
    let site = service.site();
    let history = watched.current.history();
    let last = history.last();
    let stored = service.runtime().stored();
    let listeners: Vec<String> = watched.listeners.iter().map(ToString::to_string).collect();
    let reload = last.reload.map(|reload| {
        let outcome = if reload.is_served { "served" } else { "kept" };
        json!({ "time": time(reload.time), "outcome": outcome, "findings": reload.findings })
    });
    json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "site": site.origin.to_string(),
        "url": site.url.as_deref(),
        "revision": format!("{:016x}", site.revision),
        "loaded": time(last.loaded),
        "uptime": history.began_at.elapsed().as_secs(),
        "draining": watched.shutdown.is_draining(),
        "routes": site.routes.len(),
        "listeners": listeners,
        "connections": watched.census.connections(),
        "store": { "entries": stored.entries, "bytes": stored.bytes, "capacity": service.runtime().capacity() },
        "reload": reload,
    }))
}

/// A point in time as RFC 3339 has it, to the second.
fn time(time: SystemTime) -> Value {
    match jiff::Timestamp::try_from(time) {
        Ok(time) => format!("{time:.0}").into(),
        // A clock outside the years that have a name.
        Err(_) => Value::Null,
    }
}
