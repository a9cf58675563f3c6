//! Writing a string so that it cannot leave the place where it lands.
//!
//! The place is decided once, when a layout is compiled (`context.rs`); here are the writers, one for each kind of place.
//! Finished markup is not escaped as text, but within an attribute even markup may not close the quotes or open a tag.

use crate::value::Origin;
use std::borrow::Cow;

/// Where an output lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// A format without markup, or a layout that turned escaping off.
    Plain,
    /// Between tags.
    Text,
    /// Within a quoted attribute.
    Attribute,
    /// Between tags, or in a section of character data, of XML.
    XmlText,
    /// Within a quoted attribute of XML.
    XmlAttribute,
    /// Within a quoted attribute that holds a URL. At the start a scheme could be given.
    Url { start: bool },
    /// The same in XML.
    XmlUrl { start: bool },
    /// Within a script, where only JSON can stand.
    Script,
    /// A place where nothing is safe; there is a finding about it.
    Nowhere,
}

/// What stands for a URL whose scheme could run code.
const BLOCKED: &str = "#blocked";

/// Schemes that a link from data may have. Anything without a scheme is relative, and fine.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "sms"];

/// Appends `text` as it must be written in `sink`.
pub(super) fn write(text: &str, origin: Origin, sink: Sink, out: &mut String) {
    let markup = origin == Origin::Markup;
    match sink {
        Sink::Plain => out.push_str(text),
        Sink::XmlText => write(&without_foreign(text), origin, Sink::Text, out),
        Sink::XmlUrl { start } => write(&without_foreign(text), origin, Sink::Url { start }, out),
        Sink::XmlAttribute => write(&without_foreign(text), origin, Sink::Attribute, out),
        Sink::Text if markup => out.push_str(text),
        Sink::Text => escape(text, out),
        Sink::Attribute if markup => replace::<Quoted>(text, out),
        Sink::Attribute => escape(text, out),
        Sink::Url { start: true } if !is_safe(text, markup) => out.push_str(BLOCKED),
        Sink::Url { .. } if markup => replace::<MarkupUrl>(text, out),
        Sink::Url { .. } => replace::<Url>(text, out),
        Sink::Script => script(text, out),
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

/// What an escaper replaces, and what by: ASCII characters, but not NUL.
type Replaced = &'static [(u8, &'static str)];

/// An escaper is a type, so that the code of each is made for its own characters, wherever it is called.
trait Escaper {
    const REPLACED: Replaced;
}

/// Text, between tags or within quotes.
struct Text;

impl Escaper for Text {
    const REPLACED: Replaced = &[(b'&', "&amp;"), (b'<', "&lt;"), (b'>', "&gt;"), (b'"', "&quot;"), (b'\'', "&#39;")];
}

/// Markup within quotes.
struct Quoted;

impl Escaper for Quoted {
    const REPLACED: Replaced = &[(b'<', "&lt;"), (b'>', "&gt;"), (b'"', "&quot;"), (b'\'', "&#39;")];
}

/// A URL.
struct Url;

impl Escaper for Url {
    const REPLACED: Replaced = &[
        (b'&', "&amp;"),
        (b'"', "%22"),
        (b'\'', "%27"),
        (b'<', "%3C"),
        (b'>', "%3E"),
        (b'`', "%60"),
        (b' ', "%20"),
        (b'\t', "%09"),
        (b'\n', "%0A"),
        (b'\r', "%0D"),
    ];
}

/// A URL whose `&` are written as markup already.
struct MarkupUrl;

impl Escaper for MarkupUrl {
    const REPLACED: Replaced = Url::REPLACED.split_first().expect("`&` comes first").1;
}

/// Appends `text` as the escaper has it. Most text has nothing to replace, so eight characters are looked at together, and what
/// stands between those that are replaced is copied whole.
fn replace<E: Escaper>(text: &str, out: &mut String) {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut copied = 0;
    for (number, &word) in words.iter().enumerate() {
        let marks = marks::<E>(u64::from_le_bytes(word));
        if marks != 0 {
            copied = replace_marked::<E>(text, copied, number * 8, marks, out);
        }
    }
    let marks = marks::<E>(last_word(text.as_bytes(), rest));
    if marks != 0 {
        copied = replace_marked::<E>(text, copied, words.len() * 8, marks, out);
    }
    out.push_str(text.get(copied..).unwrap_or(""));
}

