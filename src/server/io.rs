//! The one wrapper around a connection's socket: what hyper reads has passed the gate, and every state has a deadline.
//!
//! hyper is handed a head only when it is complete and sound, so it never sees a bad one, and of what follows it is handed the body's octets
//! and no more, so the next head comes to the gate again. When a head is refused or overdue, hyper sees the end of the input; it finishes
//! the answers before, asks to shut down, and in the shutdown the wrapper writes its own answer.
//!
//! A client that has ended its sending direction gets its answers: the end of the input is passed on only between messages, or within a body
//! (RFC 9112, section 9.6).
//!
//! It knows octets and deadlines; what a request asks for is no business of this file.

use bytes::{Buf, BytesMut};
use http::{Method, StatusCode};
use hyper::rt::{Read, ReadBufCursor, Write};
use memchr::memchr;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use tokio::io::ReadBuf;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::gate::{self, Refusal, Verdict};
use super::ledger::Ledger;
use super::refusal;
use super::socket::Socket;
use super::{Exchange, Facts, Limits, RequestId, Shutdown};

/// Octets that are read at once. One buffer for each thread: a connection holds memory of its own only for an incomplete or early head.
const CHUNK: usize = 16 * 1024;

/// Octets that are thrown away while a closing connection lingers.
const LINGER_OCTETS: usize = 4 * 1024 * 1024;

/// An incomplete head is looked at again when a line has ended, or when it has grown by this.
const WORTH_A_LOOK: usize = 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into_boxed_slice());
}

/// A socket as hyper sees it.
#[derive(Debug)]
pub(super) struct Transport {
    socket: Socket,
    /// What has arrived and has not been handed over.
    input: BytesMut,
    /// How much of `input` the gate has found incomplete.
    examined: usize,
    reading: Reading,
    /// Since when the next octet of a body is awaited.
    stalled: Option<Instant>,
    sent: Sent,
    closing: Closing,
    alarm: Alarm,
    limits: Arc<Limits>,
    shutdown: Shutdown,
    ledger: Arc<Ledger>,
}

/// What the next octets of the input belong to.
#[derive(Debug)]
enum Reading {
    /// A head.
    Head(Awaited),
    /// A message that has passed the gate: `left` octets of head and body are yet to be handed over.
    Message { left: u64, since: Option<Instant> },
    /// Nothing any more.
    Over,
}

/// A head that is waited for.
#[derive(Debug)]
struct Awaited {
    /// Whether it is the first of the connection.
    first: bool,
    /// When the connection came to rest: known as soon as somebody waits.
    since: Option<Instant>,
    /// When its first octets came, if it did not come at once.
    begun: Option<Instant>,
}

impl Awaited {
    /// The head after a message.
    const NEXT: Self = Self { first: false, since: None, begun: None };
}

/// What the socket has taken of the present answer.
#[derive(Debug, Default)]
struct Sent {
    octets: u64,
    /// The octets of its head, which hyper writes first and in one piece.
    head: Option<u64>,
    /// When a client that does not read is given up.
    deadline: Option<Instant>,
}

impl Sent {
    fn took(&mut self, octets: usize, first_slice: usize) {
        self.head.get_or_insert(first_slice as u64);
        self.octets += octets as u64;
        self.deadline = None;
    }

    fn content(&self) -> u64 {
        self.octets.saturating_sub(self.head.unwrap_or(0))
    }
}

/// How far the end of the connection has come.
#[derive(Debug)]
enum Closing {
    /// It has not begun, and there is nothing that we would say.
    Silent,
    /// It has not begun, and input may be on its way that would cause a reset.
    Open,
    /// Our own last answer is being written.
    Replying(Box<Reply>),
    /// The sending direction is to be ended.
    Ending { until: Instant, linger: bool },
    /// Input is thrown away, so that the client reads our last answer before it learns that we are gone.
    Lingering { until: Instant, octets: usize },
    /// Nothing is left to do.
    Closed,
}

