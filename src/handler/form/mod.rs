//! What is sent to a route: forms, and JSON by methods. One request: where it comes from, how often, what it is, whether it fits; then it is
//! passed on, and answered.
//!
//! Each step that refuses ends the way, before anything is asked of anybody else. From the first call on it goes to its end, whatever the
//! client does: what was begun is not left half done. No answer to anything that was sent is kept by anybody.

mod answer;
mod body;
mod cookie;
mod send;

pub(super) use cookie::take_back_flash;
pub(super) use send::Outcome;

use super::fill::Begun;
use super::gather::{Request, SourceCall, Whose};
use super::guard::Visitor;
use super::identity::{self, Who};
use super::inputs::{Inputs, Misfit, leads_to_a_route};
use super::rate::{Rate, Whose as Sender};
use super::repeat::Claim;
use super::respond::Exchange;
use super::runtime::Service;
use super::{Answer, RequestBody, RequestBodyFault, clock, failure};
use crate::cache::{Digest, Digester};
use crate::fields::{self, Home, Unsaid};
use crate::resource::form::{Judged, RateBy, Wire};
use crate::router::{Authority, Match};
use crate::site::{Identities, Intake, RepeatKey, Route, slots};
use crate::source::{Kind, Trouble};
use crate::submission::{Accepts, Entry, Form, FormFormat, Limits, ReadError, Refusal, UploadedFile, read_json};
use crate::value::{Object, ObjectBuilder, Value};
use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{Method, StatusCode};
use send::Sending;
use std::sync::Arc;
use std::time::Duration;

/// As much text may be in a form that is mostly files.
const LEAST_TEXTS: u64 = 64 << 10;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a route takes by the method of this request, and its position.
pub(super) fn intake<'r>(route: &'r Route, request: &Parts) -> Option<(usize, &'r Intake)> {
    route.intakes.iter().enumerate().find(|(_, intake)| intake.method == request.method)
}

/// Whether something is sent to the route. Nearly nothing is.
pub(super) fn is_sent(route: &Route, request: &Parts) -> bool {
    !route.intakes.is_empty() && !matches!(request.method, Method::GET | Method::HEAD)
}

/// What is known of something that was sent.
#[derive(Clone, Copy)]
struct Taking<'t> {
    service: &'t Arc<Service>,
    at: usize,
    intake: &'t Intake,
    route: &'t Route,
    position: usize,
    matched: &'t Match<'t, 't, usize>,
    exchange: Exchange<'t>,
}

/// Why something is not taken.
enum Refused {
    /// It is told by a status alone, and why.
    Status(StatusCode, Option<String>),
    /// After so long it may be sent again.
    TooOften(Duration),
}

impl From<StatusCode> for Refused {
    fn from(status: StatusCode) -> Self {
        Self::Status(status, None)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Status(refusal.status(), Some(refusal.to_string()))
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Refused(refusal) => refusal.into(),
            ReadError::Broken(error) => RequestBodyFault::of(&*error).status().into(),
            ReadError::NoRoom(error) => {
                tracing::error!(%error, "there is no room for files that were sent");
                StatusCode::SERVICE_UNAVAILABLE.into()
            }
        }
    }
}

/// Answers to what was sent.
pub(super) async fn answer<B: RequestBody>(
    service: &Arc<Service>,
    (at, intake): (usize, &Intake),
    matched: &Match<'_, '_, usize>,
    visitor: Visitor,
    exchange: Exchange<'_>,
    body: B,
) -> Answer {
    let (Some(route), Some(position)) = (exchange.route, exchange.position) else {
        return failure::answer(service, exchange, StatusCode::NOT_FOUND);
    };
    let taking = Taking { service, at, intake, route, position, matched, exchange };
    let mut answer = match taking.taken(visitor, body).await {
        Ok(answer) => answer,
        Err(refused) => taking.refused(&refused),
    };
    answer::for_one(answer.response.headers_mut());
    answer
}

