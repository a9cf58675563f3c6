//! The routes of a site as a table: what answers which URLs, what it is made from, who may keep it.

use super::table::align;
use crate::resource::Resource;
use crate::site::{Planned, Privacy, Route, Site};

/// What stands in a cell that has nothing to say.
const NOTHING: &str = "-";

/// One line for each route, in the order of their URLs.
pub fn routes(site: &Site) -> String {
    let mut routes: Vec<&Route> = site.routes.iter().collect();
    routes.sort_by(|left, right| left.patterns.cmp(&right.patterns));
    let rows: Vec<_> = routes.into_iter().map(row).collect();
    align(["PATH", "KIND", "FILE", "LAYOUT", "SOURCES", "CACHE-CONTROL", "PRIVACY"], &rows)
}

fn row(route: &Route) -> [String; 7] {
    let (kind, layout) = match &route.resource {
        Resource::Page(linked) => ("page", Some(linked)),
        Resource::Document(document) => ("document", document.layout.as_ref()),
        Resource::Tree(tree) => ("documents", tree.layouts.first()),
        Resource::Files(_) => ("files", None),
        Resource::Json(_) => ("json", None),
        Resource::Redirect(_) => ("redirect", None),
        Resource::Proxy(_) => ("proxy", None),
    };
    let source = |planned: &Planned| {
        let is_searched = planned.source.listing.as_ref().is_some_and(|listing| listing.index().is_some());
        format!("{}{}", planned.source.name.value, if is_searched { " (search)" } else { "" })
    };
    let sources: Vec<String> = route.sources.iter().map(source).collect();
    let privacy = match &route.privacy {
        Privacy::Public if !route.guards.is_empty() => "guarded".to_owned(),
        Privacy::Public => "public".to_owned(),
        Privacy::Personal { path, .. } => {
            let guarded = if route.guards.is_empty() { "" } else { "guarded, " };
            format!(
                "{guarded}personal: {}",
                path.iter().map(|step| step.value.as_str()).collect::<Vec<_>>().join(" > ")
            )
        }
    };
    [
        paths(route),
        kind.to_owned(),
        route.name.to_string(),
        layout.map_or(NOTHING, |linked| linked.layout.name()).to_owned(),
        some(sources.join(" ")),
        some(if let Resource::Proxy(_) = route.resource { String::new() } else { route.policy.written() }),
        privacy,
    ]
}

/// The paths, each at each host that the route names.
fn paths(route: &Route) -> String {
    let at = |host: &str| route.patterns.iter().map(|pattern| format!("{host}{pattern}")).collect::<Vec<_>>().join(" ");
    let hosts: Vec<String> = route.hosts.iter().map(|host| at(host)).collect();
    if hosts.is_empty() { at("") } else { hosts.join(" ") }
}

fn some(text: String) -> String {
    if text.is_empty() { NOTHING.to_owned() } else { text }
}
