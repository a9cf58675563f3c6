//! Every answer is the one that was asked for: under load with clients that leave, for people who ask for the same pages, and for
//! sites that nobody has thought of.
//!
//! An ordinary run does a tenth or less of it, `script/prove` the whole.

use super::explain::{links, routes};
use super::{archive, site};
use crate::support::accounts::Accounts;
use crate::support::canary::percent;
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, Response, compose};
use crate::support::proof::{Random, may_open, scaled};
use crate::support::site::{Folder, Options};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

crate::cases!(
    each_answer_has_the_token_that_was_asked_for,
    two_people_who_see_everything_never_see_each_other,
    equal_keys_give_equal_pages_and_what_matters_is_in_the_key,
);

/// Pages of each kind whose token comes by each way: parameter, query, header; stored in little room, or made for each request.
const TOKENS: &str = r#"[limits]
memory-store = "1MiB"
store-entry = "64KiB"
[log]
access = "off"
-- routes/_section.toml --
[query.token]
[sources.a]
upstream = "up"
path = "/echo"
query = { param = "{params.token}", query = "{query.token}" }
forward-headers = ["x-mark"]
extract.param = "$.query.param"
extract.query = "$.query.query"
extract.header = "$.headers['x-mark']"
-- routes/kept/_section.toml --
[cache]
s-maxage = "1h"
-- routes/kept/json.toml --
path = "/kept/json/{token}"
json = ["{params.token}", "{query.token}", "{request.headers.x-mark}", "{a.param}", "{a.query}", "{a.header}"]
-- routes/kept/html.toml --
path = "/kept/html/{token}"
layout = "tokens.html"
-- routes/live/json.toml --
path = "/live/json/{token}"
json = ["{params.token}", "{query.token}", "{request.headers.x-mark}", "{a.param}", "{a.query}", "{a.header}"]
-- routes/live/html.toml --
path = "/live/html/{token}"
layout = "tokens.html"
-- layouts/tokens.html --
["{{ params.token }}", "{{ query.token }}", "{{ request.headers.x-mark }}", "{{ a.param }}", "{{ a.query }}", "{{ a.header }}"]
"#;

/// One of few tokens, so that pages are hits, misses and pushed out of the store.
fn token(random: &mut Random) -> String {
    format!("t{:x}", random.below(9))
}

/// A request, and what its answer must say.
fn asked(random: &mut Random) -> (Vec<u8>, String) {
    let [param, query, header] = std::array::from_fn(|_| token(random));
    let target =
        format!("/{}/{}/{param}?token={query}", random.pick(&["kept", "kept", "live"]), random.pick(&["json", "html"]));
    let coding = *random.pick(&["identity", "identity;q=1"]);
    let request = compose("GET", &target, &[("x-mark", &header), ("accept-encoding", coding)], b"");
    (request, json!([param, query, header, param, query, header]).to_string())
}

/// Three in ten are not waited for: the client leaves in the middle of its request, at once, or in the middle of the answer.
fn each_answer_has_the_token_that_was_asked_for() {
    const CLIENTS: usize = 8;
    let requests = scaled(1_000_000, 6_000);
    if !may_open(2_000) {
        return;
    }
    let fault = FaultServer::start();
    let site = site(&fault, TOKENS);
    let mut random = Random::new();
    let (answered, left, hits) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut random = random.split();
            let (site, answered, left, hits) = (&site, &answered, &left, &hits);
            scope.spawn(move || {
                let mut connection = site.connect();
                let mut sent = 0;
                while sent < requests / CLIENTS {
                    // Up to four at a time on one connection.
                    let batch: Vec<_> = (0..=random.below(4)).map(|_| asked(&mut random)).collect();
                    sent += batch.len();
                    let bytes = batch.iter().flat_map(|(request, _)| request).copied().collect::<Vec<u8>>();
                    if random.percent(30) {
                        leave(connection, &bytes, &mut random);
                        left.fetch_add(batch.len(), Ordering::Relaxed);
                        connection = site.connect();
                        continue;
                    }
                    connection.send(bytes).unwrap();
                    for (request, expected) in &batch {
                        let answer = connection.response().unwrap();
                        let said: serde_json::Value = answer.json();
                        let request = String::from_utf8_lossy(request);
                        assert_eq!((answer.status, &*said.to_string()), (200, &**expected), "{request}");
                        let is_hit = answer.header("cache-status").is_some_and(|status| status.contains("; hit"));
                        hits.fetch_add(usize::from(is_hit), Ordering::Relaxed);
                    }
                    answered.fetch_add(batch.len(), Ordering::Relaxed);
                }
            });
        }
    });
    let [answered, left, hits] = [answered, left, hits].map(AtomicUsize::into_inner);
    println!("{answered} requests answered, {hits} of them from the store; {left} not waited for");
    assert!(answered > left && left > requests / 5 && hits > answered / 20, "all of it happened");
}

