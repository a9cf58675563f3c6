//! Which scripts of other sites may read a route's answers: CORS, as the Fetch standard has it. Off unless declared.
//!
//! The methods are those that the route answers, so nobody writes them. One origin, or any, is said to everybody; among
//! several the one that asks is picked, and only then do answers vary by `Origin`.

use super::code;
use crate::config::declare;
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::upstream::Url;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

declare! {
    /// Which scripts of other sites may read the answers. The methods are those that the route answers.
    pub struct Decl {
        /// The sites: `["https://app.example.com"]`, or `["*"]` for any.
        "origins": origins: Vec<Spanned<String>>,
        /// Header fields of requests that a preflight allows, besides those that are always allowed.
        "headers": headers: Vec<Spanned<String>>,
        /// Whether requests may carry the visitor's cookies; default `false`. Never together with any origin.
        "credentials": credentials: Spanned<bool>,
        /// How long a browser may remember the answer to a preflight; default `5s`, as browsers have it.
        "max-age": max_age: Spanned<Duration>,
    }
}

/// Which scripts of other sites may read the answers of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    origins: Origins,
    /// For preflights.
    headers: Option<HeaderValue>,
    credentials: bool,
    max_age: Option<HeaderValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origins {
    /// The same for everybody: one origin, or `*`.
    Fixed(HeaderValue),
    Several(Vec<HeaderValue>),
}

impl Cors {
    /// What a `cors` table says; `None` without a sound origin.
    pub fn compile(decl: &Decl, findings: &mut Findings) -> Option<Self> {
        let written = decl.origins.as_deref().unwrap_or_default();
        let credentials = decl.credentials.is_some_and(|credentials| credentials.value);
        if written.is_empty() {
            let message = "`cors` without `origins`";
            let help = "name the sites whose scripts may read the answers: origins = [\"https://app.example.com\"]";
            findings.push(Finding::new(&code::CORS, decl.place, message).help(help));
            return None;
        }
        let any = written.iter().find(|origin| origin.value == "*");
        if let (Some(any), Some(flag), true) = (any, decl.credentials, credentials) {
            let message = "any origin, with the visitor's credentials";
            findings.push(
                Finding::new(&code::CORS, any.place, message)
                    .related(flag.place, "the credentials")
                    .help("every site could read what is the visitor's: name the origins"),
            );
            return None;
        }
        if let (Some(any), true) = (any, written.len() > 1) {
            let message = "any origin, beside others";
            findings.push(Finding::new(&code::CORS, any.place, message).help("origins = [\"*\"] or the others"));
            return None;
        }
        let origins: Vec<HeaderValue> = written.iter().filter_map(|text| origin(text, findings)).collect();
        let headers = decl.headers.iter().flatten().filter_map(|name| field(name, findings));
        let headers: Vec<HeaderName> = headers.collect();
        let headers: Vec<&str> = headers.iter().map(HeaderName::as_str).collect();
        let max_age = decl.max_age.map(|age| HeaderValue::from(age.value.as_secs()));
        let origins = match <[HeaderValue; 1]>::try_from(origins) {
            Ok([one]) => Origins::Fixed(one),
            Err(none) if none.is_empty() => return None,
            Err(several) => Origins::Several(several),
        };
        let headers = HeaderValue::from_str(&headers.join(", ")).ok().filter(|value| !value.is_empty());
        Some(Self { origins, headers, credentials, max_age })
    }

