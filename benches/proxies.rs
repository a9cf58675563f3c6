//! Measures siteserver's proxy routes beside nginx's `proxy_cache` and Varnish, in one run, and prints ratios.
//!
//! | Scenario | Is |
//! |---|---|
//! | `proxy-hit` | 6 KB that all of them have in their caches |
//! | `proxy-miss` | 6 KB that the origin says not to keep, of a URL that nobody has asked for: passed through |
//! | `proxy-stream` | 1 GiB (`STREAM` MiB) from the origin to the client, and as much from the client to the origin |
//!
//! The servers share one core and take turns; this program is the load and the origin on another, as in `benches/load.rs`. siteserver writes
//! its access log as JSON, nginx one of the same fields; both are thrown away. Varnish writes none by itself. Memory is what the processes of a
//! server have had resident at most (`VmHWM`); it may not grow with what is streamed. What is not installed is left out.

mod measured;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use measured::{Connection, Cost, Server, ask, connect, each, median};
use std::convert::Infallible;
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Task, Poll};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Keep-alive connections, each with one request at a time.
const CONNECTIONS: usize = 32;
/// How long a round of siteserver should take.
const ROUND: Duration = Duration::from_millis(600);
/// Rounds, unless `ROUNDS` says otherwise.
const ROUNDS: usize = 9;
/// Requests that find out how many make a round.
const CALIBRATION: u32 = 2_000;
/// Bytes of an answer.
const SIZE: usize = 6 << 10;
/// Bytes of a piece of what is streamed.
const PIECE: usize = 64 << 10;
/// By so many bytes memory may grow while something is streamed.
const GROWTH: u64 = 32 << 20;

/// So many bytes, made while they are sent.
struct Stream {
    piece: Bytes,
    left: u64,
}

impl Stream {
    fn new(length: u64) -> Self {
        Self { piece: vec![b'x'; PIECE].into(), left: length }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        if length == 0 {
            return Poll::Ready(None);
        }
        self.left -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(self.piece.slice(..length)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// What the origin answers: 6 KB that may be kept for a day at `/hit`, that may not at `/miss/…`, a stream at `/stream/LENGTH`; it takes what
/// is sent.
async fn answer(request: Request<Incoming>, small: Bytes) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let length = path.strip_prefix("/stream/").and_then(|length| length.parse().ok());
    let mut response = Response::new(match length {
        Some(length) => Stream::new(length).boxed(),
        None => Full::new(small).boxed(),
    });
    let is_kept = path == "/hit";
    let caching = HeaderValue::from_static(if is_kept { "public, max-age=86400" } else { "no-store" });
    response.headers_mut().insert(CACHE_CONTROL, caching);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

async fn origin() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let authority = listener.local_addr()?.to_string();
    let small = Bytes::from(vec![b'x'; SIZE]);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            connection.set_nodelay(true).unwrap_or_default();
            let small = small.clone();
            let service = service_fn(move |request| answer(request, small.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            tokio::spawn(connection);
        }
    });
    Ok(authority)
}

/// A folder in memory that goes away with its handle.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let parent = Path::new("/dev/shm");
        let parent = if parent.is_dir() { parent.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("siteserver-proxies-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Writes a file of `benches/proxied` with these words in place of others; its path.
    fn write(&self, name: &str, words: &[(&str, &str)]) -> Result<String> {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/proxied").join(name))?;
        let text = words.iter().fold(text, |text, (from, to)| text.replace(from, to));
        let path = self.0.join(name);
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

/// An address that nobody listens at.
fn free() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).chain(["/usr/sbin".into()]).any(|folder| folder.join(program).is_file())
}

/// siteserver and those beside it that are installed.
fn start(siteserver: &str, origin: &str, folder: &Folder) -> Result<Vec<Server>> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/proxied/site.toml");
    let config = config.to_string_lossy();
    let listen = "server.listen=[\"127.0.0.1:0\"]";
    let arguments = ["--config", &config, "--set", listen];
    let upstream = format!("http://{origin}");
    let mut servers = vec![Server::start("siteserver", siteserver, &arguments, &upstream)?];
    if let Ok(baseline) = std::env::var("BASELINE") {
        servers.push(Server::start("baseline", &baseline, &arguments, &upstream)?);
    }
    if is_installed("nginx") {
        let (address, own) = (free()?, folder.0.to_string_lossy());
        let config = folder.write("nginx.conf", &[("LISTEN", &address), ("ORIGIN", origin), ("FOLDER", &own)])?;
        servers.push(Server::start_at("nginx", address, "nginx", &["-e", "stderr", "-c", &config])?);
    }
    if is_installed("varnishd") {
        let (address, own) = (free()?, folder.0.join("varnish").to_string_lossy().into_owned());
        let (host, port) = origin.split_once(':').context("a port")?;
        let config = folder.write("varnish.vcl", &[("HOST", host), ("PORT", port)])?;
        let arguments = ["-F", "-n", &own, "-a", &address, "-f", &config, "-s", "malloc,64m", "-p", "thread_pools=1"];
        servers.push(Server::start_at("varnish", address.clone(), "varnishd", &arguments)?);
    }
    Ok(servers)
}

/// What is asked for, again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scenario {
    Hit,
    Miss,
}

