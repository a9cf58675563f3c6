//! `Range` in bytes (RFC 9110, section 14): which part of a representation to send.
//!
//! A server may ignore the field (section 14.2). We do for other units, for what is malformed, and for requests of more than
//! one satisfiable range: such requests come from attacks more than from clients, and the whole content answers them too.

use http::{HeaderMap, HeaderValue, header};
use std::ops::RangeInclusive;

/// At most so many ranges are looked at.
const MOST_RANGES: usize = 16;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeVerdict {
    /// Everything: 200.
    Full,
    /// The bytes at these positions: 206.
    Partial(RangeInclusive<u64>),
    /// Nothing: 416.
    Unsatisfiable,
}

/// What the `Range` of a GET request asks for, of a representation of `length` bytes.
pub fn range(fields: &HeaderMap, length: u64) -> RangeVerdict {
    let mut lines = fields.get_all(header::RANGE).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => parse(line.as_bytes(), length).unwrap_or(RangeVerdict::Full),
        _ => RangeVerdict::Full,
    }
}

/// `None` if the field is to be ignored.
fn parse(line: &[u8], length: u64) -> Option<RangeVerdict> {
    let text = std::str::from_utf8(line).ok()?;
    let (unit, ranges) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut satisfiable = None;
    let mut count = 0;
    for written in ranges.split(',').map(str::trim).filter(|range| !range.is_empty()) {
        count += 1;
        let range = Spec::parse(written)?.within(length);
        if count > MOST_RANGES || (range.is_some() && satisfiable.is_some()) {
            return None;
        }
        satisfiable = satisfiable.or(range);
    }
    match satisfiable {
        Some(range) => Some(RangeVerdict::Partial(range)),
        None if count > 0 => Some(RangeVerdict::Unsatisfiable),
        None => None,
    }
}

/// The one range that a request asks for, if it asks for one in bytes and not for several (section 14.2).
pub fn single_range(fields: &HeaderMap) -> Option<Spec> {
    let mut lines = fields.get_all(header::RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let (unit, ranges) = std::str::from_utf8(line.as_bytes()).ok()?.split_once('=')?;
    let mut written = ranges.split(',').map(str::trim).filter(|range| !range.is_empty());
    let range = written.next().filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
    Spec::parse(range).filter(|_| written.next().is_none())
}

/// One range as written (section 14.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// From a position to another, which is included. The largest number stands for the end.
    From {
        /// The first position.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// So many bytes at the end.
    Suffix(u64),
}

/// What a 206 says it holds, in bytes (section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first position.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// How many bytes the representation has, if that is known.
    pub length: Option<u64>,
}

impl ContentRange {
    /// Reads `Content-Range`. None unless there is one, in bytes, that can be true.
    pub fn parse(fields: &HeaderMap) -> Option<Self> {
        let mut lines = fields.get_all(header::CONTENT_RANGE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        let (unit, range) = std::str::from_utf8(line.as_bytes()).ok()?.trim().split_once(' ')?;
        let (positions, length) = range.trim().split_once('/')?;
        let (first, last) = positions.split_once('-')?;
        let (first, last) = (exactly(first)?, exactly(last)?);
        let length = if length == "*" { None } else { Some(exactly(length)?) };
        let is_true = first <= last && length.is_none_or(|length| last < length);
        (is_true && unit.eq_ignore_ascii_case("bytes")).then_some(Self { first, last, length })
    }

    /// The field's value.
    pub fn header_value(&self) -> HeaderValue {
        let Self { first, last, length } = self;
        match length {
            Some(length) => content_range(&(*first..=*last), *length),
            None => ascii(&format!("bytes {first}-{last}/*")),
        }
    }
}

/// A number that is not too large to count with.
fn exactly(digits: &str) -> Option<u64> {
    number(digits).filter(|number| *number < u64::MAX)
}

impl Spec {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        if first.is_empty() {
            return number(last).map(Self::Suffix);
        }
        let first = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        (first <= last).then_some(Self::From { first, last })
    }

    /// The positions that it covers of a representation of `length` bytes, if any.
    pub fn within(self, length: u64) -> Option<RangeInclusive<u64>> {
        let end = length.checked_sub(1)?;
        match self {
            Self::From { first, last } => (first <= end).then(|| first..=last.min(end)),
            Self::Suffix(count) => (count > 0).then(|| length.saturating_sub(count)..=end),
        }
    }
}

