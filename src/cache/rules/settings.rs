//! What a declaration says where RFC 9111 leaves room. The default is the RFC as a shared cache reads it.

use super::status::is_heuristically_cacheable;
use http::{HeaderName, StatusCode};
use std::time::Duration;

/// How a cache keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// For whom responses are stored.
    pub audience: Audience,
    /// The fields that direct caches like this one (RFC 9213, section 2.2), the one that counts first in front: the first of them that says
    /// anything takes the place of `Cache-Control` and `Expires`.
    pub targets: Vec<HeaderName>,
    /// Whether a lifetime is guessed where none is said (section 4.2.2): a tenth of the time since the last change, at most a day.
    pub heuristics: bool,
    /// Whether responses are stored that set cookies.
    pub cookies: Cookies,
    /// Lifetimes that were declared.
    pub written: Option<Written>,
    /// Whether requests are obeyed that want nothing stored, or nothing old (section 5.2.1). Without it anybody gets what is stored, and
    /// nobody can make the cache ask the origin.
    pub obeys_requests: bool,
    /// For how long a stale response may stand in for an origin that cannot be reached, where nothing forbids it and the response itself says
    /// no time (section 4.2.4).
    pub stale_when_unreachable: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            audience: Audience::Everybody,
            targets: vec![HeaderName::from_static("cdn-cache-control")],
            heuristics: true,
            cookies: Cookies::default(),
            written: None,
            obeys_requests: true,
            stale_when_unreachable: Duration::from_hours(24),
        }
    }
}

impl Settings {
    /// What was declared, as far as it is meant for responses of this `status`, which say a lifetime themselves if it `is_said`. An error is not
    /// kept as long as what was declared for pages, and takes the place of none, unless the origin itself says a time. One of the server is
    /// never meant, though one of them may be guessed about: 501.
    pub(super) fn written_for(&self, status: StatusCode, is_said: bool) -> Option<Written> {
        let is_usual = is_heuristically_cacheable(status) && !status.is_server_error();
        self.written.filter(|_| is_said || is_usual)
    }
}

/// For whom a cache stores (section 1): what is said to shared caches is not for one that has a single user, and what is for that user alone
/// may be stored there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// For all who ask: a shared cache.
    #[default]
    Everybody,
    /// For the one who asked: a private cache. `private` and `Authorization` do not keep it from storing (sections 3, 3.5 and 5.2.2.7), and it
    /// does not obey `s-maxage`, `proxy-revalidate` (sections 5.2.2.8 and 5.2.2.10) and fields that are meant for other caches (RFC 9213).
    One,
}

/// Whether a response with `Set-Cookie` is stored, for everybody to get that cookie (section 7.3: caching is not inhibited by it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cookies {
    /// If the origin says for how long it is fresh, and that is any time at all: `s-maxage`, `max-age` or `Expires` in the response itself. A
    /// lifetime that was guessed or declared here does not count.
    #[default]
    Explicit,
    /// If the origin says it is for everybody: `public` or `s-maxage`.
    Public,
    /// Never.
    Never,
    /// Whatever the origin says: nobody is answered with the cookie.
    Unsent,
}

/// Lifetimes that were declared for what an origin sends: of each what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How long a response is fresh; as long as its origin says, if this is not declared.
    pub fresh: Option<Duration>,
    /// How long after that it may be served while it is fetched anew.
    pub stale_while_revalidate: Option<Duration>,
    /// How long after that it may be served in place of an error.
    pub stale_if_error: Option<Duration>,
    /// What it is worth beside what the origin says.
    pub rank: Rank,
}

/// What a declaration is worth beside the origin's directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// It counts where the origin says nothing.
    FillsGaps,
    /// It counts for times that the origin says; what it forbids stays forbidden.
    BeatsLifetimes,
    /// It counts instead of all directives: `no-store`, `private`, `no-cache` and whatever forbids stale responses are not heard. Only
    /// `Vary: *` and what a status forbids still are.
    BeatsAll,
}
