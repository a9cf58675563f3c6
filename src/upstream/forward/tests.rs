//! Exchanges through real sockets.
