//! Sources that are routes of the same site: which route each means, in which order routes are compiled so that whatever is
//! asked is known before, and what flows from the route into the source.
//!
//! Paths are compared segment by segment: a literal with the same literal, however it is spelled, or a parameter, a placeholder
//! with a parameter. Values decide nothing, so what a page reads is known before any request.

use super::super::inputs::CookieInput;
use super::super::{Privacy, Route, code};
use super::privacy;
use super::scope::Reads;
use crate::config::{Kind as NodeKind, Table, TreeFile};
use crate::diagnostic::{FileId, Finding, Findings, Place, did_you_mean};
use crate::resource::Resource;
use crate::router::decode;
use crate::source::{InProcess, Kind, Source, Step};
use std::borrow::Cow;

/// How many routes deep a page may ask.
const DEEPEST: usize = 8;

/// How many answers of routes one answer may take, all that they ask in turn counted.
const MOST: usize = 100;

/// Where all route files are, those with mistakes included; none if no route asks another.
#[derive(Debug, Default)]
pub(super) struct Paths(Vec<Located>);

/// Where a route file is, as it is written.
#[derive(Debug)]
struct Located {
    file: FileId,
    /// In lower case; on every host if there are none.
    hosts: Vec<String>,
    paths: Vec<String>,
}

/// Route files in the order in which they are compiled: those that are asked before those that ask. Circles are found; a route
/// in one asks another that is not compiled yet, and is not sound.
pub(super) fn ordered<'t>(
    routes: Vec<(&'t TreeFile, Table)>,
    findings: &mut Findings,
) -> (Vec<(&'t TreeFile, Table)>, Paths) {
    let asking: Vec<Vec<(String, Place)>> = routes.iter().map(|(_, table)| asked_by(table)).collect();
    if asking.iter().all(Vec::is_empty) {
        return (routes, Paths::default());
    }
    let located = |(file, table): &(&TreeFile, Table)| Located {
        file: file.file,
        hosts: hosts_of(table),
        paths: paths_of(file, table),
    };
    let paths = Paths(routes.iter().map(located).collect());
    let asks: Vec<Vec<(usize, Place)>> = asking
        .iter()
        .zip(&paths.0)
        .map(|(calls, asks)| {
            calls.iter().filter_map(|(call, place)| Some((paths.best(call, &asks.hosts)?, *place))).collect()
        })
        .collect();
    let mut order = Vec::with_capacity(routes.len());
    let mut done = vec![false; routes.len()];
    loop {
        let mut ready: Vec<usize> =
            (0..routes.len()).filter(|&at| !done[at] && asks[at].iter().all(|&(other, _)| done[other])).collect();
        if ready.is_empty() {
            let Some(start) = done.iter().position(|done| !done) else { break };
            let circle = circle(start, &asks, &done);
            findings.push(circle_finding(&circle, &routes));
            ready.extend(circle.iter().map(|&(at, _)| at));
        }
        for &at in &ready {
            done[at] = true;
        }
        order.extend(ready);
    }
    let mut routes: Vec<Option<_>> = routes.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|at| routes.get_mut(at)?.take()).collect(), paths)
}

/// Routes that ask each other, and where each asks the next; following what is not done from anywhere must come round.
fn circle(start: usize, asks: &[Vec<(usize, Place)>], done: &[bool]) -> Vec<(usize, Place)> {
    let next = |at: usize| asks[at].iter().copied().find(|&(other, _)| !done[other]);
    let mut path: Vec<(usize, Place)> = Vec::new();
    let mut here = start;
    while let Some((other, place)) = next(here) {
        if let Some(begin) = path.iter().position(|&(seen, _)| seen == here) {
            path.drain(..begin);
            break;
        }
        path.push((here, place));
        here = other;
    }
    path
}

