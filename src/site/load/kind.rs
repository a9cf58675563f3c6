//! What a route shows: its kind, and that kind's parts compiled and linked.

use super::super::{Rule, Then, code};
use super::route::{self, is_own, shared_name};
use super::scope::{Reads, Scope};
use super::{Shared, called, documents, layouts, media};
use crate::config::{
    Declared as _, Environment, PLACEHOLDER_NOT_READ, Part, Reference, Shape, Table, Template, TreeFile,
};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};
use crate::render::{Condition, Layout, Read, Segment};
use crate::resource::{
    self, Decl, Document, Folder, Json, Linked, Nulls, ParamDecl, Proxy, Resource, Tree, TreeDocument,
};
use crate::source::{self, Source};
use crate::value::Value;
use http::StatusCode;
use http::header::{HeaderName, REFRESH};
use std::sync::Arc;

/// What a route shows, before names are resolved. Whatever is missing is told already.
pub(super) enum Shown {
    Page(Option<Arc<Layout>>),
    Document(Box<ShownDocument>),
    Tree(Box<documents::ShownTree>),
    Files {
        folder: String,
        parameter: String,
        held: Vec<String>,
    },
    Json(Shape, Nulls),
    Redirect(Template),
    Proxy(Box<Proxy>),
    /// Something with mistakes: what it would be, and what it would read, is not known.
    Unclear,
}

/// What layouts call the names of the sources that something else stands for.
const DEGRADED: &str = "degraded";

/// A document that was read.
pub(super) struct ShownDocument {
    pub(super) layout: Option<Arc<Layout>>,
    /// Whether it names a layout that is not there.
    lacks_layout: bool,
    pub(super) html: Value,
    /// Its front matter, and what its text tells: `toc`, `html`, a title, a description.
    pub(super) page: Vec<(String, Value)>,
}

impl Shown {
    /// The files that it holds, as the rest parameter names them.
    pub(super) fn held(&self) -> Option<Vec<String>> {
        match self {
            Self::Files { held, .. } => Some(held.clone()),
            Self::Tree(tree) => Some(tree.documents.iter().map(|document| document.name.clone()).collect()),
            Self::Page(_) | Self::Document(_) | Self::Json(..) | Self::Redirect(_) | Self::Proxy(_) | Self::Unclear => {
                None
            }
        }
    }

    /// Whether all that it reads is known.
    pub(super) fn is_clear(&self, library: &layouts::Layouts) -> bool {
        let is_whole = match self {
            Self::Page(layout) => layout.is_some(),
            Self::Document(document) => !document.lacks_layout,
            Self::Tree(tree) => !tree.lacks_layout,
            Self::Files { .. } | Self::Json(..) | Self::Redirect(_) | Self::Proxy(_) => true,
            Self::Unclear => false,
        };
        is_whole && self.layouts().all(|layout| library.is_whole(layout))
    }

    /// The layouts that it is shown in.
    pub(super) fn layouts(&self) -> impl Iterator<Item = &Layout> {
        let list = match self {
            Self::Page(layout) => layout.iter().collect(),
            Self::Document(document) => document.layout.iter().collect(),
            Self::Tree(tree) => tree.layouts.iter().collect(),
            Self::Files { .. } | Self::Json(..) | Self::Redirect(_) | Self::Proxy(_) | Self::Unclear => Vec::new(),
        };
        list.into_iter().map(|layout| &**layout)
    }
}

/// The kind of a route and its parts. Of several kinds all is told that is wrong with the first.
pub(super) fn of(decl: &Decl, table: &Table, file: &TreeFile, shared: &mut Shared<'_>) -> Shown {
    let kinds = [
        ("content", decl.content.as_ref().map(|content| content.place)),
        ("files", decl.files.as_ref().map(|files| files.place)),
        ("json", decl.json.as_ref().map(|json| json.place)),
        ("proxy", decl.proxy.as_ref().map(|proxy| proxy.place)),
        ("redirect", decl.redirect.as_ref().map(|redirect| redirect.place)),
    ];
    let mut written = kinds.iter().filter_map(|(key, place)| place.map(|place| (*key, place)));
    let (kind, other) = (written.next(), written.next());
    if let (Some((first, first_place)), Some((second, place))) = (kind, other) {
        shared.findings.push(
            Finding::new(&resource::TWO_KINDS, place, format!("a route with both `{first}` and `{second}`"))
                .related(first_place, "the other")
                .help("a route is of one kind: keep one"),
        );
    } else {
        refuse_foreign(decl, kind.map(|(key, _)| key), file, &mut shared.findings);
    }
    let shown = of_one_kind(decl, table, file, shared);
    shown.filter(|_| other.is_none()).unwrap_or(Shown::Unclear)
}