/// Goes away without a word.
fn leave(mut connection: Connection, request: &[u8], random: &mut Random) {
    match random.below(3) {
        0 => connection.send(&request[..random.below(request.len())]).unwrap(),
        1 => connection.send(request).unwrap(),
        _ => {
            connection.send(request).unwrap();
            // No more than there is: to wait for what does not come would be to wait until the server gives up.
            let mut some = vec![0; 1 + random.below(300)];
            let count = connection.stream().read(&mut some).unwrap_or_default();
            some.truncate(count);
        }
    }
}

/// Who asks: nobody in particular, or one of two people who say who they are in every field that is about people.
#[derive(Debug, Clone, Copy)]
struct Person(Option<&'static str>);

impl Person {
    const ALL: [Self; 3] = [Self(Some("c4n4ry-of-anna")), Self(Some("5p4rr0w-of-ben")), Self(None)];

    fn ask(self, connection: &mut Connection, target: &str) -> Response {
        let Some(name) = self.0 else { return connection.get(target) };
        let cookie = format!("session={name}; user={name}; token={name}; theme={name}; cart={name}");
        let bearer = format!("Bearer {name}");
        let fields = [
            ("cookie", cookie.as_str()),
            ("authorization", bearer.as_str()),
            ("x-forwarded-for", name),
            ("x-forwarded-host", name),
            ("forwarded", name),
            ("x-user", name),
            ("x-api-key", name),
            ("from", name),
            ("referer", name),
            ("user-agent", name),
            ("if-none-match", name),
        ];
        connection.request("GET", target, &fields, b"")
    }
}

/// Routes that show a person what they said, each in another way, beside routes that are stored.
const PERSONAL: &str = r#"-- routes/index.toml --
layout = "all.html"
[cache]
s-maxage = "1h"
-- routes/cookie.toml --
json = { of = "{cookies.session}" }
[cookies.session]
-- routes/header.toml --
layout = "header.html"
-- routes/forwarded.toml --
json = "{a}"
[sources.a]
upstream = "up"
path = "/echo"
forward-cookies = ["session"]
forward-headers = ["authorization"]
-- routes/asked.toml --
json = "{a}"
[sources.a]
route = "/forwarded"
-- routes/greets.toml --
json = "{a}"
[sources.a]
upstream = "up"
path = "/echo"
forward-cookies = ["session"]
forward-headers = ["authorization"]
optional = true
[cache.server]
max-age = "1h"
-- routes/asks.toml --
layout = "asks.html"
[sources.a]
route = "/greets"
[cache.server]
max-age = "1h"
-- routes/reads.toml --
json = "{request.headers.x-api-key} {cookies.token}"
[cookies.token]
[cache.server]
max-age = "1h"
-- layouts/all.html --
<a href="/cookie">1</a> <a href="/header">2</a> <a href="/forwarded">3</a> <a href="/asked">4</a> <a href="/greets">5</a>
<a href="/asks">6</a> <a href="/reads">7</a>
-- layouts/asks.html --
{{ a | json }}
-- layouts/header.html --
{{ request.headers.authorization }}
"#;

/// Everything is asked for by both, and by nobody, in turns; whoever has said nothing sees what is stored.
fn two_people_who_see_everything_never_see_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let upstream = Options::default().serve(Folder::copy_of_site(&root.join("examples/upstream")));
    let address = format!("http://{}", upstream.address());
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let (fault, accounts) = (FaultServer::start(), Accounts::start());
    let personal = Folder::new();
    personal.unpack(&archive(&fault, PERSONAL));
    let sites = examples.chain([root.to_owned()]).map(|folder| Folder::copy_of_site(&folder)).chain([personal]);
    let (mut own, mut stored) = (0, 0);
    for folder in sites {
        let (_, seeds) = routes(folder.path());
        let site = Options::default().env("UPSTREAM", &address).env("ACCOUNTS", &accounts.url()).serve(folder);
        let mut connection = site.connect();
        let mut waiting: BTreeSet<String> = seeds.into_iter().collect();
        waiting.extend(["/products/FO-107", "/reviews/FO-107", "/no/such/page"].map(ToOwned::to_owned));
        let mut done = BTreeSet::new();
        while let Some(target) = waiting.pop_first() {
            if !done.insert(target.clone()) || done.len() > scaled(2_000, 60) {
                continue;
            }
            for round in 0..2 {
                // The other one comes first in the second round.
                let people = if round == 0 { [0, 1, 2] } else { [1, 0, 2] };
                for person in people.map(|at| Person::ALL[at]) {
                    let answer = person.ask(&mut connection, &target);
                    let mut bytes = answer.body.clone();
                    for (name, value) in &answer.headers {
                        bytes.extend_from_slice(format!("{name}: {value}\n").as_bytes());
                    }
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let status = answer.header("cache-status").unwrap_or_default();
                    for name in Person::ALL.into_iter().filter_map(|person| person.0) {
                        let is_seen = text.contains(name) || text.contains(&percent(name));
                        own += usize::from(is_seen);
                        assert!(!is_seen || person.0 == Some(name), "{target}: {person:?} sees {name}: {text}");
                        let may_be_kept = status.contains("stored") || status.contains("; hit");
                        assert!(!is_seen || !may_be_kept, "{target}: {name} is stored: {text}");
                        stored += usize::from(may_be_kept);
                    }
                    waiting.extend(links(&answer));
                }
            }
        }
    }
    assert!(own >= 14 && stored > 50, "people see themselves ({own}), and pages are stored ({stored})");
}

