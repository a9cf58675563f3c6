//! The URLs of published files that layouts ask for: found before any page, each with the version of what the file holds.
//!
//! Only what a layout writes out is read for that; all files only where a layout asks for one by a value, and then no more than
//! [`MOST_BYTES`]. How a version is served is no business of this file: whoever serves it looks at what it sends.

use super::super::code;
use super::{Shared, proxy, route};
use crate::cache::is_compressible;
use crate::config::{ContentFile, Declared as _, Digests, Origin, Table, Tree, TreeFile};
use crate::diagnostic::{Finding, Findings, suggest};
use crate::fields::{Coding, content_type_of};
use crate::render::{AssetUrls, AssetUse, Layout};
use crate::resource::{Decl, Policy};
use crate::router::{Pattern, TrailingSlash, Version, decode};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::sync::Arc;

/// So many bytes of files are read for versions that no layout writes out; what is beyond has its plain URL.
const MOST_BYTES: u64 = 256 << 20;

/// The published files that layouts may ask for.
#[derive(Debug, Default)]
pub(super) struct Assets {
    urls: AssetUrls,
    folders: Vec<Published>,
    /// Digest of all the URLs.
    digest: Option<blake3::Hash>,
}

/// A folder that a route publishes.
#[derive(Debug)]
struct Published {
    /// The file of the route.
    route: String,
    /// What the paths of its files begin with below `content/`.
    prefix: String,
    pattern: Pattern,
    /// What its URLs begin with, decoded.
    base: String,
    /// Whether it publishes versions: not what only some may have, or nobody may keep.
    has_versions: bool,
    /// The names of those that are asked for.
    versions: BTreeSet<String>,
}

impl Published {
    fn of(file: &TreeFile, table: &Table, slash: TrailingSlash) -> Option<Self> {
        table.node("files")?;
        let unheard = &mut Findings::default();
        let decl = Decl::read(table, unheard);
        let folder = decl.files.as_ref()?.value.trim_matches('/').to_owned();
        let pattern = route::patterns(&decl, file, unheard).into_iter().map(|(pattern, _)| pattern);
        let pattern =
            pattern.into_iter().find(|pattern| pattern.rest_name().is_some() && pattern.names().len() == 1)?;
        if decl.host.is_some() {
            return None;
        }
        let policy = decl.cache.as_ref().map(|setting| Policy::compile(&setting.0, unheard));
        let is_kept = !policy.is_some_and(|policy| policy.is_no_store() || policy.is_private());
        // What a section says of all its routes may read who asks.
        let is_anybodys = decl.rules.iter().flatten().next().is_none() && decl.cookies.is_none();
        let has_versions = is_kept && is_anybodys && decl.params.is_none() && !proxy::is_guarded(&decl);
        let prefix = if folder.is_empty() { folder } else { format!("{folder}/") };
        let base = pattern.build(slash, |_| Some(""))?;
        let base = format!("{}/", decode(base.as_path().without_trailing_slash()));
        Some(Self { route: file.path.clone(), prefix, pattern, base, has_versions, versions: BTreeSet::new() })
    }

    /// The name below the folder of what a layout calls so.
    fn below<'n>(&self, name: &'n str) -> Option<&'n str> {
        if name.starts_with('/') { name.strip_prefix(&*self.base) } else { Some(name) }
    }
}

impl Assets {
    /// Finds the files that the layouts of the site ask for. `is_whole` says whether all routes are known.
    pub(super) fn survey(
        tables: &[(&TreeFile, Table)],
        is_whole: bool,
        digests: &Digests,
        shared: &mut Shared<'_>,
    ) -> Self {
        let mut uses: Vec<AssetUse> = Vec::new();
        let (mut seen, mut asks_by_value) = (HashSet::new(), false);
        for layout in shared.library.all() {
            for asset in layout.assets() {
                asks_by_value |= asset.name.is_none();
                if asset.name.is_some() && seen.insert(asset.place) {
                    uses.push(asset.clone());
                }
            }
        }
        let folders = tables.iter().filter_map(|(file, table)| Published::of(file, table, shared.slash)).collect();
        let mut survey = Survey { tree: shared.tree, digests, slash: shared.slash, folders, urls: BTreeMap::new() };
        for asset in &uses {
            let Some(name) = &asset.name else { continue };
            if let Err(finding) = survey.written(name, asset)
                && is_whole
            {
                shared.findings.push(finding);
            }
        }
        if asks_by_value {
            survey.all();
        }
        survey.finish()
    }

