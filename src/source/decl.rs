//! What an author writes below `[sources.name]`, whatever the kind.

use super::body::SendingDecl;
use super::each::EachDecl;
use super::extraction::Extract;
use super::keep::Setting as KeepSetting;
use super::list;
use super::outcome::{OnError, OnNotFound, OnUnauthorized};
use super::upstream::CallingDecl;
use crate::config::{Described, Named, Node, Schema, Shape, Template, declare};
use crate::diagnostic::Spanned;

declare! {
    /// A source of data. Its kind is the one key it has of `url`, `upstream`, `route`, `file`, `content` and `value`.
    pub struct Decl {
        ..calling: CallingDecl,
        ..sending: SendingDecl,
        ..each: EachDecl,
        ..listing: list::Decl,
        /// The whole address to call. Scheme, host and port are literal; path and query may hold placeholders.
        "url": url: Spanned<Template>,
        /// The upstream to call, by its name in `[upstreams]`; with `path`.
        "upstream": upstream: Spanned<String>,
        /// The path below the upstream's `base-url`.
        "path": path: Spanned<Template>,
        /// A data file below `content/`, read at load: JSON, TOML, YAML or CSV by its extension. Parameters with an `enum` may stand in it.
        "file": file: Spanned<Template>,
        /// Documents below `content/` as a list: `"blog/**"`, or `"blog/*"` for those in the folder itself.
        "content": content: Spanned<String>,
        /// A JSON route of this site, by its path with placeholders: asked in process, with `query`. What it reads of the visitor's request, and whether it is personal, holds for the page, too.
        "route": route: Spanned<Template>,
        /// Data written here: any TOML, its strings with placeholders.
        "value": value: Spanned<Shape>,
        /// Query values of the call. A list repeats its key; null leaves it out.
        "query": query: Named<Node> as Named<QueryValue>,
        /// Header fields of the call. Null leaves one out.
        "headers": headers: Named<Template>,
        /// Header fields of the visitor's request to send along.
        "forward-headers": forward_headers: Vec<Spanned<String>>,
        /// Cookies of the visitor's request to send along; makes the source personal.
        "forward-cookies": forward_cookies: Vec<Spanned<String>>,
        /// What is taken from the answer, field by field; or one selector for the whole value.
        "extract": extract: Node as Extract,
        /// What siteserver keeps of its answers, as the cache in front of the upstream: `true` or `"upstream"` for what the upstream lets caches keep
        /// (RFC 9111), the name of a profile, or a table; `false` for nothing. Default: what the upstream's own `cache` says, or nothing.
        "cache": cache: Node as KeepSetting,
        /// A sample of an answer, a file below the site's folder: what `extract` does not find in it is told when the site is checked. Never served.
        "sample": sample: Spanned<String>,
        /// Whether all it gives is written by people who may write the site, so that `| raw` on it is no mistake. Default `false`.
        "trust": trust: Spanned<bool>,
        /// Whether the page does without it: every trouble leaves it `nil`.
        "optional": optional: Spanned<bool>,
        /// What stands for it in trouble; has the extracted shape.
        "fallback": fallback: Spanned<Node>,
        /// What an error becomes: `"fail"`, `"fallback"` or `"omit"`.
        "on-error": on_error: Spanned<OnError>,
        /// What an absence (404, 410) becomes: `"not-found"`, `"fallback"`, `"omit"` or `"fail"`.
        "on-not-found": on_not_found: Spanned<OnNotFound>,
        /// What a refusal of the visitor's credential (401, 403) becomes: `"status"`, `{ redirect = "/login" }`, `"omit"` or `"fail"`.
        "on-unauthorized": on_unauthorized: Spanned<OnUnauthorized>,
    }
}

/// What may be written for a query value: a scalar, or a list of them.
#[derive(Debug)]
pub struct QueryValue;

impl Described for QueryValue {
    fn schema() -> Schema {
        let scalar = || vec![Template::schema(), Schema::Number, Schema::Boolean];
        let mut either = scalar();
        either.push(Schema::Array(Box::new(Schema::Either(scalar()))));
        Schema::Either(either)
    }
}

impl Decl {
    /// Whether it has a key that says what it is.
    pub fn has_kind(&self) -> bool {
        let Self { url, upstream, file, content, route, value, .. } = self;
        let text = upstream.is_some() || content.is_some();
        let template = url.is_some() || file.is_some() || route.is_some();
        text || template || value.is_some()
    }
}
