//! Which header fields carry a credential, or say who or where somebody is, by their names: what is answered to one is for whoever sent it.
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

/// A field whose name has one of these words says who somebody is, or where: proxies that know their visitors add such.
const PERSONS: [&str; 22] = [
    "account",
    "cert",
    "customer",
    "dpop",
    "email",
    "from",
    "identity",
    "ip",
    "login",
    "mail",
    "member",
    "oidc",
    "person",
    "principal",
    "sso",
    "subject",
    "uid",
    "user",
    "userid",
    "userinfo",
    "username",
    "visitor",
];
/// Such a field whose words do not tell.
const FORWARDED: [&str; 2] = ["forwarded", "x-forwarded-for"];
/// Fields with such words that are about programs.
const OF_PROGRAMS: [&str; 1] = ["user-agent"];

/// Whether a header field of a request is one person's: a [credential](is_credential), or what says who somebody is or where:
/// `x-forwarded-user`, `client-cert` (RFC 9440), `from` (RFC 9110, section 10.1.2), `forwarded` (RFC 7239), `x-real-ip`.
pub fn is_of_person(name: &HeaderName) -> bool {
    let text = name.as_str();
    let is_person = |word| PERSONS.contains(&word);
    is_credential(name)
        || FORWARDED.contains(&text)
        || (!OF_PROGRAMS.contains(&text) && text.split(['-', '_', '.']).any(is_person))
}

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

    #[test]
    fn what_says_who_or_where_somebody_is_is_theirs() {
        for (name, expected) in [
            ("authorization", true),
            ("forwarded", true),
            ("x-forwarded-for", true),
            ("x-real-ip", true),
            ("cf-connecting-ip", true),
            ("true-client-ip", true),
            ("x-forwarded-user", true),
            ("x-forwarded-email", true),
            ("remote-user", true),
            ("x-user-id", true),
            ("x-ms-client-principal", true),
            ("x-goog-authenticated-user-email", true),
            ("x-amzn-oidc-data", true),
            ("client-cert", true),
            ("dpop", true),
            ("from", true),
            ("user-agent", false),
            ("accept-language", false),
            ("x-forwarded-proto", false),
            ("x-forwarded-host", false),
            ("cf-ipcountry", false),
            ("sec-ch-ua-mobile", false),
            ("save-data", false),
            ("x-request-id", false),
        ] {
            assert_eq!(is_of_person(&HeaderName::from_static(name)), expected, "{name}");
        }
    }
}
