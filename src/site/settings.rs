//! What `site.toml` says of the server: where it listens, what it logs, its limits.

use super::auth::{AuthDecl, CookieKeysDecl};
use super::code;
use crate::cache::StoreLimits;
use crate::config::{Described, Named, Node, Schema, Secret, Size, Within, declare, words};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::fields::TrustedProxies;
use crate::resource;
use crate::source::{AnswerLimits, UpstreamDecl};
use std::time::Duration;

declare! {
    /// The file `site.toml`. Everything in it is optional.
    pub(super) struct Decl {
        /// The edition of the language: `"2026"`.
        "edition": edition: Spanned<String> as Edition,
        /// The site: its name, its address, its language.
        "site": site: SiteDecl,
        /// The server: where it listens, how many threads it has, whom it believes.
        "server": server: ServerDecl,
        /// A second listener, for those who run the server: purges, metrics, its state.
        "admin": admin: AdminDecl,
        /// What is logged, and in which form.
        "log": log: LogDecl,
        /// How much of everything is allowed: sizes, times and counts, each with a default.
        "limits": limits: LimitsDecl,
        /// The servers that sources call, by name: `[upstreams.shop]` with its `base-url`.
        "upstreams": upstreams: Named<UpstreamDecl>,
        /// What is said of variables of the environment, by name.
        "env": env: Named<VariableDecl>,
        /// By what it is known who a visitor is.
        "auth": auth: AuthDecl,
        /// The keys of cookies that are signed or sealed.
        "cookie-keys": cookie_keys: CookieKeysDecl,
        /// Cache policies by name, for `cache = "name"`.
        "cache-profiles": cache_profiles: Named<Node> as Named<resource::ProfileDecl>,
        /// What every route begins with: the keys of a route, for all of them. Sections and routes say otherwise.
        "defaults": defaults: Node as resource::SectionDecl,
    }
}

/// The edition of the language that this version knows.
pub(super) const EDITION: &str = "2026";

/// The edition of the language.
struct Edition;

impl Described for Edition {
    fn schema() -> Schema {
        Schema::words([EDITION])
    }
}

declare! {
    /// A variable of the environment.
    pub(super) struct VariableDecl {
        /// Whether it is no secret, and may be read wherever a placeholder is, and in layouts: `env.NAME`; default `false`.
        "public": public: Spanned<bool>,
        /// What stands for it if it is not set. Without one, a public variable that is read and not set is an error.
        "default": default: Spanned<String>,
    }
}

declare! {
    /// The site.
    pub(super) struct SiteDecl {
        /// Its name: `site.name`.
        "name": name: Spanned<String>,
        /// Where it is seen from outside: `https://example.com`. Absolute URLs begin with it, and requests for other hosts are refused.
        "url": url: Spanned<crate::config::Template>,
        /// Other hosts that lead here: they are redirected to `url`.
        "aliases": aliases: Vec<Spanned<String>>,
        /// Its language, a tag such as `"de-AT"`: `site.language`; default the first of `languages`, else `"en"`.
        "language": language: Spanned<String>,
        /// The languages that it is written in: `site.languages`. `request.language` is the one of them that the visitor prefers.
        "languages": languages: Spanned<Vec<Spanned<String>>>,
        /// How the filter `money` writes amounts: markup around one of `{{ amount }}`, `{{ amount_no_decimals }}` and their forms; default `"{{ amount }}"`.
        "money-format": money_format: Spanned<String>,
        /// How the filter `money_with_currency` writes them, as in `"${{ amount }} CAD"`; default `money-format`.
        "money-with-currency-format": money_with_currency_format: Spanned<String>,
        /// Whether canonical URLs end in a slash: `"never"` (the default) or `"always"`.
        "trailing-slash": trailing_slash: Spanned<Slash>,
    }
}

words! {
    /// Whether canonical URLs end in a slash.
    pub(super) enum Slash {
        /// `/about`; `/about/` leads there.
        "never": Never,
        /// `/about/`; `/about` leads there.
        "always": Always,
    }
}

declare! {
    /// The server.
    pub(super) struct ServerDecl {
        /// Where it listens: `"IP:port"` or `"unix:/path"`; default `["127.0.0.1:4000"]`.
        "listen": listen: Spanned<Vec<Spanned<crate::config::Template>>>,
        /// Whether edits are noticed by themselves; default `true`.
        "watch": watch: Spanned<bool>,
        /// How many threads serve; default `TOKIO_WORKER_THREADS`, else the number of cores.
        "workers": workers: Spanned<Within<1, 1024>>,
        /// The proxies before the server: addresses (`"192.0.2.1"`), networks (`"10.0.0.0/8"`), and `"unix:"` for all who come by a Unix
        /// socket. What they say in `Forwarded` and `X-Forwarded-For` is believed, and `connections-per-address` does not bind them;
        /// default none.
        "trusted-proxies": trusted_proxies: Vec<Spanned<String>>,
    }
}

