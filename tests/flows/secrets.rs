//! A secret leaves towards its upstream, and nowhere else: no response, log line, message or finding holds it in any form.
//!
//! What an upstream repeats it in (status line, fields, error bodies, what cannot be read) ends in our own words; what it repeats in its
//! *data* is found before a page leaves (`tripwire`).

use super::until;
use crate::support::canary::{CANARY, base64, percent, sighted};
use crate::support::fault::FaultServer;
use crate::support::http::compose;
use crate::support::site::{Folder, Options, Site, binary};
use std::fmt::Write as _;
use std::process::Output;

crate::cases!(
    every_form_of_the_canary_is_recognised,
    no_fault_tells_the_canary,
    what_an_upstream_repeats_is_not_told,
    no_limit_tells_the_canary,
    no_command_tells_the_canary,
    a_secret_that_no_field_can_hold_is_a_finding,
    an_address_from_the_environment_is_not_shown,
    a_secret_out_of_place_is_an_error_that_does_not_show_it,
    what_is_declared_public_is_shown_wherever_it_is_read,
    a_variable_in_data_is_refused_and_other_braces_stay_text,
    no_reload_tells_the_canary,
);

const OUTCOMES: [(&str, &str); 3] =
    [("strict", ""), ("fallback", "fallback = \"instead\""), ("optional", "optional = true")];

/// Upstreams that all carry the canary, each in a field and in a query value.
fn upstreams(fault: &FaultServer) -> String {
    let (address, refusing) = (fault.address(), FaultServer::refusing());
    let upstream = |name: &str, address: &str, more: &str| {
        format!(
            "[upstreams.{name}]\nbase-url = \"http://{address}\"\nretries = 0\n{more}\n\
             headers = {{ authorization = \"Bearer {{env.CANARY}}\" }}\nquery = {{ key = \"{{env.CANARY}}\" }}\n"
        )
    };
    let (address, refusing) = (address.to_string(), refusing.to_string());
    [
        upstream("up", &address, "allow-private = true"),
        upstream("hasty", &address, "allow-private = true\ntimeout = \"300ms\""),
        upstream("refused", &refusing, "allow-private = true"),
        upstream("guarded", &address, ""),
        upstream("nowhere", "no-such-name.invalid", "timeout = \"300ms\""),
    ]
    .concat()
}

const UPSTREAMS: [&str; 5] = ["up", "hasty", "refused", "guarded", "nowhere"];

/// For each upstream and outcome a JSON route, a page, and one that is kept; the fault is the rest of the path.
fn pages() -> String {
    let mut files =
        "-- layouts/page.html --\n<p title=\"{{ a }}\">{{ a }}</p>\n-- routes/plain.toml --\njson = true\n".to_owned();
    for upstream in UPSTREAMS {
        for (outcome, written) in OUTCOMES {
            for (kind, answer) in [
                ("json", "json = { value = \"{a}\" }"),
                ("page", "layout = \"page.html\""),
                ("kept", "layout = \"page.html\"\ncache = { s-maxage = \"1h\" }"),
            ] {
                write!(
                    files,
                    r#"-- routes/{upstream}/{outcome}-{kind}.toml --
path = "/{upstream}/{outcome}/{kind}/{{*fault}}"
{answer}
[query.to]
[sources.a]
upstream = "{upstream}"
path = "/{{params.fault}}"
headers = {{ x-api-key = "{{env.CANARY}}" }}
query = {{ to = "{{query.to}}", own = "k:{{env.CANARY}}" }}
{written}
"#
                )
                .expect("text");
            }
        }
    }
    files
}

fn archive(fault: &FaultServer) -> String {
    format!("-- site.toml --\n{}{}", upstreams(fault), pages())
}

fn options() -> Options {
    // Should anything ever listen to it, it must have nothing to tell.
    Options::default().env("CANARY", CANARY).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full")
}

fn assert_unseen(what: &str, bytes: &[u8]) {
    if let Some(form) = sighted(bytes) {
        panic!("{what} tells the canary, as `{form}`:\n{}", String::from_utf8_lossy(bytes));
    }
}

/// Every byte of the answer, head included.
fn whole_answer(site: &Site, method: &str, target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut connection = site.connect();
    let fields = [fields, &[("Connection", "close")]].concat();
    connection.send(compose(method, target, &fields, b"")).unwrap();
    connection.rest().unwrap()
}

