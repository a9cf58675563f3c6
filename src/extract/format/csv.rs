//! Comma-separated values (RFC 4180): the first row names the columns, each further one is an object of strings.
//!
//! A column without a name is left out. Rows have as many fields as there are names; empty lines are none. What the strings mean
//! is for extraction to say.

use super::{Count, FormatError, Malformed};
use crate::value::{JsonLimits, Object, Origin, Shape, Text, Value};
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use std::ops::Range;
use std::sync::Arc;

/// Reads a table. A field counts as a value, and so does a row.
pub(super) fn read(text: &str, limits: JsonLimits) -> Result<Value, FormatError> {
    if let Some((quote, message)) = misquoted(text) {
        // Read on, everything up to the next quote would be one field, and the complaint about another row, or none.
        return Err(Malformed { format: "CSV", message: message.to_owned(), range: line(text, quote) }.into());
    }
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut count = Count::new(limits);
    if !reader.read_record(&mut record).map_err(|error| malformed(&error, text))? {
        return Ok(Value::list(Vec::new()));
    }
    let (columns, shape) = names(&record, text)?;
    let mut rows = Vec::new();
    while reader.read_record(&mut record).map_err(|error| malformed(&error, text))? {
        count.take(columns.len() + 1)?;
        // One buffer a row, which its fields share.
        let row: Arc<str> = record.as_slice().into();
        let field = |column: &usize| {
            let range = record.range(*column).unwrap_or_default();
            Value::Text(Text::slice_of(&row, row.get(range).unwrap_or_default(), Origin::Outside))
        };
        rows.push(Value::Object(Object::shaped(Arc::clone(&shape), columns.iter().map(field))));
    }
    Ok(Value::list(rows))
}

/// The bytes of the line on which a row begins; rows are counted from 0, without that of the names.
pub fn row(text: &str, at: usize) -> Option<Range<usize>> {
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let position = reader.records().nth(at)?.ok()?.position().map(csv::Position::byte)?;
    Some(line(text, usize::try_from(position).ok()?))
}

/// The positions of the columns that have names, and the names.
fn names(record: &StringRecord, text: &str) -> Result<(Vec<usize>, Arc<Shape>), FormatError> {
    let columns = record.iter().map(str::trim).enumerate().filter(|(_, name)| !name.is_empty());
    let (columns, names): (Vec<usize>, Vec<Text>) = columns.map(|(column, name)| (column, Text::from(name))).unzip();
    match Shape::new(names.as_slice()) {
        Some(shape) => Ok((columns, shape)),
        None => {
            let mut sorted: Vec<&str> = names.iter().map(Text::as_str).collect();
            sorted.sort_unstable();
            let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map_or("", |pair| pair[0]);
            let range = line(text, 0);
            Err(Malformed { format: "CSV", message: format!("two columns are called `{twice}`"), range }.into())
        }
    }
}

/// Where the quote stands that opens a field which does not end as it should, and what to say of it.
fn misquoted(text: &str) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let quote_from = |at: usize| memchr::memchr(b'"', bytes.get(at..)?).map(|found| at + found);
    let mut at = 0;
    loop {
        let opening = quote_from(at)?;
        at = opening + 1;
        // Within a field that does not begin with one it is a sign like others.
        if opening > 0 && !matches!(bytes.get(opening - 1), Some(b',' | b'\r' | b'\n')) {
            continue;
        }
        // Two quotes within the field are one sign of it.
        let closing = loop {
            let Some(found) = quote_from(at) else { return Some((opening, "a quote is opened and never closed")) };
            at = found + 1;
            if bytes.get(at) != Some(&b'"') {
                break found;
            }
            at += 1;
        };
        let behind = bytes.get(closing + 1..).unwrap_or_default().trim_ascii_start();
        let is_end = behind.is_empty() || behind.starts_with(b",");
        if !is_end && !bytes.get(closing + 1).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            return Some((opening, "a quote is not closed, or one within the field is not written twice"));
        }
    }
}

