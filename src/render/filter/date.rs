//! `date` and the filters that write a date in one form: which moment a value means, by every form of date that people write.
//!
//! A date without a time zone is in the site's; one with an offset keeps it. A day that its month does not have is one of the
//! next, as in Ruby. What is no date is handed on unchanged, and so is in a site what is a date only together with the present
//! one (`10:20`, `5 March`): data must not make a page depend on the clock. The patterns are those of `strftime.rs`.

use super::{Arguments, Env, Fault, Made, strftime};
use crate::render::reads::{Granularity, is_now};
use crate::render::val::{Val, View};
use crate::render::{Buffer, escape};
use crate::value::Origin;
use jiff::civil::{self, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};
use regex::{Captures, Regex};
use std::sync::LazyLock;

pub(super) fn date<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let format = arguments.get(0).chars(&env.budget);
    if format.is_empty() { Ok(input) } else { written(input, &format, env) }
}

pub(super) fn date_to_xmlschema<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(input, XML_SCHEMA, env)
}

pub(super) fn date_to_rfc822<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    written(input, RFC_822, env)
}

pub(super) fn date_to_string<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    in_words(input, arguments, SHORT, env)
}

pub(super) fn date_to_long_string<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    in_words(input, arguments, LONG, env)
}

/// By the pattern of day, month and year; with `"ordinal"` as `5th March 2026`, and with `"US"` behind it as `March 5th, 2026`.
fn in_words<'r>(input: Val<'r>, arguments: &Arguments<'r>, pattern: &str, env: &Env<'_>) -> Made<'r> {
    if arguments.get(0).chars(&env.budget) != "ordinal" {
        return written(input, pattern, env);
    }
    let Some(moment) = moment(input.view(), env) else { return Ok(input) };
    let suffix = match moment.day() {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    let month = if pattern == LONG { "%B" } else { "%b" };
    let pattern = if arguments.get(1).chars(&env.budget) == "US" {
        format!("{month} %-d{suffix}, %Y")
    } else {
        format!("%-d{suffix} {month} %Y")
    };
    written(input, &pattern, env)
}

/// `<time datetime="…">`, with the date by the argument's pattern, or as `date_to_rfc822` has it.
pub(super) fn time_tag<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let Some(moment) = moment(input.view(), env) else {
        let mut text = Buffer::default();
        escape::escape(&input.chars(&env.budget), &mut text);
        return Ok(Val::text(text.into_string()));
    };
    let format = if arguments.has(0) { arguments.get(0).chars(&env.budget) } else { RFC_822.into() };
    let (mut exact, mut text, mut out) = (String::new(), String::new(), Buffer::default());
    let limit = env.budget.limits().made_bytes;
    if !strftime::write(&moment, XML_SCHEMA, limit, &mut exact) || !strftime::write(&moment, &format, limit, &mut text)
    {
        return Err(Fault::TooMuch);
    }
    out.push_str("<time datetime=\"");
    escape::escape(&exact, &mut out);
    out.push_str("\">");
    escape::escape(&text, &mut out);
    out.push_str("</time>");
    Ok(Val::text(out.into_string()))
}

/// RFC 3339, as feeds of Atom and sitemaps want it.
const XML_SCHEMA: &str = "%Y-%m-%dT%H:%M:%S%:z";
/// RFC 5322 section 3.3, as feeds of RSS want it.
const RFC_822: &str = "%a, %d %b %Y %H:%M:%S %z";
const SHORT: &str = "%d %b %Y";
const LONG: &str = "%d %B %Y";

/// The pattern of a filter that has but one, for the analysis of how exactly `'now'` is asked for.
pub(in crate::render) fn pattern_of(filter: &str) -> Option<&'static str> {
    match filter {
        "date_to_xmlschema" => Some(XML_SCHEMA),
        "date_to_rfc822" => Some(RFC_822),
        "date_to_string" => Some(SHORT),
        "date_to_long_string" => Some(LONG),
        _ => None,
    }
}

fn written<'r>(input: Val<'r>, format: &str, env: &Env<'_>) -> Made<'r> {
    let Some(moment) = moment(input.view(), env) else { return Ok(input) };
    let mut out = env.buffer();
    let limit = env.budget.limits().made_bytes;
    if strftime::write(&moment, format, limit, &mut out) { Ok(Val::text(out)) } else { Err(Fault::TooMuch) }
}

