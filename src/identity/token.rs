//! A token (RFC 7515, RFC 7519): taken apart, judged, verified.
//!
//! What is cheap comes first: size, form, algorithm, and whether its key is there. Then the signature, and only then are the claims read: nothing
//! is parsed that the issuer has not signed, but for the header. The header chooses among our keys and brings none (`jwk`, `jku`, `x5u` and
//! `x5c` are not read), and the rules of RFC 8725 hold: the algorithm is one of those that the site names, and fits the type of the key.

use super::algorithm::Algorithm;
use super::base64url;
use super::key::KeySet;
use crate::value::{JsonLimits, Object, Value, parse_json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A token is not longer than this, in octets.
pub const LONGEST_TOKEN: usize = 8 * 1024;
/// A header that chooses a key needs less.
const LONGEST_HEADER: usize = 2 * 1024;
/// JSON values in the header, and in the claims.
const MOST_VALUES: usize = 1_000;
/// Of keys that have no names, so many are tried.
const MOST_TRIES: usize = 8;

/// Which tokens are believed.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What they may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// Who may have issued them; anybody who has the key, if there are none.
    pub issuers: Vec<Arc<str>>,
    /// Whom they must be meant for: one of these; anybody, if there are none.
    pub audiences: Vec<Arc<str>>,
    /// How far clocks may be apart.
    pub leeway: Duration,
    /// How old they may be, whatever they say themselves.
    pub max_age: Option<Duration>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`LONGEST_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of Base64url, of which the first two are JSON objects.
    #[error("the token is malformed")]
    Malformed,
    /// The header demands what we do not know (RFC 7515, section 4.1.11).
    #[error("the token has critical extensions")]
    Critical,
    /// Not one of those that the site names.
    #[error("the algorithm of the token is not accepted")]
    Algorithm,
    /// No key of this name that fits the algorithm.
    #[error("the key of the token is unknown")]
    UnknownKey,
    /// Not what the key has signed.
    #[error("the signature is not valid")]
    Signature,
    /// Its time is over, or it does not say when that is.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come, or it was issued in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// Older than `max-age`, or it does not say how old it is.
    #[error("the token is too old")]
    TooOld,
    /// Of another issuer.
    #[error("the issuer of the token is not accepted")]
    Issuer,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    Audience,
}

/// A token taken apart.
#[derive(Debug)]
pub struct Token<'t> {
    signed: &'t str,
    claims: &'t str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    key: Option<String>,
}

/// What a token says, its signature verified.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its claims.
    pub claims: Value,
    /// From when to when it holds.
    pub times: Times,
}

/// From when to when a token holds, in seconds since 1970, as the token and the rules say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// Not before this.
    from: Option<f64>,
    /// Not from this on.
    expires: Option<f64>,
    /// Because it is too old then.
    ages: Option<f64>,
    leeway: f64,
}

impl<'t> Token<'t> {
    /// Takes a token apart, and judges what costs little: its form and its algorithm.
    pub fn read(text: &'t str, rules: &Rules) -> Result<Self, Refusal> {
        if text.len() > LONGEST_TOKEN {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        if header.len() > LONGEST_HEADER || claims.contains('.') {
            return Err(Refusal::Malformed);
        }
        let header = object(header).ok_or(Refusal::Malformed)?;
        let text_of = |name| header.get(name).map(|value| value.as_str().ok_or(Refusal::Malformed)).transpose();
        let algorithm = text_of("alg")?.ok_or(Refusal::Malformed)?;
        // We know none, so whatever stands there is not understood; an empty list is not allowed either.
        if header.get("crit").is_some() {
            return Err(Refusal::Critical);
        }
        let algorithm = Algorithm::named(algorithm).filter(|algorithm| rules.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(Refusal::Algorithm)?;
        let key = text_of("kid")?.map(str::to_owned);
        let signature = base64url::decode(signature).ok_or(Refusal::Malformed)?;
        Ok(Self { signed, claims, signature, algorithm, key })
    }

    /// Whether its key is among these.
    pub fn has_key(&self, keys: &KeySet) -> bool {
        keys.of(self.algorithm, self.key.as_deref()).is_some()
    }

    /// Verifies the signature, and then the claims but for the times, which are judged by [`Times::judge`].
    pub fn verify(&self, keys: &KeySet, rules: &Rules) -> Result<Verified, Refusal> {
        let keys = keys.of(self.algorithm, self.key.as_deref()).ok_or(Refusal::UnknownKey)?;
        let is_signed = |key: &&super::key::Key| key.verifies(self.signed.as_bytes(), &self.signature);
        if !keys.into_iter().take(MOST_TRIES).any(|key| is_signed(&key)) {
            return Err(Refusal::Signature);
        }
        let claims = object(self.claims).ok_or(Refusal::Malformed)?;
        let times = Times::of(&claims, rules)?;
        if !rules.issuers.is_empty() && !names(claims.get("iss"), &rules.issuers, false) {
            return Err(Refusal::Issuer);
        }
        if !rules.audiences.is_empty() && !names(claims.get("aud"), &rules.audiences, true) {
            return Err(Refusal::Audience);
        }
        Ok(Verified { claims: claims.into(), times })
    }
}

impl Times {
    fn of(claims: &Object, rules: &Rules) -> Result<Self, Refusal> {
        // A `NumericDate` (RFC 7519, section 2), which may have a fraction.
        let date = |name| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|date| date.is_finite()).map(Some).ok_or(Refusal::Malformed),
        };
        let (expires, not_before, issued) = (date("exp")?, date("nbf")?, date("iat")?);
        let ages = match rules.max_age {
            Some(max_age) => Some(issued.ok_or(Refusal::TooOld)? + max_age.as_secs_f64()),
            None => None,
        };
        // What says no end, and is given none, would hold for ever.
        if expires.is_none() && ages.is_none() {
            return Err(Refusal::Expired);
        }
        let from = match (not_before, issued) {
            (Some(not_before), Some(issued)) => Some(not_before.max(issued)),
            (one, other) => one.or(other),
        };
        Ok(Self { from, expires, ages, leeway: rules.leeway.as_secs_f64() })
    }

    /// Whether it holds at `now`.
    pub fn judge(&self, now: SystemTime) -> Result<(), Refusal> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        // RFC 7519, sections 4.1.4 and 4.1.5: before the one, and not before the other.
        if self.expires.is_some_and(|expires| now >= expires + self.leeway) {
            return Err(Refusal::Expired);
        }
        if self.ages.is_some_and(|ages| now >= ages + self.leeway) {
            return Err(Refusal::TooOld);
        }
        if self.from.is_some_and(|from| now + self.leeway < from) {
            return Err(Refusal::NotYet);
        }
        Ok(())
    }
}

/// The JSON object that a part of a token is.
fn object(part: &str) -> Option<Object> {
    let text = String::from_utf8(base64url::decode(part)?).ok()?;
    parse_json(text, JsonLimits { nodes: MOST_VALUES }).ok()?.as_object().cloned()
}

/// Whether a claim names one of these; as a list if it may be one (RFC 7519, section 4.1.3).
fn names(claim: Option<&Value>, known: &[Arc<str>], may_be_list: bool) -> bool {
    let is_known = |value: &Value| value.as_str().is_some_and(|text| known.iter().any(|name| **name == *text));
    match claim {
        Some(Value::List(items)) if may_be_list => items.iter().any(is_known),
        Some(value) => is_known(value),
        None => false,
    }
}
