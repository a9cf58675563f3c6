//! The one pointer to what answers requests, exchanged when a site is loaded anew.
//!
//! A request takes what is current when it arrives, and keeps it to its end: no answer is made of two sites.

use crate::handler::{self, Runtime};
use crate::site::Site;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What answers requests now. Clones are the same pointer.
#[derive(Debug, Clone)]
pub struct Current {
    service: Arc<ArcSwap<handler::Service>>,
    runtime: Arc<Runtime>,
}

impl Current {
    /// Answers from `site`, with what outlives it in `runtime`.
    pub fn new(site: Arc<Site>, runtime: Arc<Runtime>) -> Self {
        let service = handler::Service::new(site, Arc::clone(&runtime));
        Self { service: Arc::new(ArcSwap::from_pointee(service)), runtime }
    }

    /// The site that requests are answered from now.
    pub fn site(&self) -> Arc<Site> {
        Arc::clone(self.service.load().site())
    }

    /// What answers a request that arrives now: one load, no lock.
    pub(super) fn service(&self) -> Arc<handler::Service> {
        self.service.load_full()
    }

    /// Answers from `site` from now on. Requests under way end with the site they began with.
    pub fn exchange(&self, site: Arc<Site>) {
        let service = handler::Service::new(site, Arc::clone(&self.runtime));
        self.service.store(Arc::new(service));
    }
}
