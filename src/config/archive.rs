//! All files of a site in one piece of memory, as a bundle carries them: an index, and behind it the files as they are, one after the other.
//!
//! Nothing in it depends on when or where it was made but the times of the published files: the paths are sorted, and the contents are not
//! compressed. What is read of it are slices of the one piece, so that a file is sent without a copy of it. It knows bytes and paths, not
//! where the piece comes from nor what the files mean.
//!
//! | Bytes | What |
//! |---|---|
//! | 8 | [`Archive::MAGIC`], which changes when any of this does |
//! | 4 | how many files |
//! | 4 | which of them is `site.toml`, whatever it is called |
//! | for each file: 2, and as many | its path below the site's folder, with `/` |
//! | 1 | 1 if it is a coded file that is older than what it lies beside, else 0 |
//! | 8 | when it was last changed, in seconds since 1970; 0 of what lies elsewhere than below `content/` |
//! | 8 | its length |
//! | 32 | its BLAKE3 digest |
//! | the rest | the files |
//!
//! Numbers begin with their lowest byte.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// No system opens a longer one.
const LONGEST_PATH: usize = 4096;

/// All files of a site.
#[derive(Debug)]
pub struct Archive {
    config: usize,
    /// Sorted by path.
    files: Box<[Archived]>,
    digest: blake3::Hash,
    bytes: Bytes,
}

/// A file of an [`Archive`].
#[derive(Debug, Clone)]
pub struct Archived {
    /// Its path below the site's folder, with `/`.
    pub path: Box<str>,
    /// What it holds: a slice of the archive.
    pub bytes: Bytes,
    /// The BLAKE3 digest of that.
    pub digest: [u8; 32],
    /// When it was last changed, to the second; of what lies below `content/`.
    pub modified: Option<SystemTime>,
    /// Whether it is a coded file that is older than what it lies beside.
    pub is_outdated: bool,
}

/// A file to be put into an archive.
#[derive(Debug, Clone, Default)]
pub(super) struct ToArchive {
    /// What it holds.
    pub(super) bytes: Vec<u8>,
    /// As in [`Archived`].
    pub(super) modified: Option<SystemTime>,
    /// As in [`Archived`].
    pub(super) is_outdated: bool,
}

/// Why some bytes are no archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// They are not those that were put together.
    #[error("what is there is not what was put there")]
    Damaged,
    /// They begin otherwise.
    #[error("it is of a kind that this program does not know")]
    Unknown,
    /// They end too early, or go on behind the end.
    #[error("its length is not what it says")]
    Length,
    /// A path that leads elsewhere, or stands out of order.
    #[error("it names a file that cannot be")]
    Path,
}

/// The bytes of an archive of these files, by their paths; `config` is the path of `site.toml`. `None` if one of the paths cannot be in one,
/// or that of `site.toml` is not among them.
pub(super) fn archive(config: &str, files: &BTreeMap<String, ToArchive>) -> Option<Vec<u8>> {
    let number = |number: usize| u32::try_from(number).ok().map(u32::to_le_bytes);
    let mut bytes = Archive::MAGIC.to_vec();
    bytes.extend(number(files.len())?);
    bytes.extend(number(files.keys().position(|path| path == config)?)?);
    for (path, file) in files {
        let seconds = file.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        bytes.extend(u16::try_from(path.len()).ok().filter(|_| is_plain(path))?.to_le_bytes());
        bytes.extend(path.as_bytes());
        bytes.push(u8::from(file.is_outdated));
        bytes.extend(seconds.map_or(0, |seconds| seconds.as_secs()).to_le_bytes());
        bytes.extend((file.bytes.len() as u64).to_le_bytes());
        bytes.extend(blake3::hash(&file.bytes).as_bytes());
    }
    for file in files.values() {
        bytes.extend(&file.bytes);
    }
    Some(bytes)
}

