//! Patterns of URLs: `/repos/{owner}/{name}`, `/img-{width}x{height}.png`, `/docs/{*page}`.
//!
//! A segment is literal, or one parameter, or parameters between literal edges, or, at the end, `{*rest}`. Literal parts
//! are read as URLs are: `/über uns` and `/%C3%BCber%20uns` are one pattern. A parameter is never empty; with several in
//! one segment each takes the least it can, and the last what remains before the edge. `{*rest}` takes any number of
//! segments, also none, so `/docs/{*page}` matches `/docs`.

use super::input::InputType;
use super::path::{
    Canonical, CanonicalPath, Path, PathError, TrailingSlash, canonical_segment, canonicalise, encode_segment,
};
use std::ops::Range;

/// At most so many parameters in one pattern.
pub(super) const MOST_PARAMETERS: usize = 8;
/// At most so many segments in one pattern, which bounds how deep a search goes.
const MOST_SEGMENTS: usize = 64;
/// At most so many combinations of `enum` values in one pattern.
const MOST_COMBINATIONS: usize = 10_000;

/// A declared pattern, with the types of its parameters.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Box<str>,
    segments: Box<[Segment]>,
    parameters: Box<[Parameter]>,
}

/// One parameter of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: Box<str>,
    pub(super) kind: InputType,
}

/// One segment of a pattern. Its literal parts are in canonical form, and compared with canonical segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `about`
    Literal(Box<str>),
    /// `{name}`
    Parameter,
    /// `{slug}.html`
    Edged(Edged),
    /// `{*rest}`
    Rest,
}

impl Segment {
    /// How many parameters it holds.
    pub(super) fn parameters(&self) -> usize {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter | Self::Rest => 1,
            Self::Edged(edged) => edged.inner.len() + 1,
        }
    }
}

/// The literal parts of a segment that holds parameters beside them: one parameter between each two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edged {
    pub(super) prefix: Box<str>,
    pub(super) inner: Box<[Box<str>]>,
    pub(super) suffix: Box<str>,
}

/// Something wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PatternError {
    /// Which bytes of the pattern's text are wrong.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub problem: PatternProblem,
}

/// What can be wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// Two slashes with nothing between them.
    #[error("a path has no empty segments")]
    EmptySegment,
    /// A slash at the end.
    #[error("whether URLs end in a slash is said once, by `site.trailing-slash`: write the path without it")]
    TrailingSlash,
    /// `.` or `..`
    #[error("a path has no `.` and `..` segments")]
    DotSegment,
    /// A `?`.
    #[error("a path has no query: query keys are declared in `[query]`")]
    Query,
    /// A `#`.
    #[error("a path has no fragment: browsers do not send it")]
    Fragment,
    /// A `{` without its `}`.
    #[error("`{{` is not closed in its segment; a brace in a URL is written `%7B`")]
    Unclosed,
    /// A `}` without its `{`.
    #[error("`}}` closes nothing; a brace in a URL is written `%7D`")]
    StrayBrace,
    /// A name that is not `snake_case`.
    #[error("`{0}` is no name for a parameter: names are `snake_case`")]
    Name(String),
    /// A name used twice.
    #[error("`{0}` names two parameters of this path")]
    Duplicate(String),
    /// `{*rest}` before the end.
    #[error("`{{*{0}}}` takes all that is left, so it stands last")]
    RestNotLast(String),
    /// `{*rest}` beside something else in its segment.
    #[error("`{{*{0}}}` stands alone between slashes")]
    RestNotAlone(String),
    /// `{a}{b}`
    #[error("nothing separates this parameter from the one before it")]
    Adjacent,
    /// More parameters than a pattern may have.
    #[error("a path has at most {MOST_PARAMETERS} parameters")]
    ManyParameters,
    /// More segments than a pattern may have.
    #[error("a path has at most {MOST_SEGMENTS} segments")]
    ManySegments,
    /// A `%` that begins no escape.
    #[error("`%` begins an escape of two hexadecimal digits; the character itself is written `%25`")]
    Escape,
    /// What no URL here can hold: control characters, a backslash, escapes that are not UTF-8.
    #[error("control characters, backslashes and escapes that are not UTF-8 match no URL")]
    Character,
}

