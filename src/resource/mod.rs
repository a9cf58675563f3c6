//! Kinds of route: what a URL stands for.
//!
//! It knows nothing of sockets, of the store or of other routes.
