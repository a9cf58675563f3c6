//! One connection to an upstream, driven by whoever uses it: no task of its own, so nothing is handed over, nothing is read that nobody
//! takes, and dropping it closes it.
//!
//! hyper's two halves of a connection talk through channels. Both are polled here, in the same task and one after the other, so the
//! channels need wake nobody: the half that is asked what the other has left for it is polled with a waker that does nothing.

use super::Bounds;
use super::stream::{Meter, Stream};
use super::upload::Upload;
use crate::upstream::{Failure, Part, Wait};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

/// The largest head of an answer that is accepted, in bytes; trailers have as much room of their own.
const HEAD_BYTES: usize = 32 << 10;
/// How much of a body is read ahead of who takes it, and how much is held until the upstream takes it, in bytes.
const BUFFER: usize = 64 << 10;

/// One connection.
#[derive(Debug)]
pub(super) struct Live {
    sender: SendRequest<Upload>,
    /// `None` once it has ended.
    connection: Option<Connection<TokioIo<Stream>, Upload>>,
    pub(super) meter: Arc<Meter>,
    pub(super) timer: Timer,
}

/// Why a request has no answer.
pub(super) enum Unanswered {
    /// The connection had ended before; not a byte of the request was written, and here it is again.
    Unsent(Box<Request<Upload>>),
    /// The upstream may have seen the request.
    Failed(Failure),
}

/// The head of an answer.
pub(super) enum Answered {
    /// An answer, and its body that comes through the connection.
    Usual(Response<Incoming>),
    /// `101`; the connection is a stream of bytes from here on.
    Switched(Response<Incoming>, Stream, Bytes),
}

impl Live {
    pub(super) async fn new(stream: Stream, meter: Arc<Meter>) -> Result<Self, Failure> {
        let mut builder = hyper::client::conn::http1::Builder::new();
        // As many fields as the library takes by default, which costs no allocation: 100.
        builder.max_header_size(HEAD_BYTES).max_buf_size(BUFFER);
        let shaken = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| Failure::from_hyper(&error, Part::Head))?;
        Ok(Self { sender, connection: Some(connection), meter, timer: Timer::new() })
    }

    /// Sends `request` and waits for the head of its answer.
    pub(super) async fn answer(
        self: &mut Box<Self>,
        mut request: Request<Upload>,
        bounds: Bounds,
        deadline: Instant,
    ) -> Result<Answered, Unanswered> {
        request.body_mut().watched_by(&self.meter);
        let answer = self.sender.try_send_request(request);
        // The runtime's share of a task's time is not for channels that nobody else writes to; being refused a look at one would be
        // forgotten, as nothing would wake the task.
        let mut answer = pin!(unconstrained(answer));
        let mut progress = Progress::new(&self.meter, bounds, deadline);
        poll_fn(|cx| {
            let is_over = self.poll(cx).is_ready();
            let mut ready = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if is_over && ready.is_pending() {
                // A request that was not taken is given back when the connection goes.
                self.close();
                ready = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            match ready {
                Poll::Ready(Ok(response)) => Poll::Ready(self.answered(response)),
                Poll::Ready(Err(mut error)) => Poll::Ready(Err(match error.take_message() {
                    Some(request) => Unanswered::Unsent(Box::new(request)),
                    None => Unanswered::Failed(Failure::from_hyper(&error.into_error(), Part::Head)),
                })),
                Poll::Pending if is_over => Poll::Ready(Err(Unanswered::Failed(Failure::Interrupted(Part::Head)))),
                Poll::Pending => {
                    let (limit, failure) = progress.limit(&self.meter);
                    self.timer.poll_until(limit, cx).map(|()| Err(Unanswered::Failed(failure)))
                }
            }
        })
        .await
    }

    fn answered(&mut self, response: Response<Incoming>) -> Result<Answered, Unanswered> {
        if response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Answered::Usual(response));
        }
        // The library has ended its part with the head.
        let parts = self.connection.take().map(Connection::into_parts);
        let parts = parts.ok_or(Unanswered::Failed(Failure::InvalidResponse))?;
        Ok(Answered::Switched(response, parts.io.into_inner(), parts.read_buf))
    }

    /// Moves what can be moved. Ready once the connection has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(()) };
        // What went wrong is told to who waits for the answer, or for its body.
        connection.poll_without_shutdown(cx).map(|_outcome| ())
    }

    /// Closes the connection; whoever waits for something from it learns that it is gone.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    /// Ends the exchange: whether the connection can carry another one. Nothing wakes this task on its behalf any more.
    pub(super) fn is_at_rest(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop())).is_pending() && self.sender.is_ready()
    }

    /// Leaves the connection to a task: for an answer that begins while its request is still being sent. Both bodies then move by
    /// themselves, also while the reader of the answer waits until the request is sent. The connection carries no other exchange.
    pub(super) fn into_task(self) -> Tasked {
        let task = self.connection.map(|connection| {
            tokio::spawn(async move {
                // The reader of the answer learns what went wrong.
                connection.await.ok();
            })
        });
        Tasked { task, timer: self.timer }
    }
}

