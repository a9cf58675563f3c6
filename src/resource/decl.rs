//! What an author writes in a route's file, whatever the kind.

use super::form::{FormDecl, MethodsDecl};
use super::{cache, cors, csp, guard, set_cookie};
use crate::config::{
    Declared, Decode, Described, Named, Node, OneOrMany, Schema, Shape, Table, TableSchema, Template, Text, declare,
};
use crate::diagnostic::{Findings, Spanned};
use crate::router::Kind;
use crate::source;
use std::time::Duration;

declare! {
    /// A route. Its kind is the one key it has of `content`, `files`, `json`, `proxy` and `redirect`; without any it is a page.
    pub struct Decl {
        /// Its URL, or several of which the first is canonical. Without it, the place of the file.
        "path": path: Spanned<OneOrMany<Text>>,
        /// The host, or hosts, whose URL it is: it answers no other. Without it, all hosts of the site. A host is compared before the path.
        "host": host: Spanned<OneOrMany<Text>>,
        /// The layout that shows it, by its path in `layouts/`.
        "layout": layout: Spanned<String>,
        /// Its title: `page.title`.
        "title": title: Spanned<Template>,
        /// Its description: `page.description`.
        "description": description: Spanned<Template>,
        /// The status it answers with; default 200, for redirects 308.
        "status": status: Spanned<u16>,
        /// Header fields of its answers; null leaves one out, and `false` one that is inherited or sent by default.
        "headers": headers: Named<HeaderDecl>,
        /// The media type of its answers, when the layout's extension does not say it: one that values are escaped for, or plain data.
        "content-type": content_type: Spanned<String>,
        /// How long one request may take with everything; default `10s`.
        "deadline": deadline: Spanned<Duration>,
        /// Data of the author's own: `vars.name`.
        "vars": vars: Spanned<Table>,
        /// Types of the parameters in `path`.
        "params": params: Named<ParamDecl>,
        /// Query values that the route reads. Others do not exist for it.
        "query": query: Named<QueryDecl>,
        /// Cookies that the route reads. Others do not exist for it.
        "cookies": cookies: Named<CookieDecl>,
        /// Cookies that its answers set; with a form or methods, the answer to what somebody has sent and that was taken.
        "set-cookies": set_cookies: Named<set_cookie::SetCookieDecl>,
        /// Where its data comes from: `[sources.products]` is read as `products`.
        "sources": sources: Named<source::Decl>,
        /// What is decided once sources have settled, first to last.
        "rules": rules: Vec<RuleDecl>,
        /// What everybody downstream, and our own page store, may do with it: a table, or the name of a profile.
        "cache": cache: cache::Setting,
        /// Layouts of error pages by status: `404 = "errors/404.html"`, `5xx`.
        "errors": errors: Named<Spanned<String>>,
        /// A Markdown file below `content/`: the route is a document. A folder, with a path that ends in `{*page}`: a tree of them.
        "content": content: Spanned<String>,
        /// A folder below `content/` whose files are served byte for byte; with a path that ends in `{*file}`.
        "files": files: Spanned<String>,
        /// The shape of the JSON that it serves.
        "json": json: Spanned<Shape> as JsonShape,
        /// What people may send to a page, and what becomes of it: beside `layout`.
        "form": form: FormDecl,
        /// What programs may send to a JSON route, by method: beside `json`.
        "methods": methods: MethodsDecl,
        /// Whether members of its JSON that are null are kept or left out, at every depth; default `"keep"`. Nulls in lists stay.
        "nulls": nulls: Spanned<Nulls>,
        /// Which scripts of other sites may read its answers; none unless written.
        "cors": cors: cors::Decl,
        /// The `Content-Security-Policy` of its pages: what is added to the derived one; a string instead of it; `false` for none.
        "csp": csp: csp::Decl,
        /// Where it sends its visitors.
        "redirect": redirect: Spanned<Template>,
        /// The upstream whose answers it passes on, by its name in `[upstreams]`: every method, path, query, header field and body, through a
        /// shared cache as RFC 9111 has it.
        "proxy": proxy: Spanned<String>,
        /// The path that a proxy asks the upstream for: `"/{params.rest}"` leaves out what stands before `{*rest}` in `path`. Without it, the
        /// path of the request, octet by octet.
        "proxy-path": proxy_path: Spanned<Template>,
        /// Whether a proxy sends the `Host` of the request on instead of the upstream's own; default `false`.
        "preserve-host": preserve_host: Spanned<bool>,
        /// In which fields a proxy tells the upstream who asked, for which host and by which scheme: `"x-forwarded"` (`X-Forwarded-For`,
        /// `-Host`, `-Proto`), `"forwarded"` (RFC 7239) or `"none"`; default `"x-forwarded"`. What requests say of it is believed of
        /// `server.trusted-proxies` alone.
        "forwarded": forwarded: Spanned<Forwarded>,
        /// Whether a proxy adds itself to `Via` in both directions (RFC 9110, section 7.6.3); default `true`.
        "via": via: Spanned<bool>,
        /// Whether a proxy lets clients switch to WebSocket; default `false`.
        "websocket": websocket: Spanned<bool>,
        /// Who may have what it answers; `false` opens it to everybody. Guards of `[defaults]`, of its sections and of the route must all hold.
        "guard": guard: guard::GuardsDecl,
        /// What becomes of a request that a page or JSON has no answer to: instead of its 404, `{ proxy = "old" }` passes it on to an upstream.
        "on-not-found": on_not_found: NotFoundDecl,
    }
}

