//! Writing a string so that it cannot leave the place where it lands.
//!
//! The place is decided once, when a layout is compiled (`context.rs`); here are the writers, one for each kind of place.
//! Finished markup is not escaped as text, but within an attribute even markup may not close the quotes or open a tag, and in a
//! URL it is no more than the characters that it shows.

use crate::value::Origin;
use std::borrow::Cow;

/// Where an output lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// A format without a structure, or a layout that turned escaping off.
    Plain,
    /// Between tags.
    Text,
    /// Within a quoted attribute.
    Attribute,
    /// Between tags, or in a section of character data, of XML.
    XmlText,
    /// Within a quoted attribute of XML.
    XmlAttribute,
    /// Within a quoted attribute that holds a URL.
    Url(UrlPart),
    /// The same in XML.
    XmlUrl(UrlPart),
    /// Within a quoted attribute that lists URLs of images.
    Images,
    /// Within a script, or outside the quotes of JSON, where only JSON can stand.
    Script,
    /// Within JavaScript, where the same is a literal of its own.
    Code,
    /// Within the quotes of a string of JSON.
    JsonText,
    /// A cell of comma-separated values on its own.
    CsvCell,
    /// Within the quotes of such a cell. At its start a formula could begin.
    CsvQuoted { start: bool },
    /// A place where nothing is safe; there is a finding about it.
    Nowhere,
}

impl Sink {
    /// The same place in XML.
    pub(super) fn in_xml(self) -> Self {
        match self {
            Self::Text => Self::XmlText,
            Self::Attribute | Self::Images => Self::XmlAttribute,
            Self::Url(part) => Self::XmlUrl(part),
            other @ (Self::Plain | Self::XmlText | Self::XmlAttribute | Self::XmlUrl(_) | Self::Script) => other,
            other @ (Self::Code | Self::JsonText | Self::CsvCell | Self::CsvQuoted { .. } | Self::Nowhere) => other,
        }
    }

    /// The same place for a value that a filter has made ready for it, if that is a query.
    pub(super) fn of_encoded(self) -> Self {
        match self {
            Self::Url(UrlPart::Query) => Self::Url(UrlPart::Encoded),
            Self::XmlUrl(UrlPart::Query) => Self::XmlUrl(UrlPart::Encoded),
            other @ (Self::Plain | Self::Text | Self::Attribute | Self::XmlText | Self::XmlAttribute) => other,
            other @ (Self::Url(_) | Self::XmlUrl(_) | Self::Images | Self::Script | Self::JsonText) => other,
            other @ (Self::Code | Self::CsvCell | Self::CsvQuoted { .. } | Self::Nowhere) => other,
        }
    }

