//! Who may ask: programs and browsers of this machine, by the names that are its own.
//!
//! What a site tells while it is developed is for its author. The listener is reached by this machine alone; but a page of any site in a
//! browser here can send requests to it, by a name of its own that it has pointed at this machine (DNS rebinding), or across origins. The
//! first is refused by the name in `Host`, the second by what browsers say of where a request comes from.

use crate::fields::{Home, Unsaid, same_origin};
use crate::router::host_field;
use http::StatusCode;
use http::header;
use http::request::Parts;

/// Why nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `Host` cannot be understood.
    BadHost,
    /// It is missing, or none of this machine's own names.
    Misdirected,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::BadHost => StatusCode::BAD_REQUEST,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::BadHost => "the `Host` of the request is missing or malformed\n",
            Self::Misdirected => {
                "`siteserver dev` answers to localhost, names below it, 127.0.0.1 and [::1]; `siteserver serve` answers to others\n"
            }
        }
    }
}

/// The host that a request is for, if that is this machine: as it was written, with its port.
pub(super) fn host(request: &Parts) -> Result<&str, Refusal> {
    let absolute = request.uri.authority().map(http::uri::Authority::as_str);
    let host = host_field(request.version, &request.headers, absolute).map_err(|_bad| Refusal::BadHost)?;
    let is_ours = host.is_some_and(|host| host.is_local());
    let written = request.headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(absolute);
    written.filter(|_| is_ours).ok_or(Refusal::Misdirected)
}

/// Whether a request for what is development's own comes from a page of another origin.
pub(super) fn is_foreign(request: &Parts, host: &str) -> bool {
    let fields = &request.headers;
    let says_nothing = !fields.contains_key("sec-fetch-site") && !fields.contains_key(header::ORIGIN);
    // Browsers say the one or the other to this machine; what says neither is a program.
    !says_nothing && same_origin(fields, Home::Host(host), Unsaid::Program).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Version};

    fn request(target: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for (text, expected) in [
            ("localhost", Ok("localhost")),
            ("localhost:4000", Ok("localhost:4000")),
            ("LocalHost.:4000", Ok("LocalHost.:4000")),
            ("shop.localhost:1", Ok("shop.localhost:1")),
            ("127.0.0.1:4000", Ok("127.0.0.1:4000")),
            ("[::1]:4000", Ok("[::1]:4000")),
            ("", Err(Refusal::BadHost)),
            ("a b", Err(Refusal::BadHost)),
            ("example.com", Err(Refusal::Misdirected)),
            ("localhost.example.com", Err(Refusal::Misdirected)),
            ("notlocalhost", Err(Refusal::Misdirected)),
            ("127.0.0.1.nip.io", Err(Refusal::Misdirected)),
            ("10.0.0.1", Err(Refusal::Misdirected)),
            ("0.0.0.0:4000", Err(Refusal::Misdirected)),
            ("[::]:4000", Err(Refusal::Misdirected)),
        ] {
            assert_eq!(host(&request("/", &[("host", text)])), expected, "{text}");
        }
        assert_eq!(host(&request("/", &[])), Err(Refusal::BadHost));
        assert_eq!(host(&request("/", &[("host", "localhost"), ("host", "localhost")])), Err(Refusal::BadHost));
        let mut old = request("/", &[]);
        old.version = Version::HTTP_10;
        assert_eq!(host(&old), Err(Refusal::Misdirected));
    }

    #[test]
    fn pages_of_other_origins_are_foreign() {
        let host = ("host", "localhost:4000");
        let judged = |fields: &[(&str, &str)]| {
            let all: Vec<_> = [host].iter().chain(fields).copied().collect();
            is_foreign(&request("/_siteserver/findings", &all), "localhost:4000")
        };
        for own in [
            &[][..],
            &[("cookie", "a=b")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:4000")],
        ] {
            assert!(!judged(own), "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            // Another port of this machine is the same site, and another author.
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:4000")],
            &[("origin", "http://localhost:4001")],
            &[("origin", "https://example.com")],
            &[("origin", "null")],
        ] {
            assert!(judged(foreign), "{foreign:?}");
        }
    }
}
