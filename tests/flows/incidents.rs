//! What has happened to others: each kind of incident that guards, sessions, cookies and forms were part of, tried on the examples.
//!
//! The names say what happened, the comments to whom.

use crate::support::accounts::{Example, FORM, SAME_ORIGIN, Visitor, urlencoded};
use crate::support::http::{Response, compose};
use crate::support::site::{Folder, binary};
use std::collections::BTreeSet;
use std::path::Path;

crate::cases!(
    a_field_that_says_the_guard_has_run_is_not_believed,
    what_is_fetched_ahead_is_guarded_like_the_page,
    a_locale_before_the_path_opens_nothing,
    a_path_is_decoded_once_for_the_guard_and_the_page,
    a_value_of_the_path_cannot_be_given_elsewhere,
    who_names_somebody_in_a_field_is_nobody,
    a_field_makes_no_private_page_a_public_one,
    a_suffix_makes_no_file_of_an_account,
    who_asks_first_is_not_shown_to_the_next,
    an_empty_answer_takes_the_place_of_no_page,
    a_guarded_page_cannot_be_declared_public,
    a_form_of_another_site_changes_nothing,
    a_session_planted_before_is_not_the_one_signed_in,
    the_cookie_of_a_session_has_every_flag,
    after_signing_in_nobody_is_sent_to_another_site,
    a_forged_host_is_in_no_redirect,
    the_body_of_a_form_is_not_the_next_request,
    what_a_form_takes_is_text_and_nothing_more,
    a_password_is_in_no_page_and_no_log,
    ever_so_many_fields_are_refused_at_once,
    when_nobody_can_say_who_asks_nobody_is_let_in,
    what_is_typed_cannot_choose_another_call,
    what_is_typed_is_text_in_the_page,
    a_line_break_in_a_field_makes_no_header,
);

/// The account of somebody who is not asked is shown to nobody: it is the page to sign in.
fn is_kept_out(answer: &Response) {
    assert_eq!((answer.status, answer.header("location").map(|to| to.split('?').next())), (302, Some(Some("/login"))));
    assert!(answer.body.is_empty() && answer.header("cache-control").is_some_and(|told| told.contains("no-store")));
}

/// There is no such page, or the guard holds; no name of anybody is seen.
fn opens_nothing(answer: &Response, what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(matches!(answer.status, 302 | 308 | 400 | 404), "{what}: {answer:?}");
    for secret in ["Alice Lind", "Bob Ferrar", "Ruth Root", "Bellows"] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
    let kept = answer.header("cache-status").unwrap_or_default();
    assert!(!kept.contains("stored") && !kept.contains("hit"), "{what}: {kept}");
}

/// Next.js, CVE-2025-29927: the guard was a middleware, and a field that marked its own calls made it step aside.
fn a_field_that_says_the_guard_has_run_is_not_believed() {
    let example = Example::start("account");
    for value in
        ["middleware", "src/middleware", "pages/_middleware", "middleware:middleware:middleware:middleware:middleware"]
    {
        for name in ["x-middleware-subrequest", "x-middleware-next", "x-middleware-prefetch", "x-middleware-rewrite"] {
            is_kept_out(&example.site.request("GET", "/account", &[(name, value)], b""));
        }
    }
}

/// Next.js, CVE-2026-44575 and others: pages were also served as data for prefetches, by URLs and fields that the guard did not know.
fn what_is_fetched_ahead_is_guarded_like_the_page() {
    let example = Example::start("account");
    for (name, value) in [
        ("rsc", "1"),
        ("next-router-prefetch", "1"),
        ("x-nextjs-data", "1"),
        ("sec-purpose", "prefetch"),
        ("accept", "text/x-component"),
    ] {
        is_kept_out(&example.site.request("GET", "/account", &[(name, value)], b""));
        is_kept_out(&example.site.request("GET", "/account?_rsc=1", &[(name, value)], b""));
    }
    for target in [
        "/account.rsc",
        "/account.segments/_tree.segment.rsc",
        "/_next/data/x/account.json",
        "/account.data",
        "/account/__data.json",
        "/account.md",
        "/account/_payload.json",
    ] {
        opens_nothing(&example.site.get(target), target);
    }
}

