//! JSON routes: records mapped from lists, nulls kept or dropped, status, HEAD, validators, and scripts of other sites.

use super::site;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use serde_json::json;

crate::cases!(
    the_ends_of_a_list_have_names_in_declarations_too,
    records_are_mapped_from_lists,
    nulls_are_kept_or_dropped,
    a_json_answer_has_a_status_a_validator_and_no_body_for_head,
    an_answer_without_bounds_is_refused,
    one_origin_is_told_to_everybody,
    another_spelling_of_a_url_may_be_asked_for_by_other_sites,
    several_origins_are_told_apart,
    answers_are_for_nobody_else_unless_declared,
);

const LIST: &str = r#"{"items":[{"id":1,"name":"A","tags":["x","y"],"note":null},{"id":2,"name":"B","tags":[],"note":"n"}],"one":{"id":3}}"#;

fn the_ends_of_a_list_have_names_in_declarations_too() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/ends.toml --\njson = { first = \"{v.first.a}\", last = \"{v.last.a}\", none = \"{e.first}\" }\n\
         sources.v.value = [{ a = 1 }, { a = 2 }]\nsources.e.value = []\n",
    );
    assert_eq!(site.get("/ends").json(), json!({ "first": 1, "last": 2, "none": null }));
}

fn records_are_mapped_from_lists() {
    let fault = FaultServer::start();
    fault.put("/list", Reply::json(LIST));
    let site = site(
        &fault,
        "-- routes/index.toml --\nvars = { currency = \"EUR\" }\n\
         json = { count = \"{list.items.size}\", products = { each = \"{list.items}\", fields = { id = \"{item.id}\", label = \"{item.id}: {item.name}\", currency = \"{vars.currency}\", tags = { each = \"{item.tags}\", fields = { tag = \"{item}\" } }, whole = \"{item}\" } } }\n\
         [sources.list]\nupstream = \"up\"\npath = \"/list\"\n\
         -- routes/names.toml --\njson = { each = \"{list.items}\", fields = \"{item.name}\" }\n\
         [sources.list]\nupstream = \"up\"\npath = \"/list\"\nextract.items = { each = \"$.items[*]\", fields = { name = \"$.name\" } }\n\
         -- routes/none.toml --\njson = [{ each = \"{list.one}\", fields = 1 }, { each = \"{list.nothing}\", fields = 1 }]\n\
         [sources.list]\nupstream = \"up\"\npath = \"/list\"\n",
    );
    let answer = site.get("/").json();
    assert_eq!(
        answer["products"][0],
        json!({ "id": 1, "label": "1: A", "currency": "EUR", "tags": [{ "tag": "x" }, { "tag": "y" }],
            "whole": { "id": 1, "name": "A", "tags": ["x", "y"], "note": null } })
    );
    assert_eq!((&answer["products"][1]["tags"], &answer["products"][1]["id"]), (&json!([]), &json!(2)));
    assert_eq!(site.get("/names").json(), json!(["A", "B"]));
    assert_eq!(site.get("/none").json(), json!([null, null]));
}

fn nulls_are_kept_or_dropped() {
    let fault = FaultServer::start();
    fault.put("/list", Reply::json(LIST));
    let source = "[sources.list]\nupstream = \"up\"\npath = \"/list\"\n";
    let json = "json = { first = \"{list.none}\", notes = { each = \"{list.items}\", fields = { note = \"{item.note}\" } }, fixed = [\"{list.none}\"] }";
    let site = site(
        &fault,
        &format!("-- routes/keep.toml --\n{json}\n{source}-- routes/drop.toml --\nnulls = \"drop\"\n{json}\n{source}"),
    );
    assert_eq!(
        site.get("/keep").text().trim(),
        "{\"first\":null,\"notes\":[{\"note\":null},{\"note\":\"n\"}],\"fixed\":[null]}"
    );
    assert_eq!(site.get("/drop").text().trim(), "{\"notes\":[{},{\"note\":\"n\"}],\"fixed\":[null]}");
}

fn a_json_answer_has_a_status_a_validator_and_no_body_for_head() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = { n = \"{a.total}\" }\ncache = { s-maxage = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/json/items\"\nextract.total = \"$.total\"\n\
         -- routes/made.toml --\njson = { ok = true }\nstatus = 202\n",
    );
    let answer = site.get("/");
    let tag = answer.header("etag").expect("a validator").to_owned();
    assert_eq!((answer.text().trim(), answer.header("content-type")), ("{\"n\":30}", Some("application/json")));
    let head = site.request("HEAD", "/", &[], b"");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("8"), 0));
    assert_eq!(head.header("etag"), Some(tag.as_str()));
    assert_eq!(site.request("GET", "/", &[("if-none-match", &tag)], b"").status, 304);
    assert_eq!(fault.calls("/json/items"), 1, "it is in the store of pages");
    assert_eq!(site.get("/made").status, 202);
}

fn an_answer_without_bounds_is_refused() {
    let fault = FaultServer::start();
    let many: Vec<u32> = (0..1000).collect();
    fault.put("/list", Reply::json(json!({ "items": many, "text": "x".repeat(100_000) }).to_string()));
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = { each = \"{list.items}\", fields = \"{list.text}\" }\n[sources.list]\nupstream = \"up\"\npath = \"/list\"\n",
    );
    assert_eq!(site.get("/").status, 500);
}

