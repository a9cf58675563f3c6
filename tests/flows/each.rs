//! Sources that are had once for each item of a list, and what a layout is told of sources that could not be had.

use super::site;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use serde_json::json;

crate::cases!(
    one_call_for_each_item_in_order_and_together,
    the_cap_of_the_upstream_bounds_the_calls,
    each_item_has_the_outcomes_of_its_source,
    a_list_that_is_too_long_or_none,
    an_item_stays_within_its_segment,
    layouts_are_told_which_sources_are_missing,
);

fn one_call_for_each_item_in_order_and_together() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{each}\"\n\
         [sources.list]\nupstream = \"up\"\npath = \"/json/items\"\nquery = { n = 5 }\nextract.items = { each = \"$.items[*]\", fields = { id = \"$.id\", sku = \"$.sku\" } }\n\
         [sources.each]\nupstream = \"up\"\npath = \"/barrier/all/5/echo\"\nquery = { id = \"{item.id}\" }\nheaders = { x-sku = \"{item.sku}\" }\n\
         safe = true\nbody = { id = \"{item.id}\", whole = \"{item}\" }\nfor-each = \"{list.items}\"\nmax-items = 5\n\
         extract.id = \"$.query.id\"\nextract.sku = \"$.headers['x-sku']\"\nextract.body = \"$.body\"\n\
         -- routes/query.toml --\njson = \"{each}\"\n[query.id]\nrepeat = true\n\
         [sources.each]\nupstream = \"up\"\npath = \"/json/items\"\nquery = { n = \"{item}\" }\nfor-each = \"{query.id}\"\nmax-items = 3\nextract = \"$.total\"\n",
    );
    // The barrier opens once all five calls are there.
    let answer = site.get("/");
    let ids: Vec<_> = answer.json().as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(
        answer.json()[1],
        json!({ "id": "2", "sku": "SKU-00002", "body": "{\"id\":2,\"whole\":{\"id\":2,\"sku\":\"SKU-00002\"}}" })
    );
    // The same call is made once.
    assert_eq!(site.get("/query?id=7&id=3&id=7").json(), json!([7, 3, 7]));
    assert_eq!(fault.calls("/json/items"), 3);
    assert_eq!(site.get("/query").json(), json!([]));
}

fn the_cap_of_the_upstream_bounds_the_calls() {
    let fault = FaultServer::start();
    let address = fault.address();
    let site = site(
        &fault,
        &format!(
            "[upstreams.narrow]\nbase-url = \"http://{address}\"\nallow-private = true\nmax-concurrent = 3\n\
             -- routes/index.toml --\njson = \"{{each}}\"\nvars = {{ all = [1,2,3,4,5,6,7,8,9,10,11,12] }}\n\
             [sources.each]\nupstream = \"narrow\"\npath = \"/count\"\nquery = {{ id = \"{{item}}\" }}\nfor-each = \"{{vars.all}}\"\nmax-items = 12\n"
        ),
    );
    let counts = site.get("/").json();
    assert_eq!(counts.as_array().map(Vec::len), Some(12));
    assert_eq!(fault.calls("/count"), 12);
    assert!(fault.most_at_once("/count") <= 3);
}

fn each_item_has_the_outcomes_of_its_source() {
    let fault = FaultServer::start();
    let page = |name: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a}}\"\n[query.path]\nrepeat = true\n[sources.a]\nupstream = \"up\"\npath = \"/status/{{item}}\"\nfor-each = \"{{query.path}}\"\nmax-items = 9\nextract.status = \"$.status\"\n{more}\n"
        )
    };
    let files = [
        page("strict", ""),
        page("optional", "optional = true"),
        page("fallback", "fallback = { status = 0 }"),
        page("mixed", "on-not-found = \"omit\""),
    ];
    let site = site(&fault, &files.concat());
    let all = "path=200&path=404&path=500&path=201";
    for (target, status) in
        [(format!("/strict?{all}"), 404), ("/strict?path=500&path=200".into(), 502), (format!("/mixed?{all}"), 502)]
    {
        assert_eq!(site.get(&target).status, status, "{target}");
    }
    let ok = |status: u16| json!({ "status": status });
    for (target, expected) in [
        (format!("/optional?{all}"), json!([ok(200), ok(201)])),
        (format!("/fallback?{all}"), json!([ok(200), ok(0), ok(0), ok(201)])),
        ("/mixed?path=404&path=200".into(), json!([ok(200)])),
    ] {
        let response = site.get(&target);
        assert_eq!((response.status, response.json()), (200, expected), "{target}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{target} is degraded");
    }
    let whole = site.get("/optional?path=200&path=204");
    assert_eq!((whole.json(), whole.header("cache-control")), (json!([ok(200), { "status": null }]), Some("no-cache")));
}

