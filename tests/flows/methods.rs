//! What programs send to JSON routes by POST, PUT, PATCH and DELETE: typed, passed on, answered with JSON or a problem.

use super::site;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use serde_json::json;

crate::cases!(
    what_is_sent_is_typed_passed_on_and_answered,
    what_does_not_fit_is_a_problem_that_names_its_members,
    what_is_not_json_is_refused,
    a_refusal_of_the_upstream_is_mirrored,
    each_method_has_its_own_declaration,
    programs_may_send_and_other_sites_may_not,
    scripts_of_declared_origins_may_send,
    what_is_sent_twice_is_done_once,
);

const ORDERS: &str = "\
-- routes/api/orders.toml --
json = { orders = [] }
[methods.post]
send = { name = \"order\", upstream = \"up\", path = \"/orders\", extract = { id = \"$.id\", note = \"$.note\" } }
json = { id = \"{form.result.order.id}\", sku = \"{form.sku}\", note = \"{form.result.order.note}\" }
status = 201
headers.location = \"/api/orders/{form.result.order.id}\"
rejected = { errors.sku = \"$.errors.sku\", message = \"$.message\" }
idempotency-key = \"request\"
[methods.post.fields.sku]
type = \"slug\"
required = true
[methods.post.fields.amount]
type = \"int\"
min = 1
default = 1
[methods.post.fields.tags]
repeat = true
max-items = 2
[methods.post.fields.options]
type = \"object\"
[methods.post.fields.request]
-- routes/api/order.toml --
path = \"/api/orders/{id}\"
json = { id = \"{params.id}\" }
params.id.type = \"int\"
[methods.put]
send = { upstream = \"up\", path = \"/orders/{params.id}\", method = \"PUT\" }
fields.amount = { type = \"int\", required = true }
[methods.delete]
send = { upstream = \"up\", path = \"/orders/{params.id}\", method = \"DELETE\", body = false }
invalidate = \"orders\"
";

fn orders(fault: &FaultServer) -> Site {
    fault.put("/orders", Reply::json("{\"id\":42,\"note\":null}"));
    site(fault, ORDERS)
}

fn send(site: &Site, method: &str, target: &str, body: &str) -> Response {
    site.request(method, target, &[("Content-Type", "application/json")], body.as_bytes())
}

fn what_is_sent_is_typed_passed_on_and_answered() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    let sent = send(
        &site,
        "POST",
        "/api/orders",
        "{\"sku\":\"a-b\",\"tags\":[\"x\"],\"options\":{\"deep\":[1,{\"a\":null}]}}",
    );
    assert_eq!((sent.status, sent.header("location")), (201, Some("/api/orders/42")), "{}", sent.text());
    assert_eq!(sent.json(), json!({"id": 42, "sku": "a-b", "note": null}));
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!((sent.header("cache-control"), sent.header("etag")), (Some("private, no-store"), None));
    assert_eq!(sent.header("x-content-type-options"), Some("nosniff"));
    let request = fault.requests("/orders").pop().unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&request.body).unwrap(),
        json!({"sku": "a-b", "amount": 1, "tags": ["x"], "options": {"deep": [1, {"a": null}]}})
    );
    assert_eq!(site.get("/api/orders").json(), json!({"orders": []}));
}

fn what_does_not_fit_is_a_problem_that_names_its_members() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    for (body, expected) in [
        ("{}", json!([{"field": "sku", "message": "Please fill this in."}])),
        (
            "{\"sku\":\"A B\",\"amount\":\"1\",\"more\":true}",
            json!([
                {"field": "sku", "message": "This must be lower-case letters, digits and hyphens."},
                {"field": "amount", "message": "This must be a whole number."},
                {"field": "more", "message": "There is no such member."},
            ]),
        ),
        (
            "{\"sku\":\"a\",\"tags\":[\"1\",\"2\",\"3\"]}",
            json!([{"field": "tags", "message": "There may be at most 2."}]),
        ),
        ("[]", json!([{"field": "", "message": "This must be an object."}])),
        ("null", json!([{"field": "", "message": "This must be an object."}])),
    ] {
        let response = send(&site, "POST", "/api/orders", body);
        assert_eq!(
            (response.status, response.header("content-type")),
            (422, Some("application/problem+json")),
            "{body}"
        );
        let problem = response.json();
        assert_eq!((&problem["errors"], &problem["status"]), (&expected, &json!(422)), "{body}");
    }
    assert_eq!(fault.total_calls(), 0);
}

fn what_is_not_json_is_refused() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    let long = format!("{{\"sku\":\"{}\"}}", "a".repeat(262_144));
    let deep = "[".repeat(1000);
    for (content_type, body, status) in [
        ("application/json", "{\"sku\":\"a\"", 400),
        ("application/json", "{\"sku\":\"a\",\"sku\":\"b\"}", 400),
        ("application/json", "{\"sku\":\"a\",\"options\":{\"x\":1,\"\\u0078\":2}}", 400),
        ("application/json", "", 400),
        ("application/json", "{\"sku\":\"a\"} {}", 400),
        ("application/json", &*deep, 400),
        ("application/json", &*long, 413),
        ("application/x-www-form-urlencoded", "sku=a", 415),
        ("text/plain", "{\"sku\":\"a\"}", 415),
        ("application/json; charset=latin1", "{\"sku\":\"a\"}", 415),
    ] {
        let response = site.request("POST", "/api/orders", &[("Content-Type", content_type)], body.as_bytes());
        let body: String = body.chars().take(60).collect();
        assert_eq!(
            (response.status, response.header("content-type")),
            (status, Some("application/problem+json")),
            "{content_type} {body}"
        );
    }
    assert_eq!(site.request("POST", "/api/orders", &[], b"{\"sku\":\"a\"}").status, 415);
    assert_eq!(fault.total_calls(), 0);
    assert_eq!(
        site.request("POST", "/api/orders", &[("Content-Type", "application/vnd.order+json")], b"{\"sku\":\"a\"}")
            .status,
        201
    );
}

fn a_refusal_of_the_upstream_is_mirrored() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    let said = "{\"errors\":{\"sku\":\"sold out\"},\"message\":\"Not so\"}";
    for (upstream, status) in [(400, 422), (401, 401), (403, 403), (404, 404), (409, 409), (410, 410), (422, 422)] {
        fault.put("/orders", Reply::json(said).status(upstream));
        let response = send(&site, "POST", "/api/orders", "{\"sku\":\"a\"}");
        let problem = response.json();
        assert_eq!((response.status, &problem["status"]), (status, &json!(status)));
        assert_eq!(problem["errors"], json!([{"field": "sku", "message": "sold out"}]), "{problem}");
        assert_eq!(problem["detail"], json!("Not so"));
    }
    fault.put("/orders", Reply::json(said).status(429).header("retry-after", "7"));
    let busy = send(&site, "POST", "/api/orders", "{\"sku\":\"a\"}");
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("7")), "nothing is wrong with it");
    for reply in [Reply::json("{}").status(500), Reply::json("oops")] {
        fault.put("/orders", reply);
        let response = send(&site, "POST", "/api/orders", "{\"sku\":\"a\"}");
        assert_eq!((response.status, response.header("content-type")), (502, Some("application/problem+json")));
    }
}

