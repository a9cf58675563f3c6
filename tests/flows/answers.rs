//! What every route answers: methods, one canonical URL, and errors.

use crate::support::site::Site;

crate::cases!(
    head_is_get_without_the_body,
    options_lists_the_methods,
    other_methods_are_not_allowed,
    every_url_has_one_spelling,
    errors_are_shown_in_their_layouts,
    json_routes_answer_problems,
    redirects_carry_their_policy,
    nobody_is_sent_to_the_url_that_was_asked_for,
    a_value_that_does_not_fit_is_the_404_of_its_route,
    what_comes_first_decides,
    conditions_are_asked_of_what_is_there,
    a_control_byte_that_a_request_sends_into_a_header_is_a_bad_request,
);

const SITE: &str = r#"-- site.toml --
[defaults.errors]
404 = "errors/404.html"
5xx = "errors/5xx.html"
-- layouts/errors/404.html --
<h1>{{ error.status }} {{ error.title }}</h1><p>{{ error.id }}</p>
-- layouts/errors/5xx.html --
<h1>Trouble {{ error.status }}</h1>
-- layouts/page.html --
<h1>{{ page.title }}</h1>
-- routes/index.toml --
layout = "page.html"
title = "Home"
-- routes/deep/page.toml --
path = "/deep/{name}"
layout = "page.html"
title = "{params.name}"
-- routes/broken.toml --
layout = "page.html"
title = "{a.x}"
[sources.a]
url = "http://127.0.0.1:1/x"
-- routes/data.toml --
path = "/data/{id}"
json = { id = "{params.id}" }
[params.id]
type = "int"
-- routes/old.toml --
path = "/old/{slug}"
redirect = "/deep/{params.slug}"
-- routes/moved.toml --
redirect = "/"
status = 302
"#;

fn head_is_get_without_the_body() {
    let site = Site::start(SITE);
    let mut connection = site.connect();
    for target in ["/", "/data/1", "/deep/x", "/nothing", "/broken", "/old/x"] {
        let get = connection.get(target);
        let head = connection.request("HEAD", target, &[], b"");
        assert_eq!(head.status, get.status, "{target}");
        for field in ["content-type", "content-length", "etag", "cache-control", "vary", "location"] {
            assert_eq!(head.header(field), get.header(field), "{target} {field}");
        }
        assert!(head.body.is_empty(), "{target}");
    }
}

fn options_lists_the_methods() {
    let site = Site::start(SITE);
    for target in ["/", "/data/1", "*"] {
        let response = site.request("OPTIONS", target, &[], b"");
        assert_eq!((response.status, response.header("allow")), (204, Some("GET, HEAD, OPTIONS")), "{target}");
    }
    assert_eq!(site.request("OPTIONS", "/nothing", &[], b"").status, 404);
}

fn other_methods_are_not_allowed() {
    let site = Site::start(SITE);
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let response = site.request(method, "/", &[], b"");
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
        assert_eq!(site.request(method, "/nothing", &[], b"").status, 404, "{method}");
    }
}

fn every_url_has_one_spelling() {
    let site = Site::start(SITE);
    for (target, location) in [
        ("/deep/x/", "/deep/x"),
        ("/deep/%78", "/deep/x"),
        ("/deep/x/?a=1&b", "/deep/x?a=1&b"),
        ("/deep/%c3%a9", "/deep/%C3%A9"),
        ("//deep/x", "/deep/x"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status, response.header("location")), (308, Some(location)), "{target}");
    }
    assert_eq!(site.get("/deep/x?undeclared=1").status, 200, "a query never redirects");
}

