//! HTTP header fields: parsing, writing and the verdicts they give (RFC 9110, 9111, 9211, 9213).
//!
//! One file per field or rule set, pure functions of bytes and values. Nothing here reads a clock, a socket or a file, and nothing
//! knows of sites or routes.

mod coding;

pub use coding::Coding;
