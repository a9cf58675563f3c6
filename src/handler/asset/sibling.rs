//! Codings that the author has made beforehand: `site.css.br`, `site.css.zst` and `site.css.gz` beside `site.css`.
//!
//! Such a file stands for the other one in that coding as long as it is not older, and only where content of that type gets smaller by
//! coding: `release.tar.gz` beside `release.tar` is another download. Under its own name it is a file like any other, sent as it is.

use super::octets::Octets;
use super::open::Beneath;
use crate::cache::is_compressible;
use crate::config::Archive;
use crate::config::Stamp;
use crate::fields::{Coding, content_type_of};
use std::fs::Metadata;

/// What the names of coded files end in.
const ENDINGS: [(Coding, &str); 3] = Coding::ENDINGS;

/// A file in a coding.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) coding: Coding,
    pub(super) octets: Octets,
}

/// The coded files beside one; those on the disk are open.
#[derive(Debug, Default)]
pub(super) struct Siblings([Option<Sibling>; ENDINGS.len()]);

/// What changes whenever one of them does, or comes, or goes.
pub(super) type Stamps = [Option<Stamp>; ENDINGS.len()];

impl Siblings {
    /// Those beside the file called `name`, which has this `metadata`. Blocks.
    pub(super) fn open(folder: &Beneath, name: &str, metadata: &Metadata) -> Self {
        if !is_compressible(&content_type_of(name)) {
            return Self::default();
        }
        Self(ENDINGS.map(|(coding, ending)| {
            // Whatever keeps one from being opened, the file itself is there.
            let (file, beside) = folder.open(&format!("{name}{ending}")).ok()?;
            let is_current = beside.len() > 0 && beside.modified().ok()? >= metadata.modified().ok()?;
            is_current.then(|| Sibling { coding, octets: Octets::on_disk(file, &beside) })
        }))
    }

    /// Those beside the file at this path of an archive.
    pub(super) fn inside(archive: &Archive, path: &str) -> Self {
        if !is_compressible(&content_type_of(path)) {
            return Self::default();
        }
        Self(ENDINGS.map(|(coding, ending)| {
            let beside = archive.file(&format!("{path}{ending}"))?;
            let is_current = !beside.bytes.is_empty() && !beside.is_outdated;
            let octets = Octets::Inside { bytes: beside.bytes.clone(), digest: beside.digest };
            is_current.then_some(Sibling { coding, octets })
        }))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sibling> {
        self.0.iter().flatten()
    }

    pub(super) fn stamps(&self) -> Stamps {
        self.0.each_ref().map(|sibling| sibling.as_ref().and_then(|sibling| sibling.octets.stamp()))
    }

    /// Takes the one in `coding` out.
    pub(super) fn take(&mut self, coding: Coding) -> Option<Sibling> {
        self.0.iter_mut().find_map(|sibling| sibling.take_if(|sibling| sibling.coding == coding))
    }
}
