//! Whether a redirect is followed, where to, and what goes along (RFC 9110, section 15.4).
//!
//! Pure. Following is the exception: it has to be asked for, leads only to declared origins, and nothing that could be a credential
//! crosses from one origin to another.

use super::Failure;
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use reqwest::Url;

/// Leave to follow redirects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirects {
    /// How many in a row.
    pub most: u8,
    /// The origins they may lead to besides the call's own, as `https://host` or `https://host:port`.
    pub origins: Vec<String>,
}

/// Where an answer of this status sends a call for `from`, if it does; an error when it sends it where it may not go.
pub(super) fn target(
    allowed: &Redirects,
    method: &Method,
    from: &Url,
    first: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Url>, Failure> {
    let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    if !redirects || !(method == Method::GET || method == Method::HEAD) {
        return Ok(None);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let target =
        location.to_str().ok().and_then(|location| from.join(location).ok()).ok_or(Failure::RedirectRefused)?;
    let origin = target.origin();
    let declared = origin == first.origin() || allowed.origins.iter().any(|declared| is_origin(declared, &target));
    if !declared || !target.username().is_empty() || target.password().is_some() {
        return Err(Failure::RedirectRefused);
    }
    Ok(Some(target))
}

fn is_origin(declared: &str, target: &Url) -> bool {
    Url::parse(declared).is_ok_and(|declared| declared.origin() == target.origin())
}

/// The header fields of a call that crosses to another origin: what it wants, never who asks.
pub(super) fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT]
        .into_iter()
        .filter_map(|name| headers.get(&name).cloned().map(|value| (name, value)))
        .filter(|(_, value)| !value.is_sensitive())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(method: &Method, status: u16, location: &str) -> Result<Option<String>, Failure> {
        let allowed =
            Redirects { most: 3, origins: vec!["https://other.example".into(), "http://plain.example:8080".into()] };
        let from = Url::parse("https://api.example/v1/items?q=1").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, location.parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        target(&allowed, method, &from, &from, status, &headers).map(|target| target.map(String::from))
    }

    #[test]
    fn only_to_declared_places() {
        for (location, expected) in [
            ("/v2/items", Ok("https://api.example/v2/items")),
            ("more", Ok("https://api.example/v1/more")),
            ("https://api.example:443/x", Ok("https://api.example/x")),
            ("//other.example/x", Ok("https://other.example/x")),
            ("http://plain.example:8080/", Ok("http://plain.example:8080/")),
            ("http://plain.example/", Err(())),
            ("http://api.example/v2", Err(())),
            ("https://api.example:8443/", Err(())),
            ("https://evil.example/", Err(())),
            ("https://other.example.evil.example/", Err(())),
            ("https://other.example@evil.example/", Err(())),
            ("https://user:pass@other.example/", Err(())),
            ("http://169.254.169.254/latest/meta-data", Err(())),
            ("file:///etc/passwd", Err(())),
            ("data:text/plain,x", Err(())),
            ("https://", Err(())),
        ] {
            let expected = expected.map(|url| Some(url.to_owned())).map_err(|()| Failure::RedirectRefused);
            assert_eq!(decide(&Method::GET, 302, location), expected, "{location}");
        }
    }

    #[test]
    fn only_what_redirects_and_only_for_reading() {
        for status in [301, 302, 303, 307, 308] {
            assert!(decide(&Method::GET, status, "/x").unwrap().is_some(), "{status}");
            assert!(decide(&Method::HEAD, status, "/x").unwrap().is_some(), "{status}");
            assert_eq!(decide(&Method::POST, status, "/x"), Ok(None), "{status}");
        }
        for status in [200, 201, 300, 304, 305, 404, 503] {
            assert_eq!(decide(&Method::GET, status, "/x"), Ok(None), "{status}");
        }
    }

    #[test]
    fn credentials_stay_behind() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "x-api-key", "host", "if-none-match", "accept", "accept-language"] {
            headers.insert(name, "value".parse().unwrap());
        }
        let kept = without_credentials(&headers);
        assert_eq!(kept.keys().map(header::HeaderName::as_str).collect::<Vec<_>>(), ["accept", "accept-language"]);
    }
}
