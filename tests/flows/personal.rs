//! One person's page is made for that person: with calls of their own, kept by nobody, shared with nobody.
//!
//! Visitors come at once. The upstream answers no call before every visitor has made theirs, so calls that were shared would wait
//! for ever: each test fails if anything personal is made once for two.

use super::site;
use crate::support::fault::FaultServer;
use crate::support::http::{Response, compose};
use crate::support::site::Site;

crate::cases!(
    visitors_at_once_get_their_own_pages,
    visitors_who_say_the_same_are_not_taken_for_one,
    a_person_may_keep_their_own_page_and_nobody_else,
    no_directive_opens_a_persons_page_to_others,
    values_of_a_keyed_cookie_at_once_get_their_own_pages,
    the_validator_of_one_value_says_nothing_of_another,
    lines_of_a_field_are_told_apart_from_one_line,
    what_says_who_or_where_somebody_is_is_personal,
);

/// Each way in which a page becomes one person's. `COUNT` visitors meet at each barrier.
const SITE: &str = r#"
-- layouts/me.html --
<h1>{{ page.title }}</h1><p>{{ me.of }}</p>
-- layouts/header.html --
<h1>{{ request.headers.authorization }}</h1><p>{{ me.of }}</p>
-- routes/cookie.toml --
layout = "me.html"
title = "Forwarded cookie"
[sources.me]
upstream = "up"
path = "/barrier/cookie/COUNT/echo"
forward-cookies = ["session"]
extract.of = "$.headers.cookie"
-- routes/authorization.toml --
layout = "me.html"
title = "Forwarded authorization"
[sources.me]
upstream = "up"
path = "/barrier/authorization/COUNT/echo"
forward-headers = ["authorization"]
extract.of = "$.headers.authorization"
-- routes/key.toml --
layout = "me.html"
title = "Forwarded key"
[sources.me]
upstream = "up"
path = "/barrier/key/COUNT/echo"
forward-headers = ["x-api-key"]
extract.of = "$.headers['x-api-key']"
-- routes/header.toml --
layout = "header.html"
[sources.me]
upstream = "up"
path = "/barrier/header/COUNT/echo"
query = { of = "{request.headers.authorization}" }
extract.of = "$.query.of"
-- routes/name.toml --
json = { cookie = "{cookies.session}", of = "{me.query.of}" }
[cookies.session]
[sources.me]
upstream = "up"
path = "/barrier/name/COUNT/echo"
query = { of = "{cookies.session}" }
-- routes/chain.toml --
json = "{orders}"
[sources.me]
upstream = "up"
path = "/barrier/me/COUNT/echo"
forward-cookies = ["session"]
extract.id = "$.headers.cookie"
[sources.orders]
upstream = "up"
path = "/barrier/orders/COUNT/echo"
query = { of = "{me.id}" }
extract.of = "$.query.of"
"#;

/// Where, by which field, and through which calls.
const WAYS: [(&str, &str, &[&str]); 6] = [
    ("/cookie", "cookie", &["cookie"]),
    ("/authorization", "authorization", &["authorization"]),
    ("/key", "x-api-key", &["key"]),
    ("/header", "authorization", &["header"]),
    ("/name", "cookie", &["name"]),
    ("/chain", "cookie", &["me", "orders"]),
];

/// The answers to one request of each visitor, all sent before any is read.
fn at_once(site: &Site, target: &str, fields: &[(&str, String)]) -> Vec<Response> {
    let mut visitors: Vec<_> = fields.iter().map(|field| (field, site.connect())).collect();
    for ((name, value), connection) in &mut visitors {
        connection.send(compose("GET", target, &[(name, value)], b"")).unwrap();
    }
    visitors.iter_mut().map(|(_, connection)| connection.response().unwrap()).collect()
}

/// What a visitor of this name says.
fn says(field: &str, name: &str) -> String {
    if field == "cookie" { format!("session={name}; other={name}-too") } else { format!("Bearer {name}") }
}

fn is_kept_by_nobody(response: &Response, target: &str, field: &str) {
    assert_eq!(response.header("cache-control"), Some("private, no-store"), "{target}");
    for absent in ["etag", "age", "cache-status"] {
        assert_eq!(response.header(absent), None, "{target} {absent}");
    }
    assert!(response.header("vary").is_some_and(|vary| vary.contains(field)), "{target}: {:?}", response.headers);
}