impl Taking<'_> {
    fn request(&self) -> &Parts {
        self.exchange.request
    }

    fn fields(&self) -> &HeaderMap {
        &self.request().headers
    }

    async fn taken<B: RequestBody>(self, mut visitor: Visitor, body: B) -> Result<Answer, Refused> {
        self.refuse_foreign()?;
        let inputs =
            Inputs::read(&self.service.site, self.route, self.matched, self.fields(), self.exchange.arrival.wall);
        let inputs = inputs.map_err(|misfit| match misfit {
            Misfit::NotFound(_) | Misfit::BadRequest(_) => Refused::from(misfit.status()),
        })?;
        if self.intake.reads_user && visitor.user.is_null() && self.route.guards.is_empty() {
            let deadline = clock::ticking() + self.route.deadline;
            if let Who::User(user) = identity::who(self.service, self.fields(), Identities::ALL, deadline).await {
                visitor.user = user;
            }
        }
        self.refuse_often(&visitor.user)?;
        let (judged, is_trapped) = self.read(body).await?;
        let subject = self.service.subjects.get(self.position).ok_or(StatusCode::NOT_FOUND)?;
        let mut slots = inputs.slots(self.route, subject, &self.service.site);
        slots[slots::USER].clone_from(&visitor.user);
        slots[slots::FORM] = form(&judged, &Told::default());
        if is_trapped {
            // Whoever fills in what nobody sees is told nothing.
            return Ok(self.done(&slots, &visitor, &inputs, &judged, &Outcome::nothing()).await);
        }
        if !judged.errors.is_empty() {
            let told = Told { status: Some("invalid"), errors: judged.errors.clone(), ..Told::default() };
            return Ok(self.again(StatusCode::UNPROCESSABLE_ENTITY, slots, &visitor, &inputs, &judged, told).await);
        }
        let claim = match self.key(&judged, &visitor.user) {
            Some(key) => {
                let asked = asked(&judged, slots.get(slots::QUERY));
                match self.service.runtime.repeats.claim(key, asked, self.service.runtime.clock.now()).await {
                    Claim::Do(ticket) => Some(ticket),
                    Claim::Again(outcome) => {
                        return Ok(self.answered(slots, &visitor, &inputs, &judged, &outcome, Vec::new()).await);
                    }
                    Claim::Other => {
                        let told = "the idempotency key belongs to another request";
                        return Err(Refused::Status(StatusCode::UNPROCESSABLE_ENTITY, Some(told.to_owned())));
                    }
                    Claim::Full => return Err(StatusCode::SERVICE_UNAVAILABLE.into()),
                }
            }
            None => None,
        };
        self.ask_sources(&mut slots, &inputs, &visitor).await?;
        let sending = Sending {
            service: Arc::clone(self.service),
            route: self.position,
            intake: self.at,
            slots: slots.clone(),
            files: judged.files.clone(),
            visitor: self.fields().clone(),
            key: self.sent_key(&judged),
            deadline: clock::ticking() + self.route.deadline,
        };
        // It goes on when the client is gone: half of what was asked for may be done.
        let sent = tokio::spawn(sending.run(claim)).await;
        let (outcome, calls) = sent.map_err(|_panic| StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(self.answered(slots, &visitor, &inputs, &judged, &outcome, calls).await)
    }

    /// Refuses what another site has made a browser send.
    fn refuse_foreign(self) -> Result<(), Refused> {
        let fields = self.fields();
        let host = fields.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let authority = |text| Authority::parse(text).map(|authority| authority.host().to_ascii_lowercase()).ok();
        let origin = self.route.origin.as_deref().filter(|origin| {
            let own = origin.split_once("://").and_then(|(_, own)| authority(own.split('/').next()?));
            own.is_some() && own == authority(host)
        });
        let home = match origin {
            // A URL may go on behind its origin.
            Some(origin) => {
                let end = origin.match_indices('/').nth(2).map(|(end, _)| end);
                Home::Origin(end.and_then(|end| origin.get(..end)).unwrap_or(origin))
            }
            None => Home::Host(host),
        };
        let unsaid = if self.intake.is_form() { Unsaid::Refused } else { Unsaid::Program };
        let Err(foreign) = fields::same_origin(fields, home, unsaid) else { return Ok(()) };
        let cors = self.route.cors.as_ref().filter(|_| !self.intake.is_form());
        let is_let = cors.zip(fields.get(header::ORIGIN)).is_some_and(|(cors, origin)| {
            let has_credentials = [header::COOKIE, header::AUTHORIZATION].iter().any(|name| fields.contains_key(name));
            cors.lets_send(origin, has_credentials)
        });
        if is_let {
            return Ok(());
        }
        tracing::info!(id = %self.exchange.arrival.id, route = &*self.route.name, why = %foreign, "what was sent is refused");
        Err(Refused::Status(StatusCode::FORBIDDEN, Some(foreign.to_string())))
    }

    /// Refuses what the same visitor has sent too often.
    fn refuse_often(self, user: &Value) -> Result<(), Refused> {
        let Some(rate) = self.intake.rate else { return Ok(()) };
        let sender = match name_of(user).filter(|_| rate.by == RateBy::User) {
            Some(name) => Sender::User(name),
            None => {
                let proxies = &self.service.site.settings.trusted_proxies;
                Sender::at(proxies.client(self.exchange.arrival.peer, self.fields()))
            }
        };
        let what = (&*self.route.name, self.intake.method.as_str());
        let (rate, now) = (Rate { requests: rate.requests, per: rate.per }, self.service.runtime.clock.now());
        self.service.runtime.rates.admit(what, &sender, rate, now).map_err(Refused::TooOften)
    }

    /// Reads what was sent, and judges it; also whether it is from somebody who fills in what nobody sees.
    async fn read<B: RequestBody>(self, body: B) -> Result<(Judged, bool), Refused> {
        let limit = self.service.site.settings.limits.body_total;
        tokio::time::timeout(limit, self.read_all(body)).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT.into()))
    }

    async fn read_all<B: RequestBody>(self, body: B) -> Result<(Judged, bool), Refused> {
        let (intake, fields) = (self.intake, self.fields());
        let leads = |path: &str| leads_to_a_route(&self.service.site, self.route, path);
        if intake.wire == Wire::Json {
            // Of what needs nothing, nothing needs to be sent.
            let is_nothing = body.is_end_stream() && !fields.contains_key(header::CONTENT_TYPE);
            let sent = if is_nothing { Object::default().into() } else { read_json(fields, body, intake.most).await? };
            return Ok((intake.fields.judge_json(&sent, &leads), false));
        }
        let format = FormFormat::of(fields)?;
        let folder = &*self.service.runtime.uploads;
        // What is not in files is held in memory.
        let texts = intake.most.saturating_sub(intake.fields.files_size()).max(LEAST_TEXTS);
        let limits = Limits { most: intake.most, texts, fields: Limits::FIELDS, folder };
        let trap = intake.honeypot.as_deref();
        let accepts = |name: &str| {
            intake.fields.accepts(name).or((trap == Some(name)).then_some(Accepts::Text { repeats: true }))
        };
        let form = Form::read(&format, body, limits, accepts).await?;
        let is_trapped = form.entries.iter().any(|(name, entry)| {
            trap == Some(&**name) && matches!(entry, Entry::Text(text) if !text.trim().is_empty())
        });
        Ok((intake.fields.judge(form, &leads), is_trapped))
    }

    /// What a request is known by that may come twice: what it says, where, and by whom.
    fn key(self, judged: &Judged, user: &Value) -> Option<Digest> {
        let key = self.sent_key(judged)?;
        let mut digest = Digester::new("idempotency");
        digest.bytes(self.route.name.as_bytes()).bytes(self.intake.method.as_str().as_bytes()).bytes(key.as_bytes());
        digest.bytes(self.matched.path.as_str().as_bytes());
        // Whatever may say who it is: what the calls send along, what is proved by, and who was found.
        let sent_along = self.intake.sends.iter().flat_map(|send| match &send.source.kind {
            Kind::Http(http) => http.forward_headers.as_slice(),
            Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => &[],
        });
        let mut names: Vec<&HeaderName> = sent_along.chain(&self.route.known_by.fields).collect();
        names.extend([&header::COOKIE, &header::AUTHORIZATION]);
        names.sort_by(|left, right| left.as_str().cmp(right.as_str()));
        names.dedup();
        for name in names {
            for value in self.fields().get_all(name) {
                digest.bytes(name.as_str().as_bytes()).bytes(value.as_bytes());
            }
        }
        digest.value(user);
        Some(digest.finish())
    }

    /// The key as it was sent.
    fn sent_key(self, judged: &Judged) -> Option<String> {
        const LONGEST: usize = 256;
        let by = self.intake.idempotency_key.as_ref()?;
        let of_header = self.fields().get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let of_field = || match by {
            RepeatKey::Header => None,
            RepeatKey::Field(name) => crate::config::scalar_text(judged.typed.get(name)?).ok().map(String::from),
        };
        of_header.or_else(of_field).filter(|key| !key.is_empty() && key.len() <= LONGEST)
    }

    /// Asks the sources that what is sent is made with.
    async fn ask_sources(self, slots: &mut [Value], inputs: &Inputs<'_>, visitor: &Visitor) -> Result<(), Refused> {
        if self.intake.sources.is_empty() {
            return Ok(());
        }
        let (service, arrival) = (self.service, self.exchange.arrival);
        let subject = service.subjects.get(self.position).ok_or(StatusCode::NOT_FOUND)?;
        let deadline = clock::ticking() + self.route.deadline;
        let (begun, id): (_, Arc<str>) = (Begun::now(service, subject), arrival.id.to_string().into());
        let calls = super::fetch::Calls::of(&begun, deadline);
        let fields = inputs.visitor(self.route);
        let context = service.context(arrival.wall);
        let request = Request {
            service,
            route: self.position,
            visitor: &fields,
            whose: Whose::OnePersons,
            deadline,
            context: &context,
            begun: &begun,
            calls: &calls,
            known: &visitor.sources,
            id: &id,
        };
        for &at in &self.intake.sources {
            let value = request.one(at, slots).await.map_err(|trouble| {
                let name = self.route.sources[at].source.name.value.as_str();
                tracing::warn!(
                    source = name,
                    route = &*self.route.name,
                    trouble = trouble.word(),
                    "nothing is sent without a source"
                );
                Refused::from(match trouble {
                    Trouble::NotFound => StatusCode::NOT_FOUND,
                    Trouble::BadRequest => StatusCode::BAD_REQUEST,
                    Trouble::Unauthorized { status } => StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
                    Trouble::Error { late: true, .. } => StatusCode::GATEWAY_TIMEOUT,
                    Trouble::Error { late: false, .. } => StatusCode::BAD_GATEWAY,
                })
            })?;
            slots[slots::FIRST_SOURCE + at] = value;
        }
        Ok(())
    }
}

