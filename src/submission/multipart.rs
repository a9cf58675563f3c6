//! `multipart/form-data` (RFC 7578; RFC 2046, section 5.1), taken apart while it comes: octets go in as the network cuts them, parts come out.
//!
//! Strictly: no preamble, nothing after the last delimiter, no spaces behind a delimiter, no bare line feeds in headers, and what begins like
//! a delimiter is one. Browsers and their kin write nothing else, and others may be misunderstood by somebody.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use super::Refusal;
use super::disposition::{PartHead, part_head};

/// The longest header of one part, in octets.
const LONGEST_HEAD: usize = 8 << 10;

/// The longest boundary (RFC 2046, section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A part begins.
    Begin(PartHead),
    /// A piece of its content, never empty.
    Content(Bytes),
    /// It ends.
    End,
}

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The first delimiter.
    Start,
    /// What says whether the delimiter was the last.
    Delimited,
    /// The header of a part.
    Head,
    /// The empty line behind it, which is the line end of a delimiter to some who see one there.
    Blank,
    /// Its content, up to a delimiter.
    Content,
    /// Nothing but perhaps a line end.
    Closed,
}

/// Takes a body apart.
#[derive(Debug)]
pub(super) struct Parser {
    /// A line end, two hyphens and the boundary.
    delimiter: Box<[u8]>,
    finder: memmem::Finder<'static>,
    pending: BytesMut,
    state: State,
}

impl Parser {
    /// A body with this boundary.
    pub(super) fn new(boundary: &str) -> Result<Self, Refusal> {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        let is_sound = (1..=LONGEST_BOUNDARY).contains(&boundary.len())
            && boundary.bytes().all(is_sign)
            && !boundary.ends_with(' ');
        if !is_sound {
            return Err(Refusal::Boundary);
        }
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        let finder = memmem::Finder::new(&delimiter).into_owned();
        Ok(Self { delimiter: delimiter.into(), finder, pending: BytesMut::new(), state: State::Start })
    }

    /// More of the body.
    pub(super) fn feed(&mut self, data: &[u8]) {
        self.pending.extend_from_slice(data);
    }

    /// What comes out next; `None` until more goes in.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Refusal> {
        loop {
            match self.state {
                State::Start => {
                    // The first delimiter has no line end before it, though some write one.
                    let Some(length) = self.starts([self.delimiter.get(2..).unwrap_or_default(), &self.delimiter])?
                    else {
                        return Ok(None);
                    };
                    drop(self.pending.split_to(length));
                    self.state = State::Delimited;
                }
                State::Delimited => match self.pending.get(..2) {
                    Some(b"\r\n") => {
                        drop(self.pending.split_to(2));
                        self.state = State::Head;
                    }
                    Some(b"--") => {
                        drop(self.pending.split_to(2));
                        self.state = State::Closed;
                    }
                    Some(_) => return Err(Refusal::Malformed("something stands behind a delimiter")),
                    None => return Ok(None),
                },
                State::Head => {
                    let searched = self.pending.get(..LONGEST_HEAD.min(self.pending.len())).unwrap_or_default();
                    let Some(end) = memmem::find(searched, b"\r\n\r\n") else {
                        if searched.starts_with(b"\r\n") {
                            return Err(Refusal::Malformed("a part has no name"));
                        }
                        if searched.len() == LONGEST_HEAD {
                            return Err(Refusal::Malformed("the header of a part is too long"));
                        }
                        return Ok(None);
                    };
                    let head = self.pending.split_to(end);
                    drop(self.pending.split_to(2));
                    self.state = State::Blank;
                    return Ok(Some(Event::Begin(part_head(&head)?)));
                }
                State::Blank => {
                    if self.pending.starts_with(&self.delimiter) {
                        return Err(Refusal::Malformed("a part has no content"));
                    }
                    if self.delimiter.starts_with(&self.pending) {
                        return Ok(None);
                    }
                    drop(self.pending.split_to(2));
                    self.state = State::Content;
                }
                State::Content => return Ok(self.content()),
                State::Closed => {
                    if !b"\r\n".starts_with(&self.pending) {
                        return Err(Refusal::Malformed("something stands behind the last part"));
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// Whether the body may end here.
    pub(super) fn finish(&self) -> Result<(), Refusal> {
        let ends = self.state == State::Closed && matches!(&*self.pending, b"" | b"\r\n");
        if ends { Ok(()) } else { Err(Refusal::Unfinished) }
    }

    /// The length of the one of `beginnings` that is there; `None` if more is needed to tell.
    fn starts(&self, beginnings: [&[u8]; 2]) -> Result<Option<usize>, Refusal> {
        if let Some(there) = beginnings.iter().find(|beginning| self.pending.starts_with(beginning)) {
            return Ok(Some(there.len()));
        }
        if beginnings.iter().any(|beginning| beginning.starts_with(&self.pending)) {
            return Ok(None);
        }
        Err(Refusal::Malformed("it does not begin with its boundary"))
    }

    /// A piece of content, or its end.
    fn content(&mut self) -> Option<Event> {
        let found = self.finder.find(&self.pending);
        if found == Some(0) {
            drop(self.pending.split_to(self.delimiter.len()));
            self.state = State::Delimited;
            return Some(Event::End);
        }
        // What may be the beginning of a delimiter waits for the rest of it.
        let certain = found.unwrap_or((self.pending.len() + 1).saturating_sub(self.delimiter.len()));
        (certain > 0).then(|| Event::Content(self.pending.split_to(certain).freeze()))
    }
}
