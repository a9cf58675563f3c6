//! `siteserver new source`: looks at one answer of a URL, and proposes what a page may take of it.
//!
//! The call is one that the site itself would make: by the same client, within the same bounds, to private addresses only where that is
//! allowed. What it was asked for is read in `given`; where the proposal cannot go is said before anybody is asked.

use super::super::arguments::{SiteArguments, SourceArguments};
use super::super::console::Terminal;
use super::super::load;
use super::super::progress::while_waiting;
use super::compare::Known;
use super::given::Given;
use super::propose::{self, quoted, snake};
use super::route::is_there;
use crate::config::{Environment, read_toml};
use crate::diagnostic::{Files, Findings};
use crate::extract::Format;
use crate::site::{self, Memory, slots};
use crate::source::Upstream;
use crate::upstream::{
    Answer, Call, Client, ClientSettings, Failure, Trust, UpstreamSettings, UpstreamState, Url, Whereabouts,
};
use crate::value::{JsonLimits, Value};
use anyhow::{Context as _, anyhow, bail};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is accepted, best first.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/json, application/*;q=0.8, text/csv;q=0.8, text/yaml;q=0.8, text/xml;q=0.8, */*;q=0.1",
);

/// Fetches a sample and proposes a source: on the standard output, or into a route.
pub(super) fn source(site: &SiteArguments, how: &SourceArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    let upstreams = upstreams(site, &environment)?;
    let given = Given::of(how, |name| std::env::var(name).ok())?;
    // An upstream or an error of the network may repeat what it was asked with.
    propose(site, how, &environment, &upstreams, &given)
        .map_err(|error| anyhow!("{}", given.discreet(&format!("{error:#}"))))
}

fn propose(
    site: &SiteArguments,
    how: &SourceArguments,
    environment: &Environment,
    upstreams: &[Upstream],
    given: &Given,
) -> anyhow::Result<ExitCode> {
    let asked = Asked::of(how, given, upstreams)?;
    let name = name(how, &asked)?;
    // All that can be refused is refused before anybody is asked.
    let destination = how.into.as_deref().map(|file| Destination::of(site, file, &name)).transpose()?;
    let (answer, elapsed) = while_waiting(site.voice, "asking", String::new, || asked.fetch(how))?;
    let (format, value) = read(&answer)?;
    let mut text = format!("[sources.{name}]\n");
    text.push_str(&asked.written());
    text.push_str(&given.lines);
    if format != Format::Json {
        writeln!(text, "format = \"{}\"", format.name()).unwrap_or_default();
    }
    writeln!(text, "timeout = \"{}\"", patience(elapsed)).unwrap_or_default();
    text.push_str(&propose::extraction(&value, format));
    text.push_str(&keeping(&answer.headers));
    let ended = match destination {
        None => {
            Terminal::stdout().keeping(environment.secrets()).write(&text);
            Ok(ExitCode::SUCCESS)
        }
        Some(destination) => destination.take(site, &name, &text),
    };
    if !site.voice.quiet {
        for (variable, holds) in &given.variables {
            let told =
                format!("not written down: {holds}; the source reads `{variable}` of the environment, so set it");
            Terminal::stderr().line(&told);
        }
    }
    ended
}

/// The upstreams that the site declares, if there is a site.
fn upstreams(site: &SiteArguments, environment: &Environment) -> anyhow::Result<Vec<Upstream>> {
    let is_meant = site.is_named || !site.sets.is_empty() || site.inside.is_some();
    if !is_meant && !site.config.exists() {
        return Ok(Vec::new());
    }
    if site.inside.is_none() {
        is_there(site)?;
    }
    let draft = site::draft(site.origin(), &site.sets, environment, &Memory::default());
    let Some(outline) = draft.outline else { return Ok(Vec::new()) };
    let all = &outline.site().upstreams;
    Ok(all.names().filter_map(|name| all.get(all.find(name)?).cloned()).collect())
}

/// What is asked for.
struct Asked<'u> {
    /// What the author gave.
    given: &'u Given,
    /// The URL that is called.
    url: Url,
    /// The declared upstream that it belongs to, and what stands behind its base.
    upstream: Option<(&'u Upstream, String)>,
    trust: Trust,
}

