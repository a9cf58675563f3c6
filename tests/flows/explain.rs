//! `siteserver explain`: what it says of a request, with places and reasons. That it happens is the matter of `agreement`.

use super::site;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Folder, Site, binary};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

crate::cases!(
    equal_keys_are_hits_and_others_are_not,
    requests_that_lead_nowhere_are_told_why,
    values_in_fields_are_told_as_they_are_sent,
    a_personal_page_is_told_with_its_path,
    cookies_whose_values_are_declared_are_told,
    secrets_and_cookies_are_not_told,
    sources_are_told_in_waves_and_rules_in_order,
    settings_are_told_with_their_places,
    what_sources_keep_is_told,
    what_caches_obey_is_told_with_its_places,
    what_is_kept_only_to_be_compared_is_told,
    a_value_is_told_with_those_that_begin_with_it,
    unset_variables_do_not_keep_it_from_telling,
    what_cannot_be_asked_is_wrong_usage,
);

/// What a process said: its exit code, standard output and standard error.
pub(super) fn run(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = binary();
    command.arg("explain").arg("--config").arg(folder.join("site.toml")).args(arguments);
    let output = command.envs(environment.iter().copied()).output().expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn explain_with(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let (code, told, messages) = run(folder, environment, &arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {messages}");
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {told}"))
}

fn explain(site: &Site, arguments: &[&str]) -> Value {
    explain_with(site.folder().path(), &[], arguments)
}

fn field<'p>(page: &'p Value, name: &str) -> Option<&'p str> {
    let fields = page["fields"].as_array().expect("fields");
    fields.iter().find(|field| field["name"] == name).and_then(|field| field["value"].as_str())
}

/// What a page leads to on its own site.
pub(super) fn links(response: &Response) -> Vec<String> {
    if !response.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return Vec::new();
    }
    let text = response.text();
    let after = |attribute: &'static str| text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    let links = after("href=\"/").chain(after("src=\"/")).map(|link| link.split('#').next().unwrap_or_default());
    links.map(|link| format!("/{}", link.replace("&amp;", "&"))).collect()
}

/// `siteserver routes`: the files of all routes, and the URLs of those without parameters.
pub(super) fn routes(folder: &Path) -> (BTreeSet<String>, Vec<String>) {
    let output = binary().arg("routes").arg("--config").arg(folder.join("site.toml")).output().expect("the binary");
    let listed = String::from_utf8(output.stdout).expect("UTF-8");
    let rows = listed.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let (mut files, mut urls) = (BTreeSet::new(), Vec::new());
    for row in rows {
        files.extend(row.iter().filter(|cell| cell.starts_with("routes/")).map(|file| (*file).to_owned()));
        urls.extend(
            row.iter().filter(|cell| cell.starts_with('/') && !cell.contains('{')).map(|url| (*url).to_owned()),
        );
    }
    (files, urls)
}

/// A page that reads a query value, a header, a keyed cookie and a parameter, and is kept.
const KEYED: &str = r#"
-- site.toml --
-- routes/index.toml --
path = "/{id}"
layout = "page.html"
[params.id]
type = "int"
[query.page]
type = "int"
default = 1
[query.unread]
[cookies.theme]
enum = ["light", "dark"]
default = "light"
[cache]
s-maxage = "1h"
-- layouts/page.html --
{{ params.id }} {{ query.page }} {{ cookies.theme }} {{ request.headers.x-kind }}
"#;