fn visitors_at_once_get_their_own_pages() {
    let fault = FaultServer::start();
    let site = site(&fault, &SITE.replace("COUNT", "2"));
    for (target, field, calls) in WAYS {
        // Again, because the first time might have been kept for the second.
        for round in 1..=3 {
            let names = ["ada", "grace"];
            let fields = names.map(|name| (field, says(field, name)));
            for (answer, (name, other)) in
                at_once(&site, target, &fields).iter().zip([("ada", "grace"), ("grace", "ada")])
            {
                assert_eq!(answer.status, 200, "{target}: {}", answer.text());
                assert!(answer.text().contains(name), "{target}, {name}: {}", answer.text());
                assert!(!answer.text().contains(other), "{target}, {name}: {}", answer.text());
                assert!(!answer.text().contains("-too"), "{target}: a cookie that nothing names");
                is_kept_by_nobody(answer, target, field);
            }
            for call in calls {
                assert_eq!(fault.calls(&format!("/barrier/{call}/2/echo")), 2 * round, "{target} {call}");
            }
        }
    }
}

/// Equal credentials do not make two requests one: what the upstream does for a person, it does for each request.
fn visitors_who_say_the_same_are_not_taken_for_one() {
    let fault = FaultServer::start();
    let site = site(&fault, &SITE.replace("COUNT", "3"));
    for (target, field, calls) in WAYS {
        let fields = [(); 3].map(|()| (field, says(field, "ada")));
        let answers = at_once(&site, target, &fields);
        for answer in &answers {
            assert_eq!((answer.status, answer.text()), (200, answers[0].text()), "{target}");
            assert!(answer.text().contains("ada"), "{target}: {}", answer.text());
            is_kept_by_nobody(answer, target, field);
        }
        for call in calls {
            assert_eq!(fault.calls(&format!("/barrier/{call}/3/echo")), 3, "{target} {call}");
        }
    }
}

fn a_person_may_keep_their_own_page_and_nobody_else() {
    let fault = FaultServer::start();
    let section = "-- routes/_section.toml --\ncache = { private = true, max-age = \"1m\" }\n";
    let declared = SITE.replace("COUNT", "2") + section;
    let site = site(&fault, &declared);
    for (target, field, calls) in WAYS {
        for round in 1..=2 {
            let fields = ["ada", "grace"].map(|name| (field, says(field, name)));
            for (answer, name) in at_once(&site, target, &fields).iter().zip(["ada", "grace"]) {
                assert!(answer.text().contains(name), "{target}, {name}: {}", answer.text());
                assert_eq!(answer.header("cache-control"), Some("private, max-age=60"), "{target}");
                assert_eq!((answer.header("age"), answer.header("cache-status")), (None, None), "{target}");
                // Who has signed in as somebody else must not be shown what their own cache kept before.
                let vary = answer.header("vary");
                assert!(vary.is_some_and(|vary| vary.contains(field)), "{target}: {vary:?}");
            }
            for call in calls {
                assert_eq!(fault.calls(&format!("/barrier/{call}/2/echo")), 2 * round, "{target} {call}");
            }
        }
    }
}

/// Directives that say nothing of whom the page is for.
fn no_directive_opens_a_persons_page_to_others() {
    let directives = ["no-cache", "must-revalidate", "no-transform", "max-age"];
    let route = |chosen: u32| {
        let is_chosen = |at: usize| chosen >> at & 1 == 1;
        let value = |name: &str| if name == "max-age" { "\"0s\"" } else { "true" };
        let chosen = directives.iter().enumerate().filter(|(at, _)| is_chosen(*at));
        let written: Vec<String> = chosen.map(|(_, name)| format!("{name} = {}\n", value(name))).collect();
        // They contradict each other.
        (!(is_chosen(0) && is_chosen(3))).then(|| written.concat())
    };
    let routes: Vec<(u32, String)> = (0..16).filter_map(|chosen| Some((chosen, route(chosen)?))).collect();
    let mut archive = String::from("-- site.toml --\n-- layouts/me.html --\n<p>{{ cookies.session }}</p>\n");
    for (chosen, cache) in &routes {
        let name = format!("-- routes/r{chosen}.toml --\n");
        archive.extend([name.as_str(), "layout = \"me.html\"\n[cookies.session]\n[cache]\n", cache]);
    }
    let site = Site::start(&archive);
    for (chosen, cache) in &routes {
        let target = format!("/r{chosen}");
        for method in ["GET", "HEAD"] {
            let answer = site.request(method, &target, &[("cookie", "session=ada")], b"");
            let field = answer.header("cache-control").unwrap_or_default();
            let words: Vec<&str> = field.split(", ").collect();
            assert!(words.contains(&"private"), "{cache}: {field}");
            for directive in directives.iter().filter(|name| cache.contains(*name)) {
                assert!(words.iter().any(|word| word.starts_with(directive)), "{cache}: {field}");
            }
            assert_eq!(answer.header("etag"), None, "{cache}");
        }
    }
}