impl<'u> Asked<'u> {
    fn of(how: &SourceArguments, given: &'u Given, upstreams: &'u [Upstream]) -> anyhow::Result<Self> {
        // Where it cannot be read, nobody knows which part of it is a secret.
        let shown = if how.url.contains('@') { "the URL" } else { &*given.written };
        let url: Url = given.called.parse().map_err(|error| anyhow!("`{shown}` is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("`{shown}` is no `http` or `https` URL");
        }
        let below = |upstream: &'u Upstream| {
            let rest = given.written.strip_prefix(upstream.base.as_str())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| (upstream, rest.to_owned()))
        };
        let upstream = upstreams.iter().filter_map(below).max_by_key(|(upstream, _)| upstream.base.len());
        let is_allowed = upstream.as_ref().is_some_and(|(upstream, _)| upstream.calling.trust == Trust::Private);
        let trust = if how.allow_private || is_allowed { Trust::Private } else { Trust::Public };
        Ok(Self { given, url, upstream, trust })
    }

    /// Makes the call.
    fn fetch(&self, how: &SourceArguments) -> anyhow::Result<(Answer, Duration)> {
        let mut url = self.url.clone();
        let mut fields = HeaderMap::new();
        let mut settings = UpstreamSettings::default();
        if let Some((upstream, _)) = &self.upstream {
            fields.extend(upstream.headers.iter().cloned());
            let more = upstream.query.expose();
            if !more.is_empty() {
                let query = url.query().map_or_else(|| more.to_owned(), |query| format!("{more}&{query}"));
                url.set_query(Some(&query));
            }
            if !upstream.addresses.is_empty() {
                settings.whereabouts = Some(Whereabouts {
                    base: upstream.base.clone(),
                    addresses: upstream.addresses.clone(),
                    spread: upstream.spread,
                    trust: self.trust,
                });
            }
        }
        for (name, value) in &self.given.sent {
            fields.insert(name, value.clone());
        }
        fields.entry(header::ACCEPT).or_insert(ACCEPT);
        let mut call = Call::new(Method::GET, url);
        call.headers = fields;
        call.trust = self.trust;
        let client = Client::new(ClientSettings::default()).context("cannot make calls")?;
        let state = Arc::new(UpstreamState::new(&settings));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot make calls")?;
        let begun = Instant::now();
        let deadline = begun + call.timeouts.total;
        let answer = runtime.block_on(client.fetch(&call, &state, deadline)).map_err(|failure| self.failed(failure))?;
        self.is_good(&answer, how)?;
        Ok((answer, begun.elapsed()))
    }

    fn failed(&self, failure: Failure) -> anyhow::Error {
        let help = if matches!(failure, Failure::RefusedAddress(_)) {
            "; if it is your own machine or network, write --allow-private, and the source will say `allow-private = true`"
        } else {
            ""
        };
        anyhow!("`{}` cannot be fetched: {failure}{help}", self.given.written)
    }

    /// Whether it is an answer to look at.
    fn is_good(&self, answer: &Answer, how: &SourceArguments) -> anyhow::Result<()> {
        let status = answer.status;
        if status.is_success() {
            return Ok(());
        }
        let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        let help = if status.is_redirection() {
            format!(": it leads to `{to}`; sources follow no redirects, so name that")
        } else if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && how.headers.is_empty() {
            ": --header 'Authorization: Bearer …' sends a credential along".to_owned()
        } else {
            String::new()
        };
        bail!("`{}` answers {status}{help}", self.given.written);
    }

    /// How a source names it.
    fn written(&self) -> String {
        let mut text = match &self.upstream {
            Some((upstream, path)) => format!("upstream = {}\npath = {}\n", quoted(&upstream.name), quoted(path)),
            None => format!("url = {}\n", quoted(&self.given.written)),
        };
        let is_inherited = self.upstream.as_ref().is_some_and(|(upstream, _)| upstream.calling.trust == self.trust);
        if self.trust == Trust::Private && !is_inherited {
            text.push_str("allow-private = true\n");
        }
        text
    }
}

/// What the answer is, and what it says.
fn read(answer: &Answer) -> anyhow::Result<(Format, Value)> {
    let said = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let likely = match essence.as_str() {
        "text/html" | "application/xhtml+xml" => {
            bail!("it answers with a page of HTML, not with data; `format = \"html\"` on a source shows one as it is")
        }
        "text/csv" => Format::Csv,
        "application/yaml" | "text/yaml" | "application/x-yaml" => Format::Yaml,
        xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Format::Xml,
        _ => Format::Json,
    };
    let value = likely.read(&answer.body, Some(said), JsonLimits::default());
    let value =
        value.map_err(|error| anyhow!("its answer ({essence}) cannot be read as {}: {error}", likely.name()))?;
    Ok((likely, value))
}

/// What the source is called: as it was said, or by the last word of the path that is no placeholder.
fn name(how: &SourceArguments, asked: &Asked<'_>) -> anyhow::Result<String> {
    if let Some(name) = &how.name {
        if snake(name) != *name || slots::RESERVED.contains(&name.as_str()) {
            bail!("`{name}` is no name for a source: names are `snake_case`, and not one of the language's own words");
        }
        return Ok(name.clone());
    }
    let path = asked.given.written.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let words = path.split('/').skip(1).filter(|word| !word.is_empty() && !word.contains('{'));
    let last = words.last().map(|word| word.split('.').next().unwrap_or(word));
    let name = snake(last.unwrap_or("data"));
    let is_taken = slots::RESERVED.contains(&name.as_str());
    Ok(if is_taken { format!("{name}_data") } else { name })
}

/// A time that leaves room: four times what it took, a second at least and ten at most.
fn patience(elapsed: Duration) -> String {
    format!("{}s", (elapsed * 4).as_secs().saturating_add(1).clamp(1, 10))
}

