//! The gate: the strict check of one raw request head (RFC 9112, sections 2 to 6; RFC 9110, sections 5 to 7).
//!
//! hyper is strict about framing and lenient about the rest: it takes a request without `Host`, a bare line feed, `\` in a target.
//! What two programs read in two ways is how requests are smuggled, so whatever a peer could read otherwise is refused here, before
//! hyper sees it. Pure functions of octets; they run for every request, so each octet is looked at once.
//!
//! The gate does not decode a target, and does not know which hosts and methods the site has.

use http::StatusCode;
use memchr::memchr;
use std::ops::Range;

use super::Limits;

/// Longer methods are known to nobody.
const LONGEST_METHOD: usize = 32;

/// A head that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Octets before it that are skipped: one empty line is forgiven (RFC 9112, section 2.2).
    pub(super) skip: usize,
    /// Its octets, the empty line that ends it included.
    pub(super) length: usize,
    /// What follows it.
    pub(super) content: Content,
}

/// Where the body of a message ends (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// After so many octets; 0 is no body.
    Length(u64),
    /// Where its last chunk and its trailer section end.
    Chunked,
}

/// What the octets at hand are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The beginning of something that may become a head.
    Incomplete,
    /// A sound head.
    Sound(Head),
    /// Nothing that may pass. What follows on the connection has no meaning.
    Refused(Refusal),
}

/// Why a head does not pass, as the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// What is wrong with the request, for its sender.
    pub(super) reason: &'static str,
}

impl Refusal {
    /// A refusal with `status`.
    pub(super) const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason }
    }

    const fn bad(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }
}

const BARE_LINE_FEED: Refusal = Refusal::bad("a line ends without a carriage return");
const TARGET_TOO_LONG: Refusal = Refusal::new(StatusCode::URI_TOO_LONG, "the request target is too long");
const HEAD_TOO_LARGE: Refusal = Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large");
const TOO_MANY_FIELDS: Refusal =
    Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the head has too many fields");
const NOT_A_REQUEST: Refusal = Refusal::bad("this is not an HTTP request");

/// Judges `input`, which begins where a head is expected and may reach beyond its end.
pub(super) fn examine(input: &[u8], limits: &Limits) -> Verdict {
    let skip = if input.starts_with(b"\r\n") { 2 } else { 0 };
    let mut lines = Lines { rest: input.get(skip..).unwrap_or_default(), taken: 0 };
    let result = read_head(&mut lines, limits);
    match result {
        Ok(_) if lines.taken > limits.head => Verdict::Refused(HEAD_TOO_LARGE),
        Ok(content) => Verdict::Sound(Head { skip, length: lines.taken, content }),
        Err(Stop::Refused(refusal)) => Verdict::Refused(refusal),
        Err(Stop::Incomplete) => match hopeless(lines.rest, lines.taken, limits) {
            Some(refusal) => Verdict::Refused(refusal),
            None => Verdict::Incomplete,
        },
    }
}

/// The method and the path that a refused head seems to have, for the log: never more than what reads as such.
pub(super) fn claimed(input: &[u8]) -> (Option<http::Method>, Option<&str>) {
    let line = input.strip_prefix(b"\r\n").unwrap_or(input);
    let line = &line[..memchr(b'\r', line).unwrap_or(line.len()).min(1024)];
    let mut words = line.split(|&octet| octet == b' ');
    let method = words.next().filter(|word| word.len() <= LONGEST_METHOD);
    let path = words.next().and_then(|word| word.split(|&octet| octet == b'?').next());
    let method = method.and_then(|word| http::Method::from_bytes(word).ok());
    let path = path.filter(|path| path.starts_with(b"/")).and_then(|path| str::from_utf8(path).ok());
    (method.clone(), path.filter(|_| method.is_some()))
}

/// Why reading a head stopped before its end.
enum Stop {
    Incomplete,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The lines of a head, each ended by CR LF and given without it.
struct Lines<'i> {
    rest: &'i [u8],
    taken: usize,
}

