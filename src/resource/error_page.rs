//! Error pages: rendered at load, so that no failure can make them fail; only the request's id is added when one is sent.

use super::PolicyField;
use crate::config::Tripwire;
use crate::diagnostic::FileId;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode};

/// One error page, ready but for the id.
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// The status it is for.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: HeaderValue,
    /// The policy it is sent with, if any is.
    pub csp: Option<PolicyField>,
    /// The layouts and partials that it was rendered from.
    pub files: Box<[FileId]>,
    /// The page cut at every place where the id goes.
    parts: Vec<Bytes>,
}

/// Stands for the id while a page is rendered: no author writes this by chance.
pub const ID_MARK: &str = "siteserver-id-7b0c52a3e96d4f18";

impl ErrorPage {
    /// A page whose text holds [`ID_MARK`] where the id goes.
    pub fn new(status: StatusCode, content_type: HeaderValue, text: &str) -> Self {
        let parts = text.split(ID_MARK).map(|part| Bytes::copy_from_slice(part.as_bytes())).collect();
        Self { status, content_type, csp: None, files: Box::default(), parts }
    }

    /// The same page, which was rendered from `files`.
    #[must_use]
    pub fn made_of(self, files: &[FileId]) -> Self {
        Self { files: files.into(), ..self }
    }

    /// The page that we show when the site declares none.
    pub fn plain(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>Error {}, request {ID_MARK}</p>\n</html>\n",
            status.as_u16()
        );
        let page = Self::new(status, HeaderValue::from_static("text/html; charset=utf-8"), &text);
        Self { csp: Some(PolicyField::strict()), ..page }
    }

    /// Whether it holds a secret, and must not be sent.
    pub fn holds_secret(&self, tripwire: &Tripwire) -> bool {
        self.parts.iter().any(|part| tripwire.find(part).is_some())
    }

    /// The page for the request called `id`, which must hold nothing that needs escaping.
    pub fn with_id(&self, id: &str) -> Bytes {
        if let [only] = self.parts.as_slice() {
            return only.clone();
        }
        let mut page = BytesMut::new();
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                page.extend_from_slice(id.as_bytes());
            }
            page.extend_from_slice(part);
        }
        page.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_goes_wherever_the_page_wants_it() {
        let page = ErrorPage::new(
            StatusCode::NOT_FOUND,
            HeaderValue::from_static("text/html"),
            &format!("a{ID_MARK}b{ID_MARK}"),
        );
        assert_eq!(page.with_id("42"), "a42b42");
        assert!(ErrorPage::plain(StatusCode::BAD_GATEWAY).with_id("42").windows(2).any(|bytes| bytes == b"42"));
    }
}