/// The end of `text`, which is less than a word, filled up with NULs.
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    match (text.last_chunk(), rest.len()) {
        (_, 0) => 0,
        (Some(&last), length) => u64::from_le_bytes(last) >> (64 - 8 * length),
        (None, _) => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// The highest bit of each byte that the escaper replaces.
///
/// Reckoned on the whole word: whether the compiler makes vector instructions of a look at one byte after the other depends on
/// what it happened to inline before, and with it a third of the time of a page.
fn marks<E: Escaper>(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const LOW: u64 = 0x7f * ONES;
    // The sum of seven bits and 0x7f reaches the eighth bit unless they are all zero: where the character is that one.
    let others = |&(character, _): &(u8, &str)| ((word & LOW) ^ (u64::from(character) * ONES)) + LOW;
    !E::REPLACED.iter().map(others).fold(u64::MAX, |all, others| all & others) & !word & !LOW
}

/// Appends what has not been copied before each mark, and what stands for the character there; how far `text` is then copied.
fn replace_marked<E: Escaper>(text: &str, mut copied: usize, start: usize, mut marks: u64, out: &mut String) -> usize {
    while marks != 0 {
        let at = start + marks.trailing_zeros() as usize / 8;
        let is_there = |&&(character, _): &&(u8, &str)| text.as_bytes().get(at) == Some(&character);
        out.push_str(text.get(copied..at).unwrap_or(""));
        out.push_str(E::REPLACED.iter().find(is_there).map_or("", |(_, replacement)| replacement));
        copied = at + 1;
        marks &= marks - 1;
    }
    copied
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

/// Whether a URL is relative or of a scheme that runs nothing. Browsers skip control characters and white space before a
/// scheme and within it, so a scheme that holds any is none of ours.
fn is_safe(text: &str, markup: bool) -> bool {
    let text = text.trim_start_matches(|character: char| character <= ' ');
    let end = text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
    let head = text.get(..end).unwrap_or("");
    if markup && head.replace("&amp;", "").contains('&') {
        // A character reference could be the colon, or any letter.
        return false;
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

    /// Whatever stands around it, at whatever distance from the beginning and the end.
    #[test]
    fn every_character_is_replaced_wherever_it_stands() {
        for length in 0..26 {
            for at in 0..length {
                for (byte, expected) in (0..0x80).map(|byte| (byte, Text::REPLACED.iter().find(|pair| pair.0 == byte)))
                {
                    let (before, after) = ("é".repeat(at), "\u{7f}".repeat(length - at - 1));
                    let character = char::from(byte).to_string();
                    let expected = expected.map_or(character.as_str(), |(_, replacement)| replacement);
                    let text = format!("{before}{character}{after}");
                    assert_eq!(written(&text, Origin::Outside, Sink::Text), format!("{before}{expected}{after}"));
                }
            }
        }
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
            assert_eq!(written(text, Origin::Outside, Sink::Url { start: true }), BLOCKED, "{text}");
        }
        for text in ["javascript&colon;alert(1)", "java&#x0A;script:x", "&#106;avascript:x"] {
            assert_eq!(written(text, Origin::Markup, Sink::Url { start: true }), BLOCKED, "{text}");
        }
    }

    #[test]
    fn links_that_cannot_are_kept() {
        for (text, expected) in [
            ("https://a.example/?a=1&b=\"2\"", "https://a.example/?a=1&amp;b=%222%22"),
            ("/a b/<c>", "/a%20b/%3Cc%3E"),
            ("MAILTO:me@a.example", "MAILTO:me@a.example"),
            ("a/b:c", "a/b:c"),
            ("?q=a:b", "?q=a:b"),
            ("javascript&colon;x", "javascript&amp;colon;x"),
            ("é", "é"),
        ] {
            assert_eq!(written(text, Origin::Outside, Sink::Url { start: true }), expected, "{text}");
        }
        assert_eq!(written("/?a&amp;b", Origin::Markup, Sink::Url { start: true }), "/?a&amp;b");
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            written("a\0\u{1}\t\n\u{b}\u{ffff}<", Origin::Outside, Sink::XmlText),
            "a\u{fffd}\u{fffd}\t\n\u{fffd}\u{fffd}&lt;"
        );
        assert_eq!(written("\"\u{1f}é", Origin::Outside, Sink::XmlAttribute), "&quot;\u{fffd}é");
        assert_eq!(written("<b>\0</b>", Origin::Markup, Sink::XmlText), "<b>\u{fffd}</b>");
        assert_eq!(written("/\u{1f}x\u{ffff}", Origin::Outside, Sink::XmlUrl { start: true }), "/\u{fffd}x\u{fffd}");
        assert_eq!(written("\0javascript:x", Origin::Outside, Sink::XmlUrl { start: true }), BLOCKED);
    }

    #[test]
    fn json_in_a_script_cannot_end_it() {
        assert_eq!(
            written("\"</script><!--\u{2028}&\"", Origin::Outside, Sink::Script),
            "\"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026\""
        );
    }
}
