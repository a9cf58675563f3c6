//! What is waited for, and for how long; what an exchange means to others of the same upstream.

use super::origin::{Origin, PATIENT, SAFETY_NET, asked, client, get, later, sent, settings, text, whole};
use crate::upstream::{
    Bounds, BreakerSettings, Failure, Forward, Forwarded, Upload, UpstreamSettings, UpstreamState, Wait,
};
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use http::Method;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(150);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn never() -> Upload {
    Upload::streamed(StreamBody::new(stream::pending::<Result<Frame<Bytes>, io::Error>>()))
}

fn endless() -> Upload {
    let piece = Bytes::from(vec![0; 64 << 10]);
    let pieces = stream::repeat_with(move || Ok::<_, io::Error>(Frame::data(piece.clone())));
    Upload::streamed(StreamBody::new(pieces))
}

#[tokio::test]
async fn every_wait_has_its_end() {
    let silent = Origin::start(|mut wire| async move {
        wire.head().await;
        // Neither reads nor says anything.
        tokio::time::sleep(SAFETY_NET).await;
    })
    .await;
    let first_byte = Bounds { first_byte: SOON, ..PATIENT };
    let stall = Bounds { stall: SOON, ..PATIENT };
    let post = |body| Forward { body, ..asked(Method::POST, "/") };
    for (forward, bounds, deadline, expected) in [
        (get("/"), first_byte, SAFETY_NET, Failure::Timeout(Wait::FirstByte)),
        (get("/"), PATIENT, SOON, Failure::Timeout(Wait::FirstByte)),
        (post(Upload::whole(Bytes::from_static(b"x"))), first_byte, SAFETY_NET, Failure::Timeout(Wait::FirstByte)),
        (post(endless()), stall, SAFETY_NET, Failure::Timeout(Wait::Upload)),
        (post(never()), stall, SAFETY_NET, Failure::BrokenUpload),
    ] {
        let outcome = client().forward(forward, &silent.upstream(), bounds, Instant::now() + deadline).await;
        assert_eq!(outcome.err(), Some(expected));
    }
    let half = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha").await;
    for early in [false, true] {
        let forward = if early { post(never()) } else { get("/") };
        let outcome = client().forward(forward, &half.upstream(), stall, later()).await.unwrap();
        let Forwarded::Answer(response) = outcome else { panic!("switched") };
        let mut body = response.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ha");
        assert_eq!(body.frame().await.unwrap().err(), Some(Failure::Timeout(Wait::Body)), "early: {early}");
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test]
async fn a_reader_may_be_as_slow_as_it_likes() {
    let origin = Origin::answering(OK).await;
    let stall = Bounds { stall: Duration::from_millis(20), ..PATIENT };
    let outcome = client().forward(get("/"), &origin.upstream(), stall, later()).await.unwrap();
    let Forwarded::Answer(response) = outcome else { panic!("switched") };
    // Longer than the bound, which is the upstream's.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(whole(response.into_body()).await.unwrap().0, "ok");
}

#[tokio::test]
async fn a_long_upload_has_time_for_its_answer() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.until("0\r\n\r\n").await;
        wire.say(OK).await;
        wire.gone().await;
    })
    .await;
    let frames = stream::unfold(0, |count| async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        (count < 10).then(|| (Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"x"))), count + 1))
    });
    let body = Upload::streamed(StreamBody::new(Box::pin(frames)));
    let bounds = Bounds { first_byte: SAFETY_NET, stall: SAFETY_NET };
    // The deadline passes while the body is being sent.
    let deadline = Instant::now() + Duration::from_millis(100);
    let (client, upstream) = (client(), origin.upstream());
    let outcome = client.forward(Forward { body, ..asked(Method::POST, "/") }, &upstream, bounds, deadline);
    assert_eq!(outcome.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_counts_while_its_answer_is_waited_for() {
    let origin = Origin::start(|mut wire| async move {
        while let Some(head) = wire.head().await {
            if head.contains("/silent") {
                wire.gone().await;
            } else {
                wire.say(OK).await;
            }
        }
    })
    .await;
    let client = client();
    let settings = UpstreamSettings { max_concurrent: 1, ..settings(&origin.base(), &[]) };
    let upstream = Arc::new(UpstreamState::new(&settings));
    let mut waiting = Box::pin(client.forward(get("/silent"), &upstream, PATIENT, later()));
    assert!((&mut waiting).now_or_never().is_none());
    let turn = client.forward(get("/"), &upstream, PATIENT, Instant::now() + SOON).await;
    assert_eq!(turn.err(), Some(Failure::Timeout(Wait::Turn)));
    drop(waiting);
    // Who does not read what he was sent takes nobody's place, and neither does who is slow to send.
    let _unread =
        (sent(&client, get("/"), &upstream).await.unwrap(), sent(&client, get("/"), &upstream).await.unwrap());
    let slow = || Forward { body: never(), ..asked(Method::POST, "/silent") };
    let mut slow = [(); 2].map(|()| Box::pin(client.forward(slow(), &upstream, PATIENT, later())));
    for slow in &mut slow {
        assert!(slow.now_or_never().is_none());
    }
    // Also what is dropped, at any moment, gives its place back.
    let exchange = client.forward(get("/"), &upstream, PATIENT, later());
    assert!(exchange.now_or_never().is_none());
    for _ in 0..3 {
        assert_eq!(text(&client, &upstream).await.unwrap(), "ok");
    }
    for status in [204, 304] {
        let origin = Origin::answering(format!("HTTP/1.1 {status} X\r\n\r\n")).await;
        let upstream = origin.upstream();
        for _ in 0..3 {
            sent(&client, get("/"), &upstream).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_stream_after_101_counts_no_more() {
    let origin = Origin::answering("HTTP/1.1 101 X\r\nUpgrade: chat\r\n\r\n").await;
    let client = client();
    let settings = UpstreamSettings { max_concurrent: 1, ..settings(&origin.base(), &[]) };
    let upstream = Arc::new(UpstreamState::new(&settings));
    let mut tunnels = Vec::new();
    for _ in 0..3 {
        let upgrade = Some(http::HeaderValue::from_static("chat"));
        let outcome = client.forward(Forward { upgrade, ..get("/") }, &upstream, PATIENT, later()).await.unwrap();
        assert!(matches!(outcome, Forwarded::Switched(..)));
        tunnels.push(outcome);
    }
}

fn with_breaker(origin: &Origin) -> Arc<UpstreamState> {
    let breaker = Some(BreakerSettings { failures: 2, open_for: SAFETY_NET });
    Arc::new(UpstreamState::new(&UpstreamSettings { breaker, ..settings(&origin.base(), &[]) }))
}

#[tokio::test]
async fn the_breaker_hears_of_failures_and_of_bodies_that_break_off() {
    let client = client();
    for (answer, is_failure) in [
        ("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nha", true),
        ("", true),
        ("nonsense\r\n\r\n", false),
        ("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", false),
    ] {
        let origin = Origin::start(move |mut wire| async move {
            wire.head().await;
            wire.say(answer).await;
        })
        .await;
        let upstream = with_breaker(&origin);
        for _ in 0..2 {
            text(&client, &upstream).await.ok();
        }
        let outcome = text(&client, &upstream).await;
        assert_eq!(outcome.err() == Some(Failure::BreakerOpen), is_failure, "{answer:?}");
    }
    // Whoever breaks off says nothing about the upstream.
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nha").await;
    let upstream = with_breaker(&origin);
    for _ in 0..5 {
        drop(sent(&client, get("/"), &upstream).await.unwrap());
    }
    for _ in 0..5 {
        let failing =
            Upload::streamed(StreamBody::new(stream::iter([Err::<Frame<Bytes>, _>(io::Error::other("gone"))])));
        let outcome = sent(&client, Forward { body: failing, ..asked(Method::POST, "/") }, &upstream).await;
        assert_eq!(outcome.err(), Some(Failure::BrokenUpload));
    }
    assert_eq!(upstream.is_left_alone(Instant::now()), Some(false));
}

#[tokio::test]
async fn patience_is_heeded_when_it_is_asked_of_everybody() {
    let origin = Origin::answering("HTTP/1.1 503 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n").await;
    let (client, upstream) = (client(), origin.upstream());
    for _ in 0..2 {
        assert_eq!(sent(&client, get("/"), &upstream).await.unwrap().status(), 503);
    }
    let forward = Forward { for_visitor: false, ..get("/") };
    assert_eq!(sent(&client, forward, &upstream).await.unwrap().status(), 503);
    assert_eq!(sent(&client, get("/"), &upstream).await.err(), Some(Failure::AskedToWait));
    assert_eq!(origin.heads().len(), 3);
}

#[tokio::test]
async fn a_dropped_exchange_closes_its_connection() {
    let (told, mut is_told) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::start(move |mut wire| {
        let told = told.clone();
        async move {
            let head = wire.head().await.unwrap();
            if head.starts_with("GET /body") {
                wire.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nha").await;
            }
            wire.gone().await;
            told.send(()).unwrap();
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    drop(sent(&client, get("/body"), &upstream).await.unwrap());
    is_told.recv().await.unwrap();
    let body = sent(&client, Forward { body: never(), ..get("/body") }, &upstream).await.unwrap();
    drop(body);
    is_told.recv().await.unwrap();
    let exchange = client.forward(get("/head"), &upstream, PATIENT, later());
    let mut exchange = Box::pin(exchange);
    tokio::select! {
        biased;
        _ = &mut exchange => panic!("answered"),
        () = async { while origin.heads().len() < 3 { tokio::task::yield_now().await } } => {}
    }
    drop(exchange);
    is_told.recv().await.unwrap();
}
