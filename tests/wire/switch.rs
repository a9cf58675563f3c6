//! Connections that switch to another protocol, and those that do not.

use super::relay;
use super::server::Server;
use siteserver::server::{Ended, Limits};
use std::io::{Read as _, Write as _};
use std::time::Duration;

crate::cases!(
    a_connection_switches_and_is_logged_at_its_end,
    what_is_sent_too_early_is_not_lost,
    much_passes_in_both_directions,
    only_a_whole_request_for_it_may_switch,
    another_answer_leaves_the_connection_as_it_was,
    nobody_switches_what_may_not_switch,
    the_end_of_the_server_ends_it,
    a_connection_that_rests_for_too_long_ends
);

const REQUEST: &str = "GET /switch HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: shout\r\n\r\n";

fn a_connection_switches_and_is_logged_at_its_end() {
    let (server, inside) = relay::start(Limits { idle: Duration::from_millis(1), ..Limits::default() });
    let mut client = server.connect();
    client.send(REQUEST.as_bytes());
    let head = client.receive_head().unwrap();
    assert_eq!((head.status, head.fields["upgrade"].as_str()), (101, "shout"));
    assert_eq!(head.fields["connection"], "upgrade");
    for _ in 0..10 {
        client.send(b"hello\r\n\r\n\0\xff");
        assert_eq!(client.exactly(11), b"HELLO\r\n\r\n\0\xff");
    }
    client.finish();
    assert_eq!(client.read_to_end(), "");
    assert_eq!(inside.dropped.recv().unwrap(), "tunnel");
    let line = server.next_log_line();
    assert_eq!((line["status"].as_u64(), line["path"].as_str()), (Some(101), Some("/switch")), "{line}");
    assert_eq!(line["bytes"], 110, "{line}");
}

fn what_is_sent_too_early_is_not_lost() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    client.send(format!("GET /first HTTP/1.1\r\nHost: a\r\n\r\n{REQUEST}hello GET / HTTP/1.1\n\n").as_bytes());
    assert_eq!(client.receive().unwrap().content, "first");
    assert_eq!(client.receive_head().unwrap().status, 101);
    client.finish();
    assert_eq!(client.read_to_end(), "HELLO GET / HTTP/1.1\n\n");
    assert_eq!(server.next_log_line()["path"], "/first");
    assert_eq!(server.next_log_line()["bytes"], 22);
}

fn much_passes_in_both_directions() {
    const LENGTH: usize = 8 << 20;
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    client.send(REQUEST.as_bytes());
    client.receive_head().unwrap();
    let mut socket = client.socket().try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            socket.write_all(&vec![b'x'; LENGTH]).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut octets = Vec::new();
        client.stream().read_to_end(&mut octets).unwrap();
        assert!(octets.len() == LENGTH && octets.iter().all(|&octet| octet == b'X'));
    });
    assert_eq!(server.next_log_line()["bytes"], LENGTH);
}

fn only_a_whole_request_for_it_may_switch() {
    let (server, _) = relay::start(Limits::default());
    for (request, may) in [
        ("GET /may-switch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", true),
        (
            "GET /may-switch HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection: b,\tUPGRADE\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
            true,
        ),
        ("GET /may-switch HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", false),
        ("GET /may-switch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n", false),
        ("GET /may-switch HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", false),
        ("GET /may-switch HTTP/1.1\r\nHost: a\r\nConnection: upgrades\r\nUpgrade: websocket\r\n\r\n", false),
        (
            "GET /may-switch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
            false,
        ),
    ] {
        let answer = server.send_and_finish(request.as_bytes());
        assert!(answer.ends_with(if may { "\r\n\r\nit may" } else { "\r\n\r\nit may not" }), "{request:?}:\n{answer}");
    }
}

fn another_answer_leaves_the_connection_as_it_was() {
    let (server, _) = relay::start(Limits::default());
    let asking = "Connection: upgrade\r\nUpgrade: shout\r\n";
    let mut client = server.connect();
    client.send(
        format!("GET /hello HTTP/1.1\r\nHost: a\r\n{asking}\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(),
    );
    assert_eq!(client.receive().unwrap().content, "hello");
    assert_eq!(client.receive().unwrap().content, "next");
    // And it ends as others do: what cannot pass is answered.
    client.send(format!("GET /hello HTTP/1.1\r\nHost: a\r\n{asking}\r\nGET\r\n").as_bytes());
    assert_eq!(client.receive().unwrap().content, "hello");
    assert_eq!(client.receive().unwrap().status, 400);
    assert!(client.receive().is_none());
}

fn nobody_switches_what_may_not_switch() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    assert_eq!(client.get("/switch").content, "as it was");
    assert_eq!(client.get("/switch-whatever").status, 500);
    assert_eq!(client.get("/next").content, "next");
}

/// A connection that has switched.
fn switched(server: &Server) -> super::server::Client {
    let mut client = server.connect();
    client.send(REQUEST.as_bytes());
    assert_eq!(client.receive_head().unwrap().status, 101);
    client.send(b"x");
    assert_eq!(client.exactly(1), b"X");
    client
}

fn the_end_of_the_server_ends_it() {
    let (server, inside) = relay::start(Limits { drain: Duration::from_hours(1), ..Limits::default() });
    let mut client = switched(&server);
    server.shutdown.drain();
    assert_eq!(client.read_to_end(), "");
    assert_eq!(inside.dropped.recv().unwrap(), "tunnel");
    assert_eq!(server.next_log_line()["bytes"], 1);
    assert_eq!(server.wait(), Ended::Drained);
    // At once, if it is asked to.
    let (server, inside) = relay::start(Limits { drain: Duration::from_hours(1), ..Limits::default() });
    let mut client = switched(&server);
    server.shutdown.end();
    assert_eq!(client.count_to_end(), 0);
    assert_eq!(inside.dropped.recv().unwrap(), "tunnel");
    server.wait();
}

fn a_connection_that_rests_for_too_long_ends() {
    let (server, inside) = relay::start(Limits { tunnel_idle: Duration::from_millis(200), ..Limits::default() });
    let mut client = switched(&server);
    assert_eq!(client.count_to_end(), 0);
    assert_eq!(inside.dropped.recv().unwrap(), "tunnel");
}