declare! {
    /// What becomes of a request that a route has no answer to.
    pub struct NotFoundDecl requires ["proxy"] {
        /// The upstream whose answer is passed on, by its name in `[upstreams]`.
        "proxy": proxy: Spanned<String>,
    }
}

/// The keys of which each makes a route of a kind.
const KINDS: &[&str] = &["content", "files", "json", "proxy", "redirect"];

/// What a route's file may hold: its keys, of which those that make a kind exclude each other.
pub struct RouteDecl;

impl Described for RouteDecl {
    fn schema() -> Schema {
        let schema = Decl::schema();
        if let Schema::Table(table) = schema {
            Schema::Table(TableSchema { exclusive: KINDS, ..table })
        } else {
            schema
        }
    }
}

/// What may be written for the JSON of an answer.
struct JsonShape;

impl Described for JsonShape {
    fn schema() -> Schema {
        Schema::MappedData
    }
}

/// A header field of an answer.
#[derive(Debug, Clone)]
pub enum HeaderDecl {
    /// Its value.
    Value(Template),
    /// It is not sent, whoever would.
    Removed,
}

impl HeaderDecl {
    /// Its value, if it has one.
    pub fn value(&self) -> Option<&Template> {
        match self {
            Self::Value(template) => Some(template),
            Self::Removed => None,
        }
    }
}

impl Described for HeaderDecl {
    fn schema() -> Schema {
        Template::schema()
    }
}

impl Decode for HeaderDecl {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if node.is_false() { Some(Self::Removed) } else { Template::decode(node, findings).map(Self::Value) }
    }
}

/// What a section and `[defaults]` may hold: the keys of a route, but for the one that no two routes can share.
pub struct SectionDecl;

impl Described for SectionDecl {
    fn schema() -> Schema {
        Schema::Table(TableSchema {
            id: concat!(module_path!(), "::Section"),
            docs: "What routes begin with. A route's own keys come last.",
            keys: || Decl::keys().into_iter().filter(|key| key.name != "path").collect(),
            required: &[],
            exclusive: &[],
            open: false,
        })
    }
}

declare! {
    /// The type of a path parameter. A value that does not fit is a 404.
    pub struct ParamDecl {
        /// `"string"`, `"int"`, `"uuid"`, `"slug"`, `"date"` or `"path"`; default string.
        "type": kind: Spanned<String> as InputKind,
        /// A regular expression that the whole value matches.
        "pattern": pattern: Spanned<String>,
        /// The only values there are.
        "enum": choices: Spanned<Vec<String>>,
        /// The least integer.
        "min": min: Spanned<i64>,
        /// The greatest integer.
        "max": max: Spanned<i64>,
        /// The most characters.
        "max-length": max_length: Spanned<usize>,
    }
}

/// The name of a type of input.
struct InputKind;

impl Described for InputKind {
    fn schema() -> Schema {
        Schema::words(Kind::NAMES.iter().map(|(name, _)| *name))
    }
}

declare! {
    /// A query value that the route reads.
    pub struct QueryDecl {
        ..kind: ParamDecl,
        /// The value when the query has none.
        "default": default: Node,
        /// Whether it is a list: every pair of its name counts.
        "repeat": repeat: Spanned<bool>,
        /// How many items the list may have; default 32.
        "max-items": max_items: Spanned<usize>,
        /// Its name in the URL, when that differs.
        "name": name: Spanned<String>,
        /// What a misfit means: `"default"` (as if absent), `"not-found"` or `"bad-request"`.
        "on-invalid": on_invalid: Spanned<OnInvalid>,
    }
}

crate::config::words! {
    /// What becomes of members of a JSON answer that are null.
    pub enum Nulls {
        /// They are written.
        "keep": Keep,
        /// They are left out.
        "drop": Drop,
    }
}

crate::config::words! {
    /// In which fields a proxy tells the upstream who asked.
    pub enum Forwarded {
        /// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
        "x-forwarded": XForwarded,
        /// `Forwarded` (RFC 7239).
        "forwarded": Forwarded,
        /// In none.
        "none": None,
    }
}

crate::config::words! {
    /// What a query value that does not fit its type means.
    pub enum OnInvalid {
        /// It counts as absent.
        "default": Default,
        /// 404.
        "not-found": NotFound,
        /// 400.
        "bad-request": BadRequest,
    }
}

declare! {
    /// A cookie that the route reads. With an `enum` it is one of few variants of a page; without, it makes the page personal.
    pub struct CookieDecl {
        ..kind: ParamDecl,
        /// The value when the request has none, or none that fits.
        "default": default: Node,
        /// Its name in the request, when that differs.
        "name": name: Spanned<String>,
    }
}

declare! {
    /// A rule: what happens instead of the page if a condition holds.
    pub struct RuleDecl requires ["if", "then"] {
        /// The condition, in Liquid's words: `repo.archived and vars.strict`.
        "if": condition: Text,
        /// What happens if it holds: `{ redirect = "/archive" }`, `{ status = 404 }`, `{ status = 410, layout = "gone.html" }`.
        "then": then: ThenDecl,
    }
}

declare! {
    /// What a rule does.
    pub struct ThenDecl {
        /// Sends the visitor elsewhere, with 302 unless `status` says otherwise.
        "redirect": redirect: Spanned<Template>,
        /// The status of the answer.
        "status": status: Spanned<u16>,
        /// The layout of the answer; else the error page of that status.
        "layout": layout: Spanned<String>,
    }
}
