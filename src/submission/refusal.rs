//! Why a body is not read: one variant for each reason, with its status (RFC 9110, section 15.5) and what the sender is told.
//!
//! Names that are told back come from the sender, and are shortened; whoever shows them escapes them.

use http::StatusCode;
use std::error::Error;
use std::io;

/// Why what was sent is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is a body, or none, of no type.
    #[error("the request does not say what its body is: send `Content-Type`")]
    NoMediaType,
    /// The type is another than what is read here.
    #[error("a body of this media type is not read here")]
    MediaType,
    /// The text is said to be in another encoding than UTF-8.
    #[error("the body is not in UTF-8")]
    Charset,
    /// The body is compressed.
    #[error("a body with a content coding is not read here")]
    Coded,
    /// The body is too long.
    #[error("the body is longer than the {most} bytes that are read here")]
    TooLarge {
        /// How long it may be.
        most: u64,
    },
    /// There are too many fields.
    #[error("there are more than {most} fields")]
    TooManyFields {
        /// How many there may be.
        most: usize,
    },
    /// There is no such field.
    #[error("there is no field `{0}` here")]
    UnknownField(String),
    /// A field that has one value was sent twice.
    #[error("the field `{0}` was sent more than once")]
    RepeatedField(String),
    /// A file was sent for a text.
    #[error("the field `{0}` takes a text and not a file")]
    FileForText(String),
    /// A text was sent for a file.
    #[error("the field `{0}` takes a file and not a text")]
    TextForFile(String),
    /// What stands for a text is none: an escape is broken, it is not UTF-8, or it holds U+0000.
    #[error("what was sent is not encoded as it should be")]
    Encoding,
    /// `multipart/form-data` without a boundary, or with one that cannot be.
    #[error("the boundary of the body is missing or malformed")]
    Boundary,
    /// `multipart/form-data` that is not written as RFC 7578 has it.
    #[error("the parts of the body are malformed: {0}")]
    Malformed(&'static str),
    /// The last part does not end.
    #[error("the body ends before its last part does")]
    Unfinished,
    /// No JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON of more values than are read.
    #[error("the JSON of the body has too many values")]
    TooManyValues,
    /// An object with the same name twice, which every reader understands as it likes.
    #[error("an object of the body has the same member twice")]
    RepeatedMember,
}

impl Refusal {
    /// The status that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoMediaType | Self::MediaType | Self::Charset | Self::Coded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyFields { .. }
            | Self::UnknownField(_)
            | Self::RepeatedField(_)
            | Self::FileForText(_)
            | Self::TextForFile(_)
            | Self::Encoding
            | Self::Boundary
            | Self::Malformed(_)
            | Self::Unfinished
            | Self::NotJson
            | Self::TooManyValues
            | Self::RepeatedMember => StatusCode::BAD_REQUEST,
        }
    }
}

/// A name as it is told back: short, and without what could disturb a line.
pub(super) fn told(name: &str) -> String {
    const MOST: usize = 64;
    let shown = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    let mut told: String = name.chars().take(MOST).map(shown).collect();
    if name.chars().nth(MOST).is_some() {
        told.push('\u{2026}');
    }
    told
}

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The sender is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The body itself ended in an error: its sender went away, stalled, or framed it badly.
    #[error("the body broke off")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// There is no room for the files.
    #[error("there is no room for the files that were sent")]
    NoRoom(#[source] io::Error),
}
