//! The digests of published files, remembered from one load to the next: a file that did not change is not read again.
//!
//! What they are for is no business of this file. A bundle has those of all its files.

use super::origin::Origin;
use super::stamp::{PerFile, Stamp};
use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

/// Digests by the paths of files below `content/`.
pub type Digests = PerFile<[u8; 32]>;

impl PerFile<[u8; 32]> {
    /// The BLAKE3 digest of the file at `path` below `content/` of the site at `origin`.
    pub fn digest(&self, origin: &Origin, path: &str) -> io::Result<[u8; 32]> {
        let Some(folder) = origin.folder() else {
            let Origin::Inside(archive) = origin else { return Err(ErrorKind::NotFound.into()) };
            return Ok(archive.file(&format!("content/{path}")).ok_or(ErrorKind::NotFound)?.digest);
        };
        let (file, stamp) = opened(&folder.join("content").join(path))?;
        let path = Path::new(path);
        if let Some(digest) = self.find(path, stamp) {
            return Ok(digest);
        }
        let now = SystemTime::now();
        let digest = *blake3::Hasher::new().update_reader(&file)?.finalize().as_bytes();
        self.put(path, digest, [stamp, Stamp::of(&file.metadata()?)], now);
        Ok(digest)
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

#[cfg(test)]
mod tests {
    use super::super::stamp::Remembered;
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
        digests.kept().files.insert("a.css".into(), Remembered { stamp, value: [7; 32], load: 0 });
        assert_eq!(load(), ([7; 32], 0));
        digests.begin();
        digests.end();
        assert!(digests.kept().files.is_empty(), "what a load does not ask for is forgotten");
        assert!(digests.digest(&origin, "b.css").is_err());
        assert!(digests.digest(&origin, "..").is_err());
        fs::remove_dir_all(root).unwrap();
    }
}
