//! The one pointer to what answers requests, exchanged when a site is loaded anew.
//!
//! A request takes what is current when it arrives, and keeps it to its end: no answer is made of two sites.

use super::history::History;
use super::{Answer, Arrival, Connection, Facts, RequestBody, Service, SourceCall};
use crate::handler::{self, CacheOutcome, Handled, Runtime};
use crate::site::Site;
use arc_swap::ArcSwap;
use http::request::Parts;
use std::sync::Arc;

/// What answers requests now. Clones are the same pointer.
#[derive(Debug, Clone)]
pub struct Current {
    service: Arc<ArcSwap<handler::Service>>,
    runtime: Arc<Runtime>,
    history: Arc<History>,
}

impl Current {
    /// Answers from `site`, with what outlives it in `runtime`.
    pub fn new(site: Arc<Site>, runtime: Arc<Runtime>) -> Self {
        let service = handler::Service::new(site, Arc::clone(&runtime));
        Self { service: Arc::new(ArcSwap::from_pointee(service)), runtime, history: Arc::new(History::begin()) }
    }

    /// The site that requests are answered from now.
    pub fn site(&self) -> Arc<Site> {
        Arc::clone(self.service.load().site())
    }

    /// What answers a request that arrives now: one load, no lock.
    pub fn service(&self) -> Arc<handler::Service> {
        self.service.load_full()
    }

    /// What became of it so far.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// A request's arrival, as who answers it takes it.
    #[inline]
    pub fn arrived<'a>(&self, arrival: &'a Arrival) -> handler::Arrival<'a> {
        let clock = self.runtime.clock();
        handler::Arrival {
            began: arrival.instant,
            now: clock.now_at(arrival.instant),
            wall: clock.wall_at(arrival.time),
            id: &arrival.id,
            peer: arrival.connection.peer.map(|peer| peer.ip().to_canonical()),
            is_loopback: arrival.connection.listener.is_loopback(),
            client: &*arrival.connection,
        }
    }

    /// An answer, as the server takes it.
    #[inline]
    pub fn told(service: &handler::Service, answer: handler::Answer) -> Answer<handler::Body> {
        let handler::Answer { response, route, position, cache, sources } = answer;
        let call =
            |call: handler::SourceCall| SourceCall { name: call.name, elapsed: call.elapsed, outcome: call.outcome };
        let sources = sources.into_iter().map(call).collect();
        let tally = Some(service.tally(position, cache));
        Answer { response, facts: Facts { route, cache: cache.map(CacheOutcome::word), sources, tally } }
    }

    /// Files are looked for on the disk from now on.
    pub fn forget_files(&self) {
        self.runtime.forget_files();
    }

    /// Answers from `site` from now on. Requests under way end with the site they began with.
    pub fn exchange(&self, site: Arc<Site>) {
        let service = handler::Service::new(site, Arc::clone(&self.runtime));
        self.service.store(Arc::new(service));
    }
}

impl handler::Client for Connection {
    fn watch(&self) {
        self.watch();
    }
}

impl Service for Current {
    type Body = handler::Body;

    async fn call(&self, request: &Parts, body: RequestBody, arrival: &Arrival) -> Answer<Self::Body> {
        let service = self.service();
        let arrived = self.arrived(arrival);
        let answer = match handler::handle(&service, request, body, &arrived) {
            Handled::Now(answer) => answer,
            Handled::Later(answer) => answer.await,
        };
        Self::told(&service, answer)
    }
}
