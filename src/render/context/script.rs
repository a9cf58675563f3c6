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
            ""
            | "module"
            | "application/ecmascript"
            | "application/javascript"
            | "text/ecmascript"
            | "text/javascript" => Self::Code,
            "importmap" | "speculationrules" => Self::Rules,
            _ if essence.ends_with("/json") || essence.ends_with("+json") => Self::Data,
            _ if essence.contains("script") => Self::Code,
            _ => Self::Unknown,
        }
    }

    /// The role after either of two branches.
    pub(super) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
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
    /// The next byte means nothing: after a backslash, or as the second of two that were taken together.
    escaped: bool,
    /// The last byte that was neither white space nor of a comment.
    last: u8,
    /// The byte before the one at hand.
    before: u8,
    /// The word that `last` ends.
    word: String,
    /// How many braces are open within each `${ … }` of the templates around.
    templates: Vec<u32>,
    /// A `/` on this line could have begun a pattern.
    doubtful: bool,
    /// The structure is not known any more.
    lost: bool,
    hidden: Hidden,
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
const BEFORE_PATTERNS: [&str; 15] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "extends",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

/// Templates within templates that are followed.
const DEEPEST: usize = 16;

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
                Stand::OnlyJson(_) => Stand::OnlyJson("in a script"),
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
            Role::Code if self.lost => Stand::Refused(
                "in a script whose quotes are not clear here",
                "put it in `<script type=\"application/json\">` with `| json`, or move it to the beginning of the script",
            ),
            Role::Code if self.mode == Mode::Code && self.last != b'/' => Stand::OnlyJson("in a script"),
            Role::Code => Stand::Refused(
                "within quotes or a comment in a script",
                "leave the quotes out and write `| json`, which makes its own",
            ),
        }
    }

    /// A literal of JSON was printed, or nothing.
    pub(super) fn output(&mut self) {
        self.last = b'0';
        self.before = b'0';
        self.word.clear();
    }

    /// Takes a byte; `rest` begins with it.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8], role: Role) {
        self.hide(byte, rest);
        if matches!(role, Role::Data | Role::Rules) {
            self.json.take(byte);
        } else {
            self.javascript(byte, rest);
        }
        self.before = byte;
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

    fn javascript(&mut self, byte: u8, rest: &[u8]) {
        if self.escaped {
            // A line end of two characters is one.
            self.escaped = rest.starts_with(b"\r\n");
            return;
        }
        match self.mode {
            Mode::Code => self.code(byte, rest),
            Mode::Quoted(quote) => match byte {
                b'\\' => self.escaped = true,
                _ if byte == quote => self.end_literal(),
                b'\n' | b'\r' if quote != b'`' => self.mode = Mode::Code,
                b'{' if quote == b'`' && self.before == b'$' => {
                    self.lost |= self.templates.len() >= DEEPEST;
                    if !self.lost {
                        self.templates.push(0);
                    }
                    self.mode = Mode::Code;
                    self.last = b'{';
                }
                _ => {}
            },
            Mode::Pattern { class } => match byte {
                b'\\' => self.escaped = true,
                _ if ends_line(rest) => self.mode = Mode::Code,
                b'[' => self.mode = Mode::Pattern { class: true },
                b']' => self.mode = Mode::Pattern { class: false },
                b'/' if !class => self.end_literal(),
                _ => {}
            },
            Mode::Line => {
                if ends_line(rest) {
                    self.mode = Mode::Code;
                    self.doubtful = false;
                }
            }
            Mode::Block => {
                if rest.starts_with(b"*/") {
                    self.mode = Mode::Code;
                    self.escaped = true;
                }
            }
        }
    }

    fn end_literal(&mut self) {
        self.mode = Mode::Code;
        self.last = b'0';
        self.word.clear();
    }

    fn code(&mut self, byte: u8, rest: &[u8]) {
        match byte {
            b'"' | b'\'' | b'`' => {
                self.lost |= self.doubtful;
                self.mode = Mode::Quoted(byte);
                return;
            }
            b'/' if rest.get(1) == Some(&b'/') => {
                self.mode = Mode::Line;
                return;
            }
            b'/' if rest.get(1) == Some(&b'*') => {
                // Its `*` is no beginning of its end.
                self.mode = Mode::Block;
                self.escaped = true;
                return;
            }
            b'/' if self.before_pattern() => {
                self.mode = Mode::Pattern { class: false };
                return;
            }
            b'/' => self.doubtful |= matches!(self.last, b')' | b'}'),
            // To JavaScript, too, these begin a comment, which ends with the line.
            b'<' if rest.starts_with(b"<!--") => {
                self.mode = Mode::Line;
                return;
            }
            b'\n' => self.doubtful = false,
            b'{' => {
                if let Some(open) = self.templates.last_mut() {
                    *open = open.saturating_add(1);
                }
            }
            b'}' => match self.templates.last_mut() {
                Some(0) => {
                    self.templates.pop();
                    self.mode = Mode::Quoted(b'`');
                    return;
                }
                Some(open) => *open -= 1,
                None => {}
            },
            _ => {}
        }
        if byte.is_ascii_whitespace() {
            return;
        }
        let in_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
        if !in_word || self.before.is_ascii_whitespace() {
            self.word.clear();
        }
        if in_word && self.word.len() < LONGEST_WORD {
            self.word.push(char::from(byte));
        }
        self.last = byte;
    }

    /// Whether a `/` here begins a pattern, because a value is expected.
    fn before_pattern(&self) -> bool {
        match self.last {
            0 | b'(' | b',' | b'=' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b'{' | b';' | b'+' | b'-' | b'*'
            | b'%' => true,
            b'<' | b'>' | b'~' | b'^' => true,
            _ => BEFORE_PATTERNS.contains(&self.word.as_str()),
        }
    }

    /// Where in a script after either of two branches; none if within quotes on one way only.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let agree = self.mode == other.mode
            && self.json == other.json
            && self.escaped == other.escaped
            && self.templates == other.templates
            && self.hidden == other.hidden;
        agree.then(|| {
            let last = if self.last == b'/' { self.last } else { other.last };
            let same_end = self.last == other.last && self.word == other.word;
            Self {
                last,
                // A `/` after this could be either.
                doubtful: self.doubtful || other.doubtful,
                lost: self.lost || other.lost,
                word: if same_end { self.word.clone() } else { String::new() },
                ..self.clone()
            }
        })
    }
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
        ] {
            assert_eq!(after(text, Role::Code).stand(Role::Code), Stand::OnlyJson("in a script"), "{text}");
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
            "if (a) /'/.test(b); c = ",
            "(a) / 'b' + ",
        ] {
            let stand = after(text, Role::Code).stand(Role::Code);
            assert!(matches!(stand, Stand::Refused(..)), "{text}: {stand:?}");
        }
    }

    #[test]
    fn other_roles_have_rules_of_their_own() {
        for (media_type, role) in [
            ("", Role::Code),
            ("module", Role::Code),
            ("text/javascript; charset=utf-8", Role::Code),
            ("application/json", Role::Data),
            ("application/ld+json", Role::Data),
            ("importmap", Role::Rules),
            ("text/template", Role::Unknown),
        ] {
            assert_eq!(Role::of(media_type), role, "{media_type}");
        }
        assert_eq!(after("{\"a\": \"", Role::Data).stand(Role::Data), Stand::Fine(Sink::JsonText));
        assert_eq!(after("{\"it's\": ", Role::Data).stand(Role::Data), Stand::OnlyJson("in a script"));
        assert!(matches!(after("{\"imports\": {\"a\": ", Role::Rules).stand(Role::Rules), Stand::OnlyOwn(..)));
    }

    #[test]
    fn comments_of_html_hide_the_end() {
        assert!(after("<!-- <script>", Role::Code).is_nested());
        for text in ["<!--> <script>", "<!-- <script> -->", "<!-- <script> </script>", "<!-- <scripts", "<script>"] {
            assert!(!after(text, Role::Code).is_nested(), "{text}");
        }
    }
}
