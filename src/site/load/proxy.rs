//! A route that passes an upstream's answers on: its upstream found, its paths brought together with those of the upstream.

use super::Shared;
use super::route::{self, is_own};
use crate::config::{BAD_VALUE, Part, Reference, Table, Template, TreeFile};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::resource::{Decl, Forwarded, GuardsDecl, NotFoundDecl, Proxy, ProxyCache, ProxyTarget, TargetPart};
use crate::router::{Pattern, encode_segment};
use std::sync::Arc;

/// What is declared of a proxy; `None` after a finding.
pub(super) fn of(
    name: &Spanned<String>,
    decl: &Decl,
    table: &Table,
    file: &TreeFile,
    shared: &mut Shared<'_>,
) -> Option<Proxy> {
    let upstream = shared.upstreams.named(name, &mut shared.findings);
    // What is wrong with the paths themselves is told where they are compiled.
    let patterns = route::patterns(decl, file, &mut Findings::default());
    let patterns: Vec<&Pattern> = patterns.iter().map(|(pattern, _)| pattern).collect();
    let target = match &decl.proxy_path {
        Some(written) if is_own(written.place, file) => target(&written.value, &patterns, &mut shared.findings),
        Some(_) | None => Some(ProxyTarget::Same),
    };
    // What a section says of the cache is about pages.
    let cache = table.get("cache").filter(|entry| is_own(entry.node.place, file));
    // Behind a guard nothing is kept that is not said to be: what an upstream lets caches keep, it lets those keep that ask no guard.
    let is_off = cache.map_or(is_guarded(decl), |entry| entry.node.is_false());
    let setting = decl.cache.as_ref().filter(|_| cache.is_some());
    let own = |setting: Option<&Spanned<bool>>| setting.map(|written| written.value);
    Some(Proxy {
        upstream: upstream?,
        target: target?,
        preserve_host: own(decl.preserve_host.as_ref()).unwrap_or(false),
        forwarded: decl.forwarded.as_ref().map_or(Forwarded::XForwarded, |written| written.value),
        via: own(decl.via.as_ref()).unwrap_or(true),
        websocket: own(decl.websocket.as_ref()).unwrap_or(false),
        cache: (!is_off).then(|| ProxyCache::compile(setting.map(|setting| &setting.0), &mut shared.findings)),
    })
}

/// Whether a guard, of whatever level, stands before the route.
pub(super) fn is_guarded(decl: &Decl) -> bool {
    matches!(decl.guard, Some(GuardsDecl::Levels(_)))
}

/// What passes on the requests that a route has no answer to: as they are.
pub(super) fn otherwise(decl: &NotFoundDecl, is_guarded: bool, shared: &mut Shared<'_>) -> Option<Proxy> {
    let upstream = shared.upstreams.named(decl.proxy.as_ref()?, &mut shared.findings)?;
    Some(Proxy {
        upstream,
        target: ProxyTarget::Same,
        preserve_host: false,
        forwarded: Forwarded::XForwarded,
        via: true,
        websocket: false,
        cache: (!is_guarded).then(|| ProxyCache::compile(None, &mut shared.findings)),
    })
}

/// The paths that are asked for, of routes with these patterns.
fn target(written: &Template, patterns: &[&Pattern], findings: &mut Findings) -> Option<ProxyTarget> {
    let mut wrong = |message: String, help: &str| {
        findings.push(Finding::new(&BAD_VALUE, written.place, message).help(help));
        None
    };
    let begins_with_slash = matches!(written.parts.first(), Some(Part::Literal(text)) if text.starts_with('/'));
    if !begins_with_slash {
        return wrong("a path that does not begin with `/`".to_owned(), "proxy-path = \"/{params.rest}\"");
    }
    let mut parts = Vec::new();
    for part in &written.parts {
        match part {
            Part::Literal(text) if text.contains(['?', '#']) => {
                return wrong(
                    "a path with a query".to_owned(),
                    "the query of the request is passed on as it is; query values of every call stand on the upstream",
                );
            }
            Part::Literal(text) => parts.push(TargetPart::Literal(encoded(text).into())),
            Part::Value(reference) => match parameter(reference, patterns) {
                Some(part) => parts.push(part),
                None => {
                    let message = format!("`{{{}}}` in the path of a proxy", reference.spelled());
                    return wrong(message, "it is made of parameters of `path`: proxy-path = \"/{params.rest}\"");
                }
            },
            Part::Env(_) => {
                return wrong(
                    "a variable of the environment in the path of a proxy".to_owned(),
                    "write it out, or into `base-url`",
                );
            }
        }
    }
    Some(mounted(&parts, patterns).unwrap_or_else(|| ProxyTarget::Composed(parts.into())))
}

/// The parameter of all `patterns` that is meant.
fn parameter(reference: &Reference, patterns: &[&Pattern]) -> Option<TargetPart> {
    let [name] = reference.keys.as_slice() else { return None };
    let is_known = reference.root == "params"
        && patterns.iter().all(|pattern| pattern.names().any(|known| known == name.as_str()));
    is_known.then(|| TargetPart::Parameter(name.as_str().into()))
}

/// The same as a change of how paths begin, if it is no more than that.
fn mounted(parts: &[TargetPart], patterns: &[&Pattern]) -> Option<ProxyTarget> {
    let ([TargetPart::Literal(there), TargetPart::Parameter(rest)], [pattern]) = (parts, patterns) else {
        return None;
    };
    if pattern.rest_name() != Some(&**rest) {
        return None;
    }
    let here = pattern.as_str().strip_suffix(&format!("{{*{rest}}}"))?;
    let is_prefix = there.ends_with('/') && here.ends_with('/') && !here.contains('{');
    is_prefix.then(|| ProxyTarget::Mounted { here: encoded(here).into(), there: Arc::clone(there) })
}

/// Literal text of a path, its segments encoded.
fn encoded(text: &str) -> String {
    text.split('/').map(encode_segment).collect::<Vec<_>>().join("/")
}
