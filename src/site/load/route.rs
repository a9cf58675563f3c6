//! One route: its merged table compiled, linked and analysed.

use super::super::inputs::{CookieInput, Inputs, RequestReads};
use super::super::{Called, Held, Identities, Intake, Places, Privacy, Route, RouteOutline, code, slots};
use super::fields::Fields;
use super::guard::{Guards, Unsaid, list_open};
use super::kind::{self, Shown};
use super::privacy::{self, OfPerson, Personal, THE_PAGE};
use super::scope::{Asker, Reads, Scope, Written};
use super::sources::{Around, Linked};
use super::{
    Compiled, Shared, asked, caching, csp, doubts, errors, input, intake, jar, media, plan, policy, revision, section,
    sources,
};
use crate::config::{Declared as _, Table, Template, Text, TreeFile, refuse_placeholders};
use crate::diagnostic::{Finding, Findings, Level, Place, Related, Spanned};
use crate::resource::{Cors, Csp, Decl, GuardsDecl, Policy, Profiles, Proxy, Refusal, Resource};
use crate::router::{Authority, Methods, Pattern};
use crate::source::{self, Kind, Known, OnUnauthorized, Source, Upstreams};
use crate::value::{Object, Value};
use http::header::HeaderName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Compiles one route; `known` are the sound ones that were compiled before, among them all that it asks. Whatever is wrong with one of its
/// parts, the others are looked at.
#[expect(clippy::too_many_lines, reason = "a list of steps, each of which needs what those before it found")]
pub(super) fn compile(file: &TreeFile, table: &Table, known: &[Route], shared: &mut Shared<'_>) -> Compiled {
    let begin = shared.findings.len();
    let decl = Decl::read(table, &mut shared.findings);
    let shown = kind::of(&decl, table, file, shared);
    let mut patterns = patterns(&decl, file, &mut shared.findings);
    // A file whose path cannot be read is somewhere else than at its place.
    let has_paths = !decl.is_lost("path")
        && !patterns.is_empty()
        && decl.path.as_ref().is_none_or(|path| patterns.len() == path.value.0.len());
    let has_types = input::constrain(decl.params.as_ref(), &mut patterns, has_paths, &mut shared.findings);
    if let Some(held) = shown.held().filter(|_| decl.params.is_some()) {
        input::fits_held(decl.params.as_ref(), &patterns, &held, &mut shared.findings);
    }
    let query = input::query(decl.query.as_ref(), &mut shared.findings);
    let mut cookies = input::cookies(decl.cookies.as_ref(), &shared.jar, &mut shared.findings);
    let mut digest = blake3::Hasher::new();
    let around = Around { file: file.file, table, shown: &shown, patterns: &patterns, known };
    let (sources, broken) = sources::compile(&decl, &around, shared, &mut digest);
    asked::cookies(&sources, known, &mut cookies);
    if let Some(vars) = &decl.vars {
        vars.value.iter().for_each(|entry| refuse_placeholders(&entry.node, "`vars`", &mut shared.findings));
    }
    let vars = vars_of(&decl);
    let errors = errors::pages(&decl, &vars, shared);
    let after = plan::dependencies(&sources);
    let is_acyclic = plan::has_no_cycle(&sources, &after, &mut shared.findings);
    let page = page(&shown, &decl, file);
    let guards = Guards::compile(&decl, (&sources, &broken), &cookies, known, shared);
    list_open(&decl, &patterns, &mut shared.findings);
    let takings = intake::compile(&decl, &shown, shared);
    let mut direct = kind::mentioned(&shown, &decl, &sources, shared);
    // What only a guard asks makes nobody's page of it, and is not asked again for the page.
    let of_page = plan::needed(direct.clone(), &after);
    direct.extend(guards.sources());
    let of_takings = intake::mentioned(&takings, &sources);
    direct.extend(&of_takings);
    let of_takings = plan::needed(of_takings, &after);
    let needed = plan::needed(direct, &after);
    let before = shared.findings.len();
    let mut scope = Scope {
        params: params(&patterns),
        params_are_known: has_paths,
        query: &query,
        cookies: &cookies,
        site: Known::of(&shared.site),
        has_languages: shared.declares_languages,
        vars: Known::of(&vars),
        page: page_known(&page, &shown),
        user: match guards.source_of_user() {
            Some(at) => Asker::Source(Some(at)),
            None if guards.names_broken(&decl) => Asker::Source(None),
            None if !shared.auth.written.is_empty() => Asker::Identified,
            None => Asker::Unknown,
        },
        form: takings.iter().find(|taking| taking.is_form()).map(intake::Taking::known),
        sources: &sources,
        slots: sources::slots_of(&sources, &needed),
        broken,
        environment: shared.environment,
        written: Written { decl: &decl, table, lacks_defaults: shared.lacks_defaults },
    };
    let linked = Linked::new(&scope, &needed, &after, known, shared);
    sources::names_of_broken(&scope, &mut shared.findings);
    if let Some(json) = table.node("json").filter(|_| decl.is_lost("json")) {
        sources::names_in(json, &scope, &mut shared.findings);
    }
    let mut direct = Reads::default();
    let mut resource = kind::link(&shown, &scope, &mut direct, shared);
    let fields = Fields::link(&decl, &scope, &mut direct, &mut shared.findings);
    let mut rules = kind::rules(&decl, &scope, &mut direct, shared);
    let linked_guards = guards.link(&scope, shared);
    let mut of_cookies = Reads::default();
    if scope.form.is_none() && !takings.is_empty() {
        // Each method has its own fields, of which any may be meant.
        scope.form = Some(Known::Open);
    }
    let set_cookies = jar::set_by(&decl, &scope, &mut of_cookies, shared);
    if takings.is_empty() {
        direct.extend(&of_cookies);
    }
    for_whom(&patterns, file, before, shared);
    let is_sourced = scope.broken.is_empty();
    let of_sources = linked.personal;
    let personal = personal_of(&direct, &cookies, &of_page, &of_sources);
    let mut all = direct;
    for reads in &linked.reads {
        all.extend(reads);
    }
    let mut known_by = guards.credentials(shared);
    if all.user.is_some() && guards.source_of_user().is_none() {
        known_by.extend(&shared.auth.credentials(Identities::ALL));
    }
    let running = || of_page.iter().filter_map(|&at| sources.get(at));
    let of_person = personal.map(|personal| OfPerson {
        personal,
        credentials: {
            let mut credentials = privacy::credentials(&all, &cookies, running(), known);
            credentials.extend(&known_by);
            credentials
        },
        obstacles: privacy::obstacles(running(), known),
    });
    let calls_taking: Vec<Called> = takings.iter().flat_map(intake::Taking::calls).collect();
    let targets: Vec<Template> = takings.iter().filter_map(|taking| taking.target().cloned()).collect();
    let (policy, anonymous) = if let Shown::Proxy(_) = shown {
        // What is sent of its answers is what the upstream says.
        (Policy::revalidate(), None)
    } else {
        policy::of(&decl, of_person.as_ref(), guards.are_there(), &all, &cookies, &mut shared.findings)
    };
    if let Some(setting) = &decl.cache {
        let running = Some(running()).filter(|_| is_sourced);
        caching::check(&setting.0, &shown, &patterns, running, !all.headers.is_empty(), file, &mut shared.findings);
    }
    let planned =
        sources::planned(linked.sources, (&needed, &of_page), &after, &of_sources, |at| guards.speaks_for(at));
    let status = kind::status(&shown, &decl, &mut shared.findings);
    let content_type = media::content_type(&shown, &decl, &mut shared.findings);
    let mut told = Findings::default();
    let policies =
        csp::Policies::new(&decl, &vars, shared, &mut told).shown_as(&shown, rules.as_deref().unwrap_or_default());
    let policies = policies.with_sources(&sources, &needed, known, &mut shared.needs);
    shared.findings.append(told);
    let kind = (&shown, content_type.as_ref());
    policies.dress(resource.as_mut(), rules.as_mut(), kind, (&decl, file), shared);
    let mut taken = if takings.is_empty() { Reads::default() } else { of_cookies };
    let around = intake::Around { asked: &of_takings, after: &after, policies: &policies };
    let intakes = intake::link(takings, &mut scope, around, &mut taken, shared);
    // The page does not read what only those read who send something: it is neither kept apart by it nor one person's.
    let mut of_requests = all.clone();
    of_requests.request.extend(taken.request.clone());
    of_requests.headers.extend(taken.headers.clone());
    let inputs = inputs(query, cookies, &of_requests, &sources, &needed);
    all.extend(&taken);
    let hosts = hosts(&decl, &mut shared.findings);
    let cors = decl.cors.as_ref().and_then(|cors| Cors::compile(cors, &mut shared.findings)).map(Box::new);
    let otherwise = decl.on_not_found.as_ref().filter(|_| matches!(shown, Shown::Page(_) | Shown::Json(..)));
    let otherwise = otherwise
        .and_then(|written| super::proxy::otherwise(written, super::proxy::is_guarded(&decl), shared))
        .map(Box::new);
    let passed_on = passed_on(&shown, &decl, otherwise.as_deref(), &shared.upstreams);
    let deadline = decl.deadline.map_or(shared.deadline, |deadline| deadline.value);
    doubts::late_timeouts(&decl, &sources, deadline, file, &mut shared.findings);
    // What is misspelt or wrong may be what would read it.
    if is_sourced && shown.is_clear(&shared.library) && doubts::reads_are_known(&shared.findings, begin) {
        sources::unused(&sources, &needed, file, &mut shared.findings);
        doubts::unused_inputs(&decl, &inputs, &taken, file, &mut shared.findings);
        doubts::unused_fields(&decl, &sources, &all, file, &mut shared.findings);
    }
    let is_sound = is_acyclic && has_paths && has_types && linked_guards.is_some() && set_cookies.is_some();
    let is_placed = has_paths && has_types && !is_held_unknown(&shown, &decl);
    let parts = (resource, fields, rules, planned, status, intakes);
    let versions = shared.assets.versions(&file.path);
    let held = shown.held().map(|mut names| {
        names.extend(versions.into_iter().flatten().cloned());
        Held { names, has_versions: versions.is_some() }
    });
    let origin = origin(hosts.first(), shared);
    let route =
        if let ((Some(mut resource), Some(fields), Some(rules), Some(sources), Some(status), Some(intakes)), true) =
            (parts, is_sound)
        {
            match &mut resource {
                Resource::Tree(tree) => revision::of_documents(tree),
                Resource::Files(folder) => folder.has_versions = versions.is_some(),
                Resource::Page(_) | Resource::Document(_) | Resource::Json(_) => {}
                Resource::Redirect(_) | Resource::Proxy(_) => {}
            }
            let parts = revision::Parts {
                foundation: &shared.foundation,
                assets: &shared.assets,
                files: &shared.files,
                upstreams: &shared.upstreams,
                table,
                shown: &shown,
                resource: &resource,
                otherwise: otherwise.as_deref(),
                rules: &rules,
                data: &digest,
                sources: &sources,
                known,
            };
            let (revision, mut tags) = (parts.revision(), parts.tags());
            tags.extend(fields.tags);
            tags.sort_unstable();
            tags.dedup();
            let mut names: Vec<Arc<str>> = params(&patterns).iter().map(|(name, _)| name.as_str().into()).collect();
            names.sort();
            Some(Route {
                name: format!("routes/{}", file.path).into(),
                file: file.file,
                hosts: hosts.iter().map(|host| Arc::clone(&host.value)).collect(),
                origin,
                patterns: patterns.iter().map(|(pattern, _)| pattern.as_str().to_owned()).collect(),
                canonical: (patterns.len() > 1).then(|| patterns.first().map(|(pattern, _)| pattern.clone())).flatten(),
                params: sorted_names(&patterns),
                content_type,
                resource,
                vary: caching::vary(&inputs, &sources, &known_by),
                inputs,
                constants: constants(shared, &vars, &shown, sources.len(), &intakes),
                methods: intakes.iter().fold(Methods::READ, |methods, intake| methods.with(&intake.method)),
                intakes,
                sources,
                rules,
                page,
                title: fields.title,
                description: fields.description,
                status,
                fixed_headers: fields.fixed,
                removed_headers: fields.removed,
                headers: fields.headers,
                policy,
                anonymous: anonymous.map(Box::new),
                privacy: of_person.map_or(Privacy::Public, OfPerson::privacy),
                set_cookies: set_cookies.unwrap_or_default(),
                guards: linked_guards.unwrap_or_default(),
                known_by,
                otherwise,
                cors,
                errors,
                deadline,
                revision,
                tags,
                changing_tags: fields.changing_tags,
                places: Places::of(table),
            })
        } else {
            None
        };
    // What is written beside a mistake may be what is meant.
    let is_faultless = shared.findings.iter().skip(begin).all(|finding| finding.level != Level::Error);
    let mut outline =
        outline(&shown, &decl, &sources, &patterns, hosts.first(), Some(&needed).filter(|_| is_faultless));
    outline.calls.extend(passed_on);
    outline.calls.extend(calls_taking);
    outline.detours.extend(targets);
    let unsaid = Unsaid::of(file, &decl, &patterns);
    Compiled { route, outline, hosts, patterns, is_placed, held, unsaid }
}

