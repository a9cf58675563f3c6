//! Files that were sent, while a request is answered: the first of it in memory, what is longer in a file without a name.
//!
//! The file never has a name that anybody could open, or loses it before anything is in it: it is gone with the last that holds it, and
//! with the process whatever ends that. All files of one request share it.

use bytes::{Bytes, BytesMut};
use rustix::fs::{CWD, Mode, OFlags};
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ReadError;

/// A file that was sent.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    /// What the sender calls it, without folders and control characters. It names nothing on this machine.
    pub name: Option<Box<str>>,
    /// What the sender says that it is; nobody has looked.
    pub media_type: Option<Box<str>>,
    /// How long it is.
    pub length: u64,
    /// What is in it; none if it was longer than it may be, or one too many, and was not kept.
    pub content: Option<Content>,
    /// The digest of all of it: two files of the same digest are the same.
    pub digest: [u8; 32],
}

/// What is in a file that was sent.
#[derive(Debug, Clone)]
pub enum Content {
    /// A short one.
    Memory(Bytes),
    /// A part of a file without a name.
    Disk {
        /// The file.
        file: Arc<File>,
        /// Where the part begins.
        offset: u64,
    },
}

/// So much of the file that is being read waits in memory to be written at once.
const CHUNK: usize = 64 << 10;

/// So much of all files stays in memory.
const KEPT: usize = 256 << 10;

/// So much of all files stays in memory where there is nowhere else for them.
const KEPT_WITHOUT_DISK: usize = 1 << 20;

/// Takes the content of the files of one request.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    disk: Disk,
    /// Where the next octet goes in the file.
    end: u64,
    /// How many octets of files that ended are in memory.
    kept: usize,
    /// What of the current file is in memory.
    pending: BytesMut,
    /// Where the current file began in the file, if a part of it is there.
    begun: Option<u64>,
}

#[derive(Debug)]
enum Disk {
    Unasked,
    File(Arc<File>),
    /// There is none, and why.
    None(io::Error),
}

impl Spool {
    /// Nothing yet; what becomes long goes to `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), disk: Disk::Unasked, end: 0, kept: 0, pending: BytesMut::new(), begun: None }
    }

    /// More of the current file.
    pub(super) async fn write(&mut self, data: &[u8]) -> Result<(), ReadError> {
        self.pending.extend_from_slice(data);
        if self.pending.len() >= CHUNK {
            self.spill().await?;
        }
        Ok(())
    }

    /// The end of the current file: what is in it.
    pub(super) async fn finish(&mut self) -> Result<Content, ReadError> {
        if self.begun.is_none() && self.kept + self.pending.len() > KEPT {
            self.spill().await?;
        }
        let Some(offset) = self.begun else {
            self.kept += self.pending.len();
            return Ok(Content::Memory(self.pending.split().freeze()));
        };
        if !self.pending.is_empty() {
            self.spill().await?;
        }
        self.begun = None;
        match &self.disk {
            Disk::File(file) => Ok(Content::Disk { file: Arc::clone(file), offset }),
            Disk::Unasked | Disk::None(_) => Ok(Content::Memory(Bytes::new())),
        }
    }

    /// Forgets the current file.
    pub(super) fn discard(&mut self) {
        self.pending.clear();
        if let Some(offset) = self.begun.take() {
            self.end = offset;
        }
    }

    /// Moves what is in memory of the current file to the disk, if there is one.
    async fn spill(&mut self) -> Result<(), ReadError> {
        if matches!(self.disk, Disk::Unasked) {
            let folder = self.folder.clone();
            let made = tokio::task::spawn_blocking(move || nameless(&folder)).await;
            self.disk = match made.unwrap_or_else(|stopped| Err(stopped.into())) {
                Ok(file) => Disk::File(Arc::new(file)),
                Err(error) => Disk::None(error),
            };
        }
        let file = match &self.disk {
            Disk::File(file) => Arc::clone(file),
            Disk::None(error) if self.kept + self.pending.len() > KEPT_WITHOUT_DISK => {
                return Err(ReadError::NoRoom(io::Error::new(error.kind(), error.to_string())));
            }
            Disk::Unasked | Disk::None(_) => return Ok(()),
        };
        let (data, offset) = (self.pending.split().freeze(), self.end);
        self.begun.get_or_insert(offset);
        self.end += data.len() as u64;
        let written = tokio::task::spawn_blocking(move || file.write_all_at(&data, offset)).await;
        written.unwrap_or_else(|stopped| Err(stopped.into())).map_err(ReadError::NoRoom)
    }
}

/// An empty file without a name, in `folder`.
fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::EXCL;
    match rustix::fs::openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(file.into()),
        // Not every file system has them.
        Err(_unsupported) => unnamed(folder),
    }
}

/// The same where a file must have a name to begin with: it loses it at once.
fn unnamed(folder: &Path) -> io::Result<File> {
    const ATTEMPTS: u32 = 8;
    let random = RandomState::new();
    let mut last = io::ErrorKind::AlreadyExists.into();
    for attempt in 0..ATTEMPTS {
        let name = format!(".siteserver-{}-{:016x}", std::process::id(), random.hash_one(attempt));
        let path = folder.join(name);
        match File::options().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &Content, length: usize) -> Vec<u8> {
        match content {
            Content::Memory(bytes) => bytes.to_vec(),
            Content::Disk { file, offset } => {
                let mut read = vec![0; length];
                file.read_exact_at(&mut read, *offset).unwrap();
                read
            }
        }
    }

    /// A folder of this test alone, so that what is in it can be counted.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("siteserver-spool-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[tokio::test]
    async fn long_files_are_on_disk_short_ones_are_not_and_no_name_is_left() {
        let folder = folder("lengths");
        let mut spool = Spool::new(&folder);
        let lengths =
            [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17, 100_000, 200, 100_000, 60_000, 60_000, 60_000];
        let mut contents = Vec::new();
        for (at, length) in lengths.into_iter().enumerate() {
            let data: Vec<u8> = (0..length).map(|octet| u8::try_from((octet * 7 + at) % 251).unwrap()).collect();
            for chunk in data.chunks(10_007) {
                spool.write(chunk).await.unwrap();
            }
            if at == 6 {
                spool.discard();
                continue;
            }
            contents.push((spool.finish().await.unwrap(), data));
        }
        for (content, data) in &contents {
            assert!(read(content, data.len()) == *data, "{} octets", data.len());
            assert!(data.len() < CHUNK || matches!(content, Content::Disk { .. }), "{} octets", data.len());
        }
        let kept: usize = contents
            .iter()
            .map(|(content, data)| if matches!(content, Content::Memory(_)) { data.len() } else { 0 })
            .sum();
        assert!(kept <= KEPT, "{kept} octets in memory");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "a name is left");
        std::fs::remove_dir(folder).unwrap();
    }

    #[tokio::test]
    async fn without_a_disk_little_is_held_in_memory_and_no_more() {
        let mut spool = Spool::new(Path::new("/nowhere/at/all"));
        let data = vec![b'x'; CHUNK];
        for _ in 0..15 {
            spool.write(&data).await.unwrap();
        }
        let content = spool.finish().await.unwrap();
        assert_eq!(read(&content, 0).len(), 15 * CHUNK);
        let mut full = Ok(());
        for _ in 0..3 {
            full = full.and(spool.write(&data).await);
        }
        assert!(matches!(full, Err(ReadError::NoRoom(_))));
    }

    #[test]
    fn a_file_that_had_a_name_loses_it() {
        let folder = folder("unnamed");
        let file = unnamed(&folder).unwrap();
        file.write_all_at(b"content", 0).unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(folder).unwrap();
    }
}
