//! Writing a value as a part of a URL within quotes (RFC 3986, section 3; WHATWG URL).
//!
//! Which part it is the layout says; where a value stands behind another one, what was printed before tells.

use super::super::context::{RUNNING, WITH_HOSTS};
use super::replace::{Url, replace};
use super::{Buffer, Origin, escape};
use std::borrow::Cow;

/// Which part of a URL a value is (RFC 3986, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum UrlPart {
    /// The whole, or the beginning, where a scheme could be given.
    Start,
    /// What its parts are is not known, but it gives no scheme.
    Rest,
    /// A piece of the path after the slash it begins with, where another slash would begin a host.
    Root,
    /// A piece of the path.
    Path,
    /// A piece of the path of a script: a name, which leads nowhere else.
    Name,
    /// A piece of the query or of the fragment.
    Query,
    /// The same, encoded already.
    Encoded,
    /// A name of a host, or the beginning of one.
    Host,
    /// What stands behind a host: a port is not, nor more of the name.
    BehindHost,
    /// The number of a port.
    Port,
    /// A piece of a URL that has no host, as an address of mail.
    Opaque,
    /// A piece of the path, unless a value before it has begun the query.
    Piece,
    /// What follows a value: which part that is, only the page tells.
    Next,
}

impl UrlPart {
    /// The same in the address of a script.
    pub(in super::super) fn of_script(self) -> Self {
        if matches!(self, Self::Path | Self::Piece) { Self::Name } else { self }
    }
}

/// What stands for a URL whose scheme could run code.
pub(super) const BLOCKED: &str = "#blocked";

/// Schemes that a link from data may have. Anything without a scheme is relative, and fine.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "sms"];

/// A whole URL that comes from outside.
pub(super) fn link(text: &str, out: &mut Buffer) {
    if is_safe(text) { replace::<Url>(text, out) } else { out.push_str(BLOCKED) }
}

/// A part of a URL: characters, and no markup. What the authors of the site have written may be several pieces of a query.
pub(super) fn url(text: &str, part: UrlPart, origin: Origin, out: &mut Buffer) {
    match part {
        UrlPart::Start => link(text, out),
        UrlPart::Rest => replace::<Url>(text, out),
        UrlPart::Root => path(text, matches!(so_far(out), SoFar::Nothing | SoFar::Root | SoFar::Host), out),
        UrlPart::Path => path(text, false, out),
        // The authors may write several.
        UrlPart::Name if origin == Origin::Authored => path(text, false, out),
        UrlPart::Name => name(text, out),
        UrlPart::Query | UrlPart::Encoded if origin == Origin::Authored => replace::<Url>(text, out),
        // The authors may write a whole URL in pieces.
        UrlPart::Host | UrlPart::Port if origin == Origin::Authored => replace::<Url>(text, out),
        UrlPart::Query => percent_encode(text, b"", "%20", out),
        // `+` is a space there.
        UrlPart::Encoded => percent_encode_but(text, |byte| b"-_.~+%".contains(&byte), out),
        UrlPart::Host => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~:[]".contains(&byte), out),
        UrlPart::BehindHost => behind_host(text, out),
        UrlPart::Port if text.starts_with(['/', '\\', '?', '#']) => behind_host(text, out),
        UrlPart::Port => percent_encode_but(text, |_| false, out),
        UrlPart::Opaque => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~!$'()*+,;=:@/%".contains(&byte), out),
        UrlPart::Piece => match so_far(out) {
            SoFar::Query => url(text, UrlPart::Query, origin, out),
            SoFar::Root | SoFar::Host => path(text, true, out),
            SoFar::Nothing | SoFar::Scheme | SoFar::Opaque | SoFar::Named | SoFar::Path => path(text, false, out),
            SoFar::Runs => {}
        },
        UrlPart::Next => {
            let part = match so_far(out) {
                SoFar::Nothing | SoFar::Scheme => UrlPart::Start,
                SoFar::Opaque => UrlPart::Opaque,
                SoFar::Root => UrlPart::Root,
                SoFar::Host => UrlPart::Host,
                SoFar::Named => UrlPart::BehindHost,
                SoFar::Path => UrlPart::Rest,
                SoFar::Query => UrlPart::Query,
                SoFar::Runs => return,
            };
            url(text, part, origin, out);
        }
    }
}

