//! Documents: trees of them, what stands around each, links between them, and collections.

use crate::support::site::{Folder, Options, Site, binary};
use serde_json::json;
use siteserver::config::Environment;
use siteserver::site::{Memory, load_again};
use std::fmt::Write as _;
use std::time::Instant;

crate::cases!(
    every_file_of_a_tree_is_a_page,
    a_document_knows_what_stands_around_it,
    links_between_documents_are_urls,
    links_and_images_are_where_their_files_are_served,
    what_a_link_leads_to_is_looked_at_in_each_load,
    a_document_chooses_its_layout,
    a_tree_has_data_for_each_of_its_documents,
    documents_are_answered_like_pages,
    an_edit_of_a_document_is_seen,
    a_tree_of_several_paths_and_languages_has_a_page_for_each,
    a_collection_is_a_list,
    what_serves_a_document_is_its_url,
    documents_of_other_hosts_have_whole_urls,
    html_is_there_where_it_is_read,
    filters_know_the_site,
    ten_thousand_documents_load,
);

const SITE: &str = r#"-- site.toml --
[site]
url = "https://example.com"
-- layouts/doc.html --
<title>{{ page.title }}</title>{{ content }}
<nav>{% for entry in page.nav %}[{{ entry.title }} {{ entry.path }}{% for child in entry.children %} ({{ child.title }} {{ child.path }}){% endfor %}]{% endfor %}</nav>
<p>prev {{ page.prev.path }} next {{ page.next.path }} up {% for up in page.breadcrumbs %}{{ up.title }}={{ up.url }} {% endfor %}</p>
<p>{{ page.path }} {{ page.url }} {{ page.file }} {{ page.date }} {{ page.updated }} {{ page.own.key }}</p>
-- layouts/wide.html --
<wide>{{ page.title }}
-- routes/docs.toml --
path = "/docs/{*page}"
content = "docs"
layout = "doc.html"
[cache]
s-maxage = "1h"
-- routes/about.toml --
content = "about.md"
-- routes/any.toml --
path = "/docs/{any}/{more}"
json = "other"
-- content/wide.md --
+++
layout = "wide.html"
title = "About width"
+++
-- routes/wide.toml --
content = "wide.md"
layout = "doc.html"
-- content/about.md --
See [the guide](docs/index.md) and [details](docs/guide/a%20b.md#x "T").
-- content/docs/index.md --
# Welcome
Begin [here](guide/first.md?x=1#start), [outside](https://example.com/x.md), [below](/x.md) or [there](#here).
-- content/docs/zebra.md --
+++
weight = 1
title = "Zebra"
date = 2026-01-02
own = { key = "own value" }
+++
Back [home](./index.md).
-- content/docs/guide/index.md --
---
title: The guide
weight: 2
---
-- content/docs/guide/first.md --
---
weight: 1
layout: wide.html
---
# First
-- content/docs/guide/a b.md --
Text.
-- content/docs/notes/deep/one-thing.md --
Text.
-- content/docs/secret.md --
+++
draft = true
+++
Not yet.
"#;

fn every_file_of_a_tree_is_a_page() {
    let site = Site::start(SITE);
    for (target, title) in [
        ("/docs", "Welcome"),
        ("/docs/zebra", "Zebra"),
        ("/docs/guide", "The guide"),
        ("/docs/guide/a%20b", "A b"),
        ("/docs/notes/deep/one-thing", "One thing"),
    ] {
        let response = site.get(target);
        assert_eq!(response.status, 200, "{target}");
        assert!(response.text().starts_with(&format!("<title>{title}</title>")), "{target} {}", response.text());
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    }
    for absent in ["/docs/secret", "/docs/zebra.md", "/docs/index", "/docs/notes", "/docs/nothing"] {
        assert_eq!(site.get(absent).status, 404, "{absent}");
    }
    assert_eq!(site.get("/docs/x/y").json(), "other", "what the tree does not hold is another route's");
    assert_eq!(site.get("/docs/guide/").header("location"), Some("/docs/guide"));
}

fn a_document_knows_what_stands_around_it() {
    let site = Site::start(SITE);
    let zebra = site.get("/docs/zebra");
    let nav = "<nav>[Welcome /docs][Zebra /docs/zebra][The guide /docs/guide (First /docs/guide/first) (A b /docs/guide/a%20b)][Notes  (Deep )]</nav>";
    assert!(zebra.text().contains(nav), "{}", zebra.text());
    assert!(
        zebra.text().contains("<p>prev /docs next /docs/guide up Welcome=https://example.com/docs </p>"),
        "{}",
        zebra.text()
    );
    let about =
        "<p>/docs/zebra https://example.com/docs/zebra content/docs/zebra.md 2026-01-02 2026-01-02 own value</p>";
    assert!(zebra.text().contains(about), "{}", zebra.text());
    let inner = site.get("/docs/guide/a%20b");
    let around = "<p>prev /docs/guide/first next /docs/notes/deep/one-thing up Welcome=https://example.com/docs The guide=https://example.com/docs/guide </p>";
    assert!(inner.text().contains(around), "{}", inner.text());
}

fn links_between_documents_are_urls() {
    let site = Site::start(SITE);
    let index = site.get("/docs").text().to_owned();
    for link in ["\"/docs/guide/first?x=1#start\"", "\"https://example.com/x.md\"", "\"/x.md\"", "\"#here\""] {
        assert!(index.contains(&format!("<a href={link}>")), "{link} {index}");
    }
    assert!(site.get("/docs/zebra").text().contains("<a href=\"/docs\">home</a>"));
    let about = site.get("/about").text().to_owned();
    assert!(
        about.contains("<a href=\"/docs\">") && about.contains("<a href=\"/docs/guide/a%20b#x\" title=\"T\">"),
        "{about}"
    );
}

fn links_and_images_are_where_their_files_are_served() {
    let site = Site::start(
        r#"-- site.toml --
[site]
trailing-slash = "always"
-- routes/docs.toml --
path = "/docs/{*page}"
content = "docs"
-- routes/pictures.toml --
path = "/pictures/{*file}"
files = "docs/img"
-- routes/elsewhere.toml --
path = "/{*file}"
files = "elsewhere"
host = "static.example.com"
-- content/elsewhere/a.txt --
-- content/docs/index.md --
[Guide](guide/) [more](guide) [deeper](./guide/more.md?x#y) ![shop](img/shop%20front.png "A shop")
-- content/docs/guide/index.md --
[Up](..) ![shop](../img/shop%20front.png) ![gone](../img/gone.png) <img src="../img/raw.png">
-- content/docs/guide/more.md --
# Y
-- content/docs/img/shop front.png --
picture
"#,
    );
    let index = site.get("/docs/").text().to_owned();
    for link in [
        "<a href=\"/docs/guide/\">Guide",
        "<a href=\"/docs/guide/\">more",
        "<a href=\"/docs/guide/more/?x#y\">",
        "<img src=\"/pictures/shop%20front.png\" alt=\"shop\" title=\"A shop\" />",
    ] {
        assert!(index.contains(link), "{link} {index}");
    }
    assert_eq!(site.get("/pictures/shop%20front.png").text(), "picture\n");
    let guide = site.get("/docs/guide/").text().to_owned();
    // What leads nowhere stays as it was written, and so does HTML.
    for link in
        ["href=\"/docs/\"", "src=\"/pictures/shop%20front.png\"", "src=\"../img/gone.png\"", "\"../img/raw.png\""]
    {
        assert!(guide.contains(link), "{link} {guide}");
    }
}

fn what_a_link_leads_to_is_looked_at_in_each_load() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- routes/docs.toml --\npath = \"/docs/{*page}\"\ncontent = \"docs\"\n\
         -- routes/img.toml --\npath = \"/img/{*file}\"\nfiles = \"img\"\n-- content/img/a.png --\n-- content/img/b.png --\n\
         -- content/docs/a.md --\n[b](b.md#first) [c](c.md) ![a](../img/a.png) [u](/docs/b#first)\n\
         -- content/docs/b.md --\n## First\n-- content/docs/c.md --\n",
    );
    let memory = Memory::default();
    let environment = Environment::default();
    let load = || {
        let loaded = load_again(&folder.path().join("site.toml"), &[], &environment, &memory);
        let said = loaded.findings.iter().map(|finding| format!("{} {}", finding.code.name, finding.message));
        (said.collect::<Vec<_>>(), memory.rendered_count())
    };
    assert_eq!(load(), (vec![], 3));
    assert_eq!(load(), (vec![], 0));
    folder.write("content/docs/b.md", "## Second\n");
    let gone =
        |destination: &str| format!("document/broken-anchor `{destination}` names no heading of `content/docs/b.md`");
    assert_eq!(load(), (vec![gone("b.md#first"), gone("/docs/b#first")], 1));
    assert_eq!(load().0.len(), 2, "and it is told as long as it is so");
    folder.remove("content/img/a.png");
    folder.remove("content/docs/b.md");
    let nowhere = |path: &str| format!("document/broken-link `{path}` leads to no file of `content/`");
    let unanswered = "document/broken-link no route answers `/docs/b#first`".to_owned();
    assert_eq!(load(), (vec![nowhere("b.md"), nowhere("../img/a.png"), unanswered], 1));
    folder.write("content/img/a.png", "");
    folder.write("content/docs/b.md", "## First\n");
    assert_eq!(load().0, Vec::<String>::new());
}

fn a_document_chooses_its_layout() {
    let site = Site::start(SITE);
    assert_eq!(site.get("/docs/guide/first").text().trim(), "<wide>First");
    assert_eq!(site.get("/wide").text().trim(), "<wide>About width");
}

fn documents_are_answered_like_pages() {
    let site = Site::start(SITE);
    let mut connection = site.connect();
    let get = connection.get("/docs/zebra");
    let tag = get.header("etag").expect("a tag").to_owned();
    assert_ne!(Some(tag.as_str()), connection.get("/docs").header("etag"));
    let again = connection.request("GET", "/docs/zebra", &[("if-none-match", &tag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = connection.request("HEAD", "/docs/zebra", &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, get.header("content-length")));
    assert!(head.header("cache-status").is_some_and(|status| status.contains("hit")), "{head:?}");
}

fn an_edit_of_a_document_is_seen() {
    let site = Site::start(SITE);
    assert!(site.get("/docs/guide/a%20b").text().contains("Zebra"), "and it is stored now");
    site.folder().write("content/docs/zebra.md", "# Quagga\n");
    super::until(&site, "/docs/guide/a%20b", |response| response.text().contains("[Quagga /docs/zebra]"));
    site.folder().write("content/docs/new.md", "# New\n");
    super::until(&site, "/docs/new", |response| response.status == 200);
    site.folder().remove("content/docs/new.md");
    super::until(&site, "/docs/new", |response| response.status == 404);
}

fn a_tree_has_data_for_each_of_its_documents() {
    let site = Site::start(
        r#"-- site.toml --
-- routes/products.toml --
path = "/products/{*page}"
content = "products"
layout = "product.html"
title = "{page.title} for you"
[sources.price]
file = "prices.csv"
where = "item.sku == page.sku"
-- layouts/product.html --
<h1>{{ page.title }}</h1>{{ price.first.price }}{{ content }}
-- content/prices.csv --
sku,price
t1,4
m1,12
-- content/products/tea.md --
+++
sku = "t1"
+++
# Tea
-- content/products/milk.md --
+++
sku = "m1"
+++
# Milk
"#,
    );
    assert!(
        site.get("/products/tea").text().starts_with("<h1>Tea for you</h1>"),
        "{}",
        site.get("/products/tea").text()
    );
    let milk = site.get("/products/milk").text().to_owned();
    assert!(milk.contains("<h1>Milk for you</h1>12"), "{milk}");
}

const BLOG: &str = r#"-- site.toml --
[site]
url = "https://example.com"
-- content/blog/index.md --
About the blog.
-- content/blog/a.md --
+++
title = "Alpha"
description = "The first."
date = 2025-05-01
tags = ["x", "y"]
+++
Text.
-- content/blog/b.md --
+++
date = 2026-02-01
updated = 2026-03-01
tags = ["y"]
+++
# Beta
The second.
-- content/blog/c.md --
+++
draft = true
+++
-- content/blog/old/d.md --
+++
date = 2020-01-01
+++
-- routes/post.toml --
path = "/posts/{*page}"
content = "blog"
-- routes/all.toml --
json = "{posts}"
[sources.posts]
content = "blog/**"
sort = "-date"
-- routes/one.toml --
json = "{posts}"
[sources.posts]
content = "blog/*.md"
extract = { each = "$[*]", fields = { title = "$.title" } }
limit = 1
-- routes/tag.toml --
path = "/tags/{tag}"
layout = "tag.html"
[sources.posts]
content = "blog/**"
where = "item.tags contains params.tag"
sort = "title"
on-empty = "not-found"
[sources.tags]
content = "blog/**"
group-by = "tags"
sort = "title"
-- layouts/tag.html --
{% for post in posts %}{{ post.title }} {% endfor %}/{% for tag in tags %} {{ tag.name }}:{{ tag.items.size }}{% endfor %}
"#;

/// Everything that may be in the key of a document at once.
fn a_tree_of_several_paths_and_languages_has_a_page_for_each() {
    let site = Site::start(
        r#"-- site.toml --
[site]
languages = ["en", "de", "fr"]
-- routes/docs.toml --
path = ["/docs/{area}/{*page}", "/help/{area}/{*page}"]
content = "docs"
layout = "doc.html"
[params.area]
enum = ["north", "south"]
[query]
a = {}
b = {}
[cookies.theme]
enum = ["light", "dark"]
default = "light"
[cookies.size]
enum = ["small", "large"]
default = "small"
[cache.server]
s-maxage = "1h"
-- layouts/doc.html --
{{ page.path }} {{ params.area }} {{ request.language }} {{ query.a }} {{ query.b }} {{ cookies.theme }} {{ cookies.size }} {{ request.headers.x-kind }} {{ content }}
-- content/docs/index.md --
First
-- content/docs/second.md --
Second
"#,
    );
    let targets =
        ["/docs/north", "/docs/north/second", "/help/north", "/help/south/second?a=1&b=2", "/help/south/second?b=2"];
    let visitors: [&[(&str, &str)]; 5] = [
        &[],
        &[("accept-language", "de")],
        &[("accept-language", "fr, de;q=0.5"), ("x-kind", "k")],
        &[("cookie", "theme=dark")],
        &[("cookie", "size=large; theme=dark"), ("accept-language", "de")],
    ];
    let mut pages = std::collections::BTreeSet::new();
    for round in ["fwd=miss; stored", "hit; "] {
        for target in targets {
            for visitor in visitors {
                let answer = site.request("GET", target, visitor, b"");
                assert_eq!(answer.status, 200, "{target} {visitor:?}");
                let status = answer.header("cache-status").unwrap_or_default();
                assert!(status.starts_with(&format!("siteserver; {round}")), "{target} {visitor:?}: {status}");
                pages.insert(answer.text().to_owned());
            }
        }
    }
    assert_eq!(pages.len(), targets.len() * visitors.len());
}

fn a_collection_is_a_list() {
    let site = Site::start(BLOG);
    let all = site.get("/all").json();
    let without_html = |item: &serde_json::Value| {
        let mut item = item.clone();
        let html = item.as_object_mut().and_then(|item| item.remove("html"));
        assert!(html.is_some(), "the whole item is read, and its HTML with it");
        item
    };
    let items: Vec<_> = all.as_array().expect("a list").iter().map(without_html).collect();
    assert_eq!(
        items[0],
        json!({
            "date": "2026-02-01", "updated": "2026-03-01", "tags": ["y"], "title": "Beta", "description": "The second.",
            "file": "content/blog/b.md", "year": 2026, "path": "/posts/b", "url": "https://example.com/posts/b",
        })
    );
    assert_eq!((&items[1]["title"], &items[1]["updated"]), (&json!("Alpha"), &json!("2025-05-01")));
    assert_eq!((&items[2]["title"], &items[2]["path"]), (&json!("D"), &json!("/posts/old/d")));
    assert_eq!(items.len(), 3, "no draft, and not the folder's own page");
    assert_eq!(site.get("/one").json(), json!([{ "title": "Alpha" }]));
    assert_eq!(site.get("/tags/y").text().trim(), "Alpha Beta / x:1 y:2");
    assert_eq!(site.get("/tags/z").status, 404);
    assert_eq!(site.get("/posts/c").status, 404);
}

fn what_serves_a_document_is_its_url() {
    let archive =
        BLOG.replace("path = \"/posts/{*page}\"\ncontent = \"blog\"", "path = \"/first\"\ncontent = \"blog/a.md\"");
    let site = Options::default().start(&archive);
    let all = site.get("/all").json();
    let paths: Vec<_> = all.as_array().expect("a list").iter().map(|item| item["path"].clone()).collect();
    assert_eq!(paths, [json!(null), json!("/first"), json!(null)]);
}

fn documents_of_other_hosts_have_whole_urls() {
    let site = Site::start(
        r#"-- site.toml --
[site]
url = "https://example.com"
-- content/a.md --
[b](b.md) [c](c.md)
-- content/b.md --
-- content/c.md --
-- routes/a.toml --
content = "a.md"
-- routes/b.toml --
content = "b.md"
host = "docs.example.com"
-- routes/c.toml --
content = "c.md"
"#,
    );
    assert_eq!(site.get("/a").text(), "<p><a href=\"https://docs.example.com/b\">b</a> <a href=\"/c\">c</a></p>\n");
}

fn html_is_there_where_it_is_read() {
    let site = Site::start(
        r#"-- site.toml --
-- content/a.md --
*Text*
-- routes/shown.toml --
layout = "shown.html"
[sources.posts]
content = "*"
-- layouts/shown.html --
{% for post in posts %}{{ post.html }}{% endfor %}
-- routes/paged.toml --
layout = "paged.html"
[query.page]
type = "int"
[sources.posts]
content = "**"
paginate = { page = "{query.page}", size = 5 }
-- layouts/paged.html --
{% for post in posts.items %}{% assign it = post %}{{ it.html }}{% endfor %}
-- routes/named.toml --
json = "{posts.html}"
[sources.posts]
content = "*.md"
extract = "$[0]"
"#,
    );
    let html = "<p><em>Text</em></p>";
    assert_eq!((site.get("/shown").text().trim(), site.get("/paged").text().trim()), (html, html));
    assert_eq!(site.get("/named").json(), format!("{html}\n"));
}

/// Markdown from a request is sanitised, money is written as `site.toml` says.
fn filters_know_the_site() {
    let site = Site::start(
        r#"-- site.toml --
[site]
url = "https://example.com"
money-format = "<b>{{ amount_with_comma_separator }}</b> €"
-- routes/shown.toml --
layout = "shown.html"
[query.text]
type = "string"
-- layouts/shown.html --
{{ query.text | markdownify | strip }}{{ 123456 | money }} {{ "/a" | absolute_url }}
"#,
    );
    let shown = site.get("/shown?text=*a*%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cb+onclick%3D%22x()%22%3Eb");
    assert_eq!(shown.text().trim(), "<p><em>a</em><b>b</b></p><b>1.234,56</b> € https://example.com/a");
}

fn ten_thousand_documents_load() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- layouts/doc.html --\n{{ content }}{% for post in posts %}{{ post.path }}{% endfor %}\n\
         -- routes/docs.toml --\npath = \"/docs/{*page}\"\ncontent = \"docs\"\nlayout = \"doc.html\"\n\
         [sources.posts]\ncontent = \"docs/**\"\nsort = \"-n\"\nlimit = 3\n",
    );
    let mut text = String::new();
    for number in 0..10_000 {
        text.clear();
        write!(
            text,
            "+++\nn = {number}\ntags = [\"a\", \"b\"]\n+++\n# Page {number}\n\nText with a [link](p{number}.md).\n"
        )
        .unwrap();
        let path = folder.path().join(format!("content/docs/{}", number / 100));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(format!("p{number}.md")), &text).unwrap();
    }
    let started = Instant::now();
    let said = binary().current_dir(folder.path()).arg("routes").output().expect("the binary");
    println!("10,000 documents in {:?}", started.elapsed());
    assert!(String::from_utf8_lossy(&said.stdout).contains("/docs/{*page}"), "{said:?}");
}
