//! Cookies that answers set, and that other routes read; and paths that visitors choose to be sent to.

use super::site;
use crate::support::answers::Reply;
use crate::support::canary::percent;
use crate::support::fault::FaultServer;
use crate::support::site::{Folder, Options, Site};

crate::cases!(
    a_cookie_is_safe_by_itself,
    what_one_route_sets_another_reads,
    null_sets_nothing,
    what_sets_a_cookie_is_never_stored,
    odd_values_come_back_as_they_were,
    what_is_sealed_is_believed_only_as_it_was_made,
    a_chosen_path_leads_to_a_route_of_this_site_or_nowhere,
);

fn a_cookie_is_safe_by_itself() {
    let fault = FaultServer::start();
    let keys = [
        ("", "__Host-c=v; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("max-age = \"365d\"", "__Host-c=v; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"),
        ("max-age = \"0s\"", "__Host-c=v; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"),
        ("path = \"/shop\"", "c=v; Path=/shop; Secure; HttpOnly; SameSite=Lax"),
        ("domain = \".example.com\"", "c=v; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax"),
        ("name = \"n\"", "n=v; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("same-site = \"strict\"", "__Host-c=v; Path=/; Secure; HttpOnly; SameSite=Strict"),
        ("same-site = \"none\"", "__Host-c=v; Path=/; Secure; HttpOnly; SameSite=None"),
        ("http-only = false", "__Host-c=v; Path=/; Secure; SameSite=Lax"),
        ("secure = false", "c=v; Path=/; HttpOnly; SameSite=Lax"),
    ];
    let routes = keys.iter().enumerate().map(|(at, (keys, _))| {
        format!("-- routes/r{at}.toml --\njson = {{}}\n[set-cookies.c]\nvalue = \"v\"\n{keys}\n")
    });
    // Each is a site of its own: by one name a site has one cookie.
    for (route, (keys, expected)) in routes.zip(keys) {
        let site = site(&fault, &route);
        let path = route.split_whitespace().nth(1).unwrap().trim_start_matches("routes").trim_end_matches(".toml");
        let response = site.get(path);
        assert_eq!(response.headers("set-cookie"), [expected], "{keys}");
        assert_eq!(response.header("cache-control"), Some("private, no-store"), "{keys}");
        assert_eq!(site.request("HEAD", path, &[], b"").headers("set-cookie"), [expected], "{keys}");
    }
}

