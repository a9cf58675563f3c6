//! `siteserver check`: everything that is wrong with a site, or what a code means.

use super::arguments::{CheckArguments, Format, SiteArguments};
use super::console::{Terminal, counted, summary};
use super::{FAILED, USAGE, catalogue, load, messages};
use crate::diagnostic::did_you_mean;
use crate::handler::FILES_KEPT;
use crate::report::Ceiling;
use crate::site::{Loaded, Memory};
use anyhow::anyhow;
use std::process::ExitCode;
use std::time::Instant;

/// Checks the site and writes the findings to the standard output.
pub(super) fn check(site: &SiteArguments, how: &CheckArguments) -> ExitCode {
    if let Some(code) = &how.explain {
        return explain(code.as_deref());
    }
    let environment = load::environment().lenient();
    messages::of_panics(environment.secrets());
    let voice = site.voice;
    let (begun, memory) = (Instant::now(), Memory::default());
    let Loaded { site, findings, files } = load::load_again(site, &environment, &memory);
    let elapsed = begun.elapsed();
    let mut out = Terminal::stdout().keeping(environment.secrets());
    match how.format {
        Format::Json => {
            let memory = site.as_ref().map(|site| ("memory", Ceiling::of(site, FILES_KEPT).as_json()));
            out.findings_as_json(&findings, &files, memory);
        }
        Format::Text => {
            out.findings(&findings, &files);
            if voice.verbose {
                let read = counted(memory.read_count(), "file");
                let rendered = counted(memory.rendered_count(), "document");
                let compiled = counted(memory.compiled_count(), "layout");
                out.line(&format!(
                    "{read} read, {compiled} compiled, {rendered} rendered in {} ms",
                    elapsed.as_millis()
                ));
            }
            if voice.quiet {
                return ended(site.is_some());
            }
            let counts = summary(&findings);
            let verdict = match &site {
                Some(site) => format!("the site is sound: {}", counted(site.routes.len(), "route")),
                None => "the site cannot be served".to_owned(),
            };
            out.line(&if counts.is_empty() { verdict } else { format!("{verdict}; {counts}") });
            if let Some(site) = site.as_ref().filter(|_| voice.verbose) {
                out.line(&Ceiling::of(site, FILES_KEPT).line());
            }
        }
    }
    ended(site.is_some())
}

/// How a check ends.
pub(super) fn ended(is_sound: bool) -> ExitCode {
    if is_sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// Says what a code means, or lists all of them.
fn explain(code: Option<&str>) -> ExitCode {
    let codes = catalogue::all();
    let Some(wanted) = code else {
        let width = codes.iter().map(|code| code.name.len()).max().unwrap_or(0);
        let lines = codes.iter().map(|code| format!("{:width$}  {}\n", code.name, catalogue::headline(code)));
        Terminal::stdout().write(&lines.collect::<String>());
        return ExitCode::SUCCESS;
    };
    let Some(code) = codes.iter().find(|code| code.name == wanted) else {
        let help = did_you_mean(wanted, codes.iter().map(|code| code.name));
        let help = help.unwrap_or_else(|| "`siteserver check --explain` lists them all".to_owned());
        Terminal::stderr().problem(&anyhow!("no finding has the code `{wanted}`; {help}"));
        return ExitCode::from(USAGE);
    };
    Terminal::stdout().write(&catalogue::documentation(code));
    ExitCode::SUCCESS
}