impl<'i> Lines<'i> {
    fn next(&mut self) -> Result<&'i [u8], Stop> {
        let Some(end) = memchr(b'\n', self.rest) else { return Err(Stop::Incomplete) };
        let (line, rest) = self.rest.split_at(end + 1);
        let Some(line) = line.strip_suffix(b"\r\n") else { return Err(BARE_LINE_FEED.into()) };
        self.rest = rest;
        self.taken += end + 1;
        Ok(line)
    }
}

/// What there is to say about a line that has no end yet, so that nobody waits for what can no longer become right.
fn hopeless(line: &[u8], taken: usize, limits: &Limits) -> Option<Refusal> {
    let at_start = taken == 0;
    if at_start && line.first().is_some_and(|&octet| !is_token(octet) && octet != b'\r') {
        return Some(NOT_A_REQUEST);
    }
    if at_start && line.len() > limits.target + LONGEST_METHOD + b"  HTTP/1.1\r".len() {
        return Some(TARGET_TOO_LONG);
    }
    (taken + line.len() > limits.head).then_some(HEAD_TOO_LARGE)
}

/// Reads the whole head and tells where its body ends.
fn read_head(lines: &mut Lines<'_>, limits: &Limits) -> Result<Content, Stop> {
    let request = RequestLine::read(lines.next()?, limits)?;
    let mut framing = Framing::default();
    let mut count = 0;
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            break;
        }
        count += 1;
        if count > limits.fields {
            return Err(TOO_MANY_FIELDS.into());
        }
        let (name, value) = field(line)?;
        framing.note(name, value)?;
    }
    Ok(framing.conclude(&request)?)
}

/// The first line (RFC 9112, section 3).
struct RequestLine<'i> {
    /// The authority of a target in absolute form.
    authority: Option<&'i [u8]>,
    minor_version: u8,
}

impl<'i> RequestLine<'i> {
    fn read(line: &'i [u8], limits: &Limits) -> Result<Self, Refusal> {
        let method_end = line.iter().position(|&octet| !is_token(octet)).unwrap_or(line.len());
        let (method, rest) = line.split_at(method_end);
        let Some(rest) = rest.strip_prefix(b" ") else { return Err(NOT_A_REQUEST) };
        if method.is_empty() {
            return Err(NOT_A_REQUEST);
        }
        let target_end = memchr(b' ', rest).unwrap_or(rest.len());
        if target_end > limits.target {
            return Err(TARGET_TOO_LONG);
        }
        let (target, rest) = rest.split_at(target_end);
        let Some(version) = rest.strip_prefix(b" ") else {
            return Err(Refusal::bad("the request line has no version"));
        };
        let minor_version = minor_version(version)?;
        if method.len() > LONGEST_METHOD {
            return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "the method is unknown"));
        }
        if method == b"CONNECT" || method == b"TRACE" {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed"));
        }
        Ok(Self { authority: authority_of(target, method)?, minor_version })
    }
}

/// The minor version of HTTP/1 (RFC 9112, section 2.3). The preface of HTTP/2 is a request of version 2.0 by design (RFC 9113, section 3.4).
fn minor_version(version: &[u8]) -> Result<u8, Refusal> {
    match version {
        b"HTTP/1.1" => Ok(1),
        b"HTTP/1.0" => Ok(0),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Refusal::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "the version is not supported"))
        }
        _ => Err(Refusal::bad("the version is malformed")),
    }
}

/// Checks the target's form (RFC 9112, section 3.2); the authority is that of the absolute form.
fn authority_of<'t>(target: &'t [u8], method: &[u8]) -> Result<Option<&'t [u8]>, Refusal> {
    match target {
        [b'/', ..] => path_and_query(target).map(|()| None),
        b"*" if method == b"OPTIONS" => Ok(None),
        _ => {
            let rest = strip_scheme(target).ok_or(Refusal::bad("the request target has no form of HTTP"))?;
            let end = rest.iter().position(|&octet| matches!(octet, b'/' | b'?')).unwrap_or(rest.len());
            let (authority, rest) = rest.split_at(end);
            if !is_host(authority) {
                return Err(Refusal::bad("the authority of the request target is malformed"));
            }
            path_and_query(rest).map(|()| Some(authority))
        }
    }
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })
}

