//! What an author writes of caches, for whoever it is: one vocabulary, whose table says who obeys it.

use crate::config::{Declared as _, Decode, Described, Node, Schema, Template, declare, not_a_word, wrong_type};
use crate::diagnostic::{Findings, Spanned};
use std::time::Duration;

declare! {
    /// Cache directives, in HTTP's own words (RFC 9111, section 5.2.2; RFC 5861; RFC 8246).
    pub struct Directives {
        /// Any cache may store it, even if the request carried a credential.
        "public": public: Spanned<bool>,
        /// Only the visitor's own cache may store it.
        "private": private: Spanned<bool>,
        /// Nobody stores it.
        "no-store": no_store: Spanned<bool>,
        /// Whoever stores it asks again before each use.
        "no-cache": no_cache: Spanned<bool>,
        /// It is never used stale.
        "must-revalidate": must_revalidate: Spanned<bool>,
        /// Nobody may change it on the way.
        "no-transform": no_transform: Spanned<bool>,
        /// It never changes, so that nobody asks for it while it is fresh: for paths that name what they hold by its content.
        "immutable": immutable: Spanned<bool>,
        /// How long it is fresh in any cache.
        "max-age": max_age: Spanned<Duration>,
        /// How long it is fresh in shared caches, our own page store among them; `"auto"`: as long as all HTTP sources of the page are.
        "s-maxage": s_maxage: Spanned<Freshness>,
        /// How long after that it may be served while it is made anew.
        "stale-while-revalidate": stale_while_revalidate: Spanned<Duration>,
        /// How long after that it may be served when it cannot be made anew.
        "stale-if-error": stale_if_error: Spanned<Duration>,
    }
}

declare! {
    /// A cache policy by name, for `cache = "name"` or `profile = "name"` in `[cache]`. One that is called as a built-in one replaces it.
    pub struct ProfileDecl {
        ..directives: Directives,
        /// Names by which pages are purged, with placeholders: `["products", "product:{params.id}"]`. A list gives a tag for each item, and
        /// a null none.
        "tags": tags: Vec<Spanned<Template>>,
        /// How long a 404 of the route is fresh, in shared caches and in our own page store; default: nobody keeps it.
        "not-found": not_found: Spanned<Duration>,
        /// How long a page that does without a source is kept, in our own page store alone; default: not at all.
        "degraded": degraded: Spanned<Duration>,
        /// How many copies of one URL our own page store keeps that differ only in what header fields of requests say, 1 to 1000; beyond, the
        /// ones that were made first make room. Default 64.
        "variants": variants: Spanned<usize>,
        /// What our own page store obeys instead of the directives around it. It is not sent.
        "server": server: ServerDecl,
        /// What caches of content delivery networks obey instead.
        "cdn": cdn: CdnDecl,
    }
}

declare! {
    /// What everybody downstream, and our own page store, may do with a page.
    pub struct Decl {
        ..rules: ProfileDecl,
        /// The policy that this one begins with; what is written beside it wins. Built in, with `s-maxage` and `stale-while-revalidate`:
        /// `seconds` (1s, 59s), `minutes` (1m, 59m), `hours` (1h, 23h), `days` (1d, 6d), `weeks` (7d, 23d), `max` (30d, 335d). Others are
        /// declared in `[cache-profiles]`.
        "profile": profile: Spanned<String>,
        /// Of a proxy: whether what is written here holds against all that the upstream says, also against its `no-store` and `private`; default
        /// `false`, so that a lifetime written here takes the place of the upstream's and nothing else does.
        "override": overrides: Spanned<bool>,
        /// Of a proxy: whether an answer that says no lifetime, and when it changed last, is taken to be fresh for a tenth of the time since, for a
        /// day at most (RFC 9111, section 4.2.2); default `true`.
        "heuristic": heuristic: Spanned<bool>,
        /// Of a proxy: whether the `Cache-Control` of requests is obeyed (RFC 9111, section 5.2.1); default `true`. Without, no visitor can have
        /// the upstream asked while there is something fresh.
        "request-directives": request_directives: Spanned<bool>,
    }
}

declare! {
    /// What our own page store obeys instead of the directives around it. It is not sent.
    pub struct ServerDecl {
        /// Nothing is stored.
        "no-store": no_store: Spanned<bool>,
        /// How long a page is fresh.
        "max-age": max_age: Spanned<Duration>,
        /// The same; `"auto"`: as long as all HTTP sources of the page are.
        "s-maxage": s_maxage: Spanned<Freshness>,
        /// How long after that it may be served while it is made anew.
        "stale-while-revalidate": stale_while_revalidate: Spanned<Duration>,
        /// How long after that it may be served when it cannot be made anew.
        "stale-if-error": stale_if_error: Spanned<Duration>,
    }
}

declare! {
    /// What caches of content delivery networks obey instead of the directives around it: sent as `CDN-Cache-Control` (RFC 9213).
    pub struct CdnDecl {
        ..directives: Directives,
        /// The field in which the tags of a page are sent to them: `"Cache-Tag"` with commas between, `"Surrogate-Key"` with spaces; default
        /// none.
        "tag-header": tag_header: Spanned<String>,
    }
}

/// How long a page is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// So long.
    For(Duration),
    /// As long as all HTTP sources of the page are.
    Auto,
}

/// The word for [`Freshness::Auto`].
pub(super) const AUTO: &str = "auto";

impl Described for Freshness {
    fn schema() -> Schema {
        Schema::Either(vec![Duration::schema(), Schema::words([AUTO])])
    }
}

impl Decode for Freshness {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.as_text() {
            Some(text) if text.content == AUTO => Some(Self::Auto),
            Some(text) if text.content.chars().all(char::is_alphabetic) => {
                findings.push(
                    not_a_word(node, Some(&text.content), &[AUTO]).help("a duration such as \"10s\", or \"auto\""),
                );
                None
            }
            Some(_) | None => Duration::decode(node, findings).map(Self::For),
        }
    }
}

/// What a route says of caches: a table, or the name of a profile.
#[derive(Debug, Clone)]
pub struct Setting(pub Decl);

impl Described for Setting {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::text("the name of a profile", None), Decl::schema()])
    }
}

impl Decode for Setting {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Some(name) = node.as_text() {
            let mut decl = Decl::empty(node.place);
            decl.profile = Some(Spanned::new(name.content.clone(), node.place));
            return Some(Self(decl));
        }
        if node.as_table().is_some() {
            return Decl::decode(node, findings).map(Self);
        }
        findings.push(wrong_type(node, "a table, or the name of a profile"));
        None
    }
}