/// An answer that the wrapper gives by itself.
#[derive(Debug)]
struct Reply {
    octets: Vec<u8>,
    written: usize,
    content: usize,
    until: Option<Instant>,
    begun: Option<Instant>,
    exchange: Exchange,
}

impl Transport {
    /// Wraps `socket`, which was just accepted.
    pub(super) fn new(socket: Socket, limits: Arc<Limits>, shutdown: Shutdown, ledger: Arc<Ledger>) -> Self {
        let first = Awaited { first: true, since: Some(Instant::now()), begun: None };
        Self {
            socket,
            input: BytesMut::new(),
            examined: 0,
            reading: Reading::Head(first),
            stalled: None,
            sent: Sent::default(),
            closing: Closing::Open,
            alarm: Alarm::default(),
            limits,
            shutdown,
            ledger,
        }
    }

    /// Whether the input at hand could bring anything forward.
    fn is_worth_a_look(&self) -> bool {
        match self.reading {
            Reading::Over => false,
            Reading::Message { .. } => !self.input.is_empty(),
            Reading::Head(_) => {
                let news = self.input.get(self.examined..).unwrap_or_default();
                !news.is_empty()
                    && (self.examined == 0
                        || news.len() >= WORTH_A_LOOK
                        || self.input.len() > self.limits.head
                        || memchr(b'\n', news).is_some())
            }
        }
    }

    /// Hands over what may be handed over of `input`, and gives how much of it is used up.
    fn advance(&mut self, input: &[u8], cursor: &mut ReadBufCursor<'_>) -> usize {
        match self.reading {
            Reading::Over => input.len(),
            Reading::Message { .. } => self.hand_over(input, cursor),
            Reading::Head(_) => match gate::examine(input, &self.limits) {
                Verdict::Incomplete => {
                    self.examined = input.len();
                    0
                }
                Verdict::Sound(head) => {
                    self.examined = 0;
                    self.reading = Reading::Message { left: head.length as u64 + head.body, since: None };
                    head.skip + self.hand_over(input.get(head.skip..).unwrap_or_default(), cursor)
                }
                Verdict::Refused(refusal) => {
                    self.refuse(refusal, input);
                    input.len()
                }
            },
        }
    }

    /// Hands over octets of a message that has passed the gate.
    fn hand_over(&mut self, input: &[u8], cursor: &mut ReadBufCursor<'_>) -> usize {
        let Reading::Message { left, .. } = &mut self.reading else { return 0 };
        let most = input.len().min(cursor.remaining());
        let count = usize::try_from(*left).map_or(most, |left| left.min(most));
        cursor.put_slice(input.get(..count).unwrap_or_default());
        *left -= count as u64;
        if *left == 0 {
            self.reading = Reading::Head(Awaited::NEXT);
        }
        self.stalled = None;
        count
    }

