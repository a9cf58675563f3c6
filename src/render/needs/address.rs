//! From where an address loads: its origin, or as much of it as the layout settles, whatever is printed into it.

use super::Use;
use super::holes::{SITE, VALUE, is_hole};
use std::borrow::Cow;

/// From where something is loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// From where the page is, or where its base says.
    Own,
    /// From the site's own URL.
    Site,
    /// From anywhere on the web.
    Anywhere,
    /// A whole scheme, with its colon.
    Scheme(String),
    /// A host, with scheme and port if they are written.
    Host(String),
}

/// The origins of an address that is used so; none if nothing is loaded from it, or nothing may be.
pub(super) fn origins(address: &str, of: Use) -> Vec<Origin> {
    // As browsers read it: without control characters, and with slashes only (WHATWG URL, section 4.4).
    let is_kept = |character: &char| !matches!(character, '\t' | '\n' | '\r');
    let address: String = address.trim_matches(|character: char| character <= ' ').chars().filter(is_kept).collect();
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (head, rest) = address.split_at_checked(end).unwrap_or((&address, ""));
    let head = head.replace('\\', "/");
    if head.is_empty() && rest.is_empty() {
        return Vec::new();
    }
    if head.starts_with(SITE) {
        return vec![Origin::Site];
    }
    let from_data = || if of == Use::Script { Vec::new() } else { vec![Origin::Own, Origin::Anywhere] };
    if head.starts_with(VALUE) {
        return from_data();
    }
    if let Some(rest) = head.strip_prefix("//") {
        return host(rest, "").map_or_else(from_data, |host| vec![Origin::Host(host)]);
    }
    let Some((scheme, rest)) = split_scheme(&head) else { return vec![Origin::Own] };
    match scheme.as_str() {
        "http" | "https" => {
            let rest = rest.trim_start_matches('/');
            let source = host(rest, &format!("{scheme}://")).map(Origin::Host);
            let whole = || if of == Use::Script { None } else { Some(Origin::Scheme(format!("{scheme}:"))) };
            source.or_else(whole).into_iter().collect()
        }
        "data" | "blob" if !matches!(of, Use::Script | Use::Object | Use::Base) => {
            vec![Origin::Scheme(format!("{scheme}:"))]
        }
        "mailto" if of == Use::Form => vec![Origin::Scheme("mailto:".to_owned())],
        _ => Vec::new(),
    }
}

/// The scheme in lower case, and what follows its colon.
fn split_scheme(head: &str) -> Option<(String, &str)> {
    let (scheme, rest) = head.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The host and port at the beginning of `rest`, behind `scheme`; none if it is printed, or cannot stand in a policy.
fn host(rest: &str, scheme: &str) -> Option<String> {
    let authority = rest.split('/').next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if authority.contains(is_hole) {
        return None;
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    let name = in_ascii(name)?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    // An underscore is no letter of a policy's hosts.
    if !is_name || !is_port || name.contains('_') {
        return None;
    }
    Some(if port.is_empty() { format!("{scheme}{name}") } else { format!("{scheme}{name}:{port}") })
}

/// The name of a host as browsers ask for it: bytes for what is percent-encoded, and Unicode as `xn--` (WHATWG URL, section 3.5).
fn in_ascii(name: &str) -> Option<Cow<'_, str>> {
    idna::domain_to_ascii_from_cow(percent_decoded(name), idna::AsciiDenyList::URL).ok()
}

fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return text.as_bytes().into();
    }
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        let byte = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        let encoded = byte.filter(|_| *first == b'%');
        decoded.push(encoded.unwrap_or(*first));
        rest = after.get(if encoded.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    decoded.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_origin_that_its_literal_part_settles() {
        let host = |host: &str| vec![Origin::Host(host.to_owned())];
        let scheme = |scheme: &str| vec![Origin::Scheme(scheme.to_owned())];
        let any = vec![Origin::Own, Origin::Anywhere];
        for (address, of, expected) in [
            ("", Use::Image, vec![]),
            ("/a.png", Use::Image, vec![Origin::Own]),
            ("a:b", Use::Image, vec![]),
            ("./a:b", Use::Image, vec![Origin::Own]),
            ("?a=https://x.example", Use::Image, vec![Origin::Own]),
            (" HTTPS://CDN.Example:8443/x", Use::Image, host("https://cdn.example:8443")),
            ("//cdn.example/x", Use::Script, host("cdn.example")),
            ("\\\\cdn.example\\x", Use::Script, host("cdn.example")),
            ("https://a@cdn.example/x", Use::Script, host("https://cdn.example")),
            ("ht\ntps://cdn.example/x", Use::Script, host("https://cdn.example")),
            ("\u{f0000}", Use::Image, any.clone()),
            ("\u{f0000}/x.js", Use::Script, vec![]),
            ("/\u{f0000}", Use::Image, vec![Origin::Own]),
            ("img/\u{f0000}", Use::Image, vec![Origin::Own]),
            ("https://\u{f0000}/x", Use::Image, scheme("https:")),
            ("https://\u{f0000}/x", Use::Script, vec![]),
            ("https://cdn.\u{f0000}", Use::Image, scheme("https:")),
            ("//\u{f0000}", Use::Image, any),
            ("https://cdn.example/\u{f0000}", Use::Script, host("https://cdn.example")),
            ("https://bücher.example/x", Use::Script, host("https://xn--bcher-kva.example")),
            ("//BÜCHER.example:8443/x", Use::Style, host("xn--bcher-kva.example:8443")),
            ("https://b%C3%BCcher.example/x", Use::Image, host("https://xn--bcher-kva.example")),
            ("https://例え。テスト/x", Use::Image, host("https://xn--r8jz45g.xn--zckzah")),
            ("https://faß.example/x", Use::Image, host("https://xn--fa-hia.example")),
            ("https://a%2fb.example/x", Use::Script, vec![]),
            ("https://a%zz.example/x", Use::Script, vec![]),
            ("https://bü\u{f0000}.example/x", Use::Script, vec![]),
            ("https://a_b.example/", Use::Image, scheme("https:")),
            ("data:image/png;base64,AAAA", Use::Image, scheme("data:")),
            ("data:text/javascript,1", Use::Script, vec![]),
            ("javascript:1", Use::Frame, vec![]),
            ("mailto:a@b.example", Use::Form, scheme("mailto:")),
            ("\u{f0001}/x", Use::Script, vec![Origin::Site]),
        ] {
            assert_eq!(origins(address, of), expected, "{address}");
        }
    }
}