/// Why a parameter cannot have a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConstrainError {
    /// The pattern has no parameter of this name.
    #[error("the path has no parameter of this name")]
    Unknown,
    /// Each combination of `enum` values is a place of its own in the tree.
    #[error("the `enum` values of this path's parameters have more than {MOST_COMBINATIONS} combinations")]
    ManyCombinations,
}

impl Pattern {
    /// Reads a pattern, and all that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<PatternError>> {
        let mut reader = Reader { text, segments: Vec::new(), names: Vec::new(), errors: Vec::new() };
        reader.path();
        if !reader.errors.is_empty() {
            return Err(reader.errors);
        }
        let parameter = |name: &str| Parameter { name: name.into(), kind: InputType::default() };
        Ok(Self {
            text: text.into(),
            segments: reader.segments.into(),
            parameters: reader.names.into_iter().map(|(name, _)| parameter(name)).collect(),
        })
    }

    /// Gives the parameter called `name` a type; without one it is any string.
    pub fn constrain(&mut self, name: &str, kind: InputType) -> Result<(), ConstrainError> {
        let at =
            self.parameters.iter().position(|parameter| &*parameter.name == name).ok_or(ConstrainError::Unknown)?;
        let choices = |kind: &InputType| kind.choices().map_or(1, |choices| choices.len());
        let others = self.parameters.iter().enumerate().filter(|(index, _)| *index != at);
        let combinations = others.fold(choices(&kind), |all, (_, other)| all.saturating_mul(choices(&other.kind)));
        if combinations > MOST_COMBINATIONS {
            return Err(ConstrainError::ManyCombinations);
        }
        if let Some(parameter) = self.parameters.get_mut(at) {
            parameter.kind = kind;
        }
        Ok(())
    }

    /// The text as declared.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the parameters, from left to right.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.parameters.iter().map(|parameter| &*parameter.name)
    }

    /// The type of the parameter called `name`.
    pub fn input_type(&self, name: &str) -> Option<&InputType> {
        self.parameters.iter().find(|parameter| &*parameter.name == name).map(|parameter| &parameter.kind)
    }

    /// Whether its URLs begin with those of `around`, which is literal: segment by segment the same text, or a value of an `enum` that is.
    pub fn lies_below(&self, around: &Self) -> bool {
        let mut parameters = self.parameters.iter();
        let mut segments = self.segments.iter();
        around.segments.iter().all(|wanted| {
            let (Segment::Literal(wanted), Some(segment)) = (wanted, segments.next()) else { return false };
            let of_segment: Vec<&Parameter> = parameters.by_ref().take(segment.parameters()).collect();
            let is_it = |choice: &str| canonical_segment(choice).is_ok_and(|choice| *choice == **wanted);
            match segment {
                Segment::Literal(text) => text == wanted,
                Segment::Parameter => of_segment
                    .iter()
                    .filter_map(|parameter| parameter.kind.choices())
                    .any(|mut choices| choices.any(is_it)),
                Segment::Edged(_) | Segment::Rest => false,
            }
        })
    }

    /// The name of the `{*rest}` parameter, if there is one.
    pub fn rest_name(&self) -> Option<&str> {
        if self.segments.last() != Some(&Segment::Rest) {
            return None;
        }
        self.parameters.last().map(|parameter| &*parameter.name)
    }

    /// The canonical path where each parameter stands for the decoded text that `value_of` gives; `None` if one is missing or
    /// cannot stand there: an empty text (but for the rest), a segment `.` or `..`, a control character, a backslash.
    pub fn build<'v>(&self, slash: TrailingSlash, value_of: impl Fn(&str) -> Option<&'v str>) -> Option<CanonicalPath> {
        let mut values = self.parameters.iter().map(|parameter| value_of(&parameter.name));
        let mut text = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => push_segment(&mut text, literal)?,
                Segment::Parameter => push_segment(&mut text, &encode_segment(values.next()??))?,
                Segment::Edged(edged) => push_segment(&mut text, &edged.join(&mut values)?)?,
                Segment::Rest => {
                    for part in values.next()??.split('/').filter(|part| !part.is_empty()) {
                        push_segment(&mut text, &encode_segment(part))?;
                    }
                }
            }
        }
        if text.is_empty() {
            text.push('/');
        }
        canonicalise(&text, slash).ok().map(Canonical::into_owned)
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The texts that the parameters stand for in `path`, percent-encoded; `None` if it does not match.
    pub(super) fn captures<'t>(&self, path: Path<'t>) -> Option<[&'t str; MOST_PARAMETERS]> {
        let mut values = [""; MOST_PARAMETERS];
        let mut slots = values.iter_mut();
        let mut capture = |value| slots.next().map(|slot| *slot = value).is_some();
        let mut left = path.without_trailing_slash();
        for segment in &self.segments {
            if *segment == Segment::Rest {
                return capture(left.strip_prefix('/').unwrap_or_default()).then_some(values);
            }
            let after = left.strip_prefix('/')?;
            let (written, next) = after.split_at(memchr::memchr(b'/', after.as_bytes()).unwrap_or(after.len()));
            let matched = match segment {
                Segment::Literal(literal) => **literal == *written,
                Segment::Parameter => capture(written),
                Segment::Edged(edged) => edged.split(written, &mut capture),
                Segment::Rest => false,
            };
            if !matched {
                return None;
            }
            left = next;
        }
        left.is_empty().then_some(values)
    }
}

