//! Writing a string so that it cannot leave the place where it lands.
//!
//! The place is decided once, when a layout is compiled (`context.rs`); here are the writers, one for each kind of place.
//! Finished markup is not escaped as text, but within an attribute even markup may not close the quotes or open a tag, and in a
//! URL it is no more than the characters that it shows.

mod replace;
mod seen;
mod url;

pub(super) use seen::{Holder, Look, guard, reference};
pub(super) use url::{UrlPart, percent_encode, reference_length};

use super::Buffer;
use crate::value::Origin;
use replace::{Cell, Quoted, Text, replace};
use std::borrow::Cow;
use url::{characters, link, percent_digits, url};

/// Where an output lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// A format without a structure, or a layout that turned escaping off.
    Plain,
    /// Between tags.
    Text,
    /// Within a quoted attribute.
    Attribute,
    /// Between tags of XML.
    XmlText,
    /// In a section of character data, which is read as HTML once it is out of there.
    Section,
    /// Within a quoted attribute of XML.
    XmlAttribute,
    /// Within a quoted attribute that holds a URL.
    Url(UrlPart),
    /// The same in XML.
    XmlUrl(UrlPart),
    /// Within a script, or outside the quotes of JSON, where only JSON can stand.
    Script,
    /// Within JavaScript, where the same is a literal of its own.
    Code,
    /// The same as the name of a member of an object.
    Member,
    /// A number, in a style or a script.
    Number,
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
            Self::Attribute => Self::XmlAttribute,
            Self::Url(part) => Self::XmlUrl(part),
            other @ (Self::Plain | Self::XmlText | Self::Section | Self::XmlAttribute | Self::XmlUrl(_)) => other,
            other @ (Self::Script | Self::Code | Self::Member | Self::Number | Self::JsonText) => other,
            other @ (Self::CsvCell | Self::CsvQuoted { .. } | Self::Nowhere) => other,
        }
    }

    /// The part of a URL that is written here.
    fn url_part(self) -> Option<UrlPart> {
        if let Self::Url(part) | Self::XmlUrl(part) = self { Some(part) } else { None }
    }

    /// The same place for another part of a URL.
    fn with_part(self, part: UrlPart) -> Self {
        if matches!(self, Self::XmlUrl(_)) { Self::XmlUrl(part) } else { Self::Url(part) }
    }

    /// The same place for a value that a filter has made ready for it, if that is a query.
    pub(super) fn of_encoded(self) -> Self {
        match self.url_part() {
            Some(UrlPart::Query) => self.with_part(UrlPart::Encoded),
            Some(UrlPart::Seen(look)) => self.with_part(UrlPart::Seen(Look { encoded: true, ..look })),
            _ => self,
        }
    }

    /// Whether this is in a list of images.
    pub(super) fn is_in_images(self) -> bool {
        matches!(self.url_part(), Some(UrlPart::Seen(look)) if look.holder == Holder::Images)
    }

    /// The same place for a value that is all of such a list.
    pub(super) fn of_images(self) -> Self {
        self.with_part(UrlPart::Images)
    }

    /// Whether an integer is written as it is.
    #[inline]
    pub(super) fn takes_digits(self) -> bool {
        let is_for_page = |part| matches!(part, UrlPart::BehindHost | UrlPart::Seen(_));
        match self {
            Self::Url(part) | Self::XmlUrl(part) => !is_for_page(part),
            // A sign may stand before it.
            Self::Code | Self::Member | Self::Number | Self::Nowhere => false,
            Self::Plain | Self::Text | Self::Attribute | Self::XmlText | Self::XmlAttribute => true,
            Self::Section | Self::Script | Self::JsonText | Self::CsvCell | Self::CsvQuoted { .. } => true,
        }
    }

    /// What is written where a filter gave nothing, because what stands around it would be something else without a value.
    pub(super) fn nothing(self) -> &'static str {
        match self {
            Self::Code | Self::Member | Self::Script => "null",
            Self::Number => "NaN",
            Self::Plain | Self::Text | Self::Attribute | Self::XmlText | Self::XmlAttribute => "",
            Self::Url(_) | Self::XmlUrl(_) | Self::JsonText | Self::CsvCell | Self::CsvQuoted { .. } => "",
            Self::Section | Self::Nowhere => "",
        }
    }

    /// Whether a value must be written in one piece.
    pub(super) fn takes_whole(self) -> bool {
        matches!(self, Self::CsvCell | Self::CsvQuoted { .. })
    }
}

