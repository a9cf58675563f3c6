//! Small files kept in memory, bounded by bytes, each compared with the disk once a second at most, if it comes from there.
//!
//! Whoever finds a file due claims the comparison, so that the disk is asked once however many want the file; the others get what
//! there is, as old as the comparison takes longer than the second.

use super::super::clock;
use super::Absent;
use super::file::{Found, LARGEST_SMALL, LargeFile, Opened, SmallFile};
use super::open::{NotOpened, is_servable};
use super::published::{Identity, Published};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

/// All files that are kept in memory together, in bytes.
pub const FILES_KEPT: u64 = 32 << 20;
/// A file of a usual site, in bytes.
const USUAL: usize = 16 << 10;
/// Few enough that each takes several of the largest files.
const SHARDS: usize = 4;
/// Memory of the cache's own for each file, and of the fields of its 304, in bytes.
const OVERHEAD: u64 = 1 << 10;

/// Files in memory.
#[derive(Debug)]
pub(super) struct Shelf {
    files: Cache<Name, Kept, Weight>,
    /// The moment from which the files count milliseconds.
    begun: Instant,
}

/// Which file it is: the folder as it is published, and the path below that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    published: Identity,
    file: Box<str>,
}

/// A [`Name`] to look up.
#[derive(Debug, Clone, Copy)]
struct NameRef<'a> {
    published: Identity,
    file: &'a str,
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NameRef { published: self.published, file: &self.file }.hash(state);
    }
}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Of a digest a part tells folders apart as well as the whole does.
        let part: [u8; 8] = std::array::from_fn(|at| self.published[at]);
        state.write_u64(u64::from_le_bytes(part));
        self.file.hash(state);
    }
}

impl NameRef<'_> {
    fn to_name(self) -> Name {
        Name { published: self.published, file: self.file.into() }
    }
}

impl Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        *self.file == *name.file && self.published == name.published
    }
}

/// A file in its place.
#[derive(Debug, Clone)]
struct Kept {
    file: Arc<SmallFile>,
    weight: u64,
}

impl Kept {
    fn new(file: Arc<SmallFile>, name: &Name) -> Self {
        let name = size_of::<Name>() + name.file.len();
        // A weight cannot change in its place, so the codings to come are counted at once: each is smaller than the file, together
        // they are about as large as it.
        let codings = if file.content().is_codable() { file.content().identity().body().len() } else { 0 };
        let weight = (file.content().size() + codings + name) as u64 + OVERHEAD;
        Self { file, weight }
    }
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Name, Kept> for Weight {
    fn weight(&self, _name: &Name, kept: &Kept) -> u64 {
        kept.weight
    }
}

impl Default for Shelf {
    fn default() -> Self {
        let capacity = usize::try_from(FILES_KEPT).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(capacity / USUAL)
            .weight_capacity(FILES_KEPT)
            .build()
            .expect("both capacities are set");
        let files = Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { files, begun: clock::ticking() }
    }
}

impl Shelf {
    /// The file at `file` beneath the folder that is `published`, if it is kept and nobody has to compare it with the disk at `now`.
    pub(super) fn at_hand(&self, published: &Published, file: &str, now: Instant) -> Option<Arc<SmallFile>> {
        let kept = self.files.get(&NameRef { published: published.identity(), file })?;
        (!kept.file.is_due(self.milliseconds(now))).then_some(kept.file)
    }

    /// The file at `file` beneath the folder that is `published`, as the disk has or had it at most a second before `now`.
    pub(super) async fn find(
        shelf: &Arc<Self>,
        published: &Arc<Published>,
        file: &str,
        now: Instant,
    ) -> Result<Found, Absent> {
        let name = NameRef { published: published.identity(), file };
        let now = shelf.milliseconds(now);
        let kept = match shelf.files.get(&name) {
            Some(kept) if !kept.file.claim_comparison(now) => return Ok(Found::Small(kept.file)),
            kept => kept.map(|kept| kept.file),
        };
        if !is_servable(file) {
            return Err(Absent);
        }
        let (shelf, published, name) = (Arc::clone(shelf), Arc::clone(published), name.to_name());
        let fetched = tokio::task::spawn_blocking(move || shelf.fetch(name, &published, kept, now)).await;
        fetched.unwrap_or_else(|stopped| match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The process is ending.
            Err(_cancelled) => Err(Absent),
        })
    }

    /// Whatever is asked for next is looked for on the disk.
    pub(super) fn forget(&self) {
        self.files.clear();
    }

    /// From the beginning to `moment`.
    fn milliseconds(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.begun).as_millis()).unwrap_or(u64::MAX)
    }

    /// The file on the disk, or `kept` if that is still it. Blocks.
    fn fetch(
        &self,
        name: Name,
        published: &Published,
        kept: Option<Arc<SmallFile>>,
        now: u64,
    ) -> Result<Found, Absent> {
        match read(&name.file, published, kept, now) {
            Ok(Fetched::Same(file)) => Ok(Found::Small(file)),
            Ok(Fetched::New(file)) => {
                let kept = Kept::new(Arc::clone(&file), &name);
                self.files.insert(name, kept);
                Ok(Found::Small(file))
            }
            Ok(Fetched::Fleeting(found)) => {
                self.files.remove(&name);
                Ok(found)
            }
            Err(not_opened) => {
                if let NotOpened::Refused(error) = not_opened {
                    let folder = published.place();
                    tracing::warn!(%error, file = %folder.path().join(&*name.file).display(), "a file cannot be read");
                }
                self.files.remove(&name);
                Err(Absent)
            }
        }
    }
}

/// What the disk has.
enum Fetched {
    /// What is kept already.
    Same(Arc<SmallFile>),
    /// Another, to be kept.
    New(Arc<SmallFile>),
    /// One that is not to be kept: it is large, or is being written.
    Fleeting(Found),
}

fn read(name: &str, published: &Published, kept: Option<Arc<SmallFile>>, now: u64) -> Result<Fetched, NotOpened> {
    let opened = Opened::find(published.place(), name)?;
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_still(&opened)) {
        return Ok(Fetched::Same(Arc::clone(kept)));
    }
    if opened.octets.length() > LARGEST_SMALL {
        return Ok(Fetched::Fleeting(Found::Large(Box::new(LargeFile::new(opened, name)))));
    }
    let reading = SmallFile::read(&opened, (name, published), now).map_err(NotOpened::Refused)?;
    match kept {
        Some(kept) if reading.undisturbed && kept.is_confirmed_by(&reading.file) => Ok(Fetched::Same(kept)),
        _ if reading.undisturbed => Ok(Fetched::New(Arc::new(reading.file))),
        _ => Ok(Fetched::Fleeting(Found::Small(Arc::new(reading.file)))),
    }
}
