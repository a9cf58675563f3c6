//! A representation ready to send, in every content coding: fields and body, prepared once and shared by all who ask.
//!
//! The codings are made when they are first asked for, once each, whoever asks. Each coding is a representation of its own
//! (RFC 9110, section 8.8.3.3), so each has a strong entity tag of its own. There is no room here for what belongs to one
//! exchange: [`StorableFields`] cannot hold a cookie or a connection's fields.

use super::coding::{encode, is_compressible, is_quick, is_worth_trying};
use crate::fields::{Coding, remove_hop_by_hop, seconds};
use bytes::Bytes;
use http::header::{
    self, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, DATE, ETAG, EXPIRES,
    HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use std::sync::OnceLock;
use std::time::Duration;

/// `Cache-Status` (RFC 9211).
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// `CDN-Cache-Control` (RFC 9213).
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// Fields that speak of one exchange (RFC 9111, section 3.1), or that are prepared or answered anew for each response.
const NEVER_STORED: [HeaderName; 6] = [
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
    CONTENT_LENGTH,
    AGE,
    CACHE_STATUS,
];

/// The fields of a 304 (RFC 9110, section 15.4.5; what is for networks alone is like what is for all), and the places for those of the
/// exchange itself.
const NOT_MODIFIED: [HeaderName; 9] =
    [CACHE_CONTROL, CDN_CACHE_CONTROL, CONTENT_LOCATION, DATE, ETAG, EXPIRES, VARY, AGE, CACHE_STATUS];

/// A field in a map beside the bytes of its value: hash, name, value, and links to others of its name.
const FIELD: usize = 104;
/// A place in the index of a map of fields.
const PLACE: usize = 4;
/// What owns bytes that are shared.
const SHARED: usize = 24;
/// A body that takes up more than this part of itself in vain is copied before it is kept.
const TIGHT: usize = 32;

/// Response fields that may be kept for others.
#[derive(Debug, Clone, Default)]
pub struct StorableFields(HeaderMap);

/// Why fields cannot be kept for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStorableFields {
    /// `Set-Cookie` is for one person: a response that has it is not stored, rather than stored without it.
    #[error("it sets a cookie")]
    SetCookie,
}

impl StorableFields {
    /// `fields` as somebody else sent them, of which [`super::rules::storable_fields`] has left those that are stored.
    pub fn received(fields: HeaderMap) -> Self {
        Self(fields)
    }

    /// `fields` without those of the connection and those that every response states anew (`Age`, `Content-Length`,
    /// `Cache-Status`).
    pub fn new(mut fields: HeaderMap) -> Result<Self, NotStorableFields> {
        if fields.contains_key(SET_COOKIE) || fields.contains_key("set-cookie2") {
            return Err(NotStorableFields::SetCookie);
        }
        remove_hop_by_hop(&mut fields);
        for name in &NEVER_STORED {
            fields.remove(name);
        }
        Ok(Self(fields))
    }
}

/// What a strong entity tag is made of: a digest of everything that the content was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrongTag(Box<str>);

impl StrongTag {
    /// The tag for `digest`, of which the first 16 bytes are used.
    pub fn from_digest(digest: &[u8]) -> Self {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        let digits = digest.iter().take(16).flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
        Self(digits.collect::<String>().into())
    }

    #[expect(clippy::missing_panics_doc, reason = "the characters are hexadecimal digits and tokens")]
    /// The value of `ETag` for the representation in `coding`: `"…"`, `"…-br"`, `"…-gzip"`, `"…-zstd"`.
    pub fn field(&self, coding: Coding) -> HeaderValue {
        let tag = match coding {
            Coding::Identity => format!("\"{}\"", self.0),
            Coding::Gzip | Coding::Brotli | Coding::Zstd => format!("\"{}-{}\"", self.0, coding.token()),
        };
        HeaderValue::from_maybe_shared(Bytes::from(tag)).expect("hexadecimal digits and tokens")
    }
}

/// Content in one coding and the fields that go with it.
#[derive(Debug)]
pub struct Prepared {
    coding: Coding,
    body: Bytes,
    /// With `Age` and `Cache-Status` in place if it `has_places`, so that setting them in a copy replaces a value and moves nothing.
    fields: HeaderMap,
    has_places: bool,
    /// Whether caches before us have said in `Cache-Status` what they did, which ours then follows (RFC 9211, section 2).
    is_told_before: bool,
    /// Those of them that a 304 has, once somebody has needed them.
    not_modified: OnceLock<HeaderMap>,
    /// Bytes of memory that values take which nothing else has.
    values: usize,
}

