//! `date`: every form of date that people write, through `strftime`.
//!
//! A date without a time zone is in the site's; one with an offset keeps it. What is no date is handed on unchanged.

use super::{Arguments, Env, Made};
use crate::render::reads::is_now;
use crate::render::val::{Val, View};
use crate::value::Origin;
use jiff::civil;
use jiff::fmt::strtime::{self, BrokenDownTime, Config};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

pub(super) fn date<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let format = arguments.get(0).chars();
    if format.is_empty() {
        return Ok(input);
    }
    let Some(moment) = moment(input.view(), env) else { return Ok(input) };
    let config = Config::new().lenient(true);
    let mut out = String::new();
    let written = BrokenDownTime::from(&moment).format_with_config(&config, &*format, &mut out);
    Ok(if written.is_ok() { Val::text(out) } else { input })
}

fn moment(view: View<'_>, env: &Env<'_>) -> Option<Zoned> {
    let zone = env.context.time_zone;
    match view {
        View::Int(seconds) => at(seconds, zone),
        // Only the layout itself can ask for the time: data that says `now` must not make a page depend on the clock.
        View::Str(text, Origin::Markup) if is_now(text) => Some(env.context.now.to_zoned(zone.clone())),
        View::Str(text, _) => parse(text.trim(), zone),
        View::Nil | View::Bool(_) | View::UInt(_) | View::Float(_) | View::List(_) | View::Object(_) => None,
        View::Range(..) | View::Empty | View::Blank | View::Pair(..) | View::Loop => None,
    }
}

fn at(seconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(zone.clone()))
}

/// Forms with an offset or the name of a zone.
const ZONED: [&str; 5] = [
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%d %H:%M %z",
    "%a %b %d %H:%M:%S %z %Y",
    "%d/%b/%Y:%H:%M:%S %z",
];

/// Forms without; those without a time mean midnight.
const CIVIL: [&str; 16] = [
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%A, %B %d, %Y",
    "%A, %d %B %Y",
    "%a, %d %b %Y",
    "%Y/%m/%d",
    "%B %d %Y",
    "%b %d %Y",
    "%d-%b-%Y",
    "%d.%m.%Y",
    "%a %b %d %H:%M:%S %Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y%m%dT%H%M%S",
];

/// Times that may follow a date without one.
const TIMES: [&str; 5] = ["%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p"];

fn parse(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    // Eight digits are `YYYYMMDD`, any other number is a time in Unix seconds.
    if text.len() != 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return at(text.parse().ok()?, zone);
    }
    iso(text, zone).or_else(|| jiff::fmt::rfc2822::parse(text).ok()).or_else(|| other(text, zone))
}

/// RFC 3339, RFC 9557 and ISO 8601's `YYYY-MM-DD` with or without a time.
fn iso(text: &str, zone: &TimeZone) -> Option<Zoned> {
    let pieces = Pieces::parse(text).ok()?;
    let moment = pieces.date().to_datetime(pieces.time().unwrap_or_else(civil::Time::midnight));
    match pieces.to_numeric_offset() {
        Some(offset) => moment.to_zoned(TimeZone::fixed(offset)).ok(),
        None => moment.to_zoned(zone.clone()).ok(),
    }
}

fn other(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if let Some(rest) = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")) {
        return parse_civil(rest, &TimeZone::UTC);
    }
    let zoned = ZONED.iter().find_map(|format| strtime::parse(format, text).ok()?.to_zoned().ok());
    zoned.or_else(|| parse_civil(text, zone))
}

fn parse_civil(text: &str, zone: &TimeZone) -> Option<Zoned> {
    let whole = |format: &str| {
        let parsed = strtime::parse(format, text).ok()?;
        let date = parsed.to_date().ok()?;
        date.to_datetime(parsed.to_time().unwrap_or_else(|_| civil::Time::midnight())).to_zoned(zone.clone()).ok()
    };
    let plain = iso(text, zone).or_else(|| CIVIL.iter().find_map(|format| whole(format)));
    // A time at the end: try the dates on what stands before it.
    plain.or_else(|| {
        CIVIL.iter().find_map(|date| {
            TIMES.iter().find_map(|time| whole(&format!("{date} {time}")).or_else(|| whole(&format!("{date}, {time}"))))
        })
    })
}
