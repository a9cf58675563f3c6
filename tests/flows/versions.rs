//! URLs that name what a file holds, by `asset_url`: what is sent under them, and what when they name something else.

use crate::support::SAFETY_NET;
use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, binary};
use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

crate::cases!(
    a_url_names_what_a_file_holds,
    its_answers_are_those_of_the_file,
    another_version_is_sent_and_kept_by_nobody,
    an_edit_makes_another_url_and_another_page,
    what_changed_without_a_reload_is_not_called_what_it_was,
    a_large_file_has_a_version_too,
    codings_made_beforehand_are_in_the_version,
    names_are_written_as_urls,
    a_value_may_name_a_file,
    what_only_some_may_have_has_its_plain_url,
    what_a_section_may_know_people_by_has_its_plain_url,
    no_network_keeps_another_version,
    a_route_of_that_url_goes_first,
    error_pages_have_them,
    a_bundle_has_the_same,
);

const FOR_GOOD: Option<&str> = Some("public, max-age=31536000, immutable");

const ARCHIVE: &str = "
-- site.toml --
[server]
watch = false
-- routes/index.toml --
layout = \"page.html\"
cache = { s-maxage = \"1h\" }
-- routes/assets.toml --
path = \"/assets/{*file}\"
files = \"assets\"
-- layouts/page.html --
<link rel=\"stylesheet\" href=\"{{ 'css/site.css' | asset_url }}\"><script src=\"{{ '/assets/app.js' | asset_url }}\"></script>
-- routes/plain.toml --
layout = \"plain.html\"
-- layouts/plain.html --
<link rel=\"stylesheet\" href=\"/assets/css/site.css\"><script src=\"/assets/app.js\"></script>
-- content/assets/css/site.css --
@font-face { src: url(../font.woff2) } body { background: url(\"back.svg\") }
-- content/assets/css/back.svg --
<svg xmlns=\"http://www.w3.org/2000/svg\"/>
-- content/assets/font.woff2 --
font
-- content/assets/app.js --
let one;
";

/// Nobody has the password of this one.
const USERS: &str =
    "ada:$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm8\n";

fn with(site: &Site, target: &str, fields: &[(&str, &str)]) -> Response {
    site.request("GET", target, fields, b"")
}

/// What stands between the quotes behind each `attribute`.
fn all(page: &str, attribute: &str) -> Vec<String> {
    let begin = format!("{attribute}=\"");
    page.split(&begin).skip(1).filter_map(|part| Some(part.split_once('"')?.0.to_owned())).collect()
}

/// The URLs of the style sheet and the script that the front page names.
fn urls(site: &Site) -> (String, String) {
    let page = site.get("/").text().to_owned();
    (all(&page, "href").remove(0), all(&page, "src").remove(0))
}

/// `url` with another version.
fn other(url: &str) -> String {
    let (stem, extension) = url.rsplit_once('.').unwrap();
    format!("{}000000000000.{extension}", &stem[..stem.len() - 12])
}

fn reload(site: &Site) {
    let count = || site.messages().matches("reloaded: ").count();
    let before = count();
    site.signal("HUP");
    let end = Instant::now() + SAFETY_NET;
    while count() == before {
        assert!(Instant::now() < end, "{}", site.messages());
        std::thread::yield_now();
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + SAFETY_NET;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

fn a_url_names_what_a_file_holds() {
    let site = Site::start(ARCHIVE);
    let (style, script) = urls(&site);
    let digits = |url: &str, before: &str, after: &str| {
        let digits = url.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap_or_default().to_owned();
        assert!(digits.len() == 12 && digits.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{url}");
        digits
    };
    let content = fs::read(site.folder().path().join("content/assets/css/site.css")).unwrap();
    assert_eq!(digits(&style, "/assets/css/site.", ".css"), blake3::hash(&content).to_hex()[..12]);
    digits(&script, "/assets/app.", ".js");
    for url in [&style, &script] {
        let file = site.get(url);
        assert_eq!((file.status, file.header("cache-control")), (200, FOR_GOOD), "{url}");
    }
    let plain = site.get("/assets/app.js");
    assert_eq!((plain.status, plain.header("cache-control")), (200, Some("no-cache")));
    // It lies in the same folder, so what it names by relative addresses is there.
    for relative in ["/assets/css/back.svg", "/assets/font.woff2"] {
        assert_eq!(site.get(relative).status, 200, "{relative}");
    }
    // A page's policy is that of one which writes the addresses out.
    let policy = |target: &str| site.get(target).header("content-security-policy").map(str::to_owned);
    assert!(policy("/").is_some_and(|policy| policy.contains("script-src 'self'")), "{:?}", policy("/"));
    assert_eq!(policy("/"), policy("/plain"));
}

fn its_answers_are_those_of_the_file() {
    let site = Site::start(ARCHIVE);
    let (_, url) = urls(&site);
    let fields = |response: &Response| -> Vec<(String, String)> {
        let told = |name: &str| !matches!(name, "date" | "cache-control");
        response.headers.iter().filter(|(name, _)| told(name)).cloned().collect()
    };
    for _ in 0..2 {
        for (method, asked) in [
            ("GET", &[][..]),
            ("HEAD", &[]),
            ("GET", &[("accept-encoding", "br")]),
            ("GET", &[("accept-encoding", "gzip")]),
            ("GET", &[("range", "bytes=4-6")]),
            ("GET", &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")]),
        ] {
            let named = site.request(method, &url, asked, b"");
            let plain = site.request(method, "/assets/app.js", asked, b"");
            assert_eq!((named.status, fields(&named)), (plain.status, fields(&plain)), "{method} {asked:?}");
            assert_eq!(named.body, plain.body, "{method} {asked:?}");
            assert_eq!(named.header("cache-control"), FOR_GOOD, "{method} {asked:?}");
        }
    }
    let tag = site.get(&url).header("etag").unwrap().to_owned();
    let same = with(&site, &url, &[("if-none-match", &tag)]);
    assert_eq!((same.status, same.header("cache-control"), same.body.len()), (304, FOR_GOOD, 0));
    let beyond = with(&site, &url, &[("range", "bytes=1000-")]);
    assert_eq!((beyond.status, beyond.header("cache-control")), (416, Some("no-store")));
    let changed = with(&site, &url, &[("if-match", "\"other\"")]);
    assert_eq!((changed.status, changed.header("cache-control")), (412, Some("no-store")));
    let refused = site.request("POST", &url, &[], b"");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    // One canonical form.
    let spelled = site.get(&url.replace("app", "%61pp"));
    assert_eq!((spelled.status, spelled.header("location")), (308, Some(&*url)));
}

fn another_version_is_sent_and_kept_by_nobody() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    folder.write(
        "routes/assets.toml",
        "path = \"/assets/{*file}\"\nfiles = \"assets\"\ncache = { max-age = \"1h\", cdn = { max-age = \"1d\" } }\n",
    );
    let site = Options::default().serve(folder);
    let (_, url) = urls(&site);
    let plain = site.get("/assets/app.js");
    assert_eq!(plain.header("cdn-cache-control"), Some("max-age=86400"));
    let told = |response: &Response| {
        let field = |name: &str| response.header(name).map(str::to_owned);
        (response.status, field("cache-control"), field("cdn-cache-control"))
    };
    let no_store = |status| (status, Some("no-store".to_owned()), None);
    assert_eq!(told(&site.get(&url)), (200, FOR_GOOD.map(str::to_owned), None));
    for _ in 0..2 {
        let stale = site.get(&other(&url));
        assert_eq!(told(&stale), no_store(200));
        assert_eq!((stale.text(), stale.header("etag")), ("let one;\n", plain.header("etag")));
    }
    let tag = plain.header("etag").unwrap();
    assert_eq!(told(&with(&site, &other(&url), &[("if-none-match", tag)])), no_store(304));
    assert_eq!(told(&with(&site, &other(&url), &[("range", "bytes=0-2")])), no_store(206));
    for nothing in [
        "/assets/none.000000000000.js",
        "/assets/app.00000000000.js",
        "/assets/app.0000000000000.js",
        "/assets/app.00000000000g.js",
        "/assets/app.ABCDEF000000.js",
        "/assets/app000000000000.js",
        "/assets/000000000000.js",
        "/assets/app.js.000000000000",
        "/assets/app.000000000000.css",
        "/assets/css.000000000000/site.css",
        "/assets/../site.000000000000.toml",
        "/assets/.app.000000000000.js",
    ] {
        assert_eq!(site.get(nothing).status, 404, "{nothing}");
    }
}

fn an_edit_makes_another_url_and_another_page() {
    let site = Site::start(ARCHIVE);
    let (style, script) = urls(&site);
    let page = site.get("/");
    assert_eq!(site.get("/").header("cache-status").map(|status| status.contains("hit")), Some(true));
    site.folder().write("content/assets/app.js", "let two;\n");
    reload(&site);
    let (same, changed) = urls(&site);
    assert_eq!(same, style);
    assert_ne!(changed, script);
    let anew = site.get("/");
    assert_ne!(anew.header("etag"), page.header("etag"));
    let tag = page.header("etag").unwrap();
    assert_eq!(with(&site, "/", &[("if-none-match", tag)]).status, 200);
    until("the new file", || {
        let file = site.get(&changed);
        file.header("cache-control") == FOR_GOOD && file.text() == "let two;\n"
    });
    let old = site.get(&script);
    assert_eq!((old.status, old.header("cache-control"), old.text()), (200, Some("no-store"), "let two;\n"));
    // A page that names nothing of what changed stays what it is.
    site.folder().write("content/assets/font.woff2", "another font");
    reload(&site);
    assert_eq!(with(&site, "/", &[("if-none-match", anew.header("etag").unwrap())]).status, 304);
    // What is there again has its URL again.
    site.folder().write("content/assets/app.js", "let one;\n");
    reload(&site);
    assert_eq!(urls(&site).1, script);
    until("the first file", || site.get(&script).header("cache-control") == FOR_GOOD);
    fs::remove_file(site.folder().path().join("content/assets/app.js")).unwrap();
    until("its end", || site.get(&script).status == 404);
}

fn what_changed_without_a_reload_is_not_called_what_it_was() {
    let site = Site::start(ARCHIVE);
    let (_, url) = urls(&site);
    let asset = site.folder().path().join("content/assets/app.js");
    assert_eq!(site.get(&url).header("cache-control"), FOR_GOOD);
    let modified = fs::metadata(&asset).unwrap().modified().unwrap();
    // Of the same length, and of the same time of change.
    fs::write(&asset, "let six;\n").unwrap();
    File::options().write(true).open(&asset).unwrap().set_modified(modified).unwrap();
    let mut last = site.get(&url);
    until("the change", || {
        last = site.get(&url);
        let is_old = last.text() == "let one;\n";
        assert_eq!(last.header("cache-control"), if is_old { FOR_GOOD } else { Some("no-store") });
        !is_old
    });
    assert_eq!(last.text(), "let six;\n");
    assert_eq!(urls(&site).1, url, "the page is as old as the site");
}

fn a_large_file_has_a_version_too() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let asset = folder.path().join("content/assets/app.js");
    fs::write(&asset, "let one;\n".repeat(400_000)).unwrap();
    let site = Options::default().serve(folder);
    let (_, url) = urls(&site);
    // What changed of late may change again without a sign of it.
    until("that it is what it is", || {
        let file = with(&site, &url, &[("range", "bytes=0-7")]);
        assert_eq!((file.status, file.text()), (206, "let one;"));
        assert!([FOR_GOOD, Some("no-store")].contains(&file.header("cache-control")));
        file.header("cache-control") == FOR_GOOD
    });
    let file = site.get(&url);
    assert_eq!((file.status, file.header("cache-control"), file.body.len()), (200, FOR_GOOD, 3_600_000));
    assert_eq!(site.request("HEAD", &url, &[], b"").header("cache-control"), FOR_GOOD);
    assert_eq!(site.get(&other(&url)).header("cache-control"), Some("no-store"));
    assert_eq!(site.get("/assets/app.js").header("cache-control"), Some("no-cache"));
    let modified = fs::metadata(&asset).unwrap().modified().unwrap();
    let mut open = File::options().write(true).open(&asset).unwrap();
    open.write_all(b"let six;").unwrap();
    open.set_modified(modified).unwrap();
    let changed = site.get(&url);
    assert_eq!((changed.header("cache-control"), &changed.body[..8]), (Some("no-store"), &b"let six;"[..]));
}

fn codings_made_beforehand_are_in_the_version() {
    let site = Site::start(ARCHIVE);
    let (_, url) = urls(&site);
    let beside = site.folder().path().join("content/assets/app.js.br");
    fs::write(&beside, "what it is in brotli").unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    File::options().write(true).open(&beside).unwrap().set_modified(later).unwrap();
    reload(&site);
    let (_, coded) = urls(&site);
    assert_ne!(coded, url);
    until("the coding", || {
        let file = with(&site, &coded, &[("accept-encoding", "br")]);
        file.header("content-encoding") == Some("br")
            && file.text() == "what it is in brotli"
            && file.header("cache-control") == FOR_GOOD
    });
    assert_eq!(with(&site, &url, &[("accept-encoding", "br")]).header("cache-control"), Some("no-store"));
}

fn names_are_written_as_urls() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    folder.write("content/assets/é b&c.svg", "<svg/>");
    folder.write("content/assets/LICENSE", "free");
    folder.write("content/assets/a.tar.gz", "tar");
    folder.write("site.toml", "[site]\nurl = \"https://site.example\"\ntrailing-slash = \"always\"\n");
    folder.write(
        "layouts/page.html",
        "<img src=\"{{ 'é b&c.svg' | asset_url }}\"><a href=\"{{ 'LICENSE' | asset_url }}\"><a href=\"{{ 'a.tar.gz' | asset_url }}\">\
         <a href=\"{{ 'app.js' | asset_url | absolute_url }}\"><a href=\"{{ 'font.woff2' | asset_url }}?a=1#b\">",
    );
    let site = Options::default().serve(folder);
    let host = [("host", "site.example")];
    let page = with(&site, "/", &host).text().to_owned();
    let (image, links) = (all(&page, "src").remove(0), all(&page, "href"));
    assert!(image.starts_with("/assets/%C3%A9%20b&amp;c.") && image.split('.').next_back() == Some("svg"), "{image}");
    assert!(links[0].starts_with("/assets/LICENSE.") && links[0].len() == "/assets/LICENSE.".len() + 12, "{page}");
    assert!(links[1].starts_with("/assets/a.tar.") && links[1].split('.').next_back() == Some("gz"), "{page}");
    let absolute = links[2].strip_prefix("https://site.example").unwrap_or_else(|| panic!("{page}"));
    assert!(links[3].ends_with(".woff2?a=1#b"), "{page}");
    for url in [&image.replace("&amp;", "&"), &links[0], &links[1], absolute, links[3].trim_end_matches("#b")] {
        let file = with(&site, url, &host);
        assert_eq!((file.status, file.header("cache-control")), (200, FOR_GOOD), "{url}");
    }
    let license = with(&site, &links[0], &host);
    assert_eq!(license.header("content-type"), Some("application/octet-stream"));
}

fn a_value_may_name_a_file() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    folder.write("routes/index.toml", "layout = \"page.html\"\n[query.file]\n");
    folder.write("layouts/page.html", "<img src=\"{{ query.file | asset_url }}\">");
    let site = Options::default().serve(folder);
    let image = |file: &str| all(site.get(&format!("/?file={file}")).text(), "src").remove(0);
    for name in ["app.js", "css/back.svg", "/assets/css/back.svg"] {
        let url = image(name);
        assert_eq!((site.get(&url).status, site.get(&url).header("cache-control")), (200, FOR_GOOD), "{name}: {url}");
    }
    for name in ["", "none.js", "../site.toml", "//evil.example/a.js", "javascript:alert(1)", "/assets/none.js", "css"]
    {
        assert_eq!(image(name), "", "{name}");
    }
    let (page, url) = (site.get("/?file=none.js"), image("app.js"));
    site.folder().write("content/assets/app.js", "let two;\n");
    reload(&site);
    assert_ne!(image("app.js"), url);
    // Which file a value will name is not known: all of them are what such a page is made of.
    let tag = page.header("etag").unwrap();
    assert_eq!(with(&site, "/?file=none.js", &[("if-none-match", tag)]).status, 200);
}

fn what_only_some_may_have_has_its_plain_url() {
    for route in [
        "cache = { no-store = true }",
        "cache = { private = true, max-age = \"1h\" }",
        "guard = { require = \"user\" }",
        "params.file = { max-length = 20 }",
    ] {
        let folder = Folder::new();
        folder.unpack(ARCHIVE);
        folder.write("site.toml", "[auth.basic]\nrealm = \"staff\"\nusers = \"users\"\n");
        folder.write("users", USERS);
        folder.write("routes/assets.toml", &format!("path = \"/assets/{{*file}}\"\nfiles = \"assets\"\n{route}\n"));
        let site = Options::default().serve(folder);
        assert_eq!(urls(&site), ("/assets/css/site.css".to_owned(), "/assets/app.js".to_owned()), "{route}");
        assert_ne!(site.get("/assets/app.js").header("cache-control"), FOR_GOOD, "{route}");
        assert!([401, 404].contains(&site.get("/assets/app.000000000000.js").status), "{route}");
    }
}

fn what_a_section_may_know_people_by_has_its_plain_url() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    fs::remove_file(folder.path().join("routes/assets.toml")).unwrap();
    folder.write("routes/files/assets.toml", "path = \"/assets/{*file}\"\nfiles = \"assets\"\n");
    let rule = "[cookies.member]\n[[rules]]\nif = \"cookies.member == nil\"\nthen = { status = 403 }\n";
    folder.write("routes/files/_section.toml", rule);
    let site = Options::default().serve(folder);
    assert_eq!(urls(&site), ("/assets/css/site.css".to_owned(), "/assets/app.js".to_owned()));
    let told = site.get("/assets/app.js").header("cache-control").unwrap_or_default().to_owned();
    assert!(told.contains("private"), "{told}");
}

fn no_network_keeps_another_version() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let fields =
        "headers = { surrogate-control = \"max-age=86400\", cloudflare-cdn-cache-control = \"max-age=86400\" }";
    folder.write("routes/assets.toml", &format!("path = \"/assets/{{*file}}\"\nfiles = \"assets\"\n{fields}\n"));
    let site = Options::default().serve(folder);
    let (_, url) = urls(&site);
    let told = |url: &str| {
        let answer = site.get(url);
        ["surrogate-control", "cloudflare-cdn-cache-control"].map(|name| answer.header(name).map(str::to_owned))
    };
    let kept = Some("max-age=86400".to_owned());
    assert_eq!(told(&url), [kept.clone(), kept]);
    assert_eq!(told(&other(&url)), [None, None]);
}

fn a_route_of_that_url_goes_first() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    folder.write("routes/own.toml", "path = \"/assets/app.000000000000.js\"\njson = { own = true }\n");
    folder.write("routes/rest.toml", "path = \"/assets/{file}\"\njson = { file = \"{params.file}\" }\n");
    folder.write("content/assets/app.111111111111.js", "a file of its own");
    let site = Options::default().serve(folder);
    assert_eq!(site.get("/assets/app.000000000000.js").text(), "{\"own\":true}");
    let file = site.get("/assets/app.111111111111.js");
    assert_eq!((file.text(), file.header("cache-control")), ("a file of its own", Some("no-cache")));
    // Whoever answers everything may know a file of that name, as an older site that is taken over does.
    for name in ["app.222222222222.js", "no.222222222222.js"] {
        assert_eq!(site.get(&format!("/assets/{name}")).text(), format!("{{\"file\":\"{name}\"}}"));
    }
    assert_eq!(site.get("/assets/none").text(), "{\"file\":\"none\"}");
}