/// Appends a segment that names itself, and not its parent.
fn push_segment(text: &mut String, segment: &str) -> Option<()> {
    if matches!(segment, "" | "." | "..") {
        return None;
    }
    text.push('/');
    text.push_str(segment);
    Some(())
}

impl Edged {
    /// The segment with these values between its literal parts.
    fn join<'v>(&self, values: &mut impl Iterator<Item = Option<&'v str>>) -> Option<String> {
        let mut text = self.prefix.to_string();
        for literal in self.inner.iter().chain([&self.suffix]) {
            let value = values.next()?.filter(|value| !value.is_empty())?;
            text.push_str(&encode_segment(value));
            text.push_str(literal);
        }
        Some(text)
    }

    /// Hands the texts between the literal parts to `capture`; whether all parts were found.
    pub(super) fn split<'t>(&self, segment: &'t str, capture: &mut impl FnMut(&'t str) -> bool) -> bool {
        let Some(mut left) = segment.strip_prefix(&*self.prefix) else { return false };
        let Some(middle) = left.strip_suffix(&*self.suffix) else { return false };
        if cuts_escape(left, middle.len()) {
            return false;
        }
        left = middle;
        for literal in &self.inner {
            let Some((value, next)) = split_at_literal(left, literal) else { return false };
            if !capture(value) {
                return false;
            }
            left = next;
        }
        !left.is_empty() && capture(left)
    }

    /// Whether this one goes before `other` wherever both match: its literal parts say more.
    pub(super) fn refines(&self, other: &Self) -> bool {
        let longer = self.prefix.starts_with(&*other.prefix) && self.suffix.ends_with(&*other.suffix);
        longer && other.inner.is_empty() && self != other
    }

    /// Whether some segment may match both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let prefixes = self.prefix.starts_with(&*other.prefix) || other.prefix.starts_with(&*self.prefix);
        let suffixes = self.suffix.ends_with(&*other.suffix) || other.suffix.ends_with(&*self.suffix);
        prefixes && suffixes
    }
}

/// Splits at the first `literal` that leaves something before it.
fn split_at_literal<'t>(text: &'t str, literal: &str) -> Option<(&'t str, &'t str)> {
    text.match_indices(literal)
        .map(|(at, _)| at)
        .find(|&at| at > 0 && !cuts_escape(text, at))
        .and_then(|at| Some((text.get(..at)?, text.get(at + literal.len()..)?)))
}

/// Whether a cut at `at` would go through a `%XX`: a literal `2F` is no part of `%2F`.
fn cuts_escape(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.saturating_sub(2)..at).unwrap_or_default();
    at < text.len() && before.contains(&b'%')
}

/// A pattern being read.
struct Reader<'t> {
    text: &'t str,
    segments: Vec<Segment>,
    names: Vec<(&'t str, Range<usize>)>,
    errors: Vec<PatternError>,
}

impl<'t> Reader<'t> {
    fn error(&mut self, range: Range<usize>, problem: PatternProblem) {
        self.errors.push(PatternError { range, problem });
    }

