//! What an origin's answers say of what is stored already: parts that are completed, answers to HEAD and POST, 304s about another variant, errors.

use super::{archive, site};
use crate::support::answers::{Delivery, Reply};
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, Response};
use crate::support::site::{Folder, Site, binary};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

crate::cases!(
    a_slash_that_is_spelled_out_stays_so,
    the_answer_to_head_freshens_what_is_stored,
    the_answer_to_head_shows_that_what_is_stored_is_old,
    a_part_is_completed,
    parts_make_a_whole,
    what_completes_no_part_is_asked_for_as_a_whole,
    a_stale_part_is_validated_as_what_it_is,
    the_answer_to_a_post_that_is_its_targets_answers_gets,
    a_304_may_be_about_another_variant,
    all_that_share_a_tag_are_freshened,
    caches_on_the_way_have_said_what_they_did,
    why_nothing_is_stored_is_said,
    an_error_takes_no_good_answers_place,
    who_waits_for_a_fetch_that_fails_is_told_so,
    who_waits_for_a_validation_gets_what_came_of_it,
    trailer_fields_go_both_ways,
    fields_that_go_no_further_choose_nothing,
    nothing_is_taken_for_what_we_say,
    a_change_reaches_what_others_keep_of_the_url,
    what_a_page_has_no_answer_to_is_passed_on,
    what_could_not_be_validated_rests,
    what_is_passed_on_is_explained,
    what_the_upstream_is_told_of_the_host_keeps_answers_apart,
    who_is_believed_is_passed_on,
    no_location_leads_to_another_host,
    what_one_visitor_may_not_have_stays_for_the_others,
    who_asks_badly_fails_alone,
    cookies_and_locations_lose_the_path_of_the_address,
);

const ALL: &str = "-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\n";

fn cache_status(response: &Response) -> &str {
    response.header("cache-status").unwrap_or_default()
}

fn text(body: &str) -> Reply {
    Reply::of("text/plain", body)
}

/// A part of `0123456789`.
fn part(first: usize, last: usize) -> Reply {
    let reply = text(&"0123456789"[first..=last]).status(206).header("etag", "\"1\"");
    reply.header("content-range", &format!("bytes {first}-{last}/10")).header("cache-control", "max-age=60")
}

fn a_slash_that_is_spelled_out_stays_so() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "{ALL}-- routes/two.toml --\npath = \"/two/{{a}}/{{*b}}\"\nproxy = \"up\"\nproxy-path = \"/x/{{params.b}}/{{params.a}}\"\n"
        ),
    );
    for (target, there) in [
        ("/a%2Fb", "/a%2Fb"),
        ("/a%2fb/%2F?c=%2F", "/a%2fb/%2F?c=%2F"),
        ("/%2F%2Fx", "/%2F%2Fx"),
        ("/two/a%2Fb/c%2Fd/e", "/x/c%2Fd/e/a%2Fb"),
        ("/two/%C3%BC/c", "/x/c/%C3%BC"),
    ] {
        fault.put(there.split('?').next().expect("a path"), text("it"));
        let response = site.get(target);
        let arrived = fault.requests(there.split('?').next().expect("a path")).pop();
        let arrived = arrived.unwrap_or_else(|| panic!("{target} has not arrived: {response:?}"));
        assert_eq!((response.status, &*arrived.target), (200, there), "{target}");
    }
}

fn the_answer_to_head_freshens_what_is_stored() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let reply = text("it").header("etag", "\"1\"");
    fault.put("/a", reply.clone().header("cache-control", "max-age=0"));
    site.get("/a");
    fault.put("/a", reply.header("cache-control", "max-age=60").header("x-new", "1"));
    assert_eq!(site.request("HEAD", "/a", &[], b"").status, 200);
    let response = site.get("/a");
    assert_eq!((response.text(), response.header("x-new"), fault.calls("/a")), ("it", Some("1"), 2));
    assert!(cache_status(&response).contains("hit"), "{response:?}");
    // A 304 to a HEAD does as well.
    fault.put("/b", text("it").header("etag", "\"1\"").header("cache-control", "max-age=0"));
    site.get("/b");
    fault.put("/b", text("").status(304).header("etag", "\"1\"").header("cache-control", "max-age=60"));
    let head = site.request("HEAD", "/b", &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, Some("2")));
    assert_eq!((site.get("/b").text(), fault.calls("/b")), ("it", 2));
}

