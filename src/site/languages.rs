//! The languages of a site, and which of them a request is answered in.

use crate::fields::negotiate_language;
use http::HeaderMap;
use std::sync::Arc;

/// The languages of a site: at least one.
#[derive(Debug, Clone)]
pub struct Languages {
    default: Arc<str>,
    all: Vec<Arc<str>>,
}

impl Languages {
    /// These languages, and the one of them for those who want none.
    pub(super) fn new(default: Arc<str>, all: Vec<Arc<str>>) -> Self {
        Self { default, all }
    }

    /// `site.language`.
    pub fn default(&self) -> &Arc<str> {
        &self.default
    }

    /// `site.languages`, as they are written and in that order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.all.iter()
    }

    /// `request.language`: the one that a request with these fields wants most, else the default.
    pub fn negotiate(&self, fields: &HeaderMap) -> &Arc<str> {
        negotiate_language(fields, &self.all).and_then(|at| self.all.get(at)).unwrap_or(&self.default)
    }
}
