//! Where in a URL an output stands (RFC 3986), as browsers read it: whether it could still give a scheme, and of which part it is.

use super::super::escape::UrlPart;
use std::collections::BTreeSet;

/// Schemes whose URLs are code or documents.
const RUNNING: [&str; 3] = ["javascript", "vbscript", "data"];

/// How character references begin that could be part of a scheme, or its colon.
const HIDING: [&[u8]; 4] = [b"&#", b"&colon;", b"&Tab;", b"&NewLine;"];

/// What a `data:` URL may be when a value is printed into it: these run nothing.
const MEDIA: [&[u8]; 4] = [b"image/", b"audio/", b"video/", b"font/"];

/// The most ways through branches that are told apart within one URL.
const MOST_WAYS: usize = 16;

/// What is known of the scheme of a URL; the order is that of worry, so that the greater of two is right for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scheme {
    /// There is one or none, and it runs nothing; what follows cannot be a host either.
    Settled,
    /// The same so far, but another slash would begin a host.
    Root,
    /// The same after a value, which may have been empty.
    Begun,
    /// Within the name of a host.
    Named,
    /// Where the name of a host begins.
    Host,
    /// Nothing yet: what follows could give one.
    Open,
    /// Nothing, and a value has been printed that could be the beginning of one.
    Fed,
    /// It runs code, or is a document of its own.
    Runs,
}

impl Scheme {
    /// What is known after either of two branches.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            // Only the next byte tells, and not the same one: a host may begin.
            (Self::Root | Self::Begun, Self::Named) | (Self::Named, Self::Root | Self::Begun) => Self::Host,
            _ => self.max(other),
        }
    }

    /// Whether what follows could still give a scheme.
    fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Fed)
    }

    /// Takes a byte after the scheme, as far as the host: browsers take `\\` for `/` and skip control characters.
    fn followed_by(self, byte: u8) -> Self {
        match (self, byte) {
            (_, byte) if byte <= b' ' => self,
            // What is printed next sees to it that no host begins, if nothing was printed between the two.
            (Self::Begun, b'/' | b'\\') => Self::Begun,
            (Self::Root | Self::Host, b'/' | b'\\') => Self::Host,
            (Self::Root | Self::Begun, _) | (Self::Named, b'/' | b'\\') | (Self::Named | Self::Host, b'?' | b'#') => {
                Self::Settled
            }
            (Self::Named | Self::Host, _) => Self::Named,
            (Self::Settled | Self::Open | Self::Fed | Self::Runs, _) => self,
        }
    }
}

/// Follows one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    scheme: Scheme,
    /// What may stand before the first `:`, one for each way through the branches, as browsers read it.
    schemes: BTreeSet<String>,
    /// Whether the query or the fragment has begun.
    queried: bool,
    /// Whether a value was printed whose own parts are not known.
    fed: bool,
}

impl Default for Url {
    fn default() -> Self {
        Self { scheme: Scheme::Open, schemes: BTreeSet::from([String::new()]), queried: false, fed: false }
    }
}

impl Url {
    /// Whether nothing is known that would keep a value from choosing where a script comes from.
    pub(super) fn leads_anywhere(&self) -> bool {
        self.scheme != Scheme::Settled
    }

    /// Whether it runs code, or is a document of its own.
    pub(super) fn runs(&self) -> bool {
        self.scheme == Scheme::Runs
    }

    /// Which part a value is that is printed here.
    pub(super) fn part(&self) -> UrlPart {
        match self.scheme {
            _ if self.queried => UrlPart::Query,
            Scheme::Open | Scheme::Fed => UrlPart::Start,
            Scheme::Root | Scheme::Begun => UrlPart::Root,
            Scheme::Settled if !self.fed => UrlPart::Path,
            Scheme::Settled | Scheme::Named | Scheme::Host | Scheme::Runs => UrlPart::Rest,
        }
    }

    /// A value was printed.
    pub(super) fn output(&mut self) {
        match self.scheme {
            Scheme::Open => self.scheme = Scheme::Fed,
            Scheme::Root => self.scheme = Scheme::Begun,
            Scheme::Settled | Scheme::Begun | Scheme::Named | Scheme::Host | Scheme::Fed | Scheme::Runs => {}
        }
        // A value that is a whole URL, or the most of one, may hold a query; a piece of a path or a query does not.
        self.fed |= matches!(self.part(), UrlPart::Start | UrlPart::Rest);
    }

    /// Takes a literal byte; `rest` begins with it. Whether a value that was printed before it could so become the scheme.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8]) -> bool {
        let hides = HIDING.iter().any(|reference| rest.starts_with(reference));
        let chosen = self.scheme == Scheme::Fed && (byte == b':' || hides);
        let settled = if self.scheme.is_open() { self.settle(byte, rest) } else { Some(self.scheme.followed_by(byte)) };
        self.scheme = settled.unwrap_or(self.scheme);
        // After a whole URL that was printed, `&` goes on with its query.
        self.queried |= matches!(byte, b'?' | b'#') || (byte == b'&' && self.fed && !hides);
        chosen
    }

    /// Takes a byte of a URL whose scheme is not known yet; what is known if this byte tells. `rest` begins with the byte.
    fn settle(&mut self, byte: u8, rest: &[u8]) -> Option<Scheme> {
        match byte {
            b'?' | b'#' => Some(Scheme::Settled),
            b'/' | b'\\' if self.schemes.contains("") => Some(Scheme::Root),
            b'/' | b'\\' => Some(Scheme::Settled),
            b':' => {
                let media = rest.get(1..).is_some_and(|rest| MEDIA.iter().any(|media| rest.starts_with(media)));
                let runs = |scheme: &String| RUNNING.contains(&scheme.as_str()) && !(scheme == "data" && media);
                Some(if self.schemes.iter().any(runs) { Scheme::Runs } else { Scheme::Host })
            }
            // A reference could be any letter, or the colon; an `&` as such is part of no scheme.
            b'&' if HIDING.iter().any(|reference| rest.starts_with(reference)) => Some(Scheme::Runs),
            b'&' => Some(Scheme::Settled),
            byte if byte <= b' ' => None,
            _ => {
                let longest = RUNNING.iter().map(|scheme| scheme.len()).max().unwrap_or_default();
                let longer = |mut scheme: String| {
                    // One byte more than the longest of interest is enough to be another.
                    if scheme.len() <= longest {
                        scheme.push(char::from(byte.to_ascii_lowercase()));
                    }
                    scheme
                };
                self.schemes = std::mem::take(&mut self.schemes).into_iter().map(longer).collect();
                None
            }
        }
    }

    /// What is known after either of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        let schemes: BTreeSet<String> = self.schemes.union(&other.schemes).cloned().collect();
        let scheme = self.scheme.join(other.scheme);
        let lost = schemes.len() > MOST_WAYS && scheme == Scheme::Open;
        Self {
            scheme: if lost { Scheme::Fed } else { scheme },
            schemes,
            // A query on one way only: a value is a piece of it, as long as it cannot give the scheme on the other.
            queried: (self.queried || other.queried) && !scheme.is_open(),
            fed: self.fed || other.fed,
        }
    }

    /// Where the second run of a loop's body begins that leaves `end` behind; none if that is where the first began.
    pub(super) fn after_a_run(&self, end: &Self) -> Option<Self> {
        let mut joined = self.join(end);
        if joined.scheme == Scheme::Open {
            joined.scheme = Scheme::Fed;
        }
        (joined != *self).then_some(joined)
    }
}
