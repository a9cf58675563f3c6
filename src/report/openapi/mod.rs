//! The API of a site as `OpenAPI` 3.1: what its JSON routes and forms take, answer and refuse.
//!
//! All of it is derived. What only data can tell, the type of a value that a source brings for instance, is left open; nothing is said that an
//! answer may not be.

mod intake;

use crate::config::Shape;
use crate::resource::{Json, Nulls, OnInvalid, Refusal, Resource};
use crate::router::{InputType, Kind, Pattern};
use crate::site::{Credentials, QueryInput, Route, Site, Then, slots};
use crate::source::{OnNotFound, OnUnauthorized};
use crate::value::{Value as Data, write_json};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The media type of problems (RFC 9457).
const PROBLEM: &str = "application/problem+json";

/// The name of their schema among the components.
const OF_PROBLEM: &str = "#/components/schemas/problem";

/// Words joined by hyphens.
const SLUG: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

/// A path of the site itself.
const PATH: &str = r"^/(?![/\\])";

/// What may be answered to a URL like those of a route without one.
const EARLY: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::NOT_FOUND,
    StatusCode::URI_TOO_LONG,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
];

/// What may be answered before any route is looked for, or to a body that no route has read: by a line of text.
const BARE: [StatusCode; 7] = [
    StatusCode::BAD_REQUEST,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::LENGTH_REQUIRED,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::URI_TOO_LONG,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// Describes the site, as text that ends in a line break.
pub fn openapi(site: &Site) -> String {
    let mut paths: BTreeMap<String, Value> = BTreeMap::new();
    let mut schemes = Map::new();
    for (pattern, position) in site.routers.patterns() {
        let Some(route) = site.routes.get(position) else { continue };
        let answer = match &route.resource {
            Resource::Json(answer) => Some(answer),
            Resource::Page(_) | Resource::Document(_) if !route.intakes.is_empty() => None,
            Resource::Page(_)
            | Resource::Document(_)
            | Resource::Tree(_)
            | Resource::Files(_)
            | Resource::Redirect(_)
            | Resource::Proxy(_) => continue,
        };
        let operation = Operation { site, route, pattern };
        let mut item = operation.item();
        item.insert("get".to_owned(), operation.get(answer, &mut schemes));
        for intake in &route.intakes {
            item.insert(intake.method.as_str().to_ascii_lowercase(), operation.post(intake, &mut schemes));
        }
        // Of routes at several hosts the first is told.
        paths.entry(path(pattern)).or_insert(Value::Object(item));
    }
    let told = json!({
        "openapi": "3.1.0",
        "info": { "title": title(site), "version": format!("{:016x}", site.revision) },
        "servers": [{ "url": site.url.as_deref().unwrap_or("/") }],
        "paths": paths,
        "components": { "schemas": { "problem": problem() }, "securitySchemes": schemes },
    });
    format!("{told:#}\n")
}

/// What the site calls itself.
fn title(site: &Site) -> String {
    let of_site = |route: &Route| route.constants.get(slots::SITE)?.get("name")?.as_str().map(ToOwned::to_owned);
    site.routes.iter().find_map(of_site).unwrap_or_else(|| "API".to_owned())
}

/// The path as `OpenAPI` has it: a rest parameter is one like any other.
fn path(pattern: &Pattern) -> String {
    pattern.as_str().replace("{*", "{")
}

/// What a route does by one of its patterns.
struct Operation<'s> {
    site: &'s Site,
    route: &'s Route,
    pattern: &'s Pattern,
}

