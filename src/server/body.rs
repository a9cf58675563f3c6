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
/// Dropped unread, it goes back to the server, which takes it off the connection within bounds.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    untouched: bool,
    home: Option<Home>,
}

/// Where a body goes that nobody has read to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Home(Arc<Mutex<Option<Unread>>>);

/// What is left of a body.
#[derive(Debug)]
pub(super) struct Unread {
    /// The rest of it.
    pub(super) incoming: Incoming,
    /// Whether it is all of it: nobody has asked for a first octet.
    pub(super) untouched: bool,
}

impl RequestBody {
    /// The body that `incoming` is, and its home, if it is one at all.
    pub(super) fn new(incoming: Incoming) -> (Self, Option<Home>) {
        if incoming.is_end_stream() {
            return (Self { incoming: None, untouched: true, home: None }, None);
        }
        let home = Home::default();
        (Self { incoming: Some(incoming), untouched: true, home: Some(home.clone()) }, Some(home))
    }
}

impl Home {
    /// The rest of the body, if it has come back.
    pub(super) fn take(&self) -> Option<Unread> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        this.untouched = false;
        Pin::new(incoming).poll_frame(cx)
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
            *home.0.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Unread { incoming, untouched: self.untouched });
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
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Handled(body) => body.size_hint(),
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
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
