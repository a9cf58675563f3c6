//! Variants, validation, freshening, invalidation and parts: RFC 9111, sections 3.2, 3.4, 4.1, 4.3 and 4.4, and RFC 9110, sections 13 and 14.

use super::exchanges::TARGETS;
use super::random::Random;
use super::read::{Lines, elements, has, trimmed, values};

/// A URI in its parts (RFC 3986, appendix B), without its fragment: scheme, authority, path, query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) scheme: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) path: String,
    pub(super) query: Option<String>,
}

pub(super) fn reference(text: &str) -> Reference {
    let text = text.split('#').next().unwrap_or_default();
    let (text, query) = match text.split_once('?') {
        Some((text, query)) => (text, Some(query.to_owned())),
        None => (text, None),
    };
    let is_scheme = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, text) = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_lowercase()), rest),
        _ => (None, text),
    };
    let (authority, path) = match text.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/').unwrap_or(rest.len());
            (Some(rest[..at].to_owned()), rest[at..].to_owned())
        }
        None => (None, text.to_owned()),
    };
    Reference { scheme, authority, path, query }
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        match *segment {
            "." if is_last => out.push(""),
            "." => {}
            ".." => {
                if out.len() > 1 {
                    out.pop();
                }
                if is_last {
                    out.push("");
                }
            }
            segment => out.push(segment),
        }
    }
    out.join("/")
}

/// RFC 3986, section 5.2.2, and section 6.2: an authority without case and default port, an empty path that is `/`.
pub(super) fn resolved(base: &str, text: &str) -> Reference {
    let (base, said) = (reference(base), reference(text));
    let mut out = if said.scheme.is_some() {
        Reference { path: without_dots(&said.path), ..said }
    } else if said.authority.is_some() {
        Reference { scheme: base.scheme, path: without_dots(&said.path), ..said }
    } else if said.path.is_empty() {
        Reference { query: said.query.or(base.query), ..base }
    } else {
        let path = if said.path.starts_with('/') {
            said.path
        } else {
            let at = base.path.rfind('/').map_or(0, |at| at + 1);
            format!("{}{}", &base.path[..at], said.path)
        };
        Reference { path: without_dots(&path), query: said.query, ..base }
    };
    if out.path.is_empty() {
        out.path = "/".to_owned();
    }
    let default = if out.scheme.as_deref() == Some("https") { ":443" } else { ":80" };
    out.authority = out.authority.map(|authority| {
        let authority = authority.to_lowercase();
        authority.strip_suffix(default).map(str::to_owned).unwrap_or(authority)
    });
    out
}

/// Whether a `Content-Location` is the target of the request, by one of its names (RFC 9110, section 8.7).
pub(super) fn is_target(text: &str) -> bool {
    let named = resolved(TARGETS[0], text);
    TARGETS.iter().any(|target| resolved(target, "") == named)
}

const PREFERENCES: [&str; 4] = ["accept", "accept-charset", "accept-encoding", "accept-language"];

/// A preference in one form (RFC 9110, section 12.4): its members without case and white space, weights as thousandths, in any order. Members
/// that are malformed stay as they are, and in their place.
fn preference(lines: &[String]) -> Option<Vec<(String, u32)>> {
    let mut members = Vec::new();
    for line in lines {
        for member in elements(line).0 {
            let mut weight = 1000;
            let mut kept = Vec::new();
            for (at, part) in member.split(';').enumerate() {
                let part = trimmed(part).to_lowercase();
                if let Some(text) = part.strip_prefix("q=").filter(|_| at > 0) {
                    weight = thousandths(text)?;
                } else {
                    kept.push(part);
                }
            }
            members.push((kept.join(";"), weight));
        }
    }
    // Said twice is said.
    members.sort();
    members.dedup();
    Some(members)
}

/// RFC 9110, section 12.4.2.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !["0", "1"].contains(&whole) || part.len() > 3 || !part.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut padded = part.to_owned();
    while padded.len() < 3 {
        padded.push('0');
    }
    let number = whole.parse::<u32>().ok()? * 1000 + padded.parse::<u32>().ok()?;
    (number <= 1000).then_some(number)
}

