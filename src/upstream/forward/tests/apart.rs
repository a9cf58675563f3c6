//! Thousands of exchanges over few connections, a third of them broken off at any moment: nobody gets the answer to another's request.

use super::origin::{Origin, PATIENT, SAFETY_NET, Wire, client, later};
use crate::upstream::{Client, Failure, Forward, Forwarded, Upload, UpstreamState};
use bytes::Bytes;
use futures_util::stream;
use http::Method;
use http::uri::PathAndQuery;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Says to each request what only that request can expect, in one of several forms and sizes.
async fn serve(mut wire: Wire) {
    while let Some(head) = wire.head().await {
        let id = head.split(' ').nth(1).and_then(|path| path.strip_prefix('/')).unwrap().to_owned();
        let number: u64 = id.parse().unwrap();
        if head.contains("transfer-encoding: chunked") {
            let body = wire.until("0\r\n\r\n").await;
            assert_eq!(body.matches(&format!("<{id}>")).count(), 3, "a request of one is not of two: {body:?}");
        }
        let said = format!("<{id}>").repeat(1 + usize::try_from(number % 97).unwrap() * 20);
        let (first, second) = said.split_at(said.len() / 2);
        match number % 4 {
            0 => wire.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}", said.len())).await,
            1 => {
                wire.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{first}", said.len())).await;
                tokio::task::yield_now().await;
                wire.say(second).await;
            }
            2 => {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                wire.say(format!("{head}{:x}\r\n{said}\r\n", said.len())).await;
                tokio::task::yield_now().await;
                wire.say("0\r\n\r\n").await;
            }
            _ => {
                wire.say("HTTP/1.1 ").await;
                tokio::task::yield_now().await;
                wire.say(format!("200 OK\r\nContent-Length: {}\r\n\r\n{said}", said.len())).await;
            }
        }
    }
}

fn request(number: u64, random: &mut Random) -> Forward {
    let target = PathAndQuery::try_from(format!("/{number}")).unwrap();
    let mut forward = Forward::new(Method::GET, target);
    if random.below(3) == 0 {
        forward.method = Method::POST;
        let pauses = random.below(2) == 0;
        let frames = stream::unfold(0, move |count: u64| async move {
            if pauses {
                tokio::task::yield_now().await;
            }
            let frame = Ok::<_, Failure>(Frame::data(Bytes::from(format!("<{number}>"))));
            (count < 3).then_some((frame, count + 1))
        });
        forward.body = Upload::streamed(StreamBody::new(Box::pin(frames)));
    }
    forward
}

/// Polls `future` at most so often.
async fn polled<F: Future>(future: F, times: u64) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls >= times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// One exchange; `None` if it was broken off.
async fn exchange(client: &Client, upstream: &Arc<UpstreamState>, number: u64, random: &mut Random) -> Option<()> {
    let breaks_off = random.below(10) < 3;
    let in_head = breaks_off && random.below(2) == 0;
    let exchange = client.forward(request(number, random), upstream, PATIENT, later());
    let forwarded = polled(exchange, if in_head { 1 + random.below(4) } else { u64::MAX }).await?;
    let Forwarded::Answer(response) = forwarded.unwrap() else { panic!("switched") };
    let mut body = response.into_body();
    let mut said = Vec::new();
    let mut frames = if breaks_off { random.below(3) } else { u64::MAX };
    while frames > 0 {
        let Some(frame) = body.frame().await else { break };
        said.extend_from_slice(&frame.unwrap().into_data().unwrap());
        frames -= 1;
    }
    let expected = format!("<{number}>").repeat(1 + usize::try_from(number % 97).unwrap() * 20);
    if breaks_off {
        assert!(expected.as_bytes().starts_with(&said), "{number} got another's answer");
        return None;
    }
    assert!(said == expected.as_bytes(), "{number} got another's answer");
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_the_answer_to_anothers_request() {
    const USERS: u64 = 16;
    const EACH: u64 = 400;
    let origin = Origin::start(serve).await;
    let (client, upstream) = (Arc::new(client()), origin.upstream());
    let (whole, broken_off) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let users = (0..USERS).map(|user| {
        let (client, upstream) = (Arc::clone(&client), Arc::clone(&upstream));
        let (whole, broken_off) = (Arc::clone(&whole), Arc::clone(&broken_off));
        tokio::spawn(async move {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (user + 1));
            for count in 0..EACH {
                let outcome = exchange(&client, &upstream, user * EACH + count, &mut random).await;
                if outcome.is_some() { &whole } else { &broken_off }.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let users = futures_util::future::join_all(users.collect::<Vec<_>>());
    for user in tokio::time::timeout(SAFETY_NET, users).await.unwrap() {
        user.unwrap();
    }
    let (whole, broken_off) = (whole.load(Ordering::Relaxed), broken_off.load(Ordering::Relaxed));
    assert!(broken_off * 5 > usize::try_from(USERS * EACH).unwrap(), "{broken_off} broken off");
    assert!(origin.connections() < whole, "{} connections for {whole} answers", origin.connections());
}
