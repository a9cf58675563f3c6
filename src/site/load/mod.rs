//! From files to a [`Site`]: read, merge, compile, link, plan, derive. Everything that is wrong is found in one pass.

mod admin;
mod asked;
mod assets;
mod auth;
mod caching;
mod called;
mod csp;
mod data;
pub(super) mod documents;
mod doubts;
mod errors;
mod fields;
mod guard;
mod input;
mod intake;
mod jar;
mod json;
mod kind;
mod languages;
pub(super) mod layouts;
mod listing;
mod matter;
mod media;
mod plan;
mod policy;
mod privacy;
mod proxy;
mod revision;
mod route;
mod scope;
mod section;
mod shadowed;
mod site;
mod slipped;
mod sources;

use super::memory::{Documents as Rendered, Indexes, Memory};
use super::{
    Certainty, Draft, ErrorPages, Held, Outline, Places, Route, RouteOutline, Routers, SectionErrors, Site, code,
};
use crate::config::{Declared, Environment, Origin, Table, Tree, TreeFile, merge, read_set, read_toml};
use crate::diagnostic::{Files, Finding, Findings, Place, Spanned};
use crate::resource::{ErrorPage, Profiles};
use crate::router::{Authority, Hosts, Pattern, TrailingSlash};
use crate::source::Upstreams;
use crate::value::Value;
use std::sync::Arc;

/// What all routes of a site share while they are compiled.
struct Shared<'s> {
    tree: &'s Tree,
    environment: &'s Environment,
    /// Documents that an earlier load has rendered.
    rendered: &'s Rendered,
    /// Indexes that an earlier load has built.
    indexes: &'s Indexes,
    files: Files,
    findings: Findings,
    upstreams: Upstreams,
    library: layouts::Layouts,
    /// `site` as pages see it.
    site: Value,
    /// Whether the site says which languages there are.
    declares_languages: bool,
    money: crate::render::MoneyFormats,
    slash: TrailingSlash,
    deadline: std::time::Duration,
    /// Whether `[defaults]` could not be read: routes may have anything from there.
    lacks_defaults: bool,
    /// Digest of what every page is made from: `site.toml` and the layouts.
    foundation: blake3::Hash,
    error_pages: errors::Rendered,
    data: data::DataFiles,
    documents: documents::Documents,
    needs: csp::KnownNeeds,
    /// The cookies that its routes set.
    jar: jar::Jar,
    /// Whether there are keys to sign and seal cookies with.
    has_cookie_keys: bool,
    /// By what it is known who somebody is.
    auth: super::Auth,
    /// The paths of routes that may be asked.
    paths: asked::Paths,
    /// The published files that layouts ask for.
    assets: assets::Assets,
}

/// What came of a route, and where it goes in the router.
struct Compiled {
    /// The route; `None` if anything is wrong with it.
    route: Option<Route>,
    outline: RouteOutline,
    hosts: Vec<Spanned<Arc<str>>>,
    patterns: Vec<(Pattern, Place)>,
    /// Whether `patterns` are all its URLs, so that others may be compared with them.
    is_placed: bool,
    /// What it holds below its folder, if it is one of files or of documents.
    held: Option<Held>,
    /// It, if nothing is said of who may have it.
    unsaid: Option<guard::Unsaid>,
}

pub(super) fn load(origin: Origin, sets: &[String], environment: &Environment, memory: &Memory) -> Draft {
    let mut files = Files::default();
    let mut findings = Findings::default();
    let tree = Tree::read(origin, &memory.texts, &mut files, &mut findings);
    let is_read = !findings.has_errors();
    let Some(file) = tree.site else {
        unmerged(&tree, &files, memory, &mut findings);
        return Draft { findings, files, outline: None };
    };
    let before = findings.len();
    let is_known = tree.is_listed;
    let length = files.text(file).len();
    let mut table = read_toml(file, 0..length, &files, &mut findings);
    if findings.len() > before || !is_known {
        // What is missing from a text, or a folder, that was read in part is no mistake of its own.
        unmerged(&tree, &files, memory, &mut findings);
        return Draft { findings, files, outline: None };
    }
    for (at, argument) in sets.iter().enumerate() {
        if let Some(over) = read_set(argument, at + 1, &mut files, &mut findings) {
            merge(&mut table, &over, &super::settings::MERGE);
        }
    }
    let mut draft = build(&tree, &table, files, findings, environment, memory);
    slipped::explain(&tree, &draft.files, &mut draft.findings);
    if let Some(outline) = &mut draft.outline {
        outline.known.declarations &= is_read;
        outline.known.urls &= is_read;
    }
    draft
}

