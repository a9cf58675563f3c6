//! Users, and whether a password is theirs: argon2 (RFC 9106) in the text form that its tools write.
//!
//! Verifying takes as long for somebody who is not there as for somebody whose password is another: the costliest hash of the file stands for
//! those who have none. What it costs is bounded when the file is read. It takes milliseconds and megabytes, so whoever calls decides where,
//! and how often at once.

use crate::value::Value;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Octets that a password, or the name of a user, may have.
pub const LONGEST_PASSWORD: usize = 1024;
/// KiB of memory that one verification may take.
const MOST_MEMORY: u32 = 256 * 1024;
/// Passes over that memory.
const MOST_PASSES: u32 = 32;
/// Lanes.
const MOST_LANES: u32 = 16;
/// KiB of memory times passes: about two seconds.
const MOST_WORK: u32 = 4 * 256 * 1024;
/// KiB of memory of the hashes that we make, and passes over it: what OWASP recommends at least.
const NEW_MEMORY: u32 = 19 * 1024;
const NEW_PASSES: u32 = 2;
/// Octets of a digest.
const DIGEST: std::ops::RangeInclusive<usize> = 16..=64;

/// Why a text is not a hash that we verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Another function, or the password itself.
    #[error("it is not a hash of argon2")]
    NotArgon2,
    /// Cut, or changed by hand.
    #[error("it is a hash of argon2 that cannot be read")]
    Malformed,
    /// Whoever asks with any password could keep us busy.
    #[error("it takes more memory or time to verify than is allowed")]
    TooCostly,
}

/// What is known of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Arc<str>,
    algorithm: Algorithm,
    version: Version,
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl fmt::Debug for PasswordHash {
    /// Nothing that could be tried out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}

impl PasswordHash {
    /// Reads `$argon2id$v=19$m=19456,t=2,p=1$salt$digest`.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let mut parts = text.strip_prefix('$').ok_or(HashError::NotArgon2)?.split('$');
        let algorithm = match parts.next() {
            Some("argon2id") => Algorithm::Argon2id,
            Some("argon2i") => Algorithm::Argon2i,
            Some("argon2d") => Algorithm::Argon2d,
            _ => return Err(HashError::NotArgon2),
        };
        let mut next = || parts.next().ok_or(HashError::Malformed);
        let mut costs = next()?;
        // The first version did not say that it is one.
        let version = match costs.strip_prefix("v=") {
            Some(version) => {
                costs = next()?;
                version
            }
            None => "16",
        };
        let version = match version {
            "19" => Version::V0x13,
            "16" => Version::V0x10,
            _ => return Err(HashError::Malformed),
        };
        let (mut memory, mut passes, mut lanes) = (None, None, None);
        for cost in costs.split(',') {
            let (name, number) = cost.split_once('=').ok_or(HashError::Malformed)?;
            let known = match name {
                "m" => &mut memory,
                "t" => &mut passes,
                "p" => &mut lanes,
                _ => return Err(HashError::Malformed),
            };
            *known = Some(number.parse::<u32>().ok().filter(|_| known.is_none()).ok_or(HashError::Malformed)?);
        }
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_odd| HashError::Malformed);
        let (salt, digest) = (bytes(next()?)?, bytes(next()?)?);
        let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else {
            return Err(HashError::Malformed);
        };
        if parts.next().is_some() || !DIGEST.contains(&digest.len()) || !(8..=64).contains(&salt.len()) {
            return Err(HashError::Malformed);
        }
        if memory > MOST_MEMORY
            || passes > MOST_PASSES
            || lanes > MOST_LANES
            || memory.saturating_mul(passes) > MOST_WORK
        {
            return Err(HashError::TooCostly);
        }
        Params::new(memory, passes, lanes, Some(digest.len())).map_err(|_odd| HashError::Malformed)?;
        Ok(Self { text: text.into(), algorithm, version, memory, passes, lanes, salt, digest })
    }

    /// A hash of this password with a salt of its own, as it is written in the file; `None` if no random numbers are had, or the password is
    /// empty or too long.
    pub fn of(password: &[u8]) -> Option<String> {
        if password.is_empty() || password.len() > LONGEST_PASSWORD {
            return None;
        }
        let (mut salt, mut digest) = ([0; 16], [0; 32]);
        rand::fill(&mut salt).ok()?;
        let params = Params::new(NEW_MEMORY, NEW_PASSES, 1, Some(digest.len())).ok()?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password, &salt, &mut digest)
            .ok()?;
        let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest));
        Some(format!("$argon2id$v=19$m={NEW_MEMORY},t={NEW_PASSES},p=1${salt}${digest}"))
    }

    /// As it stands in the file: whoever remembers something of it remembers of which.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is that of this password.
    pub fn verify(&self, password: &[u8]) -> bool {
        let Self { text: _, algorithm, version, memory, passes, lanes, salt, digest } = self;
        let Ok(params) = Params::new(*memory, *passes, *lanes, Some(digest.len())) else { return false };
        let mut out = vec![0; digest.len()];
        let made = Argon2::new(*algorithm, *version, params).hash_password_into(password, salt, &mut out);
        made.is_ok() && verify_slices_are_equal(&out, digest).is_ok()
    }

    fn work(&self) -> u64 {
        u64::from(self.memory) * u64::from(self.passes)
    }
}

/// The users of a file.
#[derive(Debug, Clone, Default)]
pub struct Users {
    users: BTreeMap<Arc<str>, User>,
    /// What stands for somebody who is not there.
    nobody: Option<PasswordHash>,
}

#[derive(Debug, Clone)]
struct User {
    hash: PasswordHash,
    claims: Value,
}

impl Users {
    /// These users: each with what is known of the password, and with the claims.
    pub fn new(users: impl IntoIterator<Item = (Arc<str>, PasswordHash, Value)>) -> Self {
        let users: BTreeMap<_, _> =
            users.into_iter().map(|(name, hash, claims)| (name, User { hash, claims })).collect();
        let nobody = users.values().map(|user| &user.hash).max_by_key(|hash| hash.work()).cloned();
        Self { users, nobody }
    }

    /// What a password of this user must fit, whether or not there is one.
    pub fn hash(&self, name: &str) -> Option<&PasswordHash> {
        self.users.get(name).map(|user| &user.hash).or(self.nobody.as_ref())
    }

    /// What is known of a user.
    pub fn claims(&self, name: &str) -> Option<&Value> {
        self.users.get(name).map(|user| &user.claims)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}