declare! {
    /// A second listener, for those who run the server: purges, metrics, its state.
    pub(super) struct AdminDecl {
        /// Where it listens: `"IP:port"` or `"unix:/path"`, a socket for the server's own user alone; default none: there is no such listener.
        "listen": listen: Spanned<crate::config::Template>,
        /// What must be sent as `Authorization: Bearer …`, of 16 bytes or more, as in `"{env.ADMIN_TOKEN}"`; default none, which only a
        /// loopback address or a socket may have.
        "token": token: Spanned<crate::config::Template>,
    }
}

declare! {
    /// What is logged.
    pub(super) struct LogDecl {
        /// Where requests are logged: `"stdout"` (the default) or `"off"`.
        "access": access: Spanned<AccessLog>,
        /// How: `"auto"` (text on a terminal, else JSON), `"json"` or `"text"`.
        "format": format: Spanned<LogFormat>,
    }
}

words! {
    /// Where requests are logged.
    pub enum AccessLog {
        /// One line each on the standard output.
        "stdout": Stdout,
        /// Nowhere.
        "off": Off,
    }
}

words! {
    /// How requests are logged.
    pub enum LogFormat {
        /// Text on a terminal, else JSON.
        "auto": Auto,
        /// One JSON object a line.
        "json": Json,
        /// One line of text.
        "text": Text,
    }
}

declare! {
    /// How much of everything is allowed.
    pub struct LimitsDecl {
        /// Bytes of a request's head; default 32 KiB.
        "request-head": request_head: Spanned<Size>,
        /// Bytes of a request's target; default 8 KiB.
        "request-uri": request_uri: Spanned<Size>,
        /// Header fields of a request; default 100.
        "request-headers": request_headers: usize,
        /// Until the first byte and the whole head of a request; default 10 s.
        "head-timeout": head_timeout: Duration,
        /// While a client does not read its answer; default 30 s.
        "write-stall": write_stall: Duration,
        /// Between requests of a connection; default 60 s.
        "idle": idle: Duration,
        /// While a request's body does not go on; default 10 s.
        "body-stall": body_stall: Duration,
        /// For a whole request body; default 30 s.
        "body-total": body_total: Duration,
        /// Connections at once; default 10,000.
        "connections": connections: usize,
        /// Connections of one address at once, loopback excepted; default 256.
        "connections-per-address": connections_per_address: usize,
        /// For requests under way when the server stops; default 30 s.
        "drain": drain: Duration,
        /// Until the first byte of an upstream's answer; default 5 s.
        "upstream-first-byte": upstream_first_byte: Duration,
        /// Bytes of an upstream's body as sent; default 2 MiB.
        "upstream-body": upstream_body: Spanned<Size>,
        /// Bytes of an upstream's body once decoded; default 8 MiB.
        "upstream-decoded": upstream_decoded: Spanned<Size>,
        /// Values in an upstream's JSON; default 200,000.
        "json-nodes": json_nodes: usize,
        /// Bytes of a rendered page; default 4 MiB.
        "render-output": render_output: Size,
        /// Iterations of all loops of one page; default 100,000.
        "render-iterations": render_iterations: usize,
        /// Bytes of the page store, a quarter of them for the data of upstreams as it was read; default 64 MiB.
        "memory-store": memory_store: Spanned<Size>,
        /// Bytes of one entry; default 1 MiB.
        "store-entry": store_entry: Spanned<Size>,
        /// For one request with everything, unless its route says otherwise; default 10 s.
        "deadline": deadline: Duration,
    }
}

/// What `site.toml` says of the server, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens: `IP:port` or `unix:/path`, checked.
    pub listen: Vec<String>,
    /// The listener for those who run it.
    pub admin: Option<Admin>,
    /// Whether edits are noticed by themselves.
    pub watch: bool,
    /// How many threads serve.
    pub workers: Option<usize>,
    /// The proxies that are believed.
    pub trusted_proxies: TrustedProxies,
    /// Where requests are logged.
    pub access: AccessLog,
    /// How.
    pub format: LogFormat,
    /// The limits.
    pub limits: Limits,
}

/// The listener for those who run the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens: `IP:port` or `unix:/path`, checked.
    pub listen: String,
    /// What its clients must know.
    pub token: Option<Token>,
}

