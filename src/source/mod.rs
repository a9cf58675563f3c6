//! Kinds of data source: what one declares, how it is called, what its failures become.
//!
//! It knows nothing of routes, layouts or responses. A source is generic over what its placeholders refer to: a
//! [`Reference`] as written, a [`Binding`] once linked.
//!
//! A new kind is a file with its declaration, its compilation and its behaviour, a variant of [`Kind`], and its key in
//! [`Decl`].

mod answer;
mod body;
mod code;
mod decl;
mod each;
mod extraction;
mod given;
mod http;
mod keep;
mod known;
mod list;
mod misfit;
mod outcome;
mod piece;
mod route;
mod sample;
mod target;
mod upstream;

pub use self::http::{AnswerLimits, Http, Sketch, identity, patience, trouble_of, trouble_of_no_call};
pub use answer::Read;
pub use body::Method as CallMethod;
pub use code::{
    BAD_DATA, BAD_SAMPLE, CODES, DATA_FILE, LIST_PAGE, LIST_SEARCH, NOT_A_LIST, PUBLIC_CREDENTIAL, SECRET_OUT_OF_PLACE,
    UNSAFE_METHOD,
};
pub use decl::{Decl, QueryValue};
pub use each::{ForEach, ITEM};
pub use extraction::{Extract, Query as Selects, TypeName, fields};
pub use given::{Chosen, Given};
pub use keep::Keep;
pub use known::{Astray, Known};
pub use list::{Absent, Decl as ListDecl, Listing, Searched, Surroundings};
pub use misfit::DataFile;
pub use outcome::{Fatal, OnError, OnNotFound, OnUnauthorized, Outcomes, Settled, Trouble};
pub use piece::{Piece, Pieces, refuse_secrets, refuse_secrets_in, way_out};
pub use route::{Asked, InProcess, Step};
pub use target::{NoCall, PathTemplate, Target, encode_segment};
pub use upstream::{Calling, CallingDecl, Decl as UpstreamDecl, Upstream, origin_of};

use crate::config::{Binding, Declared as _, Environment, Reference, Rules, Shape};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};
use crate::extract::Extraction;
use crate::upstream::Answer;
use crate::value::Value;
use answer::trouble_of_json;
use extraction::{Extracted, trouble_of_extraction};
use std::sync::Arc;

/// How two declarations of one source merge.
pub const MERGE: Rules = Rules {
    whole: &["value", "fallback", "body", "form", "cache"],
    append: &[],
    named: &[],
    kinds: &[&["url"], &["upstream"], &["route"], &["file"], &["content"], &["value"]],
};

/// What compiling a source needs to know of its site.
#[derive(Debug)]
pub struct Context<'c> {
    /// The upstreams, to which the nameless ones of whole URLs are added.
    pub upstreams: &'c mut Upstreams,
    /// The environment.
    pub environment: &'c Environment,
    /// What was read for a source whose data comes at load; `None` if it could not be, which is told already.
    pub given: Option<Given>,
    /// What is searched of what was read, where it is; the index is of the items of `given`, in their order.
    pub searched: Option<Searched>,
    /// Whether it is called because somebody has sent something, and may change what it likes.
    pub is_sent: bool,
}

/// The upstreams of a site.
#[derive(Debug, Clone, Default)]
pub struct Upstreams {
    list: Vec<Upstream>,
    declared: Vec<Spanned<String>>,
    /// Whether there may be others, which could not be read.
    is_open: bool,
}

impl Upstreams {
    /// The declared upstreams; one that cannot be compiled is known by its name alone. If `is_open`, there may be others that could not
    /// be read.
    pub fn compile<'d>(
        decls: impl IntoIterator<Item = &'d (Spanned<String>, UpstreamDecl)>,
        is_open: bool,
        environment: &Environment,
        findings: &mut Findings,
    ) -> Self {
        let mut upstreams = Self { is_open, ..Self::default() };
        for (name, decl) in decls {
            upstreams.declared.push(name.clone());
            upstreams.list.extend(Upstream::compile(name, decl, environment, findings));
        }
        upstreams
    }

    /// The position of a declared upstream.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.is_declared(name).then(|| self.list.iter().position(|upstream| *upstream.name == *name)).flatten()
    }

    /// The position of the upstream that is called so; a finding if none can be.
    pub fn named(&self, name: &Spanned<String>, findings: &mut Findings) -> Option<usize> {
        let found = self.find(&name.value);
        // An upstream that was declared with a mistake has its finding already.
        let may_be_declared = self.is_open || self.is_declared(&name.value);
        if found.is_none() && !may_be_declared {
            let message = format!("unknown upstream `{}`", name.value);
            let help = did_you_mean(&name.value, self.names())
                .unwrap_or_else(|| format!("declare it in site.toml: [upstreams.{}]", name.value));
            findings.push(Finding::new(&code::UNKNOWN_UPSTREAM, name.place, message).help(help));
        }
        found
    }

    /// Whether the site declares an upstream of this name, sound or not.
    pub fn is_declared(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.value == name)
    }

    /// The declared names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(|declared| declared.value.as_str())
    }

    /// The declared names, and where they were written.
    pub fn declared(&self) -> &[Spanned<String>] {
        &self.declared
    }

    /// The upstream at a position.
    pub fn get(&self, at: usize) -> Option<&Upstream> {
        self.list.get(at)
    }

    /// All of them.
    pub fn all(&self) -> &[Upstream] {
        &self.list
    }

    /// The position of the nameless upstream with this origin.
    pub fn of_origin(&mut self, origin: &str) -> usize {
        let known = self.list.iter().position(|upstream| *upstream.name == *origin);
        known.unwrap_or_else(|| {
            self.list.push(Upstream::of_origin(origin));
            self.list.len() - 1
        })
    }
}

