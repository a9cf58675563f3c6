//! The admin listener and `siteserver purge`: what they change, what they tell, whom they refuse.

use super::{archive, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, Response};
use crate::support::site::{Folder, Options, Site, binary};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::process::Output;

crate::cases!(
    a_purge_by_tag_makes_its_pages_anew_and_leaves_the_others,
    a_purge_by_path_concerns_that_path,
    a_purge_by_source_concerns_its_parameters,
    a_purge_of_all_leaves_nothing,
    a_soft_purge_serves_on_while_the_page_is_made_anew,
    a_soft_purge_leaves_nothing_where_nothing_stale_may_be_served,
    each_call_of_a_source_is_purged_by_what_it_was_made_with,
    what_is_not_clear_is_refused_and_purges_nothing,
    pages_in_browsers_are_refused,
    other_hosts_are_refused,
    a_token_is_asked_for,
    visitors_reach_nothing_of_it,
    a_socket_is_for_its_own_user,
    metrics_count_what_was_done,
    metrics_count_those_who_wait_for_another,
    metrics_go_on_over_a_reload,
    the_status_says_what_is_served,
    a_draining_server_is_not_ready,
    an_address_in_use_is_said,
    the_command_purges,
    the_command_says_why_it_cannot,
    the_command_purges_over_a_socket,
    an_admin_address_that_changes_needs_a_restart,
);

const TOKEN: &str = "4f9c1e77b2a84d0f4f9c1e77b2a84d0f";

/// Two pages of one source each, one that is kept for long and may be stale, one by its parameter.
const PAGES: &str = "\
-- routes/index.toml --
json = \"{home.count}\"
[sources.home]
upstream = \"up\"
path = \"/count/home\"
[cache]
s-maxage = \"1h\"
stale-while-revalidate = \"1h\"
-- routes/repo.toml --
path = \"/repos/{owner}\"
json = \"{repo.count}\"
[sources.repo]
upstream = \"up\"
path = \"/count/{params.owner}\"
[cache]
s-maxage = \"1h\"
stale-while-revalidate = \"1h\"
";

/// A site with an admin listener on a free port.
fn site(fault: &FaultServer, files: &str) -> Site {
    options().start(&archive(fault, files))
}

pub(super) fn options() -> Options {
    Options::default().set("admin.listen=127.0.0.1:0")
}

/// Where the admin listener of a site is.
fn address(site: &Site) -> SocketAddr {
    let line = site.wait_for_message(|line| line.contains("admin on "));
    let (_, address) = line.split_once("admin on http://").expect("a TCP address");
    address.trim().parse().expect("an address")
}

pub(super) fn ask(site: &Site, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Response {
    Connection::open(address(site)).request(method, target, fields, body.as_bytes())
}

fn purge(site: &Site, what: &Value) -> Response {
    ask(site, "POST", "/purge", &[], &what.to_string())
}

/// Purges, and gives how many entries that were.
fn entries(site: &Site, what: &Value) -> u64 {
    let response = purge(site, what);
    assert_eq!(response.status, 200, "{what}: {}", response.text());
    let said = response.json();
    let (entries, bytes) = (said["entries"].as_u64().unwrap(), said["bytes"].as_u64().unwrap());
    assert_eq!(entries > 0, bytes > 0, "{said}");
    entries
}

/// The count that a page shows: which call of its source it is made of.
fn shown(site: &Site, target: &str) -> u64 {
    let response = site.get(target);
    assert_eq!(response.status, 200, "{target}");
    response.json().as_u64().unwrap()
}

/// Asks for each page, and expects these calls.
fn expect(site: &Site, pages: &[(&str, u64)]) {
    for (target, count) in pages {
        assert_eq!(shown(site, target), *count, "{target}");
    }
}

fn a_purge_by_tag_makes_its_pages_anew_and_leaves_the_others() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    let all = |home, a, b| expect(&site, &[("/", home), ("/repos/a", a), ("/repos/b", b)]);
    all(1, 1, 1);
    all(1, 1, 1);
    assert_eq!(entries(&site, &json!({ "tags": ["route:repo.toml"] })), 2);
    all(1, 2, 2);
    assert_eq!(entries(&site, &json!({ "tags": ["source:home", "nothing", "path:/repos/b"] })), 2);
    all(2, 2, 3);
    assert_eq!(entries(&site, &json!({ "tags": ["upstream:up"] })), 3);
    all(3, 3, 4);
    assert_eq!(entries(&site, &json!({ "tags": ["nothing"] })), 0);
    all(3, 3, 4);
    let line = site.wait_for_message(|line| line.contains("purged") && line.contains("upstream:up"));
    assert!(line.contains("entries=3") && line.contains("bytes="), "{line}");
}

