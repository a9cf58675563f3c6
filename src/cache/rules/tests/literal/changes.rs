//! Variants, validation, freshening, invalidation and parts: RFC 9111, sections 3.2, 3.4, 4.1, 4.3 and 4.4, and RFC 9110, sections 13 and 14.

use super::exchanges::TARGETS;
use super::narrowed;
use super::random::Random;
use super::read::{Asked, Lines, Tag, Tags, elements, has, trimmed, values};

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
        // RFC 9110, section 4.3.1: an origin is scheme, host and port.
        let authority = authority.to_lowercase();
        let authority = authority.rsplit('@').next().unwrap_or_default().to_owned();
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
    let mut members = weighed(lines)?;
    // Said twice is said.
    members.sort();
    members.dedup();
    Some(members)
}

fn weighed(lines: &[String]) -> Option<Vec<(String, u32)>> {
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
    let mut members = weighed(&values(request, "accept-language"))?;
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

/// The fields of a message by their names in lower case, in order of names, each with its lines.
pub(super) fn by_name(fields: &Lines) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<String> = fields.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (name.clone(), values(fields, &name))).collect()
}

/// Section 3.1: what is not stored. "Connection and fields whose names are listed in it; fields that are for a proxy".
fn is_of_the_connection(fields: &Lines, name: &str) -> bool {
    let mut listed = Vec::new();
    for line in values(fields, "connection") {
        listed.extend(line.split(',').map(|name| trimmed(name).to_lowercase()));
    }
    // RFC 9110, section 7.6.1.
    let always = [
        "connection",
        "proxy-connection",
        "keep-alive",
        "te",
        "transfer-encoding",
        "upgrade",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
    ];
    always.contains(&name) || listed.contains(&name.to_owned())
}

/// Section 3.2: "the cache MUST add each header field in the provided response to the stored response, replacing field values that are already
/// present".
pub(super) fn freshened(stored: &Lines, update: &Lines, takes_cookies: bool) -> Lines {
    let mut result = stored.clone();
    for (name, lines) in by_name(update) {
        // "Header fields excluded from storage in Section 3.1"; "Header fields that the cache's stored response depends upon"; "Header fields that
        // are automatically processed and removed by the recipient"; "The Content-Length header field".
        if is_of_the_connection(update, &name) || name == "content-length" {
            continue;
        }
        if ["content-encoding", "content-range"].contains(&name.as_str())
            && narrowed("what says how the stored content is to be read stays")
        {
            continue;
        }
        if name == "set-cookie" && !takes_cookies {
            continue;
        }
        result.retain(|(other, _)| other.to_lowercase() != name);
        for line in lines {
            result.push((name.clone(), line));
        }
    }
    result
}

/// The tag of a message, the first if there are several. One that is malformed is what it is, octet for octet.
fn tag_of(fields: &Lines) -> Option<Tag> {
    let text = values(fields, "etag").first()?.clone();
    let malformed = || Tag { is_weak: false, opaque: format!("malformed {text}") };
    (!text.is_empty()).then(|| super::read::tag(&text).unwrap_or_else(malformed))
}

/// Section 4.3.4: which of the stored responses a 304 updates, the chosen one in front and then the latest.
pub(super) fn selected(not_modified: &Lines, stored: &[Lines]) -> Vec<usize> {
    let new = tag_of(not_modified);
    // "If the new response contains one or more strong validators, then each of those strong validators identifies a selected representation for
    // update. All the stored responses in the initial set with one of those same strong validators are identified for update. If none of the
    // initial set contains at least one of the same strong validators, then the cache MUST NOT use the new response to update any stored
    // responses."
    if let Some(new) = &new
        && !new.is_weak
    {
        let same = |stored: &Lines| tag_of(stored).is_some_and(|tag| super::read::strongly(&tag, new));
        return (0..stored.len()).filter(|at| same(&stored[*at])).collect();
    }
    // "If the new response contains no strong validators but does contain one or more weak validators, and if those validators correspond to one
    // of the initial set's stored responses, then the most recent of those matching stored responses is identified for update."
    if let Some(new) = &new {
        let same = |stored: &Lines| tag_of(stored).is_some_and(|tag| super::read::weakly(&tag, new));
        return (0..stored.len()).filter(|at| same(&stored[*at])).take(1).collect();
    }
    if values(not_modified, "last-modified").first().is_some_and(|line| !line.is_empty())
        && narrowed("Last-Modified is a weak validator")
    {
        let new = said_date(not_modified);
        let same = |stored: &Lines| has(stored, "last-modified") && said_date(stored) == new;
        return (0..stored.len()).filter(|at| same(&stored[*at])).take(1).collect();
    }
    // "If the new response does not include any form of validator [...], and there is only one stored response in the initial set, and that stored
    // response also lacks a validator, then that stored response is identified for update."
    if stored.len() == 1 && narrowed("a 304 without a validator is about the one response that was asked about") {
        return vec![0];
    }
    Vec::new()
}