    /// Whether an integer is written as it is.
    #[inline]
    pub(super) fn takes_digits(self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// Whether a value must be written in one piece.
    pub(super) fn takes_whole(self) -> bool {
        matches!(self, Self::CsvCell | Self::CsvQuoted { .. })
    }
}

/// Which part of a URL a value is (RFC 3986, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlPart {
    /// The whole, or the beginning, where a scheme could be given.
    Start,
    /// What its parts are is not known, but it gives no scheme.
    Rest,
    /// A piece of the path after the slash it begins with, where another slash would begin a host.
    Root,
    /// A piece of the path.
    Path,
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

/// What stands for a URL whose scheme could run code.
const BLOCKED: &str = "#blocked";

/// Schemes that a link from data may have. Anything without a scheme is relative, and fine.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "sms"];

/// Appends `text` as it must be written in `sink`.
#[inline]
pub(super) fn write(text: &str, origin: Origin, sink: Sink, out: &mut String) {
    match (sink, origin) {
        (Sink::Text | Sink::Attribute, Origin::Outside) => replace::<Text>(text, out),
        (Sink::Text, Origin::Markup | Origin::Authored) | (Sink::Plain, _) => out.push_str(text),
        (Sink::Url(UrlPart::Start), Origin::Outside) => link(text, out),
        _ => write_elsewhere(text, origin, sink, out),
    }
}

/// The same, wherever it is: nearly everything goes between tags or into attributes.
fn write_elsewhere(text: &str, origin: Origin, sink: Sink, out: &mut String) {
    let markup = origin != Origin::Outside;
    match sink {
        Sink::Plain => out.push_str(text),
        Sink::XmlText => write(&without_foreign(text), origin, Sink::Text, out),
        Sink::XmlUrl(part) => write(&without_foreign(text), origin, Sink::Url(part), out),
        Sink::XmlAttribute => write(&without_foreign(text), origin, Sink::Attribute, out),
        Sink::Text if markup => out.push_str(text),
        Sink::Text => escape(text, out),
        Sink::Attribute if markup => replace::<Quoted>(text, out),
        Sink::Attribute => escape(text, out),
        Sink::Url(part) if markup => url(&characters(text), part, origin, out),
        Sink::Url(part) => url(text, part, origin, out),
        Sink::Images if markup => images(&characters(text), out),
        Sink::Images => images(text, out),
        Sink::Script => script(text, out),
        Sink::Code => code(text, out),
        Sink::JsonText => json_text(text, out),
        Sink::CsvCell => csv_cell(text, out),
        Sink::CsvQuoted { start } => csv_quoted(text, start, out),
        Sink::Nowhere => {}
    }
}

/// Appends `text` with the five characters of markup as character references.
pub(super) fn escape(text: &str, out: &mut String) {
    replace::<Text>(text, out);
}

/// What stands for a character that XML cannot hold, not even as a reference.
const FOREIGN: &str = "\u{fffd}";

/// `text` with the characters that would make a whole XML document unreadable (XML 1.0, section 2.2) replaced.
fn without_foreign(text: &str) -> Cow<'_, str> {
    let foreign =
        |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(foreign) { text.replace(foreign, FOREIGN).into() } else { text.into() }
}

/// An escaper is a type, so that the code of each is made for its own characters, wherever it is called.
trait Escaper {
    /// The characters that it replaces, ASCII all of them: those that are the second byte once the bits of the first are set.
    const REPLACED: &'static [(u8, u8)];
    /// It replaces all characters up to this one, too.
    const UP_TO: Option<u8> = None;

    /// Where the first of them is in a long text, if that is found sooner than by looking at words; `Some(0)` if it is not.
    fn first(_: &[u8]) -> Option<usize> {
        Some(0)
    }

    /// Appends what stands for one of these characters. Each is a constant, so that it is written in an instruction or two.
    fn push(character: u8, out: &mut String);
}

/// Text, between tags or within quotes.
struct Text;

impl Escaper for Text {
    const REPLACED: &'static [(u8, u8)] = &[(b'&' ^ b'\'', b'\''), (0, b'"'), (b'<' ^ b'>', b'>')];

    fn first(text: &[u8]) -> Option<usize> {
        let sign = memchr::memchr3(b'&', b'<', b'>', text);
        let quote = memchr::memchr2(b'"', b'\'', text.get(..sign.unwrap_or(text.len())).unwrap_or_default());
        quote.or(sign)
    }

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'&' => out.push_str("&amp;"),
            other => Quoted::push(other, out),
        }
    }
}

/// Markup within quotes.
struct Quoted;

impl Escaper for Quoted {
    const REPLACED: &'static [(u8, u8)] = &[(0, b'\''), (0, b'"'), (b'<' ^ b'>', b'>')];

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'<' => out.push_str("&lt;"),
            b'>' => out.push_str("&gt;"),
            b'"' => out.push_str("&quot;"),
            _ => out.push_str("&#39;"),
        }
    }
}

/// A URL.
struct Url;

impl Escaper for Url {
    const REPLACED: &'static [(u8, u8)] = &[(b'&' ^ b'\'', b'\''), (0, b'"'), (b'<' ^ b'>', b'>'), (0, b'`')];
    const UP_TO: Option<u8> = Some(b' ');

    #[inline]
    fn push(character: u8, out: &mut String) {
        match character {
            b'&' => out.push_str("&amp;"),
            other => percent(other, out),
        }
    }
}

