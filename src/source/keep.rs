//! What is kept of the answers to a source's calls: `cache` on a source, or on an upstream for all of its sources.
//!
//! siteserver is the cache in front of that upstream (RFC 9111); nothing written, nothing kept. What is declared is read here, and what it comes to
//! as settings of the rules. Keeping itself is done elsewhere.

use super::code;
use super::decl::Decl;
use super::piece::refuse_secrets;
use crate::cache::rules::{Audience, Cookies, Rank, Settings, Written};
use crate::cache::{Digest, Digester};
use crate::config::{
    BAD_VALUE, Binding, Declared as _, Decode, Described, Environment, Kind, Node, Reference, Schema, Table, Template,
    declare, not_a_word, wrong_type,
};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use std::sync::Arc;
use std::time::Duration;

/// How long an absence is kept at most if only the lifetime of data is declared.
const ABSENCE: Duration = Duration::from_secs(10);

/// The word for what the upstream says.
pub(super) const UPSTREAM: &str = "upstream";

declare! {
    /// What siteserver keeps of what an upstream answers, as the cache in front of it. What is not written is as the upstream says (RFC 9111).
    pub(super) struct KeepDecl {
        /// How long data is fresh, whatever lifetime the upstream says. Its `no-store`, `private` and `Vary: *` still keep it from being stored.
        "max-age": max_age: Spanned<Duration>,
        /// How long after that it is used while it is fetched anew in the background.
        "stale-while-revalidate": stale_while_revalidate: Spanned<Duration>,
        /// How long after that it stands for the source when that is in trouble, before `on-error` has a say.
        "stale-if-error": stale_if_error: Spanned<Duration>,
        /// How long it is remembered that there is nothing (404, 410); default: as long as the upstream says, or as `max-age`, but for 10 seconds
        /// at most. `"0s"` remembers nothing.
        "not-found": not_found: Spanned<Duration>,
        /// Names by which it is purged, with placeholders: `["products", "product:{params.id}"]`. `source:NAME` and `source:NAME?PARAMETERS` are
        /// among them without being written.
        "tags": tags: Vec<Spanned<Template>>,
        /// Whether what is written here holds against all that the upstream says, also against its `no-store`, `private` and `Vary: *`; default
        /// `false`.
        "override": overrides: Spanned<bool>,
        /// Whether data that says no lifetime, and when it changed last, is taken to be fresh for a tenth of the time since, for a day at most
        /// (RFC 9111, section 4.2.2); default `false`.
        "heuristic": heuristic: Spanned<bool>,
        /// The cache profile whose lifetimes these are; what is written beside it wins. Of a profile counts `s-maxage`, or else `max-age`, as
        /// `max-age`; `stale-while-revalidate`, `stale-if-error` and `not-found`.
        "profile": profile: Spanned<String>,
    }
}

/// What may be written for `cache`: whether anything is kept, as whom, or by what table.
pub(super) struct Setting;

impl Described for Setting {
    fn schema() -> Schema {
        let word = Schema::text("`upstream`, which is `true`, or the name of a profile", None);
        Schema::Either(vec![Schema::Boolean, word, KeepDecl::schema()])
    }
}

/// What is kept of the answers to a source's calls.
#[derive(Debug, Clone)]
pub struct Keep<R = Reference> {
    /// How long data is fresh.
    pub max_age: Option<Duration>,
    /// How long after that it is used while it is fetched anew.
    pub stale_while_revalidate: Option<Duration>,
    /// How long after that it stands for the source when that is in trouble.
    pub stale_if_error: Option<Duration>,
    /// How long an absence is remembered.
    pub not_found: Option<Duration>,
    /// Whether that holds against all that the upstream says.
    pub overrides: bool,
    /// Whether lifetimes are guessed.
    pub heuristic: bool,
    /// Declared tags.
    pub tags: Vec<Arc<str>>,
    /// Those with placeholders.
    pub changing_tags: Vec<Template<R>>,
    /// All of these as they are written.
    pub written_tags: Vec<String>,
    /// Where it was written.
    pub place: Place,
    /// What two sources must share to find what the other has kept: their name, what they take from an answer, and all of this.
    pub digest: Digest,
}

