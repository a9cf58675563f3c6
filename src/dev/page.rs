//! Pages with development's script in them: which requests ask for one, what is changed in the question, and what in the answer.
//!
//! The script goes into what `serve` would have sent, uncoded and whole. So a request for a page is asked without codings, conditions and
//! ranges: what a browser has kept of the page was another one, or is stale. The answer is kept by nobody and has no validator. Its store is
//! that of `serve`, which knows nothing of it.

use super::PREFIX;
use super::policy::{self, Allowed};
use crate::fields::MediaType;
use crate::handler::Body;
use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A longer page is passed on as it comes, with the script at its end.
const LONGEST: u64 = 16 << 20;

/// The names of encodings in which a browser reads the letters of the script's element as others, or as none (Encoding, section 4.2).
const NOT_ASCII: [&str; 14] = [
    "utf-16",
    "utf-16le",
    "utf-16be",
    "ucs-2",
    "iso-10646-ucs-2",
    "unicode",
    "unicodefeff",
    "unicodefffe",
    "csunicode",
    "replacement",
    "hz-gb-2312",
    "iso-2022-kr",
    "csiso2022kr",
    "iso-2022-cn",
];

/// What makes an answer another than the whole page.
const CONDITIONS: [HeaderName; 6] = [
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// The script's element.
#[derive(Debug, Clone)]
pub(super) struct Tag<'t> {
    /// The request that the page answers.
    pub(super) request: String,
    /// The version of the site that answers it.
    pub(super) version: &'t str,
    /// How many edits of style sheets alone there were in that version.
    pub(super) styles: u64,
    /// The host that was asked.
    pub(super) host: &'t str,
    /// Whether the page can be asked for again without sending anything.
    pub(super) is_asked: bool,
}

impl Tag<'_> {
    fn element(&self, has_nonce: bool) -> String {
        let Self { request, version, styles, is_asked, .. } = self;
        let sent = if *is_asked { "" } else { " data-sent" };
        let nonce = if has_nonce { format!(" nonce=\"{request}\"") } else { String::new() };
        format!(
            "<script src=\"{PREFIX}dev.js\" defer{nonce} data-request=\"{request}\" data-version=\"{version}\" data-styles=\"{styles}\"{sent}></script>"
        )
    }

    /// The address of something of development's own, for a policy; none where the host is an address of IPv6, which cannot be written in one.
    fn address(&self, name: &str) -> Option<String> {
        (!self.host.contains('[')).then(|| format!("http://{}{PREFIX}{name}", self.host))
    }
}

/// Whether a browser, or whoever takes anything, may show the answer as a page. What scripts fetch, and what stands within pages, is left
/// as it is.
pub(super) fn is_wanted(request: &Parts) -> bool {
    let fields = &request.headers;
    match fields.get("sec-fetch-dest").map(HeaderValue::as_bytes) {
        Some(destination) => destination == b"document",
        None => !fields.contains_key(header::UPGRADE) && accepts(fields, "*/*"),
    }
}

/// Whether HTML is asked for by name.
pub(super) fn wants_html(request: &Parts) -> bool {
    let fields = &request.headers;
    fields.contains_key(header::ACCEPT) && accepts(fields, "")
}

fn accepts(fields: &HeaderMap, anything: &str) -> bool {
    let mut lines = fields.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).peekable();
    let ranges = |line: &str| -> Vec<String> {
        line.split(',').map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()).collect()
    };
    lines.peek().is_none() || lines.flat_map(ranges).any(|range| range == "text/html" || range == anything)
}

/// The request without what would make its answer another than the whole page, uncoded.
pub(super) fn asked(request: &Parts) -> Parts {
    let mut asked = request.clone();
    asked.headers.remove(header::ACCEPT_ENCODING);
    // Of anything but a page a part is a part: only who asks for HTML by name is taken to mean one.
    let is_for_page = asked.headers.contains_key("sec-fetch-dest") || wants_html(request);
    if is_for_page && matches!(request.method, Method::GET | Method::HEAD) {
        for name in &CONDITIONS {
            asked.headers.remove(name);
        }
    }
    asked
}

/// Whether an answer is a page of HTML, whole and uncoded, in which letters are bytes of ASCII.
pub(super) fn is_page(response: &Response<Body>) -> bool {
    let fields = response.headers();
    let content_type = fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_html = content_type.and_then(MediaType::parse).is_some_and(|content_type| {
        let charset = content_type.parameter("charset").unwrap_or_default();
        content_type.is("text/html") && !NOT_ASCII.iter().any(|name| charset.trim().eq_ignore_ascii_case(name))
    });
    let is_whole =
        !matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT | StatusCode::NO_CONTENT);
    // What is saved is not looked at.
    let disposition = fields.get(header::CONTENT_DISPOSITION).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_saved = disposition.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"attachment"));
    let is_coded = fields.contains_key(header::CONTENT_ENCODING);
    is_html && is_whole && !is_saved && !is_coded && !response.status().is_informational()
}

