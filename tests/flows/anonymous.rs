//! Pages that greet a person and are one stored page for everybody else: who shares it, who never does, and what becomes of it.

use super::{admin, archive, site, until};
use crate::support::SAFETY_NET;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::{Response, compose};
use crate::support::proof::{Random, scaled};
use crate::support::site::{Site, binary};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

crate::cases!(
    those_who_are_nobody_share_one_page,
    a_person_has_a_page_of_their_own,
    what_looks_like_somebody_is_not_nobody,
    people_at_once_meet_nobody,
    what_depends_on_a_person_is_not_lacking_to_nobody,
    rules_decide_for_nobody_too,
    documents_and_direct_reads_have_it,
    a_route_that_is_asked_shares_its_own,
    enumerated_cookies_still_choose,
    an_error_is_no_anonymous_page,
    a_404_of_nobody_is_kept_as_declared,
    it_is_purged_and_made_anew_without_a_person,
    who_must_sign_in_is_sent_there,
    what_is_sent_downstream_is_as_declared,
    it_is_told_and_counted,
    each_answer_is_for_who_asked,
);

/// A page that greets by its cookie, beside news for all.
const GREETING: &str = "\
-- routes/index.toml --
layout = \"home.html\"
[sources.me]
upstream = \"up\"
path = \"/gate/me/me\"
forward-cookies = [\"session\"]
optional = true
extract.name = \"$.name\"
[sources.news]
upstream = \"up\"
path = \"/count/news\"
extract.count = \"$.count\"
[cache.server]
max-age = \"1h\"
-- layouts/home.html --
<p>{% if me %}Hello {{ me.name }}{% else %}Sign in{% endif %}</p><p>News {{ news.count }}</p>
";

fn greeting() -> String {
    GREETING.replace("/gate/me/me", "/me")
}

fn ask(site: &Site, target: &str, fields: &[(&str, &str)]) -> Response {
    site.request("GET", target, fields, b"")
}

/// Nobody's page, which was in the store or is by now.
fn is_shared(response: &Response, is_hit: bool) {
    let status = response.header("cache-status").unwrap_or_default();
    let expected = if is_hit { "siteserver; hit; ttl=" } else { "siteserver; fwd=miss; stored" };
    assert!(status.starts_with(expected), "{status}: {}", response.text());
    assert_eq!(response.header("cache-control"), Some("private, no-cache"));
    assert_eq!(response.header("age").is_some(), is_hit);
}

/// One person's page, which nobody keeps.
fn is_own(response: &Response) {
    assert_eq!(response.header("cache-control"), Some("private, no-store"), "{}", response.text());
    for absent in ["etag", "age", "cache-status", "cdn-cache-control"] {
        assert_eq!(response.header(absent), None, "{absent}: {}", response.text());
    }
}

fn those_who_are_nobody_share_one_page() {
    let fault = FaultServer::start();
    let site = site(&fault, GREETING);
    let mut clients: Vec<_> = (0..50).map(|_| site.connect()).collect();
    for client in &mut clients {
        client.send(compose("GET", "/", &[("cookie", "theme=dark")], b"")).unwrap();
    }
    fault.wait_for("/gate/me/me", 1);
    fault.release("me");
    for client in &mut clients {
        let answer = client.response().unwrap();
        assert_eq!((answer.status, answer.text().trim()), (200, "<p>Sign in</p><p>News 1</p>"));
    }
    assert_eq!((fault.calls("/gate/me/me"), fault.calls("/count/news")), (1, 1));
    let called = &fault.requests("/gate/me/me")[0];
    assert_eq!(called.header("cookie"), None);
    let kept = ask(&site, "/", &[]);
    is_shared(&kept, true);
    assert!(kept.header("vary").is_some_and(|vary| vary.contains("cookie")), "{:?}", kept.headers);
    let tag = kept.header("etag").expect("a validator");
    assert!(tag.starts_with('"'), "{tag}");
    let unchanged = ask(&site, "/", &[("if-none-match", tag)]);
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(tag)));
    assert_eq!(unchanged.header("cache-control"), Some("private, no-cache"));
    assert!(unchanged.header("vary").is_some_and(|vary| vary.contains("cookie")), "{:?}", unchanged.headers);
    assert_eq!(fault.total_calls(), 2);
    assert!(!site.messages().contains("does without"), "nothing is lacking: {}", site.messages());
}

