//! From a file found to the answer: conditions, ranges, fields, content (RFC 9110, sections 13 to 15).

use super::super::body::Body;
use super::file::{LargeFile, Named};
use super::{AssetRequest, Published};
use crate::cache::Prepared;
use crate::fields::{
    EntityTag, RangeVerdict, Validators, Verdict, content_range, precondition, range, unsatisfied_range,
};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, VARY};
use http::{Method, Response, StatusCode};
use std::ops::RangeInclusive;
use std::time::SystemTime;

/// What may be sent, whole or in part.
pub(super) trait Representation {
    /// The value of `ETag`.
    fn etag(&self) -> Option<&HeaderValue>;
    /// What `Last-Modified` tells.
    fn modified(&self) -> SystemTime;
    /// In bytes.
    fn length(&self) -> u64;
    /// The fields of a 200 from a folder that is `published` like that, `Content-Length` included.
    fn fields(&self, published: &Published) -> HeaderMap;
    /// The fields of a 304 that are about the file.
    fn not_modified_fields(&self) -> HeaderMap;
    /// All of it.
    fn whole(self) -> Body;
    /// What lies at these positions, which are below its length.
    fn part(self, positions: &RangeInclusive<u64>) -> Body;
}

/// A small file in one coding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) modified: SystemTime,
}

impl Representation for Small<'_> {
    fn etag(&self) -> Option<&HeaderValue> {
        self.prepared.entity_tag()
    }

    fn modified(&self) -> SystemTime {
        self.modified
    }

    fn length(&self) -> u64 {
        self.prepared.body().len() as u64
    }

    fn fields(&self, _published: &Published) -> HeaderMap {
        // It is kept with them.
        self.prepared.fields(None, None)
    }

    fn not_modified_fields(&self) -> HeaderMap {
        self.prepared.not_modified_fields(None, None)
    }

    fn whole(self) -> Body {
        self.prepared.body().clone().into()
    }

    fn part(self, positions: &RangeInclusive<u64>) -> Body {
        let body = self.prepared.body();
        let position = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(body.len());
        body.slice(position(*positions.start())..position(positions.end() + 1)).into()
    }
}

impl Representation for LargeFile {
    fn etag(&self) -> Option<&HeaderValue> {
        Some(&self.etag)
    }

    fn modified(&self) -> SystemTime {
        self.modified
    }

    fn length(&self) -> u64 {
        self.octets.length()
    }

    fn fields(&self, published: &Published) -> HeaderMap {
        let mut fields = published.of_file(self.fields.clone());
        fields.insert(ETAG, self.etag.clone());
        fields.insert(CONTENT_LENGTH, self.octets.length().into());
        fields
    }

    fn not_modified_fields(&self) -> HeaderMap {
        let vary = self.fields.get(VARY).map(|vary| (VARY, vary.clone()));
        [(ETAG, self.etag.clone())].into_iter().chain(vary).collect()
    }

    fn whole(self) -> Body {
        let length = self.octets.length();
        self.octets.part(0, length, self.must_last)
    }

    fn part(self, positions: &RangeInclusive<u64>) -> Body {
        self.octets.part(*positions.start(), length_of(positions), self.must_last)
    }
}

fn length_of(positions: &RangeInclusive<u64>) -> u64 {
    positions.end() - positions.start() + 1
}

/// The answer to `request` by means of `representation`.
pub(super) fn respond(request: &AssetRequest<'_>, representation: impl Representation, named: Named) -> Response<Body> {
    let current = Validators {
        etag: representation.etag().and_then(|tag| EntityTag::parse(tag.as_bytes())),
        last_modified: Some(representation.modified()),
    };
    let length = representation.length();
    let wanted = match precondition(request.method, request.fields, &current) {
        Verdict::NotModified => {
            let mut fields = request.published.of_not_modified(representation.not_modified_fields());
            request.published.say_of(named, &mut fields);
            return response(StatusCode::NOT_MODIFIED, fields, Body::empty());
        }
        Verdict::PreconditionFailed => return refuse(request, StatusCode::PRECONDITION_FAILED, HeaderMap::new()),
        // RFC 9110, section 14.2: only GET has parts.
        Verdict::Proceed if *request.method == Method::GET => range(request.fields, length),
        Verdict::Proceed | Verdict::IgnoreRange => RangeVerdict::Full,
    };
    match wanted {
        RangeVerdict::Full => {
            let mut fields = representation.fields(request.published);
            request.published.say_of(named, &mut fields);
            let body = if *request.method == Method::HEAD { Body::empty() } else { representation.whole() };
            response(StatusCode::OK, fields, body)
        }
        RangeVerdict::Partial(positions) => {
            let mut fields = representation.fields(request.published);
            request.published.say_of(named, &mut fields);
            fields.insert(CONTENT_RANGE, content_range(&positions, length));
            fields.insert(CONTENT_LENGTH, length_of(&positions).into());
            response(StatusCode::PARTIAL_CONTENT, fields, representation.part(&positions))
        }
        RangeVerdict::Unsatisfiable => {
            let fields = HeaderMap::from_iter([(CONTENT_RANGE, unsatisfied_range(length))]);
            refuse(request, StatusCode::RANGE_NOT_SATISFIABLE, fields)
        }
    }
}

fn refuse(request: &AssetRequest<'_>, status: StatusCode, fields: HeaderMap) -> Response<Body> {
    response(status, request.published.of_refusal(fields), Body::empty())
}

fn response(status: StatusCode, fields: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}
