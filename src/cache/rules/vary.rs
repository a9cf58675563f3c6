//! Under which keys a response is found beside others of one URL (RFC 9111, section 4.1).
//!
//! A key is written from the request fields that `Vary` names, each in the one form of all requests that say the same
//! ([`crate::fields::selecting_form`]); no two requests that say something else share it. A response that names its one language is also
//! found by requests that want this language most: who had it and made it would send it to them too.

use crate::fields::{is_language_tag, preferred_language, selecting_form, varies_by};
use http::HeaderName;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, HeaderMap};

/// The request fields that chose a response: sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct VaryNames(Box<[HeaderName]>);

impl VaryNames {
    /// Those that the `Vary` of a response names. None if it says `*`, or something that is no name.
    pub fn of(response: &HeaderMap) -> Option<Self> {
        varies_by(response).map(|names| Self(names.into_boxed_slice()))
    }

    /// Whether nothing chose it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in lower case.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter()
    }

    /// The key of a request among responses that these fields chose.
    pub fn key(&self, request: &HeaderMap) -> SecondaryKey {
        self.write(request, None)
    }

    /// The key of all requests that want `language` most, and say the same in the other fields. None if languages choose nothing here.
    fn language_key(&self, request: &HeaderMap, language: &str) -> Option<SecondaryKey> {
        self.0.contains(&ACCEPT_LANGUAGE).then(|| self.write(request, Some(language)))
    }

    /// Each name and, behind an octet that no name holds, what the request says: how it says so, how long that is, and then that.
    fn write(&self, request: &HeaderMap, language: Option<&str>) -> SecondaryKey {
        let mut key = Vec::with_capacity(self.0.len() * 32);
        for name in &self.0 {
            let (mark, form) = match language {
                Some(language) if *name == ACCEPT_LANGUAGE => (b'~', Some(language.as_bytes().to_vec())),
                _ => (b'=', selecting_form(name, request)),
            };
            key.extend_from_slice(name.as_str().as_bytes());
            key.push(b'\n');
            // What is absent matches what is absent, and nothing else.
            let Some(form) = form else {
                key.push(b'!');
                continue;
            };
            key.push(mark);
            key.extend_from_slice(&(form.len() as u64).to_be_bytes());
            key.extend_from_slice(&form);
        }
        SecondaryKey(key)
    }
}

/// What tells a response from others of one URL: the same bytes for requests that say the same in the same fields, others for all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SecondaryKey(Vec<u8>);

impl SecondaryKey {
    /// The bytes. Empty for a response that nothing chose.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Under which keys a response is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUnder {
    /// The key of the request that it answered.
    pub key: SecondaryKey,
    /// A second one, of all requests that want its language most.
    pub by_language: Option<SecondaryKey>,
}

impl StoredUnder {
    /// For a response that these fields of this request chose.
    pub fn new(names: &VaryNames, request: &HeaderMap, response: &HeaderMap) -> Self {
        let by_language = only_language(response).and_then(|language| names.language_key(request, &language));
        Self { key: names.key(request), by_language }
    }
}

