//! Two people and somebody unknown behind one connection to an upstream: each answer has the name of whoever it is for, however many exchanges
//! are broken off by either side, wherever.
//!
//! An ordinary run does a tenth of it, `script/prove` the whole.

use crate::support::SAFETY_NET;
use crate::support::http::{Connection, compose};
use crate::support::proof::{Random, may_open, scaled};
use crate::support::site::Site;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

crate::cases!(nobody_gets_the_answer_to_another);

/// Who asks.
const PEOPLE: [Option<&str>; 3] = [Some("c4n4ry-of-anna"), Some("5p4rr0w-of-ben"), None];

/// What an upstream that knows its visitors says of who asked.
const NOBODY: &str = "nobody";

/// What the answer to a path may be kept for, and how its visitors tell who they are.
const KINDS: [(&str, &str, &str); 8] = [
    ("private", "cookie", "Cache-Control: private, max-age=60\r\n"),
    ("silent", "authorization", ""),
    ("careless", "authorization", "Cache-Control: max-age=60\r\n"),
    ("varied", "cookie", "Cache-Control: max-age=60\r\nVary: Cookie\r\n"),
    ("brief", "cookie", "Cache-Control: max-age=0\r\nVary: Cookie\r\n"),
    ("checked", "cookie", "Cache-Control: no-cache\r\nVary: Cookie, Accept\r\nETag: \"$\"\r\n"),
    ("forbidden", "cookie", "Cache-Control: no-store\r\n"),
    ("public", "cookie", "Cache-Control: public, max-age=60\r\n"),
];

/// How many exchanges of a hundred the upstream breaks off; its clients break off others, so that it is about thirty in all.
const BROKEN_OFF: usize = 12;

/// An upstream that says who asked, and often leaves before it has said all.
fn upstream(random: Random) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let broken = Arc::new(AtomicUsize::new(0));
    let (random, counted) = (Mutex::new(random), Arc::clone(&broken));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let random = random.lock().expect("a lock").split();
            let broken = Arc::clone(&counted);
            thread::spawn(move || converse(stream, random, &broken));
        }
    });
    (address, broken)
}

fn converse(mut stream: TcpStream, mut random: Random, broken: &AtomicUsize) {
    stream.set_nodelay(true).ok();
    let mut unread = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let mut is_over = false;
        let mut more = |unread: &mut Vec<u8>| match stream.read(&mut buffer) {
            Ok(count @ 1..) => unread.extend_from_slice(&buffer[..count]),
            Ok(0) | Err(_) => is_over = true,
        };
        let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") else {
            more(&mut unread);
            if is_over {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&unread[..end]).to_ascii_lowercase();
        let field = |name: &str| {
            head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(ToOwned::to_owned)
        };
        let length = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if unread.len() < end + 4 + length {
            more(&mut unread);
            if is_over {
                return;
            }
            continue;
        }
        let said = String::from_utf8_lossy(&unread[end + 4..end + 4 + length]).into_owned();
        unread.drain(..end + 4 + length);
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let (_, by, caching) = kind_of(&target);
        let is_for_all = target.contains("/public/");
        let who = field(by).filter(|_| !is_for_all).unwrap_or_else(|| NOBODY.to_owned());
        let tag = format!("\"{who}\"");
        let mut fields = caching.replace("\"$\"", &tag);
        // The same answer as before, if it is.
        let is_known = field("if-none-match").is_some_and(|tags| tags.contains(&tag)) && caching.contains("ETag");
        let most = if random.percent(10) { 2_000 } else { 30 };
        let text = format!("[{target} {who} {said}]").repeat(1 + random.below(most));
        let mut answer = if is_known {
            format!("HTTP/1.1 304 Not Modified\r\n{fields}\r\n")
        } else if head.starts_with("head ") {
            format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", text.len())
        } else if random.percent(30) {
            let (first, second) = text.split_at(text.len() / 2);
            let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
            format!(
                "HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
                chunk(first),
                chunk(second)
            )
        } else {
            if random.percent(5) {
                fields += "Connection: close\r\n";
            }
            format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n{text}", text.len())
        };
        let is_broken = random.percent(BROKEN_OFF);
        if is_broken {
            broken.fetch_add(1, Ordering::Relaxed);
            answer.truncate(random.below(answer.len() + 1));
        }
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        if is_broken {
            // Half of them with a reset: what is unread makes one.
            if random.percent(50) {
                stream.shutdown(Shutdown::Both).ok();
            }
            return;
        }
        if fields.contains("Connection: close") {
            stream.shutdown(Shutdown::Both).ok();
            return;
        }
    }
}

fn kind_of(target: &str) -> (&'static str, &'static str, &'static str) {
    *KINDS.iter().find(|(kind, ..)| target.contains(&format!("/{kind}/"))).expect("a kind")
}

