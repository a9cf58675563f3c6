//! What siteserver keeps of the answers to its sources, as the cache in front of their upstreams: for how long, for whom, what stands for an
//! error, and what is never kept.
//!
//! What is to be old at once says `Age`. What was done is seen in the calls that the upstream got, and in the words of the log.

use super::admin::{ask, metrics, options, value};
use super::{archive, site, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use crate::support::stepped::SteppedSite;
use serde_json::json;
use std::thread;
use std::time::Duration;

crate::cases!(
    nothing_written_is_nothing_kept,
    what_is_fresh_is_not_asked_for,
    what_the_upstream_says_decides,
    what_is_written_beats_lifetimes_and_override_all,
    what_is_stale_is_asked_about_and_not_read_again,
    a_304_about_something_else_is_asked_again_without_conditions,
    a_304_may_say_that_nothing_is_kept,
    nobody_gets_what_another_person_is_answered,
    a_private_answer_is_kept_for_its_person_alone,
    who_says_nothing_is_nobody,
    what_is_addressed_by_a_persons_data_is_kept_as_for_everybody,
    a_refused_person_is_forgotten,
    what_was_asked_before_does_not_take_the_place_of_what_came_since,
    who_was_refused_is_not_remembered_by_what_was_asked_before,
    what_is_addressed_by_a_person_is_not_put_where_others_look,
    what_is_always_the_same_is_kept_whoever_asks,
    the_stale_is_used_while_it_is_fetched_anew_once,
    what_is_stored_is_not_made_of_what_is_stale,
    the_stale_stands_for_every_kind_of_error,
    the_stale_stands_for_what_is_late,
    no_window_is_no_stale_data,
    a_window_ends,
    an_error_never_replaces_and_is_tried_again,
    what_is_not_there_is_remembered_briefly,
    an_absence_stands_for_no_error,
    data_is_purged_with_the_pages_made_of_it,
    what_was_begun_before_a_purge_is_never_found_after_it,
    a_soft_purge_asks_whether_it_is_still_so,
    a_reload_keeps_what_did_not_change,
    a_reload_that_changes_how_long_is_waited_keeps_the_data,
    a_call_that_changes_something_drops_what_is_kept,
    sources_that_share_a_call_keep_what_each_takes,
    sources_that_are_declared_alike_share,
    two_upstreams_of_one_address_share_nothing,
    many_who_lack_the_same_are_one_call,
    an_upstream_says_it_for_its_sources,
    a_profile_gives_its_lifetimes,
    each_item_of_a_list_is_kept,
    calls_that_only_read_are_kept_by_what_they_send,
    a_part_is_not_kept,
    what_is_left_is_what_a_page_says,
    the_metrics_tell_what_the_store_did,
    windows_end_when_they_say,
    an_absence_is_remembered_as_long_as_it_says,
);

/// A page of one source with these keys.
fn page(keys: &str) -> String {
    format!("-- routes/index.toml --\njson = \"{{a}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n{keys}\n")
}

fn reply(number: u32) -> Reply {
    Reply::json(format!("{{\"n\":{number}}}"))
}

/// One that is as old as its lifetime, and has a validator.
fn old(number: u32) -> Reply {
    reply(number).header("cache-control", "max-age=100").header("age", "100").header("etag", &format!("\"{number}\""))
}

fn not_modified(number: u32) -> Reply {
    let reply = Reply::of("text/plain", "").status(304).header("etag", &format!("\"{number}\""));
    reply.header("cache-control", "max-age=100")
}

/// What the page says of its source.
fn shown(response: &Response) -> Option<u64> {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["n"].as_u64()
}

fn get(site: &Site) -> Option<u64> {
    shown(&site.get("/"))
}

/// Waits for a line of the log that says this of a source.
fn said(site: &Site, outcome: &str) {
    let word = format!("\"outcome\":\"{outcome}\"");
    site.wait_for_access(|line| line.contains(&word));
}

/// How often this came about for the source of the page.
fn counted(metrics: &str, series: &str, outcome: &str) -> u64 {
    let labels = format!("upstream=\"up\",route=\"routes/index.toml\",source=\"a\",outcome=\"{outcome}\"");
    format!("{}", value(metrics, &format!("{series}{{{labels}}}"))).parse().unwrap()
}

fn nothing_written_is_nothing_kept() {
    let fault = FaultServer::start();
    let site = site(&fault, &page(""));
    fault.put("/data", reply(1).header("cache-control", "public, max-age=1000"));
    for _ in 0..3 {
        assert_eq!(get(&site), Some(1));
    }
    assert_eq!(fault.calls("/data"), 3);
}

fn what_is_fresh_is_not_asked_for() {
    let fault = FaultServer::start();
    for keys in ["cache = true", "cache = \"upstream\"", "cache = {}"] {
        let site = site(&fault, &page(keys));
        let before = fault.calls("/data");
        fault.put("/data", reply(1).header("cache-control", "max-age=1000"));
        for _ in 0..3 {
            assert_eq!(get(&site), Some(1), "{keys}");
        }
        assert_eq!(fault.calls("/data") - before, 1, "{keys}");
        said(&site, "ok");
        said(&site, "hit");
    }
}

fn what_the_upstream_says_decides() {
    let fault = FaultServer::start();
    let fresh = ("cache-control", "max-age=1000");
    let cases: [(&[(&str, &str)], usize); 14] = [
        (&[], 2),
        (&[fresh], 1),
        (&[("cache-control", "s-maxage=1000")], 1),
        (&[("expires", "Fri, 31 Dec 9999 23:59:59 GMT")], 1),
        (&[("cache-control", "No-Store, max-age=1000")], 2),
        (&[("cache-control", "Private, max-age=1000")], 2),
        (&[("cache-control", "no-cache, max-age=1000")], 2),
        (&[fresh, ("vary", "*")], 2),
        (&[fresh, ("vary", "accept, cookie")], 1),
        (&[fresh, ("age", "1000")], 2),
        // The cookie is for us: nobody is sent it.
        (&[fresh, ("set-cookie", "session=1")], 1),
        // Nothing is guessed unless that is declared.
        (&[("last-modified", "Sat, 01 Jan 2000 00:00:00 GMT")], 2),
        (&[fresh, ("cdn-cache-control", "no-store")], 2),
        (&[fresh, ("content-range", "bytes 0-6/100")], 1),
    ];
    for (at, (fields, calls)) in cases.iter().enumerate() {
        let path = format!("/case/{at}");
        let site = site(&fault, &page("cache = true").replace("/data", &path));
        fault.put(&path, fields.iter().fold(reply(1), |reply, (name, value)| reply.header(name, value)));
        assert_eq!((get(&site), get(&site)), (Some(1), Some(1)), "{fields:?}");
        assert_eq!(fault.calls(&path), *calls, "{fields:?}");
    }
    let guessing = site(&fault, &page("cache = { heuristic = true }").replace("/data", "/guess"));
    fault.put("/guess", reply(1).header("last-modified", "Sat, 01 Jan 2000 00:00:00 GMT"));
    assert_eq!((get(&guessing), get(&guessing), fault.calls("/guess")), (Some(1), Some(1), 1));
    let partial = site(&fault, &page("cache = { max-age = \"1h\" }").replace("/data", "/part"));
    fault.put("/part", reply(1).status(206).header("content-range", "bytes 0-6/100"));
    assert_eq!((get(&partial), get(&partial), fault.calls("/part")), (Some(1), Some(1), 2));
}

fn what_is_written_beats_lifetimes_and_override_all() {
    let fault = FaultServer::start();
    let written = "cache = { max-age = \"1h\" }";
    let all = "cache = { max-age = \"1h\", override = true }";
    for (at, (keys, field, calls)) in [
        (written, ("cache-control", "max-age=0"), 1),
        (written, ("x-none", "1"), 1),
        (written, ("expires", "0"), 1),
        (written, ("age", "3000"), 1),
        (written, ("age", "3600"), 2),
        (written, ("cache-control", "no-store"), 2),
        (written, ("cache-control", "private"), 2),
        (written, ("vary", "*"), 2),
        (all, ("cache-control", "no-store, private, no-cache"), 1),
        (all, ("vary", "*"), 1),
        ("cache = { max-age = \"0s\" }", ("cache-control", "max-age=1000"), 2),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/case/{at}");
        let site = site(&fault, &page(keys).replace("/data", &path));
        fault.put(&path, reply(1).header(field.0, field.1));
        assert_eq!((get(&site), get(&site)), (Some(1), Some(1)), "{keys} {field:?}");
        assert_eq!(fault.calls(&path), calls, "{keys} {field:?}");
    }
}

fn what_is_stale_is_asked_about_and_not_read_again() {
    let fault = FaultServer::start();
    let site = options().start(&archive(&fault, &page("cache = true")));
    let date = "Sat, 01 Jan 2000 00:00:00 GMT";
    fault.put("/data", old(1).header("last-modified", date));
    assert_eq!(get(&site), Some(1));
    // Its fields are taken: from now on it is fresh.
    fault.put("/data", not_modified(1));
    assert_eq!(get(&site), Some(1));
    said(&site, "revalidated");
    let asked = fault.requests("/data");
    assert_eq!(asked.iter().map(|request| request.header("if-none-match")).collect::<Vec<_>>(), [None, Some("\"1\"")]);
    assert_eq!(asked[1].header("if-modified-since"), Some(date));
    for _ in 0..3 {
        assert_eq!(get(&site), Some(1));
    }
    assert_eq!(fault.calls("/data"), 2);
    let metrics = metrics(&site);
    assert_eq!(counted(&metrics, "siteserver_source_bodies_total", "read"), 1);
}

fn a_304_about_something_else_is_asked_again_without_conditions() {
    let fault = FaultServer::start();
    let site = site(&fault, &page("cache = true"));
    fault.put("/data", old(1));
    assert_eq!(get(&site), Some(1));
    fault.put("/data", not_modified(2));
    let response = site.get("/");
    // Without conditions this upstream still says 304, which is no answer.
    assert_eq!(response.status, 502);
    let asked: Vec<_> =
        fault.requests("/data").iter().map(|it| it.header("if-none-match").map(str::to_owned)).collect();
    assert_eq!(asked, [None, Some("\"1\"".to_owned()), None]);
}

fn a_304_may_say_that_nothing_is_kept() {
    let fault = FaultServer::start();
    let site = site(&fault, &page("cache = true"));
    fault.put("/data", old(1));
    assert_eq!(get(&site), Some(1));
    fault.put("/data", not_modified(1).header("cache-control", "no-store"));
    assert_eq!(get(&site), Some(1));
    fault.put("/data", reply(2));
    assert_eq!(get(&site), Some(2));
    assert_eq!(fault.requests("/data")[2].header("if-none-match"), None, "it is not there any more");
}

const PERSONAL: &str = "\
-- routes/index.toml --
json = \"{me}\"
[sources.me]
upstream = \"up\"
path = \"/me\"
query = { header = \"cache-control:CONTROL\" }
forward-cookies = [\"session\"]
cache = CACHE
";

fn me(site: &Site, session: &str) -> (String, u64) {
    let response = site.request("GET", "/", &[("cookie", &format!("session={session}"))], b"");
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("cache-control"), Some("private, no-store"));
    let said = response.json();
    (said["name"].as_str().unwrap().to_owned(), said["call"].as_u64().unwrap())
}

fn personal(fault: &FaultServer, control: &str, cache: &str) -> Site {
    site(fault, &PERSONAL.replace("CONTROL", control).replace("CACHE", cache))
}

fn nobody_gets_what_another_person_is_answered() {
    let fault = FaultServer::start();
    let site = personal(&fault, "max-age=1000", "true");
    let people: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
    for _ in 0..3 {
        thread::scope(|scope| {
            for name in &people {
                let site = &site;
                scope.spawn(move || assert_eq!(me(site, name).0, **name));
            }
        });
    }
    assert_eq!(fault.calls("/me"), 20, "once for each");
    assert_eq!(site.get("/").status, 401, "nobody is not somebody");
}

fn a_private_answer_is_kept_for_its_person_alone() {
    let fault = FaultServer::start();
    for (at, (control, cache, is_kept)) in [
        ("private, max-age=1000", "true", true),
        ("private, max-age=1000, s-maxage=0", "true", true),
        ("s-maxage=1000", "true", false),
        ("private, no-store, max-age=1000", "true", false),
        ("private", "{ max-age = \"1h\" }", true),
    ]
    .into_iter()
    .enumerate()
    {
        let site = personal(&fault, control, cache);
        let (ada, bob) = (format!("ada{at}"), format!("bob{at}"));
        let first = me(&site, &ada);
        assert_eq!(first.0, ada);
        assert_eq!(me(&site, &bob).0, bob);
        assert_eq!(me(&site, &ada) == first, is_kept, "{control} {cache}");
    }
}

fn who_says_nothing_is_nobody() {
    let fault = FaultServer::start();
    let keys = "forward-cookies = [\"session\"]\ncache = true";
    for (at, (control, calls)) in [("private, max-age=1000", 2), ("max-age=1000", 1)].into_iter().enumerate() {
        let path = format!("/nobody/{at}");
        let site = site(&fault, &page(keys).replace("/data", &path));
        fault.put(&path, reply(1).header("cache-control", control));
        let ask = |cookies: &str| shown(&site.request("GET", "/", &[("cookie", cookies)], b""));
        // Neither says who asks: what is private to one of them is not for the other.
        assert_eq!((ask("other=1"), ask("session=; other=2")), (Some(1), Some(1)));
        assert_eq!(ask("other=3"), Some(1));
        let expected = if calls == 2 { 3 } else { 2 };
        assert_eq!(fault.calls(&path), expected, "{control}: an empty cookie is another call");
        assert_eq!((ask("session=a"), ask("session=a"), fault.calls(&path)), (Some(1), Some(1), expected + 1));
    }
}

fn what_is_addressed_by_a_persons_data_is_kept_as_for_everybody() {
    let fault = FaultServer::start();
    for (at, (control, calls)) in [("private, max-age=1000", 2), ("max-age=1000", 1)].into_iter().enumerate() {
        let path = format!("/theme/{at}");
        let site = site(
            &fault,
            &format!(
                "-- routes/index.toml --\njson = \"{{theme}}\"\n[sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\n[sources.theme]\nupstream = \"up\"\npath = \"{path}\"\nquery = {{ call = \"{{me.theme}}\" }}\ncache = true\n"
            ),
        );
        fault.put("/me", Reply::json("{\"theme\":\"dark\"}"));
        fault.put(&path, reply(1).header("cache-control", control));
        for session in ["ada", "bob"] {
            let response = site.request("GET", "/", &[("cookie", &format!("session={session}"))], b"");
            assert_eq!(shown(&response), Some(1));
        }
        assert_eq!(fault.calls(&path), calls, "{control}");
    }
}

fn a_refused_person_is_forgotten() {
    let fault = FaultServer::start();
    let keys = "forward-cookies = [\"session\"]\ncache = { max-age = \"1h\", stale-if-error = \"1h\" }";
    let site = site(&fault, &page(keys));
    let ask = || site.request("GET", "/", &[("cookie", "session=a")], b"");
    fault.put("/data", old(1).header("age", "3600"));
    assert_eq!(shown(&ask()), Some(1));
    fault.put("/data", Reply::json("{}").status(401));
    assert_eq!(ask().status, 401, "a refusal is an answer, and nothing stands for it");
    fault.put("/data", Reply::json("{}").status(503));
    assert_eq!(ask().status, 502, "nothing is kept any more that could");
}

/// A site of one person's source whose upstream is two machines, asked in turn: the first one holds what it is asked at the gate `g`.
fn two_machines(slow: &FaultServer, quick: &FaultServer) -> Site {
    let keys = "forward-cookies = [\"session\"]\ncache = { max-age = \"1h\" }";
    let files = archive(slow, &page(keys).replace("/data", "/gate/g/x"));
    let machines = format!("retries = 0\naddresses = [\"{}\", \"{}\"]", slow.address(), quick.address());
    quick.release("g");
    options().start(&files.replace("retries = 0", &machines))
}

fn what_was_asked_before_does_not_take_the_place_of_what_came_since() {
    let (slow, quick) = (FaultServer::start(), FaultServer::start());
    let site = two_machines(&slow, &quick);
    let ask = || shown(&site.request("GET", "/", &[("cookie", "session=a")], b""));
    slow.let_through(Some(0));
    slow.put("/gate/g/x", reply(1));
    quick.put("/gate/g/x", reply(2));
    thread::scope(|scope| {
        let first = scope.spawn(ask);
        slow.wait_for("/gate/g/x", 1);
        assert_eq!(ask(), Some(2));
        slow.let_through(None);
        assert_eq!(first.join().unwrap(), Some(1));
    });
    assert_eq!((ask(), slow.total_calls() + quick.total_calls()), (Some(2), 2));
}

fn who_was_refused_is_not_remembered_by_what_was_asked_before() {
    let (slow, quick) = (FaultServer::start(), FaultServer::start());
    let site = two_machines(&slow, &quick);
    let ask = || site.request("GET", "/", &[("cookie", "session=a")], b"");
    slow.let_through(Some(0));
    slow.put("/gate/g/x", reply(1));
    quick.put("/gate/g/x", Reply::json("{}").status(401));
    thread::scope(|scope| {
        let first = scope.spawn(ask);
        slow.wait_for("/gate/g/x", 1);
        assert_eq!(ask().status, 401);
        slow.let_through(None);
        assert_eq!(shown(&first.join().unwrap()), Some(1));
    });
    let calls = slow.total_calls() + quick.total_calls();
    slow.put("/gate/g/x", Reply::json("{}").status(401));
    assert_eq!(ask().status, 401, "what was asked before the refusal is not kept");
    assert_eq!(slow.total_calls() + quick.total_calls(), calls + 1);
}

fn what_is_addressed_by_a_person_is_not_put_where_others_look() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/orders.toml --\njson = \"{orders}\"\n[query.user]\n[sources.orders]\nupstream = \"up\"\npath = \"/count\"\nquery = { user = \"{query.user}\" }\ncache = { max-age = \"1h\" }\n-- routes/index.toml --\njson = \"{mine}\"\n[cookies.session]\n[sources.mine]\nroute = \"/orders\"\nquery = { user = \"{cookies.session}\" }\n",
    );
    let mine = || site.request("GET", "/", &[("cookie", "session=ada")], b"").json()["count"].as_u64();
    assert_eq!((mine(), mine()), (Some(1), Some(2)), "her address is not kept");
    let by_name = || site.get("/orders?user=ada").json()["count"].as_u64();
    assert_eq!((by_name(), by_name()), (Some(3), Some(3)));
    assert_eq!(mine(), Some(3), "what others have put there may be found");
}

