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
    let line = site.wait_for_access(|line| line.contains("/nothing"));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(one.contains(line["id"].as_str().unwrap()), "{one} {line}");
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

fn redirects_carry_their_policy() {
    let site = Site::start(SITE);
    let old = site.get("/old/a%20b?dropped=1");
    assert_eq!((old.status, old.header("location")), (308, Some("/deep/a%20b")));
    let moved = site.get("/moved");
    assert_eq!((moved.status, moved.header("location")), (302, Some("/")));
}
