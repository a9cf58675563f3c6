//! Requests that two programs could read in two ways, sent to a route that passes requests on, before an upstream that records every octet;
//! and answers of which the same is true.
//!
//! The lists are those of the public collections: request smuggling and desynchronisation (`CL.TE`, `TE.CL`, `TE.TE`, `CL.0`), the tests of
//! parsers, and what servers have disagreed about since. Whatever is sent, the upstream receives nothing, or whole requests that can be read in
//! one way only; and nobody else gets any of it.

use crate::support::answers::Reply;
use crate::support::fault::{FaultServer, Request};
use crate::support::http::Connection;
use crate::support::proof::{Random, scaled};
use crate::support::recorder::{Recorded, Recorder};
use crate::support::site::Site;
use crate::wire::malformed::{MALFORMED, octets};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

crate::cases!(
    a_malformed_head_reaches_no_upstream,
    what_is_framed_in_two_ways_reaches_no_upstream,
    a_body_that_is_none_is_never_whole_at_the_upstream,
    what_is_odd_and_clear_is_passed_on_in_one_way,
    whatever_is_sent_is_passed_on_in_one_way_or_not_at_all,
    an_answer_that_can_be_read_in_two_ways_is_refused_and_nothing_of_it_stays,
    what_follows_an_answer_is_nobodys,
    what_a_connection_lists_changes_nobody_elses_answer,
    names_that_an_origin_reads_as_others_are_not_passed_on,
);

const ROUTES: &str = "-- routes/kept.toml --\npath = \"/kept/{*rest}\"\nproxy = \"up\"\n\
-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\ncache = false\n";

fn start(upstream: SocketAddr) -> Site {
    Site::start(&format!(
        "-- site.toml --\n[log]\naccess = \"off\"\n[upstreams.up]\nbase-url = \"http://{upstream}\"\nallow-private = true\n{ROUTES}"
    ))
}

/// A site before a recorder, and somebody else who uses both meanwhile.
struct Bench {
    recorder: Recorder,
    site: Site,
    neighbour: Connection,
    sent: usize,
}

/// What came of some octets.
struct Outcome {
    /// All that was answered on their connection.
    answer: String,
    /// What the upstream has received of them.
    received: Vec<Recorded>,
}

impl Bench {
    fn new() -> Self {
        let recorder = Recorder::start();
        let site = start(recorder.address());
        let neighbour = site.connect();
        Self { recorder, site, neighbour, sent: 0 }
    }

    /// Sends these octets on a connection of their own, then nothing. Somebody else asks before and afterwards, and gets his own answers.
    fn send(&mut self, octets: &[u8]) -> Outcome {
        let before = self.recorder.count();
        let mut stream = TcpStream::connect(self.site.address()).expect("a connection");
        stream.set_read_timeout(Some(crate::support::SAFETY_NET)).expect("a timeout");
        // Both may be over before all is sent.
        stream.write_all(octets).ok();
        stream.shutdown(Shutdown::Write).ok();
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{:?}", String::from_utf8_lossy(octets));
        }
        let received = self.recorder.after(before);
        self.sent += 1;
        let token = format!("neighbour-{}", self.sent);
        let response = self.neighbour.request("GET", "/neighbour", &[("x-token", &token)], b"");
        let told = format!("token={token} GET /neighbour 0]");
        let octets = String::from_utf8_lossy(octets);
        assert!(response.status == 200 && response.text().ends_with(&told), "after {octets:?}: {response:?}");
        assert_eq!(self.recorder.faults(), [""; 0], "after {octets:?}");
        Outcome { answer: String::from_utf8_lossy(&answer).into_owned(), received }
    }

    /// The same; nothing may come to the upstream, and the status is told before the connection ends.
    fn refused(&mut self, octets: &[u8], status: u16) {
        let Outcome { answer, received } = self.send(octets);
        let octets = String::from_utf8_lossy(octets);
        assert!(received.is_empty(), "{octets:?} has come to the upstream: {received:?}");
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected) && answer.matches("HTTP/1.1").count() == 1, "{octets:?}: {answer}");
    }
}

/// What a smuggler wants to be read as a request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Token: smuggled\r\n\r\n";