impl Prepared {
    fn new(mut fields: HeaderMap, body: Bytes, coding: Coding, tag: Option<&StrongTag>) -> Self {
        if coding != Coding::Identity {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        if let Some(tag) = tag {
            fields.insert(ETAG, tag.field(coding));
        }
        fields.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let values = fields.values().map(|value| value.len() + SHARED).sum();
        let (has_places, is_told_before) = (false, false);
        Self { coding, body, fields, has_places, is_told_before, not_modified: OnceLock::new(), values }
    }

    /// The same, to be kept: without memory that nobody needs, and knowing how much it takes. `is_own` says which fields have values
    /// that nothing else has, beside those that are made here.
    fn settled(self, is_own: impl Fn(&HeaderName) -> bool) -> Self {
        let own = self.fields.iter().filter(|(name, _)| matches!(**name, ETAG | CONTENT_LENGTH) || is_own(name));
        let values = own.map(|(_, value)| value.len() + SHARED).sum();
        let mut fields = self.fields;
        fields.insert(AGE, HeaderValue::from_static("0"));
        let is_told_before = fields.get(CACHE_STATUS).is_some_and(|status| !status.is_empty());
        if !is_told_before {
            fields.insert(CACHE_STATUS, HeaderValue::from_static(""));
        }
        // A copy has no room to grow.
        Self { body: tight(self.body), fields: fields.clone(), has_places: true, is_told_before, values, ..self }
    }

    /// The same body with these `fields` in place of those of the same names, which share their values with others.
    fn with_fields(&self, StorableFields(others): &StorableFields) -> Self {
        let mut fields = self.fields.clone();
        for name in others.keys() {
            fields.remove(name);
        }
        for (name, value) in others {
            fields.append(name, value.clone());
        }
        Self { body: self.body.clone(), fields, not_modified: OnceLock::new(), ..*self }
    }

    /// The coding of the body.
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// The body. Cloning it is a reference count.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The value of `ETag`, if there is one.
    pub fn entity_tag(&self) -> Option<&HeaderValue> {
        self.fields.get(ETAG)
    }

    /// The fields as they are kept, `Content-Length` among them. Those of the exchange hold no value.
    pub fn prepared_fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// One field as prepared.
    pub fn field(&self, name: &HeaderName) -> Option<&HeaderValue> {
        if *name == AGE || *name == CACHE_STATUS { None } else { self.fields.get(name) }
    }

    /// The fields of a response that carries this, `Content-Length` included. `age` is that of a stored response, and absent when
    /// it was made for this request (RFC 9111, section 5.1).
    pub fn fields(&self, age: Option<Duration>, cache_status: Option<HeaderValue>) -> HeaderMap {
        self.exchange(self.fields.clone(), age, cache_status)
    }

    /// The fields of a 304 that stands for this (RFC 9110, section 15.4.5).
    pub fn not_modified_fields(&self, age: Option<Duration>, cache_status: Option<HeaderValue>) -> HeaderMap {
        let fields = self.not_modified.get_or_init(|| {
            let mut fields = HeaderMap::with_capacity(NOT_MODIFIED.len());
            for name in &NOT_MODIFIED {
                for value in self.fields.get_all(name) {
                    fields.append(name, value.clone());
                }
            }
            // A copy has no room to grow.
            fields.clone()
        });
        self.exchange(fields.clone(), age, cache_status)
    }

    /// Sets what differs from one exchange to the next in a copy of prepared fields.
    fn exchange(&self, mut fields: HeaderMap, age: Option<Duration>, cache_status: Option<HeaderValue>) -> HeaderMap {
        match age {
            Some(age) => drop(fields.insert(AGE, seconds(age))),
            None if self.has_places => drop(fields.remove(AGE)),
            None => {}
        }
        match cache_status {
            Some(status) if self.is_told_before => drop(fields.append(CACHE_STATUS, status)),
            Some(status) => drop(fields.insert(CACHE_STATUS, status)),
            None if self.has_places && !self.is_told_before => drop(fields.remove(CACHE_STATUS)),
            None => {}
        }
        fields
    }

    /// Whether the fields of a 304 are there already. They take memory when they are asked for the first time.
    pub fn has_not_modified_fields(&self) -> bool {
        self.not_modified.get().is_some()
    }

    /// Bytes of memory that this takes beside itself.
    fn size(&self) -> usize {
        let maps = map_size(&self.fields) + self.not_modified.get().map_or(0, map_size);
        self.body.len() + SHARED + maps + self.values
    }
}

/// Bytes of memory that a map without room to grow takes beside its values.
fn map_size(map: &HeaderMap) -> usize {
    // A quarter of the index is left free.
    map.len() * FIELD + map.capacity() / 3 * 4 * PLACE
}

/// The same bytes without much room to grow.
fn tight(body: Bytes) -> Bytes {
    match body.try_into_mut() {
        Ok(body) if body.capacity() - body.len() > body.len() / TIGHT => Bytes::copy_from_slice(&body),
        Ok(body) => body.freeze(),
        // Others have it too, or it is part of the program.
        Err(body) => body,
    }
}

/// What there is for a coding at this moment.
#[derive(Debug, Clone, Copy)]
pub enum Ready<'a> {
    /// It is prepared. Identity stands for codings that are not worth it.
    Now(&'a Prepared),
    /// It has not been made. [`Content::make`] makes it.
    Unmade {
        /// Making it takes about a millisecond at most; otherwise it belongs on a thread that may block.
        quick: bool,
    },
}

/// A representation in every coding.
#[derive(Debug)]
pub struct Content {
    identity: Prepared,
    /// Absent if no coding can be made.
    codable: Option<Codable>,
    /// Whether it is made to be kept, and so are the codings.
    is_settled: bool,
}

/// What it takes to make codings, and those that were made. A coding that was tried in vain stays empty.
#[derive(Debug)]
struct Codable {
    tag: Option<StrongTag>,
    gzip: OnceLock<Option<Box<Prepared>>>,
    brotli: OnceLock<Option<Box<Prepared>>>,
    zstd: OnceLock<Option<Box<Prepared>>>,
}

impl Codable {
    fn slot(&self, coding: Coding) -> Option<&OnceLock<Option<Box<Prepared>>>> {
        match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(&self.gzip),
            Coding::Brotli => Some(&self.brotli),
            Coding::Zstd => Some(&self.zstd),
        }
    }
}

