//! The door to the author's files: what there is in the site's folder, or inside this program, read within limits. Nobody else reads
//! declarations.
//!
//! Files that routes publish byte for byte are listed here and opened where they are served.

use super::archive::Archived;
use super::code;
use super::origin::Origin;
use super::texts::{Content, Texts};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// A declaration, a layout or a document is never larger.
pub(super) const LARGEST: u64 = 8 << 20;
/// More files than this are no site of one machine.
const MOST_FILES: usize = 250_000;
/// Folders within folders.
const DEEPEST: usize = 32;

/// The folders of a site, beside which it may name single files.
pub(super) const FOLDERS: [&str; 3] = ["routes", "layouts", "content"];

/// The files of a site, by their places below its folder.
#[derive(Debug)]
pub struct Tree {
    /// `site.toml`, if it could be read.
    pub site: Option<FileId>,
    /// `routes/**/*.toml`, paths relative to `routes/`.
    pub routes: Vec<TreeFile>,
    /// `layouts/**`, paths relative to `layouts/`.
    pub layouts: Vec<TreeFile>,
    /// Files of `layouts/` that could not be read, which is told once and not by each route that names one. Their texts are empty.
    unread_layouts: Vec<FileId>,
    /// `content/**`, paths relative to `content/`, not read.
    pub content: Vec<ContentFile>,
    /// What below `content/` is neither a file nor a folder, by its path, sorted.
    passed_over: Vec<(String, Special)>,
    /// Where they are.
    pub origin: Origin,
    /// Whether all folders could be listed: what is in the others may be there all the same.
    pub is_listed: bool,
    /// What is remembered of earlier loads.
    texts: Arc<Texts>,
    /// The files that were asked for beside these.
    beside: RefCell<BTreeSet<String>>,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Its path below its folder, with `/`.
    pub path: String,
    /// Its text.
    pub file: FileId,
}

/// A file that was only listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFile {
    /// Its path below `content/`, with `/`.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// When it was last changed, as far as the file system knows.
    pub modified: Option<SystemTime>,
}

/// What is neither a regular file nor a folder. It is never read and never followed: one may lead anywhere, another may keep its reader
/// waiting for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Link,
    Pipe,
    Socket,
    Device,
}

impl Special {
    fn of(kind: FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_fifo() {
            Self::Pipe
        } else if kind.is_socket() {
            Self::Socket
        } else {
            Self::Device
        }
    }

    /// What it is, as a message says it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Link => "a symbolic link, which is not followed",
            Self::Pipe => "a pipe, which is not read",
            Self::Socket => "a socket, which is not read",
            Self::Device => "a device, which is not read",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Link => {
                "put a copy of what it leads to in its place; only the site's own folder may be reached over links"
            }
            Self::Pipe | Self::Socket | Self::Device => "put a regular file in its place, or remove it",
        }
    }
}

impl Tree {
    /// Reads the site at `origin`, but for what `texts` remembers. What cannot be read is a finding.
    pub fn read(origin: Origin, texts: &Arc<Texts>, files: &mut Files, findings: &mut Findings) -> Self {
        let name = origin.config_name().into_owned();
        let site = add(origin.config(texts, LARGEST), &name, files, findings);
        let ([(routes, _), (layouts, _), (content, passed_over)], is_listed) = list(&origin, files, findings);
        let mut read = |folder: &str, listed: &[ContentFile], wanted: fn(&str) -> bool| {
            let mut read = Vec::new();
            for ContentFile { path, .. } in listed {
                if wanted(path)
                    && let Some(file) = read_file(&origin, texts, &format!("{folder}/{path}"), files, findings)
                {
                    read.push(TreeFile { path: path.clone(), file });
                }
            }
            read
        };
        let routes =
            read("routes", &routes, |path| Path::new(path).extension().is_some_and(|extension| extension == "toml"));
        let listed = layouts;
        let mut layouts = read("layouts", &listed, |_| true);
        let mut unread_layouts = Vec::new();
        if listed.len() > layouts.len() {
            let unread = |path: &&ContentFile| !layouts.iter().any(|layout| layout.path == path.path);
            for ContentFile { path, .. } in listed.iter().filter(unread).cloned().collect::<Vec<_>>() {
                let file = files.add(format!("layouts/{path}"), "");
                unread_layouts.push(file);
                layouts.push(TreeFile { path, file });
            }
        }
        let (texts, beside) = (Arc::clone(texts), RefCell::default());
        Self { site, routes, layouts, unread_layouts, content, passed_over, origin, is_listed, texts, beside }
    }

