//! One exchange with an upstream, passed on as it is: path byte for byte, any method, bodies and trailers streamed both ways.
//!
//! HTTP/1.1 over TCP or TLS. What the caller hands over is sent, except for the framing, which is made anew from the body: never both of
//! `Content-Length` and `Transfer-Encoding`, never a length that another field contradicts. What comes back is as sound, or refused.
//!
//! | File | Holds |
//! |---|---|
//! | `upload` | the body of a request |
//! | `connection` | a connection, driven by the exchange that uses it |
//! | `answer` | the body of an answer; which framing is refused |
//! | `pool` | connections that rest |
//! | `connect` | new ones |
//! | `stream` | bytes: TCP or TLS, counted; what is left of a connection after `101` |
//!
//! **Nothing is sent twice that the upstream may have seen.** A connection that rested is looked at before the request is written to it,
//! by asking the system whether anything has come; if so the request goes to the next connection, untouched. Once a byte of it was
//! written there is no second time, and a failure is passed on. Requests that must not be repeated use no connection that has rested for
//! longer than a second, and none rests as long as the upstream says it keeps it.
//!
//! **Nobody gets the answer to another's request.** A connection carries one exchange at a time and is given back only when the library
//! has read the answer to its end and written the request to its end; in every other case it is closed, by dropping it.
//!
//! Interim answers (1xx) other than 101 are left out: the server of our library cannot send them on.

mod answer;
mod connect;
mod connection;
mod pool;
mod stream;
mod upload;

#[cfg(test)]
mod tests;

use super::balance::{Outcome, Pick, Tried};
use super::breaker::{Admission, Health};
use super::call::OF_FRAMING;
use super::registry::{UpstreamState, health_of};
use super::resolver::Names;
use super::{Failure, Trust, Unreachable};
use crate::fields::HOP_BY_HOP;
use answer::{longest_rest, sound_framing};
use bytes::Bytes;
use connect::Connector;
use connection::{Answered, Live, Unanswered};
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
use rustls::ClientConfig;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use answer::Received;
pub(super) use pool::Peer;
pub use stream::Tunnel;
pub use upload::{Upload, UploadError};

/// A request that is passed on.
#[derive(Debug)]
pub struct Forward {
    /// Any token; `CONNECT` is refused.
    pub method: Method,
    /// Sent byte for byte.
    pub target: PathAndQuery,
    /// The end-to-end fields. If there is no `host` the upstream's own is sent. Fields that [belong to the connection](super::belongs_to_connection)
    /// are left out; `trailer` is sent along with a body whose length is not known.
    pub headers: HeaderMap,
    /// The body.
    pub body: Upload,
    /// Whether `TE: trailers` is said: the visitor's connection can carry trailers.
    pub takes_trailers: bool,
    /// What the connection may be switched to, as the `Upgrade` field says it. Only then is `101` an answer; the request has no body.
    pub upgrade: Option<HeaderValue>,
    /// Whether what the answer says about patience is said to this visitor and nobody else.
    pub for_visitor: bool,
}

impl Forward {
    /// A request without fields or body.
    pub fn new(method: Method, target: PathAndQuery) -> Self {
        let (headers, body) = (HeaderMap::new(), Upload::none());
        Self { method, target, headers, body, takes_trailers: false, upgrade: None, for_visitor: true }
    }
}

/// How long to wait for the next step of an exchange. None bounds the whole: a large body may take as long as it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From the end of the request to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of a body, in both directions.
    pub stall: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(5), stall: Duration::from_secs(10) }
    }
}

/// What an upstream answered.
#[derive(Debug)]
pub enum Forwarded {
    /// An answer of any status but 1xx. Its fields are as they came, but for the framing: `Transfer-Encoding` is gone, `Content-Length` is
    /// one number if it is there.
    Answer(Response<Received>),
    /// `101 Switching Protocols`, and what the connection is from here on.
    Switched(Response<()>, Tunnel),
}

/// The path and query of a request below the path of an upstream's address: `/api` and `/x?y` make `/api/x?y`, byte for byte.
///
/// `None` if the two cannot stand together: `*` below a path.
pub(super) fn below(prefix: &str, target: &PathAndQuery) -> Option<PathAndQuery> {
    if prefix.is_empty() {
        // Shared, not copied.
        return Some(target.clone());
    }
    let target = target.as_str();
    if !target.starts_with('/') {
        return None;
    }
    PathAndQuery::from_maybe_shared(Bytes::from([prefix, target].concat())).ok()
}

