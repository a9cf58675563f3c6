//! Kinds of data source: what one declares, how it is called, what its failures become.
//!
//! It knows nothing of routes, layouts or responses.
