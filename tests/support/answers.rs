//! What the fault server answers: a path says what, and how it goes wrong.
//!
//! A path is read from the left. *Wrappers* take their arguments and pass the rest on; *contents* end it. So
//! `/gate/slow/coded/gzip/json/items?n=3` waits at the gate `slow`, then answers three items, gzipped.
//!
//! | Wrapper | Does |
//! |---|---|
//! | `/barrier/NAME/COUNT/…` | waits until COUNT requests are at this barrier |
//! | `/gate/NAME/…` | waits until the test releases NAME |
//! | `/flaky/N/…` | the first N calls of this path are 503 |
//! | `/flaky-reset/N/…` | the first N calls of this path are reset before a byte is sent |
//! | `/coded/CODING/…` | `gzip`, `br`, `zstd`; `/truncated/CODING/…` loses the second half of it |
//! | `/labelled/VALUE/…` | says `Content-Encoding: VALUE` and codes nothing |
//! | `/chunked/…`, `/until-close/…` | framing without `Content-Length` |
//! | `/short/N/…` | announces N bytes more than it sends, then closes |
//! | `/cut/N/…`, `/reset/N/…` | closes, or resets, after N bytes of head and body together |
//! | `/trickle/…` | sends byte by byte with pauses, head included |
//! | `/silent-after-head/…` | sends the head and then nothing |
//! | `/interim/…` | a 103 before the response |
//!
//! | Content | Is |
//! |---|---|
//! | nothing | `{"ok":true}` |
//! | `/json/items?n=30` | items with id, title, price, tags, author |
//! | `/echo` | the request as JSON |
//! | `/reflect/CODE` | the request in the body, and in fields such as `Location`, with that status |
//! | `/reflect/broken`, `/reflect/coding`, `/reflect/line`, `/reflect/head`, `/reflect/chunk` | the request where it breaks JSON, coding, status line, head or chunk |
//! | `/me` | who asks, by the cookie `session` or a bearer: `{"name":"ada","call":1}`; 401 to who does not say |
//! | `/count` | which call of this path it is, from 1: `{"count":1}` |
//! | `/status/CODE` | that status, with a JSON body unless it has none |
//! | `/redirect/CODE?to=URL` | a redirect |
//! | `/bytes/N` | N times `x` |
//! | `/bomb/CODING/MEBIBYTES` | that many zeros, coded |
//! | `/tiny-objects` | 7 MB of `{"":0}`, gzipped to a few kilobytes |
//! | `/invalid-json`, `/html` | what is not JSON, labelled as JSON or honestly |
//! | `/silent` | nothing, ever |
//! | `/endless` | chunks without end |
//! | `/long-head/N`, `/many-fields/N` | a head of N bytes, of N fields |
//! | `/not-http`, `/bad-field`, `/bad-chunk`, `/bad-length`, `/switch` | protocol errors |
//!
//! Every content takes `?header=Name:Value`, repeatable, which replaces a field of that name.

use super::fault::{Request, Shared};
use serde_json::json;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{LazyLock, Mutex};

/// What goes back, and how.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The fields, without those for framing.
    pub(crate) headers: Vec<(String, String)>,
    /// The content.
    pub(crate) body: Vec<u8>,
    /// How it is sent.
    pub(crate) delivery: Delivery,
}

/// How a reply is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As it should be.
    Length,
    /// In chunks.
    Chunked,
    /// Without a length, until the connection closes.
    UntilClose,
    /// Announcing more than is sent.
    Short(usize),
    /// Closing after so many bytes.
    Cut(usize),
    /// Resetting after so many bytes.
    Reset(usize),
    /// Byte by byte.
    Trickle,
    /// The head alone.
    SilentAfterHead,
    /// A 103, then as it should be.
    Interim,
    /// These bytes instead of a response, then nothing.
    Raw(Vec<u8>),
    /// Chunks until the peer has enough.
    Endless,
}

impl Reply {
    /// A reply of JSON.
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::of("application/json", body)
    }

    /// A 200 of this media type.
    pub(crate) fn of(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status: 200, headers, body: body.into(), delivery: Delivery::Length }
    }

    /// The same with another status.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same with this field instead of any of its name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, sent in another way.
    pub(crate) fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    fn raw(bytes: &[u8]) -> Self {
        Self::of("", "").delivered(Delivery::Raw(bytes.to_vec()))
    }
}

