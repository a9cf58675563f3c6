//! Guards: whoever is not let in gets nothing of what stands behind them, whatever the method, the kind of route and what is stored.

use super::{archive, site};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Folder, Site, binary};

crate::cases!(
    a_guard_stands_before_every_kind_of_route_and_every_method,
    whoever_is_sent_to_sign_in_comes_back_to_where_he_was,
    claims_decide_who_may,
    what_is_the_same_for_all_behind_a_guard_is_stored_there,
    the_guards_of_all_levels_must_hold,
    a_guarded_route_passes_nothing_on,
    a_guard_holds_for_those_who_ask_in_process,
    the_source_of_a_guard_is_asked_once,
    a_guard_that_cannot_ask_lets_nobody_in,
    browsers_may_ask_what_scripts_may_ask,
    a_guard_is_asked_before_the_query_is_judged,
    what_a_guarded_upstream_lets_caches_keep_is_kept_by_none,
    no_spelling_leads_by_an_open_proxy_to_what_is_guarded,
    a_source_that_anybody_satisfies_is_no_guard,
    who_asks_is_asked_once_however_many_guards_there_are,
);

const ME: &str =
    "[sources.me]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\nextract.name = \"$.name\"\n";

/// A site with these files, the section `in` of which is guarded with these keys.
fn guarded(fault: &FaultServer, keys: &str, files: &str) -> Site {
    site(fault, &format!("-- routes/in/_section.toml --\n[guard]\nsource = \"me\"\n{keys}\n{ME}{files}"))
}

fn ask(site: &Site, method: &str, target: &str, session: Option<&str>) -> Response {
    let cookie = session.map(|name| format!("session={name}"));
    let fields: Vec<(&str, &str)> = cookie.iter().map(|cookie| ("Cookie", cookie.as_str())).collect();
    site.request(method, target, &fields, b"")
}

const KINDS: &str = "\
-- layouts/page.html --
<p>secret of {{ user.name }}</p>
-- layouts/plain.html --
<p>secret</p>
-- content/files/a.txt --
secret
-- content/docs/a.md --
# secret
-- routes/in/page.toml --
layout = \"page.html\"
-- routes/in/json.toml --
json = { it = \"secret\" }
-- routes/in/files.toml --
path = \"/in/files/{*file}\"
files = \"files\"
-- routes/in/document.toml --
content = \"docs/a.md\"
-- routes/in/tree.toml --
path = \"/in/tree/{*page}\"
content = \"docs\"
-- routes/in/redirect.toml --
redirect = \"/secret\"
-- routes/in/proxy.toml --
path = \"/in/proxy/{*rest}\"
proxy = \"up\"
proxy-path = \"/{params.rest}\"
";

fn a_guard_stands_before_every_kind_of_route_and_every_method() {
    let fault = FaultServer::start();
    fault.put("/secret", Reply::of("text/plain", "secret"));
    let site = guarded(&fault, "", KINDS);
    let paths =
        ["/in/page", "/in/json", "/in/files/a.txt", "/in/document", "/in/tree/a", "/in/redirect", "/in/proxy/secret"];
    for path in paths {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let response = ask(&site, method, path, None);
            assert_eq!(response.status, 401, "{method} {path}");
            assert!(!response.text().contains("secret"), "{method} {path}");
            assert_eq!(response.header("cache-control"), Some("no-store"), "{method} {path}");
            let challenge = response.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Cookie realm=\"") && challenge.ends_with("cookie-name=\"session\""));
        }
        let let_in = ask(&site, "GET", path, Some("ada"));
        assert!(matches!(let_in.status, 200 | 308), "{path}: {}", let_in.status);
        assert!(let_in.text().contains("secret") || let_in.header("location") == Some("/secret"), "{path}");
        assert_eq!(let_in.header("cache-control"), Some("private, no-store"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE"] {
        assert_eq!(ask(&site, method, "/in/page", None).status, 405, "{method}");
        assert_eq!(ask(&site, method, "/in/proxy/secret", None).status, 401, "{method}");
    }
    assert_eq!(fault.calls("/secret"), 1, "nobody's requests were passed on");
    assert_eq!(fault.calls("/me"), paths.len(), "who carries nothing is not asked about");
    let problem = ask(&site, "GET", "/in/json", None);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.json()["status"], 401);
}

