//! What is sent, byte for byte, and what comes back.

use super::super::below;
use super::origin::{Origin, asked, client, get, sent, upstream, whole};
use crate::upstream::{Failure, Forward, Upload};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

const NOTHING: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn the_path_goes_byte_for_byte() {
    let origin = Origin::answering(NOTHING).await;
    let (client, upstream) = (client(), origin.upstream());
    let targets = [
        "/",
        "/a//b/%2e%2E/%zz?x=[1]&y=%00|",
        "/a/../b/./c",
        "/?",
        "/a?b?c??",
        "/%",
        "/a;b=c,d/'(x)'!*~@:$&+=_-.",
        "/%c3%a9?%C3%A9",
        "/{x}?{y}^`",
        "//evil.example/x",
        "/a%0d%0aHost:%20x",
        "*",
    ];
    for target in targets {
        let method = if target == "*" { Method::OPTIONS } else { Method::GET };
        sent(&client, asked(method, target), &upstream).await.unwrap();
    }
    let seen: Vec<_> = origin.heads().iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(seen, targets);
}

#[test]
fn a_prefix_stands_before_the_path_and_changes_nothing() {
    let target = |text| PathAndQuery::from_static(text);
    for (prefix, path, expected) in [
        ("", "/a//%2e?x=[", Some("/a//%2e?x=[")),
        ("/api", "/a//%2e?x=[", Some("/api/a//%2e?x=[")),
        ("/api", "/", Some("/api/")),
        ("/api", "/?x", Some("/api/?x")),
        ("", "*", Some("*")),
        ("/api", "*", None),
    ] {
        let found = below(prefix, &target(path));
        assert_eq!(found.as_ref().map(PathAndQuery::as_str), expected, "{prefix} {path}");
    }
}

#[test]
fn the_prefix_is_the_path_of_the_address() {
    for (base, expected) in [
        ("http://a.example", "/x//y?"),
        ("http://a.example/", "/x//y?"),
        ("http://a.example/api", "/api/x//y?"),
        ("http://a.example:8080/a b/c/", "/a%20b/c/x//y?"),
    ] {
        let target = upstream(base, &[]).target(&PathAndQuery::from_static("/x//y?"));
        assert_eq!(target.as_ref().map(PathAndQuery::as_str), Some(expected), "{base}");
    }
}