/// Next.js, 2026: the path with the default locale before it was another one to the guard, and the same one to the router.
fn a_locale_before_the_path_opens_nothing() {
    let example = Example::start_edited(
        "account",
        &[("site.toml", "name = \"Acme Account\"", "name = \"Acme Account\"\nlanguages = [\"en\", \"de\"]")],
    );
    for target in
        ["/en/account", "/de/account", "/EN/account", "/en//account", "/en/../account", "/account?__nextLocale=en"]
    {
        opens_nothing(&example.site.get(target), target);
    }
    is_kept_out(&example.site.request(
        "GET",
        "/account",
        &[("accept-language", "de"), ("cookie", "NEXT_LOCALE=de")],
        b"",
    ));
}

/// Astro, CVE-2025-64765 and later; Caddy, CVE-2026-27587: guard and page read the path decoded a different number of times, or in another case.
fn a_path_is_decoded_once_for_the_guard_and_the_page() {
    let example = Example::start("account");
    for target in [
        "/%61ccount",
        "/%2561ccount",
        "/%252561ccount",
        "/account%2f",
        "/account%252f",
        "/%2Faccount",
        "/x%2f..%2faccount",
        "/ACCOUNT",
        "/Account",
        "/account/%6frders/1001",
        "/account%2Forders/1001",
        "/account\\orders\\1001",
        "/account/orders/%31001",
        "/account/orders/%25311001",
    ] {
        let answer = example.site.get(target);
        opens_nothing(&answer, target);
        if let (308, Some(location)) = (answer.status, answer.header("location")) {
            is_kept_out(&example.site.get(location));
        }
    }
}

/// Next.js, 2026: what the route reads as its parameter was taken from the query, behind the guard's back.
fn a_value_of_the_path_cannot_be_given_elsewhere() {
    let example = Example::start("account");
    let mut bob = Visitor::signed_in(&example.site, "bob");
    // 1003 is Bob's own, 1001 and 1002 are Alice's.
    let own = bob.get("/account/orders/1003");
    assert!(own.status == 200 && own.text().contains("Order 1003"));
    assert_eq!(bob.get("/account/orders/1002").status, 404);
    for query in
        ["id=1002", "nxtPid=1002", "params.id=1002", "params%5Bid%5D=1002", "x_astro_path=/account/orders/1002"]
    {
        assert_eq!(bob.get(&format!("/account/orders/1003?{query}")).body, own.body, "{query}");
    }
    for field in [
        ("x-now-route-matches", "id=1002"),
        ("x-invoke-path", "/account/orders/1002"),
        ("x-original-url", "/account/orders/1002"),
    ] {
        assert_eq!(bob.send("GET", "/account/orders/1003", &[field], b"").body, own.body, "{field:?}");
    }
}

/// Many backends: whoever can reach them past the proxy writes the fields that the proxy would have written.
fn who_names_somebody_in_a_field_is_nobody() {
    let example = Example::start("account");
    for name in [
        "x-forwarded-user",
        "x-auth-request-user",
        "remote-user",
        "x-remote-user",
        "x-user",
        "x-user-id",
        "x-role",
        "x-client-cert",
    ] {
        for target in ["/account", "/admin"] {
            is_kept_out(&example.site.request("GET", target, &[(name, "root")], b""));
        }
        assert_eq!(example.site.request("GET", "/api/me", &[(name, "root")], b"").status, 401, "{name}");
    }
    assert_eq!(
        example.site.request("GET", "/api/me", &[("authorization", "Basic cm9vdDpyb290LXNlY3JldA==")], b"").status,
        401
    );
}

/// Next.js, CVE-2024-46982 and CVE-2026-44572; React Router, CVE-2025-43864; Nuxt, CVE-2025-27415: a request that looked like the framework's
/// own made a page be kept that was one person's, or an error in its place.
fn a_field_makes_no_private_page_a_public_one() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for field in [
        ("x-nextjs-data", "1"),
        ("x-now-route-matches", "1"),
        ("rsc", "1"),
        ("x-react-router-spa-mode", "yes"),
        ("x-nuxt-error", "true"),
        ("x-prerender-revalidate", "1"),
        ("cache-control", "public, max-age=60"),
        ("pragma", "cache"),
    ] {
        for target in ["/account", "/account?__nextDataReq=1", "/admin/users.json", "/", "/api/me", "/greeting.json"] {
            let answer = alice.send("GET", target, &[field], b"");
            let told = answer.header("cache-control").unwrap_or_default();
            assert!(told.contains("no-store"), "{target} {field:?}: {answer:?}");
            let kept = answer.header("cache-status").unwrap_or_default();
            assert!(!kept.contains("stored") && !kept.contains("hit"), "{target} {field:?}: {answer:?}");
            let next = example.site.request("GET", target, &[field], b"");
            assert!(!String::from_utf8_lossy(&next.body).contains("Alice"), "{target} {field:?}: {next:?}");
        }
    }
}

