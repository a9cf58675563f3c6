//! How far a URL has come, as browsers read what was printed of it: with its character references read, without the line breaks
//! and tabs that they drop (WHATWG URL, section 4.4), and behind what else its attribute holds.
//!
//! It writes no values. What it writes is a guard: nothing, nearly always, or what keeps the next slash from beginning a host.

use super::super::context::{RUNNING, WITH_HOSTS, is_media};
use super::Buffer;
use super::url::BLOCKED;
use std::borrow::Cow;

/// Where the URL at hand is found in what was printed, and what a value that goes on with it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Look {
    /// The quote around the attribute.
    pub(in super::super) quote: u8,
    pub(in super::super) holder: Holder,
    /// Whether it may be a host, where one begins.
    pub(in super::super) hosts: bool,
    /// Whether it may be more than a piece: all that is left of the URL.
    pub(in super::super) rests: bool,
    /// Whether a filter has made it ready for a query.
    pub(in super::super) encoded: bool,
}

/// What an attribute holds that a URL stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Holder {
    /// The URL.
    Whole,
    /// A delay before it, in the `content` of a `<meta>`.
    Delayed,
    /// A list of images with their sizes (HTML, section 4.8.4.2.1).
    Images,
    /// A list of URLs with white space between them.
    Words,
}

/// How far a URL has come, as it was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SoFar {
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
    /// Nowhere in a URL, but behind it, where its size is told.
    Beside,
    /// Farther than is looked at.
    Lost,
}

/// What is longer is not looked at, because it may be looked at for each value in it.
const LONGEST: usize = 64 << 10;

/// Few references by number are longer.
const LONGEST_NUMBER: usize = 32;

impl Look {
    /// How far the URL has come at whose end `out` is. Neither values nor literals hold the quote that is around them.
    pub(super) fn so_far(self, out: &Buffer) -> SoFar {
        let start = memchr::memrchr(self.quote, out.as_bytes()).map_or(0, |quote| quote + 1);
        let value = out.as_bytes().get(start..).unwrap_or_default();
        if value.len() > LONGEST {
            return SoFar::Lost;
        }
        let value = characters(value);
        let url = match self.holder {
            Holder::Whole => &*value,
            Holder::Delayed => behind_delay(&value),
            Holder::Images => match candidate(&value) {
                Some(url) => url,
                None => return SoFar::Beside,
            },
            Holder::Words => value.rsplit(|byte| is_space(*byte)).next().unwrap_or_default(),
        };
        so_far(&stripped(url))
    }
}

/// Keeps the slash that the layout goes on with from beginning a host, where the value before it printed nothing. A URL whose host
/// is missing leads nowhere.
pub(in super::super) fn guard(look: Look, out: &mut Buffer) {
    // Nearly always there is something else, as a letter that is no part of a character reference.
    let near = out.as_bytes().get(out.len().saturating_sub(LONGEST_NUMBER)..).unwrap_or_default();
    if !matches!(near, [.., b'/' | b'\\' | b':' | b'\0'..=b' ']) && memchr::memchr(b'&', near).is_none() {
        return;
    }
    match look.so_far(out) {
        SoFar::Root => out.push_ascii(b'.'),
        SoFar::Host | SoFar::Lost => out.push_str(BLOCKED),
        SoFar::Nothing | SoFar::Scheme | SoFar::Opaque | SoFar::Runs | SoFar::Named => {}
        SoFar::Path | SoFar::Query | SoFar::Beside => {}
    }
}

fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// What HTML takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn so_far(url: &[u8]) -> SoFar {
    let end = url.iter().position(|byte| matches!(byte, b':' | b'/' | b'\\' | b'?' | b'#'));
    let (head, rest) = url.split_at_checked(end.unwrap_or(url.len())).unwrap_or_default();
    let has_scheme = rest.first() == Some(&b':') && is_scheme(head);
    if url.is_empty() {
        return SoFar::Nothing;
    }
    if rest.is_empty() && is_scheme(head) {
        return SoFar::Scheme;
    }
    let scheme = if has_scheme { head.to_ascii_lowercase() } else { Vec::new() };
    let rest = if has_scheme { rest.get(1..).unwrap_or_default() } else { url };
    let is_of = |schemes: &[&str]| schemes.iter().any(|known| known.as_bytes() == scheme);
    if is_of(&RUNNING) && !(scheme == b"data" && is_media(rest)) {
        return SoFar::Runs;
    }
    if memchr::memchr2(b'?', b'#', url).is_some() {
        return SoFar::Query;
    }
    if has_scheme && !is_of(&WITH_HOSTS) {
        return SoFar::Opaque;
    }
    let slashes = rest.iter().take_while(|byte| is_slash(**byte)).count();
    let name = rest.get(slashes..).unwrap_or_default();
    match slashes {
        1 if !has_scheme && name.is_empty() => SoFar::Root,
        0 | 1 if !has_scheme => SoFar::Path,
        _ if name.is_empty() => SoFar::Host,
        _ if name.iter().any(|byte| is_slash(*byte)) => SoFar::Path,
        _ => SoFar::Named,
    }
}

