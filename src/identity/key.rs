//! Keys that signatures are verified with, and the sets that they come in: PEM, a JWK, a JWK Set (RFC 7517), a secret.
//!
//! A key is read for the algorithms that the site allows, and takes part in no other: whether the algorithm that a token names fits the
//! type of a key is decided here, once, and not when the token comes. So no public key is ever taken for a secret.

use super::algorithm::{Algorithm, Method};
use super::{base64url, pem};
use crate::value::{JsonLimits, Value, parse_json};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use std::fmt;
use std::sync::Arc;

/// A set holds no more keys than this.
pub const MOST_KEYS: usize = 100;
/// So many JSON values are read of a set.
const MOST_VALUES: usize = 10_000;
/// Octets of an RSA modulus, at least: 2048 bits (RFC 7518, section 3.3).
const SHORTEST_MODULUS: usize = 256;

/// Why there are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor JSON.
    #[error("it is neither PEM, nor a JWK, nor a JWK Set")]
    Unreadable,
    /// Who verifies needs the public key, and nobody else's.
    #[error("it holds a private key, which does not belong here")]
    Private,
    /// A certificate.
    #[error("it is a certificate, and not a public key")]
    Certificate,
    /// More than [`MOST_KEYS`].
    #[error("it holds more than {MOST_KEYS} keys")]
    TooMany,
    /// None of an algorithm that is allowed.
    #[error("it holds no key that fits the algorithm")]
    NoneFits,
    /// A secret that could be tried out.
    #[error("the secret is shorter than the digest of its algorithm")]
    ShortSecret,
    /// A public key where a secret should be.
    #[error("it is a key in PEM, and the algorithm takes a secret")]
    PublicAsSecret,
}

/// Where keys come from, which says whether secrets may be among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believed {
    /// A file of the site.
    Own,
    /// An answer to a call that anybody could make: a secret that stands there is none.
    Fetched,
}

/// Keys.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// A key for one algorithm.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Option<Arc<str>>,
    pub(super) algorithm: Algorithm,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(Box<hmac::Key>),
    Public(Box<ParsedPublicKey>),
}

impl fmt::Debug for Key {
    /// Nothing of the key itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Key {
    /// Whether this is the signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Material::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

impl KeySet {
    /// The keys of a text: PEM, a JWK or a JWK Set.
    pub fn read(text: &str, algorithms: &[Algorithm], from: Believed) -> Result<Self, KeyError> {
        let keys = if pem::is_pem(text) { of_pem(text, algorithms)? } else { of_json(text, algorithms, from)? };
        if keys.is_empty() { Err(KeyError::NoneFits) } else { Ok(Self { keys }) }
    }

    /// A secret that both sides know; with `base64:` before it, the octets that stand there in Base64.
    pub fn of_secret(text: &str, algorithms: &[Algorithm]) -> Result<Self, KeyError> {
        if pem::is_pem(text) {
            return Err(KeyError::PublicAsSecret);
        }
        let secret = match text.strip_prefix("base64:") {
            Some(digits) => {
                let digits = digits.trim();
                base64url::decode_standard(digits).or_else(|| base64url::decode(digits)).ok_or(KeyError::Unreadable)?
            }
            None => text.as_bytes().to_vec(),
        };
        let keys: Vec<Key> = algorithms.iter().filter_map(|algorithm| of_octets(&secret, *algorithm, None)).collect();
        match (keys.is_empty(), algorithms.iter().any(|algorithm| algorithm.is_symmetric())) {
            (false, _) => Ok(Self { keys }),
            (true, true) => Err(KeyError::ShortSecret),
            (true, false) => Err(KeyError::NoneFits),
        }
    }

