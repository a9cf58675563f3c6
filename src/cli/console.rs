//! Writing to people: where to, whether in colours, and how findings are summed up.

use crate::config::{Secrets, Tripwire};
use crate::diagnostic::{Files, Finding, Findings, Level, draw, to_json};
use crate::value::Value;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, OnceLock};

/// Why something that was asked for could not be written.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// One of the two streams that people read. A reader who has left misses nothing, and the exit code still tells; what cannot be written for
/// another reason is remembered, if it was asked for.
pub(super) struct Terminal {
    stream: Box<dyn Write>,
    is_output: bool,
    colours: bool,
    tripwire: Arc<Tripwire>,
}

impl Terminal {
    /// The standard output: what a command was asked for.
    pub(super) fn stdout() -> Self {
        let stream = io::stdout();
        let colours = has_colours(stream.is_terminal());
        Self { colours, stream: Box::new(stream), is_output: true, tripwire: Arc::default() }
    }

    /// The standard error: everything else.
    pub(super) fn stderr() -> Self {
        let stream = io::stderr();
        let colours = has_colours(stream.is_terminal());
        Self { colours, stream: Box::new(stream), is_output: false, tripwire: Arc::default() }
    }

    /// The same, which keeps the secrets that were given out so far.
    pub(super) fn keeping(self, secrets: &Secrets) -> Self {
        Self { tripwire: secrets.tripwire(), ..self }
    }

    /// Writes `text` in one piece, so that lines of different threads do not mix. Lines that hold a secret are withheld.
    pub(super) fn write(&mut self, text: &str) {
        let text = discreet(text, &self.tripwire);
        let written = self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush());
        if self.is_output
            && let Err(error) = written
        {
            remember(error);
        }
    }

    /// Writes one line.
    pub(super) fn line(&mut self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// Draws each finding, with an empty line after it.
    pub(super) fn findings(&mut self, findings: &Findings, files: &Files) {
        let mut text = String::new();
        for finding in findings {
            let drawn = draw(finding, files, self.colours);
            match self.tripwire.find(drawn.as_bytes()) {
                None => text.push_str(&drawn),
                Some(name) => text.push_str(&withheld_finding(finding, name)),
            }
            text.push_str("\n\n");
        }
        let omitted: usize = Level::ALL.iter().map(|level| findings.omitted(*level)).sum();
        if omitted > 0 {
            writeln!(text, "{} not shown: mend these first\n", counted(omitted, "more finding")).unwrap_or_default();
        }
        self.write(&text);
    }

    /// The findings as JSON, with another member if there is one. Those that hold a secret are not among them, and the standard error says so.
    pub(super) fn findings_as_json(&mut self, findings: &Findings, files: &Files, more: Option<(&'static str, Value)>) {
        let whole = to_json(findings, files, more.clone());
        if self.tripwire.find(whole.as_bytes()).is_none() {
            return self.write(&whole);
        }
        let mut kept = findings.clone();
        kept.retain(|finding| {
            let mut alone = Findings::default();
            alone.push(finding.clone());
            let found = self.tripwire.find(to_json(&alone, files, None).as_bytes());
            if let Some(name) = found {
                Self::stderr().line(&withheld_finding(finding, name));
            }
            found.is_none()
        });
        self.write(&to_json(&kept, files, more));
    }

    /// Says why a command cannot do what it was asked for.
    pub(super) fn problem(&mut self, error: &anyhow::Error) {
        let word = if self.colours { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        self.line(&format!("{word}: {error:#}{}", way_out(error)));
    }
}

/// What to do where the system has refused something, and its own words do not say it.
fn way_out(error: &anyhow::Error) -> &'static str {
    let refused = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match refused {
        Some(ErrorKind::PermissionDenied) => "; you have no right to that: choose another place, or ask whose it is",
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            "; there is no room left there: make some, or choose another place"
        }
        Some(ErrorKind::ReadOnlyFilesystem) => "; nothing is written to that file system: choose another place",
        Some(_) | None => "",
    }
}

/// Remembers the first reason for which what was asked for could not be written, unless nobody reads it any more.
pub(super) fn remember(error: io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        LOST.set(error).unwrap_or_default();
    }
}

/// Why something that was asked for could not be written, if that is so.
pub(super) fn lost() -> Option<&'static io::Error> {
    LOST.get()
}

/// The text without the lines that hold a secret.
fn discreet<'t>(text: &'t str, tripwire: &Tripwire) -> Cow<'t, str> {
    let Some(name) = tripwire.find(text.as_bytes()) else { return text.into() };
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        match tripwire.find(line.as_bytes()) {
            None => kept.push_str(line),
            Some(name) => kept.push_str(&withheld(name)),
        }
        kept.push('\n');
    }
    // It may have lines of its own.
    if tripwire.find(kept.as_bytes()).is_none() { kept.into() } else { format!("{}\n", withheld(name)).into() }
}

/// What is said in place of a finding.
fn withheld_finding(finding: &Finding, name: &str) -> String {
    format!("{}[{}]: {}", finding.level.name(), finding.code.name, withheld(name))
}

/// What is said in place of a message.
pub(super) fn withheld(name: &str) -> String {
    format!("a message is withheld: it holds the value of the secret `{name}`")
}

/// Colours are for people at terminals who have not asked to be spared (<https://no-color.org>).
pub(super) fn has_colours(is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    is_terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// `2 errors, 1 warning`; nothing if there is nothing to count.
pub(super) fn summary(findings: &Findings) -> String {
    let mut text = String::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let count = findings.iter().filter(|finding| finding.level == level).count() + findings.omitted(level);
        if count > 0 {
            let separator = if text.is_empty() { "" } else { ", " };
            write!(text, "{separator}{}", counted(count, level.name())).unwrap_or_default();
        }
    }
    text
}

/// `1 route`, `2 routes`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::diagnostic::{Finding, codes};

    codes! {
        /// An example.
        EXAMPLE = Error "test/example";
    }

    #[test]
    fn lines_with_a_secret_are_withheld() {
        let secrets = [("A", Secret::new("token+of-ours")), ("B", Secret::new("two\nlines, of ours"))];
        let tripwire = Tripwire::new(secrets.iter().map(|(name, secret)| (*name, secret)));
        assert_eq!(discreet("GET /\n", &tripwire), "GET /\n");
        assert_eq!(
            discreet("GET /\nGET /token%2bof-ours\nGET /x", &tripwire),
            "GET /\na message is withheld: it holds the value of the secret `A`\nGET /x\n"
        );
        assert_eq!(
            discreet("one\ntwo\nlines, of ours\n", &tripwire),
            "a message is withheld: it holds the value of the secret `B`\n"
        );
    }

    #[test]
    fn findings_are_counted_by_level() {
        let mut findings = Findings::default();
        assert_eq!(summary(&findings), "");
        for level in [Level::Warning, Level::Error, Level::Error] {
            findings.push(Finding::anywhere(&EXAMPLE, "x").level(level));
        }
        assert_eq!(summary(&findings), "2 errors, 1 warning");
        assert_eq!(counted(1, "route"), "1 route");
        assert_eq!(counted(0, "route"), "0 routes");
    }
}
