//! Template text to tokens: literal text, outputs and tags, with white space control applied.
//!
//! A tag ends at the first `%}` and an output at the first `}}`, whatever stands between, as Liquid has it. Nothing here
//! knows what a tag means, except that the bodies of `raw`, `comment` and `doc` are found by [`Lexer::verbatim`].

use std::ops::Range;

/// A piece of a template. Ranges are byte offsets in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(Range<usize>),
    /// What stands between `{{` and `}}`.
    Output {
        inside: Range<usize>,
        whole: Range<usize>,
    },
    Tag(Tag),
    /// `{{` or `{%` without its end.
    Unclosed(Range<usize>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: Range<usize>,
    pub(super) markup: Range<usize>,
    pub(super) whole: Range<usize>,
}

/// Where tokens come from: template text, or the lines of a `liquid` tag.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'s> {
    text: &'s str,
    at: usize,
    end: usize,
    /// The previous token ended with `-`.
    trim: bool,
    lines: bool,
}

/// The part of `text` in `range`, or nothing.
pub(super) fn cut(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}

/// `range` without white space at its ends.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = cut(text, range.clone());
    let start = range.start + (part.len() - part.trim_start().len());
    start..start.max(range.start + part.trim_end().len())
}

/// White space as Ruby strips it and splits at it: ASCII's alone, so that a no-break space stays what it is.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
}

impl<'s> Lexer<'s> {
    pub(super) fn template(text: &'s str, range: Range<usize>) -> Self {
        Self { text, at: range.start, end: range.end.min(text.len()), trim: false, lines: false }
    }

    /// The lines of a `liquid` tag: each is a tag.
    pub(super) fn lines(text: &'s str, range: Range<usize>) -> Self {
        Self { text, at: range.start, end: range.end.min(text.len()), trim: false, lines: true }
    }

    pub(super) fn is_lines(&self) -> bool {
        self.lines
    }

