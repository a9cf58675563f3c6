//! Answers that are streams: how their end is told to each client, and what happens when they break.

use super::relay;
use super::server::Client;
use siteserver::server::Limits;
use std::io::{ErrorKind, Read as _};

crate::cases!(
    an_unknown_length_is_told_by_chunks_or_by_the_end,
    a_known_length_is_told,
    an_answer_has_one_framing_whatever_fields_it_was_given,
    trailer_fields_go_to_those_who_ask,
    what_breaks_is_never_taken_for_whole,
    the_length_of_what_is_elsewhere_is_told,
    an_interim_status_is_no_answer
);

fn an_unknown_length_is_told_by_chunks_or_by_the_end() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(b"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = client.receive_head().unwrap();
        assert_eq!(head.fields["transfer-encoding"], "chunked");
        assert!(!head.fields.contains_key("content-length"));
        assert_eq!(client.exactly(15), b"5\r\nhello\r\n0\r\n\r\n");
    }
    for request in ["GET /unknown HTTP/1.0\r\n\r\n", "GET /unknown HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"] {
        let answer = server.send(request.as_bytes());
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
        assert!(!answer.contains("transfer-encoding") && !answer.contains("content-length"), "{answer}");
    }
    let mut log = (0..4).map(|_| server.next_log_line()["bytes"].as_u64().unwrap());
    assert!(log.all(|bytes| bytes == 5));
}

fn a_known_length_is_told() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    for path in ["/known", "/told"] {
        let answer = client.get(path);
        assert_eq!((answer.fields["content-length"].as_str(), answer.content.as_str()), ("5", "hello"));
        assert!(!answer.fields.contains_key("transfer-encoding"));
        client.send(format!("GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").as_bytes());
        assert_eq!(client.receive().unwrap().content, "hello");
    }
}

fn an_answer_has_one_framing_whatever_fields_it_was_given() {
    let (server, _) = relay::start(Limits::default());
    for (path, version, framing) in [
        ("/coded", "1.1", vec!["transfer-encoding: chunked"]),
        ("/coded", "1.0", vec![]),
        ("/both", "1.1", vec!["content-length: 5"]),
        ("/both", "1.0", vec!["content-length: 5"]),
    ] {
        let request = format!("GET {path} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = server.send(request.as_bytes());
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        let fields = |line: &&str| line.starts_with("content-length") || line.starts_with("transfer-encoding");
        assert_eq!(head.lines().filter(fields).collect::<Vec<_>>(), framing, "{answer}");
        assert!(content.contains("hello"), "{answer}");
    }
}

fn trailer_fields_go_to_those_who_ask() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    for (path, field, expected) in [
        ("/trailers", "TE: trailers\r\n", "5\r\nhello\r\n0\r\nchecksum: abc\r\n\r\n"),
        ("/trailers", "", "5\r\nhello\r\n0\r\n\r\n"),
        ("/trailers-unnamed", "TE: trailers\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{field}\r\n").as_bytes());
        client.receive_head().unwrap();
        assert_eq!(String::from_utf8(client.exactly(expected.len())).unwrap(), expected);
        assert_eq!(client.get("/next").content, "next");
    }
}

/// What comes before the connection ends, and whether it ends in a reset.
fn rest(client: &mut Client) -> (String, bool) {
    let mut octets = Vec::new();
    let reset = match client.stream().read_to_end(&mut octets) {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            true
        }
    };
    (String::from_utf8(octets).unwrap(), reset)
}

fn what_breaks_is_never_taken_for_whole() {
    let (server, _) = relay::start(Limits::default());
    for path in ["/broken", "/broken-known", "/broken-told", "/short"] {
        for version in ["1.1", "1.0"] {
            let mut client = server.connect();
            client.send(format!("GET {path} HTTP/{version}\r\nHost: a\r\n\r\n").as_bytes());
            let (text, reset) = rest(&mut client);
            let chunked = text.contains("transfer-encoding: chunked\r\n");
            let known = text.contains("content-length: 10\r\n");
            assert!(reset || text.is_empty() || chunked || known, "{path} {version}: {text}");
            assert!(!text.ends_with("0\r\n\r\n"), "{path} {version}: {text}");
            assert!(text.len() < text.find("\r\n\r\n").map_or(1, |end| end + 14), "{path} {version}: {text}");
        }
    }
}

fn the_length_of_what_is_elsewhere_is_told() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    for (method, path, status, length) in [
        ("HEAD", "/elsewhere", 200, Some("12345")),
        ("HEAD", "/known", 200, Some("5")),
        ("HEAD", "/told", 200, Some("5")),
        ("HEAD", "/unknown", 200, None),
        ("HEAD", "/both", 200, Some("5")),
        ("GET", "/not-modified", 304, Some("12345")),
        ("HEAD", "/not-modified", 304, Some("12345")),
        // Which may not have it (RFC 9110, section 8.6).
        ("GET", "/no-content", 204, None),
        ("HEAD", "/no-content", 204, None),
    ] {
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let head = client.receive_head().unwrap();
        assert_eq!(head.status, status, "{method} {path}");
        assert_eq!(head.fields.get("content-length").map(String::as_str), length, "{method} {path}");
        assert!(!head.fields.contains_key("transfer-encoding"), "{method} {path}");
        assert_eq!(client.get("/next").content, "next", "after {method} {path}");
    }
}

fn an_interim_status_is_no_answer() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    assert_eq!(client.get("/interim").status, 500);
    assert_eq!(client.get("/next").content, "next");
}