/// Web cache deception: `/account/x.css` was the account to the site, and a style sheet to the cache before it.
fn a_suffix_makes_no_file_of_an_account() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for suffix in [
        "/x.css",
        ".css",
        ";x.css",
        "%3bx.css",
        "%00.css",
        "%0a.css",
        "%23.css",
        "%3f.css",
        "/..%2fx.css",
        "/.css",
        "~x.css",
        ".png",
        "/favicon.ico",
        "/%2e%2e/assets/account.css",
    ] {
        let target = format!("/account{suffix}");
        let answer = alice.get(&target);
        opens_nothing(&answer, &target);
    }
}

/// Pingora, CVE-2026-2836; Next.js, CVE-2025-49005 and CVE-2025-57752; Railway, March 2026: what was kept for one was sent to the next, because
/// the key knew less than the page.
fn who_asks_first_is_not_shown_to_the_next() {
    let example = Example::start("account");
    let mut people = [
        Visitor::signed_in(&example.site, "alice"),
        Visitor::of(&example.site),
        Visitor::signed_in(&example.site, "bob"),
    ];
    let names = ["Alice Lind", "Sign in", "Bob Ferrar"];
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0], [0, 2, 1]] {
        for target in ["/", "/greeting.json", "/login", "/logout"] {
            for at in order {
                let answer = people[at].get(target);
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                for (other, name) in names.iter().enumerate().filter(|(other, _)| *other != 1) {
                    assert_eq!(
                        text.contains(name),
                        other == at && answer.status == 200,
                        "{target} of {}: {text}",
                        names[at]
                    );
                }
            }
        }
    }
    // A page has a copy for each value of the cookie that it reads, and no value of its own making.
    let mut themes = BTreeSet::new();
    for theme in ["auto", "dark", "light", "dark\" data-x=\"", "auto"] {
        let answer = example.site.request("GET", "/", &[("cookie", &format!("__Host-theme={theme}"))], b"");
        themes.insert(answer.body);
    }
    assert_eq!(themes.len(), 3);
}

/// Next.js, CVE-2025-49826: an answer of 204 was kept in the place of a page.
fn an_empty_answer_takes_the_place_of_no_page() {
    let example = Example::start("account");
    for method in ["HEAD", "OPTIONS", "POST", "DELETE"] {
        example.site.request(method, "/", &[("if-none-match", "*"), ("range", "bytes=0-0")], b"");
        example.site.request(method, "/logout", &[SAME_ORIGIN, FORM], b"");
    }
    let first = example.site.get("/");
    assert!(first.status == 200 && first.text().contains("</html>"));
    let tag = first.header("etag").expect("a validator").to_owned();
    assert_eq!(example.site.request("GET", "/", &[("if-none-match", &tag)], b"").status, 304);
    assert_eq!(example.site.get("/").body, first.body);
}

