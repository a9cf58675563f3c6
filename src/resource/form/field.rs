//! A declared field: what fits it, and what is said of what does not.

use super::schema::JsonSchema;
use regex::Regex;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::router::{InputDecl, InputType, Kind};
use crate::submission::Accepts;
use crate::value::Value;

/// What a field is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldKind {
    /// One line of text.
    #[default]
    String,
    /// Text of any number of lines.
    Text,
    /// An integer.
    Int,
    /// A number.
    Number,
    /// Yes or no: a ticked box.
    Bool,
    /// A day of the calendar.
    Date,
    /// An e-mail address, as browsers take it (WHATWG HTML).
    Email,
    /// A URL of the web.
    Url,
    /// `8-4-4-4-12` hexadecimal digits.
    Uuid,
    /// Lower-case letters and digits in groups joined by hyphens.
    Slug,
    /// A path of this site.
    Path,
    /// One line of text that is never shown again.
    Password,
    /// A file.
    File,
    /// An object of JSON, whatever is in it.
    Object,
    /// A list of JSON, whatever is in it.
    List,
}

impl FieldKind {
    /// Every type by the name that authors write.
    pub const NAMES: [(&'static str, Self); 15] = [
        ("string", Self::String),
        ("text", Self::Text),
        ("int", Self::Int),
        ("number", Self::Number),
        ("bool", Self::Bool),
        ("date", Self::Date),
        ("email", Self::Email),
        ("url", Self::Url),
        ("uuid", Self::Uuid),
        ("slug", Self::Slug),
        ("path", Self::Path),
        ("password", Self::Password),
        ("file", Self::File),
        ("object", Self::Object),
        ("list", Self::List),
    ];

    /// The type that authors call `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind)
    }

    /// What authors call it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("string", |(name, _)| name)
    }

    /// Whether its values are text.
    pub fn is_text(self) -> bool {
        match self {
            Self::String
            | Self::Text
            | Self::Date
            | Self::Email
            | Self::Url
            | Self::Uuid
            | Self::Slug
            | Self::Path
            | Self::Password => true,
            Self::Int | Self::Number | Self::Bool | Self::File | Self::Object | Self::List => false,
        }
    }

    /// Whether white space around it is nobody's.
    pub(super) fn is_trimmed(self) -> bool {
        !matches!(self, Self::String | Self::Text | Self::Password)
    }

    /// Whether what was typed may be shown again.
    pub fn is_shown(self) -> bool {
        !matches!(self, Self::Password | Self::File)
    }

    /// The type of the same values in a URL, where there is one.
    pub(super) fn of_input(self) -> Option<InputType> {
        let kind = match self {
            Self::Int => Kind::Int,
            Self::Date => Kind::Date,
            Self::Uuid => Kind::Uuid,
            Self::Slug => Kind::Slug,
            Self::Path => Kind::Path,
            Self::String
            | Self::Text
            | Self::Number
            | Self::Bool
            | Self::Email
            | Self::Url
            | Self::Password
            | Self::File
            | Self::Object
            | Self::List => return None,
        };
        InputType::compile(InputDecl { kind, ..InputDecl::default() }).ok()
    }
}

/// By what means fields are sent: what each has to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// As the pairs of a form, whose values are texts and files.
    Form,
    /// As the members of a JSON object.
    Json,
}

/// A declared field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name for the author: `form.name`.
    pub name: Arc<str>,
    /// Its name in what is sent.
    pub key: Arc<str>,
    /// What it is read as.
    pub kind: FieldKind,
    /// Whether it must be there.
    pub required: bool,
    /// The value when it is not; null if there is none.
    pub default: Value,
    /// Whether it is a list, and how many items that may have.
    pub repeat: Option<usize>,
    /// The least number, or the first date.
    pub min: Option<Value>,
    /// The greatest number, or the last date.
    pub max: Option<Value>,
    /// The fewest characters.
    pub min_length: Option<usize>,
    /// The most characters.
    pub max_length: Option<usize>,
    /// What the whole text matches.
    pub pattern: Option<Regex>,
    /// `pattern` as it is written.
    pub written_pattern: Option<Arc<str>>,
    /// The only values there are.
    pub choices: Option<Arc<[Value]>>,
    /// What is said of what does not fit.
    pub message: Option<Arc<str>>,
    /// How long a file may be.
    pub max_size: u64,
    /// The media types that a file may have; any, if there are none.
    pub types: Arc<[Box<str>]>,
    pub(super) input: Option<InputType>,
}

