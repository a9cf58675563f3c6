//! A line on the terminal for those who wait: what is being done, for how long, and how far it is.
//!
//! It shows when something takes more than a second, and is gone when that is done. Nothing of it is written where no terminal is: what
//! reads the standard error there wants to be told once.

use super::arguments::Voice;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is written anew.
const BEAT: Duration = Duration::from_millis(200);

/// Does `work`, and tells those who wait for it that `what` is being done, and `far`, which is how far it is.
pub(super) fn while_waiting<T>(
    voice: Voice,
    what: &str,
    far: impl Fn() -> String + Sync,
    work: impl FnOnce() -> T,
) -> T {
    if voice.quiet || !io::stderr().is_terminal() {
        return work();
    }
    let begun = Instant::now();
    thread::scope(|scope| {
        // It is dropped when the work ends, also by a panic.
        let (working, ended) = channel::<()>();
        let far = &far;
        scope.spawn(move || {
            let mut wait = PATIENCE;
            let mut is_shown = false;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                show(&line(what, begun.elapsed(), &far()));
                (wait, is_shown) = (BEAT, true);
            }
            if is_shown {
                show("");
            }
        });
        let done = work();
        drop(working);
        done
    })
}

/// `loading the site: 3 s, 1200 files read`.
fn line(what: &str, elapsed: Duration, far: &str) -> String {
    let separator = if far.is_empty() { "" } else { ", " };
    format!("{what}: {} s{separator}{far}", elapsed.as_secs())
}

/// Writes `line` in place of the one before. The terminal may be gone; there is nobody left to tell.
fn show(line: &str) {
    let mut terminal = io::stderr().lock();
    // To the first column, then what is there is erased to its end (ECMA-48, 8.3.41).
    terminal.write_all(format!("\r\u{1b}[K{line}").as_bytes()).and_then(|()| terminal.flush()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_how_long_and_how_far() {
        assert_eq!(line("loading the site", Duration::from_millis(3900), ""), "loading the site: 3 s");
        let far = line("loading the site", Duration::from_secs(61), "1200 files read");
        assert_eq!(far, "loading the site: 61 s, 1200 files read");
    }

    #[test]
    fn what_is_done_comes_back() {
        assert_eq!(while_waiting(Voice::default(), "counting", String::new, || 7), 7);
    }
}
