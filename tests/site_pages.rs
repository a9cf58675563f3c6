//! Our own sites as a visitor meets them: every link leads somewhere, every page is whole, and the server had nothing to complain of.
//!
//! The root site and each of `examples/` are served from a copy, beside the example upstreams and, if they take over an old site, that. Then
//! they are crawled; where people sign in, by somebody unknown, by a customer, and by one who may see everything. No network is needed.

use crate::migration;
use crate::support::accounts::Accounts;
use crate::support::browser::{Page as Tokens, Piece};
use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, binary};
use crate::support::tools;
use aws_lc_rs::digest;
use base64::Engine as _;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

crate::cases!(every_page_of_our_own_sites_is_whole, a_page_that_is_not_whole_is_noticed);

/// Where links of our own sites may lead outside: nowhere yet.
const OUTSIDE: &[&str] = &[];

/// Where none of our sites has a page.
const MISSING: &str = "/there/is/no/such/page";

/// Elements that have no end tag (HTML, 13.1.2).
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

fn every_page_of_our_own_sites_is_whole() {
    println!("links may lead outside to {OUTSIDE:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = |name: &str| root.join("examples").join(name);
    let upstream = Options::default().serve(Folder::copy_of_site(&example("upstream")));
    let address = format!("http://{}", upstream.address());
    let accounts = Accounts::start();
    let people = [None, Some(accounts.sign_in("alice")), Some(accounts.sign_in("root"))];
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut pages = 0;
    let mut policies = BTreeSet::new();
    for folder in examples.chain([root.to_owned()]) {
        let routes = Routes::of(&folder);
        let old = migration::old_sites(&folder);
        let options = migration::in_front_of(&old).env("UPSTREAM", &address).env("ACCOUNTS", &accounts.url());
        let mut site = options.serve(Folder::copy_of_site(&folder));
        let knows_people = fs::read_to_string(folder.join("site.toml")).expect("text").contains("\n[auth.");
        for person in people.iter().take(if knows_people { people.len() } else { 1 }) {
            let mut crawl = Crawl {
                site: &site,
                routes: &routes,
                person: person.as_deref(),
                knows_people,
                refused: BTreeSet::new(),
                ids: BTreeMap::new(),
                fragments: Vec::new(),
                policies: &mut policies,
            };
            pages += crawl.run();
            // The last of them may see everything; and everything that has a URL of its own was asked for.
            let sees_all = *person == people[2] || !knows_people;
            assert_eq!(crawl.refused.is_empty(), sees_all, "{}: {person:?} {:?}", folder.display(), crawl.refused);
        }
        if folder != example("upstream") {
            assert!(routes.literal.contains_key("/"), "{} has a front page", folder.display());
            let missing = site.get(MISSING);
            assert_eq!(missing.status, 404);
            policy_fits(&missing, MISSING);
            Page::parse(missing.text()).and_then(|page| page.whole()).expect("the error page is whole");
        }
        site.signal("TERM");
        assert!(site.wait().success());
        log_is_clean(&site, &folder);
    }
    assert!(pages > 12, "only {pages} pages were found");
    are_strict(&policies);
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
    site: &'a Site,
    routes: &'a Routes,
    /// Their cookie.
    person: Option<&'a str>,
    /// Whether some pages are not for everybody.
    knows_people: bool,
    /// Those that are not for this person.
    refused: BTreeSet<String>,
    /// The ids of each page seen.
    ids: BTreeMap<String, BTreeSet<String>>,
    /// Links to a place in a page: from, to, fragment.
    fragments: Vec<(String, String, String)>,
    policies: &'a mut BTreeSet<String>,
}

impl Crawl<'_> {
    /// Visits all there is, and returns how many HTML pages that were.
    fn run(&mut self) -> usize {
        let mut waiting: VecDeque<(String, String)> =
            self.routes.literal.keys().map(|path| ("siteserver routes".to_owned(), path.clone())).collect();
        let mut seen = BTreeSet::new();
        while let Some((from, target)) = waiting.pop_front() {
            if seen.insert(target.clone()) {
                waiting.extend(self.visit(&from, &target).into_iter().map(|next| (target.clone(), next)));
            }
        }
        for (from, to, fragment) in &self.fragments {
            let found = self.ids.get(to).is_some_and(|ids| ids.contains(fragment));
            assert!(found, "{from} leads to {to}#{fragment}, which is not there");
        }
        self.ids.len()
    }

    /// Fetches one URL and returns the URLs on this origin that it mentions.
    fn visit(&mut self, from: &str, target: &str) -> Vec<String> {
        let cookie: Vec<_> = self.person.map(|cookie| ("cookie", cookie)).into_iter().collect();
        let response = self.site.request("GET", target, &cookie, b"");
        let path = target.split('?').next().unwrap_or(target);
        if self.knows_people && matches!(response.status, 302 | 401 | 403) {
            let to = response.header("location").map(|to| self.resolve(target, to).expect("a page of this site"));
            // Who is known is not asked to sign in, and is led away from where one would.
            if path != "/login" {
                self.refused.insert(target.to_owned());
            }
            return to.into_iter().collect();
        }
        if self.routes.literal.get(path) == Some(&true) {
            assert!(matches!(response.status, 301 | 302 | 303 | 307 | 308), "{target} is declared as a redirect");
            return self.resolve(target, response.header("location").expect("a target")).into_iter().collect();
        }
        assert_eq!(response.status, 200, "{target}, to which {from} leads");
        let kind = response.header("content-type").unwrap_or_default();
        if kind.starts_with("text/css") {
            let addresses = response.text().split("url(").skip(1).filter_map(|rest| rest.split(')').next());
            let addresses = addresses.map(|address| address.trim_matches(['"', '\'']).to_owned());
            return addresses.filter_map(|address| self.resolve(target, &address)).collect();
        }
        if !kind.starts_with("text/html") {
            return Vec::new();
        }
        self.policies.insert(policy_fits(&response, target));
        let page = Page::parse(response.text()).and_then(|page| page.whole().map(|()| page));
        let page = page.unwrap_or_else(|error| panic!("{target}: {error}"));
        self.ids.insert(target.to_owned(), page.ids);
        page.links.iter().filter_map(|link| self.resolve(target, link)).collect()
    }

    /// A link as a target on this origin; none if it stays in the page or leads to an allowed place outside.
    fn resolve(&mut self, from: &str, link: &str) -> Option<String> {
        let (address, fragment) = link.split_once('#').map_or((link, None), |(address, id)| (address, Some(id)));
        let outside = address.starts_with("//") || address.split('/').next().is_some_and(|start| start.contains(':'));
        if outside {
            let allowed = OUTSIDE.iter().any(|place| link.starts_with(place));
            assert!(allowed, "{from} leads outside, to {link}; allowed are: {OUTSIDE:?}");
            return None;
        }
        assert!(address.is_empty() || address.starts_with('/'), "{from}: write {link} as an absolute path");
        let target = if address.is_empty() { from } else { address };
        if let Some(id) = fragment {
            self.fragments.push((from.to_owned(), target.to_owned(), id.to_owned()));
        }
        (!address.is_empty()).then(|| target.to_owned())
    }
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

/// Nothing but the line that says where it listens; every request answered, with the data of its sources.
fn log_is_clean(site: &Site, folder: &Path) {
    let messages = site.messages();
    let (first, others) = messages.split_once('\n').unwrap_or((&messages, ""));
    assert!(first.starts_with("listening on ") && others.is_empty(), "{}: {messages}", folder.display());
    for line in site.access_log().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let status = entry["status"].as_u64().expect("a status");
        assert!(status < 400 || matches!(status, 401 | 403) || entry["path"] == MISSING, "{line}");
        let sources = entry["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
        // What a list lacks is looked for elsewhere, where a site has an old one behind it.
        let is_well = |source: &serde_json::Value| {
            ["ok", "empty", "hit", "revalidated"].iter().any(|outcome| source["outcome"] == *outcome)
        };
        assert!(sources.iter().all(is_well), "{line}");
    }
}

/// What matters here of an HTML page.
#[derive(Debug, Default)]
struct Page {
    language: bool,
    title: String,
    ids: BTreeSet<String>,
    links: Vec<String>,
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
                "href" | "src" => self.links.push(value.replace("&amp;", "&")),
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
    assert_eq!(page.links, ["/b?c&d#e"]);
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
