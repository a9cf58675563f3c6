//! `siteserver dev`: serves the site to its author, also while it has errors, and follows each edit.

use super::arguments::SiteArguments;
use super::console::{Terminal, counted, summary};
use super::serve::{Ground, announce, announce_start, conclude, restart_needed, threads};
use super::{load, messages};
use crate::config::{Environment, Secrets};
use crate::dev::{Dev, Load, PREFIX, SiteLines};
use crate::handler::Runtime;
use crate::server::{self, Current, Edit, Ended, ListenAddress, Outcome, Reload, Reloaded, Watch, needs_restart};
use crate::site::{Loaded, Memory, Settings, Site};
use anyhow::{Context as _, anyhow, bail};
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::Signal;
use tokio::sync::Notify;

/// An edit is over when nothing has happened for this long. It is shorter than where visitors are served: the author waits, and an edit that
/// was not over is loaded again when it is.
const QUIET: Duration = Duration::from_millis(15);

/// Serves the site to its author until it is told to stop.
pub(super) fn dev(arguments: &SiteArguments) -> anyhow::Result<ExitCode> {
    if arguments.inside.is_some() {
        bail!("the site is inside this program, without files to work on; --config names one that has them");
    }
    let environment = load::environment();
    let secrets = environment.secrets().clone();
    messages::write(&secrets, arguments.voice);
    // From here on no edit goes unseen, also one that comes while the site is loaded for the first time.
    let watch = Watch::new(&arguments.config).quiet(QUIET);
    let begun = Instant::now();
    let memory = Memory::default();
    let (loaded, settings) = load::load_with_settings(arguments, &environment, &memory);
    Terminal::stderr().keeping(&secrets).findings(&loaded.findings, &loaded.files);
    // Without a `site.toml` there is nothing to watch: most likely this is another folder than was meant.
    let settings = settings.ok_or_else(|| anyhow!("there is nothing to serve: {}", summary(&loaded.findings)))?;
    refuse_others(&settings)?;
    let runtime = threads(&settings)?;
    let loaded_in = begun.elapsed();
    let author = Author { arguments: arguments.clone(), environment, memory, secrets, edited: Arc::default() };
    let ended = runtime.block_on(author.serve(loaded, loaded_in, settings, watch));
    conclude(runtime, ended)
}

/// Whoever can reach the listener sees the site's data and what is wrong with it: that is for this machine alone.
fn refuse_others(settings: &Settings) -> anyhow::Result<()> {
    let admin = settings.admin.as_ref().map(|admin| ("admin.listen", &admin.listen));
    let listeners = settings.listen.iter().map(|listen| ("server.listen", listen));
    for (key, text) in listeners.chain(admin) {
        let address: ListenAddress = text.parse().with_context(|| format!("cannot listen on {text}"))?;
        if !address.is_loopback() && !matches!(address, ListenAddress::Unix(_)) {
            let (set, quote) =
                if key == "server.listen" { ("[\"127.0.0.1:4000\"]", "'") } else { ("127.0.0.1:4002", "") };
            return Err(anyhow!(
                "`siteserver dev` shows the site's data and files, and listens on this machine alone: `{key}` is {text}; \
                 give it --set {quote}{key}={set}{quote}, or let `siteserver serve` listen there"
            ));
        }
    }
    Ok(())
}

/// How the site is loaded, time and again.
struct Author {
    arguments: SiteArguments,
    environment: Environment,
    memory: Memory,
    secrets: Secrets,
    edited: Arc<Edited>,
}

impl Author {
    /// Serves to the end; first what was `loaded`, sound or not.
    async fn serve(
        self,
        loaded: Loaded,
        loaded_in: Duration,
        settings: Settings,
        watch: Watch,
    ) -> anyhow::Result<Ended> {
        // Purges and metrics are for those who run a server; here the listener would have nothing to say of a site with errors.
        let listening = Settings { admin: None, ..settings.clone() };
        let ground = Ground::lay(&listening, &self.secrets, SiteLines(io::stdout()))?;
        let Ground { listeners, admin: _, limits, shutdown, asked, log, writer } = ground;
        let dev = Dev::new(self.secrets.clone(), shutdown.clone());
        let edits = Arc::new(Notify::new());
        {
            let (edits, edited) = (Arc::clone(&edits), Arc::clone(&self.edited));
            let notify = move |edit| {
                edited.add(edit);
                edits.notify_one();
            };
            watch.spawn(notify).context("edits cannot be watched")?;
        }
        let routes = loaded.site.as_ref().map_or(0, |site| site.routes.len());
        let is_sound = loaded.site.is_some();
        let current = take(loaded, &dev, &[])?;
        if !self.arguments.voice.quiet {
            announce_start(routes, &listeners, None, loaded_in);
        }
        if !is_sound {
            Terminal::stderr().line("the site is not served as long as it has errors; the browser shows them");
        }
        let following = tokio::spawn(Arc::new(self).follow(dev.clone(), current, settings, (asked, edits)));
        let ended = server::serve(listeners, limits, dev, log, shutdown).await;
        following.abort();
        if let Some(writer) = writer {
            writer.join();
        }
        Ok(ended)
    }

