//! Small files kept in memory, bounded by bytes, each compared with the disk once a second at most, if it comes from there.
//!
//! Whoever finds a file due claims the comparison, so that the disk is asked once however many want the file; the others get what
//! there is, as old as the comparison takes longer than the second.

use super::super::clock;
use super::Absent;
use super::file::{Found, LARGEST_SMALL, LargeFile, Named, Opened, SmallFile};
use super::octets::Octets;
use super::open::{NotOpened, is_servable};
use super::published::{Identity, Published};
use crate::config::Stamp;
use crate::router::Version;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// All files that are kept in memory together, in bytes.
pub const FILES_KEPT: u64 = 32 << 20;
/// A file of a usual site, in bytes.
const USUAL: usize = 16 << 10;
/// Few enough that each takes several of the largest files.
const SHARDS: usize = 4;
/// So many digests of large files are remembered.
const DIGESTS_KEPT: usize = 4096;
/// Memory of the cache's own for each file, and of the fields of its 304, in bytes.
const OVERHEAD: u64 = 1 << 10;

/// Files in memory.
#[derive(Debug)]
pub(super) struct Shelf {
    files: Cache<Name, Kept, Weight>,
    /// The digests of large files whose versions were asked for, by what changes whenever they do; `None` while a thread reads the file for
    /// it. Nobody waits for that: until it is known, it is not told.
    digests: Mutex<HashMap<Stamp, Option<[u8; 32]>>>,
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
    named: Named,
    weight: u64,
}

impl Kept {
    fn new(file: Arc<SmallFile>, named: Named, name: &Name) -> Self {
        let length = size_of::<Name>() + name.file.len();
        // A weight cannot change in its place, so the codings to come are counted at once: each is smaller than the file, together
        // they are about as large as it.
        let codings = if file.content().is_codable() { file.content().identity().body().len() } else { 0 };
        let weight = (file.content().size() + codings + length) as u64 + OVERHEAD;
        Self { file, named, weight }
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
        Self { files, digests: Mutex::default(), begun: clock::ticking() }
    }
}

