//! HTML and XML, with Liquid in their text and in their attributes.

use super::cursor::{Cursor, is_blank, is_word};
use super::pen::{Class, Pen};
use super::words::{Quote, number};
use super::write_embedded;

/// Elements, text and templates; in HTML, scripts and styles are in languages of their own.
pub(super) fn write(html: bool, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    while let Some(byte) = cursor.byte(0) {
        match byte {
            b'<' => element(html, cursor, pen),
            b'{' if opens_template(cursor) => template(cursor, pen),
            b'&' if reference(cursor) > 0 => {
                let length = reference(cursor);
                pen.mark(Class::Constant, cursor.take(length));
            }
            b'{' | b'&' => pen.plain(cursor.character()),
            _ => pen.plain(cursor.run(|byte| !matches!(byte, b'<' | b'{' | b'&'))),
        }
    }
}

fn opens_template(cursor: &Cursor<'_>) -> bool {
    cursor.starts_with("{{") || cursor.starts_with("{%")
}

/// The length of the character reference that begins here.
fn reference(cursor: &Cursor<'_>) -> usize {
    const LONGEST: usize = 32;
    let name = cursor.rest().bytes().skip(1).take(LONGEST);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
    if length > 0 && cursor.byte(length + 1) == Some(b';') { length + 2 } else { 0 }
}

/// What begins with `<`.
fn element(html: bool, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    const OTHERS: [(&str, &str, Class); 4] = [
        ("<!--", "-->", Class::Comment),
        ("<![CDATA[", "]]>", Class::Meta),
        ("<!", ">", Class::Meta),
        ("<?", ">", Class::Meta),
    ];
    if let Some((_, end, class)) = OTHERS.iter().find(|(start, ..)| cursor.starts_with(start)) {
        return pen.mark(*class, cursor.through(end));
    }
    let start = cursor.position();
    let ends = cursor.byte(1) == Some(b'/');
    let at = if ends { 2 } else { 1 };
    if !cursor.byte(at).is_some_and(is_word) {
        return pen.plain(cursor.character());
    }
    cursor.take(at);
    let name = cursor.run(is_name);
    pen.mark(Class::Tag, cursor.since(start));
    if attributes(cursor, pen) && html && !ends {
        let language = match name {
            "script" => "js",
            "style" => "css",
            _ => return,
        };
        let content = cursor.take(raw_length(cursor.rest(), name));
        write_embedded(content, language, pen);
    }
}

fn is_name(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'-' | b':' | b'.')
}

