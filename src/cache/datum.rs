//! Data that was taken from an origin's response: its value as it was extracted, and of the response what validates and freshens it
//! (RFC 9111, sections 4.3.1 and 4.3.4). The body is not kept: nobody is sent it.
//!
//! A datum is never changed; what a 304 freshens is another one with the same value. That there is nothing (404, 410) is one too, without a value.

use super::content::{Content, StorableFields};
use super::digest::Digest;
use super::policy::{Jitter, Windows};
use super::rules::{Terms, storable_fields};
use super::stored::{Revision, Stored};
use super::tag::Tags;
use crate::value::Value;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED, PRAGMA, VARY};
use std::sync::Arc;
use std::time::Instant;

/// The fields that the rules read when a stored response is validated, and when it is freshened.
static READ_AGAIN: [HeaderName; 9] = [
    CACHE_CONTROL,
    HeaderName::from_static("cache-groups"),
    HeaderName::from_static("cdn-cache-control"),
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    PRAGMA,
    VARY,
];

/// Memory for each line of a field, besides what it says.
const FIELD: usize = 128;

/// What was taken from a response.
#[derive(Debug, Clone)]
pub struct Extracted {
    /// The value; `None` if the response says that there is nothing.
    pub value: Option<Value>,
    /// Its digest, if that is known.
    pub digest: Option<Digest>,
    /// Bytes of memory that it takes.
    pub bytes: usize,
}

/// Data from an origin.
#[derive(Debug)]
pub struct Datum {
    stored: Arc<Stored>,
    terms: Terms,
    fields: HeaderMap,
    bytes: usize,
}

impl Datum {
    /// What was `taken` from a response of this `status` with these `fields`, which came at `now`, to be kept on these `terms`.
    pub fn new(
        taken: Extracted,
        (status, fields): (StatusCode, HeaderMap),
        terms: Terms,
        (now, jitter): (Instant, Jitter),
        tags: Tags,
        revision: Revision,
    ) -> Self {
        let Extracted { value, digest, bytes } = taken;
        let windows = terms.windows(now, jitter);
        let all = storable_fields(fields, &terms);
        let mut fields = HeaderMap::new();
        for name in &READ_AGAIN {
            for line in all.get_all(name) {
                fields.append(name.clone(), line.clone());
            }
        }
        let content = Content::new(StorableFields::default(), Bytes::new(), None);
        let stored = Stored::new(status, content, windows, tags, revision).made_of(digest);
        let stored = match value {
            Some(value) => stored.with_data(value, bytes),
            None => stored,
        };
        Self { stored: Arc::new(stored), terms, fields, bytes }
    }

    /// The same data, freshened: with the fields and on the terms that it has now.
    #[must_use]
    pub fn freshened(&self, fields: HeaderMap, terms: Terms, (now, jitter): (Instant, Jitter), tags: Tags) -> Self {
        let stored = &self.stored;
        let taken = Extracted { value: self.value().cloned(), digest: stored.digest(), bytes: self.bytes };
        Self::new(taken, (stored.status(), fields), terms, (now, jitter), tags, stored.revision())
    }

    /// The value; `None` if there is nothing.
    pub fn value(&self) -> Option<&Value> {
        self.stored.data()
    }

    /// The digest of the value, if that is known.
    pub fn digest(&self) -> Option<Digest> {
        self.stored.digest()
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.stored.status()
    }

    /// On what terms it is kept.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The fields of the response that validate and freshen it.
    pub fn fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// Its moments, a soft purge considered.
    pub fn windows(&self) -> Windows {
        self.stored.windows()
    }

    /// What it depends on.
    pub fn tags(&self) -> &Tags {
        self.stored.tags()
    }

    /// The declaration by which it was taken and is kept.
    pub fn revision(&self) -> Revision {
        self.stored.revision()
    }

    /// When it came.
    pub fn created(&self) -> Instant {
        self.stored.created()
    }

    /// Lets it rest from `now` on, because it could not be fetched anew.
    pub fn rest(&self, now: Instant) {
        self.stored.rest(now);
    }

    /// Whether an attempt to fetch it anew has failed so short a time before `now` that another would not be worth it.
    pub fn is_resting(&self, now: Instant) -> bool {
        self.stored.is_resting(now)
    }

    /// Bytes of memory that it takes.
    pub(super) fn size(&self) -> usize {
        let fields = self.fields.iter().map(|(_, value)| value.len() + FIELD);
        size_of::<Self>() + self.stored.size() + fields.sum::<usize>()
    }

    /// Declares it stale from `moment` on, at the latest.
    pub(super) fn soft_purge(&self, moment: Instant) {
        self.stored.soft_purge(moment);
    }
}
