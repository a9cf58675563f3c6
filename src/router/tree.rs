//! All routes of a site, found by path.
//!
//! A path without parameters is one look-up in a map. The patterns with parameters form a tree, one level for each segment,
//! compared from the left: literal, value of an `enum`, parameter between literal edges, plain parameter, rest. The search
//! visits a node at most once, so going back is bounded by the patterns that agree with the path so far.
//!
//! Two patterns that could claim one URL with equal right do not get in: see [`Conflict`].

use super::input::InputType;
use super::path::{Canonical, Path, PathError, TrailingSlash, canonicalise, decode, encode_segment};
use super::pattern::{Edged, MOST_PARAMETERS, Pattern, Segment};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, hash_map};

/// Routes by path.
#[derive(Debug, Clone)]
pub struct Router<T> {
    slash: TrailingSlash,
    entries: Vec<Entry<T>>,
    /// The URLs without parameters: canonical path without trailing slash, index of entry.
    literal: HashMap<Box<str>, usize>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    pattern: Pattern,
    route: T,
}

/// One level of the tree; numbers are indices of other nodes, or of entries for `here` and `rest`.
#[derive(Debug, Clone, Default)]
struct Node {
    literals: HashMap<Box<str>, usize>,
    choices: BTreeMap<Box<str>, usize>,
    /// The most specific first.
    edged: Vec<(Edged, usize)>,
    parameter: Option<usize>,
    rest: Option<usize>,
    here: Option<usize>,
}

/// Another route claims some of the same URLs with equal right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<T> {
    /// That route.
    pub other: T,
    /// Its pattern.
    pub pattern: String,
}

/// Where a request target leads.
#[derive(Debug, Clone)]
pub enum Routing<'r, 't, T> {
    /// To a route.
    Matched(Match<'r, 't, T>),
    /// To a route, by another spelling of its URL: 308.
    Redirect {
        /// The canonical path, and the query byte for byte.
        location: String,
        /// The route it leads to.
        route: &'r T,
    },
    /// Nowhere: 404.
    NotFound,
    /// It is `*`: the server as a whole, which only `OPTIONS` may ask for (RFC 9110, section 9.3.7).
    Server,
    /// It is no target: 400.
    BadTarget,
}

/// A route and what its parameters stand for.
#[derive(Debug, Clone)]
pub struct Match<'r, 't, T> {
    /// The route.
    pub route: &'r T,
    /// What its parameters stand for.
    pub params: Params<'r, 't>,
    /// The canonical path.
    pub path: Path<'t>,
    /// What stands behind the `?`, undecoded.
    pub query: Option<&'t str>,
}

/// What the parameters of a route stand for; every value fits its type.
#[derive(Debug, Clone, Copy)]
pub struct Params<'r, 't> {
    pattern: &'r Pattern,
    encoded: [&'t str; MOST_PARAMETERS],
}

impl<'r, 't> Params<'r, 't> {
    /// The text that the parameter `name` stands for, decoded.
    pub fn get(&self, name: &str) -> Option<Cow<'t, str>> {
        self.iter().find(|(other, ..)| *other == name).map(|(_, text, _)| text)
    }

    /// The value of the parameter `name`, as its type reads it.
    pub fn value(&self, name: &str) -> Option<Value> {
        let (_, text, kind) = self.iter().find(|(other, ..)| *other == name)?;
        kind.check(&text)
    }

    /// Names, decoded texts and types, from left to right.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, Cow<'t, str>, &'r InputType)> + use<'r, 't> {
        let encoded = self.encoded;
        let parameters = self.pattern.parameters().iter().zip(encoded);
        parameters.map(|(parameter, encoded)| (&*parameter.name, decode(encoded), &parameter.kind))
    }

    /// The pattern that matched.
    pub fn pattern(&self) -> &'r Pattern {
        self.pattern
    }

    /// Whether every value fits its type, and the rest can be told from other rests once decoded.
    fn fit(&self) -> bool {
        let rest = self.pattern.rest_name();
        self.iter().zip(self.encoded).all(|((name, text, kind), encoded)| {
            let ambiguous = rest == Some(name) && encoded.contains("%2F");
            !ambiguous && (kind.fits(&text) || (text.is_empty() && rest == Some(name)))
        })
    }
}

impl<T> Router<T> {
    /// A router without routes.
    pub fn new(slash: TrailingSlash) -> Self {
        Self { slash, entries: Vec::new(), literal: HashMap::new(), nodes: vec![Node::default()] }
    }

