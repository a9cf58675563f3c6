//! How long who may keep a page, in words: what `Cache-Control` says to each (RFC 9111, section 5.2.2; RFC 5861).

use super::super::keep::Refused;
use crate::cache::Allowance;
use crate::config::format_duration;
use crate::explanation::Lifetimes;
use crate::fields::CacheControl;
use crate::resource::{Auto, Policy, Proxy};
use http::HeaderValue;
use std::fmt::Write as _;
use std::time::Duration;

/// The lifetimes of a route's pages, of which our own store may keep what it may; `is_compared` if it has them to be compared with what would
/// be made anew.
pub(super) fn of(policy: &Policy, kept: Result<Allowance, Refused>, is_compared: bool) -> Lifetimes {
    let read = |field: &HeaderValue| CacheControl::parse([field.as_bytes()]);
    let directives = read(&policy.field);
    // Networks that have directives of their own obey no others (RFC 9213, section 2.1).
    let of_cdn = policy.cdn_cache_control(Duration::ZERO).map(|field| read(&field));
    let ours = match kept {
        Ok(allowance) => windows(allowance.fresh(), Some(allowance.while_revalidating()), Some(allowance.on_error())),
        Err(refused) if is_compared => {
            format!(
                "sends nothing unasked: {refused}; keeps what was made, and sends it again if its data did not change"
            )
        }
        Err(refused) => format!("nothing: {refused}"),
    };
    let Auto { downstream, cdn: of_network, store } = policy.auto();
    Lifetimes {
        browser: browser(&directives),
        cdn: or_auto(
            if of_cdn.is_some() { of_network } else { downstream },
            cdn(of_cdn.as_ref().unwrap_or(&directives)),
        ),
        ours: or_auto(store && kept.is_ok(), ours),
    }
}

/// The words for what others have answered.
pub(super) fn of_proxy(proxy: &Proxy) -> Lifetimes {
    const AS_SAID: &str = "as the answer says";
    let said = |time: Option<Duration>| time.map_or_else(|| AS_SAID.to_owned(), format_duration);
    let ours = match proxy.cache.as_ref().map(|cache| cache.settings.written) {
        None => "nothing".to_owned(),
        Some(None) => format!("{AS_SAID} to shared caches"),
        Some(Some(written)) => format!(
            "fresh: {}; stale while it is fetched anew: {}; stale in place of an error: {}",
            said(written.fresh),
            said(written.stale_while_revalidate),
            said(written.stale_if_error)
        ),
    };
    Lifetimes { browser: AS_SAID.to_owned(), cdn: AS_SAID.to_owned(), ours }
}

/// The words for a lifetime that is known only when a page is made.
fn or_auto(is_auto: bool, words: String) -> String {
    if !is_auto {
        return words;
    }
    let stale = words.split_once(", then").map(|(_, stale)| format!(", then{stale}")).unwrap_or_default();
    format!("fresh as long as all HTTP sources of the page are{stale}")
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
    let mut words =
        if fresh.is_zero() { "stale at once".to_owned() } else { format!("fresh for {}", format_duration(fresh)) };
    let mut joint = ", then";
    for (window, when) in [(while_revalidating, "while it is made anew"), (on_error, "if it cannot be made anew")] {
        if let Some(window) = window.filter(|window| !window.is_zero()) {
            write!(words, "{joint} stale {when} for {}", format_duration(window)).unwrap_or_default();
            joint = ", or";
        }
    }
    words
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
}
