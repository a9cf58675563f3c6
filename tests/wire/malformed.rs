//! Requests that must not pass, each answered with its status and the end of the connection, and none disturbing the others.

use super::server::Server;
use siteserver::server::Limits;

crate::cases!(
    every_malformed_head_is_refused_and_nobody_else_notices,
    what_only_looks_odd_is_served,
    sizes_are_bounded,
    refusals_are_logged,
    an_answer_to_a_refused_head_request_has_no_content
);

/// What is sent, and the status of the only answer.
pub(crate) const MALFORMED: &[(&str, u16)] = &[
    // Line ends.
    ("GET /hello HTTP/1.1\nHost: a\n\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\n\r\n", 400),
    ("GET /hello HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("\n\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    // The request line.
    ("GET /hello\r\nHost: a\r\n\r\n", 400),
    ("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (" GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("G(T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("hello\r\n\r\n", 400),
    ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", 400),
    ("THISMETHODISLONGERTHANANYTHATANYBODYKNOWS / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    // The version.
    ("GET /hello http/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/11\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTPP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    ("GET /hello HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    ("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("GET /hello HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    // The target.
    ("GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /a?b\\c HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /caf\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /?q=caf\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /\" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /a\u{0}b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET http://u@a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 400),
    ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405),
    ("TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    // Host.
    ("GET /hello HTTP/1.1\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\"><script>\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a:\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: [::g]\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: []\r\n\r\n", 400),
    // Fields.
    ("GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX\u{e9}: b\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\u{0}\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\u{7}c\r\n\r\n", 400),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nX: b\u{7f}\r\n\r\n", 400),
    // Framing.
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 413),
    ("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", 413),
    (
        "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        400,
    ),
    (
        "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        400,
    ),
    ("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 411),
    ("GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 411),
    (
        "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501),
    ("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
    ("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 501),
    ("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /read HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /read HTTP/1.1\r\nHost: a\r\nExpect: something\r\nContent-Length: 1\r\n\r\nx", 417),
];

/// The Latin-1 octets of a text: each character is one octet.
pub(crate) fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

fn every_malformed_head_is_refused_and_nobody_else_notices() {
    let server = Server::start(Limits::default());
    let mut other = server.connect();
    for &(request, status) in MALFORMED {
        let answer = server.send(&octets(request));
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{request:?} should be answered {status}:\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{request:?} is answered once:\n{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
        assert_eq!(other.get("/hello").content, "hello", "after {request:?}");
    }
}

fn what_only_looks_odd_is_served() {
    let server = Server::start(Limits::default());
    for request in [
        "GET /hello HTTP/1.0\r\n\r\n",
        "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHOST:a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: \t a \t\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: [::1]:4000\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a_b.example.:80\r\n\r\n",
        "GET http://A:80/hello HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "GET HTTP://a/hello?b HTTP/1.1\r\nHost: A\r\n\r\n",
        "GET /hello?filter[a]={b}|c&d=^`%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello? HTTP/1.1\r\nHost: a\r\n\r\n",
        "FROBNICATE /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX:\r\nY: \u{e9}\tz\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, keep-alive\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n",
        "GET /hello HTTP/1.0\r\nExpect: something\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000000000005\r\n\r\nxxxxx",
    ] {
        let answer = server.send_and_finish(&octets(request));
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{request:?}:\n{answer}");
    }
    let answer = server.send_and_finish(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

fn sizes_are_bounded() {
    let server = Server::start(Limits::default());
    let head = |target: usize, fields: usize, value: usize| {
        let field = format!("X: {}\r\n", "y".repeat(value));
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n", "x".repeat(target), field.repeat(fields))
    };
    let status_of = |request: &str| {
        let mut client = server.connect();
        client.send(request.as_bytes());
        client.receive().expect("an answer").status
    };
    assert_eq!(status_of(&head(8 * 1024 - 1, 0, 0)), 200);
    assert_eq!(status_of(&head(8 * 1024, 0, 0)), 414);
    assert_eq!(status_of(&"G".repeat(20_000)), 414, "no line end has come");
    assert_eq!(status_of(&head(0, 99, 10)), 200);
    assert_eq!(status_of(&head(0, 100, 10)), 431);
    assert_eq!(status_of(&head(0, 3, 10_000)), 200, "larger than hyper's first buffer");
    assert_eq!(status_of(&head(0, 3, 11_000)), 431);
    assert_eq!(status_of(&format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(33_000))), 431, "no line end has come");
}

fn refusals_are_logged() {
    let server = Server::start(Limits::default());
    let answer = server.send(b"GET /a?token=1 HTTP/1.1\r\n\r\n");
    let line = server.next_log_line();
    assert_eq!(line["status"], 400, "{line}");
    assert_eq!((line["method"].as_str(), line["path"].as_str()), (Some("GET"), Some("/a")), "{line}");
    assert!(line["route"].is_null(), "{line}");
    let content = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(line["bytes"], content.len(), "{line}");
    server.send(b"\x16\x03\x01 ");
    let line = server.next_log_line();
    assert!(line["method"].is_null() && line["path"].is_null(), "{line}");
}

fn an_answer_to_a_refused_head_request_has_no_content() {
    let server = Server::start(Limits::default());
    let answer = server.send(b"HEAD /hello HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}
