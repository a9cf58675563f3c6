//! The access log: one line for each exchange, formatted and written by a thread of its own.
//!
//! A request hands its record over without waiting for it to be written: if the thread cannot keep up (a pipe nobody reads), records are
//! dropped and counted.
//! What is logged of a request is its method and its path, never its query or its fields; neither of them if the value of a secret is
//! in the line.

use http::{Method, StatusCode};
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
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

/// The near end of the log. Dropped, it says that no records follow.
#[derive(Debug)]
struct Desk {
    tray: Arc<Tray>,
}

/// Where records wait for the writer, who takes all of them at once and leaves the memory of those before: a queue of a fixed place for each
/// record would walk through megabytes, and push what is served out of the processor's cache.
#[derive(Debug, Default)]
struct Tray {
    waiting: Mutex<Waiting>,
    /// Told when the first record has come, or no more can.
    news: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Exchange>,
    /// Whether no more will come.
    is_over: bool,
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

    /// Takes what has come, as soon as there is something, and leaves `spare` for what follows. Gives whether more can follow.
    fn take(&self, spare: &mut Vec<Exchange>) -> bool {
        let idle = |waiting: &mut Waiting| waiting.records.is_empty() && !waiting.is_over;
        let mut waiting = self.news.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.records, spare);
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

/// Records that may wait for the writer.
const QUEUE: usize = 8192;

/// Records for which there may always be room.
const FEW: usize = 256;

/// How long the writer lets records gather, so that a busy server does not wake it for each.
const GATHER: Duration = Duration::from_millis(10);

/// A batch is written when it has grown to this.
const BATCH: usize = 64 * 1024;

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
        let desk = Desk { tray: Arc::clone(&tray) };
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
    pub fn record(&self, exchange: Exchange) {
        let Some(desk) = &self.0 else { return };
        let mut waiting = desk.tray.lock();
        if waiting.records.len() >= QUEUE {
            drop(waiting);
            desk.tray.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = waiting.records.is_empty();
        waiting.records.push(exchange);
        drop(waiting);
        if is_first {
            desk.tray.news.notify_one();
        }
    }
}

/// The writer's life: sleeps until there is a record, then writes what has gathered, and lets more gather.
fn write_all(tray: &Tray, mut output: impl Write, format: LogFormat, secrets: &Secrets) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut clock = Clock::default();
    let mut records = Vec::new();
    let mut told = 0;
    loop {
        let may_follow = tray.take(&mut records);
        // A site that was loaded meanwhile may have given out others.
        let tripwire = secrets.tripwire();
        let taken = records.len();
        for exchange in records.drain(..) {
            write_line(&exchange, format, &tripwire, &mut clock, &mut batch);
            if batch.len() >= BATCH {
                emit(&batch, &mut output);
                batch.clear();
            }
        }
        if !batch.is_empty() {
            emit(&batch, &mut output);
            batch.clear();
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
        if records.capacity() > FEW.max(8 * taken) {
            records.shrink_to(records.capacity() / 2);
        }
        thread::sleep(GATHER);
    }
}

fn emit(batch: &[u8], output: &mut impl Write) {
    if let Err(error) = output.write_all(batch).and_then(|()| output.flush()) {
        tracing::warn!(%error, "the access log cannot be written");
    }
}

fn write_line(exchange: &Exchange, format: LogFormat, tripwire: &Tripwire, clock: &mut Clock, lines: &mut Vec<u8>) {
    let begin = lines.len();
    write_exchange(exchange, format, clock, lines);
    if let Some(name) = lines.get(begin..).and_then(|line| tripwire.find(line)) {
        lines.truncate(begin);
        // All that others choose the words of.
        let path = format!("withheld: holds the value of {name}").into();
        write_exchange(&Exchange { method: None, path: Some(path), ..exchange.clone() }, format, clock, lines);
    }
}

fn write_exchange(exchange: &Exchange, format: LogFormat, clock: &mut Clock, line: &mut Vec<u8>) {
    let written = match format {
        LogFormat::Json => write_json(exchange, clock, line),
        LogFormat::Text => write_text(exchange, clock, line),
    };
    written.expect("a vector takes everything");
}

/// Writes points in time as RFC 3339 has them, to the millisecond; the text of a second is made once.
#[derive(Debug, Default)]
struct Clock {
    second: Option<u64>,
    /// Up to the point before the milliseconds.
    text: String,
}

impl Clock {
    fn write(&mut self, time: SystemTime, line: &mut Vec<u8>) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let known = since.filter(|since| self.second == Some(since.as_secs()));
        let Some(since) = known.or_else(|| since.filter(|since| self.set(since.as_secs()))) else {
            // A clock outside the years that have a name, or before those that we write.
            line.extend_from_slice(b"unknown");
            return;
        };
        line.extend_from_slice(self.text.as_bytes());
        write_thousandths(since.subsec_millis().into(), line);
        line.push(b'Z');
    }

    fn set(&mut self, second: u64) -> bool {
        let time = i64::try_from(second).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
        let Some(time) = time else { return false };
        self.text = time.to_string().replace('Z', ".");
        self.second = Some(second);
        true
    }
}

