//! Request bodies that a handler reads: in chunks or of a known length, whole or in part, at its own pace. And those that are no bodies.

use super::relay;
use super::server::{Client, Received};
use crate::support::proof::scaled;
use siteserver::server::Limits;
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

crate::cases!(
    a_body_in_chunks_is_read_however_it_comes,
    trailer_fields_reach_the_handler,
    what_is_no_body_is_an_error_and_nothing_after_it_a_request,
    a_body_that_nobody_reads_needs_a_length,
    continue_is_sent_to_a_reader_of_chunks_only,
    a_body_passes_through_while_it_comes,
    a_body_that_is_read_may_take_its_time,
    a_body_that_is_read_may_not_pause_for_long,
    what_nobody_reads_is_not_taken,
    an_answer_may_come_before_the_body_has_ended,
    a_client_that_is_gone_ends_what_is_done_for_it,
    a_client_that_only_listens_is_waited_for
);

const SHORT: Duration = Duration::from_secs(1);

/// The head of a request with a body in chunks.
fn head(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
}

fn a_body_in_chunks_is_read_however_it_comes() {
    let (server, _) = relay::start(Limits::default());
    let bodies = [
        ("0\r\n\r\n", "0 octets"),
        ("5\r\nhello\r\n0\r\n\r\n", "5 octets"),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "5 octets"),
        ("00a\r\n0123456789\r\nB;a=\"b;\\\"\"\r\n0123456789a\r\n000;c\r\n\r\n", "21 octets"),
        ("1;x\r\na\r\n0\r\nChecksum: x\r\n\r\n", "1 octets, checksum \"x\""),
    ];
    let mut client = server.connect();
    for (body, answer) in bodies {
        let request = format!("{}{body}GET /next HTTP/1.1\r\nHost: a\r\n\r\n", head("/read"));
        let check = |client: &mut Client, how: &str| {
            assert_eq!(client.receive().unwrap().content, answer, "{body:?} {how}");
            assert_eq!(client.receive().unwrap().content, "next", "{body:?} {how}");
        };
        client.send(request.as_bytes());
        check(&mut client, "whole");
        for piece in request.as_bytes().chunks(1) {
            client.send(piece);
        }
        check(&mut client, "octet by octet");
        for split in 0..request.len() {
            let (first, second) = request.as_bytes().split_at(split);
            client.send(first);
            client.send(second);
            check(&mut client, &format!("in two pieces at {split}"));
        }
    }
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let request = format!("{}{}0\r\n\r\n", head("/read"), chunk.repeat(500));
    client.send(request.repeat(3).as_bytes());
    for _ in 0..3 {
        assert_eq!(client.receive().unwrap().content, "2048000 octets");
    }
}

fn trailer_fields_reach_the_handler() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    client.send(format!("{}1\r\nx\r\n0\r\nChecksum: abc \r\nOther:\r\n\r\n", head("/read")).as_bytes());
    let content = client.receive().unwrap().content;
    assert!(content.contains(", checksum \"abc\"") && content.contains(", other \"\""), "{content}");
    client.send(
        b"POST /echo-trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n\
          1\r\nx\r\n0\r\nChecksum: abc\r\n\r\n",
    );
    client.receive_head().unwrap();
    for line in ["1", "x", "0", "checksum: abc", ""] {
        assert_eq!(client.line().unwrap(), line);
    }
    assert_eq!(client.get("/next").content, "next");
}

/// Bodies of which nobody may say where they end. Each is followed by what one reading takes for a request.
const NO_BODIES: &[&str] = &[
    "\r\n5\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "\t5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\t\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "5_\r\nhello\r\n0\r\n\r\n",
    "5h\r\nhello\r\n0\r\n\r\n",
    "5.\r\nhello\r\n0\r\n\r\n",
    "00000000000000005\r\nhello\r\n0\r\n\r\n",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "8000000000000005\r\nhello\r\n0\r\n\r\n",
    "5;\r\nhello\r\n0\r\n\r\n",
    "5;\nhello\r\n0\r\n\r\n",
    "5;a\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5;a=\"\r\nhello\r\n0\r\n\r\n",
    "5 ;a\r\nhello\r\n0\r\n\r\n",
    "5; a\r\nhello\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello\r\n0\n\n",
    "5\r\nhello\r\n0\r\n\n",
    "5\r\nhello\r\n0\n\r\n",
    "4\r\nhello\r\n0\r\n\r\n",
    "6\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n",
    "5\r\nhello\r\n0\r\n",
    "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n0\r\nHost: b\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: y\r\nAUTHORIZATION: Basic x\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: y\r\n Z: folded\r\n\r\n",
    "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: y\n\r\n",
];

