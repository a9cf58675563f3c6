//! Structured Fields (RFC 9651, section 4.2): dictionaries and lists, read strictly. What is wrong anywhere is wrong as a whole.
//!
//! Parameters and inner lists are read, as they must be right too, and nothing is kept of them: no field that is read here has any.

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BareItem {
    /// `5`, of at most fifteen digits.
    Integer(i64),
    /// `"text"`
    String(String),
    /// `word`
    Token(String),
    /// `?1`
    Boolean(bool),
    /// Anything else that is well-formed: a decimal, bytes, a date, a text, an inner list.
    Other,
}

/// The members of a dictionary over all its lines, as they stand: of several with one key the last counts. None if it is malformed; empty
/// if it says nothing.
pub fn dictionary<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<Vec<(String, BareItem)>> {
    let text = combined(lines);
    let mut members = Vec::new();
    let mut parser = Parser(&text);
    parser.each_member(|parser| {
        let key = parser.key()?;
        let value = if parser.eat(b'=') { parser.value()? } else { BareItem::Boolean(true) };
        parser.parameters()?;
        members.push((key, value));
        Some(())
    })?;
    Some(members)
}

/// The members of a list of strings over all its lines. None if it is malformed, or some member is anything else.
pub fn string_list<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<Vec<String>> {
    let text = combined(lines);
    let mut members = Vec::new();
    let mut parser = Parser(&text);
    parser.each_member(|parser| {
        let BareItem::String(text) = parser.value()? else { return None };
        parser.parameters()?;
        members.push(text);
        Some(())
    })?;
    Some(members)
}

/// Several lines are one, as anywhere (RFC 9110, section 5.3).
fn combined<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    for (position, line) in lines.into_iter().enumerate() {
        if position > 0 {
            text.extend_from_slice(b", ");
        }
        text.extend_from_slice(line);
    }
    text
}

struct Parser<'t>(&'t [u8]);

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.next_if(|next| next == byte).is_some()
    }

    fn next_if(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        self.peek().filter(|byte| wanted(*byte))?;
        self.next()
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &[u8] {
        let end = self.0.iter().position(|byte| !wanted(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, also_tabs: bool) {
        self.take_while(|byte| byte == b' ' || (also_tabs && byte == b'\t'));
    }

    /// Members between commas (sections 4.2.1 and 4.2.2), of which the last is followed by none.
    fn each_member(&mut self, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.skip(false);
        while !self.0.is_empty() {
            member(self)?;
            self.skip(true);
            if self.0.is_empty() {
                break;
            }
            if !self.eat(b',') {
                return None;
            }
            self.skip(true);
            self.peek()?;
        }
        Some(())
    }

    /// Section 4.2.3.3.
    fn key(&mut self) -> Option<String> {
        self.peek().filter(|byte| byte.is_ascii_lowercase() || *byte == b'*')?;
        let key = self.take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte));
        Some(text(key))
    }

    /// An item without its parameters, or an inner list (section 4.2.1.1).
    fn value(&mut self) -> Option<BareItem> {
        if !self.eat(b'(') {
            return self.bare_item();
        }
        loop {
            self.skip(false);
            if self.eat(b')') {
                return Some(BareItem::Other);
            }
            self.bare_item()?;
            self.parameters()?;
            self.peek().filter(|byte| matches!(byte, b' ' | b')'))?;
        }
    }

    /// Section 4.2.3.2.
    fn parameters(&mut self) -> Option<()> {
        while self.eat(b';') {
            self.skip(false);
            self.key()?;
            if self.eat(b'=') {
                self.bare_item()?;
            }
        }
        Some(())
    }

    /// Section 4.2.3.1.
    fn bare_item(&mut self) -> Option<BareItem> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'*' | b'A'..=b'Z' | b'a'..=b'z' => {
                let token = self.take_while(|byte| super::list::is_token(byte) || b":/".contains(&byte));
                Some(BareItem::Token(text(token)))
            }
            b':' => {
                self.next();
                self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
                self.eat(b':').then_some(BareItem::Other)
            }
            b'?' => {
                self.next();
                let value = self.next_if(|byte| matches!(byte, b'0' | b'1'))?;
                Some(BareItem::Boolean(value == b'1'))
            }
            b'@' => {
                self.next();
                matches!(self.number()?, BareItem::Integer(_)).then_some(BareItem::Other)
            }
            b'%' => self.display_string(),
            _ => None,
        }
    }

    /// Section 4.2.4: fifteen digits, or twelve before a point and three behind it.
    fn number(&mut self) -> Option<BareItem> {
        let sign = if self.eat(b'-') { -1 } else { 1 };
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let count = digits.len();
        let whole = digits.iter().take(16).fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
        if !self.eat(b'.') {
            return (1..=15).contains(&count).then_some(BareItem::Integer(sign * whole));
        }
        let fraction = self.take_while(|byte| byte.is_ascii_digit()).len();
        ((1..=12).contains(&count) && (1..=3).contains(&fraction)).then_some(BareItem::Other)
    }

    /// Section 4.2.5.
    fn string(&mut self) -> Option<BareItem> {
        self.next();
        let mut string = String::new();
        loop {
            let byte = match self.next()? {
                b'"' => return Some(BareItem::String(string)),
                b'\\' => self.next_if(|byte| matches!(byte, b'"' | b'\\'))?,
                byte => byte,
            };
            matches!(byte, b' '..=b'~').then(|| string.push(char::from(byte)))?;
        }
    }

    /// Section 4.2.10.
    fn display_string(&mut self) -> Option<BareItem> {
        self.next();
        self.next_if(|byte| byte == b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(bytes).is_ok().then_some(BareItem::Other),
                b'%' => {
                    let high = lower_hex(self.next()?)?;
                    bytes.push(high * 16 + lower_hex(self.next()?)?);
                }
                byte => matches!(byte, b' '..=b'~').then(|| bytes.push(byte))?,
            }
        }
    }
}

