//! What is answered while there is no sound site at all: a page that shows what is wrong, and becomes the site when that is mended.

use super::PREFIX;
use super::state::State;
use crate::handler::Body;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// It runs the script and shows nothing that is not its own.
const POLICY: &str = "default-src 'none'; script-src-elem 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The answer to any request; in text for who reads no HTML.
pub(super) fn response(state: &State, is_html: bool) -> Response<Body> {
    let State { version, drawn, .. } = state;
    let (content_type, content) = if is_html {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>The site is not served</title>\n\
             <script src=\"{PREFIX}dev.js\" defer data-version=\"{version}\"></script>\n</head>\n<body>\n\
             <h1>The site is not served</h1>\n<p>It has errors, and there is no good one from before. Mend them: this page notices.</p>\n\
             <pre>{}</pre>\n</body>\n</html>\n",
            escaped(drawn)
        );
        ("text/html; charset=utf-8", page)
    } else {
        ("text/plain; charset=utf-8", format!("The site is not served: it has errors.\n\n{drawn}\n"))
    };
    let mut response = Response::new(Body::from(Bytes::from(content)));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let fields = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