    /// Loads the site at each edit: until it is sound, and then for ever.
    async fn follow(
        self: Arc<Self>,
        dev: Dev,
        mut current: Option<Current>,
        started_with: Settings,
        (mut asked, edits): (Signal, Arc<Notify>),
    ) {
        let current = loop {
            if let Some(current) = current {
                break current;
            }
            tokio::select! {
                _ = asked.recv() => {}
                () = edits.notified() => {}
            }
            let (this, dev, started_with) = (Arc::clone(&self), dev.clone(), started_with.clone());
            let taken = tokio::task::spawn_blocking(move || this.load_and_take(&dev, &started_with)).await;
            current = match taken {
                Ok(Ok(current)) => current,
                Ok(Err(error)) => {
                    Terminal::stderr().problem(&error);
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "a load broke off");
                    None
                }
            };
        };
        let (secrets, voice) = (self.secrets.clone(), self.arguments.voice);
        let (edited, of_this_load) = (Arc::clone(&self.edited), Arc::new(Edited::default()));
        let load = {
            let of_this_load = Arc::clone(&of_this_load);
            move || {
                // Before anything is read: what is edited from now on is of the next load as well.
                of_this_load.put(edited.take());
                self.load()
            }
        };
        let announce = move |mut reloaded: Reloaded| {
            let Reloaded { findings, files, outcome } = &mut reloaded;
            let edit = of_this_load.take().filter(|edit| !edit.is_more);
            let load = match outcome {
                Outcome::Exchanged { site, needs_restart, .. } => {
                    warn_of_shadowed(site);
                    needs_restart.retain(is_heeded);
                    Load::Sound { needs_restart, styles: edit.as_ref().map(|edit| &edit.styles) }
                }
                Outcome::Kept => Load::Kept,
            };
            dev.loaded(findings, files, load);
            announce(reloaded, &secrets, voice);
        };
        Reload { load, announce, current, started_with }.run(asked, edits).await;
    }

    /// The first sound site, if this load gives it.
    fn load_and_take(&self, dev: &Dev, started_with: &Settings) -> anyhow::Result<Option<Current>> {
        let begun = Instant::now();
        drop(self.edited.take());
        let loaded = self.load();
        let mut terminal = Terminal::stderr().keeping(&self.secrets);
        terminal.findings(&loaded.findings, &loaded.files);
        let said = match &loaded.site {
            Some(site) => format!("{} in {} ms", counted(site.routes.len(), "route"), begun.elapsed().as_millis()),
            None => summary(&loaded.findings),
        };
        let mut restart =
            loaded.site.as_ref().map_or_else(Vec::new, |site| needs_restart(started_with, &site.settings));
        restart.retain(is_heeded);
        let current = take(loaded, dev, &restart)?;
        if !restart.is_empty() {
            terminal.line(&restart_needed(&restart));
        }
        let what = if current.is_some() { "loaded" } else { "not loaded" };
        terminal.line(&format!("{what}: {said}"));
        Ok(current)
    }

    fn load(&self) -> Loaded {
        load::load_again(&self.arguments, &self.environment, &self.memory)
    }
}

/// Whether a setting that only a restart changes means anything here: files are always watched, and there is no admin listener.
fn is_heeded(setting: &&'static str) -> bool {
    !matches!(*setting, "admin" | "server.watch")
}

/// What was edited since the last load began, if that is known.
#[derive(Debug, Default)]
struct Edited(Mutex<Option<Edit>>);

impl Edited {
    fn add(&self, Edit { styles, is_more }: Edit) {
        let mut edited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let edited = edited.get_or_insert_default();
        edited.styles.extend(styles);
        edited.is_more |= is_more;
    }

    fn put(&self, edit: Option<Edit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = edit;
    }

    fn take(&self) -> Option<Edit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Puts a site into service if it is sound, and then says so; else says what is wrong.
fn take(loaded: Loaded, dev: &Dev, needs_restart: &[&'static str]) -> anyhow::Result<Option<Current>> {
    let Loaded { site, findings, files } = loaded;
    let current = match site.map(Arc::new) {
        Some(site) => {
            warn_of_shadowed(&site);
            let runtime = Runtime::new(&site).context("upstreams cannot be called")?.recording();
            let current = Current::new(site, Arc::new(runtime));
            dev.begin(current.clone());
            Some(current)
        }
        None => None,
    };
    let load = if current.is_some() { Load::Sound { needs_restart, styles: None } } else { Load::Kept };
    dev.loaded(&findings, &files, load);
    Ok(current)
}

/// What lies where development's own things lie is served, and cannot be seen here.
fn warn_of_shadowed(site: &Site) {
    let is_shadowed = |pattern: &&String| pattern.starts_with(PREFIX);
    for route in &site.routes {
        if let Some(pattern) = route.patterns.iter().find(is_shadowed) {
            tracing::warn!(
                route = &*route.name,
                path = pattern,
                "`siteserver dev` has its own things there, and hides this route"
            );
        }
    }
}