impl Content {
    /// `body` described by `fields`, with `tag` as validator.
    ///
    /// Codings can be made of it if its `Content-Type` is compressible, it is long enough, and it has neither a coding nor a
    /// validator of its own (`Content-Encoding`, `ETag`) already; `Vary` then names `Accept-Encoding`.
    pub fn new(fields: StorableFields, body: Bytes, tag: Option<StrongTag>) -> Self {
        let StorableFields(mut fields) = fields;
        let codable = is_worth_trying(body.len())
            && !fields.contains_key(CONTENT_ENCODING)
            && !fields.contains_key(ETAG)
            && fields.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_compressible);
        if codable {
            vary_by_coding(&mut fields);
        }
        let identity = Prepared::new(fields, body, Coding::Identity, tag.as_ref());
        let codable =
            codable.then(|| Codable { tag, gzip: OnceLock::new(), brotli: OnceLock::new(), zstd: OnceLock::new() });
        Self { identity, codable, is_settled: false }
    }

    /// `body` as somebody else sent it, described by `fields`, to be kept: in the coding that it came in, and in no other.
    pub fn received(fields: StorableFields, body: Bytes) -> Self {
        let identity = Prepared::new(fields.0, body, Coding::Identity, None).settled(|_| true);
        Self { identity, codable: None, is_settled: true }
    }

    /// The same, to be kept: without memory that nobody needs, and knowing how much it takes. `is_own` says which fields have values
    /// of this content alone; the others share theirs with all content of their kind.
    #[must_use]
    pub fn settled(self, is_own: impl Fn(&HeaderName) -> bool) -> Self {
        let made_here = self.codable.is_some().then_some(VARY);
        let identity = self.identity.settled(|name| made_here.as_ref() == Some(name) || is_own(name));
        Self { identity, is_settled: true, ..self }
    }

    /// The same with `body` as its representation in `coding`, made by somebody else. As nothing binds that to the others, it has a validator
    /// of its own, from `tag`.
    #[must_use]
    pub fn with_coding(mut self, coding: Coding, body: Bytes, tag: &StrongTag) -> Self {
        let codable = self.codable.get_or_insert_with(|| {
            vary_by_coding(&mut self.identity.fields);
            // Nothing else is worth it.
            Codable { tag: None, gzip: None.into(), brotli: None.into(), zstd: None.into() }
        });
        let prepared = Prepared::new(self.identity.fields.clone(), body, coding, Some(tag));
        match coding {
            Coding::Identity => {}
            Coding::Gzip => codable.gzip = Some(Box::new(prepared)).into(),
            Coding::Brotli => codable.brotli = Some(Box::new(prepared)).into(),
            Coding::Zstd => codable.zstd = Some(Box::new(prepared)).into(),
        }
        self
    }

    /// Whether it says all of these `fields` as they are.
    pub fn says(&self, StorableFields(fields): &StorableFields) -> bool {
        let is_same = |name| self.identity.fields.get_all(name).iter().eq(fields.get_all(name));
        fields.keys().all(is_same)
    }

    /// The same bodies, as far as they were made, with these `fields` in place of those of the same names. To be
    /// [settled](Self::settled) anew, if it is kept.
    #[must_use]
    pub fn with_fields(&self, fields: &StorableFields) -> Self {
        let again = |slot: &OnceLock<Option<Box<Prepared>>>| match slot.get() {
            Some(made) => made.as_ref().map(|prepared| Box::new(prepared.with_fields(fields))).into(),
            None => OnceLock::new(),
        };
        let codable = self.codable.as_ref().map(|Codable { tag, gzip, brotli, zstd }| Codable {
            tag: tag.clone(),
            gzip: again(gzip),
            brotli: again(brotli),
            zstd: again(zstd),
        });
        Self { identity: self.identity.with_fields(fields), codable, is_settled: self.is_settled }
    }

    /// The fields of a 304 that stands for content of these `fields` in `coding`, which nobody has made: its `tag` says what it would be.
    pub fn not_modified_fields(fields: StorableFields, tag: &StrongTag, coding: Coding) -> HeaderMap {
        let StorableFields(mut fields) = fields;
        let media_type = fields.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // It may be too short to be coded. Who is told needlessly that codings are chosen among loses nothing.
        if coding != Coding::Identity || media_type.is_some_and(is_compressible) {
            vary_by_coding(&mut fields);
        }
        Prepared::new(fields, Bytes::new(), coding, Some(tag)).not_modified_fields(None, None)
    }

    /// Whether the bytes of `other` are the same, in every coding that was made by somebody else or so far.
    pub fn has_bytes_of(&self, other: &Self) -> bool {
        let made = |content: &Self, coding| match content.ready(coding) {
            Ready::Now(prepared) => Some(prepared.body().clone()),
            Ready::Unmade { .. } => None,
        };
        let same = |coding| made(self, coding).zip(made(other, coding)).is_none_or(|(mine, its)| mine == its);
        [Coding::Identity, Coding::Gzip, Coding::Brotli, Coding::Zstd].into_iter().all(same)
    }

    /// Whether `coding` is there, or may be worth making.
    pub fn is_worth(&self, coding: Coding) -> bool {
        match self.ready(coding) {
            Ready::Now(prepared) => prepared.coding() == coding,
            Ready::Unmade { .. } => true,
        }
    }

    /// The uncoded representation.
    pub fn identity(&self) -> &Prepared {
        &self.identity
    }

    /// Whether codings are worth negotiating.
    pub fn is_codable(&self) -> bool {
        self.codable.is_some()
    }

    /// What there is for `coding`, without making anything.
    pub fn ready(&self, coding: Coding) -> Ready<'_> {
        match self.codable.as_ref().and_then(|codable| codable.slot(coding)).map(OnceLock::get) {
            None | Some(Some(None)) => Ready::Now(&self.identity),
            Some(Some(Some(prepared))) => Ready::Now(prepared),
            Some(None) => Ready::Unmade { quick: is_quick(self.identity.body.len()) },
        }
    }

    /// The representation in `coding`, made now if nobody has made it before; the uncoded one if coding it is not worth it.
    ///
    /// Those who ask while it is being made wait for it on their threads. A stored response is coded through
    /// [`Store::make`](super::Store::make), which takes account of the size.
    pub fn make(&self, coding: Coding) -> &Prepared {
        let Some(codable) = &self.codable else { return &self.identity };
        let Some(slot) = codable.slot(coding) else { return &self.identity };
        let made = slot.get_or_init(|| {
            let body = encode(coding, &self.identity.body)?;
            let prepared = Prepared::new(self.identity.fields.clone(), body, coding, codable.tag.as_ref());
            Some(Box::new(if self.is_settled { prepared.settled(|_| false) } else { prepared }))
        });
        made.as_deref().unwrap_or(&self.identity)
    }

    /// Bytes of memory that this takes with the codings made so far. What is [settled](Self::settled) is counted within a few
    /// percent, the rest roughly.
    pub fn size(&self) -> usize {
        let coded = self.codable.iter().flat_map(|codable| {
            let made = [&codable.gzip, &codable.brotli, &codable.zstd];
            made.into_iter().filter_map(|slot| slot.get()?.as_ref()).map(|it| size_of::<Prepared>() + it.size())
        });
        let tag = self.codable.as_ref().and_then(|codable| codable.tag.as_ref()).map_or(0, |tag| tag.0.len());
        size_of::<Self>() + self.identity.size() + tag + coded.sum::<usize>()
    }
}