fn a_person_has_a_page_of_their_own() {
    let fault = FaultServer::start();
    let site = site(&fault, &greeting());
    let shown = |answer: &Response| answer.text().trim().to_owned();
    // Whoever comes first: a person, then nobody, then another person, then nobody again.
    let ada = ask(&site, "/", &[("cookie", "session=ada")]);
    is_own(&ada);
    assert_eq!(shown(&ada), "<p>Hello ada</p><p>News 1</p>");
    let nobody = ask(&site, "/", &[]);
    is_shared(&nobody, false);
    assert_eq!(shown(&nobody), "<p>Sign in</p><p>News 2</p>");
    let grace = ask(&site, "/", &[("cookie", "a=b; session=grace")]);
    is_own(&grace);
    assert_eq!(shown(&grace), "<p>Hello grace</p><p>News 3</p>");
    let again = ask(&site, "/", &[]);
    is_shared(&again, true);
    assert_eq!(shown(&again), "<p>Sign in</p><p>News 2</p>");
    // What nobody has kept in their browser is not what a person sees after signing in.
    let tag = nobody.header("etag").expect("a validator").to_owned();
    for tag in [tag.as_str(), "W/\"x\""] {
        let ada = ask(&site, "/", &[("cookie", "session=ada"), ("if-none-match", tag)]);
        assert_eq!(ada.status, 200, "{tag}");
        is_own(&ada);
        assert!(shown(&ada).starts_with("<p>Hello ada</p>"), "{tag}: {}", shown(&ada));
    }
    assert_eq!(ask(&site, "/", &[("if-none-match", &tag)]).status, 304);
    // A person who has no session any more is still somebody, and finds no page of nobody's.
    let gone = ask(&site, "/", &[("cookie", "session=")]);
    assert_eq!(gone.header("cache-control"), Some("no-store"));
    assert_eq!((gone.header("etag"), gone.header("cache-status")), (None, None));
    assert!(shown(&gone).starts_with("<p>Sign in</p>"));
    assert_eq!(fault.calls("/me"), 6, "each person asks, and nobody once");
}

/// What a request carries decides, not what comes of it.
fn what_looks_like_somebody_is_not_nobody() {
    let fault = FaultServer::start();
    let files = greeting().replace(
        "forward-cookies = [\"session\"]",
        "forward-cookies = [\"session\", \"sid\"]\nforward-headers = [\"authorization\", \"x-api-key\", \"accept-language\"]",
    );
    let site = site(&fault, &files);
    is_shared(&ask(&site, "/", &[]), false);
    for fields in [
        &[("cookie", "session=ada")][..],
        &[("cookie", "session=")],
        &[("cookie", "session=\"\"")],
        &[("cookie", "sid=;theme=dark")],
        &[("cookie", "theme=dark"), ("cookie", "sid=x")],
        &[("authorization", "Bearer ada")],
        &[("authorization", "")],
        &[("x-api-key", "")],
    ] {
        let answer = ask(&site, "/", fields);
        assert_eq!(answer.status, 200, "{fields:?}");
        assert_eq!((answer.header("etag"), answer.header("cache-status")), (None, None), "{fields:?}");
        assert!(answer.header("cache-control").is_some_and(|said| said.ends_with("no-store")), "{fields:?}");
    }
    for fields in [&[("cookie", "")][..], &[("cookie", "theme=dark; session2=1; Session=1; x=session=1")], &[]] {
        is_shared(&ask(&site, "/", fields), true);
    }
    // Other fields that are read are in the key as ever.
    let german = [("accept-language", "de")];
    is_shared(&ask(&site, "/", &german), false);
    is_shared(&ask(&site, "/", &german), true);
}

