//! The access log without the requests for what is development's own: its author wants to read of the site.

use super::PREFIX;
use std::io::{self, Write};

/// Writes the lines of an access log that are of the site. What is written to it are whole lines.
#[derive(Debug)]
pub struct SiteLines<W>(pub W);

impl<W: Write> Write for SiteLines<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if !is_own(line) {
                self.0.write_all(line)?;
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether a line has a path of ours: as a member in JSON, or in text behind time, status and method. What else is in it may look like one.
fn is_own(line: &[u8]) -> bool {
    const MEMBER: &[u8] = b"\"path\":\"";
    let path = if line.starts_with(b"{") {
        memchr::memmem::find(line, MEMBER).and_then(|at| line.get(at + MEMBER.len()..))
    } else {
        line.splitn(4, |byte| *byte == b' ').nth(3)
    };
    path.is_some_and(|path| path.starts_with(PREFIX.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_development_are_left_out() {
        let mut log = SiteLines(Vec::new());
        let site = [
            "{\"path\":\"/a\"}\n",
            "12:00 200 GET /a/_siteserver/b 9B\n",
            // A path with a space in it, and one in which there is a member.
            "12:00 200 GET /a /_siteserver/b 9B\n",
            "{\"path\":\"/a\\\"path\\\":\\\"/_siteserver/\"}\n",
            "{\"path\":\"/_siteserver\"}\n",
        ];
        let own = ["{\"path\":\"/_siteserver/events\",\"status\":200}\n", "12:00 200 GET /_siteserver/dev.js 9B\n"];
        for (site, own) in site.iter().zip(own.iter().cycle()) {
            log.write_all(format!("{own}{site}").as_bytes()).unwrap();
        }
        assert_eq!(String::from_utf8(log.0).unwrap(), site.concat());
    }
}
