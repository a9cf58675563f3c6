//! What many who come at once cost the upstream, and what a purge leaves behind in a race.
//!
//! An ordinary run does a tenth or less of it, `script/prove` the whole.

use super::{archive, until};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Connection;
use crate::support::proof::{Random, may_open, scaled};
use crate::support::site::{Options, Site};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

crate::cases!(
    a_crowd_on_a_cold_page_is_one_call,
    a_page_that_expires_under_load_is_refreshed_once_and_nobody_waits,
    pages_that_expire_together_keep_the_upstream_at_its_cap,
    nothing_older_than_a_purge_is_shown_after_it,
);

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Sockets of this process for each client, and of the site's, with some for all else.
const FILES: u64 = 200;

/// A site with an admin listener, and connections for a crowd.
fn site(fault: &FaultServer, files: &str) -> Site {
    Options::default().set("admin.listen=127.0.0.1:0").set("log.access=off").start(&archive(fault, files))
}

/// The admin listener of a site.
fn admin(site: &Site) -> Connection {
    let line = site.wait_for_message(|line| line.contains("admin on "));
    let (_, address) = line.split_once("admin on http://").expect("a TCP address");
    Connection::open(address.trim().parse::<SocketAddr>().expect("an address"))
}

fn purge(admin: &mut Connection, what: &Value) {
    let answer = admin.request("POST", "/purge", &[], what.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A page made of one call, and stored.
fn page(path: &str) -> String {
    format!(
        "-- routes/index.toml --\njson = \"{{a.count}}\"\n[sources.a]\nupstream = \"up\"\npath = \"{path}\"\n\
         [cache]\ns-maxage = \"1h\"\nstale-while-revalidate = \"1h\"\n"
    )
}

/// The upstream takes as long as it takes the last of them to ask.
fn a_crowd_on_a_cold_page_is_one_call() {
    let clients = scaled(5_000, 500);
    if !may_open(clients as u64 + FILES) {
        return;
    }
    let fault = FaultServer::start();
    let site = site(&fault, &page("/gate/cold/count"));
    let mut clients: Vec<Connection> = (0..clients).map(|_| site.connect()).collect();
    for client in &mut clients {
        client.send(GET).unwrap();
    }
    fault.wait_for("/gate/cold/count", 1);
    fault.release("cold");
    for client in &mut clients {
        let answer = client.response().unwrap();
        assert_eq!((answer.status, answer.text()), (200, "1"));
    }
    assert_eq!(fault.total_calls(), 1);
}

/// The refresh does not end before all are answered: whoever waited for it would wait for ever.
fn a_page_that_expires_under_load_is_refreshed_once_and_nobody_waits() {
    const PATH: &str = "/gate/refresh/count";
    let clients = scaled(5_000, 500);
    if !may_open(clients as u64 + FILES) {
        return;
    }
    let fault = FaultServer::start();
    let site = site(&fault, &page(PATH));
    fault.release("refresh");
    assert_eq!(site.get("/").text(), "1");
    fault.close_gate("refresh");
    let mut clients: Vec<Connection> = (0..clients).map(|_| site.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(GET).unwrap();
        if at == 100 {
            // It expires while they come.
            purge(&mut admin(&site), &json!({ "all": true, "soft": true }));
        }
    }
    for round in 0..3 {
        for client in &mut clients {
            if round > 0 {
                client.send(GET).unwrap();
            }
            let answer = client.response().unwrap();
            assert_eq!((answer.status, answer.text()), (200, "1"));
            assert!(answer.header("cache-status").is_some_and(|status| status.contains("; hit")), "{answer:?}");
        }
    }
    fault.wait_for(PATH, 2);
    assert_eq!(fault.calls(PATH), 2, "one refresh");
    fault.release("refresh");
    until(&site, "/", |answer| answer.text() == "2");
    assert_eq!(fault.calls(PATH), 2);
}

/// Calls wait for each other at the upstream until there are as many as its cap lets through.
fn pages_that_expire_together_keep_the_upstream_at_its_cap() {
    const CAP: usize = 8;
    const PATH: &str = "/barrier/full/8/echo";
    let pages = scaled(10_000, 800);
    let clients = 80;
    let fault = FaultServer::start();
    let files = format!(
        "[limits]\ndeadline = \"1m\"\n-- routes/page.toml --\npath = \"/{{id}}\"\njson = \"{{a.query.id}}\"\n[sources.a]\nupstream = \"up\"\n\
         path = \"{PATH}\"\nquery = {{ id = \"{{params.id}}\" }}\ntimeout = \"1m\"\n[cache]\ns-maxage = \"1h\"\nstale-while-revalidate = \"1h\"\n"
    );
    let archive = archive(&fault, &files).replace("max-concurrent = 100", &format!("max-concurrent = {CAP}"));
    let site = Options::default().set("admin.listen=127.0.0.1:0").set("log.access=off").start(&archive);
    let mut connections: Vec<Connection> = (0..clients).map(|_| site.connect()).collect();
    let mut ask_for_all = |status: &str| {
        for first in (0..pages).step_by(clients) {
            for (at, connection) in connections.iter_mut().enumerate() {
                connection.send(format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", first + at)).unwrap();
            }
            for (at, connection) in connections.iter_mut().enumerate() {
                let answer = connection.response().unwrap();
                assert_eq!((answer.status, answer.text()), (200, &*format!("\"{}\"", first + at)));
                let said = answer.header("cache-status").unwrap_or_default();
                assert!(said.contains(status), "{said}");
            }
        }
    };
    assert!(pages.is_multiple_of(clients) && clients.is_multiple_of(CAP), "no call waits for one that never comes");
    ask_for_all("fwd=");
    assert_eq!(fault.calls(PATH), pages);
    purge(&mut admin(&site), &json!({ "all": true, "soft": true }));
    ask_for_all("; hit");
    fault.wait_for(PATH, 2 * pages);
    assert_eq!(fault.calls(PATH), 2 * pages, "each is refreshed once");
    assert_eq!(fault.most_at_once(PATH), CAP);
}

/// What the pages are made of changes and then is purged, over and over, while visitors never stop asking.
fn nothing_older_than_a_purge_is_shown_after_it() {
    const VISITORS: usize = 4;
    let rounds = scaled(100_000, 1_000);
    let fault = FaultServer::start();
    fault.put("/truth", Reply::json("0"));
    let site = site(
        &fault,
        "-- routes/index.toml --\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/truth\"\n\
         [cache]\ns-maxage = \"1h\"\n",
    );
    let mut random = Random::new();
    let is_over = AtomicBool::new(false);
    let shown = |connection: &mut Connection| connection.get("/").text().trim().parse::<usize>().expect("a number");
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..VISITORS)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = site.connect();
                    let mut latest = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        latest = shown(&mut connection).max(latest);
                    }
                    latest
                })
            })
            .collect();
        // However this ends, so do the visitors.
        let _over = Over(&is_over);
        let (mut admin, mut own) = (admin(&site), site.connect());
        for round in 1..=rounds {
            fault.put("/truth", Reply::json(round.to_string()));
            let what = [json!({ "all": true }), json!({ "tags": ["route:index.toml"] }), json!({ "path": "/" })];
            purge(&mut admin, random.pick(&what));
            let seen = shown(&mut own);
            assert!(seen >= round, "{seen} is shown after the purge of round {round}");
        }
        is_over.store(true, Ordering::Relaxed);
        for visitor in visitors {
            assert!(visitor.join().expect("a visitor") > 0, "they saw pages being made");
        }
    });
}

/// Raises a flag however its scope is left.
struct Over<'f>(&'f AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
