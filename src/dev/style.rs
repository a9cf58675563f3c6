//! Style sheets of the site: no browser keeps one.
//!
//! An edited sheet is exchanged in the page that is open. Another page that links it, or the same one when the author comes back to it, would
//! take what the browser has kept of the old one: for as long as the site lets it, which for a name with a version is a year.
//!
//! It must not know what was edited.

use crate::fields::MediaType;
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

/// The answer, to be kept by nobody if it is for a style sheet; also one that says that what the browser has kept is still right.
pub(super) fn unkept<B>(request: &Parts, mut response: Response<B>) -> Response<B> {
    if is_wanted(request) || is_sheet(response.headers()) {
        let fields = response.headers_mut();
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.remove(HeaderName::from_static("cdn-cache-control"));
    }
    response
}

fn is_wanted(request: &Parts) -> bool {
    request.headers.get("sec-fetch-dest").is_some_and(|destination| destination == "style")
}

fn is_sheet(fields: &HeaderMap) -> bool {
    let content_type = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(MediaType::parse).is_some_and(|content_type| content_type.is("text/css"))
}