fn of_one_kind(decl: &Decl, table: &Table, file: &TreeFile, shared: &mut Shared<'_>) -> Option<Shown> {
    if let Some(content) = &decl.content {
        return content_of(content, decl, file, shared);
    }
    if let Some(files) = &decl.files {
        return folder(files, decl, file, shared);
    }
    if let Some(json) = &decl.json {
        let nulls = decl.nulls.as_ref().map_or(Nulls::Keep, |nulls| nulls.value);
        return super::json::mapped(&json.value, json.place, &mut shared.findings)
            .map(|shape| Shown::Json(shape, nulls));
    }
    if let Some(redirect) = &decl.redirect {
        self::redirect(&redirect.value, Some(decl), shared.environment, &mut shared.findings);
        return Some(Shown::Redirect(redirect.value.clone()));
    }
    if let Some(proxy) = &decl.proxy {
        return super::proxy::of(proxy, decl, table, file, shared).map(|proxy| Shown::Proxy(Box::new(proxy)));
    }
    let Some(name) = &decl.layout else {
        let is_lost = ["layout", "content", "files", "json", "proxy", "redirect"].iter().any(|key| decl.is_lost(key));
        if is_lost || shared.lacks_defaults {
            return None;
        }
        let place = Place::new(file.file, 0..0);
        shared.findings.push(
            Finding::new(&resource::NO_LAYOUT, place, "a page without a layout has nothing to show").help(
                "layout = \"page.html\", also where there is a [form], or another kind of route: `content`, `files`, `json`, `proxy`, `redirect`; \
                 `siteserver new route PATH` writes one with what it needs",
            ),
        );
        return None;
    };
    Some(Shown::Page(layout(name, shared)))
}

/// Keys that mean nothing to the kind: inherited ones are ignored, written ones are errors.
fn refuse_foreign(decl: &Decl, kind: Option<&str>, file: &TreeFile, findings: &mut Findings) {
    let layout = ("layout", decl.layout.as_ref().map(|layout| layout.place));
    let title = ("title", decl.title.as_ref().map(|title| title.place));
    let description = ("description", decl.description.as_ref().map(|description| description.place));
    let content_type = ("content-type", decl.content_type.as_ref().map(|content_type| content_type.place));
    let status = ("status", decl.status.map(|status| status.place));
    let sources = decl.sources.as_ref().and_then(|named| named.0.first());
    let sources = ("sources", sources.map(|(name, _)| name.place));
    let nulls = ("nulls", decl.nulls.as_ref().map(|nulls| nulls.place));
    let has_pages =
        decl.rules.iter().flatten().any(|rule| rule.then.as_ref().is_some_and(|then| then.layout.is_some()));
    let csp = ("csp", decl.csp.as_ref().filter(|_| !has_pages).and_then(resource::CspDecl::place));
    let query = ("query", decl.query.as_ref().and_then(|named| named.0.first()).map(|(name, _)| name.place));
    let cookies = ("cookies", decl.cookies.as_ref().and_then(|named| named.0.first()).map(|(name, _)| name.place));
    let set_cookies = decl.set_cookies.as_ref().and_then(|named| named.0.first());
    let set_cookies = ("set-cookies", set_cookies.map(|(name, _)| name.place));
    let rules = ("rules", decl.rules.iter().flatten().next().map(|rule| rule.place));
    let form = ("form", decl.form.as_ref().map(|form| form.place));
    let methods = ("methods", decl.methods.as_ref().map(|methods| methods.place));
    let otherwise = ("on-not-found", decl.on_not_found.as_ref().map(|on_not_found| on_not_found.place));
    // Of files it is known before any request which there are, and proxies pass on what others say: nothing is read for either.
    let of_proxy = [
        csp,
        layout,
        title,
        description,
        content_type,
        status,
        sources,
        nulls,
        query,
        cookies,
        set_cookies,
        rules,
        otherwise,
        form,
        methods,
    ];
    // Files may be pages.
    let [_csp, of_files @ ..] = &of_proxy;
    let foreign: &[(&str, Option<Place>)] = match kind {
        Some("proxy") => &of_proxy,
        Some("files") => of_files,
        Some("json") => &[layout, title, description, csp, form],
        Some("redirect") => &[layout, title, description, content_type, nulls, csp, otherwise, form, methods],
        Some("content") => &[nulls, otherwise, methods],
        Some(_) | None => &[nulls, methods],
    };
    let of_proxies = [
        ("proxy-path", decl.proxy_path.as_ref().map(|written| written.place)),
        ("preserve-host", decl.preserve_host.as_ref().map(|written| written.place)),
        ("forwarded", decl.forwarded.as_ref().map(|written| written.place)),
        ("via", decl.via.as_ref().map(|written| written.place)),
        ("websocket", decl.websocket.as_ref().map(|written| written.place)),
    ];
    let of_proxies = of_proxies.iter().filter(|_| kind != Some("proxy"));
    for (key, place) in foreign.iter().chain(of_proxies) {
        if let Some(place) = place.filter(|place| is_own(*place, file)) {
            let message = format!("`{key}` on a route of the kind `{}`", kind.unwrap_or("page"));
            let help = match (*key, kind) {
                ("rules" | "cookies", Some("files" | "proxy")) => "leave it out; who may have it, a `guard` says",
                _ => "leave it out",
            };
            findings.push(Finding::new(&resource::FOREIGN_KEY, place, message).help(help));
        }
    }
    // Files, redirects and proxies are answered without data: their headers are the same each time.
    if let Some(kind @ ("files" | "redirect" | "proxy")) = kind {
        for template in decl.headers.iter().flat_map(|named| &named.0).filter_map(|(_, written)| written.value()) {
            if template.as_literal().is_none() && is_own(template.place, file) {
                let message = format!("a header with a placeholder on a route of the kind `{kind}`");
                findings.push(Finding::new(&resource::FOREIGN_KEY, template.place, message).help("write its value"));
            }
        }
    }
}

