//! Layouts that an earlier load compiled: a layout is the same as long as its text, those of the layouts around it and those of the
//! partials that it calls are, and stand in the same files.

use super::layout::Layout;
use super::program::Source;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Compiled layouts that one load leaves to the next. Of layouts with findings nothing is kept: they are told each time.
#[derive(Debug, Default)]
pub struct KeptLayouts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By the digests of the layout and of those around it.
    layouts: HashMap<blake3::Hash, Remembered>,
    load: u64,
    compiled: usize,
}

#[derive(Debug)]
struct Remembered {
    layout: Arc<Layout>,
    partials: Vec<Partial>,
    /// The last load that asked for it.
    load: u64,
}

/// A partial that a layout calls: its name, and the digest of what it was.
pub(super) type Partial = (String, blake3::Hash);

impl KeptLayouts {
    /// A load begins.
    pub fn begin(&self) {
        let mut kept = self.kept();
        kept.load += 1;
        kept.compiled = 0;
    }

    /// It ends; what it did not ask for is forgotten.
    pub fn end(&self) {
        let mut kept = self.kept();
        let load = kept.load;
        kept.layouts.retain(|_, remembered| remembered.load == load);
    }

    /// How many layouts the last load compiled.
    pub fn compiled_count(&self) -> usize {
        self.kept().compiled
    }

    /// The layout of this digest, if the partials that it calls are what they were.
    pub(super) fn find(&self, digest: &blake3::Hash, partials: &HashMap<&str, blake3::Hash>) -> Option<Arc<Layout>> {
        let mut kept = self.kept();
        let load = kept.load;
        let remembered = kept.layouts.get_mut(digest)?;
        let is_same = remembered.partials.iter().all(|(name, digest)| partials.get(name.as_str()) == Some(digest));
        is_same.then(|| {
            remembered.load = load;
            Arc::clone(&remembered.layout)
        })
    }

    /// A layout was compiled; with the partials that it calls, if it may be kept.
    pub(super) fn compiled(&self, digest: blake3::Hash, layout: &Arc<Layout>, partials: Option<Vec<Partial>>) {
        let mut kept = self.kept();
        kept.compiled += 1;
        if let Some(partials) = partials {
            let remembered = Remembered { layout: Arc::clone(layout), partials, load: kept.load };
            kept.layouts.insert(digest, remembered);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is compiled under `name`, and where it stands: places in it are places in its file.
pub(super) fn digest<'s>(name: &str, sources: impl Iterator<Item = &'s Source<'s>>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(name.as_bytes());
    for source in sources {
        part(&source.file.index().to_le_bytes());
        part(&(source.range.start as u64).to_le_bytes());
        part(&[u8::from(source.escapes)]);
        part(source.text.get(source.range.clone()).unwrap_or_default().as_bytes());
    }
    hasher.finalize()
}
