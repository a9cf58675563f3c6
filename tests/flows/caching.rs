//! What `[cache]` comes to: the fields that are sent, what the store keeps and for how long, what networks are told.

use super::{archive, site, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, Response};
use crate::support::site::{Options, Site};
use serde_json::{Value, json};

crate::cases!(
    directives_are_sent_as_they_are_declared,
    a_profile_is_a_policy_by_name,
    what_is_for_the_server_alone_is_not_sent,
    networks_are_told_in_a_field_of_their_own,
    tags_are_sent_and_purged_by,
    what_nobody_may_keep_has_no_tags,
    a_404_is_kept_as_long_as_is_declared,
    a_404_of_values_that_do_not_fit_is_kept_downstream,
    a_404_for_want_of_data_is_not_kept,
    a_page_that_lacks_data_is_kept_by_the_store_alone,
    a_page_that_lacks_data_does_not_take_the_place_of_a_good_one,
    a_lifetime_is_what_the_sources_leave,
    the_lifetime_of_a_route_that_is_asked_counts,
    a_chosen_variant_is_kept_from_the_way,
    a_redirect_that_a_rule_decides_is_told_of_like_a_page,
    what_is_kept_is_sent_with_unchanged_directives,
);

fn json(fault: &FaultServer, path: &str, body: &str) {
    fault.put(path, Reply::json(body));
}

/// The one value of a field.
fn field<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    let lines = response.headers(name);
    assert!(lines.len() < 2, "{name}: {lines:?}");
    lines.first().copied()
}

fn cache_control(response: &Response) -> &str {
    field(response, "cache-control").unwrap_or_default()
}

fn is_hit(response: &Response) -> bool {
    response
        .header("cache-status")
        .is_some_and(|status| status.starts_with("siteserver; hit; ttl=") && !status.contains("ttl=-"))
}

/// A page without sources for each `[cache]`, by its number.
fn pages(policies: &[&str]) -> String {
    let page = |(at, policy): (usize, &&str)| format!("-- routes/p{at}.toml --\njson = {{ n = {at} }}\n{policy}\n");
    policies.iter().enumerate().map(page).collect()
}

fn directives_are_sent_as_they_are_declared() {
    let fault = FaultServer::start();
    let cases = [
        ("[cache]\ns-maxage = \"10s\"", "public, max-age=0, s-maxage=10", true),
        ("[cache]\nmax-age = \"1h\"\nno-transform = true", "no-transform, max-age=3600", true),
        (
            "[cache]\npublic = true\nmax-age = \"1h\"\nmust-revalidate = true",
            "public, must-revalidate, max-age=3600",
            true,
        ),
        ("[cache]\nmax-age = \"0s\"\nstale-if-error = \"1h\"", "max-age=0, stale-if-error=3600", false),
        ("[cache]\nprivate = true\nmax-age = \"1m\"", "private, max-age=60", false),
        ("[cache]\nno-store = true", "no-store", false),
        ("[cache]\nno-cache = true", "no-cache", false),
        ("", "no-cache", false),
    ];
    let site = site(&fault, &pages(&cases.map(|(policy, ..)| policy)));
    for (at, (policy, sent, is_fresh)) in cases.iter().enumerate() {
        let target = format!("/p{at}");
        let first = site.get(&target);
        assert_eq!((first.status, cache_control(&first), first.header("age")), (200, *sent, None), "{policy}");
        let second = site.get(&target);
        assert_eq!((cache_control(&second), is_hit(&second)), (*sent, *is_fresh), "{policy}");
        assert_eq!(second.header("age").is_some(), *is_fresh, "{policy}");
    }
}

