//! A compiled query: what the grammar of RFC 9535 leaves once names are unescaped and types are checked.

use super::regexp::Pattern;
use crate::value::Value;

/// A query (section 2.1): segments applied one after another to one node.
#[derive(Debug)]
pub(super) struct Query {
    /// Whether it begins at the root (`$`) or at the current node (`@`).
    pub absolute: bool,
    /// What is applied.
    pub segments: Vec<Segment>,
    /// Whether it selects one node at most whatever the document (section 2.3.5.1).
    pub singular: bool,
}

/// A segment (section 2.5).
#[derive(Debug)]
pub(super) enum Segment {
    /// Applied to the node itself.
    Child(Box<[Pick]>),
    /// Applied to the node and to everything below it.
    Descendant(Box<[Pick]>),
}

/// A selector in the RFC's narrow sense (section 2.3): what one pair of brackets lists.
#[derive(Debug)]
pub(super) enum Pick {
    /// The member of that name.
    Name(Box<str>),
    /// Every member or element.
    Wildcard,
    /// The element there; a negative index counts from the end.
    Index(i64),
    /// Elements from, to and by (section 2.3.4).
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    /// The members or elements for which the expression holds.
    Filter(Box<Logical>),
}

/// A logical expression (section 2.3.5.1).
#[derive(Debug)]
pub(super) enum Logical {
    /// Any holds.
    Or(Vec<Self>),
    /// All hold.
    And(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The query selects something.
    Exists(Query),
    /// The comparison holds.
    Compare(Operand, Comparison, Operand),
    /// `match` or `search` holds (sections 2.4.6 and 2.4.7).
    Matches(Operand, Pattern),
}

/// How two values are compared (section 2.3.5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What gives a value, or nothing (`ValueType`, section 2.4.1).
#[derive(Debug)]
pub(super) enum Operand {
    /// Written in the query.
    Literal(Value),
    /// The node of a singular query.
    Node(Query),
    /// `length` (section 2.4.4).
    Length(Box<Self>),
    /// `count` (section 2.4.5).
    Count(Query),
    /// `value` (section 2.4.8).
    Only(Query),
}