/// The layout of this name.
pub(super) fn layout(name: &Spanned<String>, shared: &mut Shared<'_>) -> Option<Arc<Layout>> {
    if let Some(layout) = shared.library.get(&name.value) {
        return Some(Arc::clone(layout));
    }
    if name.value.contains('{') {
        shared.findings.push(
            Finding::new(&PLACEHOLDER_NOT_READ, name.place, "a placeholder in the name of a layout")
                .help("which layout shows a page is known before it is requested: write a route for each"),
        );
        return None;
    }
    shared.findings.push(shared.library.unknown(name));
    None
}

/// A document, or a tree of them.
fn content_of(content: &Spanned<String>, decl: &Decl, file: &TreeFile, shared: &mut Shared<'_>) -> Option<Shown> {
    let path = content.value.as_str();
    if let Some(finding) = outside(path, content.place, "content") {
        shared.findings.push(finding);
        return None;
    }
    if shared.tree.has_content(path) {
        return document(path, decl, shared).map(|document| Shown::Document(Box::new(document)));
    }
    let folder = format!("{}/", path.trim_matches('/'));
    if shared.tree.content.iter().any(|file| file.path.starts_with(&folder)) {
        for (key, written) in [("title", &decl.title), ("description", &decl.description)] {
            if let Some(written) =
                written.as_ref().filter(|text| text.value.as_literal().is_some() && is_own(text.place, file))
            {
                let message = format!("`{key}` of a tree of documents, of which each has its own");
                shared.findings.push(
                    Finding::new(&resource::FOREIGN_KEY, written.place, message).help(format!(
                        "write it in their front matter, or add to it: {key} = \"{{page.{key}}} · Docs\""
                    )),
                );
            }
        }
        return documents::tree(content, decl, file, shared).map(|tree| Shown::Tree(Box::new(tree)));
    }
    if let Some((message, help)) = shared.tree.passed_over(path.trim_matches('/')) {
        shared.findings.push(Finding::new(&resource::NO_DOCUMENT, content.place, message).help(help));
        return None;
    }
    let files = shared.tree.content.iter().map(|file| file.path.as_str()).filter(|path| documents::is_markdown(path));
    let folders = files.clone().filter_map(|path| path.rsplit_once('/')).map(|(folder, _)| folder);
    let help = did_you_mean(path, files.chain(folders)).unwrap_or_else(|| format!("write it: content/{path}"));
    let message = format!("there is no document `{path}` in `content/`");
    shared.findings.push(Finding::new(&resource::NO_DOCUMENT, content.place, message).help(help));
    None
}

/// The finding for a path that leads out of the folder of the site in which it is looked up.
pub(super) fn outside(path: &str, place: Place, folder: &str) -> Option<Finding> {
    let help = if path.split(['/', '\\']).any(|segment| segment == "..") {
        format!("copy it below `{folder}/`, and name it from there")
    } else if path.starts_with('/') && !path.trim_matches('/').is_empty() {
        format!("paths begin below `{folder}/`: \"{}\"", path.trim_start_matches('/'))
    } else {
        return None;
    };
    Some(Finding::new(&resource::OUTSIDE, place, format!("`{path}` is outside `{folder}/`")).help(help))
}

fn document(path: &str, decl: &Decl, shared: &mut Shared<'_>) -> Option<ShownDocument> {
    let document = documents::read(path, shared)?;
    let rendered = documents::rendered(&document, shared)?;
    let named = document.layout(&shared.files).or(decl.layout.clone());
    let layout = named.as_ref().and_then(|name| layout(name, shared));
    let lacks_layout = layout.is_none() && named.is_some();
    Some(ShownDocument {
        layout,
        lacks_layout,
        html: rendered.html.clone(),
        page: documents::members(&document, &rendered),
    })
}