fn each_method_has_its_own_declaration() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    fault.put("/orders/7", Reply::json("{}"));
    let put = send(&site, "PUT", "/api/orders/7", "{\"amount\":2}");
    assert_eq!((put.status, &*put.body), (204, &b""[..]));
    assert_eq!(
        (fault.requests("/orders/7")[0].method.as_str(), &*fault.requests("/orders/7")[0].body),
        ("PUT", &b"{\"amount\":2}"[..])
    );
    // Nothing needs to be sent to remove something.
    assert_eq!(site.request("DELETE", "/api/orders/7", &[], b"").status, 204);
    let deleted = fault.requests("/orders/7").pop().unwrap();
    assert_eq!((deleted.method.as_str(), &*deleted.body, deleted.header("content-type")), ("DELETE", &b""[..], None));
    assert_eq!(send(&site, "DELETE", "/api/orders/7", "{\"amount\":2}").status, 422);
    let refused = send(&site, "POST", "/api/orders/7", "{\"amount\":2}");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS, PUT, DELETE")));
    assert_eq!(
        site.request("OPTIONS", "/api/orders/7", &[], b"").header("allow"),
        Some("GET, HEAD, OPTIONS, PUT, DELETE")
    );
    assert_eq!(send(&site, "PUT", "/api/orders/x", "{\"amount\":2}").status, 404);
    assert_eq!(fault.total_calls(), 2);
}