fn errors_are_shown_in_their_layouts() {
    let site = Site::start(SITE);
    let absent = site.get("/nothing");
    assert_eq!(absent.status, 404);
    assert!(absent.text().starts_with("<h1>404 Not Found</h1><p>"), "{}", absent.text());
    let (one, other) = (absent.text().to_owned(), site.get("/nothing").text().to_owned());
    assert_ne!(one, other, "each shows the id of its request");
    let id = one.split(['<', '>']).nth(6).unwrap().to_owned();
    site.wait_for_access(|line| line.contains("/nothing") && line.contains(&id));
    let failed = site.get("/broken");
    assert_eq!((failed.status, failed.text().trim()), (502, "<h1>Trouble 502</h1>"));
    assert_eq!(failed.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(failed.header("cache-control"), Some("no-store"));
}

fn json_routes_answer_problems() {
    let site = Site::start(SITE);
    assert_eq!(site.get("/data/7").json(), serde_json::json!({ "id": 7 }));
    let problem = site.get("/data/seven");
    assert_eq!((problem.status, problem.header("content-type")), (404, Some("application/problem+json")));
    let json = problem.json();
    assert_eq!((json["status"].as_u64(), json["title"].as_str()), (Some(404), Some("Not Found")));
    let refused = site.request("POST", "/data/7", &[], b"");
    assert_eq!((refused.status, refused.header("content-type")), (405, Some("application/problem+json")));
}

fn nobody_is_sent_to_the_url_that_was_asked_for() {
    let site = Site::start(
        r#"-- site.toml --
[defaults.errors]
500 = "500.html"
-- layouts/500.html --
<h1>Sorry</h1>
-- routes/index.toml --
layout = "500.html"
-- routes/login.toml --
layout = "500.html"
[query.back]
[query.next]
[[rules]]
if = "query.back"
then = { redirect = "/login?back={query.back}" }
[[rules]]
if = "query.next"
then = { redirect = "/%6Cogin?next={query.next}#top" }
"#,
    );
    for (target, status) in [
        ("/login", 200),
        ("/login?back=a", 500),
        ("/login?back=a&x=1", 302),
        ("/login?back=%61", 302),
        ("/login?next=a", 500),
    ] {
        let response = site.get(target);
        assert_eq!(response.status, status, "{target}");
        assert_eq!(response.text().contains("Sorry"), status != 302, "{target}");
    }
    for to in ["/login?back=a", "/%6Cogin?next=a"] {
        let said = site.wait_for_message(|line| {
            line.contains("a redirect leads to the URL that was asked for") && line.contains(to)
        });
        assert!(said.contains("routes/login.toml"), "{said}");
    }
}

fn redirects_carry_their_policy() {
    let site = Site::start(SITE);
    let old = site.get("/old/a%20b?dropped=1");
    assert_eq!((old.status, old.header("location")), (308, Some("/deep/a%20b")));
    let moved = site.get("/moved");
    assert_eq!((moved.status, moved.header("location")), (302, Some("/")));
}

fn a_value_that_does_not_fit_is_the_404_of_its_route() {
    let site = Site::start(
        r#"-- site.toml --
[defaults.errors]
404 = "errors/404.html"
-- layouts/errors/404.html --
nothing here
-- layouts/errors/item.html --
no such item
-- layouts/page.html --
{{ params.id }}
-- routes/item.toml --
path = "/items/{id}"
layout = "page.html"
[params.id]
type = "int"
[errors]
404 = "errors/item.html"
-- routes/rest.toml --
path = "/{*rest}"
json = "{params.rest}"
"#,
    );
    assert_eq!(site.get("/items/7").text().trim(), "7");
    for target in ["/items/seven", "/items/seven/"] {
        let response = site.get(target);
        assert_eq!((response.status, response.text().trim()), (404, "no such item"), "{target}");
    }
    assert_eq!(site.get("/items/7/more").text().trim(), "\"items/7/more\"");
}

/// Host, canonical URL, match, method, params, query: each before the next.
fn what_comes_first_decides() {
    let site = Site::start(
        r#"-- site.toml --
site.url = "https://www.example.com"
site.aliases = ["example.com"]
-- routes/a.toml --
path = "/a/{id}"
json = "{query.page}"
[params.id]
type = "int"
[query.page]
type = "int"
on-invalid = "bad-request"
[query.tag]
enum = ["x"]
on-invalid = "not-found"
"#,
    );
    for (method, host, target, status) in [
        ("GET", "other.example", "/a/1", 421),
        ("POST", "other.example", "/nothing/", 421),
        ("GET", "example.com", "/nothing/?page=x", 308),
        ("GET", "www.example.com", "/a/1/?page=x", 308),
        ("POST", "www.example.com", "/a/1/", 308),
        ("POST", "www.example.com", "/a/one", 404),
        ("POST", "www.example.com", "/a/1?page=x", 405),
        ("GET", "www.example.com", "/a/one?page=x", 404),
        ("GET", "www.example.com", "/a/1?page=x", 400),
        ("GET", "www.example.com:8080", "/a/1?page=1&tag=y", 404),
        ("GET", "www.example.com", "/a/1?page=1&tag=x&page=x", 200),
        ("GET", "localhost", "/a/1?page=", 200),
    ] {
        let response = site.request(method, target, &[("host", host)], b"");
        assert_eq!(response.status, status, "{method} {host} {target}");
    }
    let moved = site.request("GET", "/a/1?b", &[("host", "example.com")], b"");
    assert_eq!(moved.header("location"), Some("https://www.example.com/a/1?b"));
}

fn conditions_are_asked_of_what_is_there() {
    let site = Site::start(SITE);
    for target in ["/", "/data/1"] {
        let page = site.get(target);
        let tag = page.header("etag").expect("a public page has a validator");
        for method in ["GET", "HEAD"] {
            let unchanged = site.request(method, target, &[("if-none-match", tag)], b"");
            assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(tag)), "{method} {target}");
            assert_eq!(unchanged.header("cache-control"), page.header("cache-control"));
            let changed = site.request(method, target, &[("if-none-match", "\"other\"")], b"");
            assert_eq!(changed.status, 200, "{method} {target}");
        }
        assert_eq!(site.request("GET", target, &[("if-match", "\"other\"")], b"").status, 412, "{target}");
    }
    for target in ["/nothing", "/broken"] {
        let plain = site.get(target).status;
        assert_eq!(site.request("GET", target, &[("if-none-match", "*")], b"").status, plain, "{target}");
    }
}

