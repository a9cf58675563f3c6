//! The server as clients on a socket see it: raw octets in, raw octets out, against a server in this process.

pub(crate) mod bodies;
pub(crate) mod drain;
pub(crate) mod exchange;
pub(crate) mod listen;
pub(crate) mod malformed;
mod relay;
mod server;
pub(crate) mod slow;
pub(crate) mod streams;
pub(crate) mod switch;
