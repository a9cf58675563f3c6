//! Guards hold however their route is spelled.
//!
//! Every guarded route of the examples, and those of a site that has a guard on every kind, is asked for in some hundred ways: encoded, doubly
//! encoded, in another case, with slashes, dots and parameters, in absolute form, of another host, by other methods, with header fields that
//! some servers take for orders, below prefixes and with suffixes that some take away. Whoever may not see it gets the route's own verdict, or
//! learns that there is no such thing; and nothing of it is kept.

use crate::migration;
use crate::support::accounts::Accounts;
use crate::support::http::{Connection, Response, compose};
use crate::support::site::{Folder, Options, Site};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

crate::cases!(
    no_spelling_opens_a_guarded_route_of_the_examples,
    no_spelling_opens_a_guarded_route_of_any_kind,
    a_way_around_is_noticed,
    there_are_hundreds_of_spellings,
);

/// One way to ask for a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spelling {
    path: String,
    method: &'static str,
    target: String,
    fields: Vec<(String, String)>,
}

impl Spelling {
    fn get(target: &str) -> Self {
        Self { path: target.to_owned(), method: "GET", target: target.to_owned(), fields: Vec::new() }
    }

    fn with(target: &str, name: &str, value: &str) -> Self {
        Self { fields: vec![(name.to_owned(), value.to_owned())], ..Self::get(target) }
    }

