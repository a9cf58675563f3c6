//! Routes that pass an upstream's answers on: what reaches the upstream, what comes back, and what is answered without it.

use super::{archive, site, until};
use crate::support::answers::{Delivery, Reply};
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, compose};
use crate::support::site::{Options, Site};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

crate::cases!(
    a_request_reaches_the_upstream_as_it_was_sent,
    what_belongs_to_one_connection_goes_no_further,
    who_asked_is_told_and_not_believed,
    bodies_of_any_framing_arrive,
    what_is_mounted_below_a_prefix_leads_back_to_it,
    no_path_climbs_out_of_its_prefix,
    what_is_fresh_is_asked_for_once,
    what_is_stale_is_validated,
    conditions_and_ranges_are_answered_from_what_is_stored,
    a_change_makes_what_is_stored_invalid,
    a_stale_answer_stands_in_for_an_upstream_that_fails,
    a_purge_reaches_what_is_stored,
    without_a_cache_nothing_is_stored,
    what_sets_a_cookie_is_not_kept_by_guess,
    many_who_ask_for_the_same_are_one_request,
    what_is_not_kept_is_nobodys_to_wait_for,
    a_304_about_something_else_is_asked_again,
    a_connection_switches_where_that_is_declared,
);

const ALL: &str = "-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\n";

fn start(fault: &FaultServer) -> Site {
    site(fault, ALL)
}

fn cache_status(response: &crate::support::http::Response) -> &str {
    response.header("cache-status").unwrap_or_default()
}

fn a_request_reaches_the_upstream_as_it_was_sent() {
    let fault = FaultServer::start();
    let site = start(&fault);
    for (method, target) in [
        ("GET", "/a"),
        ("GET", "/a//b/"),
        ("GET", "/A%7eb/%zz"),
        ("GET", "/%e4%ff/x?"),
        ("GET", "/q?x=[1]&x=2&%00=|"),
        ("M-SEARCH", "/m"),
        ("DELETE", "/d"),
        ("OPTIONS", "/o"),
    ] {
        let path = target.split('?').next().unwrap_or(target);
        fault.put(path, Reply::of("text/plain", "it").header("x-twice", "a"));
        let response = site.request(method, target, &[("x-mine", "1"), ("x-mine", "2"), ("accept", "x/y")], b"");
        assert_eq!((response.status, response.text()), (200, "it"), "{method} {target}");
        let arrived = fault.requests(path).pop().unwrap_or_else(|| panic!("{target} has not arrived"));
        assert_eq!((&*arrived.method, &*arrived.target), (method, target));
        let mine: Vec<&str> =
            arrived.headers.iter().filter(|(name, _)| name == "x-mine").map(|(_, value)| value.as_str()).collect();
        assert_eq!(mine, ["1", "2"]);
        assert_eq!(arrived.header("host"), Some(&*fault.address().to_string()));
        assert_eq!(arrived.header("via"), Some("1.1 siteserver"));
        assert_eq!(response.header("via"), Some("1.1 siteserver"));
    }
}

fn what_belongs_to_one_connection_goes_no_further() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put(
        "/a",
        Reply::of("text/plain", "it").header("connection", "x-hop").header("x-hop", "1").header("x-end", "1"),
    );
    let fields = [
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("proxy-connection", "x"),
        ("x-end", "1"),
    ];
    let response = site.request("GET", "/a", &fields, b"");
    let arrived = fault.requests("/a").pop().expect("a request");
    for name in ["x-hop", "proxy-connection", "keep-alive"] {
        assert_eq!((arrived.header(name), response.header(name)), (None, None), "{name}");
    }
    assert_eq!((arrived.header("x-end"), response.header("x-end")), (Some("1"), Some("1")));
}

fn who_asked_is_told_and_not_believed() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it"));
    let claims =
        [("x-forwarded-for", "192.0.2.9"), ("x-forwarded-host", "evil.example"), ("forwarded", "for=192.0.2.9")];
    site.request("GET", "/a", &claims, b"");
    let arrived = fault.requests("/a").pop().expect("a request");
    assert_eq!(arrived.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_ne!(arrived.header("x-forwarded-host"), Some("evil.example"));
    assert_eq!((arrived.header("x-forwarded-proto"), arrived.header("forwarded")), (Some("http"), None));
}

fn bodies_of_any_framing_arrive() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/up", Reply::of("text/plain", "taken"));
    let body = vec![b'x'; 100_000];
    assert_eq!(site.request("POST", "/up", &[], &body).text(), "taken");
    let mut connection = site.connect();
    let chunked = "PUT /up HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    connection.send(chunked).expect("sent");
    assert_eq!(connection.response().expect("an answer").text(), "taken");
    let arrived = fault.requests("/up");
    assert_eq!((arrived[0].body.len(), &*arrived[1].body), (body.len(), &b"hello world"[..]));
    // What came back in chunks is whole, and what breaks off is an error.
    fault.put("/chunks", Reply::of("text/plain", vec![b'y'; 50_000]).delivered(Delivery::Chunked));
    assert_eq!(site.get("/chunks").body.len(), 50_000);
}

