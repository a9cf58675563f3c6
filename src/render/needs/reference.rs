//! Character references, and what else is read before a value or a text means anything (WHATWG HTML, section 13.2.5.72; XML 1.0, sections
//! 2.7, 3.3.3 and 4.1).
//!
//! A reference without its semicolon stays as it is written: what is hashed with one is refused by browsers, never let through.

use pulldown_cmark::{Event, Parser};

/// The longest name of a character, and a few more.
const LONGEST_NAME: usize = 40;

/// `text` with the characters that its references stand for.
pub(super) fn decoded(text: &str, xml: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let known = part.split_once(';').and_then(|(name, rest)| Some((referred(name, xml)?, rest)));
        if let Some((characters, rest)) = known {
            out.push_str(&characters);
            out.push_str(rest);
        } else {
            out.push('&');
            out.push_str(part);
        }
    }
    out
}

/// The text of a script or a style that is read as markup: references, and sections of character data, in which there are none.
pub(super) fn text_of(written: &str, xml: bool) -> String {
    let (mut out, mut rest) = (String::with_capacity(written.len()), written);
    while let Some((before, section)) = rest.split_once("<![CDATA[") {
        out.push_str(&decoded(before, xml));
        let (data, after) = section.split_once("]]>").unwrap_or((section, ""));
        out.push_str(data);
        rest = after;
    }
    out.push_str(&decoded(rest, xml));
    out
}

/// The value of an attribute of XML, in which all white space is written as spaces.
pub(super) fn normalised(value: &str) -> String {
    value.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ")
}

/// The value of what looks like an attribute in a declaration of XML.
pub(super) fn value_of(declaration: &str, name: &str) -> Option<String> {
    let mut rest = declaration;
    loop {
        let (before, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        if before.trim() == name {
            return Some(decoded(value, true));
        }
        rest = after;
    }
}

/// What a reference of this name stands for.
fn referred(name: &str, xml: bool) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
        let number = hexadecimal.unwrap_or_else(|| number.parse()).ok()?;
        return char::from_u32(number).map(String::from);
    }
    let is_name = name.len() < LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_name || (xml && !matches!(name, "amp" | "apos" | "gt" | "lt" | "quot")) {
        return None;
    }
    // Markdown has HTML's names.
    let reference = format!("&{name};");
    let text: String = Parser::new(&reference)
        .filter_map(|event| if let Event::Text(text) = event { Some(text.into_string()) } else { None })
        .collect();
    (text != reference).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        for (text, in_html, in_xml) in [
            ("a", "a", "a"),
            ("a &amp;&amp; b &lt;&gt;&quot;&apos;", "a && b <>\"'", "a && b <>\"'"),
            ("&#65;&#x42;&#X63;", "ABc", "ABc"),
            ("&colon;&NewLine;&rarr;", ":\n→", "&colon;&NewLine;&rarr;"),
            ("&amp;lt;", "&lt;", "&lt;"),
            ("a & b && c;", "a & b && c;", "a & b && c;"),
            ("&unknown; &#x110000; &#; &amp", "&unknown; &#x110000; &#; &amp", "&unknown; &#x110000; &#; &amp"),
        ] {
            assert_eq!(decoded(text, false), in_html, "{text}");
            assert_eq!(decoded(text, true), in_xml, "{text}");
        }
        assert_eq!(text_of("&lt;<![CDATA[&lt;<b>]]>&gt;<![CDATA[x", true), "<&lt;<b>>x");
    }

    #[test]
    fn declarations_have_values() {
        let declaration = " type='text/xsl' title=\"href='no'\" href = \"/a.xsl?b&amp;c\"?";
        assert_eq!(value_of(declaration, "href").as_deref(), Some("/a.xsl?b&c"));
        assert_eq!(value_of(declaration, "type").as_deref(), Some("text/xsl"));
        assert_eq!(value_of(declaration, "media"), None);
    }
}
