//! Views of a site for people: routes.
//!
//! It reads the `Site` and formats; it decides nothing.