fn error_pages_have_them() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    folder.write("site.toml", "[defaults.errors]\n404 = \"404.html\"\n");
    folder.write("layouts/404.html", "<link rel=\"stylesheet\" href=\"{{ 'css/site.css' | asset_url }}\">");
    let site = Options::default().set("server.watch=false").serve(folder);
    let style = || all(site.get("/none").text(), "href").remove(0);
    assert_eq!(style(), urls(&site).0);
    let before = style();
    site.folder().write("content/assets/css/site.css", "p {}\n");
    reload(&site);
    assert_ne!(style(), before);
    until("the new file", || site.get(&style()).header("cache-control") == FOR_GOOD);
}

fn a_bundle_has_the_same() {
    let site = Site::start(ARCHIVE);
    let to = Folder::new();
    let output = to.path().join("shop");
    let config = site.folder().path().join("site.toml");
    let bundled = binary().arg("--config").arg(config).arg("bundle").arg("--output").arg(output).output().unwrap();
    assert!(bundled.status.success(), "{}", String::from_utf8_lossy(&bundled.stderr));
    let program = Options::default().serve_program(to, "shop");
    assert_eq!(urls(&program), urls(&site));
    let (_, url) = urls(&program);
    let (inside, outside) = (program.get(&url), site.get(&url));
    assert_eq!((inside.status, inside.header("cache-control")), (200, FOR_GOOD));
    assert_eq!((&inside.body, inside.header("etag")), (&outside.body, outside.header("etag")));
    assert_eq!(program.get(&other(&url)).header("cache-control"), Some("no-store"));
}
