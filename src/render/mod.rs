//! Layouts: Liquid compiled to a tree that writes values into one buffer, escaped for where they land.
//!
//! Pure: output depends on layout, values and the given time alone. It knows nothing of requests, sources or routes.
