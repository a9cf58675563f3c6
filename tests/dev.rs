//! `siteserver dev`: what authors get besides their site, and that nobody else gets any of it.

use crate::flows::journeys::{pictures, travel};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::{Response, compose};
use crate::support::site::{Folder, Options, Site, binary};
use crate::support::{SAFETY_NET, proof};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;

crate::cases!(
    pages_have_the_script_and_nothing_else_has,
    what_would_make_a_page_another_one_is_not_asked_for,
    the_policy_of_a_page_lets_in_exactly_the_script,
    pages_of_other_letters_are_left_alone,
    a_page_stays_in_its_mode,
    what_is_stored_is_what_serve_stores,
    only_this_machine_is_answered_by_its_own_names,
    pages_of_other_origins_get_nothing,
    addresses_that_others_reach_are_refused,
    each_load_is_told_with_what_is_wrong,
    an_edit_of_style_sheets_alone_is_told_as_one,
    style_sheets_are_kept_by_nobody,
    settings_that_need_a_restart_are_told,
    the_stream_is_described_to_head,
    the_log_in_text_is_of_the_site,
    a_site_with_errors_is_shown_until_it_is_mended,
    a_stream_does_not_keep_the_server_from_stopping,
    the_sources_of_a_page_are_told_by_its_own_id,
    a_failing_source_is_told_to_its_selector,
    secrets_are_told_to_nobody,
    serve_has_nothing_of_it,
    in_a_browser,
);

const SITE: &str = r#"-- site.toml --
[site]
url = "https://shop.example"
-- routes/index.toml --
title = "Lamps"
layout = "page.html"
[cache]
s-maxage = "1h"
-- routes/strict.toml --
layout = "page.html"
csp = "default-src 'none'"
-- routes/fragment.toml --
layout = "fragment.html"
-- routes/data.toml --
json = { a = 1 }
-- routes/assets.toml --
path = "/assets/{*file}"
files = "assets"
-- layouts/page.html --
<!doctype html>
<html lang="en">
<head><title>{{ page.title }}</title></head>
<body>{% for n in (1..200) %}<p>A lamp</p>{% endfor %}</body>
</html>
-- layouts/fragment.html --
<p>A fragment</p>
-- content/assets/a.css --
p { color: red }
-- content/assets/static.html --
<!doctype html><title>A file</title>
"#;

/// What a browser says when somebody opens a page.
const OPENING: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("accept-encoding", "gzip, br"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];

fn start(archive: &str) -> Site {
    Options::dev().start(archive)
}

/// What a browser gets when somebody opens a page, with these fields besides.
fn open(site: &Site, target: &str, fields: &[(&str, &str)]) -> Response {
    let all: Vec<_> = OPENING.iter().chain(fields).copied().collect();
    site.request("GET", target, &all, b"")
}

/// An attribute of the script's element.
fn attribute<'p>(page: &'p Response, name: &str) -> &'p str {
    let (_, element) = page.text().split_once("<script src=\"/_siteserver/dev.js\"").expect("the script");
    let (_, value) = element.split_once(&format!("data-{name}=\"")).expect("the attribute");
    value.split('"').next().unwrap_or_default()
}

/// What the panel of a page shows.
fn record(site: &Site, page: &Response) -> Value {
    let answer = site.get(&format!("/_siteserver/requests/{}", attribute(page, "request")));
    assert_eq!(answer.status, 200);
    answer.json()
}

/// The stream of a site's states.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(site: &Site) -> Self {
        let stream = TcpStream::connect(site.address()).expect("a connection");
        stream.set_read_timeout(Some(SAFETY_NET)).expect("a timeout");
        let request = compose("GET", "/_siteserver/events", &[("sec-fetch-site", "same-origin")], b"");
        std::io::Write::write_all(&mut &stream, &request).expect("a request");
        Self(BufReader::new(stream))
    }

    /// The next state.
    fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).expect("a line"), 0, "the stream goes on");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    }

    /// The next state that is wanted: an edit in several steps is several loads.
    fn next_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let state = self.next();
            if wanted(&state) {
                return state;
            }
        }
    }
}

