//! The cookies of an answer: their values from its data, sealed if that is declared, as field lines (RFC 6265, section 4.1).
//!
//! A value that is null sets nothing. Octets that no cookie may hold are percent-encoded, and decoded again where the site reads its own.

use super::field::percent_encode;
use crate::config::Binding;
use crate::identity::CookieKeys;
use crate::resource::SetCookie;
use crate::value::Value;
use http::HeaderValue;
use std::time::SystemTime;

/// As long as browsers keep: name and value together (RFC 6265, section 6.1).
const LONGEST: usize = 4096;

/// The `Set-Cookie` lines of an answer of the route `of`, which is made of `slots` at this time.
pub(super) fn lines(
    set: &[SetCookie<Binding>],
    keys: Option<&CookieKeys>,
    slots: &[Value],
    time: SystemTime,
    of: &str,
) -> Vec<HeaderValue> {
    let line = |cookie: &SetCookie<Binding>| {
        let text = match cookie.value.text(slots, |text, out| out.push_str(text)) {
            Ok(text) => text?,
            Err(_not_text) => {
                tracing::error!(route = of, cookie = &*cookie.key, "a list or an object is no value of a cookie");
                return None;
            }
        };
        let end = cookie.lasts.map(|lasts| time + lasts);
        let value = match cookie.seal {
            Some(seal) if !text.is_empty() => keys.and_then(|keys| keys.make(seal, &cookie.name, &text, end)),
            Some(_) | None => Some(encoded(&text)),
        };
        let Some(value) = value.filter(|value| cookie.name.len() + value.len() <= LONGEST) else {
            tracing::error!(route = of, cookie = &*cookie.key, "a cookie is longer than browsers keep, and is not set");
            return None;
        };
        HeaderValue::from_str(&format!("{}={value}{}", cookie.name, cookie.attributes)).ok()
    };
    set.iter().filter_map(line).collect()
}

/// The text with all percent-encoded that no cookie may hold (RFC 6265, section 4.1.1).
pub(super) fn encoded(text: &str) -> String {
    let is_octet =
        |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e) && byte != b'%';
    let mut out = String::with_capacity(text.len());
    percent_encode(text, |byte| !is_octet(byte), &mut out);
    out
}
