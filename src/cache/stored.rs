//! A stored response (RFC 9111, section 3): what the store keeps under a key.
//!
//! It is made once, from a complete response, and never changed; only its codings are added, and a soft purge can declare it stale
//! early. Everything that a hit needs is here as it is sent.

use super::content::Content;
use super::policy::{Jitter, Verdict, Windows};
use super::tag::Tags;
use crate::value::Value;
use http::StatusCode;
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
    content: Content,
    windows: Windows,
    tags: Tags,
    revision: Revision,
    data: Option<Data>,
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
        content: Content,
        windows: Windows,
        tags: impl Into<Tags>,
        revision: Revision,
    ) -> Self {
        let (soft_purged, rests_until) = (AtomicU64::new(NOT_PURGED), AtomicU64::new(0));
        Self { status, content, windows, tags: tags.into(), revision, data: None, soft_purged, rests_until }
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

    /// Fields and body, in every coding.
    pub fn content(&self) -> &Content {
        &self.content
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
        let itself = size_of::<Self>() - size_of::<Content>() + self.content.size();
        2 * size_of::<usize>() + itself + self.tags.size() + data
    }

    /// Declares it stale from `moment` on, at the latest.
    pub(super) fn soft_purge(&self, moment: Instant) {
        // The earliest of several purges counts.
        let nanoseconds = self.elapsed(moment).min(NOT_PURGED - 1);
        self.soft_purged.fetch_min(nanoseconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Lifetime, StorableFields};
    use bytes::Bytes;
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
