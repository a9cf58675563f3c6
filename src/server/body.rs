//! The bodies on both sides of a handler: the request's, which comes back to the server if nobody reads it, and the answer's, which tells
//! the ledger when the protocol has taken all of it.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::ledger::{Answered, Ledger};

/// The body of a request, for the handler that wants it.
///
/// It comes as fast as it is read, and no faster. Dropped untouched, it goes back to the server, which takes it off the connection within
/// bounds; dropped halfway, it ends the connection after the answer. An error is not the end of the body: half of one is none.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    untouched: bool,
    /// Whether the time is bounded that it may take as a whole.
    in_time: bool,
    home: Option<Home>,
}

/// Where a body goes that nobody has read to its end.
#[derive(Debug, Clone)]
pub(super) struct Home {
    rest: Arc<Mutex<Option<Rest>>>,
    ledger: Arc<Ledger>,
}

/// What is left of a body.
#[derive(Debug)]
pub(super) enum Rest {
    /// All of it: nobody has asked for a first octet.
    Untouched(Incoming),
    /// A part of it, which nobody will read.
    Begun,
    /// What follows in place of the rest has no meaning.
    Broken,
}

impl RequestBody {
    /// The body that `incoming` is, and its home, if it is one at all.
    pub(super) fn new(incoming: Incoming, ledger: &Arc<Ledger>) -> (Self, Option<Home>) {
        if incoming.is_end_stream() {
            return (Self { incoming: None, untouched: true, in_time: false, home: None }, None);
        }
        let home = Home { rest: Arc::default(), ledger: Arc::clone(ledger) };
        (Self { incoming: Some(incoming), untouched: true, in_time: false, home: Some(home.clone()) }, Some(home))
    }

    /// The same body, for a handler that does nothing before it has all of it: it must come within the time that a body has as a whole.
    #[must_use]
    pub fn in_time(mut self) -> Self {
        self.in_time = true;
        self
    }

    /// Somebody wants to read. Unless it is to come in time, the body may from here on take as long as it goes on.
    fn touch(&mut self) {
        self.untouched = false;
        if let (Some(home), false) = (&self.home, self.in_time) {
            home.ledger.set_read(true);
        }
    }

    /// Nothing can follow.
    fn end(&mut self, rest: Option<Rest>) {
        self.incoming = None;
        if let (Some(home), Some(rest)) = (&self.home, rest) {
            home.put(rest);
        }
    }
}

impl Home {
    /// The rest of the body, if it has come back.
    pub(super) fn take(&self) -> Option<Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, rest: Rest) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if this.untouched {
            this.touch();
        }
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(incoming).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) if frame.is_data() => {}
            // Nothing comes after a trailer section.
            Some(Ok(_)) | None => this.end(None),
            Some(Err(_)) => this.end(Some(Rest::Broken)),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let (Some(incoming), Some(home)) = (self.incoming.take(), &self.home)
            && !incoming.is_end_stream()
        {
            home.put(if self.untouched { Rest::Untouched(incoming) } else { Rest::Begun });
        }
    }
}

/// The body of an answer: the handler's, or one of the server's own.
#[derive(Debug)]
pub(super) enum Content<B> {
    /// What the handler made.
    Handled(B),
    /// What the server says by itself.
    Own(Option<Bytes>),
    /// None, where the fields tell the length that it has elsewhere: a 304 (RFC 9110, section 8.6). hyper writes the field of a body that
    /// claims to be as long, and does not ask for an octet of it.
    Claimed(u64),
}

/// An answer's body on its way into the protocol. When it is dropped, the protocol has taken all that it wants.
#[derive(Debug)]
pub(super) struct Delivery<B> {
    content: Content<B>,
    answered: Option<Answered>,
    ledger: Arc<Ledger>,
}

impl<B> Delivery<B> {
    /// `content`, to be entered in the ledger as `answered` when it is taken; without a record, nothing is entered.
    pub(super) fn new(content: Content<B>, answered: Option<Answered>, ledger: Arc<Ledger>) -> Self {
        Self { content, answered, ledger }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Delivery<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Handled(body) => ready!(Pin::new(body).poll_frame(cx)),
            Content::Own(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Content::Claimed(_) => None,
        };
        if let (Some(Ok(frame)), Some(answered)) = (&frame, &mut this.answered) {
            answered.taken += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Handled(body) => body.is_end_stream(),
            Content::Own(bytes) => bytes.is_none(),
            Content::Claimed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Handled(body) => body.size_hint(),
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Claimed(length) => SizeHint::with_exact(*length),
        }
    }
}

impl<B> Drop for Delivery<B> {
    fn drop(&mut self) {
        if let Some(answered) = self.answered.take() {
            self.ledger.answer(answered);
        }
    }
}