impl Shelf {
    /// The file at `file` beneath the folder that is `published`, and how that names it, if it is kept and nobody has to compare it with the
    /// disk at `now`.
    pub(super) fn at_hand(&self, published: &Published, file: &str, now: Instant) -> Option<(Arc<SmallFile>, Named)> {
        let kept = self.files.get(&NameRef { published: published.identity(), file })?;
        (!kept.file.is_due(self.milliseconds(now))).then_some((kept.file, kept.named))
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
            Some(kept) if !kept.file.claim_comparison(now) => return Ok(Found::Small(kept.file, kept.named)),
            kept => kept,
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

    /// The file on the disk, or `kept` if that is still it; if there is none of this name, the one that the name is a version of. Blocks.
    fn fetch(&self, name: Name, published: &Published, kept: Option<Kept>, now: u64) -> Result<Found, Absent> {
        let versions = published.has_versions().then(|| Version::split(&name.file)).flatten();
        // What is kept under the name of a version is the file of the name without it.
        let (own, kept) = match kept {
            Some(Kept { file, named: Named::Plainly, .. }) => (Some(file), None),
            kept => (None, kept.map(|kept| kept.file)),
        };
        match (read(&name.file, published, own, now), versions) {
            (Err(NotOpened::Absent), Some((plain, version))) => {
                let plain = Name { published: name.published, file: plain.into() };
                self.fetch_version(name, (plain, version), published, kept, now)
            }
            (Ok(Fetched::Same(file)), _) => Ok(Found::Small(file, Named::Plainly)),
            (Ok(Fetched::New(file)), _) => {
                self.keep(name, &file, Named::Plainly);
                Ok(Found::Small(file, Named::Plainly))
            }
            (Ok(Fetched::Fleeting(found)), _) => {
                self.files.remove(&name);
                Ok(found)
            }
            (Err(not_opened), _) => Err(self.absent(&name, published, not_opened)),
        }
    }

    /// The file called `plain`, for a URL that names a `version` of it by `name`; `kept` is what is kept under that. Blocks.
    ///
    /// What is called that version is so by the digest of the very bytes that are sent, or, of a large file, of the open file that they are
    /// read from as long as that does not change.
    fn fetch_version(
        &self,
        name: Name,
        (plain, version): (Name, Version),
        published: &Published,
        kept: Option<Arc<SmallFile>>,
        now: u64,
    ) -> Result<Found, Absent> {
        let beside = self.files.get(&plain).map(|kept| kept.file);
        if kept.is_none()
            && let Some(file) = beside.as_ref().filter(|file| !file.claim_comparison(now))
        {
            // It was compared with the disk within the second.
            let named = Named::by(version, Some(file.version()));
            if named == Named::ByVersion {
                self.keep(name, file, named);
            }
            return Ok(Found::Small(Arc::clone(file), named));
        }
        let known = kept.or(beside);
        let found = match read(&plain.file, published, known, now) {
            Ok(Fetched::Same(file) | Fetched::New(file)) => {
                let named = Named::by(version, Some(file.version()));
                if named == Named::ByVersion {
                    self.keep(name, &file, named);
                } else {
                    // Under a name of its own each version that there is not would take as much again.
                    self.files.remove(&name);
                    self.keep(plain, &file, Named::Plainly);
                }
                return Ok(Found::Small(file, named));
            }
            Ok(Fetched::Fleeting(found)) => found,
            Err(not_opened) => {
                self.files.remove(&name);
                return Err(self.absent(&plain, published, not_opened));
            }
        };
        self.files.remove(&name);
        Ok(match found {
            Found::Small(file, _) => {
                let named = Named::by(version, Some(file.version()));
                Found::Small(file, named)
            }
            Found::Large(mut large, _) => {
                let named = Named::by(version, self.version_of(&large).unwrap_or_default());
                large.must_last = named == Named::ByVersion;
                Found::Large(large, named)
            }
        })
    }

    /// What a large file is a version of, if that can be told for as long as it is sent. Blocks.
    fn version_of(&self, large: &LargeFile) -> io::Result<Option<Version>> {
        let now = clock::calendar();
        large.version(|octets: &Octets| {
            let Some(stamp) = octets.stamp() else { return octets.digest() };
            if !stamp.is_settled(now) {
                return Ok(None);
            }
            if let Entry::Vacant(entry) = self.digests().entry(stamp) {
                entry.insert(None);
            } else {
                return Ok(self.digests().get(&stamp).copied().flatten());
            }
            let read = octets.digest();
            let mut digests = self.digests();
            digests.remove(&stamp);
            if digests.len() >= DIGESTS_KEPT {
                digests.clear();
            }
            let digest = read?;
            digests.extend(digest.map(|digest| (stamp, Some(digest))));
            Ok(digest)
        })
    }

    fn digests(&self) -> MutexGuard<'_, HashMap<Stamp, Option<[u8; 32]>>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file under a name, unless it is there.
    fn keep(&self, name: Name, file: &Arc<SmallFile>, named: Named) {
        let known = self.files.get(&name);
        if !known.is_some_and(|known| Arc::ptr_eq(&known.file, file) && known.named == named) {
            let kept = Kept::new(Arc::clone(file), named, &name);
            self.files.insert(name, kept);
        }
    }

    /// Nothing is kept under a name that names nothing; what the machine refuses is logged.
    fn absent(&self, name: &Name, published: &Published, not_opened: NotOpened) -> Absent {
        if let NotOpened::Refused(error) = not_opened {
            let folder = published.place();
            tracing::warn!(%error, file = %folder.path().join(&*name.file).display(), "a file cannot be read");
        }
        self.files.remove(name);
        Absent
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
        return Ok(Fetched::Fleeting(Found::Large(Box::new(LargeFile::new(opened, name)), Named::Plainly)));
    }
    let reading = SmallFile::read(&opened, (name, published), now).map_err(NotOpened::Refused)?;
    match kept {
        Some(kept) if reading.undisturbed && kept.is_confirmed_by(&reading.file) => Ok(Fetched::Same(kept)),
        _ if reading.undisturbed => Ok(Fetched::New(Arc::new(reading.file))),
        _ => Ok(Fetched::Fleeting(Found::Small(Arc::new(reading.file), Named::Plainly))),
    }
}
