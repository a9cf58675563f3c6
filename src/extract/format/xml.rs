//! XML (1.0, fifth edition) to a value whose shape does not depend on how often something is there.
//!
//! - The document is an object with one member: the outermost element, by its name.
//! - An element that holds nothing but text is that text; one that holds nothing at all is `null`.
//! - Any other element is an object: its attributes by their names behind `@`, its elements by their names, each name a **list**,
//!   also of one, and its text, if there is any, as `#text`.
//! - Names are as written, with their prefix; declarations of namespaces are left out. Space around a text is no part of it.
//!
//! So `$.rss.channel[0].item[*]` and `$.feed.entry[*]` lead to the entries of a feed, be they many or one.
//!
//! Nothing is fetched or expanded: there are the five entities and character references, and a document type that declares
//! anything is refused. Depth is bounded like JSON's, and nothing here recurses.

use super::{Count, FormatError, Malformed};
use crate::value::{JsonLimits, ObjectBuilder, Origin, Text, Value};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// How deep elements may nest.
const DEEPEST: usize = 128;

/// The `encoding` that a document declares, which must stand at its very beginning; empty if it declares none.
pub(super) fn declared_encoding(body: &[u8]) -> &str {
    let declaration = body.strip_prefix(b"<?xml").and_then(|rest| rest.split(|byte| *byte == b'>').next());
    let declaration = declaration.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let value = declaration.split_once("encoding").map_or("", |(_, rest)| rest.trim_start_matches([' ', '=']));
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    quote.and_then(|quote| value.split(quote).nth(1)).unwrap_or_default()
}

/// Reads a document. Elements and attributes count as a name and a value, texts as a value.
pub(super) fn read(text: Cow<'_, str>, limits: JsonLimits) -> Result<Value, FormatError> {
    let buffer: Arc<str> = text.into();
    let mut events = Reader::from_str(&buffer);
    let mut tree = Tree { buffer: &buffer, count: Count::new(limits), open: Vec::new(), root: None };
    loop {
        let start = position(events.buffer_position());
        let event = events.read_event().map_err(|error| {
            let end = position(events.buffer_position()).max(position(events.error_position()));
            malformed(error.to_string(), start..end.min(buffer.len()))
        })?;
        let place = start..position(events.buffer_position());
        match event {
            Event::Start(element) => tree.begin(&element, place)?,
            Event::Empty(element) => {
                tree.begin(&element, place)?;
                tree.end();
            }
            Event::End(_) => tree.end(),
            Event::Text(text) => tree.text(text.xml10_content(), place)?,
            Event::CData(text) => tree.text(text.xml10_content(), place)?,
            Event::GeneralRef(reference) => {
                let text = resolved(&reference, &place)?;
                tree.text(Cow::Owned(text), place)?;
            }
            Event::DocType(kind) if kind.contains('[') => {
                return Err(malformed("a document type that declares something is not read", place));
            }
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.finish(place.end),
        }
    }
}

fn position(byte: u64) -> usize {
    usize::try_from(byte).unwrap_or(usize::MAX)
}

fn malformed(message: impl Into<String>, range: Range<usize>) -> FormatError {
    Malformed { format: "XML", message: message.into(), range }.into()
}

/// What a reference in a text stands for.
fn resolved(reference: &BytesRef<'_>, place: &Range<usize>) -> Result<String, FormatError> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character.into());
    }
    let entity = quick_xml::escape::resolve_xml_entity(reference);
    entity.map(str::to_owned).ok_or_else(|| malformed("an entity that is not XML's own", place.clone()))
}

/// The document so far.
struct Tree<'b> {
    buffer: &'b Arc<str>,
    count: Count,
    /// Elements that have begun, the outermost first.
    open: Vec<Element<'b>>,
    root: Option<(Arc<str>, Value)>,
}

/// An element that has begun.
struct Element<'b> {
    name: Arc<str>,
    attributes: Vec<(Text, Value)>,
    /// The elements in it, by name, in the order of their first.
    children: Vec<(Arc<str>, Vec<Value>)>,
    positions: HashMap<Arc<str>, usize>,
    text: Cow<'b, str>,
}

impl<'b> Tree<'b> {
    fn begin(&mut self, start: &BytesStart<'_>, place: Range<usize>) -> Result<(), FormatError> {
        self.count.take(2)?;
        if self.open.len() >= DEEPEST {
            return Err(malformed(format!("nested deeper than {DEEPEST} elements"), place));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed("a second outermost element", place));
        }
        let mut attributes = Vec::new();
        // The check for an attribute that is there twice would take time by the square of their number.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| malformed(error.to_string(), place.clone()))?;
            self.count.take(2)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| malformed(error.to_string(), place.clone()))?;
            attributes.push((Text::from(format!("@{}", attribute.key.0)), Value::Text(Text::from(&*value))));
        }
        self.open.push(Element {
            name: start.name().0.into(),
            attributes,
            children: Vec::new(),
            positions: HashMap::new(),
            text: Cow::Borrowed(""),
        });
        Ok(())
    }

    fn text(&mut self, text: Cow<'b, str>, place: Range<usize>) -> Result<(), FormatError> {
        match self.open.last_mut() {
            Some(element) if element.text.is_empty() => element.text = text,
            Some(element) => element.text.to_mut().push_str(&text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("text outside of the outermost element", place)),
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        let name = Arc::clone(&element.name);
        let value = element.value(self.buffer);
        match self.open.last_mut() {
            Some(parent) => parent.push(name, value),
            None => self.root = Some((name, value)),
        }
    }

    fn finish(self, end: usize) -> Result<Value, FormatError> {
        match (self.open.last(), self.root) {
            (Some(open), _) => Err(malformed(format!("`<{}>` is not ended", open.name), end..end)),
            (None, None) => Err(malformed("no element", 0..end)),
            (None, Some((name, value))) => {
                let mut document = ObjectBuilder::with_capacity(1);
                document.push(Text::new(name, Origin::Outside), value);
                Ok(document.finish().into())
            }
        }
    }
}

