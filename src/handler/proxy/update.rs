//! What an answer says of what is stored already: a 304 and the answer to a HEAD bring it up to date, a part completes it
//! (RFC 9111, sections 3.2 to 3.4, 4.3.4 and 4.3.5).

use super::fetch::{Came, Fetching};
use super::{Passing, When, keep, stored};
use crate::cache::Received;
use crate::cache::rules::{self, HeadVerdict, Joined, Part, StoredUnder, Terms, Validated};
use crate::fields::ContentRange;
use crate::handler::{Answer, CacheOutcome};
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, SET_COOKIE};
use std::sync::Arc;
use std::time::SystemTime;

/// The answer that a 304 leaves to what is `stored`, which is brought up to date; `None` if it is about something else.
pub(super) fn freshened(
    passing: &Passing<'_>,
    fetching: &Fetching<'_>,
    stored: &[Arc<Received>],
    came: &Came,
) -> Option<Answer> {
    let all: Vec<&HeaderMap> = stored.iter().map(|received| received.fields()).collect();
    let Validated::These(positions) = rules::selected_by(&came.fields, &all) else { return None };
    let mut valid = positions.into_iter().filter_map(|position| stored.get(position));
    let first = valid.next()?;
    let update = passing.incoming(came.fields.clone());
    for other in valid {
        let (fresh, is_kept) = updated(passing, fetching, (other, Role::Other), (&update, came.when));
        if is_kept {
            put(passing, fetching, &fresh, Some(other));
        }
    }
    let is_selected = fetching.selected.as_ref().is_some_and(|selected| Arc::ptr_eq(selected, first));
    let role = if is_selected { Role::Selected } else { Role::Found };
    let (fresh, is_kept) = updated(passing, fetching, (first, role), (&update, came.when));
    // One that another request has chosen stays what that finds.
    let is_stored = is_kept && put(passing, fetching, &fresh, is_selected.then_some(first));
    let age = fresh.windows().age(came.when.instant);
    let told = fetching.told(is_stored).header_value_with(came.status);
    let mut answer = stored::answer(&fresh, age, &told, CacheOutcome::Miss, passing.exchange)?;
    // It is for who was answered, and nobody else.
    for cookie in update.get_all(SET_COOKIE) {
        answer.response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    Some(answer)
}

/// What a stored response is to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It was chosen for it.
    Selected,
    /// Another request has chosen it, and it turned out to be what this one asks for.
    Found,
    /// It is not what this one asks for.
    Other,
}

/// What is `stored`, brought up to date by [our fields](Passing::incoming) of what came then, and whether it may be kept so.
fn updated(
    passing: &Passing<'_>,
    fetching: &Fetching<'_>,
    (stored, role): (&Received, Role),
    (update, when): (&HeaderMap, When),
) -> (Arc<Received>, bool) {
    let fields = stored.freshened(update, when.time);
    let status = stored.stored().status();
    let before = Some(stored.terms());
    let (terms, is_kept) = match passing.terms((status, &fields), when, fetching.settings, (&fetching.there, before)) {
        Ok(terms) => (terms, true),
        Err(_) => (stored.terms().clone(), false),
    };
    let is_chosen_alike = terms.vary == stored.terms().vary;
    let under = match role {
        Role::Selected if is_chosen_alike => stored.under().clone(),
        Role::Selected | Role::Found => StoredUnder::new(&terms.vary, &passing.exchange.request.headers, &fields),
        Role::Other => stored.under().clone(),
    };
    // What chose it by other names is not known.
    let is_kept = is_kept && (is_chosen_alike || role != Role::Other);
    let content = (status, rules::storable_fields(fields, &terms), stored.body().clone());
    (Arc::new(Received::new(content, terms, under, when.instant, passing.service.revision())), is_kept)
}

fn put(
    passing: &Passing<'_>,
    fetching: &Fetching<'_>,
    fresh: &Arc<Received>,
    replaces: Option<&Arc<Received>>,
) -> bool {
    let tags = passing.tags(&fetching.there, &fresh.terms().groups);
    keep::put(passing.service, passing.position, (&fetching.ticket, &fetching.key, &tags), fresh, replaces)
}

