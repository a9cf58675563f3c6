//! Measures siteserver against the bare program of `benches/bare.rs`, and prints ratios.
//!
//! siteserver is measured as it is delivered: with its access log, as JSON, on a standard output that throws it away. The bare program
//! writes none. With `BASELINE=path/to/siteserver` an earlier build takes the bare program's place, and the ratios say what a change is
//! worth.
//!
//! The two servers run pinned to one core; this program, pinned by `script/bench` to another, is both the load and the upstream. For
//! each scenario the two take turns for several rounds (A B A B …) with the same number of requests, so that whatever else the
//! machine does meets both. A ratio is siteserver's cost divided by the bare program's in the same round; what is printed is the
//! median of the rounds, for CPU time (all of the server's processes, from `/proc`) and for elapsed time.

#[expect(dead_code, reason = "the other bench of servers uses the rest")]
mod measured;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HOST, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use measured::{Connection, Cost, Server, ask, connect, each, median};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Keep-alive connections, each with one request at a time.
const CONNECTIONS: usize = 32;
/// How long a round of the bare program should take: short, so that what else the machine does meets both.
const ROUND: Duration = Duration::from_millis(600);
/// Rounds, unless `ROUNDS` says otherwise.
const ROUNDS: usize = 9;
/// Requests that find out how many make a round.
const CALIBRATION: u32 = 2_000;
/// How far the sizes of the two programs' uncoded answers may differ: 1 in this many bytes.
const SAME_SIZE: usize = 50;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scenario {
    StoreHit,
    StoreHitBrotli,
    NotModified,
    StaticFile,
    RequestTime,
    Unchanged,
    UnchangedKnown,
}

impl Scenario {
    const ALL: [Self; 7] = [
        Self::StoreHit,
        Self::StoreHitBrotli,
        Self::NotModified,
        Self::StaticFile,
        Self::RequestTime,
        Self::Unchanged,
        Self::UnchangedKnown,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::StoreHit => "store hit",
            Self::StoreHitBrotli => "store hit, br",
            Self::NotModified => "304",
            Self::StaticFile => "static file",
            Self::RequestTime => "request-time page",
            Self::Unchanged => "unchanged data",
            Self::UnchangedKnown => "unchanged, 304",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::NotModified | Self::UnchangedKnown => StatusCode::NOT_MODIFIED,
            Self::StoreHit | Self::StoreHitBrotli | Self::StaticFile | Self::RequestTime | Self::Unchanged => {
                StatusCode::OK
            }
        }
    }

    /// Each request for a request-time page is for another one, so that nothing can be shared between them. That of unchanged data is one
    /// page, for which siteserver asks the upstream each time; the bare program does no more than that, and sends what it has.
    fn path(self, number: u64) -> String {
        match self {
            Self::StoreHit | Self::StoreHitBrotli | Self::NotModified => "/page".to_owned(),
            Self::StaticFile => "/assets/site.css".to_owned(),
            Self::RequestTime => format!("/live/{number}"),
            Self::Unchanged | Self::UnchangedKnown => "/same".to_owned(),
        }
    }
}

