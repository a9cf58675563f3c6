//! The end of a server: whoever has sent a request gets an answer, and the server waits for nobody else.

use super::server::Server;
use rustix::process::{Signal, getpid, kill_process};
use siteserver::server::{Ended, Limits};
use std::net::TcpStream;
use std::time::Duration;

crate::cases!(
    requests_in_flight_are_answered,
    requests_that_nobody_has_read_yet_are_answered,
    idle_connections_do_not_hold_the_end,
    clients_in_a_loop_lose_nothing,
    a_drain_ends_even_if_a_request_does_not,
    a_second_request_to_end_is_obeyed_at_once,
    signals_drain_and_then_end
);

fn requests_in_flight_are_answered() {
    let server = Server::start(Limits::default());
    let mut waiting: Vec<_> = (0..10)
        .map(|_| {
            let mut client = server.connect();
            client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
            server.begun.recv().unwrap();
            client
        })
        .collect();
    server.shutdown.drain();
    server.release(10);
    for client in &mut waiting {
        let answer = client.receive().unwrap();
        assert_eq!((answer.content.as_str(), answer.fields["connection"].as_str()), ("waited", "close"));
        assert!(client.receive().is_none(), "the client was told that no more is answered");
    }
    drop(waiting);
    assert_eq!(server.wait(), Ended::Drained);
}

fn requests_that_nobody_has_read_yet_are_answered() {
    let server = Server::start(Limits::default());
    let mut persistent = server.connect();
    assert_eq!(persistent.get("/hello").content, "hello");
    // Complete requests, in the system's hands at the latest: on connections that were accepted, or are still in the backlog.
    let mut clients: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for client in clients.iter_mut().chain([&mut persistent]) {
        client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    server.shutdown.drain();
    for client in clients.iter_mut().chain([&mut persistent]) {
        assert_eq!(client.receive().unwrap().content, "hello");
    }
    let address = server.address;
    drop((clients, persistent));
    assert_eq!(server.wait(), Ended::Drained);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

fn idle_connections_do_not_hold_the_end() {
    let server = Server::start(Limits { drain: Duration::from_hours(1), ..Limits::default() });
    let mut silent = server.connect();
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello").content, "hello");
    server.shutdown.drain();
    assert_eq!((silent.read_to_end(), idle.read_to_end()), (String::new(), String::new()));
    assert_eq!(server.wait(), Ended::Drained);
}

/// Clients that ask again as soon as they have an answer lose nothing: each is told by its last answer that the connection ends.
fn clients_in_a_loop_lose_nothing() {
    let server = Server::start(Limits { last_call: Duration::from_mins(1), ..Limits::default() });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let mut client = server.connect();
            scope.spawn(move || {
                loop {
                    let answer = client.get("/hello");
                    assert_eq!(answer.content, "hello");
                    if answer.fields.get("connection").is_some_and(|value| value == "close") {
                        break;
                    }
                }
                assert!(client.receive().is_none());
            });
        }
        for _ in 0..500 {
            server.next_log_line();
        }
        server.shutdown.drain();
    });
    assert_eq!(server.wait(), Ended::Drained);
}

fn a_drain_ends_even_if_a_request_does_not() {
    let server = Server::start(Limits { drain: Duration::from_millis(10), ..Limits::default() });
    let mut client = server.connect();
    client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    server.begun.recv().unwrap();
    server.shutdown.drain();
    assert_eq!(client.count_to_end(), 0);
    let line = server.next_log_line();
    assert_eq!((line["path"].as_str(), line["status"].is_null()), (Some("/wait"), true), "{line}");
    assert_eq!(server.wait(), Ended::CutOff);
}

fn a_second_request_to_end_is_obeyed_at_once() {
    let server = Server::start(Limits { drain: Duration::from_hours(1), ..Limits::default() });
    let mut client = server.connect();
    client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    server.begun.recv().unwrap();
    server.shutdown.drain();
    server.shutdown.end();
    assert_eq!(client.count_to_end(), 0);
    assert_eq!(server.wait(), Ended::CutOff);
}

fn signals_drain_and_then_end() {
    let server = Server::start(Limits { drain: Duration::from_hours(1), ..Limits::default() });
    server.obey_signals();
    let mut stuck = server.connect();
    stuck.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    server.begun.recv().unwrap();
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello").content, "hello");
    kill_process(getpid(), Signal::TERM).unwrap();
    assert_eq!(idle.read_to_end(), "", "the drain has begun");
    kill_process(getpid(), Signal::INT).unwrap();
    assert_eq!(stuck.count_to_end(), 0);
    assert_eq!(server.wait(), Ended::CutOff);
}
