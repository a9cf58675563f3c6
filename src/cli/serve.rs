//! `siteserver [serve]`: loads a site, listens, serves until a signal, and follows the edits of its files meanwhile.

use super::arguments::{SiteArguments, Voice};
use super::console::{Terminal, counted, summary};
use super::{load, messages};
use crate::config::Secrets;
use crate::handler::Runtime;
use crate::server::{
    self, AccessLog, AccessLogWriter, Admin, Census, Current, Ended, ListenAddress, ListenError, Listener, Outcome,
    Reload, Reloaded, Shutdown, Watch, Watched,
};
use crate::site::{self, Loaded, Memory, Settings, Site};
use anyhow::{Context as _, anyhow};
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long work that nobody waits for any more may take to end after the last answer.
const AFTERMATH: Duration = Duration::from_millis(200);

/// Serves the site until it is told to stop.
pub(super) fn serve(arguments: SiteArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment();
    let secrets = environment.secrets().clone();
    messages::write(&secrets, arguments.voice);
    // From here on no edit goes unseen, also one that comes while the site is loaded for the first time. What is inside the program stays.
    let watch = arguments.inside.is_none().then(|| Watch::new(&arguments.config));
    let begun = Instant::now();
    let memory = Memory::default();
    let Loaded { site, findings, files } = load::load_again(&arguments, &environment, &memory);
    Terminal::stderr().keeping(&secrets).findings(&findings, &files);
    let site = Arc::new(site.ok_or_else(|| anyhow!("the site is not served: {}", summary(&findings)))?);
    let watch = watch.filter(|_| site.settings.watch);
    let start = Start { loaded_in: begun.elapsed(), watch, site, secrets, voice: arguments.voice };
    let runtime = threads(&start.site.settings)?;
    let ended = runtime.block_on(start.run(move || load::load_again(&arguments, &environment, &memory)));
    conclude(runtime, ended)
}

/// A loaded site, about to be served.
struct Start {
    site: Arc<Site>,
    loaded_in: Duration,
    watch: Option<Watch>,
    secrets: Secrets,
    voice: Voice,
}

impl Start {
    /// Serves the site to the end; `load` loads it anew.
    async fn run(self, load: impl Fn() -> Loaded + Send + Sync + 'static) -> anyhow::Result<Ended> {
        let Self { site, loaded_in, watch, secrets, voice } = self;
        let Ground { listeners, admin, limits, shutdown, asked, log, writer } =
            Ground::lay(&site.settings, &secrets, io::stdout())?;
        let runtime = Arc::new(Runtime::new(&site).context("upstreams cannot be called")?);
        let current = Current::new(Arc::clone(&site), runtime);
        let edited = Arc::new(Notify::new());
        if let Some(watch) = watch {
            let edited = Arc::clone(&edited);
            watch.spawn(move |_edit| edited.notify_one()).context("edits cannot be watched")?;
        }
        let started_with = site.settings.clone();
        let announce = move |reloaded| announce(reloaded, &secrets, voice);
        let reload = Reload { load, announce, current: current.clone(), started_with };
        if !voice.quiet {
            announce_start(site.routes.len(), &listeners, admin.as_ref(), loaded_in);
        }
        let reloading = tokio::spawn(reload.run(asked, edited));
        let census = Census::new(&limits);
        let watched = Watched {
            current: current.clone(),
            census: Arc::clone(&census),
            log: log.clone(),
            shutdown: shutdown.clone(),
            listeners: listeners.iter().map(|listener| listener.address().clone()).collect(),
        };
        let admin = Administration::begin(admin, watched, site.settings.admin.as_ref());
        drop(site);
        let ended = server::serve_counted(listeners, limits, current, log, shutdown, census).await;
        // It tells of the drain until it is over.
        admin.end().await;
        reloading.abort();
        if let Some(writer) = writer {
            writer.join();
        }
        Ok(ended)
    }
}

