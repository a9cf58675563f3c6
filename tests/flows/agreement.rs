//! What `siteserver explain` says of a request is what happens to it: on every route of our own sites, and of one that has everything.
//!
//! A recorder stands before the upstream of the examples. It answers no call before all calls have arrived that are told to begin together, so
//! a plan that is told wrongly is waited for in vain. The explanation is asked of the library, as the command does, and once for each route of
//! the command itself.

use super::admin;
use super::explain::{links, routes, run};
use crate::support::accounts::Accounts;
use crate::support::answers::Reply;
use crate::support::fault::{FaultServer, Request};
use crate::support::http::{Response, compose};
use crate::support::site::{Folder, Options, Site};
use serde_json::Value;
use siteserver::config::Environment;
use siteserver::handler::{Arrival, Runtime, Service};
use siteserver::site::{Memory, load_again};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

crate::cases!(
    it_says_what_happens_on_every_route_of_the_root_site,
    it_says_what_happens_on_every_route_of_the_examples,
    it_says_what_happens_on_routes_of_every_kind,
);

/// How many URLs of one route are compared.
const OF_A_ROUTE: usize = 3;

/// How many calls a source makes that is called for each item of a list, in the site that has everything.
const ITEMS: usize = 2;

/// Fields whose values only the answer has.
const UNKNOWABLE: [&str; 8] =
    ["date", "connection", "content-length", "etag", "age", "cache-status", "content-encoding", "transfer-encoding"];

/// Fields of calls that the client writes, whatever a source says.
const OF_THE_CLIENT: [&str; 6] =
    ["host", "accept-encoding", "content-length", "user-agent", "connection", "transfer-encoding"];

/// Fields of a request.
type Fields = Vec<(&'static str, &'static str)>;

/// One request.
#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    target: String,
    fields: Fields,
}

impl Asked {
    fn get(target: &str) -> Self {
        Self { method: "GET", target: target.to_owned(), fields: Vec::new() }
    }

    fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { fields: [self.fields, vec![(name, value)]].concat(), ..self }
    }

    /// The requests of one URL that are compared: what it may differ by.
    fn variants(target: &str) -> Vec<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let queried =
            |more: &str| Self::get(&format!("{path}?{query}{}{more}", if query.is_empty() { "" } else { "&" }));
        let plain = Self::get(target);
        let slash = if path.ends_with('/') { format!("/{path}") } else { format!("{path}/") };
        vec![
            plain.clone(),
            plain.clone(),
            queried("utm_source=x&unread=1"),
            queried("page=2&q=a&category=Tools"),
            queried("page=2&q=a&category=Tools&utm_source=y"),
            queried("page=x"),
            Self { method: "HEAD", ..plain.clone() },
            plain.clone().with("cookie", "theme=dark; session=abc"),
            plain.clone().with("cookie", "theme=none"),
            plain.clone().with("accept-language", "de, en;q=0.5").with("x-kind", "k"),
            plain.clone().with("accept-encoding", "br").with("x-forwarded-host", "evil.example"),
            plain.clone().with("origin", "https://other.example"),
            plain.clone(),
            Self::get(&slash),
            Self { method: "OPTIONS", ..plain.clone() },
            Self { method: "DELETE", ..plain },
        ]
    }
}

/// A site that explains.
struct Explainer {
    service: Arc<Service>,
    files: siteserver::diagnostic::Files,
    executor: tokio::runtime::Runtime,
}

impl Explainer {
    fn of(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(variables).lenient();
        let loaded = load_again(&folder.join("site.toml"), &[], &environment, &Memory::default());
        let site = loaded.site.expect("a sound site");
        let runtime = Arc::new(Runtime::new(&site).expect("a client"));
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an executor");
        Self { service: Arc::new(Service::new(Arc::new(site), runtime)), files: loaded.files, executor }
    }

    fn explain(&self, asked: &Asked) -> Value {
        let request = http::Request::builder().method(asked.method).uri(&asked.target).header("host", "localhost");
        let request = asked.fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (request, ()) = request.body(()).expect("a request").into_parts();
        let clock = self.service.runtime().clock();
        let arrival = Arrival {
            began: Instant::now(),
            now: clock.now(),
            wall: clock.wall(),
            id: &"-",
            peer: None,
            is_loopback: true,
            client: &(),
        };
        let told = self.executor.block_on(siteserver::handler::explain(&self.service, &request, &arrival));
        serde_json::from_str(&siteserver::report::explain_as_json(&told, &self.files)).expect("JSON")
    }
}