fn whoever_is_sent_to_sign_in_comes_back_to_where_he_was() {
    let fault = FaultServer::start();
    let keys = "on-unauthorized = { redirect = \"/login\", next = \"next\" }";
    let site = guarded(
        &fault,
        keys,
        &format!(
            "{KINDS}-- routes/login.toml --\nlayout = \"plain.html\"\n-- routes/in/of/one.toml --\npath = \"/in/{{name}}/one\"\nlayout = \"plain.html\"\n"
        ),
    );
    for (target, location) in [
        ("/in/page", "/login?next=%2Fin%2Fpage"),
        ("/in/page?a=b&c=%20d", "/login?next=%2Fin%2Fpage%3Fa%3Db%26c%3D%2520d"),
        ("/in/a%26b/one", "/login?next=%2Fin%2Fa%26b%2Fone"),
        ("/in/files/a.txt", "/login?next=%2Fin%2Ffiles%2Fa.txt"),
    ] {
        let response = ask(&site, "GET", target, None);
        // A path whose spelling is another is told first how it is spelled.
        let response = match response.status {
            308 => ask(&site, "GET", response.header("location").unwrap(), None),
            _ => response,
        };
        assert_eq!(response.status, 302, "{target}");
        assert!(response.header("location").is_some_and(|sent| sent.eq_ignore_ascii_case(location)), "{response:?}");
        assert_eq!(response.header("cache-control"), Some("private, no-store"), "{target}");
    }
    let posted = ask(&site, "POST", "/in/proxy/secret?a=b", None);
    assert_eq!((posted.status, posted.header("location")), (303, Some("/login?next=%2Fin%2Fproxy%2Fsecret")));
    // Programs have no use for a page to sign in.
    assert_eq!(ask(&site, "GET", "/in/json", None).status, 401);
    let long = format!("/in/page?{}", "x".repeat(3000));
    assert_eq!(ask(&site, "GET", &long, None).header("location"), Some("/login?next=%2Fin%2Fpage"));
}

fn claims_decide_who_may() {
    let fault = FaultServer::start();
    let keys = "require = { name = [\"ada\", \"eve\"] }";
    let others = "-- routes/in/hidden.toml --\nlayout = \"plain.html\"\n[guard]\nsource = \"me\"\nrequire = { name = \"ada\" }\non-forbidden = \"not-found\"\n\
        -- routes/in/upgrade.toml --\nlayout = \"plain.html\"\n[guard]\nsource = \"me\"\nrequire = { name = \"ada\" }\non-forbidden = { redirect = \"/more\" }\n\
        -- routes/more.toml --\nlayout = \"plain.html\"\n";
    let site = guarded(&fault, keys, &format!("{KINDS}{others}"));
    for (target, session, status) in [
        ("/in/page", "ada", 200),
        ("/in/page", "eve", 200),
        ("/in/page", "bob", 403),
        ("/in/files/a.txt", "bob", 403),
        ("/in/proxy/secret", "bob", 403),
        ("/in/hidden", "ada", 200),
        ("/in/hidden", "eve", 404),
        ("/in/hidden", "bob", 403),
        ("/in/upgrade", "eve", 302),
        ("/in/upgrade", "ada", 200),
    ] {
        let response = ask(&site, "GET", target, Some(session));
        assert_eq!(response.status, status, "{target} {session}");
        assert!(status == 200 || !response.text().contains("secret"), "{target} {session}");
    }
    assert_eq!(fault.calls("/secret"), 0);
}

