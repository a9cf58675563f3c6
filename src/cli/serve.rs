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
use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers(&start.site.settings)?)
        .enable_all()
        .build()
        .context("the threads that serve cannot be started")?;
    if let Err(error) = server::raise_open_files() {
        tracing::warn!(%error, "the number of open files stays as it is");
    }
    let ended = runtime.block_on(start.run(move || load::load_again(&arguments, &environment, &memory)));
    runtime.shutdown_timeout(AFTERMATH);
    if ended? == Ended::CutOff {
        Terminal::stderr().line("stopped before every request was answered");
    }
    Ok(ExitCode::SUCCESS)
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
        let listeners = listen(&site.settings)?;
        let admin = site.settings.admin.as_ref().map(listen_for_admin).transpose()?;
        // Signals mean what they should before anybody is told that the server is there.
        let shutdown = Shutdown::new();
        shutdown.on_signals().context("signals cannot be received")?;
        let asked = signal(SignalKind::hangup()).context("signals cannot be received")?;
        let (log, writer) = access_log(&site.settings, &secrets).context("the access log cannot be written")?;
        let runtime = Arc::new(Runtime::new(&site).context("upstreams cannot be called")?);
        let current = Current::new(Arc::clone(&site), runtime);
        let edited = Arc::new(Notify::new());
        if let Some(watch) = watch {
            let edited = Arc::clone(&edited);
            watch.spawn(move || edited.notify_one()).context("edits cannot be watched")?;
        }
        let started_with = site.settings.clone();
        let trusted_proxies = started_with.trusted_proxies.clone();
        let limits = server::Limits { trusted_proxies, ..server::Limits::from(&started_with.limits) };
        let announce = move |reloaded| announce(reloaded, &secrets, voice);
        let reload = Reload { load, announce, current: current.clone(), started_with };
        if !voice.quiet {
            announce_start(&site, &listeners, admin.as_ref(), loaded_in);
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

fn access_log(settings: &Settings, secrets: &Secrets) -> io::Result<(AccessLog, Option<AccessLogWriter>)> {
    let format = match settings.format {
        site::LogFormat::Auto => server::LogFormat::for_stdout(),
        site::LogFormat::Json => server::LogFormat::Json,
        site::LogFormat::Text => server::LogFormat::Text,
    };
    match settings.access {
        site::AccessLog::Off => Ok((AccessLog::off(), None)),
        site::AccessLog::Stdout => {
            let (log, writer) = AccessLog::to(io::stdout(), format, secrets.clone())?;
            Ok((log, Some(writer)))
        }
    }
}

/// The one line that says where the site is.
fn announce_start(site: &Site, listeners: &[Listener], admin: Option<&Listener>, loaded_in: Duration) {
    let addresses: Vec<String> = listeners.iter().map(|listener| url(listener.address())).collect();
    let routes = counted(site.routes.len(), "route");
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

/// Says what a reload came to.
fn announce(reloaded: Reloaded, secrets: &Secrets, voice: Voice) {
    let Reloaded { findings, files, outcome } = reloaded;
    let mut terminal = Terminal::stderr().keeping(secrets);
    terminal.findings(&findings, &files);
    match outcome {
        Outcome::Exchanged { site, elapsed, needs_restart } => {
            if !needs_restart.is_empty() {
                terminal.line(&format!("warning: a restart is needed for {} to take effect", needs_restart.join(", ")));
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
