//! One request: match, inputs, stored, gather, represent, precondition, respond.
//!
//! It knows nothing of sockets and listeners.

mod asset;
mod body;
