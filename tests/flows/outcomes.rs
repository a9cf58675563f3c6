//! Retries, what is required, who decides when several sources fail, and rules.

use super::site;
use crate::support::fault::FaultServer;

crate::cases!(
    a_safe_call_is_retried_as_often_as_declared,
    what_is_required_and_missing,
    a_refused_visitor_is_told_as_declared,
    several_failures_have_an_order,
    rules_go_first_to_last,
    a_rule_may_answer_with_a_layout,
    a_layout_of_a_rule_has_the_fields_of_its_type,
);

fn a_safe_call_is_retried_as_often_as_declared() {
    for trouble in ["flaky", "flaky-reset"] {
        let fault = FaultServer::start();
        let site = site(
            &fault,
            &format!(
                "-- routes/none.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/{trouble}/1/count/none\"\n\
                 -- routes/one.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/{trouble}/1/count/one\"\nretries = 1\n\
                 -- routes/few.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/{trouble}/2/count/few\"\nretries = 1\n"
            ),
        );
        assert_eq!(site.get("/none").status, 502, "{trouble}");
        assert_eq!(fault.calls(&format!("/{trouble}/1/count/none")), 1);
        let response = site.get("/one");
        assert_eq!((response.status, response.text().trim()), (200, "2"), "{trouble}");
        assert_eq!(site.get("/few").status, 502, "{trouble}");
        assert_eq!(fault.calls(&format!("/{trouble}/2/count/few")), 2);
    }
}

fn what_is_required_and_missing() {
    let fault = FaultServer::start();
    let page = |name: &str, extract: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a.x}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/json/items\"\nextract.x = {extract}\n{more}\n"
        )
    };
    let files = [
        page("required", "{ select = \"$.nothing\", required = true }", ""),
        page("misfit", "{ select = \"$.items\", type = \"int\", required = true }", ""),
        page("absent", "{ select = \"$.nothing\", required = \"not-found\" }", ""),
        page("default", "{ select = \"$.nothing\", default = 5 }", ""),
        page("lax", "\"$.nothing\"", ""),
        page("fallback", "{ select = \"$.nothing\", required = true }", "fallback = { x = 1 }"),
        page("absent-fallback", "{ select = \"$.nothing\", required = \"not-found\" }", "fallback = { x = 2 }"),
        page("absent-fails", "{ select = \"$.nothing\", required = \"not-found\" }", "on-not-found = \"fail\""),
        page("written-wins", "{ select = \"$.nothing\", required = true }", "optional = true\non-error = \"fail\""),
    ];
    let site = site(&fault, &files.concat());
    for (page, status, text) in [
        ("required", 502, None),
        ("misfit", 502, None),
        ("absent", 404, None),
        ("default", 200, Some("5")),
        ("lax", 200, Some("null")),
        ("fallback", 200, Some("1")),
        ("absent-fallback", 200, Some("2")),
        ("absent-fails", 502, None),
        ("written-wins", 502, None),
    ] {
        let response = site.get(&format!("/{page}"));
        assert_eq!(response.status, status, "{page}");
        if let Some(text) = text {
            assert_eq!(response.text().trim(), text, "{page}");
        }
    }
}

fn a_refused_visitor_is_told_as_declared() {
    let fault = FaultServer::start();
    let page = |name: &str, code: u16, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/status/{code}\"\nforward-headers = [\"authorization\"]\n{more}\n"
        )
    };
    let files = [
        page("mirror", 401, ""),
        page("mirror-403", 403, ""),
        page("fallback", 401, "fallback = \"never for a refusal\""),
        page("to-login", 401, "on-unauthorized = { redirect = \"/login\" }"),
        page("omit", 401, "on-unauthorized = \"omit\""),
        page("optional", 403, "optional = true"),
        page("fail", 401, "on-unauthorized = \"fail\""),
    ];
    let site = site(&fault, &files.concat());
    let get = |page: &str, headers: &[(&str, &str)]| site.request("GET", &format!("/{page}"), headers, b"");
    for (page, status) in [
        ("mirror", 401),
        ("mirror-403", 403),
        ("fallback", 401),
        ("to-login", 302),
        ("omit", 200),
        ("optional", 200),
        ("fail", 502),
    ] {
        let response = get(page, &[("authorization", "Bearer mine")]);
        assert_eq!(response.status, status, "{page}");
        assert!(!response.text().contains("mine"), "{page}");
        let control = response.header("cache-control");
        assert!(control.is_some_and(|control| control.contains("no-store")), "{page}: {control:?}");
    }
    assert_eq!(get("to-login", &[("authorization", "x")]).header("location"), Some("/login"));
    assert_eq!(get("to-login", &[]).status, 302, "a visitor who has no credential may be sent to get one");
}

