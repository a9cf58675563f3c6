//! Declarations compiled, linked and analysed into one immutable [`Site`].
//!
//! No connection, lock, cache or clock inside: a `Site` is data. Two loads of equal files give equal sites.
//!
//! [`load()`] reads the tree, merges and compiles each route, links names to slots and ids, plans the order of sources, and
//! derives what a page reads: its key, its `Vary`, its privacy. What is wrong is found all at once.

mod auth;
mod code;
mod declaration;
mod draft;
mod inputs;
mod intake;
mod languages;
mod load;
mod memory;
mod places;
mod routers;
mod settings;
pub mod slots;
mod variant;

pub use crate::identity::{Identities, Identity, Seal};
pub use auth::{Auth, Basic, FetchedKeys, ForwardAuth, Jwt, Keys};
pub use code::CODES;
pub use declaration::Declaration;
pub use draft::{Called, Certainty, Draft, Outline, RouteOutline};
pub use inputs::{CookieInput, FLASH_COOKIE, Inputs, QueryInput, RequestReads, Writing};
pub use intake::{Intake, RateLimit, RepeatKey, Send, SendBody, Success};
pub use languages::Languages;
pub use memory::Memory;
pub use places::Places;
pub use routers::{Held, Routers};
pub use settings::{AccessLog, Admin, Limits, LogFormat, Settings, Token};
pub use variant::{Credentials, Variant};

use crate::config::{Binding, ContentFile, Environment, Origin, Template, Tripwire};
use crate::diagnostic::{FileId, Files, Findings, Place, Spanned};
use crate::identity::CookieKeys;
use crate::render::{AssetUrls, Condition};
use crate::resource::{Cors, ErrorPage, Guard, Linked, Policy, Proxy, Resource, SetCookie};
use crate::router::{Hosts, Methods, Pattern};
use crate::search::Index;
use crate::source::{Source, Step, Upstreams};
use crate::value::{Object, Value};
use http::header::HeaderName;
use http::{HeaderValue, StatusCode};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What filters know of a site of this URL, this way of writing money, and these published files.
#[must_use]
pub fn known<'s>(
    url: Option<&'s str>,
    money: &'s crate::render::MoneyFormats,
    assets: Option<&'s AssetUrls>,
) -> crate::render::Site<'s> {
    crate::render::Site { url, money: Some(money), markdown: Some(crate::extract::markdown::untrusted), assets }
}

/// A whole site: everything that requests are answered from.
#[derive(Debug)]
pub struct Site {
    /// Where its files are.
    pub origin: Origin,
    /// The files of it that lie beside its folders, and were read: schemas, samples, keys, users.
    pub beside: BTreeSet<String>,
    /// What `site.toml` says of the server.
    pub settings: Settings,
    /// `site.url` without its final slash: what absolute URLs begin with.
    pub url: Option<Arc<str>>,
    /// The languages that it is written in.
    pub languages: Languages,
    /// How amounts of money are written: `site.money-format` and `site.money-with-currency-format`.
    pub money: crate::render::MoneyFormats,
    /// Which hosts are ours.
    pub hosts: Hosts,
    /// Which route a target belongs to, by position in `routes`.
    pub routers: Routers,
    /// The routes.
    pub routes: Vec<Route>,
    /// The upstreams that sources call.
    pub upstreams: Upstreams,
    /// By what it is known who somebody is.
    pub auth: Auth,
    /// The keys of cookies that are signed or sealed.
    pub cookie_keys: Option<CookieKeys>,
    /// Files below `content/`, sorted by path.
    pub content: Vec<ContentFile>,
    /// The URLs of those that layouts ask for.
    pub assets: AssetUrls,
    /// Error pages for requests that belong to no route.
    pub errors: SectionErrors,
    /// Finds the secrets that the site sends to its upstreams, in what is made for visitors.
    pub tripwire: Arc<Tripwire>,
    /// Changes whenever anything that any page is made from changes.
    pub revision: u64,
    /// Where the keys of `site.toml` were written.
    pub places: Places,
}

