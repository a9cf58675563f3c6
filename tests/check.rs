//! The commands that only look: `check`, `routes`, help, version; what they print, and how they exit.

use crate::support::site::{Folder, binary};
use std::path::Path;
use std::process::{Command, Output};

crate::cases!(
    help_teaches,
    the_version_is_one_line,
    what_is_not_understood_is_wrong_usage,
    a_broken_site_is_told_as_a_whole,
    findings_are_json_on_request,
    findings_of_set_point_at_the_argument,
    an_unset_variable_is_a_warning_in_check_and_an_error_in_serve,
    codes_explain_themselves,
    a_site_that_is_not_there_is_said_so,
    routes_are_listed,
    rules_about_the_whole_site_find_what_no_file_shows,
    redirects_in_a_circle_are_an_error,
    absolute_urls_need_the_url_of_the_site,
    piped_output_has_no_colours,
    our_own_sites_are_without_findings,
    the_memory_that_limits_allow_is_told,
);

/// How a command ended and what it said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

fn siteserver(arguments: &[&str]) -> Said {
    run(binary().args(arguments))
}

/// Runs a command on the site of an archive.
fn on(archive: &str, arguments: &[&str]) -> Said {
    let folder = Folder::new();
    folder.unpack(archive);
    run(binary().arg("--config").arg(folder.path().join("site.toml")).args(arguments))
}

/// The findings of `check --format json`.
fn findings(archive: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
    let said = on(archive, &[&["check", "--format", "json"], arguments].concat());
    let parsed: serde_json::Value =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out));
    parsed["findings"].as_array().expect("a list").clone()
}

