//! What a tag has said of itself so far: the attributes that decide what others of it, or the content behind it, mean.
//!
//! Browsers take the first of two attributes of a name, also one without a value. What stands on one way through branches only, or
//! what was printed, is not known.

use super::script::Role;
use std::collections::BTreeSet;

/// What an attribute that decides has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// One of these, in lower case, each on some way through the branches.
    Known(BTreeSet<String>),
    /// Nobody knows before it is rendered.
    Unclear,
}

impl Default for Word {
    fn default() -> Self {
        Self::of("")
    }
}

/// No word of interest is longer.
const LONGEST_WORD: usize = 64;

/// More words than any branches choose from are not told apart.
const MOST_WORDS: usize = 16;

impl Word {
    /// This one.
    pub(super) fn of(word: &str) -> Self {
        Self::Known(BTreeSet::from([word.to_owned()]))
    }

    /// Takes another byte of it. White space at its beginning means nothing.
    pub(super) fn push(&mut self, byte: u8) {
        let Self::Known(words) = self else { return };
        if words.iter().any(|word| word.len() >= LONGEST_WORD) {
            *self = Self::Unclear;
            return;
        }
        let longer = |mut word: String| {
            if !(word.is_empty() && byte.is_ascii_whitespace()) {
                word.push(char::from(byte.to_ascii_lowercase()));
            }
            word
        };
        *words = std::mem::take(words).into_iter().map(longer).collect();
    }

    /// It after either of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Known(ours), Self::Known(theirs)) => {
                let all: BTreeSet<String> = ours.union(theirs).cloned().collect();
                if all.len() <= MOST_WORDS { Self::Known(all) } else { Self::Unclear }
            }
            (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
        }
    }
}

/// Whether what another attribute says is acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    None,
    /// What would tell has not been said, or never is.
    Open,
    Acts,
}

/// What has been said by the attributes that decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    words: Vec<(&'static str, Word)>,
    /// Whether a partial was called that may have said more.
    called: bool,
}

/// The attributes of an element that decide what others of it, or its content, mean; both in lower case.
pub(super) fn deciders(element: &str) -> &'static [&'static str] {
    match element {
        "annotation-xml" => &["encoding"],
        "font" => &["color", "face", "size"],
        "link" => &["rel", "as"],
        "meta" => &["http-equiv"],
        "script" => &["type"],
        _ => &[],
    }
}

/// What `<meta http-equiv>` may say without a browser doing anything by its `content`.
const INERT_PRAGMAS: [&str; 6] = ["", "cache-control", "content-language", "expires", "last-modified", "pragma"];

/// Relations of a `<link>` to what shapes the page or speaks for the site.
const ACTING_RELATIONS: [&str; 6] =
    ["compression-dictionary", "import", "manifest", "modulepreload", "prerender", "stylesheet"];

/// What may be preloaded from anywhere: it runs nothing.
const INERT_PRELOADS: [&str; 7] = ["audio", "document", "fetch", "font", "image", "track", "video"];

impl Said {
    /// Takes an attribute of this element.
    pub(super) fn take(&mut self, element: &str, attribute: &str, word: Word) {
        let decider = deciders(element).iter().find(|decider| **decider == attribute);
        if let Some(decider) = decider.filter(|decider| self.get(decider).is_none()) {
            self.words.push((decider, word));
        }
    }

    /// Takes the beginning of an attribute's name, of which it is not known how it goes on.
    pub(super) fn begin(&mut self, element: &str, attribute: &str) {
        for decider in deciders(element).iter().filter(|decider| decider.starts_with(attribute)) {
            self.take(element, decider, Word::Unclear);
        }
    }

    pub(super) fn get(&self, attribute: &str) -> Option<&Word> {
        self.words.iter().find(|(decider, _)| *decider == attribute).map(|(_, word)| word)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && !self.called
    }

    /// A partial was called, which may have said anything.
    pub(super) fn called(&mut self) {
        self.called = true;
    }

    /// Whether an attribute decides, and may have been said already where nobody here has seen it.
    pub(super) fn is_late(&self, element: &str, attribute: &str) -> bool {
        self.called && deciders(element).contains(&attribute) && self.get(attribute).is_none()
    }