fn circle_finding(circle: &[(usize, Place)], routes: &[(&TreeFile, Table)]) -> Finding {
    let name = |at: usize| format!("`routes/{}`", routes[at].0.path);
    let names: Vec<String> = circle.iter().chain(circle.first()).map(|&(at, _)| name(at)).collect();
    let message = format!("routes in a circle: {}", names.join(" asks "));
    let finding = Finding::new(&code::ROUTE_CYCLE, circle[0].1, message).help("one of them must do without the others");
    circle.iter().skip(1).fold(finding, |finding, &(_, place)| finding.related(place, "asks the next"))
}

/// The values of `route` among the sources of a file, as written, and where they stand.
fn asked_by(table: &Table) -> Vec<(String, Place)> {
    let sources = table.get("sources").and_then(|entry| entry.node.as_table());
    let sources = sources.into_iter().flatten().filter_map(|entry| entry.node.as_table());
    let routes = sources.filter_map(|source| source.get("route"));
    routes.filter_map(|entry| Some((entry.node.as_text()?.content.clone(), entry.node.place))).collect()
}

/// The paths of a file, as written, or the one of its place.
fn paths_of(file: &TreeFile, table: &Table) -> Vec<String> {
    match table.get("path").map(|entry| &entry.node.kind) {
        Some(NodeKind::Array(items)) => items.iter().filter_map(|item| Some(item.as_text()?.content.clone())).collect(),
        Some(NodeKind::String(text)) => vec![text.content.clone()],
        Some(_) => Vec::new(),
        None => vec![super::route::path_of_place(file)],
    }
}

/// The hosts of a file, as written.
fn hosts_of(table: &Table) -> Vec<String> {
    let Some(host) = table.get("host") else { return Vec::new() };
    let nodes = if let NodeKind::Array(items) = &host.node.kind { items } else { std::slice::from_ref(&host.node) };
    nodes.iter().filter_map(|node| Some(node.as_text()?.content.to_ascii_lowercase())).collect()
}

impl Paths {
    /// The position of the route that a call means which stands in a route of these `hosts`: one of the same host before one
    /// of every host, as for a visitor, and never one of another; then the one whose path fits best.
    fn best(&self, call: &str, hosts: &[String]) -> Option<usize> {
        let ranked = self.0.iter().enumerate().filter_map(|(at, located)| {
            let is_near = located.hosts.iter().any(|host| hosts.contains(host));
            if !is_near && !located.hosts.is_empty() && !hosts.is_empty() {
                return None;
            }
            let rank = located.paths.iter().filter_map(|pattern| fit(call, pattern)).max()?;
            Some((is_near || (hosts.is_empty() && located.hosts.is_empty()), rank, std::cmp::Reverse(at)))
        });
        ranked.max().map(|(_, _, std::cmp::Reverse(at))| at)
    }
}

/// Whether a pattern answers the call, and segment by segment whether by the same literal: the more, and the earlier, the better.
fn fit(call: &str, pattern: &str) -> Option<Vec<bool>> {
    let (call, pattern) = (segments(call), segments(pattern));
    let mut literal = Vec::with_capacity(call.len());
    for (at, segment) in pattern.iter().enumerate() {
        if segment.starts_with("{*") {
            literal.push(false);
            return Some(literal);
        }
        let called = call.get(at)?;
        match segment.contains('{') {
            true => literal.push(false),
            false if called == segment => literal.push(true),
            false => return None,
        }
    }
    (call.len() == pattern.len()).then_some(literal)
}

/// The segments of a path spelled out: `/café` and `/caf%C3%A9` are one path.
fn segments(path: &str) -> Vec<Cow<'_, str>> {
    path.trim_matches('/').split('/').map(decode).collect()
}

