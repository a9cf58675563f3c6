//! What outlives a site: connections to upstreams, the page store, fills under way. And a site put into service with it.

use super::aside::Aside;
use super::asset::{Assets, Published, RouteFields};
use super::clock::Clock;
use super::fetch;
use super::form;
use super::identity;
use super::inputs::of_document;
use super::keep::Keeping;
use super::kept;
use super::make::Made;
use super::meter::{self, CacheOutcome, Meters, Tally};
use super::plan::Graph;
use super::proxy::{self, Fetches};
use super::rate::RateLimiter;
use super::record::Recorder;
use super::repeat::Repeats;
use super::sum::Summing;
use crate::cache::{Counts, Epoch, Flights, Key, Memo, Purge, Revision, Scope, Store, Stored, Tag, Ticket};
use crate::config::{Binding, Tripwire};
use crate::render::Context;
use crate::resource::Resource;
use crate::site::{Route, Site, known};
use crate::source::{Keep, Kind};
use crate::upstream::{Address, BuildError, Client, ClientSettings, Registry, UpstreamState};
use crate::value::{Origin, Shape, Text};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What outlives a site.
#[derive(Debug)]
pub struct Runtime {
    pub(super) client: Client,
    registry: Registry,
    meters: meter::Registry,
    pub(super) store: Store,
    /// What sources took from the bodies of answers.
    pub(super) data: Memo<fetch::Known>,
    /// Pages being made, by key and epoch: a request that comes after a purge never shares a fill from before it.
    pub(super) pages: Flights<(Key, Epoch), Arc<Made>>,
    /// Calls under way that nobody's person is in, by their identity.
    pub(super) calls: Flights<(Arc<[u8]>, Epoch), fetch::Result>,
    /// Data being fetched that will be kept, by key and epoch.
    pub(super) fills: Flights<(Key, Epoch), kept::Had>,
    /// What is stored of origins and validated in the background, by key and epoch.
    pub(super) origins: Flights<(Key, Epoch), ()>,
    /// What is fetched from them now.
    pub(super) fetches: Fetches,
    pub(super) assets: Assets,
    /// What is known of tokens, passwords and keys.
    pub(super) identities: identity::Remembered,
    /// Where pages that take long are made.
    pub(super) aside: Aside,
    pub(super) time_zone: TimeZone,
    /// How often who has sent what.
    pub(super) rates: RateLimiter,
    /// Where files go that are sent, without names, for as long as they are needed.
    pub(super) uploads: PathBuf,
    /// What was answered to requests that have a name of their own.
    pub(super) repeats: Repeats<form::Outcome>,
    /// What is stored lives by it.
    pub(super) clock: Clock,
    /// What remembers calls, where a site is developed.
    pub(super) recorder: Option<Recorder>,
    /// What the pages in the store were looked through for when they were made.
    looked_for: Mutex<Arc<Tripwire>>,
}

impl Runtime {
    /// The runtime of a process whose first site is `site`, whose limits size its stores.
    pub fn new(site: &Site) -> Result<Self, BuildError> {
        Self::with_clock(site, Clock::default())
    }

    /// The same, where what is stored lives by this `clock`.
    pub fn with_clock(site: &Site, clock: impl Into<Clock>) -> Result<Self, BuildError> {
        let clock = clock.into();
        let (pages, data) = site.settings.limits.store.shared_out();
        Ok(Self {
            client: Client::new(ClientSettings::default())?,
            registry: Registry::default(),
            meters: meter::Registry::default(),
            store: Store::new(pages, Revision(site.revision)),
            data: Memo::new(data, pages.entry),
            pages: Flights::new(),
            calls: Flights::new(),
            fills: Flights::new(),
            origins: Flights::new(),
            fetches: Fetches::default(),
            assets: Assets::default(),
            identities: identity::Remembered::default(),
            aside: Aside::default(),
            time_zone: TimeZone::UTC,
            rates: RateLimiter::new(clock.now()),
            repeats: Repeats::default(),
            uploads: std::env::temp_dir(),
            clock,
            recorder: None,
            looked_for: Mutex::new(Arc::clone(&site.tripwire)),
        })
    }

