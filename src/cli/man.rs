//! `siteserver man`: the command line as manual pages, from the table that it is read by.

use super::USAGE;
use super::arguments::{Arguments, ManArguments};
use super::console::Terminal;
use crate::diagnostic::did_you_mean;
use anyhow::{Context as _, anyhow};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Writes one page to the standard output, or all of them to a folder.
pub(super) fn man(how: &ManArguments) -> anyhow::Result<ExitCode> {
    let mut root = Arguments::command();
    // Every command then has its flags, those of all commands among them, and its whole name.
    root.build();
    if let Some(folder) = &how.write {
        write(&root, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = &root;
    for name in &how.command {
        let Some(found) = command.find_subcommand(name) else {
            let known = || command.get_subcommands().map(Command::get_name);
            let help = did_you_mean(name, known())
                .unwrap_or_else(|| format!("there are: {}", known().collect::<Vec<_>>().join(", ")));
            Terminal::stderr().problem(&anyhow!("there is no command `{name}`; {help}"));
            return Ok(ExitCode::from(USAGE));
        };
        command = found;
    }
    Terminal::stdout().write(&page(command)?);
    Ok(ExitCode::SUCCESS)
}

/// The page of a command: `siteserver-try-liquid(1)`.
fn page(command: &Command) -> anyhow::Result<String> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    // Examples are laid out by their lines, which a manual page would run together.
    let examples = command.get_after_help().map(ToString::to_string);
    let man = Man::new(command.clone().after_help(None::<&str>).after_long_help(None::<&str>)).title(name);
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut text = String::from_utf8(text)?;
    if let Some(examples) = examples {
        text.push_str(&verbatim(&examples));
    }
    Ok(text)
}

/// The sections of a help text, each under its own heading, line by line as they are written.
fn verbatim(help: &str) -> String {
    let mut text = String::new();
    let mut is_open = false;
    for line in help.lines() {
        let heading = line.strip_suffix(':').filter(|line| !line.starts_with(' ') && !line.contains('.'));
        if let Some(heading) = heading {
            if is_open {
                text.push_str(".fi\n");
            }
            text.push_str(".SH ");
            text.push_str(&escaped(&heading.to_uppercase()));
            text.push_str("\n.nf\n");
            is_open = true;
        } else {
            if !is_open {
                text.push_str(".SH NOTES\n.nf\n");
                is_open = true;
            }
            text.push_str(&escaped(line));
            text.push('\n');
        }
    }
    if is_open {
        text.push_str(".fi\n");
    }
    text
}

/// Text that means nothing to a formatter of manual pages (groff(7), escape sequences and requests).
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    // A line that begins with a full stop would be a request.
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

fn write(root: &Command, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut open = vec![root];
    let mut out = Terminal::stdout();
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, page(command)?).with_context(|| format!("cannot write `{}`", path.display()))?;
        out.line(&format!("wrote {}", path.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_stand_as_they_are_written() {
        let text = verbatim("Examples:\n  a --b 'c\\d'\n\nExit codes:\n  0  fine");
        assert_eq!(
            text,
            ".SH EXAMPLES\n.nf\n  a \\-\\-b \\(aqc\\ed\\(aq\n\n.fi\n.SH EXIT CODES\n.nf\n  0  fine\n.fi\n"
        );
        assert_eq!(escaped(".siteserver/"), "\\&.siteserver/");
    }

    #[test]
    fn every_command_has_a_page_with_its_name_and_its_flags() {
        let mut root = Arguments::command();
        root.build();
        let liquid = root.find_subcommand("try").and_then(|command| command.find_subcommand("liquid")).unwrap();
        let text = page(liquid).unwrap();
        for part in ["siteserver\\-try\\-liquid", "\\-\\-partials", "\\-\\-quiet"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(page(&root).unwrap().contains(".SH EXIT CODES\n"));
    }
}
