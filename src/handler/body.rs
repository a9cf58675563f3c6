//! The bodies on both sides of a handler: the request's, as whoever carries it gives it, and the answer's. That is nothing, bytes in memory, a
//! part of an open file, or a stream from elsewhere.
//!
//! But for a stream, its length is always known beforehand. It does not know what it carries: fields are the business of whoever answers.

use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use std::error::Error;
use std::fmt;
use std::fs::{File, Metadata};
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How much of a file is read at once, in bytes.
const CHUNK: u64 = 64 << 10;

/// The body of a request, as it comes from a client: read as fast as it is wanted. An error is not its end.
pub trait RequestBody:
    http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
}

impl<B> RequestBody for B where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
}

/// Why a request's body ended in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBodyFault {
    /// It did not go on for too long.
    Late,
    /// Its framing is broken, or the client ended it early.
    Broken,
}

impl RequestBodyFault {
    /// What `error`, which a request's body has ended in, or one that was caused by it, means.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
                return Self::Late;
            }
            cause = error.source();
        }
        Self::Broken
    }

    /// The status that tells the client.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// The body of an answer.
#[derive(Debug, Default)]
pub enum Body {
    /// No content. An answer to HEAD has this, with the `Content-Length` that GET would have.
    #[default]
    Empty,
    /// All of the content, until it has been taken.
    Full(Option<Bytes>),
    /// A part of a file.
    File(FilePart),
    /// What comes from elsewhere, as it comes.
    Stream(UnsyncBoxBody<Bytes, io::Error>),
}

impl Body {
    /// No content.
    pub fn empty() -> Self {
        Self::Empty
    }

    /// All that `body` gives, its trailer section too, as fast as the client takes it. Its error cuts the connection: the client must not take
    /// less for all.
    ///
    /// If its length is not known, `Content-Length` among the answer's fields is; and if that is not either, the answer ends as the client's
    /// version of HTTP lets it. A known length and the field must agree. Trailer fields go to clients that have said `TE: trailers`, if the
    /// answer's `Trailer` names them.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        Self::Stream(body.map_err(io::Error::other).boxed_unsync())
    }

    /// `length` bytes of `file` from `offset` on.
    pub fn file(file: File, offset: u64, length: u64) -> Self {
        Self::of_file(file, offset, length, None)
    }

    /// The same of a file that must stay what it `is`, as its metadata tell after each piece was read: if it does not, the body ends with
    /// an error.
    pub fn lasting_file(
        file: File,
        offset: u64,
        length: u64,
        is: impl Fn(&Metadata) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::of_file(file, offset, length, Some(Lasting(Arc::new(is))))
    }

    fn of_file(file: File, offset: u64, length: u64, lasting: Option<Lasting>) -> Self {
        let (file, end) = (Arc::new(file), offset + length);
        Self::File(FilePart { file, lasting, unread: offset, end, left: length, reading: None })
    }
}

impl From<Bytes> for Body {
    fn from(content: Bytes) -> Self {
        if content.is_empty() { Self::Empty } else { Self::Full(Some(content)) }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let chunk = match self.get_mut() {
            Self::Empty => None,
            Self::Full(content) => content.take().map(Ok),
            Self::File(part) => ready!(part.poll_chunk(cx)),
            Self::Stream(body) => return Pin::new(body).poll_frame(cx),
        };
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(content) => content.as_ref().is_none_or(Bytes::is_empty),
            Self::File(part) => part.left == 0,
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Empty => 0,
            Self::Full(content) => content.as_ref().map_or(0, |content| content.len() as u64),
            Self::File(part) => part.left,
            Self::Stream(body) => return body.size_hint(),
        })
    }
}

/// A part of an open file, read by threads that may block, one chunk ahead of the connection.
///
/// A file that got shorter meanwhile is an error, by which the connection is cut: the client was promised a length and must not
/// take less for all.
#[derive(Debug)]
pub struct FilePart {
    file: Arc<File>,
    lasting: Option<Lasting>,
    /// Where the next chunk to be read begins.
    unread: u64,
    /// Where the part ends.
    end: u64,
    /// How many bytes have not been given to the connection.
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

/// Whether a file is still what it was, by its metadata.
#[derive(Clone)]
struct Lasting(Arc<dyn Fn(&Metadata) -> bool + Send + Sync>);

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lasting")
    }
}

impl FilePart {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.read_ahead();
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|stopped| Err(stopped.into()));
        self.reading = None;
        match &read {
            Ok(chunk) => {
                self.left -= chunk.len() as u64;
                self.read_ahead();
            }
            // Nothing can follow.
            Err(_) => self.unread = self.end,
        }
        Poll::Ready(Some(read))
    }

    /// Begins to read the next chunk, unless one is being read or there is none.
    fn read_ahead(&mut self) {
        let length = CHUNK.min(self.end - self.unread);
        if self.reading.is_some() || length == 0 {
            return;
        }
        let (file, lasting, offset) = (Arc::clone(&self.file), self.lasting.clone(), self.unread);
        self.unread += length;
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; usize::try_from(length).unwrap_or_default()];
            file.read_exact_at(&mut chunk, offset)?;
            match &lasting {
                Some(Lasting(is)) if !is(&file.metadata()?) => {
                    Err(io::Error::other("the file changed while it was sent"))
                }
                _ => Ok(chunk.into()),
            }
        }));
    }
}

impl Drop for FilePart {
    fn drop(&mut self) {
        // A read that waits for its thread need not happen any more.
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt;
    use std::io::Write;

    /// An open file of `content` that has no name.
    fn file(content: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("siteserver-body-{}-{:p}", std::process::id(), content));
        std::fs::write(&path, content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
    }

    #[tokio::test]
    async fn what_is_in_memory_is_sent_as_it_is() {
        let body = Body::from(Bytes::from_static(b"content"));
        assert_eq!(body.size_hint().exact(), Some(7));
        assert!(!body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "content");
        for body in [Body::empty(), Body::from(Bytes::new()), Body::Full(None)] {
            assert!(body.is_end_stream());
            assert_eq!(body.size_hint().exact(), Some(0));
            assert!(body.collect().await.unwrap().to_bytes().is_empty());
        }
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_sent_in_order_and_to_the_byte() {
        let content = pattern(200_000);
        for (offset, length) in [(0, 200_000), (0, 0), (1, 65_536), (65_535, 65_538), (199_999, 1), (200_000, 0)] {
            let mut body = Body::file(file(&content), offset, length);
            let mut sent = Vec::new();
            while let Some(frame) = body.frame().await {
                sent.extend_from_slice(&frame.unwrap().into_data().unwrap());
                assert_eq!(body.size_hint().exact(), Some(length - sent.len() as u64));
            }
            assert!(body.is_end_stream());
            let start = usize::try_from(offset).unwrap();
            assert!(sent == content[start..start + usize::try_from(length).unwrap()], "{offset} {length}");
        }
    }

    #[tokio::test]
    async fn a_file_that_got_shorter_is_an_error_and_not_an_end() {
        let mut shrinking = file(&pattern(300_000));
        shrinking.flush().unwrap();
        let mut body = Body::file(shrinking.try_clone().unwrap(), 0, 300_000);
        assert!(body.frame().await.unwrap().is_ok());
        shrinking.set_len(150_000).unwrap();
        let mut last = Ok(());
        while let Some(frame) = body.frame().await {
            last = frame.map(|_| ());
        }
        assert_eq!(last.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(!body.is_end_stream());
    }
}
