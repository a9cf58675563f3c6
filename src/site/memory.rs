//! What one load of a site leaves to the next, so that a reload does again only what changed: the texts of files, and documents rendered.
//!
//! Nothing of it is part of a [`Site`](super::Site), and no request looks at it.

use crate::config::Texts;
use crate::extract::markdown::{self, Heading, MarkdownError, Rendered};
use crate::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What one load leaves to the next.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) texts: Arc<Texts>,
    pub(super) documents: Documents,
}

impl Memory {
    /// How many files the last load read from the disk.
    #[must_use]
    pub fn read_count(&self) -> usize {
        self.texts.read_count()
    }

    /// How many documents the last load rendered.
    #[must_use]
    pub fn rendered_count(&self) -> usize {
        self.documents.kept().rendered
    }

    pub(super) fn begin(&self) {
        self.texts.begin();
        let mut kept = self.documents.kept();
        kept.load += 1;
        kept.rendered = 0;
    }

    /// What the load did not ask for is forgotten.
    pub(super) fn end(&self) {
        self.texts.end();
        let mut kept = self.documents.kept();
        let load = kept.load;
        kept.documents.retain(|_, (_, last)| *last == load);
    }
}

/// A document as HTML, and what its text says of itself.
#[derive(Debug)]
pub(super) struct Document {
    /// Its HTML, which the sites that show it share.
    pub(super) html: Value,
    /// The headings.
    pub(super) toc: Vec<Heading>,
    /// The first heading of level 1.
    pub(super) title: Option<String>,
    /// The first paragraph.
    pub(super) description: Option<String>,
}

/// Documents by the digests of their texts.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<blake3::Hash, (Arc<Document>, u64)>,
    load: u64,
    rendered: usize,
}

impl Documents {
    /// `text` as HTML.
    pub(super) fn render(&self, text: &str) -> Result<Arc<Document>, MarkdownError> {
        let digest = blake3::hash(text.as_bytes());
        {
            let mut kept = self.kept();
            let load = kept.load;
            if let Some((document, last)) = kept.documents.get_mut(&digest) {
                *last = load;
                return Ok(Arc::clone(document));
            }
        }
        let Rendered { html, toc, title, description, links: _ } =
            markdown::render(text, &markdown::Options::document(), None)?;
        let document = Arc::new(Document { html: Value::markup(html), toc, title, description });
        let mut kept = self.kept();
        kept.rendered += 1;
        let load = kept.load;
        kept.documents.insert(digest, (Arc::clone(&document), load));
        Ok(document)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