/// Railway, March 2026: caching was switched on where it never was, and nothing objected.
fn a_guarded_page_cannot_be_declared_public() {
    let folder = Folder::copy_of_site(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/account"));
    for file in
        ["routes/account/name.toml", "routes/admin/handbook.toml", "routes/api/me.toml", "routes/admin/files.toml"]
    {
        let text = std::fs::read_to_string(folder.path().join(file)).expect("text");
        let public = text.replace("[cache.server]\nmax-age = \"1h\"\n", "");
        folder.write(file, &format!("{public}\n[cache]\ns-maxage = \"1h\"\n"));
        let said = binary().current_dir(folder.path()).arg("check").output().expect("the binary");
        let told = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(!said.status.success() && told.contains("error[cache/"), "{file}: {told}");
        folder.write(file, &text);
    }
}

/// Cross-site requests: another site's form is sent with the visitor's cookies.
fn a_form_of_another_site_changes_nothing() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    let host = example.site.address().to_string();
    let evil = format!("http://{host}.evil.example");
    let form = urlencoded(&[("full_name", "Mallory")]);
    let same = [[("sec-fetch-site", "same-origin")], [("sec-fetch-site", "none")]];
    let cross = [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "Same-Origin")],
        vec![("sec-fetch-site", "")],
        vec![("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("origin", evil.as_str())],
        vec![("origin", "http://localhost@evil.example")],
        vec![("origin", "http://localhost http://evil.example")],
        vec![("referer", "http://localhost/account/name")],
        vec![],
    ];
    for fields in cross {
        for (kind, body) in [("application/x-www-form-urlencoded", form.clone()), ("text/plain", form.clone())] {
            let fields: Vec<_> = fields.iter().copied().chain([("content-type", kind)]).collect();
            let answer = alice.send("POST", "/account/name", &fields, body.as_bytes());
            assert!(
                matches!(answer.status, 403 | 415) && answer.headers("set-cookie").is_empty(),
                "{fields:?}: {answer:?}"
            );
            // The API is changed by nothing that a form can send, and by no script of another site.
            let answer = alice.send("POST", "/api/orders", &fields, b"{\"sku\":\"FO-107\"}");
            assert!(matches!(answer.status, 403 | 415), "{fields:?}: {answer:?}");
        }
        let fields: Vec<_> = fields.iter().copied().chain([("content-type", "application/json")]).collect();
        assert_eq!(alice.send("POST", "/api/orders", &fields, b"{\"sku\":\"FO-107\"}").status, 403, "{fields:?}");
        assert_eq!(
            alice.send("DELETE", "/api/orders/1002", &fields[..fields.len() - 1], b"").status,
            403,
            "{fields:?}"
        );
    }
    let page = alice.get("/account");
    assert!(
        page.text().contains("Alice Lind")
            && page.text().contains("/account/orders/1002")
            && !page.text().contains("1004")
    );
    for fields in same {
        let fields: Vec<_> = fields.iter().copied().chain([FORM]).collect();
        assert_eq!(alice.send("POST", "/account/name", &fields, form.as_bytes()).status, 303, "{fields:?}");
    }
}

/// Fixed sessions: the one that an attacker had planted was signed in by its victim.
fn a_session_planted_before_is_not_the_one_signed_in() {
    let example = Example::start("account");
    let mut victim = Visitor::of(&example.site);
    let mallory = Visitor::signed_in(&example.site, "bob");
    victim.cookies.clone_from(&mallory.cookies);
    let (name, planted) =
        mallory.cookies.iter().next().map(|(name, value)| (name.clone(), value.clone())).expect("a session");
    victim.cookies.insert(name.clone(), planted.clone());
    // Whoever is signed in is not asked again; so the planted one is nobody's, as an attacker would have it.
    victim.cookies.insert(name.clone(), "planted".to_owned());
    let answer = victim.post("/login", &[("name", "alice"), ("password", "alice-secret")]);
    assert_eq!(answer.status, 303);
    assert!(!["planted", planted.as_str()].contains(&victim.cookies[&name].as_str()));
    let attacker = example.site.request("GET", "/account", &[("cookie", &format!("{name}=planted"))], b"");
    is_kept_out(&attacker);
    // And signing out ends it, not only its cookie.
    let session = victim.cookie();
    assert_eq!(victim.post("/logout", &[]).status, 303);
    assert!(!victim.cookies.contains_key(&name));
    is_kept_out(&example.site.request("GET", "/account", &[("cookie", &session)], b""));
}

/// Sessions that scripts could read, that went over the wire in the clear, or along with other sites' requests.
fn the_cookie_of_a_session_has_every_flag() {
    let example = Example::start("account");
    let mut alice = Visitor::of(&example.site);
    let answers = [
        alice.post("/login", &[("name", "alice"), ("password", "alice-secret")]),
        alice.post("/theme", &[("theme", "dark"), ("next", "/account")]),
        alice.post("/account/name", &[("full_name", "Alice Liddell")]),
        alice.get("/account"),
        alice.post("/logout", &[]),
    ];
    let mut seen = 0;
    for answer in &answers {
        for cookie in answer.headers("set-cookie") {
            let lower = cookie.to_ascii_lowercase();
            for flag in ["; secure", "; httponly", "; samesite=lax", "; path=/"] {
                assert!(lower.contains(flag), "{flag}: {cookie}");
            }
            assert!(!lower.contains("domain="), "{cookie}");
            seen += 1;
        }
        let has_any = !answer.headers("set-cookie").is_empty();
        assert!(!has_any || answer.header("cache-control").is_some_and(|told| told.contains("no-store")), "{answer:?}");
    }
    assert!(seen >= 4, "{seen} cookies");
}

