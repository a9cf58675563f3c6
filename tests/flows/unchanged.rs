//! What did not change is not made again: bodies are not read twice, pages are not rendered twice, and who has a page hears so.
//!
//! What was done is seen in the metrics: a count goes up before the answer is sent that it is of.

use super::admin::{ask, metrics, options, value};
use super::{archive, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use serde_json::json;
use std::collections::HashMap;

crate::cases!(
    the_same_data_is_neither_read_nor_rendered_again,
    who_has_the_page_hears_so_before_it_is_rendered,
    every_coding_is_the_same_again,
    a_body_that_differs_in_what_nobody_takes_is_the_same_page,
    other_data_is_another_page,
    what_a_header_or_a_status_is_made_of_counts,
    what_nothing_reads_of_a_request_does_not_count,
    every_kind_of_page_is_skipped,
    each_item_of_a_list_is_read_once,
    a_large_body_is_read_once_for_each_who_takes_from_it,
    a_stale_page_of_the_same_data_is_not_rendered_again,
    what_is_asked_in_process_is_whole_when_it_is_skipped,
    an_edit_is_another_page_and_leaves_the_others,
    a_page_that_prints_the_time_is_another_as_it_passes,
    what_is_one_persons_is_made_each_time,
    what_is_degraded_or_wrong_is_made_each_time,
    a_page_with_a_secret_is_kept_for_nobody,
    a_changed_environment_is_another_page,
    equal_tags_are_equal_bytes,
    caches_are_told_what_is_left_now,
    a_page_of_other_tags_is_another_page,
    a_route_whose_404s_alone_are_kept_asks_for_its_pages,
    what_is_kept_degraded_is_never_what_is_unchanged,
    what_the_server_alone_does_not_keep_has_a_validator,
);

/// A page of one source, of which it takes a name and a count.
const PAGE: &str = "\
-- routes/index.toml --
layout = \"page.html\"
[sources.a]
upstream = \"up\"
path = \"/data\"
extract = { name = \"$.name\", count = { select = \"$.count\", type = \"int\" } }
-- layouts/page.html --
<h1>{{ a.name }}</h1>
<p>{{ a.count }}</p>
{% for number in (1..200) %}<i>{{ number }}</i>{% endfor %}
";

fn start(fault: &FaultServer, files: &str) -> Site {
    options().start(&archive(fault, files))
}

fn put(fault: &FaultServer, value: &serde_json::Value) {
    fault.put("/data", Reply::json(value.to_string()));
}

fn tag(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    let tag = response.header("etag").unwrap_or_else(|| panic!("a tag: {:?}", response.headers));
    assert!(tag.starts_with('"'), "it is strong: {tag}");
    tag.to_owned()
}

/// How often pages of a route were rendered, and how often they were not, because they were unchanged.
fn renders(site: &Site, route: &str) -> (u64, u64) {
    let metrics = metrics(site);
    let count = |outcome| {
        value(&metrics, &format!("siteserver_renders_total{{route=\"routes/{route}.toml\",outcome=\"{outcome}\"}}"))
    };
    whole(count("rendered"), count("unchanged"))
}

/// How often bodies were read for a source, and how often they were not, because they were unchanged.
fn bodies(site: &Site, route: &str, source: &str) -> (u64, u64) {
    let metrics = metrics(site);
    let count = |outcome| {
        let labels = format!("upstream=\"up\",route=\"routes/{route}.toml\",source=\"{source}\",outcome=\"{outcome}\"");
        value(&metrics, &format!("siteserver_source_bodies_total{{{labels}}}"))
    };
    whole(count("read"), count("unchanged"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
fn whole(left: f64, right: f64) -> (u64, u64) {
    (left as u64, right as u64)
}

/// The metrics of a route begin with its first answer, which is counted once it was sent.
fn settle(site: &Site, route: &str) {
    let labels = format!("siteserver_requests_total{{route=\"routes/{route}.toml\"");
    let end = std::time::Instant::now() + crate::support::SAFETY_NET;
    while !metrics(site).contains(&labels) {
        assert!(std::time::Instant::now() < end, "no answer of {route} is counted");
    }
}

fn the_same_data_is_neither_read_nor_rendered_again() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada & Bo", "count": 3 }));
    let site = start(&fault, PAGE);
    let first = site.get("/");
    assert!(first.text().contains("<h1>Ada &amp; Bo</h1>\n<p>3</p>"), "{}", first.text());
    for _ in 0..3 {
        let again = site.get("/");
        assert_eq!((tag(&again), &again.body), (tag(&first), &first.body));
        assert_eq!(again.header("cache-control"), Some("no-cache"));
        // It is made of what was fetched for this very request.
        assert_eq!((again.header("age"), again.header("cache-status")), (None, None));
        assert_eq!(again.headers.len(), first.headers.len());
    }
    let head = site.request("HEAD", "/", &[], b"");
    assert_eq!((head.header("etag"), head.body.len()), (first.header("etag"), 0));
    assert_eq!(head.header("content-length"), first.header("content-length"));
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((1, 4), (1, 4)));
    assert_eq!(fault.calls("/data"), 5, "each request asks the upstream");
}

fn who_has_the_page_hears_so_before_it_is_rendered() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let first = start(&fault, PAGE);
    let known = tag(&first.get("/"));
    // Another process, which has never rendered anything: a balancer may send the visitor there, and so may a restart.
    let second = start(&fault, PAGE);
    for given in [known.clone(), format!("W/{known}"), format!("\"other\", {known}")] {
        let answer = second.request("GET", "/", &[("if-none-match", &given)], b"");
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{given}");
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some(&*known), Some("no-cache")));
        assert_eq!((answer.header("vary"), answer.header("content-type")), (Some("accept-encoding"), None));
    }
    settle(&second, "index");
    assert_eq!(renders(&second, "index"), (0, 3));
    // These ask for more than whether their copy is the current one.
    let other = tag(&second.get("/"));
    assert_eq!(other, known);
    for (fields, status) in [
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-none-match", known.as_str()), ("if-match", "\"other\"")], 412),
        (vec![("if-match", known.as_str())], 200),
    ] {
        assert_eq!(second.request("GET", "/", &fields, b"").status, status, "{fields:?}");
    }
    put(&fault, &json!({ "name": "Ada", "count": 4 }));
    let changed = second.request("GET", "/", &[("if-none-match", &known)], b"");
    assert_ne!(tag(&changed), known);
}

