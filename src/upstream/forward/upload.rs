//! The body of a request that is passed on: nothing, bytes at hand, or a stream that is read as fast as the upstream takes it.

use super::stream::Meter;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What went wrong with the body of a request.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Its sender broke off.
    #[error("the body of the request broke off")]
    BrokeOff(#[source] Box<dyn StdError + Send + Sync>),
    /// It has more or fewer bytes than its length said.
    #[error("the body of the request is not as long as was said")]
    Length,
}

type Streamed = Pin<Box<dyn Body<Data = Bytes, Error = UploadError> + Send>>;

/// The body of a request.
pub struct Upload {
    kind: Kind,
    /// How many bytes are still to come, where that is known.
    left: Option<u64>,
    /// Where it says how far it has got, once it is on its way.
    meter: Option<Arc<Meter>>,
}

enum Kind {
    Empty,
    Whole(Bytes),
    Streamed(Streamed),
}

impl Upload {
    /// No body at all: neither `Content-Length` nor `Transfer-Encoding` is sent.
    pub fn none() -> Self {
        Self { kind: Kind::Empty, left: None, meter: None }
    }

    /// A body that is at hand. An empty one is sent as `Content-Length: 0`.
    pub fn whole(bytes: Bytes) -> Self {
        let left = Some(bytes.len() as u64);
        let kind = if bytes.is_empty() { Kind::Empty } else { Kind::Whole(bytes) };
        Self { kind, left, meter: None }
    }

    /// A body that comes bit by bit. Its framing is `Content-Length` where `body` knows its exact length, and chunked where it does not;
    /// trailers are sent in the latter case, those that a `Trailer` field of the request names.
    ///
    /// If it ends in an error, or has another length than it said, the exchange is broken off: the upstream never takes a part for the
    /// whole.
    pub fn streamed<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let left = body.size_hint().exact();
        if body.is_end_stream() {
            // A request with a body of no length and one without any differ in what they say.
            return Self { kind: Kind::Empty, left, meter: None };
        }
        let kind = Kind::Streamed(Box::pin(body.map_err(|error| UploadError::BrokeOff(error.into()))));
        Self { kind, left, meter: None }
    }

    /// How many bytes it has, where that is known: `None` also for no body.
    pub(super) fn length(&self) -> Option<u64> {
        self.left
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Empty)
    }

    /// Whether it comes bit by bit, from somebody who may be slow.
    pub(in crate::upstream) fn is_streamed(&self) -> bool {
        matches!(self.kind, Kind::Streamed(_))
    }

    /// From now on `meter` knows how far it has got.
    pub(super) fn watched_by(&mut self, meter: &Arc<Meter>) {
        if !self.is_empty() {
            meter.set_uploading(true);
            meter.set_starved(false);
            self.meter = Some(Arc::clone(meter));
        }
    }

    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, UploadError> {
        if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
            *left = left.checked_sub(data.len() as u64).ok_or(UploadError::Length)?;
        }
        Ok(frame)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let frame = match &mut self.kind {
            Kind::Empty => return Poll::Ready(None),
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Streamed(body) => body.as_mut().poll_frame(cx),
        };
        if let Some(meter) = &self.meter {
            meter.set_starved(frame.is_pending());
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.counted(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(None) if self.left.is_some_and(|left| left > 0) => Poll::Ready(Some(Err(UploadError::Length))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(_) => false,
            Kind::Streamed(body) => self.left.is_none_or(|left| left == 0) && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.kind, self.left) {
            (Kind::Empty, _) => SizeHint::with_exact(0),
            (Kind::Whole(_) | Kind::Streamed(_), Some(left)) => SizeHint::with_exact(left),
            (Kind::Whole(_) | Kind::Streamed(_), None) => SizeHint::default(),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            meter.set_uploading(false);
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Empty => "none",
            Kind::Whole(_) => "whole",
            Kind::Streamed(_) => "streamed",
        };
        out.debug_struct("Upload").field("kind", &kind).field("left", &self.left).finish_non_exhaustive()
    }
}