/// What `Last-Modified` says: a moment, or else its text.
fn said_date(fields: &Lines) -> Result<i64, String> {
    let line = values(fields, "last-modified").first().cloned().unwrap_or_default();
    super::read::date(&line, super::exchanges::NOW).ok_or(line)
}

/// Section 4.3.1: `If-None-Match` and `If-Modified-Since` of the request that validates.
pub(super) fn validating(stored: &[Lines]) -> (Vec<String>, Option<String>) {
    let mut tags: Vec<String> = Vec::new();
    // "MUST send the relevant entity tags if the entity tags were provided in the stored response(s) being validated."
    for response in stored {
        for tag in values(response, "etag").into_iter().take(1) {
            if !tag.is_empty() && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    // "SHOULD send the Last-Modified value [...] if [...] a single stored response is being validated, and that response contains a Last-Modified
    // value".
    let is_one = tags.len() <= 1
        && (stored.len() == 1 || narrowed("the date of the chosen one goes along unless several tags do"));
    let date = stored.first().filter(|_| is_one).and_then(|chosen| values(chosen, "last-modified").first().cloned());
    (tags, date)
}

/// Section 4.3.5: what the answer to a HEAD says of a stored response: that it is the same, or another, or nothing.
pub(super) fn head_says(
    stored_status: u16,
    stored: &Lines,
    length: Option<u64>,
    status: u16,
    head: &Lines,
) -> Option<bool> {
    if stored_status != 200 || status != 200 {
        return None;
    }
    // "for each stored response that could have been chosen, if they have matching values for any received validator fields (ETag and
    // Last-Modified) and, if the HEAD response has a Content-Length header field, the value of Content-Length matches that of the stored response".
    if has(head, "etag") && values(stored, "etag").first() != values(head, "etag").first() {
        return Some(false);
    }
    if has(head, "last-modified") && (!has(stored, "last-modified") || said_date(stored) != said_date(head)) {
        return Some(false);
    }
    if let (Some(said), Some(length)) = (values(head, "content-length").first(), length) {
        let is_same = said.chars().all(|c| c.is_ascii_digit()) && said.parse() == Ok(length);
        if !is_same {
            return Some(false);
        }
    }
    Some(true)
}

/// How a complete stored response answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answered {
    Whole,
    NotModified,
    Part(u64, u64),
    Unsatisfiable,
}

/// Section 4.3.2, and RFC 9110, sections 13.2.2 and 14.2.
pub(super) fn answered(
    method: &str,
    request: &Lines,
    status: u16,
    stored: &Lines,
    received: i64,
    length: Option<u64>,
) -> Answered {
    // RFC 9110, section 13.2.1: conditions are for what "would have resulted in" a 200 here.
    if status != 200 || !narrowed("conditions and ranges are for a stored 200") {
        return Answered::Whole;
    }
    if has_it(request, stored, received) {
        return Answered::NotModified;
    }
    // RFC 9110, section 14.2: "A server MUST ignore a Range header field received with a request method that is unrecognized or for which range
    // handling is not defined. For this specification, GET is the only method for which range handling is defined."
    let Some(length) = length.filter(|_| method == "GET") else { return Answered::Whole };
    if has(request, "if-range") && !range_holds(request, stored, received) {
        return Answered::Whole;
    }
    let asked = match super::read::range(request) {
        Asked::Ignored => return Answered::Whole,
        Asked::Several(all) => all,
        one @ (Asked::From(..) | Asked::Last(_)) => vec![one],
    };
    // RFC 9110, section 14.1.2: "if a valid byte-range-set includes at least one range-spec that is satisfiable, then it is satisfiable."
    let parts: Vec<(u64, u64)> = asked.iter().filter_map(|asked| octets(asked, length)).collect();
    match parts[..] {
        [] => Answered::Unsatisfiable,
        [(first, last)] => Answered::Part(first, last),
        _ => {
            assert!(narrowed("several ranges are answered with the whole"));
            Answered::Whole
        }
    }
}

/// The first and last octet of a range that is satisfiable (RFC 9110, section 14.1.2).
fn octets(asked: &Asked, length: u64) -> Option<(u64, u64)> {
    match *asked {
        Asked::From(first, last) => (first < length).then(|| (first, last.unwrap_or(u64::MAX).min(length - 1))),
        Asked::Last(0) | Asked::Ignored | Asked::Several(_) => None,
        // "If the selected representation is shorter than the specified suffix-length, the entire representation is used": here it has no octet.
        Asked::Last(_) if length == 0 => {
            assert!(narrowed("the last octets of nothing are unsatisfiable"));
            None
        }
        Asked::Last(count) => Some((length.saturating_sub(count), length - 1)),
    }
}

/// Section 4.3.2: `If-None-Match`, or else `If-Modified-Since`.
fn has_it(request: &Lines, stored: &Lines, received: i64) -> bool {
    if has(request, "if-none-match") {
        let is_echoed = |text: &String| !text.is_empty() && values(request, "if-none-match").contains(text);
        if values(stored, "etag").first().is_some_and(is_echoed)
            && narrowed("a malformed tag that comes back is the same")
        {
            return true;
        }
        return match super::read::tags(request, "if-none-match") {
            Tags::Any => true,
            Tags::These(tags) => {
                tag_of(stored).is_some_and(|tag| tags.iter().any(|other| super::read::weakly(other, &tag)))
            }
        };
    }
    // RFC 9110, section 13.1.3: "A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date,
    // the field value has more than one member".
    let Some(since) =
        super::read::only(request, "if-modified-since").and_then(|line| super::read::date(&line, received))
    else {
        return false;
    };
    // Section 4.3.2: "If a stored response does not have a Last-Modified: the Date or the time that the response was received".
    let changed = super::read::date_of(stored, "last-modified", received)
        .or_else(|| super::read::date_of(stored, "date", received))
        .unwrap_or(received);
    changed <= since
}

/// RFC 9110, section 13.1.5: `If-Range`.
fn range_holds(request: &Lines, stored: &Lines, received: i64) -> bool {
    let Some(line) = super::read::only(request, "if-range") else { return false };
    if let Some(tag) = super::read::tag(&line) {
        return tag_of(stored).is_some_and(|stored| super::read::strongly(&stored, &tag));
    }
    // "If the HTTP-date validator provided is not a strong validator in the sense defined by Section 8.8.2.2, the condition is false."
    let (Some(said), Some(modified)) =
        (super::read::date(&line, received), super::read::date_of(stored, "last-modified", received))
    else {
        return false;
    };
    let made = super::read::date_of(stored, "date", received);
    said == modified && made.unwrap_or(received) > modified
}

/// Section 4.4: what a response makes invalid besides its target, as origin and path; none if nothing is.
pub(super) fn invalid(method: &str, status: u16, response: &Lines) -> Option<Vec<(usize, String)>> {
    // RFC 9110, section 9.2.1. "A cache MUST invalidate the target URI when it receives a non-error status code in response to an unsafe request
    // method (including methods whose safety is unknown)"; "a non-error response is one with a 2xx (Successful) or 3xx (Redirection) status
    // code".
    let safe = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"];
    if safe.contains(&method) || !(200..400).contains(&status) {
        return None;
    }
    let mut found = Vec::new();
    for name in ["location", "content-location"] {
        for text in values(response, name) {
            let named = resolved(TARGETS[0], &text);
            // "A cache MUST NOT invalidate a URI [...] if the origin of the URI to be invalidated differs from that of the URI in the target URI."
            for (at, target) in TARGETS.iter().enumerate() {
                let target = resolved(target, "");
                if (&target.scheme, &target.authority) == (&named.scheme, &named.authority) {
                    let query = named.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
                    found.push((at, format!("{}{query}", named.path)));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// Section 3.4: two parts, by their first and last octet and how long the whole is, made one; the octets of the second count where both have them.
pub(super) fn joined(one: (u64, u64, Option<u64>), other: (u64, u64, Option<u64>)) -> Option<(u64, u64, Option<u64>)> {
    let length = match (one.2, other.2) {
        (Some(one), Some(other)) if one != other => return None,
        (one, other) => one.or(other),
    };
    let mut octets: Vec<u64> = (one.0..=one.1).chain(other.0..=other.1).collect();
    octets.sort_unstable();
    octets.dedup();
    let is_whole = octets.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let last = octets[octets.len() - 1];
    (is_whole && length.is_none_or(|length| last < length)).then(|| (octets[0], last, length))
}

/// Whether two messages share a strong validator, which parts that are joined must (section 3.4).
pub(super) fn share_a_strong_validator(one: &Lines, other: &Lines) -> bool {
    let tag = |fields: &Lines| super::read::tag(values(fields, "etag").first()?);
    match (tag(one), tag(other)) {
        (Some(one), Some(other)) => super::read::strongly(&one, &other),
        _ => false,
    }
}