fn every_coding_is_the_same_again() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let (site, other) = (start(&fault, PAGE), start(&fault, PAGE));
    let plain = tag(&site.get("/"));
    for coding in ["gzip", "zstd"] {
        let fields = [("accept-encoding", coding)];
        let first = site.request("GET", "/", &fields, b"");
        let again = site.request("GET", "/", &fields, b"");
        assert_eq!((first.header("content-encoding"), &first.body), (Some(coding), &again.body));
        let coded = tag(&first);
        assert_eq!((tag(&again), &coded), (coded.clone(), &format!("{}-{coding}\"", plain.trim_end_matches('"'))));
        // In one process it is there, in the other it never was.
        for site in [&site, &other] {
            let fields = [("accept-encoding", coding), ("if-none-match", &*coded)];
            let answer = site.request("GET", "/", &fields, b"");
            assert_eq!((answer.status, answer.header("etag")), (304, Some(&*coded)), "{coding}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"));
            // Who takes it in no such coding does not have what would be sent.
            let answer = site.request("GET", "/", &[("if-none-match", &coded)], b"");
            assert_eq!((answer.status, tag(&answer)), (200, plain.clone()));
        }
    }
    settle(&site, "index");
    assert_eq!(renders(&site, "index").0, 1);
}

fn a_body_that_differs_in_what_nobody_takes_is_the_same_page() {
    let fault = FaultServer::start();
    let site = start(&fault, PAGE);
    let mut tags = Vec::new();
    for body in [
        "{\"name\":\"Ada\",\"count\":3}",
        "{\"count\": 3, \"name\": \"\\u0041da\", \"at\": 1}",
        "{\"count\": 3.0, \"name\": \"Ada\", \"at\": 2}",
    ] {
        fault.put("/data", Reply::json(body));
        tags.push(tag(&site.get("/")));
    }
    tags.dedup();
    assert_eq!(tags.len(), 1);
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((1, 2), (3, 0)));
}

