//! `strftime` as Ruby has it: every directive with its flags, width and modifier, written straight into one string.
//!
//! `%-d` pads not at all, `%_d` with spaces, `%0e` with zeros; `%^a` is in upper case, `%#p` in the other case; `%10N` has ten
//! digits; `%:z`, `%::z` and `%:::z` are offsets with colons. What is no directive stands in the result as it was written.

use jiff::Zoned;
use jiff::civil::Weekday;

/// The widest padding. A page is no place for more, and a format must not be able to ask for a gigabyte.
const WIDEST: usize = 1024;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What stands between `%` and the letter.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    /// `-`: no padding of numbers and names.
    bare: bool,
    /// `0` or `_` (a space), if it is said.
    padding: Option<char>,
    upper: bool,
    other_case: bool,
    colons: usize,
    width: Option<usize>,
}

/// Appends `moment` by the patterns of `format`; whether that stays within `limit` bytes.
pub(super) fn write(moment: &Zoned, format: &str, limit: usize, out: &mut String) -> bool {
    let mut rest = format;
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        // Directives can be wide, so a long format is stopped on the way.
        if out.len() > limit {
            return false;
        }
        let (before, directive) = rest.split_at(at);
        out.push_str(before);
        rest = match read(directive) {
            Some((flags, letter, after)) if put(moment, flags, letter, out) => after,
            Some((_, _, after)) => {
                out.push_str(directive.get(..directive.len() - after.len()).unwrap_or(""));
                after
            }
            None => {
                out.push_str(directive);
                ""
            }
        };
    }
    out.push_str(rest);
    out.len() <= limit
}

/// The first directive of a format that prints itself, because there is none of its letter.
pub(in crate::render) fn unknown(format: &str) -> Option<&str> {
    let moment = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    let mut out = String::new();
    let mut rest = format;
    while let Some((_, directive)) = memchr::memchr(b'%', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        match read(directive) {
            Some((flags, letter, after)) if put(&moment, flags, letter, &mut out) => rest = after,
            Some((_, _, after)) => return directive.get(..directive.len() - after.len()),
            None => return Some(directive),
        }
    }
    None
}

/// The flags, the letter and what follows; none if the text ends before the letter.
fn read(directive: &str) -> Option<(Flags, char, &str)> {
    let mut flags = Flags::default();
    let mut characters = directive.chars();
    characters.next();
    let mut modifier = None;
    loop {
        let character = characters.next()?;
        match character {
            // Behind a width, or an `E` or `O`, there is no flag.
            '-' | '^' | '#' | '_' | '+' if modifier.is_some() || flags.width.is_some() => {
                return Some((flags, '\0', characters.as_str()));
            }
            '-' => {
                flags.bare = true;
                flags.padding = None;
            }
            '^' => flags.upper = true,
            '#' => flags.other_case = true,
            '_' => flags.padding = Some(' '),
            '0' if flags.width.is_none() => flags.padding = Some('0'),
            ':' if flags.colons == 0 => {
                let rest = characters.as_str();
                let more = rest.len() - rest.trim_start_matches(':').len();
                flags.colons = more + 1;
                characters = rest.get(more..).unwrap_or("").chars();
                if !characters.as_str().starts_with('z') {
                    return Some((flags, '\0', characters.as_str()));
                }
            }
            '0'..='9' if modifier.is_none() => {
                let digit = character.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(0);
                flags.width = Some((flags.width.unwrap_or(0) * 10 + digit).min(WIDEST));
            }
            'E' | 'O' if modifier.is_none() => modifier = Some(character),
            letter => {
                let fits = match modifier {
                    Some('E') => matches!(letter, 'c' | 'C' | 'x' | 'X' | 'y' | 'Y'),
                    Some(_) => "deHkIlmMSuUVwWy".contains(letter),
                    None => true,
                };
                // No letter is NUL, so nothing is written for a pair that does not exist.
                return Some((flags, if fits { letter } else { '\0' }, characters.as_str()));
            }
        }
    }
}