    /// The same, which remembers how the sources of requests went: [`SourceCall::record`](super::SourceCall::record).
    #[must_use]
    pub fn recording(self) -> Self {
        Self { recorder: Some(Recorder::default()), ..self }
    }

    /// Files are looked for on the disk from now on, also those that were compared with it just now: somebody knows that they were edited.
    pub fn forget_files(&self) {
        self.assets.forget();
    }

    /// Purges the page store; how much that was. No fill that began before is stored either.
    pub fn purge(&self, scope: &Scope, purge: Purge) -> Counts {
        self.store.purge(scope, purge)
    }

    /// What is stored lives by it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many bytes the page store may hold.
    pub fn capacity(&self) -> u64 {
        self.store.capacity()
    }

    /// How many bytes may be kept of the data that sources took from the bodies of answers.
    pub fn data_capacity(&self) -> u64 {
        self.data.capacity()
    }

    /// How much is kept of it: of how many bodies, and how many bytes.
    pub fn data(&self) -> Counts {
        self.data.counts()
    }

    /// How much the page store holds.
    pub fn stored(&self) -> Counts {
        self.store.counts()
    }
}

/// A site in service.
#[derive(Debug)]
pub struct Service {
    pub(super) site: Arc<Site>,
    pub(super) runtime: Arc<Runtime>,
    /// What is remembered of each upstream of the site.
    pub(super) upstreams: Vec<Arc<UpstreamState>>,
    /// What is known of each route before any request.
    pub(super) subjects: Vec<Subject>,
    /// By what it is known who somebody is.
    pub(super) identity: identity::Serving,
    /// What is counted.
    pub(super) meters: Meters,
    /// Whether anything is kept of what upstreams answer: by a source, or by a route that passes answers on.
    pub(super) keeps_answers: bool,
    /// Whether what such a route keeps may be kept elsewhere too: by a source, or by another one.
    pub(super) keeps_elsewhere: bool,
}

/// What is known of a route before any request.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Subject {
    /// The route and its revision: pages made from something else are found under other keys.
    pub(super) name: String,
    /// The names of its parameters, sorted.
    pub(super) params: Arc<Shape>,
    /// The names of its sources.
    pub(super) sources: Vec<Arc<str>>,
    /// Which of its sources runs when.
    pub(super) graph: Graph,
    /// The fields that all its answers have.
    pub(super) fields: HeaderMap,
    /// What its stored pages depend on: the route, and those that it asks.
    pub(super) tags: Arc<[Tag]>,
    /// Whether anything may be stored that is made for it: its own pages, or what the routes answer that it asks.
    pub(super) may_store: bool,
    /// Whether any of that may be sent from the store as it is, without asking whether it would be the same now.
    pub(super) may_last: bool,
    /// Whether any of its sources, or of those of routes that it asks, keeps what it is answered.
    pub(super) keeps_data: bool,
    /// Whether its answers may be stored, or tell their tags.
    pub(super) is_tagged: bool,
    /// Whether a route asks it in process.
    pub(super) is_asked: bool,
    /// The folder that it publishes, if it serves files.
    pub(super) published: Option<Arc<Published>>,
    /// What the sums of its pages have in common.
    pub(super) summing: Summing,
}

