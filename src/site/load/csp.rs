//! The `Content-Security-Policy` of each page of a route: derived from its layout, its document and its data, once, at load.
//!
//! What no policy could let run without letting anything run is found here, at the place where it stands.

use super::super::{Planned, Route, Rule, Then, code};
use super::kind::Shown;
use super::{Shared, documents};
use crate::config::TreeFile;
use crate::diagnostic::{Code, Finding, Findings, Place};
use crate::fields::{content_type_of_made, is_document};
use crate::render::{Layout, Needs, Obstacle, ObstacleKind};
use crate::resource::{Csp, Decl, Linked, PolicyField, Resource, Surroundings, TreeDocument};
use crate::source::{Kind, Source};
use crate::value::{Origin, Text, Value};
use http::HeaderValue;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Routes that ask routes that ask routes: so many are looked into.
const DEEPEST: usize = 16;

/// By whose rules markup is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Format {
    Html,
    Xml,
}

impl Format {
    /// That of what a layout makes; of a document without one it is HTML.
    fn of(layout: Option<&Layout>) -> Self {
        if layout.is_some_and(|layout| layout.extension() == "xml") { Self::Xml } else { Self::Html }
    }
}

/// What markup needs that was looked at before: documents stand on the pages of many routes.
#[derive(Default)]
pub(super) struct KnownNeeds(HashMap<(usize, usize, Format), (Text, Arc<Needs>)>);

impl KnownNeeds {
    /// Takes what is known already of a text as HTML.
    pub(super) fn insert(&mut self, text: &Text, needs: Arc<Needs>) {
        self.keep(text, Format::Html, needs);
    }

    fn keep(&mut self, text: &Text, format: Format, needs: Arc<Needs>) {
        // The text is kept with it, so that no other one comes to stand in its place.
        self.0.insert(Self::place(text, format), (text.clone(), needs));
    }

    fn of(&mut self, text: &Text, format: Format) -> Arc<Needs> {
        if let Some((_, known)) = self.0.get(&Self::place(text, format)) {
            return Arc::clone(known);
        }
        let needs = Arc::new(match format {
            Format::Html => Needs::of_html(text.as_str()),
            Format::Xml => Needs::of_xml(text.as_str()),
        });
        self.keep(text, format, Arc::clone(&needs));
        needs
    }

    /// What a document needs.
    fn of_document(&mut self, html: &Value, format: Format) -> Arc<Needs> {
        if let Value::Text(text) = html { self.of(text, format) } else { Arc::default() }
    }

    fn place(text: &Text, format: Format) -> (usize, usize, Format) {
        (text.as_str().as_ptr().addr(), text.as_str().len(), format)
    }
}

/// What the pages of a route are sent with.
pub(super) struct Policies {
    csp: Csp,
    /// What the route's answers are made as.
    formats: &'static [Format],
    /// What the markup in data needs that is known at load.
    given: Vec<Arc<Needs>>,
    /// Whether markup in data comes with a request, which is cleaned.
    has_cleaned_markup: bool,
    site_origin: Option<String>,
    site: Value,
    vars: Value,
}

impl Policies {
    /// The policies of pages that are made without any source.
    pub(super) fn new(decl: &Decl, vars: &Value, shared: &Shared<'_>, findings: &mut Findings) -> Self {
        let site_origin = shared.site.get("url").and_then(Value::as_str).and_then(origin_of);
        Self {
            csp: Csp::compile(decl.csp.as_ref(), findings),
            formats: &[Format::Html],
            given: Vec::new(),
            has_cleaned_markup: false,
            site_origin,
            site: shared.site.clone(),
            vars: vars.clone(),
        }
    }

    /// The same for pages that are shown so, also by rules: where a layout makes XML, what data holds is read by its rules, too.
    #[must_use]
    pub(super) fn shown_as(mut self, shown: &Shown, rules: &[Rule]) -> Self {
        let of_rules = rules.iter().filter_map(|rule| match &rule.then {
            Then::Layout { layout, .. } => Some(&*layout.layout),
            Then::Redirect { .. } | Then::Status(_) => None,
        });
        if shown.layouts().chain(of_rules).any(|layout| Format::of(Some(layout)) == Format::Xml) {
            self.formats = &[Format::Html, Format::Xml];
        }
        self
    }