/// The entry expired before it was asked for again: the machine is slow, and nothing can be said.
struct Late;

/// A site that is asked and explained.
struct Compared<'s> {
    site: &'s Site,
    recorder: &'s FaultServer,
    explainer: Explainer,
    environment: Vec<(&'s str, &'s str)>,
    /// How many URLs of each route were compared.
    seen: BTreeMap<String, usize>,
    /// How many requests there were.
    asked: usize,
    hits: usize,
    calls: usize,
    entries: usize,
}

/// What is told of the entries of the store by now: the digests of their keys, with the path that each was asked for by.
#[derive(Default)]
struct Entries {
    /// Those that are sent as they are.
    kept: BTreeMap<String, String>,
    /// Those that are compared, with the entity tag.
    compared: BTreeMap<String, (String, Option<String>)>,
    /// The paths of routes that were asked in process, whose answers may be kept beside it.
    beside: BTreeSet<String>,
}

impl<'s> Compared<'s> {
    fn of(site: &'s Site, recorder: &'s FaultServer, environment: Vec<(&'s str, &'s str)>) -> Self {
        let explainer = Explainer::of(site.folder().path(), &environment);
        let (seen, asked, hits, calls, entries) = (BTreeMap::new(), 0, 0, 0, 0);
        Self { site, recorder, explainer, environment, seen, asked, hits, calls, entries }
    }

    /// Compares what these URLs, and those that their pages lead to, come to.
    fn crawl(&mut self, seeds: Vec<String>) {
        let (mut done, mut waiting) = (BTreeSet::new(), seeds);
        while let Some(target) = waiting.pop() {
            if !done.insert(target.clone()) {
                continue;
            }
            let told = self.explainer.explain(&Asked::get(&target));
            let route = told["route"]["file"].as_str().unwrap_or_default().to_owned();
            let seen = self.seen.entry(route).or_default();
            if *seen >= OF_A_ROUTE {
                continue;
            }
            *seen += 1;
            if *seen == 1 {
                self.is_told_by_the_command(&target, &told);
            }
            let response = self.compare(&target);
            waiting.extend(links(&response));
        }
    }

    fn is_told_by_the_command(&self, target: &str, told: &Value) {
        let arguments = [target, "--format", "json", "--header", "Host: localhost"];
        let (code, said, messages) = run(self.site.folder().path(), &self.environment, &arguments);
        assert_eq!(code, Some(0), "{target}: {messages}");
        assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON"), *told, "{target}");
    }

    /// Compares all variants of a URL; the answer to the first.
    fn compare(&mut self, target: &str) -> Response {
        loop {
            if let Ok(response) = self.compared(&Asked::variants(target)) {
                return response;
            }
        }
    }

    fn compared(&mut self, variants: &[Asked]) -> Result<Response, Late> {
        // What each comes to when nobody is kept waiting: data may say that there is no such page.
        self.recorder.let_through(None);
        let statuses: Vec<u16> = variants.iter().map(|asked| self.ask(asked).0.status).collect();
        self.purge("{\"all\": true}");
        let (mut entries, mut first) = (Entries::default(), None);
        for (asked, status) in variants.iter().zip(statuses) {
            let response = self.one(asked, status, &mut entries)?;
            first.get_or_insert(response);
        }
        self.recorder.let_through(None);
        // As many entries as keys, of each path and in all.
        let paths: Vec<&String> =
            entries.kept.values().chain(entries.compared.values().map(|(path, _)| path)).collect();
        self.entries += paths.len();
        for path in paths.iter().collect::<BTreeSet<_>>() {
            let told = paths.iter().filter(|other| *other == path).count();
            assert_eq!(self.purge(&format!("{{\"path\": \"{path}\"}}")), told, "{path}: {:?}", variants[0]);
        }
        for path in &entries.beside {
            self.purge(&format!("{{\"path\": \"{path}\"}}"));
        }
        assert_eq!(self.purge("{\"all\": true}"), 0, "{:?}", variants[0]);
        Ok(first.expect("a variant"))
    }

    fn purge(&self, what: &str) -> usize {
        let answer = admin::ask(self.site, "POST", "/purge", &[], what);
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        usize::try_from(answer.json()["entries"].as_u64().expect("a count")).expect("a few")
    }

