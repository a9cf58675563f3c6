//! Where a redirect leads: a template filled in so that no value can choose the host.
//!
//! What the author wrote literally stands as it is; a value stays within its segment or its query value. A target that would
//! leave the site although its literal text does not is refused.

use super::binding::{Binding, NotText, scalar_text};
use super::placeholder::{Part, Template};
use crate::value::Value;
use std::fmt::Write as _;

/// Why there is nowhere to lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLocation {
    /// A value in it is `null`.
    #[error("a value in the target of a redirect is null")]
    Null,
    /// A list or an object where text must stand.
    #[error("a list or an object in the target of a redirect")]
    NotText,
    /// A value would choose the host.
    #[error("a value would lead the redirect away from its declared host")]
    Astray,
}

impl From<NotText> for NoLocation {
    fn from(NotText: NotText) -> Self {
        Self::NotText
    }
}

/// Appends `text` with every byte but the unreserved ones (RFC 3986, section 2.3) percent-encoded.
pub fn encode_segment(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
}

impl Template<Binding> {
    /// The value of `Location` (RFC 9110, section 10.2.2): values are encoded for where they stand, and only those of
    /// `{*rest}` keep their slashes.
    pub fn location(&self, slots: &[Value]) -> Result<String, NoLocation> {
        if let [Part::Value(binding)] = &*self.parts {
            return local(binding, slots);
        }
        let Some(Part::Literal(literal)) = self.parts.first() else { return Err(NoLocation::Astray) };
        let mut out = String::new();
        // Whether a null has been met in the `key=value` that is being read.
        let mut dropped = false;
        for part in &self.parts {
            match part {
                Part::Literal(text) if dropped => {
                    let Some(next) = text.find(['&', '#']).and_then(|at| text.get(at..)) else { continue };
                    dropped = false;
                    match next.strip_prefix('&') {
                        Some(pair) if !out.contains('?') => {
                            out.push('?');
                            push_literal(pair, &mut out);
                        }
                        Some(_) | None => push_literal(next, &mut out),
                    }
                }
                Part::Value(_) if dropped => {}
                Part::Literal(text) => push_literal(text, &mut out),
                Part::Value(binding) => match push_value(binding, slots, &mut out) {
                    // A null in a query removes its own `key=value`.
                    Err(NoLocation::Null) if out.contains('?') && !out.contains('#') => {
                        out.truncate(out.rfind(['?', '&']).unwrap_or_default());
                        dropped = true;
                    }
                    written => written?,
                },
                // Variables of the environment are resolved at load.
                Part::Env(_) => {}
            }
        }
        if is_declared(literal, self.parts.len() == 1) && leads_away(&out) == leads_away(literal) {
            Ok(out)
        } else {
            Err(NoLocation::Astray)
        }
    }
}

/// A value that is the whole target: a path of this site, with its query. What it is, was looked at when it was read; that it leads nowhere
/// else is looked at here, too.
fn local(binding: &Binding, slots: &[Value]) -> Result<String, NoLocation> {
    let value = binding.value(slots);
    if value.is_null() {
        return Err(NoLocation::Null);
    }
    let text = scalar_text(value)?;
    let is_local =
        text.starts_with('/') && !leads_away(&text) && !text.contains(['\\']) && !text.contains(char::is_control);
    if !is_local {
        return Err(NoLocation::Astray);
    }
    let mut out = String::with_capacity(text.len());
    push_literal(&text, &mut out);
    Ok(out)
}

fn push_value(binding: &Binding, slots: &[Value], out: &mut String) -> Result<(), NoLocation> {
    let value = binding.value(slots);
    if value.is_null() {
        return Err(NoLocation::Null);
    }
    let text = scalar_text(value)?;
    if !binding.is_rest {
        encode_segment(&text, out);
        return Ok(());
    }
    for (at, segment) in text.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        encode_segment(segment, out);
    }
    Ok(())
}

/// What authors write is a URL already; letters beyond ASCII, spaces and controls cannot stand in a field, and are encoded.
fn push_literal(text: &str, out: &mut String) {
    for character in text.chars() {
        if character.is_ascii_graphic() {
            out.push(character);
        } else {
            encode_segment(character.encode_utf8(&mut [0; 4]), out);
        }
    }
}

