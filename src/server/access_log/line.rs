//! How an exchange reads as a line: JSON for programs, text for people.
//!
//! It knows nothing of where lines go.

use super::{Exchange, LogFormat, SourceCall};
use http::{Method, StatusCode};
use std::io::{self, Write};
use std::net::IpAddr;
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// Appends the line of `exchange`, and gives the part of it that others choose the words of, the method and the path: its positions in
/// `lines`.
pub(super) fn write_line(
    exchange: &Exchange,
    format: LogFormat,
    clock: &mut Clock,
    lines: &mut Vec<u8>,
) -> Range<usize> {
    let written = match format {
        LogFormat::Json => write_json(exchange, clock, lines),
        LogFormat::Text => write_text(exchange, clock, lines),
    };
    written.expect("a vector takes everything")
}

/// What stands in the place of the method and the path of a line that holds the value of the secret called `name`.
pub(super) fn withheld(name: &str, format: LogFormat, line: &mut Vec<u8>) {
    let path = format!("withheld: holds the value of {name}");
    let written = match format {
        LogFormat::Json => write_json_words(None, Some(&path), line),
        LogFormat::Text => write_text_words(None, Some(&path), line),
    };
    written.expect("a vector takes everything");
}

/// Writes points in time as RFC 3339 has them, to the millisecond; the text of a second is made once.
#[derive(Debug, Default)]
pub(super) struct Clock {
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

fn write_json(exchange: &Exchange, clock: &mut Clock, line: &mut Vec<u8>) -> io::Result<Range<usize>> {
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
    line.push(b',');
    let begin = line.len();
    write_json_words(method.as_ref(), path.as_deref(), line)?;
    let words = begin..line.len();
    line.extend_from_slice(br#","route":"#);
    write_string(facts.route.as_deref(), line)?;
    line.extend_from_slice(br#","status":"#);
    line.extend_from_slice(status.as_ref().map_or("null", StatusCode::as_str).as_bytes());
    line.extend_from_slice(br#","bytes":"#);
    write_number(*bytes, line);
    line.extend_from_slice(br#","ms":"#);
    write_milliseconds(*elapsed, line);
    line.extend_from_slice(br#","cache":"#);
    write_token(facts.cache, line);
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
    Ok(words)
}

fn write_json_words(method: Option<&Method>, path: Option<&str>, line: &mut Vec<u8>) -> io::Result<()> {
    line.extend_from_slice(br#""method":"#);
    write_token(method.map(Method::as_str), line);
    line.extend_from_slice(br#","path":"#);
    write_string(path, line)
}

/// A JSON string of what needs no escaping.
fn write_token(token: Option<&str>, line: &mut Vec<u8>) {
    let Some(token) = token else { return line.extend_from_slice(b"null") };
    line.push(b'"');
    line.extend_from_slice(token.as_bytes());
    line.push(b'"');
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

fn write_text(exchange: &Exchange, clock: &mut Clock, line: &mut Vec<u8>) -> io::Result<Range<usize>> {
    let Exchange { time, id, client, method, path, status, bytes, elapsed, facts } = exchange;
    let status = status.as_ref().map_or("---", StatusCode::as_str);
    clock.write(*time, line);
    write!(line, " {status} ")?;
    let begin = line.len();
    write_text_words(method.as_ref(), path.as_deref(), line)?;
    let words = begin..line.len();
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
    writeln!(line, " {id}")?;
    Ok(words)
}

fn write_text_words(method: Option<&Method>, path: Option<&str>, line: &mut Vec<u8>) -> io::Result<()> {
    write!(line, "{} ", method.map_or("-", Method::as_str))?;
    for character in path.unwrap_or("-").chars() {
        if character.is_control() {
            write!(line, "{}", character.escape_unicode())?;
        } else {
            write!(line, "{character}")?;
        }
    }
    Ok(())
}
