//! The last line: a secret that comes back from an upstream as data is in no page, header, redirect or log line; and what errors say.

use super::until;
use crate::support::answers::Reply;
use crate::support::canary::{CANARY, base64, percent, sighted};
use crate::support::fault::FaultServer;
use crate::support::http::compose;
use crate::support::site::{Options, Site};
use serde_json::json;
use std::fmt::Write as _;

crate::cases!(
    no_layout_prints_a_secret_that_comes_back,
    no_spelling_of_an_upstream_gets_through,
    no_other_answer_holds_a_secret_that_comes_back,
    a_page_that_is_good_stays_when_a_secret_comes_back,
    whoever_guesses_a_secret_learns_nothing,
    whoever_knows_a_secret_cannot_make_the_store_tell_it,
    a_secret_that_a_reload_brings_is_in_no_page_from_before,
    what_is_no_secret_is_printed,
    a_secret_in_the_files_of_a_site_is_not_served,
    a_secret_like_a_word_is_a_warning_and_pages_with_the_word_are_not_sent,
    errors_tell_an_id_and_nothing_of_the_inside,
);

/// A secret that any header field can hold.
const PLAIN: &str = "c4n4ry-plain_0123456789";

const SITE: &str = "-- site.toml --\n[upstreams.up]\nbase-url = \"http://ADDRESS\"\nallow-private = true\nretries = 0\n\
                    headers = { authorization = \"Bearer {env.CANARY}\", x-api-key = \"{env.PLAIN}\" }\n";

fn start(fault: &FaultServer, files: &str) -> Site {
    let archive = format!("{}{files}", SITE.replace("ADDRESS", &fault.address().to_string()));
    Options::default().env("CANARY", CANARY).env("PLAIN", PLAIN).start(&archive)
}

/// A route at `/name` whose source `a` is `/repeat` of the upstream.
fn route(name: &str, rest: &str) -> String {
    format!("-- routes/{name}.toml --\n{rest}\n[sources.a]\nupstream = \"up\"\npath = \"/repeat\"\n")
}

fn repeating() -> Reply {
    Reply::json(json!({ "v": CANARY, "plain": PLAIN, "both": { "k": [CANARY, PLAIN] } }).to_string())
}

fn whole_answer(site: &Site, target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut connection = site.connect();
    connection.send(compose("GET", target, &[fields, &[("Connection", "close")]].concat(), b"")).unwrap();
    connection.rest().unwrap()
}

fn assert_unseen(what: &str, bytes: &[u8]) {
    let form = sighted(bytes);
    assert!(form.is_none(), "{what} tells the canary, as `{form:?}`:\n{}", String::from_utf8_lossy(bytes));
}

