//! What cannot be guessed: the values of session cookies, and JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037).
//!
//! The keys are made of a text that stands here, so that every start has the same ones: nothing but a demo or a test may believe them.

use super::message::{from_base64, in_base64};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Who issues the tokens.
pub(super) const ISSUER: &str = "https://accounts.example";

/// For whom they are.
pub(super) const AUDIENCE: &str = "acme";

/// The keys that tokens are signed with, one after another.
pub(super) struct Keys {
    number: u32,
}

impl Keys {
    /// With the first one.
    pub(super) fn seeded() -> Self {
        Self { number: 1 }
    }

    /// From now on another one signs. The one before stays published: what it has signed is still about.
    pub(super) fn rotate(&mut self) {
        self.number += 1;
    }

    /// The public halves (RFC 7517).
    pub(super) fn published(&self) -> Value {
        let keys = self.numbers().filter_map(|number| {
            let x = in_base64(pair(number)?.public_key());
            let kid = id(number);
            Some(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x }))
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// A token that claims this.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        token(self.number, &in_base64(claims.to_string()))
    }

    /// What a token claims, if it is one of ours and its time is not over.
    pub(super) fn verified(&self, given: &str, now: u64) -> Option<Value> {
        let claims = given.split('.').nth(1)?;
        // Equal claims have equal signatures, so ours can be compared.
        let is_ours = self.numbers().any(|number| token(number, claims).as_deref() == Some(given));
        let claims: Value = serde_json::from_slice(&from_base64(claims)?).ok()?;
        (is_ours && claims["exp"].as_u64()? > now).then_some(claims)
    }

    fn numbers(&self) -> std::ops::RangeInclusive<u32> {
        self.number.saturating_sub(1).max(1)..=self.number
    }
}

/// The token with these claims that a key signs.
fn token(number: u32, claims: &str) -> Option<String> {
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": id(number) });
    let signed = format!("{}.{claims}", in_base64(header.to_string()));
    let signature = pair(number)?.sign(signed.as_bytes());
    Some(format!("{signed}.{}", in_base64(signature)))
}

fn id(number: u32) -> String {
    format!("example-{number}")
}

fn pair(number: u32) -> Option<Ed25519KeyPair> {
    let seed = digest(&SHA256, format!("a key for demos and tests, number {number}").as_bytes());
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()
}

/// Text that nobody guesses.
pub(super) fn random() -> String {
    let mut octets = [0; 18];
    // Without it there is no telling one visitor from another.
    aws_lc_rs::rand::fill(&mut octets).expect("the system's random numbers");
    in_base64(octets)
}
