//! Views of a site, as text: what it consists of, what its files may hold, what would become of a request.
//!
//! Pure: a [`Site`](crate::site::Site), a [`Declaration`](crate::site::Declaration) or an [`Explanation`](crate::explanation::Explanation) in, a text out. It
//! judges nothing, which is the business of `check`, and knows nothing of how requests are answered.
//!
//! A new view is a file with its function, and a line here.

mod explain;
mod memory;
mod openapi;
mod routes;
mod schema;
mod table;

pub use explain::{explain, explain_as_json};
pub use memory::Ceiling;
pub use openapi::openapi;
pub use routes::routes;
pub use schema::{prose, schema};