fn pages_have_the_script_and_nothing_else_has() {
    let site = start(SITE);
    let page = open(&site, "/", &[]);
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    assert_eq!((page.header("etag"), page.header("content-encoding")), (None, None));
    let after_head = page.text().split_once("<head><script src=\"/_siteserver/dev.js\" defer data-request=\"");
    assert!(after_head.is_some_and(|(_, rest)| rest.contains("\"></script><title>Lamps</title>")), "{}", page.text());
    assert_eq!(page.text().matches("_siteserver").count(), 1);
    let fragment = open(&site, "/fragment", &[]);
    assert!(fragment.text().starts_with("<script") && fragment.text().ends_with("</script><p>A fragment</p>\n"));
    assert!(!attribute(&fragment, "request").is_empty());
    let file = open(&site, "/assets/static.html", &[]);
    assert!(file.text().starts_with("<!doctype html><script") && file.text().ends_with("<title>A file</title>\n"));
    let error = open(&site, "/nowhere", &[]);
    assert_eq!((error.status, attribute(&error, "version")), (404, attribute(&page, "version")));
    let head = site.request("HEAD", "/", &OPENING, b"");
    assert_eq!(head.header("content-length"), page.header("content-length"));
    assert_eq!(head.header("content-security-policy"), page.header("content-security-policy"));

    for (target, fields) in [
        ("/data", &OPENING[..]),
        ("/assets/a.css", &[("sec-fetch-dest", "style")]),
        ("/assets/static.html", &[("sec-fetch-dest", "empty")]),
        ("/fragment", &[("sec-fetch-dest", "empty"), ("accept", "text/html")]),
        ("/fragment", &[("accept", "application/json")]),
    ] {
        let other = site.request("GET", target, fields, b"");
        assert_eq!(other.status, 200);
        assert!(!other.text().contains("_siteserver"), "{target}: {}", other.text());
        let is_kept = other.header("cache-control") != Some("no-store");
        assert_eq!(is_kept, target != "/assets/a.css", "{target}");
    }
    let style = site.request("GET", "/assets/a.css", &[("range", "bytes=0-0")], b"");
    assert_eq!((style.status, style.text()), (206, "p"));
    for (name, kind) in [("dev.js", "text/javascript; charset=utf-8"), ("dev.css", "text/css; charset=utf-8")] {
        let part = site.get(&format!("/_siteserver/{name}"));
        assert_eq!((part.status, part.header("content-type")), (200, Some(kind)));
        assert_eq!(part.header("cross-origin-resource-policy"), Some("same-origin"));
    }
    assert_eq!(site.get("/_siteserver/other").status, 404);
    assert_eq!(site.request("POST", "/_siteserver/findings", &[], b"").status, 405);
}

fn what_would_make_a_page_another_one_is_not_asked_for() {
    let site = start(SITE);
    // What the browser has kept from where the same site was served.
    let served = Site::start(SITE);
    let tag = served.get("/").header("etag").expect("a tag").to_owned();
    for field in
        [("if-none-match", tag.as_str()), ("if-none-match", "*"), ("range", "bytes=0-9"), ("if-match", "\"x\"")]
    {
        let page = open(&site, "/", &[field]);
        assert_eq!(page.status, 200, "{field:?}");
        assert!(page.text().ends_with("</html>\n") && !attribute(&page, "request").is_empty(), "{field:?}");
    }
}

fn the_policy_of_a_page_lets_in_exactly_the_script() {
    let site = start(SITE);
    let own = format!("http://{}/_siteserver/", site.address());
    let host = site.address().to_string();
    let policy = |target: &str| {
        let page = open(&site, target, &[("host", &host)]);
        page.header("content-security-policy").expect("a policy").to_owned()
    };
    assert_eq!(policy("/strict"), format!("default-src 'none'; script-src-elem {own}dev.js; connect-src {own}"));
    // An address of IPv6 cannot be named: the script runs by a word of its own.
    let page = open(&site, "/strict", &[("host", "[::1]:4000")]);
    let nonce = attribute(&page, "request");
    assert!(page.text().contains(&format!(" nonce=\"{nonce}\"")), "{}", page.text());
    let expected = format!("default-src 'none'; script-src-elem 'nonce-{nonce}'; connect-src 'self'");
    assert_eq!(page.header("content-security-policy"), Some(expected.as_str()));
    let derived = Site::start(SITE).get("/").header("content-security-policy").expect("a policy").to_owned();
    assert_eq!(policy("/"), format!("{derived}; script-src-elem {own}dev.js; connect-src 'self' {own}"));
}

const LETTERS: &str = r#"-- site.toml --
[upstreams.pages]
base-url = "UPSTREAM"
allow-private = true
-- routes/pages.toml --
path = "/{*rest}"
proxy = "pages"
"#;