fn other_data_is_another_page() {
    let fault = FaultServer::start();
    let site = start(&fault, PAGE);
    let mut tags = HashMap::new();
    // Back and forth: what was read once is known as long as there is room, what was rendered last is kept.
    for count in [1, 2, 1, 2, 2] {
        put(&fault, &json!({ "name": "Ada", "count": count }));
        let response = site.get("/");
        assert!(response.text().contains(&format!("<p>{count}</p>")));
        let tag = tag(&response);
        assert_eq!(tags.entry(count).or_insert_with(|| tag.clone()), &tag);
    }
    assert_ne!(tags[&1], tags[&2]);
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((4, 1), (2, 3)));
}

fn what_a_header_or_a_status_is_made_of_counts() {
    let fault = FaultServer::start();
    let site = start(
        &fault,
        "\
-- routes/index.toml --
layout = \"fixed.html\"
headers = { x-count = \"{a.count}\" }
[sources.a]
upstream = \"up\"
path = \"/data\"
[[rules]]
if = \"a.count == 7\"
then = { status = 410, layout = \"gone.html\" }
[[rules]]
if = \"a.count == 8\"
then = { status = 200, layout = \"gone.html\" }
-- layouts/fixed.html --
<p>the same</p>
-- layouts/gone.html --
<p>gone</p>
",
    );
    let mut tags = Vec::new();
    for (count, text) in [(1, "<p>the same</p>"), (2, "<p>the same</p>"), (8, "<p>gone</p>")] {
        put(&fault, &json!({ "count": count }));
        for _ in 0..2 {
            let response = site.get("/");
            assert_eq!(response.text().trim(), text);
            assert_eq!(response.header("x-count"), Some(&*count.to_string()));
            tags.push(tag(&response));
        }
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "browsers keep the fields of what did not change");
    put(&fault, &json!({ "count": 7 }));
    for _ in 0..2 {
        let gone = site.get("/");
        assert_eq!((gone.status, gone.header("etag"), gone.text().trim()), (410, None, "<p>gone</p>"));
    }
    settle(&site, "index");
    assert_eq!(renders(&site, "index"), (5, 3));
}

fn what_nothing_reads_of_a_request_does_not_count() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada" }));
    let site = start(
        &fault,
        "\
-- routes/index.toml --
layout = \"page.html\"
[query.q]
[query.unread]
[sources.a]
upstream = \"up\"
path = \"/data\"
-- layouts/page.html --
<p>{{ a.name }} {{ query.q }}</p>
",
    );
    let known = tag(&site.get("/"));
    for target in ["/?unread=1", "/?undeclared=2", "/?q="] {
        assert_eq!(tag(&site.get(target)), known, "{target}");
    }
    assert_ne!(tag(&site.get("/?q=1")), known);
    settle(&site, "index");
    assert_eq!(renders(&site, "index"), (2, 3));
}

fn every_kind_of_page_is_skipped() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "items": [{ "id": 2 }, { "id": 1 }] }));
    let site = start(
        &fault,
        "\
-- routes/json.toml --
json = { first = \"{a.items}\", path = \"{params.id}\" }
path = \"/json/{id}\"
[params.id]
type = \"int\"
[sources.a]
upstream = \"up\"
path = \"/data\"
sort = \"id\"
-- routes/document.toml --
content = \"about.md\"
layout = \"document.html\"
-- routes/docs.toml --
path = \"/docs/{*page}\"
content = \"docs\"
layout = \"document.html\"
-- routes/file.toml --
path = \"/file/{name}\"
layout = \"file.html\"
[params.name]
enum = [\"a\", \"b\"]
[sources.chosen]
file = \"{params.name}.json\"
[sources.one]
file = \"a.json\"
-- layouts/document.html --
<title>{{ page.title }}</title>{{ content }}
-- layouts/file.html --
<p>{{ chosen.v }} {{ one.v }}</p>
-- content/about.md --
# About
-- content/docs/index.md --
# Docs
-- content/docs/more.md --
# More
-- content/a.json --
{ \"v\": 1 }
-- content/b.json --
{ \"v\": 2 }
",
    );
    let mut tags = Vec::new();
    for (route, targets) in [
        ("json", vec!["/json/1", "/json/2"]),
        ("document", vec!["/document"]),
        ("docs", vec!["/docs", "/docs/more"]),
        ("file", vec!["/file/a", "/file/b"]),
    ] {
        for target in &targets {
            let first = site.get(target);
            let again = site.get(target);
            assert_eq!((tag(&first), first.body), (tag(&again), again.body), "{target}");
            tags.push(tag(&site.get(target)));
        }
        settle(&site, route);
        let count = targets.len() as u64;
        assert_eq!(renders(&site, route), (count, 2 * count), "{route}");
    }
    assert_eq!(site.get("/json/1").json(), json!({ "first": [{ "id": 1 }, { "id": 2 }], "path": 1 }));
    let count = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), count, "all pages differ");
}

fn each_item_of_a_list_is_read_once() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "ids": [1, 2, 3] }));
    for id in 1..=4 {
        fault.put(&format!("/item/{id}"), Reply::json(json!({ "name": format!("item {id}") }).to_string()));
    }
    let site = start(
        &fault,
        "\
-- routes/index.toml --
layout = \"page.html\"
[sources.list]
upstream = \"up\"
path = \"/data\"
[sources.items]
upstream = \"up\"
path = \"/item/{item}\"
for-each = \"{list.ids}\"
max-items = 9
-- layouts/page.html --
{% for item in items %}<p>{{ item.name }}</p>{% endfor %}
",
    );
    let first = tag(&site.get("/"));
    assert_eq!(tag(&site.get("/")), first);
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "items")), ((1, 1), (3, 3)));
    put(&fault, &json!({ "ids": [3, 1, 2, 4] }));
    let other = site.get("/");
    assert_eq!(other.text().matches("<p>item").count(), 4);
    assert_ne!(tag(&other), first);
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "items")), ((2, 1), (4, 6)));
}