    /// An answer, and its line in the log.
    fn ask(&mut self, asked: &Asked) -> (Response, Value) {
        let Asked { method, target, fields } = asked;
        let response = self.site.request(method, target, fields, b"");
        let logged = self.logged();
        (response, logged)
    }

    fn logged(&mut self) -> Value {
        self.asked += 1;
        let lines = Cell::new(0);
        let line = self.site.wait_for_access(|_| lines.replace(lines.get() + 1) + 1 == self.asked);
        serde_json::from_str(&line).expect("JSON")
    }

    /// Compares one request, which comes to `status`.
    fn one(&mut self, asked: &Asked, status: u16, entries: &mut Entries) -> Result<Response, Late> {
        let told = self.explainer.explain(asked);
        let (verdict, page) = (&told["verdict"], &told["page"]);
        asked_in_process(&page["sources"], &mut entries.beside);
        let store = &page["store"];
        let digest = store["key"]["digest"].as_str().map(ToOwned::to_owned);
        let is_hit = digest.as_ref().is_some_and(|digest| entries.kept.contains_key(digest));
        let rounds = if page.is_null() || is_hit { Vec::new() } else { Round::all(&page["sources"]) };
        let before = self.recorder.total_calls();
        let is_whole = verdict["status"] == status;
        let mut connection = self.site.connect();
        // Nobody is answered before all are there who are told to begin together.
        self.recorder.let_through(is_whole.then_some(before));
        connection.send(compose(asked.method, &asked.target, &asked.fields, b"")).expect("a server that listens");
        let mut expected = before;
        for round in rounds.iter().filter(|_| is_whole) {
            let already = expected;
            expected += round.0.iter().map(|call| call.count).sum::<usize>();
            let arrived = self.recorder.has_arrived(expected);
            let calls = self.recorder.requests_after(already);
            assert!(arrived, "{asked:?}: told {round:#?}, and there were {calls:#?}");
            round.fits(&calls, asked);
            self.recorder.let_through(Some(expected));
        }
        let response = connection.response_to(asked.method).expect("a response");
        let logged = self.logged();
        let status_line = response.header("cache-status").unwrap_or_default().to_owned();
        let is_stale = status_line.contains("ttl=-") || status_line.contains("fwd=stale") && store["kept"] == true;
        if is_stale {
            return Err(Late);
        }
        let calls = self.recorder.requests_after(before);
        self.calls += calls.len();
        if is_whole {
            assert_eq!(calls.len(), expected - before, "{asked:?}: {calls:#?}");
        } else {
            let all: Vec<&ToldCall> = rounds.iter().flat_map(|round| &round.0).collect();
            assert!(calls.iter().all(|call| all.iter().any(|told| told.fits(call))), "{asked:?}: {calls:#?}");
        }
        assert_eq!(status_line.contains("; hit"), is_hit, "{asked:?}: {status_line}, told {store:#}");
        self.hits += usize::from(is_hit);
        if is_hit {
            lives_as_told(&status_line, &response, page, asked);
        }
        if verdict["outcome"] == "route" {
            assert_eq!(told["route"]["file"], logged["route"], "{asked:?}");
        }
        if is_whole {
            answers_as_told(&told, &response, asked);
        } else {
            ends_as_told(&told, &response, asked);
        }
        let is_stored = is_stored(&told, &response, asked);
        if let Some(digest) = digest.filter(|_| is_stored) {
            let path = asked.target.split('?').next().unwrap_or_default().to_owned();
            if store["kept"] == true || response.status == 404 {
                entries.kept.insert(digest, path);
            } else {
                let tag = response.header("etag").map(ToOwned::to_owned);
                let known = entries.compared.insert(digest, (path, tag.clone()));
                assert!(
                    known.is_none_or(|(_, known)| known == tag),
                    "{asked:?}: the same data, and another tag {tag:?}"
                );
            }
        }
        Ok(response)
    }
}

/// The paths of the routes that sources ask, and those of theirs.
fn asked_in_process(sources: &Value, paths: &mut BTreeSet<String>) {
    for source in sources.as_array().into_iter().flatten().filter_map(Value::as_array).flatten() {
        let asks = &source["asks"];
        let path = asks["target"].as_str().and_then(|target| target.split('?').next());
        paths.extend(path.map(str::to_owned));
        asked_in_process(&asks["sources"], paths);
    }
}

