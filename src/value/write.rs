//! A [`Value`] as JSON text (RFC 8259).

use super::Value;
use std::fmt::Write as _;

/// Appends `value` as compact JSON. Numbers that JSON cannot say (NaN, infinities) become `null`.
pub fn write_json(value: &Value, out: &mut String) {
    write(value, out, Layout { level: None, without_nulls: false, end: usize::MAX });
}

/// Appends `value` as JSON with two spaces for each level.
pub fn write_json_pretty(value: &Value, out: &mut String) {
    write(value, out, Layout { level: Some(0), without_nulls: false, end: usize::MAX });
}

/// How JSON is written for others.
#[derive(Debug, Clone, Copy)]
pub struct JsonStyle {
    /// Whether each item has a line of its own, two spaces further in for each level.
    pub indented: bool,
    /// Whether members that are null are left out, at every depth. Nulls in lists stay: they have a position.
    pub without_nulls: bool,
    /// The most bytes.
    pub most: usize,
}

/// Appends `value` as JSON of this style; `false` if that would be too long, and what was appended is a part of it.
#[must_use]
pub fn write_json_within(value: &Value, style: JsonStyle, out: &mut String) -> bool {
    let end = out.len().saturating_add(style.most);
    write(value, out, Layout { level: style.indented.then_some(0), without_nulls: style.without_nulls, end });
    out.len() <= end
}

/// How one value is written.
#[derive(Clone, Copy)]
struct Layout {
    /// How deep it is indented; not at all if `None`.
    level: Option<usize>,
    without_nulls: bool,
    /// The length of the text beyond which nothing is worth writing any more.
    end: usize,
}

fn write(value: &Value, out: &mut String, layout: Layout) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => write_integer(*number, out),
        Value::UInt(number) => write_integer(*number, out),
        Value::Float(number) if number.is_finite() => write_float(*number, out),
        Value::Float(_) => out.push_str("null"),
        Value::Text(text) => write_string(text, out),
        Value::List(items) => {
            write_items(items.iter(), out, layout, ['[', ']'], write);
        }
        Value::Object(object) => {
            let written = object.iter().filter(|(_, value)| !(layout.without_nulls && value.is_null()));
            write_items(written, out, layout, ['{', '}'], |(key, value), out, layout| {
                write_string(key, out);
                out.push_str(if layout.level.is_some() { ": " } else { ":" });
                write(value, out, layout);
            });
        }
    }
}

fn write_items<T>(
    items: impl Iterator<Item = T>,
    out: &mut String,
    layout: Layout,
    [open, close]: [char; 2],
    mut each: impl FnMut(T, &mut String, Layout),
) {
    out.push(open);
    let inner = Layout { level: layout.level.map(|level| level + 1), ..layout };
    let mut empty = true;
    for item in items {
        if !empty {
            out.push(',');
        }
        empty = false;
        new_line(out, inner.level);
        each(item, out, inner);
        if out.len() > layout.end {
            return;
        }
    }
    if !empty {
        new_line(out, layout.level);
    }
    out.push(close);
}

fn new_line(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        out.push('\n');
        for _ in 0..level {
            out.push_str("  ");
        }
    }
}

fn write_integer(number: impl std::fmt::Display, out: &mut String) {
    write!(out, "{number}").unwrap_or_default();
}

fn write_float(number: f64, out: &mut String) {
    // Debug keeps the ".0" that tells a float from an integer, and is the shortest text that reads back the same.
    write!(out, "{number:?}").unwrap_or_default();
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => write!(out, "\\u{:04x}", u32::from(control)).unwrap_or_default(),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::{JsonLimits, parse_json};
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let text = "{\"a\":[1,-2.5,18446744073709551615,null,true,\"q\\\"\\\\\\n\\u0001é\"],\"empty\":[],\"none\":{}}";
        let value = parse_json(text, JsonLimits::default()).unwrap_or_default();
        let mut out = String::new();
        write_json(&value, &mut out);
        assert_eq!(out, text);
        let mut pretty = String::new();
        write_json_pretty(&value, &mut pretty);
        assert_eq!(parse_json(pretty, JsonLimits::default()).ok(), Some(value));
    }

    #[test]
    fn nulls_are_left_out_and_length_is_bounded() {
        let value =
            parse_json("{\"a\":null,\"b\":[null,{\"c\":null}],\"d\":{\"e\":null,\"f\":1}}", JsonLimits::default());
        let value = value.unwrap_or_default();
        let written = |without_nulls, most| {
            let mut out = String::new();
            write_json_within(&value, JsonStyle { indented: false, without_nulls, most }, &mut out).then_some(out)
        };
        let short = "{\"b\":[null,{}],\"d\":{\"f\":1}}";
        assert_eq!(written(true, 1000).as_deref(), Some(short));
        assert_eq!(written(true, short.len()).as_deref(), Some(short));
        assert_eq!(written(true, short.len() - 1), None);
        assert_eq!(written(false, short.len()), None);
    }
}