impl Keep {
    /// What is declared in `node`; `None` if nothing is kept, or after a finding.
    pub(super) fn compile(node: &Node, environment: &Environment, findings: &mut Findings) -> Option<Self> {
        let decl = match &node.kind {
            Kind::Bool(false) => return None,
            Kind::Bool(true) => KeepDecl::empty(node.place),
            Kind::String(text) if text.content == UPSTREAM => KeepDecl::empty(node.place),
            Kind::String(text) => {
                // Profiles have been put in the place of their names.
                findings.push(not_a_word(node, Some(&text.content), &[UPSTREAM]));
                return None;
            }
            Kind::Table(table) => KeepDecl::decode(&without_misplaced(table, node, findings), findings)?,
            Kind::Int(_) | Kind::Float(_) | Kind::Datetime(_) | Kind::Array(_) => {
                findings.push(wrong_type(node, "`true`, `\"upstream\"` or a table"));
                return None;
            }
        };
        contradictions(&decl, findings);
        let KeepDecl {
            place,
            lost: _,
            max_age,
            stale_while_revalidate,
            stale_if_error,
            not_found,
            tags: written_tags,
            overrides,
            heuristic,
            profile: _,
        } = decl;
        let (mut tags, mut changing_tags, mut as_written) = (Vec::new(), Vec::new(), Vec::new());
        for Spanned { value: mut template, place } in written_tags.into_iter().flatten() {
            refuse_secrets(&template, "a tag", environment, findings);
            as_written.push(template.as_written());
            template.resolve_environment(|env| environment.resolve(env, findings));
            match template.as_literal() {
                Some(text) if text.is_empty() || text.contains(char::is_control) => {
                    let message = "a tag that is empty, or holds control characters";
                    findings.push(Finding::new(&BAD_VALUE, place, message).help("tags = [\"products\"]"));
                }
                Some(text) => tags.push(text.into()),
                None => changing_tags.push(template),
            }
        }
        let time = |time: Option<Spanned<Duration>>| time.map(|time| time.value);
        let is_on = |flag: Option<Spanned<bool>>| flag.is_some_and(|flag| flag.value);
        Some(Self {
            max_age: time(max_age),
            stale_while_revalidate: time(stale_while_revalidate),
            stale_if_error: time(stale_if_error),
            not_found: time(not_found),
            overrides: is_on(overrides),
            heuristic: is_on(heuristic),
            tags,
            changing_tags,
            written_tags: as_written,
            place,
            digest: Digester::new("keep").finish(),
        })
    }

    /// That of a source: its own, or else what its upstream says.
    pub(super) fn of_source(
        decl: &Decl,
        is_safe: bool,
        upstream: Option<&Self>,
        environment: &Environment,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(node) = &decl.cache else { return upstream.filter(|_| is_safe).cloned() };
        let keep = Self::compile(node, environment, findings);
        if let Some(keep) = keep.as_ref().filter(|_| !is_safe) {
            let message = "`cache` on a call that may change something";
            findings.push(Finding::new(&code::UNSAFE_CACHE, keep.place, message));
        }
        keep.filter(|_| is_safe)
    }

    /// That of an upstream, where nothing of a request is known.
    pub(super) fn of_upstream(node: &Node, environment: &Environment, findings: &mut Findings) -> Option<Self> {
        let mut keep = Self::compile(node, environment, findings)?;
        for reference in keep.changing_tags.iter().flat_map(Template::references) {
            let message = format!("`{{{}}}` in a tag of an upstream", reference.spelled());
            let help = "what changes with each request belongs to a source";
            findings.push(Finding::new(&crate::config::PLACEHOLDER_NOT_READ, reference.place, message).help(help));
        }
        keep.changing_tags.clear();
        Some(keep)
    }

    /// Takes in what the source that keeps it is: its name, and what it takes from an answer.
    pub(super) fn identify(&mut self, name: &str, extract: Option<&Node>) {
        let mut parts = Digester::new("source");
        parts.bytes(name.as_bytes());
        match extract {
            Some(extract) => parts.number(1).value(&extract.to_value()),
            None => parts.number(0),
        };
        let times = [self.max_age, self.stale_while_revalidate, self.stale_if_error, self.not_found];
        for time in times {
            let nanoseconds = time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1));
            parts.number(nanoseconds.unwrap_or(u64::MAX));
        }
        parts.number(u64::from(self.overrides)).number(u64::from(self.heuristic));
        parts.number(self.tags.len() as u64);
        for tag in &self.tags {
            parts.bytes(tag.as_bytes());
        }
        for tag in &self.changing_tags {
            parts.bytes(tag.as_written().as_bytes());
        }
        self.digest = parts.finish();
    }

    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Keep<Binding>> {
        let changing_tags: Vec<_> = self.changing_tags.iter().map(|tag| tag.try_map(&mut *resolve)).collect();
        Some(Keep {
            max_age: self.max_age,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
            not_found: self.not_found,
            overrides: self.overrides,
            heuristic: self.heuristic,
            tags: self.tags.clone(),
            changing_tags: changing_tags.into_iter().collect::<Option<_>>()?,
            written_tags: self.written_tags.clone(),
            place: self.place,
            digest: self.digest,
        })
    }
}