/// What the answer to a HEAD says of what is stored (section 4.3.5).
pub(super) fn headed(passing: &Passing<'_>, fetching: &Fetching<'_>, came: &Came) {
    let Some(selected) = &fetching.selected else { return };
    let length = selected.terms().part.is_none().then(|| selected.body().len() as u64);
    let status = selected.stored().status();
    match rules::head_verdict(status, selected.fields(), length, came.status, &came.fields) {
        HeadVerdict::Freshen => {
            let update = passing.incoming(came.fields.clone());
            let (fresh, is_kept) = updated(passing, fetching, (selected, Role::Selected), (&update, came.when));
            if is_kept {
                put(passing, fetching, &fresh, Some(selected));
            }
        }
        HeadVerdict::Stale => selected.stored().soft_purge(came.when.instant),
        HeadVerdict::Nothing => {}
    }
}

/// A stored part that becomes whole.
pub(super) struct Completed {
    /// The fields of the whole.
    pub(super) fields: HeaderMap,
    /// Its terms.
    pub(super) terms: Terms,
    /// What of it is there, before and after so many bytes that come.
    pub(super) around: (Bytes, u64, Bytes),
}

/// The whole that a stored part is with the one that came (section 3.4); what came if the two are none.
pub(super) fn completed(
    passing: &Passing<'_>,
    fetching: &Fetching<'_>,
    stored: &Received,
    came: Came,
) -> Result<(Completed, Came), Box<Came>> {
    let whole = || -> Option<Completed> {
        let old = stored.terms().part.as_ref()?;
        let said = ContentRange::parse(&came.fields)?;
        let new = Part { said, held: said.last - said.first + 1, asked: Vec::new() };
        let joined = Joined::of((stored.fields(), old), (&came.fields, &new)).filter(|it| it.part.is_complete())?;
        let mut fields = stored.freshened(&passing.incoming(came.fields.clone()), came.when.time);
        joined.fields(&mut fields);
        let head = (StatusCode::OK, &fields);
        let terms = passing.terms(head, came.when, fetching.settings, (&fetching.there, None)).ok()?;
        let mut around = (Bytes::new(), 0, Bytes::new());
        for piece in &joined.pieces {
            match (piece.is_new, around.1) {
                (true, _) => around.1 = piece.bytes.end - piece.bytes.start,
                (false, 0) => around.0 = stored::slice(stored.body(), piece.bytes.start, piece.bytes.end),
                (false, _) => around.2 = stored::slice(stored.body(), piece.bytes.start, piece.bytes.end),
            }
        }
        Some(Completed { fields, terms, around })
    };
    match whole() {
        Some(completed) => Ok((completed, came)),
        None => Err(Box::new(came)),
    }
}

/// What a stored response and a part that came at `received` are together, if that is one piece: which part, its fields and its bytes.
pub(super) fn joined(
    stored: &Received,
    (part, fields, body): (&Part, &HeaderMap, &Bytes),
    received: SystemTime,
) -> Option<(Part, HeaderMap, Bytes)> {
    let length = stored.body().len() as u64;
    let all = || {
        let said = ContentRange { first: 0, last: length.checked_sub(1)?, length: Some(length) };
        Some(Part { said, held: length, asked: Vec::new() })
    };
    let old = match &stored.terms().part {
        Some(part) => part.clone(),
        None => all().filter(|_| stored.stored().status() == StatusCode::OK)?,
    };
    let joined = Joined::of((stored.fields(), &old), (fields, part))?;
    let mut whole = Vec::new();
    for piece in &joined.pieces {
        let of = if piece.is_new { body } else { stored.body() };
        whole.extend_from_slice(&stored::slice(of, piece.bytes.start, piece.bytes.end));
    }
    let mut fields = stored.freshened(fields, received);
    joined.fields(&mut fields);
    Some((joined.part, fields, whole.into()))
}
