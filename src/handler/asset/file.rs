//! A file found, on the disk or inside this program: a small one read and prepared in memory, a large one open.

use super::super::clock;
use super::octets::Octets;
use super::open::{Beneath, NotOpened};
use super::published::{Folder, Published};
use super::sibling::{Siblings, Stamps};
use crate::cache::{Content, StorableFields, StrongTag};
use crate::config::Stamp;
use crate::fields::{Coding, content_type_of, format_date};
use crate::router::Version;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::SystemTime;

/// Larger files are sent from the disk, in bytes.
pub(super) const LARGEST_SMALL: u64 = 1 << 20;

/// For so many milliseconds a file is taken to be what it was.
const TRUST: u64 = 1_000;

/// A file that may be served.
#[derive(Debug)]
pub(super) enum Found {
    /// In memory.
    Small(Arc<SmallFile>, Named),
    /// On the disk.
    Large(Box<LargeFile>, Named),
}

/// How a URL names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// By its name alone: what its route says of caching is true of it.
    Plainly,
    /// By its name and by what it holds: it never means anything else.
    ByVersion,
    /// By its name and by what it held once, or holds elsewhere.
    ByOtherVersion,
}

impl Named {
    /// How a URL names a file that is of one version, if it names the `wanted` one.
    pub(super) fn by(wanted: Version, version: Option<Version>) -> Self {
        if version == Some(wanted) { Self::ByVersion } else { Self::ByOtherVersion }
    }
}

/// A file as it was found.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) octets: Octets,
    modified: Option<SystemTime>,
    beside: Siblings,
}

impl Opened {
    /// The file of this [servable](super::open::is_servable) name in a folder. Blocks.
    pub(super) fn find(folder: &Folder, name: &str) -> Result<Self, NotOpened> {
        match folder {
            Folder::OnDisk(path) => {
                let folder = Beneath::folder(path)?;
                let (file, metadata) = folder.open(name)?;
                let beside = Siblings::open(&folder, name, &metadata);
                let octets = Octets::on_disk(file, &metadata);
                Ok(Self { octets, modified: metadata.modified().ok(), beside })
            }
            Folder::Inside { archive, prefix } => {
                let path = format!("{prefix}{name}");
                let file = archive.file(&path).ok_or(NotOpened::Absent)?;
                let beside = Siblings::inside(archive, &path);
                let octets = Octets::Inside { bytes: file.bytes.clone(), digest: file.digest };
                Ok(Self { octets, modified: Some(file.modified.unwrap_or(SystemTime::UNIX_EPOCH)), beside })
            }
        }
    }
}

/// The time that `Last-Modified` tells: never one to come (RFC 9110, section 8.8.2.1).
fn last_modified(modified: Option<SystemTime>, now: SystemTime) -> SystemTime {
    modified.map_or(now, |modified| modified.min(now))
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
    /// None of what cannot change.
    stamp: Option<Stamp>,
    /// Of what stands beside it in a coding.
    beside: Stamps,
    /// Of its content in all codings: of the very bytes that are sent.
    version: Version,
    /// Whether the stamp alone tells that the file is the same.
    settled: AtomicBool,
    modified: SystemTime,
    /// Codings that somebody has begun to make.
    claimed: AtomicU8,
    /// When it was last compared with the disk, in milliseconds of the [shelf](super::shelf::Shelf); never before the end of time, if it
    /// cannot change.
    checked: AtomicU64,
}

/// A small file just read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) file: SmallFile,
    /// Whether it was left alone while it was read. If not, this may be half of the old and half of the new, and must not be kept.
    pub(super) undisturbed: bool,
}

