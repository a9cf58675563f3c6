//! The commands and their flags, from the table that the command line is read by.

use super::{Page, cell};
use crate::cli::arguments::Arguments;
use clap::{Arg, Command, CommandFactory as _};
use std::fmt::Write as _;

pub(super) fn page() -> Page {
    let root = Arguments::command();
    let mut body = format!("## `siteserver`\n\n{}\n\n", about(&root));
    write!(body, "Flags that every command takes:\n\n{}\n", flags(root.get_arguments())).unwrap_or_default();
    for command in root.get_subcommands() {
        section(command, "siteserver", &mut body);
    }
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    writeln!(body, "## Examples, signals and exit codes\n\n```text\n{after}\n```").unwrap_or_default();
    Page {
        name: "commands",
        title: "Commands",
        description: "What can be said on the command line, with signals and exit codes.",
        body,
    }
}

/// A command, and the commands within it.
fn section(command: &Command, within: &str, body: &mut String) {
    let name = format!("{within} {}", command.get_name());
    write!(body, "## `{name}`\n\n{}\n\n", about(command)).unwrap_or_default();
    let own: Vec<&Arg> = command.get_arguments().collect();
    if !own.is_empty() {
        writeln!(body, "{}", flags(own)).unwrap_or_default();
    }
    if let Some(after) = command.get_after_help() {
        write!(body, "```text\n{after}\n```\n\n").unwrap_or_default();
    }
    for inner in command.get_subcommands() {
        section(inner, &name, body);
    }
}

/// What a command does; help leaves out the full stops of first lines.
fn about(command: &Command) -> String {
    let short = command.get_about().map(ToString::to_string).unwrap_or_default();
    // That of the program itself begins with a whole sentence, and goes on with how it is laid out on a terminal.
    let long = command
        .get_long_about()
        .map(ToString::to_string)
        .filter(|long| long.starts_with(&short) && !short.ends_with('.'));
    let text = long.unwrap_or(short);
    let paragraphs: Vec<String> = text.split("\n\n").map(|text| format!("{}.", text.trim_end_matches('.'))).collect();
    paragraphs.join("\n\n")
}

/// A table of arguments.
fn flags<'c>(arguments: impl IntoIterator<Item = &'c Arg>) -> String {
    let mut text = String::from("| Written | Means |\n|---|---|\n");
    for argument in arguments {
        let value = argument.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
        let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
        let written = match argument.get_long() {
            Some(long) if argument.get_action().takes_values() => format!("{short}--{long} {value}"),
            Some(long) => format!("{short}--{long}"),
            None => value,
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let mut means = format!("{help}.");
        if argument.get_action().takes_values() {
            for possible in argument.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
                let help = possible.get_help().map(|help| format!(": {help}")).unwrap_or_default();
                write!(means, " `{}`{help}.", possible.get_name()).unwrap_or_default();
            }
        }
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
        if !defaults.is_empty() {
            write!(means, " Default: {}.", defaults.join(", ")).unwrap_or_default();
        }
        writeln!(text, "| `{written}` | {} |", cell(&means)).unwrap_or_default();
    }
    text
}
