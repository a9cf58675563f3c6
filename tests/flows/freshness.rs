//! What a stored page says of itself: `Age` (RFC 9111, section 5.1) and `Cache-Status` (RFC 9211).

use super::{site, until};
use crate::support::SAFETY_NET;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::Site;
use std::time::Instant;

crate::cases!(
    a_cold_page_is_forwarded_and_stored_then_hit,
    a_page_kept_by_header_fields_is_a_miss,
    a_page_too_large_to_keep_is_not_said_to_be_stored,
    what_is_not_kept_says_neither_age_nor_status,
    age_grows_and_what_is_left_shrinks,
    a_stale_page_never_says_that_it_is_fresh,
    a_page_made_anew_because_it_was_stale_says_so,
    why_a_page_was_made_is_said_in_the_words_of_the_protocol,
    those_who_wait_for_another_are_collapsed,
    a_page_in_place_of_an_error_is_as_old_as_it_is,
    a_page_that_cannot_be_made_anew_is_tried_about_once_a_second,
    a_page_that_prints_the_time_is_fresh_as_long_as_that_is_true,
    a_page_that_is_gone_is_not_shown_for_as_long_as_a_stale_one_may_be,
    a_page_that_was_gone_does_not_come_back_for_an_error,
);

/// What a response says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hit {
    age: i64,
    ttl: i64,
}

/// The status of a response; it always has one line.
fn status(response: &Response) -> &str {
    let lines = response.headers("cache-status");
    assert_eq!(lines.len(), 1, "{:?}", response.headers);
    lines[0]
}

/// What a hit says; nothing if it is none.
fn hit(response: &Response) -> Option<Hit> {
    let ttl = status(response).strip_prefix("siteserver; hit; ttl=")?;
    let [age] = response.headers("age")[..] else { panic!("a hit has one age: {:?}", response.headers) };
    Some(Hit { age: age.parse().unwrap(), ttl: ttl.parse().unwrap() })
}

fn page(path: &str, cache: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"{path}\"\n[cache]\n{cache}\n"
    )
}

/// A page whose `Age` is the time since it was first asked for.
const CLOCK: &str = "-- routes/clock.toml --\njson = {}\ncache = { s-maxage = \"1h\" }\n";

/// Waits until the clock has run for so many seconds; what it says then.
fn clock(site: &Site, seconds: i64) -> i64 {
    let response = until(site, "/clock", |response| hit(response).is_some_and(|hit| hit.age >= seconds));
    hit(&response).unwrap().age
}

fn a_cold_page_is_forwarded_and_stored_then_hit() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.target}\"\n[query.page]\ntype = \"int\"\n[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nquery = { page = \"{query.page}\" }\n[cache]\ns-maxage = \"1h\"\n",
    );
    for target in ["/", "/?page=1", "/?page=2"] {
        let cold = site.get(target);
        assert_eq!(status(&cold), "siteserver; fwd=uri-miss; stored", "{target}");
        assert_eq!(cold.header("age"), None, "{target}: it was made for this request");
        let tag = cold.header("etag").unwrap();
        for (method, headers, expected) in
            [("GET", vec![], 200), ("HEAD", vec![], 200), ("GET", vec![("if-none-match", tag)], 304)]
        {
            let warm = site.request(method, target, &headers, b"");
            assert_eq!(warm.status, expected, "{method} {target}");
            let Hit { age, ttl } = hit(&warm).unwrap_or_else(|| panic!("{method} {target}: {:?}", warm.headers));
            // At most a tenth of the lifetime is given up, so that pages do not expire together.
            assert!(age >= 0 && ttl >= 3_239 - age && ttl + age <= 3_600, "{method} {target}: {age} {ttl}");
        }
    }
    assert_eq!(fault.calls("/echo"), 3);
}