fn programs_may_send_and_other_sites_may_not() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    let status = |fields: &[(&str, &str)]| {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(fields);
        site.request("POST", "/api/orders", &all, b"{\"sku\":\"a\"}").status
    };
    for (fields, expected) in [
        (&[][..], 201),
        (&[("Authorization", "Bearer x")], 201),
        (&[("Sec-Fetch-Site", "same-origin"), ("Cookie", "session=ada")], 201),
        (&[("Origin", "http://localhost"), ("Cookie", "session=ada")], 201),
        (&[("Cookie", "session=ada")], 403),
        (&[("Origin", "https://evil.example")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
    ] {
        assert_eq!(status(fields), expected, "{fields:?}");
    }
    assert_eq!(fault.total_calls(), 4);
}

fn scripts_of_declared_origins_may_send() {
    let fault = FaultServer::start();
    let files = ORDERS.replace(
        "json = { orders = [] }\n",
        "json = { orders = [] }\ncors = { origins = [\"https://app.example\"], headers = [\"content-type\"] }\n",
    );
    fault.put("/orders", Reply::json("{\"id\":42}"));
    let site = site(&fault, &files);
    let preflight = site.request(
        "OPTIONS",
        "/api/orders",
        &[
            ("Origin", "https://app.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type"),
        ],
        b"",
    );
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS, POST"));
    let status = |fields: &[(&str, &str)]| {
        let mut all = vec![("Content-Type", "application/json"), ("Sec-Fetch-Site", "cross-site")];
        all.extend(fields);
        let response = site.request("POST", "/api/orders", &all, b"{\"sku\":\"a\"}");
        (response.status, response.header("access-control-allow-origin").map(str::to_owned))
    };
    assert_eq!(status(&[("Origin", "https://app.example")]), (201, Some("https://app.example".to_owned())));
    assert_eq!(status(&[("Origin", "https://evil.example")]).0, 403);
    // Only without what the browser keeps of the visitor, unless that is declared.
    assert_eq!(status(&[("Origin", "https://app.example"), ("Cookie", "session=ada")]).0, 403);
    assert_eq!(fault.total_calls(), 1);
}

fn what_is_sent_twice_is_done_once() {
    let fault = FaultServer::start();
    let site = orders(&fault);
    let keyed = |key: &str, body: &str| {
        site.request(
            "POST",
            "/api/orders",
            &[("Content-Type", "application/json"), ("Idempotency-Key", key)],
            body.as_bytes(),
        )
    };
    let first = keyed("\"k\"", "{\"sku\":\"a\"}");
    fault.put("/orders", Reply::json("{\"id\":43}"));
    let again = keyed("\"k\"", "{ \"sku\": \"a\" }");
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    assert_eq!(keyed("\"k\"", "{\"sku\":\"b\"}").status, 422);
    assert_eq!(send(&site, "POST", "/api/orders", "{\"sku\":\"a\",\"request\":\"r\"}").json()["id"], json!(43));
    assert_eq!(fault.total_calls(), 2);
}