fn a_purge_by_path_concerns_that_path() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1), ("/repos/a", 1), ("/repos/b", 1)]);
    assert_eq!(entries(&site, &json!({ "path": "/repos/a/" })), 1, "as it is spelled by the site");
    assert_eq!(entries(&site, &json!({ "path": "/repos" })), 0);
    expect(&site, &[("/", 1), ("/repos/a", 2), ("/repos/b", 1)]);
    assert_eq!(entries(&site, &json!({ "path": "/" })), 1);
    expect(&site, &[("/", 2), ("/repos/a", 2), ("/repos/b", 1)]);
}

fn a_purge_by_source_concerns_its_parameters() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1), ("/repos/a", 1), ("/repos/b", 1)]);
    assert_eq!(entries(&site, &json!({ "source": "repo", "params": { "owner": "a" } })), 1);
    expect(&site, &[("/", 1), ("/repos/a", 2), ("/repos/b", 1)]);
    assert_eq!(entries(&site, &json!({ "source": "repo", "params": { "owner": "c" } })), 0);
    assert_eq!(entries(&site, &json!({ "source": "home", "params": { "owner": "a" } })), 0);
    assert_eq!(entries(&site, &json!({ "source": "repo" })), 2);
    expect(&site, &[("/", 1), ("/repos/a", 3), ("/repos/b", 2)]);
}

fn a_purge_of_all_leaves_nothing() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1), ("/repos/a", 1), ("/repos/b", 1)]);
    assert_eq!(entries(&site, &json!({ "all": true })), 3);
    assert_eq!(ask(&site, "GET", "/status", &[], "").json()["store"]["entries"], 0);
    expect(&site, &[("/", 2), ("/repos/a", 2), ("/repos/b", 2)]);
}

fn a_soft_purge_serves_on_while_the_page_is_made_anew() {
    let fault = FaultServer::start();
    fault.put("/news", Reply::json("1"));
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/news\"\n[cache]\ns-maxage = \"1h\"\nstale-while-revalidate = \"1h\"\n",
    );
    assert_eq!(site.get("/").text(), "1");
    fault.put("/news", Reply::json("2"));
    assert_eq!(entries(&site, &json!({ "all": true, "soft": true })), 1);
    let stale = site.get("/");
    let status = stale.header("cache-status").unwrap();
    assert_eq!(stale.text(), "1", "{status}");
    assert!(status.starts_with("siteserver; hit; ttl=-") || status == "siteserver; hit; ttl=0", "{status}");
    until(&site, "/", |response| response.text() == "2");
    assert_eq!(fault.calls("/news"), 2);
    fault.put("/news", Reply::json("3"));
    assert_eq!(entries(&site, &json!({ "all": true, "soft": false })), 1);
    assert_eq!(site.get("/").text(), "3");
}

fn a_soft_purge_leaves_nothing_where_nothing_stale_may_be_served() {
    let fault = FaultServer::start();
    let route = |name: &str, cache: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/count/{name}\"\n[cache]\ns-maxage = \"1d\"\n{cache}\n"
        )
    };
    let strict = route("strict", "must-revalidate = true");
    let files = route("bare", "") + &strict + &route("rescued", "stale-if-error = \"1h\"");
    let site = site(&fault, &files);
    // What jitter takes of a day is up to two hours: nothing of it is left to be stale in.
    for round in 1..5 {
        for name in ["bare", "strict", "rescued"] {
            assert_eq!(site.get(&format!("/{name}")).text().trim(), round.to_string(), "{name}");
        }
        assert_eq!(entries(&site, &json!({ "all": true, "soft": true })), 3);
    }
}

