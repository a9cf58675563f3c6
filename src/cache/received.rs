//! For how much longer a response from elsewhere is fresh (RFC 9111, sections 4.2.1 to 4.2.3), as a shared cache reads its fields: what
//! `s-maxage = "auto"` needs of a source.
//!
//! Pure: when it was received, and how long that took, are told. Nothing is guessed: what says no lifetime has none.

use super::rules::{Governing, VaryNames, initial_age};
use http::header::HeaderMap;
use std::time::{Duration, SystemTime};

/// For how much longer a response with these `fields` is fresh that was `received` so long (`delay`) after it was asked for; zero if it may
/// not be stored, is stale, or says no lifetime.
pub fn remaining_freshness(fields: &HeaderMap, received: SystemTime, delay: Duration) -> Duration {
    let governing = Governing::untargeted(fields, received);
    let directives = &governing.directives;
    let is_forbidden = directives.no_store || directives.private.is_some() || directives.no_cache.is_some();
    if is_forbidden || VaryNames::of(fields).is_none() {
        return Duration::ZERO;
    }
    governing.lifetime(fields, received).unwrap_or_default().saturating_sub(initial_age(fields, received, delay))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::parse_date;
    use http::{HeaderName, HeaderValue};

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
