//! A tree of documents: every Markdown file below a folder of `content/`, each at a URL of its own.

use super::{Linked, PolicyField};
use crate::value::{Object, Value};
use http::HeaderValue;
use std::collections::HashMap;
use std::sync::Arc;

/// A tree of documents, rendered at load.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The rest parameter that names the document.
    pub parameter: Arc<str>,
    /// The layouts that its documents are shown in.
    pub layouts: Vec<Linked>,
    /// The documents by their names: the paths of their files below the folder, without `.md` and `index`.
    pub documents: HashMap<String, TreeDocument>,
}

/// A document of a tree.
#[derive(Debug, Clone)]
pub struct TreeDocument {
    /// Which of the tree's layouts shows it; without one, its HTML alone.
    pub layout: Option<usize>,
    /// Its media type, if its layout makes another than the route says.
    pub content_type: Option<HeaderValue>,
    /// Its HTML, as markup.
    pub html: Value,
    /// What `page` holds, with nulls for what a request brings.
    pub page: Object,
    /// The policy it is sent with, if any is.
    pub csp: Option<PolicyField>,
    /// Changes whenever its page does; part of the key of that.
    pub revision: u64,
    /// By what its page is purged: `content:docs/index.md`.
    pub tag: Option<Arc<str>>,
}

impl Tree {
    /// The document of this name.
    pub fn document(&self, name: &str) -> Option<&TreeDocument> {
        self.documents.get(name)
    }

    /// The layout that shows a document.
    pub fn layout_of(&self, document: &TreeDocument) -> Option<&Linked> {
        self.layouts.get(document.layout?)
    }
}
