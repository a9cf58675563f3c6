//! Whether a request that changes something comes from the site itself: `Sec-Fetch-Site` (Fetch Metadata), then `Origin` (RFC 6454, section 7).
//!
//! Browsers send the one or the other with every request that a page makes, and no page can write them. So a form needs no token in it, and
//! stays the same for everybody.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a site is.
#[derive(Debug, Clone, Copy)]
pub enum Home<'a> {
    /// At this origin, as `https://example.com` or `http://example.com:8080`.
    Origin(&'a str),
    /// At whatever origin has this authority, which the request names itself.
    Host(&'a str),
}

/// What a request without either field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    /// Refused: a form is sent by browsers, which say where it comes from.
    Refused,
    /// Let pass as a program's, unless it carries cookies: programs that send them send what a browser has kept.
    Program,
}

/// Why a request is not taken for the site's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// `Sec-Fetch-Site` names another relation.
    #[error("`Sec-Fetch-Site` says that it comes from another site")]
    Site,
    /// `Origin` is another one.
    #[error("`Origin` is not this site's")]
    Origin,
    /// Neither is there.
    #[error("it says neither by `Sec-Fetch-Site` nor by `Origin` where it comes from")]
    Unsaid,
}

/// Judges a request that changes something.
pub fn same_origin(fields: &HeaderMap, home: Home<'_>, unsaid: Unsaid) -> Result<(), Foreign> {
    if fields.contains_key(SEC_FETCH_SITE) {
        let site = sole(fields, SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let is_own = matches!(site, Some(b"same-origin" | b"none"));
        return if is_own { Ok(()) } else { Err(Foreign::Site) };
    }
    if fields.contains_key(header::ORIGIN) {
        let origin =
            sole(fields, header::ORIGIN).and_then(|origin| origin.to_str().ok()).and_then(Authority::of_origin);
        let own = match home {
            Home::Origin(own) => origin.zip(Authority::of_origin(own)).is_some_and(|(origin, own)| origin.is(&own)),
            Home::Host(host) => origin.is_some_and(|origin| origin.is_at(host)),
        };
        return if own { Ok(()) } else { Err(Foreign::Origin) };
    }
    let passes = unsaid == Unsaid::Program && !fields.contains_key(header::COOKIE);
    if passes { Ok(()) } else { Err(Foreign::Unsaid) }
}

/// The one line of a field; several mean nothing.
fn sole(fields: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut lines = fields.get_all(name).iter();
    let line = lines.next()?;
    lines.next().is_none().then_some(line)
}

/// An origin taken apart. Browsers write it in lower case and without the usual port; others may not.
#[derive(Debug, Clone, Copy)]
struct Authority<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    fn of_origin(origin: &'a str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        let is_bare = !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' ', '\\']);
        let (host, port) = split_port(authority);
        (is_web && is_bare).then_some(Self { scheme, host, port: port.filter(|port| *port != usual_port(scheme)) })
    }

    fn is(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
    }

    /// Whether it has this authority, in which the usual port of the scheme may be written.
    fn is_at(&self, authority: &str) -> bool {
        let (host, port) = split_port(authority);
        let port = port.filter(|port| *port != usual_port(self.scheme));
        self.host.eq_ignore_ascii_case(host) && self.port == port
    }
}

fn usual_port(scheme: &str) -> &'static str {
    if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" }
}

/// The host, in its brackets if it is an address of IPv6, and the port if there is one.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port).filter(|port| !port.is_empty())),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        fields
    }

    fn verdict(lines: &[(&'static str, &'static str)], home: Home<'_>) -> Result<(), Foreign> {
        same_origin(&fields(lines), home, Unsaid::Refused)
    }

    #[test]
    fn what_the_browser_says_of_the_site_comes_first() {
        let home = Home::Origin("https://example.com");
        for (value, expected) in [
            ("same-origin", Ok(())),
            ("none", Ok(())),
            ("same-site", Err(Foreign::Site)),
            ("cross-site", Err(Foreign::Site)),
            ("Same-Origin", Err(Foreign::Site)),
            ("same-origin, none", Err(Foreign::Site)),
            ("", Err(Foreign::Site)),
        ] {
            for origin in ["https://example.com", "https://evil.example", "null"] {
                assert_eq!(verdict(&[("sec-fetch-site", value), ("origin", origin)], home), expected, "{value}");
            }
        }
        let twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")];
        assert_eq!(verdict(&twice, home), Err(Foreign::Site));
    }

    #[test]
    fn an_origin_is_the_sites_or_it_is_not() {
        let url = Home::Origin("https://example.com");
        let (host, port) = (Home::Host("example.com"), Home::Host("Example.com:8080"));
        for (home, origin, is_own) in [
            (url, "https://example.com", true),
            (url, "https://EXAMPLE.com", true),
            (url, "https://example.com:443", true),
            (url, "http://example.com", false),
            (url, "https://example.com:8443", false),
            (url, "https://www.example.com", false),
            (url, "https://example.com.evil.example", false),
            (url, "https://evil.example/https://example.com", false),
            (url, "https://example.com/", false),
            (url, "https://user@example.com", false),
            (url, "null", false),
            (url, "", false),
            (url, "file://", false),
            (url, "example.com", false),
            (host, "https://example.com", true),
            (host, "http://example.com", true),
            (host, "http://example.com:80", true),
            (host, "https://example.com:80", false),
            (host, "app://example.com", false),
            (host, "https://evil.example", false),
            (port, "http://example.com:8080", true),
            (port, "https://example.com:8080", true),
            (port, "http://example.com", false),
            (Home::Host("example.com:443"), "https://example.com", true),
            (Home::Host("example.com:443"), "http://example.com", false),
            (Home::Host("[::1]:4000"), "http://[::1]:4000", true),
            (Home::Host("[::1]"), "http://[::1]", true),
            (Home::Host("[::1]"), "http://[::2]", false),
            (Home::Origin("http://localhost:4000"), "http://localhost:4000", true),
        ] {
            let expected = if is_own { Ok(()) } else { Err(Foreign::Origin) };
            assert_eq!(verdict(&[("origin", origin)], home), expected, "{origin} at {home:?}");
        }
        let twice = [("origin", "https://example.com"), ("origin", "https://example.com")];
        assert_eq!(verdict(&twice, url), Err(Foreign::Origin));
    }

    #[test]
    fn who_says_nothing_is_a_program_or_nobody() {
        let home = Home::Origin("https://example.com");
        let program = |lines: &[_]| same_origin(&fields(lines), home, Unsaid::Program);
        assert_eq!(verdict(&[], home), Err(Foreign::Unsaid));
        assert_eq!(program(&[]), Ok(()));
        assert_eq!(program(&[("authorization", "Bearer x")]), Ok(()));
        assert_eq!(program(&[("cookie", "session=x")]), Err(Foreign::Unsaid));
        assert_eq!(program(&[("origin", "https://evil.example")]), Err(Foreign::Origin));
        assert_eq!(program(&[("sec-fetch-site", "cross-site")]), Err(Foreign::Site));
        assert_eq!(program(&[("referer", "https://example.com/")]), Ok(()));
    }
}