/// Tells a source that asks a route which one that is; `false` if there is none. `answers` counts those of routes that the sources before
/// it take.
pub(super) fn resolve(
    source: &mut Source,
    asking_file: FileId,
    known: &[Route],
    paths: &Paths,
    answers: &mut usize,
    findings: &mut Findings,
) -> bool {
    let Kind::Route(asking) = &mut source.kind else { return true };
    let hosts = paths.0.iter().find(|located| located.file == asking_file).map(|located| located.hosts.as_slice());
    let Some(meant) = paths.best(&asking.written, hosts.unwrap_or_default()) else {
        let patterns = || known.iter().filter(|route| is_json(route)).flat_map(|route| &route.patterns);
        let help = did_you_mean(&asking.written, patterns().map(String::as_str)).unwrap_or_else(|| {
            "write its file below `routes/`, with `[json]`; a placeholder stands where its path has a parameter".into()
        });
        let message = format!("no route of this site answers `{}`", asking.written);
        findings.push(Finding::new(&code::UNKNOWN_ROUTE, asking.place, message).help(help));
        return false;
    };
    // One with mistakes has findings of its own.
    let Some(at) = known.iter().position(|route| route.file == paths.0[meant].file) else { return false };
    let route = &known[at];
    if !is_json(route) {
        let message = format!("`{}` is the path of `{}`, which is no JSON", asking.written, route.name);
        let help = "a source asks routes of the kind `json`";
        findings.push(Finding::new(&code::UNKNOWN_ROUTE, asking.place, message).help(help));
        return false;
    }
    let asked = extent(at, known, &mut vec![None; known.len()]);
    *answers = answers.saturating_add(asked.routes);
    if asked.depth >= DEEPEST || *answers > MOST {
        let (message, help) = if asked.depth >= DEEPEST {
            (format!("routes that ask each other more than {DEEPEST} deep"), "ask one of the routes further down")
        } else {
            let message = format!(
                "one answer that takes {answers} answers of other routes, and may take {MOST}, each with its sources"
            );
            (message, "ask the routes further down, once for all that is needed of them")
        };
        findings.push(Finding::new(&code::ROUTE_TOO_DEEP, asking.place, message).help(help));
        return false;
    }
    unknown_query(asking, route, findings);
    asking.asked.route = at;
    asking.asked.visitor.clone_from(&route.vary);
    asking.asked.personal = match &route.privacy {
        Privacy::Public => route.guards.first().map(|guard| {
            let how = format!("`{}` is guarded", route.name);
            let step = Step { value: "guard".to_owned(), how, place: guard.place };
            privacy::by_route(&[step], &route.name, &source.name.value, asking.place)
        }),
        Privacy::Personal { path, .. } => Some(privacy::by_route(path, &route.name, &source.name.value, asking.place)),
    };
    true
}

fn is_json(route: &Route) -> bool {
    matches!(route.resource, Resource::Json(_))
}

/// What one answer of a route takes, itself included.
#[derive(Clone, Copy)]
struct Extent {
    depth: usize,
    /// How many times a route is answered.
    routes: usize,
}

/// The extent of the route at a position; `seen` holds what was found of others.
fn extent(at: usize, known: &[Route], seen: &mut Vec<Option<Extent>>) -> Extent {
    if let Some(extent) = seen.get(at).copied().flatten() {
        return extent;
    }
    let mut all = Extent { depth: 1, routes: 1 };
    for planned in known.get(at).map(|route| route.sources.as_slice()).unwrap_or_default() {
        if let Kind::Route(asking) = &planned.source.kind {
            let inner = extent(asking.asked.route, known, seen);
            all.depth = all.depth.max(inner.depth + 1);
            all.routes = all.routes.saturating_add(inner.routes);
        }
    }
    if let Some(place) = seen.get_mut(at) {
        *place = Some(all);
    }
    all
}

/// A query value that the route does not declare does not exist for it.
fn unknown_query(asking: &InProcess, route: &Route, findings: &mut Findings) {
    for (key, place) in &asking.query_keys {
        if !route.inputs.query.iter().any(|input| *input.key == **key) {
            let message = format!("`{}` reads no query value `{key}`", route.name);
            let help = did_you_mean(key, route.inputs.query.iter().map(|input| &*input.key))
                .unwrap_or_else(|| format!("declare it there: [query.{key}]"));
            findings.push(Finding::new(&code::UNKNOWN_FIELD, *place, message).help(help));
        }
    }
}