fn each_call_of_a_source_is_purged_by_what_it_was_made_with() {
    let fault = FaultServer::start();
    let route = |path: &str, rest: &str| {
        format!("json = \"{{a}}\"\n{path}\n[sources.a]\nupstream = \"up\"\n{rest}\n[cache]\ns-maxage = \"1d\"\n")
    };
    let files = format!(
        "-- routes/each.toml --\n{}[sources.list]\nvalue = [{{ id = 1 }}, {{ id = \"b/c\" }}]\n-- routes/names.toml --\n{}-- routes/tags.toml --\n{}",
        route("", "path = \"/echo\"\nquery = { id = \"{item.id}\" }\nfor-each = \"{list}\"\nmax-items = 9"),
        route(
            "path = \"/names/{id}\"\n[query.id]",
            "path = \"/echo\"\nquery = { id = \"{query.id}\", other = \"{params.id}\" }"
        ),
        route("[query.tag]\nrepeat = true\nmax-items = 5", "path = \"/echo\"\nquery = { tag = \"{query.tag}\" }"),
    );
    let site = site(&fault, &files);
    let pages = ["/each", "/names/7?id=9", "/tags?tag=x&tag=y"];
    for (params, covered) in [
        (json!({ "item.id": "1" }), pages[0]),
        (json!({ "item.id": "b/c" }), pages[0]),
        (json!({ "id": "7" }), pages[1]),
        (json!({ "id": "9" }), pages[1]),
        (json!({ "tag": "x" }), pages[2]),
        (json!({ "tag": "y" }), pages[2]),
    ] {
        for page in pages {
            assert_eq!(site.get(page).status, 200, "{page}");
        }
        assert_eq!(entries(&site, &json!({ "source": "a", "params": params })), 1, "{params}");
        let is_hit = |page: &str| site.get(page).header("cache-status").is_some_and(|it| it.contains("hit"));
        assert_eq!(pages.map(is_hit), pages.map(|page| page != covered), "{params}");
    }
    for params in [json!({ "item.id": "2" }), json!({ "id": "8" }), json!({ "tag": "" }), json!({ "tag": "x,y" })] {
        assert_eq!(entries(&site, &json!({ "source": "a", "params": params })), 0, "{params}");
    }
}

fn what_is_not_clear_is_refused_and_purges_nothing() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1)]);
    for (body, told) in [
        ("", "no JSON"),
        ("{}", "exactly one"),
        (r#"{"all": true, "tags": ["a"]}"#, "exactly one"),
        (r#"{"path": "/", "path": "/repos/a"}"#, "`path` is there twice"),
        (r#"{"all": true, "hard": true}"#, "unknown key `hard`"),
        (r#"{"tags": []}"#, "not empty"),
        (r#"{"path": "no-slash"}"#, "begins with `/`"),
    ] {
        let response = ask(&site, "POST", "/purge", &[], body);
        assert_eq!((response.status, response.header("content-type")), (400, Some("application/json")), "{body}");
        let error = response.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(told), "{body}: {error}");
    }
    let long = format!("{{\"tags\": [\"{}\"]}}", "x".repeat(70_000));
    assert_eq!(ask(&site, "POST", "/purge", &[], &long).status, 413);
    for (method, target, status, allow) in [
        ("GET", "/purge", 405, Some("POST")),
        ("PURGE", "/purge", 405, Some("POST")),
        ("POST", "/metrics", 405, Some("GET, HEAD")),
        ("GET", "/", 404, None),
        ("POST", "/purge/", 404, None),
    ] {
        let response = ask(&site, method, target, &[], "");
        assert_eq!((response.status, response.header("allow")), (status, allow), "{method} {target}");
    }
    expect(&site, &[("/", 1)]);
}

fn pages_in_browsers_are_refused() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1)]);
    let own = format!("http://{}", address(&site));
    for (name, value) in
        [("origin", "null"), ("origin", &own), ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]
    {
        for (method, target) in [("POST", "/purge"), ("GET", "/metrics"), ("GET", "/health")] {
            let response = ask(&site, method, target, &[(name, value)], r#"{"all": true}"#);
            assert_eq!(response.status, 403, "{method} {target} {name}: {value}");
            assert!(!response.headers.iter().any(|(name, _)| name.starts_with("access-control")));
        }
    }
    expect(&site, &[("/", 1)]);
}

