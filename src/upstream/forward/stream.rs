//! The bytes of one connection to an upstream: TCP, or TLS over it; counted, and looked at before a rested connection is used again.
//!
//! It knows nothing of HTTP.

use bytes::{Buf as _, Bytes};
use rustix::net::{RecvFlags, recv};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What the two ends of a connection tell each other: HTTP above, which cannot be asked, and bytes below.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes that were taken from us, by the system or by TLS.
    written: AtomicU64,
    /// Whether the next read is to find out whether the peer has closed a connection that rested.
    is_doubted: AtomicBool,
    /// Whether the body of a request is still to be sent.
    is_uploading: AtomicBool,
    /// Whether that waits for its sender.
    is_starved: AtomicBool,
}

// One task at a time drives a connection, and whoever hands it on synchronises: nothing but the values themselves needs to be seen.
impl Meter {
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(super) fn doubt(&self) {
        self.is_doubted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_uploading(&self) -> bool {
        self.is_uploading.load(Ordering::Relaxed)
    }

    pub(super) fn set_uploading(&self, is_uploading: bool) {
        self.is_uploading.store(is_uploading, Ordering::Relaxed);
    }

    pub(super) fn is_starved(&self) -> bool {
        self.is_starved.load(Ordering::Relaxed)
    }

    pub(super) fn set_starved(&self, is_starved: bool) {
        self.is_starved.store(is_starved, Ordering::Relaxed);
    }
}

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct Stream {
    way: Way,
    meter: Arc<Meter>,
}

#[derive(Debug)]
pub(super) enum Way {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn new(way: Way, meter: Arc<Meter>) -> Self {
        Self { way, meter }
    }

    /// Whether anything has come, the end included, since the last answer was read: the system itself is asked, because the runtime
    /// learns of it later. What comes unasked can only be the end, or nothing that a request may be sent after.
    fn has_received(&self) -> bool {
        let tcp = match &self.way {
            Way::Plain(tcp) => tcp,
            Way::Secure(tls) => tls.get_ref().0,
        };
        let mut byte = [0];
        !matches!(recv(tcp, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT), Err(rustix::io::Errno::AGAIN))
    }

    fn count(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = written {
            self.meter.written.fetch_add(*count as u64, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.meter.is_doubted.load(Ordering::Relaxed) {
            self.meter.is_doubted.store(false, Ordering::Relaxed);
            if self.has_received() {
                // The end, as far as anybody above is concerned.
                return Poll::Ready(Ok(()));
            }
        }
        match &mut self.way {
            Way::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Way::Secure(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.way {
            Way::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Way::Secure(tls) => Pin::new(tls).poll_write(cx, bytes),
        };
        self.count(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.way {
            Way::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bytes),
            Way::Secure(tls) => Pin::new(tls).poll_write_vectored(cx, bytes),
        };
        self.count(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        match &self.way {
            Way::Plain(tcp) => tcp.is_write_vectored(),
            Way::Secure(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Way::Secure(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Way::Secure(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// A connection after `101 Switching Protocols`: bytes in both directions, and nobody's meaning.
#[derive(Debug)]
pub struct Tunnel {
    /// What came behind the head of the answer.
    before: Bytes,
    stream: Stream,
    /// Its address is busy as long as the tunnel is there.
    _turn: super::Turn,
}

impl Tunnel {
    pub(super) fn new(before: Bytes, stream: Stream, turn: super::Turn) -> Self {
        Self { before, stream, _turn: turn }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = self.before.len().min(buffer.remaining());
        buffer.put_slice(&self.before[..length]);
        self.before.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