    /// Its bytes, with a cookie if somebody sends it.
    fn bytes(&self, cookie: Option<&str>) -> Vec<u8> {
        let own = cookie.map(|cookie| ("cookie", cookie)).into_iter();
        let fields: Vec<_> =
            own.chain(self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
        compose(self.method, &self.target, &fields, b"")
    }
}

/// In how many ways at least a route is asked for.
const WAYS: usize = 200;

/// Methods, known and not.
const METHODS: &[&str] = &[
    "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "LOCK", "PURGE", "QUERY",
    "get", "Get", "GETS", "X",
];

/// What stands before a path where something is mounted, translated or taken apart.
const PREFIXES: &[&str] = &[
    "/en",
    "/de",
    "/en-US",
    "/default",
    "/index",
    "/public",
    "/static",
    "/api",
    "/v1",
    "/app",
    "/pages",
    "/_next",
    "/_next/data",
    "/_next/data/development",
    "/_fragments",
    "/_server-islands",
    "/_actions",
    "/__",
    "/@fs",
    "/.well-known",
    "/assets",
    "/assets/..",
    "/assets/%2e%2e",
    "/assets/..%2f",
    "/assets/..;",
    "/assets/.",
    "/login/..",
    "/login/..;",
    "/login;/..",
    "/login/%2e%2e",
    "/%2e",
    "/.",
    "/..",
    "/%2e%2e",
    "/;",
    "/.;",
    "/..;",
    "/x/..",
    "/x/%2e%2e",
    "/x/..%5c",
    "/%2f",
    "/%5c",
    "/\\",
    "/",
    "//",
    "/%252f",
    "/%00",
    "/%0a",
    "/%20",
    "/%09",
    "/?",
    "/#",
    "/*",
];

/// What stands behind one where something is negotiated, cut off or taken for a file.
const SUFFIXES: &[&str] = &[
    "/",
    "//",
    "/.",
    "/./",
    "/..",
    "/x/..",
    "/%2e",
    "/%2e%2e",
    "/%2f",
    "%2f",
    "%252f",
    "/%5c",
    "\\",
    "%5c",
    ";",
    ";a=b",
    ";.css",
    ";/x.css",
    "%3b",
    "%3b.css",
    ";jsessionid=1",
    "/;",
    "/;a",
    ".",
    "..",
    "...",
    "%2e",
    "~",
    "%7e",
    "+",
    "%20",
    "%09",
    "%0a",
    "%0d%0a",
    "%00",
    "%00.css",
    "%0a.css",
    "%23",
    "%23.css",
    "%3f",
    "%3f.css",
    "?",
    "?.css",
    "?/x.css",
    "#",
    "#.css",
    "&",
    "%26",
    ".md",
    ".html",
    ".htm",
    ".json",
    ".xml",
    ".txt",
    ".css",
    ".js",
    ".png",
    ".ico",
    ".svg",
    ".rsc",
    ".data",
    ".php",
    ".bak",
    ".gz",
    ".br",
    ".md.md",
    ".rsc?_rsc=1",
    ".segments/_tree.segment.rsc",
    ".prefetch.rsc",
    "/x.css",
    "/style.css",
    "/favicon.ico",
    "/robots.txt",
    "/index",
    "/index.html",
    "/index.md",
    "/index.json",
    "/index.txt",
    "/__data.json",
    "/_payload.json",
    "/page",
    "/route",
    "/opengraph-image",
    "/_edit",
    "/*",
    "/%2a",
    "/%2e%2e/%2e%2e",
    "/../../etc/passwd",
    "%c0%ae",
    "%c0%af",
    "%e0%80%af",
    "%ff",
    "%",
    "%z",
    "%2",
    "%u002f",
    "\u{2215}",
    "%e2%88%95",
    "%ef%bc%8f",
];

/// Queries that some take for orders.
const QUERIES: &[&str] = &[
    "_rsc=1",
    "__nextLocale=en",
    "__nextDefaultLocale=en",
    "nxtPslug=login",
    "_data=routes%2Flogin",
    "_method=GET",
    "_method=DELETE",
    "x_astro_path=%2Flogin",
    "path=%2Flogin",
    "format=json",
    "format=md",
    "raw",
    "debug=1",
    "preview=1",
    "user=root",
    "role=admin",
    "user%5Brole%5D=admin",
    "session=x",
    "token=x",
    "access_token=x",
    "guard=false",
    "lang=de",
    "__proto__%5Brole%5D=admin",
];

/// Header fields that some believe or obey; `$` is the guarded path.
const FIELDS: &[(&str, &str)] = &[
    ("x-http-method-override", "OPTIONS"),
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "HEAD"),
    ("x-method-override", "POST"),
    ("x-original-url", "/login"),
    ("x-original-uri", "/login"),
    ("x-rewrite-url", "/login"),
    ("x-override-url", "/login"),
    ("x-forwarded-uri", "/login"),
    ("x-forwarded-path", "/login"),
    ("x-forwarded-prefix", "/login"),
    ("x-original-path", "/login"),
    ("x-middleware-subrequest", "middleware"),
    ("x-middleware-subrequest", "src/middleware"),
    ("x-middleware-subrequest", "pages/_middleware"),
    ("x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"),
    ("x-middleware-subrequest", "src/middleware:src/middleware:src/middleware:src/middleware:src/middleware"),
    ("x-middleware-subrequest-id", "1"),
    ("x-middleware-next", "1"),
    ("x-middleware-invoke", "1"),
    ("x-middleware-prefetch", "1"),
    ("x-middleware-rewrite", "$"),
    ("x-middleware-override-headers", "cookie"),
    ("x-middleware-request-cookie", "session=x"),
    ("x-invoke-path", "/login"),
    ("x-invoke-status", "200"),
    ("x-invoke-output", "/login"),
    ("x-matched-path", "/login"),
    ("x-now-route-matches", "1=login"),
    ("x-prerender-revalidate", "1"),
    ("x-nextjs-data", "1"),
    ("x-nextjs-rewritten-path", "/login"),
    ("rsc", "1"),
    ("next-router-prefetch", "1"),
    ("next-router-segment-prefetch", "/_tree"),
    ("next-router-state-tree", "%5B%22%22%5D"),
    ("next-url", "/login"),
    ("next-action", "x"),
    ("next-locale", "en"),
    ("x-react-router-spa-mode", "yes"),
    ("x-react-router-prerender-data", "1"),
    ("x-remix-revalidate", "yes"),
    ("x-sveltekit-pathname", "/login"),
    ("x-sveltekit-invalidated", "1"),
    ("x-astro-path", "/login"),
    ("x-astro-locals", "{\"user\":{\"role\":\"admin\"}}"),
    ("x-nitro-prerender", "1"),
    ("x-nuxt-error", "true"),
    ("x-inertia", "true"),
    ("hx-request", "true"),
    ("turbo-frame", "main"),
    ("purpose", "prefetch"),
    ("sec-purpose", "prefetch"),
    ("x-purpose", "preview"),
    ("x-moz", "prefetch"),
    ("x-requested-with", "XMLHttpRequest"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1;host=localhost;proto=https"),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-user", "root"),
    ("x-forwarded-email", "root@example.com"),
    ("x-forwarded-groups", "admin"),
    ("x-auth-request-user", "root"),
    ("x-remote-user", "root"),
    ("remote-user", "root"),
    ("x-authenticated-user", "root"),
    ("x-user", "root"),
    ("x-user-id", "root"),
    ("x-role", "admin"),
    ("x-claims-role", "admin"),
    ("user", "{\"role\":\"admin\"}"),
    ("x-client-cert", "root"),
    ("x-ssl-client-verify", "SUCCESS"),
    ("x-internal", "1"),
    ("x-siteserver-user", "root"),
    ("x-siteserver-guard", "false"),
    ("authorization", ""),
    ("authorization", "Bearer"),
    ("authorization", "Bearer null"),
    ("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4iLCJzdWIiOiJyb290In0."),
    ("authorization", "Basic cm9vdDo="),
    ("authorization", "Basic Og=="),
    ("authorization", "Basic cm9vdDpyb290LXNlY3JldA=="),
    ("authorization", "Negotiate x"),
    ("proxy-authorization", "Basic cm9vdDpyb290LXNlY3JldA=="),
    ("cookie", "session="),
    ("cookie", "session=null"),
    ("cookie", "session=\"\""),
    ("cookie", "session=x; session=y"),
    ("cookie", "__Host-session=x"),
    ("cookie", "session[]=x"),
    ("cookie", "role=admin; user=root"),
    ("cookie", ""),
    ("accept", "text/x-component"),
    ("accept", "text/markdown"),
    ("accept", "application/json"),
    ("accept", "text/plain;q=0.1"),
    ("range", "bytes=0-9"),
    ("if-none-match", "*"),
    ("if-match", "*"),
    ("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ("cache-control", "only-if-cached"),
    ("cache-control", "max-stale=1000000"),
    ("pragma", "no-cache"),
    ("expect", "100-continue"),
    ("connection", "cookie"),
    ("connection", "close, authorization"),
    ("upgrade", "websocket"),
    ("te", "trailers"),
    ("content-type", "application/json"),
    ("host", "LOCALHOST"),
    ("host", "localhost."),
    ("host", "localhost:1"),
    ("host", "127.0.0.1"),
    ("host", "evil.example"),
    ("host", "localhost@evil.example"),
    ("host", ""),
    ("via", "1.1 localhost"),
    ("origin", "http://localhost"),
    ("access-control-request-method", "GET"),
];

/// Fields in which a request for something open may name something else.
const ELSEWHERE: &[&str] = &[
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-override-url",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-invoke-path",
    "x-matched-path",
    "x-middleware-rewrite",
    "x-nextjs-rewritten-path",
    "x-sveltekit-pathname",
    "x-astro-path",
    "next-url",
    "referer",
    "destination",
    "content-location",
    "location",
    "x-accel-redirect",
    "x-sendfile",
];

fn encoded(octet: u8, is_upper: bool) -> String {
    if is_upper { format!("%{octet:02X}") } else { format!("%{octet:02x}") }
}

/// All ways to spell a path.
pub(crate) fn spellings(path: &str) -> Vec<Spelling> {
    let bytes = path.as_bytes();
    let each = |write: &dyn Fn(usize, u8) -> String| -> String {
        bytes.iter().enumerate().map(|(at, &octet)| write(at, octet)).collect()
    };
    let plain = |octet: u8| char::from(octet).to_string();
    let twice = |text: &str| text.replace('%', "%25");
    let mut targets = Vec::new();
    // Encoded: one octet, all of them, the slashes; once, twice, three times.
    for at in 0..bytes.len() {
        let one = each(&|other, octet| if other == at { encoded(octet, other % 2 == 0) } else { plain(octet) });
        targets.extend([twice(&one), one]);
    }
    let all = each(&|_, octet| if octet == b'/' { plain(octet) } else { encoded(octet, true) });
    let lower = each(&|_, octet| if octet == b'/' { plain(octet) } else { encoded(octet, false) });
    let whole = each(&|_, octet| encoded(octet, true));
    let slashes = |by: &str| format!("/{}", path.trim_start_matches('/').replace('/', by));
    targets.extend([twice(&all), twice(&twice(&all)), twice(&whole), format!("/{}", &whole[3..]), all, lower, whole]);
    targets.extend(
        ["%2f", "%2F", "%252f", "%5c", "\\", "//", "/./", "/x/../", "/%2e/", "/;/", ";/", ";a=b/", "/%09/", "%00/"]
            .map(slashes),
    );
    // Letters.
    let alternating = each(&|at, octet| if at % 2 == 0 { plain(octet.to_ascii_uppercase()) } else { plain(octet) });
    let first = each(&|at, octet| if at == 1 { plain(octet.to_ascii_uppercase()) } else { plain(octet) });
    let wide = path.replace('a', "\u{ff41}").replace('o', "\u{ff4f}");
    let dotless = path.replace('i', "\u{131}").replace('s', "\u{17f}");
    targets.extend([path.to_ascii_uppercase(), alternating, first, wide, dotless]);
    // Before, behind, and both.
    targets.extend(PREFIXES.iter().map(|prefix| format!("{prefix}{path}")));
    targets.extend(SUFFIXES.iter().map(|suffix| format!("{path}{suffix}")));
    targets.extend(QUERIES.iter().map(|query| format!("{path}?{query}")));
    targets.extend([
        format!("/_next/data/x{path}.json"),
        format!("/_next/image?url={path}&w=64&q=75"),
        format!("/_fragments{path}/content"),
        format!("/?path={path}"),
        format!("/?x_astro_path={path}"),
        format!("/login?next={path}"),
        format!("/login/../{}", path.trim_start_matches('/')),
        path.trim_start_matches('/').to_owned(),
        "*".to_owned(),
    ]);
    // Above it, and down again by itself.
    let last = path.rsplit('/').next().unwrap_or_default();
    targets.extend([format!("{path}/../{last}"), format!("{path}/%2e%2e/{last}"), format!("{path}/..;/{last}")]);
    // In absolute form.
    for authority in
        ["localhost", "LOCALHOST", "localhost.", "localhost:80", "evil.example", "user@localhost", "127.0.0.1", ""]
    {
        targets.extend([format!("http://{authority}{path}"), format!("https://{authority}{path}")]);
    }
    targets.extend([format!("//localhost{path}"), format!("ws://localhost{path}"), format!("file://{path}")]);
    let mut spellings: Vec<Spelling> = targets.iter().map(|target| Spelling::get(target)).collect();
    spellings.extend(METHODS.iter().map(|&method| Spelling { method, ..Spelling::get(path) }));
    spellings.extend(FIELDS.iter().map(|(name, value)| Spelling::with(path, name, &value.replace('$', path))));
    for name in ELSEWHERE {
        spellings.extend(["/", "/login", "/no/such"].map(|open| Spelling::with(open, name, path)));
    }
    // Two of a kind, of which one may be read and the other obeyed.
    let two = |name: &str, values: [&str; 2]| Spelling {
        fields: values.iter().map(|value| (name.to_owned(), (*value).to_owned())).collect(),
        ..Spelling::get(path)
    };
    spellings.extend([
        two("host", ["localhost", "evil.example"]),
        two("authorization", ["Bearer x", "Basic cm9vdDpyb290LXNlY3JldA=="]),
        two("cookie", ["session=x", "session="]),
        two("x-middleware-subrequest", ["middleware", "middleware"]),
    ]);
    for spelling in &mut spellings {
        path.clone_into(&mut spelling.path);
    }
    spellings
}

/// Who asks: their `Cookie`.
type Person<'a> = Option<&'a str>;

/// A verdict: the status, and where it sends people, without what it says of where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Verdict {
    status: u16,
    location: Option<String>,
}