/// What the rules about a whole site look at; of the sources only those that are `needed`, if that is known.
fn outline(
    shown: &Shown,
    decl: &Decl,
    sources: &[Source],
    patterns: &[(Pattern, Place)],
    host: Option<&Spanned<Arc<str>>>,
    needed: Option<&BTreeSet<usize>>,
) -> RouteOutline {
    let is_needed = |at: usize| needed.is_none_or(|needed| needed.contains(&at));
    RouteOutline {
        host: host.map(|host| Arc::clone(&host.value)),
        patterns: patterns.iter().map(|(pattern, _)| pattern.clone()).collect(),
        layouts: kind::named_layouts(shown, decl, needed.is_some()),
        upstreams: named_upstreams(decl, sources, is_needed),
        calls: calls(sources, is_needed),
        untrusted: untrusted(decl),
        narrow: input::narrow(decl),
        redirect: if let Shown::Redirect(target) = shown { Some(target.clone()) } else { None },
        detours: detours(decl, sources),
    }
}

/// What makes a page personal, if anything.
fn personal_of(
    direct: &Reads,
    cookies: &[CookieInput],
    needed: &BTreeSet<usize>,
    sources: &[Option<Personal>],
) -> Option<Personal> {
    privacy::of_reads(direct, cookies, sources, THE_PAGE).or_else(|| {
        // A source that only another one reads makes the page personal through that one, whose path is longer.
        needed.iter().rev().find_map(|&at| sources.get(at).cloned().flatten())
    })
}