fn a_large_body_is_read_once_for_each_who_takes_from_it() {
    let fault = FaultServer::start();
    let large = |count: u32| json!({ "left": 1, "right": count, "filler": "x".repeat(600 << 10) });
    put(&fault, &large(2));
    let site = start(
        &fault,
        "\
-- routes/index.toml --
json = [\"{a.v}\", \"{b.v}\"]
[sources.a]
upstream = \"up\"
path = \"/data\"
extract.v = \"$.left\"
[sources.b]
upstream = \"up\"
path = \"/data\"
extract.v = \"$.right\"
",
    );
    for _ in 0..3 {
        assert_eq!(site.get("/").json(), json!([1, 2]));
    }
    put(&fault, &large(3));
    assert_eq!(site.get("/").json(), json!([1, 3]));
    settle(&site, "index");
    assert_eq!((bodies(&site, "index", "a"), bodies(&site, "index", "b")), ((2, 2), (2, 2)));
    assert_eq!((renders(&site, "index"), fault.calls("/data")), ((2, 2), 4));
}

fn a_stale_page_of_the_same_data_is_not_rendered_again() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let site = start(
        &fault,
        &PAGE.replace("\n[sources.a]", "\n[cache]\ns-maxage = \"1h\"\nstale-while-revalidate = \"1h\"\n[sources.a]"),
    );
    let fields = [("accept-encoding", "br")];
    let first = site.request("GET", "/", &fields, b"");
    assert_eq!(first.header("cache-status"), Some("siteserver; fwd=uri-miss; stored"));
    let purge = || {
        let purged = ask(&site, "POST", "/purge", &[], "{\"all\": true, \"soft\": true}");
        assert_eq!(purged.json()["entries"], 1);
    };
    // It is answered stale while it is made anew.
    let refreshed = || {
        until(&site, "/", |response| {
            response.header("cache-status").is_some_and(|status| status.starts_with("siteserver; hit; ttl=3"))
        })
    };
    purge();
    assert_eq!(site.get("/").header("cache-status"), Some("siteserver; hit; ttl=-1"));
    refreshed();
    let again = site.request("GET", "/", &fields, b"");
    assert_eq!((tag(&again), &again.body), (tag(&first), &first.body));
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((1, 1), (1, 1)));
    put(&fault, &json!({ "name": "Bo", "count": 3 }));
    purge();
    site.get("/");
    assert!(refreshed().text().contains("<h1>Bo</h1>"));
    assert_eq!(renders(&site, "index"), (2, 1));
}

