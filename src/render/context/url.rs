//! Where in a URL an output stands (RFC 3986), as browsers read it: whether it could still give a scheme, and of which part it is.
//!
//! A value may print nothing. Where a slash of the layout would then begin a host it asks for a guard, which looks at the page.

use super::super::escape::{Holder, Look, UrlPart, reference};
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
    /// In one of several URLs: only the page tells.
    Listed,
    /// It runs code, or is a document of its own.
    Runs,
}

impl Scheme {
    /// What is known after either of two branches.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            // Only the next byte tells, and not the same one: a host may begin.
            (Self::Root, Self::Named) | (Self::Named, Self::Root) => Self::Host,
            _ => self.max(other),
        }
    }

    /// Whether what follows could still give a scheme.
    fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Fed)
    }

    /// Whether a slash that follows could begin a host, if the value before it printed nothing.
    fn takes_guards(self) -> bool {
        !matches!(self, Self::Settled | Self::Opaque | Self::Runs)
    }

    /// Takes a character reference that could be any character.
    fn followed_by_any(self) -> Self {
        match self {
            Self::Open | Self::Fed => Self::Runs,
            Self::Root => Self::Host,
            other @ (Self::Settled | Self::Opaque | Self::Named | Self::Port | Self::Behind) => other,
            other @ (Self::Any | Self::Host | Self::Listed | Self::Runs) => other,
        }
    }

    /// Takes a byte after the scheme, as far as the host: browsers take `\\` for `/` and skip control characters. Whatever stands
    /// before a slash that `is_guarded` is a host, or the beginning of a path.
    fn followed_by(self, byte: u8, is_guarded: bool) -> Self {
        match (self, byte) {
            (_, byte) if byte <= b' ' => self,
            (Self::Root | Self::Host, b'/' | b'\\') => {
                if is_guarded {
                    Self::Settled
                } else {
                    Self::Host
                }
            }
            (Self::Root | Self::Behind, _) => Self::Settled,
            (Self::Named | Self::Port | Self::Any, b'/' | b'\\') => Self::Settled,
            (Self::Named | Self::Port | Self::Host | Self::Opaque | Self::Any, b'?' | b'#') => Self::Settled,
            (Self::Named, b':') => Self::Port,
            (Self::Port, b'0'..=b'9') => Self::Port,
            (Self::Named | Self::Port | Self::Host, _) => Self::Named,
            (Self::Settled | Self::Opaque | Self::Any | Self::Open | Self::Fed | Self::Listed | Self::Runs, _) => self,
        }
    }
}

/// Follows one URL, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations of them occur")]
pub(super) struct Url {
    holder: Holder,
    scheme: Scheme,
    /// What may stand before the first `:`, one for each way through the branches, as browsers read it.
    schemes: BTreeSet<String>,
    /// Whether the query or the fragment has begun.
    queried: bool,
    /// Whether a value was printed whose own parts are not known; in a list, at the beginning of the URL at hand.
    fed: bool,
    /// Whether branches differ, so that only the page tells where a value stands.
    is_either: bool,
    /// Whether nothing but white space follows a value, or what a partial printed: it may have been nothing.
    is_hollow: bool,
    /// Whether a URL of a list begins here.
    is_fresh: bool,
    /// Whether nothing but white space has been taken.
    is_untouched: bool,
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

/// What is to be done about a literal byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taken {
    pub(super) chosen: Option<Chosen>,
    /// Whether it must not begin a host: the page is to be looked at before it.
    pub(super) is_guarded: bool,
}

/// How far a character reference has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Reference {
    #[default]
    None,
    /// So many bytes of one are left that is read already.
    Within(usize),
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
            Self::None | Self::Within(_) => {}
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
            Self::None | Self::Within(_) | Self::Unclear => true,
            Self::Begun(name) => {
                !name.starts_with('#') && !HIDING.iter().any(|hiding| hiding.starts_with(name.as_str()))
            }
        }
    }

    fn join(&self, other: &Self) -> Self {
        if self == other { self.clone() } else { Self::Unclear }
    }
}