fn ask(site: &Site, method: &str, target: &str, origin: Option<&str>, more: &[(&str, &str)]) -> Response {
    let headers: Vec<(&str, &str)> =
        origin.map(|origin| ("origin", origin)).into_iter().chain(more.iter().copied()).collect();
    site.request(method, target, &headers, b"")
}

fn varies_by_origin(response: &Response) -> bool {
    response.headers("vary").iter().any(|line| line.to_ascii_lowercase().contains("origin"))
}

fn one_origin_is_told_to_everybody() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/one.toml --\njson = 1\ncache = { s-maxage = \"1h\" }\ncors = { origins = [\"https://app.example.com\"], headers = [\"X-Mine\", \"content-type\"], max-age = \"10m\", credentials = true }\n\
         -- routes/any.toml --\njson = 1\ncors = { origins = [\"*\"] }\n\
         -- routes/failing.toml --\njson = \"{a}\"\ncors = { origins = [\"*\"] }\n[sources.a]\nupstream = \"up\"\npath = \"/status/500\"\n",
    );
    for (origin, target, allowed) in [
        (Some("https://app.example.com"), "/one", "https://app.example.com"),
        (Some("https://evil.example"), "/one", "https://app.example.com"),
        (None, "/one", "https://app.example.com"),
        (Some("https://evil.example"), "/any", "*"),
        (Some("https://evil.example"), "/failing", "*"),
    ] {
        let response = ask(&site, "GET", target, origin, &[]);
        assert_eq!(response.header("access-control-allow-origin"), Some(allowed), "{target} {origin:?}");
        assert!(!varies_by_origin(&response), "{target}");
        let credentials = response.header("access-control-allow-credentials");
        assert_eq!(credentials, (target == "/one").then_some("true"), "{target}");
    }
    let preflight = [("access-control-request-method", "GET"), ("access-control-request-headers", "x-mine")];
    let response = ask(&site, "OPTIONS", "/one", Some("https://app.example.com"), &preflight);
    assert_eq!((response.status, response.body.len()), (204, 0));
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-headers", "x-mine, content-type"),
        ("access-control-max-age", "600"),
        ("access-control-allow-credentials", "true"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    assert!(response.header("access-control-allow-methods").is_some_and(|methods| methods.contains("GET")));
    let plain = ask(&site, "OPTIONS", "/one", None, &[]);
    assert_eq!((plain.status, plain.header("access-control-allow-methods")), (204, None));
}

/// A browser does not follow a redirect that does not let the script's site read it, and a preflight must not be one.
fn another_spelling_of_a_url_may_be_asked_for_by_other_sites() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/one.toml --\njson = 1\ncors = { origins = [\"https://a.example\", \"https://b.example\"] }\n-- routes/none.toml --\njson = 1\n",
    );
    let origin = Some("https://b.example");
    let moved = ask(&site, "GET", "/one/", origin, &[]);
    assert_eq!((moved.status, moved.header("location")), (308, Some("/one")));
    assert_eq!(moved.header("access-control-allow-origin"), origin);
    assert!(varies_by_origin(&moved));
    let preflight = ask(&site, "OPTIONS", "/one/", origin, &[("access-control-request-method", "GET")]);
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, origin));
    assert!(preflight.header("access-control-allow-methods").is_some_and(|methods| methods.contains("GET")));
    let stranger = ask(&site, "GET", "/one/", Some("https://c.example"), &[]);
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (308, None));
    let undeclared = ask(&site, "GET", "/none/", origin, &[]);
    assert_eq!((undeclared.status, undeclared.header("access-control-allow-origin")), (308, None));
}

fn several_origins_are_told_apart() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = 1\ncache = { s-maxage = \"1h\" }\ncors = { origins = [\"https://a.example\", \"https://b.example:8443\"] }\n",
    );
    for (origin, allowed) in [
        (Some("https://a.example"), Some("https://a.example")),
        (Some("https://b.example:8443"), Some("https://b.example:8443")),
        (Some("https://b.example"), None),
        (Some("https://a.example.evil"), None),
        (Some("http://a.example"), None),
        (Some("null"), None),
        (None, None),
    ] {
        let response = ask(&site, "GET", "/", origin, &[]);
        assert_eq!(response.header("access-control-allow-origin"), allowed, "{origin:?}");
        assert!(varies_by_origin(&response), "{origin:?}");
    }
    let tag = site.get("/").header("etag").expect("a validator").to_owned();
    let unchanged = ask(&site, "GET", "/", Some("https://a.example"), &[("if-none-match", &tag)]);
    assert_eq!((unchanged.status, unchanged.header("access-control-allow-origin")), (304, Some("https://a.example")));
}

fn answers_are_for_nobody_else_unless_declared() {
    let fault = FaultServer::start();
    let site = site(&fault, "-- routes/index.toml --\njson = 1\n");
    let preflight = [("access-control-request-method", "GET")];
    for method in ["GET", "OPTIONS"] {
        let response = ask(&site, method, "/", Some("https://a.example"), &preflight);
        assert!(!varies_by_origin(&response));
        assert!(response.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control")));
    }
}
