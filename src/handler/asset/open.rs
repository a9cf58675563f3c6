//! Opening a regular file beneath a folder.
//!
//! Safe by construction: the kernel resolves the path beneath the open folder and follows no symbolic link on the way, so there is
//! no moment between a check and its use. Opening never waits, whatever stands under the name.

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How a folder on the way is opened: only to be stood on.
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How the file is opened: a pipe without a writer must not make us wait, nor a terminal become ours.
const FILE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Why there is no file to serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    /// Nothing is there, or no regular file, or a symbolic link is on the way.
    #[error("there is no regular file")]
    Absent,
    /// The machine refuses: permissions, too many open files, a broken disk.
    #[error(transparent)]
    Refused(io::Error),
}

impl From<Errno> for NotOpened {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::XDEV | Errno::NXIO => Self::Absent,
            error => Self::Refused(error.into()),
        }
    }
}

/// Whether `file` can be the path of a file that is served: names joined by single slashes, none of which begins with a dot.
///
/// Names with dots in front are private by custom (`.git`, `.env`), and two of them lead elsewhere (`.`, `..`).
pub(super) fn is_servable(file: &str) -> bool {
    !file.contains('\0') && file.split('/').all(|name| !name.is_empty() && !name.starts_with('.'))
}

/// A folder that is open: what lies beneath it stays the same however its name is redirected meanwhile.
#[derive(Debug)]
pub(super) struct Beneath(OwnedFd);

impl Beneath {
    /// Opens `folder`, which may be reached over symbolic links: it is the declaration's word.
    pub(super) fn folder(folder: &Path) -> Result<Self, NotOpened> {
        Ok(Self(open(folder, FOLDER, Mode::empty())?))
    }

    /// Opens the regular file at the [servable](is_servable) path `file`. No symbolic link is followed on the way.
    pub(super) fn open(&self, file: &str) -> Result<(File, Metadata), NotOpened> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let opened = rustix::io::retry_on_intr(|| openat2(&self.0, file, FILE, Mode::empty(), resolve));
        match opened {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => regular(self.walk(file)?),
            opened => regular(opened?),
        }
    }

    /// Opens `file` name by name, without following a link at any: what `openat2` does at once.
    fn walk(&self, file: &str) -> Result<OwnedFd, Errno> {
        let mut reached: Option<OwnedFd> = None;
        let mut names = file.split('/').peekable();
        while let Some(name) = names.next() {
            let here = reached.as_ref().unwrap_or(&self.0);
            let flags = if names.peek().is_some() { FOLDER | OFlags::NOFOLLOW } else { FILE };
            let next = rustix::io::retry_on_intr(|| openat(here, name, flags, Mode::empty()))?;
            reached = Some(next);
        }
        reached.ok_or(Errno::NOENT)
    }
}

fn regular(opened: OwnedFd) -> Result<(File, Metadata), NotOpened> {
    let file = File::from(opened);
    let metadata = file.metadata().map_err(NotOpened::Refused)?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(NotOpened::Absent) }
}

#[cfg(test)]
pub(super) fn open_beneath(folder: &Path, file: &str) -> Result<(File, Metadata), NotOpened> {
    Beneath::folder(folder)?.open(file)
}

/// What [`Beneath::open`] does where there is no `openat2`.
#[cfg(test)]
pub(super) fn walk_beneath(folder: &Path, file: &str) -> Result<(File, Metadata), NotOpened> {
    regular(Beneath::folder(folder)?.walk(file)?)
}