fn the_answer_to_head_shows_that_what_is_stored_is_old() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    fault.put("/a", text("it").header("etag", "\"1\"").header("cache-control", "max-age=60"));
    site.get("/a");
    fault.put("/a", text("another").header("etag", "\"2\"").header("cache-control", "max-age=60"));
    assert_eq!(site.get("/a").text(), "it");
    site.request("HEAD", "/a", &[("cache-control", "no-cache")], b"");
    assert_eq!(site.get("/a").text(), "another");
}

fn a_part_is_completed() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    for (path, stored, asked, rest) in [
        ("/begin", part(0, 4), "bytes=5-", part(5, 9).header("x-new", "1")),
        ("/end", part(5, 9), "bytes=0-4", part(0, 4).header("x-new", "1")),
        ("/chunks", part(0, 2), "bytes=3-", part(3, 9).header("x-new", "1").delivered(Delivery::Chunked)),
    ] {
        fault.put(path, stored);
        assert_eq!(site.request("GET", path, &[("range", "bytes=a")], b"").status, 206);
        fault.put(path, rest);
        let response = site.get(path);
        assert_eq!((response.status, response.text(), response.header("x-new")), (200, "0123456789", Some("1")));
        assert_eq!(response.header("content-length"), Some("10"), "{path}");
        assert_eq!((response.header("content-range"), response.headers("via").len()), (None, 1), "{path}");
        let arrived = fault.requests(path).pop().expect("a request");
        assert_eq!((arrived.header("range"), arrived.header("if-range")), (Some(asked), Some("\"1\"")), "{path}");
        assert_eq!(response.headers("cache-status"), ["siteserver; fwd=partial; stored"]);
        let again = site.get(path);
        assert_eq!((again.text(), fault.calls(path)), ("0123456789", 2), "{path}");
        let slice = site.request("GET", path, &[("range", "bytes=4-5")], b"");
        assert_eq!((slice.status, slice.text(), fault.calls(path)), (206, "45", 2), "{path}");
    }
}

fn parts_make_a_whole() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    for (range, reply) in [("bytes=0-4", part(0, 4)), ("bytes=4-7", part(4, 7)), ("bytes=8-9", part(8, 9))] {
        fault.put("/a", reply);
        assert_eq!(site.request("GET", "/a", &[("range", range)], b"").status, 206);
    }
    let response = site.get("/a");
    assert_eq!((response.status, response.text(), fault.calls("/a")), (200, "0123456789", 3));
    // What leaves something out between is not joined: the last stays.
    for (range, reply) in [("bytes=0-1", part(0, 1)), ("bytes=5-6", part(5, 6))] {
        fault.put("/b", reply);
        assert_eq!(site.request("GET", "/b", &[("range", range)], b"").status, 206);
    }
    assert_eq!(site.request("GET", "/b", &[("range", "bytes=6-6")], b"").text(), "6");
    assert_eq!(fault.calls("/b"), 2);
}