/// Finds what is wrong with a section that no route inherits: whatever its routes would add.
pub(super) fn look(table: &Table, profiles: &Profiles, shared: &mut Shared<'_>) {
    let mut table = table.clone();
    profiles.expand(&mut table, &mut shared.findings);
    let mut decl = Decl::read(&table, &mut shared.findings);
    input::query(decl.query.as_ref(), &mut shared.findings);
    input::cookies(decl.cookies.as_ref(), &shared.jar, &mut shared.findings);
    for (_, kind) in decl.params.iter().flat_map(|named| &named.0) {
        input::compile_type(kind, &mut shared.findings);
    }
    if let Some(name) = &decl.layout {
        kind::layout(name, shared);
    }
    if let Some(redirect) = &decl.redirect {
        kind::redirect(&redirect.value, Some(&decl), shared.environment, &mut shared.findings);
    }
    if let Some(cache) = &decl.cache {
        Policy::compile(&cache.0, &mut shared.findings);
    }
    if let Some(cors) = &decl.cors {
        Cors::compile(cors, &mut shared.findings);
    }
    if let Some(on_not_found) = &decl.on_not_found {
        super::proxy::otherwise(on_not_found, false, shared);
    }
    Csp::compile(decl.csp.as_ref(), &mut shared.findings);
    for (name, _) in decl.headers.iter().flat_map(|named| &named.0) {
        kind::header_name(name, &mut shared.findings);
    }
    hosts(&decl, &mut shared.findings);
    if let Some(sources) = &mut decl.sources {
        // Of what a route would complete it is not known what it is.
        sources.0.retain(|(_, source)| source.has_kind());
    }
    let around = Around { file: table.place.file, table: &table, shown: &Shown::Unclear, patterns: &[], known: &[] };
    sources::compile(&decl, &around, shared, &mut blake3::Hasher::new());
}

