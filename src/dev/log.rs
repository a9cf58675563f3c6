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

/// Whether a line has a path of ours: as a member in JSON, or as a word in text.
fn is_own(line: &[u8]) -> bool {
    let path = memchr::memmem::find_iter(line, PREFIX).next();
    path.and_then(|at| line.get(..at)).is_some_and(|before| before.ends_with(b"\"path\":\"") || before.ends_with(b" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_development_are_left_out() {
        let mut log = SiteLines(Vec::new());
        let site = ["{\"path\":\"/a\"}\n", "GET /a/_siteserver/b 200\n", "{\"path\":\"/_siteserver\"}\n"];
        let own = ["{\"path\":\"/_siteserver/events\",\"status\":200}\n", "12:00 GET /_siteserver/dev.js 200\n"];
        for (site, own) in site.iter().zip(own.iter().cycle()) {
            log.write_all(format!("{own}{site}").as_bytes()).unwrap();
        }
        assert_eq!(String::from_utf8(log.0).unwrap(), site.concat());
    }
}
