//! One answer made anew: gather, decide, represent. What comes out is ready to be sent to everybody who may have it.

use super::aside::Aside;
use super::ask::{self, Answered};
use super::clock;
use super::cookies;
use super::fetch::Calls;
use super::field;
use super::fill::{self, Begun};
use super::gather::{Gathered, Request, SourceCall, Whose};
use super::keep::{Keeping, declared_tags};
use super::lookout::Lookout;
use super::plan::Ending;
use super::respond::{Copies, View, lasting_fields};
use super::runtime::{Service, Subject};
use super::sum::Ingredients;
use crate::cache::{
    Allowance, Content, Digest, Jitter, Key, Revision, StorableFields, Stored, StrongTag, Tag, Tags, Ticket,
};
use crate::config::{Binding, NoLocation, Template};
use crate::extract::apart;
use crate::fields::content_type_of_made;
use crate::render::{Buffer, Context};
use crate::resource::{Linked, Nulls, PolicyField, Resource};
use crate::site::{Route, Rule, Success, Then, Variant, slots};
use crate::source::Fatal;
use crate::value::{JsonStyle, ObjectBuilder, Value, write_json_within};
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tracing::Instrument as _;

/// What was made, and how its sources went.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) what: What,
    pub(super) calls: Vec<SourceCall>,
    /// Whether it was kept in the page store.
    pub(super) is_stored: bool,
    /// What it is for those who ask in process; `None` if no route asks this one.
    pub(super) answer: Option<ask::Answer>,
    /// What it depends on that not all answers of its route do.
    pub(super) tags: Vec<Tag>,
    /// Until when what it was made of is fresh; `None` if nothing says so.
    pub(super) fresh_until: Option<Instant>,
    /// Whether data was missing when it was made.
    pub(super) is_degraded: bool,
    /// The cookies that it sets.
    pub(super) cookies: Vec<HeaderValue>,
    /// The request that it was made for, as the messages call it; `None` if it was not made now.
    pub(super) id: Option<Arc<str>>,
}

impl Made {
    /// What is answered when nothing was made.
    fn nothing(what: What, calls: Vec<SourceCall>, fresh_until: Option<Instant>, id: Arc<str>) -> Self {
        let (answer, tags) = (None, Vec::new());
        let cookies = Vec::new();
        Self { what, calls, is_stored: false, answer, tags, fresh_until, is_degraded: false, cookies, id: Some(id) }
    }

    /// For how much longer what it was made of is fresh; not at all if nothing says so.
    pub(super) fn remaining(&self, now: Instant) -> Duration {
        remaining(self.fresh_until, now)
    }

    /// Whether it is an error of ours or of an upstream, for which a stale page may stand.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.what, What::Error(status) if status.is_server_error())
    }
}

/// What there is to send.
#[derive(Debug)]
pub(super) enum What {
    /// A representation that our store may hold.
    Stored(Arc<Stored>),
    /// One that it holds to be sent again when it has turned out to be what would be made anew.
    Kept {
        stored: Arc<Stored>,
        /// Whether it was made now; otherwise it is the one that was found there.
        is_new: bool,
    },
    /// Nothing but these fields of a 304: the client has what would be made.
    Unchanged(Box<HeaderMap>),
    /// A representation for those who wait for it, and nobody later.
    Shown { status: StatusCode, content: Arc<Content> },
    /// Another place; `degraded` if data was missing when that was decided.
    Redirect { status: StatusCode, location: HeaderValue, degraded: bool },
    /// An error page.
    Error(StatusCode),
}

impl What {
    /// Whether it is an answer, and no error that what was made before could stand for; nor that itself.
    pub(super) fn is_another_answer(&self) -> bool {
        match self {
            // A page that is too large to be kept is none the less what there is now.
            Self::Stored(_) | Self::Redirect { .. } => true,
            Self::Shown { status, .. } | Self::Error(status) => !status.is_server_error(),
            Self::Kept { .. } | Self::Unchanged(_) => false,
        }
    }
}

