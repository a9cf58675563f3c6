//! One TOML text to a [`Table`], with every syntax error at once.

use super::code;
use super::node::{Entry, Kind, Node, Table, Text};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, Spanned};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Tables, arrays and dotted keys deeper than this are no declaration.
const DEPTH: usize = 64;

/// After so many errors a text is something else than TOML.
const MOST_ERRORS: usize = 100;

/// Reads the TOML that is the `range` of a file. What cannot be read is a finding; the rest is returned.
pub fn read_toml(file: FileId, range: Range<usize>, files: &Files, findings: &mut Findings) -> Table {
    let text = files.text(file).get(range.clone()).unwrap_or("");
    let whole = Place::new(file, range.clone());
    // The parser counts a byte order mark as text.
    let (text, offset) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, range.start + '\u{feff}'.len_utf8()),
        None => (text, range.start),
    };
    let reader = Reader { file, text, offset };
    if let Some(place) = reader.too_deep() {
        findings.push(
            Finding::new(&code::TOO_DEEP, place, format!("nested deeper than {DEPTH} levels"))
                .help("no declaration is nested so deeply; move data into a JSON file"),
        );
        return Table::empty(whole);
    }
    let (root, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    for error in errors.into_iter().take(MOST_ERRORS) {
        let place = reader.place(error.span().unwrap_or_default());
        findings.push(Finding::new(&code::SYNTAX, place, error.message().trim().to_owned()));
    }
    let mut table = reader.table(root.get_ref(), 0..0);
    table.place = Place::new(file, offset..offset);
    table
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    offset: usize,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.file, span.start + self.offset..span.end + self.offset)
    }

    /// A scan for brackets and dots that is wrong only about strings, and there only towards refusing: no declaration has
    /// a line with so many, and the parser behind it recurses.
    fn too_deep(&self) -> Option<Place> {
        let mut open = 0_usize;
        let mut dots = 0_usize;
        let mut quote = None;
        let mut escaped = false;
        for (at, byte) in self.text.bytes().enumerate() {
            match (quote, byte) {
                (_, b'\n') => {
                    dots = 0;
                    quote = None;
                }
                (Some(b'"'), _) if escaped => escaped = false,
                (Some(b'"'), b'\\') => escaped = true,
                (Some(open_quote), _) if open_quote == byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'[' | b'{') => open += 1,
                (None, b']' | b'}') => open = open.saturating_sub(1),
                (None, b'.') => dots += 1,
                (None, _) => {}
            }
            if open > DEPTH || dots > DEPTH {
                return Some(self.place(at..at + 1));
            }
        }
        None
    }

    fn table(&self, source: &DeTable<'_>, span: Range<usize>) -> Table {
        let mut table = Table::empty(self.place(span));
        for (key, value) in source {
            let place = self.place(key.span());
            let key = Spanned::new(key.get_ref().to_string(), place);
            let mut node = self.node(value.get_ref(), value.span());
            // A table made by a dotted key or a header of something below it has no text of its own: its key stands for it.
            if node.place.start == node.place.end {
                node.place = place;
            }
            table.push(Entry { key, node });
        }
        table
    }

    fn node(&self, value: &DeValue<'_>, span: Range<usize>) -> Node {
        let place = self.place(span.clone());
        let kind = match value {
            DeValue::String(content) => Kind::String(self.string(content, span)),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                i64::from_str_radix(&digits, number.radix()).map_or_else(|_| Kind::Float(f64::INFINITY), Kind::Int)
            }
            DeValue::Float(number) => Kind::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Kind::Bool(*value),
            DeValue::Datetime(datetime) => Kind::Datetime(datetime.to_string()),
            DeValue::Array(items) => {
                Kind::Array(items.iter().map(|item| self.node(item.get_ref(), item.span())).collect())
            }
            DeValue::Table(table) => Kind::Table(self.table(table, span)),
        };
        Node { kind, place }
    }

    fn string(&self, content: &str, span: Range<usize>) -> Text {
        let written = self.text.get(span.clone()).unwrap_or("");
        // One quote, three, or three and a line break: the content begins after them if it was written without escapes.
        for quotes in [1, 3, 4, 5] {
            if written.get(quotes..).is_some_and(|rest| rest.starts_with(content))
                && written.len() < quotes * 2 + content.len() + 1
            {
                let start = span.start + quotes;
                return Text {
                    content: content.to_owned(),
                    inner: self.place(start..start + content.len()),
                    literal: true,
                };
            }
        }
        Text { content: content.to_owned(), inner: self.place(span), literal: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Table, Findings, Files) {
        let mut files = Files::default();
        let mut findings = Findings::default();
        let file = files.add("a.toml", text);
        let table = read_toml(file, 0..text.len(), &files, &mut findings);
        (table, findings, files)
    }

    #[test]
    fn places_point_at_what_was_written() {
        let (table, findings, files) = read("\u{feff}a = \"x\"\r\nb = '''\ny'''\nc = \"\\u0041\"\n[d.e]\nf = [1, 2]\n");
        assert!(findings.is_empty());
        let inner = |key: &str| files.snippet(table.node(key).unwrap().as_text().unwrap().inner).to_owned();
        assert_eq!((inner("a"), inner("b"), inner("c")), ("x".into(), "y".into(), "\"\\u0041\"".into()));
        assert_eq!(files.snippet(table.get("a").unwrap().key.place), "a");
        let e = table.node("d").unwrap().as_table().unwrap().node("e").unwrap();
        assert_eq!(files.snippet(e.as_table().unwrap().node("f").unwrap().place), "[1, 2]");
    }

    #[test]
    fn every_syntax_error_is_found_and_the_rest_is_read() {
        let (table, findings, _) = read("a = \nb = 1\nc = [1,\nd = 'x\n");
        assert!(findings.len() >= 2, "{findings:?}");
        assert!(table.get("b").is_some());
    }

    #[test]
    fn hostile_depth_is_a_finding() {
        for text in [
            format!("a = {}", "[".repeat(100_000)),
            format!("{}a = 1", "a.".repeat(100_000)),
            format!("[{}a]", "a.".repeat(100_000)),
            format!("a = {}1{}", "{a = ".repeat(100_000), "}".repeat(100_000)),
            (0..100_000).map(|_| "[a\n").collect::<String>(),
        ] {
            let (_, findings, _) = read(&text);
            assert!(findings.has_errors());
        }
    }
}
