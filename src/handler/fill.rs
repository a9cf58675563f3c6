//! Pages made once for all who ask for the same: visitors, and the routes of the site that ask in process.

use super::ask::Answered;
use super::clock::Clock;
use super::fetch::SharedCalls;
use super::make::{DEGRADED, Made, Order, What, make};
use super::runtime::{Service, Subject};
use crate::cache::{Empty, Epoch, Filled, Key, Landing, Stored, Ticket, Verdict};
use crate::site::Variant;
use crate::source::Trouble;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long after its deadline a fill may still end by itself.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// When the making of a page began, and what was called since: common to the page and to the routes that it asks, whose
/// answers are made of the same calls.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    /// What is made may be shared with those who began in the same.
    pub(super) epoch: Epoch,
    /// Taken before anything was read; `None` if nothing can come of it that is stored.
    pub(super) ticket: Option<Arc<Ticket>>,
    /// Whether what is made may be stored, and sent as it is: then it is not made of what is stale.
    pub(super) may_last: bool,
    /// Whether anything asks for the tags of what is made.
    pub(super) is_tagged: bool,
    /// The calls that nobody's person is in.
    pub(super) calls: SharedCalls,
}

impl Begun {
    /// It begins now.
    pub(super) fn now(service: &Service, subject: &Subject) -> Self {
        let (store, revision) = (&service.runtime.store, service.revision());
        let (may_store, may_last) = (subject.may_store, subject.may_last);
        let ticket = (may_store || subject.keeps_data).then(|| Arc::new(store.begin(revision)));
        let epoch = ticket.as_ref().map_or_else(|| store.epoch(revision), |ticket| ticket.epoch());
        let is_tagged = may_store || subject.is_tagged;
        Self { epoch, ticket, may_last, is_tagged, calls: SharedCalls::default() }
    }
}

/// Joins the fill of a page, or starts it; waits no longer than until `end`. Also whether this request started it. `stale` is the
/// page that may stand for an error.
pub(super) async fn fill(
    service: &Arc<Service>,
    key: Key,
    order: Order,
    limit: Duration,
    end: Instant,
    stale: Option<Arc<Stored>>,
) -> (Result<Arc<Made>, StatusCode>, bool) {
    let epoch = order.begun.epoch;
    let is_asked = service.subjects.get(order.route).is_some_and(|subject| subject.is_asked);
    let led = Arc::new(AtomicBool::new(false));
    let flight = {
        let (service, key, led) = (Arc::clone(service), key.clone(), Arc::clone(&led));
        async move {
            led.store(true, Ordering::Relaxed);
            let attempt = Attempt::new(&service, stale);
            let made = make(&service, order, Some(key)).await;
            // Another answer than an error is sent, whatever it is: the stale page has not to stand for it.
            if !made.has_failed() {
                attempt.succeed();
            }
            Filled::Shared(Arc::new(made))
        }
    };
    // A fill that ended between the look-up and now has left its page in the store.
    let again = || {
        let stored = service.runtime.store.get(key.lookup())?;
        let is_whole = !is_asked || stored.data().is_some() || stored.is_bare();
        let fresh_until = is_whole.then(|| fresh_until(&stored, service.runtime.clock.now())).flatten()?;
        Some(Arc::new(Made::found(stored, fresh_until)))
    };
    let flown = service.runtime.pages.fly((key.clone(), epoch), limit + GRACE, again, flight);
    let made = match tokio::time::timeout_at(end.into(), flown).await {
        Ok(Landing::Shared(made) | Landing::Private(made)) => Ok(made),
        Ok(Landing::Nothing(Empty::TimedOut)) | Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
        Ok(Landing::Nothing(Empty::Stopped)) => Err(StatusCode::SERVICE_UNAVAILABLE),
        Ok(Landing::Nothing(Empty::Private | Empty::Panicked)) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    };
    (made, led.load(Ordering::Relaxed))
}

/// Makes a stale page anew in the background, once.
pub(super) fn refresh(service: &Arc<Service>, key: Key, order: Order, limit: Duration, stale: &Arc<Stored>) {
    let epoch = order.begun.epoch;
    let needed = {
        let (service, key) = (Arc::clone(service), key.clone());
        move || {
            let stored = service.runtime.store.get(key.lookup());
            stored.is_none_or(|stored| fresh_until(&stored, service.runtime.clock.now()).is_none())
        }
    };
    let flight = {
        let (service, key, stale) = (Arc::clone(service), key.clone(), Arc::clone(stale));
        async move {
            let attempt = Attempt::new(&service, Some(stale));
            let made = make(&service, order, Some(key)).await;
            // One that lacks data is kept beside it, and takes its place only when that is gone.
            if (made.is_stored || made.what.is_another_answer()) && !made.is_degraded {
                attempt.succeed();
            }
            Filled::Shared(Arc::new(made))
        }
    };
    service.runtime.pages.refresh_once((key, epoch), limit + GRACE, needed, flight);
}

/// What is kept beside the page of `key` although it lacks data: its own key, it, and what may be done with it at `now`. While it is fresh it
/// stands for the good one.
pub(super) fn lacking(
    service: &Service,
    variant: Variant<'_>,
    key: &Key,
    now: Instant,
) -> Option<(Key, Arc<Stored>, Verdict)> {
    variant.policy.degraded()?;
    let key = key.beside(DEGRADED);
    let stored = service.runtime.store.get(key.lookup())?;
    let verdict = stored.verdict(now);
    Some((key, stored, verdict))
}

/// Until when it is fresh, if it is at `now`.
pub(super) fn fresh_until(stored: &Stored, now: Instant) -> Option<Instant> {
    match stored.verdict(now) {
        Verdict::Fresh { ttl, .. } => Some(now + ttl),
        Verdict::Stale { .. } | Verdict::Expired => None,
    }
}

/// An attempt to make a stale page anew. However it ends, if nobody says that it succeeded the page rests.
struct Attempt(Option<(Arc<Stored>, Clock)>);

impl Attempt {
    fn new(service: &Service, stale: Option<Arc<Stored>>) -> Self {
        Self(stale.map(|stale| (stale, service.runtime.clock.clone())))
    }

    /// There is something to put in the page's place.
    fn succeed(mut self) {
        self.0 = None;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some((stale, clock)) = &self.0 {
            stale.rest(clock.now());
        }
    }
}

impl Made {
    /// What was found in the store instead of being made.
    fn found(stored: Arc<Stored>, fresh_until: Instant) -> Self {
        let value = stored.data().map(|data| Ok(Answered { value: data.clone(), degraded: false }));
        let answer = value.or_else(|| stored.is_bare().then_some(Err(Trouble::NotFound)));
        let tags = stored.tags().own().to_vec();
        let (fresh_until, calls) = (Some(fresh_until), Vec::new());
        let (is_stored, is_degraded) = (true, false);
        Self {
            what: What::Stored(stored),
            tags,
            calls,
            is_stored,
            answer,
            fresh_until,
            is_degraded,
            cookies: Vec::new(),
            id: None,
        }
    }
}
