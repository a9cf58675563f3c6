//! The sum of a page: a digest of everything that its bytes are made of, known before they are.
//!
//! Rendering is a pure function: of the route as it was loaded, of the slots that its layout, its headers or its JSON shape name, and of the
//! time as exactly as the layout may know it. Nothing else is given to it, so what goes into the sum is found by looking at what is handed to
//! it, not by guessing what it does with it. Equal sums are equal pages: one that was made before is sent again, and a client that has it
//! hears so, without anything being rendered.
//!
//! The sum is the entity tag. It is the same in every process of the same program with the same site and environment, and has no key: whoever
//! could guess all that a page reads could compare it with the tag. So there is one of what everybody may see only, never of what is one
//! person's.

use super::respond::View;
use crate::cache::{Digest, Digester, Revision, Tag};
use crate::config::Shape;
use crate::render::Context;
use crate::resource::{Linked, Resource};
use crate::site::{Planned, Route, Site, Then, Variant, slots};
use crate::source::Kind;
use crate::value::Value;
use http::StatusCode;
use std::sync::OnceLock;

/// What of the sums of a route's pages is the same for all of them.
#[derive(Debug)]
pub(super) struct Summing {
    /// The slots that the route's own pages read, and those that the page of each rule reads.
    own: Box<[usize]>,
    rules: Box<[Box<[usize]>]>,
    /// The digest of what they all are made of, once a page needs it.
    ground: OnceLock<Digest>,
    /// That of the data of each source that is the same for every request.
    constants: Box<[OnceLock<Digest>]>,
}

/// What one page is made of.
#[derive(Clone, Copy)]
pub(super) struct Ingredients<'i> {
    pub(super) site: &'i Site,
    pub(super) variant: Variant<'i>,
    /// The revision of the route, and of the document that the page shows.
    pub(super) revision: Revision,
    /// The rule that it is the page of; the route's own without.
    pub(super) rule: Option<usize>,
    /// The data. What `page` says of itself is filled in.
    pub(super) slots: &'i [Value],
    /// The digest of what each source came to, as far as that is known.
    pub(super) digests: &'i [Option<Digest>],
    /// What all pages of the route depend on, and what this one does beside.
    pub(super) tags: (&'i [Tag], &'i [Tag]),
    pub(super) context: &'i Context<'i>,
}

/// What `page` holds that may differ from one request to the next; all the rest of it is in the revision.
const OF_PAGE: [&str; 4] = ["path", "url", "title", "description"];

