//! The environment as a map read once, at start. Only variables that the site names are ever looked at.

use super::code;
use super::placeholder::Env;
use crate::diagnostic::{Finding, Findings, Level};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The variables of the process, taken when it started.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// How bad an unset variable is: an error in `serve`, a warning in `check`, which may run on another machine.
    lenient: bool,
}

impl fmt::Debug for Environment {
    /// Names only: any value may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// These variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), lenient: false }
    }

    /// With unset variables as warnings.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The text that stands for `{env.NAME}`; a finding and an empty text if there is none.
    pub fn resolve(&self, env: &Env, findings: &mut Findings) -> String {
        if let Some(value) = self.variables.get(&env.name).or(env.default.as_ref()) {
            return value.clone();
        }
        let message = format!("the environment variable `{}` is not set", env.name);
        let level = if self.lenient { Level::Warning } else { Level::Error };
        findings.push(
            Finding::new(&code::ENV_UNSET, env.place, message)
                .level(level)
                .help(format!("set it, or give a default: `{{env.{}:default}}`", env.name)),
        );
        String::new()
    }
}

/// Text that must not be shown: it has no `Display`, and its `Debug` hides it. It is read only where it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// `text`, hidden from now on.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