/// Three digits.
fn write_thousandths(number: u64, line: &mut Vec<u8>) {
    line.extend_from_slice(match number {
        0..10 => b"00",
        10..100 => b"0",
        _ => b"",
    });
    write_number(number, line);
}

fn write_number(number: u64, line: &mut Vec<u8>) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Milliseconds with three digits behind the point.
fn write_milliseconds(elapsed: Duration, line: &mut Vec<u8>) {
    let microseconds = elapsed.saturating_add(Duration::from_nanos(500)).as_micros();
    let microseconds = u64::try_from(microseconds).unwrap_or(u64::MAX);
    write_number(microseconds / 1_000, line);
    line.push(b'.');
    write_thousandths(microseconds % 1_000, line);
}

fn write_address(address: IpAddr, line: &mut Vec<u8>) -> io::Result<()> {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    line.push(b'.');
                }
                write_number(octet.into(), line);
            }
            Ok(())
        }
        IpAddr::V6(address) => write!(line, "{address}"),
    }
}

fn write_json(exchange: &Exchange, clock: &mut Clock, line: &mut Vec<u8>) -> io::Result<()> {
    let Exchange { time, id, client, method, path, status, bytes, elapsed, facts } = exchange;
    line.extend_from_slice(br#"{"time":""#);
    clock.write(*time, line);
    line.extend_from_slice(br#"","id":""#);
    line.extend_from_slice(&id.digits());
    line.extend_from_slice(br#"","client":"#);
    match client {
        Some(client) => {
            line.push(b'"');
            write_address(*client, line)?;
            line.push(b'"');
        }
        None => line.extend_from_slice(b"null"),
    }
    line.extend_from_slice(br#","method":"#);
    write_string(method.as_ref().map(Method::as_str), line)?;
    line.extend_from_slice(br#","path":"#);
    write_string(path.as_deref(), line)?;
    line.extend_from_slice(br#","route":"#);
    write_string(facts.route.as_deref(), line)?;
    line.extend_from_slice(br#","status":"#);
    line.extend_from_slice(status.as_ref().map_or("null", StatusCode::as_str).as_bytes());
    line.extend_from_slice(br#","bytes":"#);
    write_number(*bytes, line);
    line.extend_from_slice(br#","ms":"#);
    write_milliseconds(*elapsed, line);
    line.extend_from_slice(br#","cache":"#);
    write_string(facts.cache, line)?;
    line.extend_from_slice(br#","sources":["#);
    for (index, source) in facts.sources.iter().enumerate() {
        let SourceCall { name, elapsed, outcome } = source;
        line.extend_from_slice(if index == 0 { br#"{"name":"# } else { br#",{"name":"# });
        write_string(Some(name), line)?;
        line.extend_from_slice(br#","ms":"#);
        write_milliseconds(*elapsed, line);
        line.extend_from_slice(br#","outcome":"#);
        write_string(Some(outcome), line)?;
        line.push(b'}');
    }
    line.extend_from_slice(b"]}\n");
    Ok(())
}

/// A JSON string; control characters, also those beyond ASCII, are escaped by number.
fn write_string(text: Option<&str>, line: &mut Vec<u8>) -> io::Result<()> {
    let Some(text) = text else {
        line.extend_from_slice(b"null");
        return Ok(());
    };
    line.push(b'"');
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~') && octet != b'"' && octet != b'\\') {
        line.extend_from_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            match character {
                '"' => line.extend_from_slice(br#"\""#),
                '\\' => line.extend_from_slice(br"\\"),
                _ if character.is_control() => write!(line, "\\u{:04x}", u32::from(character))?,
                _ => line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    line.push(b'"');
    Ok(())
}

fn milliseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1000.0
}

fn write_text(exchange: &Exchange, clock: &mut Clock, line: &mut Vec<u8>) -> io::Result<()> {
    let Exchange { time, id, client, method, path, status, bytes, elapsed, facts } = exchange;
    let status = status.as_ref().map_or("---", StatusCode::as_str);
    let method = method.as_ref().map_or("-", Method::as_str);
    clock.write(*time, line);
    write!(line, " {status} {method} ")?;
    let path = path.as_deref().unwrap_or("-");
    for character in path.chars() {
        if character.is_control() {
            write!(line, "{}", character.escape_unicode())?;
        } else {
            write!(line, "{character}")?;
        }
    }
    write!(line, " {bytes}B {:.1}ms", milliseconds(*elapsed))?;
    if let Some(cache) = facts.cache {
        write!(line, " {cache}")?;
    }
    for SourceCall { name, elapsed, outcome } in &facts.sources {
        write!(line, " {name}={outcome}/{:.1}ms", milliseconds(*elapsed))?;
    }
    if let Some(client) = client {
        write!(line, " {client}")?;
    }
    writeln!(line, " {id}")
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
        let mut line = Vec::new();
        write_line(exchange, format, tripwire, &mut Clock::default(), &mut line);
        String::from_utf8(line).unwrap()
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
            log.record(exchange());
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
            log.record(exchange());
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
        log.record(exchange());
    }
}
