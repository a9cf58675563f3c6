//! Who sends a request, as far as the site's identities can tell.
//!
//! The first identity that a request carries a credential for says who it is, in the order token, password, upstream. What has to be waited for
//! is waited for in [`who`]: keys that are fetched, passwords that are verified on threads of their own, an upstream that is asked. Everything
//! else is at hand ([`at_hand`]).

use super::runtime::Service;
use crate::site::{Identities, Identity};
use crate::value::Value;
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who sends a request.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// Somebody: an object of claims, which is `user`.
    User(Value),
    /// Nobody that we know.
    Nobody {
        /// What was wrong with the credential, if there was one.
        refused: Option<Refused>,
    },
    /// It cannot be told now, and may be later: 503.
    Unavailable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// A credential that is not believed.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// By which identity.
    pub(super) by: Identity,
    /// Why, in words that may be shown.
    pub(super) why: String,
    /// The challenges that an upstream has answered with.
    challenges: Vec<HeaderValue>,
}

/// Who sends a request with these fields, if nothing has to be waited for.
pub(super) fn at_hand(_service: &Arc<Service>, _fields: &HeaderMap, _among: Identities) -> Option<Who> {
    None
}

/// Who sends a request with these fields, as these identities tell it before the `deadline`.
pub(super) async fn who(_service: &Arc<Service>, _fields: &HeaderMap, _among: Identities, _deadline: Instant) -> Who {
    Who::Nobody { refused: None }
}

/// Adds what a 401 says of how to become somebody (RFC 9110, section 11.6.1): a challenge of each of these identities. `host` is whom the
/// request was for.
pub(super) fn challenges(
    _service: &Service,
    _refused: Option<&Refused>,
    _among: Identities,
    _host: &str,
    _fields: &mut HeaderMap,
) {
}
