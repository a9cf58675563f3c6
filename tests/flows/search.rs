//! Searching documents: what is found, what is told of it, who may find what, and what a reload does again.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::{Folder, Options, Site};
use serde_json::{Value, json};
use siteserver::config::Environment;
use siteserver::site::{Memory, load_again};

crate::cases!(
    documents_are_found_by_their_words,
    a_result_leads_to_its_passage_and_shows_it,
    results_are_a_list_like_any_other,
    a_page_of_results_is_escaped_and_stored_by_what_is_looked_for,
    nothing_looked_for_is_nothing_found,
    what_nobody_can_open_is_not_found,
    what_is_behind_a_guard_is_found_behind_it,
    an_index_is_shared_and_kept_until_a_text_changes,
    a_reload_finds_what_was_written,
    explain_and_routes_tell_of_a_search,
    a_document_on_another_host_is_linked_to_by_its_whole_url,
);

const DOCS: &str = r#"-- site.toml --
[site]
url = "https://example.com"
-- routes/docs.toml --
path = "/docs/{*page}"
content = "docs"
-- routes/api/search.toml --
json = { results = "{found}" }
nulls = "drop"
[query.q]
max-length = 100
[sources.found]
content = "docs/**"
search = "{query.q}"
limit = 20
-- content/docs/index.md --
+++
title = "Manual"
+++
Where everything begins.
-- content/docs/lists.md --
+++
title = "Lists"
description = "Keep, sort, and page."
section = "guides"
+++
An item is what a list has.

## Limits

A `limit` leaves the first so many <items> & no more.

```toml
anvil = 1
```
-- content/docs/caching.md --
+++
title = "Caching"
tags = ["lists"]
section = "explanations"
+++
# Caching

Stale while revalidate.

## Größe des Speichers {#groesse}

Was er fasst: Übergrößen.
-- content/docs/draft.md --
+++
draft = true
+++
# Secret
-- content/other/unserved.md --
# Secret
"#;

fn found(site: &Site, query: &str) -> Vec<String> {
    let json = site.get(&format!("/api/search?q={query}")).json();
    let results = json["results"].as_array().expect("a list").iter();
    results.map(|result| result["link"].as_str().expect("a link").to_owned()).collect()
}

fn documents_are_found_by_their_words() {
    let site = Site::start(DOCS);
    for (query, expected) in [
        ("lists", &["/docs/lists", "/docs/caching"][..]),
        ("LISTS", &["/docs/lists", "/docs/caching"]),
        ("lis", &["/docs/lists", "/docs/caching"]),
        ("limit", &["/docs/lists#limits"]),
        ("lists+limits", &["/docs/lists#limits"]),
        ("anvil", &["/docs/lists#limits"]),
        ("%22stale+while%22", &["/docs/caching"]),
        ("%22while+stale%22", &[]),
        ("groesse", &["/docs/caching#groesse"]),
        ("GR%C3%96SSE", &["/docs/caching#groesse"]),
        ("everything", &["/docs"]),
        ("nothing-of-it", &[]),
        ("secret", &[]),
        ("%22%3E%3Cscript", &[]),
    ] {
        assert_eq!(found(&site, query), expected, "{query}");
    }
}

fn a_result_leads_to_its_passage_and_shows_it() {
    let site = Site::start(DOCS);
    let json = site.get("/api/search?q=limit").json();
    assert_eq!(
        json["results"],
        json!([{
            "title": "Lists", "description": "Keep, sort, and page.", "section": "guides", "file": "content/docs/lists.md",
            "path": "/docs/lists", "url": "https://example.com/docs/lists",
            "anchor": "limits", "heading": "Limits", "link": "/docs/lists#limits",
            "excerpt": [
                { "text": "A ", "is_match": false },
                { "text": "limit", "is_match": true },
                { "text": " leaves the first so many & no more. anvil = 1", "is_match": false },
            ],
        }]),
        "{json:#}"
    );
    let top = &site.get("/api/search?q=caching").json()["results"][0];
    assert_eq!((&top["anchor"], &top["heading"], &top["link"]), (&Value::Null, &Value::Null, &json!("/docs/caching")));
    assert_eq!(top["excerpt"], json!([{ "text": "Stale while revalidate.", "is_match": false }]));
}

