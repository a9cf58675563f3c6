//! Declared inputs from the outside: what each route is given of a request, whatever the request says.

use crate::support::http::Response;
use crate::support::site::Site;
use serde_json::{Value, json};

crate::cases!(
    query_values_are_typed,
    what_does_not_fit_means_what_is_declared,
    lists_are_bounded,
    the_first_value_counts,
    a_flood_of_parameters_is_cut,
    path_values_are_typed,
    cookies_are_read_one_by_one,
    cookies_have_types,
    large_cookies_are_served_and_larger_heads_refused,
    header_fields_are_read_as_text,
    what_is_not_declared_does_not_exist,
);

const ARCHIVE: &str = r#"
-- site.toml --
-- routes/query.toml --
[query]
text = {}
int = { type = "int", min = -5, max = 5 }
uuid = { type = "uuid" }
slug = { type = "slug", max-length = 10 }
date = { type = "date" }
path = { type = "path" }
code = { pattern = "[A-Z]{2}[0-9]+" }
order = { enum = ["new", "old"], default = "new" }
per_page = { type = "int", name = "per-page", default = 20 }

[json]
text = "{query.text}"
int = "{query.int}"
uuid = "{query.uuid}"
slug = "{query.slug}"
date = "{query.date}"
path = "{query.path}"
code = "{query.code}"
order = "{query.order}"
per_page = "{query.per_page}"
-- routes/strict.toml --
[query]
lax = { type = "int", on-invalid = "default", default = 1 }
missing = { type = "int", on-invalid = "not-found" }
bad = { type = "int", on-invalid = "bad-request" }

[json]
lax = "{query.lax}"
missing = "{query.missing}"
bad = "{query.bad}"
-- routes/list.toml --
[query]
tag = { type = "slug", repeat = true, max-items = 3 }
strict = { type = "int", repeat = true, on-invalid = "bad-request", default = [1, 2] }

[json]
tag = "{query.tag}"
strict = "{query.strict}"
-- routes/param.toml --
path = "/param/{id}/{day}/{*rest}"
params.id = { type = "int", min = 1 }
params.day = { type = "date" }

[json]
id = "{params.id}"
day = "{params.day}"
rest = "{params.rest}"
-- routes/cookies.toml --
[cookies]
theme = { enum = ["light", "dark"], default = "light" }
size = { type = "int", enum = ["1", "2"], default = 1 }
visitor = { pattern = "[a-z]+", name = "__Host-Visitor" }

[json]
theme = "{cookies.theme}"
size = "{cookies.size}"
visitor = "{cookies.visitor}"
-- routes/fields.toml --
[json]
wish = "{request.headers.x-wish}"
-- routes/nothing.toml --
[json]
constant = 1
"#;

