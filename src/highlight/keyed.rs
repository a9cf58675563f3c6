//! Files of keys and values: TOML, INI and their like, and YAML.

use super::cursor::{Cursor, is_blank};
use super::pen::{Class, Pen};
use super::words::Quote;

const QUOTES: &[Quote] = &[
    Quote { open: "\"\"\"", close: "\"\"\"", escapes: true, lines: true },
    Quote { open: "'''", close: "'''", escapes: false, lines: true },
    Quote { open: "\"", close: "\"", escapes: true, lines: false },
    Quote { open: "'", close: "'", escapes: false, lines: false },
];

/// TOML; with another sign for comments, INI.
pub(super) fn write(comment: Option<u8>, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let mut depth = 0_usize;
    let mut line_start = true;
    while !cursor.at_end() {
        let blank = cursor.run(is_blank);
        pen.plain(blank);
        line_start |= blank.contains('\n');
        let Some(byte) = cursor.byte(0) else { return };
        if byte == b'#' || Some(byte) == comment {
            pen.mark(Class::Comment, cursor.line());
            continue;
        }
        match byte {
            b'[' if line_start && depth == 0 => {
                let heading = cursor.run(|byte| byte != b'\n' && byte != b'#');
                let (heading, blank) = heading.split_at(heading.trim_end().len());
                pen.mark(Class::Heading, heading);
                pen.plain(blank);
            }
            _ => item(byte, cursor, pen),
        }
        depth = match byte {
            b'[' | b'{' if !line_start || depth > 0 => depth + 1,
            b']' | b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        line_start = false;
    }
}

fn item(byte: u8, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    if let Some(quote) = QUOTES.iter().find(|quote| cursor.starts_with(quote.open)) {
        let text = quote.take(cursor);
        pen.mark(if is_key(cursor) { Class::Key } else { Class::String }, text);
        return;
    }
    let is_bare =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b':') || byte >= 0x80;
    if !is_bare(byte) {
        pen.plain(cursor.character());
        return;
    }
    let word = cursor.run(is_bare);
    match class_of(word) {
        _ if is_key(cursor) => pen.mark(Class::Key, word),
        Some(class) => pen.mark(class, word),
        None => pen.plain(word),
    }
}

/// Whether a key ends here: at `=`, or where a part of it in quotes follows.
fn is_key(cursor: &Cursor<'_>) -> bool {
    cursor.is_before(b'=') || (cursor.previous() == Some(b'.') && matches!(cursor.byte(0), Some(b'"' | b'\'')))
}

/// What a word is that is a value.
fn class_of(word: &str) -> Option<Class> {
    const CONSTANTS: &[&str] = &["true", "false", "null", "~", "yes", "no", "on", "off", "inf", "+inf", "-inf", "nan"];
    if CONSTANTS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        return Some(Class::Constant);
    }
    let digits = word.strip_prefix(['+', '-', '.']).unwrap_or(word);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b':'));
    is_number.then_some(Class::Number)
}

/// YAML, line by line.
pub(super) fn write_yaml(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    // The column of the key whose text the lines are that stand deeper.
    let mut text_of: Option<usize> = None;
    while !cursor.at_end() {
        let line = cursor.line();
        let column = line.len() - line.trim_start().len();
        if text_of.is_some_and(|key| column > key || column == line.len()) {
            pen.mark(Class::String, line);
        } else {
            text_of = yaml_line(&mut Cursor::new(line), pen);
        }
        pen.plain(cursor.whole_line());
    }
}

/// A line; where its last key stands if a block of text follows.
fn yaml_line(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Option<usize> {
    if ["---", "...", "%"].iter().any(|start| cursor.starts_with(start)) {
        pen.mark(Class::Meta, cursor.run(|byte| !is_blank(byte)));
    }
    let mut column = cursor.rest().len() - cursor.rest().trim_start().len();
    let mut depth = 0_usize;
    let mut value_start = true;
    loop {
        pen.plain(cursor.run(is_blank));
        let byte = cursor.byte(0)?;
        let next_is_blank = cursor.byte(1).is_none_or(is_blank);
        let was_blank = cursor.previous().is_none_or(is_blank);
        match byte {
            b'#' if was_blank => pen.mark(Class::Comment, cursor.line()),
            b'-' | b'?' if value_start && next_is_blank => {
                pen.plain(cursor.character());
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                pen.plain(cursor.character());
            }
            b']' | b'}' | b',' if depth > 0 => {
                depth -= usize::from(byte != b',');
                pen.plain(cursor.character());
            }
            b':' if next_is_blank || depth > 0 => pen.plain(cursor.character()),
            b'&' | b'*' if !next_is_blank => {
                pen.mark(Class::Variable, cursor.run(|byte| !is_blank(byte) && !is_flow(byte)));
            }
            b'!' => pen.mark(Class::Type, cursor.run(|byte| !is_blank(byte) && !is_flow(byte))),
            b'|' | b'>' if is_block_start(cursor.rest()) => {
                pen.mark(Class::Meta, cursor.run(|byte| !is_blank(byte)));
                pen.plain(cursor.run(is_blank));
                pen.mark(Class::Comment, cursor.line());
                return Some(column);
            }
            b'"' | b'\'' => {
                let at = cursor.position();
                let quotes = if byte == b'"' { &QUOTES[2] } else { &QUOTES[3] };
                let text = quotes.take(cursor);
                let key = cursor.is_before(b':');
                pen.mark(if key { Class::Key } else { Class::String }, text);
                column = if key { at } else { column };
            }
            _ => {
                let at = cursor.position();
                if yaml_scalar(cursor, pen, depth > 0) {
                    column = at;
                }
            }
        }
        value_start = false;
    }
}

fn is_flow(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'{' | b'}' | b',')
}

/// `|`, `>-`, `|2 # comment` and nothing else.
fn is_block_start(text: &str) -> bool {
    let signs = text.bytes().skip(1).take(3).take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9')).count();
    let mut after = text.bytes().skip(1 + signs);
    signs < 3 && matches!(after.find(|byte| !is_blank(*byte)), None | Some(b'#'))
}

/// Words without quotes, up to what ends them; whether they are a key.
fn yaml_scalar(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>, in_flow: bool) -> bool {
    let bytes = cursor.rest().as_bytes();
    let blank_at = |at: usize| bytes.get(at).copied().is_none_or(is_blank);
    let ends = |at: usize, byte: u8| match byte {
        b':' => blank_at(at + 1),
        b'#' => at > 0 && blank_at(at - 1),
        _ => in_flow && is_flow(byte),
    };
    let length =
        bytes.iter().enumerate().skip(1).find(|(at, byte)| ends(*at, **byte)).map_or(bytes.len(), |(at, _)| at);
    let is_key = bytes.get(length) == Some(&b':');
    let text = cursor.take(length);
    let (word, blank) = text.split_at(text.trim_end().len());
    match class_of(word) {
        _ if is_key => pen.mark(Class::Key, word),
        Some(class) => pen.mark(class, word),
        None => pen.plain(word),
    }
    pen.plain(blank);
    is_key
}