/// What one request brings to the making of its answer.
pub(super) struct Order {
    pub(super) route: usize,
    /// Whether the request carries none of the route's credentials, and what is made of it is for all of which that is so.
    pub(super) is_anonymous: bool,
    /// The request's id, for the messages.
    pub(super) id: Arc<str>,
    pub(super) slots: Vec<Value>,
    pub(super) visitor: HeaderMap,
    pub(super) time: SystemTime,
    pub(super) deadline: Instant,
    /// When the request that all this is for began, of which it may be a part.
    pub(super) begun: Begun,
    /// What the answer depends on that not all answers of its route do, as far as the request tells.
    pub(super) tags: Vec<Tag>,
    /// Equal as long as what the answer is made from was not edited.
    pub(super) revision: Revision,
    /// Sources whose values are known already, by position.
    pub(super) known: Vec<(usize, Value)>,
    /// What the client has of the answer, if that is made for nobody else.
    pub(super) copies: Option<Copies>,
    /// What was sent, if the page is the answer to that.
    pub(super) sent: Option<Sent>,
}

/// What is made of a page in answer to what was sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent {
    /// The page again, with this status.
    Again(StatusCode),
    /// The page that says that it was taken: that of the intake at this position.
    Taken(usize),
}

/// A rendered page that was not yet told how long it lives.
struct Representation {
    status: StatusCode,
    /// It with all of its codings, if it was made before; then there are neither fields nor a body beside it.
    again: Option<Arc<Stored>>,
    fields: HeaderMap,
    body: Bytes,
    degraded: bool,
    /// What the body says, if it is JSON.
    value: Option<Value>,
    /// For how long what it prints of the present time is true, from when the request came.
    true_for: Option<Duration>,
}

/// Why there is no representation.
enum Stop {
    Redirect {
        status: StatusCode,
        location: HeaderValue,
    },
    Error(StatusCode),
    /// More work than a page may cost while others wait for the thread.
    Long,
}

/// Makes the answer. With `key`, it is also stored if the route and the outcome allow. What is told to the log meanwhile has the id of the
/// request that it is made for, also what a panic tells.
pub(super) async fn make(service: &Arc<Service>, order: Order, key: Option<Key>) -> Made {
    let span = tracing::error_span!(parent: None, "request", id = &*order.id);
    let (position, begin) = (order.route, clock::ticking());
    let made = made(service, order, key).instrument(span).await;
    service.meters.made(position, begin.elapsed());
    made
}