impl Verdict {
    fn of(response: &Response) -> Self {
        let location = response.header("location").map(|to| to.split('?').next().unwrap_or_default().to_owned());
        Self { status: response.status, location }
    }

    fn is_refusal(&self) -> bool {
        matches!(self.status, 401 | 403 | 404) || (matches!(self.status, 302 | 303) && self.location.is_some())
    }

    /// Whether this is the same refusal, by any method.
    fn holds_in(&self, other: &Self) -> bool {
        let is_sent_away = |verdict: &Self| matches!(verdict.status, 302 | 303);
        self == other || (is_sent_away(self) && is_sent_away(other) && self.location == other.location)
    }
}

/// A connection that is opened again when it was closed.
struct Asking<'s> {
    site: &'s Site,
    connection: Connection,
}

impl<'s> Asking<'s> {
    fn on(site: &'s Site) -> Self {
        Self { site, connection: site.connect() }
    }

    /// The answer; none if the server only hangs up.
    fn ask(&mut self, spelling: &Spelling, person: Person) -> Option<Response> {
        let bytes = spelling.bytes(person);
        let answer = self.connection.send(&bytes).and_then(|()| self.connection.response_to(spelling.method)).ok();
        if answer.as_ref().is_none_or(|answer| answer.header("connection").is_some()) {
            self.connection = self.site.connect();
        }
        answer
    }

