//! The answer of an exchange: whether its framing can be read in one way only, and its body as it comes.

use super::Turn;
use super::connection::{Live, Tasked};
use crate::upstream::{Failure, Part, Wait};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The connection may rest this much shorter than the upstream says it will keep it.
const CAUTION: Duration = Duration::from_secs(1);

/// Brings the framing fields of a head into the one form that it can have; a head that others might read in another way is refused
/// (RFC 9112, section 6.3). Whether the connection may carry another exchange afterwards, as far as the head tells.
pub(super) fn sound_framing(status: StatusCode, version: Version, headers: &mut HeaderMap) -> Result<bool, Failure> {
    let mut is_reusable = version == Version::HTTP_11;
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        // Both fields, a coding besides `chunked`, or `chunked` twice: the library reads them somehow, and others somehow else.
        let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
        if !is_chunked || lengths > 0 || version != Version::HTTP_11 {
            return Err(Failure::InvalidResponse);
        }
        headers.remove(header::TRANSFER_ENCODING);
        is_reusable &= status != StatusCode::NO_CONTENT;
    }
    if lengths > 0 {
        let length = one_length(headers).ok_or(Failure::InvalidResponse)?;
        if lengths > 1 || headers.get(header::CONTENT_LENGTH).is_none_or(|value| value.as_bytes().contains(&b',')) {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        if status == StatusCode::NO_CONTENT {
            // No body follows, whatever the field says; bytes that follow all the same must not meet another request.
            is_reusable &= length == 0;
            headers.remove(header::CONTENT_LENGTH);
        }
    }
    Ok(is_reusable)
}

/// The one number that all `Content-Length` fields hold; a list of equal numbers is as good as one (RFC 9112, section 6.3).
fn one_length(headers: &HeaderMap) -> Option<u64> {
    let mut found = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        for number in value.to_str().ok()?.split(',').map(str::trim) {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = number.parse().ok().filter(|_| is_number)?;
            if found.is_some_and(|found| found != number) {
                return None;
            }
            found = Some(number);
        }
    }
    found
}

/// How long the upstream will keep the connection while nothing is asked, if it says so: `Keep-Alive: timeout=5`. Our request must
/// not cross with its closing.
pub(super) fn longest_rest(headers: &HeaderMap) -> Duration {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    let Some(value) = headers.get(KEEP_ALIVE).and_then(|value| value.to_str().ok()) else { return Duration::MAX };
    let said = value
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.trim_end().eq_ignore_ascii_case("timeout"));
    match said.and_then(|(_, seconds)| seconds.trim().parse().ok()) {
        Some(seconds) => {
            let said = Duration::from_secs(seconds);
            said.saturating_sub(CAUTION).max(said / 2)
        }
        None => Duration::MAX,
    }
}

/// The body of an answer, as it comes. Nothing is read from the upstream while nobody takes what was read.
///
/// Read to its end it gives its connection back for the next exchange; dropped before, it closes it. A body that breaks off ends in an
/// error: what has come is never taken for the whole.
pub struct Received {
    body: Incoming,
    way: Way,
    turn: Option<Turn>,
    stall: Duration,
    longest_rest: Duration,
    /// Since when nothing has come, while somebody waits.
    waiting_since: Option<Instant>,
}

enum Way {
    /// The connection moves when the body is polled.
    Driven(Box<Live>),
    /// It moves by itself, because the request is still being sent.
    Tasked(Tasked),
    /// The body has ended, or failed.
    Over,
}

impl Received {
    pub(super) fn new(body: Incoming, live: Box<Live>, turn: Turn, stall: Duration, longest_rest: Duration) -> Self {
        let is_early = live.meter.is_uploading();
        let way = if is_early { Way::Tasked(live.into_task()) } else { Way::Driven(live) };
        let mut received = Self { body, way, turn: Some(turn), stall, longest_rest, waiting_since: None };
        if !is_early && received.body.is_end_stream() {
            received.end();
        }
        received
    }

    /// The exchange is complete.
    fn end(&mut self) {
        let turn = self.turn.take();
        if let Way::Driven(mut live) = std::mem::replace(&mut self.way, Way::Over)
            && let Some(peer) = turn.as_ref().and_then(Turn::peer)
            && !self.longest_rest.is_zero()
            && live.is_at_rest()
        {
            peer.put(live, Instant::now(), self.longest_rest);
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.way = Way::Over;
        if let Some(mut turn) = self.turn.take() {
            turn.broke_off();
        }
        failure
    }

    pub(super) fn turn_mut(&mut self) -> Option<&mut Turn> {
        self.turn.as_mut()
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Way::Driven(live) = &mut self.way else { return Pin::new(&mut self.body).poll_frame(cx) };
        // What has come already goes first: only then is there room for more.
        let mut nobody = Context::from_waker(Waker::noop());
        let frame = Pin::new(&mut self.body).poll_frame(&mut nobody);
        if frame.is_ready() {
            return frame;
        }
        if live.poll(cx).is_ready() {
            // The library tells the body what became of the connection when that goes.
            live.close();
        }
        Pin::new(&mut self.body).poll_frame(&mut nobody)
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let limit = since + self.stall;
        let timer = match &mut self.way {
            Way::Driven(live) => &mut live.timer,
            Way::Tasked(tasked) => &mut tasked.timer,
            Way::Over => return Poll::Pending,
        };
        timer.poll_until(limit, cx).map(|()| Failure::Timeout(Wait::Body))
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if matches!(self.way, Way::Over) {
            return Poll::Ready(None);
        }
        match self.poll_body(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting_since = None;
                // Who asks whether that was all is not going to ask for more.
                if self.body.is_end_stream() || frame.is_trailers() {
                    self.end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.end();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                let failure = Failure::from_hyper(&error, Part::Body);
                Poll::Ready(Some(Err(self.fail(failure))))
            }
            Poll::Pending => self.poll_stall(cx).map(|failure| Some(Err(self.fail(failure)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.way, Way::Over)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Received").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
