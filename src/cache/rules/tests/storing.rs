//! Whether a response is stored, and for how long it is fresh.

use super::*;
use crate::cache::rules::settings::{Audience, Cookies, Rank, Written};
use crate::cache::rules::{LifetimeSource, Reusable, storable_fields};
use NotStored as No;

const ETAG: (&str, &str) = ("etag", "\"a\"");

/// A day ago: fresh for a tenth of that.
const CHANGED: (&str, &str) = ("last-modified", "Sat, 05 Nov 1994 08:49:37 GMT");

fn control(directives: &str) -> (&str, &str) {
    ("cache-control", directives)
}

#[test]
fn a_lifetime_is_what_a_shared_cache_reads_first() {
    use LifetimeSource::{Expires, Heuristic, MaxAge, SMaxAge};
    let in_an_hour = ("expires", "Sun, 06 Nov 1994 09:49:37 GMT");
    let an_hour_ago = ("date", "Sun, 06 Nov 1994 07:49:37 GMT");
    let in_two_hours = ("date", "Sun, 06 Nov 1994 10:49:37 GMT");
    for (response, lifetime, source, age) in [
        (&[control("max-age=60")][..], 60, MaxAge, 0),
        (&[control("Max-Age=60")], 60, MaxAge, 0),
        (&[control("max-age=60"), in_an_hour], 60, MaxAge, 0),
        (&[control("max-age=60, s-maxage=10")], 10, SMaxAge, 0),
        (&[control("s-maxage=100, max-age=60")], 100, SMaxAge, 0),
        (&[control("max-age=60"), control("max-age=5, s-maxage=7")], 7, SMaxAge, 0),
        (&[control("max-age=2147483648")], 2_147_483_648, MaxAge, 0),
        (&[control("max-age=99999999999")], 2_147_483_648, MaxAge, 0),
        (&[in_an_hour], 3600, Expires, 0),
        (&[in_an_hour, an_hour_ago], 7200, Expires, 3600),
        (&[in_an_hour, in_two_hours, ETAG], 0, Expires, 0),
        (&[in_an_hour, ("date", "nonsense")], 3600, Expires, 0),
        (&[("expires", "Sunday, 06-Nov-94 09:49:37 GMT")], 3600, Expires, 0),
        (&[("expires", "sun nov  6 09:49:37 1994")], 3600, Expires, 0),
        (&[("expires", "Sun, 06 Nov 1994 9:49:37 GMT"), ETAG], 0, Expires, 0),
        (&[("expires", "0"), ETAG, CHANGED], 0, Expires, 0),
        (&[in_an_hour, in_an_hour, ETAG], 0, Expires, 0),
        (&[("expires", "0"), ("date", "Wed, 31 Dec 1969 23:59:59 GMT"), ETAG], 0, Expires, 784_111_778),
        (&[control("max-age=x"), in_an_hour, ETAG], 0, MaxAge, 0),
        (&[CHANGED], 8640, Heuristic, 0),
        (&[CHANGED, control("public")], 8640, Heuristic, 0),
        (&[("last-modified", "Sun, 06 Nov 1904 08:49:37 GMT")], 86_400, Heuristic, 0),
        (&[CHANGED, ("date", "Sun, 06 Nov 1994 08:49:27 GMT")], 8639, Heuristic, 10),
        (&[control("max-age=60"), ("age", "25")], 60, MaxAge, 25),
        (&[control("max-age=60"), ("age", "-25")], 60, MaxAge, 0),
        (&[control("max-age=60"), an_hour_ago, ETAG], 60, MaxAge, 3600),
        (&[control("max-age=3600000"), an_hour_ago, ("age", "4000")], 3_600_000, MaxAge, 4000),
        (&[control("max-age=60"), in_two_hours, ("age", "4, 5")], 60, MaxAge, 4),
    ] {
        let terms = terms(response);
        let lifetime_is = (terms.lifetime.as_secs(), terms.lifetime_source, terms.initial_age.as_secs());
        assert_eq!(lifetime_is, (lifetime, source, age), "{response:?}");
    }
}

