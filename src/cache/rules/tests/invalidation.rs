//! What a change makes invalid.

use super::*;
use crate::cache::rules::{Invalidated, groups, invalidated, is_safe};

fn after(method: &str, status: u16, response: Lines<'_>) -> Option<Invalidated> {
    let targets = [&Uri::from_static("http://origin.example/a/b"), &Uri::from_static("https://public.example/m/a/b")];
    let (method, status) = (Method::from_bytes(method.as_bytes()).unwrap(), StatusCode::from_u16(status).unwrap());
    invalidated(&method, &targets, status, &fields(response))
}

#[test]
fn what_may_have_changed_something_is_not_safe() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "get", "FOO"] {
        assert!(!is_safe(&Method::from_bytes(method.as_bytes()).unwrap()), "{method}");
        for status in [200, 201, 204, 302, 303, 399] {
            assert!(after(method, status, &[]).is_some(), "{method} {status}");
        }
        for status in [100, 400, 404, 500, 599, 999] {
            assert_eq!(after(method, status, &[]), None, "{method} {status}");
        }
    }
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        let response = &[("cache-group-invalidation", "\"a\""), ("location", "/x")];
        assert_eq!(after(method, 200, response), None, "{method}");
    }
}

#[test]
fn locations_of_the_same_origin_are_invalid_too() {
    for (response, expected) in [
        (&[("location", "/x")][..], &[(0, "/x")][..]),
        (&[("content-location", "c?d#e")], &[(0, "/a/c?d")]),
        (&[("location", "http://Origin.example:80/x"), ("content-location", "/y")], &[(0, "/x"), (0, "/y")]),
        (&[("location", "https://public.example/m/x")], &[(1, "/m/x")]),
        (&[("location", "http://public.example/m/x")], &[]),
        (&[("location", "http://other.example/x")], &[]),
        (&[("location", "//other.example/x")], &[]),
        (&[("location", "mailto:x")], &[]),
        (&[("location", "a b")], &[]),
    ] {
        let made = after("POST", 201, response).unwrap();
        let elsewhere: Vec<_> = made.elsewhere.iter().map(|other| (other.origin, other.path.as_str())).collect();
        assert_eq!(elsewhere, expected, "{response:?}");
    }
}

#[test]
fn groups_are_lists_of_strings() {
    let invalid = |value: &str| after("POST", 200, &[("cache-group-invalidation", value)]).unwrap().groups;
    assert_eq!(invalid("\"eurovision-results\", \"australia\";x=1"), ["eurovision-results", "australia"]);
    assert!(invalid("token").is_empty());
    let of = |value: &str| groups(&fields(&[("cache-groups", value)]));
    assert_eq!(of("\"a\", \"A\""), ["a", "A"]);
    assert!(of("").is_empty() && of("\"a\", 1").is_empty());
    let many = (0..1000).map(|at| format!("\"{at}\"")).collect::<Vec<_>>().join(", ");
    assert_eq!(of(&many).len(), 64);
    let terms = terms(&[("cache-control", "max-age=60"), ("cache-groups", "\"a\"")]);
    assert_eq!(terms.groups, ["a"]);
}