    /// Where `target` leads: the path and query of a request target, as received.
    pub fn route<'t>(&self, target: &'t str) -> Routing<'_, 't, T> {
        if target == "*" {
            return Routing::Server;
        }
        let (path, query) = split_target(target);
        if query.is_some_and(|query| query.bytes().any(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7F))) {
            return Routing::BadTarget;
        }
        match canonicalise(path, self.slash) {
            Ok(Canonical::Already(path)) => match self.find(path) {
                Some((route, params)) => Routing::Matched(Match { route, params, path, query }),
                None => Routing::NotFound,
            },
            Ok(Canonical::Other(path)) => match self.find(path.as_path()) {
                Some((route, _)) => Routing::Redirect { location: location(path.as_path(), query), route },
                None => Routing::NotFound,
            },
            Err(PathError::Nameless) => Routing::NotFound,
            Err(PathError::Malformed) => Routing::BadTarget,
        }
    }

    /// The route of a canonical path, and its parameters.
    pub fn find<'t>(&self, path: Path<'t>) -> Option<(&T, Params<'_, 't>)> {
        let literal = self.literal.get(path.without_trailing_slash()).copied();
        let index = literal.or_else(|| self.descend(0, path.segments()))?;
        let entry = self.entries.get(index)?;
        let params = Params { pattern: &entry.pattern, encoded: entry.pattern.captures(path)? };
        params.fit().then_some((&entry.route, params))
    }

    /// The entry of the most specific pattern below `node` that matches the segments that are left.
    fn descend<'t>(&self, node: usize, segments: impl Iterator<Item = &'t str> + Clone) -> Option<usize> {
        let node = self.nodes.get(node)?;
        let mut left = segments;
        let Some(segment) = left.next() else { return node.here.or(node.rest) };
        let below = |child: usize| self.descend(child, left.clone());
        let literal = node.literals.get(segment).copied().and_then(below);
        let choice = || node.choices.get(segment).copied().and_then(below);
        let edged = || {
            let mut matching = node.edged.iter().filter(|(edged, _)| edged.split(segment, &mut |_| true));
            matching.find_map(|(_, child)| below(*child))
        };
        literal.or_else(choice).or_else(edged).or_else(|| node.parameter.and_then(below)).or(node.rest)
    }
}

/// Path and query. The empty path that absolute-form may have is that of the root (RFC 9110, section 4.2.3).
fn split_target(target: &str) -> (&str, Option<&str>) {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    (if path.is_empty() { Path::ROOT.as_str() } else { path }, query)
}

fn location(path: Path<'_>, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{}?{query}", path.as_str()),
        None => path.as_str().to_owned(),
    }
}

impl<T: Clone> Router<T> {
    /// Adds a route for all URLs that `pattern` matches.
    pub fn insert(&mut self, pattern: Pattern, route: T) -> Result<(), Conflict<T>> {
        let addresses = addresses(&pattern, None);
        self.add(pattern, addresses, route)
    }

    /// Adds a route that answers only the URLs where the rest of `pattern` is one of `held`: a tree of files. They count as
    /// the literal URLs that they are. A pattern without `{*rest}` answers all its URLs.
    ///
    /// Each of `held` is decoded, without a slash in front; the empty string is the URL of the tree itself.
    pub fn insert_held<'h>(
        &mut self,
        pattern: Pattern,
        held: impl IntoIterator<Item = &'h str>,
        route: T,
    ) -> Result<(), Conflict<T>> {
        let addresses = held.into_iter().flat_map(|rest| addresses(&pattern, Some(rest))).collect();
        self.add(pattern, addresses, route)
    }

    fn add(&mut self, pattern: Pattern, addresses: Vec<Vec<Step>>, route: T) -> Result<(), Conflict<T>> {
        let index = self.entries.len();
        self.entries.push(Entry { pattern, route });
        for address in addresses {
            if let Some(other) = self.place(&address, index).and_then(|other| self.entries.get(other)) {
                return Err(Conflict { other: other.route.clone(), pattern: other.pattern.as_str().to_owned() });
            }
        }
        Ok(())
    }

    /// Enters `index` at `address`, unless another entry claims some URL of it: then that one is returned.
    fn place(&mut self, address: &[Step], index: usize) -> Option<usize> {
        if let Some(path) = literal_path(address) {
            return match self.literal.entry(path.into()) {
                hash_map::Entry::Occupied(other) => Some(*other.get()),
                hash_map::Entry::Vacant(free) => {
                    free.insert(index);
                    None
                }
            };
        }
        let tied = self.tied(0, address);
        if tied.is_none() {
            self.grow(address, index);
        }
        tied
    }

    /// Makes the nodes of `address`, and enters `index` at its end.
    fn grow(&mut self, address: &[Step], index: usize) {
        let mut at = 0;
        for step in address {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = match step {
                Step::Literal(literal) => *node.literals.entry(literal.clone()).or_insert(fresh),
                Step::Choice(choice) => *node.choices.entry(choice.clone()).or_insert(fresh),
                Step::Edged(edged) => node.edged_child(edged, fresh),
                Step::Parameter => *node.parameter.get_or_insert(fresh),
                Step::Rest => {
                    node.rest = Some(index);
                    return;
                }
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.here = Some(index);
        }
    }

    /// An entry below `node` that claims some URL of `address` with equal right.
    fn tied(&self, node: usize, address: &[Step]) -> Option<usize> {
        let node = self.nodes.get(node)?;
        let Some((step, left)) = address.split_first() else { return node.here };
        match step {
            Step::Literal(literal) => self.tied(*node.literals.get(literal)?, left),
            Step::Choice(choice) => self.tied(*node.choices.get(choice)?, left),
            Step::Edged(edged) => node.edged.iter().find_map(|(other, child)| {
                let ranked = edged.refines(other) || other.refines(edged);
                match edged == other {
                    true => self.tied(*child, left),
                    false if !ranked && edged.meets(other) => self.met(*child, left),
                    false => None,
                }
            }),
            Step::Parameter => self.tied(node.parameter?, left),
            Step::Rest => node.rest,
        }
    }

    /// An entry below `node` that some URL of `address` would lead to, however they rank.
    fn met(&self, node: usize, address: &[Step]) -> Option<usize> {
        let node = self.nodes.get(node)?;
        let Some((step, left)) = address.split_first() else { return node.here.or(node.rest) };
        if *step == Step::Rest {
            let below = || node.children().find_map(|(_, child)| self.met(child, address));
            return node.here.or(node.rest).or_else(below);
        }
        let mut meeting = node.children().filter(|(other, _)| step.meets(other));
        meeting.find_map(|(_, child)| self.met(child, left)).or(node.rest)
    }
}

