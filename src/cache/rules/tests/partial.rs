//! Ranges, from what is complete and from parts.

use super::*;
use crate::cache::rules::{Answer, Joined, Part, PartAnswer, Piece, answer, complete, part_answer};
use crate::fields::ContentRange;

const FRESH: (&str, &str) = ("cache-control", "max-age=60");
const TAG: (&str, &str) = ("etag", "\"a\"");
/// Older than the response by a second, and so a strong validator.
const CHANGED: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

#[test]
fn a_complete_response_answers_ranges() {
    for (request, expected) in [
        (&[("range", "bytes=0-1")][..], Answer::Part(0..=1)),
        (&[("range", "bytes=2-")], Answer::Part(2..=9)),
        (&[("range", "bytes=-1")], Answer::Part(9..=9)),
        (&[("range", "bytes=10-")], Answer::Unsatisfiable),
        (&[("range", "bytes=0-1,4-5")], Answer::Whole),
        (&[("range", "lines=0-1")], Answer::Whole),
        (&[("range", "bytes=0-1"), ("if-range", "\"a\"")], Answer::Part(0..=1)),
        (&[("range", "bytes=0-1"), ("if-range", "W/\"a\"")], Answer::Whole),
        (&[("range", "bytes=0-1"), ("if-range", "\"b\"")], Answer::Whole),
        (&[("range", "bytes=0-1"), ("if-range", CHANGED)], Answer::Part(0..=1)),
        (&[("range", "bytes=0-1"), ("if-range", NOW)], Answer::Whole),
        (&[("range", "bytes=0-1"), ("if-none-match", "\"a\"")], Answer::NotModified),
    ] {
        let response: Lines<'_> = &[FRESH, TAG, ("last-modified", CHANGED)];
        let (terms, request) = (terms(response), fields(request));
        let answered =
            |method: Method, length| answer(&method, &request, StatusCode::OK, &fields(response), &terms, length);
        assert_eq!(answered(Method::GET, Some(10)), expected, "{request:?}");
        if expected != Answer::NotModified {
            assert_eq!(answered(Method::HEAD, Some(10)), Answer::Whole);
            assert_eq!(answered(Method::GET, None), Answer::Whole);
        }
    }
    // A date that is as young as the response is no strong validator, and neither is its `Date`.
    for response in [&[FRESH, ("last-modified", NOW)][..], &[FRESH]] {
        let request = fields(&[("range", "bytes=0-1"), ("if-range", NOW)]);
        let answered = answer(&Method::GET, &request, StatusCode::OK, &fields(response), &terms(response), Some(10));
        assert_eq!(answered, Answer::Whole);
    }
}

fn part(asked: &str, said: &str) -> Result<Terms, NotStored> {
    let response = [FRESH, TAG, ("content-range", said)];
    stored_with(&Settings::default(), &Method::GET, &[("range", asked)], 206, &response)
}

#[test]
fn a_part_is_stored_if_it_says_where_it_belongs() {
    let stored = part("bytes=-5", "bytes 5-9/10").unwrap().part.unwrap();
    assert_eq!(stored.held, 5);
    assert!(!stored.is_complete());
    assert!(part("bytes=0-", "bytes 0-9/10").unwrap().part.unwrap().is_complete());
    for said in ["bytes */10", "bytes 9-5/10", "lines 1-2/3", ""] {
        assert_eq!(part("bytes=-5", said).err(), Some(NotStored::Part), "{said}");
    }
    let multipart = &[FRESH, ("content-type", "multipart/byteranges; boundary=x")];
    let decided = stored_with(&Settings::default(), &Method::GET, &[("range", "bytes=0-1,3-4")], 206, multipart);
    assert_eq!(decided.err(), Some(NotStored::Part));
}

#[test]
fn a_part_answers_what_lies_within_it() {
    use PartAnswer::{Missing, NotModified, Whole};
    let slice =
        |bytes, first, last| PartAnswer::Slice { bytes, content_range: ContentRange { first, last, length: Some(10) } };
    let terms = part("bytes=4-", "bytes 4-9/10").unwrap();
    let held = terms.part.clone().unwrap();
    let short = held.clone().holding(5);
    let long = held.clone().holding(7);
    for (part, request, expected) in [
        (&held, &[("range", "bytes=4-")][..], Whole),
        (&held, &[("range", "bytes=4-9")], slice(0..6, 4, 9)),
        (&held, &[("range", "bytes=6-8")], slice(2..5, 6, 8)),
        (&held, &[("range", "bytes=-1")], slice(5..6, 9, 9)),
        (&held, &[("range", "bytes=8-100")], slice(4..6, 8, 9)),
        (&held, &[("range", "bytes=3-5")], Missing),
        (&held, &[("range", "bytes=10-")], Missing),
        (&held, &[("range", "bytes=-7")], Missing),
        (&held, &[], Missing),
        (&held, &[("range", "bytes=4-5,7-8")], Missing),
        (&held, &[("range", "bytes=4-5"), ("if-range", "\"a\"")], slice(0..2, 4, 5)),
        (&held, &[("range", "bytes=4-5"), ("if-range", "\"b\"")], Missing),
        (&held, &[("range", "bytes=4-5"), ("if-none-match", "\"a\"")], NotModified),
        (&held, &[("range", "bytes=3-5"), ("if-none-match", "\"a\"")], Missing),
        // It ended early: what came is as good.
        (&short, &[("range", "bytes=6-8")], slice(2..5, 6, 8)),
        (&short, &[("range", "bytes=-1")], Missing),
        (&short, &[("range", "bytes=4-")], Whole),
        // It held more than it said: only the same words get the same bytes.
        (&long, &[("range", "bytes=6-8")], Missing),
        (&long, &[("range", "bytes=4-")], Whole),
    ] {
        let stored = fields(&[FRESH, TAG]);
        let answered = part_answer(&Method::GET, &fields(request), &stored, &terms, part);
        assert_eq!(answered, expected, "{request:?}");
        assert_eq!(part_answer(&Method::HEAD, &fields(request), &stored, &terms, part), Missing);
    }
}

