//! What the two halves of a connection tell each other about the answer under way: the service knows what the answer is, the transport
//! how much of it the socket took. When both have spoken, the exchange is logged.
//!
//! Both halves live in one task, so the lock is never contended; it is there because the compiler cannot know that.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{AccessLog, Exchange};
use crate::handler::Tally;
use http::StatusCode;

/// The book of one connection.
#[derive(Debug)]
pub(super) struct Ledger {
    log: AccessLog,
    /// The other end, if it has an address.
    peer: Option<IpAddr>,
    /// Whether `book.answered` holds something: lets the transport look without the lock.
    answered: AtomicBool,
    /// Whether the transport wants to wait without the protocol.
    resting: AtomicBool,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// An answer that the protocol has taken from the service, and that is on its way to the socket.
    answered: Option<Answered>,
    /// Octets of content that had gone out when the transport ended; none while it works.
    closed: Option<u64>,
}

/// An answer that is complete on the side of the service.
#[derive(Debug)]
pub(super) struct Answered {
    /// The record for the log, short of its size and its time, if there is a log.
    pub(super) exchange: Option<Exchange>,
    /// What counts it.
    pub(super) tally: Option<Tally>,
    /// Its status.
    pub(super) status: StatusCode,
    /// When the request arrived.
    pub(super) arrival: Instant,
    /// Octets of content that the protocol has taken.
    pub(super) taken: u64,
}

impl Answered {
    fn record(self, sent: u64, log: &AccessLog) {
        let Self { exchange, tally, status, arrival, taken } = self;
        let (bytes, elapsed) = (sent.min(taken), arrival.elapsed());
        if let Some(tally) = tally {
            tally.count(status, bytes, elapsed);
        }
        if let Some(mut exchange) = exchange {
            (exchange.bytes, exchange.elapsed) = (bytes, elapsed);
            log.record(&exchange);
        }
    }
}

impl Ledger {
    /// An empty book of the connection with `peer` that is read out to `log`.
    pub(super) fn new(log: AccessLog, peer: Option<IpAddr>) -> Self {
        Self { log, peer, answered: AtomicBool::new(false), resting: AtomicBool::new(false), book: Mutex::default() }
    }

    /// Where exchanges are recorded.
    pub(super) fn log(&self) -> &AccessLog {
        &self.log
    }

    /// The address of the other end: not that of the client, if it is a proxy's.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The protocol has taken all of an answer, or has given it up.
    pub(super) fn answer(&self, answered: Answered) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sent) = book.closed {
            answered.record(sent, &self.log);
            return;
        }
        self.answered.store(true, Ordering::Relaxed);
        if let Some(earlier) = book.answered.replace(answered) {
            // hyper begins an answer only after all of the one before is in the socket, or in the same buffer.
            earlier.record(u64::MAX, &self.log);
        }
    }

    /// The socket has taken everything there was. Gives whether that completed an answer.
    pub(super) fn flushed(&self) -> bool {
        if !self.answered.load(Ordering::Relaxed) {
            return false;
        }
        self.answered.store(false, Ordering::Relaxed);
        let answered = self.book.lock().unwrap_or_else(PoisonError::into_inner).answered.take();
        if let Some(answered) = answered {
            answered.record(u64::MAX, &self.log);
        }
        true
    }

    /// Nothing is under way, and has not been for a while.
    pub(super) fn rest(&self) {
        self.resting.store(true, Ordering::Relaxed);
    }

    /// Whether the connection has come to rest since this was last asked.
    pub(super) fn take_rest(&self) -> bool {
        let resting = self.resting.load(Ordering::Relaxed);
        if resting {
            self.resting.store(false, Ordering::Relaxed);
        }
        resting
    }

    /// The transport has ended after `sent` octets of the present answer's content.
    pub(super) fn close(&self, sent: u64) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.closed = Some(sent);
        if let Some(answered) = book.answered.take() {
            answered.record(sent, &self.log);
        }
    }
}
