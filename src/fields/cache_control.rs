//! `Cache-Control` (RFC 9111, section 5.2; RFC 5861; `immutable` RFC 8246) and the fields that say the same to some caches alone (RFC 9213):
//! as we write them, and as we read those of others.
//!
//! Reading `Cache-Control` is tolerant and errs towards not reusing: a lifetime that is no number counts as zero (RFC 9111, section 4.2.1),
//! of two the first counts, unknown directives are ignored, a quoted string that is never closed hides nothing that forbids. Targeted
//! fields are Structured Fields: malformed anywhere, they say nothing at all (RFC 9213, section 2.1).

use super::age::delta_seconds;
use super::list::{is_open, members, token_or_quoted};
use super::structured::{BareItem, dictionary};
use std::fmt::Write as _;

/// The longest lifetime in seconds; longer ones are read as this (RFC 9111, section 1.2.2).
const LONGEST: u32 = 1 << 31;

/// What `no-cache` or `private` is said about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole response.
    Response,
    /// These fields of it, in lower case.
    Fields(Vec<String>),
}

/// The directives of a response. Lifetimes are in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive that is there or not")]
pub struct CacheControl {
    /// Any cache may store it.
    pub public: bool,
    /// Only the client's own cache may store it.
    pub private: Option<Scope>,
    /// No cache may store it.
    pub no_store: bool,
    /// It may be stored, but not reused without validation.
    pub no_cache: Option<Scope>,
    /// Once stale, it must not be reused without validation.
    pub must_revalidate: bool,
    /// The same for shared caches.
    pub proxy_revalidate: bool,
    /// Only caches that know the status code may store it; `no-store` is for those that do not.
    pub must_understand: bool,
    /// The content must not be changed on the way.
    pub no_transform: bool,
    /// It does not change while it is fresh.
    pub immutable: bool,
    /// How long it is fresh.
    pub max_age: Option<u32>,
    /// How long it is fresh in shared caches.
    pub s_maxage: Option<u32>,
    /// How long after that it may be served while it is fetched anew.
    pub stale_while_revalidate: Option<u32>,
    /// How long after that it may be served in place of an error.
    pub stale_if_error: Option<u32>,
}

/// The directives of a request. Times are in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive that is there or not")]
pub struct RequestCacheControl {
    /// The oldest response that will do.
    pub max_age: Option<u32>,
    /// Whether a stale one will do.
    pub max_stale: Option<MaxStale>,
    /// How long the response must stay fresh.
    pub min_fresh: Option<u32>,
    /// None without validation.
    pub no_cache: bool,
    /// Nothing of this exchange may be stored.
    pub no_store: bool,
    /// The content must not be changed on the way.
    pub no_transform: bool,
    /// From the cache or not at all: 504.
    pub only_if_cached: bool,
    /// How stale a response in place of an error may be.
    pub stale_if_error: Option<u32>,
}

/// How stale a response may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxStale {
    /// However stale.
    Any,
    /// At most so many seconds.
    Seconds(u32),
}

impl CacheControl {
    /// Reads the field lines of a response.
    pub fn parse<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Self {
        let mut parsed = Self::default();
        for member in lines.into_iter().flat_map(members) {
            parsed.read(&Directive::new(member));
            if is_open(member) {
                parsed.forbid(member);
            }
        }
        parsed
    }

    /// Reads what a quoted string holds that is never closed, as far as it forbids: it may have been meant.
    fn forbid(&mut self, member: &[u8]) {
        let mut hidden = Self::default();
        for part in member.split(|byte| *byte == b',') {
            hidden.read(&Directive::new(part.trim_ascii()));
        }
        self.no_store |= hidden.no_store;
        self.must_revalidate |= hidden.must_revalidate;
        self.proxy_revalidate |= hidden.proxy_revalidate;
        for (slot, is_said) in [(&mut self.private, hidden.private), (&mut self.no_cache, hidden.no_cache)] {
            if is_said.is_some() {
                *slot = Some(Scope::Response);
            }
        }
    }

