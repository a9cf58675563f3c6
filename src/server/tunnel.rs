//! A connection that has switched to another protocol (RFC 9110, section 7.8): octets in both directions, of which nothing is known.
//!
//! Whoever took over the connection reads and writes it in tasks of its own. What the server still decides is how long it may last: a rest
//! that is too long ends it, and so does the end of the server. The connection's own task waits for that end, so that the connection is
//! counted as long as it lasts, and no shutdown leaves one behind.

use futures_util::task::AtomicWaker;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::alarm::Alarm;

/// What the connection's task and its transport know of each other.
#[derive(Debug, Default)]
pub(super) struct Tunnel {
    stage: AtomicU8,
    reader: AtomicWaker,
    writer: AtomicWaker,
    changed: Notify,
}

/// Nothing more is read from the client; what is on its way to it may still be sent.
const ENDING: u8 = 1;
/// Nothing is read or written any more.
const CUT: u8 = 2;
/// The transport is gone.
const OVER: u8 = 3;

impl Tunnel {
    /// Ends the direction from the client.
    pub(super) fn end(&self) {
        self.enter(ENDING);
    }

    /// Ends both directions, however they stand.
    pub(super) fn cut(&self) {
        self.enter(CUT);
    }

    /// Waits until the transport has ended.
    pub(super) async fn over(&self) {
        // One waits, and what it is told before it does is kept for it.
        while self.stage.load(Ordering::SeqCst) < OVER {
            self.changed.notified().await;
        }
    }

    fn enter(&self, stage: u8) {
        self.stage.fetch_max(stage, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
        self.changed.notify_one();
    }
}

/// The transport's side of a tunnel. Reading and writing may be the business of two tasks.
#[derive(Debug)]
pub(super) struct Switched {
    tunnel: Arc<Tunnel>,
    /// When octets last came or went.
    moved: Instant,
    reading: Alarm,
    writing: Alarm,
}

impl Switched {
    /// The side of `tunnel` that has octets.
    pub(super) fn new(tunnel: Arc<Tunnel>) -> Self {
        Self { tunnel, moved: Instant::now(), reading: Alarm::default(), writing: Alarm::default() }
    }

    /// Whether the direction from the client has come to its end. The task that asks is woken when it does.
    pub(super) fn is_ending(&self, cx: &Context<'_>) -> io::Result<bool> {
        self.tunnel.reader.register(cx.waker());
        match self.tunnel.stage.load(Ordering::SeqCst) {
            0 => Ok(false),
            ENDING => Ok(true),
            _ => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Whether anything may be written.
    pub(super) fn may_write(&self, cx: &Context<'_>) -> io::Result<()> {
        self.tunnel.writer.register(cx.waker());
        if self.tunnel.stage.load(Ordering::SeqCst) < CUT {
            Ok(())
        } else {
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }

    /// Octets have come or gone.
    pub(super) fn moved(&mut self) {
        self.moved = Instant::now();
    }

    /// Pending, unless nothing has come or gone for `idle`.
    pub(super) fn poll_idle(&mut self, idle: Duration, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reading.is_over_here(self.moved + idle, cx) {
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        } else {
            Poll::Pending
        }
    }

    /// Whether a client that does not read has had enough time.
    pub(super) fn is_stalled(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        self.writing.is_over_here(deadline, cx)
    }
}

/// Says that a transport is gone, when the last of it is: also its hold on the log.
#[derive(Debug, Default)]
pub(super) struct Gone(pub(super) Option<Arc<Tunnel>>);

impl Drop for Gone {
    fn drop(&mut self) {
        if let Some(tunnel) = &self.0 {
            tunnel.enter(OVER);
        }
    }
}