fn a_page_kept_by_header_fields_is_a_miss() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{request.headers.accept-language}\"\n[cache]\ns-maxage = \"1h\"\n",
    );
    for language in ["en", "de"] {
        let ask = || site.request("GET", "/", &[("accept-language", language)], b"");
        let cold = ask();
        // The URL is known from the second on: `uri-miss` would be wrong of it (RFC 9211, section 2.2).
        assert_eq!((cold.json().as_str(), status(&cold)), (Some(language), "siteserver; fwd=miss; stored"));
        let warm = ask();
        assert_eq!(warm.json().as_str(), Some(language));
        assert!(hit(&warm).is_some(), "{:?}", warm.headers);
    }
}

fn a_page_too_large_to_keep_is_not_said_to_be_stored() {
    let fault = FaultServer::start();
    let line = "x".repeat(200);
    let site = site(
        &fault,
        &format!(
            "-- routes/index.toml --\nlayout = \"large.html\"\n[cache]\ns-maxage = \"1h\"\n-- layouts/large.html --\n{{% for i in (1..8000) %}}{line}{{% endfor %}}\n"
        ),
    );
    for _ in 0..2 {
        let response = site.get("/");
        assert!(response.body.len() > 1 << 20);
        assert_eq!((response.status, status(&response)), (200, "siteserver; fwd=uri-miss"));
        assert_eq!(response.header("age"), None);
    }
}

fn what_is_not_kept_says_neither_age_nor_status() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/live.toml --\njson = {}\n-- routes/private.toml --\njson = {}\ncache = { private = true, max-age = \"1h\" }\n-- routes/no-store.toml --\njson = {}\ncache = { no-store = true }\n",
    );
    for target in ["/live", "/private", "/no-store", "/nothing"] {
        for _ in 0..2 {
            let response = site.get(target);
            assert_eq!(response.headers("age"), Vec::<&str>::new(), "{target}");
            assert_eq!(response.headers("cache-status"), Vec::<&str>::new(), "{target}");
        }
    }
}

fn age_grows_and_what_is_left_shrinks() {
    const LIFETIME: i64 = 60;
    let fault = FaultServer::start();
    let site = site(&fault, &page("/count", "s-maxage = \"60s\""));
    assert_eq!(status(&site.get("/")), "siteserver; fwd=uri-miss; stored");
    let first = hit(&site.get("/")).unwrap();
    let mut last = first;
    until(&site, "/", |response| {
        let now = hit(response).unwrap();
        assert!(now.age >= last.age && now.ttl <= last.ttl, "{last:?}, then {now:?}");
        // Both count the same time, each in whole seconds, so what they make together moves by one at most.
        let (sum, before) = (now.age + now.ttl, first.age + first.ttl);
        assert!(sum <= LIFETIME && (sum - before).abs() <= 1, "{first:?}, then {now:?}");
        last = now;
        now.age >= 2
    });
    assert_eq!(fault.calls("/count"), 1);
}

/// From the first second on: a page that is stale by half a second has not `ttl=0`.
fn a_stale_page_never_says_that_it_is_fresh() {
    const PATH: &str = "/gate/stale/count";
    let fault = FaultServer::start();
    let site = site(&fault, &page(PATH, "s-maxage = \"1s\"\nstale-while-revalidate = \"1h\""));
    fault.release("stale");
    assert_eq!(site.get("/").text().trim(), "1");
    fault.close_gate("stale");
    // Its being made anew is the sign that it is stale, and the gate keeps it so.
    until(&site, "/", |response| {
        let Hit { age, ttl } = hit(response).unwrap();
        assert!(ttl < 0 || age == 0, "fresh, and as old as its lifetime: {age} {ttl}");
        fault.calls(PATH) == 2
    });
    let mut last = hit(&site.get("/")).unwrap();
    until(&site, "/", |response| {
        let now = hit(response).unwrap();
        // It is made anew a little before its declared lifetime ends, and is fresh to that end.
        assert!(now.ttl < 0 || now.age == 0, "{now:?}");
        assert!(now.age >= last.age && now.ttl <= last.ttl, "{last:?}, then {now:?}");
        assert!((-1..=1).contains(&(now.age + now.ttl)), "a lifetime of a second at most, and rounding: {now:?}");
        last = now;
        now.age >= 3
    });
    fault.release("stale");
    let anew = until(&site, "/", |response| response.text().trim() == "2");
    assert!(hit(&anew).unwrap().age < last.age, "its age begins again: {:?}", anew.headers);
}

