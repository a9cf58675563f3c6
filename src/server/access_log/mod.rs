//! The access log: one line for each exchange, written by a thread of its own.
//!
//! A request leaves its line without waiting for it to be written: if the thread cannot keep up (a pipe nobody reads), lines are dropped
//! and counted. The line is made by whoever has answered: to hand over what it is made of would cost as much as to make it, and more memory.
//! What is logged of a request is its method and its path, never its query or its fields; neither of them if the value of a secret is
//! in the line.

mod line;

use http::{Method, StatusCode};
use line::{Clock, withheld, write_line};
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use super::RequestId;
use crate::config::{Secrets, Tripwire};
use crate::handler::Tally;

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// When the request's head had arrived.
    pub time: SystemTime,
    /// Its name.
    pub id: RequestId,
    /// Where it came from: the address of the connection, or what a trusted proxy says; none on a Unix socket.
    pub client: Option<IpAddr>,
    /// Its method; none if the request could not be read.
    pub method: Option<Method>,
    /// Its path as it was sent; none if the request could not be read.
    pub path: Option<Box<str>>,
    /// The status of the answer; none if the client or the server was gone before there was one.
    pub status: Option<StatusCode>,
    /// Octets of content that the socket took.
    pub bytes: u64,
    /// From arrival until the socket had taken the last octet.
    pub elapsed: Duration,
    /// What the handler knows.
    pub facts: Facts,
}

/// What a handler tells the log about its answer. The default knows nothing, and allocates nothing.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The route that answered.
    pub route: Option<Arc<str>>,
    /// What the page store did, in the words of `Cache-Status` (RFC 9211).
    pub cache: Option<&'static str>,
    /// The sources that were asked, in order.
    pub sources: Vec<SourceCall>,
    /// What counts the answer when it is sent.
    pub tally: Option<Tally>,
}

/// One source that was asked for a page.
#[derive(Debug, Clone)]
pub struct SourceCall {
    /// Its name.
    pub name: Arc<str>,
    /// How long it took.
    pub elapsed: Duration,
    /// What became of it, in a word.
    pub outcome: &'static str,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// A line for people.
    Text,
}

impl LogFormat {
    /// The format that suits standard output: text on a terminal, else JSON.
    pub fn for_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Where exchanges are recorded. Clones record to the same place.
#[derive(Debug, Clone, Default)]
pub struct AccessLog(Option<Arc<Desk>>);

/// The near end of the log. Dropped, it says that no lines follow.
#[derive(Debug)]
struct Desk {
    tray: Arc<Tray>,
    format: LogFormat,
}

/// Where lines wait for the writer, who takes all of them at once and leaves the memory of those before.
#[derive(Debug, Default)]
struct Tray {
    waiting: Mutex<Waiting>,
    /// Told when the first line has come, or no more can.
    news: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Lines,
    /// Whether no more will come.
    is_over: bool,
}

/// Lines one after the other, and where each ends.
#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    marks: Vec<Mark>,
}

/// Positions in a text of lines.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Where the words begin that others have chosen.
    words: usize,
    /// Where they end.
    words_end: usize,
    end: usize,
}

impl Lines {
    /// Appends a `line`, in which others have chosen the `words`.
    fn push(&mut self, line: &[u8], words: &Range<usize>) {
        let begin = self.text.len();
        self.text.extend_from_slice(line);
        self.marks.push(Mark { words: begin + words.start, words_end: begin + words.end, end: self.text.len() });
    }

