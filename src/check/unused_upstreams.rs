//! Upstreams that no source calls.

use super::code;
use crate::diagnostic::{Files, Finding, Findings, suggest};
use crate::site::Outline;
use std::collections::HashSet;

pub(super) fn check(site: &Outline, _files: &Files, findings: &mut Findings) {
    if !site.known.declarations {
        return;
    }
    let upstreams = &site.site().upstreams;
    let named = site.routes.iter().flat_map(|route| &route.upstreams).chain(&site.section_upstreams);
    let named: HashSet<&str> = named.map(String::as_str).collect();
    // A misspelt name has a finding of its own, and the upstream that it means is called.
    let (mut called, unknown): (HashSet<&str>, HashSet<&str>) =
        named.into_iter().partition(|name| upstreams.is_declared(name));
    called.extend(unknown.into_iter().filter_map(|name| suggest(name, upstreams.names())));
    for declared in upstreams.declared().iter().filter(|declared| !called.contains(declared.value.as_str())) {
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
