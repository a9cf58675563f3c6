//! How long who may keep a page, in words: what `Cache-Control` says to each (RFC 9111, section 5.2.2; RFC 5861).

use crate::explanation::Lifetimes;
use crate::fields::CacheControl;
use crate::resource::Policy;
use crate::site::Route;
use std::fmt::Write as _;
use std::time::Duration;

/// The lifetimes of a route's pages; our own store keeps nothing if it is `refused`.
pub(super) fn of(route: &Route, refused: Option<&str>) -> Lifetimes {
    let directives = CacheControl::parse([route.policy.field.as_bytes()]);
    let lifetime = route.policy.lifetime.filter(|_| refused.is_none());
    let ours = match (lifetime.map(|lifetime| lifetime.allowance()), refused) {
        (Some(Ok(allowance)), _) => {
            windows(allowance.fresh(), Some(allowance.while_revalidating()), Some(allowance.on_error()))
        }
        (_, Some(refused)) => format!("nothing: {refused}"),
        (Some(Err(_)) | None, None) => format!("nothing: {}", nothing(&route.policy)),
    };
    Lifetimes { browser: browser(&directives), cdn: cdn(&directives), ours }
}

/// Why a policy lets our store keep nothing.
pub(super) fn nothing(policy: &Policy) -> &'static str {
    let directives = CacheControl::parse([policy.field.as_bytes()]);
    match directives {
        CacheControl { no_store: true, .. } => "`no-store`",
        CacheControl { private: Some(_), .. } => "`private`",
        CacheControl { no_cache: Some(_), .. } => "`no-cache`",
        CacheControl { .. } => "no lifetime is declared",
    }
}

fn browser(directives: &CacheControl) -> String {
    kept(directives, directives.max_age)
}

fn cdn(directives: &CacheControl) -> String {
    if directives.private.is_some() {
        return "nothing: `private`".to_owned();
    }
    kept(directives, directives.s_maxage.or(directives.max_age))
}

fn kept(directives: &CacheControl, age: Option<u32>) -> String {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    if directives.no_store {
        return "nothing: `no-store`".to_owned();
    }
    if directives.no_cache.is_some() {
        return "may keep it, and asks before each use".to_owned();
    }
    let Some(age) = age else { return "no lifetime is said: as it guesses".to_owned() };
    let stale = |window: Option<u32>| window.filter(|_| !directives.must_revalidate).map(seconds);
    windows(seconds(age), stale(directives.stale_while_revalidate), stale(directives.stale_if_error))
}

fn windows(fresh: Duration, while_revalidating: Option<Duration>, on_error: Option<Duration>) -> String {
    let mut words = if fresh.is_zero() { "stale at once".to_owned() } else { format!("fresh for {}", duration(fresh)) };
    let mut joint = ", then";
    for (window, when) in [(while_revalidating, "while it is made anew"), (on_error, "if it cannot be made anew")] {
        if let Some(window) = window.filter(|window| !window.is_zero()) {
            write!(words, "{joint} stale {when} for {}", duration(window)).unwrap_or_default();
            joint = ", or";
        }
    }
    words
}

/// A duration as authors write it: `1h30m`, `250ms`.
pub(super) fn duration(time: Duration) -> String {
    let mut left = time.as_millis();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        let count = left / length;
        left %= length;
        if count > 0 {
            write!(text, "{count}{unit}").unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_in_words() {
        for (field, expected_browser, expected_cdn) in [
            (
                "public, max-age=0, s-maxage=10, stale-while-revalidate=59",
                "stale at once, then stale while it is made anew for 59s",
                "fresh for 10s, then stale while it is made anew for 59s",
            ),
            ("max-age=5400", "fresh for 1h30m", "fresh for 1h30m"),
            ("private, max-age=60", "fresh for 1m", "nothing: `private`"),
            ("private, no-store", "nothing: `no-store`", "nothing: `private`"),
            ("no-cache", "may keep it, and asks before each use", "may keep it, and asks before each use"),
            ("public", "no lifetime is said: as it guesses", "no lifetime is said: as it guesses"),
        ] {
            let directives = CacheControl::parse([field.as_bytes()]);
            assert_eq!(browser(&directives), expected_browser, "{field}");
            assert_eq!(cdn(&directives), expected_cdn, "{field}");
        }
    }

    #[test]
    fn durations_are_spelled_as_authors_spell_them() {
        for (milliseconds, expected) in
            [(0, "0s"), (250, "250ms"), (10_000, "10s"), (5_400_000, "1h30m"), (86_400_000, "1d")]
        {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
