//! Directives: as they are sent, and as our own store obeys them.

use super::decl::{Directives, Freshness, ServerDecl};
use crate::cache::{Allowance, Lifetime, NotStorable};
use crate::diagnostic::Spanned;
use crate::fields::{CacheControl, Scope};
use http::HeaderValue;
use std::time::Duration;

/// What one table says of keeping a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    words: CacheControl,
    /// Whether `s-maxage` is what the page's sources leave of it; `words` says zero then.
    pub(super) is_auto: bool,
}

impl Said {
    /// What a table says.
    pub(super) fn of(decl: &Directives) -> Self {
        let on = |flag: &Option<Spanned<bool>>| flag.is_some_and(|flag| flag.value);
        let time = |age: &Option<Spanned<Duration>>| age.map(|age| whole_seconds(age.value));
        let (s_maxage, is_auto) = freshness(decl.s_maxage);
        let words = CacheControl {
            public: on(&decl.public),
            private: on(&decl.private).then_some(Scope::Response),
            no_store: on(&decl.no_store),
            no_cache: on(&decl.no_cache).then_some(Scope::Response),
            must_revalidate: on(&decl.must_revalidate),
            no_transform: on(&decl.no_transform),
            immutable: on(&decl.immutable),
            max_age: time(&decl.max_age),
            s_maxage,
            stale_while_revalidate: time(&decl.stale_while_revalidate),
            stale_if_error: time(&decl.stale_if_error),
            ..CacheControl::default()
        };
        Self { words, is_auto }
    }

    /// What `[cache.server]` says.
    pub(super) fn of_server(decl: &ServerDecl) -> Self {
        let time = |age: &Option<Spanned<Duration>>| age.map(|age| whole_seconds(age.value));
        let (s_maxage, is_auto) = freshness(decl.s_maxage);
        let words = CacheControl {
            no_store: decl.no_store.is_some_and(|flag| flag.value),
            max_age: time(&decl.max_age),
            s_maxage,
            stale_while_revalidate: time(&decl.stale_while_revalidate),
            stale_if_error: time(&decl.stale_if_error),
            ..CacheControl::default()
        };
        Self { words, is_auto }
    }

    /// What the value of a field says.
    pub(super) fn read(field: &HeaderValue) -> Self {
        Self { words: CacheControl::parse([field.as_bytes()]), is_auto: false }
    }

    /// `s-maxage` alone means: shared caches keep it, browsers ask each time.
    pub(super) fn complete(&mut self) {
        let words = &mut self.words;
        if words.s_maxage.is_some() && !words.no_store {
            words.public = true;
        }
        if words.s_maxage.is_some() {
            words.max_age.get_or_insert(0);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words == CacheControl::default()
    }

    pub(super) fn is_public(&self) -> bool {
        self.words.public
    }

    pub(super) fn is_no_store(&self) -> bool {
        self.words.no_store
    }

    /// Whether no shared cache may keep anything, or nothing is said.
    pub(super) fn is_private(&self) -> bool {
        self.is_for_one() || self.is_empty()
    }

    /// Whether it says that no shared cache may keep anything.
    pub(super) fn is_for_one(&self) -> bool {
        self.words.private.is_some() || self.words.no_store
    }

    /// The same, said to the visitor's own cache alone.
    pub(super) fn keep_for_one(&mut self) {
        self.words.private = Some(Scope::Response);
    }

    /// The value of the field, of a page whose sources are fresh for `remaining`.
    pub(super) fn value(&self, remaining: Duration) -> HeaderValue {
        let text = if self.is_auto {
            CacheControl { s_maxage: Some(whole_seconds(remaining)), ..self.words.clone() }.write()
        } else {
            self.words.write()
        };
        // Nothing but words and numbers is written.
        HeaderValue::try_from(text).unwrap_or(super::NO_STORE)
    }

    /// The value of the field of a 404 that is fresh for `time`: as that of a page, but for the lifetimes.
    pub(super) fn of_not_found(&self, time: Duration) -> HeaderValue {
        let (words, time) = (&self.words, whole_seconds(time));
        let of_pages = words.max_age.unwrap_or(0);
        let is_for_all = words.s_maxage.is_none() && of_pages >= time;
        let not_found = CacheControl {
            public: words.public || (words.private.is_none() && !words.no_store && !is_for_all),
            private: words.private.clone(),
            no_store: words.no_store,
            no_transform: words.no_transform,
            max_age: (!words.no_store).then_some(of_pages.min(time)),
            s_maxage: (!is_for_all && words.private.is_none() && !words.no_store).then_some(time),
            ..CacheControl::default()
        };
        Self { words: not_found, is_auto: false }.value(Duration::ZERO)
    }

    /// What our store may do, as the shared cache it is.
    pub(super) fn allowance(&self, remaining: Duration) -> Result<Allowance, NotStorable> {
        let words = &self.words;
        let time = |age: Option<u32>| age.map(|age| Duration::from_secs(age.into()));
        let of_sources = || Duration::from_secs(whole_seconds(remaining).into());
        let lifetime = Lifetime {
            max_age: time(words.max_age),
            s_maxage: if self.is_auto { Some(of_sources()) } else { time(words.s_maxage) },
            stale_while_revalidate: time(words.stale_while_revalidate),
            stale_if_error: time(words.stale_if_error),
            no_store: words.no_store,
            no_cache: words.no_cache.is_some(),
            private: words.private.is_some(),
            must_revalidate: words.must_revalidate,
        };
        lifetime.allowance()
    }

    /// The value for people, who are told that a lifetime is that of the sources.
    pub(super) fn written(&self) -> String {
        let text = self.words.write();
        if self.is_auto { text.replace("s-maxage=0", "s-maxage=auto") } else { text }
    }
}

fn freshness(said: Option<Spanned<Freshness>>) -> (Option<u32>, bool) {
    match said.map(|said| said.value) {
        None => (None, false),
        Some(Freshness::For(time)) => (Some(whole_seconds(time)), false),
        Some(Freshness::Auto) => (Some(0), true),
    }
}

/// HTTP counts whole seconds; a page is never said to be fresh for longer than it is.
fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
