//! One way through the text of a script, by JavaScript's lexical grammar (ECMA-262, section 12) as far as quotes go.
//!
//! Where a `/` could be a division or a pattern it goes on only until that would matter. What a byte means is decided once the
//! bytes behind it are known that could change it, wherever those come from. Two ways on which the same follows are equal: of what lies
//! behind, nothing is kept that makes no difference any more.

use super::Role;

/// Where on a way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Way {
    pub(super) mode: Mode,
    pub(super) sight: Sight,
    /// Bytes that could mean something else together with what follows.
    held: Vec<u8>,
    /// So many bytes mean nothing: after a backslash, or as the rest of what was taken together.
    skipped: usize,
    /// The last byte that was neither white space nor of a comment, or one like it.
    last: u8,
    /// Whether nothing has parted it from what follows, if that matters.
    glued: bool,
    /// The word that `last` ends, if it is one that means something or may become one.
    word: String,
    /// How often `last` stands there without anything between, if that matters.
    repeated: u8,
    /// Whether the first of them, if it is a sign, stands behind a value on the same line.
    behind_value: bool,
    /// How many braces are open within each `${ … }` of the templates around.
    templates: Vec<u32>,
    /// The parentheses that are open.
    parentheses: Vec<Parenthesis>,
    /// What the last that was closed was.
    closed: Parenthesis,
    /// What stands on this line.
    line: Line,
}

/// What a parenthesis is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Parenthesis {
    /// A value, or arguments.
    Value,
    /// What a statement depends on, which follows it.
    Head,
    /// Either.
    #[default]
    Unclear,
}

/// How well it is known what is code and what is not; the order is that of worry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Sight {
    #[default]
    Clear,
    /// A `/` on this line could have begun a pattern.
    Doubtful,
    /// Not any more.
    Lost,
}

/// What stands on a line before the byte at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Line {
    /// Nothing, and no line before.
    #[default]
    First,
    /// White space and comments.
    Blank,
    Code,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Mode {
    #[default]
    Code,
    /// Within these quotes; a backtick begins a template.
    Quoted(u8),
    /// Within a pattern, perhaps within a class of characters.
    Pattern {
        class: bool,
    },
    Line,
    Block,
}

impl Mode {
    /// Whether both are within the same, or in code.
    pub(super) fn is_like(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Pattern { .. }, Self::Pattern { .. }))
    }
}

/// Words after which a `/` begins a pattern.
const BEFORE_PATTERNS: [&str; 13] = [
    "case",
    "default",
    "delete",
    "do",
    "else",
    "extends",
    "in",
    "instanceof",
    "new",
    "return",
    "throw",
    "typeof",
    "void",
];

/// Words after which it does, unless they are names there.
const SOMETIMES_NAMES: [&str; 3] = ["await", "of", "yield"];

/// Words before the parentheses that a statement depends on.
const HEADS: [&str; 4] = ["for", "if", "while", "with"];

/// Words behind which the address of a module stands.
const BEFORE_MODULES: [&str; 2] = ["from", "import"];

/// Words in whose parentheses the address of a script comes first.
const LOADERS: [&str; 4] = ["SharedWorker", "Worker", "import", "importScripts"];

/// Templates within templates, and parentheses within each other, that are followed.
const DEEPEST: usize = 64;

// What `last` is in place of other bytes that make no difference.

/// Where a statement or a value may begin.
const START: u8 = 0;
/// The end of a value.
const VALUE: u8 = b'0';
/// A letter of a word.
const LETTER: u8 = b'_';
/// The word of them that means nothing.
const NAME: &str = "_";
/// Where a value begins.
const OPERATOR: u8 = b'(';
/// Where the value begins that says where a script comes from.
const LOADER: u8 = b'@';

impl Way {
    /// Whether what is printed here says where a script comes from.
    pub(super) fn names_module(&self) -> bool {
        self.last == LOADER || (self.ends_word() && BEFORE_MODULES.contains(&self.word.as_str()))
    }

    /// The ways from here when a literal of JSON is printed.
    pub(super) fn printed(&self, role: Role) -> Vec<Self> {
        let mut way = self.flushed(role);
        // Within quotes or a comment nothing is printed.
        if way.mode != Mode::Code {
            return vec![way];
        }
        let begins_statement = way.begins_statement();
        let is_of_name = way.glued && way.ends_word() && !is_keyword(&way.word);
        way.line = Line::Code;
        way.end_literal();
        // `true`, or a number behind a letter, may go on as a name.
        let name = Self { last: LETTER, word: NAME.to_owned(), glued: true, ..way.clone() };
        if is_of_name {
            return vec![name];
        }
        if begins_statement {
            // What looks like an object is a block there.
            way.last = b'}';
        }
        vec![way, name]
    }

