//! A file found: a small one read and prepared in memory, a large one open.

use super::super::clock;
use super::published::Published;
use super::sibling::{Siblings, Stamps};
use crate::cache::{Content, StorableFields, StrongTag};
use crate::fields::{Coding, content_type_of, format_date};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Larger files are sent from the disk, in bytes.
pub(super) const LARGEST_SMALL: u64 = 1 << 20;

/// For so many milliseconds a file is taken to be what it was.
const TRUST: u64 = 1_000;

/// Two changes closer together than this may bear the same time on the coarsest clocks that file systems have.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// A file that may be served.
#[derive(Debug)]
pub(super) enum Found {
    /// In memory.
    Small(Arc<SmallFile>),
    /// On the disk.
    Large(Box<LargeFile>),
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

    /// A validator: it changes whenever the file does.
    fn tag(&self, coding: Coding) -> HeaderValue {
        StrongTag::from_digest(self.digest().as_bytes()).field(coding)
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

/// The fields that describe a file of this name.
fn describe(name: &str, modified: SystemTime) -> HeaderMap {
    let content_type = HeaderValue::from_maybe_shared(Bytes::from(content_type_of(name).into_owned()));
    let modified = HeaderValue::from_bytes(&format_date(modified));
    let mut fields = HeaderMap::with_capacity(12);
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
    /// Of what stands beside it in a coding.
    beside: Stamps,
    /// Whether the stamp alone tells that the file is the same.
    settled: AtomicBool,
    modified: SystemTime,
    /// Codings that somebody has begun to make.
    claimed: AtomicU8,
    /// When it was last compared with the disk, in milliseconds of the [shelf](super::shelf::Shelf).
    checked: AtomicU64,
}

/// All of `file`, and whether it was left alone meanwhile.
fn read(file: &File, stamp: &Stamp) -> io::Result<(Bytes, bool)> {
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or_default());
    file.take(stamp.size).read_to_end(&mut bytes)?;
    let undisturbed = Stamp::of(&file.metadata()?) == *stamp;
    Ok((bytes.into(), undisturbed))
}

/// A small file just read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) file: SmallFile,
    /// Whether it was left alone while it was read. If not, this may be half of the old and half of the new, and must not be kept.
    pub(super) undisturbed: bool,
}

impl SmallFile {
    /// Reads `file`, which has this `name`, and what stands `beside` it, to be sent as its folder is `published`. Blocks.
    pub(super) fn read(
        file: &File,
        metadata: &Metadata,
        (name, published): (&str, &Published),
        beside: &Siblings,
        now: u64,
    ) -> io::Result<Reading> {
        let (stamp, time) = (Stamp::of(metadata), clock::calendar());
        let (bytes, mut undisturbed) = read(file, &stamp)?;
        let modified = last_modified(metadata, time);
        // What a route declares is for everybody, so this cannot fail; a file without what describes it would be shown in another way.
        let described = || StorableFields::new(describe(name, modified)).unwrap_or_default();
        let fields = StorableFields::new(published.of_file(describe(name, modified))).unwrap_or_else(|_| described());
        let tag = StrongTag::from_digest(blake3::hash(&bytes).as_bytes());
        let mut content = Content::new(fields, bytes, Some(tag));
        for sibling in beside.iter().filter(|sibling| sibling.stamp.size <= LARGEST_SMALL) {
            let (bytes, alone) = read(&sibling.file, &sibling.stamp)?;
            undisturbed &= alone;
            let tag = StrongTag::from_digest(blake3::hash(&bytes).as_bytes());
            content = content.with_coding(sibling.coding, bytes, &tag);
        }
        let beside = beside.stamps();
        let settled = stamp.is_settled(time) && beside.iter().flatten().all(|stamp| stamp.is_settled(time));
        let (settled, claimed, checked) = (AtomicBool::new(settled), AtomicU8::new(0), AtomicU64::new(now));
        let file = Self { content, stamp, beside, settled, modified, claimed, checked };
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

    /// Whether the file on the disk, with what stands `beside` it, is certainly still this one.
    pub(super) fn is_still(&self, stamp: &Stamp, beside: &Stamps) -> bool {
        self.settled.load(Ordering::Relaxed) && self.stamp == *stamp && self.beside == *beside
    }

    /// Whether `other`, just read, is the same after all; if so, this now knows what the other knows.
    pub(super) fn is_confirmed_by(&self, other: &Self) -> bool {
        let same =
            self.stamp == other.stamp && self.beside == other.beside && self.content.has_bytes_of(&other.content);
        if same {
            self.settled.store(other.settled.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        same
    }

    /// Whether it has been taken to be what it was for long enough at `now`.
    pub(super) fn is_due(&self, now: u64) -> bool {
        now.saturating_sub(self.checked.load(Ordering::Relaxed)) >= TRUST
    }

    /// The same; if so, the caller is to compare it with the disk, and nobody else.
    pub(super) fn claim_comparison(&self, now: u64) -> bool {
        let checked = self.checked.load(Ordering::Relaxed);
        now.saturating_sub(checked) >= TRUST
            && self.checked.compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
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
    /// The codings that it was made in beforehand.
    beside: Siblings,
}

impl LargeFile {
    /// `file`, which has this `name`, and what stands `beside` it.
    pub(super) fn new(file: File, metadata: &Metadata, name: &str, beside: Siblings) -> Self {
        let stamp = Stamp::of(metadata);
        let modified = last_modified(metadata, clock::calendar());
        let mut fields = describe(name, modified);
        if beside.iter().next().is_some() {
            fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        Self { file, length: stamp.size, etag: stamp.tag(Coding::Identity), modified, fields, beside }
    }

    /// The codings that it can be sent in.
    pub(super) fn codings(&self) -> Vec<Coding> {
        self.beside.iter().map(|sibling| sibling.coding).collect()
    }

    /// The same in `coding`, if it was made in that.
    #[must_use]
    pub(super) fn in_coding(mut self, coding: Coding) -> Self {
        let Some(sibling) = self.beside.take(coding) else { return self };
        self.fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        Self { file: sibling.file, length: sibling.stamp.size, etag: sibling.stamp.tag(coding), ..self }
    }
}
