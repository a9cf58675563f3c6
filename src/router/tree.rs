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
use super::version::Version;
use crate::value::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Routes by path.
#[derive(Debug, Clone)]
pub struct Router<T> {
    slash: TrailingSlash,
    entries: Vec<Entry<T>>,
    /// The URLs without parameters: canonical path without trailing slash, index of entry.
    literal: HashMap<Box<str>, usize>,
    nodes: Vec<Node>,
    /// Whether any entry has.
    has_versions: bool,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    pattern: Pattern,
    route: T,
    /// Whether the URLs that it holds are also those of versions of them.
    has_versions: bool,
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

/// Another route claims some of the same URLs with equal right, so the new one is not added. A tree that
/// holds one URL twice is in conflict with itself, and keeps the first.
///
/// Equal right: at every segment both are literal, or the same `enum` value, or plain parameters, or have literal edges of
/// which neither says more. `img-{a}` and `{b}.png` are such edges, as `img-1.png` is both: two patterns that hold them at
/// the same place and could match one URL are a conflict, whatever follows.
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
    /// To a route that claims the path but not these values of its parameters: its 404.
    Misfit(&'r T),
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

    /// What stands for the parameter `name` in the path, octet by octet.
    pub fn encoded(&self, name: &str) -> Option<&'t str> {
        let mut parameters = self.pattern.parameters().iter().zip(self.encoded);
        parameters.find(|(parameter, _)| *parameter.name == *name).map(|(_, encoded)| encoded)
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
        // Of most there is nothing to decode, and they may be anything.
        let is_plain = |encoded: &str| !encoded.is_empty() && memchr::memchr(b'%', encoded.as_bytes()).is_none();
        let mut parameters = self.pattern.parameters().iter().zip(&self.encoded);
        parameters.all(|(parameter, encoded)| parameter.kind.takes_any() && is_plain(encoded))
            || self.misfits().next().is_none()
    }

    /// Whether every value fits its type; what is never decoded cannot be taken for another.
    fn fit_as_sent(&self) -> bool {
        self.iter().all(|(name, text, kind)| Self::fits(self.pattern.rest_name() == Some(name), &text, kind))
    }

    /// Whether this is a value of that type: a rest may be empty.
    fn fits(is_rest: bool, text: &str, kind: &InputType) -> bool {
        kind.fits(text) || (text.is_empty() && is_rest)
    }

    /// Those whose values do not: name, decoded text, type.
    fn misfits(&self) -> impl Iterator<Item = (&'r str, Cow<'t, str>, &'r InputType)> + use<'r, 't> {
        let rest = self.pattern.rest_name();
        let misfit = move |((name, text, kind), encoded): &((&str, Cow<'_, str>, &InputType), &str)| {
            let is_rest = rest == Some(name);
            (is_rest && encoded.contains("%2F")) || !Self::fits(is_rest, text, kind)
        };
        self.iter().zip(self.encoded).filter(misfit).map(|(parameter, _)| parameter)
    }
}

impl<T> Router<T> {
    /// Whether URLs end in a slash.
    pub fn slash(&self) -> TrailingSlash {
        self.slash
    }

    /// A router without routes.
    pub fn new(slash: TrailingSlash) -> Self {
        Self { slash, entries: Vec::new(), literal: HashMap::new(), nodes: vec![Node::default()], has_versions: false }
    }