/// The fields that every request of `scenario` to `server` carries.
async fn fields(server: &Server, scenario: Scenario) -> Result<HeaderMap> {
    let mut fields = HeaderMap::new();
    fields.insert(HOST, HeaderValue::try_from(server.authority.as_str())?);
    let extra = match scenario {
        Scenario::StoreHit | Scenario::StaticFile | Scenario::RequestTime | Scenario::Unchanged => None,
        Scenario::StoreHitBrotli => Some((ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br, zstd"))),
        Scenario::NotModified | Scenario::UnchangedKnown => {
            let full = ask(&mut connect(server).await?, &scenario.path(0), &fields).await?;
            let tag = full.headers().get(ETAG).with_context(|| format!("{} sends no ETag", server.name))?;
            Some((IF_NONE_MATCH, tag.clone()))
        }
    };
    fields.extend(extra);
    Ok(fields)
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
        let fields = Arc::new(fields(server, scenario).await?);
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            connections.push(connect(server).await?);
        }
        Ok(Self { server, scenario, fields, connections })
    }

    /// One answer, checked: what is fast and wrong is not worth measuring.
    async fn sample(&mut self, number: u64) -> Result<Bytes> {
        let (name, scenario) = (self.server.name, self.scenario);
        let connection = self.connections.first_mut().context("a connection")?;
        let response = ask(connection, &scenario.path(number), &self.fields).await?;
        ensure!(
            response.status() == scenario.status(),
            "{name} answers {} with {}",
            scenario.name(),
            response.status()
        );
        let coding = response.headers().get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
        let expected = (scenario == Scenario::StoreHitBrotli).then_some(b"br".as_slice());
        ensure!(coding == expected, "{name} answers {} in another coding", scenario.name());
        Ok(response.into_body())
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
                    ensure!(response.status() == scenario.status(), "answered with {}", response.status());
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

/// Serves the products that both programs render, each answer with the number of its request, so that no two are the same.
async fn upstream(products: &str) -> Result<String> {
    let rest: Arc<str> = products.trim_start().strip_prefix('{').context("products are an object")?.into();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // Without it the measured time would be the upstream's delay.
            connection.set_nodelay(true).unwrap_or_default();
            let rest = Arc::clone(&rest);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let number = request.uri().query().and_then(|query| query.strip_prefix("request="));
                let content = format!("{{\"request\":{},{rest}", number.unwrap_or("0"));
                let mut response = Response::new(Full::<Bytes>::from(content));
                response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                async { Ok::<_, Infallible>(response) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}

/// How many requests make one [`ROUND`] of the program that took so long for [`CALIBRATION`] of them; never absurdly few or many.
fn requests_a_round(calibration: Duration) -> u32 {
    let wanted = u128::from(CALIBRATION) * ROUND.as_micros() / calibration.as_micros().max(1);
    u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1_000, 500_000)
}

/// Compares the two, and gives what a request costs siteserver, in microseconds of CPU time.
async fn compare(siteserver: &Server, bare: &Server, scenario: Scenario, rounds: usize) -> Result<f64> {
    let mut ours = Lane::open(siteserver, scenario).await?;
    let mut theirs = Lane::open(bare, scenario).await?;
    let (left, right) = (ours.sample(0).await?, theirs.sample(0).await?);
    let (size, expected) = (left.len(), right.len());
    ensure!(
        scenario == Scenario::StoreHitBrotli || size.abs_diff(expected) * SAME_SIZE <= expected,
        "{}: siteserver sends {size} bytes, the bare program {expected}",
        scenario.name()
    );

    let calibration = 1..1 + u64::from(CALIBRATION);
    ours.round(calibration.clone()).await?;
    let requests = requests_a_round(theirs.round(calibration.clone()).await?.elapsed);
    let mut costs = Vec::with_capacity(rounds);
    let mut start = calibration.end;
    for _ in 0..rounds {
        let numbers = start..start + u64::from(requests);
        costs.push((ours.round(numbers.clone()).await?, theirs.round(numbers.clone()).await?));
        start = numbers.end;
    }

    let of = |measure: fn(&(Cost, Cost)) -> f64| median(costs.iter().map(measure).collect());
    let cpu_ratio = of(|(ours, theirs)| ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64());
    let time_ratio = of(|(ours, theirs)| ours.elapsed.as_secs_f64() / theirs.elapsed.as_secs_f64());
    let own_each = median(costs.iter().map(|(ours, _)| each(ours.cpu, requests)).collect());
    let bare_each = median(costs.iter().map(|(_, theirs)| each(theirs.cpu, requests)).collect());
    writeln!(
        stdout(),
        "{:<18} {size:>7} {expected:>7} {requests:>9} {own_each:>11.1} {bare_each:>9.1} {cpu_ratio:>10.2} {time_ratio:>11.2}{}",
        scenario.name(),
        if left == right || scenario == Scenario::StoreHitBrotli { "" } else { "  (bodies differ)" },
    )?;
    Ok(own_each)
}

async fn measure(siteserver: &str, bare: &str, rounds: usize) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = |path: &str| folder.join(path).to_string_lossy().into_owned();
    let products = fs::read_to_string(at("examples/upstream/content/data/products.json"))?;
    let upstream = upstream(&products).await?;
    let (config, layout) = (at("benches/site/site.toml"), at("benches/site/layouts/page.html"));
    let file = at("benches/site/content/assets/site.css");
    let listen = "server.listen=[\"127.0.0.1:0\"]";
    let (site_arguments, bare_arguments) = (["--config", &config, "--set", listen], [&upstream, &file, &layout]);
    let baseline = std::env::var("BASELINE").ok();
    let beside = if baseline.is_some() { "baseline" } else { "bare" };
    // Starting blocks until the server is ready, and the bare program asks the upstream first: so on a thread beside this one.
    let (site, bare) = tokio::task::block_in_place(|| {
        let site = Server::start("siteserver", siteserver, &site_arguments, &upstream)?;
        let other = match &baseline {
            Some(baseline) => Server::start(beside, baseline, &site_arguments, &upstream)?,
            None => Server::start(beside, bare, &bare_arguments.map(String::as_str), &upstream)?,
        };
        Ok::<_, anyhow::Error>((site, other))
    })?;

    writeln!(
        stdout(),
        "{rounds} rounds, {CONNECTIONS} connections; bytes and CPU microseconds a request, medians; ratios siteserver/{beside}"
    )?;
    writeln!(
        stdout(),
        "{:<18} {:>7} {:>7} {:>9} {:>11} {:>9} {:>10} {:>11}",
        "scenario",
        "bytes",
        beside,
        "requests",
        "siteserver",
        beside,
        "CPU ratio",
        "time ratio"
    )?;
    let mut costs = HashMap::new();
    let only = std::env::var("SCENARIO").unwrap_or_default();
    for scenario in Scenario::ALL.into_iter().filter(|scenario| scenario.name().contains(&only)) {
        costs.insert(scenario.name(), compare(&site, &bare, scenario, rounds).await?);
    }
    let cost = |scenario: Scenario| costs.get(scenario.name()).copied();
    for (known, full) in [(Scenario::NotModified, Scenario::StoreHit), (Scenario::UnchangedKnown, Scenario::Unchanged)]
    {
        if let (Some(of_known), Some(of_full)) = (cost(known), cost(full)) {
            let (ratio, known, full) = (of_known / of_full, known.name(), full.name());
            writeln!(stdout(), "siteserver: a 304 ({known}) costs {ratio:.2} of its 200 ({full})")?;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let Ok(bare) = std::env::var("BARE") else {
        writeln!(std::io::stderr(), "load: script/bench builds everything and runs this")?;
        return Ok(());
    };
    let siteserver = std::env::var("SITESERVER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_siteserver").to_owned());
    let rounds = std::env::var("ROUNDS").ok().map_or(Ok(ROUNDS), |rounds| rounds.parse()).context("ROUNDS")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(async move { measure(&siteserver, &bare, rounds).await }).await? })
}
