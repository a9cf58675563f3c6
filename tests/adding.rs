//! `siteserver new route` and `new source`: what they write is accepted, answers what it says, and nothing that is there is touched.

use crate::new::{files, is_sound, made, refused, said};
use crate::support::SAFETY_NET;
use crate::support::site::{Folder, Options, Site, binary};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;

crate::cases!(
    a_route_of_each_kind_is_sound_and_answers,
    a_taken_url_and_a_file_that_is_there_are_left_alone,
    a_route_in_a_site_without_anything_is_a_whole_page,
    a_site_that_is_not_sound_says_so_and_keeps_the_files,
    every_starter_takes_new_routes,
    a_proposed_source_is_accepted_and_takes_what_was_there,
    a_source_goes_into_a_route_as_it_stands,
    a_source_is_asked_for_as_the_site_would_ask,
    what_cannot_be_proposed_is_explained,
    a_credential_is_sent_and_written_nowhere,
    what_can_be_refused_is_refused_before_the_call,
    letters_of_all_languages_name_files,
    a_file_of_another_url_is_said_to_be_one,
    what_could_not_be_written_whole_leaves_nothing,
    routes_of_one_host_stay,
);

fn a_route_of_each_kind_is_sound_and_answers() {
    let (_folder, site) = made("minimal");
    let settings = fs::read_to_string(site.join("site.toml")).expect("text");
    let settings = format!("{settings}\n[upstreams.old]\nbase-url = \"https://old.example.com\"\n");
    fs::write(site.join("site.toml"), settings).expect("a file");
    for (arguments, written) in [
        (&["/legacy/{*rest}", "--kind", "proxy"][..], &["routes/legacy.toml"][..]),
        (&["/about"], &["routes/about.toml", "layouts/about.html"]),
        (&["/shop/{sku}"], &["routes/shop/sku.toml", "layouts/shop/sku.html"]),
        (&["/events/{year}/{slug}"], &["routes/events/year/slug.toml", "layouts/events/year/slug.html"]),
        (&["/docs/{*page}"], &["routes/docs.toml", "content/docs/index.md", "layouts/page.html"]),
        (&["/api/hello"], &["routes/api/hello.toml"]),
        (&["/api/things/{id}"], &["routes/api/things/id.toml"]),
        (&["/downloads/{*file}"], &["routes/downloads.toml", "content/downloads/example.txt"]),
        (&["/feed.xml"], &["routes/feed.toml", "layouts/feed.xml"]),
        (&["/help", "--kind", "document"], &["routes/help.toml", "content/help.md"]),
        (&["/status", "--kind", "json"], &["routes/status.toml"]),
        (&["/from", "--kind", "redirect"], &["routes/from.toml"]),
        (
            &["/contact", "--kind", "form"],
            &["routes/contact.toml", "layouts/contact.html", "layouts/contact-thanks.html"],
        ),
    ] {
        let before = files(&site);
        let told = said(&site, &[&["new", "route"], arguments].concat());
        for path in written {
            assert!(told.contains(&format!("wrote {path}\n")), "{arguments:?}: {told}");
        }
        assert!(told.contains("the site is sound"), "{told}");
        is_sound(&site);
        let mut after = files(&site);
        for path in written {
            let text = String::from_utf8(after.remove(*path).expect(path)).expect("text");
            if path.starts_with("routes/") {
                let place = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("its schema");
                assert!(site.join(path).parent().expect("a folder").join(place).is_file(), "{path}: {place}");
            }
        }
        assert_eq!(after, before, "{arguments:?} writes nothing else");
    }
    let served = Options::default().serve(Folder::copy_of_site(&site));
    for (path, shown) in [
        ("/about", "<h1>About</h1>"),
        ("/shop/A-1", "<h1>Sku A-1</h1>"),
        ("/events/2026/spring-fair", "<h1>Slug 2026 spring-fair</h1>"),
        ("/docs", "<h1>Docs</h1>"),
        ("/api/hello", "{\"message\":\"Hello\"}"),
        ("/api/things/7", "{\"id\":7}"),
        ("/downloads/example.txt", "Put files here"),
        ("/feed.xml", "<title>Feed</title>"),
        ("/help", "<h1>Help</h1>"),
        ("/status", "{\"message\":\"Hello\"}"),
        ("/contact", "<form method=\"post\">"),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains(shown), "{path}: {}", answer.text());
    }
    for path in ["/shop/no%20sku", "/events/26/spring", "/api/things/zero", "/api/things/0"] {
        assert_eq!(served.get(path).status, 404, "{path} does not fit");
    }
    assert_eq!(served.get("/from").header("location"), Some("/"));
    let send = |body: &str| {
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        served.request("POST", "/contact", &fields, body.as_bytes())
    };
    let answer = send("email=a%40example.com&text=Hello");
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("Thank you"), "{}", answer.text());
    let answer = send("email=a&text=Hello");
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("Please tell us where to answer.") && answer.text().contains("Hello</textarea>"));
}