/// A source of data.
#[derive(Debug, Clone)]
pub struct Source<R = Reference> {
    /// Its name, and where it was written.
    pub name: Spanned<String>,
    /// How it is had.
    pub kind: Kind<R>,
    /// The list for each item of which it is had; once, if there is none.
    pub for_each: Option<ForEach<R>>,
    /// What its troubles become.
    pub outcomes: Outcomes<R>,
    /// What is taken from it; everything if none.
    pub extraction: Option<Arc<Extraction>>,
    /// What is done to the list that it gives.
    pub listing: Option<Listing<R>>,
    /// What is known of its value before it is had.
    pub known: Known,
    /// What is known of each item of its list.
    pub item: Known,
}

/// How a source is had.
#[derive(Debug, Clone)]
pub enum Kind<R = Reference> {
    /// By a call.
    Http(Box<Http<R>>),
    /// By asking a route of the same site.
    Route(Box<InProcess<R>>),
    /// It stands in the declaration, or was read at load.
    Value(Shape<R>),
    /// One of several that were read at load.
    Chosen(Chosen<R>),
}

impl<R> Source<R> {
    /// Whether it sends the visitor's cookie of this name along.
    pub fn sends_cookie(&self, name: &[u8]) -> bool {
        match &self.kind {
            Kind::Http(http) => http.forward_cookies.iter().any(|sent| sent.as_bytes() == name),
            Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => false,
        }
    }
}

impl Source {
    /// Compiles what an author wrote. What is wrong is found; without a sound kind there is no source.
    pub fn compile(
        name: &Spanned<String>,
        decl: &Decl,
        context: &mut Context<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let outcomes = Outcomes::compile(
            &outcome::Written {
                optional: decl.optional.as_ref(),
                fallback: decl.fallback.as_ref(),
                on_error: decl.on_error.as_ref(),
                on_not_found: decl.on_not_found.as_ref(),
                on_unauthorized: decl.on_unauthorized.as_ref(),
            },
            findings,
        );
        let extracted = decl.extract.as_ref().map(|node| extraction::compile(node, findings));
        let is_extractable = !matches!(extracted, Some(None));
        let (written, is_of_one_kind) = Self::written_kind(name, decl, findings);
        let for_each = ForEach::compile(&decl.each, findings);
        if let OnUnauthorized::Redirect(target) = &outcomes.on_unauthorized {
            each::refuse_items(target, "what becomes of the page", findings);
        }
        let extract = decl.extract.as_ref();
        let (mut extraction, known) = match extracted {
            Some(Some(Extracted { extraction, known })) => (Some(Arc::new(extraction)), known),
            Some(None) => (None, Known::Open),
            None => match (&decl.value, context.given.as_ref().and_then(Given::sample)) {
                (Some(Spanned { value: Shape::Literal(value), .. }), _) => (None, Known::of(value)),
                (None, Some(value)) => (None, Known::of_file(value)),
                (Some(_) | None, _) => (None, Known::Open),
            },
        };
        let kind = match written {
            None => None,
            Some(Written::Given(place)) => {
                context.given.take().and_then(|given| given.into_kind(extraction.take().as_deref(), place, findings))
            }
            Some(Written::Value) => decl.value.as_ref().map(|value| {
                refuse_secrets_in(&value.value, "the value of a source", context.environment, findings);
                Kind::Value(value.value.clone())
            }),
            Some(Written::Route) => {
                InProcess::compile(decl, context, findings).map(|asking| Kind::Route(Box::new(asking)))
            }
            Some(Written::Call) => Http::compile(decl, context, findings).map(|mut http| {
                if let Some(keep) = &mut http.keep {
                    keep.identify(&name.value, extract);
                }
                Kind::Http(Box::new(http))
            }),
        };
        if let Some(fallback) = &decl.fallback {
            extraction::check_fallback(&known, fallback, findings);
        }
        let known = if decl.each.is_written() { Known::ListOf(Box::new(known)) } else { known };
        let item = list::item_of(&known);
        Self::refuse_search(decl, context, findings);
        let (listing, known) = match list::compile(&decl.listing, &known, context.searched.as_ref(), findings) {
            Some(list::Compiled { listing, known }) => (listing, known),
            None => (None, known),
        };
        if let (Some(Kind::Value(Shape::Literal(value))), Some(_)) = (&kind, &listing)
            && is_extractable
            && !list::is_list(value)
        {
            findings.push(Finding::new(
                &code::NO_LIST,
                name.place,
                "what was read is no list, and holds none as `items`",
            ));
        }
        if !is_of_one_kind || !is_extractable {
            return None;
        }
        Some(Self { name: name.clone(), kind: kind?, for_each: for_each?, outcomes, extraction, listing, known, item })
    }