#[test]
fn the_way_a_response_took_counts() {
    let (target, response) = (Uri::from_static("/"), fields(&[control("max-age=60"), ("age", "25"), ETAG]));
    let request = HeaderMap::new();
    let exchange = Exchange {
        method: &Method::GET,
        targets: &[&target],
        request: &request,
        status: StatusCode::OK,
        response: &response,
        received: now(),
        delay: Duration::from_millis(1_500),
    };
    let age = |exchange: &Exchange<'_>| store(exchange, &Settings::default()).unwrap().initial_age;
    assert_eq!(age(&exchange), Duration::from_millis(26_500));
    assert_eq!(age(&Exchange { delay: Duration::MAX, ..exchange }), Duration::MAX);
}

#[test]
fn what_a_response_says_decides() {
    let vary = |value| ("vary", value);
    let cookie = ("set-cookie", "session=1");
    for (request, response, expected) in [
        (&[][..], &[control("max-age=60")][..], None),
        (&[], &[control("No-Store, max-age=60")], Some(No::NoStore)),
        (&[], &[control("max-age=60"), control("no-store")], Some(No::NoStore)),
        (&[], &[control("x=\"no-store\", max-age=60")], None),
        (&[], &[control("max-age=60, Private")], Some(No::Private)),
        (&[], &[control("max-age=60, private=\"x-a\"")], None),
        (&[], &[control("max-age=60, private=\"vary\"")], Some(No::Private)),
        (&[], &[control("max-age=60, no-cache")], Some(No::NoCache)),
        (&[], &[control("no-cache"), ETAG], None),
        (&[], &[control("no-cache"), CHANGED], None),
        (&[], &[control("must-understand, no-store, max-age=60")], None),
        (&[], &[], Some(No::NoLifetime)),
        (&[], &[control("public")], Some(No::NoLifetime)),
        (&[], &[control("max-age=0")], Some(No::NoLifetime)),
        (&[], &[control("max-age=0, stale-while-revalidate=5")], None),
        (&[], &[control("max-age=0, stale-if-error=5")], None),
        (&[], &[control("max-age=60"), ("age", "60")], None),
        (&[], &[control("max-age=60"), ("age", "86460")], Some(No::Stale)),
        (&[], &[control("s-maxage=60"), ("age", "60")], Some(No::Stale)),
        (&[], &[control("max-age=60, must-revalidate"), ("age", "60")], Some(No::Stale)),
        (&[], &[control("max-age=60"), ("age", "60"), ETAG], None),
        (&[], &[ETAG], None),
        (&[], &[("expires", "0")], Some(No::NoLifetime)),
        (&[control("no-store")], &[control("max-age=60")], Some(No::RequestNoStore)),
        (&[("pragma", "no-cache")], &[control("max-age=60")], None),
        (&[("authorization", "x")], &[control("max-age=60")], Some(No::Authorization)),
        (&[("authorization", "x")], &[control("max-age=60, public")], None),
        (&[("authorization", "x")], &[control("max-age=60, must-revalidate")], None),
        (&[("authorization", "x")], &[control("s-maxage=60")], None),
        (&[("authorization", "x")], &[control("max-age=60, proxy-revalidate")], Some(No::Authorization)),
        (&[], &[control("max-age=60"), vary("*")], Some(No::VaryAnything)),
        (&[], &[control("max-age=60"), vary("foo, *")], Some(No::VaryAnything)),
        (&[], &[control("max-age=60"), vary("foo"), vary("*")], Some(No::VaryAnything)),
        (&[], &[control("max-age=60"), vary("foo")], None),
        (&[], &[control("max-age=60"), cookie], None),
        (&[], &[CHANGED, cookie], Some(No::SetCookie)),
        (&[], &[control("max-age=0"), ETAG, cookie], Some(No::SetCookie)),
        (&[], &[control("max-age=60, no-cache"), ETAG, cookie], Some(No::SetCookie)),
        (&[], &[control("max-age=60, no-cache=\"set-cookie\""), cookie], None),
        (&[], &[CHANGED, control("private=\"Set-Cookie\""), cookie], None),
        (&[("cookie", "a=1")], &[CHANGED], Some(No::Cookie)),
        (&[("cookie", "a=1")], &[CHANGED, control("no-cache")], Some(No::Cookie)),
        (&[("cookie", "a=1")], &[CHANGED, control("max-age=0")], Some(No::Cookie)),
        (&[("cookie", "a=1")], &[CHANGED, control("public")], None),
        (&[("cookie", "a=1")], &[CHANGED, control("max-age=0, stale-while-revalidate=9")], None),
        (&[("cookie", "a=1")], &[ETAG], None),
        (&[("cookie", "a=1")], &[control("max-age=9")], None),
    ] {
        let decided = stored_with(&Settings::default(), &Method::GET, request, 200, response);
        assert_eq!(decided.err(), expected, "{request:?} {response:?}");
    }
}