    fn get(&mut self, target: &str, person: Person) -> Response {
        self.ask(&Spelling::get(target), person).expect("an answer")
    }
}

/// A guarded site, and those who come to it.
struct Guarded<'s> {
    site: &'s Site,
    /// The URL of each guarded route.
    routes: BTreeSet<String>,
    /// Who may see all of them.
    insider: &'s str,
    /// Who may see none of them, or some.
    outsiders: Vec<Person<'s>>,
    /// What anybody may see.
    open: String,
}

/// Lines long enough that nobody says them by chance.
fn lines(response: &Response) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(&response.body).into_owned();
    text.lines().map(|line| line.trim().to_owned()).filter(|line| line.len() >= 12).collect::<Vec<_>>().into_iter()
}

impl Guarded<'_> {
    /// Asks for every route in every way; how often somebody was refused.
    fn run(&mut self) -> usize {
        let mut asking = Asking::on(self.site);
        for target in ["/", "/login", "/no/such/page", "/basket"] {
            for person in self.outsiders.clone() {
                self.open.push_str(&String::from_utf8_lossy(&asking.get(target, person).body));
            }
        }
        let mut refused = 0;
        for route in self.routes.clone() {
            let shown = asking.get(&route, Some(self.insider));
            assert_eq!(shown.status, 200, "{route} is shown to those who may see it: {shown:?}");
            for person in self.outsiders.clone() {
                let answer = asking.get(&route, person);
                let verdict = Verdict::of(&answer);
                if verdict.status == 200 && person.is_some() {
                    continue;
                }
                assert!(verdict.is_refusal(), "{route} as {person:?}: {answer:?}");
                // Where to go on after signing in is no secret to whoever asked for it.
                let way_back = asking.get(&format!("/login?next={route}"), person);
                let own = [&way_back, &answer].map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
                let own = format!("{}{}{}", self.open, own[0], own[1]);
                let secret: Vec<String> = lines(&shown).filter(|line| !own.contains(line.as_str())).collect();
                assert!(!secret.is_empty(), "{route} has something to hide");
                let ways = spellings(&route);
                assert!(ways.len() >= WAYS, "{route}: {}", ways.len());
                // Whoever sends something that is no credential may be nobody.
                let verdicts = [verdict, Verdict::of(&asking.get(&route, None))];
                for spelling in ways {
                    // Whatever may be kept of it is kept now.
                    asking.ask(&spelling, Some(self.insider));
                    self.refuses(&mut asking, &spelling, person, &verdicts, &secret);
                    refused += 1;
                }
            }
            let again = asking.get(&route, Some(self.insider));
            assert_eq!(again.status, 200, "{route}: no refusal was kept for others");
        }
        refused
    }

    /// Whoever may not see it does not, in this way.
    fn refuses(
        &self,
        asking: &mut Asking,
        spelling: &Spelling,
        person: Person,
        verdicts: &[Verdict; 2],
        secret: &[String],
    ) {
        let Some(answer) = asking.ask(spelling, person) else { return };
        hides(&answer, secret, spelling);
        if answer.status != 308 {
            is_sound(&answer, spelling, verdicts);
            return;
        }
        // Sent to the canonical spelling, of this site or none: what that says, holds.
        let location = answer.header("location").expect("a target").to_owned();
        let target = location.strip_prefix("http://localhost").unwrap_or(&location);
        assert!(target.starts_with('/') && !target.starts_with("//"), "{spelling:?} leads to {location}");
        let next = Spelling { target: target.to_owned(), ..spelling.clone() };
        let Some(answer) = asking.ask(&next, person) else { return };
        hides(&answer, secret, &next);
        assert_ne!(answer.status, 308, "{next:?} of {spelling:?} is canonical");
        let path = target.split('?').next().unwrap_or_default();
        // It may be another route, whose own verdict then holds: a path above is one.
        let own = match self.routes.contains(path) {
            true if path != spelling.path => [person, None].map(|person| Verdict::of(&asking.get(path, person))),
            true => verdicts.clone(),
            false => return,
        };
        is_sound(&answer, &next, &own);
    }
}

