//! Exchanges at random: whether they are stored, on what terms, and what is done with them for a second request some time later.

use super::super::seconds;
use super::assert_all_asked;
use super::changes;
use super::keeping::{self, Exchanged, Verdict};
use super::random::Random;
use super::read::Lines;
use super::targeted;
use crate::cache::Jitter;
use crate::cache::rules::{
    Cookies, Demand, Exchange, Failure, NotStored, Reusable, Reuse, Settings, StoredUnder, Terms, may_serve_on_error,
    reuse, store,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// The names of the target, as the origin and as clients know it.
pub(super) const TARGETS: [&str; 2] = ["http://origin.example/a/b?c", "https://public.example/m?c"];

/// Sun, 06 Nov 1994 08:49:37 GMT
pub(super) const NOW: i64 = 784_111_777;

pub(super) fn map(lines: &Lines) -> HeaderMap {
    let line = |(name, value): &(String, String)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

pub(super) fn moment(seconds: i64) -> SystemTime {
    let away = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - away } else { SystemTime::UNIX_EPOCH + away }
}

/// What ours makes of an exchange.
pub(super) fn ours(exchange: &Exchanged, settings: &Settings) -> Result<Terms, NotStored> {
    let targets: Vec<Uri> = TARGETS.iter().map(|target| target.parse().unwrap()).collect();
    store(
        &Exchange {
            method: &Method::from_bytes(exchange.method.as_bytes()).unwrap(),
            targets: &targets.iter().collect::<Vec<_>>(),
            request: &map(&exchange.request),
            status: StatusCode::from_u16(exchange.status).unwrap(),
            response: &map(&exchange.response),
            received: moment(exchange.response_time),
            delay: seconds(u64::try_from(exchange.response_time - exchange.request_time).unwrap()),
        },
        settings,
    )
}

fn request_fields(random: &mut Random) -> Lines {
    let mut lines = Lines::new();
    random.request_control(&mut lines);
    random.line(&mut lines, 10, "authorization", &["Basic x", ""]);
    random.line(&mut lines, 12, "cookie", &["a=1", ""]);
    changes::selecting_fields(random, &mut lines);
    random.line(&mut lines, 2, "range", &["bytes=0-4", "bytes=5-", "bytes=-5", "foo=1"]);
    random.shuffled(&mut lines);
    lines
}

pub(super) fn exchange(random: &mut Random) -> Exchanged {
    let response_time = NOW;
    let request_time = NOW - random.pick(&[0, 0, 0, 1, 10, 61]);
    let mut response = Lines::new();
    random.response_control(&mut response);
    let targeted = [
        "max-age=60",
        "max-age=600, no-store",
        "no-cache",
        "private",
        "private=\"x-p\"",
        "max-age=60;a=b, foo",
        "max-age=\"60\"",
        "max-age=60.0",
        "Max-Age=60",
        "max-age=60,",
        "max-age=60, ",
        ",max-age=60",
        "max-age=5, max-age=60",
        "max-age=60, max-age=5",
        "s-maxage=60, max-age=5",
        "no-store=?0, max-age=60",
        "no-store=1",
        "public, must-revalidate, max-age=600",
        "max-age=-5",
        "max-age=9999999999999999",
        "max-age=999999999999999",
        "foo=(a b), max-age=60",
        "foo=:YQ==:, max-age=60",
        "max-age=60 , stale-while-revalidate=60",
        "stale-if-error=60;x",
        "max-age =60",
        "max-age= 60",
        "\"max-age\"=60",
        "",
        "foo",
        "max-age",
        "no-cache=x-p",
        "no-cache=?1",
        "max-age=60\tfoo",
        "max-age=60,\tfoo",
        "a=\"\\x\", max-age=60",
        "immutable, max-age=60",
    ];
    random.line(&mut response, 3, "cdn-cache-control", &targeted);
    random.line(&mut response, 10, "cdn-cache-control", &targeted);
    random.dated(&mut response, 2, "date", NOW);
    random.dated(&mut response, 4, "expires", NOW + 60);
    random.dated(&mut response, 20, "expires", NOW + 60);
    random.dated(&mut response, 3, "last-modified", NOW - 1000);
    random.line(&mut response, 3, "etag", &["\"a\"", "W/\"a\"", "a", ""]);
    random.line(&mut response, 8, "set-cookie", &["a=1"]);
    random.line(&mut response, 20, "pragma", &["no-cache", "foo", "No-Cache"]);
    let own = [
        "http://origin.example/a/b?c",
        "/a/b?c",
        "b?c",
        "/a/b",
        "?c",
        "",
        "HTTP://ORIGIN.example:80/a/b?c",
        "//origin.example/a/b?c",
        "https://public.example/m?c",
        "/m?c",
        "../a/b?c",
        "/a/./b?c",
        "https://origin.example/a/b?c",
        "/a/b?c#d",
        "/x",
    ];
    random.line(&mut response, 6, "content-location", &own);
    random.line(&mut response, 40, "content-location", &own);
    changes::vary_fields(random, &mut response);
    random.age(&mut response);
    let ranges = [
        "bytes 0-4/10",
        "bytes 5-9/10",
        "bytes 0-4/*",
        "bytes 4-2/10",
        "bytes 0-9/5",
        "foo 0-4/10",
        "bytes */10",
        "bytes 0-4",
        "Bytes 0-4/10",
    ];
    random.line(&mut response, 8, "content-range", &ranges);
    random.shuffled(&mut response);
    let statuses = [
        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 203, 204, 206, 206, 206, 299,
        300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 407, 410, 412, 414, 416, 417, 418, 421, 428, 429, 431,
        451, 499, 500, 501, 503, 504, 511, 599, 101,
    ];
    let method =
        if random.one_in(6) { random.pick(&["POST", "POST", "POST", "HEAD", "PUT", "FOO", "get"]) } else { "GET" };
    Exchanged {
        method: method.to_owned(),
        request: request_fields(random),
        status: random.pick(&statuses),
        response,
        request_time,
        response_time,
    }
}

fn settings(random: &mut Random) -> Settings {
    Settings {
        targets: if random.one_in(2) { Vec::new() } else { vec![HeaderName::from_static("cdn-cache-control")] },
        heuristics: !random.one_in(8),
        cookies: random.pick(&[Cookies::Explicit, Cookies::Explicit, Cookies::Public, Cookies::Never]),
        obeys_requests: !random.one_in(8),
        stale_when_unreachable: seconds(random.pick(&[86_400, 86_400, 0, 60])),
        ..Settings::default()
    }
}

/// Whether two times are the same, the literal one in tenths of seconds: what is beyond 2^31 is as much as that (RFC 9111, section 1.2.2).
fn is_same(literal: i128, ours: Duration) -> bool {
    let ours = i128::try_from(ours.as_millis() / 100).unwrap_or(i128::MAX);
    let (literal, ours) = (literal.clamp(0, 10 << 31), ours.min(10 << 31));
    literal == ours
}

/// Both lines of one difference.
fn differences(
    exchange: &Exchanged,
    settings: &Settings,
    second: &Lines,
    elapsed: i64,
    failure: Option<u16>,
) -> (Vec<String>, &'static str) {
    let mut found = Vec::new();
    let mut differ = |what: &str, literal: &dyn std::fmt::Debug, ours: &dyn std::fmt::Debug| {
        found.push(format!("{what}: literal {literal:?}, ours {ours:?}"));
    };
    let targeted = settings.targets.first().and_then(|name| targeted::control(&exchange.response, name.as_str()));
    let control = targeted.unwrap_or_else(|| keeping::control(&exchange.response));
    let literal = keeping::stored(exchange, &control, settings);
    let terms = ours(exchange, settings);
    if literal.is_ok() != terms.is_ok() {
        differ("stored", &literal, &terms.as_ref().map(|_| ()));
    }
    let (Ok(()), Ok(terms)) = (literal, terms) else { return (found, literal.err().unwrap_or("stored")) };
    let stored = keeping::terms(exchange, &control, settings);
    if !is_same(stored.lifetime, terms.lifetime) {
        differ("lifetime", &stored.lifetime, &(terms.lifetime, terms.lifetime_source));
    }
    if !is_same(stored.initial_age, terms.initial_age) {
        differ("initial age", &stored.initial_age, &terms.initial_age);
    }
    if stored.needs_validation != (terms.reusable == Reusable::Validated) {
        differ("needs validation", &stored.needs_validation, &terms.reusable);
    }
    let names: Vec<String> = {
        let mut names: Vec<String> = terms.withheld.iter().map(ToString::to_string).collect();
        names.sort();
        names
    };
    let withheld: Vec<String> = keeping::withheld(&control)
        .into_iter()
        .filter(|name| HeaderName::from_bytes(name.as_bytes()).is_ok())
        .collect();
    if withheld != names {
        differ("withheld", &withheld, &names);
    }
    let vary: Vec<String> = terms.vary.iter().map(ToString::to_string).collect();
    if keeping::vary_names(&exchange.response) != Some(vary.clone()) {
        differ("vary", &keeping::vary_names(&exchange.response), &vary);
    }
    let begin = Instant::now() + seconds(10_000_000_000);
    let windows = terms.windows(begin, Jitter::NONE);
    let now = begin + seconds(u64::try_from(elapsed).unwrap());
    let request = map(second);
    let demand = Demand::of(&request, settings);
    let decided = reuse(&terms, &windows, &demand, now);
    let verdict = match decided {
        Reuse::Fresh { .. } | Reuse::Accepted { .. } => Verdict::Answers,
        Reuse::WhileRevalidating { .. } => Verdict::AnswersMeanwhile,
        Reuse::Validate(_) => Verdict::Validate,
        Reuse::Refused(_) => Verdict::Refuse,
    };
    let literal = keeping::reuse(&stored, second, i128::from(elapsed), settings);
    if literal != verdict {
        differ("reuse", &literal, &decided);
    }
    if let Reuse::Fresh { age, left } = decided
        && (!is_same(stored.initial_age + 10 * i128::from(elapsed), age)
            || !is_same(stored.lifetime - stored.initial_age - 10 * i128::from(elapsed), left))
    {
        differ("age and what is left", &(stored.initial_age, stored.lifetime), &decided);
    }
    let reason = failure.map_or(Failure::Unreachable, |status| Failure::Status(StatusCode::from_u16(status).unwrap()));
    let serves = may_serve_on_error(&terms, &windows, &demand, now, reason);
    let literal = keeping::stands_in(&stored, second, i128::from(elapsed), failure, settings);
    if literal != serves {
        differ("stands in for an error", &literal, &(serves, reason));
    }
    let first = map(&exchange.request);
    let under = StoredUnder::new(&terms.vary, &first, &map(&exchange.response));
    let key = terms.vary.key(&request);
    let matches =
        under.key == key || under.by_language.is_some_and(|other| Some(other) == language_key(&terms, &request));
    let literal = changes::matches(&exchange.response, &exchange.request, second);
    if literal != matches {
        differ("matches", &literal, &matches);
    }
    (found, "stored")
}

/// The key of whoever wants the same language, as a lookup has it.
fn language_key(terms: &Terms, request: &HeaderMap) -> Option<crate::cache::rules::SecondaryKey> {
    let mut known = crate::cache::rules::KnownVary::default();
    known.note(&terms.vary);
    known.keys(request).map(|(_, key)| key).nth(1)
}

#[test]
fn both_come_to_the_same() {
    let (seed, mut random, rounds) = Random::new();
    let (mut wrong, mut outcomes) = (Vec::new(), BTreeMap::<&str, u32>::new());
    for _ in 0..rounds {
        let exchange = exchange(&mut random);
        let settings = settings(&mut random);
        let second = if random.one_in(2) {
            let mut second = exchange.request.clone();
            second.retain(|(name, _)| !["cache-control", "pragma"].contains(&name.to_lowercase().as_str()));
            random.request_control(&mut second);
            changes::respelled(&mut random, &mut second);
            second
        } else {
            request_fields(&mut random)
        };
        let elapsed =
            random.pick(&[0, 0, 1, 5, 10, 30, 59, 60, 61, 100, 600, 3600, 8640, 86_400, 700_000, 3_000_000_000]);
        let failure = random.pick(&[None, Some(500), Some(502), Some(503), Some(504), Some(404), Some(501)]);
        let (found, outcome) = differences(&exchange, &settings, &second, elapsed, failure);
        *outcomes.entry(outcome).or_default() += 1;
        for difference in found {
            if wrong.len() < 12 {
                wrong.push(format!(
                    "{difference}\n    {exchange:?}\n    {settings:?}\n    then {second:?} after {elapsed}, {failure:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "LITERAL_SEED={seed}\n{}", wrong.join("\n"));
    assert!(outcomes["stored"] * 4 > rounds, "{outcomes:?}");
    assert_all_asked(&[
        "an unclosed string hides nothing that forbids",
        "of two Expires none counts",
        "nothing is guessed of what a cookie or a credential asked for",
        "nothing is guessed of a response with Pragma: no-cache",
        "nothing is guessed without Last-Modified",
        "a tenth of the time without a change, at most a day",
        "the answer to a HEAD is not stored",
        "what answers a condition, range or credential of one request is not stored",
        "what never matches is not stored",
        "what private or no-cache names and cannot be left out forbids storing",
        "what private or no-cache names is left out, and the rest is stored",
        "what sets a cookie is stored as declared",
        "a part is stored if it says in bytes where it belongs",
        "what a cookie asked for and nothing says is for others is stored with a tag alone, and validated each time",
        "what can neither answer nor be validated is not stored",
        "white space before the equals sign spoils the argument alone",
        "a time of another type than Integer is none at all",
        "what forbids does so with any value but false",
        "a request's max-age is no signal that an immutable response be validated",
        "of answers to a POST a 200 alone is stored",
        "s-maxage forbids no window that the response says",
    ]);
}