/// What the answer says of being kept, as a suggestion.
fn keeping(fields: &HeaderMap) -> String {
    let said = fields.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let directive = |name: &str| {
        said.split(',')
            .map(str::trim)
            .find_map(|directive| directive.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
    };
    let has = |name: &str| said.split(',').any(|directive| directive.trim().eq_ignore_ascii_case(name));
    if has("no-store") || has("private") {
        return format!("# It says `cache-control: {said}`, so nothing of it is kept for others.\n");
    }
    match directive("s-maxage").or_else(|| directive("max-age")).filter(|seconds| *seconds > 0) {
        Some(seconds) => format!(
            "# It says how long it may be kept ({seconds} seconds): `cache = true` does that. Or say it yourself:\n\
             # cache = {{ max-age = \"{seconds}s\", stale-if-error = \"1h\" }}\n"
        ),
        None if fields.contains_key(header::ETAG) || fields.contains_key(header::LAST_MODIFIED) => {
            "# It says by what it is known again, so asking whether it has changed is cheap:\n\
             # cache = { max-age = \"10s\", stale-if-error = \"1h\" }\n"
                .to_owned()
        }
        None => {
            "# Nothing of it is kept, unless you say so:\n# cache = { max-age = \"10s\", stale-if-error = \"1h\" }\n"
                .to_owned()
        }
    }
}

/// The route that a source goes into.
struct Destination {
    /// Where its file is, with no link on the way.
    path: PathBuf,
    /// The same as the author sees it.
    shown: PathBuf,
    /// What is in it.
    before: String,
}

impl Destination {
    /// The route that was named, if a source of this name can be added to it.
    fn of(site: &SiteArguments, file: &Path, name: &str) -> anyhow::Result<Self> {
        let root = is_there(site)?;
        // As it stands in the site, or as the shell sees it from where it is.
        let shown = [root.join(file), file.to_owned()].into_iter().find(|path| path.is_file());
        let shown = shown
            .ok_or_else(|| anyhow!("there is no route file `{}`: `siteserver new route` makes one", file.display()))?;
        let routes = root.join("routes");
        let path = fs::canonicalize(&shown).with_context(|| format!("cannot look at `{}`", shown.display()))?;
        let is_below = fs::canonicalize(&routes).is_ok_and(|routes| path.starts_with(routes));
        if !is_below || path.extension().is_none_or(|extension| extension != "toml") {
            bail!(
                "`{}` is no route of this site, so nothing is added to it: routes are the TOML files below `{}`",
                shown.display(),
                routes.display()
            );
        }
        let before = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", shown.display()))?;
        let Some(known) = table(&before) else {
            bail!("`{}` is not TOML as it stands: `siteserver check` says why", shown.display());
        };
        if known.get("sources").and_then(|sources| sources.get(name)).is_some() {
            bail!("`{}` has a source `{name}` already: --name calls this one otherwise", shown.display());
        }
        let destination = Self { path, shown, before };
        if table(&destination.with(&format!("[sources.{name}]\nvalue = 1\n"))).is_none() {
            bail!(
                "a source cannot stand at the end of `{}`, whose sources are written in another way: without --into it is \
                 shown, and you put it there",
                destination.shown.display()
            );
        }
        Ok(destination)
    }

    /// Its text with more at the end.
    fn with(&self, text: &str) -> String {
        let before = &self.before;
        let gap = if before.is_empty() || before.ends_with("\n\n") {
            ""
        } else if before.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        format!("{before}{gap}{text}")
    }

    /// Appends the source, and checks the site with it.
    fn take(&self, site: &SiteArguments, name: &str, text: &str) -> anyhow::Result<ExitCode> {
        let known = Known::of(site);
        if let Err(error) = replace(&self.path, &self.with(text)) {
            // What was asked for is not lost with it.
            Terminal::stdout().write(text);
            return Err(error).with_context(|| format!("cannot write `{}`; the source is above", self.shown.display()));
        }
        if !site.voice.quiet {
            let next =
                format!("show it in the layout as `{{{{ {name}.… }}}}`; until then `check` says that it is unused");
            Terminal::stdout().line(&format!("wrote the source `{name}` into {}; {next}", self.shown.display()));
        }
        Ok(known.compared(site))
    }
}

/// What a text of TOML holds; nothing if it is none.
fn table(text: &str) -> Option<Value> {
    let (mut files, mut findings) = (Files::default(), Findings::default());
    let file = files.add("route", text);
    let table = read_toml(file, 0..text.len(), &files, &mut findings);
    findings.is_empty().then(|| table.to_value())
}

/// Writes a file in one step: whoever reads it meanwhile sees the old text or the new. Who may do what with it stays.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.being-written", std::process::id()));
    let written = fs::write(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(path)?.permissions()))
        .and_then(|()| fs::rename(&beside, path));
    written.inspect_err(|_| fs::remove_file(&beside).unwrap_or_default())
}
