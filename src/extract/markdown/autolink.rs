//! Bare URLs and mail addresses in text (GFM, section 6.9).

use std::ops::Range;

/// The longest domain (RFC 1035 section 2.3.4), in bytes; looking further would be quadratic on text that repeats `www.`.
const LONGEST_DOMAIN: usize = 253;

/// A link that was found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// What stands before its text in the destination.
    pub scheme: &'static str,
}

/// The links in `text`. `before` is the character that precedes the text in its document; at the bytes of `decoded` stand characters that
/// the document spells as entities: `&gt;` at the end of a link belongs to the text and not to it, as if it were not decoded yet.
pub(super) fn find(text: &str, before: Option<char>, decoded: &[usize]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut search = 0;
    while let Some(at) = text.get(search..).and_then(|rest| rest.find([':', 'w', '@'])).map(|at| search + at) {
        search = at + 1;
        let candidate = match text.as_bytes().get(at) {
            Some(b'w') => www(text, at, before, decoded),
            Some(b':') => url(text, from, at, decoded),
            _ => mail(text, from, at),
        };
        if let Some(link) = candidate {
            from = link.range.end;
            search = search.max(from);
            found.push(link);
        }
    }
    found
}

/// The first URL in the source `text` that begins within `range`. It may end behind it, and no address of mail is one.
pub(super) fn written(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let mut search = range.start;
    while let Some(at) = text.get(search..range.end)?.find([':', 'w']).map(|at| search + at) {
        search = at + 1;
        let found = match text.as_bytes().get(at) {
            Some(b'w') => www(text, at, None, &[]),
            _ => url(text, range.start, at, &[]),
        };
        if let Some(link) = found {
            return Some(link.range);
        }
    }
    None
}

fn www(text: &str, at: usize, before: Option<char>, decoded: &[usize]) -> Option<Found> {
    let rest = text.get(at..).filter(|rest| rest.starts_with("www."))?;
    let previous = match text.get(..at)?.chars().next_back() {
        Some(previous) => Some(previous),
        None => before.filter(|&before| before.is_alphanumeric() || before == '`'),
    };
    if !previous.is_none_or(|previous| previous.is_whitespace() || matches!(previous, '*' | '_' | '~' | '(')) {
        return None;
    }
    let end = at + link_length(rest, domain_length(rest, true)?, at, decoded);
    (end > at + "www.".len() - 1 && rest != "www.").then_some(Found { range: at..end, scheme: "http://" })
}

fn url(text: &str, from: usize, colon: usize, decoded: &[usize]) -> Option<Found> {
    let rest = text.get(colon..)?.strip_prefix("://")?;
    let before = text.get(from..colon)?;
    // The scheme is short: looking further back would be quadratic on a long word.
    let letters = before.bytes().rev().take(6).take_while(u8::is_ascii_alphabetic).count();
    let scheme = before.get(before.len() - letters..)?;
    if !["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let length = link_length(rest, domain_length(rest, false)?, colon + 3, decoded);
    let range = colon - scheme.len()..colon + 3 + length;
    (length > 0).then_some(Found { range, scheme: "" })
}

fn mail(text: &str, from: usize, at: usize) -> Option<Found> {
    let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_');
    let before = text.get(from..at)?;
    let start = before.trim_end_matches(local).len();
    if start == before.len() {
        return None;
    }
    let rest = text.get(at + 1..)?;
    let domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut length = rest.find(|c| !domain(c)).unwrap_or(rest.len());
    let written = rest.get(..length)?;
    length = written.trim_end_matches('.').len();
    let written = rest.get(..length)?;
    let well_formed = written.contains('.') && !written.starts_with('.') && !written.contains("..");
    if !well_formed || !written.ends_with(|c: char| c.is_ascii_alphabetic()) || rest.get(length..)?.starts_with('@') {
        return None;
    }
    let start = from + start;
    let protocol =
        ["mailto:", "xmpp:"].into_iter().find(|name| text.get(from..start).is_some_and(|t| t.ends_with(name)));
    let mut end = at + 1 + length;
    if protocol == Some("xmpp:") && text.get(end..)?.starts_with('/') {
        let resource = text.get(end + 1..)?;
        end += 1 + resource
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '@' | '.')))
            .unwrap_or(resource.len());
        end -= text.get(..end)?.len() - text.get(..end)?.trim_end_matches(['.', '/']).len();
    }
    Some(match protocol {
        Some(protocol) => Found { range: start - protocol.len()..end, scheme: "" },
        None => Found { range: start..end, scheme: "mailto:" },
    })
}

/// How long the domain is that `text` begins with; `None` if it is none. The last two segments have no underscore.
fn domain_length(text: &str, needs_period: bool) -> Option<usize> {
    let host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || (!c.is_ascii() && !c.is_whitespace());
    let length = text.char_indices().find(|&(at, c)| at > LONGEST_DOMAIN || !host(c)).map_or(text.len(), |(at, _)| at);
    if length > LONGEST_DOMAIN {
        return None;
    }
    let domain = text.get(..length)?;
    let mut segments = domain.rsplit('.');
    let (last, last_but_one) = (segments.next()?, segments.next());
    let underscore = last.contains('_') || last_but_one.is_some_and(|segment| segment.contains('_'));
    let begins = domain.chars().next().is_some_and(|first| first.is_alphanumeric() || !first.is_ascii());
    (begins && !underscore && (!needs_period || last_but_one.is_some())).then_some(length)
}