const THEME: &str = "\
-- routes/theme.toml --
redirect = \"/\"
status = 303
[query.theme]
enum = [\"light\", \"dark\"]
[set-cookies.theme]
value = \"{query.theme}\"
-- routes/index.toml --
json = { theme = \"{cookies.theme}\", data = \"{a.n}\" }
cache.server.max-age = \"1h\"
[cookies.theme]
enum = [\"light\", \"dark\"]
default = \"light\"
[sources.a]
upstream = \"up\"
path = \"/data\"
extract.n = \"$.n\"
";

fn what_one_route_sets_another_reads() {
    let fault = FaultServer::start();
    fault.put("/data", Reply::json("{\"n\":1}"));
    let site = site(&fault, THEME);
    let set = site.get("/theme?theme=dark");
    assert_eq!((set.status, set.header("location")), (303, Some("/")));
    let line = set.header("set-cookie").unwrap();
    let pair = line.split(';').next().unwrap();
    assert_eq!(pair, "__Host-theme=dark");
    let theme = |cookie: &str| site.request("GET", "/", &[("Cookie", cookie)], b"").json()["theme"].clone();
    for (cookie, expected) in [
        (pair, "dark"),
        ("__Host-theme=light", "light"),
        ("theme=dark", "light"),
        ("__Host-theme=blue", "light"),
        ("", "light"),
    ] {
        assert_eq!(theme(cookie), expected, "{cookie}");
    }
    assert_eq!(fault.calls("/data"), 2, "a copy for each theme");
}

fn null_sets_nothing() {
    let fault = FaultServer::start();
    let site = site(&fault, THEME);
    for target in ["/theme", "/theme?theme=blue", "/theme?theme="] {
        let response = site.get(target);
        assert_eq!((response.status, response.headers("set-cookie").len()), (303, 0), "{target}");
    }
}

fn what_sets_a_cookie_is_never_stored() {
    let fault = FaultServer::start();
    fault.put("/data", Reply::json("{\"n\":1}"));
    let site = site(
        &fault,
        "-- layouts/p.html --\n{{ a.n }}\n-- routes/index.toml --\nlayout = \"p.html\"\n[set-cookies.seen]\nvalue = \"{a.n}\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n\
         -- routes/gone.toml --\nlayout = \"p.html\"\n[set-cookies.seen]\nvalue = \"{a.n}\"\n[sources.a]\nupstream = \"up\"\npath = \"/status/404\"\n",
    );
    for _ in 0..3 {
        let response = site.get("/");
        assert_eq!(response.header("set-cookie").map(|line| line.starts_with("__Host-seen=1;")), Some(true));
        assert!(response.header("etag").is_none(), "nothing is left to ask about");
    }
    assert_eq!(fault.calls("/data"), 3);
    let gone = site.get("/gone");
    assert_eq!((gone.status, gone.headers("set-cookie").len()), (404, 0));
}

fn odd_values_come_back_as_they_were() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/set.toml --\njson = {}\n[query.v]\n[set-cookies.v]\nvalue = \"{query.v}\"\n-- routes/get.toml --\njson = { v = \"{cookies.v}\" }\n[cookies.v]\n",
    );
    for value in ["a b", "\"q\"", "a;b,c\\d", "50%", "%41", "caf\u{e9} \u{1f36a}", "=x=", "v1.a.b"] {
        let encoded = percent(value);
        let set = site.get(&format!("/set?v={encoded}"));
        let line = set.header("set-cookie").unwrap_or_else(|| panic!("{value}: nothing is set")).to_owned();
        assert_eq!(line.matches(';').count(), 4, "no value adds an attribute: {line}");
        let pair = line.split(';').next().unwrap();
        let got = site.request("GET", "/get", &[("Cookie", pair)], b"");
        assert_eq!(got.json()["v"], value, "{line}");
    }
    let long = site.get(&format!("/set?v={}", "x".repeat(5000)));
    assert_eq!((long.status, long.headers("set-cookie").len()), (200, 0), "browsers would not keep it");
    site.wait_for_message(|line| line.contains("longer than browsers keep"));
}

/// A site whose cookie `c` is signed, and `d` sealed, with the keys that this says.
fn sealing(keys: &str) -> Site {
    let files = format!(
        "-- site.toml --\n[cookie-keys]\nkeys = [{keys}]\n\
         -- routes/set.toml --\njson = {{}}\n[query.v]\n[set-cookies.c]\nvalue = \"{{query.v}}\"\nsigned = true\nmax-age = \"1h\"\n\
         [set-cookies.d]\nvalue = \"{{query.v}}\"\nsealed = true\nmax-age = \"1h\"\n\
         -- routes/get.toml --\njson = {{ c = \"{{cookies.c}}\", d = \"{{cookies.d}}\" }}\n[cookies.c]\n[cookies.d]\n"
    );
    Options::default().env("NEW", &"n".repeat(32)).env("OLD", &"o".repeat(32)).start(&files)
}

fn what_is_sealed_is_believed_only_as_it_was_made() {
    let site = sealing("\"{env.OLD}\"");
    let set = site.get("/set?v=secret%20of%20mine");
    let pairs: Vec<String> =
        set.headers("set-cookie").iter().map(|line| line.split(';').next().unwrap().to_owned()).collect();
    let (c, d) = (pairs[0].strip_prefix("__Host-c=").unwrap(), pairs[1].strip_prefix("__Host-d=").unwrap());
    assert!(!pairs[1].contains("secret"), "nobody reads what is sealed");
    let got = |site: &Site, cookie: &str| {
        let json = site.request("GET", "/get", &[("Cookie", cookie)], b"").json();
        (json["c"].as_str().map(str::to_owned), json["d"].as_str().map(str::to_owned))
    };
    let text = || Some("secret of mine".to_owned());
    let both = format!("__Host-c={c}; __Host-d={d}");
    assert_eq!(got(&site, &both), (text(), text()));
    // One that a neighbour has set before does not hide it.
    assert_eq!(got(&site, &format!("__Host-c=planted; {both}")), (text(), text()));
    for (name, value) in [("c", c), ("d", d)] {
        for at in 0..value.len() {
            let shorter = &value[..at];
            assert_eq!(got(&site, &format!("__Host-{name}={shorter}")), (None, None), "cut at {at}");
            let mut changed = value.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let (read_c, read_d) = got(&site, &format!("__Host-{name}={changed}"));
            // The last characters of a part may hold bits that mean nothing, which are refused, too.
            assert_eq!((read_c, read_d), (None, None), "changed at {at}: {changed}");
        }
        let other = if name == "c" { "d" } else { "c" };
        assert_eq!(got(&site, &format!("__Host-{other}={value}")), (None, None), "{name} is not {other}");
        for tail in ["x", ".", "=", " ", "\"", "v1."] {
            assert_eq!(got(&site, &format!("__Host-{name}={value}{tail}x")), (None, None), "{tail}");
        }
    }
    assert_eq!(got(&site, "__Host-c=secret of mine; __Host-d=secret"), (None, None), "what is plain proves nothing");
    let rotated = sealing("\"{env.NEW}\", \"{env.OLD}\"");
    assert_eq!(got(&rotated, &both), (text(), text()), "the old key still opens");
    let anew = rotated.get("/set?v=x");
    let line = anew.headers("set-cookie").first().map(|line| line.split(';').next().unwrap().to_owned()).unwrap();
    assert_eq!(got(&site, &line), (None, None), "and makes nothing any more");
    let dropped = sealing("\"{env.NEW}\"");
    assert_eq!(got(&dropped, &both), (None, None), "until it is taken away");
}

const NEXT: &str = "\
-- routes/go.toml --
redirect = \"{query.next}\"
status = 303
[query.next]
type = \"path\"
default = \"/\"
-- routes/index.toml --
json = {}
-- routes/a/b.toml --
path = \"/a/{id}\"
json = {}
params.id.type = \"int\"
";

fn a_chosen_path_leads_to_a_route_of_this_site_or_nowhere() {
    let fault = FaultServer::start();
    let site = site(&fault, NEXT);
    for (next, location) in [
        ("", "/"),
        ("/", "/"),
        ("/a/7", "/a/7"),
        ("/a/7?b=c%26d#e", "/a/7?b=c%26d#e"),
        ("/a/7/", "/a/7/"),
        ("/a/x", "/"),
        ("/other", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a/7\\..\\", "/"),
        ("\\/evil.example", "/"),
        ("https://evil.example/a/7", "/"),
        ("javascript:alert(1)", "/"),
        ("http:/a/7", "/"),
        ("/\t/evil.example", "/"),
        ("/a/7\r\nset-cookie: x=y", "/"),
        ("a/7", "/"),
        (" /a/7", "/"),
        ("/%2f/evil.example", "/"),
        ("/@evil.example", "/"),
    ] {
        let encoded = percent(next);
        let response = site.get(&format!("/go?next={encoded}"));
        assert_eq!((response.status, response.header("location")), (303, Some(location)), "{next:?}");
        assert!(response.headers("set-cookie").is_empty(), "{next:?}");
    }
    refused("redirect = \"{query.next}\"\nquery.next = {}\n", "redirect");
    refused("redirect = \"{query.next}/x\"\nquery.next = { type = \"path\" }\n", "redirect");
}

/// A site with this route is refused with a finding of this family.
fn refused(route: &str, code: &str) {
    let folder = Folder::new();
    folder.unpack(&format!("-- site.toml --\n-- routes/index.toml --\n{route}"));
    let output =
        crate::support::site::binary().arg("check").arg("--config").arg(folder.path().join("site.toml")).output();
    let output = output.expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && text.contains(code), "{route}: {text}");
}