/// The upstream answers no call before the calls of all three have come: nothing is shared but among those who are nobody.
fn people_at_once_meet_nobody() {
    let fault = FaultServer::start();
    let site = site(&fault, &GREETING.replace("/gate/me/me", "/barrier/me/3/me"));
    for round in 0..3 {
        let people = [("ada", Some("session=ada")), ("grace", Some("session=grace")), ("ada", Some("session=ada"))];
        let people = if round == 0 { [people[0], people[1], ("", None)] } else { people };
        let mut clients: Vec<_> = people.iter().map(|person| (person, site.connect())).collect();
        for ((_, cookie), client) in &mut clients {
            let fields: Vec<(&str, &str)> = cookie.iter().map(|cookie| ("cookie", *cookie)).collect();
            client.send(compose("GET", "/", &fields, b"")).unwrap();
        }
        for ((name, cookie), client) in &mut clients {
            let answer = client.response().unwrap();
            match cookie {
                Some(_) => is_own(&answer),
                None => is_shared(&answer, false),
            }
            let greeting = if cookie.is_some() { format!("Hello {name}<") } else { "Sign in".to_owned() };
            assert!(answer.text().contains(&greeting), "{}", answer.text());
        }
        is_shared(&ask(&site, "/", &[]), true);
        assert_eq!(fault.calls("/barrier/me/3/me"), 3 * (round + 1));
    }
}

const CHAIN: &str = "\
-- routes/index.toml --
json = { me = \"{me.name}\", orders = \"{orders}\", seen = \"{seen}\", each = \"{each}\" }
[sources.me]
upstream = \"up\"
path = \"/me\"
forward-headers = [\"authorization\"]
optional = true
[sources.orders]
upstream = \"up\"
path = \"/count/{me.name}\"
optional = true
extract = \"$.count\"
[sources.seen]
upstream = \"up\"
path = \"/echo\"
query = { of = \"{me.name}\" }
extract = \"$.query\"
[sources.each]
for-each = \"{me.friends}\"
max-items = 3
upstream = \"up\"
path = \"/count/{item}\"
[cache.server]
max-age = \"1h\"
";

fn what_depends_on_a_person_is_not_lacking_to_nobody() {
    let fault = FaultServer::start();
    let site = site(&fault, CHAIN);
    for is_hit in [false, true] {
        let nobody = ask(&site, "/", &[]);
        is_shared(&nobody, is_hit);
        assert_eq!(nobody.json(), json!({ "me": null, "orders": null, "seen": {}, "each": [] }));
    }
    assert_eq!((fault.calls("/me"), fault.calls("/echo"), fault.total_calls()), (1, 1, 2));
    for name in ["ada", "grace"] {
        let person = ask(&site, "/", &[("authorization", &format!("Bearer {name}"))]);
        is_own(&person);
        assert_eq!(person.json(), json!({ "me": name, "orders": 1, "seen": { "of": name }, "each": [] }));
    }
    is_shared(&ask(&site, "/", &[]), true);
}

fn rules_decide_for_nobody_too() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/page.toml --\npath = \"/page/{id}\"\nlayout = \"page.html\"\n\
         rules = [{ if = \"me == nil and params.id == 'secret'\", then = { redirect = \"/login\" } }, \
         { if = \"me == nil\", then = { layout = \"guest.html\" } }]\n\
         [sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\noptional = true\n\
         [sources.own]\nupstream = \"up\"\npath = \"/count/{me.name}\"\nextract = \"$.count\"\n\
         [cache.server]\nmax-age = \"1h\"\n\
         -- layouts/page.html --\nOwn {{ own }} of {{ me.name }}\n-- layouts/guest.html --\nA guest at {{ params.id }}\n",
    );
    for (id, is_hit) in [("a", false), ("a", true), ("b", false)] {
        let nobody = ask(&site, &format!("/page/{id}"), &[]);
        is_shared(&nobody, is_hit);
        assert_eq!(nobody.text().trim(), format!("A guest at {id}"));
    }
    for _ in 0..2 {
        let sent = ask(&site, "/page/secret", &[]);
        assert_eq!((sent.status, sent.header("location")), (302, Some("/login")));
        assert_eq!(sent.header("cache-control"), Some("private, no-cache"), "a redirect is worked out each time");
    }
    let ada = ask(&site, "/page/a", &[("cookie", "session=ada")]);
    is_own(&ada);
    assert_eq!(ada.text().trim(), "Own 1 of ada");
    let ada = ask(&site, "/page/secret", &[("cookie", "session=ada")]);
    assert_eq!((ada.status, ada.text().trim()), (200, "Own 2 of ada"));
    is_own(&ada);
    assert_eq!(fault.calls("/count/ada"), 2);
}

fn documents_and_direct_reads_have_it() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- content/docs/a.md --\n+++\ntitle = \"A\"\n+++\nText of A\n-- content/docs/b.md --\n+++\ntitle = \"B\"\n+++\nText of B\n\
         -- routes/docs.toml --\npath = \"/docs/{*page}\"\ncontent = \"docs\"\nlayout = \"document.html\"\n\
         [sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\noptional = true\n\
         [cache.server]\nmax-age = \"1h\"\n\
         -- layouts/document.html --\n{{ me.name | default: 'nobody' }}: {{ content }}\n\
         -- routes/direct.toml --\njson = { of = \"{cookies.visitor}\", key = \"{request.headers.x-api-key}\" }\n\
         [cookies.visitor]\nname = \"__Host-visitor\"\n[cache.server]\nmax-age = \"1h\"\n",
    );
    for (page, other) in [("a", "b"), ("b", "a")] {
        let target = format!("/docs/{page}");
        for is_hit in [false, true] {
            let nobody = ask(&site, &target, &[]);
            is_shared(&nobody, is_hit);
            let expected = format!("nobody: <p>Text of {}</p>", page.to_uppercase());
            assert_eq!(nobody.text().trim(), expected, "{target} is not {other}");
        }
        let ada = ask(&site, &target, &[("cookie", "session=ada")]);
        is_own(&ada);
        assert!(ada.text().starts_with("ada: <p>Text of"), "{}", ada.text());
    }
    for is_hit in [false, true] {
        let nobody = ask(&site, "/direct", &[("cookie", "visitor=no-such-name")]);
        is_shared(&nobody, is_hit);
        assert_eq!(nobody.json(), json!({ "of": null, "key": null }));
        for (field, value, expected) in [
            ("cookie", "__Host-visitor=ada", json!({ "of": "ada", "key": null })),
            ("x-api-key", "k", json!({ "of": null, "key": "k" })),
        ] {
            let person = ask(&site, "/direct", &[(field, value)]);
            is_own(&person);
            assert_eq!(person.json(), expected);
        }
    }
}

