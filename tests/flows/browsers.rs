//! A real browser on pages that hold what attackers write: nothing runs, with the policy that the server sends and without one.
//!
//! A page of the site opens each hostile page in a frame, pokes at every element of it, and asks for `/done/…` with what ran. A payload says
//! `top.ran(1)`, and a page that is known to run it shows that the test would notice. Needs Chromium: `script/test` installs it.

use super::hostile::{VECTORS, layout, places};
use super::site;
use crate::support::canary::percent;
use crate::support::fault::FaultServer;
use crate::support::proof;
use crate::support::site::Folder;
use std::process::{Child, Command, Stdio};

crate::cases!(nothing_runs_in_a_browser);

/// Looks at each page in turn.
const DRIVER: &str = r##"
const ran = new Set();
let current = "";
window.ran = () => ran.add(current);
window.alert = window.ran;
const events = ["mouseover", "mouseenter", "focus", "blur", "pointerover", "toggle", "animationstart", "error", "load", "submit", "click"];
function poke(page) {
    page.addEventListener("click", event => event.preventDefault(), true);
    page.addEventListener("submit", event => event.preventDefault(), true);
    for (const element of page.querySelectorAll("*")) {
        for (const name of ["href", "src", "action", "formAction", "data"]) {
            const value = element[name];
            const url = value && value.baseVal !== undefined ? value.baseVal : value;
            if (/^\s*(javascript|vbscript):/i.test(String(url ?? ""))) ran.add(current + " " + name);
        }
        for (const event of events) element.dispatchEvent(new Event(event, { bubbles: true, cancelable: true }));
    }
}
async function look(url) {
    current = url;
    const frame = document.createElement("iframe");
    const loaded = new Promise(resolve => { frame.onload = resolve; });
    frame.src = url;
    document.body.append(frame);
    await Promise.race([loaded, new Promise(resolve => setTimeout(resolve, 10000))]);
    const page = frame.contentDocument;
    if (!page) throw new Error("no page at " + url);
    poke(page);
    await new Promise(resolve => setTimeout(resolve, 0));
    frame.remove();
    return page.querySelectorAll("#text").length;
}
async function all() {
    let seen = 0;
    for (const target of TARGETS) seen += await look(target);
    const known = [...ran].filter(url => url.startsWith("/known"));
    const others = [...ran].filter(url => !url.startsWith("/known"));
    await fetch("/done/" + seen + "/" + known.length + "/" + encodeURIComponent(others.join(" | ").slice(0, 2000)));
}
all().catch(error => fetch("/done/error/0/" + encodeURIComponent(String(error))));
"##;

/// A browser that ends with the test.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn chromium() -> Option<&'static str> {
    let works =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works)
}

fn nothing_runs_in_a_browser() {
    let Some(chromium) = chromium() else {
        println!("skipped: needs chromium");
        return;
    };
    let fault = FaultServer::start();
    // A tenth of them each time, another tenth the next time.
    let offset = usize::try_from(std::process::id()).unwrap_or(0) % 10;
    let values =
        VECTORS.iter().skip(if proof::is_full() { 0 } else { offset }).step_by(if proof::is_full() { 1 } else { 10 });
    let values: Vec<String> = values.map(|value| percent(&value.replace("alert(1)", "top.ran(1)"))).collect();
    let routes = ["/query", "/data", "/markdown"];
    for csp in ["", "[defaults]\ncsp = false\n"] {
        let targets = values.iter().flat_map(|value| routes.map(|route| format!("{route}?v={value}")));
        let known = [format!("/known?v={}", percent("<img src=x onerror=top.ran(1)>"))];
        let targets: Vec<String> = targets.chain(known).collect();
        let files = format!(
            "{csp}-- routes/query.toml --\nlayout = \"query.html\"\n[query.v]\n\
             -- routes/known.toml --\nlayout = \"known.html\"\n[query.v]\n\
             -- routes/data.toml --\nlayout = \"data.html\"\n[query.v]\n[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nquery = {{ v = \"{{query.v}}\" }}\n\
             -- routes/markdown.toml --\nlayout = \"markdown.html\"\n[query.v]\n\
             -- routes/driver.toml --\npath = \"/driver/{{*file}}\"\nfiles = \"driver\"\n\
             -- content/driver/driver.html --\n<!doctype html><title>Driver</title><body><script src=\"driver.js\"></script>\n\
             -- layouts/known.html --\n<p id=\"text\">{{{{ query.v | raw }}}}</p>\n\
             -- layouts/markdown.html --\n<section id=\"text\">{{{{ query.v | markdownify }}}}</section>\n{}{}{}",
            layout("query.html", "query.v"),
            layout("data.html", "a.query.v"),
            places(),
        );
        let site = site(&fault, &files);
        let list: Vec<String> =
            targets.iter().map(|target| serde_json::Value::from(target.as_str()).to_string()).collect();
        site.folder().write("content/driver/driver.js", &format!("const TARGETS = [{}];\n{DRIVER}", list.join(",")));
        let profile = Folder::new();
        let address = site.address();
        let _browser = Browser(
            Command::new(chromium)
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-sync",
                ])
                .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .args(["--remote-debugging-port=0", &format!("http://{address}/driver/driver.html")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a browser"),
        );
        let line = site.wait_for_access(|line| line.contains("/done/"));
        let words: Vec<&str> =
            line.split("/done/").nth(1).and_then(|rest| rest.split('"').next()).expect("a path").split('/').collect();
        // Without a policy the known one runs; with one not even that does.
        let known = if csp.is_empty() { "0" } else { "1" };
        assert_eq!(
            words,
            [targets.len().to_string().as_str(), known, ""],
            "pages seen, what is known to run, what else ran: {line}"
        );
    }
}