fn a_malformed_head_reaches_no_upstream() {
    let mut bench = Bench::new();
    for &(request, status) in MALFORMED {
        // A length is enough for a route that reads the body.
        if status == 411 || status == 413 || status == 417 {
            continue;
        }
        bench.refused(&[octets(request), octets(SMUGGLED)].concat(), status);
    }
    assert!(!bench.recorder.has_seen("smuggled"));
}

/// Fields that frame a body in two ways, or in none, where `$` is its length; and the status.
const FRAMED: &[(&str, u16)] = &[
    // CL.TE and TE.CL, in every order and spelling that a reader has been seen to overlook.
    ("Content-Length: $\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\nContent-Length: $", 400),
    ("Content-Length: $\r\nTransfer-Encoding: identity", 400),
    ("Content-Length: $\r\nTransfer-Encoding: xchunked", 400),
    ("Content-Length: $\r\nTransfer-Encoding:", 400),
    ("content-length: $\r\nTRANSFER-ENCODING: ChUnKeD", 400),
    ("Content-Length: $\r\nConnection: content-length\r\nTransfer-Encoding: chunked", 400),
    ("Content-Length: $\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked", 400),
    ("Content-Length: 0\r\nTransfer-Encoding: chunked", 400),
    // More than one length.
    ("Content-Length: $\r\nContent-Length: 0", 400),
    ("Content-Length: 0\r\nContent-Length: $", 400),
    ("Content-Length: $\r\ncontent-length: $", 400),
    ("Content-Length: $, $", 400),
    ("Content-Length: 0, $", 400),
    ("Content-Length: $,", 400),
    ("Content-Length: ,$", 400),
    ("Content-Length: $\r\nContent-Length:", 400),
    // Lengths that are none.
    ("Content-Length: +$", 400),
    ("Content-Length: -$", 400),
    ("Content-Length: 0x$", 400),
    ("Content-Length: 0o$", 400),
    ("Content-Length: $.0", 400),
    ("Content-Length: $e0", 400),
    ("Content-Length: $ 0", 400),
    ("Content-Length: $_0", 400),
    ("Content-Length: $\u{b}", 400),
    ("Content-Length: \u{c}$", 400),
    ("Content-Length: $\u{0}", 400),
    ("Content-Length: $;a", 400),
    ("Content-Length: \"$\"", 400),
    ("Content-Length: $\u{a0}", 400),
    ("Content-Length: \u{b2}$", 400),
    ("Content-Length: 18446744073709551616", 413),
    ("Content-Length: 9223372036854775808", 413),
    ("Content-Length: 99999999999999999999999999999999999999999999999999999999999999999999999999999999999999", 413),
    // Names that are none, and lines that are folded.
    ("Content-Length : $", 400),
    ("Content-Length\t: $", 400),
    (" Content-Length: $", 400),
    ("X: y\r\n Content-Length: $", 400),
    ("X: y\r\n\tContent-Length: $", 400),
    ("X: y\rContent-Length: $", 400),
    ("X: y\nContent-Length: $", 400),
    ("X: y\u{0}\r\nContent-Length: $", 400),
    ("Content-Length\u{0}: $", 400),
    ("\u{0}Content-Length: $", 400),
    ("Content-Length\r\n: $", 400),
    ("Content-Length:\r\n $", 400),
    ("Content Length: $", 400),
    ("\"Content-Length\": $", 400),
    ("Content-Length\u{a0}: $", 400),
    ("Content-Length=$", 400),
    ("X\r\nTransfer-Encoding: chunked", 400),
    ("Foo: bar\r\n\rTransfer-Encoding: chunked", 400),
    ("Foo: bar\n\nGET /smuggled HTTP/1.1\nHost: a", 400),
    // TE.TE: codings that one reader takes for chunked and the other does not.
    ("Transfer-Encoding: xchunked", 501),
    ("Transfer-Encoding: chunkedx", 501),
    ("Transfer-Encoding: chunked, identity", 501),
    ("Transfer-Encoding: identity, chunked", 501),
    ("Transfer-Encoding: chunked, chunked", 501),
    ("Transfer-Encoding: gzip, chunked", 501),
    ("Transfer-Encoding: chunked, gzip", 501),
    ("Transfer-Encoding: ,chunked", 501),
    ("Transfer-Encoding: chunked,", 501),
    ("Transfer-Encoding: chunked;q=1", 501),
    ("Transfer-Encoding: \"chunked\"", 501),
    ("Transfer-Encoding: 'chunked'", 501),
    ("Transfer-Encoding: chunk", 501),
    ("Transfer-Encoding: cow", 501),
    ("Transfer-Encoding: identity", 501),
    ("Transfer-Encoding:", 501),
    ("Transfer-Encoding: \u{ff}chunked", 501),
    ("Transfer-Encoding: chunked\u{a0}", 501),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
    ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding: chunked\r\ntransfer-encoding:", 400),
    ("Transfer-Encoding: \u{b}chunked", 400),
    ("Transfer-Encoding: \u{c}chunked", 400),
    ("Transfer-Encoding: chunked\u{0}", 400),
    ("Transfer-Encoding: chunked\u{8}", 400),
    ("Transfer-Encoding : chunked", 400),
    ("Transfer-Encoding\t: chunked", 400),
    (" Transfer-Encoding: chunked", 400),
    ("\tTransfer-Encoding: chunked", 400),
    ("Transfer-Encoding:\r\n chunked", 400),
    ("Transfer-Encoding:\n chunked", 400),
    ("X: x\nTransfer-Encoding: chunked", 400),
    ("X: x\rTransfer-Encoding: chunked", 400),
    ("X: x\r\n\r Transfer-Encoding: chunked", 400),
    ("Transfer\r-Encoding: chunked", 400),
    ("Transfer-Encoding\r: chunked", 400),
    ("Transfer Encoding: chunked", 400),
    ("Tr\u{e0}nsfer-Encoding: chunked", 400),
    // Whom it is for.
    ("Host: b", 400),
    ("Host:", 400),
    ("Expect: 200-ok\r\nContent-Length: 0", 417),
    ("Expect: 100-continue, x\r\nContent-Length: 0", 417),
];

