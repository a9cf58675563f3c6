//! What a file holds, wherever that is: open on the disk, where it may change, or in memory, inside this program.

use super::super::body::Body;
use crate::cache::StrongTag;
use crate::fields::Coding;
use bytes::Bytes;
use http::HeaderValue;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt};
use std::time::{Duration, SystemTime};

/// Two changes closer together than this may bear the same time on the coarsest clocks that file systems have.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// How much of a file is read at once for its digest, in bytes.
const CHUNK: usize = 128 << 10;

/// What changes whenever a file does. Times are seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Nobody can set this one back, as those who copy files do with the other.
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether any change after `now` must show in the stamp: one right after the last might bear the same time.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
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

/// What a file holds.
#[derive(Debug)]
pub(super) enum Octets {
    /// It is open, and was like that when it was opened.
    OnDisk { file: File, stamp: Stamp },
    /// It is in memory for good; its BLAKE3 digest is known.
    Inside { bytes: Bytes, digest: [u8; 32] },
}

impl Octets {
    /// An open file.
    pub(super) fn on_disk(file: File, metadata: &Metadata) -> Self {
        Self::OnDisk { file, stamp: Stamp::of(metadata) }
    }

    /// In bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::OnDisk { stamp, .. } => stamp.size,
            Self::Inside { bytes, .. } => bytes.len() as u64,
        }
    }

    /// What tells a change, where there can be one.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::OnDisk { stamp, .. } => Some(*stamp),
            Self::Inside { .. } => None,
        }
    }

    /// A validator without a look at the content, if it is on the disk: it changes whenever the file does.
    pub(super) fn tag(&self, coding: Coding) -> HeaderValue {
        match self {
            Self::OnDisk { stamp, .. } => StrongTag::from_digest(stamp.digest().as_bytes()).field(coding),
            Self::Inside { digest, .. } => StrongTag::from_digest(digest).field(coding),
        }
    }

    /// All of it, the BLAKE3 digest of that, and whether it was left alone meanwhile. Blocks.
    pub(super) fn read(&self) -> io::Result<(Bytes, [u8; 32], bool)> {
        match self {
            Self::OnDisk { file, stamp } => {
                let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or_default());
                file.take(stamp.size).read_to_end(&mut bytes)?;
                let undisturbed = Stamp::of(&file.metadata()?) == *stamp;
                let digest = *blake3::hash(&bytes).as_bytes();
                Ok((bytes.into(), digest, undisturbed))
            }
            Self::Inside { bytes, digest } => Ok((bytes.clone(), *digest, true)),
        }
    }

    /// The BLAKE3 digest of all of it, if it was left alone meanwhile. Blocks.
    pub(super) fn digest(&self) -> io::Result<Option<[u8; 32]>> {
        let (file, stamp) = match self {
            Self::OnDisk { file, stamp } => (file, stamp),
            Self::Inside { digest, .. } => return Ok(Some(*digest)),
        };
        let (mut hasher, mut chunk, mut at) = (blake3::Hasher::new(), vec![0; CHUNK], 0);
        loop {
            let length = match file.read_at(&mut chunk, at) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(chunk.get(..length).unwrap_or_default());
            at += length as u64;
        }
        let undisturbed = Stamp::of(&file.metadata()?) == *stamp;
        Ok(undisturbed.then(|| *hasher.finalize().as_bytes()))
    }

    /// `length` bytes from `offset` on, which lie within it. If it `must_last`, the body breaks off when the file changes while it is sent.
    pub(super) fn part(self, offset: u64, length: u64, must_last: bool) -> Body {
        match self {
            Self::OnDisk { file, stamp } if must_last => {
                Body::lasting_file(file, offset, length, move |metadata| Stamp::of(metadata) == stamp)
            }
            Self::OnDisk { file, .. } => Body::file(file, offset, length),
            Self::Inside { bytes, .. } => {
                let position = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(position(offset)..position(offset.saturating_add(length))).into()
            }
        }
    }
}