/// Astro, CVE-2025-54793, and every `?next=`: the page to sign in sent people on to wherever its URL said.
fn after_signing_in_nobody_is_sent_to_another_site() {
    let often = ("routes/login.toml", "requests = 20", "requests = 1000");
    let example = Example::start_edited("account", &[often]);
    let fields = |next| [("name", "alice"), ("password", "alice-secret"), ("next", next)];
    for next in ["/account", "/account/orders/1001", "/", "/account?x=1"] {
        let answer = Visitor::of(&example.site).post("/login", &fields(next));
        assert_eq!((answer.status, answer.header("location")), (303, Some(next)), "{next}");
    }
    for next in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%2fevil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//localhost@evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "http:///evil.example",
        "evil.example",
        "?x",
        "#x",
        "/no/such/page",
        "/account\r\nx: y",
        "/account/../../evil.example",
        "//evil.example/account",
        "/\u{ff0f}evil.example",
        "/account#//evil.example",
    ] {
        let answer = Visitor::of(&example.site).post("/login", &fields(next));
        let location = answer.header("location").unwrap_or("/account");
        assert!(matches!(answer.status, 303 | 400 | 422), "{next:?}: {answer:?}");
        assert!(location == "/account" || location == "/account#//evil.example", "{next:?} leads to {location}");
        let page = example.site.get(&format!("/login?{}", urlencoded(&[("next", next)])));
        assert!(!page.text().contains("evil.example") || next.contains('#'), "{next:?}: {}", page.text());
    }
}

/// Links in mails, and redirects, that a forged `Host` had made.
fn a_forged_host_is_in_no_redirect() {
    let example = Example::start("account");
    for fields in [
        vec![("host", "evil.example")],
        vec![("x-forwarded-host", "evil.example")],
        vec![("forwarded", "host=evil.example")],
        vec![("x-host", "evil.example"), ("x-forwarded-server", "evil.example")],
    ] {
        for (method, target) in [("GET", "/account"), ("GET", "/account/"), ("GET", "//account"), ("POST", "/logout")] {
            let fields: Vec<_> =
                fields.iter().copied().chain([SAME_ORIGIN, FORM].into_iter().filter(|_| method == "POST")).collect();
            let answer = example.site.request(method, target, &fields, b"");
            let location = answer.header("location").unwrap_or_default();
            assert!(!location.contains("evil.example"), "{fields:?} {target}: {location}");
        }
    }
}

/// Pingora, CVE-2025-4366 and others: what was answered early left the body unread, and it was the next request.
fn the_body_of_a_form_is_not_the_next_request() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    let cookie = alice.cookie();
    let hidden = compose("GET", "/account", &[("cookie", &cookie)], b"");
    for (target, fields) in [
        ("/account/name", vec![("content-type", "text/plain"), SAME_ORIGIN]),
        ("/account/name", vec![FORM]),
        ("/account/name", vec![FORM, SAME_ORIGIN]),
        ("/login", vec![FORM, ("sec-fetch-site", "cross-site")]),
        ("/account", vec![FORM, SAME_ORIGIN]),
        ("/api/orders", vec![FORM, SAME_ORIGIN]),
        ("/", vec![FORM]),
        ("/no/such/page", vec![FORM]),
    ] {
        let mut connection = example.site.connect();
        connection.send(compose("POST", target, &fields, &hidden)).expect("sent");
        let answer = connection.response_to("POST").expect("an answer");
        assert!(answer.status >= 300, "{target}: {answer:?}");
        // Either it is over, or the next answer is that of the next request.
        if connection.send(compose("GET", "/assets/account.css", &[], b"")).is_ok()
            && let Ok(next) = connection.response()
        {
            assert_eq!(next.header("content-type"), Some("text/css; charset=utf-8"), "{target}: {next:?}");
        }
    }
    assert!(alice.get("/account").text().contains("Alice Lind"));
}

