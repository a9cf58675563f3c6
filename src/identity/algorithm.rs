//! Algorithms of signatures (RFC 7518, section 3; RFC 8037, section 3.1).
//!
//! `none` is not among them, and neither is anything that encrypts: what is not here cannot be declared, and a token that names it is refused.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, VerificationAlgorithm,
};

crate::config::words! {
    /// An algorithm that tokens are signed with.
    pub enum Algorithm {
        /// HMAC with SHA-256: who can verify can also sign.
        "HS256": Hs256,
        /// HMAC with SHA-384.
        "HS384": Hs384,
        /// HMAC with SHA-512.
        "HS512": Hs512,
        /// RSA (PKCS #1) with SHA-256.
        "RS256": Rs256,
        /// RSA (PKCS #1) with SHA-384.
        "RS384": Rs384,
        /// RSA (PKCS #1) with SHA-512.
        "RS512": Rs512,
        /// RSA (PSS) with SHA-256.
        "PS256": Ps256,
        /// RSA (PSS) with SHA-384.
        "PS384": Ps384,
        /// RSA (PSS) with SHA-512.
        "PS512": Ps512,
        /// ECDSA on the curve P-256 with SHA-256.
        "ES256": Es256,
        /// ECDSA on the curve P-384 with SHA-384.
        "ES384": Es384,
        /// Ed25519.
        "EdDSA": EdDsa,
    }
}

/// What verifies signatures of an algorithm.
#[derive(Clone, Copy)]
pub(super) enum Method {
    /// A secret that both sides have.
    Secret(hmac::Algorithm),
    Rsa(&'static RsaParameters),
    /// A point of a curve: its name in keys, and how many octets a coordinate has.
    Curve(&'static dyn VerificationAlgorithm, &'static str, usize),
    /// Ed25519, whose keys are octet strings (RFC 8032).
    Edwards(&'static dyn VerificationAlgorithm),
}

impl Algorithm {
    /// The algorithm of this name, as tokens and keys spell it.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::WORDS.get(self as usize).copied().unwrap_or_default()
    }

    /// Whether who verifies has the same key as who signs.
    pub fn is_symmetric(self) -> bool {
        matches!(self.method(), Method::Secret(_))
    }

    /// Octets that a shared secret has at least (RFC 7518, section 3.2).
    pub fn shortest_secret(self) -> usize {
        match self.method() {
            Method::Secret(hmac) => hmac.digest_algorithm().output_len(),
            Method::Rsa(_) | Method::Curve(..) | Method::Edwards(_) => 0,
        }
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::Hs256 => Method::Secret(hmac::HMAC_SHA256),
            Self::Hs384 => Method::Secret(hmac::HMAC_SHA384),
            Self::Hs512 => Method::Secret(hmac::HMAC_SHA512),
            Self::Rs256 => Method::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Method::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Method::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Method::Rsa(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Method::Rsa(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Method::Rsa(&RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Method::Curve(&ECDSA_P256_SHA256_FIXED, "P-256", 32),
            Self::Es384 => Method::Curve(&ECDSA_P384_SHA384_FIXED, "P-384", 48),
            Self::EdDsa => Method::Edwards(&ED25519),
        }
    }
}

/// All of them, in the order of their words.
const ALL: [Algorithm; 12] = [
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(ALL.len(), Algorithm::WORDS.len());
        for (algorithm, word) in ALL.into_iter().zip(Algorithm::WORDS) {
            assert_eq!((algorithm.name(), Algorithm::named(word)), (*word, Some(algorithm)));
        }
        for name in ["none", "None", "", "hs256", "RS256 ", "ES256K", "dir", "A128KW"] {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
        assert_eq!((Algorithm::Hs512.shortest_secret(), Algorithm::Rs256.shortest_secret()), (64, 0));
    }
}