fn what_completes_no_part_is_asked_for_as_a_whole() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    // The representation has changed: the upstream sends all of it.
    fault.put("/changed", part(0, 4));
    site.request("GET", "/changed", &[("range", "bytes=0-4")], b"");
    fault.put("/changed", text("another").header("etag", "\"2\"").header("cache-control", "max-age=60"));
    for _ in 0..2 {
        assert_eq!(site.get("/changed").text(), "another");
    }
    assert_eq!(fault.calls("/changed"), 2);
    // What comes is no part of it, or nothing at all.
    let other = text("56789").status(206).header("etag", "\"2\"").header("content-range", "bytes 5-9/10");
    let none = text("").status(416).header("content-range", "bytes */3");
    for (path, reply) in [("/other", other), ("/none", none)] {
        fault.put(path, part(0, 4));
        site.request("GET", path, &[("range", "bytes=0-4")], b"");
        fault.put(path, reply);
        site.get(path);
        let arrived = fault.requests(path);
        assert_eq!((arrived.len(), arrived[2].header("range"), arrived[2].header("if-range")), (3, None, None));
    }
    // The missing part breaks off: so does the answer, and nothing of it is kept.
    fault.put("/short", part(0, 4));
    site.request("GET", "/short", &[("range", "bytes=0-4")], b"");
    let short = text("56").status(206).header("etag", "\"1\"").header("content-range", "bytes 5-9/10");
    fault.put("/short", short.delivered(Delivery::Chunked));
    let mut connection = Connection::open(site.address());
    connection.send("GET /short HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
    assert!(connection.response().is_err());
    fault.put("/short", part(5, 9));
    assert_eq!(site.get("/short").text(), "0123456789");
}

fn a_stale_part_is_validated_as_what_it_is() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let old = |reply: Reply| reply.header("age", "100");
    fault.put("/a", old(part(0, 4)));
    site.request("GET", "/a", &[("range", "bytes=0-4")], b"");
    fault.put("/a", text("").status(304).header("etag", "\"1\"").header("cache-control", "max-age=60"));
    let response = site.request("GET", "/a", &[("range", "bytes=1-2")], b"");
    assert_eq!((response.status, response.text()), (206, "12"));
    let arrived = fault.requests("/a").pop().expect("a request");
    assert_eq!((arrived.header("range"), arrived.header("if-none-match")), (Some("bytes=1-2"), Some("\"1\"")));
    assert_eq!(site.request("GET", "/a", &[("range", "bytes=3-4")], b"").text(), "34");
    assert_eq!(fault.calls("/a"), 2);
}

fn the_answer_to_a_post_that_is_its_targets_answers_gets() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let reply =
        |location: &str| text("made").header("cache-control", "max-age=60").header("content-location", location);
    fault.put("/a", text("before").header("cache-control", "max-age=60"));
    site.get("/a");
    fault.put("/a", reply("/a"));
    assert_eq!(site.request("POST", "/a", &[], b"x").text(), "made");
    let response = site.get("/a");
    assert_eq!((response.text(), fault.calls("/a")), ("made", 2));
    assert!(cache_status(&response).contains("hit"), "{response:?}");
    // It is another's, or says no lifetime.
    fault.put("/b", reply("/c"));
    fault.put("/d", text("made").header("content-location", "/d"));
    for path in ["/b", "/d"] {
        site.request("POST", path, &[], b"x");
        site.get(path);
        assert_eq!(fault.calls(path), 2, "{path}");
    }
}

fn a_304_may_be_about_another_variant() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let ask = |variant: &str| site.request("GET", "/a", &[("x-variant", variant)], b"");
    for (variant, tag) in [("one", "\"1\""), ("two", "\"2\""), ("weak", "W/\"3\"")] {
        let reply = text(variant).header("etag", tag).header("vary", "x-variant");
        fault.put("/a", reply.header("cache-control", "max-age=60"));
        ask(variant);
    }
    let not_modified = text("").status(304).header("etag", "\"1\"").header("vary", "x-variant");
    fault.put("/a", not_modified.header("cache-control", "max-age=60"));
    assert_eq!(ask("three").text(), "one");
    let arrived = fault.requests("/a").pop().expect("a request");
    assert_eq!(arrived.header("if-none-match"), Some("\"2\", \"1\""));
    assert_eq!(
        (ask("three").text(), ask("one").text(), ask("two").text(), fault.calls("/a")),
        ("one", "one", "two", 4)
    );
    // A client's own condition is not ours to add to.
    site.request("GET", "/a", &[("x-variant", "four"), ("if-none-match", "\"9\"")], b"");
    assert_eq!(fault.requests("/a").pop().expect("a request").header("if-none-match"), Some("\"9\""));
}

