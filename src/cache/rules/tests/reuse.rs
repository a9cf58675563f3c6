//! What may be done with what is stored.

use super::*;
use crate::cache::rules::{Because, Demand, Failure, Reuse, may_serve_on_error, reuse};
use crate::cache::{Jitter, Windows};
use std::time::Instant;

fn fresh(age: u64, left: u64) -> Reuse {
    Reuse::Fresh { age: seconds(age), left: seconds(left) }
}

fn demand(directives: &str) -> Demand {
    match directives {
        "" => Demand::default(),
        _ => Demand::of(&fields(&[("cache-control", directives)]), &Settings::default()),
    }
}

fn held(directives: &str) -> (Terms, Windows, Instant) {
    let terms = terms(&[("cache-control", directives), ("etag", "\"a\""), ("age", "2")]);
    let begin = Instant::now();
    let windows = terms.windows(begin, Jitter::NONE);
    (terms, windows, begin)
}

#[test]
fn what_is_stored_answers_as_long_as_both_sides_allow() {
    let validate = Reuse::Validate;
    let revalidating = |age, overdue| Reuse::WhileRevalidating { age: seconds(age), overdue: seconds(overdue) };
    let accepted = |age, overdue| Reuse::Accepted { age: seconds(age), overdue: seconds(overdue) };
    for (response, request, at, expected) in [
        // It came two seconds old.
        ("max-age=10", "", 0, fresh(2, 8)),
        ("max-age=10", "", 7, fresh(9, 1)),
        ("max-age=10", "", 8, validate(Because::Stale)),
        ("max-age=10, stale-while-revalidate=5", "", 8, revalidating(10, 0)),
        ("max-age=10, stale-while-revalidate=5", "", 12, revalidating(14, 4)),
        ("max-age=10, stale-while-revalidate=5", "", 13, validate(Because::Stale)),
        ("s-maxage=10, stale-while-revalidate=5", "", 12, revalidating(14, 4)),
        ("max-age=10, must-revalidate, stale-while-revalidate=5", "", 12, validate(Because::Stale)),
        ("max-age=10, no-cache", "", 0, validate(Because::NoCache)),
        ("max-age=10, no-cache=\"set-cookie\"", "", 0, fresh(2, 8)),
        // What was stale when it came has been so for longer.
        ("max-age=1", "max-stale=0", 0, validate(Because::Stale)),
        ("max-age=1", "max-stale=3", 2, accepted(4, 3)),
        ("max-age=1", "max-stale=3", 3, validate(Because::Stale)),
        ("max-age=10, stale-while-revalidate=5", "max-stale, min-fresh=1", 8, validate(Because::Stale)),
        // Requests that want something younger.
        ("max-age=10", "no-cache", 0, validate(Because::RequestNoCache)),
        ("max-age=10", "max-age=2", 0, fresh(2, 8)),
        ("max-age=10", "max-age=1", 0, validate(Because::RequestMaxAge)),
        ("max-age=10", "max-age=x", 0, validate(Because::RequestMaxAge)),
        ("max-age=10, immutable", "max-age=0", 0, fresh(2, 8)),
        ("max-age=10, immutable", "no-cache", 0, validate(Because::RequestNoCache)),
        ("max-age=10, immutable", "max-age=0", 8, validate(Because::RequestMaxAge)),
        ("max-age=10", "min-fresh=8", 0, fresh(2, 8)),
        ("max-age=10", "min-fresh=9", 0, validate(Because::RequestMinFresh)),
        ("max-age=10, stale-while-revalidate=5", "max-age=100", 8, validate(Because::Stale)),
        // Requests that accept something older.
        ("max-age=10", "max-stale", 1000, accepted(1002, 992)),
        ("max-age=10", "max-stale=4", 12, accepted(14, 4)),
        ("max-age=10", "max-stale=3", 12, validate(Because::Stale)),
        ("max-age=10", "max-stale=9, max-age=5", 12, validate(Because::RequestMaxAge)),
        ("max-age=10, must-revalidate", "max-stale", 12, validate(Because::Stale)),
        ("max-age=10, proxy-revalidate", "max-stale", 12, validate(Because::Stale)),
        ("s-maxage=10", "max-stale", 12, validate(Because::Stale)),
        ("max-age=10, no-cache", "max-stale", 0, validate(Because::NoCache)),
        // Requests that want nothing fetched.
        ("max-age=10", "only-if-cached", 0, fresh(2, 8)),
        ("max-age=10", "only-if-cached", 8, Reuse::Refused(Because::Stale)),
        ("max-age=10", "only-if-cached, max-stale", 8, accepted(10, 0)),
        ("max-age=10, stale-while-revalidate=5", "only-if-cached", 8, Reuse::Refused(Because::Stale)),
        ("max-age=10", "only-if-cached, no-cache", 0, Reuse::Refused(Because::RequestNoCache)),
    ] {
        let (terms, windows, begin) = held(response);
        let decided = reuse(&terms, &windows, &demand(request), begin + seconds(at));
        assert_eq!(decided, expected, "{response}; {request}; after {at} s");
    }
}

