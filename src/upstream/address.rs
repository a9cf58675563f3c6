//! Which addresses stand for a place on the public Internet, and which for something near this machine.
//!
//! From the IANA special-purpose registries (RFC 6890 and its updates). Pure: an address in, a verdict out. IPv6 is judged the safe way
//! round: only global unicast (`2000::/3`) can be public, and an address that carries an IPv4 address is judged by what it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not the public Internet: first address, prefix length, what they are.
const SPECIAL_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared (carrier-grade NAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // Azure's platform agent listens on an address that looks public.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "cloud platform"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// IPv6 blocks with a name of their own; whatever else lies outside `2000::/3` is "reserved".
const SPECIAL_V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    // RFC 8215: translation prefixes of the local network's own.
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local translation"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discard"),
    // Benchmarking, ORCHID, drone identifiers and other identifiers that are no places. Teredo, inside it, is unwrapped before.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "segment routing"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "unique local"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

/// What kind of special-purpose address this is; `None` for a public one.
///
/// ```
/// use siteserver::upstream::special_purpose;
/// assert_eq!(special_purpose("169.254.169.254".parse().unwrap()), Some("link-local"));
/// assert_eq!(special_purpose("::ffff:10.0.0.1".parse().unwrap()), Some("private"));
/// assert_eq!(special_purpose("1.1.1.1".parse().unwrap()), None);
/// ```
pub fn special_purpose(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

/// Whether a server that may call public addresses only may connect to `address`.
pub(super) fn is_public(address: IpAddr) -> bool {
    special_purpose(address).is_none()
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    SPECIAL_V4
        .iter()
        .find(|&&(first, length, _)| (bits ^ first.to_bits()) >> (32 - length) == 0)
        .map(|&(_, _, name)| name)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(carried) = carried_v4(address) {
        return carried.into_iter().flatten().find_map(special_v4);
    }
    let bits = address.to_bits();
    let named = SPECIAL_V6
        .iter()
        .find(|&&(first, length, _)| (bits ^ first.to_bits()) >> (128 - length) == 0)
        .map(|&(_, _, name)| name);
    let global_unicast = bits >> 125 == 0b001;
    named.or(if global_unicast { None } else { Some("reserved") })
}

/// The IPv4 addresses that packets to an IPv6 address end up at, for the forms that carry some.
fn carried_v4(address: Ipv6Addr) -> Option<[Option<Ipv4Addr>; 2]> {
    let pair = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // IPv4-mapped (RFC 4291, section 2.5.5.2) and the well-known translation prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some([Some(pair(high, low)), None])
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some([Some(pair(high, low)), None]),
        // Teredo (RFC 4380): the server, and the client with its bits flipped.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            Some([Some(pair(server_high, server_low)), Some(pair(!high, !low))])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(address: &str) -> Option<&'static str> {
        special_purpose(address.parse().unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    #[test]
    fn the_public_internet_is_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "2001:200::1",
            "3ffe:ffff::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            // Teredo with server 65.54.227.120 and client 192.0.3.45.
            "2001:0:4136:e378:8000:63bf:3fff:fcd2",
        ] {
            assert_eq!(verdict(address), None, "{address}");
        }
    }

    #[test]
    fn special_addresses_are_known_by_their_kind() {
        for (address, kind) in [
            ("0.0.0.0", "unspecified"),
            ("0.255.255.255", "unspecified"),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "shared (carrier-grade NAT)"),
            ("100.100.100.200", "shared (carrier-grade NAT)"),
            ("100.127.255.255", "shared (carrier-grade NAT)"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("168.63.129.16", "cloud platform"),
            ("169.254.0.0", "link-local"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "reserved for protocols"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4 relay"),
            ("192.168.0.0", "private"),
            ("192.168.255.255", "private"),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("100::1", "discard"),
            ("2001:2::1", "reserved for protocols"),
            ("2001:10::1", "reserved for protocols"),
            ("2001:20::1", "reserved for protocols"),
            ("2001:1ff:ffff::", "reserved for protocols"),
            ("2001:db8::1", "documentation"),
            ("3fff::1", "documentation"),
            ("3fff:fff::1", "documentation"),
            ("5f00::1", "segment routing"),
            ("fc00::1", "unique local"),
            ("fd00:ec2::254", "unique local"),
            ("fdff:ffff::1", "unique local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("4000::1", "reserved"),
            ("1fff::1", "reserved"),
            ("::2", "reserved"),
        ] {
            assert_eq!(verdict(address), Some(kind), "{address}");
        }
    }

    #[test]
    fn an_address_that_carries_another_is_judged_by_what_it_carries() {
        for (address, kind) in [
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "link-local"),
            ("::ffff:0.0.0.0", "unspecified"),
            ("64:ff9b::127.0.0.1", "loopback"),
            ("64:ff9b::10.0.0.1", "private"),
            ("2002:7f00:1::", "loopback"),
            ("2002:a9fe:a9fe::1", "link-local"),
            ("2002:c0a8:101::", "private"),
            // Teredo: a private server, and a client at 127.0.0.1 behind a public one.
            ("2001:0:a00:1:8000:63bf:3fff:fcd2", "private"),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"),
            // Compatible, translated and local-translation forms have no public use at all.
            ("::8.8.8.8", "reserved"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:0:8.8.8.8", "reserved"),
            ("64:ff9b:1::8.8.8.8", "local translation"),
            ("64:ff9b:1:ffff::10.0.0.1", "local translation"),
        ] {
            assert_eq!(verdict(address), Some(kind), "{address}");
        }
    }
}