#[test]
fn nothing_is_guessed_for_what_may_be_of_one_person() {
    let lifetime = |request: Lines<'_>, response: Lines<'_>| {
        stored_with(&Settings::default(), &Method::GET, request, 200, response).unwrap().lifetime.as_secs()
    };
    assert_eq!(lifetime(&[("cookie", "a=1")], &[CHANGED, ETAG]), 0);
    assert_eq!(lifetime(&[("cookie", "a=1")], &[CHANGED, control("public")]), 8640);
    assert_eq!(lifetime(&[("cookie", "a=1")], &[CHANGED, control("max-age=60")]), 60);
    assert_eq!(lifetime(&[], &[CHANGED, ("pragma", "no-cache")]), 0);
    assert_eq!(lifetime(&[], &[CHANGED, ("pragma", "no-cache"), control("x")]), 8640);
    assert_eq!(lifetime(&[], &[control("max-age=60"), ("pragma", "no-cache")]), 60);
}

#[test]
fn a_status_decides_what_is_guessed_and_what_is_never_stored() {
    let decide = |status, response: Lines<'_>| stored_with(&Settings::default(), &Method::GET, &[], status, response);
    for status in [200, 203, 204, 404, 405, 410, 414, 501] {
        assert_eq!(decide(status, &[CHANGED]).map(|terms| terms.lifetime.as_secs()), Ok(8640), "{status}");
    }
    for status in [201, 202, 302, 403, 502, 503, 504, 599] {
        assert_eq!(decide(status, &[CHANGED]).err(), Some(No::StatusWithoutLifetime), "{status}");
        assert_eq!(decide(status, &[CHANGED, control("public")]).unwrap().lifetime.as_secs(), 8640, "{status}");
    }
    for status in [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599] {
        assert!(decide(status, &[control("max-age=60")]).is_ok(), "{status}");
    }
    for status in [304, 412, 416, 428, 429, 431, 511, 999] {
        assert_eq!(decide(status, &[control("max-age=60, public"), ETAG]).err(), Some(No::Status), "{status}");
    }
    let understood = control("no-store, must-understand, max-age=60");
    assert!(decide(200, &[understood]).is_ok());
    assert_eq!(decide(599, &[understood]).err(), Some(No::NotUnderstood));
    assert_eq!(decide(599, &[control("must-understand, max-age=60")]).err(), Some(No::NotUnderstood));
}

#[test]
fn a_method_answers_itself_or_says_what_it_stands_for() {
    let decide =
        |method: Method, response: Lines<'_>| stored_with(&Settings::default(), &method, &[], 200, response).err();
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "M-SEARCH"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(decide(method, &[control("max-age=60")]), Some(No::Method));
    }
    let fresh = control("max-age=60");
    for (response, expected) in [
        (&[fresh, ("content-location", "/a/b?c")][..], None),
        (&[fresh, ("content-location", "b?c")], None),
        (&[fresh, ("content-location", "http://ORIGIN.example:80/a/b?c")], None),
        (&[fresh, ("content-location", "http://other.example/a/b?c")], Some(No::Post)),
        (&[fresh, ("content-location", "https://public.example/m?c")], None),
        (&[fresh, ("content-location", "https://public.example/a/b?c")], Some(No::Post)),
        (&[fresh, ("content-location", "/a/b")], Some(No::Post)),
        (&[fresh], Some(No::Post)),
        (&[CHANGED, ("content-location", "/a/b?c")], Some(No::Post)),
    ] {
        assert_eq!(decide(Method::POST, response), expected, "{response:?}");
    }
}