    fn path(&mut self) {
        let Some(relative) = self.text.strip_prefix('/') else {
            return self.error(0..self.text.len(), PatternProblem::NotAbsolute);
        };
        if let Some(at) = self.text.find(['?', '#']) {
            let query = self.text.as_bytes().get(at) == Some(&b'?');
            let problem = if query { PatternProblem::Query } else { PatternProblem::Fragment };
            return self.error(at..self.text.len(), problem);
        }
        if relative.is_empty() {
            return;
        }
        let mut start = 1;
        for segment in relative.split('/') {
            let end = start + segment.len();
            self.segment(segment, start, end == self.text.len());
            start = end + 1;
        }
        if self.segments.len() > MOST_SEGMENTS {
            self.error(0..self.text.len(), PatternProblem::ManySegments);
        }
        if self.names.len() > MOST_PARAMETERS {
            self.error(0..self.text.len(), PatternProblem::ManyParameters);
        }
    }

    fn segment(&mut self, segment: &'t str, start: usize, last: bool) {
        let range = start..start + segment.len();
        match segment {
            "" if last => return self.error(start - 1..start, PatternProblem::TrailingSlash),
            "" => return self.error(start - 1..start + 1, PatternProblem::EmptySegment),
            _ => {}
        }
        let Some((literals, parameters)) = self.parts(segment, start) else { return };
        if let Some(rest) = parameters.iter().find_map(|name| name.strip_prefix('*')) {
            if !last {
                return self.error(range, PatternProblem::RestNotLast(rest.to_owned()));
            }
            if literals.iter().any(|literal| !literal.is_empty()) || parameters.len() > 1 {
                return self.error(range, PatternProblem::RestNotAlone(rest.to_owned()));
            }
            return self.segments.push(Segment::Rest);
        }
        match &*literals {
            [only] if matches!(&**only, "." | "..") => self.error(range, PatternProblem::DotSegment),
            [only] => self.segments.push(Segment::Literal(only.as_str().into())),
            [before, after] if before.is_empty() && after.is_empty() => self.segments.push(Segment::Parameter),
            [prefix, inner @ .., suffix] => {
                if inner.iter().any(String::is_empty) {
                    return self.error(range, PatternProblem::Adjacent);
                }
                self.segments.push(Segment::Edged(Edged {
                    prefix: prefix.as_str().into(),
                    inner: inner.iter().map(|literal| literal.as_str().into()).collect(),
                    suffix: suffix.as_str().into(),
                }));
            }
            [] => {}
        }
    }

    /// The literal parts of a segment, in canonical form, and the names between them; `None` if it cannot be read.
    fn parts(&mut self, segment: &'t str, start: usize) -> Option<(Vec<String>, Vec<&'t str>)> {
        let mut literals = Vec::new();
        let mut parameters = Vec::new();
        let mut left = segment;
        let mut at = start;
        while let Some((literal, after)) = left.split_once('{') {
            literals.push(self.literal(literal, at)?);
            at += literal.len();
            let Some((name, next)) = after.split_once('}') else {
                self.error(at..start + segment.len(), PatternProblem::Unclosed);
                return None;
            };
            self.name(name, at + 1);
            parameters.push(name);
            at += name.len() + 2;
            left = next;
        }
        literals.push(self.literal(left, at)?);
        Some((literals, parameters))
    }

    fn literal(&mut self, literal: &str, start: usize) -> Option<String> {
        if let Some(at) = literal.find('}') {
            self.error(start + at..start + at + 1, PatternProblem::StrayBrace);
            return None;
        }
        let problem = match canonical_segment(literal) {
            Ok(canonical) => return Some(canonical),
            Err(PathError::Malformed) if !literal.contains(['\\']) && !literal.contains(char::is_control) => {
                PatternProblem::Escape
            }
            Err(PathError::Malformed | PathError::Nameless) => PatternProblem::Character,
        };
        self.error(start..start + literal.len(), problem);
        None
    }