/// Which octets a path and a query may hold.
fn path_and_query(target: &[u8]) -> Result<(), Refusal> {
    let path_end = target.iter().position(|&octet| OCTETS[usize::from(octet)] & PATH == 0).unwrap_or(target.len());
    let sound = match target.get(path_end..) {
        Some([b'?', query @ ..]) => query.iter().all(|&octet| OCTETS[usize::from(octet)] & QUERY != 0),
        Some([]) | None => true,
        Some(_) => false,
    };
    if sound { Ok(()) } else { Err(Refusal::bad("the request target holds an octet that it may not hold")) }
}

/// A field line as name and value, the optional white space around the value taken off (RFC 9112, section 5).
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let name_end = line.iter().position(|&octet| !is_token(octet)).unwrap_or(line.len());
    let (name, rest) = line.split_at(name_end);
    let Some(value) = rest.strip_prefix(b":") else {
        return Err(match (name, rest) {
            ([], [b' ' | b'\t', ..]) => Refusal::bad("a field is folded over two lines"),
            (_, [b' ' | b'\t', ..]) => Refusal::bad("white space stands before a field's colon"),
            _ => Refusal::bad("a field name is malformed"),
        });
    };
    if name.is_empty() {
        return Err(Refusal::bad("a field has no name"));
    }
    // RFC 9110, section 5.5. Without a way out of the loop, so that it is compiled to work on many octets at a time.
    let controls =
        value.iter().fold(0, |seen, &octet| seen | u8::from((octet < b' ' && octet != b'\t') || octet == 0x7f));
    if controls != 0 {
        Err(Refusal::bad("a field value holds a control octet"))
    } else {
        Ok((name, value.trim_ascii()))
    }
}

/// What the fields say about where the message ends and whom it is for.
#[derive(Default)]
struct Framing<'i> {
    host: Option<&'i [u8]>,
    length: Option<u64>,
    coding: Option<&'i [u8]>,
    foreign_expectation: bool,
}

impl<'i> Framing<'i> {
    fn note(&mut self, name: &[u8], value: &'i [u8]) -> Result<(), Refusal> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                refuse_second(self.host.replace(value).is_some(), "`Host` is given twice")?;
                if !is_host(value) {
                    return Err(Refusal::bad("`Host` is malformed"));
                }
            }
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.foreign_expectation |= !value.eq_ignore_ascii_case(b"100-continue");
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                // RFC 9110, section 8.6, permits to refuse even equal ones: an honest sender has no reason to repeat it.
                let earlier = self.length.replace(content_length(value)?);
                refuse_second(earlier.is_some(), "`Content-Length` is given twice")?;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                refuse_second(self.coding.replace(value).is_some(), "`Transfer-Encoding` is given twice")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Where the body ends, if all the fields agree.
    fn conclude(&self, request: &RequestLine<'_>) -> Result<Content, Refusal> {
        match (self.host, request.authority) {
            (None, _) if request.minor_version > 0 => return Err(Refusal::bad("`Host` is missing")),
            (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
                return Err(Refusal::bad("`Host` and the authority of the request target differ"));
            }
            _ => {}
        }
        let content = match self.coding {
            Some(coding) => self.coded(coding, request.minor_version)?,
            None => Content::Length(self.length.unwrap_or(0)),
        };
        // HTTP/1.0 has no expectations (RFC 9110, section 10.1.1).
        if self.foreign_expectation && request.minor_version > 0 {
            return Err(Refusal::new(StatusCode::EXPECTATION_FAILED, "the expectation is unknown"));
        }
        Ok(content)
    }