fn equal_keys_are_hits_and_others_are_not() {
    type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)]);
    let requests: [Asked<'_>; 11] = [
        ("/1", &[]),
        ("/1?page=1", &[]),
        ("/1?page=2", &[]),
        ("/1?page=x", &[]),
        ("/1?unread=2", &[]),
        ("/1?other=2", &[("x-other", "1")]),
        ("/2", &[]),
        ("/1", &[("x-kind", "a")]),
        ("/1", &[("cookie", "theme=dark")]),
        ("/1", &[("cookie", "theme=light; other=1")]),
        ("/1", &[("cookie", "theme=none")]),
    ];
    let site = Keyed::start();
    for (first, second) in requests.iter().flat_map(|first| requests.iter().map(move |second| (first, second))) {
        if first.0 > second.0 {
            continue;
        }
        let keys = [first, second].map(|(target, headers)| site.key(target, headers));
        // A store of its own for each pair would be a process for each: another parameter in the same place does as well.
        let pair = site.next();
        let [_, answer] = [first, second].map(|(target, headers)| {
            let target = if target.starts_with("/1") {
                target.replacen("/1", &format!("/1{pair}"), 1)
            } else {
                target.replacen("/2", &format!("/2{pair}"), 1)
            };
            site.site.request("GET", &target, headers, b"")
        });
        let is_hit = answer.header("cache-status").is_some_and(|status| status.contains("hit"));
        assert_eq!(is_hit, keys[0] == keys[1], "{first:?} then {second:?}: {:?}", answer.headers);
    }
}

/// One site for all pairs of requests, and the keys that it told.
struct Keyed {
    site: Site,
    keys: std::sync::Mutex<BTreeMap<String, String>>,
    count: std::sync::atomic::AtomicUsize,
}

impl Keyed {
    fn start() -> Self {
        Self {
            site: Site::start(KEYED),
            keys: std::sync::Mutex::default(),
            count: std::sync::atomic::AtomicUsize::new(100),
        }
    }

    fn next(&self) -> usize {
        self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    fn key(&self, target: &str, headers: &[(&str, &str)]) -> String {
        let mut keys = self.keys.lock().expect("a lock");
        let known = keys.entry(format!("{target} {headers:?}")).or_insert_with(|| {
            let written: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let flags = written.iter().flat_map(|header| ["--header", header.as_str()]);
            let told = explain(&self.site, &[target].into_iter().chain(flags).collect::<Vec<_>>());
            told["page"]["store"]["key"]["digest"].as_str().expect("a key").to_owned()
        });
        known.clone()
    }
}

fn verdict<'t>(told: &'t Value, name: &str) -> &'t Value {
    &told["verdict"][name]
}

fn values_in_fields_are_told_as_they_are_sent() {
    let site = Site::start(
        "-- site.toml --\n-- routes/item.toml --\npath = \"/{v}\"\njson = \"{params.v}\"\n\
         headers = { link = \"<https://a.example/{params.v}>; rel=next\" }\n",
    );
    let told = explain(&site, &["/a%3Eb"]);
    let fields = told["page"]["fields"].to_string();
    assert_eq!(site.get("/a%3Eb").header("link"), Some("<https://a.example/a%3Eb>; rel=next"));
    assert!(fields.contains("<https://a.example/a%3Eb>; rel=next"), "{fields}");
}

