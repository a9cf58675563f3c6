//! The variants of a route: what it answers to a person, and what it answers to whoever carries nothing that says who asks.
//!
//! A page that greets people still has one copy for everybody else, if all that is personal in it comes of credentials that a request may
//! lack. Which those are is derived when the site loads. Whether a request carries one is decided once, when it arrives, and by their names
//! alone: what stands in them is for those who read them.

use super::{Privacy, Route};
use crate::fields::cookies;
use crate::resource::Policy;
use http::header::{HeaderMap, HeaderName};
use std::fmt;
use std::sync::Arc;

/// All that a route reads or sends along of what says who asks, the routes that it asks in process included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Cookies, by their names in requests, in alphabetical order.
    pub cookies: Vec<Arc<str>>,
    /// Header fields, likewise.
    pub fields: Vec<HeaderName>,
}

impl Credentials {
    /// Adds others.
    pub fn extend(&mut self, others: &Self) {
        self.cookies.extend(others.cookies.iter().cloned());
        self.fields.extend(others.fields.iter().cloned());
        self.sort();
    }

    /// Brings them into their order, each once.
    pub(super) fn sort(&mut self) {
        self.cookies.sort();
        self.cookies.dedup();
        self.fields.sort_by(|left, right| left.as_str().cmp(right.as_str()));
        self.fields.dedup();
    }

    /// Whether a request with these fields carries one of them, be it empty or one that no source would take.
    pub fn is_in(&self, fields: &HeaderMap) -> bool {
        let is_one = |name: &[u8]| self.cookies.iter().any(|known| known.as_bytes() == name);
        self.fields.iter().any(|name| fields.contains_key(name))
            || (!self.cookies.is_empty() && cookies(fields).any(|(name, _)| is_one(name)))
    }
}

/// In words: ``the cookie `session` and `authorization` ``.
impl fmt::Display for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookies = self.cookies.iter().map(|name| format!("the cookie `{name}`"));
        let fields = self.fields.iter().map(|name| format!("the field `{name}`"));
        let mut names: Vec<String> = cookies.chain(fields).collect();
        let last = names.pop().unwrap_or_default();
        let before = names.join(", ");
        if before.is_empty() { formatter.write_str(&last) } else { write!(formatter, "{before} or {last}") }
    }
}

/// A route as it answers a request.
#[derive(Debug, Clone, Copy)]
pub struct Variant<'r> {
    /// The route.
    pub route: &'r Route,
    /// What its answers may be used for.
    pub policy: &'r Policy,
    /// Whether it answers everybody who carries none of its credentials, of a route that is personal to others.
    pub is_anonymous: bool,
}

impl Route {
    /// As it answers a request with these fields.
    pub fn variant_for(&self, fields: &HeaderMap) -> Variant<'_> {
        self.variant(self.anonymous.is_some() && !self.privacy.is_said_in(fields))
    }

    /// As it answers requests that carry none of its credentials, or any; there may be no difference.
    pub fn variant(&self, is_anonymous: bool) -> Variant<'_> {
        match self.anonymous.as_deref().filter(|_| is_anonymous) {
            Some(policy) => Variant { route: self, policy, is_anonymous: true },
            None => Variant { route: self, policy: &self.policy, is_anonymous: false },
        }
    }
}

impl Variant<'_> {
    /// Whether its answers are one person's.
    pub fn is_personal(self) -> bool {
        !self.is_anonymous && self.route.privacy.is_personal()
    }

    /// Whether its answers may be kept in our page store, and sent from there as they are.
    pub fn is_storable(self) -> bool {
        !self.is_personal() && self.policy.may_store()
    }

    /// Whether its answers may be kept in our page store, or are sent with their tags.
    pub fn is_tagged(self) -> bool {
        self.is_keepable() || (!self.is_personal() && self.policy.sends_tags())
    }

    /// Whether its answers may be kept in our page store at all: perhaps only to be sent again when they have turned out to be what would be
    /// made anew. That is how a cache obeys `no-cache` (RFC 9111, section 5.2.2.4).
    pub fn is_keepable(self) -> bool {
        !self.is_personal() && self.policy.may_keep()
    }

    /// Whether its pages have a validator: anybody may keep them who could ask with it.
    pub fn is_validated(self) -> bool {
        !self.is_personal() && (self.policy.may_keep() || self.policy.may_be_kept_downstream())
    }
}

impl Privacy {
    /// Whether the route's answers are one person's.
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Personal { .. })
    }

    /// Whether a request with these fields says who asks.
    fn is_said_in(&self, fields: &HeaderMap) -> bool {
        match self {
            Self::Public => false,
            Self::Personal { credentials, .. } => credentials.is_in(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    #[test]
    fn a_name_is_enough_to_be_somebody() {
        let credentials = Credentials { cookies: vec!["session".into(), "sid".into()], fields: vec![AUTHORIZATION] };
        for (name, value, expected) in [
            ("cookie", "session=1", true),
            ("cookie", "session=", true),
            ("cookie", "theme=dark; sid=\"\"", true),
            ("cookie", "theme=dark;sid=\u{e9}", true),
            ("cookie", "theme=dark; x=session=1", false),
            ("cookie", "xsession=1; session2=1; Session=1", false),
            ("cookie", "", false),
            ("authorization", "Bearer x", true),
            ("authorization", "", true),
            ("x-session", "1", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            assert_eq!(credentials.is_in(&fields), expected, "{name}: {value}");
        }
        let mut lines = HeaderMap::new();
        lines.append("cookie", HeaderValue::from_static("a=1"));
        lines.append("cookie", HeaderValue::from_static("sid=1"));
        assert!(credentials.is_in(&lines) && !credentials.is_in(&HeaderMap::new()));
    }

    #[test]
    fn they_are_told_in_words() {
        let cookies = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
        let one = Credentials { cookies: cookies(&["session"]), fields: Vec::new() };
        assert_eq!(one.to_string(), "the cookie `session`");
        let three = Credentials { cookies: cookies(&["a", "b"]), fields: vec![AUTHORIZATION] };
        assert_eq!(three.to_string(), "the cookie `a`, the cookie `b` or the field `authorization`");
    }
}
