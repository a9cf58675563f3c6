//! What of a route's cache policy cannot be true of it: `immutable` where something changes, settings that nothing comes of. And by which
//! request fields its answers differ.
//!
//! What contradicts itself whatever the route is found where policies are compiled.

use super::super::{Credentials, Inputs, Planned};
use super::kind::Shown;
use super::route::is_own;
use crate::config::TreeFile;
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::resource::{self, CacheDecl, Freshness};
use crate::router::Pattern;
use crate::source::{Kind, Source};
use http::header::{self, HeaderName};

/// Finds it. `sources` are those that run; `None` if not all are known. `reads_fields` says whether header fields of requests are read.
pub(super) fn check<'s>(
    decl: &CacheDecl,
    shown: &Shown,
    patterns: &[(Pattern, Place)],
    sources: Option<impl Iterator<Item = &'s Source>>,
    reads_fields: bool,
    file: &TreeFile,
    findings: &mut Findings,
) {
    immutable(decl, shown, patterns, findings);
    let unused = match (shown, sources) {
        (Shown::Unclear, _) | (_, None) => return,
        (Shown::Files { .. }, _) => {
            let mut unused = of_what_is_not_stored(decl, "files are not kept in the page store");
            let not_found = decl.rules.not_found.map(|not_found| ("`not-found`", not_found.place, NO_SUCH_FILE));
            unused.extend(not_found);
            unused
        }
        (Shown::Proxy(_), _) => of_proxies(decl),
        (Shown::Redirect(_), _) => of_what_is_not_stored(decl, "a redirect is worked out each time"),
        (Shown::Page(_) | Shown::Document(_) | Shown::Tree(_) | Shown::Json(..), Some(sources)) => {
            of_pages(decl, sources, reads_fields)
        }
    };
    let of_proxies = if matches!(shown, Shown::Proxy(_)) { Vec::new() } else { for_proxies_alone(decl) };
    for (what, place, why) in unused.into_iter().chain(of_proxies).filter(|(_, place, _)| is_own(*place, file)) {
        findings.push(Finding::new(&resource::CACHE_NO_USE, place, format!("{what} does nothing here: {why}")));
    }
}

fn immutable(decl: &CacheDecl, shown: &Shown, patterns: &[(Pattern, Place)], findings: &mut Findings) {
    let rules = &decl.rules;
    let of_cdn = rules.cdn.as_ref().and_then(|cdn| cdn.directives.immutable);
    if let Shown::Files { held, .. } = shown
        && let Some(name) = held.iter().find(|name| !names_content(name))
    {
        for written in [rules.directives.immutable, of_cdn].into_iter().flatten().filter(|flag| flag.value) {
            let message =
                format!("`immutable` on a folder that holds `{name}`, whose name stays the same when that has changed");
            let help = "leave it out: `{{ \"app.js\" | asset_url }}` gives a URL that names the content, and is sent with `immutable`";
            findings.push(Finding::new(&resource::CACHE_IMMUTABLE, written.place, message).help(help));
        }
        return;
    }
    let lasting = patterns.iter().find(|(pattern, _)| pattern.names().len() == 0 || matches!(shown, Shown::Tree(_)));
    let Some((pattern, path)) = lasting else { return };
    for written in [rules.directives.immutable, of_cdn].into_iter().flatten().filter(|flag| flag.value) {
        let message =
            format!("`immutable` on `{}`, which names the same thing when that has changed", pattern.as_str());
        let mut finding = Finding::new(&resource::CACHE_IMMUTABLE, written.place, message);
        if path.file != written.place.file {
            finding = finding.related(*path, "this path");
        }
        findings
            .push(finding.help("leave it out, or name the content in the path: /assets/{*file} with app.3f9ac1.js"));
    }
}

/// Whether the name of a file may say what is in it, as `app.3f9ac1.js`, `app-BKz1Xq9a.js` and `lib-3.7.1.js` do. What has neither a digit nor
/// letters of both cases surely does not.
fn names_content(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let has = |kind: fn(&char) -> bool| stem.chars().any(|character| kind(&character));
    has(char::is_ascii_digit) || (has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase))
}

const NO_SUCH_FILE: &str = "a file that is not there belongs to no route";

/// A setting that does nothing, where it stands, and why.
type Unused = (&'static str, Place, &'static str);

fn of_what_is_not_stored(decl: &CacheDecl, why: &'static str) -> Vec<Unused> {
    let rules = &decl.rules;
    let mut unused: Vec<Unused> = auto(decl).map(|place| ("`\"auto\"`", place, "there are no HTTP sources")).collect();
    unused.extend(rules.server.as_ref().map(|server| ("`server`", server.place, why)));
    unused.extend(rules.degraded.map(|degraded| ("`degraded`", degraded.place, why)));
    unused.extend(rules.variants.map(|variants| ("`variants`", variants.place, why)));
    let changing = rules.tags.iter().flatten().filter(|tag| tag.value.as_literal().is_none());
    unused.extend(changing.map(|tag| ("a placeholder in a tag", tag.place, "it has the same tags each time")));
    unused
}