fn what_is_the_same_for_all_behind_a_guard_is_stored_there() {
    let fault = FaultServer::start();
    let page = "-- layouts/data.html --\n{{ a.n }}\n-- routes/in/page.toml --\nlayout = \"data.html\"\n[cache.server]\nmax-age = \"1h\"\n\
        [sources.a]\nupstream = \"up\"\npath = \"/data\"\nextract.n = \"$.n\"\n";
    fault.put("/data", Reply::json("{\"n\":7}"));
    let site = guarded(&fault, "", page);
    for (session, status) in [(None, 401), (Some("ada"), 200), (None, 401), (Some("bob"), 200), (Some(""), 401)] {
        let response = ask(&site, "GET", "/in/page", session);
        assert_eq!((response.status, response.text().trim() == "7"), (status, status == 200), "{session:?}");
        let is_private = response.header("cache-control").is_some_and(|said| said.contains("no-store"));
        assert!(is_private, "{response:?}");
    }
    assert_eq!(fault.calls("/data"), 1, "one copy for all who may have it");
    let hit = ask(&site, "GET", "/in/page", Some("eve"));
    assert!(hit.header("cache-status").is_some_and(|status| status.contains("hit")), "{hit:?}");
}

fn the_guards_of_all_levels_must_hold() {
    let fault = FaultServer::start();
    let inner = "-- routes/in/deep/_section.toml --\n[guard]\nsource = \"me\"\nrequire = { name = \"ada\" }\n\
        -- routes/in/deep/page.toml --\nlayout = \"plain.html\"\n\
        -- routes/in/deep/own.toml --\nlayout = \"plain.html\"\n[guard]\nsource = \"me\"\n\
        -- routes/in/deep/open.toml --\nlayout = \"plain.html\"\nguard = false\n";
    let site = guarded(&fault, "require = { name = [\"ada\", \"eve\"] }", &format!("{KINDS}{inner}"));
    for (target, session, status) in [
        ("/in/deep/page", Some("ada"), 200),
        ("/in/deep/page", Some("eve"), 403),
        ("/in/deep/own", Some("eve"), 403),
        ("/in/deep/own", Some("bob"), 403),
        ("/in/deep/own", None, 401),
        ("/in/deep/open", None, 200),
        ("/in/deep/open", Some("bob"), 200),
    ] {
        assert_eq!(ask(&site, "GET", target, session).status, status, "{target} {session:?}");
    }
}

fn a_guarded_route_passes_nothing_on() {
    let fault = FaultServer::start();
    fault.put("/in/7", Reply::of("text/plain", "secret of the old site"));
    fault.put("/in/x", Reply::of("text/plain", "secret of the old site"));
    let route = "-- routes/in/one.toml --\npath = \"/in/{id}\"\njson = \"{a}\"\non-not-found = { proxy = \"up\" }\n[params.id]\ntype = \"int\"\n\
        [sources.a]\nupstream = \"up\"\npath = \"/status/404\"\n";
    let site = guarded(&fault, "", route);
    for (session, target, status) in
        [(None, "/in/7", 401), (None, "/in/x", 404), (Some("ada"), "/in/x", 404), (Some("ada"), "/in/7", 200)]
    {
        assert_eq!(ask(&site, "GET", target, session).status, status, "{target} {session:?}");
    }
    assert_eq!((fault.calls("/in/7"), fault.calls("/in/x")), (1, 0));
}

fn a_guard_holds_for_those_who_ask_in_process() {
    let fault = FaultServer::start();
    let routes = "-- routes/in/api.toml --\njson = { it = \"secret\", who = \"{user.name}\" }\n\
        -- routes/all.toml --\njson = { got = \"{api.it}\", who = \"{api.who}\" }\n[sources.api]\nroute = \"/in/api\"\n\
        -- routes/some.toml --\njson = { got = \"{api.it}\", who = \"{api.who}\" }\n[cache.server]\nmax-age = \"1h\"\n[sources.api]\nroute = \"/in/api\"\noptional = true\n";
    let site = guarded(&fault, "", routes);
    assert_eq!(ask(&site, "GET", "/all", None).status, 401);
    let ada = ask(&site, "GET", "/all", Some("ada"));
    assert_eq!((&ada.json()["got"], &ada.json()["who"]), (&"secret".into(), &"ada".into()));
    assert_eq!(ada.header("cache-control"), Some("private, no-store"));
    for (session, who) in [(None, None), (Some("bob"), Some("bob")), (None, None), (Some("ada"), Some("ada"))] {
        let response = ask(&site, "GET", "/some", session);
        assert_eq!(response.json()["who"].as_str(), who, "{session:?}");
    }
    let nobody = ask(&site, "GET", "/some", None);
    assert!(nobody.header("cache-status").is_some_and(|status| status.contains("hit")), "{nobody:?}");
}

