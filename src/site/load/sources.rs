//! The sources of a route: compiled, their names resolved, and those that something needs put in their order.

use super::super::{Credentials, Planned, Route, code, slots};
use super::kind::{self, Shown};
use super::privacy::{self, Personal};
use super::scope::{Reads, Scope};
use super::{Shared, asked, data, documents, input, listing, route};
use crate::config::{Binding, Kind as NodeKind, Node, Table, Template, TreeFile, parse_template};
use crate::diagnostic::{FileId, Finding, Findings, Place, Spanned};
use crate::resource::Decl;
use crate::router::Pattern;
use crate::source::{self, Kind, OnUnauthorized, Searched, Source};
use std::collections::BTreeSet;

/// What of a route its sources need to know.
pub(super) struct Around<'a> {
    pub(super) file: FileId,
    pub(super) table: &'a Table,
    pub(super) shown: &'a Shown,
    pub(super) patterns: &'a [(Pattern, Place)],
    /// The routes that may be asked, which are compiled.
    pub(super) known: &'a [Route],
}

/// The sources that can be compiled, sorted by name; and the names of the others.
pub(super) fn compile(
    decl: &Decl,
    around: &Around<'_>,
    shared: &mut Shared<'_>,
    digest: &mut blake3::Hasher,
) -> (Vec<Source>, Vec<String>) {
    let (mut sources, mut broken, mut answers) = (Vec::new(), Vec::new(), 0);
    // What is wrong with them is told where the route is compiled.
    let hosts = route::hosts(decl, &mut Findings::default());
    for (name, decl) in decl.sources.iter().flat_map(|named| &named.0) {
        let mut sound = input::is_snake_case(name, &mut shared.findings);
        if slots::RESERVED.contains(&name.value.as_str()) {
            let message = format!("`{}` means something else already", name.value);
            shared
                .findings
                .push(Finding::new(&code::RESERVED_NAME, name.place, message).help("call the source by another name"));
            sound = false;
        }
        let (given, searched) = match (&decl.file, &decl.content) {
            (Some(file), _) => {
                let given = data::file(file, around.patterns, shared, digest);
                data::doubt(file, given.as_ref(), decl, shared);
                (given, None)
            }
            (None, Some(pattern)) if decl.listing.search.is_some() => {
                let found = documents::searched(pattern, documents::guard_of(around.table), shared, digest);
                let origin = route::origin(hosts.first(), shared);
                found.map(|(given, index)| (given, Searched { index, origin })).unzip()
            }
            (None, Some(pattern)) => {
                let with_html = documents::reads_html(&name.value, around.table, around.shown, shared);
                (documents::collection(pattern, with_html, shared, digest), None)
            }
            (None, None) => (None, None),
        };
        let mut context = source::Context {
            upstreams: &mut shared.upstreams,
            environment: shared.environment,
            given,
            searched,
            is_sent: false,
        };
        let mut source = Source::compile(name, decl, &mut context, &mut shared.findings);
        if let (Some(source), Some(sample)) = (&source, &decl.sample) {
            try_sample(source, decl, sample, shared);
        }
        let leads_home = |source: &Source| match &source.outcomes.on_unauthorized {
            OnUnauthorized::Redirect(target) => kind::redirect(target, None, shared.environment, &mut shared.findings),
            OnUnauthorized::Status | OnUnauthorized::Omit | OnUnauthorized::Fail => true,
        };
        let sound = sound
            && source.as_ref().is_none_or(leads_home)
            && source.as_mut().is_none_or(|source| {
                let (paths, findings) = (&shared.paths, &mut shared.findings);
                asked::resolve(source, around.file, around.known, paths, &mut answers, findings)
            });
        match source {
            Some(source) if sound => sources.push(source),
            Some(_) | None => broken.push(name.value.clone()),
        }
    }
    sources.sort_by(|left, right| left.name.value.cmp(&right.name.value));
    (sources, broken)
}