/// What says something of pages, and nothing of the answers of an upstream.
fn of_proxies(decl: &CacheDecl) -> Vec<Unused> {
    const SAYS_ITSELF: &str = "what is sent downstream is what the upstream says";
    const OF_PAGES: &str = "it is about pages that are made here";
    let rules = &decl.rules;
    let said = &rules.directives;
    let flags = [
        ("`public`", said.public),
        ("`private`", said.private),
        ("`no-store`", said.no_store),
        ("`no-cache`", said.no_cache),
        ("`must-revalidate`", said.must_revalidate),
        ("`no-transform`", said.no_transform),
        ("`immutable`", said.immutable),
    ];
    let mut unused: Vec<Unused> =
        flags.into_iter().filter_map(|(name, flag)| Some((name, flag?.place, SAYS_ITSELF))).collect();
    unused.extend(auto(decl).map(|place| ("`\"auto\"`", place, "there are no HTTP sources")));
    unused.extend(rules.not_found.map(|written| ("`not-found`", written.place, OF_PAGES)));
    unused.extend(rules.degraded.map(|written| ("`degraded`", written.place, OF_PAGES)));
    unused.extend(rules.server.as_ref().map(|server| ("`server`", server.place, "all of it is about our own store")));
    unused.extend(rules.cdn.as_ref().map(|cdn| ("`cdn`", cdn.place, SAYS_ITSELF)));
    let changing = rules.tags.iter().flatten().filter(|tag| tag.value.as_literal().is_none());
    unused.extend(changing.map(|tag| ("a placeholder in a tag", tag.place, "it has the same tags each time")));
    unused
}

/// What says something of the answers of an upstream, and nothing of pages.
fn for_proxies_alone(decl: &CacheDecl) -> Vec<Unused> {
    const WHY: &str = "it is about the answers of an upstream, which a `proxy` route passes on";
    let flags = [
        ("`override`", decl.overrides),
        ("`heuristic`", decl.heuristic),
        ("`request-directives`", decl.request_directives),
    ];
    flags.into_iter().filter_map(|(name, flag)| Some((name, flag?.place, WHY))).collect()
}

fn of_pages<'s>(decl: &CacheDecl, sources: impl Iterator<Item = &'s Source>, reads_fields: bool) -> Vec<Unused> {
    let (mut says_lifetimes, mut may_lack) = (false, false);
    for source in sources {
        may_lack = true;
        says_lifetimes |= matches!(source.kind, Kind::Http(_) | Kind::Route(_));
    }
    let no_lifetimes = auto(decl).filter(|_| !says_lifetimes);
    let mut unused: Vec<Unused> =
        no_lifetimes.map(|place| ("`\"auto\"`", place, "the page has no HTTP source that says a lifetime")).collect();
    let degraded = decl.rules.degraded.filter(|_| !may_lack);
    unused.extend(degraded.map(|degraded| ("`degraded`", degraded.place, "the page has no source to do without")));
    let variants = decl.rules.variants.filter(|_| !reads_fields);
    unused
        .extend(variants.map(|variants| ("`variants`", variants.place, "the page reads no header field of requests")));
    unused
}

/// Where `"auto"` stands.
fn auto(decl: &CacheDecl) -> impl Iterator<Item = Place> {
    let rules = &decl.rules;
    let of_cdn = rules.cdn.as_ref().and_then(|cdn| cdn.directives.s_maxage);
    let of_server = rules.server.as_ref().and_then(|server| server.s_maxage);
    let said: [Option<Spanned<Freshness>>; 3] = [rules.directives.s_maxage, of_cdn, of_server];
    said.into_iter().flatten().filter(|said| said.value == Freshness::Auto).map(|said| said.place)
}

/// The request fields that choose among the pages of a URL, those that sources send along included.
pub(super) fn vary(inputs: &Inputs, sources: &[Planned], by: &Credentials) -> Vec<HeaderName> {
    let mut names = inputs.headers.clone();
    names.extend(by.fields.iter().filter(|name| !inputs.headers.contains(name)).cloned());
    let forwards = |planned: &Planned| match &planned.source.kind {
        Kind::Http(http) => !http.forward_cookies.is_empty(),
        Kind::Route(asking) => asking.reads_cookies(),
        Kind::Value(_) | Kind::Chosen(_) => false,
    };
    let is_read = inputs.cookies.iter().any(|cookie| cookie.is_read);
    let reads_cookies = is_read || inputs.request.flash || !by.cookies.is_empty();
    if reads_cookies || sources.iter().any(forwards) {
        names.push(header::COOKIE);
    }
    if inputs.request.language && !names.contains(&header::ACCEPT_LANGUAGE) {
        names.push(header::ACCEPT_LANGUAGE);
    }
    names
}
