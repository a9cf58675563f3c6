//! The rules beside another implementation of them, the `http-cache-semantics` crate: random exchanges through both. Each difference has a
//! reason in the list, which says what the crate does and why we do not; one that has none fails the test, and so does a reason that
//! explains nothing any more.
//!
//! The crate panics at an `Age` that is larger than a duration can be: none is sent to it.

use super::*;
use crate::cache::Jitter;
use crate::cache::rules::{Demand, LifetimeSource, Reuse, VaryNames, reuse};
use http::{Request, Response};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use std::collections::BTreeMap;
use std::time::Instant;

/// One exchange, and a second request some time after it.
#[derive(Debug)]
struct Case {
    status: u16,
    request: Vec<(&'static str, &'static str)>,
    response: Vec<(&'static str, &'static str)>,
    second: Vec<(&'static str, &'static str)>,
    elapsed: u64,
}

/// What one of the two makes of it.
#[derive(Debug, PartialEq, Eq)]
struct Opinion {
    is_stored: bool,
    /// Whether what is stored answers the second request without being validated, and not because it is being fetched anew.
    answers: bool,
}

fn values<'c>(lines: &'c [(&'static str, &'static str)], name: &'c str) -> impl Iterator<Item = &'static str> + 'c {
    lines.iter().filter(move |line| line.0 == name).map(|line| line.1)
}

impl Case {
    /// All that the response's `Cache-Control` says, as it is written.
    fn control(&self) -> String {
        values(&self.response, "cache-control").collect::<Vec<_>>().join(", ")
    }

    fn says(&self, text: &str) -> bool {
        self.control().to_lowercase().contains(text)
    }

    fn has(&self, name: &str) -> bool {
        values(&self.response, name).next().is_some()
    }

    fn second_says(&self, text: &str) -> bool {
        values(&self.second, "cache-control").any(|line| line.contains(text))
    }
}

/// What we make of it, and what we read.
fn ours(case: &Case) -> (Opinion, Option<Terms>) {
    let settings = Settings { targets: Vec::new(), ..Settings::default() };
    let terms = stored_with(&settings, &Method::GET, &case.request, case.status, &case.response).ok();
    let answers = terms.as_ref().is_some_and(|terms| {
        let begin = Instant::now();
        let windows = terms.windows(begin, Jitter::NONE);
        let (first, second) = (fields(&case.request), fields(&case.second));
        let demand = Demand::of(&second, &settings);
        let decided = reuse(terms, &windows, &demand, begin + seconds(case.elapsed));
        terms.vary.key(&first) == terms.vary.key(&second)
            && matches!(decided, Reuse::Fresh { .. } | Reuse::Accepted { .. })
    });
    (Opinion { is_stored: terms.is_some(), answers }, terms)
}

fn theirs(case: &Case) -> Opinion {
    let request = |lines: Lines<'_>| {
        let mut request = Request::builder().uri("http://origin.example/a/b?c").body(()).unwrap();
        *request.headers_mut() = fields(lines);
        request
    };
    let mut response = Response::builder().status(case.status).body(()).unwrap();
    *response.headers_mut() = fields(&case.response);
    let policy = CachePolicy::new_options(&request(&case.request), &response, now(), CacheOptions::default());
    let later = policy.before_request(&request(&case.second), now() + seconds(case.elapsed));
    let is_stored = policy.is_storable();
    Opinion { is_stored, answers: is_stored && matches!(later, BeforeRequest::Fresh(_)) }
}

/// Why two opinions may differ: what the crate does, and in which cases it may show.
struct Reason {
    what: &'static str,
    explains: fn(&Case, Option<&Terms>, &Opinion, &Opinion) -> bool,
}

/// We store or answer, and the crate does not.
fn only_we(ours: &Opinion, theirs: &Opinion) -> bool {
    (ours.is_stored && !theirs.is_stored) || (ours.is_stored == theirs.is_stored && ours.answers && !theirs.answers)
}

/// The crate stores or answers, and we do not.
fn only_it(ours: &Opinion, theirs: &Opinion) -> bool {
    !only_we(ours, theirs) && ours != theirs
}

