//! Two people and somebody unknown on all examples at once, signing in and out, sending forms, leaving in the middle: nobody ever receives what
//! names another, and the page that all unknown ones share is made once.
//!
//! An ordinary run does a tenth of it, `script/prove` the whole.

use super::explain::{links, routes};
use super::neighbours::leave;
use crate::migration;
use crate::support::accounts::{Accounts, FORM, SAME_ORIGIN, Visitor, urlencoded};
use crate::support::http::{Connection, Response, compose};
use crate::support::proof::{Random, may_open, scaled};
use crate::support::site::{Folder, Options, Site};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

crate::cases!(nobody_receives_what_names_another);

/// Who comes, and the name that the pages greet by: one that is nowhere else.
const PEOPLE: [Option<(&str, &str)>; 3] = [Some(("alice", "c4n4ry of Alice")), Some(("bob", "5p4rr0w of Bob")), None];

/// A site, and what there is to see.
struct Place {
    name: String,
    site: Site,
    targets: Vec<String>,
    /// Whether people sign in here, and whether they fill a basket.
    has_accounts: bool,
    has_basket: bool,
}

/// What names whom: the position of a person, by text that only they may see.
type Names = Mutex<BTreeMap<String, usize>>;

/// Somebody going about.
struct Person<'p> {
    at: usize,
    places: &'p [Place],
    names: &'p Names,
    /// Their cookies on each site.
    jars: Vec<BTreeMap<String, String>>,
    connections: Vec<Connection>,
    random: Random,
    seen: Seen<'p>,
}

/// What has happened in all.
#[derive(Clone, Copy)]
struct Seen<'p> {
    answered: &'p AtomicUsize,
    left: &'p AtomicUsize,
    own: &'p AtomicUsize,
    shared: &'p AtomicUsize,
}

fn places(accounts: &Accounts, upstream: &Site, old: &mut Vec<Site>) -> Vec<Place> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut places = Vec::new();
    for example in examples.chain([root.to_owned()]) {
        let machines = migration::old_sites(&example);
        let folder = Folder::copy_of_site(&example);
        let has = |file: &str| folder.path().join("routes").join(file).is_file();
        let (has_accounts, has_basket) = (has("login.toml"), has("basket.toml"));
        if has_accounts {
            // One page must last as long as the test, and one address signs in more often than people do.
            for (file, from, to) in
                [("index", "max-age = \"1m\"", "max-age = \"1d\""), ("login", "requests = 20", "requests = 1000000")]
            {
                let file = format!("routes/{file}.toml");
                let text = fs::read_to_string(folder.path().join(&file)).expect("text");
                assert!(text.contains(from), "{file}");
                folder.write(&file, &text.replace(from, to));
            }
        }
        let (_, mut seeds) = routes(folder.path());
        let options = migration::in_front_of(&machines).set("log.access=\"off\"");
        let options = options.env("UPSTREAM", &format!("http://{}", upstream.address()));
        let site = options.env("ACCOUNTS", &accounts.url()).serve(folder);
        old.extend(machines);
        seeds.extend(
            ["/no/such/page", "/account/", "/products/FO-107", "/account/orders/1001", "/account/orders/1003"]
                .map(ToOwned::to_owned),
        );
        let targets = targets(&site, seeds);
        let name = example.file_name().unwrap_or_default().to_string_lossy().into_owned();
        places.push(Place { name, site, targets, has_accounts, has_basket });
    }
    places
}

/// What a site leads to, as far as anybody may go.
fn targets(site: &Site, seeds: Vec<String>) -> Vec<String> {
    let mut connection = site.connect();
    let mut waiting: BTreeSet<String> = seeds.into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(target) = waiting.pop_first() {
        if found.len() < 60 && found.insert(target.clone()) {
            waiting.extend(links(&connection.get(&target)));
        }
    }
    found.into_iter().collect()
}

