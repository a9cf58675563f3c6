//! Which route a request target belongs to: patterns, typed parameters, one canonical form of each URL.
//!
//! Pure: a target in, a verdict out. It knows nothing of what routes do.