impl SmallFile {
    /// Reads the file that was `opened`, which has this `name`, to be sent as its folder is `published`. Blocks.
    pub(super) fn read(opened: &Opened, (name, published): (&str, &Published), now: u64) -> io::Result<Reading> {
        let Opened { octets, modified, beside } = opened;
        let (stamp, time) = (octets.stamp(), clock::calendar());
        let (bytes, digest, mut undisturbed) = octets.read()?;
        let modified = last_modified(*modified, time);
        // What a route declares is for everybody, so this cannot fail; a file without what describes it would be shown in another way.
        let described = || StorableFields::new(describe(name, modified)).unwrap_or_default();
        let fields = StorableFields::new(published.of_file(describe(name, modified))).unwrap_or_else(|_| described());
        let mut content = Content::new(fields, bytes, Some(StrongTag::from_digest(&digest)));
        let mut codings = Vec::new();
        for sibling in beside.iter() {
            if sibling.octets.length() > LARGEST_SMALL {
                // It is not sent, but who made the version does not know that.
                codings.extend(sibling.octets.digest()?.map(|digest| (sibling.coding.token(), digest)));
                continue;
            }
            let (bytes, digest, alone) = sibling.octets.read()?;
            undisturbed &= alone;
            content = content.with_coding(sibling.coding, bytes, &StrongTag::from_digest(&digest));
            codings.push((sibling.coding.token(), digest));
        }
        let version = Version::of(&digest, codings.iter().map(|(coding, digest)| (*coding, digest)));
        let beside = beside.stamps();
        let settled = stamp.iter().chain(beside.iter().flatten()).all(|stamp| stamp.is_settled(time));
        let now = if stamp.is_some() { now } else { u64::MAX };
        let (settled, claimed, checked) = (AtomicBool::new(settled), AtomicU8::new(0), AtomicU64::new(now));
        let file = Self { content, stamp, beside, version, settled, modified, claimed, checked };
        Ok(Reading { file, undisturbed })
    }

    /// The file in every coding.
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// What its content is the version of.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// The time that its `Last-Modified` tells.
    pub(super) fn modified(&self) -> SystemTime {
        self.modified
    }

    /// Whether the file that was `opened`, with what stands beside it, is certainly still this one.
    pub(super) fn is_still(&self, opened: &Opened) -> bool {
        let Opened { octets, modified: _, beside } = opened;
        self.settled.load(Ordering::Relaxed) && self.stamp == octets.stamp() && self.beside == beside.stamps()
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

/// A large file. One on the disk is open: what is under its name may be replaced while it is sent.
#[derive(Debug)]
pub(super) struct LargeFile {
    pub(super) octets: Octets,
    pub(super) etag: HeaderValue,
    pub(super) modified: SystemTime,
    pub(super) fields: HeaderMap,
    /// Whether it breaks off if the file changes while it is sent.
    pub(super) must_last: bool,
    /// The codings that it was made in beforehand.
    beside: Siblings,
}

impl LargeFile {
    /// The file that was `opened`, which has this `name`.
    pub(super) fn new(opened: Opened, name: &str) -> Self {
        let Opened { octets, modified, beside } = opened;
        let modified = last_modified(modified, clock::calendar());
        let mut fields = describe(name, modified);
        if beside.iter().next().is_some() {
            fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        Self { etag: octets.tag(Coding::Identity), octets, modified, fields, must_last: false, beside }
    }

    /// What it is a version of, if that can be told for as long as it is sent: on the disk only of what did not change of late, because any
    /// change from now on shows then. `digest` gives the digests of what is on the disk.
    pub(super) fn version(
        &self,
        digest: impl Fn(&Octets) -> io::Result<Option<[u8; 32]>>,
    ) -> io::Result<Option<Version>> {
        let Some(own) = digest(&self.octets)? else { return Ok(None) };
        let mut codings = Vec::new();
        for sibling in self.beside.iter() {
            let Some(digest) = digest(&sibling.octets)? else { return Ok(None) };
            codings.push((sibling.coding.token(), digest));
        }
        Ok(Some(Version::of(&own, codings.iter().map(|(coding, digest)| (*coding, digest)))))
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
        Self { etag: sibling.octets.tag(coding), octets: sibling.octets, ..self }
    }
}