    /// The same for pages that show what the `needed` ones of `sources` give.
    #[must_use]
    pub(super) fn with_sources(
        mut self,
        sources: &[Source],
        needed: &BTreeSet<usize>,
        routes: &[Route],
        needs: &mut KnownNeeds,
    ) -> Self {
        for source in needed.iter().filter_map(|&at| sources.get(at)) {
            self.add(source, routes, 0, needs);
        }
        self
    }

    fn add<R>(&mut self, source: &Source<R>, routes: &[Route], depth: usize, needs: &mut KnownNeeds) {
        let makes_markup = source.extraction.as_ref().is_some_and(|extraction| extraction.makes_markup());
        match &source.kind {
            Kind::Http(http) => self.has_cleaned_markup |= makes_markup || http.gives_markup(),
            Kind::Value(crate::config::Shape::Literal(value)) => self.add_value(value, needs),
            Kind::Value(_) => self.has_cleaned_markup |= makes_markup,
            Kind::Chosen(chosen) => chosen.values().for_each(|value| self.add_value(value, needs)),
            Kind::Route(asking) => {
                self.has_cleaned_markup |= makes_markup;
                let asked = routes.get(asking.asked.route).filter(|_| depth < DEEPEST);
                for Planned { source, .. } in asked.into_iter().flat_map(|route| &route.sources) {
                    self.add(source, routes, depth + 1, needs);
                }
            }
        }
    }