    /// The kind that a source has, the first if there are several; and whether it is the only one.
    fn written_kind(name: &Spanned<String>, decl: &Decl, findings: &mut Findings) -> (Option<Written>, bool) {
        let written = [
            ("url", decl.url.as_ref().map(|url| url.place)),
            ("upstream", decl.upstream.as_ref().map(|upstream| upstream.place)),
            ("file", decl.file.as_ref().map(|file| file.place)),
            ("content", decl.content.as_ref().map(|content| content.place)),
            ("route", decl.route.as_ref().map(|route| route.place)),
            ("value", decl.value.as_ref().map(|value| value.place)),
        ];
        let mut kinds = written.iter().filter_map(|(key, place)| place.map(|place| (*key, place)));
        let Some((first, first_place)) = kinds.next() else {
            if !written.iter().any(|(key, _)| decl.is_lost(key)) {
                let message = format!("the source `{}` has nothing to read", name.value);
                let help = "give it `url`, `upstream` with `path`, `route`, `file`, `content` or `value`";
                findings.push(Finding::new(&code::NO_KIND, name.place, message).help(help));
            }
            return (None, false);
        };
        let second = kinds.next();
        if let Some((second, place)) = second {
            let message = format!("the source `{}` has both `{first}` and `{second}`", name.value);
            findings.push(
                Finding::new(&code::TWO_KINDS, place, message).related(first_place, "the other").help("keep one"),
            );
        } else {
            Self::refuse_foreign_keys(decl, first, findings);
        }
        let written = match first {
            "value" => Written::Value,
            "file" | "content" => Written::Given(first_place),
            "route" => Written::Route,
            _ => Written::Call,
        };
        (Some(written), second.is_none())
    }

    /// Only documents can be searched, as they are, for what a request says.
    fn refuse_search(decl: &Decl, context: &Context<'_>, findings: &mut Findings) {
        let Some(search) = &decl.listing.search else { return };
        let mut refuse = |message: &str, help: &str| {
            findings.push(Finding::new(&LIST_SEARCH, search.place, message).help(help));
        };
        if decl.content.is_none() && decl.has_kind() {
            let help = if decl.file.is_some() || decl.value.is_some() {
                "say which items are kept: where = \"item.title contains query.q\""
            } else {
                "hand the words on, and let whoever has the list search it: query = { q = \"{query.q}\" }"
            };
            refuse("`search` of a list that is none of documents", help);
        } else if decl.extract.is_some() {
            refuse("`search` beside `extract`", "leave `extract` out: a search tells of documents as they are");
        } else if search.value.references().next().is_none() && search.value.environment().next().is_none() {
            refuse(
                "a search for the same words at every request",
                "search = \"{query.q}\", with [query.q] max-length = 100",
            );
        }
        refuse_secrets(&search.value, "what is looked for", context.environment, findings);
    }