    /// Whether a statement may begin here.
    fn begins_statement(&self) -> bool {
        match self.last {
            START | b'}' => true,
            b')' => self.line != Line::Code || self.closed != Parenthesis::Value,
            _ if self.ends_word() && ["do", "else"].contains(&self.word.as_str()) => true,
            _ => self.line != Line::Code && self.before_pattern() != Some(true),
        }
    }

    /// The same with what is held taken as it is.
    pub(super) fn flushed(&self, role: Role) -> Self {
        let mut way = self.clone();
        let held = std::mem::take(&mut way.held);
        for at in 0..held.len() {
            way.javascript(held.get(at..).unwrap_or_default(), role);
        }
        way.settle();
        way
    }

    /// Takes a byte.
    pub(super) fn take(&mut self, byte: u8, role: Role) {
        let mut held = std::mem::take(&mut self.held);
        held.push(byte);
        let mut taken = 0;
        while let Some(rest) = held.get(taken..).filter(|rest| !rest.is_empty() && !self.awaits(rest)) {
            self.javascript(rest, role);
            taken += 1;
        }
        held.drain(..taken);
        self.held = held;
        self.settle();
    }

    /// Whether more must be known to say what the first byte of `rest` means.
    fn awaits(&self, rest: &[u8]) -> bool {
        let is_part = |signs: &[&[u8]]| signs.iter().any(|sign| rest.len() < sign.len() && sign.starts_with(rest));
        if rest.len() < character_length(rest) {
            return true;
        }
        if self.skipped > 0 {
            return rest == b"\r";
        }
        match self.mode {
            Mode::Code => {
                is_part(&[b"//", b"/*", b"<!--"])
                    || (self.line != Line::Code && is_part(&[b"-->"]))
                    || (self.line == Line::First && is_part(&[b"#!"]))
            }
            Mode::Quoted(quote) => quote == b'`' && is_part(&[b"${"]),
            Mode::Block => is_part(&[b"*/"]),
            Mode::Pattern { .. } | Mode::Line => false,
        }
    }

    /// Forgets what makes no difference any more.
    fn settle(&mut self) {
        if self.sight == Sight::Lost {
            *self = Self { sight: Sight::Lost, ..Self::default() };
            return;
        }
        // What is quoted is a value in the end.
        if matches!(self.mode, Mode::Quoted(_) | Mode::Pattern { .. }) {
            self.last = VALUE;
            self.glued = false;
            self.word.clear();
        }
        if is_of_word(self.last) && !self.word.is_empty() {
            let goes_on = |keyword: &str| keyword.starts_with(self.word.as_str());
            let matters = if self.glued { keywords().any(goes_on) } else { is_keyword(&self.word) };
            (self.last, self.word) = match (matters, self.glued) {
                (true, _) => (LETTER, std::mem::take(&mut self.word)),
                (false, true) => (LETTER, NAME.to_owned()),
                (false, false) => (VALUE, String::new()),
            };
        } else {
            self.word.clear();
            self.last = match self.last {
                b']' => VALUE,
                START | b';' | b'{' => START,
                b',' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b'*' | b'%' | b'/' | b'<' | b'>' | b'~' | b'^' => {
                    OPERATOR
                }
                other => other,
            };
        }
        let is_sign = matches!(self.last, b'+' | b'-');
        self.glued &= is_sign || self.ends_word() || matches!(self.last, b'.' | b'=');
        self.behind_value &= is_sign;
        self.repeated = match self.repeated {
            // Signs count in pairs.
            many @ 3.. if is_sign => many - 2,
            many if is_sign => many,
            many if self.last == b'.' => many.min(4),
            _ => 1,
        };
        if self.last != b')' {
            self.closed = Parenthesis::default();
        }
    }

