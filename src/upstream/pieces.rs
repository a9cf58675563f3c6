//! A body that is sent piece by piece: bytes at hand, and parts of open files, which are read as fast as they are sent.
//!
//! Its length is known beforehand. A file that got shorter meanwhile is an error, by which the call is broken off.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::future::Future as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How much of a file is read at once.
const CHUNK: u64 = 64 << 10;

/// A piece of a body.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes at hand.
    Bytes(Bytes),
    /// A part of a file.
    File {
        /// The file.
        file: Arc<File>,
        /// Where the part begins.
        offset: u64,
        /// How long it is.
        length: u64,
    },
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// Such a body.
#[derive(Debug)]
pub(super) struct InPieces {
    pieces: Arc<[Piece]>,
    /// Which piece is next, and how much of it was sent.
    at: (usize, u64),
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl InPieces {
    pub(super) fn new(pieces: Arc<[Piece]>) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        Self { pieces, at: (0, 0), left, reading: None }
    }
}

impl Body for InPieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            if let Some(reading) = &mut this.reading {
                let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|stopped| Err(stopped.into()));
                this.reading = None;
                this.left -= read.as_ref().map_or(0, |data| data.len() as u64);
                return Poll::Ready(Some(read.map(Frame::data)));
            }
            match this.pieces.get(this.at.0) {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => {
                    this.at = (this.at.0 + 1, 0);
                    if !bytes.is_empty() {
                        this.left -= bytes.len() as u64;
                        return Poll::Ready(Some(Ok(Frame::data(bytes.clone()))));
                    }
                }
                Some(Piece::File { length, .. }) if this.at.1 >= *length => this.at = (this.at.0 + 1, 0),
                Some(Piece::File { file, offset, length }) => {
                    let (file, from, count) = (Arc::clone(file), offset + this.at.1, CHUNK.min(length - this.at.1));
                    this.at.1 += count;
                    this.reading = Some(tokio::task::spawn_blocking(move || {
                        let mut chunk = vec![0; usize::try_from(count).unwrap_or_default()];
                        file.read_exact_at(&mut chunk, from)?;
                        Ok(chunk.into())
                    }));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::io::Write as _;

    #[tokio::test]
    async fn pieces_come_in_their_order_and_are_as_long_as_was_said() {
        let path = std::env::temp_dir().join(format!("siteserver-pieces-{}", std::process::id()));
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        let content: Vec<u8> = (0..200_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        file.write_all(&content).unwrap();
        let file = Arc::new(file);
        let pieces: Arc<[Piece]> = [
            Piece::Bytes(Bytes::from_static(b"before")),
            Piece::File { file: Arc::clone(&file), offset: 1, length: 150_000 },
            Piece::Bytes(Bytes::new()),
            Piece::File { file: Arc::clone(&file), offset: 0, length: 0 },
            Piece::Bytes(Bytes::from_static(b"after")),
        ]
        .into();
        let expected = [b"before", &content[1..150_001], b"after"].concat();
        // It may be sent again.
        for _ in 0..2 {
            let body = InPieces::new(Arc::clone(&pieces));
            assert_eq!(body.size_hint().exact(), Some(expected.len() as u64));
            assert!(body.collect().await.unwrap().to_bytes() == expected);
        }
        let beyond = InPieces::new([Piece::File { file, offset: 0, length: 200_001 }].into());
        assert!(beyond.collect().await.is_err());
    }
}