/// Whether the answer is in the store now, as it is told; what is said of a miss agrees.
fn is_stored(told: &Value, response: &Response, asked: &Asked) -> bool {
    let page = &told["page"];
    let store = &page["store"];
    let is_kept_404 = || response.status == 404 && notes(page).iter().any(|note| note.starts_with("a 404 is sent"));
    let is_stored = if response.status == 200 {
        store["kept"] == true || store["compared"] == true
    } else {
        !page.is_null() && is_kept_404()
    };
    let status = response.header("cache-status").unwrap_or_default();
    if status.contains("fwd=") {
        assert_eq!(status.contains("; stored"), is_stored && !status.contains("fwd=stale"), "{asked:?}: {status}");
    }
    is_stored
}

fn notes(page: &Value) -> Vec<&str> {
    page["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Status, fields and location.
fn answers_as_told(told: &Value, response: &Response, asked: &Asked) {
    let (verdict, page) = (&told["verdict"], &told["page"]);
    assert_eq!(verdict["status"], response.status, "{asked:?}: {told:#}");
    assert_eq!(verdict["location"].as_str(), response.header("location"), "{asked:?}");
    if page.is_null() {
        return;
    }
    let notes = notes(page);
    let is_noted = |name: &str| notes.iter().any(|note| note.starts_with(&format!("`{name}` ")));
    let mut names = BTreeSet::new();
    for field in page["fields"].as_array().expect("fields") {
        let (name, value) = (field["name"].as_str().expect("a name"), field["value"].as_str().expect("a value"));
        let sent = response.headers(name).join(", ");
        names.insert(name);
        let whole = |text: &str| text.split(", ").map(str::to_ascii_lowercase).collect::<BTreeSet<_>>();
        match name {
            "vary" => {
                let mut sent = whole(&sent);
                if is_noted("vary") {
                    sent.remove("accept-encoding");
                }
                assert_eq!(sent, whole(value), "{asked:?}: vary");
            }
            "cache-control" | "cdn-cache-control" if is_noted(name) => {
                let without = |text: &str| {
                    text.split(", ").filter(|word| !word.starts_with("s-maxage=")).collect::<Vec<_>>().join(", ")
                };
                assert_eq!(without(&sent), without(value), "{asked:?}: {name}");
            }
            _ => assert!(is_like(value, &sent), "{asked:?}: {name}: {sent}, told {value}"),
        }
    }
    for (name, value) in &response.headers {
        let is_known = names.contains(name.as_str()) || UNKNOWABLE.contains(&name.as_str()) || is_noted(name);
        assert!(is_known, "{asked:?}: `{name}: {value}` is not told: {page:#}");
    }
    let is_file = told["route"]["kind"] == "files";
    let is_strong = response.header("etag").is_some_and(|tag| tag.starts_with('"'));
    assert_eq!(is_strong, is_file || is_noted("etag"), "{asked:?}: etag {:?}", response.header("etag"));
    let vary = page["store"]["vary"].as_array().expect("names").iter().filter_map(Value::as_str);
    let sent = response.headers("vary").join(", ").to_ascii_lowercase();
    assert!(vary.into_iter().all(|name| sent.split(", ").any(|sent| sent == name)), "{asked:?}: {sent}");
}

/// An answer that only data could tell: a 404, a rule, an error.
fn ends_as_told(told: &Value, response: &Response, asked: &Asked) {
    let page = &told["page"];
    let rules = page["rules"].as_array().into_iter().flatten().filter_map(|rule| rule["then"].as_str());
    let is_ruled = rules.into_iter().any(|then| then.starts_with(&response.status.to_string()));
    let has_sources = page["sources"].as_array().is_some_and(|waves| !waves.is_empty());
    // What an upstream answers, it alone can tell.
    let is_passed_on = told["route"]["kind"] == "proxy";
    // Nor is it told whether a guard lets somebody in, only that there is one.
    let settings = page["settings"].as_array().into_iter().flatten();
    let is_guarded =
        settings.into_iter().any(|setting| setting["name"] == "guard") || told["verdict"]["outcome"] == "options";
    if is_guarded && matches!(response.status, 302 | 303 | 401 | 403) {
        let told = response.header("cache-control").unwrap_or_default();
        return assert!(told.contains("no-store"), "{asked:?}: {told}");
    }
    assert!(
        is_ruled || has_sources || is_passed_on,
        "{asked:?}: {} for no reason that is told: {told:#}",
        response.status
    );
    let said = notes(page).into_iter().find_map(|note| note.strip_prefix("a 404 is sent with `cache-control: "));
    let expected = said.and_then(|said| said.split('`').next()).filter(|_| response.status == 404);
    if response.status >= 400 {
        assert_eq!(response.header("cache-control"), Some(expected.unwrap_or("no-store")), "{asked:?}");
    }
}

/// `ttl` and `Age` of what was found.
fn lives_as_told(status: &str, response: &Response, page: &Value, asked: &Asked) {
    let words = page["lifetimes"]["store"].as_str().expect("words");
    let ttl = status.split("ttl=").nth(1).and_then(|ttl| ttl.split(';').next()).and_then(|ttl| ttl.parse::<f64>().ok());
    let age = response.header("age").and_then(|age| age.parse::<f64>().ok());
    let (ttl, age) = (ttl.expect("a number"), age.expect("an age"));
    let note = notes(page).into_iter().find_map(|note| note.split("kept for ").nth(1));
    let fresh = match words.strip_prefix("fresh for ") {
        _ if response.status == 404 => note.and_then(|note| note.split(' ').next()),
        fresh => fresh.and_then(|fresh| fresh.split(',').next()),
    };
    // Those of `auto` are as long as the sources say.
    let Some(fresh) = fresh.and_then(seconds) else {
        return assert!(words.starts_with("fresh as long as"), "{asked:?}: {words}");
    };
    // As much as a tenth is given up, and both are rounded down.
    assert!(ttl + age <= fresh && ttl + age >= fresh * 0.9 - 2.0, "{asked:?}: {words}, and {ttl} left at {age}");
}

/// `1h30m` as seconds.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) {
        let (number, unit) = rest.split_at(end);
        let length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let factor = match &unit[..length] {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = &unit[length..];
    }
    Some(sum)
}

/// A call as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ToldCall {
    method: String,
    /// Path and query, with placeholders for what is not known.
    target: String,
    fields: BTreeSet<String>,
    /// How often it is made.
    count: usize,
}

