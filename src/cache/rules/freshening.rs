//! What a 304, or the answer to a HEAD, changes of a stored response (RFC 9111, sections 3.2, 4.3.4 and 4.3.5).

use super::governing::lines;
use super::kept::{date_value, remove_of_proxies};
use crate::fields::{is_hop_by_hop, parse_date_received, remove_hop_by_hop};
use http::StatusCode;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, SET_COOKIE,
};
use std::time::SystemTime;

/// The fields of a stored response after an `update` that was received at `received` (section 3.2): what the update says takes the place of
/// what was stored, each field with all its lines, and the rest stays.
///
/// Kept as stored is what says how the stored content is to be read: `Content-Length`, `Content-Encoding`, `Content-Range`. Anything else that
/// begins with `Content-` is replaced, as the RFC asks. Fields that are not stored are not taken over either. `Set-Cookie` is taken over
/// only if `takes_cookies`: the cookie is for whoever was answered with the update, unless the terms say that anybody may get it.
///
/// The terms of the result are to be read anew, with [`super::store_again`], of an exchange whose response has these fields, the status that is
/// stored, and the moments of the update: the age begins again. What is stored is then [`super::storable_fields`] of both.
pub fn freshen(stored: &HeaderMap, update: &HeaderMap, received: SystemTime, takes_cookies: bool) -> HeaderMap {
    let mut update = update.clone();
    remove_hop_by_hop(&mut update);
    remove_of_proxies(&mut update);
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE] {
        update.remove(name);
    }
    if !takes_cookies {
        update.remove(SET_COOKIE);
    }
    if !update.contains_key(DATE) {
        // Its own would count from when the response was made first.
        update.insert(DATE, date_value(received));
    }
    let mut fields = stored.clone();
    fields.remove(AGE);
    for name in update.keys() {
        fields.remove(name);
    }
    for (name, value) in &update {
        if !is_hop_by_hop(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    fields
}

/// What the answer to a HEAD says of a stored response that could have answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadVerdict {
    /// It is the same: it is to be freshened.
    Freshen,
    /// It is another: what is stored is stale.
    Stale,
    /// It says nothing of what is stored.
    Nothing,
}

/// Section 4.3.5, of a stored response whose content has so many bytes, if that is known. Only a 200 says something of a stored 200.
pub fn head_verdict(
    stored_status: StatusCode,
    stored: &HeaderMap,
    length: Option<u64>,
    status: StatusCode,
    head: &HeaderMap,
) -> HeadVerdict {
    if status != StatusCode::OK || stored_status != StatusCode::OK {
        return HeadVerdict::Nothing;
    }
    let is_same = |name: &HeaderName| match head.get(name) {
        None => true,
        Some(value) => stored.get(name).is_some_and(|stored| is_same_validator(stored.as_bytes(), value.as_bytes())),
    };
    let is_as_long = match (head.get(CONTENT_LENGTH), length) {
        (Some(said), Some(length)) => said.to_str().ok().and_then(|said| said.trim().parse().ok()) == Some(length),
        (None, _) | (_, None) => true,
    };
    if is_same(&ETAG) && is_same(&LAST_MODIFIED) && is_as_long { HeadVerdict::Freshen } else { HeadVerdict::Stale }
}

/// Whether two validators say the same: the same bytes, or the same time in another form.
pub(super) fn is_same_validator(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (one.trim_ascii(), other.trim_ascii());
    // A year of two digits is that of the other date where it can be.
    let is_read_as = |text, time| parse_date_received(text, time) == Some(time);
    let date = |text| parse_date_received(text, SystemTime::UNIX_EPOCH);
    one == other
        || date(one).is_some_and(|time| is_read_as(other, time))
        || date(other).is_some_and(|time| is_read_as(one, time))
}

/// The first line of a field.
pub(super) fn first<'f>(fields: &'f HeaderMap, name: &HeaderName) -> Option<&'f [u8]> {
    lines(fields, name).next().map(<[u8]>::trim_ascii).filter(|value| !value.is_empty())
}
