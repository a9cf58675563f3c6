//! Stored responses: their keys, freshness, codings, the store, and one fill for each key (RFC 9111, RFC 5861).
//!
//! | Module | Holds |
//! |---|---|
//! | `digest` | what a thing was made of, as a few bytes that are the same for the same |
//! | `key` | what selects a stored response, encoded so that different requests never meet |
//! | `policy` | directives to moments, and what may be done with a response at a moment |
//! | [`rules`] | what RFC 9111 lets a shared cache do with the responses of others |
//! | `received` | for how much longer a response from elsewhere is fresh |
//! | `coding`, `content` | fields and body in every content coding, each made once and ready to send |
//! | `stored` | what is kept under a key |
//! | `responses` | what is stored of one URL of an origin |
//! | `datum` | what was taken from a response of an origin |
//! | `tag` | what it depends on, and what a purge covers |
//! | `purge` | which fills may still be stored: a fill begun before a purge is never visible after it |
//! | `store` | the store in memory, bounded by bytes |
//! | `variants` | how many responses of one URL it holds |
//! | `memo` | what was made of something, by the digest of that |
//! | `collapse` | one fill for each key, which strands nobody |
//! | `sync` | where threads and tasks meet in the last three, which a model checker takes the place of |
//!
//! The one way of a request: build a [`Key`] and look it up in the [`Store`]; [`Stored::verdict`] says what may be done with what
//! was found; if it must be made, [`Flights::fly`] by key and [`Store::epoch`], the fill taking a [`Ticket`] with [`Store::begin`]
//! before it reads anything and giving it back with [`Store::put`].
//!
//! Time arrives as values; only the limit of a flight uses the runtime's timer. This floor knows nothing of routes, requests
//! or how a response is made, and has no room for what belongs to one person: no page can hold a `Set-Cookie`. What an
//! origin sends with one is kept only if it says itself for how long everybody may have it.
//!
//! Another kind of store stands beside `store` and keeps its promises: bounded, purges final, whole keys compared.

mod coding;
mod collapse;
mod content;
mod datum;
mod digest;
mod key;
mod memo;
mod policy;
mod purge;
mod received;
mod responses;
pub mod rules;
mod store;
mod stored;
mod sync;
mod tag;
mod variants;

pub use coding::{encode, is_compressible};
pub use collapse::{Empty, Filled, Flights, Landing};
pub use content::{
    CACHE_STATUS, CDN_CACHE_CONTROL, Content, NotStorableFields, Prepared, Ready, StorableFields, StrongTag,
};
pub use datum::{Datum, Extracted};
pub use digest::{Digest, Digester};
pub use key::{Key, KeyBuilder, KeyPart, KeyParts, Lookup, Section};
pub use memo::Memo;
pub use policy::{Allowance, Jitter, Lifetime, NotStorable, Verdict, Windows};
pub use purge::{Epoch, Ticket};
pub use received::remaining_freshness;
pub use responses::{Received, Responses};
pub use store::{Counts, NotStored, Purge, Store, StoreLimits};
pub use stored::{Revision, Stored};
pub use tag::{Parameters, Scope, Tag, Tags};

#[cfg(test)]
mod tests;
