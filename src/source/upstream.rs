//! What a site declares about an upstream: where it is, what every call carries, how it is treated.

use super::code;
use super::keep::{Keep, Setting as KeepSetting};
use super::piece::{Pieces, refuse_secrets};
use crate::config::{
    BAD_VALUE, Declared as _, Environment, MISSING_KEY, Named, Node, Part, Secret, Template, Within, declare, words,
};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::fields::is_credential;
use crate::upstream::{Address, BreakerSettings, MOST_ADDRESSES, Spread, Trust, UpstreamSettings, Url, Whereabouts};
use http::header::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;

declare! {
    /// An upstream: a server that sources call.
    pub struct Decl requires ["base-url"] {
        ..calling: CallingDecl,
        /// Where it is: scheme, host, port and a path that every call begins with. May come from the environment.
        "base-url": base_url: Template,
        /// The machines that share its work, where the name of `base-url` does not lead to them: `["10.0.0.1:8080", "10.0.0.2:8080"]`, each an
        /// address or a name with a port. `base-url` keeps saying the scheme, the `Host`, the name in the certificate and the path. May come
        /// from the environment.
        "addresses": addresses: Spanned<Vec<Template>>,
        /// How requests are spread over `addresses`; default `round-robin`.
        "balance": balance: Spanned<Balance>,
        /// Header fields sent with every call. The place for the site's own credential.
        "headers": headers: Named<Template>,
        /// Query values sent with every call.
        "query": query: Named<Template>,
        /// How many calls at once; default 32. Further calls wait for their turn, inside their deadline. Of the requests that a route passes
        /// on, those count that wait for the head of an answer with nothing left to send.
        "max-concurrent": max_concurrent: Spanned<Within<1, { u32::MAX }>>,
        /// What siteserver keeps of its answers to sources, as the cache in front of it, unless a source says otherwise: `true` or `"upstream"` for
        /// what it lets caches keep (RFC 9111), the name of a profile, or a table. Default: nothing.
        "cache": cache: Node as KeepSetting,
        /// When to leave it alone for a while: `{ failures = 5, open-for = "5s" }`. Off unless written.
        "breaker": breaker: BreakerDecl,
    }
}

declare! {
    /// How calls are made; the same keys stand on an upstream and on a source, which overrides.
    pub struct CallingDecl {
        /// How long one call may take with everything: queueing, retries, body. Default `10s`.
        "timeout": timeout: Spanned<Duration>,
        /// How often a call that failed for a passing reason is made again; default 1. Only safe methods are repeated.
        "retries": retries: Spanned<Within<0, 10>>,
        /// Whether private addresses (loopback, local networks) may be connected to; default `false`.
        "allow-private": allow_private: Spanned<bool>,
    }
}

declare! {
    /// When to leave an upstream alone.
    pub struct BreakerDecl {
        /// How many calls in a row must fail: unreachable, timeout or 5xx; default 5.
        "failures": failures: Spanned<Within<1, { u32::MAX }>>,
        /// How long it is left alone before one call tries again; default `5s`.
        "open-for": open_for: Spanned<Duration>,
    }
}

words! {
    /// How requests are spread over the addresses of an upstream.
    pub enum Balance {
        /// One after the other.
        "round-robin": RoundRobin,
        /// To the one with the fewest requests under way.
        "least-busy": LeastBusy,
    }
}

/// An upstream as compiled.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name; an origin for sources that write a whole `url`.
    pub name: Arc<str>,
    /// Scheme, host, port and the path that every call begins with, without a final slash.
    pub base: String,
    /// The machines that share its work; none if that is for the name in `base` to say.
    pub addresses: Vec<Address>,
    /// How requests are spread over them.
    pub spread: Spread,
    /// Header fields of every call; values that hold secrets are marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Query pairs of every call, encoded, `a=b&c=d`. There may be secrets among them.
    pub query: Secret,
    /// How calls are made.
    pub calling: Calling,
    /// How many calls at once.
    pub max_concurrent: usize,
    /// When to leave it alone.
    pub breaker: Option<BreakerSettings>,
    /// What is kept of its answers to sources that do not say it themselves.
    pub keep: Option<Keep>,
}