fn a_taken_url_and_a_file_that_is_there_are_left_alone() {
    let (_folder, site) = made("shop");
    let before = files(&site);
    for (path, why) in [
        ("/", "routes/index.toml answers `/` already"),
        ("/teas/{name}", "routes/product.toml answers `/teas/{name}` already"),
        ("/api/products/", "routes/api/products/index.toml answers `/api/products` already"),
        ("/assets/site.css", "routes/assets.toml answers `/assets/site.css` already"),
        ("/product", "`routes/product.toml` is there already"),
        ("/assets/{*file}", "`routes/assets.toml` answers `/assets/{*file}` already"),
        ("/{*rest}", "with a route at `/{*rest}` the site could not be served: nothing was written"),
        ("about", "a path begins with `/`"),
        ("/a?b=c", "a path has no query"),
        ("/a//b", "a path has no empty segments"),
    ] {
        let (code, told) = refused(&site, &["new", "route", path]);
        assert_eq!(code, Some(1), "{path}");
        assert!(told.contains(why), "{path}: {told}");
    }
    let (_, told) = refused(&site, &["new", "route", "/{*rest}"]);
    assert!(told.contains("error[route/same-path]"), "{told}");
    let (_, told) = refused(&site, &["new", "route", "/old", "--kind", "proxy"]);
    assert!(told.contains("write `/old/{*rest}`"), "{told}");
    let (_, told) = refused(&site, &["new", "route", "/old/{*rest}", "--kind", "proxy"]);
    assert!(told.contains("[upstreams.old]"), "{told}");
    assert_eq!(files(&site), before);
    // What a parameter has answered gives way, and that is said.
    let output = binary().current_dir(&site).args(["new", "route", "/teas/XX-100"]).output().expect("the binary");
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("routes/product.toml has answered `/teas/XX-100` so far"), "{told}");
    // A layout that is there is used.
    fs::write(site.join("layouts/about.html"), "<!doctype html>\n<title>{{ page.title }}</title>\n").expect("a file");
    let told = said(&site, &["new", "route", "/about"]);
    assert!(told.contains("left layouts/about.html as it is"), "{told}");
    let nowhere = Folder::new();
    let (_, told) = refused(nowhere.path(), &["new", "route", "/about"]);
    assert!(told.contains("there is no site at `./site.toml`"), "{told}");
    assert!(files(nowhere.path()).is_empty());
}

fn a_route_in_a_site_without_anything_is_a_whole_page() {
    let folder = Folder::new();
    folder.write("site.toml", "");
    said(folder.path(), &["new", "route", "/"]);
    let text = fs::read_to_string(folder.path().join("routes/index.toml")).expect("text");
    assert!(text.starts_with("# /: "), "no schema is there to be named: {text}");
    is_sound(folder.path());
    let served = Options::default().serve(Folder::copy_of_site(folder.path()));
    assert!(served.get("/").text().starts_with("<!doctype html>\n<html lang=\"en\">"));
}

