//! `siteserver new source`: looks at one answer of a URL, and proposes what a page may take of it.
//!
//! The call is one that the site itself would make: by the same client, within the same bounds, to private addresses only where that is
//! allowed. Nothing that was given as a header field is written down if it may be a credential: a variable of the environment stands for it.

use super::super::arguments::{CheckArguments, Format as Shown, SiteArguments, SourceArguments};
use super::super::console::Terminal;
use super::super::progress::while_waiting;
use super::super::{check, load};
use super::propose::{self, quoted, snake};
use super::route::root;
use crate::config::{Environment, read_toml};
use crate::diagnostic::{Files, Findings};
use crate::extract::Format;
use crate::fields::is_credential;
use crate::router::encode_segment;
use crate::site::{self, Memory, slots};
use crate::source::Upstream;
use crate::upstream::{
    Answer, Call, Client, ClientSettings, Failure, Trust, UpstreamSettings, UpstreamState, Url, Whereabouts,
};
use crate::value::{JsonLimits, Value};
use anyhow::{Context as _, anyhow, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
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
    let upstreams = upstreams(site, &environment);
    let asked = Asked::of(how, &upstreams)?;
    let (answer, elapsed) = while_waiting(site.voice, "asking", String::new, || asked.fetch(how))?;
    let (format, value) = read(&answer)?;
    let name = name(how, &asked)?;
    let mut text = format!("[sources.{name}]\n");
    text.push_str(&asked.written());
    text.push_str(&headers(&asked.given));
    if format != Format::Json {
        writeln!(text, "format = \"{}\"", format.name()).unwrap_or_default();
    }
    writeln!(text, "timeout = \"{}\"", patience(elapsed)).unwrap_or_default();
    text.push_str(&propose::extraction(&value, format));
    text.push_str(&keeping(&answer.headers));
    match &how.into {
        None => {
            Terminal::stdout().keeping(environment.secrets()).write(&text);
            Ok(ExitCode::SUCCESS)
        }
        Some(route) => into(site, route, &name, &text),
    }
}

/// The upstreams that the site declares, if there is a site.
fn upstreams(site: &SiteArguments, environment: &Environment) -> Vec<Upstream> {
    if !site.origin().exists() {
        return Vec::new();
    }
    let draft = site::draft(site.origin(), &site.sets, environment, &Memory::default());
    let Some(outline) = draft.outline else { return Vec::new() };
    let all = &outline.site().upstreams;
    all.names().filter_map(|name| all.get(all.find(name)?).cloned()).collect()
}

/// What is asked for.
struct Asked<'u> {
    /// The URL as it was written, with its placeholders.
    written: String,
    /// The URL that is called.
    url: Url,
    /// The declared upstream that it belongs to, and what stands behind its base.
    upstream: Option<(&'u Upstream, String)>,
    /// Header fields that were given.
    given: Vec<(HeaderName, HeaderValue)>,
    trust: Trust,
}

impl<'u> Asked<'u> {
    fn of(how: &SourceArguments, upstreams: &'u [Upstream]) -> anyhow::Result<Self> {
        let filled = filled(&how.url, &how.params)?;
        let url: Url = filled.parse().map_err(|error| anyhow!("`{filled}` is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("`{filled}` is no `http` or `https` URL");
        }
        let below = |upstream: &'u Upstream| {
            let rest = how.url.strip_prefix(upstream.base.as_str())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| (upstream, rest.to_owned()))
        };
        let upstream = upstreams.iter().filter_map(below).max_by_key(|(upstream, _)| upstream.base.len());
        let mut given = Vec::new();
        for text in &how.headers {
            let field = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            let field = field.and_then(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
            given.push(field.ok_or_else(|| anyhow!("`{text}` is no header field: write it as 'Name: value'"))?);
        }
        let is_allowed = upstream.as_ref().is_some_and(|(upstream, _)| upstream.calling.trust == Trust::Private);
        let trust = if how.allow_private || is_allowed { Trust::Private } else { Trust::Public };
        Ok(Self { written: how.url.clone(), url, upstream, given, trust })
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
        fields.extend(self.given.iter().cloned());
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
        anyhow!("`{}` cannot be fetched: {failure}{help}", self.written)
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
        bail!("`{}` answers {status}{help}", self.written);
    }