/// What a request may say in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Param,
    Text,
    Number,
    Word,
    Several,
    Cookie,
    Header,
}

impl Input {
    const ALL: [Self; 7] =
        [Self::Param, Self::Text, Self::Number, Self::Word, Self::Several, Self::Cookie, Self::Header];

    /// Where it is read.
    fn name(self) -> &'static str {
        match self {
            Self::Param => "params.id",
            Self::Text => "query.q",
            Self::Number => "query.page",
            Self::Word => "query.sort",
            Self::Several => "query.tag",
            Self::Cookie => "cookies.theme",
            Self::Header => "request.headers.x-kind",
        }
    }
}

/// A route that prints some inputs, sends some to the upstream, and does not read the others.
fn random_site(random: &mut Random) -> String {
    let mut some = |percent| Input::ALL.into_iter().filter(|_| random.percent(percent)).collect::<Vec<_>>();
    let (printed, sent) = (some(30), some(30));
    let mut files = String::from("-- routes/page.toml --\npath = \"/{id}\"\njson = { fixed = 1");
    for (at, input) in printed.iter().enumerate() {
        write!(files, ", p{at} = \"{{{}}}\"", input.name()).unwrap();
    }
    let is_asked = !sent.is_empty();
    if is_asked {
        files += ", up = \"{a.target}\"";
    }
    files += " }\n[query.q]\n[query.page]\ntype = \"int\"\ndefault = 1\n[query.sort]\nenum = [\"name\", \"age\"]\ndefault = \"name\"\n\
              [query.tag]\nrepeat = true\n[cookies.theme]\nenum = [\"light\", \"dark\"]\ndefault = \"light\"\n[cache]\ns-maxage = \"1h\"\n";
    if is_asked {
        files += "[sources.a]\nupstream = \"up\"\npath = \"/echo\"\nquery = { fixed = \"1\"";
        for (at, input) in sent.iter().enumerate() {
            write!(files, ", s{at} = \"{{{}}}\"", input.name()).unwrap();
        }
        files += " }\n";
        if random.percent(30) {
            files += "forward-headers = [\"accept-language\"]\n";
        }
    }
    files
}

/// What one client says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    id: &'static str,
    query: Vec<&'static str>,
    theme: Option<&'static str>,
    fields: Vec<(&'static str, &'static str)>,
}

impl Asked {
    fn new(random: &mut Random) -> Self {
        let mut asked = Self { id: "a", query: Vec::new(), theme: None, fields: Vec::new() };
        for _ in 0..random.below(6) {
            asked.change(random);
        }
        asked
    }

