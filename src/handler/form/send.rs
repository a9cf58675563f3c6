//! Passing on what was sent: the declared calls, one after the other, each once. What the upstream makes of it decides what becomes of it.
//!
//! 2xx, and 301 to 303, which is how servers of pages answer forms: taken. 4xx: refused, with what it says of it. All else, and no answer: failed, and nobody knows how far it got.

use super::super::invalidate;
use super::super::repeat::Ticket;
use super::super::runtime::Service;
use super::super::{SourceCall, clock};
use super::body::{self, Written};
use super::{IDEMPOTENCY_KEY, cookie, told_of};
use crate::cache::{Purge, Scope, Tag};
use crate::extract::{Budget, Selector, memory};
use crate::site::{Intake, Route, Send, slots};
use crate::source::{Http, Kind, NoCall};
use crate::submission::UploadedFile;
use crate::upstream::{Answer, Failure};
use crate::value::{JsonLimits, Object, ObjectBuilder, Value, parse_json};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use std::sync::Arc;
use std::time::Instant;

/// What became of what was sent.
#[derive(Debug)]
pub(in super::super) enum Outcome {
    /// It was taken.
    Done {
        /// What was taken from the answer.
        result: Value,
        /// Cookies that go through.
        cookies: Vec<HeaderValue>,
    },
    /// The upstream refuses it.
    Rejected {
        /// With this status.
        status: StatusCode,
        /// What it says of the fields.
        errors: Vec<(Arc<str>, String)>,
        /// What it says of the whole.
        message: Option<String>,
    },
    /// It cannot be sent as it is.
    Unfit(StatusCode),
    /// It went wrong, or the upstream has no time for it.
    Failed {
        /// The status that says so.
        status: StatusCode,
        /// When to try again, if the upstream says it.
        again: Option<HeaderValue>,
    },
}

impl Outcome {
    /// It was taken, and nothing was done.
    pub(super) fn nothing() -> Self {
        Self::Done { result: Value::Null, cookies: Vec::new() }
    }

    /// How many bytes it takes, roughly.
    fn bytes(&self) -> usize {
        const ALONE: usize = 256;
        ALONE
            + match self {
                Self::Done { result, cookies } => {
                    memory(result, 0) + cookies.iter().map(HeaderValue::len).sum::<usize>()
                }
                Self::Rejected { errors, message, .. } => {
                    let errors: usize = errors.iter().map(|(name, text)| name.len() + text.len()).sum();
                    errors + message.as_ref().map_or(0, String::len)
                }
                Self::Unfit(_) | Self::Failed { .. } => 0,
            }
    }
}

/// All that is needed to pass it on, whatever becomes of the request.
pub(super) struct Sending {
    pub(super) service: Arc<Service>,
    /// The position of the route, and of what it takes.
    pub(super) route: usize,
    pub(super) intake: usize,
    pub(super) slots: Vec<Value>,
    pub(super) files: Vec<(usize, UploadedFile)>,
    /// The fields of the visitor's request.
    pub(super) visitor: HeaderMap,
    /// What the request is known by that may come twice.
    pub(super) key: Option<String>,
    pub(super) deadline: Instant,
}

/// What one call came to.
enum Came {
    Taken(Value, HeaderMap),
    Otherwise(Outcome),
}

const FAILED: Outcome = Outcome::Failed { status: StatusCode::BAD_GATEWAY, again: None };

impl Sending {
    /// Makes the calls. What came of them is remembered with the `ticket`, if there is one and something did.
    pub(super) async fn run(mut self, ticket: Option<Ticket<Outcome>>) -> (Arc<Outcome>, Vec<SourceCall>) {
        let service = Arc::clone(&self.service);
        let route = &service.site.routes[self.route];
        let mut calls = Vec::new();
        let outcome = Arc::new(match route.intakes.get(self.intake) {
            Some(intake) => self.send(route, intake, &mut calls).await,
            None => FAILED,
        });
        let is_known = matches!(*outcome, Outcome::Done { .. } | Outcome::Rejected { .. });
        if let Some(ticket) = ticket.filter(|_| is_known) {
            // What failed may be tried again: the upstream is told by the same key whether it has done it before.
            ticket.answer(Arc::clone(&outcome), outcome.bytes());
        }
        (outcome, calls)
    }