/// Whether a route holds files or documents of which it is not known which.
fn is_held_unknown(shown: &Shown, decl: &Decl) -> bool {
    matches!(shown, Shown::Unclear) && (decl.files.is_some() || decl.content.is_some())
}

/// The upstream that requests without an answer are passed on to.
pub(super) fn otherwise(decl: &Decl) -> Option<&Spanned<String>> {
    decl.on_not_found.as_ref()?.proxy.as_ref()
}

/// The upstreams that sources name: those that are needed, and those of sources that could not be compiled.
fn named_upstreams(decl: &Decl, sources: &[Source], is_needed: impl Fn(usize) -> bool) -> Vec<String> {
    let position = |name: &str| sources.iter().position(|source| source.name.value == name);
    let declared = decl.sources.iter().flat_map(|named| &named.0);
    let called = declared.filter(|(name, _)| position(&name.value).is_none_or(&is_needed));
    let of_sources = called.filter_map(|(_, source)| Some(source.upstream.as_ref()?.value.clone()));
    let passed_on = decl.proxy.iter().chain(otherwise(decl));
    of_sources.chain(passed_on.map(|name| name.value.clone())).chain(intake::named_upstreams(decl)).collect()
}

/// The calls that passing requests on makes.
fn passed_on(shown: &Shown, decl: &Decl, otherwise: Option<&Proxy>, upstreams: &Upstreams) -> Option<Called> {
    let (proxy, name) = if let Shown::Proxy(proxy) = shown {
        (&**proxy, decl.proxy.as_ref()?)
    } else {
        (otherwise?, self::otherwise(decl)?)
    };
    let trust = upstreams.get(proxy.upstream)?.calling.trust;
    Some(Called { source: name.clone(), upstream: proxy.upstream, trust })
}

