//! The digests of published files, remembered from one load to the next: a file that did not change is not read again.
//!
//! What they are for is no business of this file. A bundle has those of all its files.

use super::origin::Origin;
use super::texts::Stamp;
use rustix::fs::{Mode, OFlags, open};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 128 << 10;

/// Digests by the paths of files below `content/`.
#[derive(Debug, Default)]
pub struct Digests(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    digests: HashMap<String, Remembered>,
    /// Which load this is, counted from the first.
    load: u64,
    /// How many files were read in it.
    read: usize,
}

#[derive(Debug)]
struct Remembered {
    stamp: Stamp,
    digest: [u8; 32],
    /// The last load that asked for it.
    load: u64,
}

impl Digests {
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
        kept.digests.retain(|_, remembered| remembered.load == load);
    }

    /// How many files the last load read.
    #[must_use]
    pub fn read_count(&self) -> usize {
        self.kept().read
    }

    /// The BLAKE3 digest of the file at `path` below `content/` of the site at `origin`.
    pub fn digest(&self, origin: &Origin, path: &str) -> io::Result<[u8; 32]> {
        let Some(folder) = origin.folder() else {
            let Origin::Inside(archive) = origin else { return Err(ErrorKind::NotFound.into()) };
            return Ok(archive.file(&format!("content/{path}")).ok_or(ErrorKind::NotFound)?.digest);
        };
        let (file, stamp) = opened(&folder.join("content").join(path))?;
        {
            let mut kept = self.kept();
            let load = kept.load;
            if let Some(remembered) = kept.digests.get_mut(path).filter(|remembered| remembered.stamp == stamp) {
                remembered.load = load;
                return Ok(remembered.digest);
            }
        }
        let now = SystemTime::now();
        let digest = read(&file)?;
        let is_lasting = Stamp::of(&file.metadata()?) == stamp && stamp.is_settled(now);
        let mut kept = self.kept();
        kept.read += 1;
        let load = kept.load;
        if is_lasting {
            kept.digests.insert(path.to_owned(), Remembered { stamp, digest, load });
        } else {
            kept.digests.remove(path);
        }
        Ok(digest)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The regular file at `path`. Opening never waits.
fn opened(path: &Path) -> io::Result<(File, Stamp)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok((file, Stamp::of(&metadata)))
}

fn read(mut file: &File) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(*hasher.finalize().as_bytes()),
            Ok(length) => {
                hasher.update(chunk.get(..length).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_did_not_change_is_not_read_again() {
        let root = std::env::temp_dir().join(format!("siteserver-digests-{}", std::process::id()));
        fs::create_dir_all(root.join("content")).unwrap();
        let path = root.join("content/a.css");
        let origin = Origin::Folder(root.join("site.toml"));
        let digests = Digests::default();
        let load = || {
            digests.begin();
            let digest = digests.digest(&origin, "a.css").unwrap();
            digests.end();
            (digest, digests.read_count())
        };
        fs::write(&path, "one").unwrap();
        assert_eq!(load(), (*blake3::hash(b"one").as_bytes(), 1));
        fs::write(&path, "two").unwrap();
        assert_eq!(load(), (*blake3::hash(b"two").as_bytes(), 1), "of the same length, and at once");
        // As if it had been read when its stamp had settled.
        let (_, stamp) = opened(&path).unwrap();
        digests.kept().digests.insert("a.css".to_owned(), Remembered { stamp, digest: [7; 32], load: 0 });
        assert_eq!(load(), ([7; 32], 0));
        digests.begin();
        digests.end();
        assert!(digests.kept().digests.is_empty(), "what a load does not ask for is forgotten");
        assert!(digests.digest(&origin, "b.css").is_err());
        assert!(digests.digest(&origin, "..").is_err());
        fs::remove_dir_all(root).unwrap();
    }
}