/// How calls are made.
#[derive(Debug, Clone, Copy)]
pub struct Calling {
    /// For everything.
    pub timeout: Duration,
    /// Further attempts.
    pub retries: u32,
    /// Which addresses may be connected to.
    pub trust: Trust,
    /// Where `timeout` was written, if it was.
    pub timeout_place: Option<Place>,
    /// Where `retries` was written, if it was.
    pub retries_place: Option<Place>,
}

impl Default for Calling {
    fn default() -> Self {
        let (timeout_place, retries_place) = (None, None);
        Self { timeout: Duration::from_secs(10), retries: 1, trust: Trust::Public, timeout_place, retries_place }
    }
}

impl Calling {
    /// These settings with what `written` says in their place.
    pub(super) fn overridden(self, written: &CallingDecl) -> Self {
        let trust = |allow: bool| if allow { Trust::Private } else { Trust::Public };
        Self {
            timeout: written.timeout.map_or(self.timeout, |timeout| timeout.value),
            retries: written.retries.map_or(self.retries, |retries| retries.value.0),
            trust: written.allow_private.map_or(self.trust, |allow| trust(allow.value)),
            timeout_place: written.timeout.map_or(self.timeout_place, |timeout| Some(timeout.place)),
            retries_place: written.retries.as_ref().map_or(self.retries_place, |retries| Some(retries.place)),
        }
    }
}

impl Upstream {
    /// An upstream of `[upstreams]`.
    pub fn compile(
        name: &Spanned<String>,
        decl: &Decl,
        environment: &Environment,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Decl {
            place: _,
            lost: _,
            calling,
            base_url,
            addresses,
            balance,
            headers,
            query,
            max_concurrent,
            cache,
            breaker,
        } = decl;
        let calling = Calling::default().overridden(calling);
        let headers = headers.iter().flat_map(|named| &named.0);
        let headers = headers.filter_map(|(name, value)| literal_header(name, value, environment, findings)).collect();
        let pairs = query.iter().flat_map(|named| &named.0);
        let pairs: Vec<String> = pairs.map(|(name, value)| literal_pair(name, value, environment, findings)).collect();
        let keep = cache.as_ref().and_then(|node| Keep::of_upstream(node, environment, findings));
        let breaker = breaker.as_ref().map(|decl| {
            let default = BreakerSettings::default();
            BreakerSettings {
                failures: decl.failures.map_or(default.failures, |failures| failures.value.0),
                open_for: decl.open_for.map_or(default.open_for, |open_for| open_for.value),
            }
        });
        let spread = match balance.map(|balance| balance.value) {
            None | Some(Balance::RoundRobin) => Spread::RoundRobin,
            Some(Balance::LeastBusy) => Spread::LeastBusy,
        };
        if let (Some(balance), None, false) = (balance, addresses, decl.is_lost("addresses")) {
            let message = format!("`balance` of the upstream `{}`, which has no `addresses`", name.value);
            let help = "name the machines: addresses = [\"10.0.0.1:8080\", \"10.0.0.2:8080\"], or leave it out";
            findings.push(Finding::new(&code::BAD_ADDRESSES, balance.place, message).help(help));
        }
        let addresses = addresses.as_ref().map(|written| machines(written, environment, findings)).unwrap_or_default();
        let Some(base_url) = base_url else {
            if !decl.is_lost("base-url") {
                let message = format!("the upstream `{}` has no `base-url`", name.value);
                let help = "base-url = \"https://api.example.com\"";
                findings.push(Finding::new(&MISSING_KEY, name.place, message).help(help));
            }
            return None;
        };
        Some(Self {
            name: name.value.as_str().into(),
            base: base(base_url, environment, findings)?,
            addresses,
            spread,
            headers,
            query: Secret::new(pairs.join("&")),
            calling,
            max_concurrent: max_concurrent.map_or(32, |most| most.value.0 as usize),
            breaker,
            keep,
        })
    }

    /// The nameless upstream of sources that write a whole `url` with this origin.
    pub fn of_origin(origin: &str) -> Self {
        Self {
            name: origin.into(),
            base: origin.to_owned(),
            addresses: Vec::new(),
            spread: Spread::default(),
            headers: Vec::new(),
            query: Secret::new(""),
            calling: Calling::default(),
            max_concurrent: 32,
            breaker: None,
            keep: None,
        }
    }
}