impl ToldCall {
    fn of(source: &Value) -> Option<Self> {
        let call = &source["call"];
        if call.is_null() || !call["refused"].is_null() {
            return None;
        }
        let text = |name: &str| call[name].as_str().expect("a text").to_owned();
        let url = text("url");
        let (_, rest) = url.split_once("://").expect("a whole URL");
        let target = rest.find('/').map_or("/", |at| &rest[at..]).to_owned();
        let fields = call["fields"].as_array().expect("names").iter();
        Some(Self {
            method: text("method"),
            target,
            fields: fields.map(|name| name.as_str().expect("a name").to_owned()).collect(),
            count: if source["each"].is_null() { 1 } else { ITEMS },
        })
    }

    fn fits(&self, call: &Request) -> bool {
        let names: BTreeSet<&str> = call.headers.iter().map(|(name, _)| name.as_str()).collect();
        let is_of_the_client = |name: &str| OF_THE_CLIENT.contains(&name);
        let are_told = names.iter().all(|name| is_of_the_client(name) || self.fields.contains(*name));
        let are_sent = self.fields.iter().all(|name| names.contains(name.as_str()));
        self.method == call.method && is_like(&self.target, &call.target) && are_told && are_sent
    }
}

/// Whether a text is as it is told, where `{…}` and `(secret)` stand for anything.
fn is_like(told: &str, text: &str) -> bool {
    let open = told.find('{').into_iter().chain(told.find("(secret)")).min();
    let Some(open) = open else { return told == text };
    let Some(rest) = text.strip_prefix(&told[..open]) else { return false };
    let end =
        if told[open..].starts_with('{') { told[open..].find('}').map(|at| at + 1) } else { Some("(secret)".len()) };
    let told = &told[open + end.expect("a whole placeholder")..];
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| is_like(told, &rest[at..]))
}

/// Calls that begin together.
#[derive(Debug, Default)]
struct Round(Vec<ToldCall>);

/// A source as it is told, and what it waits for.
struct Node<'t> {
    source: &'t Value,
    after: BTreeSet<String>,
}

