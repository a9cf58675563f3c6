//! `siteserver schema`: what may stand in the files of a site, as JSON Schema, for editors; and what its API takes and answers, as `OpenAPI`.
//!
//! Where the schemas lie, and how a file names its own, is said here alone; `new` asks for it.

use super::arguments::{SchemaArguments, SiteArguments};
use super::console::{Terminal, summary};
use super::{load, messages};
use crate::report;
use crate::site::{Declaration, Loaded};
use anyhow::Context as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Where the schemas are written, below the site's folder.
const FOLDER: &str = ".siteserver";

/// The settings of Taplo, by which editors find them: what is written, and how an author may call them, too.
const SETTINGS: [&str; 2] = [".taplo.toml", "taplo.toml"];

/// What the settings say first.
const ABOUT: &str = "# Editors with Taplo (in VS Code: Even Better TOML) complete and check the site by these.\n";

/// Writes one schema or the site's API to the standard output, or all schemas beside the site.
pub(super) fn schema(site: &SiteArguments, how: &SchemaArguments) -> anyhow::Result<ExitCode> {
    if how.openapi {
        return openapi(site);
    }
    match how.of {
        Some(of) if !how.write => Terminal::stdout().write(&report::schema(of)),
        Some(_) | None if site.inside.is_some() => {
            anyhow::bail!("the site is inside this program, without a folder to write to; --config names one")
        }
        Some(_) | None if !site.config.exists() => anyhow::bail!(
            "there is no site at `{}`, beside which the schemas would stand: go to its folder, or name it with --config; \
             `siteserver new DIR` makes one",
            site.config.display()
        ),
        Some(_) | None => write(site.config.parent().unwrap_or(Path::new("")))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A site with errors has no API: its findings go to the standard error.
fn openapi(site: &SiteArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    messages::of_panics(environment.secrets());
    let Loaded { site, findings, files } = load::load(site, &environment);
    let Some(site) = site else {
        Terminal::stderr().keeping(environment.secrets()).findings(&findings, &files);
        anyhow::bail!("the API is not known: {}", summary(&findings));
    };
    Terminal::stdout().keeping(environment.secrets()).write(&report::openapi(&site));
    Ok(ExitCode::SUCCESS)
}

fn write(root: &Path) -> anyhow::Result<()> {
    let mut out = Terminal::stdout();
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for (place, schema) in schemas() {
        let path = root.join(place);
        fs::write(&path, schema).with_context(|| format!("cannot write `{}`", path.display()))?;
        out.line(&format!("wrote {}", path.display()));
    }
    let own = SETTINGS.map(|name| root.join(name)).into_iter().find(|path| path.exists());
    let Some(own) = own else {
        let [settings, _] = SETTINGS.map(|name| root.join(name));
        fs::write(&settings, text_of_settings()).with_context(|| format!("cannot write `{}`", settings.display()))?;
        out.line(&format!("wrote {}", settings.display()));
        return Ok(());
    };
    // An author's own settings are left as they are.
    let text = fs::read_to_string(&own).with_context(|| format!("cannot read `{}`", own.display()))?;
    let missing: Vec<String> = rules().into_iter().filter(|rule| !text.contains(rule.trim())).collect();
    if missing.is_empty() {
        out.line(&format!("left {} as it is: it names the schemas", own.display()));
    } else {
        out.line(&format!("left {} as it is; editors use the schemas once it holds:", own.display()));
        out.write(&missing.concat());
    }
    Ok(())
}

/// The schemas of all kinds of files, each with its place in the site.
fn schemas() -> impl Iterator<Item = (String, String)> {
    Declaration::ALL.into_iter().map(|of| (place(of), report::schema(of)))
}

fn text_of_settings() -> String {
    format!("{ABOUT}{}", rules().concat())
}

/// All that editors need beside a new site: the schemas, and the settings that point to them.
pub(super) fn for_editors() -> impl Iterator<Item = (String, String)> {
    let [settings, _] = SETTINGS;
    schemas().chain([(settings.to_owned(), text_of_settings())])
}

/// The line that names the schema of a TOML file, which is its first; none of files that have no schema. `path` is relative to the site.
pub(super) fn line_of(path: &str) -> Option<String> {
    let is_toml = Path::new(path).extension().is_some_and(|extension| extension == "toml");
    let of = match path.split_once('/') {
        None if path == "site.toml" => Declaration::Site,
        Some(("routes", rest)) if rest.split('/').next_back() == Some("_section.toml") => Declaration::Section,
        Some(("routes", _)) if is_toml => Declaration::Route,
        _ => return None,
    };
    let up = "../".repeat(path.matches('/').count());
    Some(format!("#:schema {up}{}\n", place(of)))
}

/// The same line, if the site in `root` has that schema; nothing if it has not.
pub(super) fn line_for(root: &Path, path: &str) -> String {
    let has = root.join(FOLDER).is_dir();
    line_of(path).filter(|_| has).unwrap_or_default()
}

/// Where the schema of a kind of file is written, relative to the site.
fn place(declaration: Declaration) -> String {
    format!("{FOLDER}/{}.schema.json", declaration.name())
}

/// Which files of a site each schema is for: a rule of the settings for each.
fn rules() -> Vec<String> {
    let rule = |of: Declaration, include: &str, more: &str| {
        format!("\n[[rule]]\ninclude = [\"{include}\"]\n{more}schema.path = \"{}\"\n", place(of))
    };
    let sections = "routes/**/_section.toml";
    vec![
        rule(Declaration::Site, "site.toml", ""),
        rule(Declaration::Route, "routes/**/*.toml", &format!("exclude = [\"{sections}\"]\n")),
        rule(Declaration::Section, sections, ""),
    ]
}