fn calls(sources: &[Source], is_needed: impl Fn(usize) -> bool) -> Vec<Called> {
    let called = sources.iter().enumerate().filter(|(at, _)| is_needed(*at));
    let calls = called.filter_map(|(_, source)| match &source.kind {
        Kind::Http(http) => Some(Called { source: source.name.clone(), upstream: http.upstream, trust: http.trust() }),
        Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => None,
    });
    calls.collect()
}

/// The sources whose values come from outside, and that the author does not vouch for.
fn untrusted(decl: &Decl) -> Vec<String> {
    let declared = decl.sources.iter().flat_map(|named| &named.0);
    let is_outside = |source: &source::Decl| {
        let is_own = source.content.is_some() || source.value.is_some();
        !is_own && !source.trust.is_some_and(|trust| trust.value)
    };
    declared.filter(|(_, source)| is_outside(source)).map(|(name, _)| name.value.clone()).collect()
}

/// Where rules, and refusals of sources and guards, may send visitors.
fn detours(decl: &Decl, sources: &[Source]) -> Vec<Template> {
    let of_rules = decl.rules.iter().flatten().filter_map(|rule| rule.then.as_ref()?.redirect.as_ref());
    let of_sources = sources.iter().filter_map(|source| match &source.outcomes.on_unauthorized {
        OnUnauthorized::Redirect(target) => Some(target),
        OnUnauthorized::Status | OnUnauthorized::Omit | OnUnauthorized::Fail => None,
    });
    let levels = match &decl.guard {
        Some(GuardsDecl::Levels(levels)) => levels.as_slice(),
        Some(GuardsDecl::Open(_)) | None => &[],
    };
    let refusals = levels.iter().flat_map(|level| level.on_unauthorized.iter().chain(&level.on_forbidden));
    let of_guards = refusals.filter_map(|refusal| match &refusal.value {
        Refusal::Redirect { target, .. } => Some(target),
        Refusal::Status | Refusal::NotFound => None,
    });
    of_rules.map(|target| &target.value).chain(of_sources).chain(of_guards).cloned().collect()
}

/// Says of findings in what the route inherits that they are about this route: other routes may be fine with it.
fn for_whom(patterns: &[(Pattern, Place)], file: &TreeFile, before: usize, shared: &mut Shared<'_>) {
    let place = patterns.first().map_or_else(|| Place::new(file.file, 0..0), |(_, place)| *place);
    let Shared { findings, files, tree, .. } = shared;
    for finding in findings.since(before) {
        let inherited = finding
            .place
            .is_some_and(|place| Some(place.file) == tree.site || section::is_section(files.name(place.file)));
        if inherited && finding.related.iter().all(|related| related.place.file != file.file) {
            finding.related.push(Related { place, message: "inherited by this route".to_owned() });
        }
    }
}