fn lower_hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// What was taken is ASCII.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Option<Vec<(String, BareItem)>> {
        dictionary(lines.iter().map(|line| line.as_bytes()))
    }

    fn one(line: &str) -> Option<BareItem> {
        read(&[line])?.pop().map(|(_, value)| value)
    }

    #[test]
    fn members_are_read_as_the_rfc_types_them() {
        for (line, value) in [
            ("max-age=600", BareItem::Integer(600)),
            ("a=-15", BareItem::Integer(-15)),
            ("a=999999999999999", BareItem::Integer(999_999_999_999_999)),
            ("a=1.5", BareItem::Other),
            ("a=\"x \\\"y\\\" \\\\\"", BareItem::String("x \"y\" \\".to_owned())),
            ("a=*b:c/d", BareItem::Token("*b:c/d".to_owned())),
            ("no-store", BareItem::Boolean(true)),
            ("no-store;x=1;y", BareItem::Boolean(true)),
            ("no-store=?0", BareItem::Boolean(false)),
            ("*a_.-*9=:aGk=:", BareItem::Other),
            ("a=@1659578233", BareItem::Other),
            ("a=%\"f%c3%bc\"", BareItem::Other),
            ("a=(1 \"b\";c  d);e", BareItem::Other),
            ("a=()", BareItem::Other),
            ("  a=1\t ", BareItem::Integer(1)),
            ("a=1 ,\t a=2", BareItem::Integer(2)),
        ] {
            assert_eq!(one(line), Some(value), "{line}");
        }
        assert_eq!(read(&["a", "b=1"]).map(|members| members.len()), Some(2));
        assert_eq!(read(&[]), Some(vec![]));
        assert_eq!(read(&["", ""]), None);
        assert_eq!(read(&["   "]), Some(vec![]));
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for line in [
            "max-age=10000, &&&&&",
            "Max-Age=5",
            "max-age =5",
            "max-age= 5",
            "max-age=",
            "a,",
            ",a",
            "a,,b",
            "a b",
            "\ta",
            "a=1000000000000000",
            "a=-",
            "a=1.",
            "a=1.2345",
            "a=1234567890123.1",
            "a=\"x",
            "a=\"\\x\"",
            "a=\"\u{fc}\"",
            "a=?2",
            "a=:b",
            "a=@1.5",
            "a=%\"%C3\"",
            "a=%\"%c3\"",
            "a=%\"x",
            "a=(1",
            "a=(1,2)",
            "a=(1\"b\")",
            "a;=1",
            "a; ",
            "a='b'",
        ] {
            assert_eq!(read(&[line]), None, "{line}");
        }
    }

    #[test]
    fn a_list_of_strings_holds_nothing_else() {
        let list = |line: &str| string_list([line.as_bytes()]);
        assert_eq!(list("\"scripts\", \"s t\";p=1"), Some(vec!["scripts".to_owned(), "s t".to_owned()]));
        assert_eq!(list(""), Some(vec![]));
        for line in ["scripts", "\"a\", 1", "(\"a\")", "\"a\",", "\"a\" \"b\""] {
            assert_eq!(list(line), None, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_line_is_too_odd(line in prop::collection::vec(any::<u8>(), 0..40), like in "[a-z=;,?1.:@%\"(\\\\) -]{0,24}") {
            dictionary([&line[..]]);
            string_list([&line[..]]);
            dictionary([like.as_bytes()]);
            string_list([like.as_bytes()]);
        }
    }
}