impl Url {
    /// At the beginning of the URL, or of the list.
    pub(super) fn of(holder: Holder) -> Self {
        let is_listed = matches!(holder, Holder::Images | Holder::Words);
        Self {
            holder,
            scheme: if is_listed { Scheme::Listed } else { Scheme::Open },
            schemes: BTreeSet::from([String::new()]),
            queried: false,
            fed: false,
            is_either: false,
            is_hollow: false,
            is_fresh: true,
            is_untouched: true,
            reference: Reference::None,
        }
    }

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

    /// Whether nothing has been taken of it but white space.
    pub(super) fn is_untouched(&self) -> bool {
        self.is_untouched
    }

    /// How to look at the page from here, within an attribute in such quotes.
    pub(super) fn look(&self, quote: u8) -> Look {
        Look { quote, holder: self.holder, hosts: false, rests: false, encoded: false }
    }

    /// Which part a value is that is printed here, within such quotes.
    pub(super) fn part(&self, quote: u8) -> UrlPart {
        let look = self.look(quote);
        let piece = UrlPart::Seen(look);
        let behind = UrlPart::Seen(Look { rests: true, ..look });
        let any = UrlPart::Seen(Look { hosts: true, rests: true, ..look });
        match self.scheme {
            Scheme::Listed => UrlPart::Seen(Look { hosts: !self.is_hollow, rests: self.fed, ..look }),
            _ if self.queried => UrlPart::Query,
            Scheme::Runs => UrlPart::Rest,
            Scheme::Settled | Scheme::Root if self.fed || self.is_either => piece,
            Scheme::Settled => UrlPart::Path,
            Scheme::Root if self.is_hollow => piece,
            Scheme::Root => UrlPart::Root,
            Scheme::Fed => any,
            Scheme::Behind | Scheme::Any => behind,
            Scheme::Host if self.is_hollow && !self.is_either => behind,
            Scheme::Host if self.fed => any,
            _ if self.is_either => any,
            Scheme::Open => UrlPart::Start,
            Scheme::Opaque => UrlPart::Opaque,
            Scheme::Host => UrlPart::Host,
            Scheme::Named => UrlPart::BehindHost,
            Scheme::Port => UrlPart::Port,
        }
    }

    /// A value was printed.
    pub(super) fn output(&mut self) {
        let part = self.part(b'"');
        self.scheme = match self.scheme {
            Scheme::Open => Scheme::Fed,
            Scheme::Named | Scheme::Port => Scheme::Behind,
            other @ (Scheme::Settled | Scheme::Opaque | Scheme::Root | Scheme::Host | Scheme::Behind) => other,
            other @ (Scheme::Any | Scheme::Fed | Scheme::Listed | Scheme::Runs) => other,
        };
        // A value that is a whole URL, or the most of one, may hold a query; a piece of a path or a query does not.
        let is_more = match part {
            UrlPart::Start | UrlPart::Rest | UrlPart::BehindHost | UrlPart::Host => true,
            UrlPart::Seen(look) => look.rests,
            UrlPart::Root | UrlPart::Path | UrlPart::Name | UrlPart::Query | UrlPart::Encoded => false,
            UrlPart::Port | UrlPart::Opaque | UrlPart::Images => false,
        };
        self.fed |= is_more || (self.scheme == Scheme::Listed && self.is_fresh);
        self.is_hollow = true;
        self.is_fresh = false;
        self.is_untouched = false;
        self.reference = Reference::None;
    }

    /// A partial was called, whose own literals are not seen here.
    pub(super) fn called(&mut self) {
        let refers = self.refers();
        self.output();
        if refers {
            // What printed nothing has ended no reference.
            self.reference = Reference::Unclear;
        }
        self.fed |= self.scheme != Scheme::Listed;
        // Behind the slash of a path it may have begun a host, which only the page tells.
        self.is_either |= self.scheme == Scheme::Root;
        self.scheme = match self.scheme {
            same @ (Scheme::Open | Scheme::Fed | Scheme::Settled | Scheme::Root | Scheme::Listed | Scheme::Runs) => {
                same
            }
            Scheme::Opaque | Scheme::Named | Scheme::Port | Scheme::Behind | Scheme::Any | Scheme::Host => Scheme::Any,
        };
    }