/// A number, or the largest there is: positions that far are beyond any end.
fn number(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// `Content-Range` of a 206 (section 14.4).
pub fn content_range(range: &RangeInclusive<u64>, length: u64) -> HeaderValue {
    ascii(&format!("bytes {}-{}/{length}", range.start(), range.end()))
}

/// `Content-Range` of a 416.
pub fn unsatisfied_range(length: u64) -> HeaderValue {
    ascii(&format!("bytes */{length}"))
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits and punctuation are a field value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use RangeVerdict::{Full, Partial, Unsatisfiable};
    use proptest::prelude::*;

    fn verdict(line: &str, length: u64) -> RangeVerdict {
        range(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_bytes(line.as_bytes()).unwrap())]), length)
    }

    #[test]
    fn ranges_of_the_rfc() {
        // RFC 9110, section 14.1.2, for a representation of 10,000 bytes.
        for (line, expected) in [
            ("bytes=0-499", Partial(0..=499)),
            ("bytes=500-999", Partial(500..=999)),
            ("bytes=-500", Partial(9500..=9999)),
            ("bytes=9500-", Partial(9500..=9999)),
            ("bytes=0-0,-1", Full),
            ("bytes= 0-0 , 20000-", Partial(0..=0)),
            ("Bytes=0-99999999999999999999999", Partial(0..=9999)),
            ("bytes=-20000", Partial(0..=9999)),
            ("bytes=10000-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=2-1", Full),
            ("bytes=0-1,2-1", Full),
            ("bytes=", Full),
            ("bytes=,", Full),
            ("bytes=a-b", Full),
            ("bytes=+1-2", Full),
            ("bytes=1", Full),
            ("bytes=--1", Full),
            ("lines=0-1", Full),
            ("bytes", Full),
        ] {
            assert_eq!(verdict(line, 10_000), expected, "{line}");
        }
        assert_eq!(verdict("bytes=0-", 0), Unsatisfiable);
    }

    #[test]
    fn many_ranges_are_answered_with_everything() {
        let many = format!("bytes={}", "20000-,".repeat(17));
        assert_eq!(verdict(&many, 10_000), Full);
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(header::RANGE, HeaderValue::from_static("bytes=2-3"));
        assert_eq!(range(&twice, 10), Full);
        assert_eq!(range(&HeaderMap::new(), 10), Full);
    }

    #[test]
    fn one_range_is_told_from_several() {
        let single =
            |line: &'static str| single_range(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(line))]));
        assert_eq!(single("bytes=1-2"), Some(Spec::From { first: 1, last: 2 }));
        assert_eq!(single("BYTES=5-"), Some(Spec::From { first: 5, last: u64::MAX }));
        assert_eq!(single("bytes= -5 ,"), Some(Spec::Suffix(5)));
        for line in ["bytes=1-2,4-5", "lines=1-2", "bytes=2-1", "bytes=", "bytes"] {
            assert_eq!(single(line), None, "{line}");
        }
    }

    #[test]
    fn a_part_says_where_it_belongs() {
        let read = |line: &'static str| {
            ContentRange::parse(&HeaderMap::from_iter([(header::CONTENT_RANGE, HeaderValue::from_static(line))]))
        };
        let part = ContentRange { first: 4, last: 8, length: Some(10) };
        assert_eq!(read("bytes 4-8/10"), Some(part));
        assert_eq!(read("Bytes 4-8/*"), Some(ContentRange { length: None, ..part }));
        for line in [
            "bytes 4-8",
            "bytes */10",
            "bytes 8-4/10",
            "bytes 4-10/10",
            "bytes=4-8/10",
            "lines 4-8/10",
            "bytes 4-/10",
            "bytes -8/10",
            "bytes 0-18446744073709551615/*",
            "bytes 4-8/1a",
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(part.header_value(), "bytes 4-8/10");
        assert_eq!(ContentRange { length: None, ..part }.header_value(), "bytes 4-8/*");
    }

    #[test]
    fn answers_say_what_they_hold() {
        assert_eq!(content_range(&(0..=4), 10), "bytes 0-4/10");
        assert_eq!(unsatisfied_range(10), "bytes */10");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_part_lies_within_the_whole(line in "bytes=[0-9, -]{0,24}", length in 0_u64..2000) {
            if let Partial(part) = verdict(&line, length) {
                prop_assert!(part.start() <= part.end() && *part.end() < length);
            }
        }
    }
}