fn json_of(response: &Response, what: &str) -> Value {
    assert_eq!(response.status, 200, "{what}");
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn query_values_are_typed() {
    let site = Site::start(ARCHIVE);
    for (query, name, expected) in [
        ("text=caf%C3%A9+%2B1", "text", json!("café +1")),
        ("text=%252F", "text", json!("%2F")),
        ("text=a%0D%0Ab", "text", json!("a\r\nb")),
        ("text=", "text", json!(null)),
        ("text", "text", json!(null)),
        ("TEXT=a", "text", json!(null)),
        ("te%78t=a", "text", json!("a")),
        ("text=%FF", "text", json!(null)),
        ("text=%C0%AF", "text", json!(null)),
        ("text=%ED%A0%80", "text", json!(null)),
        ("text=a%00b", "text", json!(null)),
        ("text=100%", "text", json!(null)),
        ("text=%F0%9F%8E%89", "text", json!("🎉")),
        ("int=5", "int", json!(5)),
        ("int=-5", "int", json!(-5)),
        ("int=6", "int", json!(null)),
        ("int=05", "int", json!(null)),
        ("int=%2B5", "int", json!(null)),
        ("int=5.0", "int", json!(null)),
        ("int=0x5", "int", json!(null)),
        ("int=99999999999999999999", "int", json!(null)),
        ("uuid=00112233-4455-6677-8899-AABBCCDDEEFF", "uuid", json!("00112233-4455-6677-8899-aabbccddeeff")),
        ("uuid=00112233445566778899aabbccddeeff", "uuid", json!(null)),
        ("slug=a-b-1", "slug", json!("a-b-1")),
        ("slug=a--b", "slug", json!(null)),
        ("slug=A", "slug", json!(null)),
        ("slug=abcdefghijk", "slug", json!(null)),
        ("date=2024-02-29", "date", json!("2024-02-29")),
        ("date=2023-02-29", "date", json!(null)),
        ("path=/query?c", "path", json!("/query?c")),
        ("path=/nowhere", "path", json!(null)),
        ("path=//evil.example", "path", json!(null)),
        ("path=https://evil.example", "path", json!(null)),
        ("path=/%5Cevil.example", "path", json!(null)),
        ("code=AB12", "code", json!("AB12")),
        ("code=xAB12x", "code", json!(null)),
        ("code=AB12%0A", "code", json!(null)),
        ("order=old", "order", json!("old")),
        ("order=older", "order", json!("new")),
        ("order=OLD", "order", json!("new")),
        ("per-page=7", "per_page", json!(7)),
        ("per_page=7", "per_page", json!(20)),
    ] {
        let response = site.get(&format!("/query?{query}"));
        assert_eq!(json_of(&response, query)[name], expected, "{query}");
    }
}

fn what_does_not_fit_means_what_is_declared() {
    let site = Site::start(ARCHIVE);
    for (query, status) in [
        ("lax=x", 200),
        ("missing=x", 404),
        ("bad=x", 400),
        ("bad=%FF", 400),
        ("bad=%00", 400),
        ("bad=", 200),
        ("bad=1&bad=x", 200),
        ("missing=x&bad=x", 400),
    ] {
        assert_eq!(site.get(&format!("/strict?{query}")).status, status, "{query}");
    }
    assert_eq!(json_of(&site.get("/strict?lax=x"), "lax")["lax"], 1);
}

fn lists_are_bounded() {
    let site = Site::start(ARCHIVE);
    for (query, name, expected) in [
        ("tag=a&tag=b", "tag", json!(["a", "b"])),
        ("tag=a&x=1&tag=&tag=b", "tag", json!(["a", "b"])),
        ("tag=a", "tag", json!(["a"])),
        ("", "tag", json!([])),
        ("tag=a&tag=B", "tag", json!([])),
        ("tag=a&tag=b&tag=c&tag=d", "tag", json!([])),
        ("tag[]=a", "tag", json!([])),
        ("tag=a,b", "tag", json!([])),
        ("strict=3", "strict", json!([3])),
        ("", "strict", json!([1, 2])),
    ] {
        let response = site.get(&format!("/list?{query}"));
        assert_eq!(json_of(&response, query)[name], expected, "{query}");
    }
    let many = "strict=1&".repeat(33);
    assert_eq!(site.get(&format!("/list?{many}")).status, 400, "32 items, unless `max-items` says otherwise");
}

fn the_first_value_counts() {
    let site = Site::start(ARCHIVE);
    for (query, expected) in [
        ("int=1&int=2", json!(1)),
        ("int=&int=2", json!(2)),
        ("int=x&int=2", json!(null)),
        ("int=%FF&int=2", json!(null)),
    ] {
        assert_eq!(json_of(&site.get(&format!("/query?{query}")), query)["int"], expected, "{query}");
    }
}

fn a_flood_of_parameters_is_cut() {
    let site = Site::start(ARCHIVE);
    for (before, expected) in [(255, json!(1)), (256, json!(null)), (1500, json!(null))] {
        let query = "x=1&".repeat(before) + "int=1";
        assert_eq!(json_of(&site.get(&format!("/query?{query}")), "a flood")["int"], expected, "after {before}");
    }
    // Names that hash alike, or are nothing at all, cost no more.
    assert_eq!(site.get(&format!("/query?{}", "&".repeat(8000))).status, 200);
    assert_eq!(site.get(&format!("/query?{}", "x".repeat(9000))).status, 414);
}

fn path_values_are_typed() {
    let site = Site::start(ARCHIVE);
    for (path, expected) in [
        ("/param/7/2024-02-29", Some(json!({ "id": 7, "day": "2024-02-29", "rest": "" }))),
        ("/param/7/2024-02-29/a/b", Some(json!({ "id": 7, "day": "2024-02-29", "rest": "a/b" }))),
        ("/param/7/2024-02-29/caf%C3%A9", Some(json!({ "id": 7, "day": "2024-02-29", "rest": "café" }))),
        ("/param/0/2024-02-29", None),
        ("/param/07/2024-02-29", None),
        ("/param/x/2024-02-29", None),
        ("/param/7/2024-02-30", None),
        ("/param/7/2024-02-29/%00", None),
        ("/param/7/2024-02-29/%FF", None),
        ("/param/7/2024-02-29/%C0%AF", None),
        ("/param/7/2024-02-29/%5C", None),
    ] {
        let response = site.get(path);
        match expected {
            Some(expected) => assert_eq!(json_of(&response, path), expected, "{path}"),
            None => assert_eq!(response.status, 404, "{path}"),
        }
    }
    assert_eq!(site.get("/param/7/2024-02-29/%zz").status, 400);
}

fn with_cookies(site: &Site, lines: &[&[u8]]) -> Response {
    let mut request = b"GET /cookies HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    for line in lines {
        request.extend_from_slice(b"Cookie: ");
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let mut connection = site.connect();
    connection.send(&request).unwrap();
    connection.response().unwrap()
}

fn cookies_are_read_one_by_one() {
    let site = Site::start(ARCHIVE);
    for (lines, expected) in [
        (&[&b"theme=dark"[..]][..], "dark"),
        (&[b"a=1; theme=dark; b=2"], "dark"),
        (&[b"a=1;theme=dark;"], "dark"),
        (&[b"a=1", b"theme=dark"], "dark"),
        (&[b"theme=dark; theme=light"], "dark"),
        (&[b"theme=light; theme=dark"], "light"),
        (&[b"theme=blue; theme=dark"], "light"),
        (&[b"theme=; theme=dark"], "light"),
        (&[b"theme=DARK"], "light"),
        (&[b"Theme=dark"], "light"),
        (&[b"theme"], "light"),
        (&[b"=dark"], "light"),
        (&[b"theme=\"dark\""], "light"),
        (&[b"theme=dark\tx"], "light"),
        (&[b"theme=%64ark"], "light"),
        // Somebody else's nonsense.
        (&[b"name=Jos\xe9; theme=dark"], "dark"),
        (&[b"name=\xff\xfe\xc0\xaf; theme=dark; x=\x80"], "dark"),
        (&[b"a;;b=;=;===; theme=dark"], "dark"),
        (&[b"theme=d\xe4rk"], "light"),
        (&[b""], "light"),
    ] {
        let response = with_cookies(&site, lines);
        assert_eq!(json_of(&response, "cookies")["theme"], expected, "{:?}", String::from_utf8_lossy(&lines.concat()));
    }
}

fn cookies_have_types() {
    let site = Site::start(ARCHIVE);
    for (line, name, expected) in [
        (&b"size=2"[..], "size", json!(2)),
        (b"size=3", "size", json!(1)),
        (b"size=02", "size", json!(1)),
        (b"", "size", json!(1)),
        (b"__Host-Visitor=ada", "visitor", json!("ada")),
        (b"__Host-Visitor=Ada", "visitor", json!(null)),
        (b"visitor=ada", "visitor", json!(null)),
        (b"__Host-Visitor=", "visitor", json!(null)),
    ] {
        assert_eq!(
            json_of(&with_cookies(&site, &[line]), "cookies")[name],
            expected,
            "{}",
            String::from_utf8_lossy(line)
        );
    }
    let personal = with_cookies(&site, &[b"__Host-Visitor=ada"]);
    assert_eq!(personal.header("cache-control"), Some("private, no-store"), "a pattern is no enum");
}

fn large_cookies_are_served_and_larger_heads_refused() {
    let site = Site::start(ARCHIVE);
    let line = |length: usize| [b"big=".as_slice(), &vec![b'x'; length], b"; theme=dark"].concat();
    assert_eq!(json_of(&with_cookies(&site, &[&line(16 << 10)]), "16 KiB")["theme"], "dark");
    assert_eq!(with_cookies(&site, &[&line(40 << 10)]).status, 431);
    let many: Vec<u8> = (0..2000).flat_map(|number| format!("c{number}=1; ").into_bytes()).collect();
    assert_eq!(json_of(&with_cookies(&site, &[&many, b"theme=dark"]), "2000 cookies")["theme"], "dark");
}

fn header_fields_are_read_as_text() {
    let site = Site::start(ARCHIVE);
    let ask = |fields: &[(&str, &str)]| json_of(&site.request("GET", "/fields", fields, b""), "fields")["wish"].clone();
    assert_eq!(ask(&[]), json!(null));
    assert_eq!(ask(&[("X-Wish", "a, b")]), json!("a, b"));
    assert_eq!(ask(&[("x-wish", "a"), ("X-WISH", "b")]), json!("a, b"), "RFC 9110, section 5.3");
    assert_eq!(ask(&[("x-wish", "café")]), json!(null), "not of visible ASCII");
}

fn what_is_not_declared_does_not_exist() {
    let site = Site::start(ARCHIVE);
    let plain = site.get("/nothing");
    for (target, fields) in [
        ("/nothing?a=1&b=%FF&c=%zz", &[][..]),
        ("/nothing", &[("cookie", "a=1"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-host", "evil.example")]),
        (
            "/nothing",
            &[("x-original-url", "/query"), ("x-rewrite-url", "/query"), ("x-http-method-override", "DELETE")],
        ),
    ] {
        let response = site.request("GET", target, fields, b"");
        assert_eq!((response.status, &response.body), (200, &plain.body), "{target} {fields:?}");
        assert_eq!(response.header("etag"), plain.header("etag"));
    }
}
