//! Writing a folder whole, or not at all.
//!
//! A folder that is not there yet is written beside its place, under another name, and moved there when it is complete. One that is there
//! and empty may be where somebody's shell stands, so it stays: its files are written one by one, and taken away again if one of them cannot
//! be. It knows nothing of what the files are.

use anyhow::{Context as _, bail};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A folder that is to be filled: absent, or empty.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    is_there: bool,
}

impl Target {
    /// Whether a folder can be filled.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        let said = path.display();
        let is_there = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error).with_context(|| format!("cannot look at `{said}`")),
            Ok(_) if !path.is_dir() => bail!("`{said}` is there, and is no folder; nothing was written"),
            Ok(_) => {
                let mut entries = fs::read_dir(path).with_context(|| format!("cannot look into `{said}`"))?;
                if entries.next().is_some() {
                    bail!(
                        "`{said}` is not empty; nothing was written: name a folder that is not there yet, or an empty one"
                    );
                }
                true
            }
        };
        Ok(Self { path: path.to_owned(), is_there })
    }

    /// What the folder is called, also that of `.`.
    pub(super) fn name(&self) -> Option<String> {
        let whole = if self.is_there { fs::canonicalize(&self.path).ok()? } else { self.path.clone() };
        Some(whole.file_name()?.to_string_lossy().into_owned())
    }

    /// Writes the files, each by its path in the folder.
    pub(super) fn write(&self, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        let place = if self.is_there { self.path.clone() } else { self.beside()? };
        let mut made = Vec::new();
        let written = fill(&place, &self.path, files, &mut made).and_then(|()| self.take(&place));
        if written.is_err() {
            // As far as it can be: what is said is why it could not be written.
            take_away(&place, &made);
            if !self.is_there {
                fs::remove_dir(&place).unwrap_or_default();
            }
        }
        written
    }

    /// A new folder beside the place, so that moving it there is one step.
    fn beside(&self) -> anyhow::Result<PathBuf> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let place = parent.join(format!(".{name}.{}.being-written", std::process::id()));
        fs::create_dir(&place).with_context(|| format!("cannot make `{}`", self.path.display()))?;
        Ok(place)
    }

    /// Moves it there. An empty folder that has come there meanwhile gives way, and a full one does not.
    fn take(&self, place: &Path) -> anyhow::Result<()> {
        if self.is_there {
            return Ok(());
        }
        fs::rename(place, &self.path).with_context(|| format!("cannot make `{}`", self.path.display()))
    }
}

/// Writes the files, and notes which there are because of that. Errors name them as they will be: in `asked`, which the author gave.
fn fill(place: &Path, asked: &Path, files: &[(String, Vec<u8>)], made: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for (name, bytes) in files {
        let path = place.join(name);
        let cannot = || format!("cannot write `{}`; nothing was written", asked.join(name).display());
        fs::create_dir_all(path.parent().unwrap_or(place)).with_context(cannot)?;
        let mut file = fs::File::create_new(&path).with_context(cannot)?;
        made.push(path.clone());
        file.write_all(bytes).with_context(cannot)?;
    }
    Ok(())
}

/// Takes away what was made, and the folders that are empty then.
fn take_away(place: &Path, made: &[PathBuf]) {
    for path in made {
        fs::remove_file(path).unwrap_or_default();
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != place) {
            fs::remove_dir(folder).unwrap_or_default();
        }
    }
}
