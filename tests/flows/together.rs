//! What a page has in common with the routes that it asks: stored answers, calls, and its line in the access log.

use super::{site, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::Site;
use serde_json::{Value, json};

crate::cases!(
    a_stored_answer_is_as_good_for_a_page_as_for_a_visitor,
    a_stored_answer_is_that_of_the_same_inputs,
    what_was_markup_is_markup_when_it_was_stored,
    a_cold_answer_is_made_once_for_visitors_and_pages,
    an_answer_outlives_the_page_that_asked_for_it,
    a_persons_address_is_never_stored,
    a_persons_call_is_made_once_for_a_page_and_all_that_it_asks,
    a_call_is_made_once_for_a_page_and_a_stored_route,
    an_impatient_route_breaks_off_nobody_elses_call,
    a_stale_answer_stands_for_an_error,
    what_is_kept_of_what_is_not_there_or_lacking_is_asked_no_upstream,
    the_log_names_the_calls_of_asked_routes,
);

/// A route that counts its calls, and keeps its answers.
const COUNTED: &str = "-- routes/api/n.toml --\npath = \"/api/n/{id}\"\njson = { id = \"{params.id}\", count = \"{a.count}\" }\ncache = { s-maxage = \"1h\" }\n\
     [sources.a]\nupstream = \"up\"\npath = \"/{params.id}/count\"\n";

fn cache_status(response: &crate::support::http::Response) -> &str {
    response.header("cache-status").unwrap_or_default()
}

fn a_stored_answer_is_as_good_for_a_page_as_for_a_visitor() {
    let fault = FaultServer::start();
    for id in ["1", "2"] {
        fault.put(&format!("/{id}/count"), Reply::json(format!("{{\"count\":{id}}}")));
    }
    let site = site(
        &fault,
        &format!(
            "{COUNTED}-- routes/index.toml --\njson = \"{{n}}\"\n[query.id]\ndefault = \"1\"\n[sources.n]\nroute = \"/api/n/{{query.id}}\"\n"
        ),
    );
    assert_eq!(site.get("/api/n/1").json(), json!({ "id": "1", "count": 1 }));
    for _ in 0..3 {
        assert_eq!(site.get("/").json(), json!({ "id": "1", "count": 1 }));
    }
    assert_eq!(fault.total_calls(), 1, "what a visitor has seen");
    for _ in 0..3 {
        assert_eq!(site.get("/?id=2").json(), json!({ "id": "2", "count": 2 }));
    }
    assert_eq!(fault.total_calls(), 2, "what a page has asked for");
    let seen = site.get("/api/n/2");
    assert_eq!(seen.json(), json!({ "id": "2", "count": 2 }));
    assert!(cache_status(&seen).contains("hit"), "{seen:?}");
    assert_eq!(fault.total_calls(), 2);
}

/// Everything that the route reads of a visitor's request is read of it when a page asks, too.
fn a_stored_answer_is_that_of_the_same_inputs() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\npath = \"/inner/{id}\"\ncache = { s-maxage = \"1h\" }\n\
         json = [\"{params.id}\", \"{query.q}\", \"{cookies.theme}\", \"{request.headers.accept-language}\", \"{a.headers.x-more}\"]\n\
         [query.q]\n[cookies.theme]\nenum = [\"dark\", \"light\"]\ndefault = \"light\"\n\
         [sources.a]\nupstream = \"up\"\npath = \"/echo\"\nforward-headers = [\"x-more\"]\n\
         -- routes/index.toml --\njson = \"{inner}\"\n[query.id]\n[query.q]\n[sources.inner]\nroute = \"/inner/{query.id}\"\nquery = { q = \"{query.q}\" }\n",
    );
    for _ in 0..2 {
        for id in ["a", "b"] {
            for q in ["c", "d"] {
                for theme in ["dark", "light"] {
                    for language in ["en", "de"] {
                        for more in ["e", "f"] {
                            let cookie = format!("theme={theme}");
                            let headers = [("cookie", &*cookie), ("accept-language", language), ("x-more", more)];
                            let expected = json!([id, q, theme, language, more]);
                            let page = site.request("GET", &format!("/?id={id}&q={q}&other=1"), &headers, b"");
                            assert_eq!(page.json(), expected);
                            let own = site.request("GET", &format!("/inner/{id}?q={q}"), &headers, b"");
                            assert_eq!(own.json(), expected);
                            assert!(cache_status(&own).contains("hit"), "{own:?}");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(fault.total_calls(), 32);
}

fn what_was_markup_is_markup_when_it_was_stored() {
    let fault = FaultServer::start();
    fault.put("/it", Reply::json(r#"{"html":"<b>bold</b>","text":"<b>not</b>","gone":null}"#));
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = { html = \"{a.html}\", text = \"{a.text}\", gone = \"{a.gone}\" }\ncache = { s-maxage = \"1h\" }\n\
         [sources.a]\nupstream = \"up\"\npath = \"/it\"\nextract.html = { select = \"$.html\", type = \"html\" }\nextract.text = \"$.text\"\nextract.gone = \"$.gone\"\n\
         -- routes/index.toml --\nlayout = \"page.html\"\n[sources.inner]\nroute = \"/inner\"\n\
         -- layouts/page.html --\n{{ inner.html }} {{ inner.text }} {{ inner.gone }}|\n",
    );
    for _ in 0..2 {
        assert_eq!(site.get("/").text().trim(), "<b>bold</b> &lt;b&gt;not&lt;/b&gt; |");
    }
    assert_eq!(fault.total_calls(), 1);
}

/// A second source, different for each page, shows when a page has begun: sources start in the order of their names.
fn a_cold_answer_is_made_once_for_visitors_and_pages() {
    const CLIENTS: usize = 20;
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = \"{a.count}\"\ncache = { s-maxage = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/gate/cold/count\"\n\
         -- routes/index.toml --\njson = [\"{a}\", \"{b.query.client}\"]\n[query.client]\n[sources.a]\nroute = \"/inner\"\n\
         [sources.b]\nupstream = \"up\"\npath = \"/echo\"\nquery = { client = \"{query.client}\" }\n",
    );
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| site.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        let target = if at % 2 == 0 { "/inner".to_owned() } else { format!("/?client={at}") };
        client.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).unwrap();
    }
    fault.wait_for("/echo", CLIENTS / 2);
    fault.wait_for("/gate/cold/count", 1);
    fault.release("cold");
    for (at, client) in clients.iter_mut().enumerate() {
        let expected = if at % 2 == 0 { json!(1) } else { json!([1, at.to_string()]) };
        assert_eq!(client.response().unwrap().json(), expected);
    }
    assert_eq!(fault.calls("/gate/cold/count"), 1);
    assert_eq!(site.get("/inner").json(), json!(1));
}

/// It is made for all who want it: the visitor who began it may leave.
fn an_answer_outlives_the_page_that_asked_for_it() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = \"{a.count}\"\ncache = { s-maxage = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/gate/kept/count\"\n\
         -- routes/index.toml --\njson = [\"{a}\", \"{query.q}\"]\n[query.q]\n[sources.a]\nroute = \"/inner\"\n",
    );
    let mut first = site.connect();
    first.send(b"GET /?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/kept/count", 1);
    drop(first);
    fault.release("kept");
    let kept = until(&site, "/inner", |response| cache_status(response).contains("hit"));
    assert_eq!(kept.json(), json!(1));
    assert_eq!(site.get("/?q=2").json(), json!([1, "2"]));
    assert_eq!(fault.total_calls(), 1);
}

/// Otherwise the store would tell others which pages a person has seen.
fn a_persons_address_is_never_stored() {
    let fault = FaultServer::start();
    fault.put("/7/count", Reply::json(r#"{"count":70}"#));
    fault.put("/me", Reply::json(r#"{"id":"7"}"#));
    let site = site(
        &fault,
        &format!(
            "{COUNTED}-- routes/mine.toml --\njson = \"{{n.count}}\"\n[sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\n\
             [sources.n]\nroute = \"/api/n/{{me.id}}\"\n"
        ),
    );
    let mine = || site.request("GET", "/mine", &[("cookie", "session=a")], b"");
    for round in 1..=2 {
        let page = mine();
        assert_eq!((page.json(), page.header("cache-control")), (json!(70), Some("private, no-store")));
        assert_eq!(fault.calls("/7/count"), round);
    }
    let seen = site.get("/api/n/7");
    assert!(cache_status(&seen).contains("fwd"), "nobody else had asked: {seen:?}");
    assert_eq!(fault.calls("/7/count"), 3);
    assert_eq!(mine().json(), json!(70));
    assert_eq!(fault.calls("/7/count"), 3, "what anybody may know is taken from the store");
}

fn a_persons_call_is_made_once_for_a_page_and_all_that_it_asks() {
    const ME: &str = "upstream = \"up\"\npath = \"/echo\"\nforward-cookies = [\"session\"]\n";
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "-- routes/cart.toml --\njson = \"{{me.headers.cookie}}\"\n[sources.me]\n{ME}\
             -- routes/orders.toml --\njson = [\"{{me.headers.cookie}}\", \"{{cart}}\"]\n[sources.me]\n{ME}[sources.cart]\nroute = \"/cart\"\n\
             -- routes/index.toml --\njson = [\"{{a}}\", \"{{b}}\", \"{{z.headers.cookie}}\"]\n\
             [sources.a]\nroute = \"/cart\"\n[sources.b]\nroute = \"/orders\"\n[sources.z]\n{ME}"
        ),
    );
    for (round, person) in ["ada", "grace", "ada"].into_iter().enumerate() {
        let cookie = format!("session={person}");
        let page = site.request("GET", "/", &[("cookie", &cookie)], b"");
        assert_eq!(page.json(), json!([cookie, [cookie, cookie], cookie]));
        assert_eq!(page.header("cache-control"), Some("private, no-store"));
        assert_eq!(fault.total_calls(), round + 1, "one call for each page, and none is kept for the next");
    }
}

/// The page calls first, then asks, then calls again: the route is filled for everybody, and still with the same call.
fn a_call_is_made_once_for_a_page_and_a_stored_route() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\npath = \"/inner/{n}\"\njson = [\"{a.count}\", \"{params.n}\"]\ncache = { s-maxage = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/count\"\n\
         -- routes/index.toml --\njson = [\"{first.count}\", \"{inner}\", \"{last.count}\"]\n[query.q]\n\
         [sources.first]\nupstream = \"up\"\npath = \"/count\"\n[sources.inner]\nroute = \"/inner/{first.count}\"\n\
         [sources.last]\nupstream = \"up\"\npath = \"/{last_path.is}\"\n[sources.last_path]\nvalue = { is = \"count\", after = \"{inner}\" }\n",
    );
    assert_eq!(site.get("/?q=1").json(), json!([1, [1, "1"], 1]));
    assert_eq!(fault.total_calls(), 1);
    assert!(cache_status(&site.get("/inner/1")).contains("hit"));
    assert_eq!(site.get("/?q=2").json(), json!([2, [2, "2"], 2]), "each page calls for itself");
}

/// `late` runs once the impatient route has given up: only then is the call answered.
fn an_impatient_route_breaks_off_nobody_elses_call() {
    const ME: &str = "upstream = \"up\"\npath = \"/gate/me/echo\"\nforward-cookies = [\"session\"]\n";
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "-- routes/inner.toml --\ndeadline = \"200ms\"\njson = \"{{me.headers.cookie}}\"\n[sources.me]\n{ME}\
             -- routes/index.toml --\njson = [\"{{a}}\", \"{{z.headers.cookie}}\", \"{{late.query.a}}\"]\n[sources.a]\nroute = \"/inner\"\noptional = true\n\
             [sources.z]\n{ME}[sources.late]\nupstream = \"up\"\npath = \"/echo\"\nquery = {{ a = \"{{a}}\", b = \"x\" }}\n"
        ),
    );
    let mut client = site.connect();
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: session=ada\r\n\r\n").unwrap();
    fault.wait_for("/echo", 1);
    assert_eq!(fault.calls("/gate/me/echo"), 1, "both wait for the same call");
    fault.release("me");
    assert_eq!(client.response().unwrap().json(), json!([null, "session=ada", null]));
    assert_eq!(fault.total_calls(), 2);
}

