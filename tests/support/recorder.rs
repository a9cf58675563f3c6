//! An upstream that keeps every octet that comes by each of its connections, and reads them as the strictest reader would.
//!
//! Whatever leaves room for two readings is a fault, which ends the connection and is remembered (RFC 9112, sections 2 to 7): two framings, a
//! length that is not all digits, a coding besides `chunked`, a line that does not end in CR LF, white space before a colon, an octet that
//! stands where none may, a chunk extension. Every request that is sound is answered with its serial number and its `x-token`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request that has come, by the letter.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// By which connection, counted from 0.
    pub(crate) connection: usize,
    /// The method.
    pub(crate) method: String,
    /// The target.
    pub(crate) target: String,
    /// Names in lower case, values as they are.
    pub(crate) fields: Vec<(String, String)>,
    /// The content, without its framing.
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    /// The values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// What a request says it is.
    pub(crate) fn token(&self) -> String {
        self.all("x-token").join("+")
    }
}

/// A running recorder. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Vec<Recorded>>,
    faults: Mutex<Vec<String>>,
    octets: Mutex<Vec<Vec<u8>>>,
    streams: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

impl Recorder {
    /// Starts one on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let recorder = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for (at, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                shared.octets.lock().expect("a lock").push(Vec::new());
                shared.streams.lock().expect("a lock").extend(stream.try_clone());
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.record(at, stream));
            }
        });
        recorder
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many whole requests have come.
    pub(crate) fn count(&self) -> usize {
        self.shared.requests.lock().expect("a lock").len()
    }

    /// The request of this serial number.
    pub(crate) fn request(&self, serial: usize) -> Recorded {
        self.shared.requests.lock().expect("a lock")[serial].clone()
    }

    /// Those that came after the first so many.
    pub(crate) fn after(&self, count: usize) -> Vec<Recorded> {
        self.shared.requests.lock().expect("a lock")[count..].to_vec()
    }

    /// What a strict reader has had to complain about, with the octets of that connection.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.shared.faults.lock().expect("a lock").clone()
    }

    /// Whether any octets have come by any connection that hold this text.
    pub(crate) fn has_seen(&self, text: &str) -> bool {
        let octets = self.shared.octets.lock().expect("a lock");
        octets.iter().any(|octets| octets.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        for stream in self.shared.streams.lock().expect("a lock").drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Shared {
    fn record(&self, connection: usize, mut stream: TcpStream) {
        stream.set_nodelay(true).ok();
        let mut unread = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            match strict(&unread) {
                Ok(Some((request, length))) => {
                    unread.drain(..length);
                    let request = Recorded { connection, ..request };
                    let (token, is_head) = (request.token(), request.method == "HEAD");
                    let (method, target, length) = (request.method.clone(), request.target.clone(), request.body.len());
                    let serial = {
                        let mut requests = self.requests.lock().expect("a lock");
                        requests.push(request);
                        requests.len() - 1
                    };
                    let body = format!("[serial={serial} token={token} {method} {target} {length}]");
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Serial: {serial}\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    let answer = if is_head { head } else { head + &body };
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
                Ok(None) => match stream.read(&mut buffer) {
                    Ok(count @ 1..) => {
                        unread.extend_from_slice(&buffer[..count]);
                        self.octets.lock().expect("a lock")[connection].extend_from_slice(&buffer[..count]);
                    }
                    Ok(0) | Err(_) => return,
                },
                Err(fault) => {
                    let octets = String::from_utf8_lossy(&self.octets.lock().expect("a lock")[connection]).into_owned();
                    self.faults.lock().expect("a lock").push(format!("{fault}: {octets:?}"));
                    stream.shutdown(Shutdown::Both).ok();
                    return;
                }
            }
        }
    }
}

/// The first request of `octets` and its length; nothing if it has not come whole.
fn strict(octets: &[u8]) -> Result<Option<(Recorded, usize)>, String> {
    let Some(end) = octets.windows(4).position(|window| window == b"\r\n\r\n") else {
        let partial = octets.strip_suffix(b"\r").unwrap_or(octets);
        lines(partial)?;
        return Ok(None);
    };
    let lines = lines(&octets[..end])?;
    let (line, fields) = lines.split_first().ok_or("no line")?;
    let line = std::str::from_utf8(line).map_err(|error| format!("a request line: {error}"))?;
    let [method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("the request line {line:?}"));
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(format!("the method {method:?}"));
    }
    let is_visible = |octet: u8| octet.is_ascii_graphic() && !b"#\\\"<>".contains(&octet);
    if !target.starts_with('/') || !target.bytes().all(is_visible) {
        return Err(format!("the target {target:?}"));
    }
    let fields = fields.iter().map(|line| field(line)).collect::<Result<Vec<_>, _>>()?;
    let mut request =
        Recorded { connection: 0, method: method.to_owned(), target: target.to_owned(), fields, body: Vec::new() };
    let [host] = request.all("host")[..] else { return Err("not one `Host`".to_owned()) };
    if host.is_empty() || !host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet)) {
        return Err(format!("the host {host:?}"));
    }
    for name in ["connection", "te", "keep-alive", "proxy-connection", "upgrade", "http2-settings", "expect"] {
        let values = request.all(name);
        let is_ours =
            matches!((name, &values[..]), (_, []) | ("te", ["trailers"]) | ("connection", ["te" | "TE" | "close"]));
        if !is_ours {
            return Err(format!("`{name}` is passed on: {values:?}"));
        }
    }
    let start = end + 4;
    let length = match (&request.all("content-length")[..], &request.all("transfer-encoding")[..]) {
        ([], []) => start,
        ([length], []) if !length.is_empty() && length.bytes().all(|octet| octet.is_ascii_digit()) => {
            let length: usize = length.parse().map_err(|error| format!("the length {length}: {error}"))?;
            let Some(body) = octets.get(start..start + length) else { return Ok(None) };
            request.body = body.to_vec();
            start + length
        }
        ([], ["chunked"]) => {
            let Some((body, length)) = chunks(&octets[start..])? else { return Ok(None) };
            request.body = body;
            start + length
        }
        framing => return Err(format!("the framing {framing:?}")),
    };
    Ok(Some((request, length)))
}

