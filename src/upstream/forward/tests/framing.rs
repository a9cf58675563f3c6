//! Answers whose framing can be read in two ways, and those that end too early.

use super::super::answer::{longest_rest, sound_framing};
use super::origin::{Origin, asked, client, get, sent, text, whole};
use crate::upstream::{Failure, Part};
use http::{HeaderMap, Method, StatusCode, Version};
use std::time::Duration;

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    for head in [
        // Both framings.
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: x\r\n",
        // Two lengths, or what is none.
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        // Codings that another reader might not know, or not see.
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: \r\n",
        // Lines that are none.
        "X-Folded: a\r\n b\r\nContent-Length: 5\r\n",
        "X-Folded: a\r\n\tContent-Length: 5\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        " Content-Length: 5\r\n",
        "X-Null: a\0b\r\nContent-Length: 5\r\n",
        "X-Return: a\rContent-Length: 5\r\n",
        "No colon\r\nContent-Length: 5\r\n",
        ": 5\r\nContent-Length: 5\r\n",
        "X(y): 5\r\nContent-Length: 5\r\n",
    ] {
        let origin = Origin::answering(format!("HTTP/1.1 200 OK\r\n{head}\r\nhello")).await;
        let response = sent(&client(), get("/"), &origin.upstream()).await;
        assert_eq!(response.err(), Some(Failure::InvalidResponse), "{head:?}");
    }
    for line in [
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 2000 OK",
        "200 OK",
        "ICY 200 OK",
        "HTTP/1.1  200 OK",
    ] {
        let origin = Origin::answering(format!("{line}\r\nContent-Length: 5\r\n\r\nhello")).await;
        let response = sent(&client(), get("/"), &origin.upstream()).await;
        assert_eq!(response.err(), Some(Failure::InvalidResponse), "{line:?}");
    }
}

#[tokio::test]
async fn what_is_odd_and_clear_is_read() {
    for (head, length) in [
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Some("5")),
        ("Content-Length: 5, 5\r\n", Some("5")),
        ("content-LENGTH:5\r\n", Some("5")),
        ("Content-Length: \t 5 \t\r\n", Some("5")),
        ("Content-Length: 5\n", Some("5")),
        ("Transfer-Encoding: CHUNKED\r\n", None),
        ("Transfer-Encoding:chunked \r\n", None),
    ] {
        let body = if length.is_some() { "hello" } else { "5;x=y\r\nhello\r\n0\r\n\r\n" };
        let origin = Origin::answering(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}")).await;
        let response =
            sent(&client(), get("/"), &origin.upstream()).await.unwrap_or_else(|why| panic!("{head:?} {why}"));
        let said: Vec<_> =
            response.headers().get_all("content-length").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(said, length.into_iter().collect::<Vec<_>>(), "{head:?}");
        assert!(!response.headers().contains_key("transfer-encoding"));
        assert_eq!(whole(response.into_body()).await.unwrap().0, "hello", "{head:?}");
    }
}