/// A request, and what each part of its answer must say.
fn asked(random: &mut Random, person: Option<&str>) -> (Vec<u8>, &'static str, String) {
    let (kind, by, _) = KINDS[random.below(KINDS.len())];
    let kept = if random.percent(70) { "kept" } else { "live" };
    let target = format!("/{kept}/{kind}/{}", random.below(12));
    let method = if random.percent(10) {
        "POST"
    } else if random.percent(5) {
        "HEAD"
    } else {
        "GET"
    };
    let said = if method == "POST" { format!("said-by-{}", person.unwrap_or(NOBODY)) } else { String::new() };
    let fields: Vec<(&str, &str)> = person.map(|person| (by, person)).into_iter().collect();
    let who = person.filter(|_| kind != "public").unwrap_or(NOBODY);
    (compose(method, &target, &fields, said.as_bytes()), method, format!("[{target} {who} {said}]"))
}

fn nobody_gets_the_answer_to_another() {
    let requests = scaled(100_000, 9_000);
    if !may_open(2_000) {
        return;
    }
    let mut random = Random::new();
    let (address, broken) = upstream(random.split());
    let site = Site::start(&format!(
        "-- site.toml --\n[log]\naccess = \"off\"\n[limits]\nmemory-store = \"1MiB\"\n[upstreams.up]\nbase-url = \"http://{address}\"\n\
         allow-private = true\nmax-concurrent = 1\n-- routes/kept.toml --\npath = \"/kept/{{*rest}}\"\nproxy = \"up\"\n\
         -- routes/live.toml --\npath = \"/live/{{*rest}}\"\nproxy = \"up\"\ncache = false\n"
    ));
    let [answered, left, failed, hits] = [const { AtomicUsize::new(0) }; 4];
    thread::scope(|scope| {
        for person in PEOPLE.into_iter().chain(PEOPLE) {
            let mut random = random.split();
            let (site, answered, left, failed, hits) = (&site, &answered, &left, &failed, &hits);
            scope.spawn(move || {
                let mut connection = site.connect();
                for _ in 0..requests / (2 * PEOPLE.len()) {
                    let (request, method, expected) = asked(&mut random, person);
                    let shown = String::from_utf8_lossy(&request).into_owned();
                    if random.percent(20) {
                        let seen = leave(&connection, &request, &mut random);
                        check(&seen, person, &shown);
                        left.fetch_add(1, Ordering::Relaxed);
                        connection = site.connect();
                        continue;
                    }
                    connection.send(&request).expect("sent");
                    match connection.response_to(method) {
                        Ok(response) if response.status == 200 => {
                            let text = String::from_utf8_lossy(&response.body);
                            let is_all = |wanted: &str| text.split_inclusive(']').all(|part| part == wanted);
                            // What an upstream says to somebody unknown it says to all, unless it tells by `Vary` whom it may tell apart.
                            let of_nobody = person.map(|person| expected.replace(person, NOBODY));
                            let is_careless = shown.contains("/kept/careless/") && method == "GET";
                            let is_sound =
                                is_all(&expected) || (is_careless && of_nobody.is_some_and(|it| is_all(&it)));
                            assert!(is_sound && (method == "HEAD") == text.is_empty(), "{shown}: {text}");
                            let is_hit = response.header("cache-status").is_some_and(|status| status.contains("; hit"));
                            hits.fetch_add(usize::from(is_hit), Ordering::Relaxed);
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(response) => {
                            assert!(matches!(response.status, 502..=504), "{shown}: {response:?}");
                            check(&response.body, person, &shown);
                            failed.fetch_add(1, Ordering::Relaxed);
                            if response.header("connection") == Some("close") {
                                connection = site.connect();
                            }
                        }
                        // It broke off in the middle.
                        Err(_) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            connection = site.connect();
                        }
                    }
                }
            });
        }
    });
    let [answered, left, failed, hits] = [answered, left, failed, hits].map(AtomicUsize::into_inner);
    let broken = broken.load(Ordering::Relaxed);
    println!(
        "{answered} answered, {hits} of them from the store; {left} left by the client, {broken} by the upstream, {failed} told so"
    );
    assert!(hits > requests / 50 && left > requests / 6 && failed > requests / 50, "all of it happened");
}

/// Goes away, wherever it is; what had come by then.
pub(super) fn leave(connection: &Connection, request: &[u8], random: &mut Random) -> Vec<u8> {
    let mut stream = connection.stream();
    let (count, waits) = match random.below(3) {
        0 => (random.below(request.len()), false),
        1 => (request.len(), false),
        _ => (request.len(), true),
    };
    stream.write_all(&request[..count]).ok();
    let mut some = vec![0; 1 + random.below(600)];
    stream.set_read_timeout(Some(SAFETY_NET)).ok();
    let read = if waits { stream.read(&mut some).unwrap_or_default() } else { 0 };
    some.truncate(read);
    stream.shutdown(Shutdown::Both).ok();
    some
}

/// Nobody else is named, whole or in part.
fn check(seen: &[u8], person: Option<&str>, request: &str) {
    let text = String::from_utf8_lossy(seen);
    for other in PEOPLE.into_iter().flatten().filter(|other| person != Some(other)) {
        assert!(!text.contains(&other[..4]), "{request}: sees {other}: {text}");
    }
}
