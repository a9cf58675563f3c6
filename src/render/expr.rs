//! The expressions within outputs and tags: operands, paths, filter chains and conditions.
//!
//! Strict: what cannot be read whole is an error at its place, because Liquid's lax parser would drop the rest in silence.
//! Only brackets nest, and they nest to [`DEPTH`].

use super::filter::{self, Filter};
use super::lex::cut;
use super::mend;
use super::program::Manner;
use super::scope::LOOPS;
use super::tree::{
    Asked, Base, Chain, Command, Comparison, Each, FilterCall, Join, NameId, Operand, Path, Step, Term, Terms,
};
use crate::diagnostic::{Code, FileId, Place, did_you_mean};
use crate::value::Guess;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Brackets within brackets.
const DEPTH: usize = 32;

/// Names of one program, numbered as they are met.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: HashMap<Arc<str>, NameId>,
    list: Vec<Arc<str>>,
}

impl Names {
    pub(super) fn id(&mut self, name: &str) -> NameId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = NameId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let shared: Arc<str> = name.into();
        self.list.push(Arc::clone(&shared));
        self.ids.insert(shared, id);
        id
    }

    pub(super) fn find(&self, name: &str) -> Option<NameId> {
        self.ids.get(name).copied()
    }

    pub(super) fn all(&self) -> &[Arc<str>] {
        &self.list
    }
}

/// Why an expression is refused.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) code: &'static Code,
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

pub(super) type Parsed<T> = Result<T, Box<Trouble>>;

impl Trouble {
    /// With what to write instead: `range` of `text` was to be read, in the tag `tag` (`""` for an output).
    pub(super) fn mend(mut self, text: &str, range: Range<usize>, tag: &str) -> Self {
        if self.help.is_none() && self.code.name == super::code::BAD_EXPRESSION.name {
            let (before, rest) = (cut(text, range.start..self.at.start), cut(text, self.at.start..range.end));
            self.help = mend::expression(before.trim(), rest).or_else(|| mend::form(tag).map(str::to_owned));
        }
        self
    }
}

/// What cannot be read at `at`, and why.
pub(super) fn trouble<T>(at: Range<usize>, message: impl Into<String>) -> Parsed<T> {
    mended(at, message, None)
}

/// The same, with what to write instead.
pub(super) fn mended<T>(at: Range<usize>, message: impl Into<String>, help: Option<String>) -> Parsed<T> {
    Err(Box::new(Trouble { code: &super::code::BAD_EXPRESSION, at, message: message.into(), help }))
}

/// An operand on its own.
pub(super) fn operand(reader: &mut Reader<'_, '_>) -> Parsed<Operand> {
    reader.operand()
}

/// A value and its filters.
pub(super) fn chain(reader: &mut Reader<'_, '_>) -> Parsed<Chain> {
    reader.chain()
}

/// A condition.
pub(super) fn terms(reader: &mut Reader<'_, '_>) -> Parsed<Terms> {
    reader.terms()
}

/// Reads expressions from a range of a file.
pub(super) struct Reader<'s, 'n> {
    text: &'s str,
    at: usize,
    end: usize,
    pub(super) names: &'n mut Names,
    file: FileId,
    /// Added to offsets in places: a condition in a TOML string stands somewhere in its file.
    shift: usize,
    manner: Manner,
    depth: usize,
}

impl<'s, 'n> Reader<'s, 'n> {
    pub(super) fn new(
        text: &'s str,
        range: Range<usize>,
        names: &'n mut Names,
        file: FileId,
        shift: usize,
        manner: Manner,
    ) -> Self {
        Self { text, at: range.start, end: range.end.min(text.len()), names, file, shift, manner, depth: 0 }
    }

    fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.file, range.start + self.shift..range.end + self.shift)
    }

    /// Whether only what Liquid refuses is refused.
    pub(super) fn is_trial(&self) -> bool {
        self.manner == Manner::Trial
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text read since `start`.
    pub(super) fn since(&self, start: usize) -> &'s str {
        cut(self.text, start..self.at).trim_end()
    }

    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.end { self.text.as_bytes().get(at).copied() } else { None }
    }

    pub(super) fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0x0b) {
            self.at += 1;
        }
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.space();
        self.at >= self.end
    }

    /// Nothing may follow.
    pub(super) fn finish(&mut self) -> Parsed<()> {
        if self.at_end() {
            return Ok(());
        }
        let rest = cut(self.text, self.at..self.end).trim_end();
        trouble(self.at..self.at + rest.len(), format!("`{rest}` is not expected here"))
    }

    /// Takes `token` if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = cut(self.text, self.at..self.end).starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes `word` if it comes next and ends there.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.space();
        let length = self.word_length();
        let found = cut(self.text, self.at..self.at + length) == word;
        if found {
            self.at += length;
        }
        found
    }

    fn word_length(&self) -> usize {
        let bytes = cut(self.text, self.at..self.end).as_bytes();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80;
        let mut length = bytes.iter().position(|&byte| !is_part(byte)).unwrap_or(bytes.len());
        if bytes.first() == Some(&b'-') {
            length = 0;
        }
        if length > 0 && bytes.get(length) == Some(&b'?') {
            length += 1;
        }
        length
    }

    /// A word as it stands: a name, a key, a parameter.
    pub(super) fn word(&mut self, what: &str) -> Parsed<(&'s str, Range<usize>)> {
        self.space();
        let length = self.word_length();
        let range = self.at..self.at + length;
        if length == 0 {
            let next = cut(self.text, self.at..self.end).chars().next();
            let end = self.at + next.map_or(0, char::len_utf8);
            let found = next.map_or_else(|| "the end".to_owned(), |next| format!("`{next}`"));
            return trouble(self.at..end, format!("{what} is expected here, not {found}"));
        }
        self.at = range.end;
        Ok((cut(self.text, range.clone()), range))
    }

    /// Whether a word followed by a colon comes next: a named parameter.
    pub(super) fn parameter_comes(&mut self) -> bool {
        self.space();
        let length = self.word_length();
        let rest = cut(self.text, self.at + length..self.end).trim_start();
        length > 0 && rest.starts_with(':')
    }

    /// A quoted string, if one comes next.
    pub(super) fn string(&mut self) -> Parsed<Option<&'s str>> {
        self.space();
        let Some(quote @ (b'"' | b'\'')) = self.peek() else { return Ok(None) };
        let start = self.at + 1;
        let content = cut(self.text, start..self.end);
        let Some(length) = memchr::memchr(quote, content.as_bytes()) else {
            let help = format!("close it with `{}`", char::from(quote));
            return mended(self.at..self.at + 1, "this string does not end", Some(help));
        };
        self.at = start + length + 1;
        Ok(Some(cut(content, 0..length)))
    }

    /// A value: a literal, a range or a path.
    pub(super) fn operand(&mut self) -> Parsed<Operand> {
        self.space();
        if self.depth >= DEPTH {
            return Err(Box::new(Trouble {
                code: &super::code::TOO_DEEP,
                at: self.at..self.at + 1,
                message: format!("more than {DEPTH} brackets inside each other"),
                help: None,
            }));
        }
        self.depth += 1;
        let operand = self.operand_within();
        self.depth -= 1;
        operand
    }

    fn operand_within(&mut self) -> Parsed<Operand> {
        if let Some(text) = self.string()? {
            return Ok(Operand::text(text));
        }
        match self.peek() {
            Some(b'(') => self.range(),
            Some(b'[') => self.path(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let start = self.at;
                let (word, range) = self.word("a value")?;
                let literal = match word {
                    "nil" | "null" => Operand::Nil,
                    "true" => Operand::Bool(true),
                    "false" => Operand::Bool(false),
                    "empty" => Operand::Empty,
                    "blank" => Operand::Blank,
                    _ => {
                        self.at = start;
                        return self.path();
                    }
                };
                if matches!(self.peek(), Some(b'.' | b'[')) && self.peek_at(1) != Some(b'.') {
                    if self.manner == Manner::Trial {
                        // Liquid takes the word for a name then.
                        self.at = start;
                        return self.path();
                    }
                    return trouble(range, format!("`{word}` is a value of its own and has no parts"));
                }
                Ok(literal)
            }
        }
    }

    fn number(&mut self) -> Parsed<Operand> {
        let start = self.at;
        let digits = |from: usize| cut(self.text, from..self.end).bytes().take_while(u8::is_ascii_digit).count();
        let sign = usize::from(self.peek() == Some(b'-'));
        let whole = digits(start + sign);
        if whole == 0 {
            return trouble(start..start + 1, "`-` does not begin a name or a number");
        }
        let mut end = start + sign + whole;
        let fraction = if self.text.as_bytes().get(end) == Some(&b'.') { digits(end + 1) } else { 0 };
        if fraction > 0 {
            end += 1 + fraction;
        } else if sign == 0 && self.at + self.word_length() > end {
            // `2fa` is a name.
            return self.path();
        }
        self.at = end;
        let text = cut(self.text, start..end);
        if fraction > 0 {
            return Ok(Operand::Float(text.parse().unwrap_or(0.0)));
        }
        // An integer beyond those of the machine keeps its digits, which filters read as the number.
        Ok(text.parse().map_or_else(|_| Operand::text(text), Operand::Int))
    }

    fn range(&mut self) -> Parsed<Operand> {
        let start = self.at;
        self.at += 1;
        let from = self.operand()?;
        if !self.take("..") {
            let help = "conditions are read from right to left; set a variable, or put one `if` into another";
            return mended(start..self.at, "brackets make ranges only, as in `(1..5)`", Some(help.to_owned()));
        }
        let to = self.operand()?;
        if !self.take(")") {
            let help = "a range is two integers: `(1..5)`".to_owned();
            return mended(start..self.at, "this range is not closed by `)`", Some(help));
        }
        Ok(Operand::Range(Box::new((from, to))))
    }

    fn path(&mut self) -> Parsed<Operand> {
        let start = self.at;
        let base = if self.take("[") {
            let operand = self.bracketed(start)?;
            if let Operand::Text(name) = &operand { Base::Name(self.names.id(name)) } else { Base::Computed(operand) }
        } else {
            let (word, _) = self.word("a value")?;
            Base::Name(self.names.id(word))
        };
        let mut steps = Vec::new();
        loop {
            let before = self.at;
            self.space();
            match self.peek() {
                Some(b'.') if self.peek_at(1) != Some(b'.') => {
                    self.at += 1;
                    let (word, range) = self.word("a key")?;
                    if word.bytes().all(|byte| byte.is_ascii_digit()) {
                        return trouble(range, format!("write `[{word}]` for the item at {word}"));
                    }
                    let command = match word {
                        "size" => Some(Command::Size),
                        "first" => Some(Command::First),
                        "last" => Some(Command::Last),
                        _ => None,
                    };
                    steps.push(Step::Key { key: word.into(), command, guess: Guess::default() });
                }
                Some(b'[') => {
                    self.at += 1;
                    let operand = self.bracketed(before)?;
                    steps.push(if let Operand::Text(key) = &operand {
                        Step::Key { key: Arc::from(&**key), command: None, guess: Guess::default() }
                    } else if let Operand::Int(index) = operand {
                        Step::Index(index)
                    } else {
                        Step::Computed(operand)
                    });
                    if self.word_length() > 0 {
                        return trouble(self.at..self.at + self.word_length(), "a `.` is missing before this key");
                    }
                }
                _ => {
                    self.at = before;
                    break;
                }
            }
        }
        if self.manner == Manner::Site {
            Self::loop_fields(cut(self.text, start..self.at), start, &steps)?;
        }
        Ok(Operand::Path(Box::new(Path { base, steps, place: self.place(start..self.at) })))
    }

    /// What a loop knows of itself is a closed shape.
    fn loop_fields(written: &str, start: usize, steps: &[Step]) -> Parsed<()> {
        let Some((name, known)) = LOOPS.iter().find(|(name, _)| {
            written.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '[']) || rest.trim().is_empty())
        }) else {
            return Ok(());
        };
        let key = steps.iter().find_map(|step| match step {
            Step::Key { key, .. } if &**key == "parentloop" && *name == "forloop" => None,
            Step::Key { key, .. } => Some(&**key),
            Step::Index(_) | Step::Computed(_) => None,
        });
        let Some(key) = key.filter(|key| !known.contains(key)) else { return Ok(()) };
        let at = written.find(key).map_or(start..start + written.len(), |at| start + at..start + at + key.len());
        Err(Box::new(Trouble {
            code: &super::code::UNKNOWN_LOOP_FIELD,
            at,
            message: format!("`{name}` has no `{key}`"),
            help: mend::loop_field(key, known),
        }))
    }

    fn bracketed(&mut self, start: usize) -> Parsed<Operand> {
        let operand = self.operand()?;
        if self.take("]") { Ok(operand) } else { trouble(start..self.at, "`[` is not closed by `]`") }
    }

    /// A value and its filters.
    pub(super) fn chain(&mut self) -> Parsed<Chain> {
        let value = self.operand()?;
        let mut filters = Vec::new();
        while self.take("|") {
            filters.push(self.filter_call()?);
        }
        Ok(Chain { value, filters })
    }

    fn filter_call(&mut self) -> Parsed<FilterCall> {
        let (name, range) = self.word("a filter")?;
        let Some(filter) = filter::find(name).or_else(|| (self.manner == Manner::Trial).then_some(&filter::UNKNOWN))
        else {
            return Err(Box::new(Trouble {
                code: &super::code::UNKNOWN_FILTER,
                at: range,
                message: format!("there is no filter `{name}`"),
                help: mend::filter(name),
            }));
        };
        if let Some(asked) = filter.each {
            let each = Some(Box::new(self.each(filter, asked, &range)?));
            return Ok(FilterCall { filter, arguments: Vec::new(), named: Vec::new(), each, place: self.place(range) });
        }
        let (mut arguments, mut named, mut has_named) = (Vec::new(), Vec::new(), false);
        if self.take(":") {
            loop {
                if self.parameter_comes() {
                    let (key, key_range) = self.word("an argument")?;
                    self.take(":");
                    let position = filter.named.iter().position(|known| *known == key);
                    if position.is_none() && self.manner == Manner::Site {
                        let message = format!("the filter `{name}` has no argument `{key}`");
                        return self.argument_trouble(key_range, message, filter.named);
                    }
                    let value = self.operand()?;
                    named.extend(position.and_then(|at| u8::try_from(at).ok()).map(|at| (at, value)));
                    has_named = true;
                } else {
                    arguments.push(self.operand()?);
                }
                if !self.take(",") {
                    break;
                }
            }
        }
        let given = arguments.len();
        if self.manner == Manner::Trial {
            // To Liquid all named arguments together are one more, and it counts them when it comes to it.
            let most = filter.most.saturating_add(usize::from(!filter.named.is_empty()));
            let fits = (filter.least..=most).contains(&(given + usize::from(has_named)));
            let filter = if fits { filter } else { &filter::MISCALLED };
            return Ok(FilterCall { filter, arguments, named, each: None, place: self.place(range) });
        }
        if given < filter.least || given > filter.most {
            let message = format!("the filter `{name}` takes {}, not {given}", filter.arity());
            let call = range.start..range.start + self.since(range.start).len();
            return self.argument_trouble(call, message, &[]);
        }
        Ok(FilterCall { filter, arguments, named, each: None, place: self.place(range) })
    }

    /// `: "item", "item.price > 10"`.
    fn each(&mut self, filter: &Filter, asked: filter::Each, call: &Range<usize>) -> Parsed<Each> {
        let written = |reader: &mut Self| -> Parsed<Range<usize>> {
            reader.space();
            let start = reader.at;
            if let Some(text) = reader.string()? {
                let end = reader.at - 1;
                return Ok(end - text.len()..end);
            }
            let next = cut(reader.text, start..reader.end).chars().next();
            let at = next.map_or_else(|| call.clone(), |next| start..start + next.len_utf8());
            let what = if asked == filter::Each::Condition { "a condition" } else { "an expression" };
            let message = format!(
                "the filter `{}` takes the name of an item and {what}, both written as strings: what a layout reads is known before it is rendered",
                filter.name
            );
            reader.argument_trouble(at, message, &[])
        };
        self.take(":");
        let name = written(self)?;
        self.take(",");
        let expression = written(self)?;
        let mut within = self.within(name)?;
        let (variable, _) = within.word("the name of an item")?;
        within.finish()?;
        let variable = self.names.id(variable);
        let mut within = self.within(expression)?;
        let asked = match asked {
            filter::Each::Condition => Asked::Condition(within.terms()?),
            filter::Each::Value => Asked::Value(within.chain()?),
        };
        within.finish()?;
        Ok(Each { variable, asked })
    }

    /// A reader of a part of this text, one level deeper.
    fn within(&mut self, range: Range<usize>) -> Parsed<Reader<'s, '_>> {
        if self.depth >= DEPTH {
            return trouble(range, format!("more than {DEPTH} expressions inside each other"));
        }
        let Self { text, file, shift, manner, depth, .. } = *self;
        let names = &mut *self.names;
        Ok(Reader { text, at: range.start, end: range.end, names, file, shift, manner, depth: depth + 1 })
    }

    fn argument_trouble<T>(&self, at: Range<usize>, message: String, known: &[&'static str]) -> Parsed<T> {
        let name = cut(self.text, at.clone());
        let help = did_you_mean(name, known.iter().copied());
        Err(Box::new(Trouble { code: &super::code::FILTER_ARGUMENTS, at, message, help }))
    }

    /// `a == b and c or d`.
    pub(super) fn terms(&mut self) -> Parsed<Terms> {
        let mut terms = Vec::new();
        loop {
            let term = self.term()?;
            let join = if self.take_word("and") {
                Some(Join::And)
            } else if self.take_word("or") {
                Some(Join::Or)
            } else {
                None
            };
            let more = join.is_some();
            terms.push((term, join));
            if !more {
                return Ok(Terms(terms));
            }
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        self.space();
        let start = self.at;
        let left = self.operand()?;
        let right = match self.comparison() {
            Some(comparison) => Some((comparison, self.operand()?)),
            None => None,
        };
        Ok(Term { left, right, place: self.place(start..self.at) })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        for (token, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.take(token) {
                return Some(comparison);
            }
        }
        self.take_word("contains").then_some(Comparison::Contains)
    }
}
