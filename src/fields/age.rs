//! `Age` (RFC 9111, section 5.1), and other numbers of seconds.

use http::HeaderValue;
use std::time::Duration;

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
}
