//! Letting go of a body of which little is kept.
//!
//! All strings of a JSON body are slices of it, so one kept title would keep two megabytes alive for as long as it is stored.
//! If less than half of the body's bytes are kept, the strings move into one buffer of their own: one allocation for all.

use crate::value::{Object, Text, Value};
use std::ops::Range;
use std::sync::Arc;

/// Bodies below this are not worth the copying.
const SMALL: usize = 4096;

/// `value` with its strings in a buffer of their own, if that is less than half of the `body_bytes` it came in.
pub(super) fn pack(value: Value, body_bytes: usize) -> Value {
    if body_bytes < SMALL {
        return value;
    }
    let mut size = Size { bytes: 0, most: body_bytes / 2 };
    if !size.holds(&value) {
        return value;
    }
    let mut buffer = String::with_capacity(size.bytes);
    gather(&value, &mut buffer);
    let buffer: Arc<str> = buffer.into();
    Repacking { buffer: &buffer, at: 0 }.value(&value)
}

/// `value` with all of its strings in one buffer of their own, to be kept whatever becomes of the bodies that it came in; and the
/// bytes of memory that it takes then.
pub fn apart(value: &Value) -> (Value, usize) {
    let mut buffer = String::new();
    gather(value, &mut buffer);
    let bytes = COUNTS + buffer.len() + size_of::<Value>() + parts(value);
    let buffer: Arc<str> = buffer.into();
    (Repacking { buffer: &buffer, at: 0 }.value(value), bytes)
}

/// The counts of those who have a list, an object or a buffer.
const COUNTS: usize = 2 * size_of::<usize>();