impl Summing {
    pub(super) fn of(route: &Route) -> Self {
        let own: Vec<&Linked> = match &route.resource {
            Resource::Page(layout) => vec![layout],
            Resource::Document(document) => document.layout.iter().collect(),
            Resource::Tree(tree) => tree.layouts.iter().collect(),
            Resource::Json(_) | Resource::Files(_) | Resource::Redirect(_) | Resource::Proxy(_) => Vec::new(),
        };
        let rule = |then: &Then| match then {
            Then::Layout { layout, .. } => read(route, &[layout]),
            Then::Redirect { .. } | Then::Status(_) => Box::default(),
        };
        Self {
            own: read(route, &own),
            rules: route.rules.iter().map(|it| rule(&it.then)).collect(),
            ground: OnceLock::new(),
            constants: route.sources.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The sum of a page; `None` if it is one that nobody keeps, whatever it is made of.
    pub(super) fn sum(&self, of: Ingredients<'_>) -> Option<Digest> {
        let Variant { route, policy, .. } = of.variant;
        let (read, layout) = match of.rule {
            Some(rule) => match &route.rules.get(rule)?.then {
                Then::Layout { status: StatusCode::OK, layout } => (self.rules.get(rule)?, Some(layout)),
                Then::Layout { .. } | Then::Redirect { .. } | Then::Status(_) => return None,
            },
            None if route.status == StatusCode::OK => (&self.own, View::of(&route.resource, of.slots)?.layout),
            None => return None,
        };
        if of.variant.is_personal() || matches!(route.resource, Resource::Redirect(_) if of.rule.is_none()) {
            return None;
        }
        let mut parts = Digester::new("page");
        parts.digest(*self.ground.get_or_init(|| ground(of.site, route))).number(of.revision.0);
        parts.number(of.rule.map_or(0, |rule| rule as u64 + 1));
        for &slot in read {
            self.add(slot, of, &mut parts);
        }
        if policy.sends_tags() {
            // A network that is told that nothing changed goes on with the tags it has: others make another page.
            let (common, own) = of.tags;
            parts.number((common.len() + own.len()) as u64);
            for tag in common.iter().chain(own) {
                parts.bytes(tag.as_str().as_bytes());
            }
        }
        if let Some(granularity) = layout.and_then(|layout| layout.layout.uses_now()) {
            // The layout knows the time no more exactly: all moments before the next change are one to it.
            let context = of.context;
            let until = granularity.next_change(context.now, context.time_zone).unwrap_or(context.now);
            parts.bytes(&until.as_nanosecond().to_be_bytes());
        }
        Some(parts.finish())
    }

    /// Adds what stands in a slot.
    fn add(&self, slot: usize, of: Ingredients<'_>, parts: &mut Digester) {
        let inputs = &of.variant.route.inputs;
        let value = of.slots.get(slot).unwrap_or(&Value::Null);
        match slot {
            slots::PAGE => add_members(value, OF_PAGE, parts),
            // As the key has them: who says what nothing reads sees the same page.
            slots::QUERY => {
                let read = inputs.query.iter().filter(|input| input.is_read).map(|input| &*input.name);
                add_members(value, read, parts);
            }
            slots::COOKIES => {
                let read = inputs.cookies.iter().filter(|input| input.is_read).map(|input| &*input.name);
                add_members(value, read, parts);
            }
            _ => match slot.checked_sub(slots::FIRST_SOURCE) {
                Some(source) => drop(parts.digest(self.source(source, of))),
                None => drop(parts.value(value)),
            },
        }
    }

    /// The digest of what a source came to.
    fn source(&self, position: usize, of: Ingredients<'_>) -> Digest {
        if let Some(digest) = of.digests.get(position).copied().flatten() {
            return digest;
        }
        let value = of.slots.get(slots::FIRST_SOURCE + position).unwrap_or(&Value::Null);
        match of.variant.route.sources.get(position).and_then(|planned| unchanging(planned, of.slots)) {
            Some(Unchanging::One) => self
                .constants
                .get(position)
                .map_or_else(|| Digest::of(value), |it| *it.get_or_init(|| Digest::of(value))),
            // What the file holds is in the revision.
            Some(Unchanging::File(name)) => Digester::new("file").bytes(name.as_bytes()).finish(),
            None => Digest::of(value),
        }
    }
}

/// Data that was read when the site was loaded.
enum Unchanging {
    /// The same for every request.
    One,
    /// That of the file of this name.
    File(String),
}

/// What a source has without a call, if that is not worked on for each request.
fn unchanging(planned: &Planned, slots: &[Value]) -> Option<Unchanging> {
    let source = &planned.source;
    if source.listing.is_some() || source.extraction.is_some() || source.for_each.is_some() {
        return None;
    }
    match &source.kind {
        Kind::Value(shape) => matches!(shape, Shape::Literal(_)).then_some(Unchanging::One),
        Kind::Chosen(chosen) => chosen.name(slots).map(Unchanging::File),
        Kind::Http(_) | Kind::Route(_) => None,
    }
}

/// The slots that are read by pages of these layouts, by the headers of a route and by its JSON; without those that are the same for each
/// request, and are in the ground or the revision.
fn read(route: &Route, layouts: &[&Linked]) -> Box<[usize]> {
    let of_layouts = layouts.iter().flat_map(|layout| layout.slots.iter().flatten().copied());
    let of_headers = route.headers.iter().flat_map(|(_, template)| template.references()).map(|binding| binding.slot);
    let of_json = match &route.resource {
        Resource::Json(json) => json.shape.references(),
        Resource::Page(_)
        | Resource::Document(_)
        | Resource::Tree(_)
        | Resource::Files(_)
        | Resource::Redirect(_)
        | Resource::Proxy(_) => Vec::new(),
    };
    let same = [slots::SITE, slots::VARS, slots::ENV, slots::CONTENT, slots::ITEM, slots::DEGRADED];
    let all = of_layouts.chain(of_headers).chain(of_json.into_iter().map(|binding| binding.slot));
    let mut read: Vec<usize> = all.filter(|slot| !same.contains(slot)).collect();
    read.sort_unstable();
    read.dedup();
    read.into()
}

/// The digest of what all pages of a route are made of, besides what their revision covers: the program that makes them, and what the site
/// has from its environment.
fn ground(site: &Site, route: &Route) -> Digest {
    let mut parts = Digester::new("ground");
    parts.bytes(env!("SITESERVER_PROGRAM").as_bytes());
    for text in [site.url.as_deref(), route.origin.as_deref()] {
        parts.number(text.is_some().into()).bytes(text.unwrap_or_default().as_bytes());
    }
    for slot in [slots::SITE, slots::VARS, slots::ENV] {
        parts.value(route.constants.get(slot).unwrap_or(&Value::Null));
    }
    parts.finish()
}

fn add_members<'n>(value: &Value, names: impl IntoIterator<Item = &'n str>, parts: &mut Digester) {
    for name in names {
        parts.value(value.get(name).unwrap_or(&Value::Null));
    }
}