fn of(first: u64, last: u64, length: Option<u64>) -> Part {
    Part { said: ContentRange { first, last, length }, held: last - first + 1, asked: Vec::new() }
}

#[test]
fn what_is_missing_is_asked_for_in_one_piece() {
    let strong = fields(&[TAG]);
    let range = |fields: &HeaderMap, part: &Part| complete(fields, part).map(|missing| missing.range);
    assert_eq!(range(&strong, &of(0, 4, Some(10))).unwrap(), "bytes=5-");
    assert_eq!(range(&strong, &of(0, 4, None)).unwrap(), "bytes=5-");
    assert_eq!(range(&strong, &of(5, 9, Some(10))).unwrap(), "bytes=0-4");
    assert_eq!(range(&strong, &of(2, 4, Some(10))), None);
    assert_eq!(range(&strong, &of(0, 9, Some(10))), None);
    assert_eq!(range(&strong, &of(0, 4, Some(10)).holding(100)), None);
    assert_eq!(range(&fields(&[("etag", "W/\"a\"")]), &of(0, 4, Some(10))), None);
    assert_eq!(range(&fields(&[("last-modified", CHANGED)]), &of(0, 4, Some(10))), None);
    assert_eq!(complete(&strong, &of(0, 4, Some(10))).unwrap().if_range, "\"a\"");
}

#[test]
fn parts_with_one_strong_validator_are_joined() {
    let strong = fields(&[TAG]);
    let joined = |old: &Part, new: &Part| Joined::of((&strong, old), (&strong, new));
    let piece = |is_new, bytes| Piece { is_new, bytes };
    for (old, new, first, last, pieces) in [
        (of(0, 4, Some(10)), of(5, 9, Some(10)), 0, 9, vec![piece(false, 0..5), piece(true, 0..5)]),
        (of(5, 9, Some(10)), of(0, 4, Some(10)), 0, 9, vec![piece(true, 0..5), piece(false, 0..5)]),
        (of(0, 6, None), of(4, 9, Some(10)), 0, 9, vec![piece(false, 0..4), piece(true, 0..6)]),
        (of(0, 9, Some(10)), of(3, 4, None), 0, 9, vec![piece(false, 0..3), piece(true, 0..2), piece(false, 5..10)]),
        (of(3, 4, None), of(0, 9, Some(10)), 0, 9, vec![piece(true, 0..10)]),
        (of(1, 2, None), of(3, 4, None), 1, 4, vec![piece(false, 0..2), piece(true, 0..2)]),
    ] {
        let made = joined(&old, &new).unwrap();
        assert_eq!((made.part.said.first, made.part.said.last), (first, last), "{old:?} {new:?}");
        assert_eq!(made.pieces, pieces, "{old:?} {new:?}");
        assert_eq!(made.part.is_complete(), last == 9);
        let total: u64 = made.pieces.iter().map(|piece| piece.bytes.end - piece.bytes.start).sum();
        assert_eq!(total, made.part.held);
    }
    assert_eq!(joined(&of(0, 4, Some(10)), &of(6, 9, Some(10))), None);
    assert_eq!(joined(&of(0, 4, Some(10)), &of(5, 9, Some(11))), None);
    for (one, other) in [("\"a\"", "\"b\""), ("W/\"a\"", "W/\"a\""), ("\"a\"", "W/\"a\""), ("a", "a")] {
        let (one, other) = (fields(&[("etag", one)]), fields(&[("etag", other)]));
        assert_eq!(Joined::of((&one, &of(0, 4, Some(10))), (&other, &of(5, 9, Some(10)))), None);
    }
    // What lies beyond the end that the other tells is of something else.
    assert_eq!(joined(&of(0, 4, Some(5)), &of(2, 8, None)), None);
    assert_eq!(joined(&of(2, 8, None), &of(0, 4, Some(5))), None);
    let whole = joined(&of(0, 4, Some(10)), &of(5, 9, Some(10))).unwrap();
    let mut merged = fields(&[("content-range", "bytes 0-4/10"), ("content-length", "5")]);
    whole.fields(&mut merged);
    assert_eq!(merged, fields(&[("content-length", "10")]));
    let more = joined(&of(1, 2, None), &of(3, 4, None)).unwrap();
    more.fields(&mut merged);
    assert_eq!(merged, fields(&[("content-length", "4"), ("content-range", "bytes 1-4/*")]));
}