fn a_list_that_is_too_long_or_none() {
    let fault = FaultServer::start();
    let page = |name: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a}}\"\n[sources.list]\nupstream = \"up\"\npath = \"/list\"\n[sources.a]\nupstream = \"up\"\npath = \"/json/items\"\nquery = {{ n = \"{{item}}\" }}\nfor-each = \"{{list.ids}}\"\nmax-items = 3\nextract = \"$.total\"\n{more}\n"
        )
    };
    let files = [page("strict", ""), page("optional", "optional = true"), page("fallback", "fallback = 5")];
    let site = site(&fault, &files.concat());
    for (list, strict, value) in [
        ("{\"ids\":[1,2,3]}", 200, json!([1, 2, 3])),
        ("{\"ids\":[1,2,3,4]}", 502, json!([])),
        ("{\"ids\":\"1\"}", 502, json!([])),
        ("{\"ids\":{\"a\":1}}", 502, json!([])),
        ("{\"ids\":null}", 200, json!([])),
        ("{}", 200, json!([])),
    ] {
        fault.put("/list", Reply::json(list));
        assert_eq!(site.get("/strict").status, strict, "{list}");
        for page in ["/optional", "/fallback"] {
            assert_eq!(site.get(page).json(), value, "{page} {list}");
        }
    }
    fault.put("/list", Reply::json("{\"ids\":[1,{\"a\":1}]}"));
    assert_eq!((site.get("/strict").status, site.get("/optional").json()), (502, json!([1])));
}

fn an_item_stays_within_its_segment() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a}\"\n[sources.list]\nupstream = \"up\"\npath = \"/list\"\n\
         [sources.a]\nupstream = \"up\"\npath = \"/echo/{item}/x\"\nfor-each = \"{list}\"\nmax-items = 20\noptional = true\n",
    );
    fault.put("/list", Reply::json(r#"["..", "a/b", "", ".", "a\\b", "a\r\nb", null, "ü ?#&", "%2e%2e"]"#));
    assert_eq!(site.get("/").status, 200);
    let all: Vec<_> =
        fault.requests("/echo/%C3%BC%20%3F%23%26/x").into_iter().chain(fault.requests("/echo/%252e%252e/x")).collect();
    assert_eq!((all.len(), fault.total_calls()), (2, 3));
}

fn layouts_are_told_which_sources_are_missing() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\nlayout = \"page.html\"\ncache = { s-maxage = \"1h\" }\n[query.fault]\ndefault = \"200\"\n\
         [sources]\nzebra = { upstream = \"up\", path = \"/status/{query.fault}\", fallback = 1 }\n\
         apple = { upstream = \"up\", path = \"/status/{query.fault}\", query = { x = 1 }, optional = true }\n\
         whole = { upstream = \"up\", path = \"/json/items\" }\n\
         -- layouts/page.html --\n{{ zebra.status }}{{ apple.status }}{{ whole.total }}[{{ degraded | join: \" \" }}]{% if degraded contains \"apple\" %} without apple{% endif %}\n",
    );
    assert_eq!(site.get("/").text().trim(), "20020030[]");
    let degraded = site.get("/?fault=500");
    assert_eq!(degraded.text().trim(), "30[apple zebra] without apple");
    assert_eq!(degraded.header("cache-control"), Some("no-store"));
    assert_eq!(site.get("/?fault=500").status, 200);
    assert_eq!(fault.calls("/status/500"), 4, "never kept");
    site.wait_for_message(|line| line.contains("does without a source") && line.contains("zebra"));
}