/// Asks twice, so that what was kept is seen too; the second time conditionally.
fn assert_withheld(site: &Site, target: &str) {
    for fields in [&[][..], &[("If-None-Match", "*"), ("Accept-Encoding", "gzip")]] {
        let answer = whole_answer(site, target, fields);
        assert_unseen(target, &answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 500 "), "{target}: {text}");
        assert!(text.contains("cache-control: no-store\r\n"), "{target}: {text}");
    }
}

fn assert_outputs_tell_nothing(mut site: Site) -> String {
    site.signal("TERM");
    site.wait();
    assert_unseen("the access log", site.access_log().as_bytes());
    assert_unseen("the standard error", site.messages().as_bytes());
    site.messages()
}

fn no_layout_prints_a_secret_that_comes_back() {
    let fault = FaultServer::start();
    fault.put("/repeat", repeating());
    let outputs = [
        ("html", "<p>{{ a.v }}</p>"),
        ("html", "<p>{{ a.both }}</p>"),
        ("html", "<p>{% for x in a.both.k %}{{ x }}{% endfor %}</p>"),
        ("html", "<p title=\"{{ a.v }}\"></p>"),
        ("html", "<p data-all='{{ a | json }}'></p>"),
        ("html", "<a href=\"/x?q={{ a.v }}\">x</a>"),
        ("html", "<a href=\"/x/{{ a.v }}\">x</a>"),
        ("html", "<a href=\"{{ a.plain }}\">x</a>"),
        ("html", "<title>{{ a.v }}</title>"),
        ("html", "<textarea>{{ a.v }}</textarea>"),
        ("html", "<script>let a = {{ a.v | json }};</script>"),
        ("html", "<script type=\"application/json\">{{ a | json }}</script>"),
        ("html", "{% capture x %}<i>{{ a.v }}</i>{% endcapture %}{{ x }}"),
        ("html", "{% assign x = a.v | append: '!' %}<p>{{ x }}</p>"),
        ("html", "<p>{{ a.v | slice: 0, 9 }}{{ a.v | slice: 9, 99 }}</p>"),
        ("html", "<p>{{ a.v | escape }}</p>"),
        ("html", "<p>{{ a.v | escape | escape_once }}</p>"),
        ("html", "<p>{{ a.v | url_encode }}</p>"),
        ("html", "<p>{{ a.v | url_escape }}</p>"),
        ("html", "<p>{{ a.v | uri_escape }}</p>"),
        ("html", "<p>{{ a.v | url_param_escape }}</p>"),
        ("html", "<a href=\"/x?q={{ a.v | url_encode }}\">x</a>"),
        ("html", "<p>{{ a.v | base64_encode }}</p>"),
        ("html", "<p>{{ a.v | prepend: 'u:' | base64_encode }}</p>"),
        ("html", "<p>{{ a.v | prepend: 'u' | append: 'x' | base64_encode | url_encode }}</p>"),
        ("html", "<p>{{ a.v | base64_url_safe_encode }}</p>"),
        ("html", "<p>{{ a.v | json }}</p>"),
        ("html", "<p>{{ a.v | json | json }}</p>"),
        ("html", "<p>{{ a.v | markdownify }}</p>"),
        ("html", "<p>{{ a.v | raw }}</p>"),
        ("xml", "<a b=\"{{ a.v }}\">{{ a.v }}</a>"),
        ("xml", "<a><![CDATA[{{ a.v }}]]></a>"),
        ("json", "{\"a\": {{ a.v | json }}}"),
        ("json", "{\"a\": \"{{ a.v }}\"}"),
        ("txt", "{{ a.v }}"),
        ("csv", "a,b\n1,{{ a.v }}\n"),
        ("csv", "a,b\n1,\"{{ a.v }}\"\n"),
    ];
    let mut files = String::new();
    for (at, (extension, layout)) in outputs.iter().enumerate() {
        write!(files, "-- layouts/l{at}.{extension} --\n{layout}\n").unwrap();
        files.push_str(&route(
            &format!("r{at}"),
            &format!("layout = \"l{at}.{extension}\"\n[cache]\ns-maxage = \"1h\""),
        ));
    }
    let site = start(&fault, &files);
    for at in 0..outputs.len() {
        assert_withheld(&site, &format!("/r{at}"));
    }
    let said = assert_outputs_tell_nothing(site);
    for (at, (_, layout)) in outputs.iter().enumerate() {
        let line = said.lines().find(|line| line.contains(&format!("routes/r{at}.toml"))).unwrap_or_default();
        assert!(line.contains("holds a secret") && line.contains("sources=\"a\""), "{at}: {line:?} in\n{said}");
        let name = if layout.contains("a.plain") { "PLAIN" } else { "CANARY" };
        assert!(line.contains(name), "{line}");
    }
}

fn no_spelling_of_an_upstream_gets_through() {
    let fault = FaultServer::start();
    let each = |form: &dyn Fn(u32) -> String| CANARY.chars().map(|c| form(u32::from(c))).collect::<Vec<_>>().concat();
    let octets = |form: &dyn Fn(u8) -> String| CANARY.bytes().map(form).collect::<Vec<_>>().concat();
    let spellings = [
        CANARY.to_owned(),
        format!("Bearer {CANARY}, and more"),
        percent(CANARY),
        percent(CANARY).to_lowercase().replace("%20", "+"),
        percent(&percent(CANARY)),
        base64(CANARY.as_bytes()),
        base64(format!("u:{CANARY}").as_bytes()),
        base64(format!("usr:{CANARY}").as_bytes()).replace('+', "-").replace('/', "_"),
        serde_json::to_string(CANARY).unwrap(),
        CANARY.replace('&', "&amp;").replace('"', "&#x22;").replace('<', "&lt;"),
        each(&|c| format!("\\u{c:04x}")),
        each(&|c| format!("&#{c};")),
        each(&|c| format!("&#x{c:X};")),
        octets(&|byte| format!("%{byte:02x}")),
        percent(&each(&|c| format!("\\u{c:04x}"))),
        percent(&each(&|c| format!("&#0{c};"))),
        serde_json::to_string(&each(&|c| format!("\\u{c:04X}"))).unwrap(),
        serde_json::to_string(&serde_json::to_string(CANARY).unwrap()).unwrap(),
        octets(&|byte| format!("&#37;{byte:02x}")),
        each(&|c| format!("%26%23x{c:x}%3B")),
        each(&|c| if c % 2 == 0 || c > 127 { format!("\\u{c:04x}") } else { format!("%25{c:02X}") }),
        each(&|c| if c % 3 == 0 || c > 127 { format!("&amp;#x00{c:x};") } else { format!("%{c:02X}") }),
        octets(&|byte| format!("{byte:02X}")),
        octets(&|byte| format!("{byte:02x}")),
    ];
    let route = "-- routes/a.toml --\npath = \"/a/{at}\"\njson = { v = \"{a}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/a/{params.at}\"\n";
    let site = start(&fault, route);
    for (at, spelling) in spellings.iter().enumerate() {
        fault.put(&format!("/a/{at}"), Reply::json(json!(spelling).to_string()));
    }
    for at in 0..spellings.len() {
        assert_withheld(&site, &format!("/a/{at}"));
    }
    assert_outputs_tell_nothing(site);
}

fn no_other_answer_holds_a_secret_that_comes_back() {
    let fault = FaultServer::start();
    fault.put("/repeat", repeating());
    let mut files = "-- layouts/page.html --\n<title>{{ page.title }}</title><p>{{ page.description }}</p>\n\
                     -- content/a.md --\n# A document\n-- layouts/document.html --\n<main>{{ content }}{{ a.v }}</main>\n\
                     -- routes/inner.toml --\njson = { v = \"{a.v}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/repeat\"\n"
        .to_owned();
    let page = "layout = \"page.html\"";
    for (name, rest) in [
        ("json", "json = { deep = [\"{a.v}\"] }".to_owned()),
        ("single", "json = \"{a}\"".to_owned()),
        ("title", format!("{page}\ntitle = \"{{a.v}}\"")),
        ("description", format!("{page}\ndescription = \"x{{a.v}}\"")),
        ("field", format!("{page}\ntitle = \"x\"\nheaders = {{ x-info = \"<{{a.plain}}>\" }}")),
        ("redirect", "redirect = \"/to/{a.v}\"".to_owned()),
        ("query", "redirect = \"/to?q={a.plain}\"".to_owned()),
        ("rule", format!("{page}\nrules = [{{ if = \"a.v\", then = {{ redirect = \"/to/{{a.v}}\" }} }}]")),
        ("layout", format!("{page}\nrules = [{{ if = \"a.v\", then = {{ status = 403, layout = \"rule.html\" }} }}]")),
        ("document", "content = \"a.md\"\nlayout = \"document.html\"".to_owned()),
    ] {
        files.push_str(&route(name, &rest));
    }
    files.push_str("-- layouts/rule.html --\n<b>{{ a.v }}</b>\n-- layouts/inner.html --\n{{ b.v }}\n");
    files.push_str("-- routes/asks.toml --\nlayout = \"inner.html\"\n[sources.b]\nroute = \"/inner\"\n");
    let site = start(&fault, &files);
    for name in [
        "json",
        "single",
        "title",
        "description",
        "field",
        "redirect",
        "query",
        "rule",
        "layout",
        "document",
        "inner",
        "asks",
    ] {
        assert_withheld(&site, &format!("/{name}"));
    }
    assert_outputs_tell_nothing(site);
}

fn a_page_that_is_good_stays_when_a_secret_comes_back() {
    let fault = FaultServer::start();
    fault.put("/repeat", Reply::json("{\"v\": \"harmless\"}"));
    let kept = "layout = \"a.html\"\n[cache]\ns-maxage = \"0s\"\nstale-if-error = \"1h\"";
    let site = start(&fault, &format!("-- layouts/a.html --\n{{{{ a.v }}}}\n{}", route("kept", kept)));
    assert_eq!(site.get("/kept").text().trim(), "harmless");
    fault.put("/repeat", repeating());
    let answer = site.get("/kept");
    assert_eq!((answer.status, answer.text().trim()), (200, "harmless"));
    fault.put("/repeat", Reply::json("{\"v\": \"mended\"}"));
    until(&site, "/kept", |answer| answer.text().trim() == "mended");
    assert_outputs_tell_nothing(site);
}

fn whoever_guesses_a_secret_learns_nothing() {
    let fault = FaultServer::start();
    let site = start(
        &fault,
        "-- layouts/said.html --\n<p>{{ query.q }}{{ params.word }}{{ a.query.q }}</p>\n\
         -- routes/said.toml --\npath = \"/said/{word}\"\nlayout = \"said.html\"\n[query.q]\n\
         [sources.a]\nupstream = \"up\"\npath = \"/echo\"\nquery = { q = \"{query.q}\" }\n\
         [sources.b]\nupstream = \"up\"\npath = \"/echo\"\n",
    );
    for (word, q) in [("no-guess-at-all-0123456", "x"), (PLAIN, "x"), ("x", PLAIN), ("x", &*percent(CANARY))] {
        let answer = site.get(&format!("/said/{word}?q={q}"));
        assert_eq!(answer.status, 200, "{word} {q}");
    }
    // But no log tells that the guess was right in the guess's own words.
    let line = site.wait_for_access(|line| line.contains("withheld"));
    assert!(line.contains("PLAIN") && line.contains("routes/said.toml"), "{line}");
    let longer = format!("GET /{PLAIN}\u{7f} HTTP/1.1\r\n\r\n");
    let mut connection = site.connect();
    connection.send(longer).unwrap();
    connection.rest().unwrap();
    assert_outputs_tell_nothing(site);
}

fn whoever_knows_a_secret_cannot_make_the_store_tell_it() {
    let fault = FaultServer::start();
    fault.put("/repeat", repeating());
    let kept = "layout = \"a.html\"\n[query.q]\n[cookies.c]\nenum = [\"x\"]\n[cache]\ns-maxage = \"1h\"";
    let files = format!(
        "-- layouts/a.html --\n{{{{ a.plain }}}}\n-- layouts/b.html --\n{{{{ a.plain }}}}{{{{ query.q }}}}{{{{ cookies.c }}}}\n{}{}",
        route("unread", kept),
        route("read", &kept.replace("a.html", "b.html")),
    );
    let site = start(&fault, &files);
    let cookie = format!("c=x; d={PLAIN}");
    for (target, status) in [
        (format!("/unread?q={PLAIN}"), 500),
        ("/unread".to_owned(), 500),
        // Only who says the same gets the same page.
        (format!("/read?q={PLAIN}"), 200),
        ("/read".to_owned(), 500),
        ("/read?q=other".to_owned(), 500),
    ] {
        assert_eq!(site.request("GET", &target, &[("Cookie", &cookie)], b"").status, status, "{target}");
        assert_eq!(site.get(&target).status, status, "{target}");
    }
}

fn a_secret_that_a_reload_brings_is_in_no_page_from_before() {
    let fault = FaultServer::start();
    fault.put("/repeat", repeating());
    let address = fault.address();
    let stored = "layout = \"a.html\"\n[cache]\ns-maxage = \"1h\"";
    let good = "layout = \"good.html\"\n[cache]\ns-maxage = \"1h\"";
    let site = Options::default().env("PLAIN", PLAIN).start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{address}\"\nallow-private = true\nretries = 0\n\
         -- layouts/a.html --\n{{{{ a.plain }}}}\n-- layouts/good.html --\n{{{{ a.v | size }}}}\n{}{}{}",
        route("stored", stored),
        route("good", good),
        route("asked", "layout = \"a.html\""),
    ));
    for target in ["/stored", "/asked"] {
        assert!(site.get(target).text().contains(PLAIN), "nobody has called it a secret: {target}");
    }
    site.get("/good");
    // Neither of the routes changes by it.
    site.folder().write("routes/new.toml", &format!("json = {{}}\n[sources.a]\nurl = \"http://{address}/repeat\"\nallow-private = true\nheaders = {{ x-key = \"{{env.PLAIN}}\" }}\n[[rules]]\nif = \"a.none\"\nthen = {{ status = 404 }}\n"));
    until(&site, "/new", |response| response.status == 200);
    for target in ["/stored", "/asked"] {
        for _ in 0..2 {
            assert_eq!(site.get(target).status, 500, "{target}");
        }
    }
    assert!(site.get("/good").header("age").is_some(), "what holds none stays");
}