impl Round {
    /// The calls that are told, in the rounds that follow from what waits for what if each round is answered as a whole.
    fn all(waves: &Value) -> Vec<Self> {
        let mut nodes = BTreeMap::new();
        collect(waves, &BTreeSet::new(), &mut nodes);
        let (mut settled, mut made, mut rounds) = (BTreeSet::<String>::new(), Vec::<ToldCall>::new(), Vec::new());
        while settled.len() < nodes.len() {
            let mut round = Self::default();
            let mut begun = Vec::new();
            // What has its value at once, and what waits for that alone.
            loop {
                let is_ready = |(name, node): &(&String, &Node<'_>)| {
                    !settled.contains(*name) && !begun.contains(*name) && node.after.is_subset(&settled)
                };
                let ready: Vec<(String, Option<ToldCall>)> = nodes
                    .iter()
                    .filter(is_ready)
                    .map(|(name, node)| (name.clone(), ToldCall::of(node.source)))
                    .collect();
                if ready.is_empty() {
                    break;
                }
                for (name, call) in ready {
                    match call {
                        // The same call is made once, whoever wants its answer.
                        Some(call) if made.contains(&call) && !round.0.contains(&call) => drop(settled.insert(name)),
                        Some(call) => {
                            if !made.contains(&call) {
                                round.0.push(call.clone());
                                made.push(call);
                            }
                            begun.push(name);
                        }
                        None => drop(settled.insert(name)),
                    }
                }
            }
            settled.extend(begun);
            if !round.0.is_empty() {
                rounds.push(round);
            }
        }
        rounds
    }

    /// Whether these are the calls that arrived.
    fn fits(&self, calls: &[Request], asked: &Asked) {
        for told in &self.0 {
            let fitting = calls.iter().filter(|call| told.fits(call)).count();
            assert!(fitting >= told.count, "{asked:?}: told {told:#?}, and there were {calls:#?}");
        }
        let is_told = |call: &&Request| self.0.iter().any(|told| told.fits(call));
        assert!(calls.iter().filter(is_told).count() == calls.len(), "{asked:?}: told {self:#?}, made {calls:#?}");
    }
}

/// All sources, those of routes that are asked in process included. One that asks a route has settled when those of the route have.
fn collect<'t>(waves: &'t Value, outer: &BTreeSet<String>, nodes: &mut BTreeMap<String, Node<'t>>) {
    for source in waves.as_array().into_iter().flatten().flat_map(|wave| wave.as_array().expect("a wave")) {
        let name = source["name"].as_str().expect("a name").to_owned();
        let after = source["after"].as_array().expect("names").iter();
        let mut after: BTreeSet<String> = after.map(|name| name.as_str().expect("a name").to_owned()).collect();
        after.extend(outer.iter().cloned());
        let inner = &source["asks"]["sources"];
        collect(inner, &after, nodes);
        let of_inner = inner.as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
        after.extend(of_inner.map(|inner| inner["name"].as_str().expect("a name").to_owned()));
        nodes.insert(name, Node { source, after });
    }
}

