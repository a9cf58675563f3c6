//! A real browser on pages that hold what attackers write: nothing runs, with the policy that the server sends and without one. And on pages
//! that hold what their authors write: under the policy that is derived from it, it runs.
//!
//! A page of the site opens each hostile page in a frame, pokes at every element of it, and asks for `/done/…` with what ran. A payload says
//! `top.ran(1)`, and a page that is known to run it shows that the test would notice. Needs Chromium: `script/test` installs it.

use super::hostile::{VECTORS, layout, places};
use super::site;
use crate::support::canary::percent;
use crate::support::fault::FaultServer;
use crate::support::proof;
use crate::support::site::{Folder, Options};
use crate::support::tools;
use serde_json::{Value as Json, json};
use std::process::{Child, Command, Stdio};

crate::cases!(nothing_runs_in_a_browser, what_an_author_writes_runs_in_a_browser);

/// Looks at the pages, a few at a time. Each says with the number of its value that it ran.
const DRIVER: &str = r##"
const ran = new Set();
let seen = 0;
window.ran = number => ran.add(number);
const events = ["mouseover", "mouseenter", "focus", "blur", "pointerover", "toggle", "animationstart", "error", "load", "submit", "click"];
function poke(page, number) {
    page.addEventListener("click", event => event.preventDefault(), true);
    page.addEventListener("submit", event => event.preventDefault(), true);
    for (const element of page.querySelectorAll("*")) {
        for (const name of ["href", "src", "action", "formAction", "data"]) {
            const value = element[name];
            const url = value && value.baseVal !== undefined ? value.baseVal : value;
            if (/^\s*(javascript|vbscript):/i.test(String(url ?? ""))) ran.add(number);
        }
        for (const event of events) element.dispatchEvent(new Event(event, { bubbles: true, cancelable: true }));
    }
}
async function look(number, url) {
    const frame = document.createElement("iframe");
    const loaded = new Promise(resolve => { frame.onload = resolve; });
    frame.src = url;
    document.body.append(frame);
    await Promise.race([loaded, new Promise(resolve => setTimeout(resolve, 10000))]);
    const page = frame.contentDocument;
    if (!page) throw new Error("no page at " + url);
    poke(page, number);
    // What an event has begun comes to its end.
    await new Promise(resolve => setTimeout(resolve, 0));
    seen += page.querySelectorAll("#text").length;
    frame.remove();
}
async function all() {
    for (const [portion, pages] of PORTIONS.entries()) {
        const targets = pages.values();
        const some = async () => { for (const [number, url] of targets) await look(number, url); };
        await Promise.all(Array.from({ length: 8 }, some));
        await fetch("/done/" + portion + "/" + seen + "/" + [...ran].sort().join("-"));
    }
}
all().catch(error => fetch("/done/" + encodeURIComponent(String(error))));
"##;

/// One value in so many is looked at in an ordinary run.
const STEP: usize = 4;
/// So many pages the browser looks at before it says how far it is.
const PORTION: usize = 30;

/// Routes that print their query, each by a way of its own.
const ROUTES: [&str; 4] = ["/query", "/data", "/markdown", "/xhtml"];

const PAGES: &str = r#"-- routes/query.toml --
layout = "query.html"
[query.v]
-- routes/data.toml --
layout = "data.html"
[query.v]
[sources.a]
upstream = "up"
path = "/echo"
query = { v = "{query.v}" }
-- routes/markdown.toml --
layout = "markdown.html"
[query.v]
-- layouts/markdown.html --
<section id="text">{{ query.v | markdownify }}</section>
-- routes/xhtml.toml --
layout = "xhtml.xml"
content-type = "application/xhtml+xml"
[query.v]
-- layouts/xhtml.xml --
<?xml version="1.0"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{{ query.v }}</title></head><body class="{{ query.v }}">
<section id="text">{{ query.v }}<![CDATA[{{ query.v }}]]>{{ query.v | newline_to_br }}</section>
<p title='{{ query.v }}'><a href="{{ query.v }}">a</a><a href="/x?y={{ query.v }}">b</a><img src="{{ query.v }}" alt="c"/></p>
<form action="{{ query.v }}"><button formaction='{{ query.v }}'>d</button></form><div>{{ query.v | markdownify }}</div>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"><a x:href="{{ query.v }}"><text>{{ query.v }}</text></a>
<a><set attributeName="href" to="{{ query.v }}"/><text>e</text></a></svg>
<script type="application/json">{{ query.v | json }}</script>
</body></html>
-- routes/known.toml --
layout = "known.html"
[query.v]
-- layouts/known.html --
<p id="text">{{ query.v | raw }}</p>
-- routes/driver.toml --
path = "/driver/{*file}"
files = "driver"
-- content/driver/driver.html --
<!doctype html><title>Driver</title><body><script src="driver.js"></script>
"#;

/// A browser that ends with the test.
struct Browser(Child);

