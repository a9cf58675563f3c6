//! `Age` (RFC 9111, section 5.1), and other numbers of seconds.

use super::list::members;
use http::HeaderValue;
use std::time::Duration;

/// The longest time in seconds that is told apart from for ever (RFC 9111, section 1.2.2).
const LONGEST: u32 = 1 << 31;

/// Numbers below this are written already: most ages, as what is stored is made anew within hours.
const WRITTEN: usize = 10_000;

/// Each of them in four digits, one after the other.
static DIGITS: [u8; WRITTEN * 4] = {
    let mut digits = [b'0'; WRITTEN * 4];
    let mut number = 0;
    while number < WRITTEN {
        // As one counts: the last digit that is not a nine goes up, and the nines behind it begin anew.
        let (before, mut place) = (number, 4);
        number += 1;
        if number < WRITTEN {
            let mut carry = 1;
            while place > 0 {
                place -= 1;
                let digit = digits[before * 4 + place] + carry;
                carry = if digit > b'9' { 1 } else { 0 };
                digits[number * 4 + place] = if digit > b'9' { b'0' } else { digit };
            }
        }
    }
    digits
};

/// The whole seconds of `time` as the value of a field. Allocates nothing for the first hours.
pub fn seconds(time: Duration) -> HeaderValue {
    let seconds = time.as_secs();
    written(seconds).map_or_else(|| HeaderValue::from(seconds), HeaderValue::from_static)
}

/// The age that the lines of the field say: that of their first member (section 5.1), however many there are. None if that is no number,
/// as it is then to be ignored.
pub fn parse_age<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<Duration> {
    let first = lines.into_iter().flat_map(members).next()?;
    delta_seconds(first).map(|seconds| Duration::from_secs(seconds.into()))
}

/// `delta-seconds` (section 1.2.2): digits alone, and as many as anybody likes.
pub(super) fn delta_seconds(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |seconds: u32, digit: &u8| seconds.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    Some(digits.iter().fold(0, add).min(LONGEST))
}

fn written(seconds: u64) -> Option<&'static str> {
    let number = usize::try_from(seconds).ok().filter(|number| *number < WRITTEN)?;
    let digits = number.checked_ilog10().map_or(1, |zeros| zeros as usize + 1);
    let end = number * 4 + 4;
    std::str::from_utf8(DIGITS.get(end - digits..end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_written_as_it_is_counted() {
        for number in (0..11_000).chain([86_400, u64::MAX]) {
            assert_eq!(seconds(Duration::from_secs(number)), number.to_string().as_str());
        }
        assert_eq!(seconds(Duration::from_millis(1_999)), "1");
    }

    #[test]
    fn the_first_member_counts_if_it_is_a_number() {
        for (lines, expected) in [
            (&["7200"][..], Some(7200)),
            (&[" 007200 "], Some(7200)),
            (&["0"], Some(0)),
            (&["7200, 0"], Some(7200)),
            (&["0, 7200"], Some(0)),
            (&["7200", "0"], Some(7200)),
            (&["0", "7200"], Some(0)),
            (&["", "7200"], Some(7200)),
            (&["2147483647"], Some(2_147_483_647)),
            (&["2147483648"], Some(2_147_483_648)),
            (&["2147483649"], Some(2_147_483_648)),
            (&["18446744073709551615"], Some(2_147_483_648)),
            (&["99999999999999999999999999"], Some(2_147_483_648)),
            (&[], None),
            (&[""], None),
            (&["abc"], None),
            (&["-7200"], None),
            (&["+7200"], None),
            (&["7200.0"], None),
            (&["7200a"], None),
            (&["a7200"], None),
            (&["7200;foo=bar"], None),
            (&["7200;foo=111"], None),
            (&["\"7200\""], None),
            (&["72 00"], None),
            (&["a, 7200"], None),
        ] {
            let age = parse_age(lines.iter().map(|line| line.as_bytes()));
            assert_eq!(age, expected.map(Duration::from_secs), "{lines:?}");
        }
    }
}
