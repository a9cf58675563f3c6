//! What a request says in the fields that choose among representations, in one form for all requests that say the same
//! (RFC 9111, section 4.1; RFC 9110, section 12.5).
//!
//! Preferences (`Accept`, `Accept-Charset`, `Accept-Encoding`, `Accept-Language`) lose case, white space and the order of members, which
//! means nothing there (section 12.5.4 says so of languages: relying on it is wrong); their weights are written in full. Any other field
//! loses the white space around its members and how they were spread over lines. Fields that are no lists stay as they are.

use super::list::{members, split_unquoted};
use super::weight::{FULL, Weight, weight, weighted};
use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION,
    REFERER, USER_AGENT,
};
use http::{HeaderMap, HeaderName};

/// What stands before each form, so that none can be taken for another.
const PREFERENCES: u8 = b'p';
const LIST: u8 = b'l';
const LINES: u8 = b'r';

/// Ends a member or a line: no field value holds it.
const END: u8 = b'\n';

/// What the lines of the field `name` say. None if there are none: that is never the same as an empty one.
pub fn selecting_form(name: &HeaderName, request: &HeaderMap) -> Option<Vec<u8>> {
    let lines = || request.get_all(name).iter().map(http::HeaderValue::as_bytes);
    lines().next()?;
    if [COOKIE, AUTHORIZATION, PROXY_AUTHORIZATION, USER_AGENT, REFERER, HOST].contains(name) {
        return Some(written(LINES, lines()));
    }
    let members = || lines().flat_map(members);
    if [ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE].contains(name)
        && let Some(mut wishes) = members().map(|member| wish(name, member)).collect::<Option<Vec<_>>>()
    {
        wishes.sort_unstable();
        wishes.dedup();
        return Some(written(PREFERENCES, wishes.iter().map(Vec::as_slice)));
    }
    Some(written(LIST, members()))
}

fn written<'p>(form: u8, parts: impl Iterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut text = vec![form];
    for part in parts {
        text.extend_from_slice(part);
        text.push(END);
    }
    text
}

/// A member of a preference: its weight, what is most wanted first, and what it names. None if it is malformed.
fn wish(name: &HeaderName, member: &[u8]) -> Option<Vec<u8>> {
    let mut parts = split_unquoted(member, b';').map(<[u8]>::trim_ascii);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let mut named = match (&*range, *name == ACCEPT_ENCODING) {
        // Section 8.4.1.3, and 8.4.1.1.
        (b"x-gzip", true) => b"gzip".to_vec(),
        (b"x-compress", true) => b"compress".to_vec(),
        _ => range,
    };
    let mut wanted: Option<Weight> = None;
    for part in parts {
        let text = std::str::from_utf8(part).ok()?;
        let parameter = text.split_once('=').map_or(text, |(name, _)| name).trim();
        if parameter.eq_ignore_ascii_case("q") {
            wanted = Some(weight(text)?).filter(|_| wanted.is_none());
            wanted?;
        } else if *name == ACCEPT && wanted.is_none() {
            // A parameter of the media type; its value may be told apart by case.
            let value = text.split_once('=').map_or("", |(_, value)| value.trim());
            named.push(b';');
            named.extend_from_slice(parameter.to_ascii_lowercase().as_bytes());
            named.push(b'=');
            named.extend_from_slice(value.as_bytes());
        } else {
            return None;
        }
    }
    let mut form = format!("{:04};", FULL - wanted.unwrap_or(FULL)).into_bytes();
    form.append(&mut named);
    Some(form)
}

