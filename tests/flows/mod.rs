//! What a request goes through, from the outside: the real binary, an upstream that misbehaves on request, raw clients.

pub(crate) mod admin;
pub(crate) mod agreement;
pub(crate) mod anonymous;
pub(crate) mod answers;
pub(crate) mod apart;
pub(crate) mod asked;
pub(crate) mod browsers;
pub(crate) mod caching;
pub(crate) mod calls;
pub(crate) mod client;
pub(crate) mod codings;
pub(crate) mod conformance;
pub(crate) mod cookies;
pub(crate) mod crowds;
pub(crate) mod data;
pub(crate) mod documents;
pub(crate) mod each;
pub(crate) mod explain;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod forms;
pub(crate) mod freshness;
pub(crate) mod graph;
pub(crate) mod guards;
pub(crate) mod hostile;
pub(crate) mod hour;
pub(crate) mod identity;
pub(crate) mod incidents;
pub(crate) mod inputs;
pub(crate) mod journeys;
pub(crate) mod json;
pub(crate) mod kept;
pub(crate) mod languages;
pub(crate) mod lists;
pub(crate) mod machines;
pub(crate) mod methods;
pub(crate) mod neighbours;
pub(crate) mod origins;
pub(crate) mod outcomes;
pub(crate) mod personal;
pub(crate) mod policies;
pub(crate) mod proxy;
pub(crate) mod routing;
pub(crate) mod runaway;
pub(crate) mod search;
pub(crate) mod secrets;
pub(crate) mod sharing;
pub(crate) mod smuggling;
pub(crate) mod spellings;
pub(crate) mod ssrf;
pub(crate) mod together;
pub(crate) mod tripwire;
pub(crate) mod unchanged;
pub(crate) mod variants;
pub(crate) mod versions;
pub(crate) mod visitors;

use crate::support::SAFETY_NET;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Options, Site};
use std::time::Instant;

/// A site whose upstream `up` is `fault`, called once for each source unless a source says otherwise; `files` is the rest.
fn site(fault: &FaultServer, files: &str) -> Site {
    Options::default().start(&archive(fault, files))
}

fn archive(fault: &FaultServer, files: &str) -> String {
    let address = fault.address();
    format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\nallow-private = true\nretries = 0\nmax-concurrent = 100\n{files}"
    )
}

/// Asks until the answer is as wanted.
fn until(site: &Site, target: &str, mut wanted: impl FnMut(&Response) -> bool) -> Response {
    let mut connection = site.connect();
    let end = Instant::now() + SAFETY_NET;
    loop {
        let response = connection.get(target);
        if wanted(&response) {
            return response;
        }
        assert!(Instant::now() < end, "{target} stays {} {}", response.status, response.text());
    }
}

/// Asks with this credential until the answer has this status.
fn until_with(site: &Site, target: &str, credential: &str, status: u16) {
    let end = Instant::now() + SAFETY_NET;
    while site.request("GET", target, &[("Authorization", credential)], b"").status != status {
        assert!(Instant::now() < end, "{target} never is {status}");
    }
}