/// Asked for once it has expired, that is: just before, it would have been made anew in the background.
fn a_page_made_anew_because_it_was_stale_says_so() {
    let fault = FaultServer::start();
    let files = page("/count", "s-maxage = \"1s\"") + CLOCK;
    let site = site(&fault, &files);
    assert_eq!(status(&site.get("/")), "siteserver; fwd=uri-miss; stored");
    clock(&site, 2);
    let anew = site.get("/");
    assert_eq!((anew.text().trim(), status(&anew)), ("2", "siteserver; fwd=stale; stored"));
    assert_eq!(anew.header("age"), None);
}

/// RFC 9211, section 2.2: `uri-miss` is for a store that has nothing of this URL, `stale` for one that has what it may not send as it is. What
/// has no lifetime is stale from the first moment on (RFC 9111, section 4.2), and a shared cache has nothing of what is `private`.
fn why_a_page_was_made_is_said_in_the_words_of_the_protocol() {
    let source = "json = { v = \"{a.v}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n";
    let degraded =
        "json = { v = \"{b.v}\" }\n[sources.b]\nupstream = \"up\"\npath = \"/status/503\"\noptional = true\n";
    let routes = [
        // What keeps pages of this route, or its 404s, and what it says first, and then.
        ("no-lifetime", source, "not-found = \"1m\"", "fwd=uri-miss; stored", "fwd=stale"),
        ("no-cache", source, "no-cache = true\nnot-found = \"1m\"", "fwd=uri-miss; stored", "fwd=stale"),
        ("auto", source, "s-maxage = \"auto\"", "fwd=uri-miss; stored", "fwd=stale"),
        ("private", source, "private = true\ndegraded = \"1m\"", "fwd=uri-miss", "fwd=uri-miss"),
        ("server", source, "no-cache = true\n[cache.server]\nno-store = true", "", ""),
        ("moment", source, "s-maxage = \"0s\"\nstale-if-error = \"1m\"", "fwd=uri-miss; stored", "fwd=stale; stored"),
        // It lacks data, and was kept for too short a time.
        ("degraded", degraded, "degraded = \"1s\"", "fwd=uri-miss; stored", "fwd=stale; stored"),
        ("whole", degraded, "s-maxage = \"1h\"", "fwd=uri-miss", "fwd=uri-miss"),
    ];
    let fault = FaultServer::start();
    fault.put("/data", Reply::json("{\"v\":1}"));
    let mut files = CLOCK.to_owned();
    for (name, shown, cache, ..) in routes {
        files.extend(["-- routes/", name, ".toml --\n", shown, "[cache]\n", cache, "\n"]);
    }
    files += "-- routes/language.toml --\njson = { of = \"{request.headers.accept-language}\" }\n[cache]\nnot-found = \"1m\"\n";
    let site = site(&fault, &files);
    clock(&site, 0);
    let said = |name: &str| {
        let answer = site.get(&format!("/{name}"));
        assert_eq!((answer.status, answer.header("age")), (200, None), "{name}");
        let lines = answer.headers("cache-status");
        assert!(lines.len() < 2, "{lines:?}");
        lines.concat().trim_start_matches("siteserver; ").to_owned()
    };
    for (name, _, _, first, _) in routes {
        assert_eq!(said(name), first, "{name}, for the first time");
    }
    // It is not known whether the store has another one of this URL.
    for expected in ["fwd=miss; stored", "fwd=stale"] {
        assert_eq!(said("language"), expected);
    }
    clock(&site, 2);
    for (name, _, _, _, then) in routes {
        for _ in 0..2 {
            assert_eq!(said(name), then, "{name}, later");
            if name == "degraded" {
                break;
            }
        }
    }
}

