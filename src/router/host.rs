//! May a request be served here? The rules on `Host` (RFC 9110, section 7.2; RFC 9112, section 3.2).

use http::{HeaderMap, Version, header};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A host and perhaps a port, checked for form; compared without regard to case.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

/// The request has no `Host`, more than one, or one that names no host: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// HTTP/1.1 requires one.
    #[error("the request has no `Host`")]
    Missing,
    /// There is more than one.
    #[error("the request has several `Host` fields")]
    Several,
    /// It is no host, or no port.
    #[error("the `Host` of the request is malformed")]
    Malformed,
    /// An absolute-form target names another one.
    #[error("the `Host` of the request is not that of its target")]
    Differs,
}

/// What to do with a request to some host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostVerdict {
    /// Serve it.
    Serve,
    /// It is an alias: 308 to this URL.
    Redirect(String),
    /// It is not ours: 421.
    Misdirected,
}

/// The hosts of a site.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    site: Option<Site>,
}

#[derive(Debug, Clone)]
struct Site {
    origin: String,
    host: String,
    aliases: Vec<String>,
    /// Hosts that some routes are for.
    others: Vec<String>,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port`, `192.0.2.1:80` or `[2001:db8::1]:80`. There is no user information in it.
    pub fn parse(text: &'a str) -> Result<Self, BadHost> {
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (address, after) = bracketed.split_once(']').ok_or(BadHost::Malformed)?;
                address.parse::<Ipv6Addr>().map_err(|_not_an_address| BadHost::Malformed)?;
                let host = text.get(..address.len() + 2).unwrap_or_default();
                match after.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if after.is_empty() => (host, None),
                    None => return Err(BadHost::Malformed),
                }
            }
            None => match text.bytes().position(|byte| byte == b':').and_then(|at| text.split_at_checked(at)) {
                Some((host, port)) => (host, port.get(1..)),
                None => (text, None),
            },
        };
        if !host.starts_with('[') && !is_name(host) {
            return Err(BadHost::Malformed);
        }
        Ok(Self { host, port: port.map(parse_port).transpose()?.flatten() })
    }

    /// The host, without the dot that may end a name; an IPv6 address is in brackets.
    pub fn host(&self) -> &'a str {
        self.host.strip_suffix('.').unwrap_or(self.host)
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    fn is(&self, host: &str) -> bool {
        self.host().eq_ignore_ascii_case(host)
    }

    /// Whether the machine itself is meant: `localhost`, a name below it, or a loopback address.
    pub fn is_local(&self) -> bool {
        let host = self.host();
        let name = host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"));
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        name || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || address.and_then(|address| address.parse::<Ipv6Addr>().ok()).is_some_and(|address| address.is_loopback())
    }
}

/// The characters of names and IPv4 addresses as they are used; a name in Unicode travels as `xn--`.
fn is_name(host: &str) -> bool {
    let mut before = b'.';
    // One pass: each request is asked this. No label is empty, but that of the root.
    let is_sound = host.strip_suffix('.').unwrap_or(host).bytes().all(|byte| {
        let is_sound = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && before != b'.');
        before = byte;
        is_sound
    });
    is_sound && before != b'.' && host.len() <= 255
}

/// A port may be empty (RFC 3986, section 3.2.3).
fn parse_port(port: &str) -> Result<Option<u16>, BadHost> {
    if port.is_empty() {
        return Ok(None);
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadHost::Malformed);
    }
    port.parse().map(Some).map_err(|_too_large| BadHost::Malformed)
}

/// The one `Host` of a request; `None` for an HTTP/1.0 request without any.
///
/// `target` is the authority of an absolute-form target: it must be that of `Host`.
pub fn host_field<'r>(
    version: Version,
    fields: &'r HeaderMap,
    target: Option<&'r str>,
) -> Result<Option<Authority<'r>>, BadHost> {
    let mut hosts = fields.get_all(header::HOST).iter();
    let Some(host) = hosts.next() else {
        // RFC 9112, section 3.2: required since HTTP/1.1.
        return if version <= Version::HTTP_10 {
            target.map(Authority::parse).transpose()
        } else {
            Err(BadHost::Missing)
        };
    };
    if hosts.next().is_some() {
        return Err(BadHost::Several);
    }
    let text = host.to_str().map_err(|_not_ascii| BadHost::Malformed)?;
    let host = Authority::parse(text)?;
    match target {
        Some(target) if !target.eq_ignore_ascii_case(text) => Err(BadHost::Differs),
        Some(_) | None => Ok(Some(host)),
    }
}

impl Hosts {
    /// The hosts of a site: `origin` is `site.url` without a slash at its end, `host` that of it, as an
    /// [`Authority::host`]; `aliases` are hosts too.
    pub fn new(origin: String, host: &Authority<'_>, aliases: &[Authority<'_>]) -> Self {
        let aliases = aliases.iter().map(|alias| alias.host().to_owned()).collect();
        Self { site: Some(Site { origin, host: host.host().to_owned(), aliases, others: Vec::new() }) }
    }

    /// The same, and `others` are served, too.
    #[must_use]
    pub fn serving<'h>(mut self, others: impl Iterator<Item = &'h str>) -> Self {
        if let Some(site) = &mut self.site {
            site.others.extend(others.map(str::to_owned));
        }
        self
    }

    /// Whether requests for `host` are sent elsewhere.
    pub fn is_alias(&self, host: &Authority<'_>) -> bool {
        self.site.as_ref().is_some_and(|site| site.aliases.iter().any(|alias| host.is(alias)))
    }

    /// A site without `site.url`: any host will do.
    pub fn any() -> Self {
        Self { site: None }
    }

    /// What to do with a request to `host` whose path and query are `target`. Ports are not compared: what stands before
    /// us may have translated them.
    pub fn verdict(&self, host: Option<&Authority<'_>>, target: &str, loopback_listener: bool) -> HostVerdict {
        let (Some(site), Some(host)) = (&self.site, host) else { return HostVerdict::Serve };
        if host.is(&site.host)
            || site.others.iter().any(|other| host.is(other))
            || (loopback_listener && host.is_local())
        {
            return HostVerdict::Serve;
        }
        if site.aliases.iter().any(|alias| host.is(alias)) {
            // The path of an absolute-form target may be empty.
            let slash = if target.starts_with('/') { "" } else { "/" };
            return HostVerdict::Redirect(format!("{}{slash}{target}", site.origin));
        }
        HostVerdict::Misdirected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn host(text: &str) -> Authority<'_> {
        Authority::parse(text).expect(text)
    }

    #[test]
    fn authorities_have_a_form() {
        for (text, name, port) in [
            ("example.com", "example.com", None),
            ("example.com:", "example.com", None),
            ("example.com.:8080", "example.com", Some(8080)),
            ("my_host-1", "my_host-1", None),
            ("192.0.2.1:80", "192.0.2.1", Some(80)),
            ("[2001:db8::1]:80", "[2001:db8::1]", Some(80)),
            ("[::1]", "[::1]", None),
        ] {
            assert_eq!((host(text).host(), host(text).port()), (name, port), "{text}");
        }
        for bad in [
            "",
            ".",
            ":80",
            "a b",
            "a\"><script>",
            "user@example.com",
            "a..b",
            "example.com/x",
            "a:b",
            "a:99999",
            "a:+80",
            "a:80:80",
            "[::1",
            "[::1]x",
            "[::g]",
            "[]",
            "::1",
            "ex\u{e4}mple.com",
            "%61",
            "a,b",
        ] {
            assert_eq!(Authority::parse(bad).err(), Some(BadHost::Malformed), "{bad}");
        }
        assert!(Authority::parse(&"a".repeat(256)).is_err());
    }

    #[test]
    fn a_request_has_one_host() {
        let check = |version, lines: &[&str], target| {
            let mut fields = HeaderMap::new();
            for line in lines {
                fields.append(header::HOST, HeaderValue::from_str(line).unwrap());
            }
            host_field(version, &fields, target).map(|host| host.map(|host| host.host().to_owned()))
        };
        let example = || Ok(Some("example.com".to_owned()));
        assert_eq!(check(Version::HTTP_11, &["example.com:80"], None), example());
        assert_eq!(check(Version::HTTP_11, &[], None), Err(BadHost::Missing));
        assert_eq!(check(Version::HTTP_10, &[], None), Ok(None));
        assert_eq!(check(Version::HTTP_10, &["example.com"], None), example());
        assert_eq!(check(Version::HTTP_11, &["example.com", "example.com"], None), Err(BadHost::Several));
        assert_eq!(check(Version::HTTP_11, &[""], None), Err(BadHost::Malformed));
        assert_eq!(check(Version::HTTP_11, &["example.com"], Some("Example.com")), example());
        assert_eq!(check(Version::HTTP_11, &["example.com"], Some("evil.example")), Err(BadHost::Differs));
        assert_eq!(check(Version::HTTP_10, &[], Some("example.com")), example());
    }

    #[test]
    fn a_site_answers_to_its_own_names() {
        let hosts = Hosts::new("https://example.com".to_owned(), &host("example.com"), &[host("www.example.com")]);
        let verdict = |name, loopback| hosts.verdict(Some(&host(name)), "/a//b?c", loopback);
        for ours in ["example.com", "EXAMPLE.com:8443", "example.com."] {
            assert_eq!(verdict(ours, false), HostVerdict::Serve, "{ours}");
        }
        let redirect = HostVerdict::Redirect("https://example.com/a//b?c".to_owned());
        assert_eq!(verdict("www.Example.com:80", false), redirect);
        for local in ["localhost:4000", "app.localhost", "127.0.0.1", "127.1.2.3:80", "[::1]:4000"] {
            assert_eq!(verdict(local, true), HostVerdict::Serve, "{local}");
            assert_eq!(verdict(local, false), HostVerdict::Misdirected, "{local}");
        }
        for foreign in
            ["evil.example", "notlocalhost", "localhost.evil.example", "128.0.0.1", "example.com.evil.example"]
        {
            assert_eq!(verdict(foreign, true), HostVerdict::Misdirected, "{foreign}");
        }
        assert_eq!(hosts.verdict(None, "/", false), HostVerdict::Serve);
        let empty_path = hosts.verdict(Some(&host("www.example.com")), "?q", false);
        assert_eq!(empty_path, HostVerdict::Redirect("https://example.com/?q".to_owned()));
        assert_eq!(Hosts::any().verdict(Some(&host("any.example")), "/", false), HostVerdict::Serve);
    }
}