const KEYED: &str = r#"
-- layouts/theme.html --
<body class="{{ cookies.theme }}">{{ look.of }}</body>
-- routes/index.toml --
layout = "theme.html"
[cookies.theme]
enum = ["light", "dark", "plain"]
default = "plain"
[sources.look]
upstream = "up"
path = "/barrier/look/3/echo"
query = { theme = "{cookies.theme}" }
extract.of = "$.query.theme"
[cache]
s-maxage = "1h"
"#;

fn body(theme: &str) -> String {
    format!("<body class=\"{theme}\">{theme}</body>")
}

/// Thirty visitors, ten of each value, and three calls: each value is made once, and for its visitors only.
fn values_of_a_keyed_cookie_at_once_get_their_own_pages() {
    const THEMES: [&str; 3] = ["light", "dark", "plain"];
    let fault = FaultServer::start();
    let site = site(&fault, KEYED);
    let visitors: Vec<(&str, String)> = (0..10)
        .flat_map(|visitor| THEMES.map(|theme| ("cookie", format!("session={visitor}; theme={theme}"))))
        .collect();
    for round in 1..=2 {
        for (answer, theme) in at_once(&site, "/", &visitors).iter().zip(THEMES.iter().cycle()) {
            assert_eq!((answer.status, answer.text().trim()), (200, body(theme).as_str()));
            assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
            assert!(answer.header("vary").is_some_and(|vary| vary.contains("cookie")), "{:?}", answer.headers);
            let hit = answer.header("cache-status").is_some_and(|status| status.starts_with("siteserver; hit; ttl="));
            assert!(round == 1 || hit, "{:?}", answer.headers);
        }
        assert_eq!(fault.total_calls(), THEMES.len());
    }
    // What is no value of the cookie has the page of the default.
    for cookie in ["theme=odd", "theme=", "other=dark", "xtheme=dark"] {
        let answer = site.request("GET", "/", &[("cookie", cookie)], b"");
        assert_eq!(answer.text().trim(), body("plain"), "{cookie}");
    }
    assert_eq!(fault.total_calls(), THEMES.len());
}

fn the_validator_of_one_value_says_nothing_of_another() {
    let fault = FaultServer::start();
    let site = site(&fault, &KEYED.replace("/barrier/look/3/echo", "/echo"));
    let ask = |theme: &str, tag: &str| {
        site.request("GET", "/", &[("cookie", &format!("theme={theme}")), ("if-none-match", tag)], b"")
    };
    let tags = ["light", "dark"].map(|theme| ask(theme, "\"none\"").header("etag").unwrap().to_owned());
    assert_ne!(tags[0], tags[1]);
    for (theme, own, other) in [("light", &tags[0], &tags[1]), ("dark", &tags[1], &tags[0])] {
        let unchanged = ask(theme, own);
        assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(own.as_str())));
        assert_eq!(unchanged.header("cache-control"), Some("private, no-cache"));
        assert!(unchanged.header("vary").is_some_and(|vary| vary.contains("cookie")), "{:?}", unchanged.headers);
        let changed = ask(theme, other);
        assert_eq!((changed.status, changed.text().trim()), (200, body(theme).as_str()));
    }
}

fn lines_of_a_field_are_told_apart_from_one_line() {
    let fault = FaultServer::start();
    let site =
        site(&fault, "-- routes/index.toml --\njson = \"{request.headers.x-thing}\"\n[cache]\ns-maxage = \"1h\"\n");
    let ask = |lines: &[&[u8]]| {
        let mut request = b"GET / HTTP/1.1\r\nHost: localhost\r\n".to_vec();
        for line in lines {
            request.extend([b"x-thing: ".as_slice(), line, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        let mut connection = site.connect();
        connection.send(&request).unwrap();
        connection.response().unwrap().text().to_owned()
    };
    // What is no text is no text of the page, and the rest of its lines is.
    for _ in 0..2 {
        assert_eq!(ask(&[b"b, \xff"]), "null");
        assert_eq!(ask(&[b"b", b"\xff"]), "\"b\"");
        assert_eq!(ask(&[b"b", b"c"]), "\"b, c\"");
    }
}

fn what_says_who_or_where_somebody_is_is_personal() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/who.toml --\njson = \"{request.headers.x-forwarded-user}\"\n-- routes/where.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nforward-headers = [\"x-forwarded-for\"]\n-- routes/what.toml --\njson = \"{request.headers.user-agent}\"\n",
    );
    for (path, is_personal) in [("/who", true), ("/where", true), ("/what", false)] {
        let said = site.get(path);
        let expected = if is_personal { "private, no-store" } else { "no-cache" };
        assert_eq!(
            (said.header("cache-control"), said.header("etag").is_none()),
            (Some(expected), is_personal),
            "{path}"
        );
    }
}
