//! A place in a text. Whatever is taken from it is passed, so that a lexer that only takes goes through the text once.

/// A place in a text, always between two characters.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Part of a name: a letter, a digit, `_`, or anything that is not ASCII.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What was taken since `start`.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The byte that many bytes ahead.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// The byte before.
    pub(super) fn previous(&self) -> Option<u8> {
        self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at)).copied()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Whether the next byte but for blanks on this line is `byte`. What it looks over is blank, so that it is looked over once.
    pub(super) fn is_before(&self, byte: u8) -> bool {
        self.rest().bytes().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(byte)
    }

    /// Takes as many bytes, and the rest of the character that they end in.
    pub(super) fn take(&mut self, bytes: usize) -> &'t str {
        let start = self.at;
        self.at = self.text.ceil_char_boundary(self.at.saturating_add(bytes));
        self.since(start)
    }

    /// Takes one character.
    pub(super) fn character(&mut self) -> &'t str {
        self.take(1)
    }

    /// Takes as long as bytes are like that; bytes that are not ASCII must be all alike.
    pub(super) fn run(&mut self, is: impl Fn(u8) -> bool) -> &'t str {
        let length = self.rest().bytes().position(|byte| !is(byte)).unwrap_or(self.rest().len());
        self.take(length)
    }

    /// Takes what stands before `end`, or everything.
    pub(super) fn until(&mut self, end: &str) -> &'t str {
        let length = memchr::memmem::find(self.rest().as_bytes(), end.as_bytes()).unwrap_or(self.rest().len());
        self.take(length)
    }

    /// Takes up to and with `end`, or everything.
    pub(super) fn through(&mut self, end: &str) -> &'t str {
        let start = self.at;
        self.until(end);
        self.take(if self.at_end() { 0 } else { end.len() });
        self.since(start)
    }

    /// Takes the rest of the line, without its end.
    pub(super) fn line(&mut self) -> &'t str {
        self.run(|byte| byte != b'\n')
    }

    /// Takes the rest of the line, with its end.
    pub(super) fn whole_line(&mut self) -> &'t str {
        self.through("\n")
    }
}