    /// A written key that the kind does not use is an error.
    fn refuse_foreign_keys(decl: &Decl, kind: &str, findings: &mut Findings) {
        let query = decl.query.as_ref().and_then(|named| named.0.first()).map(|(key, _)| key.place);
        let headers = decl.headers.as_ref().and_then(|named| named.0.first()).map(|(key, _)| key.place);
        let first = |names: &Option<Vec<Spanned<String>>>| {
            names.as_ref().and_then(|names| names.first()).map(|name| name.place)
        };
        let of_calls = [
            ("path", decl.path.as_ref().map(|path| path.place)),
            ("headers", headers),
            ("forward-headers", first(&decl.forward_headers)),
            ("forward-cookies", first(&decl.forward_cookies)),
            ("timeout", decl.calling.timeout.map(|timeout| timeout.place)),
            ("retries", decl.calling.retries.map(|retries| retries.place)),
            ("allow-private", decl.calling.allow_private.map(|allow| allow.place)),
        ];
        let of_calls: Vec<_> = [("query", query)]
            .into_iter()
            .chain(of_calls)
            .chain(decl.sending.written())
            .chain(decl.each.written())
            .chain([("cache", decl.cache.as_ref().map(|cache| cache.place))])
            .chain([("sample", decl.sample.as_ref().map(|sample| sample.place))])
            .collect();
        let foreign = match kind {
            "upstream" => return,
            "url" => of_calls.get(1..2).unwrap_or_default(),
            // A route has its query.
            "route" => of_calls.get(1..).unwrap_or_default(),
            _ => of_calls.as_slice(),
        };
        for (key, place) in foreign {
            if let Some(place) = place {
                let message = format!("`{key}` on a source that has `{kind}`");
                let help = match *key {
                    // Most often it stood above the first header once.
                    "path" => "leave it out; the path of the route stands above all headers",
                    "cache" if kind == "route" => "leave it out; what is kept of that route says its own `[cache]`",
                    "cache" => "leave it out; it is read when the site is loaded",
                    _ => "leave it out",
                };
                findings.push(Finding::new(&code::TWO_KINDS, *place, message).help(help));
            }
        }
    }

    /// What its placeholders refer to.
    pub fn references(&self) -> Vec<&Reference> {
        let mut all = match &self.kind {
            Kind::Http(http) => http.references(),
            Kind::Route(asking) => asking.references(),
            Kind::Value(shape) => shape.references(),
            Kind::Chosen(chosen) => chosen.references().collect(),
        };
        all.extend(self.for_each.iter().map(|each| &each.list));
        if let OnUnauthorized::Redirect(template) = &self.outcomes.on_unauthorized {
            all.extend(template.references());
        }
        all.extend(self.listing.iter().flat_map(Listing::references));
        all
    }

    /// What the placeholders of its path refer to, where a null means that there is nothing to ask for.
    pub fn path_references(&self) -> Vec<&Reference> {
        match &self.kind {
            Kind::Http(http) => http.path_references(),
            Kind::Route(asking) => asking.path_references(),
            Kind::Value(_) | Kind::Chosen(_) => Vec::new(),
        }
    }

    /// The same source with placeholders resolved; `None` if one cannot be.
    pub fn link(&self, mut resolve: impl FnMut(&Reference) -> Option<Binding>) -> Option<Source<Binding>> {
        let resolve = &mut resolve;
        let kind = match &self.kind {
            Kind::Http(http) => http.link(resolve).map(|http| Kind::Http(Box::new(http))),
            Kind::Route(asking) => asking.link(resolve).map(|asking| Kind::Route(Box::new(asking))),
            Kind::Value(shape) => shape.try_map(resolve).map(Kind::Value),
            Kind::Chosen(chosen) => chosen.link(resolve).map(Kind::Chosen),
        };
        let outcomes = self.outcomes.link(resolve);
        let for_each = match &self.for_each {
            Some(each) => each.link(resolve).map(Some),
            None => Some(None),
        };
        let listing = match &self.listing {
            Some(listing) => listing.link(resolve).map(Some),
            None => Some(None),
        };
        let linked = Source {
            name: self.name.clone(),
            kind: kind?,
            for_each: for_each?,
            outcomes: outcomes?,
            extraction: self.extraction.clone(),
            listing: listing?,
            known: self.known.clone(),
            item: self.item.clone(),
        };
        Some(linked.settled_at_load())
    }
}

/// Which kind a source is, by its keys.
enum Written {
    /// Its data was read at load, as the key here says.
    Given(Place),
    Value,
    Route,
    Call,
}

impl<R> Source<R> {
    /// What is taken from its value, which came as a body of `body_bytes` bytes; 0 if it came as no body.
    pub fn extract(&self, value: &Value, body_bytes: usize) -> Result<Value, Trouble> {
        match &self.extraction {
            Some(extraction) => extraction.apply(value, body_bytes).map_err(|error| trouble_of_extraction(&error)),
            None => Ok(value.clone()),
        }
    }
}

impl Source<Binding> {
    /// What is taken from an answer to `http`, its call; no more of it is read than that needs.
    pub fn take(&self, http: &Http<Binding>, answer: &Answer, limits: AnswerLimits) -> Result<Read, Trouble> {
        let Some(extraction) = &self.extraction else { return http.document(answer, limits) };
        if !http.reads_json() {
            let Read { value, is_partial } = http.document(answer, limits)?;
            return Ok(Read { value: self.extract(&value, answer.body.len())?, is_partial });
        }
        let Some(text) = http.json_text(answer)? else { return self.extract(&Value::Null, 0).map(Read::whole) };
        let taken = extraction.read_json(text, limits.json).map_err(|why| trouble_of_json(&why, answer))?;
        taken.map(Read::whole).map_err(|error| trouble_of_extraction(&error))
    }
}
