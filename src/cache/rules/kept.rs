//! Which fields of a response are stored (RFC 9111, section 3.1), and which of them a 304 has (RFC 9110, section 15.4.5).

use super::Terms;
use crate::fields::{DATE_LENGTH, format_date, remove_hop_by_hop};
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
};
use http::{HeaderName, HeaderValue};
use std::time::SystemTime;

/// The fields of a response that are stored: all but those that go no further than one connection, those that are for a proxy, those that
/// `private` or `no-cache` withholds, and `Age`, which the terms know and which is written anew each time.
///
/// What came without a `Date` gets the time it was received (RFC 9110, section 6.6.1). None that is there is changed.
pub fn storable_fields(response: HeaderMap, terms: &Terms) -> HeaderMap {
    let mut stored = response;
    remove_hop_by_hop(&mut stored);
    remove_of_proxies(&mut stored);
    stored.remove(AGE);
    for name in &terms.withheld {
        stored.remove(name);
    }
    if !stored.contains_key(DATE) {
        stored.insert(DATE, date_value(terms.received));
    }
    stored
}

/// Section 3.1, the last point: fields about the way to a proxy, which the next one need not be on.
pub(super) fn remove_of_proxies(fields: &mut HeaderMap) {
    fields.remove(PROXY_AUTHENTICATE);
    fields.remove(PROXY_AUTHORIZATION);
    fields.remove(HeaderName::from_static("proxy-authentication-info"));
}

pub(super) fn date_value(time: SystemTime) -> HeaderValue {
    let text: [u8; DATE_LENGTH] = format_date(time);
    // A date is letters, digits and punctuation.
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// The stored fields that a 304 sends: all but those about the content, which it does not have.
pub fn not_modified_fields(stored: &HeaderMap) -> HeaderMap {
    let mut fields = stored.clone();
    for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE] {
        fields.remove(name);
    }
    fields
}