/// The hosts of `host`, in lower case.
pub(super) fn hosts(decl: &Decl, findings: &mut Findings) -> Vec<Spanned<Arc<str>>> {
    let mut hosts = Vec::new();
    for written in decl.host.iter().flat_map(|host| &host.value.0) {
        let host = Authority::parse(&written.content)
            .ok()
            .filter(|host| host.port().is_none() && !written.content.ends_with(':'));
        let host = host.map(|host| Arc::<str>::from(host.host().to_ascii_lowercase()));
        match host {
            Some(host) => match hosts.iter().find(|known: &&Spanned<Arc<str>>| known.value == host) {
                Some(known) => findings.push(
                    Finding::new(&code::BAD_HOST, written.inner, format!("`{}` is named twice", written.content))
                        .related(known.place, "the first time")
                        .help("write each host once; upper and lower case are the same"),
                ),
                None => hosts.push(Spanned::new(host, written.inner)),
            },
            None => {
                let message = format!("`{}` is not a host", written.content);
                findings.push(
                    Finding::new(&code::BAD_HOST, written.inner, message)
                        .help("a name or an address, without scheme, port and path: host = \"blog.example.com\""),
                );
            }
        }
    }
    hosts
}

/// `site.url`, with `host` in place of its own.
pub(super) fn origin(host: Option<&Spanned<Arc<str>>>, shared: &Shared<'_>) -> Option<Arc<str>> {
    let url = shared.site.get("url").and_then(Value::as_str)?;
    let (Some(host), Some((scheme, authority))) = (host, url.split_once("://")) else { return Some(url.into()) };
    let port = Authority::parse(authority).ok().and_then(|authority| authority.port());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}", host.value).into())
}

/// The patterns of `path`, or that of the file's place.
pub(super) fn patterns(decl: &Decl, file: &TreeFile, findings: &mut Findings) -> Vec<(Pattern, Place)> {
    // An inherited one has its finding where it was written.
    let Some(paths) = decl.path.as_ref().filter(|paths| is_own(paths.place, file)) else {
        return by_place(file, findings).into_iter().collect();
    };
    let written = paths.value.0.iter().filter_map(|text| pattern(text, findings)).collect::<Vec<_>>();
    if paths.value.0.is_empty() {
        findings.push(Finding::new(&code::BAD_PATH, paths.place, "a route without any path").help("path = \"/about\""));
    }
    written
}

fn pattern(text: &Text, findings: &mut Findings) -> Option<(Pattern, Place)> {
    match Pattern::parse(&text.content) {
        Ok(pattern) => Some((pattern, text.inner)),
        Err(problems) => {
            for error in problems {
                let message = format!("`{}` is not a path: {}", text.content, error.problem);
                findings.push(Finding::new(&code::BAD_PATH, text.place_of(error.range), message));
            }
            None
        }
    }
}

/// `about.toml` is `/about`, `index.toml` its folder.
pub(super) fn path_of_place(file: &TreeFile) -> String {
    let stem = file.path.strip_suffix(".toml").unwrap_or(&file.path);
    let path = match stem.rsplit_once('/') {
        Some((folder, "index")) => folder,
        None if stem == "index" => "",
        Some(_) | None => stem,
    };
    format!("/{path}")
}

/// The pattern of the file's place, if that is one.
fn by_place(file: &TreeFile, findings: &mut Findings) -> Option<(Pattern, Place)> {
    let place = Place::new(file.file, 0..0);
    let text = path_of_place(file);
    match Pattern::parse(&text) {
        Ok(pattern) if pattern.names().len() == 0 => Some((pattern, place)),
        Ok(_) | Err(_) => {
            let message = format!("the place of `routes/{}` is no URL by itself", file.path);
            findings.push(
                Finding::new(&code::NEEDS_PATH, place, message)
                    .help("a route with parameters says its path: path = \"/repos/{name}\""),
            );
            None
        }
    }
}

fn params(patterns: &[(Pattern, Place)]) -> Vec<(String, bool)> {
    let mut params: Vec<(String, bool)> = Vec::new();
    for (pattern, _) in patterns {
        for name in pattern.names() {
            if !params.iter().any(|(known, _)| known == name) {
                params.push((name.to_owned(), pattern.rest_name() == Some(name)));
            }
        }
    }
    params
}

/// `vars`, empty if there are none.
pub(super) fn vars_of(decl: &Decl) -> Value {
    decl.vars.as_ref().map_or_else(|| Value::Object(Object::default()), |vars| vars.value.to_value())
}

