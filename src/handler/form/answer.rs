//! What is answered to something that was sent: another place, the page again with what is wrong, or JSON.

use super::super::guard::{Visitor, leave_out_the_way};
use super::super::inputs::Inputs;
use super::super::make::{Order, Sent, make};
use super::super::respond::{self, Exchange};
use super::super::{Answer, Body, SourceCall, clock, cookies, failure, field, page};
use super::cookie;
use super::send::Outcome;
use super::{Begun, Refused, Taking, Told, form};
use crate::cache::CACHE_STATUS;
use crate::config::{Binding, Template};
use crate::resource::form::{FieldKind, Judged, Wire};
use crate::resource::{Nulls, Resource};
use crate::site::{Success, slots};
use crate::value::{JsonStyle, Object, Value, write_json, write_json_within};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use std::sync::Arc;

/// Holds an answer to whoever gets it now.
pub(super) fn for_one(fields: &mut HeaderMap) {
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    for name in [header::ETAG, header::AGE, header::LAST_MODIFIED, CACHE_STATUS] {
        fields.remove(name);
    }
    leave_out_the_way(fields);
}

impl Taking<'_> {
    /// The answer to what is not taken.
    pub(super) fn refused(self, refused: &Refused) -> Answer {
        let (status, why) = match refused {
            Refused::Status(status, why) => (*status, why.as_deref()),
            Refused::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, None),
        };
        let mut answer = match why.filter(|_| self.intake.wire == Wire::Json) {
            Some(why) => self.problem(status, &[], Some(why)),
            None => failure::answer(self.service, self.exchange, status),
        };
        if let Refused::TooOften(after) = refused {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            answer.response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(why) = why {
            tracing::info!(id = %self.exchange.arrival.id, route = &*self.route.name, why, "what was sent is not taken");
        }
        answer
    }

    /// The answer to what was passed on.
    pub(super) async fn answered(
        self,
        mut slots: Vec<Value>,
        visitor: &Visitor,
        inputs: &Inputs<'_>,
        judged: &Judged,
        outcome: &Outcome,
        calls: Vec<SourceCall>,
    ) -> Answer {
        let mut answer = match outcome {
            Outcome::Done { result, .. } => {
                slots[slots::FORM] = form(judged, &Told { result: result.clone(), ..Told::default() });
                self.done(&slots, visitor, inputs, judged, outcome).await
            }
            Outcome::Rejected { status, errors, message } => {
                let told = Told {
                    status: Some("rejected"),
                    errors: errors.clone(),
                    error: message.clone(),
                    result: Value::Null,
                };
                let status =
                    if self.intake.wire == Wire::Json { mirrored(*status) } else { StatusCode::UNPROCESSABLE_ENTITY };
                self.again(status, slots, visitor, inputs, judged, told).await
            }
            Outcome::Unfit(status) => failure::answer(self.service, self.exchange, *status),
            Outcome::Failed { status, again } => {
                let told = Told { status: Some("failed"), ..Told::default() };
                let mut answer = self.again(*status, slots, visitor, inputs, judged, told).await;
                if let Some(again) = again {
                    answer.response.headers_mut().insert(header::RETRY_AFTER, again.clone());
                }
                answer
            }
        };
        answer.sources.splice(0..0, calls);
        answer
    }

    /// The answer to what was taken.
    pub(super) async fn done(
        self,
        slots: &[Value],
        visitor: &Visitor,
        inputs: &Inputs<'_>,
        judged: &Judged,
        outcome: &Outcome,
    ) -> Answer {
        let mut answer = match &self.intake.success {
            Success::Redirect { target, flash } => {
                let mut answer = self.elsewhere(Some(target), slots);
                let text =
                    flash.as_ref().and_then(|flash| flash.text(slots, |text, out| out.push_str(text)).ok().flatten());
                let flash =
                    text.filter(|text| !self.tells([text.as_bytes()], slots)).and_then(|text| cookie::flash(&text));
                answer.response.headers_mut().extend(flash.map(|line| (header::SET_COOKIE, line)));
                answer
            }
            Success::Nothing { status, .. } if *status == StatusCode::SEE_OTHER => self.elsewhere(None, slots),
            Success::Layout(_) => {
                let (mut slots, sent) = (slots.to_vec(), Sent::Taken(self.at));
                self.hide(&mut slots);
                self.made(slots, visitor, inputs, sent).await
            }
            Success::Json { json, status, headers } => {
                let value = json.shape.value(slots).unwrap_or_default();
                let style = JsonStyle {
                    indented: false,
                    without_nulls: json.nulls == Nulls::Drop,
                    most: self.service.site.settings.limits.render.output_bytes,
                };
                let mut text = String::new();
                if write_json_within(&value, style, &mut text) {
                    self.with_fields(*status, Some(text.into()), headers, slots)
                } else {
                    failure::answer(self.service, self.exchange, StatusCode::INTERNAL_SERVER_ERROR)
                }
            }
            Success::Nothing { status, headers } => self.with_fields(*status, None, headers, slots),
        };
        let _ = judged;
        let own = cookies::lines(
            &self.route.set_cookies,
            self.service.site.cookie_keys.as_ref(),
            slots,
            self.exchange.arrival.wall,
            &self.route.name,
        );
        if self.tells(own.iter().map(HeaderValue::as_bytes), slots) {
            return failure::answer(self.service, self.exchange, StatusCode::INTERNAL_SERVER_ERROR);
        }
        for line in own {
            answer.response.headers_mut().append(header::SET_COOKIE, line);
        }
        if let Outcome::Done { cookies, .. } = outcome {
            for cookie in cookies {
                answer.response.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
        }
        answer
    }

    /// Whether one of these texts tells a secret of the site that the visitor has not said himself; the log is told. Whoever guesses one must not
    /// see by an error that it was right.
    fn tells<'x>(self, texts: impl IntoIterator<Item = &'x [u8]>, slots: &[Value]) -> bool {
        let tripwire = &self.service.site.tripwire;
        let found: Vec<&Arc<str>> = texts.into_iter().flat_map(|text| tripwire.find_all(text)).collect();
        if found.is_empty() {
            return false;
        }
        let mut said = String::new();
        slots
            .get(slots::FORM)
            .and_then(|form| form.get("values"))
            .into_iter()
            .for_each(|said_by| write_json(said_by, &mut said));
        let said = tripwire.find_all(said.as_bytes());
        let told: Vec<&str> = found.iter().filter(|name| !said.contains(name)).map(|name| &***name).collect();
        if !told.is_empty() {
            let secrets = told.join(", ");
            tracing::error!(route = &*self.route.name, secrets, "what was made holds a secret, and is not sent");
        }
        !told.is_empty()
    }

    /// 303 to where the declaration says; without it, or without what it needs, to the page itself.
    fn elsewhere(self, target: Option<&Template<Binding>>, slots: &[Value]) -> Answer {
        let written = target.and_then(|target| target.location(slots).ok());
        let location = written.filter(|location| !self.tells([location.as_bytes()], slots));
        let location = location.unwrap_or_else(|| self.matched.path.as_str().to_owned());
        let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static("/"));
        respond::redirect(StatusCode::SEE_OTHER, &location, self.exchange)
    }

    /// JSON, or nothing, with these fields.
    fn with_fields(
        self,
        status: StatusCode,
        json: Option<Bytes>,
        headers: &[(HeaderName, Template<Binding>)],
        slots: &[Value],
    ) -> Answer {
        let service = self.service;
        let mut fields = respond::lasting_fields(self.route, None);
        match &json {
            Some(body) => {
                fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            None if status != StatusCode::NO_CONTENT => {
                drop(fields.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0")));
            }
            None => {}
        }
        for (name, template) in headers {
            let text = if *name == header::LOCATION {
                template.location(slots).ok()
            } else {
                field::value(template, slots).ok().flatten()
            };
            match text.map(|text| HeaderValue::from_str(&text)) {
                Some(Ok(value)) => drop(fields.insert(name.clone(), value)),
                Some(Err(_)) => tracing::warn!(route = &*self.route.name, field = %name, "a control byte in a header"),
                None => {}
            }
        }
        let texts = fields.values().map(HeaderValue::as_bytes).chain(json.as_deref());
        if self.tells(texts, slots) {
            return failure::answer(service, self.exchange, StatusCode::INTERNAL_SERVER_ERROR);
        }
        let mut response = Response::new(json.map_or_else(Body::empty, Body::from));
        *response.status_mut() = status;
        *response.headers_mut() = fields;
        self.exchange.answer(response)
    }

    /// The page again, with what is to be said of what was sent; to programs a problem.
    pub(super) async fn again(
        self,
        status: StatusCode,
        mut slots: Vec<Value>,
        visitor: &Visitor,
        inputs: &Inputs<'_>,
        judged: &Judged,
        told: Told,
    ) -> Answer {
        if self.intake.wire == Wire::Json {
            return self.problem(status, &told.errors, told.error.as_deref());
        }
        slots[slots::FORM] = form(judged, &told);
        self.hide(&mut slots);
        self.made(slots, visitor, inputs, Sent::Again(status)).await
    }

    /// Takes what is not to be shown out of what a page may print.
    fn hide(self, slots: &mut [Value]) {
        let Some(slot) = slots.get_mut(slots::FORM) else { return };
        let is_hidden = |name: &str| self.intake.fields.named(name).is_some_and(|it| it.kind == FieldKind::Password);
        let members = slot.as_object().into_iter().flat_map(Object::iter);
        let shown: Object =
            members.filter(|(name, _)| !is_hidden(name)).map(|(name, it)| (name.clone(), it.clone())).collect();
        *slot = shown.into();
    }

    /// The page that is made in answer.
    async fn made(self, slots: Vec<Value>, visitor: &Visitor, inputs: &Inputs<'_>, sent: Sent) -> Answer {
        let Taking { service, route, position, exchange, .. } = self;
        let Some(subject) = service.subjects.get(position) else {
            return failure::answer(service, exchange, StatusCode::NOT_FOUND);
        };
        let order = Order {
            route: position,
            is_anonymous: false,
            id: exchange.arrival.id.to_string().into(),
            slots,
            visitor: inputs.visitor(route),
            time: exchange.arrival.wall,
            deadline: clock::ticking() + route.deadline,
            begun: Begun::now(service, subject),
            tags: Vec::new(),
            revision: inputs.revision(route),
            known: visitor.sources.clone(),
            copies: None,
            sent: Some(sent),
        };
        let made = make(service, order, None).await;
        // What was sent may be conditional; what is told of it is not.
        let mut request = exchange.request.clone();
        request.method = Method::GET;
        for name in [
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_MODIFIED_SINCE,
            header::IF_UNMODIFIED_SINCE,
            header::IF_RANGE,
            header::RANGE,
        ] {
            request.headers.remove(name);
        }
        page::show(service, &made, Exchange { request: &request, ..exchange }, None).await
    }

    /// A problem (RFC 9457).
    fn problem(self, status: StatusCode, errors: &[(Arc<str>, String)], detail: Option<&str>) -> Answer {
        let mut answer = failure::answer(self.service, self.exchange, status);
        if !matches!(self.route.resource, Resource::Json(_)) {
            return answer;
        }
        let errors = errors.iter().map(|(field, message)| {
            // As it was sent, which the author may call otherwise.
            let field = self.intake.fields.named(field).map_or(field, |field| &field.key);
            let error: Object =
                [("field", Value::from(&**field)), ("message", message.as_str().into())].into_iter().collect();
            error.into()
        });
        let errors: Vec<Value> = errors.collect();
        let mut members = vec![
            ("type", Value::from("about:blank")),
            ("title", status.canonical_reason().unwrap_or("Error").into()),
            ("status", Value::Int(i64::from(status.as_u16()))),
            ("id", self.exchange.arrival.id.to_string().into()),
        ];
        members.extend(detail.map(|detail| ("detail", detail.into())));
        if !errors.is_empty() {
            members.push(("errors", Value::list(errors)));
        }
        let (mut text, problem): (_, Object) = (String::new(), members.into_iter().collect());
        write_json(&problem.into(), &mut text);
        if self.tells([text.as_bytes()], &[]) {
            return answer;
        }
        answer.response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
        *answer.response.body_mut() = Body::from(Bytes::from(text));
        answer
    }
}

/// The status that tells a program what an upstream has told.
fn mirrored(status: StatusCode) -> StatusCode {
    match status.as_u16() {
        401 | 403 | 404 | 409 | 410 | 412 => status,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