    /// The lines.
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.marks.iter().map(|mark| mark.end));
        begins.zip(&self.marks).map(|(begin, mark)| self.text.get(begin..mark.end).unwrap_or_default())
    }

    /// Whether the `tripwire` finds a secret in any of them. Each is looked at by itself: what looking takes is bounded for each.
    fn tell_secrets(&self, tripwire: &Tripwire) -> bool {
        self.iter().any(|line| tripwire.find(line).is_some())
    }

    /// The same lines, but those in which the `tripwire` finds a secret say neither method nor path.
    fn without_secrets(&self, tripwire: &Tripwire, format: LogFormat) -> Vec<u8> {
        let mut told = Vec::with_capacity(self.text.len());
        let mut begin = 0;
        let part = |range: Range<usize>| self.text.get(range).unwrap_or_default();
        for Mark { words, words_end, end } in self.marks.iter().copied() {
            match tripwire.find(part(begin..end)) {
                None => told.extend_from_slice(part(begin..end)),
                Some(name) => {
                    told.extend_from_slice(part(begin..words));
                    withheld(name, format, &mut told);
                    told.extend_from_slice(part(words_end..end));
                }
            }
            begin = end;
        }
        told
    }

    fn clear(&mut self) {
        self.text.clear();
        self.marks.clear();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.tray.lock().is_over = true;
        self.tray.news.notify_one();
    }
}

impl Tray {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a `line`, in which others have chosen the `words`, or drops it.
    fn put(&self, line: &[u8], words: &Range<usize>) {
        let mut waiting = self.lock();
        let is_full = waiting.lines.marks.len() >= QUEUE || waiting.lines.text.len() >= QUEUED_BYTES;
        if is_full {
            drop(waiting);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = waiting.lines.marks.is_empty();
        waiting.lines.push(line, words);
        drop(waiting);
        if is_first {
            self.news.notify_one();
        }
    }

    /// Takes what has come, as soon as there is something, and leaves `spare` for what follows. Gives whether more can follow.
    fn take(&self, spare: &mut Lines) -> bool {
        let idle = |waiting: &mut Waiting| waiting.lines.marks.is_empty() && !waiting.is_over;
        let mut waiting = self.news.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, spare);
        !waiting.is_over
    }
}

/// The writing thread, to be waited for at the end.
#[derive(Debug)]
#[must_use = "the last lines are written when it is joined"]
pub struct AccessLogWriter(Receiver<Finished>);

/// Never sent: the writer's end of the channel is dropped when it is done.
#[derive(Debug)]
enum Finished {}

impl AccessLogWriter {
    /// Waits until every record is written. All clones of the log must be gone, or it waits for them; in any case not for longer than it
    /// takes to see that nobody reads the output.
    pub fn join(self) {
        match self.0.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => tracing::warn!("the access log could not be finished"),
        }
    }
}

/// How long the end of the process waits for the output of the log.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines that may wait for the writer.
const QUEUE: usize = 8192;

/// Bytes of lines that may wait for the writer: eight times those of usual lines, as their paths may be long.
const QUEUED_BYTES: usize = 16 << 20;

/// Lines for which there may always be room, and their bytes.
const FEW: usize = 256;
const FEW_BYTES: usize = FEW * 256;

/// How long the writer lets lines gather, so that a busy server does not wake it for each.
const GATHER: Duration = Duration::from_millis(10);

impl AccessLog {
    /// A log that records nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// A log that writes to `output`, on a new thread, and tells no value of `secrets`.
    pub fn to(
        output: impl Write + Send + 'static,
        format: LogFormat,
        secrets: Secrets,
    ) -> io::Result<(Self, AccessLogWriter)> {
        let tray = Arc::new(Tray::default());
        let desk = Desk { tray: Arc::clone(&tray), format };
        let (finished, end) = sync_channel::<Finished>(0);
        thread::Builder::new().name("access-log".to_owned()).spawn(move || {
            write_all(&tray, output, format, &secrets);
            drop(finished);
        })?;
        Ok((Self(Some(Arc::new(desk))), AccessLogWriter(end)))
    }

    /// Whether anything is recorded: without, nobody needs to make a record.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// How many records were dropped, because the output was too slow.
    pub fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |desk| desk.tray.dropped.load(Ordering::Relaxed))
    }

    /// Records one exchange, or drops it. Never waits for the writer.
    pub fn record(&self, exchange: &Exchange) {
        let Some(desk) = &self.0 else { return };
        // Made on this side of the lock.
        SCRATCH.with_borrow_mut(|Scratch { clock, line }| {
            line.clear();
            let words = write_line(exchange, desk.format, clock, line);
            desk.tray.put(line, &words);
            // A path may be long, and most are not.
            line.shrink_to(LONG);
        });
    }
}

