//! `siteserver new route`: a route and what it shows, at the place that its URL names.
//!
//! What is written is a beginning that `check` accepts, with comments that say what to change. Nothing that is there is written over, and
//! a URL that another route answers is refused: the site's own routers say so. What the files hold is said in `beginnings`.

use super::super::arguments::{RouteArguments, SiteArguments};
use super::super::console::Terminal;
use super::super::{load, schema};
use super::beginnings::{self, About};
use super::compare::Known;
use super::place::Asked;
use crate::router::{Pattern, Routing};
use crate::site::{self, Draft, Memory, Outline, Site};
use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file to write.
#[derive(Debug)]
pub(super) struct Planned {
    /// Where, relative to the site.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
    /// Whether it stays as it is where it is there already; else that is an error.
    pub(super) may_stay: bool,
}

/// Writes the route, and checks the site with it.
pub(super) fn route(site: &SiteArguments, how: &RouteArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    let root = is_there(site)?;
    let draft = site::draft(&site.config, &site.sets, &environment, &Memory::default());
    let asked = Asked::of(&how.path)?;
    let told = is_free(&draft, &asked)?;
    let about = about(&root, &draft);
    let mut planned = beginnings::files(&asked, how.kind, &about)?;
    for file in &mut planned {
        file.text.insert_str(0, &schema::line_for(&root, &file.path));
    }
    let known = Known::of(site);
    let (made, written) = write(&root, &planned, &draft, &asked)?;
    if known.is_broken_by(site) {
        made.take_back();
        bail!("with a route at `{}` the site could not be served: nothing was written", asked.path);
    }
    if !site.voice.quiet {
        Terminal::stdout().write(&written);
        Terminal::stderr().write(&told);
    }
    Ok(known.compared(site))
}

/// The site's folder, if there is a site to which something can be added; an empty path for the one where we are.
pub(super) fn is_there(site: &SiteArguments) -> anyhow::Result<PathBuf> {
    if site.inside.is_some() {
        bail!("the site is inside this program, where nothing is added: `bundle --extract DIR` gives its files back");
    }
    if !site.config.exists() {
        bail!(
            "there is no site at `{}`: `siteserver new DIR` makes one, and --config says where one is",
            site.config.display()
        );
    }
    let folder = site.config.parent().unwrap_or(Path::new(""));
    Ok(folder.strip_prefix(".").unwrap_or(folder).to_owned())
}

/// Whether no other route answers its URLs with equal right. What is said of those that answer them with less, or at one host alone: the new
/// one comes before the first, and behind the second.
fn is_free(draft: &Draft, asked: &Asked) -> anyhow::Result<String> {
    let mut told = String::new();
    let Some(outline) = &draft.outline else { return Ok(told) };
    let routers = &outline.site().routers;
    if let Some(rival) = routers.rival(&asked.pattern) {
        bail!("{} answers `{}` already; nothing was written", name(draft, rival), asked.path);
    }
    for (host, rival) in routers.rivals_of_hosts(&asked.pattern) {
        let name = name(draft, rival);
        writeln!(told, "{name} answers `{}` at `{host}`, as before; the new route answers elsewhere", asked.path)?;
    }
    if asked.pattern.names().len() == 0
        && let Routing::Matched(found) = routers.route(None, &asked.path)
    {
        let name = name(draft, *found.route);
        writeln!(told, "{name} has answered `{}` so far; the new route comes before it", asked.path)?;
    }
    Ok(told)
}

/// What a route is called, sound or not: positions in the routers are those of the outlines.
fn name(draft: &Draft, route: usize) -> String {
    let known = draft.outline.as_ref().and_then(|outline| outline.routes.get(route));
    known.map_or_else(|| "another route".to_owned(), |route| draft.files.name(route.file).to_owned())
}

/// What the new files are fitted to.
fn about(root: &Path, draft: &Draft) -> About {
    let base = fs::read_to_string(root.join("layouts/base.html")).ok();
    let site = draft.outline.as_ref().map(Outline::site);
    let upstream = site.and_then(first_upstream);
    let documents = ["document.html", "page.html"].into_iter().find(|name| root.join("layouts").join(name).exists());
    About { base, upstream, documents: documents.map(str::to_owned) }
}

/// The first upstream that it declares.
fn first_upstream(site: &Site) -> Option<String> {
    site.upstreams.names().next().map(str::to_owned)
}

/// Writes all of the files, or none; returns what there is because of that, and what to say of it.
fn write(root: &Path, planned: &[Planned], draft: &Draft, asked: &Asked) -> anyhow::Result<(Made, String)> {
    let place = |file: &Planned| root.join(&file.path);
    if let Some(file) = planned.iter().find(|file| !file.may_stay && place(file).exists()) {
        bail!("{}; nothing was written", in_the_way(&place(file), &file.path, draft, asked));
    }
    let mut told = String::new();
    let mut made = Made::default();
    for file in planned {
        let path = place(file);
        if file.may_stay && path.exists() {
            writeln!(told, "left {} as it is", path.display())?;
            continue;
        }
        if let Err(error) = made.create(&path, &file.text) {
            made.take_back();
            return Err(error.context("nothing was written"));
        }
        writeln!(told, "wrote {}", path.display())?;
    }
    Ok((made, told))
}

/// That a file is there, and what to do if it is the route of another URL: names of files say less than URLs do.
fn in_the_way(path: &Path, within: &str, draft: &Draft, asked: &Asked) -> String {
    let routes = draft.outline.iter().flat_map(|outline| &outline.routes);
    let other = routes.into_iter().find(|route| draft.files.name(route.file) == within);
    let url = other.and_then(|route| route.patterns.first()).map(Pattern::as_str);
    let shown = path.display();
    match url {
        None => format!("`{shown}` is there already"),
        Some(url) if url == asked.path => format!("`{shown}` answers `{url}` already"),
        Some(url) => format!(
            "`{shown}` is there already, and answers `{url}`: call that file otherwise, with `path = \"{url}\"` in it, and do \
             this again"
        ),
    }
}

/// The files and folders that there are because of this.
#[derive(Debug, Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn create(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let missing = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        self.folders.extend(missing.map(Path::to_owned).collect::<Vec<_>>().into_iter().rev());
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let cannot = || format!("cannot write `{}`", path.display());
        let mut file = fs::File::create_new(path).with_context(cannot)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes()).with_context(cannot)
    }

    /// As far as it can be: what is said is why it could not be written.
    fn take_back(&self) {
        for path in &self.files {
            fs::remove_file(path).unwrap_or_default();
        }
        for folder in self.folders.iter().rev() {
            fs::remove_dir(folder).unwrap_or_default();
        }
    }
}