    /// Reads the lines of a field that is meant for certain caches (RFC 9213, section 2.1). None if it is absent, empty or malformed: then
    /// it counts as if it were not there.
    ///
    /// A value of another type than the directive's is not taken for it. Something that forbids does so with any value but false, and a
    /// lifetime that is no whole number is none at all: both err towards not reusing.
    pub fn parse_targeted<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Option<Self> {
        let members = dictionary(lines).filter(|members| !members.is_empty())?;
        let mut parsed = Self::default();
        for (name, value) in &members {
            let (is_true, is_said) = (*value == BareItem::Boolean(true), *value != BareItem::Boolean(false));
            match name.as_str() {
                "public" => parsed.public = is_true,
                "private" => parsed.private = scope(value),
                "no-store" => parsed.no_store = is_said,
                "no-cache" => parsed.no_cache = scope(value),
                "must-revalidate" => parsed.must_revalidate = is_said,
                "proxy-revalidate" => parsed.proxy_revalidate = is_said,
                "must-understand" => parsed.must_understand = is_true,
                "no-transform" => parsed.no_transform = is_said,
                "immutable" => parsed.immutable = is_true,
                "max-age" => parsed.max_age = Some(whole(value).unwrap_or(0)),
                "s-maxage" => parsed.s_maxage = Some(whole(value).unwrap_or(0)),
                "stale-while-revalidate" => parsed.stale_while_revalidate = whole(value),
                "stale-if-error" => parsed.stale_if_error = whole(value),
                _ => {}
            }
        }
        Some(parsed)
    }

    fn read(&mut self, directive: &Directive<'_>) {
        match directive.name() {
            b"public" => self.public = true,
            b"private" => directive.widen(&mut self.private),
            b"no-store" => self.no_store = true,
            b"no-cache" => directive.widen(&mut self.no_cache),
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            b"no-transform" => self.no_transform = true,
            b"immutable" => self.immutable = true,
            b"max-age" => directive.set_seconds(&mut self.max_age),
            b"s-maxage" => directive.set_seconds(&mut self.s_maxage),
            b"stale-while-revalidate" => directive.set_seconds(&mut self.stale_while_revalidate),
            b"stale-if-error" => directive.set_seconds(&mut self.stale_if_error),
            _ => {}
        }
    }

    /// The field's value, directives always in one order; empty if there are none.
    pub fn write(&self) -> String {
        let Self {
            public,
            private,
            no_store,
            no_cache,
            must_revalidate,
            proxy_revalidate,
            must_understand,
            no_transform,
            immutable,
            max_age,
            s_maxage,
            stale_while_revalidate,
            stale_if_error,
        } = self;
        let mut writer = Writer(String::new());
        writer.flag("public", *public);
        writer.scope("private", private.as_ref());
        writer.flag("no-store", *no_store);
        writer.scope("no-cache", no_cache.as_ref());
        writer.flag("must-revalidate", *must_revalidate);
        writer.flag("proxy-revalidate", *proxy_revalidate);
        writer.flag("must-understand", *must_understand);
        writer.flag("no-transform", *no_transform);
        writer.flag("immutable", *immutable);
        writer.seconds("max-age", *max_age);
        writer.seconds("s-maxage", *s_maxage);
        writer.seconds("stale-while-revalidate", *stale_while_revalidate);
        writer.seconds("stale-if-error", *stale_if_error);
        writer.0
    }
}

