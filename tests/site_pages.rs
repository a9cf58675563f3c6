//! Our own sites as a visitor meets them: every link leads somewhere, every page is whole, and the server had nothing to complain of.
//!
//! The root site and each of `examples/` are served from a copy, beside the example upstreams and, if they take over an old site, that. Then
//! they are crawled; where people sign in, by somebody unknown, by a customer, and by one who may see everything. No network is needed.

use crate::support::browser::{Page as Tokens, Piece};
use crate::support::http::Response;
use crate::support::links::{Leads, Link};
use crate::support::ours::{self, Ours, Own};
use crate::support::site::binary;
use crate::support::tools;
use aws_lc_rs::digest;
use base64::Engine as _;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

crate::cases!(
    every_page_of_our_own_sites_is_whole,
    a_page_that_is_not_whole_is_noticed,
    whatever_leads_somewhere_is_followed,
);

/// Where links of our own sites may lead outside: nowhere yet.
const OUTSIDE: &[&str] = &[];

/// Where none of our sites has a page.
pub(crate) const MISSING: &str = "/there/is/no/such/page";

/// Elements that have no end tag (HTML, 13.1.2).
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// What a visitor was sent.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The name of the site.
    pub(crate) site: String,
    /// Who they are.
    pub(crate) person: Option<&'static str>,
    pub(crate) target: String,
    /// The route that it is of.
    pub(crate) route: String,
    /// Its media type.
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// Everything that our own sites send to whom follows every link, and that is text. It is fetched, and found whole, once.
pub(crate) fn everything() -> &'static [Seen] {
    static SEEN: OnceLock<Vec<Seen>> = OnceLock::new();
    SEEN.get_or_init(see_everything)
}

fn every_page_of_our_own_sites_is_whole() {
    println!("links may lead outside to {OUTSIDE:?}");
    let pages = everything().iter().filter(|seen| seen.kind == "text/html").count();
    assert!(pages > 12, "only {pages} pages were found");
    println!("{pages} pages");
}

fn see_everything() -> Vec<Seen> {
    let ours = Ours::start();
    let people = [None, Some("alice"), Some("root")];
    let mut policies = BTreeSet::new();
    let mut everything = Vec::new();
    for folder in ours::folders() {
        let routes = Routes::of(&folder);
        let mut own = ours.serve(&folder);
        let knows_people = own.knows_people;
        let begun = everything.len();
        for person in people.iter().take(if knows_people { people.len() } else { 1 }) {
            let mut crawl = Crawl {
                own: &own,
                routes: &routes,
                person: *person,
                cookie: person.map(|name| ours.sign_in(name)),
                refused: BTreeSet::new(),
                ids: BTreeMap::new(),
                fragments: Vec::new(),
                policies: &mut policies,
                seen: &mut everything,
            };
            crawl.run();
            // The last of them may see everything; and everything that has a URL of its own was asked for.
            let sees_all = *person == people[2] || !knows_people;
            assert_eq!(crawl.refused.is_empty(), sees_all, "{}: {person:?} {:?}", own.name, crawl.refused);
        }
        if own.name != "upstream" {
            assert!(routes.literal.contains_key("/"), "{} has a front page", own.name);
            let missing = own.site.get(MISSING);
            assert_eq!(missing.status, 404);
            policy_fits(&missing, MISSING);
            Page::parse(missing.text()).and_then(|page| page.whole()).expect("the error page is whole");
            let text = missing.text().to_owned();
            let (target, kind) = (MISSING.to_owned(), "text/html".to_owned());
            everything.push(Seen { site: own.name.clone(), person: None, target, route: String::new(), kind, text });
        }
        own.site.signal("TERM");
        assert!(own.site.wait().success());
        let answered = log_is_clean(&own);
        for seen in &mut everything[begun..] {
            let path = seen.target.split('?').next().unwrap_or_default();
            seen.route = answered.get(path).cloned().unwrap_or_default();
        }
    }
    are_strict(&policies);
    everything
}

/// What `siteserver routes` shows of the URLs without parameters: whether each is a redirect.
struct Routes {
    literal: BTreeMap<String, bool>,
}

impl Routes {
    fn of(folder: &Path) -> Self {
        let output = binary().current_dir(folder).arg("routes").output().expect("the binary");
        let listed = String::from_utf8(output.stdout).expect("UTF-8");
        let column = listed.find("KIND").unwrap_or_else(|| panic!("no table: {listed}"));
        let rows = listed.lines().skip(1).map(|line| line.split_at(column));
        let literal = rows.flat_map(|(paths, rest)| {
            let redirect = rest.starts_with("redirect");
            // A tree of all there is has the front page.
            let paths = paths.split_whitespace().map(|path| if path.starts_with("/{*") { "/" } else { path });
            paths.filter(|path| !path.contains('{')).map(move |path| (path.to_owned(), redirect))
        });
        Self { literal: literal.collect() }
    }
}

