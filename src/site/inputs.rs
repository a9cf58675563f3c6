//! What a route reads of a request: declared inputs, with what becomes of a misfit. What is not declared does not exist.

use crate::resource::OnInvalid;
use crate::router::InputType;
use crate::value::Value;
use http::header::HeaderName;
use std::sync::Arc;

/// The declared inputs of a route, besides its path parameters.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Query values, in the order of their names.
    pub query: Vec<QueryInput>,
    /// Cookies, in the order of their names.
    pub cookies: Vec<CookieInput>,
    /// Header fields that anything reads, in the order of their names; each is in the key and in `Vary`.
    pub headers: Vec<HeaderName>,
    /// What is read of the request itself.
    pub request: RequestReads,
}

/// A query value.
#[derive(Debug)]
pub struct QueryInput {
    /// Its name for the author: `query.name`.
    pub name: Arc<str>,
    /// Its name in the URL.
    pub key: Arc<str>,
    /// What fits.
    pub kind: InputType,
    /// The value when the query has none.
    pub default: Value,
    /// Whether it is a list, and how many items that may have.
    pub repeat: Option<usize>,
    /// What a misfit means.
    pub on_invalid: OnInvalid,
    /// Whether anything reads it: then it is in the key.
    pub is_read: bool,
}

/// A cookie.
#[derive(Debug, Clone)]
pub struct CookieInput {
    /// Its name for the author: `cookies.name`.
    pub name: Arc<str>,
    /// Its name in the request.
    pub key: Arc<str>,
    /// The only values there are; any, if `None`: such a cookie makes the page personal.
    pub choices: Option<Vec<Arc<str>>>,
    /// The value when the request has none.
    pub default: Option<Arc<str>>,
    /// Whether anything reads it: then it is in the key.
    pub is_read: bool,
}

/// What is read of the request itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestReads {
    /// `request.path`: the canonical path.
    pub path: bool,
    /// `request.url`: the path and the declared query.
    pub url: bool,
    /// `request.method`: `GET` for both GET and HEAD.
    pub method: bool,
}