impl RequestCacheControl {
    /// Reads the field lines of a request.
    pub fn parse<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Self {
        let mut parsed = Self::default();
        for member in lines.into_iter().flat_map(members) {
            let directive = Directive::new(member);
            match directive.name() {
                b"max-age" => directive.set_seconds(&mut parsed.max_age),
                b"max-stale" if parsed.max_stale.is_none() => {
                    let seconds = |_: &&[u8]| MaxStale::Seconds(directive.seconds());
                    parsed.max_stale = Some(directive.argument.as_ref().map_or(MaxStale::Any, seconds));
                }
                b"min-fresh" => directive.set_seconds(&mut parsed.min_fresh),
                b"no-cache" => parsed.no_cache = true,
                b"no-store" => parsed.no_store = true,
                b"no-transform" => parsed.no_transform = true,
                b"only-if-cached" => parsed.only_if_cached = true,
                b"stale-if-error" => directive.set_seconds(&mut parsed.stale_if_error),
                _ => {}
            }
        }
        parsed
    }
}

/// Room for the name of every directive there is.
const LONGEST_NAME: usize = 24;

/// A directive as received.
struct Directive<'m> {
    /// In lower case.
    name: [u8; LONGEST_NAME],
    length: usize,
    argument: Option<&'m [u8]>,
}

impl<'m> Directive<'m> {
    fn new(member: &'m [u8]) -> Self {
        let mut parts = member.splitn(2, |byte| *byte == b'=');
        let written = parts.next().unwrap_or_default();
        // No white space may stand on either side of the sign: what it separates is no argument that could be trusted.
        let is_loose = written.last().is_some_and(u8::is_ascii_whitespace);
        let argument = parts.next().map(|argument| if is_loose { b"".as_slice() } else { argument });
        let written = written.trim_ascii();
        let mut name = [0; LONGEST_NAME];
        let mut length = 0;
        if let Some(place) = name.get_mut(..written.len()) {
            place.copy_from_slice(written);
            place.make_ascii_lowercase();
            length = written.len();
        }
        Self { name, length, argument }
    }

    /// Empty if it is longer than any that is known.
    fn name(&self) -> &[u8] {
        self.name.get(..self.length).unwrap_or_default()
    }

    /// Of several lifetimes the first counts.
    fn set_seconds(&self, slot: &mut Option<u32>) {
        slot.get_or_insert_with(|| self.seconds());
    }

    /// The argument as seconds; zero if it is no number.
    fn seconds(&self) -> u32 {
        self.argument.and_then(token_or_quoted).and_then(|digits| delta_seconds(&digits)).unwrap_or(0)
    }

    /// Said twice, it is said about all that either is said about. An argument that cannot be read is left aside, so that
    /// the directive is about the whole response.
    fn widen(&self, slot: &mut Option<Scope>) {
        let fields = self.argument.and_then(token_or_quoted).map(|names| field_names(&names)).unwrap_or_default();
        *slot = Some(match (slot.take(), fields.is_empty()) {
            (None, false) => Scope::Fields(fields),
            (Some(Scope::Fields(mut all)), false) => {
                all.extend(fields);
                Scope::Fields(all)
            }
            (Some(Scope::Response), _) | (_, true) => Scope::Response,
        });
    }
}

/// What a member of a targeted field says `private` or `no-cache` about.
fn scope(value: &BareItem) -> Option<Scope> {
    match value {
        BareItem::Boolean(is_said) => is_said.then_some(Scope::Response),
        BareItem::String(names) | BareItem::Token(names) => {
            let fields = field_names(names.as_bytes());
            Some(if fields.is_empty() { Scope::Response } else { Scope::Fields(fields) })
        }
        BareItem::Integer(_) | BareItem::Other => Some(Scope::Response),
    }
}

/// Seconds of a member of a targeted field. Less than none are none.
fn whole(value: &BareItem) -> Option<u32> {
    let BareItem::Integer(seconds) = value else { return None };
    Some(u32::try_from((*seconds).max(0)).map_or(LONGEST, |seconds| seconds.min(LONGEST)))
}

/// The names of a list in lower case; none if something in it is no name of a field.
fn field_names(names: &[u8]) -> Vec<String> {
    let name = |name: &[u8]| http::HeaderName::from_bytes(name).ok().map(|name| name.as_str().to_owned());
    members(names).map(name).collect::<Option<_>>().unwrap_or_default()
}