fn a_profile_is_a_policy_by_name() {
    let fault = FaultServer::start();
    let files = pages(&[
        "cache = \"hours\"",
        "cache = \"news\"",
        "[cache]\nprofile = \"news\"\nmax-age = \"5s\"\nstale-while-revalidate = false",
        "",
        "cache = false",
        "cache = \"days\"",
    ]);
    let address = fault.address();
    let site = Options::default().start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\n[cache-profiles.news]\ns-maxage = \"30s\"\nstale-while-revalidate = \"10m\"\n[cache-profiles.days]\nmax-age = \"1d\"\n[defaults]\ncache = \"minutes\"\n{files}"
    ));
    for (target, sent) in [
        ("/p0", "public, max-age=0, s-maxage=3600, stale-while-revalidate=82800"),
        ("/p1", "public, max-age=0, s-maxage=30, stale-while-revalidate=600"),
        ("/p2", "public, max-age=5, s-maxage=30"),
        ("/p3", "public, max-age=0, s-maxage=60, stale-while-revalidate=3540"),
        ("/p4", "no-cache"),
        ("/p5", "max-age=86400"),
    ] {
        assert_eq!(cache_control(&site.get(target)), sent, "{target}");
    }
}

fn what_is_for_the_server_alone_is_not_sent() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &pages(&[
            "[cache.server]\nmax-age = \"1h\"",
            "[cache]\nno-store = true\n[cache.server]\ns-maxage = \"1h\"",
            "[cache]\ns-maxage = \"1h\"\n[cache.server]\nno-store = true",
            "[cache]\ns-maxage = \"1h\"\n[cache.server]\nmax-age = \"0s\"\nstale-while-revalidate = \"1h\"",
        ]),
    );
    for (target, sent, is_fresh) in [
        ("/p0", "no-cache", true),
        ("/p1", "no-store", true),
        ("/p2", "public, max-age=0, s-maxage=3600", false),
        ("/p3", "public, max-age=0, s-maxage=3600", false),
    ] {
        site.get(target);
        let second = site.get(target);
        assert_eq!((cache_control(&second), is_hit(&second)), (sent, is_fresh), "{target}");
        assert_eq!(field(&second, "cdn-cache-control"), None, "{target}");
    }
    // Stale at once, and served while it is made anew.
    assert!(site.get("/p3").header("age").is_some());
    assert_eq!(site.get("/p2").header("age"), None);
}

fn networks_are_told_in_a_field_of_their_own() {
    let fault = FaultServer::start();
    json(&fault, "/it", "{\"n\": 1}");
    let policy =
        "[cache]\nmax-age = \"5s\"\n[cache.cdn]\nmax-age = \"1h\"\nstale-if-error = \"1d\"\nmust-revalidate = false\n";
    let source = "[sources.a]\nupstream = \"up\"\npath = \"/it\"\noptional = true\n";
    let files = format!(
        "-- routes/page.toml --\njson = \"{{a}}\"\n{source}{policy}-- routes/assets.toml --\npath = \"/assets/{{*file}}\"\nfiles = \"assets\"\n{policy}-- content/assets/a.txt --\na\n-- routes/old.toml --\nredirect = \"/page\"\n{policy}"
    );
    let site = site(&fault, &files);
    for target in ["/page", "/page", "/assets/a.txt", "/old"] {
        let response = site.get(target);
        assert_eq!(field(&response, "cdn-cache-control"), Some("max-age=3600, stale-if-error=86400"), "{target}");
        assert_eq!(cache_control(&response), "max-age=5", "{target}");
    }
    let tag = site.get("/page").header("etag").unwrap().to_owned();
    let unchanged = site.request("GET", "/page", &[("if-none-match", &tag)], b"");
    assert_eq!(unchanged.status, 304);
    assert_eq!(field(&unchanged, "cdn-cache-control"), Some("max-age=3600, stale-if-error=86400"));
    // What nobody may keep is not for networks either: they would obey their own field.
    let missing = site.get("/assets/none.txt");
    assert_eq!(
        (missing.status, cache_control(&missing), field(&missing, "cdn-cache-control")),
        (404, "no-store", None)
    );
    fault.put("/it", Reply::json("{}").status(500));
    let degraded = until(&site, "/page", |response| response.text().trim() == "null");
    assert_eq!((cache_control(&degraded), field(&degraded, "cdn-cache-control")), ("no-store", None));
}