fn other_hosts_are_refused() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1)]);
    let own = address(&site).to_string();
    for (host, status) in [
        (own.as_str(), 200),
        ("localhost", 200),
        ("localhost:1", 200),
        ("rebound.example", 421),
        ("127.0.0.1.nip.example", 421),
        ("192.0.2.1", 421),
    ] {
        let response = ask(&site, "GET", "/status", &[("host", host)], "");
        assert_eq!(response.status, status, "{host}");
    }
    assert_eq!(ask(&site, "POST", "/purge", &[("host", "rebound.example")], r#"{"all": true}"#).status, 421);
    expect(&site, &[("/", 1)]);
}

fn a_token_is_asked_for() {
    let fault = FaultServer::start();
    let options = options().set("admin.token={env.ADMIN_TOKEN}").env("ADMIN_TOKEN", TOKEN);
    let site = options.start(&archive(&fault, PAGES));
    expect(&site, &[("/", 1)]);
    let right = format!("Bearer {TOKEN}");
    for target in ["/purge", "/metrics", "/status", "/nothing"] {
        for field in [None, Some("Bearer"), Some("Bearer 4f9c1e77b2a84d0f"), Some("Basic YTpi")] {
            let fields: Vec<_> = field.map(|field| ("authorization", field)).into_iter().collect();
            let method = if target == "/purge" { "POST" } else { "GET" };
            let response = ask(&site, method, target, &fields, r#"{"all": true}"#);
            assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Bearer")), "{target}");
            assert!(!response.text().contains(TOKEN));
        }
    }
    for target in ["/health", "/ready"] {
        assert_eq!(ask(&site, "GET", target, &[], "").status, 200, "{target}");
    }
    expect(&site, &[("/", 1)]);
    let purged = ask(&site, "POST", "/purge", &[("authorization", &right)], r#"{"all": true}"#);
    assert_eq!((purged.status, purged.json()["entries"].as_u64()), (200, Some(1)));
    expect(&site, &[("/", 2)]);
    assert!(!site.messages().contains(TOKEN) && !site.access_log().contains(TOKEN));
}

fn visitors_reach_nothing_of_it() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1)]);
    assert_eq!(site.request("POST", "/purge", &[], br#"{"all": true}"#).status, 404);
    for target in ["/metrics", "/status", "/health", "/ready"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    expect(&site, &[("/", 1)]);
    // What is asked there is no visit.
    assert_eq!(ask(&site, "GET", "/health", &[], "").status, 200);
    site.get("/last");
    site.wait_for_access(|line| line.contains("\"/last\""));
    assert_eq!(site.access_log().matches("\"/health\"").count(), 1, "{}", site.access_log());
}

fn socket(folder: &Folder) -> String {
    folder.path().join("admin.sock").to_string_lossy().into_owned()
}

fn a_socket_is_for_its_own_user() {
    let fault = FaultServer::start();
    let sockets = Folder::new();
    let path = socket(&sockets);
    let mut site = Options::default().set(&format!("admin.listen=unix:{path}")).start(&archive(&fault, PAGES));
    let line = site.wait_for_message(|line| line.contains("admin on "));
    assert!(line.ends_with(&format!("admin on unix:{path}")), "{line}");
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    expect(&site, &[("/", 1)]);
    let mut stream = UnixStream::connect(&path).unwrap();
    let body = r#"{"all": true}"#;
    write!(
        stream,
        "POST /purge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"entries\":1"), "{answer}");
    expect(&site, &[("/", 2)]);
    site.signal("TERM");
    assert!(site.wait().success());
    assert!(!fs::exists(&path).unwrap(), "the file of the socket goes with the server");
}

/// The value of a series, which is there.
pub(super) fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).parse().unwrap()
}

