//! A body between two pieces that are there: what an upstream sends of a representation, and what was stored of it before.

use crate::upstream::Received;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A body with what stands before and after it.
pub(super) struct Around {
    before: Bytes,
    body: Received,
    /// What the body still has to bring, if that is known here.
    missing: Option<u64>,
    after: Bytes,
    is_over: bool,
}

impl Around {
    /// Nothing around it.
    pub(super) fn nothing(body: Received) -> Self {
        Self { before: Bytes::new(), body, missing: None, after: Bytes::new(), is_over: false }
    }

    /// `before` and `after` around a body that has to be so long.
    pub(super) fn pieces(before: Bytes, (body, length): (Received, u64), after: Bytes) -> Self {
        Self { before, body, missing: Some(length), after, is_over: false }
    }

    /// Counts what has come: a body that is longer or shorter than it has to be breaks off.
    fn count(&mut self, data: usize, is_over: bool) -> io::Result<()> {
        let Some(missing) = &mut self.missing else { return Ok(()) };
        *missing = missing.checked_sub(data as u64).ok_or_else(|| io::Error::other("a part is too long"))?;
        if is_over && *missing > 0 { Err(io::Error::other("a part is too short")) } else { Ok(()) }
    }
}

impl Body for Around {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.before.is_empty() {
            let before = std::mem::take(&mut self.before);
            return Poll::Ready(Some(Ok(Frame::data(before))));
        }
        if !self.is_over {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                None => {
                    self.is_over = true;
                    self.count(0, true)?;
                    return self.poll_frame(cx);
                }
            };
            self.count(frame.data_ref().map_or(0, Bytes::len), false)?;
            return Poll::Ready(Some(Ok(frame)));
        }
        let after = std::mem::take(&mut self.after);
        Poll::Ready((!after.is_empty()).then(|| Ok(Frame::data(after))))
    }

    fn is_end_stream(&self) -> bool {
        // What its length says to be all is all, whether the upstream has ended it or not.
        let is_body_over =
            self.is_over || self.missing.map_or_else(|| self.body.is_end_stream(), |missing| missing == 0);
        self.before.is_empty() && is_body_over && self.after.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let around = (self.before.len() + self.after.len()) as u64;
        let body = match self.missing {
            _ if self.is_over => SizeHint::with_exact(0),
            Some(missing) => SizeHint::with_exact(missing),
            None => self.body.size_hint(),
        };
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(around));
        }
        hint.set_lower(body.lower().saturating_add(around));
        hint
    }
}