/// The page that asks takes on all that says who asks from the route that it asks.
fn a_route_that_is_asked_shares_its_own() {
    let fault = FaultServer::start();
    let api = |name: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = {{ me = \"{{me.name}}\", count = \"{{n.count}}\" }}\n\
             [sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\n{more}\n\
             [sources.n]\nupstream = \"up\"\npath = \"/count/{name}\"\n"
        )
    };
    let page = |name: &str, asked: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = {{ own = \"{{n.count}}\", asked = \"{{api}}\" }}\n\
             [sources.api]\nroute = \"/{asked}\"\n{more}\n[sources.n]\nupstream = \"up\"\npath = \"/count/of-{name}\"\n\
             [cache.server]\nmax-age = \"1h\"\n"
        )
    };
    let files = [
        api("kept", "optional = true\n[cache.server]\nmax-age = \"1h\""),
        api("live", "optional = true"),
        api("strict", ""),
        page("a", "kept", ""),
        page("b", "live", ""),
        page("c", "strict", "optional = true"),
    ];
    let site = site(&fault, &files.concat());
    let answer_of_api = |name: &str, call: u64| match name {
        "strict" => Value::Null,
        _ => json!({ "me": null, "count": call }),
    };
    for (page, asked) in [("a", "kept"), ("b", "live"), ("c", "strict")] {
        for is_hit in [false, true] {
            let nobody = ask(&site, &format!("/{page}"), &[]);
            is_shared(&nobody, is_hit);
            assert_eq!(nobody.json(), json!({ "own": 1, "asked": answer_of_api(asked, 1) }), "{page}");
        }
        let ada = ask(&site, &format!("/{page}"), &[("cookie", "session=ada")]);
        is_own(&ada);
        assert_eq!(ada.json()["asked"]["me"], "ada", "{page}");
        is_shared(&ask(&site, &format!("/{page}"), &[]), true);
    }
    // Its own anonymous answer was put into the store for the page that asked.
    let nobody = ask(&site, "/kept", &[]);
    is_shared(&nobody, true);
    assert_eq!(nobody.json(), json!({ "me": null, "count": 1 }));
    assert_eq!(ask(&site, "/strict", &[]).status, 401);
    // Nothing is declared of it, so nobody's answer is as any other.
    let live = ask(&site, "/live", &[]);
    assert_eq!((live.header("cache-control"), live.header("cache-status")), (Some("no-store"), None));
}