fn codes(findings: &[serde_json::Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

const BROKEN: &str = r#"
-- site.toml --
[site]
nme = "Shop"

[server]
listen = "everywhere"
-- routes/index.toml --
layout = "page.html"
tittle = "Home"
-- routes/other.toml --
layout = "pge.html"
-- layouts/page.html --
<h1>Hello</h1>
<p>{{ vars.name | shout }}</p>
"#;

fn help_teaches() {
    for flag in ["--help", "-h"] {
        let said = siteserver(&[flag]);
        assert_eq!(said.code, Some(0));
        for part in ["Examples:", "Exit codes:", "--config", "--set", "check", "routes", "serve", "SIGHUP"] {
            assert!(said.out.contains(part), "{part} in\n{}", said.out);
        }
    }
    assert!(siteserver(&["--help"]).out.contains("A site is a folder"));
    assert!(siteserver(&["check", "--help"]).out.contains("--explain"));
}

fn the_version_is_one_line() {
    let said = siteserver(&["--version"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), concat!("siteserver ", env!("CARGO_PKG_VERSION"), "\n")));
}

fn what_is_not_understood_is_wrong_usage() {
    for (arguments, hint) in [
        (&["serv"][..], "serve"),
        (&["--confg", "x"][..], "--config"),
        (&["check", "--format", "xml"][..], "json"),
        (&["check", "routes"][..], "routes"),
        (&["--set"][..], "KEY=VALUE"),
    ] {
        let said = siteserver(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(hint), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
}

fn a_broken_site_is_told_as_a_whole() {
    let said = on(BROKEN, &["check"]);
    assert_eq!(said.code, Some(1));
    for part in [
        "site.toml:2:1",
        "`nme`",
        "did you mean `name`?",
        "site.toml:5:",
        "routes/index.toml:2:1",
        "`tittle`",
        "routes/other.toml:1:",
        "layouts/page.html:2:",
        "`shout`",
        "the site cannot be served; 5 errors",
    ] {
        assert!(said.out.contains(part), "{part} in\n{}", said.out);
    }
}

fn findings_are_json_on_request() {
    let found = findings(BROKEN, &[]);
    let places: Vec<_> = found
        .iter()
        .map(|finding| (finding["file"].as_str().expect("a file"), finding["line"].as_u64().expect("a line")))
        .collect();
    for place in [
        ("site.toml", 2),
        ("site.toml", 5),
        ("routes/index.toml", 2),
        ("routes/other.toml", 1),
        ("layouts/page.html", 2),
    ] {
        assert!(places.contains(&place), "{place:?} in {places:?}");
    }
    for finding in &found {
        assert_eq!(finding["level"], "error");
        let keys = ["code", "level", "message", "file", "line", "column", "end_line", "end_column", "help", "related"];
        let present: Vec<&str> = finding.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(present.len(), keys.len());
        assert!(keys.iter().all(|key| present.contains(key)), "{present:?}");
    }
    assert_eq!(on("-- site.toml --\n", &["check", "--format", "json"]).code, Some(0));
    assert!(findings("-- site.toml --\n", &[]).is_empty());
}

fn findings_of_set_point_at_the_argument() {
    let found = findings("-- site.toml --\n", &["--set", "site.name=Shop", "--set", "server.lisen=[]"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["file"], "--set 2");
    assert_eq!((found[0]["line"].as_u64(), found[0]["column"].as_u64()), (Some(1), Some(8)));
    let found = findings("-- site.toml --\n", &["--set", "site.name"]);
    assert_eq!((codes(&found), &found[0]["file"]), (vec!["config/bad-set"], &"--set 1".into()));
}

fn an_unset_variable_is_a_warning_in_check_and_an_error_in_serve() {
    let archive = r#"
-- site.toml --
[upstreams.shop]
base-url = "https://shop.example"
headers = { authorization = "Bearer {env.SITESERVER_TEST_UNSET}" }
-- routes/index.toml --
json = "{shop}"
sources.shop = { upstream = "shop", path = "/" }
"#;
    let found = findings(archive, &[]);
    assert_eq!(codes(&found), ["env/unset"]);
    assert_eq!(found[0]["level"], "warning");
    assert_eq!((found[0]["file"].as_str(), found[0]["line"].as_u64()), (Some("site.toml"), Some(3)));
    assert_eq!(on(archive, &["check"]).code, Some(0));
    let said = on(archive, &["serve"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("SITESERVER_TEST_UNSET"), "{}", said.err);
    assert_eq!(said.out, "");
}

fn codes_explain_themselves() {
    let said = siteserver(&["check", "--explain", "config/unknown-key"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.starts_with("config/unknown-key (error)\n\nA key"), "{}", said.out);
    let said = siteserver(&["check", "--explain", "config/unknwn-key"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("did you mean `config/unknown-key`?"), "{}", said.err);
    let said = siteserver(&["check", "--explain"]);
    assert!(said.out.lines().count() > 50, "{}", said.out);
    assert!(said.out.lines().any(|line| line.starts_with("upstream/unused  ")), "{}", said.out);
}

fn a_site_that_is_not_there_is_said_so() {
    let folder = Folder::new();
    for command in ["check", "serve", "routes"] {
        let said = run(binary().current_dir(folder.path()).arg(command));
        assert_eq!(said.code, Some(1), "{command}");
        assert!(format!("{}{}", said.out, said.err).contains("there is no site at `./site.toml`"), "{command}");
    }
}

fn routes_are_listed() {
    let archive = r#"
-- site.toml --
-- routes/index.toml --
layout = "page.html"
sources.shop.url = "https://shop.example/"
cache.s-maxage = "10s"
-- routes/old.toml --
path = ["/old", "/older"]
redirect = "/"
-- layouts/page.html --
{{ shop.name }}
"#;
    let said = on(archive, &["routes"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let lines: Vec<Vec<&str>> = said
        .out
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(lines[0], ["PATH", "KIND", "FILE", "LAYOUT", "SOURCES", "CACHE-CONTROL", "PRIVACY"]);
    assert_eq!(
        lines[1],
        ["/", "page", "routes/index.toml", "page.html", "shop", "public, max-age=0, s-maxage=10", "public"]
    );
    assert_eq!(lines[2][..5], ["/old /older", "redirect", "routes/old.toml", "-", "-"]);
    assert_eq!(lines.len(), 3);
    let said = on(BROKEN, &["routes"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("5 errors"), "{}", said.err);
}

fn rules_about_the_whole_site_find_what_no_file_shows() {
    let archive = r#"
-- site.toml --
[upstreams.shop]
base-url = "https://shop.example"

[upstreams.blog]
base-url = "https://blog.example"

[defaults.errors]
404 = "errors/404.html"
-- routes/index.toml --
layout = "page.html"
sources.shop = { upstream = "shop", path = "/" }
-- routes/old.toml --
redirect = "/nowhere?x=1"
-- routes/older.toml --
redirect = "/old"
-- layouts/page.html --
<p>{{ shop.text | raw }}</p>
-- layouts/forgotten.html --
<p>nobody</p>
-- layouts/errors/404.html --
<p>{{ error.title }}</p>
-- layouts/partials/lost.html --
<p>nobody</p>
"#;
    let found = findings(archive, &[]);
    let mut places: Vec<_> = found
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().expect("a text").to_owned();
            (text("code"), text("file"), finding["line"].as_u64().expect("a line"))
        })
        .collect();
    places.sort();
    let expected = [
        ("layout/raw-outside", "layouts/page.html", 1),
        ("layout/unused", "layouts/forgotten.html", 1),
        ("layout/unused", "layouts/partials/lost.html", 1),
        ("redirect/nowhere", "routes/old.toml", 1),
        ("upstream/unused", "site.toml", 4),
    ];
    assert_eq!(places, expected.map(|(code, file, line)| (code.to_owned(), file.to_owned(), line)));
    assert_eq!(on(archive, &["check"]).code, Some(0), "none of it forbids serving");
}

fn redirects_in_a_circle_are_an_error() {
    let archive = "-- site.toml --\n-- routes/a.toml --\nredirect = \"/b\"\n-- routes/b.toml --\nredirect = \"/a\"\n";
    assert_eq!(codes(&findings(archive, &[])), ["redirect/circle"]);
    assert_eq!(on(archive, &["check"]).code, Some(1));
}

fn absolute_urls_need_the_url_of_the_site() {
    let archive = "-- site.toml --\n-- routes/index.toml --\nlayout = \"page.html\"\n-- layouts/page.html --\n\
                   {% assign here = request.path | absolute_url %}\n<a href=\"{{ '/a' | absolute_url }}\">{{ here }}</a>\n";
    let found = findings(archive, &[]);
    assert_eq!(codes(&found), ["site/needs-url", "site/needs-url"]);
    assert_eq!(found.iter().map(|finding| finding["line"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(findings(archive, &["--set", "site.url=https://example.com"]).is_empty());
}

fn piped_output_has_no_colours() {
    let said = on(BROKEN, &["check"]);
    assert!(!said.out.contains('\u{1b}'));
    let said = on(BROKEN, &["serve"]);
    assert!(!said.err.contains('\u{1b}'));
}

fn our_own_sites_are_without_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut checked = 0;
    for folder in examples.chain([root.to_owned()]) {
        let said = run(binary().current_dir(&folder).arg("check"));
        assert!(said.code == Some(0) && said.out.lines().count() == 1, "{}:\n{}", folder.display(), said.out);
        checked += 1;
    }
    assert!(checked > 2, "{checked}");
}

fn the_memory_that_limits_allow_is_told() {
    let line = |archive: &str| on(archive, &["check", "-v"]).out.lines().last().unwrap_or_default().to_owned();
    assert_eq!(
        line("-- site.toml --\n"),
        "memory: 409 MiB at most (48 MiB of pages, 16 MiB of their data, 32 MiB of small files, 313 MiB of request heads on 10000 connections), \
         and beside that for each page while it is made 4 MiB and the data that it reads"
    );
    let small = "-- site.toml --\n[limits]\nmemory-store = \"8MiB\"\nconnections = 100\nrequest-head = \"16KiB\"\nrender-output = \"1MiB\"\n\
                 upstream-body = \"1MiB\"\nupstream-decoded = \"1MiB\"\n";
    assert_eq!(
        line(small),
        "memory: 42 MiB at most (6 MiB of pages, 2 MiB of their data, 32 MiB of small files, 1600 KiB of request heads on 100 connections), \
         and beside that for each page while it is made 1 MiB and the data that it reads"
    );
    // Bodies up to a mebibyte, as sent and decoded, of as many calls as there may be; and of a few the whole of what they may be.
    let called = "[upstreams.a]\nbase-url = \"https://a.example\"\nmax-concurrent = 4\n[upstreams.b]\nbase-url = \"https://b.example\"\nmax-concurrent = 2\n\
                  -- routes/index.toml --\njson = [\"{x}\", \"{y}\"]\n[sources.x]\nupstream = \"a\"\npath = \"/\"\n[sources.y]\nupstream = \"b\"\npath = \"/\"\n";
    for (limits, answers) in [
        ("upstream-body = \"512KiB\"\nupstream-decoded = \"1MiB\"\n", 6 * (3 << 19)),
        ("", 6 * (2 << 20) + 6 * (10 << 20)),
        ("upstream-decoded = \"16MiB\"\n", 6 * (2 << 20) + 6 * (18 << 20)),
    ] {
        let archive = format!("-- site.toml --\n[limits]\nconnections = 100\n{limits}{called}");
        let told: serde_json::Value =
            serde_json::from_str(&on(&archive, &["check", "--format", "json"]).out).expect("JSON");
        let memory = &told["memory"];
        assert_eq!(memory["upstream_answers"], answers, "{limits}");
        let kept = [&memory["pages"], &memory["data"], &memory["files"], &memory["request_heads"]];
        let kept: u64 = kept.into_iter().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!(memory["together"], kept + answers, "{limits}");
        assert!(line(&archive).contains(" of answers that upstreams are sending), and"), "{}", line(&archive));
    }
    let told: serde_json::Value = serde_json::from_str(&on(small, &["check", "--format", "json"]).out).expect("JSON");
    assert_eq!(told["memory"]["pages"], 6 << 20);
    assert_eq!(told["memory"]["data"], 2 << 20);
    assert_eq!(told["memory"]["together"], (8 << 20) + (32 << 20) + (1600 << 10));
    assert!(line("-- site.toml --\nunknown = 1\n").starts_with("the site cannot be served"));
}