fn all_that_share_a_tag_are_freshened() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let ask = |variant: &str| site.request("GET", "/a", &[("x-variant", variant)], b"");
    for variant in ["one", "two"] {
        let reply = text("same").header("etag", "\"1\"").header("vary", "x-variant");
        fault.put("/a", reply.header("cache-control", "max-age=60").header("age", "100"));
        ask(variant);
    }
    let not_modified = text("").status(304).header("etag", "\"1\"").header("vary", "x-variant");
    fault.put("/a", not_modified.header("cache-control", "max-age=60"));
    assert_eq!((ask("one").text(), ask("two").text(), fault.calls("/a")), ("same", "same", 3));
}

fn caches_on_the_way_have_said_what_they_did() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let reply = text("it").header("cache-control", "max-age=60").header("cache-status", "origin; hit");
    fault.put("/a", reply);
    let first = site.get("/a");
    let second = site.get("/a");
    assert_eq!(first.headers("cache-status"), ["origin; hit", "siteserver; fwd=uri-miss; stored"]);
    assert_eq!((second.headers("cache-status").len(), second.headers("cache-status")[0]), (2, "origin; hit"));
    assert!(second.headers("cache-status")[1].starts_with("siteserver; hit; ttl="), "{second:?}");
    let unchanged = site.request("GET", "/a", &[("if-modified-since", "Sun, 06 Nov 2094 08:49:37 GMT")], b"");
    assert_eq!((unchanged.status, unchanged.headers("cache-status").len()), (304, 2));
}

fn why_nothing_is_stored_is_said() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let long = Reply::of("text/plain", vec![b'x'; 2 << 20]).header("cache-control", "max-age=60");
    for (path, reply, fields, expected) in [
        ("/a", text("").header("cache-control", "no-store"), &[][..], "fwd=uri-miss; detail=no-store"),
        ("/b", text("").header("cache-control", "private"), &[], "fwd=uri-miss; detail=private"),
        ("/c", text(""), &[], "fwd=uri-miss; detail=no-lifetime"),
        ("/d", text(""), &[("if-match", "\"1\"")], "fwd=bypass; detail=condition"),
        ("/e", long.clone(), &[], "fwd=uri-miss; detail=too-large"),
        (
            "/f",
            text("").header("cache-control", "max-age=60").header("trailer", "x"),
            &[],
            "fwd=uri-miss; detail=trailer",
        ),
    ] {
        fault.put(path, reply);
        let response = site.request("GET", path, fields, b"");
        assert_eq!(cache_status(&response), format!("siteserver; {expected}"), "{path}");
    }
}

fn an_error_takes_no_good_answers_place() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let good = text("it").header("etag", "\"1\"").header("cache-control", "max-age=0, must-revalidate");
    fault.put("/a", good);
    site.get("/a");
    fault.put("/a", text("broken").status(503).header("cache-control", "max-age=60"));
    assert_eq!((site.get("/a").status, site.get("/a").status), (503, 503));
    fault.put("/a", text("").status(304).header("etag", "\"1\""));
    assert_eq!(site.get("/a").text(), "it");
}

/// Those who ask for `/a` at once, as soon as `first` has arrived: statuses and texts.
fn all_at_once(address: SocketAddr, count: usize) -> Vec<thread::JoinHandle<(u16, String)>> {
    let ask = move || {
        let response = Connection::open(address).request("GET", "/a", &[], b"");
        (response.status, response.text().to_owned())
    };
    (0..count).map(|_| thread::spawn(ask)).collect()
}

