//! The Markdown files of `content/`: read and rendered once, whatever shows them.
//!
//! A survey comes first: which route serves which document. So links between documents, and collections of them, know the URLs.

mod claims;
mod collection;
mod links;
mod search;
mod tree;

pub(super) use claims::judge as judge_links;
pub(super) use collection::{collection, reads_html};
pub(super) use search::{guard_of, searched};
pub(super) use tree::{ShownPage, ShownTree, shown as tree};

use super::{Shared, matter, route};
use crate::config::{BAD_VALUE, Declared as _, Described as _, Key, Schema, Table, TreeFile, WRONG_TYPE};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, Spanned};
use crate::extract::{Type, markdown};
use crate::resource::{Decl, NO_DOCUMENT};
use crate::router::{Pattern, TrailingSlash};
use crate::value::{Object, Value};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What is known of the documents.
#[derive(Default)]
pub(super) struct Documents {
    /// Where each document is that a route serves, by its file below `content/`; the first route counts.
    addresses: BTreeMap<String, Address>,
    /// Documents at URLs that a request completes, by their files: the paths of their routes.
    various: BTreeMap<String, String>,
    /// The folders whose files are served as they are.
    published: Vec<Published>,
    /// What links say of the site, to be judged when it is known.
    claims: Vec<claims::Claim>,
    read: HashMap<String, Option<Arc<Document>>>,
    rendered: HashMap<String, Option<Arc<Rendered>>>,
    collections: collection::Collections,
    searched: search::Searched,
}

/// Where a document is.
struct Address {
    /// Scheme and host, if the site says its own.
    origin: Option<Arc<str>>,
    /// The host that its route names.
    host: Option<Arc<str>>,
    /// The canonical path.
    path: String,
    /// What guards it, if anything does.
    guard: Option<search::GuardDigest>,
}

/// A folder below `content/` whose files a route serves.
struct Published {
    folder: String,
    origin: Option<Arc<str>>,
    pattern: Pattern,
}

impl Published {
    /// The path at which a file below `content/` is served, if it is in the folder.
    fn path_of(&self, file: &str, slash: TrailingSlash) -> Option<String> {
        let below = file.strip_prefix(&*self.folder)?;
        let below = if self.folder.is_empty() { below } else { below.strip_prefix('/')? };
        let value_of = |parameter: &str| (self.pattern.rest_name() == Some(parameter)).then_some(below);
        self.pattern.build(slash, value_of).map(|path| path.as_path().as_str().to_owned())
    }
}

/// A document that was read.
pub(super) struct Document {
    /// Its file below `content/`.
    path: String,
    file: FileId,
    /// Its front matter.
    matter: Object,
    body: Range<usize>,
}

/// A document's text, rendered.
pub(super) struct Rendered {
    /// The HTML, as markup.
    pub(super) html: Value,
    toc: Value,
    title: Option<String>,
    description: Option<String>,
    /// What a fragment of its URL can name, sorted.
    anchors: Arc<[Box<str>]>,
}

impl Document {
    fn is_draft(&self) -> bool {
        // What is neither true nor false has its finding, and is shown to nobody meanwhile.
        self.matter.get("draft").is_some_and(|draft| draft.as_bool() != Some(false))
    }

    /// Whether its front matter does not say clearly if it is a draft.
    fn is_unclear(&self) -> bool {
        self.matter.get("draft").is_some_and(|draft| draft.as_bool().is_none())
    }

    /// The layout that its front matter asks for.
    pub(super) fn layout(&self, files: &Files) -> Option<Spanned<String>> {
        let name = self.text("layout")?;
        Some(Spanned::new(name.to_owned(), key_in_matter("layout", self.file, self.body.start, files)))
    }

    /// A text of the front matter.
    fn text(&self, key: &str) -> Option<&str> {
        self.matter.get(key).and_then(Value::as_str)
    }
}

/// The keys of a document's front matter that have a meaning; the others are the author's own.
pub(in super::super) fn front_matter() -> Vec<Key> {
    let date =
        || Schema::text("a date such as `2026-03-05`, perhaps with a time", Some(r"^\d{4}-\d{2}-\d{2}".to_owned()));
    let key = |name, schema, docs| Key { name, docs, schema, removable: false };
    vec![
        key("title", String::schema, "Its title: `page.title`. Default: its first heading, else the name of its file."),
        key("description", String::schema, "Its description: `page.description`. Default: its first paragraph."),
        key("date", date, "When it was written: `page.date`, and `page.updated` by default."),
        key("updated", date, "When it was last changed: `page.updated`. Default: `date`."),
        key(
            "weight",
            || Schema::Number,
            "Its place among its neighbours in a tree: the lightest first, those without at the end.",
        ),
        key("draft", bool::schema, "`true`: no tree and no collection shows it."),
        key("layout", String::schema, "In a tree: the layout that shows it, in place of the route's."),
    ]
}