/// A site with an admin listener, whose tags are sent.
fn tagged(fault: &FaultServer) -> Site {
    Options::default().set("admin.listen=127.0.0.1:0").start(&archive(
        fault,
        "-- routes/shop.toml --\npath = \"/shops/{id}\"\njson = \"{shop}\"\n[sources.shop]\nupstream = \"up\"\npath = \"/shop\"\n[cache]\ns-maxage = \"1h\"\ntags = [\"shops\", \"shop:{params.id}\", \"{shop.kinds}\", \"owner:{shop.owner}\"]\n[cache.cdn]\ntag-header = \"Cache-Tag\"\n-- routes/fixed.toml --\njson = { a = 1 }\n[cache]\ns-maxage = \"1h\"\ntags = [\"a b\"]\n[cache.cdn]\nmax-age = \"1h\"\ntag-header = \"Surrogate-Key\"\n",
    ))
}

fn purged(site: &Site, tag: &str) -> Value {
    let line = site.wait_for_message(|line| line.contains("admin on "));
    let address = line.split_once("admin on http://").expect("an address").1.trim().parse().expect("an address");
    let body = json!({ "tags": [tag] }).to_string();
    Connection::open(address).request("POST", "/purge", &[], body.as_bytes()).json()["entries"].clone()
}

fn tags_are_sent_and_purged_by() {
    let fault = FaultServer::start();
    json(&fault, "/shop", "{\"kinds\": [\"kind:a\", \"kind:b,c\", null], \"owner\": null}");
    let site = tagged(&fault);
    for target in ["/shops/1", "/shops/1", "/shops/2"] {
        let response = site.get(target);
        let mut tags: Vec<&str> = field(&response, "cache-tag").expect("tags").split(',').collect();
        tags.sort_unstable();
        let (path, own) = (format!("path:{target}"), format!("shop:{}", &target[7..]));
        let mut expected =
            vec!["kind:a", "kind:b%2Cc", &path, "route:shop.toml", &own, "shops", "source:shop", "upstream:up"];
        expected.sort_unstable();
        assert_eq!(tags, expected, "{target}");
    }
    let keys = site.get("/fixed");
    let mut keys: Vec<&str> = field(&keys, "surrogate-key").expect("keys").split(' ').collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a%20b", "path:/fixed", "route:fixed.toml"]);
    assert_eq!(purged(&site, "shop:1"), 1);
    assert!(!is_hit(&site.get("/shops/1")) && is_hit(&site.get("/shops/2")));
    assert_eq!(purged(&site, "kind:b,c"), 2);
    assert_eq!(purged(&site, "a b"), 1);
    assert_eq!(purged(&site, "owner:"), 0);
    assert!(!is_hit(&site.get("/shops/2")));
    assert_eq!(purged(&site, "shops"), 1);
}

fn what_nobody_may_keep_has_no_tags() {
    let fault = FaultServer::start();
    fault.put("/shop", Reply::json("{}").status(500));
    let site = tagged(&fault);
    for target in ["/shops/1", "/nothing"] {
        let response = site.get(target);
        assert_eq!((cache_control(&response), field(&response, "cache-tag")), ("no-store", None), "{target}");
    }
}

const ABSENT: &str = "-- routes/item.toml --\npath = \"/items/{id}\"\njson = \"{a.n}\"\n[params.id]\ntype = \"int\"\n[sources.a]\nupstream = \"up\"\npath = \"/item/{params.id}\"\n[sources.b]\nupstream = \"up\"\npath = \"/b\"\noptional = true\n[[rules]]\nif = \"b == nil\"\nthen = { status = 404 }\n[cache]\ns-maxage = \"1h\"\nnot-found = \"1m\"\n[cache.cdn]\nmax-age = \"2h\"\ntag-header = \"Cache-Tag\"\n";

