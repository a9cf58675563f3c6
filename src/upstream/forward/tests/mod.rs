//! Exchanges through real sockets with servers that say exactly what a test makes them say.

mod addresses;
mod apart;
mod bodies;
mod framing;
mod origin;
mod reuse;
mod waits;
mod wire;
