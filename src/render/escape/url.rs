//! Writing a value as a part of a URL within quotes (RFC 3986, section 3; WHATWG URL).
//!
//! Which part it is the layout says; where a value stands behind another one, what was printed before tells.

use super::replace::{Url, replace};
use super::seen::{Holder, Look, SoFar, candidates, is_script};
use super::{Buffer, Origin, escape};
use std::borrow::Cow;

/// Which part of a URL a value is (RFC 3986, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum UrlPart {
    /// The whole, or the beginning, where a scheme could be given.
    Start,
    /// What its parts are is not known, but it gives no scheme.
    Rest,
    /// A piece of the path right behind the slash it begins with, where another slash would begin a host.
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
    /// Which part it is, only the page tells.
    Seen(Look),
    /// A whole list of images.
    Images,
}

impl UrlPart {
    /// The same in the address of a script.
    pub(in super::super) fn of_script(self) -> Self {
        let is_piece = matches!(self, Self::Path) || matches!(self, Self::Seen(look) if !look.hosts && !look.rests);
        if is_piece { Self::Name } else { self }
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

/// A part of a URL: characters, and no markup. What the authors of the site have written may be several pieces of a query, and of
/// any scheme that is no script.
pub(super) fn url(text: &str, part: UrlPart, origin: Origin, out: &mut Buffer) {
    let authored = origin == Origin::Authored;
    match part {
        UrlPart::Seen(_) if text.is_empty() => {}
        UrlPart::Start if authored && !is_script(text) => replace::<Url>(text, out),
        UrlPart::Start => link(text, out),
        UrlPart::Rest => replace::<Url>(text, out),
        UrlPart::Root => path(text, true, out),
        UrlPart::Path => path(text, false, out),
        // The authors may write several.
        UrlPart::Name if authored => path(text, false, out),
        UrlPart::Name => name(text, out),
        UrlPart::Query | UrlPart::Encoded if authored => replace::<Url>(text, out),
        // The authors may write a whole URL in pieces.
        UrlPart::Host | UrlPart::Port if authored => replace::<Url>(text, out),
        UrlPart::Query => percent_encode(text, b"", "%20", out),
        // `+` is a space there.
        UrlPart::Encoded => percent_encode_but(text, |byte| b"-_.~+%".contains(&byte), out),
        UrlPart::Host => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~:[]".contains(&byte), out),
        UrlPart::BehindHost => behind_host(text, out),
        UrlPart::Port if text.starts_with(['/', '\\', '?', '#']) => behind_host(text, out),
        UrlPart::Port => percent_encode_but(text, |_| false, out),
        UrlPart::Opaque => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~!$'()*+,;=:@/%".contains(&byte), out),
        // The authors may write as much of a list as they like.
        UrlPart::Images => {
            if authored {
                escape(text, out);
            } else {
                images(text, out);
            }
        }
        UrlPart::Seen(look) if authored && look.holder == Holder::Images => escape(text, out),
        UrlPart::Seen(look) => {
            let start = out.len();
            seen(text, look, origin, out);
            if look.holder == Holder::Images {
                encode_last_commas(start, out);
            }
        }
    }
}

/// A part of a URL, as the URL goes on from what was printed.
fn seen(text: &str, look: Look, origin: Origin, out: &mut Buffer) {
    let part = match look.so_far(out) {
        SoFar::Nothing => UrlPart::Start,
        // Together with what is there it could be another scheme than it is on its own.
        SoFar::Scheme => return link(text, out),
        SoFar::Opaque => UrlPart::Opaque,
        SoFar::Root => UrlPart::Root,
        SoFar::Host if look.hosts => UrlPart::Host,
        SoFar::Named => UrlPart::BehindHost,
        SoFar::Path if look.rests => UrlPart::Rest,
        SoFar::Path => UrlPart::Path,
        SoFar::Query if look.encoded => UrlPart::Encoded,
        SoFar::Query => UrlPart::Query,
        SoFar::Beside => return size(text, out),
        // The host is missing, and a value that stands behind it is none.
        SoFar::Host | SoFar::Lost => return out.push_str(BLOCKED),
        SoFar::Runs => return,
    };
    url(text, part, origin, out);
}

/// The size of an image in a list, which ends at the next comma.
fn size(text: &str, out: &mut Buffer) {
    let is_of_size = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+');
    out.push_str(&text.chars().filter(is_of_size).collect::<String>());
}

/// Commas at the end of what was written from `start` on would end a URL of a list.
fn encode_last_commas(start: usize, out: &mut Buffer) {
    let written = out.as_bytes().get(start..).unwrap_or_default();
    let commas = written.iter().rev().take_while(|byte| **byte == b',').count();
    out.truncate(out.len() - commas);
    (0..commas).for_each(|_| percent(b',', out));
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
    // Behind what a guard has written the path is as good as empty.
    let root = root || (text.starts_with(['/', '\\']) && out.as_bytes().ends_with(b"/./"));
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
fn images(list: &str, out: &mut Buffer) {
    for (is_url, part) in candidates(list) {
        escape(if !is_url || is_safe(part) { part } else { BLOCKED }, out);
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
