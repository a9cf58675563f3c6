//! Style sheets: selectors and declarations.

use super::cursor::{Cursor, is_blank, is_word};
use super::pen::{Class, Pen};
use super::words::{Quote, number};
use memchr::memchr3;

const QUOTES: [Quote; 2] = [
    Quote { open: "\"", close: "\"", escapes: true, lines: false },
    Quote { open: "'", close: "'", escapes: true, lines: false },
];

/// Which part of a rule is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing of a statement was read yet.
    Start,
    Selector,
    Property,
    Value,
}

/// CSS, and with `//` comments SCSS and Less.
pub(super) fn write(line_comments: bool, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let mut part = Part::Start;
    while let Some(byte) = cursor.byte(0) {
        if is_blank(byte) {
            pen.plain(cursor.run(is_blank));
        } else if cursor.starts_with("/*") {
            pen.mark(Class::Comment, cursor.take(2));
            pen.mark(Class::Comment, cursor.through("*/"));
        } else if line_comments && cursor.starts_with("//") {
            pen.mark(Class::Comment, cursor.line());
        } else if let Some(quote) = QUOTES.iter().find(|quote| cursor.starts_with(quote.open)) {
            pen.mark(Class::String, quote.take(cursor));
        } else if matches!(byte, b'{' | b'}' | b';') {
            pen.plain(cursor.take(1));
            part = Part::Start;
        } else {
            if part == Part::Start {
                part = part_of(cursor);
            }
            part = token(byte, part, cursor, pen);
        }
    }
}

/// What a statement begins with. It is looked over up to its first delimiter, behind which the next begins.
fn part_of(cursor: &Cursor<'_>) -> Part {
    if cursor.byte(0) == Some(b'@') {
        return Part::Value;
    }
    let rest = cursor.rest().as_bytes();
    match memchr3(b'{', b'}', b';', rest).and_then(|at| rest.get(at)) {
        Some(b'{') => Part::Selector,
        Some(_) | None => Part::Property,
    }
}

fn token(byte: u8, part: Part, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Part {
    let is_name = |byte: u8| is_word(byte) || byte == b'-';
    let start = cursor.position();
    let next = cursor.byte(1).unwrap_or_default();
    match (byte, part) {
        (b'@', _) => {
            cursor.take(1);
            cursor.run(is_name);
            pen.mark(Class::Keyword, cursor.since(start));
        }
        (b':', Part::Property) => {
            pen.plain(cursor.take(1));
            return Part::Value;
        }
        (b'.' | b'#', Part::Selector) => {
            cursor.take(1);
            cursor.run(is_name);
            pen.mark(Class::Tag, cursor.since(start));
        }
        (b':', Part::Selector) => {
            cursor.run(|byte| byte == b':');
            cursor.run(is_name);
            pen.mark(Class::Meta, cursor.since(start));
        }
        (b'#', _) if next.is_ascii_hexdigit() => {
            cursor.take(1);
            cursor.run(|byte| byte.is_ascii_hexdigit());
            pen.mark(Class::Number, cursor.since(start));
        }
        (b'!' | b'$', _) if is_word(next) => {
            cursor.take(1);
            cursor.run(is_name);
            pen.mark(if byte == b'!' { Class::Keyword } else { Class::Variable }, cursor.since(start));
        }
        _ if part != Part::Selector
            && (byte.is_ascii_digit() || (matches!(byte, b'-' | b'.') && next.is_ascii_digit())) =>
        {
            cursor.take(1);
            number(cursor);
            cursor.run(|byte| byte == b'%');
            pen.mark(Class::Number, cursor.since(start));
        }
        _ if is_name(byte) => {
            let word = cursor.run(is_name);
            match part {
                _ if word.starts_with("--") => pen.mark(Class::Variable, word),
                Part::Selector => pen.mark(Class::Tag, word),
                Part::Property => pen.mark(Class::Key, word),
                Part::Start | Part::Value if cursor.byte(0) == Some(b'(') => pen.mark(Class::Function, word),
                Part::Start | Part::Value => pen.plain(word),
            }
        }
        _ => pen.plain(cursor.character()),
    }
    part
}