impl Service {
    /// What layouts and conditions are worked out with at this time.
    pub(super) fn context(&self, time: SystemTime) -> Context<'_> {
        Context {
            limits: &self.site.settings.limits.render,
            now: jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            time_zone: &self.runtime.time_zone,
            site: known(self.site.url.as_deref(), &self.site.money, Some(&self.site.assets)),
        }
    }

    /// Puts a site into service. What earlier sites made from the same things stays stored; what they are making now is not.
    pub fn new(site: Arc<Site>, runtime: Arc<Runtime>) -> Self {
        let current = revisions(&site);
        let before = {
            let mut looked_for = runtime.looked_for.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *looked_for, Arc::clone(&site.tripwire))
        };
        // A page that was good may hold what is a secret from now on.
        let is_looked_through = site.tripwire.is_covered_by(&before);
        let is_current = |stored: &Stored| {
            current.contains(&stored.revision()) && (is_looked_through || !holds_secret(stored, &site.tripwire))
        };
        let data = data_revisions(&site);
        runtime.store.advance(
            Revision(site.revision),
            is_current,
            |responses| current.contains(&responses.revision()),
            |datum| data.contains(&datum.revision()),
        );
        let state = |upstream: &crate::source::Upstream| runtime.registry.state(&upstream.name, upstream.settings());
        let upstreams = site.upstreams.all().iter().map(state).collect();
        let mut subjects: Vec<Subject> = Vec::with_capacity(site.routes.len());
        for route in &site.routes {
            let mut subject = Subject::of(&site, route);
            // Routes stand behind those that they ask.
            for asked in asked_by(route) {
                if let Some(asked) = subjects.get_mut(asked) {
                    asked.is_asked = true;
                    subject.asks(asked);
                }
            }
            subjects.push(subject);
        }
        let meters = runtime.meters.meters(&site);
        let passing_on = site.routes.iter().filter_map(proxy::of).filter(|proxy| proxy.cache.is_some()).count();
        let (keeps_answers, keeps_elsewhere) = (!data.is_empty() || passing_on > 0, !data.is_empty() || passing_on > 1);
        let identity = identity::Serving::of(&site, &runtime.identities);
        Self { site, runtime, upstreams, subjects, identity, meters, keeps_answers, keeps_elsewhere }
    }

    /// The site.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What outlives the site.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// What was counted.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Whether each upstream of the site is left alone at `now`, because it failed; `None` for those that never are.
    pub fn breakers(&self, now: Instant) -> impl Iterator<Item = Option<bool>> {
        self.upstreams.iter().map(move |upstream| upstream.is_left_alone(now))
    }

    /// The addresses that each upstream of the site declares, and whether each is left alone at `now`, because it failed.
    pub fn addresses(&self, now: Instant) -> impl Iterator<Item = impl Iterator<Item = (&Address, bool)>> {
        self.upstreams.iter().map(move |upstream| upstream.addresses(now))
    }

    /// What counts an answer of the route at `position`, or of none.
    pub fn tally(&self, position: Option<usize>, cache: Option<CacheOutcome>) -> Tally {
        self.meters.tally(position, cache)
    }

    /// Puts what was made for the route at `position` into the page store; whether it is there now.
    pub(super) fn keep(&self, position: usize, ticket: &Ticket, key: Key, stored: &Arc<Stored>) -> bool {
        let most = self.site.routes[position].policy.variants;
        let kept = self.runtime.store.put_variant(ticket, key, stored, most);
        self.meters.routes[position].crowded_out.add(kept.map_or(0, |crowded_out| crowded_out as u64));
        kept.is_ok()
    }

    pub(super) fn revision(&self) -> Revision {
        Revision(self.site.revision)
    }
}

impl Subject {
    fn of(site: &Site, route: &Route) -> Self {
        let name = format!("{}@{:016x}", route.name, route.revision);
        let variants = [false, true].map(|is_anonymous| route.variant(is_anonymous));
        let params: Vec<Text> = route.params.iter().map(|name| Text::new(Arc::clone(name), Origin::Outside)).collect();
        let tags = own_tags(route);
        Self {
            name,
            published: published(site, route, &tags).map(Arc::new),
            params: Shape::new(params).unwrap_or_else(Shape::empty),
            sources: route.sources.iter().map(|planned| planned.source.name.value.as_str().into()).collect(),
            graph: Graph::of(route),
            fields: super::respond::lasting_fields(route, route.content_type.as_ref()),
            tags,
            may_store: variants.iter().any(|variant| variant.is_keepable()),
            may_last: variants.iter().any(|variant| variant.is_storable()),
            keeps_data: kept_by(route).next().is_some(),
            is_tagged: variants.iter().any(|variant| variant.is_tagged()),
            is_asked: false,
            summing: Summing::of(route),
        }
    }

