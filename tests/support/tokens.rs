//! Issuers of tokens: each has a key, publishes it, and signs whatever it is told to.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::time::{Duration, SystemTime};

/// Who signs, with a key of its own (ES256).
#[derive(Debug)]
pub(crate) struct Issuer {
    name: String,
    key: EcdsaKeyPair,
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970, so many from now.
pub(crate) fn seconds(from_now: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(now.as_secs()).expect("a time of our days") + from_now
}

impl Issuer {
    /// One whose key has this name.
    pub(crate) fn new(name: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { name: name.to_owned(), key }
    }

    /// Its public key, as a JWK.
    pub(crate) fn jwk(&self) -> String {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let (name, x, y) = (&self.name, encoded(x), encoded(y));
        format!(r#"{{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"{name}","x":"{x}","y":"{y}"}}"#)
    }

    /// The same in PEM.
    pub(crate) fn pem(&self) -> String {
        // An X.509 SubjectPublicKeyInfo of a point of P-256 is always the same, up to the point.
        let head = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let digits = STANDARD.encode([&head[..], self.key.public_key().as_ref()].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{digits}\n-----END PUBLIC KEY-----\n")
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &str) -> String {
        self.with_header(&format!(r#"{{"alg":"ES256","typ":"JWT","kid":"{}"}}"#, self.name), claims)
    }

    /// A token for somebody of this name, for the next hour.
    pub(crate) fn for_name(&self, name: &str) -> String {
        self.token(&format!(r#"{{"name":"{name}","role":"admin","exp":{}}}"#, seconds(3600)))
    }

    /// A token with this header.
    pub(crate) fn with_header(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", encoded(signature))
    }
}

/// The key set of these issuers.
pub(crate) fn key_set(issuers: &[&Issuer]) -> String {
    let keys: Vec<String> = issuers.iter().map(|issuer| issuer.jwk()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A token that is signed with a shared secret (HS256).
pub(crate) fn hs256(header: &str, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", encoded(tag))
}

/// A token that nobody has signed.
pub(crate) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}.", encoded(header), encoded(claims))
}

/// The field of a name and a password.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// The hash of a password, as cheap as there is one.
pub(crate) fn argon2(password: &str) -> String {
    let params = argon2::Params::new(64, 1, 1, Some(32)).expect("costs");
    let mut digest = [0; 32];
    let made = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params).hash_password_into(
        password.as_bytes(),
        b"somesalt",
        &mut digest,
    );
    made.expect("a digest");
    let digits = base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest);
    format!("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ${digits}")
}