    /// Whether a layout is there and could not be read, so that it is not known what stands in it.
    #[must_use]
    pub fn is_unread(&self, layout: &TreeFile) -> bool {
        self.unread_layouts.contains(&layout.file)
    }

    /// Why nothing is read of a path below `content/` where something is: what it is, or what it lies behind, and what to do.
    #[must_use]
    pub fn passed_over(&self, path: &str) -> Option<(String, &'static str)> {
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        let found = folders.chain([path]).find_map(|path| {
            let at = self.passed_over.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
            self.passed_over.get(at)
        });
        found.map(|(path, special)| (format!("`content/{path}` is {}", special.as_str()), special.help()))
    }

    /// Whether there is this file below `content/`.
    #[must_use]
    pub fn has_content(&self, path: &str) -> bool {
        self.content.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok()
    }

    /// Reads a document below `content/`.
    pub fn read_content(&self, path: &str, files: &mut Files, findings: &mut Findings) -> Option<FileId> {
        read_file(&self.origin, &self.texts, &format!("content/{path}"), files, findings)
    }

    /// Reads a file anywhere below the site's folder; `None` without a finding if there is none of this name, or it is outside.
    pub fn read_beside(&self, path: &str, files: &mut Files, findings: &mut Findings) -> Option<FileId> {
        let content = match &self.origin {
            Origin::Folder(_) => {
                let is_plain = path.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains('\\'));
                let root = fs::canonicalize(self.origin.folder()?).ok()?;
                let found = fs::canonicalize(root.join(path)).ok()?;
                if !is_plain || !found.starts_with(&root) {
                    return None;
                }
                self.texts.text(&found, LARGEST)
            }
            Origin::Inside(archive) => {
                archive.file(path)?;
                self.origin.text(path, &self.texts, LARGEST)
            }
        };
        let read = add(content, path, files, findings)?;
        self.beside.borrow_mut().insert(path.to_owned());
        Some(read)
    }

    /// The files that [`Tree::read_beside`] has read.
    #[must_use]
    pub fn beside(&self) -> BTreeSet<String> {
        self.beside.borrow().clone()
    }
}

fn read_file(origin: &Origin, texts: &Texts, path: &str, files: &mut Files, findings: &mut Findings) -> Option<FileId> {
    add(origin.text(path, texts, LARGEST), path, files, findings)
}

/// Adds what was read of the file called `name`; a finding if that is no text.
fn add(content: io::Result<Content>, name: &str, files: &mut Files, findings: &mut Findings) -> Option<FileId> {
    let finding = match content {
        Ok(Content::Text(text)) => return Some(files.add(name, text)),
        Ok(Content::TooLarge) => {
            let message = format!("`{name}` is larger than {} MiB", LARGEST >> 20);
            Finding::anywhere(&code::TOO_LARGE, message)
                .help("data belongs in files that a route publishes or a source reads")
        }
        Ok(Content::NotText { mut before }) => {
            let start = before.len();
            // What stands there instead can be shown; what follows is not known to be text.
            before.push(char::REPLACEMENT_CHARACTER);
            let end = before.len();
            let place = Place::new(files.add(name, before), start..end);
            Finding::new(&code::NOT_UTF8, place, format!("`{name}` is not UTF-8: no character begins with this byte"))
                .help("save the file as UTF-8")
        }
        Err(error) => Finding::anywhere(&code::UNREADABLE, format!("cannot read `{name}`: {error}")),
    };
    findings.push(finding);
    None
}

/// The files below a folder, and what else is there.
type Listed = (Vec<ContentFile>, Vec<(String, Special)>);

