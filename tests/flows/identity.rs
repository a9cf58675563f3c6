//! Who somebody is: every verdict on a token, keys that rotate and issuers that are away, passwords, and upstreams that are asked.

use super::site;
use crate::support::answers::{Delivery, Reply};
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Options, Site, binary};
use crate::support::stepped::SteppedSite;
use crate::support::tokens::{Issuer, argon2, basic, hs256, key_set, seconds, unsigned};
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

crate::cases!(
    a_password_is_hashed_for_the_file_of_users,
    a_token_is_believed_or_refused,
    a_key_that_is_known_to_all_signs_nothing,
    a_shared_secret_comes_from_the_environment,
    a_token_may_stand_in_a_cookie,
    an_unknown_key_is_looked_for_once_in_a_while,
    keys_are_fetched_again_before_they_are_due,
    an_issuer_that_is_away_signs_nobody_out,
    keys_that_were_never_had_are_waited_for_by_nobody,
    junk_makes_no_more_than_two_calls,
    what_was_verified_is_nothing_under_other_keys,
    a_key_set_that_is_none_is_not_believed,
    names_and_passwords_are_verified,
    many_wrong_passwords_make_nobody_wait_for_long,
    an_upstream_says_who_it_is,
    what_an_upstream_wants_is_passed_on,
    the_first_identity_with_a_credential_counts,
    a_page_greets_whom_it_knows_and_is_stored_for_the_others,
);

/// A guarded route that says who asks, and one that anybody may have.
const ROUTES: &str = "-- routes/me.toml --\njson = { name = \"{user.name}\", role = \"{user.role}\" }\n[guard]\nrequire = \"user\"\n\
    -- routes/admin.toml --\njson = { it = \"secret\" }\n[guard]\nrequire = { role = \"admin\" }\n\
    -- routes/hello.toml --\nlayout = \"hello.html\"\n[cache.server]\nmax-age = \"1h\"\n\
    -- layouts/hello.html --\nHello {{ user.name | default: \"stranger\" }}!\n";

/// The keys of an issuer that stands behind the upstream.
fn jwks(fault: &FaultServer, keys: &str) -> String {
    let url = fault.url("/jwks");
    format!(
        "[auth.jwt]\nalgorithm = \"ES256\"\njwks = \"{url}\"\nallow-private = true\naudience = \"shop\"\nrealm = \"shop\"\n{keys}\n"
    )
}