fn malformed(error: &csv::Error, text: &str) -> FormatError {
    let position = error.position().and_then(|position| usize::try_from(position.byte()).ok());
    let message = if let ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        format!("a row of {len} fields, where the first has {expected_len}")
    } else {
        error.to_string()
    };
    Malformed { format: "CSV", message, range: line(text, position.unwrap_or_default()) }.into()
}

/// The line that begins at a byte, after the line ends that the reader has left there.
fn line(text: &str, byte: usize) -> Range<usize> {
    let rest = text.get(byte..).unwrap_or_default();
    let start = byte + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::write_json;
    use proptest::prelude::*;

    fn json(text: &str) -> Result<String, String> {
        let value = read(text, JsonLimits::default()).map_err(|error| error.to_string())?;
        let mut out = String::new();
        write_json(&value, &mut out);
        Ok(out)
    }

    #[test]
    fn rows_become_objects() {
        for (text, expected) in [
            ("", "[]"),
            ("a,b\n", "[]"),
            ("a,b\n1,x\n2,y", r#"[{"a":"1","b":"x"},{"a":"2","b":"y"}]"#),
            ("a,b\r\n1,x\r\n", r#"[{"a":"1","b":"x"}]"#),
            ("\"a\",\"b b\"\n\"x,\"\"y\"\"\",\"two\nlines\"\n", r#"[{"a":"x,\"y\"","b b":"two\nlines"}]"#),
            ("a,,b\n1,2,3\n", r#"[{"a":"1","b":"3"}]"#),
            (" a , b\n 1 ,\n", r#"[{"a":" 1 ","b":""}]"#),
            ("a,b\n\n1,2\n\n\n3,4\n", r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#),
            ("a\n\"\"\n", r#"[{"a":""}]"#),
            // A quote within a field is a sign like others.
            ("a,b\n5\" x,\"y\"\"\"\n6\",z\n", r#"[{"a":"5\" x","b":"y\""},{"a":"6\"","b":"z"}]"#),
        ] {
            assert_eq!(json(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn rows_have_their_lines() {
        let text = "a,b\r\n1,x\r\n\r\n\"two\nlines\",y\n3,z";
        for (at, line) in [(0, Some("1,x")), (1, Some("\"two")), (2, Some("3,z")), (3, None)] {
            assert_eq!(row(text, at).map(|range| &text[range]), line, "{at}");
        }
    }

    #[test]
    fn what_is_no_table_is_told() {
        for (text, message) in [
            ("a,b\n1\n", "not CSV: a row of 1 fields, where the first has 2"),
            ("a,b\n1,2,3\n", "not CSV: a row of 3 fields, where the first has 2"),
            ("a,b, a\n", "not CSV: two columns are called `a`"),
            ("a,b\n1,\"x\n2,y\n", "not CSV: a quote is opened and never closed"),
            ("a,\"b\n1,2\n", "not CSV: a quote is opened and never closed"),
            ("a,b\n1,\"x\n2,\"y\"\n", "not CSV: a quote is not closed, or one within the field is not written twice"),
            ("a,b\n1,\"5\" wide\"\n", "not CSV: a quote is not closed, or one within the field is not written twice"),
            ("a,b\n1,\"x\"\"\n", "not CSV: a quote is opened and never closed"),
        ] {
            assert_eq!(json(text), Err(message.to_owned()), "{text:?}");
        }
        assert!(matches!(
            read("a,b\n1,2\n3,4\n", JsonLimits { nodes: 5 }),
            Err(FormatError::TooManyValues { limit: 5 })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_quoted_comes_back(rows in prop::collection::vec(prop::array::uniform2("[a,\"\n é]{0,6}"), 0..6)) {
            let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let lines = rows.iter().map(|[x, y]| format!("{},{}\r\n", quote(x), quote(y)));
            let text = std::iter::once("x,y\r\n".to_owned()).chain(lines).collect::<String>();
            let read = read(&text, JsonLimits::default()).unwrap();
            let back: Vec<[String; 2]> = read.as_list().unwrap().iter().map(|row| {
                ["x", "y"].map(|name| row.get(name).and_then(Value::as_str).unwrap().to_owned())
            }).collect();
            prop_assert_eq!(back, rows);
        }
    }
}
