//! `Vary` (RFC 9110, section 12.5.5): the request fields that chose a representation.

use http::{HeaderName, HeaderValue};

/// The value for a set of field names: sorted, each once; `None` if nothing chose.
pub fn vary<'n>(names: impl IntoIterator<Item = &'n HeaderName>) -> Option<HeaderValue> {
    let mut names: Vec<&str> = names.into_iter().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    // Field names are visible characters, so this is always a value.
    HeaderValue::from_str(&names.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE};

    #[test]
    fn names_come_once_and_in_one_order() {
        assert_eq!(vary([]), None);
        let value = vary([&ACCEPT_LANGUAGE, &ACCEPT_ENCODING, &ACCEPT_LANGUAGE]);
        assert_eq!(value.unwrap(), "accept-encoding, accept-language");
    }
}