/// React, CVE-2025-55182: what a form sent was read as more than text, and ran.
fn what_a_form_takes_is_text_and_nothing_more() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for name in [
        "$ACTION_REF_1",
        "$ACTION_1:0",
        "__proto__",
        "constructor.prototype.x",
        "full_name[x]",
        "full_name[]",
        "0",
        "",
        "role",
        "_method",
    ] {
        let answer =
            alice.post("/account/name", &[("full_name", "Mallory"), (name, "{\"then\":\"$1:__proto__:then\"}")]);
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    for body in [
        "{\"sku\":\"FO-107\",\"__proto__\":{\"role\":\"admin\"}}",
        "{\"sku\":{\"$ne\":null}}",
        "{\"sku\":[\"FO-107\"]}",
        "{\"sku\":\"FO-107\",\"sku\":\"FO-121\"}",
        "{\"sku\":\"FO-107\",\"count\":\"1\"}",
        "{\"sku\":\"FO-107\",\"count\":1e2}",
        "{\"sku\":\"FO-107\",\"count\":1.5}",
        "{\"sku\":\"FO-107\",\"count\":99999999999999999999}",
        "[]",
        "\"FO-107\"",
        "{\"sku\":\"FO-107\"}{}",
        "{\"sku\":\"\\ud800\"}",
        "",
    ] {
        let answer = alice.json("POST", "/api/orders", body);
        assert!(matches!(answer.status, 400 | 422), "{body}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{body}");
    }
    let page = alice.get("/account");
    assert!(
        page.text().contains("Alice Lind") && !page.text().contains("1004"),
        "nothing was changed: {}",
        page.text()
    );
}

/// Passwords in logs, in error pages, in what was shown again.
fn a_password_is_in_no_page_and_no_log() {
    let example = Example::start("account");
    let mut alice = Visitor::of(&example.site);
    let wrong = "n0t-her-pa55word";
    for fields in [
        vec![("name", "alice"), ("password", wrong)],
        vec![("password", wrong)],
        vec![("name", wrong), ("password", wrong), ("password", wrong)],
        vec![("name", "alice"), ("password", wrong), ("unknown", "1")],
    ] {
        let answer = alice.post("/login", &fields);
        assert!(matches!(answer.status, 400 | 422), "{answer:?}");
        let is_name = fields[0] == ("name", wrong);
        assert!(is_name || !String::from_utf8_lossy(&answer.body).contains(wrong), "{fields:?}: {}", answer.text());
    }
    example.site.get("/assets/account.css");
    example.site.wait_for_access(|line| line.contains("account.css"));
    let said = format!("{}{}", example.site.access_log(), example.site.messages());
    assert!(said.contains("/login") && !said.contains(wrong), "{said}");
}

/// Colliding names, and simply many of them: a request cost minutes.
fn ever_so_many_fields_are_refused_at_once() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    let many = (0..1_001).fold(String::new(), |many, number| many + &format!("f{number}=1&"));
    for body in [
        many.clone(),
        format!("full_name=x&{many}"),
        "full_name=x&".repeat(1_001),
        "&".repeat(60_000),
        many.repeat(100),
    ] {
        let answer = alice.send("POST", "/account/name", &[FORM, SAME_ORIGIN], body.as_bytes());
        // Nothing at all, ever so often, is nothing.
        let is_empty = body.trim_matches('&').is_empty();
        assert!(matches!(answer.status, 400 | 413) || (is_empty && answer.status == 422), "{answer:?}");
    }
    let members = (0..1_001).fold(String::new(), |members, number| members + &format!("\"f{number}\":1,"));
    let answer = alice.json("POST", "/api/orders", &format!("{{{members}\"sku\":\"FO-107\"}}"));
    assert!(matches!(answer.status, 400 | 413 | 422), "{answer:?}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(alice.json("POST", "/api/orders", &deep).status, 400 | 413));
    assert!(alice.get("/account").text().contains("Alice Lind"));
}

/// Caddy, CVE-2026-27586: what could not be read was as if it had not been asked for.
fn when_nobody_can_say_who_asks_nobody_is_let_in() {
    let example = Example::start("account");
    let alice = Visitor::signed_in(&example.site, "alice");
    let (cookie, Example { mut site, accounts, .. }) = (alice.cookie(), example);
    let kept = site.get("/");
    drop(accounts);
    for target in [
        "/account",
        "/account/name",
        "/admin",
        "/admin/handbook",
        "/admin/files/counter.txt",
        "/admin/backend/users",
        "/api/me",
        "/api/orders",
    ] {
        let answer = site.request("GET", target, &[("cookie", &cookie)], b"");
        assert_eq!(answer.status, 503, "{target}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{target}: {answer:?}");
        let told = answer.header("cache-control").unwrap_or_default();
        assert!(told.contains("no-store"), "{target}: {told}");
    }
    // Who says nothing of who they are loses nothing.
    assert_eq!(site.get("/").body, kept.body);
    is_kept_out(&site.get("/account"));
    site.signal("TERM");
    assert!(site.wait().success());
}