/// Who joins a call that is under way cannot be seen from outside before it ends, so this is tried until somebody was in time.
fn those_who_wait_for_another_are_collapsed() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a.count}\"\n[query.n]\n[sources.a]\nupstream = \"up\"\npath = \"/gate/{query.n}/count\"\non-not-found = \"fail\"\n[cache]\ns-maxage = \"1h\"\n",
    );
    let end = Instant::now() + SAFETY_NET;
    for n in 0.. {
        assert!(Instant::now() < end, "nobody was collapsed");
        let (gate, request) = (format!("gate{n}"), format!("GET /?n=gate{n} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let path = format!("/gate/{gate}/count");
        let mut first = site.connect();
        first.send(&request).unwrap();
        fault.wait_for(&path, 1);
        let mut others: Vec<_> = (0..20).map(|_| site.connect()).collect();
        for other in &mut others {
            other.send(&request).unwrap();
        }
        fault.release(&gate);
        let led = first.response().unwrap();
        assert_eq!((led.text().trim(), status(&led)), ("1", "siteserver; fwd=uri-miss; stored"));
        let others: Vec<Response> = others.iter_mut().map(|other| other.response().unwrap()).collect();
        let (hits, waited): (Vec<_>, Vec<_>) = others.iter().partition(|response| hit(response).is_some());
        for response in &waited {
            assert_eq!((response.text().trim(), response.header("age")), ("1", None));
            assert_eq!(status(response), "siteserver; fwd=uri-miss; stored; collapsed");
        }
        assert!(hits.iter().all(|response| response.text().trim() == "1"));
        assert_eq!(fault.calls(&path), 1);
        if !waited.is_empty() {
            return;
        }
    }
}

/// The upstream keeps the request waiting and then fails: that time counts. Another page is the clock.
fn a_page_in_place_of_an_error_is_as_old_as_it_is() {
    const PATH: &str = "/gate/rescue/count";
    let fault = FaultServer::start();
    let files = page(PATH, "s-maxage = \"1s\"\nstale-if-error = \"1h\"") + CLOCK;
    let site = site(&fault, &files);
    fault.release("rescue");
    assert_eq!(site.get("/").text().trim(), "1");
    fault.close_gate("rescue");
    let begun = clock(&site, 2);
    let mut waiting = site.connect();
    waiting.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for(PATH, 2);
    let now = clock(&site, begun + 2);
    fault.drop_connections();
    let stale = waiting.response().unwrap();
    assert_eq!((stale.status, stale.text().trim()), (200, "1"));
    // It was asked for, and is no hit for that (RFC 9211, section 2.1).
    let ttl: i64 = status(&stale).strip_prefix("siteserver; fwd=stale; ttl=").unwrap().parse().unwrap();
    let age: i64 = stale.header("age").unwrap().parse().unwrap();
    assert!(age >= now, "made before the clock, which is {now} old, and yet {age}");
    assert!(ttl <= 1 - now, "{now} {ttl}");
}

/// However often it is asked for; and once the upstream is well again, so is the page.
fn a_page_that_cannot_be_made_anew_is_tried_about_once_a_second() {
    for stale in ["stale-while-revalidate", "stale-if-error"] {
        let fault = FaultServer::start();
        let site = site(
            &fault,
            &format!(
                "-- routes/index.toml --\njson = \"{{a.n}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/it\"\n[cache]\ns-maxage = \"1s\"\n{stale} = \"1h\"\n"
            ),
        );
        fault.put("/it", Reply::json("{\"n\":1}"));
        assert_eq!(site.get("/").text().trim(), "1");
        fault.put("/it", Reply::json("{}").status(500));
        let begun = Instant::now();
        until(&site, "/", |response| {
            assert_eq!((response.status, response.text().trim()), (200, "1"), "{stale}");
            fault.calls("/it") >= 5
        });
        // Four attempts, and a rest between each two: however slow this machine is, that takes no less.
        let elapsed = begun.elapsed().as_millis();
        assert!(elapsed >= 3 * 990, "{stale}: four attempts within {elapsed} ms");
        fault.put("/it", Reply::json("{\"n\":2}"));
        until(&site, "/", |response| response.text().trim() == "2");
    }
}

fn a_page_that_prints_the_time_is_fresh_as_long_as_that_is_true() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- layouts/second.txt --\n{{ 'now' | date: '%s' }}\n-- layouts/century.txt --\n{{ 'now' | date: '%C' }}\n-- routes/second.toml --\nlayout = \"second.txt\"\ncache = { s-maxage = \"1h\" }\n-- routes/kept.toml --\nlayout = \"second.txt\"\ncache = { s-maxage = \"1h\", stale-while-revalidate = \"1h\" }\n-- routes/century.toml --\nlayout = \"century.txt\"\ncache = { s-maxage = \"1h\" }\n",
    );
    let first = site.get("/second").text().to_owned();
    let next = until(&site, "/second", |response| response.text() != first);
    assert!(next.text() > first.as_str(), "{} is later than {first}", next.text());
    let first = site.get("/kept").text().to_owned();
    until(&site, "/kept", |response| {
        assert!(
            hit(response).is_some(),
            "who allows that has the one before, while it is made anew: {}",
            status(response)
        );
        response.text() != first
    });
    site.get("/century");
    assert!(hit(&site.get("/century")).is_some_and(|hit| hit.ttl > 0), "what prints no second is as fresh as declared");
}