/// What the clients of the admin listener must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The variable of the environment that it is in.
    pub variable: String,
    /// The token; empty if the variable is not set, which only commands that serve nothing let pass.
    pub secret: Secret,
}

/// The limits of `[limits]`, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's head.
    pub request_head: usize,
    /// Bytes of a request's target.
    pub request_uri: usize,
    /// Header fields of a request.
    pub request_headers: usize,
    /// Until the first byte and the whole head of a request.
    pub head_timeout: Duration,
    /// While a client does not read its answer.
    pub write_stall: Duration,
    /// Between requests of a connection.
    pub idle: Duration,
    /// While a request's body does not go on.
    pub body_stall: Duration,
    /// For a whole request body.
    pub body_total: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub connections_per_address: usize,
    /// For requests under way when the server stops.
    pub drain: Duration,
    /// Of upstreams' answers.
    pub answer: AnswerLimits,
    /// Of one render.
    pub render: crate::render::Limits,
    /// Of the page store.
    pub store: StoreLimits,
    /// For one request with everything.
    pub deadline: Duration,
}

/// How `site.toml` merges with `--set`.
pub(super) const MERGE: crate::config::Rules =
    crate::config::Rules { whole: &[], append: &[], named: &[("defaults", &resource::MERGE)], kinds: &[] };

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Finds limits of which the smaller is always reached first.
pub(super) fn check_limits(decl: &LimitsDecl, findings: &mut Findings) {
    for (small_key, small, large_key, large) in [
        ("store-entry", decl.store_entry, "memory-store", decl.memory_store),
        ("upstream-body", decl.upstream_body, "upstream-decoded", decl.upstream_decoded),
        ("request-uri", decl.request_uri, "request-head", decl.request_head),
    ] {
        if let (Some(small), Some(large)) = (small, large)
            && small.value.0 > large.value.0
        {
            let message = format!("`{small_key}` is above `{large_key}`, of which it is a part");
            findings.push(
                Finding::new(&code::LIMITS_CONTRADICTION, small.place, message)
                    .related(large.place, "reached first")
                    .help(format!("lower `{small_key}`, or raise `{large_key}`")),
            );
        }
    }
}

impl Limits {
    /// What is written, and the defaults for the rest.
    pub fn compile(decl: Option<&LimitsDecl>) -> Self {
        let bytes = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
        let plain =
            |written: fn(&LimitsDecl) -> Option<Size>, default: usize| decl.and_then(written).map_or(default, bytes);
        let size = |written: fn(&LimitsDecl) -> Option<Spanned<Size>>, default: usize| {
            decl.and_then(written).map_or(default, |size| bytes(size.value))
        };
        let time = |written: fn(&LimitsDecl) -> Option<Duration>, default| decl.and_then(written).unwrap_or(default);
        let count = |written: fn(&LimitsDecl) -> Option<usize>, default| decl.and_then(written).unwrap_or(default);
        let mut answer = AnswerLimits::default();
        answer.body.raw = size(|decl| decl.upstream_body, answer.body.raw);
        answer.body.decoded = size(|decl| decl.upstream_decoded, answer.body.decoded);
        answer.json.nodes = count(|decl| decl.json_nodes, answer.json.nodes);
        answer.first_byte = decl.and_then(|decl| decl.upstream_first_byte);
        let mut render = crate::render::Limits::default();
        render.output_bytes = plain(|decl| decl.render_output, render.output_bytes);
        render.iterations = count(|decl| decl.render_iterations, render.iterations);
        let mut store = StoreLimits::default();
        let stored = |written: Option<Spanned<Size>>, default: u64| written.map_or(default, |size| size.value.0);
        store.capacity = stored(decl.and_then(|decl| decl.memory_store), store.capacity);
        store.entry = stored(decl.and_then(|decl| decl.store_entry), store.entry);
        Self {
            request_head: size(|decl| decl.request_head, 32 << 10),
            request_uri: size(|decl| decl.request_uri, 8 << 10),
            request_headers: count(|decl| decl.request_headers, 100),
            head_timeout: time(|decl| decl.head_timeout, seconds(10)),
            write_stall: time(|decl| decl.write_stall, seconds(30)),
            idle: time(|decl| decl.idle, seconds(60)),
            body_stall: time(|decl| decl.body_stall, seconds(10)),
            body_total: time(|decl| decl.body_total, seconds(30)),
            connections: count(|decl| decl.connections, 10_000),
            connections_per_address: count(|decl| decl.connections_per_address, 256),
            drain: time(|decl| decl.drain, seconds(30)),
            answer,
            render,
            store,
            deadline: time(|decl| decl.deadline, seconds(10)),
        }
    }
}