fn requests_that_lead_nowhere_are_told_why() {
    let site = Site::start(
        r#"
-- site.toml --
[site]
url = "https://www.example.com"
aliases = ["example.com"]
-- routes/about.toml --
[json]
a = 1
-- routes/item.toml --
path = "/items/{id}"
json = "{params.id}"
[params.id]
type = "int"
[query.page]
type = "int"
on-invalid = "bad-request"
"#,
    );
    for (arguments, status, location, why) in [
        (&["/abuot"][..], 404, None, "no route claims this path"),
        (&["/items/x"], 404, None, "`x` does not fit `params.id`, which is of type `int`"),
        (&["/items/1?page=x"], 400, None, "the value of `query.page` does not fit its type `int`"),
        (&["/about/"], 308, Some("/about"), "another spelling of a URL of this route"),
        (
            &["https://example.com/about?a=1"],
            308,
            Some("https://www.example.com/about?a=1"),
            "the host is an alias of the site's",
        ),
        (
            &["https://other.example/about"],
            421,
            None,
            "the host is not the site's: neither `site.url`, nor an alias, nor that of a route",
        ),
        (&["/about", "--method", "DELETE"], 405, None, "the route has the methods GET, HEAD, OPTIONS"),
        (&["/about", "--method", "OPTIONS"], 204, None, "told the methods: GET, HEAD, OPTIONS"),
        (&["/about", "--header", "Host: a b"], 400, None, "the `Host` of the request is malformed"),
        (&["http://localhost:4000/about"], 200, None, "`/about` matches"),
        (&["/about", "--method", "HEAD"], 200, None, "`/about` matches"),
    ] {
        let told = explain(&site, arguments);
        assert_eq!(verdict(&told, "status"), status, "{arguments:?}: {told:#}");
        assert_eq!(verdict(&told, "location").as_str(), location, "{arguments:?}");
        assert_eq!(verdict(&told, "why"), why, "{arguments:?}");
        assert_eq!(told["page"].is_null(), status != 200, "{arguments:?}");
        let (host, target) = match arguments[0].split_once("://") {
            Some((_, rest)) => rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)),
            None => ("www.example.com", arguments[0]),
        };
        let method = arguments.iter().position(|word| *word == "--method").map_or("GET", |at| arguments[at + 1]);
        if !arguments.contains(&"--header") {
            let response = site.request(method, target, &[("host", host)], b"");
            assert_eq!(response.status, status, "{arguments:?}");
            assert_eq!(response.header("location"), location, "{arguments:?}");
        }
    }
    assert_eq!(verdict(&explain(&site, &["/abuot"]), "hint"), "did you mean `/about`?");
}

fn cookies_whose_values_are_declared_are_told() {
    let site = Site::start(
        r#"
-- site.toml --
-- routes/index.toml --
layout = "page.html"
[cookies.theme]
enum = ["light", "dark"]
default = "light"
[cookies.size]
enum = ["small"]
[cache]
s-maxage = "1h"
-- layouts/page.html --
{{ cookies.theme }} {{ cookies.size }}
"#,
    );
    for (sent, [theme, size], [state, other]) in [
        ("theme=dark; size=small", [json!("dark"), json!("small")], ["present", "present"]),
        ("theme=secret-of-anna; size=secret-of-anna", [json!("light"), json!(null)], ["unfit", "unfit"]),
        ("x=secret-of-anna", [json!("light"), json!(null)], ["absent", "absent"]),
    ] {
        let told = explain(&site, &["/", "--header", &format!("Cookie: {sent}")]);
        let page = &told["page"];
        let inputs = json!([
            { "name": "cookies.size", "type": "string", "value": size, "state": other, "read": true },
            { "name": "cookies.theme", "type": "string", "value": theme, "state": state, "read": true },
        ]);
        assert_eq!(page["inputs"], inputs, "{sent}");
        let word = |value: &Value| value.as_str().map(|text| format!("\"{text}\""));
        let parts = json!([
            { "section": "cookie", "name": "size", "value": word(&size) },
            { "section": "cookie", "name": "theme", "value": word(&theme) },
        ]);
        assert_eq!(page["store"]["key"]["parts"], parts, "{sent}");
        assert!(!told.to_string().contains("anna"), "what is no declared value says who it is: {told}");
    }
}

/// A page whose data is one person's, by way of two sources.
const PERSONAL: &str = r#"allow-private = true
headers = { authorization = "Bearer {env.TOKEN}" }
query = { key = "{env.KEY}" }
-- routes/index.toml --
layout = "page.html"
[cookies.session]
[sources.me]
upstream = "up"
path = "/me"
query = { of = "{cookies.session}", token = "{env.KEY}" }
[sources.orders]
upstream = "up"
path = "/orders/{me.id}"
timeout = "300ms"
[sources.news]
upstream = "up"
path = "/news"
-- layouts/page.html --
{{ orders | json }} {{ news | json }}
"#;

fn personal(fault: &FaultServer) -> Folder {
    let folder = Folder::new();
    let address = fault.address();
    folder.unpack(&format!("-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\n{PERSONAL}"));
    folder
}

const SECRETS: [(&str, &str); 2] = [("TOKEN", "t0ken-4f9c1e77b2a84d0f"), ("KEY", "k3y-77b2a84d0f4f9c1e")];

