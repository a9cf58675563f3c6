//! The rules of RFC 9111: what a cache may do with the responses of others, one that is shared or one that is private. Each rule has its section beside it.
//!
//! | Module | Section | Says |
//! |---|---|---|
//! | `settings` | | where the RFC leaves room, what was declared |
//! | `governing` | 5.2, 5.3, RFC 9213 | which directives a response is under |
//! | `status` | 3, 4.2.2 | what a status code allows |
//! | `storing` | 3, 3.5 | whether a response may be stored, or why not |
//! | `freshness` | 4.2 | its lifetime, and its age when it came |
//! | `terms` | | what was read of it, once and for all: plain data, which a store keeps beside the response |
//! | `lookup` | 4 | which requests a store may answer |
//! | `vary` | 4.1 | under which keys a response is found |
//! | `demand`, `reuse` | 4, 4.2.4, 5.2.1, RFC 5861 | what may be done now with what is stored |
//! | `validation` | 4.3.1, 4.3.3, 4.3.4 | what is asked to validate it, and which stored responses a 304 is about |
//! | `freshening` | 3.2, 4.3.4, 4.3.5 | what a 304 or the answer to a HEAD changes |
//! | `answer` | 4.3.2, RFC 9110 13, 14 | 200, 206, 304 or 416 from what is stored |
//! | `partial` | 3.3, 3.4, RFC 9110 15.3.7 | stored parts: answering from them, completing and joining them |
//! | `invalidation` | 4.4, RFC 9875 | what a change on the origin makes invalid here |
//! | `kept` | 3.1 | which fields are stored |
//!
//! Everything here is a function of values: fields, moments, what was stored. No clock is read, nothing is fetched or kept, and nothing
//! knows of sockets, stores or tasks. Fields may hold any octets; nothing panics, no sum overflows, and the time taken is in proportion to
//! what is read. A hit parses nothing of the response: [`Terms`] give [`super::Windows`] once, and [`reuse()`] compares moments.
//!
//! Where the RFC leaves a choice, the one taken stands at the rule, and errs towards asking the origin.

mod answer;
mod demand;
mod freshening;
mod freshness;
mod governing;
mod invalidation;
mod kept;
mod lookup;
mod partial;
mod reference;
mod reuse;
mod settings;
mod status;
mod storing;
mod terms;
mod validation;
mod vary;

pub use answer::{Answer, answer};
pub use demand::Demand;
pub use freshening::{HeadVerdict, freshen, head_verdict};
pub use freshness::{LifetimeSource, initial_age};
pub use governing::Governing;
pub use invalidation::{Elsewhere, Invalidated, groups, invalidated, is_safe};
pub use kept::{not_modified_fields, storable_fields};
pub use lookup::{Bypass, may_look_up};
pub use partial::{Joined, Missing, Part, PartAnswer, Piece, complete, part_answer};
pub use reuse::{Because, Failure, Reuse, may_serve_on_error, reuse};
pub use settings::{Audience, Cookies, Rank, Settings, Written};
pub use status::{is_heuristically_cacheable, is_understood};
pub use storing::{NotStored, store, store_again};
pub use terms::{Exchange, Reusable, Terms};
pub use validation::{Validated, may_validate, selected_by, validate};
pub use vary::{KnownVary, SecondaryKey, StoredUnder, VaryNames};

#[cfg(test)]
mod tests;