fn who_waits_for_a_fetch_that_fails_is_told_so() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    fault.put("/a", text("it").delivered(Delivery::Reset(0)));
    fault.let_through(Some(0));
    let asking = all_at_once(site.address(), 8);
    fault.wait_for("/a", 1);
    fault.let_through(None);
    let answers: Vec<u16> = asking.into_iter().map(|asking| asking.join().expect("an answer").0).collect();
    assert_eq!(answers, [502; 8]);
    // Whoever was too late to wait has asked by himself.
    assert!(fault.calls("/a") <= 8, "{}", fault.calls("/a"));
}

fn who_waits_for_a_validation_gets_what_came_of_it() {
    let fault = FaultServer::start();
    let site = super::admin::options().start(&archive(&fault, ALL));
    fault.put("/a", text("it").header("etag", "\"1\"").header("cache-control", "max-age=60"));
    site.get("/a");
    super::admin::ask(&site, "POST", "/purge", &[], r#"{"path":"/a","soft":true}"#);
    fault.put("/a", text("").status(304).header("etag", "\"1\"").header("cache-control", "max-age=60"));
    fault.let_through(Some(1));
    let asking = all_at_once(site.address(), 8);
    fault.wait_for("/a", 2);
    fault.let_through(None);
    for asking in asking {
        assert_eq!(asking.join().expect("an answer"), (200, "it".to_owned()));
    }
    assert_eq!(fault.calls("/a"), 2);
}

/// An upstream that answers one request with trailer fields; what it was sent.
fn with_trailers() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, sent) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut request, mut octet) = (Vec::new(), [0]);
        while !request.ends_with(b"x-sum: 1\r\n\r\n") && stream.read_exact(&mut octet).is_ok() {
            request.push(octet[0]);
        }
        sender.send(String::from_utf8_lossy(&request).into_owned()).expect("somebody who waits");
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-check\r\ncache-control: max-age=60\r\n\r\n\
                      2\r\nit\r\n0\r\nx-check: 2\r\n\r\n";
        stream.write_all(answer.as_bytes()).expect("written");
    });
    (address, sent)
}

fn trailer_fields_go_both_ways() {
    let (address, sent) = with_trailers();
    let site = Site::start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\nallow-private = true\n{ALL}"
    ));
    let mut connection = site.connect();
    let request = "POST /a HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\nconnection: te\r\ntransfer-encoding: chunked\r\n\
                   trailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";
    connection.send(request).expect("sent");
    let (mut stream, mut answer, mut octet) = (connection.stream(), Vec::new(), [0]);
    while !answer.ends_with(b"0\r\nx-check: 2\r\n\r\n") && stream.read_exact(&mut octet).is_ok() {
        answer.push(octet[0]);
    }
    let (answer, sent) = (String::from_utf8_lossy(&answer), sent.recv().expect("a request"));
    assert!(answer.ends_with("0\r\nx-check: 2\r\n\r\n"), "{answer}");
    assert!(sent.to_ascii_lowercase().contains("trailer: x-sum") && sent.ends_with("x-sum: 1\r\n\r\n"), "{sent}");
}

fn fields_that_go_no_further_choose_nothing() {
    let fault = FaultServer::start();
    let site = site(&fault, &format!("{ALL}preserve-host = true\n"));
    fault.put("/a", text("plain").header("cache-control", "max-age=60").header("vary", "x-lang"));
    let fields = [("x-lang", "de"), ("connection", "x-lang, host, x-none")];
    assert_eq!(site.request("GET", "/a", &fields, b"").text(), "plain");
    let arrived = fault.requests("/a").pop().expect("a request");
    // Where a request goes is not for the connection to leave out.
    assert_eq!((arrived.header("x-lang"), arrived.header("host")), (None, Some("localhost")));
    fault.put("/a", text("german").header("cache-control", "max-age=60").header("vary", "x-lang"));
    assert_eq!(site.request("GET", "/a", &[("x-lang", "de")], b"").text(), "german");
    assert_eq!((site.get("/a").text(), site.request("GET", "/a", &fields, b"").text()), ("plain", "plain"));
    assert_eq!(fault.calls("/a"), 2);
}

