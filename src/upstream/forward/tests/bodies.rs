//! Bodies in both directions: framing, trailers, back-pressure, answers that begin early, and the stream after `101`.

use super::origin::{Origin, PATIENT, SAFETY_NET, asked, client, get, later, sent, whole};
use crate::upstream::{Failure, Forward, Forwarded, Part, Tunnel, Upload};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, StreamBody};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

static PIECE_OF_X: [u8; PIECE] = [b'x'; PIECE];
const PIECE: usize = 64 << 10;
const WHOLE: usize = 64 << 20;
/// More than the system keeps for both ends of a connection, and far less than the whole.
const UNDER_WAY: usize = 24 << 20;

type Piece = Result<Frame<Bytes>, io::Error>;

/// A body whose frames a test hands over one by one.
fn handed_over() -> (mpsc::Sender<Piece>, Upload) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = stream::unfold(receiver, |mut receiver: mpsc::Receiver<Piece>| async {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    (sender, Upload::streamed(StreamBody::new(Box::pin(frames))))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(text.into())
}

/// A body that says to have this length.
struct Said<B>(B, u64);

impl<B: Body<Data = Bytes> + Unpin> Body for Said<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.1)
    }
}

#[tokio::test]
async fn chunks_and_trailers_go_both_ways() {
    let origin = Origin::start(|mut wire| async move {
        while let Some(head) = wire.head().await {
            assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
            let body = wire.until("\r\n\r\n").await;
            let echo = body.replace("x-sum", "X-Echo");
            wire.say(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-echo\r\n\r\n{echo}")).await;
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for _ in 0..3 {
        let (sender, body) = handed_over();
        let mut forward = Forward { body, takes_trailers: true, ..asked(Method::POST, "/") };
        forward.headers.insert("trailer", HeaderValue::from_static("x-sum"));
        let feed = tokio::spawn(async move {
            for frame in [data("abc"), data("de")] {
                sender.send(Ok(frame)).await.unwrap();
            }
            let trailers =
                HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), HeaderValue::from_static("5"))]);
            sender.send(Ok(Frame::trailers(trailers))).await.unwrap();
        });
        let response = sent(&client, forward, &upstream).await.unwrap();
        let (body, trailers) = whole(response.into_body()).await.unwrap();
        feed.await.unwrap();
        assert_eq!(body, "abcde");
        assert_eq!(trailers["x-echo"], "5");
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_request_that_breaks_off_is_broken_off() {
    let (done, mut taken) = mpsc::unbounded_channel();
    let origin = Origin::start(move |mut wire| {
        let done = done.clone();
        async move {
            wire.head().await;
            done.send(wire.until("0\r\n\r\n").await).unwrap();
        }
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for ending in [Err(io::Error::other("gone")), Ok(())] {
        let (sender, body) = handed_over();
        let forward = Forward { body, ..asked(Method::POST, "/") };
        let exchange = sent(&client, forward, &upstream);
        let feed = async {
            sender.send(Ok(data("abc"))).await.unwrap();
            if let Err(error) = ending {
                sender.send(Err(error)).await.unwrap();
            }
            drop(sender);
        };
        let (outcome, ()) = tokio::join!(exchange, feed);
        let came = taken.recv().await.unwrap();
        if came.ends_with("0\r\n\r\n") {
            // It ended as it should, and then there was no answer.
            assert_eq!(outcome.err(), Some(Failure::Interrupted(Part::Head)));
        } else {
            assert_eq!(outcome.err(), Some(Failure::BrokenUpload));
            assert_eq!(came, "3\r\nabc\r\n");
        }
    }
}

#[tokio::test]
async fn a_request_of_another_length_than_it_said_is_broken_off() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.exactly(5).await;
        wire.gone().await;
    })
    .await;
    for said in [4, 6] {
        let frames = stream::iter([Ok::<_, io::Error>(data("hello"))]);
        let body = Upload::streamed(Said(StreamBody::new(frames), said));
        let outcome = sent(&client(), Forward { body, ..asked(Method::PUT, "/") }, &origin.upstream()).await;
        assert_eq!(outcome.err(), Some(Failure::BrokenUpload), "{said}");
    }
}

#[tokio::test]
async fn an_answer_that_begins_early_is_passed_on_at_once() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n").await;
        let rest = wire.until("0\r\n\r\n").await;
        wire.say(format!("{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len())).await;
        wire.gone().await;
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    let (sender, body) = handed_over();
    let response = sent(&client, Forward { body, ..asked(Method::POST, "/") }, &upstream).await.unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "early", "before anything of the body was sent");
    sender.send(Ok(data("late"))).await.unwrap();
    drop(sender);
    assert_eq!(whole(body).await.unwrap().0, "4\r\nlate\r\n0\r\n\r\n");
    // Such a connection carries nothing else.
    assert!(sent(&client, get("/"), &upstream).await.is_ok());
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn an_answer_instead_of_the_rest_of_the_request_is_an_answer() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno").await;
        wire.gone().await;
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for _ in 0..20 {
        let (sender, body) = handed_over();
        let response = sent(&client, Forward { body, ..asked(Method::POST, "/") }, &upstream).await.unwrap();
        assert_eq!(response.status(), 413);
        assert_eq!(whole(response.into_body()).await.unwrap().0, "no");
        assert!(tokio::time::timeout(SAFETY_NET, sender.closed()).await.is_ok(), "nobody reads the request any more");
    }
}

#[tokio::test]
async fn an_echo_of_any_size_moves_while_its_reader_waits() {
    // The upstream answers while it reads; the visitor reads the answer only when all was sent.
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n").await;
        for _ in 0..16 {
            let piece = wire.exactly(PIECE).await;
            wire.say(piece).await;
        }
        wire.gone().await;
    })
    .await;
    let (sender, body) = handed_over();
    let (client, upstream) = (client(), origin.upstream());
    let response = sent(&client, Forward { body, ..asked(Method::POST, "/") }, &upstream);
    let first = async {
        // Chunked, so what is echoed begins with the size of a chunk.
        for _ in 0..17 {
            sender.send(Ok(Frame::data(Bytes::from(vec![b'x'; PIECE])))).await.unwrap();
        }
    };
    let (response, ()) = tokio::join!(response, first);
    assert_eq!(whole(response.unwrap().into_body()).await.unwrap().0.len(), 1 << 20);
}

