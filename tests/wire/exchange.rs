//! Sound requests: connections that persist, requests in a row, bodies, panics, the log.

use super::server::{LARGE, Server};
use siteserver::server::Limits;
use std::time::Duration;

crate::cases!(
    a_connection_serves_many_requests,
    a_connection_that_has_rested_goes_on,
    pipelined_requests_are_answered_in_order,
    requests_before_a_bad_one_are_answered,
    a_head_may_come_in_any_pieces,
    head_is_get_without_the_content,
    a_client_that_has_finished_sending_gets_its_answer,
    close_is_honoured,
    http_1_0_ends_unless_asked,
    a_body_that_nobody_reads_is_skipped,
    too_long_a_body_that_nobody_reads_ends_the_connection,
    a_body_is_read,
    continue_is_sent_to_a_reader_only,
    a_broken_handler_costs_one_request,
    the_log_tells_what_was_sent,
    a_client_that_leaves_is_logged,
    requests_have_names_of_their_own,
    too_many_connections_are_turned_away
);

fn a_connection_serves_many_requests() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    for number in 0..100 {
        let answer = client.get(&format!("/{number}"));
        assert_eq!((answer.status, answer.content), (200, number.to_string()));
        assert!(answer.fields.contains_key("date"));
    }
}

fn a_connection_that_has_rested_goes_on() {
    let server = Server::start(Limits { rest: Duration::ZERO, ..Limits::default() });
    let mut client = server.connect();
    for number in 0..100 {
        assert_eq!(client.get(&format!("/{number}")).content, number.to_string());
        client.send(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
        client.send(b"loGET / HTTP");
        assert_eq!(client.receive().unwrap().content, "5 octets");
        client.send(b"/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.receive().unwrap().content, "");
    }
    client.finish();
    assert!(client.receive().is_none());
}

fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let requests: Vec<String> = (0..500).map(|number| format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    client.send(requests.concat().as_bytes());
    for number in 0..500 {
        assert_eq!(client.receive().unwrap().content, number.to_string());
    }
    assert_eq!(client.get("/hello").content, "hello");
}

fn requests_before_a_bad_one_are_answered() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
          GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(client.receive().unwrap().content, "1");
    assert_eq!(client.receive().unwrap().content, "3 octets");
    assert_eq!(client.receive().unwrap().status, 400);
    assert!(client.receive().is_none(), "what follows a bad request has no meaning");
}

fn a_head_may_come_in_any_pieces() {
    let server = Server::start(Limits::default());
    let request =
        b"\r\nPOST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    for size in [1, 2, 3, 7, 40] {
        let mut client = server.connect();
        for piece in request.chunks(size) {
            client.send(piece);
        }
        assert_eq!(client.receive().unwrap().content, "5 octets", "in pieces of {size}");
        assert_eq!(client.receive().unwrap().content, "x", "in pieces of {size}");
    }
}

fn head_is_get_without_the_content() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(b"HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.receive_head().unwrap();
    assert_eq!((answer.status, answer.fields["content-length"].parse()), (200, Ok(LARGE)));
    assert_eq!(client.get("/hello").content, "hello");
    assert_eq!(server.next_log_line()["bytes"], 0);
}

fn a_client_that_has_finished_sending_gets_its_answer() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    client.finish();
    server.begun.recv().unwrap();
    server.release(1);
    assert_eq!(client.receive().unwrap().content, "waited");
    assert_eq!(client.receive().unwrap().content, "hello");
    assert!(client.receive().is_none());
}

fn close_is_honoured() {
    let server = Server::start(Limits::default());
    let answer = server
        .send(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

fn http_1_0_ends_unless_asked() {
    let server = Server::start(Limits::default());
    let answer = server.send(b"GET /hello HTTP/1.0\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.receive().unwrap().content, "hello");
    }
}

fn a_body_that_nobody_reads_is_skipped() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    client.send(format!("GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert_eq!(client.receive().unwrap().content, "1");
    assert_eq!(client.get("/2").content, "2");
}

fn too_long_a_body_that_nobody_reads_ends_the_connection() {
    let server = Server::start(Limits::default());
    let body = "x".repeat(64 * 1024 + 1);
    let request = format!("GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = server.send(request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

fn a_body_is_read() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let body = "x".repeat(3_000_000);
    client.send(format!("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert_eq!(client.receive().unwrap().content, "3000000 octets");
    assert_eq!(client.get("/hello").content, "hello");
    client.send(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nshort");
    client.finish();
    assert_eq!(client.receive().unwrap().content, "no body");
}

fn continue_is_sent_to_a_reader_only() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(b"POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.receive_head().unwrap().status, 100);
    client.send(b"hello");
    assert_eq!(client.receive().unwrap().content, "5 octets");
    client.send(b"POST /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let answer = client.receive().unwrap();
    assert_eq!((answer.status, answer.fields["connection"].as_str()), (200, "close"));
    assert!(client.receive().is_none());
}

fn a_broken_handler_costs_one_request() {
    let server = Server::start(Limits::default());
    let mut other = server.connect();
    let mut client = server.connect();
    let answer = client.get("/panic");
    assert_eq!((answer.status, answer.fields["x-content-type-options"].as_str()), (500, "nosniff"));
    let id = answer.content.split_once("id: ").unwrap().1.trim_end().to_owned();
    assert!(!answer.content.contains("as the test asks"), "{}", answer.content);
    assert_eq!(client.get("/hello").content, "hello", "on the same connection");
    assert_eq!(other.get("/hello").content, "hello");
    let line = server.next_log_line();
    assert_eq!((line["status"].as_u64(), line["id"].as_str()), (Some(500), Some(id.as_str())), "{line}");
}

fn the_log_tells_what_was_sent() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.get("/hello?secret");
    let line = server.next_log_line();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    for key in ["time", "id", "method", "path", "route", "status", "bytes", "ms", "cache", "sources"] {
        assert!(keys.contains(&key), "{line}");
    }
    assert_eq!((line["path"].as_str(), line["bytes"].as_u64()), (Some("/hello"), Some(5)), "{line}");
    assert_eq!((line["route"].as_str(), line["cache"].as_str()), (Some("test"), Some("hit")), "{line}");
}

fn a_client_that_leaves_is_logged() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    client.receive_head().unwrap();
    drop(client);
    let line = server.next_log_line();
    assert_eq!(line["status"], 200, "{line}");
    assert!(line["bytes"].as_u64().unwrap() < LARGE as u64, "{line}");
}

fn requests_have_names_of_their_own() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let first = client.get("/id").content;
    let second = client.get("/id").content;
    assert_ne!(first, second);
    assert_eq!(server.next_log_line()["id"], first);
}

fn too_many_connections_are_turned_away() {
    let server = Server::start(Limits { connections: 1, ..Limits::default() });
    let mut first = server.connect();
    assert_eq!(first.get("/hello").content, "hello");
    let answer = server.connect().receive().unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(first.get("/hello").content, "hello");
    first.finish();
    assert!(first.receive().is_none());
}
