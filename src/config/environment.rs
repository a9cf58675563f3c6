//! The environment as a map read once, at start. Only variables that the site names are ever looked at; it is remembered which of
//! them were given out as secrets.

use super::code;
use super::placeholder::Env;
use super::tripwire::{SHORTEST, Tripwire, is_word};
use crate::diagnostic::{Finding, Findings, Level};
use crate::value::{Object, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The variables of the process, taken when it started.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<BTreeMap<String, String>>,
    /// How bad an unset variable is: an error in `serve`, a warning in `check`, which may run on another machine.
    lenient: bool,
    secrets: Secrets,
    /// The variables that the site declares, and what stands for each that is not set.
    public: BTreeMap<String, Option<String>>,
    published: Arc<Mutex<BTreeMap<String, String>>>,
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
        Self { variables: Arc::new(variables.into_iter().collect()), ..Self::default() }
    }

    /// With unset variables as warnings.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The same variables, of which these are no secrets: each with what stands for it if it is not set.
    #[must_use]
    pub fn with_public(&self, public: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let public = public.into_iter().collect();
        Self { public, published: Arc::default(), ..self.clone() }
    }

    /// Whether a variable is declared as no secret.
    pub fn is_public(&self, name: &str) -> bool {
        self.public.contains_key(name)
    }

    /// By what key a public variable is found among [`Environment::published`] from now on; findings as of [`Environment::resolve`].
    pub fn publish(&self, env: &Env, findings: &mut Findings) -> Arc<str> {
        let key = env.default.as_ref().map_or_else(|| env.name.clone(), |default| format!("{}:{default}", env.name));
        let text = self.resolve(env, findings);
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.insert(key.clone(), text);
        key.into()
    }

    /// The public variables that were asked for, as pages see them.
    pub fn published(&self) -> Value {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let members = published.iter().map(|(key, text)| (key.as_str(), Value::from(text.as_str())));
        members.collect::<Object>().into()
    }

    /// The text that stands for `{env.NAME}`; a finding and an empty text if there is none.
    pub fn resolve(&self, env: &Env, findings: &mut Findings) -> String {
        if let Some(value) = self.known(env) {
            return value.clone();
        }
        let message = format!("the environment variable `{}` is not set", env.name);
        let default = if self.is_public(&env.name) {
            format!("[env.{}] default = \"…\"", env.name)
        } else {
            format!("`{{env.{}:default}}`", env.name)
        };
        let level = if self.lenient { Level::Warning } else { Level::Error };
        findings.push(
            Finding::new(&code::ENV_UNSET, env.place, message)
                .level(level)
                .help(format!("set it, or give a default: {default}")),
        );
        String::new()
    }

    /// The same text as a secret, which is looked for from now on in all that leaves.
    ///
    /// A default is no secret: it is written in the site. A finding if the text is too short to be looked for, or so like a word that it
    /// may be found where nobody has told it.
    pub fn secret(&self, env: &Env, findings: &mut Findings) -> Secret {
        let secret = Secret::new(self.resolve(env, findings));
        let text = secret.expose().trim();
        if text.is_empty() || env.default.as_deref() == Some(secret.expose()) {
            return secret;
        }
        if text.len() < SHORTEST {
            let message = format!("the value of `{}` is too short to be watched for", env.name);
            let help = format!(
                "a secret of {SHORTEST} bytes or more cannot be guessed as easily, and is found if it comes back"
            );
            findings.push(Finding::new(&code::SHORT_SECRET, env.place, message).help(help));
            return secret;
        }
        if is_word(text) {
            let message = format!(
                "the value of `{}` is like an ordinary word or a date: pages that hold it are not sent",
                env.name
            );
            let help = format!(
                "choose one that cannot be guessed; if it is no secret, say so: [env.{}] public = true",
                env.name
            );
            findings.push(Finding::new(&code::WORD_SECRET, env.place, message).help(help));
        }
        self.secrets.give(&env.name, &secret);
        secret
    }

    fn known<'e>(&'e self, env: &'e Env) -> Option<&'e String> {
        let declared = || self.public.get(&env.name).and_then(Option::as_ref);
        self.variables.get(&env.name).or(env.default.as_ref()).or_else(declared)
    }

    /// What looks for the secrets that were given out so far, but for those that the site declares as none.
    pub fn tripwire(&self) -> Arc<Tripwire> {
        self.secrets.tripwire_but(|name| self.is_public(name))
    }

    /// What was given out as secrets, by this environment and its clones.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// The secrets that a process has given out, to be looked for in what leaves it; clones are the same ones.
///
/// It only grows: what an earlier site has sent may come back to a later one.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Given>>);

#[derive(Default)]
struct Given {
    secrets: BTreeMap<String, Secret>,
    /// What looks for all of them; `None` if another one was given since.
    tripwire: Option<Arc<Tripwire>>,
}