    async fn send(&mut self, route: &Route, intake: &Intake, calls: &mut Vec<SourceCall>) -> Outcome {
        let mut results = ObjectBuilder::default();
        let (mut result, mut cookies) = (Value::Null, Vec::new());
        for (at, send) in intake.sends.iter().enumerate() {
            let Kind::Http(http) = &send.source.kind else { return FAILED };
            let name = send.name.clone().unwrap_or_else(|| "send".into());
            let started = clock::ticking();
            let (came, word) = self.call(send, http, intake).await;
            calls.push(told_of(&name, started.elapsed(), word));
            let (value, fields) = match came {
                Came::Taken(value, fields) => (value, fields),
                Came::Otherwise(outcome) => {
                    if at > 0 {
                        let (route, send) = (&*route.name, &*name);
                        tracing::error!(route, send, done = at, "what was sent is half done");
                    }
                    if at > 0 || matches!(outcome, Outcome::Failed { .. }) {
                        // What was done, or may have been, is not as it was.
                        self.invalidate(intake);
                    }
                    return outcome;
                }
            };
            let is_secure = self.service.site.url.as_deref().is_none_or(|url| !url.starts_with("http://"));
            let lines = fields.get_all(header::SET_COOKIE);
            cookies.extend(lines.iter().filter_map(|line| cookie::passed(line, &intake.pass_cookies, is_secure)));
            let is_last = at + 1 == intake.sends.len();
            match &send.name {
                Some(name) => results.push(&**name, value),
                None if is_last => match value.as_object() {
                    Some(members) => {
                        members.iter().for_each(|(key, value)| results.push(key.clone(), value.clone()));
                    }
                    None => result = value,
                },
                None => {}
            }
            // Later calls may say what earlier ones have told.
            let known = std::mem::take(&mut results).finish();
            if result.is_null() {
                self.say_result(&known.clone().into());
            }
            known.iter().for_each(|(key, value)| results.push(key.clone(), value.clone()));
        }
        let results = results.finish();
        let result = if result.is_null() { results.into() } else { result };
        self.say_result(&result);
        self.invalidate(intake);
        Outcome::Done { result, cookies }
    }

    fn say_result(&mut self, result: &Value) {
        let Some(slot) = self.slots.get_mut(slots::FORM) else { return };
        let members = slot.as_object().into_iter().flat_map(Object::iter);
        let said =
            members.map(|(key, value)| (key.clone(), if key.is("result") { result.clone() } else { value.clone() }));
        *slot = Value::Object(said.collect());
    }

    /// Purges what is not true any more, before anybody is told that it is done.
    fn invalidate(&self, intake: &Intake) {
        let tags = intake.invalidate.iter().filter_map(|tag| {
            let text = tag.text(&self.slots, |text, out| out.push_str(text)).ok().flatten()?;
            (!text.is_empty()).then(|| Tag::new(&text))
        });
        let tags: Vec<Tag> = tags.collect();
        if !tags.is_empty() {
            self.service.runtime.purge(&Scope::Tags(tags), Purge::Hard);
        }
    }