fn enumerated_cookies_still_choose() {
    let fault = FaultServer::start();
    let files = greeting().replace("<p>News", "{{ cookies.theme }}<p>News")
        + "-- routes/_section.toml --\n[cookies.theme]\nenum = [\"light\", \"dark\"]\ndefault = \"light\"\n";
    let site = site(&fault, &files);
    for is_hit in [false, true] {
        for (theme, shown) in [("theme=dark", "dark"), ("theme=light", "light")] {
            let nobody = ask(&site, "/", &[("cookie", theme)]);
            is_shared(&nobody, is_hit);
            assert!(nobody.text().contains(&format!("</p>{shown}<p>")), "{}", nobody.text());
        }
    }
    is_own(&ask(&site, "/", &[("cookie", "theme=dark; session=ada")]));
    assert_eq!(fault.calls("/count/news"), 3);
}

fn an_error_is_no_anonymous_page() {
    let fault = FaultServer::start();
    fault.put("/me", Reply::json("{}").status(503));
    let kept = greeting()
        .replace("routes/index", "routes/kept")
        .replace("[cache.server]", "[cache]\ndegraded = \"1h\"\n[cache.server]");
    let site = site(&fault, &(greeting() + &kept));
    for count in 1..=2 {
        let degraded = ask(&site, "/", &[]);
        assert_eq!((degraded.status, degraded.header("cache-control")), (200, Some("no-store")));
        assert_eq!(degraded.text().trim(), format!("<p>Sign in</p><p>News {count}</p>"));
        assert_eq!(degraded.header("cache-status"), Some("siteserver; fwd=miss"));
    }
    for _ in 0..2 {
        let degraded = ask(&site, "/kept", &[]);
        assert_eq!(
            (degraded.text().trim(), degraded.header("cache-control")),
            ("<p>Sign in</p><p>News 3</p>", Some("no-store"))
        );
    }
    let ada = ask(&site, "/kept", &[("cookie", "session=ada")]);
    assert_eq!(ada.text().trim(), "<p>Sign in</p><p>News 4</p>", "what nobody is shown meanwhile is not for a person");
    fault.put("/me", Reply::json("{}").status(401));
    is_shared(&ask(&site, "/", &[]), false);
    is_shared(&ask(&site, "/", &[]), true);
    // 404 says the same, and so does an answer without content.
    for (at, reply) in [Reply::json("{}").status(404), Reply::of("", "").status(204)].into_iter().enumerate() {
        let fault = FaultServer::start();
        fault.put("/me", reply);
        let site = super::site(&fault, &greeting());
        is_shared(&ask(&site, "/", &[]), false);
        is_shared(&ask(&site, "/", &[]), true);
        assert_eq!(fault.calls("/me"), 1, "{at}");
    }
}

fn a_404_of_nobody_is_kept_as_declared() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/item.toml --\npath = \"/items/{id}\"\njson = { me = \"{me.name}\", item = \"{thing}\" }\n\
         [sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\noptional = true\n\
         [sources.thing]\nupstream = \"up\"\npath = \"/status/{params.id}\"\n\
         [cache]\nnot-found = \"1h\"\n[cache.server]\nmax-age = \"1h\"\n",
    );
    for is_hit in [false, true] {
        let absent = ask(&site, "/items/404", &[]);
        assert_eq!(absent.status, 404);
        is_shared(&absent, is_hit);
    }
    let ada = ask(&site, "/items/404", &[("cookie", "session=ada")]);
    assert_eq!((ada.status, ada.header("cache-control"), ada.header("cache-status")), (404, Some("no-store"), None));
    assert_eq!(fault.calls("/status/404"), 2);
    is_shared(&ask(&site, "/items/200", &[]), false);
}