fn what_is_framed_in_two_ways_reaches_no_upstream() {
    let mut bench = Bench::new();
    let chunked = format!("0\r\n\r\n{SMUGGLED}");
    let length = chunked.len();
    for &(fields, status) in FRAMED {
        let fields = fields.replace('$', &length.to_string());
        for method in ["POST", "GET", "OPTIONS", "HEAD"] {
            let request = format!("{method} /a HTTP/1.1\r\nHost: a\r\nX-Token: smuggler\r\n{fields}\r\n\r\n{chunked}");
            bench.refused(&octets(&request), status);
        }
    }
    // HTTP/1.0 has no coding, and no length in two ways either.
    for fields in
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nConnection: keep-alive", "Content-Length: 1, 1"]
    {
        bench.refused(&octets(&format!("POST /a HTTP/1.0\r\nHost: a\r\n{fields}\r\n\r\n{chunked}")), 400);
    }
    assert!(!bench.recorder.has_seen("smuggle"));
}

/// Bodies that are not in the coding that they say they are in. A part may have been passed on before that is seen, and then the upstream's
/// connection ends with it.
fn a_body_that_is_none_is_never_whole_at_the_upstream() {
    let mut bench = Bench::new();
    for chunks in [
        // Sizes.
        "-1\r\nx\r\n0\r\n\r\n",
        "+1\r\nx\r\n0\r\n\r\n",
        "0x1\r\nx\r\n0\r\n\r\n",
        "1_0\r\nx\r\n0\r\n\r\n",
        " 1\r\nx\r\n0\r\n\r\n",
        "1 \r\nx\r\n0\r\n\r\n",
        "1\t\r\nx\r\n0\r\n\r\n",
        "1\u{b}\r\nx\r\n0\r\n\r\n",
        "1\u{0}\r\nx\r\n0\r\n\r\n",
        "g\r\nx\r\n0\r\n\r\n",
        "\r\nx\r\n0\r\n\r\n",
        ";a\r\nx\r\n0\r\n\r\n",
        "1,1\r\nx\r\n0\r\n\r\n",
        "10000000000000001\r\nx\r\n0\r\n\r\n",
        "ffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "00000000000000001\r\nx\r\n0\r\n\r\n",
        "1\u{ff}\r\nx\r\n0\r\n\r\n",
        // Ends of lines.
        "1\nx\r\n0\r\n\r\n",
        "1\rx\r\n0\r\n\r\n",
        "1\r\r\nx\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n",
        "1\r\nx\r0\r\n\r\n",
        "1\r\nx0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "2\r\nx\r\n0\r\n\r\n",
        "1\r\nx\r\n0\n\r\n",
        "1\r\nx\r\n0\r\n\n",
        "1\r\nx\r\n0\r\n\r",
        "1\r\nx\r\n0\r\n",
        "1\r\nx\r\n0",
        "1\r\nx\r\n",
        "5\r\nx",
        "",
        // Extensions.
        "1;a\nGET /smuggled HTTP/1.1\r\nx\r\n0\r\n\r\n",
        "1;a\rb\r\nx\r\n0\r\n\r\n",
        "1;a=\"b\r\n\"\r\nx\r\n0\r\n\r\n",
        "1;a=\"b\nc\"\r\nx\r\n0\r\n\r\n",
        "1;\u{0}\r\nx\r\n0\r\n\r\n",
        "1; \u{7f}\r\nx\r\n0\r\n\r\n",
        "1;;;\r\nx\r\n0\r\n\r\n",
        "1 ; a\r\nx\r\n0\r\n\r\n",
        // Trailers.
        "1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n",
        "1\r\nx\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\nx\r\n0\r\nHost: b\r\n\r\n",
        "1\r\nx\r\n0\r\nAuthorization: x\r\n\r\n",
        "1\r\nx\r\n0\r\nCookie: x\r\n\r\n",
        "1\r\nx\r\n0\r\nX-A: b\nX-C: d\r\n\r\n",
        "1\r\nx\r\n0\r\nX-A : b\r\n\r\n",
        "1\r\nx\r\n0\r\n X-A: b\r\n\r\n",
        "1\r\nx\r\n0\r\nX-A: b\r\n c\r\n\r\n",
        "1\r\nx\r\n0\r\nX-A: b\u{0}\r\n\r\n",
        "1\r\nx\r\n0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        "1\r\nx\r\n0\r\n: b\r\n\r\n",
    ] {
        for fields in ["", "TE: trailers\r\n", "Trailer: x-a\r\n", "Expect: 100-continue\r\n"] {
            let head = format!(
                "POST /a HTTP/1.1\r\nHost: a\r\nX-Token: smuggler\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
            );
            let is_cut = matches!(
                chunks,
                "" | "5\r\nx" | "1\r\nx\r\n" | "1\r\nx\r\n0" | "1\r\nx\r\n0\r\n" | "1\r\nx\r\n0\r\n\r"
            );
            // What is cut short would go on with what follows.
            let request = if is_cut { format!("{head}{chunks}") } else { format!("{head}{chunks}{SMUGGLED}") };
            let Outcome { answer, received } = bench.send(&octets(&request));
            assert!(received.is_empty(), "{request:?}: {received:?}");
            assert!(!answer.contains("serial="), "{request:?}: {answer}");
            let final_answers = answer.matches("HTTP/1.1 ").count() - answer.matches("HTTP/1.1 100 ").count();
            assert!(final_answers <= 1, "{request:?}: {answer}");
        }
    }
    // Shorter than it says.
    let Outcome { received, .. } = bench.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nshort");
    assert!(received.is_empty());
    assert!(!bench.recorder.has_seen("/smuggled"));
}

