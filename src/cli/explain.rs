//! `siteserver explain`: what the server would do with a request. Nothing is sent anywhere.

use super::arguments::{ExplainArguments, Format, SiteArguments};
use super::console::{Terminal, summary};
use super::{USAGE, load, messages};
use crate::handler::{self, Arrival, Runtime, Service};
use crate::report;
use crate::site::{Loaded, Site};
use anyhow::{Context as _, anyhow};
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Uri};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// Writes what would become of the request to the standard output. Of a site with errors nothing is known: its findings go to the
/// standard error.
pub(super) fn explain(site: &SiteArguments, how: &ExplainArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    messages::of_panics(environment.secrets());
    let Loaded { site, findings, files } = load::load(site, &environment);
    let Some(site) = site else {
        Terminal::stderr().keeping(environment.secrets()).findings(&findings, &files);
        anyhow::bail!("what would be done is not known: {}", summary(&findings));
    };
    let request = match request(how, &site) {
        Ok(request) => request,
        Err(error) => {
            Terminal::stderr().problem(&error);
            return Ok(ExitCode::from(USAGE));
        }
    };
    let runtime = Arc::new(Runtime::new(&site).context("cannot put the site into service")?);
    let service = Arc::new(Service::new(Arc::new(site), runtime));
    let clock = service.runtime().clock();
    let arrival = Arrival {
        began: Instant::now(),
        now: clock.now(),
        wall: clock.wall(),
        id: &"-",
        peer: None,
        is_loopback: true,
        client: &(),
    };
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let explanation = executor.block_on(handler::explain(&service, &request, &arrival));
    let text = match how.format {
        Format::Text => report::explain(&explanation, &files),
        Format::Json => report::explain_as_json(&explanation, &files),
    };
    Terminal::stdout().keeping(environment.secrets()).write(&text);
    Ok(ExitCode::SUCCESS)
}

/// The head of the request that is meant: as a client on this machine would send it.
fn request(how: &ExplainArguments, site: &Site) -> anyhow::Result<Parts> {
    let url = how.url.split('#').next().unwrap_or_default();
    let (host, target) = match url.split_once("://") {
        Some((_scheme, rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (host, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (Some(host), target)
        }
        None => (None, url),
    };
    let target = if target.starts_with('/') || target == "*" { target.to_owned() } else { format!("/{target}") };
    if host.is_none() && !(url.starts_with(['/', '?']) || url == "*") {
        return Err(anyhow!("`{url}` is neither a path, which begins with `/`, nor a whole URL"));
    }
    let uri: Uri = target.parse().with_context(|| format!("`{url}` is no URL"))?;
    let method = Method::from_bytes(how.method.as_bytes()).with_context(|| format!("`{}` is no method", how.method))?;
    let (mut parts, ()) = Request::builder().method(method).uri(uri).body(())?.into_parts();
    for written in &how.headers {
        let (name, value) =
            written.split_once(':').with_context(|| format!("`{written}` is no header field: write 'Name: value'"))?;
        let name: HeaderName = name.trim().parse().with_context(|| format!("`{name}` is no name of a header field"))?;
        let value = HeaderValue::from_str(value.trim()).with_context(|| format!("no value of `{name}`"))?;
        parts.headers.append(name, value);
    }
    if !parts.headers.contains_key(header::HOST) {
        let own = || site.url.as_deref().and_then(|url| url.split_once("://")).map_or("localhost", |(_, host)| host);
        let host = HeaderValue::from_str(host.unwrap_or_else(own)).with_context(|| format!("`{url}` has no host"))?;
        parts.headers.insert(header::HOST, host);
    }
    Ok(parts)
}