/// A visitor who follows everything.
struct Crawl<'a> {
    own: &'a Own,
    routes: &'a Routes,
    person: Option<&'static str>,
    cookie: Option<String>,
    /// Those that are not for this person.
    refused: BTreeSet<String>,
    /// The ids in each document seen.
    ids: BTreeMap<String, BTreeSet<String>>,
    /// Links to a place in a document: from, to, fragment.
    fragments: Vec<(String, String, String)>,
    policies: &'a mut BTreeSet<String>,
    seen: &'a mut Vec<Seen>,
}

impl Crawl<'_> {
    /// Visits all there is.
    fn run(&mut self) {
        let mut waiting: VecDeque<(String, Link)> =
            self.routes.literal.keys().map(|path| ("siteserver routes".to_owned(), (path.clone(), "GET"))).collect();
        let mut seen = BTreeSet::new();
        while let Some((from, link)) = waiting.pop_front() {
            if seen.insert(link.clone()) {
                let target = link.0.clone();
                waiting.extend(self.visit(&from, link).into_iter().map(|next| (target.clone(), next)));
            }
        }
        for (from, to, fragment) in &self.fragments {
            let found = self.ids.get(to).is_some_and(|ids| ids.contains(fragment));
            assert!(found, "{}: {from} leads to {to}#{fragment}, which is not there", self.own.name);
        }
    }

    /// Fetches one URL and returns the URLs on this origin that it mentions.
    fn visit(&mut self, from: &str, (target, method): Link) -> Vec<Link> {
        let name = &self.own.name;
        let cookie: Vec<_> = self.cookie.as_deref().map(|cookie| ("cookie", cookie)).into_iter().collect();
        let path = target.split('?').next().unwrap_or(&target);
        if method != "GET" {
            // What would be changed stays as it is; the route says that it takes it.
            let response = self.own.site.request("OPTIONS", &target, &cookie, b"");
            let allowed = response.header("allow").unwrap_or_default();
            assert!(
                allowed.split(", ").any(|word| word == method),
                "{name}: {method} {target}, from {from}: {response:?}"
            );
            return Vec::new();
        }
        let response = self.own.site.request("GET", &target, &cookie, b"");
        if self.own.knows_people && matches!(response.status, 302 | 401 | 403) {
            // Who is known is not asked to sign in, and is led away from where one would.
            if path != "/login" {
                self.refused.insert(target.clone());
            }
            return self.redirect(&target, response.header("location"));
        }
        if self.routes.literal.get(path) == Some(&true) {
            assert!(matches!(response.status, 301 | 302 | 303 | 307 | 308), "{target} is declared as a redirect");
            let to = self.redirect(&target, response.header("location"));
            assert!(!to.is_empty(), "{name}: {target} leads nowhere");
            return to;
        }
        assert_eq!(response.status, 200, "{name}: {target}, to which {from} leads");
        let leads = Leads::of(&response).unwrap_or_else(|error| panic!("{name}: {target}: {error}"));
        let kind = response.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        let text = String::from_utf8(response.body.clone());
        if kind == "text/html" {
            self.policies.insert(policy_fits(&response, &target));
            let page = Page::parse(response.text()).and_then(|page| page.whole());
            page.unwrap_or_else(|error| panic!("{name}: {target}: {error}"));
        }
        if let Ok(text) = text {
            let (site, route) = (name.clone(), String::new());
            let target = target.clone();
            self.seen.push(Seen { site, person: self.person, target, route, kind: kind.to_owned(), text });
        }
        self.ids.insert(target.clone(), leads.ids);
        let links = leads.links.into_iter();
        links.filter_map(|(to, method)| Some((self.resolve(&target, &to)?, method))).collect()
    }

    fn redirect(&mut self, from: &str, location: Option<&str>) -> Vec<Link> {
        location.and_then(|to| self.resolve(from, to)).map(|to| (to, "GET")).into_iter().collect()
    }

    /// A link as a target on this origin; none if it stays in the page or leads to an allowed place outside.
    fn resolve(&mut self, from: &str, link: &str) -> Option<String> {
        let is_own = |rest: &&str| rest.is_empty() || rest.starts_with(['/', '?', '#']);
        let own = self.own.url.as_deref().and_then(|url| link.strip_prefix(url.trim_end_matches('/'))).filter(is_own);
        let link = own.unwrap_or(link);
        let (address, fragment) = link.split_once('#').map_or((link, None), |(address, id)| (address, Some(id)));
        let outside = address.starts_with("//") || address.split('/').next().is_some_and(|start| start.contains(':'));
        let name = &self.own.name;
        if outside {
            let allowed = OUTSIDE.iter().any(|place| link.starts_with(place));
            assert!(allowed, "{name}: {from} leads outside, to {link}; allowed are: {OUTSIDE:?}");
            return None;
        }
        // A search leads to where it is written, with another query.
        let (path, _) = from.split_once('?').unwrap_or((from, ""));
        let address = if address.starts_with('?') { format!("{path}{address}") } else { address.to_owned() };
        assert!(address.is_empty() || address.starts_with('/'), "{name}: {from}: write {link} as an absolute path");
        let target = if address.is_empty() && own.is_none() { from.to_owned() } else { address.clone() };
        if let Some(id) = fragment.filter(|id| !id.is_empty()) {
            self.fragments.push((from.to_owned(), target.clone(), decoded(id)));
        }
        (!address.is_empty()).then_some(address)
    }
}