/// Any other field: its members, without the white space around them.
fn members(lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|line| elements(line).0).collect()
}

/// Section 4.1: "Two requests' presented header fields nominated by that Vary field value match when they can be transformed from one to the
/// other" by white space, by lines that are combined, or by what is known of the field.
fn says_the_same(name: &str, one: &Lines, other: &Lines) -> bool {
    let (one, other) = (values(one, name), values(other, name));
    // "If (after any normalization that might take place) a header field is absent from a request, it can only match another request if it is
    // also absent there."
    if one.is_empty() || other.is_empty() {
        return one.is_empty() && other.is_empty();
    }
    if PREFERENCES.contains(&name)
        && let (Some(one), Some(other)) = (preference(&one), preference(&other))
    {
        return one == other;
    }
    one == other || members(&one) == members(&other)
}

/// The one language that is wanted more than any other.
fn wanted(request: &Lines) -> Option<String> {
    let mut members = preference(&values(request, "accept-language"))?;
    members.retain(|(_, weight)| *weight > 0);
    members.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    match &members[..] {
        [] => None,
        [(first, weight), (_, second), ..] if weight == second => {
            let _ = first;
            None
        }
        [(first, _), ..] if first == "*" => None,
        [(first, _), ..] => Some(first.clone()),
    }
}

/// Whether a stored response answers another request, as far as `Vary` goes.
pub(super) fn matches(response: &Lines, first: &Lines, second: &Lines) -> bool {
    let Some(names) = super::keeping::vary_names(response) else { return false };
    let same = |name: &String| says_the_same(name, first, second);
    if names.iter().all(same) {
        return true;
    }
    // "normalizing both header field values in a way that is known to have identical semantics": a response in the one language that is wanted
    // most is what would be sent.
    let languages: Vec<String> = members(&values(response, "content-language"));
    let [language] = &languages[..] else { return false };
    names.contains(&"accept-language".to_owned())
        && has(second, "accept-language")
        && wanted(second) == Some(language.to_lowercase())
        && names.iter().filter(|name| *name != "accept-language").all(same)
}

/// Request fields that may choose a response.
pub(super) fn selecting_fields(random: &mut Random, lines: &mut Lines) {
    let languages = [
        "en",
        "en, de",
        "de, en",
        "EN,de",
        "en;q=0.5, de",
        "de, en;q=0.50",
        "en ; q=0.5,de",
        "*",
        "fr, *;q=0.1",
        "",
        "de;q=1.0",
        "de",
        "de;q=2",
        "en;q=0, de",
    ];
    random.line(lines, 2, "accept-language", &languages);
    random.line(lines, 6, "accept-language", &languages);
    random.line(lines, 3, "accept-encoding", &["gzip", "br, gzip", "gzip, br", "GZIP,br", "gzip;q=0, br", ""]);
    random.line(lines, 3, "foo", &["1", "2", "1, 2", "1,2", "1 , 2", "2, 1", "", "a", "A", "\"1, 2\"", "1  2"]);
    random.line(lines, 6, "foo", &["1", "2", ""]);
    random.line(lines, 4, "x-bar", &["1", "2"]);
}

pub(super) fn vary_fields(random: &mut Random, lines: &mut Lines) {
    let vary = [
        "foo",
        "Foo",
        "accept-language",
        "accept-language, foo",
        "accept-encoding",
        "Accept-Encoding,Accept-Language",
        "foo, x-bar",
        "",
        ",foo,,",
    ];
    random.line(lines, 3, "vary", &vary);
    random.line(lines, 5, "vary", &vary);
    random.line(lines, 30, "vary", &["*", "foo, *", "f o", "foo;a"]);
    random.line(lines, 6, "content-language", &["en", "de", "DE", "en, de", "", "de-AT"]);
}

/// The same fields in another spelling, most times.
pub(super) fn respelled(random: &mut Random, lines: &mut Lines) {
    for (_, value) in lines.iter_mut() {
        match random.below(6) {
            0 => *value = value.replace(", ", ","),
            1 => *value = value.replace(',', " , ").trim().to_owned(),
            2 => *value = value.to_uppercase(),
            _ => {}
        }
    }
    if random.one_in(6) {
        random.shuffled(lines);
    }
}
