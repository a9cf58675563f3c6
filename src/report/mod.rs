//! Views of a site, as text: what it consists of, and what its files may hold.
//!
//! Pure: a [`Site`](crate::site::Site) or a [`Declaration`](crate::site::Declaration) in, a text out. It judges nothing, which is the business of `check`, and knows nothing of requests.
//!
//! A new view is a file with its function, and a line here.

mod routes;
mod schema;
mod table;

pub use routes::routes;
pub use schema::{prose, schema};
