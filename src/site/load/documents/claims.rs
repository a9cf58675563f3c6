//! What links claim of other pages, judged when the whole site is known: that a heading is there, and that a route answers a URL.

use super::super::super::code::{BROKEN_ANCHOR, BROKEN_LINK};
use super::super::super::routers::Routers;
use super::Shared;
use crate::config::TreeFile;
use crate::diagnostic::{Finding, Findings, Place, did_you_mean};
use crate::extract::markdown;
use crate::router::{Routing, decode, encode_segment};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a link claims.
pub(super) struct Claim {
    pub(super) place: Place,
    /// As it was written.
    pub(super) destination: String,
    pub(super) claimed: Claimed,
}

/// What is claimed.
pub(super) enum Claimed {
    /// That `anchor` is in a document, by its file below `content/`.
    Anchor { document: String, anchor: String },
    /// That a path of this site, and perhaps an anchor in it, is served at a host.
    Url { host: Option<Arc<str>>, path: String, anchor: Option<String> },
}

/// Judges all claims. `patterns` are the paths that routes say.
pub(in super::super) fn judge(routers: &Routers, patterns: &[&str], shared: &mut Shared<'_>) {
    let claims = std::mem::take(&mut shared.documents.claims);
    if claims.is_empty() {
        return;
    }
    let judge = Judge::new(routers, patterns, shared);
    let mut findings = Findings::default();
    for claim in &claims {
        match &claim.claimed {
            Claimed::Anchor { document, anchor } => findings.extend(judge.anchor(claim, document, anchor)),
            Claimed::Url { host, path, anchor } => {
                findings.extend(judge.url(claim, host.as_deref(), path, anchor.as_deref()));
            }
        }
    }
    shared.findings.append(findings);
}

struct Judge<'j, 's> {
    shared: &'j Shared<'s>,
    routers: &'j Routers,
    /// URLs that are written out somewhere: those of documents, and paths without parameters.
    known: Vec<&'j str>,
    /// Documents by their URLs.
    documents: HashMap<&'j str, &'j str>,
    /// Routes with mistakes are missing from the routers, and no link is to blame for that.
    is_whole: bool,
    /// What layouts write around documents can be pointed to as well; read when a link points to no heading.
    of_layouts: OnceCell<HashSet<Box<str>>>,
}

impl<'j, 's> Judge<'j, 's> {
    fn new(routers: &'j Routers, patterns: &'j [&'j str], shared: &'j Shared<'s>) -> Self {
        let addresses = &shared.documents.addresses;
        let literal = patterns.iter().copied().filter(|pattern| !pattern.contains('{'));
        let urls = addresses.values().map(|address| address.path.as_str());
        Self {
            shared,
            routers,
            known: urls.chain(literal).collect(),
            documents: addresses.iter().map(|(file, address)| (address.path.as_str(), file.as_str())).collect(),
            is_whole: !shared.findings.has_errors(),
            of_layouts: OnceCell::new(),
        }
    }

    fn anchor(&self, claim: &Claim, document: &str, anchor: &str) -> Option<Finding> {
        let rendered = self.shared.documents.rendered.get(document)?.as_ref()?;
        let is_there = rendered.anchors.binary_search_by(|name| (**name).cmp(anchor)).is_ok();
        if is_there || self.is_in_a_layout(anchor) {
            return None;
        }
        let message = format!("`{}` names no heading of `content/{document}`", claim.destination);
        let help = did_you_mean(anchor, rendered.anchors.iter().map(AsRef::as_ref));
        Some(Finding::new(&BROKEN_ANCHOR, claim.place, message).maybe_help(help))
    }

    fn is_in_a_layout(&self, anchor: &str) -> bool {
        let anchors = |layout: &TreeFile| markdown::anchors(self.shared.files.text(layout.file)).into_vec();
        let of_layouts = self.of_layouts.get_or_init(|| self.shared.tree.layouts.iter().flat_map(anchors).collect());
        of_layouts.contains(anchor)
    }

    fn url(&self, claim: &Claim, host: Option<&str>, path: &str, anchor: Option<&str>) -> Option<Finding> {
        let canonical = path.split('/').map(|segment| encode_segment(&decode(segment)).into_owned());
        let path = canonical.collect::<Vec<_>>().join("/");
        if self.is_whole && !self.is_answered(host, &path) {
            let message = format!("no route answers `{}`", claim.destination);
            let help = did_you_mean(&path, self.known.iter().copied())
                .unwrap_or_else(|| "correct the address, or write a route that answers it".to_owned());
            return Some(Finding::new(&BROKEN_LINK, claim.place, message).help(help));
        }
        self.anchor(claim, self.documents.get(&*path)?, anchor?)
    }

    /// Whether a route answers `path`: at the document's own host or, where it has none, at any.
    fn is_answered(&self, host: Option<&str>, path: &str) -> bool {
        let leads = |host| !matches!(self.routers.route(host, path), Routing::NotFound | Routing::Misfit(_));
        leads(host) || (host.is_none() && self.routers.hosts().any(|host| leads(Some(host))))
    }
}