/// The fields of a form, or the members of a JSON object.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    all: Arc<[Field]>,
    by_key: Arc<HashMap<Arc<str>, usize>>,
    /// What the JSON must fit instead, whatever members it has.
    schema: Option<Arc<JsonSchema>>,
}

impl Fields {
    /// These fields, in this order.
    pub(super) fn new(all: Vec<Field>) -> Self {
        let by_key = all.iter().enumerate().map(|(at, field)| (Arc::clone(&field.key), at)).collect();
        Self { all: all.into(), by_key: Arc::new(by_key), schema: None }
    }

    /// The members that this schema lets an object have.
    pub fn of_schema(schema: JsonSchema) -> Self {
        Self { schema: Some(Arc::new(schema)), ..Self::default() }
    }

    /// What the JSON must fit, if that is no list of fields.
    pub fn schema(&self) -> Option<&JsonSchema> {
        self.schema.as_deref()
    }

    /// All of them, in the order in which they are declared.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.all.iter()
    }

    /// The one that the author calls `name`.
    pub fn named(&self, name: &str) -> Option<&Field> {
        self.all.iter().find(|field| &*field.name == name)
    }

    /// The one that is called `key` in what is sent.
    pub(super) fn keyed(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// Whether any takes a file.
    pub fn has_files(&self) -> bool {
        self.all.iter().any(|field| field.kind == FieldKind::File)
    }

    /// How long all files together may be.
    pub fn files_size(&self) -> u64 {
        let files = self.all.iter().filter(|field| field.kind == FieldKind::File);
        files.fold(0, |sum, field| {
            let most = field.repeat.unwrap_or(1) as u64;
            sum.saturating_add(field.max_size.saturating_mul(most))
        })
    }

    /// What the field takes that is called `key` in a form that is sent.
    pub fn accepts(&self, key: &str) -> Option<Accepts> {
        let field = self.all.get(self.keyed(key)?)?;
        Some(if field.kind == FieldKind::File {
            Accepts::File { most: field.repeat.unwrap_or(1), length: field.max_size }
        } else {
            Accepts::Text { repeats: field.repeat.is_some() }
        })
    }
}

impl<'f> IntoIterator for &'f Fields {
    type Item = &'f Field;
    type IntoIter = std::slice::Iter<'f, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why a value does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is not there.
    Missing,
    /// It is something else.
    Kind,
    /// It is below `min`.
    Small,
    /// It is above `max`.
    Great,
    /// It has fewer characters than `min-length`.
    Short,
    /// It has more than `max-length`.
    Long,
    /// It does not match `pattern`.
    Pattern,
    /// It is none of `enum`.
    Choice,
    /// It has more items than `max-items`.
    Many,
    /// The file is longer than `max-size`.
    Heavy,
    /// The file is none of `types`.
    MediaType,
}