impl Upstream {
    /// What its calls have in common.
    pub fn settings(&self) -> UpstreamSettings {
        let whereabouts = Whereabouts {
            base: self.base.clone(),
            addresses: self.addresses.clone(),
            spread: self.spread,
            trust: self.calling.trust,
        };
        UpstreamSettings { max_concurrent: self.max_concurrent, breaker: self.breaker, whereabouts: Some(whereabouts) }
    }
}

/// The machines of `addresses`. Findings show them as they are written: what the environment holds may be a secret in the wrong place.
fn machines(written: &Spanned<Vec<Template>>, environment: &Environment, findings: &mut Findings) -> Vec<Address> {
    if written.value.is_empty() {
        let help = "name each machine with its port: addresses = [\"10.0.0.1:8080\"], or leave `addresses` out";
        findings.push(Finding::new(&code::BAD_ADDRESSES, written.place, "`addresses` without an address").help(help));
    }
    if written.value.len() > MOST_ADDRESSES {
        let message = format!("{} addresses; at most {MOST_ADDRESSES} are used", written.value.len());
        findings.push(Finding::new(&code::BAD_ADDRESSES, written.place, message).help("leave the last ones out"));
    }
    let mut machines: Vec<(Address, Place)> = Vec::new();
    for template in &written.value {
        let Some(machine) = machine(template, environment, findings) else { continue };
        if let Some((_, first)) = machines.iter().find(|(known, _)| *known == machine) {
            let message = format!("`{}` twice", template.as_written());
            findings.push(
                Finding::new(&code::BAD_ADDRESSES, template.place, message)
                    .related(*first, "here already")
                    .help("leave one out"),
            );
            continue;
        }
        machines.push((machine, template.place));
    }
    machines.into_iter().map(|(machine, _)| machine).collect()
}

fn machine(template: &Template, environment: &Environment, findings: &mut Findings) -> Option<Address> {
    let help = "addresses are literal or come from the environment: nothing from a request chooses where a call goes";
    let AddressText::Known(text) = without_request(template, help, environment, findings) else { return None };
    let machine = Address::parse(&text);
    if machine.is_none() {
        let message = format!("`{}` is not an address with a port", template.as_written());
        let help =
            "write `10.0.0.1:8080`, `[fd00::1]:8080` or `name:8080`; the scheme and the path stand in `base-url`";
        findings.push(Finding::new(&code::BAD_ADDRESSES, template.place, message).help(help));
    }
    machine
}

fn base(template: &Template, environment: &Environment, findings: &mut Findings) -> Option<String> {
    let help =
        "scheme, host and port are literal or come from the environment; a source's `path` may hold placeholders";
    let text = match without_request(template, help, environment, findings) {
        AddressText::Known(text) => text,
        // The rest of the site is checked as if it were set.
        AddressText::Unset => return Some("http://unset.invalid".into()),
        AddressText::FromRequest => return None,
    };
    check_address(&text, template, findings).then(|| text.trim_end_matches('/').to_owned())
}

/// What an address is read as.
enum AddressText {
    /// This text.
    Known(String),
    /// That of a variable which is not set, which has its own finding.
    Unset,
    /// Nothing: something of a request stands in it.
    FromRequest,
}

/// The text of an address, in which nothing of a request may stand: a finding with `help` if something does.
fn without_request(template: &Template, help: &str, environment: &Environment, findings: &mut Findings) -> AddressText {
    let mut resolved = template.clone();
    resolved.resolve_environment(|env| environment.resolve(env, findings));
    if let Some(reference) = resolved.references().next() {
        let message = format!("`{{{}}}` in an upstream's address", reference.spelled());
        findings.push(Finding::new(&code::BAD_ADDRESS, reference.place, message).help(help));
        return AddressText::FromRequest;
    }
    let text = resolved.as_literal().unwrap_or_default();
    let is_unset = text.is_empty() && template.environment().next().is_some();
    if is_unset { AddressText::Unset } else { AddressText::Known(text.to_owned()) }
}