/// The one language that a request wants more than any other, in lower case. None if it wants several as much, or any.
pub fn preferred_language(request: &HeaderMap) -> Option<String> {
    let lines = request.get_all(ACCEPT_LANGUAGE).iter().map(http::HeaderValue::as_bytes);
    let mut best: Option<(&str, Weight)> = None;
    let mut is_alone = false;
    for member in lines.flat_map(members) {
        let (range, weight) = weighted(std::str::from_utf8(member).ok()?)?;
        match best {
            Some((_, most)) if weight < most => {}
            Some((_, most)) if weight == most => is_alone = false,
            _ => (best, is_alone) = (Some((range, weight)), true),
        }
    }
    let (range, weight) = best?;
    (is_alone && weight > 0 && range != "*").then(|| range.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn request(name: &'static str, lines: &[&str]) -> HeaderMap {
        let name = HeaderName::from_static(name);
        lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).unwrap())).collect()
    }

    fn form(name: &'static str, lines: &[&str]) -> Option<Vec<u8>> {
        selecting_form(&HeaderName::from_static(name), &request(name, lines))
    }

    #[test]
    fn what_means_the_same_has_one_form() {
        for (name, one, other) in [
            ("foo", &["1, 2"][..], &["1", "2"][..]),
            ("foo", &["1,2"], &["1 , \t2"]),
            ("foo", &["1,,2,"], &["1, 2"]),
            ("accept-language", &["en, de"], &["eN, De"]),
            ("accept-language", &["en, de"], &["de, en"]),
            ("accept-language", &["en, de;q=0.5"], &["de; Q=0.50 ", "en;q=1.0"]),
            ("accept-language", &["en, en"], &["en"]),
            ("accept-encoding", &["gzip, br"], &["br,X-GZIP"]),
            ("accept", &["text/html;level=1;q=0.5, */*"], &["*/*", "Text/HTML ; Level=1; q=0.5"]),
        ] {
            assert_eq!(form(name, one), form(name, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_may_mean_something_else_has_another() {
        for (name, one, other) in [
            ("foo", &["1, 2"][..], &["2, 1"][..]),
            ("foo", &["a"], &["A"]),
            ("foo", &["\"1,2\""], &["\"1, 2\""]),
            ("foo", &["\"1", "2\""], &["\"1,2\""]),
            ("foo", &[""], &[]),
            ("accept-language", &["en, de;q=0.5"], &["en, de;q=0.6"]),
            ("accept-language", &["en;q=0"], &["en"]),
            ("accept-language", &["en;q=2, de"], &["de, en;q=2"]),
            ("accept-language", &["en;x=1, de"], &["de, en;x=1"]),
            ("accept", &["text/html;a=1"], &["text/html;a=2"]),
            ("accept", &["text/html;a=B"], &["text/html;a=b"]),
            ("cookie", &["a=1, 2"], &["a=1,2"]),
            ("user-agent", &["x (a,b)"], &["x (a, b)"]),
        ] {
            assert_ne!(form(name, one), form(name, other), "{one:?} {other:?}");
        }
        assert_eq!(form("foo", &[]), None);
    }

    #[test]
    fn one_language_is_wanted_most_or_none() {
        for (lines, language) in [
            (&["de"][..], Some("de")),
            (&["fr;q=0.5, DE;q=1.0"], Some("de")),
            (&["fr;q=0.5", "de-AT, *;q=0.1"], Some("de-at")),
            (&["en, de"], None),
            (&["*"], None),
            (&["de;q=0"], None),
            (&["de, fr;q=x"], None),
            (&[], None),
        ] {
            assert_eq!(preferred_language(&request("accept-language", lines)).as_deref(), language, "{lines:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_order_of_preferences_means_nothing(mut wishes in prop::collection::vec("[a-c]{1,2}(;q=0\\.[0-9])?", 0..5)) {
            let one = form("accept-language", &[&wishes.join(", ")]);
            wishes.reverse();
            prop_assert_eq!(one, form("accept-language", &[&wishes.join(",")]));
        }

        #[test]
        fn no_value_is_too_odd(line in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                for name in [ACCEPT, ACCEPT_LANGUAGE, COOKIE, HeaderName::from_static("foo")] {
                    let request = HeaderMap::from_iter([(name.clone(), value.clone())]);
                    prop_assert!(selecting_form(&name, &request).is_some());
                    preferred_language(&request);
                }
            }
        }
    }
}
