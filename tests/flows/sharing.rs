//! What is made once for many: cold pages, calls under way, refreshes. And what is never kept.

use super::{site, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;

crate::cases!(
    a_thousand_clients_on_a_cold_page_are_one_call,
    equal_calls_of_an_uncached_page_are_one_while_under_way,
    a_call_that_waits_longer_is_another_call,
    calls_that_carry_a_person_are_not_shared,
    a_stale_page_is_served_at_once_and_refreshed_once,
    an_error_never_replaces_a_good_page,
    a_refresh_that_fails_leaves_the_old_page,
    without_stale_if_error_an_error_is_shown_and_forgotten,
    a_degraded_page_is_never_stored,
);

/// The first client, whose request started the call, leaves before the upstream answers.
fn a_thousand_clients_on_a_cold_page_are_one_call() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/gate/cold/count\"\n[cache]\ns-maxage = \"1h\"\n",
    );
    let mut first = site.connect();
    first.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/cold/count", 1);
    drop(first);
    let mut clients: Vec<_> = (0..1000).map(|_| site.connect()).collect();
    for client in &mut clients {
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }
    fault.release("cold");
    for client in &mut clients {
        let response = client.response().unwrap();
        assert_eq!((response.status, response.text().trim()), (200, "{\"count\":1}"));
    }
    assert_eq!(fault.total_calls(), 1);
    assert_eq!(site.get("/").text().trim(), "{\"count\":1}");
    assert_eq!(fault.total_calls(), 1);
}

/// Otherwise one page's impatience, or that of one source, would be the failure of another.
fn a_call_that_waits_longer_is_another_call() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{b.count}\"\nheaders = { x-a = \"{a.count}\" }\n\
         [sources]\na = { upstream = \"up\", path = \"/gate/held/count\", timeout = \"100ms\", optional = true }\n\
         b = { upstream = \"up\", path = \"/gate/held/count\" }\n",
    );
    let mut client = site.connect();
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/held/count", 2);
    fault.release("held");
    assert_eq!(client.response().unwrap().status, 200);
}

/// A second source, different for each client, shows when a request has begun: sources start in the order of their names.
fn equal_calls_of_an_uncached_page_are_one_while_under_way() {
    const CLIENTS: usize = 20;
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = ["{a.count}", "{b.query.client}"]
[query.client]
[sources]
a = { upstream = "up", path = "/gate/shared/count" }
b = { upstream = "up", path = "/echo", query = { client = "{query.client}" } }
"#,
    );
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| site.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(format!("GET /?client={at} HTTP/1.1\r\nHost: localhost\r\n\r\n")).unwrap();
    }
    fault.wait_for("/echo", CLIENTS);
    fault.release("shared");
    for (at, client) in clients.iter_mut().enumerate() {
        let response = client.response().unwrap();
        assert_eq!((response.status, response.text().trim()), (200, format!("[1,\"{at}\"]").as_str()));
    }
    assert_eq!(fault.calls("/gate/shared/count"), 1);
    assert_eq!(site.get("/").json()[0], 2, "nothing is kept");
}

fn calls_that_carry_a_person_are_not_shared() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.headers.authorization}\"\n[sources.a]\nupstream = \"up\"\npath = \"/barrier/both/2/echo\"\nforward-headers = [\"authorization\"]\n",
    );
    let mut clients: Vec<_> = ["same", "same"].map(|name| (name, site.connect())).into();
    for (name, client) in &mut clients {
        client.send(format!("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {name}\r\n\r\n")).unwrap();
    }
    for (name, client) in &mut clients {
        let response = client.response().unwrap();
        assert_eq!((response.status, response.json().as_str()), (200, Some(*name)));
        assert_eq!(response.header("cache-control"), Some("private, no-store"));
        assert_eq!(response.header("etag"), None);
    }
    assert_eq!(fault.total_calls(), 2);
}

fn cached(directives: &str, path: &str, more: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"{path}\"\n{more}\n[cache]\n{directives}\n"
    )
}