fn status(answer: &[u8]) -> &str {
    std::str::from_utf8(&answer[9..12]).unwrap()
}

/// Asks for every page of `upstream` with this fault: whole answers, twice, so that what was kept is seen too.
fn assert_fault_tells_nothing(site: &Site, upstream: &str, fault: &str) {
    for (outcome, _) in OUTCOMES {
        for kind in ["json", "page", "kept"] {
            let target = format!("/{upstream}/{outcome}/{kind}/{fault}");
            for method in ["GET", "HEAD"] {
                let answer = whole_answer(site, method, &target, &[("If-None-Match", "\"x\"")]);
                assert_unseen(&format!("{method} {target}"), &answer);
            }
        }
    }
}

/// Ends the site and looks through all it has ever written.
fn assert_outputs_tell_nothing(mut site: Site) {
    site.signal("TERM");
    site.wait();
    assert!(site.access_log().lines().count() > 0, "nothing was logged");
    assert_unseen("the access log", site.access_log().as_bytes());
    assert_unseen("the standard error", site.messages().as_bytes());
}

fn every_form_of_the_canary_is_recognised() {
    let bytes = |form: fn(u8) -> String| CANARY.bytes().map(form).collect::<String>();
    let form_encoded = percent(CANARY).replace("%20", "+");
    let basic = |before: &str| base64(format!("{before}{CANARY}").as_bytes());
    for form in [
        CANARY.to_owned(),
        percent(CANARY),
        percent(CANARY).to_lowercase(),
        form_encoded,
        CANARY.to_uppercase(),
        serde_json::to_string(CANARY).unwrap(),
        CANARY.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;"),
        basic(""),
        basic("u"),
        basic("us"),
        basic("user:"),
        basic("").replace('+', "-").replace('/', "_"),
        bytes(|byte| format!("{byte:02x}")),
        bytes(|byte| format!("{byte:02X}")),
        bytes(|byte| format!("%{byte:02x}")),
        bytes(|byte| format!("\\u{byte:04x}")),
        bytes(|byte| format!("&#{byte};")),
        format!("{:?}", CANARY.as_bytes()),
        format!("{CANARY:?}"),
    ] {
        assert!(sighted(format!("before {form} after").as_bytes()).is_some(), "{form}");
    }
    assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    assert_eq!(sighted(b"c4nary %63%34 Bearer 63 34"), None);
}

fn no_fault_tells_the_canary() {
    let fault = FaultServer::start();
    let site = options().start(&archive(&fault));
    // It is really sent, whole, wherever it was declared.
    assert_eq!(site.get("/up/strict/json/json/items").status, 200);
    let sent = &fault.requests("/json/items")[0];
    let bearer = format!("Bearer {CANARY}");
    assert_eq!((sent.header("authorization"), sent.header("x-api-key")), (Some(bearer.as_str()), Some(CANARY)));
    let own = format!("k:{CANARY}");
    assert_eq!((sent.parameter("key"), sent.parameter("own")), (Some(CANARY), Some(own.as_str())));
    for path in [
        "",
        "json/items",
        "reset/0",
        "reset/40",
        "reset/1000/json/items",
        "cut/0",
        "cut/20",
        "cut/1000/json/items",
        "short/5/json/items",
        "bomb/gzip/20",
        "bomb/br/20",
        "bomb/zstd/20",
        "bytes/3000000",
        "invalid-json",
        "html",
        "labelled/gzip",
        "labelled/made-up",
        "truncated/gzip/json/items",
        "truncated/br/json/items",
        "truncated/zstd/json/items",
        "coded/gzip/json/items",
        "chunked/json/items",
        "until-close/json/items",
        "interim/json/items",
        "status/204",
        "status/304",
        "status/400",
        "status/401",
        "status/403",
        "status/404",
        "status/410",
        "status/418",
        "status/429",
        "status/500",
        "status/503",
        "long-head/1000000",
        "many-fields/2000",
        "not-http",
        "bad-field",
        "bad-chunk",
        "bad-length",
        "switch",
        "redirect/302?to=http://127.0.0.1:1/",
        "redirect/307?to=/json/items",
        "redirect/308?to=http://169.254.169.254/latest",
        "no-such-content",
        // Not sent at all: a segment that no path may hold.
        "..",
        "a%2Fb",
        "a%00b",
    ] {
        assert_fault_tells_nothing(&site, "up", path);
    }
    for upstream in ["refused", "guarded", "nowhere"] {
        assert_fault_tells_nothing(&site, upstream, "json/items");
    }
    // Answers that are not of a source: validators, wrong methods, canonical URLs, no route, no valid request.
    let kept = site.get("/up/strict/kept/json/items");
    let etag = kept.header("etag").unwrap();
    let not_modified = whole_answer(&site, "GET", "/up/strict/kept/json/items", &[("If-None-Match", etag)]);
    assert_eq!(status(&not_modified), "304");
    assert_unseen("304", &not_modified);
    for (method, target, expected) in [
        ("POST", "/up/strict/page/json/items", "405"),
        ("OPTIONS", "/up/strict/page/json/items", "204"),
        ("GET", "/up//strict/page/json/items", "308"),
        ("GET", "/nothing", "404"),
    ] {
        let answer = whole_answer(&site, method, target, &[]);
        assert_eq!(status(&answer), expected, "{method} {target}");
        assert_unseen(target, &answer);
    }
    assert_outputs_tell_nothing(site);
}

