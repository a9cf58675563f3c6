//! One site, as all commands load it: its files, the `--set` arguments, the environment, and the rules about a whole site.

use super::arguments::SiteArguments;
use crate::config::Environment;
use crate::site::{self, Loaded};

/// The variables of the process; a site cannot name one that is not text.
pub(super) fn environment() -> Environment {
    Environment::new(
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

/// Loads the site and checks it as a whole. There is a site only if there is no error.
pub(super) fn load(site: &SiteArguments, environment: &Environment) -> Loaded {
    let mut loaded = site::load(&site.config, &site.sets, environment);
    if let Some(site) = &loaded.site {
        crate::check::check(site, &loaded.files, &mut loaded.findings);
        loaded.findings.sort();
    }
    if loaded.findings.has_errors() {
        loaded.site = None;
    }
    loaded
}
