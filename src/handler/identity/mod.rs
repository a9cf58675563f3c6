//! Who sends a request, as far as the site's identities can tell.
//!
//! The first identity that a request carries a credential for says who it is, in the order token, password, upstream. What has to be waited for
//! is waited for: keys that are fetched, passwords that are verified on threads of their own, an upstream that is asked. Everything else is at
//! hand: tokens whose keys are there, passwords that were right a moment ago.
//!
//! What a stranger can make us do is bounded: a token that cannot be one costs a look at it, an unknown key makes keys be fetched once in a
//! while, and passwords are verified a few at a time. Nothing is shared between visitors but keys.
//!
//! | File | Holds |
//! |---|---|
//! | `credential` | what in a request speaks for somebody |
//! | `tokens` | tokens: remembered, or verified |
//! | `keys` | key sets that are fetched: fresh, stale, and one fetch at a time |
//! | `passwords` | names and passwords: remembered, or verified aside |
//! | `forward` | an upstream that is asked |
//! | `challenge` | what a 401 says |

mod challenge;
mod credential;
mod forward;
mod keys;
mod passwords;
mod tokens;

pub(super) use challenge::challenges;

use super::runtime::Service;
use crate::cache::{Digest, Digester};
use crate::site::{Identities, Identity, Keys, Site};
use crate::value::Value;
use aws_lc_rs::rand;
use credential::Credential;
use http::{HeaderMap, HeaderValue};
use keys::{KeySets, KeySetsOf};
use passwords::Passwords;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokens::Tokens;
use tokio::sync::watch;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Who {
    /// Somebody: an object of claims, which is `user`.
    User(Value),
    /// Nobody that we know.
    Nobody {
        /// What was wrong with the credential, if there was one.
        refused: Option<Refused>,
    },
    /// It cannot be told now, and may be later: 503.
    Unavailable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// A credential that is not believed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    /// By which identity.
    pub(super) by: Identity,
    /// Why, in words that may be shown.
    pub(super) why: String,
    /// The challenges that an upstream has answered with.
    challenges: Vec<HeaderValue>,
}

impl Who {
    const NOBODY: Self = Self::Nobody { refused: None };

    /// Nobody, because this identity does not believe the credential.
    fn refused(by: Identity, why: impl Into<String>) -> Self {
        Self::Nobody { refused: Some(Refused { by, why: why.into(), challenges: Vec::new() }) }
    }

    /// When there is nothing better to say.
    fn unavailable() -> Self {
        Self::Unavailable { retry_after: Duration::from_secs(1) }
    }
}

/// What is known at once, or what has to be waited for.
enum Step {
    Known(Who),
    /// Until the sender is gone.
    Wait(watch::Receiver<()>),
}

/// What outlives a site: keys that were fetched, and what was verified.
pub(super) struct Remembered {
    /// What is remembered is found by digests that nobody else can make.
    secret: [u8; 32],
    /// Counts the sites that were put into service: what one has verified is nothing to the next, which may have other keys and rules.
    generations: AtomicU64,
    tokens: Tokens,
    passwords: Passwords,
    key_sets: KeySetsOf,
}

impl Default for Remembered {
    fn default() -> Self {
        let mut secret = [0; 32];
        if rand::fill(&mut secret).is_err() {
            // The hashers of maps have random keys of their own.
            let numbers = (0..4).flat_map(|_| RandomState::new().build_hasher().finish().to_be_bytes());
            secret.iter_mut().zip(numbers).for_each(|(octet, random)| *octet = random);
        }
        Self {
            secret,
            generations: AtomicU64::new(0),
            tokens: Tokens::default(),
            passwords: Passwords::default(),
            key_sets: KeySetsOf::default(),
        }
    }
}

impl fmt::Debug for Remembered {
    /// Nothing that digests are made with.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remembered").field("key_sets", &self.key_sets).finish_non_exhaustive()
    }
}

impl Remembered {
    /// What is known of a thing of this kind, which consists of these parts, is found by this.
    fn digest(&self, kind: &str, generation: u64, parts: &[&[u8]]) -> Digest {
        let mut digester = Digester::new(kind);
        digester.bytes(&self.secret).number(generation);
        for part in parts {
            digester.bytes(part);
        }
        digester.finish()
    }
}

/// The identities of a site in service.
#[derive(Debug)]
pub(super) struct Serving {
    generation: u64,
    /// The keys that its issuer publishes.
    key_sets: Option<Arc<KeySets>>,
}

impl Serving {
    pub(super) fn of(site: &Site, remembered: &Remembered) -> Self {
        let fetched = site.auth.jwt.as_ref().and_then(|jwt| match &jwt.keys {
            Keys::Fetched(fetched) => Some((fetched, &jwt.rules.algorithms)),
            Keys::Own(_) => None,
        });
        let key_sets = remembered.key_sets.of(fetched.map(|(fetched, algorithms)| (fetched, algorithms.as_slice())));
        Self { generation: remembered.generations.fetch_add(1, Ordering::Relaxed), key_sets }
    }
}

/// Who sends a request with these fields, as these identities tell it before the `deadline`. Nothing is waited for that is at hand.
pub(super) async fn who(service: &Arc<Service>, fields: &HeaderMap, among: Identities, deadline: Instant) -> Who {
    match Credential::of(&service.site.auth, fields, among) {
        None => Who::NOBODY,
        Some(Credential::Malformed(by)) => Who::refused(by, "the credential is malformed"),
        Some(Credential::Token(jwt, text)) => {
            // Keys that are not there, and then one that is not among them.
            for _ in 0..3 {
                match tokens::judge(service, jwt, text) {
                    Step::Known(who) => return who,
                    Step::Wait(mut over) => {
                        // It ends when the sender goes, which is an error of its kind.
                        let waited = tokio::time::timeout_at(deadline.into(), over.changed()).await;
                        if waited.is_err() {
                            return Who::unavailable();
                        }
                    }
                }
            }
            Who::unavailable()
        }
        Some(Credential::Password(basic, text)) => passwords::verify(service, basic, text, deadline).await,
        Some(Credential::Forwarded(forward)) => forward::ask(service, forward, fields, deadline).await,
    }
}