    /// What is made of another's answers depends on all that these depend on.
    fn asks(&mut self, asked: &Self) {
        self.may_store |= asked.may_store;
        self.may_last |= asked.may_last;
        self.keeps_data |= asked.keeps_data;
        let mut tags: Vec<Tag> = self.tags.iter().chain(&*asked.tags).cloned().collect();
        tags.sort();
        tags.dedup();
        self.tags = tags.into();
    }
}

/// The folder that a route publishes, if it serves files, which depend on `tags`.
fn published(site: &Site, route: &Route, tags: &[Tag]) -> Option<Published> {
    let Resource::Files(folder) = &route.resource else { return None };
    let mut caching = HeaderMap::new();
    Keeping::of(route.variant(false), StatusCode::OK, false, Duration::ZERO).say(tags.iter(), &mut caching);
    let fields = RouteFields {
        caching,
        headers: route.fixed_headers.clone(),
        removed: route.removed_headers.clone(),
        csp: folder.csp.clone(),
        has_versions: folder.has_versions,
    };
    Some(Published::new(&site.origin, &folder.path, fields))
}

/// Whether a secret stands in what was stored.
fn holds_secret(stored: &Stored, tripwire: &Tripwire) -> bool {
    let content = stored.content().identity();
    let fields = content.fields(None, None);
    // Of what has no content of its own the tags may be sent.
    let tags = stored.tags().iter().map(|tag| tag.as_str().as_bytes());
    let mut texts = fields.values().map(HeaderValue::as_bytes).chain([&**content.body()]).chain(tags);
    texts.any(|text| tripwire.find(text).is_some())
}

/// What all pages of a route depend on.
fn own_tags(route: &Route) -> Arc<[Tag]> {
    let of_route = Tag::derived("route", route.name.strip_prefix("routes/").unwrap_or(&route.name));
    std::iter::once(of_route).chain(route.tags.iter().map(|tag| Tag::new(tag))).collect()
}

/// The revisions of what the pages of a site are made from.
fn revisions(site: &Site) -> HashSet<Revision> {
    let of = |route: &Route| match &route.resource {
        Resource::Tree(tree) => tree.documents.values().map(|it| of_document(route.revision, Some(it))).collect(),
        Resource::Page(_)
        | Resource::Document(_)
        | Resource::Json(_)
        | Resource::Files(_)
        | Resource::Redirect(_)
        | Resource::Proxy(_) => {
            vec![of_document(route.revision, None)]
        }
    };
    site.routes.iter().flat_map(of).collect()
}

/// What the sources of a route keep.
fn kept_by(route: &Route) -> impl Iterator<Item = &Keep<Binding>> {
    route.sources.iter().filter_map(|planned| match &planned.source.kind {
        Kind::Http(http) => http.keep.as_ref(),
        Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => None,
    })
}

/// The declarations by which the sources of a site keep data.
fn data_revisions(site: &Site) -> HashSet<Revision> {
    site.routes.iter().flat_map(kept_by).map(kept::revision).collect()
}

/// The positions of the routes that a route asks.
fn asked_by(route: &Route) -> impl Iterator<Item = usize> {
    route.sources.iter().filter_map(|planned| match &planned.source.kind {
        Kind::Route(asking) => Some(asking.asked.route),
        Kind::Http(_) | Kind::Value(_) | Kind::Chosen(_) => None,
    })
}
