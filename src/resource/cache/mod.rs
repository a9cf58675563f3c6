//! The `[cache]` table: what everybody downstream, content delivery networks and our own page store may do with a page.
//!
//! | Module | Holds |
//! |---|---|
//! | `decl` | what an author writes |
//! | `profile` | policies by name, put in the place of their names before anything is read |
//! | `proxied` | the same table on a route that passes an upstream's answers on |
//! | `said` | directives as they are sent, and as our store obeys them |
//! | `contradiction` | what cannot be meant together |
//! | `settings` | what is written, for those who ask where a setting comes from |
//! | `tag_header` | the tags of a page as networks take them |
//!
//! Whose table says something is known here, and what it comes to for a page, for a 404, for a page that lacks data. Whether a page is one
//! person's, and what a request came to, is not.

mod contradiction;
mod decl;
mod profile;
mod proxied;
mod said;
mod settings;
mod tag_header;

pub(super) use decl::Setting;
pub use decl::{Decl, Freshness, ProfileDecl};
pub use profile::Profiles;
pub use proxied::ProxyCache;
pub use settings::CacheSetting;
pub use tag_header::TagHeader;

use crate::cache::{Allowance, Lifetime, NotStorable};
use crate::config::BAD_VALUE;
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use http::HeaderValue;
use said::Said;
use std::time::Duration;

/// What a route's answers may be used for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What is sent as `Cache-Control`.
    downstream: Said,
    /// The same as a field; of `s-maxage = "auto"` as if nothing were known of any source.
    pub field: HeaderValue,
    /// What is sent as `CDN-Cache-Control`, if anything is.
    cdn: Said,
    /// What our page store obeys.
    store: Said,
    /// How long a 404 is fresh.
    not_found: Option<Duration>,
    /// How long our store keeps a page that lacks data.
    degraded: Option<Duration>,
    /// How many pages of one URL our store keeps that differ in what fields of requests say.
    pub variants: usize,
    /// Where content delivery networks read the tags of a page.
    tag_header: Option<TagHeader>,
    /// Where it was declared; `None` for what is derived.
    pub declared: Option<Place>,
    /// Why `field` is not what was declared, or what it is without a declaration.
    pub derived: Option<&'static str>,
    /// What is written of it, key by key.
    pub settings: Vec<CacheSetting>,
    /// Whether only the visitor may keep anything, because the URL alone does not tell whose page it is.
    is_off_the_way: bool,
    /// Whether nothing is written of what is sent downstream.
    is_unsaid: bool,
}

/// For whom it depends on the sources of a page how long it is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auto {
    /// Everybody downstream.
    pub downstream: bool,
    /// Content delivery networks that have directives of their own.
    pub cdn: bool,
    /// Our page store.
    pub store: bool,
}

/// As many as there are browsers or languages that many visitors have.
const VARIANTS: usize = 64;
/// The most that a declaration may allow: all are looked through where one is stored beyond what may be.
const MOST_VARIANTS: usize = 1000;
/// Sent with what nobody keeps.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Sent with what only our own store and the visitor keep, who asks before each use.
const OFF_THE_WAY: HeaderValue = HeaderValue::from_static("private, no-cache");

impl Policy {
    fn derived(field: HeaderValue, why: &'static str) -> Self {
        Self {
            downstream: Said::read(&field),
            field,
            cdn: Said::default(),
            store: Said::default(),
            not_found: None,
            degraded: None,
            variants: VARIANTS,
            tag_header: None,
            declared: None,
            derived: Some(why),
            settings: Vec::new(),
            is_off_the_way: false,
            is_unsaid: true,
        }
    }

    /// The policy of a public page that declares none: kept by anybody, asked about each time.
    pub fn revalidate() -> Self {
        let why = "nothing is declared: anybody may keep a public page, and asks before each use";
        Self::derived(HeaderValue::from_static("no-cache"), why)
    }

    /// The policy of a personal page that declares none.
    pub fn personal() -> Self {
        let why = "the page is one person's, and nothing else is declared";
        Self::derived(HeaderValue::from_static("private, no-store"), why)
    }

    /// A policy that lets nobody keep anything, our own store neither: not even to compare it.
    fn kept_by_nobody(why: &'static str) -> Self {
        let policy = Self::derived(HeaderValue::from_static("private, no-store"), why);
        Self { store: policy.downstream.clone(), ..policy }
    }

    /// The policy of an answer that sets a cookie.
    pub fn for_one_answer() -> Self {
        Self::kept_by_nobody("the answer sets a cookie, which is for one visitor")
    }