#[expect(clippy::too_many_lines, reason = "a list of steps, each of which needs what those before it found")]
async fn made(service: &Arc<Service>, order: Order, key: Option<Key>) -> Made {
    let begin = service.runtime.clock.now();
    let Order {
        route: position,
        is_anonymous,
        id,
        slots,
        visitor,
        time,
        deadline,
        begun,
        mut tags,
        revision,
        known,
        copies,
        sent,
    } = order;
    let (Some(route), Some(subject)) = (service.site.routes.get(position), service.subjects.get(position)) else {
        return Made::nothing(What::Error(StatusCode::INTERNAL_SERVER_ERROR), Vec::new(), None, id);
    };
    let variant = route.variant(is_anonymous);
    let context = service.context(time);
    let calls_made = Calls::of(&begun, deadline);
    let request = Request {
        service,
        route: position,
        visitor: &visitor,
        whose: if is_anonymous { Whose::Nobodys } else { Whose::AsDeclared },
        deadline,
        context: &context,
        begun: &begun,
        calls: &calls_made,
        known: &known,
        id: &id,
    };
    let Gathered { mut slots, digests, ending, mut degraded, calls, tags: of_sources } = request.gather(slots).await;
    tags.extend(of_sources);
    tags.extend(declared_tags(route, &slots));
    tags.sort_unstable();
    tags.dedup();
    if !degraded.is_empty() {
        // Whichever settled first: equal data makes equal pages.
        degraded.sort();
        slots[slots::DEGRADED] = Value::list(degraded.iter().map(|name| Value::text(Arc::clone(name))).collect());
    }
    let degraded = !degraded.is_empty();
    let trouble = if subject.is_asked { ask::trouble(route, &ending) } else { None };
    let making = Making { variant, lasting: &subject.fields, context: &context, degraded, is_soon: false, sent };
    let meter = &service.meters.routes[position];
    let mut sum = None;
    let represented = match ruled(route, ending) {
        Ok(rule) => {
            // What says that something was taken says it, whatever rules there are for the page.
            let rule = rule.filter(|_| !matches!(sent, Some(Sent::Taken(_))));
            describe(route, &mut slots);
            let (site, digests) = (&service.site, &digests);
            if !degraded && sent.is_none() && variant.is_validated() {
                let (slots, tags) = (&slots, (&*subject.tags, &*tags));
                let ingredients =
                    Ingredients { site, variant, revision, rule, slots, digests, tags, context: &context };
                sum = subject.summing.sum(ingredients);
            }
            let already = sum.and_then(|sum| {
                let remaining = remaining(calls_made.fresh_until(), service.runtime.clock.now());
                let sought = Sought { sum, key: key.as_ref(), copies: copies.as_ref(), tags: &tags, remaining };
                sought.find(service, subject, making, &slots)
            });
            if already.is_some() {
                meter.unchanged.increment();
            }
            match already {
                Some(Already::Copied(fields)) => {
                    return Made::nothing(What::Unchanged(fields), calls, calls_made.fresh_until(), id);
                }
                Some(Already::Kept(kept)) => Ok(making.again(rule, &slots, kept)),
                None => {
                    let rule = rule.and_then(|rule| route.rules.get(rule));
                    let made = making.soon_or_aside(rule, &mut slots, &service.runtime.aside, deadline).await;
                    made.inspect(|_page| meter.rendered.increment())
                }
            }
        }
        Err(stop) => Err(stop),
    };
    let withheld = &meter.withheld;
    let lookout = Lookout { tripwire: &service.site.tripwire, variant, slots: &slots, visitor: &visitor, withheld };
    let represented = looked_through_or_aside(represented, &tags, lookout, &service.runtime.aside, deadline).await;
    let (represented, cookies) = with_cookies(represented, service, lookout, time);
    let answer =
        subject.is_asked.then(|| match (trouble, represented.as_ref().ok().and_then(|page| page.value.as_ref())) {
            (Some(trouble), _) => Err(trouble),
            (None, Some(value)) => Ok(Answered { value: value.clone(), degraded }),
            (None, None) => Err(ask::error("no-json")),
        });
    let made_of = MadeOf { position, tags: &tags, revision, sum, begin, fresh_until: calls_made.fresh_until() };
    let store = key.zip(begun.ticket);
    let place = store.clone();
    let (what, is_stored) = match represented {
        Ok(page) => finish(service, (variant, subject), page, made_of, store),
        Err(Stop::Error(StatusCode::NOT_FOUND)) => absent(service, (variant, subject), degraded, made_of, store),
        Err(Stop::Redirect { status, location }) => (What::Redirect { status, location, degraded }, false),
        Err(Stop::Error(status)) => (What::Error(status), false),
        Err(Stop::Long) => (What::Error(StatusCode::SERVICE_UNAVAILABLE), false),
    };
    if let Some(place) = place.filter(|_| !is_stored && !degraded && what.is_another_answer()) {
        supersede(service, (variant, subject), place, made_of);
    }
    let fresh_until = match &what {
        What::Stored(stored) => fill::fresh_until(stored, service.runtime.clock.now()),
        What::Kept { .. } | What::Unchanged(_) | What::Shown { .. } | What::Redirect { .. } | What::Error(_) => {
            made_of.fresh_until
        }
    };
    Made { what, calls, is_stored, answer, tags, fresh_until, is_degraded: degraded, cookies, id: Some(id) }
}

/// The rule that says what is made; the route's own answer without one.
fn ruled(route: &Route, ending: Ending) -> Result<Option<usize>, Stop> {
    match ending {
        Ending::Complete => Ok(None),
        Ending::Rule(rule) if rule < route.rules.len() => Ok(Some(rule)),
        Ending::Rule(_) => Err(Stop::Error(StatusCode::INTERNAL_SERVER_ERROR)),
        Ending::Failed(_, fatal) => Err(ended(fatal)),
    }
}

/// A body of more bytes is looked through aside: what a visitor wrote of it may be made to take long.
const MOST_AT_ONCE: usize = 64 << 10;

