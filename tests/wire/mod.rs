//! The server as clients on a socket see it: raw octets in, raw octets out, against a server in this process.

pub(crate) mod drain;
pub(crate) mod exchange;
pub(crate) mod listen;
pub(crate) mod malformed;
mod server;
pub(crate) mod slow;
