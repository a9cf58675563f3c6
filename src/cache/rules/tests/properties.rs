//! What holds whatever is said.

use super::*;
use crate::cache::Jitter;
use crate::cache::rules::{
    Demand, Failure, Joined, Part, Reuse, Validated, answer, freshen, head_verdict, invalidated, may_serve_on_error,
    part_answer, reuse, selected_by, storable_fields, validate,
};
use proptest::prelude::*;
use std::time::Instant;

/// Fields that caches read, with values that look like theirs or like nothing.
fn odd_fields() -> impl Strategy<Value = HeaderMap> {
    let names = prop::sample::select(vec![
        "cache-control",
        "cdn-cache-control",
        "expires",
        "date",
        "age",
        "pragma",
        "vary",
        "etag",
        "last-modified",
        "content-range",
        "range",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "location",
        "content-location",
        "content-length",
        "content-language",
        "accept-language",
        "cache-groups",
        "connection",
        "set-cookie",
        "authorization",
    ]);
    let values = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        "[a-z0-9=,;\"* /:.-]{0,32}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "max-age=5",
            "s-maxage=18446744073709551616",
            "no-cache=\"a",
            "stale-while-revalidate=9, stale-if-error=4294967295",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "18446744073709551615",
            "bytes 0-18446744073709551614/*",
            "bytes 0-4/10",
            "bytes=0-",
            "bytes=-18446744073709551615",
            "\"a\"",
            "W/\"a\"",
            "*",
            "http://[::1",
            "//",
            "%",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec((names, values), 0..8).prop_map(|lines| {
        let line = |(name, value): (&'static str, Vec<u8>)| {
            HeaderValue::from_bytes(&value).ok().map(|value| (HeaderName::from_static(name), value))
        };
        lines.into_iter().filter_map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 512 } else { 4096 }))]

    #[test]
    fn nothing_is_too_odd(
        request in odd_fields(), response in odd_fields(), other in odd_fields(),
        status in 100..1000_u16, received in any::<i32>(), delay in any::<u64>(), later in any::<u32>(), length in any::<u64>(),
    ) {
        let epoch = SystemTime::UNIX_EPOCH;
        let seconds_since = Duration::from_secs(received.unsigned_abs().into());
        let received = if received < 0 { epoch - seconds_since } else { epoch + seconds_since };
        let status = StatusCode::from_u16(status).unwrap();
        let target = Uri::from_static("http://a/b");
        for method in [Method::GET, Method::POST] {
            let exchange = Exchange {
                method: &method, targets: &[&target], request: &request, status, response: &response, received,
                delay: Duration::from_millis(delay),
            };
            invalidated(&method, &[&target], status, &response);
            let Ok(terms) = store(&exchange, &Settings::default()) else { continue };
            let stored = storable_fields(response.clone(), &terms);
            let begin = Instant::now();
            let demand = Demand::of(&request, &Settings::default());
            for windows in [terms.windows(begin, Jitter::from_bits(delay)), terms.windows_later(begin, epoch, Jitter::NONE)] {
                let moment = begin + seconds(later.into());
                reuse(&terms, &windows, &demand, moment);
                may_serve_on_error(&terms, &windows, &demand, moment, Failure::Unreachable);
            }
            answer(&Method::GET, &request, StatusCode::OK, &stored, &terms, Some(length));
            freshen(&stored, &other, received, true);
            head_verdict(StatusCode::OK, &stored, Some(length), StatusCode::OK, &other);
            if let Validated::These(positions) = selected_by(&other, &[&stored, &response]) {
                prop_assert!(!positions.is_empty() && positions.iter().all(|position| *position < 2));
            }
            validate(&mut other.clone(), Some(&stored), [&response]);
            if let Some(part) = terms.part.clone().map(|part| part.holding(length)) {
                part_answer(&Method::GET, &other, &stored, &terms, &part);
                if let Some(new) = Part::of(&request, &other) {
                    Joined::of((&stored, &part), (&other, &new));
                }
            }
        }
    }

    /// Older is never fresher: later, or with a greater age on arrival, a response never becomes usable that was not.
    #[test]
    fn older_is_never_fresher(
        response in odd_fields(), request in odd_fields(), age in 0..200_u64, more in 0..200_u64, at in 0..400_u64, later in 0..400_u64,
    ) {
        let mut response = response;
        let mut decide = |age: u64, at: u64| {
            response.insert("age", HeaderValue::from(age));
            let exchange = Exchange {
                method: &Method::GET, targets: &[], request: &HeaderMap::new(), status: StatusCode::OK,
                response: &response, received: now(), delay: Duration::ZERO,
            };
            let terms = store(&exchange, &Settings::default()).ok()?;
            let begin = Instant::now();
            let windows = terms.windows(begin, Jitter::NONE);
            let demand = Demand::of(&request, &Settings::default());
            let moment = begin + seconds(at);
            let rank = match reuse(&terms, &windows, &demand, moment) {
                Reuse::Fresh { left, .. } => (3, left),
                Reuse::WhileRevalidating { .. } | Reuse::Accepted { .. } => (2, Duration::ZERO),
                Reuse::Validate(_) | Reuse::Refused(_) => (1, Duration::ZERO),
            };
            Some((rank, may_serve_on_error(&terms, &windows, &demand, moment, Failure::Unreachable)))
        };
        let (young, old) = (decide(age, at), decide(age + more, at + later));
        if let Some((old_rank, old_on_error)) = old {
            let (rank, on_error) = young.unwrap_or(((0, Duration::ZERO), false));
            prop_assert!(rank >= old_rank, "{rank:?} {old_rank:?}");
            prop_assert!(on_error || !old_on_error);
        }
    }

    /// A 304 that says nothing changes no field but the date; what it says is there afterwards, and twice is the same as once.
    #[test]
    fn freshening_is_settled_at_once(stored in odd_fields(), update in odd_fields()) {
        let once = freshen(&stored, &update, now(), true);
        prop_assert_eq!(&freshen(&once, &update, now(), true), &once);
        for name in stored.keys().filter(|name| *name != "age") {
            prop_assert!(once.contains_key(name));
        }
    }
}