fn the_source_of_a_guard_is_asked_once() {
    let fault = FaultServer::start();
    let route =
        "-- layouts/both.html --\n{{ user.name }} {{ me.name }}\n-- routes/in/page.toml --\nlayout = \"both.html\"\n";
    let site = guarded(&fault, "", route);
    assert_eq!(ask(&site, "GET", "/in/page", Some("ada")).text().trim(), "ada ada");
    assert_eq!(fault.calls("/me"), 1);
    assert_eq!(ask(&site, "GET", "/in/page", Some("bob")).text().trim(), "bob bob");
}

fn a_guard_that_cannot_ask_lets_nobody_in() {
    let fault = FaultServer::start();
    let route = "-- routes/in/page.toml --\njson = { it = \"secret\" }\n";
    for (path, status) in [
        ("/status/500", 503),
        ("/status/404", 401),
        ("/status/403", 403),
        ("/invalid-json", 503),
        ("/status/204", 401),
        ("/silent", 503),
    ] {
        let files = format!(
            "-- routes/in/_section.toml --\n[guard]\nsource = \"me\"\n{}timeout = \"500ms\"\noptional = true\n{route}",
            ME.replace("/me", path).replace("extract.name = \"$.name\"\n", "")
        );
        let site = site(&fault, &files);
        let response = ask(&site, "GET", "/in/page", Some("ada"));
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.header("retry-after").is_some(), status == 503, "{path}");
        assert!(!response.text().contains("secret"), "{path}");
    }
}

fn browsers_may_ask_what_scripts_may_ask() {
    let fault = FaultServer::start();
    let route =
        "-- routes/in/api.toml --\njson = { it = \"secret\" }\ncors = { origins = [\"https://app.example\"] }\n";
    let site = guarded(&fault, "", route);
    let fields = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")];
    let preflight = site.request("OPTIONS", "/in/api", &fields, b"");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("https://app.example")));
    assert_eq!(site.request("OPTIONS", "/in/api", &fields[..1], b"").status, 401);
}

fn a_guard_is_asked_before_the_query_is_judged() {
    let fault = FaultServer::start();
    let route = "-- routes/in/api.toml --\njson = { it = \"{query.n}\" }\nquery.n = { type = \"int\", on-invalid = \"bad-request\" }\n";
    let site = guarded(&fault, "", route);
    assert_eq!(ask(&site, "GET", "/in/api?n=x", None).status, 401);
    assert_eq!(ask(&site, "GET", "/in/api?n=x", Some("ada")).status, 400);
}

fn what_a_guarded_upstream_lets_caches_keep_is_kept_by_none() {
    let fault = FaultServer::start();
    let public = Reply::of("text/plain", "secret").header("cache-control", "public, max-age=1000, s-maxage=2000");
    let names =
        ["cdn-cache-control", "surrogate-control", "cloudflare-cdn-cache-control", "x-accel-expires", "expires"];
    fault.put("/secret", names.iter().fold(public, |reply, name| reply.header(name, "max-age=1000")));
    let site = guarded(&fault, "", KINDS);
    for _ in 0..2 {
        let response = ask(&site, "GET", "/in/proxy/secret", Some("ada"));
        assert_eq!((response.status, response.header("cache-control")), (200, Some("private, no-store")));
        assert!(names.iter().all(|name| response.header(name).is_none()), "{response:?}");
    }
    assert_eq!(fault.calls("/secret"), 2);
}