impl Browser {
    /// One that asks nobody but the site, and shows `url`.
    fn open(program: &str, profile: &Folder, url: &str) -> Self {
        let mut browser = Command::new(program);
        browser
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--disable-site-isolation-trials",
                "--renderer-process-limit=2",
            ])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-port=0", url]);
        Self(browser.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a browser"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn nothing_runs_in_a_browser() {
    let Some(chromium) = tools::chromium() else { return tools::is_missing("chromium") };
    let fault = FaultServer::start();
    let target = |route: &str, number: usize, value: &str| {
        let value = percent(&value.replace("alert(1)", &format!("top.ran({number})")));
        json!([number, format!("{route}?v={value}")])
    };
    // A few of the values, and the next time a few others.
    let (step, first) =
        if proof::is_full() { (1, 0) } else { (STEP, usize::try_from(std::process::id()).unwrap_or(0) % STEP) };
    let values = VECTORS.iter().enumerate().skip(first).step_by(step);
    let hostile = values.flat_map(|(number, value)| ROUTES.map(|route| target(route, number, value)));
    // The last shows that the test would notice.
    let known = target("/known", VECTORS.len(), "<img src=x onerror=alert(1)>");
    let targets: Vec<Json> = hostile.chain([known]).collect();
    let portions: Vec<&[Json]> = targets.chunks(PORTION).collect();
    for (csp, expected) in [("", String::new()), ("[defaults]\ncsp = false\n", VECTORS.len().to_string())] {
        let files =
            format!("{csp}{PAGES}{}{}{}", layout("query.html", "query.v"), layout("data.html", "a.query.v"), places());
        let site = site(&fault, &files);
        site.folder().write("content/driver/driver.js", &format!("const PORTIONS = {};\n{DRIVER}", json!(portions)));
        let profile = Folder::new();
        let _browser = Browser::open(chromium, &profile, &format!("http://{}/driver/driver.html", site.address()));
        let mut told = String::new();
        for portion in 0..portions.len() {
            let (done, failed) = (format!("/done/{portion}/"), "/done/Error");
            let line = site.wait_for_access(|line| line.contains(&done) || line.contains(failed));
            let path = line.split(&done).nth(1).and_then(|rest| rest.split('"').next());
            path.expect("a path").clone_into(&mut told);
        }
        let (seen, ran) = told.split_once('/').expect("two words");
        let names: Vec<&&str> =
            ran.split('-').filter_map(|number| VECTORS.get(number.parse::<usize>().ok()?)).collect();
        assert_eq!(seen, targets.len().to_string(), "pages seen");
        assert_eq!(ran, expected, "what ran, of which only the last was to: {names:?}");
    }
}

/// Scripts of the author's own, each in a place of another kind. Each asks for `/ran/…` once it runs.
const AUTHORED: &str = r#"-- site.toml --
-- layouts/inline.html --
<!doctype html><script>new Image().src = "/ran/inline"; // é
</script>
-- layouts/srcdoc.html --
<!doctype html><iframe srcdoc="<script>if (1 &amp;&amp; &quot;a&quot; &lt; 'b') new Image().src = '/ran/srcdoc'</script>"></iframe>
-- layouts/drawn.html --
<!doctype html><svg><script>if (1 &amp;&amp; 'a' &lt; 'b') new Image().src = '/ran/drawn-a'</script></svg>
<svg><script><![CDATA[if (1 && 'a' < 'b')]]> new Image().src = '/ran/drawn-b'&#59;</script></svg>
-- layouts/xhtml.xml --
<?xml version="1.0"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{{ request.path }}</title></head><body>
<script>if (1 &amp;&amp; 'a' &lt; 'b') new Image().src = '/ran/xhtml'</script></body></html>
-- layouts/drawing.xml --
<svg xmlns="http://www.w3.org/2000/svg"><script><![CDATA[if (1 && 'a' < 'b') fetch('/ran/drawing')]]></script></svg>
-- layouts/sheet.xml --
<?xml-stylesheet type="text/css" href="/ran/sheet"?>
<feed><title>{{ request.path }}</title></feed>
-- layouts/transformed.xml --
<?xml version="1.0"?>
<?xml-stylesheet type="text/xsl" href="/ran/transformed"?>
<feed><title>{{ request.path }}</title></feed>
-- layouts/all.html --
<!doctype html>{% for name in vars.names %}<iframe src="/{{ name }}"></iframe>{% endfor %}
-- routes/all.toml --
layout = "all.html"
vars.names = ["inline", "srcdoc", "drawn", "xhtml", "drawing", "sheet", "transformed"]
-- routes/inline.toml --
layout = "inline.html"
-- routes/srcdoc.toml --
layout = "srcdoc.html"
-- routes/drawn.toml --
layout = "drawn.html"
-- routes/xhtml.toml --
layout = "xhtml.xml"
content-type = "application/xhtml+xml"
-- routes/drawing.toml --
layout = "drawing.xml"
content-type = "image/svg+xml"
-- routes/sheet.toml --
layout = "sheet.xml"
-- routes/transformed.toml --
layout = "transformed.xml"
"#;

fn what_an_author_writes_runs_in_a_browser() {
    let Some(chromium) = tools::chromium() else { return tools::is_missing("chromium") };
    let site = Options::default().start(AUTHORED);
    let profile = Folder::new();
    let _browser = Browser::open(chromium, &profile, &format!("http://{}/all", site.address()));
    for name in ["inline", "srcdoc", "drawn-a", "drawn-b", "xhtml", "drawing", "sheet", "transformed"] {
        site.wait_for_access(|line| line.contains(&format!("/ran/{name}\"")));
    }
}