fn moment(view: View<'_>, env: &Env<'_>) -> Option<Zoned> {
    let zone = env.context.time_zone;
    match view {
        View::Int(seconds) => at(seconds, zone),
        // Only the layout itself can ask for the time: data that says `now` must not make a page depend on the clock.
        View::Str(text, origin) if (origin == Origin::Authored || env.data_asks) && is_now(text) => now(env),
        View::Str(text, _) => parse(text.trim(), zone, today(env)),
        View::Nil | View::Bool(_) | View::UInt(_) | View::Float(_) | View::List(_) | View::Object(_) => None,
        View::Range(..) | View::Empty | View::Blank | View::Pair(..) | View::Loop => None,
    }
}

/// The present time, no more exact than the analysis of the layout knows: however the layout comes by the word, its output
/// changes no more often than it says. Nothing if it never asks.
fn now(env: &Env<'_>) -> Option<Zoned> {
    cut(env.context.now.to_zoned(env.context.time_zone.clone()), env.granularity?)
}

/// The day on which a time is that has none, and whose year a month has that has none; nothing in a site.
fn today(env: &Env<'_>) -> Option<civil::Date> {
    env.data_asks.then(|| env.context.now.to_zoned(env.context.time_zone.clone()).date())
}

impl Granularity {
    /// When what is printed of `now` changes next; `None` if that is past all dates.
    #[must_use]
    pub fn next_change(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let step = match self {
            Self::Year => Span::new().years(1),
            Self::Month => Span::new().months(1),
            Self::Day => Span::new().days(1),
            Self::Hour => Span::new().hours(1),
            Self::Minute => Span::new().minutes(1),
            Self::Second => Span::new().seconds(1),
        };
        Some(cut(now.to_zoned(zone.clone()), self)?.checked_add(step).ok()?.timestamp())
    }
}

/// The beginning of the year, the month, the day … in which `now` is.
fn cut(now: Zoned, granularity: Granularity) -> Option<Zoned> {
    let mut with = now.with().subsec_nanosecond(0);
    if granularity < Granularity::Second {
        with = with.second(0);
    }
    if granularity < Granularity::Minute {
        with = with.minute(0);
    }
    if granularity < Granularity::Hour {
        with = with.hour(0);
    }
    if granularity < Granularity::Day {
        with = with.day(1);
    }
    if granularity < Granularity::Month {
        with = with.month(1);
    }
    with.build().ok()
}

fn at(seconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(zone.clone()))
}

/// Longer texts are no dates.
const LONGEST: usize = 100;

fn parse(text: &str, zone: &TimeZone, today: Option<civil::Date>) -> Option<Zoned> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return at(text.parse().ok()?, zone);
    }
    iso(text, zone).or_else(|| written_by_people(&text.to_ascii_lowercase(), zone, today))
}

/// In a zone. An hour that there are two of is the later one, and one that there is none of is behind the gap: as Ruby has it.
fn in_zone(moment: civil::DateTime, zone: &TimeZone) -> Option<Zoned> {
    zone.to_ambiguous_zoned(moment).later().ok()
}

/// RFC 3339, RFC 9557 and ISO 8601's `YYYY-MM-DD` with or without a time.
fn iso(text: &str, zone: &TimeZone) -> Option<Zoned> {
    // A leap second would be the one before it here; it is the one behind it to Ruby.
    if text.contains(":60") {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    let moment = pieces.date().to_datetime(pieces.time().unwrap_or_else(Time::midnight));
    match pieces.to_numeric_offset() {
        Some(offset) => with_offset(moment, offset, zone),
        None => in_zone(moment, zone),
    }
}

/// In the site's own zone if that has the same offset then: it has a name.
fn with_offset(moment: civil::DateTime, offset: Offset, zone: &TimeZone) -> Option<Zoned> {
    let timestamp = offset.to_timestamp(moment).ok()?;
    let zone = if zone.to_offset(timestamp) == offset { zone.clone() } else { TimeZone::fixed(offset) };
    Some(timestamp.to_zoned(zone))
}

/// An expression of this file, which is known to be one.
fn expression(pattern: &str) -> Option<Regex> {
    Regex::new(&pattern.replace("MONTH", "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?")).ok()
}

/// `10:20`, `10:20:30.5 pm +0900`, `10 pm EST`, whatever stands before them.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    expression(concat!(
        r"(?:^|[^0-9])(?<hour>[0-9]{1,2})",
        r"(?:(?::(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,](?<fraction>[0-9]+))?)?(?: *(?<half>[ap])\.?m\b\.?)?)",
        r"|(?: *(?<bare>[ap])\.?m\b\.?))",
        r"(?: *(?<name>z|utc|gmt|[ecmp][sd]t|jst|ces?t|ees?t|bst|ist)\b)?",
        r"(?: *(?<sign>[+-])(?<hours>[0-9]{1,2}):?(?<minutes>[0-9]{2})?\b)?",
    ))
});