fn lines(head: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut lines = Vec::new();
    let mut rest = head;
    while let Some(at) = rest.iter().position(|&octet| matches!(octet, b'\r' | b'\n')) {
        if !rest[at..].starts_with(b"\r\n") {
            return Err("a line that does not end in CR LF".to_owned());
        }
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    Ok(lines)
}

fn field(line: &[u8]) -> Result<(String, String), String> {
    let text = String::from_utf8_lossy(line);
    let at = line.iter().position(|&octet| octet == b':').ok_or_else(|| format!("no field: {text:?}"))?;
    let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
    if name.is_empty() || !name.iter().all(|&octet| is_token(octet)) {
        return Err(format!("the field name of {text:?}"));
    }
    if value.iter().any(|&octet| (octet < b' ' && octet != b'\t') || octet == 0x7f) {
        return Err(format!("a control octet in {text:?}"));
    }
    let value = value.iter().map(|&octet| char::from(octet)).collect();
    Ok((String::from_utf8_lossy(name).to_ascii_lowercase(), value))
}

fn chunks(octets: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(end) = octets[at..].windows(2).position(|window| window == b"\r\n") else {
            let is_size = octets[at..].iter().all(|octet| octet.is_ascii_hexdigit() || *octet == b'\r');
            return if is_size { Ok(None) } else { Err("the size of a chunk".to_owned()) };
        };
        let size = &octets[at..at + end];
        if size.is_empty() || size.len() > 16 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("the chunk size {:?}", String::from_utf8_lossy(size)));
        }
        let size = usize::from_str_radix(std::str::from_utf8(size).expect("digits"), 16)
            .map_err(|error| format!("a chunk size: {error}"))?;
        at += end + 2;
        if size == 0 {
            break;
        }
        let Some(chunk) = octets.get(at..at + size + 2) else { return Ok(None) };
        let Some(chunk) = chunk.strip_suffix(b"\r\n") else { return Err("a chunk without an end".to_owned()) };
        body.extend_from_slice(chunk);
        at += size + 2;
    }
    loop {
        let Some(end) = octets[at..].windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        if end == 0 {
            return Ok(Some((body, at + 2)));
        }
        let (name, _) = field(&octets[at..at + end])?;
        if ["content-length", "transfer-encoding", "host", "authorization", "cookie"].contains(&&*name) {
            return Err(format!("the trailer field `{name}`"));
        }
        at += end + 2;
    }
}

fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
