//! Reading fields, slowly and to the letter: lists, directives, dates, ages, tags and ranges of text. Knows nothing of the readers of this
//! crate.

use super::narrowed;

/// The fields of a message: names as they were written, values without the white space around them.
pub(super) type Lines = Vec<(String, String)>;

/// The values of all lines of a field, in order (RFC 9110, section 5.1: names have no case).
pub(super) fn values(fields: &Lines, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (other, value) in fields {
        if other.to_lowercase() == name.to_lowercase() {
            found.push(value.clone());
        }
    }
    found
}

pub(super) fn has(fields: &Lines, name: &str) -> bool {
    !values(fields, name).is_empty()
}

/// RFC 9110, section 5.6.3: OWS is SP and HTAB.
pub(super) fn trimmed(text: &str) -> String {
    text.trim_matches([' ', '\t']).to_owned()
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// The elements of a list (RFC 9110, section 5.6.1): commas separate, but not within quoted strings (section 5.6.4), where a backslash takes the
/// next character along; empty elements are none. The second part is the element whose quoted string is never closed.
pub(super) fn elements(line: &str) -> (Vec<String>, Option<String>) {
    let (mut all, mut element) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in line.chars() {
        if c == ',' && !is_quoted {
            all.push(trimmed(&element));
            element = String::new();
            continue;
        }
        element.push(c);
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            is_quoted = !is_quoted;
        }
    }
    let unclosed = is_quoted.then(|| element.clone());
    all.push(trimmed(&element));
    all.retain(|element| !element.is_empty());
    (all, unclosed)
}

/// What a quoted string says (RFC 9110, section 5.6.4), if the text is one.
pub(super) fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?;
    let (mut said, mut is_escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if is_escaped => {
                said.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return (at + 1 == inner.len()).then_some(said),
            _ => said.push(c),
        }
    }
    None
}

/// A directive (RFC 9111, section 5.2): its name without case, and its argument, whichever of the two forms it has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) argument: Argument,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    None,
    Said(String),
    /// Something that is neither a token nor a quoted string.
    Malformed,
}

/// All directives of a field of this name, in order, and whether they are a response's.
pub(super) fn directives(fields: &Lines, name: &str, is_response: bool) -> Vec<Directive> {
    let mut all = Vec::new();
    for line in values(fields, name) {
        let (elements, unclosed) = elements(&line);
        for element in elements {
            all.extend(directive(&element));
        }
        if let Some(text) = unclosed
            && is_response
            && narrowed("an unclosed string hides nothing that forbids")
        {
            for part in text.split(',') {
                let forbids = ["no-store", "no-cache", "private", "must-revalidate", "proxy-revalidate"];
                let found = directive(&trimmed(part)).filter(|directive| forbids.contains(&directive.name.as_str()));
                all.extend(found.map(|found| Directive { argument: Argument::None, ..found }));
            }
        }
    }
    all
}

fn directive(element: &str) -> Option<Directive> {
    let (name, argument) = match element.split_once('=') {
        None => (element.to_owned(), Argument::None),
        Some((name, text)) => {
            let argument = match unquoted(text) {
                Some(said) => Argument::Said(said),
                None if is_token(text) => Argument::Said(text.to_owned()),
                None => Argument::Malformed,
            };
            // "No whitespace is allowed" there; a directive that was meant so is malformed.
            let is_loose =
                name.ends_with([' ', '\t']) && narrowed("white space before the equals sign spoils the argument alone");
            (trimmed(name), if is_loose { Argument::Malformed } else { argument })
        }
    };
    is_token(&name).then(|| Directive { name: name.to_lowercase(), argument })
}

/// RFC 9111, section 1.2.2: digits; what is more than can be represented is 2^31.
pub(super) fn delta_seconds(text: &str) -> Option<i128> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut number: i128 = 0;
    for digit in text.chars() {
        number = (number * 10 + i128::from(digit.to_digit(10)?)).min(1 << 31);
    }
    Some(number)
}

/// RFC 9111, section 5.1: the first value of a list; what is no non-negative integer is ignored.
pub(super) fn age(fields: &Lines) -> i128 {
    let Some(line) = values(fields, "age").into_iter().next() else { return 0 };
    // RFC 9110, section 5.6.1.2: "a recipient MUST parse and ignore a reasonable number of empty list elements".
    let first = line.split(',').map(trimmed).find(|element| !element.is_empty());
    first.and_then(|first| delta_seconds(&first)).unwrap_or(0)
}