/// Words of a date that say nothing.
static FILLERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    expression(r"\b(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|at|on|of|the|z|utc|gmt)\b\.?|,")
});

/// The forms of a date, with what each of the three parts is.
static DATES: LazyLock<Vec<(Regex, [Part; 3])>> = LazyLock::new(|| {
    use Part::{Day, Month, Nothing, Number, Year};
    [
        (r"^([0-9]{1,2})(?:st|nd|rd|th)?[ ./-]*MONTH[ ./-]*'?([0-9]{4}|[0-9]{2})$", [Day, Month, Year]),
        (r"^MONTH[ ./-]*([0-9]{1,2})(?:st|nd|rd|th)?[ ./-]+'?([0-9]{4}|[0-9]{2})$", [Month, Day, Year]),
        (r"^([0-9]{4})[ ./-]*MONTH[ ./-]*([0-9]{1,2})$", [Year, Month, Day]),
        (r"^MONTH[ ./-]*([0-9]{4})$", [Month, Year, Nothing]),
        (r"^([0-9]{4})[/-]([0-9]{1,2})$", [Year, Month, Nothing]),
        (r"^([0-9]{1,4})[./-]([0-9]{1,2})[./-]([0-9]{1,4})$", [Number, Month, Number]),
        (r"^([0-9]{4})([0-9]{2})([0-9]{2})$", [Year, Month, Day]),
    ]
    .into_iter()
    .filter_map(|(pattern, parts)| Some((expression(pattern)?, parts)))
    .collect()
});

