//! What a route reads of a request: declared inputs, with what becomes of a misfit. What is not declared does not exist.

use crate::config::{encode_segment, scalar_text};
use crate::identity::Seal;
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
    /// Whether anything reads who asks.
    pub user: bool,
}

impl Inputs {
    /// A URL of the route without scheme and host: its canonical `path`, and the declared query values that differ from their
    /// defaults, in the order of their names. `values` are those of a request; that of `changed` is another.
    pub fn target(&self, path: &str, values: &Value, changed: (&str, &Value)) -> String {
        let mut target = path.to_owned();
        let mut separator = '?';
        for input in &self.query {
            let value = if *input.name == *changed.0 { Some(changed.1) } else { values.get(&input.name) };
            let Some(value) = value.filter(|value| **value != input.default) else { continue };
            for item in value.as_list().unwrap_or(std::slice::from_ref(value)) {
                let Ok(text) = scalar_text(item) else { continue };
                target.push(separator);
                separator = '&';
                encode_segment(&input.key, &mut target);
                target.push('=');
                encode_segment(&text, &mut target);
            }
        }
        target
    }
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
    /// What is known of how its value is written.
    pub written: Writing,
    /// What fits; anything else counts as absent.
    pub kind: InputType,
    /// The value when the request has none.
    pub default: Value,
    /// Whether anything reads it: then it is in the key.
    pub is_read: bool,
}

/// How the value of a cookie is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// As others write it: it is taken as it is.
    Foreign,
    /// As this site writes it: what no cookie may hold is percent-encoded.
    Encoded,
    /// As only this site can.
    Proven(Seal),
}

impl CookieInput {
    /// Whether it says no more than which of a few variants the visitor likes: without an `enum`, it may say who the visitor is.
    pub fn is_enumerated(&self) -> bool {
        self.kind.choices().is_some()
    }
}

/// The cookie that `request.flash` comes in: it is sent with the answer to a form, and taken back by the page that says it.
pub const FLASH_COOKIE: &str = "__Host-flash";

/// What is read of the request itself.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set: one for each field of `request`")]
pub struct RequestReads {
    /// `request.path`: the canonical path.
    pub path: bool,
    /// `request.url`: the path and the declared query.
    pub url: bool,
    /// `request.method`: `GET` for both GET and HEAD.
    pub method: bool,
    /// `request.language`: the one of the site's languages that the visitor prefers.
    pub language: bool,
    /// `request.flash`: what the answer to a form wanted said on the next page.
    pub flash: bool,
}
