//! A form that was sent, as pairs of names and texts or files, in either of the two encodings that browsers use.
//!
//! Every name is judged before its value is kept: who sends what nobody asked for is refused at its name.

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use super::disposition::{PartHead, file_name};
use super::file::{Spool, UploadedFile};
use super::multipart::{Event, Parser};
use super::refusal::told;
use super::urlencoded::{decode, pairs, text};
use super::{Bounded, ReadError, Refusal};
use crate::fields::MediaType;

/// How a form is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormFormat {
    /// `application/x-www-form-urlencoded`
    UrlEncoded,
    /// `multipart/form-data`, with its boundary.
    Multipart(String),
}

/// What is read, and where files go.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'l> {
    /// Octets of the whole body.
    pub most: u64,
    /// Octets of all texts in it: they are held in memory.
    pub texts: u64,
    /// Fields, files among them.
    pub fields: usize,
    /// The folder in which files without names are made.
    pub folder: &'l Path,
}

impl Limits<'_> {
    /// So many fields are read.
    pub const FIELDS: usize = 256;
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// A text.
    Text {
        /// Whether there may be several.
        repeats: bool,
    },
    /// A file.
    File {
        /// How many there may be. What are too many are counted and not kept.
        most: usize,
        /// How long each may be, in octets. What is longer is measured and not kept.
        length: u64,
    },
}

/// What was sent for one field.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A text, also an empty one.
    Text(String),
    /// A file.
    File(UploadedFile),
}

/// A form that was sent.
#[derive(Debug, Default)]
pub struct Form {
    /// The fields, in the order in which they came.
    pub entries: Vec<(String, Entry)>,
}

impl FormFormat {
    /// How the body is written that comes with `fields`.
    pub fn of(fields: &HeaderMap) -> Result<Self, Refusal> {
        refuse_coding(fields)?;
        let media_type = media_type(fields)?;
        if media_type.is("application/x-www-form-urlencoded") {
            return if media_type.is_utf_8() { Ok(Self::UrlEncoded) } else { Err(Refusal::Charset) };
        }
        if !media_type.is("multipart/form-data") {
            return Err(Refusal::MediaType);
        }
        // Two boundaries would be two bodies.
        let boundary = media_type.sole_parameter("boundary").ok_or(Refusal::Boundary)?;
        Ok(Self::Multipart(boundary.into_owned()))
    }
}

/// The one media type that the fields of a request name.
pub(super) fn media_type(fields: &HeaderMap) -> Result<MediaType<'_>, Refusal> {
    let mut lines = fields.get_all(header::CONTENT_TYPE).iter();
    let line = lines.next().ok_or(Refusal::NoMediaType)?;
    if lines.next().is_some() {
        return Err(Refusal::MediaType);
    }
    let media_type = line.to_str().ok().and_then(MediaType::parse).filter(MediaType::is_well_formed);
    media_type.ok_or(Refusal::MediaType)
}

/// Refuses content codings: what is in a body would be known only when it has grown.
pub(super) fn refuse_coding(fields: &HeaderMap) -> Result<(), Refusal> {
    let is_plain = |line: &header::HeaderValue| line.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if fields.get_all(header::CONTENT_ENCODING).iter().all(is_plain) { Ok(()) } else { Err(Refusal::Coded) }
}

impl Form {
    /// Reads `body`; `accepts` says what each field takes, and of which names there are no fields.
    pub async fn read<B>(
        format: &FormFormat,
        body: B,
        limits: Limits<'_>,
        accepts: impl Fn(&str) -> Option<Accepts>,
    ) -> Result<Self, ReadError>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let most = if *format == FormFormat::UrlEncoded { limits.most.min(limits.texts) } else { limits.most };
        let mut body = Bounded::new(body, most)?;
        let mut register = Register { accepts, most: limits.fields, seen: HashMap::new(), count: 0 };
        match format {
            FormFormat::UrlEncoded => Self::url_encoded(&body.all().await?, &mut register).map_err(ReadError::from),
            FormFormat::Multipart(boundary) => Self::multipart(&mut body, boundary, limits, &mut register).await,
        }
    }

    fn url_encoded(body: &[u8], register: &mut Register<impl Fn(&str) -> Option<Accepts>>) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (name, value) in pairs(body) {
            let name = decode(name)?;
            match register.enter(&name)? {
                (Accepts::Text { .. }, _) => form.entries.push((name, Entry::Text(decode(value)?))),
                // So is a form sent whose author forgot its `enctype`; with no file chosen, nothing is lost.
                (Accepts::File { .. }, _) if value.is_empty() => {}
                (Accepts::File { .. }, _) => return Err(Refusal::TextForFile(told(&name))),
            }
        }
        Ok(form)
    }

    async fn multipart<B>(
        body: &mut Bounded<B>,
        boundary: &str,
        limits: Limits<'_>,
        register: &mut Register<impl Fn(&str) -> Option<Accepts>>,
    ) -> Result<Self, ReadError>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let mut parser = Parser::new(boundary)?;
        let mut spool = Spool::new(limits.folder);
        let mut form = Self::default();
        let (mut part, mut texts) = (None::<Part>, 0);
        while let Some(data) = body.next().await? {
            parser.feed(&data);
            while let Some(event) = parser.next()? {
                match event {
                    Event::Begin(head) => part = Some(Part::begin(head, register)?),
                    Event::Content(content) => {
                        let Some(part) = &mut part else { continue };
                        if matches!(part.kind, PartKind::Text(_)) {
                            texts += content.len() as u64;
                        }
                        if texts > limits.texts {
                            return Err(Refusal::TooLarge { most: limits.texts }.into());
                        }
                        part.take(&content, &mut spool).await?;
                    }
                    Event::End => {
                        if let Some(part) = part.take() {
                            form.entries.extend(part.end(&mut spool).await?);
                        }
                    }
                }
            }
        }
        parser.finish()?;
        Ok(form)
    }
}