impl Scenario {
    fn name(self) -> &'static str {
        match self {
            Self::Hit => "proxy-hit",
            Self::Miss => "proxy-miss",
        }
    }

    fn path(self, number: u64) -> String {
        match self {
            Self::Hit => "/hit".to_owned(),
            Self::Miss => format!("/miss/{number}"),
        }
    }
}

/// One server under one scenario: its connections, open from the first round to the last.
struct Lane<'s> {
    server: &'s Server,
    scenario: Scenario,
    fields: Arc<HeaderMap>,
    connections: Vec<Connection>,
}

impl<'s> Lane<'s> {
    async fn open(server: &'s Server, scenario: Scenario) -> Result<Self> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            connections.push(connect(server).await?);
        }
        let host = (HOST, HeaderValue::try_from(server.authority.as_str())?);
        Ok(Self { server, scenario, fields: Arc::new(HeaderMap::from_iter([host])), connections })
    }

    /// Sends the requests `numbers`, over all connections, and tells what they cost.
    async fn round(&mut self, numbers: std::ops::Range<u64>) -> Result<Cost> {
        let next = Arc::new(AtomicU64::new(numbers.start));
        let before = self.server.cpu()?;
        let start = Instant::now();
        let mut workers = JoinSet::new();
        for mut connection in std::mem::take(&mut self.connections) {
            let (next, fields, scenario) = (Arc::clone(&next), Arc::clone(&self.fields), self.scenario);
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return Ok::<_, anyhow::Error>(connection);
                    }
                    let response = ask(&mut connection, &scenario.path(number), &fields).await?;
                    ensure!(response.status() == StatusCode::OK, "answered with {}", response.status());
                    ensure!(response.body().len() == SIZE, "answered with {} bytes", response.body().len());
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            self.connections.push(worker?.with_context(|| self.server.name)?);
        }
        let elapsed = start.elapsed();
        Ok(Cost { cpu: self.server.cpu()?.saturating_sub(before), elapsed })
    }
}

/// Compares the first of the servers with the others.
async fn compare(servers: &[Server], scenario: Scenario, rounds: usize) -> Result<()> {
    let mut lanes = Vec::with_capacity(servers.len());
    for server in servers {
        lanes.push(Lane::open(server, scenario).await?);
    }
    let mut next = 0;
    let mut numbers = |count: u32| {
        next += u64::from(count);
        next - u64::from(count)..next
    };
    let mut requests = CALIBRATION;
    for (at, lane) in lanes.iter_mut().enumerate() {
        let took = lane.round(numbers(CALIBRATION)).await?.elapsed;
        if at == 0 {
            let wanted = u128::from(CALIBRATION) * ROUND.as_micros() / took.as_micros().max(1);
            requests = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1_000, 500_000);
        }
    }
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); lanes.len()];
    for _ in 0..rounds {
        for (lane, costs) in lanes.iter_mut().zip(&mut costs) {
            costs.push(lane.round(numbers(requests)).await?);
        }
    }
    let Some((ours, others)) = costs.split_first() else { return Ok(()) };
    for ((server, theirs), is_first) in servers.iter().skip(1).zip(others).zip([true, false, false]) {
        let ratio = |of: fn(&Cost) -> Duration| {
            median(
                ours.iter()
                    .zip(theirs)
                    .map(|(ours, theirs)| of(ours).as_secs_f64() / of(theirs).as_secs_f64())
                    .collect(),
            )
        };
        let costs = |costs: &[Cost]| median(costs.iter().map(|cost| each(cost.cpu, requests)).collect());
        let name = if is_first { scenario.name() } else { "" };
        writeln!(
            stdout(),
            "{name:<14} {requests:>9} {:>11.1} {:>10} {:>8.1} {:>10.2} {:>11.2}",
            costs(ours),
            server.name,
            costs(theirs),
            ratio(|cost| cost.cpu),
            ratio(|cost| cost.elapsed),
        )?;
    }
    Ok(())
}

