//! What an answer means: its status, its media type, its content as the declared format.
//!
//! Lenient where senders are careless (JSON under any media type is JSON), strict where that would show a visitor something
//! else than was meant: a login page is never taken for data.

use super::body::FormatWord;
use super::http::AnswerLimits;
use super::{Http, Trouble};
use crate::extract::{Format, FormatError};
use crate::upstream::Answer;
use crate::value::{JsonError, Value};
use http::StatusCode;
use http::header::{self, HeaderValue};

/// How the content of an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// In a format.
    Plain(Format),
    /// As the JSON of a GraphQL answer, whose `data` counts.
    GraphQl,
}

/// Sent where nothing can be expected, or where HTML was not.
const UNEXPECTED_HTML: &str = "unexpected-html";

impl Reading {
    pub(super) fn of(format: Option<FormatWord>) -> Self {
        Self::Plain(format.map_or(Format::Json, FormatWord::format))
    }

    /// What a call asks for.
    pub(super) fn accept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Plain(Format::Json) => "application/json",
            Self::Plain(Format::Text) => "text/plain, text/*;q=0.9, */*;q=0.1",
            Self::Plain(Format::Html) => "text/html",
            Self::Plain(Format::Csv) => "text/csv",
            Self::Plain(Format::Yaml) => "application/yaml, text/yaml, application/x-yaml;q=0.9",
            Self::Plain(Format::Xml) => "application/xml, text/xml, application/*;q=0.5",
            Self::GraphQl => "application/graphql-response+json, application/json;q=0.9",
        })
    }

    /// A byte that differs for readings that make different values of the same answer.
    pub(super) fn mark(self) -> u8 {
        match self {
            Self::Plain(format) => format as u8,
            Self::GraphQl => u8::MAX,
        }
    }
}

const fn error(reason: &'static str) -> Trouble {
    Trouble::Error { late: false, reason }
}

impl<R> Http<R> {
    /// Whether the answer itself is markup, cleaned.
    pub fn gives_markup(&self) -> bool {
        self.reading == Reading::Plain(Format::Html)
    }

    /// Whether what an answer holds may be read as it is needed: it is JSON and nothing else is to be judged first.
    pub(super) fn reads_json(&self) -> bool {
        self.reading == Reading::Plain(Format::Json)
    }

    /// What an answer holds: its content, nothing where it says that there is none (204), or what is wrong.
    fn content<'a>(&self, answer: &'a Answer) -> Result<Option<&'a [u8]>, Trouble> {
        match answer.status {
            StatusCode::NO_CONTENT => Ok(None),
            status if status.is_success() => Ok(Some(&answer.body)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Trouble::NotFound),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.forwards_credential() => {
                Err(Trouble::Unauthorized { status: answer.status.as_u16() })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(error("credential-refused")),
            StatusCode::TOO_MANY_REQUESTS => Err(error("too-many-requests")),
            status if status.is_server_error() => Err(error("upstream-5xx")),
            status if status.is_redirection() => Err(error("redirect")),
            _ => Err(error("unexpected-status")),
        }
    }

    /// The text of JSON, to be read by whoever knows what is needed of it.
    pub(super) fn json_text<'a>(&self, answer: &'a Answer) -> Result<Option<&'a str>, Trouble> {
        let Some(content) = self.content(answer)? else { return Ok(None) };
        std::str::from_utf8(content).map(Some).map_err(|_not_utf8| misread(answer, "not-utf8"))
    }

    /// The whole document that an answer holds.
    pub fn document(&self, answer: &Answer, limits: AnswerLimits) -> Result<Read, Trouble> {
        let Some(content) = self.content(answer)? else { return Ok(Read::whole(Value::Null)) };
        let format = match self.reading {
            Reading::Plain(format) => format,
            Reading::GraphQl => Format::Json,
        };
        // These would take a page of HTML for what they expect.
        if matches!(format, Format::Text | Format::Csv | Format::Yaml) && is_html(answer) {
            return Err(error(UNEXPECTED_HTML));
        }
        let content_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let read = format.read(content, content_type, limits.json);
        let document = read.map_err(|why| trouble_of_format(&why, format, answer))?;
        match self.reading {
            Reading::Plain(_) => Ok(Read::whole(document)),
            Reading::GraphQl => graphql_data(&document),
        }
    }
}

/// What was read of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// What it holds, or what was taken from it.
    pub value: Value,
    /// Whether the upstream says that a part of it is missing: the page is sent, and kept by nobody as a good one.
    pub is_partial: bool,
}

impl Read {
    /// All that there is.
    pub(super) fn whole(value: Value) -> Self {
        Self { value, is_partial: false }
    }
}

/// The `data` of a GraphQL answer: also beside `errors`, which then concern parts that are null.
pub(super) fn graphql_data(answer: &Value) -> Result<Read, Trouble> {
    let errors = answer.get("errors").and_then(Value::as_list).map_or(0, <[Value]>::len);
    match answer.get("data").filter(|data| !data.is_null()) {
        Some(data) => {
            if errors > 0 {
                tracing::warn!(errors, "a GraphQL answer has data and errors");
            }
            Ok(Read { value: data.clone(), is_partial: errors > 0 })
        }
        None if errors > 0 => Err(error("graphql-errors")),
        None => Err(error("no-graphql-data")),
    }
}

/// What a JSON text that cannot be read means.
pub(super) fn trouble_of_json(why: &JsonError, answer: &Answer) -> Trouble {
    match why {
        JsonError::TooManyNodes { .. } => error("too-many-values"),
        JsonError::Syntax(_) => misread(answer, "invalid-json"),
    }
}

fn trouble_of_format(why: &FormatError, format: Format, answer: &Answer) -> Trouble {
    match why {
        FormatError::Json(why) => trouble_of_json(why, answer),
        FormatError::UnknownCharset(_) => error("unknown-charset"),
        FormatError::NotUtf8(_) => misread(answer, "not-utf8"),
        FormatError::TooManyValues { .. } => error("too-many-values"),
        FormatError::Malformed(_) => match format {
            Format::Html => error("too-large"),
            Format::Csv => misread(answer, "invalid-csv"),
            Format::Yaml => misread(answer, "invalid-yaml"),
            Format::Xml => misread(answer, "invalid-xml"),
            Format::Json | Format::Text => misread(answer, "unreadable"),
        },
    }
}

/// Content that could not be read: because it is a page of HTML, most often a login or an error page, or for this `reason`.
fn misread(answer: &Answer, reason: &'static str) -> Trouble {
    error(if is_html(answer) { UNEXPECTED_HTML } else { reason })
}

/// Whether an answer says that it is HTML, or says nothing and looks like it.
fn is_html(answer: &Answer) -> bool {
    let begins_with =
        |bytes: &[u8], prefix: &[u8]| bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    match answer.headers.get(header::CONTENT_TYPE) {
        Some(value) => {
            begins_with(value.as_bytes(), b"text/html") || begins_with(value.as_bytes(), b"application/xhtml")
        }
        None => {
            let content = answer.body.trim_ascii_start();
            begins_with(content, b"<!doctype html") || begins_with(content, b"<html")
        }
    }
}