/// A quoted cell of comma-separated values.
struct Cell;

impl Escaper for Cell {
    const REPLACED: &'static [(u8, u8)] = &[(0, b'"')];

    #[inline]
    fn push(_: u8, out: &mut String) {
        out.push_str("\"\"");
    }
}

/// Appends `text` as the escaper has it. Most text has nothing to replace, so eight characters are looked at together, and what
/// stands between those that are replaced is copied whole.
#[inline]
fn replace<E: Escaper>(text: &str, out: &mut String) {
    if is_short_and_clean::<E>(text.as_bytes()) { out.push_str(text) } else { replace_in_longer::<E>(text, out) }
}

/// A text from so many bytes on is long.
const LONG: usize = 64;

fn replace_in_longer<E: Escaper>(text: &str, out: &mut String) {
    let first = if text.len() < LONG { Some(0) } else { E::first(text.as_bytes()) };
    // It is ASCII, so a character begins there.
    let (clean, rest) = text.split_at_checked(first.unwrap_or(text.len())).unwrap_or(("", text));
    out.push_str(clean);
    if !rest.is_empty() {
        replace_all::<E>(rest, out);
    }
}

/// Whether it is no more than two words, and nothing in them is replaced, as in most of the words and names of a page.
#[inline]
fn is_short_and_clean<E: Escaper>(text: &[u8]) -> bool {
    // What is read twice is the same both times.
    let (first, last) = match (text.first_chunk(), text.last_chunk()) {
        (Some(&first), Some(&last)) if text.len() <= 16 => (u64::from_le_bytes(first), u64::from_le_bytes(last)),
        (Some(_), _) => return false,
        (None, _) => (last_word(text, text), 0),
    };
    marks::<E>(first) | marks::<E>(last) == 0
}

