//! Who may come in: programs of those who run the server, no pages in browsers, and only who knows the token.

use super::problem;
use crate::config::Secret;
use crate::router::{Authority, host_field};
use crate::server::ListenAddress;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use std::net::IpAddr;

/// Who may come in.
#[derive(Debug)]
pub(super) struct Entrance {
    /// The address that is listened on; none of a Unix socket.
    address: Option<IpAddr>,
    /// The digest of the token: digests are compared in a time that tells nothing of them.
    token: Option<blake3::Hash>,
}

/// Why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `Host` is missing or none.
    BadHost,
    /// `Host` is another one.
    Misdirected,
    /// It was sent for a page in a browser.
    Browser,
    /// The token is missing or another.
    Unauthorized,
}

impl Refusal {
    /// The answer.
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (status, text) = match self {
            Self::BadHost => (StatusCode::BAD_REQUEST, "the `Host` of the request is missing or malformed"),
            Self::Misdirected => {
                (StatusCode::MISDIRECTED_REQUEST, "`Host` must be the listener's address or localhost")
            }
            Self::Browser => (StatusCode::FORBIDDEN, "requests of pages in browsers are refused"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "`Authorization: Bearer` with the token is needed"),
        };
        let mut response = problem(status, text);
        if self == Self::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Entrance {
    /// That of the listener at `address`.
    pub(super) fn new(address: &ListenAddress, token: Option<&Secret>) -> Self {
        let address = match address {
            ListenAddress::Tcp(address) => Some(address.ip().to_canonical()),
            ListenAddress::Unix(_) => None,
        };
        Self { address, token: token.map(|token| blake3::hash(token.expose().as_bytes())) }
    }

    /// Whether a request may come in; one for what is `open` needs no token.
    pub(super) fn admit(&self, request: &Parts, open: bool) -> Result<(), Refusal> {
        let absolute = request.uri.authority().map(http::uri::Authority::as_str);
        let host = host_field(request.version, &request.headers, absolute).map_err(|_bad| Refusal::BadHost)?;
        if host.is_some_and(|host| !self.is_ours(&host)) {
            return Err(Refusal::Misdirected);
        }
        if is_of_browser(&request.headers) {
            return Err(Refusal::Browser);
        }
        if open || self.token.is_none_or(|token| bearer(&request.headers).map(blake3::hash) == Some(token)) {
            Ok(())
        } else {
            Err(Refusal::Unauthorized)
        }
    }

    /// Whether `host` is this listener, and no name that others may have pointed at it. Ports are not compared: what stands between may
    /// have translated them.
    fn is_ours(&self, host: &Authority<'_>) -> bool {
        let is_address = self.address.is_some_and(|ours| {
            let text = host.host();
            let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            text.parse::<IpAddr>().is_ok_and(|theirs| ours.is_unspecified() || ours == theirs.to_canonical())
        });
        is_address || host.is_local()
    }
}

/// Whether a browser sent it for a page (Fetch, section 2.2; Fetch Metadata).
fn is_of_browser(fields: &HeaderMap) -> bool {
    fields.keys().any(|name| *name == header::ORIGIN || name.as_str().starts_with("sec-fetch-"))
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1), if there is one such field.
fn bearer(fields: &HeaderMap) -> Option<&[u8]> {
    let mut all = fields.get_all(header::AUTHORIZATION).iter();
    let (Some(field), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = field.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn admit(address: &str, token: Option<&str>, open: bool, fields: &[(&str, &str)]) -> Result<(), Refusal> {
        let token = token.map(Secret::new);
        let entrance = Entrance::new(&address.parse().unwrap(), token.as_ref());
        let mut request = Request::builder().uri("/metrics");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        entrance.admit(&request.body(()).unwrap().into_parts().0, open)
    }

    #[test]
    fn only_its_own_address_and_localhost_are_hosts() {
        for (address, host, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1", Ok(())),
            ("127.0.0.1:1", "127.0.0.1", Ok(())),
            ("127.0.0.1:1", "LOCALHOST:9", Ok(())),
            ("127.0.0.1:1", "admin.localhost", Ok(())),
            ("127.0.0.1:1", "evil.example", Err(Refusal::Misdirected)),
            ("127.0.0.1:1", "127.0.0.1.evil.example", Err(Refusal::Misdirected)),
            ("127.0.0.1:1", "10.0.0.5", Err(Refusal::Misdirected)),
            ("127.0.0.1:1", "a b", Err(Refusal::BadHost)),
            ("10.0.0.5:1", "10.0.0.5:1", Ok(())),
            ("10.0.0.5:1", "10.0.0.6", Err(Refusal::Misdirected)),
            ("0.0.0.0:1", "10.0.0.6", Ok(())),
            ("0.0.0.0:1", "evil.example", Err(Refusal::Misdirected)),
            ("[::1]:1", "[::1]:1", Ok(())),
            ("[2001:db8::1]:1", "[2001:DB8::1]", Ok(())),
            ("unix:/a", "localhost", Ok(())),
            ("unix:/a", "10.0.0.5", Err(Refusal::Misdirected)),
        ] {
            assert_eq!(admit(address, None, false, &[("host", host)]), expected, "{address} {host}");
        }
        assert_eq!(admit("unix:/a", None, false, &[]), Err(Refusal::BadHost));
    }

    #[test]
    fn what_browsers_send_is_refused_whoever_it_is_for() {
        let token = "Bearer 4f9c1e77b2a84d0f";
        for (name, value) in [
            ("origin", "null"),
            ("origin", "http://127.0.0.1:1"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-future", "?1"),
        ] {
            let fields = [("host", "localhost"), ("authorization", token), (name, value)];
            for open in [false, true] {
                assert_eq!(admit("127.0.0.1:1", Some("4f9c1e77b2a84d0f"), open, &fields), Err(Refusal::Browser));
            }
        }
    }

    #[test]
    fn a_token_is_compared_whole() {
        let host = ("host", "localhost");
        let token = Some("4f9c1e77b2a84d0f");
        for (field, expected) in [
            ("Bearer 4f9c1e77b2a84d0f", Ok(())),
            ("bearer  4f9c1e77b2a84d0f ", Ok(())),
            ("Bearer 4f9c1e77b2a84d0", Err(Refusal::Unauthorized)),
            ("Bearer 4f9c1e77b2a84d0f0", Err(Refusal::Unauthorized)),
            ("Bearer", Err(Refusal::Unauthorized)),
            ("Bearer ", Err(Refusal::Unauthorized)),
            ("Basic 4f9c1e77b2a84d0f", Err(Refusal::Unauthorized)),
        ] {
            assert_eq!(admit("127.0.0.1:1", token, false, &[host, ("authorization", field)]), expected, "{field}");
        }
        let twice = [host, ("authorization", "Bearer 4f9c1e77b2a84d0f"), ("authorization", "Bearer x")];
        assert_eq!(admit("127.0.0.1:1", token, false, &twice), Err(Refusal::Unauthorized));
        assert_eq!(admit("127.0.0.1:1", token, false, &[host]), Err(Refusal::Unauthorized));
        assert_eq!(admit("127.0.0.1:1", token, true, &[host]), Ok(()));
    }
}