/// Where a thread makes its lines.
#[derive(Debug, Default)]
struct Scratch {
    clock: Clock,
    line: Vec<u8>,
}

/// Longer lines are rare.
const LONG: usize = 4096;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The writer's life: sleeps until there is a line, then writes what has gathered, and lets more gather.
fn write_all(tray: &Tray, mut output: impl Write, format: LogFormat, secrets: &Secrets) {
    let mut lines = Lines::default();
    let mut told = 0;
    loop {
        let may_follow = tray.take(&mut lines);
        // A site that was loaded meanwhile may have given out others.
        let tripwire = secrets.tripwire();
        if lines.tell_secrets(&tripwire) {
            emit(&lines.without_secrets(&tripwire, format), &mut output);
        } else if !lines.text.is_empty() {
            emit(&lines.text, &mut output);
        }
        let lost = tray.dropped.load(Ordering::Relaxed);
        if lost > told {
            tracing::warn!(lost = lost - told, "access log lines were dropped: the output is too slow");
            told = lost;
        }
        if !may_follow {
            return;
        }
        // What a burst has taken is given back, but not at once: bursts come again.
        let (taken, bytes) = (lines.marks.len(), lines.text.len());
        lines.clear();
        if lines.marks.capacity() > FEW.max(8 * taken) {
            lines.marks.shrink_to(lines.marks.capacity() / 2);
        }
        if lines.text.capacity() > FEW_BYTES.max(8 * bytes) {
            lines.text.shrink_to(lines.text.capacity() / 2);
        }
        thread::sleep(GATHER);
    }
}

