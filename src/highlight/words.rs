//! Most languages: comments, strings, numbers and words, one after another, as a row of the table describes them.

use super::cursor::{Cursor, is_blank, is_word};
use super::pen::{Class, Pen};

/// How a language of words looks.
#[derive(Debug)]
pub(super) struct Words {
    /// What begins a comment that ends with its line.
    pub(super) comments: &'static [&'static str],
    /// What begins and ends other comments.
    pub(super) block: Option<(&'static str, &'static str)>,
    /// Strings; where one opening begins another, the longer stands first.
    pub(super) quotes: &'static [Quote],
    /// What may stand directly before a string and belongs to it.
    pub(super) prefixes: &'static [&'static str],
    pub(super) keywords: &'static [&'static str],
    pub(super) constants: &'static [&'static str],
    pub(super) types: &'static [&'static str],
    /// What is part of a name besides letters, digits and `_`.
    pub(super) in_word: &'static [u8],
    pub(super) habits: &'static [Habit],
    /// What is tried first: whether it took something, and what that was.
    pub(super) own: Option<Own>,
}

/// What a language alone has. It takes a token, or leaves the cursor where it is and gives `None`.
pub(super) type Own = fn(&mut Cursor<'_>, &mut Pen<'_>, Last) -> Option<Last>;

/// A kind of string.
#[derive(Debug)]
pub(super) struct Quote {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Whether a backslash takes the meaning of the next character away.
    pub(super) escapes: bool,
    /// Whether it may go on in the next line.
    pub(super) lines: bool,
}

/// Customs that several languages share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Comments of the block kind nest.
    CommentsNest,
    /// Keywords are the same in any case.
    AnyCase,
    /// What begins with a capital is a type.
    CapitalTypes,
    /// A name before `(` is a function.
    Calls,
    /// A name before `!` is a function.
    Macros,
    /// `@name` speaks about what follows.
    Annotations,
    /// `$name` is a variable.
    Dollars,
    /// A string or name before `:` is a key.
    Keys,
    /// A line that begins with `#` is for the preprocessor.
    Preprocessor,
    /// A line begins anew, whatever the last one ended with.
    Lines,
}

/// What the last token was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// There was none, or none in this line where lines count.
    LineStart,
    /// A value may end here: a name, a number, a string, a closing bracket.
    Value,
    Keyword,
    Sign(u8),
}

/// Words that a name follows which is defined.
const DEFINE: &[&str] = &["fn", "def", "func", "function", "fun"];

pub(super) fn write(words: &Words, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
    let mut writer = Writer { words, last: Last::LineStart, line_start: true, defines: false };
    while !cursor.at_end() {
        writer.token(cursor, pen);
    }
}

struct Writer<'w> {
    words: &'w Words,
    last: Last,
    line_start: bool,
    /// The name that follows is that of a function.
    defines: bool,
}

