//! Copies of one URL that differ in what header fields of requests say: how many there may be, and who makes room for whom.

use super::{admin, archive};
use crate::support::SAFETY_NET;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Site, binary};
use std::time::Instant;

crate::cases!(
    one_url_has_no_more_copies_than_it_may,
    what_is_asked_for_again_stays,
    what_is_kept_unsent_is_bounded_too,
    it_is_told,
);

const PAGES: &str = "\
-- routes/_section.toml --
[cookies.theme]
enum = [\"light\", \"dark\"]
default = \"light\"
[query.q]
[sources.a]
upstream = \"up\"
path = \"/count/{params.id}\"
query = { q = \"{query.q}\" }
forward-headers = [\"user-agent\"]
-- routes/few.toml --
path = \"/few/{id}\"
json = { id = \"{params.id}\", theme = \"{cookies.theme}\", a = \"{a.count}\" }
[cache]
s-maxage = \"1h\"
variants = 3
-- routes/usual.toml --
path = \"/usual/{id}\"
json = \"{a.count}\"
[cache]
s-maxage = \"1h\"
-- routes/asked.toml --
path = \"/asked/{id}\"
json = { of = \"{request.headers.user-agent}\", q = \"{query.q}\" }
cache = { variants = 3 }
";

fn ask(site: &Site, target: &str, says: &str, theme: &str) -> Response {
    let cookie = format!("theme={theme}");
    let response = site.request("GET", target, &[("user-agent", says), ("cookie", &cookie)], b"");
    assert_eq!(response.status, 200, "{target} {says}");
    response
}

fn is_hit(response: &Response) -> bool {
    response
        .header("cache-status")
        .is_some_and(|status| status.starts_with("siteserver; hit; ttl=") && !status.contains("ttl=-"))
}

fn metric(site: &Site, series: &str) -> f64 {
    admin::value(admin::ask(site, "GET", "/metrics", &[], "").text(), series)
}

fn is(site: &Site, series: &str, expected: u32) {
    let value = metric(site, series);
    assert!((value - f64::from(expected)).abs() < f64::EPSILON, "{series}: {value}, not {expected}");
}

fn one_url_has_no_more_copies_than_it_may() {
    let fault = FaultServer::start();
    let site = admin::options().start(&archive(&fault, PAGES));
    for number in 0..200 {
        assert!(!is_hit(&ask(&site, "/usual/a", &format!("robot {number}"), "light")));
    }
    is(&site, "siteserver_store_entries", 64);
    is(&site, "siteserver_crowded_out_total{route=\"routes/usual.toml\"}", 136);
    // The last ones are there. Each copy is found by its own value only.
    for (number, is_there) in [(199, true), (136, true), (135, false)] {
        let calls = fault.calls("/count/a");
        assert_eq!(is_hit(&ask(&site, "/usual/a", &format!("robot {number}"), "light")), is_there, "{number}");
        assert_eq!(fault.calls("/count/a"), calls + usize::from(!is_there));
    }
    // Other URLs, other values that are declared: each has its own copies.
    for target in ["/few/a", "/few/b", "/few/a?q=x", "/few/a?q=y"] {
        for theme in ["light", "dark"] {
            for says in ["a", "b", "c", "d"] {
                assert!(!is_hit(&ask(&site, target, says, theme)), "{target} {says} {theme}");
            }
        }
    }
    is(&site, "siteserver_store_entries", 64 + 4 * 2 * 3);
    for (says, is_there) in [("b", true), ("c", true), ("d", true), ("a", false)] {
        for theme in ["light", "dark"] {
            assert_eq!(is_hit(&ask(&site, "/few/a?q=x", says, theme)), is_there, "{says} {theme}");
        }
    }
}

/// One that is made anew because somebody asks for it is no old one.
fn what_is_asked_for_again_stays() {
    let fault = FaultServer::start();
    let site = admin::options().start(&archive(&fault, PAGES));
    for says in ["a", "b", "c"] {
        ask(&site, "/few/x", says, "light");
    }
    let purged = admin::ask(&site, "POST", "/purge", &[], r#"{"all":true,"soft":true}"#);
    assert_eq!(purged.status, 200, "{}", purged.text());
    // It may have been served once more as it was; then it was made anew.
    let end = Instant::now() + SAFETY_NET;
    while !is_hit(&ask(&site, "/few/x", "a", "light")) {
        assert!(Instant::now() < end, "it stays stale");
    }
    assert!(!is_hit(&ask(&site, "/few/x", "d", "light")));
    assert!(is_hit(&ask(&site, "/few/x", "a", "light")), "b was the oldest");
    is(&site, "siteserver_crowded_out_total{route=\"routes/few.toml\"}", 1);
    is(&site, "siteserver_store_entries", 3);
    // After a purge nothing is there to make room.
    assert_eq!(admin::ask(&site, "POST", "/purge", &[], r#"{"all":true}"#).status, 200);
    for says in ["e", "f", "g"] {
        ask(&site, "/few/x", says, "light");
    }
    is(&site, "siteserver_crowded_out_total{route=\"routes/few.toml\"}", 1);
}

/// What the store keeps only to find out that nothing has changed takes its place as well.
fn what_is_kept_unsent_is_bounded_too() {
    let fault = FaultServer::start();
    let site = admin::options().start(&archive(&fault, PAGES));
    for number in 0..20 {
        let answer = ask(&site, "/asked/a", &format!("robot {number}"), "light");
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
    }
    is(&site, "siteserver_store_entries", 3);
    is(&site, "siteserver_crowded_out_total{route=\"routes/asked.toml\"}", 17);
}

fn it_is_told() {
    let fault = FaultServer::start();
    let site = super::site(&fault, PAGES);
    let explain = |target: &str| {
        let config = site.folder().path().join("site.toml");
        let output = binary().arg("explain").arg("--config").arg(config).arg(target).output().expect("the binary");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let told = explain("/few/a");
    assert!(told.contains("cache.variants  3"), "{told}");
    assert!(told.contains("(our store keeps up to 3 copies of this URL that differ in `user-agent`)"), "{told}");
    let told = explain("/usual/a");
    assert!(told.contains("up to 64 copies"), "{told}");
}
