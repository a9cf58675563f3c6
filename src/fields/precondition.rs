//! The conditions of a request, in the order of RFC 9110, section 13.2.2.

use super::date::parse_date;
use super::entity_tag::{EntityTag, TagList};
use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderName, Method};
use std::time::SystemTime;

/// What names the state of the representation that would be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validators<'a> {
    /// `ETag`
    pub etag: Option<EntityTag<'a>>,
    /// `Last-Modified`. None if it may change twice within a second, as a date could not tell.
    pub last_modified: Option<SystemTime>,
}

/// What to do with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Do what it asks for; its `Range`, if any, applies.
    Proceed,
    /// Do what it asks for, but send the whole representation: that of its `If-Range` is no longer current.
    IgnoreRange,
    /// 304
    NotModified,
    /// 412
    PreconditionFailed,
}

/// Weighs the conditions of a request that would, without them, be answered with success.
pub fn precondition(method: &Method, fields: &HeaderMap, current: &Validators<'_>) -> Verdict {
    // Most requests have no conditions: one walk over their few fields, rather than a search for each.
    let is_condition =
        |name: &HeaderName| matches!(*name, IF_MATCH | IF_NONE_MATCH | IF_MODIFIED_SINCE | IF_UNMODIFIED_SINCE | RANGE);
    if !fields.keys().any(is_condition) {
        return Verdict::Proceed;
    }
    let read = *method == Method::GET || *method == Method::HEAD;
    if !read && [Method::OPTIONS, Method::TRACE, Method::CONNECT].contains(method) {
        return Verdict::Proceed;
    }
    // Steps 1 and 2.
    if fields.contains_key(IF_MATCH) {
        if !TagList(fields.get_all(IF_MATCH).iter()).has_strongly(current.etag.as_ref()) {
            return Verdict::PreconditionFailed;
        }
    } else if modified_since(fields, &IF_UNMODIFIED_SINCE, current) == Some(true) {
        return Verdict::PreconditionFailed;
    }
    // Steps 3 and 4.
    if fields.contains_key(IF_NONE_MATCH) {
        if TagList(fields.get_all(IF_NONE_MATCH).iter()).has_weakly(current.etag.as_ref()) {
            return if read { Verdict::NotModified } else { Verdict::PreconditionFailed };
        }
    } else if read && modified_since(fields, &IF_MODIFIED_SINCE, current) == Some(false) {
        return Verdict::NotModified;
    }
    // Step 5.
    if *method == Method::GET && fields.contains_key(RANGE) && !range_is_current(fields, current) {
        return Verdict::IgnoreRange;
    }
    Verdict::Proceed
}

/// Whether the representation changed after the date in `name`; `None` if there is no such date, or nothing to compare.
fn modified_since(fields: &HeaderMap, name: &HeaderName, current: &Validators<'_>) -> Option<bool> {
    let since = single(fields, name).and_then(parse_date)?;
    Some(whole_seconds(current.last_modified?) > whole_seconds(since))
}

/// Whether `If-Range` names the current representation by a strong validator (section 13.1.5); true without `If-Range`.
fn range_is_current(fields: &HeaderMap, current: &Validators<'_>) -> bool {
    if !fields.contains_key(IF_RANGE) {
        return true;
    }
    let Some(condition) = single(fields, &IF_RANGE) else { return false };
    if let Some(tag) = EntityTag::parse(condition) {
        return current.etag.is_some_and(|current| tag.strongly_equals(&current));
    }
    let date = parse_date(condition).map(whole_seconds);
    date.is_some() && date == current.last_modified.map(whole_seconds)
}

/// The value of a field that must occur once.
fn single<'f>(fields: &'f HeaderMap, name: &HeaderName) -> Option<&'f [u8]> {
    let mut lines = fields.get_all(name).iter();
    let line = lines.next()?;
    lines.next().is_none().then_some(line.as_bytes())
}

