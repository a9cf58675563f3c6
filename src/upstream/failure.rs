//! Everything that can come back instead of an answer.
//!
//! Small and copyable, so that every caller who waited for the same call gets the same failure. No variant can hold a URL, a header or a
//! byte of a body: what is printed is safe to print.

use super::UploadError;
use std::error::Error as StdError;
use std::io;

/// Why there is no answer. The text is free of secrets and fit for logs; visitors see none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The call itself cannot be sent: its scheme, its user information. A fault of the declaration.
    #[error("the call cannot be sent: {0}")]
    Unsendable(&'static str),
    /// The upstream's address is not public, and the call may connect to public ones only.
    #[error("refused to connect to a {0} address")]
    RefusedAddress(&'static str),
    /// No connection.
    #[error("unreachable: {0}")]
    Unreachable(Unreachable),
    /// The breaker is open: the last calls failed, and the upstream is left alone for a while.
    #[error("not called: its last calls failed")]
    BreakerOpen,
    /// The upstream asked, with `Retry-After`, to be called again later than this call can wait.
    #[error("not called: it asked to be left alone")]
    AskedToWait,
    /// Time was up.
    #[error("timeout while waiting for {0}")]
    Timeout(Wait),
    /// More bytes than allowed.
    #[error("too large: {0}")]
    TooLarge(Part),
    /// The content coding cannot be undone.
    #[error("undecodable: {0}")]
    Undecodable(CodingFault),
    /// The connection ended before the answer did.
    #[error("interrupted in {0}")]
    Interrupted(Part),
    /// The body of the request that is passed on broke off, or was not as long as it was said to be. Nothing of the upstream's.
    #[error("the body of the request broke off")]
    BrokenUpload,
    /// What came is not HTTP, or HTTP that can be read in two ways.
    #[error("the answer is not valid HTTP")]
    InvalidResponse,
    /// A redirect to follow leads to a place that was not declared, or to none.
    #[error("redirected to a place that is not declared")]
    RedirectRefused,
    /// More redirects than asked for.
    #[error("too many redirects")]
    TooManyRedirects,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreachable {
    /// The name leads to no address.
    #[error("{0}")]
    Name(NameFault),
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// The certificate or the handshake is not acceptable.
    #[error("TLS failed")]
    Tls,
    /// Any other trouble while connecting.
    #[error("connection failed")]
    Connection,
}

/// Why a name leads to no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameFault {
    /// This machine knows no name server: there is no usable `/etc/resolv.conf`.
    #[error("no name server is configured in /etc/resolv.conf")]
    NoServers,
    /// The name does not exist or has no address.
    #[error("name not found")]
    NotFound,
    /// The name servers did not answer, or answered with an error.
    #[error("name look-up failed")]
    LookupFailed,
}

/// What was waited for when time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Wait {
    /// A turn among the calls to the same upstream.
    #[error("its turn")]
    Turn,
    /// A connection, name look-up and TLS included.
    #[error("a connection")]
    Connection,
    /// The head of the answer.
    #[error("the first byte")]
    FirstByte,
    /// The upstream to take the body of the request.
    #[error("the body of the request to be taken")]
    Upload,
    /// The rest of the body, or memory to hold a large one.
    #[error("the body")]
    Body,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Part {
    /// Status line and header fields.
    #[error("the head")]
    Head,
    /// The body as transferred.
    #[error("the body")]
    Body,
    /// The body after its content coding was undone.
    #[error("the decoded body")]
    Decoded,
}

/// Why a content coding cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CodingFault {
    /// A coding that was not asked for.
    #[error("unknown content coding")]
    Unknown,
    /// More than one coding on top of each other, which only bombs use.
    #[error("stacked content codings")]
    Stacked,
    /// Broken or truncated.
    #[error("broken content coding")]
    Broken,
}

impl Failure {
    /// Whether the same call may well succeed a moment later, and no part of an answer has been seen: only then is a retry fair.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unreachable(why) => match why {
                Unreachable::Refused | Unreachable::Connection | Unreachable::Name(NameFault::LookupFailed) => true,
                Unreachable::Name(NameFault::NoServers | NameFault::NotFound) | Unreachable::Tls => false,
            },
            Self::Interrupted(part) => part == Part::Head,
            Self::Timeout(wait) => wait == Wait::Connection,
            Self::Unsendable(_)
            | Self::RefusedAddress(_)
            | Self::BreakerOpen
            | Self::AskedToWait
            | Self::TooLarge(_)
            | Self::Undecodable(_)
            | Self::BrokenUpload
            | Self::InvalidResponse
            | Self::RedirectRefused
            | Self::TooManyRedirects => false,
        }
    }

    /// Whether this is for want of time: a gateway says 504 then, and 502 otherwise (RFC 9110, sections 15.6.3 and 15.6.5).
    pub fn is_timeout(self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// One word for logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unsendable(_) => "unsendable",
            Self::RefusedAddress(_) => "refused-address",
            Self::Unreachable(_) => "unreachable",
            Self::BreakerOpen => "breaker-open",
            Self::AskedToWait => "asked-to-wait",
            Self::Timeout(_) => "timeout",
            Self::TooLarge(_) => "too-large",
            Self::Undecodable(_) => "undecodable",
            Self::Interrupted(_) => "interrupted",
            Self::BrokenUpload => "broken-upload",
            Self::InvalidResponse => "invalid-response",
            Self::RedirectRefused => "redirect-refused",
            Self::TooManyRedirects => "too-many-redirects",
        }
    }

    /// What an error of the HTTP client means, when it came up in `part` of the answer.
    ///
    /// Nothing of the error's own text is kept: it prints the URL, whose query may hold a secret.
    pub(super) fn from_client(error: &reqwest::Error, part: Part) -> Self {
        if let Some(ours) = causes(error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return *ours;
        }
        if error.is_connect() {
            return Self::from_connect(error);
        }
        if error.is_timeout() {
            return Self::Timeout(if part == Part::Head { Wait::FirstByte } else { Wait::Body });
        }
        if error.is_builder() {
            return Self::Unsendable("its URL is not one for HTTP");
        }
        Self::from_causes(error, part)
    }

    /// What an error of the HTTP library means, when it came up in `part` of the answer to a request that was passed on.
    pub(super) fn from_hyper(error: &hyper::Error, part: Part) -> Self {
        if causes(error).any(<dyn StdError>::is::<UploadError>) {
            return Self::BrokenUpload;
        }
        Self::from_causes(error, part)
    }

    fn from_causes(error: &(dyn StdError + 'static), part: Part) -> Self {
        if let Some(hyper) = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
            if hyper.is_parse_too_large() {
                return Self::TooLarge(Part::Head);
            }
            if hyper.is_parse() {
                return Self::InvalidResponse;
            }
        }
        match io_kind(error) {
            // A chunk that is none.
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Self::InvalidResponse,
            _ => Self::Interrupted(part),
        }
    }

    fn from_connect(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout(Wait::Connection);
        }
        Self::Unreachable(Unreachable::because(io_kind(error)))
    }
}

impl Unreachable {
    /// What an error of this kind means that came up while connecting.
    pub(super) fn because(kind: Option<io::ErrorKind>) -> Self {
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => Self::Refused,
            // How the TLS library reports a certificate or a peer that does not speak TLS.
            Some(io::ErrorKind::InvalidData) => Self::Tls,
            _ => Self::Connection,
        }
    }
}

/// An error and everything that caused it.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last().map(io::Error::kind)
}
