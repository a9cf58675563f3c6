//! Gathers all files of a site into an archive.
//!
//! The files are those that a load lists and reads, and no others: names that begin with a dot are left out, and so are links, pipes, sockets
//! and devices, as a load leaves them out and says so. It does not know whether the site is sound, nor where the archive goes.

use super::archive::{ToArchive, archive};
use super::origin::Origin;
use super::tree::{ContentFile, FOLDERS, regular_files};
use crate::fields::Coding;
use bytes::Bytes;
use rustix::fs::{Mode, OFlags, open};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::SystemTime;

/// Why the files of a site cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A folder cannot be listed.
    #[error("the site's folders cannot be listed")]
    List,
    /// A file cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// A name is too long, or there are too many.
    #[error("a name is longer than can be written down")]
    Name,
}

/// The bytes of an archive of the site at `origin`, with the files that it has read `beside` its folders. No time in it is later than `latest`.
pub fn pack(origin: &Origin, beside: &BTreeSet<String>, latest: Option<SystemTime>) -> Result<Bytes, PackError> {
    let (root, config) = match origin {
        Origin::Folder(config) => (origin.folder().unwrap_or(Path::new(".")), config),
        Origin::Inside(archive) => return Ok(archive.bytes().clone()),
    };
    let mut files = BTreeMap::new();
    let [routes, layouts, content] = regular_files(root).ok_or(PackError::List)?;
    let [of_routes, of_layouts, of_content] = FOLDERS;
    for (folder, listed) in [(of_routes, routes), (of_layouts, layouts)] {
        for ContentFile { path, .. } in listed {
            let path = format!("{folder}/{path}");
            let (bytes, _) = read(&root.join(&path), &path, OFlags::NOFOLLOW)?;
            files.insert(path, ToArchive { bytes, ..ToArchive::default() });
        }
    }
    let mut times = BTreeMap::new();
    for ContentFile { path, .. } in content {
        let path = format!("{of_content}/{path}");
        let (bytes, modified) = read(&root.join(&path), &path, OFlags::NOFOLLOW)?;
        times.insert(path.clone(), modified);
        files.insert(path, ToArchive { bytes, ..ToArchive::default() });
    }
    for (path, modified) in &times {
        let coded = Coding::ENDINGS.iter().find_map(|(_, ending)| path.strip_suffix(ending));
        let is_outdated = coded.and_then(|coded| times.get(coded)).is_some_and(|coded| modified < coded);
        if let Some(file) = files.get_mut(path) {
            file.is_outdated = is_outdated;
            file.modified = modified.map(|modified| latest.map_or(modified, |latest| modified.min(latest)));
        }
    }
    for path in beside {
        if !files.contains_key(path) {
            let unread = |cause| PackError::Read { path: path.clone(), cause };
            let found = fs::canonicalize(root.join(path)).map_err(unread)?;
            let (bytes, _) = read(&found, path, OFlags::NOFOLLOW)?;
            files.insert(path.clone(), ToArchive { bytes, ..ToArchive::default() });
        }
    }
    let name = origin.config_name().into_owned();
    let (bytes, _) = read(config, &name, OFlags::empty())?;
    files.insert(name.clone(), ToArchive { bytes, ..ToArchive::default() });
    archive(&name, &files).map(Bytes::from).ok_or(PackError::Name)
}

/// What a file holds, and when that was last changed.
fn read(path: &Path, name: &str, more: OFlags) -> Result<(Vec<u8>, Option<SystemTime>), PackError> {
    let read = || {
        // Opening never waits, whatever has been put there since the folder was listed.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | more;
        let mut file = File::from(open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((bytes, metadata.modified().ok()))
    };
    read().map_err(|cause| PackError::Read { path: name.to_owned(), cause })
}