/// Which fields were sent.
struct Register<A> {
    accepts: A,
    most: usize,
    seen: HashMap<String, usize>,
    count: usize,
}

impl<A: Fn(&str) -> Option<Accepts>> Register<A> {
    /// Notes a field; what it takes, and how often it was there before.
    fn enter(&mut self, name: &str) -> Result<(Accepts, usize), Refusal> {
        self.count += 1;
        if self.count > self.most {
            return Err(Refusal::TooManyFields { most: self.most });
        }
        let accepts = (self.accepts)(name).ok_or_else(|| Refusal::UnknownField(told(name)))?;
        let before = self.seen.entry(name.to_owned()).or_default();
        *before += 1;
        let may_repeat = match accepts {
            Accepts::Text { repeats } => repeats,
            Accepts::File { most, .. } => most > 1,
        };
        if *before > 1 && !may_repeat {
            return Err(Refusal::RepeatedField(told(name)));
        }
        Ok((accepts, *before - 1))
    }
}

/// A part that is being read.
struct Part {
    head: PartHead,
    kind: PartKind,
}

enum PartKind {
    Text(Vec<u8>),
    File {
        length: u64,
        most: u64,
        /// Whether it is one too many.
        is_over: bool,
        digest: Box<blake3::Hasher>,
    },
}

impl Part {
    fn begin(head: PartHead, register: &mut Register<impl Fn(&str) -> Option<Accepts>>) -> Result<Self, Refusal> {
        let (accepts, before) = register.enter(&head.name)?;
        let kind = match (accepts, &head.file) {
            (Accepts::Text { .. }, None) => {
                let read = head.media_type.as_deref().map(MediaType::parse);
                if read.is_some_and(|read| read.is_none_or(|read| !read.is_utf_8())) {
                    return Err(Refusal::Charset);
                }
                PartKind::Text(Vec::new())
            }
            (Accepts::Text { .. }, Some(_)) => return Err(Refusal::FileForText(told(&head.name))),
            (Accepts::File { most, length }, Some(_)) => {
                let digest = Box::default();
                PartKind::File { length: 0, most: length, is_over: before >= most, digest }
            }
            (Accepts::File { .. }, None) => return Err(Refusal::TextForFile(told(&head.name))),
        };
        Ok(Self { head, kind })
    }

    async fn take(&mut self, content: &[u8], spool: &mut Spool) -> Result<(), ReadError> {
        match &mut self.kind {
            PartKind::Text(text) => text.extend_from_slice(content),
            PartKind::File { length, most, is_over, digest } => {
                digest.update(content);
                let before = *length;
                *length += content.len() as u64;
                if !*is_over && *length <= *most {
                    spool.write(content).await?;
                } else if before <= *most {
                    spool.discard();
                }
            }
        }
        Ok(())
    }

    async fn end(self, spool: &mut Spool) -> Result<Option<(String, Entry)>, ReadError> {
        let Self { head, kind } = self;
        let (length, is_kept, digest) = match kind {
            PartKind::Text(octets) => return Ok(Some((head.name, Entry::Text(text(octets)?)))),
            PartKind::File { length, most, is_over, digest } => (length, !is_over && length <= most, digest.finalize()),
        };
        let sent = head.file.unwrap_or_default();
        if length == 0 && sent.is_empty() {
            // So browsers say that no file was chosen.
            return Ok(None);
        }
        let content = if is_kept { Some(spool.finish().await?) } else { None };
        let media_type = head.media_type.map(Into::into);
        let file = UploadedFile { name: file_name(&sent), media_type, length, content, digest: *digest.as_bytes() };
        Ok(Some((head.name, Entry::File(file))))
    }
}
