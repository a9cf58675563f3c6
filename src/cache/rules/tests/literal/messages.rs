//! Messages at random about something stored: conditions, ranges, validation, freshening, HEAD, changes, parts.

use super::assert_all_asked;
use super::changes::{self, Answered};
use super::exchanges::{self, NOW, TARGETS, map, moment};
use super::keeping::Exchanged;
use super::random::Random;
use super::read::{self, Lines};
use crate::cache::rules::{
    Answer, HeadVerdict, Joined, Part, Settings, Validated, answer, freshen, head_verdict, invalidated, selected_by,
    validate,
};
use http::{HeaderMap, Method, StatusCode, Uri};

const TAGS: [&str; 14] = [
    "\"a\"", "\"a\"", "\"a\"", "\"b\"", "W/\"a\"", "W/\"b\"", "w/\"a\"", "a", "\"\"", "\"a b\"", "\"a,b\"", "\"a\\\"",
    "\"", "W/\"a",
];

/// The fields of something stored.
fn stored(random: &mut Random) -> Lines {
    let mut lines = Lines::new();
    random.line(&mut lines, 2, "etag", &TAGS);
    random.line(&mut lines, 20, "etag", &TAGS);
    random.dated(&mut lines, 2, "last-modified", NOW - 60);
    random.dated(&mut lines, 2, "date", NOW - 5);
    random.line(&mut lines, 3, "x-a", &["1", "2"]);
    random.line(&mut lines, 6, "x-a", &["1", "2"]);
    random.line(&mut lines, 3, "content-encoding", &["gzip"]);
    random.line(&mut lines, 3, "content-type", &["text/plain", "text/html"]);
    random.line(&mut lines, 6, "set-cookie", &["a=1"]);
    random.line(&mut lines, 3, "cache-control", &["max-age=60", "no-cache"]);
    random.shuffled(&mut lines);
    lines
}

/// What an origin sends about it.
fn update(random: &mut Random) -> Lines {
    let mut lines = stored(random);
    random.line(&mut lines, 4, "content-length", &["10", "0", "9", "010", "a", "10, 10"]);
    random.line(&mut lines, 6, "content-range", &["bytes 0-4/10"]);
    random.line(&mut lines, 6, "connection", &["x-a", "X-A, close", "close", "etag"]);
    random.line(&mut lines, 6, "keep-alive", &["timeout=5"]);
    random.line(&mut lines, 6, "proxy-authenticate", &["x"]);
    random.line(&mut lines, 6, "te", &["x"]);
    random.shuffled(&mut lines);
    lines
}

fn request(random: &mut Random, stored: &Lines) -> Lines {
    let mut lines = Lines::new();
    let lists = [
        "*",
        "\"a\", \"b\"",
        "\"b\",\"a\"",
        "\"b\" , W/\"a\"",
        "\"a,b\"",
        "\"c\"",
        ", \"a\" ,",
        "\"x, \"a\"",
        "a, \"a\"",
        "\"a\" \"b\"",
        "",
        "W/\"a\", *",
        "\"c\", a, \"a\"",
    ];
    random.line(&mut lines, 4, "if-none-match", &lists);
    random.line(&mut lines, 4, "if-none-match", &TAGS);
    let modified = read::values(stored, "last-modified");
    for name in ["if-modified-since", "if-range"] {
        if random.one_in(4) {
            match modified.first() {
                Some(line) if random.one_in(2) => lines.push((name.to_owned(), line.clone())),
                _ => random.dated(&mut lines, 1, name, NOW - 60),
            }
        }
    }
    random.line(&mut lines, 20, "if-modified-since", &["Sun, 06 Nov 1994 08:49:37 GMT"]);
    random.line(&mut lines, 6, "if-range", &TAGS);
    let ranges = [
        "bytes=0-4",
        "bytes=5-",
        "bytes=-3",
        "bytes=-0",
        "bytes=10-",
        "bytes=9-",
        "bytes=0-100",
        "bytes=4-2",
        "bytes=-100",
        "bytes=-",
        "bytes=",
        "Bytes=0-0",
        "foo=0-1",
        "bytes=0-1,3-4",
        "bytes= 0-4",
        "bytes=0-4 ",
        "bytes=0 -4",
        "bytes=a-b",
        "bytes=0-4,",
        "bytes=,0-4",
        "bytes 0-4",
        "bytes=18446744073709551615-",
        "bytes=18446744073709551616-",
        "bytes=0-18446744073709551616",
        "bytes=-18446744073709551616",
        "bytes=+1-2",
        "bytes=1--2",
    ];
    random.line(&mut lines, 2, "range", &ranges);
    random.line(&mut lines, 30, "range", &ranges);
    random.shuffled(&mut lines);
    lines
}