/// Appends `text` as it must be written in `sink`.
#[inline]
pub(super) fn write(text: &str, origin: Origin, sink: Sink, out: &mut Buffer) {
    match (sink, origin) {
        (Sink::Text | Sink::Attribute, Origin::Outside) => replace::<Text>(text, out),
        (Sink::Text, Origin::Markup | Origin::Authored) | (Sink::Plain, _) => out.push_str(text),
        (Sink::Url(UrlPart::Start), Origin::Outside) => link(text, out),
        _ => write_elsewhere(text, origin, sink, out),
    }
}

/// The same, wherever it is: nearly everything goes between tags or into attributes.
fn write_elsewhere(text: &str, origin: Origin, sink: Sink, out: &mut Buffer) {
    let markup = origin != Origin::Outside;
    match sink {
        Sink::Plain => out.push_str(text),
        Sink::XmlText => write(&without_foreign(text), origin, Sink::Text, out),
        Sink::Section => section(&without_foreign(text), origin, out),
        Sink::XmlUrl(part) => write(&without_foreign(text), origin, Sink::Url(part), out),
        Sink::XmlAttribute => write(&without_foreign(text), origin, Sink::Attribute, out),
        Sink::Text if markup => out.push_str(text),
        Sink::Text => escape(text, out),
        Sink::Attribute if markup => replace::<Quoted>(text, out),
        Sink::Attribute => escape(text, out),
        Sink::Url(part) if markup => url(&characters(text), part, origin, out),
        Sink::Url(part) => url(text, part, origin, out),
        Sink::Script => script(text, out),
        Sink::Code => code(text, out),
        Sink::Member => member(text, out),
        Sink::Number => number(text, out),
        Sink::JsonText => json_text(text, out),
        Sink::CsvCell => csv_cell(text, out),
        Sink::CsvQuoted { start } => csv_quoted(text, start, out),
        Sink::Nowhere => {}
    }
}

