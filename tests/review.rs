//! One request, from its inputs to what is sent and kept, where a reader with a sceptical mind looked first.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::{Folder, Site, binary};

crate::cases!(
    a_rule_on_degraded_data_is_kept_by_nobody,
    the_layout_of_a_rule_has_its_sources,
    each_path_of_a_route_has_its_own_page,
    redirects_encode_their_query,
    a_null_in_a_written_query_leaves_the_other_values,
    a_refusal_never_redirects_to_another_host,
    a_forwarded_field_stands_in_place_of_the_upstreams,
    calls_that_carry_different_fields_are_not_shared,
    a_value_source_holds_no_secret,
    data_that_no_field_can_hold_is_an_error_of_the_source,
);

fn source(name: &str, url: &str, more: &str) -> String {
    format!("[sources.{name}]\nurl = \"{url}\"\nallow-private = true\n{more}\n")
}

fn a_rule_on_degraded_data_is_kept_by_nobody() {
    let upstream = FaultServer::start();
    let url = upstream.url("/status/500");
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/page.toml --\nlayout = \"page.html\"\n\
         rules = [{{ if = \"thing == nil\", then = {{ layout = \"none.html\", status = 200 }} }}]\n\
         cache = {{ s-maxage = \"1h\" }}\n{source}\
         -- routes/away.toml --\nlayout = \"page.html\"\n\
         rules = [{{ if = \"thing == nil\", then = {{ redirect = \"/page\" }} }}]\n\
         cache = {{ s-maxage = \"1h\" }}\n{source}\
         -- layouts/page.html --\n{{{{ thing.ok }}}}\n-- layouts/none.html --\nnone\n",
        source = source("thing", &url, "on-error = \"omit\"\nretries = 0"),
    ));
    for calls in 1..=2 {
        let response = site.get("/page");
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
        assert_eq!(upstream.calls("/status/500"), calls);
    }
    let response = site.get("/away");
    assert_eq!((response.status, response.header("cache-control")), (302, Some("no-store")));
}

fn the_layout_of_a_rule_has_its_sources() {
    let upstream = FaultServer::start();
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/page.toml --\npath = \"/page/{{id}}\"\nlayout = \"page.html\"\n\
         rules = [{{ if = \"params.id == 'old'\", then = {{ layout = \"old.html\", status = 410 }} }}]\n{}\
         -- layouts/page.html --\npage\n-- layouts/old.html --\n{{{{ thing.ok }}}}\n",
        source("thing", &upstream.url("/"), ""),
    ));
    let response = site.get("/page/old");
    assert_eq!((response.status, response.text().trim()), (410, "true"));
}

fn each_path_of_a_route_has_its_own_page() {
    let site = Site::start(
        "-- site.toml --\n-- routes/page.toml --\npath = [\"/one\", \"/two\"]\nlayout = \"page.html\"\n\
         cache = { s-maxage = \"1h\" }\n-- layouts/page.html --\n{{ page.path }} {{ page.url }}\n\
         -- routes/item.toml --\npath = [\"/items/{id}\", \"/i/{id}\", \"/named/{name}\"]\nlayout = \"page.html\"\n",
    );
    for path in ["/one", "/two", "/one", "/two"] {
        assert_eq!(site.get(path).text().trim(), format!("{path} /one"));
    }
    for (path, canonical) in [("/items/a%22", "/items/a%22"), ("/i/b%20c", "/items/b%20c"), ("/named/x", "/named/x")] {
        assert_eq!(site.get(path).text().trim(), format!("{path} {canonical}"));
    }
}

fn redirects_encode_their_query() {
    let site = Site::start(
        "-- site.toml --\n-- routes/find.toml --\nredirect = \"/search?all=1&q={query.q}#top\"\nquery.q = {}\n\
         -- routes/search.toml --\njson = {}\n",
    );
    for (target, location) in [
        ("/find?q=a/b%26c", "/search?all=1&q=a%2Fb%26c#top"),
        ("/find?q=..", "/search?all=1&q=..#top"),
        ("/find", "/search?all=1#top"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status, response.header("location")), (308, Some(location)), "{target}");
    }
}

fn a_null_in_a_written_query_leaves_the_other_values() {
    let upstream = FaultServer::start();
    upstream.put("/list", Reply::json("{}"));
    let url = upstream.url("/list?limit=5&tag={query.tag}&sort={query.sort}");
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/list.toml --\njson = \"{{list}}\"\nquery.tag = {{ repeat = true }}\nquery.sort = {{}}\n{}",
        source("list", &url, ""),
    ));
    for target in ["/list?tag=a&tag=b", "/list?sort=up"] {
        assert_eq!(site.get(target).status, 200, "{target}");
    }
    let sent: Vec<String> = upstream.requests("/list").into_iter().map(|request| request.target).collect();
    assert_eq!(sent, ["/list?limit=5&tag=a&tag=b", "/list?limit=5&sort=up"]);
}