    /// One coding is known, `chunked`, and it stands alone (RFC 9112, sections 6.1 and 6.3): a length beside it is a smuggler's, and what
    /// HTTP/1.0 means by it nobody knows.
    fn coded(&self, coding: &[u8], minor_version: u8) -> Result<Content, Refusal> {
        if self.length.is_some() {
            Err(Refusal::bad("`Content-Length` and `Transfer-Encoding` exclude each other"))
        } else if minor_version == 0 {
            Err(Refusal::bad("HTTP/1.0 has no transfer codings"))
        } else if coding.eq_ignore_ascii_case(b"chunked") {
            Ok(Content::Chunked)
        } else {
            Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "the transfer coding is unknown"))
        }
    }
}

fn refuse_second(is_second: bool, reason: &'static str) -> Result<(), Refusal> {
    if is_second { Err(Refusal::bad(reason)) } else { Ok(()) }
}

/// The value of `Content-Length`: digits and nothing else (RFC 9110, section 8.6).
fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::bad("`Content-Length` is malformed"));
    }
    let length = value.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    // Half the range, so that no sum of a head and its body can overflow.
    match length {
        Some(length) if length <= u64::MAX / 2 => Ok(length),
        _ => Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
    }
}

/// Whether `text` is a host with an optional port, of the kind that name systems and browsers produce: letters, digits, `-`, `.`, `_`, or an
/// address in brackets. The grammar of RFC 3986, section 3.2.2, allows more, which no site is called by.
fn is_host(text: &[u8]) -> bool {
    let (is_sound, length, port) = if let [b'[', rest @ ..] = text {
        let Some(end) = memchr(b']', rest) else { return false };
        let (address, port) = rest.split_at(end);
        let is_sound = str::from_utf8(address).is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
        (is_sound, end, port.get(1..).unwrap_or_default())
    } else {
        let (name, port) = text.split_at(memchr(b':', text).unwrap_or(text.len()));
        (name.iter().all(|&octet| OCTETS[usize::from(octet)] & HOST != 0), name.len(), port)
    };
    is_sound && (1..=LONGEST_HOST).contains(&length) && is_port(port)
}

/// The longest name that DNS can hold, as text.
const LONGEST_HOST: usize = 255;

/// Whether `text` is nothing, or a colon and a port.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => {
            digits.len() <= 5
                && digits.iter().all(u8::is_ascii_digit)
                && str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok())
        }
        _ => false,
    }
}

const TOKEN: u8 = 1;
const PATH: u8 = 2;
const QUERY: u8 = 4;
const HOST: u8 = 8;

/// What each octet may be part of.
const OCTETS: [u8; 256] = {
    let mut table = [0; 256];
    // RFC 9110, section 5.6.2.
    mark(&mut table, b'a'..b'z' + 1, TOKEN | PATH | QUERY | HOST);
    mark(&mut table, b'A'..b'Z' + 1, TOKEN | PATH | QUERY | HOST);
    mark(&mut table, b'0'..b'9' + 1, TOKEN | PATH | QUERY | HOST);
    mark_each(&mut table, b"!#$%&'*+-.^_`|~", TOKEN);
    // RFC 3986, sections 3.3 and 3.4; and what browsers send as it is, though it should be encoded.
    mark_each(&mut table, b"-._~!$&'()*+,;=:@%/[]|", PATH | QUERY);
    mark_each(&mut table, b"?{}^`", QUERY);
    mark_each(&mut table, b"-._", HOST);
    table
};

const fn mark(table: &mut [u8; 256], octets: Range<u8>, classes: u8) {
    let mut octet = octets.start;
    while octet < octets.end {
        table[octet as usize] |= classes;
        octet += 1;
    }
}

const fn mark_each(table: &mut [u8; 256], octets: &[u8], classes: u8) {
    let mut index = 0;
    while index < octets.len() {
        table[octets[index] as usize] |= classes;
        index += 1;
    }
}