    /// Says one thing in another way, or another thing.
    fn change(&mut self, random: &mut Random) {
        const PIECES: [&str; 14] = [
            "q=a",
            "q=b",
            "q=",
            "q=a%26page%3D2",
            "q=%61",
            "page=1",
            "page=2",
            "page=01",
            "sort=age",
            "sort=name",
            "tag=x",
            "tag=y",
            "utm=1",
            "tag=x%00y",
        ];
        const FIELDS: [(&str, &str); 8] = [
            ("x-kind", "a"),
            ("x-kind", "b"),
            ("x-kind", ""),
            ("accept-language", "de"),
            ("accept-language", "en"),
            ("x-other", "1"),
            ("user-agent", "x"),
            ("x-forwarded-host", "elsewhere.example"),
        ];
        match random.below(6) {
            0 => self.id = *random.pick::<&str>(&["a", "b", "%61", "a%2Fb", "A"]),
            1 | 2 => self.query.push(*random.pick::<&str>(&PIECES)),
            3 if !self.query.is_empty() => drop(self.query.remove(random.below(self.query.len()))),
            4 => self.theme = *random.pick(&[None, Some("light"), Some("dark"), Some("other")]),
            _ => {
                let field = *random.pick(&FIELDS);
                self.fields.retain(|(name, _)| *name != field.0);
                self.fields.push(field);
            }
        }
    }

    fn send(&self, connection: &mut Connection) -> Response {
        let target = format!("/{}?{}", self.id, self.query.join("&"));
        let cookie = self.theme.map(|theme| format!("theme={theme}; session=1"));
        let fields: Vec<(&str, &str)> =
            self.fields.iter().copied().chain(cookie.as_ref().map(|cookie| ("cookie", cookie.as_str()))).collect();
        connection.request("GET", &target, &fields, b"")
    }
}

/// Two requests with one key are those of which the second is a hit. Made anew in an empty store, both must have come out the same.
fn equal_keys_give_equal_pages_and_what_matters_is_in_the_key() {
    let (sites, pairs) = (scaled(300, 12), scaled(200, 40));
    let mut random = Random::new();
    let (mut shared, mut distinct, mut same_page) = (0, 0, 0);
    for _ in 0..sites {
        let fault = FaultServer::start();
        let files = random_site(&mut random);
        let site =
            Options::default().set("admin.listen=127.0.0.1:0").set("log.access=off").start(&archive(&fault, &files));
        let line = site.wait_for_message(|line| line.contains("admin on "));
        let (_, address) = line.split_once("admin on http://").expect("a TCP address");
        let mut admin = Connection::open(address.trim().parse::<SocketAddr>().expect("an address"));
        let mut connection = site.connect();
        for _ in 0..pairs {
            let first = Asked::new(&mut random);
            let mut second = first.clone();
            for _ in 0..random.below(3) {
                second.change(&mut random);
            }
            let mut anew = |asked: &Asked, connection: &mut Connection| {
                assert_eq!(admin.request("POST", "/purge", &[], br#"{"all":true}"#).status, 200);
                let before = fault.total_calls();
                let answer = asked.send(connection);
                let calls: Vec<String> =
                    fault.requests("/echo").iter().skip(before).map(|call| format!("{call:?}")).collect();
                (answer, calls)
            };
            let (of_second, calls_of_second) = anew(&second, &mut connection);
            let (of_first, calls_of_first) = anew(&first, &mut connection);
            let again = second.send(&mut connection);
            let is_equal = (of_first.status, &of_first.body, &calls_of_first)
                == (of_second.status, &of_second.body, &calls_of_second);
            let told = format!("{first:?}\n{second:?}\n{files}\n{}\n{}", of_first.text(), of_second.text());
            if again.header("cache-status").is_some_and(|status| status.contains("; hit")) {
                assert!(is_equal, "one key for two pages:\n{told}");
                assert_eq!(again.body, of_second.body, "{told}");
                shared += 1;
            } else if !is_equal {
                distinct += 1;
            } else {
                same_page += 1;
            }
            assert!(
                first != second
                    || again.status != 200
                    || again.header("cache-status").is_some_and(|status| status.contains("; hit")),
                "{told}"
            );
        }
    }
    println!(
        "{shared} pairs with one key, {distinct} with different pages, {same_page} with different keys for the same page"
    );
    assert!(shared > sites && distinct > sites, "{shared} {distinct}");
}