fn answers(random: &mut Random, wrong: &mut Vec<String>) {
    let mut fields = stored(random);
    fields.retain(|(name, _)| name.to_lowercase() != "cache-control");
    fields.push(("cache-control".to_owned(), "max-age=60".to_owned()));
    let status = random.pick(&[200, 200, 200, 200, 200, 404, 301]);
    let exchange = Exchanged {
        method: "GET".to_owned(),
        request: Lines::new(),
        status,
        response: fields.clone(),
        request_time: NOW,
        response_time: NOW,
    };
    let Ok(terms) = exchanges::ours(&exchange, &Settings::default()) else { return };
    let asked = request(random, &fields);
    let method = random.pick(&["GET", "GET", "GET", "HEAD"]);
    let length = random.pick(&[Some(10), Some(10), Some(10), Some(1), Some(0), None]);
    let ours = answer(
        &Method::from_bytes(method.as_bytes()).unwrap(),
        &map(&asked),
        StatusCode::from_u16(status).unwrap(),
        &map(&fields),
        &terms,
        length,
    );
    let ours = match ours {
        Answer::Whole => Answered::Whole,
        Answer::NotModified => Answered::NotModified,
        Answer::Part(range) => Answered::Part(*range.start(), *range.end()),
        Answer::Unsatisfiable => Answered::Unsatisfiable,
    };
    let literal = changes::answered(method, &asked, status, &fields, NOW, length);
    if literal != ours {
        wrong.push(format!(
            "answer: literal {literal:?}, ours {ours:?}\n    {method} {asked:?} of {length:?} {status} {fields:?}"
        ));
    }
}

fn set(random: &mut Random) -> Vec<Lines> {
    let count = random.pick(&[1, 1, 1, 2, 3]);
    (0..count).map(|_| stored(random)).collect()
}