/// The page with the script in it.
pub(super) async fn dress(response: Response<Body>, tag: &Tag<'_>, is_head: bool) -> Response<Body> {
    let is_short = http_body::Body::size_hint(response.body()).exact().is_some_and(|length| length <= LONGEST);
    let (mut head, mut body) = response.into_parts();
    if is_short && !is_head {
        let page = match body.collect().await {
            Ok(page) => page.to_bytes(),
            Err(error) => {
                tracing::warn!(%error, "a page broke off");
                return Response::from_parts(head, Body::stream(Broken(Some(error))));
            }
        };
        if is_of_wide_letters(&page) {
            return Response::from_parts(head, Body::from(page));
        }
        body = Body::from(page);
    }
    let has_nonce = amend(&mut head.headers, tag);
    let element = tag.element(has_nonce);
    let length = head.headers.remove(header::CONTENT_LENGTH);
    if is_head {
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if let Some(length) = length {
            head.headers.insert(header::CONTENT_LENGTH, (length + element.len() as u64).into());
        }
        return Response::from_parts(head, body);
    }
    if !is_short {
        let followed = Followed { body, last: Some(element.into()), has_begun: false };
        return Response::from_parts(head, Body::stream(followed));
    }
    match body.collect().await {
        Ok(page) => Response::from_parts(head, Body::from(with(&page.to_bytes(), &element))),
        Err(error) => {
            tracing::warn!(%error, "a page broke off");
            Response::from_parts(head, Body::stream(Broken(Some(error))))
        }
    }
}

/// Changes the fields of a page that gets the script; whether that needs a nonce.
fn amend(fields: &mut HeaderMap, tag: &Tag<'_>) -> bool {
    let mut has_nonce = false;
    let (script, connections) = (tag.address("dev.js"), tag.address(""));
    let allowed = Allowed { script: script.as_deref(), connections: connections.as_deref(), nonce: &tag.request };
    for name in [header::CONTENT_SECURITY_POLICY, header::CONTENT_SECURITY_POLICY_REPORT_ONLY] {
        let written: Vec<String> =
            fields.get_all(&name).iter().filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect();
        if written.is_empty() {
            continue;
        }
        fields.remove(&name);
        for policy in written {
            has_nonce |= policy::needs_nonce(&policy, allowed);
            let amended = policy::amend(&policy, allowed);
            if let Ok(value) = HeaderValue::from_str(&amended) {
                fields.append(name.clone(), value);
            }
        }
    }
    // All of this is said of the page without it.
    for name in ["etag", "last-modified", "accept-ranges", "content-digest", "repr-digest", "digest", "content-md5"] {
        fields.remove(name);
    }
    fields.remove("cdn-cache-control");
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    has_nonce
}

/// Whether a page begins with the mark of UTF-16, which counts more than what is said of it (HTML, section 13.2.3.2).
fn is_of_wide_letters(page: &[u8]) -> bool {
    page.starts_with(b"\xfe\xff") || page.starts_with(b"\xff\xfe")
}

