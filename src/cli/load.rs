//! One site, as all commands load it: its files, the `--set` arguments, the environment, and the rules about a whole site.

use super::arguments::SiteArguments;
use super::console::counted;
use super::progress::while_waiting;
use crate::config::Environment;
use crate::diagnostic::{Files, Finding, Findings, codes};
use crate::site::{self, Loaded, Memory, Settings};

codes! {
    /// There is no `site.toml` where one is looked for.
    ///
    /// It is what makes a folder a site, and may be empty. Without `--config` it is looked for in the working folder.
    ///
    /// Make one, go to the folder that has one, or say where it is: `siteserver --config shop/site.toml`.
    NO_SITE = Error "site/missing";
}

/// The variables of the process; a site cannot name one that is not text.
pub(super) fn environment() -> Environment {
    Environment::new(
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

/// Loads the site and checks it as a whole. There is a site only if there is no error.
pub(super) fn load(site: &SiteArguments, environment: &Environment) -> Loaded {
    load_again(site, environment, &Memory::default())
}

/// The same, with what earlier loads have left.
pub(super) fn load_again(site: &SiteArguments, environment: &Environment, memory: &Memory) -> Loaded {
    load_with_settings(site, environment, memory).0
}

/// The same, and the settings as far as they are known, also of a site with errors: none if there is no site at all.
pub(super) fn load_with_settings(
    site: &SiteArguments,
    environment: &Environment,
    memory: &Memory,
) -> (Loaded, Option<Settings>) {
    let origin = site.origin();
    if !origin.exists() {
        return (missing(site), None);
    }
    let far = || match (memory.read_count(), memory.rendered_count()) {
        (files, 0) => format!("{} read", counted(files, "file")),
        (files, documents) => {
            format!("{} read, {} rendered", counted(files, "file"), counted(documents, "document"))
        }
    };
    while_waiting(site.voice, "loading the site", far, || {
        let mut draft = site::draft(origin, &site.sets, environment, memory);
        crate::check::check(&mut draft);
        let settings = draft.outline.as_ref().map(|outline| outline.site().settings.clone());
        let settings = settings.unwrap_or_else(|| site::settings_without_file(&site.sets, environment));
        (draft.finish(), Some(settings))
    })
}

/// What there is to say when there is no site at all.
fn missing(site: &SiteArguments) -> Loaded {
    let mut findings = Findings::default();
    findings.push(
        Finding::anywhere(&NO_SITE, format!("there is no site at `{}`", site.config.display()))
            .help("`siteserver new DIR` makes a site, and --config says where one is"),
    );
    Loaded { site: None, findings, files: Files::default() }
}