fn a_refusal_never_redirects_to_another_host() {
    for (target, fine) in [("/login?for={params.id}", true), ("//{params.id}/login", false), ("{params.id}", false)] {
        let folder = Folder::new();
        folder.unpack(&format!(
            "-- site.toml --\n-- routes/me.toml --\npath = \"/me/{{id}}\"\njson = \"{{me}}\"\n\
             [sources.me]\nurl = \"https://api.example/me\"\nforward-cookies = [\"session\"]\n\
             on-unauthorized = {{ redirect = \"{target}\" }}\n-- routes/login.toml --\njson = {{}}\n",
        ));
        let output =
            binary().arg("check").arg("--config").arg(folder.path().join("site.toml")).output().expect("check");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), fine, "{target}: {text}");
    }
}

fn a_forwarded_field_stands_in_place_of_the_upstreams() {
    let upstream = FaultServer::start();
    let site = Site::start(&format!(
        "-- site.toml --\n[upstreams.shop]\nbase-url = \"{}\"\nallow-private = true\n\
         headers = {{ authorization = \"Bearer ours\" }}\n\
         -- routes/me.toml --\njson = \"{{me}}\"\n[sources.me]\nupstream = \"shop\"\npath = \"/echo\"\n\
         forward-headers = [\"authorization\"]\n",
        upstream.url(""),
    ));
    assert_eq!(site.request("GET", "/me", &[("Authorization", "Bearer mine")], b"").status, 200);
    assert_eq!(site.get("/me").status, 200);
    let sent = |request: &crate::support::fault::Request| {
        let values = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        values.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let calls: Vec<_> = upstream.requests("/echo").iter().map(sent).collect();
    assert_eq!(calls, [vec!["Bearer mine".to_owned()], vec![]]);
}

fn calls_that_carry_different_fields_are_not_shared() {
    let upstream = FaultServer::start();
    let route = |cache: &str, forward: &str| {
        format!("layout = \"page.html\"\n{cache}\n{}", source("thing", &upstream.url("/gate/g/echo"), forward))
    };
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/plain.toml --\n{}-- routes/kept.toml --\n{}-- routes/mine.toml --\n{}\
         -- layouts/page.html --\n{{{{ thing | json | raw }}}}\n",
        route("", "forward-headers = [\"x-tenant\"]"),
        route("cache = { s-maxage = \"1h\" }", "forward-headers = [\"x-tenant\"]"),
        route("", "forward-cookies = [\"session\"]"),
    ));
    let ask = |target: &'static str, who: &'static str| {
        let cookie = format!("session={who}");
        site.request("GET", target, &[("X-Tenant", who), ("Cookie", &cookie)], b"")
    };
    std::thread::scope(|scope| {
        let asked: Vec<_> = ["/plain", "/kept", "/mine"]
            .into_iter()
            .flat_map(|target| ["anna", "berta"].map(|who| (who, scope.spawn(move || ask(target, who)))))
            .collect();
        // Equal calls of two routes are one: two tenants, two sessions.
        upstream.wait_for("/gate/g/echo", 4);
        upstream.release("g");
        for (who, answer) in asked {
            let answer = answer.join().expect("an answer");
            let other = if who == "anna" { "berta" } else { "anna" };
            assert!(answer.text().contains(who) && !answer.text().contains(other), "{who}: {}", answer.text());
        }
    });
}

fn a_value_source_holds_no_secret() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n-- routes/page.toml --\njson = \"{thing.list}\"\n\
         [sources.thing]\nvalue = { list = [{ key = \"{env.KEY:none}\" }] }\n",
    );
    let output = binary().arg("check").arg("--config").arg(folder.path().join("site.toml")).output().expect("check");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("env/secret-out-of-place") && !output.status.success(), "{text}");
}

fn data_that_no_field_can_hold_is_an_error_of_the_source() {
    let upstream = FaultServer::start();
    upstream.put("/first", Reply::json("{\"key\":\"a\\nb\"}"));
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/page.toml --\njson = \"{{second}}\"\n{}{}",
        source("first", &upstream.url("/first"), ""),
        source("second", &upstream.url("/second"), "headers = { x-key = \"{first.key}\" }"),
    ));
    assert_eq!(site.get("/page").status, 502);
    assert_eq!(upstream.calls("/second"), 0);
}
