//! Whatever an upstream does wrong, the page has the outcome that its author declared, within its time and its memory.

use super::{archive, until};
use crate::support::fault::FaultServer;
use crate::support::site::{Options, Site};
use std::fs;

crate::cases!(
    every_fault_has_the_declared_outcome,
    what_never_ends_is_cut_by_each_of_the_limits,
    an_absence_is_no_error,
    private_addresses_are_not_called_unless_allowed,
    the_worst_at_once_stay_within_memory_while_others_are_served,
    an_upstream_that_stops_and_comes_back,
);

/// Three pages for each upstream: without an outcome, with a fallback, and optional. The fault is the rest of the path.
fn pages(upstreams: &[&str]) -> String {
    let outcomes = [("strict", ""), ("fallback", "fallback = \"instead\""), ("optional", "optional = true")];
    let page = |upstream: &str, (page, outcome): (&str, &str)| {
        format!(
            r#"-- routes/{upstream}/{page}.toml --
path = "/{upstream}/{page}/{{*fault}}"
json = {{ value = "{{a}}" }}
[query.to]
[sources.a]
upstream = "{upstream}"
path = "/{{params.fault}}"
query = {{ to = "{{query.to}}" }}
{outcome}
"#
        )
    };
    let pages = upstreams.iter().flat_map(|upstream| outcomes.map(|outcome| page(upstream, outcome)));
    pages.chain(["-- routes/plain.toml --\njson = true\n".to_owned()]).collect()
}

/// A site with the upstreams `up` (patient), `hasty` (a short timeout), `refused` and `guarded` (private addresses refused).
fn start(fault: &FaultServer, options: Options) -> Site {
    let (address, refusing) = (fault.address(), FaultServer::refusing());
    let more = format!(
        "[upstreams.hasty]\nbase-url = \"http://{address}\"\nallow-private = true\nretries = 0\ntimeout = \"300ms\"\n\
         [upstreams.refused]\nbase-url = \"http://{refusing}\"\nallow-private = true\n\
         [upstreams.guarded]\nbase-url = \"http://{address}\"\n{}",
        pages(&["up", "hasty", "refused", "guarded"])
    );
    options.start(&archive(fault, &more))
}

fn assert_outcomes(site: &Site, upstream: &str, fault: &str, strict: u16) {
    let failed = site.get(&format!("/{upstream}/strict/{fault}"));
    assert_eq!(failed.status, strict, "{upstream} {fault}");
    assert_eq!(failed.header("content-type"), Some("application/problem+json"), "{upstream} {fault}");
    assert_eq!(failed.header("cache-control"), Some("no-store"), "{upstream} {fault}");
    for (page, expected) in [("fallback", "{\"value\":\"instead\"}"), ("optional", "{\"value\":null}")] {
        let degraded = site.get(&format!("/{upstream}/{page}/{fault}"));
        assert_eq!((degraded.status, degraded.text().trim()), (200, expected), "{upstream} {fault} {page}");
        assert_eq!(degraded.header("cache-control"), Some("no-store"), "{upstream} {fault} {page}");
    }
}

fn every_fault_has_the_declared_outcome() {
    let fault = FaultServer::start();
    let site = start(&fault, Options::default());
    assert_eq!(site.get("/up/strict/json/items").status, 200);
    for path in [
        "reset/0",
        "reset/1",
        "reset/40",
        "reset/1000/json/items",
        "cut/0",
        "cut/20",
        "cut/1000/json/items",
        "short/5/json/items",
        "bomb/gzip/100",
        "bomb/br/100",
        "bomb/zstd/100",
        "tiny-objects",
        "bytes/3000000",
        "invalid-json",
        "html",
        "labelled/gzip",
        "labelled/made-up",
        "truncated/gzip/json/items",
        "truncated/zstd/json/items",
        "status/400",
        "status/401",
        "status/403",
        "status/418",
        "status/429",
        "status/500",
        "status/503",
        "long-head/1000000",
        "many-fields/2000",
        "not-http",
        "bad-field",
        "bad-chunk",
        "bad-length",
        "switch",
        "redirect/302?to=http://127.0.0.1:1/",
        "redirect/308?to=http://169.254.169.254/latest",
    ] {
        assert_outcomes(&site, "up", path, 502);
    }
    assert_outcomes(&site, "refused", "json/items", 502);
}

fn what_never_ends_is_cut_by_each_of_the_limits() {
    let fault = FaultServer::start();
    let by_timeout = start(&fault, Options::default());
    for path in ["silent", "trickle/json/items", "silent-after-head/json/items"] {
        assert_outcomes(&by_timeout, "hasty", path, 504);
    }
    let by_first_byte = start(&fault, Options::default().set("limits.upstream-first-byte=200ms"));
    assert_outcomes(&by_first_byte, "up", "silent", 504);
    let by_deadline = start(&fault, Options::default().set("limits.deadline=300ms"));
    for path in ["silent", "trickle/json/items", "silent-after-head/json/items"] {
        assert_outcomes(&by_deadline, "up", path, 504);
    }
}

fn an_absence_is_no_error() {
    let fault = FaultServer::start();
    let site = start(&fault, Options::default());
    assert_outcomes(&site, "up", "status/404", 404);
    assert_outcomes(&site, "up", "status/410", 404);
    for page in ["strict", "fallback", "optional"] {
        let response = site.get(&format!("/up/{page}/status/204"));
        assert_eq!((response.status, response.text().trim()), (200, "{\"value\":null}"), "204 is null, {page}");
        assert_eq!(response.header("cache-control"), Some("no-cache"));
    }
}

fn private_addresses_are_not_called_unless_allowed() {
    let fault = FaultServer::start();
    let site = start(&fault, Options::default());
    assert_outcomes(&site, "guarded", "json/items", 502);
    assert_eq!(fault.connections(), 0);
}

fn the_worst_at_once_stay_within_memory_while_others_are_served() {
    let fault = FaultServer::start();
    let site = start(&fault, Options::default());
    let worst = ["bomb/gzip/100", "tiny-objects", "bomb/zstd/100", "bytes/2000000", "endless", "bomb/br/100"];
    let mut clients: Vec<_> = (0..64).map(|at| (worst[at % worst.len()], site.connect())).collect();
    for (at, (path, client)) in clients.iter_mut().enumerate() {
        // Different calls, lest they be one.
        client.send(format!("GET /up/strict/{path}?to={at} HTTP/1.1\r\nHost: localhost\r\n\r\n")).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(site.get("/plain").status, 200);
    }
    for (path, client) in &mut clients {
        let status = client.response().unwrap().status;
        assert!(matches!(status, 502 | 504), "{path}: {status}");
    }
    assert_memory(&site);
}

/// The peak of the process is below 512 MiB.
fn assert_memory(site: &Site) {
    let status = fs::read_to_string(format!("/proc/{}/status", site.process())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak of the memory");
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 512 << 10, "{} MiB", peak >> 10);
}

fn an_upstream_that_stops_and_comes_back() {
    let fault = FaultServer::start();
    let address = fault.address();
    let site = start(&fault, Options::default());
    let status = |page: &str| site.get(&format!("/up/{page}/json/items")).status;
    assert_eq!((status("strict"), status("fallback")), (200, 200));
    drop(fault);
    assert_outcomes(&site, "up", "json/items", 502);
    let fault = FaultServer::start_at(address);
    until(&site, "/up/strict/json/items", |response| response.status == 200);
    let whole = site.get("/up/fallback/json/items");
    assert_eq!(whole.json()["value"]["total"], 30);
    assert!(fault.total_calls() >= 2);
}