fn what_an_upstream_repeats_is_not_told() {
    let fault = FaultServer::start();
    let typed = "[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nextract.n = { select = \"$.headers.authorization\"";
    let site = options().start(&format!(
        "{}-- routes/required.toml --\njson = {{ n = \"{{a.n}}\" }}\n{typed}, type = \"int\", required = true }}\n\
         -- routes/defaulted.toml --\njson = {{ n = \"{{a.n}}\" }}\n{typed}, type = \"int\", default = 7 }}\n\
         -- routes/dated.toml --\njson = {{ n = \"{{a.n}}\" }}\n{typed}, type = \"date\", required = true }}\n\
         -- routes/next.toml --\njson = {{ n = \"{{b}}\" }}\n{typed} }}\n[sources.b]\nupstream = \"up\"\npath = \"/x/{{a.n}}\"\n",
        archive(&fault)
    ));
    for fault in [
        "reflect/broken",
        "reflect/coding",
        "reflect/line",
        "reflect/head",
        "reflect/chunk",
        "reflect/301",
        "reflect/302",
        "reflect/308",
        "reflect/400",
        "reflect/401",
        "reflect/403",
        "reflect/404",
        "reflect/429",
        "reflect/500",
        "reflect/503",
        "reset/500/reflect/200",
        "short/5/reflect/200",
        "truncated/gzip/reflect/200",
        "labelled/gzip/reflect/200",
        "labelled/a,%20b/reflect/200",
    ] {
        assert_fault_tells_nothing(&site, "up", fault);
    }
    for (target, expected) in [("/required", "502"), ("/defaulted", "200"), ("/dated", "502"), ("/next", "502")] {
        let answer = whole_answer(&site, "GET", target, &[]);
        assert_eq!(status(&answer), expected, "{target}");
        assert_unseen(target, &answer);
    }
    for kind in ["json", "page", "kept"] {
        for path in ["reflect/200", "echo"] {
            let answer = whole_answer(&site, "GET", &format!("/up/strict/{kind}/{path}"), &[]);
            assert_unseen("data that repeats", &answer);
            assert_eq!(status(&answer), "500");
        }
    }
    assert_outputs_tell_nothing(site);
}

fn no_limit_tells_the_canary() {
    let fault = FaultServer::start();
    let endless =
        ["silent", "trickle/json/items", "silent-after-head/json/items", "endless", "silent-after-head/reflect/200"];
    let site = options().start(&archive(&fault));
    for path in endless {
        for (outcome, _) in OUTCOMES {
            let target = format!("/hasty/{outcome}/page/{path}");
            assert_unseen(&target, &whole_answer(&site, "GET", &target, &[]));
        }
    }
    assert_outputs_tell_nothing(site);
    let bounds =
        ["limits.deadline=300ms", "limits.upstream-body=100B", "limits.json-nodes=3", "limits.render-output=8B"];
    for bound in bounds {
        let site = options().set(bound).start(&archive(&fault));
        let paths: &[&str] = if bound.contains("deadline") { &endless } else { &["json/items"] };
        for path in paths {
            for kind in ["json", "page", "kept"] {
                let target = format!("/up/strict/{kind}/{path}");
                assert_unseen(&format!("{target} with {bound}"), &whole_answer(&site, "GET", &target, &[]));
            }
        }
        assert_outputs_tell_nothing(site);
    }
}