/// What the asked route reads of the visitor's request is read by the source.
pub(super) fn reads(source: &Source, known: &[Route], reads: &mut Reads) {
    let Kind::Route(asking) = &source.kind else { return };
    let Some(route) = known.get(asking.asked.route) else { return };
    for name in &route.inputs.headers {
        reads.headers.entry(name.as_str().to_owned()).or_insert(source.name.place);
    }
    if route.inputs.request.language {
        reads.request.entry("language".to_owned()).or_insert(source.name.place);
    }
    for cookie in route.inputs.cookies.iter().filter(|cookie| cookie.is_read) {
        reads.cookies.entry(of_route(&cookie.name, route)).or_insert(source.name.place);
    }
}

/// The cookies that asked routes read: inputs of the page that no author can say, but that count for its key like its own.
pub(super) fn cookies(sources: &[Source], known: &[Route], cookies: &mut Vec<CookieInput>) {
    for source in sources {
        let Kind::Route(asking) = &source.kind else { continue };
        let Some(route) = known.get(asking.asked.route) else { continue };
        for cookie in route.inputs.cookies.iter().filter(|cookie| cookie.is_read) {
            let name = of_route(&cookie.name, route);
            if !cookies.iter().any(|known| *known.name == *name) {
                cookies.push(CookieInput { name: name.into(), is_read: false, ..cookie.clone() });
            }
        }
    }
    cookies.sort_by(|left, right| left.name.cmp(&right.name));
}

fn of_route(name: &str, route: &Route) -> String {
    format!("{name} of {}", route.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_compared_with_patterns_as_written() {
        let paths = located(
            &["/api/{id}", "/api/new", "/api/{id}/parts", "/api/{*rest}", "/", "/x/{a}.json", "/caf\u{e9}", "/a/b"]
                .map(|path| (path, &[] as _)),
        );
        for (call, expected) in [
            ("/api/new", Some("/api/new")),
            ("/api/new/", Some("/api/new")),
            ("/api/7", Some("/api/{id}")),
            ("/api/{params.id}", Some("/api/{id}")),
            ("/api/{a.b}-{c}", Some("/api/{id}")),
            ("/api/{params.id}/parts", Some("/api/{id}/parts")),
            ("/api/{params.id}/other", Some("/api/{*rest}")),
            ("/api", Some("/api/{*rest}")),
            ("/", Some("/")),
            ("/x/{a}.json", Some("/x/{a}.json")),
            ("/other", None),
            ("/x", None),
            ("/caf%c3%a9", Some("/caf\u{e9}")),
            ("/caf\u{e9}", Some("/caf\u{e9}")),
            ("/a%2fb", None),
        ] {
            let found = paths.best(call, &[]).map(|at| paths.0[at].paths[0].as_str());
            assert_eq!(found, expected, "{call}");
        }
    }

    #[test]
    fn a_call_stays_on_its_host() {
        let paths = located(&[("/api", &["a"]), ("/api", &["b", "c"]), ("/api", &[]), ("/only", &["a"])]);
        for (call, hosts, expected) in [
            ("/api", &[] as &[&str], Some(2)),
            ("/api", &["a"], Some(0)),
            ("/api", &["c"], Some(1)),
            ("/api", &["d"], Some(2)),
            ("/only", &["a"], Some(3)),
            ("/only", &["b"], None),
            ("/only", &[], Some(3)),
        ] {
            let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
            assert_eq!(paths.best(call, &hosts), expected, "{call} {hosts:?}");
        }
    }

    fn located(routes: &[(&str, &[&str])]) -> Paths {
        let file = crate::diagnostic::Files::default().add("a", "");
        let located = |&(path, hosts): &(&str, &[&str])| Located {
            file,
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            paths: vec![path.to_owned()],
        };
        Paths(routes.iter().map(located).collect())
    }
}
