//! Who sent a request that came through proxies: `Forwarded` (RFC 7239) and `X-Forwarded-For`, read from the right.
//!
//! Each proxy adds at the right whom it was sent the request by, so that only what trusted proxies have added can be believed. The first
//! address from the right that is not theirs is the client's; whatever stands left of it, the client may have written itself.

use super::list::{members, split_unquoted, token_or_quoted};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
}

/// Addresses that begin with the same bits; those of IPv4 in IPv6 are those of IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u32,
}

/// Why a text names no proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is neither an address nor a network.
    #[error("it is no address, no network and not `unix:`")]
    Form,
    /// More bits than an address has.
    #[error("a prefix of {0} bits is longer than the address")]
    Prefix(u32),
    /// Bits behind the prefix: one of the two is not meant.
    #[error("the address has bits behind the prefix; the network is `{0}`")]
    Bits(String),
    /// Every address there is: anybody could claim to be anybody.
    #[error("every client would be trusted, so that anybody could claim any address")]
    Everybody,
}

impl TrustedProxies {
    /// Adds an address (`192.0.2.1`), a network (`10.0.0.0/8`, `fd00::/8`) or `unix:`, whoever comes by a Unix socket.
    pub fn add(&mut self, text: &str) -> Result<(), ProxyError> {
        if text == "unix:" {
            self.unix = true;
        } else {
            self.networks.push(Network::parse(text)?);
        }
        Ok(())
    }

    /// Whether a connection is a trusted proxy's. One without an address comes by a Unix socket.
    pub fn is_trusted(&self, peer: Option<IpAddr>) -> bool {
        match peer {
            None => self.unix,
            Some(peer) => self.networks.iter().any(|network| network.contains(peer.to_canonical())),
        }
    }

    /// The address that a request came from: that of the connection, unless that is a trusted proxy's.
    ///
    /// Beyond an entry that cannot be read nothing is believed. If both fields are there and do not agree, neither is: a proxy that writes
    /// one of them lets the other pass.
    pub fn client(&self, peer: Option<IpAddr>, fields: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.map(|peer| peer.to_canonical());
        if !self.is_trusted(peer) {
            return peer;
        }
        let standard = fields.contains_key(header::FORWARDED).then(|| {
            let elements = fields.get_all(header::FORWARDED).iter().rev();
            self.furthest(peer, elements.flat_map(|line| reversed(line, element)))
        });
        let customary = fields.contains_key(X_FORWARDED_FOR).then(|| {
            let addresses = fields.get_all(X_FORWARDED_FOR).iter().rev();
            self.furthest(peer, addresses.flat_map(|line| reversed(line, node)))
        });
        match (standard, customary) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }
    }

    /// Goes from proxy to proxy, from the nearest, up to the first address that is not trusted.
    fn furthest(&self, peer: Option<IpAddr>, entries: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut reached = peer;
        for entry in entries {
            let Some(address) = entry else { break };
            reached = Some(address);
            if !self.is_trusted(reached) {
                break;
            }
        }
        reached
    }
}

/// The entries of a line from the right; `None` for what cannot be read.
fn reversed(line: &HeaderValue, read: fn(&[u8]) -> Option<IpAddr>) -> impl Iterator<Item = Option<IpAddr>> {
    let entries: Vec<_> = members(line.as_bytes()).map(read).collect();
    entries.into_iter().rev()
}

/// `for=192.0.2.43;proto=http` (RFC 7239, section 4). Nothing is believed of an element that is malformed anywhere.
fn element(text: &[u8]) -> Option<IpAddr> {
    let mut address = None;
    for pair in split_unquoted(text, b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()) {
        let equals = memchr::memchr(b'=', pair)?;
        let (name, value) = pair.split_at(equals);
        let value = token_or_quoted(value.get(1..)?)?;
        if name.eq_ignore_ascii_case(b"for") && address.replace(node(&value)?).is_some() {
            return None;
        }
    }
    address
}

/// `192.0.2.43`, `192.0.2.43:47011`, `[2001:db8::17]:4711`, `2001:db8::17`; not `unknown` and not `_hidden` (section 6).
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = text.parse::<IpAddr>().ok().or_else(bracketed);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