fn a_personal_page_is_told_with_its_path() {
    let fault = FaultServer::start();
    let folder = personal(&fault);
    let told = explain_with(folder.path(), &SECRETS, &["/", "--header", "Cookie: session=abc; other=1"]);
    let page = &told["page"];
    assert_eq!(page["privacy"]["public"], false);
    let path = page["privacy"]["path"].as_array().expect("a path").iter();
    let steps: Vec<(&str, &str, &str, u64, u64)> = path
        .map(|step| {
            let place = &step["place"];
            (
                step["what"].as_str().expect("a step"),
                step["how"].as_str().unwrap_or_default(),
                place["file"].as_str().expect("a file"),
                place["line"].as_u64().expect("a line"),
                place["column"].as_u64().expect("a column"),
            )
        })
        .collect();
    let (route, layout) = ("routes/index.toml", "layouts/page.html");
    let expected = [
        ("cookies.session", "`me` reads `cookies.session`", route, 6, 17),
        ("sources.me", "`orders` reads `me.id`", route, 9, 17),
        ("sources.orders", "the page reads `orders`", layout, 1, 1),
        ("the page", "", layout, 1, 1),
    ];
    assert_eq!(steps, expected);
    assert_eq!(page["store"]["kept"], false);
    assert_eq!(page["store"]["why_not"], "the page is one person's");
    assert!(page["store"]["key"].is_null());
    assert_eq!(page["lifetimes"]["browser"], "nothing: `no-store`");
    assert_eq!(field(page, "cache-control"), Some("private, no-store"));
    assert_eq!(page["ignored"], serde_json::json!(["cookie `other`"]));
}

fn secrets_and_cookies_are_not_told() {
    let fault = FaultServer::start();
    let folder = personal(&fault);
    for format in ["text", "json"] {
        let arguments = ["/", "--format", format, "--header", "Cookie: session=the-session-of-anna"];
        let (code, told, messages) = run(folder.path(), &SECRETS, &arguments);
        assert_eq!(code, Some(0), "{messages}");
        for hidden in ["t0ken", "k3y-", "the-session"] {
            assert!(!told.contains(hidden) && !messages.contains(hidden), "{told}");
        }
        assert!(!told.contains("withheld"), "nothing had to be withheld: {told}");
        assert!(told.contains("/me?key=(secret)&of={cookies.session}&token=(secret)"), "{told}");
        assert!(told.contains("/orders/{me.id}?key=(secret)") && told.contains("authorization"), "{told}");
    }
    assert_eq!(fault.connections(), 0, "nothing is sent anywhere");
}

fn what_sources_keep_is_told() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        r#"cache = true
-- routes/index.toml --
path = "/{id}"
json = ["{a}", "{b}", "{c}", "{d}", "{e}"]
[sources.a]
upstream = "up"
path = "/a/{params.id}"
cache = { max-age = "30s", stale-while-revalidate = "1m", stale-if-error = "1h", tags = ["all", "a:{params.id}"] }
[sources.b]
upstream = "up"
path = "/b"
[sources.c]
upstream = "up"
path = "/c"
cache = false
[sources.d]
upstream = "up"
path = "/d"
forward-cookies = ["session"]
cache = { stale-if-error = "1h", override = true }
[sources.e]
upstream = "up"
path = "/e/{d.x}"
cache = true
"#,
    );
    let told = explain(&site, &["/x"]);
    let sources = told["page"]["sources"][0].as_array().expect("a wave");
    let kept = |name: &str| {
        let source = sources.iter().find(|source| source["name"] == name).expect("the source");
        let call = &source["call"];
        (call["kept"]["value"].as_str().expect("words").to_owned(), call["kept_under"].to_string())
    };
    assert_eq!(
        kept("a"),
        (
            "fresh for 30s, then stale while it is fetched anew for 1m, or stale in place of an error for 1h; that there is nothing for 10s; unless it says no-store, private or Vary: *, or no-cache without a validator".to_owned(),
            r#"["under: the call with all its fields, and id","tags: source:a, source:a?id=…, upstream:up, all, a:{params.id}"]"#.to_owned(),
        )
    );
    assert_eq!(
        kept("b").0,
        "fresh as long as the upstream says; unless it says no-store, private or Vary: *, or no-cache without a validator"
    );
    assert_eq!(kept("c"), ("nothing".to_owned(), "[]".to_owned()));
    assert_eq!(
        kept("d").0,
        "fresh as long as the upstream says, then stale in place of an error for 1h; whatever the upstream says; for calls with the same credential alone"
    );
    let waves = told["page"]["sources"].as_array().expect("waves").iter();
    let mut all = waves.flat_map(|wave| wave.as_array().expect("a wave"));
    let addressed = all.find(|source| source["name"] == "e").expect("the source");
    assert_eq!(
        addressed["call"]["kept"]["value"],
        "fresh as long as the upstream says; unless it says no-store, private or Vary: *, or no-cache without a validator; for calls that are made of the same person's data, or of another's that is the same"
    );
    let (_, text, _) = run(site.folder().path(), &[], &["/x"]);
    for line in ["keeps: fresh for 30s, then", "under: the call with all its fields, and id", "keeps: nothing, from: "]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
}

