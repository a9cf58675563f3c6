//! Durations and sizes as people write them: `"250ms"`, `"1h30m"`, `"64KiB"`.

use std::fmt::Write as _;
use std::time::Duration;

/// Units of time from large to small, in milliseconds.
const TIMES: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Units of size, in bytes.
const SIZES: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A regular expression for what [`parse_duration`] reads, but for the order of the units.
pub(super) fn duration_pattern() -> String {
    format!("^([0-9]+({}))+$", TIMES.map(|(unit, _)| unit).join("|"))
}

/// A regular expression for what [`parse_size`] reads.
pub(super) fn size_pattern() -> String {
    format!("^[0-9]+({})$", SIZES.map(|(unit, _)| unit).join("|"))
}

/// Reads `"250ms"`, `"10s"`, `"1h30m"`, `"7d"`, `"0s"`; units from large to small, each at most once.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "a duration is a number and its unit, such as `250ms`, `10s`, `5m`, `1h30m` or `7d`";
    let mut total = 0_u64;
    let mut rest = text;
    let mut allowed = 0;
    if rest.is_empty() {
        return Err(WRONG);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().ok().ok_or(WRONG)?;
        let place = TIMES.iter().position(|(name, _)| *name == unit).ok_or(WRONG)?;
        if place < allowed {
            return Err("units go from large to small, each once: `1h30m`");
        }
        let milliseconds = TIMES.get(place).map_or(0, |(_, milliseconds)| *milliseconds);
        total = number
            .checked_mul(milliseconds)
            .and_then(|part| total.checked_add(part))
            .ok_or("longer than any duration here may be")?;
        allowed = place + 1;
        rest = tail;
    }
    // A century is beyond every use, and keeps all sums of instants within range.
    if total > 100 * 366 * 86_400_000 {
        return Err("longer than any duration here may be");
    }
    Ok(Duration::from_millis(total))
}

/// Reads `"512B"`, `"64KiB"`, `"1MiB"`, `"2GiB"`, and the decimal `KB`, `MB`, `GB`.
pub fn parse_size(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "a size is a whole number and its unit, such as `64KiB` or `2MiB`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok().ok_or(WRONG)?;
    let (_, factor) = SIZES.into_iter().find(|(name, _)| *name == unit).ok_or(WRONG)?;
    number.checked_mul(factor).filter(|size| *size <= 1 << 50).ok_or("larger than any size here may be")
}

/// A duration as authors write it: `1h30m`, `250ms`.
pub fn format_duration(time: Duration) -> String {
    let mut left = time.as_millis();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        let count = left / length;
        left %= length;
        if count > 0 {
            write!(text, "{count}{unit}").unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in
            [("250ms", 250), ("10s", 10_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("0s", 0), ("1m1ms", 60_001)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "10 s",
            "1s1m",
            "1s1s",
            "-1s",
            "1.5s",
            "99999999999999999999s",
            "18446744073709551615w",
            "é",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_fit_what_is_read() {
        for (pattern, right, wrong) in [
            (duration_pattern(), &["250ms", "10s", "1h30m", "1m1ms"][..], &["", "10", "s", "1.5s", "10 s"][..]),
            (size_pattern(), &["64KiB", "1MB", "0B"], &["", "64", "KiB", "64kib", "1.5MiB"]),
        ] {
            let pattern = regex::Regex::new(&pattern).unwrap();
            assert!(right.iter().all(|text| pattern.is_match(text)), "{pattern}");
            assert!(!wrong.iter().any(|text| pattern.is_match(text)), "{pattern}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert_eq!(parse_size("1MB"), Ok(1_000_000));
        for text in ["", "64", "KiB", "64 KiB", "64kib", "99999999999GiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_spelled_as_authors_spell_them() {
        for (milliseconds, expected) in
            [(0, "0s"), (250, "250ms"), (10_000, "10s"), (5_400_000, "1h30m"), (86_400_000, "1d")]
        {
            assert_eq!(format_duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