/// The forms of a date of this year.
static DAYS: LazyLock<Vec<(Regex, [Part; 3])>> = LazyLock::new(|| {
    use Part::{Day, Month, Nothing};
    [
        (r"^([0-9]{1,2})(?:st|nd|rd|th)?[ ./-]*MONTH$", [Day, Month, Nothing]),
        (r"^MONTH(?:[ ./-]*([0-9]{1,2})(?:st|nd|rd|th)?)?$", [Month, Day, Nothing]),
        (r"^([0-9]{1,2})/([0-9]{1,2})$", [Month, Day, Nothing]),
    ]
    .into_iter()
    .filter_map(|(pattern, parts)| Some((expression(pattern)?, parts)))
    .collect()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    /// The year if it has more than two digits or stands first, else the day.
    Number,
    Nothing,
}

/// A time, a date and what people write around them, in lower case.
fn written_by_people(text: &str, zone: &TimeZone, today: Option<civil::Date>) -> Option<Zoned> {
    let found = TIME.as_ref()?.captures(text);
    let ((time, over), offset, rest) = match &found {
        Some(found) => {
            let whole = found.get(0)?;
            let (before, after) = (text.get(..whole.start())?, text.get(whole.end()..)?);
            // A `t` may stand between date and time, and other signs that are no part of the date.
            (time(found)?, offset(found), format!("{before} {after}"))
        }
        None => ((Time::midnight(), 0), None, text.to_owned()),
    };
    let utc = rest.contains("utc") || rest.contains("gmt");
    let rest = FILLERS.as_ref()?.replace_all(&rest, " ");
    let rest = rest.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let date = date_in(&rest, &DATES, 0).or_else(|| {
        let today = today?;
        if rest.is_empty() { found.as_ref().map(|_| today) } else { date_in(&rest, &DAYS, today.year()) }
    })?;
    let moment = date.to_datetime(time).checked_add(Span::new().seconds(over)).ok()?;
    match offset.or(utc.then_some(Offset::UTC)) {
        Some(offset) => with_offset(moment, offset, zone),
        None => in_zone(moment, zone),
    }
}

fn number<T: std::str::FromStr>(found: &Captures<'_>, name: &str) -> Option<T> {
    found.name(name)?.as_str().parse().ok()
}

/// The time, and how many seconds later it is: `24:00` is the next day's midnight, and a leap second belongs to the next minute.
fn time(found: &Captures<'_>) -> Option<(Time, i64)> {
    let hour: i8 = number(found, "hour")?;
    let half = found.name("half").or_else(|| found.name("bare"));
    let hour = match half.map(|half| half.as_str()) {
        Some("p") => hour % 12 + 12,
        Some(_) => hour % 12,
        None => hour,
    };
    let nanoseconds = found.name("fraction").and_then(|digits| format!("{:0<9.9}", digits.as_str()).parse().ok());
    let (minute, second) = (number::<i8>(found, "minute").unwrap_or(0), number::<i8>(found, "second").unwrap_or(0));
    if (hour, minute, second) == (24, 0, 0) {
        return Some((Time::midnight(), 24 * 60 * 60));
    }
    let (second, over) = if second == 60 { (59, 1) } else { (second, 0) };
    Some((Time::new(hour, minute, second, nanoseconds.unwrap_or(0)).ok()?, over))
}

/// The offset that a name of a zone, or a sign and digits, mean; both together add up.
fn offset(found: &Captures<'_>) -> Option<Offset> {
    let named = found.name("name").map(|name| match name.as_str() {
        "est" | "cdt" => -5 * 60,
        "edt" => -4 * 60,
        "cst" | "mdt" => -6 * 60,
        "mst" | "pdt" => -7 * 60,
        "pst" => -8 * 60,
        "cet" | "bst" => 60,
        "cest" | "eet" => 2 * 60,
        "eest" => 3 * 60,
        "ist" => 5 * 60 + 30,
        "jst" => 9 * 60,
        _ => 0,
    });
    let signed = found.name("sign").and_then(|sign| {
        let minutes = number::<i32>(found, "hours")? * 60 + number::<i32>(found, "minutes").unwrap_or(0);
        Some(if sign.as_str() == "-" { -minutes } else { minutes })
    });
    if named.is_none() && signed.is_none() {
        return None;
    }
    Offset::from_seconds((named.unwrap_or(0) + signed.unwrap_or(0)) * 60).ok()
}

/// The date that one of `forms` finds, of `year` if it names none.
fn date_in(text: &str, forms: &[(Regex, [Part; 3])], year: i16) -> Option<civil::Date> {
    let (found, parts) = forms.iter().find_map(|(form, parts)| Some((form.captures(text)?, parts)))?;
    let is_long = |at: usize| found.get(at).is_some_and(|part| part.len() > 2);
    let (mut year, mut month, mut day) = (year, 0, 1);
    for (at, part) in (1..).zip(parts) {
        let Some(written) = found.get(at).map(|part| part.as_str()) else { continue };
        let is_year = *part == Part::Year || *part == Part::Number && (is_long(at) || at == 1 && !is_long(3));
        match part {
            Part::Year | Part::Number if is_year => year = full_year(written)?,
            Part::Month => month = month_of(written)?,
            Part::Year | Part::Number | Part::Day | Part::Nothing => day = written.parse::<i64>().ok()?,
        }
    }
    let first = civil::Date::new(year, month, 1).ok()?;
    // `2020-02-30` is the first of March.
    (1..=31).contains(&day).then(|| first.checked_add(Span::new().days(day - 1)).ok()).flatten()
}

/// Two digits mean the years from 1969 to 2068.
fn full_year(digits: &str) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    Some(match (digits.len(), year) {
        (..=2, ..=68) => year + 2000,
        (..=2, _) => year + 1900,
        _ => year,
    })
}