/// The rest parameter at the end of the route's path.
pub(super) fn rest_parameter(
    decl: &Decl,
    file: &TreeFile,
    place: Place,
    (what, example): (&str, &str),
    shared: &mut Shared<'_>,
) -> Option<String> {
    if decl.path.as_ref().is_some_and(|paths| !is_own(paths.place, file)) {
        // That a section has a path is told there; what the route's own would be is not known.
        return None;
    }
    let paths = decl.path.as_ref().map(|paths| paths.value.0.as_slice()).unwrap_or_default();
    let parameter =
        paths.first().and_then(|path| path.content.rsplit_once("{*")).and_then(|(_, rest)| rest.strip_suffix('}'));
    if parameter.is_none() {
        let place = paths.first().map_or(place, |path| path.inner);
        let message = format!("the path of {what} does not end in a rest parameter");
        shared.findings.push(Finding::new(&resource::FILES_PATH, place, message).help(example));
    }
    parameter.map(str::to_owned)
}

fn folder(files: &Spanned<String>, decl: &Decl, file: &TreeFile, shared: &mut Shared<'_>) -> Option<Shown> {
    if let Some(finding) = outside(&files.value, files.place, "content") {
        shared.findings.push(finding);
        return None;
    }
    let parameter = rest_parameter(decl, file, files.place, ("a `files` route", "path = \"/assets/{*file}\""), shared);
    let folder = files.value.trim_matches('/');
    if let Some((message, help)) = shared.tree.passed_over(folder) {
        shared.findings.push(Finding::new(&resource::NO_FOLDER, files.place, message).help(help));
        return None;
    }
    let is_plain = folder.is_empty()
        || folder.split('/').all(|segment| !segment.is_empty() && !segment.starts_with('.') && !segment.contains('\\'));
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let held: Vec<String> =
        shared.tree.content.iter().filter_map(|file| file.path.strip_prefix(&prefix)).map(str::to_owned).collect();
    if !is_plain || held.is_empty() {
        let message = format!("`content/{folder}` is not a folder with files");
        let folders =
            shared.tree.content.iter().filter_map(|file| file.path.rsplit_once('/')).map(|(folder, _)| folder);
        let way_out = did_you_mean(folder, folders).unwrap_or_else(|| "name a folder below `content/`".into());
        shared.findings.push(Finding::new(&resource::NO_FOLDER, files.place, message).help(way_out));
        return None;
    }
    Some(Shown::Files { folder: folder.to_owned(), parameter: parameter?, held })
}

/// Finds secrets in the target of a redirect, and a host that a request could choose; whether there is no such host.
pub(super) fn redirect(
    target: &Template,
    decl: Option<&Decl>,
    environment: &Environment,
    findings: &mut Findings,
) -> bool {
    source::refuse_secrets(target, "a redirect", environment, findings);
    let sound = is_anchored(target, decl);
    if !sound {
        findings.push(
            Finding::new(
                &resource::OPEN_REDIRECT,
                target.place,
                "a redirect whose target does not begin with a path or a whole origin",
            )
            .help("redirect = \"/new/{params.slug}\" or \"https://example.com/new\""),
        );
    }
    sound
}

/// Whether nothing of a request can choose the host that visitors are sent to.
fn is_anchored(target: &Template, decl: Option<&Decl>) -> bool {
    let literal = |text: &str| match text.split_once("://") {
        Some(("http" | "https", rest)) => rest.contains('/') || target.parts.len() == 1,
        Some(_) => false,
        None => text.starts_with('/') && !text.starts_with("//") && !text.contains('\\'),
    };
    match target.parts.first() {
        Some(Part::Literal(text)) => literal(text),
        // A path of this site, which is looked at when the request is read.
        Some(Part::Value(reference)) => target.parts.len() == 1 && decl.is_some_and(|decl| is_path(reference, decl)),
        Some(Part::Env(_)) | None => false,
    }
}

/// Whether a placeholder stands for an input whose type is `path`.
fn is_path(reference: &Reference, decl: &Decl) -> bool {
    let [name] = reference.keys.as_slice() else { return false };
    let is_it = |(key, kind): (&Spanned<String>, &ParamDecl)| {
        key.value == *name && kind.kind.as_ref().is_some_and(|kind| kind.value == "path")
    };
    let is_one = |repeat: &Option<Spanned<bool>>| !repeat.is_some_and(|repeat| repeat.value);
    let mut query = decl.query.iter().flat_map(|named| &named.0).filter(|(_, query)| is_one(&query.repeat));
    reference.root == "query" && query.any(|(name, query)| is_it((name, &query.kind)))
}