/// The one language of a response's content, in lower case.
fn only_language(response: &HeaderMap) -> Option<String> {
    let mut lines = response.get_all(CONTENT_LANGUAGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let language = line.to_str().ok()?.trim();
    is_language_tag(language).then(|| language.to_ascii_lowercase())
}

/// By what the responses were chosen that are stored under one URL: those that were stored last in front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownVary(Vec<VaryNames>);

impl KnownVary {
    /// So many are remembered: an origin that says something else each time is not to be looked up for ever.
    pub const MOST: usize = 8;

    /// Notes that a response was stored that these fields chose. Returns those that are forgotten for it.
    pub fn note(&mut self, names: &VaryNames) -> Option<VaryNames> {
        if self.0.first() == Some(names) {
            return None;
        }
        self.0.retain(|known| known != names);
        self.0.insert(0, names.clone());
        if self.0.len() > Self::MOST { self.0.pop() } else { None }
    }

    /// Whether nothing is stored under the URL.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys under which a response for this request may be stored, in the order in which they are to be tried: what was stored last goes
    /// first, and what nothing chose goes last, as some forget to say what did (section 4.1).
    pub fn keys<'k>(&'k self, request: &'k HeaderMap) -> impl Iterator<Item = (&'k VaryNames, SecondaryKey)> + 'k {
        let chosen = self.0.iter().filter(|names| !names.is_empty());
        let plain = self.0.iter().filter(|names| names.is_empty());
        chosen.chain(plain).flat_map(move |names| {
            let by_language = names.0.contains(&ACCEPT_LANGUAGE).then(|| preferred_language(request)).flatten();
            let second = by_language.and_then(|language| names.language_key(request, &language));
            std::iter::once((names, names.key(request))).chain(second.map(|key| (names, key)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn names(vary: &str) -> VaryNames {
        VaryNames::of(&fields(&[("vary", vary)])).unwrap()
    }

    /// Whether what was stored for one request is found by another.
    fn is_found(
        vary: &str,
        language: Option<&'static str>,
        one: &[(&'static str, &str)],
        other: &[(&'static str, &str)],
    ) -> bool {
        let names = names(vary);
        let response = language.map(|language| ("content-language", language));
        let stored = StoredUnder::new(&names, &fields(one), &fields(response.as_slice()));
        let mut known = KnownVary::default();
        known.note(&names);
        known.keys(&fields(other)).any(|(_, key)| key == stored.key || Some(&key) == stored.by_language.as_ref())
    }

    #[test]
    fn selecting_fields_must_match() {
        for (vary, one, other, expected) in [
            ("foo", &[("foo", "1")][..], &[("foo", "1")][..], true),
            ("foo", &[("foo", "1")], &[("foo", "2")], false),
            ("foo", &[("foo", "1")], &[], false),
            ("foo", &[], &[("foo", "1")], false),
            ("foo", &[], &[("foo", "")], false),
            ("foo", &[], &[("bar", "1")], true),
            ("foo, bar", &[("foo", "1"), ("bar", "a")], &[("bar", "a"), ("foo", "1")], true),
            ("foo, bar", &[("foo", "1"), ("bar", "a")], &[("foo", "1")], false),
            ("foo, bar", &[("foo", "1")], &[("bar", "1")], false),
            ("foo", &[("foo", "1, 2")], &[("foo", "1"), ("foo", "2")], true),
            ("foo", &[("foo", "1, 2")], &[("foo", "1,2")], true),
            ("foo", &[("foo", "1, 2")], &[("foo", "2, 1")], false),
            ("accept-language", &[("accept-language", "en, de")], &[("accept-language", "De, EN")], true),
        ] {
            assert_eq!(is_found(vary, None, one, other), expected, "{vary} {one:?} {other:?}");
        }
    }

    #[test]
    fn a_response_is_found_by_those_who_want_its_language_most() {
        for (language, wanted, expected) in [
            (Some("de"), "fr;q=0.5, de;q=1.0", true),
            (Some("DE"), "de", true),
            (Some("de"), "fr, de;q=0.9", false),
            (Some("de"), "fr, de", false),
            (Some("de"), "de-AT", false),
            (Some("de, en"), "de", false),
            (None, "de", false),
        ] {
            let found =
                is_found("accept-language", language, &[("accept-language", "en, de")], &[("accept-language", wanted)]);
            assert_eq!(found, expected, "{language:?} {wanted}");
        }
        let (one, other) = ([("accept-language", "en, de"), ("foo", "1")], [("accept-language", "de"), ("foo", "2")]);
        assert!(!is_found("accept-language, foo", Some("de"), &one, &other));
        assert!(!is_found("foo", Some("de"), &one, &other));
    }

    #[test]
    fn what_was_stored_last_is_tried_first_and_what_nothing_chose_last() {
        let mut known = KnownVary::default();
        assert!(known.is_empty());
        for vary in ["a", "", "b", "a"] {
            assert_eq!(known.note(&names(vary)), None);
        }
        let request = fields(&[("a", "1")]);
        let tried: Vec<_> = known.keys(&request).map(|(names, _)| names.clone()).collect();
        assert_eq!(tried, [names("a"), names("b"), names("")]);
        let forgotten: Vec<_> = (0..KnownVary::MOST).filter_map(|at| known.note(&names(&format!("x{at}")))).collect();
        assert_eq!(forgotten, [names(""), names("b"), names("a")]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn who_says_something_else_has_another_key(
            one in prop::collection::vec(prop::option::of("[a=!~\\x01-\\x7e]{0,3}"), 3),
            other in prop::collection::vec(prop::option::of("[a=!~\\x01-\\x7e]{0,3}"), 3),
        ) {
            let names = names("a, aa, user-agent");
            let request = |values: &[Option<String>]| {
                let mut request = HeaderMap::new();
                for (name, value) in names.iter().zip(values) {
                    if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                        request.insert(name.clone(), value);
                    }
                }
                request
            };
            let (one, other) = (request(&one), request(&other));
            let forms = |request: &HeaderMap| names.iter().map(|name| selecting_form(name, request)).collect::<Vec<_>>();
            prop_assert_eq!(names.key(&one) == names.key(&other), forms(&one) == forms(&other));
        }
    }
}
