//! What a page depends on, and nothing else: undeclared inputs change neither bytes nor calls, declared ones have pages of
//! their own, one person's page is nobody else's, and secrets stay where they belong.

use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Options, Site};

crate::cases!(
    undeclared_inputs_change_nothing,
    each_declared_value_has_a_page_of_its_own,
    a_personal_page_is_kept_by_nobody,
    a_keyed_cookie_has_one_copy_a_value,
    a_secret_is_sent_upstream_and_shown_to_nobody,
    hostile_values_stay_where_they_stand,
);

/// Pages that read some of everything, as JSON and in layouts of each kind; those below `/kept` are stored, those below `/live` are not.
const ARCHIVE: &str = r#"
-- site.toml --
[upstreams.up]
base-url = "{env.UPSTREAM}"
allow-private = true
-- routes/_section.toml --
[query.q]
[query.page]
type = "int"
default = 1
[query.tag]
repeat = true
[cookies.theme]
enum = ["light", "dark"]
default = "light"
[sources.echo]
upstream = "up"
path = "/echo"
query = { q = "{query.q}", page = "{query.page}", tag = "{query.tag}", theme = "{cookies.theme}" }
forward-headers = ["accept-language"]
-- routes/kept/_section.toml --
[cache]
s-maxage = "1h"
-- routes/kept/json.toml --
path = "/kept/json/{id}"
json = { id = "{params.id}", all = "{echo}" }
-- routes/kept/html.toml --
path = "/kept/html/{id}"
layout = "page.html"
-- routes/kept/xml.toml --
path = "/kept/xml/{id}"
layout = "page.xml"
-- routes/kept/txt.toml --
path = "/kept/txt/{id}"
layout = "page.txt"
-- routes/live/json.toml --
path = "/live/json/{id}"
json = { id = "{params.id}", all = "{echo}" }
-- routes/live/html.toml --
path = "/live/html/{id}"
layout = "page.html"
-- routes/live/xml.toml --
path = "/live/xml/{id}"
layout = "page.xml"
-- routes/live/txt.toml --
path = "/live/txt/{id}"
layout = "page.txt"
-- layouts/base.html --
<!doctype html>
<html class="{{ cookies.theme }}">
{{ content }}
</html>
-- layouts/page.html --
+++
layout = "base.html"
+++
{% render "facts", id: params.id, echo: echo %}
-- layouts/partials/facts.html --
<h1>{{ id }}</h1>
<p>{{ echo.target }}</p>
<p>{{ echo.headers.accept-language }}</p>
-- layouts/page.xml --
<page theme="{{ cookies.theme }}">
<id>{{ params.id }}</id>
<target>{{ echo.target }}</target>
<language>{{ echo.headers.accept-language }}</language>
</page>
-- layouts/page.txt --
{{ params.id }}
{{ echo.target }}
{{ echo.headers.accept-language }}
{{ cookies.theme }}
"#;

