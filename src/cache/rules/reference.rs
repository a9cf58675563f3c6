//! What a reference in a field refers to (RFC 3986, section 5.2), as far as a cache tells resources apart: the fragment is left out.

use http::Uri;
use std::fmt::Write as _;

/// A resource: where it is and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    origin: Option<Origin>,
    /// Path and query.
    pub(super) path: String,
}

/// Scheme, host and port (RFC 9110, section 4.3.1), in lower case and with the port written out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Reference {
    /// The resource that a request targets.
    pub(super) fn of(target: &Uri) -> Self {
        let origin = target
            .scheme_str()
            .zip(target.authority())
            .and_then(|(scheme, authority)| Origin::new(scheme, authority.as_str()));
        let path = target.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Self { origin, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } }
    }

    /// Whether both have the same origin. Targets without one have that of the connection.
    pub(super) fn shares_origin_of(&self, other: &Self) -> bool {
        self.origin == other.origin
    }

    /// What `reference` refers to in a response about `base`. None if it is no reference.
    pub(super) fn resolve(base: &Uri, reference: &[u8]) -> Option<Self> {
        let text = visible(reference.trim_ascii())?;
        let text = text.split('#').next().unwrap_or_default();
        let base = Self::of(base);
        let (scheme, rest) = match split_scheme(text) {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        if let Some(rest) = rest.strip_prefix("//") {
            let scheme = scheme.or(base.origin.as_ref().map(|origin| origin.scheme.as_str()))?;
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            return Some(Self { origin: Some(Origin::new(scheme, authority)?), path: rooted(path) });
        }
        if scheme.is_some() {
            // Of another kind than those of HTTP, or of a form that was given up long ago (section 5.2.2).
            return None;
        }
        let (base_path, base_query) = split_query(&base.path);
        let (path, query) = split_query(rest);
        let path = if path.is_empty() {
            return Some(Self {
                path: format!("{base_path}{}", if query.is_empty() { base_query } else { query }),
                ..base
            });
        } else if path.starts_with('/') {
            without_dots(path)
        } else {
            let folder = base_path.rfind('/').and_then(|slash| base_path.get(..=slash)).unwrap_or("/");
            without_dots(&format!("{folder}{path}"))
        };
        Some(Self { path: format!("{path}{query}"), ..base })
    }
}

impl Origin {
    fn new(scheme: &str, authority: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (host, ""),
        };
        let port = match (port, scheme.as_str()) {
            ("", "http") => Some(80),
            ("", "https") => Some(443),
            ("", _) => None,
            (port, _) => Some(port.parse().ok()?),
        };
        (!host.is_empty()).then(|| Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

/// The octets as characters of a URI: those that are beyond ASCII written with their numbers, as every browser does.
fn visible(reference: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(reference.len());
    for byte in reference {
        match byte {
            b'!'..=b'~' => text.push(char::from(*byte)),
            // Writing to a string cannot fail.
            0x80.. => write!(text, "%{byte:02X}").unwrap_or_default(),
            _ => return None,
        }
    }
    Some(text)
}

/// A scheme, and what follows its colon (section 3.1).
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

/// A path, and the query with its question mark.
fn split_query(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

fn rooted(text: &str) -> String {
    let (path, query) = split_query(text);
    let path = if path.is_empty() { "/".to_owned() } else { without_dots(path) };
    format!("{path}{query}")
}

/// An absolute path without `.` and `..` (section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_resolve_as_the_rfc_has_it() {
        // RFC 3986, section 5.4, those that are of HTTP and without a fragment.
        let base = Uri::from_static("http://a/b/c/d;p?q");
        for (reference, expected) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            (";x", "/b/c/;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("..", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            ("..g", "/b/c/..g"),
            ("./g/.", "/b/c/g/"),
            ("g/../h", "/b/c/h"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("HTTP://A:80/x", "/x"),
            ("http://user@a", "/"),
            ("http://a?q", "/?q"),
            ("//a/x", "/x"),
            ("\u{fc}", "/b/c/%C3%BC"),
        ] {
            let resolved = Reference::resolve(&base, reference.as_bytes()).unwrap();
            assert_eq!(resolved.path, expected, "{reference}");
            assert!(resolved.shares_origin_of(&Reference::of(&base)), "{reference}");
        }
        for reference in ["//g", "http://a:81/x", "https://a/x", "http://b/x"] {
            let resolved = Reference::resolve(&base, reference.as_bytes()).unwrap();
            assert!(!resolved.shares_origin_of(&Reference::of(&base)), "{reference}");
        }
        for reference in ["g:h", "http:g", "http://", "http://a:x/", "a b", "a\u{7}"] {
            assert_eq!(Reference::resolve(&base, reference.as_bytes()), None, "{reference}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_reference_is_too_odd(reference in prop::collection::vec(any::<u8>(), 0..40), like in "[a-c:/.?#%]{0,12}") {
            for base in [Uri::from_static("http://a/b/c"), Uri::from_static("/b/c?d")] {
                Reference::resolve(&base, &reference);
                if let Some(resolved) = Reference::resolve(&base, like.as_bytes()) {
                    prop_assert!(resolved.path.starts_with('/'));
                }
            }
        }
    }
}