/// How long the link is that `text` begins with, of which the first `domain` bytes are its domain: up to white space or `<`,
/// without the punctuation that ends a sentence. `start` is where it begins in the text that `decoded` is about.
fn link_length(text: &str, domain: usize, start: usize, decoded: &[usize]) -> usize {
    let path = text.get(domain..).unwrap_or_default();
    let mut end = domain + path.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(path.len());
    let link = text.get(..end).unwrap_or_default();
    let opening = link.bytes().filter(|&byte| byte == b'(').count();
    let mut closing = link.bytes().filter(|&byte| byte == b')').count();
    while let Some(last) = text.as_bytes().get(..end).and_then(|link| link.last()) {
        match last {
            b')' if closing > opening => closing -= 1,
            b'?' | b'!' | b'.' | b',' | b':' | b'*' | b'_' | b'~' | b'\'' | b'"' => {}
            b';' => {
                end = before_entity(text.get(..end - 1).unwrap_or_default());
                continue;
            }
            _ => {
                let last = text.get(..end).and_then(|link| link.chars().next_back()).map_or(1, char::len_utf8);
                if decoded.binary_search(&(start + end - last)).is_err() {
                    break;
                }
                end -= last;
                continue;
            }
        }
        end -= 1;
    }
    end
}

/// Where `&name` begins that `text` ends with, or the end of the text: `&hl;` belongs to the text and not to the link.
fn before_entity(text: &str) -> usize {
    let name = text.bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
    match text.len().checked_sub(name + 1) {
        Some(start) if name > 0 && text.as_bytes().get(start) == Some(&b'&') => start,
        Some(_) | None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_where_gfm_finds_them() {
        for (text, expected) in [
            ("www.commonmark.org", &["www.commonmark.org"][..]),
            ("Visit www.commonmark.org/help for more.", &["www.commonmark.org/help"]),
            ("Visit www.commonmark.org.", &["www.commonmark.org"]),
            ("Visit www.commonmark.org/a.b.", &["www.commonmark.org/a.b"]),
            ("www.google.com/search?q=Markup+(business)", &["www.google.com/search?q=Markup+(business)"]),
            ("www.google.com/search?q=Markup+(business)))", &["www.google.com/search?q=Markup+(business)"]),
            ("(www.google.com/search?q=Markup+(business))", &["www.google.com/search?q=Markup+(business)"]),
            ("www.google.com/search?q=(business))+ok", &["www.google.com/search?q=(business))+ok"]),
            ("www.google.com/search?q=commonmark&hl=en", &["www.google.com/search?q=commonmark&hl=en"]),
            ("www.google.com/search?q=commonmark&hl;", &["www.google.com/search?q=commonmark"]),
            ("www.commonmark.org/he<lp", &["www.commonmark.org/he"]),
            (
                "(Visit https://encrypted.google.com/search?q=Markup+(business))",
                &["https://encrypted.google.com/search?q=Markup+(business)"],
            ),
            ("ftp://foo.bar.baz", &["ftp://foo.bar.baz"]),
            ("xhttp://foo.bar", &[]),
            ("http://", &[]),
            ("http://a_b.c", &[]),
            ("http://localhost:4000/x", &["http://localhost:4000/x"]),
            ("awww.x.y wwww", &[]),
            ("foo@bar.baz", &["foo@bar.baz"]),
            ("hello@mail+xyz.example isn't valid, but hello+xyz@mail.example is.", &["hello+xyz@mail.example"]),
            ("a.b-c_d@a.b", &["a.b-c_d@a.b"]),
            ("a.b-c_d@a.b.", &["a.b-c_d@a.b"]),
            ("a.b-c_d@a.b-", &[]),
            ("a.b-c_d@a.b_", &[]),
            ("mailto:foo@bar.baz", &["mailto:foo@bar.baz"]),
            ("xmpp:foo@bar.baz/txt@bin.com/x", &["xmpp:foo@bar.baz/txt@bin.com"]),
            ("a@b.c1 a@b.1", &[]),
            ("www. (www.) www.", &[]),
            ("www.a", &["www.a"]),
            ("a@b @ c@", &[]),
            ("größe@bar.baz", &["e@bar.baz"]),
            ("日本http://a.b", &["http://a.b"]),
            ("http://🍄.ga/", &["http://🍄.ga/"]),
            ("http://a.b https://c.d, e@f.g", &["http://a.b", "https://c.d", "e@f.g"]),
        ] {
            let found: Vec<_> = find(text, None, &[]).into_iter().map(|link| &text[link.range]).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(find("www.a.b", Some('x'), &[]).is_empty());
    }
}