impl Secrets {
    fn give(&self, name: &str, secret: &Secret) {
        let mut given = self.given();
        if given.secrets.get(name) != Some(secret) {
            given.secrets.insert(name.to_owned(), secret.clone());
            given.tripwire = None;
        }
    }

    /// What looks for all that were given out so far.
    pub fn tripwire(&self) -> Arc<Tripwire> {
        let secrets = {
            let given = self.given();
            if let Some(tripwire) = &given.tripwire {
                return Arc::clone(tripwire);
            }
            given.secrets.clone()
        };
        // Not under the lock: whoever tells of a panic asks for this as well.
        let tripwire = Tripwire::new(secrets.iter().map(|(name, secret)| (name.as_str(), secret)));
        let tripwire = Arc::new(tripwire);
        let mut given = self.given();
        if given.secrets == secrets {
            given.tripwire = Some(Arc::clone(&tripwire));
        }
        tripwire
    }

    /// The same for all but those whose names are public.
    fn tripwire_but(&self, is_public: impl Fn(&str) -> bool) -> Arc<Tripwire> {
        let secrets = {
            let given = self.given();
            given.secrets.keys().any(|name| is_public(name)).then(|| given.secrets.clone())
        };
        let Some(secrets) = secrets else { return self.tripwire() };
        let kept = secrets.iter().filter(|(name, _)| !is_public(name));
        Arc::new(Tripwire::new(kept.map(|(name, secret)| (name.as_str(), secret))))
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        // Nothing that runs under this lock leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    /// Names only.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.given().secrets.keys()).finish()
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

    /// The names of the query pairs that it holds, with something else for their values.
    #[must_use]
    pub fn hidden(&self) -> Self {
        let pairs = self.0.split('&').filter(|pair| !pair.is_empty());
        let hidden: Vec<String> =
            pairs.map(|pair| format!("{}=(secret)", pair.split_once('=').map_or(pair, |(name, _)| name))).collect();
        Self(hidden.join("&").into())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Files, Place};

    const TOKEN: &str = "shpat_4f9c1e77b2a84d0f";

    fn env(name: &str, default: Option<&str>) -> Env {
        let place = Place::new(Files::default().add("site.toml", "{}"), 0..2);
        Env { name: name.to_owned(), default: default.map(str::to_owned), place }
    }

    #[test]
    fn what_was_given_as_a_secret_is_looked_for() {
        let environment = Environment::new([
            ("TOKEN".to_owned(), TOKEN.to_owned()),
            ("HOST".to_owned(), "https://api.example".to_owned()),
            ("STAGE".to_owned(), "development".to_owned()),
            ("PIN".to_owned(), "1234".to_owned()),
            ("EMPTY".to_owned(), String::new()),
            ("WORD".to_owned(), "production".to_owned()),
        ]);
        let mut findings = Findings::default();
        assert!(environment.secrets().tripwire().is_idle());
        environment.resolve(&env("HOST", None), &mut findings);
        environment.secret(&env("STAGE", Some("development")), &mut findings);
        environment.secret(&env("UNSET", Some("a-default")), &mut findings);
        environment.secret(&env("EMPTY", None), &mut findings);
        assert!(environment.secrets().tripwire().is_idle());
        assert!(findings.is_empty());
        assert_eq!(environment.secret(&env("PIN", None), &mut findings).expose(), "1234");
        assert_eq!(findings.iter().map(|finding| finding.code.name).collect::<Vec<_>>(), ["env/short-secret"]);
        assert!(environment.secrets().tripwire().is_idle());
        environment.secret(&env("WORD", None), &mut findings);
        assert_eq!(findings.iter().last().map(|finding| finding.code.name), Some("env/word-secret"));
        assert!(environment.secrets().tripwire().find(b"in production.").is_some());
        // What a later site declares as public is not looked for in what it makes, whatever an earlier one has sent.
        let later = environment.with_public([("WORD".to_owned(), None)]);
        assert!(later.tripwire().find(b"in production.").is_none());
        assert!(later.secrets().tripwire().find(b"in production.").is_some());
        assert!(Arc::ptr_eq(&environment.tripwire(), &environment.secrets().tripwire()));
        // Clones remember the same.
        environment.clone().secret(&env("TOKEN", None), &mut findings);
        let tripwire = environment.secrets().tripwire();
        assert!(tripwire.find(TOKEN.as_bytes()).is_some());
        assert!(Arc::ptr_eq(&tripwire, &environment.secrets().tripwire()));
        assert_eq!(format!("{:?}", environment.secrets()), "{\"TOKEN\", \"WORD\"}");
        assert!(!format!("{environment:?} {:?}", Secret::new(TOKEN)).contains("shpat"));
    }
}