    /// Reads from the socket what `cursor` may have. Ready if there is something new to look at: octets, or the end.
    fn poll_receive(&mut self, cursor: &mut ReadBufCursor<'_>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut chunk = ReadBuf::new(scratch);
            if self.socket.poll_read(cx, &mut chunk)?.is_pending() {
                let overdue = self.poll_overdue(cx);
                if overdue.is_pending() {
                    self.rest(cx);
                }
                return overdue;
            }
            let news = chunk.filled();
            if news.is_empty() {
                self.end_of_input();
            } else if self.input.is_empty() {
                let used = self.advance(news, cursor);
                self.input.extend_from_slice(news.get(used..).unwrap_or_default());
            } else {
                self.input.extend_from_slice(news);
            }
            Poll::Ready(Ok(()))
        })
    }

    /// The client sends no more.
    fn end_of_input(&mut self) {
        if let Reading::Head(_) = self.reading
            && !self.input.is_empty()
        {
            let input = std::mem::take(&mut self.input);
            self.refuse(Refusal::new(StatusCode::BAD_REQUEST, "the head has no end"), &input);
        } else {
            self.reading = Reading::Over;
            self.closing = Closing::Silent;
        }
    }

    /// Waits for octets while the protocol is not there to take them. False if the connection ended instead.
    pub(super) fn poll_awake(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut chunk = ReadBuf::new(scratch);
            match self.socket.poll_read(cx, &mut chunk) {
                Poll::Ready(Ok(())) => {
                    self.input.extend_from_slice(chunk.filled());
                    Poll::Ready(!chunk.filled().is_empty())
                }
                Poll::Ready(Err(_)) => Poll::Ready(false),
                Poll::Pending => self.poll_overdue(cx).map(|_| !self.input.is_empty()),
            }
        })
    }

    /// Tells that the protocol's buffers could be spared, once nothing has been under way for a while.
    fn rest(&mut self, cx: &mut Context<'_>) {
        if let Reading::Head(Awaited { first: false, since: Some(since), begun: None }) = self.reading
            && self.input.is_empty()
            && self.sent.deadline.is_none()
            && self.alarm.is_over(since + self.limits.rest, cx)
        {
            self.ledger.rest();
        }
    }

    /// Pending, unless whoever is waited for has had enough time.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let deadline = match &mut self.reading {
            Reading::Over => return Poll::Ready(Ok(())),
            Reading::Head(awaited) => {
                awaited.deadline(self.input.is_empty(), &self.limits, self.shutdown.is_draining())
            }
            Reading::Message { since, .. } => {
                let stalled = *self.stalled.get_or_insert_with(Instant::now);
                (stalled + self.limits.body_stall).min(*since.get_or_insert(stalled) + self.limits.body_time)
            }
        };
        if !self.alarm.is_over(deadline, cx) {
            return Poll::Pending;
        }
        match self.reading {
            Reading::Message { .. } => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Reading::Head(_) if self.input.is_empty() => {
                self.leave();
                Poll::Ready(Ok(()))
            }
            Reading::Head(_) | Reading::Over => {
                let input = std::mem::take(&mut self.input);
                self.refuse(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the head took too long"), &input);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Ends a connection that nothing has come by for too long, unless something has come this moment: the runtime learns of it a little
    /// later than the system, and a request that the system has taken is not to be lost.
    fn leave(&mut self) {
        let mut chunk = [0; WORTH_A_LOOK];
        match self.socket.read_at_once(&mut chunk) {
            Ok(count) if count > 0 => self.input.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Ok(_) | Err(_) => {
                self.reading = Reading::Over;
                self.closing = Closing::Silent;
            }
        }
    }

    /// Ends the input, and prepares the answer to what it ended with.
    fn refuse(&mut self, refusal: Refusal, input: &[u8]) {
        let now = SystemTime::now();
        let (method, path) = gate::claimed(input);
        let to_head = method == Some(Method::HEAD);
        let id = RequestId::next();
        let octets = refusal::octets(refusal, id, to_head, now);
        let content = memchr::memmem::find(&octets, b"\r\n\r\n").map_or(0, |end| octets.len() - end - 4);
        let begun = match &self.reading {
            Reading::Head(awaited) => awaited.begun,
            Reading::Message { .. } | Reading::Over => None,
        };
        let exchange = Exchange {
            time: now,
            id,
            client: self.ledger.peer(),
            method,
            path: path.map(Box::from),
            status: Some(refusal.status),
            bytes: 0,
            elapsed: Duration::ZERO,
            facts: Facts::default(),
        };
        self.reading = Reading::Over;
        self.closing = Closing::Replying(Box::new(Reply { octets, written: 0, content, until: None, begun, exchange }));
    }

    /// Writes the reply of our own. Ready when that is done or has become pointless.
    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Closing::Replying(reply) = &mut self.closing else { return Poll::Ready(()) };
        let until = *reply.until.get_or_insert_with(|| Instant::now() + self.limits.linger);
        while let Some(rest) = reply.octets.get(reply.written..).filter(|rest| !rest.is_empty()) {
            match self.socket.poll_write(cx, rest) {
                Poll::Ready(Ok(count)) if count > 0 => reply.written += count,
                Poll::Ready(_) => break,
                Poll::Pending if self.alarm.is_over(until, cx) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        self.log_reply();
        self.closing = Closing::Ending { until, linger: true };
        Poll::Ready(())
    }

    fn log_reply(&mut self) {
        let Closing::Replying(reply) = std::mem::replace(&mut self.closing, Closing::Closed) else { return };
        let Reply { octets, written, content, begun, mut exchange, .. } = *reply;
        exchange.bytes = written.saturating_sub(octets.len() - content) as u64;
        exchange.elapsed = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.ledger.log().record(&exchange);
    }

    /// Throws input away until the client has ended too, or has had enough time.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Closing::Lingering { until, octets } = &mut self.closing else { return Poll::Ready(()) };
        SCRATCH.with_borrow_mut(|scratch| {
            while *octets < LINGER_OCTETS {
                let mut chunk = ReadBuf::new(scratch);
                match self.socket.poll_read(cx, &mut chunk) {
                    Poll::Ready(Ok(())) if !chunk.filled().is_empty() => *octets += chunk.filled().len(),
                    Poll::Ready(_) => break,
                    Poll::Pending if self.alarm.is_over(*until, cx) => break,
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        })
    }

    /// What a write came to, with the deadline for a client that does not read.
    fn written(
        &mut self,
        result: Poll<io::Result<usize>>,
        first_slice: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(count)) => {
                self.sent.took(count, first_slice);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let stall = self.limits.write_stall;
                let deadline = *self.sent.deadline.get_or_insert_with(|| Instant::now() + stall);
                if self.alarm.is_over(deadline, cx) {
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                } else {
                    Poll::Pending
                }
            }
        }
    }
}

impl Awaited {
    /// When waiting for it ends; `nothing_yet` of it has arrived.
    fn deadline(&mut self, nothing_yet: bool, limits: &Limits, draining: bool) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        if nothing_yet {
            let patience = if self.first { limits.head_time } else { limits.idle };
            since + if draining { patience.min(limits.last_call) } else { patience }
        } else if self.first {
            self.begun.get_or_insert_with(Instant::now);
            since + limits.head_time
        } else {
            *self.begun.get_or_insert_with(Instant::now) + limits.head_time
        }
    }
}

impl Read for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = cursor.remaining();
        loop {
            if this.is_worth_a_look() {
                let mut input = std::mem::take(&mut this.input);
                let used = this.advance(&input, &mut cursor);
                input.advance(used);
                if !input.is_empty() {
                    this.input = input;
                }
            }
            if cursor.remaining() < room || matches!(this.reading, Reading::Over) {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_receive(&mut cursor, cx))?;
        }
    }
}

impl Write for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.socket.poll_write(cx, octets);
        this.written(result, octets.len(), cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.socket.poll_write_vectored(cx, slices);
        this.written(result, slices.first().map_or(0, |slice| slice.len()), cx)
    }

    /// hyper flushes when the socket has taken all that there was.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ledger.flushed() {
            this.sent = Sent::default();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.closing {
                Closing::Silent => this.closing = Closing::Ending { until: Instant::now(), linger: false },
                Closing::Open => {
                    this.closing = Closing::Ending { until: Instant::now() + this.limits.linger, linger: true };
                }
                Closing::Replying(_) => ready!(this.poll_reply(cx)),
                &mut Closing::Ending { until, linger } => {
                    let ended = ready!(this.socket.poll_shutdown(cx));
                    let linger = linger && ended.is_ok();
                    this.closing = if linger { Closing::Lingering { until, octets: 0 } } else { Closing::Closed };
                }
                Closing::Lingering { .. } => {
                    ready!(this.poll_linger(cx));
                    this.closing = Closing::Closed;
                }
                Closing::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.log_reply();
        self.ledger.close(self.sent.content());
    }
}