/// Whether `octet` may be part of a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(octet: u8) -> bool {
    OCTETS[usize::from(octet)] & TOKEN != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(input: &[u8]) -> Verdict {
        examine(input, &Limits::default())
    }

    /// A head as browsers send it.
    const USUAL: &[u8] = b"GET /docs/start?page=2&tag=a%20b HTTP/1.1\r\nHost: www.example.com:8080\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
        Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
        Cookie: session=0123456789abcdef; theme=dark\r\nConnection: keep-alive\r\n\
        Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Site: none\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_sound_head_ends_where_its_body_begins() {
        let length = USUAL.len();
        assert_eq!(judge(USUAL), Verdict::Sound(Head { skip: 0, length, content: Content::Length(0) }));
        let after = [USUAL, b"GET / HTTP/1.1\n\n"].concat();
        assert_eq!(
            judge(&after),
            Verdict::Sound(Head { skip: 0, length, content: Content::Length(0) }),
            "what follows is not looked at"
        );
        let line = [b"\r\n", USUAL].concat();
        assert_eq!(judge(&line), Verdict::Sound(Head { skip: 2, length, content: Content::Length(0) }));
        let body = b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\nGET / HTTP/1.1";
        assert_eq!(
            judge(body),
            Verdict::Sound(Head { skip: 0, length: body.len() - 14, content: Content::Length(12) })
        );
    }

    #[test]
    fn one_transfer_coding_is_known_and_it_stands_alone() {
        for (fields, expected) in [
            ("Transfer-Encoding: chunked", Ok(Content::Chunked)),
            ("TRANSFER-ENCODING:\t CHUNKED ", Ok(Content::Chunked)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0", Err(400)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", Err(400)),
            ("Content-Length: 5\r\nTransfer-Encoding: identity", Err(400)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Err(400)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Err(400)),
            ("Transfer-Encoding: chunked\r\n X: folded", Err(400)),
            ("Transfer-Encoding:\r\n chunked", Err(400)),
            ("Transfer-Encoding : chunked", Err(400)),
            ("Transfer-Encoding: \u{b}chunked", Err(400)),
            ("Transfer-Encoding: chunked, chunked", Err(501)),
            ("Transfer-Encoding: chunked, identity", Err(501)),
            ("Transfer-Encoding: identity, chunked", Err(501)),
            ("Transfer-Encoding: gzip, chunked", Err(501)),
            ("Transfer-Encoding: chunked,", Err(501)),
            ("Transfer-Encoding: ,chunked", Err(501)),
            ("Transfer-Encoding: chunked;a=b", Err(501)),
            ("Transfer-Encoding: \"chunked\"", Err(501)),
            ("Transfer-Encoding: 'chunked'", Err(501)),
            ("Transfer-Encoding: xchunked", Err(501)),
            ("Transfer-Encoding: chunkedx", Err(501)),
            ("Transfer-Encoding: chunk", Err(501)),
            ("Transfer-Encoding: cow", Err(501)),
            ("Transfer-Encoding: identity", Err(501)),
            ("Transfer-Encoding:", Err(501)),
            // No framing field, whatever it looks like.
            ("Transfer_Encoding: chunked", Ok(Content::Length(0))),
            ("X-Transfer-Encoding: chunked", Ok(Content::Length(0))),
        ] {
            let head = |version| format!("POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n\r\n");
            let judged = |version| match judge(head(version).as_bytes()) {
                Verdict::Sound(head) => Ok(head.content),
                Verdict::Refused(refusal) => Err(refusal.status.as_u16()),
                Verdict::Incomplete => panic!("{fields:?}"),
            };
            assert_eq!(judged("1.1"), expected, "{fields:?}");
            if expected == Ok(Content::Chunked) {
                assert_eq!(judged("1.0"), Err(400), "{fields:?} in HTTP/1.0");
            }
        }
    }

    #[test]
    fn every_beginning_of_a_sound_head_may_still_become_one() {
        for input in [USUAL.to_vec(), [b"\r\n", USUAL].concat()] {
            for length in 0..input.len() {
                assert_eq!(judge(&input[..length]), Verdict::Incomplete, "the first {length} octets");
            }
        }
    }

    #[test]
    fn what_can_no_longer_become_a_head_is_not_waited_for() {
        for (input, status) in [
            (b"\x16\x03\x01".to_vec(), 400),
            (b"\n".to_vec(), 400),
            (b"GET / HTTP/1.1\r\nHost : a".to_vec(), 0),
            (b"GET / HTTP/1.1\r\nHost : a\r\n".to_vec(), 400),
            (b"GET /\r\n".to_vec(), 400),
            (b"PRI * HTTP/2.0\r\n".to_vec(), 505),
            ([b"GET /".as_slice(), &b"a".repeat(9_000)].concat(), 414),
            ([b"GET / HTTP/1.1\r\nX: ".as_slice(), &b"a".repeat(33_000)].concat(), 431),
        ] {
            let expected = match judge(&input) {
                Verdict::Incomplete => 0,
                Verdict::Refused(refusal) => refusal.status.as_u16(),
                Verdict::Sound(head) => panic!("{head:?}"),
            };
            assert_eq!(expected, status, "{:?}", str::from_utf8(&input));
        }
    }

    #[test]
    fn the_log_gets_what_reads_as_method_and_path() {
        let cases: &[(&[u8], Option<&str>, Option<&str>)] = &[
            (b"GET /a?b HTTP/9.9\r\n", Some("GET"), Some("/a")),
            (b"\r\nFROB /a", Some("FROB"), Some("/a")),
            (b"GET http://a/b HTTP/1.1\r\n", Some("GET"), None),
            (b"GET /\xff HTTP/1.1\r\n", Some("GET"), None),
            (b"GET", Some("GET"), None),
            (b"\x16\x03 /a", None, None),
            (b"", None, None),
        ];
        for &(input, method, path) in cases {
            let (said_method, said_path) = claimed(input);
            assert_eq!((said_method.as_ref().map(http::Method::as_str), said_path), (method, path), "{input:?}");
        }
    }

    /// What must hold of every head that passes: the `http` crate reads it, its lines end in CR LF, and it says once whom it is for.
    fn assert_sound(head: &[u8]) {
        let text = str::from_utf8(head).map_or_else(|_| String::from_utf8_lossy(head).into_owned(), str::to_owned);
        assert!(text.ends_with("\r\n\r\n"));
        assert_eq!(text.matches("\r\n").count(), text.matches(['\r', '\n']).count() / 2, "{text:?}");
        let mut lines = text.split("\r\n");
        let words: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let [method, target, version] = words[..] else { panic!("{text:?}") };
        assert!(http::Method::from_bytes(method.as_bytes()).is_ok(), "{text:?}");
        assert!(target.parse::<http::Uri>().is_ok(), "{text:?}");
        let mut hosts = 0;
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            assert!(http::HeaderName::from_bytes(name.as_bytes()).is_ok(), "{text:?}");
            assert!(http::HeaderValue::from_bytes(value.trim_matches([' ', '\t']).as_bytes()).is_ok(), "{text:?}");
            hosts += usize::from(name.eq_ignore_ascii_case("host"));
        }
        assert!(hosts == 1 || (hosts == 0 && version == "HTTP/1.0"), "{text:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn anything_is_judged(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!matches!(judge(&input), Verdict::Sound(_)));
        }

        #[test]
        fn a_head_with_other_octets_in_it_is_still_sound_or_refused(
            at in 0..USUAL.len(),
            cut in 0..4_usize,
            other in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), any::<u8>()], 0..4),
        ) {
            let rest = &USUAL[(at + cut).min(USUAL.len())..];
            let input = [&USUAL[..at], other.as_slice(), rest].concat();
            if let Verdict::Sound(head) = judge(&input) {
                assert_sound(&input[head.skip..head.skip + head.length]);
            }
        }

        #[test]
        fn the_verdict_does_not_depend_on_how_the_octets_arrive(
            at in 0..USUAL.len(),
            other in any::<u8>(),
            seen in 0..USUAL.len(),
        ) {
            let mut input = USUAL.to_vec();
            input[at] = other;
            // A beginning is judged as the whole, or not at all.
            match (judge(&input[..seen]), judge(&input)) {
                (Verdict::Incomplete, _) => {}
                (early, whole) => prop_assert_eq!(early, whole),
            }
        }
    }
}