    /// Adds to the `fields` of an answer what lets a script read it that asks from `origin`.
    pub fn allow(&self, origin: Option<&HeaderValue>, fields: &mut HeaderMap) {
        let allowed = match &self.origins {
            Origins::Fixed(allowed) => Some(allowed),
            Origins::Several(allowed) => {
                fields.append(header::VARY, HeaderValue::from_static("origin"));
                origin.and_then(|origin| allowed.iter().find(|&allowed| allowed == origin))
            }
        };
        let Some(allowed) = allowed else { return };
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
        if let Some(names) = exposed(fields) {
            fields.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
        if self.credentials {
            fields.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// Whether a script of this `origin` may send something, with what the browser has kept of the visitor's credentials or without.
    pub fn lets_send(&self, origin: &HeaderValue, with_credentials: bool) -> bool {
        let is_allowed = match &self.origins {
            Origins::Fixed(allowed) => allowed == "*" || allowed == origin,
            Origins::Several(allowed) => allowed.contains(origin),
        };
        is_allowed && (self.credentials || !with_credentials)
    }

    /// Adds to the answer to a preflight what may be asked for, with the `methods` of the route. Where it takes what is sent, the fields that
    /// say what that is may be sent, too.
    pub fn preflight(&self, methods: HeaderValue, takes: bool, fields: &mut HeaderMap) {
        fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let declared = self.headers.as_ref().map(HeaderValue::as_bytes);
        let names: Vec<&[u8]> = declared.into_iter().chain(takes.then_some(OF_CONTENT)).collect();
        if let Some(names) = HeaderValue::from_bytes(&names.join(&b", "[..])).ok().filter(|names| !names.is_empty()) {
            fields.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        if let Some(max_age) = &self.max_age {
            fields.insert(header::ACCESS_CONTROL_MAX_AGE, max_age.clone());
        }
    }
}

/// The fields of an answer that a script has use for, and that browsers keep from it unless they are told (Fetch, section 4.10).
fn exposed(fields: &HeaderMap) -> Option<HeaderValue> {
    let of_creation = fields.contains_key(header::LOCATION) && !fields.contains_key(header::SET_COOKIE);
    match (of_creation, fields.contains_key(header::RETRY_AFTER)) {
        (true, true) => Some(HeaderValue::from_static("location, retry-after")),
        (true, false) => Some(HeaderValue::from_static("location")),
        (false, true) => Some(HeaderValue::from_static("retry-after")),
        (false, false) => None,
    }
}

/// What whoever sends JSON says of it.
const OF_CONTENT: &[u8] = b"content-type, idempotency-key";

/// An origin as browsers write it (RFC 6454, section 6.2).
fn origin(text: &Spanned<String>, findings: &mut Findings) -> Option<HeaderValue> {
    if text.value == "*" {
        return Some(HeaderValue::from_static("*"));
    }
    let parsed = Url::parse(&text.value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let written = parsed.map(|url| url.origin().ascii_serialization());
    match written {
        Some(written) if written == text.value => HeaderValue::from_str(&written).ok(),
        other => {
            let message = format!("`{}` is not an origin as browsers write it", text.value);
            let help = other.unwrap_or_else(|| "https://app.example.com".to_owned());
            findings.push(Finding::new(&code::CORS, text.place, message).help(format!("write `\"{help}\"`")));
            None
        }
    }
}

fn field(name: &Spanned<String>, findings: &mut Findings) -> Option<HeaderName> {
    let parsed = HeaderName::from_bytes(name.value.as_bytes()).ok();
    if parsed.is_none() {
        let message = format!("`{}` is not the name of a header field", name.value);
        findings.push(Finding::new(&code::CORS, name.place, message).help("headers = [\"x-requested-with\"]"));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(origins: Origins, credentials: bool, origin: Option<&'static str>) -> Vec<(String, String)> {
        let cors = Cors { origins, headers: None, credentials, max_age: None };
        let mut fields = HeaderMap::new();
        cors.allow(origin.map(HeaderValue::from_static).as_ref(), &mut fields);
        fields.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect()
    }

    #[test]
    fn only_several_origins_make_answers_vary() {
        let value = HeaderValue::from_static;
        let several = || Origins::Several(vec![value("https://a.example"), value("https://b.example")]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let allowed = |origin: &str| pair("access-control-allow-origin", origin);
        for (origins, asks, expected) in [
            (Origins::Fixed(value("*")), None, vec![allowed("*")]),
            (Origins::Fixed(value("https://a.example")), Some("https://b.example"), vec![allowed("https://a.example")]),
            (several(), Some("https://b.example"), vec![pair("vary", "origin"), allowed("https://b.example")]),
            (several(), Some("https://c.example"), vec![pair("vary", "origin")]),
            (several(), Some("null"), vec![pair("vary", "origin")]),
            (several(), None, vec![pair("vary", "origin")]),
        ] {
            assert_eq!(fields(origins, false, asks), expected, "{asks:?}");
        }
        let with = fields(several(), true, Some("https://a.example"));
        assert!(with.contains(&pair("access-control-allow-credentials", "true")));
        assert_eq!(fields(several(), true, Some("https://c.example")).len(), 1);
    }
}