impl Element<'_> {
    fn push(&mut self, name: Arc<str>, value: Value) {
        let next = self.children.len();
        let position = *self.positions.entry(Arc::clone(&name)).or_insert(next);
        match self.children.get_mut(position) {
            Some((_, values)) => values.push(value),
            None => self.children.push((name, vec![value])),
        }
    }

    fn value(self, buffer: &Arc<str>) -> Value {
        let text = match &self.text {
            Cow::Borrowed(text) => Text::slice_of(buffer, text.trim(), Origin::Outside),
            Cow::Owned(text) => Text::from(text.trim()),
        };
        let text = Some(text).filter(|text| !text.is_empty()).map(Value::Text);
        if self.attributes.is_empty() && self.children.is_empty() {
            return text.unwrap_or_default();
        }
        let mut members = ObjectBuilder::with_capacity(self.attributes.len() + self.children.len() + 1);
        for (name, value) in self.attributes {
            members.push(name, value);
        }
        for (name, values) in self.children {
            members.push(Text::new(name, Origin::Outside), Value::list(values));
        }
        if let Some(text) = text {
            members.push("#text", text);
        }
        members.finish().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::write_json;
    use proptest::prelude::*;

    fn json(text: &str) -> Result<String, String> {
        let value = read(text.into(), JsonLimits::default()).map_err(|error| error.to_string())?;
        let mut out = String::new();
        write_json(&value, &mut out);
        Ok(out)
    }

    #[test]
    fn elements_become_lists_texts_and_objects() {
        for (text, expected) in [
            ("<a/>", r#"{"a":null}"#),
            ("<?xml version='1.0'?>\n<!-- c --><a> x </a>\n", r#"{"a":"x"}"#),
            ("<a><b>1</b></a>", r#"{"a":{"b":["1"]}}"#),
            ("<a><b>1</b><c/><b>2</b></a>", r#"{"a":{"b":["1","2"],"c":[null]}}"#),
            ("<a x='1' y=\"&lt;2\"/>", r#"{"a":{"@x":"1","@y":"<2"}}"#),
            ("<a x='1'>t</a>", r##"{"a":{"@x":"1","#text":"t"}}"##),
            ("<a>one <b>two</b> three</a>", r##"{"a":{"b":["two"],"#text":"one  three"}}"##),
            ("<a>&lt;b&gt; &amp; &quot;c&apos; &#65;&#x42;</a>", r#"{"a":"<b> & \"c' AB"}"#),
            ("<a><![CDATA[<p>x & y</p>]]></a>", r#"{"a":"<p>x & y</p>"}"#),
            ("<a xmlns='u:n' xmlns:d='u:d'><d:b>1</d:b></a>", r#"{"a":{"d:b":["1"]}}"#),
            ("<!DOCTYPE rss PUBLIC \"-//X\" \"http://example.com/rss.dtd\"><rss/>", r#"{"rss":null}"#),
            ("<a>\r\n x\r\ny </a>", r#"{"a":"x\ny"}"#),
        ] {
            assert_eq!(json(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(200);
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
        let outside = "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><l>&a;</l>";
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a b></a>",
            "<a>&nbsp;</a>",
            "<a b='&nbsp;'/>",
            "<a>&#0;</a>",
            "{}",
            &deep,
            laughs,
            outside,
        ] {
            assert!(json(text).is_err(), "{text:.60} {:?}", json(text));
        }
        let many = format!("<a>{}</a>", "<b/>".repeat(100));
        assert!(matches!(read(many.into(), JsonLimits { nodes: 100 }), Err(FormatError::TooManyValues { .. })));
    }

    #[test]
    fn the_encoding_is_declared_at_the_beginning() {
        for (body, expected) in [
            (&b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>"[..], "ISO-8859-1"),
            (b"<?xml version='1.0' encoding = 'utf-8' ?>", "utf-8"),
            (b"<?xml version='1.0'?><a encoding='x'/>", ""),
            (b"<a/>", ""),
            (b"<?xml encoding", ""),
        ] {
            assert_eq!(declared_encoding(body), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_text_makes_it_panic(text in "(<[/!?]?|a|b|/?>|='|'|\"|&|;|#|\\[|\\]|<!\\[CDATA\\[|<!--|-->|é| |x){0,30}") {
            if let Err(FormatError::Malformed(malformed)) = read(text.clone().into(), JsonLimits::default()) {
                prop_assert!(malformed.range.end <= text.len(), "{:?}", malformed);
            }
        }
    }
}
