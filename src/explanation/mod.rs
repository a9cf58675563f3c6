//! What the server would do with a request, as plain data: the answer to `siteserver explain`.
//!
//! The floor that answers requests fills it in by the functions that it answers with; the floor that reports prints it. It must never know
//! either, nor decide anything.
//!
//! What a new setting has to say for itself is a [`Setting`]; a new step of a request is a field of [`Page`].

use crate::diagnostic::{FileId, Place};

/// What the server would do with one request.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The method.
    pub method: String,
    /// Path and query, as they were asked for.
    pub target: String,
    /// The host that was asked.
    pub host: Option<String>,
    /// What becomes of the request.
    pub verdict: Verdict,
    /// The route that it belongs to, if it belongs to one.
    pub route: Option<Named>,
    /// What is said of a page, if one would be made or found.
    pub page: Option<Page>,
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Which of the ways it goes.
    pub outcome: Outcome,
    /// The status; of a route the one it answers with when all goes well.
    pub status: u16,
    /// Where it sends the visitor.
    pub location: Option<String>,
    /// Why, in words.
    pub why: String,
    /// What was probably meant, if there is something like it.
    pub hint: Option<String>,
}

/// The ways of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The route answers it.
    Route,
    /// It is sent to another URL of the site, of which this is another spelling.
    Redirect,
    /// It is told the methods there are.
    Options,
    /// It is refused.
    Refused,
}

/// A route.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its file: `routes/repo.toml`.
    pub file: String,
    /// What it is: `page`, `document`, `documents`, `files`, `json`, `redirect`.
    pub kind: &'static str,
    /// Its paths, the canonical one first.
    pub paths: Vec<String>,
    /// Where its path was written, or its file.
    pub place: Place,
}

/// What is known of a page before any data is.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it reads of the request, as it was read.
    pub inputs: Vec<Input>,
    /// What the request has and nothing reads, because it is not declared.
    pub ignored: Vec<String>,
    /// What governs it.
    pub settings: Vec<Setting>,
    /// The layouts and partials that it is made with.
    pub made_of: Vec<FileId>,
    /// Its sources, in the waves in which they would begin if all succeed.
    pub waves: Vec<Vec<Source>>,
    /// Its rules, in the order in which they are decided.
    pub rules: Vec<Rule>,
    /// Whether it is one person's.
    pub privacy: Privacy,
    /// What it is to those who carry nothing that says who they are, if it is personal.
    pub anonymous: Option<Anonymous>,
    /// What the page store would do.
    pub store: Store,
    /// Who may keep it for how long.
    pub lifetimes: Lifetimes,
    /// The header fields of the answer as they are known before data, in alphabetical order.
    pub fields: Vec<(String, String)>,
    /// What is to be said of those that depend on more.
    pub notes: Vec<String>,
}

/// Something that a page reads of the request.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name for the author: `params.name`, `query.page`, `request.headers.accept-language`.
    pub name: String,
    /// Its type, if it has a declared one.
    pub kind: Option<&'static str>,
    /// Its value as JSON; `None` if it is not to be shown: credentials, and cookies without an `enum`.
    pub value: Option<String>,
    /// Whether the request has it, and if not what stands for it.
    pub state: State,
    /// Whether anything reads it.
    pub is_read: bool,
}

/// Whether a request has an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has.
    Present,
    /// It has not.
    Absent,
    /// It has something that does not fit, which counts as absent.
    Unfit,
}

/// A setting and where it comes from.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What it is: `deadline`, `cache-control`, `layout`.
    pub name: &'static str,
    /// Its value in words.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// From a place in the author's files.
    Written(Place),
    /// It was worked out, for this reason.
    Derived(String),
    /// Nobody wrote it: it is what is so everywhere.
    BuiltIn,
}

impl Origin {
    /// From `place`, or else built in.
    pub fn at(place: Option<Place>) -> Self {
        place.map_or(Self::BuiltIn, Self::Written)
    }
}

