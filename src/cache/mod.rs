//! Stored representations: keys, freshness, the store, and one fill for each key.
//!
//! Time arrives as values. It knows nothing of routes or of how a representation is made.