/// Compares a site of ours, which is copied; its upstream is the one of the examples. How many hits, calls and entries there were.
fn agrees_on(folder: &Path) -> [usize; 3] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let upstream = Options::default().serve(Folder::copy_of_site(&root.join("examples/upstream")));
    let recorder = FaultServer::start();
    recorder.stand_before(upstream.address());
    recorder.put("/basket", Reply::json(r#"{"items":[],"count":0,"sum":"0.00"}"#));
    let address = recorder.url("");
    // Who asks is asked before anything else, and no explanation asks that: so of those who know people nothing is recorded.
    let people = Accounts::start();
    let knows_people = std::fs::read_to_string(folder.join("site.toml")).expect("text").contains("\n[auth.");
    let accounts = if knows_people { people.url() } else { address.clone() };
    let options = admin::options().env("UPSTREAM", &address).env("ACCOUNTS", &accounts);
    let site = options.serve(Folder::copy_of_site(folder));
    let (files, mut seeds) = routes(site.folder().path());
    // What nothing leads to.
    let others = [
        "/data/products.json",
        "/products/FO-107",
        "/products/XX-1",
        "/reviews/FO-107",
        "/repos/acme/none",
        "/no/such",
        "/account/orders/1001",
        "/admin/backend/users",
        "/admin/files/counter.txt",
        "/admin/handbook",
        "/api/orders/1001",
    ];
    seeds.extend(others.map(ToOwned::to_owned));
    let mut compared =
        Compared::of(&site, &recorder, vec![("UPSTREAM", address.as_str()), ("ACCOUNTS", accounts.as_str())]);
    compared.crawl(seeds);
    let missed: Vec<&String> = files.iter().filter(|file| !compared.seen.contains_key(*file)).collect();
    assert!(missed.is_empty(), "{}: nothing was asked of {missed:?}", folder.display());
    [compared.hits, compared.calls, compared.entries]
}

fn it_says_what_happens_on_every_route_of_the_root_site() {
    let [hits, calls, entries] = agrees_on(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(hits > 50 && calls > 2 && entries > 5, "{hits} hits, {calls} calls, {entries} entries");
}

fn it_says_what_happens_on_every_route_of_the_examples() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut sums = [0; 3];
    for folder in examples.read_dir().expect("examples").flatten() {
        // It has an upstream of its own, before which no recorder stands.
        if folder.path().join("old").is_dir() {
            continue;
        }
        for (sum, count) in sums.iter_mut().zip(agrees_on(&folder.path())) {
            *sum += count;
        }
    }
    let [hits, calls, entries] = sums;
    assert!(hits > 100 && calls > 20 && entries > 30, "{hits} hits, {calls} calls, {entries} entries");
}

/// What the examples have not: routes of every kind, policy, input and source.
const EVERYTHING: &str = r#"headers = { authorization = "Bearer {env.TOKEN}" }
query = { key = "{env.KEY}" }
[site]
languages = ["en", "de"]
-- layouts/page.html --
{{ params.id }} {{ query.page }} {{ cookies.theme }} {{ request.headers.x-kind }} {{ request.language }} {{ page.path }}
-- layouts/shown.html --
{{ a.target }} {{ b | json }} {{ c | json }} {{ d | json }} {{ e | json }} {{ v.t }} {{ f | json }}
-- layouts/me.html --
{{ me.of }} {{ orders | json }}
-- content/docs/index.md --
Welcome
-- content/docs/more.md --
More
-- content/files/a.txt --
A file
-- content/numbers.json --
{ "one": 1 }
-- routes/keyed.toml --
path = ["/keyed/{id}", "/also/keyed/{id}"]
layout = "page.html"
[params.id]
type = "int"
[query.page]
type = "int"
default = 1
[query.q]
[cookies.theme]
enum = ["light", "dark"]
default = "light"
[cache]
s-maxage = "1h"
-- routes/chain.toml --
layout = "shown.html"
[query.q]
default = "x"
[sources.a]
upstream = "up"
path = "/echo"
query = { q = "{query.q}" }
extract.target = "$.path"
[sources.b]
upstream = "up"
path = "/echo/"
query = { of = "{a.target}" }
extract.of = "$.query.of"
[sources.v]
value = { t = "{a.target}" }
[sources.c]
upstream = "up"
path = "/json/items"
query = { n = 2 }
headers = { x-of = "{v.t}" }
extract.total = "$.total"
[sources.d]
upstream = "up"
path = "/json/items"
query = { n = 3 }
extract.total = "$.total"
[sources.e]
upstream = "up"
path = "/json/items"
query = { n = 3 }
extract.first = "$.items[0].id"
[sources.f]
file = "numbers.json"
-- routes/each.toml --
json = { all = "{all}" }
[sources.list]
upstream = "up"
path = "/json/items"
query = { n = 2 }
extract.ids = "$.items[*].id"
[sources.all]
for-each = "{list.ids}"
max-items = 5
upstream = "up"
path = "/echo"
query = { id = "{item}" }
extract.id = "$.query.id"
[cache]
s-maxage = "1h"
-- routes/post.toml --
json = { a = "{a.method}" }
[query.q]
[sources.a]
upstream = "up"
path = "/echo"
method = "POST"
safe = true
body = { q = "{query.q}" }
[cache]
max-age = "1h"
-- routes/me.toml --
layout = "me.html"
[sources.me]
upstream = "up"
path = "/echo"
forward-cookies = ["session"]
forward-headers = ["accept-language"]
extract.of = "$.path"
[sources.orders]
upstream = "up"
path = "/json/items"
query = { n = 2, of = "{me.of}" }
extract.total = "$.total"
[cache]
private = true
max-age = "1m"
-- routes/asks.toml --
json = { each = "{each}", then = "{then}" }
[sources.each]
route = "/inner"
[sources.then]
upstream = "up"
path = "/echo"
query = { of = "{each.a}" }
extract.of = "$.query.of"
[sources.beside]
upstream = "up"
path = "/count/beside"
[sources.last]
upstream = "up"
path = "/echo/"
query = { of = "{beside.count}" }
extract.of = "$.query.of"
[headers]
x-last = "{last.of}"
[cache]
s-maxage = "1h"
-- routes/inner.toml --
json = { a = "{a.path}", b = "{b.total}" }
[sources.a]
upstream = "up"
path = "/echo"
query = { inner = 1 }
[sources.b]
upstream = "up"
path = "/json/items"
query = { of = "{a.path}" }
-- routes/gone.toml --
path = "/gone/{id}"
json = { a = "{a}" }
[sources.a]
upstream = "up"
path = "/status/404"
query = { id = "{params.id}" }
[cache]
s-maxage = "1h"
not-found = "10m"
-- routes/failing.toml --
json = { a = "{a}" }
[sources.a]
upstream = "up"
path = "/status/503"
[cache]
s-maxage = "1h"
-- routes/rule.toml --
json = { q = "{query.q}" }
[query.q]
[query.page]
[[rules]]
if = "query.q == 'a'"
then = { redirect = "/gone/{query.page}" }
[[rules]]
if = "query.page == 'x'"
then = { status = 410 }
[cache]
s-maxage = "1h"
-- routes/auto.toml --
json = { a = "{a.path}" }
[sources.a]
upstream = "up"
path = "/echo"
query = { header = "cache-control:max-age=600" }
[cache]
s-maxage = "auto"
stale-while-revalidate = "1m"
-- routes/network.toml --
json = { a = "{query.q}" }
headers = { x-of = "{query.q}", link = "</a>; rel=next" }
cors = { origins = ["https://other.example"] }
[query.q]
[cache]
max-age = "10s"
not-found = "5s"
tags = ["of:{query.q}"]
[cache.cdn]
max-age = "1d"
tag-header = "Cache-Tag"
-- routes/server.toml --
json = { a = 1 }
[cache]
no-store = true
[cache.server]
max-age = "1h"
-- routes/nobody.toml --
json = { a = 1 }
cache = { no-store = true }
-- routes/private.toml --
json = { a = 1 }
cache = { private = true, max-age = "1m" }
-- routes/unkept.toml --
json = { a = 1 }
[cache]
s-maxage = "1h"
[cache.server]
no-store = true
-- routes/created.toml --
json = { a = 1 }
status = 203
cache = "hours"
-- routes/theme.toml --
json = { theme = "{cookies.theme}" }
[cookies.theme]
enum = ["light", "dark"]
[cache]
s-maxage = "1h"
-- routes/language.toml --
json = { language = "{request.language}" }
-- routes/docs.toml --
path = "/docs/{*page}"
content = "docs"
cache = "hours"
-- routes/files.toml --
path = "/files/{*file}"
files = "files"
headers = { x-files = "yes" }
[cache]
max-age = "1h"
-- routes/old.toml --
path = "/old/{id}"
redirect = "/gone/{params.id}"
cache = "hours"
-- routes/moved.toml --
redirect = "/docs"
status = 302
"#;

fn it_says_what_happens_on_routes_of_every_kind() {
    let recorder = FaultServer::start();
    let environment = [("TOKEN", "t0ken-4f9c1e77b2a84d0f"), ("KEY", "k3y-77b2a84d0f4f9c1e")];
    let options = environment.iter().fold(admin::options(), |options, (name, value)| options.env(name, value));
    let site = options.start(&super::archive(&recorder, EVERYTHING));
    let (files, mut seeds) = routes(site.folder().path());
    let others =
        ["/keyed/1", "/keyed/2", "/also/keyed/1", "/keyed/x", "/gone/1", "/docs/more", "/docs/none", "/files/a.txt"];
    seeds.extend(others.map(ToOwned::to_owned));
    seeds.extend(["/files/none.txt", "/old/1", "/docs"].map(ToOwned::to_owned));
    let mut compared = Compared::of(&site, &recorder, environment.to_vec());
    compared.crawl(seeds);
    let missed: Vec<&String> = files.iter().filter(|file| !compared.seen.contains_key(*file)).collect();
    assert!(missed.is_empty(), "nothing was asked of {missed:?}");
    let Compared { hits, calls, entries, .. } = compared;
    assert!(hits > 100 && calls > 100 && entries > 20, "{hits} hits, {calls} calls, {entries} entries");
}
