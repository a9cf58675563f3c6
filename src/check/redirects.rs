//! Redirects to URLs of the site itself that lead nowhere, or that never end.
//!
//! They are followed as a browser would follow them. Where a target depends on parameters, it is followed for examples of URLs that the
//! route answers: what is told really happens to those. Where it depends on anything else, only a request knows.

use super::code;
use crate::config::{Part, Template};
use crate::diagnostic::{Files, Finding, Findings, Place};
use crate::router::{InputType, Match, Params, Pattern, Routing, encode_segment};
use crate::site::{Outline, RouteOutline};
use std::collections::{BTreeMap, BTreeSet};

/// Nobody chains more redirects than this on purpose, and browsers give up at twenty.
const LONGEST: usize = 20;

/// At most so many URLs of a pattern are tried.
const MOST_EXAMPLES: usize = 64;

/// Texts that parameters stand for in examples: the first that fits.
const EXAMPLES: [&str; 9] =
    ["some-text", "7", "a", "A", "abc", "123", "2026-01-31", "00000000-0000-4000-8000-000000000000", "some/path"];

pub(super) fn check(site: &Outline, _files: &Files, findings: &mut Findings) {
    if !site.known.urls {
        // What leads nowhere may lead to what could not be read.
        return;
    }
    let mut told = Told::default();
    for (at, route) in site.routes.iter().enumerate() {
        for target in route.targets() {
            match target.as_literal() {
                Some(literal) => {
                    let path = path_of(target, &Values::default());
                    let end = path.map_or(End::Unknown, |path| follow(site, route, path));
                    told.tell(end, literal, target.place, findings);
                }
                None => {
                    let circle = examples(site, at, route).find_map(|(url, values)| {
                        let end = follow(site, route, path_of(target, &values)?);
                        matches!(end, End::Circle(_)).then_some((url, end))
                    });
                    // That one example leads to no page says nothing of the others.
                    if let Some((url, end)) = circle {
                        let begin = format!("{}` for a visitor of `{url}", target.as_written());
                        told.tell(end, &begin, target.place, findings);
                    }
                }
            }
        }
    }
}

/// The routes of circles that were told: all ways into one are one mistake.
#[derive(Default)]
struct Told(BTreeSet<usize>);

impl Told {
    fn tell(&mut self, end: End, target: &str, place: Place, findings: &mut Findings) {
        match end {
            End::Route | End::Unknown => {}
            End::Nowhere => {
                let message = format!("no route answers `{target}`");
                findings.push(
                    Finding::new(&code::REDIRECT_NOWHERE, place, message)
                        .help("write the path of a route, or a whole URL if it is another site's"),
                );
            }
            End::Circle(members) => {
                let is_told = members.iter().any(|member| self.0.contains(member));
                self.0.extend(members);
                if !is_told {
                    let message = format!("the redirects that begin at `{target}` never arrive at a page");
                    findings.push(Finding::new(&code::REDIRECT_CIRCLE, place, message));
                }
            }
        }
    }
}

/// What parameters stand for, percent-encoded as in the URL.
type Values = BTreeMap<String, String>;

/// The path that a target names on this site; nothing for another site's, and for one that is only known with a request.
fn path_of(target: &Template, values: &Values) -> Option<String> {
    let mut path = String::new();
    for part in &target.parts {
        match part {
            Part::Literal(text) => {
                let end = text.find(['?', '#']);
                path.push_str(end.and_then(|end| text.get(..end)).unwrap_or(text));
                if end.is_some() {
                    break;
                }
            }
            Part::Value(reference) => match (reference.root.as_str(), reference.keys.as_slice()) {
                ("params", [name]) => path.push_str(values.get(name)?),
                _ => return None,
            },
            Part::Env(_) => return None,
        }
    }
    (path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

/// Where a chain of redirects ends.
enum End {
    /// At something that is no redirect.
    Route,
    /// At a 404, at once.
    Nowhere,
    /// Never: by way of these routes.
    Circle(BTreeSet<usize>),
    /// Outside, or where only a request knows.
    Unknown,
}

/// Follows the redirects from `path` on, which `route` leads to.
fn follow(site: &Outline, route: &RouteOutline, path: String) -> End {
    let mut path = path;
    let mut passed = BTreeSet::new();
    for step in 0..LONGEST {
        let Some((at, values)) = visit(site, route.host.as_deref(), &path) else {
            // What is further down the chain is told of that redirect.
            return if step == 0 { End::Nowhere } else { End::Unknown };
        };
        let Some(target) = site.routes.get(at).and_then(|route| route.redirect.as_ref()) else { return End::Route };
        let Some(next) = path_of(target, &values) else { return End::Unknown };
        passed.insert(at);
        path = next;
    }
    End::Circle(passed)
}

/// The route that answers a path, and what its parameters stand for there.
fn visit(site: &Outline, host: Option<&str>, path: &str) -> Option<(usize, Values)> {
    let routers = &site.site().routers;
    match routers.route(host, path) {
        Routing::Matched(Match { route, params, .. }) => Some((*route, values_of(&params))),
        Routing::Redirect { location, route } => match routers.route(host, &location) {
            Routing::Matched(Match { route, params, .. }) => Some((*route, values_of(&params))),
            Routing::Redirect { .. }
            | Routing::Misfit(_)
            | Routing::NotFound
            | Routing::Server
            | Routing::BadTarget => Some((*route, Values::new())),
        },
        Routing::Misfit(_) | Routing::NotFound | Routing::Server | Routing::BadTarget => None,
    }
}

fn values_of(params: &Params<'_, '_>) -> Values {
    let encoded = |text: &str, is_rest: bool| {
        let segments = if is_rest { text.split('/').collect() } else { vec![text] };
        segments.into_iter().map(encode_segment).collect::<Vec<_>>().join("/")
    };
    let rest = params.pattern().rest_name();
    params.iter().map(|(name, text, _)| (name.to_owned(), encoded(&text, rest == Some(name)))).collect()
}

/// URLs that the route at `at` answers, and what its parameters stand for in each.
fn examples<'o>(
    site: &'o Outline,
    at: usize,
    route: &'o RouteOutline,
) -> impl Iterator<Item = (String, Values)> + use<'o> {
    let slash = site.site().routers.slash();
    let urls = route.patterns.iter().flat_map(move |pattern| {
        combinations(pattern).into_iter().filter_map(move |chosen| {
            pattern.build(slash, |name| chosen.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
        })
    });
    urls.filter_map(move |url| {
        let url = url.as_path().as_str().to_owned();
        let (found, values) = visit(site, route.host.as_deref(), &url)?;
        (found == at).then_some((url, values))
    })
}

/// Texts that the parameters of a pattern may stand for, together.
fn combinations(pattern: &Pattern) -> Vec<Vec<(&str, &str)>> {
    let mut all = vec![Vec::new()];
    for name in pattern.names() {
        let texts = pattern.input_type(name).map(texts).unwrap_or_default();
        all = all
            .into_iter()
            .flat_map(|begun: Vec<(&str, &str)>| {
                texts.iter().map(move |text| begun.iter().copied().chain([(name, *text)]).collect())
            })
            .take(MOST_EXAMPLES)
            .collect();
    }
    all
}

/// Each text of an `enum`, or one that fits.
fn texts(kind: &InputType) -> Vec<&str> {
    match kind.choices() {
        Some(choices) => choices.collect(),
        None => EXAMPLES.into_iter().find(|text| kind.fits(text)).into_iter().collect(),
    }
}
