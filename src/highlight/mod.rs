//! Colours for code: a text in one of some forty languages to HTML whose tokens stand in spans with a class.
//!
//! A language is a row of a table (`table`) that says how its comments, strings and words look; the few that are no sequence
//! of words (markup, style sheets, keyed files, formats of lines) have a lexer of their own. All of them go through the text
//! once, look ahead by a bounded number of bytes or to the end of what they then consume, and cannot fail: the time is linear
//! in the text, whoever wrote it. Nothing here knows where code comes from or which page shows it. To add a language, write a
//! row of the table; to add a class, a line of [`Class`] and its colour in the style sheets that use it.

mod cursor;
mod keyed;
mod lines;
mod markup;
mod pen;
mod shell;
mod style;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use pen::{Class, escape};
pub use table::LANGUAGES;

use cursor::Cursor;
use pen::Pen;

/// The longest code that gets colours, in bytes.
pub const LONGEST_CODE: usize = 256 << 10;

/// How many tokens of code from anywhere get colours: a hundred screens of it, and less than a megabyte of tags.
pub const MOST_SPANS: usize = 20_000;

/// A language.
#[derive(Debug)]
pub struct Language {
    /// What it is called in prose.
    pub title: &'static str,
    /// What it is called behind a fence, in lower case; the first is the usual name.
    pub names: &'static [&'static str],
    grammar: Grammar,
}

/// How a language is read.
#[derive(Debug)]
enum Grammar {
    /// Comments, strings, numbers and words, one after another.
    Words(&'static words::Words),
    /// Elements and Liquid; `true` for HTML, whose scripts and styles are languages of their own.
    Markup {
        html: bool,
    },
    /// Rules and declarations; `true` if `//` begins a comment.
    Style {
        line_comments: bool,
    },
    /// Keys, values and headings in brackets; what begins a comment, besides `#`.
    Keyed {
        comment: Option<u8>,
    },
    Yaml,
    Markdown,
    Diff,
    Http,
    /// What stood in a terminal: commands behind a prompt, and what they printed.
    Console,
}

/// What the colours of one answer may cost; whatever is beyond stays plain.
#[derive(Debug, Clone)]
pub struct Budget {
    spans: usize,
}

impl Budget {
    /// As many tokens in colour.
    #[must_use]
    pub fn new(spans: usize) -> Self {
        Self { spans }
    }
}

impl Default for Budget {
    /// What a block of code may cost, whoever wrote it.
    fn default() -> Self {
        Self::new(MOST_SPANS)
    }
}

/// The language that is called `name`, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Appends `code` as HTML: escaped, and in colours as far as `budget` goes.
pub fn write(code: &str, language: &Language, budget: &mut Budget, out: &mut String) {
    let mut pen = Pen::new(out, budget.spans);
    if code.len() > LONGEST_CODE {
        pen.plain(code);
    } else {
        language.write(&mut Cursor::new(code), &mut pen);
    }
    budget.spans = pen.finish();
}

/// A whole block of code as HTML, without line breaks at its ends; plain if nobody knows a language of that name.
#[must_use]
pub fn block(code: &str, language: &str) -> String {
    let code = code.trim_matches(['\n', '\r']);
    let mut out = String::with_capacity(code.len() * 2 + 64);
    open_block(language, &mut out);
    match find(language) {
        Some(language) => write(code, language, &mut Budget::default(), &mut out),
        None => escape(code, &mut out),
    }
    out.push_str("</code></pre>");
    out
}

/// Appends the beginning of a block of code in `language`, up to where the code stands. Who has only a keyboard reaches it, and can scroll what
/// is wider than its place.
pub fn open_block(language: &str, out: &mut String) {
    out.push_str("<pre class=\"highlight\" tabindex=\"0\"><code");
    if !language.is_empty() {
        out.push_str(" class=\"language-");
        escape(language, out);
        out.push('"');
    }
    out.push('>');
}

impl Language {
    fn write(&self, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
        match self.grammar {
            Grammar::Words(words) => words::write(words, cursor, pen),
            Grammar::Markup { html } => markup::write(html, cursor, pen),
            Grammar::Style { line_comments } => style::write(line_comments, cursor, pen),
            Grammar::Keyed { comment } => keyed::write(comment, cursor, pen),
            Grammar::Yaml => keyed::write_yaml(cursor, pen),
            Grammar::Markdown => lines::write_markdown(cursor, pen),
            Grammar::Diff => lines::write_diff(cursor, pen),
            Grammar::Http => lines::write_http(cursor, pen),
            Grammar::Console => lines::write_console(cursor, pen),
        }
    }
}

/// `code`, which is part of a text in another language; plain if it is in none that we know, or in one that holds others.
fn write_embedded(code: &str, language: &str, pen: &mut Pen<'_>) {
    match find(language) {
        Some(language) if !matches!(language.grammar, Grammar::Markdown | Grammar::Http) => {
            language.write(&mut Cursor::new(code), pen);
        }
        Some(_) | None => pen.plain(code),
    }
}
