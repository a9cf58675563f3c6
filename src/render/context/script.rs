//! Where in the text of a `<script>` an output stands: in code, where JSON is a literal, or in a string, a comment, a pattern.
//!
//! It follows JavaScript's lexical grammar (ECMA-262, section 12) as far as quotes go, with HTML's comments around (WHATWG HTML,
//! sections 13.2.5.15 to 31). Where a `/` could be a division or a pattern it goes on only until that would matter.

use super::super::escape::Sink;
use super::{Stand, json};

/// What a script is for, by its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// JavaScript.
    Code,
    /// A module of it, which has no comments of HTML.
    Module,
    /// JSON for other scripts, or for search engines.
    Data,
    /// Rules that say which scripts or pages are fetched.
    Rules,
    /// A text that only another script knows to read.
    Unknown,
}

impl Role {
    /// The role of a script with this `type`, in lower case.
    pub(super) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or("").trim();
        match essence {
            "module" => Self::Module,
            "" | "application/ecmascript" | "application/javascript" | "text/ecmascript" | "text/javascript" => {
                Self::Code
            }
            "importmap" | "speculationrules" => Self::Rules,
            _ if essence.ends_with("/json") || essence.ends_with("+json") => Self::Data,
            _ if essence.contains("script") => Self::Code,
            _ => Self::Unknown,
        }
    }

    pub(super) fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Module)
    }
}

/// How far HTML's comments hide the end of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Hidden {
    #[default]
    Not,
    /// After `<!--`.
    Commented,
    /// After `<script` in that: the next end tag ends only this one.
    Nested,
}

/// Follows the text of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Script {
    mode: Mode,
    /// Where in JSON, if it holds that and not code.
    json: json::Tracker,
    /// So many bytes mean nothing: after a backslash, or as the rest of what was taken together.
    skipped: usize,
    /// The last byte that was neither white space nor of a comment.
    last: u8,
    /// The byte before the one at hand.
    before: u8,
    /// Whether the byte before the one at hand was a piece of code, with nothing between.
    glued: bool,
    /// The word that `last` ends.
    word: String,
    /// How often `last` stands there without anything between.
    repeated: usize,
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
    sight: Sight,
    hidden: Hidden,
}

/// What a parenthesis is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
enum Sight {
    #[default]
    Clear,
    /// A `/` on this line could have begun a pattern.
    Doubtful,
    /// Not any more.
    Lost,
}

/// What stands on a line before the byte at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Line {
    /// Nothing, and no line before.
    #[default]
    First,
    /// White space and comments.
    Blank,
    Code,
    Either,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
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

/// What a word begins with that is not the same on all ways through branches. No word has it.
const EITHER: char = '}';

/// Templates within templates, and parentheses within each other, that are followed.
const DEEPEST: usize = 64;

/// No word of interest is longer.
const LONGEST_WORD: usize = 12;

impl Script {
    /// Whether an end tag ends no more than a script within a comment.
    pub(super) fn is_nested(&self) -> bool {
        self.hidden == Hidden::Nested
    }

    /// Whether the end of the script is hidden in both alike.
    pub(super) fn hides_like(&self, other: &Self) -> bool {
        self.hidden == other.hidden
    }

    /// What may be printed here.
    pub(super) fn stand(&self, role: Role) -> Stand {
        match role {
            Role::Data => match self.json.stand() {
                Stand::OnlyJson(sink, _) => Stand::OnlyJson(sink, "in a script"),
                stand @ (Stand::Fine(_) | Stand::OnlyOwn(..) | Stand::Refused(..)) => stand,
            },
            Role::Rules => {
                let sink = if self.json.is_at_rest() { Sink::Script } else { Sink::JsonText };
                Stand::OnlyOwn(sink, "in rules that say which scripts or pages are fetched", "write it out")
            }
            Role::Unknown => Stand::Refused(
                "in a script of an unknown type",
                "give it the type `application/json`, and write `| json`",
            ),
            Role::Code | Role::Module if self.sight == Sight::Doubtful => Stand::Refused(
                "in a script, behind a `/` that could begin a pattern",
                "write parentheses around what is divided, as in `(total) / `, or begin another line behind the pattern",
            ),
            Role::Code | Role::Module if self.sight == Sight::Lost => Stand::Refused(
                "in a script whose quotes are not clear here",
                "put it in `<script type=\"application/json\">` with `| json`, or move it to the beginning of the script",
            ),
            Role::Code | Role::Module if self.mode == Mode::Code => Stand::OnlyJson(Sink::Code, "in a script"),
            Role::Code | Role::Module if matches!(self.mode, Mode::Pattern { .. }) => Stand::Refused(
                "within a pattern in a script",
                "write `new RegExp(…)` with `| json`, or parentheses around what is divided",
            ),
            Role::Code | Role::Module => Stand::Refused(
                "within quotes or a comment in a script",
                "leave the quotes out and write `| json`, which makes its own",
            ),
        }
    }