/// Appends `text` with the five characters of markup as character references.
pub(super) fn escape(text: &str, out: &mut Buffer) {
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

/// A section that ends, and another that goes on.
const NEXT_SECTION: &str = "]]><![CDATA[";

/// A piece of a section of character data, which has no escapes: what would end the section is parted among two. Whatever is no markup
/// must be none for those either who read what is in the section as HTML.
fn section(text: &str, origin: Origin, out: &mut Buffer) {
    if origin == Origin::Outside {
        escape(text, out);
    } else {
        let mut from = 0;
        for at in memchr::memchr_iter(b'>', text.as_bytes()) {
            out.push_str(text.get(from..at).unwrap_or(""));
            if out.as_bytes().ends_with(b"]]") {
                out.push_str(NEXT_SECTION);
            }
            from = at;
        }
        out.push_str(text.get(from..).unwrap_or(""));
    }
    // What the layout goes on with could be the rest of an end.
    if text.ends_with(']') {
        out.push_str(NEXT_SECTION);
    }
}

/// A string of JSON without its quotes. What could end a script is escaped as well, because it may stand in one.
fn json_text(text: &str, out: &mut Buffer) {
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
                out.push_bytes(&percent_digits(other));
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
///
/// Where nothing parts it from the cell before it, as in a loop without separators, it gets one.
fn csv_cell(text: &str, out: &mut Buffer) {
    if !(matches!(out.as_bytes(), [] | [.., b',' | b';' | b'\t' | b'\r' | b'\n'])) {
        out.push_ascii(b',');
    }
    let quotes = text.contains([',', ';', '\t', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
    if quotes {
        out.push_ascii(b'"');
    }
    if is_formula(text) {
        out.push_ascii(b'\'');
    }
    replace::<Cell>(text, out);
    if quotes {
        out.push_ascii(b'"');
    }
}

/// A piece of a cell in quotes. At its `start` there is no text yet, or what was printed, which may have been empty, or a number
/// with a sign, which is a formula together with more.
fn csv_quoted(text: &str, start: bool, out: &mut Buffer) {
    if start && !text.is_empty() {
        let begun = cell_at(out.as_bytes());
        let cell = begun.and_then(|begun| out.since(begun)).unwrap_or("\"").trim_start_matches(is_blank);
        match begun {
            _ if cell.is_empty() && is_formula(text) => out.push_ascii(b'\''),
            // What stands far before it may be nothing but white space.
            None if is_formula(text) => out.push_ascii(b'\''),
            Some(begun) if cell.starts_with(FORMULA) => out.insert_ascii(begun, b'\''),
            _ => {}
        }
    }
    replace::<Cell>(text, out);
}

/// Where the cell begins at whose end more is printed, behind its quote; nothing if it is long. Within it quotes are doubled.
fn cell_at(out: &[u8]) -> Option<usize> {
    let floor = out.len().saturating_sub(LONGEST_BEGINNING);
    let near = out.get(floor..)?;
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
fn script(text: &str, out: &mut Buffer) {
    let mut from = 0;
    // The last two are no characters of XML.
    for (at, found) in text.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}', '\u{fffe}', '\u{ffff}']) {
        out.push_str(text.get(from..at).unwrap_or(""));
        out.push_str(match found {
            "<" => "\\u003c",
            ">" => "\\u003e",
            "&" => "\\u0026",
            "\u{2028}" => "\\u2028",
            "\u{2029}" => "\\u2029",
            "\u{fffe}" => "\\ufffe",
            _ => "\\uffff",
        });
        from = at + found.len();
    }
    out.push_str(text.get(from..).unwrap_or(""));
}

/// What an object inherits from, as a string of JSON.
const PROTO: &str = "\"__proto__\"";

/// Parts a number from the sign before it: `--` would be another sign.
fn part_signs(text: &str, out: &mut Buffer) {
    if text.starts_with('-') && out.as_bytes().ends_with(b"-") {
        out.push_ascii(b' ');
    }
}

/// JSON as the name of a member, which the one that means more to JavaScript must not be.
fn member(text: &str, out: &mut Buffer) {
    if text == PROTO { out.push_str("[\"__proto__\"]") } else { code(text, out) }
}

/// A number; whatever else came is none.
fn number(text: &str, out: &mut Buffer) {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    part_signs(text, out);
    out.push_str(if text.bytes().all(is_of_number) { text } else { Sink::Number.nothing() });
}

/// JSON as a literal of JavaScript. There a member called `__proto__` would be no member but say what the object inherits
/// (ECMA-262, section B.3.1), unless its name is computed.
fn code(text: &str, out: &mut Buffer) {
    part_signs(text, out);
    // In parentheses it is a value, wherever it stands, and no name of a member.
    if text == PROTO {
        return out.push_str("(\"__proto__\")");
    }
    let mut from = 0;
    for (at, _) in text.match_indices(PROTO) {
        let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + PROTO.len()..).unwrap_or(""));
        // Behind a backslash it is the end of a longer name.
        if !before.ends_with('\\') && after.starts_with(':') {
            script(text.get(from..at).unwrap_or(""), out);
            out.push_str("[\"__proto__\"]");
            from = at + PROTO.len();
        }
    }
    script(text.get(from..).unwrap_or(""), out);
}

#[cfg(test)]
mod tests {
    use super::url::BLOCKED;
    use super::*;

    fn written(text: &str, origin: Origin, sink: Sink) -> String {
        let mut out = Buffer::default();
        write(text, origin, sink, &mut out);
        out.into_string()
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
    fn a_section_of_character_data_goes_on() {
        for (before, text, origin, expected) in [
            ("", "<b>a</b>", Origin::Markup, "<b>a</b>"),
            ("", "a[b[0]]>1", Origin::Authored, "a[b[0]]]]><![CDATA[>1"),
            ("", "]]>]]>", Origin::Markup, "]]]]><![CDATA[>]]]]><![CDATA[>"),
            ("]", "]>", Origin::Markup, "]]]]><![CDATA[>"),
            ("]]", ">", Origin::Markup, "]]]]><![CDATA[>"),
            ("", "a]", Origin::Markup, "a]]]><![CDATA["),
            ("", "a]]", Origin::Outside, "a]]]]><![CDATA["),
            ("]]", ">\"\0", Origin::Outside, "]]&gt;&quot;\u{fffd}"),
            ("]]", "", Origin::Outside, "]]"),
        ] {
            let mut out = Buffer::default();
            out.push_str(before);
            write(text, origin, Sink::Section, &mut out);
            assert_eq!(out.into_string(), expected, "{text}");
        }
    }

    #[test]
    fn pieces_of_a_url_stay_pieces() {
        for (text, part, expected) in [
            ("//evil.example", UrlPart::Root, "evil.example"),
            ("\\/evil.example", UrlPart::Root, "evil.example"),
            ("a/b?c#d", UrlPart::Root, "a/b%3Fc%23d"),
            ("a/../b", UrlPart::Name, "a%2F..%2Fb"),
            ("..", UrlPart::Name, "%252E%252E"),
            ("%2e%2e%2fa", UrlPart::Name, "%252e%252e%252fa"),
            ("app.min-1_0~é\\?#&'", UrlPart::Name, "app.min-1_0~%C3%A9%5C%3F%23%26%27"),
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
        let expected = "/a.png 1x, #blocked 2x,&quot;b.png&quot;";
        assert_eq!(written(text, Origin::Outside, Sink::Url(UrlPart::Images)), expected);
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
            let mut out = Buffer::from(before);
            write(text, Origin::Outside, Sink::CsvQuoted { start: true }, &mut out);
            assert_eq!(out.into_string(), expected, "{text} behind {before}");
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