    fn name(&mut self, written: &'t str, start: usize) {
        let name = written.strip_prefix('*').unwrap_or(written);
        let range = start..start + written.len();
        if !is_snake_case(name) {
            return self.error(range, PatternProblem::Name(name.to_owned()));
        }
        if self.names.iter().any(|(other, _)| *other == name) {
            self.error(range.clone(), PatternProblem::Duplicate(name.to_owned()));
        }
        self.names.push((name, range));
    }
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(String, PatternProblem)> {
        let errors = Pattern::parse(text).err().unwrap_or_default();
        errors.into_iter().map(|error| (text[error.range].to_owned(), error.problem)).collect()
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        use PatternProblem as P;
        for (text, range, problem) in [
            ("", "", P::NotAbsolute),
            ("about", "about", P::NotAbsolute),
            ("{*rest}", "{*rest}", P::NotAbsolute),
            ("/a//b", "//", P::EmptySegment),
            ("/about/", "/", P::TrailingSlash),
            ("/a/../b", "..", P::DotSegment),
            ("/a/%2e", "%2e", P::DotSegment),
            ("/a?b=c", "?b=c", P::Query),
            ("/a#b", "#b", P::Fragment),
            ("/a/{b", "{b", P::Unclosed),
            ("/x{a/b}", "{a", P::Unclosed),
            ("/a}b", "}", P::StrayBrace),
            ("/{fooBar}", "fooBar", P::Name("fooBar".to_owned())),
            ("/{}", "", P::Name(String::new())),
            ("/{*}", "*", P::Name(String::new())),
            ("/{a}/{a}", "a", P::Duplicate("a".to_owned())),
            ("/{*a}/b", "{*a}", P::RestNotLast("a".to_owned())),
            ("/x{*a}", "x{*a}", P::RestNotAlone("a".to_owned())),
            ("/{a}{b}", "{a}{b}", P::Adjacent),
            ("/100%", "100%", P::Escape),
            ("/a\\b", "a\\b", P::Character),
            ("/%00", "%00", P::Character),
            ("/%FF", "%FF", P::Character),
        ] {
            assert!(problems(text).contains(&(range.to_owned(), problem)), "{text}: {:?}", problems(text));
        }
        assert_eq!(
            problems("/{A}/{b/x}y/"),
            [
                ("A".to_owned(), P::Name("A".to_owned())),
                ("{b".to_owned(), P::Unclosed),
                ("}".to_owned(), P::StrayBrace),
                ("/".to_owned(), P::TrailingSlash),
            ]
        );
        let many = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}".to_owned();
        assert_eq!(problems(&many), [(many.clone(), P::ManyParameters)]);
        assert_eq!(problems(&"/a".repeat(65)).len(), 1);
    }

    #[test]
    fn a_pattern_knows_its_names() {
        let pattern = Pattern::parse("/{owner}/img-{width}x{height}.png/{*rest}").unwrap();
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["owner", "width", "height", "rest"]);
        assert_eq!(pattern.rest_name(), Some("rest"));
        assert_eq!(Pattern::parse("/{a}").unwrap().rest_name(), None);
    }

    #[test]
    fn urls_are_built_in_canonical_form() {
        let build = |text: &str, slash, value: Option<&'static str>| {
            Pattern::parse(text).unwrap().build(slash, |_| value).map(|path| path.as_path().as_str().to_owned())
        };
        let never = TrailingSlash::Never;
        assert_eq!(build("/a b/{x}", never, Some("c/d e")).as_deref(), Some("/a%20b/c%2Fd%20e"));
        assert_eq!(build("/docs/{*x}", never, Some("guide/intro")).as_deref(), Some("/docs/guide/intro"));
        assert_eq!(build("/docs/{*x}", TrailingSlash::Always, Some("")).as_deref(), Some("/docs/"));
        assert_eq!(build("/{*x}", never, Some("")).as_deref(), Some("/"));
        assert_eq!(build("/{a}.{b}", never, Some("x")).as_deref(), Some("/x.x"));
        for bad in [None, Some(""), Some("."), Some(".."), Some("a\\b"), Some("a\0b")] {
            assert_eq!(build("/{x}", never, bad), None, "{bad:?}");
        }
        assert_eq!(build("/docs/{*x}", never, Some("../secret")), None);
    }

    #[test]
    fn enums_multiply_within_bounds() {
        let choices = (0..101).map(|number| number.to_string()).collect();
        let decl = super::super::InputDecl { choices: Some(choices), ..Default::default() };
        let kind = InputType::compile(decl).unwrap();
        let mut pattern = Pattern::parse("/{a}/{b}").unwrap();
        assert_eq!(pattern.constrain("a", kind.clone()), Ok(()));
        assert_eq!(pattern.constrain("b", kind.clone()), Err(ConstrainError::ManyCombinations));
        assert_eq!(pattern.constrain("c", kind), Err(ConstrainError::Unknown));
    }
}
