//! YAML text to a [`Value`], counted while it is read.
//!
//! It is read by the core schema of YAML 1.2 (section 10.3): a date is a string, and `no` is not `false`. Depth and number of
//! values are bounded, and aliases count as what they stand for, so that a few lines cannot stand for a billion.

use super::{Object, ObjectBuilder, Text, Value};
use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// How deep lists and mappings may nest.
const DEEPEST: usize = 32;

/// Why a text is not YAML that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the text that are to blame.
    pub range: Range<usize>,
}

/// A document that was read, and where its keys stand.
#[derive(Debug, Clone, Default)]
pub struct Yaml {
    /// The document; `null` if the text is empty.
    pub value: Value,
    /// The outermost keys, if it is a mapping, with their bytes in the text.
    pub keys: Vec<(Text, Range<usize>)>,
    /// The bytes at which the document begins.
    pub begins: Range<usize>,
}

/// Reads one YAML document of at most `values` values, each scalar, list and mapping counting as one.
pub fn parse_yaml(text: &str, values: usize) -> Result<Yaml, YamlError> {
    let content = text.trim_start_matches('\u{feff}');
    let places = Places { text: content, offset: text.len() - content.len(), reached: (0, 0) };
    let mut reader = Reader {
        events: Parser::new_from_str(content),
        places,
        anchors: HashMap::new(),
        limit: values,
        left: values,
        keys: Vec::new(),
    };
    let (value, begins) = reader.document()?;
    Ok(Yaml { value, keys: reader.keys, begins })
}

/// Characters, which the parser counts in, to bytes of the text.
struct Places<'t> {
    text: &'t str,
    offset: usize,
    /// The last character that was asked for, and its byte: places are nearly always asked for in their order.
    reached: (usize, usize),
}

impl Places<'_> {
    fn byte(&mut self, character: usize) -> usize {
        if character < self.reached.0 {
            self.reached = (0, 0);
        }
        let (from, byte) = self.reached;
        let rest = self.text.get(byte..).unwrap_or_default();
        let further = rest.char_indices().nth(character - from).map_or(rest.len(), |(at, _)| at);
        self.reached = (character, byte + further);
        self.offset + byte + further
    }

    fn range(&mut self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        let end = self.byte(span.end.index());
        start..end.max(start)
    }
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    places: Places<'t>,
    /// Anchored values, and how many values each is.
    anchors: HashMap<usize, (Value, usize)>,
    limit: usize,
    left: usize,
    keys: Vec<(Text, Range<usize>)>,
}

type Read<T> = Result<T, YamlError>;

impl<'t> Reader<'t> {
    fn next(&mut self) -> Read<(Event<'t>, Span)> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.scan_error(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn scan_error(&mut self, error: &ScanError) -> YamlError {
        let start = self.places.byte(error.marker().index());
        let next = self.places.byte(error.marker().index() + 1);
        YamlError { message: error.info().to_owned(), range: start..next }
    }

    fn error(&mut self, message: impl Into<String>, span: Span) -> YamlError {
        YamlError { message: message.into(), range: self.places.range(span) }
    }

    fn document(&mut self) -> Read<(Value, Range<usize>)> {
        let mut read = (Value::Null, 0..0);
        let mut documents = 0;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(read),
                Event::DocumentStart(_) if documents > 0 => return Err(self.error("a second document", span)),
                Event::DocumentStart(_) => documents += 1,
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
                Event::MappingStart(..) | Event::SequenceStart(..) | Event::Scalar(..) | Event::Alias(_) => {
                    read = (self.value(event, span, 0)?, self.places.range(span));
                }
                Event::SequenceEnd | Event::MappingEnd => {}
            }
        }
    }

    fn count(&mut self, values: usize, span: Span) -> Read<()> {
        match self.left.checked_sub(values) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.error(format!("more than {} values", self.limit), span)),
        }
    }

    /// The value that begins with `event`. Recursion ends at [`DEEPEST`].
    fn value(&mut self, event: Event<'t>, span: Span, depth: usize) -> Read<Value> {
        self.count(1, span)?;
        if depth > DEEPEST {
            return Err(self.error(format!("nested deeper than {DEEPEST} levels"), span));
        }
        let before = self.left;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(text, style, tag.as_ref(), span)?, anchor),
            Event::SequenceStart(anchor, tag) => {
                self.no_tag(tag.as_ref(), span)?;
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.no_tag(tag.as_ref(), span)?;
                (Value::Object(self.mapping(depth)?), anchor)
            }
            Event::Alias(anchor) => {
                // An alias within its own anchor is not there yet.
                let Some((value, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.error("the alias stands for nothing", span));
                };
                self.count(size, span)?;
                return Ok(value);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(self.error("expected a value", span)),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), before - self.left));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::list(items));
            }
            items.push(self.value(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Read<Object> {
        let mut members = ObjectBuilder::default();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(members.finish());
            }
            let Event::Scalar(key, ..) = event else {
                return Err(self.error("a key is a string", span));
            };
            let key = Text::from(key.into_owned());
            if key.as_str() == "<<" {
                return Err(self.error("`<<` merges nothing in YAML 1.2", span));
            }
            if !seen.insert(key.to_string()) {
                return Err(self.error(format!("`{key}` is written twice"), span));
            }
            if depth == 0 {
                let place = self.places.range(span);
                self.keys.push((key.clone(), place));
            }
            let (event, span) = self.next()?;
            members.push(key, self.value(event, span, depth + 1)?);
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Cow<'t, Tag>>,
        span: Span,
    ) -> Read<Value> {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            return Err(self.error("tags other than YAML's own are not read", span));
        }
        match Scalar::parse_from_cow_and_metadata(text, style, tag) {
            Some(Scalar::Null) => Ok(Value::Null),
            Some(Scalar::Boolean(value)) => Ok(Value::Bool(value)),
            Some(Scalar::Integer(number)) => Ok(Value::Int(number)),
            Some(Scalar::FloatingPoint(number)) if number.is_finite() => Ok(Value::Float(number.into_inner())),
            Some(Scalar::FloatingPoint(_)) => Err(self.error("the number is not finite", span)),
            Some(Scalar::String(text)) => Ok(Value::from(text.into_owned())),
            None => Err(self.error("the value does not fit its tag", span)),
        }
    }

    fn no_tag(&mut self, tag: Option<&Cow<'t, Tag>>, span: Span) -> Read<()> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => Err(self.error("tags other than YAML's own are not read", span)),
            Some(_) | None => Ok(()),
        }
    }
}
