//! The compiled form of a template: what the interpreter walks and what the analysis of reads walks.
//!
//! Names are slots already, filters are functions already; places remain for errors and findings.

use super::context;
use super::escape::{Look, Sink};
use super::filter::Filter;
use crate::diagnostic::Place;
use crate::value::{Guess, Origin, Text};
use std::sync::Arc;

/// A name of one program: the index of its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameId(pub(super) u32);

impl NameId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A sequence of nodes. `blank` blocks print nothing but white space, which control flow then leaves out.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) nodes: Vec<Node>,
    pub(super) blank: bool,
}

#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>, Place),
    /// Before a slash in a URL that must not begin a host.
    Guard(Look),
    Output(Output),
    If(Vec<Branch>),
    Case(Box<Case>),
    For(Box<For>),
    TableRow(Box<TableRow>),
    Break,
    Continue,
    Assign {
        name: NameId,
        value: Chain,
        place: Place,
    },
    /// `escapes` says whether what it prints is escaped as markup.
    Capture {
        name: NameId,
        body: Block,
        escapes: bool,
        place: Place,
    },
    Count {
        name: NameId,
        decrement: bool,
        sink: Sink,
    },
    Cycle(Box<Cycle>),
    Call(Box<Call>),
    Refused(Box<Refused>),
    IfChanged {
        body: Block,
        place: Place,
    },
}

/// `{{ chain }}`, escaped for where it stands.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) chain: Chain,
    pub(super) sink: Sink,
    pub(super) place: Place,
}

/// One branch of `if` or `unless`; no condition means `else`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) condition: Option<Terms>,
    /// `unless` turns its first condition around.
    pub(super) negated: bool,
    pub(super) body: Block,
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) subject: Operand,
    pub(super) arms: Vec<Arm>,
}

/// One `when` with its values, or an `else` without.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) values: Option<Vec<Operand>>,
    pub(super) body: Block,
}

/// What a loop runs over, and which part of it.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) items: Operand,
    pub(super) limit: Option<Operand>,
    pub(super) offset: Option<Offset>,
    pub(super) reversed: bool,
    /// The loops that share a variable and a list share where `offset: continue` goes on.
    pub(super) series: u32,
}

#[derive(Debug)]
pub(super) enum Offset {
    Value(Operand),
    Continue,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) variable: NameId,
    /// `item-list`, as `forloop.name` says it.
    pub(super) name: Box<str>,
    pub(super) over: Over,
    pub(super) body: Block,
    pub(super) otherwise: Option<Block>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct TableRow {
    pub(super) variable: NameId,
    pub(super) over: Over,
    pub(super) columns: Option<Operand>,
    pub(super) body: Block,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Cycle {
    pub(super) group: Group,
    pub(super) values: Vec<Operand>,
    pub(super) sink: Sink,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Group {
    Named(Operand),
    /// Cycles that list the same values share their position.
    Listed(u32),
}

/// `{% render %}` or `{% include %}`.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) target: Target,
    /// `render` sees its parameters and the names of the site only; `include` sees everything.
    pub(super) isolated: bool,
    pub(super) subject: Option<Subject>,
    pub(super) parameters: Vec<(NameId, Operand)>,
    pub(super) place: Place,
}

/// Which partial a call means.
#[derive(Debug)]
pub(super) enum Target {
    Partial(u32),
    /// `{% include name %}`, which only a template that is tried may say.
    Computed {
        name: Operand,
        /// The numbers of those it may be.
        any: Box<[u32]>,
    },
}

/// `with value as name` or `for list as name`.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) value: Operand,
    pub(super) each: bool,
    /// None if it is that of the partial, which is not known yet.
    pub(super) name: Option<NameId>,
}

/// What Liquid refuses when it comes to it, in a template that is tried: a partial that is missing or cannot be read.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) complaint: Box<str>,
    pub(super) place: Place,
}

/// A value and the filters it goes through.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) value: Operand,
    pub(super) filters: Vec<FilterCall>,
}

#[derive(Debug)]
pub(super) struct FilterCall {
    pub(super) filter: &'static Filter,
    pub(super) arguments: Vec<Operand>,
    pub(super) named: Vec<(u8, Operand)>,
    /// What is asked about each item, which stands in the arguments as a string.
    pub(super) each: Option<Box<Each>>,
    pub(super) place: Place,
}

/// `"item", "item.price > 10"`: a name for each item, and an expression.
#[derive(Debug)]
pub(super) struct Each {
    pub(super) variable: NameId,
    pub(super) asked: Asked,
}

#[derive(Debug)]
pub(super) enum Asked {
    Condition(Terms),
    Value(Chain),
}

#[derive(Debug)]
pub(super) enum Operand {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A literal: authored, if it is whole; a piece of a tag is a text like any other.
    Text(Text),
    Empty,
    Blank,
    Range(Box<(Self, Self)>),
    Path(Box<Path>),
}

impl Operand {
    /// What a layout says in quotes.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Text::new(text, if context::is_whole(text) { Origin::Authored } else { Origin::Outside }))
    }

    /// A literal that cannot be markup, because a tag in it begins or ends elsewhere.
    pub(super) fn piece(&self) -> Option<&Text> {
        if let Self::Text(text) = self { Some(text).filter(|text| text.origin() == Origin::Outside) } else { None }
    }
}

/// `name.key[0][other.path]`.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) base: Base,
    pub(super) steps: Vec<Step>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Base {
    Name(NameId),
    /// `[expression]`: the name is a value.
    Computed(Operand),
}

#[derive(Debug)]
pub(super) enum Step {
    Key { key: Arc<str>, command: Option<Command>, guess: Guess },
    Index(i64),
    Computed(Operand),
}

/// Keys that mean something on values that do not have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Size,
    First,
    Last,
}

/// `a and b or c`: right-associative, without parentheses. Each term but the last has the word that joins it to the rest.
#[derive(Debug, Default)]
pub(super) struct Terms(pub(super) Vec<(Term, Option<Join>)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

#[derive(Debug)]
pub(super) struct Term {
    pub(super) left: Operand,
    pub(super) right: Option<(Comparison, Operand)>,
    pub(super) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}
