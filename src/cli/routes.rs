//! `siteserver routes`: what a site serves.

use super::arguments::SiteArguments;
use super::console::{Terminal, summary};
use super::{load, messages};
use crate::report;
use crate::site::Loaded;
use std::process::ExitCode;

/// Writes the table of routes to the standard output. A site with errors has none: its findings go to the standard error.
pub(super) fn routes(site: &SiteArguments) -> anyhow::Result<ExitCode> {
    let environment = load::environment().lenient();
    messages::of_panics(environment.secrets());
    let Loaded { site, findings, files } = load::load(site, &environment);
    let Some(site) = site else {
        Terminal::stderr().keeping(environment.secrets()).findings(&findings, &files);
        anyhow::bail!("the routes are not known: {}", summary(&findings));
    };
    Terminal::stdout().keeping(environment.secrets()).write(&report::routes(&site));
    Ok(ExitCode::SUCCESS)
}
