//! Cookies that an upstream sets for its visitor, passed on: those that are declared, and never with more than they need (RFC 6265, section 4.1).

use super::super::cookies::encoded;
use crate::fields;
use crate::site::FLASH_COOKIE;
use http::header::{self, HeaderMap, HeaderValue};

/// What the next page is to say.
pub(super) fn flash(text: &str) -> Option<HeaderValue> {
    const LONGEST: usize = 1000;
    let text: String = text.chars().filter(|character| !character.is_control()).take(LONGEST).collect();
    let value = Some(encoded(&text)).filter(|value| !value.is_empty() && value.len() < 4000)?;
    HeaderValue::from_str(&format!("{FLASH_COOKIE}={value}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure")).ok()
}

/// Takes back what a request brought to be said, now that it is: the answer that says it is for nobody else.
pub(in super::super) fn take_back_flash(request: &HeaderMap, answer: &mut HeaderMap) {
    if fields::cookies(request).any(|(name, _)| name == FLASH_COOKIE.as_bytes()) {
        let removed = format!("{FLASH_COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure");
        answer.extend(HeaderValue::from_str(&removed).ok().map(|line| (header::SET_COOKIE, line)));
        super::answer::for_one(answer);
    }
}

/// The cookie of a `Set-Cookie` line, if its name is one of `names`: for this host alone, out of the reach of scripts, only over a connection
/// that nobody listens to, and not with what other sites send. How long it lasts is the upstream's to say.
pub(super) fn passed(line: &HeaderValue, names: &[Box<str>], is_secure: bool) -> Option<HeaderValue> {
    let line = std::str::from_utf8(line.as_bytes()).ok()?;
    let mut parts = line.split(';').map(|part| part.trim_matches([' ', '\t']));
    let pair = parts.next()?;
    let (name, value) = pair.split_once('=')?;
    let name = name.trim_end();
    if !names.iter().any(|known| **known == *name) || value.chars().any(char::is_control) {
        return None;
    }
    let mut safe = format!("{name}={}", value.trim_start());
    let mut same_site = "Lax";
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        if key.eq_ignore_ascii_case("max-age") && value.trim().parse::<i64>().is_ok() {
            safe.push_str("; Max-Age=");
            safe.push_str(value.trim());
        } else if key.eq_ignore_ascii_case("expires") && fields::parse_date(value.as_bytes()).is_some() {
            safe.push_str("; Expires=");
            safe.push_str(value.trim());
        } else if key.eq_ignore_ascii_case("samesite") && value.trim().eq_ignore_ascii_case("strict") {
            same_site = "Strict";
        }
    }
    safe.push_str("; Path=/; HttpOnly; SameSite=");
    safe.push_str(same_site);
    if is_secure {
        safe.push_str("; Secure");
    }
    let mut value = HeaderValue::from_str(&safe).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_goes_through_is_as_safe_as_it_can_be() {
        let names: [Box<str>; 2] = ["session".into(), "__Host-s".into()];
        for (line, expected) in [
            ("session=abc", Some("session=abc; Path=/; HttpOnly; SameSite=Lax; Secure")),
            (
                "session=abc; Domain=example.com; Path=/api; SameSite=None; Max-Age=60",
                Some("session=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"),
            ),
            (
                "session=abc; samesite=STRICT; partitioned",
                Some("session=abc; Path=/; HttpOnly; SameSite=Strict; Secure"),
            ),
            (
                "__Host-s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                Some("__Host-s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax; Secure"),
            ),
            ("session=a; Max-Age=0x1; Expires=never", Some("session=a; Path=/; HttpOnly; SameSite=Lax; Secure")),
            ("Session=abc", None),
            ("other=abc", None),
            ("session", None),
            ("", None),
        ] {
            let line_value = HeaderValue::from_str(line).unwrap();
            let passed = passed(&line_value, &names, true);
            assert_eq!(passed.as_ref().and_then(|value| value.to_str().ok()), expected, "{line}");
        }
        let plain = passed(&HeaderValue::from_static("session=a"), &names, false).unwrap();
        assert_eq!(plain, "session=a; Path=/; HttpOnly; SameSite=Lax");
    }
}