/// The route's own verdict, or there is nothing of the kind. Nothing is kept.
fn is_sound(answer: &Response, spelling: &Spelling, verdicts: &[Verdict; 2]) {
    let is_of_route = verdicts.iter().any(|verdict| verdict.holds_in(&Verdict::of(answer)));
    let is_nothing = matches!(answer.status, 400 | 404 | 405 | 414 | 417 | 421 | 501)
        // Where forms and programs send something, there is more to be said against it.
        || (!matches!(spelling.method, "GET" | "HEAD") && matches!(answer.status, 403 | 411 | 415 | 422));
    // What may be asked for is no secret, and whoever asks by a script has no cookie to ask with.
    let is_list = spelling.method == "OPTIONS" && answer.status == 204 && answer.body.is_empty();
    // A request for something open, whatever it names elsewhere, is one for something open; so is what is spelled like it.
    let path = spelling.target.split(['?', '#']).next().unwrap_or_default();
    let is_open = answer.status < 400 && matches!(path, "/" | "/login" | "http://localhost" | "*");
    assert!(is_of_route || is_nothing || is_list || is_open, "{spelling:?}: {answer:?}, not {verdicts:?}");
    if !is_open {
        let kept = answer.header("cache-status").unwrap_or_default();
        assert!(!kept.contains("stored") && !kept.contains("hit"), "{spelling:?} is kept: {answer:?}");
        if is_of_route && answer.status != 404 {
            let told = answer.header("cache-control").unwrap_or_default();
            assert!(told.contains("no-store"), "{spelling:?} may be kept by others: {answer:?}");
        }
    }
}