    /// Takes a literal byte; `rest` begins with it.
    pub(super) fn take(&mut self, byte: u8, rest: &[u8]) -> Taken {
        if let Reference::Within(left) = self.reference {
            self.reference = if left > 1 { Reference::Within(left - 1) } else { Reference::None };
            return Taken::default();
        }
        let was_begun = matches!(self.reference, Reference::Begun(_));
        if let Some((character, length)) = reference(rest).filter(|(_, length)| is_complete(rest, *length)) {
            if was_begun {
                self.ampersand();
            }
            self.reference = Reference::Within(length - 1);
            if character == b'&' {
                self.ampersand();
                return Taken::default();
            }
            return self.take_character(character, rest.get(length..).unwrap_or_default());
        }
        // What it stands for is told by what follows.
        let is_guarded = byte == b'&' && self.is_hollow && self.scheme.takes_guards() && may_go_on(rest);
        if is_guarded {
            self.guarded();
        }
        let guarded = Taken { is_guarded, chosen: None };
        if byte == b'&' {
            self.goes_on();
        }
        if self.reference.take(byte) {
            let chosen = (self.scheme == Scheme::Fed).then_some(Chosen::Scheme);
            self.scheme = self.scheme.followed_by_any();
            return Taken { chosen, ..guarded };
        }
        if was_begun && (byte == b'&' || self.reference.is_over()) {
            self.ampersand();
        }
        if !self.reference.is_over() {
            return guarded;
        }
        let taken = self.take_character(byte, rest.get(1..).unwrap_or_default());
        Taken { is_guarded: taken.is_guarded || is_guarded, ..taken }
    }

    /// A slash that may follow begins no host.
    fn guarded(&mut self) {
        if matches!(self.scheme, Scheme::Root | Scheme::Host) {
            self.scheme = Scheme::Settled;
        }
        self.is_hollow = false;
    }

    /// Takes a character, as browsers read it; `behind` follows.
    fn take_character(&mut self, byte: u8, behind: &[u8]) -> Taken {
        let is_slash = |byte: u8| matches!(byte, b'/' | b'\\');
        // Two slashes of the layout say that a host follows.
        let says_host = self.scheme.is_open() && behind.first().is_some_and(|next| is_slash(*next));
        let is_guarded = is_slash(byte) && self.is_hollow && self.scheme.takes_guards() && !says_host;
        let chosen = match (self.scheme, byte) {
            (Scheme::Fed, b':') => Some(Chosen::Scheme),
            (Scheme::Behind, b'/' | b'\\' | b'?' | b'#') => None,
            (Scheme::Behind, byte) if byte > b' ' => Some(Chosen::Host),
            _ => None,
        };
        self.is_either |= self.scheme == Scheme::Any && is_slash(byte);
        if self.scheme.is_open() {
            self.scheme = self.settle(byte, behind).unwrap_or(self.scheme);
        } else {
            self.scheme = self.scheme.followed_by(byte, is_guarded);
        }
        self.queried |= matches!(byte, b'?' | b'#');
        if byte > b' ' {
            self.is_hollow = false;
            self.goes_on();
        }
        self.is_fresh |= self.scheme == Scheme::Listed && (byte <= b' ' || byte == b',');
        Taken { chosen, is_guarded }
    }

    /// Takes an `&` that begins no reference of interest: it is part of no scheme.
    fn ampersand(&mut self) {
        self.scheme = if self.scheme.is_open() { Scheme::Settled } else { self.scheme.followed_by(b'&', false) };
        // After a whole URL that was printed, it goes on with its query.
        self.queried |= self.fed && self.scheme != Scheme::Listed;
        self.is_hollow = false;
        self.goes_on();
    }

