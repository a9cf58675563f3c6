//! Our own sites: that of the root and those of `examples/`, each served from a copy beside what it fetches from.

use super::accounts::Accounts;
use super::site::{Folder, Options, Site};
use crate::migration;
use std::fs;
use std::path::{Path, PathBuf};

/// What our sites fetch from.
#[derive(Debug)]
pub(crate) struct Ours {
    upstream: Site,
    accounts: Accounts,
}

/// One of our sites, served.
#[derive(Debug)]
pub(crate) struct Own {
    /// `root`, or the name of its folder.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) site: Site,
    /// What begins its addresses where they are written whole.
    pub(crate) url: Option<String>,
    /// Whether people sign in there.
    pub(crate) knows_people: bool,
    /// The old site that it takes over.
    _old: Vec<Site>,
}

impl Ours {
    /// Starts them.
    pub(crate) fn start() -> Self {
        let upstream = Options::default().serve(Folder::copy_of_site(&root().join("examples/upstream")));
        Self { upstream, accounts: Accounts::start() }
    }

    /// Starts the site in a folder.
    pub(crate) fn serve(&self, folder: &Path) -> Own {
        let old = migration::old_sites(folder);
        let options = migration::in_front_of(&old).env("UPSTREAM", &format!("http://{}", self.upstream.address()));
        let site = options.env("ACCOUNTS", &self.accounts.url()).serve(Folder::copy_of_site(folder));
        let declared = fs::read_to_string(folder.join("site.toml")).expect("text");
        let url = declared.lines().find_map(|line| line.strip_prefix("url = \"")?.split('"').next());
        let name = if folder == root() { "root".into() } else { folder.file_name().expect("a name").to_string_lossy() };
        Own {
            name: name.into_owned(),
            folder: folder.to_owned(),
            site,
            url: url.map(str::to_owned),
            knows_people: declared.contains("\n[auth."),
            _old: old,
        }
    }

    /// The cookie of somebody who has signed in.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        self.accounts.sign_in(name)
    }
}

/// The folders of all our sites.
pub(crate) fn folders() -> Vec<PathBuf> {
    let examples = root().join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = examples.filter(|folder| folder.join("site.toml").is_file()).collect();
    folders.sort();
    folders.push(root());
    folders
}

/// Where the root site is.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
