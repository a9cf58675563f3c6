//! Formats of lines: differences, HTTP messages, terminals, Markdown.

use super::cursor::{Cursor, is_blank};
use super::pen::{Class, Pen};
use super::write_embedded;

/// What `diff` prints.
pub(super) fn write_diff(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    const HEADS: [&str; 9] =
        ["+++ ", "--- ", "diff ", "index ", "new file ", "deleted file ", "rename ", "similarity ", "Index: "];
    while !cursor.at_end() {
        let class = match cursor.byte(0) {
            _ if HEADS.iter().any(|head| cursor.starts_with(head)) => Some(Class::Heading),
            Some(b'+' | b'>') => Some(Class::Inserted),
            Some(b'-' | b'<') => Some(Class::Deleted),
            Some(b'@') => Some(Class::Meta),
            Some(_) | None => None,
        };
        let line = cursor.line();
        match class {
            Some(class) => pen.mark(class, line),
            None => pen.plain(line),
        }
        pen.plain(cursor.whole_line());
    }
}

/// A request or response (RFC 9112): start line, fields, content.
pub(super) fn write_http(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    start_line(cursor.line(), pen);
    pen.plain(cursor.whole_line());
    while !cursor.at_end() {
        let line = cursor.line();
        let end = cursor.whole_line();
        if line.trim().is_empty() {
            pen.plain(line);
            pen.plain(end);
            break;
        }
        match line.split_once(':') {
            Some((name, value)) => {
                pen.mark(Class::Key, name);
                pen.plain(":");
                pen.plain(value);
            }
            None => pen.plain(line),
        }
        pen.plain(end);
    }
    let content = cursor.rest();
    let language = match content.trim_start().bytes().next() {
        Some(b'{' | b'[') => "json",
        Some(b'<') => "html",
        Some(_) | None => "text",
    };
    write_embedded(content, language, pen);
}

fn start_line(line: &str, pen: &mut Pen<'_>) {
    for part in line.split_inclusive(' ') {
        let word = part.trim_end();
        if word.starts_with("HTTP/") {
            pen.mark(Class::Meta, part);
        } else if word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()) {
            pen.mark(Class::Number, part);
        } else if word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
            pen.mark(Class::Keyword, part);
        } else {
            pen.plain(part);
        }
    }
}

/// Commands behind `$`, `%` or `>`, and what they printed.
pub(super) fn write_console(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    const PROMPTS: [&str; 4] = ["$ ", "% ", "> ", "# "];
    while !cursor.at_end() {
        if PROMPTS.iter().any(|prompt| cursor.starts_with(prompt)) {
            pen.mark(Class::Meta, cursor.take(1));
            let start = cursor.position();
            // A command goes on in the next line if this one ends in a backslash.
            while cursor.line().ends_with('\\') && !cursor.at_end() {
                cursor.take(1);
            }
            write_embedded(cursor.since(start), "sh", pen);
        } else {
            pen.plain(cursor.line());
        }
        pen.plain(cursor.whole_line());
    }
}

/// Markdown: blocks by their first characters, and code within lines.
pub(super) fn write_markdown(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    front_matter(cursor, pen);
    while !cursor.at_end() {
        let line = cursor.line();
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let signs = text.bytes().take_while(|byte| *byte == b'#').count();
        match text.bytes().next() {
            Some(fence @ (b'`' | b'~')) if text.bytes().take(3).filter(|byte| *byte == fence).count() == 3 => {
                pen.mark(Class::Meta, line);
                pen.plain(cursor.whole_line());
                fenced(text, fence, cursor, pen);
                continue;
            }
            Some(b'#') if (1..=6).contains(&signs) && text.as_bytes().get(signs).copied().is_none_or(is_blank) => {
                pen.mark(Class::Heading, line);
            }
            _ => {
                pen.plain(line.get(..indent).unwrap_or_default());
                let marker = marker_length(text);
                pen.mark(Class::Meta, text.get(..marker).unwrap_or_default());
                inline(&mut Cursor::new(text.get(marker..).unwrap_or_default()), pen);
            }
        }
        pen.plain(cursor.whole_line());
    }
}

fn front_matter(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    for (fence, language) in [("+++\n", "toml"), ("---\n", "yaml")] {
        if cursor.starts_with(fence) {
            pen.mark(Class::Meta, cursor.take(3));
            let end = memchr::memmem::find(cursor.rest().as_bytes(), format!("\n{fence}").as_bytes());
            let Some(end) = end else { return };
            write_embedded(cursor.take(end + 1), language, pen);
            pen.mark(Class::Meta, cursor.take(3));
        }
    }
}

/// The lines of a block of code, and its end.
fn fenced(opening: &str, fence: u8, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let length = opening.bytes().take_while(|byte| *byte == fence).count();
    let info = opening.get(length..).unwrap_or_default().trim_start();
    let language = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    let start = cursor.position();
    while !cursor.at_end() {
        let code = cursor.since(start);
        let line = cursor.line();
        let closes = line.trim().len() >= length && line.trim().bytes().all(|byte| byte == fence);
        if closes {
            write_embedded(code, language, pen);
            return pen.mark(Class::Meta, line);
        }
        cursor.take(1);
    }
    write_embedded(cursor.since(start), language, pen);
}

/// How long what makes a quote or an item of a list is.
fn marker_length(text: &str) -> usize {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let blank_at = |at: usize| text.as_bytes().get(at).is_some_and(|byte| is_blank(*byte));
    match text.bytes().next() {
        Some(b'>') => 1,
        Some(b'-' | b'*' | b'+') if blank_at(1) => 1,
        Some(_)
            if (1..=9).contains(&digits)
                && matches!(text.as_bytes().get(digits), Some(b'.' | b')'))
                && blank_at(digits + 1) =>
        {
            digits + 1
        }
        Some(_) | None => 0,
    }
}

/// How far the end of a code span or of a link is looked for.
const FARTHEST: usize = 500;

fn inline(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    while let Some(byte) = cursor.byte(0) {
        match byte {
            b'`' => {
                let run = cursor.run(|byte| byte == b'`');
                let near = cursor.rest().as_bytes();
                let near = near.get(..FARTHEST).unwrap_or(near);
                match memchr::memmem::find(near, run.as_bytes()) {
                    Some(end) => {
                        pen.mark(Class::String, run);
                        pen.mark(Class::String, cursor.take(end + run.len()));
                    }
                    None => pen.plain(run),
                }
            }
            b']' if cursor.byte(1) == Some(b'(') => {
                pen.plain(cursor.take(2));
                let target = cursor.rest().bytes().take(FARTHEST).position(|byte| byte == b')');
                pen.mark(Class::Variable, cursor.take(target.unwrap_or(0)));
            }
            b']' => pen.plain(cursor.take(1)),
            _ => pen.plain(cursor.run(|byte| !matches!(byte, b'`' | b']'))),
        }
    }
}
