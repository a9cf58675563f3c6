//! What a stored response depends on, and what a purge covers.
//!
//! A tag is declared by the author (`products`) or derived from what a page is made of (`source:repo`, `layout:repo.html`,
//! `path:/about`). It knows nothing of what the kinds mean: who derives them says so.

use crate::config::encode_segment;
use std::fmt;
use std::sync::Arc;

/// One thing that a stored response depends on. Cloning it is a reference count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// A declared tag.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The derived tag of the `name` that is a `kind`: written `kind:name`.
    pub fn derived(kind: &str, name: &str) -> Self {
        Self(format!("{kind}:{name}").into())
    }

    /// The derived tag of the `name` that is a `kind`, as it was made with these parameters: written `kind:name?a=1&b=2`, in the order
    /// of their names, with all but letters, digits, `-`, `.`, `_` and `~` percent-encoded.
    pub fn with_parameters<'p>(
        kind: &str,
        name: &str,
        parameters: impl IntoIterator<Item = (&'p str, impl AsRef<str>)>,
    ) -> Self {
        let mut pairs: Vec<String> = parameters.into_iter().map(|(name, value)| pair(name, value.as_ref())).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self(format!("{kind}:{name}?{}", pairs.join("&")).into())
    }

    /// The tag as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes of memory that it takes of its own.
    fn size(&self) -> usize {
        size_of::<Self>() + self.0.len() + 2 * size_of::<usize>()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A parameter as tags have it.
fn pair(name: &str, value: &str) -> String {
    let mut out = String::with_capacity(name.len() + value.len() + 1);
    encode_segment(name, &mut out);
    out.push('=');
    encode_segment(value, &mut out);
    out
}

/// The tags of a stored response: those that all responses of its kind have, which share them, and its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    common: Arc<[Tag]>,
    own: Box<[Tag]>,
}

impl Tags {
    /// Those in `common`, and `own`.
    pub fn new(common: Arc<[Tag]>, own: impl Into<Box<[Tag]>>) -> Self {
        Self { common, own: own.into() }
    }

    /// Those that not all responses of its kind have.
    pub fn own(&self) -> &[Tag] {
        &self.own
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.common.iter().chain(&self.own)
    }

    /// These and those of `others` that are not among them.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let new = others.own.iter().filter(|tag| !self.own.contains(tag));
        let own: Box<[Tag]> = self.own.iter().chain(new).cloned().collect();
        Self { common: Arc::clone(&self.common), own }
    }

    /// Bytes of memory that its own take.
    pub(super) fn size(&self) -> usize {
        self.own.iter().map(Tag::size).sum()
    }
}

impl From<Vec<Tag>> for Tags {
    fn from(own: Vec<Tag>) -> Self {
        Self::new(Arc::default(), own)
    }
}

/// What a purge covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    All,
    /// What carries any of these tags.
    Tags(Vec<Tag>),
    /// What carries a tag of this kind and name with these parameters, among others.
    Parameters(Parameters),
}

/// A kind and a name with some parameters: see [`Tag::with_parameters`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameters {
    start: Box<str>,
    pairs: Box<[String]>,
}

impl Parameters {
    /// What is made of the `name` that is a `kind` with these parameters, whatever else it was made with.
    pub fn new<'p>(kind: &str, name: &str, parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let pairs = parameters.into_iter().map(|(name, value)| pair(name, value)).collect();
        Self { start: format!("{kind}:{name}?").into(), pairs }
    }

    /// Whether a response with `tags` is covered.
    pub(super) fn cover_any(&self, tags: &Tags) -> bool {
        tags.iter().any(|tag| self.covers(tag))
    }

    fn covers(&self, tag: &Tag) -> bool {
        let Some(pairs) = tag.0.strip_prefix(&*self.start) else { return false };
        self.pairs.iter().all(|wanted| pairs.split('&').any(|pair| pair == wanted))
    }
}

impl Scope {
    /// Whether a response with `tags` is covered.
    pub(super) fn covers(&self, tags: &Tags) -> bool {
        match self {
            Self::All => true,
            Self::Tags(purged) => tags.iter().any(|tag| purged.contains(tag)),
            Self::Parameters(parameters) => parameters.cover_any(tags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_was_made_with_its_parameters() {
        let tag = Tag::with_parameters("source", "repo", [("owner", "a b"), ("name", "x&y=z")]);
        assert_eq!(tag.as_str(), "source:repo?name=x%26y%3Dz&owner=a%20b");
        let tags = Tags::new(Arc::new([Tag::derived("source", "repo")]), vec![tag]);
        let covers = |name: &str, parameters: &[(&str, &str)]| {
            Scope::Parameters(Parameters::new("source", name, parameters.iter().copied())).covers(&tags)
        };
        for (name, parameters, expected) in [
            ("repo", &[][..], true),
            ("repo", &[("owner", "a b")], true),
            ("repo", &[("owner", "a b"), ("name", "x&y=z")], true),
            ("repo", &[("owner", "a")], false),
            ("repo", &[("owner", "a b"), ("z", "")], false),
            ("repo", &[("y", "z")], false),
            ("rep", &[], false),
            ("other", &[], false),
        ] {
            assert_eq!(covers(name, parameters), expected, "{name} {parameters:?}");
        }
        for (scope, expected) in [
            (Scope::All, true),
            (Scope::Tags(vec![Tag::new("source:repo")]), true),
            (Scope::Tags(vec![Tag::new("source:repos"), Tag::new("repo")]), false),
        ] {
            assert_eq!(scope.covers(&tags), expected, "{scope:?}");
        }
    }
}
