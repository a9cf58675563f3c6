//! Which route answers a request, and what a section gives its routes: hosts, the slash rule, headers and error pages.

use crate::support::http::Response;
use crate::support::site::{Options, Site};

crate::cases!(
    a_host_is_compared_before_the_path,
    hosts_of_routes_are_served_and_others_are_not,
    absolute_urls_have_the_host_of_their_route,
    the_slash_rule_holds_for_every_kind,
    canonical_forms_keep_the_query,
    headers_are_inherited_replaced_and_removed,
    defaults_of_the_server_can_be_removed,
    a_section_shows_its_own_error_pages,
    redirects_have_their_status,
);

fn at(site: &Site, host: &str, target: &str) -> Response {
    site.request("GET", target, &[("host", host)], b"")
}

const HOSTS: &str = r#"
-- site.toml --
[site]
url = "https://example.com:8443"
aliases = ["www.example.com"]
-- routes/index.toml --
layout = "page.html"
vars.is = "the site"
-- routes/about.toml --
layout = "page.html"
vars.is = "about"
-- routes/blog/_section.toml --
host = ["blog.example.com", "Journal.example.com"]
layout = "page.html"
-- routes/blog/index.toml --
path = "/"
vars.is = "the blog"
-- routes/blog/post.toml --
path = "/{post}"
params.post = { type = "int" }
vars.is = "a post"
-- routes/shop.toml --
path = "/{*rest}"
host = "shop.example.com"
layout = "page.html"
vars.is = "the shop"
-- layouts/page.html --
{{ vars.is }} {{ page.url }} {{ request.url }}
"#;

fn is(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.text().split(" http").next().unwrap_or_default().to_owned()
}

fn a_host_is_compared_before_the_path() {
    let site = Site::start(HOSTS);
    for (host, target, expected) in [
        ("example.com", "/", "the site"),
        ("example.com:80", "/", "the site"),
        ("example.com", "/about", "about"),
        ("blog.example.com", "/", "the blog"),
        ("BLOG.example.com.:8080", "/", "the blog"),
        ("journal.example.com", "/", "the blog"),
        ("blog.example.com", "/7", "a post"),
        ("shop.example.com", "/", "the shop"),
        ("shop.example.com", "/about", "the shop"),
        ("localhost", "/", "the site"),
    ] {
        assert_eq!(is(&at(&site, host, target)), expected, "{host}{target}");
    }
    // A value that does not fit is a 404, never the next route; what the host's routes do not claim is for those of every host.
    assert_eq!(at(&site, "blog.example.com", "/about").status, 404);
    assert_eq!(at(&site, "example.com", "/7").status, 404);
    // The absolute form of a target says the same.
    let absolute = site.request("GET", "http://blog.example.com/7", &[("host", "blog.example.com")], b"");
    assert_eq!(is(&absolute), "a post");
    let listed = crate::support::site::binary()
        .arg("--config")
        .arg(site.folder().path().join("site.toml"))
        .arg("routes")
        .output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    for path in ["blog.example.com/{post} journal.example.com/{post}", "shop.example.com/{*rest}", "\n/about "] {
        assert!(listed.contains(path), "{path}: {listed}");
    }
}

fn hosts_of_routes_are_served_and_others_are_not() {
    let site = Site::start(HOSTS);
    for host in
        ["evil.example", "example.com.evil.example", "blog.example.org", "xblog.example.com", "a.blog.example.com"]
    {
        assert_eq!(at(&site, host, "/").status, 421, "{host}");
    }
    let alias = at(&site, "www.example.com", "/a?b");
    assert_eq!((alias.status, alias.header("location")), (308, Some("https://example.com:8443/a?b")));
    // Without `site.url` every host is served, and routes still have theirs.
    let open =
        Site::start(&HOSTS.replacen("url = \"https://example.com:8443\"\naliases = [\"www.example.com\"]", "", 1));
    assert_eq!(is(&at(&open, "any.example", "/")).trim(), "the site / /");
    assert_eq!(is(&at(&open, "blog.example.com", "/")).trim(), "the blog / /");
}

fn absolute_urls_have_the_host_of_their_route() {
    let site = Site::start(HOSTS);
    for (host, target, expected) in [
        ("example.com", "/about", "https://example.com:8443/about"),
        ("blog.example.com", "/7", "https://blog.example.com:8443/7"),
        // One page has one URL: that of the first host.
        ("journal.example.com", "/7", "https://blog.example.com:8443/7"),
    ] {
        assert_eq!(at(&site, host, target).text().matches(expected).count(), 2, "{host}{target}");
    }
}