fn month_of(written: &str) -> Option<i8> {
    const NAMES: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    if let Ok(number) = written.parse() {
        return Some(number);
    }
    i8::try_from(NAMES.find(written)? / 3 + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_is_one() {
        assert!(TIME.is_some() && FILLERS.is_some());
        assert_eq!((DATES.len(), DAYS.len()), (7, 3));
    }

    #[test]
    fn what_people_write() {
        let tokyo = TimeZone::fixed(jiff::tz::offset(9));
        for (text, expected) in [
            ("2024-03-05 10:20:30 +0900", "2024-03-05T10:20:30+09:00"),
            ("2024-03-05T10:20:30+0900", "2024-03-05T10:20:30+09:00"),
            ("2024-03-05 10:20:30.25 -05:30", "2024-03-05T10:20:30.25-05:30"),
            ("2024-03-05 10:20", "2024-03-05T10:20:00+09:00"),
            ("2024-3-5 9:05", "2024-03-05T09:05:00+09:00"),
            ("Tue, 05 Mar 2024 10:20:30 GMT", "2024-03-05T10:20:30+00:00"),
            ("Tue, 5 Mar 2024 10:20:30 -0800", "2024-03-05T10:20:30-08:00"),
            ("Tuesday, 05-Mar-24 10:20:30 GMT", "2024-03-05T10:20:30+00:00"),
            ("Tue Mar  5 10:20:30 2024", "2024-03-05T10:20:30+09:00"),
            ("Tue Mar 05 10:20:30 +0100 2024", "2024-03-05T10:20:30+01:00"),
            ("Tue Mar 05 10:20:30 UTC 2024", "2024-03-05T10:20:30+00:00"),
            ("05/Mar/2024:10:20:30 +0000", "2024-03-05T10:20:30+00:00"),
            ("March 14, 2016", "2016-03-14T00:00:00+09:00"),
            ("Mar 14, 2016 at 4:30 p.m.", "2016-03-14T16:30:00+09:00"),
            ("mar. 14 2016 12:30am EST", "2016-03-14T00:30:00-05:00"),
            ("the 14th of March, 2016", "2016-03-14T00:00:00+09:00"),
            ("14 MARCH 2016", "2016-03-14T00:00:00+09:00"),
            ("Monday, March 14, 2016", "2016-03-14T00:00:00+09:00"),
            ("2016-Mar-14", "2016-03-14T00:00:00+09:00"),
            ("March 2016", "2016-03-01T00:00:00+09:00"),
            ("2016-03", "2016-03-01T00:00:00+09:00"),
            ("5/3/2024", "2024-03-05T00:00:00+09:00"),
            ("05.03.2024 10:20", "2024-03-05T10:20:00+09:00"),
            ("2024/03/05", "2024-03-05T00:00:00+09:00"),
            ("24-03-05", "2024-03-05T00:00:00+09:00"),
            ("20240305", "1970-08-23T15:18:25+09:00"),
            ("20240305 10:20", "2024-03-05T10:20:00+09:00"),
            ("2024-02-30", "2024-03-01T00:00:00+09:00"),
            ("Fri, 31 Apr 2024 10:00:00 GMT", "2024-05-01T10:00:00+00:00"),
            ("2024-03-05 24:00:00", "2024-03-06T00:00:00+09:00"),
            ("2024-12-31T24:00Z", "2025-01-01T00:00:00+00:00"),
            ("2024-03-05 23:59:60", "2024-03-06T00:00:00+09:00"),
            ("2024-03-05T10:59:60Z", "2024-03-05T11:00:00+00:00"),
            ("20240305T102030Z", "2024-03-05T10:20:30+00:00"),
            ("1709596800", "2024-03-05T09:00:00+09:00"),
            ("5 Mar 2024 10 PM GMT+2", "2024-03-05T22:00:00+02:00"),
            ("1 Jan 70", "1970-01-01T00:00:00+09:00"),
        ] {
            let moment = parse(text, &tokyo, None).unwrap_or_else(|| panic!("{text}"));
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(moment.timestamp(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_needs_the_present_one() {
        for text in [
            "",
            "yesterday",
            "10:20",
            "5 March",
            "March",
            "2024-02-32",
            "2024-13-01",
            "2024-03-05 24:01",
            "12/25/2024",
            "32 May 2024",
            "25:00 5 May 2024",
            "Chapter 3, May 2024",
            "-5",
            "1.5",
            "12",
            "99999999999999999999",
            "2024-W10-2",
            "é 5 May 2024",
        ] {
            let seconds = text == "12";
            assert_eq!(parse(text, &TimeZone::UTC, None).is_some(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_taken_from_the_present_day() {
        let today = civil::date(2026, 11, 21);
        for (text, expected) in [
            ("10:20", "2026-11-21T10:20:00Z"),
            ("5 pm", "2026-11-21T17:00:00Z"),
            ("March", "2026-03-01T00:00:00Z"),
            ("5th of March", "2026-03-05T00:00:00Z"),
            ("Mar 5 10:20", "2026-03-05T10:20:00Z"),
            ("3/15", "2026-03-15T00:00:00Z"),
        ] {
            let moment = parse(text, &TimeZone::UTC, Some(today)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(moment.timestamp(), expected.parse().unwrap(), "{text}");
        }
        for text in ["", "yesterday", "Monday", "15.3", "13/1", "32 March"] {
            assert!(parse(text, &TimeZone::UTC, Some(today)).is_none(), "{text}");
        }
    }

    #[test]
    fn an_hour_that_there_are_two_of_is_the_later_one() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (text, expected) in [
            ("2026-10-25 02:30", "2026-10-25T02:30:00+01:00"),
            ("2026-10-25T02:30:00", "2026-10-25T02:30:00+01:00"),
            ("2026-10-25 02:30 +0200", "2026-10-25T02:30:00+02:00"),
            ("2026-03-29 02:30", "2026-03-29T03:30:00+02:00"),
        ] {
            let moment = parse(text, &berlin, None).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(moment.timestamp(), expected.parse().unwrap(), "{text}");
        }
    }
}