/// A connection that a task drives, as long as anybody reads the answer.
#[derive(Debug)]
pub(super) struct Tasked {
    task: Option<tokio::task::JoinHandle<()>>,
    pub(super) timer: Timer,
}

impl Drop for Tasked {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// How far the sending of a request has got, and until when the next step may take.
struct Progress {
    bounds: Bounds,
    /// Until when the head must be there; a request with a body is bound by its steps alone, as nobody knows how long it is.
    deadline: Option<Instant>,
    is_uploading: bool,
    written: u64,
    /// When anything was written last.
    at: Instant,
}

impl Progress {
    fn new(meter: &Meter, bounds: Bounds, deadline: Instant) -> Self {
        let is_uploading = meter.is_uploading();
        let deadline = (!is_uploading).then_some(deadline);
        Self { bounds, deadline, is_uploading, written: meter.written(), at: Instant::now() }
    }

    /// Until when to wait, and what it means if nothing has happened by then.
    fn limit(&mut self, meter: &Meter) -> (Instant, Failure) {
        if self.is_uploading {
            let (is_uploading, written) = (meter.is_uploading(), meter.written());
            if (is_uploading, written) != (self.is_uploading, self.written) {
                (self.is_uploading, self.written) = (is_uploading, written);
                self.at = Instant::now();
            }
        }
        let (wait, failure) = match (self.is_uploading, meter.is_starved()) {
            (false, _) => (self.bounds.first_byte, Failure::Timeout(Wait::FirstByte)),
            (true, false) => (self.bounds.stall, Failure::Timeout(Wait::Upload)),
            // Whoever sends the request's body has bounds of their own; these are in case they have none.
            (true, true) => (self.bounds.stall, Failure::BrokenUpload),
        };
        let limit = self.at + wait;
        (self.deadline.map_or(limit, |deadline| limit.min(deadline)), failure)
    }
}

/// A timer that is set rarely: while it stands earlier than it is needed, it goes off, is found to be early and is set again.
#[derive(Debug)]
pub(super) struct Timer(Pin<Box<Sleep>>);

impl Timer {
    fn new() -> Self {
        // Goes off at once, and is set by then.
        Self(Box::pin(tokio::time::sleep_until(tokio::time::Instant::now())))
    }

    /// Ready at `limit`.
    pub(super) fn poll_until(&mut self, limit: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let limit = tokio::time::Instant::from_std(limit);
        if self.0.deadline() > limit {
            self.0.as_mut().reset(limit);
        }
        while self.0.as_mut().poll(cx).is_ready() {
            if self.0.deadline() >= limit {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(limit);
        }
        Poll::Pending
    }
}