/// Whether a file is a document.
pub(super) fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

/// The documents below a folder of `content/`, in the order of their paths.
fn below(folder: &str, shared: &Shared<'_>) -> Vec<String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let files = shared.tree.content.iter().map(|file| file.path.as_str());
    files.filter(|path| path.starts_with(&prefix) && is_markdown(path)).map(str::to_owned).collect()
}

/// What a document of a tree is called in its URL: `a/b.md` is `a/b`, and `index.md` its folder.
fn name_in(folder: &str, path: &str) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
    let name = below.strip_suffix(".md").unwrap_or(below);
    match name.rsplit_once('/') {
        Some((folder, "index")) => folder.to_owned(),
        None if name == "index" => String::new(),
        Some(_) | None => name.to_owned(),
    }
}

/// Learns which documents and files the routes serve, and where.
pub(super) fn survey(routes: &[(&TreeFile, Table)], shared: &mut Shared<'_>) {
    for (file, table) in routes.iter().filter(|(_, table)| table.node("content").or(table.node("files")).is_some()) {
        // What is wrong with a route is told when it is compiled.
        let decl = Decl::read(table, &mut Findings::default());
        let patterns = route::patterns(&decl, file, &mut Findings::default());
        let Some((pattern, _)) = patterns.into_iter().next() else { continue };
        let hosts = route::hosts(&decl, &mut Findings::default());
        let origin = route::origin(hosts.first(), shared);
        if let Some(content) = &decl.content {
            let host = hosts.first().map(|host| Arc::clone(&host.value));
            let guard = guard_of(table);
            survey_documents(
                content.value.trim_matches('/'),
                &pattern,
                &|path| Address { origin: origin.clone(), host: host.clone(), path, guard },
                shared,
            );
        } else if let Some(files) = &decl.files {
            let folder = files.value.trim_matches('/').to_owned();
            shared.documents.published.push(Published { folder, origin, pattern });
        }
    }
}

fn survey_documents(content: &str, pattern: &Pattern, at: &dyn Fn(String) -> Address, shared: &mut Shared<'_>) {
    let documents = if shared.tree.has_content(content) { vec![content.to_owned()] } else { below(content, shared) };
    for path in documents {
        let name = name_in(content, &path);
        let value_of = |parameter: &str| (pattern.rest_name() == Some(parameter)).then_some(name.as_str());
        let is_served = path == content || read(&path, shared).is_some_and(|document| !document.is_draft());
        if !is_served {
            continue;
        }
        let documents = &mut shared.documents;
        match pattern.build(shared.slash, value_of) {
            Some(address) => {
                documents.addresses.entry(path).or_insert_with(|| at(address.as_path().as_str().to_owned()));
            }
            None => drop(documents.various.entry(path).or_insert_with(|| pattern.as_str().to_owned())),
        }
    }
}

/// The document in a file of `content/`. What is wrong with it is told once.
pub(super) fn read(path: &str, shared: &mut Shared<'_>) -> Option<Arc<Document>> {
    if let Some(known) = shared.documents.read.get(path) {
        return known.clone();
    }
    let document = shared.tree.read_content(path, &mut shared.files, &mut shared.findings).map(|file| {
        let parts = matter::split(file, &shared.files, &mut shared.findings);
        let matter = matter::value(file, &parts, &shared.files, &mut shared.findings);
        let matter = matter.as_object().cloned().unwrap_or_default();
        refuse_misfits(file, parts.body.start, &matter, shared);
        Arc::new(Document { path: path.to_owned(), file, matter, body: parts.body })
    });
    shared.documents.read.insert(path.to_owned(), document.clone());
    document
}

/// Whether a value is a date that sorts as a text: year, month, day, and perhaps a time.
fn is_date(value: &Value) -> bool {
    let begins = |text: &str| text.split('-').map(str::len).take(2).eq([4, 2]);
    value.as_str().is_some_and(begins) && Type::Date.fit(value).is_some()
}

/// Finds keys of the front matter that mean something, with a value that does not.
fn refuse_misfits(file: FileId, end: usize, matter: &Object, shared: &mut Shared<'_>) {
    for (key, value) in matter.iter() {
        let (fits, expected, help) = match key.as_str() {
            "draft" => (value.as_bool().is_some(), "`true` or `false`", "draft = true"),
            "weight" => (
                matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_)),
                "a number",
                "weight = 10: the lightest comes first",
            ),
            "layout" => (value.as_str().is_some(), "a string", "layout = \"page.html\""),
            "date" | "updated" => (is_date(value), "a date", "date = 2026-03-05, or with a time: 2026-03-05T10:20:00Z"),
            "title" | "description" => (value.as_str().is_some(), "a string", "write it in quotes"),
            _ => continue,
        };
        if !fits {
            let place = key_in_matter(key, file, end, &shared.files);
            let message = format!("`{key}` of a document is not {expected}");
            // A text may be of the right type, and no date for all that.
            let code = if expected == "a date" && value.as_str().is_some() { &BAD_VALUE } else { &WRONG_TYPE };
            shared.findings.push(Finding::new(code, place, message).help(help));
        }
    }
}