#[tokio::test]
async fn nothing_is_read_ahead_of_a_slow_reader() {
    let sent_out = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent_out);
    let origin = Origin::start(move |mut wire| {
        let counted = Arc::clone(&counted);
        async move {
            wire.head().await;
            wire.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {WHOLE}\r\n\r\n")).await;
            for _ in 0..WHOLE / PIECE {
                wire.stream.write_all(&PIECE_OF_X).await.unwrap();
                counted.fetch_add(PIECE, Ordering::Relaxed);
            }
            wire.gone().await;
        }
    })
    .await;
    let response = sent(&client(), get("/"), &origin.upstream()).await.unwrap();
    let mut body = response.into_body();
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece.len() <= 4 * PIECE, "{}", piece.len());
        taken += piece.len();
        // The server has every chance to go on.
        tokio::task::yield_now().await;
        assert!(sent_out.load(Ordering::Relaxed).saturating_sub(taken) < UNDER_WAY);
    }
    assert_eq!(taken, WHOLE);
}

#[tokio::test]
async fn nothing_is_sent_ahead_of_a_slow_upstream() {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let origin = Origin::start(move |mut wire| {
        let counted = Arc::clone(&counted);
        async move {
            wire.head().await;
            let mut piece = vec![0; PIECE];
            let mut left = WHOLE - wire.exactly(0).await.len();
            while left > 0 {
                let count = wire.exactly(left.min(PIECE)).await.len();
                if count == 0 {
                    break;
                }
                left -= count;
                counted.fetch_add(count, Ordering::Relaxed);
            }
            piece.clear();
            wire.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            wire.gone().await;
        }
    })
    .await;
    let mut made = 0;
    let frames = stream::iter(std::iter::from_fn(move || {
        assert!(made - read.load(Ordering::Relaxed).min(made) < UNDER_WAY);
        made += PIECE;
        (made <= WHOLE).then(|| Ok::<_, io::Error>(Frame::data(Bytes::from_static(&PIECE_OF_X))))
    }));
    let body = Upload::streamed(Said(StreamBody::new(frames), WHOLE as u64));
    let response = sent(&client(), Forward { body, ..asked(Method::PUT, "/") }, &origin.upstream()).await.unwrap();
    assert_eq!(whole(response.into_body()).await.unwrap().0, "ok");
}

async fn switched(forward: Forward, origin: &Origin) -> Result<Tunnel, Failure> {
    match client().forward(forward, &origin.upstream(), PATIENT, later()).await? {
        Forwarded::Switched(response, tunnel) => {
            assert_eq!(response.headers()["upgrade"], "chat");
            Ok(tunnel)
        }
        Forwarded::Answer(response) => panic!("{}", response.status()),
    }
}

#[tokio::test]
async fn what_is_switched_to_is_bytes_both_ways() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nfirst").await;
        let mut said = [0; 4];
        while wire.stream.read_exact(&mut said).await.is_ok() {
            wire.say(said).await;
        }
        wire.say("bye").await;
    })
    .await;
    let forward = Forward { upgrade: Some(HeaderValue::from_static("chat")), ..get("/") };
    let mut tunnel = switched(forward, &origin).await.unwrap();
    let request = &origin.heads()[0];
    assert!(request.contains("\r\nconnection: upgrade\r\n") && request.contains("\r\nupgrade: chat\r\n"), "{request}");
    let mut said = [0; 5];
    tunnel.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"first");
    for word in [b"ping", b"\r\n\0\xff"] {
        tunnel.write_all(word).await.unwrap();
        let mut said = [0; 4];
        tunnel.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, word);
    }
    tunnel.shutdown().await.unwrap();
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye", "each direction ends by itself");
}

#[tokio::test]
async fn nothing_is_switched_to_that_was_not_offered() {
    let origin = Origin::answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\n\r\n").await;
    assert_eq!(sent(&client(), get("/"), &origin.upstream()).await.err(), Some(Failure::InvalidResponse));
    let upgrade = Some(HeaderValue::from_static("chat"));
    let forward = Forward { upgrade, body: Upload::whole(Bytes::from_static(b"x")), ..asked(Method::POST, "/") };
    assert!(matches!(switched(forward, &origin).await, Err(Failure::Unsendable(_))));
    // One that declines answers as usual.
    let origin = Origin::answering("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno").await;
    let forward = Forward { upgrade: Some(HeaderValue::from_static("chat")), ..get("/") };
    assert_eq!(sent(&client(), forward, &origin.upstream()).await.unwrap().status(), 426);
}