/// A header name that routes may set.
pub(super) fn header_name(name: &Spanned<String>, findings: &mut Findings) -> Option<HeaderName> {
    let Ok(field) = HeaderName::from_bytes(name.value.as_bytes()) else {
        let message = format!("`{}` is not the name of a header field", name.value);
        findings.push(Finding::new(&resource::RESERVED_HEADER, name.place, message));
        return None;
    };
    let Some(instead) = resource::instead_of_header(&field) else { return Some(field) };
    let message = format!("`{field}` among the headers of a route");
    findings.push(Finding::new(&resource::RESERVED_HEADER, name.place, message).help(instead));
    None
}

/// What an answer's field makes others do whose name is, or begins with, one of these: whoever chooses its value chooses that.
const POWERS: [(&str, &str); 19] = [
    ("access-control-", "which sites may read the answer"),
    ("alt-svc", "from which host the site is served"),
    ("clear-site-data", "what browsers forget"),
    ("cross-origin-", "who may hold the page"),
    ("document-policy", "what the page may do"),
    ("nel", "where browsers report to"),
    ("origin-agent-cluster", "who may hold the page"),
    ("permissions-policy", "what the page may do"),
    ("referrer-policy", "what other sites learn"),
    ("report-to", "where browsers report to"),
    ("reporting-endpoints", "where browsers report to"),
    ("service-worker-allowed", "over which pages a script may rule"),
    ("sourcemap", "what browsers load"),
    ("strict-transport-security", "how the site is reached"),
    ("surrogate-control", "what caches keep"),
    ("x-accel-", "which file a proxy sends"),
    ("x-content-type-options", "whether browsers guess types"),
    ("x-frame-options", "who may hold the page"),
    ("x-sendfile", "which file a proxy sends"),
];

/// Tells of a field that sends visitors on or gives power to somebody, and into which data is printed.
pub(super) fn refuse_changing(field: &HeaderName, template: &Template, findings: &mut Findings) {
    // What the site itself declares is the author's word.
    if template.references().all(|reference| matches!(reference.root.as_str(), "site" | "vars")) {
        return;
    }
    let name = field.as_str();
    let power = POWERS.iter().find(|(known, _)| name == *known || (known.ends_with('-') && name.starts_with(known)));
    if let Some((_, what)) = power {
        let message = format!("data in `{name}` would choose {what}");
        let help = if name.starts_with("access-control-") {
            "declare it: [cors] origins = [\"https://app.example.com\"]"
        } else {
            "write the value out, or take it from `vars` or a public variable of the environment"
        };
        findings.push(Finding::new(&resource::POWERFUL_HEADER, template.place, message).help(help));
    }
    if field == REFRESH {
        let message = "what is printed into `refresh` could send visitors anywhere";
        findings.push(
            Finding::new(&resource::OPEN_REDIRECT, template.place, message)
                .help("write the address out, or the key `redirect`, or a rule with `then.redirect`"),
        );
    }
}

/// The sources that the route itself mentions, by position.
pub(super) fn mentioned(shown: &Shown, decl: &Decl, sources: &[Source], shared: &Shared<'_>) -> Vec<usize> {
    let mut roots: Vec<String> = Vec::new();
    let mut layout_roots = |layout: &Layout| roots.extend(layout.roots().iter().map(|root| root.name.to_string()));
    shown.layouts().for_each(&mut layout_roots);
    match shown {
        Shown::Page(_)
        | Shown::Document(_)
        | Shown::Tree(_)
        | Shown::Files { .. }
        | Shown::Proxy(_)
        | Shown::Unclear => {}
        Shown::Json(shape, _) => roots.extend(shape.references().into_iter().map(|reference| reference.root.clone())),
        Shown::Redirect(target) => roots.extend(target.references().map(|reference| reference.root.clone())),
    }
    for rule in decl.rules.iter().flatten() {
        let name = rule.then.as_ref().and_then(|then| then.layout.as_ref());
        if let Some(layout) = name.and_then(|name| shared.library.get(&name.value)) {
            roots.extend(layout.roots().iter().map(|root| root.name.to_string()));
        }
    }
    let mut template =
        |template: &Template| roots.extend(template.references().map(|reference| reference.root.clone()));
    decl.title.iter().chain(&decl.description).for_each(|written| template(&written.value));
    let tags = decl.cache.iter().flat_map(|cache| cache.0.rules.tags.iter().flatten());
    tags.for_each(|written| template(&written.value));
    let set_cookies = decl.set_cookies.iter().flat_map(|named| &named.0);
    set_cookies.filter_map(|(_, cookie)| cookie.value.as_ref()).for_each(|written| template(&written.value));
    decl.headers.iter().flat_map(|named| &named.0).filter_map(|(_, written)| written.value()).for_each(&mut template);
    for rule in decl.rules.iter().flatten() {
        if let Some(target) = rule.then.as_ref().and_then(|then| then.redirect.as_ref()) {
            template(&target.value);
        }
    }
    for rule in decl.rules.iter().flatten() {
        if let Some(text) = &rule.condition
            && let Some(condition) = Condition::compile(&text.content, text.inner, &mut Findings::default())
        {
            roots.extend(condition.roots().iter().map(|root| root.name.to_string()));
        }
    }
    roots.iter().filter_map(|root| sources.iter().position(|source| source.name.value == *root)).collect()
}