fn what_is_always_the_same_is_kept_whoever_asks() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/orders.toml --\njson = { orders = \"{orders.count}\", menu = \"{menu.count}\", tagged = \"{tagged.count}\" }\n[query.user]\n[sources.orders]\nupstream = \"up\"\npath = \"/count/orders\"\nquery = { user = \"{query.user}\" }\ncache = { max-age = \"1h\" }\n[sources.menu]\nupstream = \"up\"\npath = \"/count/menu\"\ncache = { max-age = \"1h\" }\n[sources.tagged]\nupstream = \"up\"\npath = \"/count/tagged\"\ncache = { max-age = \"1h\", tags = [\"of:{query.user}\"] }\n-- routes/index.toml --\njson = \"{mine}\"\n[cookies.session]\n[sources.mine]\nroute = \"/orders\"\nquery = { user = \"{cookies.session}\" }\n",
    );
    let mine = |session: &str| site.request("GET", "/", &[("cookie", &format!("session={session}"))], b"").json();
    assert_eq!(mine("ada"), json!({ "orders": 1, "menu": 1, "tagged": 1 }));
    assert_eq!(mine("ada"), json!({ "orders": 2, "menu": 1, "tagged": 2 }), "nothing of hers is in the menu");
    assert_eq!(mine("bob"), json!({ "orders": 3, "menu": 1, "tagged": 3 }));
}

