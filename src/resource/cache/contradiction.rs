//! Directives that cannot be meant together: caches would obey one of them, and which one differs from cache to cache.

use super::super::code;
use super::decl::{Directives, Freshness, ProfileDecl, ServerDecl};
use crate::config::BAD_VALUE;
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use std::time::Duration;

const NOBODY: &str = "nobody stores it";
const ASKED_FIRST: &str = "with `no-cache` every use is asked about first";
const NEVER_STALE: &str = "it is never used stale";

/// Pairs within one table, and why.
const PAIRS: [(&str, &str, &str); 20] = [
    ("public", "private", "it is either for everybody or for one"),
    ("private", "s-maxage", "`s-maxage` speaks to shared caches, which may not store it"),
    ("public", "no-store", NOBODY),
    ("no-store", "max-age", NOBODY),
    ("no-store", "s-maxage", NOBODY),
    ("no-store", "no-cache", NOBODY),
    ("no-store", "must-revalidate", NOBODY),
    ("no-store", "immutable", NOBODY),
    ("no-store", "stale-while-revalidate", NOBODY),
    ("no-store", "stale-if-error", NOBODY),
    ("must-revalidate", "stale-while-revalidate", NEVER_STALE),
    ("must-revalidate", "stale-if-error", NEVER_STALE),
    ("no-cache", "s-maxage", ASKED_FIRST),
    ("no-cache", "max-age", ASKED_FIRST),
    ("no-cache", "immutable", ASKED_FIRST),
    ("no-cache", "stale-while-revalidate", ASKED_FIRST),
    ("no-cache", "stale-if-error", ASKED_FIRST),
    // Whoever obeys the first may not keep what the second is about.
    ("private", "not-found", "`not-found` speaks to shared caches, which may not store it"),
    ("no-store", "not-found", NOBODY),
    ("no-store", "degraded", NOBODY),
];

/// A key that says something, and where.
type Said = (&'static str, Place);

/// Finds what contradicts itself in each of the tables of a policy, which may begin with a `profile`.
pub(super) fn find(decl: &ProfileDecl, profile: Option<&Spanned<String>>, findings: &mut Findings) {
    let mut around = of_directives(&decl.directives, findings);
    // With a table of its own our store keeps what others may not.
    if decl.server.is_none() {
        around.extend(time("not-found", decl.not_found, findings));
        around.extend(time("degraded", decl.degraded, findings));
    } else {
        time("not-found", decl.not_found, findings);
        time("degraded", decl.degraded, findings);
    }
    pairs(&around, profile, findings);
    if let Some(cdn) = &decl.cdn {
        let said = of_directives(&cdn.directives, findings);
        pairs(&said, profile, findings);
    }
    if let Some(server) = &decl.server {
        let said = of_server(server, findings);
        pairs(&said, profile, findings);
        if let (Some(max_age), Some(s_maxage)) = (server.max_age, server.s_maxage) {
            let why = "our own store is one cache, with one lifetime";
            findings.push(contradiction(("max-age", max_age.place), ("s-maxage", s_maxage.place), why, profile));
        }
    }
}

fn pairs(said: &[Said], profile: Option<&Spanned<String>>, findings: &mut Findings) {
    let find = |name: &str| said.iter().find(|(key, _)| *key == name).copied();
    for (left, right, why) in PAIRS {
        if let (Some(first), Some(second)) = (find(left), find(right)) {
            findings.push(contradiction(first, second, why, profile));
        }
    }
}

fn contradiction((left, first): Said, (right, second): Said, why: &str, profile: Option<&Spanned<String>>) -> Finding {
    // What a built-in profile says stands where that is named.
    let of_profile = |place: Place| profile.filter(|profile| profile.place == place);
    let said = |name: &str, place: Place| match of_profile(place) {
        Some(profile) => format!("`{name}` of the profile `{}`", profile.value),
        None => format!("`{name}`"),
    };
    let taken_away = [(left, first, right), (right, second, left)]
        .into_iter()
        .find(|(_, place, _)| of_profile(*place).is_some())
        .map(|(name, _, other)| format!("take it away: `{name} = false`; or leave out `{other}`"));
    let message = format!("{} beside {}", said(right, second), said(left, first));
    Finding::new(&code::CACHE_CONTRADICTION, second, message)
        .related(first, why)
        .help(taken_away.unwrap_or_else(|| "keep the one that is meant".to_owned()))
}

fn of_directives(decl: &Directives, findings: &mut Findings) -> Vec<Said> {
    let flags = [
        flag("public", decl.public),
        flag("private", decl.private),
        flag("no-store", decl.no_store),
        flag("no-cache", decl.no_cache),
        flag("must-revalidate", decl.must_revalidate),
        flag("immutable", decl.immutable),
    ];
    let ages = [
        time("max-age", decl.max_age, findings),
        freshness(decl.s_maxage, findings),
        time("stale-while-revalidate", decl.stale_while_revalidate, findings),
        time("stale-if-error", decl.stale_if_error, findings),
    ];
    flags.into_iter().chain(ages).flatten().collect()
}

fn of_server(decl: &ServerDecl, findings: &mut Findings) -> Vec<Said> {
    let said = [
        flag("no-store", decl.no_store),
        time("max-age", decl.max_age, findings),
        freshness(decl.s_maxage, findings),
        time("stale-while-revalidate", decl.stale_while_revalidate, findings),
        time("stale-if-error", decl.stale_if_error, findings),
    ];
    said.into_iter().flatten().collect()
}

fn flag(name: &'static str, flag: Option<Spanned<bool>>) -> Option<Said> {
    flag.filter(|flag| flag.value).map(|flag| (name, flag.place))
}

fn freshness(said: Option<Spanned<Freshness>>, findings: &mut Findings) -> Option<Said> {
    let said = said?;
    match said.value {
        Freshness::For(age) => time("s-maxage", Some(Spanned::new(age, said.place)), findings),
        Freshness::Auto => Some(("s-maxage", said.place)),
    }
}

fn time(name: &'static str, age: Option<Spanned<Duration>>, findings: &mut Findings) -> Option<Said> {
    let age = age?;
    if age.value.subsec_nanos() != 0 {
        let message = format!("`{name}` of a fraction of a second");
        findings.push(Finding::new(&BAD_VALUE, age.place, message).help("HTTP counts whole seconds"));
    }
    Some((name, age.place))
}
