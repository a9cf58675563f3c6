//! What a style sheet loads: other style sheets, images and fonts (CSS Syntax, section 4; CSS Cascade; CSS Images).
//!
//! It is read token by token, as browsers read it: names and addresses may hold escapes, and nothing in a comment counts.

use super::{Needs, Use};

/// Attributes of drawings that are styles: their addresses name what is drawn with.
pub(super) const PRESENTATION: [&str; 10] =
    ["clip-path", "cursor", "fill", "filter", "marker", "marker-end", "marker-mid", "marker-start", "mask", "stroke"];

/// Functions inside each other that are told apart.
const DEEPEST: usize = 64;

/// What a style sheet is made of, as far as it matters here.
enum Token {
    /// A name behind an `@`, in lower case.
    At(String),
    /// A name and its parenthesis, in lower case.
    Function(String),
    /// The address in `url(…)` without quotes.
    Address(String),
    Text(String),
    /// Any other character.
    Sign(char),
    Name,
}

impl Needs {
    /// Takes the text of a style sheet.
    pub(super) fn style_sheet(&mut self, text: &str) {
        let mut tokens = Tokens { rest: text };
        // The rule whose head this is, and the functions around.
        let mut rule = None;
        let mut functions: Vec<String> = Vec::new();
        while let Some(token) = tokens.next() {
            match token {
                Token::At(name) => rule = Some(name),
                Token::Function(name) if functions.len() < DEEPEST => functions.push(name),
                Token::Sign('(') if functions.len() < DEEPEST => functions.push(String::new()),
                Token::Sign(')') => drop(functions.pop()),
                Token::Sign(';' | '{' | '}') => {
                    rule = None;
                    functions.clear();
                }
                Token::Address(address) => self.of_style(rule.as_deref(), &address),
                Token::Text(text) => match functions.last().map(String::as_str) {
                    Some("url" | "src") => self.of_style(rule.as_deref(), &text),
                    // A set of images may be named by bare strings.
                    Some("image-set" | "-webkit-image-set") => self.load(Use::Image, &text),
                    None if rule.as_deref() == Some("import") => self.load(Use::Style, &text),
                    Some(_) | None => {}
                },
                Token::Function(_) | Token::Sign(_) | Token::Name => {}
            }
        }
    }

    /// Takes an address of a style sheet, if it stands in the head of a rule, of that one.
    fn of_style(&mut self, rule: Option<&str>, address: &str) {
        match rule {
            Some("import") => self.load(Use::Style, address),
            // A name, and nothing that is asked for.
            Some("namespace" | "document" | "-moz-document") => {}
            Some(_) | None => {
                self.load(Use::Image, address);
                self.load(Use::Font, address);
            }
        }
    }
}