const SLASHES: &str = r#"
-- site.toml --
-- routes/page.toml --
layout = "page.html"
-- routes/item.toml --
path = "/items/{id}"
layout = "page.html"
-- routes/feed.toml --
path = "/{name}.xml"
layout = "page.html"
-- routes/document.toml --
content = "a.md"
-- routes/api/data.toml --
json = {}
-- routes/old.toml --
redirect = "/page"
-- routes/rest.toml --
path = "/rest/{*rest}"
layout = "page.html"
-- routes/assets.toml --
path = "/assets/{*file}"
files = "assets"
-- content/a.md --
A
-- content/assets/a.txt --
a
-- content/assets/none --
none
-- layouts/page.html --
{{ page.path }}
"#;

fn the_slash_rule_holds_for_every_kind() {
    for (rule, rows) in [
        (
            "never",
            [
                ("/page/", "/page", 200),
                ("/items/7/", "/items/7", 200),
                ("/feed.xml/", "/feed.xml", 200),
                ("/document/", "/document", 200),
                ("/api/data/", "/api/data", 200),
                ("/old/", "/old", 308),
                ("/rest/", "/rest", 200),
                ("/rest/a/", "/rest/a", 200),
                ("/assets/a.txt/", "/assets/a.txt", 200),
                ("/assets/none/", "/assets/none", 200),
            ],
        ),
        (
            "always",
            [
                ("/page", "/page/", 200),
                ("/items/7", "/items/7/", 200),
                ("/feed.xml/", "/feed.xml", 200),
                ("/document", "/document/", 200),
                ("/api/data", "/api/data/", 200),
                ("/old", "/old/", 308),
                ("/rest", "/rest/", 200),
                ("/rest/a", "/rest/a/", 200),
                ("/assets/a.txt/", "/assets/a.txt", 200),
                ("/assets/none", "/assets/none/", 200),
            ],
        ),
    ] {
        let site = Options::default().set(&format!("site.trailing-slash={rule}")).start(SLASHES);
        for (from, to, status) in rows {
            let moved = site.get(&format!("{from}?q=1"));
            assert_eq!((moved.status, moved.header("location")), (308, Some(&*format!("{to}?q=1"))), "{rule} {from}");
            assert_eq!(site.get(&format!("{to}?q=1")).status, status, "{rule} {to}");
        }
        assert_eq!(site.get("/").status, 404, "nothing is there, and nothing is redirected");
        assert_eq!(site.get("/none/").status, 404);
    }
}

fn canonical_forms_keep_the_query() {
    let site = Site::start(SLASHES);
    for (from, to) in [
        ("//page?a=%2f&b=+&b", "/page?a=%2f&b=+&b"),
        ("/%70age?", "/page?"),
        ("/./page", "/page"),
        ("/a/../page", "/page"),
        ("/items/%37", "/items/7"),
        ("/items/caf%c3%a9", "/items/caf%C3%A9"),
        ("//evil.example/..//page", "/page"),
    ] {
        let moved = site.get(from);
        assert_eq!((moved.status, moved.header("location")), (308, Some(to)), "{from}");
    }
    for target in ["/page?a//b", "/page?../x", "/page?%zz", "/items/a%2Fb"] {
        assert_eq!(site.get(target).status, 200, "{target}: a query never redirects");
    }
}

const HEADERS: &str = r#"
-- site.toml --
[defaults.headers]
x-site = "site"
x-gone = "site"
X-Case = "site"
-- routes/index.toml --
layout = "page.html"
-- routes/docs/_section.toml --
layout = "page.html"
headers = { x-site = "docs", x-docs = "docs", x-gone = false }
-- routes/docs/index.toml --
-- routes/docs/guide.toml --
[headers]
x-docs = false
x-case = "guide"
x-dynamic = "{request.path}"
x-frame-options = false
-- routes/docs/api/_section.toml --
headers = false
-- routes/docs/api/index.toml --
-- routes/docs/old.toml --
layout = false
redirect = "/docs"
-- routes/assets.toml --
path = "/assets/{*file}"
files = "assets"
headers.x-content-type-options = false
-- content/assets/a.txt --
a
-- layouts/page.html --
page
"#;