impl Operation<'_> {
    /// What all methods of a path have in common.
    fn item(&self) -> Map<String, Value> {
        let mut item = Map::new();
        if let Some(origin) = self.route.origin.as_deref().filter(|_| !self.route.hosts.is_empty()) {
            item.insert("servers".to_owned(), json!([{ "url": origin }]));
        }
        let parameters: Vec<Value> = self.pattern.names().map(|name| self.path_parameter(name)).collect();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), parameters.into());
        }
        item
    }

    fn path_parameter(&self, name: &str) -> Value {
        let schema = self.pattern.input_type(name).map_or(json!({ "type": "string" }), input);
        let mut parameter = json!({ "name": name, "in": "path", "required": true, "schema": schema });
        if self.pattern.rest_name() == Some(name) {
            parameter["description"] = "The rest of the path, with its slashes.".into();
        }
        parameter
    }

    /// What it answers: JSON of this shape, or a page with a form.
    fn get(&self, answer: Option<&Json>, schemes: &mut Map<String, Value>) -> Value {
        let inputs = &self.route.inputs;
        let mut parameters: Vec<Value> = inputs.query.iter().filter(|input| input.is_read).map(query).collect();
        parameters.extend(inputs.cookies.iter().filter(|input| input.is_read && input.is_enumerated()).map(|cookie| {
            json!({ "name": &*cookie.key, "in": "cookie", "schema": with_default(input(&cookie.kind), &cookie.default) })
        }));
        // What these say, OpenAPI has other places for.
        let is_told_elsewhere = |name: &str| ["accept", "content-type", "authorization", "cookie"].contains(&name);
        let fields = inputs.headers.iter().filter(|name| !is_told_elsewhere(name.as_str()));
        parameters.extend(
            fields.map(|name| json!({ "name": name.as_str(), "in": "header", "schema": { "type": "string" } })),
        );
        let mut answers = self.refusals();
        let content = self.route.content_type.as_ref().and_then(|kind| kind.to_str().ok());
        let kind = content.and_then(|kind| kind.split(';').next()).unwrap_or("application/json");
        let schema = answer.map_or(json!({ "type": "string" }), |answer| shape(&answer.shape, answer.nulls));
        let told = json!({ "description": phrase(self.route.status), "content": { kind: { "schema": schema } } });
        answers.insert(self.route.status.as_str().to_owned(), told);
        if self.sends_away() {
            answers.insert("302".to_owned(), elsewhere("Whoever asks has to sign in first."));
        }
        answers.insert("304".to_owned(), json!({ "description": "It is what the request has already." }));
        let mut operation = json!({ "operationId": self.id("get"), "responses": answers });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(said) = self.summary() {
            operation["summary"] = said.into();
        }
        if let Some(security) = self.security(schemes) {
            operation["security"] = security;
        }
        operation
    }

    fn summary(&self) -> Option<String> {
        let page = &self.route.page;
        page.get("title").and_then(Data::as_str).filter(|title| !title.is_empty()).map(ToOwned::to_owned)
    }

    /// `get-orders-id` of `GET /orders/{id}`: a name for programs that are made of this.
    fn id(&self, method: &str) -> String {
        let words = self.pattern.as_str().split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        std::iter::once(method).chain(words).collect::<Vec<_>>().join("-")
    }

    fn is_page(&self) -> bool {
        !matches!(self.route.resource, Resource::Json(_))
    }

    /// Whether a guard sends people elsewhere; programs are never sent.
    fn sends_away(&self) -> bool {
        let is_redirect = |refusal: &Refusal<_>| matches!(refusal, Refusal::Redirect { .. });
        let mut guards = self.route.guards.iter();
        self.is_page() && guards.any(|guard| is_redirect(&guard.on_unauthorized) || is_redirect(&guard.on_forbidden))
    }

    /// A refusal: a problem, or a page.
    fn refusal(status: StatusCode, why: &str, is_page: bool) -> Value {
        let mut content = Map::new();
        if !is_page {
            content.insert(PROBLEM.to_owned(), json!({ "schema": { "$ref": OF_PROBLEM } }));
        }
        // Before a request has led to this route, or where it leads to none after all, nobody knows that a program asks.
        if is_page || EARLY.contains(&status) {
            content.insert("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
        }
        if BARE.contains(&status) {
            content.insert("text/plain".to_owned(), json!({ "schema": { "type": "string" } }));
        }
        json!({ "description": why, "content": content })
    }

    /// What is answered instead: by the server to any request, and by this route.
    fn refusals(&self) -> Map<String, Value> {
        let Self { site, route, pattern } = self;
        let mut answers = Map::new();
        let mut refuse = |status: StatusCode, why: &str| {
            answers.insert(status.as_str().to_owned(), Self::refusal(status, why, self.is_page()));
        };
        refuse(StatusCode::BAD_REQUEST, "The request is malformed, or a value of its query is.");
        let is_absent = |outcome: OnNotFound| outcome == OnNotFound::NotFound;
        let may_lack = pattern.names().len() > 0
            || route.sources.iter().any(|planned| is_absent(planned.source.outcomes.on_not_found))
            || route.inputs.query.iter().any(|input| input.on_invalid == OnInvalid::NotFound)
            || route.guards.iter().any(|guard| matches!(guard.on_forbidden, Refusal::NotFound));
        if may_lack {
            refuse(StatusCode::NOT_FOUND, "There is no such thing.");
        }
        let mirrors = route.sources.iter().any(|planned| {
            planned.personal && matches!(planned.source.outcomes.on_unauthorized, OnUnauthorized::Status)
        });
        if !route.guards.is_empty() || mirrors {
            refuse(StatusCode::UNAUTHORIZED, "It is not known who asks.");
            refuse(StatusCode::FORBIDDEN, "Whoever asks may not have it.");
        }
        if site.url.is_some() {
            refuse(StatusCode::MISDIRECTED_REQUEST, "The host is none of this site's.");
        }
        refuse(StatusCode::URI_TOO_LONG, "The URL is too long.");
        refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The header fields are too many, or too long.");
        refuse(StatusCode::INTERNAL_SERVER_ERROR, "The answer could not be made.");
        refuse(StatusCode::SERVICE_UNAVAILABLE, "There is too much to do, or what is needed cannot be asked.");
        if !route.sources.is_empty() {
            refuse(StatusCode::BAD_GATEWAY, "An upstream failed.");
            refuse(StatusCode::GATEWAY_TIMEOUT, "An upstream was late.");
        }
        for rule in &route.rules {
            match &rule.then {
                Then::Redirect { status, .. } => {
                    answers.insert(status.as_str().to_owned(), elsewhere("It is elsewhere."));
                }
                Then::Status(status) => {
                    let answer = Self::refusal(*status, phrase(*status), self.is_page());
                    answers.insert(status.as_str().to_owned(), answer);
                }
                Then::Layout { status, .. } => {
                    answers.insert(status.as_str().to_owned(), json!({ "description": phrase(*status) }));
                }
            }
        }
        if pattern.names().len() > 0 {
            answers.insert("308".to_owned(), elsewhere("The same, by the one spelling of its URL."));
        }
        answers
    }

    /// What a request may carry by which it is known who asks: one of these, or nothing where anybody may ask.
    fn security(&self, schemes: &mut Map<String, Value>) -> Option<Value> {
        let Credentials { cookies, fields } = &self.route.known_by;
        let auth = &self.site.auth;
        let mut names = Vec::new();
        let mut add = |name: String, scheme: Value| {
            schemes.insert(name.clone(), scheme);
            names.push(name);
        };
        for cookie in cookies {
            add(format!("cookie-{cookie}"), json!({ "type": "apiKey", "in": "cookie", "name": &**cookie }));
        }
        for field in fields {
            if field == AUTHORIZATION && auth.jwt.as_ref().is_some_and(|jwt| jwt.bearer) {
                add("bearer".to_owned(), json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }));
            }
            if field == AUTHORIZATION && auth.basic.is_some() {
                add("basic".to_owned(), json!({ "type": "http", "scheme": "basic" }));
            }
            if field != AUTHORIZATION {
                add(format!("field-{field}"), json!({ "type": "apiKey", "in": "header", "name": field.as_str() }));
            }
        }
        if names.is_empty() {
            return None;
        }
        let mut ways: Vec<Value> = names.into_iter().map(|name| json!({ name: [] })).collect();
        if self.route.guards.is_empty() {
            ways.push(json!({}));
        }
        Some(ways.into())
    }
}