/// The reply to a request, which is the nth call of its path. Waits, if its path says so.
pub(crate) fn reply(request: &Request, call: usize, shared: &Shared) -> Reply {
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let mut reply = follow(&segments, request, call, shared);
    for (name, value) in &request.query {
        if name == "header" {
            let (name, value) = value.split_once(':').expect("header=Name:Value");
            reply = reply.header(name.trim(), value.trim());
        }
    }
    reply
}

fn follow(segments: &[&str], request: &Request, call: usize, shared: &Shared) -> Reply {
    let inner = |rest: &[&str]| follow(rest, request, call, shared);
    match segments {
        ["barrier", name, count, rest @ ..] => {
            shared.meet(name, number(count));
            inner(rest)
        }
        ["gate", name, rest @ ..] => {
            shared.pass(name);
            inner(rest)
        }
        ["flaky", failures, ..] if call <= number(failures) => Reply::json("{\"error\":\"flaky\"}").status(503),
        ["flaky-reset", failures, ..] if call <= number(failures) => Reply::json("{}").delivered(Delivery::Reset(0)),
        ["flaky" | "flaky-reset", _, rest @ ..] => inner(rest),
        ["coded", coding, rest @ ..] => {
            let reply = inner(rest);
            let body = encode(coding, &mut reply.body.as_slice());
            Reply { body, ..reply }.header("content-encoding", coding)
        }
        ["truncated", coding, rest @ ..] => {
            let mut reply = inner(rest);
            reply.body = encode(coding, &mut reply.body.as_slice());
            reply.body.truncate(reply.body.len() / 2);
            reply.header("content-encoding", coding)
        }
        ["labelled", value, rest @ ..] => inner(rest).header("content-encoding", value),
        ["chunked", rest @ ..] => inner(rest).delivered(Delivery::Chunked),
        ["until-close", rest @ ..] => inner(rest).delivered(Delivery::UntilClose),
        ["short", missing, rest @ ..] => inner(rest).delivered(Delivery::Short(number(missing))),
        ["cut", after, rest @ ..] => inner(rest).delivered(Delivery::Cut(number(after))),
        ["reset", after, rest @ ..] => inner(rest).delivered(Delivery::Reset(number(after))),
        ["trickle", rest @ ..] => inner(rest).delivered(Delivery::Trickle),
        ["silent-after-head", rest @ ..] => inner(rest).delivered(Delivery::SilentAfterHead),
        ["interim", rest @ ..] => inner(rest).delivered(Delivery::Interim),
        content => self::content(content, request, call),
    }
}

/// Who says in a request that they ask.
fn who(request: &Request) -> Option<&str> {
    let cookie = request.header("cookie").and_then(|line| line.split("; ").find_map(|it| it.strip_prefix("session=")));
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    cookie.or(bearer).filter(|name| !name.is_empty())
}

