//! What this floor promises where several meet: with real threads, and in all the orders that a model checker tries.

mod collapse;
mod model;
mod purge;
mod store;
mod variants;