fn what_is_no_secret_is_printed() {
    let fault = FaultServer::start();
    fault.put("/repeat", Reply::json("{\"v\": \"development\", \"w\": \"tiny\"}"));
    let site = Options::default().env("STAGE", "development").env("PIN", "tiny").start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"http://{}\"\nallow-private = true\n\
         headers = {{ x-stage = \"{{env.STAGE:development}}\", x-pin = \"{{env.PIN}}\" }}\n\
         -- layouts/a.html --\n{{{{ a.v }}}} {{{{ a.w }}}}\n{}",
        fault.address(),
        route("index", "layout = \"a.html\"")
    ));
    assert_eq!(site.get("/").text().trim(), "development tiny");
    let said = site.messages();
    assert!(said.contains("note[env/short-secret]") && said.contains("`PIN`"), "{said}");
}

fn a_secret_in_the_files_of_a_site_is_not_served() {
    let fault = FaultServer::start();
    fault.put("/repeat", Reply::json("{\"v\": \"harmless\"}"));
    let layout = "<p>\n{{ a.v }}</p>\n";
    let document = "-- routes/b.toml --\ncontent = \"b.md\"\n-- content/b.md --\nUse it.\n";
    let site = start(&fault, &format!("-- layouts/a.html --\n{layout}{document}{}", route("a", "layout = \"a.html\"")));
    assert!(site.get("/a").text().contains("harmless"));
    for (file, text, place) in [
        (
            "layouts/a.html",
            format!("<p>\n{CANARY}</p>{{{{ a.v }}}}\n{CANARY}\n"),
            "`layouts/a.html`, line 2 and one more",
        ),
        ("layouts/a.html", format!("{layout}<!-- {} -->", base64(CANARY.as_bytes())), "`layouts/a.html`, line 3"),
        ("content/b.md", format!("Use `{PLAIN}`.\n"), "`content/b.md`, line 1"),
        ("routes/a.toml", format!("json = \"x\"\n# {PLAIN}\n"), "`routes/a.toml`, line 2"),
    ] {
        let good = std::fs::read_to_string(site.folder().path().join(file)).unwrap();
        site.folder().write(file, &text);
        site.wait_for_message(|line| line.contains("is written in") && line.contains(place));
        assert!(site.get("/a").text().contains("harmless"), "{file}");
        site.folder().write(file, &good);
    }
    site.wait_for_message(|line| line.starts_with("reloaded: "));
    assert!(site.get("/a").text().contains("harmless"));
    let said = assert_outputs_tell_nothing(site);
    assert!(said.contains("not reloaded: 1 error; the last good site keeps serving"), "{said}");
    assert!(said.contains("error[env/secret-written]") && !said.contains(PLAIN), "{said}");
}

