//! The server's own messages while it serves, and what is said of panics, on the standard error: none tells the value of a secret.

use super::arguments::Voice;
use super::console::{Terminal, has_colours, withheld};
use crate::config::Secrets;
use std::io::{self, IsTerminal as _, Write};
use std::panic::{self, PanicHookInfo};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes messages from now on; those of libraries only if they are errors, because they may quote what they carry. A panic is a message
/// like the others.
pub(super) fn write(secrets: &Secrets, voice: Voice) {
    let level = match voice {
        Voice { quiet: true, .. } => LevelFilter::WARN,
        Voice { verbose: true, .. } => LevelFilter::DEBUG,
        Voice { .. } => LevelFilter::INFO,
    };
    let ours = Targets::new().with_target("siteserver", level).with_default(LevelFilter::ERROR);
    let writer = Discreet { secrets: secrets.clone(), output: io::stderr };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_target(false)
        .with_ansi(has_colours(io::stderr().is_terminal()));
    // It is already done if a test serves twice in one process.
    tracing_subscriber::registry().with(ours).with(layer).try_init().unwrap_or_default();
    panic::set_hook(Box::new(tell_panic));
}

/// The same of panics alone, for commands that write no messages.
pub(super) fn of_panics(secrets: &Secrets) {
    let secrets = secrets.clone();
    panic::set_hook(Box::new(move |panic| {
        let (text, at) = told(panic);
        Terminal::stderr().keeping(&secrets).line(&format!("panicked at {at}: {text}"));
    }));
}

/// What is said of a panic: the text may quote what was being handled, and goes the way of all messages.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let (text, at) = told(panic);
    tracing::error!(at, "panicked: {text}");
}

/// The text of a panic, and where it happened.
fn told<'p>(panic: &'p PanicHookInfo<'_>) -> (&'p str, String) {
    (panic.payload_as_str().unwrap_or("no text"), panic.location().map(ToString::to_string).unwrap_or_default())
}

/// Makes writers that look through each message. The layer writes a message in one piece.
struct Discreet<M> {
    secrets: Secrets,
    output: M,
}

impl<'m, M: MakeWriter<'m>> MakeWriter<'m> for Discreet<M> {
    type Writer = Message<M::Writer>;

    fn make_writer(&'m self) -> Self::Writer {
        Message { secrets: self.secrets.clone(), output: self.output.make_writer() }
    }
}

/// Takes one message.
struct Message<W> {
    secrets: Secrets,
    output: W,
}

impl<W: Write> Write for Message<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match self.secrets.tripwire().find(text) {
            None => self.output.write_all(text)?,
            Some(name) => writeln!(self.output, "{}", withheld(name))?,
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, Environment};
    use crate::diagnostic::{Files, Findings, Place};

    #[test]
    fn a_message_with_a_secret_is_withheld() {
        let environment = Environment::new([("TOKEN".to_owned(), "a/token-of-ours".to_owned())]);
        let place = Place::new(Files::default().add("site.toml", ""), 0..0);
        let env = Env { name: "TOKEN".to_owned(), default: None, place };
        environment.secret(&env, &mut Findings::default());
        let mut written = Vec::new();
        let mut message = Message { secrets: environment.secrets().clone(), output: &mut written };
        message.write_all(b"ERROR panicked: no token\n").unwrap();
        message.write_all(b"ERROR panicked: a%2Ftoken-of-ours is no number\n").unwrap();
        message.flush().unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(
            written.lines().collect::<Vec<_>>(),
            ["ERROR panicked: no token", "a message is withheld: it holds the value of the secret `TOKEN`",]
        );
    }
}
