//! What was wrong with a site before something was added to it: what is new is shown, and what was there is only counted.

use super::super::arguments::{CheckArguments, Format, SiteArguments};
use super::super::check::{self, ended};
use super::super::console::{Terminal, summary};
use super::super::load;
use crate::diagnostic::{Files, Finding, Findings, draw};
use crate::site::Loaded;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// What was known of a site before.
#[derive(Debug)]
pub(super) struct Known {
    findings: Findings,
    drawn: BTreeSet<String>,
    is_sound: bool,
}

impl Known {
    /// What is wrong with a site as it is now.
    pub(super) fn of(site: &SiteArguments) -> Self {
        let Loaded { site, findings, files } = load::load(site, &load::environment().lenient());
        let drawn = findings.iter().map(|finding| drawn(finding, &files)).collect();
        Self { findings, drawn, is_sound: site.is_some() }
    }

    /// Whether a site that could be served can no longer be. Shows what is wrong now.
    pub(super) fn is_broken_by(&self, arguments: &SiteArguments) -> bool {
        if !self.is_sound {
            return false;
        }
        let environment = load::environment().lenient();
        let Loaded { site, mut findings, files } = load::load(arguments, &environment);
        if site.is_some() {
            return false;
        }
        findings.retain(|finding| !self.drawn.contains(&drawn(finding, &files)));
        Terminal::stderr().keeping(environment.secrets()).findings(&findings, &files);
        true
    }

    /// Checks the site once more. Nothing that was added moves what was there, so a finding is known by how it is drawn.
    pub(super) fn compared(&self, arguments: &SiteArguments) -> ExitCode {
        if self.drawn.is_empty() {
            return check::check(arguments, &CheckArguments { format: Format::Text, explain: None });
        }
        let environment = load::environment().lenient();
        let Loaded { site, mut findings, files } = load::load(arguments, &environment);
        findings.retain(|finding| !self.drawn.contains(&drawn(finding, &files)));
        let mut out = Terminal::stdout().keeping(environment.secrets());
        out.findings(&findings, &files);
        // Whoever wants to hear only what is wrong hears why this ends as it does.
        if !arguments.voice.quiet || site.is_none() {
            let new = summary(&findings);
            let new =
                if new.is_empty() { "nothing is wrong with what is new".to_owned() } else { format!("new: {new}") };
            let before = summary(&self.findings);
            let verdict = if site.is_some() { "the site is sound" } else { "the site cannot be served" };
            out.line(&format!("{new}; as before: {before}, which `siteserver check` shows; {verdict}"));
        }
        ended(site.is_some())
    }
}

fn drawn(finding: &Finding, files: &Files) -> String {
    draw(finding, files, false)
}
