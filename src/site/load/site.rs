//! `site.toml` itself: the site's name and address, the server's settings.

use super::super::settings::{
    AccessLog, Decl, EDITION, Limits, LogFormat, ServerDecl, Settings, SiteDecl, Slash, check_limits,
};
use super::super::{Languages, code};
use super::{admin, languages};
use crate::config::{Declared as _, Environment, Template};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::fields::TrustedProxies;
use crate::render::{MoneyFormat, MoneyFormats};
use crate::router::{Authority, Hosts, TrailingSlash};
use crate::value::{Object, Value};
use std::net::SocketAddr;
use std::sync::Arc;

/// What `site.toml` says, compiled.
pub(super) struct Declared {
    pub settings: Settings,
    pub url: Option<Arc<str>>,
    pub money: MoneyFormats,
    pub hosts: Option<Hosts>,
    pub slash: TrailingSlash,
    pub languages: Languages,
    /// Whether it says which languages there are.
    pub declares_languages: bool,
    /// `site` as pages see it.
    pub scope: Value,
}

pub(super) fn compile(decl: &Decl, environment: &Environment, findings: &mut Findings) -> Declared {
    if let Some(edition) = decl.edition.as_ref().filter(|edition| edition.value != EDITION) {
        let message = format!("`{}` is not an edition that this version knows", edition.value);
        findings.push(Finding::new(&crate::config::BAD_VALUE, edition.place, message).help("edition = \"2026\""));
    }
    let site = decl.site.as_ref();
    let url = site.and_then(|site| site.url.as_ref()).and_then(|url| address(url, environment, findings));
    let hosts = hosts(site, url.as_deref(), findings);
    let slash = match site.and_then(|site| site.trailing_slash) {
        Some(Spanned { value: Slash::Always, .. }) => TrailingSlash::Always,
        Some(Spanned { value: Slash::Never, .. }) | None => TrailingSlash::Never,
    };
    if let Some(limits) = &decl.limits {
        check_limits(limits, findings);
    }
    let listen = listen(decl.server.as_ref(), environment, findings);
    let settings = Settings {
        admin: decl.admin.as_ref().and_then(|written| admin::compile(written, &listen, environment, findings)),
        listen,
        watch: decl.server.as_ref().and_then(|server| server.watch).is_none_or(|watch| watch.value),
        workers: decl.server.as_ref().and_then(|server| server.workers).map(|workers| workers.value.0 as usize),
        trusted_proxies: proxies(decl.server.as_ref(), findings),
        access: decl.log.as_ref().and_then(|log| log.access).map_or(AccessLog::Stdout, |access| access.value),
        format: decl.log.as_ref().and_then(|log| log.format).map_or(LogFormat::Auto, |format| format.value),
        limits: Limits::compile(decl.limits.as_ref()),
    };
    let written = site.and_then(|site| site.languages.as_ref());
    let languages = languages::compile(site.and_then(|site| site.language.as_ref()), written, findings);
    let scope: Object = [
        ("name", Value::from(text(site.and_then(|site| site.name.as_ref())))),
        ("url", Value::from(url.as_deref())),
        ("language", Value::text(Arc::clone(languages.default()))),
        ("languages", Value::list(languages.iter().map(|tag| Value::text(Arc::clone(tag))).collect())),
    ]
    .into_iter()
    .collect();
    let plain =
        site.and_then(|site| site.money_format.as_ref()).map(|format| money(format, findings)).unwrap_or_default();
    let with_currency = site.and_then(|site| site.money_with_currency_format.as_ref());
    let with_currency = with_currency.map_or_else(|| plain.clone(), |format| money(format, findings));
    let money = MoneyFormats { plain, with_currency };
    let declares_languages = written.is_some();
    Declared { settings, url, money, hosts, slash, languages, declares_languages, scope: scope.into() }
}

/// The variables that are declared as no secrets, and what stands for each that is not set.
pub(super) fn public(decl: &Decl, findings: &mut Findings) -> Vec<(String, Option<String>)> {
    let mut public = Vec::new();
    for (name, variable) in decl.env.iter().flat_map(|named| &named.0) {
        if variable.public.is_some_and(|public| public.value) {
            public.push((name.value.clone(), variable.default.as_ref().map(|default| default.value.clone())));
        } else if let Some(default) = &variable.default {
            let message = format!("a default of `{}`, which is not public", name.value);
            let help =
                format!("public = true, if it is no secret; else `{{env.{}:default}}` where it is read", name.value);
            findings.push(Finding::new(&crate::config::BAD_VALUE, default.place, message).help(help));
        }
    }
    public
}

fn text(written: Option<&Spanned<String>>) -> Option<&str> {
    written.map(|text| text.value.as_str())
}

