//! What is asked to validate, what a 304 is about, and how a client's own conditions are answered.

use super::*;
use crate::cache::rules::{Answer, Validated, answer, not_modified_fields, selected_by, validate};

const DATE: &str = "Sat, 05 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sat, 05 Nov 1994 08:49:38 GMT";
const EARLIER: &str = "Sat, 05 Nov 1994 08:49:36 GMT";

#[test]
fn tags_are_sent_as_they_came() {
    for (selected, others, expected) in [
        (&[("etag", "\"a\"")][..], &[][..], &[("if-none-match", "\"a\"")][..]),
        (&[("etag", "W/\"a\"")], &[], &[("if-none-match", "W/\"a\"")]),
        (&[("etag", "unquoted")], &[], &[("if-none-match", "unquoted")]),
        (&[("last-modified", DATE)], &[], &[("if-modified-since", DATE)]),
        (&[("last-modified", "odd")], &[], &[("if-modified-since", "odd")]),
        (
            &[("etag", "\"a\""), ("last-modified", DATE)],
            &[],
            &[("if-none-match", "\"a\""), ("if-modified-since", DATE)],
        ),
        (&[("etag", "\"a\""), ("last-modified", DATE)], &["\"b\""], &[("if-none-match", "\"a\", \"b\"")]),
        (&[("etag", "\"a\"")], &["\"a\""], &[("if-none-match", "\"a\"")]),
        (&[], &["\"b\"", "\"c\""], &[("if-none-match", "\"b\", \"c\"")]),
        (&[], &[], &[]),
    ] {
        let mut request = fields(&[
            ("if-none-match", "\"client\""),
            ("if-modified-since", LATER),
            ("if-range", "\"client\""),
            ("range", "bytes=0-1"),
        ]);
        let others: Vec<HeaderMap> = others.iter().map(|tag| fields(&[("etag", tag)])).collect();
        let is_asking = validate(&mut request, Some(&fields(selected)), &others);
        assert_eq!(request, fields(expected), "{selected:?}");
        assert_eq!(is_asking, !expected.is_empty());
    }
    let mut request = HeaderMap::new();
    let many: Vec<HeaderMap> = (0..1000).map(|at| fields(&[("etag", &format!("\"{at}\""))])).collect();
    validate(&mut request, None, &many);
    assert!(request["if-none-match"].len() < 120);
}

#[test]
fn a_304_is_about_what_has_its_validators() {
    let (one, two) = (("etag", "\"a\""), ("etag", "\"b\""));
    let (weak, date) = (("etag", "W/\"a\""), ("last-modified", DATE));
    for (not_modified, stored, expected) in [
        (&[two][..], &[&[one][..], &[two]][..], &[1][..]),
        (&[one], &[&[one, date], &[two], &[one]], &[0, 2]),
        (&[one], &[&[two]], &[]),
        (&[one], &[&[weak]], &[]),
        (&[weak], &[&[two], &[one], &[weak]], &[1]),
        (&[("etag", "a")], &[&[("etag", "a")]], &[0]),
        (&[date], &[&[two], &[date], &[date]], &[1]),
        (&[("last-modified", "Saturday, 05-Nov-94 08:49:37 GMT")], &[&[date]], &[0]),
        (&[("last-modified", LATER)], &[&[date]], &[]),
        (&[], &[&[one]], &[0]),
        (&[], &[&[one], &[two]], &[]),
        (&[], &[&[]], &[0]),
        (&[one], &[&[]], &[]),
    ] {
        let stored: Vec<HeaderMap> = stored.iter().map(|lines| fields(lines)).collect();
        let selected = selected_by(&fields(not_modified), &stored.iter().collect::<Vec<_>>());
        let expected = if expected.is_empty() { Validated::None } else { Validated::These(expected.to_vec()) };
        assert_eq!(selected, expected, "{not_modified:?} {stored:?}");
    }
}

#[test]
fn a_client_is_told_that_it_has_what_is_stored() {
    let fresh = ("cache-control", "max-age=60");
    let (tag, weak, date) = (("etag", "\"a\""), ("etag", "W/\"a\""), ("last-modified", DATE));
    for (response, request, expected) in [
        (&[fresh, tag][..], &[("if-none-match", "\"a\"")][..], true),
        (&[fresh, tag], &[("if-none-match", "W/\"a\"")], true),
        (&[fresh, weak], &[("if-none-match", "\"a\"")], true),
        (&[fresh, tag], &[("if-none-match", "\"x\", \"a\"")], true),
        (&[fresh, tag], &[("if-none-match", "\"x\""), ("if-none-match", "\"a\"")], true),
        (&[fresh, tag], &[("if-none-match", "*")], true),
        (&[fresh, tag], &[("if-none-match", "\"x\"")], false),
        (&[fresh, tag, date], &[("if-none-match", "\"x\""), ("if-modified-since", DATE)], false),
        (&[fresh, ("etag", "a")], &[("if-none-match", "a")], true),
        (&[fresh, tag], &[("if-none-match", "a")], false),
        (&[fresh, date], &[("if-none-match", "\"a\"")], false),
        (&[fresh, date], &[("if-modified-since", DATE)], true),
        (&[fresh, date], &[("if-modified-since", "Saturday, 05-Nov-94 08:49:37 gmt")], true),
        (&[fresh, date], &[("if-modified-since", LATER)], true),
        (&[fresh, date], &[("if-modified-since", EARLIER)], false),
        (&[fresh, date], &[("if-modified-since", "odd")], false),
        // Without `Last-Modified` the `Date` stands in for it, or when it was received.
        (&[fresh], &[("if-modified-since", NOW)], true),
        (&[fresh], &[("if-modified-since", DATE)], false),
        (&[("cache-control", "max-age=600000"), ("date", DATE)], &[("if-modified-since", DATE)], true),
        // Dates before 1970 are told apart.
        (
            &[fresh, ("last-modified", "Wed, 31 Dec 1969 23:59:59 GMT")],
            &[("if-modified-since", "Thu, 28 Feb 1963 07:01:57 GMT")],
            false,
        ),
        (
            &[fresh, ("last-modified", "Thu, 28 Feb 1963 07:01:57 GMT")],
            &[("if-modified-since", "Wed, 31 Dec 1969 23:59:59 GMT")],
            true,
        ),
        // Those are for the origin.
        (&[fresh, tag], &[("if-match", "\"x\"")], false),
        (&[fresh, date], &[("if-unmodified-since", EARLIER)], false),
    ] {
        let terms = terms(response);
        let request = fields(request);
        let answered = answer(&Method::GET, &request, StatusCode::OK, &fields(response), &terms, Some(9));
        let expected = if expected { Answer::NotModified } else { Answer::Whole };
        assert_eq!(answered, expected, "{response:?} {request:?}");
        assert_eq!(answer(&Method::HEAD, &request, StatusCode::OK, &fields(response), &terms, Some(9)), expected);
        let missing = answer(&Method::GET, &request, StatusCode::NOT_FOUND, &fields(response), &terms, Some(9));
        assert_eq!(missing, Answer::Whole);
    }
}

#[test]
fn a_304_has_no_word_about_content() {
    let stored = fields(&[
        ("content-type", "text/html"),
        ("content-length", "5"),
        ("etag", "\"a\""),
        ("content-location", "/a"),
        ("x", "y"),
    ]);
    let mut names: Vec<String> = not_modified_fields(&stored).keys().map(HeaderName::to_string).collect();
    names.sort();
    assert_eq!(names, ["content-location", "etag", "x"]);
}