fn sources_are_told_in_waves_and_rules_in_order() {
    let fault = FaultServer::start();
    let files = r#"timeout = "2s"
-- routes/index.toml --
path = "/r/{name}"
layout = "page.html"
[sources.repo]
upstream = "up"
path = "/repos/{params.name}"
[sources.owner]
upstream = "up"
path = "/users/{repo.owner}"
on-error = "omit"
[sources.news]
upstream = "up"
path = "/news"
fallback = []
[sources.all]
value = { name = "{repo.name}", owner = "{owner.name}" }
[[rules]]
if = "repo.archived"
then = { redirect = "/archive/{repo.name}" }
[[rules]]
if = "params.name == 'x'"
then = { status = 410 }
-- layouts/page.html --
{{ all.name }} {{ news | json }}
"#;
    let site = site(&fault, files);
    let told = explain(&site, &["/r/a%20b"]);
    let page = &told["page"];
    let waves = page["sources"].as_array().expect("waves").iter();
    let names: Vec<Vec<&str>> = waves
        .map(|wave| wave.as_array().expect("a wave").iter().filter_map(|source| source["name"].as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["news", "repo"], vec!["owner"], vec!["all"]]);
    let address = fault.address();
    let owner = &page["sources"][1][0];
    assert_eq!(owner["call"]["url"], format!("http://{address}/users/{{repo.owner}}"));
    assert_eq!(owner["after"], serde_json::json!(["repo"]));
    assert_eq!(owner["outcomes"]["on-error"], "omit");
    assert_eq!(owner["call"]["timeout"]["value"], "2s");
    assert_eq!(owner["call"]["timeout"]["place"]["file"], "site.toml");
    assert_eq!(page["sources"][0][1]["call"]["url"], format!("http://{address}/repos/a%20b"));
    let rules = page["rules"].as_array().expect("rules").iter();
    let rules: Vec<(&str, &str)> =
        rules.map(|rule| (rule["if"].as_str().expect("if"), rule["then"].as_str().expect("then"))).collect();
    let expected =
        [("repo.archived", "302 to /archive/{repo.name}"), ("params.name == 'x'", "410, with its error page")];
    assert_eq!(rules, expected);
    let (_, text, _) = run(site.folder().path(), &[], &["/r/a"]);
    for line in ["  1  repo         GET http", "  2  owner        GET http", "  3  all          value", "then: 302 to"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
}

fn settings_are_told_with_their_places() {
    let site = Site::start(
        r#"
-- site.toml --
[limits]
deadline = "7s"
[defaults.cache]
s-maxage = "1m"
-- routes/_section.toml --
layout = "page.html"
-- routes/index.toml --
status = 203
content-type = "text/html; charset=utf-8"
-- routes/own.toml --
deadline = "3s"
[cache]
max-age = "1h"
[headers]
x-of = "{query.of}"
[query.of]
-- layouts/page.html --
{% render "card" %}
-- layouts/partials/card.html --
card
"#,
    );
    let setting = |target: &str, name: &str| {
        let told = explain(&site, &[target]);
        let settings = told["page"]["settings"].as_array().expect("settings").clone();
        let setting = settings.into_iter().find(|setting| setting["name"] == name).expect("a setting");
        let place = &setting["place"];
        let place = place["file"].as_str().map(|file| format!("{file}:{}", place["line"]));
        (setting["value"].as_str().expect("a value").to_owned(), place.unwrap_or_default())
    };
    for (target, name, value, place) in [
        ("/", "status", "203", "routes/index.toml:1"),
        ("/", "cache-control", "public, max-age=0, s-maxage=60", "site.toml:3"),
        ("/", "deadline", "7s", "site.toml:2"),
        ("/", "layout", "page.html", "routes/_section.toml:1"),
        ("/", "content-type", "text/html; charset=utf-8", "routes/index.toml:2"),
        ("/own", "status", "200", ""),
        ("/own", "deadline", "3s", "routes/own.toml:1"),
        ("/own", "cache-control", "max-age=3600", "routes/own.toml:2"),
    ] {
        assert_eq!(setting(target, name), (value.to_owned(), place.to_owned()), "{target} {name}");
    }
    let told = explain(&site, &["/own?of=b"]);
    assert_eq!(field(&told["page"], "x-of"), Some("b"));
    assert_eq!(told["page"]["layouts"], serde_json::json!(["layouts/page.html", "layouts/partials/card.html"]));
    assert_eq!(explain(&site, &["/"])["page"]["store"]["why_not"], "only answers with status 200 are kept");
}

fn what_caches_obey_is_told_with_its_places() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "[cache-profiles.news]\ns-maxage = \"auto\"\nnot-found = \"1m\"\n-- routes/index.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\n[cache]\nprofile = \"news\"\ndegraded = \"10s\"\ntags = [\"a\", \"b:{a.n}\"]\n[cache.server]\nmax-age = \"90s\"\n[cache.cdn]\nmax-age = \"1h\"\ntag-header = \"Cache-Tag\"\n",
    );
    let told = explain(&site, &["/"]);
    let page = &told["page"];
    let settings = page["settings"].as_array().expect("settings");
    for (name, value, place) in [
        ("cache-control", "public, max-age=0, s-maxage=auto", "routes/index.toml:5"),
        ("cache.profile", "news", "routes/index.toml:6"),
        ("cache.s-maxage", "auto", "site.toml:7"),
        ("cache.not-found", "1m", "site.toml:8"),
        ("cache.degraded", "10s", "routes/index.toml:7"),
        ("cache.tags", "a, b:{a.n}", "routes/index.toml:8"),
        ("cache.server.max-age", "1m30s", "routes/index.toml:10"),
        ("cache.cdn.max-age", "1h", "routes/index.toml:12"),
        ("cache.cdn.tag-header", "Cache-Tag", "routes/index.toml:13"),
    ] {
        let setting = settings.iter().find(|setting| setting["name"] == name);
        let setting = setting.unwrap_or_else(|| panic!("{name}: {settings:#?}"));
        let at = &setting["place"];
        let at = format!("{}:{}", at["file"].as_str().unwrap_or_default(), at["line"]);
        assert_eq!((setting["value"].as_str(), at.as_str()), (Some(value), place), "{name}");
    }
    assert_eq!(page["lifetimes"]["browser"], "stale at once");
    assert_eq!(page["lifetimes"]["cdn"], "fresh for 1h");
    assert_eq!(page["lifetimes"]["store"], "fresh for 1m30s");
    assert_eq!(field(page, "cdn-cache-control"), Some("max-age=3600"));
    let notes: Vec<&str> = page["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    for note in [
        "a 404 is sent with `cache-control: public, max-age=0, s-maxage=60`",
        "kept for 10s by our store alone",
        "`cache-tag` holds",
    ] {
        assert!(notes.iter().any(|told| told.contains(note)), "{note}: {notes:?}");
    }
}