/// A page whose upstream can say that it is gone, or that it is elsewhere.
fn perishable(windows: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = \"{{a.text}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/it\"\n[[rules]]\nif = \"a.gone\"\nthen = {{ status = 410 }}\n[[rules]]\nif = \"a.moved\"\nthen = {{ redirect = \"/elsewhere\" }}\n[[rules]]\nif = \"a.closed\"\nthen = {{ status = 503, layout = \"closed.html\" }}\n[cache]\ns-maxage = \"1s\"\n{windows}\n-- layouts/closed.html --\nclosed\n"
    )
}

fn a_page_that_is_gone_is_not_shown_for_as_long_as_a_stale_one_may_be() {
    let answers = [
        (Reply::json("{}").status(404), 404),
        (Reply::json("{\"gone\": true}"), 410),
        (Reply::json("{\"moved\": true}"), 302),
    ];
    for (reply, expected) in answers {
        let fault = FaultServer::start();
        let site = site(&fault, &perishable("stale-while-revalidate = \"1h\""));
        fault.put("/it", Reply::json("{\"text\": \"here\"}"));
        assert_eq!(site.get("/").text(), "\"here\"");
        fault.put("/it", reply);
        // It is stale after a second, is found to be gone in the background, and then nobody sees it any more.
        until(&site, "/", |response| response.status == expected);
        for _ in 0..3 {
            assert_eq!(site.get("/").status, expected);
        }
        fault.put("/it", Reply::json("{\"text\": \"again\"}"));
        assert_eq!(site.get("/").text(), "\"again\"");
    }
    // An error is no such answer, also one that a rule declares: what was good stands for it.
    for reply in [Reply::json("{}").status(500), Reply::json("{\"closed\": true}")] {
        let fault = FaultServer::start();
        let site = site(&fault, &perishable("stale-while-revalidate = \"1h\""));
        fault.put("/it", Reply::json("{\"text\": \"here\"}"));
        assert_eq!(site.get("/").text(), "\"here\"");
        fault.put("/it", reply);
        until(&site, "/", |response| {
            assert_eq!(response.text(), "\"here\"");
            fault.calls("/it") >= 3
        });
    }
}

fn a_page_that_was_gone_does_not_come_back_for_an_error() {
    let fault = FaultServer::start();
    let site = site(&fault, &perishable("stale-if-error = \"1h\""));
    fault.put("/it", Reply::json("{\"text\": \"here\"}"));
    assert_eq!(site.get("/").text(), "\"here\"");
    fault.put("/it", Reply::json("{}").status(404));
    until(&site, "/", |response| response.status == 404);
    fault.put("/it", Reply::json("{}").status(500));
    assert_eq!(site.get("/").status, 502);
}