fn nothing_is_taken_for_what_we_say() {
    let fault = FaultServer::start();
    let site = Site::start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"{}\"\nallow-private = true\nheaders = {{ x-api-key = \"ours\" }}\n{ALL}",
        fault.url("")
    ));
    fault.put("/a", text("it"));
    // Programs behind CGI read `_` and `-` alike.
    let claims = [
        ("x_forwarded_for", "192.0.2.9"),
        ("X-Forwarded_Host", "evil.example"),
        ("content_length", "5"),
        ("transfer_encoding", "chunked"),
        ("x_api-key", "theirs"),
        ("x_mine", "1"),
    ];
    site.request("GET", "/a", &claims, b"");
    let arrived = fault.requests("/a").pop().expect("a request");
    let odd: Vec<&str> =
        arrived.headers.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains('_')).collect();
    assert_eq!((odd, arrived.header("x-api-key")), (vec!["x_mine"], Some("ours")));
}

fn a_change_reaches_what_others_keep_of_the_url() {
    let fault = FaultServer::start();
    let page = "-- routes/page.toml --\npath = \"/page\"\njson = { a = \"{s.a}\" }\n\
                sources.s = { upstream = \"up\", path = \"/thing\", cache = { max-age = \"1m\" }, extract.a = \"$.a\" }\n";
    let change = "-- routes/change.toml --\npath = \"/change\"\njson = { a = \"{s.a}\" }\n\
                  sources.s = { upstream = \"up\", path = \"/thing\", method = \"POST\", body = { b = 1 }, extract.a = \"$.a\" }\n";
    let site = site(&fault, &format!("{ALL}{page}{change}"));
    fault.put("/thing", Reply::json(r#"{"a":"1"}"#).header("cache-control", "max-age=60"));
    let asked = |target: &str| {
        let before = fault.calls("/thing");
        assert_eq!(site.get(target).status, 200, "{target}");
        fault.calls("/thing") - before
    };
    assert_eq!([asked("/page"), asked("/page"), asked("/thing"), asked("/thing")], [1, 0, 1, 0]);
    assert_eq!(site.request("POST", "/thing", &[], b"x").status, 200);
    assert_eq!([asked("/page"), asked("/page"), asked("/thing"), asked("/thing")], [1, 0, 1, 0]);
    assert_eq!(asked("/change"), 1);
    assert_eq!([asked("/page"), asked("/page"), asked("/thing"), asked("/thing")], [1, 0, 1, 0]);
    // An error has changed nothing.
    fault.put("/thing", Reply::json(r#"{"a":"1"}"#).status(503));
    assert_eq!(site.request("POST", "/thing", &[], b"x").status, 503);
    assert_eq!([asked("/page"), asked("/thing")], [0, 0]);
}

fn what_a_page_has_no_answer_to_is_passed_on() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/item.toml --\npath = \"/items/{id}\"\nparams.id = { type = \"int\" }\nlayout = \"item.html\"\n\
         sources.thing = { upstream = \"up\", path = \"/api/{params.id}\", extract.name = \"$.name\" }\n\
         on-not-found = { proxy = \"up\" }\n-- layouts/item.html --\nnew {{ thing.name }}",
    );
    fault.put("/api/1", Reply::json(r#"{"name":"one"}"#));
    fault.put("/api/2", Reply::json("{}").status(404));
    fault.put("/api/3", Reply::json("{}").status(500));
    for path in ["/items/1", "/items/2", "/items/old-name"] {
        fault.put(path, text("old").header("cache-control", "max-age=60"));
    }
    assert_eq!(site.get("/items/1").text(), "new one\n");
    for path in ["/items/2", "/items/old-name"] {
        let (first, second) = (site.get(path), site.get(path));
        assert_eq!((first.status, first.text(), second.text(), fault.calls(path)), (200, "old", "old", 1), "{path}");
        assert!(cache_status(&second).contains("hit"), "{second:?}");
        assert_eq!(site.request("HEAD", path, &[], b"").header("content-length"), Some("3"));
    }
    // What fails is no absence, and what the old site lacks too is its own 404.
    fault.put("/items/4", text("gone").status(404));
    fault.put("/api/4", Reply::json("{}").status(404));
    assert_eq!((site.get("/items/3").status, site.get("/items/4").text()), (502, "gone"));
}

fn what_could_not_be_validated_rests() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    fault.put("/a", text("it").header("etag", "\"1\"").header("cache-control", "max-age=0"));
    site.get("/a");
    // Nobody waits for an upstream of which it has just turned out that it does not answer.
    drop(fault);
    let answers: Vec<Response> = (0..8).map(|_| site.get("/a")).collect();
    assert!(answers.iter().all(|answer| (answer.status, answer.text()) == (200, "it")), "{answers:?}");
    assert!(answers.iter().all(|answer| cache_status(answer).contains("fwd=stale; ttl=-")), "{answers:?}");
    // Who asks for what is valid now is told that nobody knows.
    assert_eq!(site.request("GET", "/a", &[("cache-control", "no-cache")], b"").status, 502);
}

fn what_is_passed_on_is_explained() {
    let fault = FaultServer::start();
    let folder = Folder::new();
    folder.unpack(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"{}\"\nallow-private = true\nquery = {{ token = \"t\" }}\n\
         -- routes/all.toml --\npath = \"/shop/{{*rest}}\"\nproxy = \"up\"\nproxy-path = \"/app/{{params.rest}}\"\n\
         cache = {{ stale-while-revalidate = \"1m\" }}\n",
        fault.url("")
    ));
    let explain = |arguments: &[&str]| {
        let config = folder.path().join("site.toml");
        let mut command = binary();
        let output = command.arg("explain").arg("--config").arg(config).args(arguments).output().expect("it ran");
        String::from_utf8(output.stdout).expect("text")
    };
    let told = explain(&["/shop/a%2Fb?x=1"]);
    for expected in [
        "`GET /app/a%2Fb?x=1`, with the query of every call to it",
        "fresh: as the answer says; stale while it is fetched anew: 1m",
        "/shop/a%2Fb?x=1",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("token"), "{told}");
}

fn what_the_upstream_is_told_of_the_host_keeps_answers_apart() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    let ask = |host: &str| {
        let mut connection = site.connect();
        connection.send(format!("GET /a HTTP/1.1\r\nhost: {host}\r\n\r\n")).expect("sent");
        connection.response().expect("an answer").text().to_owned()
    };
    let reply = |text_: &str| text(text_).header("cache-control", "max-age=60");
    fault.put("/a", reply("http://evil.example/"));
    assert_eq!(ask("evil.example"), "http://evil.example/");
    fault.put("/a", reply("http://good.example/"));
    assert_eq!([ask("good.example"), ask("evil.example")], ["http://good.example/", "http://evil.example/"]);
    // What is said of the client says no client: nobody would be told apart.
    fault.put("/b", reply("yours").header("vary", "X-Forwarded-For"));
    assert!(cache_status(&site.get("/b")).ends_with("detail=vary"));
}

fn who_is_believed_is_passed_on() {
    let fault = FaultServer::start();
    let site = Site::start(&format!(
        "-- site.toml --\n[server]\ntrusted-proxies = [\"127.0.0.1\"]\n[upstreams.up]\nbase-url = \"{}\"\nallow-private = true\n{ALL}",
        fault.url("")
    ));
    fault.put("/a", text("it").header("cache-control", "max-age=60"));
    let fields = |proto: &'static str| {
        [("x-forwarded-for", "192.0.2.9"), ("x-forwarded-proto", proto), ("x-forwarded-host", "shop.example")]
    };
    site.request("GET", "/a", &fields("https"), b"");
    let arrived = fault.requests("/a").pop().expect("a request");
    let told = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map(|name| {
        let lines = arrived.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        lines.collect::<Vec<_>>().join(", ")
    });
    assert_eq!(told, ["192.0.2.9, 127.0.0.1", "https", "shop.example"]);
    // Of another scheme it is another answer.
    assert!(cache_status(&site.request("GET", "/a", &fields("http"), b"")).contains("fwd=uri-miss"));
    assert!(cache_status(&site.request("GET", "/a", &fields("https"), b"")).contains("hit"));
}

