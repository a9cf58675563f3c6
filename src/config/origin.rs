//! Where a site's files are: in a folder, or inside this program.
//!
//! It tells the two apart for whoever reads declarations. How published files are opened and sent is no business of this file.

use super::archive::Archive;
use super::texts::{self, Content, Texts};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a site's files are.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In a folder: the path of its `site.toml`.
    Folder(PathBuf),
    /// In an archive, which this program carries.
    Inside(Arc<Archive>),
}

impl Origin {
    /// The folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(config) => Some(folder_of(config)),
            Self::Inside(_) => None,
        }
    }

    /// Whether there is something to read.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::Folder(config) => config.exists(),
            Self::Inside(_) => true,
        }
    }

    /// The bytes of memory that its files take as long as the site is there, asked for or not.
    #[must_use]
    pub fn bytes_held(&self) -> u64 {
        match self {
            Self::Folder(_) => 0,
            Self::Inside(archive) => archive.bytes().len() as u64,
        }
    }

    /// What `site.toml` is called.
    #[must_use]
    pub fn config_name(&self) -> Cow<'_, str> {
        match self {
            Self::Folder(config) => config.file_name().map_or("site.toml".into(), |name| name.to_string_lossy()),
            Self::Inside(archive) => archive.config().into(),
        }
    }

    /// The text of `site.toml`, of `most` bytes at most.
    pub(super) fn config(&self, texts: &Texts, most: u64) -> io::Result<Content> {
        match self {
            Self::Folder(config) => texts.text(config, most),
            Self::Inside(archive) => inside(archive, archive.config(), most),
        }
    }

    /// The text of the file at `path` below the site's folder.
    pub(super) fn text(&self, path: &str, texts: &Texts, most: u64) -> io::Result<Content> {
        match self {
            Self::Folder(config) => texts.text(&folder_of(config).join(path), most),
            Self::Inside(archive) => inside(archive, path, most),
        }
    }
}

/// The folder that holds `site.toml`.
fn folder_of(config: &Path) -> &Path {
    config.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

fn inside(archive: &Archive, path: &str, most: u64) -> io::Result<Content> {
    let file = archive.file(path).ok_or(ErrorKind::NotFound)?;
    Ok(if file.bytes.len() as u64 > most { Content::TooLarge } else { texts::content(file.bytes.to_vec()) })
}

/// As the admin listener names the site.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(config) => folder_of(config).display().fmt(f),
            Self::Inside(archive) => write!(f, "inside the program: {}", archive.digest().to_hex()),
        }
    }
}

impl From<&Self> for Origin {
    fn from(origin: &Self) -> Self {
        origin.clone()
    }
}

impl From<&Path> for Origin {
    fn from(config: &Path) -> Self {
        Self::Folder(config.to_owned())
    }
}

impl From<&PathBuf> for Origin {
    fn from(config: &PathBuf) -> Self {
        Self::Folder(config.clone())
    }
}