fn what_is_mounted_below_a_prefix_leads_back_to_it() {
    let fault = FaultServer::start();
    let mounted =
        "-- routes/shop.toml --\npath = \"/shop/{*rest}\"\nproxy = \"up\"\nproxy-path = \"/app/{params.rest}\"\n";
    let site = site(&fault, mounted);
    fault.put(
        "/app/cart/",
        Reply::of("text/plain", "cart")
            .header("location", "/app/done?x")
            .header("set-cookie", "s=1; Path=/app/cart; Secure"),
    );
    let response = site.get("/shop/cart/?a=/app/");
    assert_eq!(fault.requests("/app/cart/").pop().expect("a request").target, "/app/cart/?a=/app/");
    assert_eq!(response.header("location"), Some("/shop/done?x"));
    assert_eq!(response.header("set-cookie"), Some("s=1; Path=/shop/cart; Secure"));
}

fn no_path_climbs_out_of_its_prefix() {
    let fault = FaultServer::start();
    let mounted =
        "-- routes/shop.toml --\npath = \"/shop/{*rest}\"\nproxy = \"up\"\nproxy-path = \"/app/{params.rest}\"\n";
    let site = site(&fault, mounted);
    for target in ["/shop/../admin", "/shop/%2e%2e/admin", "/shop/a/..%2f..%2fadmin", "/shop/..%5cadmin", "/shop/./x"] {
        let response = site.get(target);
        assert!((300..500).contains(&response.status), "{target}: {}", response.status);
    }
    assert_eq!(fault.total_calls(), 0);
}

fn what_is_fresh_is_asked_for_once() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=60"));
    assert_eq!(cache_status(&site.get("/a")), "siteserver; fwd=uri-miss; stored");
    for _ in 0..3 {
        let hit = site.get("/a");
        assert!(cache_status(&hit).starts_with("siteserver; hit; ttl="), "{hit:?}");
        assert_eq!((hit.text(), hit.header("age").is_some()), ("it", true));
    }
    assert_eq!(fault.calls("/a"), 1);
    assert!(cache_status(&site.request("GET", "/a", &[("cache-control", "no-cache")], b"")).contains("fwd=request"));
    assert_eq!(fault.calls("/a"), 2);
    assert_eq!(site.request("GET", "/none", &[("cache-control", "only-if-cached")], b"").status, 504);
}

fn what_is_stale_is_validated() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=0").header("etag", "\"1\""));
    assert_eq!(site.get("/a").text(), "it");
    fault.put("/a", Reply::of("text/plain", "").status(304).header("etag", "\"1\"").header("x-new", "1"));
    let response = site.get("/a");
    assert_eq!((response.status, response.text(), response.header("x-new")), (200, "it", Some("1")));
    assert_eq!(fault.requests("/a").pop().expect("a request").header("if-none-match"), Some("\"1\""));
}

fn conditions_and_ranges_are_answered_from_what_is_stored() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault
        .put("/a", Reply::of("text/plain", "0123456789").header("cache-control", "max-age=60").header("etag", "\"1\""));
    site.get("/a");
    let has = site.request("GET", "/a", &[("if-none-match", "\"1\"")], b"");
    assert_eq!((has.status, has.header("etag")), (304, Some("\"1\"")));
    let part = site.request("GET", "/a", &[("range", "bytes=2-4")], b"");
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "234", Some("bytes 2-4/10")));
    let head = site.request("HEAD", "/a", &[], b"");
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, Some("10"), ""));
    assert_eq!(site.request("GET", "/a", &[("range", "bytes=20-")], b"").status, 416);
    assert_eq!(fault.calls("/a"), 1);
}

fn a_change_makes_what_is_stored_invalid() {
    let fault = FaultServer::start();
    let site = start(&fault);
    for path in ["/a", "/b"] {
        fault.put(path, Reply::of("text/plain", "it").header("cache-control", "max-age=60").header("location", "/b"));
        site.get(path);
    }
    assert_eq!(site.request("POST", "/a", &[], b"x").status, 200);
    for path in ["/a", "/b"] {
        assert!(cache_status(&site.get(path)).contains("fwd=uri-miss"), "{path}");
    }
}

fn a_stale_answer_stands_in_for_an_upstream_that_fails() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=0").header("etag", "\"1\""));
    site.get("/a");
    fault.put("/a", Reply::of("text/plain", "broken").status(503));
    let response = site.get("/a");
    assert_eq!((response.status, response.text()), (200, "it"));
    assert!(cache_status(&response).contains("fwd=stale"), "{response:?}");
    fault.put(
        "/b",
        Reply::of("text/plain", "it").header("cache-control", "max-age=0, must-revalidate").header("etag", "\"1\""),
    );
    site.get("/b");
    fault.put("/b", Reply::of("text/plain", "broken").status(503));
    assert_eq!((site.get("/b").status, site.get("/none").status), (503, 404));
}