fn no_location_leads_to_another_host() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    for (location, expected) in [
        (format!("{}/x/", fault.url("")), "/x/".to_owned()),
        (format!("{}//evil.example/x/", fault.url("")), format!("{}//evil.example/x/", fault.url(""))),
        (format!("{}/\\evil.example", fault.url("")), format!("{}/\\evil.example", fault.url(""))),
    ] {
        fault.put("/a", text("").status(302).header("location", &location));
        assert_eq!(site.get("/a").header("location"), Some(&*expected), "{location}");
    }
    for target in ["/a/..;/b", "/a/..%3bx/b", "/.;a/b"] {
        assert_eq!(site.get(target).status, 400, "{target}");
    }
}

fn what_one_visitor_may_not_have_stays_for_the_others() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    fault.put("/a", text("all").header("cache-control", "max-age=60").header("vary", "cookie"));
    site.get("/a");
    fault.put("/a", text("mine").header("cache-control", "no-store").header("vary", "cookie"));
    assert_eq!(site.request("GET", "/a", &[("cookie", "s=1")], b"").text(), "mine");
    assert!(cache_status(&site.get("/a")).contains("hit"));
}

fn who_asks_badly_fails_alone() {
    let fault = FaultServer::start();
    let site = site(&fault, ALL);
    fault.put("/a", text("it").delivered(Delivery::Raw(b"nonsense\r\n\r\n".to_vec())));
    fault.let_through(Some(0));
    let bad = all_at_once(site.address(), 1);
    fault.wait_for("/a", 1);
    let good = all_at_once(site.address(), 4);
    // What is wrong with the answer may be wrong with that request alone: the others ask for themselves.
    fault.let_through(None);
    for asking in bad.into_iter().chain(good) {
        assert_eq!(asking.join().expect("an answer").0, 502);
    }
    assert!(fault.calls("/a") > 1, "{}", fault.calls("/a"));
}

