//! An upstream that does what a path tells it to, counts its calls and can be held still: see `answers` for the paths.
//!
//! Raw sockets, a thread for each connection, no HTTP library: whatever a peer may send can be sent. Tests follow what happens through
//! the handle: how many calls a path had, with which bytes; waiting until a call has arrived; releasing gates. None of it needs a clock.

use super::SAFETY_NET;
use super::answers::{self, Delivery, Reply};
use super::http::Connection;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// The target as sent.
    pub(crate) target: String,
    /// The target up to its query, as sent.
    pub(crate) path: String,
    /// The pairs of its query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The fields in order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of the first field of this name; lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this key in the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The handle of a running fault server. Dropping it ends the server and all its connections.
#[derive(Debug)]
pub(crate) struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl FaultServer {
    /// Starts one on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"))
    }

    /// Starts one at this address: where another one was before, for instance.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// An address that refuses connections: the port that nothing has listened on for decades, and that needs privileges.
    pub(crate) fn refusing() -> SocketAddr {
        "127.0.0.1:1".parse().expect("an address")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// How many requests for this path (without query) have arrived.
    pub(crate) fn calls(&self, path: &str) -> usize {
        self.shared.calls(path)
    }

    /// How many requests have arrived in all.
    pub(crate) fn total_calls(&self) -> usize {
        self.shared.state().requests.len()
    }

    /// The requests for this path, in order of arrival.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        self.shared.state().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// The most requests for this path that were unanswered at the same time.
    pub(crate) fn most_at_once(&self, path: &str) -> usize {
        self.shared.state().most.get(path).copied().unwrap_or(0)
    }

    /// How many connections have been accepted.
    pub(crate) fn connections(&self) -> usize {
        self.shared.state().accepted
    }

    /// Waits until this many requests for this path have arrived since the start.
    pub(crate) fn wait_for(&self, path: &str, count: usize) {
        let arrived = self.shared.wait(|state| state.calls.get(path).copied().unwrap_or(0) >= count);
        assert!(arrived, "{} of {count} calls of {path} arrived", self.calls(path));
    }

    /// Opens a gate for everybody who waits at it and will come.
    pub(crate) fn release(&self, gate: &str) {
        self.shared.state().open_gates.insert(gate.to_owned());
        self.shared.changed.notify_all();
    }

    /// Closes a gate again.
    pub(crate) fn close_gate(&self, gate: &str) {
        self.shared.state().open_gates.remove(gate);
    }

    /// From now on answers this path (without query) with this reply, instead of what the path itself says.
    pub(crate) fn put(&self, path: &str, reply: Reply) {
        self.shared.state().put.insert(path.to_owned(), reply);
    }

    /// The first so many requests that arrive, of whatever path, are answered, and those after them wait until more are let through; `None`
    /// lets through all.
    pub(crate) fn let_through(&self, count: Option<usize>) {
        self.shared.state().let_through = count;
        self.shared.changed.notify_all();
    }

    /// Waits until this many requests have arrived in all; whether they did.
    pub(crate) fn has_arrived(&self, count: usize) -> bool {
        self.shared.wait(|state| state.requests.len() >= count)
    }

    /// All requests that arrived after the first so many, in order of arrival.
    pub(crate) fn requests_after(&self, count: usize) -> Vec<Request> {
        self.shared.state().requests.iter().skip(count).cloned().collect()
    }

    /// From now on asks the server at this address what it answers, unless something was put there: a recorder.
    pub(crate) fn stand_before(&self, address: SocketAddr) {
        self.shared.state().behind = Some(address);
    }

    /// Closes all connections at once, and goes on listening.
    pub(crate) fn drop_connections(&self) {
        self.shared.shut_connections();
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        self.shared.shut_connections();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().ok();
        }
        self.shared.shut_connections();
    }
}