fn results_are_a_list_like_any_other() {
    let keys =
        |name: &str, keys: &str| format!("[sources.{name}]\ncontent = \"docs/**\"\nsearch = \"{{query.q}}\"\n{keys}\n");
    let site = Site::start(&format!(
        "{DOCS}-- routes/all.toml --\njson = {{ kept = \"{{kept}}\", sorted = \"{{sorted}}\", groups = \"{{groups}}\", paged = \"{{paged}}\", one = \"{{one}}\" }}\n[query.q]\n[query.page]\ntype = \"int\"\ndefault = 1\n{}{}{}{}{}",
        keys("kept", "where = \"item.section == 'explanations'\""),
        keys("sorted", "sort = \"title\""),
        keys("groups", "group-by = \"section\""),
        keys("paged", "paginate = { page = \"{query.page}\", size = 1 }"),
        keys("one", "limit = 1"),
    ));
    let json = site.get("/all?q=lists&page=2").json();
    let titles = |list: &Value| -> Vec<String> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|item| item["title"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(titles(&json["kept"]), ["Caching"]);
    assert_eq!(titles(&json["sorted"]), ["Caching", "Lists"]);
    assert_eq!(titles(&json["one"]), ["Lists"]);
    assert_eq!(titles(&json["paged"]["items"]), ["Caching"]);
    assert_eq!(
        (&json["paged"]["pagination"]["total"], &json["paged"]["pagination"]["prev_url"]),
        (&json!(2), &json!("/all?q=lists"))
    );
    let groups = json["groups"].as_array().expect("a list");
    assert_eq!((&groups[0]["name"], titles(&groups[0]["items"])), (&json!("guides"), vec!["Lists".to_owned()]));
    assert_eq!(groups[1]["items"][0]["link"], "/docs/caching", "also within groups it is told what was found");
    assert_eq!(site.get("/all?q=lists&page=3").status, 404);
}

const PAGE: &str = r#"-- routes/search.toml --
layout = "search.html"
[query.q]
max-length = 100
[sources.found]
content = "docs/**"
search = "{query.q}"
[cache.server]
s-maxage = "1h"
-- layouts/search.html --
<input name="q" value="{{ query.q }}">{% for item in found %}
<a href="{{ item.link }}">{{ item.title }}</a> <p>{% for piece in item.excerpt %}{% if piece.is_match %}<mark>{{ piece.text }}</mark>{% else %}{{ piece.text }}{% endif %}{% endfor %}</p>{% else %}none{% endfor %}
"#;

fn a_page_of_results_is_escaped_and_stored_by_what_is_looked_for() {
    let site = Site::start(&format!("{DOCS}{PAGE}"));
    let page = site.get("/search?q=limit");
    assert!(
        page.text().contains(
            "<a href=\"/docs/lists#limits\">Lists</a> <p>A <mark>limit</mark> leaves the first so many &amp; no more."
        ),
        "{}",
        page.text()
    );
    let state = |target: &str| site.get(target).header("cache-status").unwrap_or_default().to_owned();
    assert!(state("/search?q=limit").contains("hit"), "kept under what is looked for");
    assert!(!state("/search?q=stale").contains("hit"), "and under nothing else");
    assert!(site.get("/search?q=%3Cmark%3E").text().contains("value=\"&lt;mark&gt;\">none"));
}

fn nothing_looked_for_is_nothing_found() {
    let site = Site::start(DOCS);
    let empty = json!({ "results": [] });
    let long = "a".repeat(101);
    for query in ["", "?q=", "?q=%22+-%22", "?q=+", &format!("?q={long}")] {
        assert_eq!(site.get(&format!("/api/search{query}")).json(), empty, "{query}");
    }
}

fn what_nobody_can_open_is_not_found() {
    let site = Site::start(&DOCS.replace("content = \"docs/**\"", "content = \"**\""));
    assert_eq!(found(&site, "secret"), [] as [&str; 0], "no draft, and nothing without a URL");
    assert_eq!(found(&site, "lists").len(), 2);
}

fn what_is_behind_a_guard_is_found_behind_it() {
    let fault = FaultServer::start();
    fault.put("/me", Reply::json("{}"));
    let search = "json = \"{found}\"\n[query.q]\n[sources.found]\ncontent = \"**\"\nsearch = \"{query.q}\"\n";
    let me = "[guard]\nsource = \"me\"\n[sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\nextract.name = \"$.name\"\n";
    let site = Options::default().start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{}\"\nallow-private = true\n\
         -- routes/open.toml --\npath = \"/open/{{*page}}\"\ncontent = \"open\"\n-- content/open/a.md --\n# Open anvil\n\
         -- routes/in/_section.toml --\n{me}-- routes/in/docs.toml --\npath = \"/in/docs/{{*page}}\"\ncontent = \"in\"\n-- content/in/a.md --\n# Secret anvil\n\
         -- routes/search.toml --\n{search}-- routes/in/search.toml --\n{search}",
        fault.address()
    ));
    let titles = |target: &str| {
        let response = site.request("GET", target, &[("Cookie", "session=ada")], b"");
        let all = response.json();
        all.as_array()
            .expect("a list")
            .iter()
            .map(|item| item["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(titles("/search?q=anvil"), ["Open anvil"]);
    assert_eq!(titles("/search?q=secret"), [] as [&str; 0]);
    assert_eq!(titles("/in/search?q=anvil"), ["Secret anvil", "Open anvil"]);
    assert_eq!(site.get("/in/search?q=anvil").status, 401);
}

fn an_index_is_shared_and_kept_until_a_text_changes() {
    let folder = Folder::new();
    folder.unpack(&format!("{DOCS}{PAGE}"));
    let memory = Memory::default();
    let load = || {
        let loaded = load_again(&folder.path().join("site.toml"), &[], &Environment::default(), &memory);
        let site = loaded.site.expect("a sound site");
        (memory.indexed_count(), site.revision, site.index_bytes())
    };
    let (count, first, bytes) = load();
    assert_eq!(count, 1, "both routes search the same documents");
    assert!(bytes > 0);
    assert_eq!(load(), (0, first, bytes));
    folder.write("routes/more.toml", "json = \"x\"\n");
    assert_eq!(load().0, 0, "no text has changed");
    folder.write("content/docs/lists.md", "# Lists\n\nAnother text.\n");
    let (count, changed, _) = load();
    assert_eq!(count, 1);
    assert_ne!(changed, first);
    folder.remove("routes/search.toml");
    folder.remove("routes/api/search.toml");
    assert_eq!((load().0, load().2), (0, 0));
}

fn a_reload_finds_what_was_written() {
    let site = Site::start(&format!("{DOCS}{PAGE}"));
    assert!(site.get("/search?q=tongs").text().contains("none"));
    site.folder().write("content/docs/tongs.md", "# Tongs\n");
    site.signal("HUP");
    site.wait_for_message(|line| line.starts_with("reloaded: "));
    assert!(site.get("/search?q=tongs").text().contains("/docs/tongs"));
}

fn explain_and_routes_tell_of_a_search() {
    let folder = Folder::new();
    folder.unpack(&format!("{DOCS}{PAGE}"));
    let run = |arguments: &[&str]| {
        let out = crate::support::site::binary()
            .args(arguments)
            .arg("--config")
            .arg(folder.path().join("site.toml"))
            .output()
            .expect("runs");
        String::from_utf8(out.stdout).expect("text")
    };
    let explained = run(&["explain", "/search?q=limit"]);
    assert!(explained.contains("searches 3 documents in 5 passages for `limit`"), "{explained}");
    let explained = run(&["explain", "/search"]);
    assert!(explained.contains("for nothing, which finds nothing"), "{explained}");
    assert!(run(&["routes"]).contains("found (search)"));
    let checked = run(&["check", "--verbose"]);
    assert!(checked.contains(" of search indexes"), "{checked}");
}

fn a_document_on_another_host_is_linked_to_by_its_whole_url() {
    const SEARCH: &str = "json = { results = \"{found}\" }\n\
                          [query.q]\nmax-length = 100\n\
                          [sources.found]\ncontent = \"texts/**\"\nsearch = \"{query.q}\"\n";
    let site = Site::start(&format!(
        "-- site.toml --\n[site]\nurl = \"https://example.com\"\n\
             -- routes/docs.toml --\npath = \"/docs/{{*page}}\"\ncontent = \"texts/docs\"\n\
             -- routes/blog.toml --\npath = \"/{{*page}}\"\nhost = [\"blog.example.com\", \"journal.example.com\"]\ncontent = \"texts/blog\"\n\
             -- routes/search.toml --\n{SEARCH}\
             -- routes/own-search.toml --\npath = \"/search\"\nhost = \"blog.example.com\"\n{SEARCH}\
             -- content/texts/docs/guide.md --\n# An anvil\n\n## Its weight\n\nVery heavy.\n\
             -- content/texts/blog/first.md --\n# A first text\n\n## Of weight\n\nAn anvil is heavy.\n"
    ));
    let links = |host: &str| {
        let answer = site.request("GET", "/search?q=heavy", &[("host", host)], b"");
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        let told: Value = serde_json::from_str(answer.text()).expect("JSON");
        let mut links: Vec<String> = told["results"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|found| found["link"].as_str().expect("a link").to_owned())
            .collect();
        links.sort();
        links
    };
    assert_eq!(links("example.com"), ["/docs/guide#its-weight", "https://blog.example.com/first#of-weight"]);
    assert_eq!(links("blog.example.com"), ["/first#of-weight", "https://example.com/docs/guide#its-weight"]);
}