#[tokio::test]
async fn chunks_that_are_none_are_an_error() {
    for chunks in [
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhel\r\n0\r\n\r\n",
        "x\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
    ] {
        let origin = Origin::answering(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")).await;
        let body = sent(&client(), get("/"), &origin.upstream()).await.unwrap().into_body();
        assert!(whole(body).await.is_err(), "{chunks:?}");
    }
}

#[tokio::test]
async fn a_part_is_never_the_whole() {
    let framed = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n";
    for answer in [framed, chunked] {
        for cut in 0..=answer.len() {
            let part = answer[..cut].to_owned();
            let origin = Origin::start(move |mut wire| {
                let part = part.clone();
                async move {
                    wire.head().await;
                    wire.say(part).await;
                }
            })
            .await;
            let (client, upstream) = (client(), origin.upstream());
            let result = text(&client, &upstream).await;
            let head = answer.find("\r\n\r\n").unwrap() + 4;
            match result {
                Ok(_) => assert_eq!(cut, answer.len()),
                Err(failure) if cut < head => assert_eq!(failure, Failure::Interrupted(Part::Head), "{cut}"),
                Err(failure) => assert_eq!(failure, Failure::Interrupted(Part::Body), "{cut}"),
            }
        }
    }
}

#[tokio::test]
async fn a_body_without_framing_ends_with_its_connection() {
    let origin = Origin::start(|mut wire| async move {
        wire.head().await;
        wire.say("HTTP/1.1 200 OK\r\n\r\nall of it").await;
    })
    .await;
    let (client, upstream) = (client(), origin.upstream());
    for connections in 1..=3 {
        assert_eq!(text(&client, &upstream).await.unwrap(), "all of it");
        assert_eq!(origin.connections(), connections);
    }
}

#[tokio::test]
async fn a_head_has_bounds() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(33 << 10));
    let endless = "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(1 << 20);
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(100));
    for answer in [long, endless, many] {
        let origin = Origin::answering(answer).await;
        assert_eq!(text(&client(), &origin.upstream()).await, Err(Failure::TooLarge(Part::Head)));
    }
    let most =
        format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", format!("X: {}\r\n", "y".repeat(300)).repeat(99));
    let origin = Origin::answering(most).await;
    assert_eq!(text(&client(), &origin.upstream()).await.unwrap(), "");
}

#[tokio::test]
async fn what_has_no_body_has_none_whatever_its_fields_say() {
    for (method, status, field) in [
        (Method::HEAD, 200, "Content-Length: 5"),
        (Method::HEAD, 200, "Transfer-Encoding: chunked"),
        (Method::GET, 304, "Content-Length: 5"),
        (Method::GET, 204, "X: y"),
    ] {
        let origin = Origin::answering(format!("HTTP/1.1 {status} X\r\n{field}\r\n\r\n")).await;
        let (client, upstream) = (client(), origin.upstream());
        for _ in 0..2 {
            let response = sent(&client, asked(method.clone(), "/"), &upstream).await.unwrap();
            let said = response.headers().get("content-length").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(said.is_some(), field.starts_with("Content"), "{method} {status} {field}");
            assert_eq!(whole(response.into_body()).await.unwrap().0, "");
        }
        assert_eq!(origin.connections(), 1, "{method} {status} {field}");
    }
}

#[test]
fn the_head_tells_whether_a_connection_may_be_used_again() {
    for (status, version, field, expected) in [
        (200, Version::HTTP_11, "content-length: 5", Ok(true)),
        (200, Version::HTTP_11, "transfer-encoding: chunked", Ok(true)),
        (200, Version::HTTP_10, "content-length: 5", Ok(false)),
        (200, Version::HTTP_10, "transfer-encoding: chunked", Err(())),
        (204, Version::HTTP_11, "content-length: 0", Ok(true)),
        (204, Version::HTTP_11, "content-length: 5", Ok(false)),
        (204, Version::HTTP_11, "transfer-encoding: chunked", Ok(false)),
        (304, Version::HTTP_11, "content-length: 5", Ok(true)),
    ] {
        let (name, value) = field.split_once(": ").unwrap();
        let mut headers: HeaderMap = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
        let found = sound_framing(StatusCode::from_u16(status).unwrap(), version, &mut headers).map_err(|_why| ());
        assert_eq!(found, expected, "{status} {version:?} {field}");
    }
}

#[test]
fn a_connection_rests_shorter_than_the_upstream_keeps_it() {
    for (value, expected) in [
        (None, None),
        (Some("timeout=5"), Some(4.0)),
        (Some("max=100, Timeout = 5"), Some(4.0)),
        (Some("timeout=1"), Some(0.5)),
        (Some("timeout=0"), Some(0.0)),
        (Some("timeout=soon"), None),
        (Some("max=100"), None),
    ] {
        let headers = value.map(|value| (http::HeaderName::from_static("keep-alive"), value.parse().unwrap()));
        let headers: HeaderMap = headers.into_iter().collect();
        let expected = expected.map_or(Duration::MAX, Duration::from_secs_f64);
        assert_eq!(longest_rest(&headers), expected, "{value:?}");
    }
}