/// A page that was not made yet, and may be there already.
struct Sought<'s> {
    /// The digest of what it is made of.
    sum: Digest,
    /// Where the store has it.
    key: Option<&'s Key>,
    copies: Option<&'s Copies>,
    /// What it depends on.
    tags: &'s [Tag],
    /// For how much longer its sources are fresh.
    remaining: Duration,
}

/// Where a page is that needs not be made.
enum Already {
    /// The client has it: the fields of the 304 that says so.
    Copied(Box<HeaderMap>),
    /// The store has it, perhaps as one that is stale.
    Kept(Arc<Stored>),
}

impl Sought<'_> {
    /// Finds it.
    fn find(self, service: &Service, subject: &Subject, making: Making<'_>, slots: &[Value]) -> Option<Already> {
        let say = |fields: &mut HeaderMap| {
            // What has a sum is whole.
            let keeping = Keeping::of(making.variant, StatusCode::OK, false, self.remaining);
            keeping.say(subject.tags.iter().chain(self.tags), fields);
        };
        if let Some(fields) = self.copies.and_then(|copies| making.not_modified(slots, self.sum, copies, say)) {
            return Some(Already::Copied(Box::new(fields)));
        }
        let kept = service.runtime.store.get(self.key?.lookup())?;
        // Who asks in process wants what it says.
        let is_whole = !subject.is_asked || kept.data().is_some();
        (is_whole && kept.digest() == Some(self.sum)).then_some(Already::Kept(kept))
    }
}

/// What was made, unless it tells a secret of the site; what takes long to be looked through keeps nobody waiting.
async fn looked_through_or_aside(
    made: Result<Representation, Stop>,
    tags: &[Tag],
    lookout: Lookout<'_>,
    aside: &Aside,
    deadline: Instant,
) -> Result<Representation, Stop> {
    let length = made.as_ref().map_or(0, |page| page.body.len());
    if length <= MOST_AT_ONCE || lookout.tripwire.is_idle() {
        return looked_through(made, tags, lookout);
    }
    aside.work(deadline, || looked_through(made, tags, lookout)).await.unwrap_or(Err(Stop::Long))
}

/// What was made, with the cookies that it sets: a page does, and so does a redirect, unless they tell a secret of the site.
fn with_cookies(
    made: Result<Representation, Stop>,
    service: &Service,
    lookout: Lookout<'_>,
    time: SystemTime,
) -> (Result<Representation, Stop>, Vec<HeaderValue>) {
    let route = lookout.variant.route;
    // Where something is sent, that is what is answered with cookies.
    if route.set_cookies.is_empty() || !route.intakes.is_empty() || !matches!(made, Ok(_) | Err(Stop::Redirect { .. }))
    {
        return (made, Vec::new());
    }
    let keys = service.site.cookie_keys.as_ref();
    let lines = cookies::lines(&route.set_cookies, keys, lookout.slots, time, &route.name);
    if lookout.finds_secret(lines.iter().map(HeaderValue::as_bytes)) {
        return (Err(Stop::Error(StatusCode::INTERNAL_SERVER_ERROR)), Vec::new());
    }
    (made, lines)
}

/// What was made, unless it tells a secret of the site.
fn looked_through(
    made: Result<Representation, Stop>,
    tags: &[Tag],
    lookout: Lookout<'_>,
) -> Result<Representation, Stop> {
    let is_sent = lookout.variant.policy.sends_tags();
    let tags = tags.iter().filter(|_| is_sent).map(|tag| tag.as_str().as_bytes());
    let tells = match &made {
        Ok(page) => {
            // The other fields are the author's own words.
            let filled = lookout.variant.route.headers.iter().filter_map(|(name, _)| page.fields.get(name));
            lookout.finds_secret(filled.map(HeaderValue::as_bytes).chain([&*page.body]).chain(tags))
        }
        Err(Stop::Redirect { location, .. }) => lookout.finds_secret(tags.chain([location.as_bytes()])),
        Err(Stop::Error(StatusCode::NOT_FOUND)) => lookout.finds_secret(tags),
        Err(Stop::Error(_) | Stop::Long) => false,
    };
    if tells { Err(Stop::Error(StatusCode::INTERNAL_SERVER_ERROR)) } else { made }
}

