//! Which route a request target belongs to: patterns, typed inputs, one canonical form of each URL.
//!
//! Pure: a target in, a [`Routing`] out. It knows nothing of what routes do: a [`Router`] is generic over them.
//!
//! 1. [`Router::route`] splits the target and brings its path into canonical form ([`Path`]), decoded exactly once;
//! 2. finds the most specific pattern, compared segment by segment from the left;
//! 3. checks the parameters against their types: a misfit is *not found*, never the next route;
//! 4. answers with the match, or with a redirect if the path was spelled in another way.
//!
//! Beside it stand the other questions that a request line and `Host` raise: [`Hosts`] (may this request be served here?),
//! [`Methods`] (does the route know the method?) and [`Query`] (the pairs behind the `?`).
//!
//! A new type of parameter is a variant of [`Kind`] and its rule in `input.rs`.

mod host;
mod input;
mod methods;
mod path;
mod pattern;
#[cfg(test)]
mod properties;
mod query;
mod tree;
mod version;

pub use host::{Authority, BadHost, HostVerdict, Hosts, host_field};
pub use input::{InputDecl, InputProblem, InputType, Kind};
pub use methods::{MethodVerdict, Methods};
pub use path::{
    Canonical, CanonicalPath, Path, PathError, TrailingSlash, as_read, canonicalise, decode, encode_segment,
};
pub use pattern::{ConstrainError, Pattern, PatternError, PatternProblem};
pub use query::{Query, QueryValue};
pub use tree::{Conflict, Match, Params, Router, Routing};
pub use version::Version;