/// Whether a path stays below the folder that it is relative to.
fn is_plain(path: &str) -> bool {
    path.len() <= LONGEST_PATH && !path.contains('\0') && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

impl Archive {
    /// What the bytes of every archive begin with.
    pub const MAGIC: [u8; 8] = *b"\0siteAR1";

    /// Reads an archive, if its bytes have this BLAKE3 digest.
    pub fn read(bytes: &Bytes, digest: blake3::Hash) -> Result<Self, ArchiveError> {
        if blake3::hash(bytes) != digest {
            return Err(ArchiveError::Damaged);
        }
        Self::undamaged(bytes, digest)
    }

    fn undamaged(bytes: &Bytes, digest: blake3::Hash) -> Result<Self, ArchiveError> {
        let mut rest = Rest { bytes, at: 0 };
        if rest.take()? != Self::MAGIC {
            return Err(ArchiveError::Unknown);
        }
        let count = u32::from_le_bytes(rest.take()?);
        let config = usize::try_from(u32::from_le_bytes(rest.take()?)).unwrap_or(usize::MAX);
        let mut files: Vec<Archived> = Vec::new();
        let mut lengths = Vec::new();
        for _ in 0..count {
            let length = usize::from(u16::from_le_bytes(rest.take()?));
            let path = rest.slice(length)?;
            let path = std::str::from_utf8(&path).ok().filter(|path| is_plain(path)).ok_or(ArchiveError::Path)?;
            if files.last().is_some_and(|before| *before.path >= *path) {
                return Err(ArchiveError::Path);
            }
            let [flags] = rest.take()?;
            let modified = match u64::from_le_bytes(rest.take()?) {
                0 => None,
                seconds => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
            };
            lengths.push(usize::try_from(u64::from_le_bytes(rest.take()?)).map_err(|_wide| ArchiveError::Length)?);
            let digest = rest.take()?;
            files.push(Archived {
                path: path.into(),
                bytes: Bytes::new(),
                digest,
                modified,
                is_outdated: flags & 1 != 0,
            });
        }
        for (file, length) in files.iter_mut().zip(lengths) {
            file.bytes = rest.slice(length)?;
        }
        if rest.at != bytes.len() || config >= files.len() {
            return Err(ArchiveError::Length);
        }
        Ok(Self { config, files: files.into(), digest, bytes: bytes.clone() })
    }

    /// The path of `site.toml`.
    pub fn config(&self) -> &str {
        self.files.get(self.config).map_or("site.toml", |file| &file.path)
    }

    /// All files, sorted by their paths.
    pub fn files(&self) -> &[Archived] {
        &self.files
    }

    /// The file at a path below the site's folder.
    pub fn file(&self, path: &str) -> Option<&Archived> {
        let at = self.files.binary_search_by(|file| (*file.path).cmp(path)).ok()?;
        self.files.get(at)
    }

    /// The files below a folder, which ends with `/`, each with its path there.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Archived)> {
        let start = self.files.partition_point(|file| *file.path < *folder);
        let from = self.files.get(start..).unwrap_or_default();
        from.iter().map_while(move |file| Some((file.path.strip_prefix(folder)?, file)))
    }

    /// The BLAKE3 digest of all of it.
    pub fn digest(&self) -> blake3::Hash {
        self.digest
    }

    /// All of it.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// What has not been read.
struct Rest<'b> {
    bytes: &'b Bytes,
    at: usize,
}

impl Rest<'_> {
    fn slice(&mut self, length: usize) -> Result<Bytes, ArchiveError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(ArchiveError::Length)?;
        let slice = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(slice)
    }

    fn take<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], ArchiveError> {
        let end = self.at.checked_add(LENGTH).ok_or(ArchiveError::Length)?;
        let taken = self.bytes.get(self.at..end).and_then(|bytes| bytes.try_into().ok()).ok_or(ArchiveError::Length)?;
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, ToArchive> {
        let archived = |text: &str| ToArchive { bytes: text.into(), ..ToArchive::default() };
        files.iter().map(|(path, text)| ((*path).to_owned(), archived(text))).collect()
    }

    fn read(bytes: impl Into<Bytes>) -> Result<Archive, ArchiveError> {
        let bytes = bytes.into();
        Archive::read(&bytes, blake3::hash(&bytes))
    }

    fn example() -> Vec<u8> {
        let mut files =
            files(&[("site.toml", "a = 1"), ("content/b.css", "b"), ("content/a/x", ""), ("content-x", "y")]);
        let style = files.get_mut("content/b.css").unwrap();
        style.modified = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(5_700));
        style.is_outdated = true;
        archive("site.toml", &files).unwrap()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let bytes = example();
        assert_eq!(bytes, example(), "the same files, the same bytes");
        let archive = read(bytes.clone()).unwrap();
        assert_eq!(archive.config(), "site.toml");
        assert_eq!(**archive.bytes(), *bytes);
        let paths: Vec<&str> = archive.files().iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["content-x", "content/a/x", "content/b.css", "site.toml"]);
        let below: Vec<&str> = archive.below("content/").map(|(path, _)| path).collect();
        assert_eq!(below, ["a/x", "b.css"]);
        assert_eq!(archive.below("").count(), 4);
        let style = archive.file("content/b.css").unwrap();
        assert_eq!((&*style.bytes, style.is_outdated, style.digest), (&b"b"[..], true, *blake3::hash(b"b").as_bytes()));
        assert_eq!(style.modified, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5)), "to the second");
        assert!(archive.file("content").is_none());
        assert!(archive.file("content/a").is_none());
    }

    #[test]
    fn paths_that_lead_elsewhere_go_neither_in_nor_out() {
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "a\0b"] {
            assert_eq!(archive("site.toml", &files(&[("site.toml", ""), (path, "")])), None, "{path:?}");
        }
        assert_eq!(archive("site.toml", &files(&[("other.toml", "")])), None);
        let sound = archive("site.toml", &files(&[("a/bb", ""), ("site.toml", "")])).unwrap();
        let at = sound.windows(4).position(|window| window == b"a/bb").unwrap();
        for path in [b"a/..", b"/abb", b"z/bb"] {
            let mut bytes = sound.clone();
            bytes[at..at + 4].copy_from_slice(path);
            assert_eq!(read(bytes).err(), Some(ArchiveError::Path), "{path:?}");
        }
    }

    #[test]
    fn no_other_byte_will_do() {
        let bytes = example();
        let digest = blake3::hash(&bytes);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Archive::read(&damaged.into(), digest).err(), Some(ArchiveError::Damaged), "{at}");
        }
    }

    #[test]
    fn no_part_of_an_archive_is_one() {
        let bytes = Bytes::from(example());
        for end in 0..bytes.len() {
            assert!(read(bytes.slice(..end)).is_err(), "{end}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(read(longer).err(), Some(ArchiveError::Length));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_reading_ends(at in 0_usize..200, byte: u8) {
            let mut bytes = example();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Ok(archive) = read(bytes) {
                prop_assert!(archive.files().iter().all(|file| is_plain(&file.path)));
            }
        }
    }
}