/// Whether `text` is an address that calls can go to; a finding if not, which shows it as it was `written`: what the environment holds
/// may be a secret, in the wrong variable or in the wrong place of a URL.
fn check_address(text: &str, written: &Template, findings: &mut Findings) -> bool {
    let wrong = |why: &str| {
        let message = if written.environment().next().is_some() {
            format!("what `{}` stands for is not an address: {why}", written.as_written())
        } else {
            format!("`{text}` is not an address: {why}")
        };
        Finding::new(&code::BAD_ADDRESS, written.place, message)
    };
    let finding = match Url::parse(text) {
        Err(error) => wrong(&error.to_string()).help("write it as `https://api.example.com/v1`"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => wrong("only `http` and `https` are called"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => wrong("it holds a user name")
            .help("send a credential as a header: headers = { authorization = \"Bearer {env.TOKEN}\" }"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            wrong("it holds a query or a fragment").help("write query values below `query`")
        }
        Ok(_) => return true,
    };
    findings.push(finding);
    false
}

/// A header name that declarations may set.
pub(super) fn header_name(name: &Spanned<String>, findings: &mut Findings) -> Option<HeaderName> {
    let Ok(parsed) = HeaderName::from_bytes(name.value.as_bytes()) else {
        let message = format!("`{}` is not the name of a header field", name.value);
        findings.push(Finding::new(&code::BAD_NAME, name.place, message));
        return None;
    };
    if crate::upstream::belongs_to_connection(&parsed)
        || parsed == http::header::HOST
        || parsed == http::header::ACCEPT_ENCODING
    {
        let message = format!("`{}` is written by siteserver itself", name.value);
        findings.push(Finding::new(&code::RESERVED_HEADER, name.place, message).help("leave it out"));
        return None;
    }
    if parsed == http::header::COOKIE {
        let message = "`cookie` is not sent as a whole".to_owned();
        let help = "name the cookies that the upstream needs: forward-cookies = [\"session\"]";
        findings.push(Finding::new(&code::RESERVED_HEADER, name.place, message).help(help));
        return None;
    }
    Some(parsed)
}

/// A header field of the visitor's that may be sent along; one that is about the visitor's own exchange may not.
pub(super) fn forwarded_name(name: &Spanned<String>, findings: &mut Findings) -> Option<HeaderName> {
    let parsed = header_name(name, findings)?;
    let why = match parsed.as_str() {
        "range" | "if-range" => "the answer would be a part of the data",
        "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since" => {
            "it is about what the visitor has kept of the page: the answer could be a 304 without data"
        }
        "content-type" | "content-encoding" | "content-language" | "content-location" | "content-range" => {
            "it describes the body of the visitor's request, which is not the body of this call"
        }
        "max-forwards" => "it counts the proxies of the visitor's request",
        _ => return Some(parsed),
    };
    let message = format!("`{parsed}` of the visitor's request is not sent along: {why}");
    findings.push(Finding::new(&code::RESERVED_HEADER, name.place, message).help("leave it out"));
    None
}

/// The value of a header field; a finding that does not show it if it holds what no field may hold.
fn header_value(name: &Spanned<String>, text: &str, place: Place, findings: &mut Findings) -> Option<HeaderValue> {
    let value = HeaderValue::from_str(text).ok();
    if value.is_none() {
        let message = format!("the value of `{}` holds bytes that no header field may hold", name.value);
        findings.push(
            Finding::new(&BAD_VALUE, place, message)
                .help("no line breaks or other control characters; also none at the end of a variable"),
        );
    }
    value
}

/// Warns of what is sent as a credential, and declared as no secret.
fn warn_of_public(name: &Spanned<String>, template: &Template, environment: &Environment, findings: &mut Findings) {
    if !HeaderName::from_bytes(name.value.as_bytes()).is_ok_and(|name| is_credential(&name)) {
        return;
    }
    for env in template.environment().filter(|env| environment.is_public(&env.name)) {
        let message = format!("`{}` is sent as a credential, and declared as public", env.name);
        findings.push(Finding::new(&code::PUBLIC_CREDENTIAL, env.place, message));
    }
}

/// The value of a source's header field, whose parts that do not change with the request can be judged at once.
pub(super) fn header_pieces(
    name: &Spanned<String>,
    template: &Template,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<Pieces> {
    warn_of_public(name, template, environment, findings);
    let pieces = Pieces::compile(template, environment, findings);
    header_value(name, &pieces.fixed_text(), template.place, findings).map(|_sound| pieces)
}

fn literal_header(
    name: &Spanned<String>,
    template: &Template,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<(HeaderName, HeaderValue)> {
    let header = header_name(name, findings)?;
    warn_of_public(name, template, environment, findings);
    let pieces = Pieces::compile(template, environment, findings);
    let text = fixed(&pieces, "a header of an upstream", |text, out| out.push_str(text), findings)?;
    let mut value = header_value(name, &text, template.place, findings)?;
    value.set_sensitive(pieces.secrets().next().is_some());
    Some((header, value))
}

fn literal_pair(
    name: &Spanned<String>,
    template: &Template,
    environment: &Environment,
    findings: &mut Findings,
) -> String {
    let pieces = Pieces::compile(template, environment, findings);
    let mut pair = String::new();
    super::target::encode_segment(&name.value, &mut pair);
    pair.push('=');
    let encode = super::target::encode_segment;
    if let Some(text) = fixed(&pieces, "a query value of an upstream", encode, findings) {
        pair.push_str(&text);
    }
    pair
}

/// The text of pieces without values; a finding for each value.
fn fixed(pieces: &Pieces, what: &str, encode: impl Fn(&str, &mut String), findings: &mut Findings) -> Option<String> {
    let mut fixed = true;
    for reference in pieces.references() {
        let message = format!("`{{{}}}` in {what}", reference.spelled());
        let help = "what changes with each request belongs to a source";
        findings.push(Finding::new(&crate::config::PLACEHOLDER_NOT_READ, reference.place, message).help(help));
        fixed = false;
    }
    let mut out = String::new();
    for piece in &pieces.pieces {
        match piece {
            super::piece::Piece::Literal(text) | super::piece::Piece::Public(text) => encode(text, &mut out),
            super::piece::Piece::Secret(secret) => encode(secret.expose(), &mut out),
            super::piece::Piece::Value(_) => {}
        }
    }
    fixed.then_some(out)
}

/// The origin of an address that is written, or comes from the environment, and the address itself; a finding if it is none.
pub fn origin_of(template: &Template, environment: &Environment, findings: &mut Findings) -> Option<(String, Url)> {
    let help = "an address is literal or comes from the environment: nothing from a request chooses where a call goes";
    let text = match without_request(template, help, environment, findings) {
        AddressText::Known(text) => text,
        // The rest of the site is checked as if it were set.
        AddressText::Unset => "http://unset.invalid/".to_owned(),
        AddressText::FromRequest => return None,
    };
    // Unlike the base of an upstream it may have a query.
    if !check_address(text.split_once('?').map_or(&text, |(address, _)| address), template, findings) {
        return None;
    }
    let url = Url::parse(&text).ok()?;
    Some((url.origin().ascii_serialization(), url))
}

/// A whole `url` as an origin and the rest: `https://host:port` must be literal.
pub(super) fn split_url(
    template: &Template,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<(String, Template)> {
    refuse_secrets(template, "`url`", environment, findings);
    let help = "scheme, host and port are literal: `https://api.example.com/repos/{params.name}`";
    let Some(Part::Literal(first)) = template.parts.first() else {
        findings.push(
            Finding::new(&code::BAD_ADDRESS, template.place, "a `url` that does not begin with its origin").help(help),
        );
        return None;
    };
    let after_scheme = first.find("://").map_or(0, |at| at + 3);
    let path = first.get(after_scheme..).and_then(|rest| rest.find(['/', '?', '#'])).map(|at| after_scheme + at);
    let end = match path {
        Some(end) => end,
        None if template.parts.len() == 1 => first.len(),
        None => {
            findings.push(
                Finding::new(&code::BAD_ADDRESS, template.place, "a placeholder in the origin of a `url`").help(help),
            );
            return None;
        }
    };
    let origin = first.get(..end).unwrap_or_default();
    if !check_address(origin, template, findings) {
        return None;
    }
    let mut rest = template.clone();
    match first.get(end..) {
        Some("") | None => drop(rest.parts.remove(0)),
        Some(tail) => rest.parts[0] = Part::Literal(tail.into()),
    }
    Some((origin.to_owned(), rest))
}
