//! The `[cache]` table: what everybody downstream, and our own page store, may do with a page.

use super::code;
use crate::cache::Lifetime;
use crate::config::declare;
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use http::HeaderValue;
use std::time::Duration;

declare! {
    /// Cache directives, in HTTP's own words (RFC 9111, section 5.2.2; RFC 5861).
    pub struct Decl {
        /// Any cache may store it, even if the request carried a credential.
        "public": public: Spanned<bool>,
        /// Only the visitor's own cache may store it.
        "private": private: Spanned<bool>,
        /// Nobody stores it.
        "no-store": no_store: Spanned<bool>,
        /// Whoever stores it asks again before each use.
        "no-cache": no_cache: Spanned<bool>,
        /// It is never used stale.
        "must-revalidate": must_revalidate: Spanned<bool>,
        /// Nobody may change it on the way.
        "no-transform": no_transform: Spanned<bool>,
        /// How long it is fresh in any cache.
        "max-age": max_age: Spanned<Duration>,
        /// How long it is fresh in shared caches, our own page store among them.
        "s-maxage": s_maxage: Spanned<Duration>,
        /// How long after that it may be served while it is made anew.
        "stale-while-revalidate": stale_while_revalidate: Spanned<Duration>,
        /// How long after that it may be served when it cannot be made anew.
        "stale-if-error": stale_if_error: Spanned<Duration>,
    }
}

/// What a route's answers may be used for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The value of `Cache-Control`.
    pub field: HeaderValue,
    /// What our page store may do; nothing if `None`.
    pub lifetime: Option<Lifetime>,
    /// Where it was declared; `None` for what is derived.
    pub declared: Option<Place>,
    /// Why `field` is not what was declared, or what it is without a declaration.
    pub derived: Option<&'static str>,
}

impl Policy {
    /// The policy of a public page that declares none: kept by anybody, asked about each time.
    pub fn revalidate() -> Self {
        let derived = Some("nothing is declared: anybody may keep a public page, and asks before each use");
        Self { field: HeaderValue::from_static("no-cache"), lifetime: None, declared: None, derived }
    }

    /// The policy of a personal page that declares none.
    pub fn personal() -> Self {
        let derived = Some("the page is one person's, and nothing else is declared");
        Self { field: HeaderValue::from_static("private, no-store"), lifetime: None, declared: None, derived }
    }

    /// The same for a page of which a cookie chooses the variant: our store keeps one for each, and caches on the way keep none.
    pub fn keep_from_the_way(&mut self) {
        self.field = HeaderValue::from_static("private, no-cache");
        self.derived =
            Some("a cookie chooses among its variants: our store keeps one for each, and caches on the way none");
    }

    /// Whether it lets shared caches keep the page.
    pub fn is_shared(&self) -> bool {
        self.lifetime.is_some_and(|lifetime| lifetime.allowance().is_ok())
            || self.field.as_bytes().windows(6).any(|word| word == b"public")
    }

    /// Whether it lets nobody keep the page, not even the visitor.
    pub fn is_no_store(&self) -> bool {
        self.field.as_bytes().windows(8).any(|word| word == b"no-store")
    }

    /// What a `[cache]` table says.
    pub fn compile(decl: &Decl, findings: &mut Findings) -> Self {
        let on = |flag: Option<Spanned<bool>>| flag.filter(|flag| flag.value).map(|flag| flag.place);
        let Decl { place, public, private, no_store, no_cache, must_revalidate, no_transform, .. } = decl;
        let flags = [
            ("public", on(*public)),
            ("private", on(*private)),
            ("no-store", on(*no_store)),
            ("no-cache", on(*no_cache)),
            ("must-revalidate", on(*must_revalidate)),
            ("no-transform", on(*no_transform)),
        ];
        let ages = [
            ("max-age", decl.max_age),
            ("s-maxage", decl.s_maxage),
            ("stale-while-revalidate", decl.stale_while_revalidate),
            ("stale-if-error", decl.stale_if_error),
        ];
        contradictions(&flags, &ages, findings);
        let value =
            |name: &str| ages.iter().find(|(key, _)| *key == name).and_then(|(_, age)| age.map(|age| age.value));
        let is_on = |name: &str| flags.iter().any(|(key, place)| *key == name && place.is_some());
        let lifetime = Lifetime {
            max_age: value("max-age"),
            s_maxage: value("s-maxage"),
            stale_while_revalidate: value("stale-while-revalidate"),
            stale_if_error: value("stale-if-error"),
            no_store: is_on("no-store"),
            no_cache: is_on("no-cache"),
            private: is_on("private"),
            must_revalidate: is_on("must-revalidate"),
        };
        let mut words: Vec<String> =
            flags.iter().filter(|(_, place)| place.is_some()).map(|(key, _)| (*key).to_owned()).collect();
        // `s-maxage` alone means: shared caches keep it, browsers ask each time.
        if value("s-maxage").is_some() && !is_on("public") && !is_on("no-store") {
            words.insert(0, "public".into());
        }
        for (key, age) in ages {
            let implied = (key == "max-age" && value("s-maxage").is_some()).then_some(Duration::ZERO);
            if let Some(age) = age.map(|age| age.value).or(implied) {
                words.push(format!("{key}={}", age.as_secs()));
            }
        }
        let field = HeaderValue::from_str(&words.join(", ")).unwrap_or(HeaderValue::from_static("no-cache"));
        if words.is_empty() {
            return Self { declared: Some(*place), derived: None, ..Self::revalidate() };
        }
        let lifetime = lifetime.allowance().is_ok().then_some(lifetime);
        Self { field, lifetime, declared: Some(*place), derived: None }
    }
}

