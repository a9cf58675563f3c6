//! Dates (RFC 9110, section 5.6.7): written as IMF-fixdate, read in all three forms.

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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(seconds in 0..=LAST_SECOND) {
            prop_assert_eq!(parse_date(&format_date(at(seconds))), Some(at(seconds)));
        }

        #[test]
        fn no_date_is_too_odd(text in prop::collection::vec(any::<u8>(), 0..40)) {
            parse_date(&text);
        }
    }
}