fn a_purge_reaches_what_is_stored() {
    let fault = FaultServer::start();
    let site = super::admin::options().start(&archive(&fault, ALL));
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=60"));
    site.get("/a");
    assert!(cache_status(&site.get("/a")).contains("hit"));
    super::admin::ask(&site, "POST", "/purge", &[], r#"{"path":"/a"}"#);
    assert!(cache_status(&until(&site, "/a", |_| true)).contains("fwd=uri-miss"));
}

fn without_a_cache_nothing_is_stored() {
    let fault = FaultServer::start();
    let site = site(&fault, "-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\ncache = false\n");
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=60"));
    for _ in 0..2 {
        assert_eq!(site.get("/a").header("cache-status"), None);
    }
    assert_eq!(fault.calls("/a"), 2);
}

fn what_sets_a_cookie_is_not_kept_by_guess() {
    let fault = FaultServer::start();
    let site = Options::default().start(&archive(&fault, ALL));
    let reply = Reply::of("text/plain", "it").header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    fault.put("/a", reply.clone().header("set-cookie", "s=1"));
    fault.put("/b", reply);
    for path in ["/a", "/b"] {
        site.get(path);
        site.get(path);
    }
    assert_eq!((fault.calls("/a"), fault.calls("/b")), (2, 1));
}

fn many_who_ask_for_the_same_are_one_request() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "max-age=60"));
    fault.let_through(Some(0));
    let address = site.address();
    let asking: Vec<_> = (0..20)
        .map(|_| thread::spawn(move || Connection::open(address).request("GET", "/a", &[], b"").text().to_owned()))
        .collect();
    fault.wait_for("/a", 1);
    fault.let_through(None);
    for asking in asking {
        assert_eq!(asking.join().expect("an answer"), "it");
    }
    assert_eq!(fault.calls("/a"), 1);
}

fn what_is_not_kept_is_nobodys_to_wait_for() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "it").header("cache-control", "no-store"));
    site.get("/a");
    // Now that this is known, both are with the upstream at once.
    fault.let_through(Some(1));
    let address = site.address();
    let asking: Vec<_> = (0..2)
        .map(|_| thread::spawn(move || Connection::open(address).request("GET", "/a", &[], b"").status))
        .collect();
    fault.wait_for("/a", 3);
    fault.let_through(None);
    for asking in asking {
        assert_eq!(asking.join().expect("an answer"), 200);
    }
}

fn a_304_about_something_else_is_asked_again() {
    let fault = FaultServer::start();
    let site = start(&fault);
    fault.put("/a", Reply::of("text/plain", "old").header("cache-control", "max-age=0").header("etag", "\"1\""));
    site.get("/a");
    // An upstream that answers so also without conditions is broken, and its answer is passed on as it is.
    fault.put("/a", Reply::of("text/plain", "").status(304).header("etag", "\"2\""));
    site.get("/a");
    let asked = fault.requests("/a");
    assert_eq!(asked.len(), 3);
    assert_eq!((asked[1].header("if-none-match"), asked[2].header("if-none-match")), (Some("\"1\""), None));
}

/// An upstream that switches whoever asks, and echoes.
fn echoing() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let (mut head, mut octet) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut octet).is_ok() {
                    head.extend_from_slice(&octet);
                }
                let is_asked = String::from_utf8_lossy(&head).to_ascii_lowercase().contains("upgrade: websocket");
                let answer: &[u8] = if is_asked {
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-mine: 1\r\n\r\n"
                } else {
                    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nplain"
                };
                let mut buffer = [0; 1024];
                let mut written = stream.write_all(answer);
                while let (Ok(()), Ok(count @ 1..)) = (&written, stream.read(&mut buffer)) {
                    written = stream.write_all(&buffer[..count]);
                }
            });
        }
    });
    address
}

fn a_connection_switches_where_that_is_declared() {
    let address = echoing();
    let archive = |key: &str| {
        format!("-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\nallow-private = true\n{ALL}{key}\n")
    };
    let fields = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x")];
    let plain = Site::start(&archive(""));
    assert_eq!(plain.request("GET", "/chat", &fields, b"").text(), "plain");
    let site = Site::start(&archive("websocket = true"));
    let mut connection = site.connect();
    connection.send(compose("GET", "/chat", &fields, b"")).expect("sent");
    let mut stream = connection.stream();
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).expect("an answer");
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 101 ") && head.contains("upgrade: websocket") && head.contains("x-mine: 1"),
        "{head}"
    );
    for word in ["one", "two"] {
        stream.write_all(word.as_bytes()).expect("sent");
        let mut back = [0; 3];
        stream.read_exact(&mut back).expect("an echo");
        assert_eq!(&back, word.as_bytes());
    }
}
