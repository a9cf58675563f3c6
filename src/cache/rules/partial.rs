//! Stored parts of representations (RFC 9111, sections 3.3 and 3.4; RFC 9110, sections 14.4 and 15.3.7).

use super::answer::{is_not_modified, is_range_current};
use super::freshening::first;
use super::{Answer, Terms};
use crate::fields::{ContentRange, EntityTag, RangeSpec, single_range};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use http::{HeaderValue, Method};
use std::ops::Range;

/// Which part of a representation is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the response says it is.
    pub said: ContentRange,
    /// How many bytes of it are there.
    pub held: u64,
    /// The `Range` that it answered.
    pub asked: Vec<u8>,
}

impl Part {
    /// What a 206 says. None if it does not say it in bytes, or holds several parts: then nothing can be done with it.
    pub fn of(request: &HeaderMap, response: &HeaderMap) -> Option<Self> {
        let said = ContentRange::parse(response)?;
        let asked = first(request, &RANGE)?.to_vec();
        Some(Self { said, held: said.last - said.first + 1, asked })
    }

    /// The same, when so many bytes have come. Fewer than it says are an incomplete part of it, from its first byte on (section 3.3). Of
    /// more than that none has a known place: it then answers the very same `Range` again and nothing else.
    #[must_use]
    pub fn holding(self, bytes: u64) -> Self {
        let most = self.said.last - self.said.first + 1;
        Self { held: if bytes > most { 0 } else { bytes }, ..self }
    }

    /// The positions that it holds.
    fn positions(&self) -> Range<u64> {
        self.said.first..self.said.first.saturating_add(self.held)
    }

    /// Whether it is all there is, and so as good as a 200 (RFC 9110, section 15.3.7.3).
    pub fn is_complete(&self) -> bool {
        self.said.length.is_some_and(|length| self.positions() == (0..length))
    }
}

/// How a stored part answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartAnswer {
    /// As it is stored: it is asked for in the same words as it was then.
    Whole,
    /// The client has it: 304.
    NotModified,
    /// These of the bytes that are held, which are this of the representation: 206.
    Slice {
        /// Counted from the first byte that is held.
        bytes: Range<u64>,
        /// What they are.
        content_range: ContentRange,
    },
    /// Not at all: what is asked for is not there, or not for a part to say.
    Missing,
}

/// How a stored part answers a request (section 3.3: only one whose range lies within it).
pub fn part_answer(method: &Method, request: &HeaderMap, stored: &HeaderMap, terms: &Terms, part: &Part) -> PartAnswer {
    if *method != Method::GET || !is_range_current(request, stored, terms) {
        return PartAnswer::Missing;
    }
    let answer = if first(request, &RANGE) == Some(&part.asked[..]) && request.get_all(RANGE).iter().count() == 1 {
        PartAnswer::Whole
    } else {
        single_range(request).and_then(|range| slice(part, range)).unwrap_or(PartAnswer::Missing)
    };
    if answer != PartAnswer::Missing && is_not_modified(request, stored, terms) {
        return PartAnswer::NotModified;
    }
    answer
}

/// The bytes of a range that lies within what is held.
fn slice(part: &Part, range: RangeSpec) -> Option<PartAnswer> {
    let (first, last) = match (range, part.said.length) {
        (range, Some(length)) => range.within(length)?.into_inner(),
        (RangeSpec::From { first, last }, None) => (first, last),
        (RangeSpec::Suffix(_), None) => return None,
    };
    let held = part.positions();
    if !(held.contains(&first) && held.contains(&last)) {
        return None;
    }
    let bytes = first - held.start..last - held.start + 1;
    Some(PartAnswer::Slice { bytes, content_range: ContentRange { first, last, length: part.said.length } })
}

/// What is to be asked for so that a stored part becomes whole (section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// `Range`
    pub range: HeaderValue,
    /// `If-Range`: the origin sends everything if the representation has changed.
    pub if_range: HeaderValue,
}

/// What a stored part lacks, if that is in one piece and parts of the representation may be joined: they must share a strong validator.
pub fn complete(stored: &HeaderMap, part: &Part) -> Option<Missing> {
    let tag = first(stored, &ETAG).filter(|tag| EntityTag::parse(tag).is_some_and(|tag| !tag.is_weak()))?;
    let held = part.positions();
    let range = if held.is_empty() || part.is_complete() {
        return None;
    } else if held.start == 0 {
        format!("bytes={}-", held.end)
    } else if part.said.length == Some(held.end) {
        format!("bytes=0-{}", held.start - 1)
    } else {
        return None;
    };
    Some(Missing { range: HeaderValue::from_str(&range).ok()?, if_range: HeaderValue::from_bytes(tag).ok()? })
}

/// Bytes of one of two parts that are joined, counted from its first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Whether they are of the new part.
    pub is_new: bool,
    /// Which.
    pub bytes: Range<u64>,
}

/// Two parts made one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// What they are together. If it [is complete](Part::is_complete), the response is a 200 of that length, without `Content-Range`.
    pub part: Part,
    /// Where their bytes come from, in order. Where both have them, the new ones count.
    pub pieces: Vec<Piece>,
}

impl Joined {
    /// What a stored part and a new one are together (section 3.4), if they have the same strong validator and leave nothing between them. The
    /// fields are the stored ones, [freshened](super::freshen) by the new ones, with what [`Self::fields`] sets.
    pub fn of(stored: (&HeaderMap, &Part), new: (&HeaderMap, &Part)) -> Option<Self> {
        let tag = |fields| first(fields, &ETAG).and_then(EntityTag::parse);
        let is_same = tag(stored.0)?.strongly_equals(&tag(new.0)?);
        let (old, new) = (stored.1, new.1);
        let length = match (old.said.length, new.said.length) {
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.or(other),
        };
        let (held, added) = (old.positions(), new.positions());
        let meet = held.start <= added.end && added.start <= held.end;
        if !is_same || !meet || held.is_empty() || added.is_empty() {
            return None;
        }
        let before = held.start..added.start.max(held.start);
        let after = added.end.min(held.end)..held.end;
        let pieces = [
            Piece { is_new: false, bytes: 0..before.end - before.start },
            Piece { is_new: true, bytes: 0..new.held },
            Piece { is_new: false, bytes: after.start - held.start..old.held },
        ];
        let (first, end) = (held.start.min(added.start), held.end.max(added.end));
        // One of the two says what the other cannot be a part of.
        if length.is_some_and(|length| end > length) {
            return None;
        }
        let said = ContentRange { first, last: end - 1, length };
        let part = Part { said, held: end - first, asked: new.asked.clone() };
        Some(Self { part, pieces: pieces.into_iter().filter(|piece| !piece.bytes.is_empty()).collect() })
    }

    /// Says in the fields what the joined part is.
    pub fn fields(&self, fields: &mut HeaderMap) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(self.part.held));
        if self.part.is_complete() {
            fields.remove(CONTENT_RANGE);
        } else {
            fields.insert(CONTENT_RANGE, self.part.said.header_value());
        }
        fields.remove(IF_RANGE);
    }
}

impl From<PartAnswer> for Option<Answer> {
    /// As a complete response would answer, where a part can.
    fn from(answer: PartAnswer) -> Self {
        match answer {
            PartAnswer::Whole => Some(Answer::Whole),
            PartAnswer::NotModified => Some(Answer::NotModified),
            PartAnswer::Slice { content_range, .. } => Some(Answer::Part(content_range.first..=content_range.last)),
            PartAnswer::Missing => None,
        }
    }
}
