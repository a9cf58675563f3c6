//! A site's folder for each input: the files of an archive, as `tests/cases` writes them.

use std::fs;
use std::path::{Path, PathBuf};

/// The most files of an archive that are written.
const MOST_FILES: usize = 24;
/// The longest name of a file.
const LONGEST_NAME: usize = 80;

/// A folder of this process, emptied when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Writes the files of `archive` that may lie in a site; whatever stands before the first is `site.toml`.
    #[must_use]
    pub fn unpack(archive: &str) -> Self {
        let root = ["/dev/shm", "/tmp"].map(Path::new).into_iter().find(|root| root.is_dir()).unwrap_or(Path::new("."));
        let folder = Self(root.join(format!("siteserver-fuzz-{}", std::process::id())));
        let mut files = vec![("site.toml", String::new())];
        for line in archive.split_inclusive('\n') {
            let trimmed = line.trim_end_matches(['\n', '\r']);
            match trimmed.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
                // What a case expects is no part of its site.
                Some("expect") => break,
                Some(path) if files.len() < MOST_FILES => files.push((path, String::new())),
                Some(_) | None => {
                    if let Some((_, content)) = files.last_mut() {
                        content.push_str(line);
                    }
                }
            }
        }
        for (path, content) in files {
            folder.write(path, &content);
        }
        folder
    }

    /// The folder's `site.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("site.toml")
    }

    /// Writes a file, unless its name leads elsewhere or is taken by a folder.
    fn write(&self, path: &str, content: &str) {
        let known = ["routes/", "layouts/", "content/", "fixtures/"].iter().any(|folder| path.starts_with(folder));
        let plain = path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\0');
        if !(path == "site.toml" || known) || !plain || path.len() > LONGEST_NAME {
            return;
        }
        let path = self.0.join(path);
        if path.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok()) {
            fs::write(path, content).unwrap_or_default();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}