/// What is there before anything is answered, whatever answers.
pub(super) struct Ground {
    pub(super) listeners: Vec<Listener>,
    pub(super) admin: Option<Listener>,
    pub(super) limits: server::Limits,
    pub(super) shutdown: Shutdown,
    /// The signal by which the site is to be loaded anew.
    pub(super) asked: Signal,
    pub(super) log: AccessLog,
    pub(super) writer: Option<AccessLogWriter>,
}

impl Ground {
    /// Listens, hears signals, and opens the log, whose lines go to `output` if they go anywhere.
    pub(super) fn lay(
        settings: &Settings,
        secrets: &Secrets,
        output: impl Write + Send + 'static,
    ) -> anyhow::Result<Self> {
        let listeners = listen(settings)?;
        let admin = settings.admin.as_ref().map(listen_for_admin).transpose()?;
        let trusted_proxies = settings.trusted_proxies.clone();
        let limits = server::Limits { trusted_proxies, ..server::Limits::from(&settings.limits) };
        // Signals mean what they should before anybody is told that the server is there.
        let shutdown = Shutdown::new();
        shutdown.on_signals().context("signals cannot be received")?;
        let asked = signal(SignalKind::hangup()).context("signals cannot be received")?;
        let (log, writer) = access_log(settings, secrets, output).context("the access log cannot be written")?;
        Ok(Self { listeners, admin, limits, shutdown, asked, log, writer })
    }
}

/// The threads that serve.
pub(super) fn threads(settings: &Settings) -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers(settings)?)
        .enable_all()
        .build()
        .context("the threads that serve cannot be started")?;
    if let Err(error) = server::raise_open_files() {
        tracing::warn!(%error, "the number of open files stays as it is");
    }
    Ok(runtime)
}

/// Ends them once serving has ended, and tells how it did.
pub(super) fn conclude(runtime: tokio::runtime::Runtime, ended: anyhow::Result<Ended>) -> anyhow::Result<ExitCode> {
    runtime.shutdown_timeout(AFTERMATH);
    if ended? == Ended::CutOff {
        Terminal::stderr().line("stopped before every request was answered");
    }
    Ok(ExitCode::SUCCESS)
}

/// The admin listener while it serves.
struct Administration {
    shutdown: Shutdown,
    serving: Option<JoinHandle<Ended>>,
}

impl Administration {
    /// Serves on `listener`, if there is one, what there is to know of what is `watched`.
    fn begin(listener: Option<Listener>, watched: Watched, settings: Option<&site::Admin>) -> Self {
        let shutdown = Shutdown::new();
        let serving = listener.map(|listener| {
            let token = settings.and_then(|admin| admin.token.as_ref()).map(|token| &token.secret);
            let admin = Admin::new(watched, listener.address(), token);
            let log = AccessLog::off();
            tokio::spawn(server::serve(vec![listener], Admin::limits(), admin, log, shutdown.clone()))
        });
        Self { shutdown, serving }
    }

    /// Ends it once it has answered what it was asked.
    async fn end(self) {
        self.shutdown.drain();
        if let Some(serving) = self.serving {
            // How it ended changes nothing for the visitors.
            serving.await.ok();
        }
    }
}

/// How many threads serve: `server.workers`, else `TOKIO_WORKER_THREADS`, else one for each core.
fn workers(settings: &Settings) -> anyhow::Result<usize> {
    const NAME: &str = "TOKIO_WORKER_THREADS";
    if let Some(workers) = settings.workers {
        return Ok(workers.max(1));
    }
    if let Some(text) = std::env::var_os(NAME) {
        let number = text.to_str().and_then(|text| text.parse().ok()).filter(|number| (1..=1024).contains(number));
        return number.with_context(|| {
            format!("{NAME} is `{}`: it must be a number of threads, from 1 to 1024", text.display())
        });
    }
    Ok(std::thread::available_parallelism().map_or(1, usize::from))
}

/// Binds every address, or none.
fn listen(settings: &Settings) -> anyhow::Result<Vec<Listener>> {
    let other = "'server.listen=[\"127.0.0.1:4001\"]'";
    settings.listen.iter().map(|text| bind(text, Listener::bind, other)).collect()
}

