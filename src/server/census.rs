//! How many connections there are, in all and from each address. Touched when a connection begins and when it ends, never by a request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::Limits;
use crate::fields::TrustedProxies;

/// The connections at present.
#[derive(Debug)]
pub struct Census {
    most: usize,
    most_per_address: usize,
    /// Who comes through these counts for nobody: they are many behind one address.
    proxies: TrustedProxies,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// Never more entries than connections: an address without one is removed.
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The server has as many as it may have.
    Server,
    /// This address has as many as it may have.
    Address,
}

/// The place of one connection in the census, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    census: Arc<Census>,
    address: Option<IpAddr>,
}

impl Census {
    /// An empty one.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            proxies: limits.trusted_proxies.clone(),
            counts: Mutex::default(),
        })
    }

    /// How many there are.
    pub fn connections(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// Counts a connection from `peer`, which a Unix socket does not have.
    pub(super) fn admit(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Seat, Full> {
        let address = peer.and_then(counted_as).filter(|_| !self.proxies.is_trusted(peer));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.most {
            return Err(Full::Server);
        }
        if let Some(address) = address {
            let here = counts.by_address.get(&address).copied().unwrap_or(0);
            if here >= self.most_per_address {
                return Err(Full::Address);
            }
            counts.by_address.insert(address, here + 1);
        }
        counts.all += 1;
        Ok(Seat { census: Arc::clone(self), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(here) = counts.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

/// The address that a peer counts under: none for loopback, the network for IPv6, where one client commands 2^64 addresses.
fn counted_as(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(IpAddr::V4(address)),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Some(IpAddr::V6(Ipv6Addr::from_bits(network)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(connections: usize, connections_per_address: usize) -> Arc<Census> {
        Census::new(&Limits { connections, connections_per_address, ..Limits::default() })
    }

    /// The peer of a connection.
    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn one_address_cannot_take_every_seat() {
        let census = census(10, 2);
        let first = census.admit(address("192.0.2.1")).unwrap();
        let _second = census.admit(address("192.0.2.1")).unwrap();
        assert_eq!(census.admit(address("192.0.2.1")).unwrap_err(), Full::Address);
        assert_eq!(census.admit(address("::ffff:192.0.2.1")).unwrap_err(), Full::Address);
        let _other = census.admit(address("192.0.2.2")).unwrap();
        drop(first);
        let _again = census.admit(address("192.0.2.1")).unwrap();
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let census = census(10, 1);
        let _one = census.admit(address("2001:db8::1")).unwrap();
        assert_eq!(census.admit(address("2001:db8::ffff:2")).unwrap_err(), Full::Address);
        let _elsewhere = census.admit(address("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn loopback_and_unix_sockets_are_bound_by_the_whole_only() {
        let census = census(4, 1);
        let seats: Vec<Seat> = [address("127.0.0.1"), address("127.8.8.8"), address("::1"), None]
            .map(|peer| census.admit(peer).unwrap())
            .into();
        assert_eq!(census.admit(None).unwrap_err(), Full::Server);
        drop(seats);
        assert!(census.admit(None).is_ok());
    }

    #[test]
    fn proxies_are_bound_by_the_whole_only() {
        let mut trusted_proxies = TrustedProxies::default();
        trusted_proxies.add("192.0.2.0/24").unwrap();
        let limits = Limits { connections: 3, connections_per_address: 1, trusted_proxies, ..Limits::default() };
        let census = Census::new(&limits);
        let _seats: Vec<Seat> = (0..2).map(|_| census.admit(address("192.0.2.7")).unwrap()).collect();
        let _client = census.admit(address("198.51.100.1")).unwrap();
        assert_eq!(census.admit(address("192.0.2.7")).unwrap_err(), Full::Server);
    }

    #[test]
    fn an_address_that_left_is_forgotten() {
        let census = census(10, 2);
        drop(census.admit(address("192.0.2.1")).unwrap());
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.all, counts.by_address.len()), (0, 0));
    }
}