fn elsewhere(why: &str) -> Value {
    let location = json!({ "description": "Where.", "schema": { "type": "string", "format": "uri-reference" } });
    json!({ "description": why, "headers": { "Location": location } })
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("An answer")
}

fn query(query: &QueryInput) -> Value {
    let one = input(&query.kind);
    let schema = match query.repeat {
        Some(most) => json!({ "type": "array", "items": one, "maxItems": most }),
        None => one,
    };
    json!({ "name": &*query.key, "in": "query", "schema": with_default(schema, &query.default) })
}

fn with_default(mut schema: Value, default: &Data) -> Value {
    if !default.is_null() {
        schema["default"] = data(default);
    }
    schema
}

/// What fits a type of values in URLs.
fn input(kind: &InputType) -> Value {
    let mut schema = match kind.kind() {
        Kind::String => json!({ "type": "string", "minLength": 1 }),
        Kind::Int => json!({ "type": "integer", "format": "int64" }),
        Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Slug => json!({ "type": "string", "pattern": SLUG }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Path => json!({ "type": "string", "format": "uri-reference", "pattern": PATH }),
    };
    let is_number = kind.kind() == Kind::Int;
    let (least, greatest) = kind.bounds();
    for (name, bound) in [("minimum", least), ("maximum", greatest)] {
        if let Some(bound) = bound {
            schema[name] = bound.into();
        }
    }
    if let Some(most) = kind.most_characters() {
        schema["maxLength"] = most.into();
    }
    if let Some(pattern) = kind.pattern() {
        schema["pattern"] = format!("^(?:{pattern})$").into();
    }
    if let Some(choices) = kind.choices() {
        let choice = |text: &str| match text.parse::<i64>() {
            Ok(number) if is_number => number.into(),
            _ => Value::from(text),
        };
        schema["enum"] = choices.map(choice).collect::<Vec<_>>().into();
    }
    schema
}

/// What a declared answer looks like, as far as it is known before there is data.
fn shape<R>(of: &Shape<R>, nulls: Nulls) -> Value {
    match of {
        Shape::Literal(value) => json!({ "const": data(value) }),
        // A single placeholder is whatever its value is.
        Shape::Template(template) if template.as_single().is_some() => json!({}),
        Shape::Template(_) => json!({ "type": "string" }),
        Shape::List(_) => json!({ "type": "array" }),
        Shape::Object(members) => {
            let properties: Map<String, Value> =
                members.iter().map(|(name, member)| (name.as_str().to_owned(), shape(member, nulls))).collect();
            let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
            if nulls == Nulls::Keep {
                let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                schema["required"] = names.into();
            }
            schema
        }
        Shape::Each(each) => json!({ "type": "array", "items": shape(&each.record, nulls) }),
    }
}

fn data(value: &Data) -> Value {
    let mut text = String::new();
    write_json(value, &mut text);
    serde_json::from_str(&text).unwrap_or_default()
}

/// RFC 9457, as this server writes it.
fn problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "id": { "type": "string", "description": "The request, as the log calls it." },
            "detail": { "type": "string" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "field": { "type": "string" }, "message": { "type": "string" } },
                    "required": ["message"],
                },
            },
        },
        "required": ["type", "title", "status", "id"],
    })
}
