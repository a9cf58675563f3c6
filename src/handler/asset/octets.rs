//! What a file holds, wherever that is: open on the disk, where it may change, or in memory, inside this program.

use super::super::body::Body;
use crate::cache::StrongTag;
use crate::config::Stamp;
use crate::fields::Coding;
use bytes::Bytes;
use http::HeaderValue;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};

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
            Self::OnDisk { stamp, .. } => stamp.length(),
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
                let mut bytes = Vec::with_capacity(usize::try_from(stamp.length()).unwrap_or_default());
                file.take(stamp.length()).read_to_end(&mut bytes)?;
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
        let (mut hasher, mut whole) = (blake3::Hasher::new(), file);
        whole.rewind()?;
        hasher.update_reader(whole)?;
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