/// Runs a command on the site of an archive with these variables; its exit code and all it said.
fn command(archive: &str, variables: &[(&str, &str)], arguments: &[&str]) -> (i32, Vec<u8>) {
    let folder = Folder::new();
    folder.unpack(archive);
    let mut command = binary();
    command.arg("--config").arg(folder.path().join("site.toml")).args(arguments);
    let Output { status, stdout, stderr } = command
        .env_remove("CANARY")
        .envs(variables.iter().copied())
        .env("RUST_LOG", "trace")
        .output()
        .expect("the binary");
    (status.code().expect("no signal"), [stdout, stderr].concat())
}

/// All that can be said about a site without serving it.
const COMMANDS: [&[&str]; 4] = [&["check"], &["check", "--format", "json"], &["routes"], &["check", "--explain"]];

/// A site that listens nowhere: it can be loaded by `serve`, and ends at once.
const NOWHERE: &str = "server.listen=[\"unix:/nonexistent/folder/socket\"]";

fn no_command_tells_the_canary() {
    let fault = FaultServer::start();
    let archive = archive(&fault);
    let canary = [("CANARY", CANARY)];
    for arguments in COMMANDS {
        let (code, said) = command(&archive, &canary, arguments);
        assert_eq!(code, 0, "{arguments:?}: {}", String::from_utf8_lossy(&said));
        assert_unseen(&format!("{arguments:?}"), &said);
    }
    for set in [
        "upstreams.up.headers.authorization=Bearer {env.CANARY}",
        "upstreams.up.query.key={env.CANARY}",
        "upstreams.up.query.key=[\"{env.CANARY}\"]",
        "upstreams.up.headerz.authorization={env.CANARY}",
        "upstreams.up.headers.authorization=Bearer {env.CANARY",
        "upstreams.up.headers.\"a b\"={env.CANARY}",
        "upstreams.up.timeout={env.CANARY}",
        "upstreams.up.base-url={env.CANARY}",
        "server.listen=[\"{env.CANARY}\"]",
        "site.name={env.CANARY}",
        "log.level=trace",
    ] {
        for arguments in COMMANDS {
            let (_, said) = command(&archive, &canary, &[arguments, &["--set", set]].concat());
            assert_unseen(&format!("{arguments:?} --set {set}"), &said);
        }
        let (code, said) = command(&archive, &canary, &["--set", NOWHERE, "--set", set]);
        assert_eq!(code, 1, "{}", String::from_utf8_lossy(&said));
        assert_unseen(&format!("serve --set {set}"), &said);
    }
    // Beside a mistake on the same line, and unset.
    let broken =
        archive.replace("authorization = \"Bearer {env.CANARY}\"", "authorization = \"Bearer {env.CANARY}\", 7");
    let elsewhere = archive.replace("{env.CANARY}", "{env.CANARY}{query.q}");
    for archive in [&broken, &elsewhere] {
        for arguments in [&["check"][..], &["check", "--format", "json"], &["serve"], &["routes"]] {
            let (code, said) = command(archive, &canary, arguments);
            assert_eq!(code, 1, "{}", String::from_utf8_lossy(&said));
            assert_unseen(&format!("{arguments:?}"), &said);
        }
    }
    let (code, said) = command(&archive, &[], &["serve"]);
    assert_eq!(code, 1);
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("the environment variable `CANARY` is not set"), "{said}");
}

fn a_secret_that_no_field_can_hold_is_a_finding() {
    let of_upstream = "-- site.toml --\n[upstreams.up]\nbase-url = \"https://api.example\"\nheaders = { x-api-key = \"{env.CANARY}\" }\n\
                       -- routes/a.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/\"\n";
    let of_source = "-- site.toml --\n-- routes/a.toml --\njson = \"{a}\"\n[sources.a]\nurl = \"https://api.example/\"\n\
                     headers = { x-api-key = \"Bearer {env.CANARY}\" }\n";
    let mixed = "-- site.toml --\n-- routes/a.toml --\njson = \"{a}\"\n[query.q]\n[sources.a]\nurl = \"https://api.example/\"\n\
                 headers = { x-api-key = \"{query.q} {env.CANARY}\" }\n";
    for archive in [of_upstream, of_source, mixed] {
        for broken in ["\n", "\r\nx-evil: 1", "\u{7f}", "\u{1b}[31m"] {
            let value = format!("{CANARY}{broken}");
            for arguments in [&["check"][..], &["check", "--format", "json"], &["serve", "--set", NOWHERE]] {
                let (code, said) = command(archive, &[("CANARY", &value)], arguments);
                let text = String::from_utf8_lossy(&said);
                assert_eq!(code, 1, "{broken:?} {arguments:?}: {text}");
                assert!(text.contains("`x-api-key` holds bytes"), "{arguments:?}: {text}");
                assert_unseen(&format!("{arguments:?}"), &said);
            }
        }
        assert_eq!(command(archive, &[("CANARY", CANARY)], &["check"]).0, 0);
    }
}

