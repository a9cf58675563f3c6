//! Whatever an upstream does wrong, the page has the outcome that its author declared, within its time and its memory.

use super::{archive, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::{Options, Site};
use std::fs;

crate::cases!(
    every_fault_has_the_declared_outcome,
    five_sources_at_once_have_their_own_outcomes,
    a_breaker_opens_and_half_opens,
    what_never_ends_is_cut_by_each_of_the_limits,
    an_absence_is_no_error,
    private_addresses_are_not_called_unless_allowed,
    the_worst_at_once_stay_within_memory_while_others_are_served,
    an_upstream_that_stops_and_comes_back,
);

/// What goes wrong at once.
const AT_ONCE: &[&str] = &[
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
];

/// What never ends by itself.
const ENDLESS: &[&str] = &["silent", "trickle/json/items", "silent-after-head/json/items"];

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
    for path in AT_ONCE {
        assert_outcomes(&site, "up", path, 502);
    }
    assert_outcomes(&site, "refused", "json/items", 502);
}

/// Five sources of one page: four that are whole, and in their middle one that fails, with each outcome; and all five failing.
fn five_pages(upstream: &str) -> String {
    let outcomes = [("strict", ""), ("fallback", ", fallback = \"instead\""), ("optional", ", optional = true")];
    let page = |kind: &str, (page, outcome): (&str, &str), fails: &dyn Fn(&str) -> bool| {
        let source = |name: &&str| {
            let path = if fails(name) { "/{params.fault}" } else { "/json/items" };
            let outcome = if fails(name) { outcome } else { "" };
            // Different calls, lest they be one.
            format!(
                "{name} = {{ upstream = \"{upstream}\", path = \"{path}\", query = {{ to = \"{{query.to}}\", {name} = 1 }}, extract = \"$.total\"{outcome} }}\n"
            )
        };
        let sources: String = ["a", "b", "c", "d", "e"].iter().map(source).collect();
        format!(
            "-- routes/{upstream}/{kind}/{page}.toml --\npath = \"/{upstream}/{kind}/{page}/{{*fault}}\"\njson = [\"{{a}}\", \"{{b}}\", \"{{c}}\", \"{{d}}\", \"{{e}}\"]\n[query.to]\n[sources]\n{sources}"
        )
    };
    let one = outcomes.map(|outcome| page("one", outcome, &|name| name == "c"));
    let all = outcomes.map(|outcome| page("all", outcome, &|_| true));
    one.into_iter().chain(all).collect()
}

/// Whichever settles first: the page ends as declared, inside its deadline, and the sources that are well are there.
fn five_sources_at_once_have_their_own_outcomes() {
    let fault = FaultServer::start();
    let address = fault.address();
    let site = super::site(
        &fault,
        &format!(
            "[upstreams.hasty]\nbase-url = \"http://{address}\"\nallow-private = true\nretries = 0\ntimeout = \"1s\"\nmax-concurrent = 64\n{}",
            [five_pages("up"), five_pages("hasty")].concat()
        ),
    );
    let faults = AT_ONCE.iter().map(|path| ("up", *path, 502)).chain(ENDLESS.iter().map(|path| ("hasty", *path, 504)));
    for (upstream, path, strict) in faults.chain([("up", "status/404", 404), ("up", "status/410", 404)]) {
        for (kind, fallback, optional) in [
            ("one", "[30,30,\"instead\",30,30]", "[30,30,null,30,30]"),
            ("all", "[\"instead\",\"instead\",\"instead\",\"instead\",\"instead\"]", "[null,null,null,null,null]"),
        ] {
            let failed = site.get(&format!("/{upstream}/{kind}/strict/{path}"));
            assert_eq!((failed.status, failed.header("cache-control")), (strict, Some("no-store")), "{kind} {path}");
            for (page, expected) in [("fallback", fallback), ("optional", optional)] {
                let degraded = site.get(&format!("/{upstream}/{kind}/{page}/{path}"));
                assert_eq!((degraded.status, degraded.text().trim()), (200, expected), "{kind} {page} {path}");
                assert_eq!(degraded.header("cache-control"), Some("no-store"), "{kind} {page} {path}");
            }
        }
    }
}

/// After so many failures in a row nobody calls; then one call finds out, and while it does nobody else calls.
fn a_breaker_opens_and_half_opens() {
    let fault = FaultServer::start();
    let address = fault.address();
    let site = super::site(
        &fault,
        &format!(
            "[upstreams.fragile]\nbase-url = \"http://{address}\"\nallow-private = true\nretries = 0\nbreaker = {{ failures = 3, open-for = \"3s\" }}\n\
             -- routes/index.toml --\njson = \"{{a.total}}\"\n[query.n]\n[sources.a]\nupstream = \"fragile\"\npath = \"/it\"\nquery = {{ n = \"{{query.n}}\" }}\nfallback = {{ total = 0 }}\n"
        ),
    );
    fault.put("/it", Reply::json("{}").status(500));
    for n in 0..3 {
        assert_eq!(site.get(&format!("/?n={n}")).text().trim(), "0");
    }
    assert_eq!(fault.calls("/it"), 3);
    fault.put("/it", Reply::json("{\"total\":7}"));
    assert_eq!(site.get("/").text().trim(), "0", "open: not asked, although it is well again");
    site.wait_for_access(|line| line.contains("breaker-open"));
    assert_eq!(fault.calls("/it"), 3);
    until(&site, "/", |response| response.text().trim() == "7");
    assert_eq!(fault.calls("/it"), 4, "one call found out");
    assert_eq!(site.get("/").text().trim(), "7", "closed again");
}

fn what_never_ends_is_cut_by_each_of_the_limits() {
    let fault = FaultServer::start();
    let by_timeout = start(&fault, Options::default());
    for path in ENDLESS {
        assert_outcomes(&by_timeout, "hasty", path, 504);
    }
    let by_first_byte = start(&fault, Options::default().set("limits.upstream-first-byte=200ms"));
    assert_outcomes(&by_first_byte, "up", "silent", 504);
    let by_deadline = start(&fault, Options::default().set("limits.deadline=300ms"));
    for path in ENDLESS {
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