fn what_is_kept_only_to_be_compared_is_told() {
    let site = Site::start(
        "-- site.toml --\n-- routes/unsaid.toml --\njson = {}\n-- routes/asked.toml --\njson = {}\ncache = { no-cache = true }\n\
         -- routes/private.toml --\njson = {}\ncache = { private = true }\n-- routes/kept.toml --\njson = {}\ncache = \"hours\"\n\
         -- routes/nobody.toml --\njson = {}\ncache = { no-store = true }\n-- routes/created.toml --\njson = {}\nstatus = 201\n\
         -- routes/mine.toml --\njson = \"{cookies.who}\"\n[cookies.who]\n",
    );
    for (target, is_compared, why) in [
        ("/unsaid", true, Some("no lifetime is declared")),
        ("/asked", true, Some("`no-cache`")),
        ("/private", true, Some("`private`")),
        ("/kept", false, None),
        ("/nobody", false, Some("`no-store`")),
        ("/created", false, Some("only answers with status 200 are kept")),
        ("/mine", false, Some("the page is one person's")),
    ] {
        let told = explain(&site, &[target]);
        let store = &told["page"]["store"];
        assert_eq!((store["compared"].as_bool(), store["why_not"].as_str()), (Some(is_compared), why), "{target}");
        assert_eq!(store["kept"].as_bool(), Some(why.is_none()), "{target}");
        assert_eq!(store["key"].is_null(), !is_compared && why.is_some(), "{target}");
        let words = told["page"]["lifetimes"]["store"].as_str().expect("words").to_owned();
        let expected = match why {
            None => "fresh for 1h".to_owned(),
            Some(why) if is_compared => format!("sends nothing unasked: {why}; keeps what was made"),
            Some(why) => format!("nothing: {why}"),
        };
        assert!(words.starts_with(&expected), "{target}: {words}");
    }
}