/// What is sent in odd ways that mean one thing, and what the upstream must get: the method, the target and the body.
fn what_is_odd_and_clear_is_passed_on_in_one_way() {
    let mut bench = Bench::new();
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let framed = format!("Content-Length: {}\r\n\r\n{SMUGGLED}", SMUGGLED.len());
    for (start, rest, expected) in [
        // A body that looks like a request is a body, whatever the method.
        ("POST /a HTTP/1.1", framed.clone(), ("POST", "/a", SMUGGLED)),
        ("GET /a HTTP/1.1", framed.clone(), ("GET", "/a", SMUGGLED)),
        ("HEAD /a HTTP/1.1", framed.clone(), ("HEAD", "/a", SMUGGLED)),
        ("DELETE /a HTTP/1.1", framed.clone(), ("DELETE", "/a", SMUGGLED)),
        ("OPTIONS /a HTTP/1.1", framed.clone(), ("OPTIONS", "/a", SMUGGLED)),
        ("GET /kept/a HTTP/1.1", framed.clone(), ("GET", "/kept/a", SMUGGLED)),
        ("HEAD /kept/a HTTP/1.1", framed.clone(), ("HEAD", "/kept/a", SMUGGLED)),
        ("post /a HTTP/1.1", framed.clone(), ("post", "/a", SMUGGLED)),
        ("POST /a HTTP/1.0", framed.clone(), ("POST", "/a", SMUGGLED)),
        ("GET /a HTTP/1.0", "\r\n".to_owned(), ("GET", "/a", "")),
        ("GET /a HTTP/1.0", framed.clone(), ("GET", "/a", SMUGGLED)),
        ("\r\nGET /a HTTP/1.1", "\r\n".to_owned(), ("GET", "/a", "")),
        // Framing that is clear, and is made anew.
        (
            "POST /a HTTP/1.1",
            "Content-Length: 0000000000000000000000000000005\r\n\r\nhello".to_owned(),
            ("POST", "/a", "hello"),
        ),
        ("POST /a HTTP/1.1", "Content-Length: \t 5 \t\r\n\r\nhello".to_owned(), ("POST", "/a", "hello")),
        (
            "POST /a HTTP/1.1",
            "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            ("POST", "/a", "hello"),
        ),
        (
            "POST /a HTTP/1.1",
            "Connection: close, host, x-token\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            ("POST", "/a", "hello"),
        ),
        (
            "POST /a HTTP/1.1",
            "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            ("POST", "/a", "hello"),
        ),
        ("POST /a HTTP/1.0", "Expect: 200-maybe\r\nContent-Length: 5\r\n\r\nhello".to_owned(), ("POST", "/a", "hello")),
        ("POST /a HTTP/1.1", format!("{chunked}5\r\nhello\r\n0\r\n\r\n"), ("POST", "/a", "hello")),
        ("GET /a HTTP/1.1", format!("{chunked}5\r\nhello\r\n0\r\n\r\n"), ("GET", "/a", "hello")),
        ("POST /a HTTP/1.1", format!("{chunked}0\r\n\r\n"), ("POST", "/a", "")),
        ("POST /a HTTP/1.1", format!("{chunked}0000000000000005\r\nhello\r\n000\r\n\r\n"), ("POST", "/a", "hello")),
        ("POST /a HTTP/1.1", format!("{chunked}5;a=b;c=\"d\\\"e\"\r\nhello\r\n0;f\r\n\r\n"), ("POST", "/a", "hello")),
        ("POST /a HTTP/1.1", format!("{chunked}5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n"), ("POST", "/a", "hello")),
        (
            "POST /a HTTP/1.1",
            format!("Connection: transfer-encoding\r\n{chunked}5\r\nhello\r\n0\r\n\r\n"),
            ("POST", "/a", "hello"),
        ),
        (
            "POST /a HTTP/1.1",
            "transfer-ENCODING:CHUNKED\r\n\r\n3\r\n0\r\n\r\n0\r\n\r\n".to_owned(),
            ("POST", "/a", "0\r\n"),
        ),
        // Other protocols are not switched to, and their fields stay here.
        (
            "GET /a HTTP/1.1",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
                .to_owned(),
            ("GET", "/a", ""),
        ),
        (
            "GET /a HTTP/1.1",
            "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nSec-WebSocket-Key: x\r\n\r\n"
                .to_owned(),
            ("GET", "/a", ""),
        ),
        ("POST /a HTTP/1.1", format!("Connection: upgrade\r\nUpgrade: h2c\r\n{framed}"), ("POST", "/a", SMUGGLED)),
        (
            "GET /a HTTP/1.1",
            "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers, gzip;q=0\r\n\r\n".to_owned(),
            ("GET", "/a", ""),
        ),
        ("GET /a HTTP/1.1", "Connection: ,,, \"x\", @, close\r\n\r\n".to_owned(), ("GET", "/a", "")),
        // Targets.
        ("GET http://a/a?b HTTP/1.1", "\r\n".to_owned(), ("GET", "/a?b", "")),
        ("GET HTTP://A?b HTTP/1.1", "\r\n".to_owned(), ("GET", "/?b", "")),
        ("GET //b.example/a HTTP/1.1", "\r\n".to_owned(), ("GET", "//b.example/a", "")),
        ("GET /;a=b//c HTTP/1.1", "\r\n".to_owned(), ("GET", "/;a=b//c", "")),
        ("GET /a%0d%0aX:%20y%00%23 HTTP/1.1", "\r\n".to_owned(), ("GET", "/a%0d%0aX:%20y%00%23", "")),
        ("GET /a?b?c=http://d/ HTTP/1.1", "\r\n".to_owned(), ("GET", "/a?b?c=http://d/", "")),
        ("GET /@b:80/ HTTP/1.1", "\r\n".to_owned(), ("GET", "/@b:80/", "")),
    ] {
        let request = format!("{start}\r\nHost: a\r\nX-Token: odd\r\n{rest}");
        let next = "GET /next HTTP/1.1\r\nHost: a\r\nX-Token: next\r\n\r\n";
        let Outcome { answer, received } = bench.send(&octets(&format!("{request}{next}")));
        let first = received.first().unwrap_or_else(|| panic!("{request:?} has not come: {answer}"));
        let body = String::from_utf8_lossy(&first.body);
        assert_eq!((&*first.method, &*first.target, &*body), expected, "{request:?}");
        // What follows comes on its own, if the connection goes on at all.
        let others: Vec<_> = received[1..].iter().map(|other| (&*other.target, other.token())).collect();
        assert!(others.is_empty() || others == [("/next", "next".to_owned())], "{request:?}: {others:?}");
        assert_eq!(answer.contains("token=next"), !others.is_empty(), "{request:?}: {answer}");
    }
    assert!(bench.recorder.after(0).iter().all(|request| request.token() != "smuggled"));
}