/// The page with the element where its head begins.
fn with(page: &Bytes, element: &str) -> Bytes {
    let (before, after) = page.split_at_checked(beginning(page)).unwrap_or((page, &[]));
    let mut whole = BytesMut::with_capacity(page.len() + element.len());
    for part in [before, element.as_bytes(), after] {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}

/// The end of the start tag of `head`, or else of `html`, or else of the document type; or else where the first thing begins that is neither
/// space nor a comment, which is where browsers begin the head. A document type behind that would be none: the page is in the same mode as
/// before.
fn beginning(page: &[u8]) -> usize {
    let mut at = if page.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut best = None;
    loop {
        let Some(rest) = page.get(at..).map(<[u8]>::trim_ascii_start) else { return best.unwrap_or(page.len()) };
        let start = page.len() - rest.len();
        let end = |length: Option<usize>| length.map(|length| start + length);
        let next = if rest.starts_with(b"<!--") {
            end(end_of_comment(rest))
        } else if is_tag(rest, "head") {
            return end(end_of_tag(rest)).or(best).unwrap_or(start);
        } else if is_tag(rest, "html") || is_tag(rest, "!doctype") {
            let end = end(end_of_tag(rest));
            best = end.or(best);
            end
        } else if rest.starts_with(b"<!") || rest.starts_with(b"<?") {
            // What is no comment either, and read as one.
            end(memchr::memchr(b'>', rest).map(|last| last + 1))
        } else {
            None
        };
        match next {
            Some(next) => at = next,
            None => return best.unwrap_or(start),
        }
    }
}

/// The byte after a comment.
fn end_of_comment(text: &[u8]) -> Option<usize> {
    // `<!-->` is a whole one, and so is one that ends in `--!>`.
    let inner = text.get(2..)?;
    let ends = [&b"-->"[..], b"--!>"].map(|last| memchr::memmem::find(inner, last).map(|at| 2 + at + last.len()));
    ends.into_iter().flatten().min()
}

fn is_tag(text: &[u8], name: &str) -> bool {
    let Some((begin, after)) = text.get(1..).and_then(|text| text.split_at_checked(name.len())) else { return false };
    let ends = after.first().is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    begin.eq_ignore_ascii_case(name.as_bytes()) && ends
}

/// The byte after a tag, in whose attributes `>` may stand in quotes.
fn end_of_tag(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

/// A body, and a few bytes behind it.
struct Followed {
    body: Body,
    last: Option<Bytes>,
    has_begun: bool,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_trailers() => match this.last.take() {
                // They speak of what came before.
                Some(last) => Poll::Ready(Some(Ok(Frame::data(last)))),
                None => Poll::Ready(Some(Ok(frame))),
            },
            Some(frame) => {
                let begins = frame.as_ref().ok().and_then(Frame::data_ref).filter(|_| !this.has_begun);
                if let Some(begins) = begins {
                    this.has_begun = true;
                    this.last.take_if(|_| is_of_wide_letters(begins));
                }
                Poll::Ready(Some(frame))
            }
            None => Poll::Ready(this.last.take().map(|last| Ok(Frame::data(last)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A body that breaks off at once: its client must not take what came for all.
struct Broken(Option<io::Error>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.get_mut().0.take().map(Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn the_script_stands_where_the_head_begins() {
        for (page, expected) in [
            ("<!doctype html><html lang=\"a>b\"><head>\n<title>", "<!doctype html><html lang=\"a>b\"><head>@\n<title>"),
            ("<HTML><HEAD data-x='>'><title>", "<HTML><HEAD data-x='>'>@<title>"),
            ("<!-- <head> --><!DOCTYPE html>\n<head/><p>", "<!-- <head> --><!DOCTYPE html>\n<head/>@<p>"),
            ("<!doctype html><title>x</title><head>", "<!doctype html>@<title>x</title><head>"),
            ("<html><header><head>", "<html>@<header><head>"),
            ("<p>a fragment", "@<p>a fragment"),
            ("\u{feff} <!-- <p> -->\n<p>a fragment", "\u{feff} <!-- <p> -->\n@<p>a fragment"),
            ("a < b <!doctype html><head>", "@a < b <!doctype html><head>"),
            ("<frameset><frame>", "@<frameset><frame>"),
            ("</p><!doctype html><head>", "@</p><!doctype html><head>"),
            ("<!doctype html>text<head>", "<!doctype html>@text<head>"),
            // What is read as a comment stands before the document type without changing what it means.
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE html><title>", "<?xml version=\"1.0\"?>\n<!DOCTYPE html>@<title>"),
            (
                "<!--><!---><!-- --!><!ELEMENT a><!doctype html><p>",
                "<!--><!---><!-- --!><!ELEMENT a><!doctype html>@<p>",
            ),
            ("", "@"),
            (" \n", " \n@"),
            ("<!-- <head>", "@<!-- <head>"),
            ("<!doctype html><head", "<!doctype html>@<head"),
            ("<html", "@<html"),
        ] {
            let page = with(&Bytes::from_static(page.as_bytes()), "@");
            assert_eq!(std::str::from_utf8(&page).unwrap(), expected);
        }
    }

    #[test]
    fn pages_are_asked_for_by_their_destination_or_by_their_type() {
        for (fields, is_wanted, is_html) in [
            (&[][..], true, false),
            (&[("accept", "*/*")][..], true, false),
            (&[("accept", "application/xhtml+xml, Text/HTML;q=0.9")], true, true),
            (&[("accept", "application/json")], false, false),
            (&[("accept", "*/*"), ("sec-fetch-dest", "empty")], false, false),
            (&[("accept", "text/html"), ("sec-fetch-dest", "empty")], false, true),
            (&[("accept", "text/html"), ("sec-fetch-dest", "iframe")], false, true),
            (&[("upgrade", "websocket")], false, false),
        ] {
            let mut request = Request::builder();
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let request = request.body(()).unwrap().into_parts().0;
            assert_eq!(super::is_wanted(&request), is_wanted, "{fields:?}");
            assert_eq!(wants_html(&request), is_html, "{fields:?}");
        }
    }

    #[test]
    fn letters_that_are_no_bytes_of_ascii_are_left_alone() {
        for (content_type, expected) in [
            ("text/html", true),
            ("text/html; charset=utf-8", true),
            ("text/html; charset=\"Shift_JIS\"", true),
            ("text/html; charset=UTF-16", false),
            ("text/html;charset=\"utf-16be\"", false),
            ("text/html; charset=replacement", false),
        ] {
            let response = Response::builder().header("content-type", content_type).body(Body::empty()).unwrap();
            assert_eq!(is_page(&response), expected, "{content_type}");
        }
        assert!(
            is_of_wide_letters(b"\xff\xfe<\0")
                && is_of_wide_letters(b"\xfe\xff\0<")
                && !is_of_wide_letters(b"\xef\xbb\xbf<")
        );
    }

    #[test]
    fn an_address_of_ipv6_cannot_stand_in_a_policy() {
        let tag = |host| Tag { request: String::new(), version: "", styles: 0, host, is_asked: true };
        assert_eq!(tag("[::1]:4000").address("dev.js"), None);
        assert_eq!(tag("shop.localhost:4000").address("").as_deref(), Some("http://shop.localhost:4000/_siteserver/"));
    }
}