fn a_stale_answer_stands_for_an_error() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = { a = \"{a.total}\" }\ncache = { s-maxage = \"1s\", stale-if-error = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/it\"\n\
         -- routes/index.toml --\nlayout = \"page.html\"\ncache = { s-maxage = \"1s\" }\n[sources.inner]\nroute = \"/inner\"\n\
         -- layouts/page.html --\n{{ inner.a }}[{{ degraded | join: \" \" }}]\n",
    );
    fault.put("/it", Reply::json("{\"total\":5}"));
    assert_eq!(site.get("/").text().trim(), "5[]");
    fault.put("/it", Reply::json("{}").status(500));
    let page = until(&site, "/", |response| {
        assert_eq!((response.status, response.text().starts_with('5')), (200, true), "{}", response.text());
        response.text().trim() != "5[]"
    });
    assert_eq!((page.text().trim(), page.header("cache-control")), ("5[inner]", Some("no-store")));
    fault.put("/it", Reply::json("{\"total\":6}"));
    assert_eq!(until(&site, "/", |response| response.text().trim() != "5[inner]").text().trim(), "6[]");
}

/// As for a visitor who asks: a 404 that is stored, and an answer that lacks data and is kept all the same.
fn what_is_kept_of_what_is_not_there_or_lacking_is_asked_no_upstream() {
    let fault = FaultServer::start();
    let site = super::admin::options().start(&super::archive(
        &fault,
        "-- routes/absent.toml --\npath = \"/absent/{id}\"\njson = { a = \"{a.total}\" }\ncache = { s-maxage = \"1h\", not-found = \"1h\" }\n\
         [sources.a]\nupstream = \"up\"\npath = \"/status/404\"\n\
         -- routes/lacking.toml --\njson = { a = \"{a.total}\", b = 1 }\ncache = { s-maxage = \"1h\", degraded = \"1h\" }\n\
         [sources.a]\nupstream = \"up\"\npath = \"/status/503\"\noptional = true\n\
         -- routes/page.toml --\npath = \"/page/{id}\"\nlayout = \"page.html\"\n[sources.absent]\nroute = \"/absent/{params.id}\"\noptional = true\n\
         [sources.lacking]\nroute = \"/lacking\"\n\
         -- routes/kept.toml --\njson = { absent = \"{absent}\" }\ncache = { not-found = \"1h\" }\n[sources.absent]\nroute = \"/absent/2\"\n\
         -- layouts/page.html --\n{{ absent.a }}{{ lacking.b }}[{{ degraded | join: \" \" }}]\n",
    ));
    let calls = || (fault.calls("/status/404"), fault.calls("/status/503"));
    for round in 1..=3 {
        for id in 1..=2 {
            let page = site.get(&format!("/page/{id}"));
            assert_eq!(
                (page.text().trim(), page.header("cache-control")),
                ("1[absent lacking]", Some("no-store")),
                "{round}"
            );
        }
        assert_eq!(calls(), (2, 1), "{round}");
    }
    // A visitor is told the same, of the same entries.
    for (target, status) in [("/absent/1", 404), ("/absent/2", 404), ("/lacking", 200)] {
        let answer = site.get(target);
        let said = answer.header("cache-status").unwrap_or_default();
        assert!(answer.status == status && said.starts_with("siteserver; hit; ttl="), "{target}: {said}");
    }
    // What was made of a stored 404 goes with it.
    assert_eq!(site.get("/kept").status, 404);
    assert_eq!(calls(), (2, 1));
    let purged = super::admin::ask(&site, "POST", "/purge", &[], "{\"path\": \"/absent/2\"}");
    assert_eq!((purged.status, purged.json()["entries"].as_u64()), (200, Some(2)), "{}", purged.text());
    assert_eq!(site.get("/kept").status, 404);
    assert_eq!(calls(), (3, 1));
}

