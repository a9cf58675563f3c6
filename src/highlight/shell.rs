//! What shells have: commands where a command can stand, variables, options.

use super::cursor::{Cursor, is_blank, is_word};
use super::pen::{Class, Pen};
use super::words::Last;

/// The words that only mean something where a command can stand.
pub(super) const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function",
    "select", "return", "export", "local", "readonly", "declare", "unset", "exit", "break", "continue", "!", "time",
];

/// A token of a shell, but for strings.
pub(super) fn token(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>, last: Last) -> Option<Last> {
    let byte = cursor.byte(0)?;
    match byte {
        b'#' if cursor.previous().is_none_or(is_blank) || matches!(last, Last::Sign(b';' | b'(')) => {
            pen.mark(Class::Comment, cursor.line());
            Some(last)
        }
        b'"' | b'\'' => None,
        b'\\' => {
            pen.plain(cursor.take(2));
            Some(last)
        }
        b'$' => Some(variable(cursor, pen)),
        _ if is_sign(byte) => {
            pen.plain(cursor.character());
            Some(Last::Sign(byte))
        }
        _ => Some(word(cursor, pen, last)),
    }
}

fn is_sign(byte: u8) -> bool {
    matches!(byte, b'|' | b'&' | b';' | b'(' | b')' | b'<' | b'>' | b'`' | b'=' | b'{' | b'}' | b'#')
}

fn variable(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Last {
    let start = cursor.position();
    cursor.take(1);
    match cursor.byte(0) {
        Some(b'(') => {
            pen.plain(cursor.since(start));
            return Last::Sign(b'$');
        }
        Some(b'{') => {
            cursor.through("}");
        }
        Some(byte) if is_word(byte) => {
            cursor.run(is_word);
        }
        Some(b'?' | b'@' | b'*' | b'#' | b'$' | b'!' | b'-') => {
            cursor.take(1);
        }
        Some(_) | None => {}
    }
    pen.mark(Class::Variable, cursor.since(start));
    Last::Value
}

fn word(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>, last: Last) -> Last {
    let is_command =
        matches!(last, Last::LineStart | Last::Keyword | Last::Sign(b'|' | b'&' | b';' | b'(' | b'`' | b'{' | b'!'));
    let word = cursor.run(|byte| !is_blank(byte) && !is_sign(byte) && !matches!(byte, b'"' | b'\'' | b'$' | b'\\'));
    if (is_command || word == "in") && KEYWORDS.contains(&word) {
        pen.mark(Class::Keyword, word);
        return if matches!(word, "for" | "case" | "in" | "select" | "function") { Last::Value } else { Last::Keyword };
    }
    if is_command && cursor.byte(0) == Some(b'=') {
        pen.mark(Class::Variable, word);
        return Last::Value;
    }
    if is_command {
        pen.mark(Class::Function, word);
    } else if word.starts_with('-') {
        pen.mark(Class::Key, word);
    } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
        pen.mark(Class::Number, word);
    } else {
        pen.plain(word);
    }
    Last::Value
}