/// The resource with names resolved.
pub(super) fn link(shown: &Shown, scope: &Scope<'_>, reads: &mut Reads, shared: &mut Shared<'_>) -> Option<Resource> {
    Some(match shown {
        Shown::Page(layout) => Resource::Page(link_layout(layout.as_ref()?, scope, reads, &mut shared.findings)?),
        Shown::Document(document) => Resource::Document(Document {
            layout: match &document.layout {
                Some(layout) => Some(link_layout(layout, scope, reads, &mut shared.findings)?),
                None if document.lacks_layout => return None,
                None => None,
            },
            html: document.html.clone(),
            csp: None,
        }),
        Shown::Tree(tree) => Resource::Tree(link_tree(tree, scope, reads, shared)?),
        Shown::Files { folder, parameter, .. } => {
            let (path, parameter) = (shared_name(folder), shared_name(parameter));
            Resource::Files(Folder { path, parameter, csp: None, has_versions: false })
        }
        Shown::Json(shape, nulls) => {
            source::refuse_secrets_in(shape, "the JSON of an answer", shared.environment, &mut shared.findings);
            let shape = super::json::link(shape, None, scope, reads, &mut shared.findings)?;
            Resource::Json(Json { shape, nulls: *nulls })
        }
        Shown::Redirect(target) => {
            let linked = target.try_map(|reference| scope.bind(reference, reads, &mut shared.findings))?;
            Resource::Redirect(Some(linked).filter(|_| is_anchored(target, Some(scope.written.decl)))?)
        }
        Shown::Proxy(proxy) => Resource::Proxy(proxy.clone()),
        Shown::Unclear => return None,
    })
}

fn link_tree(
    tree: &documents::ShownTree,
    scope: &Scope<'_>,
    reads: &mut Reads,
    shared: &mut Shared<'_>,
) -> Option<Tree> {
    let layouts: Vec<_> =
        tree.layouts.iter().map(|layout| link_layout(layout, scope, reads, &mut shared.findings)).collect();
    let content_types = media::of_tree(tree, scope.written.decl);
    let document = |shown: &documents::ShownPage| {
        let page = route::with_place(shown.page.clone());
        let content_type = shown.layout.and_then(|layout| content_types.get(layout).cloned().flatten());
        let html = shown.html.clone();
        (
            shown.name.clone(),
            TreeDocument { layout: shown.layout, content_type, html, page, csp: None, revision: 0, tag: None },
        )
    };
    if tree.lacks_layout {
        return None;
    }
    Some(Tree {
        parameter: shared_name(&tree.parameter),
        layouts: layouts.into_iter().collect::<Option<_>>()?,
        documents: tree.documents.iter().map(document).collect(),
    })
}

/// Resolves what a layout reads; every unknown name and field is found at its place in the layout.
pub(super) fn link_layout(
    layout: &Arc<Layout>,
    scope: &Scope<'_>,
    reads: &mut Reads,
    findings: &mut Findings,
) -> Option<Linked> {
    let mut sound = true;
    let mut astray = Astray::default();
    for read in layout.reads() {
        if astray.leads_to(read) {
            continue;
        }
        let Some(root) = layout.roots().get(read.root) else { continue };
        if matches!(&*root.name, "content" | DEGRADED) || !(root.certain || scope.knows(&root.name)) {
            continue;
        }
        let keys = keys_of(&read.segments);
        let mut found = Findings::default();
        let is_known = scope.resolve(&root.name, &keys, read.place, reads, &mut found).is_some();
        // What a partial reads of each item of a list is no mistake because the list itself has no such thing; nor is it told twice.
        if !is_known && let Some(item) = item_of(read, layout.reads()) {
            sound &= is_resolved(item, &root.name, scope);
            continue;
        }
        findings.append(called::explained(found, read, |given, place| {
            let mut found = Findings::default();
            let keys = keys.get(..given).unwrap_or(&keys);
            scope.resolve(&root.name, keys, place, &mut Reads::default(), &mut found);
            found
        }));
        astray.note(read, is_known);
        sound &= is_known;
    }
    let slots = layout.roots().iter().map(|root| slot_of(&root.name, scope)).collect();
    sound.then(|| Linked { layout: Arc::clone(layout), slots, csp: None })
}

/// What is read of the items of a list where the same is read of the list: `render … for` gives its partial the one or the other.
fn item_of<'l>(list: &Read, reads: &'l [Read]) -> Option<&'l Read> {
    let is_item = |item: &Read, at: usize| {
        let (Some(start), Some(end)) = (list.segments.get(..at), list.segments.get(at..)) else { return false };
        item.segments.strip_prefix(start).and_then(|rest| rest.strip_prefix(&[Segment::Any])) == Some(end)
    };
    reads.iter().find(|item| {
        item.root == list.root && item.place == list.place && (0..list.segments.len()).any(|at| is_item(item, at))
    })
}