/// Tries a source's extraction on its sample.
fn try_sample(source: &Source, decl: &source::Decl, sample: &Spanned<String>, shared: &mut Shared<'_>) {
    let before = shared.findings.len();
    let Some(file) = shared.tree.read_beside(&sample.value, &mut shared.files, &mut shared.findings) else {
        if shared.findings.len() == before {
            let message = format!("there is no file `{}` in the site's folder", sample.value);
            let help = "keep an answer of the upstream there: sample = \"fixtures/products.json\"";
            shared.findings.push(Finding::new(&source::BAD_SAMPLE, sample.place, message).help(help));
        }
        return;
    };
    let text = shared.files.text(file).to_owned();
    source.try_sample(decl, &text, file, &mut shared.findings);
}

pub(super) fn unused(sources: &[Source], needed: &BTreeSet<usize>, file: &TreeFile, findings: &mut Findings) {
    for (at, source) in sources.iter().enumerate() {
        // What a section declares may serve other routes.
        if !needed.contains(&at) && source.name.place.file == file.file {
            let message = format!("nothing reads the source `{}`", source.name.value);
            findings.push(
                Finding::new(&code::UNUSED_SOURCE, source.name.place, message).help("it is never called; leave it out"),
            );
        }
    }
}

/// Needed sources stand first, in the order of their names; the others have slots that no request has.
pub(super) fn slots_of(sources: &[Source], needed: &BTreeSet<usize>) -> Vec<usize> {
    let mut spare = needed.len();
    (0..sources.len())
        .map(|at| {
            let position = needed.iter().position(|&other| other == at);
            slots::FIRST_SOURCE
                + position.unwrap_or_else(|| {
                    spare += 1;
                    spare - 1
                })
        })
        .collect()
}

/// The sources of a route with their names resolved, and what that told.
pub(super) struct Linked {
    pub(super) sources: Vec<Option<Source<Binding>>>,
    /// What each needed source reads; nothing for the others.
    pub(super) reads: Vec<Reads>,
    pub(super) personal: Vec<Option<Personal>>,
}

impl Linked {
    pub(super) fn new(
        scope: &Scope<'_>,
        needed: &BTreeSet<usize>,
        after: &[Vec<usize>],
        known: &[Route],
        shared: &mut Shared<'_>,
    ) -> Self {
        let count = scope.sources.len();
        let mut linked =
            Self { sources: Vec::new(), reads: vec![Reads::default(); count], personal: vec![None; count] };
        for (at, source) in scope.sources.iter().enumerate() {
            let mut reads = Reads::default();
            let item = source
                .for_each
                .as_ref()
                .map(|each| (&each.list, scope.item_of(&each.list, None, &mut shared.findings)));
            linked.sources.push(source.link(|reference| match &item {
                Some((list, item)) => {
                    scope.bind_with_item(reference, item.as_ref()?, list, &mut reads, &mut shared.findings)
                }
                None => scope.bind(reference, &mut reads, &mut shared.findings),
            }));
            forwarded(source, &mut reads);
            asked::reads(source, known, &mut reads);
            nullable(source, scope, &mut shared.findings);
            listing::check(source, scope, &mut reads, &mut shared.findings);
            if needed.contains(&at) {
                linked.reads[at] = reads;
            }
        }
        // In an order in which whatever a source mentions is known before it.
        let mut open: Vec<usize> = (0..count).collect();
        while !open.is_empty() {
            let (ready, waiting): (Vec<usize>, Vec<usize>) =
                open.iter().partition(|&&at| after[at].iter().all(|other| !open.contains(other)));
            if ready.is_empty() {
                break;
            }
            for at in ready {
                let personal =
                    privacy::of_source(&scope.sources[at], &linked.reads[at], scope.cookies, &linked.personal);
                linked.personal[at] = personal;
            }
            open = waiting;
        }
        linked
    }
}