fn an_address_from_the_environment_is_not_shown() {
    let archive = |base: &str| {
        format!(
            "-- site.toml --\n[upstreams.up]\nbase-url = \"{base}\"\n\
             -- routes/a.toml --\njson = \"{{a}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/\"\n"
        )
    };
    for (base, value) in [
        ("{env.CANARY}", CANARY.to_owned()),
        ("{env.CANARY}", format!("https://user:{}@api.example", percent(CANARY))),
        ("{env.CANARY}", format!("https://api.example?key={}", percent(CANARY))),
        ("{env.CANARY}", format!("https://api.example/#{CANARY}")),
        ("{env.CANARY}", format!("ftp://api.example/{}", percent(CANARY))),
        ("{env.CANARY}", format!("https://a b {CANARY}/")),
        ("https://user:{env.CANARY}@api.example", percent(CANARY)),
        ("https://api.example/v1?key={env.CANARY}", percent(CANARY)),
    ] {
        for arguments in [&["check"][..], &["check", "--format", "json"], &["routes"], &["serve", "--set", NOWHERE]] {
            let (code, said) = command(&archive(base), &[("CANARY", &value)], arguments);
            assert_eq!(code, 1, "{base} {value} {arguments:?}: {}", String::from_utf8_lossy(&said));
            assert_unseen(&format!("{base} {value} {arguments:?}"), &said);
        }
        let text = String::from_utf8(command(&archive(base), &[("CANARY", &value)], &["check"]).1).unwrap();
        assert!(text.contains("source/bad-address"), "{text}");
    }
}

fn a_secret_out_of_place_is_an_error_that_does_not_show_it() {
    let source = "[sources.a]\nurl = \"https://api.example/x\"\n";
    let page = "layout = \"page.html\"\n";
    for route in [
        format!("{page}title = \"{{env.CANARY}}\"\n"),
        format!("{page}description = \"{{env.CANARY}}\"\n"),
        format!("{page}headers = {{ x-key = \"{{env.CANARY}}\" }}\n"),
        "redirect = \"/x/{env.CANARY}\"\n".to_owned(),
        "redirect = \"https://example.com/?key={env.CANARY}\"\n".to_owned(),
        "json = { key = \"{env.CANARY}\" }\n".to_owned(),
        "json = [\"a {env.CANARY}\"]\n".to_owned(),
        "json = \"{env.CANARY}\"\n".to_owned(),
        format!(
            "json = \"{{a}}\"\n{source}on-unauthorized = {{ redirect = \"/x?{{env.CANARY}}\" }}\nforward-cookies = [\"s\"]\n"
        ),
        "json = \"{a}\"\n[sources.a]\nvalue = { key = \"{env.CANARY}\" }\n".to_owned(),
        "json = \"{a}\"\n[sources.a]\nurl = \"https://api.example/{env.CANARY}\"\n".to_owned(),
        "json = \"{a}\"\n[sources.a]\nurl = \"https://api.example/?key={env.CANARY}\"\n".to_owned(),
        "json = \"{a}\"\n[sources.a]\nurl = \"https://{env.CANARY}/\"\n".to_owned(),
        format!("{page}rules = [{{ if = \"env.CANARY == 'x'\", then = {{ status = 404 }} }}]\n"),
        format!("{page}rules = [{{ if = \"params == nil\", then = {{ redirect = \"/{{env.CANARY}}\" }} }}]\n"),
        format!("{page}cache = {{ s-maxage = \"1h\", tags = [\"{{env.CANARY}}\"] }}\n"),
        "path = \"/{env.CANARY}\"\njson = 1\n".to_owned(),
        "layout = \"env.html\"\n".to_owned(),
        "layout = \"environment.html\"\n".to_owned(),
    ] {
        let archive = format!(
            "-- site.toml --\n-- routes/a.toml --\n{route}-- layouts/page.html --\n<p>{{{{ vars.key }}}}{{{{ page.title }}}}</p>\n\
             -- layouts/env.html --\n{{{{ env.CANARY }}}}\n-- layouts/environment.html --\n{{{{ environment.CANARY }}}}\n"
        );
        for arguments in [&["check"][..], &["check", "--format", "json"], &["routes"], &["serve", "--set", NOWHERE]] {
            let (code, said) = command(&archive, &[("CANARY", CANARY)], arguments);
            assert_eq!(code, 1, "{arguments:?} of {route}: {}", String::from_utf8_lossy(&said));
            assert_unseen(&format!("{arguments:?} of {route}"), &said);
        }
    }
}