/// The settings of a site whose `site.toml` is empty but for these arguments. What is wrong with them is found elsewhere.
pub(super) fn settings_of(sets: &[String], environment: &Environment) -> super::Settings {
    let (mut files, mut findings) = (Files::default(), Findings::default());
    let file = files.add("site.toml", "");
    let mut table = read_toml(file, 0..0, &files, &mut findings);
    for (at, argument) in sets.iter().enumerate() {
        if let Some(over) = read_set(argument, at + 1, &mut files, &mut findings) {
            merge(&mut table, &over, &super::settings::MERGE);
        }
    }
    let decl = super::settings::Decl::read(&table, &mut findings);
    site::compile(&decl, environment, &mut findings).settings
}

/// Finds what can be found in the other files while it is not known what `site.toml` says.
fn unmerged(tree: &Tree, files: &Files, memory: &Memory, findings: &mut Findings) {
    layouts::compile(tree, files, &memory.layouts, findings);
    for file in &tree.routes {
        if let Some(table) = section::own(file, files, findings) {
            crate::resource::Decl::read(&table, findings);
        }
    }
    slipped::explain(tree, files, findings);
}

#[expect(clippy::too_many_lines, reason = "a list of steps, each of which needs what those before it found")]
fn build(
    tree: &Tree,
    table: &Table,
    mut files: Files,
    mut findings: Findings,
    environment: &Environment,
    memory: &Memory,
) -> Draft {
    let mut decl = super::settings::Decl::read(table, &mut findings);
    if slipped::stands_for_defaults(table) {
        decl.lose("defaults");
    }
    let environment = &environment.with_public(site::public(&decl, &mut findings));
    let declared = site::compile(&decl, environment, &mut findings);
    let profiles = profiles(&decl, &mut findings);
    let mut upstreams = upstreams(&mut decl, &profiles, environment, &mut findings);
    let reading =
        auth::Reading { tree, files: &mut files, environment, upstreams: &mut upstreams, findings: &mut findings };
    let (auth, cookie_keys) = reading.read(&decl, &declared);
    let library = layouts::compile(tree, &files, &memory.layouts, &mut findings);
    media::check_layouts(tree, &library, &mut findings);
    let foundation = revision::foundation(table);
    let mut shared = Shared {
        tree,
        environment,
        rendered: &memory.documents,
        indexes: &memory.indexes,
        files,
        findings,
        upstreams,
        library,
        site: declared.scope,
        declares_languages: declared.declares_languages,
        money: declared.money,
        slash: declared.slash,
        deadline: declared.settings.limits.deadline,
        lacks_defaults: decl.is_lost("defaults"),
        foundation,
        error_pages: errors::Rendered::default(),
        data: data::DataFiles::default(),
        documents: documents::Documents::default(),
        needs: csp::KnownNeeds::default(),
        jar: jar::Jar::default(),
        has_cookie_keys: cookie_keys.is_some() || decl.cookie_keys.is_some() || decl.is_lost("cookie-keys"),
        auth,
        paths: asked::Paths::default(),
        assets: assets::Assets::default(),
    };
    let defaults = decl.defaults.as_ref().and_then(|node| section::table_of(node, &mut shared.findings));
    let sections = section::Sections::read(tree, defaults.as_ref(), &shared.files, &mut shared.findings);
    let tables = merged(&sections, &profiles, &mut shared);
    let routes = tree.routes.iter().filter(|file| !section::is_section(&file.path)).count();
    let is_read = tables.len() == routes && sections.are_read();
    shared.assets = assets::Assets::survey(&tables, is_read && !shared.lacks_defaults, &memory.digests, &mut shared);
    let mut of_sections = section::Mentions::default();
    let errors = section_errors(&sections, &mut of_sections, &mut shared);
    for idle in sections.idle() {
        route::look(idle, &profiles, &mut shared);
    }
    documents::survey(&tables, &mut shared);
    shared.jar = jar::Jar::of(tables.iter().map(|(_, table)| table), &mut shared.findings);
    let count = tables.len();
    let (tables, paths) = asked::ordered(tables, &mut shared.findings);
    shared.paths = paths;
    let mut map = Map::new(shared.slash);
    for (file, table) in &tables {
        let compiled = route::compile(file, table, &map.list, &mut shared);
        refuse_aliases(&compiled.hosts, declared.hosts.as_ref(), &mut shared.findings);
        map.insert(compiled, &mut shared.findings);
    }
    guard::refuse_outsiders(&map.unsaid, &sections, &mut shared.findings);
    guard::refuse_circles(&map.list, &map.routers, &mut shared.findings);
    shadowed::warn(&map.finite, &map.routers, &map.places, &mut shared.findings);
    let patterns: Vec<&str> = map.list.iter().flat_map(|route| &route.patterns).map(String::as_str).collect();
    documents::judge_links(&map.routers, &patterns, &mut shared);
    let Map { routers, list: routes, outlines, is_whole, .. } = map;
    let revision = revision::of_site(&routes, &tree.content);
    let Shared { files, findings, upstreams, library, money, auth, assets, .. } = shared;
    let (library, partials, nesting) = library.into_parts();
    // With a `site.url` that cannot be read no site is served, whatever its hosts are.
    let hosts = declared.hosts.unwrap_or_else(Hosts::any);
    let mut site = Site {
        origin: tree.origin.clone(),
        beside: tree.beside(),
        settings: declared.settings,
        url: declared.url,
        money,
        languages: declared.languages,
        hosts: hosts.serving(routers.hosts()),
        routers,
        routes,
        upstreams,
        auth,
        cookie_keys,
        content: tree.content.clone(),
        assets: assets.into_urls(),
        errors,
        tripwire: environment.tripwire(),
        revision,
        places: Places::of(table),
    };
    site.withhold();
    let is_read = is_read && tables.len() == count;
    let outline = Outline {
        site,
        routes: outlines,
        library,
        section_layouts: of_sections.layouts,
        section_upstreams: of_sections.upstreams.into_iter().chain(auth::upstream(&decl)).collect(),
        says_url: decl.is_lost("site")
            || decl.site.as_ref().is_some_and(|site| site.url.is_some() || site.is_lost("url")),
        known: Certainty {
            declarations: is_read && !decl.is_lost("defaults"),
            urls: is_read && is_whole,
            partials,
            nesting,
        },
    };
    Draft { findings, files, outline: Some(outline) }
}