/// The kinds of pages of each of them, and their media types.
const KINDS: [(&str, &str); 4] = [
    ("json", "application/json"),
    ("html", "text/html; charset=utf-8"),
    ("xml", "application/xml; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
];

/// Fields by which other servers let a request say more than it should.
const CONTROL: &[&str] = &[
    "x-forwarded-host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-path",
    "x-original-url",
    "x-original-host",
    "x-original-uri",
    "x-rewrite-url",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-host",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "cf-ipcountry",
    "cf-ray",
    "cf-visitor",
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-azure-clientip",
    "forwarded",
    "via",
    "x-proxy-url",
    "x-request-uri",
    "x-middleware-subrequest",
    "x-middleware-rewrite",
    "x-middleware-next",
    "x-middleware-invoke",
    "x-invoke-path",
    "x-invoke-query",
    "x-invoke-status",
    "x-invoke-output",
    "x-matched-path",
    "x-nextjs-data",
    "x-now-route-matches",
    "x-next-revalidated-tags",
    "x-next-cache-tags",
    "x-prerender-revalidate",
    "x-prerender-bypass",
    "x-vercel-id",
    "x-vercel-ip-country",
    "x-vercel-protection-bypass",
    "purpose",
    "sec-purpose",
    "rsc",
    "next-router-prefetch",
    "next-router-state-tree",
    "next-router-segment-prefetch",
    "next-url",
    "next-action",
    "x-react-router-spa-mode",
    "x-react-router-prerender-data",
    "x-remix-response",
    "x-astro-locale",
    "x-nuxt-payload",
    "x-inertia",
    "x-inertia-version",
    "x-inertia-partial-data",
    "hx-request",
    "hx-target",
    "hx-boosted",
    "turbo-frame",
    "x-pjax",
    "x-requested-with",
    "x-shopify-storefront",
    "x-magento-vary",
    "x-wp-nonce",
    "x-drupal-cache",
    "x-varnish",
    "x-cache-key",
    "x-cache-hash",
    "surrogate-capability",
    "surrogate-control",
    "x-esi",
    "x-accel-redirect",
    "x-accel-expires",
    "x-sendfile",
    "x-debug",
    "x-debug-token",
    "x-profiler",
    "x-trace",
    "x-amzn-trace-id",
    "x-amz-cf-id",
    "x-b3-traceid",
    "traceparent",
    "baggage",
    "x-api-version",
    "x-version",
    "x-tenant",
    "x-tenant-id",
    "x-user",
    "x-user-id",
    "x-username",
    "x-role",
    "x-admin",
    "x-auth",
    "x-auth-token",
    "x-auth-user",
    "x-access-token",
    "x-api-key",
    "x-csrf-token",
    "x-xsrf-token",
    "x-session",
    "x-remote-user",
    "remote-user",
    "x-webauth-user",
    "x-ssl-client-cert",
    "x-ssl-client-dn",
    "x-locale",
    "x-lang",
    "x-country",
    "x-device",
    "x-mobile",
    "x-wap-profile",
    "x-operamini-features",
    "save-data",
    "dnt",
    "sec-gpc",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "device-memory",
    "dpr",
    "ect",
    "downlink",
    "rtt",
    "viewport-width",
    "width",
    "from",
    "referer",
    "origin",
    "user-agent",
    "accept",
    "accept-charset",
    "early-data",
    "max-forwards",
    "pragma",
    "cache-control",
    "x-no-cache",
    "x-refresh",
    "x-preview",
    "x-draft",
    "x-edge",
    "x-cdn",
];

/// The names above, and the families that they belong to: over 300.
fn control() -> Vec<String> {
    const FAMILIES: [&str; 14] = [
        "x-",
        "x-forwarded-",
        "x-original-",
        "x-rewrite-",
        "x-proxy-",
        "x-internal-",
        "x-app-",
        "x-cache-",
        "x-edge-",
        "x-override-",
        "x-nextjs-",
        "x-middleware-",
        "x-vercel-",
        "cf-",
    ];
    const MEMBERS: [&str; 12] =
        ["path", "url", "uri", "host", "proto", "port", "method", "status", "user", "key", "data", "locale"];
    let families = FAMILIES.iter().flat_map(|family| MEMBERS.iter().map(move |member| format!("{family}{member}")));
    let all: std::collections::BTreeSet<String> = CONTROL.iter().map(|&name| name.to_owned()).chain(families).collect();
    assert!(all.len() >= 300, "{}", all.len());
    all.into_iter().collect()
}

/// A small generator, so that a failure can be repeated from the seed it prints.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.next(from.len())]
    }
}

fn start(fault: &FaultServer) -> Site {
    Options::default().env("UPSTREAM", fault.url("").trim_end_matches('/')).start(ARCHIVE)
}

/// What the upstream was asked, field order aside; what every call carries of the connection is left out.
fn asked(fault: &FaultServer) -> Vec<String> {
    fault.requests("/echo").iter().map(|request| format!("{request:?}")).collect()
}