#[test]
fn a_lifetime_that_was_cut_short_is_whole_where_nothing_can_be_fetched() {
    let terms = terms(&[("cache-control", "max-age=100")]);
    let begin = Instant::now();
    let jitter = (0..64).map(Jitter::from_bits).find(|jitter| {
        let windows = terms.windows(begin, *jitter);
        reuse(&terms, &windows, &Demand::default(), begin + seconds(99)) != fresh(99, 1)
    });
    let windows = terms.windows(begin, jitter.unwrap());
    let decide = |request| reuse(&terms, &windows, &demand(request), begin + seconds(99));
    assert_eq!(decide(""), Reuse::WhileRevalidating { age: seconds(99), overdue: seconds(0) });
    assert_eq!(decide("only-if-cached"), fresh(99, 1));
}

#[test]
fn pragma_counts_where_nothing_newer_is_said() {
    let of = |lines: Lines<'_>| Demand::of(&fields(lines), &Settings::default()).no_cache;
    assert!(of(&[("pragma", "foo, No-Cache")]));
    assert!(!of(&[("pragma", "no-cache"), ("cache-control", "max-age=5")]));
    assert!(!of(&[("pragma", "no-cache-at-all")]));
    let deaf = Settings { obeys_requests: false, ..Settings::default() };
    assert_eq!(Demand::of(&fields(&[("cache-control", "no-cache, no-store")]), &deaf), Demand::default());
}

#[test]
fn errors_are_hidden_where_that_is_allowed() {
    let status = |code| Failure::Status(StatusCode::from_u16(code).unwrap());
    let gone = Failure::Unreachable;
    for (response, request, at, failure, expected) in [
        ("max-age=10", "", 100, gone, true),
        ("max-age=10", "", 100, status(503), true),
        ("max-age=10", "", 100, status(500), false),
        ("max-age=10", "", 100, status(404), false),
        ("max-age=10", "", 86_407, gone, true),
        ("max-age=10", "", 86_408, gone, false),
        ("max-age=10, stale-if-error=60", "", 67, status(500), true),
        ("max-age=10, stale-if-error=60", "", 68, gone, false),
        ("max-age=10, stale-if-error=0", "", 8, gone, false),
        ("max-age=10, stale-if-error=0", "", 7, gone, true),
        ("max-age=10, must-revalidate", "", 100, gone, false),
        ("max-age=10, proxy-revalidate", "", 100, gone, false),
        ("max-age=10, no-cache", "", 0, gone, false),
        ("s-maxage=10", "", 100, gone, false),
        ("s-maxage=10, stale-if-error=60", "", 67, gone, true),
        ("max-age=10", "no-cache", 0, gone, false),
        ("max-age=10", "max-age=0", 0, gone, true),
        ("max-age=10, stale-if-error=0", "stale-if-error=60", 60, status(500), true),
        ("max-age=10, must-revalidate", "stale-if-error=60", 60, gone, false),
    ] {
        let (terms, windows, begin) = held(response);
        let decided = may_serve_on_error(&terms, &windows, &demand(request), begin + seconds(at), failure);
        assert_eq!(decided, expected, "{response}; {request}; after {at} s; {failure:?}");
    }
}

#[test]
fn a_store_on_disk_counts_the_time_in_between() {
    let terms = terms(&[("cache-control", "max-age=60"), ("age", "5")]);
    let begin = Instant::now();
    let windows = terms.windows_later(begin, now() + seconds(20), Jitter::NONE);
    assert_eq!(reuse(&terms, &windows, &Demand::default(), begin), fresh(25, 35));
    // A clock that was set back makes nothing younger than it came.
    let windows = terms.windows_later(begin, now() - seconds(20), Jitter::NONE);
    assert_eq!(reuse(&terms, &windows, &Demand::default(), begin), fresh(5, 55));
}