fn emit(batch: &[u8], output: &mut impl Write) {
    if let Err(error) = output.write_all(batch).and_then(|()| output.flush()) {
        tracing::warn!(%error, "the access log cannot be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use std::sync::Mutex;

    fn exchange() -> Exchange {
        Exchange {
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            id: RequestId::next(),
            client: Some([192, 0, 2, 7].into()),
            method: Some(Method::GET),
            path: Some("/a".into()),
            status: Some(StatusCode::OK),
            bytes: 12,
            elapsed: Duration::from_micros(1_234),
            facts: Facts {
                route: Some("/{page}".into()),
                cache: Some("hit"),
                sources: vec![
                    SourceCall { name: "repo".into(), elapsed: Duration::from_millis(8), outcome: "fetched" },
                    SourceCall { name: "user".into(), elapsed: Duration::ZERO, outcome: "omitted" },
                ],
                tally: None,
            },
        }
    }

    fn line(exchange: &Exchange, format: LogFormat) -> String {
        line_without(exchange, format, &Tripwire::default())
    }

    fn line_without(exchange: &Exchange, format: LogFormat, tripwire: &Tripwire) -> String {
        let (mut line, mut lines) = (Vec::new(), Lines::default());
        let words = write_line(exchange, format, &mut Clock::default(), &mut line);
        lines.push(b"before\n", &(0..0));
        lines.push(&line, &words);
        let told = String::from_utf8(lines.without_secrets(tripwire, format)).unwrap();
        told.strip_prefix("before\n").unwrap().to_owned()
    }

    #[test]
    fn no_line_tells_a_secret() {
        let secret = Secret::new("t0ken+/of=a \"secret\"");
        let tripwire = Tripwire::new([("TOKEN", &secret)]);
        for path in ["/t0ken+/of=a%20%22secret%22", "/x/t0ken%2B%2fof%3da \"secret\"", "/dDBrZW4rL29mPWEgInNlY3JldCI="]
        {
            let exchange = Exchange { path: Some(path.into()), ..exchange() };
            for format in [LogFormat::Json, LogFormat::Text] {
                let told = line_without(&exchange, format, &tripwire);
                assert!(told.contains("withheld: holds the value of TOKEN"), "{told}");
                assert!(told.contains("200") && told.contains(&exchange.id.to_string()), "{told}");
                assert!(tripwire.find(told.as_bytes()).is_none() && !told.contains("GET"), "{told}");
                assert_eq!(told.lines().count(), 1);
                assert!(line(&exchange, format).contains("GET"));
            }
        }
        assert_eq!(line_without(&exchange(), LogFormat::Json, &tripwire).matches("withheld").count(), 0);
    }

    #[test]
    fn a_line_of_json_has_every_key() {
        let exchange = exchange();
        let expected = format!(
            r#"{{"time":"2023-11-14T22:13:20.123Z","id":"{}","client":"192.0.2.7","method":"GET","path":"/a","route":"/{{page}}","status":200,"bytes":12,"ms":1.234,"cache":"hit","sources":[{{"name":"repo","ms":8.000,"outcome":"fetched"}},{{"name":"user","ms":0.000,"outcome":"omitted"}}]}}"#,
            exchange.id
        );
        assert_eq!(line(&exchange, LogFormat::Json), expected + "\n");
        let unknown =
            Exchange { client: None, method: None, path: None, status: None, facts: Facts::default(), ..exchange };
        let expected = format!(
            r#"{{"time":"2023-11-14T22:13:20.123Z","id":"{}","client":null,"method":null,"path":null,"route":null,"status":null,"bytes":12,"ms":1.234,"cache":null,"sources":[]}}"#,
            unknown.id
        );
        assert_eq!(line(&unknown, LogFormat::Json), expected + "\n");
    }

    #[test]
    fn a_line_of_text_is_one_line() {
        let exchange = exchange();
        let expected = format!(
            "2023-11-14T22:13:20.123Z 200 GET /a 12B 1.2ms hit repo=fetched/8.0ms user=omitted/0.0ms 192.0.2.7 {}\n",
            exchange.id
        );
        assert_eq!(line(&exchange, LogFormat::Text), expected);
    }

    #[test]
    fn control_characters_are_escaped_everywhere() {
        let hostile: String = (0..=0xff).map(char::from).chain("\u{2028}\u{1f600}".chars()).collect();
        let exchange = Exchange {
            path: Some(hostile.clone().into()),
            facts: Facts { route: Some(hostile.clone().into()), ..Facts::default() },
            ..exchange()
        };
        let json = line(&exchange, LogFormat::Json);
        let text = line(&exchange, LogFormat::Text);
        for line in [&json, &text] {
            assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
        }
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((read["path"].as_str(), read["route"].as_str()), (Some(hostile.as_str()), Some(hostile.as_str())));
    }

    /// An output that a test can look at, or hold up.
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_record_is_written_before_the_end() {
        let output = Output::default();
        let (log, writer) = AccessLog::to(output.clone(), LogFormat::Json, Secrets::default()).unwrap();
        for _ in 0..1_000 {
            log.record(&exchange());
        }
        drop(log);
        writer.join();
        assert_eq!(output.0.lock().unwrap().split(|&octet| octet == b'\n').count(), 1_001);
    }

    #[test]
    fn nobody_waits_for_an_output_that_is_stuck() {
        let output = Output::default();
        let (log, writer) = AccessLog::to(output.clone(), LogFormat::Json, Secrets::default()).unwrap();
        let stuck = output.0.lock().unwrap();
        for _ in 0..2 * QUEUE + 1_000 {
            log.record(&exchange());
        }
        drop(stuck);
        drop(log);
        writer.join();
        let lines = output.0.lock().unwrap().split(|&octet| octet == b'\n').count() - 1;
        assert!((QUEUE..2 * QUEUE + 1_000).contains(&lines), "{lines} lines");
    }

    #[test]
    fn a_log_that_is_off_takes_records_too() {
        let log = AccessLog::off();
        assert!(!log.is_on());
        log.record(&exchange());
    }
}