fn headers_are_inherited_replaced_and_removed() {
    let site = Site::start(HEADERS);
    let fields = ["x-site", "x-gone", "x-docs", "x-case", "x-dynamic"];
    for (target, expected) in [
        ("/", [Some("site"), Some("site"), None, Some("site"), None]),
        ("/docs", [Some("docs"), None, Some("docs"), Some("site"), None]),
        ("/docs/guide", [Some("docs"), None, None, Some("guide"), Some("/docs/guide")]),
        ("/docs/api", [None; 5]),
        ("/docs/old", [Some("docs"), None, Some("docs"), Some("site"), None]),
        ("/assets/a.txt", [Some("site"), Some("site"), None, Some("site"), None]),
    ] {
        let response = site.get(target);
        assert_eq!(fields.map(|name| response.header(name)), expected, "{target}");
        assert!(response.headers("x-case").len() < 2, "{target}: names have no case");
    }
}

fn defaults_of_the_server_can_be_removed() {
    let site = Site::start(HEADERS);
    assert_eq!(site.get("/docs").header("x-frame-options"), Some("SAMEORIGIN"));
    let guide = site.get("/docs/guide");
    assert_eq!(guide.header("x-frame-options"), None);
    assert_eq!(guide.header("x-content-type-options"), Some("nosniff"), "that one was not named");
    assert_eq!(site.get("/assets/a.txt").header("x-content-type-options"), None);
    assert_eq!(site.get("/docs/none").header("x-frame-options"), Some("SAMEORIGIN"), "an error page is nobody's");
}

fn a_section_shows_its_own_error_pages() {
    let site = Site::start(
        r#"
-- site.toml --
[defaults.errors]
404 = "site.html"
4xx = "site-4xx.html"
-- routes/index.toml --
layout = "page.html"
-- routes/docs/_section.toml --
layout = "page.html"
errors.404 = "docs.html"
vars.kind = "docs"
-- routes/docs/index.toml --
-- routes/docs/item.toml --
path = "/docs/items/{id}"
params.id = { type = "int" }
query.page = { type = "int", on-invalid = "bad-request" }
-- routes/docs/own.toml --
path = "/docs/own/{id}"
params.id = { type = "int" }
errors.404 = "own.html"
-- routes/docs/deep/_section.toml --
errors = false
-- routes/docs/deep/index.toml --
-- routes/api.toml --
path = "/api/{id}"
params.id = { type = "int" }
json = {}
-- layouts/page.html --
page
-- layouts/site.html --
site {{ error.status }}
-- layouts/site-4xx.html --
site {{ error.status }} of a class
-- layouts/docs.html --
{{ vars.kind }} {{ error.status }}
-- layouts/own.html --
own {{ error.status }}
"#,
    );
    for (target, status, expected) in [
        ("/none", 404, "site 404\n"),
        ("/docsnone", 404, "site 404\n"),
        ("/docs/none", 404, "docs 404\n"),
        ("/docs/none/deeper", 404, "docs 404\n"),
        ("/docs/items/x", 404, "docs 404\n"),
        ("/docs/items/7?page=x", 400, "site 400 of a class\n"),
        ("/docs/own/x", 404, "own 404\n"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status, response.text()), (status, expected), "{target}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    let plain = site.get("/docs/deep/none");
    assert!(plain.status == 404 && plain.text().contains("<h1>Not Found</h1>"), "no page of the site's is left there");
    assert_eq!(site.get("/api/x").header("content-type"), Some("application/problem+json"));
    assert_eq!(site.request("POST", "/docs", &[], b"").text(), "site 405 of a class\n");
}

fn redirects_have_their_status() {
    let statuses = [301, 302, 303, 307, 308];
    let routes = statuses.map(|status| {
        format!("-- routes/{status}.toml --\npath = \"/{status}/{{id}}\"\nredirect = \"/to/{{params.id}}#x\"\nstatus = {status}\n")
    });
    let site = Site::start(&format!(
        "-- site.toml --\n{}-- routes/to.toml --\npath = \"/to/{{id}}\"\njson = {{}}\n",
        routes.concat()
    ));
    for status in statuses {
        for method in ["GET", "HEAD"] {
            let response = site.request(method, &format!("/{status}/caf%C3%A9?dropped=1"), &[], b"");
            assert_eq!(
                (response.status, response.header("location")),
                (status, Some("/to/caf%C3%A9#x")),
                "{method} {status}"
            );
            assert!(response.body.is_empty());
        }
    }
}