/// A request's declared part: its target and its headers.
fn declared(random: &mut Random) -> (String, Vec<(String, String)>) {
    let kind = KINDS[random.next(KINDS.len())].0;
    let mut target = format!("/{}/{kind}/{}", random.pick(&["kept", "live"]), random.pick(&["a", "b", "%20c"]));
    target.push_str(random.pick(&["?q=x", "?q=x%26y", "?q=", "?page=2", "?page=zz", "?tag=1&tag=2", "?q=1&q=2"]));
    let mut headers = vec![("accept-language".to_owned(), random.pick(&["en", "de", "fr, en;q=0.5"]).to_owned())];
    headers.push(("cookie".to_owned(), format!("theme={}", random.pick(&["light", "dark", "odd"]))));
    (target, headers)
}

fn send(site: &Site, target: &str, headers: &[(String, String)]) -> Response {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    site.request("GET", target, &headers, b"")
}

fn undeclared_inputs_change_nothing() {
    let seed = 0x5eed_2026;
    let control = control();
    let control: Vec<&str> = control.iter().map(String::as_str).collect();
    let mut random = Random(seed);
    for round in 0..120 {
        let (target, headers) = declared(&mut random);
        // Fresh sites, so that each of the two is asked for the first time.
        if round % 40 == 0 {
            println!("seed {seed:#x}, round {round}");
        }
        let fault = FaultServer::start();
        let (plain, noisy) = (start(&fault), start(&fault));
        let expected = send(&plain, &target, &headers);
        let calls = asked(&fault);
        let mut more = headers.clone();
        for _ in 0..40 {
            more.push((
                random.pick(&control).to_owned(),
                random.pick(&["1", "evil.example", "/admin", "POST", "no-store"]).to_owned(),
            ));
        }
        more.push((format!("x-random-{}", random.next(1_000_000)), "?".into()));
        more.retain(|(name, _)| name != "cookie");
        let theme = headers.iter().find(|(name, _)| name == "cookie").map(|(_, value)| value.as_str()).unwrap();
        more.push(("cookie".into(), format!("session=s{}; {theme}; theme2=dark", random.next(1000))));
        let noisy_target = format!("{target}&utm_source=x&_rsc=1&nocache={}", random.next(1000));
        let answer = send(&noisy, &noisy_target, &more);
        assert_eq!((answer.status, answer.text()), (expected.status, expected.text()), "round {round}: {target}");
        for field in ["content-type", "etag", "cache-control", "vary", "content-length"] {
            assert_eq!(answer.header(field), expected.header(field), "round {round}: {target} {field}");
        }
        let all = asked(&fault);
        assert_eq!(all.len(), calls.len() * 2, "round {round}");
        assert_eq!(all[calls.len()..], calls[..], "round {round}: the upstream is asked the same");
        // The store finds the page again, whatever else the request says.
        let again = send(&plain, &noisy_target, &more);
        assert_eq!(again.text(), expected.text(), "round {round}");
        if target.starts_with("/kept") {
            assert!(again.header("cache-status").is_some_and(|status| status.contains("hit")), "round {round}");
            assert_eq!(asked(&fault).len(), all.len(), "round {round}: nothing is asked again");
        }
    }
}

/// What a page shows of what it was asked.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    id: String,
    target: String,
    language: String,
}

impl Shown {
    /// From a page of this kind. Those with layouts show each fact on a line of its own.
    fn read(kind: &str, page: &Response) -> Self {
        if kind == "json" {
            let json = page.json();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let (id, all) = (&json["id"], &json["all"]);
            return Self {
                id: text(id),
                target: text(&all["target"]),
                language: text(&all["headers"]["accept-language"]),
            };
        }
        let opening = ["<h1>", "<p>", "<id>", "<target>", "<language>"];
        let closing = ["</h1>", "</p>", "</id>", "</target>", "</language>"];
        let plain = |line: &str| {
            let line = opening.iter().find_map(|tag| line.strip_prefix(tag)).unwrap_or(line);
            let line = closing.iter().find_map(|tag| line.strip_suffix(tag)).unwrap_or(line);
            if kind == "txt" { line.to_owned() } else { line.replace("&amp;", "&") }
        };
        let facts: Vec<String> = match kind {
            "txt" => page.text().lines().take(3).map(plain).collect(),
            _ => {
                page.text().lines().filter(|line| opening.iter().any(|tag| line.starts_with(tag))).map(plain).collect()
            }
        };
        let [id, target, language] = &facts[..] else { panic!("{}", page.text()) };
        Self { id: id.clone(), target: target.clone(), language: language.clone() }
    }
}