fn the_stale_is_used_while_it_is_fetched_anew_once() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &page("cache = { max-age = \"100s\", stale-while-revalidate = \"1h\" }").replace("/data", "/gate/g/x"),
    );
    fault.release("g");
    fault.put("/gate/g/x", old(1));
    assert_eq!(get(&site), Some(1));
    // The next answer waits until the test lets it go, and nobody waits for it.
    fault.let_through(Some(1));
    fault.put("/gate/g/x", reply(2));
    for _ in 0..5 {
        assert_eq!(get(&site), Some(1));
    }
    said(&site, "stale");
    fault.wait_for("/gate/g/x", 2);
    assert_eq!(fault.calls("/gate/g/x"), 2, "once");
    fault.let_through(None);
    until(&site, "/", |response| shown(response) == Some(2));
    assert_eq!(fault.calls("/gate/g/x"), 2);
}

fn what_is_stored_is_not_made_of_what_is_stale() {
    let fault = FaultServer::start();
    let lifetimes = "s-maxage = \"1h\"\nstale-while-revalidate = \"1h\"";
    let keys = "cache = { max-age = \"1h\", stale-while-revalidate = \"1h\", stale-if-error = \"1h\" }";
    let site = options().start(&archive(&fault, &page(&format!("{keys}\n[cache]\n{lifetimes}"))));
    fault.put("/data", reply(1));
    assert_eq!((get(&site), get(&site)), (Some(1), Some(1)));
    fault.put("/data", reply(2));
    assert_eq!(purged(&site, &json!({ "source": "a", "soft": true })), 2);
    // The page itself is sent stale, and made anew of what is so now.
    until(&site, "/", |response| shown(response) == Some(2));
    assert_eq!((get(&site), fault.calls("/data")), (Some(2), 2));
    // Nobody waits for less than there is: what is stale stands for an error, and nothing made of it is stored.
    assert_eq!(purged(&site, &json!({ "path": "/" })), 1);
    assert_eq!(purged(&site, &json!({ "source": "a", "soft": true })), 1);
    fault.put("/data", Reply::json("{}").status(503));
    let response = site.get("/");
    assert_eq!((shown(&response), response.header("cache-control")), (Some(2), Some("no-store")));
}