impl Person<'_> {
    /// One request, or a few that belong together.
    fn act(&mut self) {
        let place = match self.random.below(10) {
            0..5 => self.places.iter().position(|place| place.has_accounts),
            5..7 => self.places.iter().position(|place| place.has_basket),
            _ => None,
        };
        let place = place.unwrap_or_else(|| self.random.below(self.places.len()));
        let here = &self.places[place];
        if here.has_accounts && PEOPLE[self.at].is_some() && (self.jars[place].is_empty() || self.random.percent(1)) {
            return self.sign_in_again(place);
        }
        let (method, target, body) = self.choose(here);
        let fields: &[(&str, &str)] = if method == "POST" { &[FORM, SAME_ORIGIN] } else { &[] };
        self.ask(place, method, &target, fields, &body);
    }

    fn choose(&mut self, here: &Place) -> (&'static str, String, String) {
        let form = |target: &str, fields: &[(&str, &str)]| ("POST", target.to_owned(), urlencoded(fields));
        let full_name = PEOPLE[self.at].map_or("Nobody", |(_, full_name)| full_name);
        match self.random.below(100) {
            0..4 if here.has_accounts => form("/account/name", &[("full_name", full_name)]),
            4..6 if here.has_accounts => {
                let theme = *self.random.pick(&["auto", "light", "dark"]);
                // Whoever is unknown stays so: another theme would be another page.
                if self.at == 2 {
                    form("/theme", &[("theme", "none")])
                } else {
                    form("/theme", &[("theme", theme), ("next", "/account")])
                }
            }
            6..8 if here.has_accounts => {
                form("/account/name", &[("full_name", &format!("{full_name} {}", "x".repeat(60)))])
            }
            0..10 if here.has_basket => {
                let change = *self.random.pick(&["add", "remove"]);
                form("/basket", &[("sku", *self.random.pick(&["FO-107", "FO-121"])), ("change", change)])
            }
            8..14 => ("HEAD", self.random.pick(&here.targets).clone(), String::new()),
            14..20 if here.has_accounts => {
                ("GET", (*self.random.pick(&["/", "/account", "/api/me"])).to_owned(), String::new())
            }
            _ => ("GET", self.random.pick(&here.targets).clone(), String::new()),
        }
    }

    fn sign_in_again(&mut self, place: usize) {
        let Some((name, _)) = PEOPLE[self.at] else { return };
        // Whoever leaves in the middle of it has perhaps not signed out, and has nothing to sign in with either.
        self.ask(place, "POST", "/logout", &[FORM, SAME_ORIGIN], "");
        self.jars[place].clear();
        let form = urlencoded(&[("name", name), ("password", &format!("{name}-secret"))]);
        self.ask(place, "POST", "/login", &[FORM, SAME_ORIGIN], &form);
    }

    fn ask(&mut self, place: usize, method: &'static str, target: &str, fields: &[(&str, &str)], body: &str) {
        let here = &self.places[place];
        let jar: Vec<_> = self.jars[place].iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (cookie, is_known) = (jar.join("; "), !jar.is_empty());
        let own = Some(("cookie", cookie.as_str())).filter(|_| is_known);
        let fields: Vec<_> = own.into_iter().chain(fields.iter().copied()).collect();
        let request = compose(method, target, &fields, body.as_bytes());
        let shown = format!("{} {}: {method} {target} {fields:?} {body}", self.at, here.name);
        if self.random.percent(20) {
            let seen = leave(&self.connections[place], &request, &mut self.random);
            self.names_nobody_else(&seen, &shown);
            self.seen.left.fetch_add(1, Ordering::Relaxed);
            self.connections[place] = here.site.connect();
            return;
        }
        let connection = &mut self.connections[place];
        connection.send(&request).expect("sent");
        let answer = connection.response_to(method).unwrap_or_else(|error| panic!("{shown}: {error}"));
        if answer.header("connection") == Some("close") {
            *connection = here.site.connect();
        }
        assert!(answer.status < 500, "{shown}: {answer:?}");
        self.keep(place, &answer);
        self.is_theirs(here, method, target, is_known, &answer, &shown);
        self.seen.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// What this person is given is theirs from now on, and nobody else's.
    fn keep(&mut self, place: usize, answer: &Response) {
        let mut visitor = Visitor::of(&self.places[place].site);
        visitor.cookies = std::mem::take(&mut self.jars[place]);
        let is_unknown = PEOPLE[self.at].is_none();
        visitor.keep(answer);
        for (name, value) in &visitor.cookies {
            if value.len() >= 16 && !name.ends_with("flash") {
                let mut names = self.names.lock().expect("a lock");
                let whose = *names.entry(value.clone()).or_insert(self.at);
                assert_eq!(whose, self.at, "{name}={value} was given to two");
            }
        }
        if is_unknown {
            visitor.cookies.clear();
        }
        self.jars[place] = visitor.cookies;
    }

    fn is_theirs(&self, here: &Place, method: &str, target: &str, is_known: bool, answer: &Response, shown: &str) {
        let mut bytes = answer.body.clone();
        for (name, value) in &answer.headers {
            bytes.extend_from_slice(format!("\n{name}: {value}").as_bytes());
        }
        self.names_nobody_else(&bytes, shown);
        let text = String::from_utf8_lossy(&answer.body);
        let kept = answer.header("cache-status").unwrap_or_default();
        let may_be_kept = kept.contains("stored") || kept.contains("; hit");
        if let Some((_, full_name)) = PEOPLE[self.at] {
            let is_own = text.contains(full_name);
            assert!(!is_own || !may_be_kept, "{shown} is kept: {answer:?}");
            self.seen.own.fetch_add(usize::from(is_own), Ordering::Relaxed);
            let is_page_of_theirs = here.has_accounts && is_known && method == "GET" && target == "/account";
            assert!(!is_page_of_theirs || is_own || answer.status == 302, "{shown}: {text}");
        } else if here.has_accounts && method == "GET" && target == "/" {
            assert!(kept.contains("; hit") && text.contains("Sign in"), "{shown} was made again: {answer:?}");
            self.seen.shared.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn names_nobody_else(&self, bytes: &[u8], shown: &str) {
        let names = self.names.lock().expect("a lock");
        for (name, _) in names.iter().filter(|&(_, &whose)| whose != self.at) {
            let is_seen = memchr::memmem::find(bytes, name.as_bytes()).is_some();
            assert!(!is_seen, "{shown} sees {name}: {}", String::from_utf8_lossy(bytes));
        }
    }
}

fn nobody_receives_what_names_another() {
    let requests = scaled(100_000, 10_000);
    if !may_open(2_000) {
        return;
    }
    let mut random = Random::new();
    let accounts = Accounts::start();
    let upstream = Folder::copy_of_site(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/upstream"));
    let upstream = Options::default().set("log.access=\"off\"").serve(upstream);
    let mut old = Vec::new();
    let places = places(&accounts, &upstream, &mut old);
    assert!(places.iter().any(|place| place.has_accounts) && places.iter().any(|place| place.has_basket));
    let names = Names::default();
    for (at, (name, full_name)) in PEOPLE.into_iter().enumerate().filter_map(|(at, person)| Some((at, person?))) {
        let cookie = accounts.sign_in(name);
        let form = urlencoded(&[("full_name", full_name)]);
        assert_eq!(accounts.request("POST", "/name", &[FORM, ("cookie", &cookie)], &form).status, 200);
        names.lock().expect("a lock").insert(full_name.to_owned(), at);
    }
    // Made once, before anybody comes.
    for place in places.iter().filter(|place| place.has_accounts) {
        let kept = place.site.get("/");
        assert!(kept.header("cache-status").is_some_and(|told| !told.contains("hit") || told.contains("; hit")));
    }
    let [answered, left, own, shared] = [const { AtomicUsize::new(0) }; 4];
    let seen = Seen { answered: &answered, left: &left, own: &own, shared: &shared };
    thread::scope(|scope| {
        for at in (0..PEOPLE.len()).chain(0..PEOPLE.len()) {
            let mut person = Person {
                at,
                places: &places,
                names: &names,
                jars: vec![BTreeMap::new(); places.len()],
                connections: places.iter().map(|place| place.site.connect()).collect(),
                random: random.split(),
                seen,
            };
            scope.spawn(move || {
                for _ in 0..requests / (2 * PEOPLE.len()) {
                    person.act();
                }
            });
        }
    });
    let [answered, left, own, shared] = [answered, left, own, shared].map(AtomicUsize::into_inner);
    println!(
        "{answered} answered, {own} of them with the own name, {shared} with the page of all; {left} left in the middle"
    );
    assert!(answered > requests / 2 && left > requests / 8 && own > requests / 10 && shared > requests / 200);
}