fn a_site_that_is_not_sound_says_so_and_keeps_the_files() {
    let (_folder, site) = made("minimal");
    fs::write(site.join("routes/broken.toml"), "layuot = \"a.html\"\n").expect("a file");
    let output = binary().current_dir(&site).args(["new", "route", "/about"]).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("wrote routes/about.toml") && !told.contains("config/unknown-key"), "{told}");
    let verdict = "nothing is wrong with what is new; as before: 1 error, which `siteserver check` shows; the site cannot be served\n";
    assert!(told.ends_with(verdict), "{told}");
    assert!(site.join("layouts/about.html").is_file());
    // What is new is shown, and nothing else.
    fs::write(site.join("layouts/news.html"), "{{ nothing.at.all }}\n").expect("a file");
    let output = binary().current_dir(&site).args(["new", "route", "/news"]).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("layouts/news.html") && !told.contains("config/unknown-key"), "{told}");
    assert!(told.contains("new: 1 ") && told.contains("as before: 1 error,"), "{told}");
    // A rival is named whatever is wrong with others.
    let (code, told) = refused(&site, &["new", "route", "/about"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("routes/about.toml answers `/about` already"), "{told}");
}

fn every_starter_takes_new_routes() {
    for starter in ["shop", "blog", "api", "docs"] {
        let (_folder, site) = made(starter);
        for path in ["/news", "/news/{slug}", "/manual/{*page}", "/api/hello"] {
            said(&site, &["new", "route", path]);
            is_sound(&site);
        }
    }
}

