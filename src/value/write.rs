//! A [`Value`] as JSON text (RFC 8259).

use super::Value;
use std::fmt::Write as _;

/// Appends `value` as compact JSON. Numbers that JSON cannot say (NaN, infinities) become `null`.
pub fn write_json(value: &Value, out: &mut String) {
    write(value, out, None);
}

/// Appends `value` as JSON with two spaces for each level.
pub fn write_json_pretty(value: &Value, out: &mut String) {
    write(value, out, Some(0));
}

fn write(value: &Value, out: &mut String, level: Option<usize>) {
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
            write_items(items.iter(), out, level, ['[', ']'], write);
        }
        Value::Object(object) => write_items(object.iter(), out, level, ['{', '}'], |(key, value), out, level| {
            write_string(key, out);
            out.push_str(if level.is_some() { ": " } else { ":" });
            write(value, out, level);
        }),
    }
}

fn write_items<T>(
    items: impl ExactSizeIterator<Item = T>,
    out: &mut String,
    level: Option<usize>,
    [open, close]: [char; 2],
    mut each: impl FnMut(T, &mut String, Option<usize>),
) {
    out.push(open);
    let empty = items.len() == 0;
    let inner = level.map(|level| level + 1);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        new_line(out, inner);
        each(item, out, inner);
    }
    if !empty {
        new_line(out, level);
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
}