fn replace_all<E: Escaper>(text: &str, out: &mut String) {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let (pairs, odd) = words.as_chunks::<2>();
    let mut copied = 0;
    for (number, pair) in pairs.iter().enumerate() {
        let [first, second] = pair.map(|word| marks::<E>(u64::from_le_bytes(word)));
        if first | second != 0 {
            copied = replace_marked::<E>(text, copied, number * 16, first, out);
            copied = replace_marked::<E>(text, copied, number * 16 + 8, second, out);
        }
    }
    if let [word] = odd {
        let marks = marks::<E>(u64::from_le_bytes(*word));
        if marks != 0 {
            copied = replace_marked::<E>(text, copied, pairs.len() * 16, marks, out);
        }
    }
    if !rest.is_empty() {
        let marks = marks::<E>(last_word(text.as_bytes(), rest));
        if marks != 0 {
            copied = replace_marked::<E>(text, copied, words.len() * 8, marks, out);
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
}

/// The end of `text`, which is less than a word, filled up with NULs.
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    if let Some(&last) = text.last_chunk() {
        return u64::from_le_bytes(last) >> (64 - 8 * rest.len());
    }
    // What is read twice is the same both times.
    if let (Some(&first), Some(&last)) = (rest.first_chunk(), rest.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(last)) << (8 * (rest.len() - 4));
        return u64::from(u32::from_le_bytes(first)) | last;
    }
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The highest bit of each byte that the escaper replaces.
///
/// Reckoned on the whole word: whether the compiler makes vector instructions of a look at one byte after the other depends on
/// what it happened to inline before, and with it a third of the time of a page.
fn marks<E: Escaper>(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const LOW: u64 = 0x7f * ONES;
    let each = |byte: u8| u64::from(byte) * ONES;
    let low = word & LOW;
    // The sum of seven bits and 0x7f reaches the eighth bit unless they are all zero: where the character is that one.
    let others = |&(mask, value): &(u8, u8)| ((low | each(mask)) ^ each(value)) + LOW;
    // And so does the sum with what `UP_TO` lacks to it, above `UP_TO`.
    let above = E::UP_TO.map_or(u64::MAX, |last| low + each(0x7f - last));
    !E::REPLACED.iter().map(others).fold(above, |all, others| all & others) & !word & !LOW
}

/// Appends what has not been copied before each mark, and what stands for the character there; how far `text` is then copied.
#[inline]
fn replace_marked<E: Escaper>(text: &str, mut copied: usize, start: usize, mut marks: u64, out: &mut String) -> usize {
    while marks != 0 {
        let at = start + marks.trailing_zeros() as usize / 8;
        // Behind the end there are NULs.
        let Some(&character) = text.as_bytes().get(at) else { break };
        out.push_str(text.get(copied..at).unwrap_or(""));
        E::push(character, out);
        copied = at + 1;
        marks &= marks - 1;
    }
    copied
}

/// A whole URL that comes from outside.
fn link(text: &str, out: &mut String) {
    if is_safe(text) { replace::<Url>(text, out) } else { out.push_str(BLOCKED) }
}

/// A part of a URL: characters, and no markup. What the authors of the site have written may be several pieces of a query.
fn url(text: &str, part: UrlPart, origin: Origin, out: &mut String) {
    match part {
        UrlPart::Start => link(text, out),
        UrlPart::Rest => replace::<Url>(text, out),
        UrlPart::Root => path(text, true, out),
        UrlPart::Path => path(text, false, out),
        UrlPart::Query | UrlPart::Encoded if origin == Origin::Authored => replace::<Url>(text, out),
        // The authors may write a whole URL in pieces.
        UrlPart::Host | UrlPart::BehindHost | UrlPart::Port if origin == Origin::Authored => replace::<Url>(text, out),
        UrlPart::Query => percent_encode(text, b"", "%20", out),
        UrlPart::Encoded => encode_rest(text, out),
        UrlPart::Host => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~:[]".contains(&byte), out),
        UrlPart::BehindHost => behind_host(text, out),
        UrlPart::Port => percent_encode_but(text, |_| false, out),
        UrlPart::Opaque => percent_encode_but(text, |byte| byte >= 0x80 || b"-._~!$'()*+,;=:@/%".contains(&byte), out),
        UrlPart::Piece => match so_far(out) {
            SoFar::Query => url(text, UrlPart::Query, origin, out),
            SoFar::Nothing | SoFar::Scheme | SoFar::Root | SoFar::Host | SoFar::Named | SoFar::Path => {
                path(text, false, out);
            }
        },
        UrlPart::Next => {
            let part = match so_far(out) {
                SoFar::Nothing | SoFar::Scheme => UrlPart::Start,
                SoFar::Root => UrlPart::Root,
                SoFar::Host => UrlPart::Host,
                SoFar::Named => UrlPart::BehindHost,
                SoFar::Path => UrlPart::Rest,
                SoFar::Query => UrlPart::Query,
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
    /// No more than a slash.
    Root,
    /// The slashes in front of a host.
    Host,
    /// Within the name of a host, or at its end.
    Named,
    Path,
    Query,
}

/// How far the URL has come whose attribute `out` ends in. No value holds the quote that it began with, and no URL does.
fn so_far(out: &str) -> SoFar {
    let start = out.rfind(['"', '\'']).map_or(0, |quote| quote + 1);
    let url = out.get(start..).unwrap_or("").trim_start_matches(|character: char| character <= ' ');
    let is_slash = |character: char| matches!(character, '/' | '\\');
    if url.contains(['?', '#']) {
        return SoFar::Query;
    }
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest)) if !scheme.contains(is_slash) => (scheme, rest),
        _ => ("", url),
    };
    let name = rest.trim_start_matches(is_slash);
    let slashes = rest.len() - name.len();
    match slashes {
        _ if url.is_empty() => SoFar::Nothing,
        0 if scheme.is_empty() && !name.contains(is_slash) => SoFar::Scheme,
        1 if scheme.is_empty() && name.is_empty() => SoFar::Root,
        0 | 1 if scheme.is_empty() => SoFar::Path,
        _ if name.contains(is_slash) => SoFar::Path,
        _ if name.is_empty() => SoFar::Host,
        _ => SoFar::Named,
    }
}

/// What stands behind the name of a host that the layout has written: more of the name it cannot be.
fn behind_host(text: &str, out: &mut String) {
    if !text.is_empty() && !text.starts_with(['/', '\\', '?', '#']) {
        out.push('/');
    }
    replace::<Url>(text, out);
}

/// Percent-encodes everything but ASCII letters, digits and what is `kept`. An escape that is there already is one if its sign is kept.
fn percent_encode_but(text: &str, kept: impl Fn(u8) -> bool, out: &mut String) {
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
fn characters(markup: &str) -> Cow<'_, str> {
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
pub(super) fn reference_length(text: &str) -> usize {
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
fn path(text: &str, root: bool, out: &mut String) {
    // An empty piece stood between two slashes, which would begin a host.
    if root && out.len() >= 2 && out.as_bytes().iter().rev().take(2).all(|byte| matches!(byte, b'/' | b'\\')) {
        out.pop();
        out.push_str("./");
    }
    let host = if root { text.len() - text.trim_start_matches(['/', '\\']).len() } else { 0 };
    let (slashes, text) = text.split_at_checked(host).unwrap_or(("", text));
    slashes.bytes().for_each(|byte| percent(byte, out));
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

/// Whether there is a percent-encoded byte at `at`.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Percent-encodes what is not encoded yet of a piece of a query; `+` is a space there.
fn encode_rest(text: &str, out: &mut String) {
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'+' => out.push(char::from(byte)),
            b'%' if is_escape(text.as_bytes(), at) => out.push('%'),
            byte => percent(byte, out),
        }
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3) and those in `kept`; a space becomes `space`.
pub(super) fn percent_encode(text: &str, kept: &[u8], space: &str, out: &mut String) {
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push_str(space),
            byte if kept.contains(&byte) => out.push(char::from(byte)),
            byte => percent(byte, out),
        }
    }
}

fn percent(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    out.push('%');
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
}

/// A list of images: each of its URLs must be one that a link could be.
fn images(text: &str, out: &mut String) {
    for (number, candidate) in text.split(',').enumerate() {
        if number > 0 {
            out.push(',');
        }
        escape(if is_safe(candidate) { candidate } else { BLOCKED }, out);
    }
}

/// A string of JSON without its quotes. What could end a script is escaped as well, because it may stand in one.
fn json_text(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && !matches!(byte, b'"' | b'\\') {
            continue;
        }
        script(text.get(from..at).unwrap_or(""), out);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                out.push_str("\\u00");
                let mut digits = String::new();
                percent(other, &mut digits);
                out.push_str(digits.trim_start_matches('%'));
            }
        }
    }
    script(text.get(from..).unwrap_or(""), out);
}