    /// A literal of JSON was printed, or nothing.
    pub(super) fn output(&mut self) {
        self.before = b'0';
        // Within quotes or a comment nothing is printed.
        if self.mode == Mode::Code {
            let names = self.glued && is_of_word(self.last);
            self.line = Line::Code;
            self.end_literal();
            if names {
                // A name with a number in it, which may go on.
                self.word.push('0');
                self.glued = true;
            }
        }
    }

    /// Takes a byte; `rest` begins with it.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8], role: Role) {
        self.hide(byte, rest);
        if matches!(role, Role::Data | Role::Rules) {
            self.json.take(byte);
        } else {
            self.javascript(byte, rest, role);
        }
    }

    /// Follows HTML's comments, which are not JavaScript's.
    fn hide(&mut self, byte: u8, rest: &[u8]) {
        let begins = |word: &[u8]| {
            rest.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
                && rest.get(word.len()).is_none_or(|&byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
        };
        self.hidden = match (self.hidden, byte) {
            (Hidden::Not, b'<') if rest.starts_with(b"<!--") => Hidden::Commented,
            // The two hyphens that open may also close.
            (Hidden::Commented | Hidden::Nested, b'-') if rest.starts_with(b"-->") => Hidden::Not,
            (Hidden::Commented, b'<') if begins(b"<script") => Hidden::Nested,
            (Hidden::Nested, b'<') if begins(b"</script") => Hidden::Commented,
            (hidden, _) => hidden,
        };
    }

    fn javascript(&mut self, byte: u8, rest: &[u8], role: Role) {
        if self.skipped > 0 {
            // A line end of two characters is one.
            self.skipped -= usize::from(!rest.starts_with(b"\r\n"));
            self.before = 0;
            return;
        }
        match self.mode {
            Mode::Code => self.code(byte, rest, role),
            Mode::Quoted(quote) => match byte {
                b'\\' => self.skipped = 1,
                _ if byte == quote => self.end_literal(),
                b'\n' | b'\r' if quote != b'`' => self.mode = Mode::Code,
                b'{' if quote == b'`' && self.before == b'$' => {
                    self.lose_if(self.templates.len() >= DEEPEST);
                    if self.sight != Sight::Lost {
                        self.templates.push(0);
                    }
                    self.mode = Mode::Code;
                    self.last = b'{';
                    self.glued = false;
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
                // Its other half may stand behind a branch.
                self.lose_if(rest == b"*");
            }
        }
        self.before = byte;
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
        self.last = b'0';
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
        match byte {
            b'+' | b'-' if !self.glued || self.last != byte => {
                self.behind_value = !begins_line && self.before_pattern() == Some(false);
            }
            b'"' | b'\'' | b'`' => return self.leave_code(Mode::Quoted(byte)),
            // The other half of what begins a comment stood before a branch.
            b'/' | b'*' if self.glued && self.last == b'/' => self.sight = Sight::Lost,
            b'/' => match self.before_pattern() {
                Some(true) => return self.leave_code(Mode::Pattern { class: false }),
                Some(false) => {}
                None => self.sight = self.sight.max(Sight::Doubtful),
            },
            b'(' | b')' | b'{' | b'}' => {
                // A pattern would have hidden it.
                self.lose_if(self.sight == Sight::Doubtful);
                if self.bracket(byte) {
                    return;
                }
            }
            _ => {}
        }
        self.piece(byte);
    }

    /// What comment begins here, if any does.
    fn comment(&mut self, rest: &[u8], role: Role) -> Option<Mode> {
        let (comment, is_html) = match rest {
            [b'/', b'/', ..] => (Mode::Line, false),
            [b'/', b'*', ..] => (Mode::Block, false),
            [b'#', b'!', ..] if self.line == Line::First => (Mode::Line, false),
            [b'<', b'!', b'-', b'-', ..] => (Mode::Line, true),
            [b'-', b'-', b'>', ..] if self.line != Line::Code => (Mode::Line, true),
            _ => {
                // Of what comes behind a branch, half stands here; or it is not known whether this is the first line.
                let is_half = rest == b"#" && self.line == Line::First;
                self.lose_if(is_half || (rest.starts_with(b"#!") && self.line == Line::Either));
                return None;
            }
        };
        // Modules read something else there.
        self.lose_if(is_html && (role == Role::Module || (rest.starts_with(b"-") && self.line == Line::Either)));
        Some(comment)
    }

    /// Takes a parenthesis or a brace; whether a template goes on behind it.
    fn bracket(&mut self, byte: u8) -> bool {
        match byte {
            b'(' => {
                let is_name = !self.ends_word();
                let about = match self.word.as_str() {
                    _ if is_name => Parenthesis::Value,
                    word if word.starts_with(EITHER) => Parenthesis::Unclear,
                    // `for await (` is the one, `await (` the other.
                    "await" => Parenthesis::Unclear,
                    word if HEADS.contains(&word) => Parenthesis::Head,
                    _ => Parenthesis::Value,
                };
                self.lose_if(self.parentheses.len() >= DEEPEST);
                if self.sight != Sight::Lost {
                    self.parentheses.push(about);
                }
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
                    self.word.push('.');
                }
            }
            if self.word.len() < LONGEST_WORD {
                self.word.push(char::from(byte));
            }
        }
        self.repeated = if self.glued && self.last == byte { self.repeated + 1 } else { 1 };
        self.last = byte;
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
            0 | b'(' | b',' | b'=' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b'{' | b';' | b'+' | b'-' | b'*'
            | b'%' | b'/' | b'<' | b'>' | b'~' | b'^' => Some(true),
            _ if !self.ends_word() => Some(false),
            _ if self.word.starts_with(EITHER) || SOMETIMES_NAMES.contains(&self.word.as_str()) => None,
            _ => Some(BEFORE_PATTERNS.contains(&self.word.as_str())),
        }
    }

    /// Where in a script after either of two branches; none if within quotes on one way only.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let agree = self.mode == other.mode
            && self.json == other.json
            && self.skipped == other.skipped
            && self.templates == other.templates
            && self.hidden == other.hidden;
        agree.then(|| {
            let of_end = |script: &Self| (script.last, script.repeated, script.glued, script.behind_value);
            let same_end = of_end(self) == of_end(other) && self.word == other.word;
            // What follows could make another sign of one of them.
            let is_half =
                |script: &Self| script.glued && script.last.is_ascii_punctuation() && !is_bracket(script.last);
            let may_change = !same_end && (is_half(self) || is_half(other));
            let same_closed = self.parentheses == other.parentheses && self.closed == other.closed;
            let unclear = |open: &[Parenthesis]| vec![Parenthesis::Unclear; open.len()];
            Self {
                // A `/` after this could be either, and so could one after a name that goes on.
                last: if same_end { self.last } else { b'_' },
                word: if same_end { self.word.clone() } else { EITHER.to_string() },
                repeated: if same_end { self.repeated } else { 1 },
                glued: self.glued || other.glued,
                sight: if may_change { Sight::Lost } else { self.sight.max(other.sight) },
                parentheses: if same_closed { self.parentheses.clone() } else { unclear(&self.parentheses) },
                closed: if same_closed { self.closed } else { Parenthesis::Unclear },
                line: if self.line == other.line { self.line } else { Line::Either },
                ..self.clone()
            }
        })
    }
}