/// A source of the page.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name; `shop.prices` for the source `prices` of the route that the source `shop` asks.
    pub name: String,
    /// How it is had: `http`, `route`, `value`, `file`, `search`.
    pub kind: &'static str,
    /// Where it is declared.
    pub place: Place,
    /// The sources that it waits for.
    pub after: Vec<String>,
    /// Once for each item of this list.
    pub each: Option<String>,
    /// Whether what it sends or is addressed by is one person's.
    pub is_personal: bool,
    /// The call that it makes.
    pub call: Option<Call>,
    /// What is searched, and what for.
    pub searches: Option<String>,
    /// The route of the site that it asks.
    pub asks: Option<Asks>,
    /// What becomes of the page when it cannot be had: `on-error`, `fail`.
    pub outcomes: Vec<(&'static str, String)>,
}

/// A route that a source asks in process.
#[derive(Debug, Clone)]
pub struct Asks {
    /// The route.
    pub route: String,
    /// The target; placeholders for what is not known yet.
    pub target: String,
    /// Its own sources, unless its answer is stored.
    pub waves: Vec<Vec<Source>>,
}

/// A call to an upstream.
#[derive(Debug, Clone)]
pub struct Call {
    /// The upstream: its name, or the origin of its URL.
    pub upstream: String,
    /// Its machines, where they are declared: the call goes to one of them.
    pub addresses: Vec<String>,
    /// The method.
    pub method: String,
    /// The URL; placeholders for what is not known yet, nothing secret.
    pub url: String,
    /// Why the call would not be made, if the request itself keeps it from that.
    pub refused: Option<String>,
    /// What is kept of its answers, and for how long.
    pub kept: Setting,
    /// What it is kept under besides the call itself, and by which tags it is purged; nothing if nothing is kept.
    pub kept_under: Vec<String>,
    /// The names of the header fields that it sends.
    pub fields: Vec<String>,
    /// How long it may take.
    pub timeout: Setting,
    /// How often it is made again.
    pub retries: Setting,
}

/// A rule of the page.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The condition, as it was written.
    pub condition: String,
    /// Where.
    pub place: Place,
    /// What happens if it holds.
    pub then: String,
    /// The sources that must have settled before it is decided.
    pub after: Vec<String>,
}

/// Whose data a page holds.
#[derive(Debug, Clone)]
pub enum Privacy {
    /// Nobody's.
    Public,
    /// One person's.
    Personal {
        /// From the person to the page.
        path: Vec<Step>,
    },
}

/// A step on the way from a person to a page.
#[derive(Debug, Clone)]
pub struct Step {
    /// What holds the person's data; last the page itself.
    pub what: String,
    /// What takes it from there, and how; `None` of the page.
    pub how: Option<String>,
    /// Where that is written.
    pub place: Place,
}

/// What a personal page is to those who carry nothing that says who they are.
#[derive(Debug, Clone)]
pub struct Anonymous {
    /// What they do not carry, in words.
    pub without: String,
    /// Whether they share one copy.
    pub is_shared: bool,
    /// Whether this request is one of theirs.
    pub is_this: bool,
    /// Why there is no such page, and where.
    pub obstacles: Vec<(String, Place)>,
}

/// What the page store would do.
#[derive(Debug, Clone)]
pub struct Store {
    /// Why nothing is kept that could be sent as it is; `None` if the page is.
    pub refused: Option<String>,
    /// Whether it is kept all the same, to be sent again if it turns out to be what would be made anew.
    pub is_compared: bool,
    /// What it is kept under, if it is looked for.
    pub key: Option<Key>,
    /// The request fields that choose among the pages of a URL, without the one for codings.
    pub vary: Vec<String>,
}

/// The key of a page.
#[derive(Debug, Clone)]
pub struct Key {
    /// The route and its revision.
    pub subject: String,
    /// Section, name, and value in words; `None` for an input that the request does not have.
    pub parts: Vec<(&'static str, String, Option<String>)>,
    /// Equal for equal keys, and for no others.
    pub digest: String,
}

/// Who may keep a page for how long, in words.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// The visitor's browser.
    pub browser: String,
    /// Caches on the way.
    pub cdn: String,
    /// Our page store.
    pub ours: String,
}
