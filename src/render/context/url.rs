//! Where in a URL an output stands (RFC 3986), as browsers read it: whether it could still give a scheme, and of which part it is.

use super::super::escape::UrlPart;
use std::collections::BTreeSet;

/// Schemes whose URLs are code or documents.
pub(in super::super) const RUNNING: [&str; 3] = ["javascript", "vbscript", "data"];

/// Character references that could be part of a scheme, its colon, or what ends a scheme or a host.
const HIDING: [&str; 7] = ["colon;", "Tab;", "NewLine;", "sol;", "bsol;", "quest;", "num;"];

/// No name of a character reference is longer.
const LONGEST_REFERENCE: usize = 32;

/// What a `data:` URL may be when a value is printed into it, if its type is written out: these run nothing.
const MEDIA: [&str; 4] = ["audio/", "font/", "image/", "video/"];

/// Schemes behind which browsers look for a host, with slashes or without (URL, section 2.1).
pub(in super::super) const WITH_HOSTS: [&str; 6] = ["file", "ftp", "http", "https", "ws", "wss"];

/// The most ways through branches that are told apart within one URL.
const MOST_WAYS: usize = 16;

/// What is known of the scheme of a URL; the order is that of worry, so that the greater of two is right for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scheme {
    /// There is one or none, and it runs nothing; what follows cannot be a host either.
    Settled,
    /// There is one that has no host: that of an address of mail, of a number.
    Opaque,
    /// The same so far, but another slash would begin a host.
    Root,
    /// The same after a value, which may have been empty.
    Begun,
    /// Within the name of a host.
    Named,
    /// Within the number of a port.
    Port,
    /// After a value that stood behind a host, and may have been empty.
    Behind,
    /// After what a partial printed, which runs nothing.
    Any,
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

    /// Takes a character reference that could be any character.
    fn followed_by_any(self) -> Self {
        match self {
            Self::Open | Self::Fed => Self::Runs,
            Self::Root | Self::Begun => Self::Host,
            other @ (Self::Settled | Self::Opaque | Self::Named | Self::Port | Self::Behind) => other,
            other @ (Self::Any | Self::Host | Self::Runs) => other,
        }
    }

    /// Takes a byte after the scheme, as far as the host: browsers take `\\` for `/` and skip control characters.
    fn followed_by(self, byte: u8) -> Self {
        match (self, byte) {
            (_, byte) if byte <= b' ' => self,
            // What is printed next sees to it that no host begins, if nothing was printed between the two.
            (Self::Begun, b'/' | b'\\') => Self::Begun,
            (Self::Root | Self::Host, b'/' | b'\\') => Self::Host,
            (Self::Root | Self::Begun | Self::Behind, _) => Self::Settled,
            (Self::Named | Self::Port, b'/' | b'\\') => Self::Settled,
            (Self::Named | Self::Port | Self::Host | Self::Opaque | Self::Any, b'?' | b'#') => Self::Settled,
            (Self::Named, b':') => Self::Port,
            (Self::Port, b'0'..=b'9') => Self::Port,
            (Self::Named | Self::Port | Self::Host, _) => Self::Named,
            (Self::Settled | Self::Opaque | Self::Any | Self::Open | Self::Fed | Self::Runs, _) => self,
        }
    }
}

/// Follows one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations of them occur")]
pub(super) struct Url {
    scheme: Scheme,
    /// What may stand before the first `:`, one for each way through the branches, as browsers read it.
    schemes: BTreeSet<String>,
    /// Whether the query or the fragment has begun.
    queried: bool,
    /// Whether a value was printed whose own parts are not known.
    fed: bool,
    /// Whether branches differ, so that only the page tells where a value stands.
    is_either: bool,
    /// Whether the layout has written a quote, behind which what was printed cannot be looked at.
    is_quoted: bool,
    reference: Reference,
}

/// What a literal byte makes of a value before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// It could become the scheme.
    Scheme,
    /// It could become a part of the name of a host.
    Host,
}

/// How far a character reference has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Reference {
    #[default]
    None,
    /// This stands behind an `&`.
    Begun(String),
    /// Something does, on one way through branches.
    Unclear,
}

