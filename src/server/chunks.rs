//! The chunked coding of a request's body, checked octet by octet (RFC 9112, section 7.1).
//!
//! It tells where the body ends, and so where the next head begins, whatever pieces the octets come in. hyper reads the same octets
//! afterwards, and takes more than this: so both end at the same octet, or this one has refused. Where the grammar leaves room for two
//! readings, the strict one holds: no white space anywhere in a size line (section 7.1.1 has it around `;` and `=` for bad senders only), no
//! line feed alone, no carriage return alone, and a trailer section that frames, routes and authorises nothing (RFC 9110, section 6.5.1).
//!
//! Pure: it knows octets, and neither sockets nor deadlines. It keeps no content.

use super::gate::is_token;

/// Digits of a chunk's size. No size needs more.
const LONGEST_SIZE: u8 = 16;

/// Octets of the chunk extensions of one body. They mean nothing to us (section 7.1.1), and hyper takes twice as many.
const EXTENSIONS: u16 = 8 * 1024;

/// Octets of a trailer section.
const TRAILERS: u16 = 8 * 1024;

/// Fields of a trailer section.
const TRAILER_FIELDS: u8 = 32;

/// A body that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// The size of the chunk, as far as it has been read; then what is left of it.
    left: u64,
    /// Digits of that size.
    digits: u8,
    extensions: u16,
    trailers: u16,
    fields: u8,
    name: Name,
}

/// What the next octet is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size,
    ExtensionStart,
    ExtensionName,
    ExtensionValueStart,
    ExtensionValue,
    Quoted,
    Escaped,
    Unquoted,
    SizeFeed,
    Data,
    DataReturn,
    DataFeed,
    LineStart,
    FieldName,
    FieldValue,
    FieldFeed,
    LastFeed,
}

/// What was found in some octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// How many of them are sound and belong to the body.
    pub(super) taken: usize,
    /// What comes after those.
    pub(super) then: Then,
}

/// What comes after octets that are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The body goes on.
    More,
    /// Another message: the body has ended.
    End,
    /// Nothing that has a meaning.
    Fault(Fault),
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the size of a chunk is malformed")]
    Size,
    #[error("a chunk is too large")]
    TooLarge,
    #[error("a chunk extension is malformed")]
    Extension,
    #[error("the chunk extensions are too long")]
    Extensions,
    #[error("a line of the chunked coding does not end in CR LF")]
    LineEnd,
    #[error("a chunk is longer than its size")]
    Data,
    #[error("a trailer field is malformed")]
    Field,
    #[error("a field that may not be a trailer field is one")]
    ForbiddenField,
    #[error("the trailer section is too large")]
    Trailers,
}

impl Chunks {
    /// A body of which nothing has been read.
    pub(super) const fn new() -> Self {
        Self { at: At::Size, left: 0, digits: 0, extensions: 0, trailers: 0, fields: 0, name: Name::EMPTY }
    }

    /// Reads on in `input`. Nothing may be read after a fault or the end.
    pub(super) fn scan(&mut self, input: &[u8]) -> Scanned {
        let mut taken = 0;
        while let Some(rest) = input.get(taken..)
            && let Some(&octet) = rest.first()
        {
            if self.at == At::Data {
                // The content itself: all that there is of it in one step.
                let count = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                self.left -= count as u64;
                taken += count;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
                continue;
            }
            match self.step(octet) {
                Ok(Some(at)) => self.at = at,
                Ok(None) => return Scanned { taken: taken + 1, then: Then::End },
                Err(fault) => return Scanned { taken, then: Then::Fault(fault) },
            }
            taken += 1;
        }
        Scanned { taken, then: Then::More }
    }

    /// Takes one octet that is no content, and tells what the next one is part of; none after the last.
    fn step(&mut self, octet: u8) -> Result<Option<At>, Fault> {
        let at = match self.at {
            At::Size => self.size(octet)?,
            At::ExtensionStart
            | At::ExtensionName
            | At::ExtensionValueStart
            | At::ExtensionValue
            | At::Quoted
            | At::Escaped
            | At::Unquoted => self.extension(octet)?,
            At::SizeFeed => {
                feed(octet)?;
                self.digits = 0;
                if self.left == 0 { At::LineStart } else { At::Data }
            }
            At::Data | At::DataReturn if octet == b'\r' => At::DataFeed,
            At::Data | At::DataReturn => return Err(Fault::Data),
            At::DataFeed => {
                feed(octet)?;
                At::Size
            }
            At::LastFeed => {
                feed(octet)?;
                return Ok(None);
            }
            At::LineStart if octet == b'\r' => At::LastFeed,
            At::LineStart | At::FieldName | At::FieldValue | At::FieldFeed => self.field(octet)?,
        };
        Ok(Some(at))
    }

