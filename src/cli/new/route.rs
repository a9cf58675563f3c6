//! `siteserver new route`: a route and what it shows, at the place that its URL names.
//!
//! What is written is a beginning that `check` accepts, with comments that say what to change. Nothing that is there is written over, and
//! a URL that another route answers is refused: the site's own routers say so. What the files hold is said in `beginnings`.

use super::super::arguments::{CheckArguments, Format, RouteArguments, SiteArguments};
use super::super::console::Terminal;
use super::super::{check, load, schema};
use super::beginnings::{self, About};
use super::place::Asked;
use crate::config::Environment;
use crate::router::Routing;
use crate::site::{self, Draft, Memory, Outline, Site};
use anyhow::{Context as _, bail};
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
    let (root, draft) = draft_of(site, &environment)?;
    let asked = Asked::of(&how.path)?;
    is_free(&draft, &asked)?;
    let about = about(&root, &draft);
    let mut planned = beginnings::files(&asked, how.kind, &about)?;
    for file in &mut planned {
        file.text.insert_str(0, &schema::line_for(&root, &file.path));
    }
    write(&root, &planned)?;
    Ok(check::check(site, &CheckArguments { format: Format::Text, explain: None }))
}

/// The site's folder; an empty path for the one where we are.
pub(super) fn root(site: &SiteArguments) -> PathBuf {
    let folder = site.config.parent().unwrap_or(Path::new(""));
    folder.strip_prefix(".").unwrap_or(folder).to_owned()
}

/// The site's folder and what is known of it, sound or not.
pub(super) fn draft_of(site: &SiteArguments, environment: &Environment) -> anyhow::Result<(PathBuf, Draft)> {
    if site.inside.is_some() {
        bail!("the site is inside this program, where nothing is added: `bundle --extract DIR` gives its files back");
    }
    if !site.config.exists() {
        bail!(
            "there is no site at `{}`: `siteserver new DIR` makes one, and --config says where one is",
            site.config.display()
        );
    }
    Ok((root(site), site::draft(&site.config, &site.sets, environment, &Memory::default())))
}

/// Whether no other route answers its URLs with equal right. One that answers them by a parameter gives way, and that is said.
fn is_free(draft: &Draft, asked: &Asked) -> anyhow::Result<()> {
    let Some(outline) = &draft.outline else { return Ok(()) };
    let site = outline.site();
    // Where something is wrong, positions are those of other routes.
    let name = |route: usize| {
        let known = site.routes.get(route).filter(|_| !draft.findings.has_errors());
        known.map_or_else(|| "another route".to_owned(), |route| route.name.to_string())
    };
    if let Some(rival) = site.routers.rival(&asked.pattern) {
        bail!("{} answers `{}` already; nothing was written", name(rival), asked.path);
    }
    if asked.pattern.names().len() == 0
        && let Routing::Matched(found) = site.routers.route(None, &asked.path)
    {
        let text =
            format!("{} has answered `{}` so far; the new route comes before it", name(*found.route), asked.path);
        Terminal::stderr().line(&text);
    }
    Ok(())
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

/// Writes all of the files, or none.
fn write(root: &Path, planned: &[Planned]) -> anyhow::Result<()> {
    let place = |file: &Planned| root.join(&file.path);
    if let Some(file) = planned.iter().find(|file| !file.may_stay && place(file).exists()) {
        bail!("`{}` is there already; nothing was written", place(file).display());
    }
    let mut out = Terminal::stdout();
    let mut made: Vec<PathBuf> = Vec::new();
    for file in planned {
        let path = place(file);
        if file.may_stay && path.exists() {
            out.line(&format!("left {} as it is", path.display()));
            continue;
        }
        if let Err(error) = create(&path, &file.text) {
            for path in &made {
                fs::remove_file(path).unwrap_or_default();
            }
            return Err(error);
        }
        out.line(&format!("wrote {}", path.display()));
        made.push(path);
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let written = fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", path.display()))
}
