//! Declarations compiled, linked and analysed into one immutable `Site`.
//!
//! No connection, lock, cache or clock inside: a `Site` is data.
