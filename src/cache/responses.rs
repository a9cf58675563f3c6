//! What is stored of one URL of an origin: responses among which requests choose by their fields (RFC 9111, section 4.1).
//!
//! They are one entry of the store: what makes one of them invalid makes all of them so (section 4.4), and they come and go together. The list is
//! never changed; who adds to it makes another.

use super::content::{CACHE_STATUS, Content, StorableFields};
use super::policy::{Jitter, Windows};
use super::rules::{KnownVary, StoredUnder, Terms, freshen};
use super::stored::{Revision, Stored};
use super::tag::Tags;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// A response as an origin sent it.
#[derive(Debug)]
pub struct Received {
    stored: Stored,
    terms: Terms,
    under: StoredUnder,
}

impl Received {
    /// A response that came at `now`, with the `fields` that are stored of it, on these `terms`, to be found `under` these keys.
    pub fn new(
        (status, fields, body): (StatusCode, HeaderMap, Bytes),
        terms: Terms,
        under: StoredUnder,
        now: Instant,
        revision: Revision,
    ) -> Self {
        let windows = terms.windows(now, Jitter::NONE);
        let content = Content::received(StorableFields::received(fields), body);
        Self { stored: Stored::new(status, content, windows, Vec::new(), revision), terms, under }
    }

    /// What is sent of it.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// On what terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The keys that it is found under.
    pub fn under(&self) -> &StoredUnder {
        &self.under
    }

    /// Its fields, as they are stored.
    pub fn fields(&self) -> &HeaderMap {
        self.stored.content().identity().prepared_fields()
    }

    /// Its fields after an `update` that was received then (section 3.2), without the cookies of that, which are for whoever it answered.
    pub fn freshened(&self, update: &HeaderMap, received: SystemTime) -> HeaderMap {
        let mut fields = freshen(self.fields(), update, received, false);
        // What is told of each exchange has a place there, which is empty.
        if fields.get(CACHE_STATUS).is_some_and(HeaderValue::is_empty) {
            fields.remove(CACHE_STATUS);
        }
        fields
    }

    /// Its content.
    pub fn body(&self) -> &Bytes {
        self.stored.content().identity().body()
    }

    /// Its moments, a soft purge considered.
    pub fn windows(&self) -> Windows {
        self.stored.windows()
    }

    fn size(&self) -> usize {
        let under =
            self.under.key.as_bytes().len() + self.under.by_language.as_ref().map_or(0, |key| key.as_bytes().len());
        size_of::<Terms>() + size_of::<StoredUnder>() + self.stored.size() + under
    }
}

/// The responses of one URL.
#[derive(Debug)]
pub struct Responses {
    known: KnownVary,
    /// The latest in front.
    list: Vec<Arc<Received>>,
    tags: Tags,
    revision: Revision,
}

impl Responses {
    /// None, of a URL whose responses have these `tags`.
    pub fn none(tags: Tags, revision: Revision) -> Self {
        Self { known: KnownVary::default(), list: Vec::new(), tags, revision }
    }

    /// The response that was chosen by what this request says too, if there is one (section 4.1).
    pub fn select(&self, request: &HeaderMap) -> Option<&Arc<Received>> {
        // Most are chosen by nothing.
        if let [only] = self.list.as_slice()
            && only.terms.vary.is_empty()
        {
            return Some(only);
        }
        self.known.keys(request).find_map(|(names, key)| {
            let is_it = |received: &&Arc<Received>| {
                let under = &received.under;
                received.terms.vary == *names && (under.key == key || under.by_language.as_ref() == Some(&key))
            };
            self.list.iter().find(is_it)
        })
    }

    /// All of them, the latest first.
    pub fn all(&self) -> &[Arc<Received>] {
        &self.list
    }

    /// What they depend on.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The revision of the site for which they were fetched.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// These and `received`, which has these `tags`, in place of the one that is found under the same key; the oldest beyond `most` are dropped, and those beyond so many
    /// `bytes`. How many were.
    #[must_use]
    pub fn with(&self, received: &Arc<Received>, tags: &Tags, (most, bytes): (usize, usize)) -> (Self, usize) {
        let mut known = self.known.clone();
        let forgotten = known.note(&received.terms.vary);
        let is_other = |there: &&Arc<Received>| {
            let is_replaced = there.terms.vary == received.terms.vary && there.under.key == received.under.key;
            !is_replaced && forgotten.as_ref() != Some(&there.terms.vary)
        };
        let mut room = bytes.saturating_sub(received.size());
        let mut list = vec![Arc::clone(received)];
        let mut dropped = 0;
        for there in self.list.iter().filter(is_other) {
            let size = there.size();
            if list.len() < most.max(1) && size <= room {
                room -= size;
                list.push(Arc::clone(there));
            } else {
                dropped += 1;
            }
        }
        (Self { known, list, tags: self.tags.and(tags), revision: self.revision }, dropped)
    }

    /// These without `received`.
    #[must_use]
    pub fn without(&self, received: &Arc<Received>) -> Self {
        let list = self.list.iter().filter(|there| !Arc::ptr_eq(there, received)).cloned().collect();
        Self { known: self.known.clone(), list, tags: self.tags.clone(), revision: self.revision }
    }

    /// Bytes of memory that they take.
    pub(super) fn size(&self) -> usize {
        let list = self.list.iter().map(|received| received.size() + size_of::<usize>());
        size_of::<Self>() + 2 * size_of::<usize>() + list.sum::<usize>() + self.tags.size()
    }

    /// Declares all of them stale from `moment` on, at the latest.
    pub(super) fn soft_purge(&self, moment: Instant) {
        self.list.iter().for_each(|received| received.stored.soft_purge(moment));
    }
}