/// A fragment as a browser looks for it (HTML, 7.4.6.4): without its percent-encoding.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let (byte, length) = pair.filter(|_| *first == b'%').map_or((*first, 0), |byte| (byte, 2));
        bytes.push(byte);
        rest = &after[length..];
    }
    String::from_utf8(bytes).expect("a fragment is text")
}

/// The page's policy is strict, and lets run what the page holds, byte for byte, as a browser reads it.
fn policy_fits(response: &Response, target: &str) -> String {
    let policy = response.header("content-security-policy").unwrap_or_else(|| panic!("{target} has no policy"));
    assert_eq!(response.headers("content-security-policy-report-only"), [""; 0], "{target}");
    let sources = |directive: &str| -> Vec<&str> {
        let written = policy.split("; ").map(|directive| directive.split(' ').collect::<Vec<_>>());
        let of = |name: &str| written.clone().find(|words| words.first() == Some(&name));
        let words = of(directive).or_else(|| of("default-src")).unwrap_or_default();
        words.into_iter().skip(1).collect()
    };
    assert!(!policy.contains("unsafe-"), "{target}: {policy}");
    for directive in ["object-src", "base-uri"] {
        assert_eq!(sources(directive), ["'none'"], "{target}: {policy}");
    }
    let is_loose = |source: &&str| source.contains('*') || source.ends_with(':');
    assert!(!sources("script-src").iter().any(is_loose), "{target}: {policy}");
    assert_eq!(sources("frame-ancestors"), ["'self'"], "{target}");
    let page = Tokens::read(response.text());
    let mut open: Option<&str> = None;
    for piece in page.pieces() {
        match piece {
            Piece::Start(name, attributes) => {
                let value =
                    |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
                let inline = attributes.iter().find(|(name, _)| name.starts_with("on") || name == "style");
                assert_eq!(inline, None, "{target}: <{name}>");
                let is_code =
                    value("type").is_none_or(|kind| matches!(kind, "module" | "importmap" | "text/javascript"));
                open = match name.as_str() {
                    "script" if is_code && value("src").is_none() => Some("script-src"),
                    "style" => Some("style-src"),
                    _ => None,
                };
                let loads = match name.as_str() {
                    "script" => value("src").map(|address| ("script-src", address)),
                    "img" => value("src").map(|address| ("img-src", address)),
                    "link" if value("rel") == Some("stylesheet") => value("href").map(|address| ("style-src", address)),
                    _ => None,
                };
                if let Some((directive, address)) = loads {
                    let origin = address.split('/').take(3).collect::<Vec<_>>().join("/");
                    let is_own = address.starts_with('/') && !address.starts_with("//");
                    let wanted = if is_own { "'self'" } else { origin.as_str() };
                    assert!(sources(directive).contains(&wanted), "{target}: {address} and {policy}");
                }
            }
            Piece::Text(text) => {
                if let Some(directive) = open {
                    let digest = format!(
                        "'sha256-{}'",
                        base64::engine::general_purpose::STANDARD
                            .encode(digest::digest(&digest::SHA256, text.as_bytes()))
                    );
                    assert!(sources(directive).contains(&digest.as_str()), "{target}: {digest} is not in {policy}");
                }
            }
            Piece::End(_) | Piece::Comment(_) | Piece::Doctype => open = None,
        }
    }
    policy.to_owned()
}

