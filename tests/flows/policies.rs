//! The security fields of documents, HTML and XML: on every page, with a policy that fits what the page holds.

use crate::support::fault::FaultServer;
use crate::support::site::{Options, Site};

crate::cases![
    every_kind_of_page_has_the_fields,
    a_policy_is_what_the_page_needs,
    each_document_has_its_own,
    an_author_adds_replaces_and_takes_away,
    html_among_files_is_the_authors_own,
    xml_is_a_document_too,
    a_rule_may_make_xml,
    markup_in_xml_is_well_formed,
    a_type_in_other_letters_is_the_same,
    a_document_is_what_its_own_layout_makes,
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
-- routes/whole.toml --
layout = "plain.html"
[sources.data]
upstream = "data"
path = "/html"
format = "html"
optional = true
-- routes/value.toml --
layout = "data.html"
[sources.data]
value = { text = "{request.path}" }
extract.text = { select = "$.text", type = "markdown" }
-- routes/json.toml --
json = { text = "{request.path}" }
-- routes/asking.toml --
layout = "data.html"
[sources.data]
route = "/json"
extract.text = { select = "$.text", type = "html" }
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
    // Wherever markup of others comes from, its images are let be.
    for path in ["/html", "/whole", "/value", "/asking"] {
        let cleaned = site.get(path);
        assert_eq!(sources(cleaned.header(CSP).expect("a policy"), "img-src"), ["'self'", "http:", "https:"], "{path}");
    }
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

/// The security fields besides the policy.
const FIELDS: [&str; 5] =
    [CSP, "referrer-policy", "x-frame-options", "cross-origin-opener-policy", "permissions-policy"];

fn xml_is_a_document_too() {
    let site = Options::default().start(
        r#"-- site.toml --
[defaults]
errors.404 = "missing.xml"
-- layouts/drawing.xml --
<svg xmlns="http://www.w3.org/2000/svg"><script>a &amp;&amp; b</script><text>{{ request.path }}</text></svg>
-- layouts/feed.xml --
<?xml-stylesheet href="https://cdn.example/feed.xsl" type="text/xsl"?>
<feed>{{ request.path }}</feed>
-- layouts/page.xml --
<html xmlns="http://www.w3.org/1999/xhtml"><body>{{ content }}{{ request.path }}</body></html>
-- layouts/missing.xml --
<error>{{ error.status }}</error>
-- layouts/data.json --
{}
-- content/files/drawing.svg --
<svg xmlns="http://www.w3.org/2000/svg"/>
-- content/files/data.json --
{}
-- content/document.md --
<script>a() &amp;&amp; b()</script>
-- routes/drawing.toml --
layout = "drawing.xml"
content-type = "image/svg+xml"
-- routes/feed.toml --
layout = "feed.xml"
content-type = "application/atom+xml; charset=UTF-8"
-- layouts/sitemap.xml --
<urlset/>
-- routes/sitemap.toml --
layout = "sitemap.xml"
-- routes/xhtml.toml --
layout = "page.xml"
content-type = "application/xhtml+xml"
-- routes/document.toml --
content = "document.md"
layout = "page.xml"
content-type = "application/xhtml+xml"
-- routes/rule.toml --
layout = "data.json"
[query.gone]
[[rules]]
if = "query.gone"
then = { status = 410, layout = "feed.xml" }
-- routes/files.toml --
path = "/files/{*file}"
files = "files"
"#,
    );
    let strict = "application/xml; charset=utf-8";
    for (target, content_type) in [
        ("/drawing", "image/svg+xml; charset=utf-8"),
        ("/feed", "application/atom+xml; charset=UTF-8"),
        ("/sitemap", strict),
        ("/xhtml", "application/xhtml+xml; charset=utf-8"),
        ("/document", "application/xhtml+xml; charset=utf-8"),
        ("/rule?gone=1", strict),
        ("/missing", strict),
    ] {
        let response = site.get(target);
        assert_eq!(response.header("content-type"), Some(content_type), "{target}");
        for name in FIELDS {
            assert_eq!(response.headers(name).len(), 1, "{target} {name}");
        }
    }
    let policy = |target: &str, directive: &str| sources(site.get(target).header(CSP).expect("a policy"), directive);
    for target in ["/drawing", "/document"] {
        let scripts = policy(target, "script-src");
        assert!(scripts.iter().any(|source| source.starts_with("'sha256-")), "{target} {scripts:?}");
    }
    let hash = siteserver::fields::digest_source("a() && b()");
    assert!(policy("/document", "script-src").contains(&hash), "of the text that XML makes of the references");
    assert_eq!(policy("/feed", "script-src"), ["https://cdn.example"]);
    assert_eq!(policy("/rule?gone=1", "style-src"), ["'self'", "https://cdn.example"]);
    for target in ["/sitemap", "/xhtml", "/missing"] {
        assert_eq!(site.get(target).header(CSP), Some(STRICT), "{target}");
    }
    // What lies in a folder is the author's own, as HTML there is.
    let drawing = site.get("/files/drawing.svg");
    assert_eq!((drawing.header("x-frame-options"), drawing.header(CSP)), (Some("SAMEORIGIN"), None));
    for target in ["/rule", "/files/data.json"] {
        let response = site.get(target);
        assert!(FIELDS.iter().all(|name| response.header(name).is_none()), "{target}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{target}");
    }
}

fn markup_in_xml_is_well_formed() {
    let site = Options::default().start(
        r#"-- site.toml --
-- layouts/feed.xml --
<feed><xhtml>{{ query.v | markdownify }}</xhtml><html>{{ query.v | markdownify | escape }}</html><rss><![CDATA[{{ query.v | markdownify }}]]></rss></feed>
-- routes/feed.toml --
layout = "feed.xml"
[query.v]
"#,
    );
    for value in
        ["a<br>b&nbsp;&rarr;<hr>", "a%20%20%0Ab%0A%0A***%0A%0A![c](d)", "- [x] e]]>", "<input><img src=x alt=y>"]
    {
        let feed = site.get(&format!("/feed?v={}", crate::support::canary::percent(value)));
        let text = feed.text();
        let mut reader = quick_xml::Reader::from_str(text);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(quick_xml::events::Event::GeneralRef(name)) => {
                    let name = name.into_inner();
                    assert!(name.starts_with('#') || ["amp", "lt", "gt", "quot"].contains(&&*name), "{text}");
                }
                Ok(_) => {}
                Err(error) => panic!("{error}: {text}"),
            }
        }
        assert!(text.ends_with("]]></rss></feed>\n"), "{text}");
    }
}

