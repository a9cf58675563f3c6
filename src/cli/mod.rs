//! Commands: arguments and environment enter here, and nowhere else.
//!
//! | File | What |
//! |---|---|
//! | `arguments` | the command line and its help |
//! | `load` | one site, as all commands load it |
//! | `serve`, `dev`, `check`, `routes`, `explain`, `schema`, `purge` | one command each |
//! | `bundle` | one program with a site inside |
//! | `inside` | the site inside this program, and where it is |
//! | `new` | a new site, and what is added to one |
//! | `completions`, `man` | the command line for shells, and as manual pages |
//! | `password` | the hash of a password, for `[auth.basic]` |
//! | `try_out` | a template, a selector, Markdown, without a site |
//! | `catalogue` | the codes of all floors, for `check --explain` |
//! | `reference` | the pages of the documentation that are written from declarations |
//! | `console` | writing to people: terminals, colours, counts |
//! | `progress` | a line for those who wait for more than a second |
//! | `messages` | the server's own messages while it serves |
//!
//! It must not know how anything is done, only what is asked for. A new command is a variant of `Command` with its help, a file with its
//! function, and a line of [`run`].

mod arguments;
mod bundle;
mod catalogue;
mod check;
mod completions;
mod console;
mod dev;
mod explain;
mod inside;
mod load;
mod man;
mod messages;
mod new;
mod password;
mod progress;
mod purge;
pub mod reference;
mod routes;
mod schema;
mod serve;
mod try_out;

use crate::diagnostic::suggest;
use anyhow::anyhow;
use arguments::{Arguments, Command};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _};
use console::Terminal;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// The site has errors, or cannot be served.
const FAILED: u8 = 1;
/// What was asked for is not understood.
const USAGE: u8 = 2;

/// Runs the command that `arguments` name, and tells how it ended: 0 fine, 1 findings or cannot start, 2 usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let inside = match inside::find() {
        Ok(inside) => inside,
        Err(error) => {
            Terminal::stderr().problem(&error);
            return ExitCode::from(FAILED);
        }
    };
    let mut table = Arguments::command();
    if let Some(site) = &inside {
        table = table.version(format!("{}\nsite {}", env!("CARGO_PKG_VERSION"), site.digest().to_hex()));
    }
    let parsed = table.try_get_matches_from(arguments).and_then(|matches| {
        let mut arguments = Arguments::from_arg_matches(&matches)?;
        // A site that is asked for by name goes before the one inside.
        arguments.site.is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
        arguments.site.inside = inside.filter(|_| !arguments.site.is_named);
        if arguments.site.config.is_dir() {
            arguments.site.config.push("site.toml");
        }
        Ok(arguments)
    });
    let Arguments { site, command } = match parsed {
        Ok(arguments) => arguments,
        Err(mut error) => {
            suggest_command(&mut error);
            let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
            error.print().unwrap_or_else(console::remember);
            return unless_lost(code);
        }
    };
    if let Some(advice) = mistaken(&site.config) {
        Terminal::stderr().problem(&advice);
        return ExitCode::from(USAGE);
    }
    let ended = match command.unwrap_or_default() {
        Command::Serve => serve::serve(site),
        Command::New(how) => new::new(&site, &how),
        Command::Dev => dev::dev(&site),
        Command::Check(how) => Ok(check::check(&site, &how)),
        Command::Routes => routes::routes(&site),
        Command::Purge(how) => purge::purge(&site, &how),
        Command::Explain(how) => explain::explain(&site, &how),
        Command::Bundle(how) => bundle::bundle(&site, &how),
        Command::Schema(how) => schema::schema(&site, &how),
        Command::Password => password::password(),
        Command::Try(how) => try_out::try_out(&how.what),
        Command::Completions(how) => completions::completions(how.shell),
        Command::Man(how) => man::man(&how),
    };
    unless_lost(ended.unwrap_or_else(|error| {
        Terminal::stderr().problem(&error);
        ExitCode::from(FAILED)
    }))
}

/// Adds the command that was probably meant, where what reads arguments finds none near enough.
fn suggest_command(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return };
    let table = Arguments::command();
    if let Some(meant) = suggest(typed, table.get_subcommands().map(clap::Command::get_name)) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![meant.to_owned()]));
    }
}

/// What to say of a `--config` that is a file of a site, and not the one that makes it a site.
fn mistaken(config: &Path) -> Option<anyhow::Error> {
    if !config.is_file() || config.file_name().is_some_and(|name| name == "site.toml") {
        return None;
    }
    let is_part =
        |folder: &&Path| matches!(folder.file_name().and_then(OsStr::to_str), Some("routes" | "layouts" | "content"));
    let parts = config.ancestors().skip(1).filter(is_part);
    let around = parts.filter_map(Path::parent).map(|site| site.join("site.toml")).find(|site| site.is_file());
    let shown = config.display();
    if let Some(site) = around {
        return Some(anyhow!(
            "`{shown}` is a part of a site: --config takes its `{}`, or the folder of that",
            site.display()
        ));
    }
    let is_toml = config.extension().is_some_and(|extension| extension == "toml");
    (!is_toml).then(|| anyhow!("`{shown}` is no site: --config takes a `site.toml`, or the folder that it is in"))
}

/// How it ended, unless what was asked for could not be written.
fn unless_lost(code: ExitCode) -> ExitCode {
    let Some(error) = console::lost() else { return code };
    Terminal::stderr().problem(&anyhow!("the standard output cannot be written: {error}"));
    ExitCode::from(FAILED)
}
