//! The program beside the example upstream that remembers accounts, sessions, orders and baskets (`examples/upstream/program`), in this process;
//! the examples that need it, and those who visit them.

#[path = "../../examples/upstream/program/accounts/mod.rs"]
mod program;

use super::http::{Connection, Response};
use super::site::{Folder, Options, Site};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

/// One that runs until it is dropped, with tables of its own.
#[derive(Debug)]
pub(crate) struct Accounts {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Accounts {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&heard);
        runtime.spawn(program::serve(listener, move |asked| log.lock().expect("a lock").push(asked)));
        Self { address, heard, _runtime: runtime }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as `ACCOUNTS` has it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked to change, in order: `POST /orders`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let heard = self.heard.lock().expect("a lock");
        heard.iter().filter(|asked| !asked.starts_with("GET ")).cloned().collect()
    }

    /// A request to itself, past every site.
    pub(crate) fn request(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Response {
        Connection::open(self.address).request(method, target, fields, body.as_bytes())
    }

    /// Signs somebody in; the value of `Cookie` that says so.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        let answer = self.request("POST", "/login", &[FORM], &format!("name={name}&password={name}-secret"));
        let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{name} cannot sign in: {answer:?}"));
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

/// An example that is served beside its upstreams, each of them its own.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) site: Site,
    pub(crate) accounts: Accounts,
    _upstream: Site,
}

impl Example {
    /// Starts it.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_edited(name, &[])
    }

    /// Starts it with some files changed: in which, what, and into what.
    pub(crate) fn start_edited(name: &str, edits: &[(&str, &str, &str)]) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let folder = Folder::copy_of_site(&examples.join(name));
        for (file, from, to) in edits {
            let text = std::fs::read_to_string(folder.path().join(file)).expect("text");
            assert!(text.contains(from), "{name}/{file} has no {from:?}");
            folder.write(file, &text.replace(from, to));
        }
        let upstream = Options::default().serve(Folder::copy_of_site(&examples.join("upstream")));
        let accounts = Accounts::start();
        let options = Options::default().env("UPSTREAM", &format!("http://{}", upstream.address()));
        let site = options.env("ACCOUNTS", &accounts.url()).serve(folder);
        Self { site, accounts, _upstream: upstream }
    }
}

/// A browser without its window: it keeps cookies, and says where its forms come from.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    address: SocketAddr,
    /// The values of its cookies by their names.
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// One that has never been here.
    pub(crate) fn of(site: &Site) -> Self {
        Self { address: site.address(), cookies: BTreeMap::new() }
    }

    /// One that has signed in to the example.
    pub(crate) fn signed_in(site: &Site, name: &str) -> Self {
        let mut visitor = Self::of(site);
        let answer = visitor.post("/login", &[("name", name), ("password", &format!("{name}-secret"))]);
        assert!(answer.status == 303 && !visitor.cookies.is_empty(), "{name} cannot sign in: {answer:?}");
        visitor
    }

    /// Its `Cookie`.
    pub(crate) fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Looks at a page.
    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.send("GET", target, &[], b"")
    }

    /// Sends a form from a page of the same site.
    pub(crate) fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Response {
        self.send("POST", target, &[FORM, SAME_ORIGIN], urlencoded(fields).as_bytes())
    }

    /// Sends JSON by a script of the same site.
    pub(crate) fn json(&mut self, method: &str, target: &str, body: &str) -> Response {
        self.send(method, target, &[("content-type", "application/json"), SAME_ORIGIN], body.as_bytes())
    }

    /// Sends anything, with its cookies, and keeps those that it is given.
    pub(crate) fn send(&mut self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Response {
        let cookie = self.cookie();
        let own = Some(("cookie", cookie.as_str())).filter(|_| !cookie.is_empty());
        let fields: Vec<_> = own.into_iter().chain(fields.iter().copied()).collect();
        let answer = Connection::open(self.address).request(method, target, &fields, body);
        self.keep(&answer);
        answer
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers("set-cookie") {
            let mut parts = cookie.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What a browser says of a form that is sent from the same site.
pub(crate) const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// What a form is sent as.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Fields as forms write them.
pub(crate) fn urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
        text.bytes()
            .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
            .collect()
    };
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}
