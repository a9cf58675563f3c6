//! `Vary` (RFC 9110, section 12.5.5): the request fields that chose a representation.

use super::list::members;
use http::header::VARY;
use http::{HeaderMap, HeaderName, HeaderValue};

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

/// The names that the `Vary` of a response says, over all its lines: sorted, each once. None if some member is `*`, or not a name: then
/// nothing is known of what chose.
pub fn varies_by(fields: &HeaderMap) -> Option<Vec<HeaderName>> {
    let lines = fields.get_all(VARY).iter();
    let names = lines.flat_map(|line| members(line.as_bytes())).map(|name| match name {
        // It is a token, and would be a name.
        b"*" => None,
        name => HeaderName::from_bytes(name).ok(),
    });
    let mut names: Vec<HeaderName> = names.collect::<Option<_>>()?;
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE};

    #[test]
    fn a_star_anywhere_is_anything() {
        let read = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (VARY, HeaderValue::from_static(line)));
            varies_by(&lines.collect()).map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        for lines in [
            &["*"][..],
            &["*, *"],
            &[", *"],
            &["*,"],
            &["", "*"],
            &["foo, *"],
            &["*, foo"],
            &["foo", "*"],
            &["foo bar"],
            &["\"foo\""],
        ] {
            assert_eq!(read(lines), None, "{lines:?}");
        }
        assert_eq!(read(&[]), Some(vec![]));
        assert_eq!(read(&["", " ,"]), Some(vec![]));
        assert_eq!(read(&["Foo,bar", "FOO"]), Some(vec!["bar".to_owned(), "foo".to_owned()]));
    }

    #[test]
    fn names_come_once_and_in_one_order() {
        assert_eq!(vary([]), None);
        let value = vary([&ACCEPT_LANGUAGE, &ACCEPT_ENCODING, &ACCEPT_LANGUAGE]);
        assert_eq!(value.unwrap(), "accept-encoding, accept-language");
    }
}