    /// The policy of a guarded page that declares none.
    pub fn guarded() -> Self {
        Self::kept_by_nobody("the page is guarded, and nothing else is declared")
    }

    /// Makes it one for a guarded page that is the same for all who may have it: our store keeps it as declared, behind the guard, and
    /// nobody on the way does.
    pub fn keep_behind_guard(&mut self) {
        if self.is_unsaid {
            let Self { field, downstream, derived, .. } = Self::guarded();
            (self.field, self.downstream, self.derived) = (field, downstream, derived);
        } else if !self.downstream.is_for_one() {
            self.downstream.keep_for_one();
            self.field = self.downstream.value(Duration::ZERO);
            self.derived = Some("the page is guarded: no shared cache may keep it");
        }
        self.cdn = Said::default();
        self.tag_header = None;
        self.is_off_the_way = true;
    }

    /// This policy, declared of a page that is one person's, for what it is to all who carry nothing that says who they are: our store keeps
    /// that as declared, and caches on the way keep nothing.
    #[must_use]
    pub fn of_the_anonymous(&self) -> Self {
        let mut policy = self.clone();
        policy.keep_from_the_way();
        policy.derived =
            Some("all who carry no credential share one copy in our store, and caches on the way keep none");
        policy
    }

    /// Makes it one for a page that is one person's: what is written is said to the visitor alone. Without `private` or `no-store` a shared cache
    /// might keep the page, and `must-revalidate` would even let it where the request had a credential (RFC 9111, section 3.5).
    pub fn keep_for_one(&mut self) {
        if self.downstream.is_for_one() {
            return;
        }
        if self.is_unsaid {
            let Self { field, downstream, derived, .. } = Self::personal();
            (self.field, self.downstream, self.derived) = (field, downstream, derived);
        } else {
            self.downstream.keep_for_one();
            self.field = self.downstream.value(Duration::ZERO);
            self.derived = Some("the page is one person's: no shared cache may keep it");
        }
    }

    /// The same for a page of which a cookie chooses the variant: our store keeps one for each, and caches on the way keep none.
    pub fn keep_from_the_way(&mut self) {
        if !self.is_no_store() {
            self.field = OFF_THE_WAY;
            self.downstream = Said::read(&self.field);
        }
        self.cdn = Said::default();
        self.tag_header = None;
        self.is_off_the_way = true;
        self.derived =
            Some("a cookie chooses among its variants: our store keeps one for each, and caches on the way none");
    }

    /// Whether it lets caches on the way keep anything.
    pub fn is_for_the_way(&self) -> bool {
        let keeps = |said: &Said| said.allowance(Duration::MAX).is_ok();
        keeps(&self.downstream) || self.downstream.is_public() || !self.cdn.is_private()
    }

    /// Whether it lets nobody keep the page, not even the visitor.
    pub fn is_no_store(&self) -> bool {
        self.downstream.is_no_store()
    }

    /// Whether everybody downstream but the visitor is told to keep nothing.
    pub fn is_private(&self) -> bool {
        self.downstream.is_private()
    }

    /// Whether it says that a shared cache, such as our store, may not have the page. What is in our store all the same is there to be compared
    /// with what would be made anew, and is no stored response to anybody.
    pub fn is_for_visitors_alone(&self) -> bool {
        self.allowance(Duration::MAX) == Err(NotStorable::Private)
    }

    /// Whether it lets our store keep anything.
    pub fn may_store(&self) -> bool {
        self.allowance(Duration::MAX).is_ok() || self.not_found().is_some() || self.degraded().is_some()
    }

    /// Whether it lets our store keep anything at all, if only to be compared with what would be made anew.
    pub fn may_keep(&self) -> bool {
        self.may_store() || self.allowance(Duration::MAX) != Err(NotStorable::NoStore)
    }

    /// Whether it lets anybody downstream keep the page: the visitor, or a network.
    pub fn may_be_kept_downstream(&self) -> bool {
        !self.downstream.is_no_store() || !self.cdn.is_private()
    }

    /// For whom it depends on the sources of a page how long it is fresh.
    pub fn auto(&self) -> Auto {
        Auto { downstream: self.downstream.is_auto, cdn: self.cdn.is_auto, store: self.store.is_auto }
    }

    /// For how long our store keeps a page whose sources are fresh for `remaining`, and what it may do with it.
    pub fn allowance(&self, remaining: Duration) -> Result<Allowance, NotStorable> {
        self.store.allowance(remaining)
    }