    /// The URLs, for pages.
    pub(super) fn urls(&self) -> &AssetUrls {
        &self.urls
    }

    pub(super) fn into_urls(self) -> AssetUrls {
        self.urls
    }

    /// The versions that the route in this file publishes; nothing if it publishes none.
    pub(super) fn versions(&self, route: &str) -> Option<&BTreeSet<String>> {
        let folder = self.folders.iter().find(|folder| folder.route == route)?;
        folder.has_versions.then_some(&folder.versions)
    }

    /// Adds what the pages of a layout are made from.
    pub(super) fn digest(&self, layout: &Layout, hasher: &mut blake3::Hasher) {
        for asset in layout.assets() {
            match &asset.name {
                Some(name) => {
                    hasher.update(self.urls.get(name).unwrap_or_default().as_bytes());
                }
                None => {
                    hasher.update(self.digest.as_ref().map_or(&[][..], |digest| digest.as_bytes()));
                }
            }
        }
    }
}

struct Survey<'s> {
    tree: &'s Tree,
    digests: &'s Digests,
    slash: TrailingSlash,
    folders: Vec<Published>,
    urls: BTreeMap<Box<str>, Arc<str>>,
}

impl Survey<'_> {
    /// A file that a layout writes out.
    fn written(&mut self, name: &str, asset: &AssetUse) -> Result<(), Finding> {
        if self.urls.contains_key(name) {
            return Ok(());
        }
        let holding: Vec<(usize, String)> = self.holding(name).collect();
        match holding.as_slice() {
            [] => Err(self.unknown(name, asset)),
            [(at, below)] => match self.url(*at, below) {
                Ok(url) => {
                    self.urls.insert(name.into(), url);
                    Ok(())
                }
                Err(error) => {
                    let message = format!("the published file `{name}` cannot be read: {error}");
                    Err(Finding::new(&code::UNKNOWN_ASSET, asset.place, message).help("let the server read it"))
                }
            },
            [(one, below), (other, _), ..] => {
                let path = |at: &usize| self.folders.get(*at).map_or(String::new(), |it| format!("{}{below}", it.base));
                let message = format!("`{name}` is published at several URLs");
                let help = format!("name it by its URL: `{}`, or `{}`", path(one), path(other));
                Err(Finding::new(&code::UNKNOWN_ASSET, asset.place, message).help(help))
            }
        }
    }

    fn unknown(&self, name: &str, asset: &AssetUse) -> Finding {
        let message = format!("no `files` route publishes `{name}`");
        let is_url = name.starts_with('/');
        let known: Vec<String> = self
            .folders
            .iter()
            .flat_map(|folder| {
                let base = if is_url { &*folder.base } else { "" };
                self.files(folder).map(move |(_, below)| format!("{base}{below}"))
            })
            .collect();
        let near = suggest(name, known.iter().map(String::as_str));
        let help = match (near, self.folders.first()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(folder)) => format!(
                "a file is named by its path below the folder of its route, as `site.css` is for content/{}site.css",
                folder.prefix
            ),
            (None, None) => {
                "publish the folder that it is in: a route with path = \"/assets/{*file}\" and files = \"assets\""
                    .to_owned()
            }
        };
        Finding::new(&code::UNKNOWN_ASSET, asset.place, message).help(help)
    }

    /// Every file, by its name if that is no other's, and by its URL. What cannot be read is left out: who asks for it gets nothing.
    fn all(&mut self) {
        let mut left = MOST_BYTES;
        let mut urls: BTreeMap<Box<str>, Option<Arc<str>>> = BTreeMap::new();
        for at in 0..self.folders.len() {
            let Some(folder) = self.folders.get(at) else { continue };
            let (base, files) = (folder.base.clone(), self.files(folder));
            let files: Vec<(u64, String)> = files.map(|(file, below)| (file.length, below.to_owned())).collect();
            for (length, below) in files {
                let is_within = length <= left;
                let url = if is_within { self.url(at, &below) } else { Ok(self.plain(at, &below)) };
                let Ok(url) = url else { continue };
                left -= if is_within { length } else { 0 };
                urls.insert(format!("{base}{below}").into(), Some(Arc::clone(&url)));
                urls.entry(below.into()).and_modify(|known| *known = None).or_insert(Some(url));
            }
        }
        for (name, url) in urls {
            // What is written out somewhere has its version, however much there is.
            if let Some(url) = url {
                self.urls.entry(name).or_insert(url);
            }
        }
    }

    /// The files of a folder, each with its name below it.
    fn files<'f>(&'f self, folder: &'f Published) -> impl Iterator<Item = (&'f ContentFile, &'f str)> {
        let start = self.tree.content.partition_point(|file| *file.path < *folder.prefix);
        let from = self.tree.content.get(start..).unwrap_or_default();
        from.iter().map_while(|file| Some((file, file.path.strip_prefix(&folder.prefix)?)))
    }

    /// The folders that hold what a layout calls so, and its name there.
    fn holding(&self, name: &str) -> impl Iterator<Item = (usize, String)> {
        self.folders.iter().enumerate().filter_map(move |(at, folder)| {
            let below = folder.below(name)?;
            self.file(&format!("{}{below}", folder.prefix))?;
            Some((at, below.to_owned()))
        })
    }

    fn file(&self, path: &str) -> Option<&ContentFile> {
        let at = self.tree.content.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.tree.content.get(at)
    }

    /// The URL of a file in the folder at this position, by its version if that is published.
    fn url(&mut self, at: usize, below: &str) -> io::Result<Arc<str>> {
        let Some(folder) = self.folders.get(at).filter(|folder| folder.has_versions) else {
            return Ok(self.plain(at, below));
        };
        let version = self.version(&format!("{}{below}", folder.prefix))?;
        let named = version.name(below);
        // Another file of that name is what the URL stands for.
        if self.file(&format!("{}{named}", folder.prefix)).is_some() {
            return Ok(self.plain(at, below));
        }
        let url = self.plain(at, &named);
        if let Some(folder) = self.folders.get_mut(at) {
            folder.versions.insert(named);
        }
        Ok(url)
    }

    fn plain(&self, at: usize, below: &str) -> Arc<str> {
        let path = self.folders.get(at).and_then(|folder| folder.pattern.build(self.slash, |_| Some(below)));
        path.map_or_else(Arc::default, |path| path.as_path().as_str().into())
    }

    /// The version of what is at `path` below `content/`, with the codings that it was made in beforehand.
    fn version(&self, path: &str) -> io::Result<Version> {
        let digest = self.digests.digest(&self.tree.origin, path)?;
        if !is_compressible(&content_type_of(path)) {
            return Ok(Version::of(&digest, []));
        }
        let mut codings = Vec::new();
        for (coding, ending) in Coding::ENDINGS {
            let beside = format!("{path}{ending}");
            if self.is_current(path, &beside) {
                codings.push((coding.token(), self.digests.digest(&self.tree.origin, &beside)?));
            }
        }
        Ok(Version::of(&digest, codings.iter().map(|(coding, digest)| (*coding, digest))))
    }

    /// Whether what lies `beside` a file is sent in its stead.
    fn is_current(&self, path: &str, beside: &str) -> bool {
        let (Some(file), Some(coded)) = (self.file(path), self.file(beside)) else { return false };
        let is_newer = match &self.tree.origin {
            Origin::Folder(_) => matches!((coded.modified, file.modified), (Some(coded), Some(file)) if coded >= file),
            Origin::Inside(archive) => {
                archive.file(&format!("content/{beside}")).is_some_and(|coded| !coded.is_outdated)
            }
        };
        coded.length > 0 && is_newer
    }

    fn finish(self) -> Assets {
        let mut hasher = blake3::Hasher::new();
        for text in self.urls.iter().flat_map(|(name, url)| [&**name, &**url]) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let digest = Some(hasher.finalize());
        Assets { urls: self.urls.into_iter().collect(), folders: self.folders, digest }
    }
}