fn what_is_asked_in_process_is_whole_when_it_is_skipped() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "v": "one" }));
    let asked = |cache: &str| {
        format!(
            "-- routes/index.toml --\nlayout = \"page.html\"\n[sources.part]\nroute = \"/api\"\n\
             -- routes/api.toml --\njson = {{ v = \"{{a.v}}\" }}\n{cache}[sources.a]\nupstream = \"up\"\npath = \"/data\"\n\
             -- layouts/page.html --\n<p>{{{{ part.v }}}}</p>\n"
        )
    };
    for cache in ["", "cache = { s-maxage = \"1h\" }\n"] {
        put(&fault, &json!({ "v": "one" }));
        let site = start(&fault, &asked(cache));
        for _ in 0..2 {
            assert_eq!((site.get("/api").json(), site.get("/").text().trim()), (json!({ "v": "one" }), "<p>one</p>"));
            ask(&site, "POST", "/purge", &[], "{\"all\": true, \"soft\": true}");
        }
        settle(&site, "index");
        assert_eq!(renders(&site, "index"), (1, 1), "{cache}");
        put(&fault, &json!({ "v": "two" }));
        assert_eq!(site.get("/").text().trim(), "<p>two</p>");
        assert_eq!(site.get("/api").json(), json!({ "v": "two" }));
    }
}

fn an_edit_is_another_page_and_leaves_the_others() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let other = "-- routes/other.toml --\nlayout = \"other.html\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n-- layouts/other.html --\n<p>{{ a.name }}</p>\n";
    let site = start(&fault, &format!("{PAGE}{other}"));
    let (page, neighbour) = (tag(&site.get("/")), tag(&site.get("/other")));
    site.folder().write("layouts/page.html", "<h2>{{ a.name }}</h2>\n");
    let edited = until(&site, "/", |response| response.text().contains("<h2>"));
    assert_ne!(tag(&edited), page);
    let asked = site.request("GET", "/", &[("if-none-match", &page)], b"");
    assert_eq!(asked.status, 200, "what it was once is no copy of what it is");
    assert_eq!(tag(&site.get("/other")), neighbour);
    settle(&site, "other");
    assert_eq!(
        (renders(&site, "other"), bodies(&site, "other", "a")),
        ((1, 1), (1, 1)),
        "a reload forgets nothing of it"
    );
}

fn a_page_that_prints_the_time_is_another_as_it_passes() {
    let fault = FaultServer::start();
    let site = start(
        &fault,
        "\
-- routes/second.toml --
layout = \"second.txt\"
-- routes/year.toml --
layout = \"year.txt\"
-- layouts/second.txt --
{{ 'now' | date: '%s' }}
-- layouts/year.txt --
{{ 'now' | date: '%Y' }}
",
    );
    let mut seen: HashMap<String, String> = HashMap::new();
    let year = tag(&site.get("/year"));
    until(&site, "/second", |response| {
        let tag = tag(response);
        let printed = seen.entry(tag).or_insert_with(|| response.text().to_owned());
        assert_eq!(printed, response.text(), "one tag, one text");
        seen.len() > 2
    });
    let texts: std::collections::HashSet<&String> = seen.values().collect();
    assert_eq!(texts.len(), seen.len(), "one text, one tag");
    assert_eq!(tag(&site.get("/year")), year);
}

