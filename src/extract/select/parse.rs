//! The grammar of RFC 9535 (appendix A), by recursive descent over the bytes of a selector.
//!
//! Everything that can be known without a document is checked here, functions' types among it (section 2.4.3). Nesting
//! is bounded before the stack could be.

use super::regexp::{self, Extent, Pattern};
use super::syntax::{Comparison, Logical, Operand, Pick, Query, Segment};
use super::{LONGEST_SELECTOR, SelectError};
use crate::diagnostic::did_you_mean;
use crate::value::{Text, Value};
use std::ops::Range;

/// How deep parentheses, filters and functions may nest.
pub(super) const DEEPEST: usize = 32;
/// Indexes beyond this do not survive every JSON implementation (section 2.1, RFC 7493 section 2.2).
const LARGEST_INTEGER: u64 = (1 << 53) - 1;
/// The functions of section 2.4.
const FUNCTIONS: &[&str] = &["length", "count", "match", "search", "value"];

type Parsed<T> = Result<T, SelectError>;

/// A whole selector.
pub(super) fn query(text: &str) -> Parsed<Query> {
    if text.len() > LONGEST_SELECTOR {
        let message = format!("a selector is longer than {LONGEST_SELECTOR} bytes");
        return Err(SelectError { range: 0..text.len(), message, help: None });
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.eat("$") {
        let range = 0..text.chars().next().map_or(0, char::len_utf8);
        let help = if text.trim_start().starts_with('$') {
            "remove the space before `$`".to_owned()
        } else {
            format!("write `$.{}`", text.trim_start_matches(['.', '@']))
        };
        return Err(SelectError { range, message: "a selector begins with `$`".into(), help: Some(help) });
    }
    let segments = parser.segments()?;
    if parser.at < text.len() {
        return Err(parser.unexpected("the end, `.` or `[`"));
    }
    Ok(finish(true, segments))
}

fn finish(absolute: bool, segments: Vec<Segment>) -> Query {
    let single = |segment: &Segment| match segment {
        Segment::Child(picks) => matches!(&**picks, [Pick::Name(_) | Pick::Index(_)]),
        Segment::Descendant(_) => false,
    };
    let singular = segments.iter().all(single);
    Query { absolute, segments, singular }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

/// What a function gives, by its declared type (section 2.4.1).
enum Call {
    Value(Operand),
    Logical(Logical),
}

/// What stands as a function's argument or beside a comparison, before its type is known to fit.
enum Term {
    Literal(Value),
    Query(Query),
    Call(Call),
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn error(&self, range: Range<usize>, message: impl Into<String>) -> SelectError {
        let end = range.end.min(self.text.len());
        SelectError { range: range.start.min(end)..end, message: message.into(), help: None }
    }

    fn unexpected(&self, expected: &str) -> SelectError {
        let found = self.peek();
        let range = self.at..self.at + found.map_or(0, char::len_utf8);
        let found = found.map_or_else(|| "the end".to_owned(), |found| format!("`{}`", found.escape_debug()));
        self.error(range, format!("expected {expected}, found {found}"))
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            let end = self.at + self.peek().map_or(0, char::len_utf8);
            return Err(self.error(self.at..end, format!("nested deeper than {DEEPEST} levels")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// `segments = *(S segment)`: white space counts only if a segment follows it.
    fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.space();
            let Some(segment) = self.segment()? else {
                self.at = before;
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn segment(&mut self) -> Parsed<Option<Segment>> {
        if self.eat("..") {
            let picks = if self.peek() == Some('[') { self.brackets()? } else { self.shorthand()? };
            return Ok(Some(Segment::Descendant(picks)));
        }
        if self.eat(".") {
            return Ok(Some(Segment::Child(self.shorthand()?)));
        }
        if self.peek() == Some('[') {
            return Ok(Some(Segment::Child(self.brackets()?)));
        }
        Ok(None)
    }

    /// `*` or a name without quotes (section 2.5.1.1).
    fn shorthand(&mut self) -> Parsed<Box<[Pick]>> {
        if self.eat("*") {
            return Ok(Box::new([Pick::Wildcard]));
        }
        let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        if !self.peek().is_some_and(first) {
            let mut error = self.unexpected("a name or `*`");
            error.help = Some("a name with other characters is written `['name']`".into());
            return Err(error);
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !(first(c) || c.is_ascii_digit())).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().into();
        self.at += end;
        Ok(Box::new([Pick::Name(name)]))
    }

    fn brackets(&mut self) -> Parsed<Box<[Pick]>> {
        self.expect("[")?;
        let mut picks = Vec::new();
        loop {
            self.space();
            picks.push(self.pick()?);
            self.space();
            if self.eat("]") {
                return Ok(picks.into());
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn pick(&mut self) -> Parsed<Pick> {
        match self.peek() {
            Some('*') => {
                self.at += 1;
                Ok(Pick::Wildcard)
            }
            Some(quote @ ('\'' | '"')) => Ok(Pick::Name(self.string(quote)?.into())),
            Some('?') => {
                self.at += 1;
                self.space();
                Ok(Pick::Filter(Box::new(self.nested(Self::or)?)))
            }
            Some('-' | ':' | '0'..='9') => self.index_or_slice(),
            Some(_) | None => Err(self.unexpected("a quoted name, an index, a slice, `*` or `?`")),
        }
    }

    fn index_or_slice(&mut self) -> Parsed<Pick> {
        let start = self.integer_if_there()?;
        let after_start = self.at;
        self.space();
        if !self.eat(":") {
            self.at = after_start;
            return start.map(Pick::Index).ok_or_else(|| self.unexpected("an index"));
        }
        self.space();
        let end = self.integer_if_there()?;
        let after_end = self.at;
        self.space();
        let mut step = 1;
        if self.eat(":") {
            let after_colon = self.at;
            self.space();
            match self.integer_if_there()? {
                Some(written) => step = written,
                None => self.at = after_colon,
            }
        } else {
            self.at = after_end;
        }
        Ok(Pick::Slice { start, end, step })
    }

    fn integer_if_there(&mut self) -> Parsed<Option<i64>> {
        if !matches!(self.peek(), Some('-' | '0'..='9')) {
            return Ok(None);
        }
        let start = self.at;
        self.eat("-");
        self.digits()?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        let integer = text.parse().ok().filter(|number: &i64| number.unsigned_abs() <= LARGEST_INTEGER);
        match integer {
            Some(0) if text != "0" => Err(self.error(start..self.at, "`-0` is no index")),
            Some(integer) => Ok(Some(integer)),
            None => Err(self.error(start..self.at, "the index is too large")),
        }
    }

    /// Digits without a needless leading zero.
    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return Err(self.unexpected("a digit"));
        }
        self.at += count;
        if count > 1 && self.text.as_bytes().get(start) == Some(&b'0') {
            return Err(self.error(start..self.at, "a number does not begin with `0`"));
        }
        Ok(())
    }

    fn string(&mut self, quote: char) -> Parsed<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let at = self.at;
            let Some(character) = self.peek() else {
                return Err(self.error(start..at, format!("the string has no closing `{quote}`")));
            };
            self.at += character.len_utf8();
            match character {
                '\\' => out.push(self.escape(quote, at)?),
                end if end == quote => return Ok(out),
                '\0'..='\u{1f}' => {
                    return Err(self.error(at..self.at, "a control character in a string is written as an escape"));
                }
                other => out.push(other),
            }
        }
    }

    fn escape(&mut self, quote: char, start: usize) -> Parsed<char> {
        let Some(character) = self.peek() else { return Err(self.unexpected("an escape")) };
        self.at += character.len_utf8();
        Ok(match character {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => character,
            same if same == quote => quote,
            'u' => self.code_point(start)?,
            _ => return Err(self.error(start..self.at, "no such escape in a string")),
        })
    }

    fn code_point(&mut self, start: usize) -> Parsed<char> {
        let mut point = self.four_digits()?;
        if (0xD800..0xDC00).contains(&point) && self.eat("\\u") {
            let low = self.four_digits()?;
            if (0xDC00..0xE000).contains(&low) {
                point = 0x1_0000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            }
        }
        // A surrogate without its partner is no character.
        char::from_u32(point).ok_or_else(|| self.error(start..self.at, "half of a surrogate pair"))
    }

    fn four_digits(&mut self) -> Parsed<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(number) => {
                self.at += 4;
                Ok(number)
            }
            None => Err(self.unexpected("four hexadecimal digits")),
        }
    }

    fn or(&mut self) -> Parsed<Logical> {
        self.chain("||", Self::and, Logical::Or)
    }

    fn and(&mut self) -> Parsed<Logical> {
        self.chain("&&", Self::basic, Logical::And)
    }

    fn chain(
        &mut self,
        operator: &str,
        part: impl Fn(&mut Self) -> Parsed<Logical>,
        join: impl FnOnce(Vec<Logical>) -> Logical,
    ) -> Parsed<Logical> {
        let first = part(self)?;
        let mut parts = vec![first];
        loop {
            let before = self.at;
            self.space();
            if !self.eat(operator) {
                self.at = before;
                break;
            }
            self.space();
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { join(parts) })
    }

    /// `basic-expr`: parentheses, a comparison or a test.
    fn basic(&mut self) -> Parsed<Logical> {
        let start = self.at;
        let negated = self.eat("!");
        if negated {
            self.space();
        }
        let positive = if self.eat("(") {
            self.space();
            let inner = self.nested(Self::or)?;
            self.space();
            self.expect(")")?;
            inner
        } else {
            self.comparison_or_test(negated.then_some(start))?
        };
        Ok(if negated { Logical::Not(Box::new(positive)) } else { positive })
    }

    fn comparison_or_test(&mut self, negated_at: Option<usize>) -> Parsed<Logical> {
        let start = self.at;
        let left = self.term()?;
        let left_range = start..self.at;
        self.space();
        let Some(comparison) = self.comparison_operator() else {
            self.at = left_range.end;
            return self.test(left, left_range);
        };
        if let Some(negated_at) = negated_at {
            let mut error = self.error(negated_at..self.at, "`!` does not negate a comparison");
            error.help = Some("put the comparison in parentheses".into());
            return Err(error);
        }
        let left = self.operand(left, left_range)?;
        self.space();
        let right_start = self.at;
        let right = self.term()?;
        let right = self.operand(right, right_start..self.at)?;
        Ok(Logical::Compare(left, comparison, right))
    }

    fn comparison_operator(&mut self) -> Option<Comparison> {
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        operators.into_iter().find(|(token, _)| self.eat(token)).map(|(_, operator)| operator)
    }

    /// What stands alone must be a query or give true or false.
    fn test(&self, term: Term, range: Range<usize>) -> Parsed<Logical> {
        match term {
            Term::Query(query) => Ok(Logical::Exists(query)),
            Term::Call(Call::Logical(logical)) => Ok(logical),
            Term::Call(Call::Value(_)) => {
                Err(self.error(range, "the result of this function must be compared with something"))
            }
            Term::Literal(_) => Err(self.error(range, "a literal must be compared with something")),
        }
    }

    /// What stands beside a comparison, or where a function wants a value, must be one value at most.
    fn operand(&self, term: Term, range: Range<usize>) -> Parsed<Operand> {
        match term {
            Term::Literal(value) => Ok(Operand::Literal(value)),
            Term::Query(query) if query.singular => Ok(Operand::Node(query)),
            Term::Query(_) => {
                let mut error = self.error(range, "this query may select several nodes, where one value is needed");
                error.help = Some("use names and indexes only, or `value(…)` or `count(…)` around it".into());
                Err(error)
            }
            Term::Call(Call::Value(operand)) => Ok(operand),
            Term::Call(Call::Logical(_)) => {
                Err(self.error(range, "this function gives true or false, which is tested and not compared"))
            }
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        match self.peek() {
            Some('@') => self.query_term(false),
            Some('$') => self.query_term(true),
            Some(quote @ ('\'' | '"')) => Ok(Term::Literal(Value::Text(Text::from(self.string(quote)?)))),
            Some('-' | '0'..='9') => Ok(Term::Literal(self.number()?)),
            Some('a'..='z') => self.word(),
            Some(_) | None => Err(self.unexpected("`@`, `$`, a literal, a function or `(`")),
        }
    }

    fn query_term(&mut self, absolute: bool) -> Parsed<Term> {
        self.at += 1;
        let segments = self.nested(Self::segments)?;
        Ok(Term::Query(finish(absolute, segments)))
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.eat("-");
        self.digits()?;
        let mut integer = true;
        if self.eat(".") {
            integer = false;
            self.any_digits()?;
        }
        if self.eat("e") || self.eat("E") {
            integer = false;
            let _signed = self.eat("-") || self.eat("+");
            self.any_digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if integer && let Ok(number) = text.parse::<i64>() {
            return Ok(Value::Int(number));
        }
        if integer && let Ok(number) = text.parse::<u64>() {
            return Ok(Value::UInt(number));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            Ok(_) | Err(_) => Err(self.error(start..self.at, "the number is too large")),
        }
    }

    fn any_digits(&mut self) -> Parsed<()> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    /// `true`, `false`, `null` or a function.
    fn word(&mut self) -> Parsed<Term> {
        let start = self.at;
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().to_owned();
        self.at += end;
        let name_range = start..self.at;
        if self.eat("(") {
            return self.nested(|parser| parser.call(&name, name_range)).map(Term::Call);
        }
        match name.as_str() {
            "true" => Ok(Term::Literal(Value::Bool(true))),
            "false" => Ok(Term::Literal(Value::Bool(false))),
            "null" => Ok(Term::Literal(Value::Null)),
            _ => {
                let mut error = self.error(name_range, format!("`{name}` is no literal"));
                error.help = Some(format!("a member is written `@.{name}`, a string `'{name}'`"));
                Err(error)
            }
        }
    }

    /// The arguments and the closing parenthesis of a function, against its types (section 2.4.3).
    fn call(&mut self, name: &str, name_range: Range<usize>) -> Parsed<Call> {
        let start = name_range.start;
        if !FUNCTIONS.contains(&name) {
            let mut error = self.error(name_range, format!("unknown function `{name}`"));
            let list = FUNCTIONS.join("`, `");
            error.help = did_you_mean(name, FUNCTIONS.iter().copied()).or_else(|| Some(format!("there are `{list}`")));
            return Err(error);
        }
        let mut arguments = self.arguments()?.into_iter();
        let count_error =
            |parser: &Self, wanted: &str| parser.error(start..parser.at, format!("`{name}` takes {wanted}"));
        let call = if matches!(name, "match" | "search") {
            let (Some(text), Some(pattern)) = (arguments.next(), arguments.next()) else {
                return Err(count_error(self, "two arguments"));
            };
            let text = self.operand(text.0, text.1)?;
            let extent = if name == "match" { Extent::Whole } else { Extent::Part };
            Call::Logical(Logical::Matches(text, self.pattern(pattern, extent)?))
        } else {
            let Some((term, range)) = arguments.next() else { return Err(count_error(self, "one argument")) };
            Call::Value(match name {
                "length" => Operand::Length(Box::new(self.operand(term, range)?)),
                "count" => Operand::Count(self.nodes(term, range)?),
                _ => Operand::Only(self.nodes(term, range)?),
            })
        };
        if arguments.next().is_some() {
            return Err(count_error(self, "fewer arguments"));
        }
        Ok(call)
    }

    fn arguments(&mut self) -> Parsed<Vec<(Term, Range<usize>)>> {
        let mut arguments = Vec::new();
        self.space();
        if self.eat(")") {
            return Ok(arguments);
        }
        loop {
            let start = self.at;
            let term = self.term()?;
            arguments.push((term, start..self.at));
            self.space();
            if self.eat(")") {
                return Ok(arguments);
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
            self.space();
        }
    }

    /// `NodesType`: only queries give it.
    fn nodes(&self, term: Term, range: Range<usize>) -> Parsed<Query> {
        match term {
            Term::Query(query) => Ok(query),
            Term::Literal(_) | Term::Call(_) => Err(self.error(range, "this function takes a query")),
        }
    }

    fn pattern(&self, (term, range): (Term, Range<usize>), extent: Extent) -> Parsed<Pattern> {
        match self.operand(term, range.clone())? {
            Operand::Literal(Value::Text(expression)) => match regexp::compile(&expression, extent) {
                Ok(ready) => Ok(Pattern::Ready(ready)),
                Err(reason) => Err(self.error(range, format!("no regular expression: {reason}"))),
            },
            operand @ (Operand::Literal(_)
            | Operand::Node(_)
            | Operand::Length(_)
            | Operand::Count(_)
            | Operand::Only(_)) => Ok(Pattern::Given(Box::new(operand), extent)),
        }
    }
}