/// Header fields that are sent along are read, and count for the key like all that is.
fn forwarded(source: &Source, reads: &mut Reads) {
    if let Kind::Http(http) = &source.kind {
        for name in &http.forward_headers {
            reads.headers.entry(name.as_str().to_owned()).or_insert(source.name.place);
        }
    }
}

/// A null in a path means that there is nothing to ask for: the source should say what becomes of the page then.
fn nullable(source: &Source, scope: &Scope<'_>, findings: &mut Findings) {
    if source.outcomes.absence_is_declared {
        return;
    }
    for reference in source.path_references() {
        let is_nullable = match reference.root.as_str() {
            "query" => reference
                .keys
                .first()
                .is_some_and(|name| scope.query.iter().any(|input| *input.name == **name && input.default.is_null())),
            "cookies" => reference.keys.first().is_some_and(|name| {
                scope.cookies.iter().any(|cookie| *cookie.name == **name && cookie.default.is_null())
            }),
            "request" => reference.keys.first().is_some_and(|name| name == "headers"),
            _ => false,
        };
        if is_nullable {
            let message = format!("`{}` may be null, and stands in a path", reference.spelled());
            findings.push(
                Finding::new(&code::NULLABLE_IN_PATH, reference.place, message)
                    .related(source.name.place, "the call is not made then, and the page is a 404")
                    .help("say what becomes of the page: on-not-found = \"omit\", or give the value a default"),
            );
        }
    }
}

pub(super) fn planned(
    sources: Vec<Option<Source<Binding>>>,
    (needed, of_page): (&BTreeSet<usize>, &BTreeSet<usize>),
    after: &[Vec<usize>],
    personal: &[Option<Personal>],
    speaks_for: impl Fn(usize) -> Option<Credentials>,
) -> Option<Vec<Planned>> {
    let position = |at: &usize| needed.iter().position(|other| other == at);
    let mut planned = Vec::with_capacity(needed.len());
    for (at, source) in sources.into_iter().enumerate() {
        if needed.contains(&at) {
            planned.push(Planned {
                source: source?,
                after: after[at].iter().filter_map(position).collect(),
                personal: personal[at].is_some(),
                is_of_guard: !of_page.contains(&at),
                speaks_for: speaks_for(at),
            });
        }
    }
    Some(planned)
}

/// Keys of a source in which placeholders are read.
const READING: [&str; 11] =
    ["search", "for-each", "url", "path", "route", "query", "headers", "body", "form", "variables", "value"];

/// Finds unknown names in sources that could not be compiled; what else is wrong with them is told.
pub(super) fn names_of_broken(scope: &Scope<'_>, findings: &mut Findings) {
    let sources = scope.written.table.node("sources").and_then(Node::as_table);
    for source in sources.into_iter().flatten().filter(|entry| scope.broken.contains(&entry.key.value)) {
        let table = source.node.as_table().into_iter().flatten();
        for read in table.filter(|entry| READING.contains(&entry.key.value.as_str())) {
            names_in(&read.node, scope, findings);
        }
    }
}

pub(super) fn names_in(node: &Node, scope: &Scope<'_>, findings: &mut Findings) {
    match &node.kind {
        NodeKind::String(text) => {
            // What is no template has its finding.
            let template = parse_template(text, node.place, &mut Findings::default());
            let references: Vec<_> = template.iter().flat_map(Template::references).collect();
            for reference in references.into_iter().filter(|reference| reference.root != source::ITEM) {
                let keys: Vec<Option<&str>> = reference.keys.iter().map(|key| Some(key.as_str())).collect();
                scope.resolve(&reference.root, &keys, reference.place, &mut Reads::default(), findings);
            }
        }
        NodeKind::Array(items) => items.iter().for_each(|item| names_in(item, scope, findings)),
        NodeKind::Table(table) => table.into_iter().for_each(|entry| names_in(&entry.node, scope, findings)),
        NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::Datetime(_) => {}
    }
}