impl<R> Keep<R> {
    /// The rules by which data is kept for this audience, or an absence.
    ///
    /// What is not said is not assumed: nothing is used stale unless somebody said so, and no lifetime is guessed unless that is declared.
    pub fn settings(&self, audience: Audience, is_absence: bool) -> Settings {
        let rank = if self.overrides { Rank::BeatsAll } else { Rank::BeatsLifetimes };
        let written = if is_absence {
            // What was not there a moment ago may be there now: the windows are for data, whoever says them.
            let none = Some(Duration::ZERO);
            Written { fresh: self.absence(), stale_while_revalidate: none, stale_if_error: none, rank }
        } else {
            let Self { max_age, stale_while_revalidate, stale_if_error, .. } = *self;
            Written { fresh: max_age, stale_while_revalidate, stale_if_error, rank }
        };
        Settings {
            audience,
            heuristics: self.heuristic && !is_absence,
            // What a call answers with goes to nobody but us, and its cookies to nobody at all.
            cookies: Cookies::Unsent,
            written: Some(written),
            obeys_requests: false,
            stale_when_unreachable: Duration::ZERO,
            ..Settings::default()
        }
    }

    /// How long an absence is remembered, if that is declared.
    pub fn absence(&self) -> Option<Duration> {
        self.not_found.or(self.max_age.map(|time| time.min(ABSENCE)))
    }
}

/// Directives that say nothing here, and where they belong.
const MISPLACED: [(&str, &str); 13] = [
    ("public", DOWNSTREAM),
    ("private", DOWNSTREAM),
    ("no-store", NOTHING),
    ("no-cache", "leave it out; `max-age = \"0s\"` asks the upstream each time whether what is kept is still true"),
    ("must-revalidate", "leave `stale-while-revalidate` and `stale-if-error` out, and nothing is used stale"),
    ("no-transform", DOWNSTREAM),
    ("immutable", DOWNSTREAM),
    ("s-maxage", "here it is `max-age`: there is one cache, ours"),
    ("degraded", OF_PAGES),
    ("variants", OF_PAGES),
    ("server", OF_PAGES),
    ("cdn", DOWNSTREAM),
    ("request-directives", "what visitors say of caches never reaches a source"),
];
const DOWNSTREAM: &str = "it is said to those downstream: write it in `[cache]` of the route";
const NOTHING: &str = "cache = false keeps nothing";
const OF_PAGES: &str = "it is about pages: write it in `[cache]` of the route";

/// The table without the directives that say nothing here; a finding for each.
fn without_misplaced(table: &Table, node: &Node, findings: &mut Findings) -> Node {
    let mut table = table.clone();
    for (key, help) in MISPLACED {
        if let Some(entry) = table.remove(key) {
            let message = format!("`{key}` in the `cache` of a source or an upstream");
            findings.push(Finding::new(&code::CACHE_DIRECTIVE, entry.key.place, message).help(help));
        }
    }
    Node { kind: Kind::Table(table), place: node.place }
}

fn contradictions(decl: &KeepDecl, findings: &mut Findings) {
    let has_time = decl.max_age.is_some() || decl.stale_while_revalidate.is_some() || decl.stale_if_error.is_some();
    let is_lost = ["max-age", "stale-while-revalidate", "stale-if-error"].into_iter().any(|key| decl.is_lost(key));
    if let Some(flag) = decl.overrides.filter(|flag| flag.value && !has_time && !is_lost) {
        let message = "`override` without anything that could hold against the upstream";
        let help = "say how long it is kept: max-age = \"1m\"";
        findings.push(Finding::new(&code::CACHE_CONTRADICTION, flag.place, message).help(help));
    }
}