/// What needs nothing from outside has its value at once: nobody waits for it.
fn a_value_is_told_with_those_that_begin_with_it() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = [\"{b}\", \"{d}\"]\n[sources.a]\nupstream = \"up\"\npath = \"/a\"\n[sources.v]\nvalue = { of = \"{a.n}\" }\n\
         [sources.b]\nupstream = \"up\"\npath = \"/b/{v.of}\"\n[sources.w]\nvalue = { n = 1 }\n[sources.d]\nupstream = \"up\"\npath = \"/d/{w.n}\"\n\
         method = \"POST\"\nsafe = true\nbody = { n = \"{w.n}\" }\n",
    );
    let told = explain(&site, &["/"]);
    let waves = told["page"]["sources"].as_array().expect("waves").iter();
    let names: Vec<Vec<&str>> = waves
        .map(|wave| wave.as_array().expect("a wave").iter().filter_map(|source| source["name"].as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["a", "w", "d"], vec!["v", "b"]]);
    let fields = &told["page"]["sources"][0][2]["call"]["fields"];
    assert_eq!(*fields, serde_json::json!(["accept", "content-type"]));
}

fn unset_variables_do_not_keep_it_from_telling() {
    let fault = FaultServer::start();
    let folder = personal(&fault);
    let told = explain_with(folder.path(), &[], &["/"]);
    assert_eq!(verdict(&told, "status"), 200);
}

fn what_cannot_be_asked_is_wrong_usage() {
    let site = Site::start("-- site.toml --\n");
    for arguments in [
        &["about"][..],
        &["/a b"],
        &["/", "--header", "no-colon"],
        &["/", "--header", "a b: c"],
        &["/", "--method", "G ET"],
        &[],
        &["/", "--format", "xml"],
    ] {
        let (code, told, _) = run(site.folder().path(), &[], arguments);
        assert_eq!((code, told.as_str()), (Some(2), ""), "{arguments:?}");
    }
    let (code, ..) = run(Path::new("/nonexistent"), &[], &["/"]);
    assert_eq!(code, Some(1));
}
