//! Sockets, connections, deadlines, the current site, reload and drain.
//!
//! It knows how to carry requests and responses, never what they mean.