/// Nothing of what is guarded is in the answer.
fn hides(answer: &Response, secret: &[String], spelling: &Spelling) {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    for (name, value) in &answer.headers {
        write!(text, "\n{name}: {value}").expect("memory");
    }
    for line in secret {
        assert!(!text.contains(line.as_str()), "{spelling:?} shows {line:?}: {text}");
    }
}

/// A value for each parameter of a guarded route; `{*page}` is written `*page`.
const VALUES: &[(&str, &str, &str)] = &[
    ("/account/orders/{id}", "id", "1001"),
    ("/api/orders/{id}", "id", "1001"),
    ("/admin/handbook/{*page}", "*page", "returns"),
    ("/admin/files/{*file}", "*file", "counter.txt"),
    ("/admin/backend/{*rest}", "*rest", "users"),
];

/// The URLs of guarded routes, by reading the files of a site as an author does.
fn guarded_routes(folder: &Path) -> BTreeSet<String> {
    let is_guarded = Said::in_file(&folder.join("site.toml"), Some("defaults")).is_guarded.unwrap_or_default();
    let mut found = BTreeSet::new();
    below(&folder.join("routes"), "", is_guarded, &mut found);
    found
}

/// What is read of a file: whether it says something of guards, whether that opens it, and its path.
#[derive(Default)]
struct Said {
    is_guarded: Option<bool>,
    path: Option<String>,
}