fn a_404_is_kept_as_long_as_is_declared() {
    let fault = FaultServer::start();
    fault.put("/item/1", Reply::json("{}").status(404));
    json(&fault, "/b", "1");
    let site = site(&fault, ABSENT);
    let first = site.get("/items/1");
    assert_eq!((first.status, cache_control(&first)), (404, "public, max-age=0, s-maxage=60"));
    assert_eq!(first.header("cache-status"), Some("siteserver; fwd=uri-miss; stored"));
    assert_eq!((first.header("age"), field(&first, "cdn-cache-control")), (None, None));
    assert!(field(&first, "cache-tag").is_some_and(|tags| tags.contains("path:/items/1")), "{:?}", first.headers);
    let second = site.get("/items/1");
    assert_eq!((second.status, cache_control(&second), is_hit(&second)), (404, "public, max-age=0, s-maxage=60", true));
    assert!(second.header("age").is_some() && field(&second, "cache-tag").is_some());
    assert_ne!(first.json()["id"], second.json()["id"], "each has an id of its own");
    let head = site.request("HEAD", "/items/1", &[], b"");
    assert_eq!((head.status, head.text(), is_hit(&head)), (404, "", true));
    assert_eq!(fault.calls("/item/1"), 1);
    json(&fault, "/item/2", "{\"n\": 2}");
    assert_eq!(cache_control(&site.get("/items/2")), "public, max-age=0, s-maxage=3600");
    assert!(is_hit(&site.get("/items/2")));
}

fn a_404_of_values_that_do_not_fit_is_kept_downstream() {
    let fault = FaultServer::start();
    let site = site(&fault, ABSENT);
    let misfit = site.get("/items/x");
    assert_eq!((misfit.status, cache_control(&misfit)), (404, "public, max-age=0, s-maxage=60"));
    assert_eq!(cache_control(&site.get("/nothing")), "no-store");
    assert_eq!(fault.total_calls(), 0);
}

/// It may be there, for all that is known.
fn a_404_for_want_of_data_is_not_kept() {
    let fault = FaultServer::start();
    json(&fault, "/item/1", "{\"n\": 1}");
    fault.put("/b", Reply::json("{}").status(500));
    let site = site(&fault, ABSENT);
    for _ in 0..2 {
        let response = site.get("/items/1");
        assert_eq!((response.status, cache_control(&response), is_hit(&response)), (404, "no-store", false));
        assert_eq!(field(&response, "cache-tag"), None);
    }
    json(&fault, "/b", "1");
    assert_eq!(site.get("/items/1").text().trim(), "1");
}