pub(super) fn metrics(site: &Site) -> String {
    let response = ask(site, "GET", "/metrics", &[], "");
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    response.text().to_owned()
}

/// The metrics once a series has this value: an answer is counted when it has been sent, and its client may be quicker.
fn metrics_with(site: &Site, series: &str, wanted: f64) -> String {
    let end = std::time::Instant::now() + crate::support::SAFETY_NET;
    loop {
        let text = metrics(site);
        if text.lines().any(|line| line == format!("{series} {wanted}")) {
            return text;
        }
        assert!(std::time::Instant::now() < end, "{series} is not {wanted} in\n{text}");
    }
}

fn metrics_count_what_was_done() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "breaker = {{ failures = 1, open-for = \"1h\" }}\n{PAGES}-- routes/broken.toml --\njson = \"{{a}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/status/503\"\n"
        ),
    );
    let before = metrics(&site);
    assert!(before.contains(&format!("\nsiteserver_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION"))));
    assert!(before.contains("\nsiteserver_store_entries 0\n"));
    assert!(!before.contains("routes/"), "what was not asked has no series:\n{before}");
    let mut connection = site.connect();
    let first = connection.get("/");
    connection.get("/");
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(connection.request("GET", "/", &[("if-none-match", &etag)], b"").status, 304);
    assert!(metrics(&site).contains("siteserver_upstream_breaker_open{upstream=\"up\"} 0\n"));
    assert_eq!(connection.get("/broken").status, 502);
    assert_eq!(connection.get("/broken").status, 502);
    assert_eq!(connection.get("/nowhere").status, 404);
    let text = metrics_with(&site, "siteserver_requests_total{route=\"\",status=\"4xx\"}", 1.0);
    let home = "route=\"routes/index.toml\"";
    for (series, expected) in [
        (format!("siteserver_requests_total{{{home},status=\"2xx\"}}"), 2.0),
        (format!("siteserver_requests_total{{{home},status=\"3xx\"}}"), 1.0),
        ("siteserver_requests_total{route=\"routes/broken.toml\",status=\"5xx\"}".to_owned(), 2.0),
        (format!("siteserver_page_store_total{{{home},outcome=\"hit\"}}"), 2.0),
        (format!("siteserver_page_store_total{{{home},outcome=\"miss\"}}"), 1.0),
        (format!("siteserver_page_store_total{{{home},outcome=\"stale\"}}"), 0.0),
        ("siteserver_page_store_total{route=\"routes/broken.toml\",outcome=\"uncached\"}".to_owned(), 2.0),
        (format!("siteserver_collapsed_total{{{home}}}"), 0.0),
        (format!("siteserver_sent_bytes_total{{{home}}}"), 2.0),
        (format!("siteserver_request_seconds_count{{{home}}}"), 3.0),
        (format!("siteserver_request_seconds_bucket{{{home},le=\"+Inf\"}}"), 3.0),
        (format!("siteserver_fill_seconds_count{{{home}}}"), 1.0),
        (
            "siteserver_upstream_calls_total{upstream=\"up\",route=\"routes/index.toml\",source=\"home\",outcome=\"2xx\"}"
                .to_owned(),
            1.0,
        ),
        (
            "siteserver_upstream_calls_total{upstream=\"up\",route=\"routes/broken.toml\",source=\"a\",outcome=\"5xx\"}"
                .to_owned(),
            1.0,
        ),
        (
            "siteserver_upstream_calls_total{upstream=\"up\",route=\"routes/broken.toml\",source=\"a\",outcome=\"breaker-open\"}"
                .to_owned(),
            1.0,
        ),
        ("siteserver_upstream_call_seconds_count{upstream=\"up\"}".to_owned(), 2.0),
        ("siteserver_upstream_breaker_open{upstream=\"up\"}".to_owned(), 1.0),
        ("siteserver_store_entries".to_owned(), 1.0),
        ("siteserver_connections".to_owned(), 1.0),
        ("siteserver_access_log_dropped_total".to_owned(), 0.0),
    ] {
        assert!((value(&text, &series) - expected).abs() < 0.5, "{series} is not {expected} in\n{text}");
    }
    let bytes = value(&text, "siteserver_store_bytes");
    assert!(bytes > 0.0 && bytes < value(&text, "siteserver_store_capacity_bytes"));
    let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for line in &series {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(number.parse::<f64>().is_ok(), "{line}");
        assert_eq!(series.iter().filter(|other| other.starts_with(&format!("{name} "))).count(), 1, "{name} twice");
    }
    for path in 0..50 {
        connection.get(&format!("/nowhere/{path}"));
    }
    let more = metrics_with(&site, "siteserver_requests_total{route=\"\",status=\"4xx\"}", 51.0);
    assert_eq!(more.lines().count(), text.lines().count(), "requests make no series");
}

