//! Clients that hold a connection without using it: each is let go at its deadline, while others are served.
//!
//! The deadlines are short, and nothing here measures time: that a connection ends at all is what is asserted.

use super::server::{Client, LARGE, Server};
use siteserver::server::Limits;
use std::time::Duration;

crate::cases!(
    a_silent_client_is_let_go,
    a_dripping_head_is_answered_408,
    an_idle_connection_is_let_go,
    a_stalled_body_is_answered_408,
    a_dripping_body_does_not_last_for_ever,
    a_reader_that_never_reads_is_let_go
);

const SHORT: Duration = Duration::from_secs(1);

/// Sends the same octets again and again until the server hangs up.
fn drip(client: &mut Client, octets: &[u8]) {
    while client.try_send(octets).is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn a_silent_client_is_let_go() {
    let server = Server::start(Limits { head_time: SHORT, ..Limits::default() });
    let mut silent = server.connect();
    server.assert_serves();
    assert_eq!(silent.read_to_end(), "");
    server.assert_serves();
}

fn a_dripping_head_is_answered_408() {
    let server = Server::start(Limits { head_time: SHORT, ..Limits::default() });
    let mut dripping = server.connect();
    dripping.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    std::thread::scope(|scope| {
        scope.spawn(|| drip(&mut dripping, b"x"));
        server.assert_serves();
    });
    let line = loop {
        let line = server.next_log_line();
        if line["status"] != 200 {
            break line;
        }
    };
    assert_eq!((line["status"].as_u64(), line["path"].as_str()), (Some(408), Some("/hello")), "{line}");
    let mut stopped = server.connect();
    stopped.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n");
    assert_eq!(stopped.receive().unwrap().status, 408);
    assert!(stopped.receive().is_none());
}

fn an_idle_connection_is_let_go() {
    let server = Server::start(Limits { idle: SHORT, ..Limits::default() });
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello").content, "hello");
    assert_eq!(idle.read_to_end(), "", "not a word");
    server.assert_serves();
}

fn a_stalled_body_is_answered_408() {
    let server = Server::start(Limits { body_stall: SHORT, ..Limits::default() });
    let mut stalled = server.connect();
    stalled.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    server.assert_serves();
    let answer = stalled.receive().unwrap();
    assert_eq!((answer.status, answer.fields["connection"].as_str()), (408, "close"));
    assert!(stalled.receive().is_none());
}

fn a_dripping_body_does_not_last_for_ever() {
    let server = Server::start(Limits { body_time: SHORT, ..Limits::default() });
    let mut dripping = server.connect();
    dripping.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n");
    drip(&mut dripping, b"x");
    let line = server.next_log_line();
    assert_eq!(line["status"], 408, "{line}");
}

fn a_reader_that_never_reads_is_let_go() {
    let server = Server::start(Limits { write_stall: SHORT, ..Limits::default() });
    let mut lazy = server.connect();
    lazy.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    let line = server.next_log_line();
    assert_eq!((line["status"].as_u64(), line["path"].as_str()), (Some(200), Some("/large")), "{line}");
    server.assert_serves();
    let sent = line["bytes"].as_u64().unwrap();
    assert!(sent < LARGE as u64, "{line}");
    assert!(lazy.count_to_end() < LARGE, "the answer was cut off");
}