/// Dates on the wire have whole seconds.
fn whole_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    type Lines<'l> = &'l [(&'l str, &'l str)];

    fn verdict_of(method: &Method, lines: Lines<'_>) -> Verdict {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let current = Validators {
            etag: EntityTag::parse(b"\"a\""),
            // Half a second later than any date on the wire can say.
            last_modified: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_500)),
        };
        precondition(method, &fields, &current)
    }

    #[test]
    fn conditions_are_weighed_in_the_order_of_the_rfc() {
        use Verdict::{IgnoreRange, NotModified, PreconditionFailed, Proceed};
        let range = ("range", "bytes=0-1");
        let cases: &[(Lines<'_>, Verdict, Verdict)] = &[
            (&[], Proceed, Proceed),
            (&[("if-none-match", "\"a\"")], NotModified, PreconditionFailed),
            (&[("if-none-match", "W/\"a\"")], NotModified, PreconditionFailed),
            (&[("if-none-match", "*")], NotModified, PreconditionFailed),
            (&[("if-none-match", "\"b\"")], Proceed, Proceed),
            (&[("if-none-match", "\"b\""), ("if-modified-since", SAME)], Proceed, Proceed),
            (&[("if-modified-since", SAME)], NotModified, Proceed),
            (&[("if-modified-since", AFTER)], NotModified, Proceed),
            (&[("if-modified-since", BEFORE)], Proceed, Proceed),
            (&[("if-modified-since", "yesterday")], Proceed, Proceed),
            (&[("if-modified-since", SAME), ("if-modified-since", SAME)], Proceed, Proceed),
            (&[("if-match", "\"a\"")], Proceed, Proceed),
            (&[("if-match", "*")], Proceed, Proceed),
            (&[("if-match", "W/\"a\"")], PreconditionFailed, PreconditionFailed),
            (&[("if-match", "\"b\""), ("if-none-match", "\"a\"")], PreconditionFailed, PreconditionFailed),
            (&[("if-match", "\"a\""), ("if-unmodified-since", BEFORE)], Proceed, Proceed),
            (&[("if-match", "\"a\""), ("if-none-match", "\"a\"")], NotModified, PreconditionFailed),
            (&[("if-unmodified-since", BEFORE)], PreconditionFailed, PreconditionFailed),
            (&[("if-unmodified-since", SAME)], Proceed, Proceed),
            (&[range], Proceed, Proceed),
            (&[range, ("if-range", "\"a\"")], Proceed, Proceed),
            (&[range, ("if-range", "W/\"a\"")], IgnoreRange, Proceed),
            (&[range, ("if-range", "\"b\"")], IgnoreRange, Proceed),
            (&[range, ("if-range", SAME)], Proceed, Proceed),
            (&[range, ("if-range", AFTER)], IgnoreRange, Proceed),
            (&[range, ("if-range", "nonsense")], IgnoreRange, Proceed),
            (&[("if-range", "\"b\"")], Proceed, Proceed),
            (&[range, ("if-range", "\"b\""), ("if-none-match", "\"a\"")], NotModified, PreconditionFailed),
        ];
        for (lines, get, post) in cases {
            assert_eq!(verdict_of(&Method::GET, lines), *get, "GET {lines:?}");
            assert_eq!(verdict_of(&Method::POST, lines), *post, "POST {lines:?}");
            assert_eq!(verdict_of(&Method::OPTIONS, lines), Proceed, "OPTIONS {lines:?}");
        }
    }

    #[test]
    fn without_validators_only_the_star_matches() {
        let verdict = |name: &'static str, value: &str| {
            let fields = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            precondition(&Method::GET, &fields, &Validators::default())
        };
        assert_eq!(verdict("if-none-match", "\"a\""), Verdict::Proceed);
        assert_eq!(verdict("if-none-match", "*"), Verdict::NotModified);
        assert_eq!(verdict("if-match", "\"a\""), Verdict::PreconditionFailed);
        assert_eq!(verdict("if-modified-since", SAME), Verdict::Proceed);
        assert_eq!(verdict("if-unmodified-since", SAME), Verdict::Proceed);
    }
}