    fn size(&mut self, octet: u8) -> Result<At, Fault> {
        let digit = match octet {
            b'0'..=b'9' => octet - b'0',
            b'a'..=b'f' => octet - b'a' + 10,
            b'A'..=b'F' => octet - b'A' + 10,
            b'\r' if self.digits > 0 => return Ok(At::SizeFeed),
            b';' if self.digits > 0 => return self.count_extension().map(|()| At::ExtensionStart),
            b'\n' if self.digits > 0 => return Err(Fault::LineEnd),
            _ => return Err(Fault::Size),
        };
        self.digits += 1;
        // Half the range, as with `Content-Length`.
        if self.digits > LONGEST_SIZE || self.left > (u64::MAX / 2) >> 4 {
            return Err(Fault::TooLarge);
        }
        self.left = self.left << 4 | u64::from(digit);
        Ok(At::Size)
    }

    fn extension(&mut self, octet: u8) -> Result<At, Fault> {
        // The end of the line, or of one extension, where there may be one.
        let may_end = matches!(self.at, At::ExtensionName | At::ExtensionValue | At::Unquoted);
        let at = match octet {
            b'\r' if may_end => return Ok(At::SizeFeed),
            b';' if may_end => At::ExtensionStart,
            b'\n' if may_end => return Err(Fault::LineEnd),
            b'=' if self.at == At::ExtensionName => At::ExtensionValueStart,
            b'"' if self.at == At::ExtensionValueStart => At::Quoted,
            b'"' if self.at == At::Quoted => At::Unquoted,
            b'\\' if self.at == At::Quoted => At::Escaped,
            octet if matches!(self.at, At::ExtensionStart | At::ExtensionName) && is_token(octet) => At::ExtensionName,
            octet if matches!(self.at, At::ExtensionValueStart | At::ExtensionValue) && is_token(octet) => {
                At::ExtensionValue
            }
            octet if matches!(self.at, At::Quoted | At::Escaped) && !is_control(octet) => At::Quoted,
            _ => return Err(Fault::Extension),
        };
        self.count_extension()?;
        Ok(at)
    }

    fn count_extension(&mut self) -> Result<(), Fault> {
        self.extensions += 1;
        if self.extensions > EXTENSIONS { Err(Fault::Extensions) } else { Ok(()) }
    }

    /// Takes an octet of the trailer section's fields.
    fn field(&mut self, octet: u8) -> Result<At, Fault> {
        self.trailers += 1;
        if self.trailers > TRAILERS {
            return Err(Fault::Trailers);
        }
        match (self.at, octet) {
            (At::LineStart, octet) if is_token(octet) => {
                self.fields += 1;
                if self.fields > TRAILER_FIELDS {
                    return Err(Fault::Trailers);
                }
                self.name = Name::EMPTY;
                self.name.push(octet);
                Ok(At::FieldName)
            }
            (At::FieldName, b':') if self.name.is_forbidden() => Err(Fault::ForbiddenField),
            (At::FieldName, b':') => Ok(At::FieldValue),
            (At::FieldName, octet) if is_token(octet) => {
                self.name.push(octet);
                Ok(At::FieldName)
            }
            (At::FieldValue, b'\r') => Ok(At::FieldFeed),
            (At::FieldValue, b'\n') => Err(Fault::LineEnd),
            (At::FieldValue, octet) if !is_control(octet) => Ok(At::FieldValue),
            (At::FieldFeed, octet) => feed(octet).map(|()| At::LineStart),
            _ => Err(Fault::Field),
        }
    }
}

/// Takes the line feed that must follow a carriage return.
fn feed(octet: u8) -> Result<(), Fault> {
    if octet == b'\n' { Ok(()) } else { Err(Fault::LineEnd) }
}

/// Whether `octet` may be in no text of a field or a quoted string (RFC 9110, section 5.5).
fn is_control(octet: u8) -> bool {
    (octet < b' ' && octet != b'\t') || octet == 0x7f
}

