//! What is answered while there is no sound site at all: a page that shows what is wrong, and becomes the site when that is mended.

use super::PREFIX;
use super::state::State;
use crate::handler::Body;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::Value;

/// It runs the script and shows nothing that is not its own.
const POLICY: &str = "default-src 'none'; script-src-elem 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The answer to any request; in text for who reads no HTML.
pub(super) fn response(state: &State, is_html: bool) -> Response<Body> {
    let State { version, drawn, text, .. } = state;
    let (content_type, content) = if is_html {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>The site is not served</title>\n\
             <script src=\"{PREFIX}dev.js\" defer data-version=\"{version}\"></script>\n</head>\n<body>\n\
             <h1>The site is not served</h1>\n<p>It has errors, and there is no good one from before. Mend them: this page notices.</p>\n\
             {}</body>\n</html>\n",
            shown(text)
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

/// The findings of a state, as they are told to the browser, in HTML.
fn shown(state: &str) -> String {
    let state: Value = serde_json::from_str(state).unwrap_or_default();
    let findings = state["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().map(finding).collect()
}

fn finding(finding: &Value) -> String {
    // One that is withheld is a text.
    if let Some(text) = finding.as_str() {
        return format!("<p>{}</p>\n", escaped(text));
    }
    let text = |name: &str| finding[name].as_str().unwrap_or_default();
    let head = format!("<h2>{}: {}</h2>\n", escaped(text("level")), worded(text("message")));
    let at = located(&finding["place"], &finding["lines"], &escaped(text("code")));
    let related = finding["related"].as_array().into_iter().flatten().map(|related| {
        let message = worded(related["message"].as_str().unwrap_or_default());
        located(&related["place"], &related["lines"], &message)
    });
    let help = finding["help"].as_str().map(|help| format!("<p>Help: {}</p>\n", worded(help)));
    [head, at].into_iter().chain(related).chain(help).collect()
}

/// Where something is, `what` it is, and the lines there.
fn located(place: &Value, lines: &Value, what: &str) -> String {
    let Some(file) = place["file"].as_str() else { return format!("<p>{what}</p>\n") };
    let lines = lines.as_array().into_iter().flatten().map(|line| {
        let part = |at: usize| escaped(line[at].as_str().unwrap_or_default());
        let marked = if part(2).is_empty() { String::new() } else { format!("<mark>{}</mark>", part(2)) };
        format!("{:>5}  {}{marked}{}\n", line[0].to_string(), part(1), part(3))
    });
    let lines: String = lines.collect();
    format!("<p>{}:{}:{}: {what}</p>\n<pre>{lines}</pre>\n", escaped(file), place["line"], place["column"])
}

/// A phrase in HTML: what stands in backticks is the author's.
fn worded(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let shown = parts.iter().enumerate().map(|(at, part)| match (at % 2, at == last) {
        (1, false) => format!("<code>{}</code>", escaped(part)),
        // One without its other.
        (1, true) => format!("`{}", escaped(part)),
        _ => escaped(part),
    });
    shown.collect()
}

/// Text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_backticks_is_code_and_nothing_is_markup() {
        for (text, expected) in [
            ("", ""),
            ("no `<b>` & no `c`", "no <code>&lt;b&gt;</code> &amp; no <code>c</code>"),
            ("a ` alone", "a ` alone"),
            ("`a` and ` alone <b>", "<code>a</code> and ` alone &lt;b&gt;"),
        ] {
            assert_eq!(worded(text), expected);
        }
    }
}