/// Binds the address for those who run the server.
fn listen_for_admin(admin: &site::Admin) -> anyhow::Result<Listener> {
    bind(&admin.listen, Listener::bind_for_owner, "admin.listen=127.0.0.1:4002")
}

/// Binds one address; `other` is how another one would be set.
fn bind(
    text: &str,
    bind: fn(&ListenAddress) -> Result<Listener, ListenError>,
    other: &str,
) -> anyhow::Result<Listener> {
    let address: ListenAddress = text.parse().with_context(|| format!("cannot listen on {text}"))?;
    bind(&address).map_err(|error| anyhow!("{error}; {}", way_out(&error, other)))
}

/// What to do about an address that cannot be listened on.
fn way_out(error: &ListenError, other: &str) -> String {
    let another = format!("choose another address with --set {other}");
    if error.cause.kind() == ErrorKind::AddrInUse {
        return format!("another program listens there: stop it, or {another}");
    }
    let known = [
        (
            ErrorKind::PermissionDenied,
            "the system reserves it: choose a port above 1023 or another place, or give the program the right to use it",
        ),
        (ErrorKind::AddrNotAvailable, "this machine has no such address: `0.0.0.0` and `[::]` stand for all it has"),
        (ErrorKind::NotFound, "the folder of the socket must exist"),
    ];
    let found = known.into_iter().find(|(kind, _)| *kind == error.cause.kind());
    found.map_or(another, |(_, way)| way.to_owned())
}

fn access_log(
    settings: &Settings,
    secrets: &Secrets,
    output: impl Write + Send + 'static,
) -> io::Result<(AccessLog, Option<AccessLogWriter>)> {
    let format = match settings.format {
        site::LogFormat::Auto => server::LogFormat::for_stdout(),
        site::LogFormat::Json => server::LogFormat::Json,
        site::LogFormat::Text => server::LogFormat::Text,
    };
    match settings.access {
        site::AccessLog::Off => Ok((AccessLog::off(), None)),
        site::AccessLog::Stdout => {
            let (log, writer) = AccessLog::to(output, format, secrets.clone())?;
            Ok((log, Some(writer)))
        }
    }
}

/// The one line that says where the site is.
pub(super) fn announce_start(routes: usize, listeners: &[Listener], admin: Option<&Listener>, loaded_in: Duration) {
    let addresses: Vec<String> = listeners.iter().map(|listener| url(listener.address())).collect();
    let routes = counted(routes, "route");
    let admin = admin.map(|listener| format!(", admin on {}", url(listener.address()))).unwrap_or_default();
    let line =
        format!("listening on {} ({routes}, loaded in {} ms){admin}", addresses.join(", "), loaded_in.as_millis());
    Terminal::stderr().line(&line);
}

fn url(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(address) => format!("http://{address}"),
        ListenAddress::Unix(_) => address.to_string(),
    }
}

/// What is said of settings that a reload does not change.
pub(super) fn restart_needed(settings: &[&str]) -> String {
    format!("warning: a restart is needed for {} to take effect", settings.join(", "))
}

/// Says what a reload came to.
pub(super) fn announce(reloaded: Reloaded, secrets: &Secrets, voice: Voice) {
    let Reloaded { findings, files, outcome } = reloaded;
    let mut terminal = Terminal::stderr().keeping(secrets);
    terminal.findings(&findings, &files);
    match outcome {
        Outcome::Exchanged { site, elapsed, needs_restart } => {
            if !needs_restart.is_empty() {
                terminal.line(&restart_needed(&needs_restart));
            }
            if !voice.quiet {
                let routes = counted(site.routes.len(), "route");
                terminal.line(&format!("reloaded: {routes} in {} ms", elapsed.as_millis()));
            }
        }
        Outcome::Kept => {
            terminal.line(&format!("not reloaded: {}; the last good site keeps serving", summary(&findings)));
        }
    }
}
