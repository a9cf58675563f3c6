//! A stored response (RFC 9111, section 3): what the store keeps under a key.
//!
//! It is made once, from a complete response, and never changed; only its codings are added, and a soft purge can declare it stale
//! early. Everything that a hit needs is here as it is sent.

use super::content::{Content, StorableFields};
use super::digest::Digest;
use super::policy::{Jitter, Verdict, Windows};
use super::tag::Tags;
use crate::value::Value;
use bytes::Bytes;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The revision of a site: equal for equal sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Revision(pub u64);

/// Never declared stale; see [`Stored::soft_purged`].
const NOT_PURGED: u64 = u64::MAX;

/// A stored response.
#[derive(Debug)]
pub struct Stored {
    status: StatusCode,
    content: Arc<Content>,
    /// Of what the content was made, if that is known.
    digest: Option<Digest>,
    windows: Windows,
    tags: Tags,
    revision: Revision,
    data: Option<Data>,
    is_bare: bool,
    /// Nanoseconds from its making to the soft purge that declared it stale; [`NOT_PURGED`] if none did.
    soft_purged: AtomicU64,
    /// Nanoseconds from its making to the end of its rest after an attempt to make it anew that failed; 0 if none did.
    rests_until: AtomicU64,
}

/// What a response says, for those in this process who need not read its bytes.
#[derive(Debug)]
struct Data {
    value: Value,
    bytes: usize,
}

impl Stored {
    /// A complete response, kept as long as `windows` allow.
    pub fn new(
        status: StatusCode,
        content: impl Into<Arc<Content>>,
        windows: Windows,
        tags: impl Into<Tags>,
        revision: Revision,
    ) -> Self {
        let (soft_purged, rests_until) = (AtomicU64::new(NOT_PURGED), AtomicU64::new(0));
        Self {
            status,
            content: content.into(),
            digest: None,
            windows,
            tags: tags.into(),
            revision,
            data: None,
            is_bare: false,
            soft_purged,
            rests_until,
        }
    }

    /// A response that has no content of its own: the page for its `status`, which is written anew for each who asks.
    pub fn bare(status: StatusCode, windows: Windows, tags: impl Into<Tags>, revision: Revision) -> Self {
        let content = Content::new(StorableFields::default(), Bytes::new(), None);
        Self { is_bare: true, ..Self::new(status, content, windows, tags, revision) }
    }

    /// Whether the page for its status stands for its content.
    pub fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// The same, with the digest of what its content was made of.
    #[must_use]
    pub fn made_of(self, digest: Option<Digest>) -> Self {
        Self { digest, ..self }
    }

    /// The digest of all that its content was made of: what has the same one has the same content, but for what caches are told.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same, with what it says, which takes so many bytes of memory.
    #[must_use]
    pub fn with_data(self, value: Value, bytes: usize) -> Self {
        Self { data: Some(Data { value, bytes }), ..self }
    }

    /// What it says, if that was kept beside its bytes.
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref().map(|data| &data.value)
    }

    /// The status it is sent with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Fields and body, in every coding. What is made of the same again shares them.
    pub fn content(&self) -> &Arc<Content> {
        &self.content
    }

    /// Whether its fields and body are those of `other`, codings that are made later included.
    pub(super) fn shares_content_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.content, &other.content)
    }

    /// What it depends on.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The revision of the site that made it.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When it was made.
    pub fn created(&self) -> Instant {
        self.windows.created()
    }

    /// What may be done with it at `now`.
    pub fn verdict(&self, now: Instant) -> Verdict {
        self.windows().verdict(now)
    }

    /// How old it is at `now`.
    pub fn age(&self, now: Instant) -> Duration {
        self.windows.age(now)
    }

    /// Its moments, a soft purge considered.
    pub fn windows(&self) -> Windows {
        match self.soft_purged.load(Ordering::Relaxed) {
            NOT_PURGED => self.windows,
            nanoseconds => self.windows.stale_from(self.created() + Duration::from_nanos(nanoseconds)),
        }
    }

    /// Lets it rest from `now` on, because it could not be made anew.
    pub fn rest(&self, now: Instant) {
        let elapsed = self.elapsed(now);
        // Each rest has another length, and so have those of different responses that failed at once.
        let rest = Jitter::from_bits(elapsed).rest();
        let until = elapsed.saturating_add(u64::try_from(rest.as_nanos()).unwrap_or_default());
        self.rests_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Whether an attempt to make it anew has failed so short a time before `now` that another would not be worth it.
    pub fn is_resting(&self, now: Instant) -> bool {
        self.elapsed(now) < self.rests_until.load(Ordering::Relaxed)
    }

    /// Nanoseconds from its making to `moment`; five centuries fit.
    fn elapsed(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.created()).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Bytes of memory that it takes, with the codings made so far, and with the counts of those who have it.
    pub fn size(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |data| data.bytes);
        // What it is and its content are shared: each has the counts of those who have it.
        size_of::<Self>() + 4 * size_of::<usize>() + self.content.size() + self.tags.size() + data
    }

    /// Declares it stale from `moment` on, at the latest.
    pub fn soft_purge(&self, moment: Instant) {
        // The earliest of several purges counts.
        let nanoseconds = self.elapsed(moment).min(NOT_PURGED - 1);
        self.soft_purged.fetch_min(nanoseconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Lifetime;
    use http::HeaderMap;

    #[test]
    fn what_failed_to_be_made_anew_rests_for_about_a_second() {
        let created = Instant::now();
        let lifetime = Lifetime { s_maxage: Some(Duration::from_secs(10)), ..Lifetime::default() };
        let windows = lifetime.allowance().unwrap().from(created, Duration::ZERO, Jitter::NONE);
        let content = Content::new(StorableFields::new(HeaderMap::new()).unwrap(), Bytes::new(), None);
        let stored = Stored::new(StatusCode::OK, content, windows, Vec::new(), Revision(1));
        let after = |milliseconds| created + Duration::from_millis(milliseconds);
        assert!(!stored.is_resting(created) && !stored.is_resting(after(20_000)), "nothing has failed");
        stored.rest(after(20_000));
        for (moment, expected) in [(20_000, true), (20_989, true), (21_101, false), (30_000, false)] {
            assert_eq!(stored.is_resting(after(moment)), expected, "{moment}");
        }
        stored.rest(after(21_200));
        stored.rest(after(20_500));
        assert!(stored.is_resting(after(22_100)), "the last to fail counts, whoever says so first");
    }
}