/// What the threads of a server share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    calls: HashMap<String, usize>,
    under_way: HashMap<String, usize>,
    most: HashMap<String, usize>,
    /// How many have come to each barrier, all rounds together.
    met: HashMap<String, usize>,
    open_gates: HashSet<String>,
    put: HashMap<String, Reply>,
    let_through: Option<usize>,
    behind: Option<SocketAddr>,
    accepted: usize,
    connections: Vec<Weak<TcpStream>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the lock")
    }

    /// Waits until the state is as wanted; whether it came to that before the end of the server or of the safety net.
    fn wait(&self, wanted: impl Fn(&State) -> bool) -> bool {
        let stopping = || self.stopping.load(Ordering::SeqCst);
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), SAFETY_NET, |state| !wanted(state) && !stopping())
            .expect("no thread panics while it holds the lock");
        wanted(&state)
    }

    /// How many requests for this path have arrived.
    fn calls(&self, path: &str) -> usize {
        self.state().calls.get(path).copied().unwrap_or(0)
    }

    /// Waits at a barrier until `count` are there; then they all go on, and the next round begins.
    pub(crate) fn meet(&self, name: &str, count: usize) {
        let place = {
            let mut state = self.state();
            let met = state.met.entry(name.to_owned()).or_default();
            *met += 1;
            *met
        };
        self.changed.notify_all();
        let complete = place.div_ceil(count) * count;
        self.wait(|state| state.met[name] >= complete);
    }

    /// Waits at a gate until it is open.
    pub(crate) fn pass(&self, gate: &str) {
        self.wait(|state| state.open_gates.contains(gate));
    }

    /// Notes a request. Its place among the calls of its path, from 1, and among all, from 0, is settled here, once: two at the same time are
    /// two.
    fn arrived(&self, request: &Request) -> (usize, usize) {
        let mut state = self.state();
        let path = request.path.clone();
        let calls = state.calls.entry(path.clone()).or_default();
        *calls += 1;
        let call = *calls;
        let under_way = state.under_way.entry(path.clone()).or_default();
        *under_way += 1;
        let under_way = *under_way;
        let most = state.most.entry(path).or_default();
        *most = under_way.max(*most);
        let place = state.requests.len();
        state.requests.push(request.clone());
        drop(state);
        self.changed.notify_all();
        (call, place)
    }

    fn answered(&self, path: &str) {
        if let Some(under_way) = self.state().under_way.get_mut(path) {
            *under_way -= 1;
        }
        self.changed.notify_all();
    }

    fn shut_connections(&self) {
        for stream in std::mem::take(&mut self.state().connections).iter().filter_map(Weak::upgrade) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let stream = Arc::new(stream);
        {
            let mut state = shared.state();
            state.accepted += 1;
            state.connections.retain(|connection| connection.strong_count() > 0);
            state.connections.push(Arc::downgrade(&stream));
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || converse(&stream, &shared));
    }
}

/// Whether a connection goes on after a reply.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    KeepAlive,
    Close,
    Reset,
}

/// Requests and replies in turn, until one of the two sides has enough.
fn converse(stream: &Arc<TcpStream>, shared: &Shared) {
    stream.set_nodelay(true).ok();
    let mut unread = Vec::new();
    while let Ok(Some(request)) = read_request(stream, &mut unread) {
        let (call, place) = shared.arrived(&request);
        shared.wait(|state| state.let_through.is_none_or(|count| place < count));
        let (put, behind) = {
            let state = shared.state();
            (state.put.get(&request.path).cloned(), state.behind)
        };
        let reply = put.or_else(|| Some(relayed(&request, behind?)));
        let reply = reply.unwrap_or_else(|| answers::reply(&request, call, shared));
        let next = deliver(stream, &request, &reply, shared).unwrap_or(Next::Close);
        shared.answered(&request.path);
        match next {
            Next::KeepAlive => {}
            Next::Close => break,
            Next::Reset => return reset(stream),
        }
    }
    stream.shutdown(Shutdown::Both).ok();
}

/// What the server at this address answers.
fn relayed(request: &Request, address: SocketAddr) -> Reply {
    let fields = [("accept-encoding", "identity")];
    let answer = Connection::open(address).request(&request.method, &request.target, &fields, &request.body);
    let content_type = answer.header("content-type").unwrap_or_default();
    Reply::of(content_type, answer.body.as_slice()).status(answer.status)
}

fn read_request(mut stream: &TcpStream, unread: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let mut buffer = [0; 16 << 10];
    let mut more = |unread: &mut Vec<u8>| -> io::Result<bool> {
        let length = stream.read(&mut buffer)?;
        unread.extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    };
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if !more(unread)? {
            return Ok(None);
        }
    };
    let head: Vec<u8> = unread.drain(..end + 4).collect();
    let mut request = parse_request(&String::from_utf8_lossy(&head));
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let Some(at) = unread.windows(2).position(|window| window == b"\r\n") else {
                if !more(unread)? {
                    return Ok(None);
                }
                continue;
            };
            let size = String::from_utf8_lossy(&unread[..at]).into_owned();
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            // Without trailers the last chunk ends as the others do.
            while unread.len() < at + 2 + size + 2 {
                if !more(unread)? {
                    return Ok(None);
                }
            }
            request.body.extend_from_slice(&unread[at + 2..at + 2 + size]);
            unread.drain(..at + 2 + size + 2);
            if size == 0 {
                return Ok(Some(request));
            }
        }
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while unread.len() < length {
        if !more(unread)? {
            return Ok(None);
        }
    }
    request.body = unread.drain(..length).collect();
    Ok(Some(request))
}

