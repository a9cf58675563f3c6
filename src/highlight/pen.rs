//! Writing tokens: text escaped, and in a span if it has a class.

/// What a token is. Its name, behind `hl-`, is the class of its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A comment.
    Comment,
    /// A string, a character or a regular expression.
    String,
    /// A number, a date or a colour.
    Number,
    /// `true`, `null`, a name in capitals, a character reference.
    Constant,
    /// A word of the language.
    Keyword,
    /// The name of a type.
    Type,
    /// A function, a filter or a command where it is called.
    Function,
    /// A variable where the language marks it.
    Variable,
    /// A key, a property, an attribute, a header field or an option.
    Key,
    /// An element or a selector.
    Tag,
    /// What surrounds code or speaks about it: template delimiters, annotations, prompts, document types.
    Meta,
    /// A heading: of Markdown, of a table in TOML, of a file in a difference.
    Heading,
    /// A line that a difference adds.
    Inserted,
    /// A line that a difference takes away.
    Deleted,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Comment,
        Self::String,
        Self::Number,
        Self::Constant,
        Self::Keyword,
        Self::Type,
        Self::Function,
        Self::Variable,
        Self::Key,
        Self::Tag,
        Self::Meta,
        Self::Heading,
        Self::Inserted,
        Self::Deleted,
    ];

    /// The class of its spans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Comment => "hl-comment",
            Self::String => "hl-string",
            Self::Number => "hl-number",
            Self::Constant => "hl-constant",
            Self::Keyword => "hl-keyword",
            Self::Type => "hl-type",
            Self::Function => "hl-function",
            Self::Variable => "hl-variable",
            Self::Key => "hl-key",
            Self::Tag => "hl-tag",
            Self::Meta => "hl-meta",
            Self::Heading => "hl-heading",
            Self::Inserted => "hl-inserted",
            Self::Deleted => "hl-deleted",
        }
    }

    /// What it marks, in words.
    #[must_use]
    pub fn docs(self) -> &'static str {
        match self {
            Self::Comment => "a comment",
            Self::String => "a string, a character, a regular expression",
            Self::Number => "a number, a date, a colour",
            Self::Constant => "`true`, `null`, a name in capitals, a character reference",
            Self::Keyword => "a word of the language",
            Self::Type => "the name of a type",
            Self::Function => "a function, a filter or a command where it is called",
            Self::Variable => "a variable where the language marks it",
            Self::Key => "a key, a property, an attribute, a header field, an option",
            Self::Tag => "an element, a selector",
            Self::Meta => {
                "what surrounds code or speaks about it: template delimiters, annotations, prompts, document types"
            }
            Self::Heading => "a heading of Markdown, of a table in TOML, of a file in a difference",
            Self::Inserted => "a line that a difference adds",
            Self::Deleted => "a line that a difference takes away",
        }
    }
}

/// Writes to `out`; neighbours of the same class share a span.
pub(super) struct Pen<'o> {
    out: &'o mut String,
    open: Option<Class>,
    /// How many spans may still be opened.
    left: usize,
}

impl<'o> Pen<'o> {
    pub(super) fn new(out: &'o mut String, spans: usize) -> Self {
        Self { out, open: None, left: spans }
    }

    pub(super) fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.close();
            escape(text, self.out);
        }
    }

    pub(super) fn mark(&mut self, class: Class, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.open != Some(class) {
            self.close();
            if self.left > 0 {
                self.left -= 1;
                self.open = Some(class);
                self.out.push_str("<span class=\"");
                self.out.push_str(class.name());
                self.out.push_str("\">");
            }
        }
        escape(text, self.out);
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.out.push_str("</span>");
        }
    }

    /// How many spans are left.
    pub(super) fn finish(mut self) -> usize {
        self.close();
        self.left
    }
}

/// Appends `text` for an element's content or a quoted attribute, as the `CommonMark` specification's examples write it.
pub fn escape(text: &str, out: &mut String) {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        out.push_str(text.get(written..at).unwrap_or_default());
        out.push_str(escaped);
        written = at + 1;
    }
    out.push_str(text.get(written..).unwrap_or_default());
}
