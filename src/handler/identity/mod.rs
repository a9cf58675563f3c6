//! Who asks, by the identities that a site declares.

use super::runtime::Service;
use crate::resource::IdentityKind;
use crate::value::Value;
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who asks.
pub(super) enum Who {
    /// Somebody, with these claims.
    User(Value),
    /// Nobody; and how one could become somebody (RFC 9110, section 11.6.1).
    Nobody(Vec<HeaderValue>),
    /// It cannot be known now; perhaps after this time.
    Unavailable(Duration),
}

/// Who asks by these fields, which `kinds` of identity count for; all that are declared, if none is named.
pub(super) async fn who(
    _service: &Arc<Service>,
    _kinds: &[IdentityKind],
    _fields: &HeaderMap,
    _deadline: Instant,
) -> Who {
    Who::Nobody(Vec::new())
}
