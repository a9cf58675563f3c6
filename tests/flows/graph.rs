//! The order of sources: together unless one mentions another. Barriers and what the upstream received tell, not the clock.

use super::site;
use crate::support::fault::FaultServer;

crate::cases!(
    independent_sources_are_all_in_flight_before_any_is_answered,
    a_chain_runs_in_order,
    a_diamond_runs_in_three_waves,
    the_same_call_is_made_once_for_a_request,
    a_source_that_nothing_reads_is_not_called,
    layouts_and_rules_read_sources_too,
);

fn independent_sources_are_all_in_flight_before_any_is_answered() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = ["{a.count}", "{b.count}", "{c.count}"]
[sources]
a = { upstream = "up", path = "/barrier/three/3/count/a" }
b = { upstream = "up", path = "/barrier/three/3/count/b" }
c = { upstream = "up", path = "/barrier/three/3/count/c" }
"#,
    );
    let response = site.get("/");
    assert_eq!((response.status, response.text().trim()), (200, "[1,1,1]"));
    assert_eq!(fault.total_calls(), 3);
}

fn a_chain_runs_in_order() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = "{c.query}"
[sources]
a = { upstream = "up", path = "/gate/a/json/items", query = { n = 7 } }
b = { upstream = "up", path = "/gate/b/echo", query = { total = "{a.total}" } }
c = { upstream = "up", path = "/echo", query = { from_b = "{b.query.total}" } }
"#,
    );
    let mut client = site.connect();
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/a/json/items", 1);
    assert_eq!(fault.total_calls(), 1, "b and c wait for a");
    fault.release("a");
    fault.wait_for("/gate/b/echo", 1);
    assert_eq!(fault.total_calls(), 2, "c waits for b");
    fault.release("b");
    let response = client.response().unwrap();
    assert_eq!((response.status, response.text().trim()), (200, "{\"from_b\":\"7\"}"));
    assert_eq!(fault.requests("/echo")[0].parameter("from_b"), Some("7"));
}

fn a_diamond_runs_in_three_waves() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = "{d.query}"
[sources]
d = { upstream = "up", path = "/echo", query = { b = "{b.query.a}", c = "{c.query.a}" } }
b = { upstream = "up", path = "/barrier/middle/2/echo", query = { a = "b{a.count}" } }
c = { upstream = "up", path = "/barrier/middle/2/echo", query = { a = "c{a.count}" } }
a = { upstream = "up", path = "/count/a" }
"#,
    );
    let response = site.get("/");
    assert_eq!(response.status, 200);
    assert_eq!(response.json(), serde_json::json!({ "b": "b1", "c": "c1" }));
    assert_eq!(fault.total_calls(), 4);
}

fn the_same_call_is_made_once_for_a_request() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = ["{a}", "{b}", "{c}"]
[sources]
a = { upstream = "up", path = "/count", extract = "$.count" }
b = { upstream = "up", path = "/count", extract = "$.count" }
c = { upstream = "up", path = "/count", extract = "$.missing" }
"#,
    );
    assert_eq!(site.get("/").text().trim(), "[1,1,null]");
    assert_eq!(fault.calls("/count"), 1);
}

fn a_source_that_nothing_reads_is_not_called() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- routes/index.toml --
json = "{a.count}"
[sources]
a = { upstream = "up", path = "/count/a" }
unread = { upstream = "up", path = "/count/unread" }
"#,
    );
    assert_eq!(site.get("/").text().trim(), "1");
    assert_eq!(fault.total_calls(), 1);
}

fn layouts_and_rules_read_sources_too() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"-- layouts/list.html --
<ul>{% for item in list.items %}<li>{{ item.title }}</li>{% endfor %}</ul>
-- routes/index.toml --
layout = "list.html"
[sources]
list = { upstream = "up", path = "/json/items", query = { n = 2 } }
flag = { upstream = "up", path = "/count/flag" }
[[rules]]
if = "flag.count == 2"
then = { status = 410 }
"#,
    );
    let response = site.get("/");
    assert_eq!(response.status, 200);
    assert_eq!(
        response.text().trim(),
        "<ul><li>Item number 1 &amp; &lt;more&gt;</li><li>Item number 2 &amp; &lt;more&gt;</li></ul>"
    );
    assert_eq!(site.get("/").status, 410);
}