/// With what programs that open comma-separated values take for a formula. Some of them pass over white space before it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// So much of a cell is looked at for what it begins with.
const LONGEST_BEGINNING: usize = 256;

fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\0' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

/// Whether a cell that is this would be computed. A number may have a sign.
fn is_formula(text: &str) -> bool {
    let bare = text.trim_matches(is_blank);
    let is_number = || {
        let is_of_number = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        bare.len() < LONGEST_BEGINNING && bare.bytes().all(is_of_number) && bare.parse::<f64>().is_ok()
    };
    bare.starts_with(FORMULA) && !is_number() || text.starts_with(['\t', '\r', '\n'])
}

/// A cell, in quotes if it needs them (RFC 4180, section 2). An apostrophe before it keeps a formula from being one.
fn csv_cell(text: &str, out: &mut String) {
    let quotes = text.contains([',', ';', '\t', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
    if quotes {
        out.push('"');
    }
    if is_formula(text) {
        out.push('\'');
    }
    replace::<Cell>(text, out);
    if quotes {
        out.push('"');
    }
}

/// A piece of a cell in quotes. At its `start` there is no text yet, or what was printed, which may have been empty, or a number
/// with a sign, which is a formula together with more.
fn csv_quoted(text: &str, start: bool, out: &mut String) {
    if start && !text.is_empty() {
        let begun = cell_at(out);
        let cell = begun.and_then(|begun| out.get(begun..)).unwrap_or("\"").trim_start_matches(is_blank);
        match begun {
            _ if cell.is_empty() && is_formula(text) => out.push('\''),
            Some(begun) if cell.starts_with(FORMULA) => out.insert(begun, '\''),
            _ => {}
        }
    }
    replace::<Cell>(text, out);
}

/// Where the cell begins at whose end more is printed, behind its quote; nothing if it is long. Within it quotes are doubled.
fn cell_at(out: &str) -> Option<usize> {
    let floor = out.len().saturating_sub(LONGEST_BEGINNING);
    let near = out.as_bytes().get(floor..)?;
    let mut end = near.len();
    while let Some(quote) = memchr::memrchr(b'"', near.get(..end)?) {
        let quotes = near.get(..=quote)?.iter().rev().take_while(|byte| **byte == b'"').count();
        let first = quote + 1 - quotes;
        if quotes % 2 == 1 && (first > 0 || floor == 0) {
            return Some(floor + first + 1);
        }
        end = first;
    }
    (floor == 0).then_some(0)
}

/// JSON for a script element: no character that could end it or begin a comment, none that ends a line in old JavaScript.
fn script(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            // No characters of XML.
            '\u{fffe}' => out.push_str("\\ufffe"),
            '\u{ffff}' => out.push_str("\\uffff"),
            other => out.push(other),
        }
    }
}