fn it_is_purged_and_made_anew_without_a_person() {
    let fault = FaultServer::start();
    let files = greeting().replace("max-age = \"1h\"", "max-age = \"1h\"\nstale-while-revalidate = \"1h\"");
    let site = admin::options().start(&archive(&fault, &files));
    let purge = |what: Value| {
        let response = admin::ask(&site, "POST", "/purge", &[], &what.to_string());
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["entries"].as_u64().unwrap()
    };
    let mut news = 1;
    is_shared(&ask(&site, "/", &[]), false);
    for what in [
        json!({ "path": "/" }),
        json!({ "tags": ["route:index.toml"] }),
        json!({ "source": "me" }),
        json!({ "all": true }),
    ] {
        assert_eq!(purge(what.clone()), 1, "{what}");
        news += 1;
        let anew = ask(&site, "/", &[]);
        is_shared(&anew, false);
        assert_eq!(anew.text().trim(), format!("<p>Sign in</p><p>News {news}</p>"), "{what}");
    }
    // A person neither finds what was stale nor makes it anew; nobody does, and the call says nothing of anybody.
    assert_eq!(purge(json!({ "all": true, "soft": true })), 1);
    let ada = ask(&site, "/", &[("cookie", "session=ada")]);
    is_own(&ada);
    news += 1;
    assert!(ada.text().contains(&format!("Hello ada</p><p>News {news}<")), "{}", ada.text());
    let stale = ask(&site, "/", &[("cookie", "theme=dark")]);
    assert!(stale.header("cache-status").is_some_and(|status| status.contains("hit; ttl=-")), "{:?}", stale.headers);
    assert!(stale.text().contains("Sign in"), "{}", stale.text());
    news += 1;
    let fresh = until(&site, "/", |answer| answer.text().contains(&format!("News {news}<")));
    assert!(fresh.text().contains("Sign in"), "{}", fresh.text());
    let cookies: Vec<_> =
        fault.requests("/me").iter().map(|call| call.header("cookie").map(ToOwned::to_owned)).collect();
    assert_eq!(cookies.iter().flatten().collect::<Vec<_>>(), ["session=ada"]);
}

fn who_must_sign_in_is_sent_there() {
    let fault = FaultServer::start();
    let page = |name: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{me.name}}\"\n[sources.me]\nupstream = \"up\"\npath = \"/me\"\n\
             forward-cookies = [\"session\"]\n{more}\n"
        )
    };
    let files = [
        page("login", "on-unauthorized = { redirect = \"/in\" }"),
        page("status", ""),
        page("optional", "optional = true"),
    ];
    let site = site(&fault, &files.concat());
    for round in 1..=2 {
        let sent = ask(&site, "/login", &[]);
        assert_eq!((sent.status, sent.header("location")), (302, Some("/in")));
        assert_eq!(sent.header("cache-control"), Some("private, no-store"));
        assert_eq!(ask(&site, "/status", &[]).status, 401);
        let optional = ask(&site, "/optional", &[]);
        assert_eq!((optional.status, optional.header("cache-control")), (200, Some("no-store")), "nothing is declared");
        assert_eq!(fault.calls("/me"), 3 * round);
    }
}

