//! The directives of `date`, for the reference: each with what it prints of one moment, which is also its test.

/// The moment that the examples of [`DIRECTIVES`] print.
pub const DATE_OF_EXAMPLES: &str = "2026-03-05 09:07:02.123456789 +0900";

/// A directive, what it prints in words, and what it prints of [`DATE_OF_EXAMPLES`].
pub const DIRECTIVES: &[(&str, &str, &str)] = &[
    ("%Y", "year", "2026"),
    ("%y", "year without the century", "26"),
    ("%C", "century", "20"),
    ("%m", "month, two digits", "03"),
    ("%B", "month, by name", "March"),
    ("%b", "month, by its first three letters; `%h` is the same", "Mar"),
    ("%d", "day of the month, two digits", "05"),
    ("%e", "day of the month, a space before one digit", " 5"),
    ("%j", "day of the year, three digits", "064"),
    ("%A", "day of the week, by name", "Thursday"),
    ("%a", "day of the week, by its first three letters", "Thu"),
    ("%u", "day of the week, 1 (Monday) to 7", "4"),
    ("%w", "day of the week, 0 (Sunday) to 6", "4"),
    ("%V", "week of the year (ISO 8601)", "10"),
    ("%G", "year of that week", "2026"),
    ("%g", "year of that week without the century", "26"),
    ("%U", "week of the year, from the first Sunday", "09"),
    ("%W", "week of the year, from the first Monday", "09"),
    ("%H", "hour, 00 to 23", "09"),
    ("%k", "hour, 0 to 23, a space before one digit", " 9"),
    ("%I", "hour, 01 to 12", "09"),
    ("%l", "hour, 1 to 12, a space before one digit", " 9"),
    ("%p", "half of the day, in capitals", "AM"),
    ("%P", "half of the day, in small letters", "am"),
    ("%M", "minute", "07"),
    ("%S", "second", "02"),
    ("%L", "milliseconds; `%6L` has six digits", "123"),
    ("%N", "nanoseconds; `%3N` has three digits", "123456789"),
    ("%z", "offset from UTC", "+0900"),
    ("%:z", "offset from UTC, with a colon", "+09:00"),
    ("%Z", "name of the time zone, if it has one", ""),
    ("%s", "seconds since 1970", "1772669222"),
    ("%F", "date, as `%Y-%m-%d`", "2026-03-05"),
    ("%D", "date, as `%m/%d/%y`; `%x` is the same", "03/05/26"),
    ("%v", "date, as `%e-%^b-%Y`", " 5-MAR-2026"),
    ("%T", "time, as `%H:%M:%S`; `%X` is the same", "09:07:02"),
    ("%R", "time, as `%H:%M`", "09:07"),
    ("%r", "time, as `%I:%M:%S %p`", "09:07:02 AM"),
    ("%c", "date and time", "Thu Mar  5 09:07:02 2026"),
    ("%n", "end of line; `%t` is a tab", "\n"),
    ("%%", "percent sign", "%"),
    ("%-d", "`-`: without padding", "5"),
    ("%_m", "`_`: padded by spaces", " 3"),
    ("%0e", "`0`: padded by zeros", "05"),
    ("%^a", "`^`: in capitals", "THU"),
    ("%#p", "`#`: in the other case", "am"),
    ("%10Y", "a number: so many characters", "0000002026"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::{TimeZone, offset};

    #[test]
    fn every_directive_prints_what_is_said() {
        let zone = TimeZone::fixed(offset(9));
        let moment = date(2026, 3, 5).at(9, 7, 2, 123_456_789).to_zoned(zone).unwrap();
        for (directive, _, expected) in DIRECTIVES {
            let mut out = String::new();
            assert!(super::super::strftime::write(&moment, directive, 100, &mut out));
            assert_eq!(out, *expected, "{directive}");
            assert_eq!(super::super::strftime::unknown(directive), None);
        }
        for (format, expected) in [("%d.%m.%Q!", Some("%Q")), ("%d%", Some("%")), ("100 %!", Some("%!")), ("d", None)] {
            assert_eq!(super::super::strftime::unknown(format), expected, "{format}");
        }
    }
}