fn what_is_declared_public_is_shown_wherever_it_is_read() {
    const ID: &str = "G-1 <&> \"x\"/2";
    let fault = FaultServer::start();
    let archive = format!(
        "-- site.toml --\n[env.ID]\npublic = true\n[env.UNSET]\npublic = true\ndefault = \"a-default\"\n\
         [upstreams.up]\nbase-url = \"http://{}\"\nallow-private = true\n\
         headers = {{ x-id = \"{{env.ID}}\", authorization = \"Bearer {{env.CANARY}}\" }}\n\
         -- layouts/page.html --\n<title>{{{{ page.title }}}}</title><p title=\"{{{{ env.ID }}}}\">{{{{ env.UNSET }}}}</p>\
         {{% if env.UNSET == 'a-default' %}}yes{{% endif %}}\n\
         -- routes/page.toml --\nlayout = \"page.html\"\ntitle = \"{{env.ID}}-{{env.NONE:of our own}}\"\n\
         headers = {{ x-id = \"<{{env.UNSET}}>\" }}\ncache = {{ s-maxage = \"1h\" }}\n\
         -- routes/json.toml --\njson = {{ id = \"{{env.ID}}\", other = [\"{{env.NONE:of our own}}\", \"{{env.NONE}}\"] }}\n\
         -- routes/gone.toml --\nredirect = \"/to/{{env.ID}}?q={{env.ID}}\"\n\
         -- routes/rule.toml --\njson = 1\nrules = [{{ if = \"env.UNSET != env.ID\", then = {{ status = 410 }} }}]\n\
         -- routes/list.toml --\njson = \"{{l}}\"\n[sources.l]\nvalue = [\"a-default\", \"{{env.ID}}\", \"x\"]\nwhere = \"item != env.UNSET\"\n\
         -- routes/echo.toml --\njson = \"{{a}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/echo\"\n\
         headers = {{ x-own = \"{{env.ID}}\" }}\nquery = {{ q = \"{{env.ID}}\", n = \"{{env.UNSET}}\" }}\n",
        fault.address()
    );
    let archive = archive.replace("[env.UNSET]", "[env.NONE]\npublic = true\ndefault = \"nothing\"\n[env.UNSET]");
    let site = options().env("ID", ID).start(&archive);
    let page = site.get("/page");
    assert!(page.text().contains("<title>G-1 &lt;&amp;&gt;"), "{}", page.text());
    for part in ["-of our own</title>", "title=\"G-1 &lt;&amp;&gt; ", ">a-default</p>yes"] {
        assert!(page.text().contains(part), "{part} in {}", page.text());
    }
    assert_eq!(page.header("x-id"), Some("<a-default>"));
    let json = site.get("/json").json();
    assert_eq!(json, serde_json::json!({ "id": ID, "other": ["of our own", "nothing"] }));
    let gone = site.get("/gone");
    assert_eq!(gone.header("location"), Some("/to/G-1%20%3C%26%3E%20%22x%22%2F2?q=G-1%20%3C%26%3E%20%22x%22%2F2"));
    assert_eq!(site.get("/list").json(), serde_json::json!([ID, "x"]));
    assert_eq!(site.get("/rule").status, 410);
    let echo = whole_answer(&site, "GET", "/echo", &[]);
    assert_eq!(status(&echo), "500", "the upstream repeats the secret, too: {}", String::from_utf8_lossy(&echo));
    assert_outputs_tell_nothing(site);
    // Without the variable there is no such page; on another machine it is checked all the same.
    let (code, said) = command(&archive, &[("CANARY", CANARY)], &["serve", "--set", NOWHERE]);
    let said = String::from_utf8_lossy(&said);
    assert!(code == 1 && said.contains("env/unset") && said.contains("[env.ID] default"), "{said}");
    let (code, said) = command(&archive, &[("CANARY", CANARY)], &["check"]);
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&said));
}