    /// All patterns with their routes, in the order in which they were added.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.entries.iter().map(|entry| (&entry.pattern, &entry.route))
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
            Ok(Canonical::Already(path)) => match self.claim(path, Params::fit) {
                Some((route, Some(params))) => Routing::Matched(Match { route, params, path, query }),
                Some((route, None)) => Routing::Misfit(route),
                None => Routing::NotFound,
            },
            Ok(Canonical::Other(path)) => match self.claim(path.as_path(), Params::fit) {
                Some((route, Some(_))) => Routing::Redirect { location: location(path.as_path(), query), route },
                Some((route, None)) => Routing::Misfit(route),
                None => Routing::NotFound,
            },
            Err(PathError::Nameless) => Routing::NotFound,
            Err(PathError::Malformed) => Routing::BadTarget,
        }
    }

    /// The route that `target` leads to if its path is read as it was sent: compared octet by octet, nothing decoded, nothing resolved. For routes
    /// that pass it on to somebody who reads it in another way than we do.
    pub fn route_as_sent<'t>(&self, target: &'t str) -> Option<Match<'_, 't, T>> {
        let (path, query) = split_target(target);
        let path = Path::as_sent(path).filter(|_| !query.is_some_and(|query| query.contains('#')))?;
        let (route, params) = self.claim(path, Params::fit_as_sent)?;
        Some(Match { route, params: params?, path, query })
    }

    /// The route of a canonical path, and its parameters.
    pub fn find<'t>(&self, path: Path<'t>) -> Option<(&T, Params<'_, 't>)> {
        let (route, params) = self.claim(path, Params::fit)?;
        Some((route, params?))
    }

    /// The route that claims a path, and its parameters if they `fit`.
    fn claim<'r, 't>(
        &'r self,
        path: Path<'t>,
        fit: impl FnOnce(&Params<'r, 't>) -> bool,
    ) -> Option<(&'r T, Option<Params<'r, 't>>)> {
        let literal = self.literal.get(path.without_trailing_slash()).copied();
        let index = literal.or_else(|| self.descend(0, path.segments())).or_else(|| self.version(path))?;
        let entry = self.entries.get(index)?;
        if entry.pattern.parameters().is_empty() {
            return Some((&entry.route, Some(Params { pattern: &entry.pattern, encoded: [""; MOST_PARAMETERS] })));
        }
        let params = entry.pattern.captures(path).map(|encoded| Params { pattern: &entry.pattern, encoded });
        Some((&entry.route, params.filter(fit)))
    }

    /// The entry that holds the file of which `path` names a version.
    fn version(&self, path: Path<'_>) -> Option<usize> {
        let (plain, _) = self.has_versions.then(|| Version::split(path.as_str()))??;
        let index = self.literal.get(plain.as_str()).copied()?;
        self.entries.get(index)?.has_versions.then_some(index)
    }

    /// Why `target` is a [`Routing::Misfit`]: the parameters whose values do not fit, decoded, and their types.
    pub fn misfits(&self, target: &str) -> Vec<(&str, String, &InputType)> {
        let Ok(canonical) = canonicalise(split_target(target).0, self.slash) else { return Vec::new() };
        let path = canonical.as_path();
        let Some(entry) = self.descend(0, path.segments()).and_then(|index| self.entries.get(index)) else {
            return Vec::new();
        };
        let Some(encoded) = entry.pattern.captures(path) else { return Vec::new() };
        let params = Params { pattern: &entry.pattern, encoded };
        params.misfits().map(|(name, text, kind)| (name, text.into_owned(), kind)).collect()
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
        self.add(pattern, addresses, route).map(|_| ())
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
        self.hold(pattern, held, route).map(|_| ())
    }

    /// The same of files that are published: it also answers the URLs that name a [`Version`] of one of them, whether that is the present one
    /// or not, unless they are those of another route: one that answers everything may know a file of that name.
    pub fn insert_files<'h>(
        &mut self,
        pattern: Pattern,
        held: impl IntoIterator<Item = &'h str>,
        route: T,
    ) -> Result<(), Conflict<T>> {
        let index = self.hold(pattern, held, route)?;
        if let Some(entry) = self.entries.get_mut(index) {
            entry.has_versions = true;
            self.has_versions = true;
        }
        Ok(())
    }

    fn hold<'h>(
        &mut self,
        pattern: Pattern,
        held: impl IntoIterator<Item = &'h str>,
        route: T,
    ) -> Result<usize, Conflict<T>> {
        let addresses = held.into_iter().flat_map(|rest| addresses(&pattern, Some(rest))).collect();
        self.add(pattern, addresses, route)
    }

    fn add(&mut self, pattern: Pattern, addresses: Vec<Vec<Step>>, route: T) -> Result<usize, Conflict<T>> {
        // All are free, or none is taken.
        if let Some(other) = addresses.iter().find_map(|address| self.claimant(address)) {
            return Err(self.conflict(other));
        }
        let index = self.entries.len();
        self.entries.push(Entry { pattern, route, has_versions: false });
        for address in addresses {
            // One of its own, if a tree holds one URL twice.
            if let Some(other) = self.claimant(&address) {
                return Err(self.conflict(other));
            }
            match literal_path(&address) {
                Some(path) => {
                    self.literal.insert(path.into(), index);
                }
                None => self.grow(&address, index),
            }
        }
        Ok(index)
    }

    /// The route that claims some URL of `pattern` with equal right, so that it would not get in.
    pub fn rival(&self, pattern: &Pattern) -> Option<&T> {
        let entry = addresses(pattern, None).iter().find_map(|address| self.claimant(address))?;
        Some(&self.entries[entry].route)
    }

    fn conflict(&self, other: usize) -> Conflict<T> {
        let Entry { pattern, route, .. } = &self.entries[other];
        Conflict { other: route.clone(), pattern: pattern.as_str().to_owned() }
    }

    /// The entry that claims some URL of `address` with equal right.
    fn claimant(&self, address: &[Step]) -> Option<usize> {
        match literal_path(address) {
            Some(path) => self.literal.get(path.as_str()).copied(),
            None => self.tied(0, address),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::{InputDecl, Kind};

    fn pattern(text: &str, types: &[(&str, InputDecl)]) -> Pattern {
        let mut pattern = Pattern::parse(text).unwrap();
        for (name, decl) in types {
            pattern.constrain(name, InputType::compile(decl.clone()).unwrap()).unwrap();
        }
        pattern
    }

    fn router(patterns: &[&'static str]) -> Router<&'static str> {
        let mut router = Router::new(TrailingSlash::Never);
        for text in patterns {
            router.insert(pattern(text, &[]), *text).unwrap();
        }
        router
    }

    fn choices(values: &[&str]) -> InputDecl {
        InputDecl { choices: Some(values.iter().map(|value| (*value).to_owned()).collect()), ..InputDecl::default() }
    }

    fn found<'r>(router: &'r Router<&'static str>, target: &str) -> Option<&'r str> {
        match router.route(target) {
            Routing::Matched(found) => Some(found.route),
            Routing::Redirect { .. }
            | Routing::Misfit(_)
            | Routing::NotFound
            | Routing::Server
            | Routing::BadTarget => None,
        }
    }

    #[test]
    fn the_more_literal_pattern_wins_from_the_left() {
        let router = router(&[
            "/",
            "/{*rest}",
            "/{a}/b",
            "/a/{b}",
            "/a/b",
            "/a/{b}.html",
            "/a/{b}.tar.html",
            "/docs/{*page}",
            "/docs/{chapter}/edit",
        ]);
        for (target, expected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/c", "/a/{b}"),
            ("/a/c.html", "/a/{b}.html"),
            ("/a/c.tar.html", "/a/{b}.tar.html"),
            ("/a/.html", "/a/{b}"),
            ("/x/b", "/{a}/b"),
            ("/x/c", "/{*rest}"),
            ("/x", "/{*rest}"),
            ("/a/c/d", "/{*rest}"),
            ("/docs", "/docs/{*page}"),
            ("/docs/b", "/docs/{*page}"),
            ("/docs/b/edit", "/docs/{chapter}/edit"),
            ("/docs/b/edit/c", "/docs/{*page}"),
        ] {
            assert_eq!(found(&router, target), Some(expected), "{target}");
        }
    }

    #[test]
    fn values_of_an_enum_rank_as_the_segments_they_are() {
        let mut router = Router::new(TrailingSlash::Never);
        router.insert(pattern("/{lang}/about", &[("lang", choices(&["de", "fr"]))]), "enum").unwrap();
        router.insert(pattern("/{slug}/{page}", &[]), "plain").unwrap();
        router.insert(pattern("/fr/about", &[]), "literal").unwrap();
        router.insert(pattern("/{lang}.txt", &[("lang", choices(&["de"]))]), "enum file").unwrap();
        router.insert(pattern("/{name}.txt", &[]), "file").unwrap();
        for (target, expected) in [
            ("/de/about", "enum"),
            ("/fr/about", "literal"),
            ("/it/about", "plain"),
            ("/de/other", "plain"),
            ("/de.txt", "enum file"),
            ("/it.txt", "file"),
        ] {
            assert_eq!(found(&router, target), Some(expected), "{target}");
        }
        let overlapping = pattern("/{l}/about", &[("l", choices(&["it", "de"]))]);
        assert_eq!(router.insert(overlapping, "late").unwrap_err().other, "enum");
    }

    #[test]
    fn a_misfit_is_not_found_and_never_the_next_route() {
        let mut router = router(&["/{*rest}"]);
        let int = InputDecl { kind: Kind::Int, ..InputDecl::default() };
        router.insert(pattern("/items/{id}", &[("id", int)]), "item").unwrap();
        assert_eq!(found(&router, "/items/7"), Some("item"));
        for target in ["/items/seven", "/items/07", "/items/99999999999999999999"] {
            assert!(matches!(router.route(target), Routing::Misfit(&"item")), "{target}");
        }
        assert_eq!(found(&router, "/items"), Some("/{*rest}"));
    }

    #[test]
    fn parameters_are_decoded_once() {
        let router = router(&["/p/{a}/{b}.html", "/img-{w}x{h}.png", "/r/{*rest}"]);
        let params = |target: &'static str| match router.route(target) {
            Routing::Matched(found) => found.params.iter().map(|(_, text, _)| text.into_owned()).collect::<Vec<_>>(),
            other @ (Routing::Redirect { .. }
            | Routing::Misfit(_)
            | Routing::NotFound
            | Routing::Server
            | Routing::BadTarget) => {
                panic!("{target}: {other:?}")
            }
        };
        assert_eq!(params("/p/a%2Fb%2525/caf%C3%A9.html"), ["a/b%25", "caf\u{e9}"]);
        assert_eq!(params("/img-10x20x30.png"), ["10", "20x30"]);
        assert_eq!(params("/r/a%20b/c"), ["a b/c"]);
        assert_eq!(params("/r"), [""]);
        // `%2F` in the rest could not be told from a separator.
        assert!(matches!(router.route("/r/a%2Fb"), Routing::Misfit(_)));
    }

    #[test]
    fn literal_edges_never_cut_an_escape() {
        let last = router(&["/{name}2F"]);
        assert_eq!(found(&last, "/x2F"), Some("/{name}2F"));
        assert_eq!(found(&last, "/x%2F"), None);
        let inside = router(&["/{one}2{two}"]);
        assert_eq!(found(&inside, "/x%2F"), None);
        assert_eq!(found(&inside, "/x%2F2y"), Some("/{one}2{two}"));
        let first = router(&["/%2f{name}"]);
        assert_eq!(found(&first, "/%2Fx"), Some("/%2f{name}"));
    }

    #[test]
    fn other_spellings_redirect_and_keep_the_query() {
        let router = router(&["/a/{b}"]);
        for (target, expected) in
            [("/a/b/?x=%2f&y", "/a/b?x=%2f&y"), ("//a/b?", "/a/b?"), ("/a/%62", "/a/b"), ("/a/./c/../b", "/a/b")]
        {
            match router.route(target) {
                Routing::Redirect { location, route } => assert_eq!((&*location, *route), (expected, "/a/{b}")),
                other @ (Routing::Matched(_)
                | Routing::Misfit(_)
                | Routing::NotFound
                | Routing::Server
                | Routing::BadTarget) => {
                    panic!("{target}: {other:?}")
                }
            }
        }
        assert_eq!(found(&router, "/a/b?x=//&%zz"), Some("/a/{b}"));
        assert!(matches!(router.route("/nothing/"), Routing::NotFound));
        assert!(matches!(router.route("/a/%00"), Routing::NotFound));
        assert!(matches!(router.route("/a/%zz"), Routing::BadTarget));
        assert!(matches!(router.route("/a/b?x y"), Routing::BadTarget));
        assert!(matches!(router.route("a/b"), Routing::BadTarget));
        assert!(matches!(router.route("*"), Routing::Server));
    }

    #[test]
    fn the_empty_path_of_absolute_form_is_the_root() {
        let router = router(&["/"]);
        assert_eq!(found(&router, ""), Some("/"));
        assert_eq!(found(&router, "?q=1"), Some("/"));
    }

    #[test]
    fn a_site_may_want_slashes() {
        let mut router = Router::new(TrailingSlash::Always);
        router.insert(pattern("/a/{b}", &[]), "a").unwrap();
        router.insert(pattern("/feed.xml", &[]), "feed").unwrap();
        assert_eq!(found(&router, "/a/b/"), Some("a"));
        assert_eq!(found(&router, "/feed.xml"), Some("feed"));
        assert!(matches!(router.route("/a/b"), Routing::Redirect { location, .. } if location == "/a/b/"));
    }

    #[test]
    fn a_tie_names_the_other_route() {
        for (one, two) in [
            ("/a", "/a"),
            ("/caf\u{e9}", "/caf%c3%a9"),
            ("/{a}", "/{b}"),
            ("/{a}/x/{b}", "/{c}/x/{d}"),
            ("/{*a}", "/{*b}"),
            ("/a/{b}.html", "/a/{c}.html"),
            ("/img-{a}", "/{b}.png"),
            ("/img-{a}/x", "/{b}.png/{*rest}"),
            ("/img-{a}/{c}.y", "/{b}.png/x{d}"),
            ("/{a}x{b}", "/{c}y{d}"),
        ] {
            for (one, two) in [(one, two), (two, one)] {
                let mut router = router(&[one]);
                let conflict = router.insert(pattern(two, &[]), two).unwrap_err();
                assert_eq!((conflict.other, &*conflict.pattern), (one, one), "{two}");
            }
        }
        for (one, two) in [
            ("/a", "/A"),
            ("/{a}.html", "/{b}.json"),
            ("/{a}.gz", "/{b}.tar.gz"),
            ("/a-{x}", "/b-{x}"),
            ("/img-{a}/x", "/{b}.png/y"),
            ("/{a}/x", "/{b}/{c}"),
            ("/docs", "/docs/{*page}"),
            ("/{a}x{b}", "/{a}"),
        ] {
            router(&[one, two]);
            router(&[two, one]);
        }
    }

    #[test]
    fn a_tree_of_files_counts_as_the_urls_it_holds() {
        let mut router = router(&["/{slug}", "/{*rest}"]);
        router.insert_held(pattern("/{*file}", &[]), ["robots.txt", "css/a b.css", ""], "files").unwrap();
        assert_eq!(found(&router, "/robots.txt"), Some("files"));
        assert_eq!(found(&router, "/css/a%20b.css"), Some("files"));
        assert_eq!(found(&router, "/"), Some("files"));
        assert_eq!(found(&router, "/humans.txt"), Some("/{slug}"));
        assert_eq!(found(&router, "/css/b.css"), Some("/{*rest}"));
        match router.route("/css/a%20b.css") {
            Routing::Matched(found) => assert_eq!(found.params.get("file").as_deref(), Some("css/a b.css")),
            Routing::Redirect { .. }
            | Routing::Misfit(_)
            | Routing::NotFound
            | Routing::Server
            | Routing::BadTarget => panic!("not found"),
        }
        assert_eq!(router.insert(pattern("/robots.txt", &[]), "page").unwrap_err().other, "files");
        let twice = router.insert_held(pattern("/docs/{*page}", &[]), ["guide", "guide/"], "docs");
        assert_eq!(twice.unwrap_err().other, "docs");
    }

    #[test]
    fn files_answer_for_their_versions_behind_all_that_is_there() {
        let mut router = Router::new(TrailingSlash::Never);
        let held = ["a b.css", "LICENSE", "a.000000000000.js", "a.js"];
        router.insert_files(pattern("/f/{*file}", &[]), held, "files").unwrap();
        router.insert_held(pattern("/{*page}", &[]), ["guide"], "documents").unwrap();
        router.insert(pattern("/f/a.111111111111.js", &[]), "own").unwrap();
        router.insert(pattern("/f/{rest}", &[]), "rest").unwrap();
        router.insert_files(pattern("/g/{*file}", &[]), held, "others").unwrap();
        for (path, expected, file) in [
            ("/g/a%20b.3f2a9c1b4d5e.css", "others", Some("a b.3f2a9c1b4d5e.css")),
            ("/g/LICENSE.3f2a9c1b4d5e", "others", Some("LICENSE.3f2a9c1b4d5e")),
            ("/f/a.000000000000.js", "files", Some("a.000000000000.js")),
            ("/f/a.111111111111.js", "own", None),
            ("/f/a.3f2a9c1b4d5e.js", "rest", None),
            ("/f/b.3f2a9c1b4d5e.js", "rest", None),
            ("/f/a.3f2a9c1b4d5.js", "rest", None),
        ] {
            let Routing::Matched(found) = router.route(path) else { panic!("{path}") };
            assert_eq!((*found.route, found.params.get("file").as_deref()), (expected, file), "{path}");
        }
        assert!(matches!(router.route("/guide.3f2a9c1b4d5e"), Routing::NotFound), "documents have none");
        assert!(matches!(router.route("/g/%61.3f2a9c1b4d5e.js"), Routing::Redirect { .. }));
    }

    #[test]
    fn a_large_site_is_found_in_full() {
        let mut router = Router::new(TrailingSlash::Never);
        for number in 0..20_000 {
            router.insert(pattern(&format!("/page-{number}"), &[]), number).unwrap();
            router.insert(pattern(&format!("/shop-{number}/{{item}}"), &[]), number).unwrap();
        }
        for number in [0, 7, 19_999] {
            for target in [format!("/page-{number}"), format!("/shop-{number}/x")] {
                assert!(matches!(router.route(&target), Routing::Matched(found) if *found.route == number), "{target}");
            }
        }
        assert!(matches!(router.route("/page-20000"), Routing::NotFound));
    }

    #[test]
    fn values_have_their_types() {
        let mut router = Router::new(TrailingSlash::Never);
        let int = InputDecl { kind: Kind::Int, min: Some(1), ..InputDecl::default() };
        router.insert(pattern("/{name}/{id}", &[("id", int)]), "item").unwrap();
        let Routing::Matched(found) = router.route("/a%20b/7?q=1") else { panic!("not found") };
        assert_eq!(found.params.value("id"), Some(Value::Int(7)));
        assert_eq!(found.params.value("name"), Some(Value::from("a b")));
        assert_eq!(found.params.value("other"), None);
        assert_eq!((found.path.as_str(), found.query), ("/a%20b/7", Some("q=1")));
        assert!(matches!(router.route("/a/0"), Routing::Misfit(_)));
    }
}
