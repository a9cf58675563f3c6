//! Targeted fields (RFC 9213) by the letter: a Dictionary of Structured Fields (RFC 9651, section 4.2), or nothing.

use super::keeping::Control;
use super::narrowed;
use super::read::{Argument, Directive, Lines, values};

/// What stands for a value.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Integer(i64),
    Decimal,
    Said(String),
    Boolean(bool),
    Other,
}

/// The text that is left to be parsed.
struct Input(Vec<char>);

impl Input {
    fn next(&self) -> Option<char> {
        self.0.first().copied()
    }

    fn take(&mut self) -> Option<char> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    fn skip(&mut self, of: &[char]) {
        while self.next().is_some_and(|c| of.contains(&c)) {
            self.0.remove(0);
        }
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.next() == Some(wanted) && self.take().is_some()
    }

    /// Section 4.2.3.3.
    fn key(&mut self) -> Option<String> {
        let mut key = String::new();
        if !self.next().is_some_and(|c| c.is_ascii_lowercase() || c == '*') {
            return None;
        }
        while let Some(c) = self.next().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(*c))
        {
            key.push(c);
            self.take();
        }
        Some(key)
    }

    /// Section 4.2.3.2.
    fn parameters(&mut self) -> Option<()> {
        while self.takes(';') {
            self.skip(&[' ']);
            self.key()?;
            if self.takes('=') {
                self.bare()?;
            }
        }
        Some(())
    }

    /// Section 4.2.3.1.
    fn bare(&mut self) -> Option<Item> {
        match self.next()? {
            '-' | '0'..='9' => self.number(),
            '"' => {
                self.take();
                let mut said = String::new();
                loop {
                    match self.take()? {
                        '\\' => match self.take()? {
                            c @ ('"' | '\\') => said.push(c),
                            _ => return None,
                        },
                        '"' => return Some(Item::Said(said)),
                        c if (' '..='~').contains(&c) => said.push(c),
                        _ => return None,
                    }
                }
            }
            ':' => {
                self.take();
                loop {
                    match self.take()? {
                        ':' => return Some(Item::Other),
                        c if c.is_ascii_alphanumeric() || "+/=".contains(c) => {}
                        _ => return None,
                    }
                }
            }
            '?' => {
                self.take();
                match self.take()? {
                    '0' => Some(Item::Boolean(false)),
                    '1' => Some(Item::Boolean(true)),
                    _ => None,
                }
            }
            c if c.is_ascii_alphabetic() || c == '*' => {
                let mut said = String::new();
                while let Some(c) =
                    self.next().filter(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(*c))
                {
                    said.push(c);
                    self.take();
                }
                Some(Item::Said(said))
            }
            _ => None,
        }
    }

    /// Section 4.2.4.
    fn number(&mut self) -> Option<Item> {
        let is_negative = self.takes('-');
        let (mut whole, mut part) = (String::new(), None::<String>);
        while let Some(c) = self.next() {
            if c.is_ascii_digit() {
                part.as_mut().unwrap_or(&mut whole).push(c);
            } else if c == '.' && part.is_none() {
                part = Some(String::new());
            } else {
                break;
            }
            self.take();
        }
        match part {
            _ if whole.is_empty() => None,
            None if whole.len() > 15 => None,
            None => whole.parse().ok().map(|number: i64| Item::Integer(if is_negative { -number } else { number })),
            Some(part) => (whole.len() <= 12 && (1..=3).contains(&part.len())).then_some(Item::Decimal),
        }
    }

    /// Section 4.2.1.2.
    fn inner_list(&mut self) -> Option<Item> {
        loop {
            self.skip(&[' ']);
            if self.takes(')') {
                self.parameters()?;
                return Some(Item::Other);
            }
            self.bare()?;
            self.parameters()?;
            if !self.next().is_some_and(|c| c == ' ' || c == ')') {
                return None;
            }
        }
    }
}

/// Section 4.2.2: members in order; one that comes again takes the place of the one before it.
fn dictionary(text: &str) -> Option<Vec<(String, Item)>> {
    let mut input = Input(text.trim_matches(' ').chars().collect());
    let mut members: Vec<(String, Item)> = Vec::new();
    while input.next().is_some() {
        let key = input.key()?;
        let item = if input.takes('=') {
            let item = if input.takes('(') { input.inner_list()? } else { input.bare()? };
            input.parameters()?;
            item
        } else {
            input.parameters()?;
            Item::Boolean(true)
        };
        members.retain(|(other, _)| *other != key);
        members.push((key, item));
        input.skip(&[' ', '\t']);
        if input.next().is_none() {
            return Some(members);
        }
        if !input.takes(',') {
            return None;
        }
        input.skip(&[' ', '\t']);
        input.next()?;
    }
    Some(members)
}

/// RFC 9213, section 2.2: the directives of the targeted field, if it is there, says something and can be parsed: "a cache that implements this
/// specification MUST use that field and ignore Cache-Control and Expires"; "empty or invalid: treated as not present".
pub(super) fn control(fields: &Lines, name: &str) -> Option<Control> {
    let members = dictionary(&values(fields, name).join(", ")).filter(|members| !members.is_empty())?;
    let mut all = Vec::new();
    for (name, item) in members {
        let argument = match item {
            Item::Boolean(false) => continue,
            Item::Boolean(true) => Argument::None,
            // "the value types of the directives are those of Structured Fields": seconds are Integers.
            Item::Integer(seconds) => Argument::Said(seconds.max(0).to_string()),
            Item::Said(text) if name == "private" || name == "no-cache" => Argument::Said(text),
            Item::Said(_) | Item::Decimal | Item::Other => {
                assert!(narrowed("a time of another type than Integer is none at all"));
                assert!(narrowed("what forbids does so with any value but false"));
                Argument::Malformed
            }
        };
        all.push(Directive { name, argument });
    }
    Some(Control::targeted(all))
}
