//! Where in the text of a `<script>` an output stands: in code, where JSON is a literal, or in a string, a comment, a pattern.
//!
//! Branches of a layout may end within a sign or a word that what follows goes on with. So the text is followed on all ways at
//! once that lead to a point (`way`), and what is not the same on all of them is not sure. HTML's comments around it (WHATWG HTML,
//! sections 13.2.5.15 to 31) are followed as well.

mod way;

use super::super::escape::Sink;
use super::{Stand, json};
use way::{Mode, Sight, Way};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// The ways that lead here, each once and in order; none if it is not known any more what is code and what is not.
    ways: Vec<Way>,
    /// Where in JSON, if it holds that and not code.
    json: json::Tracker,
    hidden: Hidden,
}

/// More ways than any branches lead on are not told apart.
const MOST_WAYS: usize = 32;

impl Default for Script {
    fn default() -> Self {
        Self { ways: vec![Way::default()], json: json::Tracker::default(), hidden: Hidden::Not }
    }
}

impl Script {
    /// Whether an end tag ends no more than a script within a comment.
    pub(super) fn is_nested(&self) -> bool {
        self.hidden == Hidden::Nested
    }

    /// Whether this is in one of HTML's comments, where a tag could begin another script.
    pub(super) fn is_commented(&self) -> bool {
        self.hidden == Hidden::Commented
    }

    /// Whether this is in one of HTML's comments.
    pub(super) fn hides(&self) -> bool {
        self.hidden != Hidden::Not
    }

    /// Whether the end of the script is hidden in both alike.
    pub(super) fn hides_like(&self, other: &Self) -> bool {
        self.hidden == other.hidden
    }

    /// What begins or ends the comments that hide its end. Of a tag, only white space or a `>` behind it tells that it is one.
    pub(super) fn signs_of_hiding(&self) -> &'static [&'static [u8]] {
        match self.hidden {
            Hidden::Not => &[b"<!--"],
            Hidden::Commented => &[b"-->", b"<script\0"],
            Hidden::Nested => &[b"-->"],
        }
    }

    /// What may be printed here.
    pub(super) fn stand(&self, role: Role) -> Stand {
        match role {
            Role::Data => match self.json.stand() {
                Stand::OnlyJson(sink, _) => Stand::OnlyJson(sink, "in a script"),
                stand @ (Stand::Fine(_) | Stand::OnlyOwn(..) | Stand::OnlyNumber(..) | Stand::Refused(..)) => stand,
            },
            Role::Rules => {
                let sink = if self.json.is_at_rest() { Sink::Script } else { Sink::JsonText };
                Stand::OnlyOwn(sink, "in rules that say which scripts or pages are fetched", "write it out")
            }
            Role::Unknown => Stand::Refused(
                "in a script of an unknown type",
                "give it the type `application/json`, and write `| json`; templates for scripts stand in `<template>`",
            ),
            Role::Code | Role::Module => self.stand_in_code(role),
        }
    }

    fn stand_in_code(&self, role: Role) -> Stand {
        let ways: Vec<Way> = self.ways.iter().map(|way| way.flushed(role)).collect();
        let all = |is: fn(&Way) -> bool| ways.iter().all(is);
        if ways.iter().any(|way| way.sight == Sight::Doubtful) {
            Stand::Refused(
                "in a script, behind a `/` that could begin a pattern",
                "write parentheses around what is divided, as in `(total) / `, or begin another line behind the pattern",
            )
        } else if ways.is_empty() || ways.iter().any(|way| way.sight == Sight::Lost) || !are_alike(&ways) {
            Stand::Refused(
                "in a script whose quotes are not clear here",
                "put it in `<script type=\"application/json\">` with `| json`, or move it to the beginning of the script",
            )
        } else if all(|way| matches!(way.mode, Mode::Pattern { .. })) {
            Stand::Refused(
                "within a pattern in a script",
                "write `new RegExp(…)` with `| json`, or parentheses around what is divided",
            )
        } else if !all(|way| way.mode == Mode::Code) {
            Stand::Refused(
                "within quotes or a comment in a script",
                "leave the quotes out and write `| json`, which makes its own",
            )
        } else if ways.iter().any(Way::names_module) {
            Stand::OnlyOwn(
                Sink::Code,
                "that says where a script comes from",
                "begin the address with text of the layout, as in `import(\"/js/\" + {{ name | json }})`",
            )
        } else {
            Stand::OnlyJson(Sink::Code, "in a script")
        }
    }

    /// A literal of JSON was printed.
    pub(super) fn output(&mut self, role: Role) {
        if matches!(role, Role::Data | Role::Rules) {
            return;
        }
        let printed = self.ways.iter().flat_map(|way| way.printed(role)).collect();
        self.go_on(printed);
    }

    /// The same, if it is not known any more what is code and what is not.
    pub(super) fn lost(&self) -> Self {
        Self { ways: Vec::new(), ..self.clone() }
    }

    /// Something was printed of which nothing is known.
    pub(super) fn lose(&mut self) {
        self.ways.clear();
    }

    /// Takes a byte; `rest` begins with it.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8], role: Role) {
        self.hide(byte, rest);
        if matches!(role, Role::Data | Role::Rules) {
            self.json.take(byte);
            return;
        }
        for way in &mut self.ways {
            way.take(byte, role);
        }
        let is_lost = |way: &Way| way.sight == Sight::Lost;
        if self.ways.len() > 1 || self.ways.iter().any(is_lost) {
            let ways = std::mem::take(&mut self.ways);
            self.go_on(ways);
        }
    }

    /// Goes on with these ways.
    fn go_on(&mut self, mut ways: Vec<Way>) {
        ways.sort_unstable();
        ways.dedup();
        if ways.len() > MOST_WAYS || ways.iter().any(|way| way.sight == Sight::Lost) {
            ways.clear();
        }
        self.ways = ways;
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

    /// Where in a script after either of two branches; none if within quotes on one way only.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let has_like = |ways: &[Way], way: &Way| ways.iter().any(|one| one.mode.is_like(way.mode));
        let is_lost = self.ways.is_empty() || other.ways.is_empty();
        let agree = self.json == other.json
            && self.hidden == other.hidden
            && (is_lost
                || (self.ways.iter().all(|way| has_like(&other.ways, way))
                    && other.ways.iter().all(|way| has_like(&self.ways, way))));
        agree.then(|| {
            let mut joined = self.clone();
            if is_lost {
                joined.lose();
            } else {
                joined.go_on(self.ways.iter().chain(&other.ways).cloned().collect());
            }
            joined
        })
    }
}