    fn javascript(&mut self, rest: &[u8], role: Role) {
        let &[byte, ..] = rest else { return };
        if self.skipped > 0 {
            // A line end of two characters is one.
            self.skipped -= usize::from(!rest.starts_with(b"\r\n"));
            return;
        }
        match self.mode {
            Mode::Code => self.code(byte, rest, role),
            Mode::Quoted(quote) => match byte {
                b'\\' => self.skipped = 1,
                _ if byte == quote => self.end_literal(),
                b'\n' | b'\r' if quote != b'`' => self.mode = Mode::Code,
                b'$' if quote == b'`' && rest.starts_with(b"${") => {
                    self.lose_if(self.templates.len() >= DEEPEST);
                    self.templates.push(0);
                    self.mode = Mode::Code;
                    self.skipped = 1;
                    self.last = OPERATOR;
                    self.glued = false;
                    self.word.clear();
                }
                _ => {}
            },
            Mode::Pattern { class } => match byte {
                b'\\' => self.skipped = 1,
                _ if ends_line(rest) => self.end_line(rest),
                b'[' => self.mode = Mode::Pattern { class: true },
                b']' => self.mode = Mode::Pattern { class: false },
                b'/' if !class => self.end_literal(),
                _ => {}
            },
            Mode::Line => {
                if ends_line(rest) {
                    self.end_line(rest);
                }
            }
            Mode::Block => {
                if ends_line(rest) {
                    self.line = Line::Blank;
                }
                if rest.starts_with(b"*/") {
                    self.mode = Mode::Code;
                    self.skipped = 1;
                }
            }
        }
    }

    fn end_line(&mut self, rest: &[u8]) {
        self.mode = Mode::Code;
        self.begin_line();
        self.skipped = white_space(rest).saturating_sub(1);
    }

    fn begin_line(&mut self) {
        self.line = Line::Blank;
        if self.sight == Sight::Doubtful {
            self.sight = Sight::Clear;
        }
    }

    fn lose_if(&mut self, lost: bool) {
        if lost {
            self.sight = Sight::Lost;
        }
    }

    fn end_literal(&mut self) {
        self.mode = Mode::Code;
        self.last = VALUE;
        self.glued = false;
        self.word.clear();
    }

    /// Begins what is no code. Where a `/` before it was taken for a division and was none, this is something else.
    fn leave_code(&mut self, mode: Mode) {
        self.lose_if(self.sight == Sight::Doubtful);
        self.mode = mode;
        self.glued = false;
    }

    fn code(&mut self, byte: u8, rest: &[u8], role: Role) {
        if let Some(comment) = self.comment(rest, role) {
            self.leave_code(comment);
            if self.line == Line::First {
                self.line = Line::Blank;
            }
            // The `*` that begins a comment is no beginning of its end.
            self.skipped = usize::from(comment == Mode::Block);
            return;
        }
        let space = white_space(rest);
        if space > 0 {
            if ends_line(rest) {
                self.begin_line();
            }
            if self.line == Line::First {
                self.line = Line::Blank;
            }
            self.skipped = space - 1;
            self.glued = false;
            return;
        }
        let begins_line = std::mem::replace(&mut self.line, Line::Code) != Line::Code;
        let mut loads = false;
        match byte {
            b'+' | b'-' if !self.glued || self.last != byte => {
                self.behind_value = !begins_line && self.before_pattern() == Some(false);
            }
            b'"' | b'\'' | b'`' => return self.leave_code(Mode::Quoted(byte)),
            b'/' => match self.before_pattern() {
                Some(true) => return self.leave_code(Mode::Pattern { class: false }),
                Some(false) => {}
                None => self.sight = self.sight.max(Sight::Doubtful),
            },
            b'(' | b')' | b'{' | b'}' => {
                // A pattern would have hidden it.
                self.lose_if(self.sight == Sight::Doubtful);
                loads = byte == b'(' && self.ends_word() && LOADERS.contains(&self.word.as_str());
                if self.bracket(byte) {
                    return;
                }
            }
            _ => {}
        }
        self.piece(byte);
        if loads {
            self.last = LOADER;
        }
    }

    /// What comment begins here, if any does.
    fn comment(&mut self, rest: &[u8], role: Role) -> Option<Mode> {
        let (comment, is_html) = match rest {
            [b'/', b'/', ..] => (Mode::Line, false),
            [b'/', b'*', ..] => (Mode::Block, false),
            [b'#', b'!', ..] if self.line == Line::First => (Mode::Line, false),
            [b'<', b'!', b'-', b'-', ..] => (Mode::Line, true),
            [b'-', b'-', b'>', ..] if self.line != Line::Code => (Mode::Line, true),
            _ => return None,
        };
        // Modules read something else there.
        self.lose_if(is_html && role == Role::Module);
        Some(comment)
    }