fn ended(fatal: Fatal) -> Stop {
    match fatal {
        Fatal::Unauthorized { status } => Stop::Error(StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED)),
        Fatal::Redirect { location } => match HeaderValue::from_str(&location) {
            Ok(location) => Stop::Redirect { status: StatusCode::FOUND, location },
            Err(_) => Stop::Error(StatusCode::BAD_GATEWAY),
        },
        Fatal::BadRequest => Stop::Error(StatusCode::BAD_REQUEST),
        Fatal::NotFound => Stop::Error(StatusCode::NOT_FOUND),
        Fatal::Fail { late: true } => Stop::Error(StatusCode::GATEWAY_TIMEOUT),
        Fatal::Fail { late: false } => Stop::Error(StatusCode::BAD_GATEWAY),
    }
}

/// What a representation is made with, besides its data.
#[derive(Clone, Copy)]
struct Making<'m> {
    variant: Variant<'m>,
    /// The fields that all answers of the route have.
    lasting: &'m HeaderMap,
    context: &'m Context<'m>,
    degraded: bool,
    /// Whether this is only tried: what is too much for it is made aside.
    is_soon: bool,
    /// What it is the answer to.
    sent: Option<Sent>,
}

impl Making<'_> {
    /// The representation; one that takes long is begun anew aside, where it keeps nobody waiting.
    async fn soon_or_aside(
        self,
        rule: Option<&Rule>,
        slots: &mut [Value],
        aside: &Aside,
        deadline: Instant,
    ) -> Result<Representation, Stop> {
        let limits = self.context.limits.of_short_work();
        let context = Context { limits: &limits, ..*self.context };
        let soon = Making { context: &context, is_soon: limits != *self.context.limits, ..self };
        match soon.decided(rule, slots) {
            Err(Stop::Long) => aside.work(deadline, || self.decided(rule, slots)).await.unwrap_or(Err(Stop::Long)),
            made => made,
        }
    }

    /// The representation that a rule asks for, or the route's own.
    fn decided(self, rule: Option<&Rule>, slots: &mut [Value]) -> Result<Representation, Stop> {
        match rule {
            Some(rule) => self.ruled(slots, &rule.then),
            None => self.represent(slots),
        }
    }

    /// The representation that a rule asks for.
    fn ruled(self, slots: &mut [Value], then: &Then) -> Result<Representation, Stop> {
        match then {
            Then::Redirect { target, status, .. } => Err(redirect(target, *status, slots)),
            Then::Status(status) => Err(Stop::Error(*status)),
            Then::Layout { status, layout } => self.laid_out(*status, layout, slots),
        }
    }

    /// The representation that another layout than the route's own makes.
    fn laid_out(self, status: StatusCode, layout: &Linked, slots: &mut [Value]) -> Result<Representation, Stop> {
        let Self { variant: Variant { route, .. }, degraded, .. } = self;
        let (body, true_for) = self.render(layout, slots)?;
        // It may be HTML where the route's own answers are not, and has the fields of what it is.
        let content_type = HeaderValue::from_str(&content_type_of_made(layout.layout.name())).ok();
        let lasting = lasting_fields(route, content_type.as_ref().or(route.content_type.as_ref()));
        let fields = Making { lasting: &lasting, ..self }.fields(slots, layout.csp.as_ref())?;
        Ok(Representation { status, again: None, fields, body, degraded, value: None, true_for })
    }

    /// The representation of a route whose data is there.
    fn represent(self, slots: &mut [Value]) -> Result<Representation, Stop> {
        let Self { variant: Variant { route, .. }, context, degraded, sent, .. } = self;
        if let Some(Sent::Taken(at)) = sent
            && let Some(Success::Layout(layout)) = route.intakes.get(at).map(|intake| &intake.success)
        {
            return self.laid_out(StatusCode::OK, layout, slots);
        }
        let status = if let Some(Sent::Again(status)) = sent { status } else { route.status };
        let unlaid = |html: &Value| (Bytes::copy_from_slice(html.as_str().unwrap_or_default().as_bytes()), None);
        let View { layout, html, csp, content_type } =
            View::of(&route.resource, slots).ok_or(Stop::Error(StatusCode::NOT_FOUND))?;
        let lasting = content_type.map(|content_type| lasting_fields(route, Some(content_type)));
        let mut said = None;
        let (body, true_for) = match &route.resource {
            Resource::Page(_) | Resource::Document(_) | Resource::Tree(_) => match layout {
                Some(layout) => self.render(layout, slots)?,
                None => unlaid(html.unwrap_or(&Value::Null)),
            },
            Resource::Json(json) => {
                let value = json.shape.value(slots);
                let value = value.map_err(|_not_text| internal(route, "a list or an object within a string"))?;
                let mut text = String::new();
                let without_nulls = json.nulls == Nulls::Drop;
                let style = JsonStyle { indented: false, without_nulls, most: context.limits.output_bytes };
                if !write_json_within(&value, style, &mut text) {
                    return Err(internal(route, "more JSON than an answer may be long"));
                }
                said = Some(value);
                (text.into(), None)
            }
            Resource::Redirect(target) => return Err(redirect(target, route.status, slots)),
            // Files are answered before anything is gathered.
            Resource::Files(_) | Resource::Proxy(_) => return Err(Stop::Error(StatusCode::NOT_FOUND)),
        };
        let lasting = lasting.as_ref().unwrap_or(self.lasting);
        let fields = Making { lasting, ..self }.fields(slots, csp)?;
        Ok(Representation { status, again: None, fields, body, degraded, value: said, true_for })
    }

    /// The representation that was made before of the same.
    fn again(self, rule: Option<usize>, slots: &[Value], kept: Arc<Stored>) -> Representation {
        let layout = match rule.and_then(|rule| self.variant.route.rules.get(rule)).map(|rule| &rule.then) {
            Some(Then::Layout { layout, .. }) => Some(layout),
            Some(Then::Redirect { .. } | Then::Status(_)) | None => {
                View::of(&self.variant.route.resource, slots).and_then(|view| view.layout)
            }
        };
        Representation {
            status: kept.status(),
            fields: HeaderMap::new(),
            body: Bytes::new(),
            degraded: false,
            value: kept.data().cloned(),
            true_for: layout.and_then(|layout| true_for(layout, self.context)),
            again: Some(kept),
        }
    }

    /// The fields of a 304, if the client has what would be made of this sum; `say` tells caches of it.
    fn not_modified(
        self,
        slots: &[Value],
        sum: Digest,
        copies: &Copies,
        say: impl FnOnce(&mut HeaderMap),
    ) -> Option<HeaderMap> {
        let tag = StrongTag::from_digest(sum.as_bytes());
        let coding = copies.coding_of(&tag)?;
        let mut fields = self.fields(slots, None).ok()?;
        say(&mut fields);
        Some(Content::not_modified_fields(StorableFields::new(fields).ok()?, &tag, coding))
    }

    /// What a layout makes of the data, and for how long what it prints of the present time is true.
    fn render(self, layout: &Linked, slots: &[Value]) -> Result<(Bytes, Option<Duration>), Stop> {
        let Self { variant: Variant { route, .. }, context, is_soon, .. } = self;
        let expected = layout.layout.expected_bytes();
        if is_soon && expected > context.limits.output_bytes {
            return Err(Stop::Long);
        }
        let mut out = Buffer::with_capacity(expected);
        match layout.render(slots, context, &mut out) {
            Ok(()) => {
                let mut out = out.into_bytes();
                // A page may be kept for long, and room that it did not need with it.
                if out.capacity() - out.len() > out.len() / 4 {
                    out.shrink_to_fit();
                }
                Ok((out.into(), true_for(layout, context)))
            }
            Err(error) if is_soon && error.is_too_much() => Err(Stop::Long),
            Err(error) => Err(internal(route, &format!("{}: {error}", layout.layout.locate(error.place())))),
        }
    }

    /// The fields of a route's answers, besides validators and what depends on the coding.
    fn fields(self, slots: &[Value], csp: Option<&PolicyField>) -> Result<HeaderMap, Stop> {
        let Self { variant: Variant { route, .. }, lasting, .. } = self;
        let mut fields = lasting.clone();
        if let Some(csp) = csp {
            csp.insert(&mut fields);
        }
        for (name, template) in &route.headers {
            let text = field::value(template, slots);
            match text.map_err(|_not_text| internal(route, "a list or an object in a header"))? {
                Some(text) => {
                    // It would end the field and begin another: whoever sent it is told, whatever else would be wrong with it.
                    let value = HeaderValue::from_str(&text).map_err(|_control| {
                        if template.has_control_of_request(slots) {
                            Stop::Error(StatusCode::BAD_REQUEST)
                        } else {
                            internal(route, "a control byte in a header")
                        }
                    })?;
                    fields.insert(name.clone(), value);
                }
                None => drop(fields.remove(name)),
            }
        }
        Ok(fields)
    }
}