    /// The keys that a token of this algorithm and this key's name may be signed with; `None` if its key is not here.
    pub(super) fn of(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Vec<&Key>> {
        // Keys without names may be anybody's.
        let is_it =
            |key: &&Key| key.algorithm == algorithm && (id.is_none() || key.id.is_none() || key.id.as_deref() == id);
        let found: Vec<&Key> = self.keys.iter().filter(is_it).collect();
        (!found.is_empty()).then_some(found)
    }

    /// How many keys there are, of each for each algorithm that it may be used with.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

fn of_pem(text: &str, algorithms: &[Algorithm]) -> Result<Vec<Key>, KeyError> {
    let blocks = pem::blocks(text).ok_or(KeyError::Unreadable)?;
    if blocks.len() > MOST_KEYS {
        return Err(KeyError::TooMany);
    }
    let mut keys = Vec::new();
    for block in &blocks {
        match block.label {
            label if label.ends_with("PRIVATE KEY") => return Err(KeyError::Private),
            "CERTIFICATE" => return Err(KeyError::Certificate),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
            _ => return Err(KeyError::Unreadable),
        }
        keys.extend(algorithms.iter().filter_map(|algorithm| of_der(&block.content, *algorithm)));
    }
    Ok(keys)
}

/// A key as X.509 has it, or PKCS #1; the library compares its type, and its curve, with the algorithm's.
fn of_der(der: &[u8], algorithm: Algorithm) -> Option<Key> {
    // A raw key of Ed25519 or a bare point has no type in it that could be compared.
    let is_structure = der.first() == Some(&0x30);
    let parsed = match algorithm.method() {
        Method::Secret(_) => return None,
        Method::Rsa(parameters) => {
            // The library holds the exact limit when it verifies; what cannot have so long a modulus is told when it is read.
            (der.len() > SHORTEST_MODULUS).then(|| ParsedPublicKey::new(parameters, der).ok())?
        }
        Method::Curve(verification, ..) | Method::Edwards(verification) => ParsedPublicKey::new(verification, der).ok(),
    };
    let material = Material::Public(Box::new(parsed.filter(|_| is_structure)?));
    Some(Key { id: None, algorithm, material })
}

fn of_json(text: &str, algorithms: &[Algorithm], from: Believed) -> Result<Vec<Key>, KeyError> {
    let value = parse_json(text, JsonLimits { nodes: MOST_VALUES }).map_err(|_odd| KeyError::Unreadable)?;
    let keys = match value.get("keys") {
        Some(keys) => keys.as_list().ok_or(KeyError::Unreadable)?,
        None if value.get("kty").is_some() => std::slice::from_ref(&value),
        None => return Err(KeyError::Unreadable),
    };
    if keys.len() > MOST_KEYS {
        return Err(KeyError::TooMany);
    }
    // A private key that is here has been published, or was meant for somebody else.
    if from == Believed::Own && keys.iter().any(|key| text_of(key, "kty") != Some("oct") && key.get("d").is_some()) {
        return Err(KeyError::Private);
    }
    // What we do not know is for others (RFC 7517, section 5).
    Ok(keys.iter().flat_map(|key| of_jwk(key, algorithms, from)).collect())
}

fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

/// A JWK, for each algorithm that it may be used with.
fn of_jwk(jwk: &Value, algorithms: &[Algorithm], from: Believed) -> Vec<Key> {
    let is_absent = |name| jwk.get(name).is_none_or(Value::is_null);
    let verifies = |operations: &Value| {
        operations.as_list().is_some_and(|list| list.iter().any(|it| matches!(it.as_str(), Some("verify"))))
    };
    let is_for_signatures = (is_absent("use") || text_of(jwk, "use") == Some("sig"))
        && (is_absent("key_ops") || jwk.get("key_ops").is_some_and(verifies));
    let id = text_of(jwk, "kid").map(Arc::from);
    let is_meant = |algorithm: Algorithm| is_absent("alg") || text_of(jwk, "alg") == Some(algorithm.name());
    if !is_for_signatures || (!is_absent("kid") && id.is_none()) {
        return Vec::new();
    }
    let fitting = algorithms.iter().copied().filter(|algorithm| is_meant(*algorithm));
    fitting.filter_map(|algorithm| of_jwk_for(jwk, algorithm, id.clone(), from)).collect()
}

fn of_jwk_for(jwk: &Value, algorithm: Algorithm, id: Option<Arc<str>>, from: Believed) -> Option<Key> {
    let octets = |name| base64url::decode(text_of(jwk, name)?);
    let parsed = match (text_of(jwk, "kty")?, algorithm.method()) {
        ("oct", Method::Secret(_)) if from == Believed::Own => return of_octets(&octets("k")?, algorithm, id),
        ("RSA", Method::Rsa(parameters)) => {
            let without_zeros = |octets: Vec<u8>| {
                let zeros = octets.iter().take_while(|octet| **octet == 0).count();
                octets.get(zeros..).map(<[u8]>::to_vec)
            };
            let (n, e) = (without_zeros(octets("n")?)?, without_zeros(octets("e")?)?);
            if n.len() < SHORTEST_MODULUS {
                return None;
            }
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()?
        }
        ("EC", Method::Curve(verification, curve, length)) if text_of(jwk, "crv") == Some(curve) => {
            let (x, y) = (octets("x")?, octets("y")?);
            // Coordinates have the length of their field (RFC 7518, section 6.2.1.2); the library holds that they are on the curve.
            if x.len() != length || y.len() != length {
                return None;
            }
            ParsedPublicKey::new(verification, [&[4][..], &x, &y].concat()).ok()?
        }
        ("OKP", Method::Edwards(verification)) if text_of(jwk, "crv") == Some("Ed25519") => {
            let x = octets("x").filter(|x| x.len() == 32)?;
            ParsedPublicKey::new(verification, x).ok()?
        }
        _ => return None,
    };
    Some(Key { id, algorithm, material: Material::Public(Box::new(parsed)) })
}

fn of_octets(secret: &[u8], algorithm: Algorithm, id: Option<Arc<str>>) -> Option<Key> {
    let Method::Secret(hmac) = algorithm.method() else { return None };
    let is_long_enough = secret.len() >= algorithm.shortest_secret();
    is_long_enough.then(|| Key { id, algorithm, material: Material::Secret(Box::new(hmac::Key::new(hmac, secret))) })
}