const REASONS: &[Reason] = &[
    Reason {
        what: "directive names in capitals are not seen: a private response is stored",
        explains: |case, _, _, _| {
            let has_capitals = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
            has_capitals(&case.control())
                || values(&case.request, "cache-control").chain(values(&case.second, "cache-control")).any(has_capitals)
        },
    },
    Reason { what: "a comma in a quoted string separates directives", explains: |case, _, _, _| case.says("\"a, ") },
    Reason {
        what: "private or no-cache about a field is about the response",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs) && (case.says("private=\"x") || case.says("no-cache=\"x"))
        },
    },
    Reason {
        what: "fourteen statuses are stored, and no others whatever they say",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs) && !theirs.is_stored && matches!(case.status, 206 | 299 | 403 | 499 | 500 | 503 | 599)
        },
    },
    Reason {
        what: "must-understand is not known",
        explains: |case, _, ours, theirs| only_we(ours, theirs) && !theirs.is_stored && case.says("must-understand"),
    },
    Reason {
        what: "what could never answer nor be validated is stored",
        explains: |case, _, ours, theirs| {
            let is_of_no_use = !case.has("etag") && !case.has("last-modified");
            let is_wanted_stale = case.second_says("max-stale");
            only_it(ours, theirs) && !ours.is_stored && is_of_no_use && (!theirs.answers || is_wanted_stale)
        },
    },
    Reason {
        what: "what sets a cookie is stored, and never fresh unless it says public or immutable",
        explains: |case, _, ours, theirs| {
            case.has("set-cookie") && (only_we(ours, theirs) || (only_it(ours, theirs) && !ours.is_stored))
        },
    },
    Reason {
        what: "Vary: * is stored, and matches if it is not the first line",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && values(&case.response, "vary").any(|line| line.contains('*'))
        },
    },
    Reason {
        what: "two values of one directive are as good as must-revalidate, which lets what was asked for with a credential be stored",
        explains: |case, _, ours, theirs| {
            ["max-age", "no-cache", "private"].iter().any(|name| case.control().matches(name).count() > 1)
                && ((only_it(ours, theirs) && values(&case.request, "authorization").next().is_some())
                    || (only_we(ours, theirs) && case.second_says("max-stale")))
        },
    },
    Reason {
        what: "the age that Date tells is not counted",
        explains: |case, terms, ours, theirs| {
            only_it(ours, theirs) && case.has("date") && terms.is_none_or(|terms| !terms.initial_age.is_zero())
        },
    },
    Reason {
        what: "an Age of several members, or a number beyond 64 bits, is ignored",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && values(&case.response, "age").any(|age| age.contains(',') || age.len() > 19)
        },
    },
    Reason {
        what: "a sign before an Age is no hindrance",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs) && values(&case.response, "age").any(|age| age.starts_with('+'))
        },
    },
    Reason {
        what: "a lifetime without a value is as if it were not said",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && case.control().split(',').any(|directive| directive.trim() == "max-age")
        },
    },
    Reason {
        what: "a sign or white space before a lifetime is no hindrance",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && (case.says("= 60") || case.says("=+60") || case.says(" =60"))
        },
    },
    Reason {
        what: "a lifetime beyond 64 bits is none",
        explains: |case, _, ours, theirs| only_we(ours, theirs) && case.says("=99999999999999999999"),
    },
    Reason {
        what: "dates are RFC 2822's: neither RFC 850's nor asctime's, but any zone and a missing zero",
        explains: |case, _, _, _| {
            ["expires", "date", "last-modified"].iter().flat_map(|name| values(&case.response, name)).any(|date| {
                date.contains("day,")
                    || date.starts_with("Sun Nov")
                    || date.ends_with("+0000")
                    || date.contains(" 8:")
                    || date.ends_with("gmt")
                    || date.ends_with("UTC")
            })
        },
    },
    Reason {
        what: "of several Expires the first counts",
        explains: |case, _, ours, theirs| only_it(ours, theirs) && values(&case.response, "expires").count() > 1,
    },
    Reason {
        what: "a lifetime is guessed without a limit",
        explains: |case, terms, ours, theirs| {
            only_it(ours, theirs)
                && case.elapsed >= 86_000
                && terms.is_some_and(|terms| terms.lifetime_source == LifetimeSource::Heuristic)
        },
    },
    Reason {
        what: "a lifetime is guessed for what was asked for with cookies or a credential",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs)
                && (values(&case.request, "cookie").next().is_some()
                    || values(&case.request, "authorization").next().is_some())
                && case.has("last-modified")
        },
    },
    Reason {
        what: "what a cookie asked for, and what says no lifetime, answers others who accept what is stale",
        explains: |case, _, ours, theirs| {
            let is_asked = values(&case.request, "cookie").next().is_some();
            only_it(ours, theirs) && is_asked && !case.has("last-modified")
        },
    },
    Reason {
        what: "immutable gives a day where no lifetime is said, and where one is that has passed",
        explains: |case, _, ours, theirs| only_it(ours, theirs) && case.says("immutable"),
    },
    Reason {
        what: "the max-age of a request is heard of what is immutable",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs) && case.says("immutable") && case.second_says("max-age=")
        },
    },
    Reason {
        what: "proxy-revalidate is never fresh",
        explains: |case, _, ours, theirs| only_we(ours, theirs) && case.says("proxy-revalidate"),
    },
    Reason {
        what: "the Pragma of a response is no-cache",
        explains: |case, _, ours, theirs| only_we(ours, theirs) && case.has("pragma"),
    },
    Reason {
        what: "the Pragma of a request is heard beside its Cache-Control",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs)
                && values(&case.second, "pragma").next().is_some()
                && values(&case.second, "cache-control").next().is_some()
        },
    },
    Reason {
        what: "max-stale is heard beside s-maxage and proxy-revalidate",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs)
                && case.second_says("max-stale")
                && (case.says("s-maxage") || case.says("proxy-revalidate"))
        },
    },
    Reason {
        what: "max-stale is heard of what says no-cache",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && case.second_says("max-stale") && case.says("no-cache")
        },
    },
    Reason {
        what: "max-stale=5 excludes five seconds",
        explains: |case, _, ours, theirs| only_we(ours, theirs) && case.second_says("max-stale=5"),
    },
    Reason {
        what: "a number in a request that is none is as if it were not said",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs) && (case.second_says("max-age=x") || case.second_says("max-stale=x"))
        },
    },
    Reason {
        what: "selecting fields must be the same to the octet, and of several lines the first alone counts",
        explains: |case, _, ours, theirs| {
            only_we(ours, theirs)
                && !theirs.answers
                && VaryNames::of(&fields(&case.response)).is_some_and(|names| {
                    !names.is_empty() && names.key(&fields(&case.request)) == names.key(&fields(&case.second))
                })
        },
    },
    Reason {
        what: "of the lines of a selecting field the first alone counts",
        explains: |case, _, ours, theirs| {
            only_it(ours, theirs)
                && VaryNames::of(&fields(&case.response))
                    .is_some_and(|names| names.key(&fields(&case.request)) != names.key(&fields(&case.second)))
        },
    },
];

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % count
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// One of these lines, in one case of so many.
    fn line(
        &mut self,
        lines: &mut Vec<(&'static str, &'static str)>,
        one_in: usize,
        name: &'static str,
        from: &[&'static str],
    ) {
        if self.below(one_in) == 0 {
            let value = self.pick(from);
            lines.push((name, value));
        }
    }
}

