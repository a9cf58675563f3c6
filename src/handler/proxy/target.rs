//! Which path the upstream is asked for: that of the request, octet by octet, but for what is declared.

use crate::resource::{Proxy, ProxyTarget, TargetPart};
use crate::router::{Match, encode_segment};
use crate::source::Upstream;
use http::uri::PathAndQuery;

/// The path and query that the upstream is asked for in place of `here`; `None` if there is none that would not mean something else to it.
pub(super) fn there(
    proxy: &Proxy,
    upstream: &Upstream,
    matched: &Match<'_, '_, usize>,
    here: &str,
) -> Option<PathAndQuery> {
    let (path, query) = here.split_once('?').map_or((here, None), |(path, query)| (path, Some(query)));
    let there = match &proxy.target {
        ProxyTarget::Same => path.to_owned(),
        ProxyTarget::Mounted { .. } => {
            // What is spelled in another way than the pattern has it begins as the canonical path does.
            proxy.target.there(path).or_else(|| proxy.target.there(matched.path.as_str()))?
        }
        ProxyTarget::Composed(parts) => composed(parts, matched)?,
    };
    if climbs(&there) {
        return None;
    }
    let (_, prefix) = super::fields::split_base(&upstream.base);
    let own = upstream.query.expose();
    let query = match (query, own.is_empty()) {
        (None, true) => String::new(),
        (Some(query), true) => format!("?{query}"),
        (None | Some(""), false) => format!("?{own}"),
        (Some(query), false) => format!("?{query}&{own}"),
    };
    format!("{prefix}{there}{query}").parse().ok()
}

fn composed(parts: &[TargetPart], matched: &Match<'_, '_, usize>) -> Option<String> {
    let mut path = String::new();
    for part in parts {
        match part {
            TargetPart::Literal(text) => path.push_str(text),
            TargetPart::Segment(name) => path.push_str(&encode_segment(&matched.params.get(name)?)),
            TargetPart::Rest(name) => {
                let rest = matched.params.get(name)?;
                path.push_str(&rest.split('/').map(encode_segment).collect::<Vec<_>>().join("/"));
            }
        }
    }
    Some(path)
}

/// Whether a path leaves a folder that it has entered, in any spelling that somebody might read so: it could come to something else behind the
/// prefix under which the upstream is here.
fn climbs(path: &str) -> bool {
    if !path.contains('.') && !path.contains('%') {
        return false;
    }
    let decoded = path.replace("%2e", ".").replace("%2E", ".").replace("%2f", "/").replace("%2F", "/");
    let decoded = decoded.replace("%5c", "/").replace("%5C", "/").replace('\\', "/");
    decoded.split('/').any(|segment| matches!(segment, "." | ".."))
}