fn a_control_byte_that_a_request_sends_into_a_header_is_a_bad_request() {
    let site = Site::start(
        "-- site.toml --\n-- routes/index.toml --\njson = 1\n[query.q]\n[cookies.c]\n[headers]\nx-said = \"said {query.q}\"\nx-cookie = \"{cookies.c}\"\n\
         -- routes/data.toml --\njson = 1\n[query.q]\n[sources.a]\nvalue = \"a\\nb\"\n[headers]\nx-data = \"{a} {query.q}\"\n\
         -- routes/call.toml --\njson = \"{a}\"\n[query.q]\n[sources.a]\nurl = \"http://127.0.0.1:1/\"\nallow-private = true\nheaders = { x-said = \"{query.q}\" }\noptional = true\n\
         -- routes/asks.toml --\njson = \"{a}\"\n[query.q]\n[sources.a]\nroute = \"/call\"\nquery = { q = \"{query.q}\" }\noptional = true\n\
         -- routes/to.toml --\nredirect = \"/x?q={query.q}\"\n[query.q]\n",
    );
    for (target, expected) in [
        ("/?q=fine", 200),
        ("/?q=a%09b", 200),
        ("/?q=%C3%BC", 200),
        ("/?q=a%0d%0ab", 400),
        ("/?q=%7f", 400),
        ("/data?q=fine", 500),
        ("/data?q=%0a", 400),
        ("/to?q=%0a", 308),
        ("/call?q=a%0d%0ab", 400),
        ("/asks?q=%0a", 400),
    ] {
        let response = site.get(target);
        assert_eq!(response.status, expected, "{target}");
        assert!(response.headers.iter().all(|(name, _)| name != "b"), "{target}");
    }
    assert_eq!(site.get("/to?q=a%0ab").header("location"), Some("/x?q=a%0Ab"));
}