fn validations(random: &mut Random, wrong: &mut Vec<String>) {
    let all = set(random);
    let maps: Vec<HeaderMap> = all.iter().map(map).collect();
    let mut asked = map(&request(random, &all[0]));
    let asks = validate(&mut asked, maps.first(), maps.iter().skip(1));
    let (tags, date) = changes::validating(&all);
    let text = |name: &str| -> Vec<String> {
        asked.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let literal = (
        if tags.is_empty() { Vec::new() } else { vec![tags.join(", ")] },
        date.clone().into_iter().collect::<Vec<_>>(),
    );
    let ours = (text("if-none-match"), text("if-modified-since"));
    let is_clean = ["range", "if-range", "if-match", "if-unmodified-since"].iter().all(|name| text(name).is_empty());
    if literal != ours || !is_clean || asks != (!tags.is_empty() || date.is_some()) {
        wrong.push(format!("validation: literal {literal:?}, ours {asks} {asked:?}\n    {all:?}"));
    }
}

fn selections(random: &mut Random, wrong: &mut Vec<String>) {
    let all = set(random);
    let new = update(random);
    let maps: Vec<HeaderMap> = all.iter().map(map).collect();
    let ours = match selected_by(&map(&new), &maps.iter().collect::<Vec<_>>()) {
        Validated::These(these) => these,
        Validated::None => Vec::new(),
    };
    let literal = changes::selected(&new, &all);
    if literal != ours {
        wrong.push(format!("selected: literal {literal:?}, ours {ours:?}\n    304 {new:?}\n    of {all:?}"));
    }
}

fn freshenings(random: &mut Random, wrong: &mut Vec<String>) {
    let (old, mut new) = (stored(random), update(random));
    let takes_cookies = random.one_in(2);
    if !read::has(&new, "date") {
        new.push(("date".to_owned(), "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()));
    }
    let ours = freshen(&map(&old), &map(&new), moment(NOW), takes_cookies);
    let ours: Lines = ours
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let (literal, ours) = (changes::by_name(&changes::freshened(&old, &new, takes_cookies)), changes::by_name(&ours));
    if literal != ours {
        wrong.push(format!(
            "freshened: literal {literal:?}\n    ours {ours:?}\n    stored {old:?}\n    304 {new:?} {takes_cookies}"
        ));
    }
}

fn heads(random: &mut Random, wrong: &mut Vec<String>) {
    let (old, new) = (stored(random), update(random));
    let (stored_status, status) =
        (random.pick(&[200, 200, 200, 404, 203]), random.pick(&[200, 200, 200, 404, 500, 304]));
    let length = random.pick(&[Some(10), Some(10), Some(9), None]);
    let code = |status: u16| StatusCode::from_u16(status).unwrap();
    let ours = match head_verdict(code(stored_status), &map(&old), length, code(status), &map(&new)) {
        HeadVerdict::Freshen => Some(true),
        HeadVerdict::Stale => Some(false),
        HeadVerdict::Nothing => None,
    };
    let literal = changes::head_says(stored_status, &old, length, status, &new);
    if literal != ours {
        wrong.push(format!(
            "HEAD: literal {literal:?}, ours {ours:?}\n    {status} {new:?}\n    of {stored_status} {old:?} {length:?}"
        ));
    }
}

fn invalidations(random: &mut Random, wrong: &mut Vec<String>) {
    let mut response = Lines::new();
    let names = [
        "/x",
        "x",
        "../x",
        "../../x",
        "./x",
        "",
        "?y",
        "x?y#z",
        "#z",
        "//origin.example/x",
        "//elsewhere.example/x",
        "http://origin.example/x",
        "http://origin.example",
        "HTTP://ORIGIN.EXAMPLE:80/x",
        "http://origin.example:81/x",
        "https://origin.example/x",
        "https://public.example/x",
        "https://public.example:443/x?y",
        "http://public.example/x",
        "mailto:a@b.example",
        "/a/../b/./c",
        "/a/b?c",
        "/..",
        "/a/..",
        "x/",
        "/x/.",
        "http:x",
        "/x?a=/../b",
        "http://user@origin.example/x",
        "/x:y",
        "x:y",
        "./x:y",
    ];
    random.line(&mut response, 2, "location", &names);
    random.line(&mut response, 2, "content-location", &names);
    random.line(&mut response, 20, "location", &names);
    let method =
        random.pick(&["POST", "PUT", "DELETE", "PATCH", "FOO", "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get"]);
    let status = random.pick(&[200, 201, 204, 299, 301, 303, 304, 399, 400, 404, 500, 599]);
    let targets: Vec<Uri> = TARGETS.iter().map(|target| target.parse().unwrap()).collect();
    let ours = invalidated(
        &Method::from_bytes(method.as_bytes()).unwrap(),
        &targets.iter().collect::<Vec<_>>(),
        StatusCode::from_u16(status).unwrap(),
        &map(&response),
    );
    let ours = ours.map(|invalidated| {
        let mut all: Vec<(usize, String)> =
            invalidated.elsewhere.into_iter().map(|elsewhere| (elsewhere.origin, elsewhere.path)).collect();
        all.sort();
        all.dedup();
        all
    });
    let mut literal = changes::invalid(method, status, &response);
    let own = [(0, "/a/b?c".to_owned()), (1, "/m?c".to_owned())];
    let without_own = |all: &mut Option<Vec<(usize, String)>>| {
        if let Some(all) = all {
            all.retain(|one| !own.contains(one));
        }
    };
    let mut ours = ours;
    without_own(&mut literal);
    without_own(&mut ours);
    if literal != ours {
        wrong.push(format!("invalid: literal {literal:?}, ours {ours:?}\n    {method} {status} {response:?}"));
    }
}

fn parts(random: &mut Random, wrong: &mut Vec<String>) {
    let part = |random: &mut Random| {
        let mut lines = stored(random);
        let (first, last) = (random.below(8), random.below(10));
        let length = random.pick(&["10", "10", "10", "*", "11", "5"]);
        lines.push(("content-range".to_owned(), format!("bytes {first}-{last}/{length}")));
        lines
    };
    let (one, other) = (part(random), part(random));
    let asked = map(&vec![("range".to_owned(), "bytes=0-".to_owned())]);
    let ours = Part::of(&asked, &map(&one)).zip(Part::of(&asked, &map(&other)));
    let literal = read::content_range(&one).zip(read::content_range(&other));
    if ours.is_some() != literal.is_some() {
        wrong.push(format!("part: literal {literal:?}, ours {ours:?}\n    {one:?}\n    {other:?}"));
    }
    let (Some((ours_one, ours_other)), Some((literal_one, literal_other))) = (ours, literal) else { return };
    let (held_one, held_other) = (literal_one.1 - literal_one.0 + 1, literal_other.1 - literal_other.0 + 1);
    let ours = Joined::of((&map(&one), &ours_one.holding(held_one)), (&map(&other), &ours_other.holding(held_other)));
    let literal =
        changes::joined(literal_one, literal_other).filter(|_| changes::share_a_strong_validator(&one, &other));
    let said = ours.as_ref().map(|joined| (joined.part.said.first, joined.part.said.last, joined.part.said.length));
    if literal != said {
        wrong.push(format!("joined: literal {literal:?}, ours {ours:?}\n    {one:?}\n    {other:?}"));
    }
    let Some(joined) = ours else { return };
    // Octet by octet: where the new part has one, that counts.
    let mut octets = Vec::new();
    for piece in &joined.pieces {
        let first = if piece.is_new { literal_other.0 } else { literal_one.0 };
        octets.extend(piece.bytes.clone().map(|at| (first + at, piece.is_new)));
    }
    let expected: Vec<(u64, bool)> = (joined.part.said.first..=joined.part.said.last)
        .map(|at| (at, (literal_other.0..=literal_other.1).contains(&at)))
        .collect();
    if octets != expected {
        wrong.push(format!("pieces: literal {expected:?}, ours {octets:?}\n    {one:?}\n    {other:?}"));
    }
}

#[test]
fn both_answer_and_change_the_same() {
    let (seed, mut random, rounds) = Random::new();
    let mut wrong = Vec::new();
    for _ in 0..rounds {
        for compare in [answers, validations, selections, freshenings, heads, invalidations, parts] {
            compare(&mut random, &mut wrong);
        }
    }
    let mut kinds: Vec<&str> = wrong.iter().map(|text| text.split(':').next().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let examples: Vec<&String> =
        kinds.iter().flat_map(|kind| wrong.iter().filter(move |text| text.starts_with(kind)).take(4)).collect();
    assert!(examples.is_empty(), "LITERAL_SEED={seed}, {} in all\n{examples:#?}", wrong.len());
    assert_all_asked(&[
        "what says how the stored content is to be read stays",
        "Last-Modified is a weak validator",
        "a 304 without a validator is about the one response that was asked about",
        "conditions and ranges are for a stored 200",
        "a malformed tag that comes back is the same",
        "the date of the chosen one goes along unless several tags do",
        "several ranges are answered with the whole",
        "the last octets of nothing are unsatisfiable",
        "tags count up to the first that is malformed",
    ]);
}