/// One route.
#[derive(Debug)]
pub struct Route {
    /// Its file, relative to the site: `routes/repo.toml`. Its name in logs and reports.
    pub name: Arc<str>,
    /// Its file.
    pub file: FileId,
    /// Its patterns, the canonical one first.
    pub patterns: Vec<String>,
    /// The first of several patterns, whose URL `page.url` says; `None` if there is only one.
    pub canonical: Option<Pattern>,
    /// The hosts that it answers, in lower case; every host of the site, if there are none.
    pub hosts: Vec<Arc<str>>,
    /// What its absolute URLs begin with: `site.url`, but for the host, if it names one.
    pub origin: Option<Arc<str>>,
    /// The names of its parameters, sorted.
    pub params: Vec<Arc<str>>,
    /// What it stands for.
    pub resource: Resource,
    /// What it reads of a request.
    pub inputs: Inputs,
    /// Where its data comes from: only sources that something reads, in the order of their names.
    pub sources: Vec<Planned>,
    /// What is decided once sources have settled, first to last.
    pub rules: Vec<Rule>,
    /// The slots that are the same for every request: [`slots::SITE`], [`slots::VARS`], and `null` for the others up to
    /// [`slots::FIRST_SOURCE`] plus the number of sources. [`slots::CONTENT`] holds a document's HTML, [`slots::DEGRADED`] a
    /// list without items.
    pub constants: Vec<Value>,
    /// What `page` holds, with nulls for what a request brings: `path`, `url`, and title and description that change.
    pub page: Object,
    /// `page.title`, if it is not the same for every request.
    pub title: Option<Template<Binding>>,
    /// `page.description`, likewise.
    pub description: Option<Template<Binding>>,
    /// The status of its answers.
    pub status: StatusCode,
    /// The media type of its answers; `None` for files, whose extension says it, and redirects, which have none.
    pub content_type: Option<HeaderValue>,
    /// Header fields of its answers that are the same each time.
    pub fixed_headers: Vec<(HeaderName, HeaderValue)>,
    /// Header fields that are not sent, though others like it send them.
    pub removed_headers: Vec<HeaderName>,
    /// Header fields of its answers that hold placeholders.
    pub headers: Vec<(HeaderName, Template<Binding>)>,
    /// What its answers may be used for.
    pub policy: Policy,
    /// The same of those to requests that carry no credential, if it is personal and these share their answers all the same.
    pub anonymous: Option<Box<Policy>>,
    /// The value of `Vary`, without `accept-encoding`.
    pub vary: Vec<HeaderName>,
    /// Whose data its answers hold.
    pub privacy: Privacy,
    /// Cookies that its answers set.
    pub set_cookies: Vec<SetCookie>,
    /// Who may have what it answers: all of them must let somebody in, the outermost first.
    pub guards: Vec<Guard>,
    /// What requests may carry by which its guards know who asks, and by which it knows that if it reads it.
    pub known_by: Credentials,
    /// What it takes from its visitors, by method.
    pub intakes: Vec<Intake>,
    /// Which methods it answers.
    pub methods: Methods,
    /// What passes on the requests that it has no answer to.
    pub otherwise: Option<Box<Proxy>>,
    /// Which scripts of other sites may read its answers.
    pub cors: Option<Box<Cors>>,
    /// Its error pages.
    pub errors: ErrorPages,
    /// How long one request may take.
    pub deadline: Duration,
    /// Changes whenever anything that its pages are made from changes, but for the documents of a tree; part of its keys.
    pub revision: u64,
    /// What all its pages are made from, by kind and name: `layout:page.html`, `source:repo`; and the tags that it declares.
    pub tags: Vec<Arc<str>>,
    /// Declared tags with placeholders.
    pub changing_tags: Vec<Template<Binding>>,
    /// Where its keys were written, those that it inherits among them.
    pub places: Places,
}

/// A source and its place in the plan.
#[derive(Debug)]
pub struct Planned {
    /// The source. Its slot is [`slots::FIRST_SOURCE`] plus its position.
    pub source: Source<Binding>,
    /// The positions of the sources that it mentions, and that must have settled before it runs.
    pub after: Box<[usize]>,
    /// Whether its call carries anything of one person's, so that no two people may share it.
    pub personal: bool,
    /// Whether nobody but a guard asks it, or what is sent to the route: a page is made without it.
    pub is_of_guard: bool,
    /// By what of a request it knows who asks, if a guard asks it.
    pub speaks_for: Option<Credentials>,
}

/// A rule: what happens instead of the page if a condition holds.
#[derive(Debug)]
pub struct Rule {
    /// The condition as its author wrote it.
    pub written: Spanned<String>,
    /// The condition.
    pub condition: Condition,
    /// The slot of each of the condition's roots.
    pub slots: Box<[Option<usize>]>,
    /// The positions of the sources that must have settled before it is decided.
    pub after: Box<[usize]>,
    /// What happens.
    pub then: Then,
}

/// What a rule does.
#[derive(Debug)]
pub enum Then {
    /// Sends the visitor elsewhere.
    Redirect {
        /// Where.
        target: Template<Binding>,
        /// With which status.
        status: StatusCode,
        /// The positions of the sources that the target mentions.
        after: Box<[usize]>,
    },
    /// Answers with the error page of this status.
    Status(StatusCode),
    /// Answers with this status and this layout.
    Layout {
        /// The status.
        status: StatusCode,
        /// The layout.
        layout: Linked,
    },
}