fn pages_of_other_letters_are_left_alone() {
    let fault = FaultServer::start();
    let wide: Vec<u8> = "<!doctype html><p>wide".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &wide].concat();
    let site = start(&LETTERS.replace("UPSTREAM", fault.url("").trim_end_matches('/')));
    for (path, content_type, body) in [
        ("/declared", "text/html; charset=utf-16le", &wide),
        ("/quoted", "text/html; charset=\"UTF-16\"", &wide),
        ("/marked", "text/html", &marked),
    ] {
        fault.put(path, Reply::of(content_type, body.clone()));
        let page = open(&site, path, &[]);
        assert_eq!(page.status, 200, "{path}: {}", site.messages());
        assert_eq!(page.body, *body, "{path}");
    }
}

/// A browser reads a page in the mode that its document type says, wherever the script stands.
fn a_page_stays_in_its_mode() {
    let folder = Folder::new();
    folder.unpack(SITE);
    let pages = [
        ("untyped.html", "<p>no type"),
        ("typed.html", "<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<p>typed"),
        ("marked.html", "\u{feff}<!-- note --><!doctype html><p>typed"),
    ];
    for (name, page) in pages {
        folder.write(&format!("content/assets/{name}"), page);
    }
    let site = Options::dev().serve(folder);
    for (name, page) in pages {
        let dressed = open(&site, &format!("/assets/{name}"), &[]);
        let (before, rest) = dressed.text().split_once("<script ").expect("the script");
        let (_, after) = rest.split_once("</script>").expect("its end");
        assert_eq!(format!("{before}{after}"), page);
        assert_eq!(
            before.to_ascii_lowercase().contains("<!doctype"),
            page.to_ascii_lowercase().contains("<!doctype"),
            "{page}"
        );
        assert!(!before.contains("<p>"), "{page}");
    }
}

fn what_is_stored_is_what_serve_stores() {
    let site = start(SITE);
    let served = Site::start(SITE);
    open(&site, "/", &[]);
    // What scripts fetch is sent as it is, from what the page has put there.
    let [ours, theirs] = [&site, &served].map(|site| {
        site.get("/data");
        let fields = [("sec-fetch-dest", "empty"), ("accept", "text/html")];
        site.request("GET", "/", &fields, b"");
        site.request("GET", "/", &fields, b"")
    });
    assert!(ours.header("cache-status").is_some_and(|status| status.contains("; hit")), "{ours:?}");
    assert_eq!(ours.text(), theirs.text());
    assert_eq!(ours.header("etag"), theirs.header("etag"));
    assert_eq!(ours.header("cache-control"), theirs.header("cache-control"));
    assert_eq!(ours.header("content-security-policy"), theirs.header("content-security-policy"));
}

fn only_this_machine_is_answered_by_its_own_names() {
    let site = start(SITE);
    let port = site.address().port();
    for host in ["localhost", "127.0.0.1", "[::1]", "shop.localhost", "LOCALHOST"] {
        for host in [host.to_owned(), format!("{host}:{port}"), format!("{host}:1")] {
            for target in ["/", "/_siteserver/findings"] {
                assert_eq!(site.request("GET", target, &[("host", &host)], b"").status, 200, "{host}");
            }
        }
    }
    // The site's own name is for where it is served: here anybody may have pointed it at this machine.
    for host in ["shop.example", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "0.0.0.0"] {
        for target in ["/", "/data", "/_siteserver/findings", "/_siteserver/dev.js"] {
            let answer = site.request("GET", target, &[("host", host)], b"");
            assert_eq!(answer.status, 421, "{host}");
            assert!(answer.text().contains("siteserver serve"), "{}", answer.text());
        }
    }
}

