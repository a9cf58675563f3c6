//! What is kept of the answers to a source's calls, in words: for how long, for whom, under what.
//!
//! Whether anything is kept of a particular answer says that answer; here stands what is declared.

use super::settings::setting;
use crate::config::{Binding, format_duration};
use crate::explanation::{Origin, Setting};
use crate::source::{Http, Keep};
use std::fmt::Write as _;
use std::time::Duration;

/// Whose calls it is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Everybody's.
    Everybodys,
    /// One person's, who is known by a credential in them.
    OnePersons,
    /// Those that are made of one person's data, which does not say who that is.
    Addressed,
}

/// What is kept of a call of the source `name` to an `upstream`, and under what besides the call itself.
pub(super) fn of(
    (name, upstream): (&str, &str),
    http: &Http<Binding>,
    is_safe: bool,
    whose: Whose,
) -> (Setting, Vec<String>) {
    let Some(keep) = &http.keep else {
        let origin = if is_safe {
            Origin::BuiltIn
        } else {
            Origin::Derived("a call that may change something is made each time".to_owned())
        };
        return (setting("cache", "nothing".to_owned(), origin), Vec::new());
    };
    let parameters: Vec<&str> = http.parameters.iter().map(|(name, _)| name.as_str()).collect();
    let mut key = "under: the call with all its fields".to_owned();
    let mut tags = vec![format!("source:{name}")];
    if !parameters.is_empty() {
        write!(key, ", and {}", parameters.join(", ")).unwrap_or_default();
        let pairs: Vec<String> = parameters.iter().map(|name| format!("{name}=\u{2026}")).collect();
        tags.push(format!("source:{name}?{}", pairs.join("&")));
    }
    tags.push(format!("upstream:{upstream}"));
    tags.extend(keep.written_tags.iter().cloned());
    let words = words(keep, whose);
    (setting("cache", words, Origin::Written(keep.place)), vec![key, format!("tags: {}", tags.join(", "))])
}

fn words<R>(keep: &Keep<R>, whose: Whose) -> String {
    let mut words = match keep.max_age {
        Some(time) if time.is_zero() => "asked about each time".to_owned(),
        Some(time) => format!("fresh for {}", format_duration(time)),
        None => "fresh as long as the upstream says".to_owned(),
    };
    let mut joint = ", then";
    for (window, when) in
        [(keep.stale_while_revalidate, "while it is fetched anew"), (keep.stale_if_error, "in place of an error")]
    {
        if let Some(window) = window.filter(|window| !window.is_zero()) {
            write!(words, "{joint} stale {when} for {}", format_duration(window)).unwrap_or_default();
            joint = ", or";
        }
    }
    if let Some(time) = keep.absence().filter(|time| *time > Duration::ZERO) {
        write!(words, "; that there is nothing for {}", format_duration(time)).unwrap_or_default();
    }
    words += match (keep.overrides, whose) {
        (true, _) => "; whatever the upstream says",
        (false, Whose::OnePersons) => "; unless it says no-store or Vary: *, or no-cache without a validator",
        (false, Whose::Everybodys | Whose::Addressed) => {
            "; unless it says no-store, private or Vary: *, or no-cache without a validator"
        }
    };
    words += match whose {
        Whose::Everybodys => "",
        Whose::OnePersons => "; for calls with the same credential alone",
        Whose::Addressed => "; for calls that are made of the same person's data, or of another's that is the same",
    };
    words
}