fn a_secret_like_a_word_is_a_warning_and_pages_with_the_word_are_not_sent() {
    let fault = FaultServer::start();
    fault.put("/repeat", Reply::json("{\"v\": \"harmless\"}"));
    let word = "zebracrossing";
    let files = format!(
        "-- layouts/a.html --\n<p>{{{{ a.v }}}}{{{{ vars.x }}}}</p>\n-- content/b.md --\nOne {word}.\n-- routes/b.toml --\ncontent = \"b.md\"\n\
         -- routes/c.toml --\ncontent = \"c.md\"\n-- content/c.md --\nNo crossing.\n\
         -- layouts/404.html --\nNo {word} here.\n-- routes/_section.toml --\nerrors.404 = \"404.html\"\n{}",
        route("a", &format!("layout = \"a.html\"\nvars.x = \"{word}\""))
    );
    let archive = format!("{}{files}", SITE.replace("ADDRESS", &fault.address().to_string()));
    let site = Options::default().env("CANARY", word).env("PLAIN", PLAIN).start(&archive);
    let said = site.messages();
    assert!(said.contains("warning[env/word-secret]: the value of `CANARY` is like an ordinary word"), "{said}");
    for place in ["`content/b.md`, line 1", "`routes/a.toml`, line 2", "`layouts/404.html`, line 1"] {
        assert!(said.contains(&format!("the value of `CANARY` is written in {place}")), "{place}: {said}");
    }
    for (target, status) in [("/a", 500), ("/b", 500), ("/c", 200), ("/nothing", 404)] {
        let answer = site.get(target);
        assert_eq!(answer.status, status, "{target}");
        assert!(!answer.text().contains(word), "{target}");
    }
    let said = site.wait_for_message(|said| said.contains("secrets=\"CANARY\""));
    assert!(!said.contains(word), "{said}");
}

