//! What is remembered of a request's sources for whoever develops the site: each call with what came back, and what was made of it.
//!
//! Only a runtime that [records](super::Runtime::recording) does any of it. In every other one there is a look at an `Option` where a source
//! is called and one where it settles, and nothing at all where an answer is at hand.
//!
//! It must not hold the value of a secret that the site sends: of a call's fields it knows the names, and its URL is the one that
//! `explain` shows. What an upstream answers may hold anything; whoever shows it looks through it first.

use crate::config::Binding;
use crate::diagnostic::Place;
use crate::extract::Extraction;
use crate::source::{AnswerLimits, Http, OnError, OnNotFound, OnUnauthorized, Outcomes, Trouble, Upstream};
use crate::upstream::{Answer, Failure};
use crate::value::Value;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// So many calls are remembered for those who shared one.
const MOST: usize = 64;

/// A longer body is read for the page, and not once more to show how.
const LONGEST: usize = 2 << 20;

/// So much of a body is remembered as it came.
const EXCERPT: usize = 5 << 10;

/// How one source went.
#[derive(Debug)]
pub struct SourceRecord {
    /// When it began.
    pub started: Instant,
    /// What it is: `http`, `route`, `value`, `file`.
    pub kind: &'static str,
    /// Where it is declared.
    pub place: Place,
    /// The calls that it made, or would have made: one, or one for each item of its list.
    pub calls: Vec<Seen>,
    /// What is taken from what comes back; all of it if none.
    pub extraction: Option<Arc<Extraction>>,
    /// Why it was not had, in a word.
    pub trouble: Option<&'static str>,
    /// What is declared for that: `on-error`, `fail`.
    pub declared: Option<(&'static str, &'static str)>,
    /// Whether the page could not be made because of that.
    pub is_fatal: bool,
    /// What the page has of it.
    pub value: Value,
}

/// A call as one request saw it.
#[derive(Debug)]
pub struct Seen {
    /// The call.
    pub call: Arc<CallRecord>,
    /// Whether another request made it, or another source of this one.
    pub is_shared: bool,
}

/// A call, and what came back.
#[derive(Debug)]
pub struct CallRecord {
    /// The method.
    pub method: String,
    /// The URL without secrets; or why there is none.
    pub url: Result<String, String>,
    /// The names of the fields that are sent.
    pub fields: Vec<String>,
    /// What it shares with the same calls; nothing as long as it was not needed, because what it would bring is kept.
    identity: OnceLock<Arc<[u8]>>,
    reply: OnceLock<Reply>,
}

/// What a call came to.
#[derive(Debug)]
pub enum Reply {
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Its media type.
        content_type: Option<String>,
        /// The names of its fields.
        fields: Vec<String>,
        /// How long its body was, decoded.
        bytes: usize,
        /// How the body begins.
        excerpt: Bytes,
        /// How long it took.
        elapsed: Duration,
        /// What the body says, if it could be read.
        document: Option<Value>,
    },
    /// None.
    Failure {
        /// In a word.
        word: &'static str,
        /// In a sentence without secrets.
        text: String,
        /// How long it took to know.
        elapsed: Duration,
    },
}

impl CallRecord {
    /// Of the call that `http` makes with what is known now.
    pub(super) fn of(http: &Http<Binding>, upstream: &Upstream, slots: &[Value], visitor: &HeaderMap) -> Self {
        let sketch = http.sketch(upstream, slots, visitor, &|_known| None);
        let url = sketch.url.map_err(|why| why.to_string());
        let (identity, reply) = (OnceLock::new(), OnceLock::new());
        Self { method: sketch.method, url, fields: sketch.fields, identity, reply }
    }

    /// Whether it was needed: nothing that is kept would do.
    pub fn is_made(&self) -> bool {
        self.identity.get().is_some()
    }

    /// What came back, if it came while somebody waited.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.get()
    }

    /// It is needed; `identity` is what it shares with the same calls.
    pub(super) fn needed(&self, identity: &Arc<[u8]>) {
        // Another attempt of the same source has the same beginning.
        self.identity.set(Arc::clone(identity)).unwrap_or_default();
    }

    /// It was answered, and this is how the source reads that.
    pub(super) fn answered(&self, answer: &Answer, http: &Http<Binding>, limits: AnswerLimits) {
        let is_short = answer.body.len() <= LONGEST && answer.status.is_success();
        let document = is_short.then(|| http.document(answer, limits).ok()).flatten();
        let content_type = answer.headers.get(header::CONTENT_TYPE);
        let mut fields: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        fields.sort();
        let reply = Reply::Answer {
            status: answer.status,
            content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            fields,
            bytes: answer.body.len(),
            excerpt: Bytes::copy_from_slice(answer.body.get(..EXCERPT).unwrap_or(&answer.body)),
            elapsed: answer.elapsed,
            document: document.map(|read| read.value),
        };
        self.reply.set(reply).unwrap_or_default();
    }

    /// It was not.
    pub(super) fn failed(&self, failure: Failure, elapsed: Duration) {
        let reply = Reply::Failure { word: failure.word(), text: failure.to_string(), elapsed };
        self.reply.set(reply).unwrap_or_default();
    }
}

/// Remembers the last calls, so that those who shared one can be told what came of it.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<VecDeque<Arc<CallRecord>>>);

impl Recorder {
    /// A call is made now.
    pub(super) fn begin(&self, call: &Arc<CallRecord>) {
        let mut recent = self.recent();
        if recent.len() == MOST {
            recent.pop_front();
        }
        recent.push_back(Arc::clone(call));
    }

    /// A call as who was to make it saw it: if another one did, that one's.
    pub(super) fn seen(&self, call: Arc<CallRecord>) -> Seen {
        let (Some(identity), None) = (call.identity.get(), call.reply.get()) else {
            return Seen { call, is_shared: false };
        };
        let recent = self.recent();
        let shared =
            recent.iter().rev().find(|other| other.identity.get() == Some(identity) && !Arc::ptr_eq(other, &call));
        let shared = shared.map(Arc::clone);
        drop(recent);
        match shared {
            Some(call) => Seen { call, is_shared: true },
            None => Seen { call, is_shared: false },
        }
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<CallRecord>>> {
        // Nothing that runs under this lock leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is declared for a trouble, if anything is.
pub(super) fn declared(outcomes: &Outcomes<Binding>, trouble: &Trouble) -> Option<(&'static str, &'static str)> {
    match trouble {
        Trouble::Error { .. } => Some((
            "on-error",
            match outcomes.on_error {
                OnError::Fail => "fail",
                OnError::Fallback => "fallback",
                OnError::Omit => "omit",
            },
        )),
        Trouble::NotFound => Some((
            "on-not-found",
            match outcomes.on_not_found {
                OnNotFound::NotFound => "not-found",
                OnNotFound::Fallback => "fallback",
                OnNotFound::Omit => "omit",
                OnNotFound::Fail => "fail",
            },
        )),
        Trouble::Unauthorized { .. } => Some((
            "on-unauthorized",
            match &outcomes.on_unauthorized {
                OnUnauthorized::Status => "status",
                OnUnauthorized::Omit => "omit",
                OnUnauthorized::Fail => "fail",
                OnUnauthorized::Redirect(_) => "redirect",
            },
        )),
        Trouble::BadRequest => None,
    }
}