fn what_is_sent_downstream_is_as_declared() {
    let fault = FaultServer::start();
    let page = |name: &str, cache: &str| {
        greeting().replace("routes/index", &format!("routes/{name}")).replace("[cache.server]", cache)
    };
    let files = [
        page("private", "[cache]\nprivate = true\nmax-age = \"1m\"\n[cache.server]"),
        page("no-store", "[cache]\nno-store = true\n[cache.server]"),
        page(
            "tagged",
            "[cache]\ntags = [\"news\", \"of:{me.name}\"]\n[cache.cdn]\nno-store = true\ntag-header = \"Cache-Tag\"\n[cache.server]",
        ),
    ];
    let site = site(&fault, &files.concat());
    for (target, nobody, person) in [
        ("/private", "private, no-cache", "private, max-age=60"),
        ("/no-store", "no-store", "no-store"),
        ("/tagged", "private, no-cache", "private, no-store"),
    ] {
        for is_hit in [false, true] {
            let answer = ask(&site, target, &[]);
            assert_eq!(answer.header("cache-control"), Some(nobody), "{target}");
            assert_eq!(answer.header("cache-tag"), None, "{target}");
            let status = answer.header("cache-status").unwrap_or_default();
            assert_eq!(status.starts_with("siteserver; hit"), is_hit, "{target}: {status}");
            let answer = ask(&site, target, &[("cookie", "session=ada")]);
            assert_eq!((answer.header("cache-control"), answer.header("etag")), (Some(person), None), "{target}");
            assert_eq!((answer.header("cache-tag"), answer.header("cache-status")), (None, None), "{target}");
        }
    }
}