/// Unauthorized, then not-found, then fail; whichever settles first.
fn several_failures_have_an_order() {
    let fault = FaultServer::start();
    let source =
        |name: &str, path: &str, more: &str| format!("{name} = {{ upstream = \"up\", path = \"{path}\"{more} }}\n");
    let (failing, absent) = (source("a", "/status/500", ""), source("b", "/gate/absent/status/404", ""));
    let refused = source("c", "/gate/refused/status/401", ", forward-headers = [\"authorization\"]");
    let site = site(
        &fault,
        &format!(
            "-- routes/three.toml --\njson = [\"{{a}}\", \"{{b}}\", \"{{c}}\"]\n[sources]\n{failing}{absent}{refused}\
             -- routes/two.toml --\njson = [\"{{a}}\", \"{{b}}\"]\n[sources]\n{failing}{absent}"
        ),
    );
    let mut client = site.connect();
    client.send(b"GET /three HTTP/1.1\r\nHost: localhost\r\nAuthorization: x\r\n\r\n").unwrap();
    fault.wait_for("/status/500", 1);
    fault.wait_for("/gate/refused/status/401", 1);
    fault.release("absent");
    fault.release("refused");
    assert_eq!(client.response().unwrap().status, 401);
    assert_eq!(site.get("/two").status, 404);
}

fn rules_go_first_to_last() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/r.toml --
json = "{slow.count}"
[query.n]
type = "int"
default = 0
[sources]
a = { upstream = "up", path = "/json/items", query = { n = "{query.n}" }, extract.total = "$.total" }
slow = { upstream = "up", path = "/count" }
[[rules]]
if = "a.total == 1"
then = { redirect = "/one/{query.n}" }
[[rules]]
if = "a.total == 2 or a.total == 1"
then = { status = 404 }
[[rules]]
if = "a.total > 1"
then = { redirect = "/many", status = 301 }
"#,
    );
    let one = site.get("/r?n=1");
    assert_eq!((one.status, one.header("location")), (302, Some("/one/1")));
    assert_eq!(site.get("/r?n=2").status, 404);
    let many = site.get("/r?n=3");
    assert_eq!((many.status, many.header("location")), (301, Some("/many")));
    assert_eq!(site.get("/r").status, 200);
}

fn a_layout_of_a_rule_has_the_fields_of_its_type() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- layouts/page.html --
<p>x</p>
-- layouts/gone.json --
{}
-- routes/page.toml --
layout = "page.html"
headers.referrer-policy = "no-referrer"
[query.gone]
[[rules]]
if = "query.gone"
then = { status = 410, layout = "gone.json" }
-- routes/json.toml --
json = "{query.gone}"
headers.referrer-policy = "no-referrer"
[query.gone]
[[rules]]
if = "query.gone"
then = { status = 410, layout = "page.html" }
"#,
    );
    for (target, is_html) in [("/page", true), ("/page?gone=1", false), ("/json", false), ("/json?gone=1", true)] {
        let response = site.get(target);
        let is_told = response.header("content-type").is_some_and(|value| value.starts_with("text/html"));
        assert_eq!(is_told, is_html, "{target}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{target}");
        for field in ["x-frame-options", "cross-origin-opener-policy"] {
            assert_eq!(response.header(field).is_some(), is_html, "{target} {field}");
        }
        assert_eq!(response.headers("referrer-policy"), ["no-referrer"], "{target}: what the route says stays");
    }
}

fn a_rule_may_answer_with_a_layout() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- layouts/page.html --
<p>{{ a.total }}</p>
-- layouts/gone.html --
<p>gone: {{ a.total }}</p>
-- routes/r.toml --
layout = "page.html"
[query.n]
type = "int"
default = 5
[sources.a]
upstream = "up"
path = "/json/items"
query = { n = "{query.n}" }
[[rules]]
if = "a.total == 1"
then = { status = 410, layout = "gone.html" }
[cache]
s-maxage = "1h"
"#,
    );
    for calls in 1..=2 {
        let gone = site.get("/r?n=1");
        assert_eq!((gone.status, gone.text().trim()), (410, "<p>gone: 1</p>"));
        assert_eq!(fault.total_calls(), calls, "only 200 is kept");
    }
    assert_eq!(site.get("/r").text().trim(), "<p>5</p>");
}
