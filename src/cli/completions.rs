//! `siteserver completions`: what completes the words of a command line in a shell, from the table that it is read by.

use super::arguments::Arguments;
use super::console::Terminal;
use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use std::process::ExitCode;

/// Writes the completions of `shell` to the standard output.
pub(super) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    generate(shell, &mut command, name, &mut script);
    Terminal::stdout().write(&String::from_utf8(script)?);
    Ok(ExitCode::SUCCESS)
}
