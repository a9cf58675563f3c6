//! What tells that a file changed, and what one load after the other remembers of files by it.
//!
//! A stamp is device, inode, length and two times, of which nobody can set the second back. One that is younger than the coarsest clock of any
//! file system could be that of two contents, so such a file is read again the next time. What is remembered of a file is no business of this
//! one.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Two changes closer together than this may bear the same time on the coarsest clocks that file systems have.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// What changes whenever a file does. Times are seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Nobody can set this one back, as those who copy files do with the other.
    changed: (i64, i64),
}

impl Stamp {
    /// That of a file, or of an open one.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// How long the file is, in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.size
    }

    /// Whether any change after `now` must show in the stamp: one right after the last might bear the same time.
    #[must_use]
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let seconds = u64::try_from(self.changed.0).unwrap_or(0);
        let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.saturating_add(1)));
        changed.and_then(|changed| now.duration_since(changed).ok()).is_some_and(|since| since >= COARSEST_CLOCK)
    }

    /// A digest of it: equal for equal stamps.
    #[must_use]
    pub fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for number in [self.device, self.inode, self.size] {
            hasher.update(&number.to_le_bytes());
        }
        for (seconds, nanoseconds) in [self.modified, self.changed] {
            hasher.update(&seconds.to_le_bytes());
            hasher.update(&nanoseconds.to_le_bytes());
        }
        hasher.finalize()
    }
}

/// What was read of files, by their paths, as long as each load asks for it.
#[derive(Debug, Default)]
pub struct PerFile<V>(Mutex<Kept<V>>);

#[derive(Debug, Default)]
pub(super) struct Kept<V> {
    pub(super) files: HashMap<PathBuf, Remembered<V>>,
    /// Which load this is, counted from the first.
    load: u64,
    /// How many files were read in it.
    read: usize,
}

#[derive(Debug)]
pub(super) struct Remembered<V> {
    pub(super) stamp: Stamp,
    pub(super) value: V,
    /// The last load that asked for it.
    pub(super) load: u64,
}

impl<V: Clone> PerFile<V> {
    /// Begins a load.
    pub fn begin(&self) {
        let mut kept = self.kept();
        kept.load += 1;
        kept.read = 0;
    }

    /// Ends a load: what it did not ask for is forgotten.
    pub fn end(&self) {
        let mut kept = self.kept();
        let load = kept.load;
        kept.files.retain(|_, remembered| remembered.load == load);
    }

    /// How many files the last load read from the disk.
    #[must_use]
    pub fn read_count(&self) -> usize {
        self.kept().read
    }

    /// What is remembered of the file at `path`, if it still has this stamp.
    pub(super) fn find(&self, path: &Path, stamp: Stamp) -> Option<V> {
        let mut kept = self.kept();
        let load = kept.load;
        let remembered = kept.files.get_mut(path).filter(|remembered| remembered.stamp == stamp)?;
        remembered.load = load;
        Some(remembered.value.clone())
    }

    /// Remembers what was read of the file at `path` between the stamps `before` and `after`, if the first was the second and any change
    /// since `begun` must show in it.
    pub(super) fn put(&self, path: &Path, value: V, [before, after]: [Stamp; 2], begun: SystemTime) {
        let mut kept = self.kept();
        kept.read += 1;
        let load = kept.load;
        if before == after && after.is_settled(begun) {
            kept.files.insert(path.to_owned(), Remembered { stamp: after, value, load });
        } else {
            kept.files.remove(path);
        }
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