/// Claims for the audience of [`jwks`], for the next hours.
fn claims(name: &str) -> String {
    format!(r#"{{"name":"{name}","aud":"shop","exp":{}}}"#, seconds(100 * 3600))
}

fn with(site: &Site, target: &str, credential: Option<&str>) -> Response {
    let fields: Vec<(&str, &str)> = credential.iter().map(|credential| ("Authorization", *credential)).collect();
    site.request("GET", target, &fields, b"")
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn challenge(response: &Response) -> &str {
    response.header("www-authenticate").unwrap_or_default()
}

fn a_token_is_believed_or_refused() {
    let fault = FaultServer::start();
    let (issuer, other) = (Issuer::new("one"), Issuer::new("one"));
    let keys = "[auth.jwt]\nalgorithm = \"ES256\"\nkey-file = \"keys/id.pem\"\nissuer = \"https://id.example\"\naudience = [\"shop\", \"blog\"]\nmax-age = \"2h\"\n";
    let site = site(&fault, &format!("{keys}-- keys/id.pem --\n{}{ROUTES}", issuer.pem()));
    let now = seconds(0);
    let sound = |change: &str| {
        let claims = [("iss", "\"https://id.example\"".to_owned()), ("aud", "\"shop\"".to_owned())];
        let times = [("exp", (now + 600).to_string()), ("iat", now.to_string()), ("name", "\"ada\"".to_owned())];
        let (name, value) = change.split_once('=').unwrap_or_default();
        let written = |(known, usual): (&str, String)| if known == name { value.to_owned() } else { usual };
        let members = claims.into_iter().chain(times).filter_map(|(known, usual)| {
            let value = written((known, usual));
            (!value.is_empty()).then(|| format!("\"{known}\":{value}"))
        });
        let extra = (name == "nbf").then(|| format!("\"nbf\":{value}"));
        format!("{{{}}}", members.chain(extra).collect::<Vec<_>>().join(","))
    };
    let late = |by: i64| (now + by).to_string();
    let let_in = with(&site, "/me", Some(&bearer(&issuer.token(&sound("")))));
    assert_eq!((let_in.status, &let_in.json()["name"]), (200, &"ada".into()));
    assert_eq!(let_in.header("cache-control"), Some("private, no-store"));
    for change in [
        format!("exp={}", late(-5)),
        format!("nbf={}", late(5)),
        "aud=[\"x\",\"blog\"]".to_owned(),
        format!("iat={}", late(-7200)),
    ] {
        assert_eq!(with(&site, "/me", Some(&bearer(&issuer.token(&sound(&change))))).status, 200, "{change}");
    }
    for (change, why) in [
        (format!("exp={}", late(-60)), "the token has expired"),
        ("exp=".to_owned(), "the token has expired"),
        (format!("nbf={}", late(120)), "the token is not valid yet"),
        (format!("iat={}", late(120)), "the token is not valid yet"),
        (format!("iat={}", late(-7300)), "the token is too old"),
        ("iat=".to_owned(), "the token is too old"),
        ("iss=\"https://evil.example\"".to_owned(), "the issuer of the token is not accepted"),
        ("iss=".to_owned(), "the issuer of the token is not accepted"),
        ("aud=\"else\"".to_owned(), "the token is meant for another audience"),
        ("aud=".to_owned(), "the token is meant for another audience"),
        ("exp=\"soon\"".to_owned(), "the token is malformed"),
    ] {
        // Without `exp` the token would hold as long as `max-age` lets it.
        if change == "exp=" {
            assert_eq!(with(&site, "/me", Some(&bearer(&issuer.token(&sound(&change))))).status, 200);
            continue;
        }
        let response = with(&site, "/me", Some(&bearer(&issuer.token(&sound(&change)))));
        assert_eq!(response.status, 401, "{change}");
        let said = challenge(&response);
        assert!(said.starts_with("Bearer realm=\"") && said.contains(", error=\"invalid_token\""), "{said}");
        assert!(said.ends_with(&format!(", error_description=\"{why}\"")), "{change}: {said}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    let token = issuer.token(&sound(""));
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let elsewhere = issuer.token("{}");
    for (junk, why) in [
        (other.token(&sound("")), "the signature is not valid"),
        (format!("{signed}.{}", elsewhere.rsplit_once('.').expect("a signature").1), "the signature is not valid"),
        (signed.to_owned(), "the token is malformed"),
        (format!("{signed}."), "the signature is not valid"),
        ("x".to_owned(), "the token is malformed"),
        ("x".repeat(9_000), "the token is too long"),
        (unsigned(r#"{"alg":"none"}"#, &sound("")), "the algorithm of the token is not accepted"),
        (issuer.with_header(r#"{"alg":"ES256","crit":["b64"]}"#, &sound("")), "the token has critical extensions"),
        (issuer.with_header(r#"{"alg":"ES384"}"#, &sound("")), "the algorithm of the token is not accepted"),
    ] {
        let response = with(&site, "/me", Some(&bearer(&junk)));
        assert_eq!(response.status, 401, "{junk:.40}");
        assert!(challenge(&response).contains(why), "{junk:.40}: {}", challenge(&response));
    }
    let nobody = with(&site, "/me", None);
    assert_eq!(nobody.status, 401);
    assert!(challenge(&nobody).starts_with("Bearer realm=\"") && !challenge(&nobody).contains("error"));
    // Who has no token, and who has one for something else.
    assert_eq!(with(&site, "/me", Some("Basic YTpi")).status, 401);
    assert_eq!(with(&site, "/me", Some("Bearer")).status, 401);
    assert_eq!(with(&site, "/me", Some(&format!("bEaReR   {token}"))).status, 200);
    let twice = [("Authorization", bearer(&token)), ("Authorization", "Bearer x".to_owned())];
    let twice: Vec<(&str, &str)> = twice.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(site.request("GET", "/me", &twice, b"").status, 401, "two are none");
    assert_eq!(with(&site, "/admin", Some(&bearer(&token))).status, 403);
}

fn a_key_that_is_known_to_all_signs_nothing() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    fault.put("/jwks", Reply::json(key_set(&[&issuer])));
    let site = site(&fault, &format!("{}{ROUTES}", jwks(&fault, "")));
    let pem = issuer.pem();
    for secret in [pem.as_bytes(), pem.trim_end().as_bytes(), issuer.jwk().as_bytes(), b""] {
        for header in [r#"{"alg":"HS256","kid":"one"}"#, r#"{"alg":"HS256"}"#] {
            let forged = hs256(header, &claims("eve"), secret);
            assert_eq!(with(&site, "/me", Some(&bearer(&forged))).status, 401);
        }
    }
    assert_eq!(fault.calls("/jwks"), 0, "what no key makes good is refused before one is fetched");
    assert_eq!(with(&site, "/me", Some(&bearer(&issuer.token(&claims("ada"))))).status, 200);
}

fn a_shared_secret_comes_from_the_environment() {
    let fault = FaultServer::start();
    let secret = "x9-a-secret-of-thirty-two-bytes-or-more";
    let files = format!("[auth.jwt]\nalgorithm = [\"HS256\"]\nkey = \"{{env.JWT_KEY}}\"\n{ROUTES}");
    let site = Options::default().env("JWT_KEY", secret).start(&super::archive(&fault, &files));
    let of = |secret: &str| bearer(&hs256(r#"{"alg":"HS256"}"#, &claims("ada"), secret.as_bytes()));
    assert_eq!(with(&site, "/me", Some(&of(secret))).json()["name"], "ada");
    assert_eq!(with(&site, "/me", Some(&of("another-secret-of-thirty-two-bytes-or-more"))).status, 401);
    assert_eq!(with(&site, "/me", Some(&of(""))).status, 401);
}

fn a_token_may_stand_in_a_cookie() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    let of = |more: &str| {
        format!(
            "[auth.jwt]\nalgorithm = \"ES256\"\nkey-file = \"id.json\"\ncookie = \"token\"\nrealm = \"a \\\"shop\\\"\"\n{more}-- id.json --\n{}\n{ROUTES}",
            issuer.jwk()
        )
    };
    let (ada, eve) = (issuer.for_name("ada"), issuer.for_name("eve"));
    let cookie = format!("a=b; token={ada}; token=x");
    let both = site(&fault, &of(""));
    assert_eq!(both.request("GET", "/me", &[("Cookie", &cookie)], b"").json()["name"], "ada");
    let fields = [("Cookie", cookie.as_str()), ("Authorization", &bearer(&eve))];
    assert_eq!(both.request("GET", "/me", &fields, b"").json()["name"], "eve", "the field goes before the cookie");
    let alone = site(&fault, &of("bearer = false\n"));
    assert_eq!(alone.request("GET", "/me", &fields, b"").json()["name"], "ada");
    let nobody = with(&alone, "/me", Some(&bearer(&eve)));
    assert_eq!((nobody.status, challenge(&nobody)), (401, "Cookie realm=\"a \\\"shop\\\"\", cookie-name=\"token\""));
    for empty in ["token=", "Token=x", "x"] {
        assert_eq!(alone.request("GET", "/me", &[("Cookie", empty)], b"").status, 401, "{empty}");
    }
}

/// A site whose hours pass as the test says, with the keys of an issuer.
fn stepped(fault: &FaultServer, keys: &str) -> SteppedSite {
    SteppedSite::start(&super::archive(fault, &format!("{}{ROUTES}", jwks(fault, keys))))
}

fn ask(site: &SteppedSite, token: &str) -> Response {
    site.get_with("/me", &[("Authorization", &bearer(token))]).expect("an answer")
}

const SECOND: Duration = Duration::from_secs(1);

fn an_unknown_key_is_looked_for_once_in_a_while() {
    let fault = FaultServer::start();
    let (first, second, third) = (Issuer::new("first"), Issuer::new("second"), Issuer::new("third"));
    fault.put("/jwks", Reply::json(key_set(&[&first])));
    let site = stepped(&fault, "retry = \"30s\"");
    let [one, two, three] = [&first, &second, &third].map(|issuer| issuer.token(&claims("ada")));
    assert_eq!((ask(&site, &one).status, fault.calls("/jwks")), (200, 1));
    assert_eq!((ask(&site, &two).status, fault.calls("/jwks")), (401, 1), "the set is of this moment");
    // Rotated in: found with the first token that is signed with it.
    fault.put("/jwks", Reply::json(key_set(&[&first, &second])));
    site.advance(2 * SECOND);
    assert_eq!((ask(&site, &two).status, fault.calls("/jwks")), (200, 2));
    fault.put("/jwks", Reply::json(key_set(&[&second, &third])));
    for _ in 0..5 {
        assert_eq!((ask(&site, &three).status, fault.calls("/jwks")), (401, 2), "not so soon again");
        site.advance(5 * SECOND);
    }
    site.advance(5 * SECOND);
    assert_eq!((ask(&site, &three).status, fault.calls("/jwks")), (200, 3));
    // Rotated out: what was verified with it is verified no longer.
    assert_eq!((ask(&site, &one).status, fault.calls("/jwks")), (401, 3));
    assert_eq!(ask(&site, &two).status, 200);
}

fn keys_are_fetched_again_before_they_are_due() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    fault.put("/jwks", Reply::json(key_set(&[&issuer])));
    let site = stepped(&fault, "refresh = \"10m\"");
    let token = issuer.token(&claims("ada"));
    for minutes in 0..8 {
        assert_eq!((ask(&site, &token).status, fault.calls("/jwks")), (200, 1), "after {minutes} minutes");
        site.advance(60 * SECOND);
    }
    // Nobody waits for the next one.
    fault.put("/jwks", Reply::of("text/plain", "never").delivered(Delivery::SilentAfterHead));
    assert_eq!(ask(&site, &token).status, 200);
    fault.wait_for("/jwks", 2);
    for _ in 0..5 {
        assert_eq!((ask(&site, &token).status, fault.calls("/jwks")), (200, 2), "one at a time");
    }
}

fn an_issuer_that_is_away_signs_nobody_out() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    let set = key_set(&[&issuer]);
    fault.put("/jwks", Reply::json(set.clone()));
    let site = stepped(&fault, "refresh = \"10m\"\nstale = \"2h\"\nretry = \"30s\"");
    let token = issuer.token(&claims("ada"));
    let stranger = Issuer::new("other").token(&claims("ada"));
    assert_eq!(ask(&site, &token).status, 200);
    fault.put("/jwks", Reply::json("{}").status(503));
    let mut calls = fault.calls("/jwks");
    // Up to two hours and ten minutes, in steps of ten.
    for step in 1..13 {
        site.advance(600 * SECOND);
        assert_eq!(ask(&site, &token).status, 200, "step {step}");
        // It is asked meanwhile, and nobody waits for that but who has a key that is not known.
        fault.wait_for("/jwks", calls + 1);
        assert_eq!(ask(&site, &stranger).status, 401);
        for _ in 0..3 {
            assert_eq!(ask(&site, &token).status, 200);
        }
        assert_eq!(fault.calls("/jwks"), calls + 1, "a rest after each failure");
        calls += 1;
    }
    site.advance(600 * SECOND);
    for _ in 0..3 {
        let late = ask(&site, &token);
        assert_eq!(late.status, 503, "{late:?}");
        assert!(
            late.header("retry-after")
                .is_some_and(|after| after.parse::<u64>().is_ok_and(|after| (1..=30).contains(&after)))
        );
        assert!(late.header("www-authenticate").is_none());
    }
    assert_eq!(fault.calls("/jwks"), calls + 1);
    let nobody = site.get("/me").expect("an answer");
    assert_eq!(nobody.status, 401, "who has no token is not told to wait");
    // A page for everybody is made for somebody who is not known just now.
    let greeted = site.get_with("/hello", &[("Authorization", &bearer(&token))]).expect("an answer");
    assert_eq!((greeted.status, greeted.text().trim()), (200, "Hello stranger!"));
    assert_eq!(greeted.header("cache-control"), Some("private, no-store"));
    fault.put("/jwks", Reply::json(set));
    site.advance(31 * SECOND);
    assert_eq!(ask(&site, &token).status, 200, "and back");
}

fn keys_that_were_never_had_are_waited_for_by_nobody() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    for reply in [
        Reply::json("{}").status(500),
        Reply::json("{\"keys\":[]}"),
        Reply::of("text/html", "<p>sign in"),
        Reply::json("").status(302).header("location", &fault.url("/real")),
    ] {
        fault.put("/jwks", reply);
        fault.put("/real", Reply::json(key_set(&[&issuer])));
        let before = fault.calls("/jwks");
        let site = stepped(&fault, "");
        for _ in 0..4 {
            let response = ask(&site, &issuer.token(&claims("ada")));
            assert_eq!((response.status, response.header("retry-after")), (503, Some("1")), "{response:?}");
        }
        assert_eq!(fault.calls("/jwks"), before + 1);
        fault.put("/jwks", Reply::json(key_set(&[&issuer])));
        site.advance(SECOND);
        assert_eq!(ask(&site, &issuer.token(&claims("ada"))).status, 200);
    }
    assert_eq!(fault.calls("/real"), 0, "keys are where the site says");
}

fn junk_makes_no_more_than_two_calls() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    fault.put("/jwks", Reply::json(key_set(&[&issuer])));
    let site = site(&fault, &format!("{}{ROUTES}", jwks(&fault, "retry = \"1h\"")));
    let token = issuer.token(&claims("ada"));
    thread::scope(|scope| {
        for thread in 0..4 {
            let (site, issuer, token) = (&site, &issuer, &token);
            scope.spawn(move || {
                let mut connection = site.connect();
                for at in 0..500 {
                    let header = format!(r#"{{"alg":"ES256","kid":"{thread}-{at}"}}"#);
                    let junk = match at % 5 {
                        0 => hs256(&header, &claims("eve"), b"junk"),
                        1 => format!("{at}.{at}.{at}"),
                        2 => format!("{token}{at}"),
                        3 => hs256(r#"{"alg":"ES256","kid":"one"}"#, &claims("eve"), b"junk"),
                        _ => issuer.token("{}"),
                    };
                    let response = connection.request("GET", "/me", &[("Authorization", &bearer(&junk))], b"");
                    assert_eq!(response.status, 401, "{junk}");
                    if at % 50 == 0 {
                        let fields = [("Authorization", bearer(token))];
                        let fields = [(fields[0].0, fields[0].1.as_str())];
                        assert_eq!(connection.request("GET", "/me", &fields, b"").status, 200);
                    }
                }
            });
        }
    });
    let calls = fault.calls("/jwks");
    assert!((1..=2).contains(&calls), "{calls}");
}

fn what_was_verified_is_nothing_under_other_keys() {
    let fault = FaultServer::start();
    let (first, second) = (Issuer::new("one"), Issuer::new("one"));
    let keys = "[auth.jwt]\nalgorithm = \"ES256\"\nkey-file = \"id.pem\"\n";
    let site = site(&fault, &format!("{keys}-- id.pem --\n{}{ROUTES}", first.pem()));
    let token = bearer(&first.for_name("ada"));
    assert_eq!(with(&site, "/me", Some(&token)).status, 200);
    site.folder().write("id.pem", &second.pem());
    site.signal("HUP");
    let reloaded = bearer(&second.for_name("ada"));
    super::until_with(&site, "/me", &reloaded, 200);
    assert_eq!(with(&site, "/me", Some(&token)).status, 401);
}

fn a_key_set_that_is_none_is_not_believed() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    fault.put("/jwks", Reply::json(key_set(&[&issuer])));
    let site = stepped(&fault, "refresh = \"10m\"");
    let token = issuer.token(&claims("ada"));
    assert_eq!(ask(&site, &token).status, 200);
    let many = vec![issuer.jwk(); 101].join(",");
    let secret = r#"{"keys":[{"kty":"oct","kid":"one","k":"c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA"}]}"#;
    for odd in [format!("{{\"keys\":[{many}]}}"), secret.to_owned(), "x".repeat(600 << 10), "null".to_owned()] {
        fault.put("/jwks", Reply::json(odd));
        site.advance(601 * SECOND);
        assert_eq!(ask(&site, &token).status, 200, "the last good one is");
    }
}

fn names_and_passwords_are_verified() {
    let fault = FaultServer::start();
    let users = format!(
        "-- users.toml --\n[ada]\npassword = \"{}\"\nrole = \"admin\"\n[\"Zo\u{eb}\"]\npassword = \"{}\"\n",
        argon2("open sesame"),
        argon2("pass:wörd")
    );
    let site = site(&fault, &format!("[auth.basic]\nusers = \"users.toml\"\nrealm = \"the shop\"\n{users}{ROUTES}"));
    let status = |target: &str, name: &str, password: &str| with(&site, target, Some(&basic(name, password))).status;
    // The second time it is remembered.
    for _ in 0..2 {
        assert_eq!(status("/me", "ada", "open sesame"), 200);
        assert_eq!(status("/admin", "ada", "open sesame"), 200);
        assert_eq!(status("/me", "Zo\u{eb}", "pass:wörd"), 200);
        assert_eq!(status("/admin", "Zo\u{eb}", "pass:wörd"), 403);
        for (name, password) in [
            ("ada", "open sesam"),
            ("ada", ""),
            ("Ada", "open sesame"),
            ("", ""),
            ("eve", "open sesame"),
            ("Zo\u{eb}", "open sesame"),
            ("ada", &"x".repeat(2_000)),
        ] {
            assert_eq!(status("/me", name, password), 401, "{name}:{password:.20}");
        }
    }
    let me = with(&site, "/me", Some(&basic("ada", "open sesame"))).json();
    assert_eq!((&me["name"], &me["role"]), (&"ada".into(), &"admin".into()));
    let wrong = with(&site, "/me", Some(&basic("ada", "x")));
    let unknown = with(&site, "/me", Some(&basic("eve", "x")));
    assert_eq!(challenge(&wrong), "Basic realm=\"the shop\", charset=\"UTF-8\"");
    assert_eq!((challenge(&unknown), unknown.text()), (challenge(&wrong), unknown.text()), "who is there is not told");
    for odd in ["Basic", "Basic !", "Basic YWJj", "Basic YToBYg==", "Digest x", "Bearer x"] {
        assert_eq!(with(&site, "/me", Some(odd)).status, 401, "{odd}");
    }
    let log = site.access_log() + &site.messages();
    assert!(!log.contains("sesame") && !log.contains("b3BlbiBzZXNhbWU"), "no password is logged");
    // Whoever is taken out is out, whatever was remembered.
    site.folder().write("users.toml", &format!("[Zed]\npassword = \"{}\"\n", argon2("z")));
    site.signal("HUP");
    super::until_with(&site, "/me", &basic("Zed", "z"), 200);
    assert_eq!(status("/me", "ada", "open sesame"), 401);
}

fn many_wrong_passwords_make_nobody_wait_for_long() {
    let fault = FaultServer::start();
    let costly = argon2("a").replace("m=64", "m=32768");
    let users = format!("-- users --\n# who may\nbob:{}\neve:{costly}\n", argon2("open sesame"));
    let site = site(
        &fault,
        &format!("[auth.basic]\nusers = \"users\"\n{users}-- routes/open.toml --\njson = {{ a = 1 }}\n{ROUTES}"),
    );
    assert_eq!(with(&site, "/me", Some(&basic("bob", "open sesame"))).status, 200);
    thread::scope(|scope| {
        for thread in 0..60 {
            let site = &site;
            scope.spawn(move || {
                let response = with(site, "/me", Some(&basic("eve", &thread.to_string())));
                assert!(matches!(response.status, 401 | 503), "{}", response.status);
                assert_eq!(response.header("retry-after").is_some(), response.status == 503);
            });
        }
        for _ in 0..20 {
            // Remembered, and nobody's.
            assert_eq!(with(&site, "/me", Some(&basic("bob", "open sesame"))).status, 200);
            assert_eq!(with(&site, "/open", None).status, 200);
        }
    });
}

fn forward(keys: &str) -> String {
    format!("[auth.forward]\nupstream = \"up\"\npath = \"/whoami\"\nforward-cookies = [\"session\"]\n{keys}\n{ROUTES}")
}

fn session(site: &Site, target: &str, cookie: &str) -> Response {
    site.request("GET", target, &[("Cookie", cookie), ("X-Other", "1")], b"")
}

fn an_upstream_says_who_it_is() {
    let fault = FaultServer::start();
    let claims =
        "claims.name = { select = \"$.user.name\" }\nclaims.role = { header = \"X-Role\" }\nclaims.none = \"$.none\"";
    let of_claims = site(&fault, &forward(claims));
    let whole = site(&fault, &forward(""));
    let known = Reply::json(r#"{"user":{"name":"ada"},"name":"Ada"}"#).header("x-role", "admin");
    fault.put("/whoami", known.clone());
    let me = session(&of_claims, "/me", "a=b; session=1; c=d");
    assert_eq!((me.status, &me.json()["name"], &me.json()["role"]), (200, &"ada".into(), &"admin".into()));
    let sent = fault.requests("/whoami");
    assert_eq!(sent.last().and_then(|request| request.header("cookie")), Some("session=1"), "and nothing else");
    assert_eq!(sent.last().and_then(|request| request.header("x-other")), None);
    assert_eq!(session(&whole, "/me", "session=1").json()["name"], "Ada");
    assert_eq!(session(&whole, "/admin", "session=1").status, 403);
    assert_eq!(session(&of_claims, "/admin", "session=1").status, 200);
    // Each request asks for itself.
    let before = fault.calls("/whoami");
    for _ in 0..3 {
        assert_eq!(session(&whole, "/me", "session=1").status, 200);
    }
    assert_eq!(fault.calls("/whoami"), before + 3);
    assert_eq!(with(&whole, "/me", None).status, 401);
    assert_eq!(fault.calls("/whoami"), before + 3, "without a credential nobody is asked about");
    for (reply, status) in [
        (Reply::json("{}").status(401), 401),
        (Reply::json("{}").status(403), 401),
        (Reply::json("{}").status(404), 401),
        (Reply::json("{}").status(500), 503),
        (Reply::json("{}").status(429), 503),
        (Reply::json("{}").status(302).header("location", "/login"), 503),
        (Reply::of("text/html", "<p>sign in</p>"), 503),
        (Reply::json("[]"), 503),
        (Reply::json("{"), 503),
        (Reply::json("{}"), 200),
    ] {
        let text = format!("{reply:?}");
        fault.put("/whoami", reply);
        let response = session(&whole, "/me", "session=1");
        assert_eq!(response.status, status, "{text:.80}");
        assert_eq!(response.header("retry-after").is_some(), status == 503, "{text:.80}");
    }
    let nobody = with(&whole, "/me", None);
    assert!(
        challenge(&nobody).starts_with("Cookie realm=\"") && challenge(&nobody).ends_with("cookie-name=\"session\"")
    );
}

fn what_an_upstream_wants_is_passed_on() {
    let fault = FaultServer::start();
    let files = format!(
        "[auth.forward]\nurl = \"{}\"\nallow-private = true\nforward-headers = [\"authorization\"]\nclaims.name = {{ header = \"x-name\" }}\n{ROUTES}",
        fault.url("/check")
    );
    let site = site(&fault, &files);
    fault.put(
        "/check",
        Reply::of("text/plain", "").status(401).header("www-authenticate", "Digest realm=\"up\", nonce=\"1\""),
    );
    let refused = with(&site, "/me", Some("Digest x"));
    assert_eq!((refused.status, challenge(&refused)), (401, "Digest realm=\"up\", nonce=\"1\""));
    let nobody = with(&site, "/me", None);
    assert!(challenge(&nobody).starts_with("Bearer realm=\""), "{}", challenge(&nobody));
    // Content that nothing is taken from is not read.
    fault.put("/check", Reply::of("text/plain", "OK").header("x-name", "ada"));
    assert_eq!(with(&site, "/me", Some("Digest x")).json()["name"], "ada");
}

fn the_first_identity_with_a_credential_counts() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    let hash = argon2("p");
    let files = format!(
        "[auth.jwt]\nalgorithm = \"ES256\"\nkey-file = \"id.pem\"\n[auth.basic]\nusers = \"users\"\n{}-- id.pem --\n{}-- users --\nbob:{hash}\n\
        -- routes/passwords.toml --\njson = {{ name = \"{{user.name}}\" }}\n[guard]\nrequire = \"user\"\nauth = [\"basic\"]\n",
        forward(""),
        issuer.pem()
    );
    let site = site(&fault, &files);
    fault.put("/whoami", Reply::json(r#"{"name":"cyd"}"#));
    let token = bearer(&issuer.for_name("ada"));
    let ask = |target: &str, fields: &[(&str, &str)]| site.request("GET", target, fields, b"");
    let name = |fields: &[(&str, &str)]| ask("/me", fields).json()["name"].as_str().map(str::to_owned);
    let cookie = ("Cookie", "session=1");
    assert_eq!(name(&[("Authorization", &token), cookie]).as_deref(), Some("ada"));
    assert_eq!(name(&[("Authorization", &basic("bob", "p")), cookie]).as_deref(), Some("bob"));
    assert_eq!(name(&[cookie]).as_deref(), Some("cyd"));
    // One that is refused is not made good by another.
    assert_eq!(ask("/me", &[("Authorization", "Bearer x"), cookie]).status, 401);
    assert_eq!(fault.calls("/whoami"), 1);
    assert_eq!(ask("/passwords", &[("Authorization", &token), cookie]).status, 401);
    assert_eq!(ask("/passwords", &[("Authorization", &basic("bob", "p")), cookie]).json()["name"], "bob");
    let nobody = ask("/me", &[]);
    let schemes: Vec<&str> =
        nobody.headers("www-authenticate").iter().filter_map(|said| said.split(' ').next()).collect();
    assert_eq!(schemes, ["Bearer", "Basic", "Cookie"]);
    assert_eq!(ask("/passwords", &[]).headers("www-authenticate").len(), 1);
}

fn a_page_greets_whom_it_knows_and_is_stored_for_the_others() {
    let fault = FaultServer::start();
    let issuer = Issuer::new("one");
    let keys = "[auth.jwt]\nalgorithm = \"ES256\"\nkey-file = \"id.pem\"\n";
    let site = site(&fault, &format!("{keys}-- id.pem --\n{}{ROUTES}", issuer.pem()));
    let hello = |credential: Option<&str>| with(&site, "/hello", credential);
    assert_eq!(hello(None).text().trim(), "Hello stranger!");
    for name in ["ada", "bob"] {
        let greeted = hello(Some(&bearer(&issuer.for_name(name))));
        assert_eq!(greeted.text().trim(), format!("Hello {name}!"));
        assert_eq!(greeted.header("cache-control"), Some("private, no-store"));
        let stored = hello(None);
        assert_eq!(stored.text().trim(), "Hello stranger!");
        assert!(stored.header("cache-status").is_some_and(|status| status.contains("hit")), "{stored:?}");
    }
    let expired = issuer.token(&format!(r#"{{"name":"ada","exp":{}}}"#, seconds(-100)));
    assert_eq!(hello(Some(&bearer(&expired))).text().trim(), "Hello stranger!");
    let odd = issuer.token(&format!(r#"{{"name":"<script>alert(1)</script>","exp":{}}}"#, seconds(100)));
    assert!(!hello(Some(&bearer(&odd))).text().contains("<script>"), "claims are data from outside");
}

fn a_password_is_hashed_for_the_file_of_users() {
    let hashed = |input: &[u8]| {
        let mut command = binary();
        let child = command.arg("password").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().expect("the binary runs");
        // A command that has seen enough may be gone before all is written.
        child.stdin.take().expect("a pipe").write_all(input).unwrap_or_default();
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, hash, said) = hashed("w\u{e4}chter kauft \"brot\"\n".as_bytes());
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(hash.starts_with("$argon2id$v=19$") && !hash.contains("brot"), "{hash}");
    assert_ne!(hash, hashed("w\u{e4}chter kauft \"brot\"\n".as_bytes()).1, "each has a salt of its own");
    let users = format!(
        "-- site.toml --\n[auth.basic]\nusers = \"users.toml\"\n-- users.toml --\n[ada]\npassword = \"{}\"\n-- routes/index.toml --\njson = {{ name = \"{{user.name}}\" }}\nguard.require = \"user\"\n",
        hash.trim()
    );
    let site = Site::start(&users);
    let status = |password: &str| site.request("GET", "/", &[("Authorization", &basic("ada", password))], b"").status;
    let right = "w\u{e4}chter kauft \"brot\"";
    assert_eq!((status(right), status(&format!("{right}\n")), status("")), (200, 401, 401));
    for input in [&b""[..], b"\n", b"\r\n", &[b'x'; 2000], b"\xff\xfe\n"] {
        let (code, hash, said) = hashed(input);
        assert_eq!((code, hash.as_str()), (Some(1), ""), "{said}");
        assert!(said.starts_with("error: "), "{said}");
    }
}