/// The beginning of a field's name, in lower case: enough to know it from those that are forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    octets: [u8; Name::LONGEST],
    length: usize,
}

impl Name {
    /// One more than the longest name that is looked for.
    const LONGEST: usize = 20;

    const EMPTY: Self = Self { octets: [0; Self::LONGEST], length: 0 };

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.length) {
            *place = octet.to_ascii_lowercase();
            self.length += 1;
        }
    }

    fn is_forbidden(&self) -> bool {
        let name = self.octets.get(..self.length).unwrap_or_default();
        FORBIDDEN.iter().any(|forbidden| forbidden.as_bytes() == name) || name.starts_with(b"x-forwarded-")
    }
}

/// What no trailer field may say (RFC 9110, section 6.5.1): where the message ends, whom it is for, who sends it, under which conditions, how
/// its content is to be read, and what concerns the connection only.
const FORBIDDEN: &[&str] = &[
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-real-ip",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a whole input is, and how many octets of it are sound.
    fn judge(input: &[u8]) -> Scanned {
        Chunks::new().scan(input)
    }

    /// The same, read in pieces.
    fn judge_in_pieces<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Chunks, Scanned) {
        let mut chunks = Chunks::new();
        let mut sum = 0;
        for piece in pieces {
            let Scanned { taken, then } = chunks.scan(piece);
            sum += taken;
            if then != Then::More {
                return (chunks, Scanned { taken: sum, then });
            }
            assert_eq!(taken, piece.len());
        }
        (chunks, Scanned { taken: sum, then: Then::More })
    }

    const SOUND: &[&str] = &[
        "0\r\n\r\n",
        "00000000\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "5\r\n\r\n\r\n0\r\n0\r\n\r\n",
        "000000000000000a\r\n0123456789\r\n0\r\n\r\n",
        "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
        "5;a\r\nhello\r\n0;b=c;d=\"e\"\r\n\r\n",
        "5;a=\"\"\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b; \\\"c\\\\ \t\"\r\nhello\r\n0\r\n\r\n",
        "5;chunk-signature=0123456789abcdef\r\nhello\r\n0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "0\r\nX:\r\nChecksum:  sha-256=:abc=: \t\r\nHosts: a\r\nX-Forward: b\r\nTes: x\r\n\r\n",
    ];

    #[test]
    fn a_sound_body_ends_at_its_last_octet() {
        for text in SOUND {
            let whole = text.as_bytes();
            let after = [whole, b"GET / HTTP/1.1\n\n"].concat();
            let end = Scanned { taken: whole.len(), then: Then::End };
            assert_eq!(judge(&after), end, "{text:?}");
            for split in 0..whole.len() {
                let (_, open) = judge_in_pieces([&whole[..split]]);
                assert_eq!(open, Scanned { taken: split, then: Then::More }, "{text:?} to {split}");
                let (_, ended) = judge_in_pieces([&after[..split], &after[split..]]);
                assert_eq!(ended, end, "{text:?} in two pieces at {split}");
            }
            assert_eq!(judge_in_pieces(after.chunks(1)).1, end, "{text:?} octet by octet");
            assert_eq!(literal(&after), Some(whole.len()), "{text:?} by the grammar");
        }
    }

    /// What is refused, how many octets of it are sound, and why it is refused.
    const FAULTY: &[(&str, usize, Fault)] = &[
        // The size.
        ("\r\n", 0, Fault::Size),
        ("\n", 0, Fault::Size),
        (" 5\r\nhello\r\n0\r\n\r\n", 0, Fault::Size),
        ("\t5\r\nhello\r\n0\r\n\r\n", 0, Fault::Size),
        ("+5\r\nhello\r\n0\r\n\r\n", 0, Fault::Size),
        ("-5\r\nhello\r\n0\r\n\r\n", 0, Fault::Size),
        ("0x5\r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("0X5\r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("5h\r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("5_0\r\n", 1, Fault::Size),
        ("5,5\r\n", 1, Fault::Size),
        ("5.0\r\n", 1, Fault::Size),
        ("5 \r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("5\t\r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("5 ;a\r\nhello\r\n0\r\n\r\n", 1, Fault::Size),
        ("5\0\r\n", 1, Fault::Size),
        ("\"5\"\r\n", 0, Fault::Size),
        (";a\r\n", 0, Fault::Size),
        ("x\r\n", 0, Fault::Size),
        ("00000000000000005\r\n", 16, Fault::TooLarge),
        ("10000000000000000\r\n", 16, Fault::TooLarge),
        ("8000000000000000\r\n", 15, Fault::TooLarge),
        ("ffffffffffffffff\r\n", 15, Fault::TooLarge),
        ("fffffffffffffffff\r\n", 15, Fault::TooLarge),
        // Line ends.
        ("5\nhello\r\n0\r\n\r\n", 1, Fault::LineEnd),
        ("5\rhello\r\n0\r\n\r\n", 2, Fault::LineEnd),
        ("5\r\r\nhello\r\n0\r\n\r\n", 2, Fault::LineEnd),
        ("5;a\nhello\r\n0\r\n\r\n", 3, Fault::LineEnd),
        ("5\r\nhello\n0\r\n\r\n", 8, Fault::Data),
        ("5\r\nhello\r0\r\n\r\n", 9, Fault::LineEnd),
        ("5\r\nhello\r\r\n0\r\n\r\n", 9, Fault::LineEnd),
        ("5\r\nhello0\r\n\r\n", 8, Fault::Data),
        ("5\r\nhelloo\r\n0\r\n\r\n", 8, Fault::Data),
        ("5\r\nhell\r\n0\r\n\r\n", 8, Fault::Data),
        ("5\r\nhello\r\n\r\n0\r\n\r\n", 10, Fault::Size),
        ("0\n\r\n", 1, Fault::LineEnd),
        ("0\r\n\n", 3, Fault::Field),
        ("0\r\n\rX", 4, Fault::LineEnd),
        ("0\r\n\r\r\n", 4, Fault::LineEnd),
        // Extensions.
        ("5;\r\nhello\r\n0\r\n\r\n", 2, Fault::Extension),
        ("5;\nhello\r\n0\r\n\r\n", 2, Fault::Extension),
        ("5;;a\r\n", 2, Fault::Extension),
        ("5; a\r\n", 2, Fault::Extension),
        ("5;a \r\n", 3, Fault::Extension),
        ("5;a =b\r\n", 3, Fault::Extension),
        ("5;a= b\r\n", 4, Fault::Extension),
        ("5;a=\r\n", 4, Fault::Extension),
        ("5;a=b=c\r\n", 5, Fault::Extension),
        ("5;a=b\"\r\n", 5, Fault::Extension),
        ("5;=b\r\n", 2, Fault::Extension),
        ("5;a\rX", 4, Fault::LineEnd),
        ("5;a=b\rc\r\n", 6, Fault::LineEnd),
        ("5;a=\"b\r\n", 6, Fault::Extension),
        ("5;a=\"b\n\"\r\n", 6, Fault::Extension),
        ("5;a=\"b\\\r\n", 7, Fault::Extension),
        ("5;a=\"b\"c\r\n", 7, Fault::Extension),
        ("5;a=\"\0\"\r\n", 5, Fault::Extension),
        ("5;\u{e9}\r\n", 2, Fault::Extension),
        // The trailer section.
        ("0\r\n X: y\r\n\r\n", 3, Fault::Field),
        ("0\r\nX: y\r\n folded\r\n\r\n", 9, Fault::Field),
        ("0\r\nX : y\r\n\r\n", 4, Fault::Field),
        ("0\r\n: y\r\n\r\n", 3, Fault::Field),
        ("0\r\nX\r\n\r\n", 4, Fault::Field),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", 6, Fault::Field),
        ("0\r\nX: y\n\r\n", 7, Fault::LineEnd),
        ("0\r\nX: y\rz\r\n\r\n", 8, Fault::LineEnd),
        ("0\r\nX: \0\r\n\r\n", 6, Fault::Field),
        ("0\r\nX: \u{7f}\r\n\r\n", 6, Fault::Field),
        ("0\r\nContent-Length: 5\r\n\r\n", 17, Fault::ForbiddenField),
        ("0\r\nContent-Length:5\r\n\r\n", 17, Fault::ForbiddenField),
        ("0\r\nTRANSFER-ENCODING: chunked\r\n\r\n", 20, Fault::ForbiddenField),
        ("0\r\nX: y\r\nhost: a\r\n\r\n", 13, Fault::ForbiddenField),
        ("0\r\nAuthorization: Basic x\r\n\r\n", 16, Fault::ForbiddenField),
        ("0\r\nProxy-Authorization: x\r\n\r\n", 22, Fault::ForbiddenField),
        ("0\r\nX-Forwarded-For: x\r\n\r\n", 18, Fault::ForbiddenField),
        ("0\r\nX-Forwarded-Anything-Else: x\r\n\r\n", 28, Fault::ForbiddenField),
    ];

    #[test]
    fn what_has_two_readings_is_refused_at_the_same_octet_however_it_comes() {
        for &(text, sound, fault) in FAULTY {
            let expected = Scanned { taken: sound, then: Then::Fault(fault) };
            let input = text.as_bytes();
            assert_eq!(judge(input), expected, "{text:?}");
            for split in 0..input.len() {
                let (_, found) = judge_in_pieces([&input[..split], &input[split..]]);
                assert_eq!(found, expected, "{text:?} in two pieces at {split}");
            }
            assert_eq!(judge_in_pieces(input.chunks(1)).1, expected, "{text:?} octet by octet");
            assert_eq!(literal(input), None, "{text:?} by the grammar");
        }
    }

    #[test]
    fn every_forbidden_name_is_known() {
        for name in FORBIDDEN {
            assert!(name.len() < Name::LONGEST && **name == *name.to_ascii_lowercase(), "{name}");
            for (name, is_forbidden) in
                [(name.to_ascii_uppercase(), true), (format!("{name}s"), false), (format!("x{name}"), false)]
            {
                let then = judge(format!("0\r\n{name}: x\r\n\r\n").as_bytes()).then;
                assert_eq!(then == Then::Fault(Fault::ForbiddenField), is_forbidden, "{name}");
            }
        }
        assert!(FORBIDDEN.is_sorted());
    }

    #[test]
    fn everything_beside_the_content_is_bounded() {
        let then = |text: &str| judge(text.as_bytes()).then;
        let extension = "x".repeat(usize::from(EXTENSIONS) - 1);
        assert_eq!(then(&format!("0;{extension}\r\n\r\n")), Then::End);
        assert_eq!(then(&format!("0;{extension}x")), Then::Fault(Fault::Extensions));
        let many = "1;abc\r\nx\r\n".repeat(usize::from(EXTENSIONS) / 4);
        assert_eq!(then(&format!("{many}0\r\n\r\n")), Then::End);
        assert_eq!(then(&format!("{many}0;a\r\n\r\n")), Then::Fault(Fault::Extensions));
        let value = "y".repeat(usize::from(TRAILERS) - 4);
        assert_eq!(then(&format!("0\r\nX:{value}\r\n\r\n")), Then::End);
        assert_eq!(then(&format!("0\r\nX:{value}y\r\n\r\n")), Then::Fault(Fault::Trailers));
        let fields = "X: y\r\n".repeat(usize::from(TRAILER_FIELDS));
        assert_eq!(then(&format!("0\r\n{fields}\r\n")), Then::End);
        assert_eq!(then(&format!("0\r\n{fields}X")), Then::Fault(Fault::Trailers));
    }

    /// The end of the body that `input` begins with, by the grammar of section 7.1, without its bounds: line by line, each looked at whole.
    fn literal(input: &[u8]) -> Option<usize> {
        let token = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";
        let text = r"[\t \x21-\x7e\x80-\xff]";
        let quoted = format!(r#""(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\{text})*""#);
        let size_line = format!(r"(?s-u)\A([0-9A-Fa-f]{{1,16}})(?:;{token}(?:=(?:{token}|{quoted}))?)*\z");
        let size_line = regex::bytes::Regex::new(&size_line).unwrap();
        let field_line = regex::bytes::Regex::new(&format!(r"(?s-u)\A({token}):{text}*\z")).unwrap();
        let line = |from: usize| {
            let rest = input.get(from..)?;
            let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
            Some((&rest[..end], from + end + 2))
        };
        let mut at = 0;
        loop {
            let (text, data) = line(at)?;
            let size = str::from_utf8(size_line.captures(text)?.get(1)?.as_bytes()).ok()?;
            let size = i64::from_str_radix(size, 16).ok().and_then(|size| usize::try_from(size).ok())?;
            at = data;
            if size == 0 {
                break;
            }
            let end = at.checked_add(size)?;
            if input.get(end..end.checked_add(2)?)? != b"\r\n" {
                return None;
            }
            at = end + 2;
        }
        loop {
            let (text, next) = line(at)?;
            at = next;
            if text.is_empty() {
                return Some(at);
            }
            let name = field_line.captures(text)?.get(1)?.as_bytes().to_ascii_lowercase();
            let name = String::from_utf8(name).ok()?;
            if FORBIDDEN.contains(&name.as_str()) || name.starts_with("x-forwarded-") {
                return None;
            }
        }
    }

    /// Octets by which a body that goes on can end.
    fn completion(chunks: &Chunks) -> Vec<u8> {
        let last = b"0\r\n\r\n";
        let size_end = |rest: &[u8]| {
            let data = usize::try_from(chunks.left).unwrap();
            let data =
                if data == 0 { b"\r\n".to_vec() } else { [&vec![b'x'; data], b"\r\n".as_slice(), last].concat() };
            [rest, &data].concat()
        };
        match chunks.at {
            At::Size if chunks.digits == 0 => last.to_vec(),
            At::Size | At::ExtensionName | At::ExtensionValue | At::Unquoted => size_end(b"\r\n"),
            At::ExtensionStart | At::ExtensionValueStart => size_end(b"a\r\n"),
            At::Quoted => size_end(b"\"\r\n"),
            At::Escaped => size_end(b"a\"\r\n"),
            At::SizeFeed => size_end(b"\n"),
            At::Data => size_end(b""),
            At::DataReturn => [b"\r\n", last.as_slice()].concat(),
            At::DataFeed => [b"\n", last.as_slice()].concat(),
            At::LineStart => b"\r\n".to_vec(),
            // Longer than any name that is forbidden.
            At::FieldName => b"-and-no-name-that-anybody-forbids:\r\n\r\n".to_vec(),
            At::FieldValue => b"\r\n\r\n".to_vec(),
            At::FieldFeed => b"\n\r\n".to_vec(),
            At::LastFeed => b"\n".to_vec(),
        }
    }

    /// Octets that mean something here, more often than others.
    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => proptest::sample::select(SOUND).prop_map(|text| text.as_bytes().to_vec()),
            6 => proptest::sample::select(b"0123456789abcdefABCDEF\r\n\r\n\r\n;;=\"\\: \tXx".as_slice()).prop_map(|octet| vec![octet]),
            4 => Just(b"\r\n".to_vec()),
            2 => proptest::sample::select(FAULTY).prop_map(|(text, ..)| text.as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|octet| vec![octet]),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn the_verdict_is_that_of_the_grammar(input in octets()) {
            let (chunks, found) = judge_in_pieces([input.as_slice()]);
            match found.then {
                Then::End => prop_assert_eq!(literal(&input), Some(found.taken)),
                Then::Fault(_) => prop_assert_eq!(literal(&input), None),
                Then::More => {
                    prop_assert_eq!(literal(&input), None);
                    if chunks.left < 1 << 20 {
                        let whole = [input.as_slice(), &completion(&chunks)].concat();
                        prop_assert_eq!(literal(&whole), Some(whole.len()), "it could still end");
                        prop_assert_eq!(judge(&whole), Scanned { taken: whole.len(), then: Then::End });
                    }
                }
            }
        }

        #[test]
        fn the_verdict_does_not_depend_on_how_the_octets_arrive(
            input in octets(),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
            cuts.extend([0, input.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &input[cut[0]..cut[1]]);
            prop_assert_eq!(judge_in_pieces(pieces), judge_in_pieces([input.as_slice()]));
        }

        #[test]
        fn a_sound_body_with_other_octets_in_it_is_read_by_the_grammar(
            text in proptest::sample::select(SOUND),
            at in any::<proptest::sample::Index>(),
            cut in 0..3_usize,
            other in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b';'), any::<u8>()], 0..3),
        ) {
            let at = at.index(text.len());
            let rest = text.as_bytes().get(at + cut..).unwrap_or_default();
            let input = [&text.as_bytes()[..at], other.as_slice(), rest].concat();
            let found = judge(&input);
            prop_assert_eq!((found.then == Then::End).then_some(found.taken), literal(&input));
        }
    }
}
