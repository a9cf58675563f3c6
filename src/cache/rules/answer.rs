//! 200, 206, 304 or 416 from what is stored (RFC 9111, section 4.3.2; RFC 9110, sections 13.2 and 14.2).

use super::Terms;
use super::freshening::first;
use super::governing::lines;
use crate::fields::{EntityTag, RangeVerdict, TagList, parse_date_received, range};
use http::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{Method, StatusCode};
use std::ops::RangeInclusive;
use std::time::SystemTime;

/// How a stored response answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// As it is stored.
    Whole,
    /// The client has it: 304 with [`super::not_modified_fields`].
    NotModified,
    /// These bytes of it: 206.
    Part(RangeInclusive<u64>),
    /// The range it asks for is beyond its end: 416.
    Unsatisfiable,
}

/// How a complete stored response of so many bytes answers a request that [`super::may_look_up`] lets in.
///
/// Conditions and ranges are for a 200 alone (RFC 9110, sections 13.2.1 and 14.2). Without `Last-Modified` the response's `Date` stands in for it
/// (section 4.3.2), not in `If-Range`, which takes strong validators only.
pub fn answer(
    method: &Method,
    request: &HeaderMap,
    status: StatusCode,
    stored: &HeaderMap,
    terms: &Terms,
    length: Option<u64>,
) -> Answer {
    if status != StatusCode::OK {
        return Answer::Whole;
    }
    if is_not_modified(request, stored, terms) {
        return Answer::NotModified;
    }
    let Some(length) = length.filter(|_| *method == Method::GET && request.contains_key(RANGE)) else {
        return Answer::Whole;
    };
    if !is_range_current(request, stored, terms) {
        return Answer::Whole;
    }
    match range(request, length) {
        RangeVerdict::Full => Answer::Whole,
        RangeVerdict::Partial(part) => Answer::Part(part),
        RangeVerdict::Unsatisfiable => Answer::Unsatisfiable,
    }
}

/// Whether the client has what is stored (section 4.3.2). `If-Match` and `If-Unmodified-Since` are not for a cache to weigh.
pub(super) fn is_not_modified(request: &HeaderMap, stored: &HeaderMap, terms: &Terms) -> bool {
    let tag = first(stored, &ETAG);
    if request.contains_key(IF_NONE_MATCH) {
        // Tags that are none are compared as they are: a client sends what it was sent.
        let is_echoed = tag.is_some() && lines(request, &IF_NONE_MATCH).any(|line| Some(line.trim_ascii()) == tag);
        let stored = tag.and_then(EntityTag::parse);
        return is_echoed || TagList(request.get_all(IF_NONE_MATCH).iter()).has_weakly(stored.as_ref());
    }
    let mut dates = lines(request, &IF_MODIFIED_SINCE);
    let (Some(line), None) = (dates.next(), dates.next()) else { return false };
    parse_date_received(line, terms.received)
        .is_some_and(|since| whole_seconds(terms.last_modified.unwrap_or(terms.date)) <= whole_seconds(since))
}

/// Whether `If-Range` names what is stored by a strong validator (RFC 9110, section 13.1.5). A date is one if the response was made at least a
/// second after its last change (section 8.8.2.2).
pub(super) fn is_range_current(request: &HeaderMap, stored: &HeaderMap, terms: &Terms) -> bool {
    let mut conditions = lines(request, &IF_RANGE);
    let condition = match (conditions.next(), conditions.next()) {
        (None, _) => return true,
        (Some(condition), None) => condition.trim_ascii(),
        (Some(_), Some(_)) => return false,
    };
    if let Some(tag) = EntityTag::parse(condition) {
        return first(stored, &ETAG).and_then(EntityTag::parse).is_some_and(|stored| stored.strongly_equals(&tag));
    }
    let is_strong = |changed: &SystemTime| whole_seconds(*changed) < whole_seconds(terms.date);
    let changed = terms.last_modified.filter(is_strong).map(whole_seconds);
    changed.is_some() && parse_date_received(condition, terms.received).map(whole_seconds) == changed
}

/// Dates on the wire have whole seconds. Those before 1970 are negative.
fn whole_seconds(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs().into(),
        Err(before) => -i128::from(before.duration().as_secs()),
    }
}