fn what_is_no_body_is_an_error_and_nothing_after_it_a_request() {
    let (server, _) = relay::start(Limits::default());
    let mut other = server.connect();
    for body in NO_BODIES {
        for path in ["/read", "/echo"] {
            let request = format!("{}{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", head(path));
            for size in [1, 7, request.len()] {
                let mut client = server.connect();
                for piece in request.as_bytes().chunks(size) {
                    // The server may have seen enough.
                    drop(client.try_send(piece));
                }
                drop(client.socket().shutdown(std::net::Shutdown::Write));
                let mut octets = Vec::new();
                match client.stream().read_to_end(&mut octets) {
                    Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
                    _ => {}
                }
                let answer = String::from_utf8_lossy(&octets);
                assert!(answer.matches("HTTP/1.1").count() <= 1, "{body:?} to {path} in {size}:\n{answer}");
                assert!(!answer.contains("smuggled") || path == "/echo", "{body:?} to {path} in {size}:\n{answer}");
                if path == "/read" {
                    assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?} in {size}:\n{answer}");
                } else {
                    assert!(!answer.ends_with("0\r\n\r\n"), "{body:?} in {size} has no end:\n{answer}");
                }
            }
        }
        assert_eq!(other.get("/hello").content, "hello", "after {body:?}");
    }
}

fn a_body_that_nobody_reads_needs_a_length() {
    let (server, _) = relay::start(Limits::default());
    for method in ["GET", "POST", "OPTIONS"] {
        for body in ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "x\r\n"] {
            let request = format!(
                "{method} /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
            );
            let answer = server.send(request.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
            assert!(answer.contains("a body needs `Content-Length`\n"), "{answer}");
            assert!(answer.contains("connection: close\r\n"), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        }
    }
    let answer = server.send(format!("{}0\r\n\r\n", head("/refuse")).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("connection: close\r\n"), "{answer}");
}

fn continue_is_sent_to_a_reader_of_chunks_only() {
    let (server, _) = relay::start(Limits::default());
    let ask = |path| head(path).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut client = server.connect();
    client.send(ask("/later").as_bytes());
    server.begun.recv().unwrap();
    server.release(1);
    assert_eq!(client.receive_head().unwrap().status, 100);
    client.send(b"5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(client.receive().unwrap().content, "5 octets");
    client.send(ask("/hello").as_bytes());
    assert_eq!(client.receive().unwrap().status, 411);
    assert!(client.receive().is_none());
    let mut client = server.connect();
    client.send(ask("/refuse").as_bytes());
    let Received { status, fields, .. } = client.receive().unwrap();
    assert_eq!((status, fields["connection"].as_str()), (404, "close"));
    assert!(client.receive().is_none());
}

/// Each piece comes back before the next is sent; and then very many, without end.
fn a_body_passes_through_while_it_comes() {
    let (server, _) = relay::start(Limits::default());
    let mut client = server.connect();
    client.send(head("/echo").as_bytes());
    client.send(b"5\r\nhello\r\n");
    assert_eq!(client.receive_head().unwrap().fields["transfer-encoding"], "chunked");
    assert_eq!(client.exactly(10), b"5\r\nhello\r\n");
    for number in 0..100 {
        let piece = format!("8\r\n{number:08}\r\n");
        client.send(piece.as_bytes());
        assert_eq!(client.exactly(piece.len()), piece.as_bytes());
    }
    client.send(b"0\r\n\r\n");
    assert_eq!(client.exactly(5), b"0\r\n\r\n");
    assert_eq!(client.get("/next").content, "next");

    let length = scaled(1 << 30, 32 << 20);
    client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").as_bytes());
    assert_eq!(client.receive_head().unwrap().fields["content-length"], length.to_string());
    let mut socket = client.socket().try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..length / 8 / 1024 {
                let octets: Vec<u8> = (0..1024).flat_map(|at| (number * 1024 + at).to_le_bytes()).collect();
                socket.write_all(&octets).unwrap();
            }
        });
        for number in 0..length / 8 / 1024 {
            let octets: Vec<u8> = (0..1024).flat_map(|at| (number * 1024 + at).to_le_bytes()).collect();
            assert!(client.exactly(8 * 1024) == octets, "{number}");
        }
    });
    assert_eq!(client.get("/next").content, "next");
}

fn a_body_that_is_read_may_take_its_time() {
    let whole = Duration::from_millis(50);
    let (server, _) = relay::start(Limits { body_time: whole, ..Limits::default() });
    let mut client = server.connect();
    client.send(head("/echo").as_bytes());
    client.send(b"1\r\nx\r\n");
    client.receive_head().unwrap();
    assert_eq!(client.exactly(6), b"1\r\nx\r\n");
    let begun = Instant::now();
    while begun.elapsed() < 4 * whole {
        client.send(b"1\r\nx\r\n");
        assert_eq!(client.exactly(6), b"1\r\nx\r\n");
    }
    client.send(b"0\r\n\r\n");
    assert_eq!(client.exactly(5), b"0\r\n\r\n");
    // Unless its handler waits for all of it.
    client.send(head("/read-in-time").as_bytes());
    while client.try_send(b"1\r\nx\r\n").is_ok() && server.try_next_log_line().is_none_or(|line| line["status"] != 408)
    {
    }
    assert_eq!(client.receive().unwrap().status, 408);
}