fn metrics_count_those_who_wait_for_another() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.count}\"\n[sources.a]\nupstream = \"up\"\npath = \"/gate/held/count\"\n[cache]\ns-maxage = \"1h\"\n",
    );
    let mut visitors: Vec<Connection> = (0..20).map(|_| site.connect()).collect();
    for visitor in &mut visitors {
        visitor.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        fault.wait_for("/gate/held/count", 1);
    }
    fault.release("held");
    let answers: Vec<Response> = visitors.iter_mut().map(|visitor| visitor.response().unwrap()).collect();
    let with =
        |word: &str| answers.iter().filter(|answer| answer.header("cache-status").unwrap().contains(word)).count();
    let (hits, collapsed) = (with("; hit"), with("; collapsed"));
    assert_eq!(hits + collapsed, 19);
    let route = "route=\"routes/index.toml\"";
    let text = metrics_with(&site, &format!("siteserver_request_seconds_count{{{route}}}"), 20.0);
    for (series, expected) in [
        (format!("siteserver_collapsed_total{{{route}}}"), collapsed),
        (format!("siteserver_page_store_total{{{route},outcome=\"hit\"}}"), hits),
        (format!("siteserver_page_store_total{{{route},outcome=\"miss\"}}"), 1 + collapsed),
        (format!("siteserver_fill_seconds_count{{{route}}}"), 1),
    ] {
        assert!(
            text.lines().any(|line| line == format!("{series} {expected}")),
            "{series} is not {expected} in\n{text}"
        );
    }
}

fn metrics_go_on_over_a_reload() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1), ("/repos/a", 1)]);
    site.folder().write("routes/index.toml", "this is = = no TOML\n");
    site.signal("HUP");
    let kept = metrics_with(&site, "siteserver_reloads_total{result=\"kept\"}", 1.0);
    assert!(value(&kept, "siteserver_store_entries") > 1.5, "{kept}");
    let last = ask(&site, "GET", "/status", &[], "").json()["reload"].clone();
    assert_eq!((last["outcome"].as_str(), last["findings"].as_u64()), (Some("kept"), Some(1)), "{last}");
    site.folder().write("routes/index.toml", "json = {}\n");
    site.signal("HUP");
    until(&site, "/", |response| response.text() == "{}");
    let series = "siteserver_requests_total{route=\"routes/repo.toml\",status=\"2xx\"}";
    expect(&site, &[("/repos/a", 1)]);
    let text = metrics_with(&site, series, 2.0);
    assert!(!text.contains("source=\"home\""), "a source that is gone is forgotten:\n{text}");
    assert_eq!(ask(&site, "GET", "/status", &[], "").json()["reload"]["outcome"], "served");
}

