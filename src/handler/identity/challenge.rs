//! What a 401 says of how to become somebody (RFC 9110, section 11.6.1): a challenge of each identity that is asked for.

use super::Refused;
use crate::handler::runtime::Service;
use crate::site::{Auth, Identities, Identity};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};

/// Adds the challenges of these identities to the fields of a 401. `host` is whom the request was for.
pub(in crate::handler) fn challenges(
    service: &Service,
    refused: Option<&Refused>,
    among: Identities,
    host: &str,
    fields: &mut HeaderMap,
) {
    for challenge in of(&service.site.auth, refused, among, host) {
        fields.append(WWW_AUTHENTICATE, challenge);
    }
}

fn of(auth: &Auth, refused: Option<&Refused>, among: Identities, host: &str) -> Vec<HeaderValue> {
    let mut challenges = Vec::new();
    if let Some(jwt) = auth.jwt.as_ref().filter(|_| among.has(Identity::Jwt)) {
        let realm = jwt.realm.as_deref().unwrap_or(host);
        // RFC 6750, section 3: what is wrong is said to whom has sent a token.
        let why = refused.filter(|refused| refused.by == Identity::Jwt).map(|refused| refused.why.as_str());
        let error = [("error", "invalid_token"), ("error_description", why.unwrap_or_default())];
        let cookie = jwt.cookie.as_deref().filter(|_| !jwt.bearer).map(|name| ("cookie-name", name));
        let scheme = if jwt.bearer { "Bearer" } else { "Cookie" };
        let error = error.into_iter().filter(|_| why.is_some());
        challenges.push(challenge(scheme, [("realm", realm)].into_iter().chain(cookie).chain(error)));
    }
    if let Some(basic) = auth.basic.as_ref().filter(|_| among.has(Identity::Basic)) {
        let realm = basic.realm.as_deref().unwrap_or(host);
        challenges.push(challenge("Basic", [("realm", realm), ("charset", "UTF-8")]));
    }
    if let Some(forward) = auth.forward.as_ref().filter(|_| among.has(Identity::Forward)) {
        let said = refused.filter(|refused| refused.by == Identity::Forward).map(|refused| &refused.challenges);
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            challenges.extend(said.iter().cloned());
            return challenges;
        }
        let realm = forward.realm.as_deref().unwrap_or(host);
        let fields = &forward.credentials.fields;
        challenges.push(match (forward.credentials.cookies.first(), fields.first()) {
            (Some(cookie), _) => challenge("Cookie", [("realm", realm), ("cookie-name", cookie)]),
            // Whatever the upstream takes there, this is what most write there.
            (None, _) if fields.contains(&AUTHORIZATION) => challenge("Bearer", [("realm", realm)]),
            (None, Some(field)) => challenge("Header", [("realm", realm), ("header-name", field.as_str())]),
            (None, None) => challenge("Bearer", [("realm", realm)]),
        });
    }
    challenges
}

/// A scheme, and parameters as quoted strings.
fn challenge<'p>(scheme: &str, parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> HeaderValue {
    let mut text = scheme.to_owned();
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        text.push_str(if at == 0 { " " } else { ", " });
        text.push_str(name);
        text.push_str("=\"");
        for letter in value.chars().filter(|letter| !letter.is_control()) {
            if matches!(letter, '"' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        text.push('"');
    }
    // Beyond ASCII it is UTF-8, as most clients take it.
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static("Bearer"))
}
