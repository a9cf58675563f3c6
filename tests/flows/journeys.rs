//! People with a real browser: from the front page to the account and out again, with scripts and without; and what other sites make a browser
//! send, none of which is taken. The scripts are in `tests/browser`; their pictures go to `target/screenshots`.
//!
//! Needs Chromium, Node and `playwright-core`: `script/test` installs them.

use crate::support::accounts::{Accounts, Example, FORM, urlencoded};
use crate::support::http::Connection;
use crate::support::site::Site;
use crate::support::tools;
use std::path::Path;
use std::process::{Command, Stdio};

crate::cases!(
    an_account_from_login_to_logout,
    an_account_without_scripts,
    a_basket_in_a_browser,
    what_other_sites_make_a_browser_send,
    what_says_that_it_comes_from_elsewhere,
    what_says_that_it_comes_from_another_than_the_sites_url,
);

/// Runs a script of `tests/browser` on this site.
pub(crate) fn travel(script: &str, site: &Site, environment: &[(&str, &str)]) {
    let Some(chromium) = tools::chromium().and_then(tools::on_path) else { return tools::is_missing("chromium") };
    let Some(playwright) = std::env::var_os("PLAYWRIGHT") else {
        return tools::is_missing("playwright-core, at the path that PLAYWRIGHT says");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(root.join("tests/browser").join(script)).stdin(Stdio::null());
    node.env("PLAYWRIGHT", playwright).env("CHROMIUM", chromium).env("SITE", format!("http://{}", site.address()));
    node.envs(environment.iter().copied());
    let told = node.output().expect("node");
    let text = String::from_utf8_lossy(&told.stdout);
    print!("{text}");
    assert!(told.status.success() && text.ends_with("arrived\n"), "{text}{}", String::from_utf8_lossy(&told.stderr));
}

/// Where pictures go.
pub(crate) fn pictures() -> String {
    format!("{}/target/screenshots", env!("CARGO_MANIFEST_DIR"))
}

fn an_account_from_login_to_logout() {
    let example = Example::start("account");
    travel("account.mjs", &example.site, &[("SCREENSHOTS", &pictures())]);
}

fn an_account_without_scripts() {
    let example = Example::start("account");
    travel("account.mjs", &example.site, &[("SCRIPTS", "off")]);
}

fn a_basket_in_a_browser() {
    for scripts in ["on", "off"] {
        let example = Example::start("shop");
        travel("basket.mjs", &example.site, &[("SCREENSHOTS", &pictures()), ("SCRIPTS", scripts)]);
    }
}

fn what_other_sites_make_a_browser_send() {
    // Attempts count, too, where there is a limit.
    let Example { site, accounts, .. } =
        &Example::start_edited("account", &[("routes/login.toml", "= 20,", "= 1000,")]);
    let session = accounts.sign_in("alice");
    let session = session.strip_prefix("session=").expect("a session");
    travel("foreign.mjs", site, &[("SESSION", session)]);
    // What came from the site itself shows that the rest would have been noticed.
    let skipped = ["POST /login"].as_slice();
    let own = ["POST /login", "POST /orders", "POST /orders"].as_slice();
    let changes = accounts.changes();
    assert!(changes == own || (changes == skipped && std::env::var_os("PLAYWRIGHT").is_none()), "{changes:?}");
}

/// What is sent, where to.
const SENT: [(&str, &[(&str, &str)]); 6] = [
    ("/login", &[("name", "alice"), ("password", "alice-secret")]),
    ("/logout", &[]),
    ("/theme", &[("theme", "dark")]),
    ("/account/new", &[("sku", "FO-107"), ("count", "2")]),
    ("/account/name", &[("full_name", "Mallory")]),
    ("/account/orders/1002", &[]),
];

/// Sends everything with these fields and the session of somebody.
fn send(site: &Site, accounts: &Accounts, host: &str, fields: &[(&str, &str)], is_taken: bool) {
    let session = accounts.sign_in("alice");
    let before = accounts.changes().len();
    for (path, form) in SENT {
        let all: Vec<_> = [("host", host), FORM, ("cookie", session.as_str())].iter().chain(fields).copied().collect();
        let answer = Connection::open(site.address()).request("POST", path, &all, urlencoded(form).as_bytes());
        if is_taken {
            // What comes after the logout is the login's.
            assert!(matches!(answer.status, 303 | 302 | 422), "{path} with {fields:?}: {answer:?}");
        } else {
            assert_eq!(answer.status, 403, "{path} with {fields:?}");
            assert_eq!(answer.header("set-cookie"), None, "{path} with {fields:?}");
            assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{path} with {fields:?}");
        }
    }
    let json = [("host", host), ("cookie", session.as_str()), ("content-type", "application/json")];
    let all: Vec<_> = json.iter().chain(fields).copied().collect();
    let order = br#"{"sku":"FO-107","count":2}"#;
    let answer = Connection::open(site.address()).request("POST", "/api/orders", &all, order);
    assert_eq!(answer.status, if is_taken { 401 } else { 403 }, "/api/orders with {fields:?}");
    assert_eq!(accounts.changes().len() > before, is_taken, "what arrived with {fields:?}");
}

fn what_says_that_it_comes_from_elsewhere() {
    let Example { site, accounts, .. } =
        &Example::start_edited("account", &[("routes/login.toml", "= 20,", "= 1000,")]);
    let host = site.address().to_string();
    let (port, own) = (site.address().port(), format!("http://{host}"));
    let (other, name) = (format!("http://127.0.0.1:{}", port ^ 1), format!("http://localhost:{port}"));
    let referer = format!("{own}/account/new");
    let below = format!("{own}.evil.example");
    let (slash, user, bare) = (format!("{own}/"), format!("http://evil@{host}"), "http://127.0.0.1".to_owned());
    let two = format!("{own} {own}");
    let mut refused: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![("referer", &referer)],
        vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        vec![("origin", &own), ("origin", &own)],
        vec![("origin", &own), ("origin", "http://evil.example")],
        vec![("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        vec![("x-forwarded-host", "evil.example"), ("origin", "http://evil.example")],
        vec![("x-http-method-override", "GET"), ("origin", "http://evil.example")],
    ];
    let origins = [
        "null",
        "",
        "*",
        "evil",
        "http://",
        "http://evil.example",
        "https://evil.example",
        "file://",
        "data:",
        "about:blank",
        "chrome-extension://abc",
        "http://[::1]",
        "http://127.0.0.2",
        "http://2130706433",
        &other,
        &name,
        &below,
        &slash,
        &user,
        &bare,
        &two,
    ];
    refused.extend(origins.map(|origin| vec![("origin", origin)]));
    // What an origin of our own says does not help against what the browser says of it.
    for relation in
        ["cross-site", "same-site", "Same-Origin", "", "same-origin, cross-site", "none same-origin", "\"same-origin\""]
    {
        refused.push(vec![("sec-fetch-site", relation)]);
        refused.push(vec![("sec-fetch-site", relation), ("origin", &own), ("referer", &referer)]);
    }
    for fields in &refused {
        send(site, accounts, &host, fields, false);
    }
    let secure = format!("https://{host}");
    let loud = format!("HTTP://{host}");
    for fields in [
        vec![("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "none")],
        vec![("origin", own.as_str())],
        vec![("origin", &loud)],
        // TLS may end in front of the server.
        vec![("origin", &secure)],
    ] {
        send(site, accounts, &host, &fields, true);
    }
}

fn what_says_that_it_comes_from_another_than_the_sites_url() {
    let url = ("site.toml", "name = \"Acme Account\"", "name = \"Acme Account\"\nurl = \"https://shop.example\"");
    let edits = [url, ("routes/login.toml", "= 20,", "= 1000,")];
    let Example { site, accounts, .. } = &Example::start_edited("account", &edits);
    for origin in [
        "http://shop.example",
        "https://shop.example:8443",
        "https://www.shop.example",
        "https://shop.example.evil.example",
        "https://shop.example.",
        "https://shop.example:0443",
        "https://evil.example",
        "null",
    ] {
        send(site, accounts, "shop.example", &[("origin", origin)], false);
        // Another host is none of ours, whatever it says.
        let fields = [("host", "evil.example"), ("origin", origin), FORM];
        assert_eq!(site.request("POST", "/login", &fields, b"name=alice&password=alice-secret").status, 421);
    }
    for origin in ["https://shop.example", "https://shop.example:443", "HTTPS://SHOP.example"] {
        send(site, accounts, "shop.example", &[("origin", origin)], true);
        send(site, accounts, "shop.example:443", &[("origin", origin)], true);
    }
}
