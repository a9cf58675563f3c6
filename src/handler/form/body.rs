//! What is sent on, as bytes: JSON, or a form in either encoding. A form that can hold files has them where they are, piece by piece.
//!
//! It is written anew from what was judged: nothing of how a visitor wrote it goes on.

use crate::config::{Binding, NotText, Part, Shape, encode_segment, scalar_text};
use crate::resource::form::{FieldKind, Fields, SendFormat, Wire};
use crate::site::{Send, SendBody, slots};
use crate::submission::{Content, UploadedFile};
use crate::upstream::Piece;
use crate::value::{ObjectBuilder, Value, write_json};
use bytes::Bytes;
use http::HeaderValue;
use std::fmt::Write as _;
use std::sync::Arc;

/// A body, and its type.
pub(super) enum Written {
    Nothing,
    Whole(HeaderValue, Bytes),
    Pieces(HeaderValue, Arc<[Piece]>),
}

/// The body of a call that passes on what came by this `wire`; `files` are those that were sent, by the position of their fields.
pub(super) fn write(
    send: &Send,
    (fields, wire): (&Fields, Wire),
    slots: &[Value],
    files: &[(usize, UploadedFile)],
) -> Result<Written, NotText> {
    if matches!(send.body, SendBody::None) {
        return Ok(Written::Nothing);
    }
    Ok(match send.format {
        SendFormat::Json => {
            let mut text = String::new();
            write_json(&value(&send.body, (fields, wire), slots)?, &mut text);
            Written::Whole(HeaderValue::from_static("application/json"), text.into())
        }
        SendFormat::Form => {
            let mut text = String::new();
            for (name, value) in value(&send.body, (fields, wire), slots)?.as_object().ok_or(NotText)?.iter() {
                each(value, |value| {
                    if !text.is_empty() {
                        text.push('&');
                    }
                    encode_segment(name, &mut text);
                    text.push('=');
                    encode_segment(value, &mut text);
                })?;
            }
            Written::Whole(HeaderValue::from_static("application/x-www-form-urlencoded"), text.into())
        }
        SendFormat::Multipart => multipart(&send.body, fields, slots, files)?,
    })
}

fn value(body: &SendBody, (fields, wire): (&Fields, Wire), slots: &[Value]) -> Result<Value, NotText> {
    match body {
        SendBody::Written(shape) => shape.value(slots),
        // All of it, as it was sent.
        SendBody::Fields if fields.schema().is_some() => Ok(typed("values", slots).clone()),
        SendBody::Fields | SendBody::None => {
            let mut object = ObjectBuilder::default();
            let sent = typed("values", slots);
            for field in fields {
                let value = typed(&field.name, slots);
                // What a program has not sent is not there: a null would say to whoever merges it (RFC 7396) that it is to go. A form has no
                // nulls, only fields that nobody has filled in.
                let is_there = match wire {
                    Wire::Json => sent.get(&field.key).is_some() || !field.default.is_null(),
                    Wire::Form => !value.is_null(),
                };
                if is_there {
                    object.push(&*field.key, value.clone());
                }
            }
            Ok(object.finish().into())
        }
    }
}

fn typed<'s>(name: &str, slots: &'s [Value]) -> &'s Value {
    slots.get(slots::FORM).and_then(|form| form.get(name)).unwrap_or(&Value::Null)
}

/// Each text of a value: none of null, those of its items of a list.
fn each(value: &Value, mut push: impl FnMut(&str)) -> Result<(), NotText> {
    match value {
        Value::Null => {}
        Value::List(items) => {
            for item in items.iter().filter(|item| !item.is_null()) {
                push(&scalar_text(item)?);
            }
        }
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) | Value::Object(_) => {
            push(&scalar_text(value)?);
        }
    }
    Ok(())
}

/// The pieces of a form that can hold files.
struct Parts<'f> {
    boundary: String,
    /// What is to be written before the next file.
    text: String,
    pieces: Vec<Piece>,
    files: &'f [(usize, UploadedFile)],
}

fn multipart(
    body: &SendBody,
    fields: &Fields,
    slots: &[Value],
    files: &[(usize, UploadedFile)],
) -> Result<Written, NotText> {
    let mut parts = Parts { boundary: boundary(), text: String::new(), pieces: Vec::new(), files };
    let position = |name: &str| fields.iter().position(|field| *field.name == *name && field.kind == FieldKind::File);
    match body {
        SendBody::Fields | SendBody::None => {
            for field in fields {
                match position(&field.name) {
                    Some(at) => parts.files(&field.key, at),
                    None => parts.texts(&field.key, typed(&field.name, slots))?,
                }
            }
        }
        SendBody::Written(Shape::Object(members)) => {
            for (name, member) in members {
                match file_of(member).and_then(position) {
                    Some(at) => parts.files(name, at),
                    None => parts.texts(name, &member.value(slots)?)?,
                }
            }
        }
        SendBody::Written(shape) => {
            for (name, value) in shape.value(slots)?.as_object().ok_or(NotText)?.iter() {
                parts.texts(name, value)?;
            }
        }
    }
    let content_type = format!("multipart/form-data; boundary={}", parts.boundary);
    let content_type = HeaderValue::from_str(&content_type).map_err(|_odd| NotText)?;
    Ok(Written::Pieces(content_type, parts.finish()))
}

/// The field that a member is, and nothing else: `"{form.photo}"`.
fn file_of(member: &Shape<Binding>) -> Option<&str> {
    let Shape::Template(template) = member else { return None };
    let [Part::Value(binding)] = template.parts.as_slice() else { return None };
    let [name] = &*binding.keys else { return None };
    (binding.slot == slots::FORM).then_some(name)
}

/// A boundary that nobody can have put into what they have sent.
fn boundary() -> String {
    let mut random = [0; 16];
    if aws_lc_rs::rand::fill(&mut random).is_err() {
        tracing::error!("the machine gives no random numbers");
    }
    format!("siteserver-{:032x}", u128::from_ne_bytes(random))
}

/// A name as the HTML standard has it in a header.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl Parts<'_> {
    fn texts(&mut self, name: &str, value: &Value) -> Result<(), NotText> {
        let (boundary, text, name) = (&self.boundary, &mut self.text, quoted(name));
        each(value, |value| {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            text.push_str(&head);
            text.push_str(value);
            text.push_str("\r\n");
        })
    }

    fn files(&mut self, name: &str, at: usize) {
        for (_, file) in self.files.iter().filter(|(of, _)| *of == at) {
            let Some(content) = &file.content else { continue };
            let (name, called) = (quoted(name), quoted(file.name.as_deref().unwrap_or("file")));
            let media_type = file.media_type.as_deref().unwrap_or("application/octet-stream");
            write!(
                self.text,
                "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{called}\"\r\nContent-Type: {media_type}\r\n\r\n",
                self.boundary
            )
            .unwrap_or_default();
            self.flush();
            self.pieces.push(match content {
                Content::Memory(bytes) => Piece::Bytes(bytes.clone()),
                Content::Disk { file: disk, offset } => {
                    Piece::File { file: Arc::clone(disk), offset: *offset, length: file.length }
                }
            });
            self.text.push_str("\r\n");
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Bytes(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Arc<[Piece]> {
        let end = format!("--{}--\r\n", self.boundary);
        self.text.push_str(&end);
        self.flush();
        self.pieces.into()
    }
}
