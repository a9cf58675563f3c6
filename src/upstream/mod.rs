//! Calls to other servers: names, addresses, connections, sizes, times, retries.
//!
//! A [`Call`] goes in, an [`Answer`] of bytes or a [`Failure`] comes out, always before a deadline and always below a size. It knows
//! requests and answers as bytes; what they mean is for the floors above. It reads no configuration and no environment: proxies,
//! redirects and cookies exist only as far as a call asks for them.
//!
//! | File | Holds |
//! |---|---|
//! | `call` | what is asked, within which bounds, and what came back |
//! | `failure` | everything that can come back instead |
//! | `client` | one call: its turn, its attempts, its redirects, its body |
//! | `address` | which addresses are nobody's but ours |
//! | `resolver` | names to addresses, without the C library |
//! | `roots` | whose certificates are trusted |
//! | `reply`, `body` | an answer whose body is still to come; collecting and decoding it under both caps |
//! | `pieces` | a body that is sent piece by piece, some of which are in files |
//! | `redirect`, `retry` | whether to go elsewhere, whether to go again: pure |
//! | `forward/` | one exchange that is passed on as it is, streamed both ways |
//! | `balance` | which of several addresses is next: pure |
//! | `breaker`, `limit`, `patience`, `registry` | what is remembered about an upstream between calls, and across reloads |
//!
//! A new reason to fail is a variant of [`Failure`]; the compiler then asks whether it is transient and what the breaker makes of it.

mod address;
mod balance;
mod body;
mod breaker;
mod call;
mod client;
mod failure;
mod forward;
mod limit;
mod patience;
mod pieces;
mod redirect;
mod registry;
mod reply;
mod resolver;
mod retry;
mod roots;

#[cfg(test)]
mod rebinding;

pub use address::special_purpose;
pub use balance::{MOST_ADDRESSES, Spread};
pub use body::SMALL as SMALL_BODY;
pub use breaker::BreakerSettings;
pub use call::{Answer, BodyLimits, Call, Timeouts, Trust, belongs_to_connection};
pub use client::{BuildError, Client, ClientSettings};
pub use failure::{CodingFault, Failure, NameFault, Part, Unreachable, Wait};
pub use forward::{Bounds, Forward, Forwarded, Received, Tunnel, Upload, UploadError};
pub use pieces::Piece;
pub use redirect::Redirects;
pub use registry::{Address, Registry, UpstreamSettings, UpstreamState, Whereabouts};
pub use reqwest::Url;
