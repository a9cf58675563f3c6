//! The answer to a call before its body is read, from either of the clients: the library's, or ours for upstreams with several addresses.

use super::forward::Received;
use super::{Failure, Part};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;

/// A head, and a body to come.
pub(super) enum Reply {
    /// Of the library's client.
    Library(reqwest::Response),
    /// Of an exchange of ours.
    Forwarded(Response<Received>),
}

impl Reply {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Library(response) => response.status(),
            Self::Forwarded(response) => response.status(),
        }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Library(response) => response.headers(),
            Self::Forwarded(response) => response.headers(),
        }
    }

    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        match self {
            Self::Library(response) => response.headers_mut(),
            Self::Forwarded(response) => response.headers_mut(),
        }
    }

    /// How long the body is, as far as it is known.
    pub(super) fn content_length(&self) -> Option<u64> {
        match self {
            Self::Library(response) => response.content_length(),
            Self::Forwarded(response) => http_body::Body::size_hint(response.body()).exact(),
        }
    }

    /// The next piece of the body.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Library(response) => response.chunk().await.map_err(|error| Failure::from_client(&error, Part::Body)),
            Self::Forwarded(response) => loop {
                let Some(frame) = response.body_mut().frame().await else { return Ok(None) };
                // Trailers are of no use to a source.
                if let Ok(data) = frame?.into_data() {
                    return Ok(Some(data));
                }
            },
        }
    }
}