/// Whether this could be the name of a scheme (RFC 3986, section 3.1).
fn is_scheme(text: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.iter().all(is_of_name)
}

/// A URL without what browsers drop of it.
fn stripped(url: &[u8]) -> Cow<'_, [u8]> {
    let is_dropped = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    let start = url.iter().position(|byte| *byte > b' ').unwrap_or(url.len());
    let url = url.get(start..).unwrap_or_default();
    if url.iter().any(is_dropped) {
        url.iter().copied().filter(|byte| !is_dropped(byte)).collect()
    } else {
        Cow::Borrowed(url)
    }
}

/// Whether a URL is code that runs where it leads from.
pub(super) fn is_script(url: &str) -> bool {
    let url = stripped(url.as_bytes());
    let end = memchr::memchr(b':', &url).unwrap_or(0);
    let scheme = url.get(..end).unwrap_or_default();
    [&b"javascript"[..], b"vbscript"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// The URL in the `content` of a `<meta>` behind its delay (HTML, section 4.2.5.3).
fn behind_delay(content: &[u8]) -> &[u8] {
    let is_of_delay = |byte: &u8| is_space(*byte) || matches!(byte, b'0'..=b'9' | b'.' | b';' | b',');
    let behind =
        |text: &[u8], is_skipped: &dyn Fn(&u8) -> bool| text.iter().take_while(|byte| is_skipped(byte)).count();
    let url = content.get(behind(content, &is_of_delay)..).unwrap_or_default();
    let Some((word, rest)) = url.split_at_checked(3) else { return url };
    let is_blank = |byte: &u8| is_space(*byte);
    let rest = rest.get(behind(rest, &is_blank)..).unwrap_or_default();
    let Some((b'=', rest)) = rest.split_first().filter(|_| word.eq_ignore_ascii_case(b"url")) else { return url };
    match rest.get(behind(rest, &is_blank)..).unwrap_or_default() {
        [b'\'' | b'"', quoted @ ..] => quoted,
        bare => bare,
    }
}

/// The URL at the end of a list of images; none if the list ends in what is told of one.
fn candidate(list: &[u8]) -> Option<&[u8]> {
    enum At {
        Between,
        Url(usize),
        Size,
        Parentheses,
    }
    let (mut place, mut before) = (At::Between, 0);
    for (at, &byte) in list.iter().enumerate() {
        place = match place {
            At::Between if byte == b',' || is_space(byte) => At::Between,
            At::Between => At::Url(at),
            At::Url(_) if is_space(byte) && before == b',' => At::Between,
            At::Url(_) if is_space(byte) => At::Size,
            At::Url(start) => At::Url(start),
            At::Size if byte == b',' => At::Between,
            At::Size if byte == b'(' => At::Parentheses,
            At::Parentheses if byte == b')' => At::Size,
            At::Size | At::Parentheses => place,
        };
        before = byte;
    }
    match place {
        At::Between => Some(b""),
        At::Url(start) => list.get(start..),
        At::Size | At::Parentheses => None,
    }
}

/// Each URL of a list of images as the list has it, and what stands around it: `(true, url)`, `(false, what is no URL)`.
pub(super) fn candidates(list: &str) -> Vec<(bool, &str)> {
    let is_blank = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let (mut parts, mut rest) = (Vec::new(), list);
    while !rest.is_empty() {
        let start = rest.len() - rest.trim_start_matches(|character| is_blank(character) || character == ',').len();
        let (between, from_url) = rest.split_at_checked(start).unwrap_or_default();
        let (url, behind) =
            from_url.split_at_checked(from_url.find(is_blank).unwrap_or(from_url.len())).unwrap_or_default();
        let bare = url.trim_end_matches(',');
        let mut depth = false;
        let ends_size = |character: char| {
            depth = (depth || character == '(') && character != ')';
            character == ',' && !depth
        };
        let length = if bare.len() < url.len() { 0 } else { behind.find(ends_size).unwrap_or(behind.len()) };
        let (size, next) = behind.split_at_checked(length).unwrap_or_default();
        let commas = url.get(bare.len()..).unwrap_or("");
        parts.extend(
            [(false, between), (true, bare), (false, commas), (false, size)]
                .into_iter()
                .filter(|part| !part.1.is_empty()),
        );
        rest = next;
    }
    parts
}

/// The characters that an attribute shows, as far as they mean something in URLs and lists of them.
fn characters(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', value).is_none() {
        return Cow::Borrowed(value);
    }
    let (mut out, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or_default();
        out.extend_from_slice(before);
        let (character, length) = reference(from).unwrap_or((b'&', 1));
        out.push(character);
        rest = from.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// What stands for a character that means nothing in a URL.
const ANOTHER: u8 = 0xff;

/// The character references by name that mean something in URLs and lists of them.
const NAMED: [(&[u8], u8); 11] = [
    (b"&Tab;", b'\t'),
    (b"&NewLine;", b'\n'),
    (b"&colon;", b':'),
    (b"&sol;", b'/'),
    (b"&bsol;", b'\\'),
    (b"&quest;", b'?'),
    (b"&num;", b'#'),
    (b"&comma;", b','),
    (b"&lpar;", b'('),
    (b"&rpar;", b')'),
    (b"&amp;", b'&'),
];

/// The character that the reference at the beginning of `text` stands for, and its length; none if there is none of interest. One
/// by number may do without its `;`.
pub(in super::super) fn reference(text: &[u8]) -> Option<(u8, usize)> {
    let (start, radix) = match text {
        [b'&', b'#', b'x' | b'X', ..] => (3, 16),
        [b'&', b'#', ..] => (2, 10),
        _ => {
            let (name, character) = NAMED.iter().find(|(name, _)| text.starts_with(name))?;
            return Some((*character, name.len()));
        }
    };
    let digits = text.get(start..)?;
    let count = digits.iter().take_while(|digit| char::from(**digit).is_digit(radix)).count();
    let number = digits.get(..count)?.iter().fold(0_u32, |number, digit| {
        number.saturating_mul(radix).saturating_add(char::from(*digit).to_digit(radix).unwrap_or(0))
    });
    let character = u8::try_from(number).ok().filter(|byte| (1..0x80).contains(byte)).unwrap_or(ANOTHER);
    let end = start + count + usize::from(digits.get(count) == Some(&b';'));
    (count > 0).then_some((character, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(value: &str, holder: Holder) -> SoFar {
        let out = Buffer::from(format!("<a x='y' href=\"{value}").as_str());
        Look { quote: b'"', holder, hosts: false, rests: false, encoded: false }.so_far(&out)
    }

    #[test]
    fn a_url_has_come_as_far_as_browsers_say() {
        for (url, so_far) in [
            ("", SoFar::Nothing),
            (" \n", SoFar::Nothing),
            ("java", SoFar::Scheme),
            ("a b", SoFar::Path),
            ("/", SoFar::Root),
            ("\\", SoFar::Root),
            (" \t/\n", SoFar::Root),
            ("&#47;", SoFar::Root),
            ("&#x2F", SoFar::Root),
            ("&sol;&Tab;", SoFar::Root),
            ("&NewLine;/", SoFar::Root),
            ("/ ", SoFar::Path),
            ("/.", SoFar::Path),
            ("/&#46;", SoFar::Path),
            ("//", SoFar::Host),
            ("/\n/", SoFar::Host),
            ("/&#92;", SoFar::Host),
            ("https:", SoFar::Host),
            ("HTTPS:/", SoFar::Host),
            ("https&colon;//", SoFar::Host),
            ("https:///", SoFar::Host),
            ("https://a", SoFar::Named),
            ("https:a", SoFar::Named),
            ("//a:80", SoFar::Named),
            ("//a/", SoFar::Path),
            ("a/", SoFar::Path),
            ("12:30", SoFar::Path),
            ("/it's", SoFar::Path),
            ("/?it's/", SoFar::Query),
            ("/&#35;", SoFar::Query),
            ("/a&amp;b&#39;", SoFar::Path),
            ("mailto:a", SoFar::Opaque),
            ("java\nscript:x?y", SoFar::Runs),
            ("data:image/png;base64,", SoFar::Opaque),
            ("data:text/html,", SoFar::Runs),
        ] {
            assert_eq!(seen(url, Holder::Whole), so_far, "{url:?}");
        }
        assert_eq!(seen(&"a".repeat(LONGEST + 1), Holder::Whole), SoFar::Lost);
        for (content, so_far) in [
            ("0;url=/", SoFar::Root),
            ("0;url=/\n", SoFar::Root),
            ("5.5 , URL = '/", SoFar::Root),
            ("5 /a", SoFar::Path),
            ("5;url", SoFar::Scheme),
            ("5;https://", SoFar::Host),
        ] {
            assert_eq!(seen(content, Holder::Delayed), so_far, "{content:?}");
        }
    }

    #[test]
    fn a_url_is_found_in_its_list() {
        for (list, so_far) in [
            ("", SoFar::Nothing),
            ("/", SoFar::Root),
            ("/a 1x", SoFar::Beside),
            ("/a 1x,", SoFar::Nothing),
            ("/a 1x, /", SoFar::Root),
            ("/a, /", SoFar::Root),
            ("/a,/b", SoFar::Path),
            (",, //", SoFar::Host),
            ("/a calc(1, ", SoFar::Beside),
            ("/a&#32;", SoFar::Beside),
            ("/a 1x&comma;&sol;", SoFar::Root),
            ("data:image/png;base64,aa 1x, https://a/?", SoFar::Query),
        ] {
            assert_eq!(seen(list, Holder::Images), so_far, "{list:?}");
        }
        for (list, so_far) in [("/a /", SoFar::Root), ("/a\t", SoFar::Nothing), ("/a,/b", SoFar::Path)] {
            assert_eq!(seen(list, Holder::Words), so_far, "{list:?}");
        }
        let urls = |list| candidates(list).into_iter().filter(|part| part.0).map(|part| part.1).collect::<Vec<_>>();
        assert_eq!(urls("/a,b 1x, /c,,/d (1,2) , x:y"), ["/a,b", "/c,,/d", "x:y"]);
        assert_eq!(urls(" , /a, /b"), ["/a", "/b"]);
    }
}