fn a_stale_page_is_served_at_once_and_refreshed_once() {
    const PATH: &str = "/gate/refresh/count";
    let fault = FaultServer::start();
    let site = site(&fault, &cached("s-maxage = \"1s\"\nstale-while-revalidate = \"1h\"", PATH, ""));
    fault.release("refresh");
    assert_eq!(site.get("/").text().trim(), "1");
    fault.close_gate("refresh");
    let stale = until(&site, "/", |response| {
        assert_eq!((response.status, response.text().trim()), (200, "1"));
        fault.calls(PATH) == 2
    });
    assert_eq!(stale.header("cache-control"), Some("public, max-age=0, s-maxage=1, stale-while-revalidate=3600"));
    for _ in 0..20 {
        let response = site.get("/");
        assert_eq!((response.status, response.text().trim()), (200, "1"));
        assert!(response.header("cache-status").is_some_and(|status| status.contains("; hit")), "{response:?}");
    }
    assert_eq!(fault.calls(PATH), 2, "one refresh at a time");
    fault.release("refresh");
    assert_eq!(until(&site, "/", |response| response.text().trim() != "1").text().trim(), "2");
}

fn an_error_never_replaces_a_good_page() {
    let fault = FaultServer::start();
    let site = site(&fault, &cached("s-maxage = \"1s\"\nstale-if-error = \"1h\"", "/count", ""));
    assert_eq!(site.get("/").text().trim(), "1");
    fault.put("/count", Reply::json("{}").status(503));
    until(&site, "/", |response| {
        assert_eq!((response.status, response.text().trim()), (200, "1"));
        fault.calls("/count") >= 3
    });
    fault.put("/count", Reply::json("{\"count\":\"new\"}"));
    until(&site, "/", |response| {
        assert_eq!(response.status, 200);
        response.text().trim() == "\"new\""
    });
}

fn a_refresh_that_fails_leaves_the_old_page() {
    let fault = FaultServer::start();
    let site = site(&fault, &cached("s-maxage = \"1s\"\nstale-while-revalidate = \"1h\"", "/count", ""));
    assert_eq!(site.get("/").text().trim(), "1");
    fault.put("/count", Reply::json("{}").status(500));
    until(&site, "/", |response| {
        assert_eq!((response.status, response.text().trim()), (200, "1"));
        fault.calls("/count") >= 3
    });
}

fn without_stale_if_error_an_error_is_shown_and_forgotten() {
    let fault = FaultServer::start();
    let site = site(&fault, &cached("s-maxage = \"1s\"", "/count", ""));
    assert_eq!(site.get("/").text().trim(), "1");
    fault.put("/count", Reply::json("{}").status(503));
    let error = until(&site, "/", |response| response.status != 200);
    assert_eq!((error.status, error.header("cache-control")), (502, Some("no-store")));
    fault.put("/count", Reply::json("{\"count\":\"new\"}"));
    let good = site.get("/");
    assert_eq!((good.status, good.text().trim()), (200, "\"new\""));
}

fn a_degraded_page_is_never_stored() {
    for more in ["fallback = { count = \"fallback\" }", "optional = true"] {
        let fault = FaultServer::start();
        let site = site(&fault, &cached("s-maxage = \"1h\"", "/count", more));
        fault.put("/count", Reply::json("{}").status(503));
        for calls in 1..=3 {
            let degraded = site.get("/");
            let expected = if more.starts_with("fallback") { "\"fallback\"" } else { "null" };
            assert_eq!((degraded.status, degraded.text().trim()), (200, expected));
            assert_eq!((degraded.header("cache-control"), degraded.header("etag")), (Some("no-store"), None));
            assert_eq!(fault.calls("/count"), calls);
        }
        fault.put("/count", Reply::json("{\"count\":\"good\"}"));
        for _ in 0..3 {
            assert_eq!(site.get("/").text().trim(), "\"good\"");
        }
        assert_eq!(fault.calls("/count"), 4);
    }
}