/// A site whose names are all of the inside, with a page and JSON for each way to fail.
fn failing(fault: &FaultServer) -> String {
    let source = |path: &str| {
        format!("[sources.a]\nupstream = \"inner-shop\"\npath = \"{path}\"\nquery.key = \"{{env.PLAIN}}\"\n")
    };
    let mut files = format!(
        "-- site.toml --\n[site]\nurl = \"http://shop.example\"\n[upstreams.inner-shop]\nbase-url = \"http://{}\"\n\
         allow-private = true\nretries = 0\ntimeout = \"300ms\"\n[limits]\nrender-iterations = 10\n\
         -- layouts/inner-layout.html --\n{{% for x in (1..1000) %}}{{{{ a }}}}{{% endfor %}}\n\
         -- layouts/small.html --\n{{{{ a }}}}\n-- layouts/plain.html --\n{{{{ query.n }}}}\n\
         -- routes/inner-loop.toml --\npath = \"/loop\"\nlayout = \"inner-layout.html\"\n{}",
        fault.address(),
        source("/echo")
    );
    let number = "[query.n]\ntype = \"int\"\non-invalid = \"bad-request\"\n";
    for (kind, of_source, of_query) in [
        ("page", "layout = \"small.html\"", "layout = \"plain.html\""),
        ("json", "json = { a = \"{a}\" }", "json = { a = \"{query.n}\" }"),
    ] {
        let mut route = |name: &str, rest: String| {
            write!(files, "-- routes/inner-{kind}-{name}.toml --\npath = \"/{kind}/{name}\"\n{rest}").unwrap();
        };
        for (name, path) in [
            ("f500", "/status/500"),
            ("broken", "/reflect/broken"),
            ("gone", "/status/404"),
            ("silent", "/silent"),
            ("refused", "/status/403"),
            ("line", "/reflect/line"),
        ] {
            route(name, format!("{of_source}\n{}", source(path)));
        }
        route("bad", format!("{of_query}\n{number}"));
    }
    files
}