/// A page whose data is stale, and may stand for an error.
fn stale_if_error(fault: &FaultServer, keys: &str) -> Site {
    let keys = format!("cache = {{ max-age = \"100s\", stale-if-error = \"1h\" }}\n{keys}");
    let site = site(fault, &page(&keys));
    fault.put("/data", old(1));
    assert_eq!(get(&site), Some(1));
    site
}

fn the_stale_stands_for_every_kind_of_error() {
    use crate::support::answers::Delivery;
    for error in [
        Reply::json("{}").status(500),
        Reply::json("{}").status(503),
        Reply::json("{}").status(429),
        Reply::of("text/html", "<!doctype html><title>Login</title>"),
        Reply::json("{\"n\":"),
        Reply::json("{}").delivered(Delivery::Short(10)),
        Reply::json("{}").delivered(Delivery::Reset(0)),
        Reply::json("{\"m\":1}"),
    ] {
        let fault = FaultServer::start();
        let keys = "extract.n = { select = \"$.n\", required = true }\nfallback = { n = 7 }";
        let site = stale_if_error(&fault, keys);
        fault.put("/data", error.clone());
        let response = site.get("/");
        assert_eq!(shown(&response), Some(1), "{error:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "nobody keeps it as a good page");
        said(&site, "stale-if-error");
        // What failed a moment ago is left alone.
        let calls = fault.calls("/data");
        assert_eq!((get(&site), fault.calls("/data")), (Some(1), calls), "{error:?}");
    }
    let fault = FaultServer::start();
    let site = stale_if_error(&fault, "on-error = \"omit\"");
    drop(fault);
    assert_eq!(get(&site), Some(1), "refused connections");
    site.wait_for_message(|line| line.contains("what is kept stands for it") && line.contains("unreachable"));
}

fn the_stale_stands_for_what_is_late() {
    let fault = FaultServer::start();
    for (at, keys) in ["timeout = \"200ms\"", ""].into_iter().enumerate() {
        let path = format!("/late/{at}");
        let files = page(&format!("cache = {{ max-age = \"100s\", stale-if-error = \"1h\" }}\n{keys}"));
        let files = files.replace("/data", &path).replace("[sources", "deadline = \"1s\"\n[sources");
        let site = site(&fault, &files);
        fault.put(&path, old(1));
        assert_eq!(get(&site), Some(1));
        fault.put(&path, Reply::json("{}").delivered(crate::support::answers::Delivery::SilentAfterHead));
        assert_eq!(get(&site), Some(1), "{keys}");
        said(&site, "stale-if-error");
    }
}

fn no_window_is_no_stale_data() {
    let fault = FaultServer::start();
    for (at, (keys, control)) in [
        ("cache = true", "max-age=100"),
        ("cache = { max-age = \"100s\" }", "max-age=100"),
        ("cache = { stale-if-error = \"1h\" }", "max-age=100, must-revalidate"),
        ("cache = { stale-if-error = \"1h\" }", "max-age=100, no-cache"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/none/{at}");
        let site = site(&fault, &page(&format!("{keys}\nfallback = {{ n = 7 }}")).replace("/data", &path));
        fault.put(&path, old(1).header("cache-control", control));
        assert_eq!(get(&site), Some(1));
        fault.put(&path, Reply::json("{}").status(503));
        assert_eq!(get(&site), Some(7), "{keys} {control}");
    }
    let site = site(&fault, &page("cache = true\nfallback = { n = 7 }").replace("/data", "/said"));
    fault.put("/said", old(1).header("cache-control", "max-age=100, stale-if-error=1000"));
    assert_eq!(get(&site), Some(1));
    fault.put("/said", Reply::json("{}").status(503));
    assert_eq!(get(&site), Some(1), "the upstream itself may say so");
}

fn a_window_ends() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &page(
            "cache = { max-age = \"100s\", stale-if-error = \"100s\", stale-while-revalidate = \"100s\" }\nfallback = { n = 7 }",
        ),
    );
    fault.put("/data", old(1).header("age", "200"));
    assert_eq!(get(&site), Some(1));
    fault.put("/data", Reply::json("{}").status(503));
    assert_eq!(get(&site), Some(7));
}