impl Writer<'_> {
    fn has(&self, habit: Habit) -> bool {
        self.words.habits.contains(&habit)
    }

    fn token(&mut self, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) {
        let blank = cursor.run(is_blank);
        pen.plain(blank);
        self.line_start |= blank.contains('\n');
        let Some(byte) = cursor.byte(0) else { return };
        if self.line_start && self.has(Habit::Lines) {
            self.last = Last::LineStart;
        }
        let own = self.words.own.and_then(|own| own(cursor, pen, self.last));
        self.last = match own {
            Some(last) => last,
            None if self.comment(cursor, pen) => return,
            None => self.other(byte, cursor, pen),
        };
        self.line_start = false;
    }

    fn comment(&self, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> bool {
        if self.words.comments.iter().any(|start| cursor.starts_with(start)) {
            pen.mark(Class::Comment, cursor.line());
            return true;
        }
        let Some((open, close)) = self.words.block.filter(|(open, _)| cursor.starts_with(open)) else { return false };
        if self.has(Habit::CommentsNest) {
            let start = cursor.position();
            let mut depth = 0_usize;
            while !cursor.at_end() {
                if cursor.starts_with(open) {
                    depth += 1;
                    cursor.take(open.len());
                } else if cursor.starts_with(close) {
                    depth -= 1;
                    cursor.take(close.len());
                    if depth == 0 {
                        break;
                    }
                } else {
                    cursor.character();
                }
            }
            pen.mark(Class::Comment, cursor.since(start));
        } else {
            pen.mark(Class::Comment, cursor.take(open.len()));
            pen.mark(Class::Comment, cursor.through(close));
        }
        true
    }

    fn other(&mut self, byte: u8, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Last {
        if self.has(Habit::Preprocessor) && self.line_start && byte == b'#' {
            pen.mark(Class::Meta, cursor.line());
            return Last::Keyword;
        }
        if let Some(text) = self.quoted(cursor) {
            let key = self.has(Habit::Keys) && cursor.is_before(b':');
            pen.mark(if key { Class::Key } else { Class::String }, text);
            return Last::Value;
        }
        let ahead = cursor.byte(1).unwrap_or_default();
        if byte.is_ascii_digit()
            || (byte == b'.' && !matches!(self.last, Last::Value | Last::Sign(b'.')) && ahead.is_ascii_digit())
        {
            pen.mark(Class::Number, number(cursor));
            return Last::Value;
        }
        if self.is_in_name(byte) {
            return self.word(cursor, pen);
        }
        let class = match byte {
            b'$' if self.has(Habit::Dollars) && is_word(ahead) => Class::Variable,
            b'@' if self.has(Habit::Annotations) && is_word(ahead) => Class::Meta,
            _ => {
                pen.plain(cursor.character());
                return if matches!(byte, b')' | b']' | b'}') { Last::Value } else { Last::Sign(byte) };
            }
        };
        let start = cursor.position();
        cursor.take(1);
        cursor.run(|byte| is_word(byte) || (class == Class::Meta && byte == b'.'));
        pen.mark(class, cursor.since(start));
        Last::Value
    }

    fn is_in_name(&self, byte: u8) -> bool {
        is_word(byte) || self.words.in_word.contains(&byte)
    }

    fn quoted<'t>(&self, cursor: &mut Cursor<'t>) -> Option<&'t str> {
        self.words.quotes.iter().find(|quote| cursor.starts_with(quote.open)).map(|quote| quote.take(cursor))
    }

    fn word(&mut self, cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Last {
        let start = cursor.position();
        let word = cursor.run(|byte| self.is_in_name(byte));
        if self.words.prefixes.contains(&word) && self.quoted(cursor).is_some() {
            pen.mark(Class::String, cursor.since(start));
            return Last::Value;
        }
        let defines = std::mem::replace(&mut self.defines, DEFINE.contains(&word));
        let among = |listed: &[&str]| {
            if self.has(Habit::AnyCase) {
                listed.iter().any(|known| known.eq_ignore_ascii_case(word))
            } else {
                listed.contains(&word)
            }
        };
        let is_member = self.last == Last::Sign(b'.');
        if self.has(Habit::Keys) && cursor.is_before(b':') {
            pen.mark(Class::Key, word);
        } else if !is_member && among(self.words.keywords) {
            pen.mark(Class::Keyword, word);
            return Last::Keyword;
        } else if !is_member && among(self.words.constants) {
            pen.mark(Class::Constant, word);
        } else if among(self.words.types) {
            pen.mark(Class::Type, word);
        } else if self.has(Habit::Macros) && cursor.byte(0) == Some(b'!') && cursor.byte(1) != Some(b'=') {
            cursor.take(1);
            pen.mark(Class::Function, cursor.since(start));
        } else if defines || (self.has(Habit::Calls) && cursor.byte(0) == Some(b'(')) {
            pen.mark(Class::Function, word);
        } else {
            match self.capitals(word) {
                Some(class) => pen.mark(class, word),
                None => pen.plain(word),
            }
        }
        Last::Value
    }

    fn capitals(&self, word: &str) -> Option<Class> {
        let capital = self.has(Habit::CapitalTypes) && word.starts_with(|first: char| first.is_ascii_uppercase());
        let all = word.len() > 1 && word.bytes().all(|byte| !byte.is_ascii_lowercase());
        capital.then_some(if all { Class::Constant } else { Class::Type })
    }
}

impl Quote {
    /// Takes the string that begins here; one that does not end ends with its line, or with the text.
    pub(super) fn take<'t>(&self, cursor: &mut Cursor<'t>) -> &'t str {
        let start = cursor.position();
        let close = self.close.as_bytes().first().copied().unwrap_or_default();
        cursor.take(self.open.len());
        loop {
            cursor.run(|byte| byte != close && byte != b'\n' && byte != b'\\');
            match cursor.byte(0) {
                None => break,
                Some(b'\n') if !self.lines => break,
                Some(b'\\') if self.escapes => {
                    cursor.take(1);
                    cursor.character();
                }
                Some(_) if cursor.starts_with(self.close) => {
                    cursor.take(self.close.len());
                    break;
                }
                Some(_) => {
                    cursor.character();
                }
            }
        }
        cursor.since(start)
    }
}