/// What npm's `csp_evaluator` has to say of each line, the gravest first: a number below 50 is a weakness for sure.
const EVALUATOR: &str = r#"
const { CspEvaluator } = require(process.argv[1]);
const { CspParser } = require(process.argv[1] + "/dist/parser.js");
for (const policy of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
    for (const finding of new CspEvaluator(new CspParser(policy).csp).evaluate()) {
        console.log(finding.severity + " " + finding.directive + ": " + finding.description + " In: " + policy);
    }
}
console.log("all were judged");
"#;

/// A program that is not ours finds no weakness in the policies.
fn are_strict(policies: &BTreeSet<String>) {
    let Some(evaluator) = std::env::var_os("CSP_EVALUATOR") else {
        return tools::is_missing("csp_evaluator, at the path that CSP_EVALUATOR says");
    };
    let judge = |policies: &str| {
        let mut node = Command::new("node");
        node.arg("-e").arg(EVALUATOR).arg(&evaluator).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = node.spawn().expect("node");
        node.stdin.take().expect("its input").write_all(policies.as_bytes()).expect("it reads");
        let told = String::from_utf8(node.wait_with_output().expect("it ends").stdout).expect("UTF-8");
        assert!(told.ends_with("all were judged\n"), "{told}");
        let is_weak =
            |line: &&str| line.split(' ').next().and_then(|word| word.parse().ok()).is_some_and(|of: u32| of < 50);
        told.lines().filter(is_weak).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!judge("script-src 'unsafe-inline'").is_empty(), "it knows a weak policy");
    let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
    assert_eq!(judge(&policies.join("\n")), [""; 0]);
}

/// Nothing but the line that says where it listens; every request answered, with the data of its sources. Returns the route of each path.
fn log_is_clean(own: &Own) -> BTreeMap<String, String> {
    let messages = own.site.messages();
    let (first, others) = messages.split_once('\n').unwrap_or((&messages, ""));
    assert!(first.starts_with("listening on ") && others.is_empty(), "{}: {messages}", own.name);
    let mut routes = BTreeMap::new();
    for line in own.site.access_log().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let status = entry["status"].as_u64().expect("a status");
        assert!(status < 400 || matches!(status, 401 | 403) || entry["path"] == MISSING, "{line}");
        let sources = entry["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
        // What a list lacks is looked for elsewhere, where a site has an old one behind it.
        let is_well = |source: &serde_json::Value| {
            ["ok", "empty", "hit", "revalidated"].iter().any(|outcome| source["outcome"] == *outcome)
        };
        assert!(sources.iter().all(is_well), "{line}");
        if let (Some(path), Some(route)) = (entry["path"].as_str(), entry["route"].as_str()) {
            let path = path.split('?').next().unwrap_or(path);
            routes.insert(path.to_owned(), route.to_owned());
        }
    }
    routes
}

/// What matters here of an HTML page.
#[derive(Debug, Default)]
struct Page {
    language: bool,
    title: String,
    ids: BTreeSet<String>,
}

impl Page {
    /// Reads the tags of a page. Every element that is opened must be closed, in order; every attribute must be quoted.
    fn parse(html: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut open: Vec<&str> = Vec::new();
        let mut rest = html.strip_prefix("<!doctype html>").ok_or("it does not begin with its doctype")?;
        while let Some(start) = rest.find('<') {
            if open.last() == Some(&"title") {
                rest[..start].trim().clone_into(&mut page.title);
            }
            rest = &rest[start + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.split_once("-->").ok_or("a comment without an end")?.1;
            } else if let Some(end) = rest.strip_prefix('/') {
                let (name, after) = end.split_once('>').ok_or("a tag without an end")?;
                if open.pop() != Some(name) {
                    return Err(format!("</{name}> closes what is not open"));
                }
                rest = after;
            } else {
                let length =
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').ok_or("a tag without an end")?;
                let (name, after) = rest.split_at(length);
                rest = page.attributes(name, after)?;
                if !VOID.contains(&name) {
                    open.push(name);
                }
                if matches!(name, "script" | "style") {
                    rest = &rest[rest.find("</").ok_or("raw text without an end")?..];
                }
            }
        }
        if open.is_empty() { Ok(page) } else { Err(format!("unclosed: {open:?}")) }
    }