fn each_declared_value_has_a_page_of_its_own() {
    let fault = FaultServer::start();
    let site = start(&fault);
    let mut random = Random(7);
    let mut seen: Vec<(String, String)> = Vec::new();
    for _ in 0..400 {
        let (target, headers) = declared(&mut random);
        let answer = send(&site, &target, &headers);
        assert_eq!(answer.status, 200);
        let path = target.split_once('?').unwrap().0;
        let [_, _, kind, id] = path.split('/').collect::<Vec<_>>()[..] else { panic!("{target}") };
        let id = id.replace("%20", " ");
        let (language, theme) = (headers[0].1.as_str(), if headers[1].1.ends_with("dark") { "dark" } else { "light" });
        let query = match target.split_once('?').map(|(_, query)| query).unwrap() {
            "q=x" => "q=x&page=1&",
            "q=x%26y" => "q=x%26y&page=1&",
            "page=2" => "page=2&",
            "tag=1&tag=2" => "page=1&tag=1&tag=2&",
            "q=1&q=2" => "q=1&page=1&",
            // `?q=` is absent, and `?page=zz` does not fit: the default stands.
            _ => "page=1&",
        };
        let media_type = KINDS.iter().find(|(name, _)| *name == kind).unwrap().1;
        assert_eq!(answer.header("content-type"), Some(media_type), "{target}");
        let shown = Shown { id, target: format!("/echo?{query}theme={theme}"), language: language.to_owned() };
        assert_eq!(Shown::read(kind, &answer), shown, "{target}: {}", answer.text());
        assert!(kind == "json" || answer.text().contains(theme), "{target}: {}", answer.text());
        let key = format!("{target} {language} {theme}");
        match seen.iter().find(|(known, _)| *known == key) {
            Some((_, body)) => assert_eq!(body, answer.text(), "{key}"),
            None => seen.push((key, answer.text().to_owned())),
        }
    }
}

const PERSONAL: &str = r#"
-- site.toml --
[upstreams.up]
base-url = "{env.UPSTREAM}"
allow-private = true
-- routes/me.toml --
json = "{me.headers}"
[sources.me]
upstream = "up"
path = "/echo"
forward-cookies = ["session"]
-- routes/chain.toml --
json = "{orders}"
[sources]
me = { upstream = "up", path = "/echo", forward-cookies = ["session"], extract = { cookie = "$.headers.cookie" } }
orders = { upstream = "up", path = "/echo", query = { of = "{me.cookie}" } }
-- routes/greeting.toml --
json = { hello = "{cookies.name}" }
[cookies.name]
"#;

fn a_personal_page_is_kept_by_nobody() {
    let fault = FaultServer::start();
    let site = Options::default().env("UPSTREAM", fault.url("").trim_end_matches('/')).start(PERSONAL);
    for target in ["/me", "/chain", "/greeting"] {
        let mut connections: Vec<_> = (0..20).map(|_| site.connect()).collect();
        for (at, connection) in connections.iter_mut().enumerate() {
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nCookie: session=s{at}x; name=s{at}x\r\n\r\n");
            connection.send(request).unwrap();
        }
        for (at, connection) in connections.iter_mut().enumerate() {
            let answer = connection.response().unwrap();
            assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{target}");
            assert!(answer.text().contains(&format!("s{at}x")), "{target}: {}", answer.text());
            for other in (0..20).filter(|other| *other != at) {
                assert!(!answer.text().contains(&format!("s{other}x")), "{target}: {}", answer.text());
            }
        }
    }
}