/// The status, the fields and the words of an error that is told to a visitor.
fn assert_tells_nothing(answer: &str, status: u16, inside: &[&str]) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert_unseen("an error", answer.as_bytes());
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    for line in head.lines().skip(1) {
        let (name, _) = line.split_once(':').unwrap();
        let known = [
            "date",
            "content-type",
            "content-length",
            "cache-control",
            "connection",
            "allow",
            "retry-after",
            "x-content-type-options",
            "referrer-policy",
            "x-frame-options",
            "cross-origin-opener-policy",
            "content-security-policy",
            "permissions-policy",
        ];
        assert!(known.contains(&name), "the field `{name}` of {answer}");
    }
    let lower = answer.to_lowercase();
    for word in inside {
        assert!(!lower.contains(word), "`{word}` in {answer}");
    }
}

fn errors_tell_an_id_and_nothing_of_the_inside() {
    let fault = FaultServer::start();
    let site = Options::default().env("PLAIN", PLAIN).start(&failing(&fault));
    let get = |target: &str| compose("GET", target, &[("Connection", "close")], b"");
    let many: Vec<(String, &str)> = (0..200).map(|at| (format!("x-{at}"), "x")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let foreign = b"GET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n".to_vec();
    let mut failed = Vec::new();
    // Files, upstreams and their addresses, variables, what it is made with.
    let address = fault.address().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let inside = [".toml", ".html", "inner", "127.0.0.1", "env.", "siteserver", "hyper", "rust", "liquid", "upstream"];
    let inside = [&inside[..], &[&*address, version]].concat();
    for (status, request) in [
        (404, get("/nothing")),
        (404, get("/page/gone")),
        (404, get("/json/gone")),
        (405, compose("DELETE", "/page/f500", &[("Connection", "close")], b"")),
        (405, compose("DELETE", "/json/f500", &[("Connection", "close")], b"")),
        (400, get("/page/bad?n=x")),
        (400, get("/json/bad?n=x")),
        (400, b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        (413, compose("GET", "/page/bad", &[("Connection", "close")], &vec![b'x'; 100_000])),
        (414, get(&format!("/{}", "x".repeat(10_000)))),
        (431, compose("GET", "/", &many, b"")),
        (421, foreign),
        (500, get("/loop")),
        (502, get("/page/f500")),
        (502, get("/json/f500")),
        (502, get("/page/broken")),
        (502, get("/json/line")),
        (502, get("/json/refused")),
        (504, get("/page/silent")),
        (504, get("/json/silent")),
    ] {
        let mut connection = site.connect();
        connection.send(&request).unwrap();
        let answer = String::from_utf8(connection.rest().unwrap()).unwrap();
        assert_tells_nothing(&answer, status, &inside);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let logged = site.wait_for_access(|line| {
            serde_json::from_str::<serde_json::Value>(line)
                .is_ok_and(|line| body.contains(line["id"].as_str().unwrap()))
        });
        assert!(logged.contains(&format!("\"status\":{status}")), "{logged} of {answer}");
        if status >= 500 {
            let logged: serde_json::Value = serde_json::from_str(&logged).unwrap();
            failed.push(logged["id"].as_str().unwrap().to_owned());
        }
    }
    let said = assert_outputs_tell_nothing(site);
    for id in failed {
        assert!(said.lines().any(|line| line.contains(&id)), "nothing is said of the request {id} in\n{said}");
    }
}