#[tokio::test]
async fn fields_go_as_they_are_and_those_of_a_connection_do_not() {
    let origin = Origin::answering(NOTHING).await;
    let (client, upstream) = (client(), origin.upstream());
    let mut forward = get("/");
    for (name, value) in [
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("accept", "text/html"),
        ("connection", "close"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
    ] {
        forward.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    forward.headers.insert("x-raw", HeaderValue::from_bytes(b"\xe9\"\\").unwrap());
    sent(&client, forward, &upstream).await.unwrap();
    let head = &origin.heads()[0];
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").skip(1).collect();
    lines.sort_unstable();
    let host = format!("host: {}", origin.address);
    assert_eq!(lines, ["accept: text/html", &host, "x-raw: \u{fffd}\"\\", "x-twice: 1", "x-twice: 2"], "{head}");

    let mut forward = get("/");
    forward.headers.insert("host", HeaderValue::from_static("www.example"));
    sent(&client, forward, &upstream).await.unwrap();
    assert!(origin.heads()[1].contains("\r\nhost: www.example\r\n"), "the caller's host goes first");
}

#[tokio::test]
async fn any_method_goes_but_connect() {
    let origin = Origin::answering(NOTHING).await;
    let (client, upstream) = (client(), origin.upstream());
    let methods = ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "M-SEARCH", "PROPFIND", "x!#$%&'*+-.^_`|~", "get"];
    for method in methods {
        sent(&client, asked(Method::from_bytes(method.as_bytes()).unwrap(), "/"), &upstream).await.unwrap();
    }
    let seen: Vec<_> = origin.heads().iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(seen, methods);
    let refused = sent(&client, asked(Method::CONNECT, "/"), &upstream).await;
    assert!(matches!(refused, Err(Failure::Unsendable(_))));
    assert_eq!(origin.connections(), 1);
}

/// What `forward` says of its framing.
async fn framing(forward: Forward) -> Vec<String> {
    let origin = Origin::start(|mut wire| async move {
        let head = wire.head().await.unwrap();
        if head.contains("transfer-encoding") {
            wire.until("0\r\n\r\n").await;
        }
        wire.say(NOTHING).await;
        wire.gone().await;
    })
    .await;
    sent(&client(), forward, &origin.upstream()).await.unwrap();
    let heads = origin.heads();
    let framing = heads[0].split("\r\n").filter(|line| {
        ["content-length", "transfer-encoding", "trailer", "te:", "connection", "upgrade"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    framing.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_request_has_one_framing() {
    let known = || Upload::streamed(http_body_util::Full::new(Bytes::from_static(b"hello")));
    let unknown = || {
        let frame = Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from_static(b"hello")));
        Upload::streamed(http_body_util::StreamBody::new(futures_util::stream::iter([frame])))
    };
    let nothing = || Upload::streamed(http_body_util::Empty::<Bytes>::new());
    let chunked = ["transfer-encoding: chunked"].as_slice();
    let misleading: HeaderMap = [("content-length", "3"), ("transfer-encoding", "gzip"), ("trailer", "x-sum")]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::POST, Method::from_bytes(b"M-SEARCH").unwrap()] {
        let expects = !method.is_safe() && method != Method::DELETE;
        let empty = if expects { ["content-length: 0"].as_slice() } else { &[] };
        for (body, expected) in [
            (Upload::none(), [].as_slice()),
            (nothing(), empty),
            (Upload::whole(Bytes::new()), empty),
            (Upload::whole(Bytes::from_static(b"hello")), &["content-length: 5"]),
            (known(), &["content-length: 5"]),
            (unknown(), chunked),
        ] {
            let what = format!("{method} {body:?}");
            let forward = Forward { body, ..asked(method.clone(), "/") };
            assert_eq!(framing(forward).await, expected, "{what}");
        }
        let forward = Forward { headers: misleading.clone(), body: known(), ..asked(method.clone(), "/") };
        assert_eq!(framing(forward).await, ["content-length: 5"], "{method}");
        let forward = Forward { headers: misleading.clone(), body: unknown(), ..asked(method.clone(), "/") };
        let mut said = framing(forward).await;
        said.sort_unstable();
        assert_eq!(said, ["trailer: x-sum", "transfer-encoding: chunked"], "{method}");
    }
    let forward = Forward { takes_trailers: true, ..get("/") };
    assert_eq!(framing(forward).await, ["connection: te", "te: trailers"]);
}

#[tokio::test]
async fn any_status_comes_back_with_its_reason() {
    for status in [200, 201, 204, 206, 226, 299, 300, 304, 399, 404, 418, 451, 499, 500, 503, 599, 600, 999] {
        let body = if matches!(status, 204 | 304) { "" } else { "Content-Length: 2\r\n" };
        let origin =
            Origin::answering(format!("HTTP/1.1 {status} As We Say\r\n{body}X-A: 1\r\nX-A: 2\r\n\r\nok")).await;
        let response = sent(&client(), get("/"), &origin.upstream()).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let fields: Vec<_> = response.headers().get_all("x-a").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(fields, ["1", "2"]);
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().map(|reason| reason.as_bytes().to_vec());
        assert_eq!(reason.as_deref(), Some(b"As We Say".as_slice()));
        let expected = if body.is_empty() { "" } else { "ok" };
        assert_eq!(whole(response.into_body()).await.unwrap().0, expected, "{status}");
    }
}

#[tokio::test]
async fn interim_answers_are_left_out() {
    let interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
    let origin = Origin::answering(format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).await;
    let response = sent(&client(), get("/"), &origin.upstream()).await.unwrap();
    assert!(!response.headers().contains_key("link"));
    assert_eq!(whole(response.into_body()).await.unwrap().0, "ok");
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused() {
    let origin = Origin::answering(NOTHING).await;
    let mut settings = super::origin::settings(&origin.base(), &[]);
    let port = origin.address.port();
    for base in [origin.base(), format!("http://localhost:{port}"), format!("http://[::ffff:127.0.0.1]:{port}")] {
        let whereabouts = settings.whereabouts.as_mut().unwrap();
        (whereabouts.base, whereabouts.trust) = (base.clone(), crate::upstream::Trust::Public);
        let state = std::sync::Arc::new(crate::upstream::UpstreamState::new(&settings));
        let failure = sent(&client(), get("/"), &state).await.err();
        assert_eq!(failure, Some(Failure::RefusedAddress("loopback")), "{base}");
    }
    // As the address of a machine beside a public name as well.
    settings.whereabouts.as_mut().unwrap().base = "https://example.com".to_owned();
    settings.whereabouts.as_mut().unwrap().addresses =
        vec![crate::upstream::Address::parse(&origin.address.to_string()).unwrap()];
    let state = std::sync::Arc::new(crate::upstream::UpstreamState::new(&settings));
    assert_eq!(sent(&client(), get("/"), &state).await.err(), Some(Failure::RefusedAddress("loopback")));
    assert_eq!(origin.connections(), 0);
    let nowhere =
        std::sync::Arc::new(crate::upstream::UpstreamState::new(&crate::upstream::UpstreamSettings::default()));
    assert!(matches!(sent(&client(), get("/"), &nowhere).await, Err(Failure::Unsendable(_))));
}