impl Reference {
    /// Takes a byte of a URL; whether this makes a character that could be part of a scheme or end one.
    fn take(&mut self, byte: u8) -> bool {
        match self {
            _ if byte == b'&' => *self = Self::Begun(String::new()),
            Self::None => {}
            Self::Begun(name) if name.is_empty() && byte == b'#' => {
                // Any character; its digits follow.
                name.push('#');
                return true;
            }
            Self::Begun(name) if byte.is_ascii_alphanumeric() && name.len() < LONGEST_REFERENCE => {
                name.push(char::from(byte));
            }
            Self::Begun(name) => {
                let hides = byte == b';' && HIDING.iter().any(|hiding| hiding.strip_suffix(';') == Some(name));
                *self = Self::None;
                return hides;
            }
            Self::Unclear if byte.is_ascii_alphanumeric() => {}
            Self::Unclear => {
                *self = Self::None;
                return matches!(byte, b'#' | b';' | b':');
            }
        }
        false
    }

    /// Whether what was taken last stands for itself, or is at least no beginning of what [`HIDING`] lists.
    fn is_over(&self) -> bool {
        match self {
            Self::None | Self::Unclear => true,
            Self::Begun(name) => {
                !name.starts_with('#') && !HIDING.iter().any(|hiding| hiding.starts_with(name.as_str()))
            }
        }
    }

    fn join(&self, other: &Self) -> Self {
        if self == other { self.clone() } else { Self::Unclear }
    }
}

impl Default for Url {
    fn default() -> Self {
        Self {
            scheme: Scheme::Open,
            schemes: BTreeSet::from([String::new()]),
            queried: false,
            fed: false,
            is_either: false,
            is_quoted: false,
            reference: Reference::None,
        }
    }
}

impl Url {
    /// Whether nothing is known that would keep a value from choosing where a script comes from.
    pub(super) fn leads_anywhere(&self) -> bool {
        self.scheme != Scheme::Settled
    }

    /// Whether a value that is printed here could say on which host it is.
    pub(super) fn chooses_host(&self) -> bool {
        matches!(self.scheme, Scheme::Any | Scheme::Host | Scheme::Open | Scheme::Fed | Scheme::Runs)
    }

    /// Whether it runs code, or is a document of its own.
    pub(super) fn runs(&self) -> bool {
        self.scheme == Scheme::Runs
    }

    /// Whether a value that is printed here could complete a character reference.
    pub(super) fn refers(&self) -> bool {
        self.reference != Reference::None
    }

    /// Which part a value is that is printed here.
    pub(super) fn part(&self) -> UrlPart {
        let part = self.part_unquoted();
        // The strictest that only the page could tell from others.
        let is_untold = self.is_quoted && matches!(part, UrlPart::Next | UrlPart::Piece);
        if is_untold { UrlPart::Query } else { part }
    }

    fn part_unquoted(&self) -> UrlPart {
        match self.scheme {
            _ if self.queried => UrlPart::Query,
            Scheme::Runs => UrlPart::Rest,
            Scheme::Settled if !self.fed && !self.is_either => UrlPart::Path,
            Scheme::Settled => UrlPart::Piece,
            Scheme::Root | Scheme::Begun if self.is_either => UrlPart::Piece,
            _ if self.is_either => UrlPart::Next,
            Scheme::Open => UrlPart::Start,
            Scheme::Fed | Scheme::Behind | Scheme::Any => UrlPart::Next,
            Scheme::Root | Scheme::Begun => UrlPart::Root,
            Scheme::Opaque => UrlPart::Opaque,
            Scheme::Host => UrlPart::Host,
            Scheme::Named => UrlPart::BehindHost,
            Scheme::Port => UrlPart::Port,
        }
    }