/// Whether a byte is one of a name or a keyword of JavaScript; what is not ASCII is taken for one.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || !byte.is_ascii()
}

/// Whether a sign stands by itself, whatever follows.
fn is_bracket(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b':' | b'_' | b'$' | b'#' | b'\\')
}

/// How many bytes of white space begin here, as one character (ECMA-262, section 12.2).
fn white_space(rest: &[u8]) -> usize {
    let &[first, ..] = rest else { return 0 };
    let length = match first {
        _ if first.is_ascii() => return usize::from(first.is_ascii_whitespace() || first == 0x0b),
        0xc0..0xe0 => 2,
        _ => 3,
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, role: Role) -> Script {
        let mut script = Script::default();
        for (at, byte) in text.bytes().enumerate() {
            script.take(byte, &text.as_bytes()[at..], role);
        }
        script
    }

    #[test]
    fn json_stands_in_code_only() {
        for text in [
            "",
            "let a = ",
            "let a = 'x'; b = ",
            "// it's\nlet b = ",
            "/* it's */ b = ",
            "let r = /'/; b = ",
            "let r = /[/']/g, b = ",
            "return /\"/.test(a) && ",
            "a = b / c; d = ",
            "let t = `a ${ b ? `c` : \"`\" } d`; e = ",
            "let t = `a ${ { b: 1 }.b } d`; e = ",
            "let t = `a ${ ",
            "<!-- it's\na = ",
            "'\\'', ",
            "if (a) /'/.test(b); c = ",
            "if (a && (b)) /[\"']/.test(b); c = ",
            "while (a(b)) /[//]/.test(b); c = ",
            "(a) / 'b' + ",
            "i++ / 2 + '/' + ",
            "i-- / 2; '/'; // it's\n a = ",
            "a + +/'/.lastIndex + ",
            "o.return / 2 + '/' + ",
            "o?.return / 2 + '/' + ",
            "this.#in / 2 + '/' + ",
            "o.if(a) / 2 + '/' + ",
            "f(.../'/.exec(a)), b = ",
            "f(...typeof /'/), b = ",
            "a = 1. / 2 + '/' + ",
            "a/**/in /'/, b = ",
            "return/**//'/, b = ",
            "return\u{a0}/'/, b = ",
            "// a\u{2028}/'/.test(b), b = ",
            "a / /'/.lastIndex + ",
            "f()\n--> it's a comment\na = ",
            "/* a\n */ --> it's a comment\na = ",
            "--> it's a comment\na = ",
            "x-->'' + ",
            "#!it's\na = ",
            "a = `\\${'` + ",
            "a = `$${'}'}` + ",
            "total / ",
            "total /",
            "f(a) / ",
            "a[0] / ",
            "1 / b / ",
            "'' / ",
        ] {
            let stand = after(text, Role::Code).stand(Role::Code);
            assert_eq!(stand, Stand::OnlyJson(Sink::Code, "in a script"), "{text}");
        }
        for text in [
            "let a = '",
            "let a = \"\\\"",
            "// ",
            "/* ",
            "let t = `a ",
            "let t = `a ${ b } ",
            "let t = `a ${ `b",
            "let r = /",
            "let r = /\"/, b = \"",
            "let r = /[/] ",
            "<!-- ",
            "a = `\\${ ",
            "{} /'/.test(b); c = ",
            "{} /[//]/.test(b); c = ",
            "{} /[/*]/.test(b); c = ",
            "await /'/.test(b); c = ",
            "yield / 2 + '/' + ",
            "await (a) /'/.test(b); c = ",
            "{} /(/.test(b); c = ",
            "\n++/'/.lastIndex + ",
            "--> ",
            "#! ",
            "{} / ",
            "= / ",
            "{} /a + ",
            "yield /a + ",
            "/* *",
        ] {
            let stand = after(text, Role::Code).stand(Role::Code);
            assert!(matches!(stand, Stand::Refused(..)), "{text}: {stand:?}");
        }
    }

    #[test]
    fn other_roles_have_rules_of_their_own() {
        for (media_type, role) in [
            ("", Role::Code),
            ("module", Role::Module),
            ("Text/JavaScript".to_lowercase().as_str(), Role::Code),
            ("text/javascript; charset=utf-8", Role::Code),
            ("application/json", Role::Data),
            ("application/ld+json", Role::Data),
            ("importmap", Role::Rules),
            ("text/template", Role::Unknown),
        ] {
            assert_eq!(Role::of(media_type), role, "{media_type}");
        }
        assert_eq!(after("{\"a\": \"", Role::Data).stand(Role::Data), Stand::Fine(Sink::JsonText));
        assert_eq!(after("{\"it's\": ", Role::Data).stand(Role::Data), Stand::OnlyJson(Sink::Script, "in a script"));
        assert!(matches!(after("{\"imports\": {\"a\": ", Role::Rules).stand(Role::Rules), Stand::OnlyOwn(..)));
    }

    #[test]
    fn modules_have_no_comments_of_html() {
        for text in ["<!-- it's\na = ", "--> it's\na = ", "a <!--b\n + "] {
            let stand = after(text, Role::Module).stand(Role::Module);
            assert!(matches!(stand, Stand::Refused(..)), "{text}: {stand:?}");
        }
        assert!(matches!(after("a = b-->0, c = ", Role::Module).stand(Role::Module), Stand::OnlyJson(..)));
    }

    #[test]
    fn branches_join_where_they_agree() {
        let joined = |one: &str, other: &str, then: &str| {
            let mut script = after(one, Role::Code).join(&after(other, Role::Code))?;
            for (at, byte) in then.bytes().enumerate() {
                script.take(byte, &then.as_bytes()[at..], Role::Code);
            }
            Some(matches!(script.stand(Role::Code), Stand::OnlyJson(..)))
        };
        for (one, other, then, expected) in [
            ("a", "b", " = ", Some(true)),
            ("a(", "b(", "1) / '2' + ", Some(true)),
            ("if (", "f(", "1) /'/.test(a); b = ", Some(false)),
            ("return ", "a ", "/'/.test(a); b = ", Some(false)),
            ("a\n", "a", "--> it's\n b = ", Some(false)),
            ("'", "a", "", None),
            ("a /", "a", " ", Some(false)),
            ("a / ", "a", " 2 + ", Some(true)),
            ("a / ", "a", " /'/.b; c = ", Some(false)),
            ("a /", "a /", " 2 + ", Some(true)),
            ("a /", "a /", "* ", Some(false)),
            ("a /", "a /", "/ ", Some(false)),
            ("i", "i", "n /'/, a = ", Some(true)),
            ("i", "i ", "n /'/, a = ", Some(false)),
            ("if", "f", "(a) /'/.test(b); c = ", Some(false)),
            ("a +", "a ", "+ /'/.b; c = ", Some(false)),
            ("a", "b", "[0] / 2 + '/' + ", Some(true)),
        ] {
            assert_eq!(joined(one, other, then), expected, "{one} or {other}, {then}");
        }
    }

    #[test]
    fn a_value_is_divided_by() {
        for (before, behind, expected) in [
            ("total / ", " / 2 + '/' + ", true),
            ("total /", " + '/' + ", true),
            ("x", "in / 2 + '/' + ", true),
            ("x ", "in /'/, a = ", true),
        ] {
            let mut script = after(before, Role::Code);
            script.output();
            for (at, byte) in behind.bytes().enumerate() {
                script.take(byte, &behind.as_bytes()[at..], Role::Code);
            }
            assert_eq!(matches!(script.stand(Role::Code), Stand::OnlyJson(..)), expected, "{before} and {behind}");
        }
    }

    #[test]
    fn comments_of_html_hide_the_end() {
        assert!(after("<!-- <script>", Role::Code).is_nested());
        for text in ["<!--> <script>", "<!-- <script> -->", "<!-- <script> </script>", "<!-- <scripts", "<script>"] {
            assert!(!after(text, Role::Code).is_nested(), "{text}");
        }
    }
}
