//! `siteserver password`: the hash of a password, for the file that `[auth.basic]` names.
//!
//! The password is read from the standard input and from nowhere else: arguments and variables can be seen by others of the machine. A
//! terminal does not show it.

use super::console::Terminal;
use crate::identity::{LONGEST_PASSWORD, PasswordHash};
use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Stdin, Write as _};
use std::process::ExitCode;

/// Reads a line and writes the hash of what is in it.
pub(super) fn password() -> anyhow::Result<ExitCode> {
    let input = io::stdin();
    let password = if input.is_terminal() { asked(&input)? } else { line(&input)? };
    if password.is_empty() {
        bail!(
            "an empty password lets everybody in: type one, or send it: printf '%s' \"$PASSWORD\" | siteserver password"
        );
    }
    let hash = PasswordHash::of(password.as_bytes());
    let hash = hash.with_context(|| format!("it cannot be hashed: a password has at most {LONGEST_PASSWORD} bytes"))?;
    Terminal::stdout().line(&hash);
    Ok(ExitCode::SUCCESS)
}

/// Asks twice, so that nobody is locked out by a slip.
fn asked(input: &Stdin) -> anyhow::Result<String> {
    let hidden = Hidden::of(input)?;
    let first = prompted("Password: ", input)?;
    let second = prompted("Once more: ", input)?;
    drop(hidden);
    if first != second {
        bail!("these are two passwords: nothing is hashed");
    }
    Ok(first)
}

fn prompted(prompt: &str, input: &Stdin) -> anyhow::Result<String> {
    let mut errors = io::stderr();
    // The standard output is for the hash.
    errors.write_all(prompt.as_bytes()).and_then(|()| errors.flush()).context("the terminal is gone")?;
    let line = line(input)?;
    errors.write_all(b"\n").context("the terminal is gone")?;
    Ok(line)
}

/// The first line, without its end.
fn line(input: &Stdin) -> anyhow::Result<String> {
    let mut line = String::new();
    // One byte more shows that it is too long, and two are the end of the line.
    let most = LONGEST_PASSWORD as u64 + 3;
    input.lock().by_ref().take(most).read_line(&mut line).context("the password cannot be read")?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'t> {
    input: &'t Stdin,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn of(input: &'t Stdin) -> anyhow::Result<Self> {
        let before = tcgetattr(input).context("the terminal does not say how it is set")?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(input, OptionalActions::Flush, &hidden).context("the terminal would show the password")?;
        Ok(Self { input, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // Whoever closed it sees nothing any more.
        tcsetattr(self.input, OptionalActions::Flush, &self.before).unwrap_or_default();
    }
}