    /// A value was printed.
    pub(super) fn output(&mut self) {
        let part = self.part();
        match self.scheme {
            Scheme::Open => self.scheme = Scheme::Fed,
            Scheme::Root => self.scheme = Scheme::Begun,
            Scheme::Host => self.scheme = Scheme::Named,
            Scheme::Named | Scheme::Port => self.scheme = Scheme::Behind,
            Scheme::Settled | Scheme::Opaque | Scheme::Begun | Scheme::Behind => {}
            Scheme::Any | Scheme::Fed | Scheme::Runs => {}
        }
        // A value that is a whole URL, or the most of one, may hold a query; a piece of a path or a query does not.
        self.fed |= matches!(part, UrlPart::Start | UrlPart::Next | UrlPart::BehindHost | UrlPart::Rest);
        self.reference = Reference::None;
    }

    /// A partial was called, whose own literals are not seen here.
    pub(super) fn called(&mut self) {
        self.output();
        self.fed = true;
        self.scheme = match self.scheme {
            settled @ (Scheme::Open | Scheme::Fed | Scheme::Settled | Scheme::Runs) => settled,
            Scheme::Opaque | Scheme::Root | Scheme::Begun | Scheme::Named | Scheme::Port => Scheme::Any,
            Scheme::Behind | Scheme::Any | Scheme::Host => Scheme::Any,
        };
    }