/// A year of 365 days and a quarter.
const YEAR: i64 = 31_557_600;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const LONG_DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Digits alone, and so many.
fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.chars().all(|c| c.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Seconds since 1970 that a date names (RFC 9110, section 5.6.7) in a message received at `received`. RFC 9111, section 4.2, has caches
/// read the names in either case, and take any zone but GMT for invalid.
pub(super) fn date(text: &str, received: i64) -> Option<i64> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        // IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`
        [day_name, day, month, year, time, "gmt"] if DAYS.contains(&day_name.strip_suffix(',')?) => {
            moment(digits(year, 4)?, month, digits(day, 2)?, time)
        }
        // rfc850-date: `Sunday, 06-Nov-94 08:49:37 GMT`
        [day_name, date, time, "gmt"] if LONG_DAYS.contains(&day_name.strip_suffix(',')?) => {
            let parts: Vec<&str> = date.split('-').collect();
            let [day, month, year] = parts[..] else { return None };
            // "Recipients of a timestamp value in rfc850-date format, which uses a two-digit year, MUST interpret a timestamp that appears to
            // be more than 50 years in the future as representing the most recent year in the past that had the same last two digits."
            let (day, two) = (digits(day, 2)?, digits(year, 2)?);
            let mut best = None;
            for year in 1900..2200 {
                if year % 100 != two {
                    continue;
                }
                let Some(moment) = moment(year, month, day, time) else { continue };
                if moment <= received + 50 * YEAR {
                    best = Some(moment);
                }
            }
            best
        }
        // asctime-date: `Sun Nov  6 08:49:37 1994`
        [day_name, month, "", day, time, year] if DAYS.contains(&day_name) => {
            moment(digits(year, 4)?, month, digits(day, 1)?, time)
        }
        [day_name, month, day, time, year] if DAYS.contains(&day_name) => {
            moment(digits(year, 4)?, month, digits(day, 2)?, time)
        }
        _ => None,
    }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_of(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: usize) -> i64 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn moment(year: i64, month: &str, day: i64, time: &str) -> Option<i64> {
    let month = MONTHS.iter().position(|name| *name == month)?;
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else { return None };
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    // Section 5.6.7: second is 00 to 60, for leap seconds.
    if year < 1 || day < 1 || day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut days = 0;
    if year >= 1970 {
        for before in 1970..year {
            days += days_of(before);
        }
    } else {
        for after in year..1970 {
            days -= days_of(after);
        }
    }
    for before in 0..month {
        days += days_of_month(year, before);
    }
    Some((days + day - 1) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// The one line of a field that is no list.
pub(super) fn only(fields: &Lines, name: &str) -> Option<String> {
    let lines = values(fields, name);
    (lines.len() == 1).then(|| lines[0].clone())
}

/// The date of a field, the first line of it.
pub(super) fn date_of(fields: &Lines, name: &str, received: i64) -> Option<i64> {
    date(values(fields, name).first()?, received)
}

/// An entity tag (RFC 9110, section 8.8.3).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tag {
    pub(super) is_weak: bool,
    pub(super) opaque: String,
}

pub(super) fn tag(text: &str) -> Option<Tag> {
    let (is_weak, rest) = match text.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let opaque = rest.strip_prefix('"')?.strip_suffix('"')?;
    let is_etagc = |c: char| c == '\u{21}' || ('\u{23}'..='\u{7e}').contains(&c) || c >= '\u{80}';
    opaque.chars().all(is_etagc).then(|| Tag { is_weak, opaque: opaque.to_owned() })
}

/// Section 8.8.3.2: weak comparison.
pub(super) fn weakly(one: &Tag, other: &Tag) -> bool {
    one.opaque == other.opaque
}

/// Section 8.8.3.2: strong comparison.
pub(super) fn strongly(one: &Tag, other: &Tag) -> bool {
    one.opaque == other.opaque && !one.is_weak && !other.is_weak
}

/// The tags of `If-None-Match`: `*`, or a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tags {
    Any,
    These(Vec<Tag>),
}

pub(super) fn tags(fields: &Lines, name: &str) -> Tags {
    let lines = values(fields, name);
    if lines.iter().any(|line| trimmed(line) == "*") {
        return Tags::Any;
    }
    let mut all = Vec::new();
    for line in lines {
        // A tag may hold a comma and no quote, and knows no escapes.
        let (mut element, mut is_quoted, mut list) = (String::new(), false, Vec::new());
        for c in line.chars() {
            if c == ',' && !is_quoted {
                list.push(std::mem::take(&mut element));
                continue;
            }
            is_quoted = is_quoted != (c == '"');
            element.push(c);
        }
        list.push(element);
        for element in list {
            let element = trimmed(&element);
            if element.is_empty() {
                continue;
            }
            match tag(&element) {
                Some(tag) => all.push(tag),
                None if narrowed("tags count up to the first that is malformed") => break,
                None => {}
            }
        }
    }
    Tags::These(all)
}

/// What a `Range` asks for (RFC 9110, section 14.2).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// Nothing that is understood: the field is ignored.
    Ignored,
    /// More than one range.
    Several(Vec<Asked>),
    From(u64, Option<u64>),
    Last(u64),
}

pub(super) fn range(fields: &Lines) -> Asked {
    let Some(line) = only(fields, "range") else { return Asked::Ignored };
    let Some((unit, set)) = line.split_once('=') else { return Asked::Ignored };
    // Section 14.1: names of units have no case.
    if unit.to_lowercase() != "bytes" {
        return Asked::Ignored;
    }
    let (specs, _) = elements(set);
    let mut all = Vec::new();
    for spec in specs {
        let Some((first, last)) = spec.split_once('-') else { return Asked::Ignored };
        let number =
            |text: &str| text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse::<u64>().unwrap_or(u64::MAX));
        let asked = match (first, last) {
            ("", "") => return Asked::Ignored,
            ("", last) => number(last).map(Asked::Last),
            (first, "") => number(first).map(|first| Asked::From(first, None)),
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => Some(Asked::From(first, Some(last))),
                _ => None,
            },
        };
        let Some(asked) = asked else { return Asked::Ignored };
        all.push(asked);
    }
    match &all[..] {
        [] => Asked::Ignored,
        [one] => one.clone(),
        _ => Asked::Several(all),
    }
}

/// `Content-Range` (RFC 9110, section 14.4) of one part: first, last, and how long the representation is.
pub(super) fn content_range(fields: &Lines) -> Option<(u64, u64, Option<u64>)> {
    let line = only(fields, "content-range")?;
    let (unit, rest) = line.split_once(' ')?;
    if unit.to_lowercase() != "bytes" {
        return None;
    }
    let (range, length) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (first, last) = (number(first)?, number(last)?);
    let length = if length == "*" { None } else { Some(number(length)?) };
    // "A Content-Range field value is invalid if it contains a range-resp that has a last-pos value less than its first-pos value, or a
    // complete-length value less than or equal to its last-pos value."
    if last < first || length.is_some_and(|length| length <= last) {
        return None;
    }
    Some((first, last, length))
}