/// Appends one directive; whether there is one of that letter.
fn put(moment: &Zoned, flags: Flags, letter: char, out: &mut String) -> bool {
    let day = usize::from(moment.weekday().to_sunday_zero_offset().unsigned_abs());
    let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or("");
    let month = || name(&MONTHS, usize::from(moment.month().unsigned_abs()).saturating_sub(1));
    let short = |name: &'static str| name.get(..3).unwrap_or("");
    let week = || moment.date().iso_week_date();
    let hour12 = || i64::from((moment.hour() + 11) % 12 + 1);
    match letter {
        'Y' => year(flags, i64::from(moment.year()), out),
        'C' => number(flags, i64::from(moment.year()).div_euclid(100), '0', 2, out),
        'y' => number(flags, i64::from(moment.year()).rem_euclid(100), '0', 2, out),
        'm' => number(flags, moment.month().into(), '0', 2, out),
        'd' => number(flags, moment.day().into(), '0', 2, out),
        'e' => number(flags, moment.day().into(), ' ', 2, out),
        'j' => number(flags, moment.day_of_year().into(), '0', 3, out),
        'H' => number(flags, moment.hour().into(), '0', 2, out),
        'k' => number(flags, moment.hour().into(), ' ', 2, out),
        'I' => number(flags, hour12(), '0', 2, out),
        'l' => number(flags, hour12(), ' ', 2, out),
        'M' => number(flags, moment.minute().into(), '0', 2, out),
        'S' => number(flags, moment.second().into(), '0', 2, out),
        's' => number(flags, moment.timestamp().as_second(), '0', 1, out),
        'u' => number(flags, i64::from(moment.weekday().to_monday_one_offset()), '0', 1, out),
        'w' => number(flags, i64::from(moment.weekday().to_sunday_zero_offset()), '0', 1, out),
        'U' => number(flags, week_of_year(moment, Weekday::Sunday), '0', 2, out),
        'W' => number(flags, week_of_year(moment, Weekday::Monday), '0', 2, out),
        'V' => number(flags, week().week().into(), '0', 2, out),
        'G' => year(flags, week().year().into(), out),
        'g' => number(flags, i64::from(week().year()).rem_euclid(100), '0', 2, out),
        'L' => fraction(moment, flags.width.unwrap_or(3), out),
        'N' => fraction(moment, flags.width.unwrap_or(9), out),
        'A' => text(flags, name(&DAYS, day), str::to_uppercase, out),
        'a' => text(flags, short(name(&DAYS, day)), str::to_uppercase, out),
        'B' => text(flags, month(), str::to_uppercase, out),
        'b' | 'h' => text(flags, short(month()), str::to_uppercase, out),
        'p' => text(flags, if moment.hour() < 12 { "AM" } else { "PM" }, str::to_lowercase, out),
        'P' => text(flags, if moment.hour() < 12 { "am" } else { "pm" }, str::to_uppercase, out),
        'Z' => with_zone_name(moment, |name| text(flags, name, str::to_lowercase, out)),
        'z' => return offset(moment, flags, out),
        'n' => text(flags, "\n", str::to_uppercase, out),
        't' => text(flags, "\t", str::to_uppercase, out),
        '%' => text(flags, "%", str::to_uppercase, out),
        'c' => composed(moment, flags, "%a %b %e %H:%M:%S %Y", out),
        'D' | 'x' => composed(moment, flags, "%m/%d/%y", out),
        'F' => composed(moment, flags, "%Y-%m-%d", out),
        'R' => composed(moment, flags, "%H:%M", out),
        'r' => composed(moment, flags, "%I:%M:%S %p", out),
        'T' | 'X' => composed(moment, flags, "%H:%M:%S", out),
        'v' => composed(moment, flags, "%e-%^b-%Y", out),
        _ => return false,
    }
    true
}

fn pad(out: &mut String, padding: char, width: usize, length: usize) {
    out.extend(std::iter::repeat_n(padding, width.saturating_sub(length)));
}

fn number(flags: Flags, number: i64, padding: char, width: usize, out: &mut String) {
    let padding = flags.padding.unwrap_or(padding);
    let width = if flags.bare { 0 } else { flags.width.unwrap_or(width) };
    let magnitude = number.unsigned_abs();
    let length = magnitude.checked_ilog10().map_or(1, |log| usize::try_from(log).unwrap_or(0) + 1);
    let sign = if number < 0 { "-" } else { "" };
    if padding == '0' {
        out.push_str(sign);
        pad(out, padding, width, length + sign.len());
    } else {
        pad(out, padding, width, length + sign.len());
        out.push_str(sign);
    }
    out.push_str(itoa::Buffer::new().format(magnitude));
}

