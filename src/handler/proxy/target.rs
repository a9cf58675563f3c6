//! Which path the upstream is asked for: that of the request, octet by octet, but for what is declared.

use super::Passing;
use crate::handler::decide;
use crate::resource::{ProxyTarget, TargetPart};
use crate::router::Match;
use http::uri::PathAndQuery;

/// The path and query that the upstream is asked for; `None` if there is none that would not mean something else to it.
pub(super) fn there(passing: &Passing<'_>, matched: Option<&Match<'_, '_, usize>>) -> Option<PathAndQuery> {
    let (path, query) = written(passing, matched)?;
    let own = passing.upstream.query.expose();
    let query = match (query, own.is_empty()) {
        (None, true) => String::new(),
        (Some(query), true) => format!("?{query}"),
        (None | Some(""), false) => format!("?{own}"),
        (Some(query), false) => format!("?{query}&{own}"),
    };
    passing.state.target(&(path + &query).parse().ok()?)
}

/// The path, and the query of the request, without what every call to the upstream carries.
pub(super) fn written<'p>(
    passing: &Passing<'p>,
    matched: Option<&Match<'_, '_, usize>>,
) -> Option<(String, Option<&'p str>)> {
    let here = decide::target(passing.exchange.request);
    let (path, query) = here.split_once('?').map_or((here, None), |(path, query)| (path, Some(query)));
    let proxy = passing.proxy;
    let there = match &proxy.target {
        ProxyTarget::Same => path.to_owned(),
        ProxyTarget::Mounted { .. } => {
            // What is spelled in another way than the pattern has it begins as the canonical path does.
            proxy.target.there(path).or_else(|| proxy.target.there(matched?.path.as_str()))?
        }
        ProxyTarget::Composed(parts) => composed(parts, matched?)?,
    };
    (!climbs(&there)).then_some((there, query))
}

/// Parameters stand in it as they were sent: encoding anew what was decoded would make `/` of `%2F`.
fn composed(parts: &[TargetPart], matched: &Match<'_, '_, usize>) -> Option<String> {
    parts.iter().try_fold(String::new(), |path, part| match part {
        TargetPart::Literal(text) => Some(path + text),
        TargetPart::Parameter(name) => Some(path + matched.params.encoded(name)?),
    })
}

/// Whether a path leaves a folder that it has entered, in any spelling that somebody might read so: it could come to something else behind the
/// prefix under which the upstream is here.
fn climbs(path: &str) -> bool {
    if !path.contains('.') && !path.contains('%') {
        return false;
    }
    let decoded = path.replace("%2e", ".").replace("%2E", ".").replace("%2f", "/").replace("%2F", "/");
    let decoded = decoded.replace("%5c", "/").replace("%5C", "/").replace('\\', "/");
    let decoded = decoded.replace("%3b", ";").replace("%3B", ";");
    // Some servers leave out what stands behind a semicolon before they resolve the rest.
    let mut names = decoded.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    names.any(|name| matches!(name, "." | ".."))
}