impl Said {
    fn in_file(path: &Path, within: Option<&str>) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let read = toml::de::DeTable::parse(&text).expect("TOML");
        let table = match within {
            Some(name) => read.get_ref().get(name).and_then(|table| table.get_ref().as_table()),
            None => Some(read.get_ref()),
        };
        let Some(table) = table else { return Self::default() };
        Self {
            is_guarded: table.get("guard").map(|guard| guard.get_ref().as_bool() != Some(false)),
            path: table.get("path").map(|path| path.get_ref().as_str().expect("one path").to_owned()),
        }
    }
}

fn below(folder: &Path, at: &str, is_guarded: bool, found: &mut BTreeSet<String>) {
    let is_guarded = Said::in_file(&folder.join("_section.toml"), None).is_guarded.unwrap_or(is_guarded);
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            below(&path, &format!("{at}/{name}"), is_guarded, found);
            continue;
        }
        let Some(stem) = name.strip_suffix(".toml").filter(|stem| *stem != "_section") else { continue };
        let route = Said::in_file(&path, None);
        if !route.is_guarded.unwrap_or(is_guarded) {
            continue;
        }
        let place = if stem == "index" { at.to_owned() } else { format!("{at}/{stem}") };
        let place = if place.is_empty() { "/".to_owned() } else { place };
        let url = route.path.unwrap_or(place);
        let values = VALUES.iter().filter(|(of, ..)| *of == url);
        let filled = values.fold(url.clone(), |filled, (_, name, value)| filled.replace(&format!("{{{name}}}"), value));
        assert!(!filled.contains('{'), "{url}: give its parameters values in `VALUES`");
        found.insert(filled);
    }
}

fn no_spelling_opens_a_guarded_route_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let (mut routes, mut refused) = (0, 0);
    for folder in examples.chain([root.to_owned()]) {
        let guarded = guarded_routes(&folder);
        if guarded.is_empty() {
            continue;
        }
        routes += guarded.len();
        let old = migration::old_sites(&folder);
        let upstream = Options::default().serve(Folder::copy_of_site(&root.join("examples/upstream")));
        let accounts = Accounts::start();
        let [insider, outsider] = ["root", "alice"].map(|name| accounts.sign_in(name));
        // The order of the example is Alice's; here it is theirs who may see everything.
        let form = [("content-type", "application/x-www-form-urlencoded"), ("cookie", insider.as_str())];
        let placed = accounts.request("POST", "/orders", &form, "sku=FO-107&count=1");
        let number = placed.json()["order"]["id"].to_string();
        let site = migration::in_front_of(&old)
            .env("UPSTREAM", &format!("http://{}", upstream.address()))
            .env("ACCOUNTS", &accounts.url())
            .serve(Folder::copy_of_site(&folder));
        let mut guarded = Guarded {
            site: &site,
            routes: guarded.into_iter().map(|route| route.replace("1001", &number)).collect(),
            insider: &insider,
            outsiders: vec![None, Some(&outsider)],
            open: String::new(),
        };
        refused += guarded.run();
    }
    println!("{routes} guarded routes, {refused} times refused");
    assert!(routes > 10 && refused > routes * WAYS, "{routes} guarded routes, {refused} times refused");
}