    fn rest(&self) -> &'s str {
        cut(self.text, self.at..self.end)
    }

    fn find(&self, from: usize, needle: &str) -> Option<usize> {
        memchr::memmem::find(cut(self.text, from..self.end).as_bytes(), needle.as_bytes()).map(|at| from + at)
    }

    /// The next token, or nothing at the end.
    pub(super) fn next(&mut self) -> Option<Token> {
        if self.lines { self.next_line() } else { self.next_piece() }
    }

    fn next_line(&mut self) -> Option<Token> {
        loop {
            if self.at >= self.end {
                return None;
            }
            let length = memchr::memchr(b'\n', self.rest().as_bytes()).unwrap_or(self.end - self.at);
            let line = trimmed(self.text, self.at..self.at + length);
            self.at += length + 1;
            if !line.is_empty() {
                return Some(Token::Tag(self.tag(line.clone(), line)));
            }
        }
    }

    fn tag(&self, inside: Range<usize>, whole: Range<usize>) -> Tag {
        let inside = trimmed(self.text, inside);
        let content = cut(self.text, inside.clone());
        let length = if content.starts_with('#') {
            1
        } else {
            content.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(content.len())
        };
        let name = inside.start..inside.start + length;
        Tag { markup: trimmed(self.text, name.end..inside.end), name, whole }
    }

    fn next_piece(&mut self) -> Option<Token> {
        if self.trim {
            self.trim = false;
            self.at = self.end - self.rest().trim_start_matches(is_space).len();
        }
        if self.at >= self.end {
            return None;
        }
        let open = self.next_open(self.at);
        if let Some(open) = open
            && open == self.at
        {
            return Some(self.delimited(open));
        }
        let start = self.at;
        let mut stop = open.unwrap_or(self.end);
        self.at = stop;
        if self.text.as_bytes().get(stop + 2) == Some(&b'-') && open.is_some() {
            stop = start + cut(self.text, start..stop).trim_end_matches(is_space).len();
        }
        if stop == start { self.next_piece_after_blank() } else { Some(Token::Text(start..stop)) }
    }

    /// Text that white space control removed entirely is always followed by a delimiter.
    fn next_piece_after_blank(&mut self) -> Option<Token> {
        (self.at < self.end).then(|| self.delimited(self.at))
    }

    fn next_open(&self, from: usize) -> Option<usize> {
        let bytes = cut(self.text, from..self.end).as_bytes();
        memchr::memchr_iter(b'{', bytes).find(|&at| matches!(bytes.get(at + 1), Some(b'{' | b'%'))).map(|at| from + at)
    }

    fn delimited(&mut self, open: usize) -> Token {
        let is_tag = self.text.as_bytes().get(open + 1) == Some(&b'%');
        let close = if is_tag { "%}" } else { "}}" };
        let Some(at) = self.find(open + 2, close) else {
            self.at = self.end;
            return Token::Unclosed(open..open + 2);
        };
        let whole = open..at + 2;
        let inside = self.inside(open + 2..at);
        self.at = at + 2;
        if is_tag { Token::Tag(self.tag(inside, whole)) } else { Token::Output { inside, whole } }
    }

    /// What stands between the delimiters, without the hyphens of white space control.
    fn inside(&mut self, range: Range<usize>) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let mut inside = range;
        if bytes.get(inside.start) == Some(&b'-') && inside.start < inside.end {
            inside.start += 1;
        }
        if inside.start < inside.end && bytes.get(inside.end - 1) == Some(&b'-') {
            inside.end -= 1;
            self.trim = true;
        } else {
            self.trim = inside.start == inside.end && inside.start > 0 && bytes.get(inside.start - 1) == Some(&b'-');
        }
        inside
    }

    /// The next tag, whatever stands before it.
    pub(super) fn next_tag(&mut self) -> Option<Tag> {
        if self.lines {
            return match self.next_line()? {
                Token::Tag(tag) => Some(tag),
                Token::Text(_) | Token::Output { .. } | Token::Unclosed(_) => None,
            };
        }
        let open = self.find(self.at, "{%")?;
        let close = self.find(open + 2, "%}")?;
        let inside = self.inside(open + 2..close);
        self.at = close + 2;
        Some(self.tag(inside, open..close + 2))
    }

    /// The body of a block whose text is not Liquid, up to the tag called `end`; none if that never comes.
    pub(super) fn verbatim(&mut self, end: &str) -> Option<Range<usize>> {
        // No hyphen reaches into it.
        let start = self.at;
        let mut from = start;
        while let Some(open) = self.find(from, "{%") {
            from = open + 2;
            let Some(close) = self.find(from, "%}") else { break };
            let bytes = self.text.as_bytes();
            let left = bytes.get(from) == Some(&b'-');
            let right = close > from && bytes.get(close - 1) == Some(&b'-');
            let inside = from + usize::from(left)..close - usize::from(right && close - 1 > from);
            // Whatever follows the name is passed over, as behind the end of any other block.
            let inside = cut(self.text, inside).trim_start();
            let name = inside.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next();
            if name == Some(end) {
                self.at = close + 2;
                self.trim = right;
                return Some(start..open);
            }
        }
        self.at = self.end;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        let mut lexer = Lexer::template(text, 0..text.len());
        std::iter::from_fn(|| lexer.next())
            .map(|token| match token {
                Token::Text(range) => format!("text {:?}", &text[range]),
                Token::Output { inside, .. } => format!("out {:?}", text[inside].trim()),
                Token::Tag(tag) => format!("tag {:?} {:?}", &text[tag.name], &text[tag.markup]),
                Token::Unclosed(_) => "unclosed".to_owned(),
            })
            .collect()
    }

    #[test]
    fn text_outputs_and_tags_with_white_space_control() {
        for (text, expected) in [
            ("a{{ b }}c", vec!["text \"a\"", "out \"b\"", "text \"c\""]),
            ("a\u{a0} {{- b -}} \u{a0}c", vec!["text \"a\\u{a0}\"", "out \"b\"", "text \"\\u{a0}c\""]),
            ("a {{- b -}} c", vec!["text \"a\"", "out \"b\"", "text \"c\""]),
            (" {%- if x -%} ", vec!["tag \"if\" \"x\""]),
            ("{%\tif\tx%}", vec!["tag \"if\" \"x\""]),
            ("{%# note %}", vec!["tag \"#\" \"note\""]),
            ("{ {{ a", vec!["text \"{ \"", "unclosed"]),
            ("{%-%} x", vec!["tag \"\" \"\"", "text \"x\""]),
            ("{{--}} x", vec!["out \"\"", "text \"x\""]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn the_body_of_raw_is_found_by_its_end_alone() {
        let text = "{% raw %} {{ a }} {% b";
        let mut lexer = Lexer::template(text, 0..text.len());
        assert!(lexer.next().is_some());
        assert_eq!(lexer.verbatim("endraw"), None);
        let text = "{% raw %} {{ a }} %} {%- endraw -%} c";
        let mut lexer = Lexer::template(text, 0..text.len());
        assert!(lexer.next().is_some());
        assert_eq!(lexer.verbatim("endraw").map(|range| &text[range]), Some(" {{ a }} %} "));
        assert_eq!(lexer.next(), Some(Token::Text(text.len() - 1..text.len())));
    }
}
