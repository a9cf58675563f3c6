//! Which connections are used again, and what is never sent twice.

use super::origin::{Origin, asked, client, get, sent, text, whole};
use crate::upstream::{Failure, Forward, Part, Upload};
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[tokio::test]
async fn one_connection_carries_one_exchange_after_the_other() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nKeep-Alive: timeout=60\r\n\r\n",
    ] {
        let origin = Origin::answering(answer).await;
        let (client, upstream) = (client(), origin.upstream());
        for method in [Method::GET, Method::POST, Method::DELETE, Method::GET] {
            let response = sent(&client, asked(method, "/"), &upstream).await.unwrap();
            whole(response.into_body()).await.unwrap();
        }
        assert_eq!(origin.connections(), 1, "{answer:?}");
        assert_eq!(origin.heads().len(), 4, "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_gives_its_connection_back_with_its_last_byte() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let (client, upstream) = (client(), origin.upstream());
    for _ in 0..5 {
        // As the server of our library reads it: who knows the length asks for no end.
        let mut body = sent(&client, get("/"), &upstream).await.unwrap().into_body();
        while !http_body::Body::is_end_stream(&body) {
            body.frame().await.unwrap().unwrap();
        }
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn what_is_not_clear_is_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, CLOSE\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=0\r\n\r\nok",
        // Bytes behind the end: the beginning of an answer that nobody asked for.
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
    ] {
        let origin = Origin::answering(answer).await;
        let (client, upstream) = (client(), origin.upstream());
        for connections in 1..=4 {
            assert_eq!(text(&client, &upstream).await.unwrap(), "ok", "{answer:?}");
            assert_eq!(origin.connections(), connections, "{answer:?}");
        }
    }
    for answer in [
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
    ] {
        let origin = Origin::answering(answer).await;
        let (client, upstream) = (client(), origin.upstream());
        for connections in 1..=4 {
            assert_eq!(text(&client, &upstream).await.unwrap(), "", "{answer:?}");
            assert_eq!(origin.connections(), connections, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn what_comes_late_behind_an_answer_meets_no_other_request() {
    let (told, mut is_told) = mpsc::unbounded_channel();
    let origin = Origin::start(move |mut wire| {
        let told = told.clone();
        async move {
            wire.head().await;
            wire.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            wire.stream.flush_late(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil").await;
            told.send(()).unwrap();
            wire.gone().await;
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for connections in 1..=50 {
        assert_eq!(text(&client, &upstream).await.unwrap(), "ok");
        is_told.recv().await.unwrap();
        assert_eq!(origin.connections(), connections);
    }
}

trait Late {
    async fn flush_late(&mut self, bytes: &[u8]);
}

impl Late for tokio::net::TcpStream {
    /// After others had their turns.
    async fn flush_late(&mut self, bytes: &[u8]) {
        tokio::task::yield_now().await;
        tokio::io::AsyncWriteExt::write_all(self, bytes).await.ok();
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_rested_is_replaced_untouched() {
    let (told, mut is_told) = mpsc::unbounded_channel();
    let origin = Origin::start(move |mut wire| {
        let told = told.clone();
        async move {
            let head = wire.head().await.unwrap();
            if head.starts_with("POST") {
                assert_eq!(wire.until("0\r\n\r\n").await, "5\r\nhello\r\n0\r\n\r\n");
            }
            wire.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            drop(wire);
            told.send(()).unwrap();
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for count in 1..=300 {
        let mut forward = get("/");
        if count % 2 == 0 {
            forward = asked(Method::POST, "/");
            let frame = Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from_static(b"hello")));
            forward.body = Upload::streamed(http_body_util::StreamBody::new(futures_util::stream::iter([frame])));
        }
        let response = sent(&client, forward, &upstream).await.unwrap();
        assert_eq!(whole(response.into_body()).await.unwrap().0, "ok");
        // The end has come to this machine by now, whether or not the runtime has noticed.
        is_told.recv().await.unwrap();
        assert_eq!(origin.heads().len(), count, "each was seen once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_crosses_with_a_request_is_no_second_request() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        // Closed at once, while the next request may be on its way.
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    let mut answered = 0;
    for count in 1..=2000 {
        match text(&client, &upstream).await {
            Ok(body) => {
                assert_eq!(body, "ok");
                answered += 1;
            }
            Err(failure) => assert_eq!(failure, Failure::Interrupted(Part::Head)),
        }
        let seen = origin.heads().len();
        assert!(seen <= count, "{seen} of {count}");
    }
    assert_eq!(origin.heads().len(), answered, "what was seen was answered, and seen once");
}

#[tokio::test]
async fn what_the_upstream_may_have_seen_is_not_sent_again() {
    let origin = Origin::start(|mut wire| async move {
        let number = wire.number;
        wire.head().await;
        if number == 0 {
            wire.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            // On the connection that rested.
            wire.head().await;
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    assert_eq!(text(&client, &upstream).await.unwrap(), "ok");
    for seen in 2..=5 {
        assert_eq!(text(&client, &upstream).await, Err(Failure::Interrupted(Part::Head)));
        assert_eq!(origin.heads().len(), seen);
    }
}

#[tokio::test]
async fn what_must_not_be_repeated_uses_nothing_that_rested_long() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let (client, upstream) = (client(), origin.upstream());
    assert_eq!(text(&client, &upstream).await.unwrap(), "ok");
    let peer = Arc::clone(upstream.peers().unwrap().get(0, crate::upstream::Trust::Private).unwrap());
    assert_eq!(peer.count(), 1);
    let now = Instant::now();
    assert!(peer.take(now + Duration::from_secs(2), false).is_none());
    let live = peer.take(now + Duration::from_secs(2), true).unwrap();
    assert_eq!(peer.count(), 0);
    peer.put(live, now, Duration::MAX);
    assert!(peer.take(now + Duration::from_secs(31), true).is_none(), "nor anything that rested for too long");
    let live = peer.take(now, false).unwrap();
    peer.put(live, now, Duration::from_secs(4));
    assert!(peer.take(now + Duration::from_secs(4), true).is_none(), "nor for longer than the upstream said");
    assert_eq!(peer.count(), 0);
}

#[tokio::test]
async fn few_connections_rest() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let (client, upstream) = (client(), origin.upstream());
    let mut bodies = Vec::new();
    for _ in 0..40 {
        bodies.push(sent(&client, Forward { ..get("/") }, &upstream).await.unwrap().into_body());
    }
    assert_eq!(origin.connections(), 40);
    for body in bodies {
        whole(body).await.unwrap();
    }
    assert_eq!(upstream.peers().unwrap().get(0, crate::upstream::Trust::Private).unwrap().count(), 32);
}
