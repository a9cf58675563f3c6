//! What was sent, judged by what is declared: typed values, or what is wrong with them, one message for each field.
//!
//! A text that is empty, or nothing but white space, is absent: so browsers send a field that nobody has filled in. A box that is not ticked
//! is not sent at all, and is `false`. Line ends are `\n` whatever the system of the sender, as the browser counts them.

use super::compile::RESERVED;
use std::borrow::Cow;
use std::sync::Arc;

use super::field::{Field, FieldKind, Fields, Misfit, is_of};
use crate::submission::{Entry, Form, UploadedFile};
use crate::value::{Object, ObjectBuilder, Value};

/// Whether a path, and perhaps a query, is one of this site that somebody can be sent to.
pub type Lead<'l> = &'l (dyn Fn(&str) -> bool + Sync);

/// What was sent, and what it is worth.
#[derive(Debug, Default)]
pub struct Judged {
    /// The typed value of each field by the author's name for it, null for what is not there. Of a file: its `name`, `type` and `size`.
    pub typed: Object,
    /// What was typed, to be shown again.
    pub values: Object,
    /// What is wrong, by the author's name of the field, in the order of the declarations.
    pub errors: Vec<(Arc<str>, String)>,
    /// The files, by the position of their fields, in the order in which they came.
    pub files: Vec<(usize, UploadedFile)>,
}

impl Fields {
    /// What a page shows before anything is sent.
    pub fn blank(&self) -> Object {
        self.iter().filter(|field| field.kind.is_shown()).map(|field| (&*field.name, field.blank())).collect()
    }

    /// Judges the pairs of a form, of which every name is declared.
    pub fn judge(&self, form: Form, leads: Lead<'_>) -> Judged {
        let mut texts: Vec<Vec<String>> = Vec::new();
        texts.resize_with(self.iter().len(), Vec::new);
        let mut files = Vec::new();
        for (key, entry) in form.entries {
            let Some(at) = self.keyed(&key) else { continue };
            match entry {
                Entry::Text(text) => texts.get_mut(at).into_iter().for_each(|texts| texts.push(text.clone())),
                Entry::File(file) => files.push((at, file)),
            }
        }
        let mut judged = Judged::default();
        let (mut typed, mut values) = (ObjectBuilder::default(), ObjectBuilder::default());
        for (at, (field, texts)) in self.iter().zip(texts).enumerate() {
            let verdict = if field.kind == FieldKind::File {
                let own: Vec<&UploadedFile> = files.iter().filter(|(of, _)| *of == at).map(|(_, file)| file).collect();
                field.judge_files(&own)
            } else {
                field.judge_texts(&texts, leads)
            };
            if field.kind.is_shown() {
                values.push(&*field.name, field.shown(texts, verdict.as_ref().ok()));
            }
            typed.push(&*field.name, judged.enter(field, verdict));
        }
        (judged.typed, judged.values, judged.files) = (typed.finish(), values.finish(), files);
        judged
    }

    /// Judges a JSON value, which must be an object of nothing but declared members.
    pub fn judge_json(&self, sent: &Value, leads: Lead<'_>) -> Judged {
        let mut judged = Judged::default();
        let Some(object) = sent.as_object() else {
            judged.errors.push(("".into(), "This must be an object.".to_owned()));
            return judged;
        };
        if let Some(schema) = self.schema() {
            let errors = schema.errors(sent).into_iter();
            judged.errors = errors.map(|(place, message)| (place.into(), message)).collect();
            // A member that is called as something of ours is read as `form.values.error`.
            let members = object.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
            judged.typed = members.map(|(name, value)| (name.clone(), value.clone())).collect();
            judged.values = object.clone();
            return judged;
        }
        let mut typed = ObjectBuilder::default();
        for field in self {
            let value = object.get(&field.key).unwrap_or(&Value::Null);
            typed.push(&*field.name, judged.enter(field, field.judge_json(value, leads)));
        }
        for (key, _) in object.iter().filter(|(key, _)| self.keyed(key).is_none()) {
            judged.errors.push((key.as_str().into(), "There is no such member.".to_owned()));
        }
        judged.typed = typed.finish();
        judged.values = object.clone();
        judged
    }
}

impl Judged {
    /// The typed value of a field; what is wrong with it is noted.
    fn enter(&mut self, field: &Field, verdict: Result<Value, Misfit>) -> Value {
        verdict.unwrap_or_else(|misfit| {
            self.errors.push((Arc::clone(&field.name), field.complaint(misfit)));
            Value::Null
        })
    }
}

