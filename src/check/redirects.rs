//! Redirects to URLs of the site itself that lead nowhere, or back to where they began.
//!
//! Only targets without placeholders are followed: where the others lead is known with a request.

use super::code;
use crate::config::{Binding, Template};
use crate::diagnostic::{Files, Finding, Findings};
use crate::resource::Resource;
use crate::router::Routing;
use crate::site::{Route, Site, Then};
use crate::source::OnUnauthorized;
use std::collections::BTreeSet;

/// Nobody chains more redirects than this on purpose, and browsers give up at twenty.
const LONGEST: usize = 20;

pub(super) fn check(site: &Site, _files: &Files, findings: &mut Findings) {
    // Routes of circles that were told: all ways into one are one mistake.
    let mut told = BTreeSet::new();
    for route in &site.routes {
        for template in targets(route) {
            let Some(target) = own_path(template) else { continue };
            match destination(site, route.hosts.first().map(|host| &**host), target) {
                Destination::Route | Destination::Unknown => {}
                Destination::Nowhere => {
                    let message = format!("no route answers `{target}`");
                    findings.push(
                        Finding::new(&code::REDIRECT_NOWHERE, template.place, message)
                            .help("write the path of a route, or a whole URL if it is another site's"),
                    );
                }
                Destination::Circle(members) => {
                    let is_told = members.iter().any(|member| told.contains(member));
                    told.extend(members);
                    if is_told {
                        continue;
                    }
                    let message = format!("the redirects that begin at `{target}` lead back to where they began");
                    findings.push(Finding::new(&code::REDIRECT_CIRCLE, template.place, message));
                }
            }
        }
    }
}

/// Wherever a route may send its visitors.
fn targets(route: &Route) -> impl Iterator<Item = &Template<Binding>> {
    let whole = if let Resource::Redirect(target) = &route.resource { Some(target) } else { None };
    let of_rules = route.rules.iter().filter_map(|rule| match &rule.then {
        Then::Redirect { target, .. } => Some(target),
        Then::Status(_) | Then::Layout { .. } => None,
    });
    let of_sources = route.sources.iter().filter_map(|planned| match &planned.source.outcomes.on_unauthorized {
        OnUnauthorized::Redirect(target) => Some(target),
        OnUnauthorized::Status | OnUnauthorized::Omit | OnUnauthorized::Fail => None,
    });
    whole.into_iter().chain(of_rules).chain(of_sources)
}

/// The path that a target names on this site; nothing for another site's, and for one that is only known with a request.
fn own_path(template: &Template<Binding>) -> Option<&str> {
    let target = template.as_literal()?;
    let is_path = target.starts_with('/') && !target.starts_with("//");
    is_path.then(|| target.split(['?', '#']).next().unwrap_or(target))
}

/// Where a chain of redirects ends.
enum Destination {
    /// At something that is no redirect.
    Route,
    /// At a 404.
    Nowhere,
    /// Nowhere, for ever: by way of these routes.
    Circle(BTreeSet<usize>),
    /// Outside, or where only a request knows.
    Unknown,
}

fn destination(site: &Site, host: Option<&str>, first: &str) -> Destination {
    let mut target = first.to_owned();
    let mut passed = BTreeSet::new();
    for _ in 0..LONGEST {
        let index = match site.routers.route(host, &target) {
            Routing::Matched(found) => *found.route,
            Routing::Redirect { route, .. } => *route,
            Routing::Misfit(_) | Routing::NotFound | Routing::Server | Routing::BadTarget => {
                return Destination::Nowhere;
            }
        };
        let Some(Resource::Redirect(template)) = site.routes.get(index).map(|route| &route.resource) else {
            return Destination::Route;
        };
        match own_path(template) {
            Some(next) => {
                passed.insert(index);
                next.clone_into(&mut target);
            }
            None => return Destination::Unknown,
        }
    }
    Destination::Circle(passed)
}