fn no_spelling_leads_by_an_open_proxy_to_what_is_guarded() {
    let fault = FaultServer::start();
    let files = "-- routes/in/files.toml --\npath = \"/in/{*rest}\"\nproxy = \"up\"\n-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\n";
    let site = guarded(&fault, "", files);
    assert_eq!(site.request("GET", "/open/%ff", &[], b"").status, 404, "it is passed on, and the upstream has none");
    let before = fault.total_calls();
    assert_eq!(before, 1);
    for target in [
        "/in/x%ff",
        "/in/caf%e9",
        "/%69n/caf%e9",
        "//in/caf%e9",
        "/i%6E/x%ff",
        "/%69n/%zz",
        "/%69n/%00",
        "/x/../in/%ff",
        "/x/%2e%2e/in/%ff",
        "/in%2fx",
        "/in%5cx",
        "/%2fin/x%ff",
        "/./in/%ff",
        "/in;a=b/x",
        "/in;/x%ff",
        "/x/..%2fin/y",
    ] {
        let response = site.request("GET", target, &[], b"");
        assert!(matches!(response.status, 308 | 400 | 401 | 404), "{target}: {}", response.status);
        assert_eq!(fault.total_calls(), before, "{target} is not passed on");
    }
}

fn a_source_that_anybody_satisfies_is_no_guard() {
    let fault = FaultServer::start();
    let route =
        "-- layouts/p.html --\nsecret\n-- routes/index.toml --\nlayout = \"p.html\"\nguard = { source = \"me\" }\n";
    for source in [
        "upstream = \"up\"\npath = \"/me\"\nheaders.x-language = \"{request.headers.accept-language}\"\n",
        "upstream = \"up\"\npath = \"/me\"\nquery.path = \"{request.path}\"\n",
        "upstream = \"up\"\npath = \"/{cookies.theme}\"\n[cookies.theme]\nenum = [\"me\"]\ndefault = \"me\"\n",
        "route = \"/who\"\n",
    ] {
        let who = "-- routes/who.toml --\njson = { name = \"{maybe.name}\" }\n[sources.maybe]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\noptional = true\n";
        let folder = Folder::new();
        folder.unpack(&archive(&fault, &format!("{who}{route}[sources.me]\n{source}")));
        let output =
            binary().arg("check").arg("--config").arg(folder.path().join("site.toml")).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && said.contains("guard/source"), "{source}: {said}");
    }
    // A route that has nothing for nobody knows who asks, and is not asked with nothing in hand.
    let who = "-- routes/who.toml --\njson = { name = \"{is.name}\" }\n[sources.is]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\n";
    let by_route = site(&fault, &format!("{who}{route}[sources.me]\nroute = \"/who\"\n"));
    assert_eq!((ask(&by_route, "GET", "/", None).status, fault.calls("/me")), (401, 0));
    assert_eq!(ask(&by_route, "GET", "/", Some("ada")).status, 200);
    let by_field = "[sources.me]\nupstream = \"up\"\npath = \"/me\"\nheaders.authorization = \"{request.headers.authorization}\"\n";
    let by_field = site(&fault, &format!("{route}{by_field}"));
    let before = fault.calls("/me");
    let status = ask(&by_field, "GET", "/", Some("ada")).status;
    assert_eq!((status, fault.calls("/me")), (401, before), "a cookie is nothing to it");
    assert_eq!(by_field.request("GET", "/", &[("Authorization", "Bearer ada")], b"").status, 200);
}

fn who_asks_is_asked_once_however_many_guards_there_are() {
    let fault = FaultServer::start();
    let inner = "-- routes/in/deep/_section.toml --\n[guard]\nsource = \"me\"\nrequire = { name = \"ada\" }\n\
        -- routes/in/deep/page.toml --\njson = { one = \"{me.name}\", two = \"{user.name}\" }\nguard = { source = \"me\" }\n";
    let by_source = guarded(&fault, "", inner);
    let page = ask(&by_source, "GET", "/in/deep/page", Some("ada"));
    assert_eq!((page.json()["one"].as_str(), page.json()["two"].as_str()), (Some("ada"), Some("ada")));
    assert_eq!(fault.calls("/me"), 1);
    let forward = "[auth.forward]\nupstream = \"up\"\npath = \"/me\"\nforward-cookies = [\"session\"]\n\
         -- routes/a/_section.toml --\n[guard]\n-- routes/a/b.toml --\njson = { name = \"{user.name}\" }\nguard = { require = { name = \"bob\" } }\n";
    let by_identity = site(&fault, forward);
    let before = fault.calls("/me");
    assert_eq!(ask(&by_identity, "GET", "/a/b", Some("bob")).json()["name"], "bob");
    assert_eq!(fault.calls("/me"), before + 1);
}