fn content(segments: &[&str], request: &Request, call: usize) -> Reply {
    match segments {
        [] => Reply::json("{\"ok\":true}"),
        ["json", "items"] => Reply::json(items(request.parameter("n").map_or(30, number))),
        ["echo"] => Reply::json(echo(request)),
        ["me"] => match who(request) {
            Some(name) => Reply::json(json!({ "name": name, "call": call }).to_string()),
            None => Reply::json("{\"error\":\"who are you?\"}").status(401),
        },
        ["reflect", fault] => reflect(fault, request),
        ["count"] | ["count", _] => Reply::json(json!({ "count": call }).to_string()),
        ["status", code] => match number(code) {
            code @ (204 | 304) => {
                Reply { headers: Vec::new(), ..Reply::of("", "").status(u16::try_from(code).expect("a status")) }
            }
            code => Reply::json(json!({ "status": code }).to_string()).status(u16::try_from(code).expect("a status")),
        },
        ["redirect", code] => Reply::of("text/plain", "elsewhere")
            .status(u16::try_from(number(code)).expect("a status"))
            .header("location", request.parameter("to").expect("?to=URL")),
        ["bytes", count] => Reply::of("application/octet-stream", vec![b'x'; number(count)]),
        ["bomb", coding, mebibytes] => Reply::json(bomb(coding, number(mebibytes))).header("content-encoding", coding),
        ["tiny-objects"] => Reply::json(TINY_OBJECTS.clone()).header("content-encoding", "gzip"),
        ["invalid-json"] => Reply::json("{\"items\": [1, 2,"),
        ["html"] => Reply::of("text/html; charset=utf-8", "<!doctype html><title>Not JSON</title>"),
        ["silent"] => Reply::raw(b""),
        ["endless"] => Reply::of("application/octet-stream", "").delivered(Delivery::Endless),
        ["long-head", size] => Reply::json("{}").header("x-long", &"x".repeat(number(size))),
        ["many-fields", count] => {
            (0..number(count)).fold(Reply::json("{}"), |reply, field| reply.header(&format!("x-{field}"), "x"))
        }
        ["not-http"] => Reply::raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ["bad-field"] => Reply::raw(b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n{}"),
        ["bad-chunk"] => Reply::raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"),
        ["bad-length"] => Reply::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ["switch"] => Reply::raw(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        _ => Reply::json("{\"error\":\"no such path\"}").status(404),
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a number"))
}

/// Some 200 bytes an item, so that 30 are 6 KB.
fn items(count: usize) -> String {
    let items: Vec<_> = (1..=count)
        .map(|id| {
            json!({
                "id": id,
                "sku": format!("SKU-{id:05}"),
                "title": format!("Item number {id} & <more>"),
                "price": 10 + id * 7 % 90,
                "draft": id % 5 == 0,
                "tags": ["one", "two", if id % 2 == 0 { "even" } else { "odd" }],
                "author": { "name": format!("Author {}", id % 7), "email": format!("author{}@example.com", id % 7) },
                "summary": null,
            })
        })
        .collect();
    json!({ "total": count, "items": items }).to_string()
}

fn echo(request: &Request) -> String {
    let mut headers = serde_json::Map::new();
    for (name, value) in &request.headers {
        let entry = headers.entry(name.clone()).or_insert_with(|| json!(""));
        let joined = match entry.as_str() {
            Some("") | None => value.clone(),
            Some(before) => format!("{before}, {value}"),
        };
        *entry = json!(joined);
    }
    let query: serde_json::Map<_, _> = request.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = String::from_utf8_lossy(&request.body);
    json!({ "method": request.method, "target": request.target, "path": request.path, "query": query, "headers": headers, "body": body })
        .to_string()
}

/// What a careless upstream says about the request it got, credentials included.
fn reflect(fault: &str, request: &Request) -> Reply {
    let credential = request.header("authorization").unwrap_or("none");
    let (body, target) = (echo(request), &request.target);
    let raw = |text: String| Reply::raw(text.as_bytes());
    match fault {
        "broken" => Reply::json(format!("{body}{credential}")),
        "coding" => Reply::json(body).header("content-encoding", credential),
        "line" => {
            raw(format!("HTTP/1.1 502 {credential} {target}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"))
        }
        "head" => raw(format!("HTTP/1.1 200 OK\r\n{credential} {target}\r\n\r\n")),
        "chunk" => {
            raw(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{credential}\r\n{body}\r\n0\r\n\r\n"))
        }
        code => {
            let reply = Reply::json(body).status(u16::try_from(number(code)).expect("a status"));
            ["www-authenticate", "x-debug", "set-cookie", "etag"]
                .into_iter()
                .fold(reply, |reply, name| reply.header(name, credential))
                .header("location", &format!("http://elsewhere.example{target}"))
        }
    }
}

/// Zeros, coded; made once.
fn bomb(coding: &str, mebibytes: usize) -> Vec<u8> {
    type Bombs = HashMap<(String, usize), Vec<u8>>;
    static MADE: LazyLock<Mutex<Bombs>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("no thread panics while it holds the lock");
    made.entry((coding.to_owned(), mebibytes))
        .or_insert_with(|| encode(coding, &mut std::io::repeat(0).take((mebibytes as u64) << 20)))
        .clone()
}

static TINY_OBJECTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut text = "[".to_owned();
    text += &"{\"\":0},".repeat(1_000_000);
    text += "{}]";
    encode("gzip", &mut text.as_bytes())
});

fn encode(coding: &str, plain: &mut dyn Read) -> Vec<u8> {
    let mut coded = Vec::new();
    match coding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(&mut coded, flate2::Compression::fast());
            copy(plain, &mut writer);
            writer.finish().expect("memory").flush().expect("memory");
        }
        "br" => copy(plain, &mut brotli::CompressorWriter::new(&mut coded, 1 << 16, 3, 22)),
        "zstd" => zstd::stream::copy_encode(plain, &mut coded, 3).expect("memory"),
        _ => panic!("no coding `{coding}`"),
    }
    coded
}

fn copy(plain: &mut dyn Read, writer: &mut dyn Write) {
    std::io::copy(plain, writer).expect("memory");
}