/// What is below each of the [`FOLDERS`], and whether that is all.
fn list(origin: &Origin, files: &mut Files, findings: &mut Findings) -> ([Listed; 3], bool) {
    match origin {
        Origin::Folder(_) => {
            let root = origin.folder().unwrap_or(Path::new("."));
            let mut walk = Walk { root, left: MOST_FILES, is_whole: true, files, findings };
            (FOLDERS.map(|folder| walk.list(folder)), walk.is_whole)
        }
        Origin::Inside(archive) => {
            let listed = |(path, file): (&str, &Archived)| ContentFile {
                path: path.to_owned(),
                length: file.bytes.len() as u64,
                modified: file.modified,
            };
            let below = |folder: &str| archive.below(&format!("{folder}/")).map(listed).collect();
            (FOLDERS.map(|folder| (below(folder), Vec::new())), true)
        }
    }
}

/// The regular files below each of the [`FOLDERS`] of the site in this folder; `None` if they could not all be listed.
pub(super) fn regular_files(root: &Path) -> Option<[Vec<ContentFile>; 3]> {
    let (files, findings) = (&mut Files::default(), &mut Findings::default());
    let mut walk = Walk { root, left: MOST_FILES, is_whole: true, files, findings };
    let listed = FOLDERS.map(|folder| walk.list(folder).0);
    walk.is_whole.then_some(listed)
}

struct Walk<'w> {
    root: &'w Path,
    left: usize,
    is_whole: bool,
    files: &'w mut Files,
    findings: &'w mut Findings,
}

impl Walk<'_> {
    /// The regular files below a folder, and what is neither a file nor a folder, sorted by path. Names that begin with a dot are passed
    /// over, as editors and version control leave them; the others that are, links above all, are told.
    fn list(&mut self, folder: &str) -> Listed {
        let (mut found, mut special) = (Vec::new(), Vec::new());
        let mut open = vec![(self.root.join(folder), String::new(), 0)];
        while let Some((path, prefix, depth)) = open.pop() {
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if depth == 0 && error.kind() == io::ErrorKind::NotFound => return (found, special),
                Err(error) => {
                    let message = format!("cannot list `{folder}/{prefix}`: {error}");
                    self.findings.push(Finding::anywhere(&code::UNREADABLE, message));
                    self.is_whole = false;
                    continue;
                }
            };
            for entry in entries.flatten() {
                let name = match entry.file_name().into_string() {
                    Ok(name) => name,
                    Err(name) => {
                        let name = Path::new(folder).join(&prefix).join(name);
                        let message = format!("the name of `{}` is not UTF-8", name.display());
                        self.findings.push(
                            Finding::anywhere(&code::ODD_NAME, message)
                                .help("it is passed over; rename it, or remove it"),
                        );
                        continue;
                    }
                };
                let Ok(metadata) = entry.metadata() else { continue };
                if name.starts_with('.') {
                    continue;
                }
                let below = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                if metadata.is_dir() {
                    if depth >= DEEPEST || self.left == 0 {
                        self.too_many(folder);
                        continue;
                    }
                    open.push((entry.path(), below, depth + 1));
                    continue;
                }
                if self.left == 0 {
                    self.too_many(folder);
                    return (found, special);
                }
                self.left -= 1;
                if metadata.is_file() {
                    found.push(ContentFile { path: below, length: metadata.len(), modified: metadata.modified().ok() });
                } else {
                    let kind = Special::of(metadata.file_type());
                    self.tell(&format!("{folder}/{below}"), kind);
                    special.push((below, kind));
                }
            }
        }
        found.sort_by(|left, right| left.path.cmp(&right.path));
        special.sort_by(|(left, _), (right, _)| left.cmp(right));
        (found, special)
    }

    fn tell(&mut self, name: &str, kind: Special) {
        // It has a place, and no text: nothing of it is read.
        let place = Place::new(self.files.add(name, ""), 0..0);
        let message = format!("`{name}` is {}", kind.as_str());
        self.findings.push(Finding::new(&code::PASSED_OVER, place, message).help(kind.help()));
    }

    fn too_many(&mut self, folder: &str) {
        let message =
            format!("`{folder}/` holds more than {MOST_FILES} files, or folders deeper than {DEEPEST} levels");
        self.findings.push(Finding::anywhere(&code::TOO_MANY, message));
        self.is_whole = false;
    }
}
