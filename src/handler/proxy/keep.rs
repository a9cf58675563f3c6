//! What becomes of an upstream's answer: kept for the next who asks, while it goes to the client as it comes.
//!
//! Whether and how long it is kept the rules of RFC 9111 say; here its bytes are gathered, and the entry is made once they are all there. An
//! answer that breaks off is never kept.

use super::around::Around;
use super::fetch::Keeping;
use super::update;
use crate::cache::rules::{Part, StoredUnder, storable_fields};
use crate::cache::{Key, Received, Tags, Ticket};
use crate::handler::runtime::Service;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_RANGE;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;

/// What is known of an entry before its content is there.
pub(super) struct Entry {
    pub(super) service: Arc<Service>,
    pub(super) position: usize,
    pub(super) status: StatusCode,
    /// As they are sent, before anything is left out.
    pub(super) fields: HeaderMap,
    pub(super) under: StoredUnder,
    pub(super) keeping: Keeping,
}

impl Entry {
    /// Keeps the response with this `body`, of which `most` bytes are kept.
    fn put(self, body: Bytes, most: usize) {
        let Self { service, position, status, fields, under, keeping } = self;
        let Keeping { ticket, key, tags, mut terms, received, lead, joins } = keeping;
        terms.part = terms.part.map(|part: Part| part.holding(body.len() as u64));
        let joined = joins.as_ref().zip(terms.part.as_ref()).and_then(|(stored, part)| {
            update::joined(stored, (part, &fields, &body), terms.received).filter(|(.., body)| body.len() <= most)
        });
        let (mut fields, body) = match joined {
            Some((part, fields, body)) => {
                terms.part = Some(part);
                (fields, body)
            }
            None => (fields, body),
        };
        // All of it, asked for as a part, answers as a whole (RFC 9110, section 15.3.7.3).
        let is_complete = terms.part.take_if(|part| part.is_complete()).is_some();
        let status = if is_complete { StatusCode::OK } else { status };
        if terms.part.is_none() {
            fields.remove(CONTENT_RANGE);
        }
        let fields = storable_fields(fields, &terms);
        let kept = Arc::new(Received::new((status, fields, body), terms, under, received, service.revision()));
        put(&service, position, (&ticket, &key, &tags), &kept, None);
        // Those who wait look for it now. If it was purged meanwhile, one of them asks again.
        drop(lead);
    }

    /// It is not kept after all.
    fn give_up(self: Box<Self>) {
        if let Some(lead) = self.keeping.lead {
            lead.not_kept(self.service.runtime.clock.now());
        }
    }
}

/// Puts a response into the store, in place of the one that it `replaces`; whether it is there now.
pub(super) fn put(
    service: &Service,
    position: usize,
    (ticket, key, tags): (&Ticket, &Key, &Tags),
    received: &Arc<Received>,
    replaces: Option<&Arc<Received>>,
) -> bool {
    let most = super::of(&service.site.routes[position]).and_then(|proxy| Some(proxy.cache.as_ref()?.variants));
    let mut crowded_out = 0;
    let changed = service.runtime.store.change_responses(ticket, key, tags, |there, bytes| {
        let others = replaces.map(|replaced| there.without(replaced));
        let (changed, dropped) = others.as_ref().unwrap_or(there).with(received, tags, (most.unwrap_or(1), bytes));
        crowded_out = dropped;
        changed
    });
    service.meters.routes[position].crowded_out.add(crowded_out as u64);
    changed.is_ok()
}

/// So long the rest of an answer may take to come whose client is gone.
const LATER: Duration = Duration::from_secs(30);

/// The body of an answer that is kept once it is complete.
pub(super) struct Kept {
    /// There until it is dropped.
    body: Option<Around>,
    /// What has come, and what is made of it; nothing any more if it cannot be kept.
    gathering: Option<(BytesMut, Box<Entry>)>,
    most: usize,
}

impl Kept {
    /// `body`, kept as `entry` if it is not longer than `most` bytes.
    pub(super) fn new(body: Around, entry: Entry, most: usize) -> Self {
        let length = body.size_hint();
        let fits = usize::try_from(length.lower()).is_ok_and(|least| least <= most);
        let room = length.exact().and_then(|length| usize::try_from(length).ok()).unwrap_or(8 << 10).min(most);
        let mut entry = Some(Box::new(entry));
        let gathering = entry.take_if(|_| fits).map(|entry| (BytesMut::with_capacity(room), entry));
        entry.into_iter().for_each(Entry::give_up);
        let is_over = body.is_end_stream();
        let mut kept = Self { body: Some(body), gathering, most };
        if is_over {
            kept.end();
        }
        kept
    }

    /// Reads on to the end, for the store alone.
    async fn finish(mut self) {
        while self.gathering.is_some() && self.frame().await.is_some_and(|frame| frame.is_ok()) {}
    }

    fn gather(&mut self, data: &Bytes) {
        match &mut self.gathering {
            Some((gathered, _)) if gathered.len() + data.len() <= self.most => gathered.extend_from_slice(data),
            Some(_) => self.give_up(),
            None => {}
        }
    }

    fn give_up(&mut self) {
        if let Some((_, entry)) = self.gathering.take() {
            entry.give_up();
        }
    }

    fn end(&mut self) {
        if let Some((gathered, entry)) = self.gathering.take() {
            entry.put(gathered.freeze(), self.most);
        }
    }
}

impl Body for Kept {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.gather(data);
                } else {
                    // A stored response has no room for a trailer section; without it, it would be another one (RFC 9111, section 3.4).
                    self.give_up();
                }
                // hyper may not ask again when nothing can follow.
                if self.is_end_stream() {
                    self.end();
                }
            }
            Some(Err(_)) => self.gathering = None,
            None => self.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The client is gone, and who asks next need not wait again: the rest is read for the store, as far as it fits there.
        let (Some(gathering), Ok(runtime)) = (self.gathering.take(), Handle::try_current()) else { return };
        let rest = Self { body: self.body.take(), gathering: Some(gathering), most: self.most };
        drop(runtime.spawn(tokio::time::timeout(LATER, rest.finish())));
    }
}
