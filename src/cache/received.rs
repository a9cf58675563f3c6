//! For how much longer a response from elsewhere is fresh (RFC 9111, sections 4.2.1 to 4.2.3), as a shared cache reads its fields.
//!
//! Pure: when it was received, and how long that took, are told. Nothing is guessed: what says no lifetime has none.

use crate::fields::{CacheControl, parse_date};
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, VARY};
use std::time::{Duration, SystemTime};

/// For how much longer a response with these `fields` is fresh that was `received` so long (`delay`) after it was asked for; zero if it may
/// not be stored, is stale, or says no lifetime.
pub fn remaining_freshness(fields: &HeaderMap, received: SystemTime, delay: Duration) -> Duration {
    let directives = CacheControl::parse(fields.get_all(CACHE_CONTROL).iter().map(http::HeaderValue::as_bytes));
    let is_forbidden = directives.no_store || directives.private.is_some() || directives.no_cache.is_some();
    if is_forbidden || varies_by_anything(fields) {
        return Duration::ZERO;
    }
    let date = first(fields, &DATE).and_then(parse_date);
    let lifetime = match directives.s_maxage.or(directives.max_age) {
        Some(seconds) => Duration::from_secs(seconds.into()),
        // An invalid date is one in the past (section 5.3).
        None => first(fields, &EXPIRES)
            .and_then(parse_date)
            .map_or(Duration::ZERO, |expires| expires.duration_since(date.unwrap_or(received)).unwrap_or_default()),
    };
    let apparent_age = date.and_then(|date| received.duration_since(date).ok()).unwrap_or_default();
    let age = first(fields, &AGE).and_then(seconds).unwrap_or_default() + delay;
    lifetime.saturating_sub(age.max(apparent_age))
}

fn first<'f>(fields: &'f HeaderMap, name: &HeaderName) -> Option<&'f [u8]> {
    fields.get(name).map(http::HeaderValue::as_bytes)
}

/// Seconds as `Age` says them; an invalid field is ignored (section 5.1).
fn seconds(text: &[u8]) -> Option<Duration> {
    let digits = text.trim_ascii();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let longest = u64::from(u32::MAX);
    let value = std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().unwrap_or(longest);
    Some(Duration::from_secs(value.min(longest)))
}

fn varies_by_anything(fields: &HeaderMap) -> bool {
    let lines = fields.get_all(VARY).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).any(|name| name.trim_ascii() == b"*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const AGO_5: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:32 GMT");

    #[test]
    fn what_is_left_is_what_the_fields_say() {
        let received = parse_date(b"Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (fields, delay, expected) in [
            (&[("cache-control", "max-age=60")][..], 0, 60),
            (&[("cache-control", "max-age=60")], 2, 58),
            (&[("cache-control", "max-age=60, s-maxage=10")], 0, 10),
            (&[("cache-control", "max-age=60"), ("age", "25")], 0, 35),
            (&[("cache-control", "max-age=60"), ("age", "25")], 3, 32),
            (&[("cache-control", "max-age=60"), AGO_5], 0, 55),
            (&[("cache-control", "max-age=60"), AGO_5, ("age", "1")], 1, 55),
            (&[("cache-control", "max-age=60"), ("age", "61")], 0, 0),
            (&[("cache-control", "max-age=60"), ("age", "-1")], 0, 60),
            (&[("cache-control", "max-age=60"), ("age", "99999999999999999999")], 0, 0),
            (&[("expires", "Sun, 06 Nov 1994 08:50:07 GMT")], 0, 30),
            (&[("expires", "Sun, 06 Nov 1994 08:50:07 GMT"), AGO_5], 0, 30),
            (&[("expires", "0")], 0, 0),
            (&[("expires", "Sun, 06 Nov 1994 08:50:07 GMT"), ("cache-control", "max-age=5")], 0, 5),
            (&[], 0, 0),
            (&[("cache-control", "public")], 0, 0),
            (&[("cache-control", "no-store, max-age=60")], 0, 0),
            (&[("cache-control", "private, max-age=60")], 0, 0),
            (&[("cache-control", "private=\"x-a\", max-age=60")], 0, 0),
            (&[("cache-control", "no-cache, max-age=60")], 0, 0),
            (&[("cache-control", "max-age=60"), ("vary", "accept, *")], 0, 0),
            (&[("cache-control", "max-age=60"), ("vary", "accept")], 0, 60),
            (&[("cache-control", "max-age=60"), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], 0, 60),
            (&[("last-modified", "Sun, 06 Nov 1904 08:49:37 GMT")], 0, 0),
        ] {
            let map: HeaderMap = fields
                .iter()
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let remaining = remaining_freshness(&map, received, Duration::from_secs(delay));
            assert_eq!(remaining, Duration::from_secs(expected), "{fields:?} after {delay} s");
        }
    }
}
