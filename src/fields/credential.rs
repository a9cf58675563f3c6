//! Which header fields carry a credential, by their names: what is answered to one is for whoever sent it.
//!
//! `Authorization` and `Cookie` do (RFC 9110, section 11.6.2; RFC 6265). Interfaces have invented many more, of which no list is complete, so
//! the words of a name are looked at. A field that is wrongly taken for one costs a page its place in the store; one that is wrongly not
//! taken for one would show a visitor's page to others.

use http::header::HeaderName;

/// A field whose name has one of these words carries a credential.
const WORDS: [&str; 13] = [
    "auth",
    "authorization",
    "authentication",
    "apikey",
    "assertion",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "password",
    "secret",
    "session",
    "token",
];

/// Whether a header field of a request says who sends it, in a way that is to be kept secret: `authorization`, `cookie`, `x-api-key`,
/// `x-auth-token`.
pub fn is_credential(name: &HeaderName) -> bool {
    let words = || name.as_str().split(['-', '_', '.']);
    let is_key = words().zip(words().skip(1)).any(|pair| matches!(pair, ("api" | "access" | "auth", "key")));
    is_key || words().any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_by_their_names() {
        for (name, expected) in [
            ("authorization", true),
            ("proxy-authorization", true),
            ("cookie", true),
            ("x-api-key", true),
            ("apikey", true),
            ("api_key", true),
            ("x-auth-token", true),
            ("x-access-key", true),
            ("x-csrf-token", true),
            ("x-amz-security-token", true),
            ("cf-access-jwt-assertion", true),
            ("x-session", true),
            ("accept-language", false),
            ("user-agent", false),
            ("x-forwarded-for", false),
            ("idempotency-key", false),
            ("sec-websocket-key", false),
            ("x-author", false),
            ("x-request-id", false),
        ] {
            assert_eq!(is_credential(&HeaderName::from_static(name)), expected, "{name}");
        }
    }
}