/// Pieces that make a difference to some reader.
const PIECES: [&str; 44] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "\0",
    "\u{b}",
    "\u{ff}",
    "0",
    "1",
    "5",
    "-",
    "+",
    "_",
    "0x",
    "\"",
    "chunked",
    "identity",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding",
    "Host: b\r\n",
    "Connection: close\r\n",
    "Connection: content-length\r\n",
    "Connection: keep-alive\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: h2c\r\n",
    "TE: trailers\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Token: smuggled\r\n\r\n",
    "POST",
    "HEAD ",
    "HTTP/1.0",
    "HTTP/1.1",
    "http://b/",
    "//",
    "\r\n ",
];

/// One to four changes to a sound request.
fn mutated(random: &mut Random, token: &str) -> Vec<u8> {
    let field = format!("Host: a\r\nX-Token: {token}\r\n");
    let kept = *random.pick(&["/kept/", "/"]);
    let mut request = octets(&match random.below(6) {
        0 => format!("GET {kept}a HTTP/1.1\r\n{field}\r\n"),
        1 => format!("POST {kept}a HTTP/1.1\r\n{field}Content-Length: 5\r\n\r\nhello"),
        2 => format!("POST {kept}a HTTP/1.1\r\n{field}Content-Length: {}\r\n\r\n{SMUGGLED}", SMUGGLED.len()),
        3 => format!("PUT {kept}a HTTP/1.1\r\n{field}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        4 => format!(
            "PUT {kept}a HTTP/1.1\r\n{field}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n"
        ),
        _ => format!("POST {kept}a HTTP/1.0\r\n{field}Connection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
    });
    for _ in 0..=random.below(4) {
        let at = random.below(request.len() + 1);
        let end = (at + random.below(4)).min(request.len());
        match random.below(4) {
            0 => drop(request.splice(at..at, octets(PIECES[random.below(PIECES.len())]))),
            1 => drop(request.splice(at..end, octets(PIECES[random.below(PIECES.len())]))),
            2 => drop(request.drain(at..end)),
            _ => {
                let copied = request[at..(at + random.below(40)).min(request.len())].to_vec();
                drop(request.splice(at..at, copied));
            }
        }
    }
    request
}

/// The upstream receives whole requests that are clear, and each answer is that to its own request, in their order.
fn whatever_is_sent_is_passed_on_in_one_way_or_not_at_all() {
    let mut random = Random::new();
    let mut bench = Bench::new();
    let (mut passed, mut refused) = (0, 0);
    for round in 0..scaled(30_000, 3_000) {
        let token = format!("m{round}m");
        let mut request = mutated(&mut random, &token);
        request.extend(octets("GET /next HTTP/1.1\r\nHost: a\r\nX-Token: next\r\n\r\n"));
        let Outcome { answer, received } = bench.send(&request);
        let text = String::from_utf8_lossy(&request);
        let serials = answer.split("[serial=").skip(1).map(|rest| rest.split(' ').next().unwrap_or_default());
        let serials: Vec<usize> = serials.filter_map(|serial| serial.parse().ok()).collect();
        assert!(serials.is_sorted(), "{text:?}: {answer}");
        for serial in &serials {
            let asked = bench.recorder.request(*serial);
            assert_ne!(asked.target, "/neighbour", "{text:?} is answered what another has asked for: {answer}");
            assert!(answer.contains(&format!("[serial={serial} token={} ", asked.token())), "{text:?}: {answer}");
        }
        passed += usize::from(!received.is_empty());
        refused += usize::from(received.is_empty());
    }
    println!("{passed} were passed on, {refused} were not");
    assert!(passed > refused / 20 && refused > passed / 20, "both happen");
}

/// An upstream that answers in the words that were put there, and tells by which connection: without those, `token` and a length.
#[derive(Default)]
struct Script {
    /// By their target.
    answers: Mutex<HashMap<String, Vec<u8>>>,
}

impl Script {
    fn start() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(Self::default());
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.converse(connection, stream));
            }
        });
        (script, address)
    }

    fn put(&self, target: &str, answer: &[u8]) {
        self.answers.lock().expect("a lock").insert(target.to_owned(), answer.to_vec());
    }

    fn take_back(&self, target: &str) {
        self.answers.lock().expect("a lock").remove(target);
    }

    fn converse(&self, connection: usize, mut stream: TcpStream) {
        let mut unread = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            while let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&unread.drain(..end + 4).collect::<Vec<u8>>()).into_owned();
                let target = head.split(' ').nth(1).unwrap_or_default();
                let token = head.lines().find_map(|line| line.strip_prefix("x-token: ")).unwrap_or_default();
                let body = format!("[{connection} {token}]");
                let put = self.answers.lock().expect("a lock").get(target).cloned();
                let answer = put.unwrap_or_else(|| {
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    (head + &body).into_bytes()
                });
                if stream.write_all(&answer).is_err() {
                    return;
                }
            }
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => unread.extend_from_slice(&buffer[..count]),
                Ok(0) | Err(_) => return,
            }
        }
    }
}