/// The table of each route that can be read, with all that it inherits.
fn merged<'s>(
    sections: &section::Sections,
    profiles: &Profiles,
    shared: &mut Shared<'s>,
) -> Vec<(&'s TreeFile, Table)> {
    let mut tables = Vec::with_capacity(shared.tree.routes.len());
    for file in shared.tree.routes.iter().filter(|file| !section::is_section(&file.path)) {
        let Some(mut table) = sections.merged(file, &shared.files, &mut shared.findings) else { continue };
        profiles.expand(&mut table, &mut shared.findings);
        tables.push((file, table));
    }
    tables
}

/// The upstreams, with the lifetimes of the profiles that they name.
fn upstreams(
    decl: &mut super::settings::Decl,
    profiles: &Profiles,
    environment: &Environment,
    findings: &mut Findings,
) -> Upstreams {
    for (_, upstream) in decl.upstreams.iter_mut().flat_map(|named| &mut named.0) {
        if let Some(kept) = &mut upstream.cache {
            profiles.expand_kept(kept, findings);
        }
    }
    let declared = decl.upstreams.iter().flat_map(|named| &named.0);
    Upstreams::compile(declared, decl.is_lost("upstreams"), environment, findings)
}

/// The cache policies that have a name.
fn profiles(decl: &super::settings::Decl, findings: &mut Findings) -> Profiles {
    let declared = decl.cache_profiles.iter().flat_map(|named| &named.0);
    Profiles::read(declared, decl.is_lost("cache-profiles"), findings)
}