impl Node {
    /// The child below these edges, which is `fresh` if they are new. Edges stand before those that they refine.
    fn edged_child(&mut self, edged: &Edged, fresh: usize) -> usize {
        if let Some((_, child)) = self.edged.iter().find(|(other, _)| other == edged) {
            return *child;
        }
        let at = self.edged.iter().position(|(other, _)| edged.refines(other)).unwrap_or(self.edged.len());
        self.edged.insert(at, (edged.clone(), fresh));
        fresh
    }

    fn children(&self) -> impl Iterator<Item = (Step, usize)> {
        let literals = self.literals.iter().map(|(literal, child)| (Step::Literal(literal.clone()), *child));
        let choices = self.choices.iter().map(|(choice, child)| (Step::Choice(choice.clone()), *child));
        let edged = self.edged.iter().map(|(edged, child)| (Step::Edged(edged.clone()), *child));
        let parameter = self.parameter.iter().map(|child| (Step::Parameter, *child));
        literals.chain(choices).chain(edged).chain(parameter)
    }
}

/// One level of a route's place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Literal(Box<str>),
    Choice(Box<str>),
    Edged(Edged),
    Parameter,
    Rest,
}

impl Step {
    /// Whether some segment may match both.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(one) | Self::Choice(one), Self::Literal(two) | Self::Choice(two)) => one == two,
            (Self::Literal(text) | Self::Choice(text), Self::Edged(edged))
            | (Self::Edged(edged), Self::Literal(text) | Self::Choice(text)) => edged.split(text, &mut |_| true),
            (Self::Edged(one), Self::Edged(two)) => one.meets(two),
            (Self::Parameter | Self::Rest, _) | (_, Self::Parameter | Self::Rest) => true,
        }
    }
}

/// The places of a pattern in the tree: one for each combination of the values of its `enum` parameters. With `held`, its
/// rest is the literal path that this is.
fn addresses(pattern: &Pattern, held: Option<&str>) -> Vec<Vec<Step>> {
    let mut parameters = pattern.parameters().iter();
    let mut addresses: Vec<Vec<Step>> = vec![Vec::with_capacity(pattern.segments().len())];
    for segment in pattern.segments() {
        let kind = parameters.by_ref().take(segment.parameters()).last().map(|parameter| &parameter.kind);
        let steps = match segment {
            Segment::Literal(literal) => vec![Step::Literal(literal.clone())],
            Segment::Parameter => choices(kind, "", "").unwrap_or_else(|| vec![Step::Parameter]),
            Segment::Edged(edged) if edged.inner.is_empty() => {
                choices(kind, &edged.prefix, &edged.suffix).unwrap_or_else(|| vec![Step::Edged(edged.clone())])
            }
            Segment::Edged(edged) => vec![Step::Edged(edged.clone())],
            Segment::Rest => match held {
                Some(held) => {
                    let steps = held.split('/').filter(|segment| !segment.is_empty());
                    let steps: Vec<_> = steps.map(|segment| Step::Literal(encode_segment(segment).into())).collect();
                    for address in &mut addresses {
                        address.extend_from_slice(&steps);
                    }
                    continue;
                }
                None => vec![Step::Rest],
            },
        };
        addresses = product(&addresses, &steps);
    }
    addresses
}

fn product(addresses: &[Vec<Step>], steps: &[Step]) -> Vec<Vec<Step>> {
    let longer = |address: &Vec<Step>, step: &Step| {
        let mut longer = address.clone();
        longer.push(step.clone());
        longer
    };
    addresses.iter().flat_map(|address| steps.iter().map(move |step| longer(address, step))).collect()
}

/// The segments that a parameter with an `enum` may be.
fn choices(kind: Option<&InputType>, prefix: &str, suffix: &str) -> Option<Vec<Step>> {
    let segment = |choice: &str| Step::Choice(format!("{prefix}{}{suffix}", encode_segment(choice)).into());
    Some(kind?.choices()?.map(segment).collect())
}

/// The path of an address without parameters.
fn literal_path(address: &[Step]) -> Option<String> {
    let mut path = String::new();
    for step in address {
        let Step::Literal(literal) = step else { return None };
        path.push('/');
        path.push_str(literal);
    }
    Some(path)
}