impl Field {
    /// What a page shows of it before anything is sent.
    fn blank(&self) -> Value {
        match (&self.default, self.kind) {
            (Value::Null, _) if self.repeat.is_some() => Value::list(Vec::new()),
            (Value::Null, FieldKind::Bool) => Value::Bool(false),
            (default, _) => default.clone(),
        }
    }

    /// What a page shows of it again.
    fn shown(&self, texts: Vec<String>, typed: Option<&Value>) -> Value {
        // A list of what was chosen, a box and a number are compared with in a layout.
        let is_compared = matches!(self.kind, FieldKind::Bool | FieldKind::Int | FieldKind::Number);
        if let Some(typed) = typed.filter(|typed| is_compared && !texts.is_empty() && !typed.is_null()) {
            return typed.clone();
        }
        let mut texts = texts.into_iter().map(Value::from);
        if self.repeat.is_some() {
            return Value::list(texts.collect());
        }
        texts.next().unwrap_or(if self.kind == FieldKind::Bool { Value::Bool(false) } else { Value::Null })
    }

    fn judge_texts(&self, texts: &[String], leads: Lead<'_>) -> Result<Value, Misfit> {
        if let Some(most) = self.repeat {
            let items: Vec<Value> =
                texts.iter().filter_map(|text| self.read_text(text, leads).transpose()).collect::<Result<_, _>>()?;
            return self.listed(items, most);
        }
        let read = texts.first().map_or(Ok(None), |text| self.read_text(text, leads))?;
        self.present(read)
    }

    fn listed(&self, items: Vec<Value>, most: usize) -> Result<Value, Misfit> {
        if items.len() > most {
            return Err(Misfit::Many);
        }
        if !items.is_empty() {
            return Ok(Value::list(items));
        }
        if !self.default.is_null() {
            return Ok(self.default.clone());
        }
        if self.required { Err(Misfit::Missing) } else { Ok(Value::list(items)) }
    }

    /// What is there, or what stands for it.
    fn present(&self, value: Option<Value>) -> Result<Value, Misfit> {
        match (value, self.kind) {
            (Some(Value::Bool(false)) | None, FieldKind::Bool) if self.required => Err(Misfit::Missing),
            (Some(value), _) => Ok(value),
            (None, _) if !self.default.is_null() => Ok(self.default.clone()),
            (None, FieldKind::Bool) => Ok(Value::Bool(false)),
            (None, _) if self.required => Err(Misfit::Missing),
            (None, _) => Ok(Value::Null),
        }
    }

    /// The value that a text of a form is; none for an empty one.
    fn read_text(&self, text: &str, leads: Lead<'_>) -> Result<Option<Value>, Misfit> {
        let is_nothing = if self.kind == FieldKind::Password { text.is_empty() } else { text.trim().is_empty() };
        if is_nothing {
            return Ok(None);
        }
        let text = if self.kind.is_trimmed() { text.trim() } else { text };
        let value = match self.kind {
            FieldKind::Int => text.parse().map(Value::Int).map_err(|_other| Misfit::Kind)?,
            FieldKind::Number => number(text).ok_or(Misfit::Kind)?,
            FieldKind::Bool => Value::Bool(boolean(text).ok_or(Misfit::Kind)?),
            FieldKind::Text => self.text(&lines(text), leads)?,
            FieldKind::String
            | FieldKind::Date
            | FieldKind::Email
            | FieldKind::Url
            | FieldKind::Uuid
            | FieldKind::Slug
            | FieldKind::Path
            | FieldKind::Password
            | FieldKind::File
            | FieldKind::Object
            | FieldKind::List => self.text(text, leads)?,
        };
        self.bounded(&value)?;
        Ok(Some(value))
    }

    /// The value of a text that stands in a declaration.
    pub(super) fn of_declaration(&self, text: &str) -> Option<Value> {
        self.read_text(text, &|_path| true).ok().flatten()
    }

    /// Whether a value of a declaration could have been sent.
    pub(super) fn takes_default(&self, value: &Value) -> bool {
        match self.repeat {
            None => self.read_json(value, &|_path| true).is_ok(),
            Some(most) => value.as_list().is_some_and(|items| {
                items.len() <= most && items.iter().all(|item| self.read_json(item, &|_path| true).is_ok())
            }),
        }
    }

    fn judge_json(&self, value: &Value, leads: Lead<'_>) -> Result<Value, Misfit> {
        match (self.repeat, value) {
            (_, Value::Null) if self.repeat.is_none() => self.present(None),
            (Some(most), Value::Null) => self.listed(Vec::new(), most),
            (Some(most), Value::List(items)) => {
                let items = items.iter().map(|item| self.read_json(item, leads)).collect::<Result<_, _>>()?;
                self.listed(items, most)
            }
            (Some(_), _) => Err(Misfit::Kind),
            (None, value) => self.present(Some(self.read_json(value, leads)?)),
        }
    }