fn parse_request(head: &str) -> Request {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query =
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name), decode(value)));
    let headers = lines.filter_map(|line| line.split_once(':'));
    Request {
        method,
        path: path.to_owned(),
        query: query.collect(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect(),
        body: Vec::new(),
        target,
    }
}

/// Undoes percent-encoding, and `+` for a space.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn deliver(mut stream: &TcpStream, request: &Request, reply: &Reply, shared: &Shared) -> io::Result<Next> {
    let whole = |length: usize| wire(request, reply, &format!("content-length: {length}\r\n"));
    match &reply.delivery {
        Delivery::Length => stream.write_all(&whole(reply.body.len()))?,
        Delivery::Interim => {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </app.css>; rel=preload\r\n\r\n")?;
            stream.write_all(&whole(reply.body.len()))?;
        }
        Delivery::Chunked => {
            stream.write_all(&wire(
                request,
                &Reply { body: Vec::new(), ..reply.clone() },
                "transfer-encoding: chunked\r\n",
            ))?;
            for piece in reply.body.chunks(1000) {
                stream.write_all(&chunk(piece))?;
            }
            stream.write_all(&chunk(b""))?;
        }
        Delivery::Endless => {
            stream.write_all(&wire(request, reply, "transfer-encoding: chunked\r\n"))?;
            let piece = chunk(&[b'x'; 8 << 10]);
            while !shared.stopping.load(Ordering::SeqCst) {
                stream.write_all(&piece)?;
            }
        }
        Delivery::UntilClose => {
            stream.write_all(&wire(request, reply, "connection: close\r\n"))?;
            return Ok(Next::Close);
        }
        Delivery::Short(missing) => {
            stream.write_all(&whole(reply.body.len() + missing))?;
            return Ok(Next::Close);
        }
        Delivery::Cut(after) => {
            stream.write_all(until(&whole(reply.body.len()), *after))?;
            return Ok(Next::Close);
        }
        Delivery::Reset(after) => {
            stream.write_all(until(&whole(reply.body.len()), *after))?;
            return Ok(Next::Reset);
        }
        Delivery::Trickle => {
            for byte in whole(reply.body.len()) {
                stream.write_all(&[byte])?;
                // The pause is the fault itself, not a way of waiting for anything.
                shared.pause(Duration::from_millis(20));
            }
        }
        Delivery::SilentAfterHead => {
            let head = Reply { body: Vec::new(), ..reply.clone() };
            stream.write_all(&wire(request, &head, &format!("content-length: {}\r\n", reply.body.len().max(1))))?;
            return until_closed(stream);
        }
        Delivery::Raw(bytes) => {
            stream.write_all(bytes)?;
            return until_closed(stream);
        }
    }
    Ok(Next::KeepAlive)
}

impl Shared {
    fn pause(&self, time: Duration) {
        let stopping = |_: &mut State| !self.stopping.load(Ordering::SeqCst);
        drop(self.changed.wait_timeout_while(self.state(), time, stopping));
    }
}

/// Head and body as they go over the wire.
fn wire(request: &Request, reply: &Reply, framing: &str) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Whatever\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let bodiless = matches!(reply.status, 204 | 304);
    if !bodiless {
        bytes.extend_from_slice(framing.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    if !bodiless && request.method != "HEAD" {
        bytes.extend_from_slice(&reply.body);
    }
    bytes
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
    bytes.extend_from_slice(piece);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn until(bytes: &[u8], length: usize) -> &[u8] {
    &bytes[..length.min(bytes.len())]
}

/// Says nothing more until the peer has gone.
fn until_closed(mut stream: &TcpStream) -> io::Result<Next> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer)? > 0 {}
    Ok(Next::Close)
}

/// Ends the connection with a reset instead of an orderly close. What was sent before stays readable for the peer.
fn reset(stream: &TcpStream) {
    // The standard library cannot ask for this; the runtime's sockets can.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let _context = runtime.enter();
    stream.set_nonblocking(true).expect("a socket option");
    let socket = tokio::net::TcpStream::from_std(stream.try_clone().expect("a descriptor")).expect("a socket");
    socket.set_zero_linger().expect("a socket option");
}
