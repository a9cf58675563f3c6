//! By what it is known who somebody is: `[auth.*]`, as requests are judged by it.
//!
//! A `Site` is data: keys that are fetched are fetched elsewhere, and what is remembered of tokens and passwords is remembered there.

mod decl;

pub(super) use decl::{AuthDecl, BasicDecl, ClaimDecl, CookieKeysDecl, ForwardDecl, JwtDecl};

use super::Credentials;
use crate::config::{Binding, words};
use crate::identity::{KeySet, Rules, Users};
use crate::resource::IdentityKind;
use crate::source::Source;
use crate::upstream::{Trust, Url};
use http::header::{AUTHORIZATION, HeaderName};
use std::sync::Arc;
use std::time::Duration;

words! {
    /// A way to know who somebody is.
    pub enum Identity {
        /// A token.
        "jwt": Jwt,
        /// A name and a password.
        "basic": Basic,
        /// What an upstream says of the visitor's credential.
        "forward": Forward,
    }
}

impl From<IdentityKind> for Identity {
    fn from(kind: IdentityKind) -> Self {
        match kind {
            IdentityKind::Jwt => Self::Jwt,
            IdentityKind::Basic => Self::Basic,
            IdentityKind::Forward => Self::Forward,
        }
    }
}

impl Identity {
    /// All of them, in the order in which a request is looked at.
    pub const ALL: [Self; 3] = [Self::Jwt, Self::Basic, Self::Forward];
}

/// Some of the identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Identities(u8);

impl Identities {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Whatever a site has.
    pub const ALL: Self = Self(0b111);

    /// Whether this is one of them.
    pub fn has(self, identity: Identity) -> bool {
        self.0 & Self::bit(identity) != 0
    }

    /// Those, and this.
    #[must_use]
    pub fn with(self, identity: Identity) -> Self {
        Self(self.0 | Self::bit(identity))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those, in the order in which a request is looked at.
    pub fn iter(self) -> impl Iterator<Item = Identity> {
        Identity::ALL.into_iter().filter(move |identity| self.has(*identity))
    }

    fn bit(identity: Identity) -> u8 {
        match identity {
            Identity::Jwt => 0b001,
            Identity::Basic => 0b010,
            Identity::Forward => 0b100,
        }
    }
}

impl FromIterator<Identity> for Identities {
    fn from_iter<I: IntoIterator<Item = Identity>>(identities: I) -> Self {
        identities.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The identities of a site.
#[derive(Debug, Default)]
pub struct Auth {
    /// Tokens.
    pub jwt: Option<Jwt>,
    /// Names and passwords.
    pub basic: Option<Basic>,
    /// What an upstream says.
    pub forward: Option<ForwardAuth>,
    /// Those that are written, sound or not.
    pub written: Identities,
}

/// Tokens (RFC 7519).
#[derive(Debug)]
pub struct Jwt {
    /// Which are believed.
    pub rules: Rules,
    /// What they are verified with.
    pub keys: Keys,
    /// The cookie that may hold one.
    pub cookie: Option<Arc<str>>,
    /// Whether `Authorization: Bearer` may.
    pub bearer: bool,
    /// What a challenge calls the place; the request's host, if the site says nothing.
    pub realm: Option<Arc<str>>,
}

/// What tokens are verified with.
#[derive(Debug)]
pub enum Keys {
    /// What the site has.
    Own(KeySet),
    /// What an issuer publishes.
    Fetched(FetchedKeys),
}

/// A key set that an issuer publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedKeys {
    /// Which upstream of the site is called.
    pub upstream: usize,
    /// Where it is.
    pub url: Url,
    /// Which addresses may be connected to.
    pub trust: Trust,
    /// How long it counts as fresh.
    pub refresh: Duration,
    /// How long after that it is believed while no other can be had.
    pub stale: Duration,
    /// How often at most an unknown key makes us ask.
    pub retry: Duration,
}

/// Names and passwords (RFC 7617).
#[derive(Debug)]
pub struct Basic {
    /// Who there is.
    pub users: Users,
    /// What a challenge calls the place.
    pub realm: Option<Arc<str>>,
}

/// What an upstream says of the visitor's credential.
#[derive(Debug)]
pub struct ForwardAuth {
    /// The call, and what is taken of the answer's content.
    pub source: Source<Binding>,
    /// Whether anything of the content is taken, as `claims` says.
    pub reads_content: bool,
    /// Claims that are taken from header fields of the answer.
    pub header_claims: Vec<(Arc<str>, HeaderName)>,
    /// What says that somebody asks.
    pub credentials: Credentials,
    /// What a challenge calls the place.
    pub realm: Option<Arc<str>>,
}

impl Auth {
    /// The identities that there are.
    pub fn identities(&self) -> Identities {
        let Self { jwt, basic, forward, written: _ } = self;
        let there = [
            (Identity::Jwt, jwt.is_some()),
            (Identity::Basic, basic.is_some()),
            (Identity::Forward, forward.is_some()),
        ];
        there.into_iter().filter_map(|(identity, is_there)| is_there.then_some(identity)).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.identities().is_empty()
    }

    /// What in a request says who asks, to one of these identities.
    pub fn credentials(&self, among: Identities) -> Credentials {
        let mut credentials = Credentials::default();
        if let Some(jwt) = self.jwt.as_ref().filter(|_| among.has(Identity::Jwt)) {
            credentials.cookies.extend(jwt.cookie.clone());
            credentials.fields.extend(jwt.bearer.then_some(AUTHORIZATION));
        }
        if self.basic.is_some() && among.has(Identity::Basic) {
            credentials.fields.push(AUTHORIZATION);
        }
        if let Some(forward) = self.forward.as_ref().filter(|_| among.has(Identity::Forward)) {
            credentials.cookies.extend(forward.credentials.cookies.iter().cloned());
            credentials.fields.extend(forward.credentials.fields.iter().cloned());
        }
        credentials.sort();
        credentials
    }
}