/// Whether all ways are within the same, or in code.
fn are_alike(ways: &[Way]) -> bool {
    ways.windows(2).all(|pair| matches!(pair, [one, other] if one.mode.is_like(other.mode)))
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
            ("a\n", "a", "--> '\n b = '", Some(false)),
            ("'", "a", "", None),
            ("a /", "a", " ", Some(true)),
            ("a /", "a", "/ ", Some(false)),
            ("a = `", "a = `$", "{ ", Some(false)),
            ("a = `$", "a = `$", "{ ", Some(true)),
            ("\nx+", "\nx\n+", "+ /'/.y; a = ", Some(false)),
            ("a", "a.", "return /'/.y; b = ", Some(false)),
            ("a", "a.", "b / 2 + '/' + ", Some(true)),
            ("\n", "\n--", "> `\nb = `", Some(false)),
            ("\n", "\n<", "!-- `\nb = `", Some(false)),
            ("a", "a<!", "-- `\nb = `", Some(false)),
            ("", "#", "! `\na = `", Some(false)),
            ("/* *", "/* ", "/ a = '*/ b = ", Some(false)),
            ("a = x <", "a = x >", " 5, b = ", Some(true)),
            ("foo", "return", " / 2 + '/' + ", Some(false)),
            ("foo", "if", "(a) / 2 + '/' + ", Some(false)),
            ("f('x', ", "f(", "1), a = ", Some(true)),
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
            ("x ", "in /'/, a = ", false),
            ("= ", "in /'/, a = ", false),
            ("= ", " in /'/, a = ", true),
            ("= ", " / 2 + '/' + ", true),
            ("= ", "/2 + '/' + ", true),
            ("; ", " / 2; a = ", false),
            ("a =>", " / 2; a = ", false),
            ("a <!-", " + ", true),
        ] {
            let mut script = after(before, Role::Code);
            script.output(Role::Code);
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