fn a_type_in_other_letters_is_the_same() {
    let site = Options::default().start(
        "-- site.toml --\n-- layouts/page.html --\n<p>{{ request.path }}</p>\n-- routes/page.toml --\nlayout = \"page.html\"\n\
         content-type = \"Text/HTML\"\n",
    );
    let page = site.get("/page");
    assert_eq!((page.header("content-type"), page.header(CSP)), (Some("Text/HTML; charset=utf-8"), Some(STRICT)));
    assert_eq!(page.header("x-frame-options"), Some("SAMEORIGIN"));
}

fn a_rule_may_make_xml() {
    let site = Options::default().start(
        r#"-- site.toml --
-- layouts/page.html --
<div>{% for a in posts %}{{ a.html }}{% endfor %}</div>
-- layouts/page.xml --
<svg xmlns="http://www.w3.org/2000/svg">{% for a in posts %}{{ a.html }}{% endfor %}</svg>
-- routes/index.toml --
layout = "page.html"
[query.drawn]
[sources.posts]
content = "posts/*"
[[rules]]
if = "query.drawn"
then = { status = 200, layout = "page.xml" }
-- content/posts/drawing.md --
<style>a &amp; b</style>
"#,
    );
    let styles = |target: &str| {
        let page = site.get(target);
        sources(page.header(CSP).expect("a policy"), "style-src")
    };
    // What is `&amp;` in the one is `&` in the other.
    assert_eq!(styles("/").len(), 3);
    assert_eq!(styles("/"), styles("/?drawn=1"));
}

fn a_document_is_what_its_own_layout_makes() {
    let site = Options::default().start(
        r#"-- site.toml --
-- layouts/page.html --
<h1>{{ query.v }}</h1>{{ content }}
-- layouts/page.txt --
{{ query.v }}
-- layouts/page.xml --
<?xml-stylesheet href="https://cdn.example/a.css" type="text/css"?><page>{{ query.v }}</page>
-- content/tree/index.md --
A page
-- content/tree/text.md --
+++
layout = "page.txt"
+++
-- content/tree/xml.md --
+++
layout = "page.xml"
+++
-- routes/tree.toml --
path = "/tree/{*page}"
content = "tree"
layout = "page.html"
[query.v]
"#,
    );
    let page = |path: &str| site.get(&format!("/tree{path}?v=%3Cscript%3Ealert(1)%3C/script%3E"));
    let html = page("");
    assert_eq!((html.header("content-type"), html.header(CSP)), (Some("text/html; charset=utf-8"), Some(STRICT)));
    let text = page("/text");
    assert_eq!((text.header("content-type"), text.header(CSP)), (Some("text/plain; charset=utf-8"), None));
    assert_eq!((text.text(), text.header("x-content-type-options")), ("<script>alert(1)</script>\n", Some("nosniff")));
    let xml = page("/xml");
    assert_eq!(xml.header("content-type"), Some("application/xml; charset=utf-8"));
    assert_eq!(sources(xml.header(CSP).expect("a policy"), "style-src"), ["'self'", "https://cdn.example"]);
    assert_eq!(xml.header("x-frame-options"), Some("SAMEORIGIN"));
}