/// What is told of what was sent.
#[derive(Debug, Default)]
struct Told {
    status: Option<&'static str>,
    errors: Vec<(Arc<str>, String)>,
    error: Option<String>,
    result: Value,
}

/// The value of `form`.
fn form(judged: &Judged, told: &Told) -> Value {
    let mut form = ObjectBuilder::with_capacity(judged.typed.len() + 5);
    for (name, value) in judged.typed.iter() {
        form.push(name.clone(), value.clone());
    }
    let errors: Object = told.errors.iter().map(|(name, message)| (&**name, Value::from(message.as_str()))).collect();
    form.push("values", judged.values.clone().into());
    form.push("errors", errors.into());
    form.push("error", told.error.as_deref().map_or(Value::Null, Value::from));
    form.push("status", told.status.map_or(Value::Null, Value::from));
    form.push("result", told.result.clone());
    form.finish().into()
}

/// The digest of all that was sent, the query that the route reads included.
fn asked(judged: &Judged, query: Option<&Value>) -> Digest {
    let mut digest = Digester::new("sent");
    digest.value(&judged.typed.clone().into()).value(&judged.values.clone().into());
    digest.value(query.unwrap_or(&Value::Null));
    for (at, UploadedFile { name, media_type, digest: content, .. }) in &judged.files {
        digest.number(*at as u64).bytes(name.as_deref().unwrap_or_default().as_bytes());
        digest.bytes(media_type.as_deref().unwrap_or_default().as_bytes()).bytes(content);
    }
    digest.finish()
}

/// By what a user is told from others.
fn name_of(user: &Value) -> Option<String> {
    let names = ["sub", "id", "name", "email"];
    let name =
        names.iter().find_map(|name| crate::config::scalar_text(user.get(name)?).ok().filter(|it| !it.is_empty()));
    name.map(String::from)
}

/// How a call went, for the log.
fn told_of(name: &Arc<str>, elapsed: Duration, outcome: &'static str) -> SourceCall {
    SourceCall { name: Arc::clone(name), elapsed, outcome, record: None }
}
