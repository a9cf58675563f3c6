//! Commands: arguments and environment enter here, and nowhere else.

use clap::{CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::process::ExitCode;

/// Serves a whole web site from declarations.
#[derive(Debug, Parser)]
#[command(name = "siteserver", version, about)]
struct Arguments {}

/// Runs the command that `arguments` name, and tells how it ended: 0 fine, 1 findings or cannot start, 2 usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed =
        Arguments::command().try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    match parsed {
        Ok(Arguments {}) => ExitCode::SUCCESS,
        Err(error) => {
            // The terminal may be gone; there is nobody left to tell.
            error.print().unwrap_or_default();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}