fn a_variable_in_data_is_refused_and_other_braces_stay_text() {
    let source = "[sources.a]\nurl = \"https://a.example\"\n";
    for route in [
        "layout = \"page.html\"\n[vars]\nkey = \"{env.CANARY}\"\n".to_owned(),
        format!("json = \"{{a}}\"\n{source}fallback = \"{{env.CANARY}}\"\n"),
        format!(
            "json = \"{{a.b}}\"\n{source}on-error = \"omit\"\nextract.b = {{ select = \"$.b\", default = \"{{env.CANARY}}\" }}\n"
        ),
        "json = \"{query.q}\"\n[query.q]\ndefault = \"{env.CANARY}\"\n".to_owned(),
        "json = \"{query.q}\"\n[query.q]\nenum = [\"{env.CANARY}\", \"a\"]\ndefault = \"a\"\n".to_owned(),
    ] {
        let archive =
            format!("-- site.toml --\n-- routes/a.toml --\n{route}-- layouts/page.html --\n{{{{ vars.key }}}}\n");
        for arguments in [&["check"][..], &["check", "--format", "json"], &["serve", "--set", NOWHERE]] {
            let (code, said) = command(&archive, &[("CANARY", CANARY)], arguments);
            let text = String::from_utf8_lossy(&said);
            assert_eq!(code, 1, "{route}: {text}");
            assert!(text.contains("placeholder/not-read-here"), "{route}: {text}");
            assert_unseen(&route, &said);
        }
    }
    let site = options().start(
        "-- site.toml --\n-- routes/a.toml --\nlayout = \"page.txt\"\n[vars]\nkey = \"{count} of {total.all}\"\n\
         -- layouts/page.txt --\n{{ vars.key }}",
    );
    assert_eq!(site.get("/a").text(), "{count} of {total.all}\n");
    assert_outputs_tell_nothing(site);
}

fn no_reload_tells_the_canary() {
    let fault = FaultServer::start();
    let whole = archive(&fault);
    let site = options().set("server.watch=false").start(&whole);
    let (good, _) = whole.split_once("-- layouts/").unwrap();
    let good = good.strip_prefix("-- site.toml --\n").unwrap();
    let mut told = 0;
    for broken in [
        good.replace("{env.CANARY}", "{env.CANARY"),
        good.replace("authorization = \"Bearer {env.CANARY}\"", "host = \"{env.CANARY}\""),
        good.replace("authorization = \"Bearer {env.CANARY}\"", "\"a b\" = \"{env.CANARY}\""),
        good.replace("authorization = \"Bearer {env.CANARY}\"", "authorization = 7"),
        good.replace("base-url = \"http://", "base-url = \"{env.CANARY}"),
        good.replace("query = { key", "key = { key"),
        format!("{good}[site]\nname = \"{{env.CANARY}}\"\nurl = \"{{env.CANARY}}\"\nlanguage = \"{{env.CANARY}}\"\n"),
        format!("{good}retries = \"{{env.CANARY}}\"\nretries = 2\n"),
    ] {
        assert_ne!(broken, good);
        site.folder().write("site.toml", &broken);
        site.signal("HUP");
        told += 1;
        let end = std::time::Instant::now() + crate::support::SAFETY_NET;
        while site.messages().lines().filter(|line| line.starts_with("not reloaded")).count() < told {
            assert!(std::time::Instant::now() < end, "not told of:\n{broken}\n{}", site.messages());
            std::thread::yield_now();
        }
        assert_unseen(&format!("the reload of\n{broken}"), site.messages().as_bytes());
    }
    site.folder().write("site.toml", good);
    site.signal("HUP");
    site.wait_for_message(|line| line.starts_with("reloaded: "));
    let response = until(&site, "/up/strict/page/json/items", |response| response.status == 200);
    assert_unseen("a page after reloads", &response.body);
    assert_outputs_tell_nothing(site);
}