fn is_resolved(read: &Read, root: &str, scope: &Scope<'_>) -> bool {
    let keys = keys_of(&read.segments);
    scope.resolve(root, &keys, read.place, &mut Reads::default(), &mut Findings::default()).is_some()
}

/// Lists that are not there, so that what a loop reads of their items is no mistake of its own.
#[derive(Default)]
pub(super) struct Astray<'l>(Vec<&'l Read>);

impl<'l> Astray<'l> {
    /// Whether this is an item of a list that is not there, or something below.
    pub(super) fn leads_to(&self, read: &Read) -> bool {
        self.0.iter().any(|list| {
            let below = read.segments.strip_prefix(list.segments.as_slice());
            list.root == read.root && matches!(below, Some([Segment::Any, ..]))
        })
    }

    pub(super) fn note(&mut self, read: &'l Read, is_known: bool) {
        if !is_known && !read.segments.is_empty() {
            self.0.push(read);
        }
    }
}

/// The steps of a path as names, where they are.
pub(super) fn keys_of(segments: &[Segment]) -> Vec<Option<&str>> {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Key(key) => Some(&**key),
            Segment::Size => Some("size"),
            Segment::First => Some("first"),
            Segment::Last => Some("last"),
            Segment::Index(_) | Segment::Any => None,
        })
        .collect()
}

fn slot_of(name: &str, scope: &Scope<'_>) -> Option<usize> {
    match name {
        "content" => return Some(super::super::slots::CONTENT),
        DEGRADED => return Some(super::super::slots::DEGRADED),
        _ => {}
    }
    let source =
        scope.sources.iter().position(|source| source.name.value == name).and_then(|at| scope.slots.get(at).copied());
    source.or_else(|| super::super::slots::SCOPES.iter().find(|(scope, _)| *scope == name).map(|(_, slot)| *slot))
}

/// The rules, in their order.
pub(super) fn rules(decl: &Decl, scope: &Scope<'_>, reads: &mut Reads, shared: &mut Shared<'_>) -> Option<Vec<Rule>> {
    let mut rules = Vec::new();
    let mut sound = true;
    for written in decl.rules.iter().flatten() {
        let lacks = |is_there: bool, key: &str| !is_there && !written.is_lost(key);
        if lacks(written.condition.is_some(), "if") || lacks(written.then.is_some(), "then") {
            shared.findings.push(
                Finding::new(&code::BAD_RULE, written.place, "a rule without a condition, or without anything to do")
                    .help("if = \"repo.archived\", then = { redirect = \"/archive\" }"),
            );
        }
        let mut own = Reads::default();
        let text = written.condition.as_ref();
        let condition = text.and_then(|text| Condition::compile(&text.content, text.inner, &mut shared.findings));
        let condition = condition.filter(|condition| {
            let mut known = true;
            for read in condition.reads() {
                let Some(root) = condition.roots().get(read.root) else { continue };
                let keys = keys_of(&read.segments);
                known &= scope.resolve(&root.name, &keys, read.place, &mut own, &mut shared.findings).is_some();
            }
            known
        });
        let after = own.sources.keys().filter_map(|&at| position(scope, at)).collect();
        let mut target = Reads::default();
        let then = written.then.as_ref().and_then(|then| self::then(then, scope, &mut target, shared));
        reads.extend(&own);
        reads.extend(&target);
        match (condition.zip(text), then) {
            (Some((condition, text)), Some(then)) => {
                let written = Spanned::new(text.content.clone(), text.inner);
                let slots = condition.roots().iter().map(|root| slot_of(&root.name, scope)).collect();
                rules.push(Rule { written, condition, slots, after, then });
            }
            (None, _) | (_, None) => sound = false,
        }
    }
    sound.then_some(rules)
}

/// The position among the planned sources of the source at `at`.
pub(super) fn position(scope: &Scope<'_>, at: usize) -> Option<usize> {
    scope.slots.get(at).map(|slot| slot - super::super::slots::FIRST_SOURCE)
}