const DIRECTIVES: &[&str] = &[
    "max-age=60",
    "max-age=60, s-maxage=10",
    "s-maxage=600",
    "max-age=0",
    "max-age=600000",
    "no-store",
    "no-cache",
    "private",
    "public",
    "public, max-age=60",
    "must-revalidate",
    "max-age=60, must-revalidate",
    "max-age=60, proxy-revalidate",
    "max-age=60, immutable",
    "immutable",
    "Max-Age=60",
    "Private, max-age=60",
    "No-Store",
    "no-store, must-understand, max-age=60",
    "max-age=60, x=\"a, no-store\"",
    "x=\"a, max-age=60\"",
    "x=\"open, no-store , max-age=60",
    "max-age=60, private=\"x-p\"",
    "max-age=60, no-cache=\"x-n\"",
    "max-age=10, max-age=60",
    "max-age=60, max-age=10",
    "max-age",
    "max-age=",
    "max-age=-60",
    "max-age=60.5",
    "max-age=\"60\"",
    "max-age='60'",
    "max-age= 60",
    "max-age =60",
    "max-age=+60",
    "max-age=2147483649",
    "max-age=99999999999999999999",
    "stale-while-revalidate=60, max-age=5",
    "foo, bar=1",
];

const DATES: &[&str] = &[
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:07 GMT",
    "Sun, 06 Nov 1994 08:50:07 GMT",
    "Sun, 06 Nov 1994 08:59:37 GMT",
    "Sun, 06 Nov 1994 07:49:37 GMT",
    "Sat, 05 Nov 1994 08:49:37 GMT",
    "Fri, 06 Nov 1987 08:49:37 GMT",
    "Sun, 06 Nov 2044 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:59:37 GMT",
    "Sun Nov  6 08:59:37 1994",
    "Sun, 06 Nov 1994 08:59:37 +0000",
    "Sun, 06 Nov 1994 8:59:37 GMT",
    "Sun, 06 Nov 1994 08:59:37 gmt",
    "Sun, 06 Nov 1994 08:59:37 UTC",
    "0",
    "",
];

