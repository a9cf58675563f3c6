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
        Sink::Attribute if markup => replace(text, out, |byte| match byte {
            b'"' => Some("&quot;"),
            b'\'' => Some("&#39;"),
            b'<' => Some("&lt;"),
            b'>' => Some("&gt;"),
            _ => None,
        }),
        Sink::Attribute => escape(text, out),
        Sink::Url { start: true } if !is_safe(text, markup) => out.push_str(BLOCKED),
        Sink::Url { .. } => url(text, markup, out),
        Sink::Script => script(text, out),
        Sink::Nowhere => {}
    }
}

/// Appends `text` with the five characters of markup as character references.
pub(super) fn escape(text: &str, out: &mut String) {
    replace(text, out, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    });
}

/// What stands for a character that XML cannot hold, not even as a reference.
const FOREIGN: &str = "\u{fffd}";

/// `text` with the characters that would make a whole XML document unreadable (XML 1.0, section 2.2) replaced.
fn without_foreign(text: &str) -> Cow<'_, str> {
    let foreign =
        |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(foreign) { text.replace(foreign, FOREIGN).into() } else { text.into() }
}

/// Copies `text` in the longest runs possible; `special` names the replacement of an ASCII byte.
#[inline]
fn replace(text: &str, out: &mut String, special: impl Fn(u8) -> Option<&'static str>) {
    let mut from = 0;
    let mut each = |at: usize, byte: u8| {
        if let Some(replacement) = special(byte) {
            out.push_str(text.get(from..at).unwrap_or(""));
            out.push_str(replacement);
            from = at + 1;
        }
    };
    // Most text has nothing to replace, and the question for a whole block compiles to a few vector instructions.
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    for (number, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |found, &byte| found | special(byte).is_some()) {
            for (at, &byte) in block.iter().enumerate() {
                each(number * 16 + at, byte);
            }
        }
    }
    for (at, &byte) in rest.iter().enumerate() {
        each(blocks.len() * 16 + at, byte);
    }
    out.push_str(text.get(from..).unwrap_or(""));
}

fn url(text: &str, markup: bool, out: &mut String) {
    replace(text, out, |byte| match byte {
        b'&' if !markup => Some("&amp;"),
        b'"' => Some("%22"),
        b'\'' => Some("%27"),
        b'<' => Some("%3C"),
        b'>' => Some("%3E"),
        b'`' => Some("%60"),
        b' ' => Some("%20"),
        b'\t' => Some("%09"),
        b'\n' => Some("%0A"),
        b'\r' => Some("%0D"),
        _ => None,
    });
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