/// An upstream with data of several kinds.
fn upstream() -> Site {
    Options::default().start(
        r#"
-- site.toml --
-- routes/data.toml --
path = "/data/{*file}"
files = "data"
[cache]
max-age = "60s"
public = true
-- routes/echo.toml --
path = "/shop/{id}/item"
json = { id = "{params.id}", token = "{request.headers.authorization}", plan = "{query.plan}" }
query.plan = {}
-- routes/moved.toml --
path = "/moved"
redirect = "/data/products.json"
-- routes/page.toml --
path = "/page"
layout = "page.html"
-- layouts/page.html --
<p>Hello</p>
-- content/data/products.json --
{ "total": 3, "nextPage": null, "items": [
  { "id": 1, "name": "Anvil \"A\"", "price": 12, "createdAt": "2026-01-02", "shop": { "url": "https://a.example/1" }, "tags": ["x"] },
  { "id": 2, "name": "Bolt", "price": 0.5, "createdAt": "2026-01-03T04:05:06Z", "shop": { "url": "https://a.example/2" }, "tags": [], "in-stock": true },
  { "id": 3, "name": "Clamp", "price": 7, "createdAt": "2026-01-04", "shop": { "url": "https://a.example/3" }, "tags": ["y", "z"], "note": null }
] }
-- content/data/content.json --
[{ "contains": 1, "größe": "L", "a'b": true }, { "contains": 2, "größe": "M", "a'b": false }]
-- content/data/prices.csv --
name,price
Anvil,12.5
Bolt,0.5
-- content/data/broken.json --
{ "a":
"#,
    )
}

/// The answer of a JSON route whose one source was proposed, and goes into the route by `--into`.
fn taken(url: &str, name: &str, more: &[&str]) -> (Value, String) {
    let folder = Folder::new();
    folder.write("site.toml", "");
    folder.write("routes/index.toml", &format!("# Mine.\njson = \"{{{name}}}\"\n"));
    let told = said(
        folder.path(),
        &[&["new", "source", url, "--into", "routes/index.toml", "--allow-private"], more].concat(),
    );
    assert!(told.contains("the site is sound"), "{told}");
    is_sound(folder.path());
    let text = fs::read_to_string(folder.path().join("routes/index.toml")).expect("text");
    assert!(text.starts_with(&format!("# Mine.\njson = \"{{{name}}}\"\n\n[sources.{name}]\n")), "{text}");
    let served = Options::default().serve(Folder::copy_of_site(folder.path()));
    let answer = served.get("/");
    assert_eq!(answer.status, 200, "{text}");
    (serde_json::from_str(answer.text()).expect("JSON"), text)
}

fn a_proposed_source_is_accepted_and_takes_what_was_there() {
    let upstream = upstream();
    let data = |file: &str| format!("http://{}/data/{file}", upstream.address());
    let (value, text) = taken(&data("products.json"), "products", &[]);
    assert!(text.contains("# cache = { max-age = \"60s\""), "{text}");
    assert!(text.contains("name = { select = \"$.name\", required = true }"), "{text}");
    let item = |id: u32, name: &str, price: Value, at: &str, tags: Value, stock: bool| {
        json!({ "id": id, "name": name, "price": price, "created_at": at, "shop_url": format!("https://a.example/{id}"),
            "tags": tags, "in_stock": stock, "note": null })
    };
    assert_eq!(
        value,
        json!({ "total": 3, "next_page": null, "items": [
            item(1, "Anvil \"A\"", json!(12), "2026-01-02", json!(["x"]), false),
            item(2, "Bolt", json!(0.5), "2026-01-03T04:05:06Z", json!([]), true),
            item(3, "Clamp", json!(7), "2026-01-04", json!(["y", "z"]), false),
        ] })
    );
    let (value, _) = taken(&data("content.json"), "content_data", &[]);
    assert_eq!(
        value,
        json!([{ "contains_value": 1, "gr_e": "L", "a_b": true }, { "contains_value": 2, "gr_e": "M", "a_b": false }])
    );
    let (value, text) = taken(&data("prices.csv"), "prices", &[]);
    assert!(text.contains("format = \"csv\""), "{text}");
    assert_eq!(value, json!([{ "name": "Anvil", "price": 12.5 }, { "name": "Bolt", "price": 0.5 }]));
}

fn a_source_goes_into_a_route_as_it_stands() {
    let upstream = upstream();
    let url = format!("http://{}/data/products.json", upstream.address());
    let folder = Folder::new();
    folder.write("site.toml", "");
    let ask = |more: &[&str]| [&["new", "source", &url, "--allow-private"], more].concat().join("\n");
    let refuse = |text: &str, more: &[&str]| {
        folder.write("routes/index.toml", text);
        let arguments = ask(&[&["--into", "routes/index.toml"], more].concat());
        let (code, told) = refused(folder.path(), &arguments.split('\n').collect::<Vec<_>>());
        assert_eq!(code, Some(1));
        assert_eq!(fs::read_to_string(folder.path().join("routes/index.toml")).expect("text"), text);
        told
    };
    let told = refuse("json = 1\n[sources.products]\nvalue = 1\n", &[]);
    assert!(told.contains("has a source `products` already: --name"), "{told}");
    let told = refuse("json = 1\nsources = { other = { value = 1 } }\n", &[]);
    assert!(told.contains("cannot stand at the end") && told.contains("without --into"), "{told}");
    let told = refuse("json = \n", &[]);
    assert!(told.contains("is not TOML as it stands"), "{told}");
    let told = refuse("json = 1\n", &["--name", "Content"]);
    assert!(told.contains("`Content` is no name for a source"), "{told}");
    let told = refuse("json = 1\n", &["--name", "content"]);
    assert!(told.contains("`content` is no name for a source"), "{told}");
    let arguments = ask(&["--into", "routes/none.toml"]);
    let (_, told) = refused(folder.path(), &arguments.split('\n').collect::<Vec<_>>());
    assert!(told.contains("there is no route file `routes/none.toml`"), "{told}");
    folder.write("routes/index.toml", "json = \"{wares.total}\" # mine\n[vars]\na = 1");
    let arguments = ask(&["--into", "routes/index.toml", "--name", "wares"]);
    said(folder.path(), &arguments.split('\n').collect::<Vec<_>>());
    let text = fs::read_to_string(folder.path().join("routes/index.toml")).expect("text");
    assert!(text.starts_with("json = \"{wares.total}\" # mine\n[vars]\na = 1\n\n[sources.wares]\n"), "{text}");
}

fn a_source_is_asked_for_as_the_site_would_ask() {
    let upstream = upstream();
    let origin = format!("http://{}", upstream.address());
    let here = Path::new("/");
    let (code, told) = refused(here, &["new", "source", &format!("{origin}/data/products.json")]);
    assert_eq!(code, Some(1));
    assert!(told.contains("--allow-private") && told.contains("allow-private = true"), "{told}");
    let folder = Folder::new();
    folder.write(
        "site.toml",
        &format!(
            "[upstreams.shop]\nbase-url = \"{origin}/shop\"\nallow-private = true\nheaders = {{ authorization = \"Bearer {{env.TOKEN}}\" }}\nquery = {{ plan = \"gold\" }}\n"
        ),
    );
    let mut command = binary();
    let url = format!("{origin}/shop/{{params.id}}/item");
    let output = command
        .current_dir(folder.path())
        .env("TOKEN", "a-secret-of-ours")
        .args(["new", "source", &url, "--param", "id=7"])
        .output()
        .expect("the binary");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let begins = "[sources.item_data]\nupstream = \"shop\"\npath = \"/{params.id}/item\"\ntimeout = ";
    assert!(text.starts_with(begins), "{text}");
    assert!(!text.contains("a-secret-of-ours") && !text.contains("allow-private"), "{text}");
    assert!(text.contains("extract.token = \"$.token\"") && text.contains("extract.plan = \"$.plan\""), "{text}");
    let log = upstream.wait_for_access(|line| line.contains("/shop/7/item"));
    assert!(log.contains("\"status\":200"), "{log}");
    let (_, told) = refused(folder.path(), &["new", "source", &url]);
    assert!(told.contains("--param id=VALUE"), "{told}");
    let arguments = [
        "new",
        "source",
        &url,
        "--param",
        "id=7",
        "--header",
        "Authorization: Bearer of-mine",
        "--header",
        "X-Kind: {a}",
        "--header",
        "Cookie: session=of-mine; theme=dark",
    ];
    let text = said(folder.path(), &arguments);
    assert!(text.contains("headers.authorization = \"Bearer {env.AUTHORIZATION}\"\n"), "{text}");
    assert!(text.contains("forward-cookies = [\"session\", \"theme\"]\n"), "{text}");
    assert!(
        text.contains("headers.x-kind = \"{'{'}a}\"\n") || text.contains("headers.x-kind = \"{'{'}a{'}'}\"\n"),
        "{text}"
    );
    assert!(!text.contains("of-mine"), "{text}");
}

fn what_cannot_be_proposed_is_explained() {
    let upstream = upstream();
    let origin = format!("http://{}", upstream.address());
    let ask = |path: &str| refused(Path::new("/"), &["new", "source", &format!("{origin}{path}"), "--allow-private"]).1;
    for (path, why) in [
        ("/page", "answers with a page of HTML"),
        ("/none", "answers 404"),
        ("/moved", "it leads to `/data/products.json`"),
        ("/data/broken.json", "cannot be read as json"),
    ] {
        assert!(ask(path).contains(why), "{path}: {}", ask(path));
    }
    drop(upstream);
    assert!(ask("/page").contains("unreachable"));
    for url in ["products", "ftp://example.com/a", "http://"] {
        let (code, told) = refused(Path::new("/"), &["new", "source", url]);
        assert_eq!(code, Some(1), "{told}");
    }
}

fn a_credential_is_sent_and_written_nowhere() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (told, asked) = channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).expect("text");
            let (status, body) = match head.split(' ').nth(1).expect("a target") {
                target if target.starts_with("/moved") => ("302 Found\r\nLocation: /elsewhere?api_key=keyOfOurs", ""),
                target if target.starts_with("/echo") => ("200 OK", "{\"id\":7}"),
                _ => ("404 Not Found", ""),
            };
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
                .expect("a client");
            told.send(head).expect("a test");
        }
    });
    let asked = || {
        let head = asked.recv_timeout(SAFETY_NET).expect("a request");
        let field = head.lines().find_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned);
        let mut pairs: Vec<String> =
            head.split([' ', '?']).nth(2).expect("a query").split('&').map(str::to_owned).collect();
        pairs.sort();
        (pairs, field)
    };
    let folder = Folder::new();
    folder.write("site.toml", "");
    folder.write("routes/index.toml", "json = \"{seen}\"\n");
    let url = format!(
        "http://a-name:of-ours-alone@{address}/echo/7?plan=gold&api_key=k%2FeyOfOurs&token={{env.TOKEN_OF_OURS}}#part"
    );
    let arguments = ["new", "source", &url, "--allow-private", "--name", "seen", "--into", "routes/index.toml"];
    let output =
        binary().current_dir(folder.path()).args(arguments).env("TOKEN_OF_OURS", "token-in-the-environment").output();
    let output = output.expect("the binary");
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(folder.path().join("routes/index.toml")).expect("text");
    for line in [
        &format!("url = \"http://{address}/echo/7?plan=gold\"\n"),
        "headers.authorization = \"Basic {env.AUTHORIZATION}\"\n",
        "query.api_key = \"{env.API_KEY}\"\n",
        "query.token = \"{env.TOKEN_OF_OURS}\"\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(told.contains("`API_KEY`") && told.contains("`AUTHORIZATION`") && told.contains("base64"), "{told}");
    let all = [text, told, String::from_utf8(output.stdout).expect("text")].concat();
    for secret in ["OfOurs", "a-name", "of-ours-alone", "token-in-the", "YS1uYW1l"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    // With the variables set, the site asks as it was asked here.
    let served = Options::default()
        .env("API_KEY", "k/eyOfOurs")
        .env("AUTHORIZATION", "YS1uYW1lOm9mLW91cnMtYWxvbmU=")
        .env("TOKEN_OF_OURS", "token-in-the-environment")
        .serve(Folder::copy_of_site(folder.path()));
    let first = asked();
    assert_eq!(first.0, ["api_key=k%2FeyOfOurs", "plan=gold", "token=token-in-the-environment"]);
    assert_eq!(first.1.as_deref(), Some("Basic YS1uYW1lOm9mLW91cnMtYWxvbmU="));
    assert_eq!(served.get("/").text(), "{\"id\":7}");
    assert_eq!(asked(), first);
    // No error repeats one.
    for (path, why) in [("/moved?api_key=keyOfOurs", "it leads to"), ("/none?api_key=keyOfOurs", "answers 404")] {
        let (_, told) =
            refused(folder.path(), &["new", "source", &format!("http://{address}{path}"), "--allow-private"]);
        assert!(told.contains(why) && !told.contains("keyOfOurs"), "{told}");
    }
    for url in ["http://me:p/ssOfOurs@host/x", "ftp://me:passOfOurs@host/x?key=OfOurs", "x?token=OfOurs"] {
        let (_, told) = refused(folder.path(), &["new", "source", url]);
        assert!(!told.contains("OfOurs"), "{told}");
    }
    let (_, told) = refused(folder.path(), &["new", "source", "http://a.example/?token={env.NOT_SET_AT_ALL}"]);
    assert!(told.contains("`NOT_SET_AT_ALL` is not set"), "{told}");
    for field in ["Host: x", "Connection: close", "No field OfOurs", "X-Token: a\u{7}OfOurs"] {
        let (_, told) = refused(folder.path(), &["new", "source", "http://a.example/", "--header", field]);
        assert!(!told.contains("OfOurs") && !told.contains("fetched"), "{told}");
    }
}

fn what_can_be_refused_is_refused_before_the_call() {
    let upstream = upstream();
    let url = format!("http://{}/data/products.json", upstream.address());
    let folder = Folder::new();
    folder.unpack("-- site/site.toml --\n-- site/content/x.toml --\na = 1\n-- other.toml --\na = 1\n-- site/routes/index.toml --\njson = 1\n-- site/routes/notes.txt --\n-- site/routes/broken.toml --\njson =\n-- site/routes/has.toml --\njson = 1\n[sources.products]\nvalue = 1\n");
    std::os::unix::fs::symlink("../../other.toml", folder.path().join("site/routes/link.toml")).expect("a link");
    let site = folder.path().join("site");
    let before = files(folder.path());
    for (file, why) in [
        ("site.toml", "is no route of this site"),
        ("content/x.toml", "is no route of this site"),
        ("../other.toml", "is no route of this site"),
        ("routes/../../other.toml", "is no route of this site"),
        ("routes/link.toml", "is no route of this site"),
        ("routes/notes.txt", "is no route of this site"),
        ("routes/none.toml", "there is no route file"),
        ("routes/broken.toml", "is not TOML as it stands"),
        ("routes/has.toml", "has a source `products` already"),
    ] {
        let (code, told) = refused(&site, &["new", "source", &url, "--allow-private", "--into", file]);
        assert_eq!(code, Some(1));
        assert!(told.contains(why), "{file}: {told}");
    }
    let nowhere = Folder::new();
    nowhere.write("routes/index.toml", "json = 1\n");
    let (_, told) = refused(nowhere.path(), &["new", "source", &url, "--allow-private", "--into", "routes/index.toml"]);
    assert!(told.contains("there is no site at"), "{told}");
    assert_eq!(files(folder.path()), before);
    // Nobody was asked but by this.
    let last = ["new", "source", &url, "--allow-private", "--into", "routes/index.toml", "--name", "last"];
    let output = binary().current_dir(&site).args(last).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1), "the site is as broken as before: {output:?}");
    upstream.wait_for_access(|line| line.contains("products.json"));
    assert_eq!(upstream.access_log().lines().filter(|line| line.contains("products.json")).count(), 1);
}