/// JSON as a literal of JavaScript. There a member called `__proto__` would be no member but say what the object inherits
/// (ECMA-262, section B.3.1), unless its name is computed.
fn code(text: &str, out: &mut String) {
    const KEY: &str = "\"__proto__\"";
    let mut from = 0;
    for (at, _) in text.match_indices(KEY) {
        let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + KEY.len()..).unwrap_or(""));
        // Behind a backslash it is the end of a longer name.
        if !before.ends_with('\\') && after.starts_with(':') {
            script(text.get(from..at).unwrap_or(""), out);
            out.push_str("[\"__proto__\"]");
            from = at + KEY.len();
        }
    }
    script(text.get(from..).unwrap_or(""), out);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, origin: Origin, sink: Sink) -> String {
        let mut out = String::new();
        write(text, origin, sink, &mut out);
        out
    }

    #[test]
    fn text_and_attributes() {
        let hostile = "<b title=\"x\" id='y'>&amp;";
        let escaped = "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;";
        assert_eq!(written(hostile, Origin::Outside, Sink::Text), escaped);
        assert_eq!(written(hostile, Origin::Outside, Sink::Attribute), escaped);
        assert_eq!(written(hostile, Origin::Markup, Sink::Text), hostile);
        assert_eq!(
            written(hostile, Origin::Markup, Sink::Attribute),
            "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
        assert_eq!(written(hostile, Origin::Outside, Sink::Plain), hostile);
        assert_eq!(written(hostile, Origin::Outside, Sink::Nowhere), "");
    }

    /// Wherever a character stands, and whatever is around it.
    fn replaces<E: Escaper>(replaced: &str) {
        for length in (1..26).chain([40, 65]) {
            for at in 0..length {
                for character in (0..0x80).map(char::from) {
                    let (before, after) = ("é".repeat(at), "\u{7f}".repeat(length - at - 1));
                    let (mut out, mut expected) = (String::new(), String::new());
                    replace::<E>(&format!("{before}{character}{after}"), &mut out);
                    if replaced.contains(character) {
                        E::push(u8::try_from(character).unwrap_or_default(), &mut expected);
                    } else {
                        expected.push(character);
                    }
                    assert_eq!(out, format!("{before}{expected}{after}"));
                }
            }
        }
    }

    #[test]
    fn every_character_is_replaced_wherever_it_stands() {
        let controls: String = (0..=0x20).map(char::from).collect();
        replaces::<Text>("&<>\"'");
        replaces::<Quoted>("<>\"'");
        replaces::<Url>(&format!("&<>\"'`{controls}"));
        replaces::<Cell>("\"");
        let all: String = (0..0x80).map(char::from).chain("ÿ\u{a6}\u{bc}ꚦ".chars()).collect();
        let expected = all.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let expected = expected.replace('"', "&quot;").replace('\'', "&#39;");
        assert_eq!(written(&all, Origin::Outside, Sink::Text), expected);
    }

    #[test]
    fn links_that_could_run_code_are_dead() {
        for text in [
            "javascript:alert(1)",
            " \u{1}javascript:alert(1)",
            "JaVa\tScript:alert(1)",
            "java\nscript:x",
            "vbscript:x",
            "data:text/html,x",
            ":x",
            "java script:x",
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::Url(UrlPart::Start)), BLOCKED, "{text}");
        }
        for origin in [Origin::Markup, Origin::Authored] {
            for text in ["javascript&#58;alert(1)", "java&#x0A;script:x", "&#106;avascript:x"] {
                assert_eq!(written(text, origin, Sink::Url(UrlPart::Start)), BLOCKED, "{text}");
            }
            // What is no reference that we know is none for the browser either.
            let written = written("javascript&colon;alert(1)", origin, Sink::Url(UrlPart::Start));
            assert_eq!(written, "javascript&amp;colon;alert(1)");
        }
    }

    #[test]
    fn links_that_cannot_are_kept() {
        for (text, expected) in [
            ("https://a.example/?a=1&b=\"2\"", "https://a.example/?a=1&amp;b=%222%22"),
            ("/a b/<c>", "/a%20b/%3Cc%3E"),
            ("a\0\u{1f}\t\u{7f}\r\n", "a%00%1F%09\u{7f}%0D%0A"),
            ("MAILTO:me@a.example", "MAILTO:me@a.example"),
            ("a/b:c", "a/b:c"),
            ("?q=a:b", "?q=a:b"),
            ("javascript&colon;x", "javascript&amp;colon;x"),
            ("é", "é"),
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::Url(UrlPart::Start)), expected, "{text}");
        }
        assert_eq!(written("/?a&amp;b", Origin::Markup, Sink::Url(UrlPart::Start)), "/?a&amp;b");
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            written("a\0\u{1}\t\n\u{b}\u{ffff}<", Origin::Outside, Sink::XmlText),
            "a\u{fffd}\u{fffd}\t\n\u{fffd}\u{fffd}&lt;"
        );
        assert_eq!(written("\"\u{1f}é", Origin::Outside, Sink::XmlAttribute), "&quot;\u{fffd}é");
        assert_eq!(written("<b>\0</b>", Origin::Markup, Sink::XmlText), "<b>\u{fffd}</b>");
        assert_eq!(written("/\u{1f}x\u{ffff}", Origin::Outside, Sink::XmlUrl(UrlPart::Start)), "/\u{fffd}x\u{fffd}");
        assert_eq!(written("\0javascript:x", Origin::Outside, Sink::XmlUrl(UrlPart::Start)), BLOCKED);
    }

    #[test]
    fn pieces_of_a_url_stay_pieces() {
        for (text, part, expected) in [
            ("//evil.example", UrlPart::Root, "%2F%2Fevil.example"),
            ("\\/evil.example", UrlPart::Root, "%5C%2Fevil.example"),
            ("a/b?c#d", UrlPart::Root, "a/b%3Fc%23d"),
            ("/a b/\"'<>", UrlPart::Path, "/a%20b/%22%27%3C%3E"),
            ("100% of a%2Fb&c", UrlPart::Path, "100%25%20of%20a%2Fb&amp;c"),
            ("é", UrlPart::Path, "é"),
            ("a&b=c d+e/é%41", UrlPart::Query, "a%26b%3Dc%20d%2Be%2F%C3%A9%2541"),
            ("javascript:x", UrlPart::Path, "javascript:x"),
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::Url(part)), expected, "{text}");
        }
        assert_eq!(written("a&amp;b?", Origin::Markup, Sink::Url(UrlPart::Path)), "a&amp;b%3F");
    }

    #[test]
    fn images_are_links() {
        let text = "/a.png 1x, javascript:alert(1) 2x,\"b.png\"";
        let expected = "/a.png 1x,#blocked,&quot;b.png&quot;";
        assert_eq!(written(text, Origin::Outside, Sink::Images), expected);
    }

    #[test]
    fn a_string_of_json_stays_one() {
        let text = "a\"b\\c\n\u{1}</script>\u{2028}é";
        let expected = "a\\\"b\\\\c\\n\\u0001\\u003c/script\\u003e\\u2028é";
        assert_eq!(written(text, Origin::Outside, Sink::JsonText), expected);
    }

    #[test]
    fn cells_stay_cells_and_compute_nothing() {
        for (text, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("a;b", "\"a;b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,2)", "\"'@SUM(A1,2)\""),
            ("＝1", "'＝1"),
            ("-5.5", "-5.5"),
            ("-5+cmd", "'-5+cmd"),
            ("--5", "'--5"),
            ("+49 30", "'+49 30"),
            ("", ""),
            (" -5.5", "\" -5.5\""),
            (" =1", "\"' =1\""),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{feff}@a", "'\u{feff}@a"),
            ("\n=1", "\"'\n=1\""),
            ("\u{3000}＋1", "'\u{3000}＋1"),
            ("－5", "'－5"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::CsvCell), expected, "{text}");
        }
        assert_eq!(written("=\"a\"", Origin::Outside, Sink::CsvQuoted { start: true }), "'=\"\"a\"\"");
        assert_eq!(written("=\"a\"", Origin::Outside, Sink::CsvQuoted { start: false }), "=\"\"a\"\"");
        for (before, text, expected) in [
            ("a,\"", "=1", "a,\"'=1"),
            ("\"", "-5", "\"-5"),
            ("\" ", "=1", "\" '=1"),
            ("\"\u{a0}", "+cmd", "\"\u{a0}'+cmd"),
            ("\"Ann ", "-x", "\"Ann -x"),
            ("\"-5 ", "+cmd", "\"'-5 +cmd"),
            ("\"-5", "", "\"-5"),
            ("\"-5*", "1", "\"'-5*1"),
            ("\"'-5*", "1", "\"'-5*1"),
            ("\"\"\"a\"\"", "=1", "\"\"\"a\"\"=1"),
            ("\"\"\"\"\"", "=1", "\"\"\"\"\"=1"),
            ("\"a\"\"b\",\"-1", "=1", "\"a\"\"b\",\"'-1=1"),
        ] {
            let mut out = before.to_owned();
            write(text, Origin::Outside, Sink::CsvQuoted { start: true }, &mut out);
            assert_eq!(out, expected, "{text} behind {before}");
        }
    }

    #[test]
    fn no_member_says_what_an_object_inherits() {
        for (text, expected) in [
            ("{\"__proto__\":{\"a\":1}}", "{[\"__proto__\"]:{\"a\":1}}"),
            ("{\n  \"__proto__\": {\"__proto__\": 1}}", "{\n  [\"__proto__\"]: {[\"__proto__\"]: 1}}"),
            ("[\"__proto__\",\"<\"]", "[\"__proto__\",\"\\u003c\"]"),
            ("{\"a\\\"__proto__\":1}", "{\"a\\\"__proto__\":1}"),
            ("\"\\\"__proto__\\\":\"", "\"\\\"__proto__\\\":\""),
            ("{\"\\\\\":1,\"__proto__\":2}", "{\"\\\\\":1,[\"__proto__\"]:2}"),
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::Code), expected);
            assert!(!written(text, Origin::Outside, Sink::Script).contains('[') || text.contains('['), "{text}");
        }
    }

    #[test]
    fn json_in_a_script_cannot_end_it() {
        assert_eq!(
            written("\"</script><!--\u{2028}&\"", Origin::Outside, Sink::Script),
            "\"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026\""
        );
    }
}