    /// For how long our store keeps a page that lacks data; not at all if nothing is declared.
    pub fn degraded(&self) -> Option<Allowance> {
        fresh_for(self.degraded?)
    }

    /// For how long our store keeps a 404; not at all if nothing is declared.
    pub fn not_found(&self) -> Option<Allowance> {
        fresh_for(self.not_found?)
    }

    /// The value of `Cache-Control` for a page whose sources are fresh for `remaining`.
    pub fn cache_control(&self, remaining: Duration) -> HeaderValue {
        if self.downstream.is_auto { self.downstream.value(remaining) } else { self.field.clone() }
    }

    /// The value of `CDN-Cache-Control`, if it is sent.
    pub fn cdn_cache_control(&self, remaining: Duration) -> Option<HeaderValue> {
        (!self.cdn.is_empty()).then(|| self.cdn.value(remaining))
    }

    /// The value of `Cache-Control` for a 404, and for how long our store keeps it. Browsers keep it no longer than a page.
    pub fn not_found_cache_control(&self) -> HeaderValue {
        match self.not_found.filter(|_| self.not_found().is_some()) {
            None => NO_STORE,
            Some(_) if self.is_off_the_way => OFF_THE_WAY,
            Some(fresh) => self.downstream.of_not_found(fresh),
        }
    }

    /// Where content delivery networks read the tags of what they may store: of a page, or of a 404.
    pub fn tag_header(&self, is_not_found: bool) -> Option<&TagHeader> {
        let obeyed = if is_not_found || self.cdn.is_empty() { &self.downstream } else { &self.cdn };
        self.tag_header.as_ref().filter(|_| !obeyed.is_no_store() && !obeyed.is_private())
    }

    /// Whether anything is sent with its tags.
    pub fn sends_tags(&self) -> bool {
        [false, true].into_iter().any(|is_not_found| self.tag_header(is_not_found).is_some())
    }

    /// `Cache-Control` as people read it.
    pub fn written(&self) -> String {
        self.downstream.written()
    }

    /// What a `[cache]` table says.
    pub fn compile(decl: &Decl, findings: &mut Findings) -> Self {
        let settings = settings::of(decl);
        Self { declared: Some(decl.place), settings, ..Self::of_rules(&decl.rules, decl.profile.as_ref(), findings) }
    }

    /// What the keys of a profile say.
    pub(super) fn of_profile(decl: &ProfileDecl, findings: &mut Findings) -> Self {
        Self::of_rules(decl, None, findings)
    }

    /// What keys say that may begin with a profile.
    fn of_rules(decl: &ProfileDecl, profile: Option<&Spanned<String>>, findings: &mut Findings) -> Self {
        contradiction::find(decl, profile, findings);
        let mut downstream = Said::of(&decl.directives);
        downstream.complete();
        let cdn = decl.cdn.as_ref().map(|cdn| Said::of(&cdn.directives)).unwrap_or_default();
        let store = decl.server.as_ref().map(Said::of_server).unwrap_or_default();
        let value = |said: &Option<Spanned<Duration>>| said.map(|said| said.value);
        let base = if downstream.is_empty() {
            Self { derived: None, ..Self::revalidate() }
        } else {
            let field = downstream.value(Duration::ZERO);
            Self { field, downstream, derived: None, is_unsaid: false, ..Self::revalidate() }
        };
        Self {
            store: if store.is_empty() { base.downstream.clone() } else { store },
            cdn,
            not_found: value(&decl.not_found),
            degraded: value(&decl.degraded),
            variants: variants(decl.variants, findings),
            tag_header: decl
                .cdn
                .as_ref()
                .and_then(|cdn| cdn.tag_header.as_ref())
                .and_then(|name| TagHeader::compile(name, findings)),
            declared: Some(decl.place),
            ..base
        }
    }
}

/// How many pages of one URL may be kept that differ in what fields of requests say.
fn variants(said: Option<Spanned<usize>>, findings: &mut Findings) -> usize {
    let Some(said) = said else { return VARIANTS };
    if !(1..=MOST_VARIANTS).contains(&said.value) {
        let message = format!("`{}` is not between 1 and {MOST_VARIANTS}", said.value);
        let help = "say how many copies of one URL are worth their place: variants = 20";
        findings.push(Finding::new(&BAD_VALUE, said.place, message).help(help));
    }
    said.value
}

/// The allowance of what is fresh for so long, and then gone.
fn fresh_for(time: Duration) -> Option<Allowance> {
    Lifetime { s_maxage: Some(time), ..Lifetime::default() }.allowance().ok()
}

#[cfg(test)]
mod tests;