fn degradable(cache: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = {{ n = \"{{a.n}}\" }}\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\noptional = true\n[cache]\n{cache}\n"
    )
}

fn a_page_that_lacks_data_is_kept_by_the_store_alone() {
    let fault = FaultServer::start();
    let site = site(&fault, &degradable("s-maxage = \"1h\"\ndegraded = \"1h\""));
    fault.put("/a", Reply::json("{}").status(500));
    for is_kept in [false, true, true] {
        let response = site.get("/");
        assert_eq!((response.text().trim(), cache_control(&response)), ("{\"n\":null}", "no-store"));
        assert_eq!((is_hit(&response), response.header("age").is_some()), (is_kept, is_kept));
    }
    assert_eq!(fault.calls("/a"), 1);
    // Without it nobody keeps it.
    let other = super::site(&fault, &degradable("s-maxage = \"1h\""));
    for _ in 0..2 {
        assert!(!is_hit(&other.get("/")));
    }
    assert_eq!(fault.calls("/a"), 3);
}

fn a_page_that_lacks_data_does_not_take_the_place_of_a_good_one() {
    let fault = FaultServer::start();
    let site = site(&fault, &degradable("s-maxage = \"1s\"\nstale-while-revalidate = \"1h\"\ndegraded = \"1s\""));
    json(&fault, "/a", "{\"n\": 1}");
    assert_eq!(site.get("/").text().trim(), "{\"n\":1}");
    fault.put("/a", Reply::json("{}").status(500));
    until(&site, "/", |response| {
        assert_eq!(response.text().trim(), "{\"n\":1}", "the good one is still to be had");
        fault.calls("/a") >= 3
    });
    json(&fault, "/a", "{\"n\": 2}");
    until(&site, "/", |response| response.text().trim() == "{\"n\":2}");
}

const AUTO: &str = "-- routes/index.toml --\njson = { a = \"{a}\", b = \"{b}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\n[sources.b]\nupstream = \"up\"\npath = \"/b\"\n[cache]\ns-maxage = \"auto\"\n[cache.cdn]\ns-maxage = \"auto\"\n";

/// What a field says after `s-maxage=`.
fn s_maxage(value: &str) -> u64 {
    let (_, rest) = value.split_once("s-maxage=").unwrap_or_else(|| panic!("no s-maxage: {value}"));
    rest.split(',').next().unwrap().parse().unwrap()
}

fn a_lifetime_is_what_the_sources_leave() {
    for (a, b, expected) in [
        ("max-age=500", "max-age=900", 490..=500),
        ("max-age=900", "max-age=500, s-maxage=300", 290..=300),
        ("max-age=500", "no-store", 0..=0),
        ("max-age=500", "private, max-age=500", 0..=0),
        ("max-age=500", "public", 0..=0),
    ] {
        let fault = FaultServer::start();
        fault.put("/a", Reply::json("1").header("cache-control", a));
        fault.put("/b", Reply::json("2").header("cache-control", b));
        let site = site(&fault, AUTO);
        let first = site.get("/");
        let lifetime = s_maxage(cache_control(&first));
        assert!(expected.contains(&lifetime), "{a} / {b}: {}", cache_control(&first));
        assert_eq!(s_maxage(field(&first, "cdn-cache-control").unwrap()), lifetime, "{a} / {b}");
        assert!(cache_control(&first).starts_with("public, max-age=0, s-maxage="));
        let second = site.get("/");
        assert_eq!(is_hit(&second), lifetime > 0, "{a} / {b}");
        if lifetime > 0 {
            assert_eq!(cache_control(&second), cache_control(&first), "as it was when it was made");
            assert_eq!(fault.calls("/a"), 1);
        } else {
            assert_eq!(fault.calls("/a"), 2);
        }
    }
    let fault = FaultServer::start();
    fault.put("/a", Reply::json("1").header("cache-control", "max-age=500").header("age", "200"));
    fault.put("/b", Reply::json("2").header("cache-control", "max-age=900"));
    let lifetime = s_maxage(cache_control(&site(&fault, AUTO).get("/")));
    assert!((290..=300).contains(&lifetime), "{lifetime}");
}

fn the_lifetime_of_a_route_that_is_asked_counts() {
    let fault = FaultServer::start();
    fault.put("/a", Reply::json("1").header("cache-control", "max-age=500"));
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = { a = \"{a}\" }\n[sources.a]\nroute = \"/api\"\n[cache]\ns-maxage = \"auto\"\n-- routes/other.toml --\njson = { a = \"{a}\" }\n[sources.a]\nroute = \"/kept\"\n[cache]\ns-maxage = \"auto\"\n-- routes/api.toml --\njson = { n = \"{a}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\n-- routes/kept.toml --\njson = { n = \"{a}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\n[cache]\ns-maxage = \"100s\"\n",
    );
    let lifetime = s_maxage(cache_control(&site.get("/")));
    assert!((480..=500).contains(&lifetime), "its sources: {lifetime}");
    for _ in 0..2 {
        let lifetime = s_maxage(cache_control(&site.get("/other")));
        assert!((70..=100).contains(&lifetime), "its own: {lifetime}");
    }
}

fn a_chosen_variant_is_kept_from_the_way() {
    let fault = FaultServer::start();
    fault.put("/none", Reply::json("{}").status(404));
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = { t = \"{cookies.theme}\" }\n[cookies.theme]\nenum = [\"light\", \"dark\"]\ndefault = \"light\"\n[cache]\ns-maxage = \"1h\"\n[cache.cdn]\nmax-age = \"1h\"\ntag-header = \"Cache-Tag\"\n-- routes/none.toml --\njson = { t = \"{cookies.theme}\", a = \"{a}\" }\n[cookies.theme]\nenum = [\"light\", \"dark\"]\n[sources.a]\nupstream = \"up\"\npath = \"/none\"\n[cache]\ns-maxage = \"1h\"\nnot-found = \"1h\"\n",
    );
    for (target, status) in [("/", 200), ("/none", 404)] {
        for theme in ["theme=light", "theme=dark"] {
            let ask = || site.request("GET", target, &[("cookie", theme)], b"");
            assert!(!is_hit(&ask()), "{target} {theme}: a copy for each");
            let kept = ask();
            assert_eq!(
                (kept.status, cache_control(&kept), is_hit(&kept)),
                (status, "private, no-cache", true),
                "{target}"
            );
            assert_eq!((field(&kept, "cdn-cache-control"), field(&kept, "cache-tag")), (None, None), "{target}");
            assert!(kept.headers("vary").join(", ").contains("cookie"), "{target}: {:?}", kept.headers);
        }
    }
}

/// Also where our own store keeps nothing.
fn a_redirect_that_a_rule_decides_is_told_of_like_a_page() {
    let fault = FaultServer::start();
    json(&fault, "/it/1", "{\"old\": true}");
    json(&fault, "/it/2", "{\"old\": false}");
    fault.put("/it/3", Reply::json("{}").status(500));
    let site = site(
        &fault,
        "-- routes/it.toml --\npath = \"/its/{id}\"\njson = \"{a.old}\"\n[sources.a]\nupstream = \"up\"\npath = \"/it/{params.id}\"\noptional = true\n[[rules]]\nif = \"a == nil or a.old\"\nthen = { redirect = \"/new/{params.id}\" }\n[cache.cdn]\nmax-age = \"1h\"\ntag-header = \"Surrogate-Key\"\n",
    );
    for (id, status) in [("1", 302), ("2", 200)] {
        let response = site.get(&format!("/its/{id}"));
        assert_eq!((response.status, cache_control(&response)), (status, "no-cache"), "{id}");
        assert_eq!(field(&response, "cdn-cache-control"), Some("max-age=3600"), "{id}");
        let keys = field(&response, "surrogate-key").expect("keys");
        for tag in [format!("path:/its/{id}"), format!("source:a?id={id}"), "route:it.toml".to_owned()] {
            assert!(keys.split(' ').any(|key| key == tag), "{tag}: {keys}");
        }
        assert_eq!(response.header("cache-status"), None, "{id}");
    }
    let lacking = site.get("/its/3");
    assert_eq!((lacking.status, cache_control(&lacking)), (302, "no-store"));
    assert_eq!((field(&lacking, "cdn-cache-control"), field(&lacking, "surrogate-key")), (None, None));
}

fn what_is_kept_is_sent_with_unchanged_directives() {
    let fault = FaultServer::start();
    let site = site(&fault, &pages(&["[cache]\ns-maxage = \"1h\"\n[cache.cdn]\nmax-age = \"2h\""]));
    until(&site, "/p0", |response| {
        assert_eq!(cache_control(response), "public, max-age=0, s-maxage=3600");
        assert_eq!(field(response, "cdn-cache-control"), Some("max-age=7200"));
        response.header("age").is_some_and(|age| age != "0")
    });
}