/// Adds `accept-encoding` to `Vary`, unless that is there or everything is.
fn vary_by_coding(fields: &mut HeaderMap) {
    let named = fields.get_all(VARY).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let mut named = named.map(str::trim);
    if named.any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding")) {
        return;
    }
    let lines: Vec<&str> = fields.get_all(VARY).iter().filter_map(|line| line.to_str().ok()).collect();
    let value = lines.iter().copied().chain(["accept-encoding"]).collect::<Vec<_>>().join(", ");
    let value = HeaderValue::from_maybe_shared(Bytes::from(value)).expect("joined from valid values");
    fields.insert(VARY, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CACHE_CONTROL;

    const CODINGS: [Coding; 4] = [Coding::Identity, Coding::Gzip, Coding::Brotli, Coding::Zstd];

    fn fields(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn content(pairs: &[(&'static str, &'static str)], length: usize) -> Content {
        let body = Bytes::from("<p>to and fro</p>\n".repeat(length / 18 + 1));
        Content::new(StorableFields::new(fields(pairs)).unwrap(), body, Some(StrongTag::from_digest(&[0xab; 32])))
    }

    const PAGE: &[(&str, &str)] = &[
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "public, max-age=0"),
        ("vary", "accept-language"),
    ];

    #[test]
    fn every_coding_has_a_strong_validator_of_its_own() {
        let page = content(PAGE, 5_000);
        let mut tags: Vec<_> = CODINGS.iter().map(|&coding| page.make(coding).entity_tag().unwrap().clone()).collect();
        assert_eq!(tags[0], format!("\"{}\"", "ab".repeat(16)));
        assert_eq!(tags[2], format!("\"{}-br\"", "ab".repeat(16)));
        tags.sort_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
        tags.dedup();
        assert_eq!(tags.len(), CODINGS.len());
    }

    #[test]
    fn each_coding_says_what_it_is() {
        let page = content(PAGE, 5_000);
        for coding in CODINGS {
            let prepared = page.make(coding);
            let fields = prepared.fields(None, None);
            assert_eq!(prepared.coding(), coding);
            assert_eq!(fields[CONTENT_LENGTH], prepared.body().len().to_string());
            assert_eq!(fields[VARY], "accept-language, accept-encoding");
            let encoding = fields.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(encoding, (coding != Coding::Identity).then(|| coding.token()));
        }
    }

    #[test]
    fn a_coding_is_made_once_and_counted() {
        let page = content(PAGE, 5_000);
        let before = page.size();
        assert!(matches!(page.ready(Coding::Brotli), Ready::Unmade { quick: true }));
        assert!(matches!(page.ready(Coding::Identity), Ready::Now(_)));
        let first = std::ptr::from_ref(page.make(Coding::Brotli));
        assert!(matches!(page.ready(Coding::Brotli), Ready::Now(prepared) if std::ptr::eq(prepared, first)));
        assert!(std::ptr::eq(page.make(Coding::Brotli), first));
        assert!(page.size() >= before + page.make(Coding::Brotli).body().len());
        assert!(matches!(content(PAGE, 100_000).ready(Coding::Gzip), Ready::Unmade { quick: false }));
    }

    #[test]
    fn other_fields_go_with_the_same_bodies() {
        let page = content(PAGE, 5_000);
        page.make(Coding::Brotli);
        let said = StorableFields::new(fields(&[("cache-control", "no-cache")])).unwrap();
        let again = page.with_fields(&said);
        assert!(!page.says(&said) && again.says(&said));
        assert!(matches!(again.ready(Coding::Gzip), Ready::Unmade { .. }));
        for coding in CODINGS {
            let (before, after) = (page.make(coding), again.make(coding));
            assert_eq!((after.body(), after.entity_tag()), (before.body(), before.entity_tag()), "{coding:?}");
            assert_eq!(after.fields(None, None)[CACHE_CONTROL], "no-cache");
            assert_eq!(after.not_modified_fields(None, None)[CACHE_CONTROL], "no-cache");
            assert_eq!(after.fields(None, None)[VARY], before.fields(None, None)[VARY]);
        }
        assert_eq!(again.make(Coding::Brotli).body().as_ptr(), page.make(Coding::Brotli).body().as_ptr());
    }

    #[test]
    fn what_is_not_worth_it_is_sent_as_it_is() {
        let uncodable = [
            content(PAGE, 100),
            content(&[("content-type", "image/png")], 5_000),
            content(&[], 5_000),
            content(&[("content-type", "text/html"), ("content-encoding", "br")], 5_000),
            content(&[("content-type", "text/html"), ("etag", "\"theirs\"")], 5_000),
        ];
        for content in uncodable {
            assert!(!content.is_codable());
            for coding in CODINGS {
                assert_eq!(content.make(coding).coding(), Coding::Identity);
                assert!(matches!(content.ready(coding), Ready::Now(_)));
            }
            let vary = content.identity().fields(None, None).get(VARY).cloned();
            assert!(vary.is_none_or(|vary| vary == "accept-language"), "nothing to negotiate");
        }
    }

    #[test]
    fn vary_is_extended_once() {
        for (given, expected) in [
            ("accept-language", "accept-language, accept-encoding"),
            ("cookie, Accept-Encoding", "cookie, Accept-Encoding"),
            ("*", "*"),
        ] {
            let page = content(&[("content-type", "text/html"), ("vary", given)], 5_000);
            assert_eq!(page.identity().fields(None, None)[VARY], expected);
        }
        let page = content(&[("content-type", "text/html")], 5_000);
        assert_eq!(page.identity().fields(None, None)[VARY], "accept-encoding");
    }

    #[test]
    fn age_and_cache_status_are_those_of_the_exchange() {
        let page = content(PAGE, 5_000);
        let made_now = page.identity().fields(None, None);
        assert!(!made_now.contains_key(AGE) && !made_now.contains_key(CACHE_STATUS));
        let hit = HeaderValue::from_static("siteserver; hit");
        let stored = page.identity().fields(Some(Duration::from_millis(9_999)), Some(hit.clone()));
        assert_eq!((&stored[AGE], &stored[CACHE_STATUS]), (&HeaderValue::from(9), &hit));
        assert_eq!(page.identity().field(&AGE), None);
    }

    #[test]
    fn a_304_has_the_fields_that_validate_and_no_others() {
        let page = content(PAGE, 5_000);
        let fields = page.make(Coding::Gzip).not_modified_fields(Some(Duration::from_secs(3)), None);
        assert_eq!(fields[ETAG], page.make(Coding::Gzip).entity_tag().unwrap());
        assert_eq!(fields[CACHE_CONTROL], "public, max-age=0");
        assert_eq!(fields[AGE], "3");
        for absent in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
            assert!(!fields.contains_key(&absent), "{absent}");
        }
    }

    #[test]
    fn what_is_for_one_person_or_one_connection_is_not_kept() {
        for name in ["set-cookie", "set-cookie2"] {
            let fields = fields(&[("content-type", "text/html"), (name, "session=1")]);
            assert_eq!(StorableFields::new(fields).unwrap_err(), NotStorableFields::SetCookie);
        }
        let kept = StorableFields::new(fields(&[
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("age", "12"),
            ("content-length", "7"),
            ("x-end", "1"),
        ]));
        let kept = kept.unwrap().0;
        assert_eq!(kept.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-end"]);
    }
}