fn cookies_and_locations_lose_the_path_of_the_address() {
    let fault = FaultServer::start();
    let start = |files: &str| {
        let base = fault.url("/app");
        Site::start(&format!("-- site.toml --\n[upstreams.up]\nbase-url = \"{base}\"\nallow-private = true\n{files}"))
    };
    let reply =
        |location: &str, cookie: &str| text("").status(302).header("location", location).header("set-cookie", cookie);
    let plain = start(ALL);
    let mounted =
        start("-- routes/m.toml --\npath = \"/m/{*rest}\"\nproxy = \"up\"\nproxy-path = \"/{params.rest}\"\n");
    for (cookie, here, below) in [
        ("s=1; Path=/app; HttpOnly", "s=1; Path=/; HttpOnly", "s=1; Path=/m; HttpOnly"),
        ("t=1; path=/app/x/", "t=1; Path=/x/", "t=1; Path=/m/x/"),
        ("u=1; Path=/other", "u=1; Path=/other", "u=1; Path=/other"),
    ] {
        fault.put("/app/a", reply("/app/done", cookie));
        let (plain, mounted) = (plain.get("/a"), mounted.get("/m/a"));
        assert_eq!((plain.header("location"), mounted.header("location")), (Some("/done"), Some("/m/done")));
        assert_eq!((plain.header("set-cookie"), mounted.header("set-cookie")), (Some(here), Some(below)));
    }
    // By the host that it was told.
    fault.put("/app/b", reply("http://localhost/app/done", "s=1"));
    assert_eq!(mounted.get("/m/b").header("location"), Some("/m/done"));
}