/// Passes requests on. One for the whole process.
pub(super) struct Forwarder {
    connector: Connector,
}

impl Forwarder {
    pub(super) fn new(names: Arc<Names>, tls: ClientConfig, connect_timeout: Duration) -> Self {
        Self { connector: Connector::new(names, tls, connect_timeout) }
    }

    /// Sends `forward` to one of the addresses of `upstream`, to the next if there is no connection, and waits for the head of the
    /// answer. Takes no place among its calls and asks no breaker.
    pub(super) async fn send(
        &self,
        forward: Forward,
        upstream: &Arc<UpstreamState>,
        trust: Trust,
        bounds: Bounds,
        deadline: Instant,
    ) -> Result<Forwarded, Failure> {
        let Some(peers) = upstream.peers() else { return Err(Failure::Unsendable("its upstream has no address")) };
        let offers_upgrade = forward.upgrade.is_some();
        let mut request = request(forward, &peers.authority)?;
        let mut tried = Tried::default();
        let mut failure = Failure::Unreachable(Unreachable::Connection);
        while let Some(pick) = peers.balance.pick(Instant::now(), tried) {
            tried.insert(pick.place);
            let turn = Turn::new(upstream, pick, trust);
            let Some(peer) = turn.peer() else { break };
            match self.at(peer, request, bounds, deadline).await {
                Ok((live, answered)) => return received(live, answered, turn, bounds, offers_upgrade),
                Err((Some(unsent), why)) => {
                    if health_of(why) == Health::Bad {
                        turn.record(Outcome::Unreachable);
                    }
                    (request, failure) = (*unsent, why);
                    if Instant::now() >= deadline {
                        break;
                    }
                }
                Err((None, why)) => {
                    turn.failed(why);
                    return Err(why);
                }
            }
        }
        Err(failure)
    }

    /// Sends `request` to one address, and gives it back if not a byte was sent.
    async fn at(
        &self,
        peer: &Arc<Peer>,
        mut request: Request<Upload>,
        bounds: Bounds,
        deadline: Instant,
    ) -> Result<(Box<Live>, Answered), (Option<Box<Request<Upload>>>, Failure)> {
        let is_repeatable = request.method().is_idempotent();
        loop {
            let (mut live, is_new) = match peer.take(Instant::now(), is_repeatable) {
                Some(live) => {
                    live.meter.doubt();
                    (live, false)
                }
                None => match self.connector.connect(peer, deadline).await {
                    Ok(live) => (live, true),
                    Err(failure) => return Err((Some(Box::new(request)), failure)),
                },
            };
            match live.answer(request, bounds, deadline).await {
                Ok(answered) => return Ok((live, answered)),
                Err(Unanswered::Unsent(unsent)) if is_new => {
                    return Err((Some(unsent), Failure::Unreachable(Unreachable::Connection)));
                }
                // It was closed while it rested; so may be the next, but their number is bounded.
                Err(Unanswered::Unsent(unsent)) => request = *unsent,
                Err(Unanswered::Failed(failure)) => return Err((None, failure)),
            }
        }
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Forwarder").finish_non_exhaustive()
    }
}