impl Network {
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_not_an_address| ProxyError::Form)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => whole,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().unwrap_or(u32::MAX)
            }
            Some(_) => return Err(ProxyError::Form),
        };
        if prefix > whole {
            return Err(ProxyError::Prefix(prefix));
        }
        // An IPv4 network in IPv6's clothes; with fewer bits it holds more than IPv4.
        let canonical = address.to_canonical();
        let is_mapped = whole == 128 && canonical.is_ipv4() && prefix >= 96;
        let (first, prefix) = if is_mapped { (canonical, prefix - 96) } else { (address, prefix) };
        if prefix == 0 {
            return Err(ProxyError::Everybody);
        }
        let network = Self { first, prefix };
        let exact = network.cut(first);
        if exact == first { Ok(network) } else { Err(ProxyError::Bits(format!("{exact}/{prefix}"))) }
    }

    fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.cut(address) == self.first
    }

    /// `address` without the bits behind the prefix.
    fn cut(self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proxies(texts: &[&str]) -> TrustedProxies {
        let mut proxies = TrustedProxies::default();
        for text in texts {
            proxies.add(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        proxies
    }

    fn client(trusted: &[&str], peer: &str, lines: &[(&str, &str)]) -> String {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            fields.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let client = proxies(trusted).client(peer.parse().ok(), &fields);
        client.map_or("none".to_owned(), |client| client.to_string())
    }

    #[test]
    fn networks_are_read() {
        for (text, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
            ("128.0.0.0/1", "255.255.255.255", "127.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ] {
            let proxies = proxies(&[text]);
            assert!(proxies.is_trusted(inside.parse().ok()), "{text}: {inside}");
            assert!(!proxies.is_trusted(outside.parse().ok()), "{text}: {outside}");
            assert!(!proxies.is_trusted(None), "{text}");
        }
        assert!(proxies(&["unix:"]).is_trusted(None) && !proxies(&["unix:"]).is_trusted("127.0.0.1".parse().ok()));
    }

    #[test]
    fn what_names_no_proxies_is_told() {
        for (text, expected) in [
            ("", ProxyError::Form),
            ("localhost", ProxyError::Form),
            ("10.0.0.0/", ProxyError::Form),
            ("10.0.0.0/+8", ProxyError::Form),
            ("10.0.0.0/8/8", ProxyError::Form),
            ("10.0.0.0/255.0.0.0", ProxyError::Form),
            ("10.0.0/8", ProxyError::Form),
            ("010.0.0.1", ProxyError::Form),
            ("fe80::1%eth0", ProxyError::Form),
            ("127.0.0.1:80", ProxyError::Form),
            ("unix:/run/proxy.sock", ProxyError::Form),
            ("10.0.0.0/33", ProxyError::Prefix(33)),
            ("fd00::/129", ProxyError::Prefix(129)),
            ("10.0.0.0/99999999999", ProxyError::Prefix(u32::MAX)),
            ("10.1.0.0/8", ProxyError::Bits("10.0.0.0/8".into())),
            ("fd00::1/8", ProxyError::Bits("fd00::/8".into())),
            ("0.0.0.0/0", ProxyError::Everybody),
            ("::/0", ProxyError::Everybody),
            ("::ffff:0.0.0.0/96", ProxyError::Everybody),
        ] {
            assert_eq!(TrustedProxies::default().add(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_is_the_client() {
        const US: &[&str] = &["10.0.0.0/8", "fd00::/8", "unix:"];
        for (peer, lines, expected) in [
            // Nobody is believed who is not trusted.
            ("192.0.2.9", &[("x-forwarded-for", "1.1.1.1")][..], "192.0.2.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, 1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, 1.1.1.1, 10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1,10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1:8080")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:80")], "2001:db8::1"),
            ("10.0.0.1", &[("x-forwarded-for", "::ffff:1.1.1.1")], "1.1.1.1"),
            ("::ffff:10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, ::ffff:10.0.0.9")], "1.1.1.1"),
            ("fd00::1", &[("x-forwarded-for", "2001:db8::1, fd00::2")], "2001:db8::1"),
            ("none", &[("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            // What cannot be read ends the chain.
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, unknown, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 999.1.1.1")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "fe80::1%eth0")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", ",, ,")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "\u{ff}")], "10.0.0.1"),
            ("none", &[("x-forwarded-for", "nonsense")], "none"),
            // RFC 7239, sections 4 and 7.1.
            ("10.0.0.1", &[("forwarded", "for=\"_gazonk\"")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "For=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17"),
            ("10.0.0.1", &[("forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43")], "192.0.2.60"),
            ("10.0.0.1", &[("forwarded", "for=192.0.2.43, for=198.51.100.17")], "198.51.100.17"),
            ("10.0.0.1", &[("forwarded", "for=192.0.2.43"), ("forwarded", "for=10.0.0.7")], "192.0.2.43"),
            ("10.0.0.1", &[("forwarded", "by=10.0.0.7;host=example.com")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=unknown")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=1.1.1.1;for=2.2.2.2")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=[2001:db8::1]")], "10.0.0.1"),
            // A client's open quote swallows what the proxy adds, and is believed no more for it.
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6;x=\", for=1.1.1.1")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"")], "10.0.0.1"),
            // Two fields that differ: one of them was let pass.
            ("10.0.0.1", &[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.1.1.1")], "10.0.0.1"),
        ] {
            assert_eq!(client(US, peer, lines), expected, "{peer} {lines:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn nothing_to_the_left_of_a_client_is_believed(forged in "[ -~]{0,40}", both in any::<bool>()) {
            let name = if both { "forwarded" } else { "x-forwarded-for" };
            let added = if both { "for=1.1.1.1" } else { "1.1.1.1" };
            let line = format!("{forged}, {added}");
            let found = client(&["10.0.0.0/8"], "10.0.0.1", &[(name, &line)]);
            // A quote may spoil the line, but never put words into a proxy's mouth.
            prop_assert!(found == "1.1.1.1" || found == "10.0.0.1", "{line}: {found}");
        }

        #[test]
        fn no_network_is_too_odd(text in "[0-9a-f:./]{0,24}") {
            let _known = TrustedProxies::default().add(&text);
        }
    }
}