    /// How a source names it.
    fn written(&self) -> String {
        let mut text = match &self.upstream {
            Some((upstream, path)) => format!("upstream = {}\npath = {}\n", quoted(&upstream.name), quoted(path)),
            None => format!("url = {}\n", quoted(&self.written)),
        };
        let is_inherited = self.upstream.as_ref().is_some_and(|(upstream, _)| upstream.calling.trust == self.trust);
        if self.trust == Trust::Private && !is_inherited {
            text.push_str("allow-private = true\n");
        }
        text
    }
}

/// The URL with a sample value in the place of each placeholder.
fn filled(url: &str, params: &[(String, String)]) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, behind) = after.split_once('}').ok_or_else(|| anyhow!("`{url}` has a brace that is not closed"))?;
        let name = inner.rsplit('.').next().unwrap_or(inner);
        let value = params.iter().rev().find(|(known, _)| known == name || known == inner);
        let Some((_, value)) = value else {
            bail!("`{{{inner}}}` needs an example to be fetched with: --param {name}=VALUE");
        };
        text.push_str(before);
        text.push_str(&encode_segment(value));
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
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
    let path = asked.written.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let words = path.split('/').skip(1).filter(|word| !word.is_empty() && !word.contains('{'));
    let last = words.last().map(|word| word.split('.').next().unwrap_or(word));
    let name = snake(last.unwrap_or("data"));
    let is_taken = slots::RESERVED.contains(&name.as_str());
    Ok(if is_taken { format!("{name}_data") } else { name })
}

/// Header fields as the source writes them. What may be a credential is a variable of the environment: it has no place in a file.
fn headers(given: &[(HeaderName, HeaderValue)]) -> String {
    let mut text = String::new();
    for (name, value) in given {
        let value = value.to_str().unwrap_or_default();
        let written = if is_credential(name) {
            // Only there is the first word no part of the secret (RFC 9110, 11.6.2 and 11.7.2).
            let has_scheme = *name == header::AUTHORIZATION || *name == header::PROXY_AUTHORIZATION;
            let scheme = value.split_once(' ').filter(|_| has_scheme).map(|(scheme, _)| format!("{scheme} "));
            let scheme = scheme.unwrap_or_default();
            format!("{scheme}{{env.{}}}", name.as_str().replace('-', "_").to_ascii_uppercase())
        } else {
            value.replace('{', "{'{'}")
        };
        writeln!(text, "headers.{name} = {}", quoted(&written)).unwrap_or_default();
    }
    text
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

/// Appends the source to a route, and checks the site with it.
fn into(site: &SiteArguments, route: &Path, name: &str, text: &str) -> anyhow::Result<ExitCode> {
    if site.inside.is_some() {
        bail!("the site is inside this program, where nothing is added: `bundle --extract DIR` gives its files back");
    }
    let root = root(site);
    // As it stands in the site, or as the shell sees it from where it is.
    let path = [root.join(route), route.to_owned()].into_iter().find(|path| path.is_file());
    let path =
        path.ok_or_else(|| anyhow!("there is no route file `{}`: `siteserver new route` makes one", route.display()))?;
    let before = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let Some(known) = table(&before) else {
        bail!("`{}` is not TOML as it stands: `siteserver check` says why", path.display());
    };
    if known.get("sources").and_then(|sources| sources.get(name)).is_some() {
        bail!("`{}` has a source `{name}` already: --name calls this one otherwise", path.display());
    }
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else if before.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let after = format!("{before}{gap}{text}");
    if table(&after).is_none() {
        Terminal::stdout().write(text);
        bail!(
            "it cannot stand at the end of `{}`, whose sources are written in another way: it is above",
            path.display()
        );
    }
    replace(&path, &after)?;
    Terminal::stdout().line(&format!("wrote the source `{name}` into {}", path.display()));
    Ok(check::check(site, &CheckArguments { format: Shown::Text, explain: None }))
}

/// What a text of TOML holds; nothing if it is none.
fn table(text: &str) -> Option<Value> {
    let (mut files, mut findings) = (Files::default(), Findings::default());
    let file = files.add("route", text);
    let table = read_toml(file, 0..text.len(), &files, &mut findings);
    findings.is_empty().then(|| table.to_value())
}

/// Writes a file in one step: whoever reads it meanwhile sees the old text or the new.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension(format!("{}.being-written", std::process::id()));
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written
        .inspect_err(|_| fs::remove_file(&beside).unwrap_or_default())
        .with_context(|| format!("cannot write `{}`", path.display()))
}
