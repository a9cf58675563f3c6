//! Findings about a whole site that no single declaration shows.
//!
//! One file per rule. Rules read the `Site`; they change nothing.