fn sorted_names(patterns: &[(Pattern, Place)]) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = params(patterns).iter().map(|(name, _)| name.as_str().into()).collect();
    names.sort();
    names
}

/// What `page` holds besides title and description that change: a document's front matter and outline, and room for where it is.
fn page(shown: &Shown, decl: &Decl, file: &TreeFile) -> Object {
    let mut members = vec![("file".to_owned(), Value::from(format!("routes/{}", file.path)))];
    if let Shown::Document(document) = shown {
        members.clear();
        members.extend(document.page.iter().cloned());
    }
    for (key, written) in [("title", &decl.title), ("description", &decl.description)] {
        if let Some(text) = written.as_ref().and_then(|template| template.value.as_literal()) {
            members.retain(|(name, _)| name != key);
            members.push((key.to_owned(), text.into()));
        }
    }
    if let Shown::Tree(_) = shown {
        // Each of its documents has a page of its own, of which anything may be read.
        members.push(("html".to_owned(), Value::Null));
    }
    with_place(members)
}

/// A page with room for where it is, which every request fills in.
pub(super) fn with_place(mut members: Vec<(String, Value)>) -> Object {
    members.retain(|(name, _)| name != "path" && name != "url");
    members.extend(["path", "url"].map(|name| (name.to_owned(), Value::Null)));
    members.into_iter().collect()
}

/// The fields of `page` that may be read; a document's are open, because front matter is the author's.
fn page_known(page: &Object, shown: &Shown) -> Known {
    // A document that cannot be read may have any front matter.
    if matches!(shown, Shown::Unclear) {
        return Known::Open;
    }
    let mut members: Vec<(String, Known)> =
        ["title", "description", "path", "url"].iter().map(|&name| (name.to_owned(), Known::Scalar)).collect();
    for (key, _) in page.iter() {
        // The keys of front matter are told apart already.
        if !matches!(key.as_str(), "title" | "description" | "path" | "url") {
            members.push((key.to_string(), Known::Open));
        }
    }
    if page.get("html").is_some() {
        return Known::Open;
    }
    // Layouts are shared with documents, whose fields read as `nil` on other pages.
    members.extend(["toc", "html"].iter().map(|&name| (name.to_owned(), Known::Open)));
    Known::Record(members)
}

fn constants(shared: &Shared<'_>, vars: &Value, shown: &Shown, sources: usize, intakes: &[Intake]) -> Vec<Value> {
    let mut constants = vec![Value::Null; slots::FIRST_SOURCE + sources];
    constants[slots::SITE] = shared.site.clone();
    constants[slots::VARS] = vars.clone();
    constants[slots::ENV] = shared.environment.published();
    constants[slots::DEGRADED] = Value::list(Vec::new());
    if let Some(form) = intakes.iter().find(|intake| intake.is_form()) {
        constants[slots::FORM] = form.blank();
    }
    if let Shown::Document(document) = shown {
        constants[slots::CONTENT] = document.html.clone();
    }
    constants
}

fn inputs(
    mut query: Vec<super::super::QueryInput>,
    mut cookies: Vec<CookieInput>,
    reads: &Reads,
    sources: &[Source],
    needed: &BTreeSet<usize>,
) -> Inputs {
    let url = reads.request.contains_key("url");
    for input in &mut query {
        input.is_read = url || reads.query.contains_key(&*input.name);
    }
    for cookie in &mut cookies {
        cookie.is_read = reads.cookies.contains_key(&*cookie.name);
    }
    let mut headers: BTreeSet<&str> = reads.headers.keys().map(String::as_str).collect();
    for &at in needed {
        if let Some(Kind::Http(http)) = sources.get(at).map(|source| &source.kind) {
            headers.extend(http.forward_headers.iter().map(HeaderName::as_str));
        }
    }
    Inputs {
        user: reads.user.is_some(),
        query,
        cookies,
        headers: headers.into_iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect(),
        request: RequestReads {
            path: reads.request.contains_key("path"),
            url,
            method: reads.request.contains_key("method"),
            language: reads.request.contains_key("language"),
            flash: reads.request.contains_key("flash"),
        },
    }
}

/// Whether a route's own file wrote what stands at `place`, or inherited it.
pub(super) fn is_own(place: Place, file: &TreeFile) -> bool {
    place.file == file.file
}

/// A name shared by what is made of it.
pub(super) fn shared_name(name: &str) -> Arc<str> {
    name.into()
}