    /// The value that a value of JSON is, which must have its type.
    pub(super) fn read_json(&self, value: &Value, leads: Lead<'_>) -> Result<Value, Misfit> {
        let value = match (self.kind, value) {
            (FieldKind::Int, Value::Int(_))
            | (FieldKind::Number, Value::Int(_) | Value::UInt(_) | Value::Float(_))
            | (FieldKind::Bool, Value::Bool(_))
            | (FieldKind::Object, Value::Object(_))
            | (FieldKind::List, Value::List(_)) => value.clone(),
            // 5.0 is an integer in JSON.
            (FieldKind::Int, Value::Float(float)) => whole(*float).ok_or(Misfit::Kind)?,
            (kind, Value::Text(text)) if kind.is_text() => self.text(text, leads)?,
            _ => return Err(Misfit::Kind),
        };
        self.bounded(&value)?;
        Ok(value)
    }

    /// A text of the field's kind.
    fn text(&self, text: &str, leads: Lead<'_>) -> Result<Value, Misfit> {
        let fits = match self.kind {
            FieldKind::String | FieldKind::Password => !text.chars().any(char::is_control),
            FieldKind::Text => !text.chars().any(|it| it.is_control() && !matches!(it, '\n' | '\t' | '\r')),
            FieldKind::Email => is_email(text),
            FieldKind::Url => is_web(text),
            FieldKind::Path => self.input.as_ref().is_some_and(|input| input.fits(text)) && leads(text),
            FieldKind::Date | FieldKind::Uuid | FieldKind::Slug => {
                self.input.as_ref().is_some_and(|input| input.fits(text))
            }
            FieldKind::Int
            | FieldKind::Number
            | FieldKind::Bool
            | FieldKind::File
            | FieldKind::Object
            | FieldKind::List => false,
        };
        if !fits {
            return Err(Misfit::Kind);
        }
        Ok(if self.kind == FieldKind::Uuid { text.to_ascii_lowercase().into() } else { text.into() })
    }

    fn judge_files(&self, files: &[&UploadedFile]) -> Result<Value, Misfit> {
        if files.len() > self.repeat.unwrap_or(1) {
            return Err(Misfit::Many);
        }
        for file in files {
            if file.length > self.max_size || file.content.is_none() {
                return Err(Misfit::Heavy);
            }
            if !is_of(&self.types, file.media_type.as_deref()) {
                return Err(Misfit::MediaType);
            }
        }
        if files.is_empty() && self.required {
            return Err(Misfit::Missing);
        }
        let mut described = files.iter().map(|file| describe(file));
        Ok(match self.repeat {
            Some(_) => Value::list(described.collect()),
            None => described.next().unwrap_or_default(),
        })
    }
}

/// What a page may say of a file.
fn describe(file: &UploadedFile) -> Value {
    let mut object = ObjectBuilder::with_capacity(3);
    object.push("name", file.name.as_deref().map_or(Value::Null, Value::from));
    object.push("type", file.media_type.as_deref().map_or(Value::Null, Value::from));
    object.push("size", Value::from(file.length));
    object.finish().into()
}

/// The words for yes and no that boxes and selections send.
fn boolean(text: &str) -> Option<bool> {
    const YES: [&str; 5] = ["on", "true", "1", "yes", "y"];
    const NO: [&str; 5] = ["off", "false", "0", "no", "n"];
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&YES) { Some(true) } else { is(&NO).then_some(false) }
}

/// A decimal number, an integer if it is written as one.
fn number(text: &str) -> Option<Value> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(is_plain) {
        return None;
    }
    if let Ok(integer) = text.parse() {
        return Some(Value::Int(integer));
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float)
}

/// The integer that a float is.
fn whole(float: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.fract() != 0.0 || float.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within what a float counts exactly")]
    Some(Value::Int(float as i64))
}

/// The same text with `\n` at the end of each line.
fn lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// An address as browsers take it (WHATWG HTML, valid e-mail address).
fn is_email(text: &str) -> bool {
    const LONGEST: usize = 254;
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= LONGEST && !local.is_empty() && local.bytes().all(is_local) && domain.split('.').all(is_label)
}

/// A whole URL that a browser would go to over the web.
fn is_web(text: &str) -> bool {
    let is_printable = !text.chars().any(|character| character.is_control() || character.is_whitespace());
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let is_http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let has_host = || reqwest::Url::parse(text).is_ok_and(|url| url.has_host() && url.username().is_empty());
    is_printable && is_http && !authority.starts_with('/') && !text.contains('\\') && has_host()
}
