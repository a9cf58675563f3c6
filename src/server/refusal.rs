//! The answers that the server gives on its own behalf, without any site: written to the socket as octets, or handed to hyper.
//!
//! They tell the client what is wrong with its request and the id by which the log knows it, and nothing about the server.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use std::fmt::Write as _;
use std::time::SystemTime;

use super::RequestId;
use super::gate::Refusal;

/// A 405 must say what is allowed (RFC 9110, section 15.5.6): here, what every resource has.
const ALLOWED: &str = "GET, HEAD, OPTIONS";

/// A refusal as octets, after which the connection ends. The answer to HEAD has no content (RFC 9110, section 9.3.2).
pub(super) fn octets(refusal: Refusal, id: RequestId, to_head: bool, now: SystemTime) -> Vec<u8> {
    let Refusal { status, reason } = refusal;
    let line = text(status, reason, id);
    let mut answer = format!(
        "HTTP/1.1 {} {}\r\ndate: {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n",
        status.as_str(),
        phrase(status),
        httpdate::fmt_http_date(now),
        line.len(),
    );
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            write!(answer, "allow: {ALLOWED}\r\n").expect("a string takes everything");
        }
        StatusCode::SERVICE_UNAVAILABLE => answer.push_str("retry-after: 1\r\n"),
        _ => {}
    }
    answer.push_str("connection: close\r\n\r\n");
    if !to_head {
        answer.push_str(&line);
    }
    answer.into_bytes()
}

/// A refusal of a request whose head was sound, after which the connection ends.
pub(super) fn response(refusal: Refusal, id: RequestId) -> Response<Bytes> {
    let mut response = plain(refusal.status, text(refusal.status, refusal.reason, id));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(ALLOWED));
    }
    response
}

/// The answer of a request whose handler broke. Its id finds the cause in the log.
pub(super) fn broken(id: RequestId) -> Response<Bytes> {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    plain(status, text(status, "the server made a mistake", id))
}

fn plain(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn text(status: StatusCode, reason: &str, id: RequestId) -> String {
    format!("{} {}: {reason}\nid: {id}\n", status.as_str(), phrase(status))
}

/// The reason phrase, where RFC 9110 renamed what the crate still calls by its old name too.
fn phrase(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        _ => status.canonical_reason().unwrap_or("Refused"),
    }
}