fn what_is_one_persons_is_made_each_time() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let site = start(&fault, &PAGE.replace("path = \"/data\"", "path = \"/data\"\nforward-cookies = [\"session\"]"));
    for session in ["session=1", "session=2", "session=1"] {
        let response = site.request("GET", "/", &[("cookie", session)], b"");
        assert_eq!((response.status, response.header("etag")), (200, None));
        assert_eq!(response.header("cache-control"), Some("private, no-store"));
    }
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((3, 0), (3, 0)));
    let metrics = metrics(&site);
    for series in ["siteserver_data_entries", "siteserver_data_bytes", "siteserver_store_entries"] {
        assert!(value(&metrics, series) < 0.5, "nothing of theirs outlives the request: {series}");
    }
}

fn what_is_degraded_or_wrong_is_made_each_time() {
    let fault = FaultServer::start();
    fault.put("/data", Reply::json("{\"name\":").status(200));
    let site = start(&fault, &PAGE.replace("path = \"/data\"", "path = \"/data\"\noptional = true"));
    for _ in 0..2 {
        let degraded = site.get("/");
        assert_eq!((degraded.status, degraded.header("etag")), (200, None));
        assert_eq!(degraded.header("cache-control"), Some("no-store"));
    }
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let good = tag(&site.get("/"));
    fault.put("/data", Reply::json("{}").status(503));
    let degraded = site.request("GET", "/", &[("if-none-match", &good)], b"");
    assert_eq!((degraded.status, degraded.header("etag")), (200, None), "the copy is not what would be made now");
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    assert_eq!(tag(&site.get("/")), good);
    settle(&site, "index");
    assert_eq!((renders(&site, "index"), bodies(&site, "index", "a")), ((4, 1), (3, 1)));
}

fn a_page_with_a_secret_is_kept_for_nobody() {
    const SECRET: &str = "q7Zt-4bNw9-XyR2k";
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": SECRET, "count": 3 }));
    let address = fault.address();
    let files = PAGE.replace("[sources.a]", "[query.q]\n[sources.a]\nquery = { q = \"{query.q}\" }");
    let site = options().env("SECRET", SECRET).start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\nallow-private = true\n\
         headers = {{ x-key = \"{{env.SECRET}}\" }}\n{files}"
    ));
    // Who says it himself is told nothing by it; the page is made of the same data for the others, and theirs all the same not.
    for (target, status) in
        [("/".to_owned(), 500), (format!("/?q={SECRET}"), 200), ("/".to_owned(), 500), ("/?q=other".to_owned(), 500)]
    {
        for _ in 0..2 {
            assert_eq!(site.get(&target).status, status, "{target}");
        }
    }
}

fn a_changed_environment_is_another_page() {
    let fault = FaultServer::start();
    put(&fault, &json!({ "name": "Ada", "count": 3 }));
    let files =
        PAGE.replace("layout = \"page.html\"\n", "layout = \"page.html\"\nheaders = { x-stage = \"{env.STAGE}\" }\n");
    let files = format!("[env.STAGE]\npublic = true\n{files}");
    let tags: Vec<String> = ["one", "two", "one"]
        .into_iter()
        .map(|stage| {
            let site = options().env("STAGE", stage).start(&archive(&fault, &files));
            let response = site.get("/");
            assert_eq!(response.header("x-stage"), Some(stage));
            tag(&response)
        })
        .collect();
    assert_eq!(tags[0], tags[2]);
    assert_ne!(tags[0], tags[1]);
}

/// Values that are easily taken for each other.
const VALUES: [&str; 16] = [
    "null",
    "true",
    "0",
    "1",
    "1.5",
    "\"1\"",
    "\"\"",
    "\"<b>\"",
    "\"null\"",
    "[]",
    "[1]",
    "[[1]]",
    "{}",
    "{\"a\":1,\"b\":2}",
    "{\"b\":2,\"a\":1}",
    "{\"a\":{\"b\":2}}",
];