/// The number of the upstream's connection by which somebody is answered who asks for something new.
fn connection_of(site: &Site, number: usize) -> usize {
    let token = format!("own-{number}");
    let response = site.request("GET", &format!("/own/{number}"), &[("x-token", &token)], b"");
    let text = response.text();
    assert!(response.status == 200 && text.ends_with(&format!(" {token}]")), "{response:?}");
    text[1..].split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// A poisoned answer that somebody else might get.
const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\n\r\npoison";

fn an_answer_that_can_be_read_in_two_ways_is_refused_and_nothing_of_it_stays() {
    let (script, address) = Script::start();
    let site = start(address);
    let mut number = 0;
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 50\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0, 50\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "poison",
        "\0\0\x12\x04\0\0\0\0\0",
    ] {
        for target in ["/kept/bad", "/bad"] {
            number += 1;
            let (target, before) = (format!("{target}/{number}"), connection_of(&site, number));
            script.put(&target, &octets(&format!("{head}{POISON}")));
            for method in ["GET", "HEAD"] {
                // Most of it is refused whatever is asked; a head that is clear by itself is that of an answer to HEAD.
                let response = site.request(method, &target, &[], b"");
                assert_eq!(response.status, 502, "{method} {head:?}: {response:?}");
                assert!(!String::from_utf8_lossy(&response.body).contains("poison"), "{head:?}");
            }
            number += 1;
            assert_ne!(connection_of(&site, number), before, "{head:?}: the connection is used again");
            script.take_back(&target);
            let response = site.request("GET", &target, &[("x-token", "now")], b"");
            assert!(response.status == 200 && response.text().ends_with(" now]"), "{head:?}: {response:?}");
        }
    }
}