/// Whose data a route's answers hold.
#[derive(Debug, Clone)]
pub enum Privacy {
    /// Nobody's: equal keys give equal bytes.
    Public,
    /// One person's.
    Personal {
        /// The whole way from there to the page, step by step.
        path: Vec<Step>,
        /// Where the page reads the last of them.
        place: Place,
        /// All that says who asks.
        credentials: Credentials,
        /// Why requests without credentials have no answers to share, and where; nothing if they have.
        obstacles: Vec<Spanned<String>>,
    },
}

/// Error pages by status.
#[derive(Debug, Clone, Default)]
pub struct ErrorPages(Vec<Arc<ErrorPage>>);

impl ErrorPages {
    /// These pages; the first of a status counts.
    pub fn new(pages: Vec<Arc<ErrorPage>>) -> Self {
        Self(pages)
    }

    /// Without those that hold a secret: ours stand for them.
    fn withhold(&mut self, tripwire: &Tripwire) {
        if !tripwire.is_idle() {
            self.0.retain(|page| !page.holds_secret(tripwire));
        }
    }

    /// The declared pages.
    pub fn iter(&self) -> impl Iterator<Item = &ErrorPage> {
        self.0.iter().map(|page| &**page)
    }

    /// The page for `status`; ours if the site declares none.
    pub fn page(&self, status: StatusCode) -> Arc<ErrorPage> {
        let declared = self.0.iter().find(|page| page.status == status);
        declared.map_or_else(|| Arc::new(ErrorPage::plain(status)), Arc::clone)
    }
}

/// The error pages of sections, for URLs below their folders that belong to no route.
#[derive(Debug, Clone, Default)]
pub struct SectionErrors(Vec<(String, ErrorPages)>);

impl SectionErrors {
    /// The pages of each folder of `routes/`: `docs/guide`, and the empty name for all.
    pub fn new(mut folders: Vec<(String, ErrorPages)>) -> Self {
        folders.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Self(folders)
    }

    /// The pages for `path`: those of the innermost folder around it.
    pub fn around(&self, path: &str) -> &ErrorPages {
        static NONE: ErrorPages = ErrorPages(Vec::new());
        let path = path.strip_prefix('/').unwrap_or(path);
        let is_below = |folder: &str| {
            let rest = path.strip_prefix(folder);
            folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().find(|(folder, _)| is_below(folder)).map_or(&NONE, |(_, pages)| pages)
    }

    fn withhold(&mut self, tripwire: &Tripwire) {
        self.0.iter_mut().for_each(|(_, pages)| pages.withhold(tripwire));
    }

    /// The pages of every folder.
    pub fn all(&self) -> impl Iterator<Item = &ErrorPages> {
        self.0.iter().map(|(_, pages)| pages)
    }
}

impl Site {
    /// Takes away what was made at load and holds a secret.
    fn withhold(&mut self) {
        self.errors.withhold(&self.tripwire);
        self.routes.iter_mut().for_each(|route| route.errors.withhold(&self.tripwire));
    }
}

impl Site {
    /// The bytes of memory that the indexes of what can be searched take; what several routes share counts once.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        let sources = self.routes.iter().flat_map(|route| &route.sources);
        let indexes = sources.filter_map(|planned| planned.source.listing.as_ref()?.index());
        let mut counted: Vec<&Arc<Index>> = Vec::new();
        for index in indexes {
            if !counted.iter().any(|known| Arc::ptr_eq(known, index)) {
                counted.push(index);
            }
        }
        counted.into_iter().map(|index| index.bytes()).sum()
    }
}

impl Route {
    /// How many slots a request's data has.
    pub fn slot_count(&self) -> usize {
        slots::FIRST_SOURCE + self.sources.len()
    }
}

/// What loading a site came to.
#[derive(Debug)]
pub struct Loaded {
    /// The site; `None` if any finding is an error.
    pub site: Option<Site>,
    /// All that is wrong with it, in the order of files and places.
    pub findings: Findings,
    /// The texts that the findings point into.
    pub files: Files,
}

/// Reads, compiles, links and analyses the site at `origin`, often the path of a `site.toml`, with the `--set` arguments `sets` merged last.
pub fn load(origin: impl Into<Origin>, sets: &[String], environment: &Environment) -> Loaded {
    load_again(origin, sets, environment, &Memory::default())
}

/// The same, doing again only what changed since the last load that was given this `memory`.
pub fn load_again(origin: impl Into<Origin>, sets: &[String], environment: &Environment, memory: &Memory) -> Loaded {
    draft(origin, sets, environment, memory).finish()
}

/// The settings that the `--set` arguments make with an empty `site.toml`, for who listens although that cannot be read.
pub fn settings_without_file(sets: &[String], environment: &Environment) -> Settings {
    load::settings_of(sets, environment)
}

/// The same, before it is decided whether the site may be served.
pub fn draft(origin: impl Into<Origin>, sets: &[String], environment: &Environment, memory: &Memory) -> Draft {
    memory.begin();
    let draft = load::load(origin.into(), sets, environment, memory);
    memory.end();
    draft
}