/// One long answer, or one long request, through a server.
async fn stream(server: &Server, length: u64, is_sent: bool) -> Result<Cost> {
    let connection = TcpStream::connect(&server.authority).await?;
    connection.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(connection);
    let path = if is_sent { "/taken".to_owned() } else { format!("/stream/{length}") };
    let mut request = Request::new(Stream::new(if is_sent { length } else { 0 }));
    *request.uri_mut() = path.parse()?;
    request.headers_mut().insert(HOST, HeaderValue::try_from(server.authority.as_str())?);
    if is_sent {
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let (before, start) = (server.cpu()?, Instant::now());
    let response = sender.send_request(request).await?;
    ensure!(response.status() == StatusCode::OK, "{} answers with {}", server.name, response.status());
    let mut body = response.into_body();
    let mut came = 0;
    while let Some(frame) = body.frame().await {
        came += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    let expected = if is_sent { SIZE as u64 } else { length };
    ensure!(came == expected, "{} sends {came} of {expected} bytes", server.name);
    Ok(Cost { elapsed: start.elapsed(), cpu: server.cpu()?.saturating_sub(before) })
}

/// Streams so many bytes both ways through each of the servers.
async fn streams(servers: &[Server], length: u64) -> Result<()> {
    for (way, is_sent) in [("down", false), ("up", true)] {
        for server in servers {
            // What a short one takes is what there has to be.
            stream(server, length / 64, is_sent).await?;
            let before = server.peak_memory()?;
            let Cost { cpu, elapsed } = stream(server, length, is_sent).await?;
            let after = server.peak_memory()?;
            let (before, grown) = (before >> 20, after.saturating_sub(before));
            writeln!(
                stdout(),
                "proxy-stream {way:<5} {:>10} {:>5} MiB: {:>5} ms CPU, {:>5} ms; {before} MiB of memory, {} KiB more",
                server.name,
                length >> 20,
                cpu.as_millis(),
                elapsed.as_millis(),
                grown >> 10
            )?;
            ensure!(server.name != "siteserver" || grown <= GROWTH, "memory grows with what is streamed");
        }
    }
    Ok(())
}

async fn measure(siteserver: &str, rounds: usize) -> Result<()> {
    let origin = origin().await?;
    let folder = Folder::new()?;
    let only = std::env::var("SCENARIO").unwrap_or_default();
    if !["proxy-hit", "proxy-miss", "proxy-stream"].iter().any(|name| name.contains(&only)) {
        return Ok(());
    }
    let servers = tokio::task::block_in_place(|| start(siteserver, &origin, &folder))?;
    let compared = [Scenario::Hit, Scenario::Miss].into_iter().filter(|scenario| scenario.name().contains(&only));
    let compared: Vec<_> = compared.collect();
    if servers.len() == 1 {
        writeln!(stdout(), "proxy routes are compared with nothing: neither nginx nor varnishd is installed")?;
    } else if !compared.is_empty() {
        writeln!(
            stdout(),
            "{:<14} {:>9} {:>11} {:>10} {:>8} {:>10} {:>11}",
            "scenario",
            "requests",
            "siteserver",
            "beside",
            "theirs",
            "CPU ratio",
            "time ratio"
        )?;
        for scenario in compared {
            compare(&servers, scenario, rounds).await?;
        }
    }
    if "proxy-stream".contains(&only) {
        let mebibytes = std::env::var("STREAM").ok().map_or(Ok(1024), |length| length.parse()).context("STREAM")?;
        streams(&servers, u64::from(u32::min(mebibytes, 1 << 20)) << 20).await?;
    }
    Ok(())
}

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() != Some("measure") {
        writeln!(std::io::stderr(), "proxies: script/bench builds everything and runs this")?;
        return Ok(());
    }
    let siteserver = std::env::var("SITESERVER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_siteserver").to_owned());
    let rounds = std::env::var("ROUNDS").ok().map_or(Ok(ROUNDS), |rounds| rounds.parse()).context("ROUNDS")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(async move { measure(&siteserver, rounds).await }).await? })
}