fn an_error_never_replaces_and_is_tried_again() {
    let fault = FaultServer::start();
    let site = stale_if_error(&fault, "");
    fault.put("/data", Reply::json("{}").status(503).header("cache-control", "public, max-age=1000"));
    for _ in 0..3 {
        assert_eq!(get(&site), Some(1));
    }
    fault.put("/data", reply(2));
    until(&site, "/", |response| shown(response) == Some(2));
    said(&site, "ok");
    let calls = fault.calls("/data");
    assert_eq!((get(&site), fault.calls("/data")), (Some(2), calls), "and is kept again");
}

fn what_is_not_there_is_remembered_briefly() {
    let fault = FaultServer::start();
    for (at, (keys, field, status, calls)) in [
        ("cache = true", ("x-none", "1"), 404, 2),
        ("cache = true", ("cache-control", "max-age=1000"), 404, 1),
        ("cache = true", ("cache-control", "max-age=1000"), 410, 1),
        ("cache = { max-age = \"1h\" }", ("x-none", "1"), 404, 1),
        // Of ten seconds it is as old as that.
        ("cache = { max-age = \"1h\" }", ("age", "10"), 404, 2),
        ("cache = { max-age = \"1h\", not-found = \"1m\" }", ("age", "10"), 404, 1),
        ("cache = { max-age = \"1h\", not-found = \"0s\" }", ("x-none", "1"), 404, 2),
        ("cache = { max-age = \"1h\", stale-while-revalidate = \"1h\" }", ("age", "10"), 404, 2),
        ("cache = { max-age = \"1h\" }", ("cache-control", "no-store"), 404, 2),
        ("cache = { heuristic = true }", ("last-modified", "Sat, 01 Jan 2000 00:00:00 GMT"), 404, 2),
        ("cache = { max-age = \"1h\" }", ("x-none", "1"), 400, 2),
        ("cache = { max-age = \"1h\" }", ("x-none", "1"), 403, 2),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/absent/{at}");
        let keys = format!("{keys}\non-not-found = \"fallback\"\non-error = \"fallback\"\nfallback = {{ n = 7 }}");
        let site = site(&fault, &page(&keys).replace("/data", &path));
        fault.put(&path, Reply::json("{}").status(status).header(field.0, field.1));
        assert_eq!((get(&site), get(&site)), (Some(7), Some(7)), "{keys} {field:?}");
        assert_eq!(fault.calls(&path), calls, "{keys} {field:?} {status}");
    }
    let site =
        site(&fault, &page("cache = { max-age = \"1h\" }\nextract.n = { select = \"$.n\", required = \"not-found\" }"));
    fault.put("/data", Reply::json("{}"));
    assert_eq!((site.get("/").status, site.get("/").status, fault.calls("/data")), (404, 404, 1));
}

fn an_absence_stands_for_no_error() {
    let fault = FaultServer::start();
    let site = site(&fault, &page("cache = true"));
    let control = "max-age=100, stale-if-error=1000, stale-while-revalidate=1000";
    fault.put("/data", old(1).status(404).header("cache-control", control));
    assert_eq!(site.get("/").status, 404);
    fault.put("/data", Reply::json("{}").status(503));
    assert_eq!(site.get("/").status, 502);
    fault.put("/data", reply(2));
    assert_eq!(get(&site), Some(2));
}