/// No route is for a host whose requests are sent elsewhere.
fn refuse_aliases(hosts: &[Spanned<Arc<str>>], site: Option<&Hosts>, findings: &mut Findings) {
    for host in hosts {
        if Authority::parse(&host.value).is_ok_and(|parsed| site.is_some_and(|site| site.is_alias(&parsed))) {
            let message = format!("`{}` is an alias: its requests are sent to `site.url`", host.value);
            findings.push(
                Finding::new(&code::BAD_HOST, host.place, message)
                    .help("take it out of `site.aliases`, or out of `host`"),
            );
        }
    }
}

/// The routes, and where each goes.
struct Map {
    routers: Routers,
    /// The sound ones. As long as all are, positions in the routers are positions in this list.
    list: Vec<Route>,
    /// What is known of each, sound or not, by position in the routers.
    outlines: Vec<RouteOutline>,
    /// Where the path of each was written.
    places: Vec<Option<Place>>,
    /// The patterns whose URLs can be counted.
    finite: Vec<shadowed::Finite>,
    /// Whether all routes are in the routers.
    is_whole: bool,
    /// Those of which nothing says who may have them.
    unsaid: Vec<guard::Unsaid>,
}

impl Map {
    fn new(slash: TrailingSlash) -> Self {
        let routers = Routers::new(slash);
        let (list, outlines, places, finite) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { routers, list, outlines, places, finite, is_whole: true, unsaid: Vec::new() }
    }

    fn insert(&mut self, compiled: Compiled, findings: &mut Findings) {
        let Compiled { route, outline, hosts, patterns, is_placed, held, unsaid } = compiled;
        self.unsaid.extend(unsaid);
        let index = self.outlines.len();
        self.list.extend(route);
        self.outlines.push(outline);
        self.places.push(patterns.first().map(|(_, place)| *place));
        self.is_whole &= is_placed;
        if !is_placed {
            return;
        }
        let hosts: Vec<Option<&str>> =
            if hosts.is_empty() { vec![None] } else { hosts.iter().map(|host| Some(&*host.value)).collect() };
        for ((pattern, place), host) in
            patterns.iter().flat_map(|pattern| hosts.iter().map(move |host| (pattern, host)))
        {
            let (text, place) = (pattern.as_str(), *place);
            self.finite.extend(shadowed::Finite::of(pattern, *host, place, index));
            let inserted = self.routers.insert(*host, pattern.clone(), held.as_ref(), index);
            if let Err(conflict) = inserted {
                let mut finding =
                    Finding::new(&code::SAME_PATH, place, format!("`{text}` is answered by another route, too"))
                        .help("two routes of equal rank tie: change one path, or give a parameter an `enum`");
                if let Some(other) = self.places.get(conflict.other).copied().flatten() {
                    finding = finding.related(other, format!("`{}` here", conflict.pattern));
                }
                findings.push(finding);
            }
        }
    }
}

/// The pages for requests that belong to no route: those of the sections around their URLs.
fn section_errors(
    sections: &section::Sections,
    mentions: &mut section::Mentions,
    shared: &mut Shared<'_>,
) -> SectionErrors {
    let mut pages = Vec::new();
    for (folder, table) in sections.all() {
        // What is wrong with it is told where its routes are compiled, or where it is looked at by itself.
        let decl = crate::resource::Decl::read(table, &mut Findings::default());
        mentions.of_errors(&decl);
        pages.push((folder.to_owned(), errors_of(&decl, shared)));
    }
    for table in sections.idle() {
        mentions.of_all(&crate::resource::Decl::read(table, &mut Findings::default()));
    }
    SectionErrors::new(pages)
}

fn errors_of(decl: &crate::resource::Decl, shared: &mut Shared<'_>) -> ErrorPages {
    // What is wrong with its `csp` is told with that of its routes.
    errors::pages(decl, &route::vars_of(decl), shared)
}

/// An error page that several routes share.
type SharedPage = Arc<ErrorPage>;