/// Bytes that the parts of a value take. Names are shared by all objects that have them.
fn parts(value: &Value) -> usize {
    let all = |values: &[Value]| COUNTS + values.iter().map(|value| size_of::<Value>() + parts(value)).sum::<usize>();
    match value {
        Value::List(items) => size_of::<Vec<Value>>() + all(items),
        Value::Object(object) => all(object.values()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => 0,
    }
}

/// Bytes of memory that a `value` takes which was taken from a body of `body_bytes`, roughly: its nodes, and the buffers that its strings
/// are parts of.
pub fn memory(value: &Value, body_bytes: usize) -> usize {
    let mut extent = Extent::default();
    extent.add(value, None);
    let is_packed = body_bytes >= SMALL && extent.strings < body_bytes / 2;
    // Either they have a buffer of their own, or they keep the body's; those that had to be made anew are as long as what they are made of.
    let buffers = if is_packed { extent.strings } else { extent.strings.max(body_bytes) };
    extent.nodes + buffers
}

/// What a value is made of, in bytes.
#[derive(Default)]
struct Extent {
    nodes: usize,
    strings: usize,
}

impl Extent {
    /// The counts of references in front of what is shared, and what the allocator adds.
    const SHARED: usize = 4 * size_of::<usize>();

    /// Adds a value. `before` is the object before it in the same list, whose names it may share.
    fn add(&mut self, value: &Value, before: Option<&Object>) {
        self.nodes += size_of::<Value>();
        match value {
            Value::Text(text) => self.strings += text.len(),
            Value::List(items) => {
                // One that was read has room to grow.
                let spare = items.capacity() - items.len();
                self.nodes += Self::SHARED + size_of_val(&**items) + spare * size_of::<Value>();
                let mut before = None;
                for item in items.iter() {
                    self.add(item, before);
                    before = item.as_object();
                }
            }
            Value::Object(object) => {
                self.nodes += Self::SHARED;
                if !before.is_some_and(|before| Arc::ptr_eq(before.shape(), object.shape())) {
                    let names = object.shape().names();
                    self.nodes += Self::SHARED + names.iter().map(|name| size_of_val(name) + name.len()).sum::<usize>();
                }
                object.values().iter().for_each(|value| self.add(value, None));
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => {}
        }
    }
}

struct Size {
    bytes: usize,
    most: usize,
}

impl Size {
    /// Adds up strings, and stops where they are too much. Names are never slices of a body.
    fn holds(&mut self, value: &Value) -> bool {
        match value {
            Value::Text(text) => self.holds_text(text),
            Value::List(items) => items.iter().all(|item| self.holds(item)),
            Value::Object(object) => object.values().iter().all(|value| self.holds(value)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => true,
        }
    }

    fn holds_text(&mut self, text: &Text) -> bool {
        self.bytes += text.len();
        self.bytes <= self.most
    }
}

fn gather(value: &Value, buffer: &mut String) {
    match value {
        Value::Text(text) => buffer.push_str(text),
        Value::List(items) => items.iter().for_each(|item| gather(item, buffer)),
        Value::Object(object) => object.values().iter().for_each(|value| gather(value, buffer)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => {}
    }
}

/// Walks as [`gather`] did, so that the next string is always the next part of the buffer.
struct Repacking<'b> {
    buffer: &'b Arc<str>,
    at: usize,
}

impl Repacking<'_> {
    fn text(&mut self, text: &Text) -> Text {
        let range: Range<usize> = self.at..self.at + text.len();
        self.at = range.end;
        Text::slice_of(self.buffer, self.buffer.get(range).unwrap_or_default(), text.origin())
    }

    fn object(&mut self, object: &Object) -> Object {
        Object::shaped(Arc::clone(object.shape()), object.values().iter().map(|value| self.value(value)))
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.text(text)),
            Value::List(items) => Value::list(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(object) => Value::Object(self.object(object)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, Origin, parse_json};

    fn body(filler: usize) -> Arc<str> {
        format!(r#"{{"kept":{{"title":"a title","list":["b","c",1]}},"dropped":"{}"}}"#, "x".repeat(filler)).into()
    }

    #[test]
    fn a_small_part_lets_go_of_a_large_body() {
        let body = body(10_000);
        let kept = parse_json(Arc::clone(&body), JsonLimits::default()).unwrap().get("kept").unwrap().clone();
        let packed = pack(kept.clone(), body.len());
        assert_eq!(packed, kept);
        drop(kept);
        assert_eq!(Arc::strong_count(&body), 1);
    }

    #[test]
    fn what_is_apart_keeps_nothing_else() {
        let body = body(10);
        let document = parse_json(Arc::clone(&body), JsonLimits::default()).unwrap();
        let (value, bytes) = apart(&document);
        assert_eq!(value, document);
        let strings = "a title".len() + "b".len() + "c".len() + "x".len() * 10;
        // The buffer, the two objects and the list are shared, and have counts.
        let shared = 4 * COUNTS + size_of::<Vec<Value>>();
        assert_eq!(bytes, strings + shared + 8 * size_of::<Value>());
        drop(document);
        assert_eq!(Arc::strong_count(&body), 1);
    }

    #[test]
    fn what_is_kept_alive_is_counted() {
        for (filler, most) in [(10, 800), (10_000, 800)] {
            let body = body(filler);
            let kept = parse_json(Arc::clone(&body), JsonLimits::default()).unwrap().get("kept").unwrap().clone();
            let bytes = memory(&pack(kept, body.len()), body.len());
            assert!((300..most).contains(&bytes), "{filler}: {bytes}");
        }
        let body = body(3_000);
        let document = parse_json(Arc::clone(&body), JsonLimits::default()).unwrap();
        assert!(memory(&document, body.len()) > body.len());
    }

    #[test]
    fn a_large_part_keeps_it() {
        let body = body(10_000);
        let document = parse_json(Arc::clone(&body), JsonLimits::default()).unwrap();
        let packed = pack(document.clone(), body.len());
        drop(document);
        assert!(Arc::strong_count(&body) > 1);
        drop(packed);
    }

    #[test]
    fn the_origin_of_strings_survives() {
        let value = Value::list(vec![Value::markup("<b>"), Value::text("<i>")]);
        let packed = pack(value, 100_000);
        let origin = |item: &Value| if let Value::Text(text) = item { Some(text.origin()) } else { None };
        let origins: Vec<_> = packed.as_list().unwrap().iter().filter_map(origin).collect();
        assert_eq!(origins, [Origin::Markup, Origin::Outside]);
    }
}
