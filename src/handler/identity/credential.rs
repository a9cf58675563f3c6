//! What in a request speaks for somebody, and to which identity: the first that there is something for.

use crate::fields::cookies;
use crate::site::{Auth, Basic, ForwardAuth, Identities, Identity, Jwt};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What speaks for somebody.
#[derive(Debug)]
pub(super) enum Credential<'c> {
    /// A token.
    Token(&'c Jwt, &'c str),
    /// A name and a password, still in Base64.
    Password(&'c Basic, &'c str),
    /// What an upstream will look at.
    Forwarded(&'c ForwardAuth),
    /// What nobody can read, and was meant for this identity.
    Malformed(Identity),
}

/// The one `Authorization` of a request.
enum Authorization<'f> {
    None,
    /// A scheme and what follows it.
    Some(&'f str, &'f str),
    /// Several, or one that is no text.
    Malformed,
}

impl<'f> Authorization<'f> {
    fn of(fields: &'f HeaderMap) -> Self {
        let mut lines = fields.get_all(AUTHORIZATION).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::None,
            (Some(line), None) => match line.to_str() {
                Ok(text) => {
                    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
                    Self::Some(scheme, rest.trim_start_matches(' '))
                }
                Err(_) => Self::Malformed,
            },
            // It is not a list (RFC 9110, section 11.6.2): whoever reads the other one sees somebody else.
            (Some(_), Some(_)) => Self::Malformed,
        }
    }

    /// What follows the scheme, if it is this one; schemes do not tell case (RFC 9110, section 11.1).
    fn after(&self, wanted: &str) -> Option<Result<&'f str, ()>> {
        match self {
            Self::None => None,
            Self::Some(scheme, rest) if scheme.eq_ignore_ascii_case(wanted) => {
                Some(if rest.is_empty() { Err(()) } else { Ok(rest) })
            }
            Self::Some(..) => None,
            Self::Malformed => Some(Err(())),
        }
    }
}

impl<'c> Credential<'c> {
    /// What speaks for somebody to one of these identities.
    pub(super) fn of(auth: &'c Auth, fields: &'c HeaderMap, among: Identities) -> Option<Self> {
        let authorization = Authorization::of(fields);
        if let Some(jwt) = auth.jwt.as_ref().filter(|_| among.has(Identity::Jwt)) {
            match authorization.after("bearer").filter(|_| jwt.bearer) {
                Some(Ok(token)) => return Some(Self::Token(jwt, token)),
                Some(Err(())) => return Some(Self::Malformed(Identity::Jwt)),
                None => {}
            }
            let cookie = jwt.cookie.as_ref().and_then(|name| {
                cookies(fields).find_map(|(known, value)| (known == name.as_bytes()).then_some(value))
            });
            if let Some(value) = cookie.filter(|value| !value.is_empty()) {
                let token = std::str::from_utf8(value).map(|token| Self::Token(jwt, token));
                return Some(token.unwrap_or(Self::Malformed(Identity::Jwt)));
            }
        }
        if let Some(basic) = auth.basic.as_ref().filter(|_| among.has(Identity::Basic)) {
            match authorization.after("basic") {
                Some(Ok(text)) => return Some(Self::Password(basic, text)),
                Some(Err(())) => return Some(Self::Malformed(Identity::Basic)),
                None => {}
            }
        }
        let forward = auth.forward.as_ref().filter(|_| among.has(Identity::Forward))?;
        forward.credentials.is_in(fields).then_some(Self::Forwarded(forward))
    }
}
