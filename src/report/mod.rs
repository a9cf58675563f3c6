//! Views of a site, as text: what it consists of, for the people who run it.
//!
//! Pure: a [`Site`](crate::site::Site) in, a text out. It judges nothing, which is the business of `check`, and knows nothing of requests.
//!
//! A new view is a file with its function, and a line here.

mod routes;
mod table;

pub use routes::routes;