fn random_case(random: &mut Random) -> Case {
    let (mut request, mut response, mut second) = (Vec::new(), Vec::new(), Vec::new());
    random.line(&mut request, 12, "cache-control", &["no-store", "No-Store", "max-age=0"]);
    random.line(&mut request, 8, "authorization", &["Basic x"]);
    random.line(&mut request, 8, "cookie", &["a=1"]);
    for lines in [&mut request, &mut second] {
        random.line(lines, 2, "accept-language", &["en, de", "de, en", "EN,de"]);
        random.line(lines, 3, "accept-language", &["fr"]);
    }
    random.line(&mut response, 3, "vary", &["accept-language", "Accept-Language, cookie", "*", "foo, *", "foo"]);
    random.line(&mut response, 20, "vary", &["*"]);
    random.line(&mut response, 2, "cache-control", &["max-age=60", "no-cache", "public", "foo"]);
    random.line(&mut response, 2, "cache-control", DIRECTIVES);
    random.line(&mut response, 3, "expires", DATES);
    random.line(&mut response, 6, "expires", DATES);
    random.line(&mut response, 3, "date", DATES);
    random.line(&mut response, 3, "last-modified", DATES);
    random.line(&mut response, 3, "etag", &["\"a\""]);
    random.line(&mut response, 8, "set-cookie", &["a=1"]);
    random.line(&mut response, 12, "pragma", &["no-cache"]);
    random.line(
        &mut response,
        4,
        "age",
        &["0", "5", "30", "59", "60", "5, 0", "0, 600", "-60", "60.0", "a", "+60", "99999999999999999999"],
    );
    random.line(
        &mut second,
        3,
        "cache-control",
        &[
            "no-cache",
            "No-Cache",
            "max-age=0",
            "max-age=5",
            "max-age=x",
            "max-stale",
            "max-stale=5",
            "max-stale=x",
            "min-fresh=5",
            "min-fresh=600",
            "foo",
            "no-store",
        ],
    );
    random.line(&mut second, 12, "pragma", &["no-cache"]);
    let statuses = [200, 200, 200, 200, 203, 299, 301, 302, 403, 404, 410, 499, 500, 503, 599, 304, 412];
    let elapsed = random.pick(&[0, 0, 5, 9, 10, 29, 59, 60, 65, 66, 600, 8640, 86_400, 700_000]);
    Case { status: random.pick(&statuses), request, response, second, elapsed }
}

#[test]
fn every_difference_has_a_reason() {
    let rounds = if std::env::var_os("SITESERVER_PROVE").is_some() { 5_000_000 } else { 60_000 };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut explained: BTreeMap<&str, u32> = REASONS.iter().map(|reason| (reason.what, 0)).collect();
    let (mut agreed, mut unexplained) = (0, Vec::new());
    for _ in 0..rounds {
        let case = random_case(&mut random);
        let ((ours, terms), theirs) = (ours(&case), theirs(&case));
        if ours == theirs {
            agreed += 1;
            continue;
        }
        let mut reasons = REASONS.iter().filter(|reason| (reason.explains)(&case, terms.as_ref(), &ours, &theirs));
        let reason = reasons.next();
        if reason.is_none() && unexplained.len() < 20 {
            unexplained.push(format!("{case:?}\n    ours {ours:?}, theirs {theirs:?}"));
        }
        // What has one reason alone shows that it is needed.
        if let (Some(reason), None) = (reason, reasons.next()) {
            *explained.entry(reason.what).or_default() += 1;
        }
    }
    assert!(unexplained.is_empty(), "no reason is listed:\n{}", unexplained.join("\n"));
    let idle: Vec<_> = explained.iter().filter(|(_, count)| **count == 0).collect();
    assert!(idle.is_empty(), "reasons that explain nothing: {idle:#?}");
    assert!(agreed * 2 > rounds, "both agree on {agreed} of {rounds} only");
}