/// What stood in a path or a form was joined to the URL of an internal call, and chose another one.
fn what_is_typed_cannot_choose_another_call() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for id in [
        "..%2fusers",
        "%2e%2e%2fusers",
        "..%5cusers",
        "1001%2f..%2f1003",
        "1001%3fx",
        "1001%23",
        "1001;x",
        "+1001",
        "01001",
        "1e3",
        "%31%30%30%33%00",
    ] {
        for target in [format!("/account/orders/{id}"), format!("/api/orders/{id}")] {
            let answer = alice.get(&target);
            assert!(matches!(answer.status, 400 | 404), "{target}: {answer:?}");
        }
    }
    let shop = Example::start("shop");
    let mut visitor = Visitor::of(&shop.site);
    for change in ["../users", "add/../remove", "remove%00", "ADD", "add ", "..", "add?x=1"] {
        let answer = visitor.post("/basket", &[("change", change), ("sku", "FO-107")]);
        assert_eq!(answer.status, 422, "{change}: {answer:?}");
    }
    assert!(visitor.cookies.is_empty());
}

/// What was typed came back as markup, in the page that said it was wrong, or after the redirect.
fn what_is_typed_is_text_in_the_page() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "</title><script>",
        "{{ user.role }}",
        "{form.result}",
        "&lt;b&gt;",
    ] {
        let long = format!("{text}{}", "x".repeat(80));
        let answer = alice.post("/account/name", &[("full_name", &long)]);
        assert_eq!(answer.status, 422, "{text}: {answer:?}");
        let escaped = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        let shown = answer.text().replace("&quot;", "&#34;").replace("&#x27;", "&#39;");
        assert!(shown.contains(&escaped), "{text}: {shown}");
        assert!(!text.contains('<') || !shown.contains(text), "{text}: {shown}");
        // Accepted, it is greeted by, and told after the redirect.
        let answer = alice.post("/account/name", &[("full_name", text)]);
        assert_eq!(answer.status, 303, "{text}: {answer:?}");
        let page = alice.get("/account");
        let shown = page.text().replace("&quot;", "&#34;").replace("&#x27;", "&#39;");
        assert!(shown.matches(&escaped).count() >= 2, "{text}: {shown}");
        assert!(!text.contains('<') || !shown.contains(text), "{text}: {shown}");
    }
}

/// Split answers: a line break in what was typed ended a field, and began the attacker's own.
fn a_line_break_in_a_field_makes_no_header() {
    let example = Example::start("account");
    let mut alice = Visitor::signed_in(&example.site, "alice");
    for text in [
        "a\r\nset-cookie: evil=1",
        "a\nset-cookie: evil=1",
        "a\rb",
        "a\0b",
        "a\u{85}b",
        "a\u{2028}set-cookie: evil=1",
        "a%0d%0ab",
        "a; Domain=evil.example",
        "a\u{1b}[2Jb",
    ] {
        let answer = alice.post("/account/name", &[("full_name", text)]);
        assert!(matches!(answer.status, 303 | 400 | 422), "{text:?}: {answer:?}");
        let names: Vec<_> = alice.cookies.keys().filter(|name| name.contains("evil")).collect();
        let cookies = answer.headers("set-cookie");
        let mut attributes = cookies.iter().flat_map(|cookie| cookie.split(';').skip(1));
        assert!(names.is_empty() && !attributes.any(|of| of.contains("evil")), "{text:?}: {answer:?}");
        alice.get("/account");
        assert!(!alice.cookies.keys().any(|name| name.contains("evil")), "{text:?}");
        for target in ["/login", "/theme"] {
            let answer =
                alice.post(target, &[("name", "alice"), ("password", "alice-secret"), ("next", text), ("theme", text)]);
            assert!(!alice.cookies.keys().any(|name| name.contains("evil")), "{text:?}: {answer:?}");
        }
    }
    assert!(!example.site.access_log().contains('\u{1b}') && !example.site.messages().contains('\u{1b}'));
}