/// Fills in `page.title` and `page.description`.
pub(super) fn describe(route: &Route, slots: &mut [Value]) {
    let text = |template: &Option<Template<Binding>>| {
        template.as_ref().and_then(|template| template.value(slots).ok()).filter(|value| !value.is_null())
    };
    let (title, description) = (text(&route.title), text(&route.description));
    if title.is_none() && description.is_none() {
        return;
    }
    let mut page = ObjectBuilder::default();
    if let Some(known) = slots.get(slots::PAGE).and_then(Value::as_object) {
        for (key, value) in known.iter() {
            page.push(key.clone(), value.clone());
        }
    }
    for (key, value) in [("title", title), ("description", description)] {
        if let Some(value) = value {
            page.push(key, value);
        }
    }
    if let Some(slot) = slots.get_mut(slots::PAGE) {
        *slot = page.finish().into();
    }
}

/// For how long what a layout prints of the present time is true; `None` if it prints nothing of it.
fn true_for(layout: &Linked, context: &Context<'_>) -> Option<Duration> {
    let change = layout.layout.uses_now()?.next_change(context.now, context.time_zone)?;
    Duration::try_from(change.duration_since(context.now)).ok()
}

fn internal(route: &Route, why: &str) -> Stop {
    tracing::error!(route = &*route.name, why, "a page cannot be made");
    Stop::Error(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Where a redirect leads; a null leads nowhere, and no value leads to another host.
fn redirect(target: &Template<Binding>, status: StatusCode, slots: &[Value]) -> Stop {
    match target.location(slots).map(|location| HeaderValue::from_str(&location)) {
        Ok(Ok(location)) => Stop::Redirect { status, location },
        Ok(Err(_)) | Err(NoLocation::Null | NoLocation::Astray) => Stop::Error(StatusCode::NOT_FOUND),
        Err(NoLocation::NotText) => Stop::Error(StatusCode::BAD_GATEWAY),
    }
}

/// What a page was made of, and when that began.
#[derive(Clone, Copy)]
struct MadeOf<'m> {
    /// The position of the route.
    position: usize,
    tags: &'m [Tag],
    revision: Revision,
    /// The digest of all of it, if it may be kept.
    sum: Option<Digest>,
    begin: Instant,
    /// Until when what was taken from upstreams is fresh.
    fresh_until: Option<Instant>,
}

fn remaining(fresh_until: Option<Instant>, now: Instant) -> Duration {
    fresh_until.map_or(Duration::ZERO, |moment| moment.saturating_duration_since(now))
}

/// A page that lacks data is kept beside the good one, whose place it must not take.
pub(super) const DEGRADED: &str = "degraded";

/// Removes the page that another answer has taken the place of, and that for want of data beside it.
fn supersede(
    service: &Service,
    (variant, subject): (Variant<'_>, &Subject),
    (key, ticket): (Key, Arc<Ticket>),
    made_of: MadeOf<'_>,
) {
    let tags = Tags::new(Arc::clone(&subject.tags), made_of.tags.to_vec());
    service.runtime.store.supersede(&ticket, key.lookup(), &tags, made_of.begin);
    if variant.policy.degraded().is_some() {
        service.runtime.store.supersede(&ticket, key.beside(DEGRADED).lookup(), &tags, made_of.begin);
    }
}

/// That there is no such page, in the store if it may be kept.
fn absent(
    service: &Service,
    (variant, subject): (Variant<'_>, &Subject),
    is_degraded: bool,
    made_of: MadeOf<'_>,
    store: Option<(Key, Arc<Ticket>)>,
) -> (What, bool) {
    let now = service.runtime.clock.now();
    let kept = Keeping::of(variant, StatusCode::NOT_FOUND, is_degraded, Duration::ZERO).kept;
    let (Some((key, ticket)), Ok(allowance)) = (store, kept) else {
        return (What::Error(StatusCode::NOT_FOUND), false);
    };
    let windows = allowance.from(now, Duration::ZERO, Jitter::from_bits(key.seeded_hash()));
    let tags = Tags::new(Arc::clone(&subject.tags), made_of.tags.to_vec());
    let stored = Arc::new(Stored::bare(StatusCode::NOT_FOUND, windows, tags, made_of.revision));
    let is_stored = service.keep(made_of.position, &ticket, key, &stored);
    (What::Stored(stored), is_stored)
}

/// A representation with its validator, in the store if it may be kept.
fn finish(
    service: &Service,
    (variant, subject): (Variant<'_>, &Subject),
    page: Representation,
    made_of: MadeOf<'_>,
    store: Option<(Key, Arc<Ticket>)>,
) -> (What, bool) {
    let MadeOf { position, tags, revision, sum, begin, .. } = made_of;
    let Representation { status, again, mut fields, body, degraded, value, true_for } = page;
    let keeping = Keeping::of(variant, status, degraded, remaining(made_of.fresh_until, service.runtime.clock.now()));
    keeping.say(subject.tags.iter().chain(tags), &mut fields);
    let Ok(fields) = StorableFields::new(fields) else {
        return (What::Error(StatusCode::INTERNAL_SERVER_ERROR), false);
    };
    let is_asked_about = sum.is_some() && keeping.is_asked_about();
    // What may not be sent without asking is asked about each time: it is kept to be sent again if it turns out to be unchanged.
    let allowance = keeping.kept.ok().or(is_asked_about.then(Allowance::default));
    let kept = store.zip(allowance);
    let settled = |content: Content| {
        let is_own = |name: &_| keeping.writes(name) || variant.route.headers.iter().any(|(own, _)| own == name);
        if kept.is_some() { content.settled(is_own) } else { content }
    };
    let content = match &again {
        Some(kept) if kept.content().says(&fields) => Arc::clone(kept.content()),
        // Its sources may be fresh for another time than then.
        Some(kept) => Arc::new(settled(kept.content().with_fields(&fields))),
        None => {
            // Browsers keep the fields they have when they are told that nothing changed: what these are made of is in the sum, too.
            let tag = sum.map(|sum| StrongTag::from_digest(sum.as_bytes()));
            Arc::new(settled(Content::new(fields, body, tag)))
        }
    };
    let Some(((key, ticket), allowance)) = kept else {
        return (What::Shown { status, content }, false);
    };
    if let Some(kept) = again.filter(|kept| is_asked_about && Arc::ptr_eq(kept.content(), &content)) {
        return (What::Kept { stored: kept, is_new: false }, false);
    }
    let now = service.runtime.clock.now();
    // When another year, day or second would be printed the page is stale, however long it may live.
    let true_for = true_for.map_or(Duration::MAX, |time| (begin + time).saturating_duration_since(now));
    let windows = allowance.within(true_for).from(now, Duration::ZERO, Jitter::from_bits(key.seeded_hash()));
    let mut stored =
        Stored::new(status, content, windows, Tags::new(Arc::clone(&subject.tags), tags.to_vec()), revision)
            .made_of(sum);
    if let Some(value) = value.filter(|_| subject.is_asked) {
        // Its strings may be parts of far larger bodies.
        let (value, bytes) = apart(&value);
        stored = stored.with_data(value, bytes);
    }
    let stored = Arc::new(stored);
    let beside = variant.policy.degraded().map(|_| key.beside(DEGRADED));
    let (key, outdated) = match beside {
        Some(beside) if degraded => (beside, None),
        beside => (key, beside),
    };
    // What is made for one visitor alone is put there once it is known how it is coded.
    let is_put = (!is_asked_about || variant.is_storable()) && service.keep(position, &ticket, key, &stored);
    if let Some(outdated) = outdated.filter(|_| is_put) {
        service.runtime.store.remove(outdated.lookup());
    }
    if is_asked_about {
        return (What::Kept { stored, is_new: true }, is_put && !variant.policy.is_for_visitors_alone());
    }
    (What::Stored(stored), is_put)
}
