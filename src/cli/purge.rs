//! `siteserver purge`: tells a running server, at its admin listener, what to make anew.
//!
//! Where that is and which token it wants is read from the site, whatever else may be wrong with it.

use super::arguments::{Format, PurgeArguments, SiteArguments};
use super::console::{Terminal, counted, summary};
use super::progress::while_waiting;
use super::{load, messages};
use crate::config::Environment;
use crate::server::ListenAddress;
use crate::site::{self, Admin, Memory};
use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// How long the server may take for one purge.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const ANSWER: usize = 64 * 1024;

/// Sends the purges, and writes how much they were.
pub(super) fn purge(site: &SiteArguments, how: &PurgeArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    messages::of_panics(environment.secrets());
    let admin = admin(site, &environment)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the network cannot be used")?;
    let (mut entries, mut bytes) = (0, 0);
    for order in orders(how) {
        let asked =
            async { tokio::time::timeout(PATIENCE, send(&admin, &order)).await.context("the server does not answer")? };
        let answer = while_waiting(site.voice, "purging", String::new, || runtime.block_on(asked))?;
        let count = |key| answer.get(key).and_then(Value::as_u64).context("what answered is no siteserver");
        entries += count("entries")?;
        bytes += count("bytes")?;
    }
    let mut terminal = Terminal::stdout().keeping(environment.secrets());
    match how.format {
        Format::Text => {
            let pages = counted(usize::try_from(entries).unwrap_or(usize::MAX), "stored item");
            let done = if how.soft { "made stale" } else { "purged" };
            terminal.line(&format!("{done}: {pages}, {bytes} bytes"));
        }
        Format::Json => terminal.line(&json!({ "entries": entries, "bytes": bytes }).to_string()),
    }
    Ok(ExitCode::SUCCESS)
}

/// `[admin]` of the site.
fn admin(arguments: &SiteArguments, environment: &Environment) -> anyhow::Result<Admin> {
    let origin = arguments.origin();
    if !origin.exists() {
        bail!("there is no site at `{}`; --config says where it is", arguments.config.display());
    }
    let draft = site::draft(origin, &arguments.sets, environment, &Memory::default());
    let Some(outline) = draft.outline else {
        Terminal::stderr().keeping(environment.secrets()).findings(&draft.findings, &draft.files);
        bail!("site.toml cannot be read: {}", summary(&draft.findings));
    };
    let admin = outline.site().settings.admin.clone();
    let admin = admin.context("the site has no admin listener: [admin] listen = \"127.0.0.1:4001\" in site.toml")?;
    if let Some(token) = admin.token.as_ref().filter(|token| token.secret.expose().is_empty()) {
        bail!("the token is not in the environment: set `{}`", token.variable);
    }
    Ok(admin)
}

/// The bodies of the requests that say what is asked for.
fn orders(how: &PurgeArguments) -> Vec<Value> {
    let mut orders = Vec::new();
    if !how.tags.is_empty() {
        orders.push(json!({ "tags": how.tags }));
    }
    orders.extend(how.paths.iter().map(|path| json!({ "path": path })));
    if let Some(source) = &how.source {
        let mut order = json!({ "source": source });
        if !how.params.is_empty() {
            order["params"] =
                how.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        }
        orders.push(order);
    }
    if how.all {
        orders.push(json!({ "all": true }));
    }
    for order in orders.iter_mut().filter(|_| how.soft) {
        order["soft"] = Value::Bool(true);
    }
    orders
}

/// Sends one purge on a connection of its own; its answer.
async fn send(admin: &Admin, order: &Value) -> anyhow::Result<Value> {
    let nobody = |error: io::Error| {
        let listen = &admin.listen;
        anyhow!(
            "nobody answers at {listen} ({error}): start the server that is to be purged, with this `[admin]` in its site.toml"
        )
    };
    match admin.listen.parse().map_err(|error| anyhow!("{}: {error}", admin.listen))? {
        ListenAddress::Tcp(address) => {
            let address = reachable(address);
            if address.port() == 0 {
                bail!("`admin.listen` is any free port: give the one that was chosen with --set admin.listen=…");
            }
            let stream = TcpStream::connect(address).await.map_err(nobody)?;
            exchange(stream, &address.to_string(), admin, order).await
        }
        ListenAddress::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(nobody)?;
            exchange(stream, "localhost", admin, order).await
        }
    }
}

/// An address to connect to: that of this machine, for one that stands for all it has.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    admin: &Admin,
    order: &Value,
) -> anyhow::Result<Value> {
    let mut request = Request::post("/purge").header(header::HOST, host);
    if let Some(token) = &admin.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.secret.expose()));
    }
    let request = request.body(Full::<Bytes>::from(order.to_string())).context("the token fits in no header")?;
    let broken = || format!("what listens at {} does not answer as siteserver does", admin.listen);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(broken)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.with_context(broken)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER).collect().await;
    connection.abort();
    let body = body.map_err(|error| anyhow!(error)).with_context(broken)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (status, &admin.token) {
        (StatusCode::OK, _) => Ok(body),
        (StatusCode::UNAUTHORIZED, Some(token)) => {
            bail!("the server has another token than `{}` holds here", token.variable)
        }
        (StatusCode::UNAUTHORIZED, None) => bail!("the server wants a token: `admin.token` is not in this site.toml"),
        _ => match body.get("error").and_then(Value::as_str) {
            Some(error) => bail!("not purged: {error}"),
            None => bail!("{}: status {status}", broken()),
        },
    }
}