/// A page that shows whatever it is given, in every way that there is.
const SHOWING: &str = "\
-- routes/index.toml --
layout = \"page.html\"
headers = { x-left = \"{left.text}\" }
[query.q]
[query.n]
type = \"int\"
[sources.left]
upstream = \"up\"
path = \"/left\"
[sources.right]
upstream = \"up\"
path = \"/right\"
extract = { v = \"$.v\", html = { select = \"$.text\", type = \"html\" } }
-- layouts/page.html --
{{ query.q }} {{ query.n }}
{{ left.v | json }}{% for pair in left.v %}<i>{{ pair | json }}</i>{% endfor %}
{{ right.v | json }}{{ right.html }}
";

fn equal_tags_are_equal_bytes() {
    let fault = FaultServer::start();
    let sites = [start(&fault, SHOWING), start(&fault, SHOWING)];
    let mut connections = [sites[0].connect(), sites[1].connect()];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut seen: HashMap<String, (Vec<u8>, Option<String>)> = HashMap::new();
    for _ in 0..600 {
        for path in ["/left", "/right"] {
            let (value, text) = (VALUES[random(VALUES.len())], ["a", "<b>a</b>"][random(2)]);
            let filler = " ".repeat(random(3));
            fault.put(path, Reply::json(format!("{{\"text\":\"{text}\",{filler}\"v\":{value}}}")));
        }
        let target = ["/", "/?q=1", "/?n=1", "/?q=1&n=1"][random(4)];
        let known: Option<&String> = seen.keys().nth(random(seen.len().max(1)));
        let fields: Vec<(&str, &str)> = known.map(|tag| ("if-none-match", tag.as_str())).into_iter().collect();
        let answer = connections[random(2)].request("GET", target, &fields, b"");
        // Whatever it was answered with, without the condition it is this.
        let full = connections[random(2)].get(target);
        let tag = tag(&full);
        let shown = (full.body.clone(), full.header("x-left").map(str::to_owned));
        assert_eq!(answer.status == 304, known == Some(&tag), "{fields:?} {tag}");
        assert_eq!(seen.entry(tag.clone()).or_insert_with(|| shown.clone()), &shown, "{target} {tag}");
    }
    assert!(seen.len() > 300, "{}", seen.len());
    for site in &sites {
        let (rendered, unchanged) = renders(site, "index");
        assert!(rendered > 0 && unchanged > 0);
    }
}

/// The same page with a `[cache]`.
fn kept(page: &str, cache: &str) -> String {
    page.replace("-- layouts/", &format!("{cache}\n-- layouts/"))
}

/// A page whose sources are fresh for as long as they say each time.
fn page_of_sources(cache: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = \"{{a.n}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n{cache}\n[cache.cdn]\ns-maxage = \"auto\"\n"
    )
}

fn put_fresh_for(fault: &FaultServer, seconds: u64) {
    fault.put("/data", Reply::json("{\"n\":1}").header("cache-control", &format!("max-age={seconds}")));
}

/// What a network is told of the seconds that are left.
fn left(response: &Response) -> u64 {
    let value = response.header("cdn-cache-control").expect("a directive for networks");
    value.strip_prefix("s-maxage=").unwrap_or_else(|| panic!("{value}")).parse().expect("seconds")
}

fn caches_are_told_what_is_left_now() {
    // One that is asked about each time, and one that our store keeps as long as its sources say.
    for (cache, is_kept) in [("[cache]\nno-cache = true", false), ("[cache]\ns-maxage = \"auto\"", true)] {
        let fault = FaultServer::start();
        put_fresh_for(&fault, 1);
        let site = start(&fault, &page_of_sources(cache));
        let first = site.get("/");
        let known = tag(&first);
        assert!(left(&first) <= 1, "{cache}");
        put_fresh_for(&fault, 500);
        until(&site, "/", |response| {
            assert_eq!(tag(response), known, "{cache}");
            left(response) > 400
        });
        put_fresh_for(&fault, 300);
        let answer = site.request("GET", "/", &[("if-none-match", &known)], b"");
        assert_eq!(answer.status, 304);
        let expected = if is_kept { 450..=500 } else { 250..=300 };
        assert!(expected.contains(&left(&answer)), "{cache}: {}", left(&answer));
        settle(&site, "index");
        assert_eq!(renders(&site, "index").0, 1, "{cache}");
    }
}

fn a_page_of_other_tags_is_another_page() {
    let fault = FaultServer::start();
    fault.put("/data", Reply::json("{\"n\":1}"));
    let page = |cache: &str| {
        format!(
            "-- routes/index.toml --\njson = \"{{a.n}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n[sources.b]\nupstream = \"up\"\npath = \"/owner\"\n[cache]\nno-cache = true\ntags = [\"owner:{{b}}\"]\n{cache}"
        )
    };
    let site = start(&fault, &page("[cache.cdn]\nmax-age = \"1h\"\ntag-header = \"Cache-Tag\"\n"));
    fault.put("/owner", Reply::json("\"ada\""));
    let known = tag(&site.get("/"));
    assert_eq!(site.request("GET", "/", &[("if-none-match", &known)], b"").status, 304);
    fault.put("/owner", Reply::json("\"bo\""));
    // A network that heard that nothing changed would purge it by the name of the other.
    let changed = site.request("GET", "/", &[("if-none-match", &known)], b"");
    assert_ne!(tag(&changed), known);
    assert!(changed.header("cache-tag").is_some_and(|tags| tags.contains("owner:bo")), "{:?}", changed.headers);
    // Where no tags are sent they make no page another.
    let silent = start(&fault, &page(""));
    let known = tag(&silent.get("/"));
    fault.put("/owner", Reply::json("\"ada\""));
    assert_eq!(tag(&silent.get("/")), known);
}

fn a_route_whose_404s_alone_are_kept_asks_for_its_pages() {
    let fault = FaultServer::start();
    let site = start(&fault, &kept(PAGE, "[cache]\nnot-found = \"1h\""));
    put(&fault, &json!({ "name": "Ada", "count": 1 }));
    let first = site.get("/");
    for _ in 0..2 {
        let again = site.get("/");
        assert_eq!((tag(&again), &again.body), (tag(&first), &first.body));
        assert_eq!((again.header("cache-control"), again.header("age")), (Some("no-cache"), None));
        assert!(!again.header("cache-status").unwrap_or_default().contains("hit"), "{:?}", again.headers);
    }
    assert_eq!(fault.calls("/data"), 3);
    fault.put("/data", Reply::json("{}").status(404));
    for _ in 0..3 {
        let absent = site.get("/");
        assert_eq!((absent.status, absent.header("etag")), (404, None));
    }
    assert_eq!(fault.calls("/data"), 4, "that it is not there is kept");
    settle(&site, "index");
    assert_eq!(renders(&site, "index"), (1, 2));
}

fn what_is_kept_degraded_is_never_what_is_unchanged() {
    let fault = FaultServer::start();
    let page = PAGE.replace("extract =", "optional = true\nextract =");
    let site = start(&fault, &kept(&page, "[cache]\ns-maxage = \"1s\"\ndegraded = \"1s\""));
    put(&fault, &json!({ "name": "Ada", "count": 1 }));
    let good = site.get("/");
    let known = tag(&good);
    fault.put("/data", Reply::json("{}").status(500));
    until(&site, "/", |response| {
        let is_degraded = response.text().contains("<h1></h1>");
        assert_eq!((is_degraded, response.header("etag").is_none()), (is_degraded, is_degraded));
        is_degraded
    });
    // Whoever has the good page has not this one.
    let lacking = site.request("GET", "/", &[("if-none-match", &known)], b"");
    assert_eq!((lacking.status, lacking.header("cache-control")), (200, Some("no-store")));
    put(&fault, &json!({ "name": "Ada", "count": 1 }));
    until(&site, "/", |response| response.header("etag") == Some(&known) && response.body == good.body);
}

fn what_the_server_alone_does_not_keep_has_a_validator() {
    let fault = FaultServer::start();
    let site = start(&fault, &kept(PAGE, "[cache]\nmax-age = \"1m\"\n[cache.server]\nno-store = true"));
    put(&fault, &json!({ "name": "Ada", "count": 1 }));
    let known = tag(&site.get("/"));
    assert_eq!(tag(&site.get("/")), known);
    let answer = site.request("GET", "/", &[("if-none-match", &known)], b"");
    assert_eq!((answer.status, answer.header("cache-control")), (304, Some("max-age=60")));
    settle(&site, "index");
    assert_eq!(renders(&site, "index"), (2, 1));
}