    /// Adds what the markup needs that stands in a value.
    fn add_value(&mut self, value: &Value, needs: &mut KnownNeeds) {
        match value {
            Value::Text(text) if text.origin() != Origin::Outside => {
                let all = self.formats.iter().map(|&format| needs.of(text, format));
                self.given.extend(all.filter(|needs| !needs.is_nothing()));
            }
            Value::List(items) => items.iter().for_each(|item| self.add_value(item, needs)),
            Value::Object(object) => object.iter().for_each(|(_, member)| self.add_value(member, needs)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => {}
        }
    }

    /// What identifies pages that are sent with the same policy if their markup is the same.
    pub(super) fn key(&self) -> &Csp {
        &self.csp
    }

    /// The field for a page that needs this, besides what its data does.
    pub(super) fn field(&self, needs: &[&Needs]) -> Option<PolicyField> {
        let known = |path: &[String]| {
            let (root, keys) = path.split_first()?;
            let mut value = if root == "site" { &self.site } else { &self.vars };
            for key in keys {
                value = value.get(key)?;
            }
            value.as_str().map(str::to_owned)
        };
        let around = Surroundings {
            site: self.site_origin.as_deref(),
            has_cleaned_markup: self.has_cleaned_markup,
            known: &known,
        };
        let all: Vec<&Needs> = needs.iter().copied().chain(self.given.iter().map(Arc::as_ref)).collect();
        self.csp.field(&all, &around)
    }

    /// Gives each page of a route its field.
    pub(super) fn dress(
        &self,
        resource: Option<&mut Resource>,
        rules: Option<&mut Vec<Rule>>,
        (shown, content_type): (&Shown, Option<&HeaderValue>),
        (decl, file): (&Decl, &TreeFile),
        shared: &mut Shared<'_>,
    ) {
        for rule in rules.into_iter().flatten() {
            if let Then::Layout { layout, .. } = &mut rule.then
                && is_document(&content_type_of_made(layout.layout.name()))
            {
                self.dress_layout(layout, &mut shared.findings);
            }
        }
        let has_policy = content_type.and_then(|value| value.to_str().ok()).is_some_and(is_document);
        let Some(resource) = resource else { return };
        match resource {
            Resource::Page(layout) if has_policy => self.dress_layout(layout, &mut shared.findings),
            Resource::Document(document) if has_policy => {
                let layout = document.layout.as_ref().map(|layout| &layout.layout);
                if let Some(layout) = layout {
                    self.tell(layout, &mut shared.findings);
                }
                let html = document.html.as_str().unwrap_or_default();
                let needs = shared.needs.of_document(&document.html, Format::of(layout.map(|layout| &**layout)));
                document.csp = self.field(&both(layout.map(|layout| layout.needs()), &needs));
                if let Shown::Document(shown) = shown {
                    self.tell_of_document((&needs, layout.map(|layout| &**layout)), html, &shown.page, shared);
                }
            }
            Resource::Tree(tree) => {
                let Shown::Tree(shown) = shown else { return };
                let is_document = |content_type: Option<&HeaderValue>| {
                    let content_type = content_type.map(HeaderValue::to_str);
                    content_type.map_or(has_policy, |value| value.is_ok_and(is_document))
                };
                let of_layouts = super::media::of_tree(shown, decl);
                for (layout, _) in tree.layouts.iter().zip(&of_layouts).filter(|(_, of)| is_document(of.as_ref())) {
                    self.tell(&layout.layout, &mut shared.findings);
                }
                // Most documents need nothing of their own.
                let mut plain: HashMap<Option<usize>, Option<PolicyField>> = HashMap::new();
                for page in &shown.documents {
                    let document = tree.documents.get_mut(&page.name);
                    let is_document = |document: &&mut TreeDocument| is_document(document.content_type.as_ref());
                    let Some(document) = document.filter(is_document) else { continue };
                    let html = document.html.as_str().unwrap_or_default();
                    let layout = document.layout.and_then(|layout| tree.layouts.get(layout));
                    let layout = layout.map(|layout| &*layout.layout);
                    let needs = shared.needs.of_document(&document.html, Format::of(layout));
                    let field = || self.field(&both(layout.map(Layout::needs), &needs));
                    document.csp = if needs.is_nothing() {
                        plain.entry(document.layout).or_insert_with(field).clone()
                    } else {
                        self.tell_of_document((&needs, layout), html, &page.page, shared);
                        field()
                    };
                }
            }
            // Their bytes are the author's own, often made by another program, and may change while the site is served.
            Resource::Files(folder) => {
                let place = decl.csp.as_ref().and_then(crate::resource::CspDecl::place);
                folder.csp =
                    place.filter(|place| place.file == file.file).and_then(|_| self.field(&[&Needs::of_unknown()]));
            }
            Resource::Page(_)
            | Resource::Document(_)
            | Resource::Json(_)
            | Resource::Redirect(_)
            | Resource::Proxy(_) => {}
        }
    }

    fn dress_layout(&self, layout: &mut Linked, findings: &mut Findings) {
        self.tell(&layout.layout, findings);
        layout.csp = self.field(&[layout.layout.needs()]);
    }

    /// The policy of a page that is no page of its own route.
    pub(super) fn dress_alone(&self, layout: &mut Linked, findings: &mut Findings) {
        if is_document(&content_type_of_made(layout.layout.name())) {
            self.dress_layout(layout, findings);
        }
    }

    /// Finds what the policy keeps from running in a layout.
    pub(super) fn tell(&self, layout: &Layout, findings: &mut Findings) {
        for (Obstacle { file, range, .. }, held_up) in self.held_up(layout.needs()) {
            let place = file.map(|file| Place::new(file, range));
            findings.extend(place.map(|place| self.finding(held_up, place)));
        }
    }

    /// What the policy refuses, and what the finding is about it.
    fn held_up(&self, needs: &Needs) -> Vec<(Obstacle, HeldUp)> {
        let refused = needs.obstacles().iter().filter(|it| self.csp.refuses(it.kind)).cloned();
        let constant = needs.inline_code().filter(|it| self.csp.takes_away(it.kind));
        let refused = refused.map(|it| (of_obstacle(it.kind), it)).chain(constant.map(|it| (TAKEN_AWAY, it)));
        refused.map(|(held_up, it)| (it, held_up)).collect()
    }

    fn finding(&self, (code, message): HeldUp, place: Place) -> Finding {
        if !self.csp.reports_only() {
            return Finding::new(code, place, message);
        }
        let message = message.replace("will not", "would not");
        Finding::new(code, place, format!("{message} without `report-only`"))
    }

    fn tell_of_document(
        &self,
        (needs, layout): (&Needs, Option<&Layout>),
        html: &str,
        page: &[(String, Value)],
        shared: &mut Shared<'_>,
    ) {
        let file = page.iter().find(|(name, _)| name == "file").and_then(|(_, value)| value.as_str());
        let Some(path) = file.and_then(|file| file.strip_prefix("content/")) else { return };
        let Some(whole) = documents::place(path, shared) else { return };
        let is_changed = layout.is_some_and(|layout| layout.needs().changes_content());
        let changed = needs.inline_code().filter(|it| is_changed && self.csp.refuses(it.kind));
        let changed = changed.map(|it| (it.clone(), of_obstacle(it.kind)));
        for (Obstacle { kind, range, .. }, held_up) in self.held_up(needs).into_iter().chain(changed) {
            let text = shared.files.text(whole.file);
            let written = html.get(range.clone()).unwrap_or_default();
            // Raw HTML comes out as it is written.
            let line = html.get(range.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
            let body = text.get(whole.range()).unwrap_or_default();
            // A link of Markdown has no attribute in its text, but its address.
            let word = if kind == ObstacleKind::ScriptUrl { "javascript:" } else { written };
            let exact = body.find(line).map(|at| (at, written.len()));
            let found = exact.or_else(|| body.find(word).map(|at| (at, word.len())));
            let place = found.map_or(Place::new(whole.file, 0..0), |(at, length)| {
                let at = whole.start as usize + at;
                Place::new(whole.file, at..at + length)
            });
            shared.findings.push(self.finding(held_up, place));
        }
    }
}

/// Adds to a revision what pages are sent with.
pub(super) fn digest(resource: &Resource, rules: &[Rule], hasher: &mut blake3::Hasher) {
    let of_rules = rules.iter().filter_map(|rule| match &rule.then {
        Then::Layout { layout, .. } => layout.csp.as_ref(),
        Then::Redirect { .. } | Then::Status(_) => None,
    });
    let own = match resource {
        Resource::Page(layout) => layout.csp.as_ref(),
        Resource::Document(document) => document.csp.as_ref(),
        // Each of its documents has a revision of its own.
        Resource::Tree(_) => None,
        Resource::Files(folder) => folder.csp.as_ref(),
        Resource::Json(_) | Resource::Redirect(_) | Resource::Proxy(_) => None,
    };
    of_rules.chain(own).for_each(|field| field.digest(hasher));
}

fn both<'n>(layout: Option<&'n Needs>, own: &'n Needs) -> Vec<&'n Needs> {
    layout.into_iter().chain(std::iter::once(own)).collect()
}

/// The code and the message of a finding about what a policy refuses.
type HeldUp = (&'static Code, &'static str);

const TAKEN_AWAY: HeldUp = (&code::REFUSED_INLINE, "inline code will not run: `csp` takes its digest away");

fn of_obstacle(kind: ObstacleKind) -> HeldUp {
    match kind {
        ObstacleKind::Script => {
            (&code::CHANGING_SCRIPT, "an inline script that a value or a filter changes will not run")
        }
        ObstacleKind::Style => {
            (&code::CHANGING_STYLE, "an inline style that a value or a filter changes will not hold")
        }
        ObstacleKind::Handler => (&code::EVENT_HANDLER, "an attribute that is a script will not run"),
        ObstacleKind::StyleAttribute => (&code::STYLE_ATTRIBUTE, "a `style` attribute will not hold"),
        ObstacleKind::ScriptUrl => (&code::SCRIPT_URL, "a script in a `javascript:` or `data:` URL will not run"),
    }
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}