/// How far a URL has come, as it was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SoFar {
    Nothing,
    /// What could still be a scheme, or a path that is relative.
    Scheme,
    /// Behind a scheme that has no host.
    Opaque,
    /// Behind a scheme that runs code: nothing is printed there.
    Runs,
    /// No more than a slash.
    Root,
    /// The slashes in front of a host.
    Host,
    /// Within the name of a host, or at its end.
    Named,
    Path,
    Query,
}

/// How far the URL has come whose attribute `out` ends in. No value holds a quote here, and no literal of a URL that asks does.
fn so_far(out: &Buffer) -> SoFar {
    let start = memchr::memrchr2(b'"', b'\'', out.as_bytes()).map_or(0, |quote| quote + 1);
    let url = out.since(start).unwrap_or("");
    let url = without_delay(url).trim_start_matches(|character: char| character <= ' ');
    let is_slash = |character: char| matches!(character, '/' | '\\');
    if url.contains(['?', '#']) {
        return SoFar::Query;
    }
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest)) if !scheme.contains(is_slash) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), url),
    };
    let name = rest.trim_start_matches(is_slash);
    let slashes = rest.len() - name.len();
    match (scheme.as_str(), slashes) {
        _ if url.is_empty() => SoFar::Nothing,
        ("", 0) if !name.contains(is_slash) => SoFar::Scheme,
        ("", 1) if name.is_empty() => SoFar::Root,
        ("", 0 | 1) => SoFar::Path,
        (scheme, _) if RUNNING.contains(&scheme) => SoFar::Runs,
        (scheme, _) if !scheme.is_empty() && !WITH_HOSTS.contains(&scheme) => SoFar::Opaque,
        _ if name.contains(is_slash) => SoFar::Path,
        _ if name.is_empty() => SoFar::Host,
        _ => SoFar::Named,
    }
}

/// The URL in the `content` of a `<meta>`, which may have a delay before it.
fn without_delay(content: &str) -> &str {
    let is_delay = |before: &str| before.bytes().all(|byte| b"0123456789.;, ".contains(&byte));
    let word = content.to_ascii_lowercase().find("url=");
    word.filter(|at| content.get(..*at).is_some_and(is_delay)).map_or(content, |at| content.get(at + 4..).unwrap_or(""))
}

/// What stands behind the name of a host that the layout has written: more of the name it cannot be.
fn behind_host(text: &str, out: &mut Buffer) {
    if !text.is_empty() && !text.starts_with(['/', '\\', '?', '#']) {
        out.push_ascii(b'/');
    }
    replace::<Url>(text, out);
}

/// Percent-encodes everything but ASCII letters, digits and what is `kept`. An escape that is there already is one if its sign is kept.
fn percent_encode_but(text: &str, kept: impl Fn(u8) -> bool, out: &mut Buffer) {
    let mut from = 0;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || (kept(byte) && (byte != b'%' || is_escape(text.as_bytes(), at)));
        if !stays || byte == b'\'' {
            out.push_str(text.get(from..at).unwrap_or(""));
            percent(byte, out);
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or(""));
}