fn a_body_that_is_read_may_not_pause_for_long() {
    let (server, _) = relay::start(Limits { body_stall: SHORT, ..Limits::default() });
    for begun in ["", "5\r\nhel", "5\r\nhello\r\n", "0\r\n"] {
        let mut client = server.connect();
        client.send(format!("{}{begun}", head("/read")).as_bytes());
        assert_eq!(client.receive().unwrap().status, 408, "{begun:?}");
        assert!(client.receive().is_none());
    }
}

/// Octets that the server and the system may hold of what nobody reads or takes: far less than a body may have.
const HELD: usize = 48 << 20;

fn what_nobody_reads_is_not_taken() {
    let (server, inside) = relay::start(Limits { write_stall: SHORT, ..Limits::default() });
    // A body that a handler has and does not read.
    for (fields, chunk) in [("Content-Length: 1000000000", 0), ("Transfer-Encoding: chunked", 0x10000)] {
        let mut client = server.connect();
        client.send(format!("POST /later HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n").as_bytes());
        server.begun.recv().unwrap();
        let mut piece = vec![b'x'; 0x10000];
        if chunk > 0 {
            piece = [b"10000\r\n", piece.as_slice(), b"\r\n"].concat();
        }
        client.socket().set_write_timeout(Some(SHORT)).unwrap();
        let mut sent = 0;
        while client.try_send(&piece).is_ok() {
            sent += piece.len();
            assert!(sent < HELD, "somebody takes what nobody reads");
        }
        server.release(1);
    }
    // An answer that a client does not take.
    let mut client = server.connect();
    client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    client.receive_head().unwrap();
    assert_eq!(inside.dropped.recv().unwrap(), "endless");
    assert!(inside.made.load(std::sync::atomic::Ordering::SeqCst) < HELD);
}

fn an_answer_may_come_before_the_body_has_ended() {
    let (server, _) = relay::start(Limits::default());
    for (field, piece) in
        [("Content-Length: 100000000", "x".repeat(1000)), ("Transfer-Encoding: chunked", "5\r\nhello\r\n".repeat(100))]
    {
        let mut client = server.connect();
        client.send(format!("POST /early HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n{piece}").as_bytes());
        let answer = client.receive().unwrap();
        assert_eq!((answer.status, answer.content.as_str()), (413, "enough"));
        assert_eq!(answer.fields["connection"], "close");
        assert!(client.receive().is_none(), "no reset");
        // Sent at once, the rest does not destroy the answer either.
        let mut client = server.connect();
        client.send(format!("POST /early HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n").as_bytes());
        for _ in 0..(1 << 20) / piece.len() {
            client.send(piece.as_bytes());
        }
        assert_eq!(client.receive().unwrap().status, 413);
        assert!(client.receive().is_none(), "no reset");
    }
}

fn a_client_that_is_gone_ends_what_is_done_for_it() {
    let (server, inside) = relay::start(Limits { half_closed: Duration::from_millis(100), ..Limits::default() });
    for (path, name) in [("/watched", "call"), ("/watched-stream", "stream")] {
        // With an answer that it has not read: the system resets the connection.
        let mut client = server.connect();
        client.send(b"GET /unread HTTP/1.1\r\nHost: a\r\n\r\n");
        client.socket().peek(&mut [0]).unwrap();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        server.begun.recv().unwrap();
        drop(client);
        assert_eq!(inside.dropped.recv().unwrap(), name);
        // With none: nobody can tell it from one that listens, so it has a little time.
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        server.begun.recv().unwrap();
        drop(client);
        assert_eq!(inside.dropped.recv().unwrap(), name);
        // With more requests behind.
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        server.begun.recv().unwrap();
        drop(client);
        assert_eq!(inside.dropped.recv().unwrap(), name);
    }
}

fn a_client_that_only_listens_is_waited_for() {
    let (server, _inside) = relay::start(Limits { half_closed: Duration::from_hours(1), ..Limits::default() });
    let mut client = server.connect();
    client.send(b"GET /watched HTTP/1.1\r\nHost: a\r\n\r\nGET /watched HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    client.finish();
    for _ in 0..2 {
        server.begun.recv().unwrap();
        server.release(1);
        assert_eq!(client.receive().unwrap().content, "waited");
    }
    assert_eq!(client.receive().unwrap().content, "next");
    assert!(client.receive().is_none());
}