fn the_status_says_what_is_served() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    expect(&site, &[("/", 1)]);
    let status = ask(&site, "GET", "/status", &[], "").json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["site"].as_str().map(std::path::Path::new), Some(site.folder().path()));
    assert_eq!(status["routes"], 2);
    assert_eq!(status["listeners"], json!([site.address().to_string()]));
    assert_eq!((&status["draining"], &status["reload"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(status["store"]["entries"], 1);
    assert_eq!(status["store"]["capacity"], 48 << 20, "the rest is for data");
    assert!(status["uptime"].is_u64());
    assert!(status["loaded"].as_str().is_some_and(|time| time.ends_with('Z')), "{status}");
    assert_eq!(status["revision"].as_str().map(str::len), Some(16));
    for (target, text) in [("/health", "ok\n"), ("/ready", "ready\n")] {
        let response = ask(&site, "GET", target, &[], "");
        assert_eq!((response.status, response.text()), (200, text));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(ask(&site, "HEAD", target, &[], "").status, 200);
    }
}

fn a_draining_server_is_not_ready() {
    let fault = FaultServer::start();
    let mut site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.count}\"\n[sources.a]\nupstream = \"up\"\npath = \"/gate/held/count\"\n",
    );
    let mut visitor = site.connect();
    visitor.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/held/count", 1);
    let admin = address(&site);
    site.signal("TERM");
    let end = std::time::Instant::now() + crate::support::SAFETY_NET;
    while Connection::open(admin).get("/ready").status != 503 {
        assert!(std::time::Instant::now() < end, "it drains, and says that it is ready");
    }
    assert_eq!(Connection::open(admin).get("/health").status, 200);
    assert_eq!(Connection::open(admin).get("/status").json()["draining"], true);
    fault.release("held");
    assert_eq!(visitor.response().unwrap().text(), "1");
    assert!(site.wait().success());
}

fn an_address_in_use_is_said() {
    let site = Site::start("-- site.toml --\n");
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n");
    let mut command = binary();
    command.arg("--config").arg(folder.path().join("site.toml"));
    command.args(["--set", "server.listen=[\"127.0.0.1:0\"]", "--set", &format!("admin.listen={}", site.address())]);
    let (code, _, problem) = said(&command.output().unwrap());
    assert_eq!(code, Some(1));
    assert!(problem.contains("another program listens there") && problem.contains("--set admin.listen="), "{problem}");
}