#[test]
fn a_targeted_field_takes_the_place_of_the_others() {
    let cdn = |value| ("cdn-cache-control", value);
    let expired = ("expires", "0");
    for (response, expected) in [
        (&[cdn("max-age=60"), control("max-age=1")][..], Ok(60)),
        (&[cdn("max-age=1"), control("max-age=60")], Ok(1)),
        (&[cdn("max-age=60"), control("no-store"), expired], Ok(60)),
        (&[cdn("max-age=60;a=1, b"), control("private")], Ok(60)),
        (&[cdn("no-store"), control("max-age=60")], Err(No::NoStore)),
        (&[cdn("private"), control("max-age=60")], Err(No::Private)),
        (&[cdn("no-cache"), control("max-age=60")], Err(No::NoCache)),
        (&[cdn("max-age=0"), control("max-age=60")], Err(No::NoLifetime)),
        (&[cdn("public"), ("expires", "Sun, 06 Nov 1994 09:49:37 GMT")], Err(No::NoLifetime)),
        (&[cdn(""), control("max-age=60")], Ok(60)),
        (&[cdn("max-age=60, &&&"), control("no-store")], Err(No::NoStore)),
        (&[cdn("MaX-aGe=60"), control("max-age=1")], Ok(1)),
        (&[cdn("max-age =60"), control("max-age=1")], Ok(1)),
        (&[cdn("max-age=\"60\""), control("no-store")], Err(No::NoLifetime)),
        (&[cdn("max-age=60.0"), control("max-age=60")], Err(No::NoLifetime)),
        (&[cdn("max-age=60"), cdn("s-maxage=10")], Ok(10)),
        (&[cdn("max-age=2147483648"), ("age", "7200")], Ok(2_147_483_648)),
    ] {
        assert_eq!(stored(response).map(|terms| terms.lifetime.as_secs()), expected, "{response:?}");
    }
    let none = Settings { targets: Vec::new(), ..Settings::default() };
    let response = &[cdn("no-store"), control("max-age=60")];
    assert!(stored_with(&none, &Method::GET, &[], 200, response).is_ok());
}

#[test]
fn declared_lifetimes_have_the_rank_they_are_given() {
    use Rank::{BeatsAll, BeatsLifetimes, FillsGaps};
    let decide = |rank, status, response: Lines<'_>| {
        // A server's error that says no time is not kept stale for as long as was declared, either.
        let stale_if_error = (status >= 500).then_some(seconds(9));
        let written = Written { fresh: Some(seconds(5)), stale_while_revalidate: None, stale_if_error, rank };
        let settings = Settings { written: Some(written), ..Settings::default() };
        stored_with(&settings, &Method::GET, &[], status, response).map(|terms| terms.lifetime.as_secs())
    };
    for (rank, status, response, expected) in [
        (FillsGaps, 200, &[][..], Ok(5)),
        (FillsGaps, 200, &[CHANGED], Ok(5)),
        (FillsGaps, 200, &[control("max-age=60")], Ok(60)),
        (FillsGaps, 200, &[control("no-store")], Err(No::NoStore)),
        (FillsGaps, 500, &[], Err(No::StatusWithoutLifetime)),
        (FillsGaps, 501, &[], Err(No::NoLifetime)),
        (FillsGaps, 501, &[control("max-age=60")], Ok(60)),
        (FillsGaps, 404, &[], Ok(5)),
        (BeatsLifetimes, 200, &[control("max-age=60")], Ok(5)),
        (BeatsLifetimes, 500, &[control("max-age=60")], Ok(5)),
        (BeatsLifetimes, 500, &[], Err(No::StatusWithoutLifetime)),
        (BeatsLifetimes, 200, &[control("private")], Err(No::Private)),
        (BeatsLifetimes, 200, &[("vary", "*")], Err(No::VaryAnything)),
        (BeatsAll, 200, &[control("no-store, private, no-cache")], Ok(5)),
        (BeatsAll, 200, &[("vary", "*")], Err(No::VaryAnything)),
        (BeatsAll, 200, &[control("max-age=60"), ("set-cookie", "a")], Ok(5)),
        (BeatsAll, 200, &[("set-cookie", "a")], Err(No::SetCookie)),
        (BeatsAll, 416, &[], Err(No::Status)),
        (BeatsAll, 501, &[], Err(No::NoLifetime)),
    ] {
        assert_eq!(decide(rank, status, response), expected, "{rank:?} {status} {response:?}");
    }
}