fn contradictions(
    flags: &[(&str, Option<Place>)],
    ages: &[(&str, Option<Spanned<Duration>>)],
    findings: &mut Findings,
) {
    let place = |name: &str| {
        let flag = flags.iter().find(|(key, _)| *key == name).and_then(|(_, place)| *place);
        flag.or_else(|| ages.iter().find(|(key, _)| *key == name).and_then(|(_, age)| age.map(|age| age.place)))
    };
    for (left, right, why) in [
        ("public", "private", "it is either for everybody or for one"),
        ("private", "s-maxage", "`s-maxage` speaks to shared caches, which may not store it"),
        ("public", "no-store", "nobody stores it"),
        ("no-store", "max-age", "nobody stores it"),
        ("no-store", "s-maxage", "nobody stores it"),
        ("no-store", "no-cache", "nobody stores it"),
        ("no-store", "must-revalidate", "nobody stores it"),
        ("no-store", "stale-while-revalidate", "nobody stores it"),
        ("no-store", "stale-if-error", "nobody stores it"),
        ("must-revalidate", "stale-while-revalidate", "it is never used stale"),
        ("must-revalidate", "stale-if-error", "it is never used stale"),
        ("no-cache", "s-maxage", "with `no-cache` every use is asked about first"),
        ("no-cache", "max-age", "with `no-cache` every use is asked about first"),
        ("no-cache", "stale-while-revalidate", "with `no-cache` every use is asked about first"),
    ] {
        if let (Some(first), Some(second)) = (place(left), place(right)) {
            findings.push(
                Finding::new(&code::CACHE_CONTRADICTION, second, format!("`{right}` beside `{left}`"))
                    .related(first, why)
                    .help("keep the one that is meant"),
            );
        }
    }
    for (name, age) in ages {
        if let Some(age) = age
            && age.value.subsec_nanos() != 0
        {
            findings.push(
                Finding::new(&crate::config::BAD_VALUE, age.place, format!("`{name}` of a fraction of a second"))
                    .help("HTTP counts whole seconds"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Decode, Kind, Node, read_toml};
    use crate::diagnostic::Files;

    fn policy(text: &str) -> (Policy, Vec<String>) {
        let mut files = Files::default();
        let mut findings = Findings::default();
        let file = files.add("a.toml", text);
        let table = read_toml(file, 0..text.len(), &files, &mut findings);
        let place = table.place;
        let decl = Decl::decode(&Node { kind: Kind::Table(table), place }, &mut findings).unwrap();
        let policy = Policy::compile(&decl, &mut findings);
        (policy, findings.iter().map(|finding| finding.message.clone()).collect())
    }

    #[test]
    fn directives_are_sent_in_https_own_words() {
        for (text, field, stored) in [
            (
                "s-maxage = '10s'\nstale-while-revalidate = '59s'",
                "public, max-age=0, s-maxage=10, stale-while-revalidate=59",
                true,
            ),
            ("public = true\nmax-age = '1h'", "public, max-age=3600", true),
            ("max-age = '1h'", "max-age=3600", true),
            ("private = true\nmax-age = '60s'", "private, max-age=60", false),
            ("no-store = true", "no-store", false),
            ("no-cache = true", "no-cache", false),
            ("", "no-cache", false),
        ] {
            let (policy, findings) = policy(text);
            assert!(findings.is_empty(), "{text}: {findings:?}");
            assert_eq!(policy.field, field, "{text}");
            assert_eq!(policy.lifetime.is_some(), stored, "{text}");
        }
    }

    #[test]
    fn no_store_is_seen_among_other_words() {
        for (text, expected) in [
            ("no-store = true", true),
            ("private = true\nno-store = true", true),
            ("private = true\nno-cache = true", false),
            ("s-maxage = '10s'", false),
        ] {
            assert_eq!(policy(text).0.is_no_store(), expected, "{text}");
        }
    }

    #[test]
    fn contradictions_are_found() {
        for text in [
            "private = true\ns-maxage = '1s'",
            "public = true\nprivate = true",
            "no-store = true\nmax-age = '1s'",
            "must-revalidate = true\nstale-if-error = '1s'",
            "max-age = '1500ms'",
        ] {
            assert_eq!(policy(text).1.len(), 1, "{text}: {:?}", policy(text).1);
        }
    }
}