const SHOP: &str = "\
-- routes/product.toml --
path = \"/products/{id}\"
json = \"{product}\"
[cache]
s-maxage = \"1h\"
[sources.product]
upstream = \"up\"
path = \"/count/{params.id}\"
cache = { max-age = \"1h\", tags = [\"products\", \"product:{params.id}\"] }
-- routes/live.toml --
path = \"/live/{id}\"
json = \"{product}\"
[sources.product]
upstream = \"up\"
path = \"/count/{params.id}\"
cache = { max-age = \"1h\", tags = [\"products\", \"product:{params.id}\"] }
";

fn count(site: &Site, target: &str) -> u64 {
    let response = site.get(target);
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    response.json()["count"].as_u64().unwrap()
}

fn purged(site: &Site, what: &serde_json::Value) -> u64 {
    let response = ask(site, "POST", "/purge", &[], &what.to_string());
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["entries"].as_u64().unwrap()
}

fn data_is_purged_with_the_pages_made_of_it() {
    let fault = FaultServer::start();
    let site = options().start(&archive(&fault, SHOP));
    let all = |a, b| {
        for (target, expected) in [("/products/a", a), ("/live/a", a), ("/products/b", b), ("/live/b", b)] {
            assert_eq!(count(&site, target), expected, "{target}");
        }
    };
    all(1, 1);
    all(1, 1);
    // The data of one, and the two pages that were made of it.
    assert_eq!(purged(&site, &json!({ "source": "product", "params": { "id": "a" } })), 3);
    all(2, 1);
    assert_eq!(purged(&site, &json!({ "source": "product" })), 6);
    all(3, 2);
    // These are tags of the data alone, and the page is made anew when its own time is up.
    assert_eq!(purged(&site, &json!({ "tags": ["product:a"] })), 1);
    assert_eq!((count(&site, "/live/a"), count(&site, "/live/b"), count(&site, "/products/a")), (4, 2, 3));
    assert_eq!(purged(&site, &json!({ "tags": ["products"] })), 2);
    assert_eq!((count(&site, "/live/a"), count(&site, "/live/b")), (5, 3));
    assert_eq!(purged(&site, &json!({ "all": true })), 6);
    all(6, 4);
    assert_eq!(purged(&site, &json!({ "tags": ["upstream:up"] })), 6);
    all(7, 5);
}

fn what_was_begun_before_a_purge_is_never_found_after_it() {
    let fault = FaultServer::start();
    let site =
        options().start(&archive(&fault, &page("cache = { max-age = \"1h\" }").replace("/data", "/gate/g/count")));
    let shown = |response: &Response| response.json()["count"].as_u64();
    thread::scope(|scope| {
        let first = scope.spawn(|| shown(&site.get("/")));
        fault.wait_for("/gate/g/count", 1);
        assert_eq!(purged(&site, &json!({ "source": "a" })), 0, "nothing is there yet");
        // Who comes after the purge does not wait for what was begun before it.
        let second = scope.spawn(|| shown(&site.get("/")));
        fault.wait_for("/gate/g/count", 2);
        fault.release("g");
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (Some(1), Some(2)));
    });
    assert_eq!(shown(&site.get("/")), Some(2));
    assert_eq!(fault.calls("/gate/g/count"), 2);
}

fn a_soft_purge_asks_whether_it_is_still_so() {
    let fault = FaultServer::start();
    let site = options().start(&archive(&fault, &page("cache = { max-age = \"1h\", stale-if-error = \"1h\" }")));
    fault.put("/data", reply(1).header("etag", "\"1\""));
    assert_eq!((get(&site), get(&site)), (Some(1), Some(1)));
    assert_eq!(purged(&site, &json!({ "source": "a", "soft": true })), 2);
    fault.put("/data", Reply::json("{}").status(503));
    assert_eq!(get(&site), Some(1), "it may still stand for an error");
    fault.put("/data", not_modified(1));
    until(&site, "/", |response| {
        assert_eq!(shown(response), Some(1));
        fault.requests("/data").len() == 3
    });
    assert_eq!(fault.requests("/data")[2].header("if-none-match"), Some("\"1\""));
    assert_eq!((get(&site), fault.calls("/data")), (Some(1), 3));
}

fn a_reload_keeps_what_did_not_change() {
    let fault = FaultServer::start();
    let files = |version: u32, age: &str, selector: &str| {
        format!(
            "-- routes/index.toml --\njson = {{ v = {version}, a = \"{{a}}\", b = \"{{b.count}}\" }}\n[sources.a]\nupstream = \"up\"\npath = \"/count/a\"\nextract = \"{selector}\"\ncache = {{ max-age = \"1h\" }}\n[sources.b]\nupstream = \"up\"\npath = \"/count/b\"\ncache = {{ max-age = \"{age}\" }}\n"
        )
    };
    let site = options().start(&archive(&fault, &files(1, "1h", "$.count")));
    let said = |response: &Response| response.text().to_owned();
    let reloaded = |version, age: &str, selector: &str| {
        let archive = files(version, age, selector);
        site.folder().write("routes/index.toml", archive.split_once("--\n").unwrap().1);
        site.signal("HUP");
        let begin = format!("{{\"v\":{version},");
        said(&until(&site, "/", |response| said(response).starts_with(&begin)))
    };
    assert_eq!(said(&site.get("/")), r#"{"v":1,"a":1,"b":1}"#);
    assert_eq!(reloaded(2, "1h", "$.count"), r#"{"v":2,"a":1,"b":1}"#, "another page of the same data");
    // Until the new site is in service the old one asks anew for what is no longer kept for it.
    let numbers = |said: String| {
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        (said["a"].as_u64().unwrap(), said["b"].as_u64().unwrap())
    };
    let (a, b) = numbers(reloaded(3, "2h", "$.count"));
    assert!(a == 1 && b > 1, "other terms: {a} {b}");
    let (a, b_then) = numbers(reloaded(4, "2h", "$['count']"));
    assert!(a > 1 && b_then == b, "something else is taken: {a} {b_then}");
    assert_eq!(
        ask(&site, "GET", "/status", &[], "").json()["store"]["entries"],
        3,
        "the page and its data: what nobody declares is gone"
    );
}

fn a_reload_that_changes_how_long_is_waited_keeps_the_data() {
    let fault = FaultServer::start();
    let files = |version: u32, keys: &str| {
        format!(
            "-- routes/index.toml --\njson = {{ v = {version}, a = \"{{a.count}}\" }}\n[sources.a]\nupstream = \"up\"\npath = \"/count\"\ncache = {{ max-age = \"1h\" }}\n{keys}\n"
        )
    };
    let site = options().start(&archive(&fault, &files(1, "timeout = \"2s\"")));
    assert_eq!(site.get("/").text(), r#"{"v":1,"a":1}"#);
    site.folder().write("routes/index.toml", files(2, "timeout = \"3s\"\nretries = 2").split_once("--\n").unwrap().1);
    site.signal("HUP");
    let response = until(&site, "/", |response| response.text().starts_with("{\"v\":2,"));
    assert_eq!((response.text(), fault.calls("/count")), (r#"{"v":2,"a":1}"#, 1));
}

fn a_call_that_changes_something_drops_what_is_kept() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/read.toml --\npath = \"/read/{id}\"\njson = \"{a.count}\"\n[sources.a]\nupstream = \"up\"\npath = \"/count/{params.id}\"\ncache = { max-age = \"1h\" }\n-- routes/group.toml --\njson = \"{a.count}\"\n[sources.a]\nupstream = \"up\"\npath = \"/count/g\"\nquery = { header = 'cache-groups:\"one\"' }\ncache = { max-age = \"1h\" }\n-- routes/change.toml --\njson = {}\n[query.header]\ndefault = \"x-none: 1\"\n[[rules]]\nif = \"w.never\"\nthen = { status = 404 }\n[sources.w]\nmethod = \"POST\"\nupstream = \"up\"\npath = \"/count/a\"\nbody = {}\noptional = true\n-- routes/named.toml --\njson = {}\n[[rules]]\nif = \"w.never\"\nthen = { status = 404 }\n[sources.w]\nmethod = \"POST\"\nupstream = \"up\"\npath = \"/named\"\nbody = {}\noptional = true\n",
    );
    let number = |target: &str| site.get(target).json().as_u64().unwrap();
    let all = || (number("/read/a"), number("/read/b"), number("/group"));
    assert_eq!(all(), (1, 1, 1));
    assert_eq!(all(), (1, 1, 1));
    // Its own URL.
    assert_eq!(site.get("/change").status, 200);
    assert_eq!(all(), (3, 1, 1));
    // An error has changed nothing.
    fault.put("/count/a", Reply::json("{\"count\":9}").status(500));
    assert_eq!(site.get("/change").status, 200);
    assert_eq!(all(), (3, 1, 1));
    // What its answer names.
    let named = Reply::json("{}").header("location", "/count/b").header("cache-group-invalidation", "\"one\"");
    fault.put("/named", named);
    assert_eq!(site.get("/named").status, 200);
    assert_eq!(all(), (3, 2, 2));
}

fn sources_that_share_a_call_keep_what_each_takes() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = [\"{a}\", \"{b}\", \"{c.n}\"]\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\nextract = \"$.n\"\ncache = true\n[sources.b]\nupstream = \"up\"\npath = \"/data\"\nextract = \"$.m\"\ncache = true\n[sources.c]\nupstream = \"up\"\npath = \"/data\"\n",
    );
    let put = |n: u32, m: u32, control: &str| {
        fault.put("/data", Reply::json(format!("{{\"n\":{n},\"m\":{m}}}")).header("cache-control", control));
    };
    put(1, 2, "max-age=1000");
    assert_eq!(site.get("/").text(), "[1,2,1]");
    assert_eq!(fault.calls("/data"), 1, "once in a request");
    put(3, 4, "max-age=1000");
    assert_eq!(site.get("/").text(), "[1,2,3]", "what keeps nothing asks");
    assert_eq!(fault.calls("/data"), 2);
}

fn sources_that_are_declared_alike_share() {
    let fault = FaultServer::start();
    let route = |name: &str, keys: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{menu.count}}\"\n[sources.menu]\nupstream = \"up\"\npath = \"/count\"\n{keys}\n"
        )
    };
    let alike = "cache = { max-age = \"1h\" }";
    let files = [
        route("one", alike),
        route("two", alike),
        route("other", "cache = { max-age = \"2h\" }"),
        route("taken", &format!("extract.count = \"$.count\"\n{alike}")),
    ];
    let site = site(&fault, &files.concat());
    let shown = |target: &str| site.get(target).json().as_u64();
    assert_eq!((shown("/one"), shown("/two"), fault.calls("/count")), (Some(1), Some(1), 1));
    assert_eq!((shown("/other"), shown("/taken")), (Some(2), Some(3)), "other terms, another value");
    assert_eq!((shown("/one"), shown("/two"), shown("/other"), shown("/taken")), (Some(1), Some(1), Some(2), Some(3)));
}

