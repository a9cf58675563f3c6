//! A request read into what the handlers ask for, and an answer. JSON, URL-encoded forms and multipart forms give the same fields.

use super::tables::Refused;
use base64::Engine as _;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;

/// A request.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    /// Files of a multipart form, by the names of their fields.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    header: HeaderMap,
    values: BTreeMap<String, String>,
}

impl Asked {
    /// Reads one whose body has arrived.
    pub(super) fn read(head: &Parts, body: &[u8]) -> Result<Self, Refused> {
        let mut asked = Self {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            files: BTreeMap::new(),
            header: head.headers.clone(),
            values: BTreeMap::new(),
        };
        let content_type = asked.field("content-type").unwrap_or_default().to_owned();
        let (kind, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        match kind.trim() {
            _ if body.is_empty() => {}
            "application/json" => asked.read_json(body)?,
            "application/x-www-form-urlencoded" => asked.read_pairs(body)?,
            "multipart/form-data" => asked.read_parts(body, parameters)?,
            _ => return Err(Refused::new(415, "JSON or a form, please.")),
        }
        Ok(asked)
    }

    /// The value of a header field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.to_str().ok()
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.header.get_all("cookie").iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// A field of the body; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.values.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A field that is a number; 1 if there is none.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.values.get(name).map_or(Some(1), |text| text.parse().ok())
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), Refused> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(Refused::new(400, "That is no JSON object."));
        };
        self.values = members
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                Value::Number(number) => Some((name, number.to_string())),
                Value::Bool(is) => Some((name, is.to_string())),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            })
            .collect();
        Ok(())
    }

    fn read_pairs(&mut self, body: &[u8]) -> Result<(), Refused> {
        for pair in body.split(|&octet| octet == b'&') {
            let at = pair.iter().position(|&octet| octet == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let decoded = (decode(name), decode(value.strip_prefix(b"=").unwrap_or_default()));
            let (Some(name), Some(value)) = decoded else {
                return Err(Refused::new(400, "That is no form."));
            };
            self.values.insert(name, value);
        }
        Ok(())
    }

    /// RFC 7578, as far as browsers and servers make use of it.
    fn read_parts(&mut self, body: &[u8], parameters: &str) -> Result<(), Refused> {
        let malformed = || Refused::new(400, "That is no multipart form.");
        let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="));
        let delimiter = format!("\r\n--{}", boundary.ok_or_else(malformed)?.trim_matches('"'));
        // The first delimiter has no line before it.
        let body = [b"\r\n", body].concat();
        let starts: Vec<usize> = memchr::memmem::find_iter(&body, &delimiter).collect();
        for pair in starts.windows(2) {
            let &[start, end] = pair else { continue };
            let part = body.get(start + delimiter.len() + 2..end).ok_or_else(malformed)?;
            let at = memchr::memmem::find(part, b"\r\n\r\n").ok_or_else(malformed)?;
            let (head, content) = part.split_at(at);
            let head = String::from_utf8_lossy(head);
            let parameter = |wanted: &str| Some(head.split_once(wanted)?.1.split_once('"')?.0.to_owned());
            let name = parameter("; name=\"").ok_or_else(malformed)?;
            let content = content.get(4..).unwrap_or_default();
            if parameter("; filename=\"").is_some() {
                self.files.insert(name, content.to_vec());
            } else {
                self.values.insert(name, String::from_utf8_lossy(content).into_owned());
            }
        }
        Ok(())
    }
}

/// Percent-decoding as forms have it: `+` is a space.
fn decode(text: &[u8]) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digits = [*rest.next()?, *rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).ok()
}

/// An answer.
pub(super) struct Answer {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// One of JSON.
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::of(status, "application/json", format!("{value:#}\n").into_bytes())
    }

    /// One of octets.
    pub(super) fn octets(kind: &str, octets: Vec<u8>) -> Self {
        Self::of(200, kind, octets)
    }

    /// One that has nothing to say.
    pub(super) fn empty() -> Self {
        Self { status: 204, fields: Vec::new(), body: Vec::new() }
    }

    fn of(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status, fields: vec![("content-type", kind.to_owned())], body }
    }

    /// With another header field.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// As it is sent.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut builder = Response::builder().status(self.status);
        for (name, value) in self.fields {
            builder = builder.header(name, value);
        }
        builder.body(Full::from(self.body)).unwrap_or_else(|_| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }
}

/// Octets as URLs and tokens hold them.
pub(super) fn in_base64(octets: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets)
}

/// The octets of such a text.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