    /// Reads the attributes of a tag, and returns what follows it.
    fn attributes<'a>(&mut self, element: &str, mut rest: &'a str) -> Result<&'a str, String> {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
                return Ok(after);
            }
            let length = rest.find(['=', '>', ' ', '\n', '/']).filter(|length| *length > 0);
            let (name, after) = rest.split_at(length.ok_or_else(|| format!("<{element}> does not end"))?);
            let Some(value) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let value = value.strip_prefix('"').ok_or_else(|| format!("{name} of <{element}> is not quoted"))?;
            let (value, after) = value.split_once('"').ok_or_else(|| format!("{name} of <{element}> does not end"))?;
            match name {
                "lang" if element == "html" => self.language = !value.is_empty(),
                "id" if !self.ids.insert(value.to_owned()) => {
                    return Err(format!("two elements have the id {value}"));
                }
                _ => {}
            }
            rest = after;
        }
    }

    /// Whether it has what every page needs.
    fn whole(&self) -> Result<(), String> {
        if !self.language {
            return Err("its language is not said".to_owned());
        }
        if self.title.is_empty() { Err("it has no title".to_owned()) } else { Ok(()) }
    }
}

fn a_page_that_is_not_whole_is_noticed() {
    let whole = "<!doctype html>\n<html lang=\"en\"><head><title>A</title></head><body><br><p id=\"a\">a<!-- <b> --></p>\
                 <a href=\"/b?c&amp;d#e\" hidden>b</a></body></html>";
    let page = Page::parse(whole).expect("it is whole");
    assert_eq!((page.whole(), page.title.as_str()), (Ok(()), "A"));
    for (from, to) in [
        (" lang=\"en\"", ""),
        ("<title>A</title>", ""),
        ("<title>A</title>", "<title> </title>"),
        ("</p>", ""),
        ("id=\"a\"", "id=a"),
        ("hidden", "id=\"a\""),
        ("</html>", ""),
        ("<!doctype html>", ""),
    ] {
        let broken = whole.replacen(from, to, 1);
        assert!(Page::parse(&broken).and_then(|page| page.whole()).is_err(), "{broken}");
    }
}

fn whatever_leads_somewhere_is_followed() {
    let leads = |kind: &str, text: &str| {
        let headers = vec![
            ("content-type".to_owned(), format!("{kind}; charset=utf-8")),
            ("link".to_owned(), "</a.css>; rel=preload, </b.css>; rel=preload".to_owned()),
        ];
        let response = Response { status: 200, headers, body: text.as_bytes().to_vec() };
        let leads = Leads::of(&response).unwrap_or_else(|error| panic!("{text}: {error}"));
        let links: Vec<String> = leads.links.iter().map(|(to, method)| format!("{method} {to}")).collect();
        links.join(" ").replace("GET /a.css GET /b.css", "preloaded").replace("GET ", "")
    };
    for (kind, text, expected) in [
        ("text/html", "<p id=a><a href=/b?c&amp;d#e>b</a>", "preloaded /b?c&d#e"),
        ("text/html", "<img src=/a srcset='/b 1x, /c 2x'><q cite=/d>", "preloaded /a /b /c /d"),
        ("text/html", "<form action=/a method=POST><button formaction=/b></form>", "preloaded POST /a /b"),
        ("text/html", "<style>a { background: url('/a') }</style>", "preloaded /a"),
        ("text/html", "<meta http-equiv=refresh content='1; url=/a'>", "preloaded /a"),
        ("text/html", "<meta property=og:image content=/a><meta name=b content=/c>", "preloaded /a"),
        ("text/html", "<p>/a <code>href=/b</code></p><link>/c", "preloaded"),
        ("text/css", "a { background: url(/a) } b { src: url(\"/b\") }", "preloaded /a /b"),
        ("text/plain", "User-agent: *\nSitemap: /a", "preloaded /a"),
        ("application/json", "{\"a\": [\"/b\", \"/ c\", 1], \"/d\": \"e\"}", "preloaded /b"),
        ("application/xml", "<urlset><url><loc> /a </loc></url></urlset>", "preloaded /a"),
        ("image/svg+xml", "<svg><use href=\"#a\"/></svg>", "preloaded #a"),
        (
            "application/atom+xml",
            "<feed><link href=\"/a\"/><content>&lt;a href=/b></content></feed>",
            "preloaded /a /b",
        ),
        ("application/atom+xml", "<content>&lt;p id=a>&lt;a href=#a>&lt;a href=#b></content>", "preloaded #b"),
        ("image/png", "href=/a", "preloaded"),
    ] {
        assert_eq!(leads(kind, text), expected, "{text}");
    }
    assert_eq!(decoded("a%2Bb%-%"), "a+b%-%");
}
