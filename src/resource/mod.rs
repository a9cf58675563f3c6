//! Kinds of route: what a URL stands for, and how its representation is made from the data that a request gathered.
//!
//! It knows nothing of sockets, of the store or of other routes. A new kind is a variant of [`Resource`] with a file of its
//! own, and its key in [`Decl`].

mod cache;
mod code;
mod cors;
mod csp;
mod decl;
mod error_page;
pub mod form;
mod guard;
mod header;
mod layout;
mod proxy;
mod set_cookie;
mod tree;

pub use cache::{
    Auto, CacheSetting, Decl as CacheDecl, Freshness, Policy, ProfileDecl, Profiles, ProxyCache, TagHeader,
};
pub use code::CODES;
pub use code::{
    BAD_STATUS, CACHE_CONTRADICTION, CACHE_IMMUTABLE, CACHE_NO_USE, FILES_PATH, FOREIGN_KEY, NO_DOCUMENT, NO_FOLDER,
    NO_LAYOUT, OPEN_REDIRECT, OUTSIDE, POWERFUL_HEADER, RESERVED_HEADER, TWO_KINDS, UNKNOWN_LAYOUT,
};
pub use cors::Cors;
pub use csp::{Csp, Decl as CspDecl, PolicyField, Surroundings};
pub use decl::{
    CookieDecl, Decl, Forwarded, HeaderDecl, NotFoundDecl, Nulls, OnInvalid, ParamDecl, QueryDecl, RouteDecl, RuleDecl,
    SectionDecl, ThenDecl,
};
pub use error_page::{ErrorPage, ID_MARK};
pub use guard::{Claim, Guard, GuardDecl, GuardsDecl, Knowing, Refusal, Wanted, as_level, required};
pub use header::instead as instead_of_header;
pub use layout::Linked;
pub use proxy::{Proxy, ProxyTarget, TargetPart};
pub use set_cookie::{SameSite, SetCookie, SetCookieDecl};
pub use tree::{Tree, TreeDocument};

use crate::config::{Binding, Rules, Shape, Template};
use crate::value::Value;
use std::sync::Arc;

/// How declarations of routes merge: defaults, sections, the route.
pub const MERGE: Rules = Rules {
    whole: &["cache", "json", "form"],
    append: &["guard", "rules", "tests"],
    named: &[("sources", &crate::source::MERGE)],
    kinds: &[],
};

/// What a route stands for.
#[derive(Debug, Clone)]
pub enum Resource {
    /// Data merged into a layout at request time.
    Page(Linked),
    /// One Markdown document, rendered at load, in a layout.
    Document(Document),
    /// A tree of Markdown documents, rendered at load.
    Tree(Tree),
    /// The files below a folder of `content/`.
    Files(Folder),
    /// A declared JSON shape.
    Json(Json),
    /// Another URL.
    Redirect(Template<Binding>),
    /// The answers of an upstream.
    Proxy(Box<Proxy>),
}

/// A JSON answer.
#[derive(Debug, Clone)]
pub struct Json {
    /// What it is made of.
    pub shape: Shape<Binding>,
    /// What becomes of members that are null.
    pub nulls: Nulls,
}

/// A Markdown document.
#[derive(Debug, Clone)]
pub struct Document {
    /// The layout around it; without one, its HTML alone.
    pub layout: Option<Linked>,
    /// Its HTML, as markup.
    pub html: Value,
    /// The policy it is sent with, if any is.
    pub csp: Option<PolicyField>,
}

/// A folder of files.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its path below `content/`, without slashes at its ends.
    pub path: Arc<str>,
    /// The rest parameter that names the file.
    pub parameter: Arc<str>,
    /// The policy its HTML is sent with, if the route writes one.
    pub csp: Option<PolicyField>,
    /// Whether its files have URLs that name what they hold.
    pub has_versions: bool,
}