fn pages_of_other_origins_get_nothing() {
    let site = start(SITE);
    let own = format!("http://localhost:{}", site.address().port());
    let host = own.trim_start_matches("http://").to_owned();
    let id = attribute(&open(&site, "/", &[]), "request").to_owned();
    for target in ["/_siteserver/findings", "/_siteserver/dev.js", &format!("/_siteserver/requests/{id}")] {
        for (field, status) in [
            (("sec-fetch-site", "same-origin"), 200),
            (("sec-fetch-site", "none"), 200),
            (("origin", own.as_str()), 200),
            (("sec-fetch-site", "same-site"), 403),
            (("sec-fetch-site", "cross-site"), 403),
            (("origin", "http://localhost:1"), 403),
            (("origin", "https://evil.example"), 403),
            (("origin", "null"), 403),
        ] {
            let answer = site.request("GET", target, &[("host", &host), field], b"");
            assert_eq!(answer.status, status, "{target} {field:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    let events = [("host", host.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(site.request("GET", "/_siteserver/events", &events, b"").status, 403);
}

fn addresses_that_others_reach_are_refused() {
    let folder = Folder::new();
    folder.unpack(SITE);
    for (set, key) in [
        ("server.listen=[\"0.0.0.0:0\"]", "server.listen"),
        ("server.listen=[\"127.0.0.1:0\", \"[::]:0\"]", "server.listen"),
        ("admin.listen=\"192.0.2.1:80\"", "admin.listen"),
    ] {
        let config = folder.path().join("site.toml");
        let mut command = binary();
        command.arg("dev").arg("--config").arg(config).args(["--set", set, "--set", "admin.token=\"{env.T}\""]);
        let output = command.env("T", "a-token-of-ours-that-is-long").output().expect("the binary");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{set}: {told}");
        assert!(told.contains(&format!("`{key}` is")) && told.contains("siteserver serve"), "{set}: {told}");
    }
}

fn each_load_is_told_with_what_is_wrong() {
    let site = start(SITE);
    let page = open(&site, "/", &[]);
    let mut events = Events::of(&site);
    let first = events.next();
    assert_eq!(
        first,
        json!({
            "version": attribute(&page, "version"),
            "styles": {},
            "restart": [],
            "failing": false,
            "findings": [],
            "omitted": 0,
        })
    );

    let layout = "<!doctype html>\n<title>{{ page.title }}</title>\n<p>{{ lamp.price }}</p>\n";
    site.folder().write("layouts/page.html", layout);
    let broken = events.next_where(|state| state["failing"] == true);
    assert_eq!(broken["version"], first["version"], "the last good site keeps serving");
    let finding = &broken["findings"][0];
    assert_eq!((&finding["code"], &finding["level"]), (&json!("name/unknown"), &json!("error")));
    assert_eq!(finding["place"], json!({ "file": "layouts/page.html", "line": 3, "column": 7 }));
    assert!(finding["message"].as_str().is_some_and(|message| message.contains("`lamp`")), "{finding}");
    assert_eq!(finding["lines"][2], json!([3, "<p>{{ ", "lamp.price", " }}</p>"]), "{finding}");
    assert!(open(&site, "/", &[]).text().contains("A lamp"));
    assert_eq!(site.get("/_siteserver/findings").json(), broken);

    site.folder().write("layouts/page.html", "<!doctype html>\n<title>{{ page.title }}</title>\n");
    let mended = events.next_where(|state| state["failing"] == false);
    assert_ne!(mended["version"], first["version"]);
    assert_eq!(attribute(&open(&site, "/", &[]), "version"), mended["version"].as_str().unwrap_or_default());

    // A file that is published is of the site as much as any other.
    site.folder().write("content/assets/a.txt", "blue\n");
    let added = events.next();
    assert_ne!(added["version"], mended["version"]);
    assert_eq!(site.get("/assets/a.txt").text(), "blue\n");
}

fn an_edit_of_style_sheets_alone_is_told_as_one() {
    let site = start(SITE);
    let mut events = Events::of(&site);
    let first = events.next();
    site.get("/assets/a.css");
    // In its place: a file beside it would be another edit. What was compared with the disk just now is so again.
    let style = site.folder().path().join("content/assets/a.css");
    std::fs::write(style, "p { color: blue }\n").expect("a file");
    let restyled = events.next_where(|_| site.get("/assets/a.css").text() == "p { color: blue }\n");
    assert_eq!(restyled["version"], first["version"]);
    let number = restyled["styles"]["a.css"].as_u64().expect("a number");
    assert_eq!(restyled["styles"].as_object().map(serde_json::Map::len), Some(1));
    // A page that is made now has it already.
    let page = open(&site, "/", &[]);
    assert_eq!(attribute(&page, "version"), first["version"].as_str().unwrap_or_default());
    assert!(attribute(&page, "styles").parse::<u64>().is_ok_and(|seen| seen >= number), "{}", page.text());
    // While the site has errors, and with the first good one after that, nobody knows what else there is.
    site.folder().write("layouts/page.html", "{{ nonsense }}");
    events.next_where(|state| state["failing"] == true);
    site.folder().write("layouts/page.html", "<!doctype html>\n");
    let mended = events.next_where(|state| state["failing"] == false);
    assert_ne!(mended["version"], first["version"]);
    assert_eq!(mended["styles"], json!({}));
}

fn style_sheets_are_kept_by_nobody() {
    let lasting = "files = \"assets\"\n[cache]\nmax-age = \"1h\"\ns-maxage = \"1h\"\n";
    let lasting = SITE.replace("files = \"assets\"\n", lasting);
    let [site, served] = [start(&lasting), Site::start(&lasting)];
    let tag = served.get("/assets/a.css").header("etag").expect("a tag").to_owned();
    assert!(served.get("/assets/a.css").header("cache-control").is_some_and(|policy| policy.contains("max-age=3600")));
    let as_style = ("sec-fetch-dest", "style");
    for (fields, status) in [
        (&[as_style][..], 200),
        (&[as_style, ("if-none-match", &tag)], 304),
        (&[as_style, ("range", "bytes=0-0")], 206),
        (&[("accept", "text/css,*/*;q=0.1")], 200),
        (&OPENING, 200),
        (&[("sec-fetch-dest", "empty")], 200),
    ] {
        let sheet = site.request("GET", "/assets/a.css", fields, b"");
        assert_eq!((sheet.status, sheet.header("cache-control")), (status, Some("no-store")), "{fields:?}");
        assert_eq!(sheet.header("cdn-cache-control"), None);
    }
    assert_eq!(site.request("GET", "/assets/none.css", &[as_style], b"").header("cache-control"), Some("no-store"));
}

fn settings_that_need_a_restart_are_told() {
    let site = start(SITE);
    let mut events = Events::of(&site);
    let first = events.next();
    assert_eq!(first["restart"], json!([]));
    let settings = "[site]\nurl = \"https://shop.example\"\n[server]\nworkers = 3\nwatch = false\n";
    site.folder().write("site.toml", settings);
    let changed = events.next_where(|state| state["restart"] != json!([]));
    // Files are always watched here.
    assert_eq!(changed["restart"], json!(["server.workers"]));
    site.wait_for_message(|line| line.contains("a restart is needed for server.workers to take effect"));
    // What has errors says nothing new of it.
    site.folder().write("layouts/page.html", "{{ nonsense }}");
    let broken = events.next_where(|state| state["failing"] == true);
    assert_eq!(broken["restart"], json!(["server.workers"]));
    site.folder().write("layouts/page.html", "<!doctype html>\n");
    site.folder().write("site.toml", "[site]\nurl = \"https://shop.example\"\n");
    events.next_where(|state| state["failing"] == false && state["restart"] == json!([]));

    // A site that was mended after the start, too.
    let folder = Folder::new();
    folder.unpack(SITE);
    folder.write("layouts/page.html", "{{ nonsense }}");
    let site = Options::dev().serve(folder);
    let mut events = Events::of(&site);
    site.folder().write("site.toml", settings);
    site.folder().write("layouts/page.html", "<!doctype html>\n");
    let mended = events.next_where(|state| state["failing"] == false);
    assert_eq!(mended["restart"], json!(["server.workers"]));
}

fn the_stream_is_described_to_head() {
    let site = start(SITE);
    let head = site.request("HEAD", "/_siteserver/events", &[("sec-fetch-site", "same-origin")], b"");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!((head.header("cache-control"), head.header("content-length")), (Some("no-store"), None));
    assert!(head.body.is_empty());
}

fn the_log_in_text_is_of_the_site() {
    let site = Options::dev().set("log.format=\"text\"").start(SITE);
    site.get("/_siteserver/findings");
    site.get("/nowhere%20/_siteserver/findings");
    site.get("/_siteserver/dev.js");
    site.get("/last");
    site.wait_for_access(|line| line.contains(" /last "));
    let log = site.access_log();
    assert_eq!(log.lines().count(), 2, "{log}");
}

fn a_site_with_errors_is_shown_until_it_is_mended() {
    for (file, broken) in [("layouts/page.html", "<p>{{ '<b>' | nothing }}</p>"), ("site.toml", "[site\nurl = \"<b>\"")]
    {
        let folder = Folder::new();
        folder.unpack(SITE);
        let sound = std::fs::read_to_string(folder.path().join(file)).expect("a file");
        folder.write(file, broken);
        let site = Options::dev().serve(folder);
        let page = open(&site, "/anywhere", &[]);
        assert_eq!((page.status, page.header("cache-control")), (503, Some("no-store")));
        assert!(page.text().contains(file) && !page.text().contains("<b>"), "{}", page.text());
        let text = site.request("POST", "/data", &[("accept", "application/json")], b"{}");
        assert_eq!((text.status, text.header("content-type")), (503, Some("text/plain; charset=utf-8")));
        assert!(text.text().contains(file), "{}", text.text());
        assert_eq!(site.request("GET", "/", &[("host", "evil.example")], b"").status, 421);

        let mut events = Events::of(&site);
        let first = events.next();
        assert_eq!((&first["failing"], &first["version"]), (&json!(true), &json!(attribute(&page, "version"))));
        site.folder().write(file, &sound);
        let mended = events.next_where(|state| state["failing"] == false);
        assert_ne!(mended["version"], first["version"]);
        let page = open(&site, "/", &[]);
        assert_eq!((page.status, attribute(&page, "version")), (200, mended["version"].as_str().unwrap_or_default()));
    }
}

fn a_stream_does_not_keep_the_server_from_stopping() {
    let mut site = start(SITE);
    let mut events = Events::of(&site);
    events.next();
    site.signal("TERM");
    assert!(site.wait().success(), "{}", site.messages());
    assert!(!site.messages().contains("before every request was answered"), "{}", site.messages());
}

const SHOP: &str = r#"-- site.toml --
[upstreams.shop]
base-url = "UPSTREAM"
allow-private = true
headers = { authorization = "Bearer {env.SHOP_TOKEN}" }
query = { key = "{env.SHOP_KEY}" }
retries = 0
-- routes/lamp.toml --
path = "/lamps/{sku}"
layout = "lamp.html"
[sources.lamp]
upstream = "shop"
path = "/lamps/{params.sku}"
extract.name = { select = "$.name", required = true }
extract.price = { select = "$.price", type = "int" }
extract.tags = { each = "$.tags[*]", fields = { label = "$.label" } }
[sources.stock]
upstream = "shop"
path = "/stock/{lamp.name}"
optional = true
[sources.terms]
upstream = "shop"
path = "/terms"
cache = { max-age = "1h" }
-- routes/strict.toml --
layout = "strict.html"
csp = "default-src 'none'"
-- layouts/strict.html --
<!doctype html><html lang="en"><head><title>Strict</title></head><body><h1>Strict</h1></body></html>
-- routes/sandbox.toml --
layout = "strict.html"
csp = "default-src 'none'; sandbox allow-scripts allow-same-origin"
-- routes/styled.toml --
layout = "styled.html"
-- routes/assets.toml --
path = "/assets/{*file}"
files = "assets"
cache = { max-age = "1h" }
-- routes/again.toml --
layout = "again.html"
-- layouts/again.html --
<!doctype html><html lang="en"><head><title>Again</title><link rel="stylesheet" href="/assets/styled.css?x=1"></head><body><h1>Again</h1></body></html>
-- content/assets/importing.css --
@import "styled.css";
-- layouts/styled.html --
<!doctype html><html lang="en"><head><title>Styled</title><link rel="stylesheet" href="/assets/styled.css?x=1"></head><body><h1>Styled</h1></body></html>
-- routes/named.toml --
layout = "named.html"
-- layouts/named.html --
<!doctype html><html lang="en"><head><title>Named</title><link rel="stylesheet" href="{{ 'styled.css' | asset_url }}"></head><body><h1>Named</h1></body></html>
-- content/assets/styled.css --
@import "imported.css";
h1 { color: rgb(1, 2, 3) }
-- content/assets/imported.css --
h1 { margin: 0 }
-- layouts/lamp.html --
<!doctype html><html lang="en"><head><title>{{ lamp.name }}</title></head>
<body><h1>{{ lamp.name }}</h1><p>{{ lamp.price }} {{ stock.left }} {{ terms.days }}{% for tag in lamp.tags %} {{ tag.label }}{% endfor %}</p></body></html>
"#;

/// An upstream with a lamp, and the shop that shows it.
fn shop(lamp: &str) -> (FaultServer, Site) {
    let fault = FaultServer::start();
    fault.put("/lamps/a1", Reply::json(lamp));
    fault.put("/stock/Arc", Reply::json(r#"{"left":3}"#));
    fault.put("/terms", Reply::json(r#"{"days":30}"#));
    let options = Options::dev().env("SHOP_TOKEN", "shpat_4f9c1e77b2a84d0f").env("SHOP_KEY", "key-55aa77cc");
    let site = options.start(&SHOP.replace("UPSTREAM", fault.url("").trim_end_matches('/')));
    (fault, site)
}

fn source<'r>(record: &'r Value, name: &str) -> &'r Value {
    let all = record["sources"].as_array().expect("sources");
    all.iter().find(|source| source["name"] == name).unwrap_or_else(|| panic!("no source `{name}`: {record}"))
}

fn the_sources_of_a_page_are_told_by_its_own_id() {
    let (fault, site) = shop(r#"{"name":"Arc","price":"40","tags":[{"label":"steel"},{}]}"#);
    let first = open(&site, "/lamps/a1", &[]);
    fault.put("/lamps/a1", Reply::json(r#"{"name":"Arc","price":41,"tags":[]}"#));
    let second = open(&site, "/lamps/a1", &[]);
    let (first, second) = (record(&site, &first), record(&site, &second));
    assert_eq!(
        (&first["method"], &first["target"], &first["status"]),
        (&json!("GET"), &json!("/lamps/a1"), &json!(200))
    );
    assert_eq!(first["explain"]["route"]["file"], "routes/lamp.toml");
    assert_eq!(first["explain"]["page"]["layouts"], json!(["layouts/lamp.html"]));
    assert_eq!(first["answer"]["cache-control"], "no-cache");

    let lamp = source(&first, "lamp");
    assert_eq!(lamp["data"], json!({ "name": "Arc", "price": 40, "tags": [{ "label": "steel" }, { "label": null }] }));
    assert_eq!(source(&second, "lamp")["data"]["price"], 41, "each page has its own data");
    assert_eq!((&lamp["kind"], &lamp["from"], &lamp["trouble"]), (&json!("http"), &json!("called"), &Value::Null));
    assert_eq!(lamp["place"]["file"], "routes/lamp.toml");
    let call = &lamp["calls"][0];
    assert_eq!(call["method"], "GET");
    assert!(call["url"].as_str().is_some_and(|url| url.contains("/lamps/a1")), "{call}");
    assert_eq!((&call["reply"]["status"], &call["reply"]["type"]), (&json!(200), &json!("application/json")));
    assert!(call["reply"]["begins"].as_str().is_some_and(|text| text.starts_with(r#"{"name":"Arc""#)), "{call}");
    assert!(call["fields"].as_array().is_some_and(|fields| fields.contains(&json!("authorization"))), "{call}");
    let stock = source(&first, "stock");
    let time = |value: &Value| value.as_f64().expect("a time");
    assert!(time(&stock["start"]) >= time(&lamp["start"]) + time(&lamp["ms"]) - 0.02, "it waits: {lamp} {stock}");

    assert_eq!(source(&first, "terms")["from"], "called");
    let terms = source(&second, "terms");
    assert_eq!((&terms["from"], &terms["calls"][0]["made"]), (&json!("stored"), &json!(false)));
    assert_eq!(terms["data"], json!({ "days": 30 }));
    assert_eq!(site.get("/_siteserver/requests/0000000000000000").status, 404);
    site.get("/nowhere");
    site.wait_for_access(|line| line.contains("/nowhere"));
    assert!(!site.access_log().contains("_siteserver"), "the log is of the site: {}", site.access_log());
}

fn a_failing_source_is_told_to_its_selector() {
    let (fault, site) = shop(r#"{"title":"Arc","price":"forty"}"#);
    let page = open(&site, "/lamps/a1", &[]);
    assert_eq!(page.status, 502);
    let failed = record(&site, &page);
    let lamp = source(&failed, "lamp");
    assert_eq!((&lamp["trouble"], &lamp["fatal"]), (&json!("required-missing"), &json!(true)));
    assert_eq!(lamp["declared"], json!({ "key": "on-error", "value": "fail" }));
    let steps = lamp["steps"].as_array().expect("steps");
    let step = |field: &str| steps.iter().find(|step| step["field"] == field).expect("a step");
    let name = step("name");
    assert_eq!(
        (&name["selector"], &name["required"], &name["found"]["count"]),
        (&json!("$.name"), &json!(true), &json!(0))
    );
    let price = step("price");
    assert_eq!((&price["type"], &price["found"]["misfit"]), (&json!("int"), &json!("forty")));
    assert!(lamp["calls"][0]["reply"]["begins"].as_str().is_some_and(|text| text.contains("forty")), "{lamp}");

    fault.put("/lamps/a1", Reply::json(r#"{"name":"Arc"}"#));
    fault.put("/stock/Arc", Reply::json("<!doctype html>"));
    let page = open(&site, "/lamps/a1", &[]);
    assert_eq!(page.status, 200);
    let degraded = record(&site, &page);
    let stock = source(&degraded, "stock");
    assert_eq!((&stock["fatal"], &stock["declared"]["value"]), (&json!(false), &json!("omit")));
    assert_eq!(stock["data"], Value::Null);

    drop(fault);
    let page = open(&site, "/lamps/a1", &[]);
    assert_eq!(page.status, 502);
    let unreachable = record(&site, &page);
    let reply = &source(&unreachable, "lamp")["calls"][0]["reply"];
    assert_eq!(reply["failure"], "unreachable", "{reply}");
}

fn secrets_are_told_to_nobody() {
    // An upstream that repeats what it was sent.
    let (_fault, site) =
        shop(r#"{"name":"Arc","price":1,"echo":"Bearer shpat_4f9c1e77b2a84d0f","url":"?key=key-55aa77cc"}"#);
    let page = open(&site, "/lamps/a1", &[("cookie", "session=visitor-secret")]);
    let id = attribute(&page, "request").to_owned();
    let told = site.get(&format!("/_siteserver/requests/{id}"));
    for secret in ["shpat_4f9c1e77b2a84d0f", "key-55aa77cc", "visitor-secret"] {
        assert!(!told.text().contains(secret), "{secret} in {}", told.text());
    }
    let told = told.json();
    let begins = source(&told, "lamp")["calls"][0]["reply"]["begins"].as_str().unwrap_or_default();
    assert!(begins.starts_with("(withheld: it holds the value of the secret `SHOP_"), "{told}");
    assert_eq!(source(&told, "lamp")["data"]["name"], "Arc");

    // A secret where it should not be, in a file that does not load.
    let mut events = Events::of(&site);
    site.folder().write("layouts/lamp.html", "<p>{{ shpat_4f9c1e77b2a84d0f }}</p>");
    let broken = events.next_where(|state| state["failing"] == true);
    assert!(!broken.to_string().contains("shpat_4f9c1e77b2a84d0f"), "{broken}");
}

fn serve_has_nothing_of_it() {
    let site = Site::start(SITE);
    for target in ["/_siteserver/", "/_siteserver/dev.js", "/_siteserver/events", "/_siteserver/findings"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    let plain = site.get("/");
    assert!(!plain.text().contains("_siteserver") && !plain.text().contains("<script"));
    assert!(!plain.headers.iter().any(|(_, value)| value.contains("_siteserver")), "{plain:?}");
    // What development sends is that page and one element.
    let dev = start(SITE);
    let page = open(&dev, "/", &[]);
    let (before, rest) = page.text().split_once("<script src=\"/_siteserver/dev.js\"").expect("the script");
    let (_, after) = rest.split_once("</script>").expect("its end");
    assert_eq!(format!("{before}{after}"), plain.text());
    // A route of the site may lie there, and is reached where it is served.
    let routed = SITE.replace(
        "-- routes/data.toml --",
        "-- routes/own.toml --\npath = \"/_siteserver/own\"\njson = { a = 1 }\n-- routes/data.toml --",
    );
    assert_eq!(Site::start(&routed).get("/_siteserver/own").status, 200);
    let dev = start(&routed);
    dev.wait_for_message(|line| line.contains("hides this route"));
    assert_eq!(dev.get("/_siteserver/own").status, 404);
}

fn in_a_browser() {
    let (fault, site) =
        shop(r#"{"name":"Arc","price":"40","weight":null,"tags":[{"label":"steel"},{"label":"floor"}]}"#);
    fault.put("/lamps/broken", Reply::json(r#"{"title":"Arc","price":"forty"}"#));
    fault.put("/lamps/large", Reply::json(r#"{"name":"Arc","price":9007199254740993}"#));
    fault.put("/lamps/none", Reply { status: 404, ..Reply::json("{}") });
    let rounds = proof::scaled(15, 5).to_string();
    let folder = site.folder().path().display().to_string();
    travel("dev.mjs", &site, &[("SCREENSHOTS", &pictures()), ("FOLDER", &folder), ("ROUNDS", &rounds)]);
}