/// A guard on every kind of route, each in its own words.
const KINDS: &str = r#"
-- site.toml --
[site]
languages = ["en", "de"]
[upstreams.accounts]
base-url = "ACCOUNTS"
allow-private = true
-- routes/index.toml --
layout = "open.html"
-- routes/login.toml --
layout = "open.html"
-- routes/inside/_section.toml --
[guard]
source = "me"
require = { role = ["owner", "admin"] }
on-unauthorized = { redirect = "/login", next = "next" }
[sources.me]
upstream = "accounts"
path = "/whoami"
forward-cookies = ["session"]
-- routes/inside/index.toml --
layout = "page.html"
[query.page]
type = "int"
default = 1
on-invalid = "bad-request"
-- routes/inside/item.toml --
path = "/inside/items/{id}"
layout = "secret.html"
[params.id]
type = "int"
-- routes/inside/word.toml --
path = "/inside/words/{word}"
layout = "secret.html"
-- routes/inside/rest.toml --
path = "/inside/rest/{*rest}"
layout = "secret.html"
-- routes/inside/kept.toml --
layout = "kept.html"
[cache.server]
max-age = "1h"
-- routes/inside/hidden.toml --
layout = "kept.html"
[guard]
source = "me"
require = { role = "admin" }
on-forbidden = "not-found"
[cache.server]
max-age = "1h"
-- routes/inside/data.toml --
json = { secret = "the sparrow is in the chimney" }
-- routes/inside/kept-data.toml --
path = "/inside/data/{id}.json"
json = { secret = "the sparrow is in chimney {params.id}" }
[cache.server]
max-age = "1h"
-- routes/inside/page.toml --
content = "page.md"
-- routes/inside/pages.toml --
path = "/inside/pages/{*page}"
content = "pages"
[cache.server]
max-age = "1h"
-- routes/inside/files.toml --
path = "/inside/files/{*file}"
files = "files"
-- routes/inside/backend.toml --
path = "/inside/backend/{*rest}"
proxy = "accounts"
proxy-path = "/{params.rest}"
-- layouts/open.html --
This is for everybody.
-- layouts/secret.html --
The sparrow is in the chimney: {{ request.url }} {{ request.language }}
-- layouts/kept.html --
The sparrow is in the chimney, and stays there.
-- layouts/page.html --
Page {{ query.page }} of what is known of the sparrow.
-- content/page.md --
# Of sparrows

Chimneys are where they are.
-- content/pages/index.md --
# Of chimneys

Sparrows are what is in them.
-- content/pages/more.md --
# More of chimneys

There is never just one sparrow.
-- content/files/list.txt --
sparrows in chimneys: seventeen
-- content/files/list.css --
.sparrow { display: none; }
"#;

/// Runs the site of all kinds with more files; how often somebody was refused.
fn refused_of_any_kind(more: &str, routes: &[&str]) -> usize {
    let accounts = Accounts::start();
    let [insider, outsider] = ["root", "alice"].map(|name| accounts.sign_in(name));
    let site = Site::start(&format!("{}{more}", KINDS.replace("ACCOUNTS", &accounts.url())));
    let mut guarded = Guarded {
        site: &site,
        routes: routes.iter().map(|&route| route.to_owned()).collect(),
        insider: &insider,
        outsiders: vec![None, Some(&outsider)],
        open: String::new(),
    };
    guarded.run()
}

fn no_spelling_opens_a_guarded_route_of_any_kind() {
    let routes = [
        "/inside",
        "/inside?page=2",
        "/inside/items/7",
        "/inside/words/sparrow",
        "/inside/rest",
        "/inside/rest/a/b",
        "/inside/kept",
        "/inside/hidden",
        "/inside/data",
        "/inside/data/7.json",
        "/inside/page",
        "/inside/pages",
        "/inside/pages/more",
        "/inside/files/list.txt",
        "/inside/files/list.css",
        "/inside/backend/users",
    ];
    let refused = refused_of_any_kind("", &routes);
    println!("{refused} times refused");
    assert_eq!(refused, routes.iter().map(|route| 2 * spellings(route).len()).sum::<usize>());
}

/// The test of the test: what is guarded in one place and open in another is found.
fn a_way_around_is_noticed() {
    for way in [
        "-- routes/copy.toml --\npath = \"/inside/kept.md\"\nlayout = \"kept.html\"\nguard = false\n",
        "-- routes/copy.toml --\npath = \"/en/inside/kept\"\nlayout = \"kept.html\"\n",
        "-- routes/copy.toml --\npath = \"/inside/kept/{*rest}\"\nlayout = \"kept.html\"\nguard = false\n",
    ] {
        let told = std::panic::catch_unwind(|| refused_of_any_kind(way, &["/inside/kept"])).expect_err("it is noticed");
        let told = told.downcast_ref::<String>().map_or("", String::as_str);
        assert!(told.contains("shows \"The sparrow is in the chimney"), "{way}: {told}");
    }
}

fn there_are_hundreds_of_spellings() {
    for path in ["/a", "/account/orders/1001"] {
        let all: BTreeSet<Spelling> = spellings(path).into_iter().collect();
        assert!(all.len() >= WAYS, "{path}: {}", all.len());
    }
}
