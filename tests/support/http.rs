//! A small HTTP/1.1 client that sends exactly the bytes it is given and reads one response at a time.
//!
//! It understands no more than tests need (RFC 9112): status line, fields, `Content-Length`, chunks, close. What is not understood
//! is a panic, and a panic is a failed test.

use super::SAFETY_NET;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// One response.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The fields in order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The content, without chunk framing.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of the first field of this name; lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The values of all fields of this name; lower case.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The content as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// The content as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// One connection, kept alive as long as both sides like.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream.set_read_timeout(Some(SAFETY_NET)).expect("a timeout");
        stream.set_write_timeout(Some(SAFETY_NET)).expect("a timeout");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes and nothing else.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("an open connection");
    }

    /// The socket, for tests that misuse it.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a GET and reads its response.
    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, &[], b"")
    }

    /// Sends a request (with `Host: localhost` unless the fields name one) and reads its response.
    pub(crate) fn request(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.send(compose(method, target, headers, body)).expect("a server that listens");
        self.response_to(method).unwrap_or_else(|error| panic!("no response to {method} {target}: {error}"))
    }

    /// Reads the response to a GET.
    pub(crate) fn response(&mut self) -> io::Result<Response> {
        self.response_to("GET")
    }

    /// Reads the response to a request of this method; interim responses are skipped.
    pub(crate) fn response_to(&mut self, method: &str) -> io::Result<Response> {
        loop {
            let head = self.until(b"\r\n\r\n")?;
            let mut response = parse_head(&head);
            if (100..200).contains(&response.status) && response.status != 101 {
                continue;
            }
            let bodiless = method == "HEAD" || matches!(response.status, 101 | 204 | 304);
            if !bodiless {
                response.body = self.body(&response)?;
            }
            return Ok(response);
        }
    }

    fn body(&mut self, response: &Response) -> io::Result<Vec<u8>> {
        if response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        match response.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a length")),
            None => self.rest(),
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n")?;
            let size = String::from_utf8_lossy(&line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).expect("a chunk size");
            if size == 0 {
                while self.until(b"\r\n")? != b"\r\n" {}
                return Ok(body);
            }
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
        }
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.unread);
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Whether the server closes the connection without sending anything more. Waits for it.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.rest() {
            Ok(rest) => rest.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Ok(self.unread.drain(..at + end.len()).collect());
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < length {
            self.more()?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let length = loop {
            // A signal that another test sends may interrupt any wait of this process.
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&buffer[..length]);
        Ok(())
    }
}

/// A GET on a connection of its own.
pub(crate) fn get(address: SocketAddr, target: &str) -> Response {
    Connection::open(address).get(target)
}

/// The bytes of a request, with `Host: localhost` and `Content-Length` where the fields do not say otherwise.
pub(crate) fn compose(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !has("host") {
        head += "Host: localhost\r\n";
    }
    if !body.is_empty() && !has("content-length") && !has("transfer-encoding") {
        write!(head, "Content-Length: {}\r\n", body.len()).expect("memory");
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("memory");
    }
    head += "\r\n";
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn parse_head(head: &[u8]) -> Response {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("not a status line: {status_line:?}"));
    let headers = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("not a field: {line:?}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    Response { status, headers, body: Vec::new() }
}
