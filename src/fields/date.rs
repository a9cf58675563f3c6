//! Dates (RFC 9110, section 5.6.7): written as IMF-fixdate, read in all three forms; and as caches read them (RFC 9111, section 4.2).

use std::time::{Duration, SystemTime};

/// How many bytes an IMF-fixdate has.
pub const DATE_LENGTH: usize = 29;

/// 9999-12-31T23:59:59Z, the last second with four digits for its year.
const LAST_SECOND: u64 = 253_402_300_799;

/// `time` as `Sun, 06 Nov 1994 08:49:37 GMT`. Allocates nothing; the same for all of a second, so keep it that long.
///
/// Times before 1970 and after 9999 become the nearest that can be written.
pub fn format_date(time: SystemTime) -> [u8; DATE_LENGTH] {
    use std::io::Write as _;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND));
    let mut text = [b' '; DATE_LENGTH];
    // It fits: every such date has this length.
    write!(&mut text[..], "{}", httpdate::HttpDate::from(time)).unwrap_or_default();
    text
}

/// The time that a date in any of the three forms names; `None` if it is none of them.
pub fn parse_date(text: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(text).ok()?.trim()).ok()
}

const DAYS: [&[u8]; 7] = [b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday"];

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// How far ahead a year may be that is written with two digits (RFC 9110, section 5.6.7).
const FIFTY_YEARS: Duration = Duration::from_hours(50 * 8766);

/// The time that a date names in a message that was received at `received`, read as caches do: in letters of either case, with no zone but
/// GMT (RFC 9111, section 4.2), and of the years that two digits may mean the one that is at most fifty years ahead.
///
/// The forms are taken to the letter otherwise: one space, two digits, colons. Whether the day of the week is that of the date is not asked.
pub fn parse_date_received(text: &[u8], received: SystemTime) -> Option<SystemTime> {
    let text = text.trim_ascii();
    imf_fixdate(text).or_else(|| rfc850_date(text, received)).or_else(|| asctime_date(text))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(text: &[u8]) -> Option<SystemTime> {
    let text = has_form(text, b"www, dd www dddd dd:dd:dd GMT")?;
    day_name(text.get(..3)?, |name| name.get(..3).unwrap_or(name))?;
    time(number(text, 12, 4)?, month(text.get(8..11)?)?, number(text, 5, 2)?, clock(text.get(17..25)?)?)
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850_date(text: &[u8], received: SystemTime) -> Option<SystemTime> {
    let comma = memchr::memchr(b',', text)?;
    let (name, rest) = text.split_at(comma);
    let rest = has_form(rest, b", dd-www-dd dd:dd:dd GMT")?;
    day_name(name, |name| name)?;
    let (month, day, clock) = (month(rest.get(5..8)?)?, number(rest, 2, 2)?, clock(rest.get(12..20)?)?);
    let latest = received.checked_add(FIFTY_YEARS)?;
    // The century that `latest` is in, or the one before it.
    let century = number(&format_date(latest), 12, 2)? * 100;
    let year = century + number(rest, 9, 2)?;
    let time_in = |year| time(year, month, day, clock);
    time_in(year).filter(|time| *time <= latest).or_else(|| time_in(year.checked_sub(100)?))
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime_date(text: &[u8]) -> Option<SystemTime> {
    let text = has_form(text, b"www www _d dd:dd:dd dddd")?;
    day_name(text.get(..3)?, |name| name.get(..3).unwrap_or(name))?;
    let day = number(text, 8, 2).or_else(|| number(text, 9, 1))?;
    time(number(text, 20, 4)?, month(text.get(4..7)?)?, day, clock(text.get(11..19)?)?)
}

/// The text, if it has this form: `d` stands for a digit, `_` for one or a space, `w` for a letter, anything else for itself.
fn has_form<'t>(text: &'t [u8], form: &[u8]) -> Option<&'t [u8]> {
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'd' => byte.is_ascii_digit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        b'w' => byte.is_ascii_alphabetic(),
        _ => byte.eq_ignore_ascii_case(form),
    };
    (text.len() == form.len() && text.iter().zip(form).all(fits)).then_some(text)
}

fn day_name(text: &[u8], written: impl Fn(&'static [u8]) -> &'static [u8]) -> Option<()> {
    DAYS.iter().any(|name| written(name).eq_ignore_ascii_case(text)).then_some(())
}

fn month(text: &[u8]) -> Option<u64> {
    let position = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    u64::try_from(position).ok().map(|position| position + 1)
}

fn number(text: &[u8], start: usize, count: usize) -> Option<u64> {
    let digits = text.get(start..start + count)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// The second of the day that `08:49:37` is. A leap second is the one after it.
fn clock(text: &[u8]) -> Option<u64> {
    let (hour, minute, second) = (number(text, 0, 2)?, number(text, 3, 2)?, number(text, 6, 2)?);
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// The time so many seconds into a day.
fn time(year: u64, month: u64, day: u64, second: u64) -> Option<SystemTime> {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if leaps => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year == 0 || day == 0 || day > last {
        return None;
    }
    // Years begin in March here, so that the day that is sometimes missing is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = Duration::from_secs(days * 86_400 + second);
    // From 1 March of the year 0 to 1970.
    SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_sub(Duration::from_hours(719_468 * 24))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_three_forms_of_the_rfc_name_one_time() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_date(text.as_bytes()), Some(at(784_111_777)), "{text}");
        }
        for text in
            ["", "0", "1994-11-06", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 31 Feb 1994 08:49:37 GMT", "\u{fc}"]
        {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_that_cannot_be_written_become_the_nearest() {
        assert_eq!(&format_date(at(784_111_777)), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(&format_date(at(u64::from(u32::MAX) * 1000)), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(&format_date(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), b"Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn caches_read_dates_in_either_case_and_to_the_letter_otherwise() {
        let read = |text: &str| parse_date_received(text.as_bytes(), at(1_767_225_600));
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            " Sun, 06 Nov 1994 08:49:37 GMT\t",
            "SUN, 06 NOV 1994 08:49:37 gmt",
            "sun, 06 nov 1994 08:49:37 gMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "sunDAY, 06-nov-94 08:49:37 gmt",
            "Sun Nov  6 08:49:37 1994",
            "sun NOV  6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
        ] {
            assert_eq!(read(text), Some(at(784_111_777)), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "\u{fc}",
            "784111777",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 AEST",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov  1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn two_digits_mean_a_year_at_most_fifty_years_ahead() {
        for (now, two, four) in [
            ("1994", "94", "1994"),
            ("1994", "43", "2043"),
            ("1994", "45", "1945"),
            ("2026", "50", "2050"),
            ("2026", "75", "2075"),
            ("2026", "77", "1977"),
            ("2026", "00", "2000"),
            ("2060", "05", "2105"),
        ] {
            let now = parse_date_received(format!("Thu, 01 Jan {now} 00:00:00 GMT").as_bytes(), at(0)).unwrap();
            let meant = parse_date_received(format!("Tue, 06 Dec {four} 08:49:37 GMT").as_bytes(), now);
            assert!(meant.is_some());
            assert_eq!(
                parse_date_received(format!("Tuesday, 06-Dec-{two} 08:49:37 GMT").as_bytes(), now),
                meant,
                "{two}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(seconds in 0..=LAST_SECOND) {
            prop_assert_eq!(parse_date(&format_date(at(seconds))), Some(at(seconds)));
            prop_assert_eq!(parse_date_received(&format_date(at(seconds)), at(0)), Some(at(seconds)));
        }

        #[test]
        fn caches_read_what_everybody_reads(day in 0..50_000_u64, second in 0..86_400_u64) {
            let date = httpdate::HttpDate::from(at(day * 86_400 + second)).to_string();
            prop_assert_eq!(parse_date_received(date.as_bytes(), at(0)), parse_date(date.as_bytes()));
        }

        #[test]
        fn no_date_is_too_odd(text in prop::collection::vec(any::<u8>(), 0..40)) {
            parse_date(&text);
            parse_date_received(&text, at(1_767_225_600));
        }
    }
}
