//! The last requests for pages, as the panel shows them: what became of each, what its sources did, what the caches make of it.
//!
//! What is asked for is put together when it is asked for; until then a record is what the handler has made anyway, held a little longer.

use super::discreet::{discreet, withheld};
use crate::config::Tripwire;
use crate::diagnostic::{Files, Place};
use crate::extract::{Found, Presence, Step};
use crate::handler::{self, Answer, Reply, Seen, Service, SourceCall, SourceRecord};
use crate::report::explain_as_json;
use crate::server::Arrival;
use crate::value::{self, Object};
use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{StatusCode, Version};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many requests are remembered: a page asks for its own at once.
const MOST: usize = 32;
/// So many bytes of the bodies that their sources have read: what is made of a body may take ten times as much.
const HEAVIEST: usize = 8 << 20;
/// So much of a body is shown.
const EXCERPT: usize = 4 << 10;
/// So many when another site is served: they hold the one from before.
const MOST_OLD: usize = 4;

/// The last requests, the newest last.
#[derive(Debug, Default)]
pub(super) struct Records(Mutex<VecDeque<Arc<Record>>>);

impl Records {
    pub(super) fn add(&self, record: Record) {
        let mut all = self.all();
        all.push_back(Arc::new(record));
        let mut weight: usize = all.iter().map(|record| record.weight()).sum();
        // The newest is asked for next, whatever it weighs.
        while all.len() > 1 && (all.len() > MOST || weight > HEAVIEST) {
            weight -= all.pop_front().map_or(0, |oldest| oldest.weight());
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Record>> {
        self.all().iter().rev().find(|record| record.id == id).map(Arc::clone)
    }

    /// Another site is served.
    pub(super) fn forget_most(&self) {
        let mut all = self.all();
        let old = all.len().saturating_sub(MOST_OLD);
        all.drain(..old);
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Record>>> {
        // Nothing that runs under this lock leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request for a page.
#[derive(Debug)]
pub(super) struct Record {
    id: String,
    request: Parts,
    arrival: Arrival,
    elapsed: Duration,
    service: Arc<Service>,
    /// Where its site is written.
    files: Arc<Files>,
    status: StatusCode,
    /// The fields of the answer as `serve` sends them.
    fields: HeaderMap,
    sources: Vec<SourceCall>,
}

impl Record {
    pub(super) fn of(
        request: Parts,
        arrival: &Arrival,
        service: &Arc<Service>,
        files: &Arc<Files>,
        answer: &Answer,
    ) -> Self {
        Self {
            id: arrival.id.to_string(),
            request,
            arrival: arrival.clone(),
            elapsed: arrival.instant.elapsed(),
            service: Arc::clone(service),
            files: Arc::clone(files),
            status: answer.response.status(),
            fields: answer.response.headers().clone(),
            sources: answer.sources.clone(),
        }
    }

    /// How many bytes the bodies had that came for it.
    fn weight(&self) -> usize {
        let calls = self.sources.iter().filter_map(|call| call.record.as_ref()).flat_map(|record| &record.calls);
        calls.map(|seen| if let Some(Reply::Answer { bytes, .. }) = seen.call.reply() { *bytes } else { 0 }).sum()
    }

    /// All of it as JSON, without secrets.
    pub(super) async fn told(&self, tripwire: &Tripwire) -> String {
        let arrived = handler::Arrival {
            began: self.arrival.instant,
            now: self.arrival.instant,
            wall: self.arrival.time,
            id: &self.id,
            peer: self.arrival.connection.peer.map(|peer| peer.ip().to_canonical()),
            is_loopback: true,
            client: &(),
        };
        let explanation = handler::explain(&self.service, &self.request, &arrived).await;
        let explanation = explain_as_json(&explanation, &self.files);
        let field = |name: &header::HeaderName| {
            let lines: Vec<_> =
                self.fields.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
            (!lines.is_empty()).then(|| lines.join(", "))
        };
        let target = self.request.uri.path_and_query().map_or(self.request.uri.path(), http::uri::PathAndQuery::as_str);
        let version = if self.request.version == Version::HTTP_10 { "1.0" } else { "1.1" };
        let begins = self.arrival.instant;
        let told = json!({
            "id": self.id,
            "method": self.request.method.as_str(),
            "target": target,
            "http": version,
            "status": self.status.as_u16(),
            "ms": milliseconds(self.elapsed),
            "answer": {
                "cache-control": field(&header::CACHE_CONTROL),
                "cache-status": field(&header::HeaderName::from_static("cache-status")),
                "age": field(&header::AGE),
                "vary": field(&header::VARY),
                "etag": field(&header::ETAG),
            },
            "sources": self.sources.iter().map(|call| self.source(call, begins, tripwire)).collect::<Vec<_>>(),
            "explain": serde_json::from_str::<Value>(&explanation).unwrap_or_default(),
        });
        discreet(told, tripwire).to_string()
    }

    fn source(&self, call: &SourceCall, begins: Instant, tripwire: &Tripwire) -> Value {
        let SourceCall { name, elapsed, outcome, record } = call;
        let Some(record) = record else {
            return json!({ "name": &**name, "ms": milliseconds(*elapsed), "outcome": outcome, "from": "sent" });
        };
        let SourceRecord { started, kind, place, calls, extraction, trouble, declared, is_fatal, value } = &**record;
        let document = calls.iter().find_map(|seen| match seen.call.reply() {
            Some(Reply::Answer { document, .. }) => document.as_ref(),
            Some(Reply::Failure { .. }) | None => None,
        });
        let steps = extraction.as_ref().zip(document).map(|(extraction, document)| extraction.steps(document));
        json!({
            "name": &**name,
            "kind": kind,
            "place": self.locate(*place),
            // What another request was waiting for already may have begun before this one.
            "start": milliseconds(started.saturating_duration_since(begins)),
            "ms": milliseconds(*elapsed),
            "outcome": outcome,
            "from": origin(kind, outcome, calls),
            "trouble": trouble,
            "declared": declared.map(|(key, value)| json!({ "key": key, "value": value })),
            "fatal": is_fatal,
            "calls": calls.iter().map(|seen| seen_as_json(seen, tripwire)).collect::<Vec<_>>(),
            "steps": steps.map(|steps| steps.iter().map(|step| step_as_json(step, tripwire)).collect::<Vec<_>>()),
            "data": bounded(value, tripwire),
        })
    }

    fn locate(&self, place: Place) -> Value {
        let position = self.files.position(place.file, place.start);
        json!({ "file": self.files.name(place.file), "line": position.line, "column": position.column })
    }
}

/// Where what a source gave comes from, in a word.
fn origin(kind: &str, outcome: &str, calls: &[Seen]) -> &'static str {
    match (kind, outcome) {
        ("value", _) => "declared",
        ("file", _) => "file",
        ("route", _) => "asked",
        (_, "hit") => "stored",
        (_, "stale" | "stale-if-error") => "stale",
        (_, "revalidated") => "revalidated",
        _ if calls.is_empty() => "not called",
        _ if calls.iter().all(|seen| seen.is_shared) => "coalesced",
        _ => "called",
    }
}

fn seen_as_json(seen: &Seen, tripwire: &Tripwire) -> Value {
    let call = &seen.call;
    let reply = call.reply().map(|reply| match reply {
        Reply::Answer { status, content_type, fields, bytes, excerpt, elapsed, document: _ } => {
            // Where it is cut, half a secret may stand.
            let shown = excerpt.get(..EXCERPT).unwrap_or(excerpt);
            let begins = match tripwire.find(excerpt) {
                Some(name) => withheld(name),
                None => String::from_utf8_lossy(shown).trim_end_matches('\u{fffd}').to_owned(),
            };
            json!({
                "status": status.as_u16(),
                "type": content_type,
                "fields": fields,
                "bytes": bytes,
                "begins": begins,
                "whole": shown.len() == *bytes,
                "ms": milliseconds(*elapsed),
            })
        }
        Reply::Failure { word, text, elapsed } => {
            json!({ "failure": word, "text": text, "ms": milliseconds(*elapsed) })
        }
    });
    json!({
        "method": call.method,
        "url": call.url.as_ref().ok(),
        "refused": call.url.as_ref().err(),
        "fields": call.fields,
        "made": call.is_made(),
        "shared": seen.is_shared,
        "reply": reply,
    })
}

fn step_as_json(step: &Step, tripwire: &Tripwire) -> Value {
    let Step { field, selector, kind, presence, has_default, found } = step;
    let found = match found {
        Found::Nothing => json!({ "count": 0 }),
        Found::TooMuch => json!({ "count": null }),
        Found::Values { count, first, misfit, lacking } => json!({
            "count": count,
            "first": first.iter().take(3).map(|value| bounded(value, tripwire)).collect::<Vec<_>>(),
            "misfit": misfit.as_ref().map(|value| bounded(value, tripwire)),
            "lacking": lacking,
        }),
    };
    let presence = match presence {
        Presence::Optional => Value::Null,
        Presence::Required => true.into(),
        Presence::NotFound => "not-found".into(),
    };
    let kind = kind.map(crate::extract::Type::name);
    json!({ "field": field, "selector": selector, "type": kind, "required": presence, "default": has_default, "found": found })
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// So many values of the data of one source are shown,
const MOST_VALUES: usize = 2_000;
/// so many of one list,
const MOST_ITEMS: usize = 50;
/// as deep as this,
const DEEPEST: usize = 16;
/// and so many characters of a text.
const LONGEST: usize = 2_000;

/// Data as far as anybody looks at it. What is left out is said in its place.
fn bounded(value: &value::Value, tripwire: &Tripwire) -> Value {
    let mut left = MOST_VALUES;
    shown(value, &mut left, DEEPEST, tripwire)
}

fn shown(value: &value::Value, left: &mut usize, depth: usize, tripwire: &Tripwire) -> Value {
    *left = left.saturating_sub(1);
    match value {
        value::Value::Null => Value::Null,
        value::Value::Bool(is_so) => (*is_so).into(),
        value::Value::Int(number) => (*number).into(),
        value::Value::UInt(number) => (*number).into(),
        value::Value::Float(number) => (*number).into(),
        value::Value::Text(text) => match text.char_indices().nth(LONGEST) {
            Some((end, _)) => match tripwire.find(text.as_bytes()) {
                // Where it is cut, half a secret may stand.
                Some(name) => withheld(name).into(),
                None => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()).into(),
            },
            None => text.to_string().into(),
        },
        value::Value::List(items) if depth == 0 => format!("… {}", counted(items.len(), "item")).into(),
        value::Value::Object(members) if depth == 0 => {
            format!("… {}", counted(members.iter().count(), "member")).into()
        }
        value::Value::List(items) => {
            let mut list = Vec::new();
            for item in items.iter().take(MOST_ITEMS) {
                if *left == 0 {
                    break;
                }
                list.push(shown(item, left, depth - 1, tripwire));
            }
            let more = items.len() - list.len();
            if more > 0 {
                list.push(format!("… {}", counted(more, "more item")).into());
            }
            list.into()
        }
        value::Value::Object(members) => object(members, left, depth, tripwire),
    }
}

fn object(members: &Object, left: &mut usize, depth: usize, tripwire: &Tripwire) -> Value {
    let mut map = Map::new();
    let mut more = 0;
    for (name, member) in members.iter() {
        if *left == 0 {
            more += 1;
        } else {
            map.insert(name.to_string(), shown(member, left, depth - 1, tripwire));
        }
    }
    if more > 0 {
        map.insert("…".to_owned(), counted(more, "more member").into());
    }
    map.into()
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, parse_json};

    fn told(text: &str) -> Value {
        bounded(&parse_json(text, JsonLimits::default()).unwrap(), &Tripwire::default())
    }

    #[test]
    fn data_is_shown_as_it_is_and_no_further_than_anybody_looks() {
        let text = r#"{"b":1,"a":[null,true,2.5,"x"]}"#;
        assert_eq!(told(text).to_string(), serde_json::from_str::<Value>(text).unwrap().to_string());
        let long = told(&format!("[{}]", vec!["1"; 60].join(",")));
        assert_eq!((long.as_array().map(Vec::len), &long[50]), (Some(51), &json!("… 10 more items")));
        let wide = told(&format!("[{}]", vec![format!("[{}]", vec!["1"; 50].join(",")); 50].join(",")));
        let count =
            wide.as_array().map_or(0, |rows| rows.iter().map(|row| row.as_array().map_or(0, Vec::len)).sum::<usize>());
        assert!(count <= MOST_VALUES, "{count}");
        let deep = told(&format!("{}{}", "[".repeat(40), "]".repeat(40))).to_string();
        assert!(deep.contains("… 1 item"), "{deep}");
        let text = told(&format!("\"{}\"", "é".repeat(3_000)));
        assert!(text.as_str().is_some_and(|text| text.ends_with("… (6000 bytes)")), "{text}");
    }
}