/// The line of a key in the front matter that ends at the byte `end` of its file.
fn key_in_matter(key: &str, file: FileId, end: usize, files: &Files) -> Place {
    let text = files.text(file).get(..end).unwrap_or_default();
    let line = text.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at - line.len(), line))
    });
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
    };
    let found = line.into_iter().find(|(_, line)| names(line));
    Place::new(file, found.map_or(0..0, |(at, line)| at..at + line.trim_end().len()))
}

/// Where the text of a document that was read stands, without its front matter.
pub(super) fn place(path: &str, shared: &Shared<'_>) -> Option<Place> {
    let document = shared.documents.read.get(path)?.as_ref()?;
    Some(Place::new(document.file, document.body.clone()))
}

/// The text of a document, rendered. What is wrong with it is told once.
pub(super) fn rendered(document: &Document, shared: &mut Shared<'_>) -> Option<Arc<Rendered>> {
    if let Some(known) = shared.documents.rendered.get(&document.path) {
        return known.clone();
    }
    let rendered = render(document, shared);
    shared.documents.rendered.insert(document.path.clone(), rendered.clone());
    rendered
}

fn render(document: &Document, shared: &mut Shared<'_>) -> Option<Arc<Rendered>> {
    let text = shared.files.shared_text(document.file);
    let text = text.get(document.body.clone()).unwrap_or_default();
    let links = links::Links::new(&document.path, (document.file, document.body.start), shared);
    let resolve = |link: &markdown::Link| links.resolve(link);
    let result = shared.rendered.render(text, &resolve);
    let links::Noted { findings, claims } = links.into_noted();
    shared.findings.extend(findings);
    shared.documents.claims.extend(claims);
    if let Ok(rendered) = &result
        && let Value::Text(text) = &rendered.html
    {
        shared.needs.insert(text, Arc::clone(&rendered.needs));
    }
    match result {
        Ok(rendered) => Some(Arc::new(Rendered {
            html: rendered.html.clone(),
            toc: Value::list(rendered.toc.iter().map(outline).collect()),
            title: rendered.title.clone(),
            description: rendered.description.clone(),
            anchors: Arc::clone(&rendered.anchors),
        })),
        Err(error) => {
            let place = Place::new(document.file, 0..0);
            let message = format!("`{}` cannot be rendered: {error}", document.path);
            shared.findings.push(Finding::new(&NO_DOCUMENT, place, message).help("make it shorter, or nest it less"));
            None
        }
    }
}

fn outline(heading: &markdown::Heading) -> Value {
    let members: Object = [
        ("level", Value::from(u64::from(heading.level))),
        ("id", Value::from(heading.id.as_str())),
        ("title", Value::from(heading.title.as_str())),
    ]
    .into_iter()
    .collect();
    members.into()
}

/// What `page` holds of a document wherever it is: its front matter, and what stands in for what that does not say.
pub(super) fn members(document: &Document, rendered: &Rendered) -> Vec<(String, Value)> {
    let mut members: Vec<(String, Value)> =
        document.matter.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    let date = document.matter.get("date").cloned().unwrap_or_default();
    let derived = [
        ("title", title(document, Some(rendered)).into()),
        ("description", Value::from(rendered.description.as_deref())),
        ("date", date.clone()),
        ("updated", date),
        ("toc", rendered.toc.clone()),
        ("html", rendered.html.clone()),
    ];
    for (key, value) in derived {
        if !members.iter().any(|(name, _)| name == key) {
            members.push((key.to_owned(), value));
        }
    }
    members.retain(|(name, _)| name != "file");
    members.push(("file".to_owned(), format!("content/{}", document.path).into()));
    members
}

/// A document's title: as its front matter says it, as its first heading does, or as its file is called.
fn title(document: &Document, rendered: Option<&Rendered>) -> String {
    let heading = || rendered.and_then(|rendered| rendered.title.clone());
    document.text("title").map(str::to_owned).or_else(heading).unwrap_or_else(|| spoken(&name_in("", &document.path)))
}

/// `guide/getting-started` as `Getting started`.
fn spoken(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).replace(['-', '_'], " ");
    let mut characters = last.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Where a document is: its path and its URL, or nulls if no route serves it.
fn address(path: &str, shared: &Shared<'_>) -> (Value, Value) {
    let Some(address) = shared.documents.addresses.get(path) else { return (Value::Null, Value::Null) };
    let Address { origin, path, .. } = address;
    (path.as_str().into(), format!("{}{path}", origin.as_deref().unwrap_or_default()).into())
}