fn then(decl: &resource::ThenDecl, scope: &Scope<'_>, reads: &mut Reads, shared: &mut Shared<'_>) -> Option<Then> {
    if decl.is_lost("redirect") || decl.is_lost("layout") {
        // It is told why it could not be read, and which statuses fit it would say.
        return None;
    }
    let status = |default: u16, allowed: fn(u16) -> bool, findings: &mut Findings| match decl.status {
        None => StatusCode::from_u16(default).ok(),
        Some(status) => {
            let parsed = StatusCode::from_u16(status.value).ok().filter(|_| allowed(status.value));
            if parsed.is_none() {
                let message = format!("{} is not a status that this rule can answer with", status.value);
                findings.push(Finding::new(&resource::BAD_STATUS, status.place, message));
            }
            parsed
        }
    };
    let redirects = |status: u16| matches!(status, 301 | 302 | 303 | 307 | 308);
    let answers =
        |status: u16| (200..600).contains(&status) && !matches!(status, 204 | 205 | 304 | 301 | 302 | 303 | 307 | 308);
    if let Some(target) = &decl.redirect {
        if let Some(layout) = &decl.layout {
            shared.findings.push(
                Finding::new(&code::BAD_RULE, layout.place, "`layout` beside `redirect`")
                    .related(target.place, "the redirect")
                    .help("keep one"),
            );
        }
        let sound = redirect(&target.value, Some(scope.written.decl), shared.environment, &mut shared.findings);
        let linked = target.value.try_map(|reference| scope.bind(reference, reads, &mut shared.findings));
        let after = reads.sources.keys().filter_map(|&at| position(scope, at)).collect();
        let status = status(302, redirects, &mut shared.findings);
        return Some(Then::Redirect { target: linked.filter(|_| sound)?, status: status?, after });
    }
    if let Some(name) = &decl.layout {
        let layout = layout(name, shared);
        let layout = layout.and_then(|layout| link_layout(&layout, scope, reads, &mut shared.findings));
        let status = status(200, answers, &mut shared.findings);
        return Some(Then::Layout { status: status?, layout: layout? });
    }
    if decl.status.is_none() {
        if !decl.is_lost("status") {
            shared.findings.push(
                Finding::new(&code::BAD_RULE, decl.place, "a rule that does nothing")
                    .help("then = { status = 404 } or { redirect = \"/archive\" }"),
            );
        }
        return None;
    }
    let errors = |status: u16| (400..600).contains(&status);
    status(404, errors, &mut shared.findings).map(Then::Status)
}

/// The status of the route's answers.
pub(super) fn status(shown: &Shown, decl: &Decl, findings: &mut Findings) -> Option<StatusCode> {
    if decl.is_lost("redirect") {
        // What became of the route instead would judge the status of a redirect.
        return None;
    }
    let redirects = matches!(shown, Shown::Redirect(_));
    let Some(status) = decl.status else {
        return Some(if redirects { StatusCode::PERMANENT_REDIRECT } else { StatusCode::OK });
    };
    let fits = if redirects {
        matches!(status.value, 301 | 302 | 303 | 307 | 308)
    } else {
        (200..600).contains(&status.value) && !matches!(status.value, 204 | 205 | 206 | 300..400)
    };
    let parsed = StatusCode::from_u16(status.value).ok().filter(|_| fits);
    if parsed.is_none() {
        let message = format!("{} is not a status that this route can answer with", status.value);
        let help = if redirects { "301, 302, 303, 307 or 308" } else { "a status with content, such as 200 or 404" };
        findings.push(Finding::new(&resource::BAD_STATUS, status.place, message).help(help));
    }
    parsed
}

/// The layouts that a route names: those that it is shown in, or would be, those of its rules, and those of its error pages. `None` if it
/// is not known which it means.
pub(super) fn named_layouts(shown: &Shown, decl: &Decl, is_faultless: bool) -> Option<Vec<String>> {
    let is_other = decl.content.is_some()
        || decl.files.is_some()
        || decl.json.is_some()
        || decl.redirect.is_some()
        || decl.proxy.is_some();
    let is_unsaid = match shown {
        Shown::Unclear if is_other => false,
        Shown::Page(None) | Shown::Unclear => decl.layout.as_ref().is_none_or(|name| name.value.contains('{')),
        Shown::Document(document) => document.lacks_layout,
        Shown::Tree(tree) => tree.lacks_layout,
        Shown::Page(Some(_)) | Shown::Files { .. } | Shown::Json(..) | Shown::Redirect(_) | Shown::Proxy(_) => false,
    };
    if is_unsaid || decl.is_lost("layout") {
        return None;
    }
    let mut names: Vec<String> = shown.layouts().map(|layout| layout.name().to_owned()).collect();
    names.extend(decl.layout.iter().filter(|_| !is_faultless).map(|layout| layout.value.clone()));
    let of_rules = decl.rules.iter().flatten().filter_map(|rule| rule.then.as_ref()?.layout.as_ref());
    let of_errors = decl.errors.iter().flat_map(|named| &named.0).map(|(_, layout)| layout);
    let of_form = decl.form.iter().filter_map(|form| match &form.success.as_ref()?.value {
        resource::form::SuccessDecl::Layout(name) => Some(name),
        resource::form::SuccessDecl::Redirect { .. } => None,
    });
    names.extend(of_rules.chain(of_errors).chain(of_form).map(|layout| layout.value.clone()));
    Some(names)
}
