//! Upstreams that no source calls.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::Site;
use crate::source::Kind;

pub(super) fn check(site: &Site, _files: &Files, findings: &mut Findings) {
    let mut called = vec![false; site.upstreams.all().iter().len()];
    for planned in site.routes.iter().flat_map(|route| &route.sources) {
        if let Kind::Http(http) = &planned.source.kind
            && let Some(called) = called.get_mut(http.upstream)
        {
            *called = true;
        }
    }
    for declared in site.upstreams.declared() {
        let is_called =
            site.upstreams.find(&declared.value).and_then(|at| called.get(at)).is_some_and(|called| *called);
        if !is_called {
            findings.push(
                Finding::new(
                    &code::UNUSED_UPSTREAM,
                    declared.place,
                    format!("nothing calls the upstream `{}`", declared.value),
                )
                .help("name it in a source: upstream = \"…\", or leave it out"),
            );
        }
    }
}
