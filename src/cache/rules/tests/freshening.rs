//! What a 304 and the answer to a HEAD change.

use super::*;
use crate::cache::rules::{HeadVerdict, freshen, head_verdict, store_again};

#[test]
fn a_304_replaces_what_it_says_and_leaves_the_rest() {
    let stored = fields(&[
        ("date", "Sat, 05 Nov 1994 08:49:37 GMT"),
        ("age", "5"),
        ("cache-control", "max-age=1"),
        ("content-length", "5"),
        ("content-encoding", "gzip"),
        ("content-type", "text/html"),
        ("link", "<a>"),
        ("link", "<b>"),
        ("x-kept", "1"),
    ]);
    let update = fields(&[
        ("cache-control", "max-age=60"),
        ("content-length", "0"),
        ("content-encoding", "br"),
        ("content-range", "bytes 0-1/2"),
        ("content-type", "text/plain"),
        ("content-foo", "new"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("proxy-authenticate", "1"),
        ("link", "<c>"),
        ("x-new", "1"),
        ("x-new", "2"),
        ("set-cookie", "a=1"),
    ]);
    let expected: Lines<'_> = &[
        ("date", NOW),
        ("cache-control", "max-age=60"),
        ("content-length", "5"),
        ("content-encoding", "gzip"),
        ("content-type", "text/plain"),
        ("content-foo", "new"),
        ("link", "<c>"),
        ("x-kept", "1"),
        ("x-new", "1"),
        ("x-new", "2"),
    ];
    assert_eq!(freshen(&stored, &update, now(), false), fields(expected));
    assert_eq!(freshen(&stored, &update, now(), true)["set-cookie"], "a=1");
    let dated = freshen(&stored, &fields(&[("date", "Sun, 06 Nov 1994 08:49:00 GMT"), ("age", "7")]), now(), false);
    assert_eq!(
        (&dated["date"], &dated["age"]),
        (&"Sun, 06 Nov 1994 08:49:00 GMT".parse().unwrap(), &"7".parse().unwrap())
    );
}

#[test]
fn the_age_begins_again() {
    let day_old: Lines<'_> =
        &[("date", "Sat, 05 Nov 1994 08:49:37 GMT"), ("cache-control", "max-age=60"), ("etag", "\"a\"")];
    let before = terms(day_old);
    assert_eq!(before.initial_age.as_secs(), 86_400);
    let merged = freshen(&fields(day_old), &fields(&[("etag", "\"a\"")]), now(), false);
    let exchange = Exchange {
        method: &Method::GET,
        targets: &[],
        request: &HeaderMap::new(),
        status: StatusCode::OK,
        response: &merged,
        received: now(),
        delay: Duration::ZERO,
    };
    let after = store_again(&before, &exchange, &Settings::default()).unwrap();
    assert_eq!((after.initial_age.as_secs(), after.lifetime.as_secs()), (0, 60));
}

#[test]
fn a_head_freshens_what_is_the_same() {
    let stored = fields(&[("etag", "\"a\""), ("last-modified", NOW)]);
    for (status, head, expected) in [
        (200, &[][..], HeadVerdict::Freshen),
        (200, &[("etag", "\"a\""), ("last-modified", NOW), ("content-length", "5")], HeadVerdict::Freshen),
        (200, &[("etag", "\"b\"")], HeadVerdict::Stale),
        (200, &[("last-modified", "Sun, 06 Nov 1994 08:49:38 GMT")], HeadVerdict::Stale),
        (200, &[("content-length", "6")], HeadVerdict::Stale),
        (200, &[("content-length", "x")], HeadVerdict::Stale),
        (404, &[("etag", "\"b\"")], HeadVerdict::Nothing),
        (304, &[], HeadVerdict::Nothing),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(head_verdict(StatusCode::OK, &stored, Some(5), status, &fields(head)), expected, "{head:?}");
    }
    // The same time in another form, of whatever century.
    let (newer, older) =
        (("last-modified", "Wed, 15 Jul 2026 10:35:17 GMT"), ("last-modified", "Wednesday, 15-Jul-26 10:35:17 GMT"));
    for (stored, head) in [(newer, older), (older, newer)] {
        let verdict = head_verdict(StatusCode::OK, &fields(&[stored]), None, StatusCode::OK, &fields(&[head]));
        assert_eq!(verdict, HeadVerdict::Freshen, "{head:?}");
    }
    let none = HeaderMap::new();
    assert_eq!(head_verdict(StatusCode::OK, &none, None, StatusCode::OK, &stored), HeadVerdict::Stale);
}
