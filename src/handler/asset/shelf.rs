//! Small files kept in memory, bounded by bytes, each compared with the disk once a second at most.
//!
//! Whoever finds a file due claims the comparison, so that the disk is asked once however many want the file; the others get what
//! there is, as old as the comparison takes longer than the second.

use super::Absent;
use super::file::{Found, LARGEST_SMALL, LargeFile, SmallFile, Stamp};
use super::open::{Beneath, NotOpened, is_servable};
use super::sibling::Siblings;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// All files that are kept in memory together, in bytes.
pub const FILES_KEPT: u64 = 32 << 20;
/// A file of a usual site, in bytes.
const USUAL: usize = 16 << 10;
/// Few enough that each takes several of the largest files.
const SHARDS: usize = 4;
/// Memory of the cache's own for each file, and of the fields of its 304, in bytes.
const OVERHEAD: u64 = 1 << 10;
/// For so long a file is taken to be what it was.
const TRUST: Duration = Duration::from_secs(1);

/// Files in memory.
#[derive(Debug)]
pub(super) struct Shelf {
    files: Cache<Name, Kept, Weight>,
    /// The moment from which `Kept::checked` counts.
    begun: Instant,
}

/// Where a file is: the folder of the site, the folder below `content/`, the path below that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    root: Box<[u8]>,
    folder: Box<str>,
    file: Box<str>,
}

impl Name {
    fn folder(&self) -> PathBuf {
        let mut path = PathBuf::from(OsStr::from_bytes(&self.root));
        path.push("content");
        path.push(&*self.folder);
        path
    }
}

/// A [`Name`] to look up. The fields are hashed as those are, in the same order.
#[derive(Debug, Clone, Copy, Hash)]
struct NameRef<'a> {
    root: &'a [u8],
    folder: &'a str,
    file: &'a str,
}

impl NameRef<'_> {
    fn to_name(self) -> Name {
        Name { root: self.root.into(), folder: self.folder.into(), file: self.file.into() }
    }
}

impl Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        *self.file == *name.file && *self.folder == *name.folder && *self.root == *name.root
    }
}

/// A file in its place.
#[derive(Debug, Clone)]
struct Kept {
    file: Arc<SmallFile>,
    /// When it was last compared with the disk, in milliseconds from the beginning.
    checked: Arc<AtomicU64>,
    weight: u64,
}

impl Kept {
    fn new(file: Arc<SmallFile>, name: &Name, now: u64) -> Self {
        let names = name.root.len() + name.folder.len() + name.file.len();
        // A weight cannot change in its place, so the codings to come are counted at once: each is smaller than the file, together
        // they are about as large as it.
        let codings = if file.content().is_codable() { file.content().identity().body().len() } else { 0 };
        let weight = (file.content().size() + codings + names) as u64 + OVERHEAD;
        Self { file, checked: Arc::new(AtomicU64::new(now)), weight }
    }

    /// Whether the caller is to compare it with the disk.
    fn claim(&self, now: u64) -> bool {
        let checked = self.checked.load(Ordering::Relaxed);
        u128::from(now.saturating_sub(checked)) >= TRUST.as_millis()
            && self.checked.compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
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
        Self { files, begun: Instant::now() }
    }
}

impl Shelf {
    /// The file at `file` beneath `folder` of the site's content, as the disk has or had it at most a second before `now`.
    pub(super) async fn find(
        shelf: &Arc<Self>,
        root: &Path,
        folder: &str,
        file: &str,
        now: Instant,
    ) -> Result<Found, Absent> {
        let name = NameRef { root: root.as_os_str().as_bytes(), folder, file };
        let now = u64::try_from(now.saturating_duration_since(shelf.begun).as_millis()).unwrap_or(u64::MAX);
        let kept = shelf.files.get(&name);
        if let Some(kept) = &kept
            && !kept.claim(now)
        {
            return Ok(Found::Small(Arc::clone(&kept.file)));
        }
        if !is_servable(file) {
            return Err(Absent);
        }
        let (shelf, name) = (Arc::clone(shelf), name.to_name());
        let fetched = tokio::task::spawn_blocking(move || shelf.fetch(name, kept.map(|kept| kept.file), now)).await;
        fetched.unwrap_or_else(|stopped| match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The process is ending.
            Err(_cancelled) => Err(Absent),
        })
    }

    /// The file on the disk, or `kept` if that is still it. Blocks.
    fn fetch(&self, name: Name, kept: Option<Arc<SmallFile>>, now: u64) -> Result<Found, Absent> {
        match read(&name, kept) {
            Ok(Fetched::Same(file)) => Ok(Found::Small(file)),
            Ok(Fetched::New(file)) => {
                let kept = Kept::new(Arc::clone(&file), &name, now);
                self.files.insert(name, kept);
                Ok(Found::Small(file))
            }
            Ok(Fetched::Fleeting(found)) => {
                self.files.remove(&name);
                Ok(found)
            }
            Err(not_opened) => {
                if let NotOpened::Refused(error) = not_opened {
                    tracing::warn!(%error, file = %name.folder().join(&*name.file).display(), "a file cannot be read");
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

fn read(name: &Name, kept: Option<Arc<SmallFile>>) -> Result<Fetched, NotOpened> {
    let folder = Beneath::folder(&name.folder())?;
    let (file, metadata) = folder.open(&name.file)?;
    let beside = Siblings::open(&folder, &name.file, &metadata);
    let stamp = Stamp::of(&metadata);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_still(&stamp, &beside.stamps())) {
        return Ok(Fetched::Same(Arc::clone(kept)));
    }
    if stamp.size() > LARGEST_SMALL {
        return Ok(Fetched::Fleeting(Found::Large(Box::new(LargeFile::new(file, &metadata, &name.file, beside)))));
    }
    let reading = SmallFile::read(&file, &metadata, &name.file, &beside).map_err(NotOpened::Refused)?;
    match kept {
        Some(kept) if reading.undisturbed && kept.is_confirmed_by(&reading.file) => Ok(Fetched::Same(kept)),
        _ if reading.undisturbed => Ok(Fetched::New(Arc::new(reading.file))),
        _ => Ok(Fetched::Fleeting(Found::Small(Arc::new(reading.file)))),
    }
}