impl Field {
    /// What is said of a misfit.
    pub(super) fn complaint(&self, misfit: Misfit) -> String {
        if let Some(message) = &self.message {
            return message.to_string();
        }
        let bound = |bound: &Option<Value>| {
            let text = bound.as_ref().map(crate::config::scalar_text);
            text.and_then(Result::ok).map(String::from)
        };
        let is_date = self.kind == FieldKind::Date;
        let characters =
            |count: usize| if count == 1 { "1 character".to_owned() } else { format!("{count} characters") };
        match misfit {
            Misfit::Missing if self.kind == FieldKind::Bool => "This must be ticked.".to_owned(),
            Misfit::Missing if self.kind == FieldKind::File => "Please choose a file.".to_owned(),
            Misfit::Missing if self.choices.is_some() => "Please choose one.".to_owned(),
            Misfit::Missing => "Please fill this in.".to_owned(),
            Misfit::Kind => match self.kind {
                FieldKind::String | FieldKind::Password => "This must be one line of text.",
                FieldKind::Text => "This must be text.",
                FieldKind::Int => "This must be a whole number.",
                FieldKind::Number => "This must be a number.",
                FieldKind::Bool => "This must be yes or no.",
                FieldKind::Date => "This must be a date, such as 2026-11-21.",
                FieldKind::Email => "This must be an e-mail address, such as name@example.com.",
                FieldKind::Url => "This must be a web address, such as https://example.com.",
                FieldKind::Uuid => "This must be a UUID.",
                FieldKind::Slug => "This must be lower-case letters, digits and hyphens.",
                FieldKind::Path => "This must be a path of this site.",
                FieldKind::File => "This must be a file.",
                FieldKind::Object => "This must be an object.",
                FieldKind::List => "This must be a list.",
            }
            .to_owned(),
            Misfit::Small if is_date => format!("This must not be before {}.", bound(&self.min).unwrap_or_default()),
            Misfit::Small => format!("This must be at least {}.", bound(&self.min).unwrap_or_default()),
            Misfit::Great if is_date => format!("This must not be after {}.", bound(&self.max).unwrap_or_default()),
            Misfit::Great => format!("This must be at most {}.", bound(&self.max).unwrap_or_default()),
            Misfit::Short => format!("This must have at least {}.", characters(self.min_length.unwrap_or_default())),
            Misfit::Long => format!("This must have at most {}.", characters(self.max_length.unwrap_or_default())),
            Misfit::Pattern => "This does not have the right form.".to_owned(),
            Misfit::Choice => "Please choose one of the values there are.".to_owned(),
            Misfit::Many => match self.repeat.unwrap_or(1) {
                1 => "There may be only one.".to_owned(),
                most => format!("There may be at most {most}."),
            },
            Misfit::Heavy => format!("The file must be at most {} long.", size_text(self.max_size)),
            Misfit::MediaType => "A file of this type is not taken.".to_owned(),
        }
    }

    /// Whether `value`, which is of the right kind, is within all bounds.
    pub(super) fn bounded(&self, value: &Value) -> Result<(), Misfit> {
        if let Some(text) = value.as_str() {
            let length = || text.chars().count();
            if self.min_length.is_some_and(|least| length() < least) {
                return Err(Misfit::Short);
            }
            if self.max_length.is_some_and(|most| length() > most) {
                return Err(Misfit::Long);
            }
            if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                return Err(Misfit::Pattern);
            }
        }
        if self.min.as_ref().is_some_and(|min| compare(value, min) == Some(Ordering::Less)) {
            return Err(Misfit::Small);
        }
        if self.max.as_ref().is_some_and(|max| compare(value, max) == Some(Ordering::Greater)) {
            return Err(Misfit::Great);
        }
        let is_chosen = self.choices.as_ref().is_none_or(|choices| choices.contains(value));
        if is_chosen { Ok(()) } else { Err(Misfit::Choice) }
    }
}

/// Whether nothing is between two numbers, or two dates.
pub(super) fn is_above(least: &Value, most: &Value) -> bool {
    compare(least, most) == Some(Ordering::Greater)
}

/// The order of two numbers, or of two dates.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.as_str().cmp(right.as_str())),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// A size as people say it.
fn size_text(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes < 10 << 20 => format!("{} KiB", bytes >> 10),
        bytes => format!("{} MiB", bytes >> 20),
    }
}

/// Whether a media type is one of those that are written, of which one may end in `/*`.
pub(super) fn is_of(types: &[Box<str>], media_type: Option<&str>) -> bool {
    if types.is_empty() {
        return true;
    }
    let Some(read) = media_type.and_then(crate::fields::MediaType::parse) else { return false };
    types.iter().any(|kind| match kind.strip_suffix("/*") {
        Some(kind) => read.essence().split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)),
        None => read.is(kind),
    })
}