#[test]
fn declared_windows_stand_alone() {
    use Rank::{BeatsAll, BeatsLifetimes, FillsGaps};
    for (rank, directives, fresh, while_revalidating, on_error) in [
        (FillsGaps, "max-age=60", 60, 7, 9),
        (FillsGaps, "max-age=60, stale-while-revalidate=1, stale-if-error=2", 60, 1, 2),
        (BeatsLifetimes, "max-age=60, stale-while-revalidate=1", 60, 7, 9),
        (BeatsLifetimes, "s-maxage=60", 60, 7, 9),
        (BeatsLifetimes, "max-age=60, must-revalidate", 60, 0, 0),
        (BeatsLifetimes, "x", 0, 7, 9),
        (BeatsAll, "max-age=60, must-revalidate", 60, 7, 9),
    ] {
        let (stale_while_revalidate, stale_if_error) = (Some(seconds(7)), Some(seconds(9)));
        let written = Written { fresh: None, stale_while_revalidate, stale_if_error, rank };
        let settings = Settings { written: Some(written), ..Settings::default() };
        let terms = stored_with(&settings, &Method::GET, &[], 200, &[control(directives)]).unwrap();
        let windows = [terms.lifetime, terms.stale_while_revalidate, terms.stale_if_error];
        assert_eq!(
            windows.map(|window| window.as_secs()),
            [fresh, while_revalidating, on_error],
            "{rank:?} {directives}"
        );
    }
    // What the origin says not to guess with is not guessed with because a window is declared.
    let written =
        Written { fresh: None, stale_while_revalidate: Some(seconds(7)), stale_if_error: None, rank: BeatsLifetimes };
    let settings = Settings { written: Some(written), heuristics: false, ..Settings::default() };
    let terms = stored_with(&settings, &Method::GET, &[], 200, &[CHANGED]).unwrap();
    assert_eq!((terms.lifetime, terms.lifetime_source), (Duration::ZERO, LifetimeSource::None));
}

#[test]
fn cookies_are_for_everybody_only_if_the_origin_says_so() {
    let decide = |cookies, directives: &str| {
        let settings = Settings { cookies, ..Settings::default() };
        let response = &[control(directives), ("set-cookie", "a=1"), CHANGED];
        stored_with(&settings, &Method::GET, &[], 200, response).is_ok()
    };
    for (directives, expected) in [
        ("max-age=60", [true, false, false, true]),
        ("public", [false, true, false, true]),
        ("s-maxage=60", [true, true, false, true]),
        ("x", [false, false, false, true]),
    ] {
        let decided = [Cookies::Explicit, Cookies::Public, Cookies::Never, Cookies::Unsent]
            .map(|cookies| decide(cookies, directives));
        assert_eq!(decided, expected, "{directives}");
    }
}

