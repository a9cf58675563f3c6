//! What people send: the body of a request, read, judged and taken apart into named texts and files, or into one JSON value.
//!
//! [`Form`] and [`read_json`] are the doors. Everything is bounded before it is kept, and read strictly: what two readers could understand
//! differently is refused. Whatever stands in a body is data, and nothing else: the name of a file names no file here.
//!
//! Files go to a file without a name, so that nothing is left of them whatever becomes of the request or of the process. Which fields there
//! are, the caller says; what their values mean is the business of the floors above.

mod disposition;
mod file;
mod form;
mod json;
mod multipart;
mod refusal;
mod urlencoded;

#[cfg(test)]
mod tests;

pub use file::{Content, UploadedFile};
pub use form::{Accepts, Entry, Form, FormFormat, Limits};
pub use json::read_json;
pub use refusal::{ReadError, Refusal};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;
use std::error::Error;
use std::pin::Pin;

/// A body of which no more than so many octets are taken.
struct Bounded<B> {
    body: Pin<Box<B>>,
    left: u64,
    most: u64,
}

impl<B> Bounded<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    /// `body`, unless it says itself that it is longer.
    fn new(body: B, most: u64) -> Result<Self, Refusal> {
        if body.size_hint().lower() > most {
            return Err(Refusal::TooLarge { most });
        }
        Ok(Self { body: Box::pin(body), left: most, most })
    }

    /// What comes next; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| ReadError::Broken(error.into()))?;
            // A trailer section says nothing that anybody has asked for.
            let Ok(data) = frame.into_data() else { continue };
            self.left = (self.left.checked_sub(data.len() as u64)).ok_or(Refusal::TooLarge { most: self.most })?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// All of it.
    async fn all(mut self) -> Result<Vec<u8>, ReadError> {
        let mut whole = Vec::new();
        while let Some(data) = self.next().await? {
            whole.extend_from_slice(&data);
        }
        Ok(whole)
    }
}
