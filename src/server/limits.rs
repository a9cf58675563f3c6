//! What one connection, one address and the whole server may use: plain values, so that a test can make each of them small.
//!
//! The defaults are the documented ones. Nothing here reads a clock or a configuration.

use crate::fields::TrustedProxies;
use std::time::Duration;

/// The bounds that every connection lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a request head: request line, fields and the empty line.
    pub head: usize,
    /// Octets of a request target.
    pub target: usize,
    /// Header fields of a request.
    pub fields: usize,
    /// From the first chance to send a head to its last octet. On a new connection it covers the first octet too.
    pub head_time: Duration,
    /// How long a connection may rest between two requests.
    pub idle: Duration,
    /// After how long between two requests a connection gives its buffers back. It costs the next request a little.
    pub rest: Duration,
    /// How long a request body may pause.
    pub body_stall: Duration,
    /// How long a request body may take as a whole that nobody reads: a handler that reads one sets its pace.
    pub body_time: Duration,
    /// How long a client may leave an answer unread.
    pub write_stall: Duration,
    /// How long a client that has ended its sending direction may be sent nothing, while its going would be noticed by nothing else.
    pub half_closed: Duration,
    /// How long a connection that has switched to another protocol may rest.
    pub tunnel_idle: Duration,
    /// Octets of a request body that are taken from the connection, and thrown away, when nobody reads it.
    pub unread_body: u64,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address, where an IPv6 address counts by its first 64 bits. Loopback is exempt, and so are
    /// `trusted_proxies`.
    pub connections_per_address: usize,
    /// The proxies whose connections carry the requests of many, and whose word counts on whose they are.
    pub trusted_proxies: TrustedProxies,
    /// How long a drain waits for the requests in flight.
    pub drain: Duration,
    /// How long, in a drain, a connection that was used a moment ago may still bring a request that was already on its way.
    pub last_call: Duration,
    /// How long a closing connection still takes input, so that a reset does not destroy the last answer (RFC 9112, section 9.6).
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 32 * 1024,
            target: 8 * 1024,
            fields: 100,
            head_time: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            rest: Duration::from_secs(1),
            body_stall: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            write_stall: Duration::from_secs(30),
            half_closed: Duration::from_secs(2),
            tunnel_idle: Duration::from_mins(10),
            unread_body: 64 * 1024,
            connections: 10_000,
            connections_per_address: 256,
            trusted_proxies: TrustedProxies::default(),
            drain: Duration::from_secs(30),
            last_call: Duration::from_secs(1),
            linger: Duration::from_secs(1),
        }
    }
}
