//! What visitors and programs may send: the bodies of forms and methods, and what is answered to them.

use super::{Operation, data, elsewhere, phrase, shape};
use crate::resource::form::{Field, FieldKind, Fields, Wire};
use crate::site::{Intake, Success};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The media types of forms; the second is that of every form with a file.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

impl Operation<'_> {
    /// The operation of one method.
    pub(super) fn post(&self, intake: &Intake, schemes: &mut Map<String, Value>) -> Value {
        let method = intake.method.as_str().to_ascii_lowercase();
        let mut operation = json!({ "operationId": self.id(&method), "responses": self.answers(intake) });
        let names_repeats = intake.idempotency_key.is_some();
        if names_repeats {
            let parameter = json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string" } });
            operation["parameters"] = json!([parameter]);
        }
        // A form without fields is sent as a form all the same.
        if intake.is_form() || intake.fields.schema().is_some() || intake.fields.iter().next().is_some() {
            operation["requestBody"] = body(intake, &self.id(&method));
        }
        if let Some(security) = self.security(schemes) {
            operation["security"] = security;
        }
        operation
    }

    fn answers(&self, intake: &Intake) -> Map<String, Value> {
        let mut answers = self.refusals();
        let is_form = intake.is_form();
        let mut add = |status: StatusCode, why: &str| {
            answers.insert(status.as_str().to_owned(), Self::refusal(status, why, is_form));
        };
        add(StatusCode::FORBIDDEN, "It comes from another site, or whoever sends it may not.");
        add(StatusCode::REQUEST_TIMEOUT, "It took too long to arrive.");
        add(StatusCode::LENGTH_REQUIRED, "It does not say how long it is, and is not taken for another reason either.");
        add(StatusCode::PAYLOAD_TOO_LARGE, "It is too long.");
        add(StatusCode::UNSUPPORTED_MEDIA_TYPE, "It is of a type that is not taken here.");
        add(StatusCode::UNPROCESSABLE_ENTITY, "A field does not fit; each that does not is told.");
        if intake.rate.is_some() {
            add(StatusCode::TOO_MANY_REQUESTS, "It was sent too often.");
        }
        if !intake.sends.is_empty() {
            add(StatusCode::BAD_GATEWAY, "An upstream failed: whether it has taken what was sent is not known.");
            add(StatusCode::GATEWAY_TIMEOUT, "An upstream was late: whether it has taken what was sent is not known.");
            if !is_form {
                add(StatusCode::UNAUTHORIZED, "It is not known who sends it.");
                add(StatusCode::NOT_FOUND, "There is no such thing.");
                add(StatusCode::CONFLICT, "As things stand, it cannot be done.");
            }
        }
        let (status, answer) = match &intake.success {
            Success::Redirect { .. } => {
                (StatusCode::SEE_OTHER, elsewhere("It is done. What to look at next is elsewhere."))
            }
            Success::Layout(_) => (StatusCode::OK, page("It is done.")),
            Success::Json { json: of, status, .. } => {
                let content = json!({ "application/json": { "schema": shape(&of.shape, of.nulls) } });
                (*status, json!({ "description": phrase(*status), "content": content }))
            }
            Success::Nothing { status, .. } if *status == StatusCode::SEE_OTHER => {
                (*status, elsewhere("It is done. What to look at next is elsewhere."))
            }
            Success::Nothing { status, .. } => (*status, json!({ "description": phrase(*status) })),
        };
        answers.insert(status.as_str().to_owned(), answer);
        if is_form && self.sends_away() {
            answers.insert("303".to_owned(), elsewhere("It is done, or whoever sends it has to sign in first."));
        }
        answers
    }
}

/// An answer of HTML.
pub(super) fn page(why: &str) -> Value {
    json!({ "description": why, "content": { "text/html": { "schema": { "type": "string" } } } })
}

fn body(intake: &Intake, name: &str) -> Value {
    let schema = match intake.fields.schema() {
        Some(schema) => standing_alone(schema.written(), name),
        None => object(&intake.fields),
    };
    let files = intake.fields.iter().filter(|field| field.kind == FieldKind::File && !field.types.is_empty());
    let encoding: Map<String, Value> =
        files.map(|field| (field.key.to_string(), json!({ "contentType": field.types.join(", ") }))).collect();
    let kinds = match intake.wire {
        Wire::Json => &["application/json"][..],
        Wire::Form if intake.fields.has_files() => &FORMS[1..],
        Wire::Form => &FORMS[..],
    };
    let content: Map<String, Value> = kinds
        .iter()
        .map(|&kind| {
            let mut media = json!({ "schema": schema });
            if !encoding.is_empty() {
                media["encoding"] = encoding.clone().into();
            }
            (kind.to_owned(), media)
        })
        .collect();
    let is_required =
        intake.is_form() || intake.fields.schema().is_some() || intake.fields.iter().any(|field| field.required);
    json!({ "required": is_required, "content": content })
}

/// A schema of the author's own, with a name by which its references to itself lead to itself.
fn standing_alone(written: &Value, name: &str) -> Value {
    let mut schema = written.clone();
    if let Value::Object(members) = &mut schema {
        members.entry("$id").or_insert_with(|| format!("urn:siteserver:{name}").into());
    }
    schema
}

fn object(fields: &Fields) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.key.to_string(), value(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| &*field.key).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn value(field: &Field) -> Value {
    let mut one = match field.kind {
        FieldKind::String | FieldKind::Text => json!({ "type": "string" }),
        FieldKind::Password => json!({ "type": "string", "format": "password" }),
        FieldKind::Int => json!({ "type": "integer", "format": "int64" }),
        FieldKind::Number => json!({ "type": "number" }),
        FieldKind::Bool => json!({ "type": "boolean" }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Email => json!({ "type": "string", "format": "email" }),
        FieldKind::Url => json!({ "type": "string", "format": "uri" }),
        FieldKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        FieldKind::Slug => json!({ "type": "string", "pattern": super::SLUG }),
        FieldKind::Path => json!({ "type": "string", "format": "uri-reference", "pattern": super::PATH }),
        FieldKind::File => json!({ "type": "string", "format": "binary" }),
        FieldKind::Object => json!({ "type": "object" }),
        FieldKind::List => json!({ "type": "array" }),
    };
    let is_date = field.kind == FieldKind::Date;
    for (name, bound) in [("minimum", &field.min), ("maximum", &field.max)] {
        if let Some(bound) = bound.as_ref().filter(|_| !is_date) {
            one[name] = data(bound);
        }
    }
    // An empty text is none.
    let least = field.min_length.or((field.required && field.kind.is_text()).then_some(1));
    for (name, length) in [("minLength", least), ("maxLength", field.max_length)] {
        if let Some(length) = length {
            one[name] = length.into();
        }
    }
    if let Some(pattern) = &field.written_pattern {
        one["pattern"] = format!("^(?:{pattern})$").into();
    }
    if let Some(choices) = &field.choices {
        one["enum"] = choices.iter().map(data).collect::<Vec<_>>().into();
    }
    let mut schema = match field.repeat {
        Some(most) => json!({ "type": "array", "items": one, "maxItems": most }),
        None => one,
    };
    if !field.default.is_null() {
        schema["default"] = data(&field.default);
    }
    schema
}