/// A format of money; the bare amount in place of what is none.
fn money(format: &Spanned<String>, findings: &mut Findings) -> MoneyFormat {
    MoneyFormat::parse(&format.value).unwrap_or_else(|error| {
        let message = format!("`{}` is no format of money: {error}", format.value);
        let names: Vec<String> = MoneyFormat::placeholders().map(|name| format!("`{{{{ {name} }}}}`")).collect();
        let help = format!("one of these stands in it: {}", names.join(", "));
        findings.push(Finding::new(&code::MONEY_FORMAT, format.place, message).help(help));
        MoneyFormat::default()
    })
}

/// `site.url`: an origin, and nothing behind it.
fn address(url: &Spanned<Template>, environment: &Environment, findings: &mut Findings) -> Option<Arc<str>> {
    let mut resolved = url.value.clone();
    resolved.resolve_environment(|env| environment.resolve(env, findings));
    if let Some(reference) = resolved.references().next() {
        let message = format!("`{{{}}}` in `site.url`", reference.spelled());
        findings.push(
            Finding::new(&code::BAD_URL, reference.place, message).help("it is written, or comes from the environment"),
        );
        return None;
    }
    let text = resolved.as_literal().unwrap_or_default().trim_end_matches('/');
    if text.is_empty() && url.value.environment().next().is_some() {
        return None;
    }
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let sound = authority
        .is_some_and(|authority| !authority.contains(['/', '?', '#', '@']) && Authority::parse(authority).is_ok());
    if !sound {
        let message = format!("`{}` is not the address of a site", url.value.as_written());
        findings.push(Finding::new(&code::BAD_URL, url.place, message).help("url = \"https://example.com\""));
        return None;
    }
    Some(text.into())
}

fn hosts(site: Option<&SiteDecl>, url: Option<&str>, findings: &mut Findings) -> Option<Hosts> {
    let aliases = site.and_then(|site| site.aliases.as_deref()).unwrap_or_default();
    let mut others = Vec::new();
    for alias in aliases {
        match Authority::parse(&alias.value) {
            Ok(authority) => others.push(authority),
            Err(_) => {
                let message = format!("`{}` is not a host", alias.value);
                findings
                    .push(Finding::new(&code::BAD_URL, alias.place, message).help("aliases = [\"www.example.com\"]"));
            }
        }
    }
    let Some(url) = url else {
        let is_said = site.is_some_and(|site| site.url.is_some() || site.is_lost("url"));
        if let Some(alias) = aliases.first().filter(|_| !is_said) {
            findings.push(
                Finding::new(&code::BAD_URL, alias.place, "`aliases` without `url`")
                    .help("say where aliases lead: url = \"https://example.com\""),
            );
        }
        return Some(Hosts::any());
    };
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    let host = Authority::parse(authority).ok()?;
    Some(Hosts::new(url.to_owned(), &host, &others))
}

fn proxies(server: Option<&ServerDecl>, findings: &mut Findings) -> TrustedProxies {
    let mut proxies = TrustedProxies::default();
    for written in server.and_then(|server| server.trusted_proxies.as_ref()).into_iter().flatten() {
        if let Err(error) = proxies.add(&written.value) {
            let message = format!("`{}` names no proxy to trust: {error}", written.value);
            findings.push(
                Finding::new(&code::BAD_PROXY, written.place, message)
                    .help("trusted-proxies = [\"192.0.2.1\", \"10.0.0.0/8\", \"unix:\"]"),
            );
        }
    }
    proxies
}

fn listen(server: Option<&ServerDecl>, environment: &Environment, findings: &mut Findings) -> Vec<String> {
    let Some(listen) = server.and_then(|server| server.listen.as_ref()) else { return vec!["127.0.0.1:4000".into()] };
    let mut addresses = Vec::new();
    for address in &listen.value {
        addresses.extend(listen_address(address, environment, findings));
    }
    if listen.value.is_empty() {
        findings.push(
            Finding::new(&code::BAD_LISTEN, listen.place, "nothing to listen on").help("listen = [\"127.0.0.1:4000\"]"),
        );
    }
    addresses
}

/// An address to listen on, checked.
pub(super) fn listen_address(
    address: &Spanned<Template>,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<String> {
    let mut resolved = address.value.clone();
    resolved.resolve_environment(|env| environment.resolve(env, findings));
    let text = resolved.as_literal().unwrap_or_default();
    let is_path = text.strip_prefix("unix:").is_some_and(|path| path.starts_with('/'));
    if is_path || text.parse::<SocketAddr>().is_ok() {
        return Some(text.to_owned());
    }
    let message = format!("`{}` is not an address to listen on", address.value.as_written());
    findings.push(
        Finding::new(&code::BAD_LISTEN, address.place, message)
            .help("`127.0.0.1:4000`, `[::]:4000` or `unix:/run/site.sock`; names are not looked up"),
    );
    None
}
