//! What one load of a site leaves to the next, so that a reload does again only what changed: the texts of files,
//! documents rendered, layouts compiled, indexes of what can be searched, digests of published files.
//!
//! Nothing of it is part of a [`Site`](super::Site), and no request looks at it.

use crate::config::{Digests, Texts};
use crate::extract::markdown::{self, Heading, Link, MarkdownError, Rendered, Resolve};
use crate::render::{KeptLayouts, Needs};
use crate::search::Index;
use crate::value::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one load leaves to the next.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) texts: Arc<Texts>,
    pub(super) documents: Documents,
    pub(super) layouts: KeptLayouts,
    pub(super) indexes: Indexes,
    pub(super) digests: Digests,
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

    /// How many layouts the last load compiled.
    #[must_use]
    pub fn compiled_count(&self) -> usize {
        self.layouts.compiled_count()
    }

    /// How many indexes the last load built.
    #[must_use]
    pub fn indexed_count(&self) -> usize {
        self.indexes.kept().built
    }

    /// How many published files the last load read for their versions.
    #[must_use]
    pub fn digested_count(&self) -> usize {
        self.digests.read_count()
    }

    pub(super) fn begin(&self) {
        self.digests.begin();
        self.indexes.begin();
        self.texts.begin();
        self.layouts.begin();
        let mut kept = self.documents.kept();
        kept.load += 1;
        kept.rendered = 0;
    }

    /// What the load did not ask for is forgotten.
    pub(super) fn end(&self) {
        self.digests.end();
        self.texts.end();
        self.indexes.end();
        self.layouts.end();
        let mut kept = self.documents.kept();
        let load = kept.load;
        kept.documents.retain(|_, remembered| remembered.load == load);
    }
}

/// Indexes by the digests of what they are made of.
#[derive(Debug, Default)]
pub(super) struct Indexes(Mutex<KeptIndexes>);

#[derive(Debug, Default)]
struct KeptIndexes {
    /// Each with whether this load has asked for it.
    indexes: HashMap<blake3::Hash, (Arc<Index>, bool)>,
    built: usize,
}

impl Indexes {
    /// The index of what has this digest; built if it is not there.
    pub(super) fn index(&self, digest: blake3::Hash, build: impl FnOnce() -> Index) -> Arc<Index> {
        let mut kept = self.kept();
        if let Some((index, is_wanted)) = kept.indexes.get_mut(&digest) {
            *is_wanted = true;
            return Arc::clone(index);
        }
        let index = Arc::new(build());
        kept.built += 1;
        kept.indexes.insert(digest, (Arc::clone(&index), true));
        index
    }

    fn begin(&self) {
        let mut kept = self.kept();
        kept.built = 0;
        kept.indexes.values_mut().for_each(|(_, is_wanted)| *is_wanted = false);
    }

    fn end(&self) {
        self.kept().indexes.retain(|_, (_, is_wanted)| *is_wanted);
    }

    fn kept(&self) -> MutexGuard<'_, KeptIndexes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// What a fragment of its URL can name, sorted.
    pub(super) anchors: Arc<[Box<str>]>,
    /// What its HTML makes a browser load and run.
    pub(super) needs: Arc<Needs>,
}

/// Documents by the digests of their texts.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<blake3::Hash, Remembered>,
    load: u64,
    rendered: usize,
}

#[derive(Debug)]
struct Remembered {
    document: Arc<Document>,
    /// Its links, and where they led: it is the same document as long as they lead there.
    links: Vec<(Link, Option<String>)>,
    /// The last load that asked for it.
    load: u64,
}

impl Documents {
    /// `text` as HTML, with its links where `resolve` says, which is asked once for each.
    pub(super) fn render(&self, text: &str, resolve: Resolve<'_>) -> Result<Arc<Document>, MarkdownError> {
        let digest = blake3::hash(text.as_bytes());
        let known = {
            let mut kept = self.kept();
            let load = kept.load;
            kept.documents.get_mut(&digest).map(|known| {
                known.load = load;
                (Arc::clone(&known.document), known.links.clone())
            })
        };
        let mut answered = Vec::new();
        if let Some((document, links)) = known {
            answered = links.iter().map(|(link, _)| (link.clone(), resolve(link))).collect();
            if answered == links {
                return Ok(document);
            }
        }
        // The same text asks for the same links in the same order.
        let answered = RefCell::new(answered.into_iter());
        let asked = RefCell::new(Vec::new());
        let ask = |link: &Link| {
            let answer = answered.borrow_mut().next().map_or_else(|| resolve(link), |(_, answer)| answer);
            asked.borrow_mut().push((link.clone(), answer.clone()));
            answer
        };
        let Rendered { html, toc, title, description, links: _ } =
            markdown::render(text, &markdown::Options::document(), Some(&ask))?;
        let anchors = markdown::anchors(&html).into();
        let needs = Arc::new(Needs::of_html(&html));
        let document = Arc::new(Document { html: Value::authored(html), toc, title, description, anchors, needs });
        let mut kept = self.kept();
        kept.rendered += 1;
        let remembered = Remembered { document: Arc::clone(&document), links: asked.into_inner(), load: kept.load };
        kept.documents.insert(digest, remembered);
        Ok(document)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_rendered_again_when_a_link_leads_elsewhere() {
        let memory = Memory::default();
        let text = "[a](a.md) and [b](b.md)";
        let render = |to: &'static str| {
            memory.begin();
            let asked = RefCell::new(0);
            let resolve = |link: &Link| {
                *asked.borrow_mut() += 1;
                (link.destination == "a.md").then(|| to.to_owned())
            };
            let document = memory.documents.render(text, &resolve).unwrap();
            memory.end();
            (
                document.html.as_str().unwrap().contains(&format!("href=\"{to}\"")),
                asked.into_inner(),
                memory.rendered_count(),
            )
        };
        assert_eq!(render("/one"), (true, 2, 1));
        assert_eq!(render("/one"), (true, 2, 0));
        assert_eq!(render("/two"), (true, 2, 1));
        assert_eq!(render("/two"), (true, 2, 0));
        memory.begin();
        memory.end();
        assert_eq!(render("/two"), (true, 2, 1), "what a load did not ask for is forgotten");
    }
}