fn it_is_told_and_counted() {
    let fault = FaultServer::start();
    let site = admin::options().start(&archive(&fault, &greeting()));
    let explain = |fields: &[&str], format: &[&str]| {
        let mut command = binary();
        command.arg("explain").arg("--config").arg(site.folder().path().join("site.toml")).arg("/").args(format);
        for field in fields {
            command.args(["--header", field]);
        }
        let output = command.output().expect("the binary");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let told =
        |fields: &[&str]| -> Value { serde_json::from_str(&explain(fields, &["--format", "json"])).expect("JSON") };
    let nobody = told(&[]);
    let page = &nobody["page"];
    let expected = json!({ "without": "the cookie `session`", "shared": true, "this": true, "obstacles": [] });
    assert_eq!(page["anonymous"], expected);
    assert_eq!((&page["privacy"]["public"], &page["store"]["kept"]), (&json!(false), &json!(true)));
    assert_eq!(page["store"]["key"]["parts"], json!([{ "section": "variant", "name": "anonymous", "value": "true" }]));
    assert_eq!(page["lifetimes"]["store"], "fresh for 1h");
    let fields = page["fields"].as_array().expect("fields");
    assert!(fields.contains(&json!({ "name": "cache-control", "value": "private, no-cache" })), "{fields:?}");
    let person = told(&["cookie: session=ada"]);
    let page = &person["page"];
    assert_eq!((&page["anonymous"]["shared"], &page["anonymous"]["this"]), (&json!(true), &json!(false)));
    assert_eq!((&page["store"]["kept"], &page["store"]["key"]), (&json!(false), &Value::Null));
    assert_eq!(page["store"]["why_not"], "the page is one person's");
    let fields = page["fields"].as_array().expect("fields");
    assert!(fields.contains(&json!({ "name": "cache-control", "value": "private, no-store" })), "{fields:?}");
    let text = explain(&[], &[]);
    let line = "anonymous       requests without the cookie `session` share one copy; this request is one of them";
    assert!(text.contains(line), "{text}");

    for fields in [&[][..], &[], &[("cookie", "session=ada")], &[("cookie", "session=ada")]] {
        assert_eq!(ask(&site, "/", fields).status, 200);
    }
    // An answer is counted once it has been sent.
    let end = Instant::now() + SAFETY_NET;
    loop {
        let metrics = admin::ask(&site, "GET", "/metrics", &[], "").text().to_owned();
        let is_counted = |(outcome, count): &(&str, u32)| {
            metrics.contains(&format!("_total{{route=\"routes/index.toml\",outcome=\"{outcome}\"}} {count}\n"))
        };
        if [("hit", 1), ("miss", 1), ("stale", 0), ("uncached", 2)].iter().all(is_counted) {
            break;
        }
        assert!(Instant::now() < end, "{metrics}");
    }
    let line = site.wait_for_access(|line| line.contains("\"cache\":\"hit\""));
    assert!(line.contains("routes/index.toml"), "{line}");
}

/// Pages that show all that may say who asks, each by another way; those that are kept and those that are not.
fn each_answer_is_for_who_asked() {
    const CLIENTS: usize = 6;
    let requests = scaled(200_000, 3_000);
    let fault = FaultServer::start();
    let source = "[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nforward-cookies = [\"session\"]\nforward-headers = [\"authorization\"]\noptional = true\n\
                  extract.session = \"$.headers.cookie\"\nextract.bearer = \"$.headers.authorization\"\n";
    let server = "[cache.server]\nmax-age = \"1s\"\nstale-while-revalidate = \"1h\"\n";
    let direct = "[cookies.session]\n";
    let files = format!(
        "-- routes/sent.toml --\npath = \"/sent/{{id}}\"\njson = [\"{{params.id}}\", \"{{a.session}}\", \"{{a.bearer}}\"]\n{source}{server}\
         -- routes/read.toml --\npath = \"/read/{{id}}\"\njson = [\"{{params.id}}\", \"session={{cookies.session}}\", \"{{request.headers.authorization}}\"]\n{direct}{server}\
         -- routes/html.toml --\npath = \"/html/{{id}}\"\nlayout = \"page.html\"\n{source}{server}\
         -- routes/asking.toml --\npath = \"/asking/{{id}}\"\njson = \"{{b}}\"\n[sources.b]\nroute = \"/sent/{{params.id}}\"\n{server}\
         -- routes/live.toml --\npath = \"/live/{{id}}\"\njson = [\"{{params.id}}\", \"{{a.session}}\", \"{{a.bearer}}\"]\n{source}\
         -- layouts/page.html --\n[\"{{{{ params.id }}}}\", \"{{{{ a.session }}}}\", \"{{{{ a.bearer }}}}\"]\n"
    );
    let site = admin::options().set("log.access=off").start(&archive(&fault, &files));
    let mut random = Random::new();
    let (shared, own) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut random = random.split();
            let (site, shared, own) = (&site, &shared, &own);
            scope.spawn(move || {
                let mut connection = site.connect();
                for _ in 0..requests / CLIENTS {
                    let kind = *random.pick(&["sent", "read", "html", "asking", "live"]);
                    let id = format!("i{}", random.below(4));
                    let name = |random: &mut Random| random.percent(40).then(|| format!("p{}", random.below(1000)));
                    let (session, bearer) = (name(&mut random), name(&mut random));
                    let cookie = session.as_ref().map(|name| format!("theme=x; session={name}"));
                    let bearer = bearer.map(|name| format!("Bearer {name}"));
                    let fields = [("cookie", &cookie), ("authorization", &bearer)];
                    let fields: Vec<(&str, &str)> =
                        fields.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
                    let answer = connection.request("GET", &format!("/{kind}/{id}"), &fields, b"");
                    let said = format!("{kind} {id} {fields:?}: {}", answer.text());
                    assert_eq!(answer.status, 200, "{said}");
                    let nothing = if kind == "html" { json!("") } else { Value::Null };
                    let session = session.map(|name| json!(format!("session={name}")));
                    let expected = [
                        json!(id),
                        session.unwrap_or_else(|| if kind == "read" { json!("session=") } else { nothing.clone() }),
                        bearer.as_ref().map_or(nothing, |bearer| json!(bearer)),
                    ];
                    assert_eq!(answer.json(), json!(expected), "{said}");
                    let is_shared = fields.is_empty() && kind != "live";
                    assert_eq!(answer.header("cache-status").is_some(), is_shared, "{said}");
                    assert_eq!(answer.header("etag").is_some(), is_shared, "{said}");
                    if is_shared { shared } else { own }.fetch_add(1, Ordering::Relaxed);
                    if random.percent(1) {
                        let soft = random.percent(50);
                        admin::ask(site, "POST", "/purge", &[], &json!({ "all": true, "soft": soft }).to_string());
                    }
                }
            });
        }
    });
    let [shared, own] = [shared, own].map(AtomicUsize::into_inner);
    println!("{shared} answers for all, {own} for one person");
    assert!(shared > requests / 10 && own > requests / 10);
}
