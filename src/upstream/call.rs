//! What is asked of an upstream, within which bounds, and what came back.
//!
//! Plain data. A `Call` is complete: nothing is added to it from the environment, from a visitor's request or from an earlier answer.

use super::pieces::Piece;
use super::redirect::Redirects;
use crate::fields::is_hop_by_hop;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};
use reqwest::Url;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// One call to an upstream.
///
/// Its `Debug` output holds neither the query nor any header value. Values that are secrets should be marked with
/// [`http::HeaderValue::set_sensitive`] all the same: then HTTP/2 keeps them out of its compression table as well.
#[derive(Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where to: `http` or `https`, without user information. Dot segments are gone once a [`Url`] is made, and so is what they removed:
    /// whoever fills in path segments refuses `.` and `..` before.
    pub url: Url,
    /// Header fields of the request. `host` may be among them; those that [belong to the connection](belongs_to_connection) and
    /// `accept-encoding` are ours and are left out.
    pub headers: HeaderMap,
    /// The body, if any.
    pub body: Option<Bytes>,
    /// The body in pieces, instead of that, where it may be long.
    pub pieces: Option<Arc<[Piece]>>,
    /// Which addresses it may connect to.
    pub trust: Trust,
    /// Whether doing it twice does no more than doing it once. From the method, unless a declaration says that a POST only reads.
    pub safe: bool,
    /// Whether it carries a credential of one visitor's, or other data of that person: what an answer then says about patience is said to
    /// that visitor.
    pub for_visitor: bool,
    /// How many further attempts a transient failure earns. Unsafe calls are never repeated.
    pub retries: u32,
    /// When to give up waiting.
    pub timeouts: Timeouts,
    /// How much body to take.
    pub limits: BodyLimits,
    /// Where redirects may lead. `None`: a redirect is an answer like any other. Only GET and HEAD follow.
    pub redirects: Option<Redirects>,
}

/// Which addresses a call may connect to. Connections of one kind of trust are never used for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The public Internet only.
    Public,
    /// Any address: the declaration says `allow-private = true`.
    Private,
}

/// How long to wait. The deadline given with a call bounds all of it besides, queueing and retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// From sending to the head of the answer, connecting included; for each attempt.
    pub first_byte: Duration,
    /// For everything: queueing, all attempts, the body.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(5), total: Duration::from_secs(10) }
    }
}

/// How much body to take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyLimits {
    /// As transferred.
    pub raw: usize,
    /// After the content coding was undone.
    pub decoded: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { raw: 2 << 20, decoded: 8 << 20 }
    }
}

impl Call {
    /// A call without headers or body, public addresses only, one retry if the method is safe, default bounds.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            safe: method.is_safe(),
            for_visitor: false,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            pieces: None,
            trust: Trust::Public,
            retries: 1,
            timeouts: Timeouts::default(),
            limits: BodyLimits::default(),
            redirects: None,
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Call")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(Bytes::len))
            .field("trust", &self.trust)
            .field("safe", &self.safe)
            .finish_non_exhaustive()
    }
}

/// Whether a header field says something about one connection or about the framing on it, so that a declaration cannot set it
/// (RFC 9110, section 7.6.1).
pub fn belongs_to_connection(name: &HeaderName) -> bool {
    is_hop_by_hop(name) || OF_FRAMING.contains(name)
}

/// The header fields that do besides those that go no further than a connection.
pub(super) const OF_FRAMING: [HeaderName; 3] = [header::CONTENT_LENGTH, header::EXPECT, header::PROXY_AUTHORIZATION];

/// What an upstream answered.
///
/// A body above a mebibyte also holds one of a few places for large bodies, so that many at once cannot fill the memory: read it and
/// drop the answer before waiting for anything else.
#[derive(Debug)]
pub struct Answer {
    /// The status. Any, error statuses included: what they mean is for the floors above.
    pub status: StatusCode,
    /// The header fields, without those that belong to the connection or to the content coding that was undone.
    pub headers: HeaderMap,
    /// The body, decoded.
    pub body: Bytes,
    /// From the call to the last byte, queueing and retries included.
    pub elapsed: Duration,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Answer {
    /// Whether the body is large enough to hold one of the places for large bodies.
    pub fn is_large(&self) -> bool {
        self.place.is_some()
    }

    /// The same, once it was read: its place is for the next.
    #[must_use]
    pub fn without_place(self) -> Self {
        Self { place: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_prints_no_secret() {
        let mut call = Call::new(Method::GET, Url::parse("https://api.example/v1/items?key=s3cr3t#s3cr3t").unwrap());
        call.headers.insert("x-api-key", "s3cr3t".parse().unwrap());
        call.body = Some(Bytes::from_static(b"s3cr3t"));
        let printed = format!("{call:?}");
        assert!(
            printed.contains("https://api.example") && printed.contains("/v1/items") && printed.contains("x-api-key")
        );
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }

    #[test]
    fn framing_is_not_for_declarations() {
        for name in ["connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te", "expect"] {
            assert!(belongs_to_connection(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["host", "authorization", "accept", "x-api-key", "content-type"] {
            assert!(!belongs_to_connection(&HeaderName::from_static(name)), "{name}");
        }
    }
}
