//! The security fields of HTML: on every page, with a policy that fits what the page holds.

use crate::support::fault::FaultServer;
use crate::support::site::{Options, Site};

crate::cases![
    every_kind_of_page_has_the_fields,
    a_policy_is_what_the_page_needs,
    each_document_has_its_own,
    an_author_adds_replaces_and_takes_away,
    html_among_files_is_the_authors_own,
    a_changed_policy_makes_another_page,
];

const STRICT: &str = "base-uri 'none'; default-src 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'; \
                      script-src 'none'";

const CSP: &str = "content-security-policy";

/// The sources of one directive.
fn sources(policy: &str, directive: &str) -> Vec<String> {
    let mut written = policy.split("; ").map(|directive| directive.split(' ').map(str::to_owned));
    let found = written.find_map(|mut words| (words.next().as_deref() == Some(directive)).then(|| words.collect()));
    found.unwrap_or_default()
}

fn every_kind_of_page_has_the_fields() {
    let site = Options::default().start(
        r#"-- site.toml --
[defaults]
errors.404 = "missing.html"
-- layouts/page.html --
<p>{{ content }}{{ request.path }}</p>
-- layouts/missing.html --
<p>Missing</p><script>missing()</script>
-- content/document.md --
# A document
-- content/tree/index.md --
# A tree
-- content/files/page.html --
<p>A file</p>
-- routes/page.toml --
layout = "page.html"
-- routes/rule.toml --
layout = "page.html"
[query.gone]
[[rules]]
if = "query.gone"
then = { status = 410, layout = "page.html" }
-- routes/document.toml --
content = "document.md"
-- routes/tree.toml --
path = "/tree/{*page}"
content = "tree"
layout = "page.html"
-- routes/files.toml --
path = "/files/{*file}"
files = "files"
"#,
    );
    let fields = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-frame-options", "SAMEORIGIN"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ];
    for target in ["/page", "/rule?gone=1", "/document", "/tree", "/files/page.html", "/missing", "/files/missing.html"]
    {
        let response = site.get(target);
        for (name, value) in fields {
            assert_eq!(response.headers(name), [value], "{target} {name}");
        }
        let policy = response.header(CSP);
        assert_eq!(policy.is_some(), target != "/files/page.html", "{target}");
        assert!(policy.is_none_or(|policy| policy.starts_with("base-uri 'none'; default-src 'self'; ")), "{target}");
    }
    for target in ["/page", "/rule?gone=1", "/document", "/tree"] {
        assert_eq!(site.get(target).header(CSP), Some(STRICT), "{target}");
    }
    assert!(site.get("/missing").header(CSP).is_some_and(|policy| policy.contains("script-src 'self' 'sha256-")));
}

fn a_policy_is_what_the_page_needs() {
    let fault = FaultServer::start();
    let site = Options::default().env("UPSTREAM", &fault.url("")).start(
        r#"-- site.toml --
[site]
url = "https://site.example"
[upstreams.data]
base-url = "{env.UPSTREAM}"
allow-private = true
[defaults]
vars.cdn = "https://cdn.example"
-- layouts/base.html --
<head><link rel="stylesheet" href="https://cdn.example/a.css"><script src="{{ '/a.js' | absolute_url }}"></script></head>
<img src="{{ vars.cdn }}/a.png">
{{ content }}
-- layouts/page.html --
+++
layout = "base.html"
+++
<img src="{{ request.path }}"><script>{% if request.path == '/' %}a(){% else %}b(){% endif %}</script>
-- layouts/data.html --
<article>{{ data.text }}</article>
-- layouts/plain.html --
<article>{{ data.title }}</article>
-- routes/page.toml --
layout = "page.html"
-- routes/html.toml --
layout = "data.html"
[sources.data]
upstream = "data"
path = "/html"
extract.text = { select = "$.text", type = "html" }
optional = true
-- routes/plain.toml --
layout = "plain.html"
[sources.data]
upstream = "data"
path = "/plain"
extract.title = "$.title"
optional = true
"#,
    );
    let page = site.get("/page");
    let policy = page.header(CSP).expect("a policy");
    assert_eq!(sources(policy, "style-src"), ["'self'", "https://cdn.example"]);
    assert_eq!(sources(policy, "font-src"), ["'self'", "data:", "https://cdn.example"]);
    assert_eq!(sources(policy, "img-src"), ["'self'", "data:", "http:", "https:", "https://cdn.example"]);
    let scripts = sources(policy, "script-src");
    assert_eq!(scripts.iter().filter(|source| source.starts_with("'sha256-")).count(), 2, "{policy}");
    assert!(scripts.contains(&"https://site.example".to_owned()), "{policy}");
    let cleaned = site.get("/html");
    assert_eq!(sources(cleaned.header(CSP).expect("a policy"), "img-src"), ["'self'", "http:", "https:"]);
    assert_eq!(site.get("/plain").header(CSP), Some(STRICT));
}