    /// Something of the layout's stands in it that is more than white space.
    fn goes_on(&mut self) {
        self.is_fresh = false;
        self.is_untouched = false;
        self.fed &= self.scheme != Scheme::Listed;
    }

    /// Takes a byte of a URL whose scheme is not known yet; what is known if this byte tells. `behind` follows.
    fn settle(&mut self, byte: u8, behind: &[u8]) -> Option<Scheme> {
        match byte {
            b'?' | b'#' => Some(Scheme::Settled),
            b'/' | b'\\' if self.schemes.contains("") => Some(Scheme::Root),
            b'/' | b'\\' => Some(Scheme::Settled),
            b':' => {
                let media = is_media(behind);
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
        let differ = self.scheme != other.scheme || self.queried != other.queried;
        Self {
            holder: self.holder,
            scheme,
            schemes,
            reference,
            // A query on one way only: a value is a piece of it, as long as it cannot give the scheme on the other.
            queried: (self.queried || other.queried) && !scheme.is_open(),
            fed: self.fed || other.fed,
            is_either: self.is_either || other.is_either || differ,
            // One of the ways may have led past what stands behind a slash on the other.
            is_hollow: self.is_hollow || other.is_hollow || differ,
            is_fresh: self.is_fresh || other.is_fresh,
            is_untouched: self.is_untouched && other.is_untouched,
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

/// Whether the reference of this length at the beginning of `rest` ends there, whatever the layout goes on with.
fn is_complete(rest: &[u8], length: usize) -> bool {
    length < rest.len() || rest.get(..length).is_some_and(|reference| reference.ends_with(b";"))
}

/// Whether the reference at the beginning of `rest` could go on in what the layout prints next.
fn may_go_on(rest: &[u8]) -> bool {
    let name = rest.get(1..).unwrap_or_default();
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
}

/// Whether a `data:` URL that goes on so is of a type that runs nothing. An image may be a drawing, with scripts in it.
pub(in super::super) fn is_media(rest: &[u8]) -> bool {
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
        let (mut url, mut chosen) = (Url::of(Holder::Whole), false);
        for (number, literal) in literals.iter().enumerate() {
            if number > 0 {
                url.output();
            }
            for (at, &byte) in literal.as_bytes().iter().enumerate() {
                chosen |= url.take(byte, &literal.as_bytes()[at..]).chosen.is_some();
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
        for literal in
            ["javascript&colon;", "&#106;avascript:", "java&NewLine;script:", "&#x6A;avascript&#58;", "&#106"]
        {
            assert!(after(&[literal]).0.runs(), "{literal}");
        }
        for (literal, part) in [("&sol;", UrlPart::Root), ("x&num;", UrlPart::Query), ("java&Tab;", UrlPart::Start)] {
            assert_eq!(after(&[literal]).0.part(b'"'), part, "{literal}");
        }
        for literal in ["/&sol;", "/&#47;", "//a&#46;", "//&bsol;"] {
            assert!(after(&[literal]).0.leads_anywhere() && !after(&[literal]).0.runs(), "{literal}");
        }
        for literal in ["a&amp;", "a&b=", "&colo;", "&&", "x&copy;", "/a&#47;b/"] {
            assert!(!after(&[literal, ":"]).1 && !after(&[literal]).0.runs(), "{literal}");
        }
        for literal in [":", "&colon;", "&#", "a&#x", "&Tab;:"] {
            assert!(after(&["", literal]).1, "{literal}");
        }
    }

    #[test]
    fn references_are_followed_through_branches() {
        let join = |one: &[&str], other: &[&str]| after(one).0.join(&after(other).0);
        assert!(join(&["java&"], &["java"]).runs());
        let mut fed = join(&["", "&"], &["", ""]);
        assert_eq!(fed.take(b':', b":").chosen, Some(Chosen::Scheme));
        let mut fed = join(&["", "&col"], &["", ""]);
        assert_eq!((fed.take(b'o', b"on;").chosen, fed.take(b'n', b"n;").chosen), (None, None));
        assert_eq!(fed.take(b';', b";").chosen, Some(Chosen::Scheme));
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