fn letters_of_all_languages_name_files() {
    let (_folder, site) = made("minimal");
    for (path, file) in [
        ("/café", "café"),
        ("/%C3%BCber/größe", "über/größe"),
        ("/日本", "日本"),
        ("/हिन्दी", "हिन्दी"),
        ("/caf-", "caf-"),
    ] {
        let told = said(&site, &["new", "route", path]);
        assert!(told.contains(&format!("wrote routes/{file}.toml\n")), "{path}: {told}");
        is_sound(&site);
    }
    // A quotation mark is one in a URL, and none of TOML's.
    said(&site, &["new", "route", "/a\"b"]);
    is_sound(&site);
    let served = Options::default().serve(Folder::copy_of_site(&site));
    for path in [
        "/caf%C3%A9",
        "/%C3%BCber/gr%C3%B6%C3%9Fe",
        "/%E6%97%A5%E6%9C%AC",
        "/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80",
        "/caf-",
        "/a%22b",
    ] {
        assert_eq!(served.get(path).status, 200, "{path}");
    }
}

fn a_file_of_another_url_is_said_to_be_one() {
    let (_folder, site) = made("minimal");
    said(&site, &["new", "route", "/feed"]);
    let before = files(&site);
    let (code, told) = refused(&site, &["new", "route", "/feed.xml"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`routes/feed.toml` is there already, and answers `/feed`: call that file otherwise, with `path = \"/feed\"` in it"), "{told}");
    assert_eq!(files(&site), before);
    // Which is then done.
    let text = fs::read_to_string(site.join("routes/feed.toml"))
        .expect("text")
        .replace("layout =", "path = \"/feed\"\nlayout =");
    fs::write(site.join("routes/feed-page.toml"), text).expect("a file");
    fs::remove_file(site.join("routes/feed.toml")).expect("a file");
    said(&site, &["new", "route", "/feed.xml"]);
    is_sound(&site);
}

fn what_could_not_be_written_whole_leaves_nothing() {
    let folder = Folder::new();
    folder.write("site.toml", "");
    folder.write("layouts", "no folder");
    let before = files(folder.path());
    let (code, told) = refused(folder.path(), &["new", "route", "/a/b/c"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("nothing was written") && told.contains("`layouts/a/b`"), "{told}");
    assert_eq!(files(folder.path()), before);
    assert!(!folder.path().join("routes").exists(), "no folder is left");
}

fn routes_of_one_host_stay() {
    let folder = Folder::new();
    folder.unpack(
        "-- site.toml --\n[site]\nurl = \"https://www.example.com\"\n-- routes/de.toml --\npath = \"/about\"\nhost = \"de.example.com\"\njson = 1\n",
    );
    let output = binary().current_dir(folder.path()).args(["new", "route", "/about", "--kind", "json"]).output();
    let output = output.expect("the binary");
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("routes/de.toml answers `/about` at `de.example.com`, as before"), "{told}");
    is_sound(folder.path());
}