/// The sources of a request's line: names and outcomes.
fn logged(site: &Site, path: &str) -> Vec<(String, String)> {
    let line = site.wait_for_access(|line| line.contains(&format!("\"path\":\"{path}\"")));
    let line: Value = serde_json::from_str(&line).unwrap();
    let text = |call: &Value, key: &str| call[key].as_str().unwrap().to_owned();
    line["sources"].as_array().unwrap().iter().map(|call| (text(call, "name"), text(call, "outcome"))).collect()
}

fn the_log_names_the_calls_of_asked_routes() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/one.toml --\njson = \"{a.count}\"\n[sources.a]\nupstream = \"up\"\npath = \"/count\"\n\
         -- routes/two.toml --\njson = [\"{one}\", \"{gone}\"]\n[sources.one]\nroute = \"/one\"\n[sources.gone]\nupstream = \"up\"\npath = \"/status/404\"\noptional = true\n\
         -- routes/kept.toml --\njson = \"{b.count}\"\ncache = { s-maxage = \"1h\" }\n[sources.b]\nupstream = \"up\"\npath = \"/count\"\nquery = { b = 1 }\n\
         -- routes/late.toml --\ndeadline = \"200ms\"\njson = \"{c}\"\n[sources.c]\nupstream = \"up\"\npath = \"/silent\"\n\
         -- routes/page.toml --\npath = \"/page/{id}\"\njson = [\"{two}\", \"{kept}\", \"{late}\"]\n[sources.two]\nroute = \"/two\"\n[sources.kept]\nroute = \"/kept\"\n\
         [sources.late]\nroute = \"/late\"\noptional = true\n",
    );
    let with = |kept: &[(&str, &str)]| {
        let always = [
            ("two.one.a", "ok"),
            ("two.one", "ok"),
            ("two.gone", "not-found"),
            ("two", "ok"),
            ("late.c", "deadline"),
            ("late", "route-failed"),
        ];
        let mut all: Vec<_> =
            always.iter().chain(kept).map(|&(name, outcome)| (name.to_owned(), outcome.to_owned())).collect();
        all.sort();
        all
    };
    for (id, kept) in [("1", &[("kept.b", "ok"), ("kept", "ok")] as &[_]), ("2", &[("kept", "ok")])] {
        assert_eq!(site.get(&format!("/page/{id}")).status, 200);
        let mut calls = logged(&site, &format!("/page/{id}"));
        let position = |name: &str| calls.iter().position(|(other, _)| other == name);
        assert!(position("two.one.a") < position("two.one") && position("two.one") < position("two"), "{calls:?}");
        calls.sort();
        assert_eq!(calls, with(kept), "page {id}");
    }
}