/// Up to the end of the tag; whether content follows.
fn attributes(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> bool {
    let mut is_value = false;
    let mut is_empty = false;
    while let Some(byte) = cursor.byte(0) {
        match byte {
            b'>' => {
                pen.mark(Class::Tag, cursor.take(1));
                return !is_empty;
            }
            b'<' => return false,
            b'/' => pen.mark(Class::Tag, cursor.take(1)),
            b'=' => pen.plain(cursor.take(1)),
            b'"' | b'\'' => value(byte, cursor, pen),
            b'{' if opens_template(cursor) => template(cursor, pen),
            b'{' => pen.plain(cursor.take(1)),
            _ if is_blank(byte) => {
                pen.plain(cursor.run(is_blank));
                continue;
            }
            _ => {
                let class = if is_value { Class::String } else { Class::Key };
                let ends = |byte: u8| is_blank(byte) || matches!(byte, b'>' | b'<' | b'=' | b'"' | b'\'' | b'{' | b'/');
                pen.mark(class, cursor.run(|byte| !ends(byte)));
            }
        }
        is_value = byte == b'=';
        is_empty = byte == b'/';
    }
    false
}

/// A value in quotes, which may hold templates.
fn value(quote: u8, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    pen.mark(Class::String, cursor.take(1));
    while let Some(byte) = cursor.byte(0) {
        if byte == quote {
            return pen.mark(Class::String, cursor.take(1));
        }
        if opens_template(cursor) {
            template(cursor, pen);
        } else if byte == b'{' {
            pen.mark(Class::String, cursor.take(1));
        } else {
            pen.mark(Class::String, cursor.run(|byte| byte != quote && byte != b'{'));
        }
    }
}

/// How long the content of a script or style is.
fn raw_length(text: &str, name: &str) -> usize {
    let ends = memchr::memmem::find_iter(text.as_bytes(), "</");
    let named = |at: &usize| {
        text.as_bytes()
            .get(at + 2..at + 2 + name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    ends.into_iter().find(named).unwrap_or(text.len())
}

/// `{{ … }}` or `{% … %}`. Like Liquid itself, it ends at the first `}}` or `%}`, whatever stands between.
fn template(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let is_tag = cursor.byte(1) == Some(b'%');
    let dash = cursor.byte(2) == Some(b'-');
    pen.mark(Class::Meta, cursor.take(if dash { 3 } else { 2 }));
    let whole = cursor.until(if is_tag { "%}" } else { "}}" });
    // A dash belongs to the end that follows it, if one does.
    let inside = whole.strip_suffix('-').filter(|_| !cursor.at_end()).unwrap_or(whole);
    let mut inner = Cursor::new(inside);
    let mut body_ends_with = None;
    if is_tag {
        pen.plain(inner.run(is_blank));
        let name = inner.run(|byte| is_word(byte) || byte == b'#');
        body_ends_with = match name {
            "comment" => Some(("endcomment", true)),
            "doc" => Some(("enddoc", true)),
            "raw" => Some(("endraw", false)),
            _ => None,
        };
        match name {
            _ if name.starts_with('#') => {
                pen.mark(Class::Comment, name);
                pen.mark(Class::Comment, inner.take(inside.len()));
            }
            "liquid" => {
                pen.mark(Class::Keyword, name);
                tag_lines(&mut inner, pen);
            }
            _ => pen.mark(Class::Keyword, name),
        }
    }
    expression(&mut inner, pen);
    if !cursor.at_end() {
        pen.mark(Class::Meta, if inside.len() < whole.len() { "-" } else { "" });
        pen.mark(Class::Meta, cursor.take(2));
    }
    if let Some((end, is_comment)) = body_ends_with {
        let body = cursor.take(body_length(cursor.rest(), end));
        if is_comment {
            pen.mark(Class::Comment, body);
        } else {
            pen.plain(body);
        }
    }
}

/// How long a body is that is not read, up to its end tag.
fn body_length(text: &str, end: &str) -> usize {
    let ends = |at: &usize| {
        let tag = text.get(at + 2..).unwrap_or_default();
        tag.strip_prefix('-').unwrap_or(tag).trim_start_matches([' ', '\t', '\n', '\r']).starts_with(end)
    };
    memchr::memmem::find_iter(text.as_bytes(), "{%").find(ends).unwrap_or(text.len())
}

/// The lines of a `liquid` tag: each begins with the name of a tag.
fn tag_lines(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    while !cursor.at_end() {
        pen.plain(cursor.run(is_blank));
        let line = cursor.line();
        if line.starts_with('#') {
            pen.mark(Class::Comment, line);
            continue;
        }
        let mut inner = Cursor::new(line);
        pen.mark(Class::Keyword, inner.run(is_word));
        expression(&mut inner, pen);
    }
}

const WORDS: &[&str] =
    &["in", "and", "or", "contains", "with", "for", "as", "by", "reversed", "limit", "offset", "cols", "continue"];
const CONSTANTS: &[&str] = &["true", "false", "nil", "null", "empty", "blank"];
const QUOTES: [Quote; 2] = [
    Quote { open: "\"", close: "\"", escapes: false, lines: true },
    Quote { open: "'", close: "'", escapes: false, lines: true },
];

/// Values, filters and their arguments.
fn expression(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let mut is_filter = false;
    while let Some(byte) = cursor.byte(0) {
        if is_blank(byte) {
            pen.plain(cursor.run(is_blank));
            continue;
        }
        let is_name = |byte: u8| is_word(byte) || matches!(byte, b'-' | b'.' | b'?');
        if let Some(quote) = QUOTES.iter().find(|quote| cursor.starts_with(quote.open)) {
            pen.mark(Class::String, quote.take(cursor));
        } else if byte.is_ascii_digit() {
            pen.mark(Class::Number, number(cursor));
        } else if is_word(byte) {
            let word = cursor.run(is_name);
            let class = match word {
                _ if is_filter => Class::Function,
                _ if cursor.byte(0) == Some(b':') => Class::Key,
                _ if CONSTANTS.contains(&word) => Class::Constant,
                _ if WORDS.contains(&word) => Class::Keyword,
                _ => Class::Variable,
            };
            pen.mark(class, word);
        } else {
            pen.plain(cursor.character());
        }
        is_filter = byte == b'|';
    }
}
