//! Values of cookies that only we can have made: signed, so that anybody may read them and nobody can change them; or sealed, so that nobody can
//! read them either.
//!
//! Of each declared secret there is one key to sign and one to seal (HKDF, RFC 5869), so that neither can stand for the other. The name of the
//! cookie and its end are bound to the value: what was made for one cookie is nothing in another, and what a browser keeps too long is nothing
//! either. The first secret makes; all of them open, so that secrets can be changed without anybody being signed out.
//!
//! - Signed: `v1.<value>.<end and HMAC-SHA-256>`. Sealed: `v1.<end, nonce, and AES-256-GCM-SIV>`. Each part is Base64url. The end is seconds
//!   since 1970 in eight octets; all ones, if there is none. GCM-SIV (RFC 8452), because its nonces may be drawn at random without counting.

use super::base64url;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Octets of a secret, at least.
pub const SHORTEST_COOKIE_KEY: usize = 32;
/// Browsers keep no longer value than this.
const LONGEST_VALUE: usize = 4096;
/// What every value begins with.
const VERSION: &str = "v1.";
/// Octets of an end.
const END: usize = 8;
/// Octets of a signature.
const TAG: usize = 32;

/// What is done to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seal {
    /// Anybody may read it.
    Signed,
    /// Nobody may.
    Sealed,
}

/// The keys of a site, the one that makes first.
#[derive(Clone)]
pub struct CookieKeys(Vec<Pair>);

#[derive(Clone)]
struct Pair {
    signing: hmac::Key,
    sealing: [u8; 32],
}

impl fmt::Debug for CookieKeys {
    /// How many there are.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CookieKeys").field(&self.0.len()).finish()
    }
}

/// So many octets of a key.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Pair {
    fn of(secret: &[u8]) -> Option<Self> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"siteserver cookies").extract(secret);
        let derived = |purpose: &[u8]| {
            let mut key = [0; 32];
            let purpose = [purpose];
            let filled = extracted.expand(&purpose, Length(key.len())).and_then(|okm| okm.fill(&mut key));
            filled.ok().map(|()| key)
        };
        let signing = hmac::Key::new(hmac::HMAC_SHA256, &derived(b"sign v1")?);
        Some(Self { signing, sealing: derived(b"seal v1")? })
    }

    fn sealing(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM_SIV, &self.sealing).ok().map(LessSafeKey::new)
    }
}

impl CookieKeys {
    /// The keys of these secrets, of which the first makes; `None` without one, or if one is shorter than [`SHORTEST_COOKIE_KEY`].
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Option<Self> {
        let pair = |secret: &[u8]| (secret.len() >= SHORTEST_COOKIE_KEY).then(|| Pair::of(secret)).flatten();
        let pairs: Vec<Pair> = secrets.into_iter().map(pair).collect::<Option<_>>()?;
        (!pairs.is_empty()).then_some(Self(pairs))
    }

    /// The text of a cookie of this name with this value, until `end`, or as long as its browser keeps it; `None` if it is longer than browsers
    /// keep, or if no random numbers are had.
    pub fn make(&self, seal: Seal, name: &str, value: &str, end: Option<SystemTime>) -> Option<String> {
        let pair = self.0.first()?;
        let end = octets(end);
        let made = match seal {
            Seal::Signed => {
                let tag = hmac::sign(&pair.signing, &bound(name, end, value.as_bytes()));
                let proof = [&end[..], tag.as_ref()].concat();
                Some(format!("{VERSION}{}.{}", base64url::encode(value.as_bytes()), base64url::encode(&proof)))
            }
            Seal::Sealed => {
                let mut nonce = [0; NONCE_LEN];
                rand::fill(&mut nonce).ok()?;
                let mut content = value.as_bytes().to_vec();
                let about = Aad::from(bound(name, end, b""));
                let nonce_of = Nonce::assume_unique_for_key(nonce);
                pair.sealing()?.seal_in_place_append_tag(nonce_of, about, &mut content).ok()?;
                Some(format!("{VERSION}{}", base64url::encode(&[&end[..], &nonce, &content].concat())))
            }
        };
        made.filter(|text| text.len() <= LONGEST_VALUE)
    }

    /// The value of a cookie of this name, if one of the keys has made it and its end has not come; anything else is nothing.
    pub fn open(&self, seal: Seal, name: &str, text: &str, now: SystemTime) -> Option<String> {
        let rest = text.strip_prefix(VERSION).filter(|_| text.len() <= LONGEST_VALUE)?;
        let (end, value) = match seal {
            Seal::Signed => self.signed(name, rest)?,
            Seal::Sealed => self.sealed(name, rest)?,
        };
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::MAX).as_secs();
        (now < u64::from_be_bytes(end)).then(|| String::from_utf8(value).ok()).flatten()
    }

    fn signed(&self, name: &str, rest: &str) -> Option<([u8; END], Vec<u8>)> {
        let (value, proof) = rest.split_once('.')?;
        let (value, proof) = (base64url::decode(value)?, base64url::decode(proof)?);
        let (end, tag) = proof.split_first_chunk::<END>().filter(|(_, tag)| tag.len() == TAG)?;
        let content = bound(name, *end, &value);
        let is_ours = self.0.iter().any(|pair| hmac::verify(&pair.signing, &content, tag).is_ok());
        is_ours.then_some((*end, value))
    }

    fn sealed(&self, name: &str, rest: &str) -> Option<([u8; END], Vec<u8>)> {
        let content = base64url::decode(rest)?;
        let (end, content) = content.split_first_chunk::<END>()?;
        let (nonce, content) = content.split_first_chunk::<NONCE_LEN>()?;
        let about = bound(name, *end, b"");
        self.0.iter().find_map(|pair| {
            let mut content = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = pair.sealing()?.open_in_place(nonce, Aad::from(&about), &mut content).ok()?.len();
            content.truncate(opened);
            Some((*end, content))
        })
    }
}

/// An end in octets.
fn octets(end: Option<SystemTime>) -> [u8; END] {
    let seconds = end.map(|end| end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs());
    seconds.unwrap_or(u64::MAX).to_be_bytes()
}

/// What a value is bound to, and the value: no two of them have the same octets.
fn bound(name: &str, end: [u8; END], value: &[u8]) -> Vec<u8> {
    [&(name.len() as u64).to_be_bytes()[..], name.as_bytes(), &end, value].concat()
}