fn two_upstreams_of_one_address_share_nothing() {
    let fault = FaultServer::start();
    let route = |upstream: &str| {
        format!(
            "-- routes/{upstream}.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"{upstream}\"\npath = \"/count\"\ncache = {{ max-age = \"1h\" }}\n"
        )
    };
    let other = format!("[upstreams.other]\nbase-url = \"{}\"\nallow-private = true\n", fault.url(""));
    let site = options().start(&archive(&fault, &format!("{other}{}{}", route("up"), route("other"))));
    let shown = |target: &str| site.get(target).json().as_u64();
    assert_eq!((shown("/up"), shown("/other")), (Some(1), Some(2)));
    assert_eq!((shown("/up"), shown("/other")), (Some(1), Some(2)));
    assert_eq!(purged(&site, &json!({ "tags": ["upstream:other"] })), 2, "the data, and the page");
    assert_eq!((shown("/up"), shown("/other")), (Some(1), Some(3)));
}

fn many_who_lack_the_same_are_one_call() {
    let fault = FaultServer::start();
    let site = site(&fault, &page("cache = { max-age = \"1h\" }").replace("/data", "/gate/g/count"));
    thread::scope(|scope| {
        let all: Vec<_> = (0..20).map(|_| scope.spawn(|| site.get("/").json()["count"].as_u64())).collect();
        fault.wait_for("/gate/g/count", 1);
        fault.release("g");
        for one in all {
            assert_eq!(one.join().unwrap(), Some(1));
        }
    });
    assert_eq!(fault.calls("/gate/g/count"), 1);
}

fn an_upstream_says_it_for_its_sources() {
    let fault = FaultServer::start();
    let archive = archive(
        &fault,
        "-- routes/index.toml --\njson = [\"{a.count}\", \"{b.count}\", \"{c.count}\"]\n[sources.a]\nupstream = \"up\"\npath = \"/count/a\"\n[sources.b]\nupstream = \"up\"\npath = \"/count/b\"\ncache = false\n[sources.c]\nupstream = \"up\"\npath = \"/count/c\"\ncache = { max-age = \"0s\" }\n",
    );
    let archive = archive.replace("retries = 0", "retries = 0\ncache = { max-age = \"1h\", tags = [\"all\"] }");
    let site = options().start(&archive);
    let text = || site.get("/").text().to_owned();
    assert_eq!((text(), text()), ("[1,1,1]".to_owned(), "[1,2,2]".to_owned()));
    assert_eq!(purged(&site, &json!({ "tags": ["all"] })), 1);
    assert_eq!(text(), "[2,3,3]");
}

fn a_profile_gives_its_lifetimes() {
    let fault = FaultServer::start();
    let profiles = "[cache-profiles.brief]\ns-maxage = \"10s\"\nstale-while-revalidate = \"5s\"\nno-transform = true\n";
    for (at, (keys, age, calls)) in [
        ("cache = \"hours\"", "3000", 1),
        ("cache = { profile = \"hours\", stale-while-revalidate = \"0s\" }", "3600", 2),
        ("cache = { profile = \"hours\", max-age = \"2h\" }", "3600", 1),
        ("cache = \"brief\"", "5", 1),
        ("cache = \"brief\"", "20", 2),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/profile/{at}");
        let site = site(&fault, &format!("{profiles}{}", page(keys).replace("/data", &path)));
        fault.put(&path, reply(1).header("age", age));
        assert_eq!((get(&site), get(&site)), (Some(1), Some(1)), "{keys}");
        assert_eq!(fault.calls(&path), calls, "{keys} {age}");
    }
}