    /// What has been said after either of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        let mut joined = Self { called: self.called || other.called, ..self.clone() };
        for (decider, word) in &mut joined.words {
            *word = other.get(decider).map_or(Word::Unclear, |other| word.join(other));
        }
        let only_there = other.words.iter().filter(|(decider, _)| self.get(decider).is_none());
        joined.words.extend(only_there.map(|(decider, _)| (*decider, Word::Unclear)));
        for (decider, word) in &mut joined.words {
            // Of a script without a type on one way, and of one that is code on the other, both are much alike.
            if *decider == "type" && *word == Word::Unclear && self.role().is_code() && other.role().is_code() {
                *word = Word::of("module");
            }
        }
        joined
    }

    /// What a `<script>` is for that has said this.
    pub(super) fn role(&self) -> Role {
        match self.get("type") {
            None if self.called => Role::Unknown,
            None => Role::Code,
            Some(Word::Known(words)) => {
                let roles = words.iter().map(|word| Role::of(word));
                // The stricter of two that are much alike.
                let either = |one: Role, other: Role| match (one, other) {
                    _ if one == other => one,
                    _ if one.is_code() && other.is_code() => Role::Module,
                    _ => Role::Unknown,
                };
                roles.reduce(either).unwrap_or(Role::Unknown)
            }
            Some(Word::Unclear) => Role::Unknown,
        }
    }

    /// Whether a browser acts by what the `content` or the `href` of this element says. What a partial may have said it has.
    pub(super) fn power(&self, element: &str) -> Power {
        match self.said_power(element) {
            Power::Open if self.called => Power::Acts,
            power @ (Power::None | Power::Open | Power::Acts) => power,
        }
    }

    /// The same by what was said here: what is printed before a partial is called, the partial knows of.
    pub(super) fn said_power(&self, element: &str) -> Power {
        match element {
            "meta" => self.acts("http-equiv", |pragma| !INERT_PRAGMAS.contains(&pragma.trim_ascii())),
            "link" => {
                let is_preload = |relations: &str| relations.split_ascii_whitespace().any(|one| one == "preload");
                let acts = |relations: &str| {
                    relations.contains('&')
                        || relations.split_ascii_whitespace().any(|one| ACTING_RELATIONS.contains(&one))
                };
                match (self.acts("rel", acts), self.get("rel")) {
                    (Power::None, Some(Word::Known(words))) if words.iter().any(|word| is_preload(word)) => {
                        self.acts("as", |kind| !INERT_PRELOADS.contains(&kind.trim_ascii()))
                    }
                    (power, _) => power,
                }
            }
            _ => Power::None,
        }
    }

    fn acts(&self, decider: &str, acts: impl Fn(&str) -> bool) -> Power {
        match self.get(decider) {
            None => Power::Open,
            Some(Word::Known(words)) if !words.iter().any(|word| acts(word)) => Power::None,
            Some(Word::Known(_) | Word::Unclear) => Power::Acts,
        }
    }

    /// Whether it is not known what `element` says to the rules of drawings and formulas.
    pub(super) fn is_unclear(&self) -> bool {
        self.called || self.words.iter().any(|(_, word)| !matches!(word, Word::Known(words) if words.len() == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(element: &str, attributes: &[(&str, &str)]) -> Said {
        let mut said = Said::default();
        for (attribute, text) in attributes {
            let mut word = Word::default();
            text.bytes().for_each(|byte| word.push(byte));
            said.take(element, attribute, word);
        }
        said
    }

    #[test]
    fn some_words_make_browsers_act() {
        for (element, attributes, expected) in [
            ("meta", &[("name", "description")][..], Power::Open),
            ("meta", &[("http-equiv", "Content-Language ")], Power::None),
            ("meta", &[("http-equiv", " REFRESH")], Power::Acts),
            ("meta", &[("http-equiv", "ref&#114;esh")], Power::Acts),
            ("meta", &[("http-equiv", "content-security-policy")], Power::Acts),
            ("link", &[], Power::Open),
            ("link", &[("rel", "canonical")], Power::None),
            ("link", &[("rel", "alternate Stylesheet")], Power::Acts),
            ("link", &[("rel", "style&#115;heet")], Power::Acts),
            ("link", &[("rel", "preload")], Power::Open),
            ("link", &[("rel", "preload"), ("as", "image")], Power::None),
            ("link", &[("as", "script"), ("rel", "preload")], Power::Acts),
            ("link", &[("rel", ""), ("rel", "stylesheet")], Power::None),
            ("a", &[("rel", "stylesheet")], Power::None),
        ] {
            assert_eq!(said(element, attributes).power(element), expected, "{element} {attributes:?}");
        }
    }

    #[test]
    fn what_is_on_one_way_only_is_not_known() {
        let (icon, none) = (said("link", &[("rel", "icon")]), Said::default());
        assert_eq!(icon.join(&icon).power("link"), Power::None);
        assert_eq!(icon.join(&none).power("link"), Power::Acts);
        assert_eq!(none.join(&icon).power("link"), Power::Acts);
        assert_eq!(icon.join(&said("link", &[("rel", "next")])).power("link"), Power::None);
        assert_eq!(icon.join(&said("link", &[("rel", "stylesheet")])).power("link"), Power::Acts);
        assert_eq!(icon.join(&said("link", &[("rel", "preload")])).power("link"), Power::Open);
        let long = said("script", &[("type", &format!("{}importmap", "x".repeat(LONGEST_WORD)))]);
        assert_eq!((long.role(), none.role()), (Role::Unknown, Role::Code));
    }
}
