//! Answers from what is stored: whole, in part, or 304 (RFC 9111, sections 4 and 4.3.2).

use crate::cache::Received;
use crate::cache::rules::{self, PartAnswer};
use crate::fields::{content_range, unsatisfied_range};
use crate::handler::respond::Exchange;
use crate::handler::{Answer, Body, CacheOutcome};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use std::time::Duration;

/// The answer that `received` is, `age` old; `None` if it is a part, and not the one that is asked for.
pub(super) fn answer(
    received: &Received,
    age: Duration,
    cache_status: &HeaderValue,
    outcome: CacheOutcome,
    exchange: Exchange<'_>,
) -> Option<Answer> {
    let request = exchange.request;
    let (terms, status, body) = (received.terms(), received.stored().status(), received.body());
    let prepared = received.stored().content().identity();
    let mut fields = prepared.fields(Some(age), Some(cache_status.clone()));
    let (status, body) = match &terms.part {
        None => {
            let length = Some(body.len() as u64);
            match rules::answer(&request.method, &request.headers, status, received.fields(), terms, length) {
                rules::Answer::Whole => (status, body.clone()),
                rules::Answer::NotModified => (StatusCode::NOT_MODIFIED, not_modified(&mut fields)),
                rules::Answer::Part(positions) => {
                    fields.insert(header::CONTENT_RANGE, content_range(&positions, body.len() as u64));
                    let part = slice(body, *positions.start(), positions.end() + 1);
                    fields.insert(header::CONTENT_LENGTH, part.len().into());
                    (StatusCode::PARTIAL_CONTENT, part)
                }
                rules::Answer::Unsatisfiable => {
                    fields.insert(header::CONTENT_RANGE, unsatisfied_range(body.len() as u64));
                    fields.insert(header::CONTENT_LENGTH, 0.into());
                    (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new())
                }
            }
        }
        Some(part) => match rules::part_answer(&request.method, &request.headers, received.fields(), terms, part) {
            PartAnswer::Whole => (status, body.clone()),
            PartAnswer::NotModified => (StatusCode::NOT_MODIFIED, not_modified(&mut fields)),
            PartAnswer::Slice { bytes, content_range } => {
                fields.insert(header::CONTENT_RANGE, content_range.header_value());
                let part = slice(body, bytes.start, bytes.end);
                fields.insert(header::CONTENT_LENGTH, part.len().into());
                (StatusCode::PARTIAL_CONTENT, part)
            }
            PartAnswer::Missing => return None,
        },
    };
    let body = if request.method == Method::HEAD { Body::empty() } else { Body::from(body) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    let mut answer = exchange.answer(response);
    answer.cache = Some(outcome);
    Some(answer)
}

fn not_modified(fields: &mut HeaderMap) -> Bytes {
    *fields = rules::not_modified_fields(fields);
    Bytes::new()
}

/// These bytes of `body`, as far as they are there.
pub(super) fn slice(body: &Bytes, start: u64, end: u64) -> Bytes {
    let position = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(body.len());
    body.slice(position(start)..position(end).max(position(start)))
}