/// Four digits, and a sign of its own before them.
fn year(flags: Flags, value: i64, out: &mut String) {
    number(flags, value, '0', if value < 0 { 5 } else { 4 }, out);
}

fn fraction(moment: &Zoned, digits: usize, out: &mut String) {
    let mut left = moment.subsec_nanosecond().unsigned_abs();
    let mut unit = 100_000_000;
    for _ in 0..digits {
        out.push(left.checked_div(unit).and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'));
        left = left.checked_rem(unit).unwrap_or(0);
        unit /= 10;
    }
}

/// `other` is what `#` does to the case.
fn text(flags: Flags, text: &str, other: fn(&str) -> String, out: &mut String) {
    if !flags.bare {
        pad(out, flags.padding.unwrap_or(' '), flags.width.unwrap_or(0), text.chars().count());
    }
    if flags.other_case {
        out.push_str(&other(text));
    } else if flags.upper {
        out.push_str(&text.to_uppercase());
    } else {
        out.push_str(text);
    }
}

fn composed(moment: &Zoned, flags: Flags, format: &str, out: &mut String) {
    let start = out.len();
    write(moment, format, usize::MAX, out);
    if flags.upper || flags.width.is_some() {
        let written = out.split_off(start);
        text(flags, &written, str::to_uppercase, out);
    }
}

/// Hands on the abbreviation of the zone; none for a mere offset.
fn with_zone_name(moment: &Zoned, write: impl FnOnce(&str)) {
    let zone = moment.time_zone();
    if *zone == jiff::tz::TimeZone::UTC {
        write("UTC");
    } else if zone.to_fixed_offset().is_ok() {
        // Nothing, however wide.
    } else {
        write(zone.to_offset_info(moment.timestamp()).abbreviation());
    }
}

/// `+hhmm`, with colons `+hh:mm`, `+hh:mm:ss` and the shortest of them; the width counts them too.
fn offset(moment: &Zoned, flags: Flags, out: &mut String) -> bool {
    if flags.colons > 3 {
        return false;
    }
    let seconds = moment.offset().seconds();
    let (hours, minutes) = (seconds.unsigned_abs() / 3600, seconds.unsigned_abs() / 60 % 60);
    let left = seconds.unsigned_abs() % 60;
    let after = [("", minutes), (":", minutes), (":", left)];
    let tail = match (flags.colons, minutes, left) {
        (0, ..) => &after[..1],
        (1, ..) | (3, 1.., 0) => &after[1..2],
        (3, 0, 0) => &after[..0],
        _ => &after[1..],
    };
    let tail_length: usize = tail.iter().map(|(colon, _)| colon.len() + 2).sum();
    let sign = if seconds < 0 { '-' } else { '+' };
    let width = flags.width.unwrap_or(0).saturating_sub(tail_length + 1);
    let digits = hours.checked_ilog10().map_or(1, |log| usize::try_from(log).unwrap_or(0) + 1);
    match flags.padding {
        Some(' ') => {
            pad(out, ' ', width.max(2), digits);
            out.push(sign);
        }
        _ => {
            out.push(sign);
            pad(out, '0', width.max(2), digits);
        }
    }
    out.push_str(itoa::Buffer::new().format(hours));
    for &(colon, part) in tail {
        out.push_str(colon);
        number(Flags::default(), part.into(), '0', 2, out);
    }
    true
}

/// Weeks of the year, the first of which begins with its first `start`; the days before are in week 0.
fn week_of_year(moment: &Zoned, start: Weekday) -> i64 {
    let since = i64::from(moment.weekday().since(start));
    (i64::from(moment.day_of_year()) + 6 - since) / 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::fmt::temporal::Pieces;
    use jiff::tz::TimeZone;

    /// The moment that RFC 3339 says, in UTC or at its offset.
    fn at(moment: &str) -> Zoned {
        let timestamp: Timestamp = moment.parse().unwrap();
        let offset = Pieces::parse(moment).unwrap().to_numeric_offset().unwrap();
        timestamp.to_zoned(if moment.ends_with('Z') { TimeZone::UTC } else { TimeZone::fixed(offset) })
    }

    fn written(moment: &str, format: &str) -> String {
        let moment = at(moment);
        let mut out = String::new();
        assert!(write(&moment, format, usize::MAX, &mut out));
        out
    }

    #[test]
    fn every_directive_with_flags_widths_and_modifiers() {
        let moment = "2024-03-05T09:07:03.012345678Z";
        for (format, expected) in [
            ("%Y %C %y %G %g", "2024 20 24 2024 24"),
            ("%m %-m %_m %3m", "03 3  3 003"),
            ("%B %b %h %^b %^B %10b|%-10b", "March Mar Mar MAR MARCH        Mar|Mar"),
            ("%d %-d %e %-e %0e %j %-j", "05 5  5 5 05 065 65"),
            ("%H %-H %k %I %l %-l %M %S", "09 9  9 09  9 9 07 03"),
            ("%L %N %3N %6N %9N %12N %1L", "012 012345678 012 012345 012345678 012345678000 0"),
            ("%p %P %^P %#p", "AM am AM am"),
            ("%A %a %^a %^A %#a %u %w", "Tuesday Tue TUE TUESDAY TUE 2 2"),
            ("%U %W %V", "09 10 10"),
            ("%z %:z %::z %:::z %10z %_10z %-z", "+0000 +00:00 +00:00:00 +00 +000000000       +000 +0000"),
            ("%Z %#Z %s", "UTC utc 1709629623"),
            ("%c|%D|%F|%R|%r", "Tue Mar  5 09:07:03 2024|03/05/24|2024-03-05|09:07|09:07:03 AM"),
            ("%T|%X|%x|%v|%+", "09:07:03|09:07:03|03/05/24| 5-MAR-2024|%+"),
            ("%-5d %-_5d %_-5d %-05d %-5B %5-d %+5d", "5 5 5 5 March %5-d %+5d"),
            ("%^#p %#^Z %^5b %5^b %:5z %5:z %-10z %-_z", "am utc   MAR %5^b %:5z +00:00 +000000000  +000"),
            ("%O5d %E^Y %:d %::", "%O5d %E^Y %:d %::"),
            ("%n%t%%", "\n\t%"),
            ("%EY %Oy %Ez %OY", "2024 24 %Ez %OY"),
            ("%Q %i %", "%Q %i %"),
            ("%010Y %^10F %5%", "0000002024 2024-03-05     %"),
            ("100% %-", "100% %-"),
            ("é%déü", "é05éü"),
            ("%é", "%é"),
        ] {
            assert_eq!(written(moment, format), expected, "{format}");
        }
    }

    #[test]
    fn weeks_and_offsets() {
        for (moment, format, expected) in [
            ("2023-01-01T00:00:00Z", "%U %W %V %G", "01 00 52 2022"),
            ("2024-12-30T00:00:00Z", "%U %W %V %G %g", "52 53 01 2025 25"),
            ("2024-01-01T12:00:00+05:30", "%z %:z %:::z [%Z] %I %p", "+0530 +05:30 +05:30 [] 12 PM"),
            ("2024-01-01T12:00:00+05:30", "[%5Z] [%05Z]", "[] []"),
            ("2024-01-01T00:00:00-08:00", "%z %I %l %p %s", "-0800 12 12 AM 1704096000"),
            ("0987-01-01T00:00:00Z", "%Y %-Y %C %y", "0987 987 09 87"),
        ] {
            assert_eq!(written(moment, format), expected, "{moment} {format}");
        }
    }

    #[test]
    fn a_width_is_bounded() {
        assert_eq!(written("2024-03-05T00:00:00Z", "%99999999999999999999d").len(), WIDEST);
        assert_eq!(written("2024-03-05T00:00:00Z", "%99999999999999999999N").len(), WIDEST);
        let moment = at("2024-03-05T00:00:00Z");
        assert!(!write(&moment, &"%1000d".repeat(100_000), 5000, &mut String::new()));
    }
}