/// Whether the literal text in front says which host is meant: this one, or all of another.
fn is_declared(literal: &str, alone: bool) -> bool {
    let authority = literal.split_once("://").map(|(_, rest)| rest).or_else(|| literal.strip_prefix("//"));
    match authority {
        Some(rest) => alone || rest.contains(['/', '?', '#']),
        None => literal.starts_with('/') || alone,
    }
}

/// Whether a browser would take what follows the first slash for a host.
fn leads_away(target: &str) -> bool {
    target.starts_with("//") || target.starts_with("/\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Files, Place};
    use std::sync::Arc;

    /// `$0` and `$1` are values, `*0` the value of a rest parameter.
    fn location(parts: &[&str], values: &[&str]) -> Result<String, NoLocation> {
        let place = Place::new(Files::default().add("a", ""), 0..0);
        let part = |text: &&str| match text.split_at_checked(1) {
            Some((sign @ ("$" | "*"), slot)) => Part::Value(Binding {
                slot: slot.parse().unwrap(),
                keys: Box::default(),
                from_request: true,
                is_rest: sign == "*",
            }),
            _ => Part::Literal(Arc::from(*text)),
        };
        let slots: Vec<Value> = values.iter().map(|text| Value::text(*text)).collect();
        Template { parts: parts.iter().map(part).collect(), place }.location(&slots)
    }

    #[test]
    fn a_value_that_is_all_of_a_target_stays_on_this_site() {
        for (value, expected) in [
            ("/", Ok("/")),
            ("/a/b?c=%20d&e=/f#g", Ok("/a/b?c=%20d&e=/f#g")),
            ("/caf\u{e9} x", Ok("/caf%C3%A9%20x")),
            ("//evil.example", Err(NoLocation::Astray)),
            ("/\\evil.example", Err(NoLocation::Astray)),
            ("/a\\b", Err(NoLocation::Astray)),
            ("https://evil.example/", Err(NoLocation::Astray)),
            ("javascript:alert(1)", Err(NoLocation::Astray)),
            ("evil", Err(NoLocation::Astray)),
            ("", Err(NoLocation::Astray)),
            ("/\r\nset-cookie: a=b", Err(NoLocation::Astray)),
            ("/\t/evil.example", Err(NoLocation::Astray)),
            (" //evil.example", Err(NoLocation::Astray)),
        ] {
            assert_eq!(location(&["$0"], &[value]).as_deref(), expected.as_ref().map(|text| *text), "{value:?}");
        }
    }

    #[test]
    fn values_stay_where_they_stand() {
        for (parts, values, expected) in [
            (&["/new/", "$0"][..], &["a b"][..], Ok("/new/a%20b")),
            (&["/new/", "$0"], &["a/../b?c#d"], Ok("/new/a%2F..%2Fb%3Fc%23d")),
            (&["/new/", "*0"], &["a/b c"], Ok("/new/a/b%20c")),
            (&["/x?to=", "$0"], &["a&b"], Ok("/x?to=a%26b")),
            (&["/caf\u{e9} 1"], &[], Ok("/caf%C3%A9%201")),
            (&["https://example.com/", "$0"], &["x"], Ok("https://example.com/x")),
            (&["https://example.com"], &[], Ok("https://example.com")),
            (&["/x\r\nset-cookie: a"], &[], Ok("/x%0D%0Aset-cookie:%20a")),
            (&["/", "$0"], &["\r\n"], Ok("/%0D%0A")),
            (&["/", "$7"], &[], Err(NoLocation::Null)),
        ] {
            assert_eq!(location(parts, values), expected.map(str::to_owned), "{parts:?} {values:?}");
        }
    }

    #[test]
    fn no_value_chooses_the_host() {
        for (parts, values) in [
            (&["https://", "$0"][..], &["evil.example"][..]),
            (&["https://example.com", "$0"], &[".evil.example/"]),
            (&["/", "$0", "/evil.example"], &[""]),
            (&["/", "*0"], &["/evil.example"]),
        ] {
            assert_eq!(location(parts, values), Err(NoLocation::Astray), "{parts:?} {values:?}");
        }
    }
}