/// Takes a number, with its unit or suffix.
pub(super) fn number<'t>(cursor: &mut Cursor<'t>) -> &'t str {
    let start = cursor.position();
    let hexadecimal = matches!(cursor.byte(1), Some(b'x' | b'X'));
    while let Some(byte) = cursor.byte(0) {
        let digit_follows = |ahead: usize| cursor.byte(ahead).is_some_and(|byte| byte.is_ascii_digit());
        let goes_on = match byte {
            b'.' => digit_follows(1) || cursor.position() == start,
            b'+' | b'-' => {
                !hexadecimal
                    && cursor.position() > start
                    && matches!(cursor.previous(), Some(b'e' | b'E'))
                    && digit_follows(1)
            }
            _ => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        if !goes_on {
            break;
        }
        cursor.take(1);
    }
    cursor.since(start)
}

/// The longest regular expression that is looked for.
const LONGEST_PATTERN: usize = 200;

/// `/pattern/flags` of JavaScript, where no value has ended, so that it is no division.
pub(super) fn pattern(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>, last: Last) -> Option<Last> {
    if cursor.byte(0) != Some(b'/') || last == Last::Value || matches!(cursor.byte(1), None | Some(b'/' | b'*')) {
        return None;
    }
    let (mut in_set, mut escaped) = (false, false);
    let end = cursor.rest().bytes().take(LONGEST_PATTERN).enumerate().skip(1).find_map(|(at, byte)| {
        let ends = byte == b'\n' || (byte == b'/' && !in_set && !escaped);
        in_set = !escaped && (byte == b'[' || (in_set && byte != b']')) || (escaped && in_set);
        escaped = byte == b'\\' && !escaped;
        ends.then_some((at, byte))
    });
    let (length, _) = end.filter(|(_, byte)| *byte == b'/')?;
    pen.mark(Class::String, cursor.take(length + 1));
    pen.mark(Class::String, cursor.run(|byte| byte.is_ascii_alphabetic()));
    Some(Last::Value)
}

/// What only Rust has: raw strings, characters and lifetimes, attributes.
pub(super) fn rust(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>, last: Last) -> Option<Last> {
    match cursor.byte(0)? {
        b'\'' => {
            pen.mark_quote(cursor);
            Some(Last::Value)
        }
        b'#' if matches!((cursor.byte(1), cursor.byte(2)), (Some(b'['), _) | (Some(b'!'), Some(b'['))) => {
            let start = cursor.position();
            let mut depth = 0_usize;
            while let Some(byte) = cursor.byte(0) {
                depth = match byte {
                    b'[' => depth + 1,
                    b']' => depth.saturating_sub(1),
                    _ => depth,
                };
                cursor.character();
                if byte == b']' && depth == 0 {
                    break;
                }
            }
            pen.mark(Class::Meta, cursor.since(start));
            Some(last)
        }
        b'r' | b'b' | b'c' => raw_string(cursor, pen),
        _ => None,
    }
}

/// `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string(cursor: &mut Cursor<'_>, pen: &mut Pen<'_>) -> Option<Last> {
    const MOST_SIGNS: usize = 16;
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| cursor.starts_with(prefix) && matches!(cursor.byte(prefix.len()), Some(b'"' | b'#')))?;
    let signs = cursor.rest().bytes().skip(prefix.len()).take(MOST_SIGNS).take_while(|byte| *byte == b'#').count();
    if cursor.byte(prefix.len() + signs) != Some(b'"') {
        return None;
    }
    pen.mark(Class::String, cursor.take(prefix.len() + signs + 1));
    pen.mark(Class::String, cursor.through(&format!("\"{}", "#".repeat(signs))));
    Some(Last::Value)
}

impl Pen<'_> {
    /// A character in quotes, or a lifetime.
    fn mark_quote(&mut self, cursor: &mut Cursor<'_>) {
        let character = cursor.rest().chars().nth(1).unwrap_or_default();
        if character == '\\' {
            let quote = Quote { open: "'", close: "'", escapes: true, lines: false };
            self.mark(Class::String, quote.take(cursor));
        } else if cursor.byte(1 + character.len_utf8()) == Some(b'\'') {
            self.mark(Class::String, cursor.take(2 + character.len_utf8()));
        } else {
            let start = cursor.position();
            cursor.take(1);
            cursor.run(is_word);
            self.mark(Class::Variable, cursor.since(start));
        }
    }
}
