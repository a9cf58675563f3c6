//! What can be said on the command line, and the help that teaches it: one table, from which usage, help and errors come.

use crate::site::Declaration;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const ABOUT: &str = "Serves a whole web site from declarations: TOML routes, Liquid layouts, Markdown, and data fetched at request time.";

const LONG_ABOUT: &str = "\
Serves a whole web site from declarations: TOML routes, Liquid layouts, Markdown, and data fetched at request time.

A site is a folder:
  site.toml   the site, the server, the upstreams; it may be empty
  routes/     one TOML file is one route: routes/about.toml answers /about
  layouts/    Liquid, escaped by default
  content/    Markdown, and the files that routes publish

It is checked as a whole before it serves. Edits are noticed while it serves: a sound one takes over at once, a broken one is explained \
and the last good site keeps serving.";

const AFTER: &str = "\
Examples:
  siteserver                                      serve ./site.toml on 127.0.0.1:4000
  siteserver --config shop/site.toml              serve another site
  siteserver --set 'server.listen=[\"[::]:8080\"]'  serve on another address
  siteserver check                                say everything that is wrong
  siteserver check --explain config/unknown-key   say what a finding means
  siteserver routes                               list what it serves
  siteserver schema --write                       let editors complete and check its files

Signals while it serves:
  SIGHUP           loads the site anew; the old one keeps serving if the new one has errors
  SIGTERM, SIGINT  answers what is under way, then stops; once more stops at once

Exit codes:
  0  fine, also after a stop by signal
  1  the site has errors, or it cannot be served
  2  wrong usage";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "siteserver", version, about = ABOUT, long_about = LONG_ABOUT, after_help = AFTER)]
#[command(disable_help_subcommand = true, max_term_width = 120)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) site: SiteArguments,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Which site, and how it differs from its files.
#[derive(Debug, Clone, Args)]
pub(super) struct SiteArguments {
    /// The site's `site.toml`; every path in the site is relative to its folder
    #[arg(long, global = true, value_name = "PATH", default_value = "./site.toml")]
    pub(super) config: PathBuf,
    /// Sets one key of `site.toml` to a TOML value or else a string; may be repeated, later ones win
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(super) sets: Vec<String>,
}

/// What to do.
#[derive(Debug, Default, Subcommand)]
pub(super) enum Command {
    /// Serve the site; what happens without a command
    #[default]
    Serve,
    /// Say everything that is wrong with the site, and stop
    ///
    /// Errors end with exit code 1, warnings and notes alone with 0. Environment variables that the site needs may be unset here: that is a
    /// warning, because a site is often checked on another machine than the one that serves it.
    Check(CheckArguments),
    /// List the routes of the site: URLs, kinds, files, layouts, sources, cache policy, privacy
    Routes,
    /// Write what may stand in the files of a site, as JSON Schema, so that editors complete and check them
    Schema(SchemaArguments),
}

/// Which schema, and where to.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct SchemaArguments {
    /// The kind of file whose schema is written to the standard output
    #[arg(value_parser = declarations(), value_name = "FILE")]
    pub(super) of: Option<Declaration>,
    /// Write all schemas below `.siteserver/` beside site.toml, and a `.taplo.toml` that points editors to them unless there is one
    #[arg(long)]
    pub(super) write: bool,
}

/// The kinds of files that hold declarations, by their names.
fn declarations() -> impl TypedValueParser<Value = Declaration> {
    let known = Declaration::ALL.map(|of| PossibleValue::new(of.name()).help(of.what()));
    let find = |name: String| Declaration::ALL.into_iter().find(|of| of.name() == name).ok_or("no such kind of file");
    PossibleValuesParser::new(known).try_map(find)
}

/// How to check.
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// How findings are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
    /// Say what a finding's code means, and how to mend it; without a code, list them all
    #[arg(long, value_name = "CODE", num_args = 0..=1, conflicts_with = "format")]
    #[expect(clippy::option_option, reason = "absent, present without a code, present with one")]
    pub(super) explain: Option<Option<String>>,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, with the lines they are about
    #[default]
    Text,
    /// For programs: one JSON object with `findings`, a list
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_table_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn arguments_of_the_site_may_stand_on_both_sides_of_the_command() {
        for line in [["--config", "a.toml", "--set", "a=1", "check"], ["check", "--config", "a.toml", "--set", "a=1"]] {
            let arguments = Arguments::try_parse_from(std::iter::once("siteserver").chain(line)).unwrap();
            assert_eq!(arguments.site.config, PathBuf::from("a.toml"), "{line:?}");
            assert_eq!(arguments.site.sets, ["a=1"], "{line:?}");
            assert!(matches!(arguments.command, Some(Command::Check(_))), "{line:?}");
        }
    }
}