#[test]
fn a_private_cache_is_told_what_is_said_to_it() {
    let one = Settings { audience: Audience::One, ..Settings::default() };
    let authorized: Lines<'_> = &[("authorization", "x"), ("cookie", "a=1")];
    let cdn = ("cdn-cache-control", "no-store");
    for (response, expected) in [
        // Sections 3 and 5.2.2.7: `private` is no bar, nor are the fields that it names withheld.
        (&[control("private, max-age=60")][..], Ok((60, Reusable::Freely))),
        (&[control("private=\"vary\", max-age=60")], Ok((60, Reusable::Freely))),
        (&[control("private"), ETAG], Ok((0, Reusable::Freely))),
        // Section 3.5 is about shared caches.
        (&[control("max-age=60")], Ok((60, Reusable::Freely))),
        // Sections 5.2.2.8 and 5.2.2.10: what is said to shared caches alone.
        (&[control("max-age=60, s-maxage=10")], Ok((60, Reusable::Freely))),
        (&[control("s-maxage=10")], Err(No::NoLifetime)),
        (&[control("max-age=60, proxy-revalidate")], Ok((60, Reusable::Freely))),
        (&[control("max-age=60, must-revalidate")], Ok((60, Reusable::WhileFresh))),
        // RFC 9213 is about caches on the way.
        (&[control("max-age=60"), cdn], Ok((60, Reusable::Freely))),
        // Section 4.2.2: it may guess.
        (&[CHANGED], Ok((8640, Reusable::Freely))),
        // What is said to all caches.
        (&[control("private, no-store, max-age=60")], Err(No::NoStore)),
        (&[control("max-age=60"), ("vary", "*")], Err(No::VaryAnything)),
        (&[control("private, no-cache, max-age=60"), ETAG], Ok((60, Reusable::Validated))),
    ] {
        let decided = stored_with(&one, &Method::GET, authorized, 200, response);
        let decided = decided.map(|terms| (terms.lifetime.as_secs(), terms.reusable));
        assert_eq!(decided, expected, "{response:?}");
    }
    let named = stored_with(&one, &Method::GET, &[], 200, &[control("private=\"x-a\", no-cache=\"x-b\", max-age=60")]);
    assert_eq!(named.unwrap().withheld, ["x-b"]);
}

#[test]
fn what_forbids_staleness_is_told_apart() {
    for (directives, reusable, while_revalidating, on_error) in [
        ("max-age=5", Reusable::Freely, 0, 86_400),
        ("max-age=5, stale-if-error=0", Reusable::Freely, 0, 0),
        ("max-age=5, stale-while-revalidate=7, stale-if-error=9", Reusable::Freely, 7, 9),
        ("s-maxage=5", Reusable::AsItSays, 0, 0),
        ("s-maxage=5, stale-while-revalidate=7, stale-if-error=9", Reusable::AsItSays, 7, 9),
        ("max-age=5, must-revalidate, stale-while-revalidate=7, stale-if-error=9", Reusable::WhileFresh, 0, 0),
        ("max-age=5, proxy-revalidate, stale-if-error=9", Reusable::WhileFresh, 0, 0),
        ("max-age=5, no-cache, stale-if-error=9", Reusable::Validated, 0, 0),
    ] {
        let terms = terms(&[control(directives), ETAG]);
        let windows = (terms.stale_while_revalidate.as_secs(), terms.stale_if_error.as_secs());
        assert_eq!((terms.reusable, windows), (reusable, (while_revalidating, on_error)), "{directives}");
    }
}

#[test]
fn fields_are_stored_unless_they_are_for_somebody() {
    let response: Lines<'_> = &[
        control("max-age=60, private=\"x-p, Set-Cookie\", no-cache=x-n"),
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "1"),
        ("keep-alive", "1"),
        ("proxy-connection", "1"),
        ("proxy-authenticate", "1"),
        ("proxy-authentication-info", "1"),
        ("proxy-authorization", "1"),
        ("te", "1"),
        ("upgrade", "1"),
        ("transfer-encoding", "chunked"),
        ("age", "5"),
        ("x-p", "1"),
        ("x-n", "1"),
        ("set-cookie", "a"),
        ("link", "<a>"),
        ("link", "<b>"),
        ("content-foo", "1"),
        ("proxy-foo", "1"),
        ("warning", "110 - x"),
    ];
    let kept = storable_fields(fields(response), &terms(response));
    let mut names: Vec<&str> = kept.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["cache-control", "content-foo", "date", "link", "proxy-foo", "warning"]);
    assert_eq!(kept.get_all("link").iter().count(), 2);
    assert_eq!(kept["date"], NOW);
    let dated = [control("max-age=60"), ("date", "nonsense")];
    assert_eq!(storable_fields(fields(&dated), &terms(&dated))["date"], "nonsense");
}

#[test]
fn what_the_origin_says_later_displaces_what_it_said() {
    let (ok, failed) = (StatusCode::OK, StatusCode::BAD_GATEWAY);
    assert!(No::NoStore.displaces(ok) && No::NoLifetime.displaces(ok));
    assert!(!No::NoStore.displaces(failed) && !No::RequestNoStore.displaces(ok) && !No::Authorization.displaces(ok));
}