fn what_follows_an_answer_is_nobodys() {
    let (script, address) = Script::start();
    let site = start(address);
    let mut number = 0;
    let flood = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(10_000);
    for (method, head, status, body) in [
        // Longer than it says, or with another answer behind it.
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nit", 200, "it"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nit\r\n0\r\n\r\n", 200, "it"),
        ("GET", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, ""),
        // Answers that have no content, whatever they say.
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 80\r\n\r\n", 204, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 80\r\n\r\n", 304, ""),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n", 200, ""),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, ""),
        // Interim answers, with what is not theirs.
        ("GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nit", 200, "it"),
        ("GET", &format!("{flood}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nit"), 0, "it"),
        // Chunks that are none: the answer breaks off.
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nit\r\n0\r\n\r\n", 0, ""),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nitPOISON\r\n0\r\n\r\n", 0, ""),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nit\r\n0\r\n\r\n", 0, ""),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nit\r\n0\r\n\r\n", 0, ""),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nit\r\n0\r\n\r\n", 0, ""),
    ] {
        for prefix in ["/kept/odd", "/odd"] {
            number += 1;
            let (target, before) = (format!("{prefix}/{number}"), connection_of(&site, number));
            script.put(&target, &octets(&format!("{head}{POISON}")));
            let mut connection = site.connect();
            connection.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n")).expect("sent");
            match connection.response_to(method) {
                Ok(response) => {
                    let text = String::from_utf8_lossy(&response.body);
                    assert!(!text.contains("poison"), "{head:?}: {response:?}");
                    assert!(status == 0 || (response.status, &*text) == (status, body), "{head:?}: {response:?}");
                }
                Err(error) => assert_eq!(status, 0, "{head:?}: {error}"),
            }
            number += 1;
            assert_ne!(connection_of(&site, number), before, "{head:?}: the connection is used again");
            script.take_back(&target);
            let response = site.request("GET", &target, &[("x-token", "now")], b"");
            let text = String::from_utf8_lossy(&response.body).into_owned();
            let is_kept = prefix == "/kept/odd" && status != 0 && response.status == status && text == body;
            assert!(is_kept || (response.status == 200 && text.ends_with(" now]")), "{head:?}: {response:?}");
        }
    }
}

