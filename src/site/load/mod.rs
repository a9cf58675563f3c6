//! From files to a [`Site`]: read, merge, compile, link, plan, derive. Everything that is wrong is found in one pass.

mod asked;
mod data;
pub(super) mod documents;
mod doubts;
mod errors;
mod input;
mod json;
mod kind;
pub(super) mod layouts;
mod listing;
mod matter;
mod plan;
mod privacy;
mod route;
mod scope;
mod section;
mod shadowed;
mod site;
mod slipped;

use super::memory::{Documents as Rendered, Memory};
use super::{ErrorPages, Loaded, Route, Routers, SectionErrors, Site, code};
use crate::config::{Declared, Environment, Table, Tree, merge, read_set, read_toml};
use crate::diagnostic::{Files, Finding, Findings, Place, Spanned};
use crate::render::Library;
use crate::resource::ErrorPage;
use crate::router::{Authority, Hosts, Pattern, TrailingSlash};
use crate::source::Upstreams;
use crate::value::Value;
use std::path::Path;
use std::sync::Arc;

/// What all routes of a site share while they are compiled.
struct Shared<'s> {
    tree: &'s Tree,
    environment: &'s Environment,
    /// Documents that an earlier load has rendered.
    rendered: &'s Rendered,
    files: Files,
    findings: Findings,
    upstreams: Upstreams,
    library: Library,
    /// `site` as pages see it.
    site: Value,
    money_format: crate::render::MoneyFormat,
    slash: TrailingSlash,
    deadline: std::time::Duration,
    /// Digest of what every page is made from: `site.toml` and the layouts.
    foundation: blake3::Hash,
    error_pages: errors::Rendered,
    data: data::DataFiles,
    documents: documents::Documents,
    /// The paths of routes that may be asked.
    paths: asked::Paths,
}

/// A compiled route and where it goes in the router.
struct Compiled {
    route: Route,
    hosts: Vec<Spanned<Arc<str>>>,
    patterns: Vec<(Pattern, Place)>,
    /// The files that a `files` route holds, below its folder.
    held: Option<Vec<String>>,
}

pub(super) fn load(config: &Path, sets: &[String], environment: &Environment, memory: &Memory) -> Loaded {
    let mut files = Files::default();
    let mut findings = Findings::default();
    let tree = Tree::read(config, &memory.texts, &mut files, &mut findings);
    let Some(file) = tree.site else { return Loaded { site: None, findings, files } };
    let length = files.text(file).len();
    let mut table = read_toml(file, 0..length, &files, &mut findings);
    if findings.has_errors() {
        // What is missing from a text that was read in part is no mistake of its own.
        return Loaded { site: None, findings, files };
    }
    for (at, argument) in sets.iter().enumerate() {
        if let Some(over) = read_set(argument, at + 1, &mut files, &mut findings) {
            merge(&mut table, &over, &super::settings::MERGE);
        }
    }
    let (site, files, mut findings) = build(&tree, &table, files, findings, environment, memory);
    findings.sort();
    let site = if findings.has_errors() { None } else { site };
    Loaded { site, findings, files }
}