    /// Takes a literal byte; `rest` begins with it. What a value that was printed before it could so become.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8]) -> Option<Chosen> {
        let was_begun = matches!(self.reference, Reference::Begun(_));
        self.is_quoted |= matches!(byte, b'"' | b'\'');
        if self.reference.take(byte) {
            let chosen = (self.scheme == Scheme::Fed).then_some(Chosen::Scheme);
            self.scheme = self.scheme.followed_by_any();
            return chosen;
        }
        if was_begun && (byte == b'&' || self.reference.is_over()) {
            self.ampersand();
        }
        if !self.reference.is_over() {
            return None;
        }
        let chosen = match (self.scheme, byte) {
            (Scheme::Fed, b':') => Some(Chosen::Scheme),
            (Scheme::Behind, b'/' | b'\\' | b'?' | b'#') => None,
            (Scheme::Behind, byte) if byte > b' ' => Some(Chosen::Host),
            _ => None,
        };
        let settled = if self.scheme.is_open() { self.settle(byte, rest) } else { Some(self.scheme.followed_by(byte)) };
        self.scheme = settled.unwrap_or(self.scheme);
        self.queried |= matches!(byte, b'?' | b'#');
        chosen
    }

    /// Takes an `&` that begins no reference of interest: it is part of no scheme.
    fn ampersand(&mut self) {
        self.scheme = if self.scheme.is_open() { Scheme::Settled } else { self.scheme.followed_by(b'&') };
        // After a whole URL that was printed, it goes on with its query.
        self.queried |= self.fed;
    }

    /// Takes a byte of a URL whose scheme is not known yet; what is known if this byte tells. `rest` begins with the byte.
    fn settle(&mut self, byte: u8, rest: &[u8]) -> Option<Scheme> {
        match byte {
            b'?' | b'#' => Some(Scheme::Settled),
            b'/' | b'\\' if self.schemes.contains("") => Some(Scheme::Root),
            b'/' | b'\\' => Some(Scheme::Settled),
            b':' => {
                let media = rest.get(1..).is_some_and(is_media);
                let runs = |scheme: &String| RUNNING.contains(&scheme.as_str()) && !(scheme == "data" && media);
                let has_host = |scheme: &String| WITH_HOSTS.contains(&scheme.as_str());
                Some(if self.schemes.iter().any(runs) {
                    Scheme::Runs
                } else if self.schemes.iter().any(has_host) {
                    Scheme::Host
                } else {
                    Scheme::Opaque
                })
            }
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
        let reference = self.reference.join(&other.reference);
        // Of an `&` on one way only, what follows would be a reference or a part of the scheme.
        let scheme = if scheme != Scheme::Open {
            scheme
        } else if reference == Reference::Unclear {
            Scheme::Runs
        } else if schemes.len() > MOST_WAYS {
            Scheme::Fed
        } else {
            scheme
        };
        // What begins with a slash on both ways is a path on both, as far as values are concerned.
        let is_rooted = |url: &Self| matches!(url.scheme, Scheme::Settled | Scheme::Root | Scheme::Begun);
        let differ = self.scheme != other.scheme && !(is_rooted(self) && is_rooted(other));
        let is_either = self.is_either || other.is_either || differ || self.queried != other.queried;
        Self {
            scheme,
            schemes,
            reference,
            // A query on one way only: a value is a piece of it, as long as it cannot give the scheme on the other.
            queried: (self.queried || other.queried) && !scheme.is_open(),
            fed: self.fed || other.fed,
            is_either,
            is_quoted: self.is_quoted || other.is_quoted,
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

/// Whether a `data:` URL that goes on so is of a type that runs nothing. An image may be a drawing, with scripts in it.
fn is_media(rest: &[u8]) -> bool {
    let Some(end) = rest.iter().position(|byte| matches!(byte, b';' | b',')) else { return false };
    let essence = rest.get(..end).and_then(|essence| std::str::from_utf8(essence).ok()).unwrap_or("");
    let is_plain = essence.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.'));
    is_plain && MEDIA.iter().any(|media| essence.starts_with(media)) && !essence.contains("svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URL after these literals, with a value between each two.
    fn after(literals: &[&str]) -> (Url, bool) {
        let (mut url, mut chosen) = (Url::default(), false);
        for (number, literal) in literals.iter().enumerate() {
            if number > 0 {
                url.output();
            }
            for (at, &byte) in literal.as_bytes().iter().enumerate() {
                chosen |= url.take(byte, &literal.as_bytes()[at..]).is_some();
            }
        }
        (url, chosen)
    }

    #[test]
    fn a_value_completes_no_reference() {
        for literal in ["javascript&", "&", "x&#", "&#x3", "&col", "/a&", "/?a=1&", "/?a&ti", "https://a.example/&am"] {
            assert!(after(&[literal]).0.refers(), "{literal}");
        }
        for literal in ["/?a&b=", "/?a&amp;", "/?a=&lt;", "/&#47;", "/a&/", "&&a/", "/?a=1&page="] {
            assert!(!after(&[literal]).0.refers(), "{literal}");
        }
    }

    #[test]
    fn references_hide_what_they_stand_for() {
        for literal in ["javascript&colon;", "&#106;avascript:", "java&NewLine;script:", "java&Tab;", "&sol;", "x&num;"]
        {
            assert!(after(&[literal]).0.runs(), "{literal}");
        }
        for literal in ["/&sol;", "/&#47;", "//a&#46;", "//&bsol;"] {
            assert!(after(&[literal]).0.leads_anywhere() && !after(&[literal]).0.runs(), "{literal}");
        }
        for literal in ["a&amp;", "a&b=", "&colo;", "&&", "x&copy;", "/a&#47;b/"] {
            assert!(!after(&[literal, ":"]).1 && !after(&[literal]).0.runs(), "{literal}");
        }
        for literal in [":", "&colon;", "&#", "a&#x", "&Tab;"] {
            assert!(after(&["", literal]).1, "{literal}");
        }
    }

    #[test]
    fn references_are_followed_through_branches() {
        let join = |one: &[&str], other: &[&str]| after(one).0.join(&after(other).0);
        assert!(join(&["java&"], &["java"]).runs());
        let mut fed = join(&["", "&"], &["", ""]);
        assert_eq!(fed.take(b':', b":"), Some(Chosen::Scheme));
        let mut fed = join(&["", "&col"], &["", ""]);
        assert_eq!((fed.take(b'o', b"on;"), fed.take(b'n', b"n;")), (None, None));
        assert_eq!(fed.take(b';', b";"), Some(Chosen::Scheme));
        assert!(join(&["/?a", "&"], &["/?a", ""]).refers());
    }

    #[test]
    fn what_data_is_stands_in_the_layout() {
        for (literal, runs) in [
            ("data:image/png;base64,", false),
            ("data:font/woff2,", false),
            ("data:image/", true),
            ("data:image/png", true),
            ("data:image/svg+xml,", true),
            ("data:image/svg&#43;xml,", true),
            ("data:text/html,", true),
            ("data:", true),
        ] {
            assert_eq!(after(&[literal]).0.runs(), runs, "{literal}");
        }
    }
}