/// Runs `siteserver purge` for a site.
fn run(site: &Site, listen: &str, token: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.arg("purge").args(arguments);
    command.arg("--config").arg(site.folder().path().join("site.toml"));
    command.args(["--set", &format!("admin.listen={listen}")]);
    command.env_remove("ADMIN_TOKEN").envs(token.map(|token| ("ADMIN_TOKEN", token)));
    command.output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn the_command_purges() {
    let fault = FaultServer::start();
    let site = site(&fault, PAGES);
    let listen = address(&site).to_string();
    expect(&site, &[("/", 1), ("/repos/a", 1), ("/repos/b", 1)]);
    let json = |arguments: &[&str]| {
        let (code, out, problem) = said(&run(&site, &listen, None, &[arguments, &["--format", "json"]].concat()));
        assert_eq!((code, problem.as_str()), (Some(0), ""), "{arguments:?}");
        let said: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(said.as_object().unwrap().len(), 2, "{said}");
        said["entries"].as_u64().unwrap()
    };
    assert_eq!(json(&["--tag", "source:home", "--path", "/repos/a"]), 2);
    expect(&site, &[("/", 2), ("/repos/a", 2), ("/repos/b", 1)]);
    assert_eq!(json(&["--source", "repo", "--param", "owner=b"]), 1);
    expect(&site, &[("/", 2), ("/repos/a", 2), ("/repos/b", 2)]);
    assert_eq!(json(&["--source", "repo", "--soft"]), 2);
    until(&site, "/repos/a", |response| response.text() == "3");
    let (code, out, _) = said(&run(&site, &listen, None, &["--path", "/"]));
    assert!(code == Some(0) && out.starts_with("purged: 1 stored item, ") && out.ends_with(" bytes\n"), "{out}");
    let (_, out, _) = said(&run(&site, &listen, None, &["--all"]));
    assert!(out.starts_with("purged: 2 stored items, "), "{out}");
    // A site that is being edited has errors, and can be purged all the same.
    site.folder().write("routes/index.toml", "layuot = \"a\"\n");
    assert_eq!(said(&run(&site, &listen, None, &["--all"])).0, Some(0));
}

fn the_command_says_why_it_cannot() {
    let fault = FaultServer::start();
    let files = archive(&fault, &format!("[admin]\ntoken = \"{{env.ADMIN_TOKEN}}\"\n{PAGES}"));
    let site = options().env("ADMIN_TOKEN", TOKEN).start(&files);
    let listen = address(&site).to_string();
    let nobody = FaultServer::refusing().to_string();
    let other = "another-token-of-16-bytes-or-more";
    for (listen, token, arguments, told) in [
        (&listen, None, &["--all"][..], "the token is not in the environment: set `ADMIN_TOKEN`"),
        (&listen, Some(other), &["--all"], "the server has another token than `ADMIN_TOKEN` holds here"),
        (&nobody, Some(TOKEN), &["--all"], "nobody answers at 127.0.0.1:1 (Connection refused"),
        (&"127.0.0.1:0".to_owned(), Some(TOKEN), &["--all"], "any free port"),
        (&listen, Some(TOKEN), &["--path", "about"], "not purged: `about` is not the path of a URL"),
    ] {
        let (code, out, problem) = said(&run(&site, listen, token, arguments));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{problem}");
        assert!(problem.contains(told) && !problem.contains(TOKEN) && !problem.contains(other), "{problem}");
    }
    assert_eq!(said(&run(&site, &listen, Some(TOKEN), &["--all"])).0, Some(0));
    for arguments in
        [&[][..], &["--all", "--tag", "a"], &["--param", "a=b", "--all"], &["--source", "a", "--param", "b"]]
    {
        assert_eq!(said(&run(&site, &listen, Some(TOKEN), arguments)).0, Some(2), "{arguments:?}");
    }
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n");
    let output = binary().args(["purge", "--all", "--config"]).arg(folder.path().join("site.toml")).output().unwrap();
    let (code, _, problem) = said(&output);
    assert!(code == Some(1) && problem.contains("the site has no admin listener"), "{problem}");
}

fn the_command_purges_over_a_socket() {
    let fault = FaultServer::start();
    let sockets = Folder::new();
    let listen = format!("unix:{}", socket(&sockets));
    let files = archive(&fault, &format!("[admin]\ntoken = \"{{env.ADMIN_TOKEN}}\"\n{PAGES}"));
    let site = Options::default().set(&format!("admin.listen={listen}")).env("ADMIN_TOKEN", TOKEN).start(&files);
    expect(&site, &[("/", 1)]);
    let (code, out, problem) = said(&run(&site, &listen, Some(TOKEN), &["--all"]));
    assert!(code == Some(0) && out.starts_with("purged: 1 stored item, "), "{out}{problem}");
    expect(&site, &[("/", 2)]);
    let elsewhere = format!("{listen}.not");
    let (code, _, problem) = said(&run(&site, &elsewhere, Some(TOKEN), &["--all"]));
    assert!(code == Some(1) && problem.contains("nobody answers at unix:"), "{problem}");
}

fn an_admin_address_that_changes_needs_a_restart() {
    let site = Site::start("-- site.toml --\n[admin]\nlisten = \"127.0.0.1:0\"\n-- routes/index.toml --\njson = {}\n");
    let admin = address(&site);
    site.folder().write("site.toml", "[admin]\nlisten = \"[::1]:0\"\n");
    site.signal("HUP");
    let line = site.wait_for_message(|line| line.contains("restart is needed"));
    assert!(line.contains("admin"), "{line}");
    assert_eq!(Connection::open(admin).get("/ready").status, 200);
}
