//! By what it is known who somebody is: `[auth.*]`, as requests are judged by it.
//!
//! A `Site` is data: keys that are fetched are fetched elsewhere, and what is remembered of tokens and passwords is remembered there.

mod decl;

pub(super) use decl::{AuthDecl, BasicDecl, ClaimDecl, CookieKeysDecl, ForwardDecl, JwtDecl};

use super::Credentials;
use crate::config::Binding;
use crate::identity::{Identities, Identity, KeySet, Rules, Users};
use crate::source::Source;
use crate::upstream::{Trust, Url};
use http::header::{AUTHORIZATION, HeaderName};
use std::sync::Arc;
use std::time::Duration;

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
