//! Who somebody is: tokens, keys, passwords, and cookies that only we can have made. All of it is pure.
//!
//! A text that somebody sent goes in, with the keys, the rules and the present time as values; a verdict comes out. Nothing here reads a clock,
//! a file or a socket, and nothing knows of requests: where a token stands, where keys come from and how long they are believed is for the
//! floors above. Cryptography is that of aws-lc, which TLS brings; argon2 alone has a crate of its own.
//!
//! | File | Holds |
//! |---|---|
//! | `algorithm` | the algorithms of signatures, by their names (RFC 7518, RFC 8037) |
//! | `kind` | which ways to know there are |
//! | `key`, `pem` | keys, and the sets that they come in (RFC 7517) |
//! | `token` | a token (RFC 7515, RFC 7519): taken apart, judged, verified |
//! | `password` | users, and whether a password is theirs |
//! | `cookie` | values of cookies, signed or sealed, under keys that rotate |
//!
//! Everything from outside is bounded before it is read, and what is cheap to judge is judged before what is not.

mod algorithm;
mod base64url;
mod cookie;
mod key;
mod kind;
mod password;
mod pem;
mod token;

pub use algorithm::Algorithm;
pub use cookie::{CookieKeys, SHORTEST_COOKIE_KEY, Seal};
pub use key::{Believed, KeyError, KeySet, MOST_KEYS};
pub use kind::{Identities, Identity};
pub use password::{HashError, LONGEST_PASSWORD, PasswordHash, Users};
pub use token::{LONGEST_TOKEN, Refusal, Rules, Times, Token, Verified};

#[cfg(test)]
mod tests;