/// The characters that markup shows, its tags among them: what our escaping wrote as character references, and those by number.
/// No others need to be known: in a URL the `&` of what is left over is one.
pub(super) fn characters(markup: &str) -> Cow<'_, str> {
    const NAMES: [(&str, char); 6] =
        [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\''), ("&nbsp;", '\u{a0}')];
    if !markup.contains('&') {
        return Cow::Borrowed(markup);
    }
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, reference) = rest.split_at(at);
        out.push_str(before);
        let length = reference_length(reference).max(1);
        let (reference, after) = reference.split_at(length);
        let named = || NAMES.iter().find(|(name, _)| *name == reference).map(|(_, character)| *character);
        match numbered(reference).or_else(named) {
            Some(character) => out.push(character),
            None => out.push_str(reference),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What a character reference stands for that has a number.
fn numbered(reference: &str) -> Option<char> {
    let number = reference.strip_prefix("&#")?.strip_suffix(';')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    code.ok().and_then(char::from_u32)
}

/// The length of the character reference that `text` begins with, `&` and `;` included; 0 if it begins with none.
pub(in super::super) fn reference_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (start, is_part): (usize, fn(&u8) -> bool) = match bytes {
        [b'&', b'#', b'x' | b'X', ..] => (3, u8::is_ascii_hexdigit),
        [b'&', b'#', ..] => (2, u8::is_ascii_digit),
        [b'&', ..] => (1, u8::is_ascii_alphanumeric),
        _ => return 0,
    };
    // The longest name has 31 letters; without a bound, text full of `&` would take quadratic time.
    let length = bytes.iter().skip(start).take(32).take_while(|byte| is_part(byte)).count();
    if length > 0 && bytes.get(start + length) == Some(&b';') { start + length + 1 } else { 0 }
}

/// A piece of a path: what would end the path is encoded, and at the root also what would begin a host. An escape that is
/// there already stays, because paths are handed on encoded as often as not.
fn path(text: &str, root: bool, out: &mut Buffer) {
    // An empty piece stood between two slashes, which would begin a host.
    if root && matches!(out.as_bytes(), [.., b'/' | b'\\', b'/' | b'\\']) {
        out.truncate(out.len() - 1);
        out.push_str("./");
    }
    let host = if root { text.len() - text.trim_start_matches(['/', '\\']).len() } else { 0 };
    // The slash that is there is the first of them.
    let text = text.get(host..).unwrap_or(text);
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let kept = match byte {
            b'%' => is_escape(bytes, at),
            b'?' | b'#' | b'&' | b'\\' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^' => false,
            byte => byte > b' ' && byte != 0x7f,
        };
        if !kept {
            out.push_str(text.get(from..at).unwrap_or(""));
            if byte == b'&' {
                out.push_str("&amp;");
            } else {
                percent(byte, out);
            }
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or(""));
}

/// A name in a path. Encoded or not, dots alone would be the folder itself or the one above (WHATWG URL, section 3.2), so that they are
/// encoded twice.
fn name(text: &str, out: &mut Buffer) {
    if text.bytes().all(|byte| byte == b'.') {
        text.bytes().for_each(|_| out.push_str("%252E"));
    } else {
        percent_encode_but(text, |byte| b"-_.~".contains(&byte), out);
    }
}

/// Whether there is a percent-encoded byte at `at`.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3) and those in `kept`; a space becomes `space`.
pub(in super::super) fn percent_encode(text: &str, kept: &[u8], space: &str, out: &mut Buffer) {
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push_ascii(byte),
            b' ' => out.push_str(space),
            byte if kept.contains(&byte) => out.push_ascii(byte),
            byte => percent(byte, out),
        }
    }
}

fn percent(byte: u8, out: &mut Buffer) {
    let [high, low] = percent_digits(byte);
    out.push_first(&[b'%', high, low], 3);
}

/// The digits of a percent-encoded byte.
pub(super) fn percent_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0'))
}

/// A list of images: each of its URLs must be one that a link could be.
pub(super) fn images(text: &str, out: &mut Buffer) {
    for (number, candidate) in text.split(',').enumerate() {
        if number > 0 {
            out.push_ascii(b',');
        }
        escape(if is_safe(candidate) { candidate } else { BLOCKED }, out);
    }
}

/// Whether a URL is relative or of a scheme that runs nothing. Browsers skip control characters and white space before a
/// scheme and within it, so a scheme that holds any is none of ours.
fn is_safe(text: &str) -> bool {
    if text.starts_with('/') {
        // Nearly every link of a page, and the rest of this is about schemes.
        return true;
    }
    let text = text.trim_start_matches(|character: char| character <= ' ');
    let end = text.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'));
    let head = end.map_or(text, |end| text.get(..end).unwrap_or(""));
    if head.is_empty() {
        return true;
    }
    head.split_once(':').is_none_or(|(scheme, _)| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}