fn build(
    tree: &Tree,
    table: &Table,
    files: Files,
    mut findings: Findings,
    environment: &Environment,
    memory: &Memory,
) -> (Option<Site>, Files, Findings) {
    let decl = super::settings::Decl::read(table, &mut findings);
    let declared = site::compile(&decl, environment, &mut findings);
    let upstreams = decl.upstreams.iter().flat_map(|named| &named.0);
    let upstreams = Upstreams::compile(upstreams, environment, &mut findings);
    let library = layouts::compile(tree, &files, &mut findings);
    let foundation = foundation(tree, table, &files);
    let mut shared = Shared {
        tree,
        environment,
        rendered: &memory.documents,
        files,
        findings,
        upstreams,
        library,
        site: declared.scope,
        money_format: declared.money_format,
        slash: declared.slash,
        deadline: declared.settings.limits.deadline,
        foundation,
        error_pages: errors::Rendered::default(),
        data: data::DataFiles::default(),
        documents: documents::Documents::default(),
        paths: asked::Paths::default(),
    };
    let defaults = decl.defaults.as_ref().and_then(|node| section::table_of(node, &mut shared.findings));
    let sections = section::Sections::read(tree, defaults.as_ref(), &shared.files, &mut shared.findings);
    let errors = section_errors(&sections, &mut shared);
    let mut map = Map { routers: Routers::new(shared.slash), list: Vec::new(), places: Vec::new(), finite: Vec::new() };
    let mut tables = Vec::with_capacity(tree.routes.len());
    for file in tree.routes.iter().filter(|file| !section::is_section(&file.path)) {
        tables.extend(sections.merged(file, &shared.files, &mut shared.findings).map(|table| (file, table)));
    }
    documents::survey(&tables, &mut shared);
    let (tables, paths) = asked::ordered(tables, &mut shared.findings);
    shared.paths = paths;
    for (file, table) in &tables {
        let Some(compiled) = route::compile(file, table, &map.list, &mut shared) else { continue };
        refuse_aliases(&compiled.hosts, declared.hosts.as_ref(), &mut shared.findings);
        map.insert(compiled, &mut shared.findings);
    }
    shadowed::warn(&map.finite, &map.routers, &map.places, &mut shared.findings);
    let Map { routers, list: routes, .. } = map;
    let revision = revision(&routes, tree);
    let Shared { files, findings, upstreams, library, money_format, .. } = shared;
    let site = declared.hosts.map(|hosts| Site {
        root: tree.root.clone(),
        settings: declared.settings,
        url: declared.url,
        money_format,
        hosts: hosts.serving(routers.hosts()),
        routers,
        routes,
        upstreams,
        library,
        content: tree.content.clone(),
        errors,
        revision,
    });
    (site, files, findings)
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
    list: Vec<Route>,
    /// Where the path of each route was written.
    places: Vec<Place>,
    /// The patterns whose URLs can be counted.
    finite: Vec<shadowed::Finite>,
}

impl Map {
    fn insert(&mut self, compiled: Compiled, findings: &mut Findings) {
        let Compiled { route, hosts, patterns, held } = compiled;
        let index = self.list.len();
        self.places.extend(patterns.first().map(|(_, place)| *place));
        let hosts: Vec<Option<&str>> =
            if hosts.is_empty() { vec![None] } else { hosts.iter().map(|host| Some(&*host.value)).collect() };
        for ((pattern, place), host) in
            patterns.iter().flat_map(|pattern| hosts.iter().map(move |host| (pattern, host)))
        {
            let (text, place) = (pattern.as_str(), *place);
            self.finite.extend(shadowed::Finite::of(pattern, *host, place, index));
            let inserted = self.routers.insert(*host, pattern.clone(), held.as_deref(), index);
            if let Err(conflict) = inserted {
                let mut finding =
                    Finding::new(&code::SAME_PATH, place, format!("`{text}` is answered by another route, too"))
                        .help("two routes of equal rank tie: change one path, or give a parameter an `enum`");
                if let Some(other) = self.places.get(conflict.other) {
                    finding = finding.related(*other, format!("`{}` here", conflict.pattern));
                }
                findings.push(finding);
            }
        }
        self.list.push(route);
    }
}

/// The pages for requests that belong to no route: those of the sections around their URLs.
fn section_errors(sections: &section::Sections, shared: &mut Shared<'_>) -> SectionErrors {
    let pages = sections.all().map(|(folder, table)| (folder.to_owned(), errors_of(table, shared))).collect();
    SectionErrors::new(pages)
}

fn errors_of(table: &Table, shared: &mut Shared<'_>) -> ErrorPages {
    let decl = crate::resource::Decl::read(table, &mut Findings::default());
    let vars =
        decl.vars.as_ref().map_or_else(|| Value::Object(crate::value::Object::default()), |vars| vars.value.to_value());
    errors::pages(decl.errors.as_ref(), &vars, shared)
}

fn foundation(tree: &Tree, table: &Table, files: &Files) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut text = String::new();
    crate::value::write_json(&table.to_value(), &mut text);
    hasher.update(text.as_bytes());
    for layout in &tree.layouts {
        let text = files.text(layout.file);
        hasher.update(&(layout.path.len() as u64).to_le_bytes());
        hasher.update(layout.path.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()
}

fn revision(routes: &[Route], tree: &Tree) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for route in routes {
        hasher.update(&route.revision.to_le_bytes());
    }
    for file in &tree.content {
        hasher.update(file.path.as_bytes());
        hasher.update(&file.length.to_le_bytes());
    }
    short(&hasher.finalize())
}

/// Eight bytes of a digest: enough to tell revisions apart, which nobody chooses to collide.
fn short(hash: &blake3::Hash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// An error page that several routes share.
type SharedPage = Arc<ErrorPage>;