    /// One call, and the word for it in the log.
    async fn call(&self, send: &Send, http: &Http<crate::config::Binding>, intake: &Intake) -> (Came, &'static str) {
        let service = &self.service;
        let limits = service.site.settings.limits.answer;
        let (Some(upstream), Some(state)) =
            (service.site.upstreams.get(http.upstream), service.upstreams.get(http.upstream))
        else {
            return (Came::Otherwise(FAILED), "no-upstream");
        };
        let call = http.call(upstream, &self.slots, &self.visitor, limits);
        let body = body::write(send, (&intake.fields, intake.wire), &self.slots, &self.files);
        let (mut call, body) = match (call, body) {
            (Ok(call), Ok(body)) => (call, body),
            (Err(NoCall::NullInPath | NoCall::ForbiddenFromRequest), _) => {
                return (Came::Otherwise(Outcome::Unfit(StatusCode::NOT_FOUND)), "unfit-path-value");
            }
            (Err(NoCall::ControlFromRequest), _) => {
                return (Came::Otherwise(Outcome::Unfit(StatusCode::BAD_REQUEST)), "bad-request");
            }
            (Err(NoCall::ForbiddenFromData | NoCall::NotText), _) | (_, Err(_)) => {
                return (Came::Otherwise(FAILED), "not-text");
            }
        };
        // Whatever it is, it is this visitor's, and is done once.
        (call.for_visitor, call.retries) = (true, 0);
        call.safe &= call.method == Method::GET;
        let content_type = match body {
            Written::Nothing => None,
            Written::Whole(content_type, bytes) => {
                call.body = Some(bytes);
                Some(content_type)
            }
            Written::Pieces(content_type, pieces) => {
                call.pieces = Some(pieces);
                // Sending them is a part of it.
                call.timeouts.first_byte = call.timeouts.total;
                Some(content_type)
            }
        };
        if let Some(content_type) = content_type {
            call.headers.insert(header::CONTENT_TYPE, content_type);
        }
        // Each call is one of its own to whoever remembers keys.
        let key = self.key.as_deref().map(|key| match (&send.name, intake.sends.len()) {
            (Some(name), 2..) => format!("{key}-{name}"),
            _ => key.to_owned(),
        });
        if let Some(Ok(key)) = key.as_deref().map(HeaderValue::from_str) {
            call.headers.insert(IDEMPOTENCY_KEY, key);
        }
        let started = clock::ticking();
        let answer = service.runtime.client.fetch(&call, state, self.deadline).await;
        if !matches!(answer, Err(Failure::BreakerOpen | Failure::AskedToWait)) {
            service.meters.upstreams[http.upstream].record(started.elapsed());
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::warn!(call = ?call, failure = failure.word(), "what was sent was not passed on");
                let status = if failure.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
                return (Came::Otherwise(Outcome::Failed { status, again: None }), failure.word());
            }
        };
        if service.keeps_answers {
            let said = (answer.status, &answer.headers);
            invalidate::changed(service, http.upstream, (&call.method, &call.url), said);
        }
        if matches!(answer.status.as_u16(), 408 | 425 | 429) {
            // Nothing is wrong with what was sent, and the same may be taken in a while.
            let again = answer.headers.get(header::RETRY_AFTER).cloned();
            let again = Some(again.unwrap_or(HeaderValue::from_static("1")));
            return (Came::Otherwise(Outcome::Failed { status: StatusCode::SERVICE_UNAVAILABLE, again }), "busy");
        }
        if answer.status.is_client_error() {
            return (Came::Otherwise(rejected(intake, &answer)), "rejected");
        }
        if matches!(answer.status.as_u16(), 301..=303) {
            // Whoever answers a form so has taken it, and says where a browser would go on. Nobody goes there: what is next is declared.
            return (Came::Taken(Value::Null, answer.headers), "ok");
        }
        if !answer.status.is_success() {
            tracing::warn!(call = ?call, status = answer.status.as_u16(), "what was sent was not taken");
            return (Came::Otherwise(FAILED), "error-status");
        }
        if send.source.extraction.is_none() {
            return (Came::Taken(Value::Null, answer.headers), "ok");
        }
        match send.source.take(http, &answer, limits) {
            Ok(read) => (Came::Taken(read.value, answer.headers), "ok"),
            Err(trouble) => {
                tracing::warn!(call = ?call, trouble = trouble.word(), "the answer to what was sent is not what was declared");
                (Came::Otherwise(FAILED), trouble.word())
            }
        }
    }
}

/// What an upstream says that refuses what was sent.
fn rejected(intake: &Intake, answer: &Answer) -> Outcome {
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    let document = parse_json(text, JsonLimits::default()).unwrap_or_default();
    let said = |selector: &Selector| said(selector.first(&document, &Budget::default()).ok().flatten()?);
    let errors = intake.rejected.iter();
    let errors = errors.filter_map(|(name, selector)| Some((Arc::clone(name), said(selector)?))).collect();
    let message = intake.rejected_message.as_ref().and_then(said);
    Outcome::Rejected { status: answer.status, errors, message }
}

/// A message: a text, or the first of a list of them.
fn said(value: &Value) -> Option<String> {
    const LONGEST: usize = 1000;
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::List(items) => items.first()?.as_str()?,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Object(_) => {
            return None;
        }
    };
    Some(text.chars().take(LONGEST).collect()).filter(|text: &String| !text.is_empty())
}