struct Tokens<'t> {
    rest: &'t str,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<Token> {
        while let Some(comment) = self.rest.strip_prefix("/*") {
            self.rest = comment.split_once("*/").map_or("", |(_, after)| after);
        }
        let first = self.rest.chars().next()?;
        Some(match first {
            '"' | '\'' => {
                self.skip(first);
                Token::Text(self.text(first))
            }
            '@' => {
                self.skip(first);
                Token::At(self.name())
            }
            _ if self.begins_name() => {
                let name = self.name();
                match self.rest.strip_prefix('(') {
                    None => Token::Name,
                    Some(rest) => {
                        self.rest = rest;
                        let inside = rest.trim_start();
                        if name == "url" && !inside.starts_with(['"', '\'']) {
                            self.rest = inside;
                            Token::Address(self.address())
                        } else {
                            Token::Function(name)
                        }
                    }
                }
            }
            _ => {
                self.skip(first);
                Token::Sign(first)
            }
        })
    }

    fn skip(&mut self, first: char) {
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
    }

    fn begins_name(&self) -> bool {
        self.rest.starts_with(is_of_name) || (self.rest.starts_with('\\') && !self.rest.starts_with("\\\n"))
    }

    /// A name in lower case.
    fn name(&mut self) -> String {
        let mut name = String::new();
        while self.begins_name() {
            self.take(&mut name);
        }
        name.to_ascii_lowercase()
    }

    /// What stands up to the quote that ends it. The end of the line ends it, too.
    fn text(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == quote || next == '\n' {
                self.skip(next);
                break;
            }
            self.take(&mut text);
        }
        text
    }

    fn address(&mut self) -> String {
        let mut address = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == ')' {
                self.skip(next);
                break;
            }
            self.take(&mut address);
        }
        address.truncate(address.trim_end().len());
        address
    }

    /// Takes a character, which may be written as an escape.
    fn take(&mut self, out: &mut String) {
        let Some(first) = self.rest.chars().next() else { return };
        self.skip(first);
        if first != '\\' {
            out.push(first);
            return;
        }
        let digits = self.rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            let Some(escaped) = self.rest.chars().next() else { return };
            self.skip(escaped);
            // A line that goes on is one.
            if escaped != '\n' {
                out.push(escaped);
            }
            return;
        }
        let (number, after) = self.rest.split_at_checked(digits).unwrap_or((self.rest, ""));
        let number = u32::from_str_radix(number, 16).ok().filter(|number| *number > 0);
        out.push(number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
        self.rest = after.strip_prefix("\r\n").unwrap_or_else(|| after.strip_prefix(is_space).unwrap_or(after));
    }
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_') || !character.is_ascii()
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Origin;

    #[test]
    fn a_style_sheet_loads_what_its_tokens_say() {
        let host = |of: Use, host: &str| (of, Origin::Host(format!("https://{host}.example")));
        let drawn = |name: &str| vec![host(Use::Font, name), host(Use::Image, name)];
        for (text, expected) in [
            ("a { b: url(https://a.example/x) }", drawn("a")),
            ("a { b: URL( 'https://a.example/x' ) }", drawn("a")),
            ("a { b: u\\72l(https://a.example/x) }", drawn("a")),
            ("a { b: \\000075 rl(\"ht\\74 ps:\\2f\\/a.example/x\") }", drawn("a")),
            ("a { b: url(https\\:\\/\\/a.example/\\)) }", drawn("a")),
            ("a { b: src('https://a.example/x') }", drawn("a")),
            ("a { b: 'url(https://no.example/)' curl(https://no.example/) }", vec![]),
            ("/* url(https://no.example/) @import 'https://no.example/' */ a { /* url( */ b: c }", vec![]),
            ("a { b: url(/* https://no.example/ */) }", vec![]),
            ("/* ' */ a { b: url(https://a.example/x) } /* it's */", drawn("a")),
            ("a { b: c'\n; d: url('https://a.example/x') }", drawn("a")),
            ("@import 'https://a.example/x';", vec![host(Use::Style, "a")]),
            (
                "@\\69mport/**/url(https://a.example/x) supports(a: b) layer('https://no.example/')",
                vec![host(Use::Style, "a")],
            ),
            (
                "@import url('https://a.example/x') screen; a { b: url(https://b.example/) }",
                [drawn("b"), vec![host(Use::Style, "a")]].concat(),
            ),
            ("@namespace svg url(https://no.example/); @namespace 'https://no.example/';", vec![]),
            ("@font-face { src: url(https://a.example/x) format('woff2') }", drawn("a")),
            ("a { b: image-set('https://a.example/x' type('https://no.example/') 1x) }", vec![host(Use::Image, "a")]),
            ("a { b: -webkit-image-set(url(https://a.example/x) 1x) }", drawn("a")),
            ("a { b: url(", vec![]),
            ("@", vec![]),
            ("\\", vec![]),
            ("a { b: '\\", vec![]),
        ] {
            let mut needs = Needs::default();
            needs.style_sheet(text);
            let found: Vec<_> =
                needs.origins(&|_| None).into_iter().filter(|(_, origin)| *origin != Origin::Own).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