/// The request as it is written: one framing, and what belongs to this connection.
fn request(forward: Forward, authority: &HeaderValue) -> Result<Request<Upload>, Failure> {
    let Forward { method, target, mut headers, body, takes_trailers, upgrade, for_visitor: _ } = forward;
    if method == Method::CONNECT {
        return Err(Failure::Unsendable("CONNECT is not passed on"));
    }
    if upgrade.is_some() && !body.is_empty() {
        return Err(Failure::Unsendable("an upgrade has no body"));
    }
    let trailer = headers.remove(header::TRAILER);
    for name in HOP_BY_HOP.iter().chain(&OF_FRAMING) {
        headers.remove(name);
    }
    if !headers.contains_key(header::HOST) {
        headers.insert(header::HOST, authority.clone());
    }
    if body.is_empty() {
        // Said where a body could have been expected (RFC 9110, section 8.6).
        let expects_body = !(method.is_safe() || method == Method::DELETE);
        if body.length() == Some(0) && expects_body {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if let Some(length) = body.length() {
        headers.insert(header::CONTENT_LENGTH, length.into());
    } else {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        if let Some(trailer) = trailer {
            headers.insert(header::TRAILER, trailer);
        }
    }
    let options = match (takes_trailers, upgrade.is_some()) {
        (false, false) => None,
        (true, false) => Some("te"),
        (false, true) => Some("upgrade"),
        (true, true) => Some("te, upgrade"),
    };
    if let Some(options) = options {
        headers.insert(header::CONNECTION, HeaderValue::from_static(options));
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocols) = upgrade {
        headers.insert(header::UPGRADE, protocols);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = headers;
    Ok(request)
}

/// What an answer's head makes of the exchange.
fn received(
    live: Box<Live>,
    answered: Answered,
    mut turn: Turn,
    bounds: Bounds,
    offers_upgrade: bool,
) -> Result<Forwarded, Failure> {
    match answered {
        Answered::Usual(response) => {
            let (mut head, body) = response.into_parts();
            let sound = sound_framing(head.status, head.version, &mut head.headers);
            let is_reusable = sound.inspect_err(|&failure| turn.failed(failure))?;
            turn.answered(head.status);
            let rest = if is_reusable { longest_rest(&head.headers) } else { Duration::ZERO };
            Ok(Forwarded::Answer(Response::from_parts(head, Received::new(body, live, turn, bounds.stall, rest))))
        }
        Answered::Switched(response, stream, before) if offers_upgrade => {
            turn.answered(response.status());
            let (head, _empty) = response.into_parts();
            Ok(Forwarded::Switched(Response::from_parts(head, ()), Tunnel::new(before, stream, turn)))
        }
        // Nothing was offered to switch to.
        Answered::Switched(..) => {
            turn.failed(Failure::InvalidResponse);
            Err(Failure::InvalidResponse)
        }
    }
}

/// An exchange with one address of an upstream, as long as it lasts: what it takes part in, and what is said of it when it is over.
#[derive(Debug)]
pub(super) struct Turn {
    upstream: Arc<UpstreamState>,
    pick: Pick,
    trust: Trust,
    /// Whether the address is still to be told how it ended.
    tells_address: bool,
    /// Whether the breaker is.
    tells_breaker: bool,
}

impl Turn {
    fn new(upstream: &Arc<UpstreamState>, pick: Pick, trust: Trust) -> Self {
        upstream.begin(pick.place);
        Self { upstream: Arc::clone(upstream), pick, trust, tells_address: false, tells_breaker: false }
    }

    fn peer(&self) -> Option<&Arc<Peer>> {
        self.upstream.peers()?.get(self.pick.place, self.trust)
    }

    fn record(&self, outcome: Outcome) {
        self.upstream.record_at(self.pick, outcome, Instant::now());
    }

    /// There was no answer, or none that can be passed on.
    fn failed(&self, failure: Failure) {
        match health_of(failure) {
            Health::Good => self.record(Outcome::Good),
            Health::Bad => self.record(Outcome::Bad),
            Health::Unknown => {}
        }
    }

    /// The head of an answer has come.
    fn answered(&mut self, status: StatusCode) {
        if matches!(status.as_u16(), 502..=504) {
            self.record(Outcome::Bad);
        } else if self.pick.is_trial {
            self.record(Outcome::Good);
        } else {
            self.tells_address = true;
        }
    }

    /// The body of the answer has broken off, and that was the upstream's doing.
    fn broke_off(&mut self) {
        if std::mem::take(&mut self.tells_address) {
            self.record(Outcome::Bad);
        }
        if std::mem::take(&mut self.tells_breaker) {
            self.upstream.record(Admission::Usual, Health::Bad, Instant::now());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.tells_address {
            self.record(Outcome::Good);
        }
        if self.tells_breaker {
            self.upstream.record(Admission::Usual, Health::Good, Instant::now());
        }
        self.upstream.end(self.pick.place);
    }
}

impl Forwarded {
    /// The status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Answer(response) => response.status(),
            Self::Switched(response, _) => response.status(),
        }
    }

    /// The answer tells the breaker how it ended if `tells_breaker`; whether it will, as it may have ended already.
    pub(super) fn told_at_its_end(&mut self, tells_breaker: bool) -> bool {
        let Self::Answer(response) = self else { return false };
        let Some(turn) = response.body_mut().turn_mut() else { return false };
        turn.tells_breaker = tells_breaker;
        tells_breaker
    }
}