fn each_document_has_its_own() {
    let site = Options::default().start(
        r#"-- site.toml --
-- layouts/page.html --
{{ content }}
-- layouts/list.html --
{% for item in all %}{{ item.html }}{% endfor %}
-- content/docs/index.md --
Nothing of its own.

| a | b |
|:-:|--:|
| 1 | 2 |
-- content/docs/script.md --
<script>
a()
</script>

![](https://images.example/x.png)
-- routes/docs.toml --
path = "/docs/{*page}"
content = "docs"
layout = "page.html"
-- routes/list.toml --
layout = "list.html"
[sources.all]
content = "docs/*"
"#,
    );
    assert_eq!(site.get("/docs").header(CSP), Some(STRICT));
    let (own, listed) = (site.get("/docs/script"), site.get("/list"));
    let policy = own.header(CSP).expect("a policy");
    assert_eq!(sources(policy, "img-src"), ["'self'", "https://images.example"]);
    assert_eq!(sources(policy, "script-src").len(), 2);
    assert_eq!(listed.header(CSP), Some(policy), "a list shows what its documents hold");
}

fn an_author_adds_replaces_and_takes_away() {
    let site = Options::default().start(
        r#"-- site.toml --
[defaults]
csp.script-src = ["https://a.example"]
csp.connect-src = ["https://a.example"]
headers.permissions-policy = false
-- layouts/page.html --
<p>x</p>
-- routes/inherits.toml --
layout = "page.html"
-- routes/adds.toml --
layout = "page.html"
csp = { script-src = "https://b.example", frame-ancestors = "'none'", report-uri = "/reports", report-only = true }
-- routes/replaces.toml --
layout = "page.html"
csp = "default-src *"
-- routes/none.toml --
layout = "page.html"
csp = false
-- routes/derived.toml --
layout = "page.html"
csp = true
"#,
    );
    let policy = |target: &str| site.get(target).header(CSP).map(str::to_owned);
    let inherited = policy("/inherits").expect("a policy");
    assert_eq!(sources(&inherited, "script-src"), ["https://a.example"]);
    assert_eq!(site.get("/inherits").header("permissions-policy"), None);
    let adds = site.get("/adds");
    assert_eq!(adds.header(CSP), None);
    let reported = adds.header("content-security-policy-report-only").expect("a policy that reports");
    assert_eq!(sources(reported, "script-src"), ["https://b.example"]);
    assert_eq!(sources(reported, "connect-src"), ["'self'", "https://a.example"]);
    assert_eq!(sources(reported, "frame-ancestors"), ["'none'"]);
    assert_eq!(sources(reported, "report-uri"), ["/reports"]);
    assert_eq!(policy("/replaces").as_deref(), Some("default-src *"));
    assert_eq!(policy("/none"), None);
    assert_eq!(policy("/derived").as_deref(), Some(STRICT));
}

fn html_among_files_is_the_authors_own() {
    let site = Options::default().start(
        r#"-- site.toml --
[defaults]
csp.script-src = ["https://a.example"]
-- content/files/page.html --
<p>A file</p>
-- content/files/style.css --
a {}
-- routes/files.toml --
path = "/files/{*file}"
files = "files"
csp.img-src = ["https:"]
headers.x-frame-options = false
"#,
    );
    let page = site.get("/files/page.html");
    assert_eq!(sources(page.header(CSP).expect("a policy"), "img-src"), ["'self'", "https:"]);
    assert_eq!(page.header("x-frame-options"), None);
    let style = site.get("/files/style.css");
    assert_eq!((style.header(CSP), style.header("referrer-policy")), (None, None));
}

fn a_changed_policy_makes_another_page() {
    let archive = "-- site.toml --\n-- layouts/page.html --\n<p>x</p>\n-- routes/index.toml --\nlayout = \"page.html\"\ncache.s-maxage = \"1h\"\n";
    let site = Site::start(archive);
    let before = site.get("/");
    site.folder()
        .write("routes/index.toml", "layout = \"page.html\"\ncache.s-maxage = \"1h\"\ncsp.img-src = [\"https:\"]\n");
    site.wait_for_message(|line| line.starts_with("reloaded: "));
    let after = site.get("/");
    assert_eq!(after.text(), before.text());
    assert_ne!(after.header(CSP), before.header(CSP));
    assert_ne!(after.header("etag"), before.header("etag"), "who has the old page gets the new fields");
}