fn each_item_of_a_list_is_kept() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{each}\"\n[query.id]\nrepeat = true\n[sources.each]\nfor-each = \"{query.id}\"\nmax-items = 10\nupstream = \"up\"\npath = \"/count/{item}\"\nextract = \"$.count\"\ncache = { max-age = \"1h\" }\n",
    );
    assert_eq!(site.get("/?id=a&id=b").text(), "[1,1]");
    assert_eq!(site.get("/?id=b&id=c&id=a").text(), "[1,1,1]");
    assert_eq!(["a", "b", "c"].map(|id| fault.calls(&format!("/count/{id}"))), [1, 1, 1]);
    said(&site, "ok");
    assert_eq!(site.get("/?id=a").text(), "[1]");
    said(&site, "hit");
}

fn calls_that_only_read_are_kept_by_what_they_send() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.count}\"\n[query.q]\n[sources.a]\nmethod = \"POST\"\nsafe = true\nupstream = \"up\"\npath = \"/count\"\nbody = { q = \"{query.q}\" }\ncache = { max-age = \"1h\" }\n",
    );
    let shown = |target: &str| site.get(target).json().as_u64();
    assert_eq!((shown("/?q=a"), shown("/?q=b"), shown("/?q=a"), shown("/?q=b")), (Some(1), Some(2), Some(1), Some(2)));
}

fn a_part_is_not_kept() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.n}\"\n[sources.a]\ngraphql = '{ n }'\nupstream = \"up\"\npath = \"/data\"\ncache = { max-age = \"1h\" }\n",
    );
    fault.put("/data", Reply::json("{\"data\":{\"n\":1},\"errors\":[{}]}"));
    assert_eq!((site.get("/").text(), site.get("/").text(), fault.calls("/data")), ("1", "1", 2));
    fault.put("/data", Reply::json("{\"data\":{\"n\":2}}"));
    assert_eq!((site.get("/").text(), site.get("/").text(), fault.calls("/data")), ("2", "2", 3));
}

fn what_is_left_is_what_a_page_says() {
    let fault = FaultServer::start();
    let files = page("cache = { max-age = \"1000s\" }\n[cache]\ns-maxage = \"auto\"");
    let site = options().start(&archive(&fault, &files));
    fault.put("/data", reply(1).header("age", "400").header("cache-control", "no-cache=\"x\""));
    let left = || {
        let response = site.get("/");
        let control = response.header("cache-control").unwrap();
        let seconds = control.split("s-maxage=").nth(1).unwrap().split(',').next().unwrap();
        seconds.parse::<u64>().unwrap()
    };
    assert!((590..=600).contains(&left()), "what is left of what is written");
    // The page goes, the data stays.
    assert_eq!(purged(&site, &json!({ "path": "/" })), 1);
    assert!((500..=600).contains(&left()));
    assert_eq!(fault.calls("/data"), 1);
}

fn the_metrics_tell_what_the_store_did() {
    let fault = FaultServer::start();
    let site = options().start(&archive(&fault, &page("cache = { max-age = \"100s\", stale-if-error = \"1h\" }")));
    fault.put("/data", old(1));
    assert_eq!(get(&site), Some(1));
    fault.put("/data", not_modified(1));
    assert_eq!((get(&site), get(&site), get(&site)), (Some(1), Some(1), Some(1)));
    let metrics = metrics(&site);
    for (outcome, expected) in [("miss", 1), ("revalidated", 1), ("hit", 2)] {
        assert_eq!(counted(&metrics, "siteserver_source_store_total", outcome), expected, "{outcome}");
    }
}

/// What a site whose clock is stepped says, and the status if that is an error.
fn told(site: &SteppedSite) -> Result<u64, u16> {
    let response = site.get("/").unwrap();
    if response.status == 200 { Ok(response.json()["n"].as_u64().unwrap()) } else { Err(response.status) }
}

fn windows_end_when_they_say() {
    let fault = FaultServer::start();
    let files = page("cache = { max-age = \"1m\", stale-while-revalidate = \"20m\", stale-if-error = \"2h\" }");
    let site = SteppedSite::start(&archive(&fault, &files));
    let mut now = 0;
    let mut wait_until = |second: u64| {
        site.advance(Duration::from_secs(second.checked_sub(now).expect("time goes on")));
        now = second;
    };
    fault.put("/data", reply(1));
    assert_eq!(told(&site), Ok(1));
    fault.put("/data", Reply::json("{}").status(503));
    // As much as a tenth of the lifetime may be given up.
    wait_until(53);
    assert_eq!((told(&site), fault.calls("/data")), (Ok(1), 1));
    // It is used while it is fetched anew, which fails; and from the 1260th second on it is waited for, and stands for the error. Then it rests:
    // an attempt of before may end late.
    for (from, calls) in [(63, 2), (600, 3), (1_263, 4)] {
        for second in (from..).step_by(2) {
            wait_until(second);
            assert_eq!(told(&site), Ok(1));
            if fault.calls("/data") >= calls {
                break;
            }
        }
    }
    let calls = fault.calls("/data");
    assert_eq!((told(&site), fault.calls("/data")), (Ok(1), calls));
    // A second before the end of the window, and at its end.
    wait_until(60 + 7_200 - 1);
    assert_eq!(told(&site), Ok(1));
    wait_until(60 + 7_200);
    assert_eq!(told(&site), Err(502));
    fault.put("/data", reply(2));
    assert_eq!(told(&site), Ok(2));
    let calls = fault.calls("/data");
    wait_until(60 + 7_200 + 53);
    assert_eq!((told(&site), fault.calls("/data")), (Ok(2), calls));
}

fn an_absence_is_remembered_as_long_as_it_says() {
    let fault = FaultServer::start();
    let site = SteppedSite::start(&archive(&fault, &page("cache = { max-age = \"1h\" }")));
    fault.put("/data", Reply::json("{}").status(404));
    assert_eq!(told(&site), Err(404));
    fault.put("/data", reply(1));
    site.advance(Duration::from_secs(8));
    assert_eq!((told(&site), fault.calls("/data")), (Err(404), 1));
    site.advance(Duration::from_secs(2));
    assert_eq!((told(&site), fault.calls("/data")), (Ok(1), 2));
}