    /// Takes a parenthesis or a brace; whether a template goes on behind it.
    fn bracket(&mut self, byte: u8) -> bool {
        match byte {
            b'(' => {
                let about = match self.word.as_str() {
                    _ if !self.ends_word() => Parenthesis::Value,
                    // `for await (` is the one, `await (` the other.
                    "await" => Parenthesis::Unclear,
                    word if HEADS.contains(&word) => Parenthesis::Head,
                    _ => Parenthesis::Value,
                };
                self.lose_if(self.parentheses.len() >= DEEPEST);
                self.parentheses.push(about);
            }
            b')' => self.closed = self.parentheses.pop().unwrap_or_default(),
            b'{' => {
                if let Some(open) = self.templates.last_mut() {
                    *open = open.saturating_add(1);
                }
            }
            _ => match self.templates.last_mut() {
                Some(0) => {
                    self.templates.pop();
                    self.mode = Mode::Quoted(b'`');
                    self.glued = false;
                    return true;
                }
                Some(open) => *open -= 1,
                None => {}
            },
        }
        false
    }

    /// Takes a byte of code that means nothing on its own.
    fn piece(&mut self, byte: u8) {
        if is_of_word(byte) {
            if !self.glued || !is_of_word(self.last) {
                self.word.clear();
                // What follows a dot is a name, whatever it is, unless there are three.
                if self.last == b'.' && self.repeated != 3 {
                    self.word.push_str(NAME);
                }
            }
            self.word.push(char::from(byte));
        }
        self.repeated = if self.glued && self.last == byte { self.repeated.saturating_add(1) } else { 1 };
        // An arrow: what follows is a value, or a block.
        let is_arrow = self.glued && self.last == b'=' && byte == b'>';
        self.last = if is_arrow { START } else { byte };
        self.glued = true;
    }

    /// Whether `word` is what stands before the byte at hand.
    fn ends_word(&self) -> bool {
        is_of_word(self.last) && !self.word.is_empty()
    }

    /// Whether a `/` here begins a pattern, because a value is expected; nothing if that is not clear.
    fn before_pattern(&self) -> Option<bool> {
        match self.last {
            b')' => match self.closed {
                Parenthesis::Value => Some(false),
                Parenthesis::Head => Some(true),
                Parenthesis::Unclear => None,
            },
            b'}' => None,
            // Behind `i++` a division, behind `a + +` a pattern.
            b'+' | b'-' if self.repeated.is_multiple_of(2) => self.behind_value.then_some(false),
            b'.' => Some(self.repeated == 3),
            b'+' | b'-' | b'=' | START | OPERATOR | LOADER => Some(true),
            _ if !self.ends_word() => Some(false),
            _ if SOMETIMES_NAMES.contains(&self.word.as_str()) => None,
            _ => Some(BEFORE_PATTERNS.contains(&self.word.as_str())),
        }
    }
}

/// Every word that means something.
fn keywords() -> impl Iterator<Item = &'static str> {
    let all = BEFORE_PATTERNS.iter().chain(&SOMETIMES_NAMES).chain(&HEADS).chain(&BEFORE_MODULES).chain(&LOADERS);
    all.copied()
}

fn is_keyword(word: &str) -> bool {
    keywords().any(|keyword| keyword == word)
}

/// Whether a byte is one of a name or a keyword of JavaScript; what is not ASCII is taken for one.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || !byte.is_ascii()
}

/// How many bytes the character has that begins here.
fn character_length(rest: &[u8]) -> usize {
    match rest.first() {
        Some(0xc0..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
        Some(_) | None => 1,
    }
}

/// How many bytes of white space begin here, as one character (ECMA-262, section 12.2).
fn white_space(rest: &[u8]) -> usize {
    let &[first, ..] = rest else { return 0 };
    if first.is_ascii() {
        return usize::from(first.is_ascii_whitespace() || first == 0x0b);
    }
    let length = character_length(rest);
    let text = rest.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("");
    let is_white = text.chars().next().is_some_and(|first| first.is_whitespace() || first == '\u{feff}');
    if is_white { length } else { 0 }
}

/// Whether a line of JavaScript ends here (ECMA-262, section 12.3).
fn ends_line(rest: &[u8]) -> bool {
    matches!(rest, [b'\n' | b'\r', ..])
        || rest.starts_with("\u{2028}".as_bytes())
        || rest.starts_with("\u{2029}".as_bytes())
}
