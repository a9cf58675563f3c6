//! Validating what is stored (RFC 9111, sections 4.3.1, 4.3.3 and 4.3.4).

use super::freshening::{first, is_same_validator};
use crate::fields::EntityTag;
use http::HeaderValue;
use http::header::{
    ETAG, HeaderMap, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};

/// At most so many stored responses are asked about at once, so that the field stays short.
const MOST_TAGS: usize = 16;

/// Whether a stored response has anything to be validated by.
pub fn may_validate(stored: &HeaderMap) -> bool {
    first(stored, &ETAG).is_some() || first(stored, &LAST_MODIFIED).is_some()
}

/// Makes a client's request one that validates what is stored (section 4.3.1): `selected`, the response that was chosen for it, and `others`
/// of the same URL, which the origin may say is the one. Returns whether it asks anything.
///
/// The client's own conditions and range are taken out: they are weighed when the answer is there ([`super::answer`]). Entity tags are
/// sent as they came, octet for octet, malformed ones too. The date goes along if one response alone is validated. If nothing is asked,
/// the client's conditions are gone all the same, as the answer is to be stored; leave the request alone instead where nothing is stored.
pub fn validate<'s>(
    request: &mut HeaderMap,
    selected: Option<&'s HeaderMap>,
    others: impl IntoIterator<Item = &'s HeaderMap>,
) -> bool {
    for name in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE] {
        request.remove(name);
    }
    let mut tags: Vec<&[u8]> = Vec::new();
    for stored in selected.into_iter().chain(others) {
        if let Some(tag) = first(stored, &ETAG)
            && tags.len() < MOST_TAGS
            && !tags.contains(&tag)
        {
            tags.push(tag);
        }
    }
    let tag = HeaderValue::from_bytes(&tags.join(&b", "[..])).ok().filter(|_| !tags.is_empty());
    let is_one = tags.len() <= 1;
    let date = selected.and_then(|stored| stored.get(LAST_MODIFIED)).filter(|_| is_one);
    let is_asking = tag.is_some() || date.is_some();
    if let Some(date) = date {
        request.insert(IF_MODIFIED_SINCE, date.clone());
    }
    if let Some(tag) = tag {
        request.insert(IF_NONE_MATCH, tag);
    }
    is_asking
}

/// Which stored responses a 304 is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validated {
    /// These of them, by position: they are to be freshened, and the first answers.
    These(Vec<usize>),
    /// None: its validators are those of something that is not stored. The origin is to be asked again, without conditions.
    None,
}

/// Which of the `stored` responses that were asked about a 304 is about (section 4.3.4), the one that was chosen for the request in front and then
/// the latest.
///
/// A 304 without a validator is about the one response that was asked about: the RFC knows this only of one that has none either, but servers
/// send such 304s to all kinds of conditions, and nothing else can be meant.
pub fn selected_by(not_modified: &HeaderMap, stored: &[&HeaderMap]) -> Validated {
    let tag = first(not_modified, &ETAG);
    let date = first(not_modified, &LAST_MODIFIED);
    let strong = tag.filter(|tag| EntityTag::parse(tag).is_none_or(|tag| !tag.is_weak()));
    if let Some(strong) = strong {
        let same = stored.iter().enumerate().filter(|(_, stored)| first(stored, &ETAG) == Some(strong));
        let same: Vec<usize> = same.map(|(position, _)| position).collect();
        return if same.is_empty() { Validated::None } else { Validated::These(same) };
    }
    let matches = |stored: &HeaderMap| match (tag, date) {
        (Some(tag), _) => {
            first(stored, &ETAG).is_some_and(|stored| match (EntityTag::parse(tag), EntityTag::parse(stored)) {
                (Some(tag), Some(stored)) => tag.weakly_equals(&stored),
                _ => tag == stored,
            })
        }
        (None, Some(date)) => first(stored, &LAST_MODIFIED).is_some_and(|stored| is_same_validator(stored, date)),
        (None, None) => false,
    };
    let found = match (tag, date) {
        (None, None) => (stored.len() == 1).then_some(0),
        _ => stored.iter().position(|stored| matches(stored)),
    };
    found.map_or(Validated::None, |position| Validated::These(vec![position]))
}