/// Fields that `Connection` lists go no further (RFC 9110, section 7.6.1). What is stored must not be taken for the answer to a request that
/// has them.
fn what_a_connection_lists_changes_nobody_elses_answer() {
    let fault = FaultServer::start();
    let site =
        super::site(&fault, "-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\npreserve-host = true\n");
    let reply =
        |text: &str| Reply::of("text/plain", text).header("cache-control", "max-age=60").header("vary", "x-lang");
    for (path, listed) in [("/a", "x-lang"), ("/b", "X-Lang, close"), ("/c", "host"), ("/d", "close, HOST")] {
        fault.put(path, reply("of nobody in particular"));
        site.request("GET", path, &[("host", "a.example"), ("x-lang", "de"), ("connection", listed)], b"");
        let asked = fault.requests(path).pop().expect("a request");
        fault.put(path, reply("of its own"));
        let response = site.request("GET", path, &[("host", "a.example"), ("x-lang", "de")], b"");
        let again = fault.requests(path).pop().expect("a request");
        let seen = |request: &Request| {
            (request.header("host").map(str::to_owned), request.header("x-lang").map(str::to_owned))
        };
        let is_shared = response.text() == "of nobody in particular";
        assert!(
            !is_shared || seen(&asked) == (Some("a.example".to_owned()), Some("de".to_owned())),
            "{listed}: {asked:?}"
        );
        assert!(
            is_shared || seen(&again) == (Some("a.example".to_owned()), Some("de".to_owned())),
            "{listed}: {again:?}"
        );
    }
}

/// Programs that are told fields in their environment (CGI, WSGI, Rack, PHP) see `-` and `_` as the same.
fn names_that_an_origin_reads_as_others_are_not_passed_on() {
    let fault = FaultServer::start();
    let archive = super::archive(
        &fault,
        "headers = { x-own-key = \"ours\" }\n-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\n",
    );
    let site = Site::start(&archive);
    fault.put("/a", Reply::of("text/plain", "it"));
    let fields = [
        ("content_length", "0"),
        ("Transfer_Encoding", "chunked"),
        ("X_Forwarded_For", "192.0.2.9"),
        ("X-Forwarded_Host", "evil.example"),
        ("x_forwarded-proto", "https"),
        ("x_own_key", "theirs"),
        ("x-own_key", "theirs"),
        ("Proxy_Connection", "close"),
        ("x_mine", "1"),
    ];
    assert_eq!(site.request("POST", "/a", &fields, b"hello").status, 200);
    let arrived = fault.requests("/a").pop().expect("a request");
    for (name, _) in &fields[..8] {
        assert_eq!(arrived.header(&name.to_ascii_lowercase()), None, "{name}");
    }
    assert_eq!(
        (arrived.header("x_mine"), arrived.header("x-own-key"), &*arrived.body),
        (Some("1"), Some("ours"), &b"hello"[..])
    );
}
