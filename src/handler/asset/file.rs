//! A file found: a small one read and prepared in memory, a large one open.

use crate::cache::{Content, StorableFields, StrongTag};
use crate::fields::{Coding, content_type_of, format_date};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

/// Larger files are sent from the disk, in bytes.
pub(super) const LARGEST_SMALL: u64 = 1 << 20;

/// Two changes closer together than this may bear the same time on the coarsest clocks that file systems have.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// A file that may be served.
#[derive(Debug)]
pub(super) enum Found {
    /// In memory.
    Small(Arc<SmallFile>),
    /// On the disk.
    Large(LargeFile),
}

/// What changes whenever a file does. Times are seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Nobody can set this one back, as those who copy files do with the other.
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whether any change after `now` must show in the stamp: one right after the last might bear the same time.
    fn is_settled(&self, now: SystemTime) -> bool {
        let seconds = u64::try_from(self.changed.0).unwrap_or(0);
        let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.saturating_add(1)));
        changed.and_then(|changed| now.duration_since(changed).ok()).is_some_and(|since| since >= COARSEST_CLOCK)
    }

    fn digest(&self) -> blake3::Hash {
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

/// The time that `Last-Modified` tells: never one to come (RFC 9110, section 8.8.2.1).
fn last_modified(metadata: &Metadata, now: SystemTime) -> SystemTime {
    metadata.modified().map_or(now, |modified| modified.min(now))
}

/// The fields that describe a file of this name. `Cache-Control` is a place to be filled: it is the route's.
fn describe(name: &str, modified: SystemTime) -> HeaderMap {
    let content_type = HeaderValue::from_maybe_shared(Bytes::from(content_type_of(name).into_owned()));
    let modified = HeaderValue::from_bytes(&format_date(modified));
    let mut fields = HeaderMap::with_capacity(12);
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    fields.insert(
        CONTENT_TYPE,
        content_type.unwrap_or_else(|_not_a_value| HeaderValue::from_static("application/octet-stream")),
    );
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(modified) = modified {
        fields.insert(LAST_MODIFIED, modified);
    }
    fields
}

/// A small file: its content in every coding, with fields, and the state of the disk that it was read from.
#[derive(Debug)]
pub(super) struct SmallFile {
    content: Content,
    stamp: Stamp,
    /// Whether the stamp alone tells that the file is the same.
    settled: AtomicBool,
    modified: SystemTime,
    /// Codings that somebody has begun to make.
    claimed: AtomicU8,
}

/// A small file just read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) file: SmallFile,
    /// Whether it was left alone while it was read. If not, this may be half of the old and half of the new, and must not be kept.
    pub(super) undisturbed: bool,
}

impl SmallFile {
    /// Reads `file`, which has this `name`. Blocks.
    pub(super) fn read(file: &File, metadata: &Metadata, name: &str) -> io::Result<Reading> {
        let (stamp, now) = (Stamp::of(metadata), SystemTime::now());
        let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or_default());
        file.take(stamp.size).read_to_end(&mut bytes)?;
        let undisturbed = Stamp::of(&file.metadata()?) == stamp;
        let modified = last_modified(metadata, now);
        // What is here is for everybody, so this cannot fail; without fields it would still be the file.
        let fields = StorableFields::new(describe(name, modified)).unwrap_or_default();
        let tag = StrongTag::from_digest(blake3::hash(&bytes).as_bytes());
        let file = Self {
            content: Content::new(fields, bytes.into(), Some(tag)),
            stamp,
            settled: AtomicBool::new(stamp.is_settled(now)),
            modified,
            claimed: AtomicU8::new(0),
        };
        Ok(Reading { file, undisturbed })
    }

    /// The file in every coding.
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// The time that its `Last-Modified` tells.
    pub(super) fn modified(&self) -> SystemTime {
        self.modified
    }

    /// Whether the file on the disk is certainly still this one.
    pub(super) fn is_still(&self, stamp: &Stamp) -> bool {
        self.settled.load(Ordering::Relaxed) && self.stamp == *stamp
    }

    /// Whether `other`, just read, is the same after all; if so, this now knows what the other knows.
    pub(super) fn is_confirmed_by(&self, other: &Self) -> bool {
        let same = self.stamp == other.stamp && self.content.identity().body() == other.content.identity().body();
        if same {
            self.settled.store(other.settled.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        same
    }

    /// Whether the caller is the first to want `coding`, and hence the one to make it.
    pub(super) fn claim(&self, coding: Coding) -> bool {
        let bit = match coding {
            Coding::Identity => return false,
            Coding::Gzip => 1,
            Coding::Brotli => 2,
            Coding::Zstd => 4,
        };
        self.claimed.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

/// A large file, open: what is under its name may be replaced while it is sent.
#[derive(Debug)]
pub(super) struct LargeFile {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) etag: HeaderValue,
    pub(super) modified: SystemTime,
    pub(super) fields: HeaderMap,
}

impl LargeFile {
    /// `file`, which has this `name`.
    pub(super) fn new(file: File, metadata: &Metadata, name: &str) -> Self {
        let stamp = Stamp::of(metadata);
        let modified = last_modified(metadata, SystemTime::now());
        let etag = StrongTag::from_digest(stamp.digest().as_bytes()).field(Coding::Identity);
        Self { file, length: stamp.size, etag, modified, fields: describe(name, modified) }
    }
}