struct Writer(String);

impl Writer {
    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(name);
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.name(name);
        }
    }

    fn seconds(&mut self, name: &str, seconds: Option<u32>) {
        if let Some(seconds) = seconds {
            self.name(name);
            // Writing to a string cannot fail.
            write!(self.0, "={}", seconds.min(LONGEST)).unwrap_or_default();
        }
    }

    fn scope(&mut self, name: &str, scope: Option<&Scope>) {
        match scope {
            None => {}
            Some(Scope::Response) => self.name(name),
            Some(Scope::Fields(fields)) => {
                self.name(name);
                self.0.push_str("=\"");
                self.0.push_str(&fields.join(", "));
                self.0.push('"');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> CacheControl {
        CacheControl::parse([line.as_bytes()])
    }

    #[test]
    fn directives_are_written_in_one_order() {
        let page = CacheControl {
            stale_while_revalidate: Some(59),
            s_maxage: Some(10),
            max_age: Some(0),
            public: true,
            ..CacheControl::default()
        };
        assert_eq!(page.write(), "public, max-age=0, s-maxage=10, stale-while-revalidate=59");
        let personal = CacheControl { private: Some(Scope::Response), no_store: true, ..CacheControl::default() };
        assert_eq!(personal.write(), "private, no-store");
        assert_eq!(CacheControl::default().write(), "");
    }

    #[test]
    fn lifetimes_are_read_as_caches_should() {
        for (line, seconds) in [
            ("max-age=60", Some(60)),
            ("MAX-AGE=60", Some(60)),
            ("max-age=\"60\"", Some(60)),
            ("max-age=0060", Some(60)),
            ("max-age=99999999999999999999", Some(1 << 31)),
            ("max-age=4000000000", Some(1 << 31)),
            ("max-age=1, max-age=2", Some(1)),
            ("max-age", Some(0)),
            ("max-age=", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age=1.5", Some(0)),
            ("max-age= 60", Some(0)),
            ("max-age =60", Some(0)),
            ("max-age = 60", Some(0)),
            ("max-age='60'", Some(0)),
            ("max-age=60.0", Some(0)),
            ("max-age=a60", Some(0)),
            ("max-age=60a", Some(0)),
            ("max-age=+60", Some(0)),
            ("max-age=0, max-age=60", Some(0)),
            ("max-age=60;x", Some(0)),
            ("extension=\"max-age=60\", max-age=1", Some(1)),
            ("max-age=1, extension=\"max-age=60\"", Some(1)),
            ("extension=\"a, \\\", max-age=60\", max-age=1", Some(1)),
            ("a-directive-that-is-longer-than-any-that-is-known=5, max-age=60", Some(60)),
            ("max-age=1h", Some(0)),
            ("x-max-age=60", None),
            ("extension=\"max-age=60, private\"", None),
        ] {
            assert_eq!(parse(line).max_age, seconds, "{line}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let parsed = CacheControl::parse([&b"max-age=5, no-cache=\"Set-Cookie, X-A\""[..], b"Public,,s-maxage=7"]);
        assert_eq!(
            parsed,
            CacheControl {
                public: true,
                no_cache: Some(Scope::Fields(vec!["set-cookie".to_owned(), "x-a".to_owned()])),
                max_age: Some(5),
                s_maxage: Some(7),
                ..CacheControl::default()
            }
        );
    }

    #[test]
    fn an_unqualified_directive_covers_the_qualified_one() {
        for line in [
            "private, private=\"a\"",
            "private=\"a\", private",
            "private=\"\"",
            "private=\"a",
            "private=a b",
            "private=\"a b\"",
        ] {
            assert_eq!(parse(line).private, Some(Scope::Response), "{line}");
        }
        assert_eq!(parse("private=a").private, Some(Scope::Fields(vec!["a".to_owned()])));
    }

    #[test]
    fn a_quoted_string_that_is_never_closed_hides_nothing_that_forbids() {
        let parsed = parse("max-age=60, x=\"open, No-Store, private=a, max-age=5, public");
        assert!(parsed.no_store && !parsed.public);
        assert_eq!((parsed.private, parsed.max_age), (Some(Scope::Response), Some(60)));
        assert_eq!(parse("x=\"open, no-cache").no_cache, Some(Scope::Response));
        assert!(!parse("x=\"closed, no-store\"").no_store);
    }

    #[test]
    fn a_targeted_field_is_a_dictionary_or_nothing() {
        let read = |line: &str| CacheControl::parse_targeted([line.as_bytes()]);
        let max_age = |line: &str| read(line).and_then(|parsed| parsed.max_age);
        for (line, seconds) in [
            ("max-age=600", Some(600)),
            ("max-age=600;x=1", Some(600)),
            ("a=\"max-age=1\", max-age=600, b=(1 2), c=?0", Some(600)),
            ("max-age=1, max-age=600", Some(600)),
            ("max-age=999999999999999", Some(LONGEST)),
            ("max-age=-1", Some(0)),
            ("max-age=\"600\"", Some(0)),
            ("max-age=600.0", Some(0)),
            ("max-age", Some(0)),
            ("public", None),
        ] {
            assert!(read(line).is_some(), "{line}");
            assert_eq!(max_age(line), seconds, "{line}");
        }
        for line in ["", " ", "MaX-aGe=600", "max-age =600", "max-age= 600", "max-age=600, &&&", "max-age=600,"] {
            assert_eq!(read(line), None, "{line}");
        }
        let parsed =
            read("no-store=?0, private, no-cache=\"Set-Cookie, a\", must-revalidate, stale-if-error=\"5\"").unwrap();
        assert!(!parsed.no_store && parsed.must_revalidate);
        assert_eq!(parsed.private, Some(Scope::Response));
        assert_eq!(parsed.no_cache, Some(Scope::Fields(vec!["set-cookie".to_owned(), "a".to_owned()])));
        assert_eq!(parsed.stale_if_error, None);
        assert!(read("no-store=5").unwrap().no_store);
    }

    #[test]
    fn a_request_says_what_it_accepts() {
        let parsed = RequestCacheControl::parse([&b"max-stale, min-fresh=3, only-if-cached, no-cache"[..]]);
        assert_eq!(parsed.max_stale, Some(MaxStale::Any));
        assert_eq!(parsed.min_fresh, Some(3));
        assert!(parsed.only_if_cached && parsed.no_cache && !parsed.no_store);
        let parsed = RequestCacheControl::parse([&b"max-stale=20, max-age=0"[..]]);
        assert_eq!((parsed.max_stale, parsed.max_age), (Some(MaxStale::Seconds(20)), Some(0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(
            flags in any::<[bool; 7]>(),
            seconds in any::<[Option<u32>; 4]>(),
            fields in prop::collection::vec("[a-z]{1,8}", 1..3),
        ) {
            let [public, no_store, must_revalidate, proxy_revalidate, must_understand, no_transform, immutable] = flags;
            let [max_age, s_maxage, stale_while_revalidate, stale_if_error] =
                seconds.map(|seconds| seconds.map(|seconds| seconds.min(LONGEST)));
            let written = CacheControl {
                public, private: Some(Scope::Response), no_store, no_cache: Some(Scope::Fields(fields)), must_revalidate,
                proxy_revalidate, must_understand, no_transform, immutable, max_age, s_maxage, stale_while_revalidate,
                stale_if_error,
            };
            prop_assert_eq!(parse(&written.write()), written);
        }

        #[test]
        fn no_line_is_too_odd(line in prop::collection::vec(any::<u8>(), 0..60)) {
            let parsed = CacheControl::parse([&line[..]]);
            prop_assert_eq!(parse(&parsed.write()).write(), parsed.write());
            RequestCacheControl::parse([&line[..]]);
        }
    }
}
