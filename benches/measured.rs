//! What the benches that measure servers have in common: a server pinned to a core, what it costs in CPU time and memory, a client.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;

/// The core that the servers share.
pub(crate) const CORE: &str = "0";

/// `/proc` counts CPU time in ticks of this length on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A server under measurement; ends with this value.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    process: Child,
    pub(crate) authority: String,
}

impl Server {
    /// Starts siteserver, or what says like it where it listens.
    pub(crate) fn start(name: &'static str, program: &str, arguments: &[&str], upstream: &str) -> Result<Self> {
        let mut process = Command::new("taskset")
            .args(["--cpu-list", CORE, program])
            .args(arguments)
            .env("UPSTREAM", upstream)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program} with taskset"))?;
        let mut lines = BufReader::new(process.stderr.take().context("a pipe")?).lines();
        let mut said = String::new();
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, address)) = line.split_once("listening on http://") {
                let end = address.find(|character: char| !character.is_ascii_digit() && !".:".contains(character));
                let authority = address.split_at(end.unwrap_or(address.len())).0.to_owned();
                // The pipe must not fill up, and what a server says while it is measured is worth reading.
                std::thread::spawn(move || {
                    lines.map_while(Result::ok).try_for_each(|line| writeln!(std::io::stderr(), "{name}: {line}"))
                });
                return Ok(Self { name, process, authority });
            }
            said.push_str(&line);
            said.push('\n');
        }
        process.wait()?;
        bail!("{name} did not start:\n{said}")
    }

    /// Starts what listens at `authority` when it is ready.
    pub(crate) fn start_at(name: &'static str, authority: String, program: &str, arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new("taskset")
            .args(["--cpu-list", CORE, program])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program} with taskset"))?;
        let said = process.stderr.take().context("a pipe")?;
        let lines = BufReader::new(said).lines().map_while(Result::ok);
        std::thread::spawn(move || {
            lines.for_each(|line| writeln!(std::io::stderr(), "{name}: {line}").unwrap_or_default());
        });
        let mut server = Self { name, process, authority };
        for _ in 0..200 {
            if std::net::TcpStream::connect(&server.authority).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.process.try_wait()? {
                bail!("{name} ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("{name} does not listen at {}", server.authority)
    }

    /// CPU time of the process and of all it started.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut ticks = 0;
        for (_, fields) in self.processes()? {
            // Counted from behind the name (proc_pid_stat(5)).
            ticks += fields.get(10).zip(fields.get(11)).map_or(0, |(user, system)| user + system);
        }
        Ok(TICK * u32::try_from(ticks)?)
    }

    /// The most memory that the process, and those that it started, have had resident at once, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let peak = |id: u64| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        };
        Ok(self.processes()?.into_iter().filter_map(|(id, _)| peak(id)).sum::<u64>() << 10)
    }

    /// What `/proc` says of the process and of all it started.
    fn processes(&self) -> Result<Vec<(u64, Vec<u64>)>> {
        let mut parents = HashMap::new();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Ok(id) = entry?.file_name().to_string_lossy().parse::<u64>() else { continue };
            let Ok(text) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
            // The name in parentheses may hold anything.
            let Some((_, fields)) = text.rsplit_once(')') else { continue };
            let fields: Vec<u64> = fields.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect();
            let Some(&parent) = fields.first() else { continue };
            parents.insert(id, parent);
            found.push((id, fields));
        }
        let root = u64::from(self.process.id());
        let belongs = |mut id: u64| loop {
            if id == root {
                return true;
            }
            match parents.get(&id) {
                Some(&parent) if parent != id => id = parent,
                _ => return false,
            }
        };
        Ok(found.into_iter().filter(|(id, _)| belongs(*id)).collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Those that have processes of their own end them when they are asked to.
        if let Some(id) = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap_or_default();
        }
        for _ in 0..100 {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended by itself.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

pub(crate) type Connection = SendRequest<Empty<Bytes>>;

pub(crate) async fn connect(server: &Server) -> Result<Connection> {
    let stream = TcpStream::connect(&server.authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

pub(crate) async fn ask(connection: &mut Connection, path: &str, fields: &HeaderMap) -> Result<Response<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = path.parse()?;
    request.headers_mut().clone_from(fields);
    connection.ready().await?;
    let (head, body) = connection.send_request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// What one round cost a server.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Microseconds of `time` for each of `requests`.
pub(crate) fn each(time: Duration, requests: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(requests)
}