fn a_keyed_cookie_has_one_copy_a_value() {
    let fault = FaultServer::start();
    let site = start(&fault);
    let get = |cookie: &str| site.request("GET", "/kept/json/x", &[("cookie", cookie)], b"");
    for cookie in
        ["theme=light", "theme=dark", "theme=light; session=1", "theme=dark; session=2", "theme=other", "other=1"]
    {
        let answer = get(cookie);
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("cookie") && vary.contains("accept-language")));
    }
    // `theme=light` is what stands where the cookie is absent or has no such value: one page.
    assert_eq!(fault.calls("/echo"), 2);
}

fn a_secret_is_sent_upstream_and_shown_to_nobody() {
    const CANARY: &str = "canary-7f3a9c55e1";
    let archive = r#"
-- site.toml --
[upstreams.up]
base-url = "{env.UPSTREAM}"
allow-private = true
headers = { authorization = "Bearer {env.TOKEN}" }
query = { key = "{env.TOKEN}" }
[upstreams.gone]
base-url = "http://127.0.0.1:9"
allow-private = true
headers = { authorization = "Bearer {env.TOKEN}" }
-- routes/good.toml --
json = "{a}"
sources.a = { upstream = "up", path = "/count", headers = { x-key = "{env.TOKEN}" } }
-- routes/bad.toml --
json = "{a}"
sources.a = { upstream = "up", path = "/status/500" }
-- routes/broken.toml --
json = "{a}"
sources.a = { upstream = "up", path = "/invalid-json" }
-- routes/gone.toml --
json = "{a}"
sources.a = { upstream = "gone", path = "/" }
"#;
    let fault = FaultServer::start();
    let mut site =
        Options::default().env("UPSTREAM", fault.url("").trim_end_matches('/')).env("TOKEN", CANARY).start(archive);
    for target in ["/good", "/bad", "/broken", "/gone", "/none"] {
        let answer = site.get(target);
        let shown = format!("{answer:?} {}", answer.text());
        assert!(!shown.contains(CANARY), "{target}: {shown}");
    }
    let sent = format!("{:?}", fault.requests("/count"));
    assert!(sent.contains(&format!("Bearer {CANARY}")), "it is sent where it is declared: {sent}");
    site.signal("TERM");
    assert!(site.wait().success());
    assert!(!site.messages().contains(CANARY), "{}", site.messages());
    assert!(!site.access_log().contains(CANARY), "{}", site.access_log());
}

fn hostile_values_stay_where_they_stand() {
    let archive = r#"
-- site.toml --
-- routes/x.toml --
path = "/x"
layout = "x.html"
[query.v]
-- layouts/x.html --
<p>{{ query.v }}</p><a href="{{ query.v }}" title="{{ query.v }}" class='{{ query.v }}'>x</a>
"#;
    let site = Site::start(archive);
    for payload in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg onload=alert(1)>",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " \u{1}javascript:alert(1)",
        "java\nscript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "\" onmouseover=\"alert(1)",
        "' onfocus='alert(1)",
        "</p><script>",
        "{{ 7 | times: 7 }}",
        "--><script>",
        "]]>",
    ] {
        let encoded = payload.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let answer = site.get(&format!("/x?v={encoded}"));
        assert_eq!(answer.status, 200);
        let text = answer.text();
        assert_eq!(text.matches('<').count(), 4, "{payload:?}: {text}");
        assert_eq!(text.matches('>').count(), 4, "{payload:?}: {text}");
        assert_eq!(text.matches('"').count(), 4, "{payload:?}: {text}");
        assert_eq!(text.matches('\'').count(), 2, "{payload:?}: {text}");
        let href = text.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_lowercase();
        for scheme in ["javascript:", "data:", "vbscript:", "&#106;avascript", "java\tscript", "java\nscript"] {
            assert!(!href.trim_start().starts_with(scheme), "{payload:?}: {href}");
        }
        assert!(!text.contains("49"), "{payload:?} is no template");
    }
}
